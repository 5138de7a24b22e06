"""The translators that `compare_translators` compares, and the constant baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, clone

from .._array import Array, device_of, namespace_of
from .._base import BaseTranslator, as_columns, translates
from ._names import IN_CLOSED_FORM, called, names_of

CONSTANT = "constant"
"""The name of the baseline in tables."""


class ConstantTranslator(BaseTranslator):
    """Maps everything to the mean of the target anchors."""

    def fit(self, X: Any, y: Any) -> ConstantTranslator:
        """Take the mean of y."""
        _, y, _ = self._validate_pairs(X, y, None, reset=True)
        self.mean_ = namespace_of(y).mean(y, axis=0)
        return self

    def _translate(self, X: Array) -> Array:
        xp = namespace_of(X)
        zeros = xp.zeros((X.shape[0], self._n_features_out), dtype=X.dtype, device=device_of(X))
        return zeros + xp.astype(xp.asarray(self.mean_), X.dtype)

    def _fitted_array(self):
        return self.mean_


class Identity(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Stands for a perfect translator: given the target's own latents, it returns them."""

    def fit(self, X: Any, y: Any = None) -> Identity:
        """Do nothing."""
        return self

    def predict(self, X: Any) -> Any:
        """Latents as they are."""
        return X

    transform = predict

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Regressor(Identity):
    """A fitted regressor as scorers see it: `transform` is its `predict`, always 2-D.

    For a regressor of scikit-learn's, `transform` may be something else (latent components in
    `PLSRegression`), and `predict` drops the second dimension of a single target column.
    """

    def __init__(self, fitted: Any):
        self.fitted = fitted

    def predict(self, X: Any) -> Any:
        """What the regressor predicts."""
        return self.fitted.predict(X)

    def transform(self, X: Any) -> Any:
        """The same, (n_samples, d_target)."""
        return as_columns(self.fitted.predict(X))


def for_scoring(fitted: Any) -> Any:
    """A fitted candidate as something whose `transform` and `predict` both translate."""
    return fitted if translates(fitted) else Regressor(fitted)


def seeded(candidate: Any, seed: int) -> Any:
    """A clone in which each `random_state` that was None is `seed`."""
    candidate = clone(candidate)
    open_states = {
        name: seed
        for name, value in candidate.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return candidate.set_params(**open_states)


def check_translators(translators: Any) -> dict[str, Any]:
    """The parameter `translators` as a dict from names to estimators."""
    if translators is None:
        translators = IN_CLOSED_FORM
    if isinstance(translators, Mapping):
        named = {name: _candidate(name, value) for name, value in translators.items()}
    elif isinstance(translators, (list, tuple)):
        candidates = [_candidate(place, value) for place, value in enumerate(translators)]
        named = dict(zip(names_of(candidates), candidates))
    else:
        raise TypeError(
            "translators must be a list of estimators or names, a dict from names to them, or None "
            f"for those in closed form; got {type(translators).__name__}. For a single one: "
            "[translator]."
        )
    if not named:
        raise ValueError("translators is empty: give one estimator or more, or None.")
    for name in named:
        if not isinstance(name, str) or not name or name == CONSTANT:
            raise ValueError(
                f"{name!r} cannot name a translator: use a string other than {CONSTANT!r}, which "
                "is the baseline's."
            )
    return named


def _candidate(key, value):
    """The estimator that a value stands for, at this key of a dict or place in a list."""
    if isinstance(value, str):
        return called(value)
    is_estimator = hasattr(value, "get_params") and not isinstance(value, type)
    if not is_estimator or not hasattr(value, "fit") or not hasattr(value, "predict"):
        raise TypeError(
            f"translators[{key!r}] must be an instance of an estimator with fit and predict (a "
            "translator, a multi-output regressor, or a pipeline that ends in one) or a name such "
            f"as {IN_CLOSED_FORM[0]!r}; got {value!r}."
        )
    return value


def check_counts(n_anchors: Any, n_train: int) -> np.ndarray:
    """The parameter `n_anchors` as ascending numbers of anchors, of `n_train` rows at most."""
    if n_anchors is None:
        return _default_counts(n_train)
    counts = np.atleast_1d(np.asarray(n_anchors, dtype=object))
    if counts.ndim != 1 or counts.size == 0:
        raise ValueError(
            f"n_anchors must be a number or a list of numbers; got {n_anchors!r}. None is a "
            "default list."
        )
    return np.unique([_check_count(count, n_train) for count in counts])


def _check_count(count, n_train):
    if isinstance(count, (bool, np.bool_)) or not isinstance(
        count, (int, float, np.integer, np.floating)
    ):
        raise TypeError(
            "n_anchors must hold integers, or shares of a fold's training rows in (0, 1]; "
            f"got {count!r} of type {type(count).__name__}."
        )
    if isinstance(count, (float, np.floating)):
        if not 0 < count <= 1:
            raise ValueError(
                f"n_anchors={count!r} is no share of the training rows: give a float in (0, 1] "
                "or an integer."
            )
        return max(1, round(count * n_train))
    if not 1 <= count <= n_train:
        raise ValueError(
            f"n_anchors={count} is not between 1 and {n_train}, the training rows of the "
            "smallest fold: lower it, give more pairs or more folds, or use 1.0 for all."
        )
    return int(count)


def _default_counts(n_train):
    """10, 30, 100, 300, ... and all; none within a factor of 1.5 of all."""
    counts = [lead * 10**power for power in range(1, 10) for lead in (1, 3)]
    return np.array([count for count in counts if 1.5 * count <= n_train] + [n_train])
