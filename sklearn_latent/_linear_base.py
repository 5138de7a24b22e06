"""`LinearTranslator`: moments → solve → fold, what all linear translators share."""

from __future__ import annotations

import functools
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import get_config
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._affine_map import AffineMap
from ._array import (
    Array,
    asarray_like,
    device_of,
    fits_in,
    is_dask,
    is_numpy,
    namespace_of,
    nonzero,
    row_norms,
    to_numpy,
    vanishes,
)
from ._base import BaseTranslator
from ._fit_blocks import FitBlocksMixin
from ._moments import Kind, PairMoments
from ._scaling import PairScaling, parse_scaling
from ._solved_on_use import SolvedOnUse
from ._validation import check_finite, unchanged_on_error
from .anchors import check_selection
from .solvers.rank import pinv

if TYPE_CHECKING:
    from typing_extensions import Self


class LinearTranslator(FitBlocksMixin, SolvedOnUse, BaseTranslator):
    """A translator that depends on its anchors through their `PairMoments` alone.

    A subclass overrides `_estimate`, and `_kind` to say which moments it needs.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Estimate the map from paired anchors.

        Parameters
        ----------
        X : array-like or Dask array of shape (n_samples, d_source)
            Source latents. Dask arrays are summarised block by block. `RidgeTranslator` and
            `LOrthoTranslator` then judge strengths from these statistics, as in `partial_fit`.
        y : array-like or Dask array of shape (n_samples, d_target) or (n_samples,)
            Target latents; row i of X and y is the same item.
        sample_weight : array-like or Dask array of shape (n_samples,), default=None
            Non-negative weights; a weight of k counts as k repetitions of the row. They do
            not change which rows `n_anchors` chooses.

        Returns
        -------
        self : object
            The fitted translator.
        """
        self._check_parameters()
        with unchanged_on_error(self):
            if any(map(is_dask, (X, y, sample_weight))):
                return self._fit_blocks(X, y, sample_weight)
            return self._fit(X, y, sample_weight)

    def _fit(self, X, y, sample_weight):
        # NaN or infinity in a row that counts makes sums so: `_accumulate` looks there, which saves
        # a pass over X and y.
        all_count = self.n_anchors is None and sample_weight is None
        X, y, weight = self._validate_pairs(X, y, sample_weight, reset=True, finite_later=all_count)
        random_state = check_random_state(self.random_state)
        indices, n_rows = self._choose_anchors(X, weight, random_state), X.shape[0]
        if indices is not None:
            xp = namespace_of(X)
            X, y = xp.take(X, indices, axis=0), xp.take(y, indices, axis=0)
            weight = None if weight is None else xp.take(weight, indices, axis=0)
        self._forget_anchors()
        self._accumulate(X, y, weight, rows_at_hand=True)
        self._anchor_indices, self._n_seen = indices, n_rows
        self._solve(random_state, (X, y, weight))
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Add a batch of paired anchors to those seen so far.

        The map is that of one `fit` on all rows, in whatever batches they came. Exception: where
        `RidgeTranslator` or `LOrthoTranslator` chooses its strength (or `RidgeTranslator` restores
        variance), it judges from the statistics of the batches instead of by leaving rows out, and
        may choose differently. So may ``shrink_to="auto"``, whose folds are then made within each
        batch.

        All rows of positive weight are anchors (`n_anchors` is not used), and ``anchor_indices_``
        counts them as they came. The map is solved for at its first use after a batch.

        Parameters
        ----------
        X : array-like or Dask array of shape (n_samples, d_source)
            Source latents. A Dask array is one batch, which is summarised block by block.
        y : array-like or Dask array of shape (n_samples, d_target) or (n_samples,)
            Target latents; row i of X and y is the same item.
        sample_weight : array-like or Dask array of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The translator.
        """
        self._check_parameters()
        first = getattr(self, "_moments", None) is None
        with unchanged_on_error(self):
            if any(map(is_dask, (X, y, sample_weight))):
                return self._partial_fit_blocks(X, y, sample_weight, first)
            return self._partial_fit(X, y, sample_weight, first)

    def _partial_fit(self, X, y, sample_weight, first):
        X, y, weight = self._validate_pairs(
            X,
            y,
            sample_weight,
            reset=first,
            in_stream=True,
            finite_later=sample_weight is None,
        )
        if first:
            self._forget_anchors()
        self._accumulate(X, y, weight)
        fresh = None if weight is None else np.flatnonzero(to_numpy(weight) > 0)
        self._count_anchors(X.shape[0], fresh)
        self._forget_solution()
        return self

    def _forget_anchors(self):
        self._moments, self._anchor_indices, self._n_seen = None, None, 0

    def inverse_transform(self, y: Any) -> Array:
        """Map target latents back to the source by the pseudo-inverse of the map.

        After `transform` it is the identity where the map loses nothing: a map of full rank with
        d_source <= d_target, and no row normalisation.

        Parameters
        ----------
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents.

        Returns
        -------
        array of shape (n_samples, d_source)
            In the source's raw coordinates and the dtype of y.
        """
        if is_dask(y):
            return self._map_blocks("inverse_transform", y)
        check_is_fitted(self)
        y = self._validate_target(y)
        return self._backward_map().apply(
            y, _norms_to_divide_by if self._scaling.target.unit else None
        )

    @abstractmethod
    def _estimate(
        self, moments: PairMoments, random_state: np.random.RandomState
    ) -> tuple[Array, Array | None]:
        """Solve for W (d_source, d_target) and a bias (or None) between the scaled spaces.

        W is a new array: folding it into raw coordinates writes over it.
        """

    def _estimate_from_rows(
        self,
        moments: PairMoments,
        random_state: np.random.RandomState,
        X: Array,
        y: Array,
        weight: Array | None,
    ) -> tuple[Array, Array | None]:
        """The same where the (unscaled) anchors are at hand, for what moments do not tell.

        It may put better moments, and their scaling, in the place of the estimator's.
        """
        return self._estimate(moments, random_state)

    def _kind(self, X: Array) -> Kind:
        """Which second moments the solver needs of data like X."""
        return "cross"

    def _summarise(
        self,
        X: Array,
        y: Array,
        weight: Array | None,
        kind: Kind,
        unit_rows: tuple[bool, bool],
    ) -> PairMoments:
        """What is kept of a batch."""
        return PairMoments.from_arrays(X, y, weight, kind=kind, unit_rows=unit_rows)

    def _summarise_quickly(
        self,
        X: Array,
        y: Array,
        weight: Array | None,
        kind: Kind,
        unit_rows: tuple[bool, bool],
        rows_at_hand: bool,
    ) -> PairMoments | None:
        """The same less exactly, where that will do; None for never.

        With `rows_at_hand`, `_estimate_from_rows` can still decide against it.
        """
        return None

    def _column_norms(self) -> Array:
        """Norms of the scaled source columns, offsets included: what their rounding grows with."""
        raw: Any = self._moments
        norms = namespace_of(raw.mean_x).sqrt(raw.ss_x + raw.weight * raw.mean_x**2)
        return norms / self._scaling.source.divisor

    def _pinv(self, W: Array) -> Array:
        """Pseudo-inverse of the W that was estimated."""
        return pinv(W, self._dtype_like.dtype)

    def _check_parameters(self) -> None:
        parse_scaling(self.scaling)
        check_selection(self.anchor_selection)

    def _translate(self, X):
        divisors = _norms_to_divide_by if self._scaling.source.unit else None
        examine = None
        if self._examines_parts(X):
            examine = functools.partial(self._refuse_non_finite, X)
        with np.errstate(invalid="ignore"):  # of infinities; `examine` finds them
            return AffineMap(self.coef_, self.intercept_).apply(X, divisors, examine)

    def _examines_parts(self, X):
        return is_numpy(X) and not get_config()["assume_finite"]

    def _refuse_non_finite(self, X, part, out):
        """Raise as validation would if values of this part of the rows of X are not finite.

        One of them makes its whole row of the output so, and a column of that is less to read than
        all of the input. (Of a single column the product may leave out what is multiplied by 0.)
        """
        suspects = out[:, 0] if out.shape[1] > 1 else part
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.sum(suspects)
        if not np.isfinite(total) and not np.isfinite(part).all():
            check_finite("X", X)

    def _statistics(self, X, seen):
        """Of what kind the moments of a batch like X are, and whether sides are of unit rows."""
        if seen is None:
            return self._kind(X), self._unit_rows_asked()
        self._check_parameters_still_fit(X, seen)
        return seen.kind, self._unit_rows_asked()

    def _unit_rows_asked(self):
        """Whether source and target rows are to be normalised."""
        return tuple(kind == "l2" for kind in parse_scaling(self.scaling))

    def _check_parameters_still_fit(self, like, seen):
        """Raise where parameters were changed to what the moments seen so far cannot serve."""
        if self._unit_rows_asked() != self._unit_rows:
            raise ValueError(
                f"scaling is {self.scaling!r} now, but whether rows are normalised cannot change "
                "once batches have been seen. Start again with fit."
            )
        if seen.kind == "cross" and self._kind(like) != "cross":
            raise ValueError(
                f"{self} needs the products of the columns of X among themselves, which the "
                "parameters at the first batch did not ask for. Start again with fit."
            )

    def _accumulate(self, X, y, weight, *, rows_at_hand=False, part_of=None):
        kind, unit_rows = self._statistics(X, self._moments)
        with np.errstate(over="ignore", invalid="ignore"):
            batch = self._summarise_quickly(X, y, weight, kind, unit_rows, rows_at_hand)
            if batch is None:
                batch = self._summarise(X, y, weight, kind, unit_rows)
        if not fits_in(batch.ss_x.dtype, batch.ss_x, batch.ss_y, batch.mean_x, batch.mean_y):
            self._check_finite_pairs(*(part_of or (X, y)))  # rows count from the batch's first
        sides = ((X, batch.ss_x), (y, batch.ss_y))
        vanishing = [
            batch.weight > 0 and vanishes(side, ss / batch.weight, weight) for side, ss in sides
        ]
        self._add(batch, vanishing, X)

    def _add(self, batch, vanishing, like):
        """Add the moments of a batch; `like` says where and in which dtype it was.

        `vanishing` says of X and of y whether their squares are lost to underflow.
        """
        merged, seen = batch, self._moments
        if seen is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                # Statistics follow the newest batch: the stream goes on where its data are now.
                merged = seen.like(batch) + batch
        if not fits_in(merged.ss_x.dtype, merged.ss_x, merged.ss_y):
            raise ValueError(
                f"The squares of X or y overflow {merged.ss_x.dtype}: rescale the latents."
            )
        unit_rows = self._unit_rows_asked()
        for name, vanished, unit in zip("Xy", vanishing, unit_rows):
            if vanished and not unit:
                raise ValueError(
                    f"The squares of {name} vanish in {batch.ss_x.dtype}: rescale the latents."
                )
        wide = seen is not None and "64" in str(self._dtype_like.dtype)
        self._moments, self.n_anchors_, self._unit_rows = merged, merged.n_rows, unit_rows
        # says where and in which dtype the fit was; a view of X would keep all of it alive
        xp = namespace_of(like)
        self._dtype_like = xp.empty(
            (0, 1), dtype=xp.float64 if wide else like.dtype, device=device_of(like)
        )

    def _count_anchors(self, n_rows, fresh):
        """Extend the anchors' row numbers by a batch; None stands for all of its rows."""
        fresh = np.arange(n_rows) if fresh is None else fresh
        if self._anchor_indices is not None or fresh.size < n_rows:
            earlier = self._anchor_indices
            earlier = np.arange(self._n_seen) if earlier is None else to_numpy(earlier)
            self._anchor_indices = np.concatenate([earlier, self._n_seen + fresh])
        self._n_seen += n_rows

    def _solve(self, random_state, rows=None):
        """From moments to the folded map: sets `coef_`, `intercept_` and what `_estimate` sets.

        `rows` are the anchors (X, y, weight) that the moments were made of, where at hand.
        """
        self._check_number_of_anchors(self._moments.n_rows)
        self._moments = self._moments.settled()
        self._check_parameters_still_fit(self._dtype_like, self._moments)
        self._scaling = PairScaling.from_moments(self._moments, self.scaling)
        with np.errstate(over="ignore", invalid="ignore"):  # an error below says what happened
            scaled = self._scaling.apply(self._moments)
            if rows is None:
                W, bias = self._estimate(scaled, random_state)
            else:
                # this may replace moments and scaling by more exact ones
                W, bias = self._estimate_from_rows(scaled, random_state, *rows)
            bias = namespace_of(W).zeros_like(self._scaling.target.shift) if bias is None else bias
            folded = self._scaling.fold(W, bias)
        if not fits_in(self._dtype_like.dtype, folded.coef, folded.intercept):
            raise ValueError(
                f"The map of {type(self).__name__} overflows {self._dtype_like.dtype}: the ranges "
                "of X and y are too far apart. Rescale them, or give float64."
            )
        self.coef_ = asarray_like(folded.coef, self._dtype_like)
        self.intercept_ = asarray_like(folded.intercept, self._dtype_like)
        self._backward = None
        self._unsolved = False

    def _backward_map(self):
        """The affine map target → source, made at its first use."""
        coef = self.coef_
        if self._backward is None:
            scaling, target = self._scaling, self._scaling.target
            # x = (y - bias) W⁺ between the scaled spaces, the bias being what W makes of 0
            origin = scaling.source.shift
            bias = asarray_like(self.intercept_, origin) + asarray_like(coef, origin) @ origin
            bias = (bias - target.shift) / target.scale
            inverse = self._pinv(scaling.unfold(coef))
            self._backward = scaling.swapped().fold(inverse, -(bias @ inverse))
        return self._backward

    @property
    def anchor_indices_(self) -> Array:
        """Indices of the rows that served as anchors, (n_anchors_,), in the order chosen."""
        check_is_fitted(self)
        like = self._dtype_like
        if self._anchor_indices is not None:
            return asarray_like(self._anchor_indices, like, dtype=namespace_of(like).int64)
        return namespace_of(like).arange(self.n_anchors_, device=device_of(like))

    def __getstate__(self):
        if self.__dict__.get("_moments") is not None:
            self._moments = self._moments.settled()  # one sum is stored, not those it waits for
        state = super().__getstate__()
        if "_backward" in state:
            # Kept for the next `inverse_transform` alone: an interrupted `transform_file` knows a
            # translator by its pickle.
            state["_backward"] = None
        return state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        return tags


def _norms_to_divide_by(rows):
    return nonzero(row_norms(rows))
