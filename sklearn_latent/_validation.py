"""Checks of parameters and inputs that scikit-learn's own do not cover."""

from __future__ import annotations

import contextlib
import copy
import functools
import sys
import warnings
from collections.abc import Callable, Iterator
from numbers import Integral, Real
from typing import Any, TypeVar, cast

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils import assert_all_finite, check_array

from ._array import (
    Array,
    asarray_like,
    is_foreign,
    is_numpy,
    namespace_of,
    refuse_dask,
    same_place,
    to_numpy,
    widest_float,
    without_graph,
)

# Of this package, or of what decorates its methods.
_OUR_FRAMES = (f"{__package__}.", "sklearn.callback")

Method = TypeVar("Method", bound=Callable[..., Any])


@contextlib.contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Restore the estimator's attributes if the block raises."""
    before = dict(estimator.__dict__)
    try:
        yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise


def all_or_nothing(fit: Method) -> Method:
    """Decorate a method `fit` that sets all it has to set, or none of it."""

    @functools.wraps(fit)
    def whole(self, *args, **kwargs):
        with unchanged_on_error(self):
            return fit(self, *args, **kwargs)

    return cast(Method, whole)


def with_plain_output(estimator: Any) -> Any:
    """The estimator, giving arrays between parts whatever output the user has configured."""
    if isinstance(estimator, FrozenEstimator):  # which would configure the caller's own
        return FrozenEstimator(with_plain_output(copy.deepcopy(estimator.estimator)))
    if hasattr(estimator, "set_output"):
        with contextlib.suppress(ValueError):  # of a step that has no such choice
            estimator.set_output(transform="default")
    return estimator


def check_option(name: str, value: Any, options: tuple) -> None:
    value_type = bool if isinstance(value, np.bool_) else type(value)
    if not any(value_type is type(option) and value == option for option in options):
        raise ValueError(
            f"{name}={value!r} is unknown: use one of {', '.join(map(repr, options))}."
        )


def check_number(
    name: str,
    value: Any,
    *,
    minimum: float,
    strict: bool = False,
    integer: bool = False,
) -> None:
    """Raise unless `value` is a finite number of at least (`strict`: above) `minimum`."""
    kind, noun = (Integral, "an integer") if integer else (Real, "a number")
    if not isinstance(value, kind) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be {noun}; got {value!r} of type {type(value).__name__}.")
    if not np.isfinite(float(value)) or value < minimum or (strict and value == minimum):
        raise ValueError(
            f"{name}={value!r} must be finite and {'above' if strict else 'at least'} {minimum}."
        )


def check_alpha(alpha: Any) -> None:
    """Raise unless `alpha` is None, a number of at least 0 or several of them."""
    several = isinstance(alpha, (list, tuple, np.ndarray)) and np.ndim(alpha) == 1
    if several and not len(alpha):
        raise ValueError("alpha is empty: give at least one strength, or None for a grid.")
    for value in alpha if several else [0.0 if alpha is None else alpha]:
        check_number("alpha", value, minimum=0)


def check_no_strings(y: Any) -> None:
    """Raise for strings, some of which would pass for numbers."""
    first = y[0] if isinstance(y, (list, tuple)) and len(y) > 0 else None
    kind = getattr(getattr(y, "dtype", None), "kind", None)
    if isinstance(first, str) or kind in ("U", "S", "T"):
        raise ValueError(
            "y are strings, as class labels may be: give the target's latents of the same items, "
            "numbers of shape (n_samples, d_target)."
        )


def check_no_missing(name: str, labels: np.ndarray) -> None:
    """Raise where class labels are NaN or None."""
    # of NaN, None among objects included, not even itself is equal
    if any(label is None for label in labels.ravel().tolist()) or np.any(labels != labels):
        raise ValueError(
            f"{name} has missing values: leave these items out of the latents and the labels."
        )


def check_finite(name: str, array: Array, *, paired: bool = False, first_row: int = 0) -> None:
    """Raise where scikit-learn finds values that are not finite, and say in which row.

    Rows count from `first_row`; those of a `paired` array are those of another side too.
    """
    try:
        assert_all_finite(array, input_name=name)
    except ValueError as error:
        xp, matrix = namespace_of(array), array if array.ndim == 2 else array[:, None]
        bad = ~xp.isfinite(matrix)
        rows = np.flatnonzero(to_numpy(xp.any(bad, axis=1)))
        row = int(rows[0])
        column = int(np.flatnonzero(to_numpy(bad[row, :]))[0])
        is_nan = bool(xp.isnan(matrix[row, column]))
        what = "NaN" if is_nan else f"infinity or a value too large for {array.dtype!r}"
        where = f"row {first_row + row}" + (f" (column {column})" if bad.shape[1] > 1 else "")
        n_rows, these = ("1 row", "it") if rows.size == 1 else (f"{rows.size} rows", "these rows")
        raise ValueError(
            f"Input {name} contains {what} in {where}; {n_rows} in all. Leave {these} out"
            f"{', on both sides' if paired else ''}."
        ) from error


@contextlib.contextmanager
def saying_how_to_stack(**sides: Any) -> Iterator[None]:
    """Raise with the remedy where the block fails since a side is one column of vectors."""
    try:
        yield
    except (TypeError, ValueError) as error:
        for name, side in sides.items():
            stacked = _stacked(name, side)
            if stacked:
                raise ValueError(
                    f"{name} holds a vector in each row of one column: pass {stacked}, of shape "
                    "(n_samples, n_dimensions)."
                ) from error
        raise


def _stacked(name, side):
    """The code that makes a matrix of a column of vectors; None for anything else."""
    cells = to_numpy(side) if hasattr(side, "__array__") else np.empty(0)
    one_column = cells.ndim == 1 or (cells.ndim == 2 and cells.shape[1] == 1)
    if cells.dtype != object or not one_column or not cells.size or np.ndim(cells.flat[0]) != 1:
        return None
    if cells.ndim == 1:
        return f"np.stack({name})"
    columns = getattr(side, "columns", None)
    return f"np.stack({name}[{':, 0' if columns is None else repr(columns[0])}])"


def check_weights(sample_weight: Any, X: Array, *, allow_all_zero: bool = False) -> Array | None:
    """`sample_weight` as a vector where X lives: one finite, non-negative number a row."""
    if sample_weight is None:
        return None
    refuse_dask(sample_weight)
    n_samples, sample_weight = X.shape[0], without_graph(sample_weight)
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, float(sample_weight))
    weight = check_array(
        sample_weight,
        ensure_2d=False,
        dtype=None if is_foreign(sample_weight) else np.float64,
        input_name="sample_weight",
    )
    if weight.ndim != 1 or weight.shape[0] != n_samples:
        raise ValueError(
            f"sample_weight has shape {tuple(weight.shape)}; expected one weight for each of the "
            f"{n_samples} rows: ({n_samples},)."
        )
    weight = asarray_like(weight, X, dtype=widest_float(X))
    xp = namespace_of(weight)
    if bool(xp.any(weight < 0)):
        raise ValueError("Negative values in sample_weight: give weights of at least 0.")
    if not allow_all_zero and not bool(xp.any(weight > 0)):
        raise ValueError("sample_weight is zero for every row: give a positive weight to some.")
    return weight


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line that called this package, however deep in it the cause was found."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_OUR_FRAMES):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def check_same_index(X: Any, y: Any, names: tuple[str, str] = ("X", "y")) -> None:
    """Raise where pandas labels the same rows in another order: then rows are no pairs."""
    if not all(hasattr(getattr(side, "index", None), "is_unique") for side in (X, y)):
        return
    a, b = X.index, y.index
    if a.equals(b) or len(a) != len(b) or not (a.is_unique and b.is_unique):
        return
    if bool(a.isin(b).all()):
        raise ValueError(
            f"{names[0]} and {names[1]} have the same row labels in another order, but row i of "
            f"both must be the same item. Align them, as by {names[1]}.loc[{names[0]}.index]; or, "
            f"if rows are paired by their place, drop the labels: {names[1]}.to_numpy()."
        )


def column_names(y: Any) -> np.ndarray | None:
    """Column names of a DataFrame or the name of a Series, where they are all strings."""
    names = getattr(y, "columns", None)
    if names is None and hasattr(y, "to_numpy"):  # a Series: arrays may have a `name` too
        names = [getattr(y, "name", None) or None]
    if names is None:
        return None
    names = np.asarray(list(names), dtype=object)
    return names if names.size and all(isinstance(name, str) for name in names) else None


def check_place(estimator: Any, fitted: Array, X: Array, method: str) -> None:
    """Raise where arrays of the fit live in another library or on another device than X.

    What was fitted with NumPy, or pickled, lives on the host and follows its input instead.
    """
    dispatched = is_foreign(fitted) or is_foreign(X)
    if dispatched and not is_numpy(fitted) and not same_place(X, fitted):
        raise ValueError(
            f"Inputs passed to {type(estimator).__name__}.{method}() must use the same namespace "
            "and the same device as those passed to fit(). Move the input there; or move the "
            "estimator to the host, from where it follows its input: "
            "pickle.loads(pickle.dumps(estimator))."
        )
