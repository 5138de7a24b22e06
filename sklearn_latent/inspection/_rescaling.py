"""`RescalingCurveDisplay`: what a decoder makes of latents at other scales."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._array import row_norms
from ..preprocessing import Rescaler
from ._display_inputs import (
    check_labels,
    check_latents,
    check_named,
    check_vector,
    score_name,
    scorer_of,
)
from ._style import REFERENCE, add_legend, axes_for, line_options


class RescalingCurveDisplay:
    r"""Score of frozen decoders on rescaled latents (*rescaling injection*).

    .. math:: \alpha \mapsto \text{score}\Bigl(f,\; \alpha \frac{x}{\|x\|_2}\Bigr)

    for a decoder f. Where the curve is flat the decoder does not mind the scale of what a
    translator hands it; where it is not, the scale of the target has to be restored. Figures 12
    and 13 of [1]_, Appendix A.1.

    Make one by `from_estimator` or `from_estimators`, which compute; `plot` draws.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,)
        Norms that all rows were brought to, above 0, ascending.

    scores : dict from str to array-like of shape (n_alphas,)
        Score of each decoder at each of them.

    native_scores : dict from str to float, default=None
        Score of each decoder on the latents as they are.

    mean_norm : float, default=None
        Mean norm of the latents as they are.

    score_name : str, default="score"
        What the vertical axis is called.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        As given, in float64.

    scores : dict from str to ndarray of shape (n_alphas,)
        As given, in float64.

    native_scores : dict from str to float, or None
        As given.

    mean_norm : float or None
        As given.

    score_name : str
        As given.

    ax_ : matplotlib Axes
        Where the curves are, after `plot`.

    figure_ : matplotlib Figure
        Its figure.

    lines_ : list of matplotlib Line2D
        One curve for each decoder.

    native_lines_ : list of matplotlib Line2D
        For each decoder the ring that marks its native score, at the mean norm.

    legend_ : matplotlib Legend
        Of the names.

    Raises
    ------
    ValueError
        If alphas are not above 0 and ascending, or there is not one score for each.
    TypeError
        If scores are not in a dict of names.

    See Also
    --------
    sklearn_latent.Rescaler : The rescaling, as a step of a pipeline.
    NormDistributionDisplay : What norms the latents have.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Appendix A.1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_latent.inspection import RescalingCurveDisplay
    >>> X, labels = load_iris(return_X_y=True)
    >>> decoder = LogisticRegression(fit_intercept=False, max_iter=1000).fit(X, labels)
    >>> display = RescalingCurveDisplay.from_estimator(decoder, X, labels, alphas=[0.1, 1, 10])
    >>> scores = display.scores["LogisticRegression"]
    >>> bool(scores[0] == scores[1] == scores[2] > 0.9)    # no bias: no scale
    True
    """

    def __init__(
        self,
        alphas: Any,
        scores: Mapping[str, Any],
        *,
        native_scores: Mapping[str, float] | None = None,
        mean_norm: float | None = None,
        score_name: str = "score",
    ):
        self.alphas = _check_alphas(alphas)
        if np.any(np.diff(self.alphas) <= 0):
            raise ValueError("alphas must be ascending: sort them, and the scores with them.")
        self.scores = {}
        for name, values in check_named(scores, "scores", "arrays of scores").items():
            self.scores[name] = np.array(values, dtype=np.float64)
            if self.scores[name].shape != self.alphas.shape:
                raise ValueError(
                    f"scores[{name!r}] has shape {self.scores[name].shape}; expected one score "
                    f"for each of the alphas: {self.alphas.shape}."
                )
        if native_scores is not None and set(native_scores) != set(self.scores):
            raise ValueError(
                f"native_scores has the names {sorted(native_scores)}; expected those of scores: "
                f"{sorted(self.scores)}."
            )
        self.native_scores = None if native_scores is None else dict(native_scores)
        self.mean_norm = mean_norm
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        decoder: Any,
        X: Any,
        labels: Any,
        *,
        alphas: Any = None,
        scoring: Any = None,
        name: str | None = None,
    ) -> RescalingCurveDisplay:
        """Of one frozen decoder.

        Parameters
        ----------
        decoder : fitted estimator
            Trained on latents. Never refitted.
        X : array-like of shape (n_samples, n_features)
            Latents of the decoder's space: its own, or translated to it.
        labels : array-like of shape (n_samples,)
            What the decoder should say, or whatever `scoring` takes.
        alphas : array-like of shape (n_alphas,), default=None
            Norms to bring the rows to, above 0; sorted, and each taken once. None for 25 from a
            hundredth to a hundred times the mean norm of X.
        scoring : str or callable ``(decoder, X, labels) -> float``, default=None
            Name of a scorer of scikit-learn's or of `sklearn_latent.metrics.SCORERS`; None for
            the decoder's own ``score``.
        name : str, default=None
            In the legend; None for the name of the class.

        Returns
        -------
        RescalingCurveDisplay
            Nothing is drawn yet.
        """
        name = type(decoder).__name__ if name is None else name
        return cls.from_estimators({name: decoder}, X, labels, alphas=alphas, scoring=scoring)

    @classmethod
    def from_estimators(
        cls,
        decoders: Mapping[str, Any],
        X: Any,
        labels: Any,
        *,
        alphas: Any = None,
        scoring: Any = None,
    ) -> RescalingCurveDisplay:
        """Of several frozen decoders of one space.

        Parameters
        ----------
        decoders : dict from str to fitted estimator
            By the names that the legend has. Never refitted.
        X : array-like of shape (n_samples, n_features)
            Latents of the decoders' space.
        labels : array-like of shape (n_samples,)
            As in `from_estimator`.
        alphas : array-like of shape (n_alphas,), default=None
            As in `from_estimator`.
        scoring : str or callable, default=None
            As in `from_estimator`.

        Returns
        -------
        RescalingCurveDisplay
            Nothing is drawn yet.
        """
        decoders = check_named(decoders, "decoders", "fitted decoders")
        for decoder in decoders.values():
            check_is_fitted(decoder)
        rows, scorer = check_latents(X, "X"), scorer_of(scoring)
        mean_norm = float(np.mean(row_norms(rows)))
        if alphas is None and not mean_norm > 0:
            raise ValueError("All rows of X are zero: there is no scale to change.")
        if alphas is None:
            alphas = mean_norm * np.geomspace(1e-2, 1e2, 25)
        alphas = np.unique(_check_alphas(alphas))
        if np.ndim(labels) == 1:
            labels = check_labels(labels, rows.shape[0], "X")
        scores: dict[str, list[float]] = {decoder: [] for decoder in decoders}
        for alpha in alphas:
            rescaled = Rescaler(float(alpha)).fit_transform(X)
            for name, decoder in decoders.items():
                scores[name].append(scorer(decoder, rescaled, labels))
        return cls(
            alphas,
            scores,
            native_scores={name: scorer(d, X, labels) for name, d in decoders.items()},
            mean_norm=mean_norm,
            score_name=score_name(scoring, decoders.values()),
        )

    def plot(
        self, ax: Any = None, *, plot_native: bool = True, **kwargs: Any
    ) -> RescalingCurveDisplay:
        """Draw the curves over a logarithmic axis.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        plot_native : bool, default=True
            Mark the mean norm by a line, and on it by rings the scores of latents as they are.
        **kwargs : dict
            Passed to every ``ax.plot``.

        Returns
        -------
        self : object
            With `ax_`, `figure_`, `lines_`, `native_lines_` and `legend_`.
        """
        # curves go everywhere, so that a legend inside would hide some
        names = [*self.scores, "mean norm (rings: not rescaled)"]
        ax = axes_for(ax, "RescalingCurveDisplay.plot", names=names, outside=True)
        self.lines_: list[Any] = []
        self.native_lines_: list[Any] = []
        for i, (name, scores) in enumerate(self.scores.items()):
            options = line_options(i, kwargs, label=name, markersize=5)
            self.lines_ += ax.plot(self.alphas, scores, **options)
        if plot_native and self.mean_norm is not None:
            rings = self.native_scores is not None
            if rings:
                self._mark_native(ax)
            label = names[-1] if rings else "mean norm"
            ax.axvline(self.mean_norm, zorder=1, label=label, **REFERENCE)
        ax.set(xscale="log", xlabel="norm α of all rows", ylabel=self.score_name)
        ax.grid(alpha=0.3)
        self.legend_ = add_legend(ax, outside=True)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _mark_native(self, ax):
        for name, line in zip(self.scores, self.lines_):
            self.native_lines_ += ax.plot(
                [self.mean_norm],
                [self.native_scores[name]],
                marker="o",
                markersize=10,
                markerfacecolor="none",
                markeredgecolor=line.get_color(),
                markeredgewidth=1.5,
                linestyle="none",
            )


def _check_alphas(alphas: Any) -> np.ndarray:
    alphas = check_vector(alphas, "alphas").copy()
    if np.any(alphas <= 0):
        raise ValueError(f"alphas must be above 0; got {alphas.min()}.")
    return alphas
