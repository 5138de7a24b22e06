"""Orthogonal Procrustes: the best rotation between paired points."""

from __future__ import annotations

from .._array import Array, namespace_of, qr, svd
from .._moments import Factor, Products
from .rank import numerical_rank


def procrustes(second: Factor | Products) -> tuple[Array, Array, int]:
    """Semi-orthogonal ``W = U Vᵀ`` of the SVD ``XᵀY = U S Vᵀ``, which minimises ``‖XW - Y‖``.

    Zero-padding the smaller space, solving and cropping gives this same thin SVD. Directions in
    which the anchors say nothing (fewer anchors than dimensions, constant columns) are mapped to 0
    instead of to arbitrary ones.

    Returns
    -------
    W : array of shape (d_source, d_target)
    singular_values : array of shape (min(d_source, d_target),) or fewer, of XᵀY
    rank : int
    """
    u, s, vt = _svd_of_cross_product(second)
    rank = numerical_rank(s, s.dtype)
    return u[:, :rank] @ vt[:rank, :], s, rank


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
