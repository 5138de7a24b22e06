"""What scikit-learn asks of every estimator."""

import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import sklearn_latent

from .conftest import SCIPY_VERSION
from .estimators import (
    CLASSES,
    FIRST,
    INSTANCES,
    NEED_TORCH,
    OTHERS,
    PUBLIC_CLASSES,
    TRANSLATORS,
    make_pair,
    one_line,
)

every_instance = pytest.mark.parametrize("estimator", INSTANCES, ids=one_line)
every_translator = pytest.mark.parametrize("translator", TRANSLATORS, ids=one_line)


def test_registry_holds_every_public_estimator():
    registered = {cls.__name__ for cls in (*CLASSES, *NEED_TORCH)}
    assert registered == {cls.__name__ for cls in PUBLIC_CLASSES}


def test_public_names_are_sorted_and_exist():
    assert sklearn_latent.__all__ == sorted(sklearn_latent.__all__)
    assert all(hasattr(sklearn_latent, name) for name in sklearn_latent.__all__)


def is_array_api_check(name):
    return name.startswith("check_array_api")


# a list: scikit-learn 1.6 gives a generator, which pytest 9 warns of
checks = parametrize_with_checks(FIRST)
every_check = pytest.mark.parametrize(checks.args[0], list(checks.args[1]), **checks.kwargs)


@every_check
def test_scikit_learn_checks(estimator, check):
    if is_array_api_check(check.func.__name__):
        pytest.importorskip("scipy", minversion="1.14", reason="scikit-learn's dispatch needs it")
    check(estimator)


@pytest.mark.parametrize("estimator", OTHERS, ids=one_line)
def test_check_estimator(estimator):
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    if SCIPY_VERSION < (1, 14):  # scikit-learn 1.6 fails its own check there
        results = [r for r in results if not is_array_api_check(r["check_name"])]
    assert [r["check_name"] for r in results if r["status"] not in ("passed", "skipped")] == []
    assert all(is_array_api_check(r["check_name"]) for r in results if r["status"] == "skipped")
    assert sum(r["status"] == "passed" for r in results) > 30


@every_instance
def test_parameters_survive_clone_and_set_params(estimator):
    parameters = estimator.get_params(deep=False)
    assert set(parameters) == set(inspect.signature(type(estimator)).parameters)
    copies = clone(estimator), type(estimator)().set_params(**parameters)
    for copy in copies:
        assert copy is not estimator
        assert repr(copy.get_params()) == repr(estimator.get_params())


@every_instance
def test_repr_is_the_code_that_makes_it(estimator):
    names = {**vars(sklearn_latent), "StandardScaler": StandardScaler}
    copy = eval(repr(estimator), names)
    assert type(copy) is type(estimator)
    assert repr(copy.get_params()) == repr(estimator.get_params())


@every_instance
def test_html_repr_names_the_estimator_before_and_after_fit(estimator):
    X, y = make_pair()
    estimator = clone(estimator)
    assert type(estimator).__name__ in estimator_html_repr(estimator)
    assert type(estimator).__name__ in estimator_html_repr(estimator.fit(X, y))
    assert type(estimator).__name__ in estimator_html_repr(make_pipeline(estimator))


@every_instance
def test_column_names_of_the_source_are_kept_and_compared(estimator):
    X, y = make_pair()
    X_named = pd.DataFrame(X, columns=list("abcdef"))
    fitted = clone(estimator).fit(X_named, y)
    assert fitted.feature_names_in_.tolist() == list("abcdef")
    assert fitted.n_features_in_ == 6
    with pytest.raises(ValueError, match="feature names should match those that were passed"):
        fitted.transform(X_named.rename(columns={"a": "z"}))
    fitted.fit(X, y)
    assert not hasattr(fitted, "feature_names_in_")


@every_translator
def test_pandas_output_carries_the_columns_and_index(translator):
    X, y = make_pair()
    index = [f"item{i}" for i in range(len(X))]
    X_named = pd.DataFrame(X, columns=list("abcdef"), index=index)
    y_named = pd.DataFrame(y, columns=["left", "right", "up", "down"], index=index)
    plain = clone(translator).fit(X_named, y_named)
    translator = clone(translator).set_output(transform="pandas").fit(X_named, y_named)
    out = translator.transform(X_named)
    assert isinstance(out, pd.DataFrame)
    assert out.columns.tolist() == ["left", "right", "up", "down"]
    assert out.index.tolist() == index
    np.testing.assert_array_equal(out.to_numpy(), plain.transform(X_named))
    pd.testing.assert_frame_equal(clone(translator).fit_transform(X_named, y_named), out)
    assert isinstance(translator.predict(X_named), np.ndarray)


@every_translator
def test_pandas_output_keeps_float32(translator):
    X, y = make_pair(dtype="float32")
    out = clone(translator).set_output(transform="pandas").fit(X, y).transform(X)
    assert set(out.dtypes) == {np.dtype("float32")}


@every_translator
def test_target_names_pass_through_a_pipeline(translator):
    X, y = make_pair()
    y_named = pd.DataFrame(y, columns=["left", "right", "up", "down"])
    pipeline = make_pipeline(StandardScaler(), clone(translator)).set_output(transform="pandas")
    out = pipeline.fit(X, y_named).transform(X)
    assert out.columns.tolist() == ["left", "right", "up", "down"]
    assert pipeline.get_feature_names_out().tolist() == ["left", "right", "up", "down"]


class NamedArray(np.ndarray):
    """What h5py, dask and xarray do: an array of any shape with a name of its own."""

    name = "latents"


TARGETS = {
    "DataFrame": (lambda y: pd.DataFrame(y, columns=["p", "q", "r"]), ["p", "q", "r"]),
    "DataFrame with numbered columns": (pd.DataFrame, None),
    "DataFrame with some numbered columns": (lambda y: pd.DataFrame(y, columns=["p", 1, 2]), None),
    "Series": (lambda y: pd.Series(y[:, 0], name="p"), ["p"]),
    "Series without a name": (lambda y: pd.Series(y[:, 0]), None),
    "Series with a number for a name": (lambda y: pd.Series(y[:, 0], name=3), None),
    "array": (lambda y: y, None),
    "one-dimensional array": (lambda y: y[:, 0], None),
    "array with a name": (lambda y: y.view(NamedArray), None),
    "list": (lambda y: y.tolist(), None),
}


def check_names(translator, y, expected):
    X, _ = make_pair()
    translator = clone(translator).fit(X, y)
    if expected is None:
        n_columns = translator.transform(X).shape[1]
        expected = [f"{type(translator).__name__.lower()}{i}" for i in range(n_columns)]
    assert translator.get_feature_names_out().tolist() == expected
    assert translator.get_feature_names_out().dtype == object


@pytest.mark.parametrize("kind", TARGETS)
@every_translator
def test_output_names_are_those_of_the_target(translator, kind):
    make, expected = TARGETS[kind]
    check_names(translator, make(make_pair(d_target=3)[1]), expected)


@every_translator
def test_output_names_are_those_of_a_polars_target(translator):
    polars = pytest.importorskip("polars")
    _, y = make_pair(d_target=3)
    check_names(translator, polars.DataFrame(y, schema=["p", "q", "r"]), ["p", "q", "r"])
    check_names(translator, polars.Series("p", y[:, 0]), ["p"])
    check_names(translator, polars.Series(y[:, 0]), None)


@every_translator
def test_polars_output_carries_the_columns(translator):
    polars = pytest.importorskip("polars")
    X, y = make_pair(d_target=3)
    y_named = polars.DataFrame(y, schema=["p", "q", "r"])
    out = clone(translator).set_output(transform="polars").fit(X, y_named).transform(X)
    assert isinstance(out, polars.DataFrame)
    assert out.columns == ["p", "q", "r"]


@every_translator
def test_names_of_an_earlier_target_are_forgotten(translator):
    X, y = make_pair()
    translator = clone(translator).fit(X, pd.DataFrame(y, columns=["left", "right", "up", "down"]))
    translator.fit(X, y)
    prefix = type(translator).__name__.lower()
    assert translator.get_feature_names_out().tolist() == [f"{prefix}{i}" for i in range(4)]
