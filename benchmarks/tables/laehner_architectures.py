"""Tables 5 and 6 of Lähner & Moeller (2023): from a convolutional autoencoder to an MLP, and back.

python benchmarks/tables/laehner_architectures.py --data ../shared/data
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from _autoencoders import Models, Recipe, add_training_arguments
from _images import Images
from _laehner import (
    BATCH_SIZE,
    OUTPUT,
    PIXELS,
    UNITS,
    Transfer,
    printed_as,
    thousandths,
    translators,
)
from common import Entry, Run, entry_of, make_parser

EPOCHS = 6
CONV_TO_MLP, MLP_TO_CONV = "conv to MLP", "MLP to conv"
COSINE = "decoder, cosine (ours)"
# (latent, anchors) -> (direction, method) -> mean, spread in 10^-3
TABLE_5 = {
    (50, 100): {
        ("conv", "native"): (0.066, 3.4),
        ("MLP", "native"): (0.094, 0.8),
        (CONV_TO_MLP, "rigid"): (1.805, 372.4),
        (CONV_TO_MLP, "linear"): (0.241, 8.9),
        (CONV_TO_MLP, "decoder"): (4.00, 858.4),
        (MLP_TO_CONV, "rigid"): (0.558, 17.0),
        (MLP_TO_CONV, "linear"): (0.217, 9.7),
        (MLP_TO_CONV, "decoder"): (1.363, 102.6),
    },
    (100, 200): {
        ("conv", "native"): (0.045, 0.8),
        ("MLP", "native"): (0.058, 0.6),
        (CONV_TO_MLP, "rigid"): (0.355, 10.8),
        (CONV_TO_MLP, "linear"): (0.162, 10.8),
        (CONV_TO_MLP, "decoder"): (0.712, 11.3),
        (MLP_TO_CONV, "rigid"): (0.713, 64.6),
        (MLP_TO_CONV, "linear"): (0.141, 6.5),
        (MLP_TO_CONV, "decoder"): (0.745, 19.1),
    },
}
TABLE_6 = {
    (50, 100): {
        ("conv", "end2end"): (0.096, 1.7),
        ("MLP", "end2end"): (0.138, 1.2),
        (CONV_TO_MLP, "end2end"): (0.298, 10.0),
        (MLP_TO_CONV, "end2end"): (0.288, 10.2),
    },
    (100, 200): {
        ("conv", "end2end"): (0.079, 0.9),
        ("MLP", "end2end"): (0.107, 2.6),
        (CONV_TO_MLP, "end2end"): (0.249, 13.2),
        (MLP_TO_CONV, "end2end"): (0.304, 13.5),
    },
}
WAYS = {
    "decoder": {"relative": "decoder"},
    COSINE: {"relative": "decoder", "metric": "cosine"},
    "end2end": {"relative": "end2end"},
}


def recipe(run: Run, architecture: str, n_latent: int, seed: int) -> Recipe:
    """The autoencoder of these tables; a smoke run's is trained for one epoch."""
    epochs, name = (1 if run.fast else EPOCHS), "fashion_mnist"
    return Recipe(architecture, n_latent, seed, epochs, BATCH_SIZE, PIXELS[name], OUTPUT[name])


def sides_of(run: Run, n_latent: int, **changes: Any) -> tuple[list[Recipe], list[Recipe]]:
    """The convolutional ones and the MLPs, one a seed."""
    conv, mlp = (
        [replace(recipe(run, name, n_latent, seed), **changes) for seed in run.seeds]
        for name in ("conv", "mlp")
    )
    return conv, mlp


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both tables."""
    parser = make_parser(__doc__, seeds=3)
    add_training_arguments(parser)
    parser.add_argument(
        "--latents", type=int, nargs="+", choices=(50, 100), default=[50, 100], help="lines to run"
    )
    run = Run("laehner_architectures", parser, arguments)
    models, images = Models(run), run.images("fashion_mnist")
    sizes = [size for size in TABLE_5 if size[0] in run.options.latents]
    sizes = [(8, 12)] if run.fast else sizes
    run.header(
        f"""Tables 5 and 6 of Lähner & Moeller (2023): test reconstruction error on Fashion-MNIST,
        mean and deviation over {len(run.seeds)} trainings of each architecture, or all pairs of one
        of each, every pair with its own draw of anchors for rigid and linear. {UNITS} On
        Fashion-MNIST its errors are below what a sigmoid could reach, so the output is linear here.
        Autoencoders: {recipe(run, "conv", 50, 0)}; or {recipe(run, "mlp", 50, 0)}; on
        {models.device}. The paper's layers and numbers of epochs are not printed in it. Relative:
        Euclidean distances, which have the scale of the latents; "{COSINE}" is without scale."""
    )
    entries: list[Entry] = []
    for latent, n_anchors in sizes:
        entries += both_tables(run, models, images, latent, n_anchors)
    run.finish(entries, wide_by="method")


def both_tables(
    run: Run, models: Models, images: Images, n_latent: int, n_anchors: int
) -> Iterator[Entry]:
    """The lines of one latent dimension and number of anchors."""
    transfer = Transfer(run, models, images)
    found: dict[tuple[str, str], list[float]] = {}
    sides = sides_of(run, n_latent)
    models.train([*sides[0], *sides[1]], images)
    natives(transfer, sides, "native", found)
    for direction, pairs in pairs_of(sides).items():
        for method, translator in translators().items():
            found[direction, method] = [
                transfer.direct(*pair, translator, n_anchors, draw)
                for draw, pair in enumerate(pairs)
            ]
    for method, changes in WAYS.items():
        sides = sides_of(run, n_latent, n_anchors=n_anchors, **changes)
        models.train([*sides[0], *sides[1]], images)
        natives(transfer, sides, method, found)
        for direction, pairs in pairs_of(sides).items():
            found[direction, method] = [transfer.relative(*pair) for pair in pairs]
        run.progress(f"latent {n_latent}, {n_anchors} anchors: {method}")
    paper = {**TABLE_5.get((n_latent, n_anchors), {}), **TABLE_6.get((n_latent, n_anchors), {})}
    for (direction, method), errors in found.items():
        labels = {
            "table": 6 if method == "end2end" else 5,
            "latent": n_latent,
            "anchors": n_anchors,
            "direction": direction,
            "method": method,
        }
        printed = paper.get((direction, printed_as(method)))
        yield entry_of(labels, errors, printed and thousandths(*printed))


def natives(transfer, sides, method, found):
    """Without transfer, but through the relative space where there is one."""
    for name, recipes in zip(("conv", "MLP"), sides):
        found[name, method] = [transfer.native(recipe) for recipe in recipes]


def pairs_of(sides):
    """Direction -> (source, target) for all of one architecture with all of the other."""
    conv, mlp = sides
    return {
        CONV_TO_MLP: list(itertools.product(conv, mlp)),
        MLP_TO_CONV: list(itertools.product(mlp, conv)),
    }


if __name__ == "__main__":
    main()
