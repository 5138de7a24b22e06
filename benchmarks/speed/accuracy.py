"""Accuracy of least squares: coefficients against the solution by an SVD in float64.

    python benchmarks/speed/accuracy.py [--quick] [--rows 2000] [--columns 64] [--csv FILE]

The errors are ``‖coef - exact‖ / ‖exact‖`` in the Frobenius norm. The source has the stated
condition number about its mean, the target has noise, and ``exact`` is that of the very numbers
which the solver gets: for float32, of the rounded ones, whose condition number rounding may lower.
In float64 `numpy.linalg.lstsq` is that SVD itself, rounding included: its errors show how the
reference repeats, and those of others include the reference's own, about 1e-16 times the condition
number. "In batches" is `partial_fit`. Target: at most 1e-4 (float32) and 1e-9 (float64) at 1e4.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import report
from sklearn.linear_model import LinearRegression

from sklearn_latent import LstsqTranslator, RidgeTranslator

CONDITIONS = (1e2, 1e4, 1e6, 1e8)
TARGETS = {"float32": 1e-4, "float64": 1e-9}
Solver = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
"""(X, y, alpha) -> coefficients (d_target, d_source)."""


def pairs(n: int, d: int, condition: float, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """X (n, d) of a condition number about its mean, and y (n, d // 2), a noisy map of it."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n, d))
    u = np.linalg.qr(rows - rows.mean(axis=0))[0]
    v = np.linalg.qr(rng.standard_normal((d, d)))[0]
    X = n**0.5 * (u * np.geomspace(1, 1 / condition, d)) @ v.T
    noise = rng.standard_normal((n, d // 2))
    y = X @ rng.standard_normal((d, d // 2)) + 0.1 * noise
    return (X + 0.5).astype(dtype), (y - 0.5).astype(dtype)


def exact(X: np.ndarray, y: np.ndarray, alpha: float) -> np.ndarray:
    """Least squares with an offset, penalised by `alpha`, by the SVD in float64."""
    X, y = X.astype(float), y.astype(float)
    u, s, vt = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    return ((vt.T * (s / (s**2 + alpha))) @ (u.T @ (y - y.mean(axis=0)))).T


def in_batches(translator: LstsqTranslator | RidgeTranslator, X: np.ndarray, y: np.ndarray):
    for start in range(0, len(X), 100):
        translator.partial_fit(X[start : start + 100], y[start : start + 100])
    return translator


def ridge(alpha: float) -> RidgeTranslator:
    """Ridge alone: what restoring the spread adds is no least squares."""
    return RidgeTranslator(alpha=alpha, restore_variance=False)


def centred(side: np.ndarray) -> np.ndarray:
    return side - side.mean(axis=0)


def torch_lstsq(X: np.ndarray, y: np.ndarray, alpha: float) -> np.ndarray:
    import torch

    sides = (torch.from_numpy(centred(side)) for side in (X, y))
    return torch.linalg.lstsq(*sides).solution.numpy().T


SOLVERS: dict[str, tuple[bool, Solver]] = {
    # name: (penalised, solver)
    "LstsqTranslator": (False, lambda X, y, _: LstsqTranslator().fit(X, y).coef_),
    "LstsqTranslator in batches": (
        False,
        lambda X, y, _: in_batches(LstsqTranslator(), X, y).coef_,
    ),
    "RidgeTranslator(alpha)": (True, lambda X, y, alpha: ridge(alpha).fit(X, y).coef_),
    "RidgeTranslator(alpha) in batches": (
        True,
        lambda X, y, alpha: in_batches(ridge(alpha), X, y).coef_,
    ),
    "sklearn LinearRegression": (False, lambda X, y, _: LinearRegression().fit(X, y).coef_),
    "numpy.linalg.lstsq, centred": (
        False,
        lambda X, y, _: np.linalg.lstsq(centred(X), centred(y), rcond=None)[0].T,
    ),
    "torch.linalg.lstsq, centred": (False, torch_lstsq),
}


def error(solver: Solver, penalised: bool, X: np.ndarray, y: np.ndarray) -> float | None:
    """The relative error of a solver; None where its library is not installed."""
    smallest = np.linalg.svd(centred(X.astype(float)), compute_uv=False)[-1]
    alpha = 0.1 * smallest**2 if penalised else 0.0
    try:
        found = solver(X, y, alpha)
    except ImportError:
        return None
    reference = exact(X, y, alpha)
    return float(np.linalg.norm(found - reference) / np.linalg.norm(reference))


def verdict(at_1e4: float | None, target: float, judged: bool = True) -> str:
    """Whether the error at the condition number 1e4 is at most the target."""
    if at_1e4 is None:
        return "–"
    if not judged:
        return "not judged at this size"
    return "met" if at_1e4 <= target else "MISSED"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each dtype."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether all runs")
    parser.add_argument("--rows", type=int, help="default: 2000; with --quick 300")
    parser.add_argument("--columns", type=int, help="default: 64; with --quick 8")
    parser.add_argument("--csv", type=Path, help="write all figures to this file too")
    options = parser.parse_args(arguments)
    n, d = (300, 8) if options.quick else (2000, 64)
    n = n if options.rows is None else options.rows
    d = d if options.columns is None else options.columns
    warnings.simplefilter("ignore")
    print(
        report.header(f"{n:,} × {d} → {d // 2}; relative errors of the coefficients", timed=False)
    )
    rows = []
    for dtype, target in TARGETS.items():
        data = {condition: pairs(n, d, condition, dtype) for condition in CONDITIONS}
        table = []
        for name, (penalised, solver) in SOLVERS.items():
            errors = [error(solver, penalised, X, y) for X, y in data.values()]
            met = verdict(errors[CONDITIONS.index(1e4)], target, judged=not options.quick)
            texts = ["not installed" if e is None else f"{e:.0e}" for e in errors]
            table.append([name, *texts, met])
            rows += [
                {"solver": name, "dtype": dtype, "condition": condition, "error": e}
                for condition, e in zip(CONDITIONS, errors)
            ]
        titles = [f"{dtype}, condition", *(f"{c:.0e}" for c in CONDITIONS)]
        print("\n" + report.markdown([*titles, f"≤ {target:.0e} at 1e4"], table))
    if options.csv:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
