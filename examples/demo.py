"""Stitch two encoders of the digits through every translator; ``make demo`` runs it.

The source is an autoencoder that never saw a label, the target a classifier; architecture, width,
latent dimension, seed and order of the data differ. A support vector machine that was trained on
the target's latents then reads the source's. ``stitch.py`` does the same with your own latents.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, validate_data
from stitch import Task, available_methods, compare, default_anchors, load_matplotlib
from threadpoolctl import threadpool_limits

ACTIVATIONS = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}


class HiddenLayer(TransformerMixin, BaseEstimator):
    """Encode by the last hidden layer of a multilayer perceptron.

    Parameters
    ----------
    mlp : MLPClassifier or MLPRegressor
        Trained by `fit`, on whatever task its y is.
    """

    def __init__(self, mlp: Any):
        self.mlp = mlp

    def fit(self, X: Any, y: Any) -> HiddenLayer:
        """Train a copy of the network."""
        self.mlp_ = clone(self.mlp).fit(X, y)
        self.n_features_in_ = self.mlp_.n_features_in_
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Forward pass up to the last hidden layer."""
        check_is_fitted(self)
        hidden = validate_data(self, X, reset=False)
        activation = ACTIVATIONS[self.mlp_.activation]
        for weights, bias in zip(self.mlp_.coefs_[:-1], self.mlp_.intercepts_[:-1]):
            hidden = activation(hidden @ weights + bias)
        return hidden


def train_encoder(name: str, mlp: Any, X: np.ndarray, y: np.ndarray) -> HiddenLayer:
    """An encoder trained on the rows in an order of its own."""
    start = time.perf_counter()
    order = np.random.default_rng(mlp.random_state).permutation(len(X))
    encoder = HiddenLayer(mlp).fit(X[order], y[order])
    print(f"{name} trained in {time.perf_counter() - start:.1f} s", flush=True)
    return encoder


def train_encoders(images: np.ndarray, digits: np.ndarray) -> tuple[HiddenLayer, HiddenLayer]:
    """Source and target, which have nothing in common but the images."""
    autoencoder = MLPRegressor(
        hidden_layer_sizes=(48,),
        activation="tanh",
        learning_rate_init=3e-3,
        max_iter=1000,
        random_state=1,
    )
    classifier = MLPClassifier(
        hidden_layer_sizes=(128, 64),
        alpha=1.0,
        learning_rate_init=3e-3,
        max_iter=1000,
        random_state=2,
    )
    source = train_encoder(
        "source: autoencoder 64-48-64, tanh, no labels,", autoencoder, images, images
    )
    target = train_encoder("target: classifier 64-128-64-10, relu,", classifier, images, digits)
    return source, target


def main() -> None:
    load_matplotlib()  # an error now, not after the work
    output = Path("output")
    output.mkdir(exist_ok=True)
    images, digits = load_digits(return_X_y=True)
    images /= 16
    train, test = train_test_split(
        np.arange(len(images)), test_size=1 / 3, random_state=0, stratify=digits
    )
    source, target = train_encoders(images[train], digits[train])
    source_latents, target_latents = source.transform(images), target.transform(images)
    svc = SVC(kernel="linear").fit(target_latents[train], digits[train])

    rows = compare(
        Task(
            source_train=source_latents[train],
            source_test=source_latents[test],
            target_train=target_latents[train],
            target_test=target_latents[test],
            labels_train=digits[train],
            labels_test=digits[test],
            decoder=svc,
        ),
        available_methods(),
        default_anchors(len(train)),
        draws=10,
        path=output / "demo.png",
        title="Digits: an autoencoder's latents (48) read by a classifier's SVC (64)",
    )

    print(
        "\nHow to read it: 'no stitching' is the SVC on the latents that it was trained on, and\n"
        "'absolute' on the source's as they are. With about 48 anchors, the source's dimension,\n"
        "least squares (linear) fits their noise. A rigid map turns latents but never rescales."
    )

    # The same as one scikit-learn pipeline, from images to digits; nothing is refitted.
    translator = rows["linear"].translator
    stitched = make_pipeline(source, translator, svc)
    accuracy = np.mean(stitched.predict(images[test]) == digits[test])
    print(
        f"\nmake_pipeline(source, translator, svc).predict(images) with {translator}: "
        f"accuracy {accuracy:.3f} (in the table {rows['linear'].accuracy:.3f})"
    )


if __name__ == "__main__":
    # Matrices as small as these gain nothing from more threads, and lose much on a busy machine.
    if importlib.util.find_spec("torch") is not None:
        import torch  # before the limit, which only reaches libraries that are loaded

        torch.set_num_threads(1)
    with threadpool_limits(1):
        main()
