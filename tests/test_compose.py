"""TransformedTargetTranslator and ZeroPadder in composition."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import estimator_html_repr, get_tags

from sklearn_latent import (
    LstsqTranslator,
    ProcrustesTranslator,
    TransformedTargetTranslator,
    ZeroPadder,
)


@pytest.fixture
def latents():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    return X, np.exp(X @ rng.normal(size=(4, 5)) / 4) + 0.1 * rng.uniform(size=(80, 5))


@pytest.mark.parametrize(
    "scaler", [RobustScaler(), MinMaxScaler(), QuantileTransformer(n_quantiles=20)]
)
def test_it_is_transformed_target_regressor(latents, scaler):
    X, y = latents
    oracle = TransformedTargetRegressor(LinearRegression(), transformer=scaler).fit(X, y)
    ours = TransformedTargetTranslator(LstsqTranslator(), scaler).fit(X, y)
    assert_allclose(ours.transform(X), oracle.predict(X), atol=1e-8)
    assert_allclose(ours.predict(X), oracle.predict(X), atol=1e-8)


def test_a_standard_scaler_is_the_scaling_standard(latents):
    X, y = latents
    composed = TransformedTargetTranslator(
        ProcrustesTranslator(scaling=("standard", None)), StandardScaler()
    )
    weight = np.random.default_rng(0).uniform(size=len(X))
    for w in (None, weight):
        folded = ProcrustesTranslator().fit(X, y, sample_weight=w)
        composed.fit(X, y, sample_weight=w)
        assert_allclose(composed.transform(X), folded.transform(X), atol=1e-10)
        assert_allclose(composed.inverse_transform(y), folded.inverse_transform(y), atol=1e-10)


def test_a_pipeline_may_be_the_translator(latents):
    X, y = latents
    inner = make_pipeline(StandardScaler(), LstsqTranslator())
    composed = TransformedTargetTranslator(inner, RobustScaler()).fit(X, y)
    assert_allclose(composed.transform(X), LstsqTranslator().fit(X, y).transform(X), atol=1e-8)


def test_the_defaults_are_plain_procrustes(latents):
    X, y = latents
    expected = ProcrustesTranslator().fit(X, y)
    assert np.array_equal(
        TransformedTargetTranslator().fit(X, y).transform(X), expected.transform(X)
    )


def test_the_parts_given_are_not_fitted(latents):
    translator, scaler = LstsqTranslator(), RobustScaler()
    TransformedTargetTranslator(translator, scaler).fit(*latents)
    assert not hasattr(translator, "coef_")
    assert not hasattr(scaler, "center_")


def test_pandas_output_has_the_targets_columns(latents):
    pd = pytest.importorskip("pandas")
    X, y = latents
    frame = pd.DataFrame(y, columns=list("abcde"))
    composed = TransformedTargetTranslator(LstsqTranslator(), RobustScaler())
    with config_context(transform_output="pandas"):
        out = composed.fit(X, frame).transform(X)
    assert list(out.columns) == list("abcde")
    assert_allclose(out.to_numpy(), LstsqTranslator().fit(X, y).transform(X), atol=1e-8)


def test_parts_of_the_wrong_kind(latents):
    with pytest.raises(TypeError, match=r"transformer must be an estimator.*lacks inverse_transfo"):
        TransformedTargetTranslator(LstsqTranslator(), Normalizer()).fit(*latents)
    with pytest.raises(TypeError, match=r"translator must be an estimator instance.*a class"):
        TransformedTargetTranslator(LstsqTranslator).fit(*latents)


def test_padding_is_undone_by_cropping(latents):
    X, _ = latents
    padder = ZeroPadder(7).fit(X)
    padded = padder.transform(X)
    assert np.array_equal(padded, np.pad(X, [(0, 0), (0, 3)]))
    assert np.array_equal(padder.inverse_transform(padded), X)
    assert not np.shares_memory(padder.inverse_transform(padded), padded)


def test_padded_columns_have_names(latents):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(latents[0], columns=list("abcd"))
    out = ZeroPadder(6).set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == ["a", "b", "c", "d", "zeropadder0", "zeropadder1"]


def test_a_row_of_no_weight_does_not_fit_the_transformer(latents):
    X, y = latents
    weight = np.ones(len(X))
    weight[0] = 0
    wild = y.copy()
    wild[0] = -1e20
    ours = TransformedTargetTranslator(LstsqTranslator(), MinMaxScaler()).fit(X, wild, weight)
    expected = TransformedTargetTranslator(LstsqTranslator(), MinMaxScaler()).fit(X[1:], y[1:])
    assert_allclose(ours.transform(X), expected.transform(X), atol=1e-8)


def test_the_target_stays_as_it_was(latents):
    X, y = latents
    before = y.copy()
    ours = TransformedTargetTranslator(LstsqTranslator(), StandardScaler(copy=False)).fit(X, y)
    ours.inverse_transform(y)
    np.testing.assert_array_equal(y, before)


def test_a_regressor_translates_by_its_predictions(latents):
    X, y = latents
    regressor = PLSRegression(3)
    found = TransformedTargetTranslator(regressor).fit(X, y)
    assert_allclose(found.transform(X), regressor.fit(X, y).predict(X))
    assert not hasattr(found, "inverse_transform")  # its own goes back from components


def test_the_transformer_may_be_fitted_already(latents):
    X, y = latents
    scaler = StandardScaler().fit(y[:30])
    found = TransformedTargetTranslator(LstsqTranslator(), FrozenEstimator(scaler))
    weight = np.arange(len(X)) % 2
    for sample_weight in (None, weight):
        rows = slice(None) if sample_weight is None else weight > 0
        expected = LstsqTranslator().fit(X[rows], scaler.transform(y[rows])).transform(X)
        translated = found.fit(X, y, sample_weight).transform(X)
        assert_allclose(translated, scaler.inverse_transform(expected))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: GridSearchCV(inner, {"scaling": [None, "standard"]}, cv=2),
        lambda inner: make_pipeline(StandardScaler(), inner),
    ],
    ids=["search", "pipeline"],
)
def test_a_wrapped_translator_goes_back_too(latents, wrap):
    X, y = latents
    found = TransformedTargetTranslator(wrap(LstsqTranslator()), RobustScaler()).fit(X, y)
    assert_allclose(found.inverse_transform(found.transform(X)), X)


def test_names_behind_two_paddings_are_all_different():
    padded = make_pipeline(ZeroPadder(3), ZeroPadder(5), StandardScaler())
    padded.set_output(transform="pandas")
    names = list(padded.fit_transform(np.random.default_rng(0).normal(size=(9, 2))).columns)
    assert names == ["x0", "x1", "zeropadder0", "zeropadder1", "zeropadder2"]


class Fussy(LstsqTranslator):
    """A translator with a parameter by the name of those that searches have."""

    def __init__(self, estimator=None, scaling="standard"):
        super().__init__(scaling=scaling)
        self.estimator = estimator


def test_what_a_translator_holds_does_not_make_it_another(latents):
    X, y = latents
    found = TransformedTargetTranslator(Fussy(LinearRegression()), RobustScaler()).fit(X, y)
    assert_allclose(found.inverse_transform(found.transform(X)), X)


def test_float32_stays_behind_a_transformer_that_widens(latents):
    X, y = (side.astype(np.float32) for side in latents)
    widening = FunctionTransformer(lambda a: a.astype(float) * 2, lambda a: a / 2)
    translator = TransformedTargetTranslator(LstsqTranslator(), widening).fit(X, y)
    assert translator.transform(X).dtype == np.float32
    assert translator.inverse_transform(y).dtype == np.float32


def test_a_plain_regressor_may_be_the_translator(latents):
    X, y = latents
    composed = TransformedTargetTranslator(LinearRegression(), RobustScaler()).fit(X, y)
    expected = TransformedTargetRegressor(LinearRegression(), transformer=RobustScaler()).fit(X, y)
    assert_allclose(composed.transform(X), expected.predict(X))
    with pytest.raises(TypeError, match="which lacks transform"):
        TransformedTargetTranslator(Mute()).fit(X, y)


class Mute(BaseEstimator):
    """Neither predicts nor transforms."""

    def fit(self, X, y=None):
        return self


@pytest.mark.parametrize("other", [ProcrustesTranslator(), StandardScaler()])
def test_a_scaler_in_place_of_the_translator_is_refused(latents, other):
    composed = TransformedTargetTranslator(RobustScaler(), other)
    with pytest.raises(
        TypeError, match=r"got RobustScaler\(\)\. Were translator and transformer sw"
    ):
        composed.fit(*latents)
    assert repr(clone(composed)) == repr(composed)
    assert "RobustScaler" in estimator_html_repr(composed)


@pytest.mark.parametrize("part", [RobustScaler(), LstsqTranslator])
def test_tags_are_there_whatever_the_translator_is(part):
    assert get_tags(TransformedTargetTranslator(part)).estimator_type == "regressor"


class Referring(RegressorMixin, BaseEstimator):
    """A regressor that knows itself and gives a DataFrame."""

    def fit(self, X, y):
        self.me_, self.inner_ = self, LinearRegression().fit(X, y)
        return self

    def predict(self, X):
        return pd.DataFrame(self.inner_.predict(X))


def test_estimators_of_others_are_stored_as_they_are():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 4)), rng.normal(size=(50, 3))
    composed = TransformedTargetTranslator(Referring(), StandardScaler()).fit(X, y)
    expected = TransformedTargetTranslator(LinearRegression(), StandardScaler()).fit(X, y)
    loaded = pickle.loads(pickle.dumps(composed))
    for fitted in (composed, loaded):
        assert fitted.translator_.me_ is fitted.translator_
        assert_allclose(fitted.transform(X), expected.transform(X))
