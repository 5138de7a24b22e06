"""What latents may come as: dtypes, containers and memory layouts."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from sklearn_latent import LstsqTranslator
from sklearn_latent.metrics import latent_mse

from .estimators import INSTANCES, STREAMED, TRANSLATORS, in_all_scalings, make_pair, one_line

every_instance = pytest.mark.parametrize("estimator", INSTANCES, ids=one_line)
every_scaled = pytest.mark.parametrize("translator", in_all_scalings(TRANSLATORS), ids=one_line)
every_translator = pytest.mark.parametrize("translator", TRANSLATORS, ids=one_line)


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def every_other_row(a):
    buffer = np.full((2 * a.shape[0], a.shape[1]), np.nan, dtype=a.dtype)
    buffer[::2] = a
    return buffer[::2]


def every_other_column(a):
    buffer = np.full((a.shape[0], 2 * a.shape[1]), np.nan, dtype=a.dtype)
    buffer[:, ::2] = a
    return buffer[:, ::2]


FORMS = {
    "Fortran order": np.asfortranarray,
    "read-only": read_only,
    "every other row": every_other_row,
    "every other column": every_other_column,
    "backwards": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "swapped bytes": lambda a: a.astype(a.dtype.newbyteorder()),
    "objects": lambda a: a.astype(object),
    "list": lambda a: a.tolist(),
    "DataFrame": pd.DataFrame,
    "DataFrame of mixed columns": lambda a: pd.DataFrame(
        {i: column.astype("float32" if i == 0 else "float64") for i, column in enumerate(a.T)}
    ),
}


def representable(a):
    """Rounded so that float32 holds it exactly."""
    return np.round(a * 64) / 64


@pytest.mark.parametrize("form", FORMS)
@every_instance
def test_form_of_the_input_does_not_matter(estimator, form):
    X, y = (representable(side) for side in make_pair())
    expected = clone(estimator).fit(X, y)
    given_X, given_y = FORMS[form](X), FORMS[form](y)
    estimator = clone(estimator).fit(given_X, given_y)
    out = expected.transform(X)
    # the root in a Euclidean distance of zero halves the digits
    assert_allclose(estimator.transform(given_X), out, rtol=1e-9, atol=1e-7)
    if not hasattr(estimator, "inverse_transform"):
        return
    out = representable(out)
    back = estimator.inverse_transform(FORMS[form](out))
    assert_allclose(back, expected.inverse_transform(out), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("form", ["read-only", "every other row", "list", "DataFrame"])
@pytest.mark.parametrize("translator", STREAMED, ids=one_line)
def test_form_of_a_batch_does_not_matter(translator, form):
    X, y = (representable(side) for side in make_pair())
    expected = clone(translator).fit(X, y).transform(X)
    streamed = clone(translator)
    for rows in (slice(12), slice(12, None)):
        streamed.partial_fit(FORMS[form](X[rows]), FORMS[form](y[rows]))
    assert_allclose(streamed.transform(X), expected, rtol=1e-9, atol=1e-9)


@every_instance
def test_polars_frames_are_read(estimator):
    polars = pytest.importorskip("polars")
    X, y = make_pair()
    expected = clone(estimator).fit(X, y).transform(X)
    X_frame = polars.DataFrame(X, schema=list("abcdef"))
    out = clone(estimator).fit(X_frame, polars.DataFrame(y)).transform(X_frame)
    assert_allclose(out, expected, rtol=1e-9, atol=1e-7)


@every_translator
def test_memory_maps_are_read(translator, tmp_path):
    X, y = make_pair()
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)
    X_map, y_map = (np.load(tmp_path / f"{side}.npy", mmap_mode="r") for side in "Xy")
    out = clone(translator).fit(X_map, y_map).transform(X_map)
    assert_allclose(out, clone(translator).fit(X, y).transform(X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
@every_instance
def test_integers_are_computed_in_float64(estimator, dtype):
    X, y = (np.abs(10 * side).astype(dtype) for side in make_pair())
    expected = clone(estimator).fit(X.astype(float), y.astype(float)).transform(X.astype(float))
    out = clone(estimator).fit(X, y).transform(X)
    assert out.dtype == "float64"
    assert_array_equal(out, expected)


@every_instance
def test_float16_is_computed_in_float32(estimator):
    X, y = make_pair(dtype="float16")
    expected = clone(estimator).fit(X.astype("float32"), y.astype("float32"))
    estimator = clone(estimator).fit(X, y)
    assert estimator.transform(X).dtype == "float32"
    assert_array_equal(estimator.transform(X), expected.transform(X.astype("float32")))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_scaled
def test_float16_does_not_overflow(translator):
    X, y = (side * 1000 for side in make_pair(n=100))
    X, y = np.clip(X, -6e4, 6e4).astype("float16"), np.clip(y, -6e4, 6e4).astype("float16")
    out = clone(translator).fit(X, y).transform(X)
    expected = clone(translator).fit(X.astype(float), y.astype(float)).transform(X.astype(float))
    assert_allclose(out, expected, atol=1e-3 * np.abs(expected).max())


@every_scaled
def test_float32_is_close_to_float64(translator):
    X, y = make_pair(n=100)
    expected = clone(translator).fit(X, y).transform(X)
    X, y = X.astype("float32"), y.astype("float32")
    out = clone(translator).fit(X, y).transform(X)
    assert_allclose(out, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("far", [1e2, 1e4])
@every_translator
def test_float32_keeps_its_digits_far_from_the_origin(translator, far):
    X, y = (side.astype("float32") for side in make_pair(n=100))
    X, y = X + np.float32(far), y - np.float32(far)
    expected = clone(translator).fit(X.astype(float), y.astype(float)).transform(X.astype(float))
    out = clone(translator).fit(X, y).transform(X)
    assert out.dtype == "float32"
    assert_allclose(out, expected, atol=1e-6 * far * 10)


@pytest.mark.parametrize(("source", "target"), [("float32", "float64"), ("float64", "float32")])
@every_translator
def test_output_has_the_dtype_of_the_input_not_of_the_target(translator, source, target):
    X, y = make_pair()
    translator = clone(translator).fit(X.astype(source), y.astype(target))
    assert translator.transform(X.astype(source)).dtype == source
    assert translator.transform(X.astype(target)).dtype == target
    if hasattr(translator, "inverse_transform"):
        assert translator.inverse_transform(y.astype(target)).dtype == target


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_scaled
def test_inputs_are_never_changed(translator, dtype):
    X, y = make_pair(dtype=dtype)
    weight = np.linspace(0, 2, len(X))
    before = X.copy(), y.copy(), weight.copy()
    weights = {"sample_weight": weight} if has_fit_parameter(translator, "sample_weight") else {}
    translator = clone(translator).fit(X, y, **weights)
    translator.transform(X)[:] = 0
    translator.predict(X)[:] = 0
    translator.score(X, y)
    if hasattr(translator, "inverse_transform"):
        translator.inverse_transform(y)[:] = 0
    if hasattr(translator, "partial_fit"):
        translator.partial_fit(X, y, **weights).transform(X)
    for now, then in zip((X, y, weight), before):
        assert_array_equal(now, then)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_instance
def test_changing_input_or_output_later_changes_nothing(estimator, dtype):
    X, y = make_pair(dtype=dtype)
    X_new = X[:5].copy()
    estimator = clone(estimator).fit(X, y)
    expected = estimator.transform(X_new).copy()
    X[:] = y[:] = np.nan
    estimator.transform(X_new)[:] = 0
    assert_array_equal(estimator.transform(X_new), expected)
    if hasattr(estimator, "inverse_transform"):
        back = estimator.inverse_transform(expected).copy()
        estimator.inverse_transform(expected)[:] = 0
        assert_array_equal(estimator.inverse_transform(expected), back)


@every_instance
def test_tensors_of_float32_stay_so_as_numpy(estimator):
    torch = pytest.importorskip("torch")
    X, y = (np.asarray(side, dtype="float32") for side in make_pair())
    expected = clone(estimator).fit(X, y).transform(X)
    result = clone(estimator).fit(torch.asarray(X), torch.asarray(y)).transform(torch.asarray(X))
    assert isinstance(result, np.ndarray)
    assert result.dtype == expected.dtype == np.float32
    assert_array_equal(result, expected)


def test_tensors_of_bfloat16_are_float32_as_numpy():
    torch = pytest.importorskip("torch")
    X, y = (torch.asarray(side).bfloat16() for side in make_pair())
    result = LstsqTranslator().fit(X, y).transform(X)
    assert_array_equal(result, LstsqTranslator().fit(X.float(), y.float()).transform(X.float()))
    assert result.dtype == np.float32


@pytest.mark.parametrize("method", ["inverse_transform", "score"])
def test_target_columns_in_another_order_are_refused(method):
    X, y = make_pair()
    frame = pd.DataFrame(y).add_prefix("t")
    translator = LstsqTranslator().fit(X, frame)
    arguments = (frame,) if method == "inverse_transform" else (X, frame)
    expected = getattr(LstsqTranslator().fit(X, y), method)(*(np.asarray(a) for a in arguments))
    assert_allclose(getattr(translator, method)(*arguments), expected)
    swapped = frame[frame.columns[::-1]]
    arguments = (swapped,) if method == "inverse_transform" else (X, swapped)
    last = frame.columns[-1]
    with pytest.raises(ValueError, match=f"Column 0 of y is '{last}' and was 't0' at fit"):
        getattr(translator, method)(*arguments)


def test_rows_that_pandas_labels_in_another_order_are_refused():
    X, y = (pd.DataFrame(side) for side in make_pair())
    shuffled = y.sample(frac=1, random_state=0)
    with pytest.raises(ValueError, match="same row labels in another order"):
        LstsqTranslator().fit(X, shuffled)
    expected = LstsqTranslator().fit(X, y).coef_
    assert_allclose(LstsqTranslator().fit(X, shuffled.loc[X.index]).coef_, expected)
    by_place = LstsqTranslator().fit(X, shuffled.to_numpy()).coef_
    # labels that have nothing in common say nothing of the order
    renamed = shuffled.set_axis(range(1000, 1000 + len(y)))
    assert_allclose(LstsqTranslator().fit(X, renamed).coef_, by_place)


def test_weights_are_those_of_their_rows():
    X, y = (pd.DataFrame(side) for side in make_pair())
    weight = pd.Series(np.arange(len(X), dtype=float))
    with pytest.raises(ValueError, match="X and sample_weight have the same row labels in another"):
        LstsqTranslator().fit(X, y, weight[::-1])
    with pytest.raises(ValueError, match="X and sample_weight have the same row labels in another"):
        LstsqTranslator().fit(X, y).score(X, y, weight[::-1])
    by_place = LstsqTranslator().fit(X, y, weight[::-1].to_numpy()).coef_
    assert np.abs(LstsqTranslator().fit(X, y, weight).coef_ - by_place).max() > 1e-3


def test_rows_labelled_alike_in_another_order_are_not_judged():
    X, y = (pd.DataFrame(side) for side in make_pair())
    translator = LstsqTranslator().fit(X, y)
    message = "y have the same row labels in another order"
    with pytest.raises(ValueError, match=message):
        translator.score(X, y[::-1])
    assert translator.score(X, y[::-1].to_numpy()) < translator.score(X, y)
    with pytest.raises(ValueError, match="y_pred have the same row labels in another order"):
        latent_mse(y, y[::-1])


@every_instance
def test_the_order_of_bytes_does_not_matter(estimator):
    X, y = make_pair(dtype="float32")
    expected = clone(estimator).fit(X, y).transform(X)
    out = clone(estimator).fit(X.astype(">f4"), y.astype(">f4")).transform(X.astype(">f4"))
    assert out.dtype == np.float32
    assert_array_equal(out, expected)


def objects(a):
    cells = np.empty(len(a), dtype=object)
    cells[:] = list(a)
    return cells


COLUMNS_OF_VECTORS = {
    "Series": (lambda a: pd.Series(list(a)), r"np\.stack\({}\)"),
    "Series of lists": (lambda a: pd.Series(a.tolist()), r"np\.stack\({}\)"),
    "DataFrame": (lambda a: pd.DataFrame({"e": list(a)}), r"np\.stack\({}\['e'\]\)"),
    "objects": (objects, r"np\.stack\({}\)"),
    "a column of objects": (lambda a: objects(a)[:, None], r"np\.stack\({}\[:, 0\]\)"),
}


@pytest.mark.filterwarnings("ignore:X has feature names:UserWarning")
@pytest.mark.parametrize("form", COLUMNS_OF_VECTORS)
def test_one_column_of_vectors_is_named_with_its_remedy(form):
    make, remedy = COLUMNS_OF_VECTORS[form]
    X, y = make_pair()
    message = r"^{} holds a vector in each row of one column: pass " + remedy + ", of shape"
    fitted = LstsqTranslator().fit(X, y)
    for call in (
        lambda: LstsqTranslator().fit(make(X), y),
        lambda: LstsqTranslator().fit(make(X), make(y)),
        lambda: fitted.transform(make(X)),
    ):
        with pytest.raises(ValueError, match=message.format("X", "X")):
            call()
    for call in (
        lambda: LstsqTranslator().fit(X, make(y)),
        lambda: fitted.inverse_transform(make(y)),
    ):
        with pytest.raises(ValueError, match=message.format("y", "y")):
            call()
