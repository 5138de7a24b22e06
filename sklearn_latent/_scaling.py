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
    widest_float,
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


@dataclasses.dataclass(frozen=True)
class SideScaling:
    """``x -> (x - shift) / scale`` for the rows of one side, or rows of unit norm."""

    shift: Array  # (d,)
    scale: Array  # (d,), what undoing it multiplies by
    unit: bool

    @classmethod
    def of_kind(
        cls, kind: str | None, mean: Array, ss: Array, weight: float, mean_norm: float
    ) -> SideScaling:
        """By the anchors' mean (d,), sum of squared deviations from it (d,), and mean norm."""
        xp = namespace_of(mean)
        zero, one = xp.zeros_like(mean), xp.ones_like(mean)
        if kind == "center":
            return cls(mean, one, unit=False)
        if kind == "l2":
            # undone on the target side by the mean norm; on the way in, rows are unit already
            return cls(zero, one * (mean_norm if mean_norm > 0 else 1.0), unit=True)
        if kind is None:
            return cls(zero, one, unit=False)
        variance, eps = ss / weight, eps_of(mean.dtype, mean)
        # Constant columns have no variance at all (see `PairMoments`); columns that are constant
        # but for the rounding of their own values count as such.
        constant = variance <= (2 * eps * mean) ** 2
        return cls(mean, xp.sqrt(xp.where(constant, one, variance)), unit=False)

    @property
    def divisor(self) -> Array:
        """What rows are divided by: 1 where they are of unit norm already."""
        return namespace_of(self.scale).ones_like(self.scale) if self.unit else self.scale

    def apply(self, rows: Array) -> Array:
        """Scaled rows (n, d), in the widest float; a copy."""
        wide = widest_float(rows)
        shift, divisor = (asarray_like(a, rows, dtype=wide) for a in (self.shift, self.divisor))
        scaled = normalize_rows(rows)[0] if self.unit else namespace_of(rows).astype(rows, wide)
        return (scaled - shift[None, :]) / divisor[None, :]


@dataclasses.dataclass(frozen=True)
class PairScaling:
    """What is done to both sides."""

    source: SideScaling
    target: SideScaling

    @classmethod
    def from_moments(cls, moments: PairMoments, scaling: Scaling) -> PairScaling:
        source, target = parse_scaling(scaling)
        weight = moments.weight
        return cls(
            SideScaling.of_kind(source, moments.mean_x, moments.ss_x, weight, moments.mean_norm_x),
            SideScaling.of_kind(target, moments.mean_y, moments.ss_y, weight, moments.mean_norm_y),
        )

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
        if not (squares_fit and fits_in(X.dtype, found.target.shift, found.target.scale)):
            raise ValueError(
                f"The squares of X or y overflow {dtype}, or y overflows {X.dtype}: rescale the "
                "latents."
            )
        sides = (("X", X, moments.ss_x, found.source), ("y", y, moments.ss_y, found.target))
        for name, rows, ss, side in sides:
            if not side.unit and vanishes(rows, ss / moments.weight):
                raise ValueError(f"The squares of {name} vanish in {dtype}: rescale the latents.")
        return found, moments

    def apply(self, moments: PairMoments) -> PairMoments:
        """Moments of the scaled sides; unit rows are already so when moments are taken."""
        source, target = self.source, self.target
        return moments.scaled(source.shift, source.divisor, target.shift, target.divisor)

    def rows(self, X: Array, y: Array) -> tuple[Array, Array]:
        """Scaled rows of both sides, in the widest float; copies."""
        return self.source.apply(X), self.target.apply(y)

    def fold(self, W: Array, bias: Array) -> AffineMap:
        """The map in raw coordinates of ``x -> x @ W + bias`` between scaled ones.

        Unit rows are left to the caller: the map expects them. W is used up, as it may be large.
        """
        source, target = self.source, self.target
        W *= target.scale[None, :]
        W /= source.divisor[:, None]
        intercept = target.shift + bias * target.scale - source.shift @ W
        return AffineMap(namespace_of(W).matrix_transpose(W), intercept)

    def unfold(self, coef: Array) -> Array:
        """The W between scaled spaces that `fold` made `coef` of."""
        scale = self.target.scale
        raw = namespace_of(scale).matrix_transpose(asarray_like(coef, scale))
        return raw * (self.source.divisor[:, None] / scale[None, :])

    def swapped(self) -> PairScaling:
        """The same with source and target exchanged."""
        return PairScaling(self.target, self.source)
