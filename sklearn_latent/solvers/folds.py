"""Cross-validation of linear maps from moments: a fold's errors need no rows, nor does the rest.

The moments of all folds but one are the sum of theirs, and the squared error of a map on a fold
depends on its moments alone. So cross-validation costs no pass over the data, and works on streams.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import reduce
from operator import add

from .._array import Array, dot, namespace_of
from .._moments import Factor, PairMoments
from .ridge import Loss, RidgePath


@dataclasses.dataclass(frozen=True)
class _Split:
    """One fold, and the path that the other folds give; x in the basis of the path's directions."""

    train: PairMoments  # all other folds, their second moments as the map sees them
    path: RidgePath
    fold: PairMoments
    x: Array  # rows (m, r) of the fold, or their Gram matrix (r, r)
    mean_x: Array  # (r,) and
    mean_y: Array  # (d_target,) relative to those of the other folds, where these are subtracted
    train_mean_y: Array

    @classmethod
    def of(cls, train: PairMoments, fold: PairMoments, path: RidgePath, centred: bool) -> _Split:
        v = path.v
        if isinstance(fold.second, Factor):
            x = fold.second.x @ v
        else:
            x = namespace_of(v).matrix_transpose(v) @ fold.second.xx @ v
        share = 1.0 if centred else 0.0
        train_mean_y = share * train.mean_y
        mean_x = (fold.mean_x - share * train.mean_x) @ v
        return cls(train, path, fold, x, mean_x, fold.mean_y - train_mean_y, train_mean_y)

    def coefficients(self, alpha: float) -> Array:
        """The map from the path's directions to the target, (r, d_target)."""
        path = self.path
        c = (path.s / (path.s**2 + alpha))[:, None] * path.g
        if path.start is None:
            return c
        return c + namespace_of(path.v).matrix_transpose(path.v) @ path.start

    def loss(self, alpha: float) -> Loss:
        xp = namespace_of(self.x)
        c, second = self.coefficients(alpha), self.fold.second
        if isinstance(second, Factor):
            predicted = self.x @ c
            # what a QR factor leaves out of y is beyond the reach of x
            beyond = float(xp.sum(self.fold.ss_y)) - float(dot(second.y, second.y))
            within = Loss.of_rows(second.y - predicted, predicted, None)
            within = within + Loss(max(beyond, 0.0), 0.0, 0.0)
        else:
            xy = xp.matrix_transpose(self.path.v) @ second.xy
            power, product = float(dot(c, self.x @ c)), float(dot(c, xy))
            error = float(xp.sum(self.fold.ss_y)) + power - 2 * product
            within = Loss(max(error, 0.0), power, product - power)
        mean = self.mean_x @ c  # relative to the mean that the map goes through
        between = Loss.of_rows((self.mean_y - mean)[None, :], mean[None, :], None)
        weight = self.fold.weight
        return within + Loss(weight * between.error, weight * between.power, weight * between.cross)

    def predictions(self, alpha: float) -> tuple[Array, Array]:
        """Mean of the predictions, (d_target,), and weighted sums of their products about it."""
        c = self.coefficients(alpha)
        gram = self.x.T @ self.x if isinstance(self.fold.second, Factor) else self.x
        return self.mean_x @ c + self.train_mean_y, c.T @ (gram @ c)


@dataclasses.dataclass(frozen=True)
class FoldJudge:
    """How well ridge solutions predict folds that they were not made of."""

    splits: list[_Split]

    @classmethod
    def from_folds(
        cls,
        folds: list[PairMoments],
        make_path: Callable[[PairMoments], RidgePath],
        *,
        centred: bool,
    ) -> FoldJudge:
        """From the scaled moments of each fold; `make_path` decomposes those of the others.

        `centred` says whether the map goes through the means of both sides.
        """
        splits = []
        for k, fold in enumerate(folds):
            train = reduce(add, folds[:k] + folds[k + 1 :])
            train = train if centred else train.about_zero()
            splits.append(_Split.of(train, fold, make_path(train), centred))
        return cls(splits)

    def towards(self, start: Callable[[PairMoments], Array]) -> FoldJudge:
        """The same for solutions shrunk towards what `start` makes of the other folds."""
        return FoldJudge(
            [
                dataclasses.replace(split, path=split.path.towards(start(split.train)))
                for split in self.splits
            ]
        )

    def trusts(self, alpha: float) -> bool:
        return True

    def losses(self, alphas: list[float]) -> list[Loss]:
        return [reduce(add, (split.loss(alpha) for split in self.splits)) for alpha in alphas]

    def covariance(self, alpha: float) -> Array:
        """Of the predictions, (d_target, d_target)."""
        weights = [split.fold.weight for split in self.splits]
        means, within = zip(*(split.predictions(alpha) for split in self.splits))
        total = sum(weights)
        mean = sum(w * m for w, m in zip(weights, means)) / total
        between = sum(w * (m - mean)[:, None] * (m - mean)[None, :] for w, m in zip(weights, means))
        return (sum(within) + between) / total
