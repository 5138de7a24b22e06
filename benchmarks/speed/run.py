"""Speed of the translators, as ratios to what other libraries take for the same work.

    python benchmarks/speed/run.py [--quick] [--only NAME ...] [--csv FILE]

All entrants of a race run in this process and take turns. The table has the ratio of their medians,
and whether it is above what is promised, and the ratio of their fastest rounds. A peer that is not
installed is left out and named.
"""

from __future__ import annotations

import os

# What scikit-learn asks for before it keeps tensors; read as SciPy is imported.
os.environ["SCIPY_ARRAY_API"] = "1"

import argparse
import csv
import datetime
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import peers
import report
import timing
from races import Comparison, Race, all_races
from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class Line:
    """A line of the table; what was not measured is None."""

    race: str
    work: str
    ours: str
    ours_seconds: float
    peer: str
    peer_seconds: float | None
    ratio: float | None
    fastest_ratio: float | None
    at_most: float | None
    difference: float | None
    rounds: int
    verdict: str


TITLES = (
    "ours",
    "s",
    "peer",
    "s",
    "ratio",
    "of fastest",
    "at most",
    "verdict",
    "difference",
    "rounds",
)


def run_race(name: str, race: Race, rounds: int | None, budget: float, judged: bool) -> list[Line]:
    """Build the entrants, let them run in turns, and compare."""
    entrants, missing = {}, {}
    for entrant, build in race.entrants.items():
        try:
            entrants[entrant] = build()
        except ImportError as error:
            missing[entrant] = str(error)
    times, outcomes = timing.in_turns(entrants, rounds or race.rounds, budget)
    seconds = timing.medians(times)
    lines = []
    for comparison in race.comparisons:
        ours, peer = comparison.ours, comparison.peer
        if ours not in seconds:  # on tensors of a library that is not installed
            continue
        ratio = fastest_ratio = difference = None
        if peer in seconds:
            ratio = seconds[ours] / seconds[peer]
            fastest_ratio = min(times[ours]) / min(times[peer])
            if comparison.agreement is not None:
                difference = relative_difference(outcomes[ours], outcomes[peer])
        lines.append(
            Line(
                race=name,
                work=race.work,
                ours=ours,
                ours_seconds=seconds[ours],
                peer=peer,
                peer_seconds=seconds.get(peer),
                ratio=ratio,
                fastest_ratio=fastest_ratio,
                at_most=comparison.at_most,
                difference=difference,
                rounds=len(times[ours]),
                verdict=verdict(comparison, ratio, difference, missing.get(peer), judged),
            )
        )
    return lines


def relative_difference(ours: Any, theirs: Any) -> float:
    """Of two results, in the Frobenius norm."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def verdict(
    comparison: Comparison,
    ratio: float | None,
    difference: float | None,
    missing: str | None,
    judged: bool = True,
) -> str:
    """What a line says of the promise, and of who is faster; only a ratio may go unjudged."""
    if ratio is None:
        return f"not installed ({missing})"
    # so written that nan differs
    if difference is not None and not difference <= comparison.agreement:
        return f"ANOTHER RESULT (above {comparison.agreement:.0e})"
    if not judged:
        return "not judged at this size"
    faster = "ours is faster" if ratio < 1 else "the peer is faster"
    if comparison.at_most is None:
        return faster
    return f"{'met' if ratio <= comparison.at_most else 'MISSED'}, {faster}"


def cells(line: Line) -> tuple[str, ...]:
    """A line of the table as text."""

    def number(value: float | None, form: str) -> str:
        return "–" if value is None else form.format(value)

    return (
        line.ours,
        report.seconds(line.ours_seconds),
        line.peer,
        "–" if line.peer_seconds is None else report.seconds(line.peer_seconds),
        number(line.ratio, "{:.2f}"),
        number(line.fastest_ratio, "{:.2f}"),
        number(line.at_most, "{:g}"),
        line.verdict,
        number(line.difference, "{:.0e}"),
        str(line.rounds),
    )


def summary(lines: Iterable[Line], judged: bool) -> str:
    """The last line: what was missed; unjudged, only what has another result."""
    verdicts = [line.verdict for line in lines]
    others = sum(verdict.startswith("ANOTHER") for verdict in verdicts)
    if not judged:
        found = f"; {others} have another result" if others else ""
        return f"{len(verdicts)} lines. Tiny data: no promise was judged{found}."
    missed = others + sum(verdict.startswith("MISSED") for verdict in verdicts)
    return f"{len(verdicts)} lines, of which {missed} miss a promise or have another result."


def write_csv(path: Path, lines: Iterable[Line]) -> None:
    """All lines, with where and when they were measured."""
    measured = {"date": str(datetime.date.today()), "machine": report.processor()}
    measured["versions"] = report.versions()
    rows = [{**asdict(line), **measured} for line in lines]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the races that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether all runs")
    names = list(all_races(quick=True))
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--rounds", type=int, help="at most (default: 7; the closest peers: 25)")
    parser.add_argument(
        "--budget", type=float, default=180.0, help="seconds after which no round of a race starts"
    )
    parser.add_argument("--threads", type=int, help="threads of each library (default: its own)")
    parser.add_argument("--csv", type=Path, help="write all lines to this file too")
    options = parser.parse_args(arguments)
    peers.quiet()
    rounds = options.rounds or (1 if options.quick else None)
    with limited_threads(options.threads):
        print(report.header(f"{datetime.date.today()}, float32, medians of rounds that took turns"))
        lines: list[Line] = []
        for name, make in all_races(options.quick).items():
            if name not in options.only:
                continue
            race = make()
            print(f"\n{name}: {race.work}\n", flush=True)
            found = run_race(name, race, rounds, options.budget, judged=not options.quick)
            print(report.markdown(TITLES, map(cells, found)), flush=True)
            lines += found
            del race
    print("\n" + summary(lines, judged=not options.quick))
    if options.csv:
        write_csv(options.csv, lines)


def limited_threads(n: int | None) -> Any:
    """A context in which every library uses `n` threads; None leaves them their own number."""
    if n is None:
        return nullcontext()
    try:
        import torch
    except ImportError:
        pass
    else:
        torch.set_num_threads(n)
    return threadpool_limits(n)


if __name__ == "__main__":
    main()
