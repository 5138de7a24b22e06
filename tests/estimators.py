"""Every public estimator, as the instances that all parametrised tests iterate over."""

import importlib.util

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

import sklearn_latent
from sklearn_latent import (
    AbsoluteTranslator,
    AffineTranslator,
    ICPTranslator,
    InverseRelativeTranslator,
    KernelTranslator,
    LOrthoTranslator,
    LstsqTranslator,
    MLPTranslator,
    ProcrustesTranslator,
    RelativeProjector,
    Rescaler,
    RidgeTranslator,
    RigidTranslator,
    TransformedTargetTranslator,
    ZeroPadder,
)
from sklearn_latent._base import BaseTranslator
from sklearn_latent._linear_base import LinearTranslator

# The first of a class has the default options, as far as those are quick and converge.
INSTANCES = [
    AbsoluteTranslator(),
    AffineTranslator(max_iter=100, random_state=0),
    AffineTranslator(learning_rate_init=0.01, max_iter=50, random_state=0),
    ICPTranslator(),
    ICPTranslator(ProcrustesTranslator(), max_iter=5),
    InverseRelativeTranslator(random_state=0),
    InverseRelativeTranslator(pruning=None, decode="ridge"),
    KernelTranslator(),
    KernelTranslator("linear", restore_variance=False),
    KernelTranslator("laplacian", gamma=0.1, alpha=[0.01, 0.1], scaling="standard"),
    LOrthoTranslator(),
    LOrthoTranslator(alpha=None),
    LstsqTranslator(),
    LstsqTranslator(fit_intercept=True),
    MLPTranslator(learning_rate_init=0.01, tol=0.02, n_iter_no_change=5, random_state=0),
    ProcrustesTranslator(),
    ProcrustesTranslator(scale=True),
    RelativeProjector(),
    RelativeProjector("euclidean", scaling="standard"),
    Rescaler(),
    Rescaler("mean"),
    RidgeTranslator(),
    RidgeTranslator(alpha=1.0, restore_variance=False),
    RidgeTranslator(alpha=[0.0, 1.0], shrink_to="auto", scaling="standard"),
    RidgeTranslator(shrink_to="procrustes", restore_variance=False, fit_intercept=True),
    RidgeTranslator(alpha=1.0, shrink_to="procrustes", restore_variance=False),
    RigidTranslator(),
    RigidTranslator(allow_reflection=False),
    TransformedTargetTranslator(),
    TransformedTargetTranslator(LstsqTranslator(scaling=("standard", None)), StandardScaler()),
    ZeroPadder(),
    ZeroPadder(n_features=64),
]

# Left out where torch is not installed.
NEED_TORCH = (MLPTranslator,)
if importlib.util.find_spec("torch") is None:
    INSTANCES = [instance for instance in INSTANCES if not isinstance(instance, NEED_TORCH)]

# What the anchors leave open is mapped to the target's mean, except by those that start at random
# or stay rigid.
NOT_MINIMAL = (AffineTranslator, RigidTranslator)

SCALINGS = [
    "standard",
    "center",
    "l2",
    None,
    ("l2", "standard"),
    ("center", "l2"),
]

FIRST = list({type(instance): instance for instance in reversed(INSTANCES)}.values())[::-1]
OTHERS = [instance for instance in INSTANCES if instance not in FIRST]
CLASSES = [type(instance) for instance in FIRST]
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
            if has("scaling")(translator)
            else [translator]
        )
    ]


def has(name):
    """Whether an instance has a parameter of this name."""
    return lambda instance: name in instance.get_params(deep=False)


TRANSLATORS = [instance for instance in INSTANCES if isinstance(instance, BaseTranslator)]
PAIRED = [instance for instance in TRANSLATORS if not isinstance(instance, ICPTranslator)]
WEIGHTED = [instance for instance in PAIRED if has_fit_parameter(instance, "sample_weight")]
SCALED = list(filter(has("scaling"), PAIRED))
# AbsoluteTranslator takes the parameters of anchors and chooses none.
ANCHORED = [t for t in filter(has("n_anchors"), PAIRED) if not isinstance(t, AbsoluteTranslator)]
INVERTIBLE = [instance for instance in TRANSLATORS if hasattr(instance, "inverse_transform")]
LINEAR = [instance for instance in TRANSLATORS if isinstance(instance, LinearTranslator)]
MINIMAL = [instance for instance in LINEAR if not isinstance(instance, NOT_MINIMAL)]


def is_chosen_by_rows(translator):
    """Whether `fit` judges by rows what `partial_fit` has only moments for."""
    if isinstance(translator, RidgeTranslator):
        several = translator.alpha is None or isinstance(translator.alpha, list)
        return translator.restore_variance or several
    return isinstance(translator, LOrthoTranslator) and translator.alpha is None


def has_fixed_penalty(translator):
    """Whether it matters by how much all weights are multiplied."""
    if isinstance(translator, InverseRelativeTranslator):
        return translator.decode == "ridge"
    alpha = getattr(translator, "alpha", None)
    return isinstance(translator, (RidgeTranslator, KernelTranslator)) and alpha is not None


STREAMED = [translator for translator in LINEAR if not is_chosen_by_rows(translator)]


def make_pair(n=30, d_source=6, d_target=4, dtype="float64", seed=0):
    """Paired latents off the origin, linearly related up to noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d_source)) * rng.uniform(0.5, 2, size=d_source) + 1
    y = X @ rng.normal(size=(d_source, d_target)) + rng.normal(size=(n, d_target)) / 4 - 2
    return X.astype(dtype), y.astype(dtype)
