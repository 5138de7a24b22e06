"""Does a translation find its own target among all targets?

Each similarity is written as an inner product of prepared rows, less an offset of the candidate,
so that one product of matrices compares a block of translations with a block of targets. Only the
number of candidates nearer than the true partner is kept: no ranking is ever sorted.

Rounding must not decide. A candidate whose similarity differs from the partner's by less than the
error bound of the product is compared again in the widest float, pair by pair; what even that
cannot tell apart is a tie.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array

from .._array import (
    accepted_dtypes,
    asarray_like,
    count_true,
    namespace_of,
    to_numpy,
    without_graph,
)
from . import _inputs
from ._inputs import check_at_most_rows, check_pair, row_blocks
from ._similarity import make_similarity, rounding_of, underflow


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
    k / n_candidates, and of two identical targets each is found half. A zero row has cosine 0.

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
    check_at_most_rows("k", k, candidates, "candidates")
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


def _count_nearer(candidates, y_pred, name, n_neighbors, center):
    """For each query: how many candidates are strictly nearer, and how many as near as its own.

    Its own is the candidate of its row number. Two arrays of integers on the host; its own counts
    among the second.
    """
    xp, (n_queries, d) = namespace_of(candidates), y_pred.shape
    dtype = xp.result_type(candidates.dtype, y_pred.dtype)
    similarity = make_similarity(candidates, y_pred, name, n_neighbors, center, dtype)
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
    rounding, least = rounding_of(d, dtype, own), underflow(d, dtype, own)
    of_query = rounding * (queries.norms**2 / 2 + xp.abs(own)) + least
    of_query = of_query + rounding_of(d, own.dtype, own) * size
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
    slack = rounding_of(d, own.dtype, own) * reach + underflow(d, own.dtype, own)
    which = to_numpy(i)
    return tuple(
        np.bincount(which[to_numpy(chosen)], minlength=n_queries)
        for chosen in (margin > slack, xp.abs(margin) <= slack)
    )
