"""Streams over files: throughput against the bare products, and memory.

    python benchmarks/speed/streaming.py [--quick] [--rows 1000000] [--columns 768] [--dir FOLDER]

Makes a pair of float32 ``.npy`` files block by block, and removes them at the end. Prints

- `partial_fit` over the memory-mapped pair against the bare blocked cross-product of the same
  batches, which take turns;
- `partial_fit` over the pair again, and `partial_fit_files`, with the map solved for: throughput,
  the peak of anonymous memory above the start (what the process holds besides pages of files), and
  the difference of the map from that of one `fit` in memory, relative to its largest entry;
- `transform_file` from file to file, which reads ahead, against a bare loop that reads, multiplies
  and writes one after the other; the faster of two each.

Linux only. For one thread, set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sklearn
from sklearn.base import clone

from sklearn_latent import LstsqTranslator, ProcrustesTranslator
from sklearn_latent.streaming import partial_fit_files, transform_file


def anonymous_megabytes() -> float:
    """Memory of this process besides pages of files."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) / 1e3


class Peak:
    """The peak of anonymous memory above the start of a ``with`` block, in MB."""

    def __enter__(self) -> Peak:
        gc.collect()
        self.start = self.highest = anonymous_megabytes()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            self.highest = max(self.highest, anonymous_megabytes())

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.megabytes = self.highest - self.start


def make_files(folder: Path, n: int, d: int) -> tuple[Path, Path]:
    """A pair (n, d) that a noisy rotation relates, written block by block."""
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0].astype(np.float32)
    paths = folder / "X.npy", folder / "y.npy"
    X, y = (
        np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, d)) for path in paths
    )
    for start in range(0, n, 8192):
        block = rng.standard_normal((min(8192, n - start), d), dtype=np.float32) + np.float32(1)
        X[start : start + 8192] = block
        noise = rng.standard_normal(block.shape, dtype=np.float32)
        y[start : start + 8192] = block @ rotation + np.float32(0.3) * noise
    X.flush()
    y.flush()
    return paths


def partial_fit_in_turns(translator, X: np.ndarray, y: np.ndarray, size: int) -> None:
    """`partial_fit` and the bare product on every batch, each of them first by turns."""
    translator, seconds = clone(translator), {"ours": 0.0, "bare": 0.0}
    bare = np.zeros((X.shape[1], y.shape[1]), dtype=np.float32)

    def multiply(X_batch, y_batch):
        nonlocal bare
        bare += X_batch.T @ y_batch

    work = {"ours": translator.partial_fit, "bare": multiply}
    for i, start in enumerate(range(0, len(X), size)):
        batch = X[start : start + size], y[start : start + size]
        for name in sorted(work, reverse=i % 2 == 0):
            began = time.perf_counter()
            work[name](*batch)
            seconds[name] += time.perf_counter() - began
    rates = {name: len(X) / value for name, value in seconds.items()}
    print(
        f"partial_fit, memory-mapped, {type(translator).__name__:22s} {rates['ours']:11,.0f} rows/s"
        f" | bare product {rates['bare']:11,.0f} rows/s | {rates['ours'] / rates['bare']:5.2f}",
        flush=True,
    )


def learn_from_files(translator, paths: tuple[Path, Path], size: int, in_memory: bool) -> None:
    """Each way to learn from files, and what it leaves to the first use of the map."""

    def partial_fit_maps(streamed, *paths):
        X, y = (np.load(path, mmap_mode="r") for path in paths)
        for start in range(0, len(X), size):
            streamed.partial_fit(X[start : start + size], y[start : start + size])
        return streamed

    ways = {"partial_fit, memory-mapped": partial_fit_maps, "partial_fit_files": partial_fit_files}
    expected = clone(translator).fit(*map(np.load, paths)).coef_ if in_memory else None
    n = np.load(paths[0], mmap_mode="r").shape[0]
    for name, learn in ways.items():
        streamed, began = clone(translator), time.perf_counter()
        with Peak() as peak:
            coef = learn(streamed, *paths).coef_
        seconds = time.perf_counter() - began
        difference = "not compared"
        if expected is not None:
            difference = f"{np.abs(coef - expected).max() / np.abs(expected).max():.1e}"
        print(
            f"{name}, {type(translator).__name__:{48 - len(name)}s} {n / seconds:11,.0f} rows/s | "
            f"peak above the start {peak.megabytes:4.0f} MB | difference from fit in memory "
            f"{difference}",
            flush=True,
        )


def bare_transform_file(coef: np.ndarray, offset: np.ndarray, source: Path, target: Path) -> None:
    """Read, multiply, add and write, and make sure that the disk has it."""
    X, size = np.load(source, mmap_mode="r"), 8192
    width = coef.shape[0]
    with open(source, "rb") as reader, open(target, "wb") as writer:
        reader.seek(X.offset)
        for _ in range(0, len(X), size):
            rows = np.fromfile(reader, np.float32, size * X.shape[1]).reshape(-1, X.shape[1])
            out = rows @ coef.T
            out += offset
            out.reshape(-1, width).tofile(writer)
        os.fsync(writer.fileno())


def transform_in_turns(translator, source: Path, folder: Path) -> None:
    """`transform_file` and the bare loop, twice each, each once first; the faster counts."""
    X, y = (np.load(folder / name, mmap_mode="r")[:20_000] for name in ("X.npy", "y.npy"))
    fitted = clone(translator).fit(X, y)
    bare_map = fitted.coef_, fitted.intercept_
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    work = {
        "ours": lambda: transform_file(fitted, source, folder / "ours.npy", overwrite=True),
        "bare": lambda: bare_transform_file(*bare_map, source, folder / "bare"),
    }
    with Peak() as peak:
        for name in ("ours", "bare", "bare", "ours"):
            began = time.perf_counter()
            target = work[name]()
            seconds[name].append(time.perf_counter() - began)
            if name == "ours":
                n, last = len(target), np.array(target[-1000:])
            del target
            for path in folder.glob(f"{name}*"):
                path.unlink()
    expected = fitted.transform(np.load(source, mmap_mode="r")[-1000:])
    assert np.allclose(last, expected, rtol=1e-4, atol=1e-4)
    rates = {name: n / min(values) for name, values in seconds.items()}
    print(
        f"transform_file, file to file {rates['ours']:34,.0f} rows/s | bare loop "
        f"{rates['bare']:14,.0f} rows/s | {rates['ours'] / rates['bare']:5.2f} | peak above the "
        f"start {peak.megabytes:.0f} MB",
        flush=True,
    )


SIZES = ("rows", "columns", "batch")
FULL, QUICK = (1_000_000, 768, 8192), (5000, 16, 512)


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether all runs")
    texts = ("rows", "columns", "rows of the batches that alternate")
    for name, text, full, quick in zip(SIZES, texts, FULL, QUICK):
        text += f" (default: {full:,}; with --quick {quick:,})"
        parser.add_argument(f"--{name}", type=int, help=text)
    parser.add_argument(
        "--dir", type=Path, help="where to make the files (default: a temp. folder)"
    )
    parser.add_argument("--skip-in-memory", action="store_true", help="do not compare with fit")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the files, and run all."""
    options = make_parser().parse_args(arguments)
    for name, size in zip(SIZES, QUICK if options.quick else FULL):
        if getattr(options, name) is None:
            setattr(options, name, size)
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        folder, needed = Path(name), 3 * 4 * options.rows * options.columns
        free = shutil.disk_usage(folder).free
        if free < 1.1 * needed:
            raise SystemExit(
                f"{needed / 1e9:.1f} GB are needed in {folder.parent}, {free / 1e9:.1f} GB are "
                "free: give --dir or fewer --rows."
            )
        print(
            f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
            f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}, Python "
            f"{platform.python_version()}, numpy {np.__version__}, scikit-learn "
            f"{sklearn.__version__}; {options.rows:,} x {options.columns}, float32"
            + ("; tiny data: the figures mean nothing\n" if options.quick else "\n"),
            flush=True,
        )
        paths = make_files(folder, options.rows, options.columns)
        X, y = (np.load(path, mmap_mode="r") for path in paths)
        for translator in (ProcrustesTranslator(), LstsqTranslator()):
            partial_fit_in_turns(translator, X, y, options.batch)
        del X, y
        for translator in (ProcrustesTranslator(), LstsqTranslator()):
            learn_from_files(translator, paths, options.batch, not options.skip_in_memory)
        transform_in_turns(ProcrustesTranslator(), paths[0], folder)


if __name__ == "__main__":
    main()
