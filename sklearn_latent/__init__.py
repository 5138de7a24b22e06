"""Translate the latent space of one neural network into another's, without training."""

from ._version import __version__
from .compose import TransformedTargetTranslator
from .gradient import AffineTranslator
from .linear import LstsqTranslator, ProcrustesTranslator
from .preprocessing import ZeroPadder
from .stitching import decoder_agreement, stitching_score

__all__ = [
    "AffineTranslator",
    "LstsqTranslator",
    "ProcrustesTranslator",
    "TransformedTargetTranslator",
    "ZeroPadder",
    "__version__",
    "decoder_agreement",
    "stitching_score",
]
