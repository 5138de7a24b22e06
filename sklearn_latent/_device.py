"""The parameter `device`: where torch computes. It is imported only where it is needed."""

from __future__ import annotations

import importlib.util
import os
import re
from typing import Any

from ._array import Array, is_numpy, to_numpy


def compute_like(device: str, like: Array) -> Array:
    """An empty array that stands for where to compute what lies like `like`.

    Parameters
    ----------
    device : {"auto", "cpu", "mps", "cuda", "cuda:N"}
        ``"auto"`` stays with the input's own library and device, except that NumPy goes to a CUDA
        GPU where torch sees one. ``"cpu"`` is torch where it is installed, else NumPy.
    like : array
        Gives the library, the device and the dtype.
    """
    valid = isinstance(device, str) and re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device)
    if not valid:
        raise ValueError(
            f"device={device!r} is unknown: use 'auto', 'cpu', 'mps', 'cuda' or 'cuda:1' and so on."
        )
    empty = like[:0, :]
    if device == "auto":
        if not is_numpy(like) or not _may_have_gpu():
            return empty
        if not import_torch("device='auto'").cuda.is_available():
            return empty
        device = "cuda"
    if device == "cpu" and not _has_torch():
        return to_numpy(empty)
    torch = import_torch(f"device={device!r}")
    found = 1
    if device == "mps":
        found = int(torch.backends.mps.is_available())
    elif device != "cpu":
        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if found <= int(device.partition(":")[2] or 0):
        raise ValueError(
            f"device={device!r} is not there: torch sees {found} such device(s) on this machine. "
            "Use device='auto' or 'cpu'."
        )
    dtype = torch.float32 if device == "mps" or "32" in str(like.dtype) else torch.float64
    return torch.empty((0, like.shape[1]), dtype=dtype, device=device)


def _has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def _may_have_gpu() -> bool:
    """False where importing torch, a second or two, would only show that there is no GPU."""
    if not _has_torch():
        return False
    drivers = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # CUDA, CUDA under WSL, ROCm
    return os.name == "nt" or any(os.path.exists(driver) for driver in drivers)


def import_torch(what: str) -> Any:
    """The torch module, or an error that says which extra brings it."""
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"{what} needs PyTorch: pip install 'sklearn_latent[torch]' (or torch itself)."
        ) from error
    return torch
