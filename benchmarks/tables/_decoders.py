"""The frozen classifiers of Maiorca et al. (2023): an SVM with a linear kernel, and MLP heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from sklearn.svm import SVC

LEARNING_RATE, BATCH = 1e-3, 128
ACTIVATIONS = {"cos": np.cos, "tanh": np.tanh, "relu": lambda Z: np.maximum(Z, 0)}


@dataclass(frozen=True)
class OneVersusOne:
    """What `sklearn.svm.SVC` with a linear kernel predicts, without its support vectors.

    ``coef`` (n_pairs, d) and ``intercept`` (n_pairs,): one hyperplane for each pair of classes, on
    whose positive side the first one gets the vote.
    """

    coef: np.ndarray
    intercept: np.ndarray
    classes: np.ndarray

    def predict(self, Z: np.ndarray) -> np.ndarray:
        """The class with the most votes, the first of them on a tie, as in LIBSVM."""
        first = Z @ self.coef.T.astype(Z.dtype) + self.intercept > 0
        votes = np.zeros((len(Z), len(self.classes)), dtype=np.intp)
        for column, (i, j) in enumerate(combinations(range(len(self.classes)), 2)):
            votes[:, i] += first[:, column]
            votes[:, j] += ~first[:, column]
        return self.classes[votes.argmax(axis=1)]


def train_svm(Z: np.ndarray, labels: np.ndarray) -> OneVersusOne:
    """`SVC(kernel="linear")`, all else by default, on latents Z (n, d) as they are."""
    svc = SVC(kernel="linear").fit(Z.astype(np.float64), labels)
    # With two classes scikit-learn turns LIBSVM's sign around.
    sign = -1 if len(svc.classes_) == 2 else 1
    return OneVersusOne(sign * svc.coef_, sign * svc.intercept_, svc.classes_)


@dataclass(frozen=True)
class MLP:
    """Linear layers (weight, bias), an activation after each but the last."""

    layers: list[tuple[np.ndarray, np.ndarray]]
    activations: tuple[str, ...]
    classes: np.ndarray

    def predict(self, Z: np.ndarray) -> np.ndarray:
        """The class with the largest output."""
        *hidden, (weight, bias) = self.layers
        for (inner, offset), name in zip(hidden, self.activations):
            Z = ACTIVATIONS[name](Z @ inner.T + offset)
        return self.classes[(Z @ weight.T + bias).argmax(axis=1)]


def train_mlp(
    Z: np.ndarray,
    labels: np.ndarray,
    *,
    activations: Sequence[str] = ("tanh", "relu"),
    n_epochs: int,
    seed: int,
) -> MLP:
    """Three linear layers, d to d to d / 2 to classes, by Adam on the cross-entropy.

    On latents Z (n, d) as they are, in batches of 128.
    """
    import torch

    classes, targets = np.unique(labels, return_inverse=True)
    d = Z.shape[1]
    widths = [d, d, max(1, d // 2), len(classes)]
    functions = {"cos": torch.cos, "tanh": torch.tanh, "relu": torch.relu}
    X, y = torch.from_numpy(Z.astype(np.float32)), torch.from_numpy(targets)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [torch.nn.Linear(*pair) for pair in pairwise(widths)]
        parameters = [parameter for layer in layers for parameter in layer.parameters()]
        # Fused: two to six times as fast here, the same steps.
        optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
        for _ in range(n_epochs):
            for rows in torch.randperm(len(X)).split(BATCH):
                hidden = X[rows]
                for layer, name in zip(layers, activations):
                    hidden = functions[name](layer(hidden))
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(layers[-1](hidden), y[rows]).backward()
                optimizer.step()
    arrays = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in layers]
    return MLP(arrays, tuple(activations), classes)
