"""What there is to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._array import Array, device_of, is_dask, namespace_of
from ._base import BaseTranslator
from ._scaling import Scaling, parse_scaling
from ._validation import all_or_nothing
from .anchors import AnchorSelection, check_selection, count_anchors


class AbsoluteTranslator(BaseTranslator):
    r"""Use source latents as they are, cropped or zero-padded to the target's dimension.

    The *absolute* baseline of [1]_ (Section 4): the lower bound that a translation has to beat, as
    a translator, so that a grid search or a table can hold it. Nothing is estimated: fit only
    takes the target's dimension.

    Parameters
    ----------
    scaling : {"standard", "center", "l2", None} or a pair of them, default=None
        Checked and without effect, as are the parameters below: a grid over them may hold this
        baseline beside other translators.

    n_anchors : int, float in (0, 1] or None, default=None
        Without effect.

    anchor_selection : {"uniform", "kmeans", "farthest"} or callable, default="uniform"
        Without effect.

    random_state : int, RandomState instance or None, default=None
        Without effect.

    Attributes
    ----------
    n_features_in_ : int
        The source's dimension.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the source's columns, where X was a DataFrame with string names.

    Raises
    ------
    ValueError
        At fit: for different numbers of rows and values that are not finite. At transform: for
        another number of columns than at fit.
    TypeError
        For sparse input, for a Dask array at fit, and for an `n_anchors` that is no number.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Section 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import AbsoluteTranslator
    >>> translator = AbsoluteTranslator().fit(np.ones((2, 2)), np.ones((2, 3)))
    >>> translator.transform(np.ones((1, 2)))
    array([[1., 1., 0.]])
    """

    def __init__(
        self,
        *,
        scaling: Scaling = None,
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> AbsoluteTranslator:
        """Take the target's dimension.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents; only the number of columns counts.
        sample_weight : array-like of shape (n_samples,), default=None
            Checked and not used.

        Returns
        -------
        self : object
            The fitted translator.
        """
        parse_scaling(self.scaling)
        check_selection(self.anchor_selection)
        X, _, _ = self._validate_pairs(X, y, sample_weight, reset=True)
        count_anchors(self.n_anchors, X.shape[0])
        return self

    def inverse_transform(self, y: Any) -> Array:
        """Crop or pad target latents to the source's dimension.

        Parameters
        ----------
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents.

        Returns
        -------
        array of shape (n_samples, d_source)
            The same numbers.
        """
        if is_dask(y):
            return self._map_blocks("inverse_transform", y)
        check_is_fitted(self)
        return _pad_or_crop(self._validate_target(y), self.n_features_in_)

    def _translate(self, X):
        return _pad_or_crop(X, self._n_features_out)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


def _pad_or_crop(X, n_columns):
    xp, missing = namespace_of(X), max(0, n_columns - X.shape[1])
    zeros = xp.zeros((X.shape[0], missing), dtype=X.dtype, device=device_of(X))
    return xp.concat([X[:, : min(n_columns, X.shape[1])], zeros], axis=1)
