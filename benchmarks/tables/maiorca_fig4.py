"""Maiorca et al. (2023), figure 4: distributions of the norms of latents.

The claim is that norms have one mode and look Gaussian. For each encoder: the coefficient of
variation, skewness and excess kurtosis (0 for a Gaussian), the number of modes of a kernel density
estimate (Scott's rule; peaks below a twentieth of the highest do not count).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _maiorca import NAMES
from _stitching import OTHER_ENCODERS, data_sets, stitching_parser
from common import Entry, Run
from scipy import stats
from scipy.signal import find_peaks

from sklearn_latent.inspection import NormDistributionDisplay

SMALLEST_PEAK = 1 / 20
UNIT = 1e-3
"""Rows are taken for normalised where the norms vary less than this share of their mean."""


def shape_of(norms: np.ndarray) -> dict[str, float]:
    """Numbers that say how Gaussian norms (n,) are; none for rows of unit norm."""
    variation = norms.std() / norms.mean()
    shape = {"mean": float(norms.mean()), "coefficient of variation": float(variation)}
    if variation < UNIT:
        return shape
    grid = np.linspace(norms.min(), norms.max(), 512)
    density = stats.gaussian_kde(norms)(grid)
    # Zeros at both ends: the highest point may be the first.
    padded = np.concatenate([[0.0], density, [0.0]])
    peaks, _ = find_peaks(padded, prominence=SMALLEST_PEAK * density.max())
    return {
        **shape,
        "skewness": float(stats.skew(norms)),
        "excess kurtosis": float(stats.kurtosis(norms)),
        "modes": float(len(peaks)),
    }


def _draw(ax: Any, label: str, norms: dict[str, np.ndarray], n_encoders: int) -> None:
    NormDistributionDisplay(norms).plot(ax=ax, arrangement="rows")
    left_out = n_encoders - len(norms)
    ax.set_title(label + (f" (not drawn: {left_out} of unit norm)" if left_out else ""))


def main(arguments: list[str] | None = None) -> None:
    """Run the figure."""
    parser = stitching_parser(__doc__, seeds=1, n_anchors=None)
    run = Run("maiorca_fig4", parser, arguments)
    sets = data_sets(run)
    run.header(
        f"{(__doc__ or '').splitlines()[0]} {OTHER_ENCODERS} The paper has N24News, which is not "
        "at hand. All rows, training and test."
    )
    figure, axes = run.panels(len(sets), width=5.4, height=3.6)
    entries = []
    for ax, data in zip(axes, sets):
        latents = {
            encoder: np.vstack([rows.train, rows.test]).astype(np.float64)
            for encoder, rows in data.encoders.items()
        }
        norms = NormDistributionDisplay.from_latents(latents).norms
        shapes = {encoder: shape_of(rows) for encoder, rows in norms.items()}
        label = NAMES.get(data.name, data.name)
        _draw(ax, label, {e: norms[e] for e in norms if "modes" in shapes[e]}, len(norms))
        for encoder, shape in shapes.items():
            for name, value in shape.items():
                labels = {"data set": label, "encoder": encoder, "of the norms": name}
                entries.append(Entry(labels, value))
    run.finish(entries, figure=figure, wide_by="of the norms")


if __name__ == "__main__":
    main()
