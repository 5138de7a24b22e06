"""Table 8 of Maiorca et al. (2023): stitched autoencoders of different bottleneck sizes.

python benchmarks/tables/maiorca_table8.py --data ../shared/data
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from _autoencoders import Models
from _generation import N_TEST, Stitching, data_sets, entries_of, make_run, methods, recipe

# lcos, lmse, rmse
PAPER = {
    "mnist": {
        "affine": (0.95, 0.09, 0.02),
        "linear": (0.64, 1.00, 0.11),
        "l-ortho": (0.87, 0.16, 0.03),
        "ortho": (0.91, 0.14, 0.03),
    },
    "fashion_mnist": {
        "affine": (0.95, 0.09, 0.04),
        "linear": (0.66, 1.10, 0.16),
        "l-ortho": (0.89, 0.14, 0.06),
        "ortho": (0.92, 0.13, 0.06),
    },
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the table."""
    run = make_run("maiorca_table8", __doc__, arguments)
    sizes, n_anchors = ((8, 12), 20) if run.fast else ((250, 500), 500)
    models = Models(run)
    # the two of the larger size are those of Table 3
    seeds = {sizes[0]: run.seeds, sizes[1]: range(max(2, len(run.seeds)))}
    recipes = [recipe(run, size, seed) for size in sizes for seed in seeds[size]]
    pairs = [
        (source, target)
        for source, target in itertools.permutations(recipes, 2)
        if source.n_latent != target.n_latent
    ]
    everything = data_sets(run)
    run.header(
        f"""Table 8 of Maiorca et al. (2023): lcos, lmse and rmse of autoencoders stitched across
        bottleneck sizes {sizes[0]} and {sizes[1]}, {n_anchors} anchors, standard scaling;
        trainings of each: {", ".join(str(len(some)) for some in seeds.values())} (the paper: 5, 5);
        mean and deviation over all {len(pairs)} ordered pairs of different size, and over those of
        one direction, each with its own draw of the anchors; the first {N_TEST} test images.
        Autoencoders: {recipes[0]}, on {models.device}. The paper's architecture, training and units
        are not printed in it: compare patterns."""
    )
    entries = []
    for images in everything:
        models.train(recipes, images)
        stitching = Stitching(run, models, images)
        found = {"no stitching": [stitching.native(side) for side in recipes]}
        for method in methods(0):
            if method == "absolute":
                continue  # the sizes differ
            found[method] = [
                stitching.figures(source, target, methods(draw)[method], n_anchors, draw)
                for draw, (source, target) in enumerate(pairs)
            ]
            run.progress(f"{images.name}: {method}")
        entries += entries_of({"data": images.name, "sizes": "all"}, found, PAPER[images.name])
        del found["no stitching"]
        for size in sizes:
            rows = [row for row, (source, _) in enumerate(pairs) if source.n_latent == size]
            part = {method: [cells[row] for row in rows] for method, cells in found.items()}
            label = f"{size} to {sum(sizes) - size}"
            entries += entries_of({"data": images.name, "sizes": label}, part, {})
    run.finish(entries, wide_by="figure")


if __name__ == "__main__":
    main()
