"""What was computed before: figures of single cells, and trained models.

Both are kept outside the repository under a digest of all that they depend on, so that an
interrupted run goes on where it stopped and no figure of other data, settings or code is taken.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import joblib

T = TypeVar("T")
Figures = dict[str, float]


def digest_of(key: Mapping[str, Any]) -> str:
    """Short digest of a key: names to strings, numbers, None, or lists and dicts of these."""
    text = json.dumps(key, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Cache:
    """A folder of figures (one file of JSON lines a table) and of models (one file each).

    ``folder=None`` keeps nothing on disk. ``any_code``: figures of other code will do.
    """

    def __init__(self, folder: Path | None, name: str, *, any_code: bool = False):
        self.n_new = self.n_kept = 0
        self.seconds = 0.0
        self._folder, self._lines, self._any_code = folder, None, any_code
        self._figures: dict[tuple[str, str | None], Figures] = {}
        if folder is not None:
            self._lines = folder / f"{name}.jsonl"
            if self._lines.is_file():
                self._read(self._lines)

    def _read(self, path: Path) -> None:
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # the run was killed while it wrote this line
            self._figures[self._place(entry["key"], entry["code"])] = entry["figures"]

    def _place(self, key: Mapping[str, Any], code: str) -> tuple[str, str | None]:
        return digest_of(key), None if self._any_code else code

    def cell(
        self, key: Mapping[str, Any], compute: Callable[[], Mapping[str, float]], *, code: str = ""
    ) -> Figures:
        """The figures of one cell, computed at most once; ``seconds`` is what that took.

        ``code``: digest of the source that they are computed with.
        """
        place = self._place(key, code)
        if place in self._figures:
            self.n_kept += 1
        else:
            start = time.perf_counter()
            figures = {name: float(value) for name, value in compute().items()}
            figures.setdefault("seconds", time.perf_counter() - start)
            self._figures[place] = figures
            self.n_new += 1
            if self._lines is not None:
                line = json.dumps({"key": dict(key), "code": code, "figures": figures})
                self._lines.parent.mkdir(parents=True, exist_ok=True)
                with self._lines.open("a", encoding="utf-8") as file:
                    # A torn line that a killed run left must not swallow this one.
                    file.write(("\n" if _is_torn(self._lines) else "") + line + "\n")
        self.seconds += self._figures[place]["seconds"]
        return self._figures[place]

    def model(self, name: str, key: Mapping[str, Any], train: Callable[[], T]) -> T:
        """What ``train`` returns, trained at most once; ``name`` is for people alone."""
        if self._folder is None:
            return train()
        path = self._folder / "models" / f"{name}-{digest_of(key)}.joblib"
        if path.is_file():
            return joblib.load(path)
        model = train()
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix="unfinished-")
        os.close(handle)
        try:
            joblib.dump(model, temporary)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        return model


def _is_torn(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
