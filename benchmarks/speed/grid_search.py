"""A grid search over translators and numbers of anchors: how long, and where the time goes.

    python benchmarks/speed/grid_search.py [--quick] [--rows 5000] [--columns 768] [--jobs 2]

`GridSearchCV` over 4 methods × 6 numbers of anchors × 5 folds. First the search as one runs it, in
processes; then in this process, on one thread and under a profiler, which says what is ours, what
scikit-learn's, and what is copying of rows.
"""

from __future__ import annotations

import argparse
import cProfile
import datetime
import pstats
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import report
from races import latents
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from sklearn_latent import (
    AffineTranslator,
    LOrthoTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
)

METHODS = (
    ProcrustesTranslator(random_state=0),
    LstsqTranslator(random_state=0),
    LOrthoTranslator(random_state=0),
    AffineTranslator(random_state=0),
)
N_ANCHORS = (100, 200, 500, 1000, 2000, 4000)
QUICK_ANCHORS = (20, 40, 60, 120, 180, 240)

# The first whose text is part of a function's file and name claims its time. What none claims
# (NumPy, SciPy, built-ins) counts for whoever called it.
OWNERS = (
    ("sklearn/utils/_indexing", "copies of rows"),
    ("method 'take", "copies of rows"),
    ("sklearn_latent/_array.py", ""),
    ("sklearn_latent/_moments.py", "ours: statistics"),
    ("sklearn_latent/solvers", "ours: solution"),
    ("sklearn_latent/_affine_map.py", "ours: transform"),
    ("sklearn_latent/", "ours: the rest"),
    ("sklearn/utils/validation", "scikit-learn: validation"),
    ("sklearn/metrics", "scikit-learn: scores"),
    ("/sklearn/", "scikit-learn: the rest"),
)
Function = tuple[str, int, str]


def search(
    methods: Iterable, n_anchors: Iterable[int], n_jobs: int, n_folds: int = 5
) -> GridSearchCV:
    """A search by the mean R² of left-out rows."""
    grid = {"translate": list(methods), "translate__n_anchors": list(n_anchors)}
    pipeline = Pipeline([("translate", ProcrustesTranslator())])
    return GridSearchCV(pipeline, grid, cv=n_folds, n_jobs=n_jobs)


def owner_of(function: Function) -> str | None:
    """Who claims the time of a function; None for those that work for their caller."""
    text = f"{function[0]}:{function[2]}".replace("\\", "/")
    for part, owner in OWNERS:
        if part in text:
            return owner or None
    return None


class Shares:
    """The seconds of a profile by owner: each function's own time goes up to the nearest owner."""

    def __init__(self, profile: cProfile.Profile):
        self.stats = pstats.Stats(profile).stats
        self._known: dict[Function, Counter] = {}

    def seconds(self) -> Counter:
        total: Counter = Counter()
        for function, (_, _, own, _, callers) in self.stats.items():
            if owner_of(function) or not callers:
                total[owner_of(function) or "neither"] += own
                continue
            for caller, (_, _, own_for_caller, _) in callers.items():
                for owner, share in self._owners(caller, ()).items():
                    total[owner] += own_for_caller * share
        return total

    def _owners(self, function: Function, seen: tuple[Function, ...]) -> Counter:
        """Shares (sum 1) of owners in the calls of a function."""
        if function in self._known:
            return self._known[function]
        owner = owner_of(function)
        callers = {} if owner else self.stats[function][4]
        callers = {c: times[3] for c, times in callers.items() if c not in (*seen, function)}
        total = sum(callers.values())
        if owner or total <= 0:
            shares = Counter({owner or "neither": 1.0})
        else:
            shares = Counter()
            for caller, seconds in callers.items():
                for name, share in self._owners(caller, (*seen, function)).items():
                    shares[name] += share * seconds / total
        if not seen:  # within a cycle the shares depend on where it was entered
            self._known[function] = shares
        return shares


def in_processes(X: np.ndarray, y: np.ndarray, n_anchors: list[int], n_jobs: int) -> None:
    """The search as one runs it: all of it, and what each method took."""
    search(METHODS[:1], (10, 20), n_jobs, 2).fit(X[:200], y[:200])  # starts the processes
    began = time.perf_counter()
    found = search(METHODS, n_anchors, n_jobs).fit(X, y)
    wall = time.perf_counter() - began
    results = found.cv_results_
    names = [type(method).__name__ for method in results["param_translate"]]
    fits, scores = (5 * results[f"mean_{kind}_time"] for kind in ("fit", "score"))
    rows = []
    for name in dict.fromkeys(names):
        mine = np.array([other == name for other in names])
        rows.append([name, report.seconds(fits[mine].sum()), report.seconds(scores[mine].sum())])
    rows.append(["all, of all processes", *map(report.seconds, (fits.sum(), scores.sum()))])
    waiting = n_jobs * (wall - found.refit_time_) - fits.sum() - scores.sum()
    print(
        f"{len(names)} candidates × 5 folds, n_jobs={n_jobs}: {wall:.1f} s, of which "
        f"{found.refit_time_:.1f} s for the last fit; starting, sending and waiting: "
        f"{waiting / n_jobs:.1f} s a process\n"
    )
    print(report.markdown(["seconds", "fits", "scores"], rows), flush=True)


def profiled(X: np.ndarray, y: np.ndarray, n_anchors: list[int]) -> None:
    """The search in this process, on one thread, and whose time it is."""
    profile = cProfile.Profile()
    with threadpool_limits(1):
        profile.enable()
        search(METHODS, n_anchors, 1).fit(X, y)
        profile.disable()
    seconds = Shares(profile).seconds()
    total = sum(seconds.values())
    print(f"\nIn one process, on one thread, profiled: {total:.1f} s\n")
    rows = [
        [owner, report.seconds(value), f"{value / total:.1%}"]
        for owner, value in seconds.most_common()
    ]
    print(report.markdown(["whose", "s", "share"], rows), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the search both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether all runs")
    parser.add_argument("--rows", type=int, help="default: 5000; with --quick 300")
    parser.add_argument("--columns", type=int, help="default: 768; with --quick 24")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    n, d = (300, 24) if options.quick else (5000, 768)
    n = n if options.rows is None else options.rows
    d = d if options.columns is None else options.columns
    wanted = QUICK_ANCHORS if options.quick else N_ANCHORS
    n_anchors = [min(count, 4 * n // 5) for count in wanted]
    warnings.simplefilter("ignore")
    print(report.header(f"{datetime.date.today()}, {n:,} × {d}, float32") + "\n", flush=True)
    X, y = latents(n, d)
    in_processes(X, y, n_anchors, options.jobs)
    profiled(X, y, n_anchors)


if __name__ == "__main__":
    main()
