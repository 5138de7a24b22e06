"""Write the expected figures into README.md.

    python benchmarks/tables/fill_readme.py [FILE]

Between ``<!-- NAME by LABEL -->`` and ``<!-- end -->`` goes ``expected/NAME.csv`` as a table with
one column for each value of LABEL, and from its head the caption, the command, the seeds and the
time.
``<!-- NAME by LABEL where OTHER in A, B -->`` takes only lines whose label OTHER is A or B;
``to 3 digits`` at the end prints three digits, not two. FILE: another than README.md.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

from common import EXPECTED, HERE, Entry, wide

README = HERE / "README.md"
BLOCK = re.compile(
    r"(<!-- (?P<name>\w+) by (?P<label>.+?)(?: where (?P<other>.+?) in (?P<values>.+?))?"
    r"(?: to (?P<digits>\d) digits)? -->\n)"
    r".*?(?P<end><!-- end -->)",
    re.DOTALL,
)


def read(path: Path) -> tuple[list[str], list[Entry]]:
    """The notes in the head of a CSV, and its entries."""
    lines = path.read_text(encoding="utf-8").splitlines()
    notes = [line.removeprefix("# ") for line in lines if line.startswith("#")]
    rows = csv.DictReader(lines[len(notes) :])
    names = list(rows.fieldnames or ())
    labels = names[: names.index("ours")]
    entries = [
        Entry(
            {name: row[name] for name in labels},
            float(row["ours"] or "nan"),
            *(float(row[name]) if row[name] else None for name in ("spread", "n")),
            *(float(row[name]) if row[name] else None for name in ("paper", "paper_spread")),
        )
        for row in rows
    ]
    return notes, entries


def fill(text: str, folder: Path = EXPECTED) -> str:
    """The text with all its blocks filled; those without a CSV say so."""

    def block(match: re.Match[str]) -> str:
        path = folder / f"{match['name']}.csv"
        if not path.is_file():
            return f"{match[1]}\nNot run yet.\n\n{match['end']}"
        notes, entries = read(path)
        if match["other"]:
            values = match["values"].split(", ")
            entries = [e for e in entries if str(e.labels[match["other"]]) in values]
        if not entries:
            return f"{match[1]}\nNot run yet.\n\n{match['end']}"
        command, caption, *_ = notes
        seeds = next(note for note in notes if "Seeds: " in note).rpartition("Seeds: ")[2]
        took = notes[-1].rpartition("; ")[2].rpartition(", ")[2]
        table = wide(entries, match["label"], digits=int(match["digits"] or 2))
        foot = f"{caption} `{command}`; seeds {seeds.rstrip('.')}; {took}"
        return f"{match[1]}\n{table}\n\n{foot}\n\n{match['end']}"

    return BLOCK.sub(block, text)


def main() -> None:
    """Fill the README beside this script, or another file."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else README
    path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
