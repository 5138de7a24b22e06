"""The regularised least squares that the library has to match, in plain NumPy.

Kept apart from ``sklearn_latent`` on purpose: a yardstick must not move with what it measures.
"""

from __future__ import annotations

import numpy as np

MULTIPLES = np.logspace(-4, 4, 33)
"""Strengths tried, in units of the mean squared singular value of the centred source anchors."""


class ReferenceRidge:
    r"""Ridge from the centred source to the standardised target, strength by exact leave-one-out.

    .. math:: \min_W \|X W - Y\|_F^2 + \alpha \|W\|_F^2

    ``restore=True`` multiplies each target feature's prediction by std(target) / std(leave-one-out
    prediction), clipped to [1, 10]: ridge shrinks towards the mean, and a decoder expects the
    target's spread.
    """

    def __init__(self, restore: bool = False):
        self.restore = restore

    def fit(self, X: np.ndarray, y: np.ndarray) -> ReferenceRidge:
        """Fit to anchors X (n, d_source) and y (n, d_target)."""
        X, y = X.astype(np.float64), y.astype(np.float64)
        self.mean_x, self.mean_y, scale = X.mean(axis=0), y.mean(axis=0), y.std(axis=0)
        scale[scale == 0] = 1.0
        Y = (y - self.mean_y) / scale
        U, s, Vt = np.linalg.svd(X - self.mean_x, full_matrices=False)
        kept = s > s[0] * max(X.shape) * np.finfo(X.dtype).eps
        U, s, Vt = U[:, kept], s[kept], Vt[kept]
        UtY = U.T @ Y

        def leave_one_out(alpha: float) -> np.ndarray:
            # The mean is estimated too: it is one more direction, with leverage 1/n.
            shrinkage = s**2 / (s**2 + alpha)
            leverage = U**2 @ shrinkage + 1 / len(Y)
            residual = (Y - U @ (shrinkage[:, None] * UtY)) / (1 - leverage)[:, None]
            return Y - residual

        alphas = MULTIPLES * np.mean(s**2)
        errors = [np.mean((leave_one_out(alpha) - Y) ** 2) for alpha in alphas]
        self.alpha = alphas[int(np.argmin(errors))]
        W = Vt.T @ ((s / (s**2 + self.alpha))[:, None] * UtY)
        if self.restore:
            spread = np.maximum(leave_one_out(self.alpha).std(axis=0), np.finfo(X.dtype).tiny)
            W = W * np.clip(Y.std(axis=0) / spread, 1, 10)
        self.W = W * scale
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Translate rows X (n, d_source) into the target's raw coordinates."""
        Z = (X.astype(np.float64) - self.mean_x) @ self.W + self.mean_y
        return Z.astype(X.dtype)
