"""How good each translator is, on real encoders, with few anchors and many.

    python benchmarks/quality/run.py --data DIR [--data-sets trec ag_news] [--n 100 300 1000]
        [--draws 5] [--methods ortho linear affine] [--csv out.csv]

For every data set, ordered pair of encoders, number of anchors and draw of them, each method is
fitted to the anchors and judged on the test rows: by the accuracy of a classifier that was trained
on the target's own latents, and by how often the nearest target row is the true partner. Prints
Markdown; README.md beside this file has the tables.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import scipy
import sklearn
from cells import Result, results
from data import N_GALLERY, DataSet, available, find_folder, load
from decoders import decoder_of
from methods import PAPERS, YARDSTICK, Method, all_methods
from report import METRICS, by_draw, seconds, table, write_csv

import sklearn_latent


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark and print its tables."""
    start = time.perf_counter()
    options = _parse(arguments)
    try:
        folder = find_folder(options.data)
        names = options.data_sets or available(folder)
        data_sets = [load(folder, name) for name in names]
        methods = choose(options.methods)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"error: {error}")
    if not data_sets:
        sys.exit(f"error: {folder} holds no data set (folders NAME_latents with index.npz).")
    _print_environment(arguments)
    called = {str(method): name for name, method in methods.items()}
    found: list[Result] = []
    for data in data_sets:
        of_data = run(data, methods, options)
        found += of_data
        _print_tables(data, of_data, called, options)
    if options.csv:
        write_csv(options.csv, found, called)
    print(f"{len(found)} fits, {time.perf_counter() - start:.0f} s.")


def choose(names: list[str] | None) -> dict[str, Method]:
    """The methods of these names, in the order of the table; all for None."""
    methods = all_methods()
    unknown = set(names or ()) - set(methods)
    if unknown:
        raise ValueError(
            f"There is no method {', '.join(sorted(unknown))}; there are: {', '.join(methods)}."
        )
    return {name: method for name, method in methods.items() if names is None or name in names}


def run(data: DataSet, methods: dict[str, Method], options: argparse.Namespace) -> list[Result]:
    """All results of a data set, with a line of progress to stderr for each number of anchors."""
    found, new, start = [], 0, time.perf_counter()
    for n in options.n:
        for result, is_new in results(
            data, methods, [n], range(options.draws), options.cache, any_code=options.any_code
        ):
            found.append(result)
            new += is_new
        took = time.perf_counter() - start
        print(f"{data.name}, n = {n}: {new} new fits, {took:.0f} s", file=sys.stderr, flush=True)
    return found


def _print_environment(arguments: list[str] | None) -> None:
    given = sys.argv[1:] if arguments is None else arguments
    command = shlex.join(["python", "benchmarks/quality/run.py", *given])
    print(
        f"`{command}`\n\n{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}, Python "
        f"{platform.python_version()}, sklearn_latent {sklearn_latent.__version__}, numpy "
        f"{np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}\n"
    )


def _print_tables(
    data: DataSet, found: list[Result], called: dict[str, str], options: argparse.Namespace
) -> None:
    native = [
        decoder_of(data, encoder, options.cache).accuracy(latents.test, data.test_label)
        for encoder, latents in data.encoders.items()
    ]
    print(
        f"## {data.name}: {len(data.pairs())} ordered pairs of {', '.join(sorted(data.encoders))}\n"
        f"\nMean ± standard error over {options.draws} draws of the anchors; in brackets the "
        f"paired difference to *{YARDSTICK}* in thousandths. Without translation, each encoder "
        f"with its own classifier: {np.mean(native):.3f}.\n"
    )
    for metric, title in METRICS.items():
        if metric == "recall":
            title += f" among {min(N_GALLERY, len(data.test_label))} test rows"
        print(f"{title}\n\n{table(by_draw(found, called, metric), PAPERS, YARDSTICK)}\n")
    print(f"{seconds(found, called)}\n", flush=True)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the data sets; else SKLEARN_LATENT_DATA")
    parser.add_argument("--data-sets", nargs="+", help="names (default: all in the folder)")
    parser.add_argument("--n", nargs="+", type=int, default=[100, 300, 1000], help="anchors")
    parser.add_argument("--draws", type=int, default=5, help="draws of the anchors (default: 5)")
    parser.add_argument("--methods", nargs="+", help="names (default: all)")
    parser.add_argument("--csv", type=Path, help="also write every single result here")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path.home() / ".cache" / "sklearn_latent",
        help="where decoders and results are kept (default: ~/.cache/sklearn_latent)",
    )
    parser.add_argument(
        "--any-code",
        action="store_true",
        help="take kept results even if the method's code has changed since",
    )
    options = parser.parse_args(arguments)
    if options.draws < 1:
        parser.error("--draws must be at least 1.")
    return options


if __name__ == "__main__":
    main()
