"""The work of other libraries, each as its own documentation or source has it done.

Every function does what is not to be timed (conversions, fits before a transform) and returns an
`Entrant`. It raises ImportError where the library is not installed.
"""

from __future__ import annotations

import logging
import warnings
from unittest import mock

import numpy as np
import scipy.linalg
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.preprocessing import StandardScaler
from timing import Entrant


def as_torch(*arrays: np.ndarray) -> tuple:
    """Tensors on the memory of the arrays."""
    import torch

    return tuple(torch.from_numpy(array) for array in arrays)


# --- Procrustes: fits --------------------------------------------------------------------------


def latentis_procrustes(X: np.ndarray, y: np.ndarray, probe: np.ndarray) -> Entrant:
    """``latentis.transform.translate.Procrustes``: standard scaling of both sides and the SVD."""
    from latentis.transform.translate.aligner import Procrustes

    source, target, rows = as_torch(X, y, probe)
    return Entrant(
        lambda: Procrustes().fit(source, target),
        lambda fitted: fitted.transform(rows)[0].numpy(),
    )


def scipy_procrustes(X: np.ndarray, y: np.ndarray, probe: np.ndarray) -> Entrant:
    """``scipy.linalg.orthogonal_procrustes`` on the rows as they are."""
    return Entrant(
        lambda: scipy.linalg.orthogonal_procrustes(X, y)[0], lambda rotation: probe @ rotation
    )


def scaled_scipy_procrustes(X: np.ndarray, y: np.ndarray, probe: np.ndarray) -> Entrant:
    """The same between two ``StandardScaler``, as a scikit-learn user would write it."""

    def run():
        source, target = StandardScaler().fit(X), StandardScaler().fit(y)
        rotation, _ = scipy.linalg.orthogonal_procrustes(source.transform(X), target.transform(y))
        return source, rotation, target

    def outcome(fitted):
        source, rotation, target = fitted
        return target.inverse_transform(source.transform(probe) @ rotation)

    return Entrant(run, outcome)


def fmralign_procrustes(X: np.ndarray, y: np.ndarray, probe: np.ndarray) -> Entrant:
    """``fmralign.methods.Procrustes`` on the rows as they are; it computes in float64."""
    from fmralign.methods import Procrustes

    return Entrant(
        lambda: Procrustes(scaling=False).fit(X, y), lambda fitted: fitted.transform(probe)
    )


def pot_linear(X: np.ndarray, y: np.ndarray, probe: np.ndarray) -> Entrant:
    """``ot.da.LinearTransport``: another map, between Gaussians, which uses no pairs."""
    from ot.da import LinearTransport

    return Entrant(lambda: LinearTransport().fit(Xs=X, Xt=y))


def bare_product(X: np.ndarray, y: np.ndarray) -> Entrant:
    """XᵀY: what no fit can do without."""
    return Entrant(lambda: X.T @ y)


def bare_thin_solution(X: np.ndarray, y: np.ndarray) -> Entrant:
    """By NumPy and SciPy: two thin QR factors, and an SVD of as many dimensions as rows."""

    def run():
        q, r = scipy.linalg.qr(X.T, mode="economic", check_finite=False)
        p, t = scipy.linalg.qr(y.T, mode="economic", check_finite=False)
        u, _, vt = scipy.linalg.svd(r @ t.T, check_finite=False)
        return (q @ u) @ (vt @ p.T)

    return Entrant(run)


# --- Transforms of rows, after a fit on the anchors -------------------------------------------


def bare_gemm(X: np.ndarray, coef: np.ndarray, intercept: np.ndarray) -> Entrant:
    """One product with a matrix (d_source, d_target); the offset is added untimed."""
    weight = np.ascontiguousarray(coef.T)
    return Entrant(lambda: X @ weight, lambda product: product[:1000] + intercept)


def latentis_transform(X: np.ndarray, anchors: tuple[np.ndarray, np.ndarray]) -> Entrant:
    """``Procrustes.transform`` of latentis."""
    from latentis.transform.translate.aligner import Procrustes

    fitted, (rows,) = Procrustes().fit(*as_torch(*anchors)), as_torch(X)
    return Entrant(lambda: fitted.transform(rows)[0], lambda out: out[:1000].numpy())


def fmralign_transform(X: np.ndarray, anchors: tuple[np.ndarray, np.ndarray]) -> Entrant:
    """``Procrustes.transform`` of fmralign, whose matrix is float64 whatever its input."""
    from fmralign.methods import Procrustes

    fitted = Procrustes(scaling=False).fit(*anchors)
    return Entrant(lambda: fitted.transform(X))


def sklearn_predict(X: np.ndarray, anchors: tuple[np.ndarray, np.ndarray]) -> Entrant:
    """``LinearRegression.predict``."""
    fitted = LinearRegression().fit(*anchors)
    return Entrant(lambda: fitted.predict(X))


def pot_transform(X: np.ndarray, anchors: tuple[np.ndarray, np.ndarray]) -> Entrant:
    """``LinearTransport.transform`` of POT."""
    from ot.da import LinearTransport

    fitted = LinearTransport().fit(Xs=anchors[0], Xt=anchors[1])
    return Entrant(lambda: fitted.transform(Xs=X))


# --- Gradient descent -------------------------------------------------------------------------


def latentis_affine(
    X: np.ndarray, y: np.ndarray, initial: tuple[np.ndarray, np.ndarray], steps: int
) -> Entrant:
    """``SGDAffineAligner`` of latentis, its first weights set to `initial` instead of drawn."""
    import torch
    from latentis.transform.translate.aligner import SGDAffineAligner

    logging.getLogger("latentis").setLevel(logging.ERROR)
    source, target = as_torch(X, y)

    def start(layer):
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(initial[0]))
            layer.bias.copy_(torch.from_numpy(initial[1]))

    def run():
        with mock.patch.object(torch.nn.Linear, "reset_parameters", start):
            return SGDAffineAligner(num_steps=steps, lr=1e-3, random_seed=0).fit(source, target)

    def loss(fitted):
        layer = fitted.translation
        return mean_squared_error(X, y, layer.weight.detach().numpy(), layer.bias.detach().numpy())

    return Entrant(run, loss)


def mean_squared_error(X: np.ndarray, y: np.ndarray, coef: np.ndarray, offset: np.ndarray) -> float:
    """Of an affine map, in float64."""
    total = 0.0
    for start in range(0, len(X), 4096):
        rows = slice(start, start + 4096)
        out = X[rows].astype(float) @ coef.T.astype(float) + offset
        total += float(np.sum((out - y[rows]) ** 2))
    return total / y.size


# --- Ridge ------------------------------------------------------------------------------------


def sklearn_ridge(X: np.ndarray, y: np.ndarray, alphas: list[float]) -> Entrant:
    """``RidgeCV`` with its defaults: leave-one-out."""
    return Entrant(lambda: RidgeCV(alphas=alphas).fit(X, y), lambda fitted: fitted.coef_)


def himalaya_ridge(X: np.ndarray, y: np.ndarray, alphas: list[float]) -> Entrant:
    """``RidgeCV`` of himalaya with its defaults and an intercept: 5 folds, a strength a target."""
    from himalaya.ridge import RidgeCV as HimalayaRidgeCV

    return Entrant(lambda: HimalayaRidgeCV(alphas=alphas, fit_intercept=True).fit(X, y))


def quiet() -> None:
    """Let no peer's warning disturb the table."""
    warnings.simplefilter("ignore")
