"""Latents of the same items by several encoders: from a folder, or made on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from data import DataSet, Latents, find_folder, load
from sklearn.datasets import load_digits

FAST_DIMENSIONS = {"alpha": 12, "beta": 16, "gamma": 16}


def load_latents(name: str, folder: Path | None, *, fast: bool = False) -> DataSet:
    """The data set ``folder / NAME_latents``; ``benchmarks/encode.py`` makes such folders.

    ``fast=True``: three random one-layer networks' view of scikit-learn's digits, by the name
    of ``digits``.
    """
    return _random_networks() if fast else load(find_folder(folder), name)


def _random_networks() -> DataSet:
    pixels, labels = load_digits(return_X_y=True)
    pixels, labels = pixels[:500].astype(np.float32) / 16, labels[:500]
    train, test = slice(None, 350), slice(350, None)
    encoders = {}
    for seed, (encoder, d) in enumerate(FAST_DIMENSIONS.items()):
        rng = np.random.default_rng(seed)
        weight = rng.normal(size=(pixels.shape[1], d)).astype(np.float32) / 4
        latents = np.tanh(pixels @ weight + rng.normal(size=d).astype(np.float32))
        encoders[encoder] = Latents(latents[train], latents[test])
    return DataSet("digits", labels[train], labels[test], encoders)
