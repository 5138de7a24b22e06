"""What all displays do to their inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import check_array

from .._array import accepted_dtypes, to_numpy
from .._validation import check_no_missing
from ..metrics import get_scorer


def check_latents(X: Any, name: str, *, min_features: int = 1) -> np.ndarray:
    """Latents (n_samples, n_features) on the host, in float32 or float64."""
    if hasattr(X, "__array_namespace__") or hasattr(X, "detach"):
        X = to_numpy(X)
    return check_array(
        X, dtype=accepted_dtypes(X), input_name=name, ensure_min_features=min_features
    )


def check_labels(labels: Any, n_rows: int, rows_of: str) -> np.ndarray:
    """One label a row, (n_rows,)."""
    labels = to_numpy(labels)
    if labels.shape != (n_rows,):
        raise ValueError(
            f"labels has shape {labels.shape}; expected one for each of the {n_rows} rows of "
            f"{rows_of}: ({n_rows},)."
        )
    check_no_missing("labels", labels)
    return labels


def check_vector(values: Any, name: str) -> np.ndarray:
    """Finite numbers, (n,) with n >= 1, in float64."""
    values = np.asarray(to_numpy(values), dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} has shape {values.shape}; expected (n,) with n of at least 1.")
    if not np.all(np.isfinite(values)):
        raise ValueError(f"{name} has values that are not finite: leave them out.")
    return values


def check_named(named: Any, name: str, what: str) -> dict[str, Any]:
    """A copy of a mapping from names to `what`."""
    if not isinstance(named, Mapping):
        raise TypeError(
            f"{name} must be a dict from names to {what}; got one {type(named).__name__}."
        )
    if not named:
        raise ValueError(f"{name} is empty: give a dict from names to {what}.")
    wrong = [key for key in named if not isinstance(key, str)]
    if wrong:
        raise TypeError(f"The keys of {name} must be strings; got {wrong[0]!r}.")
    return dict(named)


def scorer_of(scoring: Any) -> Callable[..., float]:
    """The function ``(decoder, latents, labels) -> float`` that `scoring` stands for."""
    if scoring is None:
        return lambda decoder, latents, labels: decoder.score(latents, labels)
    return get_scorer(scoring)


def score_name(scoring: Any, decoders: Iterable[Any]) -> str:
    """What an axis calls the figures of `scorer_of`."""
    if isinstance(scoring, str):
        return scoring.replace("neg_", "negative ").replace("_", " ")
    decoders = list(decoders)
    if scoring is None and all(is_classifier(decoder) for decoder in decoders):
        return "accuracy"
    if scoring is None and all(is_regressor(decoder) for decoder in decoders):
        return "R²"
    return "score"


def check_latents_named(anchors: dict, items: dict, decoders: dict) -> int:
    """Raise unless names and rows agree; the number of test items."""
    if set(anchors) != set(items):
        raise ValueError(
            f"latents_train has the encoders {sorted(anchors)} and latents_test "
            f"{sorted(items)}: give both of each."
        )
    unknown = sorted(set(decoders) - set(anchors))
    if unknown:
        raise ValueError(
            f"decoders has {unknown[0]!r}, which latents_train lacks: a decoder needs the "
            "latents of its own encoder under its name, to translate to."
        )
    for name, sets in (("latents_train", anchors), ("latents_test", items)):
        lengths = {encoder: len(rows) for encoder, rows in sets.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(
                f"The arrays of {name} differ in their number of rows: {lengths}. Row i of all "
                "must be the same item."
            )
    return next(len(rows) for rows in items.values())
