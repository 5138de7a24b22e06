"""Translate the latent space of one neural network into another's, without training."""

from . import streaming as streaming  # like metrics and inspection, there as an attribute
from ._version import __version__
from .baselines import AbsoluteTranslator
from .compose import TransformedTargetTranslator
from .gradient import AffineTranslator
from .icp import ICPTranslator, class_means
from .inspection import compare_translators
from .inverse_relative import InverseRelativeTranslator
from .kernel import KernelTranslator
from .linear import LOrthoTranslator, LstsqTranslator
from .mlp import MLPTranslator
from .orthogonal import ProcrustesTranslator, RigidTranslator
from .preprocessing import Rescaler, ZeroPadder
from .relative import RelativeProjector
from .ridge import RidgeTranslator
from .stitching import decoder_agreement, stitching_score

__all__ = [
    "AbsoluteTranslator",
    "AffineTranslator",
    "ICPTranslator",
    "InverseRelativeTranslator",
    "KernelTranslator",
    "LOrthoTranslator",
    "LstsqTranslator",
    "MLPTranslator",
    "ProcrustesTranslator",
    "RelativeProjector",
    "Rescaler",
    "RidgeTranslator",
    "RigidTranslator",
    "TransformedTargetTranslator",
    "ZeroPadder",
    "__version__",
    "class_means",
    "compare_translators",
    "decoder_agreement",
    "stitching_score",
]
