"""`AffineMap`: ``x -> coef @ x + intercept``, what every linear translator folds into."""

from __future__ import annotations

import dataclasses

from ._array import Array, asarray_like, eps_of, namespace_of, svd


@dataclasses.dataclass(frozen=True)
class AffineMap:
    """The map ``X -> X @ coef.T + intercept`` on rows.

    Attributes
    ----------
    coef : array of shape (d_out, d_in)
    intercept : array of shape (d_out,)
    """

    coef: Array
    intercept: Array

    def apply(self, X: Array, divide_by: Array | None = None) -> Array:
        """Map the rows of X in its own dtype, library and device: one GEMM and an add.

        `divide_by` divides each row of X, (n,): on the product, which spares a copy of X.
        """
        xp = namespace_of(X)
        out = X @ xp.matrix_transpose(asarray_like(self.coef, X))
        if divide_by is not None:
            out /= asarray_like(divide_by, X)[:, None]
        out += asarray_like(self.intercept, X)[None, :]
        return out

    def compose(self, inner: AffineMap) -> AffineMap:
        """The map that applies `inner` first."""
        return AffineMap(self.coef @ inner.coef, self.coef @ inner.intercept + self.intercept)

    def invert(self) -> AffineMap:
        """The pseudo-inverse: the exact inverse on the map's range, least norm beyond it."""
        coef = pinv(self.coef)
        return AffineMap(coef, -(coef @ self.intercept))


def pinv(a: Array) -> Array:
    """Moore-Penrose pseudo-inverse; directions below the noise of `a`'s dtype count as null."""
    xp = namespace_of(a)
    u, s, vt = svd(a)
    if s.shape[0] == 0:
        return xp.matrix_transpose(a)
    kept = s > s[0] * max(a.shape) * eps_of(a.dtype, a)
    inverse = xp.where(kept, 1 / xp.where(kept, s, xp.ones_like(s)), xp.zeros_like(s))
    return (xp.matrix_transpose(vt) * inverse[None, :]) @ xp.matrix_transpose(u)
