"""Maiorca et al.'s stitching of autoencoders: methods, figures of one pair, whole tables."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from _autoencoders import Autoencoder, Models, Recipe, add_training_arguments, anchor_rows
from _images import Images
from common import Entry, Run, entry_of, make_parser

from sklearn_latent import (
    AbsoluteTranslator,
    AffineTranslator,
    LOrthoTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RidgeTranslator,
)
from sklearn_latent.metrics import latent_cosine_similarity, latent_mse, reconstruction_mse

DATA_SETS = ("mnist", "fashion_mnist")
FIGURES = ("lcos", "lmse", "rmse")
OURS = "ridge (ours)"
EPOCHS, BATCH_SIZE = 2, 128
N_TEST = 2000
"""Test images that errors are means over; errors of single images differ little."""
Paper = Mapping[str, tuple[float, float, float]]
"""Method -> lcos, lmse, rmse."""


def methods(seed: int) -> dict[str, Any]:
    """Name -> unfitted translator, as the paper has them (standard scaling), and ours."""
    return {
        "absolute": AbsoluteTranslator(),
        "affine": AffineTranslator(device="cpu", random_state=seed),
        "linear": LstsqTranslator(),
        "l-ortho": LOrthoTranslator(),
        "ortho": ProcrustesTranslator(),
        OURS: RidgeTranslator(),
    }


def data_sets(run: Run) -> list[Images]:
    """MNIST and Fashion-MNIST, or what is asked for; in a smoke run one stand-in."""
    return [run.images(name) for name in run.options.data_sets[: 1 if run.fast else 2]]


def recipe(run: Run, n_latent: int, seed: int, *, unit_latents: bool = False) -> Recipe:
    """The autoencoder of these tables; a smoke run's is trained for one epoch."""
    epochs = 1 if run.fast else EPOCHS
    return Recipe("wide conv", n_latent, seed, epochs, BATCH_SIZE, unit_latents=unit_latents)


def make_run(name: str, description: str | None, arguments: Sequence[str] | None) -> Run:
    """A run with the arguments of these tables."""
    parser = make_parser(description, seeds=5)
    add_training_arguments(parser)
    parser.add_argument("--data-sets", nargs="+", choices=DATA_SETS, default=DATA_SETS)
    return Run(name, parser, arguments, cache_name="generation")


class Stitching:
    """Autoencoders of one data set, their latents, and the figures of their pairs."""

    def __init__(self, run: Run, models: Models, images: Images):
        self._run, self._models, self._images = run, models, images
        self._test = images.test[:N_TEST]
        self._test_key = run.fingerprint(self._test)
        self._kept: dict[Recipe, tuple[Autoencoder, np.ndarray]] = {}
        self._anchors: dict[tuple[Recipe, int, int], np.ndarray] = {}

    def encoded(self, recipe: Recipe) -> tuple[Autoencoder, np.ndarray]:
        """An autoencoder, and the latents of the test images."""
        if recipe not in self._kept:
            autoencoder = self._models.autoencoder(recipe, self._images)
            self._kept[recipe] = autoencoder, autoencoder.encode(self._test)
        return self._kept[recipe]

    def fitted(
        self, source: Recipe, target: Recipe, translator: Any, n_anchors: int, draw: int
    ) -> Any:
        """The translator, fitted to anchors that are drawn from the training images."""
        X, y = (self.anchors(side, n_anchors, draw) for side in (source, target))
        with warnings.catch_warnings():
            # About as many anchors as dimensions is the paper's protocol, wise or not.
            warnings.simplefilter("ignore", UserWarning)
            return translator.fit(X, y)

    def anchors(self, recipe: Recipe, n_anchors: int, draw: int) -> np.ndarray:
        """Latents of training images, the same images whatever the autoencoder."""
        place = recipe, n_anchors, draw
        if place not in self._anchors:
            rows = anchor_rows(len(self._images.train), n_anchors, draw)
            self._anchors[place] = self.encoded(recipe)[0].encode(self._images.train[rows])
        return self._anchors[place]

    def native(self, recipe: Recipe) -> dict[str, float]:
        """The figures without stitching, computed at most once."""
        key = {"native": self._models.key(recipe, self._images), "test": self._test_key}

        def compute():
            autoencoder, latents = self.encoded(recipe)
            rmse = reconstruction_mse(self._test, autoencoder.decode(latents))
            return {"lcos": 1.0, "lmse": 0.0, "rmse": rmse}

        return self._run.cell(key, compute, uses=[Stitching, Autoencoder, reconstruction_mse])

    def figures(
        self, source: Recipe, target: Recipe, translator: Any, n_anchors: int, draw: int
    ) -> dict[str, float]:
        """lcos, lmse and rmse of one ordered pair, computed at most once."""
        key = {
            "source": self._models.key(source, self._images),
            "target": self._models.key(target, self._images),
            "test": self._test_key,
            "translator": repr(translator),
            "anchors": n_anchors,
            "draw": draw,
        }

        def compute():
            self.fitted(source, target, translator, n_anchors, draw)
            translated = translator.transform(self.encoded(source)[1])
            autoencoder, expected = self.encoded(target)
            return {
                "lcos": latent_cosine_similarity(expected, translated),
                "lmse": latent_mse(expected, translated),
                "rmse": reconstruction_mse(self._test, autoencoder.decode(translated)),
            }

        uses = [type(translator), Stitching, Autoencoder, reconstruction_mse]
        return self._run.cell(key, compute, uses=uses)


def entries_of(
    labels: Mapping[str, str], found: Mapping[str, Iterable[Mapping[str, float]]], paper: Paper
) -> Iterator[Entry]:
    """An entry for each method and figure."""
    for method, cells in found.items():
        cells = list(cells)
        for figure, printed in zip(FIGURES, paper.get(method, (None, None, None))):
            values = [cell[figure] for cell in cells]
            yield entry_of({**labels, "method": method, "figure": figure}, values, printed)


def same_size_table(
    name: str,
    description: str | None,
    arguments: Sequence[str] | None,
    paper: Mapping[str, Paper],
    caption: str,
    *,
    unit_latents: bool,
) -> None:
    """Tables 3 and 4: two trainings of one autoencoder, both directions, some anchor draws."""
    run = make_run(name, description, arguments)
    n_latent, n_anchors = (12, 40) if run.fast else (500, 1000)
    models = Models(run)
    recipes = [recipe(run, n_latent, seed, unit_latents=unit_latents) for seed in (0, 1)]
    everything = data_sets(run)
    run.header(
        f"{caption} Autoencoders 0 and 1: {recipes[0]}, on {models.device}; latent {n_latent}, "
        f"{n_anchors} anchors. Mean and deviation over both directions and {len(run.seeds)} draws "
        f"of the anchors; the first {N_TEST} test images."
    )
    entries = []
    for images in everything:
        models.train(recipes, images)
        stitching = Stitching(run, models, images)
        found = {"no stitching": [stitching.native(side) for side in recipes]}
        for method in methods(0):
            found[method] = [
                stitching.figures(source, target, methods(draw)[method], n_anchors, draw)
                for source, target in itertools.permutations(recipes, 2)
                for draw in run.seeds
            ]
            run.progress(f"{images.name}: {method}")
        entries += entries_of({"data": images.name}, found, paper[images.name])
    run.finish(entries, wide_by="figure")
