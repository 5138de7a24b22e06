"""Table 3 of Maiorca et al. (2023): stitched autoencoders, no normalisation at the decoder.

python benchmarks/tables/maiorca_table3.py --data ../shared/data
"""

from __future__ import annotations

from collections.abc import Sequence

from _generation import same_size_table

# lcos, lmse, rmse
PAPER = {
    "mnist": {
        "absolute": (0.09, 0.27, 0.14),
        "affine": (0.94, 0.08, 0.02),
        "linear": (0.92, 0.09, 0.02),
        "l-ortho": (0.79, 0.14, 0.02),
        "ortho": (0.90, 0.10, 0.02),
    },
    "fashion_mnist": {
        "absolute": (0.17, 0.23, 0.23),
        "affine": (0.94, 0.06, 0.03),
        "linear": (0.93, 0.07, 0.04),
        "l-ortho": (0.78, 0.12, 0.05),
        "ortho": (0.90, 0.08, 0.04),
    },
}
CAPTION = """Table 3 of Maiorca et al. (2023): lcos, lmse and rmse of stitched autoencoders,
standard scaling. The paper's architecture, training and units are not printed in it: compare
patterns."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the table."""
    same_size_table("maiorca_table3", __doc__, arguments, PAPER, CAPTION, unit_latents=False)


if __name__ == "__main__":
    main()
