"""Preprocessing steps for latents."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from ._array import (
    Array,
    accepted_dtypes,
    device_of,
    is_dask,
    namespace_of,
    normalize_rows,
    without_graph,
)
from ._validation import all_or_nothing, check_number
from .distributed import check_dimensions, map_blocks


class ZeroPadder(TransformerMixin, BaseEstimator):
    """Append columns of zeros up to a given dimension.

    The step that makes two spaces equal in dimension (Section 3.2 of [1]_). Translators need none
    of it: they take any two dimensions. It is for pipelines that spell the step out, and for
    methods that do need equal dimensions.

    Parameters
    ----------
    n_features : int or None, default=None
        Number of columns after padding; None for as many as there are.

    Attributes
    ----------
    n_features_out_ : int
        Number of columns after padding.

    n_features_in_ : int
        Number of columns before.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X was a DataFrame with string names.

    Raises
    ------
    ValueError
        If X has more than `n_features` columns.
    TypeError
        For sparse input, and for an `n_features` that is no integer.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import ZeroPadder
    >>> padder = ZeroPadder(n_features=3)
    >>> padder.fit_transform(np.ones((2, 1)))
    array([[1., 0., 0.],
           [1., 0., 0.]])
    """

    def __init__(self, n_features: int | None = None):
        self.n_features = n_features

    @all_or_nothing
    def fit(self, X: Any, y: Any = None) -> ZeroPadder:
        """Check the dimension of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in)
            Latents.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted padder.
        """
        if self.n_features is not None:
            check_number("n_features", self.n_features, minimum=1, integer=True)
        if is_dask(X):
            check_dimensions("X", X)
            X = validate_data(self, X, skip_check_array=True)  # only the dimension counts
        else:
            X = without_graph(X)
            X = validate_data(self, X, dtype=accepted_dtypes(X))
        if self.n_features is not None and X.shape[1] > self.n_features:
            raise ValueError(
                f"X has {X.shape[1]} columns, more than n_features={self.n_features}: padding only "
                "adds columns. Raise n_features, or pad the other space."
            )
        self.n_features_out_ = X.shape[1] if self.n_features is None else int(self.n_features)
        return self

    def transform(self, X: Any) -> Array:
        """Append the zeros.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in)
            Latents.

        Returns
        -------
        array of shape (n_samples, n_features_out_)
            X and zeros, in the dtype of X.
        """
        if is_dask(X):
            return map_blocks(self, "transform", X)
        check_is_fitted(self)
        X = without_graph(X)
        X = validate_data(self, X, dtype=accepted_dtypes(X), reset=False)
        xp, missing = namespace_of(X), self.n_features_out_ - X.shape[1]
        zeros = xp.zeros((X.shape[0], missing), dtype=X.dtype, device=device_of(X))
        return xp.concat([X, zeros], axis=1)

    def inverse_transform(self, X: Any) -> Array:
        """Crop what `transform` appended.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_out_)
            Padded latents.

        Returns
        -------
        array of shape (n_samples, n_features_in)
            The first columns, in the dtype of X.
        """
        if is_dask(X):
            return map_blocks(self, "inverse_transform", X)
        check_is_fitted(self)
        X = without_graph(X)
        X = check_array(X, dtype=accepted_dtypes(X), copy=True, estimator=self)
        if X.shape[1] != self.n_features_out_:
            raise ValueError(
                f"X has {X.shape[1]} columns, but ZeroPadder is expecting {self.n_features_out_}, "
                "the number after padding."
            )
        return X[:, : self.n_features_in_]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the input columns, then ``zeropadder0``, ``zeropadder1`` and so on.

        A name that an input column already has is skipped, as behind another `ZeroPadder`.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the input columns, where fit saw none.

        Returns
        -------
        ndarray of str objects
            One name for each column after padding.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        missing = self.n_features_out_ - self.n_features_in_
        taken = set(names)
        free = (name for i in itertools.count() if (name := f"zeropadder{i}") not in taken)
        padding = list(itertools.islice(free, missing))
        return np.concatenate([names, np.asarray(padding, dtype=object)])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        # Works on any array library, but without `array_api_support`: scikit-learn's check of that
        # tag wants another library than fit's refused, and a padder that holds no array need not.
        return tags


class Rescaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Bring every row to one norm (*rescaling injection*).

    .. math:: x \mapsto \alpha \frac{x}{\|x\|_2}

    (Appendix A.1 of [1]_).

    Goes between a translator and a decoder, to see how much the decoder depends on the scale of
    its input, or to give it the scale that it was trained on.

    Parameters
    ----------
    alpha : float or "mean", default=1.0
        The norm of all rows, above 0; ``"mean"`` is the mean norm of the rows seen at fit. With a
        number there is nothing to fit: `transform` works without.

    Attributes
    ----------
    alpha_ : float
        The norm of all rows.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X was a DataFrame with string names.

    Raises
    ------
    ValueError
        For an `alpha` that is not above 0 or is an unknown string, for values that are not finite
        or whose norms overflow, and, at transform, for an `alpha` that the dtype of X cannot hold
        and another number of columns than at fit.
    TypeError
        For an `alpha` that is neither a number nor a string, for sparse input, and for a Dask array
        at fit with ``alpha="mean"``.

    See Also
    --------
    sklearn.preprocessing.Normalizer : Unit rows in other norms, for NumPy and sparse matrices.

    Notes
    -----
    Zero rows stay zero. What a decoder says does not change with alpha where it is linear without
    a bias and answers by its largest output.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Appendix A.1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import Rescaler
    >>> Rescaler(10.0).fit_transform(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[6., 8.],
           [0., 0.]])

    Between a fitted translator and a trained decoder:

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_latent import LstsqTranslator
    >>> y, labels = load_iris(return_X_y=True)
    >>> X = y[:, ::-1] * 2 + 1
    >>> translator = LstsqTranslator().fit(X, y)
    >>> decoder = LogisticRegression(fit_intercept=False, max_iter=1000).fit(y, labels)
    >>> stitched = make_pipeline(translator, Rescaler(10.0), decoder)
    >>> bool(np.all(stitched.predict(X) == decoder.predict(y)))
    True
    """

    def __init__(self, alpha: float | str = 1.0):
        self.alpha = alpha

    @all_or_nothing
    def fit(self, X: Any, y: Any = None) -> Rescaler:
        """Take the mean norm of the rows, where alpha is "mean".

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Latents.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted rescaler.
        """
        alpha = self._check_alpha()
        if is_dask(X) and alpha is not None:
            check_dimensions("X", X)
            X = validate_data(self, X, skip_check_array=True)
        else:
            X = without_graph(X)
            X = validate_data(self, X, dtype=accepted_dtypes(X))
        if alpha is None:
            norms = normalize_rows(X)[1]
            alpha = float(namespace_of(norms).mean(norms))
            if not np.isfinite(alpha):
                raise ValueError("The norms of X overflow: rescale the latents.")
        self.alpha_ = alpha
        return self

    def transform(self, X: Any) -> Array:
        """Rescale the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Latents.

        Returns
        -------
        array of shape (n_samples, n_features)
            Rows of norm `alpha_`, in the dtype of X.
        """
        if is_dask(X):
            return map_blocks(self, "transform", X)
        check_is_fitted(self)
        alpha = self.alpha_ if hasattr(self, "alpha_") else self._check_alpha()
        X = without_graph(X)
        X = validate_data(self, X, dtype=accepted_dtypes(X), reset=False)
        xp = namespace_of(X)
        if alpha > float(xp.finfo(X.dtype).max):
            raise ValueError(f"alpha={alpha!r} overflows {X.dtype}: lower alpha, or give float64.")
        rows = normalize_rows(X)[0]
        rows *= alpha
        return xp.astype(rows, X.dtype, copy=False)

    def _check_alpha(self):
        """The number, or None for "mean"."""
        if isinstance(self.alpha, str):
            if self.alpha != "mean":
                raise ValueError(f"alpha={self.alpha!r} is unknown: use a number or 'mean'.")
            return None
        check_number("alpha", self.alpha, minimum=0, strict=True)
        return float(self.alpha)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = isinstance(self.alpha, str)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        # Without `array_api_support`, for the reason that ZeroPadder gives.
        return tags
