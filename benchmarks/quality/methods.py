"""The methods that are compared, by name."""

from __future__ import annotations

import hashlib
import inspect
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reference import ReferenceRidge

import sklearn_latent

PAPERS = ("ortho", "linear", "affine")
"""The methods of Maiorca et al. (2023) that *papers' best* is the best of, cell by cell."""
YARDSTICK = "restored"


@dataclass(frozen=True)
class Method:
    """A class with `fit` and `transform`, and its parameters."""

    estimator: type
    parameters: dict[str, Any] = field(default_factory=dict)
    seeded: bool = False

    def make(self, seed: int) -> Any:
        """A new unfitted translator."""
        random_state = {"random_state": seed} if self.seeded else {}
        return self.estimator(**self.parameters, **random_state)

    def code(self) -> str:
        """Digest of the source that it runs through."""
        return source_digest(self.estimator)

    def __str__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{self.estimator.__name__}({parameters})"


def all_methods() -> dict[str, Method]:
    """Name -> method, in the order of the table."""
    return {
        "ortho": Method(sklearn_latent.ProcrustesTranslator),
        "linear": Method(sklearn_latent.LstsqTranslator),
        "affine": Method(sklearn_latent.AffineTranslator, {"device": "cpu"}, seeded=True),
        "l-ortho": Method(sklearn_latent.LOrthoTranslator),
        "ridge": Method(ReferenceRidge),
        YARDSTICK: Method(ReferenceRidge, {"restore": True}),
        "RidgeTranslator": Method(sklearn_latent.RidgeTranslator),
        "RidgeTranslator, features": Method(
            sklearn_latent.RidgeTranslator, {"covariance_power": 0.0}
        ),
        "RidgeTranslator, plain": Method(
            sklearn_latent.RidgeTranslator, {"restore_variance": False}
        ),
        "l-ortho of ridge": Method(sklearn_latent.LOrthoTranslator, {"alpha": None}),
        "KernelTranslator": Method(sklearn_latent.KernelTranslator),
    }


def source_digest(estimator: type) -> str:
    """Digest of the source files that a class's module reaches by its imports, near its own."""
    package = estimator.__module__.partition(".")[0]
    todo, files = [estimator.__module__], set()
    while todo:
        module = sys.modules[todo.pop()]
        file = inspect.getsourcefile(module)
        if file is None or file in files:
            continue
        files.add(file)
        for value in vars(module).values():
            name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            if isinstance(name, str) and name.partition(".")[0] == package:
                todo.append(name)
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:12]
