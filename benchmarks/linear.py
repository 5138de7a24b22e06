"""Speed of the linear translators, as ratios against what one would write without them.

    python benchmarks/linear.py [--repeats 5]

Each line times ours and the peer in turn, in one process, and prints medians and their ratio.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
import scipy
import sklearn
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import LinearRegression

from sklearn_latent import AffineTranslator, LstsqTranslator, ProcrustesTranslator


def race(name: str, ours: Callable, peer_name: str, peer: Callable, repeats: int) -> None:
    """Time two functions in turn and print medians and their ratio."""
    times: tuple[list[float], list[float]] = ([], [])
    for function in (ours, peer):
        function()  # warm up
    for _ in range(repeats):
        for function, record in zip((ours, peer), times):
            start = time.perf_counter()
            function()
            record.append(time.perf_counter() - start)
    mine, theirs = map(statistics.median, times)
    print(
        f"{name:44s} {mine:8.3f} s | {peer_name:36s} {theirs:8.3f} s | {mine / theirs:5.2f}",
        flush=True,
    )


def latents(n: int, d: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Float32 pairs (n, d) that a noisy rotation relates."""
    X = rng.standard_normal((n, d), dtype=np.float32)
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0].astype(np.float32)
    return X, X @ rotation + np.float32(0.3) * rng.standard_normal((n, d), dtype=np.float32)


def torch_affine(X: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    """300 steps of nn.Linear and Adam on standardised anchors, as one writes it."""
    import torch

    def run() -> None:
        source, target = torch.from_numpy(X), torch.from_numpy(y)
        source = (source - source.mean(0)) / source.std(0)
        target = (target - target.mean(0)) / target.std(0)
        layer = torch.nn.Linear(X.shape[1], y.shape[1])
        optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3)
        for _ in range(300):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(layer(source), target).backward()
            optimizer.step()

    return run


def main() -> None:
    """Run all races."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of each (default: 3)")
    repeats = parser.parse_args().repeats
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
        f"scikit-learn {sklearn.__version__}; float32, d = 768\n"
    )
    rng = np.random.default_rng(0)
    X, y = latents(50_000, 768, rng)

    ortho = ProcrustesTranslator().fit(X[:2000], y[:2000])
    coef = np.ascontiguousarray(ortho.coef_.T)
    race(
        "transform 50,000 rows",
        lambda: ortho.transform(X),
        "bare GEMM",
        lambda: X @ coef,
        repeats,
    )
    for n in (2_000, 50_000):
        race(
            f"ortho, {n:,} anchors",
            lambda n=n: ProcrustesTranslator().fit(X[:n], y[:n]),
            "scipy.linalg.orthogonal_procrustes",
            lambda n=n: orthogonal_procrustes(X[:n], y[:n]),
            repeats,
        )
    race(
        "linear, 5,000 anchors",
        lambda: LstsqTranslator().fit(X[:5000], y[:5000]),
        "sklearn.linear_model.LinearRegression",
        lambda: LinearRegression().fit(X[:5000], y[:5000]),
        repeats,
    )
    for n in (1_000, 10_000):
        affine = AffineTranslator(random_state=0, device="cpu")
        race(
            f"affine, 300 steps, {n:,} anchors",
            lambda n=n, affine=affine: affine.fit(X[:n], y[:n]),
            "torch nn.Linear and Adam",
            torch_affine(X[:n], y[:n]),
            1 if n > 1_000 else repeats,
        )


if __name__ == "__main__":
    main()
