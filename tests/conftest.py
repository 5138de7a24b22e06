"""What must hold before any test imports SciPy or matplotlib."""

import importlib.metadata
import os

SCIPY_VERSION = tuple(int(part) for part in importlib.metadata.version("scipy").split(".")[:2])

# scikit-learn dispatches to other array libraries only with this, and refuses an older SciPy.
if SCIPY_VERSION >= (1, 14):
    os.environ["SCIPY_ARRAY_API"] = "1"
os.environ["MPLBACKEND"] = "Agg"


def pytest_configure(config):
    # CuPy or a GPU may not be here. Not in setup.cfg, where the name would import SciPy too early.
    config.addinivalue_line("filterwarnings", "ignore::sklearn.exceptions.SkipTestWarning")
