"""The examples: what the command line prints, draws and refuses, and that the numbers are right."""

from __future__ import annotations

import importlib
import io
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC

import sklearn_latent
from sklearn_latent.exceptions import AnchorWarning

ROOT = Path(__file__).resolve().parent.parent
# matplotlib 3.7 calls what a newer pyparsing deprecates; users do not see these.
WARNINGS = ("error", *(f"ignore::DeprecationWarning:matplotlib.{m}" for m in
                       ("_fontconfig_pattern", "_mathtext")))  # fmt: skip
EXPORTED = ("ortho", "linear", "affine")
ICP_ROW = "icp,-no-pairs"


@pytest.fixture
def stitch(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    return importlib.import_module("stitch")


@pytest.fixture
def demo(stitch):
    return importlib.import_module("demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """S (6 columns) rotated into T (8 columns) with a little noise; labels are clusters in S."""
    folder = tmp_path_factory.mktemp("latents")
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 60)
    source = 4 * rng.normal(size=(4, 6))[labels] + rng.normal(size=(240, 6))
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0][:6]
    target = source @ rotation + 3 + 0.05 * rng.normal(size=(240, 8))
    np.save(folder / "S.npy", source.astype(np.float32))
    np.save(folder / "T.npy", target)
    np.save(folder / "y.npy", np.array(list("abcd"))[labels])
    return folder


def run(folder, *arguments):
    """stitch.py in a process of its own, with warnings as errors."""
    flags = [flag for warning in WARNINGS for flag in ("-W", warning)]
    script = str(ROOT / "examples" / "stitch.py")
    return subprocess.run(
        [sys.executable, *flags, script, "--source", "S.npy", "--target", "T.npy", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def read_table(output):
    """{label: {column: text}}; no column holds a blank but two of the labels."""
    for label in ("no stitching", "icp, no pairs"):
        output = output.replace(label, label.replace(" ", "-"))
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("method"))
    head = lines[start].replace("fit seconds", "seconds").split()
    rows = [line.split() for line in lines[start + 1 : lines.index("", start)]]
    return {row[0]: dict(zip(head, row)) for row in rows}


def assert_is_png(path):
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert path.stat().st_size > 10_000


def test_table_and_figure_with_labels(folder, tmp_path):
    arguments = ("--labels", "y.npy", "--anchors", "100", "8", "30", "--output", str(tmp_path))
    done = run(folder, *arguments, "--draws", "2", "--scaling", "center")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    table = read_table(done.stdout)
    assert list(table)[:2] == ["no-stitching", "absolute"]
    assert {*EXPORTED, ICP_ROW} <= set(table)
    native = float(table["no-stitching"]["accuracy"])
    assert native > 0.95
    assert float(table["ortho"]["accuracy"]) == pytest.approx(native, abs=0.02)
    assert float(table["ortho"]["cosine"]) > 0.999
    assert float(table["absolute"]["accuracy"]) < 0.7
    assert table["ortho"]["anchors"] == "100"
    assert table["ortho"]["translator"] == "ProcrustesTranslator"
    assert table["absolute"]["anchors"] == table["no-stitching"]["seconds"] == "-"
    assert f"figure: {tmp_path / 'stitch.png'}" in done.stdout
    assert_is_png(tmp_path / "stitch.png")


def test_table_and_figure_without_labels(folder, tmp_path):
    arguments = ("--methods", "linear", "ortho", "--scaling", "center", "none", "--draws", "1")
    done = run(folder, *arguments, "--output", str(tmp_path / "new" / "folder"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    table = read_table(done.stdout)
    assert list(table) == ["absolute", "linear", "ortho"]
    assert list(table["linear"])[:4] == ["method", "cosine", "MSE", "R²"]
    assert float(table["linear"]["R²"]) < 0.999  # the source is centred and the target is not
    assert_is_png(tmp_path / "new" / "folder" / "stitch.png")


@pytest.mark.parametrize(
    ("methods", "rows"),
    [
        (["ortho", "linear"], ["ortho", "linear"]),
        (["icp", "ortho"], ["ortho", ICP_ROW]),
        (["icp"], [ICP_ROW]),
    ],
)
def test_only_the_named_methods_run(stitch, folder, tmp_path, monkeypatch, capsys, methods, rows):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(folder)
    files = ["--source", "S.npy", "--target", "T.npy", "--labels", "y.npy"]
    rest = ["--draws", "1", "--anchors", "30", "--output", str(tmp_path)]
    stitch.main([*files, "--methods", *methods, *rest])
    printed = capsys.readouterr().out
    assert list(read_table(printed)) == ["no-stitching", "absolute", *rows]
    paired = [label for label in rows if label != ICP_ROW]
    assert (tmp_path / "stitch.png").is_file() == bool(paired)
    assert ("no figure: icp takes no anchors\n" in printed) != bool(paired)
    assert ("anchor sweep, 1 draw: " in printed) == bool(paired)
    assert "1 draws" not in printed


def test_scaling_reaches_the_translator_of_icp(stitch):
    methods = stitch.choose_methods(["icp", "ortho"], ["center", "none"])
    assert methods["icp"].translator.scaling == methods["ortho"].scaling == ("center", None)


def test_exit_code_without_traceback(folder):
    done = run(folder, "--labels", "nowhere.npy")
    assert done.returncode == 2
    assert done.stderr.endswith("error: nowhere.npy: there is no such file\n")
    assert "Traceback" not in done.stderr


@pytest.fixture
def refused(stitch, folder, monkeypatch, capsys):
    """What the command line says against these arguments; it exits with code 2."""
    monkeypatch.chdir(folder)

    def refused(*arguments, source="S.npy", target="T.npy"):
        with pytest.raises(SystemExit, match=r"^2$"):
            stitch.main(["--source", str(source), "--target", str(target), *arguments])
        return capsys.readouterr().err.split("error: ", 1)[1]

    return refused


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((239, 3)),
            "has 239 rows and S.npy has 240: row i of every file must be the same",
        ),
        (np.zeros(240), "has shape (240,), expected (items, dimensions)"),
        (np.zeros((240, 0)), "has shape (240, 0), expected (items, dimensions)"),
        (np.full((240, 3), np.nan), "has values that are NaN or infinite"),
        (np.full((240, 3), np.inf, np.float16), "has values that are NaN or infinite"),
        (np.full((240, 3), "a"), "has dtype <U1, expected real numbers"),
    ],
)
def test_refused_latents(refused, tmp_path, array, message):
    path = tmp_path / "bad.npy"
    np.save(path, array)
    assert f"{path}" in (said := refused(target=path))
    assert message in said


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((240, 1)), "has shape (240, 1), expected (items,)"),
        (np.zeros(240), "at least two classes with at least two items in each; got 1 class(es)"),
        (np.arange(240), "got 240 class(es), the smallest of 1"),
        (np.repeat([0.5, 1.5], 120), "has fractions, expected one class per item"),
        (np.repeat([0, 1], 100), "has 200 rows and S.npy has 240"),
    ],
)
def test_refused_labels(refused, tmp_path, labels, message):
    np.save(tmp_path / "bad.npy", labels)
    assert message in refused("--labels", str(tmp_path / "bad.npy"))


def test_refused_files(refused, tmp_path):
    assert "there is no such file" in refused(source="nowhere.npy")
    assert "cannot be read as .npy" in refused(source=tmp_path)
    path = tmp_path / "text.npy"
    path.write_text("1, 2, 3")
    assert "cannot be read as .npy" in refused(source=path)
    path.write_bytes(b"")
    assert "cannot be read as .npy" in refused(source=path)
    np.savez(tmp_path / "several.npz", a=np.zeros(3))
    assert "holds several arrays" in refused(source=tmp_path / "several.npz")
    assert "text.npy" in refused("--output", str(path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "ortho", "magic"], "there is no method 'magic': choose from ortho, linear"),
        (
            ["--anchors", "10", "169"],
            "--anchors 169: anchors are training rows, so expected 2 to 168",
        ),
        (["--methods", "icp"], "icp sees no pairs and needs classes instead: give --labels"),
        (["--anchors", "1"], "argument --anchors: 1 is not between 2 and inf"),
        (["--anchors", "ten"], "argument --anchors: invalid int value: 'ten'"),
        (
            ["--scaling", "center", "center", "l2"],
            "--scaling takes one value for both sides, or two",
        ),
        (["--scaling", "big"], "argument --scaling: invalid choice: 'big'"),
        (["--test-size", "1"], "argument --test-size: 1 is not between 0.01 and 0.99"),
        (["--labels", "y.npy", "--test-size", "0.01"], "number of classes"),
        (["--draws", "0"], "argument --draws: 0 is not between 1 and inf"),
        (["--decoder", "tree"], "argument --decoder: invalid choice: 'tree'"),
    ],
)
def test_refused_options(refused, arguments, message):
    assert message in refused(*arguments)


def test_split_of_too_few_rows(stitch):
    with pytest.raises(ValueError, match="of 50 rows, expected two on either side"):
        stitch.split_rows(50, None, 0.98, seed=0)


def make_task(stitch, folder):
    source, target = (np.load(folder / name).astype(float) for name in ("S.npy", "T.npy"))
    labels = np.load(folder / "y.npy")
    decoder = SVC(kernel="linear").fit(target[::2], labels[::2])
    return stitch.Task(source[::2], source[1::2], target[::2], target[1::2], labels[1::2], decoder)


def test_numbers_of_the_table(stitch, folder):
    task = make_task(stitch, folder)
    row = stitch.stitch("ortho", sklearn_latent.ProcrustesTranslator(), task, 50, seed=3)
    translator = sklearn_latent.ProcrustesTranslator(n_anchors=50, random_state=3)
    expected = translator.fit(task.source_train, task.target_train).transform(task.source_test)
    assert row.translator.n_anchors_ == 50
    assert row.seconds > 0
    norms = np.linalg.norm(expected, axis=1) * np.linalg.norm(task.target_test, axis=1)
    assert row.cosine == pytest.approx(np.mean(np.sum(expected * task.target_test, axis=1) / norms))
    assert row.mse == pytest.approx(np.mean((expected - task.target_test) ** 2))
    assert row.r2 == pytest.approx(translator.score(task.source_test, task.target_test))
    assert row.accuracy == np.mean(task.decoder.predict(expected) == task.labels_test)
    printed = read_table(stitch.format_table([*stitch.baselines(task), row]) + "\n\n")["ortho"]
    for column in ("accuracy", "cosine"):
        assert printed[column] == f"{getattr(row, column):.3f}"
    assert printed["MSE"] == f"{row.mse:.4g}"


def test_baselines(stitch, folder):
    task = make_task(stitch, folder)
    native, absolute = stitch.baselines(task)
    assert (native.label, native.cosine, native.mse) == ("no stitching", pytest.approx(1), 0)
    assert native.accuracy == task.decoder.score(task.target_test, task.labels_test)
    padded = np.hstack([task.source_test, np.zeros((120, 2))])
    assert absolute.accuracy == task.decoder.score(padded, task.labels_test)
    assert absolute.mse == pytest.approx(np.mean((padded - task.target_test) ** 2))
    (alone,) = stitch.baselines(task._replace(decoder=None))
    assert (alone.label, alone.accuracy, alone.score) == ("absolute", None, absolute.cosine)


def test_sweep_is_reproducible_and_agrees_with_the_table(stitch, folder, capsys):
    task = make_task(stitch, folder)
    methods = stitch.available_methods(["linear", "ortho"])
    first, again = (stitch.sweep(task, methods, [10, 40], seed=7, draws=3) for _ in range(2))
    assert list(first) == ["linear", "ortho"]
    for label, method in methods.items():
        assert first[label].shape == (3, 2)
        np.testing.assert_array_equal(first[label], again[label])
        assert first[label][0, 1] == stitch.stitch(label, method, task, 40, seed=7).accuracy
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * 4
    assert lines[-1].startswith("anchor sweep, 3 draws: 12/12 fits")


def test_progress_on_a_terminal(stitch, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert list(stitch.progress("abcdef", "work")) == list("abcdef")
    written = terminal.getvalue()
    assert written.count("\r") == 6
    assert written.count("\n") == 1
    assert written.endswith("\n")


def test_methods(stitch, monkeypatch, capsys):
    """Every label stands for a class, what is not exported is not there, torch may be missing."""
    methods = stitch.available_methods()
    assert set(EXPORTED) <= set(methods)
    for label, name, _ in stitch.METHODS:
        if hasattr(sklearn_latent, name) and label in methods:
            assert type(methods[label]) is getattr(sklearn_latent, name)
            assert {"n_anchors", "random_state", "scaling"} <= set(methods[label].get_params())
    table = (("ortho", "ProcrustesTranslator", False), ("mlp", "LstsqTranslator", True))
    monkeypatch.setattr(stitch, "METHODS", (*table, ("later", "LaterTranslator", False)))
    monkeypatch.setattr(stitch.importlib.util, "find_spec", lambda name: None)
    capsys.readouterr()
    assert list(stitch.available_methods()) == ["ortho", "icp"]
    assert capsys.readouterr().out == (
        "mlp is left out, it needs PyTorch: pip install 'sklearn_latent[torch]'\n"
    )
    with pytest.raises(ValueError, match="none of these methods can run here"):
        stitch.choose_methods(["mlp"], None)


def test_default_anchors_and_ticks(stitch):
    assert stitch.default_anchors(5) == [5]
    assert stitch.default_anchors(120) == [10, 20, 50, 100]
    assert stitch.default_anchors(10**6)[-1] == 1000
    assert stitch.spaced([7]) == [7]
    assert stitch.spaced([10, 11, 12, 100, 1000]) == [10, 100, 1000]


@pytest.mark.parametrize("decoder", ["svc", "logistic", "knn"])
def test_decoders(stitch, folder, decoder):
    task = make_task(stitch, folder)
    labels = np.load(folder / "y.npy")[::2]
    fitted = clone(stitch.DECODERS[decoder]).fit(task.target_train, labels)
    row = stitch.stitch("ortho", sklearn_latent.ProcrustesTranslator(), task, 60, seed=0)
    stitched = fitted.predict(row.translator.transform(task.source_test))
    assert np.mean(stitched == fitted.predict(task.target_test)) > 0.95


def test_float16_and_integers_are_widened(stitch):
    rows = np.array([1])
    for given, widened in (("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("i8", "f8"), ("u1", "f4")):
        assert stitch.take(np.ones((2, 2), given), rows).dtype == widened


def test_missing_matplotlib(stitch, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SystemExit, match=r"pip install 'sklearn_latent\[plot\]'"):
        stitch.load_matplotlib()


@pytest.mark.parametrize("name", ["plot_anchors", "plot_double_descent"])
def test_gallery_is_silent_about_what_it_provokes(name):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    source = (ROOT / "examples" / "gallery" / f"{name}.py").read_text(encoding="utf-8")
    # Fewer numbers of anchors, one of them about d, so that it takes a second.
    source, n_found = re.subn(r"(?m)^N_ANCHORS = .*$", "N_ANCHORS = [20, 46]", source)
    assert n_found == 1
    namespace = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        filters = list(warnings.filters)
        exec(compile(source, name, "exec"), namespace)
        assert warnings.filters == filters
    pyplot.close(namespace["figure"])
    assert [w.message for w in caught if issubclass(w.category, AnchorWarning)] == []


def test_hidden_layer_of_the_demo(demo):
    """What follows the hidden layer in the network turns it into the network's own output."""
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(40, 5)), np.repeat([0, 1, 2, 3], 10)
    params = {"tol": 0.01, "max_iter": 1000, "random_state": 0}  # early, but converged: no warning
    classifier = MLPClassifier(hidden_layer_sizes=(6, 3), **params)
    autoencoder = MLPRegressor(hidden_layer_sizes=(3,), activation="tanh", **params)
    for mlp, y in ((classifier, labels), (autoencoder, X)):
        encoder = demo.HiddenLayer(mlp).fit(X, y)
        hidden = encoder.transform(X)
        assert hidden.shape == (40, 3)
        assert not hasattr(mlp, "coefs_")
        out = hidden @ encoder.mlp_.coefs_[-1] + encoder.mlp_.intercepts_[-1]
        expected = encoder.mlp_.predict(X)
        np.testing.assert_allclose(out.argmax(1) if y is labels else out, expected)
        with pytest.raises(ValueError, match="expecting 5 features"):
            encoder.transform(X[:, 1:])
