"""What all displays share of matplotlib, which is imported at the first plot and not before.

`axes_for`
    The axes to draw into: those given, or new ones with room for a legend.
`series_style`, `line_options`
    Colour, line style and marker of the i-th of many series; the same with the user's on top.
`class_styles`
    Colours and markers of classes, which have no lines to tell them apart.
`add_legend`, `clear_legend`
    Inside the axes for a few series, to their right for many; room for it above what is drawn.
`import_pyplot`
    matplotlib.pyplot, or an error that names the extra.
`REFERENCE`
    How lines that are no series look: chance, native, one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Okabe and Ito's, which the colour-blind can tell apart, without yellow and black: the one is
# faint on white, the other is for reference lines.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# Both all the same, where there are more classes than that.
EIGHT_COLOURS = (*COLOURS, "#F0E442", "#000000")
LINE_STYLES = ("-", "--", "-.", ":")
# Their number has no divisor in common with that of the colours: 66 pairs before one recurs.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p")
REFERENCE: dict[str, Any] = {"color": "black", "linestyle": ":", "linewidth": 1.2}
MOST_INSIDE = 6
"""Entries of a legend inside the axes; a longer one is drawn to their right."""


PADDING = 8
"""Above and below a legend, in points."""
MOST_OF_HEIGHT = 0.6
"""Share of the axes' height that a legend inside may take."""


def import_pyplot(what: str) -> Any:
    """matplotlib.pyplot; `what` is said to need it where it is not installed."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{what} needs matplotlib: pip install 'sklearn_latent[plot]' (or matplotlib itself)."
        ) from error
    return plt


def axes_for(
    ax: Any,
    what: str,
    *,
    figsize: tuple[float, float] = (6.4, 4.8),
    names: Sequence[str] = (),
    outside: bool = False,
) -> Any:
    """`ax` itself, or the axes of a new figure of `figsize` inches.

    A new figure is widened by what a legend with `names` takes where that is drawn outside, as it
    is for many names or if asked for.
    """
    plt = import_pyplot(what)
    if ax is not None:
        return ax
    width, height = figsize
    if names and (outside or len(names) > MOST_INSIDE):
        width += 0.7 + 0.075 * max(len(name) for name in names)
        height = max(height, 0.6 + 0.19 * len(names))
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def series_style(i: int) -> dict[str, Any]:
    """Colour, line style and marker of series `i`: no two of the first 66 look alike."""
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": LINE_STYLES[i // len(COLOURS) % len(LINE_STYLES)],
        "marker": MARKERS[i % len(MARKERS)],
    }


def class_styles(n_classes: int) -> list[dict[str, Any]]:
    """Colour and marker of each class: no two of up to 20 share a colour, nor of up to 220 both.

    Okabe and Ito's colours for up to eight classes, and matplotlib's ``tab20`` beyond, its dark
    colours before their light twins.
    """
    if n_classes <= len(EIGHT_COLOURS):
        palette: Sequence[Any] = EIGHT_COLOURS
    else:
        import matplotlib

        both = matplotlib.colormaps["tab20"].colors  # type: ignore[attr-defined]
        palette = [*both[::2], *both[1::2]]
    return [
        {"color": palette[i % len(palette)], "marker": MARKERS[i % len(MARKERS)]}
        for i in range(n_classes)
    ]


def line_options(i: int, given: Mapping[str, Any] | None = None, **defaults: Any) -> dict[str, Any]:
    """Keyword arguments of ``ax.plot`` for series `i`: style, `defaults`, then those `given`.

    Short names such as ``c`` and ``lw`` count as the long ones.
    """
    from matplotlib import cbook
    from matplotlib.lines import Line2D

    return {**series_style(i), **defaults, **cbook.normalize_kwargs(dict(given or {}), Line2D)}


def add_legend(ax: Any, *, outside: bool = False, **given: Any) -> Any:
    """Legend of the labelled artists of `ax`, or None where there are none.

    Outside, where many entries go anyway, it stands at the right; a figure with
    ``layout="constrained"`` makes room.
    """
    n_entries = len(ax.get_legend_handles_labels()[1])
    if n_entries == 0:
        return None
    defaults: dict[str, Any] = {"loc": "best"}
    if outside or n_entries > MOST_INSIDE:
        defaults = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
        defaults["fontsize"] = 9
    return ax.legend(**{"handlelength": 3, **defaults, **given})


def clear_legend(ax: Any) -> Any:
    """Legend that hides no histogram of `ax`: the y-axis is made longer where no corner is free.

    At the right of the axes for many entries, and where it would take most of their height or all
    of their width. Matplotlib's own "best" may lie inside a histogram, and moves with the size.
    """
    legend = add_legend(ax, loc="upper right")
    figure = ax.figure.canvas.figure
    figure.draw_without_rendering()  # the layout says how large all is
    box, inner = legend.get_window_extent(), ax.get_window_extent()
    padding = 2 * PADDING * figure.dpi / 72
    width, share = box.width + padding, (box.height + padding) / inner.height
    if len(legend.get_texts()) > MOST_INSIDE or share > MOST_OF_HEIGHT or width > inner.width:
        return add_legend(ax, outside=True)
    below = {
        "upper right": _highest(ax, inner.x1 - width, inner.x1),
        "upper left": _highest(ax, inner.x0, inner.x0 + width),
    }
    place = min(below, key=below.__getitem__)
    ax.set_ylim(top=max(ax.get_ylim()[1], below[place] / (1 - share)))
    return add_legend(ax, loc=place)


def _highest(ax, left, right):
    """Highest bar of the histograms of `ax` between two places, in pixels."""
    from matplotlib.patches import StepPatch

    low, high = ax.transData.inverted().transform([(left, 0), (right, 0)])[:, 0]
    bars = [patch.get_data() for patch in ax.patches if isinstance(patch, StepPatch)]
    heights = [
        values[(edges[1:] > low) & (edges[:-1] < high)].max(initial=0) for values, edges, _ in bars
    ]
    return max(heights, default=0)
