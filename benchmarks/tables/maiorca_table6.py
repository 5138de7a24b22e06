"""Maiorca et al. (2023), table 6: stitching across architectures, MLP heads, L2 normalisation."""

from __future__ import annotations

from _maiorca import TABLE_6
from _stitching import MLP, table


def main(arguments: list[str] | None = None) -> None:
    """Run the table."""
    table("maiorca_table6", arguments, __doc__, MLP, "l2", TABLE_6)


if __name__ == "__main__":
    main()
