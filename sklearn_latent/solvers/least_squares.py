"""Minimum-norm least squares from the moments of the anchors."""

from __future__ import annotations

from typing import Any

from .._array import Array, eigh, namespace_of, svd
from .._moments import Factor, Products
from .rank import numerical_rank


def least_squares(second: Factor | Products, dtype: Any) -> tuple[Array, Array, int]:
    """The W of least norm among the minimisers of ``‖XW - Y‖``.

    `dtype` is that of the anchors: singular values of X below its rounding noise count as 0.

    Returns
    -------
    W : array of shape (d_source, d_target)
    singular_values : array, of X, descending
    rank : int
    """
    if isinstance(second, Factor):
        xp = namespace_of(second.x)
        u, s, vt = svd(second.x)
        right = xp.matrix_transpose(vt)
        rank = numerical_rank(s, dtype, second.x.shape[1])
        rotated_y = xp.matrix_transpose(u[:, :rank]) @ second.y
    else:
        xp = namespace_of(second.xx)
        eigenvalues, vectors = eigh(second.xx)  # ascending
        s = xp.flip(xp.sqrt(xp.maximum(eigenvalues, xp.zeros_like(eigenvalues))))
        right = xp.flip(vectors, axis=1)
        rank = numerical_rank(s, dtype, second.xx.shape[0])
        # Uᵀ Y = S⁻¹ Vᵀ XᵀY
        rotated_y = (xp.matrix_transpose(right[:, :rank]) @ second.xy) / s[:rank, None]
    return (right[:, :rank] / s[None, :rank]) @ rotated_y, s, rank
