"""`AffineMap`: ``x -> coef @ x + intercept``, what every linear translator folds into."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ._array import Array, add_product, asarray_like, is_numpy

# Rows × columns of one block of the output, 16 MB in float32: small enough to stay in the outermost
# cache between the product and what is added to it, long enough for a GEMM at full speed.
_BLOCK_ELEMENTS = 2**22


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

    def apply(
        self,
        X: Array,
        divisors_of: Callable[[Array], Array] | None = None,
        examine: Callable[[Array, Array], None] | None = None,
    ) -> Array:
        """Map the rows of X in its own dtype, library and device: one GEMM and an add.

        Parameters
        ----------
        X : array of shape (n, d_in)
        divisors_of : callable, default=None
            Gives what each row of X, or of a part of it, is divided by, (n,). The product is
            divided, which spares a copy of X.
        examine : callable, default=None
            Is shown every part of X, and what it was mapped to.
        """
        coef, intercept = asarray_like(self.coef, X), asarray_like(self.intercept, X)
        if not is_numpy(X):
            divisors = None if divisors_of is None else asarray_like(divisors_of(X), X)
            out = add_product(X, coef, intercept, divisors)
            if examine is not None:
                examine(X, out)
            return out
        # The same in parts: no second pass over memory, and no temporary of the size of X.
        out = np.empty((X.shape[0], coef.shape[0]), dtype=X.dtype)
        step = max(256, _BLOCK_ELEMENTS // max(coef.shape))
        weight = coef.T
        if X.shape[0] > max(coef.shape):  # then a copy costs little, and products are quicker by it
            weight = np.ascontiguousarray(weight)
        for start in range(0, X.shape[0], step):
            part, rows = X[start : start + step], out[start : start + step]
            np.matmul(part, weight, out=rows)
            if divisors_of is not None:
                rows /= divisors_of(part)[:, None]
            rows += intercept
            if examine is not None:
                examine(part, rows)
        return out
