"""Pictures and comparisons of translators; matplotlib is imported when something is drawn."""

from ._compare import compare_translators
from ._curve import AnchorCurveDisplay
from ._matrix import StitchingMatrixDisplay
from ._norms import NormDistributionDisplay
from ._projection import LatentProjectionDisplay
from ._rescaling import RescalingCurveDisplay
from ._results import TranslatorComparison
from ._spectrum import SpectrumDisplay

__all__ = [
    "AnchorCurveDisplay",
    "LatentProjectionDisplay",
    "NormDistributionDisplay",
    "RescalingCurveDisplay",
    "SpectrumDisplay",
    "StitchingMatrixDisplay",
    "TranslatorComparison",
    "compare_translators",
]
