"""Maiorca et al. (2023), table 5: stitching across architectures, MLP heads, standard scaling."""

from __future__ import annotations

from _maiorca import TABLE_5
from _stitching import MLP, table


def main(arguments: list[str] | None = None) -> None:
    """Run the table."""
    table("maiorca_table5", arguments, __doc__, MLP, "standard", TABLE_5)


if __name__ == "__main__":
    main()
