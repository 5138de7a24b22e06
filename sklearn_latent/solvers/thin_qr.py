"""Orthonormal bases of the span of a few long rows, by products, not Householder reflections."""

from __future__ import annotations

from .._array import Array, eigh, eps_of, namespace_of, nonzero, qr, row_norms
from .rank import count

_LONG = 3  # times as long as there are of them: the length from which on products are quicker

# Eigenvalues of AAᵀ below the root of epsilon, over the largest, say too little of directions; from
# so many such roots on these are orthogonal to some 1e-12 in float64.
_ORTHOGONAL = 1e4


def thin_qr(rows: Array) -> tuple[Array, Array]:
    """Q of orthonormal columns and R with ``rowsᵀ = QR``, for rows that are fewer than long.

    With A the rows at unit norm and D the norms that they had, the eigenvectors of ``AAᵀ = UΛUᵀ``
    give ``Q = AᵀUΛ^-½`` and ``R = Λ^½UᵀD`` by products, which all cores share. AAᵀ squares the
    condition number; what Q loses by that, a second pass gives back, by a Cholesky factor of QᵀQ
    (as in CholeskyQR2; Yamamoto et al., 2015). Where eigenvalues are too small even for that, and
    for rows that are hardly longer than many, LAPACK's QR it is.

    Parameters
    ----------
    rows : array of shape (m, d), m <= d

    Returns
    -------
    Q : array of shape (d, r)
        r is m, or less where rows depend on each other, as centred ones do.
    R : array of shape (r, m)
    """
    factors = _by_products(rows) if rows.shape[1] >= _LONG * rows.shape[0] else None
    return qr(namespace_of(rows).matrix_transpose(rows)) if factors is None else factors


def _by_products(rows):
    """The same, or None where it would not be exact."""
    xp, root_eps = namespace_of(rows), eps_of(rows.dtype, rows) ** 0.5
    norms = xp.astype(nonzero(row_norms(rows)), rows.dtype, copy=False)
    A = rows / norms[:, None]  # a small row counts as much as a large one
    # Descending: the second pass mixes what is small into what is large, and not the reverse.
    values, U = (xp.flip(part, axis=-1) for part in eigh(A @ xp.matrix_transpose(A)))
    r, largest = count(values > root_eps * values[0]), float(values[0])
    rest = xp.matrix_transpose(U[:, r:]) @ A
    if r == 0 or not float(xp.sum(rest**2)) <= (16 * root_eps**2) ** 2 * A.shape[1] * largest:
        return None  # more than rounding
    roots, U = xp.sqrt(values[:r]), U[:, :r]
    Q = xp.matrix_transpose(A) @ (U / roots)
    R = roots[:, None] * (xp.matrix_transpose(U) * norms)
    if float(values[r - 1]) < _ORTHOGONAL * root_eps * largest:
        L = xp.linalg.cholesky(xp.matrix_transpose(Q) @ Q)
        Q, R = Q @ xp.matrix_transpose(xp.linalg.inv(L)), xp.matrix_transpose(L) @ R
    return Q, R
