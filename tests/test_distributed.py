"""Dask arrays give what the same rows in memory give, on every scheduler."""

import itertools
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklearn_latent import (
    AbsoluteTranslator,
    AffineTranslator,
    ICPTranslator,
    InverseRelativeTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RelativeProjector,
    Rescaler,
    ZeroPadder,
    class_means,
)
from sklearn_latent.metrics import latent_mse

from .estimators import (
    INSTANCES,
    INVERTIBLE,
    LINEAR,
    PAIRED,
    TRANSLATORS,
    in_all_scalings,
    is_chosen_by_rows,
    make_pair,
    one_line,
)

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 60
X, Y = make_pair(N)
DTYPES = ["float64", "float32", "float16", "int64"]
ROWS = (25, 0, 1, 20, 14)  # an empty block and one of a single row among them
# Those that judge by folds deal rows out anew in each batch, and so in each block.
FOLDED = [
    translator
    for translator in LINEAR
    if getattr(translator, "shrink_to", "zero") != "zero" and is_chosen_by_rows(translator)
]
BLOCKWISE = [translator for translator in LINEAR if translator not in FOLDED]
NOT_LINEAR = [translator for translator in PAIRED if translator not in LINEAR]


@pytest.fixture(autouse=True)
def synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


def blocks(array, rows=ROWS, columns=4):
    return da.from_array(array, chunks=(rows, columns)[: array.ndim])


def in_memory(translator, *sides):
    """A fit of the rows in memory, where it judges by rows one on their statistics."""
    fitted = clone(translator)
    return fitted.partial_fit(*sides) if is_chosen_by_rows(translator) else fitted.fit(*sides)


def same_map(ours, expected, tolerance=1e-9):
    scale = np.abs(expected.coef_).max()
    np.testing.assert_allclose(ours.coef_, expected.coef_, rtol=0, atol=tolerance * scale)
    scale = np.abs(expected.intercept_).max() + scale
    np.testing.assert_allclose(ours.intercept_, expected.intercept_, rtol=0, atol=tolerance * scale)
    assert ours.coef_.dtype == expected.coef_.dtype
    assert ours.n_anchors_ == expected.n_anchors_
    np.testing.assert_array_equal(ours.anchor_indices_, expected.anchor_indices_)
    assert ours.n_features_in_ == expected.n_features_in_


# --- fit --------------------------------------------------------------------------------------


@pytest.mark.parametrize("translator", in_all_scalings(BLOCKWISE), ids=one_line)
def test_scaling_is_that_of_all_rows(translator):
    same_map(clone(translator).fit(blocks(X), blocks(Y)), in_memory(translator, X, Y))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("translator", BLOCKWISE, ids=one_line)
def test_fit_is_that_of_the_rows_in_memory(translator, dtype):
    source, target = X.astype(dtype), Y.astype(dtype)
    expected = in_memory(translator, source, target)
    tolerance = 1e-9 if expected.coef_.dtype == np.float64 else 1e-6
    same_map(clone(translator).fit(blocks(source), blocks(target)), expected, tolerance)


@pytest.mark.parametrize("translator", FOLDED, ids=one_line)
def test_folds_of_a_block_are_those_of_a_batch(translator):
    ours = clone(translator).fit(blocks(X, 60), blocks(Y, 60))
    same_map(ours, in_memory(translator, X, Y))
    again = [clone(translator).fit(blocks(X), blocks(Y)) for _ in range(2)]
    np.testing.assert_array_equal(again[0].coef_, again[1].coef_)
    np.testing.assert_allclose(again[0].transform(X), ours.transform(X), atol=0.5)


@pytest.mark.parametrize("translator", BLOCKWISE, ids=one_line)
def test_attributes_of_the_solution_are_the_same(translator):
    ours, expected = clone(translator).fit(blocks(X), blocks(Y)), in_memory(translator, X, Y)
    expected.transform(X)
    assert vars(ours).keys() == vars(expected).keys()
    for name in ("singular_values_", "condition_number_", "rank_", "scale_", "n_iter_"):
        if hasattr(expected, name):
            np.testing.assert_allclose(getattr(ours, name), getattr(expected, name), rtol=1e-8)


@pytest.mark.parametrize("rows_y", [(60,), (10,) * 6, (1,) * 60, (25, 0, 1, 20, 14)])
def test_rows_stay_paired_whatever_the_blocks(rows_y):
    same_map(LstsqTranslator().fit(blocks(X), blocks(Y, rows_y, 1)), LstsqTranslator().fit(X, Y))


@pytest.mark.parametrize("kind", ["Dask", "other blocks", "NumPy", "a list", "one number"])
@pytest.mark.parametrize("zeros", [False, True])
def test_weights(kind, zeros):
    weight = np.random.default_rng(0).uniform(0.5, 2, size=N)
    weight[::3] *= not zeros
    given = {
        "Dask": blocks(weight),
        "other blocks": blocks(weight, (30, 30)),
        "NumPy": weight,
        "a list": weight.tolist(),
        "one number": 2.5,
    }[kind]
    expected = LstsqTranslator().fit(X, Y, 2.5 if kind == "one number" else weight)
    same_map(LstsqTranslator().fit(blocks(X), blocks(Y), given), expected)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_block_of_weight_zero_says_nothing(position):
    far = [np.full((3, side.shape[1]), 1e20) for side in (X, Y)]
    parts = [[X[:20], X[20:]], [Y[:20], Y[20:]], [np.ones(20), np.ones(N - 20)]]
    for part, more in zip(parts, [*far, np.zeros(3)]):
        part.insert(position, more)
    given = [da.concatenate([da.from_array(a, chunks=-1) for a in part]) for part in parts]
    found = LstsqTranslator().fit(*given)
    same_map(found, LstsqTranslator().fit(*map(np.concatenate, parts)))
    np.testing.assert_allclose(found.coef_, LstsqTranslator().fit(X, Y).coef_, rtol=1e-8)


def test_a_constant_column_beside_rows_of_weight_zero():
    given = np.full((N, 2), 3.0)
    given[40:] = 5.0
    weight = np.repeat([1.0, 0.0], [40, N - 40])
    expected = LstsqTranslator().fit(given, Y, weight)
    same_map(LstsqTranslator().fit(blocks(given, (20, 20, 20), -1), blocks(Y), weight), expected)


def test_sides_may_be_in_memory():
    weight = np.arange(N) % 4
    expected = LstsqTranslator().fit(X, Y, weight)
    same_map(LstsqTranslator().fit(X, blocks(Y), weight), expected)
    same_map(LstsqTranslator().fit(blocks(X), Y.tolist(), weight), expected)
    same_map(LstsqTranslator().fit(X, Y, blocks(weight)), expected)


def test_names_of_a_frame_in_memory_are_kept():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(Y, columns=list("abcd"))
    ours = LstsqTranslator().fit(blocks(X), frame)
    assert list(ours.get_feature_names_out()) == list("abcd")
    ours = LstsqTranslator().fit(pd.DataFrame(X, columns=list("uvwxyz")), blocks(Y))
    assert list(ours.feature_names_in_) == list("uvwxyz")


@pytest.mark.parametrize("n_anchors", [7, 0.5, N])
@pytest.mark.parametrize("zeros", [False, True])
def test_anchors_are_those_chosen_in_memory(n_anchors, zeros):
    translator = AffineTranslator(max_iter=20, n_anchors=n_anchors, random_state=3)
    weight = None
    if zeros:
        weight = (np.arange(N) % 5 > 0) * 1.5
        translator.set_params(n_anchors=min(n_anchors, 40))
    expected = clone(translator).fit(X, Y, weight)
    for given in (weight, None if weight is None else blocks(weight)):
        same_map(clone(translator).fit(blocks(X), blocks(Y), given), expected)


def test_one_dimensional_target():
    expected = LstsqTranslator().fit(X, Y[:, 0])
    ours = LstsqTranslator().fit(blocks(X), blocks(Y[:, 0]))
    same_map(ours, expected)
    np.testing.assert_allclose(ours.predict(X), expected.predict(X))
    lazy = ours.predict(blocks(X))
    assert (lazy.shape, lazy.chunks) == ((N,), (ROWS,))
    np.testing.assert_allclose(lazy.compute(), expected.predict(X))
    assert ours.transform(blocks(X)).shape == (N, 1)
    back = ours.inverse_transform(blocks(Y[:, 0]))
    np.testing.assert_allclose(back.compute(), expected.inverse_transform(Y[:, 0]))


@pytest.mark.parametrize("translator", BLOCKWISE, ids=one_line)
def test_partial_fit_takes_dask_arrays_as_a_batch(translator):
    weight = np.arange(N) % 3
    expected = in_memory(translator, X, Y, weight)
    ours = clone(translator).partial_fit(X[:20], Y[:20], weight[:20])
    ours.partial_fit(*(blocks(side[20:], 13) for side in (X, Y, weight)))
    same_map(ours, expected)
    first = clone(translator).partial_fit(*(blocks(side[:20], 13) for side in (X, Y, weight)))
    same_map(first.partial_fit(X[20:], Y[20:], weight[20:]), expected)


def test_batches_of_another_dtype_add_to_the_same_statistics():
    narrow = blocks(X[30:].astype("float32"), 10), blocks(Y[30:].astype("float32"), 10)
    ours = LstsqTranslator().fit(X[:30], Y[:30]).partial_fit(*narrow)
    expected = LstsqTranslator().fit(X[:30], Y[:30])
    expected.partial_fit(X[30:].astype("float32"), Y[30:].astype("float32"))
    same_map(ours, expected)


def test_fit_forgets_and_partial_fit_adds():
    ours = LstsqTranslator().fit(blocks(Y), blocks(X)).fit(blocks(X[:30], 8), blocks(Y[:30], 8))
    same_map(ours.partial_fit(X[30:], Y[30:]), LstsqTranslator().fit(X, Y))


def test_unknown_lengths_are_paired_by_block():
    keep = X[:, 0] > 0.5
    assert 5 < keep.sum() < 50
    lazy = blocks(X)[:, 0] > 0.5
    source, target = blocks(X)[lazy], blocks(Y)[lazy]
    assert np.isnan(source.shape[0])
    expected = LstsqTranslator().fit(X[keep], Y[keep])
    same_map(LstsqTranslator().fit(source, target), expected)
    weight = np.arange(N) % 3
    same_map(
        LstsqTranslator().fit(source, target, blocks(weight)[lazy]),
        LstsqTranslator().fit(X[keep], Y[keep], weight[keep]),
    )
    translated = ProcrustesTranslator().fit(X, Y).transform(source)
    np.testing.assert_allclose(
        translated.compute(), ProcrustesTranslator().fit(X, Y).transform(X[keep])
    )


def test_each_block_is_computed_once():
    loads = []

    def load(side, name):
        def read(block, block_info):
            with lock:
                loads.append((name, block_info[0]["chunk-location"]))
            return block

        lock = threading.Lock()
        return da.from_array(side, chunks=(7, 3)).map_blocks(
            read, dtype=side.dtype, meta=side[:0], name=f"load-{name}"
        )

    with dask.config.set(scheduler="threads", num_workers=2):
        LstsqTranslator().fit(load(X, "X"), load(Y, "y"))
    once = [("X", (i, j)) for i in range(9) for j in range(2)]
    once += [("y", (i, j)) for i in range(9) for j in range(2)]
    assert sorted(loads) == once


def test_blocks_without_anchors_are_not_computed():
    loads = []

    def read(block, block_info):
        loads.append(block_info[0]["chunk-location"][0])
        return block

    source = da.from_array(X, chunks=(5, -1)).map_blocks(read, dtype=X.dtype, meta=X[:0])
    fitted = ProcrustesTranslator(n_anchors=3, random_state=0).fit(source, blocks(Y))
    assert sorted(loads) == sorted(set(fitted.anchor_indices_ // 5))


def test_sides_of_one_source_read_it_once():
    loads = []

    def read(block, block_info):
        loads.append(block_info[0]["chunk-location"][0])
        return block

    both = np.hstack([X, Y])
    pairs = da.from_array(both, chunks=(10, -1)).map_blocks(read, dtype=X.dtype, meta=both[:0])
    LstsqTranslator().fit(pairs[:, :6], pairs[:, 6:])
    assert sorted(loads) == list(range(6))


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_result_does_not_depend_on_who_computes_what(scheduler):
    expected = AffineTranslator(max_iter=10, random_state=0).fit(blocks(X, 4), blocks(Y, 4))
    with dask.config.set(scheduler=scheduler, num_workers=3):
        for _ in range(5):
            ours = AffineTranslator(max_iter=10, random_state=0).fit(blocks(X, 4), blocks(Y, 4))
            np.testing.assert_array_equal(ours.coef_, expected.coef_)


def test_inputs_are_left_as_they_are():
    source, target = X.copy(), Y.copy()
    for side in (source, target):
        side.flags.writeable = False
    fitted = LstsqTranslator(scaling="l2").fit(blocks(source), blocks(target))
    fitted.transform(blocks(source)).compute()
    assert (source == X).all()
    assert (target == Y).all()


# --- transform --------------------------------------------------------------------------------


@pytest.mark.parametrize("translator", TRANSLATORS, ids=one_line)
def test_transform_is_lazy_and_the_same(translator):
    fitted = clone(translator).fit(X, Y)
    cases = itertools.product(DTYPES, ("transform", "predict"))
    for source, method in [(X.astype(dtype), method) for dtype, method in cases]:
        lazy, expected = getattr(fitted, method)(blocks(source)), getattr(fitted, method)(source)
        assert isinstance(lazy, da.Array)
        assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
        assert lazy.chunks == (ROWS, (Y.shape[1],))
        found = lazy.compute()
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-4)


@pytest.mark.parametrize("translator", INVERTIBLE, ids=one_line)
def test_inverse_is_lazy_and_the_same(translator):
    fitted = clone(translator).fit(X, Y)
    lazy, expected = fitted.inverse_transform(blocks(Y)), fitted.inverse_transform(Y)
    assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "step", [ZeroPadder(8), Rescaler("mean"), RelativeProjector()], ids=one_line
)
def test_preprocessing_maps_blocks(step):
    step = clone(step).fit(X)
    lazy, expected = step.transform(blocks(X)), step.transform(X)
    assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(lazy.compute(), expected)
    if hasattr(step, "inverse_transform"):
        back = step.inverse_transform(lazy).compute()
        np.testing.assert_allclose(back, step.inverse_transform(expected))


def test_pipeline_is_lazy_from_end_to_end():
    pipeline = make_pipeline(ZeroPadder(8), ProcrustesTranslator(), Rescaler(3.0))
    expected = clone(pipeline).fit(X, Y).transform(X)
    lazy = pipeline.fit(blocks(X), blocks(Y)).transform(blocks(X))
    assert isinstance(lazy, da.Array)
    np.testing.assert_allclose(lazy.compute(), expected)


def test_translation_is_that_of_the_fit_at_the_time_of_the_call():
    ours = LstsqTranslator().fit(X, Y)
    expected, lazy = ours.transform(X), ours.transform(blocks(X))
    ours.partial_fit(X[::-1], Y).transform(X)
    np.testing.assert_array_equal(lazy.compute(), lazy.compute())
    np.testing.assert_allclose(lazy.compute(), expected)


def test_workers_get_the_map_and_not_the_statistics():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(2000, 60))
    lazy = AffineTranslator(max_iter=2).fit(wide, wide[:, :5]).transform(da.from_array(wide))
    sent = [
        value
        for task in dict(lazy.__dask_graph__()).values()
        for value in [getattr(task, "value", task)]
        if isinstance(value, AffineTranslator)
    ]
    assert len(sent) == 1
    assert not hasattr(sent[0], "_moments")


def test_names_are_compared_once_and_not_by_every_block():
    pd = pytest.importorskip("pandas")
    fitted = LstsqTranslator().fit(pd.DataFrame(X, columns=list("uvwxyz")), Y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        lazy = fitted.transform(blocks(X))
    np.testing.assert_allclose(lazy.compute(), fitted._translate(X))


# --- what is refused --------------------------------------------------------------------------

DIRTY = {
    "NaN": (np.nan, "Input {side} contains NaN"),
    "infinity": (np.inf, "Input {side} contains infinity"),
}


@pytest.mark.parametrize(("value", "message"), DIRTY.values(), ids=DIRTY)
@pytest.mark.parametrize("side", ["X", "y", "sample_weight"])
def test_values_that_are_not_finite_are_refused(side, value, message):
    sides = {"X": X.copy(), "y": Y.copy(), "sample_weight": np.ones(N)}
    sides[side][30] = value
    lazy = {name: blocks(array) for name, array in sides.items()}
    message = r"In block 3 of the rows: " + message.format(side=side)
    with pytest.raises(ValueError, match=message):
        LstsqTranslator().fit(**lazy)


def test_a_refused_batch_leaves_the_statistics_alone():
    dirty = np.where(np.arange(N) == 50, np.nan, X.T).T
    ours = LstsqTranslator().fit(X, Y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        ours.partial_fit(blocks(dirty), blocks(Y))
    same_map(ours, LstsqTranslator().fit(X, Y))


def test_transform_refuses_values_that_are_not_finite():
    dirty = np.where(np.arange(N) == 50, np.nan, X.T).T
    lazy = LstsqTranslator().fit(X, Y).transform(blocks(dirty))
    with pytest.raises(ValueError, match="Input X contains NaN"):
        lazy.compute()


def unknown(array, keep=None):
    keep = np.ones(len(array), dtype=bool) if keep is None else keep
    return blocks(array)[blocks(keep)]


BAD_PAIRS = {
    "fewer rows": (
        (blocks(X), blocks(Y[:-1], 59)),
        "X has 60 rows and y has 59 rows: row i of all",
    ),
    "fewer rows in memory": ((blocks(X), Y[:-1]), "X has 60 rows and y has 59 rows: row i of all"),
    "fewer weights": (
        (blocks(X), blocks(Y), np.ones(59)),
        "y has 60 rows and sample_weight has 59 rows",
    ),
    "unequal unknown blocks": (
        (unknown(X), unknown(Y, np.arange(N) != 40)),
        "In block 3 of the rows: X has 20 rows and y has 19 rows",
    ),
    "unknown beside known blocks": (
        (blocks(X), unknown(Y, np.arange(N) != 0)),
        "In block 0 of the rows: X has 25 rows and y has 24 rows",
    ),
    "unequal unknown weights": (
        (unknown(X), unknown(Y), unknown(np.ones(N), np.arange(N) != 40)),
        "In block 3 of the rows: X has 20 rows and y has 20 rows and sample_weight has 19 rows",
    ),
    "unknown blocks of another number": (
        (unknown(X), blocks(Y, 30)),
        r"y has 2 blocks of rows, another side has 5, and dask does not know.*compute_chunk_sizes",
    ),
    "memory beside unknown blocks": (
        (unknown(X), Y),
        r"y is in memory and cannot be cut.*compute_chunk_sizes\(\)",
    ),
    "one dimension": ((blocks(X[:, 0]), blocks(Y)), "Expected 2D array for X, got 1D array"),
    "three dimensions": ((blocks(X), da.ones((N, 2, 2))), "Expected 2D array for y, got 3D array"),
    "weights as a matrix": (
        (blocks(X), blocks(Y), np.ones((N, 1))),
        "Expected 1D array for sample_weight, got 2D array",
    ),
    "unknown columns": (
        (blocks(X)[:, blocks(X).sum(axis=0) > 0], blocks(Y)),
        "Dask does not know how many columns X has",
    ),
    "negative weights": (
        (blocks(X), blocks(Y), blocks(np.arange(N) - 1)),
        "In block 0 of the rows: Negative values in sample_weight",
    ),
    "no weight": ((blocks(X), blocks(Y), np.zeros(N)), "sample_weight is zero for every row"),
    "no rows": ((blocks(X[:0], 0), blocks(Y[:0], 0)), "Found no rows in any block of X"),
    "one row": ((blocks(X[:1], 1), blocks(Y[:1], 1)), "needs at least 2 anchors"),
    "overflow": ((blocks(X * 1e200), blocks(Y)), "The squares of X or y overflow float64"),
    "underflow": ((blocks(X * 1e-200), blocks(Y)), "The squares of X vanish in float64"),
    "underflow between blocks": (
        (da.from_array(np.repeat([[1e-200], [2e-200]], 30, axis=0), chunks=30), blocks(Y)),
        "The squares of X vanish in float64",
    ),
    "underflow of y between blocks": (
        (blocks(X, 30), da.from_array(np.repeat([[1e-200], [2e-200]], 30, axis=0), chunks=30)),
        "The squares of y vanish in float64",
    ),
}


@pytest.mark.parametrize(("sides", "message"), BAD_PAIRS.values(), ids=BAD_PAIRS)
def test_bad_pairs_are_refused(sides, message):
    with pytest.raises(ValueError, match=message):
        LstsqTranslator().fit(*sides)


def test_a_block_whose_squares_vanish_is_none_of_all():
    source = np.vstack([X[:30] * 1e-200, X[30:]])
    expected = ProcrustesTranslator().fit(source, Y)
    same_map(ProcrustesTranslator().fit(blocks(source, 10), blocks(Y, 10)), expected)


@pytest.mark.parametrize("selection", ["kmeans", "farthest", lambda X, n, rng: range(n)])
def test_selections_that_need_all_rows_are_refused(selection):
    translator = LstsqTranslator(n_anchors=5, anchor_selection=selection)
    with pytest.raises(ValueError, match=r"needs all rows of X in memory.*use 'uniform'"):
        translator.fit(blocks(X), blocks(Y))
    translator.set_params(n_anchors=None).fit(blocks(X), blocks(Y))


def test_anchors_of_an_unknown_number_of_rows_are_refused():
    with pytest.raises(ValueError, match=r"n_anchors needs the number of rows.*compute_chunk_siz"):
        LstsqTranslator(n_anchors=5).fit(unknown(X), unknown(Y))


@pytest.mark.parametrize(
    ("n_anchors", "error"), [(61, ValueError), (0, ValueError), ("all", TypeError)]
)
def test_bad_numbers_of_anchors_are_refused(n_anchors, error):
    with pytest.raises(error, match="n_anchors"):
        LstsqTranslator(n_anchors=n_anchors).fit(blocks(X), blocks(Y))


def test_batches_of_another_dimension_are_refused():
    ours = LstsqTranslator().fit(X, Y)
    with pytest.raises(ValueError, match="X has 5 features, but LstsqTranslator is expecting 6"):
        ours.partial_fit(blocks(X[:, :5]), blocks(Y))
    with pytest.raises(ValueError, match="y has 3 columns, but LstsqTranslator has seen 4"):
        ours.partial_fit(blocks(X), blocks(Y[:, :3]))


def test_transform_refuses_at_the_call_what_no_block_could_be():
    ours = LstsqTranslator()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        ours.transform(blocks(X))
    ours.fit(X, Y)
    with pytest.raises(ValueError, match="X has 5 features, but LstsqTranslator is expecting 6"):
        ours.transform(blocks(X[:, :5]))
    with pytest.raises(ValueError, match="y has 3 columns, but LstsqTranslator is expecting 4"):
        ours.inverse_transform(blocks(Y[:, :3]))
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        ours.transform(blocks(X[:, 0]))
    with pytest.raises(ValueError, match="does not know how many columns X has"):
        ours.transform(blocks(X)[:, blocks(X).sum(axis=0) > 0])
    with pytest.raises(ValueError, match="Found array with 0 sample"):
        ours.transform(blocks(X[:0], 0))


def test_frames_as_output_are_refused():
    pytest.importorskip("pandas")
    ours = LstsqTranslator().set_output(transform="pandas").fit(X, Y)
    with pytest.raises(TypeError, match="set to return pandas output, which a Dask array cannot"):
        ours.transform(blocks(X))
    assert isinstance(ours.predict(blocks(X)), da.Array)


def test_other_collections_are_refused():
    bag = pytest.importorskip("dask.bag").from_sequence([1, 2], npartitions=1)
    lazy = dask.delayed(X)
    for given in (bag, lazy):
        with pytest.raises(TypeError, match=r"expected a Dask Array. From a DataFrame: to_dask_ar"):
            LstsqTranslator().fit(blocks(X), given)
        with pytest.raises(TypeError, match=r"expected a Dask Array. From a DataFrame: to_dask_ar"):
            LstsqTranslator().fit(given, blocks(Y))
        with pytest.raises(TypeError, match=r"expected a Dask Array. From a DataFrame: to_dask_ar"):
            LstsqTranslator().fit(X, Y).transform(given)


@pytest.mark.parametrize("translator", NOT_LINEAR, ids=one_line)
def test_fits_that_need_all_rows_refuse_to_load_them(translator):
    for source, target in [(blocks(X), blocks(Y)), (X, blocks(Y)), (blocks(X), Y)]:
        with pytest.raises(TypeError, match="Got a Dask Array where the data must be in memory"):
            clone(translator).fit(source, target)


def test_nothing_else_loads_dask_arrays():
    source, labels = blocks(X), np.arange(N) % 3
    fitted = ProcrustesTranslator().fit(X, Y)
    message = "Got a Dask Array where the data must be in memory"
    for load in (
        lambda: ICPTranslator().fit(source, blocks(Y)),
        lambda: Rescaler("mean").fit(source),
        lambda: RelativeProjector().fit(source),
        lambda: class_means(source, labels, Y, labels),
        lambda: latent_mse(blocks(Y), Y),
        lambda: fitted.score(source, Y),
        lambda: fitted.score(X, blocks(Y)),
    ):
        with pytest.raises(TypeError, match=message):
            load()


def test_every_estimator_is_covered():
    assert set(map(type, INSTANCES)) <= set(map(type, TRANSLATORS)) | {
        ZeroPadder,
        Rescaler,
        RelativeProjector,
    }
    assert AbsoluteTranslator in set(map(type, NOT_LINEAR))


def test_importing_the_package_imports_no_dask():
    code = "import sys, sklearn_latent; print([m for m in ('dask', 'torch') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# --- a cluster of two processes ---------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    settings = {
        "distributed.worker.memory.terminate": False,
        "distributed.admin.log-format": "%(message)s",
        "distributed.logging.distributed": "critical",
    }
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2,
            processes=True,
            threads_per_worker=1,
            dashboard_address=":0",  # two workers of pytest would meet at the default port
            silence_logs=50,
        ) as running,
    ):
        yield running


@pytest.fixture
def client(cluster):
    distributed = pytest.importorskip("distributed")
    with distributed.Client(cluster) as connected, dask.config.set(scheduler=None):
        connected.wait_for_workers(2)
        yield connected


def die_once(block, marker):
    """Kill the worker that is the first to come here."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return block
    os.kill(os.getpid(), signal.SIGKILL)


def test_cluster_gives_the_map_of_the_rows_in_memory(client):
    source, target = make_pair(2000)
    weight = np.arange(2000) % 3
    sides = [blocks(side, 150) for side in (source, target, weight)]
    for translator in (LstsqTranslator(), ProcrustesTranslator(n_anchors=300, random_state=0)):
        expected = clone(translator).fit(source, target, weight)
        ours = clone(translator).fit(*sides)
        same_map(ours, expected)
        lazy = ours.transform(sides[0])
        np.testing.assert_allclose(lazy.compute(), expected.transform(source))


def test_cluster_reports_bad_values(client):
    dirty = np.where(np.arange(N) == 50, np.nan, X.T).T
    with pytest.raises(ValueError, match="In block 4 of the rows: Input X contains NaN"):
        LstsqTranslator().fit(blocks(dirty), blocks(Y))


@pytest.mark.parametrize("method", ["transform", "predict"])
def test_bad_values_are_found_in_their_block(method):
    dirty = np.where(np.arange(N) == 50, np.nan, X.T).T
    lazy = getattr(LstsqTranslator().fit(X, Y), method)(blocks(dirty))
    with pytest.raises(ValueError, match="In block 4 of the rows: Input X contains NaN"):
        lazy.compute()


def test_a_worker_killed_during_fit_changes_nothing(client, tmp_path):
    source, target = make_pair(2000)
    marker = tmp_path / "died"
    lazy = blocks(source, 100, 6).map_blocks(
        die_once, marker=str(marker), dtype=source.dtype, meta=source[:0]
    )
    before = set(client.run(os.getpid).values())
    ours = LstsqTranslator().fit(lazy, blocks(target, 100))
    assert Path(marker).exists()
    client.wait_for_workers(2)
    assert set(client.run(os.getpid).values()) != before
    same_map(ours, LstsqTranslator().fit(source, target))


def test_strings_as_target_are_refused():
    y = da.from_array(np.array(["3", "7"] * (N // 2)), chunks=20)
    with pytest.raises(ValueError, match="y are strings"):
        LstsqTranslator().fit(da.from_array(X, chunks=(20, -1)), y)


@pytest.mark.parametrize("estimator", [ZeroPadder(), Rescaler()], ids=one_line)
def test_a_vector_is_no_latents(estimator):
    with pytest.raises(ValueError, match="Expected 2D array for X, got 1D array"):
        estimator.fit(da.ones(5))


def test_weights_of_dask_beside_rows_in_memory_are_not_loaded():
    weight = da.ones(N, chunks=20)
    with pytest.raises(TypeError, match="Got a Dask Array where the data must be in memory"):
        InverseRelativeTranslator().fit(X, Y, weight)
    LstsqTranslator().fit(X, Y, weight)
