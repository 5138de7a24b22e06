"""Every public estimator, as the instances that all parametrised tests iterate over."""

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import StandardScaler

import sklearn_latent
from sklearn_latent import (
    AffineTranslator,
    LOrthoTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RigidTranslator,
    TransformedTargetTranslator,
    ZeroPadder,
)
from sklearn_latent._base import BaseTranslator, LinearTranslator

INSTANCES = [
    AffineTranslator(random_state=0),
    AffineTranslator(learning_rate_init=0.01, max_iter=50, random_state=0),
    LOrthoTranslator(),
    LstsqTranslator(),
    LstsqTranslator(fit_intercept=True),
    ProcrustesTranslator(),
    ProcrustesTranslator(scale=True),
    RigidTranslator(),
    RigidTranslator(allow_reflection=False),
    TransformedTargetTranslator(),
    TransformedTargetTranslator(LstsqTranslator(scaling=("standard", None)), StandardScaler()),
    ZeroPadder(),
    ZeroPadder(n_features=64),
]

# Initial weights are drawn at random there, so a column more or less changes all of them.
RANDOMLY_INITIALISED = (AffineTranslator,)

SCALINGS = [
    "standard",
    "center",
    "l2",
    None,
    ("standard", "center"),
    ("l2", "standard"),
    ("center", "l2"),
    (None, "standard"),
]

CLASSES = list(dict.fromkeys(type(instance) for instance in INSTANCES))
PUBLIC_CLASSES = [
    value
    for value in (getattr(sklearn_latent, name) for name in sklearn_latent.__all__)
    if isinstance(value, type) and issubclass(value, BaseEstimator)
]


def one_line(estimator):
    """The name of an instance in a test's id."""
    return " ".join(repr(estimator).split())


def with_scaling(translator, scaling):
    return clone(translator).set_params(scaling=scaling)


def in_all_scalings(translators):
    """Each translator under each of `SCALINGS`, or as it is where it has no such parameter."""
    return [
        scaled
        for translator in translators
        for scaled in (
            [with_scaling(translator, scaling) for scaling in SCALINGS]
            if "scaling" in translator.get_params(deep=False)
            else [translator]
        )
    ]


TRANSLATORS = [instance for instance in INSTANCES if isinstance(instance, BaseTranslator)]
LINEAR = [instance for instance in TRANSLATORS if isinstance(instance, LinearTranslator)]
CLOSED_FORM = [i for i in TRANSLATORS if not isinstance(i, RANDOMLY_INITIALISED)]


def make_pair(n=30, d_source=6, d_target=4, dtype="float64", seed=0):
    """Paired latents off the origin, linearly related up to noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d_source)) * rng.uniform(0.5, 2, size=d_source) + 1
    y = X @ rng.normal(size=(d_source, d_target)) + rng.normal(size=(n, d_target)) / 4 - 2
    return X.astype(dtype), y.astype(dtype)
