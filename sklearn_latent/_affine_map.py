"""`AffineMap`: ``x -> coef @ x + intercept``, what every linear translator folds into."""

from __future__ import annotations

import dataclasses

from ._array import Array, asarray_like, namespace_of


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
