"""Fit and transform more rows than memory holds, on a local Dask cluster.

    python benchmarks/speed/dask_larger_than_memory.py [--times-memory 1.5] [--workers 2]

The pair is synthetic, a known rotation and noise, and each block is made where it is needed: no
disk is. Prints throughput, what each worker held at most, and how near the fitted map is to the
rotation, beside what the noise allows.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster

from sklearn_latent import ProcrustesTranslator

NOISE = np.float32(0.3)


def normal_block(seed: np.ndarray, *, rows: int, d: int) -> np.ndarray:
    """Standard normal rows; the same for the same seed, on whichever worker."""
    rng = np.random.default_rng(int(seed[0, 0]))
    return rng.standard_normal((rows, d), dtype=np.float32)


def normal_rows(n_blocks: int, rows: int, d: int, first_seed: int) -> da.Array:
    seeds = da.arange(first_seed, first_seed + n_blocks, chunks=1)[:, None]
    return seeds.map_blocks(
        normal_block,
        rows=rows,
        d=d,
        chunks=((rows,) * n_blocks, (d,)),
        dtype=np.float32,
        meta=np.empty((0, d), dtype=np.float32),
    )


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Run on a cluster of processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times-memory", type=float, default=1.5, help="size of the pair, in RAMs")
    parser.add_argument("--rows", type=int, help="number of rows, in place of --times-memory")
    parser.add_argument("--columns", type=int, default=768)
    parser.add_argument("--block", type=int, default=20_000, help="rows of a block")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", default="2GiB", help="limit of each worker")
    options = parser.parse_args()
    d, memory = options.columns, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    rows = options.rows or int(options.times_memory * memory / (2 * 4 * d))
    n_blocks = max(1, round(rows / options.block))
    rows = n_blocks * options.block
    settings = {"distributed.worker.memory.terminate": 0.98}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=options.workers,
            threads_per_worker=1,
            memory_limit=options.memory,
            dashboard_address=":0",
        ) as cluster,
        Client(cluster) as client,
    ):
        print(
            f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
            f"{memory / 1e9:.0f} GB of memory; {options.workers} workers of {options.memory}; dask "
            f"{dask.__version__}\npair of {rows:,} x {d}, float32: {2 * 4 * rows * d / 1e9:.1f} GB,"
            f" in {n_blocks} blocks\n",
            flush=True,
        )
        rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0]
        rotation = rotation.astype(np.float32)
        X = normal_rows(n_blocks, options.block, d, 0)
        y = X @ da.from_array(rotation, chunks=-1)
        y += NOISE * normal_rows(n_blocks, options.block, d, n_blocks)

        began = time.perf_counter()
        da.compute(X.sum(), y.sum())
        making = time.perf_counter() - began
        print(f"making the pair alone  {rows / making:11,.0f} rows/s  {making:7.1f} s", flush=True)

        began = time.perf_counter()
        translator = ProcrustesTranslator(scaling="center").fit(X, y)
        seconds = time.perf_counter() - began
        print(f"making and fit         {rows / seconds:11,.0f} rows/s  {seconds:7.1f} s")
        error = np.sqrt(np.mean((translator.coef_.T - rotation) ** 2))
        print(
            f"root mean square error of the map {error:.1e}; that of least squares would be "
            f"{NOISE / rows**0.5:.1e}"
        )

        began = time.perf_counter()
        residual = da.mean((translator.transform(X) - y) ** 2).compute()
        seconds = time.perf_counter() - began
        print(f"making and transform   {rows / seconds:11,.0f} rows/s  {seconds:7.1f} s")
        print(f"mean squared residual {residual:.4f}; the noise's is {NOISE**2:.4f}")
        peaks = ", ".join(f"{peak:.0f}" for peak in client.run(peak_megabytes).values())
        print(f"peak resident memory of the workers: {peaks} MB")


if __name__ == "__main__":
    main()
