"""Maiorca et al. (2023), figure 5: accuracy of every encoder before every classifier.

2000 anchors, ortho, SVMs with a linear kernel, as in the paper. The diagonal is not stitched.
"""

from __future__ import annotations

import numpy as np
from _maiorca import NAMES
from _stitching import (
    CACHE,
    OTHER_ENCODERS,
    SVM,
    Stitching,
    data_sets,
    methods,
    stitching_parser,
)
from common import DataSet, Entry, Run, entry_of

from sklearn_latent.inspection import StitchingMatrixDisplay


def matrix(run: Run, data: DataSet, n: int) -> list[Entry]:
    """One entry for each encoder and decoder, and one for each encoder's mean norm."""
    stitching, ortho = Stitching(run, data, SVM), methods("standard")["ortho"]
    label = NAMES.get(data.name, data.name)
    entries = []
    for encoder in sorted(data.encoders):
        for decoder in sorted(data.encoders):
            if encoder == decoder:
                values = [stitching.native(encoder, 0)]
            else:
                values = [
                    stitching.translated(ortho, encoder, decoder, n, seed)["accuracy"]
                    for seed in run.seeds
                ]
            entries.append(
                entry_of({"data set": label, "encoder": encoder, "decoder": decoder}, values)
            )
        norms = np.linalg.norm(data.encoders[encoder].train.astype(np.float64), axis=1)
        labels = {"data set": label, "encoder": encoder, "decoder": "(mean norm)"}
        entries.append(Entry(labels, float(norms.mean())))
    return entries


def remark(label: str, display: StitchingMatrixDisplay) -> str:
    """How often stitching beats the classifier's own encoder, and whether the encoder matters."""
    native = np.diag(display.scores)
    own, better = native[None, :], native[:, None] > native[None, :]
    gains = (display.scores > own)[better]
    return (
        f"{label}: a better encoder than its own improves a classifier in {gains.sum()} of "
        f"{gains.size} pairs; correlation of an encoder's own score with its mean score as a "
        f"source {np.corrcoef(native, display.encoder_means)[0, 1]:.2f}, as a target "
        f"{np.corrcoef(native, display.decoder_means)[0, 1]:.2f}."
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the figure."""
    run = Run(
        "maiorca_fig5",
        stitching_parser(__doc__, seeds=3, n_anchors=2000),
        arguments,
        cache_name=CACHE,
    )
    sets = data_sets(run)
    n = 40 if run.fast else run.options.n_anchors
    run.header(
        f"{(__doc__ or '').splitlines()[0]} {OTHER_ENCODERS} Ortho on {n} anchors, SVMs with a "
        "linear kernel; rows are encoders, columns classifiers. The paper has N24News and its two "
        "modalities, which are not at hand."
    )
    figure, axes = run.panels(len(sets), width=6.2, height=5.0)
    entries, remarks = [], []
    for ax, data in zip(axes, sets):
        names, cells = sorted(data.encoders), matrix(run, data, n)
        entries += cells
        accuracies = [cell.ours for cell in cells if cell.labels["decoder"] in names]
        scores = np.reshape(accuracies, (len(names), len(names)))
        display = StitchingMatrixDisplay(scores, names, score_name="accuracy").plot(ax=ax)
        label = NAMES.get(data.name, data.name)
        ax.set_title(label)
        remarks.append(remark(label, display))
        run.progress(data.name)
    run.finish(entries, figure=figure, wide_by="decoder", remarks=remarks)


if __name__ == "__main__":
    main()
