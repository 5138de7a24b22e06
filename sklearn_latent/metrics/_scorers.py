"""Scorers: metrics as ``scoring`` of cross-validation and searches."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import sklearn.metrics
from sklearn.metrics import check_scoring, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)

from ._latent import latent_cosine_similarity, latent_mse
from ._retrieval import mean_reciprocal_rank, recall_at_k

SCORERS: dict[str, Callable[..., float]] = {
    "latent_cosine_similarity": make_scorer(latent_cosine_similarity),
    "neg_latent_mse": make_scorer(latent_mse, greater_is_better=False),
    "recall_at_1": make_scorer(recall_at_k, k=1),
    "recall_at_5": make_scorer(recall_at_k, k=5),
    "recall_at_10": make_scorer(recall_at_k, k=10),
    "mean_reciprocal_rank": make_scorer(mean_reciprocal_rank),
    "centered_mrr": make_scorer(mean_reciprocal_rank, center="mean"),
    "csls_recall_at_1": make_scorer(recall_at_k, k=1, similarity="csls"),
    "csls_mean_reciprocal_rank": make_scorer(mean_reciprocal_rank, similarity="csls"),
}
"""Scorers ``(estimator, X, y) -> float`` by name, higher being better; a ``scoring`` as it is."""


def get_scorer(scoring: Any) -> Callable[..., float]:
    """Scorer of that name: one of `SCORERS`, or of scikit-learn's.

    scikit-learn's own parameters ``scoring`` take the names of scikit-learn's scorers alone (but
    see `register_scorers`); this makes of a name of ours what they do take.

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


def register_scorers() -> None:
    """Let scikit-learn know the names in `SCORERS`: ``GridSearchCV(..., scoring="recall_at_1")``.

    scikit-learn has no public way to add a name: its registry is private, and searches and
    cross-validation keep the list of names that there were when they were imported. This adds ours
    to both, for the process; nothing of scikit-learn's is replaced, and calling it again changes
    nothing. Without it, ``scoring=SCORERS`` and ``scoring=get_scorer(name)`` do the same.

    Raises
    ------
    RuntimeError
        Where the installed scikit-learn keeps its names elsewhere; nothing is changed then.

    See Also
    --------
    get_scorer : One scorer, with nothing registered.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn_latent import ProcrustesTranslator
    >>> from sklearn_latent.metrics import register_scorers
    >>> register_scorers()
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> y = X[:, ::-1] + 1
    >>> cross_val_score(ProcrustesTranslator(), X, y, scoring="recall_at_1", cv=3).tolist()
    [1.0, 1.0, 1.0]
    """
    try:
        registry = sklearn.metrics._scorer._SCORERS
        known_names = [
            constraints["scoring"][0].options
            for constraints in (
                GridSearchCV._parameter_constraints,
                RandomizedSearchCV._parameter_constraints,
                check_scoring._skl_parameter_constraints,
                cross_val_score._skl_parameter_constraints,
                cross_validate._skl_parameter_constraints,
                learning_curve._skl_parameter_constraints,
                validation_curve._skl_parameter_constraints,
                permutation_test_score._skl_parameter_constraints,
            )
        ]
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise RuntimeError(
            f"scikit-learn {sklearn.__version__} keeps the names of its scorers where this package "
            "does not know. Use scoring=SCORERS or scoring=get_scorer(name) instead."
        ) from error
    registry.update({name: scorer for name, scorer in SCORERS.items() if name not in registry})
    for names in known_names:
        names.update(SCORERS)
