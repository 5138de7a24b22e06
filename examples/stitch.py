"""Stitch one encoder to another's decoder: a table, and a figure over the number of anchors.

    python examples/stitch.py --source S.npy --target T.npy --labels y.npy

``S.npy`` and ``T.npy`` hold the latents of the same items by two encoders, one item a row; the
numbers of columns may differ. A classifier (the decoder) is trained on the target's latents and
then reads the source's, translated by each method. Every number is taken on held-out rows.
``demo.py`` does the same with two encoders that it trains itself.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import math
import os
import platform
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import sklearn_latent
from sklearn_latent import AbsoluteTranslator, ICPTranslator, LstsqTranslator
from sklearn_latent.exceptions import AnchorWarning
from sklearn_latent.metrics import latent_cosine_similarity, latent_mse

# Label, class in sklearn_latent, whether it needs torch. A class that is not there is left out.
METHODS = (
    ("ortho", "ProcrustesTranslator", False),
    ("linear", "LstsqTranslator", False),
    ("ridge", "RidgeTranslator", False),
    ("kernel", "KernelTranslator", False),
    ("affine", "AffineTranslator", False),
    ("l-ortho", "LOrthoTranslator", False),
    ("rigid", "RigidTranslator", False),
    ("inverse-relative", "InverseRelativeTranslator", False),
    ("mlp", "MLPTranslator", True),
)

# The method that sees no pairs, but the classes of both sides.
ICP = "icp"

# These take seconds a fit.
SLOW = ("kernel", "mlp")

# What can be trained on the target's latents; the first two converge badly on unscaled ones.
DECODERS = {
    "svc": make_pipeline(StandardScaler(), SVC(kernel="linear")),
    "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    "knn": KNeighborsClassifier(),
}


class Task(NamedTuple):
    """Latents of the same items by two encoders: row i of source and target is one item.

    The decoder is trained on `target_train` and never refitted; without one there is no accuracy.
    """

    source_train: np.ndarray
    source_test: np.ndarray
    target_train: np.ndarray
    target_test: np.ndarray
    labels_test: np.ndarray | None = None
    decoder: Any = None
    labels_train: np.ndarray | None = None  # for what needs labels instead of pairs


class Row(NamedTuple):
    """One row of the table; None where a column means nothing."""

    label: str
    accuracy: float | None
    cosine: float
    mse: float
    r2: float
    translator: Any = None
    seconds: float | None = None

    @property
    def score(self) -> float:
        """What the figure shows: the accuracy, or the cosine similarity where there is none."""
        return self.cosine if self.accuracy is None else self.accuracy


def available_methods(wanted: Sequence[str] | None = None) -> dict[str, Any]:
    """Unfitted translators by label: those wanted, or all that the package has.

    What lacks its extra is left out, which is said. ValueError for a label that is not there.
    """
    exported = {label: row for label, *row in METHODS if hasattr(sklearn_latent, row[0])}
    known, methods = [*exported, ICP], {}
    for label in wanted or known:
        if label not in known:
            raise ValueError(f"there is no method {label!r}: choose from {', '.join(known)}")
        if label == ICP:
            methods[label] = ICPTranslator(LstsqTranslator())
            continue
        name, needs_torch = exported[label]
        if needs_torch and importlib.util.find_spec("torch") is None:
            print(f"{label} is left out, it needs PyTorch: pip install 'sklearn_latent[torch]'")
        else:
            methods[label] = getattr(sklearn_latent, name)()
    return methods


def default_anchors(n_train: int) -> list[int]:
    """10, 20, 50, 100 and so on, up to 1000 or the number of training rows."""
    series = [10, 20, 50, 100, 200, 500, 1000]
    return [count for count in series if count <= n_train] or [n_train]


def measure(label: str, latents: np.ndarray, task: Task) -> Row:
    """How close `latents` are to the target's on the test rows, and what the decoder says."""
    accuracy = None
    if task.decoder is not None:
        accuracy = accuracy_score(task.labels_test, task.decoder.predict(latents))
    return Row(
        label,
        accuracy,
        latent_cosine_similarity(task.target_test, latents),
        latent_mse(task.target_test, latents),
        r2_score(task.target_test, latents),
    )


def baselines(task: Task) -> list[Row]:
    """What there is without translation: the upper bound (if there is a decoder) and the lower."""
    # the source's latents as they are, cropped or zero-padded to the target's dimension
    absolute = AbsoluteTranslator().fit(task.source_train, task.target_train)
    row = measure("absolute", absolute.transform(task.source_test), task)
    rows = [row._replace(translator=absolute)]
    if task.decoder is not None:
        rows.insert(0, measure("no stitching", task.target_test, task))
    return rows


def stitch(label: str, method: Any, task: Task, n_anchors: int, seed: int) -> Row:
    """Fit one translator on anchors from the training rows and measure it on the test rows."""
    translator = clone(method).set_params(n_anchors=n_anchors, random_state=seed)
    start = time.perf_counter()
    with warnings.catch_warnings():
        # a network may use up its epochs while it still improves, which is no defect of a table
        warnings.simplefilter("ignore", ConvergenceWarning)
        translator.fit(task.source_train, task.target_train)
    seconds = time.perf_counter() - start
    row = measure(label, translator.transform(task.source_test), task)
    return row._replace(translator=translator, seconds=seconds)


def stitch_without_pairs(method: Any, task: Task, seed: int) -> Row:
    """Align by classes alone: the target's rows come in an order that nobody knows."""
    order = np.random.default_rng(seed).permutation(len(task.target_train))
    translator = clone(method)
    start = time.perf_counter()
    translator.fit(
        task.source_train, task.target_train[order], task.labels_train, task.labels_train[order]
    )
    seconds = time.perf_counter() - start
    row = measure(f"{ICP}, no pairs", translator.transform(task.source_test), task)
    return row._replace(translator=translator, seconds=seconds)


def sweep(
    task: Task, methods: dict[str, Any], anchors: Sequence[int], *, seed: int, draws: int
) -> dict[str, np.ndarray]:
    """The scores of each method, (draws, len(anchors)).

    A draw is a seed: it gives all methods the same anchors, and fewer anchors are a subset of more.
    """
    curves = {label: np.empty((draws, len(anchors))) for label in methods}
    jobs = list(itertools.product(range(draws), range(len(anchors)), methods))
    title = f"anchor sweep, {draws} draw{'s' if draws > 1 else ''}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnchorWarning)  # the figure shows what it warns of
        for draw, i, label in progress(jobs, title):
            row = stitch(label, methods[label], task, anchors[i], seed + draw)
            curves[label][draw, i] = row.score
    return curves


def progress(jobs: Sequence[Any], title: str) -> Iterator[Any]:
    """Yield the jobs and say how far they are: one line on a terminal, four in a log file."""
    on_terminal, start = sys.stdout.isatty(), time.perf_counter()
    step = 1 if on_terminal else -(-len(jobs) // 4)
    for done, job in enumerate(jobs, start=1):
        yield job
        last = done == len(jobs)
        if last or done % step == 0:
            line = f"{title}: {done}/{len(jobs)} fits, {time.perf_counter() - start:.1f} s"
            before, after = ("\r", "\n" if last else "") if on_terminal else ("", "\n")
            print(before + line, end=after, flush=True)


def format_table(rows: Sequence[Row]) -> str:
    """The table as text; R² takes the place of the accuracy where there is none."""
    labelled = rows[0].accuracy is not None
    head = ("accuracy", "cosine", "MSE") if labelled else ("cosine", "MSE", "R²")
    lines = [("method", *head, "anchors", "fit seconds", "translator")]
    for row in rows:
        scores = [f"{row.cosine:.3f}", f"{row.mse:.4g}"]
        if labelled:
            scores.insert(0, f"{row.accuracy:.3f}")
        else:
            scores.append(f"{row.r2:.3f}")
        n_anchors = getattr(row.translator, "n_anchors_", "-")
        seconds = "-" if row.seconds is None else f"{row.seconds:.4f}"
        name = "-" if row.translator is None else type(row.translator).__name__
        lines.append((row.label, *scores, str(n_anchors), seconds, name))
    widths = [max(map(len, column)) for column in zip(*lines)]
    # text to the left, numbers to the right
    align = ["<", *">" * (len(widths) - 2), "<"]
    return "\n".join(
        "  ".join(f"{cell:{a}{w}}" for cell, a, w in zip(line, align, widths)).rstrip()
        for line in lines
    )


def load_matplotlib() -> type:
    """Matplotlib's Figure, which draws without pyplot and so without any global state."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit(
            "The figure needs matplotlib: pip install 'sklearn_latent[plot]' (or matplotlib)."
        ) from None
    return Figure


# Colours that all common kinds of colour vision tell apart: six of Okabe and Ito's (their black is
# the baselines', their yellow too pale for a line), grey, and two dark ones of Paul Tol's.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#882255",
           "#332288")  # fmt: skip
MARKERS = "osD^vPX<p"
DASHES = ("-", (0, (5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))


def spaced(anchors: Sequence[int]) -> list[int]:
    """Those of the ascending numbers whose labels do not overlap on a logarithmic axis."""
    gap = math.log(anchors[-1] / anchors[0]) / 12
    ticks = [anchors[0]]
    for count in anchors[1:]:
        if math.log(count / ticks[-1]) > gap:
            ticks.append(count)
    return ticks


def save_figure(
    path: Path,
    title: str,
    anchors: Sequence[int],
    curves: dict[str, np.ndarray],
    bounds: Sequence[Row],
) -> None:
    """Draw each method's mean and standard deviation over the draws, with the baselines."""
    figure = load_matplotlib()(figsize=(9, 5.2), layout="constrained")
    axes = figure.add_subplot()
    labels = [label for label, *_ in METHODS]
    # best first, so that the legend reads in the order of the lines' right ends
    for label in sorted(curves, key=lambda label: -curves[label][:, -1].mean()):
        mean, std = curves[label].mean(axis=0), curves[label].std(axis=0)
        i = labels.index(label)
        colour, marker, dash = (styles[i % len(styles)] for styles in (COLOURS, MARKERS, DASHES))
        style = {"marker": marker, "markersize": 8, "markeredgecolor": "white", "linewidth": 2}
        name = f"{mean[-1]:.3f}  {label}"
        axes.plot(anchors, mean, color=colour, linestyle=dash, label=name, **style)
        band = np.clip([mean - std, mean + std], -1, 1)
        axes.fill_between(anchors, *band, color=colour, alpha=0.15, linewidth=0)
    for row in bounds:
        dash = ":" if row.label == "absolute" else "--"
        name = f"{row.score:.3f}  {row.label}"
        axes.axhline(row.score, color="black", linestyle=dash, linewidth=1.5, zorder=1, label=name)
    axes.set_xscale("log")
    ticks = spaced(anchors)
    axes.set_xticks(ticks, labels=[f"{count:,}" for count in ticks])
    axes.set_xticks([], minor=True)
    axes.tick_params(labelsize=11)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("anchors (items seen by both encoders)", fontsize=12)
    labelled = bounds[0].accuracy is not None
    axes.set_ylabel("accuracy" if labelled else "latent cosine similarity", fontsize=12)
    axes.set_title(textwrap.fill(title, 80), fontsize=13, loc="left")
    legend = axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.02, 1),
        borderaxespad=0,
        title=f"mean at {anchors[-1]:,} anchors",
        title_fontsize=11,
        alignment="left",
        fontsize=11,
        handlelength=4,
        labelspacing=0.7,
    )
    legend.set_frame_on(False)
    figure.savefig(path, dpi=150)


def versions() -> str:
    """What the figures were computed with."""
    packages = {"sklearn_latent": sklearn_latent, "numpy": np, "scikit-learn": sklearn}
    numbers = [f"{name} {package.__version__}" for name, package in packages.items()]
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    return f"({', '.join([*numbers, f'Python {platform.python_version()}', machine])})"


def compare(
    task: Task,
    methods: dict[str, Any],
    anchors: Sequence[int],
    *,
    path: Path,
    title: str,
    seed: int = 0,
    draws: int = 5,
) -> dict[str, Row]:
    """Print the table at the largest number of anchors, save the figure over all of them.

    ICP takes no anchors: it is in the table alone, and left out without labels.
    """
    icp = methods.get(ICP)
    methods = {label: method for label, method in methods.items() if label != ICP}
    bounds = baselines(task)
    rows = []
    for label, method in methods.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnchorWarning)
            stitch(label, method, task, anchors[0], seed)  # a first fit may pay for imports
        rows.append(stitch(label, method, task, anchors[-1], seed))
    if icp is not None and task.labels_train is not None:
        rows.append(stitch_without_pairs(icp, task, seed))
    print(f"\n{format_table([*bounds, *rows])}\n\n{versions()}\n", flush=True)
    if not methods:
        print(f"no figure: {ICP} takes no anchors")
        return {row.label: row for row in rows}
    slow = [label for label in SLOW if label in methods]
    if slow and len(slow) < len(methods):
        print(f"{', '.join(slow)}: seconds a fit, left out of the anchor sweep")
        methods = {label: method for label, method in methods.items() if label not in slow}
    curves = sweep(task, methods, anchors, seed=seed, draws=draws)
    save_figure(path, title, anchors, curves, bounds)
    print(f"figure: {path}")
    return {row.label: row for row in rows}


def load_rows(path: Path, ndim: int) -> np.ndarray:
    """A memory-mapped array; ValueError says what is wrong with the file."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path}: cannot be read as .npy ({error})") from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: holds several arrays, expected one as numpy.save writes it")
    if array.ndim != ndim or array.size == 0:
        expected = "(items, dimensions)" if ndim == 2 else "(items,)"
        raise ValueError(f"{path}: has shape {array.shape}, expected {expected}")
    if ndim == 2 and array.dtype.kind not in "fiu":
        raise ValueError(f"{path}: has dtype {array.dtype}, expected real numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{path}: has values that are NaN or infinite")
    return array


def load_files(options: argparse.Namespace) -> list[np.ndarray | None]:
    """Source, target and labels (or None), checked against each other."""
    paths = (options.source, options.target, options.labels)
    arrays = [
        None if path is None else load_rows(path, ndim) for path, ndim in zip(paths, (2, 2, 1))
    ]
    for path, array in zip(paths, arrays):
        if array is not None and len(array) != len(arrays[0]):
            raise ValueError(
                f"{path} has {len(array)} rows and {options.source} has {len(arrays[0])}: row i "
                "of every file must be the same item"
            )
    labels = arrays[2]
    if labels is not None:
        if labels.dtype.kind == "f" and np.any(labels % 1):
            raise ValueError(f"{options.labels}: has fractions, expected one class per item")
        counts = np.unique(labels, return_counts=True)[1]
        if len(counts) < 2 or counts.min() < 2:
            raise ValueError(
                f"{options.labels}: expected at least two classes with at least two items in each; "
                f"got {len(counts)} class(es), the smallest of {counts.min()}"
            )
    return arrays


def split_rows(
    n_rows: int, labels: np.ndarray | None, test_size: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training and of the test rows; ValueError where there are too few."""
    train, test = train_test_split(
        np.arange(n_rows), test_size=test_size, random_state=seed, stratify=labels
    )
    if min(len(train), len(test)) < 2:
        raise ValueError(f"--test-size {test_size}: of {n_rows} rows, expected two on either side")
    return train, test


def take(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """These rows in memory; float16 becomes float32, in which sums do not overflow."""
    return np.asarray(array[rows], dtype=np.result_type(array.dtype, np.float32))


def check_anchors(anchors: Sequence[int] | None, n_train: int) -> list[int]:
    """The numbers of anchors in ascending order; ValueError for one that cannot be."""
    if anchors is None:
        return default_anchors(n_train)
    for count in anchors:
        if not 2 <= count <= n_train:
            raise ValueError(
                f"--anchors {count}: anchors are training rows, so expected 2 to {n_train} of them"
            )
    return sorted(set(anchors))


def choose_methods(wanted: Sequence[str] | None, scaling: Sequence[str] | None) -> dict[str, Any]:
    """The translators that the command line asks for; ValueError where it cannot have them."""
    methods = available_methods(wanted)
    if not methods:
        raise ValueError("none of these methods can run here")
    if scaling is None:
        return methods
    if len(scaling) > 2:
        raise ValueError("--scaling takes one value for both sides, or two: source and target")
    kinds = [None if kind == "none" else kind for kind in scaling]
    for label, method in methods.items():
        name = "translator__scaling" if label == ICP else "scaling"
        method.set_params(**{name: kinds[0] if len(kinds) == 1 else tuple(kinds)})
    return methods


def number(kind: type, low: float, high: float = np.inf) -> Callable[[str], Any]:
    """An argparse type: a number of this kind from `low` to `high`."""

    def parse(text: str) -> Any:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    parse.__name__ = kind.__name__  # argparse names it in its own error
    return parse


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Translate one encoder's latents into another's by every method of "
        "sklearn_latent, and compare the methods on held-out rows: a table, and a figure over "
        "the number of anchors.",
        epilog="example: python examples/stitch.py --source S.npy --target T.npy --labels y.npy",
    )
    add = parser.add_argument
    file = {"type": Path, "metavar": "FILE.npy"}
    add("--source", required=True, help="latents to translate, (items, dimensions)", **file)
    add("--target", required=True, help="latents of the same items, row by row", **file)
    add("--labels", help="class of each item: trains a decoder, adds the accuracy", **file)
    text = "what is trained on the target's latents (default: svc, with a linear kernel)"
    add("--decoder", choices=DECODERS, default="svc", help=text)
    text = f"such as: ortho linear (default: all; {ICP}, which sees no pairs, needs --labels)"
    add("--methods", nargs="+", metavar="NAME", help=text)
    text = "for the figure; the table takes the largest (default: 10 20 50 and so on up to 1000)"
    add("--anchors", nargs="+", type=number(int, 2), metavar="N", help=text)
    text = "one for both sides, or two for source and target (default: each method's own)"
    add("--scaling", nargs="+", choices=("standard", "center", "l2", "none"), help=text)
    text = "share of the rows to test on (default: 0.3)"
    add("--test-size", type=number(float, 0.01, 0.99), default=0.3, metavar="SHARE", help=text)
    text = "how often the anchors of the figure are drawn (default: 5)"
    add("--draws", type=number(int, 1), default=5, metavar="N", help=text)
    text = "of the split and of the anchors (default: 0)"
    add("--seed", type=number(int, 0), default=0, metavar="N", help=text)
    text = "where stitch.png goes (default: output)"
    add("--output", type=Path, default=Path("output"), metavar="FOLDER", help=text)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = make_parser()
    options = parser.parse_args(argv)
    try:
        methods = choose_methods(options.methods, options.scaling)
        source, target, labels = load_files(options)
        if labels is None and ICP in (options.methods or ()):
            raise ValueError(f"{ICP} sees no pairs and needs classes instead: give --labels")
        train, test = split_rows(len(source), labels, options.test_size, options.seed)
        anchors = check_anchors(options.anchors, len(train))
        options.output.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    load_matplotlib()  # an error now, not after the work
    task = Task(take(source, train), take(source, test), take(target, train), take(target, test))
    if labels is not None:
        print(f"training the decoder ({options.decoder}) on {len(train):,} target latents")
        decoder = clone(DECODERS[options.decoder]).fit(task.target_train, labels[train])
        task = task._replace(labels_train=labels[train], labels_test=labels[test], decoder=decoder)
    compare(
        task,
        methods,
        anchors,
        path=options.output / "stitch.png",
        title=f"{options.source.stem} ({source.shape[1]} dimensions) to "
        f"{options.target.stem} ({target.shape[1]})",
        seed=options.seed,
        draws=options.draws,
    )


if __name__ == "__main__":
    main()
