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
    return count(singular_values > cutoff)


def above_noise(s: Array, v: Array, column_norms: Array, dtype: Any, *, squared: bool) -> Array:
    """Which singular values of data in `dtype` are more than rounding, direction by direction.

    Rounding changes column j by about eps times its norm c_j, so the singular value along the unit
    vector v by about ``eps ‖c ∘ v‖``: one large column (a massive activation, an offset) hides
    nothing of what small columns say. Below that is the noise of the decomposition itself, in the
    dtype of `s`, to its root if it was of the `squared` (Gram) matrix.

    Parameters
    ----------
    s : array of shape (r,), descending
    v : array of shape (d, r), right singular vectors
    column_norms : array of shape (d,), of the data as they were given, offsets included
    """
    xp = namespace_of(s)
    if s.shape[0] == 0:
        return s > 0
    data_noise = 4 * eps_of(dtype, s) * xp.sqrt(xp.sum((column_norms[:, None] * v) ** 2, axis=0))
    solver_noise = 16 * eps_of(s.dtype, s) * v.shape[0] ** 0.5
    cutoff = float(s[0]) * (solver_noise**0.5 if squared else solver_noise)
    return (s > data_noise) & (s > cutoff)


def count(mask: Array) -> int:
    xp = namespace_of(mask)
    return int(xp.sum(xp.astype(mask, xp.int64)))


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
