"""What all table scripts share: arguments, data, cache, printing, CSV and PNG.

A script ``NAME.py`` of this folder has the docstring that its users read, and ::

    from common import Run, entry_of

    PAPER = {"ortho": (0.93, 0.04), ...}          # mean and spread as printed; which table

    def main(arguments: list[str] | None = None) -> None:
        run = Run("NAME", __doc__, arguments, seeds=5)
        images = run.images("mnist")                  # or run.latents("cifar10")
        run.header("Table 9 of ...; encoders: other than the paper's: ...; trained for ...")
        model = run.cache.model(
            "cnn", {"data": run.fingerprint(images.train), "latent": 50, "epochs": 3, "seed": 0},
            lambda: train(...))                       # trained at most once, pickled by joblib
        entries = []
        for method in METHODS:
            figures = [
                run.cell({"method": method, "seed": seed, "data": ..., "settings": ...},
                         lambda: {"mse": ...}, uses=[ProcrustesTranslator])
                for seed in run.seeds]                # computed at most once, kept as they come
            entries.append(entry_of({"method": method}, [f["mse"] for f in figures], PAPER[method]))
        run.finish(entries)                           # prints ours | paper | difference, writes CSV

    if __name__ == "__main__":
        main()

- The *key* of a cell or model is a dict of all that its figures depend on (arrays as
  `fingerprint`). ``uses``: classes or functions whose source, with all that it imports of its
  package, counts too; ``--any-code`` takes kept figures of other code. Scripts that share cells
  give one ``cache_name``.
- A figure is drawn on ``run.figure(...)`` (no global pyplot state) and written by
  ``run.finish(entries, figure=figure)``.
- ``run.fast`` (``--fast``): a smoke run within a second or two on data made on the spot; nothing is
  written, or kept, unless ``--csv``, ``--out`` or ``--cache`` say where. In place of the caption
  stands that its figures mean nothing, and none of the paper's stand beside them.
- ``run.refuse(...)`` ends a run that lacks something, as argparse does: a message, exit code 2.
- Own arguments: ``parser = make_parser(__doc__, seeds=5)``, ``parser.add_argument(...)``, then
  ``Run("NAME", parser, arguments)``; they are in ``run.options``.
"""

from __future__ import annotations

import argparse
import functools
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np

T = TypeVar("T")
HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "quality"))

from _cache import Cache, Figures  # noqa: E402
from _images import Images, load_images  # noqa: E402
from _latents import load_latents  # noqa: E402
from _report import (  # noqa: E402
    Entry,
    comparison,
    entry_of,
    environment,
    markdown,
    wide,
    write_csv,
)
from data import VARIABLE, DataSet  # noqa: E402
from decoders import fingerprint  # noqa: E402
from methods import source_digest  # noqa: E402

__all__ = ["DataSet", "Entry", "Images", "Run", "entry_of", "make_parser", "markdown", "wide"]

EXPECTED = HERE / "expected"
SMOKE = "Smoke run on data made on the spot: the figures mean nothing."
STAND_IN = "digits"
"""What a smoke run's images are, whatever the name that they were asked for by."""
_source_digest = functools.cache(source_digest)


def make_parser(description: str | None, *, seeds: int) -> argparse.ArgumentParser:
    """The arguments that every script takes; ``seeds``: how many it runs by default."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, help=f"folder of the data; else {VARIABLE}; else OpenML (images alone)"
    )
    parser.add_argument("--fast", action="store_true", help="a smoke run on data made on the spot")
    parser.add_argument("--seeds", type=int, default=seeds, help=f"repetitions (default: {seeds})")
    parser.add_argument("--csv", type=Path, help="where the CSV goes (default: expected/NAME.csv)")
    parser.add_argument("--out", type=Path, help="where a PNG goes (default: expected/NAME.png)")
    parser.add_argument(
        "--cache",
        type=Path,
        help="where models and figures are kept (default: ~/.cache/sklearn_latent)",
    )
    parser.add_argument(
        "--any-code", action="store_true", help="take kept figures even if the code has changed"
    )
    return parser


class Run:
    """One run of a table script: its options, its data, its cache and its report."""

    def __init__(
        self,
        name: str,
        parser: argparse.ArgumentParser | str | None,
        arguments: Sequence[str] | None = None,
        *,
        seeds: int = 5,
        cache_name: str | None = None,
    ):
        self.name, self._start = name, time.perf_counter()
        if not isinstance(parser, argparse.ArgumentParser):
            parser = make_parser(parser, seeds=seeds)
        given = list(sys.argv[1:] if arguments is None else arguments)
        self.options = parser.parse_args(given)
        self._parser = parser
        if self.options.seeds < 1:
            self.refuse("--seeds must be at least 1.")
        self.command = shlex.join(["python", f"benchmarks/tables/{name}.py", *given])
        self.fast: bool = self.options.fast
        self.seeds = range(min(2, self.options.seeds) if self.fast else self.options.seeds)
        self.cache = Cache(self._cache_folder(), cache_name or name, any_code=self.options.any_code)
        self._sources: list[str] = []
        self._stood_in: set[str] = set()
        self._caption = ""

    def _cache_folder(self) -> Path | None:
        if self.options.cache is not None:
            return self.options.cache / "tables"
        return None if self.fast else Path.home() / ".cache" / "sklearn_latent" / "tables"

    def refuse(self, message: str) -> NoReturn:
        """End the run with a message and exit code 2, as argparse does."""
        self._parser.error(message)

    def folder(self) -> Path | None:
        """The folder of the data, or None: the argument, else the environment variable."""
        given = self.options.data or os.environ.get(VARIABLE)
        if given and not Path(given).is_dir():
            self.refuse(f"There is no folder {given}: --data wants an existing one.")
        return Path(given) if given else None

    def _load(self, load: Callable[..., T], name: str) -> T:
        try:
            return load(name, None if self.fast else self.folder(), fast=self.fast)
        except (OSError, ValueError) as error:  # no file, no network, or not what it should be
            self.refuse(str(error))

    def images(self, name: str) -> Images:
        """``"mnist"`` or ``"fashion_mnist"``."""
        images = self._load(load_images, name)
        size = f"{len(images.train)} + {len(images.test)} images"
        if self.fast:
            self._stood_in.add(name)
            self._sources.append(f"{images.source} ({size})")
        else:
            self._sources.append(f"{name} ({images.source}; {size})")
        return images

    def latents(self, name: str) -> DataSet:
        """The latents of one data set by several encoders."""
        latents = self._load(load_latents, name)
        encoders = ", ".join(
            f"{encoder} ({rows.train.shape[1]})" for encoder, rows in latents.encoders.items()
        )
        size = f"{len(latents.train_label)} + {len(latents.test_label)} items"
        shown = f"scikit-learn's {latents.name} through random networks" if self.fast else name
        self._sources.append(f"{shown} ({size}; encoders: {encoders})")
        return latents

    @staticmethod
    def fingerprint(*arrays: np.ndarray) -> str:
        """Short digest of arrays, for keys."""
        return fingerprint(*arrays)

    def cell(
        self,
        key: Mapping[str, Any],
        compute: Callable[[], Mapping[str, float]],
        *,
        uses: Iterable[Any] = (),
    ) -> Figures:
        """The figures of one cell by name (and ``seconds``), computed at most once."""
        code = "-".join(sorted({_source_digest(part) for part in uses}))
        return self.cache.cell(key, compute, code=code)

    def progress(self, text: str) -> None:
        """A line to stderr with the seconds since the start."""
        took = time.perf_counter() - self._start
        cells = f"{self.cache.n_new} new cells, {self.cache.n_kept} kept"
        print(f"[{took:6.0f} s, {cells}] {self._honest(text)}", file=sys.stderr, flush=True)

    def header(self, caption: str) -> None:
        """Print what is run, on what and with what. Call it once the data are loaded."""
        self._caption = " ".join(caption.split())
        print("\n\n".join(self._notes()) + "\n", flush=True)

    def _notes(self) -> list[str]:
        return [
            self.command,
            # The caption tells of the data that others stand in for.
            SMOKE if self.fast else self._caption,
            f"Data: {'; '.join(self._sources) or 'none'}. Seeds: 0 to {len(self.seeds) - 1}.",
            environment(),
        ]

    def _honest(self, label: Any) -> Any:
        """A label or text that names what stands in, not the data that were asked for."""
        if isinstance(label, str):
            for name in sorted(self._stood_in, key=len, reverse=True):
                label = label.replace(name, STAND_IN)
        return label

    def shown(self, entries: Iterable[Entry]) -> list[Entry]:
        """Entries to print: in a smoke run without the paper's figures and names of data."""
        if not self.fast:
            return list(entries)
        return [
            replace(
                entry,
                labels={name: self._honest(label) for name, label in entry.labels.items()},
                paper=None,
                paper_spread=None,
            )
            for entry in entries
        ]

    def figure(self, *args: Any, **kwargs: Any) -> Any:
        """A matplotlib figure, made without pyplot's global state."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(*args, **kwargs)
        FigureCanvasAgg(figure)
        return figure

    def panels(self, n: int, *, width: float, height: float) -> tuple[Any, list[Any]]:
        """A figure of n panels of that many inches, three in a row; the figure and its axes."""
        n_columns = min(n, 3)
        n_rows = -(-n // n_columns)
        figure = self.figure(figsize=(width * n_columns, height * n_rows), layout="constrained")
        axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
        for ax in axes[n:]:
            ax.remove()
        return figure, list(axes[:n])

    def finish(
        self,
        entries: Sequence[Entry],
        *,
        figure: Any = None,
        digits: int = 3,
        wide_by: str | None = None,
        remarks: Sequence[str] = (),
    ) -> None:
        """Print the comparison and the time; write the CSV and the figure.

        ``wide_by``: also print a table with one column for each value of this label. ``remarks``:
        lines that are printed, and stand in the CSV's head.
        """
        entries = self.shown(entries)
        if wide_by is not None:
            print(wide(entries, wide_by) + "\n")
        if wide_by is None or any(entry.paper is not None for entry in entries):
            print(comparison(entries, digits=digits) + "\n")
        seconds = time.perf_counter() - self._start
        took = (
            f"{self.cache.n_new} cells computed, {self.cache.n_kept} kept from before; "
            f"{seconds:.0f} s now, {self.cache.seconds:.0f} s in all cells when they were computed."
        )
        print("\n".join([*remarks, took]), flush=True)
        csv_path = self._target(self.options.csv, ".csv")
        if csv_path is not None:
            write_csv(csv_path, entries, [*self._notes(), *remarks, took])
        png_path = self._target(self.options.out, ".png")
        if figure is not None and png_path is not None:
            png_path.parent.mkdir(parents=True, exist_ok=True)
            if self.fast:
                figure.suptitle(SMOKE)
                for ax in figure.axes:
                    ax.title.set_text(self._honest(ax.get_title()))
            # No version in the file: the same picture is the same bytes.
            figure.savefig(png_path, dpi=110, bbox_inches="tight", metadata={"Software": None})

    def _target(self, given: Path | None, suffix: str) -> Path | None:
        if given is not None:
            return given
        return None if self.fast else EXPECTED / f"{self.name}{suffix}"
