"""Where and with what a benchmark ran, and tables in Markdown."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from threadpoolctl import threadpool_info

PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "latentis",
    "fmralign",
    "himalaya",
    "POT",
)


def versions(packages: Iterable[str] = PACKAGES) -> str:
    """The versions of some packages, on one line."""
    found = []
    for name in packages:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join([f"Python {platform.python_version()}", *found])


def processor() -> str:
    """The processor's name, and how many cores this process may use."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores"


def threads() -> str:
    """How many threads each library for linear algebra would start, and for which processor."""
    pools = set()
    for pool in threadpool_info():
        kernels = f" ({pool['architecture']})" if "architecture" in pool else ""
        pools.add(f"{pool['internal_api']} {pool['num_threads']}{kernels}")
    return "threads: " + ", ".join(sorted(pools))


def load_warning() -> str:
    """A line that says so where others are at work on the machine; else nothing."""
    if not hasattr(os, "getloadavg"):
        return ""
    load = os.getloadavg()[0]
    if load < 0.5:
        return ""
    return (
        f"The load of this machine was {load:.1f} before the start. Products on several threads "
        "suffer more from that than others: do not trust the ratios."
    )


def header(extra: str = "", *, timed: bool = True) -> str:
    """All that a table has to say of where its figures come from."""
    lines = [processor(), threads(), versions(), extra, load_warning() if timed else ""]
    return "\n".join(line for line in lines if line)


def markdown(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, its columns aligned."""
    lines = [list(titles), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(titles))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def seconds(value: float) -> str:
    """A duration to three digits."""
    return f"{value:.3f}" if value < 9.995 else f"{value:.1f}"
