"""Scorers: metrics as ``scoring`` of cross-validation and searches."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import sklearn.metrics
from sklearn.metrics import make_scorer

from ._latent import latent_cosine_similarity, latent_mse
from ._retrieval import mean_reciprocal_rank, recall_at_k

SCORERS: dict[str, Callable[..., float]] = {
    "latent_cosine_similarity": make_scorer(latent_cosine_similarity),
    "neg_latent_mse": make_scorer(latent_mse, greater_is_better=False),
    "recall_at_1": make_scorer(recall_at_k, k=1),
    "recall_at_5": make_scorer(recall_at_k, k=5),
    "recall_at_10": make_scorer(recall_at_k, k=10),
    "mean_reciprocal_rank": make_scorer(mean_reciprocal_rank),
    "csls_recall_at_1": make_scorer(recall_at_k, k=1, similarity="csls"),
    "csls_mean_reciprocal_rank": make_scorer(mean_reciprocal_rank, similarity="csls"),
}
"""Scorers ``(estimator, X, y) -> float`` by name, higher being better; a ``scoring`` as it is."""


def get_scorer(scoring: Any) -> Callable[..., float]:
    """Scorer of that name: one of `SCORERS`, or of scikit-learn's.

    scikit-learn's own parameters ``scoring`` take the names of scikit-learn's scorers alone; this
    makes of a name of ours what they do take.

    Parameters
    ----------
    scoring : str or callable
        A name in `SCORERS` or in `sklearn.metrics.get_scorer_names`; a callable is given back.

    Returns
    -------
    callable
        ``scorer(estimator, X, y) -> float``, higher being better; a copy of its own.

    Raises
    ------
    ValueError
        If no scorer has that name.

    See Also
    --------
    sklearn_latent.decoder_agreement : Scorer for a decoder behind the translator.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn_latent import ProcrustesTranslator
    >>> from sklearn_latent.metrics import get_scorer
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> y = X[:, ::-1] + 1
    >>> scoring = get_scorer("recall_at_1")
    >>> cross_val_score(ProcrustesTranslator(), X, y, scoring=scoring, cv=3).tolist()
    [1.0, 1.0, 1.0]
    """
    if not isinstance(scoring, str):
        return sklearn.metrics.get_scorer(scoring)
    if scoring in SCORERS:
        return copy.deepcopy(SCORERS[scoring])
    if scoring in sklearn.metrics.get_scorer_names():
        return sklearn.metrics.get_scorer(scoring)
    raise ValueError(
        f"scoring={scoring!r} is unknown: use one of {', '.join(map(repr, SCORERS))}, a name in "
        "sklearn.metrics.get_scorer_names(), or make one, such as "
        "make_scorer(recall_at_k, k=20) with sklearn.metrics.make_scorer."
    )
