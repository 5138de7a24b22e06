"""Results as tables: means over pairs of encoders, spreads over draws of the anchors."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from cells import Result

METRICS = {
    "accuracy": "Stitched accuracy of the target's classifier",
    "recall": "Retrieval: recall@1 of the true partner",
}
Draws = dict[tuple[str, int], np.ndarray]
"""(method's name, n) -> one figure a draw, the mean over pairs."""


def by_draw(results: Iterable[Result], names: dict[str, str], metric: str) -> Draws:
    """One figure a draw: the mean over ordered pairs of encoders.

    ``names`` maps a result's method to the name that the table calls it by.
    """
    cells: dict[tuple[str, int, int], list[float]] = defaultdict(list)
    for result in results:
        cells[names[result.method], result.n, result.seed].append(getattr(result, metric))
    draws: dict[tuple[str, int], list[float]] = defaultdict(list)
    for method in names.values():
        for n, seed in sorted((n, seed) for name, n, seed in cells if name == method):
            draws[method, n].append(float(np.mean(cells[method, n, seed])))
    return {key: np.array(values) for key, values in draws.items()}


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """The mean over draws and its standard error (nan for a single draw)."""
    if len(values) < 2:
        return float(values.mean()), float("nan")
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def best_of(draws: Draws, methods: Iterable[str], n: int) -> str | None:
    """The method with the highest mean over draws; None where none of them was run."""
    run = [method for method in methods if (method, n) in draws]
    return max(run, key=lambda method: draws[method, n].mean(), default=None)


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, its columns aligned."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def table(draws: Draws, papers: Iterable[str], yardstick: str) -> str:
    """Mean ± standard error over draws; in brackets the paired difference to the yardstick.

    The difference and its error are in thousandths, and taken draw by draw: what all methods owe
    to the same anchors cancels.
    """
    methods = list(dict.fromkeys(method for method, _ in draws))
    ns = sorted({n for _, n in draws})
    rows = []
    best = {n: best_of(draws, papers, n) for n in ns}
    if any(best.values()):
        cells = [_cell(draws, best[n], n, yardstick, name=True) for n in ns]
        rows.append(["*papers' best*", *cells])
    rows += [[method, *(_cell(draws, method, n, yardstick) for n in ns)] for method in methods]
    return markdown(["method", *(f"n = {n}" for n in ns)], rows)


def _cell(draws: Draws, method: str | None, n: int, yardstick: str, *, name: bool = False) -> str:
    values = draws.get((method or "", n))
    if values is None:
        return "-"
    mean, error = mean_and_error(values)
    text = f"{_number(mean)} ± {_number(error)}"
    reference = draws.get((yardstick, n))
    if method != yardstick and reference is not None and len(reference) == len(values):
        difference, spread = mean_and_error(values - reference)
        text += f" ({1000 * difference:+.0f} ± {1000 * spread:.0f})"
    return f"{text} {method}" if name else text


def _number(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def seconds(results: Iterable[Result], names: dict[str, str]) -> str:
    """Mean seconds of a fit, by method and n."""
    times: dict[tuple[str, int], list[float]] = defaultdict(list)
    for result in results:
        times[names[result.method], result.n].append(result.seconds)
    ns = sorted({n for _, n in times})
    methods = list(dict.fromkeys(method for method, _ in times))
    rows = [[m, *(f"{np.mean(times[m, n]):.2f}" if (m, n) in times else "-" for n in ns)]
            for m in methods]  # fmt: skip
    return markdown(["seconds a fit", *(f"n = {n}" for n in ns)], rows)


def write_csv(path: Path, results: Iterable[Result], names: dict[str, str]) -> None:
    """All results, one line each."""
    columns = ["name", *(field.name for field in fields(Result))]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for result in results:
            writer.writerow({"name": names[result.method]} | asdict(result))
