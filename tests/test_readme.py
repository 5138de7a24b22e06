"""The README's code runs, block after block, and does what it says."""

import re
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.svm import SVC

import sklearn_latent

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def names(tmp_path, monkeypatch):
    """What the blocks take as given: latents of two encoders, labels, a trained decoder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, size=800)
    Y = 2 * rng.normal(size=(3, 6))[labels] + rng.normal(size=(800, 6))
    X = Y @ np.linalg.qr(rng.normal(size=(8, 6)))[0].T * 3 - 1
    given = {
        "anchor_labels": labels[:500],
        "X_anchors": X[:500],
        "Y_anchors": Y[:500],
        "X_new": X[500:],
        "batches": [(X[i : i + 100], Y[i : i + 100]) for i in range(0, 500, 100)],
        "svc_trained_on_target": SVC().fit(Y[:500], labels[:500]),
    }
    yield given, labels
    sklearn.set_config(enable_metadata_routing=False)


def test_the_blocks_run(names):
    given, labels = names
    for block in re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, given)
    assert np.mean(given["stitched"].predict(given["X_new"]) == labels[500:]) > 0.9
    assert given["search"].best_score_ > 0.9
    loaded = joblib.load("stitched.joblib")
    assert np.array_equal(loaded.predict(given["X_new"]), given["stitched"].predict(given["X_new"]))


def test_every_public_translator_is_named():
    text = README.read_text(encoding="utf-8")
    public = set(sklearn_latent.__all__) - {"__version__"}
    assert {name for name in public if f"`{name}" not in text and name not in text} == set()
