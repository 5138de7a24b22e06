"""`NormDistributionDisplay`: how long the rows of latents are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._array import row_norms
from .._base import translate
from .._validation import check_option
from ._display_inputs import check_latents, check_named, check_vector
from ._style import COLOURS, LINE_STYLES, MOST_INSIDE, axes_for, clear_legend, import_pyplot

ARRANGEMENTS = ("overlay", "rows", "auto")


class NormDistributionDisplay:
    r"""Distributions of the norms :math:`\|x\|_2` of latents.

    A decoder that depends on the scale of its input expects the norms that it was trained on.
    Translated latents that are much shorter than the target's were shrunk towards the mean.
    Figure 4 of [1]_.

    Make one by `from_latents` or `from_estimator`, which compute; `plot` draws.

    Parameters
    ----------
    norms : dict from str to array-like of shape (n_samples,)
        Norms of each set of latents, which may differ in their number.

    Attributes
    ----------
    norms : dict from str to ndarray of shape (n_samples,)
        As given, in float64.

    ax_ : matplotlib Axes
        Where the histograms are, after `plot`.

    figure_ : matplotlib Figure
        Its figure.

    steps_ : list of matplotlib StepPatch
        One histogram for each set.

    legend_ : matplotlib Legend or None
        Of the names; None where they are at the rows.

    Raises
    ------
    ValueError
        If the norms are no vectors of finite numbers of at least 0.
    TypeError
        If they are not in a dict of names.

    See Also
    --------
    sklearn_latent.Rescaler : Brings all rows to one norm.
    RescalingCurveDisplay : Whether a decoder depends on it.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Figure 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import ProcrustesTranslator
    >>> from sklearn_latent.inspection import NormDistributionDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> y = 3 * X[:, ::-1]
    >>> translator = ProcrustesTranslator().fit(X, y)
    >>> display = NormDistributionDisplay.from_estimator(translator, X, y)
    >>> list(display.norms)
    ['source', 'target', 'translated']
    >>> np.allclose(display.norms["target"], np.linalg.norm(y, axis=1))
    True
    """

    def __init__(self, norms: Mapping[str, Any]):
        self.norms = {}
        for name, values in check_named(norms, "norms", "arrays of norms").items():
            self.norms[name] = check_vector(values, f"norms[{name!r}]").copy()
            if np.any(self.norms[name] < 0):
                raise ValueError(f"norms[{name!r}] has negative values: norms are at least 0.")

    @classmethod
    def from_latents(cls, latents: Mapping[str, Any]) -> NormDistributionDisplay:
        """Of several sets of latents.

        Parameters
        ----------
        latents : dict from str to array-like of shape (n_samples, n_features)
            By the names that the picture has; rows and columns may differ in number.

        Returns
        -------
        NormDistributionDisplay
            Nothing is drawn yet.
        """
        named = check_named(latents, "latents", "arrays of latents")
        return cls(
            {
                name: row_norms(check_latents(rows, f"latents[{name!r}]"))
                for name, rows in named.items()
            }
        )

    @classmethod
    def from_estimator(cls, translator: Any, X: Any, y: Any = None) -> NormDistributionDisplay:
        """Of source, target and translated latents.

        Parameters
        ----------
        translator : fitted translator, or a pipeline that ends in one
            Translates X.
        X : array-like of shape (n_samples, d_source)
            Source latents, best such as were no anchors.
        y : array-like of shape (n_samples_target, d_target), default=None
            Target latents, of the same items or others; left out if None.

        Returns
        -------
        NormDistributionDisplay
            Nothing is drawn yet.
        """
        sides = {"source": X, "target": y, "translated": translate(translator, X)}
        return cls.from_latents({name: side for name, side in sides.items() if side is not None})

    def plot(
        self,
        ax: Any = None,
        *,
        bins: int | Any = None,
        arrangement: str = "auto",
        **kwargs: Any,
    ) -> NormDistributionDisplay:
        """Draw histograms.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        bins : int or array-like of shape (n_bins + 1,), default=None
            Number of bins of each set, over its own range; or edges for all sets, which leave
            out what is beyond them. None for twice the cube root of the number of rows.
        arrangement : {"overlay", "rows", "auto"}, default="auto"
            ``"overlay"``: outlines over each other, as probability densities. ``"rows"``: one row
            for each set, scaled to one height; the axis is logarithmic where the medians differ by
            more than a factor of 10. ``"auto"``: rows for more than six sets, and where one
            spreads 20 times as far as another, which an overlay would flatten.
        **kwargs : dict
            Passed to every ``ax.stairs``.

        Returns
        -------
        self : object
            With `ax_`, `figure_`, `steps_` and `legend_`.
        """
        check_option("arrangement", arrangement, ARRANGEMENTS)
        edges = _check_bins(bins)
        in_rows = arrangement == "rows" or (arrangement == "auto" and self._needs_rows())
        import_pyplot("NormDistributionDisplay.plot")
        draw = self._plot_rows if in_rows else self._plot_overlay
        draw(ax, edges, kwargs)
        self.ax_.set_xlabel("norm of the latents")
        self.figure_ = self.ax_.figure
        return self

    def _needs_rows(self):
        spreads = [np.std(norms) for norms in self.norms.values()]
        return len(self.norms) > MOST_INSIDE or 20 * min(spreads) < max(spreads)

    def _plot_overlay(self, ax, bins, given):
        self.ax_ = ax = axes_for(ax, "NormDistributionDisplay.plot", names=list(self.norms))
        self.steps_ = []
        for i, (name, norms) in enumerate(self.norms.items()):
            edges = _edges(norms, bins)
            density = np.histogram(norms, edges, density=True)[0]
            style = {
                "color": COLOURS[i % len(COLOURS)],
                "linestyle": LINE_STYLES[i % len(LINE_STYLES)],
                "linewidth": 2,
                "label": name,
            }
            self.steps_.append(ax.stairs(density, edges, **_merged(style, given)))
        ax.set_ylabel("density")
        ax.set_ylim(bottom=0)
        self.legend_ = clear_legend(ax)

    def _plot_rows(self, ax, bins, given):
        n_sets = len(self.norms)
        width = 5.5 + 0.075 * max(map(len, self.norms))
        self.ax_ = ax = axes_for(
            ax, "NormDistributionDisplay.plot", figsize=(width, 1 + 0.36 * n_sets)
        )
        self.steps_, self.legend_ = [], None
        for row, (name, norms) in enumerate(self.norms.items()):
            edges = _edges(norms, bins)
            counts = np.histogram(norms, edges)[0]
            heights = 0.85 * counts / max(counts.max(), 1)
            style = {"color": COLOURS[row % len(COLOURS)], "fill": True, "alpha": 0.8}
            style.update(label=name, baseline=row, linewidth=1)
            # the axis points down, so that rows are in the order of the dict
            self.steps_.append(ax.stairs(row - heights, edges, **_merged(style, given)))
            ax.axhline(row, color="lightgrey", linewidth=0.8, zorder=0)
        ax.set_yticks(range(n_sets), list(self.norms))
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(n_sets - 0.9, -1)
        centres = [np.median(norms) for norms in self.norms.values()]
        if min(centres) > 0 and max(centres) > 10 * min(centres):
            ax.set_xscale("log")
        for side in ("left", "right", "top"):
            ax.spines[side].set_visible(False)


def _check_bins(bins: Any) -> Any:
    """None, a number, or ascending edges."""
    if bins is None or (isinstance(bins, (int, np.integer)) and bins >= 1):
        return bins
    if np.ndim(bins) == 1 and not isinstance(bins, str):
        edges = np.asarray(bins, dtype=np.float64)
        if edges.size >= 2 and np.all(np.diff(edges) > 0):
            return edges
    raise ValueError(
        f"bins={bins!r} is neither a number of at least 1 nor ascending edges of at least one bin."
    )


def _edges(norms: np.ndarray, bins: Any) -> np.ndarray:
    """Edges of the bins of one set."""
    if isinstance(bins, np.ndarray):
        return bins
    low, high = norms.min(), norms.max()
    if high - low <= 1e-5 * high:  # unit norms, up to rounding
        margin = 0.01 * high or 0.5
        return np.array([low - margin, high + margin])
    bins = int(np.ceil(2 * norms.size ** (1 / 3))) if bins is None else bins  # Rice's rule
    return np.linspace(low, high, bins + 1)


def _merged(style: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    from matplotlib import cbook
    from matplotlib.patches import StepPatch

    return {**style, **cbook.normalize_kwargs(given, StepPatch)}
