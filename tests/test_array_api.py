"""NumPy, array-api-strict and torch agree, and results live where the input lives."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_latent import (
    InverseRelativeTranslator,
    KernelTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RelativeProjector,
    TransformedTargetTranslator,
    ZeroPadder,
)
from sklearn_latent._array import to_numpy
from sklearn_latent._linear_base import LinearTranslator

from .estimators import INSTANCES, STREAMED

torch = pytest.importorskip("torch")
strict = pytest.importorskip("array_api_strict")

LINEAR = [estimator for estimator in INSTANCES if isinstance(estimator, LinearTranslator)]


@pytest.fixture(params=LINEAR, ids=str)
def estimator(request):
    return clone(request.param)


@pytest.fixture(autouse=True)
def dispatch():
    with config_context(array_api_dispatch=True):
        yield


def pair(n=50, d_source=6, d_target=4, dtype="float64"):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d_source)) + 1
    y = X @ rng.normal(size=(d_source, d_target)) + 0.1 * rng.normal(size=(n, d_target))
    return X.astype(dtype), y.astype(dtype)


@pytest.mark.parametrize("xp", [torch, strict], ids=["torch", "strict"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scaling", ["standard", "l2", None, ("center", "l2")])
@pytest.mark.parametrize("n", [50, 3])
def test_libraries_agree(estimator, xp, dtype, scaling, n):
    X, y = pair(n, dtype=dtype)
    weight = np.linspace(0, 1, n)
    estimator.set_params(scaling=scaling)
    expected = estimator.fit(X, y, sample_weight=weight)
    out, back = expected.transform(X), expected.inverse_transform(y)

    foreign = [xp.asarray(array) for array in (X, y, weight)]
    estimator.fit(foreign[0], foreign[1], sample_weight=foreign[2])
    tolerance = {"float32": 1e-3, "float64": 1e-8}[dtype]
    for ours, theirs in [
        (estimator.transform(foreign[0]), out),
        (estimator.inverse_transform(foreign[1]), back),
    ]:
        assert type(ours) is type(foreign[0])
        assert ours.dtype == foreign[0].dtype
        assert_allclose(to_numpy(ours), theirs, rtol=tolerance, atol=tolerance)
    assert type(estimator.coef_) is type(foreign[0])


@pytest.mark.parametrize("estimator", STREAMED, ids=str)
def test_batches_of_tensors(estimator):
    X, y = pair()
    estimator = clone(estimator)
    whole = estimator.fit(X, y).transform(X)
    estimator.fit(torch.asarray(X[:5]), torch.asarray(y[:5]))
    for i in range(5, 50, 9):
        estimator.partial_fit(torch.asarray(X[i : i + 9]), torch.asarray(y[i : i + 9]))
    assert_allclose(to_numpy(estimator.transform(torch.asarray(X))), whole, atol=1e-8)


def test_y_and_weights_follow_x(estimator):
    X, y = pair()
    estimator.fit(torch.asarray(X), y, sample_weight=np.ones(50))
    assert isinstance(estimator.transform(torch.asarray(X)), torch.Tensor)


def test_a_map_on_the_host_follows_its_input(estimator):
    X, y = pair()
    out = estimator.fit(X, y).transform(X)
    moved = estimator.transform(torch.asarray(X))
    assert isinstance(moved, torch.Tensor)
    assert_allclose(moved.numpy(), out)


@pytest.mark.parametrize("method", ["transform", "predict", "inverse_transform"])
def test_a_map_elsewhere_says_so(estimator, method):
    X, y = pair()
    estimator.fit(torch.asarray(X), torch.asarray(y))
    data = y if method == "inverse_transform" else X
    with pytest.raises(ValueError, match=rf"{method}\(\) must use the same namespace"):
        getattr(estimator, method)(data)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(estimator, dtype):
    X, y = (torch.asarray(side).to(dtype) for side in pair())
    out = estimator.fit(X, y).transform(X)
    assert out.dtype == torch.float32
    expected = estimator.fit(X.float(), y.float()).transform(X.float())
    assert_allclose(out.numpy(), expected.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("selection", ["uniform", "kmeans", "farthest"])
def test_the_same_anchors_everywhere(selection):
    X, y = pair()
    estimator = ProcrustesTranslator(n_anchors=12, anchor_selection=selection, random_state=0)
    rows = estimator.fit(X, y).anchor_indices_
    on_torch = estimator.fit(torch.asarray(X), torch.asarray(y)).anchor_indices_
    assert isinstance(on_torch, torch.Tensor)
    assert np.array_equal(on_torch.numpy(), rows)


@pytest.mark.parametrize("xp", [torch, strict], ids=["torch", "strict"])
def test_padding(xp):
    X, _ = pair()
    padder = ZeroPadder(9).fit(xp.asarray(X))
    padded = padder.transform(xp.asarray(X))
    assert type(padded) is type(xp.asarray(X))
    assert np.array_equal(to_numpy(padded), np.pad(X, [(0, 0), (0, 3)]))
    assert np.array_equal(to_numpy(padder.inverse_transform(padded)), X)


@pytest.mark.parametrize("xp", [torch, strict], ids=["torch", "strict"])
def test_rows_that_are_not_finite_are_named(estimator, xp):
    X, y = pair()
    fitted = clone(estimator).fit(xp.asarray(X), xp.asarray(y))
    X[[7, 9], 2] = np.nan
    message = r"^Input X contains NaN in row 7 \(column 2\); 2 rows in all\. Leave these rows out"
    with pytest.raises(ValueError, match=message):
        estimator.fit(xp.asarray(X), xp.asarray(y))
    with pytest.raises(ValueError, match=message):
        fitted.transform(xp.asarray(X))


@pytest.mark.parametrize("inner", [LstsqTranslator(), KernelTranslator()], ids=str)
def test_a_transformer_of_the_target_follows_its_input_and_pickles_on_the_host(inner):
    X, y = pair()
    composed = TransformedTargetTranslator(inner, StandardScaler())
    expected = clone(composed).fit(X, y).transform(X)
    tensors = torch.asarray(X), torch.asarray(y)
    on_tensors = clone(composed).fit(*tensors)
    stored = pickle.dumps(on_tensors)
    assert b"torch" not in stored
    for fitted in (clone(composed).fit(X, y), pickle.loads(stored)):
        for rows in (tensors[0], X):
            out = fitted.transform(rows)
            assert type(out) is type(rows)
            assert_allclose(to_numpy(out), expected, atol=1e-8)
    assert isinstance(on_tensors.transformer_.mean_, torch.Tensor)  # pickling has left it alone
    assert_allclose(to_numpy(on_tensors.transform(tensors[0])), expected, atol=1e-8)
    if hasattr(composed, "inverse_transform"):
        back = pickle.loads(stored).inverse_transform(tensors[1])
        assert_allclose(to_numpy(back), clone(composed).fit(X, y).inverse_transform(y), atol=1e-8)


@pytest.mark.parametrize("xp", [torch, strict], ids=["torch", "strict"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("pruning", [None, 0.3])
def test_the_relative_space_agrees(xp, dtype, pruning):
    X, y = pair(dtype=dtype)
    weight = np.linspace(0, 1, 50)
    tolerance = {"float32": 1e-4, "float64": 1e-10}[dtype]
    translator = InverseRelativeTranslator(pruning=pruning, random_state=0)
    expected = translator.fit(X, y, weight).transform(X)
    back = translator.inverse_transform(y)
    foreign = [xp.asarray(array) for array in (X, y, weight)]
    translator.fit(*foreign)
    for ours, theirs in (
        (translator.transform(foreign[0]), expected),
        (translator.inverse_transform(foreign[1]), back),
    ):
        assert type(ours) is type(foreign[0])
        assert ours.dtype == foreign[0].dtype
        assert_allclose(to_numpy(ours), theirs, rtol=tolerance, atol=tolerance)
    for projector in (RelativeProjector(), RelativeProjector("euclidean", scaling="standard")):
        expected = projector.fit(X[:9]).transform(X)
        ours = projector.fit(foreign[0][:9, :]).transform(foreign[0])
        assert type(ours) is type(foreign[0])
        assert_allclose(to_numpy(ours), expected, rtol=1e-3, atol=1e-3)


def test_parts_of_a_composition_that_are_no_arrays_are_left_alone():
    X, y = pair()
    tensors = torch.asarray(X), torch.asarray(y)
    stateless = FunctionTransformer(torch.arcsinh, torch.sinh, check_inverse=False)
    inner = make_pipeline(StandardScaler(), Ridge(solver="svd"))
    for composed in (
        TransformedTargetTranslator(LstsqTranslator(), stateless).fit(*tensors),
        TransformedTargetTranslator(inner, StandardScaler()).fit(*tensors),
    ):
        expected = composed.transform(tensors[0])
        loaded = pickle.loads(pickle.dumps(composed))
        assert_allclose(to_numpy(loaded.transform(tensors[0])), to_numpy(expected), atol=1e-8)
