"""The papers' tables: every script's smoke run, the cache, the data, the decoders, the report."""

from __future__ import annotations

import csv
import gzip
import importlib
import json
import re
import sys
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_latent import RelativeProjector

TABLES = Path(__file__).resolve().parents[1] / "benchmarks" / "tables"
NEED_TORCH = {"maiorca_table5", "maiorca_table6", "maiorca_fig13"}
PICTURES = {"maiorca_fig3", "maiorca_fig4", "maiorca_fig5", "maiorca_fig8", "maiorca_fig13", "irp"}
SMOKE = "Smoke run on data made on the spot: the figures mean nothing."
STORED = sorted(PICTURES | {f"maiorca_table{i}" for i in (1, 2, 5, 6)})


@pytest.fixture(scope="module")
def tables():
    """Imports a module of the tables; all are forgotten afterwards, since names are common."""
    before, path = set(sys.modules), list(sys.path)
    sys.path.insert(0, str(TABLES))
    yield importlib.import_module
    sys.path[:] = path
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if Path(file).is_relative_to(TABLES.parent):
            del sys.modules[name]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    monkeypatch.delenv("SKLEARN_LATENT_DATA", raising=False)


def read_csv(path):
    """The comment lines and the rows of a table's CSV."""
    lines = path.read_text(encoding="utf-8").splitlines()
    notes = [line for line in lines if line.startswith("#")]
    return notes, list(csv.DictReader(lines[len(notes) :]))


def assert_smoke(printed):
    """A smoke run says once what it is, and nothing of the paper or the data it has not."""
    assert printed.splitlines().count(SMOKE) == 1
    words = ("Maiorca et al", "cifar10", "CIFAR10", "mnist", "MNIST")
    assert [word for word in words if word in printed] == []
    # A figure with the paper's in parentheses would stand in a cell of its own.
    cells = [line for line in printed.splitlines() if line.startswith("|")][1:]
    assert not any(re.search(r"\d \(\d", line) for line in cells)


@pytest.mark.parametrize("name", STORED)
def test_smoke(tables, cache, tmp_path, capsys, name):
    pytest.importorskip("matplotlib")
    if name in NEED_TORCH:
        pytest.importorskip("torch")
    paths = ["--csv", str(tmp_path / "t.csv"), "--out", str(tmp_path / "t.png")]
    main = importlib.import_module(name).main
    main(["--fast", "--cache", str(cache), *paths])
    printed = capsys.readouterr().out
    assert "numpy " + np.__version__ in printed
    assert "Data: scikit-learn's digits through random networks (350 + 150 items; " in printed
    assert "Seeds: 0 to " in printed
    assert_smoke(printed)
    notes, rows = read_csv(tmp_path / "t.csv")
    assert notes[0].startswith(f"# python benchmarks/tables/{name}.py --fast")
    assert len(rows) > 5
    assert all(np.isfinite(float(row["ours"])) for row in rows if row["ours"])
    assert (tmp_path / "t.png").is_file() == (name in PICTURES)

    # Again: nothing is computed anew, and the figures are the same.
    main(["--fast", "--cache", str(cache), *paths])
    assert "\n0 cells computed" in capsys.readouterr().out
    assert read_csv(tmp_path / "t.csv")[1] == rows


def test_kernel_takes_fewer_draws(tables, cache, tmp_path, capsys, monkeypatch):
    main, target = tables("maiorca_table1").main, tmp_path / "t.csv"
    found, captions = {}, []
    monkeypatch.setattr(tables("common").Run, "header", lambda _, text: captions.append(text))
    for n in (1, 2):
        main(["--fast", "--cache", str(cache), "--csv", str(target), "--kernel-seeds", str(n)])
        rows = read_csv(target)[1]
        assert ("kernel (ours): 1 of 2 draws." in captions[-1]) == (n == 1)
        found[n] = {row["method"]: row for row in rows}
    counts = [found[1]["kernel (ours)"]["n"], found[2]["kernel (ours)"]["n"]]
    assert counts == ["6", "12"]
    del found[1]["kernel (ours)"], found[2]["kernel (ours)"]
    assert found[1] == found[2]
    assert found[1]["ridge (ours)"]["n"] == "12"


def test_fast_leaves_nothing_behind(tables, tmp_path, monkeypatch, capsys):
    common = tables("common")
    monkeypatch.setattr(common, "EXPECTED", tmp_path / "expected")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    run = common.Run("demo", None, ["--fast"])
    run.cell({}, lambda: {"x": 1})
    run.finish([common.Entry({"a": 1}, 0.5)])
    assert list(tmp_path.iterdir()) == []
    run = common.Run("demo", None, [])
    run.cell({}, lambda: {"x": 1})
    run.finish([common.Entry({"a": 1}, 0.5)])
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {"expected/demo.csv", ".cache/sklearn_latent/tables/demo.jsonl"}


def test_cells_are_computed_once(tables, tmp_path):
    make = tables("_cache").Cache
    calls = []

    def compute():
        calls.append(1)
        return {"x": np.float32(0.5)}

    cache = make(tmp_path, "t")
    for _ in range(2):
        figures = cache.cell({"a": 1, "b": [2]}, compute, code="1")
        assert figures["x"] == 0.5
    assert make(tmp_path, "t").cell({"b": [2], "a": 1}, compute, code="1") == figures
    assert len(calls) == 1
    make(tmp_path, "t").cell({"a": 2, "b": [2]}, compute, code="1")
    make(tmp_path, "t").cell({"a": 1, "b": [2]}, compute, code="2")
    make(tmp_path, "other").cell({"a": 1, "b": [2]}, compute, code="1")
    assert len(calls) == 4
    make(tmp_path, "t", any_code=True).cell({"a": 1, "b": [2]}, compute, code="3")
    assert len(calls) == 4


def test_killed_runs_lose_one_cell_at_most(tables, tmp_path):
    make = tables("_cache").Cache
    cache = make(tmp_path, "t")
    for i in range(2):
        cache.cell({"i": i}, lambda i=i: {"x": i})
    path = tmp_path / "t.jsonl"
    path.write_text(path.read_text()[:-8])
    again = make(tmp_path, "t")
    assert again.cell({"i": 0}, lambda: {"x": 7})["x"] == 0
    assert again.cell({"i": 1}, lambda: {"x": 8})["x"] == 8
    assert make(tmp_path, "t").cell({"i": 1}, lambda: {"x": 9})["x"] == 8


def test_models_are_trained_once(tables, tmp_path):
    make = tables("_cache").Cache
    assert make(tmp_path, "t").model("m", {"a": 1}, lambda: [1]) == [1]
    assert make(tmp_path, "u").model("m", {"a": 1}, lambda: [2]) == [1]
    assert make(tmp_path, "t").model("m", {"a": 2}, lambda: [2]) == [2]
    before = set((tmp_path / "models").iterdir())
    with pytest.raises(TypeError, match="pickle"):
        make(tmp_path, "t").model("m", {"a": 3}, lambda: (i for i in ()))
    assert set((tmp_path / "models").iterdir()) == before


def write_idx(path, array, magic):
    header = magic.to_bytes(4, "big") + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def test_images_from_a_folder_and_from_openml_agree(tables, tmp_path, monkeypatch):
    images = tables("_images")
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(256, size=(7, 28, 28)), np.arange(7) % 3
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part, rows in (("train", slice(5)), ("t10k", slice(5, None))):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", pixels[rows], 0x803)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels[rows], 0x801)
    found = images.load_images("mnist", tmp_path)
    np.testing.assert_array_equal(found.train * np.float32(255), pixels[:5])
    np.testing.assert_array_equal(found.test_label, labels[5:])
    assert found.train.dtype == np.float32

    def fetch(name, **options):
        assert name == "mnist_784"
        return pixels.reshape(7, -1), labels.astype(str)

    monkeypatch.setattr(images, "fetch_openml", fetch)
    monkeypatch.setattr(images, "N_TRAIN", 5)
    public = images.load_images("mnist", None)
    for part in ("train", "train_label", "test", "test_label"):
        np.testing.assert_array_equal(getattr(public, part), getattr(found, part))

    write_idx(folder / "train-images-idx3-ubyte.gz", labels, 0x801)
    with pytest.raises(ValueError, match="begins with 0x801, an IDX file of this kind with 0x803"):
        images.load_images("mnist", tmp_path)
    with pytest.raises(ValueError, match="no images 'letters'; there are: mnist, fashion_mnist"):
        images.load_images("letters", tmp_path)


def report_of(common, tmp_path, capsys, *arguments):
    """What a run prints, says on the way, and writes of one figure that is also the paper's."""
    target = tmp_path / "t.csv"
    run = common.Run("demo", None, [*arguments, "--cache", str(tmp_path), "--csv", str(target)])
    run.images("fashion_mnist")
    run.header("Table 1 of the paper.")
    labels = {"data": "fashion_mnist", "anchors": 7}
    run.progress("fashion_mnist: done")
    run.finish([common.entry_of(labels, [0.25, 0.25], (0.625, 0.125))], wide_by="anchors")
    printed, progress = capsys.readouterr()
    return printed, progress.splitlines()[-1], read_csv(target)[1][0]


def test_a_smoke_run_says_so(tables, tmp_path, capsys):
    printed, progress, row = report_of(tables("common"), tmp_path, capsys, "--fast")
    assert_smoke(printed)
    assert "Data: scikit-learn's digits, enlarged (400 + 200 images). Seeds: 0 to 1." in printed
    assert "| digits | 0.25 ± 0.00 |" in printed
    assert progress.endswith("] digits: done")
    assert row["data"] == "digits"
    assert row["paper"] == row["paper_spread"] == row["difference"] == ""


def test_the_picture_of_a_smoke_run_says_so(tables, tmp_path):
    pytest.importorskip("matplotlib")
    run = tables("common").Run("demo", None, ["--fast", "--out", str(tmp_path / "t.png")])
    run.images("mnist")
    figure = run.figure()
    figure.subplots().set_title("mnist, ortho")
    run.finish([tables("common").Entry({"a": 1}, 0.5)], figure=figure)
    assert [text.get_text() for text in figure.texts] == [SMOKE]
    assert figure.axes[0].get_title() == "digits, ortho"


def test_a_full_run_has_the_papers_figures(tables, tmp_path, capsys, monkeypatch):
    common, load = tables("common"), tables("_images").load_images
    monkeypatch.setattr(common, "load_images", lambda name, *_, **__: load(name, None, fast=True))
    printed, progress, row = report_of(common, tmp_path, capsys)
    assert SMOKE not in printed
    assert "\nTable 1 of the paper.\n" in printed
    assert "Data: fashion_mnist (scikit-learn's digits, enlarged; 400 + 200 images)." in printed
    assert "| fashion_mnist | 0.25 ± 0.00 (0.62 ± 0.12) |" in printed
    assert "| 0.250 ± 0.000 | 0.625 ± 0.125 | -0.375     |" in printed
    assert progress.endswith("] fashion_mnist: done")
    assert (row["data"], row["paper"], row["difference"]) == ("fashion_mnist", "0.625", "-0.375")


@pytest.fixture
def refused(capsys):
    """What a script says against its arguments; it exits with code 2."""

    def refused(main, *arguments):
        with pytest.raises(SystemExit, match=r"^2$"):
            main([str(argument) for argument in arguments])
        return capsys.readouterr().err.split("error: ", 1)[1]

    return refused


def test_missing_latents_are_named(tables, tmp_path, refused, monkeypatch):
    main, target = tables("maiorca_table1").main, tmp_path / "t.csv"
    message = "No latents: name their folder with --data DIR or in SKLEARN_LATENT_DATA;"
    assert refused(main, "--csv", target).startswith(message)
    nowhere = tmp_path / "nowhere"
    assert refused(main, "--data", nowhere) == (
        f"There is no folder {nowhere}: --data wants an existing one.\n"
    )
    assert "has no latents of the paper's data sets" in refused(main, "--data", tmp_path)
    named = "--data", tmp_path, "--data-sets", "trec"
    assert "There is no data set 'trec' in" in refused(main, *named)
    irp = tables("irp").main
    assert refused(irp).startswith("No data: name the folder with --data DIR")
    assert "There is no data set 'cifar10' in" in refused(irp, "--data", tmp_path)
    (tmp_path / "trec_latents").mkdir()
    np.savez(tmp_path / "trec_latents" / "index.npz", train_label=[0], test_label=[0])
    assert "has 0 encoder(s); stitching needs two" in refused(main, "--data", tmp_path)
    monkeypatch.setenv("SKLEARN_LATENT_DATA", str(nowhere))
    assert refused(main).startswith(f"There is no folder {nowhere}")
    assert "--seeds must be at least 1." in refused(main, "--seeds", "0")
    assert not target.exists()


def test_missing_images_are_named(tables, tmp_path, refused, monkeypatch):
    common, images = tables("common"), tables("_images")

    def main(arguments):
        common.Run("demo", None, arguments).images("mnist")

    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    assert refused(main, "--data", tmp_path).startswith(
        f"There is no file {path}: --data wants a folder with mnist/ in it"
    )
    path.parent.mkdir()
    write_idx(path, np.arange(3), 0x801)
    assert "an IDX file of this kind with 0x803" in refused(main, "--data", tmp_path)

    def fetch(*_, **__):
        raise URLError("no network")

    monkeypatch.setattr(images, "fetch_openml", fetch)
    message = "mnist could not be fetched from OpenML (<urlopen error no network>): name the folder"
    assert refused(main).startswith(message)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_svm_without_support_vectors(tables, n_classes):
    X, labels = make_blobs(200, 4, centers=n_classes, cluster_std=6, random_state=0)
    labels = np.array(list("dbeca"))[labels]
    expected = SVC(kernel="linear").fit(X, labels)
    found = tables("_decoders").train_svm(X, labels)
    Z = np.random.default_rng(1).normal(scale=20, size=(500, 4))
    np.testing.assert_array_equal(found.predict(Z), expected.predict(Z))
    np.testing.assert_array_equal(found.predict(0 * Z[:1]), expected.predict(0 * Z[:1]))


def test_mlp_learns_and_repeats(tables):
    torch = pytest.importorskip("torch")
    train = tables("_decoders").train_mlp
    X, labels = make_blobs(300, 20, centers=3, random_state=0)
    torch.manual_seed(5)
    expected = torch.rand(1).item()
    torch.manual_seed(5)
    networks = [train(X, labels, n_epochs=30, seed=seed) for seed in (0, 0, 1)]
    assert torch.rand(1).item() == expected
    assert np.mean(networks[0].predict(X) == labels) > 0.95
    weights = [network.layers[0][0] for network in networks]
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
    assert [w.shape for w, _ in networks[0].layers] == [(20, 20), (10, 20), (3, 10)]


def test_relative_is_a_head_on_relative_latents(tables):
    common, stitching = tables("common"), tables("_stitching")
    run = common.Run("demo", None, ["--fast"])
    data = run.latents("any")
    found = stitching.Stitching(run, data, stitching.SVM).relative("alpha", "beta", 30, 1)
    rows = data.anchors(30, 1)
    source, target = data.encoders["alpha"], data.encoders["beta"]
    head = make_pipeline(RelativeProjector().fit(target.train[rows]), SVC(kernel="linear"))
    head[1].fit(head[0].transform(target.train), data.train_label)
    Z = RelativeProjector().fit(source.train[rows]).transform(source.test)
    assert found["accuracy"] == np.mean(head[1].predict(Z) == data.test_label)


def test_made_latents_are_of_the_same_items(tables):
    data = tables("_latents").load_latents("any", None, fast=True)
    np.testing.assert_array_equal(data.train_label, load_digits().target[:350])
    for rows in data.encoders.values():
        assert (len(rows.train), len(rows.test)) == (350, len(data.test_label))


def test_paper_tables_are_whole(tables):
    paper = tables("_maiorca")
    for table in (paper.TABLE_1, paper.TABLE_2, paper.TABLE_5, paper.TABLE_6):
        assert set(table) == set(paper.NAMES.values())
        assert all(tuple(row) == paper.COLUMNS for row in table.values())
    assert paper.TABLE_1["CIFAR10"]["ortho"] == (0.93, 0.04)
    assert paper.TABLE_2["IMDB"]["linear"] == (0.55, 0.03)
    assert paper.TABLE_5["TREC"]["l-ortho"] == (0.23, 0.08)
    assert paper.TABLE_6["AG News"]["no stitching"] == (0.76, 0.08)


def test_report(tables, tmp_path):
    report = tables("_report")
    entries = [
        report.entry_of({"data set": "A", "method": "m"}, [0.5, 0.7], (0.65, 0.1)),
        report.entry_of({"data set": "A", "method": "k"}, [0.25]),
    ]
    assert entries[0].ours == pytest.approx(0.6)
    assert entries[0].spread == pytest.approx(np.sqrt(0.02))
    assert entries[0].difference == pytest.approx(-0.05)
    lines = report.comparison(entries).splitlines()
    assert lines[2] == "| A        | m      | 0.600 ± 0.141 | 0.650 ± 0.100 | -0.050     |"
    assert lines[3] == "| A        | k      | 0.250         | -             | -          |"
    assert report.wide(entries, "method").splitlines()[2] == (
        "| A        | 0.60 ± 0.14 (0.65 ± 0.10) | 0.25 |"
    )
    report.write_csv(tmp_path / "t.csv", entries, ["one", "two\nlines"])
    notes, rows = read_csv(tmp_path / "t.csv")
    assert notes == ["# one", "# two", "# lines"]
    assert rows[1]["paper"] == rows[1]["difference"] == ""
    assert float(rows[0]["ours"]) == pytest.approx(0.6, abs=1e-6)


def test_keys_are_json(tables, tmp_path):
    run_cell = tables("_cache").Cache(tmp_path, "t").cell
    run_cell({"a": "ä", "b": None}, lambda: {"x": 1.5})
    line = json.loads((tmp_path / "t.jsonl").read_text(encoding="utf-8"))
    assert line["key"] == {"a": "ä", "b": None}
    with pytest.raises(TypeError, match="not JSON serializable"):
        run_cell({"a": np.ones(2)}, lambda: {"x": 1.5})
