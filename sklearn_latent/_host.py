"""What was fitted elsewhere, as it is stored: on the host."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ._array import Array, is_array, to_numpy


def to_host(value: Any) -> Any:
    """Replace every foreign array inside `value` by a NumPy array.

    Looks into containers, dataclasses and scikit-learn's own estimators, of which it changes
    copies. What others make of tensors is left to them.
    """
    if isinstance(value, (np.ndarray, str, bytes, int, float, type(None))):
        return value
    if isinstance(value, dict):
        return {key: to_host(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(to_host(item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {f.name: to_host(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **changes)
    if is_scikit_learns(value):  # which do not do it themselves
        on_host = copy.copy(value)
        vars(on_host).update({key: to_host(item) for key, item in fitted_parts(value)})
        return on_host
    return to_numpy(value) if is_array(value) else value


def is_scikit_learns(value: Any) -> bool:
    """Whether it is an estimator of scikit-learn itself."""
    return isinstance(value, BaseEstimator) and type(value).__module__.startswith("sklearn.")


def fitted_parts(estimator: BaseEstimator) -> list[tuple[str, Any]]:
    """What one of scikit-learn's estimators has from its fit, by name."""
    holders = ("steps", "transformer_list", "estimator")  # parameters that are fitted themselves
    parts = vars(estimator).items()
    return [(key, item) for key, item in parts if key.endswith("_") or key in holders]


def first_array(value: Any) -> Array | None:
    """Some array of what scikit-learn's estimators, alone or in containers, have from a fit."""
    if is_array(value) and value.ndim > 0:  # numbers are NumPy's wherever the rest is
        return value
    if is_scikit_learns(value):
        value = [item for _, item in fitted_parts(value)]
    items = value.values() if isinstance(value, dict) else value
    found = map(first_array, items if isinstance(value, (dict, list, tuple)) else ())
    return next((a for a in found if a is not None), None)
