"""Streaming is exact: batches give the map of one fit on all rows."""

import os
import pickle
import signal
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone

from sklearn_latent import (
    AffineTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    _solved_on_use,
)

from .estimators import STREAMED, in_all_scalings, make_pair, one_line

every_scaled = pytest.mark.parametrize("translator", in_all_scalings(STREAMED), ids=one_line)
every_translator = pytest.mark.parametrize("translator", STREAMED, ids=one_line)

WIDE = {"n": 8, "d_source": 12, "d_target": 9}
TALL = {"n": 40, "d_source": 6, "d_target": 4}
wide_and_tall = pytest.mark.parametrize("shape", [WIDE, TALL], ids=["n<d", "n>d"])

# Where the rows are cut, as fractions of their number.
SPLITS = {
    "halves": [0.5],
    "uneven": [0.1, 0.25, 0.9],
    "row by row": np.linspace(0, 1, 40, endpoint=False)[1:],
}
every_split = pytest.mark.parametrize("split", SPLITS)


def batches(n_rows, split):
    cuts = np.unique(np.asarray(SPLITS[split]) * n_rows // 1).astype(int)
    return [rows for rows in np.split(np.arange(n_rows), cuts) if rows.size]


def stream(translator, X, y, parts, sample_weight=None):
    translator = clone(translator)
    for rows in parts:
        weight = None if sample_weight is None else sample_weight[rows]
        assert translator.partial_fit(X[rows], y[rows], weight) is translator
    return translator


def assert_same_fit(actual, expected, rtol=1e-8):
    names = [name for name in dir(expected) if name.endswith("_") and not name.startswith("_")]
    assert {"coef_", "intercept_", "n_anchors_", "anchor_indices_"} <= set(names)
    for name in set(names) - {"best_score_", "scores_"}:  # `fit` knows these exactly
        one, other = getattr(actual, name), getattr(expected, name)
        if isinstance(other, str):
            assert one == other, name
            continue
        if name == "singular_values_":  # documented as "or fewer": zeros may follow
            one, other = one[: actual.rank_], other[: expected.rank_]
        size = max(np.max(np.abs(other), initial=0), 1)
        assert_allclose(one, other, rtol=rtol, atol=rtol * size, err_msg=name)


@every_split
@wide_and_tall
@every_scaled
def test_batches_equal_one_fit(translator, shape, split):
    X, y = make_pair(**shape)
    streamed = stream(translator, X, y, batches(len(X), split))
    assert_same_fit(streamed, clone(translator).fit(X, y))


@pytest.mark.parametrize("split", ["uneven", "row by row"])
@every_translator
def test_batches_equal_one_fit_far_from_the_origin(translator, split):
    X, y = make_pair()
    X, y = X + 1e4, y - 1e4
    streamed = stream(translator, X, y, batches(len(X), split))
    assert_same_fit(streamed, clone(translator).fit(X, y), rtol=1e-6)


@wide_and_tall
@every_scaled
def test_weighted_batches_equal_one_weighted_fit(translator, shape):
    X, y = make_pair(**shape)
    weight = np.random.default_rng(1).uniform(0.1, 3, size=len(X))
    streamed = stream(translator, X, y, batches(len(X), "uneven"), weight)
    assert_same_fit(streamed, clone(translator).fit(X, y, weight))


@every_translator
def test_rows_of_weight_zero_are_no_anchors(translator):
    X, y = make_pair()
    weight = np.tile([0, 1, 2], 10)
    streamed = stream(translator, X, y, batches(len(X), "halves"), weight)
    expected = clone(translator).fit(X, y, weight)
    assert_allclose(streamed.transform(X), expected.transform(X), rtol=1e-8, atol=1e-8)
    assert streamed.n_anchors_ == 20
    assert_array_equal(streamed.anchor_indices_, np.flatnonzero(weight))


@pytest.mark.parametrize("position", [0, 1, 2])
@every_translator
def test_a_batch_of_weight_zero_says_nothing(translator, position):
    X, y = make_pair()
    expected = clone(translator).fit(X, y)
    parts = [(X[:12], y[:12], np.ones(12)), (X[12:], y[12:], np.ones(18))]
    parts.insert(
        position, (np.full((3, X.shape[1]), 1e20), np.full((3, y.shape[1]), 1e20), np.zeros(3))
    )
    streamed = clone(translator)
    for part in parts:
        streamed.partial_fit(*part)
    assert_allclose(streamed.transform(X), expected.transform(X), rtol=1e-8, atol=1e-8)
    assert streamed.n_anchors_ == 30


def test_batches_whose_squares_overflow_together():
    X, y = make_pair()
    translator = ProcrustesTranslator().partial_fit(X, y)
    expected = clone(translator).fit(X, y).coef_
    with pytest.raises(ValueError, match="squares of X or y overflow float64: rescale"):
        translator.partial_fit(X + 1e155, y)
    assert_allclose(translator.coef_, expected)  # the refused batch has left nothing
    assert translator.n_anchors_ == len(X)


def test_threads_share_the_first_use_of_a_stream():
    X, y = make_pair()
    translator = AffineTranslator(max_iter=200).partial_fit(X, y)  # each solution another
    together = threading.Barrier(4)

    def use(_):
        together.wait()
        return translator.transform(X)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(use, range(4)))
    for other in found:
        assert_array_equal(other, translator.transform(X))


@every_scaled
def test_order_of_batches_does_not_matter(translator):
    X, y = make_pair()
    backwards = stream(translator, X, y, batches(len(X), "uneven")[::-1])
    assert_same_fit(backwards, clone(translator).fit(X, y))


@every_translator
def test_float32_batches_equal_one_fit(translator):
    X, y = make_pair(dtype="float32")
    streamed = stream(translator, X, y, batches(len(X), "uneven"))
    assert streamed.transform(X).dtype == streamed.coef_.dtype == "float32"
    assert_same_fit(streamed, clone(translator).fit(X, y), rtol=1e-4)


@every_scaled
def test_fit_is_continued(translator):
    X, y = make_pair()
    translator = clone(translator)
    continued = clone(translator).fit(X[:12], y[:12]).partial_fit(X[12:], y[12:])
    assert_same_fit(continued, translator.fit(X, y))


@every_translator
def test_fit_starts_anew(translator):
    X, y = make_pair()
    X_other, y_other = make_pair(d_source=3, d_target=7, seed=5)
    translator = clone(translator).partial_fit(X_other, y_other)
    assert_same_fit(translator.fit(X, y), clone(translator).fit(X, y))


@every_translator
def test_use_between_batches_changes_nothing(translator):
    X, y = make_pair()
    used = clone(translator)
    for rows in batches(len(X), "halves"):
        used.partial_fit(X[rows], y[rows])
        assert_same_fit(used, clone(translator).fit(X[: rows[-1] + 1], y[: rows[-1] + 1]))
        used.inverse_transform(y)
    expected = clone(translator).fit(X, y)
    assert_allclose(used.inverse_transform(y), expected.inverse_transform(y), rtol=1e-6)


@every_translator
def test_first_batch_of_one_row_is_not_yet_a_map(translator):
    X, y = make_pair()
    translator = clone(translator).partial_fit(X[:1], y[:1])
    for _ in range(2):  # and stays an error
        with pytest.raises(ValueError, match="needs at least 2 anchors"):
            translator.transform(X)
    assert not hasattr(translator, "coef_")
    with pytest.raises(AttributeError, match=r"There is no 'coef_' yet\. .* at least 2 anchors"):
        _ = translator.coef_
    assert_same_fit(translator.partial_fit(X[1:], y[1:]), clone(translator).fit(X, y))


@every_translator
def test_all_rows_are_anchors(translator):
    X, y = make_pair()
    translator = clone(translator).set_params(n_anchors=3)
    streamed = stream(translator, X, y, batches(len(X), "uneven"))
    assert streamed.n_anchors_ == len(X)
    assert_array_equal(streamed.anchor_indices_, np.arange(len(X)))
    assert_same_fit(streamed, translator.set_params(n_anchors=None).fit(X, y))


@every_translator
def test_buffers_may_be_used_again(translator):
    X, y = make_pair()
    buffer_X, buffer_y = np.empty((10, 6)), np.empty((10, 4))
    streamed = clone(translator)
    for start in range(0, len(X), 10):
        buffer_X[:], buffer_y[:] = X[start : start + 10], y[start : start + 10]
        streamed.partial_fit(buffer_X, buffer_y)
    buffer_X[:] = buffer_y[:] = np.nan
    assert_same_fit(streamed, clone(translator).fit(X, y))


@every_translator
def test_refused_batch_leaves_the_translator_as_it_was(translator):
    X, y = make_pair()
    streamed = clone(translator).partial_fit(X[:15], y[:15])
    with pytest.raises(ValueError, match=r"X has 5 features, but .* is expecting 6 features"):
        streamed.partial_fit(X[:, :5], y)
    with pytest.raises(ValueError, match=r"y has 3 columns, but .* has seen 4 so far"):
        streamed.partial_fit(X, y[:, :3])
    with pytest.raises(ValueError, match="Negative values in sample_weight"):
        streamed.partial_fit(X, y, -np.ones(len(X)))
    with pytest.raises(ValueError, match="Input y contains NaN"):
        streamed.partial_fit(X, np.where(y == y[3, 3], np.nan, y))
    assert_same_fit(streamed.partial_fit(X[15:], y[15:]), clone(translator).fit(X, y))


@every_translator
def test_refused_fit_leaves_the_translator_as_it_was(translator):
    X, y = make_pair()
    fitted = clone(translator).fit(X[:15], y[:15])
    expected = fitted.transform(X)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        fitted.fit(np.where(X[3, 3] == X, np.nan, X)[:, :5], y[:, :3])
    assert_array_equal(fitted.transform(X), expected)
    assert_same_fit(fitted.partial_fit(X[15:], y[15:]), clone(translator).fit(X, y))


@every_translator
def test_refused_first_batch_is_none(translator):
    X, y = make_pair()
    fresh = clone(translator)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        fresh.partial_fit(X, np.where(y == y[3, 3], np.nan, y))
    assert vars(fresh).keys() == vars(clone(translator)).keys()


@every_translator
def test_row_normalisation_cannot_change_between_batches(translator):
    X, y = make_pair()
    streamed = clone(translator).set_params(scaling="standard").partial_fit(X, y)
    with pytest.raises(ValueError, match="cannot change once batches have been seen"):
        streamed.set_params(scaling="l2").partial_fit(X, y)


def test_a_batch_without_weight_is_no_batch():
    X, y = make_pair(20, 4, 3)
    expected = LstsqTranslator().fit(X, y)
    zero = np.zeros(20)
    streamed = LstsqTranslator().partial_fit(X, y, zero).partial_fit(X, y).partial_fit(X, y, zero)
    np.testing.assert_allclose(streamed.coef_, expected.coef_, atol=1e-10)
    assert streamed.n_anchors_ == 20


def test_columns_of_the_target_stay_those_of_the_first_batch():
    pd = pytest.importorskip("pandas")
    X, y = make_pair(20, 4, 3)
    frame = pd.DataFrame(y, columns=list("abc"))
    translator = LstsqTranslator().partial_fit(X, frame)
    with pytest.raises(ValueError, match="Column 0 of y is 'c' and was 'a' at fit"):
        translator.partial_fit(X, frame[["c", "a", "b"]])
    translator.partial_fit(X, y)
    assert list(translator.get_feature_names_out()) == list("abc")


@pytest.mark.parametrize("first", ["numpy", "torch"])
@pytest.mark.parametrize("pickled", [False, True])
def test_a_stream_goes_on_in_another_library(first, pickled):
    torch = pytest.importorskip("torch")
    X, y = make_pair(30, 4, 3)
    expected = LstsqTranslator().fit(X, y)
    batches = [(X[:15], y[:15]), (X[15:], y[15:])]
    as_tensors = [first == "torch", first != "torch" or pickled]
    with config_context(array_api_dispatch=True):
        translator = LstsqTranslator()
        for (a, b), tensors in zip(batches, as_tensors):
            pair = (torch.asarray(a), torch.asarray(b)) if tensors else (a, b)
            translator.partial_fit(*pair)
            if pickled:
                translator = pickle.loads(pickle.dumps(translator))
        coef = translator.coef_
    np.testing.assert_allclose(np.asarray(coef), expected.coef_, atol=1e-10)


def test_a_stream_keeps_its_widest_dtype():
    X, y = make_pair(30, 4, 3)
    translator = LstsqTranslator().partial_fit(X, y)
    translator.partial_fit(X[:1].astype(np.float32), y[:1].astype(np.float32))
    assert translator.coef_.dtype == np.float64


@pytest.mark.parametrize("translator", STREAMED, ids=one_line)
def test_a_batch_with_a_single_row_of_weight_is_taken(translator):
    X, y = make_pair(**TALL)
    weight = np.ones(len(X))
    weight[31:] = 0
    first, second = slice(0, 30), slice(30, None)
    found = stream(clone(translator), X, y, [first, second], weight)
    expected = stream(clone(translator), X, y, [slice(0, 31)])
    assert_allclose(found.transform(X), expected.transform(X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("translator", STREAMED, ids=one_line)
def test_a_batch_without_weight_changes_nothing(translator):
    X, y = make_pair(**TALL)
    found = clone(translator).partial_fit(X[:30], y[:30])
    found.partial_fit(X[30:], y[30:], np.zeros(10))
    expected = clone(translator).partial_fit(X[:30], y[:30])
    assert_allclose(found.transform(X), expected.transform(X), rtol=1e-6, atol=1e-9)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_while_another_thread_solves():
    X, y = make_pair()
    translator = LstsqTranslator().partial_fit(X, y)
    with _solved_on_use._SOLVING:
        pool = ThreadPoolExecutor(1)
        forked = pool.submit(in_child, lambda: translator.coef_)
        assert forked.result(30) == 0
    pool.shutdown()


def in_child(function):
    """The exit status of a child process that calls it; 14 if it hangs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
        pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(10)
            function()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1]


def test_a_stream_of_rows_without_weight_counts_none():
    X, y = make_pair()
    streamed = LstsqTranslator().partial_fit(X, y, np.zeros(len(X)))
    with pytest.raises(ValueError, match=r"anchors of positive weight; got 0 samples\. Give"):
        streamed.transform(X)
