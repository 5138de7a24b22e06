"""Translate the latent space of one neural network into another's, without training."""

from ._version import __version__
from .baselines import AbsoluteTranslator
from .compose import TransformedTargetTranslator
from .gradient import AffineTranslator
from .linear import LOrthoTranslator, LstsqTranslator
from .orthogonal import ProcrustesTranslator, RigidTranslator
from .preprocessing import ZeroPadder
from .relative import InverseRelativeTranslator, RelativeProjector
from .stitching import decoder_agreement, stitching_score

__all__ = [
    "AbsoluteTranslator",
    "AffineTranslator",
    "InverseRelativeTranslator",
    "LOrthoTranslator",
    "LstsqTranslator",
    "ProcrustesTranslator",
    "RelativeProjector",
    "RigidTranslator",
    "TransformedTargetTranslator",
    "ZeroPadder",
    "__version__",
    "decoder_agreement",
    "stitching_score",
]
