"""Inverse relative projection (Maiorca et al. 2024): pruning delta and subspaces omega.

The paper's tables are not at hand: these figures are ours alone. For each delta (None: no pruning)
and omega: anchors kept, condition number of the target's anchors, cosine to the true latents
(lcos), accuracy of the target's linear SVM, and mean reciprocal rank (MRR) of the true partner
among all test rows. *ortho* on the same anchors is there to compare with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _stitching import OTHER_ENCODERS, SVM
from common import DataSet, Entry, Run, entry_of, make_parser

from sklearn_latent import InverseRelativeTranslator, ProcrustesTranslator
from sklearn_latent.inspection import AnchorCurveDisplay
from sklearn_latent.metrics import latent_cosine_similarity, mean_reciprocal_rank

DELTAS = (None, 0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
FAST_DELTAS = (None, 0.5, 0.7)
OMEGAS = (1, 8)
ANCHORS = "as many as target dimensions"
FIGURES = ("kept", "condition", "lcos", "accuracy", "MRR")


class Bench:
    """All encoders of a data set, each with its own classifier."""

    def __init__(self, run: Run, data: DataSet, n_anchors: int | None):
        self.run, self.data, self.n_anchors = run, data, n_anchors
        arrays = [part for rows in data.encoders.values() for part in (rows.train, rows.test)]
        self._digest = run.fingerprint(*arrays, data.train_label, data.test_label)
        self._heads: dict[str, Any] = {}

    def _head(self, encoder: str) -> Any:
        if encoder not in self._heads:
            rows = self.data.encoders[encoder].train
            self._heads[encoder] = SVM.train(rows, self.data.train_label, 0)
        return self._heads[encoder]

    def cell(self, translator: Any, source: str, target: str, seed: int) -> dict[str, float]:
        """The figures of one translator between two encoders."""
        X, Y = self.data.encoders[source], self.data.encoders[target]
        n = min(self.n_anchors or Y.train.shape[1], len(Y.train))

        def compute() -> dict[str, float]:
            rows = self.data.anchors(n, seed)
            fitted = translator.fit(X.train[rows], Y.train[rows])
            Z = fitted.transform(X.test)
            kept = [len(s) for s in fitted.target_projector_.subspaces_] if _is_irp(fitted) else [n]
            return {
                "kept": np.mean(kept),
                "condition": getattr(fitted, "condition_number_", np.nan),
                "lcos": latent_cosine_similarity(Y.test, Z),
                "accuracy": np.mean(self._head(target).predict(Z) == self.data.test_label),
                "MRR": mean_reciprocal_rank(Y.test, Z, center=Y.train[rows].mean(axis=0)),
            }

        key = {"pair": [source, target], "data": self._digest, "n": n, "seed": seed}
        return self.run.cell(
            {**key, "translator": repr(translator)}, compute, uses=[type(translator)]
        )


def _is_irp(translator: Any) -> bool:
    return isinstance(translator, InverseRelativeTranslator)


def main(arguments: list[str] | None = None) -> None:
    """Run the table and the figure."""
    parser = make_parser(__doc__, seeds=3)
    parser.add_argument("--data-set", default="cifar10")
    parser.add_argument("--n-anchors", type=int, help=f"default: {ANCHORS}, the hardest case")
    run = Run("irp", parser, arguments)
    data = run.latents(run.options.data_set)
    n_anchors = run.options.n_anchors
    run.header(
        f"{(__doc__ or '').splitlines()[0]} Ours alone: no table of the paper is at hand. "
        f"{OTHER_ENCODERS} Means and standard deviations over all ordered pairs of encoders and "
        f"draws; anchors: {n_anchors or ANCHORS}. kept: mean over subspaces; condition: the "
        "median, of the worst subspace."
    )
    bench, entries = Bench(run, data, n_anchors), []
    deltas = FAST_DELTAS if run.fast else DELTAS
    settings = [(delta, omega) for omega in OMEGAS for delta in deltas if delta or omega == 1]
    for delta, omega in [*settings, ("ortho", "")]:
        found = []
        for source, target in data.pairs():
            for seed in run.seeds:
                translator = (
                    ProcrustesTranslator()
                    if delta == "ortho"
                    else InverseRelativeTranslator(
                        pruning=delta, n_subspaces=omega, random_state=seed
                    )
                )
                found.append(bench.cell(translator, source, target, seed))
        entries += _entries(str(delta), omega, found)
        run.progress(f"delta {delta}, omega {omega}: MRR {entries[-1].ours:.3f}")
    run.finish(entries, figure=_draw(run, entries), wide_by="figure")


def _entries(delta: str, omega: int | str, found: list[dict[str, float]]) -> list[Entry]:
    labels = {"delta": delta, "omega": omega}
    entries = []
    for name in FIGURES:
        values = [figures[name] for figures in found]
        if name == "condition":
            entries.append(Entry({**labels, "figure": name}, float(np.median(values))))
        else:
            entries.append(entry_of({**labels, "figure": name}, values))
    return entries


def _draw(run: Run, entries: list[Entry]) -> Any:
    figure = run.figure(figsize=(12.5, 4.2), layout="constrained")

    def values(name: str, omega: int | str, deltas: list[str]) -> np.ndarray:
        found = {
            (e.labels["figure"], e.labels["omega"], e.labels["delta"]): e.ours for e in entries
        }
        return np.array([found[name, omega, delta] for delta in deltas])

    there = dict.fromkeys(entry.labels["delta"] for entry in entries)
    deltas = [delta for delta in there if delta not in ("None", "ortho")]
    for ax, name in zip(figure.subplots(1, 3), ("lcos", "accuracy", "MRR")):
        AnchorCurveDisplay(
            n_anchors=[values("condition", omega, deltas) for omega in OMEGAS],
            scores=[values(name, omega, deltas) for omega in OMEGAS],
            names=[f"omega = {omega}" for omega in OMEGAS],
            score_name=name,
            references={"ortho": float(values(name, "", ["ortho"])[0])},
        ).plot(ax=ax)
        ax.axhline(values(name, 1, ["None"])[0], color="black", linestyle=":", label="not pruned")
        ax.set(xlabel="condition number of the target's anchors", xscale="log")
        for delta, x, y in zip(
            deltas, values("condition", OMEGAS[-1], deltas), values(name, OMEGAS[-1], deltas)
        ):
            ax.annotate(delta, (x, y), (4, 4), textcoords="offset points", fontsize="small")
        if (legend := ax.get_legend()) is not None:
            legend.remove()
    lines, names = ax.get_legend_handles_labels()
    title = "numbers at the points: delta"
    figure.legend(lines, names, loc="outside lower center", ncols=len(names), title=title)
    return figure


if __name__ == "__main__":
    main()
