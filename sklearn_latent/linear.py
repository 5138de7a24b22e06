"""Linear translators in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._array import Array, namespace_of
from ._base import LinearTranslator
from ._moments import Kind, PairMoments
from ._scaling import Scaling
from ._validation import check_option
from .anchors import AnchorSelection
from .solvers.least_squares import least_squares
from .solvers.procrustes import procrustes


class ProcrustesTranslator(LinearTranslator):
    r"""Translate by the best orthogonal map (*ortho*).

    With X and Y the scaled anchors, solves

    .. math:: \min_W \|X W - Y\|_F^2 \quad\text{subject to W being semi-orthogonal}

    by :math:`W = U V^\top` of the singular value decomposition :math:`X^\top Y = U S V^\top`
    (orthogonal Procrustes, [2]_; *ortho* in Section 3.2 of [1]_). Where the dimensions differ this
    is the solution after zero-padding the smaller space. With ``scale=True`` the map is
    :math:`s\,U V^\top` with :math:`s = \operatorname{tr} S / \|X\|_F^2` (a similarity).

    Directions in which the anchors say nothing (fewer anchors than dimensions, constant columns)
    are mapped to the target's mean.

    Parameters
    ----------
    scale : bool, default=False
        Also estimate one factor for all directions.

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

    scale_ : float
        The factor s; 1.0 unless ``scale=True``.

    singular_values_ : array of shape (min(d_source, d_target),) or fewer
        Of the cross-product of the scaled anchors, descending.

    rank_ : int
        How many of them are not zero to rounding.

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

    See Also
    --------
    LstsqTranslator : Any linear map; needs more anchors than dimensions.
    AffineTranslator : Any affine map, by gradient descent.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Section 3.2.
    .. [2] J. C. Gower. "Generalized Procrustes analysis". Psychometrika 40, 33-51, 1975.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import ProcrustesTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    >>> y = X @ rotation + 5
    >>> translator = ProcrustesTranslator(scaling="center").fit(X, y)
    >>> np.allclose(translator.transform(X), y)
    True
    >>> np.allclose(translator.inverse_transform(y), X)
    True
    """

    _solved_attributes = ("coef_", "intercept_", "scale_", "singular_values_", "rank_")

    def __init__(
        self,
        *,
        scale: bool = False,
        scaling: Scaling = "standard",
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.scale = scale
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    def _check_parameters(self):
        super()._check_parameters()
        check_option("scale", self.scale, (True, False))

    def _estimate(self, moments: PairMoments, random_state: Any) -> tuple[Array, None]:
        moments = moments.about_zero()
        W, self.singular_values_, self.rank_ = procrustes(moments.second)
        self.scale_ = 1.0
        if self.scale:
            xp = namespace_of(W)
            power = float(xp.sum(moments.ss_x))
            self.scale_ = float(xp.sum(self.singular_values_)) / power if power > 0 else 1.0
        return self.scale_ * W, None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # a rotation cannot regress a single column
        return tags

    def _pinv(self, W):
        # W = s U Vᵀ on its rank: no decomposition needed.
        return namespace_of(W).matrix_transpose(W) / (self.scale_**2 or 1.0)


class LstsqTranslator(LinearTranslator):
    r"""Translate by the linear map of least squares (*linear*).

    With X and Y the scaled anchors, the W of least norm among the solutions of

    .. math:: \min_W \|X W - Y\|_F^2

    (*linear* in Section 3.2 of [1]_; Equation 2 of [2]_ with T in :math:`\mathbb{R}^{n \times n}`,
    which is ``scaling=None``). Best with many anchors; with about as many anchors as source
    dimensions it fits their noise exactly.

    float32 anchors are solved for on their Gram matrix in float64, float64 ones on a QR factor: the
    first is exact enough for the digits that float32 has, the second does not square the condition
    number.

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

    See Also
    --------
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
        # The Gram matrix in float64 keeps cond² × 1e-16, which is below float32's own cond × 6e-8.
        return "gram" if X.dtype == namespace_of(X).float32 else "factor"

    def _estimate(self, moments: PairMoments, random_state: Any) -> tuple[Array, Array | None]:
        if not self.fit_intercept:
            moments = moments.about_zero()
        dtype = self._dtype_like.dtype
        W, self.singular_values_, self.rank_ = least_squares(moments.second, dtype)
        s, rank = self.singular_values_, self.rank_
        self.condition_number_ = float(s[0] / s[rank - 1]) if rank else float("inf")
        bias = moments.mean_y - moments.mean_x @ W if self.fit_intercept else None
        return W, bias
