"""`BaseTranslator`: what all translators share."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MultiOutputMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from ._array import (
    Array,
    accepted_dtypes,
    asarray_like,
    is_dask,
    is_float_rows,
    namespace_of,
    refuse_dask,
    to_numpy,
    without_graph,
)
from ._host import to_host
from ._validation import (
    check_finite,
    check_no_strings,
    check_place,
    check_same_index,
    check_weights,
    column_names,
    saying_how_to_stack,
)
from .anchors import count_anchors, select_anchors
from .distributed import map_blocks

if TYPE_CHECKING:
    from typing_extensions import Self


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
    def fit(self, X: Any, y: Any) -> Self:
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
            In the target's raw coordinates, on the device of X, and in its dtype (narrower floats:
            float32; integers: float64); a Dask array is translated block by block when the result
            is computed.
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
        check_is_fitted(self)
        check_same_index(X, y)
        check_same_index(X, sample_weight, ("X", "sample_weight"))
        self._refuse_other_columns(column_names(y))
        return super().score(X, without_graph(y), without_graph(sample_weight))

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
        params = {"dtype": accepted_dtypes(X), "ensure_all_finite": False, "reset": False}
        try:
            with saying_how_to_stack(X=X):
                X = validate_data(self, X, **params)
        except ValueError as error:
            said, n_target = str(error), self._n_features_out
            if said.startswith(f"X has {n_target} features, but"):
                raise ValueError(
                    f"{said.rstrip('.')}; {n_target} is the target's dimension: were X and y "
                    "swapped at fit?"
                ) from error
            raise
        if not self._examines_parts(X):
            check_finite("X", X)
        check_place(self, self._fitted_array(), X, method)
        return X

    def _examines_parts(self, X):
        """Whether `_translate` itself looks for values of X that are not finite."""
        return False

    def _validate_target(self, y):
        """Target latents (n, d_target) to map back."""
        self._refuse_other_columns(column_names(y))
        y, one_column = without_graph(y), self._n_features_out == 1
        with saying_how_to_stack(y=y):
            y = check_array(
                y,
                dtype=accepted_dtypes(y),
                ensure_2d=not one_column,
                ensure_all_finite=False,
                input_name="y",
                estimator=self,
            )
        check_finite("y", y)
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
        x_params = {"dtype": accepted_dtypes(X), "ensure_all_finite": False}
        y_params = {"dtype": accepted_dtypes(y), "ensure_all_finite": False, "ensure_2d": False}
        check_no_strings(y)
        check_same_index(X, y)
        check_same_index(X, sample_weight, ("X", "sample_weight"))
        names = column_names(y)
        if not reset and self._is_known_form(X) and is_float_rows(y):
            X, y = np.asarray(X), np.asarray(y)  # maps of files too
        else:
            params = (x_params, y_params)
            with saying_how_to_stack(X=X, y=y):
                X, y = validate_data(self, X, y, reset=reset, validate_separately=params)
        if not finite_later:
            self._check_finite_pairs(X, y)
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

    def _is_known_form(self, X):
        """Whether further rows are as scikit-learn's validation would return them.

        Without it small batches take less time. It would warn of names that X lacks.
        """
        has_names = hasattr(self, "feature_names_in_")
        return is_float_rows(X) and X.shape[1] == self.n_features_in_ and not has_names

    def _check_finite_pairs(self, X, y):
        for name, side in (("X", X), ("y", y)):
            check_finite(name, side, paired=True)

    def _check_target_dimension(self, n_columns, reset):
        if not reset and n_columns != self._n_features_out:
            raise ValueError(
                f"y has {n_columns} columns, but {type(self).__name__} has seen "
                f"{self._n_features_out} so far: every batch needs the same target dimension."
            )

    def _check_target_names(self, names, reset):
        if reset:
            self._target_names = names
        else:
            self._refuse_other_columns(names)

    def _refuse_other_columns(self, names):
        """Raise where the target's columns have other names than at fit, or another order."""
        known = self._target_names
        if names is None or known is None or len(names) != len(known):
            return  # where numbers differ, that is said elsewhere
        for place, (name, expected) in enumerate(zip(names, known)):
            if name != expected:
                raise ValueError(
                    f"Column {place} of y is {name!r} and was {expected!r} at fit: give the same "
                    "columns in the same order."
                )

    def _choose_anchors(self, X, weight, random_state):
        """Indices of the anchors, or None for all rows. A row of weight 0 is never one."""
        if weight is None and self.n_anchors is None:
            return None
        n_samples = X.shape[0]
        indices = np.arange(n_samples) if weight is None else np.flatnonzero(to_numpy(weight) > 0)
        if self.n_anchors is None and indices.size == n_samples:
            return None
        if self.n_anchors is not None:
            n_anchors = count_anchors(self.n_anchors, indices.size, minimum=2)
            # a uniform choice looks at their number alone
            rows = np.empty((n_samples, 0)) if self.anchor_selection == "uniform" else to_numpy(X)
            rows = rows if indices.size == n_samples else rows[indices]
            indices = indices[select_anchors(rows, n_anchors, self.anchor_selection, random_state)]
        return asarray_like(indices, X, dtype=namespace_of(X).int64)

    def _check_number_of_anchors(self, n_anchors):
        """Raise where they are fewer than make a map."""
        if n_anchors < 2:
            samples = "sample" if n_anchors == 1 else "samples"
            remedy = "" if self.n_anchors is None else ", or a larger n_anchors"
            raise ValueError(
                f"{type(self).__name__} needs at least 2 anchors of positive weight; got "
                f"{n_anchors} {samples}. Give more rows{remedy}."
            )

    def __getstate__(self):
        # Arrays go to the host, so that what was fitted on a GPU loads where there is none.
        return {key: to_host(value) for key, value in super().__getstate__().items()}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def translates(estimator: Any) -> bool:
    """Whether an estimator has a `transform`, and that is what it predicts.

    That of a regressor may be something else, as the latent components of `PLSRegression`.
    """
    if not hasattr(estimator, "transform"):
        return False
    return not hasattr(estimator, "predict") or _ends_in_translator(estimator)


def _ends_in_translator(estimator):
    """Looks to the end of pipelines, and into searches and frozen estimators."""
    if isinstance(estimator, BaseTranslator):  # whatever is inside of it
        return True
    if isinstance(estimator, Pipeline):
        return _ends_in_translator(estimator.steps[-1][1])
    if hasattr(estimator, "get_support"):  # gives some columns of X, as `RFE`
        return False
    inner = getattr(estimator, "best_estimator_", getattr(estimator, "estimator", None))
    return inner is not None and _ends_in_translator(inner)


def can_translate(estimator: Any) -> bool:
    """Whether `translate` has something to call."""
    return hasattr(estimator, "transform") or hasattr(estimator, "predict")


def translate(estimator: Any, X: Any) -> Any:
    """Latents (n_samples, d_target) as a translator, or any multi-output regressor, has them."""
    if translates(estimator):
        return estimator.transform(X)
    return as_columns(estimator.predict(X))


def as_columns(y: Any) -> Any:
    """Latents of one dimension as one column; tensors as decoders can read them."""
    y = without_graph(y)
    if getattr(y, "ndim", 2) != 1:
        return y
    return y.to_frame() if hasattr(y, "to_frame") else y[:, None]
