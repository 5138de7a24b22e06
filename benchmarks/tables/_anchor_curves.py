"""Quality against the number of anchors: what Maiorca's figures 3 and 8 share."""

from __future__ import annotations

import numpy as np
from _maiorca import NAMES
from _stitching import (
    CACHE,
    KERNEL,
    OTHER_ENCODERS,
    SVM,
    Stitching,
    data_sets,
    methods,
    stitching_parser,
)
from common import Entry, Run, entry_of

from sklearn_latent.inspection import AnchorCurveDisplay

N_ANCHORS = (50, 100, 200, 400, 768, 1500, 3000)
LEFT_OUT = (KERNEL,)


def curves(name: str, doc: str | None, arguments: list[str] | None, metric: str, axis: str) -> None:
    """One of the two figures: ``metric`` of each translation, over numbers of anchors."""
    parser = stitching_parser(doc, seeds=3, n_anchors=None)
    parser.add_argument("--n-anchors", nargs="+", type=int, default=list(N_ANCHORS))
    parser.set_defaults(data_sets=["cifar10", "trec"])
    run = Run(name, parser, arguments, cache_name=CACHE)
    sets = data_sets(run)
    ns = sorted(set([20, 40] if run.fast else run.options.n_anchors))
    run.header(
        f"{(doc or '').splitlines()[0]} {OTHER_ENCODERS} {axis.capitalize()}, mean ± standard "
        "deviation over all ordered pairs of encoders and draws of the anchors; standard scaling; "
        "the classifiers are SVMs with a linear kernel. The paper's figure comes without numbers."
    )
    entries = []
    for data in sets:
        stitching = Stitching(run, data, SVM)
        for n in ns:
            for method in methods("standard"):
                if method not in LEFT_OUT:
                    entries.append(_entry(stitching, method, n, run.seeds, metric))
            run.progress(f"{data.name}, {n} anchors")
    run.finish(entries, figure=_draw(run, entries, axis), wide_by="anchors")


def _entry(stitching: Stitching, method: str, n: int, seeds: range, metric: str) -> Entry:
    chosen = methods("standard")[method]
    values = [
        stitching.translated(chosen, source, target, n, seed)[metric]
        for source, target in stitching.pairs()
        for seed in seeds
    ]
    label = NAMES.get(stitching.data.name, stitching.data.name)
    return entry_of({"data set": label, "method": method, "anchors": n}, values)


def _draw(run: Run, entries: list[Entry], axis: str):
    names = list(dict.fromkeys(entry.labels["data set"] for entry in entries))
    chosen = list(dict.fromkeys(str(entry.labels["method"]) for entry in entries))
    figure, axes = run.panels(len(names), width=5.6, height=4.2)
    for ax, name in zip(axes, names):
        lines = [
            [e for e in entries if (e.labels["data set"], e.labels["method"]) == (name, method)]
            for method in chosen
        ]
        AnchorCurveDisplay(
            n_anchors=[np.array([e.labels["anchors"] for e in line]) for line in lines],
            scores=[np.array([e.ours for e in line]) for line in lines],
            names=chosen,
            score_name=axis,
        ).plot(ax=ax)
        ax.set_title(str(name))
        if axis != "accuracy":
            # Least squares near n = d would leave the other lines no height.
            ax.set_yscale("log")
    return figure
