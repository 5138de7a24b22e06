"""Laws of the closed-form translators, against SciPy and scikit-learn."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from sklearn_latent import LstsqTranslator, ProcrustesTranslator, ZeroPadder
from sklearn_latent.exceptions import AnchorWarning

SHAPES = [(4, 7), (6, 6), (7, 4)]


def pair(n=80, d_source=6, d_target=6, noise=0.3, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d_source)) * rng.uniform(0.5, 2, d_source) + rng.normal(size=d_source)
    y = X @ rng.normal(size=(d_source, d_target)) + 3 + noise * rng.normal(size=(n, d_target))
    return X.astype(dtype), y.astype(dtype)


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


# ---- Procrustes


@pytest.mark.parametrize("scaling", ["center", None])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_procrustes_recovers_a_rotation(scaling, dtype):
    X, _ = pair(dtype=dtype)
    R = rotation(6).astype(dtype)
    y = X @ R + (2 if scaling == "center" else 0)
    translator = ProcrustesTranslator(scaling=scaling).fit(X, y)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert_allclose(translator.coef_, R.T, atol=tolerance)
    assert_allclose(translator.transform(X), y, atol=20 * tolerance)


@pytest.mark.parametrize(("d_source", "d_target"), SHAPES)
def test_procrustes_is_scipys_after_standardising_and_padding(d_source, d_target):
    X, y = pair(d_source=d_source, d_target=d_target)
    d = max(d_source, d_target)
    source, target = StandardScaler().fit(X), StandardScaler().fit(y)
    X_padded = np.pad(source.transform(X), [(0, 0), (0, d - d_source)])
    y_padded = np.pad(target.transform(y), [(0, 0), (0, d - d_target)])
    R, _ = orthogonal_procrustes(X_padded, y_padded)
    expected = target.inverse_transform((X_padded @ R)[:, :d_target])
    assert_allclose(ProcrustesTranslator().fit(X, y).transform(X), expected, atol=1e-10)


@pytest.mark.parametrize(("d_source", "d_target"), SHAPES)
def test_explicit_steps_give_the_same_map(d_source, d_target):
    X, y = pair(d_source=d_source, d_target=d_target)
    steps = make_pipeline(
        StandardScaler(), ZeroPadder(8), ProcrustesTranslator(scaling=(None, "standard"))
    )
    folded = ProcrustesTranslator().fit(X, y)
    assert_allclose(steps.fit(X, y).transform(X), folded.transform(X), atol=1e-10)


@pytest.mark.parametrize(("d_source", "d_target"), SHAPES)
def test_procrustes_is_semi_orthogonal(d_source, d_target):
    X, y = pair(d_source=d_source, d_target=d_target)
    coef = ProcrustesTranslator(scaling="center").fit(X, y).coef_
    smaller = coef @ coef.T if d_target < d_source else coef.T @ coef
    assert_allclose(smaller, np.eye(min(d_source, d_target)), atol=1e-12)


def test_procrustes_beats_every_other_rotation():
    X, y = pair()
    X, y = X - X.mean(axis=0), y - y.mean(axis=0)
    best = np.linalg.norm(ProcrustesTranslator(scaling=None).fit(X, y).transform(X) - y)
    for seed in range(50):
        assert best <= np.linalg.norm(X @ rotation(6, seed) - y)


@pytest.mark.parametrize("d_target", [4, 6, 9])
def test_scale_is_the_factor_of_least_error(d_target):
    X, y = pair(d_target=d_target)
    X, y = X - X.mean(axis=0), y - y.mean(axis=0)
    plain = ProcrustesTranslator(scaling=None).fit(X, y).transform(X)
    scaled = ProcrustesTranslator(scaling=None, scale=True).fit(X, y)
    if d_target >= 6:  # then ‖XW‖ = ‖X‖, and s is the least-squares factor of the rotated X
        assert_allclose(scaled.scale_, np.sum(plain * y) / np.sum(plain**2))
    assert_allclose(scaled.transform(X), scaled.scale_ * plain)


def test_scale_recovers_a_similarity():
    X, _ = pair()
    translator = ProcrustesTranslator(scaling="center", scale=True).fit(X, 2.5 * X @ rotation(6))
    assert translator.scale_ == pytest.approx(2.5)
    assert_allclose(translator.inverse_transform(translator.transform(X)), X)


def test_procrustes_inverts_itself():
    X, y = pair(d_source=5, d_target=7)
    translator = ProcrustesTranslator().fit(X, y)
    assert_allclose(translator.inverse_transform(translator.transform(X)), X)


def test_swapping_the_sides_transposes_the_map():
    X, y = pair(d_source=5, d_target=7)
    there = ProcrustesTranslator(scaling="center").fit(X, y)
    back = ProcrustesTranslator(scaling="center").fit(y, X)
    assert_allclose(there.coef_, back.coef_.T, atol=1e-12)
    assert_allclose(there.inverse_transform(y), back.transform(y), atol=1e-10)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_few_anchors_rotate_what_they_span_and_drop_the_rest(n):
    X, _ = pair(n=n, d_source=40, d_target=50)
    y = X @ rotation(50)[:40]
    translator = ProcrustesTranslator(scaling="center").fit(X, y)
    assert translator.rank_ == n - 1
    assert_allclose(translator.transform(X), y, atol=1e-10)
    span = np.linalg.svd(X - X.mean(axis=0))[2][: n - 1]
    outside = np.random.default_rng(1).normal(size=40)
    outside -= span.T @ (span @ outside)
    assert_allclose(translator.coef_ @ outside, 0, atol=1e-10)


def test_few_anchors_agree_with_the_full_cross_product():
    X, y = pair(n=20, d_source=30, d_target=25)
    translator = ProcrustesTranslator(scaling=None).fit(X, y)
    u, s, vt = np.linalg.svd(X.T @ y, full_matrices=False)
    assert translator.rank_ == 20
    assert_allclose(translator.singular_values_[:20], s[:20])
    assert_allclose(translator.coef_.T, u[:, :20] @ vt[:20], atol=1e-9)


# ---- least squares


@pytest.mark.parametrize(("d_source", "d_target"), SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_least_squares_is_linear_regression(d_source, d_target, dtype):
    X, y = pair(d_source=d_source, d_target=d_target, dtype=dtype)
    oracle = LinearRegression().fit(X.astype(float), y.astype(float))
    rtol = 1e-4 if dtype == np.float32 else 1e-9
    for scaling in ("standard", "center"):
        translator = LstsqTranslator(scaling=scaling).fit(X, y)
        assert_allclose(translator.coef_, oracle.coef_, rtol=rtol, atol=rtol)
        assert_allclose(translator.intercept_, oracle.intercept_, rtol=rtol, atol=rtol)
    translator = LstsqTranslator(scaling=None, fit_intercept=True).fit(X, y)
    assert_allclose(translator.coef_, oracle.coef_, rtol=rtol, atol=rtol)
    assert_allclose(translator.intercept_, oracle.intercept_, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("n", [80, 6, 5, 3])
def test_least_squares_without_scaling_is_numpys(n):
    X, y = pair(n=n)
    W, _, rank, s = np.linalg.lstsq(X, y, rcond=None)
    translator = LstsqTranslator(scaling=None).fit(X, y)
    assert_allclose(translator.coef_, W.T, atol=1e-8)
    assert_allclose(translator.intercept_, 0)
    assert translator.rank_ == rank
    assert_allclose(translator.singular_values_[:rank], s[:rank])
    assert translator.condition_number_ == pytest.approx(s[0] / s[rank - 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dependent_columns_give_the_least_norm_solution(dtype):
    X, y = pair(d_source=4, dtype=dtype)
    X = np.hstack([X, X[:, :2]])
    translator = LstsqTranslator(scaling="center").fit(X, y)
    assert translator.rank_ == 4
    # of all ways to share the weight of a doubled column, halves have the least norm
    assert_allclose(translator.coef_[:, :2], translator.coef_[:, 4:], rtol=1e-4, atol=1e-5)
    assert_allclose(translator.transform(X), LstsqTranslator().fit(X[:, :4], y).transform(X[:, :4]),
                    rtol=1e-4, atol=1e-4)  # fmt: skip


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("streamed", [False, True])
def test_least_squares_does_not_square_the_condition_number(condition, streamed):
    rng = np.random.default_rng(0)
    u, v = np.linalg.qr(rng.normal(size=(500, 10)))[0], rotation(10)
    X = (u * np.geomspace(1, 1 / condition, 10)) @ v
    W = rng.normal(size=(10, 4))
    y = X @ W
    translator = LstsqTranslator(scaling=None)
    if streamed:
        for i in range(0, 500, 90):
            translator.partial_fit(X[i : i + 90], y[i : i + 90])
    else:
        translator.fit(X, y)
    error = np.linalg.norm(translator.coef_.T - W) / np.linalg.norm(W)
    assert error < 1e-14 * condition


def test_l2_regresses_directions_and_restores_the_mean_norm():
    X, y = pair(d_source=5, d_target=7)
    unit_x, unit_y = Normalizer().transform(X), Normalizer().transform(y)
    W = np.linalg.lstsq(unit_x, unit_y, rcond=None)[0]
    mean_norm = np.linalg.norm(y, axis=1).mean()
    translator = LstsqTranslator(scaling="l2").fit(X, y)
    assert_allclose(translator.transform(X), unit_x @ W * mean_norm, atol=1e-10)


def test_l2_ignores_the_length_of_source_rows():
    X, y = pair()
    translator = ProcrustesTranslator(scaling="l2").fit(X, y)
    lengths = np.random.default_rng(0).uniform(0.1, 10, size=(len(X), 1))
    assert_allclose(translator.transform(X * lengths), translator.transform(X))
    again = ProcrustesTranslator(scaling="l2").fit(X * lengths, y)
    assert_allclose(again.coef_, translator.coef_, atol=1e-10)


@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_l2_of_rows_whose_squares_are_out_of_range(unit):
    X, y = pair()
    expected = LstsqTranslator(scaling="l2").fit(X, y).transform(X)
    translator = LstsqTranslator(scaling="l2").fit(X * unit, y)
    assert_allclose(translator.transform(X * unit), expected)


def test_least_squares_inverts_itself_where_nothing_is_lost():
    X, y = pair(d_source=4, d_target=7)
    for scaling in ("standard", "center", None, ("standard", "center")):
        translator = LstsqTranslator(scaling=scaling).fit(X, y)
        assert_allclose(translator.inverse_transform(translator.transform(X)), X, atol=1e-8)
    back_and_forth = LstsqTranslator().fit(y, X)
    once = back_and_forth.transform(y)
    assert_allclose(back_and_forth.transform(back_and_forth.inverse_transform(once)), once)


def test_scaling_of_one_side_alone_does_not_change_exact_fits():
    X, y = pair(noise=0)
    for scaling in [("standard", "center"), ("center", "standard"), ("standard", "standard")]:
        assert_allclose(LstsqTranslator(scaling=scaling).fit(X, y).transform(X), y, atol=1e-9)


def test_batches_of_single_rows_are_enough_after_the_second():
    X, y = pair(n=3)
    translator = LstsqTranslator().partial_fit(X[:1], y[:1])
    with pytest.raises(ValueError, match="at least 2 anchors of positive weight; got 1 sample"):
        translator.transform(X)
    translator.partial_fit(X[1:2], y[1:2]).partial_fit(X[2:], y[2:])
    assert_allclose(translator.coef_, LstsqTranslator().fit(X, y).coef_, atol=1e-10)
    assert translator.n_anchors_ == 3
    assert translator.anchor_indices_.tolist() == [0, 1, 2]


def test_partial_fit_after_fit_goes_on():
    X, y = pair()
    translator = ProcrustesTranslator().fit(X[:50], y[:50]).partial_fit(X[50:], y[50:])
    assert_allclose(translator.coef_, ProcrustesTranslator().fit(X, y).coef_, atol=1e-10)


def test_fit_forgets_what_came_before():
    X, y = pair()
    translator = ProcrustesTranslator().partial_fit(X[:, :3], y[:, :2]).fit(X, y)
    assert np.array_equal(translator.coef_, ProcrustesTranslator().fit(X, y).coef_)
    assert translator.n_anchors_ == len(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scaling": "l2"}, "scaling is 'l2' now, but whether rows are normalised cannot change"),
        ({"scale": True}, "needs the products of the columns of X .* did not ask for"),
    ],
)
@pytest.mark.parametrize("method", ["partial_fit", "transform"])
def test_what_the_first_batch_was_not_kept_for(params, message, method):
    X, y = pair()
    translator = ProcrustesTranslator().partial_fit(X, y).set_params(**params)
    with pytest.raises(ValueError, match=message):
        getattr(translator, method)(*(X, y)[: 2 if method == "partial_fit" else 1])


def test_a_map_out_of_range_is_an_error():
    X, y = pair(dtype=np.float32)
    with pytest.raises(ValueError, match="overflows float32: the ranges of X and y"):
        LstsqTranslator(scaling=None).fit(X * np.float32(1e-30), y * np.float32(1e30))
    X, y = pair()
    with pytest.raises(ValueError, match="squares of X or y overflow float64"):
        LstsqTranslator(scaling=None).fit(X, y * 1e200)


# ---- warnings


def warning_of(n, d=40, noise=1.0, columns=None):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)) if columns is None else rng.normal(size=(n, columns))
    X = X if columns is None else X @ rng.normal(size=(columns, d))
    y = X @ rng.normal(size=(d, 5)) + noise * rng.normal(size=(n, 5))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        LstsqTranslator().fit(X, y)
    assert all(issubclass(warning.category, AnchorWarning) for warning in caught)
    assert all(warning.filename == __file__ for warning in caught)
    return " ".join(str(warning.message) for warning in caught)


@pytest.mark.parametrize("n", [30, 40, 41, 45, 55])
def test_about_as_many_anchors_as_dimensions_are_warned_of(n):
    assert "interpolation peak" in warning_of(n)
    assert "RidgeTranslator" in warning_of(n)


@pytest.mark.parametrize("n", [65, 400])
def test_enough_anchors_are_not_warned_of(n):
    assert warning_of(n) == ""


def test_a_map_that_is_not_unique_is_warned_of():
    assert "10 anchors determine 9 of 40 source directions. The map of" in warning_of(10)
    assert "is not unique" in warning_of(200, columns=15)
    assert "200 anchors determine 15 of 40" in warning_of(200, columns=15)
    assert "or give more anchors" in warning_of(10)
    assert "give more anchors" not in warning_of(200, columns=15)
    assert "constant or combinations" in warning_of(200, columns=15)
    assert "interpolation peak" not in warning_of(10)
    assert "interpolation peak" not in warning_of(200, columns=15)


def test_without_noise_there_is_no_peak():
    assert warning_of(50, noise=0) == ""


def test_streams_warn_when_the_map_is_solved_for():
    X, y = pair(n=6)
    translator = LstsqTranslator().partial_fit(X, y)
    with pytest.warns(AnchorWarning, match="RidgeTranslator has no such peak"):
        translator.transform(X)
