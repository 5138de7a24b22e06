"""Translators made of other estimators."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone, is_regressor
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from ._array import (
    Array,
    asarray_like,
    is_array,
    is_dask,
    namespace_of,
    same_place,
)
from ._base import BaseTranslator, can_translate, translate, translates
from ._host import first_array, is_scikit_learns
from ._validation import all_or_nothing, with_plain_output
from .orthogonal import ProcrustesTranslator


def _can_go_back(composed):
    inner = ProcrustesTranslator() if composed.translator is None else composed.translator
    return translates(inner) and hasattr(inner, "inverse_transform")


class TransformedTargetTranslator(BaseTranslator):
    r"""Translate towards a transformed target, and undo the transformation.

    ``TransformedTargetRegressor`` with a `transform`: with g the transformer, fitted on the target
    anchors, and T the translator from X to g(y), the map is

    .. math:: x \mapsto g^{-1}(T(x))

    so that any scikit-learn scaler serves on the target side. Give the translator
    ``scaling=None`` or a pair such as ``("standard", None)`` where the transformer does all the
    scaling of the target.

    Parameters
    ----------
    translator : translator or None, default=None
        Fitted as a clone on X and the transformed y; None for ``ProcrustesTranslator()``.

    transformer : transformer with ``inverse_transform`` or None, default=None
        Fitted as a clone on all rows of y (as two-dimensional), also where the translator chooses
        anchors among them; None leaves y as it is.

    Attributes
    ----------
    translator_ : translator
        The fitted translator.

    transformer_ : transformer
        The fitted transformer.

    n_features_in_ : int
        The source's dimension.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the source's columns, where X was a DataFrame with string names.

    Raises
    ------
    TypeError
        If the transformer has no ``inverse_transform``, or a part is no estimator of its kind; for
        a Dask array at fit.
    ValueError
        For weights that the translator does not take, and what the translator refuses.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import RobustScaler
    >>> from sklearn_latent import LstsqTranslator, TransformedTargetTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = X @ rng.normal(size=(3, 4)) + 5
    >>> translator = TransformedTargetTranslator(LstsqTranslator(), RobustScaler()).fit(X, y)
    >>> np.allclose(translator.transform(X), y)
    True
    """

    def __init__(self, translator: Any = None, transformer: Any = None):
        self.translator = translator
        self.transformer = transformer

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TransformedTargetTranslator:
        """Fit the transformer on y and the translator on X and the transformed y.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents; row i of X and y is the same item.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, passed to the translator, and to the transformer if it takes any;
            else it sees the rows of positive weight, all alike.

        Returns
        -------
        self : object
            The fitted translator.
        """
        translator = ProcrustesTranslator() if self.translator is None else self.translator
        transformer = FunctionTransformer() if self.transformer is None else self.transformer
        needed = ("fit",) if can_translate(translator) else ("fit", "transform")
        _require(translator, "translator", needed)
        if not is_regressor(translator):
            raise TypeError(
                f"translator must be a translator or regressor; got {translator!r}. Were "
                "translator and transformer swapped?"
            )
        _require(transformer, "transformer", ("fit", "transform", "inverse_transform"))
        X, y, weight = self._validate_pairs(X, y, sample_weight, reset=True)
        if weight is not None and not has_fit_parameter(translator, "sample_weight"):
            raise ValueError(
                f"sample_weight is given, but {type(translator).__name__}.fit takes none. Leave "
                "it out, or give a translator that does."
            )
        self.transformer_ = with_plain_output(clone(transformer))
        self.translator_ = with_plain_output(clone(translator))
        weighted = {} if weight is None else {"sample_weight": weight}
        xp = namespace_of(y)
        if weight is None or has_fit_parameter(transformer, "sample_weight"):
            self.transformer_.fit(xp.asarray(y, copy=True), None, **weighted)
        else:  # a row of no weight is not there
            self.transformer_.fit(xp.take(y, xp.nonzero(weight > 0)[0], axis=0), None)
        # copies, as a transformer may work in place
        y = self.transformer_.transform(xp.asarray(y, copy=True))
        self.translator_.fit(X, y, **weighted)
        return self

    @available_if(_can_go_back)
    def inverse_transform(self, y: Any) -> Array:
        """Map target latents back to the source.

        Parameters
        ----------
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents.

        Returns
        -------
        array of shape (n_samples, d_source)
            In the source's raw coordinates.
        """
        if is_dask(y):
            return self._map_blocks("inverse_transform", y)
        check_is_fitted(self)
        y = self._validate_target(y)
        xp, dtype = namespace_of(y), y.dtype
        # a copy, as it may work in place
        y = _at_home(_do, self.transformer_, xp.asarray(y, copy=True))
        return xp.astype(self.translator_.inverse_transform(y), dtype, copy=False)

    def _translate(self, X):
        translated = _at_home(translate, self.translator_, X)
        out = _at_home(_undo, self.transformer_, translated)
        return namespace_of(X).astype(out, X.dtype, copy=False)

    def _fitted_array(self):
        inner = self.translator_
        return (
            inner._fitted_array() if isinstance(inner, BaseTranslator) else super()._fitted_array()
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = ProcrustesTranslator() if self.translator is None else self.translator
        regressor_tags = None if isinstance(inner, type) else get_tags(inner).regressor_tags
        if regressor_tags is not None:  # else `fit` refuses it
            tags.regressor_tags.poor_score = regressor_tags.poor_score
        return tags


def _at_home(apply, estimator, latents):
    """``apply(estimator, latents)`` where the estimator was fitted, if it is scikit-learn's own.

    Those do not follow their input to another library or device.
    """
    home = first_array(estimator) if is_scikit_learns(estimator) else None
    if home is None or not is_array(latents) or same_place(latents, home):
        return apply(estimator, latents)
    xp = namespace_of(home)
    dtype = xp.float32 if "32" in str(latents.dtype) else xp.float64
    return asarray_like(apply(estimator, asarray_like(latents, home, dtype)), latents)


def _do(transformer, latents):
    return transformer.transform(latents)


def _undo(transformer, latents):
    return transformer.inverse_transform(latents)


def _require(part: Any, name: str, methods: tuple[str, ...]) -> None:
    missing = [method for method in methods if not hasattr(part, method)]
    if missing or isinstance(part, type):
        raise TypeError(
            f"{name} must be an estimator instance with {', '.join(methods)}; got {part!r}"
            + (f", which lacks {', '.join(missing)}." if missing else ", a class.")
        )
