"""Table 4 of Maiorca et al. (2023): stitched autoencoders, latents of unit norm at the decoder.

python benchmarks/tables/maiorca_table4.py --data ../shared/data
"""

from __future__ import annotations

from collections.abc import Sequence

from _generation import same_size_table

# lcos, lmse, rmse
PAPER = {
    "mnist": {
        "absolute": (0.39, 0.98, 0.28),
        "affine": (0.99, 0.15, 0.01),
        "linear": (0.98, 0.17, 0.01),
        "l-ortho": (0.89, 0.41, 0.02),
        "ortho": (0.97, 0.21, 0.02),
    },
    "fashion_mnist": {
        "absolute": (0.53, 0.97, 0.33),
        "affine": (0.99, 0.16, 0.03),
        "linear": (0.98, 0.18, 0.03),
        "l-ortho": (0.91, 0.41, 0.04),
        "ortho": (0.97, 0.23, 0.03),
    },
}
CAPTION = """Table 4 of Maiorca et al. (2023): as Table 3, but the decoders were trained on latents
divided by their norm; lcos and lmse are between latents as encoded. The paper's architecture,
training and units are not printed in it: compare patterns."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the table."""
    same_size_table("maiorca_table4", __doc__, arguments, PAPER, CAPTION, unit_latents=True)


if __name__ == "__main__":
    main()
