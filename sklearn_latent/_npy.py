"""Rows of ``.npy`` files: read in parts, and written so that a kill loses and doubles none."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

try:
    import fcntl
except ImportError:  # Windows, where two writers of one target are not told apart
    fcntl = None  # type: ignore[assignment]

FilePath = str | os.PathLike[str]


def _as_path(given):
    if not isinstance(given, (str, os.PathLike)):
        raise TypeError(
            f"Expected the path of a .npy file; got {type(given).__name__}. If it is an array in "
            "memory, call the estimator's own method on it, or numpy.save it."
        )
    return Path(given)


class RowReader:
    """Rows of a ``.npy`` file, by plain reads.

    Pages of a memory map would count as the process's own memory until the system takes them back.

    Attributes
    ----------
    fingerprint : dict
        Shape, dtype, size and time of the file when it was opened.
    """

    def __init__(self, path: FilePath):
        self.path = _as_path(path)
        try:
            mapped = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            with open(self.path, "rb") as file:
                other = file.read(6) != b"\x93NUMPY"
            why = "it is no .npy file, as numpy.save writes it" if other else error
            if not other and ("mmap length" in str(error) or "EOF" in str(error)):
                why = "it is truncated, shorter than its header says. Write or copy it again"
            raise ValueError(f"{self.path} cannot be read by rows: {why}.") from error
        if not isinstance(mapped, np.memmap):
            with mapped:
                raise ValueError(f"{self.path} is an archive: save the array alone, by numpy.save.")
        if mapped.ndim == 0 or mapped.shape[0] == 0:
            raise ValueError(f"{self.path} has no rows: its shape is {mapped.shape}.")
        if not mapped.flags.c_contiguous:
            raise ValueError(
                f"{self.path} is in Fortran order, whose rows lie scattered: save "
                "numpy.ascontiguousarray of the array."
            )
        self.shape, self.dtype, self._offset = mapped.shape, mapped.dtype, mapped.offset
        self.n_rows = self.shape[0]
        self.row_bytes = mapped.nbytes // self.n_rows

    def __enter__(self) -> RowReader:
        self._file = open(self.path, "rb", buffering=0)
        self.fingerprint = self._look()
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows from `start` up to `stop`, in a new array."""
        rows = np.empty((stop - start, *self.shape[1:]), dtype=self.dtype)
        view = rows.reshape(-1).view(np.uint8).data
        self._file.seek(self._offset + start * self.row_bytes)
        while len(view) > 0:
            n_read = self._file.readinto(view)
            if not n_read:
                raise ValueError(f"{self.path} ends before row {stop}: it was cut after opening.")
            view = view[n_read:]
        return rows

    def _look(self):
        """What tells this file from another and from itself when changed."""
        status = os.stat(self.path)
        return {
            "shape": list(self.shape),
            "dtype": self.dtype.str,
            "bytes": status.st_size,
            "modified": status.st_mtime_ns,
        }

    def check_unchanged(self) -> None:
        """Raise if the file was written to since it was opened."""
        if self._look() != self.fingerprint:
            raise ValueError(
                f"{self.path} was changed while it was read. Start anew: resume=False."
            )


class RowWriter:
    """Writes a ``.npy`` file from its first row to its last, over several processes if need be.

    The rows go to ``<target>.partial``. The journal beside it says how many of them are known to
    be on the disk, and of what `origin` they are; what lies beyond is written again.

    Attributes
    ----------
    n_done : int
        Rows written.

    paths : tuple of Path
        Of all files that are written, the target first.
    """

    def __init__(
        self, target: FilePath, *, shape: tuple[int, ...], dtype: np.dtype, origin: dict[str, Any]
    ):
        self.target = _as_path(target)
        if self.target.is_dir():
            raise IsADirectoryError(
                f"{self.target} is a folder: give the file to write, as {self.target / 'out.npy'}."
            )
        if not self.target.parent.is_dir():
            raise FileNotFoundError(
                f"The folder {self.target.parent} of the target does not exist: create it first, "
                "or give a target in another."
            )
        self.partial = self.target.with_name(self.target.name + ".partial")
        self.journal = self.target.with_name(self.target.name + ".partial.json")
        self._fresh_journal = self.journal.with_name(self.journal.name + ".new")
        self.paths = (self.target, self.partial, self.journal, self._fresh_journal)
        header = io.BytesIO()
        descr = np.lib.format.dtype_to_descr(dtype)
        np.lib.format.write_array_header_1_0(
            header, {"descr": descr, "fortran_order": False, "shape": shape}
        )
        self._header = header.getvalue()
        self._row_bytes = dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
        self._n_rows = shape[0]
        self._origin = {**origin, "target": {"shape": list(shape), "dtype": dtype.str}}
        self.n_done = 0

    @contextlib.contextmanager
    def opened(self, *, resume: bool, overwrite: bool) -> Iterator[None]:
        """Open for writing after the last row that is there; on an error, keep what is done."""
        self._refuse_target(overwrite)
        descriptor = os.open(self.partial, os.O_RDWR | os.O_CREAT, 0o666)
        with open(descriptor, "r+b", buffering=0) as self._file:
            self._lock()
            self._refuse_target(overwrite)  # which another process may have finished by now
            if not (resume and self._resumed()):
                self._begin()
            self._check_room()
            try:
                yield
            except BaseException:
                with contextlib.suppress(OSError):  # the error at hand says more
                    self.checkpoint()
                raise

    def write(self, rows: np.ndarray) -> None:
        """Append rows."""
        view = np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data
        try:
            while len(view) > 0:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise OSError(
                error.errno,
                f"Could not write rows {self.n_done} to {self.n_done + len(rows) - 1} "
                f"({error.strerror}). Those before are kept: make room and call again",
                str(self.partial),
            ) from error
        self.n_done += len(rows)

    def checkpoint(self) -> None:
        """Wait until the disk has all rows so far, and note their number."""
        os.fsync(self._file.fileno())
        with open(self._fresh_journal, "w", encoding="utf-8") as file:
            json.dump({"rows": self.n_done, "origin": self._origin}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._fresh_journal, self.journal)  # at no moment half a journal

    def finish(self) -> None:
        """Make the partial file the target, all rows being there and on the disk."""
        if self.n_done != self._n_rows:
            raise RuntimeError(f"{self.n_done} of {self._n_rows} rows were written.")
        self.checkpoint()
        if fcntl is None:  # Windows renames no open file; elsewhere the lock is held to the end
            self._file.close()
        os.replace(self.partial, self.target)
        self.journal.unlink()

    def _refuse_target(self, overwrite):
        if self.target.exists() and not overwrite:
            raise FileExistsError(
                f"{self.target} is there already: give another name, or overwrite=True."
            )

    def _lock(self):
        if fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise self._busy() from error
        # Between opening and locking another process may have made it the target.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(self.partial), os.fstat(self._file.fileno())):
                return
        raise self._busy()

    def _busy(self):
        return OSError(
            errno.EBUSY,
            "This file is being written by another process. Wait for it, or give another target",
            str(self.partial),
        )

    def _resumed(self) -> bool:
        """Go to the row after the last that is known to be written, if any is."""
        size = os.fstat(self._file.fileno()).st_size
        if size == 0:  # a journal, if there is one, is of a file that was finished or removed
            return False
        try:
            found = json.loads(self.journal.read_text("utf-8"))
            n_done, origin = found["rows"], found["origin"]
        except FileNotFoundError:
            return False
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self.journal} is damaged. Start anew: resume=False.") from error
        changed = [key for key in self._origin if origin.get(key) != self._origin[key]]
        if changed:
            raise ValueError(
                f"{self.partial} was begun with another {' and another '.join(changed)}: it cannot "
                "be resumed with this one. Give what it was begun with (of a source that was "
                "copied, restore the time of modification too), or start anew: resume=False."
            )
        end = len(self._header) + n_done * self._row_bytes
        header_is_ours = self._file.read(len(self._header)) == self._header
        if not header_is_ours or size < end:
            raise ValueError(
                f"{self.partial} has not the {n_done} rows that {self.journal.name} counts. Start "
                "anew: resume=False."
            )
        self._file.truncate(end)
        self._file.seek(end)
        self.n_done = n_done
        return True

    def _begin(self):
        self.journal.unlink(missing_ok=True)  # first: it must never speak of another partial file
        self._file.seek(0)
        self._file.truncate(0)
        self._file.write(self._header)
        self.n_done = 0
        self.checkpoint()

    def _check_room(self):
        needed = (self._n_rows - self.n_done) * self._row_bytes
        free = shutil.disk_usage(self.partial.parent).free
        if free < needed:
            raise OSError(
                errno.ENOSPC,
                f"{needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free. Free some "
                "room, or give a target on another disk",
                str(self.partial),
            )
