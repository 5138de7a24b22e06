"""Translators by rotation, in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._array import Array, namespace_of
from ._moments import Kind, PairMoments
from ._orthogonal_base import OrthogonalTranslator
from ._scaling import Scaling
from ._validation import check_option
from .anchors import AnchorSelection
from .solvers.procrustes import least_error_scale, procrustes, rotation


class ProcrustesTranslator(OrthogonalTranslator):
    r"""Translate by the best orthogonal map (*ortho*).

    With X and Y the scaled anchors, solves

    .. math:: \min_W \|X W - Y\|_F^2 \quad\text{subject to W being semi-orthogonal}

    by :math:`W = U V^\top` of the singular value decomposition :math:`X^\top Y = U S V^\top`
    (orthogonal Procrustes, [2]_; *ortho* in Section 3.2 of [1]_). Where the dimensions differ this
    is the solution after zero-padding the smaller space. With ``scale=True`` the map is
    :math:`s\,U V^\top` with the factor of least error,
    :math:`s = \operatorname{tr} S / \|X U V^\top\|_F^2` (a similarity).

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

    Warns
    -----
    AnchorWarning
        At the first use after float32 batches, where directions vary too little for sums in
        float32.

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

    def _kind(self, X: Array) -> Kind:
        return "gram" if self.scale else "cross"

    def _aligned(self, moments: PairMoments) -> PairMoments:
        return moments.about_zero()

    def _estimate(
        self, moments: PairMoments, random_state: Any, limit: float = float("inf")
    ) -> tuple[Array, None]:
        moments = self._aligned(moments)
        W, self._singular_values, self.rank_ = procrustes(
            moments.second, error=moments.error(), limit=limit, in_float32=self._in_float32
        )
        self.scale_ = 1.0
        if self.scale:
            self.scale_ = least_error_scale(moments.second, W)
            W = self.scale_ * W
        return W, None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # a rotation cannot regress a single column
        return tags

    def _pinv(self, W):
        # W = s U Vᵀ on its rank: no decomposition needed.
        return namespace_of(W).matrix_transpose(W) / (self.scale_**2 or 1.0)


class RigidTranslator(OrthogonalTranslator):
    r"""Translate by a rotation and a translation (*rigid*).

    Solves

    .. math:: \min_{R, t} \sum_i \|R x_i + t - y_i\|_2^2

    with R orthogonal: Equations 1 and 2 of [1]_ for the Euclidean group E(n), by centring and
    orthogonal Procrustes; with ``allow_reflection=False`` over rotations alone, det R = +1
    (Kabsch, [2]_). Where the dimensions differ, R is that of the zero-padded spaces, cropped: it
    has orthonormal rows or columns, and the sign of the determinant constrains nothing, for it can
    be chosen in the padded dimensions.

    The map is rigid even where the anchors do not determine it (fewer anchors than dimensions,
    constant columns): what they leave open is turned as little as possible.

    Parameters
    ----------
    allow_reflection : bool, default=True
        Whether R may be a reflection.

    scaling : {"standard", "center", "l2", None} or a pair of them, default="center"
        What is done to both sides (or to source and target) before solving, with statistics of the
        anchors, and undone on the target side. ``"l2"`` divides rows by their norm and multiplies
        the result by the mean norm of the target anchors. The map is rigid in
        raw coordinates for ``"center"`` and None, which do the same: the translation is always
        estimated.

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

    singular_values_ : array of shape (min(d_source, d_target),) or fewer
        Of the centred cross-product of the scaled anchors, descending.

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

    Warns
    -----
    AnchorWarning
        At the first use after float32 batches, where directions vary too little for sums in
        float32.

    See Also
    --------
    ProcrustesTranslator : Without the translation; with the papers' standard scaling.

    References
    ----------
    .. [1] Z. Lähner, M. Moeller. "On the Direct Alignment of Latent Spaces". UniReps 2023,
       Equations 1 and 2.
    .. [2] W. Kabsch. "A solution for the best rotation to relate two sets of vectors". Acta
       Crystallographica A32, 922-923, 1976.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import RigidTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = X @ np.diag([1, 1, -1]) + 5
    >>> np.allclose(RigidTranslator().fit(X, y).transform(X), y)
    True
    >>> rotation = RigidTranslator(allow_reflection=False).fit(X, y).coef_
    >>> round(float(np.linalg.det(rotation)), 6)
    1.0
    """

    _solved_attributes = ("coef_", "intercept_", "singular_values_", "rank_")

    def __init__(
        self,
        *,
        allow_reflection: bool = True,
        scaling: Scaling = "center",
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.allow_reflection = allow_reflection
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    def _check_parameters(self):
        super()._check_parameters()
        check_option("allow_reflection", self.allow_reflection, (True, False))

    def _may_sum_quickly(self):
        # Whether a reflection would fit better can hang on the least singular value, and so more of
        # the map than `expected_error` says.
        return self.allow_reflection

    def _aligned(self, moments: PairMoments) -> PairMoments:
        return moments

    def _estimate(
        self, moments: PairMoments, random_state: Any, limit: float = float("inf")
    ) -> tuple[Array, Array]:
        W, self._singular_values, self.rank_ = rotation(
            moments.second,
            allow_reflection=self.allow_reflection,
            error=moments.error(),
            limit=limit,
            in_float32=self._in_float32,
        )
        return W, moments.mean_y - moments.mean_x @ W

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # a rotation cannot regress a single column
        return tags

    def _pinv(self, W):
        return namespace_of(W).matrix_transpose(W)
