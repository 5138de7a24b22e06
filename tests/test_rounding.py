"""What is rounding and what is data: latents of very unequal columns, low rank, extreme units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from sklearn_latent import (
    InverseRelativeTranslator,
    LOrthoTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RelativeProjector,
)
from sklearn_latent.anchors import select_anchors


def related(n=600, d=64, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X @ rng.normal(size=(d, 8)) + 0.1 * rng.normal(size=(n, 8))


@pytest.mark.parametrize("scaling", [None, "center", "standard"])
@pytest.mark.parametrize("size", [1e2, 1e3, 1e4])
def test_one_large_column_hides_nothing_in_float32(size, scaling):
    X, y = related()
    X[:, 0] = size * (1 + 0.1 * X[:, 0])  # a massive activation
    exact = LstsqTranslator(scaling=scaling).fit(X, y).score(X, y)
    X32, y32 = X.astype(np.float32), y.astype(np.float32)
    assert LstsqTranslator(scaling=scaling).fit(X32, y32).score(X32, y32) > exact - 1e-3
    assert LstsqTranslator(scaling=scaling).fit(X32, y32).rank_ == 64


def test_a_large_offset_hides_nothing_in_float32():
    X, y = related()
    X32 = (X + 1e3).astype(np.float32)
    oracle = LinearRegression(fit_intercept=False).fit(X32.astype(float), y)
    ours = LstsqTranslator(scaling=None).fit(X32, y.astype(np.float32))
    expected = r2_score(y, oracle.predict(X32.astype(float)))
    assert r2_score(y, ours.transform(X32)) > expected - 1e-3


@pytest.mark.parametrize("make", [LstsqTranslator, LOrthoTranslator])
@pytest.mark.parametrize("rank", [5, 20])
@pytest.mark.parametrize("columns", ["equal", "unequal"])
def test_low_rank_is_found_in_float32(make, rank, columns):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, rank)).astype("f") @ rng.normal(size=(rank, 64)).astype("f")
    if columns == "unequal":
        X *= np.geomspace(1, 1e3, 64).astype("f")
    y = (X / X.std(axis=0)) @ rng.normal(size=(64, 8)).astype("f")
    translator = make(scaling=None).fit(X, y)
    assert translator.rank_ <= rank  # l-ortho's is that of the 8 target columns at most
    assert translator.condition_number_ < 1e5
    assert np.abs(translator.coef_).max() < 100


@pytest.mark.parametrize("scale", [1.0, 2.5])
@pytest.mark.parametrize(("d_source", "d_target"), [(9, 4), (5, 5), (4, 9)])
@pytest.mark.parametrize("n", [200, 3])
def test_the_scale_is_that_of_least_error(scale, d_source, d_target, n):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d_source)), rng.normal(size=(n, d_target))
    plain = ProcrustesTranslator(scaling=None).fit(X, y).transform(X)
    scaled = ProcrustesTranslator(scaling=None, scale=True).fit(X, scale * y)
    assert scaled.scale_ == pytest.approx(scale * np.sum(plain * y) / np.sum(plain**2))
    assert_allclose(scaled.transform(X), scaled.scale_ * plain)


def test_low_rank_relative_spaces_in_float32():
    rng = np.random.default_rng(0)
    X = np.maximum(rng.normal(size=(300, 20)), 0)
    X[:, 12:] = 0  # dead units
    rotation = np.linalg.qr(rng.normal(size=(20, 20)))[0]
    y = X.astype(np.float32) @ rotation.astype(np.float32)
    translator = InverseRelativeTranslator(pruning=None).fit(X.astype(np.float32), y)
    assert translator.condition_number_ < 100
    exact = InverseRelativeTranslator(pruning=None).fit(X, X @ rotation)
    assert_allclose(translator.transform(X.astype(np.float32)), exact.transform(X), atol=1e-2)
    projector = RelativeProjector().fit(y)
    back = projector.inverse_transform(projector.transform(y))
    cosines = np.sum(back * y, axis=1) / np.linalg.norm(back, axis=1) / np.linalg.norm(y, axis=1)
    assert cosines.min() > 0.999


@pytest.mark.parametrize("move", [(1, 1e4), (1e200, 0), (1e-200, 0)])
def test_farthest_anchors_do_not_depend_on_units(move):
    X = np.random.default_rng(0).normal(size=(200, 6))
    expected = select_anchors(X, 30, "farthest", np.random.RandomState(0))
    moved = X * move[0] + move[1]
    chosen = select_anchors(moved, 30, "farthest", np.random.RandomState(0))
    assert np.array_equal(chosen, expected)


def test_farthest_anchors_of_groups_far_off_the_origin():
    X = np.repeat(np.random.default_rng(0).normal(size=(10, 6)), 10, axis=0) + 1e4
    chosen = select_anchors(X.astype(np.float32), 10, "farthest", np.random.RandomState(0))
    assert sorted(chosen // 10) == list(range(10))


def test_repetition_does_not_decide_what_is_constant():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 3)), rng.normal(size=(300, 3))
    X[:, 0] = 1e6 + 1e-5 * X[:, 0]
    once = ProcrustesTranslator().fit(X, y).coef_
    many = ProcrustesTranslator().fit(np.tile(X, (40, 1)), np.tile(y, (40, 1))).coef_
    assert_allclose(many, once, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_euclidean_distances_of_close_points(dtype):
    X = np.random.default_rng(0).normal(size=(50, 20)).astype(dtype)
    X[0] = 1e3  # an outlier costs the others nothing
    relative = RelativeProjector("euclidean").fit(X).transform(X)
    exact = np.linalg.norm(X.astype(float)[:, None] - X.astype(float), axis=2)
    assert_allclose(relative, exact, atol=1e-4, rtol=1e-6)
    huge = 1e200 * X.astype(float)
    huge = RelativeProjector("euclidean").fit(huge).transform(huge)
    assert_allclose(huge / 1e200, exact, atol=1e-4)


def test_no_pruning_keeps_all_and_zero_rows_come_last():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4))
    X = np.vstack([X, X, -X])
    assert RelativeProjector(pruning=0.0, random_state=0).fit(X).n_anchors_ == 150
    with_zeros = np.vstack([np.zeros((20, 4)), X])
    kept = RelativeProjector(pruning=0.5, random_state=0).fit(with_zeros).anchor_indices_
    assert kept.min() >= 20
