"""Orthonormal bases of what a few long rows span, by products instead of reflections."""

from __future__ import annotations

from .._array import Array, eigh, eps_of, namespace_of, qr
from .rank import count

# Of the eigenvalues of AAᵀ, least to largest: from here on the directions that they give are
# orthogonal to some 1e-12.
_ORTHOGONAL_FROM = 1e-4


def thin_qr(rows: Array) -> tuple[Array, Array]:
    """Q of orthonormal columns and R with ``rowsᵀ = QR``, for A = `rows` that are fewer than long.

    The eigenvectors of the small ``AAᵀ = UΛUᵀ`` give ``R = Λ^½ Uᵀ`` and ``Q = AᵀUΛ^-½`` by
    products, which all cores share. AAᵀ squares the condition number; what Q loses by that, a
    second pass gives back, by a Cholesky factor of QᵀQ (as in CholeskyQR2; Yamamoto et al., 2015).
    Where eigenvalues are too small even for that, LAPACK's QR it is.

    Parameters
    ----------
    rows : array of shape (m, d), m <= d

    Returns
    -------
    Q : array of shape (d, r)
        r is m, or less where rows depend on each other, as centred ones do.
    R : array of shape (r, m)
    """
    xp, eps = namespace_of(rows), eps_of(rows.dtype, rows)
    # Descending: then the second pass adds no rounding of large directions to small ones.
    values, vectors = (xp.flip(part, axis=-1) for part in eigh(rows @ xp.matrix_transpose(rows)))
    r = count(values > eps**0.5 * values[0])
    if r == 0 or not _vanish(xp.matrix_transpose(vectors[:, r:]) @ rows, float(values[0]), eps):
        return qr(xp.matrix_transpose(rows))
    roots, U = xp.sqrt(values[:r]), vectors[:, :r]
    Q, R = xp.matrix_transpose(rows) @ (U / roots), roots[:, None] * xp.matrix_transpose(U)
    if float(values[r - 1]) < _ORTHOGONAL_FROM * float(values[0]):
        L = xp.linalg.cholesky(xp.matrix_transpose(Q) @ Q)
        Q, R = Q @ xp.matrix_transpose(xp.linalg.inv(L)), xp.matrix_transpose(L) @ R
    return Q, R


def _vanish(rest, largest, eps):
    """Whether combinations of rows (k, d) are rounding beside one with that sum of squares."""
    xp = namespace_of(rest)
    return float(xp.sum(rest**2)) <= (16 * eps) ** 2 * rest.shape[1] * largest
