"""Coefficients of least squares are as exact as their dtype, on data of condition number 1e4."""

import numpy as np
import pytest

from sklearn_latent import LstsqTranslator, RidgeTranslator

CONDITION = 1e4
PROMISED = {np.float32: 1e-4, np.float64: 1e-9}


def ill_conditioned(dtype, n=600, d=32):
    """Pairs of a noisy map; the source has CONDITION about its mean, which is not 0."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, d))
    u = np.linalg.qr(rows - rows.mean(axis=0))[0]
    v = np.linalg.qr(rng.normal(size=(d, d)))[0]
    X = n**0.5 * (u * np.geomspace(1, 1 / CONDITION, d)) @ v.T
    y = X @ rng.normal(size=(d, 9)) + 0.1 * rng.normal(size=(n, 9))
    return (X + 0.5).astype(dtype), (y - 0.5).astype(dtype)


def exact(X, y, alpha):
    """By the singular value decomposition in float64, of the numbers as they are."""
    X, y = X.astype(float), y.astype(float)
    u, s, vt = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    assert s[0] / s[-1] == pytest.approx(CONDITION, rel=0.1)  # rounding has not improved it
    return ((vt.T * (s / (s**2 + alpha))) @ (u.T @ (y - y.mean(axis=0)))).T


@pytest.mark.parametrize("in_batches", [False, True])
@pytest.mark.parametrize("penalised", [False, True])
@pytest.mark.parametrize("dtype", PROMISED)
def test_coefficients_are_exact(dtype, penalised, in_batches):
    X, y = ill_conditioned(dtype)
    smallest = np.linalg.svd(X.astype(float) - X.mean(axis=0, dtype=float), compute_uv=False)[-1]
    alpha = 0.1 * smallest**2 if penalised else 0.0
    if penalised:
        translator = RidgeTranslator(alpha=alpha, restore_variance=False)
    else:
        translator = LstsqTranslator()
    if in_batches:
        for start in range(0, len(X), 70):
            translator.partial_fit(X[start : start + 70], y[start : start + 70])
    else:
        translator.fit(X, y)
    expected = exact(X, y, alpha)
    assert translator.coef_.dtype == dtype
    error = np.linalg.norm(translator.coef_ - expected) / np.linalg.norm(expected)
    assert error < PROMISED[dtype]
