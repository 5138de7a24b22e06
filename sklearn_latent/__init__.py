"""Translate the latent space of one neural network into another's, without training."""

from ._version import __version__
from .baselines import AbsoluteTranslator
from .compose import TransformedTargetTranslator
from .gradient import AffineTranslator
from .icp import ICPTranslator, class_means
from .inverse_relative import InverseRelativeTranslator
from .linear import LOrthoTranslator, LstsqTranslator
from .mlp import MLPTranslator
from .orthogonal import ProcrustesTranslator, RigidTranslator
from .preprocessing import Rescaler, ZeroPadder
from .relative import RelativeProjector
from .stitching import decoder_agreement, stitching_score

__all__ = [
    "AbsoluteTranslator",
    "AffineTranslator",
    "ICPTranslator",
    "InverseRelativeTranslator",
    "LOrthoTranslator",
    "LstsqTranslator",
    "MLPTranslator",
    "ProcrustesTranslator",
    "RelativeProjector",
    "Rescaler",
    "RigidTranslator",
    "TransformedTargetTranslator",
    "ZeroPadder",
    "__version__",
    "class_means",
    "decoder_agreement",
    "stitching_score",
]
