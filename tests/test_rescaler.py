"""The rescaling injection."""

import inspect

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.utils.estimator_checks import check_estimator

from sklearn_latent import LstsqTranslator
from sklearn_latent._array import to_numpy
from sklearn_latent.preprocessing import Rescaler

from .conftest import SCIPY_VERSION

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def make_latents(n=50, d=4, dtype="float64"):
    return (np.random.default_rng(0).normal(size=(n, d)) * 3 + 1).astype(dtype)


@pytest.mark.parametrize("alpha", [1.0, 7, np.float32(2.5), "mean"])
def test_check_estimator(alpha):
    results = check_estimator(Rescaler(alpha), on_skip=None, on_fail=None)
    if SCIPY_VERSION < (1, 14):  # scikit-learn 1.6 fails its own check there
        results = [r for r in results if not r["check_name"].startswith("check_array_api")]
    assert [r["check_name"] for r in results if r["status"] != "passed"] == []
    assert len(results) > 30


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 10])
@every_dtype
def test_rows_have_norm_alpha_and_their_direction(alpha, dtype):
    X = make_latents(dtype=dtype)
    out = Rescaler(alpha).fit_transform(X)
    assert out.dtype == dtype
    assert_allclose(out, alpha * Normalizer().fit_transform(X), rtol=1e-6)
    assert_allclose(np.linalg.norm(out, axis=1), alpha, rtol=1e-6)


@every_dtype
def test_mean_is_the_mean_norm_seen_at_fit(dtype):
    X = make_latents(dtype=dtype)
    rescaler = Rescaler("mean").fit(X)
    assert rescaler.alpha_ == pytest.approx(np.linalg.norm(X, axis=1).mean())
    out = rescaler.transform(100 * X[:5])
    assert_allclose(np.linalg.norm(out, axis=1), rescaler.alpha_, rtol=1e-6)


@pytest.mark.parametrize("alpha", [2.0, "mean"])
def test_zero_rows_stay_zero(alpha):
    X = make_latents()
    X[::7] = 0
    out = Rescaler(alpha).fit_transform(X)
    assert np.all(out[::7] == 0)
    assert np.all(np.isfinite(out))
    assert np.all(Rescaler(alpha).fit_transform(np.zeros((3, 2))) == 0)


@pytest.mark.parametrize("factor", [1e-320, 1e-200, 1e200, 1e307])
def test_extreme_rows(factor):
    X = np.array([[3.0, 4.0]]) * factor
    assert_allclose(Rescaler(5.0).fit_transform(X), [[3.0, 4.0]], rtol=1e-3)


def test_it_is_idempotent_and_leaves_its_input_alone():
    X = make_latents()
    X.flags.writeable = False
    once = Rescaler(3.0).fit_transform(X)
    assert_allclose(Rescaler(3.0).fit_transform(once), once)
    assert_array_equal(X, make_latents())


def test_the_argmax_of_a_linear_softmax_decoder_does_not_see_alpha():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(200, 4))
    labels = np.argmax(y @ rng.normal(size=(4, 3)), axis=1)
    decoder = LogisticRegression(fit_intercept=False).fit(y, labels)
    X = y @ rng.normal(size=(4, 6))
    translator = LstsqTranslator().fit(X, y)
    expected = make_pipeline(translator, decoder).predict(X)
    for alpha in (1e-3, 1.0, 1e3, "mean"):
        rescaler = Rescaler(alpha).fit(y)
        stitched = make_pipeline(translator, rescaler, decoder)
        assert_array_equal(stitched.predict(X), expected)
    low, high = (
        make_pipeline(translator, Rescaler(alpha), decoder).predict_proba(X).max(axis=1)
        for alpha in (0.1, 10.0)
    )
    assert np.all(low < high)  # alpha is an inverse temperature


def test_a_number_needs_no_fit():
    X = make_latents()
    assert_array_equal(Rescaler(2.0).transform(X), Rescaler(2.0).fit_transform(X))
    with pytest.raises(NotFittedError, match="Rescaler instance is not fitted yet"):
        Rescaler("mean").transform(X)


def test_parameters_survive_clone_and_set_params():
    assert set(Rescaler().get_params()) == set(inspect.signature(Rescaler).parameters)
    for alpha in (2.0, "mean"):
        fitted = Rescaler(alpha).fit(make_latents())
        for copy in (clone(fitted), Rescaler().set_params(alpha=alpha)):
            assert copy.get_params() == {"alpha": alpha}
            assert not hasattr(copy, "alpha_")
        assert type(fitted.alpha_) is float


def test_column_names_are_kept():
    X = pd.DataFrame(make_latents(), columns=list("abcd"))
    rescaler = Rescaler().set_output(transform="pandas").fit(X)
    assert rescaler.get_feature_names_out().tolist() == list("abcd")
    assert rescaler.transform(X).columns.tolist() == list("abcd")
    assert Rescaler().fit(X.to_numpy()).get_feature_names_out().tolist() == ["x0", "x1", "x2", "x3"]


def test_there_is_no_way_back():
    assert not hasattr(Rescaler(), "inverse_transform")


@pytest.mark.parametrize("library", ["array_api_strict", "torch"])
@pytest.mark.parametrize("alpha", [3.0, "mean"])
@every_dtype
def test_array_libraries_agree(library, alpha, dtype):
    xp = pytest.importorskip(library)
    X = make_latents(dtype=dtype)
    X[3] = 0
    expected = Rescaler(alpha).fit_transform(X)
    with config_context(array_api_dispatch=True):
        out = Rescaler(alpha).fit_transform(xp.asarray(X))
        assert type(out) is type(xp.asarray(X))
        assert out.dtype == xp.asarray(X).dtype
    assert_allclose(to_numpy(out), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("alpha", "error", "message"),
    [
        (0, ValueError, "alpha=0 must be finite and above 0"),
        (-1.0, ValueError, "alpha=-1.0 must be finite and above 0"),
        (np.inf, ValueError, "alpha=inf must be finite and above 0"),
        (None, TypeError, "alpha must be a number; got None"),
        (True, TypeError, "alpha must be a number; got True"),
        ("median", ValueError, "alpha='median' is unknown: use a number or 'mean'"),
    ],
)
def test_bad_alpha(alpha, error, message):
    with pytest.raises(error, match=message):
        Rescaler(alpha).fit(make_latents())


def test_what_the_dtype_cannot_hold():
    X = make_latents(dtype="float32")
    with pytest.raises(ValueError, match=r"alpha=1e\+39 overflows float32: lower alpha"):
        Rescaler(1e39).fit_transform(X)
    with pytest.raises(ValueError, match="The norms of X overflow: rescale"):
        Rescaler("mean").fit(np.full((2, 3), 1.7e308))


def test_another_number_of_columns():
    with pytest.raises(ValueError, match="X has 3 features, but Rescaler is expecting 4"):
        Rescaler().fit(make_latents()).transform(make_latents(d=3))
