"""The benchmark of quality, on folders made on the spot: its protocol, its cache, its tables."""

from __future__ import annotations

import csv
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from sklearn_latent import ProcrustesTranslator

QUALITY = Path(__file__).resolve().parents[1] / "benchmarks" / "quality"
MODULES = ("data", "decoders", "methods", "cells", "reference", "report", "run")
N_CLASSES, N_TRAIN, N_TEST = 3, 60, 40


@pytest.fixture
def quality(monkeypatch):
    """The benchmark's modules, by name; forgotten afterwards, since their names are common."""
    monkeypatch.syspath_prepend(str(QUALITY))
    monkeypatch.delenv("SKLEARN_LATENT_DATA", raising=False)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data set `blobs`: three encoders that are linear images of the same clusters."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("data")
    where = root / "blobs_latents"
    where.mkdir()
    labels = rng.integers(N_CLASSES, size=N_TRAIN + N_TEST)
    items = 4 * rng.normal(size=(N_CLASSES, 4))[labels] + rng.normal(size=(len(labels), 4))
    np.savez(where / "index.npz", train_label=labels[:N_TRAIN], test_label=labels[N_TRAIN:])
    for name, width, dtype in (("a", 4, "f4"), ("b", 6, "f2"), ("c", 5, "f8")):
        Z = (items @ rng.normal(size=(4, width)) + 3).astype(dtype)
        np.savez(where / f"{name}.npz", train=Z[:N_TRAIN], test=Z[N_TRAIN:])
    return root


def rewrite(folder, path, **arrays):
    """A copy of the data set under `folder` with one file replaced."""
    where = path / "blobs_latents"
    where.mkdir()
    for file in (folder / "blobs_latents").iterdir():
        (where / file.name).write_bytes(file.read_bytes())
    for name, content in arrays.items():
        np.savez(where / f"{name}.npz", **content)
    return path


def test_data_are_read(quality, folder):
    data = quality["data"].load(folder, "blobs")
    assert quality["data"].available(folder) == ["blobs"]
    assert [data.encoders[name].train.shape for name in "abc"] == [(60, 4), (60, 6), (60, 5)]
    assert [data.encoders[name].train.dtype for name in "abc"] == ["f4", "f4", "f8"]
    assert sorted(data.pairs()) == [(s, t) for s in "abc" for t in "abc" if s != t]


def test_anchors_are_the_stated_ones(quality, folder):
    data = quality["data"].load(folder, "blobs")
    expected = np.random.default_rng(3).permutation(N_TRAIN)[:10]
    np.testing.assert_array_equal(data.anchors(10, seed=3), expected)
    with pytest.raises(ValueError, match="between 1 and 60 for blobs, got 61"):
        data.anchors(61, seed=0)


def test_where_the_data_are(quality, folder, monkeypatch, tmp_path):
    find = quality["data"].find_folder
    with pytest.raises(FileNotFoundError, match=r"--data DIR or .* SKLEARN_LATENT_DATA"):
        find(None)
    monkeypatch.setenv("SKLEARN_LATENT_DATA", str(folder))
    assert find(None) == folder
    assert find(tmp_path) == tmp_path
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        find(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"no data set 'other' .* there are: blobs"):
        quality["data"].load(folder, "other")


def test_rows_that_do_not_match_the_labels_are_refused(quality, folder, tmp_path):
    Z = np.zeros((N_TRAIN - 1, 4))
    changed = rewrite(folder, tmp_path, a={"train": Z, "test": np.zeros((N_TEST, 4))})
    with pytest.raises(ValueError, match=r"59 training and 40 test rows.*60 and 40 labels"):
        quality["data"].load(changed, "blobs")


def test_one_encoder_makes_no_pair(quality, folder, tmp_path):
    alone = rewrite(folder, tmp_path)
    for name in "bc":
        (alone / "blobs_latents" / f"{name}.npz").unlink()
    with pytest.raises(ValueError, match=r"1 encoder\(s\); stitching needs two"):
        quality["data"].load(alone, "blobs")


@pytest.mark.parametrize("n_classes", [2, 3])
def test_decoder_is_the_stated_classifier(quality, folder, tmp_path, n_classes):
    data = quality["data"].load(folder, "blobs")
    latents, labels = data.encoders["b"], np.minimum(data.train_label, n_classes - 1)
    scaler = StandardScaler().fit(latents.train.astype(float))
    model = LogisticRegression(C=0.01, max_iter=300)
    model.fit(scaler.transform(latents.train.astype(float)), labels)
    predicted = model.predict(scaler.transform(latents.test.astype(float)))
    decoder = quality["decoders"].train(latents.train, labels)
    assert decoder.accuracy(latents.test, predicted) == 1
    wrong = (predicted + 1) % n_classes
    assert decoder.accuracy(latents.test, wrong) == 0


def test_decoder_is_kept_for_the_same_data_alone(quality, folder, tmp_path, monkeypatch):
    data = quality["data"].load(folder, "blobs")
    first = quality["decoders"].decoder_of(data, "a", tmp_path)
    monkeypatch.setattr(quality["decoders"], "train", lambda *_: pytest.fail("trained again"))
    again = quality["decoders"].decoder_of(data, "a", tmp_path)
    np.testing.assert_array_equal(again.coef, first.coef)
    data.encoders["a"].train[0, 0] += 1
    with pytest.raises(pytest.fail.Exception, match="trained again"):
        quality["decoders"].decoder_of(data, "a", tmp_path)


def test_recall_counts_rows_nearest_to_their_partner(quality):
    Latents, recall = quality["data"].Latents, quality["decoders"].recall_at_1
    rng = np.random.default_rng(0)
    Z, centre = rng.normal(size=(30, 5)) + 7, np.full(5, 7.0)
    target = Latents(Z[:0], Z)
    assert recall(Z, target, centre) == 1
    stretched = (Z - centre) * rng.uniform(0.1, 10, size=(30, 1)) + centre
    assert recall(stretched, target, centre) == 1
    swapped = Z.copy()
    swapped[[0, 1]] = Z[[1, 0]]
    assert recall(swapped, target, centre) == pytest.approx(28 / 30)


def test_recall_is_among_the_first_thousand(quality):
    Z = np.random.default_rng(0).normal(size=(1200, 40))
    shuffled = np.concatenate([Z[:1000], Z[:0:-1][:200]])
    target = quality["data"].Latents(Z[:0], Z)
    assert quality["decoders"].recall_at_1(shuffled, target, np.zeros(40)) == 1


def test_reference_is_exact_leave_one_out(quality):
    """Against scikit-learn's ridge refitted without each row."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(15, 6)), rng.normal(size=(15, 4)) * [1, 2, 3, 4]
    y[:, :3] += X[:, :3]
    ridge = quality["reference"].ReferenceRidge(restore=True).fit(X, y)
    Y, s = (y - y.mean(0)) / y.std(0), np.linalg.svd(X - X.mean(0), compute_uv=False)

    def predict_without(i, alpha):
        others = np.arange(len(X)) != i
        return Ridge(alpha=alpha).fit(X[others], Y[others]).predict(X[[i]])[0]

    left_out = {
        alpha: np.array([predict_without(i, alpha) for i in range(len(X))])
        for alpha in np.logspace(-4, 4, 33) * np.mean(s**2)
    }
    best = min(left_out, key=lambda alpha: np.mean((left_out[alpha] - Y) ** 2))
    assert ridge.alpha == pytest.approx(best)
    stretch = np.clip(1 / left_out[best].std(axis=0), 1, 10)
    expected = Ridge(alpha=best).fit(X, Y).predict(X) * stretch * y.std(0) + y.mean(0)
    np.testing.assert_allclose(ridge.transform(X), expected)


def test_digest_follows_the_source(quality, tmp_path, monkeypatch):
    """Of the class's module and, through its imports, of the others in its package."""
    digest, files = quality["methods"].source_digest, {}
    package = tmp_path / "changing"
    package.mkdir()
    for name, text in (
        ("__init__", ""),
        ("shallow", "from .deep import f\nclass Thing:\n    f = f\n"),
        ("deep", "def f():\n    return 1\n"),
        ("unrelated", "g = 1\n"),
    ):
        files[name] = package / f"{name}.py"
        files[name].write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    Thing = importlib.import_module("changing.shallow").Thing
    first = digest(Thing)
    files["unrelated"].write_text("g = 2\n")
    assert digest(Thing) == first
    files["deep"].write_text("def f():\n    return 2\n")
    second = digest(Thing)
    files["shallow"].write_text("from .deep import f\nclass Thing:\n    g = f\n")
    assert len({first, second, digest(Thing)}) == 3


@pytest.fixture
def cells(quality, folder, tmp_path):
    """Runs a method named ortho on `blobs` and returns its results and whether each is new."""
    data = quality["data"].load(folder, "blobs")

    def run(code="1", **options):
        class Ortho(quality["methods"].Method):
            def code(self):
                return code

        methods = {"ortho": Ortho(ProcrustesTranslator)}
        return list(
            quality["cells"].results(data, methods, [10, 20], range(2), tmp_path, **options)
        )

    return run


def test_results_are_those_of_the_protocol(quality, folder, cells):
    data = quality["data"].load(folder, "blobs")
    (result,) = [r for r, _ in cells() if (r.source, r.target, r.n, r.seed) == ("a", "b", 20, 1)]
    rows = np.random.default_rng(1).permutation(N_TRAIN)[:20]
    a, b = data.encoders["a"], data.encoders["b"]
    Z = ProcrustesTranslator().fit(a.train[rows], b.train[rows]).transform(a.test)
    decoder = quality["decoders"].train(b.train, data.train_label)
    assert result.accuracy == decoder.accuracy(Z, data.test_label)
    assert result.recall == quality["decoders"].recall_at_1(Z, b, b.train[rows].mean(axis=0))
    assert result.method == "ProcrustesTranslator()"


def test_nothing_is_computed_twice(cells, monkeypatch):
    first = cells()
    assert len(first) == 6 * 2 * 2
    assert all(new for _, new in first)
    again = cells()
    assert [result for result, _ in again] == [result for result, _ in first]
    assert not any(new for _, new in again)


def test_changed_code_is_computed_again_unless_told_otherwise(cells):
    cells(code="1")
    assert all(new for _, new in cells(code="2"))
    assert not any(new for _, new in cells(code="3", any_code=True))


def make_results(quality, figures, n=100):
    """Results of two pairs a draw: {method: [(pair 1, pair 2) of each draw]}."""
    return [
        quality["cells"].Result("d", n, seed, "a", target, method, value, value / 2, 0.1)
        for method, draws in figures.items()
        for seed, values in enumerate(draws)
        for target, value in zip("bc", values)
    ]


def test_spread_is_over_draws_of_the_means_over_pairs(quality):
    found = make_results(quality, {"M": [(0.1, 0.5), (0.3, 0.5), (0.2, 0.6)]})
    draws = quality["report"].by_draw(found, {"M": "mine"}, "accuracy")
    np.testing.assert_allclose(draws["mine", 100], [0.3, 0.4, 0.4])
    mean, error = quality["report"].mean_and_error(draws["mine", 100])
    assert mean == pytest.approx(1.1 / 3)
    assert error == pytest.approx(np.std([3, 4, 4], ddof=1) / 10 / np.sqrt(3))


def test_table_names_the_papers_best_and_pairs_differences(quality):
    found = make_results(
        quality,
        {"O": [(0.2, 0.2), (0.4, 0.4)], "L": [(0.1,) * 2, (0.6,) * 2], "R": [(0.5,) * 2] * 2},
    ) + make_results(quality, {"O": [(0.9, 0.9), (0.9, 0.9)]}, n=300)
    report, names = quality["report"], {"O": "ortho", "L": "linear", "R": "restored"}
    draws = report.by_draw(found, names, "accuracy")
    lines = report.table(draws, ("ortho", "linear", "affine"), "restored").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len({len(line) for line in lines}) == 1
    assert cells[0] == ["method", "n = 100", "n = 300"]
    assert cells[2] == [
        "*papers' best*", ".350 ± .250 (-150 ± 250) linear", ".900 ± .000 ortho"
    ]  # fmt: skip
    assert cells[3:] == [
        ["ortho", ".300 ± .100 (-200 ± 100)", ".900 ± .000"],
        ["linear", ".350 ± .250 (-150 ± 250)", "-"],
        ["restored", ".500 ± .000", "-"],
    ]


def test_command_prints_tables_and_writes_every_result(quality, folder, tmp_path, capsys):
    out = tmp_path / "out.csv"
    arguments = ["--data", str(folder), "--n", "10", "30", "--draws", "2", "--csv", str(out)]
    arguments += ["--cache", str(tmp_path), "--methods", "ortho", "linear", "restored"]
    quality["run"].main(arguments)
    text = capsys.readouterr().out
    for part in ("## blobs: 6 ordered pairs of a, b, c", "*papers' best*", "recall@1", "n = 30"):
        assert part in text
    assert "72 fits" in text
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 72
    assert {row["name"] for row in rows} == {"ortho", "linear", "restored"}
    draws = [
        np.mean([float(r["accuracy"]) for r in rows if (r["name"], r["n"], r["seed"]) == key])
        for key in (("ortho", "30", "0"), ("ortho", "30", "1"))
    ]
    assert f"{np.mean(draws):.3f}".removeprefix("0") in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "No data: name the folder with --data"),
        (["--data", "{}", "--methods", "orto"], "no method orto; there are: ortho, linear"),
        (["--data", "{}", "--data-sets", "x"], "no data set 'x'"),
        (["--data", "{}/blobs_latents"], "holds no data set"),
    ],
)
def test_command_says_what_is_wrong(quality, folder, arguments, message):
    with pytest.raises(SystemExit, match=message):
        quality["run"].main([argument.format(folder) for argument in arguments])
