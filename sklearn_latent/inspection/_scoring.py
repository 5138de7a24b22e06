"""By what `compare_translators` judges: scorers by name, the decoder's among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, make_scorer, r2_score

from ..metrics import SCORERS, get_scorer, mean_reciprocal_rank
from ..stitching import decoder_agreement, stitching_score

CENTERED_MRR = "centered_mrr"
_centered_mrr = make_scorer(mean_reciprocal_rank, center="mean")

Scorers = dict[str, Callable[..., float]]


def check_scoring(scoring: Any, decoder: Any, has_labels: bool, n_columns: int) -> Scorers:
    """The parameter `scoring` as a dict from names to scorers, of which the first decides."""
    of_decoder = _decoder_scorers(decoder, has_labels)
    if scoring is None:
        scorers = {**of_decoder, **_latent_scorers(n_columns, bool(of_decoder))}
    elif isinstance(scoring, Mapping):
        scorers = {name: _scorer(value, of_decoder) for name, value in scoring.items()}
    elif isinstance(scoring, str):
        scorers = {scoring: _scorer(scoring, of_decoder)}
    elif callable(scoring):
        scorers = {"score": scoring}
    elif isinstance(scoring, (list, tuple)) and all(isinstance(n, str) for n in scoring):
        scorers = {name: _scorer(name, of_decoder) for name in scoring}
    else:
        raise TypeError(
            "scoring must be the name of a scorer, a callable scorer(estimator, X, y), a list of "
            f"names, a dict of scorers, or None; got {scoring!r}."
        )
    if not scorers:
        raise ValueError("scoring is empty: name one scorer or more, or use None.")
    _check_labels(scorers, decoder, has_labels)
    return scorers


def wants_labels(scorer: Any) -> bool:
    """Whether a scorer asks for ``labels``, as `stitching_score` does."""
    if not hasattr(scorer, "get_metadata_routing"):
        return False
    return scorer.get_metadata_routing().score.requests.get("labels") is True


def _decoder_scorers(decoder, has_labels):
    if decoder is None:
        return {}
    agreement = {"decoder_agreement": decoder_agreement(decoder)}
    if not has_labels:
        return agreement
    metric = accuracy_score if is_classifier(decoder) else r2_score
    return {"stitching_score": stitching_score(decoder, metric), **agreement}


def _latent_scorers(n_columns, after_decoder):
    names = ["latent_cosine_similarity", "r2"] if n_columns > 1 else ["r2"]
    scorers = {name: get_scorer(name) for name in names}
    # Cosines of a single column are signs: they rank nothing.
    if n_columns == 1 or after_decoder:
        return scorers
    return {CENTERED_MRR: _centered_mrr, **scorers}


def _scorer(scoring, of_decoder):
    if not isinstance(scoring, str):
        if not callable(scoring):
            raise TypeError(f"A scorer is a name or a callable (estimator, X, y); got {scoring!r}.")
        return scoring
    if scoring == CENTERED_MRR:
        return _centered_mrr
    if scoring in of_decoder:
        return of_decoder[scoring]
    if scoring in ("decoder_agreement", "stitching_score"):
        needed = "decoder=" if scoring == "decoder_agreement" else "decoder= and labels="
        raise ValueError(f"scoring={scoring!r} needs {needed}.")
    try:
        return get_scorer(scoring)
    except ValueError:
        ours = [*of_decoder, CENTERED_MRR, *SCORERS]
        raise ValueError(
            f"scoring={scoring!r} is unknown: use {', '.join(map(repr, ours))}, a name in "
            "sklearn.metrics.get_scorer_names(), or a callable scorer(estimator, X, y)."
        ) from None


def _check_labels(scorers, decoder, has_labels):
    wanting = [name for name, scorer in scorers.items() if wants_labels(scorer)]
    if wanting and not has_labels:
        raise ValueError(f"scoring {wanting[0]!r} needs the true labels: pass labels=.")
    if has_labels and decoder is None and not wanting:
        raise ValueError(
            "labels are given, but nothing reads them. Pass the decoder= that they judge (then "
            "'stitching_score' is a scoring), or leave labels out. For folds stratified by them: "
            "cv=list(StratifiedKFold(5, shuffle=True).split(X, labels))."
        )
