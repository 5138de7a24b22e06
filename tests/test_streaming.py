"""Files: the same rows as in memory, each once, whatever interrupts the work."""

import contextlib
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import SGDRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_latent import (
    KernelTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    ZeroPadder,
    streaming,
)
from sklearn_latent.streaming import partial_fit_files, transform_file

from .estimators import LINEAR, TRANSLATORS, is_chosen_by_rows, make_pair, one_line

N = 100
X, Y = make_pair(N)
TRANSLATOR = LstsqTranslator().fit(X, Y)


@pytest.fixture
def source(tmp_path):
    return saved(tmp_path / "X.npy", X)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "translated.npy"


@pytest.fixture
def checkpoints(monkeypatch):
    monkeypatch.setattr(streaming, "_SECONDS_BETWEEN_CHECKPOINTS", 0)


def saved(path, array):
    np.save(path, array)
    return path


def beside(target):
    return sorted(path.name for path in target.parent.glob(target.name + "?*"))


class Interrupted(Exception):
    pass


def stop_at(n_stop):
    """A progress function that interrupts as soon as so many rows are done."""

    def progress(n_done, n_rows):
        if n_done >= n_stop:
            raise Interrupted(f"at {n_done}")

    return progress


def interrupt(source, target, n_stop, **kwargs):
    with pytest.raises(Interrupted, match=f"at {n_stop}"):
        transform_file(
            TRANSLATOR, source, target, batch_size=10, progress=stop_at(n_stop), **kwargs
        )


class Recorder(BaseEstimator):
    """Passes rows through, less their last column, and notes how many came at a time."""

    def transform(self, rows):
        type(self).seen.append(len(rows))
        return rows[:, :-1]


# --- transform --------------------------------------------------------------------------------


@pytest.mark.parametrize("translator", TRANSLATORS, ids=one_line)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_target_is_what_transform_gives_in_memory(translator, source, target):
    fitted = clone(translator).fit(X, Y)
    found = transform_file(fitted, source, target, batch_size=30)
    expected = fitted.transform(X)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(np.load(target), found)
    assert beside(target) == []


@pytest.mark.parametrize("batch_size", [None, 1, 7, 99, 100, 1000])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", ">f8"])
def test_any_batch_size_and_dtype(batch_size, dtype, tmp_path, target):
    rows = X.astype(dtype)
    found = transform_file(
        TRANSLATOR, saved(tmp_path / "rows.npy", rows), target, batch_size=batch_size
    )
    expected = TRANSLATOR.transform(rows)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert found.dtype == expected.dtype


def test_each_row_is_transformed_once_and_in_order(source, target):
    Recorder.seen = []
    found = transform_file(Recorder(), source, target, batch_size=30)
    assert Recorder.seen == [1, 30, 30, 30, 10]  # one row tells the dtype
    np.testing.assert_array_equal(found, X[:, :-1])


def test_pipelines_and_other_methods(source, target, tmp_path):
    pipeline = make_pipeline(StandardScaler(), ZeroPadder(8), ProcrustesTranslator()).fit(X, Y)
    found = transform_file(pipeline, str(source), str(target), batch_size=30)
    np.testing.assert_allclose(found, pipeline.transform(X))
    one_column = LstsqTranslator().fit(X, Y[:, 0])
    found = transform_file(one_column, source, tmp_path / "1.npy", method="predict", batch_size=30)
    assert found.shape == (N,)
    np.testing.assert_allclose(found, one_column.predict(X))
    back = transform_file(
        TRANSLATOR, saved(tmp_path / "Y.npy", Y), tmp_path / "2.npy", method="inverse_transform"
    )
    np.testing.assert_allclose(back, TRANSLATOR.inverse_transform(Y))


def test_frames_as_output_become_arrays(source, target):
    pytest.importorskip("pandas")
    fitted = LstsqTranslator().set_output(transform="pandas").fit(X, Y)
    np.testing.assert_allclose(transform_file(fitted, source, target), TRANSLATOR.transform(X))


def test_source_is_left_as_it_is(source, target):
    before = source.read_bytes()
    transform_file(TRANSLATOR, source, target)
    assert source.read_bytes() == before


def test_progress_is_told_by_rows(source, target, capsys):
    told = []
    transform_file(
        TRANSLATOR, source, target, batch_size=40, progress=lambda *rows: told.append(rows)
    )
    assert told == [(0, 100), (40, 100), (80, 100), (100, 100)]
    transform_file(TRANSLATOR, source, target, overwrite=True, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"100 of 100 rows \(100%\), [\d,]+ rows/s\n", err)


def test_progress_says_where_it_went_on(source, target, capsys):
    interrupt(source, target, 40)
    transform_file(TRANSLATOR, source, target, progress=True)
    first, last = capsys.readouterr().err.splitlines()
    assert first == "resumed at row 40 of 100"
    assert last.startswith("100 of 100 rows")


# --- resuming ---------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [10, 7, 1000])
def test_resuming_does_the_rest_alone(batch_size, source, target):
    interrupt(source, target, 40)
    assert not target.exists()
    told = []
    found = transform_file(
        TRANSLATOR,
        source,
        target,
        batch_size=batch_size,
        progress=lambda *rows: told.append(rows[0]),
    )
    assert told[0] == 40
    np.testing.assert_allclose(found, TRANSLATOR.transform(X))
    assert beside(target) == []


def test_interrupted_time_and_again(source, target):
    for n_stop in range(10, 100, 10):
        interrupt(source, target, n_stop)
    np.testing.assert_allclose(transform_file(TRANSLATOR, source, target), TRANSLATOR.transform(X))


def test_rows_that_were_not_known_to_be_written_are_written_again(source, target):
    interrupt(source, target, 40)
    partial = target.with_name(target.name + ".partial")
    with open(partial, "ab") as file:  # a batch of which the journal knows nothing, torn
        file.write(b"\xff" * 33_333)
    np.testing.assert_allclose(transform_file(TRANSLATOR, source, target), TRANSLATOR.transform(X))
    expected = saved(target.with_name("expected.npy"), TRANSLATOR.transform(X))
    assert target.stat().st_size == expected.stat().st_size


KILLED = """
import os, pickle, signal, sys
from sklearn_latent import streaming
streaming._SECONDS_BETWEEN_CHECKPOINTS = float(sys.argv[5])

def progress(n_done, n_rows):
    if n_done >= int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)

with open(sys.argv[1], "rb") as file:
    translator = pickle.load(file)
streaming.transform_file(translator, sys.argv[2], sys.argv[3], batch_size=7, progress=progress)
"""


@pytest.mark.parametrize(("seconds", "n_known"), [(0, 56), (1000, 0)])
def test_resumed_after_a_kill(seconds, n_known, source, target, tmp_path):
    (tmp_path / "translator").write_bytes(pickle.dumps(TRANSLATOR))
    arguments = [tmp_path / "translator", source, target, "60", str(seconds)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    told = []
    found = transform_file(
        TRANSLATOR, source, target, batch_size=9, progress=lambda *rows: told.append(rows[0])
    )
    assert told[0] == (n_known + 7 if n_known else 0)
    np.testing.assert_allclose(found, TRANSLATOR.transform(X))
    assert beside(target) == []


def test_a_translator_loaded_from_disk_is_the_same(source, target):
    streamed = ProcrustesTranslator(scaling="l2").partial_fit(X[:50], Y[:50])
    streamed.partial_fit(X[50:], Y[50:])
    loaded = pickle.loads(pickle.dumps(streamed))
    with pytest.raises(Interrupted, match="at 40"):
        transform_file(streamed, source, target, batch_size=10, progress=stop_at(40))
    np.testing.assert_allclose(transform_file(loaded, source, target), streamed.transform(X))


@pytest.mark.parametrize("change", ["transformer", "method", "source", "target"])
def test_another_origin_is_not_mixed_in(change, source, target):
    interrupt(source, target, 40)
    other, method, what = TRANSLATOR, "transform", change
    if change == "transformer":
        other = LstsqTranslator().fit(X, Y + 1e-9)
    elif change == "method":
        method = "predict"
    elif change == "source":
        modified = os.stat(source).st_mtime_ns
        saved(source, X[::-1])
        os.utime(source, ns=(modified + 1, modified + 1))
    else:  # a transformer that is the same but for what it returns
        what = "transformer and another target"
        other = LstsqTranslator().fit(X, Y[:, :2])
    with pytest.raises(ValueError, match=rf"was begun with another {what}: it cannot be resumed"):
        transform_file(other, source, target, method=method)
    assert not target.exists()
    found = transform_file(other, source, target, method=method, resume=False)
    np.testing.assert_allclose(found, getattr(other, method)(np.load(source)))


def test_not_resuming_begins_anew(source, target):
    interrupt(source, target, 40)
    Recorder.seen = []
    transform_file(Recorder(), source, target, batch_size=50, resume=False)
    assert Recorder.seen == [1, 50, 50]


def test_partial_file_without_a_journal_counts_for_nothing(source, target):
    interrupt(source, target, 40)
    target.with_name(target.name + ".partial.json").unlink()
    told = []
    found = transform_file(TRANSLATOR, source, target, progress=lambda *rows: told.append(rows[0]))
    assert told[0] == 0
    np.testing.assert_allclose(found, TRANSLATOR.transform(X))


def test_journal_of_a_finished_file_counts_for_nothing(source, target):
    interrupt(source, target, 40)
    target.with_name(target.name + ".partial").unlink()
    found = transform_file(TRANSLATOR, source, target)
    np.testing.assert_allclose(found, TRANSLATOR.transform(X))


def test_journal_of_a_removed_file_blocks_no_other_transformer(source, target):
    interrupt(source, target, 40)
    target.with_name(target.name + ".partial").unlink()
    other = ProcrustesTranslator().fit(X, X[:, ::-1])
    np.testing.assert_allclose(transform_file(other, source, target), other.transform(X))


@pytest.mark.parametrize("damage", ["partial is cut", "partial is another", "journal is no JSON"])
def test_damage_is_noticed(damage, source, target):
    interrupt(source, target, 40)
    partial, journal = (
        target.with_name(target.name + end) for end in (".partial", ".partial.json")
    )
    message = "has not the 40 rows that .* counts. Start anew"
    if damage == "partial is cut":
        os.truncate(partial, 1000)
    elif damage == "partial is another":
        saved(partial.with_suffix(".npy"), np.zeros((N, 3))).rename(partial)
    else:
        journal.write_text("{", "utf-8")
        message = "is damaged. Start anew"
    with pytest.raises(ValueError, match=message):
        transform_file(TRANSLATOR, source, target)
    found = transform_file(TRANSLATOR, source, target, resume=False)
    np.testing.assert_allclose(found, TRANSLATOR.transform(X))


def test_rows_that_are_refused_are_named_and_those_before_are_kept(tmp_path, target):
    dirty = X.copy()
    dirty[45] = np.nan
    source = saved(tmp_path / "dirty.npy", dirty)
    message = (
        r"Rows 40 to 49 of .*dirty\.npy: Input X contains NaN in row 45 \(column 0\); 1 row in"
    )
    with pytest.raises(ValueError, match=message):
        transform_file(TRANSLATOR, source, target, batch_size=10)
    assert json.loads(target.with_name(target.name + ".partial.json").read_text())["rows"] == 40
    assert not target.exists()


# --- what can go wrong around the files -------------------------------------------------------


def test_target_is_not_overwritten_unasked(source, target):
    saved(target, np.zeros(3))
    with pytest.raises(FileExistsError, match="is there already: give another name, or overwrite"):
        transform_file(TRANSLATOR, source, target)
    np.testing.assert_array_equal(np.load(target), np.zeros(3))
    assert beside(target) == []
    interrupt(source, target, 40, overwrite=True)
    np.testing.assert_array_equal(np.load(target), np.zeros(3))  # until all is done
    found = transform_file(TRANSLATOR, source, target, overwrite=True)
    np.testing.assert_allclose(found, TRANSLATOR.transform(X))


def test_two_processes_do_not_write_one_target(source, target):
    fcntl = pytest.importorskip("fcntl")
    with open(target.with_name(target.name + ".partial"), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OSError, match=r"another process\. Wait for it, or give another"):
            transform_file(TRANSLATOR, source, target)


def test_source_that_changes_meanwhile_is_noticed(source, target):
    def touch(n_done, n_rows):
        os.utime(source, ns=(n_done, n_done))

    with pytest.raises(ValueError, match="was changed while it was read"):
        transform_file(TRANSLATOR, source, target, progress=touch)
    assert not target.exists()


def test_source_that_is_cut_meanwhile_is_noticed(source, target):
    def cut(n_done, n_rows):
        os.truncate(source, 2000)

    with pytest.raises(ValueError, match=r"ends before row .*: it was cut after opening"):
        transform_file(TRANSLATOR, source, target, batch_size=10, progress=cut)


def test_a_disk_that_is_too_small_is_noticed_at_once(source, target, monkeypatch):
    usage = shutil.disk_usage(target.parent)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match=r"0\.0 GB are needed and 0\.0 GB are free\. Free some room"):
        transform_file(TRANSLATOR, source, target)


def test_a_disk_that_gets_full_keeps_what_is_written(source, target, checkpoints):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"Could not write rows 50 to 59 .*: make room and call"):
            transform_file(TRANSLATOR, source, target, batch_size=10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    told = []
    found = transform_file(TRANSLATOR, source, target, progress=lambda *rows: told.append(rows[0]))
    assert told[0] == 50
    np.testing.assert_allclose(found, TRANSLATOR.transform(X))


def test_a_folder_that_is_not_there_is_named(source, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere of the target does not exist: create"):
        transform_file(TRANSLATOR, source, tmp_path / "nowhere" / "target.npy")
    with pytest.raises(FileNotFoundError, match="nothing"):
        transform_file(TRANSLATOR, tmp_path / "nothing.npy", tmp_path / "target.npy")


BAD_FILES = {
    "Fortran order": (lambda path: np.save(path, np.asfortranarray(X)), "is in Fortran order"),
    "no rows": (lambda path: np.save(path, X[:0]), "has no rows"),
    "no dimension": (lambda path: np.save(path, 1.0), "has no rows: its shape is"),
    "objects": (lambda path: np.save(path, X.astype(object)), "cannot be read by rows"),
    "cut": (lambda path: (np.save(path, X), os.truncate(path, 500)), "rows: it is truncated, sho"),
    "cut header": (lambda path: (np.save(path, X), os.truncate(path, 50)), "rows: it is truncated"),
    "text": (lambda path: path.write_text("1,2,3"), "cannot be read by rows"),
    "empty": (lambda path: path.write_text(""), "cannot be read by rows"),
    "archive": (
        lambda path: (np.savez(path.with_suffix(""), X=X), path.with_suffix(".npz").rename(path)),
        "is an archive: save the array alone",
    ),
}


@pytest.mark.parametrize(("write", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_files_that_cannot_be_read_by_rows_are_refused(write, message, tmp_path, target):
    path = tmp_path / "bad.npy"
    write(path)
    for call in (
        lambda: transform_file(TRANSLATOR, path, target),
        lambda: partial_fit_files(LstsqTranslator(), path, path),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert not target.exists()


class Odd(BaseEstimator):
    def __init__(self, kind="fewer"):
        self.kind = kind

    def transform(self, rows):
        if self.kind == "fewer":
            return rows[1:]
        if self.kind == "objects":
            return rows.astype(object)
        return rows.astype("float32" if len(rows) == 1 else "float64")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("fewer", r"returned an array of shape \(0, 6\) and dtype float64 for 1 rows; expected"),
        ("objects", "dtype object for 1 rows; expected a dense array of numbers"),
        ("dtype", r"Rows 0 to 99 .* dtype float64; expected \(6,\) and float32, as for the first"),
    ],
)
def test_transformers_that_are_not_by_row_are_refused(kind, message, source, target):
    with pytest.raises(ValueError, match=message):
        transform_file(Odd(kind), source, target)


def test_bad_parameters(source, target):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        transform_file(LstsqTranslator(), source, target)
    for batch_size, error in [(0, ValueError), (1.5, TypeError), ("all", TypeError)]:
        with pytest.raises(error, match="batch_size"):
            transform_file(TRANSLATOR, source, target, batch_size=batch_size)
    assert beside(target) == []


# --- learning ---------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 13, 1000])
@pytest.mark.parametrize("translator", LINEAR, ids=one_line)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_files_are_learned_as_the_rows_in_memory(translator, batch_size, source, tmp_path):
    target = saved(tmp_path / "Y.npy", Y)
    weight = np.arange(N) % 3
    for given in ((), (weight,)):
        streamed = clone(translator)
        assert (
            partial_fit_files(streamed, source, target, *given, batch_size=batch_size) is streamed
        )
        expected = clone(translator)
        if is_chosen_by_rows(translator):
            size = batch_size or N
            for i in range(0, N, size):
                expected.partial_fit(*(side[i : i + size] for side in (X, Y, *given)))
        else:
            expected.fit(X, Y, *given)
        np.testing.assert_allclose(streamed.coef_, expected.coef_, rtol=1e-7, atol=1e-9)
        np.testing.assert_array_equal(streamed.anchor_indices_, expected.anchor_indices_)


def test_several_pairs_of_files_add_up(tmp_path):
    streamed, told = LstsqTranslator(), []
    for i in range(0, N, 25):
        pair = (
            saved(tmp_path / f"{name}{i}.npy", side[i : i + 25]) for name, side in zip("XY", (X, Y))
        )
        partial_fit_files(streamed, *pair, batch_size=10, progress=lambda *rows: told.append(rows))
    np.testing.assert_allclose(streamed.coef_, TRANSLATOR.coef_)
    assert told[:5] == [(0, 25), (10, 25), (20, 25), (25, 25), (0, 25)]


def test_other_estimators_with_one_column(source, tmp_path):
    target = saved(tmp_path / "y.npy", Y[:, 0])
    streamed = partial_fit_files(SGDRegressor(random_state=0), source, target, batch_size=25)
    expected = SGDRegressor(random_state=0)
    for i in range(0, N, 25):
        expected.partial_fit(X[i : i + 25], Y[i : i + 25, 0])
    np.testing.assert_array_equal(streamed.coef_, expected.coef_)


def test_pairs_that_do_not_match_teach_nothing(source, tmp_path):
    fewer, streamed = saved(tmp_path / "fewer.npy", Y[1:]), LstsqTranslator()
    with pytest.raises(ValueError, match=r"X\.npy has 100 rows and .*fewer\.npy has 99: row i of"):
        partial_fit_files(streamed, source, fewer)
    for weight in (np.ones(99), np.ones((N, 1)), 1.0):
        with pytest.raises(ValueError, match="expected one weight for each of the 100 rows"):
            partial_fit_files(streamed, source, source, weight)
    with pytest.raises(AttributeError, match="coef_"):
        streamed.coef_  # noqa: B018


def test_pairs_that_are_refused_are_named(source, tmp_path):
    dirty = Y.copy()
    dirty[45] = np.inf
    target, streamed = saved(tmp_path / "dirty.npy", dirty), LstsqTranslator()
    with pytest.raises(
        ValueError,
        match=r"Rows 40 to 49 of .*X\.npy and .*dirty\.npy: Input y con.* in row 45 .*both",
    ):
        partial_fit_files(streamed, source, target, batch_size=10)
    np.testing.assert_allclose(streamed.coef_, LstsqTranslator().fit(X[:40], Y[:40]).coef_)


# --- memory -----------------------------------------------------------------------------------


def anonymous_memory():
    """What the process holds besides pages of files, in MB."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_memory_does_not_grow_with_the_files(tmp_path, target):
    X_long, Y_long = make_pair(200_000, 64, 64, dtype="float32")  # 51 MB each
    sources = saved(tmp_path / "X.npy", X_long), saved(tmp_path / "Y.npy", Y_long)
    small = X_long[:1000].copy(), Y_long[:1000].copy()
    del X_long, Y_long
    peak = []

    def watch(n_done, n_rows):
        peak.append(anonymous_memory())

    translator = LstsqTranslator().fit(*small)
    translator.transform(small[0])
    start = anonymous_memory()
    partial_fit_files(translator, *sources, batch_size=5000, progress=watch)
    transform_file(translator, sources[0], target, batch_size=5000, progress=watch)
    assert len(peak) == 82
    assert max(peak) - start < 25
    with contextlib.suppress(FileNotFoundError):
        target.unlink()


@pytest.mark.parametrize("translator", LINEAR, ids=one_line)
def test_going_back_does_not_make_it_another_translator(translator, source, target):
    translator = clone(translator).fit(X, Y)
    with pytest.raises(Interrupted, match="at 40"):
        transform_file(translator, source, target, batch_size=10, progress=stop_at(40))
    translator.inverse_transform(Y)
    np.testing.assert_allclose(transform_file(translator, source, target), translator.transform(X))


def test_a_file_is_not_its_own_target(tmp_path):
    np.save(tmp_path / "X.npy", X)
    with pytest.raises(ValueError, match="would be written over: give another target"):
        transform_file(TRANSLATOR, tmp_path / "X.npy", tmp_path / "." / "X.npy", overwrite=True)
    np.testing.assert_array_equal(np.load(tmp_path / "X.npy"), X)


def test_another_kind_of_file_is_named_as_such(tmp_path):
    np.savetxt(tmp_path / "X.csv", X)
    with pytest.raises(ValueError, match=r"it is no \.npy file, as numpy\.save writes it"):
        transform_file(TRANSLATOR, tmp_path / "X.csv", tmp_path / "out.npy")


def test_the_module_is_an_attribute_of_the_package():
    code = "import sklearn_latent; sklearn_latent.streaming.transform_file"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_cannot_learn_from_batches_is_named(tmp_path):
    for name, side in (("X", X), ("y", Y)):
        np.save(tmp_path / f"{name}.npy", side)
    with pytest.raises(TypeError, match="KernelTranslator has no partial_fit"):
        partial_fit_files(KernelTranslator(), tmp_path / "X.npy", tmp_path / "y.npy")


@pytest.mark.parametrize("ending", [".partial", ".partial.json", ".partial.json.new"])
def test_a_source_under_the_name_of_a_file_beside_the_target_is_kept(tmp_path, target, ending):
    source = target.with_name(target.name + ending)
    with open(source, "wb") as file:
        np.save(file, X)
    with pytest.raises(ValueError, match="would be written over"):
        transform_file(TRANSLATOR, source, target)
    with open(source, "rb") as file:
        assert np.array_equal(np.load(file), X)


def test_a_source_under_two_names_is_kept(source, tmp_path):
    os.link(source, tmp_path / "other.npy")
    with pytest.raises(ValueError, match="would be written over"):
        transform_file(TRANSLATOR, source, tmp_path / "other.npy", overwrite=True)
    assert np.array_equal(np.load(source), X)


def test_the_other_order_of_bytes_does_not_double_the_file(tmp_path, target):
    swapped = saved(tmp_path / "swapped.npy", X.astype(">f4"))
    assert transform_file(TRANSLATOR, swapped, target).dtype == np.float32


def test_rows_are_named_whichever_step_refuses_them_and_whatever_the_method(tmp_path, target):
    dirty = X.copy()
    dirty[45, 2] = np.nan
    source = saved(tmp_path / "dirty.npy", dirty)
    pipeline = make_pipeline(ZeroPadder(8), LstsqTranslator()).fit(X, Y)
    with pytest.raises(ValueError, match=r"Input X contains NaN in row 45 \(column 2\)"):
        transform_file(pipeline, source, target, batch_size=10)
    back = LstsqTranslator().fit(Y, X)
    with pytest.raises(ValueError, match=r"Input y contains NaN in row 45 \(column 2\)"):
        transform_file(
            back, source, target, method="inverse_transform", batch_size=10, resume=False
        )


def test_a_file_of_another_shape_is_told_from_a_bad_row(tmp_path, target):
    narrow, flat = saved(tmp_path / "narrow.npy", X[:, :5]), saved(tmp_path / "flat.npy", X[:, 0])
    with pytest.raises(
        ValueError, match=r"narrow\.npy has 5 columns, and .*: X has 5 features, but"
    ):
        transform_file(TRANSLATOR, narrow, target)
    with pytest.raises(
        ValueError, match=r"flat\.npy has shape \(100,\), and .*: Expected 2D array"
    ):
        transform_file(TRANSLATOR, flat, target)


@pytest.mark.parametrize("folder", [".", "", "..", "existing"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_is_no_target(folder, overwrite, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "existing").mkdir()
    with pytest.raises(IsADirectoryError, match=r"is a folder: give the file to write, as .*npy"):
        transform_file(TRANSLATOR, source, folder, overwrite=overwrite)


def test_arrays_are_no_files(source, target):
    message = r"Expected the path of a \.npy file; got ndarray\. .* call the estimator's own method"
    for call in (
        lambda: transform_file(TRANSLATOR, X, target),
        lambda: transform_file(TRANSLATOR, source, np.empty_like(X)),
        lambda: partial_fit_files(LstsqTranslator(), source, Y),
    ):
        with pytest.raises(TypeError, match=message):
            call()


def test_a_class_is_no_estimator(source, target):
    for call in (
        lambda: transform_file(LstsqTranslator, source, target),
        lambda: partial_fit_files(LstsqTranslator, source, source),
    ):
        with pytest.raises(TypeError, match=r"instance, not the class: LstsqTranslator\(\)\."):
            call()


def test_what_cannot_be_pickled_is_told_why_it_should(source, target):
    steps = FunctionTransformer(lambda rows: rows), LstsqTranslator()
    with pytest.raises(
        TypeError, match=r"Pipeline cannot be pickled .* functions that a module def"
    ):
        transform_file(make_pipeline(*steps).fit(X, Y), source, target)
    assert beside(target) == []


@pytest.mark.parametrize("progress", ["yes", 1, None])
def test_progress_is_a_switch_or_a_function(progress, source, target):
    for call in (
        lambda: transform_file(TRANSLATOR, source, target, progress=progress),
        lambda: partial_fit_files(LstsqTranslator(), source, source, progress=progress),
    ):
        with pytest.raises(TypeError, match="progress must be True, False or a function"):
            call()


def test_files_are_not_warned_of_for_lacking_names(source, target, tmp_path):
    pd = pytest.importorskip("pandas")
    X_named, Y_named = pd.DataFrame(X).add_prefix("x"), pd.DataFrame(Y).add_prefix("y")
    pipeline = make_pipeline(StandardScaler(), LstsqTranslator()).fit(X_named, Y_named)
    named = LstsqTranslator().fit(X_named, Y_named)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transform_file(pipeline, source, target, batch_size=30)
        partial_fit_files(named, source, saved(tmp_path / "Y.npy", Y), batch_size=30)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        named.transform(X)
