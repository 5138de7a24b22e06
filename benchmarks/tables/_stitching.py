"""Stitching encoders to frozen classifiers: what Maiorca's tables 1, 2, 5, 6 and figures share."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from _decoders import train_mlp, train_svm
from _maiorca import COLUMNS, NAMES
from _maiorca import Figures as PaperTable
from common import VARIABLE, DataSet, Run, entry_of, make_parser
from data import SUFFIX, available
from methods import Method
from sklearn.base import BaseEstimator

from sklearn_latent import (
    AbsoluteTranslator,
    AffineTranslator,
    KernelTranslator,
    LOrthoTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RelativeProjector,
    RidgeTranslator,
)
from sklearn_latent.metrics import latent_cosine_similarity, latent_mse

N_ANCHORS = 768
"""The dimension of most of the paper's encoders: "comparable with the dimensionality"."""
KERNEL = "kernel (ours)"
CACHE = "stitching"
OTHER_ENCODERS = "The encoders are other than the paper's: compare patterns, not figures."


def methods(scaling: str) -> dict[str, Method]:
    """The paper's translations and ours, by the name of their column."""
    paper = {"scaling": scaling}
    # Ours keep their own default where the paper has standard scaling.
    ours = {} if scaling == "standard" else paper
    return {
        "affine": Method(AffineTranslator, {**paper, "device": "cpu"}, seeded=True),
        "linear": Method(LstsqTranslator, paper),
        "l-ortho": Method(LOrthoTranslator, paper),
        "ortho": Method(ProcrustesTranslator, paper),
        "ridge (ours)": Method(RidgeTranslator, ours),
        KERNEL: Method(KernelTranslator, ours),
    }


@dataclass(frozen=True)
class Head:
    """How a frozen classifier is trained: ``train(latents, labels, seed)``."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)

    def train(self, Z: np.ndarray, labels: np.ndarray, seed: int) -> Any:
        """The classifier, fitted."""
        if self.name == "svm":
            return train_svm(Z, labels)
        return train_mlp(Z, labels, seed=seed, **self.settings)

    def key(self, seed: int) -> dict[str, Any]:
        """What it depends on, besides the latents; an SVM on no seed."""
        return {"head": self.name, **self.settings, **({} if self.name == "svm" else {"s": seed})}


SVM = Head("svm")
MLP = Head("mlp", {"n_epochs": 30})


class Stitching:
    """One data set, its encoders, and heads of one kind; every figure is computed once."""

    def __init__(self, run: Run, data: DataSet, head: Head):
        self.run, self.data, self.head = run, data, head
        labels = data.train_label, data.test_label
        self._labels = run.fingerprint(*labels)
        self._digests = {
            name: run.fingerprint(rows.train, rows.test) for name, rows in data.encoders.items()
        }
        self._native_head = functools.cache(self._train_native)
        # The loops below come to one target and draw after the other.
        self._relative_head = functools.lru_cache(maxsize=1)(self._train_relative)

    def _key(self, method: str, source: str, target: str, n: int, seed: int) -> dict[str, Any]:
        return {
            "method": method,
            "pair": f"{self.data.name}: {source} to {target}",
            "digests": [self._labels, self._digests[source], self._digests[target]],
            "n": n,
            "seed": seed,
            **self.head.key(seed),
        }

    def _train_native(self, encoder: str, seed: int) -> Any:
        latents = self.data.encoders[encoder].train
        key = {"data": [self._labels, self._digests[encoder]], **self.head.key(seed)}
        return self.run.cache.model(
            f"{self.head.name}-{self.data.name}-{encoder}",
            key,
            lambda: self.head.train(latents, self.data.train_label, seed),
        )

    def _train_relative(self, encoder: str, n: int, seed: int) -> Any:
        projector = self._projector(encoder, n, seed)
        Z = projector.transform(self.data.encoders[encoder].train)
        return self.head.train(Z, self.data.train_label, seed)

    def _projector(self, encoder: str, n: int, seed: int) -> RelativeProjector:
        return RelativeProjector().fit(self.data.encoders[encoder].train[self._rows(n, seed)])

    def _rows(self, n: int, seed: int) -> np.ndarray:
        return self.data.anchors(min(n, len(self.data.train_label)), seed)

    def _accuracy(self, head: Any, Z: np.ndarray) -> float:
        return float(np.mean(head.predict(Z) == self.data.test_label))

    def native(self, encoder: str, seed: int) -> float:
        """Accuracy without stitching."""
        test = self.data.encoders[encoder].test
        seed = 0 if self.head.name == "svm" else seed
        figures = self.run.cell(
            self._key("no stitching", encoder, encoder, 0, seed),
            lambda: {"accuracy": self._accuracy(self._native_head(encoder, seed), test)},
        )
        return figures["accuracy"]

    def relative(self, source: str, target: str, n: int, seed: int) -> dict[str, float]:
        """Accuracy of a head that was trained on the target's relative representation."""

        def compute() -> dict[str, float]:
            Z = self._projector(source, n, seed).transform(self.data.encoders[source].test)
            return {"accuracy": self._accuracy(self._relative_head(target, n, seed), Z)}

        return self.run.cell(
            self._key("relative", source, target, n, seed), compute, uses=[RelativeProjector]
        )

    def translated(
        self, method: Method, source: str, target: str, n: int, seed: int
    ) -> dict[str, float]:
        """Accuracy, lcos, and the mean squared error as a share of the target's variance."""

        def compute() -> dict[str, float]:
            rows, X, Y = self._rows(n, seed), *map(self.data.encoders.get, (source, target))
            translator: BaseEstimator = method.make(seed)
            with warnings.catch_warnings():
                # That least squares is in trouble near n = d is part of what is shown.
                warnings.simplefilter("ignore", UserWarning)
                translator.fit(X.train[rows], Y.train[rows])
            Z = translator.transform(X.test)
            return {
                "accuracy": self._accuracy(self._native_head(target, seed), Z),
                "lcos": latent_cosine_similarity(Y.test, Z),
                "error": latent_mse(Y.test, Z) / float(Y.test.var(axis=0).mean()),
            }

        key = self._key(str(method), source, target, n, seed)
        return self.run.cell(key, compute, uses=[method.estimator])

    def pairs(self) -> Iterator[tuple[str, str]]:
        """All ordered pairs (source, target) of different encoders, one target after the other."""
        return iter(sorted(self.data.pairs(), key=lambda pair: pair[::-1]))


def stitching_parser(description: str | None, *, seeds: int = 5, n_anchors: int | None = N_ANCHORS):
    """The common arguments, and which data sets with how many anchors."""
    parser = make_parser(description, seeds=seeds)
    parser.add_argument("--data-sets", nargs="+", help="names (default: all that the paper has)")
    if n_anchors is not None:
        parser.add_argument(
            "--n-anchors", type=int, default=n_anchors, help=f"default: {n_anchors}"
        )
    return parser


def data_sets(run: Run) -> list[DataSet]:
    """Those asked for, or all of the paper's in the folder; one made on the spot for --fast."""
    if run.fast:
        return [run.latents("cifar10")]
    folder = run.folder()
    names = run.options.data_sets
    if names is None:
        if folder is None:
            run.refuse(
                f"No latents: name their folder with --data DIR or in {VARIABLE}; "
                "benchmarks/encode.py makes such folders."
            )
        there = available(folder)
        names = [name for name in NAMES if name in there]
        if not names:
            run.refuse(
                f"{folder} has no latents of the paper's data sets, in folders such as "
                f"{next(iter(NAMES))}{SUFFIX}; there are: {', '.join(there) or 'none'}. "
                "--data-sets names others."
            )
    return [run.latents(name) for name in names]


def table(
    name: str,
    arguments: list[str] | None,
    doc: str | None,
    head: Head,
    scaling: str,
    paper: PaperTable,
) -> None:
    """One of tables 1, 2, 5 and 6."""
    parser = stitching_parser(doc)
    parser.add_argument(
        "--kernel-seeds",
        type=int,
        default=None,
        help=f"draws for {KERNEL}, which takes as long as all else together (default: all)",
    )
    run = Run(name, parser, arguments, cache_name=CACHE)
    n_kernel = min(run.options.kernel_seeds or len(run.seeds), len(run.seeds))
    if run.fast and "n_epochs" in head.settings:
        head = Head(head.name, {**head.settings, "n_epochs": 20})
    sets = data_sets(run)
    n = 40 if run.fast else run.options.n_anchors
    run.header(
        f"{(doc or '').splitlines()[0]} {OTHER_ENCODERS} Accuracy, mean ± standard deviation over "
        f"all ordered pairs of encoders and draws of {n} anchors; the paper's number of anchors is "
        "'comparable with the dimensionality'. absolute: cropped or zero-padded where the "
        f"dimensions differ, which the paper leaves out. {_describe(head)}"
        + (f" {KERNEL}: {n_kernel} of {len(run.seeds)} draws." if n_kernel < len(run.seeds) else "")
    )
    entries = []
    for data in sets:
        stitching = Stitching(run, data, head)
        for column, values in _columns(stitching, scaling, n, run.seeds, n_kernel):
            label = NAMES.get(data.name, data.name)
            printed = paper.get(label, {}).get(column)
            entries.append(entry_of({"data set": label, "method": column}, values, printed))
            run.progress(f"{data.name}, {column}: {entries[-1].ours:.3f}")
    run.finish(entries, wide_by="method")


def _columns(
    stitching: Stitching, scaling: str, n: int, seeds: Sequence[int], n_kernel: int
) -> Iterator[tuple[str, list[float]]]:
    """Name of a column and its values: over encoders, or ordered pairs, and seeds.

    The kernel's over the first ``n_kernel`` seeds.
    """
    encoders, pairs = sorted(stitching.data.encoders), list(stitching.pairs())
    yield COLUMNS[0], [stitching.native(encoder, seed) for encoder in encoders for seed in seeds]

    def over_pairs(
        figures: Callable[[str, str, int], dict[str, float]], seeds: Sequence[int] = seeds
    ) -> list[float]:
        # Seed before source: a head is trained once for all sources of its target.
        targets = dict.fromkeys(target for _, target in pairs)
        return [
            figures(source, target, seed)["accuracy"]
            for target in targets
            for seed in seeds
            for source, other in pairs
            if other == target
        ]

    def translated(method: Method, seeds: Sequence[int] = seeds) -> list[float]:
        return over_pairs(lambda s, t, seed: stitching.translated(method, s, t, n, seed), seeds)

    yield COLUMNS[1], translated(Method(AbsoluteTranslator))
    yield COLUMNS[2], over_pairs(lambda s, t, seed: stitching.relative(s, t, n, seed))
    for name, method in methods(scaling).items():
        yield name, translated(method, seeds[:n_kernel] if name == KERNEL else seeds)


def _describe(head: Head) -> str:
    if head.name == "svm":
        return "Heads: SVC(kernel='linear') of scikit-learn, all else by default."
    return (
        "Heads: linear d to d, tanh, to d/2, ReLU, to classes; Adam 1e-3 on the cross-entropy, "
        f"batches of 128, {head.settings['n_epochs']} epochs."
    )
