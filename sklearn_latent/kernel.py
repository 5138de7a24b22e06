"""Ridge in the feature space of a kernel: for relations that are not linear."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.utils import check_random_state

from ._array import asarray_like, to_numpy
from ._base import BaseTranslator
from ._kernels import Kernel, KernelFunction, check_gamma, check_kernel
from ._moments import PairMoments, row_blocks
from ._scaling import PairScaling, Scaling, parse_scaling
from ._validation import all_or_nothing, check_alpha, check_number, check_option
from .anchors import AnchorSelection, check_selection
from .solvers.items import item_weights
from .solvers.kernel import (
    Anchors,
    check_semi_definite,
    exact_problem,
    nystroem_problem,
    search,
)
from .solvers.restoration import restoration
from .solvers.ridge import r2


class KernelTranslator(BaseTranslator):
    r"""Translate by kernel ridge regression: for relations that are not linear (*kernel*).

    With :math:`x_i, y_i` the scaled anchors, solves

    .. math:: \min_{f, b} \sum_i \|f(x_i) + b - y_i\|^2 + \alpha \|f\|_{\mathcal{H}}^2

    over the functions f of the space :math:`\mathcal{H}` that the kernel spans ([1]_); the offset b
    is free of penalty. The default kernel is :math:`k(a, b) = \exp(-\gamma \|a - b\|^2)`. With a
    small :math:`\gamma` its f are nearly linear, so that `RidgeTranslator` is among what is
    compared; the larger it is, the more f may bend from one anchor to the next.

    Bandwidth and strength are chosen by how well each anchor is predicted from all others, exactly
    and for all strengths from one eigendecomposition for each bandwidth. Then, as in
    `RidgeTranslator`, ``restore_variance`` gives predictions the spread back that shrinking took,
    and makes the choice by direction.

    Parameters
    ----------
    kernel : {"rbf", "laplacian", "linear"} or callable, default="rbf"
        :math:`\exp(-\gamma \|a - b\|_2^2)`, :math:`\exp(-\gamma \|a - b\|_1)`, the inner product,
        or a function of two arrays of scaled rows (n_a, d_source), (n_b, d_source) that returns
        their kernels (n_a, n_b), such as those of `sklearn.gaussian_process.kernels`.

    gamma : float, list of float or None, default=None
        :math:`\gamma`, in units of one over the distance in the exponent; a list to choose from; or
        None to choose from powers of 2 times the inverse of the anchors' mean distance, from 1/128
        to 128. Used only with ``"rbf"`` and ``"laplacian"``.

    alpha : float, list of float or None, default=None
        Strength of the penalty, in the units of the eigenvalues of the anchors' kernel matrix; a
        list to choose from; or None to choose from a grid that is scaled to those.

    n_components : int, default=2000
        The number of anchors up to which f is exact. With more of them, f is a sum of kernels with
        this many landmarks, drawn at random from the anchors, and :math:`\mathcal{H}` is what those
        span (Nyström, [2]_, by `sklearn.kernel_approximation.Nystroem`). All anchors still take
        part in the sum of squares and in the choice.

    restore_variance : bool, default=True
        Whether predictions get back the spread that shrinking took.

    covariance_power : float, default=0.75
        How much of its spread each principal axis of the target gets back before the features do: 0
        for features alone, 1 for all. Used only with ``restore_variance``.

    scaling : {"standard", "center", "l2", None} or a pair of them, default=("center", "standard")
        What is done to both sides (or to source and target) before solving, with statistics of the
        anchors, and undone on the target side. ``"l2"`` divides rows by their norm and multiplies
        the result by the mean norm of the target anchors. On the source side, ``"center"`` and None
        are the same to the kernels that have a name here.

    n_anchors : int, float in (0, 1] or None, default=None
        How many rows of (X, y), or which share of them, to use; None for all.

    anchor_selection : {"uniform", "kmeans", "farthest"} or callable, default="uniform"
        How anchors are chosen, on the source side: at random, the rows nearest to k-means centres,
        by greedy farthest-point sampling, or by a function ``(X, n_anchors, random_state)`` that
        returns row indices. Used only where `n_anchors` is not None.

    random_state : int, RandomState instance or None, default=None
        Seed of the anchor selection, and then of the landmarks.

    Attributes
    ----------
    landmarks_ : ndarray of shape (n_landmarks, d_source)
        The rows that f is a sum of kernels with, in the scaled source space (about the mean, for
        kernels that have a name): all anchors where there are no more than `n_components`.

    dual_coef_ : ndarray of shape (n_landmarks, d_target)
        The coefficients of those kernels, in the target's units.

    intercept_ : ndarray of shape (d_target,)
        The offset: ``transform(X)`` is ``k(X_scaled, landmarks_) @ dual_coef_ + intercept_``.

    gamma_ : float or None
        The bandwidth chosen; None for a kernel without.

    alpha_ : float
        The strength chosen.

    best_score_ : float
        R² of the predictions of left-out anchors in the scaled target space, all features together:
        what to expect of new rows. At most 1; 0 is what the mean achieves. With
        ``restore_variance`` it is that after multiplying all predictions by the best common factor.

    gammas_ : ndarray of shape (n_candidates,)
        The bandwidths compared, each with several strengths; NaN for a kernel without.

    alphas_ : ndarray of shape (n_candidates,)
        The strengths compared with them.

    scores_ : ndarray of shape (n_candidates,)
        The R² of each.

    restoration_ : ndarray of shape (d_target,)
        What the standard deviation of each target feature of left-out predictions was multiplied
        by; ones without ``restore_variance``.

    n_anchors_ : int
        Number of anchors used.

    anchor_indices_ : ndarray of shape (n_anchors_,)
        The rows that served as anchors.

    n_features_in_ : int
        The source's dimension.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the source's columns, where X was a DataFrame with string names.

    Raises
    ------
    ValueError
        At fit: for different numbers of rows, fewer than two anchors, values that are not finite,
        unknown options, and a kernel that is not positive semi-definite. At transform: for another
        number of columns than at fit.
    TypeError
        For sparse input, for a Dask array at fit, and for a numeric parameter that is not a number
        (`n_components`: not an integer).

    See Also
    --------
    RidgeTranslator : For linear relations; much cheaper, and takes streams.
    MLPTranslator : A network, for very many anchors.
    sklearn.kernel_ridge.KernelRidge : One bandwidth and strength, without an offset.

    Notes
    -----
    With n anchors, ``gamma=None`` costs 7 eigendecompositions of an (n, n) matrix, and the
    comparison of strengths some 70 products of it with the target: about n³ and n² d_target
    operations each. Beyond `n_components`, m, that is m³ and n m (m + d_target), and memory holds
    blocks of rows. Translating a row costs n_landmarks (d_source + d_target); rows are worked on in
    blocks.

    The computation is NumPy's, in float64, on the host. Arrays of other libraries are accepted
    under scikit-learn's ``array_api_dispatch``, and results are returned where the input lies.

    Equal rows are one item and left out together, so repeating an anchor counts as weighting it.
    With landmarks this holds except that the random choice of landmarks may differ.

    The map has no inverse. For the other direction, fit one with X and y exchanged.

    References
    ----------
    .. [1] C. Saunders, A. Gammerman, V. Vovk. "Ridge regression learning algorithm in dual
       variables". ICML 1998.
    .. [2] C. Williams, M. Seeger. "Using the Nyström method to speed up kernel machines".
       NeurIPS 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import KernelTranslator, RidgeTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 3))
    >>> y = np.tanh(2 * X @ rng.normal(size=(3, 4))) + 0.1 * rng.normal(size=(300, 4))
    >>> translator = KernelTranslator().fit(X[:200], y[:200])
    >>> ridge = RidgeTranslator().fit(X[:200], y[:200])
    >>> bool(translator.score(X[200:], y[200:]) > 0.9 > ridge.score(X[200:], y[200:]))
    True
    >>> translator.dual_coef_.shape
    (200, 4)
    """

    def __init__(
        self,
        kernel: Kernel = "rbf",
        *,
        gamma: float | list[float] | None = None,
        alpha: float | list[float] | None = None,
        n_components: int = 2000,
        restore_variance: bool = True,
        covariance_power: float = 0.75,
        scaling: Scaling = ("center", "standard"),
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.kernel = kernel
        self.gamma = gamma
        self.alpha = alpha
        self.n_components = n_components
        self.restore_variance = restore_variance
        self.covariance_power = covariance_power
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> KernelTranslator:
        """Estimate the map from paired anchors.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents; row i of X and y is the same item.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of k counts as k repetitions of the row. They do
            not change which rows `n_anchors` chooses.

        Returns
        -------
        self : object
            The fitted translator.
        """
        self._check_parameters()
        X, y, weight = self._validate_pairs(X, y, sample_weight, reset=True)
        random_state = check_random_state(self.random_state)
        X, y, weight = self._take_anchors(X, y, weight, random_state)
        self._scaling = self._estimate_scaling(X, y, weight)
        n_items, together = item_weights(X, y, weight)
        rows, y = self._scaling.rows(X, y)
        target = PairMoments.from_arrays(y, y[:, :0], weight, kind="gram")
        anchors = Anchors(y - target.mean_x, weight, together, n_items)
        is_exact = rows.shape[0] <= self.n_components
        self._kernel = KernelFunction(self.kernel, less_one=is_exact)
        if is_exact:
            self.landmarks_ = rows
            problem_of, distance = self._exact(anchors)
        else:
            chosen = random_state.permutation(rows.shape[0])[: self.n_components]
            self.landmarks_ = rows[chosen]
            problem_of, distance = self._nystroem(rows, anchors, chosen)
        alphas = None if self.alpha is None else np.atleast_1d(self.alpha).astype(float).tolist()
        stretched = self.restore_variance
        found = search(problem_of, self._gammas(distance), alphas, stretched=stretched)
        self._keep(found, target)
        return self

    def _check_parameters(self):
        parse_scaling(self.scaling)
        check_selection(self.anchor_selection)
        check_kernel(self.kernel)
        check_gamma(self.gamma)
        check_alpha(self.alpha)
        check_number("n_components", self.n_components, minimum=1, integer=True)
        check_option("restore_variance", self.restore_variance, (True, False))
        check_number("covariance_power", self.covariance_power, minimum=0)

    def _take_anchors(self, X, y, weight, random_state):
        """The anchors' rows of X and y, and their weights, on the host."""
        chosen = self._choose_anchors(X, weight, random_state)
        X, y = to_numpy(X), to_numpy(y)
        weight = None if weight is None else to_numpy(weight)
        if chosen is None:
            self.anchor_indices_ = np.arange(X.shape[0])
        else:
            self.anchor_indices_ = rows = to_numpy(chosen)
            X, y, weight = X[rows], y[rows], None if weight is None else weight[rows]
        self.n_anchors_ = X.shape[0]
        self._check_number_of_anchors(self.n_anchors_)
        return X, y, weight

    def _estimate_scaling(self, X, y, weight):
        """What `scaling` asks for; the source about its mean, wherever the kernel ignores that."""
        scaling, moments = PairScaling.from_rows(X, y, weight, self.scaling)
        if callable(self.kernel):
            return scaling
        # else distances of rows far from 0 would lose digits
        about_mean = dataclasses.replace(scaling.source, shift=moments.mean_x)
        return dataclasses.replace(scaling, source=about_mean)

    def _exact(self, anchors):
        """What makes a problem of a bandwidth, and the anchors' mean distance."""
        compared = self._kernel.compare(self.landmarks_, self.landmarks_)

        def problem_of(gamma):
            return exact_problem(self._kernel.values(compared, gamma), anchors)

        return problem_of, _mean_distance(compared, anchors.weight)

    def _nystroem(self, rows, anchors, chosen):
        """The same in the span of the landmarks."""
        landmarks = self.landmarks_
        compared = self._kernel.compare(landmarks, landmarks)

        def kernels(gamma):
            for part in row_blocks(len(rows), len(landmarks) + rows.shape[1]):
                yield self._kernel.values(self._kernel.compare(rows[part], landmarks), gamma), part

        def problem_of(gamma):
            K = self._kernel.values(compared, gamma)
            if callable(self.kernel):
                check_semi_definite(K)
            # the seed permutes features only
            basis = Nystroem(kernel="precomputed", n_components=len(K), random_state=0).fit(K)
            return nystroem_problem(lambda: kernels(gamma), basis.normalization_.T, anchors)

        weight = None if anchors.weight is None else anchors.weight[chosen]
        return problem_of, _mean_distance(compared, weight)

    def _gammas(self, mean_distance):
        if not self._kernel.has_gamma:
            return [np.nan]
        if self.gamma is None:
            return 1 / mean_distance if mean_distance > 0 else 1.0
        return [float(gamma) for gamma in np.atleast_1d(self.gamma)]

    def _keep(self, found, target):
        """Set what `search` found, in the target's units."""
        problem, best, side = found.problem, found.best, self._scaling.target
        table = np.array([dataclasses.astuple(candidate) for candidate in found.candidates])
        self.gammas_, self.alphas_, errors = np.ascontiguousarray(table.T)
        total = float(np.sum(target.ss_x))
        self.scores_, self.best_score_ = r2(errors, total), float(r2(best.error, total))
        self.gamma_, self.alpha_ = best.gamma if self._kernel.has_gamma else None, best.alpha
        W = problem.path.solution(best.alpha)
        self.restoration_ = np.ones(W.shape[1])
        if self.restore_variance:
            restored = restoration(
                target,
                problem.judge.covariance(best.alpha),
                power=self.covariance_power,
            )
            W, self.restoration_ = restored.apply(W), restored.growth
        dual, offset = problem.dual(W)
        self.dual_coef_ = dual * side.scale
        self.intercept_ = side.shift + side.scale * (target.mean_x + offset)

    def _translate(self, X):
        n_landmarks, d_source = self.landmarks_.shape
        dtype = np.float32 if "32" in str(X.dtype) else np.float64
        out = np.empty((X.shape[0], self._n_features_out), dtype=dtype)
        for part in row_blocks(X.shape[0], n_landmarks + d_source):
            rows = self._scaling.source.apply(to_numpy(X[part, :]))
            K = self._kernel.values(self._kernel.compare(rows, self.landmarks_), self.gamma_)
            out[part] = K @ self.dual_coef_ + self.intercept_
        return asarray_like(out, X)


def _mean_distance(compared, weight):
    """The weighted mean over pairs, (n, n)."""
    w = np.ones(len(compared)) if weight is None else weight / np.max(weight)
    share = w / np.sum(w)
    return float(share @ compared @ share)
