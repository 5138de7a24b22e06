"""Figures 3 and 4 of Lähner & Moeller (2023): images, transferred between conv and MLP.

    python benchmarks/tables/laehner_figures.py --data ../shared/data

Upper row, Figure 3: direct maps and relative decoders; lower row, Figure 4: relative
representations that are trained end to end. The CSV has the mean squared error of the images shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from _autoencoders import Models, add_training_arguments, relative_reconstruction, standardised
from _images import Images
from _laehner import PIXELS, Transfer, quietly, translators
from _pictures import draw_rows, first_of_each_class
from common import Entry, Run, make_parser
from laehner_architectures import WAYS, recipe, sides_of

from sklearn_latent.metrics import reconstruction_mse

NAMES = ("conv", "MLP")


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the figure."""
    parser = make_parser(__doc__, seeds=1)
    add_training_arguments(parser)
    run = Run("laehner_figures", parser, arguments)
    models, images = Models(run), run.images("fashion_mnist")
    n_latent, n_anchors = (8, 12) if run.fast else (50, 100)
    run.header(
        f"""Figures 3 and 4 of Lähner & Moeller (2023): the first test image of each class, latent
        {n_latent}, {n_anchors} anchors. Autoencoders: {recipe(run, "conv", n_latent, 0)}; or
        {recipe(run, "mlp", n_latent, 0)}; on {models.device}."""
    )
    figure = run.figure(figsize=(11, 6), layout="constrained")
    panels = figure.subplots(2, 2, height_ratios=(7, 3))
    entries = []
    for column, (source, target) in enumerate(((0, 1), (1, 0))):
        title = f"{NAMES[source]} to {NAMES[target]}"
        rows = [
            direct_rows(run, models, images, n_latent, n_anchors, source),
            end_to_end_rows(run, models, images, n_latent, n_anchors, source),
        ]
        for number, (panel, shown) in enumerate(zip(panels[:, column], rows), start=3):
            draw_rows(panel, f"{title}, Figure {number}", viewable(shown))
            for name, pictures in shown.items():
                labels = {"figure": number, "direction": title, "row": name}
                entries.append(Entry(labels, reconstruction_mse(shown["original"], pictures)))
    run.finish(entries, figure=figure)


def direct_rows(
    run: Run, models: Models, images: Images, n_latent: int, n_anchors: int, source: int
) -> dict[str, np.ndarray]:
    """Name -> standardised images: by maps between latents, and by relative decoders."""
    transfer = Transfer(run, models, images)
    recipes = [side[0] for side in sides_of(run, n_latent)]
    models.train(recipes, images)
    shown = images.test[first_of_each_class(images.test_label)]
    rows = natives(transfer, recipes, shown)
    autoencoders = [transfer.autoencoder(side) for side in recipes]
    X, y = transfer.anchors(recipes[source], recipes[1 - source], n_anchors, 0)
    latents = autoencoders[source].encode(shown)
    for name, translator in translators().items():
        rows[name] = autoencoders[1 - source].decode(
            quietly(translator.fit, X, y).transform(latents)
        )
    rows["decoder"] = through_anchors(run, models, images, n_latent, n_anchors, source, "decoder")[
        1
    ]
    return rows


def end_to_end_rows(
    run: Run, models: Models, images: Images, n_latent: int, n_anchors: int, source: int
) -> dict[str, np.ndarray]:
    """Name -> standardised images, by autoencoders with a relative representation inside."""
    shown = images.test[first_of_each_class(images.test_label)]
    native, stitched = through_anchors(run, models, images, n_latent, n_anchors, source, "end2end")
    example = recipe(run, "conv", n_latent, 0)
    return {"original": standardised(shown, example), NAMES[source]: native, "end2end": stitched}


def through_anchors(run, models, images, n_latent, n_anchors, source, way):
    """Images by the source's own relative decoder, and by the target's."""
    sides = sides_of(run, n_latent, n_anchors=n_anchors, **WAYS[way])
    recipes = [side[0] for side in sides]
    models.train(recipes, images)
    shown = images.test[first_of_each_class(images.test_label)]
    encoder, other = (models.autoencoder(recipes[i], images) for i in (source, 1 - source))
    return tuple(
        relative_reconstruction(encoder, decoder, images, shown) for decoder in (encoder, other)
    )


def natives(transfer: Transfer, recipes: Any, shown: np.ndarray) -> dict[str, np.ndarray]:
    """The images, and each autoencoder's own view of them."""
    rows = {"original": standardised(shown, recipes[0])}
    for name, side in zip(NAMES, recipes):
        autoencoder = transfer.autoencoder(side)
        rows[name] = autoencoder.decode(autoencoder.encode(shown))
    return rows


def viewable(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Pixels back in [0, 1], as far as they are."""
    mean, deviation = PIXELS["fashion_mnist"]
    return {name: images * deviation + mean for name, images in rows.items()}


if __name__ == "__main__":
    main()
