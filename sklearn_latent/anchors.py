"""Which rows of (X, y) serve as anchors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from ._array import read_only

AnchorSelection = str | Callable[[np.ndarray, int, np.random.RandomState], Any]


def count_anchors(n_anchors: int | float | None, n_samples: int, minimum: int = 1) -> int:
    """The number of anchors that the parameter ``n_anchors`` asks of `n_samples` rows.

    An int is at least `minimum`; of too few rows, and of shares, the caller sees what comes out.
    """
    if n_anchors is None:
        return n_samples
    is_number = isinstance(n_anchors, Real) and not isinstance(n_anchors, (bool, np.bool_))
    if not is_number:
        raise TypeError(
            "n_anchors must be None, an int, or a float in (0, 1]; "
            f"got {n_anchors!r} of type {type(n_anchors).__name__}."
        )
    if isinstance(n_anchors, Integral):
        minimum = min(minimum, n_samples)
        if not minimum <= n_anchors <= n_samples:
            remedy = "raise it" if n_anchors < minimum else "lower it, give more rows"
            raise ValueError(
                f"n_anchors={n_anchors} is not between {minimum} and the number of rows, "
                f"{n_samples}: {remedy}, or use None for all of them."
            )
        return int(n_anchors)
    if not 0 < n_anchors <= 1:
        raise ValueError(
            f"n_anchors={n_anchors} as a fraction of the rows must be in (0, 1]; a number of "
            "anchors is an int."
        )
    return max(1, round(n_anchors * n_samples))


def select_anchors(
    X: np.ndarray,
    n_anchors: int,
    selection: AnchorSelection,
    random_state: np.random.RandomState,
) -> np.ndarray:
    """Indices of `n_anchors` distinct rows of X, (n_anchors,), in the order they were chosen."""
    check_selection(selection)
    if callable(selection):
        # these are the user's own rows
        return _checked(selection(read_only(X), n_anchors, random_state), n_anchors, X.shape[0])
    return STRATEGIES[selection](X, n_anchors, random_state)


def check_selection(selection: Any) -> None:
    """Raise unless `selection` is a strategy's name or a function."""
    if not callable(selection) and not (isinstance(selection, str) and selection in STRATEGIES):
        raise ValueError(
            f"anchor_selection={selection!r} is unknown: use one of "
            f"{', '.join(map(repr, STRATEGIES))}, or a callable (X, n_anchors, random_state) -> "
            "row indices."
        )


def _uniform(X, n_anchors, random_state):
    # The head of one permutation: for a given seed, fewer anchors are a subset of more.
    return random_state.permutation(X.shape[0])[:n_anchors]


def _kmeans(X, n_anchors, random_state):
    """The row nearest to each k-means centre, among the rows of its own cluster."""
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters: the gap is filled below.
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters = KMeans(n_anchors, n_init=1, random_state=random_state).fit(X)
    distance = np.einsum("ij,ij->i", *(2 * [X - clusters.cluster_centers_[clusters.labels_]]))
    nearest_first = np.lexsort((distance, clusters.labels_))
    _, first = np.unique(clusters.labels_[nearest_first], return_index=True)
    chosen = nearest_first[first]
    if chosen.size < n_anchors:
        rest = np.setdiff1d(np.arange(X.shape[0]), chosen)
        extra = random_state.permutation(rest)[: n_anchors - chosen.size]
        chosen = np.concatenate([chosen, extra])
    return chosen


def _farthest(X, n_anchors, random_state):
    """Greedy farthest-point sampling from a random start: each next row is the most isolated."""
    # The expanded square loses what an offset exceeds the spread by, and can overflow.
    X = X - X.mean(axis=0, dtype=np.float64)
    X /= np.abs(X).max() or 1.0
    square = np.einsum("ij,ij->i", X, X)
    chosen = np.empty(n_anchors, dtype=np.intp)
    chosen[0] = random_state.randint(X.shape[0])
    distance = np.full(X.shape[0], np.inf)
    for i in range(1, n_anchors):
        last = chosen[i - 1]
        np.minimum(distance, square - 2 * (X @ X[last]) + square[last], out=distance)
        distance[last] = -np.inf  # never twice, even among duplicates
        chosen[i] = np.argmax(distance)
    return chosen


STRATEGIES = {"uniform": _uniform, "kmeans": _kmeans, "farthest": _farthest}


def _checked(indices, n_anchors, n_samples):
    """What a callable returned, or an error that says what is wrong with it."""
    indices = np.asarray(indices)
    problem = None
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        problem = f"an array of shape {indices.shape} and dtype {indices.dtype}"
    elif indices.size != n_anchors:
        problem = f"{indices.size} indices"
    elif indices.min() < 0 or indices.max() >= n_samples:
        problem = f"indices from {indices.min()} to {indices.max()}"
    elif np.unique(indices).size != indices.size:
        problem = "indices with repetitions"
    if problem:
        raise ValueError(
            f"anchor_selection returned {problem}; expected {n_anchors} distinct integers "
            f"from 0 to {n_samples - 1}."
        )
    return indices
