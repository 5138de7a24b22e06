"""From the scores of all cells to a table: means, spreads, standard errors, what is enough.

A score varies with the test items of a fold, with the anchors drawn, and with both at once. The
unit here is the fold: scores of its draws are averaged first. Training sets of different folds
overlap, so that the variance between folds alone is too small a measure of how far the mean is
off; it is corrected as by Nadeau and Bengio.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata

from ._evaluation import Evaluation

ERRORS_ABOVE_CONSTANT = 2
"""Standard errors that a translator has to be above the constant."""

Table = dict[str, Any]


def standard_error(by_fold: np.ndarray, evaluation: Evaluation) -> np.ndarray:
    """Corrected standard error of the mean over the last axis, the folds; nan for one fold."""
    n_folds = by_fold.shape[-1]
    if n_folds == 1:
        return np.full(by_fold.shape[:-1], np.nan)
    overlap = evaluation.n_test.mean() / evaluation.n_train.mean()
    return np.sqrt((1 / n_folds + overlap) * by_fold.var(axis=-1, ddof=1))


def make_table(evaluation: Evaluation) -> Table:
    """One row for each translator and number of anchors; those of the constant last."""
    names, counts = evaluation.names, evaluation.n_anchors
    primary = by_fold(evaluation, evaluation.metric)
    best = best_row(evaluation)
    to_best = primary - primary[best]
    table: Table = {
        "translator": np.repeat(np.array(names, dtype=object), counts.size),
        "n_anchors": np.tile(counts, len(names)),
        "rank_test_score": _ranks(_rounded(primary.mean(axis=-1), evaluation)),
        "difference_to_best": to_best.mean(axis=-1),
        "se_difference_to_best": standard_error(to_best, evaluation),
        "better_than_constant": _beats_constant(primary, evaluation),
        "mean_fit_time": _rows(evaluation.fit_time).mean(axis=(1, 2)),
        "mean_score_time": _rows(evaluation.score_time).mean(axis=(1, 2)),
    }
    for metric in evaluation.scores:
        table.update(_of_metric(evaluation, metric))
    return table


def best_row(evaluation: Evaluation) -> int:
    """Row of the table with the best mean of the first metric.

    Between equals the other metrics decide, then fewer anchors, and last the order in which the
    translators were given.
    """
    candidates = np.arange(len(evaluation.translators) * evaluation.n_anchors.size)
    if np.all(np.isnan(_means(evaluation)[0][candidates])):
        raise ValueError(
            "No translator could be fitted and scored in every fold and draw, for any number of "
            "anchors; FitFailedWarning says why. Give more anchors, or other translators."
        )
    return _best_of(candidates, evaluation)


def _means(evaluation):
    """Of each metric, (n_rows,)."""
    return [_rows(scores).mean(axis=(1, 2)) for scores in evaluation.scores.values()]


def _best_of(rows, evaluation):
    """The best of some rows of the table, as `best_row` says."""
    means = [-_rounded(mean, evaluation)[rows] for mean in _means(evaluation)]
    anchors = np.tile(evaluation.n_anchors, len(evaluation.names))[rows]
    return int(rows[np.lexsort([anchors, *reversed(means)])[0]])


def n_tied(evaluation: Evaluation) -> int:
    """How many translators and numbers of anchors share the best mean of the first metric."""
    mean = _rounded(_means(evaluation)[0], evaluation)
    of_translators = mean[: len(evaluation.translators) * evaluation.n_anchors.size]
    return int(np.sum(of_translators == of_translators.max()))


def anchors_to_refit(table: Table, row: int, evaluation: Evaluation) -> int:
    """The most anchors whose mean is not below that of `row` by more than an error.

    By one standard error of their paired difference or of `row` itself, whichever is smaller: at a
    peak of interpolation the first is large too. Of the same translator.
    """
    primary = by_fold(evaluation, evaluation.metric)
    difference = primary - primary[row]
    error = np.nan_to_num(standard_error(difference, evaluation))
    error = np.minimum(error, np.nan_to_num(standard_error(primary[row], evaluation)))
    close = difference.mean(axis=-1) >= -error - 1e-10 * np.abs(primary[row]).max()
    same = table["translator"] == table["translator"][row]
    return int(table["n_anchors"][same & close].max())


def summarise(table: Table, evaluation: Evaluation) -> Table:
    """One row for each translator, at its best number of anchors, the best translator first."""
    mean, best = table[f"mean_test_{evaluation.metric}"], []
    for name in evaluation.translators:
        rows = np.flatnonzero(table["translator"] == name)
        if not np.all(np.isnan(mean[rows])):
            best.append(_best_of(rows, evaluation))
    overall = best_row(evaluation)
    rows = np.array(sorted(best, key=lambda row: (row != overall, -mean[row])))
    columns = [name for name in table if not name.startswith(("split", "rank"))]
    summary: Table = {"index": rows, **{name: table[name][rows] for name in columns}}
    summary["enough_anchors"] = np.array([_enough(table, row, evaluation) for row in rows])
    return summary


def by_fold(evaluation: Evaluation, metric: str) -> np.ndarray:
    """Mean over draws, (n_rows, n_folds)."""
    return _rows(evaluation.scores[metric]).mean(axis=-1)


def _rows(cells):
    """(n_candidates, n_counts, n_folds, n_draws) to (n_rows, n_folds, n_draws)."""
    return cells.reshape(-1, *cells.shape[2:])


def _of_metric(evaluation, metric):
    scores = _rows(evaluation.scores[metric])
    folds, n_draws = scores.mean(axis=-1), scores.shape[-1]
    over_draws = np.sqrt(scores.var(axis=-1, ddof=1).mean(axis=-1)) if n_draws > 1 else np.nan
    over_folds = folds.std(axis=-1, ddof=1) if folds.shape[-1] > 1 else np.nan
    columns = {
        f"mean_test_{metric}": folds.mean(axis=-1),
        f"std_test_{metric}": scores.std(axis=(1, 2)),
        f"se_test_{metric}": standard_error(folds, evaluation),
        f"std_over_folds_{metric}": np.broadcast_to(over_folds, folds.shape[:1]).copy(),
        f"std_over_draws_{metric}": np.broadcast_to(over_draws, folds.shape[:1]).copy(),
    }
    if evaluation.native is not None:
        native = evaluation.native[metric].mean()
        columns[f"retention_{metric}"] = (
            columns[f"mean_test_{metric}"] / native
            if native > 0
            else np.full(folds.shape[:1], np.nan)
        )
        columns[f"loss_{metric}"] = native - columns[f"mean_test_{metric}"]
        columns[f"se_loss_{metric}"] = standard_error(evaluation.native[metric] - folds, evaluation)
    for fold, draw in np.ndindex(*scores.shape[1:]):
        columns[f"split{fold}_draw{draw}_test_{metric}"] = scores[:, fold, draw].copy()
    return columns


def _ranks(rounded):
    """1 for the best; ties share the smallest rank, and nan comes last."""
    return rankdata(-rounded, method="min").astype(np.int64)


def _rounded(means, evaluation):
    """Means of all rows with ten digits, so that rounding decides nothing; -inf for nan.

    Rounded relative to the best mean, or to the constant's if that is larger in size: a diverged
    translator must not make all others look equal.
    """
    of_constant = means[-evaluation.n_anchors.size :]
    largest = [np.max(a, initial=-np.inf, where=np.isfinite(a)) for a in (means, of_constant)]
    unit = max((abs(value) for value in largest if np.isfinite(value)), default=0.0) or 1.0
    return np.where(np.isnan(means), -np.inf, np.round(means / unit, 10))


def _beats_constant(primary, evaluation):
    """Whether the mean is above the constant's of the same anchors by more than chance."""
    constant = primary[-evaluation.n_anchors.size :]
    difference = primary - np.tile(constant, (len(evaluation.names), 1))
    error = standard_error(difference, evaluation)
    margin = ERRORS_ABOVE_CONSTANT * np.nan_to_num(error)
    return difference.mean(axis=-1) > margin + 1e-10 * np.abs(constant).max()


def _enough(table, best, evaluation):
    """Fewest anchors with which a translator is within one standard error of its own best."""
    mean = table[f"mean_test_{evaluation.metric}"]
    error = np.nan_to_num(table[f"se_test_{evaluation.metric}"][best])
    rows = table["translator"] == table["translator"][best]
    slack = error + 1e-10 * abs(mean[best])
    return table["n_anchors"][rows & (mean >= mean[best] - slack)].min()


def no_better_than_constant(summary: Table) -> list[str]:
    """Translators whose best is not distinguishable from a constant."""
    return [str(name) for name in summary["translator"][~summary["better_than_constant"]]]


def within_one_error(summary: Table) -> list[int]:
    """Rows of the summary, but the first, whose paired difference to the best is within its error.

    One standard error of the difference, not of either score.
    """
    difference, error = summary["difference_to_best"], summary["se_difference_to_best"]
    near = difference >= -np.nan_to_num(error)
    return [int(row) for row in np.flatnonzero(near) if row > 0]
