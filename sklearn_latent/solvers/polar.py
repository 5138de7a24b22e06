"""The orthogonal polar factor by matrix products alone, for devices that are made for these.

A singular value decomposition is a long chain of small steps, and so is slow on a GPU. The polar
factor ``U Vᵀ`` of ``A = U S Vᵀ`` needs none: an odd polynomial ``a A + b A AᵀA + c A (AᵀA)²`` acts
on the singular values alone, and a few such polynomials lead all of them to 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .._array import Array, eps_of, namespace_of

# Newton's polynomial for the inverse root, of degree 5: it triples the number of digits.
_NEWTON = (15 / 8, -10 / 8, 3 / 8)

# Width of the interval of singular values from which on Newton's three steps do: they take values
# that are off by 0.02 to 2e-5, to 2e-14, and to what rounding leaves.
_NEAR = 0.04

# The polynomials are steep at the upper end of their interval: keep off it, or rounding grows.
_SAFETY = 1.01


def polar_by_products(A: Array) -> Array | None:
    """Semi-orthogonal ``W = U Vᵀ`` of ``A = U S Vᵀ``; None where A is too near to a lower rank.

    Each step takes the polynomial of degree 5 that is nearest to 1 on the interval in which the
    singular values are known to lie (Amsel, Persson, Musco & Gower, "The Polar Express", 2025); the
    last three are Newton's. The smallest singular value may be as small as eps^(3/8) of the
    largest, 1e-6 in float64: the error of W grows with the inverse of that ratio.

    Parameters
    ----------
    A : array of shape (m, n)

    Returns
    -------
    W : array of shape (m, n), or None
    """
    xp = namespace_of(A)
    if A.shape[0] < A.shape[1]:
        W = polar_by_products(xp.matrix_transpose(A))
        return None if W is None else xp.matrix_transpose(W)
    largest = float(xp.max(xp.abs(A)))
    if not 0 < largest < float("inf"):
        return None
    W = A / largest
    gram = xp.matrix_transpose(W) @ W
    # ‖(WᵀW)²‖ is a bound, and a close one, of the fourth power of the largest singular value
    bound = float(xp.sum((gram @ gram) ** 2)) ** 0.125
    W = W / (bound * _SAFETY)
    eps = eps_of(A.dtype, A)
    for a, b, c in _steps(eps**0.375):
        gram = xp.matrix_transpose(W) @ W
        W = a * W + W @ (b * gram + c * (gram @ gram))
    gram = xp.matrix_transpose(W) @ W
    # = ‖WᵀW - I‖² to rounding; where it is more, some singular value was too small to get to 1
    distance = float(xp.sum(gram**2)) - 2 * float(xp.sum(W**2)) + A.shape[1]
    return W if distance < 16 * eps * A.shape[1] else None


@lru_cache
def _steps(least: float) -> tuple[tuple[float, float, float], ...]:
    """Polynomials that take singular values from [least, 1] to 1."""
    steps = []
    while 1 - least > _NEAR:
        a, b, c, error = _nearest_to_one(least)
        top = (1 + error) * _SAFETY
        steps.append((a / top, b / top, c / top))
        least = (1 - error) / top
    middle = (1 + least) / 2
    a, b, c = _NEWTON
    return (*steps, (a / middle, b / middle**3, c / middle**5), _NEWTON, _NEWTON)


def _nearest_to_one(least: float) -> tuple[float, float, float, float]:
    """Coefficients of ``a x + b x³ + c x⁵`` and its greatest distance from 1 on [least, 1].

    The best polynomial is off by the same amount at four points, with alternating signs: both ends
    and its two extrema (Remez).
    """
    low, high = least + 0.35 * (1 - least), least + 0.75 * (1 - least)
    for _ in range(100):
        x = np.array([least, low, high, 1.0])
        equations = np.stack([x, x**3, x**5, np.array([1.0, -1.0, 1.0, -1.0])], axis=1)
        a, b, c, error = np.linalg.solve(equations, np.ones(4))
        root = (9 * b**2 - 20 * a * c) ** 0.5
        before = low, high
        low, high = ((-3 * b - root) / (10 * c)) ** 0.5, ((-3 * b + root) / (10 * c)) ** 0.5
        if abs(low - before[0]) + abs(high - before[1]) < 1e-12:
            break
    return float(a), float(b), float(c), float(abs(error))
