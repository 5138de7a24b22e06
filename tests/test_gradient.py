"""AffineTranslator against torch's autograd and Adam, and against closed forms."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from sklearn_latent import AffineTranslator, _device

try:
    from sklearn.callback import ProgressBar
except ImportError:
    ProgressBar = None


@pytest.fixture(params=["numpy", "torch"])
def computed_by(request, monkeypatch):
    """What takes the steps of ``device="cpu"``."""
    if request.param == "torch":
        pytest.importorskip("torch")
    else:
        monkeypatch.setattr(_device, "_has_torch", lambda: False)
    place = _device.compute_like("cpu", np.empty((0, 1)))
    assert type(place).__module__ == request.param


def pair(n=60, d_source=5, d_target=4, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d_source)) * rng.uniform(0.5, 2, d_source) + 1
    y = X @ rng.normal(size=(d_source, d_target)) + 3 + 0.1 * rng.normal(size=(n, d_target))
    return X.astype(dtype), y.astype(dtype)


def torch_affine(X, y, seed, lr, steps, sample_weight=None):
    """nn.Linear, MSELoss and Adam, as one writes it; initial weights drawn as documented."""
    torch = pytest.importorskip("torch")
    rng = np.random.RandomState(seed)
    bound = X.shape[1] ** -0.5
    X, y = torch.tensor(X), torch.tensor(y)
    layer = torch.nn.Linear(X.shape[1], y.shape[1], dtype=X.dtype)
    with torch.no_grad():
        layer.weight[:] = torch.tensor(rng.uniform(-bound, bound, tuple(layer.weight.shape)))
        layer.bias[:] = torch.tensor(rng.uniform(-bound, bound, tuple(layer.bias.shape)))
    optimizer = torch.optim.Adam(layer.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        if sample_weight is None:
            loss = torch.nn.MSELoss()(layer(X), y)
        else:
            errors = ((layer(X) - y) ** 2).mean(dim=1)
            loss = (errors * torch.tensor(sample_weight)).sum() / sample_weight.sum()
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return layer.weight.detach().numpy(), layer.bias.detach().numpy(), losses


@pytest.mark.usefixtures("computed_by")
@pytest.mark.parametrize("n", [60, 2])  # Gram matrix, and rows kept as they are
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 2e-4)])
@pytest.mark.parametrize(("d_source", "d_target"), [(5, 4), (4, 4), (9, 12)])
def test_iterates_are_those_of_torch(n, dtype, tolerance, d_source, d_target):
    X, y = pair(n, d_source, d_target, dtype=dtype)
    coef, intercept, losses = torch_affine(X, y, seed=3, lr=0.01, steps=40)
    translator = AffineTranslator(
        scaling=None, learning_rate_init=0.01, max_iter=40, random_state=3, device="cpu"
    ).fit(X, y)
    assert_allclose(translator.coef_, coef, rtol=tolerance, atol=tolerance)
    assert_allclose(translator.intercept_, intercept, rtol=tolerance, atol=tolerance)
    assert_allclose(translator.loss_curve_, losses, rtol=tolerance)
    assert translator.n_iter_ == len(translator.loss_curve_) == 40


@pytest.mark.usefixtures("computed_by")
def test_defaults_are_torch_on_standardised_anchors():
    X, y = pair()
    source, target = StandardScaler().fit(X), StandardScaler().fit(y)
    W, b, losses = torch_affine(source.transform(X), target.transform(y), 0, 1e-3, 300)
    translator = AffineTranslator(random_state=0, device="cpu").fit(X, y)
    expected = target.inverse_transform(source.transform(X) @ W.T + b)
    assert_allclose(translator.transform(X), expected, atol=1e-9)
    assert_allclose(translator.loss_curve_, losses, rtol=1e-9)


@pytest.mark.usefixtures("computed_by")
def test_weights_weigh_the_loss():
    X, y = pair()
    w = np.random.default_rng(0).uniform(size=len(X))
    coef, intercept, losses = torch_affine(X, y, 1, 0.01, 30, sample_weight=w)
    translator = AffineTranslator(
        scaling=None, learning_rate_init=0.01, max_iter=30, random_state=1, device="cpu"
    ).fit(X, y, sample_weight=w)
    assert_allclose(translator.coef_, coef, atol=1e-10)
    assert_allclose(translator.intercept_, intercept, atol=1e-10)
    assert_allclose(translator.loss_curve_, losses, rtol=1e-9)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_torch_and_numpy_take_the_same_steps(monkeypatch, dtype, tolerance):
    torch = pytest.importorskip("torch")
    X, y = pair(dtype=dtype)
    translator = AffineTranslator(random_state=0, device="cpu")
    by_torch = clone(translator).fit(X, y)
    with config_context(array_api_dispatch=True):
        on_torch = clone(translator).fit(torch.tensor(X), torch.tensor(y))
    monkeypatch.setattr(_device, "_has_torch", lambda: False)
    by_numpy = translator.fit(X, y)
    assert isinstance(on_torch.coef_, torch.Tensor)
    assert all(isinstance(found.coef_, np.ndarray) for found in (by_torch, by_numpy))
    assert by_torch.coef_.dtype == by_numpy.coef_.dtype == dtype
    assert_allclose(on_torch.coef_.numpy(), by_torch.coef_, atol=tolerance)
    assert_allclose(by_torch.coef_, by_numpy.coef_, atol=tolerance)
    assert_allclose(by_torch.loss_curve_, by_numpy.loss_curve_, rtol=10 * tolerance)


def test_auto_needs_no_torch_without_a_gpu(monkeypatch):
    X, y = pair()
    expected = AffineTranslator(random_state=0, device="cpu").fit(X, y).coef_
    monkeypatch.setattr(_device, "_may_have_gpu", lambda: False)
    monkeypatch.setattr(_device, "import_torch", None)
    found = AffineTranslator(random_state=0).fit(X, y).coef_
    assert_allclose(found, expected, atol=1e-12)


def test_a_learning_rate_may_be_any_number():
    torch = pytest.importorskip("torch")
    X, y = map(torch.tensor, pair())
    with config_context(array_api_dispatch=True):
        exact, rounded = (
            AffineTranslator(learning_rate_init=rate, max_iter=3, random_state=0).fit(X, y)
            for rate in (Fraction(1, 10), 0.1)
        )
    assert_allclose(exact.coef_.numpy(), rounded.coef_.numpy())


@pytest.mark.usefixtures("computed_by")
def test_many_steps_reach_least_squares():
    X, y = pair()
    residual = (y - LinearRegression().fit(X, y).predict(X)) / y.std(axis=0)
    translator = AffineTranslator(
        learning_rate_init=0.02, max_iter=3000, random_state=0, device="cpu"
    ).fit(X, y)
    # Adam ends in small cycles around the minimum, whose loss this is
    assert translator.loss_curve_[-1] == pytest.approx(np.mean(residual**2), rel=1e-3)
    assert min(translator.loss_curve_) > np.mean(residual**2) * (1 - 1e-9)


@pytest.mark.usefixtures("computed_by")
def test_tol_stops_at_the_first_small_step():
    X, y = pair()
    settings = {"learning_rate_init": 0.05, "max_iter": 500, "random_state": 0, "device": "cpu"}
    losses = np.array(AffineTranslator(**settings).fit(X, y).loss_curve_)
    first = np.flatnonzero(losses[:-1] - losses[1:] < 1e-4)[0] + 2
    translator = AffineTranslator(tol=1e-4, **settings).fit(X, y)
    assert translator.n_iter_ == first < 500
    assert_allclose(translator.loss_curve_, losses[:first])


@pytest.mark.usefixtures("computed_by")
def test_tol_out_of_reach_warns():
    X, y = pair()
    with pytest.warns(ConvergenceWarning, match="stopped after max_iter=5 steps"):
        AffineTranslator(tol=1e-12, max_iter=5, random_state=0, device="cpu").fit(X, y)


@pytest.mark.usefixtures("computed_by")
def test_the_seed_decides():
    X, y = pair()
    first = AffineTranslator(random_state=0, device="cpu").fit(X, y)
    again = AffineTranslator(random_state=0, device="cpu").fit(X, y)
    other = AffineTranslator(random_state=1, device="cpu").fit(X, y)
    assert np.array_equal(first.coef_, again.coef_)
    assert not np.allclose(first.coef_, other.coef_)


def test_global_random_states_are_left_alone():
    X, y = pair()
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    AffineTranslator(random_state=0, n_anchors=30, device="cpu").fit(X, y)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.usefixtures("computed_by")
def test_weights_start_uniform_within_the_bound_of_nn_linear():
    X, y = pair(d_source=64, d_target=64, n=200)
    tiny_step = AffineTranslator(
        scaling=None, learning_rate_init=1e-12, max_iter=1, random_state=0, device="cpu"
    ).fit(X, y)
    assert np.abs(tiny_step.coef_).max() <= 1 / 8 + 1e-9
    assert tiny_step.coef_.std() == pytest.approx(1 / 8 / np.sqrt(3), rel=0.03)


@pytest.mark.skipif(ProgressBar is None, reason="scikit-learn before 1.9 has no callbacks")
class TestCallbacks:
    class Recorder:
        """Counts the events of one fit, and stops it after `stop_after` iterations."""

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

    def fit(self, recorder, **params):
        X, y = pair()
        translator = AffineTranslator(random_state=0, device="cpu", **params)
        return translator.set_callbacks(recorder).fit(X, y)

    def test_each_step_is_reported(self):
        recorder = self.Recorder()
        self.fit(recorder, max_iter=3)
        assert recorder.events == [
            "setup",
            "begin fit",
            *["begin iteration", "end iteration"] * 3,
            "end fit",
            "teardown",
        ]

    def test_a_callback_may_stop_the_descent(self):
        assert self.fit(self.Recorder(stop_after=2)).n_iter_ == 2

    def test_teardown_comes_after_an_error_too(self):
        recorder = self.Recorder()
        X, y = pair()
        with pytest.raises(ValueError, match="X contains NaN"):
            AffineTranslator().set_callbacks(recorder).fit(X * np.nan, y)
        assert recorder.events[-1] == "teardown"

    def test_callbacks_do_not_change_the_map(self):
        X, y = pair()
        plain = AffineTranslator(random_state=0, device="cpu").fit(X, y)
        assert np.array_equal(self.fit(self.Recorder()).coef_, plain.coef_)


@pytest.mark.usefixtures("computed_by")
@pytest.mark.parametrize("scaling", [None, "standard"])
@pytest.mark.parametrize("offset", [0, 300])
def test_small_losses_are_no_rounding_in_float32(scaling, offset):
    X, y = pair(n=200)
    X, y = X.astype(np.float32), (X @ np.ones((5, 4)) + offset).astype(np.float32)
    rate = 10 if offset and scaling is None else 0.3
    steps = {"learning_rate_init": rate, "max_iter": 600, "random_state": 0, "device": "cpu"}
    translator = AffineTranslator(scaling=scaling, **steps).fit(
        X.astype(np.float32), y.astype(np.float32)
    )
    assert min(translator.loss_curve_) >= 0
    power = np.mean(y**2) if scaling is None else 1.0
    assert min(translator.loss_curve_) < 1e-9 * power


@pytest.mark.usefixtures("computed_by")
def test_tol_stops_float32_where_it_stops_float64():
    X, y = pair(n=200)
    y = X @ np.ones((5, 4)) + 300
    steps = {"learning_rate_init": 3, "max_iter": 2000, "tol": 1e-5, "random_state": 0}
    found, expected = (
        AffineTranslator(scaling=None, device="cpu", **steps)
        .fit(X.astype(dtype), y.astype(dtype))
        .n_iter_
        for dtype in (np.float32, np.float64)
    )
    assert abs(found - expected) <= 2
