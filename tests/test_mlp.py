"""MLPTranslator against networks and training loops as one writes them in torch."""

import itertools
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.utils.estimator_checks import check_estimator

import sklearn_latent
from sklearn_latent import LstsqTranslator
from sklearn_latent._array import to_numpy
from sklearn_latent.mlp import MLPTranslator
from sklearn_latent.solvers import mlp as solver

torch = pytest.importorskip("torch")

try:
    from sklearn.callback import ProgressBar
except ImportError:
    ProgressBar = None

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SCALINGS = ["standard", "center", "l2", None, ("center", "l2"), ("l2", "standard")]


def pair(n=60, d_source=5, d_target=4, dtype="float64"):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d_source)) * rng.uniform(0.5, 2, d_source) + 1
    y = np.abs(X @ rng.normal(size=(d_source, d_target))) + 3
    return X.astype(dtype), y.astype(dtype)


def short(**params):
    """A translator that takes few and large steps."""
    settings = {"max_iter": 4, "batch_size": 16, "learning_rate_init": 0.01, "random_state": 0}
    return MLPTranslator(**{**settings, "device": "cpu", **params})


def network(translator):
    """The torch module that a fitted translator describes."""
    modules = []
    for coef, intercept in zip(translator.coefs_, translator.intercepts_):
        layer = torch.nn.utils.skip_init(torch.nn.Linear, *coef.shape)
        layer.weight = torch.nn.Parameter(torch.tensor(coef.T))
        layer.bias = torch.nn.Parameter(torch.tensor(intercept))
        modules += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def initial_network(widths, rng):
    """A torch module whose weights are drawn as documented, and `rng` after it."""
    translator = MLPTranslator()
    translator.coefs_, translator.intercepts_ = [], []
    for fan_in, fan_out in itertools.pairwise(widths):
        bound = 1 / np.sqrt(fan_in)
        translator.coefs_.append(rng.uniform(-bound, bound, (fan_in, fan_out)))
        translator.intercepts_.append(rng.uniform(-bound, bound, fan_out))
    return network(translator)


def torch_training(X, y, module, rng, *, lr, batch_size, epochs, weight=None):
    """A training loop as one writes it; the mean loss of each epoch."""
    X, y = torch.tensor(X), torch.tensor(y)
    optimizer, losses = torch.optim.Adam(module.parameters(), lr=lr), []
    for _ in range(epochs):
        order, total = rng.permutation(len(X)), 0
        for start in range(0, len(X), batch_size):
            rows = order[start : start + batch_size]
            if weight is None:
                loss = torch.nn.MSELoss()(module(X[rows]), y[rows])
            else:
                errors = torch.nn.MSELoss(reduction="none")(module(X[rows]), y[rows])
                loss = (torch.tensor(weight[rows])[:, None] * errors).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        losses.append(total / len(X))
    return losses


def assert_same_network(actual, expected, **tolerance):
    for name in ("coefs_", "intercepts_"):
        for ours, theirs in zip(getattr(actual, name), getattr(expected, name), strict=True):
            assert_allclose(ours, theirs, **tolerance)


# What is learned


@pytest.mark.parametrize(
    ("width_factor", "width"), [(1, 5), (2, 10), (0.5, 2), (1.3, 6), (0.01, 1)]
)
def test_three_layers_as_in_equation_3(width_factor, width):
    X, y = pair()
    translator = short(width_factor=width_factor).fit(X, y)
    assert [coef.shape for coef in translator.coefs_] == [(5, width), (width, width), (width, 4)]
    assert [b.shape for b in translator.intercepts_] == [(width,), (width,), (4,)]
    arrays = [*translator.coefs_, *translator.intercepts_]
    assert all(type(array) is np.ndarray for array in arrays)


def test_defaults_are_the_paper_s():
    X, y = pair(n=200)
    params = MLPTranslator().get_params()
    assert (params["learning_rate_init"], params["batch_size"]) == (0.001, 64)
    translator = MLPTranslator(device="cpu", scaling=None, random_state=0, max_iter=3).fit(X, y)
    rng = np.random.RandomState(0)
    module = initial_network((5, 10, 10, 4), rng)
    losses = torch_training(X, y, module, rng, lr=0.001, batch_size=64, epochs=3)
    assert_allclose(translator.loss_curve_, losses)


def scaled_with(kind, rows):
    """Rows scaled, and the function that undoes it for the target's side."""
    if kind == "l2":
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / norms, lambda out: out * norms.mean()
    mean = np.zeros(rows.shape[1]) if kind is None else rows.mean(axis=0)
    std = rows.std(axis=0) if kind == "standard" else np.ones(rows.shape[1])
    return (rows - mean) / std, lambda out: out * std + mean


@pytest.mark.parametrize("d_target", [3, 5, 9])
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-10)])
def test_transform_is_the_network_between_scaled_spaces(dtype, tolerance, scaling, d_target):
    X, y = pair(d_target=d_target, dtype=dtype)
    translator = short(scaling=scaling).fit(X, y)
    out = translator.transform(X)
    assert out.shape == (60, d_target)
    assert out.dtype == dtype
    assert {array.dtype for array in translator.coefs_} == {np.dtype(dtype)}
    source, target = scaling if isinstance(scaling, tuple) else (scaling, scaling)
    scaled, _ = scaled_with(source, X.astype("float64"))
    _, undo = scaled_with(target, y.astype("float64"))
    module = network(translator).double()
    expected = undo(module(torch.tensor(scaled)).detach().numpy())
    assert_allclose(out, expected, rtol=tolerance, atol=tolerance)
    assert_array_equal(translator.predict(X), out)
    assert translator.transform(X.astype("float16")).dtype == "float32"


@pytest.mark.parametrize("weighted", [False, True])
def test_training_is_the_plain_torch_loop(weighted):
    X, y = pair(n=50)
    weight = np.random.default_rng(1).uniform(0.5, 2, size=50) if weighted else None
    translator = short(scaling=None, max_iter=8).fit(X, y, sample_weight=weight)
    rng = np.random.RandomState(0)
    module = initial_network((5, 10, 10, 4), rng)
    relative = weight / weight.mean() if weighted else None
    losses = torch_training(X, y, module, rng, lr=0.01, batch_size=16, epochs=8, weight=relative)
    expected = [p.detach().numpy().T for p in module.parameters()]
    assert_allclose(translator.loss_curve_, losses, rtol=1e-6)
    for i in range(3):
        assert_allclose(translator.coefs_[i], expected[2 * i], rtol=1e-6, atol=1e-6)
        assert_allclose(translator.intercepts_[i], expected[2 * i + 1], rtol=1e-6, atol=1e-6)


def test_a_nonlinear_map_is_learned_better_than_by_least_squares():
    X, y = pair(n=600)
    ours = short(max_iter=40).fit(X[:500], y[:500]).score(X[500:], y[500:])
    assert ours > 0.9 > LstsqTranslator().fit(X[:500], y[:500]).score(X[500:], y[500:])


def test_one_dimensional_targets():
    X, y = pair(d_target=1)
    translator = short().fit(X, y[:, 0])
    assert translator.transform(X).shape == (60, 1)
    assert translator.predict(X).shape == (60,)


def test_there_is_no_way_back():
    X, y = pair()
    assert not hasattr(short(), "inverse_transform")
    assert not hasattr(short().fit(X, y), "inverse_transform")


def test_long_data_are_transformed_in_blocks(monkeypatch):
    X, y = pair()
    translator = short().fit(X, y)
    expected = translator.transform(X)
    monkeypatch.setattr(solver, "_BLOCK_ELEMENTS", 70)
    assert_allclose(translator.transform(X), expected)
    monkeypatch.setattr(solver, "_BLOCK_ELEMENTS", 1)
    assert_allclose(translator.transform(X), expected)


# Randomness


def test_the_seed_decides():
    X, y = pair()
    first, again = short().fit(X, y), short(random_state=np.random.RandomState(0)).fit(X, y)
    assert_same_network(again, first, rtol=0)
    assert first.loss_curve_ == again.loss_curve_ == first.fit(X, y).loss_curve_
    assert short(random_state=1).fit(X, y).loss_curve_ != first.loss_curve_


def numpy_state():
    return np.hstack(np.random.get_state()[1:])  # noqa: NPY002


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0)], ids=["int", "instance"])
def test_global_random_states_are_left_alone(random_state, early_stopping):
    X, y = pair()
    numpys, torchs = numpy_state(), torch.random.get_rng_state()
    short(random_state=random_state, early_stopping=early_stopping, n_anchors=50).fit(X, y)
    assert_array_equal(numpy_state(), numpys)
    assert torch.equal(torch.random.get_rng_state(), torchs)


# Anchors and weights


@pytest.mark.parametrize("scaling", ["standard", "l2"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("n_anchors", [None, 30])
def test_rows_of_weight_zero_are_absent(n_anchors, early_stopping, scaling):
    X, y = pair()
    weight = np.random.default_rng(0).uniform(0.5, 2, 60)
    weight[::3] = 0
    kept = np.flatnonzero(weight)
    translator = short(scaling=scaling, early_stopping=early_stopping, n_anchors=n_anchors)
    weighted = clone(translator).fit(X, y, sample_weight=weight)
    absent = translator.fit(X[kept], y[kept], sample_weight=weight[kept])
    assert_same_network(weighted, absent, rtol=0)
    assert_array_equal(weighted.transform(X), absent.transform(X))
    assert_array_equal(weighted.anchor_indices_, kept[absent.anchor_indices_])
    assert weighted.n_anchors_ == absent.n_anchors_ == (n_anchors or 40)
    assert weighted.loss_curve_ == absent.loss_curve_
    assert weighted.validation_scores_ == absent.validation_scores_


def test_in_one_batch_a_weight_is_a_number_of_repetitions():
    X, y = pair()
    times = np.random.default_rng(0).integers(0, 4, 60)
    translator = short(batch_size=1000, max_iter=20)
    weighted = clone(translator).fit(X, y, sample_weight=times).transform(X)
    repeated = translator.fit(X.repeat(times, axis=0), y.repeat(times, axis=0)).transform(X)
    assert_allclose(weighted, repeated, rtol=1e-7)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_only_the_proportions_of_weights_count(early_stopping):
    X, y = pair()
    weight = np.random.default_rng(0).uniform(0.5, 2, 60)
    translator = short(early_stopping=early_stopping)
    expected = clone(translator).fit(X, y, sample_weight=weight)
    scaled = clone(translator).fit(X, y, sample_weight=1e6 * weight)
    assert_allclose(scaled.transform(X), expected.transform(X))
    assert_allclose(scaled.loss_curve_, expected.loss_curve_)
    equal = clone(translator).fit(X, y, sample_weight=3).transform(X)
    assert_allclose(equal, translator.fit(X, y).transform(X))


@pytest.mark.parametrize("scaling", ["standard", "l2"])
def test_rows_that_are_no_anchors_do_not_matter(scaling):
    X, y = pair()
    translator = short(n_anchors=0.5, scaling=scaling).fit(X, y)
    expected = translator.transform(X)
    rows = translator.anchor_indices_
    assert translator.n_anchors_ == len(rows) == 30
    others = np.setdiff1d(np.arange(60), rows)
    X_other, y_other = X.copy(), y.copy()
    X_other[others] *= 1e3
    y_other[others] += 1e3
    translator.fit(X_other, y_other)
    assert_array_equal(translator.anchor_indices_, rows)
    assert_array_equal(translator.transform(X), expected)
    assert_array_equal(short().fit(X, y).anchor_indices_, np.arange(60))


# When to stop


def first_stop(values, tol, patience):
    """The epoch after which MLPRegressor stops, by its own rules, for values to be raised."""
    best, count = -np.inf, 0
    for epoch, value in enumerate(values, start=1):
        count = count + 1 if value < best + tol else 0
        best = max(best, value)
        if count > patience:
            return epoch
    raise AssertionError("never")


@pytest.mark.parametrize("patience", [1, 4])
@pytest.mark.parametrize("tol", [1e-2, 1e-3])
def test_training_stops_where_the_loss_does_not_improve_by_tol(tol, patience):
    X, y = pair()
    losses = np.array(short(max_iter=200, n_iter_no_change=200).fit(X, y).loss_curve_)
    translator = short(max_iter=200, tol=tol, n_iter_no_change=patience)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        translator.fit(X, y)
    assert translator.n_iter_ == first_stop(-losses, tol, patience) < 200
    assert_array_equal(translator.loss_curve_, losses[: translator.n_iter_])
    assert translator.validation_scores_ is translator.best_validation_score_ is None


def test_max_iter_before_tol_warns():
    X, y = pair()
    translator = short(max_iter=5, tol=1e-12)
    with pytest.warns(ConvergenceWarning, match=r"stopped after max_iter=5 epochs.*Raise max_iter"):
        translator.fit(X, y)
    assert translator.n_iter_ == len(translator.loss_curve_) == 5


@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping_keeps_the_best_weights(weighted):
    X, y = pair()
    y[:, 0] = 4  # a constant, whose R² counts as 0
    weight = np.random.default_rng(0).uniform(0.5, 2, 60) if weighted else None
    settings = {"early_stopping": True, "validation_fraction": 0.3, "scaling": None}
    settings |= {"learning_rate_init": 0.03, "max_iter": 500, "n_iter_no_change": 5}
    translator = short(**settings).fit(X, y, sample_weight=weight)
    scores = translator.validation_scores_
    assert translator.n_iter_ == len(scores) == len(translator.loss_curve_)
    assert translator.n_iter_ == first_stop(scores, 1e-4, 5) < 500
    assert translator.best_validation_score_ == max(scores)
    assert np.argmax(scores) < len(scores) - 1

    rng = np.random.RandomState(0)
    initial_network((5, 10, 10, 4), rng)
    held_out = rng.permutation(60)[:18]
    held_out_weight = weight[held_out] if weighted else None
    ours = r2_score(y[held_out], translator.transform(X[held_out]), sample_weight=held_out_weight)
    assert ours == pytest.approx(max(scores), rel=1e-10)
    until_best = short(**{**settings, "max_iter": int(np.argmax(scores)) + 1})
    assert_same_network(translator, until_best.fit(X, y, sample_weight=weight), rtol=0)


def test_a_constant_column_does_not_decide_the_validation_score():
    X, y = pair()
    y[:, 0] = 0.1  # NumPy's mean of many 0.1 is another number
    translator = short(early_stopping=True, validation_fraction=0.3, scaling=None, max_iter=30)
    assert -1 < translator.fit(X, y).best_validation_score_ < 0.75


def test_held_out_rows_are_not_trained_on():
    X, y = pair()
    rng = np.random.RandomState(0)
    initial_network((5, 10, 10, 4), rng)
    held_out = rng.permutation(60)[:6]
    other = y.copy()
    other[held_out] += 5
    settings = {"early_stopping": True, "scaling": None, "n_iter_no_change": 9}
    losses, other_losses = (short(**settings).fit(X, t).loss_curve_ for t in (y, other))
    assert losses == other_losses


def test_verbose_prints_a_line_an_epoch(capsys):
    X, y = pair()
    losses = short(verbose=True).fit(X, y).loss_curve_
    lines = [f"Iteration {i}, loss = {loss:.8f}" for i, loss in enumerate(losses, start=1)]
    assert capsys.readouterr().out.splitlines() == lines
    translator = short(verbose=True, early_stopping=True).fit(X, y)
    scores = translator.validation_scores_
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(
        f"loss = {translator.loss_curve_[-1]:.8f}, validation score = {scores[-1]:.6f}"
    )


# Places


@pytest.fixture
def dispatch():
    with config_context(array_api_dispatch=True):
        yield


def namespaces():
    return [torch, pytest.importorskip("array_api_strict")]


@pytest.mark.usefixtures("dispatch")
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_libraries_agree(dtype, scaling):
    X, y = pair(dtype=dtype)
    weight = np.random.default_rng(0).uniform(size=60)
    weight[:5] = 0
    translator = short(scaling=scaling, n_anchors=40)
    expected = clone(translator).fit(X, y, sample_weight=weight)
    tolerance = {"float32": 1e-3, "float64": 1e-8}[dtype]
    for xp in namespaces():
        foreign = [xp.asarray(array) for array in (X, y, weight)]
        translator.fit(*foreign[:2], sample_weight=foreign[2])
        out = translator.transform(foreign[0])
        assert type(out) is type(translator.anchor_indices_) is type(foreign[0])
        assert out.dtype == foreign[0].dtype
        assert_allclose(to_numpy(out), expected.transform(X), rtol=tolerance, atol=tolerance)
        assert_array_equal(to_numpy(translator.anchor_indices_), expected.anchor_indices_)
        assert_same_network(translator, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.usefixtures("dispatch")
def test_what_was_fitted_on_tensors_stays_there_until_pickled():
    X, y = pair()
    translator = short().fit(torch.asarray(X), torch.asarray(y))
    with pytest.raises(ValueError, match=r"transform\(\) must use the same namespace"):
        translator.transform(X)
    on_host = pickle.loads(pickle.dumps(translator))
    assert_allclose(on_host.transform(X), to_numpy(translator.transform(torch.asarray(X))))
    for xp in namespaces():
        assert type(on_host.transform(xp.asarray(X))) is type(xp.asarray(X))


@pytest.mark.usefixtures("dispatch")
# scikit-learn's validation of a tensor that has a graph
@pytest.mark.filterwarnings("ignore:torch.asarray. unspecified requires_grad:UserWarning")
def test_fit_neither_needs_nor_leaves_gradients():
    X, y = (torch.asarray(side) for side in pair())
    expected = short().fit(X, y)
    with torch.no_grad():
        assert_same_network(short().fit(X, y), expected, rtol=0)
    for scaling in ("standard", None):
        expected = short(scaling=scaling).fit(X, y)
        with torch.inference_mode():
            inferred = short(scaling=scaling).fit(X.clone(), y.clone())
        assert_same_network(inferred, expected, rtol=0)
    with_graph = X.clone().requires_grad_()
    short(scaling=None).fit(with_graph, y)
    assert with_graph.grad is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_training_on_a_gpu_gives_the_same_network():
    X, y = pair()
    on_cpu = short().fit(X, y)
    for device in ("cuda", "auto"):
        on_gpu = short(device=device).fit(X, y)
        assert_same_network(on_gpu, on_cpu, rtol=1e-6, atol=1e-6)
    with config_context(array_api_dispatch=True):
        X_gpu, y_gpu = (torch.asarray(side, device="cuda") for side in (X, y))
        out = short(device="auto").fit(X_gpu, y_gpu).transform(X_gpu)
    assert out.device.type == "cuda"
    assert_allclose(to_numpy(out), on_cpu.transform(X), rtol=1e-6, atol=1e-6)


def test_it_loads_and_transforms_where_there_is_no_torch(tmp_path):
    X, y = pair()
    with config_context(array_api_dispatch=True):
        translator = short().fit(torch.asarray(X), torch.asarray(y))
    (tmp_path / "translator.pkl").write_bytes(pickle.dumps(translator))
    np.save(tmp_path / "X.npy", X)
    (tmp_path / "torch.py").write_text("raise ImportError('there is no torch here')")
    code = (
        "import pickle; import numpy as np;"
        "translator = pickle.load(open('translator.pkl', 'rb'));"
        "np.save('out.npy', translator.transform(np.load('X.npy')))"
    )
    package = Path(sklearn_latent.__file__).parents[1]
    path = os.pathsep.join([str(tmp_path), str(package), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    expected = pickle.loads(pickle.dumps(translator)).transform(X)
    assert_allclose(np.load(tmp_path / "out.npy"), expected)


def test_fit_without_torch_says_what_to_install(monkeypatch):
    X, y = pair()
    monkeypatch.setitem(sys.modules, "torch", None)
    message = r"MLPTranslator needs PyTorch: pip install 'sklearn_latent\[torch\]'"
    with pytest.raises(ImportError, match=message):
        short().fit(X, y)


# What is refused


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"width_factor": 0}, ValueError, r"width_factor=0 must be finite and above 0"),
        ({"width_factor": "2"}, TypeError, r"width_factor must be a number; got '2'"),
        ({"learning_rate_init": -1.0}, ValueError, r"learning_rate_init=-1.0 must be finite"),
        ({"batch_size": 0}, ValueError, r"batch_size=0 must be finite and at least 1"),
        ({"batch_size": 2.5}, TypeError, r"batch_size must be an integer"),
        ({"max_iter": 0}, ValueError, r"max_iter=0 must be finite and at least 1"),
        ({"tol": -1e-4}, ValueError, r"tol=-0.0001 must be finite and at least 0"),
        ({"n_iter_no_change": None}, TypeError, r"n_iter_no_change must be an integer"),
        ({"early_stopping": "yes"}, ValueError, r"early_stopping='yes' is unknown: use one of"),
        ({"validation_fraction": 0}, ValueError, r"validation_fraction=0 must be finite and above"),
        ({"validation_fraction": 1.0}, ValueError, r"validation_fraction=1.0 must be below 1"),
        ({"device": "gpu"}, ValueError, r"device='gpu' is unknown"),
        ({"device": "cuda:99"}, ValueError, r"device='cuda:99' is not there"),
        ({"scaling": "minmax"}, ValueError, r"scaling='minmax' is unknown"),
        ({"n_anchors": 61}, ValueError, r"n_anchors=61 is not between 2 and the number of rows"),
        ({"n_anchors": 1e-9}, ValueError, r"at least 2 anchors of positive weight; got 1 sample"),
        ({"anchor_selection": "best", "n_anchors": 9}, ValueError, "anchor_selection='best'"),
        (
            {"early_stopping": True, "validation_fraction": 0.01},
            ValueError,
            r"early_stopping would hold out 1 of 60 anchors: it needs at least 2",
        ),
        (
            {"early_stopping": True, "validation_fraction": 0.99},
            ValueError,
            r"early_stopping would hold out 60 of 60 anchors",
        ),
        (
            {"learning_rate_init": 1e200},
            ValueError,
            r"The loss of MLPTranslator became (nan|inf) in epoch 1. Lower learning_rate_init",
        ),
    ],
)
def test_bad_parameters(params, error, message):
    X, y = pair()
    with pytest.raises(error, match=message):
        short(**params).fit(X, y)


def test_bad_data():
    X, y = pair()
    with pytest.raises(ValueError, match=r"X has 60 rows and y has 59"):
        short().fit(X, y[:-1])
    with pytest.raises(ValueError, match=r"Input X contains NaN"):
        short().fit(X * np.nan, y)
    with pytest.raises(ValueError, match=r"needs at least 2 anchors of positive weight"):
        short().fit(X, y, sample_weight=np.eye(60)[3])
    with pytest.raises(ValueError, match=r"squares of X or y overflow float64"):
        short().fit(X * 1e200, y)
    with pytest.raises(ValueError, match=r"y overflows float32: rescale the latents"):
        short().fit(X.astype("float32"), y * 1e100)
    with pytest.raises(ValueError, match=r"X has 4 features, but MLPTranslator is expecting 5"):
        short().fit(X, y).transform(X[:, :4])


# scikit-learn


def test_scikit_learn_checks():
    # large steps and a large tol, with which all checks' data converge
    translator = MLPTranslator(learning_rate_init=0.01, tol=0.02, n_iter_no_change=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        results = check_estimator(translator, on_skip=None, on_fail=None)
    assert [r["check_name"] for r in results if r["status"] not in ("passed", "skipped")] == []
    assert sum(r["status"] == "passed" for r in results) > 50


@pytest.mark.skipif(ProgressBar is None, reason="scikit-learn before 1.9 has no callbacks")
class TestCallbacks:
    class Recorder:
        """Lists the events of one fit, and stops it after `stop_after` epochs."""

        def __init__(self, stop_after=None):
            self.events, self.stop_after = [], stop_after

        def setup(self, estimator, context):
            self.events.append("setup")

        def teardown(self, estimator, context):
            self.events.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            self.events.append(f"begin {context.task_name}")

        def on_fit_task_end(self, estimator, context):
            self.events.append(f"end {context.task_name}")
            return self.events.count("end iteration") == self.stop_after

    def test_each_epoch_is_reported(self):
        recorder = self.Recorder()
        short(max_iter=3).set_callbacks(recorder).fit(*pair())
        assert recorder.events == [
            "setup",
            "begin fit",
            *["begin iteration", "end iteration"] * 3,
            "end fit",
            "teardown",
        ]

    @pytest.mark.filterwarnings("error")
    def test_a_callback_may_stop_the_training(self):
        translator = short().set_callbacks(self.Recorder(stop_after=2)).fit(*pair())
        assert translator.n_iter_ == 2

    def test_teardown_comes_after_an_error_too(self):
        recorder = self.Recorder()
        X, y = pair()
        with pytest.raises(ValueError, match="X contains NaN"):
            short().set_callbacks(recorder).fit(X * np.nan, y)
        assert recorder.events[-1] == "teardown"

    def test_callbacks_do_not_change_the_map(self):
        X, y = pair()
        watched = short().set_callbacks(self.Recorder()).fit(X, y)
        assert_same_network(watched, short().fit(X, y), rtol=0)


def test_validation_scores_do_not_hang_on_a_row_of_next_to_no_weight():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    X = torch.asarray(rng.normal(size=(20, 3)))
    layers = [(torch.asarray(rng.normal(size=(3, 2))), torch.asarray(rng.normal(size=2)))]
    y = X @ layers[0][0] + layers[0][1] + 0.1 * torch.asarray(rng.normal(size=(20, 2)))
    weight = torch.ones(20, dtype=torch.float64)
    weight[0] = 1e-60
    expected = solver.r2(layers, (X[1:], y[1:], None))
    y[0] = 1e20
    assert solver.r2(layers, (X, y, weight)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("unit", [1e-50, 1e40])
def test_weights_of_any_size(unit):
    pytest.importorskip("torch")
    X, y = np.random.default_rng(0).normal(size=(2, 40, 4)).astype(np.float32)
    translator = MLPTranslator(max_iter=3, random_state=0)
    weight = np.random.default_rng(1).uniform(0.5, 2, size=40)
    found, expected = (
        clone(translator).fit(X, y, weight * size).transform(X) for size in (unit, 1.0)
    )
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_held_out_rows_that_weigh_nothing():
    pytest.importorskip("torch")
    X, y = np.random.default_rng(0).normal(size=(2, 40, 4)).astype(np.float32)
    translator = MLPTranslator(max_iter=3, early_stopping=True, random_state=0)
    weight = np.full(40, 1e-60)
    weight[0] = 1.0  # which is trained on
    with pytest.raises(ValueError, match="held out for early stopping weigh nothing"):
        translator.fit(X, y, weight)


@pytest.mark.parametrize("side", ["X", "y"])
def test_squares_that_vanish_are_refused(side):
    pytest.importorskip("torch")
    X, y = np.random.default_rng(0).normal(size=(2, 40, 4))
    sides = {"X": X, "y": y}
    sides[side] = sides[side] * 1e-170
    with pytest.raises(ValueError, match=f"squares of {side} vanish in .*float64: rescale"):
        MLPTranslator(max_iter=3, random_state=0).fit(**sides)
