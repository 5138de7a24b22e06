"""Pairs, labels and decoder as `compare_translators` was given them, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_array

from .._array import accepted_dtypes, without_graph
from .._validation import check_no_missing, check_same_index


@dataclass(frozen=True)
class Pairs:
    """Row i of X, y and labels is one item. DataFrames stay such: pipelines may need the names."""

    X: Any
    y: Any
    decoder: Any = None
    labels: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        """Number of pairs."""
        return self.X.shape[0]

    @property
    def dimensions(self) -> tuple[int, int]:
        """Columns of X and of y."""
        return self.X.shape[1], self.y.shape[1] if self.y.ndim > 1 else 1


def check_pairs(X: Any, y: Any, decoder: Any = None, labels: Any = None) -> Pairs:
    """`Pairs`, or an error that says what is wrong with them."""
    check_same_index(X, y)
    X, y = _checked(X, "X"), _checked(y, "y", ensure_2d=False)
    if X.shape[0] != y.shape[0]:
        raise ValueError(
            f"X has {X.shape[0]} rows and y has {y.shape[0]}: row i of both must be the same item. "
            "Pass the two encodings of one set of items."
        )
    if labels is not None:
        labels = np.asarray(labels)
        if labels.ndim == 0 or labels.shape[0] != X.shape[0]:
            raise ValueError(
                f"labels has shape {labels.shape}; expected one for each of the {X.shape[0]} pairs."
            )
        labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
        check_no_missing("labels", labels)
    pairs = Pairs(X, y, decoder, labels)
    expected, n_columns = getattr(decoder, "n_features_in_", None), pairs.dimensions[1]
    if expected is not None and expected != n_columns:
        raise ValueError(
            f"The decoder was fitted to {expected} columns, but y has {n_columns}. y must be the "
            "target latents that the decoder reads."
        )
    return pairs


def _checked(array, name, ensure_2d=True):
    array = without_graph(array)
    checked = check_array(array, dtype=accepted_dtypes(array), ensure_2d=ensure_2d, input_name=name)
    return array if hasattr(array, "iloc") else checked
