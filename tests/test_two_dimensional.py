"""Laws of a target with several columns, which scikit-learn's checks never pass."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import r2_score

from sklearn_latent import LstsqTranslator

from .estimators import (
    ANCHORED,
    INVERTIBLE,
    LINEAR,
    TRANSLATORS,
    WEIGHTED,
    has_fixed_penalty,
    in_all_scalings,
    make_pair,
    one_line,
    with_scaling,
)

every_scaled = pytest.mark.parametrize("translator", in_all_scalings(TRANSLATORS), ids=one_line)
every_scaled_linear = pytest.mark.parametrize("translator", in_all_scalings(LINEAR), ids=one_line)
every_scaled_weighted = pytest.mark.parametrize(
    "translator", in_all_scalings(WEIGHTED), ids=one_line
)
every_scaled_invertible = pytest.mark.parametrize(
    "translator", in_all_scalings(INVERTIBLE), ids=one_line
)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
D_TARGETS = [3, 6, 9]  # below, equal to and above d_source
every_target = pytest.mark.parametrize("d_target", D_TARGETS, ids="d_target={}".format)

WIDE = {"n": 5, "d_source": 12, "d_target": 9}
TALL = {"n": 40, "d_source": 6, "d_target": 4}
wide_and_tall = pytest.mark.parametrize("shape", [WIDE, TALL], ids=["n<d", "n>d"])


def unit_rows(a):
    norms = np.sqrt(np.sum(np.asarray(a, dtype="float64") ** 2, axis=1, keepdims=True))
    return a / np.where(norms == 0, 1, norms)


def source_scaling(translator):
    scaling = translator.scaling
    return scaling[0] if isinstance(scaling, tuple) else scaling


def assert_same_map(actual, expected, rtol=1e-8):
    """Two fitted translators do the same to new latents."""
    X, _ = make_pair(n=20, d_source=expected.n_features_in_, d_target=1, seed=99)
    out = expected.transform(X)
    assert_allclose(actual.transform(X), out, rtol=rtol, atol=rtol * np.abs(out).max())


@every_dtype
@every_scaled
def test_shapes_dtypes_and_methods_agree(translator, dtype):
    for d_target in D_TARGETS:
        X, y = make_pair(d_target=d_target, dtype=dtype)
        X_new = X[:7] + 1
        translator = clone(translator).fit(X, y)
        out = translator.transform(X_new)
        assert out.shape == (7, d_target)
        assert out.dtype == dtype
        assert np.all(np.isfinite(out))
        assert_array_equal(translator.predict(X_new), out)
        assert translator.score(X, y) == r2_score(y, translator.transform(X))


@every_dtype
@every_scaled_invertible
def test_inverse_is_in_the_space_and_dtype_of_the_source(translator, dtype):
    for d_target in D_TARGETS:
        X, y = make_pair(d_target=d_target, dtype=dtype)
        back = clone(translator).fit(X, y).inverse_transform(y[:7])
        assert back.shape == (7, 6)
        assert back.dtype == dtype
        assert np.all(np.isfinite(back))
    X, y = make_pair(d_target=1, dtype=dtype)
    translator = clone(translator).fit(X, y)
    assert_array_equal(translator.inverse_transform(y[:, 0]), translator.inverse_transform(y))


@every_dtype
@every_scaled_linear
def test_coef_and_intercept_are_the_map(translator, dtype):
    for d_target in D_TARGETS:
        X, y = make_pair(d_target=d_target, dtype=dtype)
        translator = clone(translator).fit(X, y)
        assert translator.coef_.shape == (d_target, 6)
        assert translator.intercept_.shape == (d_target,)
        assert translator.coef_.dtype == translator.intercept_.dtype == dtype
        rows = unit_rows(X) if source_scaling(translator) == "l2" else X
        expected = rows @ translator.coef_.T + translator.intercept_
        tolerance = 1e-4 if dtype == "float32" else 1e-12
        assert_allclose(translator.transform(X), expected, rtol=tolerance, atol=tolerance)


@every_dtype
@every_scaled
def test_one_dimensional_target_is_one_column(translator, dtype):
    X, y = make_pair(d_target=1, dtype=dtype)
    flat = clone(translator).fit(X, y[:, 0])
    column = clone(translator).fit(X, y)
    assert flat.transform(X).shape == column.transform(X).shape == column.predict(X).shape
    assert flat.predict(X).shape == (len(X),)
    assert_array_equal(flat.transform(X), column.transform(X))
    assert_array_equal(flat.predict(X), flat.transform(X)[:, 0])
    assert flat.predict(X).dtype == dtype
    assert flat.score(X, y[:, 0]) == r2_score(y[:, 0], flat.predict(X))


@every_scaled_linear
def test_one_dimensional_target_has_coef_of_one_row(translator):
    X, y = make_pair(d_target=1)
    translator = clone(translator).fit(X, y[:, 0])
    assert translator.coef_.shape == (1, 6)
    assert translator.intercept_.shape == (1,)


@pytest.mark.parametrize(
    "translator",
    [
        LstsqTranslator(),
        LstsqTranslator(scaling="center"),
        LstsqTranslator(scaling=("standard", "center")),
        LstsqTranslator(scaling=("center", "standard")),
        LstsqTranslator(scaling=None, fit_intercept=True),
        LstsqTranslator(scaling=("standard", None), fit_intercept=True),
        LstsqTranslator(scaling=(None, "standard"), fit_intercept=True),
    ],
    ids=one_line,
)
@every_target
@every_dtype
def test_output_is_on_the_raw_coordinates_of_the_target(translator, d_target, dtype):
    rng = np.random.default_rng(0)
    X, _ = make_pair(n=40, dtype=dtype)
    A = rng.normal(size=(6, d_target)) * rng.uniform(1, 100, size=d_target)
    offset = rng.uniform(-500, 500, size=d_target)
    translator = clone(translator).fit(X[:30], (X[:30] @ A + offset).astype(dtype))
    expected = X[30:] @ A + offset
    rtol = 1e-4 if dtype == "float32" else 1e-10
    assert_allclose(translator.transform(X[30:]), expected, rtol=rtol, atol=rtol * 500)


@pytest.mark.parametrize("scaling", ["l2", ("l2", "center"), (None, "l2"), ("l2", None)])
@every_target
def test_raw_coordinates_with_normalised_rows(scaling, d_target):
    rng = np.random.default_rng(0)
    X = unit_rows(rng.normal(size=(40, 3)))
    Q = np.linalg.qr(rng.normal(size=(d_target, 3)))[0].T
    expected = 70 * X @ Q  # rows of norm 70
    source_norms = 1 if scaling == (None, "l2") else rng.uniform(0.1, 10, size=(40, 1))
    translator = LstsqTranslator(scaling=scaling, fit_intercept=True)
    translator.fit((X * source_norms)[:30], expected[:30])
    assert_allclose(translator.transform((X * source_norms)[30:]), expected[30:], atol=1e-10)


def test_normalised_target_has_the_mean_norm_of_its_anchors():
    X, y = make_pair(d_source=4, d_target=4)
    y = unit_rows(X) * np.linalg.norm(y, axis=1, keepdims=True)
    out = LstsqTranslator(scaling="l2").fit(X, y).transform(X)
    assert_allclose(np.linalg.norm(out, axis=1), np.linalg.norm(y, axis=1).mean())


@wide_and_tall
@every_scaled_weighted
def test_weights_are_repetitions_and_zero_is_removal(translator, shape):
    X, y = make_pair(**shape)
    counts = np.random.default_rng(1).permutation([0, 0, 1, 2, 3] * (len(X) // 5))
    weighted = clone(translator).fit(X, y, sample_weight=counts)
    repeated = clone(translator).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts, axis=0))
    assert_same_map(weighted, repeated)
    kept = counts > 0
    removed = clone(translator).fit(X[kept], y[kept], sample_weight=counts[kept])
    assert_same_map(weighted, removed)


@pytest.mark.parametrize("translator", LINEAR, ids=one_line)
def test_rows_of_weight_zero_are_no_anchors(translator):
    X, y = make_pair()
    weight = np.tile([0, 1, 2], 10)
    translator = clone(translator).fit(X, y, weight)
    assert translator.n_anchors_ == 20
    assert_array_equal(translator.anchor_indices_, np.flatnonzero(weight))


@pytest.mark.parametrize("factor", [1e-6, 1 / 30, 1e6])
@pytest.mark.parametrize(
    "translator",
    in_all_scalings(t for t in WEIGHTED if not has_fixed_penalty(t)),
    ids=one_line,
)
def test_only_ratios_of_weights_matter(translator, factor):
    X, y = make_pair()
    weight = np.random.default_rng(1).uniform(0.5, 2, size=len(X))
    one, other = (clone(translator).fit(X, y, w) for w in (weight, weight * factor))
    assert_same_map(other, one)


@pytest.mark.parametrize(
    "translator",
    [t for t in ANCHORED if t in WEIGHTED and not has_fixed_penalty(t)],
    ids=one_line,
)
def test_unit_rows_of_any_size_in_weights_of_any_size(translator):
    X, y = make_pair()
    translator = with_scaling(translator, "l2")
    expected = clone(translator).fit(X, y, np.ones(len(X))).transform(X)
    for unit, size in ((1e-30, 1e-300), (1e20, 1e300)):  # whose product vanishes or overflows
        weight = np.full(len(X), size)
        found = clone(translator).fit(X, y * unit, weight).transform(X)
        np.testing.assert_allclose(found / unit, expected, rtol=1e-6, atol=1e-6)
        fitted = clone(translator).fit(X * unit, y, weight)
        if hasattr(fitted, "inverse_transform"):
            back = clone(translator).fit(X, y).inverse_transform(y)
            np.testing.assert_allclose(fitted.inverse_transform(y) / unit, back, atol=1e-6)


@every_scaled_weighted
def test_equal_weights_are_none(translator):
    X, y = make_pair()
    assert_same_map(clone(translator).fit(X, y, np.ones(len(X))), clone(translator).fit(X, y))


@every_scaled_weighted
def test_order_of_rows_does_not_matter(translator):
    X, y = make_pair()
    order = np.random.default_rng(1).permutation(len(X))
    assert_same_map(clone(translator).fit(X[order], y[order]), clone(translator).fit(X, y))


@every_scaled
def test_rows_are_translated_one_by_one(translator):
    X, y = make_pair()
    translator = clone(translator).fit(X, y)
    single = np.concatenate([translator.transform(row[None, :]) for row in X])
    assert_allclose(single, translator.transform(X), rtol=1e-10, atol=1e-10)
