"""`FitBlocksMixin`: `fit` and `partial_fit` of the linear translators on Dask arrays."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from ._array import is_dask
from ._validation import column_names
from .distributed import PairedBlocks, shape_of


class FitBlocksMixin:
    """What `LinearTranslator` does with Dask arrays: all but the moments is as in memory."""

    def _fit_blocks(self, X, y, sample_weight):
        """`fit` on Dask arrays: in one pass, or over the blocks alone that anchors are in."""
        blocks = self._validate_blocks(X, y, sample_weight, reset=True)
        random_state = check_random_state(self.random_state)
        indices = self._choose_from_blocks(blocks, random_state)
        batch = self._reduce_blocks(blocks, None, indices)
        if not batch.moments.weight > 0:
            raise ValueError("sample_weight is zero for every row: give a positive weight to some.")
        self._forget_anchors()
        self._add(batch.moments, batch.vanishing, blocks.no_rows())
        if indices is None:
            self._anchor_indices, self._n_seen = batch.used, batch.n_rows
        else:
            self._anchor_indices, self._n_seen = indices, blocks.n_rows
        self._solve(random_state)
        return self

    def _partial_fit_blocks(self, X, y, sample_weight, first):
        """`partial_fit` on Dask arrays, one batch."""
        blocks = self._validate_blocks(X, y, sample_weight, reset=first)
        batch = self._reduce_blocks(blocks, None if first else self._moments)
        if first:
            self._forget_anchors()
        self._add(batch.moments, batch.vanishing, blocks.no_rows())
        self._count_anchors(batch.n_rows, batch.used)
        self._forget_solution()
        return self

    def _validate_blocks(self, X, y, sample_weight, *, reset):
        """`_validate_pairs` as far as shapes go; values are checked where blocks are computed."""
        names = None if is_dask(y) else column_names(y)
        blocks = PairedBlocks.from_arrays(X, y, sample_weight)
        validate_data(self, X, reset=reset, skip_check_array=True)
        shape = shape_of(y)
        n_columns = 1 if len(shape) == 1 else shape[1]
        self._check_target_dimension(n_columns, reset)
        self._check_target_names(names, reset)
        if reset:
            self._n_features_out, self._y_is_1d = n_columns, len(shape) == 1
        return blocks

    def _choose_from_blocks(self, blocks, random_state):
        """Indices of the anchors, or None for all rows of positive weight."""
        if self.n_anchors is None:
            return None
        if self.anchor_selection != "uniform":
            raise ValueError(
                f"anchor_selection={self.anchor_selection!r} needs all rows of X in memory. On "
                "Dask arrays use 'uniform', or choose rows of a subsample and pass these."
            )
        if blocks.n_rows is None:
            raise ValueError(
                "n_anchors needs the number of rows, which Dask does not know: call "
                "compute_chunk_sizes() on X and y first, or use n_anchors=None."
            )
        rows = np.empty((blocks.n_rows, 0))  # a uniform choice looks at their number alone
        return self._choose_anchors(rows, blocks.weights_in_memory(), random_state)

    def _reduce_blocks(self, blocks, seen, rows=None):
        kind, unit_rows = self._statistics(blocks.no_rows(), seen)
        worker = clone(self)  # the parameters, without what was fitted
        batch = blocks.reduce(worker._summarise, kind, unit_rows, rows=rows)
        if batch.moments is None:
            raise ValueError("Found no rows in any block of X; at least 1 is needed.")
        return batch
