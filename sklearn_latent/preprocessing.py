"""Preprocessing steps for latents."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from ._array import Array, accepted_dtypes, device_of, namespace_of
from ._validation import check_number


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
        check_is_fitted(self)
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
        check_is_fitted(self)
        X = check_array(X, dtype=accepted_dtypes(X), copy=True, estimator=self)
        if X.shape[1] != self.n_features_out_:
            raise ValueError(
                f"X has {X.shape[1]} columns, but ZeroPadder is expecting {self.n_features_out_}, "
                "the number after padding."
            )
        return X[:, : self.n_features_in_]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the input columns, then ``zeropadder0``, ``zeropadder1`` and so on.

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
        padding = [f"zeropadder{i}" for i in range(missing)]
        return np.concatenate([names, np.asarray(padding, dtype=object)])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        # Works on any array library, but without `array_api_support`: scikit-learn's check of that
        # tag wants another library than fit's refused, and a padder that holds no array need not.
        return tags
