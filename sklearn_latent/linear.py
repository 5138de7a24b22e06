"""Translators by least squares, in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._array import Array, namespace_of
from ._linear_base import LinearTranslator
from ._moments import Kind, PairMoments, accurate_kind
from ._regularized import RegularizedTranslator
from ._scaling import Scaling
from ._validation import check_option, warn
from .anchors import AnchorSelection
from .exceptions import AnchorWarning
from .solvers.procrustes import polar_factor
from .solvers.ridge import Judge, RidgePath

# Anchors over source dimensions: within this range the noise of the anchors is more than doubled.
_PEAK = (0.67, 1.5)


class LstsqTranslator(LinearTranslator):
    r"""Translate by the linear map of least squares (*linear*).

    With X and Y the scaled anchors, the W of least norm among the solutions of

    .. math:: \min_W \|X W - Y\|_F^2

    (*linear* in Section 3.2 of [1]_; Equation 2 of [2]_ with T in :math:`\mathbb{R}^{n \times n}`,
    which is ``scaling=None``). Best with many anchors; with about as many anchors as source
    dimensions it fits their noise exactly.

    float32 anchors are solved for on their Gram matrix in float64, float64 ones on a QR factor: the
    first is exact enough for the digits that float32 has, the second does not square the condition
    number. Directions that are no more than the rounding of the anchors are left out.

    Parameters
    ----------
    fit_intercept : bool, default=False
        Add an offset to the map between the scaled spaces. It is zero where both sides are centred
        by `scaling`, so this matters only for ``scaling=None`` and ``"l2"``.

    scaling : {"standard", "center", "l2", None} or a pair of them, default="standard"
        What is done to both sides (or to source and target) before solving, with statistics of the
        anchors, and undone on the target side. ``"l2"`` divides rows by their norm and multiplies
        the result by the mean norm of the target anchors.

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
        For sparse input, and for an `n_anchors` that is no number.

    Warns
    -----
    AnchorWarning
        Where anchors are about as many as source dimensions, or leave the map undetermined.

    See Also
    --------
    RidgeTranslator : Without the peak at as many anchors as dimensions.
    ProcrustesTranslator : The orthogonal map; steadier with few anchors.
    AffineTranslator : An affine map by gradient descent, which stops short of fitting noise.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Section 3.2.
    .. [2] Z. Lähner, M. Moeller. "On the Direct Alignment of Latent Spaces". UniReps 2023,
       Equations 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import LstsqTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = X @ rng.normal(size=(3, 4)) + 5
    >>> translator = LstsqTranslator().fit(X, y)
    >>> translator.coef_.shape
    (4, 3)
    >>> np.allclose(translator.transform(X), y)
    True
    """

    _solved_attributes = (
        "coef_",
        "intercept_",
        "singular_values_",
        "rank_",
        "condition_number_",
    )

    def __init__(
        self,
        *,
        fit_intercept: bool = False,
        scaling: Scaling = "standard",
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.fit_intercept = fit_intercept
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    def _check_parameters(self):
        super()._check_parameters()
        check_option("fit_intercept", self.fit_intercept, (True, False))

    def _kind(self, X: Array) -> Kind:
        return accurate_kind(X)

    def _estimate(self, moments: PairMoments, random_state: Any) -> tuple[Array, Array | None]:
        if not self.fit_intercept:
            moments = moments.about_zero()
        path = RidgePath.from_moments(moments.second, self._column_norms(), self._dtype_like.dtype)
        W, self.singular_values_, self.rank_ = path.solution(0.0), path.singular_values, path.rank
        self.condition_number_ = path.condition_number
        self._warn(moments, path)
        bias = moments.mean_y - moments.mean_x @ W if self.fit_intercept else None
        return W, bias

    def _warn(self, moments, path):
        n, d = moments.n_rows, path.v.shape[0]
        # residuals show noise only where anchors are left over
        noisy = n <= d + 1 or _share_of_residuals(moments, path) > 1e-6
        near = _PEAK[0] * d <= n <= _PEAK[1] * d and noisy
        if not near and self.rank_ == d:
            return
        message = f"{n} anchors determine {self.rank_} of {d} source directions. "
        if self.rank_ < d:
            message += "The map of least squares is not unique; this is the one of least norm. "
        if near:
            message += (
                "With about as many anchors as dimensions least squares fits their noise, and is "
                "at its worst (the interpolation peak). "
            )
        if n <= _PEAK[1] * d:
            message += (
                "RidgeTranslator has no such peak, and chooses how far to trust the anchors; or "
                "give more anchors."
            )
        else:
            message += (
                "Other columns are constant or combinations of these, so nothing is lost as long "
                "as they stay so; RidgeTranslator also damps what little they vary."
            )
        warn(message, AnchorWarning)


class LOrthoTranslator(RegularizedTranslator):
    r"""Translate by the orthogonal map nearest to that of least squares (*l-ortho*).

    With X and Y the scaled anchors and :math:`X^+ Y = U S V^\top` the least-squares solution of
    `LstsqTranslator`, the map is :math:`W = U V^\top` (*l-ortho* in Section 3.2 of [1]_), the
    solution of

    .. math:: \min_W \|W - X^+ Y\|_F^2 \quad\text{subject to W being semi-orthogonal}

    With ``alpha`` above zero :math:`X^+ Y` is replaced by the ridge solution
    :math:`(X^\top X + \alpha I)^{-1} X^\top Y`, in which directions that the anchors hardly
    determine are shrunk and so are not noise. `RidgeTranslator` itself is not held to be
    orthogonal.

    It is orthogonal like Procrustes', but every direction of the source counts alike, however
    little the anchors vary along it; directions that the anchors do not determine are mapped to the
    target's mean.

    Parameters
    ----------
    alpha : float, list of float or None, default=0.0
        Strength of the penalty, in the units of the sum of squares of the scaled source anchors; 0
        is the paper's. From a list, or from a grid scaled to the data where None, the one whose
        ridge solution best predicts left-out anchors, as by `RidgeTranslator`.

    scaling : {"standard", "center", "l2", None} or a pair of them, default="standard"
        What is done to both sides (or to source and target) before solving, with statistics of the
        anchors, and undone on the target side. ``"l2"`` divides rows by their norm and multiplies
        the result by the mean norm of the target anchors.

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
        The strength used.

    singular_values_ : array of shape (min(d_source, d_target),)
        Of the solution that was made orthogonal (least squares, or ridge where `alpha_` > 0),
        descending.

    rank_ : int
        Rank of that solution: how many of the singular values are not zero to rounding.

    condition_number_ : float
        Of the scaled source anchors.

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
    LstsqTranslator : The map that this one is nearest to.
    RidgeTranslator : The map that this one is nearest to where `alpha` is above zero.
    ProcrustesTranslator : The orthogonal map of least error.

    Notes
    -----
    `partial_fit` gives the same map as `fit` where ``alpha`` is one number. Else it chooses the
    strength from the statistics of the batches instead of by leaving rows out, and may choose
    another.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import LOrthoTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    >>> translator = LOrthoTranslator(scaling="center").fit(X, X @ rotation + 5)
    >>> np.allclose(translator.coef_, rotation.T)
    True
    """

    _solved_attributes = (
        "coef_",
        "intercept_",
        "alpha_",
        "singular_values_",
        "rank_",
        "condition_number_",
    )

    def __init__(
        self,
        *,
        alpha: float | list[float] | None = 0.0,
        scaling: Scaling = "standard",
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.alpha = alpha
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    def _regularize(
        self, moments: PairMoments, path: RidgePath, judge: Judge
    ) -> tuple[Array, None]:
        alphas = self._alphas(path)
        if len(alphas) > 1:
            alphas = [self._choose(path, judge, stretched=True).alpha]
        self.alpha_ = alphas[0]
        self.condition_number_ = path.condition_number
        W, self.singular_values_, self.rank_ = polar_factor(
            path.solution(self.alpha_), self._dtype_like.dtype
        )
        return W, None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # a rotation cannot regress a single column
        return tags

    def _pinv(self, W):
        return namespace_of(W).matrix_transpose(W)


def _share_of_residuals(moments: PairMoments, path: RidgePath) -> float:
    """What part of the target's squares least squares leaves."""
    xp = namespace_of(path.g)
    total = float(xp.sum(moments.ss_y))
    return 1 - float(xp.sum(path.g**2)) / total if total > 0 else 0.0
