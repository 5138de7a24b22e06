"""`PairMoments`: all that a linear translator needs to know of its anchors, and how to merge it.

Procrustes, least squares and full-batch gradient descent depend on the paired rows (x, y) only
through their number, their means and their cross-products. Those fit in memory however long the
data, and those of two halves of the data merge into those of the whole, so one statistic serves
`fit`, `partial_fit` and distributed reductions alike.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Literal

import numpy as np

from ._array import (
    Array,
    asarray_like,
    fits_in,
    is_numpy,
    namespace_of,
    nonzero,
    qr,
    row_norms,
    same_place,
    widest_float,
)
from ._cross_sums import CrossSums
from ._second_moments import Factor, PendingProducts, Products, add_pair, merge

Kind = Literal["cross", "gram", "factor"]
"""What a solver needs of the second moments.

``"cross"``: XᵀY alone. ``"gram"``: XᵀX as well. ``"factor"``: both, as a QR factor, whose
condition number is that of X where XᵀX would square it.
"""


def accurate_kind(X: Array) -> Kind:
    """The moments that give least squares all the digits which X's dtype has."""
    # The Gram matrix in float64 loses cond² × 1e-16, which is below float32's own cond × 6e-8.
    return "gram" if X.dtype == namespace_of(X).float32 else "factor"


# Rows × columns of one block: 32 MB in float32, long enough for a GEMM at full speed.
_BLOCK_ELEMENTS = 2**23
# Where a block is passed over many times; but each pass reads a whole map as well.
_CACHED_ELEMENTS, _LEAST_ROWS = 2**21, 512

# Elements of XᵀY from which on it matters in which precision it is summed.
_LEAST_PRODUCT = 2**12


@dataclasses.dataclass(frozen=True)
class PairMoments:
    """Mergeable first and second moments of weighted pairs (x, y); ``a + b`` merges.

    Means are those of all rows so far and second moments are centred on them (Chan, Golub &
    LeVeque, 1983), because uncentred sums lose as many digits as the mean exceeds the spread.
    """

    kind: Kind
    n_rows: int
    weight: float
    mean_x: Array  # (d_source,)
    mean_y: Array  # (d_target,)
    ss_x: Array  # (d_source,): weighted sums of squared deviations
    ss_y: Array  # (d_target,)
    # Weighted mean of the row norms, where rows are normalised, else 0. Not their sum: products of
    # small weights and norms vanish.
    mean_norm_x: float
    mean_norm_y: float
    second: Factor | Products
    parts: tuple[PairMoments, ...] = ()  # others that an estimator wants merged along with these
    # Of XᵀY where rows were summed in float32, else 0: expected error, in the Frobenius norm, as a
    # share of the root of sum(ss_x) * sum(ss_y).
    rounding: float = 0.0
    is_systematic: bool = False  # whether such errors add up, and not their squares

    @classmethod
    def from_arrays(
        cls,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        *,
        kind: Kind,
        unit_rows: tuple[bool, bool] = (False, False),
    ) -> PairMoments:
        """Moments of the rows of X (n, d_source) and y (n, d_target), one pass in blocks.

        `unit_rows` says for X and for y whether rows are divided by their norm (``scaling="l2"``).
        """
        total: PairMoments | None = None
        for rows in row_blocks(X.shape[0], X.shape[1] + y.shape[1]):
            w = None if sample_weight is None else sample_weight[rows]
            block = cls._from_block(X[rows, :], y[rows, :], w, kind, unit_rows)
            total = block if total is None else total + block
        assert total is not None, "validation lets no empty X through"
        return total

    @classmethod
    def quickly(
        cls,
        X: Array,
        y: Array,
        *,
        few: bool = False,
        check: bool = True,
        rng: np.random.Generator | None = None,
    ) -> PairMoments | None:
        """Moments of kind "cross" by products in float32, at twice the speed.

        Exact to about 1e-7 of the largest singular value of XᵀY: enough where the smallest is not
        far below it. None where X and y are not in float32, where it is too narrow for their
        squares, and where float64 is quick enough: for few rows (unless `few`) or columns.
        With `check` the rounding of some columns is looked at: `rng` draws them, else they are
        spread evenly.
        """
        is_long = few or X.shape[0] > min(X.shape[1], y.shape[1])
        if not is_long or not saves_time(X, y):
            return None
        sums, n_rows = CrossSums.from_arrays(X, y, check=check, rng=rng), X.shape[0]
        if sums is None:
            return None
        return cls(
            kind="cross",
            n_rows=n_rows,
            weight=float(n_rows),
            mean_x=sums.mean_x,
            mean_y=sums.mean_y,
            ss_x=sums.ss_x,
            ss_y=sums.ss_y,
            mean_norm_x=0.0,
            mean_norm_y=0.0,
            second=PendingProducts((sums.product,), (sums.left,), (sums.right,)),
            rounding=sums.rounding,
            is_systematic=sums.is_systematic,
        )

    @classmethod
    def _from_block(cls, X, y, w, kind, unit_rows):
        xp = namespace_of(X)
        if w is None:
            n_rows, weight = X.shape[0], float(X.shape[0])
        else:
            w = xp.astype(w, widest_float(X))
            n_rows, weight = int(xp.sum(xp.astype(w > 0, xp.int64))), float(xp.sum(w))
        x_rows, mean_x, mean_norm_x = _centred_rows(X, w, weight, unit_rows[0])
        y_rows, mean_y, mean_norm_y = _centred_rows(y, w, weight, unit_rows[1])
        moments = cls(
            kind=kind,
            n_rows=n_rows,
            weight=weight,
            mean_x=mean_x,
            mean_y=mean_y,
            ss_x=xp.sum(xp.square(x_rows), axis=0),
            ss_y=xp.sum(xp.square(y_rows), axis=0),
            mean_norm_x=mean_norm_x,
            mean_norm_y=mean_norm_y,
            second=Factor(x_rows, y_rows),
        )
        return moments._compressed()

    @property
    def row_limit(self) -> int:
        """The number of rows up to which keeping them is the cheapest form."""
        d_source, d_target = self.mean_x.shape[0], self.mean_y.shape[0]
        return min(d_source, d_target) if self.kind == "cross" else d_source

    def _compressed(self) -> PairMoments:
        if isinstance(self.second, Products) or self.second.x.shape[0] <= self.row_limit:
            return self
        if self.kind == "factor":
            q, r = qr(self.second.x)
            return dataclasses.replace(self, second=Factor(r, q.T @ self.second.y))
        products = self.second.products(gram=self.kind == "gram")
        return dataclasses.replace(self, second=products)

    def __add__(self, other: PairMoments) -> PairMoments:
        if not isinstance(other, PairMoments):
            return NotImplemented
        if self.kind != other.kind:
            raise ValueError(f"Cannot merge moments of kind {self.kind!r} and {other.kind!r}.")
        other = other.like(self)
        weight = self.weight + other.weight
        share = other.weight / weight if weight > 0 else 0.0
        delta_x, delta_y = other.mean_x - self.mean_x, other.mean_y - self.mean_y
        between = self.weight * share  # = w_a w_b / (w_a + w_b)
        # From the heavier mean: starting at one far away, of next to no weight, would cost digits.
        back = self.weight / weight if weight > 0 else 0.0
        heavier, step = (self, share) if share < 0.5 else (other, -back)
        ss_x = self.ss_x + other.ss_x + between * delta_x**2
        ss_y = self.ss_y + other.ss_y + between * delta_y**2
        merged = PairMoments(
            kind=self.kind,
            n_rows=self.n_rows + other.n_rows,
            weight=weight,
            mean_x=heavier.mean_x + step * delta_x,
            mean_y=heavier.mean_y + step * delta_y,
            ss_x=ss_x,
            ss_y=ss_y,
            mean_norm_x=back * self.mean_norm_x + share * other.mean_norm_x,
            mean_norm_y=back * self.mean_norm_y + share * other.mean_norm_y,
            second=merge(self.second, other.second, between, delta_x, delta_y),
            parts=tuple(a + b for a, b in zip(self.parts, other.parts)),
        )
        errors = self.error(), other.error()
        if any(errors):
            systematic = self.is_systematic or other.is_systematic
            error = sum(errors) if systematic else math.hypot(*errors)
            merged = dataclasses.replace(
                merged, rounding=error / merged._size(), is_systematic=systematic
            )
        return merged._compressed()

    def _size(self) -> float:
        """What `rounding` is a share of."""
        xp = namespace_of(self.ss_x)
        return float(xp.sum(self.ss_x)) ** 0.5 * float(xp.sum(self.ss_y)) ** 0.5

    def error(self) -> float:
        """Frobenius norm of the error that XᵀY is expected to have of sums in float32."""
        return self.rounding * self._size() if self.rounding > 0 else 0.0

    def like(self, other: PairMoments) -> PairMoments:
        """The same moments in the array library and on the device of `other`."""
        if same_place(self.mean_x, other.mean_x):
            return self
        return _map_arrays(self.settled(), lambda array: asarray_like(array, other.mean_x))

    def settled(self) -> PairMoments:
        """The same with no sums left to be made."""
        if not isinstance(self.second, PendingProducts):
            return self
        return dataclasses.replace(self, second=Products(self.second.xy, None))

    def gram(self) -> Array:
        """XᵀX as `second` holds it, (d_source, d_source)."""
        second = self.second
        return second.x.T @ second.x if isinstance(second, Factor) else second.xx

    def scaled(self, shift_x: Array, scale_x: Array, shift_y: Array, scale_y: Array) -> PairMoments:
        """Moments of ``(x - shift_x) / scale_x`` and ``(y - shift_y) / scale_y``."""
        xp, second = namespace_of(scale_x), self.second
        if bool(xp.all(scale_x == 1)) and bool(xp.all(scale_y == 1)):
            pass  # nothing to divide, where that would be a pass over large matrices
        elif isinstance(second, Factor):
            second = Factor(second.x / scale_x[None, :], second.y / scale_y[None, :])
        else:
            xy = second.xy / (scale_x[:, None] * scale_y[None, :])
            xx = None if second.xx is None else second.xx / (scale_x[:, None] * scale_x[None, :])
            second = Products(xy, xx)
        return dataclasses.replace(
            self,
            mean_x=(self.mean_x - shift_x) / scale_x,
            mean_y=(self.mean_y - shift_y) / scale_y,
            ss_x=self.ss_x / scale_x**2,
            ss_y=self.ss_y / scale_y**2,
            second=second,
        )

    def about_zero(self) -> PairMoments:
        """The same data, its second moments (and sums of squares) about the origin."""
        xp = namespace_of(self.mean_x)
        if not bool(xp.any(self.mean_x != 0)) and not bool(xp.any(self.mean_y != 0)):
            return self
        with np.errstate(over="ignore"):
            ss_x = self.ss_x + self.weight * self.mean_x**2
            ss_y = self.ss_y + self.weight * self.mean_y**2
        if not fits_in(ss_x.dtype, ss_x, ss_y):
            raise ValueError(
                f"The squares of X or y overflow {ss_x.dtype}: rescale the latents, or centre them."
            )
        second = add_pair(self.second, self.weight, self.mean_x, self.mean_y)
        return dataclasses.replace(self, ss_x=ss_x, ss_y=ss_y, second=second)


def saves_time(X: Array, y: Array) -> bool:
    """Whether products in float32 are possible and worth it."""
    is_large = X.shape[1] * y.shape[1] >= _LEAST_PRODUCT
    return is_large and all(is_numpy(a) and a.dtype == "float32" for a in (X, y))


def row_blocks(n_rows: int, n_columns: int, *, in_cache: bool = False) -> Iterator[slice]:
    """Slices of rows that are worked on together."""
    step = max(1, _BLOCK_ELEMENTS // n_columns)
    if in_cache:
        step = min(step, max(_LEAST_ROWS, _CACHED_ELEMENTS // n_columns))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def _centred_rows(side, w, weight, unit_rows):
    """Rows of one side, centred and times the root of their weight; their mean; mean norm."""
    xp = namespace_of(side)
    rows = xp.astype(side, widest_float(side), copy=True)
    if not weight > 0:
        return xp.zeros_like(rows), xp.zeros_like(rows[0, :]), 0.0
    mean_norm = 0.0
    if unit_rows:
        norms = row_norms(rows)
        mean_norm = float(xp.sum(norms / weight if w is None else norms * (w / weight)))
        rows /= nonzero(norms)[:, None]
    # Relative to one of its rows first, one that counts: then a constant column is centred to exact
    # zeros, which no scaling or inverse can blow up, and a mean far from 0 costs no digits.
    origin = xp.asarray(rows[0 if w is None else int(xp.argmax(w)), :], copy=True)
    rows -= origin[None, :]
    sums = xp.sum(rows, axis=0) if w is None else w @ rows
    offset = sums / weight
    rows -= offset[None, :]
    if w is not None:
        rows *= xp.sqrt(w)[:, None]
    return rows, origin + offset, mean_norm


def _map_arrays(value, function):
    """Apply `function` to every array of a (nested) dataclass."""
    changes = {}
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if isinstance(item, tuple):
            changes[field.name] = tuple(_map_arrays(part, function) for part in item)
        elif dataclasses.is_dataclass(item):
            changes[field.name] = _map_arrays(item, function)
        elif hasattr(item, "shape"):
            changes[field.name] = function(item)
    return dataclasses.replace(value, **changes)
