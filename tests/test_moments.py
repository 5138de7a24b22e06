"""Moments merge exactly: their laws, against plain NumPy on all rows."""

from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_latent import _moments
from sklearn_latent._moments import Factor, PairMoments, Products

KINDS = ["cross", "gram", "factor"]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)) + 100
    y = X[:, :3] ** 2 / 50 + rng.normal(size=(60, 3))
    return X, y, rng.integers(0, 4, size=60).astype(float)


def second_moments(moments):
    second = moments.second
    return second.products(gram=True) if isinstance(second, Factor) else second


def assert_same(a, b, rtol=1e-10):
    assert a.n_rows == b.n_rows
    for name in ("weight", "mean_x", "mean_y", "ss_x", "ss_y", "mean_norm_x", "mean_norm_y"):
        assert_allclose(getattr(a, name), getattr(b, name), rtol=rtol, err_msg=name)
    a, b = second_moments(a), second_moments(b)
    assert_allclose(a.xy, b.xy, rtol=rtol, atol=1e-10 * np.abs(b.xy).max())
    if a.xx is not None and b.xx is not None:
        assert_allclose(a.xx, b.xx, rtol=rtol, atol=1e-10 * np.abs(b.xx).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_are_those_of_numpy(data, kind, weighted):
    X, y, w = data
    w = w if weighted else np.ones(len(X))
    moments = PairMoments.from_arrays(X, y, w if weighted else None, kind=kind)
    mean_x, mean_y = np.average(X, axis=0, weights=w), np.average(y, axis=0, weights=w)
    centred_x, centred_y = X - mean_x, y - mean_y
    assert moments.n_rows == np.count_nonzero(w)
    assert_allclose(moments.mean_x, mean_x)
    assert_allclose(moments.ss_x, w @ centred_x**2)
    assert_allclose(moments.ss_y, w @ centred_y**2)
    second = second_moments(moments)
    assert_allclose(second.xy, centred_x.T @ (w[:, None] * centred_y), atol=1e-9)
    if kind != "cross":
        assert_allclose(second.xx, centred_x.T @ (w[:, None] * centred_x), atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit_rows", [(False, False), (True, False), (False, True)])
def test_merging_is_the_whole_and_associative(data, kind, unit_rows):
    X, y, w = data
    options = {"kind": kind, "unit_rows": unit_rows}
    whole = PairMoments.from_arrays(X, y, w, **options)
    cuts = [0, 1, 3, 30, 60]
    parts = [PairMoments.from_arrays(X[a:b], y[a:b], w[a:b], **options) for a, b in pairwise(cuts)]
    assert_same(reduce(add, parts), whole)
    assert_same(parts[0] + (parts[1] + (parts[2] + parts[3])), whole)
    assert_same(reduce(add, parts[::-1]), whole)


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_do_not_show(data, kind, monkeypatch):
    X, y, w = data
    whole = PairMoments.from_arrays(X, y, w, kind=kind)
    monkeypatch.setattr(_moments, "_BLOCK_ELEMENTS", 7 * 8)
    assert_same(PairMoments.from_arrays(X, y, w, kind=kind), whole)


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_zero_weight_changes_nothing(data, kind):
    X, y, w = data
    moments = PairMoments.from_arrays(X, y, w, kind=kind)
    nothing = PairMoments.from_arrays(X * 3, y, np.zeros(60), kind=kind)
    assert_same(moments + nothing, moments)
    assert_same(nothing + moments, moments)
    assert_same((nothing + nothing) + moments, moments)


@pytest.mark.parametrize("light", [0.0, 1e-40])
@pytest.mark.parametrize("kind", KINDS)
def test_what_weighs_next_to_nothing_costs_no_digits(data, kind, light):
    X, y, w = data
    expected = PairMoments.from_arrays(X, y, w, kind=kind)
    far = np.full((2, 5), 1e18), np.full((2, 3), -1e18)
    joined = np.vstack([far[0], X]), np.vstack([far[1], y]), np.concatenate([[light] * 2, w])
    few = PairMoments.from_arrays(*far, np.full(2, light), kind=kind)
    several = PairMoments.from_arrays(*joined, kind=kind), few + expected, expected + few
    for moments in several:
        for name in ("weight", "mean_x", "mean_y", "ss_x", "ss_y"):
            assert_allclose(getattr(moments, name), getattr(expected, name), rtol=1e-3)
        if light == 0:
            assert_same(moments, expected)


def test_the_order_of_a_light_part_far_away_does_not_matter():
    far = PairMoments.from_arrays(*np.full((2, 1, 1), 1e17), np.array([1e-17]), kind="cross")
    near = PairMoments.from_arrays(*np.ones((2, 4, 1)), None, kind="cross")
    for merged in (far + near, near + far):
        assert_allclose(merged.mean_x, [1.25])


@pytest.mark.parametrize("kind", KINDS)
def test_about_zero_undoes_the_centring(data, kind):
    X, y, w = data
    moments = PairMoments.from_arrays(X, y, w, kind=kind).about_zero()
    assert_allclose(second_moments(moments).xy, X.T @ (w[:, None] * y), rtol=1e-12)
    assert_allclose(moments.ss_x, w @ X**2, rtol=1e-12)
    assert_allclose(moments.ss_y, w @ y**2, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_scaled_moments_are_those_of_scaled_data(data, kind):
    X, y, w = data
    rng = np.random.default_rng(1)
    shift_x, scale_x = rng.normal(size=5), rng.uniform(1, 2, size=5)
    shift_y, scale_y = rng.normal(size=3), rng.uniform(1, 2, size=3)
    scaled = PairMoments.from_arrays(X, y, w, kind=kind).scaled(shift_x, scale_x, shift_y, scale_y)
    direct = PairMoments.from_arrays((X - shift_x) / scale_x, (y - shift_y) / scale_y, w, kind=kind)
    assert_same(scaled, direct)


def test_a_large_mean_costs_no_digits():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1000, 4)), rng.normal(size=(1000, 4))
    near = PairMoments.from_arrays(X, y, None, kind="gram")
    far = sum(
        (
            PairMoments.from_arrays(X[i : i + 100] + 1e6, y[i : i + 100] - 1e6, None, kind="gram")
            for i in range(100, 1000, 100)
        ),
        start=PairMoments.from_arrays(X[:100] + 1e6, y[:100] - 1e6, None, kind="gram"),
    )
    # 1e6 + x keeps ten digits of x; squared sums about zero would keep four
    assert_allclose(far.second.xy, near.second.xy, atol=1e-6)
    assert_allclose(far.second.xx, near.second.xx, atol=1e-6)


def test_few_rows_are_kept_and_many_are_not(data):
    X, y, _ = data
    assert isinstance(PairMoments.from_arrays(X[:3], y[:3], None, kind="cross").second, Factor)
    assert isinstance(PairMoments.from_arrays(X[:4], y[:4], None, kind="cross").second, Products)
    assert isinstance(PairMoments.from_arrays(X[:5], y[:5], None, kind="gram").second, Factor)
    assert isinstance(PairMoments.from_arrays(X[:6], y[:6], None, kind="gram").second, Products)
    factor = PairMoments.from_arrays(X, y, None, kind="factor").second
    assert factor.x.shape == (5, 5)


def test_the_factor_keeps_the_condition_number():
    rng = np.random.default_rng(0)
    u = np.linalg.qr(rng.normal(size=(400, 6)))[0]
    u -= u.mean(axis=0)
    u = np.linalg.qr(u)[0]
    singular_values = np.logspace(0, -10, 6)
    X = (u * singular_values) @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    parts = [PairMoments.from_arrays(X[i::4], X[i::4], None, kind="factor") for i in range(4)]
    factor = reduce(add, parts).second.x
    # the smallest is known to 1e-16 of the largest, so to 1e-6 of itself
    assert_allclose(np.linalg.svd(factor, compute_uv=False), singular_values, rtol=1e-5)


def test_kinds_do_not_mix(data):
    X, y, _ = data
    a = PairMoments.from_arrays(X, y, None, kind="cross")
    b = PairMoments.from_arrays(X, y, None, kind="gram")
    with pytest.raises(ValueError, match="Cannot merge moments of kind 'cross' and 'gram'"):
        a + b


def test_inputs_are_not_changed(data):
    X, y, w = data
    copies = X.copy(), y.copy(), w.copy()
    for array in (X, y, w):
        array.flags.writeable = False
    PairMoments.from_arrays(X, y, w, kind="factor", unit_rows=(True, True))
    for array, copy in zip((X, y, w), copies):
        assert np.array_equal(array, copy)
