"""Does a translation find its own target among all targets?

Each similarity is written as an inner product of prepared rows, less an offset of the candidate,
so that one product of matrices compares a block of translations with a block of targets. Only the
number of candidates nearer than the true partner is kept: no ranking is ever sorted.

Rounding must not decide. A candidate whose similarity differs from the partner's by less than the
error bound of the product is compared again in the widest float, pair by pair; what even that
cannot tell apart is a tie.
"""

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
    count_true,
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
from .._validation import check_number, check_option
from . import _inputs
from ._inputs import check_pair, row_blocks

SIMILARITIES = ("cosine", "euclidean", "csls")

_MEDIAN_OF = 1000  # rows; it need not be exact


def recall_at_k(
    y_true: Any,
    y_pred: Any,
    *,
    k: int = 1,
    similarity: str = "cosine",
    n_neighbors: int = 10,
    center: Any = None,
    distractors: Any = None,
) -> float:
    r"""Share of translations that have their own target among the k nearest targets.

    .. math:: \frac{1}{n} \bigl|\{i : \text{rank}_i \le k\}\bigr|, \qquad
              \text{rank}_i = 1 + \bigl|\{j : s(\hat y_i, y_j) > s(\hat y_i, y_i)\}\bigr|

    Parameters
    ----------
    y_true : array-like of shape (n_samples, d_target) or (n_samples,)
        Target latents: the candidates.
    y_pred : array-like of shape (n_samples, d_target) or (n_samples,)
        Translated latents of the same items: the queries. To judge a translated store by native
        queries, give the store's rows as `y_true` and the queries as `y_pred`.
    k : int, default=1
        Between 1 and the number of candidates.
    similarity : {"cosine", "euclidean", "csls"}, default="cosine"
        ``"euclidean"``: the smaller the distance, the nearer. ``"csls"``: cross-domain similarity
        local scaling [1]_, which takes from the cosine what a candidate has with everybody, so
        that hubs (candidates near to most queries) stop being everyone's nearest:

        .. math:: 2\cos(\hat y_i, y_j) - r_T(\hat y_i) - r_S(y_j)

        :math:`r_S(y_j)` being the mean cosine of :math:`y_j` to its `n_neighbors` nearest rows of
        `y_pred`, and :math:`r_T(\hat y_i)` the same the other way round.
    n_neighbors : int, default=10
        Used by ``"csls"`` alone; between 1 and n_samples.
    center : None, "mean" or array-like of shape (d_target,), default=None
        The origin that cosines are taken from: ``"mean"`` is the mean of the candidates. Latents
        far off the origin have cosines near 1 with one another. Distances know no origin.
    distractors : array-like of shape (n_distractors, d_target), default=None
        Further candidates, of other items: the rest of a store, say. To find a partner among
        200,000 is much harder than among the 500 of a test set.

    Returns
    -------
    float
        Between 0 and 1, best 1; k over the number of candidates by chance.

    Raises
    ------
    ValueError
        For different numbers of rows or columns, values that are not finite, a `k` (or, with
        ``"csls"``, an `n_neighbors`) below 1 or beyond the number of candidates (of queries), and
        an unknown `similarity` or `center`.
    TypeError
        For a `k` (or, with ``"csls"``, an `n_neighbors`) that is no integer, sparse input, and Dask
        arrays.

    See Also
    --------
    mean_reciprocal_rank : Without a threshold.

    Notes
    -----
    Ties count as if broken at random, in expectation [2]_: where b candidates are strictly nearer
    and the partner is one of t equally near, the item counts
    :math:`\min(1, \max(0, (k - b) / t))`. So a translator that maps everything to zero scores
    k / n_samples, and of two identical targets each is found half. A zero row has cosine 0.

    The work is n_samples n_candidates d_target multiplications in the dtype of the inputs (for
    ``"csls"`` twice that), in blocks that need less than 200 MB whatever their numbers are.

    References
    ----------
    .. [1] A. Conneau, G. Lample, M. Ranzato, L. Denoyer, H. Jégou. "Word Translation Without
       Parallel Data". ICLR 2018, Section 2.3.
    .. [2] F. McSherry, M. Najork. "Computing Information Retrieval Performance Measures
       Efficiently in the Presence of Tied Scores". ECIR 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent.metrics import recall_at_k
    >>> y = np.eye(4)
    >>> recall_at_k(y, 2 * y)
    1.0
    >>> swapped = y[[1, 0, 2, 3]]
    >>> recall_at_k(y, swapped)
    0.5
    >>> recall_at_k(y, np.zeros((4, 4)), k=3)
    0.75
    >>> recall_at_k(y, y + 0.3, distractors=y[:1] + 0.3)
    0.75
    """
    y_true, y_pred = check_pair(y_true, y_pred)
    candidates = _candidates(y_true, distractors)
    _check_at_most_rows("k", k, candidates, "candidates")
    nearer, tied = _count_nearer(candidates, y_pred, similarity, n_neighbors, center)
    return float(np.mean(np.clip((k - nearer) / tied, 0, 1)))


def mean_reciprocal_rank(
    y_true: Any,
    y_pred: Any,
    *,
    similarity: str = "cosine",
    n_neighbors: int = 10,
    center: Any = None,
    distractors: Any = None,
) -> float:
    r"""Mean of 1 / rank of each translation's own target among all targets.

    .. math:: \frac{1}{n} \sum_i \frac{1}{\text{rank}_i}, \qquad
              \text{rank}_i = 1 + \bigl|\{j : s(\hat y_i, y_j) > s(\hat y_i, y_i)\}\bigr|

    Parameters
    ----------
    y_true : array-like of shape (n_samples, d_target) or (n_samples,)
        Target latents: the candidates.
    y_pred : array-like of shape (n_samples, d_target) or (n_samples,)
        Translated latents of the same items: the queries.
    similarity : {"cosine", "euclidean", "csls"}, default="cosine"
        As in `recall_at_k`.
    n_neighbors : int, default=10
        Used by ``"csls"`` alone; between 1 and n_samples.
    center : None, "mean" or array-like of shape (d_target,), default=None
        The origin that cosines are taken from: ``"mean"`` is the mean of the candidates.
    distractors : array-like of shape (n_distractors, d_target), default=None
        Further candidates, of other items.

    Returns
    -------
    float
        Above 0, best 1; (1 + 1/2 + ... + 1/n) / n by chance for n candidates.

    Raises
    ------
    ValueError
        For different numbers of rows or columns, values that are not finite, an unknown
        `similarity` or `center`, and, with ``"csls"``, an `n_neighbors` below 1 or beyond the
        number of rows.
    TypeError
        For sparse input, Dask arrays, and, with ``"csls"``, an `n_neighbors` that is no integer.

    See Also
    --------
    recall_at_k : Share of targets among the k nearest; has the formulas and the references.

    Notes
    -----
    Ties count as if broken at random, in expectation: where b candidates are strictly nearer and
    the partner is one of t equally near, the item counts the mean of 1 / (b + 1), ...,
    1 / (b + t).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent.metrics import mean_reciprocal_rank
    >>> y = np.eye(4)
    >>> swapped = [[0.5, 1, 0, 0], [1, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    >>> mean_reciprocal_rank(y, swapped)
    0.75
    """
    y_true, y_pred = check_pair(y_true, y_pred)
    candidates = _candidates(y_true, distractors)
    nearer, tied = _count_nearer(candidates, y_pred, similarity, n_neighbors, center)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, candidates.shape[0] + 1))])
    return float(np.mean((harmonic[nearer + tied] - harmonic[nearer]) / tied))


def _check_at_most_rows(name, value, rows, what):
    check_number(name, value, minimum=1, integer=True)
    if value > rows.shape[0]:
        raise ValueError(
            f"{name}={value} is more than the {rows.shape[0]} {what}: lower {name}, or give more "
            "rows (in cross-validation: fewer folds)."
        )


def _candidates(y_true, distractors):
    """The partners, in their order, and other rows after them."""
    if distractors is None:
        return y_true
    distractors = without_graph(distractors)
    distractors = check_array(
        distractors,
        dtype=accepted_dtypes(distractors),
        ensure_2d=False,
        allow_nd=True,
        input_name="distractors",
    )
    distractors = distractors[:, None] if distractors.ndim == 1 else distractors
    if tuple(distractors.shape[1:]) != (y_true.shape[1],):
        raise ValueError(
            f"distractors has shape {tuple(distractors.shape)}; expected rows of the "
            f"{y_true.shape[1]} columns of y_true."
        )
    xp = namespace_of(y_true)
    distractors = asarray_like(distractors, y_true)
    return xp.concat([y_true, distractors], axis=0)


@dataclasses.dataclass(frozen=True)
class _Block:
    """Prepared rows in the widest float: ``similarity = query.rows @ rows.T - offset``."""

    rows: Array
    norms: Array
    offset: Array


@dataclasses.dataclass(frozen=True)
class _Similarity:
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

    def block(self, latents: Array, where: slice) -> _Block:
        rows = self.prepare(latents[where, :])
        norms = row_norms(rows)
        if self.name == "euclidean":  # x·y - ‖y‖²/2 orders the y as -‖x - y‖² does
            offset = norms * norms / 2
        elif self.crowding is not None:
            offset = self.crowding[where] / 2
        else:
            offset = namespace_of(norms).zeros_like(norms)
        return _Block(rows, norms, offset)


def _make_similarity(y_true, y_pred, name, n_neighbors, center, dtype):
    check_option("similarity", name, SIMILARITIES)
    center = _check_center(center, y_true)
    if name == "euclidean":  # the same from any origin; amid most of the rows, it rounds least
        center = "median"
    similarity = _Similarity(name, *_origin_and_scale(y_true, y_pred, center))
    if name == "csls":
        _check_at_most_rows("n_neighbors", n_neighbors, y_pred, "rows of y_pred")
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
    left_out = xp.astype(xp.min(values, axis=1), cosines.dtype) + _rounding(d, dtype, cosines)
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


def _count_nearer(candidates, y_pred, name, n_neighbors, center):
    """For each query: how many candidates are strictly nearer, and how many as near as its own.

    Its own is the candidate of its row number. Two arrays of integers on the host; its own counts
    among the second.
    """
    xp, (n_queries, d) = namespace_of(candidates), y_pred.shape
    dtype = xp.result_type(candidates.dtype, y_pred.dtype)
    similarity = _make_similarity(candidates, y_pred, name, n_neighbors, center, dtype)
    nearer, tied = np.zeros((2, n_queries), dtype=np.int64)
    for rows in row_blocks(n_queries, d):
        queries = similarity.block(y_pred, rows)
        partners = similarity.block(candidates, rows)
        own = xp.sum(queries.rows * partners.rows, axis=1) - partners.offset
        size = queries.norms * partners.norms + xp.abs(partners.offset)
        for columns in row_blocks(candidates.shape[0], d):
            counts = _compare(queries, similarity.block(candidates, columns), own, size, dtype)
            nearer[rows] += counts[0]
            tied[rows] += counts[1]
    return nearer, np.maximum(tied, 1)


def _compare(queries, candidates, own, size, dtype):
    """`_count_nearer` of one block, multiplied in `dtype`.

    The rounding of `own` is a share of `size` (in the widest float).
    """
    xp, d = namespace_of(own), queries.rows.shape[1]
    products = xp.astype(queries.rows, dtype) @ xp.matrix_transpose(
        xp.astype(candidates.rows, dtype)
    )
    # What rounding may do to a pair grows with the product of its norms, which is at most the mean
    # of their squares: one share for the query and one for the candidate, lest a candidate far
    # away make all others doubtful.
    rounding, least = _rounding(d, dtype, own), _underflow(d, dtype, own)
    of_query = rounding * (queries.norms**2 / 2 + xp.abs(own)) + least
    of_query = of_query + _rounding(d, own.dtype, own) * size
    of_candidate = rounding * (candidates.norms**2 / 2 + xp.abs(candidates.offset)) + least
    products -= xp.astype(candidates.offset + of_candidate, dtype)[None, :]
    above = products > xp.astype(own + of_query, dtype)[:, None]
    products += xp.astype(2 * of_candidate, dtype)[None, :]
    not_below = products >= xp.astype(own - of_query, dtype)[:, None]
    nearer = count_true(above)
    close = count_true(not_below) - nearer
    if int(np.sum(close)) * d <= _inputs.BLOCK_ELEMENTS:
        flat = xp.nonzero(xp.reshape(not_below != above, (-1,)))[0]
        pairs = flat // above.shape[1], flat % above.shape[1]
        also_nearer, tied = _compare_pairs(queries, candidates, own, size, pairs)
        return nearer + also_nearer, tied
    if dtype == own.dtype:
        return nearer, close
    return _compare(queries, candidates, own, size, own.dtype)


def _compare_pairs(queries, candidates, own, size, pairs):
    """The same of some (query, candidate) pairs alone, in the widest float."""
    xp, (i, j) = namespace_of(own), pairs
    own, n_queries = xp.take(own, i, axis=0), own.shape[0]
    offset = xp.take(candidates.offset, j, axis=0)
    products = xp.take(queries.rows, i, axis=0) * xp.take(candidates.rows, j, axis=0)
    margin = xp.sum(products, axis=1) - offset - own
    reach = xp.take(queries.norms, i, axis=0) * xp.take(candidates.norms, j, axis=0)
    reach = reach + xp.abs(offset) + xp.take(size, i, axis=0)
    d = products.shape[1]
    slack = _rounding(d, own.dtype, own) * reach + _underflow(d, own.dtype, own)
    which = to_numpy(i)
    return tuple(
        np.bincount(which[to_numpy(chosen)], minlength=n_queries)
        for chosen in (margin > slack, xp.abs(margin) <= slack)
    )


def _underflow(d, dtype, like):
    """Absolute error bound of an inner product of d terms that are next to nothing."""
    return (d + 2) * float(namespace_of(like).finfo(dtype).smallest_normal)


def _rounding(d, dtype, like):
    """Relative error bound of an inner product of d terms, of its factors and of a difference."""
    return (d / 2 + 6) * eps_of(dtype, like)
