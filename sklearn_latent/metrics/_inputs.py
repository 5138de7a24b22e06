"""What all metrics do to their inputs: validate the pair, and cut it into blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from sklearn.utils import check_array, check_consistent_length

from .._array import Array, accepted_dtypes, asarray_like, namespace_of, without_graph
from .._validation import check_number, check_same_index

BLOCK_ELEMENTS = 2**22
"""Entries of the largest temporary array: 16 MiB in float32, 32 MiB in float64."""


def check_pair(y_true: Any, y_pred: Any, *, any_ndim: bool = False) -> tuple[Array, Array]:
    """Both sides in float32 or float64 and of one shape, where `y_pred` lives.

    Of two dimensions, unless `any_ndim`, which takes two or more.
    """
    check_same_index(y_true, y_pred, ("y_true", "y_pred"))
    y_true, y_pred = without_graph(y_true), without_graph(y_pred)
    y_true, y_pred = (
        check_array(
            side, dtype=accepted_dtypes(side), ensure_2d=False, allow_nd=True, input_name=name
        )
        for side, name in [(y_true, "y_true"), (y_pred, "y_pred")]
    )
    check_consistent_length(y_true, y_pred)
    same_library = namespace_of(y_true) is namespace_of(y_pred)
    y_true = asarray_like(y_true, y_pred, dtype=(y_true if same_library else y_pred).dtype)
    if not any_ndim:
        y_true, y_pred = _as_rows(y_true, "y_true"), _as_rows(y_pred, "y_pred")
        if y_true.shape != y_pred.shape:
            raise ValueError(
                f"y_true has {y_true.shape[1]} columns and y_pred has {y_pred.shape[1]}: "
                "compare latents of one space."
            )
    elif y_true.ndim < 2 or tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"y_true has shape {tuple(y_true.shape)} and y_pred has {tuple(y_pred.shape)}: "
            "give two arrays of one shape, (n_samples, ...), with 2 dimensions or more."
        )
    return y_true, y_pred


def _as_rows(side: Array, name: str) -> Array:
    if side.ndim > 2:
        raise ValueError(
            f"{name} has {side.ndim} dimensions, but latents are (n_samples, d_target): flatten "
            "each item to a row. For images and the like, use reconstruction_mse."
        )
    return side[:, None] if side.ndim == 1 else side


def row_blocks(n_rows: int, width: int) -> Iterator[slice]:
    """Slices of rows, such that the product of two blocks is no larger than the limit.

    A block itself takes half of that at most: several of them are needed at a time.
    """
    size = max(1, min(math.isqrt(BLOCK_ELEMENTS), BLOCK_ELEMENTS // (2 * max(width, 1))))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def check_at_most_rows(name: str, value: Any, rows: Array, what: str) -> None:
    """Raise unless `value` is an integer from 1 to the number of rows, which are `what`."""
    check_number(name, value, minimum=1, integer=True)
    if value > rows.shape[0]:
        raise ValueError(
            f"{name}={value} is more than the {rows.shape[0]} {what}: lower {name}, or give more "
            "rows (in cross-validation: fewer folds)."
        )
