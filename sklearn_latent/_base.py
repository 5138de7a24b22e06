"""`BaseTranslator`: what all translators share; `LinearTranslator`: moments → solve → fold."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MultiOutputMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.utils import assert_all_finite, check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ._affine_map import AffineMap
from ._array import (
    Array,
    accepted_dtypes,
    asarray_like,
    device_of,
    fits_in,
    is_dask,
    is_numpy,
    namespace_of,
    nonzero,
    refuse_dask,
    row_norms,
    to_host,
    to_numpy,
    vanishes,
    without_graph,
)
from ._fit_blocks import FitBlocksMixin
from ._moments import Kind, PairMoments
from ._scaling import PairScaling, parse_scaling
from ._validation import check_place, check_weights, column_names
from .anchors import check_selection, count_anchors, select_anchors
from .distributed import map_blocks
from .solvers.rank import pinv


class BaseTranslator(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MultiOutputMixin,
    RegressorMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """A transformer and multi-output regressor from source latents X to target latents y."""

    @abstractmethod
    def fit(self, X: Any, y: Any) -> BaseTranslator:
        """Estimate the map from X to y."""

    @abstractmethod
    def _translate(self, X: Array) -> Array:
        """Map validated X to the target's coordinates, (n_samples, d_target)."""

    def transform(self, X: Any) -> Array:
        """Translate source latents into the target's coordinates.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.

        Returns
        -------
        array of shape (n_samples, d_target)
            In the target's raw coordinates and the dtype of X, on the device of X; a Dask array is
            translated block by block when the result is computed.
        """
        if is_dask(X):
            return self._map_blocks("transform", X)
        return self._translate(self._validate_source(X, "transform"))

    def predict(self, X: Any) -> Array:
        """The same map as `transform`; one-dimensional where `y` was so at fit.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.

        Returns
        -------
        array of shape (n_samples, d_target) or (n_samples,)
            Translated latents.
        """
        if is_dask(X):
            return self._map_blocks("predict", X)
        translated = self._translate(self._validate_source(X, "predict"))
        return translated[:, 0] if self._y_is_1d else translated

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination R² of `predict`, a mean over the target's columns.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            The target latents that they should become.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        float
            1 at best; 0 for a constant that predicts the mean of y.
        """
        refuse_dask(X, y)
        return super().score(X, y, sample_weight)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the output columns: the target's own if `y` was a DataFrame.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Only used to validate against the names seen at fit.

        Returns
        -------
        ndarray of str objects
            One name for each target dimension.
        """
        generic = super().get_feature_names_out(input_features)
        return generic if self._target_names is None else self._target_names

    def _validate_source(self, X, method):
        check_is_fitted(self)
        X = without_graph(X)
        finite = not self._examines_parts(X)
        X = validate_data(self, X, dtype=accepted_dtypes(X), ensure_all_finite=finite, reset=False)
        check_place(self, self._fitted_array(), X, method)
        return X

    def _examines_parts(self, X):
        """Whether `_translate` itself looks for values of X that are not finite."""
        return False

    def _validate_target(self, y):
        """Target latents (n, d_target) to map back."""
        y, one_column = without_graph(y), self._n_features_out == 1
        y = check_array(
            y, dtype=accepted_dtypes(y), ensure_2d=not one_column, input_name="y", estimator=self
        )
        check_place(self, self._fitted_array(), y, "inverse_transform")
        y = y[:, None] if y.ndim == 1 else y
        if y.shape[1] != self._n_features_out:
            raise ValueError(
                f"y has {y.shape[1]} columns, but {type(self).__name__} is expecting "
                f"{self._n_features_out}, the target's dimension, as input."
            )
        return y

    def _map_blocks(self, method, X):
        # workers need neither what only fitting needs, nor names, of which blocks have none
        leave_out = ("_moments", "_anchor_indices", "feature_names_in_")
        return map_blocks(self, method, X, leave_out=leave_out)

    def _fitted_array(self):
        """An array whose library and device are those of the fit; NumPy may follow any input."""
        return np.empty(0)

    def _validate_pairs(self, X, y, sample_weight, *, reset, in_stream=False, finite_later=False):
        """X (n, d_source), y (n, d_target) and weights, on X's device, in float32 or float64.

        `finite_later` leaves values that are not finite to the caller.
        """
        X, y = without_graph(X), without_graph(y)
        x_params = {"dtype": accepted_dtypes(X), "ensure_all_finite": not finite_later}
        y_params = {"dtype": accepted_dtypes(y), "ensure_all_finite": not finite_later}
        y_params["ensure_2d"] = False
        names = column_names(y)
        X, y = validate_data(self, X, y, reset=reset, validate_separately=(x_params, y_params))
        if X.shape[0] != y.shape[0]:
            raise ValueError(
                f"X has {X.shape[0]} rows and y has {y.shape[0]}: row i of both must be the same "
                "item. Pass the two encodings of one set of items."
            )
        is_1d = y.ndim == 1
        y = asarray_like(y, X, dtype=y.dtype if namespace_of(y) is namespace_of(X) else X.dtype)
        y = y[:, None] if is_1d else y
        self._check_target_dimension(y.shape[1], reset)
        weight = check_weights(sample_weight, X, allow_all_zero=in_stream)
        self._check_target_names(names, reset)
        if reset:
            self._n_features_out, self._y_is_1d = y.shape[1], is_1d
        return X, y, weight

    def _check_target_dimension(self, n_columns, reset):
        if not reset and n_columns != self._n_features_out:
            raise ValueError(
                f"y has {n_columns} columns, but {type(self).__name__} has seen "
                f"{self._n_features_out} so far: every batch needs the same target dimension."
            )

    def _check_target_names(self, names, reset):
        if reset:
            self._target_names = names
        elif _differ(names, self._target_names):
            raise ValueError(
                "The columns of y are not those of the first batch, in this order: "
                f"{list(self._target_names)}."
            )

    def _choose_anchors(self, X, weight, random_state):
        """Indices of the anchors, or None for all rows. A row of weight 0 is never one."""
        candidates = None if weight is None else np.flatnonzero(to_numpy(weight) > 0)
        if candidates is not None and candidates.size == X.shape[0]:
            candidates = None
        n_samples = X.shape[0] if candidates is None else candidates.size
        n_anchors = count_anchors(self.n_anchors, n_samples)
        if self.n_anchors is None:
            indices = candidates
        else:
            rows = to_numpy(X)
            rows = rows if candidates is None else rows[candidates]
            indices = select_anchors(rows, n_anchors, self.anchor_selection, random_state)
            indices = indices if candidates is None else candidates[indices]
        if indices is None:
            return None
        return asarray_like(indices, X, dtype=namespace_of(X).int64)

    def __getstate__(self):
        # Arrays go to the host, so that what was fitted on a GPU loads where there is none.
        return {key: to_host(value) for key, value in super().__getstate__().items()}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class LinearTranslator(FitBlocksMixin, BaseTranslator):
    """A translator that depends on its anchors through their `PairMoments` alone.

    A subclass overrides `_estimate`, and `_kind` to say which moments it needs.
    """

    # Attributes that solving sets; `partial_fit` leaves them to their first use.
    _solved_attributes: tuple[str, ...] = ("coef_", "intercept_")

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearTranslator:
        """Estimate the map from paired anchors.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents; row i of X and y is the same item.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of k counts as k repetitions of the row.

        Returns
        -------
        self : object
            The fitted translator.
        """
        self._check_parameters()
        if any(map(is_dask, (X, y, sample_weight))):
            return self._fit_blocks(X, y, sample_weight)
        X, y, weight = self._validate_pairs(
            X, y, sample_weight, reset=True, finite_later=self.n_anchors is None
        )
        random_state = check_random_state(self.random_state)
        indices, n_rows = self._choose_anchors(X, weight, random_state), X.shape[0]
        if indices is not None:
            xp = namespace_of(X)
            X, y = xp.take(X, indices, axis=0), xp.take(y, indices, axis=0)
            weight = None if weight is None else xp.take(weight, indices, axis=0)
        self._moments = None
        self._accumulate(X, y, weight)
        self._anchor_indices, self._n_seen = indices, n_rows
        self._solve(random_state, (X, y, weight))
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearTranslator:
        """Add a batch of paired anchors to those seen so far.

        Exact: the map is that of one `fit` on all rows, in whatever batches they came. All rows of
        positive weight are anchors (`n_anchors` is not used), and ``anchor_indices_`` counts them
        as they came. The map is solved for at its first use after a batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents; row i of X and y is the same item.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The translator.
        """
        self._check_parameters()
        first = getattr(self, "_moments", None) is None
        if any(map(is_dask, (X, y, sample_weight))):
            return self._partial_fit_blocks(X, y, sample_weight, first)
        X, y, weight = self._validate_pairs(
            X, y, sample_weight, reset=first, in_stream=True, finite_later=True
        )
        if first:
            self._moments, self._anchor_indices, self._n_seen = None, None, 0
        self._accumulate(X, y, weight)
        fresh = None if weight is None else np.flatnonzero(to_numpy(weight) > 0)
        self._count_anchors(X.shape[0], fresh)
        self._forget_solution()
        return self

    def _forget_solution(self):
        for name in self._solved_attributes:
            self.__dict__.pop(name, None)
        self._unsolved = True

    def inverse_transform(self, y: Any) -> Array:
        """Map target latents back to the source by the pseudo-inverse of the map.

        After `transform` it is the identity where the map loses nothing: a map of full rank with
        d_source <= d_target, and no row normalisation.

        Parameters
        ----------
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents.

        Returns
        -------
        array of shape (n_samples, d_source)
            In the source's raw coordinates and the dtype of y.
        """
        if is_dask(y):
            return self._map_blocks("inverse_transform", y)
        check_is_fitted(self)
        y = self._validate_target(y)
        return self._backward_map().apply(y, _norms_to_divide_by if self._scaling.unit_y else None)

    @abstractmethod
    def _estimate(
        self, moments: PairMoments, random_state: np.random.RandomState
    ) -> tuple[Array, Array | None]:
        """Solve for W (d_source, d_target) and a bias (or None) between the scaled spaces."""

    def _estimate_from_rows(
        self,
        moments: PairMoments,
        random_state: np.random.RandomState,
        X: Array,
        y: Array,
        weight: Array | None,
    ) -> tuple[Array, Array | None]:
        """The same where the (unscaled) anchors are at hand, for what moments do not tell."""
        return self._estimate(moments, random_state)

    def _kind(self, X: Array) -> Kind:
        """Which second moments the solver needs of data like X."""
        return "cross"

    def _summarise(
        self,
        X: Array,
        y: Array,
        weight: Array | None,
        kind: Kind,
        unit_rows: tuple[bool, bool],
    ) -> PairMoments:
        """What is kept of a batch."""
        return PairMoments.from_arrays(X, y, weight, kind=kind, unit_rows=unit_rows)

    def _column_norms(self) -> Array:
        """Norms of the scaled source columns, offsets included: what their rounding grows with."""
        raw: Any = self._moments
        norms = namespace_of(raw.mean_x).sqrt(raw.ss_x + raw.weight * raw.mean_x**2)
        return norms / self._scaling.divisor_x

    def _pinv(self, W: Array) -> Array:
        """Pseudo-inverse of the W that was estimated."""
        return pinv(W, self._dtype_like.dtype)

    def _check_parameters(self) -> None:
        parse_scaling(self.scaling)
        check_selection(self.anchor_selection)

    def _translate(self, X):
        divisors = _norms_to_divide_by if self._scaling.unit_x else None
        examine = self._examine if self._examines_parts(X) else None
        return AffineMap(self.coef_, self.intercept_).apply(X, divisors, examine)

    def _examines_parts(self, X):
        return is_numpy(X) and not get_config()["assume_finite"]

    def _examine(self, part):
        """Raise as validation would for values that are not finite, while they are in the cache."""
        with np.errstate(over="ignore", invalid="ignore"):
            flat = part.ravel() if part.flags.c_contiguous else None
            total = np.sum(part) if flat is None else flat @ flat  # BLAS uses all cores
        if not np.isfinite(total):
            assert_all_finite(part, input_name="X", estimator_name=type(self).__name__)

    def _fitted_array(self):
        return self.coef_

    def _statistics(self, X, seen):
        """Of what kind the moments of a batch like X are, and whether sides are of unit rows."""
        source, target = parse_scaling(self.scaling)
        unit_rows = (source == "l2", target == "l2")
        if seen is not None and unit_rows != self._unit_rows:
            raise ValueError(
                f"scaling became {self.scaling!r} between two batches, but whether rows are "
                "normalised cannot change once some have been seen. Start again with fit."
            )
        return self._kind(X) if seen is None else seen.kind, unit_rows

    def _accumulate(self, X, y, weight):
        kind, unit_rows = self._statistics(X, self._moments)
        with np.errstate(over="ignore", invalid="ignore"):
            batch = self._summarise(X, y, weight, kind, unit_rows)
        if not fits_in(batch.ss_x.dtype, batch.ss_x, batch.ss_y, batch.mean_x, batch.mean_y):
            for name, side in (("X", X), ("y", y)):
                assert_all_finite(side, input_name=name, estimator_name=type(self).__name__)
        sides = ((X, batch.ss_x), (y, batch.ss_y))
        vanishing = [batch.weight > 0 and vanishes(side, ss / batch.weight) for side, ss in sides]
        self._add(batch, vanishing, X)

    def _add(self, batch, vanishing, like):
        """Add the moments of a batch; `like` says where and in which dtype it was."""
        seen, scalings = self._moments, parse_scaling(self.scaling)
        if not fits_in(batch.ss_x.dtype, batch.ss_x, batch.ss_y):
            raise ValueError(
                f"The squares of X or y overflow {batch.ss_x.dtype}: rescale the latents."
            )
        for name, vanished, scaling in zip("Xy", vanishing, scalings):
            if vanished and scaling != "l2":
                raise ValueError(
                    f"The squares of {name} vanish in {batch.ss_x.dtype}: rescale the latents."
                )
        # Statistics follow the newest batch, so that a stream goes on where its data are now.
        self._moments = batch if seen is None else seen.like(batch) + batch
        self.n_anchors_ = self._moments.n_rows
        self._unit_rows = tuple(scaling == "l2" for scaling in scalings)
        wide = seen is not None and "64" in str(self._dtype_like.dtype)
        # says where and in which dtype the fit was; a view of X would keep all of it alive
        xp = namespace_of(like)
        self._dtype_like = xp.empty(
            (0, 1), dtype=xp.float64 if wide else like.dtype, device=device_of(like)
        )

    def _count_anchors(self, n_rows, fresh):
        """Extend the anchors' row numbers by a batch; None stands for all of its rows."""
        fresh = np.arange(n_rows) if fresh is None else fresh
        if self._anchor_indices is not None or fresh.size < n_rows:
            earlier = self._anchor_indices
            earlier = np.arange(self._n_seen) if earlier is None else to_numpy(earlier)
            self._anchor_indices = np.concatenate([earlier, self._n_seen + fresh])
        self._n_seen += n_rows

    def _solve(self, random_state, rows=None):
        """From moments to the folded map: sets `coef_`, `intercept_` and what `_estimate` sets.

        `rows` are the anchors (X, y, weight) that the moments were made of, where at hand.
        """
        if self._moments.n_rows < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 anchors of positive weight; got "
                "1 sample. Give more rows, or a larger n_anchors."
            )
        self._scaling = PairScaling.from_moments(self._moments, self.scaling)
        with np.errstate(over="ignore", invalid="ignore"):  # an error below says what happened
            scaled = self._scaling.apply(self._moments)
            if rows is None:
                W, bias = self._estimate(scaled, random_state)
            else:
                W, bias = self._estimate_from_rows(scaled, random_state, *rows)
            bias = namespace_of(W).zeros_like(self._scaling.shift_y) if bias is None else bias
            folded = self._scaling.fold(W, bias)
        if not fits_in(self._dtype_like.dtype, folded.coef, folded.intercept):
            raise ValueError(
                f"The map of {type(self).__name__} overflows {self._dtype_like.dtype}: the ranges "
                "of X and y are too far apart. Rescale them, or give float64."
            )
        self.coef_ = asarray_like(folded.coef, self._dtype_like)
        self.intercept_ = asarray_like(folded.intercept, self._dtype_like)
        self._backward = None
        self._unsolved = False

    def _backward_map(self):
        """The affine map target → source, made at its first use."""
        coef = self.coef_
        if self._backward is None:
            W = self._scaling.unfold(coef)
            swapped = self._scaling.swapped()
            # x = (y - bias) W⁺ between the scaled spaces, the bias being what W makes of 0
            origin = self._scaling.shift_x
            bias = asarray_like(self.intercept_, origin) + asarray_like(coef, origin) @ origin
            bias = (bias - self._scaling.shift_y) / self._scaling.scale_y
            inverse = self._pinv(W)
            self._backward = swapped.fold(inverse, -(bias @ inverse))
        return self._backward

    @property
    def anchor_indices_(self) -> Array:
        """Indices of the rows that served as anchors, (n_anchors_,), in the order chosen."""
        check_is_fitted(self)
        like = self._dtype_like
        if self._anchor_indices is not None:
            return asarray_like(self._anchor_indices, like, dtype=namespace_of(like).int64)
        return namespace_of(like).arange(self.n_anchors_, device=device_of(like))

    def __getattr__(self, name):
        # Reached only where normal look-up fails: after `partial_fit`, before the map is solved.
        if name in type(self)._solved_attributes and self.__dict__.get("_unsolved"):
            self._solve(check_random_state(self.random_state))
            return getattr(self, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        return tags


def _differ(names, known):
    return names is not None and known is not None and list(names) != list(known)


def _norms_to_divide_by(rows):
    return nonzero(row_norms(rows))
