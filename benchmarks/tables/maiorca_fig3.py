"""Maiorca et al. (2023), figure 3: accuracy of stitched classifiers against number of anchors."""

from __future__ import annotations

from _anchor_curves import curves


def main(arguments: list[str] | None = None) -> None:
    """Run the figure."""
    curves("maiorca_fig3", __doc__, arguments, "accuracy", "accuracy")


if __name__ == "__main__":
    main()
