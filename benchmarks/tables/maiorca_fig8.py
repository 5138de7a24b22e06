"""Maiorca et al. (2023), figure 8: error against number of anchors, here of latents.

The paper decodes images and measures the reconstruction; the encoders at hand have no decoder, so
this measures the translation itself. The cells are those of figure 3.
"""

from __future__ import annotations

from _anchor_curves import curves


def main(arguments: list[str] | None = None) -> None:
    """Run the figure."""
    curves("maiorca_fig8", __doc__, arguments, "error", "squared error / variance of the target")


if __name__ == "__main__":
    main()
