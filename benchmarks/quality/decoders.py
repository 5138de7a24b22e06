"""The frozen decoders: a classifier on the target's latents, and a search index."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data import N_GALLERY, DataSet, Latents
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

C, MAX_ITER = 0.01, 300


@dataclass(frozen=True)
class Decoder:
    """Linear classifier on raw latents Z (n, d): the class of the largest of Z coef.T + intercept.

    The scaler that it was trained behind is folded into ``coef`` (n_classes, d) and
    ``intercept`` (n_classes,).
    """

    coef: np.ndarray
    intercept: np.ndarray
    classes: np.ndarray

    def accuracy(self, Z: np.ndarray, labels: np.ndarray) -> float:
        """Share of rows that get their label."""
        scores = Z @ self.coef.T.astype(Z.dtype) + self.intercept
        return float(np.mean(self.classes[scores.argmax(axis=1)] == labels))


def train(latents: np.ndarray, labels: np.ndarray) -> Decoder:
    """Logistic regression on the standardised latents of all training rows."""
    scaler = StandardScaler()
    Z = scaler.fit_transform(latents.astype(np.float64))
    model = LogisticRegression(C=C, max_iter=MAX_ITER)
    with warnings.catch_warnings():
        # 300 steps are the protocol, whether they suffice or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(Z, labels)
    coef = model.coef_ / scaler.scale_
    intercept = model.intercept_ - coef @ scaler.mean_
    if len(model.classes_) == 2:
        coef, intercept = np.vstack([-coef, coef]), np.concatenate([-intercept, intercept])
    return Decoder(coef, intercept, model.classes_)


def decoder_of(data: DataSet, encoder: str, cache: Path) -> Decoder:
    """The decoder of one encoder's latents, trained at the first call and then read from disk."""
    latents = data.encoders[encoder].train
    digest = fingerprint(latents, data.train_label)
    path = cache / "decoders" / f"{data.name}-{encoder}-{digest}.npz"
    if path.is_file():
        with np.load(path) as file:
            return Decoder(file["coef"], file["intercept"], file["classes"])
    decoder = train(latents, data.train_label)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, coef=decoder.coef, intercept=decoder.intercept, classes=decoder.classes)
    return decoder


def fingerprint(*arrays: np.ndarray) -> str:
    """Short digest of arrays, so that a cache never answers for other data."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def recall_at_1(Z: np.ndarray, target: Latents, centre: np.ndarray) -> float:
    """Share of translated test rows Z whose nearest target row is their true partner.

    Nearest by the cosine after ``centre`` (d,), the anchors' target mean, is subtracted from both;
    queries and gallery are the first 1,000 test rows.
    """
    queries = Z[:N_GALLERY] - centre
    gallery = target.test[:N_GALLERY] - centre
    # A query's own norm does not change which row is nearest to it.
    gallery = gallery / np.maximum(np.linalg.norm(gallery, axis=1, keepdims=True), 1e-12)
    nearest = (queries @ gallery.T).argmax(axis=1)
    return float(np.mean(nearest == np.arange(len(queries))))
