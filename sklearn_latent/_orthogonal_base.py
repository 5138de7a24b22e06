"""`OrthogonalTranslator`: from which precision of XᵀY a map by rotation is exact enough."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from typing import Any

import numpy as np

from ._array import Array, to_numpy
from ._cross_sums import BLOCK_ROWS, largest_rounding
from ._linear_base import LinearTranslator
from ._moments import PairMoments, saves_time
from ._scaling import PairScaling
from ._validation import warn
from .exceptions import AnchorWarning
from .solvers.procrustes import (
    TooCoarse,
    expected_error,
    rough_singular_values,
    singular_values,
)

# What sums in float32 may cost, relative to the norm of the map.
_EXACT = 5e-6
_COARSE = 2e-5  # and from where on that is worth a warning

# Rows per dimension from which on the singular values tell what those of all the stream will be.
_ROWS_TO_JUDGE_BY = 4

_CHECKED = 0.1  # share of the batches of a stream of which rounding is looked at


class OrthogonalTranslator(LinearTranslator):
    """A translator that needs the cross-product of its anchors alone.

    Float32 anchors are multiplied in float32, at twice the speed, where the singular values show
    that this is exact enough. `fit` looks afterwards, and sums again in float64 if it was not. In a
    stream rows do not come back: unless its first batch is large enough to tell, it begins in
    float64, and goes on in float32 once enough rows have shown that it may.
    """

    _singular_values: Array | None
    # Whether the rest of a stream may be multiplied in float32, by scaling; none while undecided.
    _float32_suffices: dict[str, bool]
    _adds_up_badly: bool  # whether rounding was found to be far more than what is usual
    _n_unchecked: int | None  # rows in float32 since it was last looked for; None before that

    @property
    def singular_values_(self) -> Array:
        try:
            self._ensure_solved()
        except ValueError as error:
            raise AttributeError(str(error)) from error
        if self._singular_values is None:
            self._singular_values = singular_values(self._aligned(self._scaled_moments()).second)
        return self._singular_values

    @property
    def _in_float32(self):
        return "32" in str(self._dtype_like.dtype)

    def _forget_anchors(self):
        super()._forget_anchors()
        self._float32_suffices, self._adds_up_badly, self._n_unchecked = {}, False, None

    @abstractmethod
    def _aligned(self, moments: PairMoments) -> PairMoments:
        """The moments of scaled anchors whose XᵀY the map is the polar factor of."""

    @abstractmethod
    def _estimate(
        self, moments: PairMoments, random_state: Any, limit: float = float("inf")
    ) -> tuple[Array, Array | None]:
        """As of `LinearTranslator`; raises `TooCoarse` where an error above `limit` is expected."""

    def _scaled_moments(self):
        return self._scaling.apply(self._moments)

    def _may_sum_quickly(self):
        return True

    def _accumulate(self, X, y, weight, *, rows_at_hand=False, part_of=None):
        quick = weight is None and saves_time(X, y) and self._may_sum_quickly()
        if quick and not rows_at_hand and self._moments is not None:
            # no more rows in float64 than the rest of the stream is judged by
            n_first = _ROWS_TO_JUDGE_BY * max(X.shape[1], y.shape[1]) - self._moments.n_rows
            if 0 < n_first <= X.shape[0] - n_first:
                part_of = X, y
                super()._accumulate(X[:n_first], y[:n_first], None, part_of=part_of)
                X, y = X[n_first:], y[n_first:]
        super()._accumulate(X, y, weight, rows_at_hand=rows_at_hand, part_of=part_of)

    def _summarise_quickly(self, X, y, weight, kind, unit_rows, rows_at_hand):
        plain = weight is None and not any(unit_rows) and kind == "cross"
        if not (plain and saves_time(X, y) and self._may_sum_quickly()):
            return None
        if rows_at_hand:
            return PairMoments.quickly(X, y)
        key, seen = repr(self.scaling), self._moments
        if seen is None:
            may = X.shape[0] >= _ROWS_TO_JUDGE_BY * max(X.shape[1], y.shape[1])
        else:
            may = self._suffices(key, seen)
        batch = self._sum_in_stream(X, y) if may else None
        return batch if batch is not None and self._suffices(key, batch) else None

    def _sum_in_stream(self, X, y):
        """Moments in float32 of a batch, or None where they are too coarse; some are checked."""
        n_rows, rng = X.shape[0], None
        # The first batch in float32 is looked at all over, some of the others in ever other places.
        checked = self._n_unchecked is None
        if not checked:
            rng = np.random.default_rng(self._moments.n_rows)
            checked = rng.random() < _CHECKED * max(1.0, n_rows / BLOCK_ROWS)
        batch = PairMoments.quickly(X, y, few=True, check=checked, rng=rng)
        if batch is None:
            return None
        if batch.is_systematic:
            self._distrust(batch.rounding)
            return None
        self._n_unchecked = 0 if checked else self._n_unchecked + n_rows
        return batch

    def _distrust(self, rounding):
        """No more float32; what was summed since the last check is taken to be as coarse."""
        self._adds_up_badly = True
        if self._n_unchecked:
            seen = self._moments
            # errors that are not random add up themselves, not their squares
            suspected = rounding * self._n_unchecked / seen.n_rows
            self._moments = dataclasses.replace(seen, rounding=math.hypot(seen.rounding, suspected))

    def _suffices(self, key, seen):
        """Whether, by these anchors, the rest of the stream may be multiplied in float32."""
        if self._adds_up_badly:
            return False
        if key not in self._float32_suffices:
            shape = seen.mean_x.shape[0], seen.mean_y.shape[0]
            if seen.n_rows < _ROWS_TO_JUDGE_BY * max(shape):
                return False
            scaled = self._aligned(PairScaling.from_moments(seen, self.scaling).apply(seen))
            # those too small to be found this way are far below the error, and so too small anyway
            values = rough_singular_values(to_numpy(scaled.second.xy))
            rounding = max(largest_rounding(seen.n_rows, shape), seen.rounding)
            error = dataclasses.replace(scaled, rounding=rounding).error()
            suffices = expected_error(values, error, shape) <= _EXACT
            # a new dict, as a batch that is refused afterwards has decided nothing
            self._float32_suffices = {**self._float32_suffices, key: suffices}
        return self._float32_suffices[key]

    def _estimate_from_rows(
        self, moments: PairMoments, random_state: Any, X: Array, y: Array, weight: Array | None
    ) -> tuple[Array, Array | None]:
        try:
            return self._estimate(moments, random_state, limit=_EXACT)
        except TooCoarse:
            pass
        self._moments = PairMoments.from_arrays(X, y, None, kind="cross")
        self._scaling = PairScaling.from_moments(self._moments, self.scaling)
        return self._estimate(self._scaled_moments(), random_state)

    def _solve(self, random_state, rows=None):
        super()._solve(random_state, rows)
        if rows is None and self._moments.rounding > 0:
            error = self._expected_error(self._scaled_moments())
            if error > _COARSE:
                exact = f"is exact to about {error:.0e} only" if error < 1 else "lacks directions"
                warn(
                    f"The map of {type(self).__name__} {exact}: the anchors vary little in some "
                    "directions, too little for sums in float32. Give batches in float64, or all "
                    "anchors to fit.",
                    AnchorWarning,
                )

    def _expected_error(self, moments):
        """Of the map that was estimated from these scaled moments."""
        error = self._aligned(moments).error() if moments.rounding > 0 else 0.0
        shape = moments.mean_x.shape[0], moments.mean_y.shape[0]
        return expected_error(self._singular_values, error, shape) if error > 0 else 0.0
