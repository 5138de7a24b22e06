"""`compare_translators`: which map relates two spaces, and how many anchors it takes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from ._candidates import seeded
from ._evaluation import draw_anchors, evaluate
from ._pairs import check_pairs
from ._results import TranslatorComparison
from ._scoring import check_scoring
from ._statistics import anchors_to_refit, make_table, no_better_than_constant, summarise


def compare_translators(
    X: Any,
    y: Any,
    translators: Any = None,
    *,
    n_anchors: Any = None,
    decoder: Any = None,
    labels: Any = None,
    scoring: Any = None,
    cv: Any = 5,
    n_draws: int = 3,
    n_jobs: int | None = None,
    random_state: Any = None,
    verbose: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> TranslatorComparison:
    r"""Which class of maps relates two spaces, and how many anchors are enough?

    Each translator :math:`T` is fitted to n anchors, drawn at random from the training rows of a
    fold, and judged on the fold's test rows:

    .. math:: s_{T,n} = \frac{1}{FD} \sum_{f=1}^{F} \sum_{d=1}^{D}
              \text{score}\bigl(T_{A_{fd}^n};\; X_f^\text{test}, y_f^\text{test}\bigr),
              \qquad A_{fd}^{n} \subset A_{fd}^{n+1} \subset \text{training rows of fold } f

    for F folds and D draws. All translators see the same anchors A, and fewer are a subset of
    more: every comparison is paired. A constant, the mean of the target anchors, is always
    evaluated too.

    Parameters
    ----------
    X : array-like of shape (n_samples, d_source)
        Source latents.

    y : array-like of shape (n_samples, d_target) or (n_samples,)
        Target latents; row i of X and y is the same item.

    translators : list of estimators or names, dict from str to them, or None, default=None
        Unfitted translators, multi-output regressors, or pipelines that end in one. A name stands
        for a translator at its defaults: ``"ortho"``, ``"rigid"``, ``"linear"``, ``"l-ortho"``,
        ``"affine"``, ``"ridge"``, ``"kernel"``, ``"mlp"``, ``"inverse-relative"``, ``"icp"`` and
        ``"absolute"``. In a list estimators get these names, and others those of their classes.
        None: the maps in closed form, ``["ortho", "rigid", "linear", "l-ortho", "ridge"]``.

    n_anchors : int, float, list of them, or None, default=None
        Numbers of anchors to try; a float in (0, 1] is a share of the training rows of the smallest
        fold. None: 10, 30, 100, 300 and so on, and all. Rows are drawn here: leave the parameter
        `n_anchors` of the translators at None.

    decoder : fitted estimator with ``predict``, default=None
        Trained on target latents, and never refitted. Its native score is too good if these pairs
        were among its training data.

    labels : array-like of shape (n_samples,), default=None
        True labels of the items, for the decoder's accuracy.

    scoring : str, callable, list, dict or None, default=None
        What to judge by; of several, the first decides and the others are reported. Names are
        ``"stitching_score"`` and ``"decoder_agreement"`` (of `decoder`), ``"centered_mrr"``,
        ``"r2_variance_weighted"``, those in `sklearn_latent.metrics.SCORERS`, and scikit-learn's,
        which judge latents. A callable is ``scorer(estimator, X, y) -> float``, higher being
        better.
        None: with decoder and labels ``"stitching_score"`` (accuracy or R²), with a decoder alone
        ``"decoder_agreement"``, and else ``"centered_mrr"``, the mean reciprocal rank of
        the true partner by cosines from the mean of the test targets; then
        ``"latent_cosine_similarity"`` and ``"r2_variance_weighted"``, the share of the test
        targets' variance, of all columns together, that is explained. For a target of one column:
        ``"r2"`` alone.

    cv : int, splitter or iterable of (train, test), default=5
        An int is a number of shuffled folds, stratified where the decoder is a classifier and
        there are labels.

    n_draws : int, default=3
        Draws of anchors in each fold. Where n is all training rows there is one.

    n_jobs : int or None, default=None
        Number of jobs, as in joblib. The scores are the same for any.

    random_state : int, RandomState instance or None, default=None
        For folds, anchors, and every `random_state` of a translator that is None.

    verbose : int, default=0
        1: print a line as each translator and number of anchors is done, with the time left.

    progress : callable (n_done, n_total) or None, default=None
        Called after each fit, for a progress bar.

    Returns
    -------
    TranslatorComparison
        A table with its spreads, the best translator refitted, and a plot.

    Raises
    ------
    ValueError
        For rows that do not match, values that are not finite, an unknown name of a translator, an
        unknown scoring or one that cannot judge latents, labels that nothing reads, a decoder of
        other columns than y, numbers of anchors that the folds do not have, and where every fit
        fails.
    TypeError
        For translators that are neither estimators nor names, and other parameters of wrong type.

    Warns
    -----
    UserWarning
        For translators that are no better than the constant, out of sample.
    FitFailedWarning
        For translators that failed on some anchors; their scores are nan there.

    See Also
    --------
    AnchorCurveDisplay : The same as a figure alone.
    sklearn.model_selection.GridSearchCV : For parameters beyond the number of anchors.

    Notes
    -----
    R² is not what decides by default: an orthogonal map does not shrink, and can have a negative
    R² while it finds most partners and serves a decoder well. A reciprocal rank depends on the
    number of test rows, among which each partner is looked for: 1.000 among hundreds may be far
    less among a store's millions. To judge for a store, give its rows as further candidates:
    ``scoring=make_scorer(recall_at_k, distractors=store)``. A rank takes n_test multiplications of
    rows for each test row; ``scoring="r2_variance_weighted"`` takes none of them.

    Of many columns that R² is :math:`1 - \sum_{ij} (y_{ij} - \hat y_{ij})^2 / \sum_{ij} (y_{ij} -
    \bar y_j)^2`, scikit-learn's ``r2_score(multioutput="variance_weighted")``. A translator's
    ``score`` and ``scoring="r2"`` are the plain mean of the columns' R² instead, in which a unit
    that is rarely active, as of ReLU layers, can outweigh all others: with hardly any variance of
    its own, its R² is a large negative number wherever its prediction is a little off.

    Folds share training rows, so their scores are not independent, and no unbiased estimate of the
    variance of their mean exists. Standard errors are those of [1]_ over the F folds, each the mean
    of its draws: :math:`\sqrt{(1/F + n_\text{test}/n_\text{train})\, s^2}`. With few anchors of
    many training rows that is rather too large than too small. A translator counts as better than
    the constant if its paired difference, at its best n, is above two of its standard errors.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio. "Inference for the Generalization Error". Machine Learning 52,
       2003, Section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import compare_translators
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 8))
    >>> y = X @ np.linalg.qr(rng.normal(size=(8, 8)))[0] + 0.5 * rng.normal(size=(200, 8))
    >>> comparison = compare_translators(
    ...     X, y, ["ortho", "linear"], n_anchors=[10, 40, 160], random_state=0)
    >>> comparison.best_name_
    'ortho'
    >>> comparison.best_translator_.transform(X[:2]).shape
    (2, 8)
    >>> sorted(comparison.summary())[:3]
    ['better_than_constant', 'difference_to_best', 'enough_anchors']
    """
    if progress is not None and not callable(progress):
        raise TypeError(
            f"progress must be a function (n_done, n_total), or None; got {progress!r}. For "
            "printed lines use verbose=1."
        )
    pairs = check_pairs(X, y, decoder, labels)
    scorers = check_scoring(scoring, decoder, labels is not None, pairs.dimensions[1])
    evaluation = evaluate(
        pairs,
        translators,
        scorers,
        n_anchors=n_anchors,
        n_draws=n_draws,
        cv=cv,
        n_jobs=n_jobs,
        random_state=random_state,
        verbose=verbose,
        progress=progress,
    )
    table = make_table(evaluation)
    summary = summarise(table, evaluation)
    _warn_of_constants(summary, evaluation)
    best = _refit(pairs, evaluation, table, summary)
    return TranslatorComparison(pairs.n_rows, pairs.dimensions, evaluation, table, summary, best)


def _refit(pairs, evaluation, table, summary):
    """The best translator on all rows, or on fewer where more were worse beyond chance."""
    n_anchors = anchors_to_refit(table, int(summary["index"][0]), evaluation)
    rows = np.arange(pairs.n_rows)
    if n_anchors < evaluation.n_train.min():
        rows = draw_anchors(rows, n_anchors, evaluation.seed)
    best = seeded(evaluation.translators[summary["translator"][0]], evaluation.seed)
    return best.fit(_safe_indexing(pairs.X, rows), _safe_indexing(pairs.y, rows))


def _warn_of_constants(summary, evaluation):
    names = no_better_than_constant(summary)
    if names:
        warnings.warn(
            f"Out of sample, {', '.join(map(repr, names))}: {evaluation.metric} is no better than "
            "that of a constant, the mean of the target anchors. Are the rows of X and y the same "
            "items, in the same order? If so, the spaces are not related by these maps, or it "
            "takes more anchors to see it.",
            UserWarning,
            stacklevel=3,
        )
