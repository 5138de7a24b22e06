"""A `TranslatorComparison` as text and as HTML."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from ._candidates import CONSTANT
from ._statistics import no_better_than_constant, within_one_error

Grid = tuple[list[str], list[list[str]]]
"""Column heads, and the rows' cells; the first column is text, the others are numbers."""

MOST_WARNINGS = 5


def decimals(values: Any) -> int:
    """Decimals that show the largest of some numbers: three, or more where all are tiny."""
    largest = np.max(np.abs(values), initial=0, where=np.isfinite(values))
    return 3 if largest == 0 else int(np.clip(2 - np.floor(np.log10(largest)), 3, 12))


def number(value: float, digits: int = 3) -> str:
    """To `digits` decimals; a dash for nan."""
    if not np.isfinite(value):
        return "-"
    return f"{value:.3g}" if abs(value) >= 1e5 else f"{value:.{digits}f}"


def head(result: Any) -> str:
    """What was compared on what."""
    source, target = result.dimensions_
    n_translators = len(set(result.results_["translator"])) - 1
    return (
        f"{_plural(n_translators, 'translator')} compared on {result.n_pairs_} pairs, "
        f"{source} -> {target} dimensions; {_plural(result.n_folds_, 'fold')} x "
        f"{_plural(result.n_draws_, 'draw')} of anchors, each scored on {result.n_test_} new pairs."
    )


def findings(result: Any) -> list[str]:
    """What the tables say, in sentences."""
    summary, metric = result.summary(), result.metric_
    lines = [
        f"Best: {result.best_name_} with {result.best_n_anchors_} anchors, {metric} "
        f"{_with_error(result.best_score_, summary[f'se_test_{metric}'][0], _digits(result))}."
    ]
    if result.native_score_ is not None:
        native = number(result.native_score_, _digits(result))
        lines[0] = lines[0][:-1] + f", of {native} native."
    if result.n_tied_ > 1:
        next_metric = result.metrics_[1] if len(result.metrics_) > 1 else "the fewest anchors"
        lines.append(
            f"Ties: {result.n_tied_} candidates have this {metric}, so {next_metric} decided. "
            "More test rows would tell them apart."
        )
    near = [str(summary["translator"][row]) for row in within_one_error(summary)]
    if near:
        lines.append(f"Within one standard error of it: {', '.join(near)}.")
    if result.enough_anchors_ < result.best_n_anchors_:
        lines.append(
            f"Enough anchors: {result.enough_anchors_} are within one standard error of "
            f"{result.best_n_anchors_}."
        )
    elif result.best_n_anchors_ == result.results_["n_anchors"].max():
        lines.append("Enough anchors: not reached; more would probably help.")
    useless = no_better_than_constant(summary)
    if useless:
        lines.append(f"No better than a constant: {', '.join(useless)}.")
    return lines + _troubles("Failed", result.failures_) + _troubles("Warned", result.warnings_)


def _troubles(what, by_name):
    lines = []
    for name, messages in by_name.items():
        message = max(messages, key=messages.__getitem__)
        text = " ".join(message.split())
        text = text if len(text) <= 90 else text[:87] + "..."
        such = "" if len(messages) == 1 else ", such as"
        fits = _plural(sum(messages.values()), "fit")
        lines.append(f"{what}: {name} in {fits}{such}: {text}")
    hidden = len(lines) - MOST_WARNINGS
    return lines if hidden <= 0 else [*lines[:MOST_WARNINGS], f"{what}: {hidden} more."]


def summary_grid(result: Any) -> Grid:
    """A row for each translator at its best number of anchors; then constant and native."""
    summary, native = result.summary(), result.native_score_
    heads = ["at its best", "anchors", f"{result.metric_} ± s.e.", "to best ± s.e."]
    if native is not None:
        heads.append("retained")
    heads += ["enough", "fit (s)"]
    rows = []
    for i, name in enumerate(summary["translator"]):
        last = [str(summary["enough_anchors"][i]), number(summary["mean_fit_time"][i])]
        rows.append([str(name), *_scores(result, summary, i), *last])
        if i == 0:
            rows[0][3] = ""
    table = result.results_
    # The constant on as many anchors as the best.
    same = (table["translator"] == CONSTANT) & (table["n_anchors"] == result.best_n_anchors_)
    constant = int(np.flatnonzero(same)[0])
    rows.append([f"({CONSTANT})", *_scores(result, table, constant), "", ""])
    if native is not None:
        shown = _with_error(native, np.nan, _digits(result))
        rows.append(["(native)", "", shown, *[""] * (len(heads) - 3)])
    return heads, rows


def _scores(result, table, row):
    """Cells of one row of a table: anchors, score, difference to the best, share of native."""
    metric, digits = result.metric_, _digits(result)
    cells = [
        str(table["n_anchors"][row]),
        _with_error(table[f"mean_test_{metric}"][row], table[f"se_test_{metric}"][row], digits),
        _with_error(table["difference_to_best"][row], table["se_difference_to_best"][row], digits),
    ]
    if result.native_score_ is None:
        return cells
    share = table[f"retention_{metric}"][row]
    return [*cells, f"{100 * share:.1f}%" if np.isfinite(share) else "-"]


def _digits(result):
    return decimals(result.results_[f"mean_test_{result.metric_}"])


def _with_error(value, error, digits):
    """As wide with an error as without."""
    known = f" ± {number(error, digits)}"
    return number(value, digits) + (known if np.isfinite(error) else " " * (digits + 5))


def curve_grid(result: Any) -> Grid:
    """Mean of the first metric by number of anchors, in the order of the summary."""
    table = result.results_
    counts = np.unique(table["n_anchors"])
    names = list(result.summary()["translator"])
    names += [name for name in dict.fromkeys(table["translator"]) if name not in names]
    mean = table[f"mean_test_{result.metric_}"]
    rows = [
        [
            f"({name})" if name == CONSTANT else str(name),
            *[number(value, _digits(result)) for value in mean[table["translator"] == name]],
        ]
        for name in names
    ]
    return [f"{result.metric_}, anchors:", *map(str, counts)], rows


def others_grid(result: Any) -> Grid | None:
    """The other metrics, for the rows of the summary."""
    if len(result.metrics_) == 1:
        return None
    summary, others = result.summary(), result.metrics_[1:]
    columns = [summary[f"mean_test_{metric}"] for metric in others]
    shown = [[number(value, decimals(column)) for value in column] for column in columns]
    rows = [[str(name), *cells] for name, *cells in zip(summary["translator"], *shown)]
    return ["other metrics:", *others], rows


def as_text(result: Any) -> str:
    """Head, tables and findings, for a terminal."""
    grids = [summary_grid(result), curve_grid(result), others_grid(result)]
    parts = [head(result), *[_text_table(grid) for grid in grids if grid is not None]]
    return "\n\n".join([*parts, "\n".join(findings(result))])


def as_html(result: Any) -> str:
    """The same for a notebook."""
    grids = [summary_grid(result), curve_grid(result), others_grid(result)]
    tables = "".join(_html_table(grid) for grid in grids if grid is not None)
    items = "".join(f"<li>{html.escape(line)}</li>" for line in findings(result))
    return f"<div><p>{html.escape(head(result))}</p>{tables}<ul>{items}</ul></div>"


def _text_table(grid):
    heads, rows = grid
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in [heads, *rows]
    ]
    return "\n".join(lines)


def _html_table(grid):
    heads, rows = grid
    first = "".join(f"<th>{html.escape(cell)}</th>" for cell in heads)
    body = "".join(
        f"<tr><th style='text-align:left'>{html.escape(row[0])}</th>"
        + "".join(f"<td style='text-align:right'>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table>"


def _plural(n, noun):
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
