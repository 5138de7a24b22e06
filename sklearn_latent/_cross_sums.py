"""Means, variances and cross-product of float32 pairs at the speed of one GEMM.

Working in float64 throughout would double the cost of the product and add several passes over
copies of twice the size. Here rows stay in float32 and only sums over a block go to float64.
"""

from __future__ import annotations

import dataclasses

import numpy as np

BLOCK_ROWS = 8192  # of one product: long enough for full speed
_PART_ROWS = 128  # of one sum in float32: few enough for its digits, and in the cache
_FIRST_ROWS = 64  # that tell roughly where a column lies

# Products of uncentred rows lose as many digits as the mean exceeds the spread. Centring first
# costs a copy. So it is done only for columns whose mean exceeds _FAR standard deviations; or, if
# there is no such column, for all, where the mean square over the variance, averaged over columns,
# exceeds 1 + _OFF_CENTRE. In less than a block the copy is cheap and the loss greater. So the limit
# falls with the number of rows, down to 1 + _OFF_CENTRE_OF_FEW.
_OFF_CENTRE, _OFF_CENTRE_OF_FEW, _FAR = 1.5, 0.2, 5.0

_LEAST_SQUARE = 1e-30  # on average; below it float32 loses digits of squares

# Frobenius norm of the error of a product, as a share of float32's epsilon and of the norms of both
# sides: above most of what two versions of OpenBLAS showed for 8 to 768 columns, of which few
# round the worst.
_ROUNDING, _ROUNDING_OF_FEW = 0.15, 20.0

_EPS = float(np.finfo(np.float32).eps)
_LARGEST = 0.5 * float(np.finfo(np.float32).max)
# Runs of neighbouring columns of each side, and their length, by which that is checked on the data:
# all over; or, quicker, as many columns in fewer runs at random.
_SPREAD, _DRAWN = (8, 4), (2, 16)

# Sums of squares about the origin, over those about the mean: beyond it the variance has lost too
# many digits, because the first rows were no sample of the others.
_MOST_OFF_CENTRE = 50.0


@dataclasses.dataclass(frozen=True)
class CrossSums:
    """Moments of the pairs about their means."""

    mean_x: np.ndarray  # (d_source,)
    mean_y: np.ndarray  # (d_target,)
    ss_x: np.ndarray  # (d_source,): sums of squared deviations
    ss_y: np.ndarray  # (d_target,)
    # XᵀY, (d_source, d_target), as a matrix, in float32 of a single block, and an outer product
    product: np.ndarray
    left: np.ndarray  # (d_source,)
    right: np.ndarray  # (d_target,)
    rounding: float  # of XᵀY: expected Frobenius norm over sqrt(sum(ss_x) * sum(ss_y))
    is_systematic: bool  # alike in all blocks, as of columns with few values: errors add up

    @classmethod
    def from_arrays(
        cls,
        X: np.ndarray,
        y: np.ndarray,
        *,
        check: bool = True,
        rng: np.random.Generator | None = None,
    ) -> CrossSums | None:
        """Of float32 rows X (n, d_source) and y (n, d_target); None where squares do not fit.

        With `check` the rounding of some columns is looked at: `rng` draws them, else they are
        spread evenly.
        """
        n, shape = X.shape[0], (X.shape[1], y.shape[1])
        x_side, y_side = _Side(X), _Side(y)
        product, share = _sum_blocks(X, y, x_side, y_side, check, rng)
        if not (x_side.fits(X) and y_side.fits(y)):
            return None
        offset_x, offset_y = x_side.sums / n, y_side.sums / n
        ss_x = np.maximum(x_side.squares - n * offset_x**2, 0.0)
        ss_y = np.maximum(y_side.squares - n * offset_y**2, 0.0)
        ratios = [_ratio(x_side.squares, ss_x), _ratio(y_side.squares, ss_y)]
        if max(ratio.max() for ratio in ratios) > _MOST_OFF_CENTRE:
            return None
        off_centre = float(np.prod([ratio.mean() for ratio in ratios])) ** 0.5
        sizes = np.sqrt(np.multiply(x_side.powers, y_side.powers))  # of the products of the blocks
        is_systematic = share > 3 * _usual_rounding(shape)
        return cls(
            mean_x=x_side.origin + offset_x,
            mean_y=y_side.origin + offset_y,
            ss_x=ss_x,
            ss_y=ss_y,
            product=product,
            left=-n * offset_x,
            right=offset_y,
            rounding=_rounding(shape, off_centre, sizes, share, is_systematic),
            is_systematic=is_systematic,
        )


def _sum_blocks(X, y, x_side, y_side, check, rng):
    """XᵀY about the sides' origins, in blocks; what share of rounding was measured."""
    n, total, share = X.shape[0], np.empty(0, dtype=np.float32), 0.0
    for start in range(0, n, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        x_block, y_block = x_side.about_origin(X[rows]), y_side.about_origin(y[rows])
        # before the sums: all threads fetch the rows from memory, or from a mapped file
        product = x_block.T @ y_block
        # To the last block the data may have drifted.
        is_checked = check and (start == 0 or start + BLOCK_ROWS >= n)
        some_x, some_y = (_probes(d, rng) if is_checked else [] for d in product.shape)
        a, b = x_side.add(x_block, some_x), y_side.add(y_block, some_y)
        if is_checked:
            found = _share_of_rounding(a, b, product, some_x, some_y)
            # few rows are no measure of the blocks before them, and add little themselves
            share = max(share, found * (min(1.0, 2 * len(a) / BLOCK_ROWS) if start > 0 else 1.0))
        if start == 0:
            total = product
        elif total.dtype == np.float32:
            total = np.add(total, product, dtype=np.float64)
        else:
            total += product
    return total, share


def largest_rounding(n_rows: int, shape: tuple[int, int]) -> float:
    """What `CrossSums.rounding` will rarely exceed for so many rows; `shape` is that of XᵀY."""
    sizes = [min(BLOCK_ROWS, n_rows - start) for start in range(0, n_rows, BLOCK_ROWS)]
    return _rounding(shape, 2 * _OFF_CENTRE, sizes)  # 1 + _OFF_CENTRE, and what may come later


def _usual_rounding(shape):
    return _ROUNDING + _ROUNDING_OF_FEW / min(shape)


def _rounding(shape, off_centre, sizes, measured=0.0, is_systematic=False):
    """`CrossSums.rounding`; `sizes` are those of the blocks' products, in any unit."""
    if is_systematic:
        return 2 * measured * _EPS * off_centre
    # Errors of blocks are independent: their squares add up.
    total = float(np.sum(sizes))
    independent = float(np.linalg.norm(sizes)) / total if total > 0 else 1.0
    return max(_usual_rounding(shape), measured) * independent * _EPS * off_centre


def _share_of_rounding(a, b, product, some_x, some_t):
    """What `_ROUNDING` is of a product, by those columns of its sides in float64, a and b."""
    some = np.concatenate([_columns(product[rows], some_t) for rows in some_x])
    error = np.linalg.norm(some - a.T @ b)
    size = np.linalg.norm(a) * np.linalg.norm(b) * _EPS
    return float(error / size) if size > 0 else 0.0


def _probes(n_columns, rng):
    """Slices of columns: in short runs, as a row costs time for each."""
    runs, length = _SPREAD if rng is None else _DRAWN
    if n_columns <= runs * length:
        return [slice(0, n_columns)]
    if rng is None:
        starts = np.linspace(0, n_columns - length, runs).astype(int)
    else:
        # Runs may start outside the range and are clipped; otherwise the outermost columns would
        # hardly ever be drawn.
        starts = rng.integers(1 - length, n_columns, size=runs).clip(0, n_columns - length)
    return [slice(start, start + length) for start in starts]


def _columns(rows, slices, out=None):
    """Those columns in float64."""
    dtype = np.float64 if out is None else None
    return np.concatenate([rows[:, some] for some in slices], axis=1, out=out, dtype=dtype)


def _ratio(squares, ss):
    """How many times sums of squares about the mean those about the origin are, where not 0."""
    moves = squares > 0
    if not moves.any():
        return np.ones(1)
    with np.errstate(divide="ignore"):
        return squares[moves] / ss[moves]


class _Side:
    """Sums of the rows of one side about an origin near their mean."""

    def __init__(self, rows):
        first = rows[:_FIRST_ROWS].astype(np.float64)
        mean = first.mean(axis=0)
        first -= mean
        deviation = np.sqrt(np.einsum("ij,ij->j", first, first) / len(first))
        far = np.abs(mean) > _FAR * deviation
        most = max(_OFF_CENTRE_OF_FEW, _OFF_CENTRE * min(1.0, len(rows) / BLOCK_ROWS))
        ratio = _ratio(mean**2 + deviation**2, deviation**2)
        if not far.any() and ratio.mean() > 1 + most:
            far = np.ones_like(far)
        # An equal column keeps exactly its value, and so has no variance at all.
        self.shift = np.where(far, mean, 0.0).astype(np.float32) if far.any() else None
        self.origin = np.zeros(rows.shape[1]) if self.shift is None else self.shift.astype(float)
        self.sums, self.squares = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
        self.powers: list[float] = []  # of each block: the sum of all its squares
        self._ones = np.ones(_PART_ROWS, dtype=np.float32)
        self._squares_of_part = np.empty((_PART_ROWS, rows.shape[1]), dtype=np.float32)

    def about_origin(self, block):
        """The rows of a block, moved."""
        return block if self.shift is None else block - self.shift

    def add(self, block, some):
        """Add the sums of a block about the origin; gives some of its columns in float64."""
        columns = np.empty((len(block), sum(part.stop - part.start for part in some)))
        starts = range(0, len(block), _PART_ROWS)
        sums, squares = np.empty((2, len(starts), block.shape[1]), dtype=np.float32)
        with np.errstate(over="ignore"):  # `fits` tells afterwards
            for i, start in enumerate(starts):
                part = block[start : start + _PART_ROWS]
                if some:
                    _columns(part, some, out=columns[start : start + _PART_ROWS])
                ones, squared = self._ones[: len(part)], self._squares_of_part[: len(part)]
                np.dot(ones, part, out=sums[i])
                # quicker than `einsum`, which has no wide instructions for this
                np.multiply(part, part, out=squared)
                np.dot(ones, squared, out=squares[i])
        of_block = squares.sum(axis=0, dtype=np.float64)
        self.sums += sums.sum(axis=0, dtype=np.float64)
        self.squares += of_block
        self.powers.append(float(of_block.sum()))
        return columns

    def fits(self, rows):
        """Whether no square has overflown, and none has vanished of a column that varies.

        No product of two sides that fit has overflown either (Cauchy and Schwarz).
        """
        if not np.all(self.squares < _LARGEST):
            return False
        small = np.flatnonzero(self.squares < _LEAST_SQUARE * len(rows))
        return small.size == 0 or bool(np.all(rows[:, small] == rows[:1, small]))
