"""One result a (method, data set, pair of encoders, n, seed), computed once and kept on disk."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from data import DataSet
from decoders import decoder_of, fingerprint, recall_at_1
from methods import Method


@dataclass(frozen=True)
class Result:
    """What one fitted translator is worth; `seconds` are those of `fit`."""

    data: str
    n: int
    seed: int
    source: str
    target: str
    method: str
    accuracy: float
    recall: float
    seconds: float


class Cache:
    """Results in a file of JSON lines, appended to as they come: an interrupted run loses none.

    ``code`` is the digest of the source a result was computed with. A result of other code is
    not used, unless ``any_code`` says that it may be.
    """

    def __init__(self, path: Path, *, any_code: bool = False):
        self.path, self.any_code = path, any_code
        self._results: dict[tuple, dict] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self._results[self._key(entry.pop("code"), entry)] = entry

    def get(self, code: str, cell: dict) -> Result | None:
        """The kept result of a cell, named by the fields of `Result` but its figures."""
        entry = self._results.get(self._key(code, cell))
        return None if entry is None else Result(**entry)

    def put(self, code: str, result: Result) -> None:
        """Keep a result."""
        entry = asdict(result)
        self._results[self._key(code, entry)] = entry
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"code": code} | entry) + "\n")

    def _key(self, code: str, cell: dict) -> tuple:
        names = ("data", "n", "seed", "source", "target", "method")
        return (None if self.any_code else code, *(cell[name] for name in names))


def evaluate(
    data: DataSet, method: Method, source: str, target: str, n: int, seed: int, folder: Path
) -> dict[str, float]:
    """Accuracy and recall@1 on the test rows, and the seconds that `fit` took."""
    rows = data.anchors(n, seed)
    X, Y = data.encoders[source], data.encoders[target]
    translator = method.make(seed)
    with warnings.catch_warnings():
        # That a method is in trouble near n = d is what the table is to show.
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        translator.fit(X.train[rows], Y.train[rows])
        seconds = time.perf_counter() - start
    Z = translator.transform(X.test)
    accuracy = decoder_of(data, target, folder).accuracy(Z, data.test_label)
    recall = recall_at_1(Z, Y, Y.train[rows].mean(axis=0))
    return {"accuracy": accuracy, "recall": recall, "seconds": seconds}


def results(
    data: DataSet,
    methods: dict[str, Method],
    ns: list[int],
    seeds: range,
    folder: Path,
    *,
    any_code: bool = False,
) -> Iterator[tuple[Result, bool]]:
    """All results of a data set, as they come, and whether each was computed just now."""
    arrays = [part for z in data.encoders.values() for part in (z.train, z.test)]
    digest = fingerprint(*arrays, data.train_label, data.test_label)
    cache = Cache(folder / "results" / f"{data.name}-{digest}.jsonl", any_code=any_code)
    codes = {name: method.code() for name, method in methods.items()}
    for n in ns:
        for seed in seeds:
            for source, target in data.pairs():
                for name, method in methods.items():
                    cell = {"data": data.name, "n": n, "seed": seed, "source": source}
                    cell |= {"target": target, "method": str(method)}
                    result = cache.get(codes[name], cell)
                    new = result is None
                    if result is None:
                        figures = evaluate(data, method, source, target, n, seed, folder)
                        result = Result(**cell, **figures)
                        cache.put(codes[name], result)
                    yield result, new
