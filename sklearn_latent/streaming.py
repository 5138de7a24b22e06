"""Arrays in ``.npy`` files, larger than memory: learned from and transformed in batches."""

from __future__ import annotations

import contextlib
import pickle
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import joblib
import numpy as np
from sklearn.exceptions import NotFittedError

from ._array import to_numpy
from ._npy import FilePath, RowReader, RowWriter
from ._validation import check_finite, check_number

__all__ = ["partial_fit_files", "transform_file"]

Progress = bool | Callable[[int, int], Any]

# Of the rows that one batch reads and writes: long enough for a GEMM at full speed, and small
# beside any memory. Two batches of input are held, since one is read while one is worked on.
_BATCH_BYTES = 2**26

# A checkpoint waits until the disk has the rows: the shorter, the less is done again after a kill.
_SECONDS_BETWEEN_CHECKPOINTS = 5.0
_SECONDS_BETWEEN_LINES = 1.0


def transform_file(
    transformer: Any,
    source: FilePath,
    target: FilePath,
    *,
    method: str = "transform",
    batch_size: int | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: Progress = False,
) -> np.ndarray:
    """Transform the rows of one ``.npy`` file into another, batch by batch.

    Only a few batches are in memory. Rows are written to ``<target>.partial``, which becomes
    `target` when all are there, so that a target is never incomplete. After a kill, a power cut or
    an error the same call goes on after the last rows that are known to be on the disk, and no row
    is lost or doubled: ``<target>.partial.json`` counts them, and says of which transformer and
    which source they are. If the transformer, method or source is another, the call raises rather
    than mixing the two results.

    Parameters
    ----------
    transformer : estimator
        Fitted translator, pipeline or any other estimator that treats each row by itself. It must
        be possible to pickle it: its pickle is how it is recognised.

    source : str or path
        A ``.npy`` file of shape (n_samples, n_features) in C order, as `numpy.save` writes it.

    target : str or path
        The ``.npy`` file to write, in the dtype that the transformer returns.

    method : str, default="transform"
        The method of `transformer` to call, such as ``"predict"`` or ``"inverse_transform"``.

    batch_size : int or None, default=None
        Rows of a batch; None for about 64 MB of input and output together. It may differ between a
        call and the one that resumes it.

    resume : bool, default=True
        Whether to go on with what an earlier call left; False to begin anew.

    overwrite : bool, default=False
        Whether to replace a `target` that is there already, when all rows are done.

    progress : bool or callable, default=False
        True for a line on standard error about every second; or a function ``(rows done, all
        rows)``, called at the start and after each batch.

    Returns
    -------
    memmap of shape (n_samples, ...)
        The target, mapped read-only.

    Raises
    ------
    FileExistsError
        If `target` is there and `overwrite` is False.
    ValueError
        If the file cannot be read by rows or is the target itself, if a batch is refused (the
        message says which rows), or if what is to be resumed was begun with another transformer,
        method or source.
    AttributeError
        If the transformer has no method of the name `method`.
    TypeError
        If the transformer is a class or cannot be pickled, or a file is given as anything but its
        path.
    OSError
        If the disk has too little room or the target cannot be written. What is written is kept.

    See Also
    --------
    partial_fit_files : Learn from a pair of files.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn_latent import ProcrustesTranslator
    >>> from sklearn_latent.streaming import transform_file
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(1000, 8)), rng.normal(size=(1000, 6))
    >>> translator = ProcrustesTranslator().fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source, target = Path(folder, "X.npy"), Path(folder, "translated.npy")
    ...     np.save(source, X)
    ...     translated = transform_file(translator, source, target, batch_size=300)
    ...     print(translated.shape, np.allclose(translated, translator.transform(X)))
    (1000, 6) True
    """
    report = _reporter(progress)
    _refuse_class(transformer)
    with RowReader(source) as rows, _without_names():
        # Also solves what a translator leaves to its first use, before it is fingerprinted.
        with _naming_shape(rows):
            example = _checked_rows(getattr(transformer, method)(rows.read(0, 1)), 1, None)
        writer = RowWriter(
            target,
            shape=(rows.n_rows, *example.shape[1:]),
            dtype=example.dtype,
            origin=_origin(transformer, method, rows),
        )
        size = _batch_size(batch_size, rows.row_bytes + example.nbytes)
        for path in writer.paths:
            if path.exists() and path.samefile(source):
                raise ValueError(
                    f"{source} is {path}, which would be written over: give another target."
                )
        with writer.opened(resume=resume, overwrite=overwrite):
            report(writer.n_done, rows.n_rows)
            last = time.monotonic()
            side = "y" if method == "inverse_transform" else "X"
            with _batches([rows], writer.n_done, size) as batches:
                for start, (batch,) in batches:
                    with _naming_rows(start, {side: batch}, rows.path):
                        out = _checked_rows(
                            getattr(transformer, method)(batch), len(batch), example
                        )
                    writer.write(out)
                    if time.monotonic() - last >= _SECONDS_BETWEEN_CHECKPOINTS:
                        writer.checkpoint()
                        last = time.monotonic()
                    report(writer.n_done, rows.n_rows)
            rows.check_unchanged()
            writer.finish()
    return np.load(target, mmap_mode="r")


def partial_fit_files(
    translator: Any,
    X: FilePath,
    y: FilePath,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    progress: Progress = False,
) -> Any:
    """Learn from the paired rows of two ``.npy`` files, batch by batch.

    ``translator.partial_fit`` on every batch, in the files' order. What the translator has seen
    before counts too: several pairs of files are several calls.

    For the linear translators the map is that of one ``fit`` on all rows. Exception: where
    `RidgeTranslator` or `LOrthoTranslator` chooses its strength (or `RidgeTranslator` restores
    variance), it judges from the statistics of the batches instead of by leaving rows out, and may
    choose differently. So may ``shrink_to="auto"``, whose folds are then made within each batch.

    Parameters
    ----------
    translator : estimator
        A linear translator, or any estimator with ``partial_fit(X, y)``. It is changed in place.

    X : str or path
        A ``.npy`` file of shape (n_samples, d_source) in C order, as `numpy.save` writes it.

    y : str or path
        Likewise (n_samples, d_target) or (n_samples,); row i of both is the same item.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights, in memory; passed on batch by batch.

    batch_size : int or None, default=None
        Rows of a batch; None for about 64 MB of both files together.

    progress : bool or callable, default=False
        True for a line on standard error about every second; or a function ``(rows done, all
        rows)``, called at the start and after each batch.

    Returns
    -------
    estimator
        The translator.

    Raises
    ------
    TypeError
        If the translator is a class or has no ``partial_fit``, or a file is given as anything but
        its path.
    ValueError
        If the files have different numbers of rows or cannot be read by rows, before anything is
        learned; or if a batch is refused: the message says which rows, and all before have been
        learned.

    See Also
    --------
    transform_file : Transform one file into another.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn_latent import LstsqTranslator
    >>> from sklearn_latent.streaming import partial_fit_files
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(1000, 8)), rng.normal(size=(1000, 6))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = Path(folder, "X.npy"), Path(folder, "y.npy")
    ...     np.save(files[0], X)
    ...     np.save(files[1], y)
    ...     translator = partial_fit_files(LstsqTranslator(), *files, batch_size=300)
    >>> np.allclose(translator.coef_, LstsqTranslator().fit(X, y).coef_)
    True
    """
    report = _reporter(progress)
    _refuse_class(translator)
    if not hasattr(translator, "partial_fit"):
        raise TypeError(
            f"{type(translator).__name__} has no partial_fit and cannot learn from batches: give a "
            "linear one, such as ProcrustesTranslator or RidgeTranslator, or fit on a sample."
        )
    with RowReader(X) as source, RowReader(y) as target:
        n_rows = source.n_rows
        if target.n_rows != n_rows:
            raise ValueError(
                f"{source.path} has {n_rows} rows and {target.path} has {target.n_rows}: row i of "
                "both must be the same item."
            )
        # not as it is: some containers slice by labels
        weights = None if sample_weight is None else to_numpy(sample_weight)
        if weights is not None and weights.shape != (n_rows,):
            raise ValueError(
                f"sample_weight has shape {weights.shape}; expected one weight for each "
                f"of the {n_rows} rows: ({n_rows},)."
            )
        size = _batch_size(batch_size, source.row_bytes + target.row_bytes)
        report(0, n_rows)
        with _batches([source, target], 0, size) as batches, _without_names():
            for start, (X_rows, y_rows) in batches:
                stop = start + len(X_rows)
                weight = () if weights is None else (weights[start:stop],)
                sides = {"X": X_rows, "y": y_rows}
                with _naming_rows(start, sides, source.path, target.path):
                    translator.partial_fit(X_rows, y_rows, *weight)
                report(stop, n_rows)
    return translator


def _batch_size(batch_size, row_bytes):
    if batch_size is None:
        return max(1, _BATCH_BYTES // max(row_bytes, 1))
    check_number("batch_size", batch_size, minimum=1, integer=True)
    return int(batch_size)


@contextlib.contextmanager
def _batches(
    files: Sequence[RowReader], start: int, size: int
) -> Iterator[Iterator[tuple[int, list[np.ndarray]]]]:
    """First row and arrays of each batch; the next is read while one is worked on.

    Nothing is read any more once the ``with`` block is left, so that the files can be closed.
    """
    with ThreadPoolExecutor(1) as thread:
        yield _read_ahead(thread, files, start, size)


def _read_ahead(thread, files, start, size):
    n_rows = files[0].n_rows

    def read(first):
        return [file.read(first, min(first + size, n_rows)) for file in files]

    ahead = thread.submit(read, start) if start < n_rows else None
    while ahead is not None:
        batch, following = ahead.result(), start + size
        ahead = thread.submit(read, following) if following < n_rows else None
        yield start, batch
        start = following


def _checked_rows(rows, n_rows, like):
    """What a transformer returned for `n_rows` rows, as an array of the dtype of all batches."""
    rows = np.asarray(rows)
    if rows.shape[:1] != (n_rows,) or rows.dtype.hasobject:
        raise ValueError(
            f"the transformer returned an array of shape {rows.shape} and dtype {rows.dtype} for "
            f"{n_rows} rows; expected a dense array of numbers with as many rows."
        )
    if like is not None and (rows.dtype != like.dtype or rows.shape[1:] != like.shape[1:]):
        raise ValueError(
            f"the transformer returned rows of shape {rows.shape[1:]} and dtype {rows.dtype}; "
            f"expected {like.shape[1:]} and {like.dtype}, as for the first row alone."
        )
    return rows


def _origin(transformer, method, rows):
    """What makes the target what it is: another origin, another target."""
    # Pickled and back first: that brings arrays into one memory layout, which is hashed as well.
    try:
        same_everywhere = pickle.loads(pickle.dumps(transformer))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"{type(transformer).__name__} cannot be pickled ({error}), and its pickle is how a "
            "call that goes on after an interruption knows it again. Use functions that a module "
            "defines by name in place of lambdas and functions inside functions."
        ) from error
    return {
        "transformer": f"{type(transformer).__name__} {joblib.hash(same_everywhere)}",
        "method": method,
        "source": rows.fingerprint,
    }


def _refuse_class(estimator):
    if isinstance(estimator, type):
        raise TypeError(
            f"Got {estimator.__name__}: pass an instance, not the class: {estimator.__name__}()."
        )


@contextlib.contextmanager
def _without_names():
    """Without scikit-learn's warning that rows lack the names of columns, as those of files do."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
        yield


@contextlib.contextmanager
def _naming_shape(rows):
    """Say in a ValueError of what shape is the file whose first row was refused."""
    try:
        yield
    except NotFittedError:
        raise
    except ValueError as error:
        shape = f"{rows.shape[1]} columns" if len(rows.shape) == 2 else f"shape {rows.shape}"
        raise ValueError(f"{rows.path} has {shape}, and its first row fails: {error}") from error


@contextlib.contextmanager
def _naming_rows(start, sides, *paths):
    """Say in a ValueError which rows of which files were refused; `sides` are those by name."""
    try:
        yield
    except NotFittedError:
        raise
    except ValueError as error:
        message, n_rows = str(error), len(next(iter(sides.values())))
        if "contains NaN" in message or "contains infinity" in message:
            # by the number of the row in the file, not in the batch
            try:
                for name, rows in sides.items():
                    check_finite(name, rows, paired=len(sides) > 1, first_row=start)
            except ValueError as in_file:
                message = str(in_file)
        where = f"Rows {start} to {start + n_rows - 1} of {' and '.join(map(str, paths))}"
        raise ValueError(f"{where}: {message}") from error


def _reporter(progress: Progress) -> Callable[[int, int], Any]:
    if callable(progress):
        return progress
    if not isinstance(progress, bool):
        raise TypeError(
            f"progress must be True, False or a function (rows done, all rows); got {progress!r}."
        )
    return _Lines() if progress else lambda n_done, n_rows: None


class _Lines:
    """Progress as lines on standard error: rows, share, and rows a second of this call."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()
        self.first: int | None = None

    def __call__(self, n_done: int, n_rows: int) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first = n_done
            if n_done > 0:
                print(f"resumed at row {n_done:,} of {n_rows:,}", file=sys.stderr, flush=True)
        if n_done < n_rows and now - self.last < _SECONDS_BETWEEN_LINES:
            return
        self.last = now
        rate = (n_done - self.first) / max(now - self.began, 1e-9)
        print(
            f"{n_done:,} of {n_rows:,} rows ({n_done / n_rows:.0%}), {rate:,.0f} rows/s",
            file=sys.stderr,
        )
