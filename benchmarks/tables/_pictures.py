"""Rows of images, one a method, as the papers show reconstructions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def first_of_each_class(labels: np.ndarray) -> np.ndarray:
    """The first row of each label, in the order of the labels."""
    return np.array([np.flatnonzero(labels == label)[0] for label in np.unique(labels)])


def draw_rows(panel: Any, title: str, rows: Mapping[str, np.ndarray]) -> None:
    """Images (n, height, width) with values in [0, 1] on axes, a row a name."""
    pictures = [np.concatenate(list(images), axis=1) for images in rows.values()]
    height = pictures[0].shape[0]
    panel.imshow(np.concatenate(pictures), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    panel.set_yticks([height * (i + 0.5) for i in range(len(pictures))], list(rows))
    panel.set_xticks([])
    panel.tick_params(length=0)
    panel.set_title(title, fontsize=10)
    for spine in panel.spines.values():
        spine.set_visible(False)
