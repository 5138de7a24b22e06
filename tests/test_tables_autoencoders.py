"""The papers' tables of autoencoders: training, transfer, and every script's smoke run."""

from __future__ import annotations

import csv
import importlib
import pickle
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pytest

from sklearn_latent import LstsqTranslator, MLPTranslator, RelativeProjector

torch = pytest.importorskip("torch")

TABLES = Path(__file__).resolve().parents[1] / "benchmarks" / "tables"
PICTURES = {"maiorca_reconstructions", "maiorca_fig8_images", "laehner_figures"}
SMOKE = "Smoke run on data made on the spot: the figures mean nothing."
STORED = sorted(
    PICTURES
    | {"laehner_tables", "laehner_architectures"}
    | {f"maiorca_table{i}" for i in (3, 4, 8)}
)


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
def auto(tables):
    return tables("_autoencoders")


@pytest.fixture(scope="module")
def images(tables):
    return tables("_images").load_images("mnist", None, fast=True)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    monkeypatch.delenv("SKLEARN_LATENT_DATA", raising=False)


@pytest.mark.parametrize("name", STORED)
def test_smoke(tables, cache, tmp_path, capsys, name):
    pytest.importorskip("matplotlib")
    paths = ["--csv", str(tmp_path / "t.csv"), "--out", str(tmp_path / "t.png")]
    main = tables(name).main
    main(["--fast", "--cache", str(cache), *paths])
    printed = capsys.readouterr().out
    assert "torch " + torch.__version__ in printed
    assert printed.splitlines().count(SMOKE) == 1
    assert "Data: scikit-learn's digits, enlarged (400 + 200 images)." in printed
    words = ("Maiorca et al", "Lähner & Moeller", "mnist", "MNIST")
    assert [word for word in words if word in printed] == []
    # No cell has the paper's figure in parentheses.
    assert not re.search(r"\d \(\d", "".join(printed.partition("\n|")[1:]))
    lines = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) > 5
    assert all(np.isfinite(float(row["ours"])) for row in rows)
    assert (tmp_path / "t.png").is_file() == (name in PICTURES)
    if name not in {"maiorca_reconstructions", "laehner_figures"}:
        # Again: nothing is computed anew.
        main(["--fast", "--cache", str(cache), *paths])
        assert "\n0 cells computed" in capsys.readouterr().out


def trained(auto, images, **settings):
    recipe = auto.Recipe(**{"architecture": "mlp", "n_latent": 6, "seed": 0, **SHORT, **settings})
    base = auto.train(recipe.absolute(), images.train) if recipe.relative == "decoder" else None
    state = auto.train(recipe, images.train, base)
    return auto.Autoencoder(recipe, state), state, base


SHORT = {"epochs": 1, "batch_size": 32}


@pytest.mark.parametrize("architecture", ["mlp", "conv", "wide conv"])
@pytest.mark.parametrize("output", ["sigmoid", "linear"])
def test_shapes_and_units(auto, images, architecture, output):
    settings = {"pixels": (0.1, 0.3), "output": output, "n_latent": 7}
    autoencoder, state, _ = trained(auto, images, architecture=architecture, **settings)
    latents = autoencoder.encode(images.test)
    decoded = autoencoder.decode(latents)
    assert latents.shape == (200, 7)
    assert decoded.shape == (200, 28, 28)
    assert latents.dtype == decoded.dtype == np.float32
    assert (decoded.min() >= 0 and decoded.max() <= 1) == (output == "sigmoid")
    standard = auto.standardised(images.test, autoencoder.recipe)
    np.testing.assert_allclose(standard, (images.test - 0.1) / 0.3, atol=1e-5)
    # the loss is in the same units: about the variance of the target at the first epoch
    assert 0.2 * standard.var() < state["losses"][0] < 2 * np.mean(standard**2)


def test_training_lowers_the_error(auto, images):
    autoencoder, state, _ = trained(auto, images, epochs=20)
    assert len(state["losses"]) == 20
    decoded = autoencoder.decode(autoencoder.encode(images.train))
    error = np.mean((decoded - images.train) ** 2)
    assert error < 0.8 * np.mean((images.train - images.train.mean(axis=0)) ** 2)
    assert error == pytest.approx(state["losses"][-1], rel=0.05)


@pytest.mark.parametrize("architecture", ["mlp", "wide conv"])
def test_training_is_reproducible_and_leaves_global_state(auto, images, architecture):
    threads, random = torch.get_num_threads(), torch.get_rng_state()
    results = [trained(auto, images, architecture=architecture, seed=s)[1] for s in (0, 0, 1)]
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), random)
    first, again, other = (state["decoder"] for state in results)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not all(np.array_equal(first[name], other[name]) for name in first)


def test_training_has_one_thread_whatever_the_cores(auto, images, monkeypatch):
    build, seen = auto.build, []

    def spying_build(recipe):
        seen.append(torch.get_num_threads())
        return build(recipe)

    monkeypatch.setattr(auto, "build", spying_build)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        auto.train(auto.Recipe("mlp", 6, 0, **SHORT), images.train)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1]


def test_an_image_does_not_depend_on_the_others(auto, images):
    autoencoder = trained(auto, images, architecture="wide conv")[0]
    latents = autoencoder.encode(images.test)
    np.testing.assert_allclose(autoencoder.encode(images.test[:1]), latents[:1], atol=1e-5)
    alone = autoencoder.decode(latents[:1])
    np.testing.assert_allclose(alone, autoencoder.decode(latents)[:1], atol=1e-5)


def test_unit_latents_make_the_decoder_blind_to_scale(auto, images):
    latents = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    for unit in (True, False):
        decode = trained(auto, images, unit_latents=unit)[0].decode
        assert np.allclose(decode(latents), decode(3 * latents), atol=1e-6) == unit


def test_relative_decoder_keeps_the_encoder(auto, images):
    settings = {"relative": "decoder", "n_anchors": 9}
    autoencoder, state, base = trained(auto, images, **settings)
    for name, value in base["encoder"].items():
        np.testing.assert_array_equal(state["encoder"][name], value)
    own = auto.relative_reconstruction(autoencoder, autoencoder, images)
    rows = np.random.default_rng(0).permutation(400)[:9]
    latents, anchors = autoencoder.encode(images.test), autoencoder.encode(images.train[rows])
    distances = np.linalg.norm(latents[:, None] - anchors, axis=2)
    np.testing.assert_allclose(own, autoencoder.decode(distances), atol=1e-4)
    with pytest.raises(ValueError, match="needs the trained encoder"):
        auto.train(autoencoder.recipe, images.train)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_what_is_trained_end_to_end_is_what_is_used(auto, images, metric):
    """The similarities inside training are RelativeProjector's."""
    recipe = auto.Recipe("mlp", 6, 0, **SHORT, relative="end2end", n_anchors=9, metric=metric)
    encoder, _ = auto.build(recipe)
    pixels = torch.from_numpy(images.train[:40, None])
    rows = torch.arange(12)  # some of which are anchors: similarities to themselves too
    with torch.no_grad():
        inside = auto._reconstruct(recipe, encoder, lambda relative: relative, pixels, rows)
        latents = encoder(pixels).numpy()
    projector = RelativeProjector(metric=metric).fit(latents[auto.anchor_rows(40, 9)])
    np.testing.assert_allclose(inside, projector.transform(latents[:12]), atol=1e-3)


def test_end_to_end_training_is_finite_where_an_anchor_is_in_the_batch(auto, images):
    _, state, _ = trained(auto, images, relative="end2end", n_anchors=50)
    for part in ("encoder", "decoder"):
        assert all(np.isfinite(value).all() for value in state[part].values())


def test_anchors_are_distinct_and_nested(auto):
    rows = auto.anchor_rows(100, 30, seed=4)
    assert len(set(rows)) == 30
    np.testing.assert_array_equal(auto.anchor_rows(100, 10, seed=4), rows[:10])
    assert not np.array_equal(auto.anchor_rows(100, 30, seed=5), rows)


def make_run(tables, folder, **options):
    """What Models needs of a run that is not a smoke run."""
    options = SimpleNamespace(**{"jobs": 1, "device": "cpu", **options})
    lines = []
    return SimpleNamespace(
        options=options,
        fast=False,
        cache=tables("_cache").Cache(folder, "t"),
        fingerprint=lambda *arrays: str(sum(float(array.sum()) for array in arrays)),
        progress=lines.append,
        lines=lines,
    )


def test_models_trained_at_once_are_those_trained_one_by_one(tables, auto, images, tmp_path):
    recipe = auto.Recipe("mlp", 6, 0, **SHORT)
    wanted = [recipe, replace(recipe, relative="decoder", n_anchors=9), replace(recipe, seed=1)]
    latents = {}
    for jobs in (1, 2):
        run = make_run(tables, tmp_path / str(jobs), jobs=jobs)
        models = auto.Models(run)
        # Starting processes takes seconds: here the same work is done in this one.
        with joblib.parallel_config(backend="sequential"):
            models.train(wanted, images)
        kept = sorted(path.name for path in (tmp_path / str(jobs) / "models").iterdir())
        assert len(kept) == len(run.lines) == 3
        assert "mnist-mlp-6-decoder-euclidean-9-0" in " ".join(kept)
        latents[jobs] = [models.autoencoder(r, images).encode(images.test) for r in wanted]
    np.testing.assert_array_equal(latents[1], latents[2])
    # the encoder of the relative decoder is the first
    np.testing.assert_array_equal(latents[1][0], latents[1][1])
    assert not np.array_equal(latents[1][0], latents[1][2])


def test_tasks_can_be_sent_to_other_processes(tables, auto, images, tmp_path):
    models = auto.Models(make_run(tables, None))
    task = models._task(auto.Recipe("mlp", 6, 0, **SHORT), images)
    sent, cache = pickle.loads(pickle.dumps((task, tables("_cache").Cache(tmp_path, "t"))))
    assert sent == task
    auto._keep_quietly(sent, cache)
    (kept,) = (tmp_path / "models").iterdir()
    assert kept.name.startswith("mnist-mlp-6-0-")
    assert joblib.load(kept)["losses"] == models.get(task)["losses"]


def test_other_recipes_and_images_have_other_keys(tables, auto, images, tmp_path):
    models = auto.Models(make_run(tables, tmp_path))
    recipe = auto.Recipe("mlp", 6, 0, **SHORT)
    changed = [replace(recipe, **change) for change in ({"seed": 1}, {"epochs": 2})]
    darker = replace(images, name="darker", train=images.train / 2)
    keys = [models.key(recipe, images), models.key(recipe, darker)]
    keys += [models.key(other, images) for other in changed]
    assert len({str(key) for key in keys}) == 4


@pytest.fixture
def transfer(tables, auto, images, tmp_path):
    common = tables("common")
    parser = common.make_parser(None, seeds=1)
    auto.add_training_arguments(parser)
    run = common.Run("t", parser, ["--fast"])
    return tables("_laehner").Transfer(run, auto.Models(run), images)


def test_transfer_to_itself_is_no_transfer(auto, transfer):
    recipe = auto.Recipe("mlp", 6, 0, **SHORT)
    native = transfer.native(recipe)
    autoencoder = transfer.autoencoder(recipe)
    decoded = autoencoder.decode(autoencoder.encode(transfer.images.test))
    assert native == pytest.approx(np.mean((decoded - transfer.images.test) ** 2), rel=1e-5)
    linear = LstsqTranslator(scaling=None)
    assert transfer.direct(recipe, recipe, linear, None) == pytest.approx(native, rel=1e-4)
    for n_rows in (None, 100):
        error = transfer.without_pairs(recipe, recipe, LstsqTranslator(), n_rows)
        assert error == pytest.approx(native, rel=1e-2)
    relative = replace(recipe, relative="end2end", n_anchors=9)
    assert transfer.relative(relative, relative) == transfer.native(relative)


def test_transfer_between_trainings_costs_something(auto, transfer):
    recipe = auto.Recipe("mlp", 6, 0, epochs=8, batch_size=32)
    other = replace(recipe, seed=1)
    linear = transfer.direct(recipe, other, LstsqTranslator(scaling=None), None)
    few = transfer.direct(recipe, other, LstsqTranslator(scaling=None), 6, 0)
    assert transfer.native(other) < linear < few
    draws = {transfer.direct(recipe, other, LstsqTranslator(scaling=None), 9, d) for d in (0, 1)}
    assert len(draws) == 2

    source, target = transfer.autoencoder(recipe), transfer.autoencoder(other)
    X, Y = (side.encode(transfer.images.train).astype(np.float64) for side in (source, target))
    matrix = np.linalg.lstsq(X, Y, rcond=None)[0]
    decoded = target.decode(source.encode(transfer.images.test) @ matrix)
    assert linear == pytest.approx(np.mean((decoded - transfer.images.test) ** 2), rel=1e-3)


def test_printed_spreads_are_thousandths(tables):
    assert tables("_laehner").thousandths(0.646, 3.0) == (0.646, pytest.approx(0.003))


def test_rows_of_pictures(tables):
    pictures = tables("_pictures")
    labels = np.array([1, 0, 1, 2, 0])
    np.testing.assert_array_equal(pictures.first_of_each_class(labels), [1, 0, 3])
    figure = importlib.import_module("matplotlib.figure").Figure()
    panel = figure.subplots()
    rows = {"a": np.zeros((3, 4, 4)), "b": np.ones((3, 4, 4))}
    pictures.draw_rows(panel, "title", rows)
    shown = panel.images[0].get_array()
    assert shown.shape == (8, 12)
    np.testing.assert_array_equal(shown[:4], 0)
    np.testing.assert_array_equal(shown[4:], 1)
    assert [label.get_text() for label in panel.get_yticklabels()] == ["a", "b"]
    assert list(panel.get_yticks()) == [2, 6]


def test_every_pair_has_its_own_stitching_network(tables):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)).astype(np.float32)
    translator = MLPTranslator(max_iter=2, device="cpu", random_state=0)
    fit_network = tables("laehner_tables").fit_network
    first, second = fit_network(translator, X, X), fit_network(translator, X, -X)
    assert not np.allclose(first.transform(X), second.transform(X))
