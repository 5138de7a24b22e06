"""Fitted translators travel: to other processes, to machines without torch or a GPU."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import weakref
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import sklearn_latent
from sklearn_latent import AffineTranslator, LstsqTranslator, ProcrustesTranslator

from .estimators import INSTANCES, LINEAR, STREAMED, make_pair, one_line

every_instance = pytest.mark.parametrize("estimator", INSTANCES, ids=one_line)
every_linear = pytest.mark.parametrize("translator", LINEAR, ids=one_line)
DUMPERS = {
    "pickle": lambda value, path: path.write_bytes(pickle.dumps(value)),
    "joblib": joblib.dump,
}

APPLY = """
import pickle
import sys

import joblib
import numpy as np

tool, model, data, result = sys.argv[1:]
if tool == "joblib":
    estimators = joblib.load(model)
else:
    with open(model, "rb") as file:
        estimators = pickle.load(file)
X = np.load(data)
np.savez(result, *[getattr(e, "predict", getattr(e, "transform", None))(X) for e in estimators])
"""

# As where torch is not installed: nothing finds it.
WITHOUT_TORCH = """
import importlib.machinery

find = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name.split(".")[0] == "torch" else find(name, *rest)
)
try:
    import torch
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("torch is still there")
"""


def run(script, *arguments, **environment):
    """Run a script in a fresh process; its standard output."""
    root = str(Path(sklearn_latent.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": root, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def apply_elsewhere(estimators, X, path, tool="pickle", script=APPLY, **environment):
    """What each estimator makes of X in a process that only loads it."""
    DUMPERS[tool](estimators, path / "model")
    np.save(path / "X.npy", X)
    run(script, tool, path / "model", path / "X.npy", path / "result.npz", **environment)
    with np.load(path / "result.npz") as result:
        return [result[name] for name in result.files]


def apply_here(estimator, X):
    return getattr(estimator, "predict", getattr(estimator, "transform", None))(X)


@pytest.mark.parametrize("tool", DUMPERS)
def test_estimators_do_the_same_in_a_fresh_process(tool, tmp_path):
    X, y = make_pair()
    estimators = [clone(instance).fit(X, y) for instance in INSTANCES]
    estimators += [clone(instance).fit(X, y[:, 0]) for instance in LINEAR]
    estimators += [clone(instance).partial_fit(X, y) for instance in LINEAR]  # not yet solved
    outs = apply_elsewhere(estimators, X, tmp_path, tool)
    assert len(outs) == len(estimators)
    for estimator, out in zip(estimators, outs):
        expected = apply_here(estimator, X)
        assert out.dtype == expected.dtype
        assert_allclose(out, expected, rtol=1e-12, atol=1e-12, err_msg=one_line(estimator))


def test_stitched_pipeline_does_the_same_in_a_fresh_process(tmp_path):
    X, y = make_pair(n=80)
    labels = np.where(y[:, 0] > y[:, 0].mean(), "above", "below")
    decoder = SVC().fit(y, labels)
    translator = make_pipeline(StandardScaler(), ProcrustesTranslator()).fit(X[:40], y[:40])
    stitched = make_pipeline(translator, decoder)
    (answers,) = apply_elsewhere([stitched], X[40:], tmp_path)
    assert_array_equal(answers, stitched.predict(X[40:]))
    assert_array_equal(answers, decoder.predict(translator.transform(X[40:])))
    assert set(answers) == {"above", "below"}


@every_instance
def test_copies_do_the_same(estimator):
    X, y = make_pair()
    estimator = clone(estimator).fit(X, y)
    for duplicate in (copy.deepcopy(estimator), pickle.loads(pickle.dumps(estimator))):
        assert_array_equal(duplicate.transform(X), estimator.transform(X))
        assert repr(duplicate) == repr(estimator)
        assert duplicate.get_feature_names_out().tolist() == (
            estimator.get_feature_names_out().tolist()
        )


@pytest.mark.parametrize("translator", STREAMED, ids=one_line)
def test_streaming_continues_after_a_restart(translator):
    X, y = make_pair()
    streamed = clone(translator).partial_fit(X[:12], y[:12])
    restarted = pickle.loads(pickle.dumps(streamed)).partial_fit(X[12:], y[12:])
    expected = clone(translator).fit(X, y)
    assert_allclose(restarted.transform(X), expected.transform(X), rtol=1e-8, atol=1e-8)
    assert restarted.n_anchors_ == len(X)
    fewer = clone(translator).fit(X[:12], y[:12])
    assert_allclose(streamed.transform(X), fewer.transform(X), rtol=1e-8, atol=1e-8)


@every_linear
def test_pickles_do_not_grow_with_the_number_of_anchors(translator):
    few, many = (clone(translator).fit(*make_pair(n=n)) for n in (50, 5000))
    assert len(pickle.dumps(many)) < len(pickle.dumps(few)) + 100


def test_training_data_are_not_kept_alive():
    fitted, data = [], []
    for instance in INSTANCES:
        X, y = make_pair()
        fitted.append(clone(instance).fit(X, y))
        data.append((weakref.ref(X), weakref.ref(y)))
    del X, y
    gc.collect()
    keepers = [
        one_line(instance)
        for instance, references in zip(fitted, data)
        if any(reference() is not None for reference in references)
    ]
    assert keepers == []


def arrays_within(value, seen=None):
    """Every array-like object reachable from a fitted estimator."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, (str, bytes, int, float, type(None), type)):
        return
    seen.add(id(value))
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from arrays_within(item, seen)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from arrays_within(item, seen)
    elif hasattr(value, "__dict__"):
        yield from arrays_within(vars(value), seen)


def fitted_on_tensors(translator, X, y, device="cpu"):
    torch = pytest.importorskip("torch")
    X, y = (torch.asarray(side, device=device) for side in (X, y))
    with config_context(array_api_dispatch=True):
        return clone(translator).fit(X, y)


@every_linear
def test_pickles_of_tensors_hold_numpy_arrays(translator):
    torch = pytest.importorskip("torch")
    X, y = make_pair()
    fitted = fitted_on_tensors(translator, X, y)
    assert isinstance(fitted.coef_, torch.Tensor)
    assert b"torch" not in pickle.dumps(fitted)
    loaded = pickle.loads(pickle.dumps(fitted))
    arrays = list(arrays_within(loaded))
    assert len(arrays) > 5
    assert all(isinstance(array, (np.ndarray, np.generic)) for array in arrays)
    assert isinstance(fitted.coef_, torch.Tensor)  # the original is as it was


def test_fitted_on_tensors_and_used_without_torch(tmp_path):
    X, y = make_pair()
    fitted = [fitted_on_tensors(translator, X, y) for translator in LINEAR]
    outs = apply_elsewhere(fitted, X, tmp_path, script=WITHOUT_TORCH + APPLY)
    for translator, out in zip(LINEAR, outs):
        expected = clone(translator).fit(X, y).transform(X)
        assert_allclose(out, expected, rtol=1e-7, atol=1e-7, err_msg=one_line(translator))


def test_streamed_from_tensors_and_continued_without_torch(tmp_path):
    pytest.importorskip("torch")
    X, y = make_pair()
    streamed = fitted_on_tensors(LstsqTranslator(), X[:12], y[:12])
    np.savez(tmp_path / "rest.npz", X=X[12:], y=y[12:])
    joblib.dump(streamed, tmp_path / "model")
    script = WITHOUT_TORCH + (
        "import joblib, sys, numpy as np\n"
        "rest = np.load(sys.argv[2])\n"
        "model = joblib.load(sys.argv[1]).partial_fit(rest['X'], rest['y'])\n"
        "np.save(sys.argv[3], model.coef_)\n"
    )
    run(script, tmp_path / "model", tmp_path / "rest.npz", tmp_path / "coef.npy")
    expected = LstsqTranslator().fit(X, y).coef_
    assert_allclose(np.load(tmp_path / "coef.npy"), expected, rtol=1e-8, atol=1e-8)


def test_fitted_on_a_gpu_and_used_without_one(tmp_path):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    X, y = make_pair()
    fitted = [AffineTranslator(device="cuda", random_state=0).fit(X, y)]
    fitted += [fitted_on_tensors(translator, X, y, device="cuda") for translator in LINEAR]
    outs = apply_elsewhere(fitted, X, tmp_path, CUDA_VISIBLE_DEVICES="")
    expected = [AffineTranslator(device="cpu", random_state=0).fit(X, y)]
    expected += [clone(translator).fit(X, y) for translator in LINEAR]
    for estimator, out in zip(expected, outs):
        assert_allclose(out, estimator.transform(X), rtol=1e-6, atol=1e-6)


def test_import_is_light():
    loaded = run("import sys, sklearn_latent; print(*sys.modules)").split()
    assert "sklearn_latent" in loaded
    assert set(loaded) & {"torch", "dask", "matplotlib", "cupy", "jax"} == set()
