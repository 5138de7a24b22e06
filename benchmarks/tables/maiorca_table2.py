"""Maiorca et al. (2023), table 2: stitching across architectures, linear SVM, L2 normalisation."""

from __future__ import annotations

from _maiorca import TABLE_2
from _stitching import SVM, table


def main(arguments: list[str] | None = None) -> None:
    """Run the table."""
    table("maiorca_table2", arguments, __doc__, SVM, "l2", TABLE_2)


if __name__ == "__main__":
    main()
