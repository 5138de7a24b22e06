"""Lähner & Moeller's transfer between autoencoders, and its error."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from _autoencoders import (
    Autoencoder,
    Models,
    Recipe,
    anchor_rows,
    relative_reconstruction,
    standardised,
)
from _images import Images
from common import Run

from sklearn_latent import (
    ICPTranslator,
    LstsqTranslator,
    RelativeProjector,
    RidgeTranslator,
    RigidTranslator,
    class_means,
)
from sklearn_latent.metrics import reconstruction_mse

BATCH_SIZE = 64
PIXELS = {"mnist": (0.1307, 0.3081), "fashion_mnist": (0.2860, 0.3530)}
OUTPUT = {"mnist": "sigmoid", "fashion_mnist": "linear"}
UNITS = """Errors are mean squared errors of standardised pixels. The paper does not print its
units: its errors on MNIST stop at .472, which is near what the best image with values from 0 to 1
leaves of standardised test images. So pixels are standardised here and the decoder's output, on
MNIST, is a sigmoid."""
OURS = "ridge (ours)"
Spread = tuple[float, float]


def least_error(recipe: Recipe, test: np.ndarray) -> float:
    """What images with values from 0 to 1, a sigmoid's range, leave of standardised ones."""
    pixels = standardised(test, recipe)
    return float(np.mean((pixels - pixels.clip(0, 1)) ** 2))


def thousandths(mean: float, spread: float) -> Spread:
    """A figure as the tables print it: of the mean ± spread, only the spread is in 10^-3."""
    return mean, spread / 1000


def translators() -> dict[str, Any]:
    """Name -> unfitted translator; what the paper's words leave open, both ways."""
    return {
        "rigid": RigidTranslator(),
        "rigid, no reflection": RigidTranslator(allow_reflection=False),
        "linear": LstsqTranslator(scaling=None),
        "linear, offset": LstsqTranslator(scaling=None, fit_intercept=True),
        OURS: RidgeTranslator(),
    }


def printed_as(method: str) -> str:
    """The paper's name of a method: both rigid maps may be its "rigid"."""
    return "rigid" if method == "rigid, no reflection" else method


class Transfer:
    """Autoencoders of one data set, and the errors of decoding one's latents by another."""

    def __init__(self, run: Run, models: Models, images: Images):
        self._run, self._models, self.images = run, models, images
        self._test_key = run.fingerprint(images.test)
        self._autoencoders: dict[Recipe, Autoencoder] = {}
        self._latents: dict[tuple[Recipe, str], np.ndarray] = {}

    def autoencoder(self, recipe: Recipe) -> Autoencoder:
        """One, trained."""
        if recipe not in self._autoencoders:
            self._autoencoders[recipe] = self._models.autoencoder(recipe, self.images)
        return self._autoencoders[recipe]

    def latents(self, recipe: Recipe, part: str) -> np.ndarray:
        """Of the images of ``part``, "train" or "test"."""
        if (recipe, part) not in self._latents:
            images = getattr(self.images, part)
            self._latents[recipe, part] = self.autoencoder(recipe).encode(images)
        return self._latents[recipe, part]

    def anchors(
        self, source: Recipe, target: Recipe, n_anchors: int | None, draw: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Latents of the same training images on both sides; None: of all of them."""
        X, y = self.latents(source, "train"), self.latents(target, "train")
        if n_anchors is None:
            return X, y
        rows = anchor_rows(len(X), n_anchors, draw)
        return X[rows], y[rows]

    def native(self, recipe: Recipe) -> float:
        """Error without transfer."""

        def compute():
            if recipe.relative is None:
                autoencoder = self.autoencoder(recipe)
                return self._figures(recipe, autoencoder.decode(self.latents(recipe, "test")))
            return self._relative(recipe, recipe)

        return self._cell({"native": self._key(recipe)}, compute, [])

    def direct(
        self,
        source: Recipe,
        target: Recipe,
        translator: Any,
        n_anchors: int | None,
        draw: int = 0,
        *,
        fitted: Any = None,
    ) -> float:
        """Error by a translator that is fitted to anchors (or is ``fitted`` already)."""
        key = {"translator": repr(translator), "anchors": n_anchors, "draw": draw}
        if fitted is not None:
            key["fitted"] = "for this pair"

        def compute():
            final = fitted
            if final is None:
                final = quietly(translator.fit, *self.anchors(source, target, n_anchors, draw))
            return self._translated(source, target, final)

        return self._cell({**key, **self._pair(source, target)}, compute, [type(translator)])

    def without_pairs(
        self,
        source: Recipe,
        target: Recipe,
        translator: Any,
        n_rows: int | None,
        *,
        disjoint: bool = False,
    ) -> float:
        """Error by class means alone, or (``n_rows``) by these and ICP on that many images.

        ``disjoint``: on one half of these images for the source, the other for the target.
        """
        key = {"translator": repr(translator), "means, then ICP on": n_rows}
        if disjoint:
            key["disjoint"] = True

        def compute():
            X, y = self.anchors(source, target, None, 0)
            labels = self.images.train_label
            if n_rows is None:
                means = class_means(X, labels, y, labels)
                return self._translated(source, target, quietly(translator.fit, *means[:2]))
            rows = to = slice(None, n_rows)
            if disjoint:
                half = min(n_rows, len(X)) // 2
                rows, to = slice(None, half), slice(half, 2 * half)
            icp = ICPTranslator(translator)
            quietly(icp.fit, X[rows], y[to], labels[rows], labels[to])
            return {**self._translated(source, target, icp), "iterations": icp.n_iter_}

        uses = [type(translator), ICPTranslator]
        return self._cell({**key, **self._pair(source, target)}, compute, uses)

    def relative(self, source: Recipe, target: Recipe) -> float:
        """Error by the target's decoder of relative latents."""
        key = {"relative": True, **self._pair(source, target)}
        return self._cell(key, lambda: self._relative(source, target), [RelativeProjector])

    def _relative(self, source: Recipe, target: Recipe) -> dict[str, float]:
        sides = self.autoencoder(source), self.autoencoder(target)
        return self._figures(target, relative_reconstruction(*sides, self.images))

    def _translated(self, source, target, translator):
        latents = translator.transform(self.latents(source, "test"))
        return self._figures(target, self.autoencoder(target).decode(latents))

    def _figures(self, recipe: Recipe, decoded: np.ndarray) -> dict[str, float]:
        return {"mse": reconstruction_mse(standardised(self.images.test, recipe), decoded)}

    def _cell(self, key, compute, uses: Sequence[Any]) -> float:
        uses = [*uses, Transfer, Autoencoder, reconstruction_mse]
        return self._run.cell({**key, "test": self._test_key}, compute, uses=uses)["mse"]

    def _pair(self, source: Recipe, target: Recipe) -> dict[str, Any]:
        return {"source": self._key(source), "target": self._key(target)}

    def _key(self, recipe: Recipe) -> dict[str, Any]:
        return self._models.key(recipe, self.images)


def quietly(fit: Any, *data: Any) -> Any:
    """Fit without the warning that anchors are few: that is the paper's protocol."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return fit(*data)
