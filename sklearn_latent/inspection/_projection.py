"""`LatentProjectionDisplay`: source, translated and target latents in two dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from .._base import translate
from .._validation import check_number
from ._display_inputs import check_labels, check_latents
from ._style import class_styles, import_pyplot

MOST_CLASSES = 66
"""More would have a legend that nobody reads."""
MOST_ROWS_OF_LEGEND = 15
RELATIVE_SIZE = {"s": 0.75, "D": 0.7, "*": 1.8, "P": 1.2, "X": 1.2}
"""Of markers that would look larger or smaller than the others."""


class LatentProjectionDisplay:
    """Source, translated and target latents, each item in three panels.

    The target's panel has the two principal components of the target latents. Translated latents
    are projected onto the same two directions, about the same centre, and drawn to the same scale:
    what does not coincide there does not coincide in the target space. The source is another space,
    of another dimension; its panel has its own principal components, and only what groups with what
    can be compared, not where or at which angle.

    Two directions show a part of the latents, the share of the variance that the axes say. Latents
    that agree in the picture can differ outside it: a figure such as R² says how much.

    Make one by `from_estimator` or `from_latents`, which compute; `plot` draws. No two of up to 20
    classes share a colour; beyond, colour and marker together tell them apart.

    Parameters
    ----------
    source : array-like of shape (n_samples, 2)
        Principal components of the source latents.

    translated : array-like of shape (n_samples, 2)
        Translated latents on the target's components; row i is the same item in all three.

    target : array-like of shape (n_samples, 2)
        Principal components of the target latents.

    labels : array-like of shape (n_samples,), default=None
        Class of each item, of at most 66 classes.

    source_variance_ratio : array-like of shape (2,), default=None
        Shares of the source's variance along its two components.

    target_variance_ratio : array-like of shape (2,), default=None
        Shares of the target's variance along its two components.

    Attributes
    ----------
    source, translated, target : ndarray of shape (n_samples, 2)
        As given.

    labels : ndarray of shape (n_samples,) or None
        As given.

    source_variance_ratio, target_variance_ratio : ndarray of shape (2,) or None
        As given.

    axes_ : ndarray of shape (3,) of matplotlib Axes
        Panels of source, translated and target, after `plot`.

    figure_ : matplotlib Figure
        Their figure.

    scatters_ : list of 3 lists of matplotlib PathCollection
        The dots of each panel, one collection for each class, in the order of ``numpy.unique``.

    segments_ : matplotlib LineCollection or None
        From items' translated to their target latents, in the panel of the translated.

    legend_ : matplotlib Legend or None
        Of the classes.

    Raises
    ------
    ValueError
        If rows differ in number, latents have fewer than two columns, or there are too many
        classes to tell apart.

    See Also
    --------
    SpectrumDisplay : What the map does to directions.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_latent import LstsqTranslator
    >>> from sklearn_latent.inspection import LatentProjectionDisplay
    >>> y, labels = load_iris(return_X_y=True)
    >>> X = y[:, ::-1] * 2 + 1
    >>> translator = LstsqTranslator().fit(X, y)
    >>> display = LatentProjectionDisplay.from_estimator(translator, X, y, labels=labels)
    >>> np.allclose(display.translated, display.target)
    True
    >>> bool(display.target_variance_ratio.sum() > 0.95)
    True
    """

    def __init__(
        self,
        source: Any,
        translated: Any,
        target: Any,
        *,
        labels: Any = None,
        source_variance_ratio: Any = None,
        target_variance_ratio: Any = None,
    ):
        self.source = _check_plane(source, "source")
        self.translated = _check_plane(translated, "translated")
        self.target = _check_plane(target, "target")
        _check_rows(self.source, self.translated, self.target)
        self.labels = None if labels is None else check_labels(labels, len(self.target), "target")
        n_classes = 0 if self.labels is None else np.unique(self.labels).size
        if n_classes > MOST_CLASSES:
            raise ValueError(
                f"labels has {n_classes} distinct values, and at most {MOST_CLASSES} can be told "
                "apart: give coarser labels, or None."
            )
        self.source_variance_ratio = _check_ratio(source_variance_ratio)
        self.target_variance_ratio = _check_ratio(target_variance_ratio)

    @classmethod
    def from_estimator(
        cls, translator: Any, X: Any, y: Any, *, labels: Any = None
    ) -> LatentProjectionDisplay:
        """Of a fitted translator.

        Parameters
        ----------
        translator : fitted translator, or a pipeline that ends in one
            Translates X.
        X : array-like of shape (n_samples, d_source)
            Source latents, best such as were no anchors.
        y : array-like of shape (n_samples, d_target)
            Target latents; row i of X and y is the same item.
        labels : array-like of shape (n_samples,), default=None
            Class of each item, to colour it by.

        Returns
        -------
        LatentProjectionDisplay
            Nothing is drawn yet.
        """
        return cls.from_latents(X, translate(translator, X), y, labels=labels)

    @classmethod
    def from_latents(
        cls, source: Any, translated: Any, target: Any, *, labels: Any = None
    ) -> LatentProjectionDisplay:
        """Of latents that were translated before.

        Parameters
        ----------
        source : array-like of shape (n_samples, d_source)
            Source latents.
        translated : array-like of shape (n_samples, d_target)
            The same in the target space.
        target : array-like of shape (n_samples, d_target)
            Target latents of the same items.
        labels : array-like of shape (n_samples,), default=None
            Class of each item, to colour it by.

        Returns
        -------
        LatentProjectionDisplay
            Nothing is drawn yet.
        """
        source = check_latents(source, "source", min_features=2)
        translated = check_latents(translated, "translated", min_features=2)
        target = check_latents(target, "target", min_features=2)
        _check_rows(source, translated, target)
        if translated.shape[1] != target.shape[1]:
            raise ValueError(
                f"translated has {translated.shape[1]} columns and target has {target.shape[1]}: "
                "give latents of one space."
            )
        if len(target) < 2:
            raise ValueError("One item has no principal components: give at least 2 rows.")
        # of several solvers for wide latents one is random
        of_source, of_target = (PCA(2, random_state=0).fit(side) for side in (source, target))
        return cls(
            of_source.transform(source),
            of_target.transform(translated),
            of_target.transform(target),
            labels=labels,
            source_variance_ratio=of_source.explained_variance_ratio_,
            target_variance_ratio=of_target.explained_variance_ratio_,
        )

    def plot(
        self, ax: Any = None, *, n_joined: int | None = None, **kwargs: Any
    ) -> LatentProjectionDisplay:
        """Draw the three panels side by side.

        Parameters
        ----------
        ax : array-like of 3 matplotlib Axes, or one, default=None
            The panels of source, translated and target; or one of a grid, as
            ``plt.subplots`` makes them, that is switched off and gives its place to them. None
            for a new figure.
        n_joined : int, default=None
            Number of items whose translated and target latents a line joins in the middle panel,
            evenly spaced among the rows. None for 50 without labels and 0 with.
        **kwargs : dict
            Passed to every ``ax.scatter``.

        Returns
        -------
        self : object
            With `axes_`, `figure_`, `scatters_`, `segments_` and `legend_`.
        """
        if n_joined is not None:
            check_number("n_joined", n_joined, minimum=0, integer=True)
        classes = None if self.labels is None else np.unique(self.labels)
        plt = import_pyplot("LatentProjectionDisplay.plot")
        self.axes_ = _panels(ax, plt, [] if classes is None else [str(c) for c in classes])
        self.figure_ = self.axes_[0].figure
        places = (self.source, self.translated, self.target)
        self.scatters_ = [
            self._scatter(panel, rows, classes, kwargs) for panel, rows in zip(self.axes_, places)
        ]
        n_joined = (0 if classes is not None else 50) if n_joined is None else n_joined
        self.segments_ = self._join(self.axes_[1], n_joined) if n_joined else None
        square_source, square_target = (
            _square(self.source),
            _square(np.concatenate([self.translated, self.target])),
        )
        titles = (
            "source (own axes)",
            "translated" + (" (lines: to the target)" if n_joined else ""),
            "target" + (" (colour: PC 1)" if classes is None else ""),
        )
        ratios = (
            self.source_variance_ratio,
            self.target_variance_ratio,
            self.target_variance_ratio,
        )
        for i, (panel, title, ratio) in enumerate(zip(self.axes_, titles, ratios)):
            (left, right), (bottom, top) = square_target if i else square_source
            panel.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
            panel.set(xticks=[], yticks=[])
            panel.set_title(title, fontsize="medium")
            space = "target" if i else "source"
            panel.set_xlabel(_component(space, 1, ratio), fontsize="small")
            if i < 2:  # the third has the second's
                panel.set_ylabel(_component(space, 2, ratio), fontsize="small")
        self.legend_ = None if classes is None else self._add_legend(len(classes))
        return self

    def _scatter(self, panel, rows, classes, given):
        from matplotlib import cbook
        from matplotlib.collections import PathCollection

        size = float(np.clip(12000 / len(rows), 9, 30))
        options = {"linewidth": 0, "alpha": 0.75, **cbook.normalize_kwargs(given, PathCollection)}
        coloured = not {"c", "color", "facecolor"}.isdisjoint(options)
        if classes is None:
            # one item has one colour in all panels
            by_place = {} if coloured else {"c": self.target[:, 0], "cmap": "cividis"}
            return [panel.scatter(*rows.T, **{"s": size, **by_place, **options})]
        scatters = []
        for name, style in zip(classes, class_styles(len(classes))):
            if coloured:
                style.pop("color")
            style["s"] = size * RELATIVE_SIZE.get(style["marker"], 1)
            members = rows[self.labels == name]
            scatters.append(panel.scatter(*members.T, **{**style, "label": str(name), **options}))
        return scatters

    def _join(self, panel, n_joined):
        from matplotlib.collections import LineCollection

        n_joined = min(n_joined, len(self.target))
        rows = np.linspace(0, len(self.target) - 1, n_joined).round().astype(int)
        pairs = np.stack([self.translated[rows], self.target[rows]], axis=1)
        segments = LineCollection(pairs, colors="black", linewidths=0.6, alpha=0.6, zorder=3)
        segments.set_label("to the target")
        return panel.add_collection(segments)

    def _add_legend(self, n_classes):
        legend = self.axes_[-1].legend(
            loc="upper left",
            bbox_to_anchor=(1.03, 1),
            borderaxespad=0,
            fontsize=9,
            handletextpad=0.2,
            columnspacing=1,
            ncols=-(-n_classes // MOST_ROWS_OF_LEGEND),
        )
        for handle in legend.legend_handles:
            handle.set(sizes=[25], alpha=1)
        return legend


def _panels(ax: Any, plt: Any, names: list[str]) -> np.ndarray:
    """Three axes: those given, in the place of the one given, or new."""
    if ax is None:
        width, height = 10.5, 3.9
        if names:
            n_columns = -(-len(names) // MOST_ROWS_OF_LEGEND)
            width += n_columns * (0.5 + 0.075 * max(map(len, names)))
        return plt.subplots(1, 3, figsize=(width, height), layout="constrained")[1]
    if np.ndim(ax) == 0:
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError(
                "ax has no place in a grid to share out: give three axes, or one of plt.subplots."
            )
        ax.set_axis_off()
        grid = place.subgridspec(1, 3)
        return np.array([ax.figure.add_subplot(grid[i]) for i in range(3)])
    axes = np.ravel(np.asarray(ax, dtype=object))
    if axes.size != 3:
        raise ValueError(f"ax has {axes.size} axes; expected 3, of source, translated and target.")
    return axes


def _square(points: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of the square around points, with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = 0.54 * float(np.max(high - low)) or 1.0
    left, bottom = (low + high) / 2 - half
    return (float(left), float(left + 2 * half)), (float(bottom), float(bottom + 2 * half))


def _component(space: str, number: int, ratio: np.ndarray | None) -> str:
    share = "" if ratio is None else f" ({100 * ratio[number - 1]:.0f}%)"
    return f"{space} PC {number}{share}"


def _check_plane(points: Any, name: str) -> np.ndarray:
    points = check_latents(points, name).copy()
    if points.shape[1] != 2:
        raise ValueError(
            f"{name} has {points.shape[1]} columns; expected 2. Of latents as they are, "
            "from_latents makes them."
        )
    return points


def _check_rows(source: np.ndarray, translated: np.ndarray, target: np.ndarray) -> None:
    if not len(source) == len(translated) == len(target):
        raise ValueError(
            f"source has {len(source)} rows, translated {len(translated)} and target "
            f"{len(target)}: row i of all three must be the same item."
        )


def _check_ratio(ratio: Any) -> np.ndarray | None:
    if ratio is None:
        return None
    ratio = np.array(ratio, dtype=np.float64)
    if ratio.shape != (2,):
        raise ValueError(f"A variance ratio has shape {ratio.shape}; expected (2,).")
    return ratio
