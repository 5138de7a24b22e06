"""Orthogonal maps: the best one between paired points, and the nearest one to a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import (
    Array,
    asarray_like,
    complement,
    dot,
    eigh,
    is_accelerated,
    is_numpy,
    namespace_of,
    svd,
    svdvals,
    to_numpy,
)
from .._moments import Factor, Products
from .polar import polar_by_products
from .rank import count, numerical_rank
from .thin_qr import thin_qr

# Of the eigenvalues of AᵀA, least to largest: down to it the singular vectors that they give in
# float64 are exact to 1e-7, as float32 anchors are.
_LEAST_EIGENVALUE = 1e-9

# Cosines of angles below it are rounding.
_RIGHT_ANGLE = 1e-8


class TooCoarse(ValueError):
    """The error of XᵀY would change the map by more than is allowed."""


def procrustes(
    second: Factor | Products,
    *,
    error: float = 0.0,
    limit: float = float("inf"),
    in_float32: bool = False,
) -> tuple[Array, Array | None, int]:
    """Semi-orthogonal ``W = U Vᵀ`` of the SVD ``XᵀY = U S Vᵀ``, which minimises ``‖XW - Y‖``.

    Zero-padding the smaller space, solving and cropping gives this same thin SVD. Directions in
    which the anchors say nothing (fewer anchors than dimensions, constant columns) are mapped to 0
    instead of to arbitrary ones.

    Parameters
    ----------
    second : Factor or Products
    error : float, default=0.0
        Expected Frobenius norm of the error of XᵀY, beyond rounding in its own dtype.
    limit : float, default=inf
        What `expected_error` of the map may be at most.
    in_float32 : bool, default=False
        Whether the anchors were, so that no more digits than theirs are of use.

    Returns
    -------
    W : array of shape (d_source, d_target)
    singular_values : array of shape (min(d_source, d_target),) or fewer, of XᵀY
        None where W was found without them.
    rank : int

    Raises
    ------
    TooCoarse
        Where it would be more.
    """
    W = _polar_on_accelerator(second)
    if W is not None:
        return W, None, min(W.shape)
    u, s, vt = _svd_of_cross_product(second, error, limit, in_float32)
    rank = _rank(s, error)
    return u[:, :rank] @ vt[:rank, :], s, rank


def expected_error(singular_values: Array, error: float, shape: tuple[int, ...]) -> float:
    """Expected error of the map from `procrustes`, relative to its Frobenius norm.

    To first order an error ``E`` of XᵀY changes W, between the singular vectors i and j, by
    ``(E_ij - E_ji) / (s_i + s_j)``: what is known least are directions that vary least.

    Parameters
    ----------
    singular_values : array of shape (r,), of XᵀY
    error : float
        Frobenius norm of E, whose entries are taken to be alike and independent.
    shape : (d_source, d_target)
    """
    xp, s = namespace_of(singular_values), singular_values
    if float(xp.min(s)) <= error:
        return float("inf")
    inverse = 1 / (s[:, None] + s[None, :])
    all_pairs, equal = float(dot(inverse, inverse)), float(xp.sum(s**-2.0))
    squares = 2 * all_pairs - equal / 2
    squares += (max(shape) - s.shape[0]) * equal
    return error * (squares / (shape[0] * shape[1] * s.shape[0])) ** 0.5


def _rank(singular_values, error):
    """How many singular values (descending) are more than rounding and than `error`."""
    rank = numerical_rank(singular_values, singular_values.dtype)
    return min(rank, count(singular_values > error)) if error > 0 else rank


def least_error_scale(second: Factor | Products, W: Array) -> float:
    """The s that minimises ``‖s XW - Y‖``; 1 where XW is zero."""
    xp = namespace_of(W)
    gain = float(xp.sum(W * second.xy))
    if isinstance(second, Factor):
        power = float(xp.sum((second.x @ W) ** 2))
    else:
        power = float(xp.sum(W * (second.xx @ W)))
    return gain / power if power > 0 else 1.0


def scaled_procrustes(second: Factor | Products) -> Array:
    """The similarity ``s U Vᵀ`` of least error, (d_source, d_target)."""
    W = procrustes(second)[0]
    return least_error_scale(second, W) * W


def singular_values(second: Factor | Products) -> Array:
    """Of XᵀY, descending."""
    core, _, _ = _cross_product_core(second)
    return svdvals(core)


def rough_singular_values(xy: np.ndarray) -> np.ndarray:
    """Of XᵀY, descending, to some 1e-8 of the largest: by eigenvalues, in a third of the time."""
    narrow = xy if xy.shape[0] >= xy.shape[1] else xy.T
    return np.sqrt(np.maximum(np.linalg.eigvalsh(narrow.T @ narrow)[::-1], 0.0))


def _polar_on_accelerator(second):
    """``U Vᵀ`` without a decomposition, where that is quicker and exact enough, else None."""
    rows = second.x if isinstance(second, Factor) else None
    if rows is not None and rows.shape[0] < min(rows.shape[1], second.y.shape[1]):
        return None
    xy = second.xy
    return polar_by_products(xy) if is_accelerated(xy) else None


def _svd_of_cross_product(second, error, limit, in_float32):
    core, q, p = _cross_product_core(second)
    if q is None and is_numpy(core) and (in_float32 or error > 0):
        return _svd_by_gram(core, error, limit)
    u, s, vt = svd(core)
    return (u, s, vt) if q is None else (q @ u, s, vt @ namespace_of(p).matrix_transpose(p))


def _cross_product_core(second):
    """A small matrix with the singular values of ``XᵀY = q core pᵀ``; None for the identity."""
    if isinstance(second, Products):
        return second.xy, None, None
    x, y = second.x, second.y
    if x.shape[0] >= min(x.shape[1], y.shape[1]):
        return second.xy, None, None
    # Fewer rows m than dimensions: with Xᵀ = QR and Yᵀ = PT, XᵀY = Q (R Tᵀ) Pᵀ, whose core is of
    # m × m at most.
    xp = namespace_of(x)
    (q, r), (p, t) = thin_qr(x), thin_qr(y)
    return r @ xp.matrix_transpose(t), q, p


def _svd_by_gram(a, error, limit):
    """The thin SVD, by the eigenvectors of aᵀa where they are exact enough: three times as fast."""
    if a.shape[0] < a.shape[1]:
        u, s, vt = _svd_by_gram(a.T, error, limit)
        return vt.T, s, u.T
    with np.errstate(over="ignore", invalid="ignore"):  # looked at by `_is_well_conditioned`
        gram = a.T @ a
    if error == 0 and not _is_well_conditioned(gram):
        return svd(a)
    values, vectors = eigh(gram)
    s, v = np.maximum(values[::-1], 0.0) ** 0.5, vectors[:, ::-1]
    # what is too coarse need not be decomposed again
    if error > 0 and expected_error(s, error, a.shape) > limit:
        raise TooCoarse
    if values[0] > _LEAST_EIGENVALUE * values[-1]:
        return a @ (v / s), s, v.T
    return svd(a)


def _is_well_conditioned(gram):
    """Whether its eigenvectors will do; found without them, in far less time than they take."""
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.linalg.norm(gram)
    if not 1e-200 < size < np.inf:  # squares have overflowed, or some may have vanished
        return False
    shifted = gram - _LEAST_EIGENVALUE * size * np.eye(len(gram))
    try:
        np.linalg.cholesky(shifted)
    except np.linalg.LinAlgError:
        return False
    return True


def polar_factor(A: Array, dtype: Any) -> tuple[Array, Array, int]:
    """The semi-orthogonal ``U Vᵀ`` nearest to ``A = U S Vᵀ``, on the rank that A has in `dtype`."""
    u, s, vt = svd(A)
    rank = numerical_rank(s, dtype)
    return u[:, :rank] @ vt[:rank, :], s, rank


def rotation(
    second: Factor | Products,
    *,
    allow_reflection: bool,
    error: float = 0.0,
    limit: float = float("inf"),
    in_float32: bool = False,
) -> tuple[Array, Array | None, int]:
    """Semi-orthogonal W of full rank that minimises ``‖XW - Y‖``; a rotation if so asked.

    What the rank of XᵀY leaves open is turned as little as possible: among all completions one
    nearest to the (padded) identity. Where several are, as for directions at right angles, it is
    chosen by what they span alone, and so, unlike the singular vectors of 0, by no rounding.

    Returns
    -------
    W : array of shape (d_source, d_target)
    singular_values : array of shape (min(d_source, d_target),) or fewer, of XᵀY
        None where W was found without them.
    rank : int
    """
    xy, W = second.xy, _polar_on_accelerator(second)
    xp = namespace_of(xy)
    if W is not None and (allow_reflection or W.shape[0] != W.shape[1]):
        return W, None, min(W.shape)
    few_rows = isinstance(second, Factor) and second.x.shape[0] < min(xy.shape)
    u, s, vt = _svd_of_cross_product(
        second if few_rows else Products(xy, None), error, limit, in_float32
    )
    rank = _rank(s, error)
    W = u[:, :rank] @ vt[:rank, :]
    if rank < min(xy.shape):
        left, right = _completion(u[:, :rank], xp.matrix_transpose(vt[:rank, :]))
        W = W + left @ right
    else:
        left, right = u, vt
    # Reversing the last pair costs the least: its singular value is the smallest.
    square = xy.shape[0] == xy.shape[1]
    if square and not allow_reflection and float(xp.linalg.det(W)) < 0:
        W = W - 2 * left[:, -1:] @ right[-1:, :]
    return W, s, rank


def _completion(u, v):
    """Columns (d_source, k) and rows (k, d_target) that go with the r columns of u and of v."""
    xp = namespace_of(u)
    free_x, free_y = complement(u), complement(v)
    shared = min(u.shape[0], v.shape[0])
    a, s, bt = svd(xp.matrix_transpose(free_x[:shared, :]) @ free_y[:shared, :])
    sure = count(s > _RIGHT_ANGLE)
    a, b = a[:, :sure], xp.matrix_transpose(bt)[:, :sure]
    k = min(free_x.shape[1], free_y.shape[1]) - sure
    left, right = free_x @ a, free_y @ b
    if k > 0:
        rest_x, rest_y = free_x @ complement(a), free_y @ complement(b)
        left = xp.concat([left, _basis_of(rest_x, k)], axis=1)
        right = xp.concat([right, _basis_of(rest_y, k)], axis=1)
    return left, xp.matrix_transpose(right)


def _basis_of(span, k):
    """An orthonormal basis (d, k) of part of what the columns of `span` span, whatever they are.

    The projections of coordinate axes, the longest first and of equal ones the first.
    """
    q = to_numpy(span)
    chosen: list[np.ndarray] = []
    for _ in range(k):
        lengths = np.sum(q**2, axis=1)
        first = int(np.argmax(lengths > (1 - 1e-6) * lengths.max()))
        direction = q[first] / lengths[first] ** 0.5
        chosen.append(q @ direction)
        q = q - np.outer(chosen[-1], direction)
    return asarray_like(np.stack(chosen, axis=1), span)
