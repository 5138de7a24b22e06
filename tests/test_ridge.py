"""`RidgeTranslator` and regularised l-ortho against scikit-learn and against literal refits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import make_low_rank_matrix
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.preprocessing import StandardScaler

from sklearn_latent import (
    LOrthoTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RidgeTranslator,
)

ALPHAS = [0.01, 1.0, 30.0, 1000.0]
SHAPES = {"n>d": (40, 6, 4), "n<d": (15, 30, 8), "n=d": (20, 20, 3)}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def pair(n=40, d_source=6, d_target=4, noise=2.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d_source)) * rng.uniform(0.5, 3, size=d_source) + 1
    y = X @ rng.normal(size=(d_source, d_target)) + noise * rng.normal(size=(n, d_target)) - 3
    return X, y * rng.uniform(0.5, 5, size=d_target)


def left_out_predictions(X, y, alpha, **ridge):
    return cross_val_predict(Ridge(alpha=alpha, **ridge), X, y, cv=LeaveOneOut())


# ---- the penalty


@every_shape
@pytest.mark.parametrize("alpha", ALPHAS)
def test_one_strength_is_scikit_learns_ridge(shape, alpha):
    X, y = pair(*shape)
    expected = Ridge(alpha=alpha).fit(X, y)
    translator = RidgeTranslator(alpha=alpha, restore_variance=False, scaling="center").fit(X, y)
    assert_allclose(translator.coef_, expected.coef_, rtol=1e-8, atol=1e-10)
    assert_allclose(translator.intercept_, expected.intercept_, rtol=1e-8)
    uncentred = RidgeTranslator(alpha=alpha, restore_variance=False, scaling=None)
    expected = Ridge(alpha=alpha, fit_intercept=False).fit(X, y)
    assert_allclose(uncentred.fit(X, y).coef_, expected.coef_, rtol=1e-8, atol=1e-10)
    with_intercept = uncentred.set_params(fit_intercept=True).fit(X, y)
    assert_allclose(with_intercept.coef_, translator.coef_, rtol=1e-8, atol=1e-10)
    assert_allclose(with_intercept.intercept_, translator.intercept_, rtol=1e-8)


def test_the_target_is_standardised_and_the_source_only_centred():
    X, y = pair()
    translator = RidgeTranslator(alpha=20.0, restore_variance=False).fit(X, y)
    expected = Ridge(alpha=20.0).fit(X, StandardScaler().fit_transform(y))
    assert_allclose(translator.coef_, expected.coef_ * y.std(axis=0)[:, None])


@every_shape
def test_no_strength_is_least_squares(shape):
    X, y = pair(*shape)
    for scaling in ("standard", "center", None):
        ridge = RidgeTranslator(alpha=0, restore_variance=False, scaling=scaling).fit(X, y)
        lstsq = LstsqTranslator(scaling=scaling).fit(X, y)
        assert_allclose(ridge.coef_, lstsq.coef_, atol=1e-9)


@pytest.mark.parametrize("d_target", [4, 6, 9])
def test_it_is_shrunk_towards_the_scaled_procrustes_map(d_target):
    X, y = pair(d_target=d_target)
    options = {"scaling": "center", "restore_variance": False, "shrink_to": "procrustes"}
    strong = RidgeTranslator(alpha=1e12, **options).fit(X, y)
    start = ProcrustesTranslator(scale=True, scaling="center").fit(X, y).coef_
    assert_allclose(strong.coef_, start, atol=1e-7)
    # the gradient of the objective vanishes
    W = RidgeTranslator(alpha=7.0, **options).fit(X, y).coef_.T
    x, t = X - X.mean(axis=0), y - y.mean(axis=0)
    assert_allclose(x.T @ (x @ W - t) + 7.0 * (W - start.T), 0, atol=1e-8)


# ---- leave-one-out


@every_shape
@pytest.mark.parametrize("alpha", ALPHAS)
def test_score_is_that_of_literal_refits(shape, alpha):
    X, y = pair(*shape)
    translator = RidgeTranslator(alpha=alpha, restore_variance=False, scaling="center").fit(X, y)
    error = np.sum((y - left_out_predictions(X, y, alpha)) ** 2)
    expected = 1 - error / np.sum((y - y.mean(axis=0)) ** 2)
    assert translator.best_score_ == pytest.approx(expected, rel=1e-9)
    translator.set_params(scaling=None).fit(X, y)
    error = np.sum((y - left_out_predictions(X, y, alpha, fit_intercept=False)) ** 2)
    expected = 1 - error / np.sum((y - y.mean(axis=0)) ** 2)
    assert translator.best_score_ == pytest.approx(expected, rel=1e-9)


@every_shape
def test_strength_is_that_of_ridge_cv(shape):
    X, y = pair(*shape)
    alphas = np.logspace(-3, 5, 30)
    expected = RidgeCV(alphas=alphas).fit(X, y)
    translator = RidgeTranslator(alpha=list(alphas), restore_variance=False, scaling="center")
    assert translator.fit(X, y).alpha_ == expected.alpha_
    assert_allclose(translator.alphas_, alphas)
    assert translator.scores_[np.argmax(translator.scores_)] == translator.best_score_
    assert_allclose(translator.coef_, expected.coef_, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_may_be_too_many_to_keep(monkeypatch, dtype):
    X, y = (side.astype(dtype) for side in pair(n=60))
    weight = np.random.default_rng(0).uniform(size=60)
    kept = RidgeTranslator().fit(X, y, weight)
    monkeypatch.setattr("sklearn_latent.solvers.ridge._KEPT_ELEMENTS", 100)
    # blocks of 7 rows
    monkeypatch.setattr("sklearn_latent._moments._CACHED_ELEMENTS", 70)
    monkeypatch.setattr("sklearn_latent._moments._LEAST_ROWS", 1)
    passed = RidgeTranslator().fit(X, y, weight)
    tolerance = {np.float64: 1e-12, np.float32: 1e-5}[dtype]
    assert passed.alpha_ == kept.alpha_
    assert_allclose(passed.scores_, kept.scores_, atol=tolerance)
    assert_allclose(passed.coef_, kept.coef_, rtol=tolerance, atol=tolerance)


EXTREME = {
    "tiny weights": ({}, lambda X, y, w: (X, y, 1e-41 * w)),
    "large targets": ({"scaling": "center"}, lambda X, y, w: (X, 1e18 * y, w)),
    "larger targets": ({"scaling": "center"}, lambda X, y, w: (X, 1e25 * y, w)),
    "small targets": ({"scaling": "center"}, lambda X, y, w: (X, 1e-25 * y, w)),
}


@pytest.mark.parametrize(("params", "change"), EXTREME.values(), ids=EXTREME)
def test_float32_chooses_as_float64_does(params, change):
    X, y = pair(n=80)
    X, y, weight = change(X, y, np.random.default_rng(0).uniform(0.5, 1, size=80))
    X, y = X.astype(np.float32), y.astype(np.float32)
    found = RidgeTranslator(**params).fit(X, y, weight)
    expected = RidgeTranslator(**params).fit(X.astype(float), y.astype(float), weight)
    assert_allclose(found.alpha_, expected.alpha_, rtol=1e-3)
    assert_allclose(found.best_score_, expected.best_score_, atol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_float32_tells_the_spread_from_the_mean(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 40)) + 1e4
    y = X @ rng.normal(size=(40, 10)) + 0.3 * rng.normal(size=(300, 10))
    X, y = X.astype(np.float32), (y - y.mean(axis=0) + 5e4).astype(np.float32)
    found = RidgeTranslator(scaling=None).fit(X, y)
    expected = RidgeTranslator(scaling=None).fit(X.astype(float), y.astype(float))
    assert_allclose(found.best_score_, expected.best_score_, atol=1e-4)
    assert_allclose(found.coef_, expected.coef_, atol=1e-3)


def test_float32_finds_what_little_noise_there_is():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 40))
    y = X @ rng.normal(size=(40, 10)) + 1e-6 * rng.normal(size=(300, 10))
    X, y = X.astype(np.float32), y.astype(np.float32)
    alphas = [1e-9, 1e-6, 1e-3]
    found = RidgeTranslator(alpha=alphas, restore_variance=False).fit(X, y)
    expected = RidgeCV(alphas, store_cv_results=True)
    expected.fit(X.astype(float), y.astype(float) / y.std(axis=0, dtype=float))
    assert_allclose(1 - found.scores_, expected.cv_results_.mean(axis=(0, 1)), rtol=5e-3)


@pytest.mark.parametrize("far", [1e2, 1e4])
def test_float32_keeps_the_residual_of_a_row_that_decides_a_direction_alone(far):
    # its residual and one minus its leverage both vanish as the row goes away, not their ratio
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 20))
    X[7] *= far
    y = X @ rng.normal(size=(20, 5)) + 0.1 * rng.normal(size=(300, 5))
    X, y = X.astype(np.float32), y.astype(np.float32)
    params = {"alpha": [1e-3, 1.0], "restore_variance": False, "scaling": "center"}
    narrow = RidgeTranslator(**params).fit(X, y)
    wide = RidgeTranslator(**params).fit(X.astype(float), y.astype(float))
    assert_allclose(1 - narrow.scores_, 1 - wide.scores_, rtol=1e-6)


def test_anchors_that_say_nothing_of_each_other_make_a_constant():
    # ten class means, each in a direction of its own
    rng = np.random.default_rng(0)
    means = 5 * np.eye(10, 20)
    X, y = means @ rotation(20, 0), means @ rotation(20, 1)
    ridge, procrustes = RidgeTranslator().fit(X, y), ProcrustesTranslator().fit(X, y)
    assert abs(ridge.best_score_) < 1e-6
    assert np.std(ridge.transform(X) - y.mean(axis=0)) < 0.02 * np.std(y - y.mean(axis=0))
    labels = rng.integers(10, size=200)
    items = X[labels] + 0.1 * rng.normal(size=(200, 20))
    nearest = np.argmin(cdist(procrustes.transform(items), y), axis=1)
    assert_array_equal(nearest, labels)


def rotation(d, seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def test_the_grid_follows_the_units_of_the_source():
    X, y = pair(noise=5)
    one, other = (RidgeTranslator().fit(X * unit, y) for unit in (1, 1e3))
    assert other.alpha_ == pytest.approx(one.alpha_ * 1e6)
    assert_allclose(other.coef_ * 1e3, one.coef_, rtol=1e-6)
    assert 0 in one.alphas_
    assert np.all(np.diff(one.alphas_) < 0)


def test_the_grid_holds_a_strength_as_good_as_any():
    X, y = pair(60, 30, 5, noise=8)
    translator = RidgeTranslator(restore_variance=False, scaling="center").fit(X, y)
    fine = clone(translator).set_params(alpha=list(np.logspace(-2, 6, 200))).fit(X, y)
    assert translator.best_score_ > fine.best_score_ - 0.005


@pytest.mark.parametrize("n", [200, 20])
def test_without_noise_nothing_is_shrunk(n):
    X = make_low_rank_matrix(n, 30, effective_rank=5, random_state=0)
    X = np.linalg.qr(X)[0][:, :8] @ np.random.default_rng(0).normal(size=(8, 30))
    y = X @ np.random.default_rng(1).normal(size=(30, 12))
    translator = RidgeTranslator().fit(X, y)
    assert_allclose(translator.transform(X), y, atol=1e-6)
    assert translator.best_score_ > 1 - 1e-10
    assert_allclose(translator.restoration_, 1, atol=1e-6)


def test_copies_of_a_row_are_left_out_together():
    X, y = pair(12, 8, 3, noise=4)
    thrice = np.tile(X, (3, 1)), np.tile(y, (3, 1))
    alone = RidgeTranslator(alpha=5.0, scaling="center").fit(X, y)
    repeated = RidgeTranslator(alpha=15.0, scaling="center").fit(*thrice)
    assert repeated.best_score_ == pytest.approx(alone.best_score_)
    assert_allclose(repeated.coef_, alone.coef_)
    # copies of the source alone are other items
    jittered = RidgeTranslator(alpha=15.0, scaling="center").fit(thrice[0], thrice[1] + 1e-9)
    assert jittered.best_score_ == pytest.approx(repeated.best_score_)
    noisy = thrice[1] + 1e-9 * np.arange(36)[:, None]
    assert RidgeTranslator(alpha=15.0).fit(thrice[0], noisy).best_score_ > repeated.best_score_


def error_of_folds(X, y, translator):
    """With every fifth row left out, of rows that are sorted by their first column."""
    order = np.argsort(X[:, 0])
    X, y = X[order], y[order]
    error = 0.0
    for k in range(5):
        out = np.arange(len(X)) % 5 == k
        fitted = clone(translator).fit(X[~out], y[~out])
        error += np.sum((fitted.transform(X[out]) - y[out]) ** 2)
    return error


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_fold_scores_are_those_of_literal_folds(dtype):
    X, y = pair(50, 12, 5, noise=4)
    options = {"scaling": "center", "restore_variance": False, "shrink_to": "procrustes"}
    for alpha in (0.5, 50.0):
        translator = RidgeTranslator(alpha=alpha, **options)
        expected = 1 - error_of_folds(X, y, translator) / np.sum((y - y.mean(axis=0)) ** 2)
        # float32 goes by Gram matrices instead of rows
        translator.fit(X.astype(dtype), y.astype(dtype))
        assert translator.best_score_ == pytest.approx(expected, abs=1e-5)


def test_auto_shrinks_to_what_predicts_left_out_folds_better():
    chosen = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(18, 8))
        rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
        y = X @ (rotation + 0.1 * seed * rng.normal(size=(8, 8))) + rng.normal(size=(18, 8))
        options = {"alpha": 3.0, "scaling": "center", "restore_variance": False}
        errors = {
            kind: error_of_folds(X, y, RidgeTranslator(shrink_to=kind, **options))
            for kind in ("zero", "procrustes")
        }
        auto = RidgeTranslator(shrink_to="auto", **options).fit(X, y)
        assert auto.shrink_to_ == min(errors, key=errors.get)
        expected = RidgeTranslator(shrink_to=auto.shrink_to_, **options).fit(X, y)
        assert_allclose(auto.coef_, expected.coef_)
        chosen.add(auto.shrink_to_)
    assert chosen == {"zero", "procrustes"}


# ---- restoring the spread


@every_shape
def test_features_get_the_spread_that_left_out_predictions_lack(shape):
    X, y = pair(*shape, noise=6)
    plain = RidgeTranslator(alpha=20.0, restore_variance=False, scaling="center").fit(X, y)
    restored = RidgeTranslator(alpha=20.0, covariance_power=0, scaling="center").fit(X, y)
    left_out = left_out_predictions(X, y, 20.0)
    ratio = np.clip(y.std(axis=0) / left_out.std(axis=0), 1, 10)
    assert ratio.max() > 1
    assert_allclose(restored.restoration_, ratio, rtol=1e-8)
    mean = y.mean(axis=0)
    assert_allclose(restored.transform(X), mean + ratio * (plain.transform(X) - mean), rtol=1e-8)
    assert_allclose(plain.restoration_, 1)


@pytest.mark.parametrize("power", [0.75, 1.0])
def test_principal_axes_get_their_spread_first(power):
    X, y = pair(60, 10, 4, noise=8)
    t = StandardScaler().fit_transform(y)
    left_out = left_out_predictions(X, t, 50.0)
    axes = np.linalg.svd(t, full_matrices=False)[2].T
    gain = np.clip((t @ axes).std(axis=0) / (left_out @ axes).std(axis=0), 1, 10) ** power
    stretched = left_out @ axes * gain @ axes.T
    ratio = np.clip(1 / stretched.std(axis=0), 1, 10)
    expected = Ridge(alpha=50.0).fit(X, t).predict(X) @ axes * gain @ axes.T * ratio
    translator = RidgeTranslator(alpha=50.0, covariance_power=power).fit(X, y)
    assert_allclose(
        translator.transform(X), expected * y.std(axis=0) + y.mean(axis=0), rtol=1e-8, atol=1e-8
    )


def test_restoring_is_about_the_mean_of_the_predictions():
    X, y = pair(60, 10, 4, noise=8)
    options = {"alpha": 50.0, "scaling": None}
    plain = RidgeTranslator(restore_variance=False, **options).fit(X, y).transform(X)
    restored = RidgeTranslator(**options).fit(X, y).transform(X)
    assert_allclose(restored.mean(axis=0), plain.mean(axis=0), rtol=1e-8)
    assert np.all(restored.std(axis=0) > plain.std(axis=0))


def test_with_restoring_the_strength_is_chosen_by_direction():
    X, y = pair(60, 30, 5, noise=8)
    t = StandardScaler().fit_transform(y)
    alphas = list(np.logspace(0, 5, 15))
    translator = RidgeTranslator(alpha=alphas).fit(X, y)
    left_out = [left_out_predictions(X, t, alpha) for alpha in alphas]
    cosines = [np.sum(t * p) / np.linalg.norm(t) / np.linalg.norm(p) for p in left_out]
    cosines = np.maximum(cosines, 0)  # strong enough, they repel the mean of the others
    assert_allclose(translator.scores_, np.square(cosines), rtol=1e-8, atol=1e-12)
    assert translator.alpha_ == alphas[np.argmax(cosines)]


def test_noise_is_not_stretched_beyond_ten_times():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 5)), rng.normal(size=(50, 3))
    translator = RidgeTranslator(alpha=1e9, covariance_power=0).fit(X, y)
    assert_allclose(translator.restoration_, 10)
    assert translator.best_score_ < 0.2
    assert RidgeTranslator(restore_variance=False).fit(X, y).best_score_ < 0.05


def test_a_perfect_prediction_is_a_choice():
    # the error after the best stretch is 0 up to rounding, on either side of it
    X = np.random.default_rng(0).normal(size=(20, 1))
    assert_allclose(RidgeTranslator(scaling="l2").fit(X, -2 * X).best_score_, 1)
    X = np.array([[-1.0, 1], [1, 1], [1, -1], [-1, -1]])
    y = np.array([[-0.1401077533282986, 0.21637262060775367],
                  [1.7452972253007657, -0.38748394277566434]])  # fmt: skip
    assert_allclose(RidgeTranslator().fit(X, np.vstack([y, -y])).best_score_, 1)


@pytest.mark.parametrize("scaling", [None, ("center", None)])
def test_float32_restores_the_spread_of_targets_far_from_zero(scaling):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 10)) + 5
    y = X @ rng.normal(size=(10, 6)) + 0.5 * rng.normal(size=(300, 6)) + 1000
    single, double = (
        RidgeTranslator(scaling=scaling).fit(X.astype(dtype), y.astype(dtype)) for dtype in "fd"
    )
    assert_allclose(single.restoration_, double.restoration_, rtol=1e-2)


# ---- streams


def test_streams_judge_nearly_as_well_as_leave_one_out():
    X, y = pair(400, 20, 6, noise=6)
    fitted = RidgeTranslator().fit(X, y)
    streamed = RidgeTranslator()
    for i in range(0, 400, 70):
        streamed.partial_fit(X[i : i + 70], y[i : i + 70])
    assert streamed.best_score_ == pytest.approx(fitted.best_score_, abs=0.005)
    assert_allclose(streamed.restoration_, fitted.restoration_, rtol=0.02)
    assert r2_score(fitted.transform(X), streamed.transform(X)) > 0.995


def test_streams_of_few_rows_do_not_fit_noise():
    for n, seed in ((30, 0), (40, 1), (42, 2)):
        X, y = pair(n, 40, 6, noise=8, seed=seed)
        fitted, streamed = RidgeTranslator().fit(X, y), RidgeTranslator().partial_fit(X, y)
        assert fitted.alpha_ / 100 < streamed.alpha_ < fitted.alpha_ * 100


@pytest.mark.parametrize("n", [100, 20])
def test_streams_without_noise_are_not_shrunk(n):
    X, y = pair(n, 12, 6, noise=0)
    assert_allclose(RidgeTranslator().partial_fit(X, y).transform(X), y, atol=1e-6)


def test_mean_leverage_is_exact_where_all_are_equal():
    # a design in which every row has the same leverage
    X = np.array([[1, 1, 1], [1, -1, 1], [-1, 1, 1], [-1, -1, 1]] * 2, dtype=float)
    X[4:, 2] = -1
    y = np.random.default_rng(0).normal(size=(8, 2))
    for options in ({"scaling": "center"}, {"scaling": None}):
        fitted = RidgeTranslator(alpha=2.0, **options).fit(X, y)
        streamed = RidgeTranslator(alpha=2.0, **options).partial_fit(X, y)
        assert streamed.best_score_ == pytest.approx(fitted.best_score_)
        if options["scaling"] == "center":
            assert_allclose(streamed.coef_, fitted.coef_, atol=1e-12)


def test_folds_cannot_be_asked_for_in_the_middle_of_a_stream():
    X, y = pair()
    translator = RidgeTranslator().partial_fit(X[:20], y[:20])
    translator.set_params(shrink_to="auto").partial_fit(X[20:], y[20:])
    with pytest.raises(ValueError, match="shrink_to became 'auto' between two batches"):
        translator.transform(X)


# ---- l-ortho


@every_shape
def test_regularised_l_ortho_is_the_polar_factor_of_ridge(shape):
    X, y = pair(*shape)
    translator = LOrthoTranslator(alpha=3.0, scaling="center").fit(X, y)
    u, s, vt = np.linalg.svd(Ridge(alpha=3.0).fit(X, y).coef_, full_matrices=False)
    rank = np.count_nonzero(s > 1e-10 * s[0])
    assert_allclose(translator.coef_, u[:, :rank] @ vt[:rank], atol=1e-8)
    assert translator.alpha_ == 3.0


def test_l_ortho_chooses_its_strength_like_ridge():
    X, y = pair(60, 30, 8, noise=8)
    ridge = RidgeTranslator(scaling="center").fit(X, y)
    assert LOrthoTranslator(alpha=None, scaling="center").fit(X, y).alpha_ == ridge.alpha_
    assert LOrthoTranslator(alpha=ALPHAS, scaling="center").fit(X, y).alpha_ in ALPHAS
    assert LOrthoTranslator().fit(X, y).alpha_ == 0


# ---- bad parameters


@pytest.mark.parametrize("cls", [RidgeTranslator, LOrthoTranslator])
def test_bad_strengths_say_what_is_wanted(cls):
    X, y = pair()
    with pytest.raises(ValueError, match=r"alpha=-1 must be finite and at least 0"):
        cls(alpha=-1).fit(X, y)
    with pytest.raises(ValueError, match=r"alpha=nan must be finite"):
        cls(alpha=[1.0, float("nan")]).fit(X, y)
    with pytest.raises(ValueError, match="alpha is empty: give at least one strength"):
        cls(alpha=[]).fit(X, y)
    with pytest.raises(TypeError, match="alpha must be a number; got 'auto'"):
        cls(alpha="auto").fit(X, y)


def test_bad_options_say_what_is_wanted():
    X, y = pair()
    with pytest.raises(ValueError, match="shrink_to='one' is unknown: use one of 'zero', 'proc"):
        RidgeTranslator(shrink_to="one").fit(X, y)
    with pytest.raises(ValueError, match="restore_variance='yes' is unknown"):
        RidgeTranslator(restore_variance="yes").fit(X, y)
    with pytest.raises(ValueError, match=r"covariance_power=-0\.5 must be finite and at least 0"):
        RidgeTranslator(covariance_power=-0.5).fit(X, y)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_leaving_out_is_exact_with_fewer_anchors_than_directions(noise):
    n, d = 20, 30
    rng = np.random.default_rng(0)
    spread = np.r_[np.logspace(0, -4, 10), np.full(d - 10, 1e-5)]
    Z = rng.normal(size=(n, d))
    X = (Z * spread) @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    y = Z[:, :10] @ rng.normal(size=(10, 3)) + noise * rng.normal(size=(n, 3))
    alphas = [1e-2, 1e-5, 1e-8]
    ridge = RidgeTranslator(alpha=alphas, scaling=None, restore_variance=False).fit(X, y)
    expected = [
        r2_score(
            y,
            left_out_predictions(X, y, alpha, fit_intercept=False),
            multioutput="variance_weighted",
        )
        for alpha in alphas
    ]
    assert_allclose(1 - ridge.scores_, 1 - np.array(expected), rtol=1e-5)


@pytest.mark.parametrize("unit", [1e-85, 1e80])
def test_the_choice_minds_no_units_of_the_target(unit):
    X, y = pair()
    expected = RidgeTranslator(scaling="center").fit(X, y)
    found = RidgeTranslator(scaling="center").fit(X, y * unit)
    assert_allclose(found.alpha_, expected.alpha_)
    assert_allclose(found.transform(X) / unit, expected.transform(X))


@pytest.mark.parametrize("side", ["X", "y"])
def test_a_row_far_away_of_next_to_no_weight_in_float32(side):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)).astype(np.float32)
    y = (X @ rng.normal(size=(4, 3)) + 0.1 * rng.normal(size=(60, 3))).astype(np.float32)
    expected = RidgeTranslator().fit(X[1:], y[1:])
    weight = np.ones(60)
    weight[0] = 1e-90
    sides = {"X": X.copy(), "y": y.copy()}
    sides[side][0] = 1e37
    found = RidgeTranslator().fit(**sides, sample_weight=weight)
    assert_allclose(found.coef_, expected.coef_, rtol=0.02, atol=1e-3)


def test_errors_that_overflow_are_named():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2, 40, 3))
    with pytest.raises(ValueError, match="rows that were left out overflow: rescale"):
        RidgeTranslator(scaling=None).fit(X * 1e150 + 1e153, y)
