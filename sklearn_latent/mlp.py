"""Translators that are small neural networks."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from ._array import (
    asarray_like,
    device_of,
    namespace_of,
    to_numpy,
)
from ._base import BaseTranslator
from ._callbacks import CallbackSupportMixin, FitProgress, with_callbacks
from ._device import compute_like, import_torch
from ._host import to_host
from ._scaling import PairScaling, Scaling, parse_scaling
from ._validation import all_or_nothing, check_number, check_option, warn
from .anchors import AnchorSelection, check_selection
from .solvers.mlp import apply, epochs, initial_layers, r2, split
from .solvers.relative import unit_rows


class MLPTranslator(CallbackSupportMixin, BaseTranslator):
    r"""Translate by a network of three linear layers (*stitch*).

    .. math:: F(x) = FC^{d_\text{target}}_w(\operatorname{ReLU}(FC^w_w(\operatorname{ReLU}(
              FC^w_{d_\text{source}}(x)))))

    between the scaled spaces, with hidden width :math:`w = k\,d_\text{source}` (Equation 3 of
    [1]_), trained on the mean squared error by Adam on minibatches. A network can follow a relation
    between the spaces that is not linear, and needs many anchors for it: with few, the linear
    translators generalise better (Section 4.2.2 of [1]_). `fit` needs PyTorch; what was fitted
    loads and transforms without it.

    Parameters
    ----------
    width_factor : float, default=2
        The hidden width in units of d_source, k; the width is rounded and at least 1.

    learning_rate_init : float, default=1e-3
        Step size of Adam.

    batch_size : int, default=64
        Anchors in a minibatch; all of them where there are fewer.

    max_iter : int, default=200
        Number of epochs at most.

    tol : float, default=1e-4
        What counts as an improvement of the loss, or of the validation score.

    early_stopping : bool, default=False
        Hold out anchors, stop when their score no longer improves, and keep the weights that had
        the best score. False: stop when the training loss no longer improves, and keep the last.

    validation_fraction : float in (0, 1), default=0.1
        The share of the anchors that `early_stopping` holds out.

    n_iter_no_change : int, default=10
        Stop when more than this many epochs in a row brought no improvement by `tol`.

    device : {"auto", "cpu", "cuda", "cuda:1", "mps"}, default="auto"
        Where to train. ``"auto"`` is the device of a torch tensor; for all other arrays a CUDA GPU
        where torch sees one, else the CPU.

    verbose : bool, default=False
        Whether to print the loss of each epoch.

    scaling : {"standard", "center", "l2", None} or a pair of them, default="standard"
        What is done to both sides (or to source and target) before training, with statistics of the
        anchors, and undone on the target side. ``"l2"`` divides rows by their norm and multiplies
        the result by the mean norm of the target anchors.

    n_anchors : int, float in (0, 1] or None, default=None
        How many rows of (X, y), or which share of them, to use; None for all.

    anchor_selection : {"uniform", "kmeans", "farthest"} or callable, default="uniform"
        How anchors are chosen, on the source side; see `ProcrustesTranslator`. Used only where
        `n_anchors` is not None.

    random_state : int, RandomState instance or None, default=None
        Seed of, in this order, the anchor selection, the initial weights (``coefs_[0]``,
        ``intercepts_[0]``, ``coefs_[1]`` and so on, as ``torch.nn.Linear`` draws them: uniform in
        ``±1 / sqrt(fan_in)``), the held-out anchors, and the shuffling of each epoch. No global
        random state is used.

    Attributes
    ----------
    coefs_ : list of 3 ndarrays of shape (fan_in, fan_out)
        Weights of the layers, between the scaled spaces.

    intercepts_ : list of 3 ndarrays of shape (fan_out,)
        Offsets of the layers.

    n_iter_ : int
        Number of epochs.

    loss_curve_ : list of float
        The mean squared error of each epoch's minibatches, between the scaled spaces.

    validation_scores_ : list of float or None
        R² of the held-out anchors after each epoch; None without `early_stopping`.

    best_validation_score_ : float or None
        The highest of them, that of the weights kept.

    n_anchors_ : int
        Number of anchors used, those held out included.

    anchor_indices_ : array of shape (n_anchors_,)
        The rows that served as anchors.

    n_features_in_ : int
        The source's dimension.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the source's columns, where X was a DataFrame with string names.

    Raises
    ------
    ValueError
        At fit: for different numbers of rows, fewer than two anchors (or held-out anchors), values
        that are not finite, unknown options, a device that is not there, and a loss that diverges.
        At transform: for another number of columns than at fit.
    TypeError
        For sparse input, for a Dask array at fit, and for a parameter that is no number where one
        is needed.
    ImportError
        At fit, where torch is not installed.

    Warns
    -----
    ConvergenceWarning
        Where there still was improvement when `max_iter` was reached.

    See Also
    --------
    LstsqTranslator : The best affine map of the same loss, in closed form.
    sklearn.neural_network.MLPRegressor : Its stopping rules are those here.

    Notes
    -----
    Optimiser, step size and batch size are those of Section 4.1 of [1]_, which gives no number of
    epochs and no scaling. The loss is that of ``torch.nn.MSELoss``: twice that of `MLPRegressor`.

    scikit-learn's progress callbacks (``set_callbacks``, scikit-learn >= 1.9) report each epoch.

    References
    ----------
    .. [1] Z. Lähner, M. Moeller. "On the Direct Alignment of Latent Spaces". UniReps 2023,
       Section 3.2, Equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import LstsqTranslator, MLPTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = np.abs(X @ rng.normal(size=(2, 3)))
    >>> translator = MLPTranslator(width_factor=8, random_state=0).fit(X, y)
    >>> [coef.shape for coef in translator.coefs_]
    [(2, 16), (16, 16), (16, 3)]
    >>> bool(translator.score(X, y) > 0.95 > LstsqTranslator().fit(X, y).score(X, y))
    True
    """

    def __init__(
        self,
        *,
        width_factor: float = 2,
        learning_rate_init: float = 1e-3,
        batch_size: int = 64,
        max_iter: int = 200,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        device: str = "auto",
        verbose: bool = False,
        scaling: Scaling = "standard",
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.width_factor = width_factor
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.verbose = verbose
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    @all_or_nothing
    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPTranslator:
        """Train the network on paired anchors.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents; row i of X and y is the same item.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows' squared errors, relative to their mean; a row of
            weight 0 is no anchor.

        Returns
        -------
        self : object
            The fitted translator.
        """
        torch = import_torch("MLPTranslator")
        self._check_parameters()
        progress = FitProgress(self, self.max_iter)
        X, y, weight = self._validate_pairs(X, y, sample_weight, reset=True)
        random_state = check_random_state(self.random_state)
        X, y, weight = self._take_anchors(X, y, weight, random_state)
        if weight is not None:  # they are relative, and of any size fit in float32 so
            weight = weight / namespace_of(weight).max(weight)
        self._scaling = to_host(PairScaling.from_rows(X, y, weight, self.scaling)[0])
        # says where the fit was; a view of X would keep all of it alive
        self._home = namespace_of(X).empty((0, 1), dtype=X.dtype, device=device_of(X))
        like = _training_place(self.device, self._home)
        X, y = _scaled(X, self._scaling.source), _scaled(y, self._scaling.target)
        # the caller may have forbidden gradients, and X or y may belong to a graph
        with torch.inference_mode(False), torch.enable_grad():
            rows = tuple(
                None if side is None else asarray_like(side, like).detach()
                for side in (X, y, weight)
            )
            layers = self._train(rows, random_state, progress)
        self.coefs_ = [to_numpy(coef) for coef, _ in layers]
        self.intercepts_ = [to_numpy(intercept) for _, intercept in layers]
        progress.end()
        return self

    def _check_parameters(self):
        parse_scaling(self.scaling)
        for name in ("width_factor", "learning_rate_init"):
            check_number(name, getattr(self, name), minimum=0, strict=True)
        for name in ("batch_size", "max_iter", "n_iter_no_change"):
            check_number(name, getattr(self, name), minimum=1, integer=True)
        check_number("tol", self.tol, minimum=0)
        check_selection(self.anchor_selection)
        check_option("early_stopping", self.early_stopping, (True, False))
        check_number("validation_fraction", self.validation_fraction, minimum=0, strict=True)
        if self.validation_fraction >= 1:
            raise ValueError(f"validation_fraction={self.validation_fraction} must be below 1.")
        compute_like(self.device, np.empty((0, 1)))

    def _take_anchors(self, X, y, weight, random_state):
        """The anchors' rows of X and y, and their weights."""
        xp = namespace_of(X)
        rows = self._choose_anchors(X, weight, random_state)
        if rows is None:
            self.anchor_indices_ = xp.arange(X.shape[0], device=device_of(X))
        else:
            self.anchor_indices_ = rows
            X, y = xp.take(X, rows, axis=0), xp.take(y, rows, axis=0)
            weight = None if weight is None else xp.take(weight, rows, axis=0)
        self.n_anchors_ = X.shape[0]
        self._check_number_of_anchors(self.n_anchors_)
        return X, y, weight

    def _train(self, rows, random_state, progress):
        """The layers, trained on scaled tensors; sets what describes the training."""
        d_source, d_target = rows[0].shape[1], rows[1].shape[1]
        width = max(1, round(self.width_factor * d_source))
        layers = [
            tuple(asarray_like(parameter, rows[0]) for parameter in layer)
            for layer in initial_layers((d_source, width, width, d_target), random_state)
        ]
        held_out = None
        if self.early_stopping:
            rows, held_out = self._split(rows, random_state)
            for part in (rows, held_out):
                if part[2] is not None and not float(part[2].sum()) > 0:
                    raise ValueError(
                        "The rows that were held out for early stopping weigh nothing beside the "
                        "others, or these beside them: turn early_stopping off, or give weights "
                        "that are less unequal."
                    )
        best, best_layers, n_without = -math.inf, layers, 0
        losses, scores = [], []
        steps = epochs(layers, rows, self.batch_size, self.learning_rate_init, random_state)
        for loss in itertools.islice(steps, self.max_iter):
            losses.append(loss)
            if held_out is not None:
                scores.append(r2(layers, held_out))
            self._report(losses, scores)
            value = scores[-1] if scores else -loss
            n_without = 0 if value >= best + self.tol else n_without + 1
            if value > best:
                best = value
                if self.early_stopping:
                    best_layers = [tuple(p.detach().clone() for p in layer) for layer in layers]
            if progress.iteration() or n_without > self.n_iter_no_change:
                break
        else:
            warn(
                f"MLPTranslator stopped after max_iter={self.max_iter} epochs, while there still "
                f"was improvement by tol={self.tol}. Raise max_iter or tol.",
                ConvergenceWarning,
            )
        self.n_iter_, self.loss_curve_ = len(losses), losses
        self.validation_scores_ = scores if self.early_stopping else None
        self.best_validation_score_ = best if self.early_stopping else None
        return best_layers

    def _split(self, rows, random_state):
        """Rows to train on, and rows held out."""
        n_rows = rows[0].shape[0]
        n_held_out = math.ceil(self.validation_fraction * n_rows)
        if not 2 <= n_held_out < n_rows:
            raise ValueError(
                f"early_stopping would hold out {n_held_out} of {n_rows} anchors: it needs at "
                "least 2, and some to train on. Change validation_fraction, or give more rows."
            )
        return split(rows, n_held_out, random_state)

    def _report(self, losses, scores):
        """Print the last epoch's line, and stop where the loss has diverged."""
        if self.verbose:
            score = f", validation score = {scores[-1]:.6f}" if scores else ""
            print(f"Iteration {len(losses)}, loss = {losses[-1]:.8f}{score}")
        if not math.isfinite(losses[-1]):
            raise ValueError(
                f"The loss of MLPTranslator became {losses[-1]} in epoch {len(losses)}. Lower "
                f"learning_rate_init={self.learning_rate_init}, or rescale the latents."
            )

    def _translate(self, X):
        layers = [
            (asarray_like(coef, X), asarray_like(intercept, X))
            for coef, intercept in zip(self.coefs_, self.intercepts_)
        ]
        out = apply(layers, _scaled(X, self._scaling.source))
        out *= asarray_like(self._scaling.target.scale, X)[None, :]
        out += asarray_like(self._scaling.target.shift, X)[None, :]
        return out

    def _fitted_array(self):
        return self._home

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        return tags


def _scaled(rows, side):
    """Rows as `side` scales them, in their own dtype: that of the network."""
    if side.unit:
        return unit_rows(rows)
    shift, scale = asarray_like(side.shift, rows), asarray_like(side.scale, rows)
    return (rows - shift[None, :]) / scale[None, :]


def _training_place(device, home):
    """An empty torch tensor where `device` says, in the dtype of `home`."""
    torch = import_torch("MLPTranslator")
    place = compute_like(device, home if isinstance(home, torch.Tensor) else to_numpy(home))
    return place if isinstance(place, torch.Tensor) else torch.from_numpy(place)
