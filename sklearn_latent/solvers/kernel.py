"""Kernel ridge for a grid of bandwidths and strengths, and how well each predicts.

In the feature space of a kernel the centred anchors are rows Φ with ``ΦΦᵀ = K``. All that ridge
needs of Φ are its singular values and left singular vectors, and those are the roots of the
eigenvalues of K and its eigenvectors. So a kernel's problem is a `RidgePath` whose "source" are
rows of K, and leaving rows out costs no refit here either.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import scipy.linalg

from .._array import eigh
from .._moments import PairMoments
from .ridge import Block, LeaveOneOut, RidgePath

# Times that of the anchors' own spread. In steps of 8, and of 2 around the best of them.
GAMMAS = tuple(8.0**k for k in (-2, -1, 0, 1, 2))
FINER_GAMMAS = (0.5, 2.0)

# Relative; errors that differ by less are equal, and the smoother map is taken.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class Anchors:
    """The target's rows about their mean, and how they count."""

    y: np.ndarray  # (n, d_target)
    weight: np.ndarray | None  # (n,), positive
    together: np.ndarray | None  # (n,), weights of all rows that are left out with each
    n_items: int  # number of distinct rows

    def block(self, x: np.ndarray, part: slice) -> Block:
        """With their features x."""
        w, together = (None if w is None else w[part] for w in (self.weight, self.together))
        return x, self.y[part], w, together

    def judge(self, path: RidgePath, blocks: Callable[[], Iterable[Block]]) -> LeaveOneOut:
        total = float(len(self.y) if self.weight is None else np.sum(self.weight))
        origin, freedom = np.zeros(self.y.shape[1]), self.n_items > path.rank + 1
        return LeaveOneOut(path, blocks, len(self.y), 1 / total, origin, freedom)


@dataclasses.dataclass(frozen=True)
class KernelProblem:
    """Ridge in the feature space of one kernel: the path of its solutions and their judge.

    A new row is predicted as ``(k @ basis - mean) @ W``, where k are its kernels with the
    landmarks (all anchors, or some) and W is a solution.
    """

    path: RidgePath
    judge: LeaveOneOut
    mean: np.ndarray  # (m,), of the anchors
    basis: np.ndarray | None = None  # (n_landmarks, m); None for the identity

    def dual(self, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (n_landmarks, d_target) of the kernels, and an offset (d_target,)."""
        return W if self.basis is None else self.basis @ W, -(self.mean @ W)


def exact_problem(K: np.ndarray, anchors: Anchors) -> KernelProblem:
    """The problem in the whole feature space, from one eigendecomposition.

    `K` (n, n) is the kernel of the anchors, positive semi-definite once centred.
    """
    n = K.shape[0]
    w = np.ones(n) if anchors.weight is None else anchors.weight
    total, root = float(np.sum(w)), np.sqrt(w)
    mean = (w @ K) / total
    size = float(np.max(w[:, None] * np.abs(K)))
    K = K - mean[None, :] - mean[:, None] + (w @ mean) / total
    # a row of weight w counts as w rows: with their root on both sides the eigenvalues are theirs
    eigenvalues, vectors = eigh(root[:, None] * K * root[None, :])
    eigenvalues, vectors = np.flip(eigenvalues), np.flip(vectors, axis=1)
    _check_eigenvalues(eigenvalues, size)
    s = np.sqrt(np.maximum(eigenvalues, 0.0))
    # The constant is no direction of the centred K. If what rounding leaves of it counted as one,
    # rows would seem to be predicted without themselves; what is left of it in others, divided by
    # small s, would make the offset wrong. Rounding entries of this size moves eigenvalues by some
    # n eps times it; 64 is a wide margin.
    kept = eigenvalues > 64 * np.finfo(float).eps * n * max(eigenvalues[0], size)
    s_kept, u = s[kept], vectors[:, kept]
    constant = root / total**0.5
    u = u - constant[:, None] * (constant @ u)[None, :]
    v = root[:, None] * u / s_kept[None, :]
    path = RidgePath(s, kept, s_kept, v, u.T @ (root[:, None] * anchors.y))
    # From the eigenvectors, not anew from K: that would cost the digits by which K exceeds s².
    rows = anchors.block(u * s_kept[None, :] / root[:, None], slice(n))
    judge = anchors.judge(dataclasses.replace(path, v=np.eye(s_kept.size)), lambda: [rows])
    return KernelProblem(path, judge, mean)


def nystroem_problem(
    kernels: Callable[[], Iterable[tuple[np.ndarray, slice]]], basis: np.ndarray, anchors: Anchors
) -> KernelProblem:
    """The problem in the span of some landmarks; needs a block of rows in memory at a time.

    Parameters
    ----------
    kernels : callable
        Yields blocks of the anchors' kernels with the landmarks (n_block, n_landmarks), and which
        rows they are of.
    basis : array of shape (n_landmarks, m)
        Takes kernels to features whose products are the kernel as the landmarks see it.
    anchors : Anchors
    """

    def features() -> Iterator[Block]:
        for K, part in kernels():
            yield anchors.block(K @ basis, part)

    moments = functools.reduce(
        operator.add, (PairMoments.from_arrays(*block[:3], kind="gram") for block in features())
    )
    path = RidgePath.from_moments(moments.second, np.sqrt(moments.ss_x), basis.dtype)

    def centred() -> Iterator[Block]:
        for Z, *rest in features():
            yield (Z - moments.mean_x[None, :], *rest)

    return KernelProblem(path, anchors.judge(path, centred), moments.mean_x, basis)


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One bandwidth and strength, and the squared error of left-out rows."""

    gamma: float
    alpha: float
    error: float


@dataclasses.dataclass(frozen=True)
class Found:
    """The problem of the best bandwidth, the best candidate, and all, from smooth to rough."""

    problem: KernelProblem
    best: Candidate
    candidates: list[Candidate]


def search(
    problem_of: Callable[[float], KernelProblem],
    gammas: list[float] | float,
    alphas: list[float] | None,
    *,
    stretched: bool,
) -> Found:
    """Compare bandwidths and strengths by leave-one-out.

    Parameters
    ----------
    gammas : list of float, or float
        Those to compare, or the middle of a grid.
    alphas : list of float, or None
        Those to compare, or None for a grid that is scaled to each kernel.
    stretched : bool
        Whether to compare the errors that the best common stretch of predictions leaves.
    """
    found: Found | None = None
    candidates: list[Candidate] = []

    def judged(problem, gamma, alphas):
        losses = problem.judge.losses(alphas) if alphas else []
        errors = [loss.stretched if stretched else loss.error for loss in losses]
        new = [Candidate(gamma, alpha, float(error)) for alpha, error in zip(alphas, errors)]
        candidates.extend(new)
        return new

    def compare(gamma):
        nonlocal found
        problem = problem_of(gamma)
        grid = _grid(problem.path) if alphas is None else alphas
        best = best_of(judged(problem, gamma, grid))
        if found is None or best.error < found.best.error * (1 - _ROUNDING):
            found = Found(problem, best, candidates)

    for gamma in sorted(gammas) if isinstance(gammas, list) else [gammas * f for f in GAMMAS]:
        compare(gamma)
    assert found is not None
    if not isinstance(gammas, list):
        for gamma in [found.best.gamma * factor for factor in FINER_GAMMAS]:
            compare(gamma)
    problem, best = found.problem, found.best
    if alphas is None:
        best = best_of([best, *judged(problem, best.gamma, problem.path.finer(best.alpha))])
    return Found(problem, best, sorted(candidates, key=lambda c: (c.gamma, -c.alpha)))


def _grid(path):
    # Smooth kernels have ever smaller eigenvalues, which end in rounding: less than this penalty
    # is left to those who ask for it. The grid goes in decades, so 1e-6 is its least here; half of
    # that, lest rounding decide.
    return [alpha for alpha in path.grid() if alpha > 0.5e-6 * path.largest]


def best_of(candidates: list[Candidate]) -> Candidate:
    """Of those whose errors differ by rounding alone, the strongest."""
    good = min(candidate.error for candidate in candidates) * (1 + _ROUNDING)
    return max((c for c in candidates if c.error <= good), key=lambda c: c.alpha)


def check_semi_definite(K: np.ndarray) -> None:
    """Raise unless K is symmetric and has no negative eigenvalue."""
    size = float(np.max(np.abs(K)))
    if not np.allclose(K, K.T, rtol=0, atol=1e-8 * size):
        raise ValueError("The kernel is not symmetric: k(a, b) must be the transpose of k(b, a).")
    _check_eigenvalues(scipy.linalg.eigvalsh(K)[::-1], size)


def _check_eigenvalues(eigenvalues, size):
    """Raise where a kernel with entries of this size has negative eigenvalues (descending)."""
    if eigenvalues[-1] < -1e-8 * max(eigenvalues[0], size):
        raise ValueError(
            f"The kernel is not positive semi-definite: of its eigenvalues for the anchors, from "
            f"{eigenvalues[0]:.3g} to {eigenvalues[-1]:.3g}, some are negative. Use another "
            "kernel, such as 'rbf'."
        )
