"""What ``scaling`` does to both sides, read off the moments, and how it is undone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ._affine_map import AffineMap
from ._array import (
    Array,
    asarray_like,
    eps_of,
    fits_in,
    namespace_of,
    normalize_rows,
    vanishes,
)
from ._moments import PairMoments

SCALINGS = ("standard", "center", "l2", None)
Scaling = Any
"""One of `SCALINGS`, or a pair of them for (source, target)."""


def parse_scaling(scaling: Scaling) -> tuple[str | None, str | None]:
    """The pair (source, target) that the parameter ``scaling`` stands for."""
    pair = tuple(scaling) if isinstance(scaling, (tuple, list)) else (scaling, scaling)
    if len(pair) != 2 or any(
        not (kind is None or (isinstance(kind, str) and kind in SCALINGS)) for kind in pair
    ):
        raise ValueError(
            f"scaling={scaling!r} is unknown: use one of {', '.join(map(repr, SCALINGS))}, "
            "or a pair (source, target) of them."
        )
    return pair


def shift_and_scale(
    kind: str | None, mean: Array, ss: Array, weight: float, norm_sum: float
) -> tuple[Array, Array]:
    """What is subtracted from one side and what it is divided by, (d,) each."""
    xp = namespace_of(mean)
    zero, one = xp.zeros_like(mean), xp.ones_like(mean)
    if kind == "center":
        return mean, one
    if kind == "l2":
        # undone on the target side by the mean norm; on the way in, rows are unit already
        return zero, one * (norm_sum / weight if norm_sum > 0 else 1.0)
    if kind is None:
        return zero, one
    variance, eps = ss / weight, eps_of(mean.dtype, mean)
    # Constant columns have no variance at all (see `PairMoments`); columns that are constant but
    # for the rounding of their own values count as such.
    constant = variance <= (2 * eps * mean) ** 2
    return mean, xp.sqrt(xp.where(constant, one, variance))


@dataclasses.dataclass(frozen=True)
class PairScaling:
    """``x -> (x - shift) / scale`` for the two sides, rows being of unit norm where `unit` says."""

    shift_x: Array
    scale_x: Array
    shift_y: Array
    scale_y: Array
    unit_x: bool
    unit_y: bool

    @classmethod
    def from_moments(cls, moments: PairMoments, scaling: Scaling) -> PairScaling:
        source, target = parse_scaling(scaling)
        weight = moments.weight
        shift_x, scale_x = shift_and_scale(
            source, moments.mean_x, moments.ss_x, weight, moments.norm_x
        )
        shift_y, scale_y = shift_and_scale(
            target, moments.mean_y, moments.ss_y, weight, moments.norm_y
        )
        return cls(shift_x, scale_x, shift_y, scale_y, source == "l2", target == "l2")

    @classmethod
    def from_rows(
        cls, X: Array, y: Array, weight: Array | None, scaling: Scaling
    ) -> tuple[PairScaling, PairMoments]:
        """The same for rows, and their moments; raises where squares overflow or vanish."""
        source, target = parse_scaling(scaling)
        with np.errstate(over="ignore", invalid="ignore"):
            moments = PairMoments.from_arrays(
                X, y, weight, kind="cross", unit_rows=(source == "l2", target == "l2")
            )
            found = cls.from_moments(moments, scaling)
        dtype = moments.ss_x.dtype
        squares_fit = fits_in(dtype, moments.ss_x, moments.ss_y)
        if not (squares_fit and fits_in(X.dtype, found.shift_y, found.scale_y)):
            raise ValueError(
                f"The squares of X or y overflow {dtype}, or y overflows {X.dtype}: rescale the "
                "latents."
            )
        sides = (("X", X, moments.ss_x, found.unit_x), ("y", y, moments.ss_y, found.unit_y))
        for name, side, ss, unit in sides:
            if not unit and vanishes(side, ss / moments.weight):
                raise ValueError(f"The squares of {name} vanish in {dtype}: rescale the latents.")
        return found, moments

    @property
    def divisor_x(self) -> Array:
        """What source rows are divided by: 1 where they are of unit norm already."""
        return namespace_of(self.scale_x).ones_like(self.scale_x) if self.unit_x else self.scale_x

    def apply(self, moments: PairMoments) -> PairMoments:
        """Moments of the scaled sides; unit rows are already so when moments are taken."""
        divisor_y = self.swapped().divisor_x
        return moments.scaled(self.shift_x, self.divisor_x, self.shift_y, divisor_y)

    def rows(self, X: Array, y: Array) -> tuple[Array, Array]:
        """Scaled rows of both sides, in the widest float; copies."""
        swapped = self.swapped()
        return (
            _scaled(X, self.unit_x, self.shift_x, self.divisor_x),
            _scaled(y, self.unit_y, self.shift_y, swapped.divisor_x),
        )

    def fold(self, W: Array, bias: Array) -> AffineMap:
        """The map in raw coordinates of ``x -> x @ W + bias`` between scaled ones.

        Unit rows are left to the caller: the map expects them. W is used up, as it may be large.
        """
        W *= self.scale_y[None, :]
        W /= self.divisor_x[:, None]
        intercept = self.shift_y + bias * self.scale_y - self.shift_x @ W
        return AffineMap(namespace_of(W).matrix_transpose(W), intercept)

    def unfold(self, coef: Array) -> Array:
        """The W between scaled spaces that `fold` made `coef` of."""
        raw = namespace_of(self.scale_x).matrix_transpose(asarray_like(coef, self.scale_x))
        return raw * (self.divisor_x[:, None] / self.scale_y[None, :])

    def swapped(self) -> PairScaling:
        """The same with source and target exchanged."""
        return PairScaling(
            self.shift_y, self.scale_y, self.shift_x, self.scale_x, self.unit_y, self.unit_x
        )


def _scaled(side, unit, shift, divisor):
    rows = normalize_rows(side)[0] if unit else namespace_of(side).astype(side, shift.dtype)
    return (rows - shift[None, :]) / divisor[None, :]
