"""Figures 6, 10 and 11 of Maiorca et al. (2023): reconstructions by stitched autoencoders.

    python benchmarks/tables/maiorca_reconstructions.py --data ../shared/data

Left, decoders as they are (Figures 6 and 11, upper half); right, decoders trained on latents of
unit norm (Figures 10 and 11, lower half; there LSS is linear, OLSS l-ortho, SVD ortho). The CSV has
the mean squared error of the images shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from _autoencoders import Models
from _generation import Stitching, data_sets, make_run, methods, recipe
from _pictures import draw_rows, first_of_each_class
from common import Entry

from sklearn_latent.metrics import reconstruction_mse


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the figure."""
    run = make_run("maiorca_reconstructions", __doc__, arguments)
    n_latent, n_anchors = (12, 40) if run.fast else (500, 1000)
    models, everything = Models(run), data_sets(run)
    example = recipe(run, n_latent, 0)
    run.header(
        f"""Figures 6, 10 and 11 of Maiorca et al. (2023): the first test image of each class,
        encoded by autoencoder 0, decoded by autoencoder 1; standard scaling, {n_anchors} anchors,
        latent {n_latent}. Autoencoders: {example}, on {models.device}."""
    )
    figure = run.figure(figsize=(11, 3 * len(everything)), layout="constrained")
    panels = figure.subplots(len(everything), 2, squeeze=False)
    entries = []
    for images, panels_of_data in zip(everything, panels):
        for unit, panel in zip((False, True), panels_of_data):
            sides = [recipe(run, n_latent, seed, unit_latents=unit) for seed in (0, 1)]
            models.train(sides, images)
            decoder = "latents of unit norm" if unit else "latents as they are"
            rows = reconstructions(Stitching(run, models, images), sides, images, n_anchors)
            draw_rows(panel, f"{images.name}, decoder for {decoder}", rows)
            for name, shown in rows.items():
                labels = {"data": images.name, "decoder": decoder, "row": name}
                entries.append(Entry(labels, reconstruction_mse(rows["original"], shown)))
    run.finish(entries, figure=figure, digits=4)


def reconstructions(stitching, sides, images, n_anchors):
    """Name of the row -> images; the target's own reconstruction beside the stitched ones."""
    shown = images.test[first_of_each_class(images.test_label)]
    source, target = (stitching.encoded(side)[0] for side in sides)
    latents = source.encode(shown)
    rows = {"original": shown, "no stitching": target.decode(target.encode(shown))}
    for name, translator in methods(0).items():
        stitching.fitted(*sides, translator, n_anchors, 0)
        rows[name] = target.decode(translator.transform(latents))
    return rows


if __name__ == "__main__":
    main()
