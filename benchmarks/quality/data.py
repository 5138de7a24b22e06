"""Latents of the same items by several encoders, read from a folder.

A data set ``NAME`` is the folder ``NAME_latents``: ``index.npz`` with ``train_label`` and
``test_label``, and one ``.npz`` an encoder with ``train`` and ``test``, the rows in the order of
the labels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

VARIABLE = "SKLEARN_LATENT_DATA"
SUFFIX = "_latents"
N_POOL = 5000
"""Anchors are drawn among this many first training rows."""
N_GALLERY = 1000
"""Retrieval looks for a partner among this many first test rows."""


@dataclass(frozen=True)
class Latents:
    """One encoder's view of a data set: rows are items, columns latent features."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class DataSet:
    """The same items, labelled, as several encoders see them."""

    name: str
    train_label: np.ndarray
    test_label: np.ndarray
    encoders: dict[str, Latents]

    def pairs(self) -> list[tuple[str, str]]:
        """All ordered pairs of different encoders, (source, target)."""
        names = sorted(self.encoders)
        return [(source, target) for source in names for target in names if source != target]

    def anchors(self, n: int, seed: int) -> np.ndarray:
        """Row numbers (n,) of the anchors among the training rows."""
        pool = min(N_POOL, len(self.train_label))
        if not 0 < n <= pool:
            raise ValueError(f"n must be between 1 and {pool} for {self.name}, got {n}.")
        return np.random.default_rng(seed).permutation(pool)[:n]


def find_folder(data: str | Path | None) -> Path:
    """The folder with the data: the argument, else the environment variable."""
    given = data or os.environ.get(VARIABLE)
    if not given:
        raise FileNotFoundError(
            "No data: name the folder with --data DIR or in the environment variable "
            f"{VARIABLE}. It holds one folder NAME{SUFFIX} a data set, each with index.npz "
            "(train_label, test_label) and one .npz an encoder (train, test)."
        )
    folder = Path(given)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}: --data wants an existing one.")
    return folder


def available(folder: Path) -> list[str]:
    """Names of the data sets in a folder, in alphabetical order."""
    return sorted(
        path.parent.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}/index.npz")
    )


def load(folder: Path, name: str) -> DataSet:
    """Read a data set; float16 becomes float32."""
    where = folder / f"{name}{SUFFIX}"
    if not (where / "index.npz").is_file():
        known = ", ".join(available(folder)) or "none"
        raise FileNotFoundError(f"There is no data set {name!r} in {folder}; there are: {known}.")
    with np.load(where / "index.npz") as index:
        labels = index["train_label"], index["test_label"]
    encoders = {}
    for path in sorted(where.glob("*.npz")):
        if path.stem != "index":
            encoders[path.stem] = _read_encoder(path, *map(len, labels))
    if len(encoders) < 2:
        raise ValueError(f"{where} has {len(encoders)} encoder(s); stitching needs two or more.")
    return DataSet(name, *labels, encoders)


def _read_encoder(path: Path, n_train: int, n_test: int) -> Latents:
    with np.load(path) as file:
        train, test = (
            file[part].astype(np.result_type(file[part].dtype, np.float32))
            for part in ("train", "test")
        )
    if (len(train), len(test)) != (n_train, n_test):
        raise ValueError(
            f"{path} has {len(train)} training and {len(test)} test rows, but its index has "
            f"{n_train} and {n_test} labels; rows must be the same items."
        )
    return Latents(train, test)
