"""The relative space: similarities to anchors, and the way back from them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _array
from .._array import Array, namespace_of, nonzero, svd, widest_float
from .rank import numerical_rank


def unit_rows(X: Array) -> Array:
    """Rows divided by their norm, in X's dtype; zero rows stay zero."""
    return namespace_of(X).astype(_array.normalize_rows(X)[0], X.dtype, copy=False)


def cosine(X: Array, anchors: Array) -> Array:
    """Cosine of the angle between rows and anchors, (n, k)."""
    return unit_rows(X) @ namespace_of(X).matrix_transpose(unit_rows(anchors))


def angular(X: Array, anchors: Array) -> Array:
    """``1 - angle / π``: 1 in one direction, 0 in opposite ones, linear in the angle."""
    xp = namespace_of(X)
    # The cosine of a small angle keeps half of the digits, hence the widest float.
    rows, units = _array.normalize_rows(X)[0], _array.normalize_rows(anchors)[0]
    cosines = rows @ xp.matrix_transpose(units)
    one = xp.ones_like(cosines)
    angles = xp.acos(xp.minimum(xp.maximum(cosines, -one), one))
    return xp.astype(1 - angles / math.pi, X.dtype, copy=False)


def euclidean(X: Array, anchors: Array) -> Array:
    """Euclidean distance of rows to anchors, (n, k)."""
    xp, dtype = namespace_of(X), X.dtype
    # The expanded square cancels for close points, hence the widest float. Moving the origin amid
    # the anchors leaves distances as they are and spares the digits of a common offset; to their
    # median, as the mean follows one anchor that is far away.
    X, anchors = (xp.astype(side, widest_float(side)) for side in (X, anchors))
    origin = xp.sort(anchors, axis=0)[(anchors.shape[0] - 1) // 2, :]
    X, anchors = X - origin[None, :], anchors - origin[None, :]
    size_x, size_a = (xp.max(xp.abs(side), axis=1) for side in (X, anchors))
    largest = max(float(xp.max(size)) for size in (size_x, size_a))
    root = xp.finfo(X.dtype).max ** 0.5 / 1e10
    if 1 / root < largest < root:
        distance = xp.sqrt(_squared_distances(X, anchors, 1.0, 1.0))
    else:  # squares overflow or vanish: each pair relative to the larger of the two
        larger = nonzero(xp.maximum(size_x[:, None], size_a[None, :]))
        share_x, share_a = size_x[:, None] / larger, size_a[None, :] / larger
        X, anchors = X / nonzero(size_x)[:, None], anchors / nonzero(size_a)[:, None]
        distance = larger * xp.sqrt(_squared_distances(X, anchors, share_x, share_a))
    return xp.astype(distance, dtype, copy=False)


def _squared_distances(X, anchors, share_x, share_a):
    """``‖s x - t a‖²`` for the shares s and t of each pair, (n, k)."""
    xp = namespace_of(X)
    square = xp.sum(xp.square(X), axis=1)[:, None] * share_x**2
    square = square + xp.sum(xp.square(anchors), axis=1)[None, :] * share_a**2
    square -= 2 * share_x * share_a * (X @ xp.matrix_transpose(anchors))
    return xp.maximum(square, xp.zeros_like(square))


def manhattan(X: Array, anchors: Array) -> Array:
    """Sum of absolute differences of rows to anchors, (n, k)."""
    xp = namespace_of(X)
    columns = [xp.sum(xp.abs(X - anchors[i, :][None, :]), axis=1) for i in range(anchors.shape[0])]
    return xp.stack(columns, axis=1)


# Distances ``1 - |cos|`` below it are rounding: the rows have one direction.
_SAME_DIRECTION = 1e-13

METRICS = {"cosine": cosine, "angular": angular, "euclidean": euclidean, "manhattan": manhattan}


def random_anchors(
    unit_anchors: np.ndarray,
    lengths: np.ndarray,
    weight: np.ndarray,
    n_draws: int,
    random_state: np.random.RandomState,
) -> np.ndarray:
    """Rows drawn in proportion to their weights; those of length zero only if there are no others.

    Rows stand in the order of their lengths and, of equal ones, of the angle to their mean: so, but
    for what is equal in both, the draws are the same in whichever order rows came, however they are
    turned, and whether they were weighted or repeated.

    Parameters
    ----------
    unit_anchors : ndarray of shape (k, d)
    lengths, weight : ndarray of shape (k,)
    n_draws : int
        Draws are independent: they may give the same row.

    Returns
    -------
    ndarray of shape (n_draws,)
    """
    weight = weight * (lengths > 0) if lengths.any() else weight
    angles = unit_anchors @ (weight @ unit_anchors)
    # rounding decides nothing: what is as good as equal keeps the order in which it came
    keys = (np.round(key / (np.abs(key).max() or 1.0), 6) for key in (angles, lengths))
    order = np.lexsort(tuple(keys))
    cumulated = np.cumsum(weight[order])
    drawn = random_state.uniform(size=n_draws) * cumulated[-1]
    return order[np.searchsorted(cumulated, drawn, side="right")]


def prune(unit_anchors: np.ndarray, delta: float, start: int) -> np.ndarray:
    """Greedy farthest-point sampling with the distance ``1 - |cos|``, stopped below `delta`.

    Parameters
    ----------
    unit_anchors : ndarray of shape (k, d)
        Rows of unit norm; zero rows, which have no direction, are chosen last.
    delta : float
        Stop when no anchor is as far as this from all that are kept.
    start : int
        The first that is kept.

    Returns
    -------
    ndarray of shape (n_kept,)
        Row indices in the order of choice. All rows where delta is 0.
    """
    k, chosen = unit_anchors.shape[0], [start]
    distance = np.where(unit_anchors.any(axis=1), np.inf, 0.0)
    while len(chosen) < k:
        apart = 1 - np.abs(unit_anchors @ unit_anchors[chosen[-1]])
        distance = np.minimum(distance, np.where(apart > _SAME_DIRECTION, apart, 0.0))
        distance[chosen] = -np.inf
        farthest = int(np.argmax(distance))
        if distance[farthest] < delta:
            break
        chosen.append(farthest)
    return np.asarray(chosen, dtype=np.intp)


def decoding_matrix(
    unit_anchors: np.ndarray,
    subspaces: list[np.ndarray],
    ridge: float | None,
    dtype: Any,
    weight: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""M (k, d) such that ``relative @ M`` is the mean of the decodings by each subspace.

    That of anchors A with rows of unit norm is :math:`(A^\top)^+`, or with a ridge α
    :math:`(A A^\top + α I)^{-1} A`. Both are linear, so any number of them is one matrix.
    Directions below the rounding of anchors in `dtype` are not inverted. An anchor of `weight`
    (k,) 2 decodes as two that are equal.

    Returns
    -------
    M : ndarray of shape (k, d)
    condition_numbers : ndarray of shape (n_subspaces,)
        Of the anchors of each subspace.
    """
    M = np.zeros_like(unit_anchors)
    conditions = np.empty(len(subspaces))
    for i, rows in enumerate(subspaces):
        u, s, vt = svd(unit_anchors[rows])
        rank, root = numerical_rank(s, dtype, max(unit_anchors.shape)), 1.0
        if weight is not None and np.ptp(weight[rows]) > 0:
            # Rounding of light rows is as light: what the rows span, they span in any weights.
            root = np.sqrt(weight[rows])[:, None]
            u, s, vt = svd(root * unit_anchors[rows])
            rank = min(rank, numerical_rank(s, s.dtype, max(unit_anchors.shape)))
        conditions[i] = s[0] / s[rank - 1] if rank else np.inf
        gain = 1 / s[:rank] if ridge is None else s[:rank] / (s[:rank] ** 2 + ridge)
        M[rows] += root * (u[:, :rank] * gain) @ vt[:rank] / len(subspaces)
    return M, conditions
