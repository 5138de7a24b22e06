"""Second moments of paired rows: the ways to hold them, and how those of two sets add up."""

from __future__ import annotations

import dataclasses
from typing import Any

from ._array import Array, namespace_of, sum_with_outers

# Elements of matrices that wait to be added: 32 MB in float32.
_PENDING_ELEMENTS = 2**23


@dataclasses.dataclass(frozen=True)
class Factor:
    """A few rows with the cross-products of many: ``xᵀx``, ``xᵀy`` are those of the centred data.

    Below a limit they are the centred rows themselves (times the root of their weight), which keeps
    a problem of n < d anchors in n dimensions; above it they are ``R`` and ``QᵀY`` of ``X = QR``.
    """

    x: Array  # (m, d_source)
    y: Array  # (m, d_target)

    @property
    def xy(self) -> Array:
        """XᵀY, (d_source, d_target)."""
        return self.x.T @ self.y

    def products(self, *, gram: bool) -> Products:
        return Products(self.xy, self.x.T @ self.x if gram else None)


@dataclasses.dataclass(frozen=True)
class Products:
    """Centred cross-products."""

    xy: Array  # (d_source, d_target)
    xx: Array  # (d_source, d_source), or None where no solver needs it


class PendingProducts(Products):
    """XᵀY alone, as a sum yet to be made of matrices, some in float32, and of outer products.

    To add up several of them in one pass over the memory costs little more than to add one.
    """

    matrices: tuple[Array, ...]  # (d_source, d_target) each
    lefts: tuple[Array, ...]  # (d_source,) each
    rights: tuple[Array, ...]  # (d_target,) each

    def __init__(
        self,
        matrices: tuple[Array, ...],
        lefts: tuple[Array, ...] = (),
        rights: tuple[Array, ...] = (),
    ):
        self.__dict__.update(matrices=matrices, lefts=lefts, rights=rights)

    @property
    def xy(self) -> Array:
        """XᵀY, (d_source, d_target), made anew at each use."""
        return sum_with_outers(self.matrices, self.lefts, self.rights)

    @property
    def xx(self) -> None:
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        # the sum alone is stored or sent
        return Products, (self.xy, None)


def merge(
    a: Factor | Products, b: Factor | Products, weight: float, x: Array, y: Array
) -> Factor | Products:
    """Second moments of the union: both sums, and `weight` times the pair (x, y)."""
    if isinstance(a, Factor) and isinstance(b, Factor):
        xp = namespace_of(a.x)
        return add_pair(Factor(xp.concat([a.x, b.x]), xp.concat([a.y, b.y])), weight, x, y)
    if isinstance(a, PendingProducts) or isinstance(b, PendingProducts):
        return _join(a, b, weight * x, y)
    gram = any(isinstance(side, Products) and side.xx is not None for side in (a, b))
    sides = [side.products(gram=gram) if isinstance(side, Factor) else side for side in (a, b)]
    return _sum_with_pair(sides, weight, x, y)


def _join(a, b, left, right):
    """A sum of both and an outer product, made where its parts would take much memory."""
    a, b = (
        side if isinstance(side, PendingProducts) else PendingProducts((side.xy,))
        for side in (a, b)
    )
    total = PendingProducts(
        (*a.matrices, *b.matrices), (*a.lefts, *b.lefts, left), (*a.rights, *b.rights, right)
    )
    size = len(total.matrices) * left.shape[0] * right.shape[0]
    return total if size <= _PENDING_ELEMENTS else Products(total.xy, None)


def add_pair(second: Factor | Products, weight: float, x: Array, y: Array) -> Factor | Products:
    """Add ``weight`` times the outer products of one pair (x, y)."""
    if isinstance(second, Factor):
        xp = namespace_of(x)
        root = weight**0.5
        return Factor(
            xp.concat([second.x, root * x[None, :]]), xp.concat([second.y, root * y[None, :]])
        )
    return _sum_with_pair([second], weight, x, y)


def _sum_with_pair(seconds, weight, x, y):
    """The same for the sum of several that are no factors."""
    left, grams = (weight * x,), [second.xx for second in seconds]
    return Products(
        sum_with_outers([second.xy for second in seconds], left, (y,)),
        None if grams[0] is None else sum_with_outers(grams, left, (x,)),
    )
