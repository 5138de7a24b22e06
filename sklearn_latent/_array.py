"""The only module that knows array libraries (and `_device` the devices of torch).

Everything else receives a namespace ``xp`` and writes plain array-API code. Arrays of NumPy are
decomposed by its LAPACK or SciPy's, those of other libraries by their own ``linalg``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import array_api_compat
import array_api_compat.numpy as numpy_api
import numpy as np
import scipy.linalg
from sklearn import get_config

Array = Any
"""An array of NumPy or of any library that follows the array API standard."""

_PART_ELEMENTS = 2**15  # 256 KiB of float64


def is_array(x: Any) -> bool:
    """Whether `x` is an array of a library that this package knows."""
    return array_api_compat.is_array_api_obj(x)


def is_numpy(x: Any) -> bool:
    return array_api_compat.is_numpy_array(x)


def is_float_rows(x: Any) -> bool:
    """Whether `x` is rows (n >= 1, d) of NumPy's, in float32 or float64."""
    if type(x) not in (np.ndarray, np.memmap) or x.ndim != 2 or x.shape[0] == 0:
        return False
    return x.dtype == np.float32 or x.dtype == np.float64


def is_foreign(x: Any) -> bool:
    """Whether `x` is an array that scikit-learn's dispatch keeps in its own library."""
    return (
        bool(get_config()["array_api_dispatch"])
        and array_api_compat.is_array_api_obj(x)
        and not array_api_compat.is_numpy_array(x)
    )


def namespace_of(x: Array) -> Any:
    """The namespace of an array that this package made itself, dispatch or not."""
    if array_api_compat.is_numpy_array(x):
        return numpy_api
    return array_api_compat.array_namespace(x)


def device_of(x: Array) -> Any:
    return None if array_api_compat.is_numpy_array(x) else array_api_compat.device(x)


def is_accelerated(x: Array) -> bool:
    """Whether `x` lies on a GPU, which is quick at products and slow at decompositions."""
    if array_api_compat.is_torch_array(x):
        return x.device.type != "cpu"
    return array_api_compat.is_cupy_array(x)


def is_dask(x: Any) -> bool:
    """Whether `x` is a collection of Dask; does not import it."""
    return type(x).__module__.partition(".")[0] in ("dask", "dask_expr")


def refuse_dask(*collections: Any) -> None:
    """Raise where data that would be loaded whole are a collection of Dask."""
    for x in filter(is_dask, collections):
        raise TypeError(
            f"Got a Dask {type(x).__name__} where the data must be in memory. If they fit there, "
            "pass .compute() of them; if not, a subsample. Dask arrays are taken as they are by "
            "fit and partial_fit of the linear translators, and by transform, predict and "
            "inverse_transform of all."
        )


def to_numpy(x: Any) -> np.ndarray:
    """A host copy of any array; NumPy arrays pass through."""
    refuse_dask(x)
    if array_api_compat.is_torch_array(x):
        x = x.detach().cpu()
        if str(x.dtype) == "torch.bfloat16":  # NumPy has no bfloat16
            x = x.float()
        return x.numpy()
    if array_api_compat.is_cupy_array(x):
        return x.get()
    if hasattr(x, "to_device") and not array_api_compat.is_numpy_array(x):
        xp = array_api_compat.array_namespace(x)
        if hasattr(xp, "Device"):  # array-api-strict, whose devices are simulated
            x = x.to_device(xp.Device("CPU_DEVICE"))
    return np.asarray(x)


def without_graph(x: Any) -> Any:
    """A torch tensor cut off from automatic differentiation; all else as it is.

    In float32 if it is of bfloat16 and is going to be NumPy's, which has no such dtype.
    """
    if str(getattr(x, "dtype", "")) == "torch.bfloat16" and not is_foreign(x):
        x = x.float()
    return x.detach() if getattr(x, "requires_grad", False) else x


def asarray_like(x: Any, like: Array, dtype: Any = None) -> Array:
    """`x` in the library, on the device and (unless `dtype` is given) in the dtype of `like`."""
    dtype = like.dtype if dtype is None else dtype
    xp, device = namespace_of(like), device_of(like)
    if xp is numpy_api:
        return np.asarray(to_numpy(x), dtype=dtype)
    if array_api_compat.is_array_api_obj(x) and namespace_of(x) is xp:
        return xp.astype(array_api_compat.to_device(x, device), dtype, copy=False)
    host = np.asarray(x if isinstance(x, (int, float)) else to_numpy(x))
    if not host.flags.writeable:  # torch warns on read-only memory
        host = host.copy()
    return xp.asarray(host, dtype=dtype, device=device)


def contiguous(x: Array) -> Array:
    """`x` in row-major order."""
    if is_numpy(x):
        return np.ascontiguousarray(x)
    return x.contiguous() if array_api_compat.is_torch_array(x) else x


def same_place(a: Array, b: Array) -> bool:
    """Whether two arrays belong to one library and one device."""
    return namespace_of(a) is namespace_of(b) and device_of(a) == device_of(b)


def widest_float(x: Array) -> Any:
    """float64, or float32 on a device that has no float64 (Apple's MPS)."""
    xp = namespace_of(x)
    return xp.float32 if "mps" in str(device_of(x)) else xp.float64


def accepted_dtypes(x: Any) -> list[Any]:
    """The dtypes that validation keeps; every other one is cast to the first.

    float16 and bfloat16 go to float32, which holds them exactly at half the memory of float64;
    integers go to float64. Tensors of float32 keep it where scikit-learn makes NumPy's of them.
    """
    refuse_dask(x)  # validation would load it
    xp = array_api_compat.array_namespace(x) if is_foreign(x) else numpy_api
    dtype = getattr(x, "dtype", "")
    # of NumPy's by name, which leaves out the order of bytes
    name = getattr(dtype, "name", str(dtype).rsplit(".", maxsplit=1)[-1])
    if name in ("float16", "bfloat16", "float32") or (
        xp is not numpy_api and "mps" in str(device_of(x))
    ):
        return [xp.float32, xp.float64]
    return [xp.float64, xp.float32]


def eps_of(dtype: Any, x: Array) -> float:
    return float(namespace_of(x).finfo(dtype).eps)


def svd(a: Array) -> tuple[Array, Array, Array]:
    """Thin singular value decomposition ``a = U @ diag(s) @ Vt``."""
    xp = namespace_of(a)
    if xp is not numpy_api:
        return xp.linalg.svd(a, full_matrices=False)
    try:
        return np.linalg.svd(a, full_matrices=False)  # of NumPy's own library, as `eigh`
    except np.linalg.LinAlgError:
        # the divide-and-conquer driver can fail where QR iteration does not
        return scipy.linalg.svd(a, full_matrices=False, check_finite=False, lapack_driver="gesvd")


def svdvals(a: Array) -> Array:
    """Singular values, descending."""
    xp = namespace_of(a)
    if xp is not numpy_api:
        return xp.linalg.svdvals(a)
    try:
        return np.linalg.svd(a, compute_uv=False)  # of NumPy's own library, as `eigh`
    except np.linalg.LinAlgError:
        return svd(a)[1]


def eigh(a: Array) -> tuple[Array, Array]:
    """Eigenvalues (ascending) and eigenvectors of a symmetric matrix."""
    # NumPy and SciPy each bring a BLAS with threads of its own. NumPy's keep spinning for a moment
    # after a product, which usually precedes this call, so SciPy's `eigh` would compete with them
    # for the cores.
    return namespace_of(a).linalg.eigh(a)


def qr(a: Array) -> tuple[Array, Array]:
    """Thin QR decomposition."""
    xp = namespace_of(a)
    if xp is numpy_api:
        return scipy.linalg.qr(a, mode="economic", check_finite=False)
    return xp.linalg.qr(a, mode="reduced")


def complement(basis: Array) -> Array:
    """Orthonormal basis (d, d - r) of what is orthogonal to the columns of `basis` (d, r)."""
    xp = namespace_of(basis)
    if xp is numpy_api:
        q = scipy.linalg.qr(basis, mode="full", check_finite=False)[0]
    else:
        q = xp.linalg.qr(basis, mode="complete")[0]
    return q[:, basis.shape[1] :]


def read_only(x: Array) -> Array:
    """The same values for a function of the user's, which cannot write to them if NumPy's."""
    if not is_numpy(x):
        return x
    view = x.view()
    view.flags.writeable = False
    return view


def row_norms(x: Array) -> Array:
    """Euclidean norms of the rows, in the widest float, without a copy of `x`'s size."""
    xp = namespace_of(x)
    with np.errstate(over="ignore", under="ignore"):
        norms = _plain_row_norms(x)
    # Above 1e-140, a square that float64 cannot hold (below 1e-308) is less than 1e-28 of the sum.
    if x.dtype == widest_float(x) and not bool(xp.all((norms > 1e-140) & (norms < xp.inf))):
        # squares that overflow or vanish: relative to the largest entry they do neither
        norms = normalize_rows(x)[1]
    return norms


def _plain_row_norms(x):
    xp = namespace_of(x)
    if xp is numpy_api:
        return np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))
    return xp.sqrt(xp.sum(xp.square(xp.astype(x, widest_float(x), copy=False)), axis=1))


def nonzero(values: Array) -> Array:
    """`values` with 1 in place of 0, to divide by: zero rows and constant columns stay zero."""
    xp = namespace_of(values)
    return xp.where(values == 0, xp.ones_like(values), values)


def dot(a: Array, b: Array) -> Array:
    """Sum of the elementwise product, one BLAS call and no temporary."""
    xp = namespace_of(a)
    return xp.reshape(a, (-1,)) @ xp.reshape(b, (-1,))


def row_parts(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Slices of rows small enough for a NumPy block to stay in the CPU cache."""
    step = max(1, _PART_ELEMENTS // max(n_columns, 1))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def product_minus(a: Array, b: Array, c: Array, out: Array) -> Array:
    """``a @ b - c``; in the memory of `out` where the library can."""
    if is_numpy(a) or array_api_compat.is_torch_array(a):
        # torch's addmm copies c first, and so is slower
        namespace_of(a).matmul(a, b, out=out)
        out -= c
        return out
    return a @ b - c


def sum_with_outers(
    matrices: Sequence[Array], lefts: Sequence[Array], rights: Sequence[Array]
) -> Array:
    """The sum of `matrices` (m, n) and of ``left rightᵀ``, as a new array in the widest dtype.

    There is at least one of both.
    """
    xp = namespace_of(lefts[0])
    left, right = xp.stack(list(lefts), axis=1), xp.stack(list(rights))
    if not is_numpy(left):
        total = left @ right
        for matrix in matrices:
            total += matrix
        return total
    first, *others = matrices
    total = np.empty(first.shape, dtype=np.result_type(left, *matrices))
    for rows in row_parts(*total.shape):
        part = total[rows]
        part[...] = first[rows]
        for matrix in others:
            part += matrix[rows]
        part += left[rows] @ right
    return total


def add_product(X: Array, coef: Array, intercept: Array, divisors: Array | None) -> Array:
    """``(X @ coef.T) / divisors + intercept``, by rows, with as few temporaries as may be."""
    xp = namespace_of(X)
    transposed = xp.matrix_transpose(coef)
    if divisors is None and array_api_compat.is_torch_array(X):
        return xp.addmm(intercept, X, transposed)
    out = X @ transposed
    if divisors is not None:
        out /= divisors[:, None]
    out += intercept[None, :]
    return out


def fits_in(dtype: Any, *arrays: Array) -> bool:
    """Whether all values are finite and remain so when cast to `dtype`."""
    for a in filter(_has_elements, arrays):
        xp = namespace_of(a)
        limit = float(xp.finfo(dtype).max)
        # of NaN neither is true
        if not (-limit <= float(xp.min(a)) and float(xp.max(a)) <= limit):
            return False
    return True


def _has_elements(a):
    return 0 not in a.shape


def vanishes(side: Array, sums_of_squares: Array, weight: Array | None = None) -> bool:
    """Whether columns vary, yet all their sums of squares are lost to underflow.

    Rows of no `weight` (n,) do not count.
    """
    xp = namespace_of(side)
    if bool(xp.any(sums_of_squares > 1e-280)):
        return False
    if weight is not None:
        side = xp.take(side, xp.nonzero(weight > 0)[0], axis=0)
    return bool(xp.any(side != side[:1, :]))


def fused_adam(x: Array) -> Callable[..., None] | None:
    """Torch's Adam in one pass over parameters like `x`; None where it has none."""
    if not array_api_compat.is_torch_array(x) or x.device.type not in ("cpu", "cuda"):
        return None
    # The function, as the first torch.optim.Adam of a process takes seconds to make.
    from torch.optim.adam import adam

    return adam


def normalize_rows(x: Array) -> tuple[Array, Array]:
    """Rows of unit norm (zero rows stay zero) and the norms they had, both in the widest float."""
    xp = namespace_of(x)
    rows = xp.astype(x, widest_float(x))
    largest = xp.ones_like(rows[:, 0])
    if x.dtype == rows.dtype:  # squares of a narrower float can neither overflow nor vanish
        largest = nonzero(xp.max(xp.abs(rows), axis=1))
        rows /= largest[:, None]
    norms = _plain_row_norms(rows)
    rows /= nonzero(norms)[:, None]
    with np.errstate(over="ignore"):  # the norm of a row can overflow where the row does not
        return rows, norms * largest


def count_true(mask: Array) -> np.ndarray:
    """How many entries of each row are true, on the host."""
    if is_numpy(mask):
        return np.count_nonzero(mask, axis=1)
    xp = namespace_of(mask)
    return to_numpy(xp.sum(xp.astype(mask, xp.int64), axis=1))


def largest_columns(x: Array, k: int) -> Array:
    """Indices of the `k` largest entries of each row, in no order."""
    if is_numpy(x):
        return np.argpartition(x, x.shape[1] - k, axis=1)[:, x.shape[1] - k :]
    if array_api_compat.is_torch_array(x):
        return x.topk(k, dim=1, sorted=False).indices
    return namespace_of(x).argsort(x, axis=1, descending=True)[:, :k]


def take_columns(x: Array, columns: Array) -> Array:
    """Entries ``x[i, columns[i, j]]``."""
    xp = namespace_of(x)
    starts = xp.arange(x.shape[0], dtype=columns.dtype, device=device_of(x)) * x.shape[1]
    flat = xp.reshape(starts[:, None] + columns, (-1,))
    return xp.reshape(xp.take(xp.reshape(x, (-1,)), flat, axis=0), columns.shape)
