"""Sums in float32 are used where they suffice, and nobody notices where they do not."""

import copy
import functools
import itertools
import operator
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.base import clone

from sklearn_latent import ProcrustesTranslator, RigidTranslator
from sklearn_latent._cross_sums import BLOCK_ROWS, CrossSums, _probes, largest_rounding
from sklearn_latent._moments import PairMoments, Products
from sklearn_latent._scaling import PairScaling
from sklearn_latent.exceptions import AnchorWarning
from sklearn_latent.solvers.procrustes import expected_error, procrustes

from .estimators import one_line

TRANSLATORS = [
    ProcrustesTranslator(),
    ProcrustesTranslator(scaling="center"),
    ProcrustesTranslator(scaling=None),
    RigidTranslator(),
    RigidTranslator(scaling="standard"),
]
every_translator = pytest.mark.parametrize("translator", TRANSLATORS, ids=one_line)


@pytest.fixture(autouse=True)
def whatever_the_size(monkeypatch):
    monkeypatch.setattr("sklearn_latent._moments._LEAST_PRODUCT", 0)


def noisy_rotation(n=3000, d=12, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    y = X @ np.linalg.qr(rng.normal(size=(d, d)))[0] + 0.3 * rng.normal(size=(n, d))
    return X, y


def one_hot():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 10, 3000)
    X = rng.normal(size=(10, 16))[label] + rng.normal(size=(3000, 16))
    return X, np.eye(10)[label]


def doubled_column():
    X, y = noisy_rotation()
    return np.hstack([X, X[:, :1]]), y


def massive_activation():
    rng = np.random.default_rng(0)
    X, _ = noisy_rotation()
    X[:, 0] *= 1e4
    return X, X @ rng.normal(size=(12, 12)) + rng.normal(size=X.shape)


def decaying():
    X, y = noisy_rotation()
    decay = np.geomspace(1, 1e-4, 12)
    return X * decay, y * decay


def outlier():
    X, y = noisy_rotation()
    X[7] = 1e6
    return X, y


def far_away():
    X, y = noisy_rotation()
    return X + 1e3, y - 1e3


def tiny_column():
    X, y = noisy_rotation()
    X[:, 0] *= 1e-24
    return X, y


def constant_column():
    X, y = noisy_rotation()
    X[:, 3] = 0.1
    return X, y


DATA = [noisy_rotation, one_hot, doubled_column, massive_activation, decaying, outlier, far_away,
        tiny_column, constant_column]  # fmt: skip


@pytest.mark.parametrize("make", DATA, ids=lambda make: make.__name__)
@every_translator
def test_the_map_is_that_of_float64(translator, make):
    X, y = (side.astype(np.float32) for side in make())
    single = clone(translator).fit(X, y)
    double = clone(translator).fit(X.astype(float), y.astype(float))
    assert single.rank_ == double.rank_
    out, expected = single.transform(X), double.transform(X.astype(float))
    spread = np.median(np.abs(expected - expected.mean(axis=0)))
    # float32 itself has 7 digits of the largest value
    assert_allclose(out, expected, atol=1e-4 * spread + 3e-6 * np.abs(expected).max())


def in_batches(translator, X, y, size=500):
    for start in range(0, len(X), size):
        translator.partial_fit(X[start : start + size], y[start : start + size])
    return translator


@pytest.mark.parametrize("make", DATA, ids=lambda make: make.__name__)
@every_translator
def test_a_stream_has_the_map_of_float64(translator, make):
    X, y = (side.astype(np.float32) for side in make())
    single = in_batches(clone(translator), X, y)
    double = clone(translator).fit(X.astype(float), y.astype(float))
    assert single.rank_ == double.rank_
    out, expected = single.transform(X), double.transform(X.astype(float))
    spread = np.median(np.abs(expected - expected.mean(axis=0)))
    assert_allclose(out, expected, atol=1e-4 * spread + 3e-6 * np.abs(expected).max())


def sums_in_float32(translator):
    return translator._moments.rounding > 0


@every_translator
def test_they_are_used_where_they_suffice(translator):
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    assert sums_in_float32(clone(translator).fit(X, y))
    assert sums_in_float32(in_batches(clone(translator), X, y))
    assert not sums_in_float32(clone(translator).fit(X.astype(float), y))
    assert not sums_in_float32(in_batches(clone(translator), X, y.astype(float)))
    X, y = (side.astype(np.float32) for side in doubled_column())
    y = np.hstack([y, y[:, :1]])
    assert not sums_in_float32(clone(translator).fit(X, y))
    assert not sums_in_float32(in_batches(clone(translator), X, y))


def test_a_stream_is_judged_by_enough_rows():
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    enough = 4 * X.shape[1]
    few = ProcrustesTranslator().partial_fit(X[:40], y[:40])
    assert not sums_in_float32(few.partial_fit(X[40:enough], y[40:enough]))
    assert sums_in_float32(few.partial_fit(X[enough:], y[enough:]))


def test_a_batch_is_judged_by_its_first_rows():
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    translator = ProcrustesTranslator().partial_fit(X[:40], y[:40]).partial_fit(X[40:], y[40:])
    assert sums_in_float32(translator)
    assert translator.n_anchors_ == len(X)
    assert_array_equal(translator.anchor_indices_, np.arange(len(X)))
    expected = ProcrustesTranslator().fit(X.astype(float), y.astype(float)).coef_
    assert_allclose(translator.coef_, expected, atol=1e-5)
    worse, target = (np.hstack([side, side[:, :1]]) for side in (X, y))
    stream = ProcrustesTranslator().partial_fit(worse[:40], target[:40])
    assert not sums_in_float32(stream.partial_fit(worse[40:], target[40:]))


@every_translator
@pytest.mark.parametrize("n_batches", [1, 3])
def test_a_stream_in_float32_is_stored_and_goes_on(translator, n_batches):
    X, y = (side.astype(np.float32) for side in noisy_rotation(5000, 64))
    stream = clone(translator)
    for rows in np.split(np.arange(3000), n_batches):
        stream.partial_fit(X[rows], y[rows])
    assert sums_in_float32(stream)
    copies = [copy.deepcopy(stream), pickle.loads(pickle.dumps(stream))]
    stream.partial_fit(X[3000:], y[3000:])
    for other in copies:
        other.partial_fit(X[3000:], y[3000:])
        assert_allclose(other.coef_, stream.coef_, atol=1e-12)


def test_a_stream_is_judged_anew_after_fit():
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    worse, target = (np.hstack([side, side[:, :1]]) for side in (X, y))
    translator = in_batches(ProcrustesTranslator(), X, y)
    translator.fit(worse, target).partial_fit(worse, target)
    assert not sums_in_float32(translator)


def test_a_stream_that_turns_out_badly_says_so():
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    translator = in_batches(ProcrustesTranslator(scaling="center"), X[:500], y[:500])
    # from here on two directions are the same, a million times as often
    one = np.float32(1e4) * np.repeat(X[500:, :1], 12, axis=1)
    translator.partial_fit(one, one)
    for _ in range(2):  # where warnings are errors, each use is refused
        with pytest.raises(AnchorWarning, match="Give batches in float64"):
            translator.transform(X)
    with pytest.warns(AnchorWarning, match="Give batches in float64"):
        translator.transform(X)


@pytest.mark.parametrize(
    ("make", "scaling"),
    [
        *itertools.product([noisy_rotation, decaying, far_away], ["standard", None]),
        (one_hot, None),  # about the mean its columns are dependent
    ],
)
def test_the_expected_error_is_that_of_the_map(make, scaling):
    X, y = (side.astype(np.float32) for side in make())
    sums, exact = PairMoments.quickly(X, y), PairMoments.from_arrays(X, y, None, kind="cross")
    scale = PairScaling.from_moments(exact, scaling)
    quick, exact = (scale.apply(moments).about_zero() for moments in (sums, exact))
    W, s, rank = procrustes(exact.second)
    assert rank == s.shape[0]
    change = procrustes(quick.second)[0] - W
    expected = expected_error(s, quick.error(), W.shape)
    assert 0 < np.linalg.norm(change) / np.linalg.norm(W) < 2 * expected


@pytest.mark.parametrize("shape", [(12, 12), (9, 12), (12, 9)])
def test_an_error_changes_the_map_as_much_as_expected(shape):
    rng = np.random.default_rng(0)
    A = rng.normal(size=shape) * np.geomspace(1, 1e-2, shape[1])
    W, s, _ = procrustes(Products(A, None))
    size, changes = 1e-7, []
    for _ in range(300):
        error = rng.normal(size=shape)
        error *= size / np.linalg.norm(error)
        changes.append(np.linalg.norm(procrustes(Products(A + error, None))[0] - W))
    found = np.mean(np.square(changes)) ** 0.5 / np.linalg.norm(W)
    assert_allclose(found, expected_error(s, size, shape), rtol=0.1)


def few_values(p, noise, n):
    rng = np.random.default_rng(0)
    Z, cut = rng.normal(size=(n, 64)), norm.ppf(p)
    turned = Z @ np.linalg.qr(rng.normal(size=(64, 64)))[0] + noise * rng.normal(size=Z.shape)
    return 0.1 * (cut > Z), 0.3 * (turned < cut * (1 + noise**2) ** 0.5)


def late_shift(column):
    X, y = noisy_rotation(20_000)
    X[:, column], X[5, column] = 1.1, -5
    return X, y


def sorted_indicator():
    X, y = noisy_rotation(20_000)
    X[:, 0] = np.arange(len(X)) > 63
    return X, y


SYSTEMATIC = {
    "few values": lambda: few_values(0.8, 3, 20_000),
    "few values, less noise": lambda: few_values(0.75, 1, 8000),
    "unusual first rows": lambda: late_shift(0),
    "sorted": sorted_indicator,
}


@pytest.mark.parametrize("make", SYSTEMATIC.values(), ids=SYSTEMATIC)
@pytest.mark.parametrize("streamed", [False, True])
def test_rounding_that_is_not_random_is_noticed(make, streamed):
    X, y = (side.astype(np.float32) for side in make())
    expected = ProcrustesTranslator().fit(X.astype(float), y.astype(float))
    translator = ProcrustesTranslator()
    found = in_batches(translator, X, y, 2000) if streamed else translator.fit(X, y)
    error = np.linalg.norm(found.coef_ - expected.coef_) / np.linalg.norm(expected.coef_)
    assert error < 2e-5


def rounded_alike(n, d=64):
    """Products of the same two values over and over, which are all rounded the same way."""
    sign = np.random.default_rng(1).choice(np.float32([-1, 1]), size=(n, 1)).repeat(d, axis=1)
    return sign / 3, sign / 10


def test_rounding_that_is_not_random_is_noticed_later_in_a_stream():
    X, y = (side.astype(np.float32) for side in noisy_rotation(4000, 64))
    worse, target = rounded_alike(4000)
    translator = in_batches(ProcrustesTranslator(), X, y, 1000)
    assert sums_in_float32(translator)
    before = translator._moments.rounding
    for _ in range(40):  # not every batch is looked at
        translator.partial_fit(worse, target)
        unchecked = translator._n_unchecked
        if translator._adds_up_badly:
            break
        before = translator._moments.rounding
    assert translator._adds_up_badly
    # what went by before is suspected too, as far as it was not looked at
    assert unchecked > 0
    assert translator._moments.rounding > before
    seen = translator._moments.rounding * translator._moments._size()
    translator.set_params(scaling="center").partial_fit(X, y)
    assert translator._moments.rounding * translator._moments._size() == pytest.approx(seen)


def test_long_batches_are_all_checked(monkeypatch):
    monkeypatch.setattr("sklearn_latent._cross_sums.BLOCK_ROWS", 500)
    monkeypatch.setattr("sklearn_latent._orthogonal_base.BLOCK_ROWS", 500)
    X, y = (side.astype(np.float32) for side in noisy_rotation(4000, 64))
    translator = ProcrustesTranslator().partial_fit(X, y)
    for _ in range(5):
        translator.partial_fit(X, y)
        assert translator._n_unchecked == 0


@pytest.mark.parametrize("streamed", [False, True])
def test_first_rows_of_zeros(streamed):
    X, y = (side.astype(np.float32) for side in noisy_rotation(4000, 64))
    X[:64], y[:64] = 0, 0
    expected = ProcrustesTranslator().fit(X.astype(float), y.astype(float)).coef_
    found = ProcrustesTranslator()
    found = in_batches(found, X, y, 2000) if streamed else found.fit(X, y)
    assert_allclose(found.coef_, expected, atol=1e-5)


def test_a_large_first_batch_is_judged_by_itself():
    X, y = (side.astype(np.float32) for side in noisy_rotation(4000, 256))
    flat = X * np.geomspace(1, 1e-7, X.shape[1], dtype=np.float32)
    settings = {"scaling": "center"}
    good, bad = (ProcrustesTranslator(**settings).partial_fit(a, y) for a in (X, flat))
    assert sums_in_float32(good)
    assert not sums_in_float32(bad)
    assert_allclose(bad.coef_, ProcrustesTranslator(**settings).fit(flat, y).coef_, atol=1e-6)
    few = ProcrustesTranslator(**settings).partial_fit(X[:1000], y[:1000])
    assert not sums_in_float32(few)
    assert not few._float32_suffices


@pytest.mark.parametrize("size", [150, 384, 1000])
@pytest.mark.parametrize("mean", [0.4, 1.0, 3.0])
def test_small_batches_off_the_centre_are_summed_in_float32(size, mean):
    X, y = (side.astype(np.float32) for side in noisy_rotation(4000, 256))
    X += np.float32(mean)
    translator = in_batches(ProcrustesTranslator(), X, y + np.float32(mean), size)
    assert sums_in_float32(translator)
    assert all(translator._float32_suffices.values())


def test_a_short_last_block_off_the_centre_does_not_end_float32():
    size = 8192 + 300
    X, y = (side.astype(np.float32) + np.float32(1) for side in noisy_rotation(3 * size, 256))
    assert all(in_batches(ProcrustesTranslator(), X, y, size)._float32_suffices.values())


def test_no_column_is_looked_at_seldom():
    looks = np.zeros(100)
    for seed in range(1000):
        for columns in _probes(len(looks), np.random.default_rng(seed)):
            looks[columns] += 1
    assert looks.min() > 0.7 * looks.mean()  # what is drawn varies by a tenth or so


@pytest.mark.parametrize("streamed", [False, True])
def test_a_rotation_in_place_of_a_reflection_is_summed_in_float64(streamed):
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.normal(size=(5000, 12)))[0] * 70
    s = np.linspace(2, 1, 12)
    s[-1] = s[-2] * (1 - 1e-5)
    reflection = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    reflection[:, 0] *= -np.linalg.det(reflection)
    X = (X * s**0.5).astype(np.float32)
    y = (X @ reflection).astype(np.float32)
    translator = RigidTranslator(allow_reflection=False)
    found = in_batches(translator, X, y) if streamed else translator.fit(X, y)
    expected = clone(translator).fit(X.astype(float), y.astype(float))
    assert_allclose(found.coef_, expected.coef_, atol=1e-5)


def test_there_are_no_singular_values_of_one_row():
    X, y = noisy_rotation()
    translator = ProcrustesTranslator().partial_fit(X[:1], y[:1])
    assert not hasattr(translator, "singular_values_")
    with pytest.raises(AttributeError, match="at least 2 anchors"):
        translator.singular_values_  # noqa: B018
    assert hasattr(translator.partial_fit(X, y), "singular_values_")


def test_a_stream_is_judged_anew_after_fit_with_weights_and_for_another_scaling():
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    worse, target = (np.hstack([side, side[:, :1]]) for side in (X, y))
    translator = in_batches(ProcrustesTranslator(), X, y)
    translator.fit(worse, target, sample_weight=np.ones(len(X))).partial_fit(worse, target)
    assert not sums_in_float32(translator)
    X[:, 0], y[:, 0] = X[:, 0] * 1e-7, y[:, 0] * 1e-7
    translator = ProcrustesTranslator(scaling="center").partial_fit(X, y).partial_fit(X, y)
    assert not sums_in_float32(translator)
    translator.set_params(scaling="standard").partial_fit(X, y)
    assert sums_in_float32(translator)


def test_small_problems_are_summed_in_float64(monkeypatch):
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    monkeypatch.undo()
    assert not sums_in_float32(ProcrustesTranslator().fit(X, y))


def cross_product(sums):
    return sums.product + np.outer(sums.left, sums.right)


@pytest.mark.parametrize("make", [noisy_rotation, far_away, constant_column, outlier])
def test_sums_are_those_of_float64(make):
    X, y = (side.astype(np.float32) for side in make())
    sums = CrossSums.from_arrays(X, y)
    x, t = (side.astype(float) - side.mean(axis=0, dtype=float) for side in (X, y))
    assert_allclose(sums.mean_x, X.mean(axis=0, dtype=float), rtol=1e-6, atol=1e-6)
    assert_allclose(sums.ss_x, np.sum(x**2, axis=0), rtol=1e-5)
    assert_allclose(sums.ss_y, np.sum(t**2, axis=0), rtol=1e-5)
    size = np.linalg.norm(x, axis=0)[:, None] * np.linalg.norm(t, axis=0)
    assert np.all(np.abs(cross_product(sums) - x.T @ t) <= 1e-5 * size)


def test_blocks_add_up(monkeypatch):
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    whole = CrossSums.from_arrays(X, y)
    monkeypatch.setattr("sklearn_latent._cross_sums.BLOCK_ROWS", 700)
    parts = CrossSums.from_arrays(X, y)
    assert_allclose(cross_product(parts), cross_product(whole), rtol=1e-4, atol=1e-2)
    assert_allclose(parts.mean_y, whole.mean_y, atol=1e-6)


def test_sums_that_wait_come_to_those_of_float64(monkeypatch):
    X, y = (side.astype(np.float32) for side in noisy_rotation(4000, 12))
    X, y = X + np.float32(0.3), y[:, :9] - np.float32(0.2)
    batches = [
        PairMoments.quickly(X[start : start + 400], y[start : start + 400])
        for start in range(0, len(X), 400)
    ]
    expected = PairMoments.from_arrays(X, y, None, kind="cross").second.xy
    for most, n_waiting in ((0, 0), (250, 2), (10**6, 10)):
        monkeypatch.setattr("sklearn_latent._second_moments._PENDING_ELEMENTS", most)
        total = functools.reduce(operator.add, batches)
        waiting = getattr(total.second, "matrices", ())
        assert len(waiting) == n_waiting  # of 12 x 9 elements each
        size = np.linalg.norm(expected)
        assert np.linalg.norm(total.second.xy - expected) < 1e-6 * size
        for same in (total.settled(), pickle.loads(pickle.dumps(total))):
            assert type(same.second) is Products
            assert_array_equal(same.second.xy, total.second.xy)


def test_squares_out_of_range_are_summed_in_float64():
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    assert PairMoments.quickly(X * np.float32(1e19), y) is None
    expected = ProcrustesTranslator().fit(X, y)
    out = ProcrustesTranslator().fit(X * np.float32(1e19), y).transform(X * np.float32(1e19))
    assert_allclose(out, expected.transform(X), atol=1e-4)


@every_translator
def test_a_fit_is_continued(translator):
    X, y = (side.astype(np.float32) for side in noisy_rotation())
    continued = clone(translator).fit(X[:2000], y[:2000]).partial_fit(X[2000:], y[2000:])
    expected = clone(translator).fit(X, y)
    assert_allclose(continued.transform(X), expected.transform(X), atol=1e-4)


def test_rounding_of_a_few_columns_in_the_middle_is_noticed():
    rng = np.random.default_rng(0)
    n, d, edge = 8000, 128, 48
    X, y = ((rng.uniform(size=(n, d)) < 0.5) / 3.0 for _ in range(2))
    for side in (X, y):
        side[:, :edge] = 0.2 * rng.normal(size=(n, edge))
        side[:, -edge:] = 0.2 * rng.normal(size=(n, edge))
    X, y = X.astype(np.float32), y.astype(np.float32)
    sums, exact = (
        PairMoments.quickly(X, y),
        PairMoments.from_arrays(X, y, None, kind="cross"),
    )
    error = np.linalg.norm(sums.second.xy - exact.second.xy)
    assert 0 < error < 2 * sums.error()


def test_a_refused_batch_decides_nothing():
    X, y = (side.astype(np.float32) for side in noisy_rotation(3000, 16))
    decay = np.geomspace(1, 1e-4, 16).astype(np.float32)
    translator = RigidTranslator().partial_fit((X * decay)[:40], (y * decay)[:40])
    spoilt = X[40:1000].copy()
    spoilt[-1, 0] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        translator.partial_fit(spoilt, y[40:1000])
    assert translator._float32_suffices == {}


def test_rounding_of_rows_that_drift_away_is_noticed():
    X, y = (side.astype(np.float32) for side in noisy_rotation(40_000, 256))
    drift = np.linspace(0, 6, len(X), dtype=np.float32)[:, None]
    X, y = X + drift, y + drift
    expected = ProcrustesTranslator().fit(X.astype(float), y.astype(float)).coef_
    found = ProcrustesTranslator().fit(X, y).coef_
    assert np.linalg.norm(found - expected) < 5e-6 * np.linalg.norm(expected)


def test_rows_are_named_by_their_place_in_the_whole_batch():
    # which is summed in two parts
    X, y = (side.astype(np.float32) for side in noisy_rotation(1000, 64))
    translator = ProcrustesTranslator().partial_fit(X[:40], y[:40])
    spoilt = X[40:].copy()
    spoilt[[700, 900], 5] = np.nan
    with pytest.raises(ValueError, match=r"row 700 \(column 5\); 2 rows in all"):
        translator.partial_fit(spoilt, y[40:])
    spoilt[3] = np.nan
    with pytest.raises(ValueError, match=r"row 3 \(column 0\); 3 rows in all"):
        translator.partial_fit(spoilt, y[40:])


def test_a_short_last_block_hardly_lowers_the_largest_rounding():
    one, two = (largest_rounding(n, (50, 40)) for n in (BLOCK_ROWS, 2 * BLOCK_ROWS))
    assert one == pytest.approx(2**0.5 * two)
    assert largest_rounding(BLOCK_ROWS + 1, (50, 40)) == pytest.approx(one, rel=1e-3)
