"""Speed on a CUDA GPU, as ratios to bare products, to the SVD there and to the CPU.

    python benchmarks/speed/gpu.py [--output benchmarks/speed/gpu.md]

Measures, and writes as a Markdown record with command, date and device,

- `ProcrustesTranslator.transform` of 1,000,000 × 1024 rows against a bare product;
- its `fit` on 100,000 × 4096 anchors against ``torch.linalg.svd`` of the cross-product alone, and
  the difference of the map from that of an SVD in float64;
- `AffineTranslator` on the GPU against itself on the CPU.

``--device cpu --quick`` runs the same code on tiny tensors of the CPU, judges and writes nothing.
"""

from __future__ import annotations

import os

# What scikit-learn asks for before it keeps tensors; read as SciPy is imported.
os.environ["SCIPY_ARRAY_API"] = "1"

import argparse
import datetime
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import report
import sklearn
import timing

from sklearn_latent import AffineTranslator, ProcrustesTranslator

try:
    import torch
except ImportError:
    raise SystemExit(
        "Measuring on a GPU needs torch: pip install 'sklearn_latent[torch]'"
    ) from None

TITLES = ("work", "ours, s", "against", "s", "times as fast", "at least", "verdict", "difference")


@dataclass(frozen=True)
class Sizes:
    """Rows and columns of each measurement."""

    transform: tuple[int, int] = (1_000_000, 1024)
    ortho: tuple[int, int] = (100_000, 4096)
    affine: tuple[int, int] = (10_000, 1024)
    rounds: int = 7


QUICK = Sizes((2_000, 16), (300, 24), (200, 16), rounds=1)


@dataclass(frozen=True)
class Line:
    """A line of the record; `difference` is relative, and at most `agreement`."""

    work: str
    ours: float
    against: str
    theirs: float
    at_least: float | None = None
    difference: float | None = None
    agreement: float = 1e-6

    def verdict(self) -> str:
        if self.difference is not None and not self.difference <= self.agreement:
            return f"ANOTHER RESULT (above {self.agreement:.0e})"
        if self.at_least is None:
            return "–"
        return "met" if self.theirs / self.ours >= self.at_least else "MISSED"

    def cells(self, judged: bool) -> list[str]:
        return [
            self.work,
            f"{self.ours:.4f}",
            self.against,
            f"{self.theirs:.4f}",
            f"{self.theirs / self.ours:.2f}",
            "–" if self.at_least is None else f"{self.at_least:g}",
            self.verdict() if judged else "not judged",
            "–" if self.difference is None else f"{self.difference:.0e}",
        ]


def pairs(n: int, d: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Float32 tensors (n, d) that a noisy rotation relates."""
    generator = torch.Generator(device).manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, device=device)

    X = normal(n, d)
    y = X @ torch.linalg.qr(normal(d, d))[0]
    return X, y.add_(normal(n, d), alpha=0.3)


def times_of(
    device: torch.device, rounds: int, functions: dict[str, Callable[[], Any]]
) -> dict[str, float]:
    """Median seconds of functions that take turns, until the device has done the work."""

    def finished(function: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            function()
            if device.type == "cuda":
                torch.cuda.synchronize(device)

        return run

    entrants = {name: timing.Entrant(finished(f)) for name, f in functions.items()}
    return timing.medians(timing.in_turns(entrants, rounds, budget=300.0)[0])


def relative_difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float(torch.linalg.norm(ours.double() - theirs) / torch.linalg.norm(theirs))


def measure_transform(sizes: Sizes, device: torch.device) -> list[Line]:
    """A transform is one product."""
    n, d = sizes.transform
    X, y = pairs(n, d, device)
    fitted = ProcrustesTranslator().fit(X[:20_000], y[:20_000])
    del y
    weight = fitted.coef_.T.contiguous()
    seconds = times_of(
        device, sizes.rounds, {"ours": lambda: fitted.transform(X), "bare": lambda: X @ weight}
    )
    exact = X[:1000].double() @ fitted.coef_.double().T + fitted.intercept_.double()
    difference = relative_difference(fitted.transform(X[:1000]), exact)
    work = f"transform of {n:,} × {d}"
    return [Line(work, seconds["ours"], "bare product", seconds["bare"], 0.9, difference)]


def measure_ortho(sizes: Sizes, device: torch.device) -> list[Line]:
    """A fit, statistics and scaling included, against the SVD alone."""
    n, d = sizes.ortho
    X, y = pairs(n, d, device)
    cross = X.T @ y

    def with_product() -> torch.Tensor:
        u, _, vh = torch.linalg.svd(X.T @ y, full_matrices=False)
        return u @ vh

    svd_alone, whole = "torch.linalg.svd of XᵀY alone", "XᵀY, torch.linalg.svd, U Vᵀ"
    seconds = times_of(
        device,
        sizes.rounds,
        {
            "ours": lambda: ProcrustesTranslator().fit(X, y),
            svd_alone: lambda: torch.linalg.svd(cross, full_matrices=False),
            whole: with_product,
        },
    )
    step = max(1, 2**26 // d)  # float64 copies of all rows would take twice their memory
    exact = sum(a.double().T @ b.double() for a, b in zip(X.split(step), y.split(step)))
    u, _, vh = torch.linalg.svd(exact, full_matrices=False)
    plain = ProcrustesTranslator(scaling=None).fit(X, y)
    difference = relative_difference(plain.coef_.T, u @ vh)
    work = f"ortho fit, {n:,} anchors, d = {d}"
    return [
        Line(work, seconds["ours"], svd_alone, seconds[svd_alone], 5, difference),
        Line(work, seconds["ours"], whole, seconds[whole]),
    ]


def measure_affine(sizes: Sizes, device: torch.device) -> list[Line]:
    """The same translator on the same numbers, here and on the CPU."""
    n, d = sizes.affine
    X, y = pairs(n, d, device)
    X_host, y_host = X.cpu().numpy(), y.cpu().numpy()
    here, there = AffineTranslator(random_state=0), AffineTranslator(random_state=0, device="cpu")
    seconds = times_of(
        device,
        sizes.rounds,
        {"ours": lambda: here.fit(X, y), "CPU": lambda: there.fit(X_host, y_host)},
    )
    losses = here.loss_curve_[-1], there.loss_curve_[-1]
    return [
        Line(
            f"AffineTranslator, {here.n_iter_} steps, {n:,} anchors, d = {d}",
            seconds["ours"],
            f"the CPU, {torch.get_num_threads()} threads",
            seconds["CPU"],
            20,
            abs(losses[0] / losses[1] - 1),
            agreement=1e-4,
        )
    ]


def describe(device: torch.device) -> str:
    """Device, command and date, as a list in Markdown."""
    name = "the CPU" if device.type == "cpu" else torch.cuda.get_device_name(device)
    precision = torch.get_float32_matmul_precision()
    facts = [
        f"Device: {name}; CUDA {torch.version.cuda}; products of float32 in precision "
        f"“{precision}” (“highest” means no TF32)",
        f"Machine: {report.processor()}",
        f"Versions: {report.versions(('numpy', 'scipy', 'scikit-learn', 'torch'))}",
        f"Date: {datetime.date.today()}",
        f"Command: `python {' '.join(sys.argv)}`",
    ]
    return "\n".join(f"- {fact}" for fact in facts)


def main() -> None:
    """Measure, print, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help='"cuda", "cuda:1"; "cpu" is a trial')
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether all runs")
    default = Path(__file__).with_name("gpu.md")
    parser.add_argument("--output", type=Path, default=default, help="the record (default: gpu.md)")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "Nothing was measured: torch sees no CUDA GPU. Run this on a machine that has one, "
            "with a build of torch for CUDA; `--device cpu --quick` tries the code without one."
        )
    warnings.simplefilter("ignore")
    sizes, judged = QUICK if options.quick else Sizes(), device.type == "cuda" and not options.quick
    lines: list[Line] = []
    with sklearn.config_context(array_api_dispatch=True):
        for measure in (measure_transform, measure_ortho, measure_affine):
            lines += measure(sizes, device)
            print(*lines[-1].cells(judged), sep=" | ", flush=True)
            if device.type == "cuda":
                torch.cuda.empty_cache()
    table = report.markdown(TITLES, [line.cells(judged) for line in lines])
    record = f"# Speed on a GPU\n\n{describe(device)}\n\n{table}\n"
    print("\n" + record)
    if judged:
        options.output.write_text(record, encoding="utf-8")
        print(f"Written to {options.output}")


if __name__ == "__main__":
    main()
