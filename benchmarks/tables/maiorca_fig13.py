"""Maiorca et al. (2023), figure 13: MLPs of three activations on rescaled latents.

Two hidden layers (d, d / 2), no normalisation, trained on latents as they are; then every test row
is brought to the norm alpha (*rescaling injection*).
"""

from __future__ import annotations

import numpy as np
from _decoders import ACTIVATIONS, train_mlp
from _stitching import OTHER_ENCODERS
from common import Run, entry_of, make_parser
from sklearn.metrics import accuracy_score

from sklearn_latent import Rescaler
from sklearn_latent.inspection import RescalingCurveDisplay

N_EPOCHS = 30
FACTORS = np.unique(np.concatenate([np.geomspace(0.01, 100, 33), [0.5, 1, 2]]))
"""Norms that rows are brought to, as multiples of their mean norm."""
MIRRORED = "-1"
"""The paper finds the cosine symmetric: the mean norm, and the opposite direction."""


def main(arguments: list[str] | None = None) -> None:
    """Run the figure."""
    parser = make_parser(__doc__, seeds=3)
    parser.add_argument("--data-set", default="cifar10")
    parser.add_argument("--encoder", default="mobilenet_v1_050")
    run = Run("maiorca_fig13", parser, arguments)
    data = run.latents(run.options.data_set)
    encoder = "beta" if run.fast else run.options.encoder
    latents, n_epochs = data.encoders[encoder], 3 if run.fast else N_EPOCHS
    mean_norm = float(np.linalg.norm(latents.test.astype(np.float64), axis=1).mean())
    run.header(
        f"{(__doc__ or '').splitlines()[0]} {OTHER_ENCODERS} Latents of {encoder}, mean norm "
        f"{mean_norm:.2f}; the paper has CLIP and CIFAR100. {n_epochs} epochs of Adam 1e-3, "
        "batches of 128."
    )
    digest = run.fingerprint(latents.train, latents.test, data.train_label, data.test_label)
    entries, scores, native = [], {}, {}
    for activation in ACTIVATIONS:

        def score(seed: int, activation: str = activation) -> dict[str, float]:
            network = train_mlp(
                latents.train,
                data.train_label,
                activations=(activation, activation),
                n_epochs=n_epochs,
                seed=seed,
            )
            inputs = {
                f"{x:.4g}": Rescaler(x * mean_norm).fit_transform(latents.test) for x in FACTORS
            }
            inputs[MIRRORED] = -Rescaler(mean_norm).fit_transform(latents.test)
            inputs["not rescaled"] = latents.test
            return {
                name: accuracy_score(data.test_label, network.predict(rows))
                for name, rows in inputs.items()
            }

        found = [
            run.cell(
                {
                    "data": digest,
                    "activation": activation,
                    "seed": seed,
                    "epochs": n_epochs,
                    "mirrored": True,
                },
                lambda seed=seed, score=score: score(seed),
                uses=[Rescaler],
            )
            for seed in run.seeds
        ]
        for name in [*(f"{factor:.4g}" for factor in FACTORS), MIRRORED, "not rescaled"]:
            labels = {"activation": activation, "alpha / mean norm": name}
            entries.append(entry_of(labels, [figures[name] for figures in found]))
        *scores[activation], _, native[activation] = [
            entry.ours for entry in entries[-len(FACTORS) - 2 :]
        ]
        run.progress(activation)
    display = RescalingCurveDisplay(
        FACTORS * mean_norm,
        scores,
        native_scores=native,
        mean_norm=mean_norm,
        score_name="accuracy",
    )
    figure = run.figure(figsize=(7.5, 4.4), layout="constrained")
    display.plot(ax=figure.subplots())
    run.finish(entries, figure=figure, wide_by="activation")


if __name__ == "__main__":
    main()
