"""Dask: a tree-reduction of `PairMoments`, and estimators mapped over blocks of rows.

Dask is imported at use. Its schedulers may run a task again where a worker was lost, so tasks
change nothing and depend on their arguments alone. The tree is that of the blocks' order, whoever
computes them and when: the same blocks give the same map to the last digit.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
import operator
from collections.abc import Callable, Collection
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils._set_output import _get_output_config

from ._array import accepted_dtypes, is_dask, to_numpy, vanishes
from ._moments import Kind, PairMoments
from ._validation import check_no_strings, check_weights

DaskArray = Any
Summarise = Callable[..., PairMoments]
"""``(X, y, weight, kind, unit_rows)`` of a block, all in memory, to its moments."""

# How many partial results are merged at once: the most that a worker holds for one merge.
_FAN_IN = 4

_COUNT_ROWS = (
    "Dask does not know how many rows the blocks have. Call compute_chunk_sizes() on the array "
    "first (for a DataFrame: to_dask_array(lengths=True))"
)


@dataclasses.dataclass(frozen=True)
class PairedBlocks:
    """X, y and weights as Dask arrays of the same row blocks; block i of all has the same items."""

    X: DaskArray  # (n, d_source), columns in any blocks
    y: DaskArray  # (n, d_target) or (n,)
    weight: DaskArray  # (n,), one number for all rows, or None

    @classmethod
    def from_arrays(cls, X: Any, y: Any, sample_weight: Any = None) -> PairedBlocks:
        """Align the arrays, of which one or more are Dask's. Reads none of their values."""
        like = next(side for side in (X, y, sample_weight) if is_dask(side))
        weight = sample_weight
        one_weight = weight is None or isinstance(weight, Real)
        sides = {"X": X, "y": y} | ({} if one_weight else {"sample_weight": weight})
        for side in filter(is_dask, sides.values()):
            _check_dask_array(side)
        _check_row_counts({name: shape_of(side)[0] for name, side in sides.items()})
        aligned = {name: _align(name, side, like) for name, side in sides.items()}
        if one_weight:
            aligned["weight"] = weight
        else:
            aligned["weight"] = aligned.pop("sample_weight")
        return cls(**aligned)

    @property
    def n_rows(self) -> int | None:
        """The number of rows, or None where Dask does not know it."""
        n_rows = self.X.shape[0]
        return None if math.isnan(n_rows) else int(n_rows)

    def no_rows(self) -> np.ndarray:
        """An array (0, d_source) in the dtype to which validation brings X."""
        empty = np.empty((0, self.X.shape[1]), dtype=self.X.dtype)
        return check_array(
            empty, dtype=accepted_dtypes(empty), ensure_min_samples=0, ensure_min_features=0
        )

    def weights_in_memory(self) -> np.ndarray | None:
        """All weights, checked: 8 bytes a row."""
        weight = self.weight.compute() if is_dask(self.weight) else self.weight
        return check_weights(weight, np.empty((self.n_rows, 0)))

    def reduce(
        self,
        summarise: Summarise,
        kind: Kind,
        unit_rows: tuple[bool, bool],
        *,
        rows: np.ndarray | None = None,
    ) -> Summary:
        """Summary of all rows, or of `rows` alone; each block is computed once.

        `summarise` makes the moments of a block, of that `kind`, its rows divided by their norm
        where `unit_rows` says. Blocks without a row in `rows` are not computed.
        """
        import dask
        import dask.array as da

        X, y, weight = self.X, self.y, self.weight
        numbers, local = np.arange(X.numblocks[0]), None
        if rows is not None:
            numbers, local = _rows_by_block(np.sort(rows), X.chunks[0])
            X, y = X.blocks[list(numbers)], y.blocks[list(numbers)]
            weight = weight.blocks[list(numbers)] if is_dask(weight) else weight
        leaves = da.blockwise(
            _summarise_block,
            "i",
            *(da.from_array(numbers, chunks=1), "i"),
            *(X, "ij"),
            *(y, "ik"[: y.ndim]),
            *(weight, "i" if is_dask(weight) else None),
            *(local, None if local is None else "i"),
            summarise=dask.delayed(summarise, pure=False),  # once in the graph, for all blocks
            kind=kind,
            unit_rows=unit_rows,
            adjust_chunks={"i": 1},
            align_arrays=False,  # `from_arrays` has
            concatenate=True,  # of columns
            dtype=object,
            meta=np.empty(0, dtype=object),
        )
        root = da.reduction(
            leaves,
            chunk=_keep,
            combine=_merge,
            aggregate=_merge_all,
            axis=0,
            split_every=_FAN_IN,
            concatenate=False,
            dtype=object,
            meta=np.empty(0, dtype=object),
        )
        return root.compute().item()


@dataclasses.dataclass(frozen=True)
class Summary:
    """What is known of some blocks of rows; ``a + b`` is what is known of both, in this order."""

    moments: PairMoments | None  # None of no rows
    n_rows: int
    used: np.ndarray | None  # the rows of positive weight; None for all
    vanishing: tuple[bool, bool]  # X or y varies, yet its sums of squares underflow

    def __add__(self, other: Summary) -> Summary:
        a, b = self.moments, other.moments
        if a is None or b is None:
            return self if b is None else other
        both, used = a + b, None
        if self.used is not None or other.used is not None:
            first, second = (
                np.arange(part.n_rows) if part.used is None else part.used for part in (self, other)
            )
            used = np.concatenate([first, self.n_rows + second])
        moves = [
            a.weight > 0 and b.weight > 0 and bool(np.any(mean != other_mean))
            for mean, other_mean in ((a.mean_x, b.mean_x), (a.mean_y, b.mean_y))
        ]
        sides = zip((both.ss_x, both.ss_y), self.vanishing, other.vanishing, moves)
        x_lost, y_lost = (_lost(ss, both.weight) and any(signs) for ss, *signs in sides)
        return Summary(both, self.n_rows + other.n_rows, used, (x_lost, y_lost))


def map_blocks(
    estimator: Any,
    method: str,
    X: DaskArray,
    *,
    leave_out: Collection[str] = ("feature_names_in_",),  # blocks have no names
) -> DaskArray:
    """``estimator.method(X)`` as a Dask array, computed block by block where it is asked for.

    The estimator is used as it is now, whatever becomes of it later. The attributes in `leave_out`
    are not sent to the workers.
    """
    import dask

    _check_dask_array(X)
    _refuse_containers(estimator, method)
    X = X[:, None] if X.ndim == 1 and method == "inverse_transform" else X
    _check_columns("X", X)
    # also raises where the estimator is not fitted or the number of columns is not its own
    example = getattr(estimator, method)(np.ones((1, *X.shape[1:]), dtype=X.dtype))
    if X.shape[0] == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}); at least 1 is needed.")
    frozen = copy.copy(estimator)
    for name in leave_out:
        vars(frozen).pop(name, None)
    X = X.rechunk({1: -1})
    return X.map_blocks(
        _apply_to_block,
        estimator=dask.delayed(frozen, pure=False),  # once in the graph, for all blocks
        method=method,
        none=example[:0],
        dtype=example.dtype,
        chunks=(X.chunks[0], *((size,) for size in example.shape[1:])),
        drop_axis=None if example.ndim == 2 else 1,
        meta=example[:0],
    )


def shape_of(side: Any) -> tuple:
    """The shape of an array-like; Dask's unknown lengths are nan."""
    shape = getattr(side, "shape", None)
    return np.shape(side) if shape is None else tuple(shape)


def _check_dask_array(x):
    import dask.array as da

    if not isinstance(x, da.Array):
        raise TypeError(
            f"Got a Dask {type(x).__name__}; expected a Dask Array. From a DataFrame: "
            "to_dask_array(lengths=True)."
        )


def _check_row_counts(counts):
    known = {name: count for name, count in counts.items() if not math.isnan(count)}
    if len(set(known.values())) > 1:
        found = " and ".join(f"{name} has {count} rows" for name, count in known.items())
        raise ValueError(
            f"{found}: row i of all must be the same item. Pass the two encodings of one set of "
            "items."
        )


def _align(name, side, like):
    """`side` in the row blocks of `like`."""
    import dask.array as da

    row_blocks = like.chunks[0]
    if not is_dask(side):
        if _unknown(like):
            raise ValueError(
                f"{name} is in memory and cannot be cut into the blocks of the other side: "
                f"{_COUNT_ROWS}."
            )
        side = to_numpy(side)
        side = da.from_array(side, chunks=(row_blocks, *side.shape[1:]), name=False)
    check_dimensions(name, side)
    if not _unknown(side) and not _unknown(like):
        return side.rechunk({0: row_blocks})
    if side.numblocks[0] != like.numblocks[0]:  # nothing says which rows belong together
        raise ValueError(
            f"{name} has {side.numblocks[0]} blocks of rows, another side has {like.numblocks[0]}, "
            f"and {_COUNT_ROWS[0].lower() + _COUNT_ROWS[1:]}, on both sides."
        )
    return side


def check_dimensions(name: str, side: DaskArray) -> None:
    """Raise unless a Dask array has as many dimensions, known ones, as X, y or weights have."""
    expected = {"X": (2,), "y": (1, 2), "sample_weight": (1,)}[name]
    if side.ndim not in expected:
        raise ValueError(
            f"Expected {expected[-1]}D array for {name}, got {side.ndim}D array instead. Reshape "
            "it to (n_samples, n_features)."
        )
    _check_columns(name, side)


def _check_columns(name, side):
    if any(math.isnan(size) for size in side.shape[1:]):
        raise ValueError(
            f"Dask does not know how many columns {name} has. Call compute_chunk_sizes() on it."
        )


def _unknown(side):
    return math.isnan(side.shape[0])


def _rows_by_block(rows, row_blocks):
    """Blocks that hold any of the sorted `rows`, and these counted from their block's first."""
    import dask.array as da

    ends = np.cumsum(row_blocks)
    numbers, counts = np.unique(np.searchsorted(ends, rows, side="right"), return_counts=True)
    starts = ends[numbers] - np.asarray(row_blocks)[numbers]
    local = rows - np.repeat(starts, counts)
    return numbers, da.from_array(local, chunks=(tuple(counts.tolist()),), name=False)


def _summarise_block(number, X, y, weight, rows, *, summarise, kind, unit_rows):
    """A one-element array with the summary of a block."""
    try:
        summary = _summary(X, y, weight, rows, lambda *block: summarise(*block, kind, unit_rows))
    except ValueError as error:
        raise ValueError(f"In block {number.item()} of the rows: {error}") from error
    return _boxed(summary)


def _summary(X, y, weight, rows, summarise):
    counts = {"X": X.shape[0], "y": y.shape[0]}
    if np.ndim(weight):
        counts["sample_weight"] = weight.shape[0]
    _check_row_counts(counts)
    if rows is not None:
        X, y, weight = X[rows], y[rows], weight[rows] if np.ndim(weight) else weight
    if X.shape[0] == 0:
        return Summary(None, 0, None, (False, False))
    check_no_strings(y)
    X = check_array(X, dtype=accepted_dtypes(X), input_name="X")
    y = check_array(y, dtype=accepted_dtypes(y), input_name="y", ensure_2d=False)
    y = y[:, None] if y.ndim == 1 else y
    weight = check_weights(weight, X, allow_all_zero=True)
    positive = None if weight is None else np.flatnonzero(weight > 0)
    with np.errstate(over="ignore", invalid="ignore"):  # the sums are checked at the end
        moments = summarise(X, y, weight)
    return Summary(
        moments=moments,
        n_rows=len(X),
        used=None if positive is None or len(positive) == len(X) else positive,
        vanishing=(
            moments.weight > 0 and vanishes(X, moments.ss_x / moments.weight, weight),
            moments.weight > 0 and vanishes(y, moments.ss_y / moments.weight, weight),
        ),
    )


def _lost(sums_of_squares, weight):
    # the limit of `vanishes`
    return weight > 0 and not bool(np.any(sums_of_squares / weight > 1e-280))


def _boxed(summary):
    box = np.empty(1, dtype=object)
    box[0] = summary
    return box


def _keep(box, axis, keepdims):
    return box


def _merge(boxes, axis, keepdims):
    boxes = boxes if isinstance(boxes, list) else [boxes]
    with np.errstate(over="ignore", invalid="ignore"):
        return _boxed(functools.reduce(operator.add, (box.item() for box in boxes)))


def _merge_all(boxes, axis, keepdims):
    return _merge(boxes, axis, keepdims).reshape(())


def _apply_to_block(block, *, estimator, method, none, block_id=(0,)):
    if not block.shape[0]:
        return none
    try:
        return getattr(estimator, method)(block)
    except ValueError as error:  # rows that it names are counted from the block's first
        raise ValueError(f"In block {block_id[0]} of the rows: {error}") from error


def _refuse_containers(estimator, method):
    container = _get_output_config("transform", estimator)["dense"]
    if method == "transform" and container != "default":
        raise TypeError(
            f"transform is set to return {container} output, which a Dask array cannot become. "
            "Use set_output(transform='default')."
        )
