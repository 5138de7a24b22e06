"""What counts as zero."""

from __future__ import annotations

from typing import Any

from .._array import Array, eps_of, namespace_of


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
