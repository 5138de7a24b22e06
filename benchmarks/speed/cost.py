"""What a fit of 1e9 x 1024 would cost on many workers: an estimate from figures measured here.

    python benchmarks/speed/cost.py [--rows 1e9] [--columns 1024] [--read 1.0] [--network 1.25]

Measured, on one thread of this machine and in float32: the moments of a block, a merge of two, the
solution. Assumed: that each worker is such a thread and has its own share of storage and network
(``--read``, ``--network``, GB/s a worker), and that reading and computing do not overlap. With c
rows a second, w workers, blocks of b rows and moments of m bytes:

    time = rows / (w c)                    moments
         + bytes / (w read)                reading
         + rows / (w b) * merge            merges of a worker's own blocks
         + log2(w) * (m / network + merge) merges between workers
         + solution                        once

"""

from __future__ import annotations

import argparse
import math
import pickle
import platform
import statistics
import time

import numpy as np
from threadpoolctl import threadpool_limits

from sklearn_latent import LstsqTranslator, ProcrustesTranslator
from sklearn_latent._moments import PairMoments

BLOCK = 16_384


def median_seconds(function, repeats: int = 5) -> float:
    """Processor time of one of a few calls after a first: others on the machine count little."""
    function()
    times = []
    for _ in range(repeats):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return statistics.median(times)


def report(translator, rows: float, d: int, options) -> None:
    """The estimate for one translator."""
    rng = np.random.default_rng(0)
    X, y = (rng.standard_normal((BLOCK, d), dtype=np.float32) for _ in range(2))
    kind = translator._kind(X)

    def moments():
        return PairMoments.from_arrays(X, y, None, kind=kind)

    one, batch = moments(), translator.partial_fit(X, y)
    size = len(pickle.dumps(one, protocol=5))
    rate = BLOCK / median_seconds(moments)
    merge = median_seconds(lambda: one + one)
    solution = median_seconds(lambda: batch._solve(np.random.RandomState(0)), repeats=1)
    print(
        f"{type(translator).__name__}: {rate:,.0f} rows/s; a merge {merge * 1e3:.0f} ms; moments "
        f"{size / 1e6:.0f} MB; solution {solution:.1f} s"
    )
    print(f"  {'workers':>8s}{'moments':>10s}{'reading':>10s}{'merges':>10s}{'all':>10s}  minutes")
    for workers in options.workers:
        computing = rows / (workers * rate)
        reading = 2 * 4 * rows * d / (workers * options.read * 1e9)
        between = math.ceil(math.log2(workers)) * (size / (options.network * 1e9) + merge)
        merging = rows / (workers * BLOCK) * merge + between
        times = (computing, reading, merging, computing + reading + merging + solution)
        print(f"  {workers:8d}" + "".join(f"{value / 60:10.1f}" for value in times), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e9)
    parser.add_argument("--columns", type=int, default=1024)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--read", type=float, default=1.0, help="GB/s a worker (default: 1)")
    parser.add_argument("--network", type=float, default=1.25, help="GB/s a worker (default: 1.25)")
    options = parser.parse_args()
    rows, d = options.rows, options.columns
    print(
        f"{platform.processor() or platform.machine()}, one thread, numpy {np.__version__}; "
        f"{rows:.0e} x {d}, float32: {2 * 4 * rows * d / 1e12:.1f} TB a pair; assumed: reading "
        f"{options.read} GB/s and network {options.network} GB/s a worker\n"
    )
    with threadpool_limits(1):
        for translator in (ProcrustesTranslator(), LstsqTranslator()):
            report(translator, rows, d, options)


if __name__ == "__main__":
    main()
