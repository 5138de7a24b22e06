"""Latent metrics against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error
from sklearn.metrics.pairwise import paired_cosine_distances

from sklearn_latent.metrics import latent_cosine_similarity, latent_mse


def test_they_are_scikit_learns():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.normal(size=(2, 30, 4))
    expected = 1 - paired_cosine_distances(y_true, y_pred).mean()
    assert latent_cosine_similarity(y_true, y_pred) == pytest.approx(expected)
    assert latent_mse(y_true, y_pred) == pytest.approx(mean_squared_error(y_true, y_pred))


def test_a_zero_row_has_cosine_zero():
    assert latent_cosine_similarity([[1.0, 0.0], [0.0, 0.0]], [[2.0, 0.0], [1.0, 0.0]]) == 0.5


@pytest.mark.parametrize("metric", [latent_cosine_similarity, latent_mse])
def test_they_compare_one_space(metric):
    with pytest.raises(ValueError, match="y_true has 2 columns and y_pred has 3"):
        metric(np.ones((4, 2)), np.ones((4, 3)))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        metric(np.ones((4, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="y_pred contains NaN"):
        metric(np.ones((4, 2)), np.full((4, 2), np.nan))
