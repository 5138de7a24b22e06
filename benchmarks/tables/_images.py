"""Images with labels: from a folder of IDX files, from OpenML, or made on the spot."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml, load_digits

OPENML = {"mnist": "mnist_784", "fashion_mnist": "Fashion-MNIST"}
N_TRAIN = 60_000
N_FAST_TRAIN = 400
IDX_IMAGES, IDX_LABELS = 0x803, 0x801


@dataclass(frozen=True)
class Images:
    """Grey images (n, 28, 28), float32 in [0, 1], and their labels (n,), integers.

    ``name`` is the data set that was asked for, ``source`` where the images come from.
    """

    name: str
    source: str
    train: np.ndarray
    train_label: np.ndarray
    test: np.ndarray
    test_label: np.ndarray


def load_images(name: str, folder: Path | None, *, fast: bool = False) -> Images:
    """MNIST or Fashion-MNIST: from ``folder / name``, or from OpenML where there is no folder.

    ``fast=True``: 400 training and 200 test digits of scikit-learn, enlarged, whatever the name.
    """
    if name not in OPENML:
        raise ValueError(f"There are no images {name!r}; there are: {', '.join(OPENML)}.")
    if fast:
        return _enlarged_digits(name)
    if folder is not None:
        return _from_idx(name, folder / name)
    return _from_openml(name)


def _from_idx(name: str, folder: Path) -> Images:
    parts = []
    for part in ("train", "t10k"):
        parts.append(_read_idx(folder / f"{part}-images-idx3-ubyte.gz", IDX_IMAGES))
        parts.append(_read_idx(folder / f"{part}-labels-idx1-ubyte.gz", IDX_LABELS))
    train, train_label, test, test_label = parts
    for images, labels in ((train, train_label), (test, test_label)):
        if len(images) != len(labels):
            raise ValueError(f"{folder} has {len(images)} images but {len(labels)} labels.")
    return _images(name, str(folder), train, train_label, test, test_label)


def _read_idx(path: Path, magic: int) -> np.ndarray:
    """The array of an IDX file: big-endian magic number (last byte: dimensions), shape, data."""
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}: --data wants a folder with {path.parent.name}/ in it, which "
            "holds the IDX files of the data set, gzipped."
        )
    with gzip.open(path) as file:
        content = file.read()
    found = int.from_bytes(content[:4], "big")
    if found != magic:
        raise ValueError(
            f"{path} begins with {found:#x}, an IDX file of this kind with {magic:#x}."
        )
    start = 4 + 4 * (magic & 0xFF)
    shape = np.frombuffer(content[4:start], ">u4").astype(int)
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _from_openml(name: str) -> Images:
    try:
        pixels, labels = fetch_openml(OPENML[name], version=1, return_X_y=True, as_frame=False)
    except OSError as error:
        raise OSError(
            f"{name} could not be fetched from OpenML ({error}): name the folder that holds "
            f"{name}/ with --data DIR."
        ) from error
    pixels, labels = pixels.reshape(-1, 28, 28), labels.astype(np.int64)
    train, test = slice(None, N_TRAIN), slice(N_TRAIN, None)
    source = f"OpenML {OPENML[name]}"
    return _images(name, source, pixels[train], labels[train], pixels[test], labels[test])


def _enlarged_digits(name: str) -> Images:
    pixels, labels = load_digits(return_X_y=True)
    pixels = np.kron(pixels.reshape(-1, 8, 8), np.ones((3, 3)))
    pixels = np.pad(pixels, ((0, 0), (2, 2), (2, 2))) * (255 / 16)
    train, test = slice(None, N_FAST_TRAIN), slice(N_FAST_TRAIN, N_FAST_TRAIN + 200)
    source = "scikit-learn's digits, enlarged"
    return _images(name, source, pixels[train], labels[train], pixels[test], labels[test])


def _images(name, source, train, train_label, test, test_label) -> Images:
    train, test = (part.astype(np.float32) / np.float32(255) for part in (train, test))
    labels = train_label.astype(np.int64), test_label.astype(np.int64)
    return Images(name, source, train, labels[0], test, labels[1])
