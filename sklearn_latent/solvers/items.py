"""Which rows are the same item.

Whoever judges a map by rows that it was not made of must leave out all copies of a row at once, or
repetition passes for evidence. Then a row of weight k is the same as k rows, and only the ratios
of weights matter.
"""

from __future__ import annotations

import numpy as np

from .._array import Array, asarray_like, namespace_of, to_numpy, widest_float

_COLUMNS = 16  # of each side that are compared first


def item_numbers(X: Array, y: Array, weight: Array | None) -> np.ndarray:
    """Number of the item that each row is, (n,), in the order in which items of weight appear."""
    n_rows = X.shape[0]
    _, first, group = np.unique(_keys(X, y), return_index=True, return_inverse=True)
    group = group.reshape(-1)
    if first.size < n_rows:
        group = _without_false_alarms(X, y, first, group)
    counted = np.arange(n_rows) if weight is None else np.flatnonzero(to_numpy(weight) > 0)
    _, first = np.unique(group[counted], return_index=True)
    numbers = np.zeros(group.max() + 1, dtype=np.int64)
    numbers[group[counted[np.sort(first)]]] = np.arange(first.size)
    return numbers[group]


def striped_folds(X: Array, y: Array, weight: Array | None, n_folds: int, start: int) -> np.ndarray:
    """Fold of each row, (n,): items sorted by their coordinates and dealt out in turn from `start`.

    So neither the order of rows matters, nor the units or offsets of the columns, and every fold
    covers the range of the first column.
    """
    numbers = item_numbers(X, y, weight)
    columns = [to_numpy(side[:, int(j)]) for side in (X, y) for j in _some(side.shape[1])]
    counted = np.arange(len(numbers)) if weight is None else np.flatnonzero(to_numpy(weight) > 0)
    if counted.size == 0:
        return np.zeros(len(numbers), dtype=np.int64)
    first = counted[np.unique(numbers[counted], return_index=True)[1]]
    # lexsort: the last key is the first to count
    order = np.lexsort([column[first] for column in columns[::-1]])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return (rank[numbers] + start) % n_folds


def item_weights(X: Array, y: Array, weight: Array | None) -> tuple[int, Array | None]:
    """Number of items of weight, and the weight of all rows equal to each (n,); None for ones."""
    numbers = item_numbers(X, y, weight)
    n_items = int(numbers.max()) + 1
    if weight is None and n_items == X.shape[0]:
        return n_items, None
    host = np.ones(len(numbers)) if weight is None else to_numpy(weight).astype(np.float64)
    totals = np.bincount(numbers, weights=host)[numbers]
    return n_items, asarray_like(totals, X, dtype=widest_float(X))


def _without_false_alarms(X, y, first, group):
    """Rows that equal the first of their group in all columns stay; others are on their own."""
    xp, others = namespace_of(X), np.flatnonzero(first[group] != np.arange(len(group)))
    index, of_first = (
        asarray_like(rows, X, dtype=xp.int64) for rows in (others, first[group[others]])
    )
    equal = np.ones(others.size, dtype=bool)
    for side in (X, y):
        same = xp.all(xp.take(side, index, axis=0) == xp.take(side, of_first, axis=0), axis=1)
        equal &= to_numpy(same)
    group = group.copy()
    group[others[~equal]] = len(group) + np.arange(np.count_nonzero(~equal))
    return group


def _keys(X, y):
    """A number for each row, (n,), equal for equal rows and hardly ever for others."""
    key = np.zeros(X.shape[0], dtype=np.uint64)
    for side in (X, y):
        for column in _some(side.shape[1]).tolist():
            values = np.array(to_numpy(side[:, column]), dtype=np.float64)
            values += 0.0  # the sign of zero is no difference
            key = (key ^ values.view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
    return key


def _some(n_columns):
    return np.unique(np.linspace(0, n_columns - 1, _COLUMNS).astype(int))
