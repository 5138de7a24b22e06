"""`AnchorCurveDisplay`: score against number of anchors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._candidates import CONSTANT
from ._evaluation import evaluate
from ._pairs import check_pairs
from ._scoring import check_scoring
from ._statistics import make_table
from ._style import LINE_STYLES, REFERENCE, add_legend, axes_for, series_style

WHAT = "AnchorCurveDisplay"
MOST_BANDS = 8
"""With more series than this, bands would hide one another."""
NATIVE: dict[str, Any] = {"color": "black", "linestyle": "--", "linewidth": 1.2}


class AnchorCurveDisplay:
    """Score, or error, against the number of anchors: one line for each translator.

    Figures 3 and 8 of [1]_. It is recommended to use `from_results` or `from_estimators`.

    Parameters
    ----------
    n_anchors : list of ndarray
        Ascending numbers of anchors, one array for each line.

    scores : list of ndarray
        What is drawn over them, of the same shapes.

    spreads : list of ndarray or None, default=None
        Half the height of the band about each line.

    names : list of str or None, default=None
        Labels of the lines.

    score_name : str, default="score"
        Label of the vertical axis.

    references : dict of str to float, or None, default=None
        Horizontal lines, such as the native score.

    styles : list of dict, or None, default=None
        Keyword arguments of ``ax.plot`` for each line; None: a colour and a marker for each, and
        dots for one named "constant".

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.

    figure_ : matplotlib figure
        Its figure.

    lines_ : list of matplotlib lines
        One for each series.

    See Also
    --------
    compare_translators : Makes what is drawn.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Figures 3 and 8.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from sklearn_latent.inspection import AnchorCurveDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 4))
    >>> y = X @ rng.normal(size=(4, 3)) + 0.1 * rng.normal(size=(60, 3))
    >>> display = AnchorCurveDisplay.from_estimators(
    ...     ["ortho", "linear"], X, y, n_anchors=[10, 40], random_state=0,
    ...     ax=Figure().subplots())
    >>> display.names
    ['ortho', 'linear', 'constant']
    >>> display.ax_.get_xlabel()
    'number of anchors'
    """

    def __init__(
        self,
        *,
        n_anchors: Sequence[np.ndarray],
        scores: Sequence[np.ndarray],
        spreads: Sequence[np.ndarray] | None = None,
        names: Sequence[str] | None = None,
        score_name: str = "score",
        references: Mapping[str, float] | None = None,
        styles: Sequence[Mapping[str, Any]] | None = None,
    ):
        self.n_anchors = n_anchors
        self.scores = scores
        self.spreads = spreads
        self.names = names
        self.score_name = score_name
        self.references = references
        self.styles = styles

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        metric: str | None = None,
        spread: str | None = "se",
        constant: bool | None = None,
        ax: Any = None,
        **options: Any,
    ) -> AnchorCurveDisplay:
        """Draw one comparison, or several in one figure.

        Parameters
        ----------
        results : TranslatorComparison, or dict of str to TranslatorComparison
            What `compare_translators` returned. Of several, the lines are named "key: translator",
            have a colour for each translator, and a line style for each comparison.
        metric : str or None, default=None
            Which of their metrics; None: the first. Of a metric ``neg_...`` the error is drawn.
        spread : {"se", "std", "folds", "draws", None}, default="se"
            Half the height of the bands: the corrected standard error of the mean, or the standard
            deviation over all fits, over folds, or over draws in a fold.
        constant : bool or None, default=None
            Whether to draw the constant too, dotted; None: in a single comparison.
        ax : matplotlib axes or None, default=None
            Where to draw; None: a new figure.
        **options
            Further parameters of `plot`.

        Returns
        -------
        AnchorCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            For a metric that was not computed, results of different metrics, and an unknown spread.
        ImportError
            Where matplotlib is not installed.
        """
        several = isinstance(results, Mapping)
        constant = not several if constant is None else constant
        curves, metrics = [], []
        references: dict[str, float] = {}
        places: dict[str, int] = {}
        for group, (key, result) in enumerate(results.items() if several else [("", results)]):
            metrics.append(_check_metric(metric, result))
            prefix = f"{key}: " if several else ""
            for name, *curve in _curves(result.results_, metrics[-1], spread, constant):
                place = places.setdefault(name, len(places))
                style = _style(name, place, group if several else None)
                curves.append((prefix + name, *curve, style))
            references.update(_native(result.native_scores_, metrics[-1], prefix))
        if len(set(metrics)) > 1:
            names = ", ".join(map(repr, sorted(set(metrics))))
            raise ValueError(
                f"The results are of different metrics, {names}, which one axis cannot show. "
                "Choose one that all have with metric=."
            )
        return cls._of(curves, metrics, references).plot(ax=ax, **options)

    @classmethod
    def from_estimators(
        cls,
        translators: Any,
        X: Any,
        y: Any,
        *,
        n_anchors: Any = None,
        decoder: Any = None,
        labels: Any = None,
        scoring: Any = None,
        cv: Any = 5,
        n_draws: int = 3,
        n_jobs: int | None = None,
        random_state: Any = None,
        spread: str | None = "se",
        constant: bool = True,
        ax: Any = None,
        **options: Any,
    ) -> AnchorCurveDisplay:
        """Fit and score translators, and draw them; nothing is refitted.

        Parameters
        ----------
        translators : list of estimators or names, dict from str to them, or None
            As in `compare_translators`; None: the maps in closed form.
        X : array-like of shape (n_samples, d_source)
            Source latents.
        y : array-like of shape (n_samples, d_target)
            Target latents; row i of X and y is the same item.
        n_anchors, decoder, labels, scoring, cv, n_draws, n_jobs, random_state : optional
            As in `compare_translators`.
        spread : {"se", "std", "folds", "draws", None}, default="se"
            As in `from_results`.
        constant : bool, default=True
            As in `from_results`.
        ax : matplotlib axes or None, default=None
            Where to draw; None: a new figure.
        **options
            Further parameters of `plot`.

        Returns
        -------
        AnchorCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As of `compare_translators`, and for an unknown `spread`.
        TypeError
            As of `compare_translators`.
        ImportError
            Where matplotlib is not installed.
        """
        pairs = check_pairs(X, y, decoder, labels)
        evaluation = evaluate(
            pairs,
            translators,
            check_scoring(scoring, decoder, labels is not None, pairs.dimensions[1]),
            n_anchors=n_anchors,
            n_draws=n_draws,
            cv=cv,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=0,
            progress=None,
        )
        metric = evaluation.metric
        curves = [
            (*curve, _style(curve[0], place))
            for place, curve in enumerate(_curves(make_table(evaluation), metric, spread, constant))
        ]
        references = _native(evaluation.native, metric, "")
        return cls._of(curves, [metric], references).plot(ax=ax, **options)

    @classmethod
    def _of(cls, curves, metrics, references):
        names, n_anchors, scores, spreads, styles = (list(column) for column in zip(*curves))
        one = len(set(metrics)) == 1
        return cls(
            n_anchors=n_anchors,
            scores=scores,
            spreads=None if spreads[0] is None else spreads,
            names=names,
            score_name=metrics[0].removeprefix("neg_").replace("_", " ") if one else "score",
            references=references,
            styles=styles,
        )

    def plot(
        self,
        ax: Any = None,
        *,
        bands: bool | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> AnchorCurveDisplay:
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None: a new figure.
        bands : bool or None, default=None
            Whether to draw the spreads; None: for eight lines or fewer.
        line_kwargs : dict or None, default=None
            Keyword arguments of ``ax.plot`` for all lines.

        Returns
        -------
        AnchorCurveDisplay
            This display.

        Raises
        ------
        ImportError
            Where matplotlib is not installed.
        """
        names = list(self.names or [f"series {i + 1}" for i in range(len(self.scores))])
        styles = self.styles or [_style(name, i) for i, name in enumerate(names)]
        references = dict(self.references or {})
        ax = axes_for(ax, WHAT, names=[*names, *references])
        bands = len(names) <= MOST_BANDS if bands is None else bands
        self.lines_ = []
        for i, name in enumerate(names):
            n, score = np.asarray(self.n_anchors[i]), np.asarray(self.scores[i])
            style = {**styles[i], **_long_names(line_kwargs)}
            if n.size == 1 and style["linestyle"] == REFERENCE["linestyle"]:
                self.lines_.append(ax.axhline(score[0], label=name, **style))
                continue
            self.lines_ += ax.plot(n, score, label=name, **style)
            if bands and self.spreads is not None and self.spreads[i] is not None:
                _draw_band(ax, n, score, np.asarray(self.spreads[i]), self.lines_[-1])
        for i, (name, value) in enumerate(references.items()):
            ax.axhline(value, label=name, **NATIVE, alpha=1 / (1 + i / 2))
        ax.set(xlabel="number of anchors", ylabel=self.score_name)
        _set_ticks(ax, np.unique(np.concatenate([np.asarray(n) for n in self.n_anchors])))
        ax.grid(alpha=0.3)
        add_legend(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _style(name, place, group=None):
    """How the line of a translator looks; `group`: which of several comparisons it is from."""
    if name == CONSTANT:
        return dict(REFERENCE)
    style = {**series_style(place), "markersize": 5}
    return style if group is None else {**style, "linestyle": LINE_STYLES[group % 4]}


def _long_names(options):
    """Keyword arguments of a line by their long names: "c" is "color"."""
    from matplotlib import cbook
    from matplotlib.lines import Line2D

    return cbook.normalize_kwargs(dict(options or {}), Line2D)


def _native(native, metric, prefix):
    """The line of the native score, if it is known."""
    if native is None:
        return {}
    score = float(np.mean(native[metric]))
    return {f"{prefix}native": -score if _is_error(metric) else score}


def _curves(table, metric, spread, constant):
    """(name, n_anchors, score, spread) of each translator in a table that has a score."""
    columns = {
        "se": "se_test",
        "std": "std_test",
        "folds": "std_over_folds",
        "draws": "std_over_draws",
        None: None,
    }
    if spread not in columns:
        known = ", ".join(map(repr, columns))
        raise ValueError(f"spread={spread!r} is unknown: use one of {known}.")
    sign = -1 if _is_error(metric) else 1
    curves = []
    for name in dict.fromkeys(table["translator"]):
        rows = table["translator"] == name
        height = None if spread is None else table[f"{columns[spread]}_{metric}"][rows]
        score = sign * table[f"mean_test_{metric}"][rows]
        if np.any(np.isfinite(score)) and (constant or name != CONSTANT):
            curves.append((name, table["n_anchors"][rows], score, height))
    return curves


def _check_metric(metric, result):
    if metric is None:
        return result.metric_
    if metric not in result.metrics_:
        known = ", ".join(map(repr, result.metrics_))
        raise ValueError(f"metric={metric!r} was not computed: use one of {known}.")
    return metric


def _is_error(metric):
    return metric.startswith("neg_")


def _draw_band(ax, n, score, spread, line):
    """A band, or a bar where there is but one number of anchors."""
    colour = line.get_color()
    if not np.any(np.isfinite(score + spread)):
        return
    if n.size == 1:
        ax.errorbar(n, score, spread, color=colour, capsize=3, linestyle="none")
    else:
        ax.fill_between(n, score - spread, score + spread, color=colour, alpha=0.15, linewidth=0)


def _set_ticks(ax, counts):
    """A logarithmic axis that names numbers of anchors, as many as there is room for."""
    ax.set_xscale("log")
    place = np.log(counts)
    gap = (place[-1] - place[0]) / 10
    kept = [counts.size - 1]
    for i in range(counts.size - 2, -1, -1):
        if place[kept[-1]] - place[i] >= gap:
            kept.append(i)
    ticks = counts[kept[::-1]]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
