"""KernelTranslator against scikit-learn's kernel ridge, refitted where a row is left out."""

import functools
import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.gaussian_process.kernels import RBF
from sklearn.kernel_approximation import Nystroem
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import laplacian_kernel, linear_kernel, rbf_kernel
from sklearn.preprocessing import KernelCenterer

from sklearn_latent import KernelTranslator, RidgeTranslator, _moments
from sklearn_latent.solvers.kernel import Anchors, exact_problem, nystroem_problem

KERNELS = {
    "rbf": rbf_kernel,
    "laplacian": laplacian_kernel,
    "linear": lambda a, b, gamma: linear_kernel(a, b),
}
PLAIN = {"scaling": "center", "restore_variance": False}


def pair(n=40, d_source=3, d_target=4, noise=0.2, seed=0):
    """Related latents, not linearly."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d_source)) * [1, 2, 0.5][:d_source] + 3
    directions = np.random.default_rng(1).normal(size=(d_source, d_target))
    return X, np.sin(X @ directions) + noise * rng.normal(size=(n, d_target)) - 2


def kernel_ridge(kernel, gamma, alpha, X, y, X_new):
    """Predictions of scikit-learn's kernel ridge, centred in the feature space."""
    centerer = KernelCenterer()
    K = centerer.fit_transform(KERNELS[kernel](X, X, gamma))
    K_new = centerer.transform(KERNELS[kernel](X_new, X, gamma))
    mean = y.mean(axis=0)
    return KernelRidge(alpha=alpha, kernel="precomputed").fit(K, y - mean).predict(K_new) + mean


def r2_left_out(predict, X, y, items=None):
    """R² of rows that were left out, by one refit for each item, about the mean of all rows."""
    items = np.arange(len(X)) if items is None else items
    predicted = np.empty_like(y)
    for item in np.unique(items):
        kept = items != item
        predicted[~kept] = predict(X[kept], y[kept], X[~kept])
    return 1 - np.sum((y - predicted) ** 2) / np.sum((y - y.mean(axis=0)) ** 2)


# The solution


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_map_is_kernel_ridge_about_the_mean_in_feature_space(kernel, alpha):
    X, y = pair()
    X_new = pair(seed=5)[0]
    translator = KernelTranslator(kernel, gamma=0.3, alpha=alpha, **PLAIN).fit(X, y)
    expected = kernel_ridge(kernel, 0.3, alpha, X, y, X_new)
    assert_allclose(translator.transform(X_new), expected, rtol=1e-8, atol=1e-8)
    assert translator.alpha_ == alpha
    assert translator.gamma_ == (None if kernel == "linear" else 0.3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_attributes_are_the_map(kernel):
    X, y = pair()
    translator = KernelTranslator(kernel, scaling="center").fit(X, y)
    K = KERNELS[kernel](X - X.mean(axis=0), translator.landmarks_, translator.gamma_)
    expected = K @ translator.dual_coef_ + translator.intercept_
    assert_allclose(translator.transform(X), expected, rtol=1e-8, atol=1e-8)


def test_a_constant_is_free_of_penalty():
    X, y = pair()
    low, high = (
        KernelTranslator(gamma=0.1, alpha=1e12, **PLAIN).fit(X, y + shift) for shift in (0, 1e3)
    )
    assert_allclose(low.transform(X), np.tile(y.mean(axis=0), (40, 1)), rtol=1e-9)
    assert_allclose(high.transform(X) - 1e3, low.transform(X), atol=1e-9)


@pytest.mark.parametrize("options", [{}, {"covariance_power": 0.3}, {"restore_variance": False}])
@pytest.mark.parametrize("alpha", [None, [0.1, 10.0]])
@pytest.mark.parametrize("n", [8, 40])
def test_the_linear_kernel_is_ridge(options, alpha, n):
    X, y = pair(n)
    ridge = RidgeTranslator(alpha=[1e-3, 1.0, 30.0] if alpha is None else alpha, **options)
    ridge.fit(X, y)
    translator = KernelTranslator("linear", alpha=list(ridge.alphas_), **options).fit(X, y)
    assert_allclose(translator.transform(X), ridge.transform(X), rtol=1e-9)
    assert_allclose(translator.restoration_, ridge.restoration_, rtol=1e-9)
    assert_allclose(np.sort(translator.scores_), np.sort(ridge.scores_), rtol=1e-9, atol=1e-12)
    assert translator.best_score_ == pytest.approx(ridge.best_score_)
    assert translator.alpha_ == ridge.alpha_
    assert np.all(np.isnan(translator.gammas_))


@pytest.mark.parametrize("gamma", [1e-6, 1e-12])
def test_a_small_gamma_is_the_linear_kernel(gamma):
    X, y = pair()
    linear = KernelTranslator("linear", alpha=2.0, **PLAIN).fit(X, y).transform(X)
    translator = KernelTranslator(gamma=gamma, alpha=2 * gamma * 2.0, **PLAIN).fit(X, y)
    assert_allclose(translator.transform(X), linear, rtol=1e-3 if gamma == 1e-6 else 1e-6)


@pytest.mark.parametrize("n_components", [2000, 15])
def test_a_function_is_a_kernel(n_components):
    X, y = pair()
    options = {"alpha": 0.1, "n_components": n_components, "random_state": 0, **PLAIN}
    named = KernelTranslator(gamma=0.5, **options).fit(X, y)
    function = KernelTranslator(RBF(length_scale=1.0), **options).fit(X, y)
    assert_allclose(function.transform(X), named.transform(X), rtol=1e-7, atol=1e-8)
    assert function.gamma_ is None


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scaling", [None, "center"])
def test_where_the_source_lies_does_not_matter(kernel, scaling):
    X, y = pair()
    translator = KernelTranslator(kernel, scaling=(scaling, "standard"))
    expected = translator.fit(X, y).transform(X)
    moved = translator.fit(X + 1e5, y).transform(X + 1e5)
    assert_allclose(moved, expected, rtol=1e-6, atol=1e-6)


# The choice

GRID = {"gamma": [0.05, 0.5, 2.0], "alpha": [1e-3, 0.1, 3.0]}


@pytest.mark.parametrize("kernel", ["rbf", "laplacian"])
def test_scores_are_those_of_refits_without_each_row(kernel):
    X, y = pair(15)
    translator = KernelTranslator(kernel, **GRID, **PLAIN).fit(X, y)
    assert_array_equal(translator.gammas_, np.repeat(GRID["gamma"], 3))
    assert_array_equal(translator.alphas_, [3.0, 0.1, 1e-3] * 3)
    expected = [
        r2_left_out(functools.partial(kernel_ridge, kernel, gamma, alpha), X, y)
        for gamma, alpha in zip(translator.gammas_, translator.alphas_)
    ]
    assert_allclose(translator.scores_, expected, rtol=1e-8)
    best = np.argmax(translator.scores_)
    assert translator.best_score_ == translator.scores_[best]
    assert translator.gamma_ == translator.gammas_[best]
    assert translator.alpha_ == translator.alphas_[best]


@pytest.mark.parametrize("n", [20, 400])
def test_rows_that_are_far_apart_predict_nothing(n):
    X, y = pair(n)
    translator = KernelTranslator(gamma=1e7, alpha=[1e-6, 1e-3, 1.0], **PLAIN).fit(X, y)
    # the mean of the others is off by n / (n - 1) of the distance to that of all
    assert_allclose(translator.scores_, 1 - (n / (n - 1)) ** 2, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_rounding_does_not_let_rows_predict_themselves(seed):
    n = 700
    X, y = pair(n, d_source=3, seed=seed)
    X = np.concatenate([X, np.random.default_rng(seed).normal(size=(n, 97))], axis=1)
    gamma, alphas = 32 / np.mean(np.sum((X - X.mean(axis=0)) ** 2, axis=1)), [1e-2, 1e-4, 1e-6]
    translator = KernelTranslator(gamma=gamma, alpha=alphas, **PLAIN).fit(X, y)
    for alpha, score in zip(translator.alphas_, translator.scores_):
        # an offset without penalty, by a border of ones; left-out residuals by one division
        border = np.ones((n, 1))
        system = np.block([[rbf_kernel(X, X, gamma) + alpha * np.eye(n), border], [border.T, 0.0]])
        inverse = np.linalg.inv(system)[:n, :n]
        residuals = (inverse @ y) / np.diagonal(inverse)[:, None]
        expected = 1 - np.sum(residuals**2) / np.sum((y - y.mean(axis=0)) ** 2)
        assert score == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_equal_rows_are_left_out_together():
    X, y = pair(12)
    counts = np.array([1, 2, 3] * 4)
    items = np.repeat(np.arange(12), counts)
    options = {"gamma": 0.3, "alpha": 0.1, **PLAIN}
    repeated = KernelTranslator(**options).fit(X[items], y[items])
    expected = r2_left_out(
        lambda *rows: kernel_ridge("rbf", 0.3, 0.1, *rows), X[items], y[items], items
    )
    assert repeated.best_score_ == pytest.approx(expected, rel=1e-8)
    weighted = KernelTranslator(**options).fit(X, y, sample_weight=counts)
    assert weighted.best_score_ == pytest.approx(expected, rel=1e-8)
    assert_allclose(weighted.transform(X), repeated.transform(X), rtol=1e-8)


@pytest.mark.parametrize("restore_variance", [True, False])
def test_the_default_grid_is_searched_from_coarse_to_fine(restore_variance):
    X, y = pair()
    translator = KernelTranslator(scaling="center", restore_variance=restore_variance).fit(X, y)
    middle = 1 / np.mean(np.sum((X[:, None] - X) ** 2, axis=2))
    steps = np.unique(np.log2(translator.gammas_ / middle).round(9))
    finer = sorted(set(steps) - {-6, -3, 0, 3, 6})
    assert len(finer) == 2
    assert sum(finer) / 2 in (-6, -3, 0, 3, 6)
    assert np.log2(translator.gamma_ / middle).round(9) in [sum(finer) / 2, *finer]
    assert translator.best_score_ == translator.scores_.max()
    at_best = translator.alphas_[translator.gammas_ == translator.gamma_]
    decades = np.log10(at_best / at_best.max())
    whole = decades[np.isclose(decades, decades.round(), atol=1e-6)]
    assert_allclose(whole, -np.arange(9), atol=1e-6)
    thirds = np.log10(at_best / translator.alpha_)
    assert_allclose(np.min(np.abs(thirds[:, None] - [-1 / 3, 1 / 3]), axis=0), 0, atol=1e-6)
    chosen = (translator.gammas_ == translator.gamma_) & (translator.alphas_ == translator.alpha_)
    assert translator.scores_[chosen] == translator.best_score_


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_the_default_grid_follows_the_units(unit):
    X, y = pair()
    expected = KernelTranslator().fit(X, y)
    translator = KernelTranslator().fit(X * unit, y)
    assert translator.gamma_ == pytest.approx(expected.gamma_ / unit**2)
    assert_allclose(translator.transform(X * unit), expected.transform(X), rtol=1e-8)


@pytest.mark.parametrize("frequency", [0.5, 8.0])
def test_the_bandwidth_follows_the_relation(frequency):
    X = np.random.default_rng(0).uniform(-1, 1, size=(200, 1))
    translator = KernelTranslator().fit(X[:150], np.sin(frequency * np.pi * X[:150]))
    assert translator.score(X[150:], np.sin(frequency * np.pi * X[150:])) > 0.999
    assert (translator.gamma_ > 10) == (frequency == 8.0)


def test_relations_that_are_not_linear_are_learned():
    X, y = pair(400)
    kernel, ridge = (
        cls().fit(X[:300], y[:300]).score(X[300:], y[300:])
        for cls in (KernelTranslator, RidgeTranslator)
    )
    assert kernel > 0.8 > 0.4 > ridge
    plain = KernelTranslator(restore_variance=False).fit(X[:300], y[:300])
    assert plain.best_score_ == pytest.approx(plain.score(X[300:], y[300:]), abs=0.05)


def test_linear_relations_cost_little():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 10))
    y = X @ rng.normal(size=(10, 8)) + rng.normal(size=(300, 8))
    kernel, ridge = (
        cls(restore_variance=False).fit(X[:100], y[:100]).score(X[100:], y[100:])
        for cls in (KernelTranslator, RidgeTranslator)
    )
    assert kernel > ridge - 0.01


def test_noise_is_not_learned():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)), rng.normal(size=(200, 6))
    translator = KernelTranslator(restore_variance=False).fit(X, y)
    assert abs(translator.best_score_) < 0.02
    assert np.std(translator.transform(rng.normal(size=(100, 5))) - y.mean(axis=0)) < 0.2


def test_strength_zero_passes_through_the_anchors():
    X, y = pair()
    translator = KernelTranslator(gamma=2.0, alpha=0.0, restore_variance=False).fit(X, y)
    assert_allclose(translator.transform(X), y, atol=1e-6)


# The spread


@pytest.mark.parametrize("scaling", [("center", "standard"), None])
def test_restoring_stretches_predictions_about_their_mean(scaling):
    X, y = pair()
    options = {"gamma": 0.3, "alpha": 1.0, "scaling": scaling}
    plain = KernelTranslator(restore_variance=False, **options).fit(X, y)
    translator = KernelTranslator(covariance_power=0, **options).fit(X, y)
    mean = y.mean(axis=0)
    expected = mean + (plain.transform(X) - mean) * translator.restoration_
    assert_allclose(translator.transform(X), expected, rtol=1e-9)
    assert np.all(translator.restoration_ > 1.05)
    assert_array_equal(plain.restoration_, np.ones(4))


def test_restored_predictions_spread_as_the_target():
    X, y = pair(400)
    spread = y[300:].std(axis=0)
    translator = KernelTranslator(alpha=20.0).fit(X[:300], y[:300])
    assert_allclose(translator.transform(X[300:]).std(axis=0), spread, rtol=0.2)
    plain = KernelTranslator(alpha=20.0, restore_variance=False).fit(X[:300], y[:300])
    assert np.all(plain.transform(X[300:]).std(axis=0) < 0.8 * spread)


# Landmarks


@pytest.mark.parametrize("weighted", [False, True])
def test_all_anchors_as_landmarks_are_the_exact_problem(weighted):
    X, y = pair(25)
    weight = np.random.default_rng(0).uniform(0.5, 2, 25) if weighted else None
    y = y - np.average(y, axis=0, weights=weight)
    K = rbf_kernel(X, X, 1.0)
    anchors = Anchors(y, weight, weight, 25)
    exact = exact_problem(K, anchors)
    eigenvalues, vectors = np.linalg.eigh(K)
    basis = vectors / np.sqrt(eigenvalues)
    some = nystroem_problem(lambda: [(K, slice(25))], basis, anchors)
    alphas = [1e-3, 0.1, 3.0]
    for ours, theirs in zip(some.judge.losses(alphas), exact.judge.losses(alphas)):
        assert ours.error == pytest.approx(theirs.error, rel=1e-6)
    K_new = rbf_kernel(pair(seed=5)[0], X, 1.0)
    outs = [
        K_new @ dual + offset
        for dual, offset in (p.dual(p.path.solution(0.1)) for p in (some, exact))
    ]
    assert_allclose(outs[0], outs[1], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kernel", KERNELS)
def test_landmarks_are_ridge_on_nystroem_features(kernel):
    X, y = pair(30)
    X_new = pair(seed=5)[0]
    gamma, alpha = 0.4, 0.2
    options = {"gamma": gamma, "alpha": alpha, "n_components": 9, "random_state": 3, **PLAIN}
    translator = KernelTranslator(kernel, **options).fit(X, y)
    assert translator.landmarks_.shape == (9, 3)
    landmarks = translator.landmarks_ + X.mean(axis=0)
    assert all(np.any(np.all(np.isclose(X, row), axis=1)) for row in landmarks)
    names = {} if kernel == "linear" else {"gamma": gamma}
    if kernel == "linear":  # whose features say where the origin is
        X, X_new, landmarks = X - X.mean(axis=0), X_new - X.mean(axis=0), translator.landmarks_
    features = Nystroem(kernel, n_components=9, random_state=0, **names).fit(landmarks).transform

    def predict(X, y, X_new):
        return Ridge(alpha=alpha).fit(features(X), y).predict(features(X_new))

    assert_allclose(
        translator.transform(X_new + (kernel == "linear") * pair(30)[0].mean(axis=0)),
        predict(X, y, X_new),
        rtol=1e-6,
        atol=1e-6,
    )
    assert translator.best_score_ == pytest.approx(r2_left_out(predict, X, y), rel=1e-6)


def test_many_landmarks_are_nearly_exact():
    X, y = pair(400)
    exact = KernelTranslator().fit(X[:300], y[:300])
    some = KernelTranslator(n_components=150, random_state=0).fit(X[:300], y[:300])
    assert some.score(X[300:], y[300:]) > exact.score(X[300:], y[300:]) - 0.02
    assert some.dual_coef_.shape == (150, 4)
    assert exact.dual_coef_.shape == (300, 4)
    assert some.n_anchors_ == 300


def test_landmarks_have_positive_weight():
    X, y = pair(60)
    weight = np.tile([0.0, 0.0, 1.0], 20)
    translator = KernelTranslator(n_components=10, random_state=0, **PLAIN).fit(X, y, weight)
    centred = X - X[2::3].mean(axis=0)
    chosen = [np.argmin(np.sum((centred - row) ** 2, axis=1)) for row in translator.landmarks_]
    assert set(np.mod(chosen, 3)) == {2}
    assert_array_equal(translator.anchor_indices_, np.arange(2, 60, 3))


def test_the_seed_decides_the_landmarks_and_nothing_else_does():
    X, y = pair()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (
        KernelTranslator(n_components=10, random_state=seed).fit(X, y) for seed in (0, 0, 1)
    )
    assert_array_equal(first.transform(X), again.transform(X))
    assert not np.array_equal(first.landmarks_, other.landmarks_)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize("n_components", [2000, 10])
def test_blocks_of_rows_change_nothing(monkeypatch, n_components):
    X, y = pair(50)
    weight = np.random.default_rng(0).uniform(0.5, 2, size=50)
    options = {"n_components": n_components, "random_state": 0}
    expected = KernelTranslator(**options).fit(X, y, weight)
    out = expected.transform(X)
    monkeypatch.setattr(_moments, "_BLOCK_ELEMENTS", 150)
    translator = KernelTranslator(**options).fit(X, y, weight)
    assert translator.gamma_ == pytest.approx(expected.gamma_)
    assert_allclose(translator.transform(X), out, rtol=1e-7, atol=1e-7)


# Awkward input


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n_components", [2000, 5])
def test_equal_source_rows_map_all_to_the_mean_of_the_target(kernel, n_components):
    X, y = pair()
    translator = KernelTranslator(kernel, n_components=n_components, random_state=0)
    translator.fit(np.tile(X[:1], (40, 1)), y)
    assert_allclose(translator.transform(X), np.tile(y.mean(axis=0), (40, 1)), rtol=1e-6)


@pytest.mark.parametrize("n_components", [2000, 10])
def test_constant_columns(n_components):
    X, y = pair()
    options = {"n_components": n_components, "random_state": 0}
    expected = KernelTranslator(**options).fit(X, y).transform(X)
    wide_X, wide_y = np.insert(X, 1, 0.1, axis=1), np.insert(y, 2, -3e7, axis=1)
    out = KernelTranslator(**options).fit(wide_X, wide_y).transform(wide_X)
    assert_allclose(out[:, 2], -3e7, rtol=1e-12)
    assert_allclose(np.delete(out, 2, axis=1), expected, rtol=1e-6, atol=1e-6)


def test_more_target_than_source_dimensions_and_fewer_anchors_than_both():
    X, y = pair(6, d_source=3, d_target=9)
    out = KernelTranslator().fit(X, y).transform(X)
    assert out.shape == (6, 9)
    assert np.all(np.isfinite(out))


@pytest.mark.parametrize("n_components", [2000, 10])
def test_tensors_are_translated_where_they_lie(n_components):
    torch = pytest.importorskip("torch")
    X, y = pair()
    options = {"n_components": n_components, "random_state": 0}
    expected = KernelTranslator(**options).fit(X, y)
    with config_context(array_api_dispatch=True):
        translator = KernelTranslator(**options).fit(torch.asarray(X), torch.asarray(y))
        for fitted, dtype in itertools.product((translator, expected), ("float64", "float32")):
            out = fitted.transform(torch.asarray(X.astype(dtype)))
            assert isinstance(out, torch.Tensor)
            assert str(out.dtype) == f"torch.{dtype}"
            tolerance = 1e-9 if dtype == "float64" else 1e-3
            assert_allclose(out.numpy(), expected.transform(X), rtol=tolerance, atol=tolerance)
    assert isinstance(translator.transform(X), np.ndarray)


BAD = {
    "kernel": [
        ("gauss", ValueError, "kernel='gauss' is unknown: use one of 'rbf', 'laplacian', 'linear'"),
        (None, ValueError, "kernel=None is unknown"),
        (lambda a, b: np.ones(3), ValueError, r"kernel returned an array of shape \(3,\) for 40"),
        (lambda a, b: np.full((40, 40), np.nan), ValueError, "NaN or infinity: check"),
        (lambda a, b: -(a @ b.T), ValueError, "The kernel is not positive semi-definite"),
    ],
    "gamma": [
        (0.0, ValueError, "gamma=0.0 must be finite and above 0"),
        ([0.1, -1], ValueError, "gamma=-1 must be finite and above 0"),
        ([], ValueError, "gamma is empty: give at least one bandwidth"),
        ("scale", TypeError, "gamma must be a number; got 'scale'"),
    ],
    "alpha": [
        (-1.0, ValueError, "alpha=-1.0 must be finite and at least 0"),
        ([], ValueError, "alpha is empty"),
    ],
    "n_components": [
        (0, ValueError, "n_components=0 must be finite and at least 1"),
        (2.5, TypeError, "n_components must be an integer; got 2.5"),
    ],
    "restore_variance": [("yes", ValueError, "restore_variance='yes' is unknown")],
    "covariance_power": [(-1, ValueError, "covariance_power=-1 must be finite and at least 0")],
}


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [(name, *case) for name, cases in BAD.items() for case in cases],
)
def test_bad_parameters_are_refused(name, value, error, message):
    X, y = pair()
    with pytest.raises(error, match=message):
        KernelTranslator(**{name: value}).fit(X, y)


def test_a_function_that_is_no_kernel_has_no_landmarks():
    X, y = pair()
    with pytest.raises(ValueError, match="The kernel is not symmetric"):
        KernelTranslator(lambda a, b: a[:, :1] + 0 * b[:, 0], n_components=5).fit(X, y)
    with pytest.raises(ValueError, match="The kernel is not positive semi-definite"):
        KernelTranslator(lambda a, b: -(a @ b.T), n_components=5).fit(X, y)


def test_squares_beyond_the_range_of_float64_are_refused():
    X, y = pair()
    for given in ((X * 1e200, y), (X, y * 1e200)):
        with pytest.raises(ValueError, match="squares of X or y overflow float64"):
            KernelTranslator().fit(*given)
    with pytest.raises(ValueError, match="squares of X vanish in float64: rescale"):
        KernelTranslator().fit(X * 1e-160, y)


@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_the_unit_of_weights_does_not_matter(unit):
    X, y = pair()
    expected = KernelTranslator().fit(X, y, np.ones(len(X)))
    found = KernelTranslator().fit(X, y, np.full(len(X), unit))
    assert_allclose(found.transform(X), expected.transform(X), rtol=1e-6)


@pytest.mark.parametrize("far", [1e3, 1e20])
def test_a_landmark_of_next_to_no_weight_sets_no_bandwidth(far):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = np.sin(X @ rng.normal(size=(3, 4)))
    weight = np.ones(80)
    weight[:30], X[:30] = 1e-60, far  # some of them are landmarks
    found = KernelTranslator(n_components=60, random_state=0).fit(X, y, weight)
    expected = KernelTranslator(n_components=60, random_state=0).fit(X[30:], y[30:])
    assert found.gamma_ == pytest.approx(expected.gamma_, rel=0.5)
    assert found.score(X[30:], y[30:]) > 0.9


@pytest.mark.parametrize("weighted", [False, True], ids=["equal", "weighted"])
def test_smooth_kernels_are_judged_exactly(weighted):
    # their eigenvalues end in rounding, and a little penalty lets nearly all of them count
    rng = np.random.default_rng(8)
    X = rng.normal(size=(21, 1))
    y = np.sin(2 * X) + 0.02 * rng.normal(size=(21, 1))
    weight = rng.integers(1, 4, size=21).astype(float) if weighted else np.ones(21)
    kernel = KernelTranslator(gamma=3.0, alpha=1e-6, scaling="center", restore_variance=False)
    predicted = np.empty_like(y)
    for i in range(21):
        others = np.arange(21) != i
        refitted = kernel.fit(X[others], y[others], weight[others])
        predicted[i] = refitted.transform(X[i : i + 1])[0]
    error = weight @ (y - predicted) ** 2
    total = weight @ (y - np.average(y, axis=0, weights=weight)) ** 2
    found = kernel.fit(X, y, weight).best_score_
    assert_allclose(1 - found, (error / total).item(), rtol=1e-4)
