"""Differences between each item and its own translation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._array import Array, namespace_of, normalize_rows, widest_float
from .._validation import check_weights
from ._inputs import check_pair, row_blocks


def latent_cosine_similarity(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    r"""Mean cosine between each target latent and its translation (*lcos*).

    .. math:: \frac{1}{n} \sum_i \frac{y_i^\top \hat y_i}{\|y_i\|\,\|\hat y_i\|}

    as reported in Table 3 of [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, d_target) or (n_samples,)
        Target latents.
    y_pred : array-like of shape (n_samples, d_target) or (n_samples,)
        Translated latents of the same items.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; the mean becomes the weighted one.

    Returns
    -------
    float
        Between -1 and 1, best 1. A zero row counts as cosine 0.

    Raises
    ------
    ValueError
        For different numbers of rows or columns, values that are not finite, more than two
        dimensions, and weights that are negative, all zero or not one a row.
    TypeError
        For sparse input and Dask arrays.

    See Also
    --------
    recall_at_k : Is the translation nearest to its own target?

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Table 3.

    Examples
    --------
    >>> from sklearn_latent.metrics import latent_cosine_similarity
    >>> latent_cosine_similarity([[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [1.0, 0.0]])
    0.5
    """
    y_true, y_pred = check_pair(y_true, y_pred)
    mean = _mean_over_rows(_cosines, y_true, y_pred, sample_weight)
    return min(1.0, max(-1.0, mean))


def latent_mse(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    r"""Mean squared error of the translation over items and dimensions (*lmse*).

    .. math:: \frac{1}{n\,d_\text{target}} \sum_i \|y_i - \hat y_i\|_2^2

    as reported in Table 3 of [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, d_target) or (n_samples,)
        Target latents.
    y_pred : array-like of shape (n_samples, d_target) or (n_samples,)
        Translated latents of the same items.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; the mean over items becomes the weighted one.

    Returns
    -------
    float
        At least 0, best 0, in squared units of the target.

    Raises
    ------
    ValueError
        For different numbers of rows or columns, values that are not finite, more than two
        dimensions, and weights that are negative, all zero or not one a row.
    TypeError
        For sparse input and Dask arrays.

    See Also
    --------
    reconstruction_mse : The same of what a decoder makes of the latents.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Table 3.

    Examples
    --------
    >>> from sklearn_latent.metrics import latent_mse
    >>> latent_mse([[1.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 0.0]])
    1.0
    """
    y_true, y_pred = check_pair(y_true, y_pred)
    return _mean_over_rows(_squared_errors, y_true, y_pred, sample_weight)


def reconstruction_mse(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    r"""Mean squared error between inputs and what a decoder makes of them (*rmse*).

    .. math:: \frac{1}{n\,m} \sum_i \|y_i - \hat y_i\|_2^2

    for items of m values each, as reported in Table 3 of [1]_. The *r* stands for reconstruction:
    there is no root.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, ...)
        What was encoded, such as images (n_samples, channels, height, width).
    y_pred : array-like of the same shape
        What was decoded from the translated latents.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; the mean over items becomes the weighted one.

    Returns
    -------
    float
        At least 0, best 0, in squared units of the input.

    Raises
    ------
    ValueError
        For different shapes, fewer than two dimensions, values that are not finite, and weights
        that are negative, all zero or not one a row.
    TypeError
        For sparse input and Dask arrays.

    See Also
    --------
    latent_mse : The same between latents.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Table 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent.metrics import reconstruction_mse
    >>> images = np.zeros((5, 3, 8, 8))
    >>> reconstruction_mse(images, images + 0.5)
    0.25
    """
    y_true, y_pred = check_pair(y_true, y_pred, any_ndim=True)
    return _mean_over_rows(_squared_errors, y_true, y_pred, sample_weight)


def _mean_over_rows(
    values_of: Callable[[Array, Array], Array], y_true: Array, y_pred: Array, sample_weight: Any
) -> float:
    """(Weighted) mean over items of one value each, block by block."""
    weight = check_weights(sample_weight, y_pred)
    xp, total = namespace_of(y_pred), 0.0
    weight = None if weight is None else weight / xp.max(weight)  # so that sums do not overflow
    for rows in row_blocks(y_pred.shape[0], math.prod(y_pred.shape[1:])):
        with np.errstate(over="ignore"):  # infinity says it
            values = values_of(y_true[rows, ...], y_pred[rows, ...])
        if weight is not None:
            w = weight[rows]
            values = xp.where(w > 0, values, xp.zeros_like(values)) * w  # 0 of infinity too
        total += float(xp.sum(values))
    return total / (y_pred.shape[0] if weight is None else float(xp.sum(weight)))


def _cosines(y_true, y_pred):
    return namespace_of(y_pred).sum(normalize_rows(y_true)[0] * normalize_rows(y_pred)[0], axis=1)


def _squared_errors(y_true, y_pred):
    xp, wide = namespace_of(y_pred), widest_float(y_pred)
    difference = xp.astype(y_true, wide) - xp.astype(y_pred, wide)
    return xp.mean(xp.reshape(difference * difference, (difference.shape[0], -1)), axis=1)
