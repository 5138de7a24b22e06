"""Translators fitted by gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ._array import (
    Array,
    asarray_like,
    contiguous,
    eps_of,
    is_accelerated,
    namespace_of,
)
from ._callbacks import CallbackSupportMixin, FitProgress, with_callbacks
from ._device import compute_like
from ._linear_base import LinearTranslator
from ._moments import Kind, PairMoments
from ._scaling import Scaling
from ._validation import check_number, warn
from .anchors import AnchorSelection
from .solvers.adam import Adam, affine_descent, gradient_without_means, loss_by_moments


class AffineTranslator(CallbackSupportMixin, LinearTranslator):
    r"""Translate by an affine map, found by gradient descent (*affine*).

    With :math:`x_i, y_i` the scaled anchors, descends

    .. math:: L(W, b) = \frac{1}{n\,d_\text{target}} \sum_i \|W x_i + b - y_i\|_2^2

    by full-batch Adam from the initialisation of ``torch.nn.Linear`` (*affine* in Section 3.2 of
    [1]_). The iterates are those of ``torch.optim.Adam`` on ``torch.nn.Linear`` with
    ``torch.nn.MSELoss``; but the gradient is taken of the moments of the anchors, so that a step
    costs the same for 500 anchors as for 500,000, and needs neither torch nor differentiation.
    Computed by torch on the CPU or a CUDA GPU, the update is torch's own fused Adam, which passes
    over the map once. On a CPU it depends on the processor whether that is faster than NumPy: most
    of the time goes into products, for which the two have different libraries.

    Stopping after few steps is part of the method: it keeps the map from fitting noise along
    directions in which the anchors hardly vary.

    Parameters
    ----------
    learning_rate_init : float, default=1e-3
        Step size of Adam.

    max_iter : int, default=300
        Number of steps.

    tol : float, default=0.0
        Stop when a step lowers the loss by less than this (one that raises it goes on). With 0.0
        all `max_iter` steps are taken.

    device : {"auto", "cpu", "cuda", "cuda:1", "mps"}, default="auto"
        Where the steps are computed. ``"auto"`` stays where the input is, except that NumPy arrays
        go to a CUDA GPU where torch sees one. The others are torch's; without torch ``"cpu"`` is
        computed by NumPy, to the same map but for rounding, and the last three are an error. The
        result is where the input is.

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
        Seed of the anchor selection and of the initial weights, which are drawn after it by
        ``uniform(-bound, bound)`` with ``bound = 1 / sqrt(d_source)``, first the (d_target,
        d_source) matrix, then the offset.

    Attributes
    ----------
    coef_ : array of shape (d_target, d_source)
        The folded map: ``transform(X)`` is ``X @ coef_.T + intercept_`` (rows of X normalised
        first where the source's scaling is ``"l2"``).

    intercept_ : array of shape (d_target,)
        The folded offset, in the target's units.

    n_iter_ : int
        Number of steps taken.

    loss_curve_ : list of float
        The loss L before each step, between the scaled spaces.

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
        unknown options, and a device that is not there. At transform: for another number of
        columns than at fit.
    TypeError
        For sparse input, and for a parameter that is no number where one is needed.
    ImportError
        For a `device` that needs torch where it is not installed.

    Warns
    -----
    ConvergenceWarning
        Where `tol` is positive and `max_iter` steps did not reach it.

    See Also
    --------
    LstsqTranslator : The minimum of the same loss, in closed form.
    ProcrustesTranslator : The orthogonal map.

    Notes
    -----
    scikit-learn's progress callbacks (``set_callbacks``, scikit-learn >= 1.9) report each step.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import AffineTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = X @ rng.normal(size=(3, 4)) + 5
    >>> translator = AffineTranslator(learning_rate_init=0.1, random_state=0).fit(X, y)
    >>> translator.n_iter_
    300
    >>> bool(translator.loss_curve_[-1] < 1e-6)
    True
    """

    _solved_attributes = ("coef_", "intercept_", "n_iter_", "loss_curve_")

    def __init__(
        self,
        *,
        learning_rate_init: float = 1e-3,
        max_iter: int = 300,
        tol: float = 0.0,
        device: str = "auto",
        scaling: Scaling = "standard",
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.device = device
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> AffineTranslator:
        """Estimate the map from paired anchors.

        Parameters
        ----------
        X : array-like or Dask array of shape (n_samples, d_source)
            Source latents. Dask arrays are summarised block by block.
        y : array-like or Dask array of shape (n_samples, d_target) or (n_samples,)
            Target latents; row i of X and y is the same item.
        sample_weight : array-like or Dask array of shape (n_samples,), default=None
            Non-negative weights; a weight of k counts as k repetitions of the row. They do
            not change which rows `n_anchors` chooses.

        Returns
        -------
        self : object
            The fitted translator.
        """
        self._check_parameters()
        self._progress = FitProgress(self, self.max_iter)
        try:
            super().fit(X, y, sample_weight)
            self._progress.end()
        finally:
            del self._progress
        return self

    def _check_parameters(self):
        super()._check_parameters()
        check_number("learning_rate_init", self.learning_rate_init, minimum=0, strict=True)
        check_number("max_iter", self.max_iter, minimum=1, integer=True)
        check_number("tol", self.tol, minimum=0)
        compute_like(self.device, np.empty((0, 1)))

    def _kind(self, X: Array) -> Kind:
        return "gram"

    def _estimate(self, moments: PairMoments, random_state: Any) -> tuple[Array, Array]:
        like = compute_like(self.device, self._dtype_like)
        d_source, d_target = moments.mean_x.shape[0], moments.mean_y.shape[0]
        bound = d_source**-0.5
        weight = asarray_like(random_state.uniform(-bound, bound, (d_target, d_source)), like)
        bias = asarray_like(random_state.uniform(-bound, bound, d_target), like)
        # In float32 a small loss would be rounding. On a GPU it would have to be waited for.
        xp, home = namespace_of(moments.mean_x), moments.mean_x
        wider = eps_of(home.dtype, home) < eps_of(like.dtype, like)
        exact_loss = loss_by_moments(moments) if wider and not is_accelerated(like) else None
        self._descend(weight, bias, moments.about_zero(), like, exact_loss)
        return xp.matrix_transpose(asarray_like(weight, home)), asarray_like(bias, home)

    def _descend(self, weight, bias, moments, like, exact_loss):
        """Run Adam in place on `weight` and `bias`; sets `n_iter_` and `loss_curve_`."""
        xp, total = namespace_of(moments.mean_x), moments.weight
        # What rounding left of a centred column is no mean, and would cost a pass in each step.
        negligible = eps_of(like.dtype, like) * xp.sqrt(moments.ss_x / total)
        is_mean = xp.abs(moments.mean_x) > negligible
        mean_x = xp.where(is_mean, moments.mean_x, xp.zeros_like(moments.mean_x))
        factor = 2 / (bias.shape[0] * total)
        cross = asarray_like(xp.matrix_transpose(moments.second.xy) * factor, like)
        cross = contiguous(cross)
        steps = affine_descent(
            weight,
            bias,
            gradient_without_means(moments.second, cross, factor),
            cross,
            asarray_like(mean_x, like),
            asarray_like(moments.mean_y, like),
            asarray_like(xp.sum(moments.ss_y) / total, like),
            Adam(self.learning_rate_init),
            exact_loss,
        )
        progress = getattr(self, "_progress", None)
        losses, converged = [], self.tol == 0
        for loss in steps:
            losses.append(loss)
            # Reading a loss waits for the GPU: only where it decides something.
            if self.tol > 0 and len(losses) > 1:
                converged = 0 <= float(losses[-2]) - float(loss) < self.tol
            asked_to_stop = progress is not None and progress.iteration()
            if len(losses) == self.max_iter or (self.tol > 0 and converged) or asked_to_stop:
                break
        self.loss_curve_ = [float(loss) for loss in losses]
        self.n_iter_ = len(losses)
        if not converged and not asked_to_stop:
            warn(
                f"AffineTranslator stopped after max_iter={self.max_iter} steps, before a step "
                f"lowered the loss by less than tol={self.tol}. Raise max_iter or tol.",
                ConvergenceWarning,
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # 300 small steps from a random map regress only data of unit scale
        tags.regressor_tags.poor_score = True
        return tags
