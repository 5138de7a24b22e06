"""How close translated latents come to the target's."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length


def _pair(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    y_true = check_array(
        y_true, ensure_2d=False, dtype=[np.float64, np.float32], input_name="y_true"
    )
    y_pred = check_array(
        y_pred, ensure_2d=False, dtype=[np.float64, np.float32], input_name="y_pred"
    )
    check_consistent_length(y_true, y_pred)
    y_true, y_pred = (side[:, None] if side.ndim == 1 else side for side in (y_true, y_pred))
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true has {y_true.shape[1]} columns and y_pred has {y_pred.shape[1]}: "
            "compare latents of one space."
        )
    return y_true, y_pred


def latent_cosine_similarity(y_true: Any, y_pred: Any) -> float:
    r"""Mean cosine between each target latent and its translation (*lcos*).

    .. math:: \frac{1}{n} \sum_i \frac{y_i^\top \hat y_i}{\|y_i\|\,\|\hat y_i\|}

    Parameters
    ----------
    y_true : array-like of shape (n_samples, d_target)
        Target latents.
    y_pred : array-like of shape (n_samples, d_target)
        Translated latents of the same items.

    Returns
    -------
    float
        Between -1 and 1, best 1. A zero row counts as cosine 0.

    Examples
    --------
    >>> from sklearn_latent.metrics import latent_cosine_similarity
    >>> latent_cosine_similarity([[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [1.0, 0.0]])
    0.5
    """
    y_true, y_pred = _pair(y_true, y_pred)
    product = np.einsum("ij,ij->i", y_true, y_pred, dtype=np.float64)
    norms = np.linalg.norm(y_true, axis=1) * np.linalg.norm(y_pred, axis=1)
    return float(np.mean(product / np.where(norms == 0, 1, norms)))


def latent_mse(y_true: Any, y_pred: Any) -> float:
    r"""Mean squared error of the translation over items and dimensions (*lmse*).

    .. math:: \frac{1}{n\,d_\text{target}} \sum_i \|y_i - \hat y_i\|_2^2

    Parameters
    ----------
    y_true : array-like of shape (n_samples, d_target)
        Target latents.
    y_pred : array-like of shape (n_samples, d_target)
        Translated latents of the same items.

    Returns
    -------
    float
        At least 0, best 0, in squared units of the target.

    Examples
    --------
    >>> from sklearn_latent.metrics import latent_mse
    >>> latent_mse([[1.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 0.0]])
    1.0
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return float(np.mean(np.square(y_true - y_pred, dtype=np.float64)))
