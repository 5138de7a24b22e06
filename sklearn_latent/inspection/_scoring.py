"""The scorers that `compare_translators` judges by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, get_scorer_names, make_scorer, r2_score

from ..metrics import SCORERS, get_scorer
from ..stitching import decoder_agreement, stitching_score
from ._names import did_you_mean

# scikit-learn's "r2" is a plain mean over columns, and a unit that is rarely active counts as much
# as any: its own variance is all but zero, and so its R² easily a large negative number.
WEIGHTED_R2 = "r2_variance_weighted"
_OURS = {
    WEIGHTED_R2: make_scorer(r2_score, multioutput="variance_weighted"),
}
_OF_DECODERS = ("stitching_score", "decoder_agreement")
_OF_LATENTS = (*_OURS, *SCORERS)

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
    if n_columns == 1:  # cosines of a single column are signs: they rank nothing
        return {"r2": get_scorer("r2")}
    names = ["latent_cosine_similarity", WEIGHTED_R2]
    if not after_decoder:
        names = ["centered_mrr", *names]
    return {name: _scorer(name, {}) for name in names}


def _scorer(scoring, of_decoder):
    if not isinstance(scoring, str):
        if not callable(scoring):
            raise TypeError(f"A scorer is a name or a callable (estimator, X, y); got {scoring!r}.")
        return scoring
    if scoring in of_decoder:
        return of_decoder[scoring]
    if scoring in _OF_DECODERS:
        needed = "decoder=" if scoring == "decoder_agreement" else "decoder= and labels="
        raise ValueError(f"scoring={scoring!r} needs {needed}.")
    if scoring in _OURS:
        return _OURS[scoring]
    try:
        return get_scorer(scoring)
    except ValueError:
        ours = [*of_decoder, *_OF_LATENTS]
        raise ValueError(
            f"scoring={scoring!r} is unknown: use {', '.join(map(repr, ours))}, a name in "
            "sklearn.metrics.get_scorer_names(), or a callable scorer(estimator, X, y)."
            f"{did_you_mean(scoring, [*_OF_DECODERS, *_OF_LATENTS])}"
        ) from None


def cannot_judge(name: str, error: Exception) -> str:
    """What to say of a scorer that raised an error when it was given latents."""
    cause = str(error).strip() or type(error).__name__
    cause += "" if cause.endswith((".", "!", "?")) else "."
    standard = name in get_scorer_names() and name not in _OF_LATENTS
    metric, hint = (repr(name), did_you_mean(name, _OF_LATENTS)) if standard else ("metric", "")
    return (
        f"scoring {name!r} cannot judge translated latents: {cause} A scorer is called as "
        "scorer(translator, X, y) with target latents y. To judge what a decoder makes of them: "
        f"stitching_score(decoder, {metric}) with labels, or decoder_agreement(decoder).{hint}"
    )


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
