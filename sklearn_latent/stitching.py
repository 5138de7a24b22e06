"""Scorers that judge a translator by a frozen decoder behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import accuracy_score, get_scorer, r2_score
from sklearn.utils.metadata_routing import MetadataRequest
from sklearn.utils.validation import check_is_fitted

from ._base import as_columns, translate


class _DecoderAgreement:
    """The scorer that `decoder_agreement` returns; a class so that it pickles for `n_jobs`."""

    def __init__(self, decoder, metric):
        self.decoder = decoder
        self.metric = metric

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        metric = self.metric
        if metric is None:
            metric = accuracy_score if is_classifier(self.decoder) else r2_score
        expected = self.decoder.predict(as_columns(y))
        return float(metric(expected, self.decoder.predict(translate(estimator, X))))

    def __repr__(self) -> str:
        return f"decoder_agreement({self.decoder!r})"


class _StitchingScore:
    """The scorer that `stitching_score` returns."""

    def __init__(self, decoder, metric):
        self.decoder = decoder
        self.metric = metric

    def __call__(self, estimator: Any, X: Any, y: Any = None, *, labels: Any = None) -> float:
        if labels is None:
            raise ValueError(
                "stitching_score needs the true labels. In a search, route them: "
                "sklearn.set_config(enable_metadata_routing=True), then "
                "search.fit(X, Y, labels=labels). Without labels, use decoder_agreement."
            )
        translated = translate(estimator, X)
        if isinstance(self.metric, str):
            return float(get_scorer(self.metric)(self.decoder, translated, labels))
        return float(self.metric(labels, self.decoder.predict(translated)))

    def get_metadata_routing(self) -> MetadataRequest:
        """Ask meta-estimators for ``labels``."""
        request = MetadataRequest(owner="stitching_score")
        request.score.add_request(param="labels", alias=True)
        return request

    def __repr__(self) -> str:
        return f"stitching_score({self.decoder!r}, {self.metric!r})"


def decoder_agreement(decoder: Any, metric: Callable[..., float] | None = None) -> Callable:
    r"""Scorer: does the decoder say the same of translated latents as of the target's own?

    .. math:: \text{metric}\bigl(f(y),\; f(T(x))\bigr)

    for the frozen decoder f and the translator T. It needs no labels: the decoder's answers on the
    target latents take their place.

    Parameters
    ----------
    decoder : fitted estimator with ``predict``
        Trained on target latents. Never refitted.

    metric : callable (y_true, y_pred) -> float, default=None
        Higher is better. None: accuracy for a classifier, R² for a regressor; others need one.

    Returns
    -------
    callable
        ``scorer(estimator, X, y) -> float``, for the ``scoring`` of ``GridSearchCV`` and
        ``cross_val_score``; `estimator` is a fitted translator or a pipeline that ends in one.

    Raises
    ------
    TypeError
        If the decoder has no ``predict``, or `metric` is no function.
    ValueError
        Without a metric for a decoder that is neither.
    NotFittedError
        If the decoder is not fitted.

    See Also
    --------
    stitching_score : Against true labels.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.svm import SVC
    >>> from sklearn_latent import LstsqTranslator, decoder_agreement
    >>> y, labels = load_iris(return_X_y=True)
    >>> X = y[:, ::-1] * 2 + 1
    >>> decoder = SVC().fit(y, labels)
    >>> scores = cross_val_score(LstsqTranslator(), X, y, scoring=decoder_agreement(decoder), cv=3)
    >>> scores.tolist()
    [1.0, 1.0, 1.0]
    """
    _check_decoder(decoder)
    _check_metric(metric, allow_name=False)
    if metric is None and not (is_classifier(decoder) or is_regressor(decoder)):
        raise ValueError(
            f"{decoder!r} is neither a classifier nor a regressor: say by metric= how two of its "
            "answers are compared, as with adjusted_rand_score for those of a clustering."
        )
    return _DecoderAgreement(decoder, metric)


def stitching_score(decoder: Any, metric: str | Callable[..., float] = accuracy_score) -> Callable:
    r"""Scorer: how good is the frozen decoder on translated latents?

    .. math:: \text{metric}\bigl(\text{labels},\; f(T(x))\bigr)

    The labels come through scikit-learn's metadata routing, which needs
    ``sklearn.set_config(enable_metadata_routing=True)``: ``search.fit(X, Y, labels=labels)``.

    Parameters
    ----------
    decoder : fitted estimator with ``predict``
        Trained on target latents. Never refitted.

    metric : str or callable (y_true, y_pred) -> float, default=accuracy_score
        Higher is better; or the name of a scikit-learn scorer such as ``"roc_auc"``, which may use
        the decoder's probabilities.

    Returns
    -------
    callable
        ``scorer(estimator, X, y, labels=labels) -> float``.

    Raises
    ------
    TypeError
        If the decoder has no ``predict``, or `metric` is no function.
    NotFittedError
        If the decoder is not fitted.
    ValueError
        When called without labels, and for an unknown name of a scorer.

    See Also
    --------
    decoder_agreement : Without labels.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_latent import LstsqTranslator, stitching_score
    >>> y, labels = load_iris(return_X_y=True)
    >>> X = y[:, ::-1] * 2 + 1
    >>> decoder = SVC().fit(y, labels)
    >>> scorer = stitching_score(decoder)
    >>> scorer(LstsqTranslator().fit(X, y), X, labels=labels) == decoder.score(y, labels)
    True
    """
    _check_decoder(decoder)
    _check_metric(metric, allow_name=True)
    return _StitchingScore(decoder, metric)


def _check_decoder(decoder):
    if not hasattr(decoder, "predict") or isinstance(decoder, type):
        raise TypeError(
            f"decoder must be a fitted estimator with a predict method; got {decoder!r}."
        )
    check_is_fitted(decoder)


def _check_metric(metric, *, allow_name):
    if isinstance(metric, str) and allow_name:
        get_scorer(metric)
    elif isinstance(metric, str):
        raise TypeError(
            f"metric={metric!r} names a scorer, which compares with true labels: that is "
            "stitching_score. Here a function of two answers of the decoder is needed, as "
            "sklearn.metrics.f1_score with its average set by functools.partial."
        )
    elif not callable(metric) and (metric is not None or allow_name):
        raise TypeError(f"metric must be a function (y_true, y_pred) -> float; got {metric!r}.")
