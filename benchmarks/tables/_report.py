"""Results beside the paper's, as text and as CSV."""

from __future__ import annotations

import csv
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
import sklearn
from report import markdown

import sklearn_latent


@dataclass(frozen=True)
class Entry:
    """One figure of a table: ``labels`` say which (data set, method, ...), in the table's order.

    ``spread`` is the standard deviation over ``n`` values; None and nan: there is none.
    ``paper`` and ``paper_spread`` are what the paper prints in that place.
    """

    labels: dict[str, str | int | float]
    ours: float
    spread: float | None = None
    n: int | None = None
    paper: float | None = None
    paper_spread: float | None = None

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's."""
        return None if self.paper is None else self.ours - self.paper


def entry_of(
    labels: dict[str, str | int | float],
    values: Iterable[float],
    paper: tuple[float, float | None] | float | None = None,
) -> Entry:
    """An entry of the mean and standard deviation of ``values``; ``paper``: mean, or both."""
    values = np.fromiter(values, dtype=np.float64)
    mean, spread = paper if isinstance(paper, tuple) else (paper, None)
    own = float(values.std(ddof=1)) if len(values) > 1 else None
    return Entry(labels, float(values.mean()), own, len(values), mean, spread)


def number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """A figure as text; "-" for none."""
    if value is None or np.isnan(value):
        return "-"
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def _with_spread(value: float | None, spread: float | None, digits: int) -> str:
    if spread is None or np.isnan(spread):
        return number(value, digits)
    return f"{number(value, digits)} ± {number(spread, digits)}"


def comparison(entries: Sequence[Entry], *, digits: int = 3) -> str:
    """*ours | paper | difference*, one line an entry."""
    names = list(dict.fromkeys(name for entry in entries for name in entry.labels))
    rows = [
        [
            *(str(entry.labels.get(name, "-")) for name in names),
            _with_spread(entry.ours, entry.spread, digits),
            _with_spread(entry.paper, entry.paper_spread, digits),
            number(entry.difference, digits, sign=True),
        ]
        for entry in entries
    ]
    return markdown([*names, "ours", "paper", "difference"], rows)


def wide(entries: Sequence[Entry], column: str, *, digits: int = 2) -> str:
    """The same with one column for each value of the label ``column``: *ours (paper)*."""
    heads = list(dict.fromkeys(str(entry.labels[column]) for entry in entries))
    names = [name for name in entries[0].labels if name != column]
    lines: dict[tuple[str, ...], dict[str, str]] = {}
    for entry in entries:
        text = _with_spread(entry.ours, entry.spread, digits)
        if entry.paper is not None:
            text += f" ({_with_spread(entry.paper, entry.paper_spread, digits)})"
        line = lines.setdefault(tuple(str(entry.labels.get(name, "-")) for name in names), {})
        line[str(entry.labels[column])] = text
    rows = [[*labels, *(cells.get(head, "-") for head in heads)] for labels, cells in lines.items()]
    return markdown([*names, *heads], rows)


def environment() -> str:
    """Machine and versions, in one line."""
    versions = {
        "Python": platform.python_version(),
        "sklearn_latent": sklearn_latent.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }
    if "torch" in sys.modules:
        versions["torch"] = sys.modules["torch"].__version__
    return (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
    )


def write_csv(path: Path, entries: Sequence[Entry], notes: Iterable[str]) -> None:
    """One line an entry, in full precision; ``notes`` stand above as lines that begin with #."""
    names = list(dict.fromkeys(name for entry in entries for name in entry.labels))
    figures = ["ours", "spread", "n", "paper", "paper_spread", "difference"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        for note in notes:
            file.write("".join(f"# {line}\n" for line in note.splitlines()))
        writer = csv.DictWriter(file, [*names, *figures], lineterminator="\n")
        writer.writeheader()
        for entry in entries:
            values = {name: _csv_number(getattr(entry, name)) for name in figures}
            writer.writerow({**entry.labels, **values})


def _csv_number(value: float | None) -> str:
    return "" if value is None or np.isnan(value) else f"{value:.6g}"
