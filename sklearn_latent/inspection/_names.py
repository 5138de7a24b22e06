"""Names: what the field calls the translators, and what a misspelt name may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from .._base import BaseTranslator
from ..baselines import AbsoluteTranslator
from ..gradient import AffineTranslator
from ..icp import ICPTranslator
from ..inverse_relative import InverseRelativeTranslator
from ..kernel import KernelTranslator
from ..linear import LOrthoTranslator, LstsqTranslator
from ..mlp import MLPTranslator
from ..orthogonal import ProcrustesTranslator, RigidTranslator
from ..ridge import RidgeTranslator

TRANSLATORS: dict[str, type[BaseTranslator]] = {
    "ortho": ProcrustesTranslator,
    "rigid": RigidTranslator,
    "linear": LstsqTranslator,
    "l-ortho": LOrthoTranslator,
    "affine": AffineTranslator,
    "ridge": RidgeTranslator,
    "kernel": KernelTranslator,
    "mlp": MLPTranslator,
    "inverse-relative": InverseRelativeTranslator,
    "icp": ICPTranslator,
    "absolute": AbsoluteTranslator,
}
"""Of each name the class; as in the papers, the README and the benchmarks' tables."""

IN_CLOSED_FORM = ("ortho", "rigid", "linear", "l-ortho", "ridge")

_NAMES = {translator: name for name, translator in TRANSLATORS.items()}


def called(name: str) -> BaseTranslator:
    """The translator of that name, at its defaults."""
    if name not in TRANSLATORS:
        raise ValueError(
            f"No translator is called {name!r}: use one of {', '.join(map(repr, TRANSLATORS))}, or "
            f"an estimator.{did_you_mean(name, TRANSLATORS)}"
        )
    return TRANSLATORS[name]()


def names_of(estimators: Sequence[Any]) -> list[str]:
    """A name for each, such as ``"ortho"`` or ``"pca+linear"``; numbered where they recur."""
    names = [_name_of(estimator) for estimator in estimators]
    counted = [f"{name}-{names[: i + 1].count(name)}" for i, name in enumerate(names)]
    return [one if names.count(one) == 1 else other for one, other in zip(names, counted)]


def _name_of(estimator):
    if isinstance(estimator, Pipeline):
        return "+".join(_name_of(step) for _, step in estimator.steps)
    by_class = type(estimator).__name__.lower().removesuffix("translator")
    return _NAMES.get(type(estimator), by_class or "translator")


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """A question, after a space, with the names close to what was typed; "" where none is."""
    known = list(known)
    close = sorted(difflib.get_close_matches(typed, known), key=known.index)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
