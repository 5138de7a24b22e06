"""Minimum-norm least squares from the moments of the anchors."""

from __future__ import annotations

from typing import Any

from .._array import Array, eigh, namespace_of, svd
from .._moments import Factor, Products
from .rank import above_noise


def least_squares(
    second: Factor | Products, column_norms: Array, dtype: Any
) -> tuple[Array, Array, Array]:
    """The W of least norm among the minimisers of ``‖XW - Y‖``.

    Directions of X below the rounding noise of anchors in `dtype` with columns of the norms
    `column_norms` (d_source,) count as null.

    Returns
    -------
    W : array of shape (d_source, d_target)
    singular_values : array, of X, descending
    kept : array of bool, which of them are not null
    """
    gram = isinstance(second, Products)
    if isinstance(second, Products):
        xp = namespace_of(second.xx)
        eigenvalues, vectors = eigh(second.xx)  # ascending
        s = xp.flip(xp.sqrt(xp.maximum(eigenvalues, xp.zeros_like(eigenvalues))))
        v = xp.flip(vectors, axis=1)
    else:
        xp = namespace_of(second.x)
        u, s, vt = svd(second.x)
        v = xp.matrix_transpose(vt)
    kept = above_noise(s, v, column_norms, dtype, squared=gram)
    inverse = xp.where(kept, 1 / xp.where(kept, s, xp.ones_like(s)), xp.zeros_like(s))
    if isinstance(second, Products):  # Uᵀ Y = S⁻¹ Vᵀ XᵀY
        rotated_y = inverse[:, None] * (xp.matrix_transpose(v) @ second.xy)
    else:
        rotated_y = xp.matrix_transpose(u) @ second.y
    return (v * inverse[None, :]) @ rotated_y, s, kept
