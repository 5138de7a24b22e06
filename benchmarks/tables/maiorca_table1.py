"""Maiorca et al. (2023), table 1: stitching across architectures, linear SVM, standard scaling."""

from __future__ import annotations

from _maiorca import TABLE_1
from _stitching import SVM, table


def main(arguments: list[str] | None = None) -> None:
    """Run the table."""
    table("maiorca_table1", arguments, __doc__, SVM, "standard", TABLE_1)


if __name__ == "__main__":
    main()
