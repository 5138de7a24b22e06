"""A network of linear layers and ReLU, trained by Adam."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from .._array import Array, namespace_of
from .._device import import_torch

# Rows × hidden width of one block: 16 MB in float32.
_BLOCK_ELEMENTS = 2**22

Layers = list[tuple[Array, Array]]
"""Weights (fan_in, fan_out) and offsets (fan_out,) of each layer."""

Rows = tuple[Array, Array, Array | None]
"""Source rows, target rows, and their weights (n,) or None."""


def initial_layers(
    widths: Sequence[int], random_state: np.random.RandomState
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and offsets drawn as `torch.nn.Linear` does, but by NumPy."""
    layers = []
    for fan_in, fan_out in itertools.pairwise(widths):
        bound = fan_in**-0.5
        coef = random_state.uniform(-bound, bound, (fan_in, fan_out))
        layers.append((coef, random_state.uniform(-bound, bound, fan_out)))
    return layers


def apply(layers: Layers, X: Array) -> Array:
    """``FC(ReLU(FC(ReLU(FC(X)))))`` for arrays of any library."""
    xp = namespace_of(X)
    # in blocks of rows, because hidden layers are wider than what comes in and goes out
    step = max(1, _BLOCK_ELEMENTS // layers[0][1].shape[0])
    blocks = []
    for start in range(0, X.shape[0], step):
        out = X[start : min(start + step, X.shape[0]), :]
        for i, (coef, intercept) in enumerate(layers):
            out = (out if i == 0 else xp.clip(out, min=0)) @ coef
            out += intercept[None, :]
        blocks.append(out)
    return xp.concat(blocks) if len(blocks) > 1 else blocks[0]


def forward(layers: Layers, X: Array) -> Array:
    """The same for torch tensors, to differentiate."""
    *hidden_layers, (coef, intercept) = layers
    for hidden_coef, hidden_intercept in hidden_layers:
        X = hidden_intercept.addmm(X, hidden_coef).relu_()
    return intercept.addmm(X, coef)


def epochs(
    layers: Layers,
    rows: Rows,
    batch_size: int,
    learning_rate: float,
    random_state: np.random.RandomState,
) -> Iterator[float]:
    """Change `layers` in place by Adam on shuffled minibatches; yield each epoch's mean loss.

    The loss is the mean squared error, rows counting by their weight over the mean weight: of one
    minibatch of all rows it is the weighted mean, and of a smaller one an unbiased estimate of it.
    """
    torch = import_torch("MLPTranslator")
    X, y, weight = rows
    weight = None if weight is None else weight / weight.mean()
    parameters = [p.requires_grad_() for layer in layers for p in layer]
    fused = X.device.type in ("cpu", "cuda")  # before 2.5 torch has no fused Adam for MPS
    adam = torch.optim.Adam(parameters, lr=learning_rate, fused=fused)
    while True:
        total = X.new_zeros(())
        order = torch.from_numpy(random_state.permutation(X.shape[0])).to(X.device, torch.int64)
        for batch in order.split(batch_size):
            errors = (forward(layers, X[batch]) - y[batch]).square().mean(dim=1)
            loss = (errors if weight is None else errors * weight[batch]).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            total.add_(loss.detach(), alpha=len(batch))
        yield float(total) / X.shape[0]  # the only wait for a GPU


def split(rows: Rows, n_held_out: int, random_state: np.random.RandomState) -> tuple[Rows, Rows]:
    """Rows to train on, and `n_held_out` rows at random that are held out."""
    torch = import_torch("MLPTranslator")
    X, y, weight = rows
    order = torch.from_numpy(random_state.permutation(X.shape[0])).to(X.device, torch.int64)

    def take(part: Array) -> Rows:
        return X[part], y[part], None if weight is None else weight[part]

    return take(order[n_held_out:]), take(order[:n_held_out])


def r2(layers: Layers, rows: Rows) -> float:
    """R² as `sklearn.metrics.r2_score` has it: the mean over the target's columns."""
    torch = import_torch("MLPTranslator")
    X, y, weight = rows
    weight = X.new_ones(X.shape[0]) if weight is None else weight
    with torch.no_grad():
        unexplained = weight @ (forward(layers, X) - y).square()
        # from one row, so that a constant column has exactly no variance, and one that counts
        deviation = y - y[int(weight.argmax())]
        deviation -= weight @ deviation / weight.sum()
        variation = weight @ deviation.square()
        constant = variation == 0
        ratio = unexplained / torch.where(constant, 1, variation)
        scores = torch.where(constant, (unexplained == 0).to(X.dtype), 1 - ratio)
        return float(scores.mean())
