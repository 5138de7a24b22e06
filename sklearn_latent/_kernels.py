"""Kernels by name or as a function, in two steps: only the second depends on the bandwidth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances, manhattan_distances

from ._validation import check_number, check_option

Kernel = str | Callable[[np.ndarray, np.ndarray], Any]

# of which the kernel is exp(-gamma × distance)
_DISTANCES = {
    "rbf": lambda a, b: euclidean_distances(a, b, squared=True),
    "laplacian": manhattan_distances,
}


@dataclasses.dataclass(frozen=True)
class KernelFunction:
    """What the parameter ``kernel`` stands for.

    `less_one` subtracts 1 from kernels that are exponentials. That is no other map where their
    coefficients sum to 0, and it keeps the digits of a small gamma, with which all are near 1.
    """

    kernel: Kernel
    less_one: bool = False

    @property
    def has_gamma(self) -> bool:
        return isinstance(self.kernel, str) and self.kernel in _DISTANCES

    def compare(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Distances (n_a, n_b) that `values` makes kernels of, or the kernels themselves."""
        if not callable(self.kernel):
            return _DISTANCES[self.kernel](a, b) if self.has_gamma else a @ b.T
        values = np.asarray(self.kernel(a, b), dtype=np.float64)
        if values.shape != (len(a), len(b)):
            raise ValueError(
                f"kernel returned an array of shape {values.shape} for {len(a)} and {len(b)} "
                f"rows; expected ({len(a)}, {len(b)})."
            )
        if not np.all(np.isfinite(values)):
            raise ValueError(
                "kernel returned NaN or infinity: check the function, or rescale the latents."
            )
        return values

    def values(self, compared: np.ndarray, gamma: float | None) -> np.ndarray:
        if not self.has_gamma or gamma is None:
            return compared
        return (np.expm1 if self.less_one else np.exp)(-gamma * compared)


def check_kernel(kernel: Any) -> None:
    """Raise unless `kernel` is a function or a known name."""
    if not callable(kernel):
        check_option("kernel", kernel, (*_DISTANCES, "linear"))


def check_gamma(gamma: Any) -> None:
    """Raise unless `gamma` is None, a number above 0 or several of them."""
    several = isinstance(gamma, (list, tuple, np.ndarray)) and np.ndim(gamma) == 1
    if several and not len(gamma):
        raise ValueError("gamma is empty: give at least one bandwidth, or None for a grid.")
    for value in gamma if several else [1.0 if gamma is None else gamma]:
        check_number("gamma", value, minimum=0, strict=True)
