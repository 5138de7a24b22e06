"""Figure 8 of Maiorca et al. (2023): reconstruction error against number of anchors, on images.

    python benchmarks/tables/maiorca_fig8_images.py --data ../shared/data

`maiorca_fig8.py` is the same of latents without a decoder.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from _autoencoders import Models
from _generation import N_TEST, Stitching, data_sets, make_run, methods, recipe
from common import Entry, Run, entry_of

from sklearn_latent.inspection import AnchorCurveDisplay

N_ANCHORS = (50, 200, 400, 500, 700, 1000, 2000)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the figure."""
    run = make_run("maiorca_fig8_images", __doc__, arguments)
    n_latent, ns = (12, (20, 40)) if run.fast else (500, N_ANCHORS)
    models, everything = Models(run), data_sets(run)
    recipes = [recipe(run, n_latent, seed) for seed in (0, 1)]
    run.header(
        f"""Figure 8 of Maiorca et al. (2023): mean squared error of the reconstruction by two
        stitched autoencoders (those of Table 3), latent {n_latent}, standard scaling; mean and
        deviation over both directions and {len(run.seeds)} draws of the anchors; the first {N_TEST}
        test images. Autoencoders: {recipes[0]}, on {models.device}. The paper's figure is of
        CIFAR-100 and comes without numbers."""
    )
    entries: list[Entry] = []
    for images in everything:
        models.train(recipes, images)
        stitching = Stitching(run, models, images)
        for n, method in itertools.product(ns, methods(0)):
            values = [
                stitching.figures(*pair, methods(draw)[method], n, draw)["rmse"]
                for pair in itertools.permutations(recipes)
                for draw in run.seeds
            ]
            entries.append(entry_of({"data": images.name, "method": method, "anchors": n}, values))
            run.progress(f"{images.name}, {n} anchors: {method}")
    run.finish(entries, figure=draw_curves(run, entries), digits=4, wide_by="anchors")


def draw_curves(run: Run, entries: Sequence[Entry]):
    """One panel a data set, one line a method; logarithmic, for the peak of least squares."""
    data = list(dict.fromkeys(entry.labels["data"] for entry in entries))
    figure = run.figure(figsize=(7 * len(data), 4.2), layout="constrained")
    for ax, name in zip(np.ravel(figure.subplots(1, len(data))), data):
        lines: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.labels["data"] == name:
                lines.setdefault(str(entry.labels["method"]), []).append(entry)
        AnchorCurveDisplay(
            n_anchors=[np.array([e.labels["anchors"] for e in line]) for line in lines.values()],
            scores=[np.array([e.ours for e in line]) for line in lines.values()],
            names=list(lines),
            score_name="reconstruction error",
        ).plot(ax=ax)
        ax.set_title(str(name))
        ax.set_yscale("log")
        # beside the panel: the absolute baseline runs along the top
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


if __name__ == "__main__":
    main()
