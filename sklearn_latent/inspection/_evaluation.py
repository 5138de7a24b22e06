"""Fit and score every translator, on every number of anchors, in every fold and draw.

A *cell* is one translator, fitted to one draw of n anchors from the training rows of one fold and
scored on the fold's test rows. All translators see the same anchors, and the anchors of a draw are
nested: fewer are the first of more. So all comparisons are paired.
"""

from __future__ import annotations

import contextlib
import copy
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral, Number
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.parallel import Parallel, delayed

from .._validation import check_number
from ._candidates import (
    CONSTANT,
    ConstantTranslator,
    Identity,
    check_counts,
    check_translators,
    for_scoring,
    seeded,
)
from ._pairs import Pairs
from ._scoring import Scorers, cannot_judge, wants_labels


@dataclass
class Cell:
    """What one fit gave."""

    scores: dict[str, float]
    fit_time: float = np.nan
    score_time: float = np.nan
    error: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass
class Evaluation:
    """Scores of all cells; arrays are (n_candidates, n_counts, n_folds, n_draws)."""

    translators: dict[str, Any]
    n_anchors: np.ndarray
    scores: dict[str, np.ndarray]
    native: dict[str, np.ndarray] | None
    fit_time: np.ndarray
    score_time: np.ndarray
    n_train: np.ndarray
    n_test: np.ndarray
    failures: dict[str, dict[str, int]]
    warnings: dict[str, dict[str, int]]
    seed: int

    @property
    def names(self) -> list[str]:
        """Of the candidates, the constant last."""
        return [*self.translators, CONSTANT]

    @property
    def metric(self) -> str:
        """The scorer that decides."""
        return next(iter(self.scores))


def evaluate(
    pairs: Pairs,
    translators: Any,
    scorers: Scorers,
    *,
    n_anchors: Any,
    n_draws: int,
    cv: Any,
    n_jobs: int | None,
    random_state: Any,
    verbose: int,
    progress: Callable[[int, int], None] | None,
) -> Evaluation:
    """Scores of all cells; failures and warnings are counted, and failures warned of."""
    translators = check_translators(translators)
    check_number("n_draws", n_draws, minimum=1, integer=True)
    random = check_random_state(random_state)
    seed = int(random.randint(2**31 - 1))
    splits = _splits(pairs, cv, seed)
    sizes = np.array([(train.size, test.size) for train, test in splits])
    counts = check_counts(n_anchors, int(sizes[:, 0].min()))
    draw_seeds = random.randint(2**31 - 1, size=(len(splits), n_draws))
    _check_scorers(scorers, pairs, splits[0])

    grid = _Grid(pairs, {**translators, CONSTANT: ConstantTranslator()}, counts, splits, draw_seeds)
    tasks = grid.tasks()
    jobs = (delayed(_run)(*grid.job(task), pairs, scorers) for task in tasks)
    found = {}
    report = _Report(grid, tasks, next(iter(scorers)), verbose, progress)
    for task, cell in zip(tasks, Parallel(n_jobs=n_jobs, return_as="generator")(jobs)):
        found[task] = cell
        report(task, cell)
    failures = _count(grid, found, lambda cell: [cell.error] if cell.error else [])
    _warn_of(failures, found, grid)
    scores = {
        name: grid.collect(found, lambda cell, name=name: cell.scores[name]) for name in scorers
    }
    return Evaluation(
        translators=translators,
        n_anchors=counts,
        scores=scores,
        native=_native(pairs, scorers, splits),
        fit_time=grid.collect(found, lambda cell: cell.fit_time),
        score_time=grid.collect(found, lambda cell: cell.score_time),
        n_train=sizes[:, 0],
        n_test=sizes[:, 1],
        failures=failures,
        warnings=_count(grid, found, lambda cell: sorted(set(cell.warnings))),
        seed=seed,
    )


class _Grid:
    """Which cells there are."""

    def __init__(self, pairs, candidates, counts, splits, draw_seeds):
        self.names, self.estimators = list(candidates), list(candidates.values())
        self.counts, self.splits, self.draw_seeds = counts, splits, draw_seeds
        self.shape = (len(candidates), counts.size, *draw_seeds.shape)

    def tasks(self):
        """Indices (candidate, count, fold, draw); all rows are one draw."""
        return [
            task
            for task in np.ndindex(*self.shape)
            if task[3] == 0 or not self._takes_all(task[1], task[2])
        ]

    def job(self, task):
        candidate, count, fold, draw = task
        train, test = self.splits[fold]
        seed = int(self.draw_seeds[fold, draw])
        rows = draw_anchors(train, int(self.counts[count]), seed)
        return seeded(self.estimators[candidate], seed), rows, test

    def collect(self, found, value):
        """Array of a value of all cells; the one draw of all rows stands for every draw."""
        values = np.empty(self.shape)
        for candidate, count, fold, draw in np.ndindex(*self.shape):
            one = 0 if self._takes_all(count, fold) else draw
            values[candidate, count, fold, draw] = value(found[candidate, count, fold, one])
        return values

    def _takes_all(self, count, fold):
        return self.counts[count] == self.splits[fold][0].size


def draw_anchors(train: np.ndarray, n_anchors: int, seed: int) -> np.ndarray:
    """`n_anchors` of the rows `train`, ascending; for one seed, fewer are a subset of more."""
    return np.sort(np.random.RandomState(seed).permutation(train)[:n_anchors])


@contextlib.contextmanager
def _collected_warnings():
    """Warnings of a cell; in a thread none, for filters belong to the process as a whole."""
    if threading.current_thread() is not threading.main_thread():
        yield []
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Decoders and maps that met a DataFrame once and now meet each other's arrays.
        warnings.filterwarnings("ignore", ".*valid feature names", UserWarning)
        yield caught


def _run(estimator, rows, test, pairs, scorers):
    """One cell; what goes wrong in it is noted and costs no other cell."""
    cell = Cell(dict.fromkeys(scorers, np.nan))
    with _collected_warnings() as caught:
        try:
            start = time.perf_counter()
            estimator.fit(_safe_indexing(pairs.X, rows), _safe_indexing(pairs.y, rows))
            cell.fit_time = time.perf_counter() - start
            start = time.perf_counter()
            cell.scores = score_all(scorers, for_scoring(estimator), pairs, test)
            cell.score_time = time.perf_counter() - start
        except Exception as error:
            cell.error = f"{type(error).__name__}: {error}"
    cell.warnings = [f"{item.category.__name__}: {item.message}" for item in caught]
    return cell


def score_all(
    scorers: Scorers, fitted: Any, pairs: Pairs, test: np.ndarray, native: bool = False
) -> dict[str, float]:
    """Each scorer's verdict on the test rows; `native`: of the target's own latents."""
    y = _safe_indexing(pairs.y, test)
    X = y if native else _safe_indexing(pairs.X, test)
    scores = {}
    for name, scorer in scorers.items():
        labels = {"labels": _safe_indexing(pairs.labels, test)} if wants_labels(scorer) else {}
        score = scorer(fitted, X, y, **labels)
        if not isinstance(score, Number) or isinstance(score, complex):
            raise ValueError(f"scoring {name!r} returned {score!r}, which is not a number.")
        scores[name] = float(score)
    return scores


def _check_scorers(scorers, pairs, split):
    """Raise where a scorer cannot judge latents at all, before anything costs time."""
    train, test = split
    constant = ConstantTranslator().fit(
        _safe_indexing(pairs.X, train[:2]), _safe_indexing(pairs.y, train[:2])
    )
    for name, scorer in scorers.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                score_all({name: scorer}, constant, pairs, test)
        except Exception as error:
            raise ValueError(cannot_judge(name, error)) from error


def _native(pairs, scorers, splits):
    """Scores of the target's own latents in each fold, where labels say how good they are."""
    if pairs.labels is None:
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*valid feature names", UserWarning)
        each = [score_all(scorers, Identity(), pairs, test, native=True) for _, test in splits]
    return {name: np.array([scores[name] for scores in each]) for name in scorers}


def _splits(pairs, cv, seed):
    """Training and test rows of each fold; an int shuffles, as anchors have no order."""
    labels = pairs.labels
    if cv is None or isinstance(cv, Integral):
        classes = pairs.decoder is not None and is_classifier(pairs.decoder) and labels is not None
        classes = classes and type_of_target(labels) in ("binary", "multiclass")
        folds = StratifiedKFold if classes else KFold
        cv = folds(5 if cv is None else int(cv), shuffle=True, random_state=seed)
    else:
        cv = copy.deepcopy(check_cv(cv))  # its own random state, if any, is not advanced
    rows = np.zeros((pairs.n_rows, 1))
    try:
        splits = [tuple(map(np.asarray, split)) for split in cv.split(rows, labels)]
    except (TypeError, ValueError) as error:
        if labels is None and "Stratified" in type(cv).__name__:
            raise ValueError(f"cv={cv!r} needs labels: pass labels=, or use KFold.") from error
        if "groups" not in str(error):
            raise
        raise ValueError(
            f"{error} Give the folds themselves: cv=list({type(cv).__name__}(...).split(X, "
            "groups=groups))."
        ) from error
    splits = [tuple(_row_numbers(rows, pairs.n_rows) for rows in split) for split in splits]
    if not splits or any(train.size == 0 or test.size == 0 for train, test in splits):
        raise ValueError("cv gives no folds, or folds with no training or no test rows.")
    return splits


def _row_numbers(rows, n_rows):
    """Of one side of a fold, which may be a mask."""
    if rows.dtype == bool and rows.shape == (n_rows,):
        return np.flatnonzero(rows)
    if rows.size == 0:
        return rows
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= n_rows:
        raise ValueError(
            f"cv gives folds that are no rows of these pairs: expected integers from 0 to "
            f"{n_rows - 1}, or masks of {n_rows} values; got {rows!r}."
        )
    return rows


def _count(grid, found, messages):
    """{candidate: {message: number of cells}}, of candidates with any."""
    counted: dict[str, Counter] = {}
    for task, cell in found.items():
        counted.setdefault(grid.names[task[0]], Counter()).update(messages(cell))
    return {name: dict(counter) for name, counter in counted.items() if counter}


def _warn_of(failures, found, grid):
    """Raise if nothing but the constant could be fitted; else warn of what could not."""
    if not failures:
        return
    totals = Counter(grid.names[task[0]] for task in found)
    told = [
        f"{name!r}: {sum(messages.values())} of {totals[name]} fits failed, their scores are nan: "
        + "; ".join(messages)
        for name, messages in failures.items()
    ]
    worked = any(not cell.error for task, cell in found.items() if grid.names[task[0]] != CONSTANT)
    if not worked:
        raise ValueError("Every fit of every translator failed.\n" + "\n".join(told))
    warnings.warn("\n".join(told), FitFailedWarning, stacklevel=4)


class _Report:
    """Progress: a call for each cell, and a line for each translator and number of anchors."""

    def __init__(self, grid, tasks, metric, verbose, progress):
        self.grid, self.metric, self.verbose, self.progress = grid, metric, verbose, progress
        self.left = Counter(task[:2] for task in tasks)
        self.cells: dict[tuple, list[Cell]] = {}
        self.done, self.total, self.start = 0, len(tasks), time.perf_counter()

    def __call__(self, task, cell):
        self.done += 1
        key = task[:2]
        self.left[key] -= 1
        self.cells.setdefault(key, []).append(cell)
        if self.progress is not None:
            self.progress(self.done, self.total)
        if self.verbose and self.left[key] == 0:
            print(self._line(key, self.cells.pop(key)), flush=True)

    def _line(self, key, cells):
        elapsed = time.perf_counter() - self.start
        remaining = elapsed / self.done * (self.total - self.done)
        score = np.mean([cell.scores[self.metric] for cell in cells])
        width = len(str(self.total))
        return (
            f"[{self.done:{width}d}/{self.total}] {self.grid.names[key[0]]}, "
            f"{self.grid.counts[key[1]]} anchors: {self.metric} {score:.3f}; "
            f"{elapsed:.1f} s elapsed, about {remaining:.1f} s left"
        )
