"""Examples that need an extra are left out where it is not installed."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("torch") else ["mlp.py"]
