"""The polar factor by products is that of the SVD, or none."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import polar
from sklearn import config_context
from sklearn.base import clone

from sklearn_latent import ProcrustesTranslator, RigidTranslator
from sklearn_latent._array import to_numpy
from sklearn_latent.solvers import polar as polar_module
from sklearn_latent.solvers.polar import polar_by_products

SHAPES = [(30, 30), (40, 25), (25, 40), (1, 1), (1, 5)]


def matrix(shape, condition, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    r = min(shape)
    u = np.linalg.qr(rng.normal(size=(shape[0], r)))[0]
    v = np.linalg.qr(rng.normal(size=(shape[1], r)))[0]
    return ((u * np.geomspace(1e5, 1e5 / condition, r)) @ v.T).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("condition", [1, 10, 1e3, 5e5])
def test_it_is_that_of_scipy(shape, condition):
    A = matrix(shape, condition)
    W = polar_by_products(A)
    assert_allclose(W, polar(A, side="left")[0], atol=1e-10)
    gram = W.T @ W if shape[0] >= shape[1] else W @ W.T
    assert_allclose(gram, np.eye(min(shape)), atol=1e-13)


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
@pytest.mark.parametrize("shape", SHAPES)
def test_other_libraries_agree(library, shape):
    xp = pytest.importorskip(library)
    A = matrix(shape, 1e3)
    W = polar_by_products(xp.asarray(A))
    assert type(W) is type(xp.asarray(A))
    assert_allclose(to_numpy(W), polar_by_products(A), atol=1e-12)
    assert polar_by_products(xp.asarray(np.ones((3, 3)))) is None


@pytest.mark.parametrize("condition", [1, 300])
def test_in_float32(condition):
    A = matrix((40, 25), condition, np.float32)
    W = polar_by_products(A)
    assert W.dtype == np.float32
    assert_allclose(W, polar(A.astype(float))[0], atol=1e-5)


@pytest.mark.parametrize(
    "A",
    [
        matrix((30, 30), 1e9),
        matrix((30, 20), 1e5, np.float32),
        np.zeros((3, 3)),
        np.ones((3, 3)),
        np.full((3, 3), np.nan),
        np.array([[np.inf, 0], [0, 1]]),
    ],
    ids=["ill-conditioned", "for float32", "zero", "rank one", "nan", "inf"],
)
def test_there_is_none_near_a_lower_rank(A):
    assert polar_by_products(A) is None


def test_the_argument_stays_as_it_was():
    A = matrix((10, 10), 10)
    before = A.copy()
    polar_by_products(A)
    assert_allclose(A, before, rtol=0, atol=0)


@pytest.mark.parametrize("least", [0.5, 1e-3, 1e-6])
def test_no_polynomial_of_degree_5_is_nearer_to_one(least):
    a, b, c, error = polar_module._nearest_to_one(least)
    x = np.geomspace(least, 1, 20_000)
    distance = a * x + b * x**3 + c * x**5 - 1
    assert_allclose(np.abs(distance).max(), error, rtol=1e-6)
    # equal distances with four alternating signs: Chebyshev's criterion
    extrema = distance[np.abs(distance) > (1 - 1e-5) * error]
    assert np.count_nonzero(np.diff(np.sign(extrema))) == 3


@pytest.mark.parametrize(
    "translator",
    [
        ProcrustesTranslator(),
        ProcrustesTranslator(scale=True),
        ProcrustesTranslator(scaling="l2"),
        RigidTranslator(),
        RigidTranslator(allow_reflection=False),
    ],
)
@pytest.mark.parametrize("n", [200, 8])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_translators_that_use_it_are_the_same(translator, n, library, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 12))
    y = X @ rng.normal(size=(12, 12)) + 3
    expected = clone(translator).fit(X, y)
    expected.singular_values_  # noqa: B018
    monkeypatch.setattr("sklearn_latent.solvers.procrustes.is_accelerated", lambda x: True)
    calls = []
    monkeypatch.setattr(
        "sklearn_latent.solvers.procrustes.polar_by_products",
        lambda A: calls.append(1) or polar_by_products(A),
    )
    if library == "torch":
        X, y = map(pytest.importorskip("torch").asarray, (X, y))
    with config_context(array_api_dispatch=library != "numpy"):
        found = clone(translator).fit(X, y)
        assert len(calls) == (n > 12)
        for name in ("coef_", "intercept_", "singular_values_", "rank_"):
            ours, theirs = getattr(found, name), getattr(expected, name)
            assert_allclose(to_numpy(ours), theirs, rtol=1e-7, atol=1e-9)
        back = to_numpy(found.inverse_transform(y))
        assert_allclose(back, expected.inverse_transform(to_numpy(y)), atol=1e-9)
        again = to_numpy(clone(translator).partial_fit(X, y).singular_values_)
    assert_allclose(again, expected.singular_values_, rtol=1e-7, atol=1e-9)
