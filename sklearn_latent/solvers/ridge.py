"""Ridge regression for a whole grid of strengths from one decomposition, and how well it predicts.

With ``X = U S Vᵀ`` and ``G = UᵀY`` the solution of strength α is ``V diag(s / (s² + α)) G``, its
residuals are ``Y - U diag(s² / (s² + α)) G``, and those of leaving each row out follow from them by
one division (Allen's PRESS). So every further strength costs one product with G.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from .._array import Array, dot, eigh, namespace_of, svd
from .._moments import Factor, Products
from .rank import above_noise, count

Block = tuple[Array, Array, Array | None, Array | None]
"""Scaled rows of X (n, d_source) and y (n, d_target), their weights (n,), and the weights (n,) of
all rows that are left out together with each; None for ones."""

# Relative to the largest s². If a row is alone in some direction, its residual and 1 − leverage
# both go to 0 with α, but their ratio has a limit. Stopping at this α takes the ratio before
# rounding destroys both. With no more rows than dimensions that danger does not exist, so a far
# smaller α is allowed.
_LEAST_ALPHA = 1e-12
_LEAST_ALPHA_WITHOUT_FREEDOM = 1e-30

# Of one minus the mean leverage, a rule of thumb. With less, the mean says too little of single
# rows (see `GeneralizedCrossValidation.trusts`). A higher limit would refuse small strengths that
# are right where there is little noise.
_LEAST_SPARED = 0.2

# Of what a row's residual is divided by. Less is 0, and not a small divisor: with no more rows than
# dimensions the true divisors may be as small as `_LEAST_ALPHA_WITHOUT_FREEDOM`.
_LEAST_REST = 1e-100

_KEPT_ELEMENTS = 2**24  # of y and u: 10,000 pairs of 768 columns; 200 MB in float64 with u²

# Of one minus the leverage of a row. Below it both that and the row's residual are so small that
# rounding to float32 would decide their ratio.
_LEAST_SPARED_IN_FLOAT32 = 1e-2


def r2(errors: Any, total: float) -> Any:
    """R² as `sklearn.metrics.r2_score` has it, a target without variance included."""
    return 1 - errors / total if total > 0 else np.where(np.asarray(errors) > 0, 0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class RidgePath:
    """The solutions of all strengths.

    Directions of X that are no more than rounding are left out (`kept`); what remains are r.
    """

    singular_values: Array  # all, descending
    kept: Array  # bool, which of them are not null
    s: Array  # (r,)
    v: Array  # (d_source, r)
    g: Array  # (r, d_target)
    start: Array | None = None  # (d_source, d_target), what solutions are shrunk towards

    @classmethod
    def from_moments(cls, second: Factor | Products, column_norms: Array, dtype: Any) -> RidgePath:
        """Decompose anchors in `dtype` with columns of the norms `column_norms` (d_source,)."""
        gram = isinstance(second, Products)
        if isinstance(second, Products):
            xp = namespace_of(second.xx)
            eigenvalues, vectors = eigh(second.xx)  # ascending
            s = xp.flip(xp.sqrt(xp.maximum(eigenvalues, xp.zeros_like(eigenvalues))))
            v = xp.flip(vectors, axis=1)
        else:
            xp = namespace_of(second.x)
            u, s, vt = svd(second.x)
            v = xp.matrix_transpose(vt)
        kept = above_noise(s, v, column_norms, dtype, squared=gram)
        index = xp.nonzero(kept)[0]
        s_kept, v_kept = xp.take(s, index), xp.take(v, index, axis=1)
        if isinstance(second, Products):  # UᵀY = S⁻¹ Vᵀ XᵀY
            g = (xp.matrix_transpose(v_kept) @ second.xy) / s_kept[:, None]
        else:
            g = xp.matrix_transpose(xp.take(u, index, axis=1)) @ second.y
        return cls(s, kept, s_kept, v_kept, g)

    def towards(self, start: Array) -> RidgePath:
        """The path of the same problem shrunk towards `start` (d_source, d_target)."""
        xp = namespace_of(start)
        g = self.g - self.s[:, None] * (xp.matrix_transpose(self.v) @ start)
        return dataclasses.replace(self, g=g, start=start)

    @property
    def rank(self) -> int:
        return count(self.kept)

    @cached_property
    def axes(self) -> Array:
        """V S⁻¹ (d_source, r), which takes rows of X to those of U."""
        return self.v / self.s[None, :]

    @property
    def condition_number(self) -> float:
        """Ratio of the largest singular value to the smallest that counts."""
        return float(self.s[0] / self.s[-1]) if self.s.shape[0] else float("inf")

    @property
    def largest(self) -> float:
        """The square of the largest singular value; 1 where there is none."""
        return float(self.s[0]) ** 2 if self.s.shape[0] else 1.0

    def solution(self, alpha: float) -> Array:
        """W (d_source, d_target), the minimiser of ``‖XW - Y‖² + α‖W - start‖²``.

        With α = 0 the one nearest to the start.
        """
        W = self.v @ ((self.s / (self.s**2 + alpha))[:, None] * self.g)
        return W if self.start is None else W + self.start

    def grid(self) -> list[float]:
        """Strengths a decade apart, from almost nothing left of the largest direction to none."""
        return [self.largest * 10.0**k for k in range(2, -8, -1)] + [0.0]

    def finer(self, alpha: float) -> list[float]:
        """Strengths around one of the grid."""
        if alpha == 0:
            return []
        return [alpha * 10 ** (k / 3) for k in (2, 1, -1, -2)]

    def damping(self, alpha: float, *, freedom: bool) -> Array:
        """``α / (s² + α)`` (r,): the share of each direction that is left to the residuals.

        `freedom`: whether there are more rows than parameters.
        """
        least = _LEAST_ALPHA if freedom else _LEAST_ALPHA_WITHOUT_FREEDOM
        alpha = max(alpha, least * self.largest)
        return alpha / (self.s**2 + alpha)


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """What the residuals of rows that are left out take of a block, whatever the strength."""

    y: Array  # (n, d_target)
    weight: Array | None  # (n,)
    u: Array  # (n, r), the rows in the directions of the path
    leverage: Array  # (n, r), of each direction, of all rows that are left out together with each
    spared: Array  # (n,), one minus the leverage without penalty
    freedom: bool  # whether there are more rows than parameters

    @classmethod
    def of_block(
        cls,
        path: RidgePath,
        block: Block,
        mean_leverage: float,
        dtype: Any,
        *,
        freedom: bool,
    ) -> LeftOut:
        """Compute in `dtype`, if that will do for these rows, else (or for None) in theirs.

        `freedom`: whether there are more rows than parameters.
        """
        x, y, weight, together = block
        xp, wide = namespace_of(x), x.dtype
        for narrow in (wide if dtype is None else dtype, wide):
            u = xp.astype(x, narrow, copy=False) @ xp.astype(path.axes, narrow, copy=False)
            leverage, offset = u**2, mean_leverage
            if together is not None:
                leverage = xp.astype(together, narrow)[:, None] * leverage
                offset = together * mean_leverage
            spared = 1 - (offset + xp.sum(leverage, axis=1, dtype=wide))
            if narrow == wide or float(xp.min(spared)) > _LEAST_SPARED_IN_FLOAT32:
                break
        spared = xp.maximum(spared, xp.zeros_like(spared))
        if not freedom:
            spared = xp.zeros_like(spared)
        y = xp.astype(y, narrow, copy=False)
        return cls(y, weight, u, leverage, spared, freedom)

    def residuals(self, damping: Array, g: Array) -> Array:
        """Of these rows (n, d_target), each predicted by the others.

        Parameters
        ----------
        damping : array of shape (r,)
            Of `RidgePath.damping`.
        g : array of shape (r, d_target), of the path, in the dtype of `u`
        """
        xp, dtype = namespace_of(self.u), self.u.dtype
        if self.freedom:
            residual = (self.u * xp.astype(damping - 1, dtype)[None, :]) @ g
            residual += self.y
        else:  # the same, since UG is y; but as a difference it would be rounding
            residual = (self.u * xp.astype(damping, dtype)[None, :]) @ g
        damped = self.leverage @ xp.astype(damping, dtype)
        rest = self.spared + xp.astype(damped, self.spared.dtype)
        # nothing is left where all rows are one item
        rest = xp.where(rest > _LEAST_REST, rest, xp.ones_like(rest))
        residual /= xp.astype(rest, dtype)[:, None]
        return residual


@dataclasses.dataclass(frozen=True)
class Loss:
    """How far predictions of rows that were left out are from the truth; sums over rows merge."""

    error: float  # weighted sum of squared residuals
    power: float  # weighted sum of squares of the predictions
    cross: float  # weighted sum of products of both

    @classmethod
    def of_rows(cls, residual: Array, predicted: Array, weight: Array | None) -> Loss:
        pairs = ((residual, residual), (predicted, predicted), (residual, predicted))
        if weight is None:
            return cls(*(float(dot(a, b)) for a, b in pairs))
        xp = namespace_of(weight)
        unit = float(xp.max(weight)) or 1.0  # any weights fit in float32 relative to it
        w = xp.astype(weight / unit, residual.dtype)[:, None]
        return cls(*(unit * float(dot(a * w, b)) for a, b in pairs))

    def __add__(self, other: Loss) -> Loss:
        return Loss(self.error + other.error, self.power + other.power, self.cross + other.cross)

    @property
    def stretched(self) -> float:
        """The error that is left after multiplying predictions by the best factor of at least 0."""
        if self.power + self.cross <= 0:  # of ŷ·y, so that 0 is the best
            return self.error + 2 * self.cross + self.power
        return max(self.error - self.cross * (self.cross / self.power), 0.0)  # no square overflows


class Judge(Protocol):
    """How well the solutions of a path predict what they were not made of."""

    def trusts(self, alpha: float) -> bool:
        """Whether this strength can be judged at all."""

    def losses(self, alphas: list[float]) -> list[Loss]:
        """Of each strength, summed over all rows."""

    def covariance(self, alpha: float) -> Array:
        """Of the predictions, (d_target, d_target)."""


@dataclasses.dataclass(frozen=True)
class LeaveOneOut:
    """How well rows are predicted by all others: exact, from passes over the rows.

    Parameters
    ----------
    blocks : callable
        Yields the rows that the path was made of.
    n_rows : int
        Of all blocks: few are made ready once, and kept.
    origin : array of shape (d_target,)
        About where y lies: keeps an offset out of the squares of predictions.
    freedom : bool
        Whether there are more rows than parameters.
    dtype : dtype, default=None
        Of the products that each strength takes, where leverages allow it; None for the widest.
    """

    path: RidgePath
    blocks: Callable[[], Iterable[Block]]
    n_rows: int
    mean_leverage: float
    origin: Array
    freedom: bool
    dtype: Any = None

    @cached_property
    def _narrow_g(self) -> Array:
        return namespace_of(self.path.g).astype(self.path.g, self.dtype, copy=False)

    def _residuals(self, block: LeftOut, damping: Array) -> Array:
        is_wide = block.u.dtype == self.path.g.dtype
        return block.residuals(damping, self.path.g if is_wide else self._narrow_g)

    @cached_property
    def _kept(self) -> list[LeftOut]:
        """The blocks, for all strengths."""
        return list(self._passed())

    def _passed(self) -> Iterator[LeftOut]:
        """The blocks in a pass over the rows."""
        for block in self.blocks():
            yield LeftOut.of_block(
                self.path, block, self.mean_leverage, self.dtype, freedom=self.freedom
            )

    def _all(self) -> Iterable[LeftOut]:
        n_elements = self.n_rows * sum(self.path.g.shape)
        return self._kept if n_elements <= _KEPT_ELEMENTS else self._passed()

    def trusts(self, alpha: float) -> bool:
        return True

    def losses(self, alphas: list[float]) -> list[Loss]:
        totals = [Loss(0.0, 0.0, 0.0)] * len(alphas)
        dampings = [self.path.damping(alpha, freedom=self.freedom) for alpha in alphas]
        for block in self._all():
            for i, damping in enumerate(dampings):
                residual = self._residuals(block, damping)
                totals[i] = totals[i] + Loss.of_rows(residual, block.y - residual, block.weight)
        return totals

    def covariance(self, alpha: float) -> Array:
        """Of the predictions, (d_target, d_target)."""
        weight: float = 0.0
        first: Any = 0.0
        second: Any = 0.0
        damping = self.path.damping(alpha, freedom=self.freedom)
        for block in self._all():
            xp, w = namespace_of(block.y), block.weight
            predicted = block.y - self._residuals(block, damping)
            predicted = xp.astype(predicted, self.origin.dtype) - self.origin[None, :]
            weighted = predicted if w is None else predicted * w[:, None]
            weight += predicted.shape[0] if w is None else float(xp.sum(w))
            first = first + xp.sum(weighted, axis=0)
            second = second + weighted.T @ predicted
        mean = first / weight
        return second / weight - mean[:, None] * mean[None, :]


@dataclasses.dataclass(frozen=True)
class GeneralizedCrossValidation:
    """Leave-one-out with the mean leverage in place of each row's: moments are enough for it.

    Every row counts as one item, whatever its weight.
    """

    path: RidgePath
    sum_of_squares: float  # of y, and
    mean_x: Array  # (d_source,), both as the map sees the data
    n_rows: int
    weight: float
    n_means: int  # 1 where an offset was estimated, else 0
    yy: Array | None = None  # YᵀY (d_target, d_target), for the covariance alone

    @property
    def _free(self) -> float:
        """Degrees of freedom that no strength uses."""
        return max(self.n_rows - self.n_means - self.path.rank, 0.0)

    def _spared(self, damping: Array) -> float:
        """One minus the mean leverage."""
        return (self._free + float(namespace_of(damping).sum(damping))) / self.n_rows

    def trusts(self, alpha: float) -> bool:
        """Whether the mean leverage says something of single rows.

        Once most leverage is taken, residuals and what they are divided by vanish together, but not
        alike for all rows, and small strengths look good that fit noise. Unless there is no noise.
        """
        damping = self.path.damping(alpha, freedom=self._free > 0.5)
        if self._spared(damping) > _LEAST_SPARED:
            return True
        (loss,) = self.losses([alpha])
        return self._free > 0.1 * self.n_rows and loss.error < 1e-12 * self.sum_of_squares

    def _outside(self, total: Array | float, explained: Array | float) -> Any:
        """What of y lies outside the columns of X."""
        # With no more rows than parameters that is rounding, and would be divided by next to 0.
        return (total - explained) * float(self._free > 0.5)

    def losses(self, alphas: list[float]) -> list[Loss]:
        xp = namespace_of(self.path.g)
        squares = xp.sum(self.path.g**2, axis=1)
        outside = max(float(self._outside(self.sum_of_squares, float(xp.sum(squares)))), 0.0)
        losses = []
        for alpha in alphas:
            damping = self.path.damping(alpha, freedom=self._free > 0.5)
            spared = self._spared(damping)
            # residual / spared and (fitted - leverage × y) / spared, inside and outside of X
            a, b = damping / spared, (spared - damping) / spared
            c, d = 1 / spared, (spared - 1) / spared
            losses.append(
                Loss(
                    float(xp.sum(a * a * squares)) + c * c * outside,
                    float(xp.sum(b * b * squares)) + d * d * outside,
                    float(xp.sum(a * b * squares)) + c * d * outside,
                )
            )
        return losses

    def covariance(self, alpha: float) -> Array:
        """Of the predictions, (d_target, d_target)."""
        g, damping = self.path.g, self.path.damping(alpha, freedom=self._free > 0.5)
        spared = self._spared(damping)
        # (fitted - leverage × y) / (1 - leverage), inside and outside the columns of X
        inside = g.T @ (((spared - damping) ** 2)[:, None] * g)
        outside = (1 - spared) ** 2 * self._outside(self.yy, g.T @ g)
        mean = self.mean_x @ self.path.solution(alpha)
        return (inside + outside) / (spared**2 * self.weight) - mean[:, None] * mean[None, :]
