"""Orthogonal maps: the best one between paired points, and the nearest one to a matrix."""

from __future__ import annotations

from typing import Any

from .._array import Array, complement, namespace_of, qr, svd
from .._moments import Factor, Products
from .rank import numerical_rank

# Share of the largest singular value; rounding in float32 is 1e-7 of that.
_WELL_CONDITIONED = 3e-2


def procrustes(second: Factor | Products, dtype: Any = None) -> tuple[Array, Array, int]:
    """Semi-orthogonal ``W = U Vᵀ`` of the SVD ``XᵀY = U S Vᵀ``, which minimises ``‖XW - Y‖``.

    Zero-padding the smaller space, solving and cropping gives this same thin SVD. Directions in
    which the anchors say nothing (fewer anchors than dimensions, constant columns) are mapped to 0
    instead of to arbitrary ones.

    Parameters
    ----------
    second : Factor or Products
    dtype : dtype, default=None
        In which XᵀY was summed; None for its own.

    Returns
    -------
    W : array of shape (d_source, d_target)
    singular_values : array of shape (min(d_source, d_target),) or fewer, of XᵀY
    rank : int
    """
    u, s, vt = _svd_of_cross_product(second)
    rank = numerical_rank(s, s.dtype if dtype is None else dtype)
    return u[:, :rank] @ vt[:rank, :], s, rank


def quick_procrustes(xy: Array, dtype: Any) -> tuple[Array, Array, int] | None:
    """The same by arithmetic in `dtype`, in which `xy` was summed; None where that is too coarse.

    The polar factor of a matrix is as sensitive as its smallest singular value is small.
    """
    xp = namespace_of(xy)
    u, s, vt = svd(xp.astype(xy, dtype))
    if not is_well_conditioned(s):
        return None
    return xp.astype(u @ vt, xy.dtype), xp.astype(s, xy.dtype), s.shape[0]


def is_well_conditioned(singular_values: Array) -> bool:
    """Whether all singular values (descending) are so large that float32 leaves digits enough."""
    s = singular_values
    return s.shape[0] > 0 and float(s[-1]) > _WELL_CONDITIONED * float(s[0])


def least_error_scale(second: Factor | Products, W: Array, gain: float) -> float:
    """The s that minimises ``‖s XW - Y‖``, where `gain` is ``tr(Wᵀ XᵀY)``; 1 where XW is zero."""
    xp = namespace_of(W)
    if isinstance(second, Factor):
        power = float(xp.sum((second.x @ W) ** 2))
    else:
        power = float(xp.sum(W * (second.xx @ W)))
    return gain / power if power > 0 else 1.0


def scaled_procrustes(second: Factor | Products) -> Array:
    """The similarity ``s U Vᵀ`` of least error, (d_source, d_target)."""
    W, s, rank = procrustes(second)
    gain = float(namespace_of(W).sum(s[:rank]))
    return least_error_scale(second, W, gain) * W


def _svd_of_cross_product(second):
    if isinstance(second, Products):
        return svd(second.xy)
    x, y = second.x, second.y
    xp = namespace_of(x)
    if x.shape[0] >= min(x.shape[1], y.shape[1]):
        return svd(x.T @ y)
    # Fewer rows m than dimensions: with Xᵀ = QR and Yᵀ = PT, XᵀY = Q (R Tᵀ) Pᵀ has an m × m core.
    q, r = qr(xp.matrix_transpose(x))
    p, t = qr(xp.matrix_transpose(y))
    u, s, vt = svd(r @ xp.matrix_transpose(t))
    return q @ u, s, vt @ xp.matrix_transpose(p)


def polar_factor(A: Array, dtype: Any) -> tuple[Array, Array, int]:
    """The semi-orthogonal ``U Vᵀ`` nearest to ``A = U S Vᵀ``, on the rank that A has in `dtype`."""
    u, s, vt = svd(A)
    rank = numerical_rank(s, dtype)
    return u[:, :rank] @ vt[:rank, :], s, rank


def rotation(xy: Array, *, allow_reflection: bool, dtype: Any = None) -> tuple[Array, Array, int]:
    """Semi-orthogonal W of full rank that maximises ``tr(Wᵀ xy)``; a rotation if so asked.

    What the rank of `xy` leaves open is turned as little as possible: among all completions the one
    nearest to the (padded) identity, which unlike the singular vectors of 0 is unique.

    Returns
    -------
    W : array of shape (d_source, d_target)
    singular_values : array of shape (min(d_source, d_target),), of xy
    rank : int
    """
    xp = namespace_of(xy)
    u, s, vt = svd(xy)
    rank = numerical_rank(s, s.dtype if dtype is None else dtype)
    W = u[:, :rank] @ vt[:rank, :]
    if rank < s.shape[0]:
        free_x, free_y = complement(u[:, :rank]), complement(xp.matrix_transpose(vt[:rank, :]))
        shared = min(xy.shape)
        identity = xp.matrix_transpose(free_x[:shared, :]) @ free_y[:shared, :]
        a, _, bt = svd(identity)
        left, right = free_x @ a, bt @ xp.matrix_transpose(free_y)
        W = W + left @ right
    else:
        left, right = u, vt
    # Reversing the last pair costs the least: its singular value is the smallest.
    square = xy.shape[0] == xy.shape[1]
    if square and not allow_reflection and float(xp.linalg.det(W)) < 0:
        W = W - 2 * left[:, -1:] @ right[-1:, :]
    return W, s, rank
