"""What translators share that choose the strength of a penalty by how well it predicts."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._array import Array, is_numpy, namespace_of
from ._linear_base import LinearTranslator
from ._moments import Kind, PairMoments, accurate_kind, row_blocks
from ._scaling import parse_scaling
from ._validation import check_alpha
from .solvers.items import item_weights
from .solvers.ridge import Block, GeneralizedCrossValidation, Judge, LeaveOneOut, RidgePath

_TIE = 1e-6  # relative; what rounding may make of equal errors

_LEAST_SCALE = 1e-12  # of y, and its inverse the largest, for squares in float32
# Float32 loses the variance where squares exceed it by more than this, and residuals where
# their share of the variance is below this.
_FAR_FROM_ZERO, _LEAST_RESIDUAL = 1e4, 1e-6


class RegularizedTranslator(LinearTranslator):
    """A linear translator with a parameter ``alpha``: a number, several, or None for a grid.

    A subclass overrides `_regularize`, which is given the path of ridge solutions and a judge of
    them: exact leave-one-out in `fit`, which has the rows; in `partial_fit` from the moments.
    """

    alpha: Any

    @abstractmethod
    def _regularize(
        self, moments: PairMoments, path: RidgePath, judge: Judge
    ) -> tuple[Array, Array | None]:
        """Choose a strength and solve, as `_estimate` does; sets what the fit is to have."""

    def _estimate(self, moments: PairMoments, random_state: Any) -> tuple[Array, Array | None]:
        moments = self._about_offset(moments)
        path = self._decompose(moments)
        mean_x = moments.mean_x * (0.0 if self._has_offset() else 1.0)
        judge = GeneralizedCrossValidation(
            path=path,
            sum_of_squares=float(namespace_of(moments.ss_y).sum(moments.ss_y)),
            mean_x=mean_x,
            n_rows=moments.n_rows,
            weight=moments.weight,
            n_means=1 if self._is_centred() else 0,
            yy=self._target_products(moments),
        )
        return self._regularize(moments, path, judge)

    def _estimate_from_rows(
        self, moments: PairMoments, random_state: Any, X: Array, y: Array, weight: Array | None
    ) -> tuple[Array, Array | None]:
        has_offset = self._has_offset()
        spread = moments
        moments = self._about_offset(moments)
        path = self._decompose(moments)
        float32_suffices = _residuals_fit_float32(spread, moments, path)
        n_items, together = item_weights(X, y, weight)

        def blocks() -> Iterator[Block]:
            for rows in row_blocks(X.shape[0], X.shape[1] + y.shape[1], in_cache=is_numpy(X)):
                x_rows, y_rows = self._scaling.rows(X[rows, :], y[rows, :])
                if has_offset:
                    x_rows, y_rows = x_rows - moments.mean_x, y_rows - moments.mean_y
                weights = (None if w is None else w[rows] for w in (weight, together))
                yield x_rows, y_rows, *weights

        if weight is not None:  # else no row is further out than √n deviations
            float32_suffices = float32_suffices and all(
                _squares_fit(x) and _squares_fit(y) for x, y, *_ in blocks()
            )
        origin = moments.mean_y * (0.0 if has_offset else 1.0)
        n_means = 1 if self._is_centred() else 0
        float32_suffices = float32_suffices and n_items > 2 * path.rank
        judge = LeaveOneOut(
            path=path,
            blocks=blocks,
            n_rows=X.shape[0],
            mean_leverage=n_means / moments.weight,
            origin=origin,
            freedom=n_items > path.rank + n_means,
            dtype=self._dtype_like.dtype if float32_suffices else None,
        )
        return self._regularize(moments, path, judge)

    def _target_products(self, moments: PairMoments) -> Array | None:
        """YᵀY, (d_target, d_target), where `_regularize` needs it."""
        return None

    def _has_offset(self) -> bool:
        """Whether an offset between the scaled spaces is estimated."""
        return bool(getattr(self, "fit_intercept", False))

    def _about_offset(self, moments: PairMoments) -> PairMoments:
        """Moments as the map sees them: about the means only where it has an offset."""
        return moments if self._has_offset() else moments.about_zero()

    def _is_centred(self) -> bool:
        """Whether the map goes through the means of both sides."""
        kinds = parse_scaling(self.scaling)
        return self._has_offset() or all(kind in ("standard", "center") for kind in kinds)

    def _decompose(self, moments: PairMoments) -> RidgePath:
        dtype = self._dtype_like.dtype
        return RidgePath.from_moments(moments.second, self._column_norms(), dtype)

    def _kind(self, X: Array) -> Kind:
        return accurate_kind(X)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_alpha(self.alpha)

    def _alphas(self, path: RidgePath) -> list[float]:
        if self.alpha is None:
            return path.grid()
        return [float(alpha) for alpha in np.atleast_1d(self.alpha)]

    def _choose(self, path: RidgePath, judge: Judge, *, stretched: bool) -> Choice:
        """Compare strengths by the squared errors of predictions of rows that were left out.

        `stretched`: after the best common factor, for maps whose lengths are changed afterwards.
        """

        def totals(alphas):
            losses = judge.losses(alphas)
            errors = [loss.stretched if stretched else loss.error for loss in losses]
            if not all(map(math.isfinite, errors)):
                raise ValueError(
                    "Errors of rows that were left out overflow: rescale the latents, or leave out "
                    "rows that are far from all others."
                )
            return errors

        alphas = self._alphas(path)
        alphas = list(filter(judge.trusts, alphas)) or [max(alphas)]
        choice = Choice(alphas, totals(alphas))
        if self.alpha is None:
            finer = list(filter(judge.trusts, path.finer(choice.alpha)))
            both = zip(alphas + finer, choice.errors + totals(finer))
            strongest_first = sorted(both, reverse=True)
            choice = Choice(
                [alpha for alpha, _ in strongest_first], [error for _, error in strongest_first]
            )
        return choice


def _residuals_fit_float32(centred: PairMoments, moments: PairMoments, path: RidgePath) -> bool:
    """Whether residuals are far above the rounding of y in float32, and squares fit.

    `centred` are the moments about the means, `moments` those of the map, which may be about zero.
    """
    xp = namespace_of(centred.ss_y)
    variance = float(xp.sum(centred.ss_y))
    scale = (variance / (centred.weight * centred.ss_y.shape[0])) ** 0.5
    power = float(xp.sum(moments.ss_y))
    unexplained = power - float(xp.sum(path.g**2))
    return (
        _LEAST_SCALE < scale < 1 / _LEAST_SCALE
        and power < _FAR_FROM_ZERO * variance
        and unexplained > _LEAST_RESIDUAL * power
    )


def _squares_fit(rows: Array) -> bool:
    """Whether squares of scaled rows fit in float32, by far."""
    xp = namespace_of(rows)
    # The square is 1e30: float32, which ends at 3e38, holds the sum of 1e8 of them.
    return float(xp.max(xp.abs(rows))) < 1e15


@dataclasses.dataclass
class Choice:
    """Strengths, and the sums of squared errors of predictions with each."""

    alphas: list[float]
    errors: list[float]

    @property
    def best(self) -> int:
        # Of those that differ by rounding alone the strongest, so that all libraries choose alike.
        good = min(self.errors) * (1 + _TIE)
        candidates = [i for i, error in enumerate(self.errors) if error <= good]
        return max(candidates, key=lambda i: self.alphas[i])

    @property
    def alpha(self) -> float:
        return self.alphas[self.best]

    @property
    def error(self) -> float:
        return self.errors[self.best]

    def beats(self, other: Choice) -> bool:
        """Whether the error is lower by more than rounding."""
        return self.error < other.error * (1 - _TIE)
