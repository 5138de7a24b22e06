"""What counts as zero, and the inverse of what does not."""

from __future__ import annotations

from typing import Any

from .._array import Array, eps_of, namespace_of, svd


def numerical_rank(singular_values: Array, dtype: Any, n_features: int | None = None) -> int:
    """How many singular values (descending) stand above the rounding noise of data in `dtype`.

    Rounding an n × d matrix of full-sized entries perturbs its singular values by about
    ``eps sqrt(d)`` times the largest; the factor 16 is safety. The usual ``eps max(n, d)`` would
    grow without bound in a stream, and in float32 would drop directions that are there.
    """
    if singular_values.shape[0] == 0:
        return 0
    d = singular_values.shape[0] if n_features is None else n_features
    cutoff = float(singular_values[0]) * 16 * eps_of(dtype, singular_values) * d**0.5
    xp = namespace_of(singular_values)
    return int(xp.sum(xp.astype(singular_values > cutoff, xp.int64)))


def pinv(a: Array, dtype: Any) -> Array:
    """Moore-Penrose pseudo-inverse of `a`, whose entries are known to the rounding of `dtype`.

    The cutoff must be that of the dtype in which the map was stored: against float64's own, the
    rounding of a float32 map of low rank would count as directions, and be inverted.
    """
    xp = namespace_of(a)
    u, s, vt = svd(a)
    rank = numerical_rank(s, dtype, max(a.shape))
    left, right = xp.matrix_transpose(vt[:rank, :]), xp.matrix_transpose(u[:, :rank])
    return (left / s[None, :rank]) @ right
