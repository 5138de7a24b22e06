"""The similarities that retrieval ranks by, as inner products of prepared rows less an offset."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from sklearn.utils import check_array

from .._array import (
    Array,
    accepted_dtypes,
    asarray_like,
    device_of,
    eps_of,
    largest_columns,
    namespace_of,
    normalize_rows,
    row_norms,
    take_columns,
    to_numpy,
    widest_float,
    without_graph,
)
from .._validation import check_option
from ._inputs import check_at_most_rows, row_blocks

SIMILARITIES = ("cosine", "euclidean", "csls")

_MEDIAN_OF = 1000  # rows; it need not be exact


@dataclasses.dataclass(frozen=True)
class Block:
    """Prepared rows in the widest float: ``similarity = query.rows @ rows.T - offset``."""

    rows: Array
    norms: Array
    offset: Array


@dataclasses.dataclass(frozen=True)
class Similarity:
    """How rows are prepared, and what is taken off each candidate's inner products.

    The origin is in units of `scale`, so that no square can overflow: of a power of 2 near the
    largest value, by which to divide costs no digit and makes no tie a difference.
    """

    name: str
    origin: Array | None
    scale: float
    crowding: Array | None = None

    def prepare(self, latents: Array) -> Array:
        """Rows (m, d) in the widest float, of unit norm where cosines are meant."""
        xp = namespace_of(latents)
        rows = latents
        if self.origin is not None:
            rows = xp.astype(rows, widest_float(rows)) / self.scale - self.origin
        return rows if self.name == "euclidean" else normalize_rows(rows)[0]

    def block(self, latents: Array, where: slice) -> Block:
        rows = self.prepare(latents[where, :])
        norms = row_norms(rows)
        if self.name == "euclidean":  # x·y - ‖y‖²/2 orders the y as -‖x - y‖² does
            offset = norms * norms / 2
        elif self.crowding is not None:
            offset = self.crowding[where] / 2
        else:
            offset = namespace_of(norms).zeros_like(norms)
        return Block(rows, norms, offset)


def make_similarity(
    y_true: Array, y_pred: Array, name: str, n_neighbors: int, center: Any, dtype: Any
) -> Similarity:
    """The similarity `name` of translations to candidates `y_true`; `dtype` is that of products."""
    check_option("similarity", name, SIMILARITIES)
    center = _check_center(center, y_true)
    if name == "euclidean":  # the same from any origin; amid most of the rows, it rounds least
        center = "median"
    similarity = Similarity(name, *_origin_and_scale(y_true, y_pred, center))
    if name == "csls":
        check_at_most_rows("n_neighbors", n_neighbors, y_pred, "rows of y_pred")
        crowding = _crowding(y_true, y_pred, similarity, n_neighbors, dtype)
        similarity = dataclasses.replace(similarity, crowding=crowding)
    return similarity


def _check_center(center, y_true):
    """None, "mean", or a vector where `y_true` lives."""
    if center is None:
        return None
    if isinstance(center, str):
        if center != "mean":
            raise ValueError(
                f"center={center!r} is unknown: use None, 'mean', or one value for each column."
            )
        return center
    center = without_graph(center)
    center = check_array(
        center, dtype=accepted_dtypes(center), ensure_2d=False, allow_nd=True, input_name="center"
    )
    if tuple(center.shape) != (y_true.shape[1],):
        raise ValueError(
            f"center has shape {tuple(center.shape)}; expected one value for each of the "
            f"{y_true.shape[1]} columns of y_true: ({y_true.shape[1]},)."
        )
    return asarray_like(center, y_true, dtype=widest_float(y_true))


def _origin_and_scale(y_true, y_pred, center):
    if center is None:
        return None, 1.0
    xp, wide = namespace_of(y_true), widest_float(y_true)
    arrays = [y_true, y_pred] if isinstance(center, str) else [y_true, y_pred, center]
    largest = max(float(end) for a in arrays for end in (xp.max(a), -xp.min(a))) or 1.0
    scale = math.ldexp(0.5, math.frexp(largest)[1])
    if not isinstance(center, str):
        return center / scale, scale
    n_samples, d = y_true.shape
    if center == "median":
        some = xp.sort(y_true[:: max(1, n_samples // _MEDIAN_OF), ...], axis=0)
        return xp.astype(some[some.shape[0] // 2, :], wide) / scale, scale
    total = xp.zeros(d, dtype=wide, device=device_of(y_true))
    for rows in row_blocks(n_samples, d):
        total += xp.sum(xp.astype(y_true[rows, :], wide) / scale, axis=0)
    return total / n_samples, scale


def _crowding(y_true, y_pred, similarity, n_neighbors, dtype):
    """Mean cosine of each target to its `n_neighbors` nearest translations, (n_samples,)."""
    xp, (n_samples, d) = namespace_of(y_true), y_true.shape
    means = np.empty(n_samples)
    for where in row_blocks(n_samples, d):
        targets = similarity.prepare(y_true[where, :])
        mean, sure = _mean_of_nearest(targets, y_pred, similarity, n_neighbors, dtype)
        means[where] = to_numpy(mean)
        doubtful = np.flatnonzero(~to_numpy(sure))
        if doubtful.size:
            targets = xp.take(targets, asarray_like(doubtful, targets, dtype=xp.int64), axis=0)
            mean, _ = _mean_of_nearest(targets, y_pred, similarity, n_neighbors, targets.dtype)
            means[where.start + doubtful] = to_numpy(mean)
    return asarray_like(means, targets)


def _mean_of_nearest(targets, y_pred, similarity, n_neighbors, dtype):
    """Mean cosine of prepared targets to their nearest translations, and whether it is sure.

    Twice as many as needed are found in `dtype` and compared again in the widest float. They are
    the right ones for sure if none that was left out can be nearer.
    """
    xp, (n_samples, d) = namespace_of(y_pred), y_pred.shape
    n_found = min(2 * n_neighbors, n_samples)
    values, found = _nearest(xp.astype(targets, dtype), y_pred, similarity, n_found)
    cosines = []
    for i in range(n_found):
        neighbours = similarity.prepare(xp.take(y_pred, found[:, i], axis=0))
        cosines.append(xp.sum(targets * neighbours, axis=1))
    cosines = xp.stack(cosines, axis=1)
    cosines = take_columns(cosines, largest_columns(cosines, n_neighbors))
    left_out = xp.astype(xp.min(values, axis=1), cosines.dtype) + rounding_of(d, dtype, cosines)
    sure = xp.min(cosines, axis=1) >= left_out
    if (
        n_found == n_samples or dtype == targets.dtype
    ):  # nothing is left out; no better is to be had
        sure = xp.ones_like(sure)
    return xp.mean(cosines, axis=1), sure


def _nearest(targets, y_pred, similarity, n_found):
    """The `n_found` largest cosines of each target to translations, in no order, and whose."""
    xp, (n_samples, d) = namespace_of(y_pred), y_pred.shape
    values, indices = targets[:, :0], None
    for where in row_blocks(n_samples, d):
        queries = xp.astype(similarity.prepare(y_pred[where, :]), targets.dtype)
        cosines = targets @ xp.matrix_transpose(queries)
        best = largest_columns(cosines, min(n_found, cosines.shape[1]))
        values = xp.concat([values, take_columns(cosines, best)], axis=1)
        best = best + where.start
        indices = best if indices is None else xp.concat([indices, best], axis=1)
        kept = largest_columns(values, min(n_found, values.shape[1]))
        values, indices = take_columns(values, kept), take_columns(indices, kept)
    return values, indices


def underflow(d: int, dtype: Any, like: Array) -> float:
    """Absolute error bound of an inner product of d terms that are next to nothing."""
    return (d + 2) * float(namespace_of(like).finfo(dtype).smallest_normal)


def rounding_of(d: int, dtype: Any, like: Array) -> float:
    """Relative error bound of an inner product of d terms, of its factors and of a difference."""
    return (d / 2 + 6) * eps_of(dtype, like)
