"""Least squares shrunk towards a simple map, as strongly as the anchors themselves advise."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from ._array import Array, asarray_like, namespace_of, normalize_rows, widest_float
from ._moments import Kind, PairMoments
from ._regularized import RegularizedTranslator
from ._scaling import Scaling
from ._validation import check_number, check_option
from .anchors import AnchorSelection
from .solvers.folds import FoldJudge
from .solvers.items import striped_folds
from .solvers.procrustes import scaled_procrustes
from .solvers.restoration import restoration
from .solvers.ridge import Judge, RidgePath, r2

_N_FOLDS = 5


class RidgeTranslator(RegularizedTranslator):
    r"""Translate by least squares, shrunk as strongly as the anchors advise (*ridge*).

    With X and Y the scaled anchors, solves

    .. math:: \min_W \|X W - Y\|_F^2 + \alpha \|W - W_0\|_F^2

    where :math:`W_0` is zero or the scaled Procrustes map. It needs no choice between *ortho*,
    steady but narrow, and *linear*, which fits noise where anchors are about as many as dimensions.

    The strength is chosen by how well each anchor is predicted from all others. `fit` knows that
    exactly, for a whole grid from one decomposition: with the leverage :math:`h_i` of row i its
    residual is :math:`(y_i - \hat{y}_i) / (1 - h_i)` ([1]_). After `partial_fit` the rows are gone,
    and the mean leverage stands for each (generalized cross-validation, [2]_).

    Shrinking draws predictions to the mean, but a decoder expects the spread it was trained on. So
    ``restore_variance`` stretches predictions about their mean until those of left-out anchors
    spread as the target does: by :math:`\operatorname{std}(y) / \operatorname{std}(\hat{y})`,
    within [1, 10], first along the target's principal axes (to the power `covariance_power`), then
    feature by feature. That is better for decoders and retrieval, and worse in squared error. The
    strength is then chosen by the error that the best common stretch leaves, that is, by direction.

    Parameters
    ----------
    alpha : float, list of float or None, default=None
        Strength of the penalty, in the units of the sum of squares of the scaled source anchors; a
        list to choose from; or None to choose from a grid scaled to the data, zero included.

    shrink_to : {"zero", "procrustes", "auto"}, default="zero"
        What the map is shrunk towards: zero (the target's mean is predicted where little is known);
        the similarity s U Vᵀ of `ProcrustesTranslator`; or whichever of both predicts better. The
        two are compared by 5-fold cross-validation, since the Procrustes map has seen each row; the
        sorted anchors are dealt to the folds in turn, equal anchors together. If ``"auto"`` keeps
        zero, its strength is then chosen by leave-one-out.

    restore_variance : bool, default=True
        Whether predictions get back the spread that shrinking took.

    covariance_power : float, default=0.75
        How much of its spread each principal axis of the target gets back before the features do: 0
        for features alone, 1 for all. More helps retrieval, and costs squared error. Used only with
        ``restore_variance``.

    fit_intercept : bool, default=False
        Add an offset, which is not penalised, to the map between the scaled spaces. It is zero
        where both sides are centred by `scaling`, so this matters only for None and ``"l2"``.

    scaling : {"standard", "center", "l2", None} or a pair of them, default=("center", "standard")
        What is done to both sides (or to source and target) before solving, with statistics of the
        anchors, and undone on the target side. ``"l2"`` divides rows by their norm and multiplies
        the result by the mean norm of the target anchors. The default leaves the source's
        directions of little variance small, so that the penalty bears on them the most.

    n_anchors : int, float in (0, 1] or None, default=None
        How many rows of (X, y), or which share of them, to use; None for all.

    anchor_selection : {"uniform", "kmeans", "farthest"} or callable, default="uniform"
        How anchors are chosen, on the source side: at random, the rows nearest to k-means centres,
        by greedy farthest-point sampling, or by a function ``(X, n_anchors, random_state)`` that
        returns row indices. Used only where `n_anchors` is not None.

    random_state : int, RandomState instance or None, default=None
        Seed of the anchor selection.

    Attributes
    ----------
    coef_ : array of shape (d_target, d_source)
        The folded map: ``transform(X)`` is ``X @ coef_.T + intercept_`` (rows of X normalised
        first where the source's scaling is ``"l2"``).

    intercept_ : array of shape (d_target,)
        The folded offset, in the target's units.

    alpha_ : float
        The strength chosen.

    best_score_ : float
        R² of the predictions of left-out anchors in the scaled target space, all features together:
        what to expect of new rows. At most 1; 0 is what the mean achieves. With
        ``restore_variance`` it is that after multiplying all predictions by the best common factor.

    alphas_ : array of shape (n_alphas,)
        The strengths compared.

    scores_ : array of shape (n_alphas,)
        The R² of each.

    shrink_to_ : {"zero", "procrustes"}
        What the map was shrunk towards.

    restoration_ : array of shape (d_target,)
        What the standard deviation of each target feature of left-out predictions was multiplied
        by, by both steps together; ones without ``restore_variance``.

    singular_values_ : array of shape (d_source,) or fewer
        Of the scaled source anchors, descending.

    rank_ : int
        How many of them are not zero to the rounding of the anchors' dtype.

    condition_number_ : float
        Ratio of the largest to the smallest that is not zero.

    n_anchors_ : int
        Number of anchors used.

    anchor_indices_ : array of shape (n_anchors_,)
        The rows that served as anchors.

    n_features_in_ : int
        The source's dimension.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the source's columns, where X was a DataFrame with string names.

    Raises
    ------
    ValueError
        At fit: for different numbers of rows, fewer than two anchors, values that are not finite,
        and unknown options. At transform: for another number of columns than at fit.
    TypeError
        For sparse input, and for an `n_anchors` or `alpha` that is no number.

    See Also
    --------
    LstsqTranslator : The same without penalty.
    LOrthoTranslator : With ``alpha=None`` the orthogonal map nearest to this one.
    KernelTranslator : For relations that are not linear.

    Notes
    -----
    `partial_fit` gives the same map as `fit` where ``alpha`` is one number,
    ``restore_variance=False`` and ``shrink_to`` is not ``"auto"``. Else it may choose otherwise, or
    restore a slightly different spread, because it judges from the statistics of the batches, and
    makes folds within each batch.

    Equal rows are one item and left out together, so repeating an anchor counts as weighting it.

    Leave-one-out works through all rows for each strength. `partial_fit`, even with a single batch,
    avoids that, and with far more anchors than dimensions chooses much the same strength.

    References
    ----------
    .. [1] D. M. Allen. "The relationship between variable selection and data augmentation and a
       method for prediction". Technometrics 16, 125-127, 1974.
    .. [2] G. H. Golub, M. Heath, G. Wahba. "Generalized cross-validation as a method for choosing
       a good ridge parameter". Technometrics 21, 215-223, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import LstsqTranslator, RidgeTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(160, 50))
    >>> y = X @ rng.normal(size=(50, 30)) + 5 * rng.normal(size=(160, 30))
    >>> ridge = RidgeTranslator(restore_variance=False).fit(X[:60], y[:60])
    >>> ridge.score(X[60:], y[60:]) > LstsqTranslator().fit(X[:60], y[:60]).score(X[60:], y[60:])
    True
    >>> ridge.alpha_ in ridge.alphas_
    True
    """

    _solved_attributes = (
        "coef_",
        "intercept_",
        "alpha_",
        "best_score_",
        "alphas_",
        "scores_",
        "shrink_to_",
        "restoration_",
        "singular_values_",
        "rank_",
        "condition_number_",
    )

    def __init__(
        self,
        *,
        alpha: float | list[float] | None = None,
        shrink_to: str = "zero",
        restore_variance: bool = True,
        covariance_power: float = 0.75,
        fit_intercept: bool = False,
        scaling: Scaling = ("center", "standard"),
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.alpha = alpha
        self.shrink_to = shrink_to
        self.restore_variance = restore_variance
        self.covariance_power = covariance_power
        self.fit_intercept = fit_intercept
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    def _check_parameters(self):
        super()._check_parameters()
        check_option("shrink_to", self.shrink_to, ("zero", "procrustes", "auto"))
        check_option("restore_variance", self.restore_variance, (True, False))
        check_number("covariance_power", self.covariance_power, minimum=0)
        check_option("fit_intercept", self.fit_intercept, (True, False))

    def _summarise(
        self,
        X: Array,
        y: Array,
        weight: Array | None,
        kind: Kind,
        unit_rows: tuple[bool, bool],
    ) -> PairMoments:
        """Also the target's own moments and, where the choice needs them, those of each fold."""
        moments = super()._summarise(X, y, weight, kind, unit_rows)
        swapped = (unit_rows[1], False)
        parts = [PairMoments.from_arrays(y, y[:, :0], weight, kind="gram", unit_rows=swapped)]
        if self.shrink_to != "zero":
            earlier = getattr(self, "_moments", None)  # none on the workers of Dask
            seen = 0 if earlier is None else earlier.n_rows
            unit_X, unit_y = (
                normalize_rows(side)[0] if unit else side for side, unit in zip((X, y), unit_rows)
            )
            fold = striped_folds(unit_X, unit_y, weight, _N_FOLDS, seen)
            parts += _moments_of_folds(X, y, weight, fold, kind, unit_rows)
        return dataclasses.replace(moments, parts=tuple(parts))

    def _target(self, moments):
        """Scaled moments of the target, as if it were the source."""
        target, nothing = self._scaling.target, moments.mean_x[:0]
        return moments.parts[0].scaled(target.shift, target.divisor, nothing, nothing)

    def _target_products(self, moments: PairMoments) -> Array:
        return self._about_offset(self._target(moments)).gram()

    def _regularize(
        self, moments: PairMoments, path: RidgePath, judge: Judge
    ) -> tuple[Array, Array]:
        self.shrink_to_, path, judge, choice = self._choose_start(moments, path, judge)
        total = float(namespace_of(moments.ss_y).sum(self._target(moments).ss_x))
        scores = [float(r2(error, total)) for error in choice.errors]
        self.alpha_, self.best_score_ = choice.alpha, scores[choice.best]
        self.alphas_, self.scores_ = (
            asarray_like(np.asarray(values), moments.ss_y) for values in (choice.alphas, scores)
        )
        self.singular_values_, self.rank_ = path.singular_values, path.rank
        self.condition_number_ = path.condition_number
        plain = path.solution(self.alpha_)
        W = self._restored(plain, moments, judge)
        bias = 0 * moments.mean_y
        if self.fit_intercept:
            bias = moments.mean_y - moments.mean_x @ plain
        # predictions are stretched about their mean, which is 0 where both sides are centred
        return W, bias + moments.mean_x @ (plain - W)

    def _choose_start(self, moments, path, judge):
        """What the map is shrunk towards, with its path, its judge, and strengths compared."""
        choose = functools.partial(self._choose, stretched=self.restore_variance)
        if self.shrink_to != "zero":
            by_zero, by_procrustes = self._judges_by_folds(moments)
            towards = path.towards(scaled_procrustes(moments.second))
            choice = choose(towards, by_procrustes)
            if self.shrink_to == "procrustes" or choice.beats(choose(path, by_zero)):
                return "procrustes", towards, by_procrustes, choice
        return "zero", path, judge, choose(path, judge)

    def _judges_by_folds(self, moments):
        """Judges of both kinds of shrinkage, by folds that the maps were not made of."""
        folds = [self._scaling.apply(part) for part in moments.parts[1:]]
        if not folds:
            raise ValueError(
                f"shrink_to became {self.shrink_to!r} between two batches, but folds were not kept "
                "from the first. Start again with fit."
            )
        folds = [fold for fold in folds if fold.weight > 0]
        # a single item has but itself to be judged by
        folds = folds if len(folds) > 1 else 2 * folds
        zero = FoldJudge.from_folds(folds, self._decompose, centred=self._is_centred())
        return zero, zero.towards(lambda train: scaled_procrustes(train.second))

    def _restored(self, W, moments, judge):
        xp = namespace_of(W)
        if not self.restore_variance:
            self.restoration_ = xp.ones_like(moments.mean_y)
            return W
        found = restoration(
            self._target(moments),
            judge.covariance(self.alpha_),
            power=self.covariance_power,
        )
        self.restoration_ = found.growth
        return found.apply(W)


def _moments_of_folds(X, y, weight, fold, kind, unit_rows):
    xp, parts = namespace_of(X), []
    for k in range(_N_FOLDS):
        rows = np.flatnonzero(fold == k)
        if rows.size:
            index = asarray_like(rows, X, dtype=xp.int64)
            w = None if weight is None else xp.take(weight, index, axis=0)
            part = xp.take(X, index, axis=0), xp.take(y, index, axis=0), w
        else:  # a row without weight
            part = X[:1, :], y[:1, :], asarray_like(np.zeros(1), X, dtype=widest_float(X))
        parts.append(PairMoments.from_arrays(*part, kind=kind, unit_rows=unit_rows))
    return parts
