"""`compare_translators`: what its table says, against loops written by hand."""

import itertools
import pickle
import re
import runpy
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import make_scorer, r2_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

import sklearn_latent
from sklearn_latent import (
    AbsoluteTranslator,
    AffineTranslator,
    InverseRelativeTranslator,
    LOrthoTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RidgeTranslator,
    RigidTranslator,
    TransformedTargetTranslator,
    compare_translators,
    decoder_agreement,
    stitching_score,
)
from sklearn_latent._base import BaseTranslator
from sklearn_latent.inspection import AnchorCurveDisplay, TranslatorComparison
from sklearn_latent.inspection._candidates import check_counts, seeded
from sklearn_latent.inspection._evaluation import draw_anchors
from sklearn_latent.metrics import mean_reciprocal_rank, recall_at_k

TWO = {"ortho": ProcrustesTranslator(), "linear": LstsqTranslator()}


def rotated(n=150, d_source=6, d_target=8, noise=0.0, seed=0):
    """Target latents that are rotated source latents, elsewhere and with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d_source)) * np.linspace(1, 2, d_source)
    rotation = np.linalg.qr(rng.normal(size=(d_target, d_source)))[0].T
    return X, X @ rotation + 3 + noise * rng.normal(size=(n, d_target))


def mean_of(comparison, name, n_anchors, metric=None):
    table = comparison.results_
    row = (table["translator"] == name) & (table["n_anchors"] == n_anchors)
    return table[f"mean_test_{metric or comparison.metric_}"][row].item()


def split_scores(comparison, metric=None):
    """(n_rows, n_folds, n_draws)."""
    metric = metric or comparison.metric_
    return np.array(
        [
            [
                comparison.results_[f"split{fold}_draw{draw}_test_{metric}"]
                for draw in range(comparison.n_draws_)
            ]
            for fold in range(comparison.n_folds_)
        ]
    ).transpose(2, 0, 1)


class FirstColumn(RegressorMixin, BaseEstimator):
    """A decoder: the first column as it is."""

    def fit(self, y, labels):
        self.n_features_in_ = y.shape[1]
        return self

    def predict(self, y):
        return np.asarray(y)[:, 0]


class NeedsMany(LinearRegression):
    """Refuses fewer than 50 rows."""

    def fit(self, X, y):
        if len(X) < 50:
            raise RuntimeError("too few rows for me")
        return super().fit(X, y)


def silent(translator, X, y):
    return 1.0


# -- What is found ---------------------------------------------------------------------------------


def test_a_rotation_is_found_exactly_and_the_native_score_reached():
    X, y = rotated()
    y_train, y_rest, X_rest = y[:60], y[60:], X[60:]
    labels = (y_rest[:, 0] > 3).astype(int)
    decoder = LogisticRegression().fit(y_train, y_train[:, 0] > 3)
    comparison = compare_translators(
        X_rest,
        y_rest,
        TWO,
        n_anchors=[20, 40],
        decoder=decoder,
        labels=labels,
        scoring=["stitching_score", "decoder_agreement", "latent_cosine_similarity", "r2"],
        random_state=0,
    )
    table = comparison.results_
    assert_allclose(table["mean_test_r2"][2:4], 1, rtol=1e-9)
    assert_allclose(table["mean_test_latent_cosine_similarity"][2:4], 1, rtol=1e-9)
    assert mean_of(comparison, "linear", 20, "decoder_agreement") == 1
    assert mean_of(comparison, "linear", 40) == pytest.approx(comparison.native_score_)
    assert table["retention_stitching_score"][3] == pytest.approx(1)
    assert table["loss_stitching_score"][3] == pytest.approx(0)
    assert mean_of(comparison, "constant", 40) < 0.8
    assert comparison.native_score_ > 0.9


def test_few_anchors_of_a_rotation_ask_for_procrustes_and_a_shear_for_least_squares():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 8))
    turned = X @ np.linalg.qr(rng.normal(size=(8, 8)))[0] + 0.5 * rng.normal(size=X.shape)
    sheared = X @ rng.normal(size=(8, 8))
    best = [
        compare_translators(X, y, TWO, n_anchors=20, scoring="r2", random_state=0).best_name_
        for y in (turned, sheared)
    ]
    assert best == ["ortho", "linear"]


def test_more_anchors_than_enough_are_told():
    X, y = rotated(n=300, noise=0.3)
    counts = [3, 10, 30, 100, 200]
    comparison = compare_translators(
        X, y, [LstsqTranslator()], n_anchors=counts, scoring="r2", cv=3, random_state=0,
    )  # fmt: skip
    table = comparison.results_
    mean, error = table["mean_test_r2"][:5], table["se_test_r2"][:5]
    best = int(np.argmax(mean))
    expected = next(n for n, score in zip(counts, mean) if score >= mean[best] - error[best])
    assert comparison.enough_anchors_ == expected
    assert expected in (10, 30, 100)
    assert f"Enough anchors: {expected} are within" in repr(comparison)


@pytest.mark.parametrize("scoring", [None, "r2", "recall_at_1"])
def test_pairs_without_relation_are_no_better_than_a_constant(scoring):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 5)), rng.normal(size=(120, 4))
    with pytest.warns(UserWarning, match=r"no better than that of a constant") as caught:
        comparison = compare_translators(
            X, y, n_anchors=[10, 30, 1.0], n_draws=2, scoring=scoring, random_state=0
        )
    message = str(caught[0].message)
    assert len(caught) == 1
    names = ["ortho", "rigid", "linear", "l-ortho", "ridge"]
    assert all(repr(name) in message for name in names)
    assert not comparison.results_["better_than_constant"].any()
    assert "No better than a constant: " in repr(comparison)


@pytest.mark.parametrize("scoring", [None, "r2", "recall_at_1"])
def test_a_relation_is_better_than_a_constant(scoring):
    X, y = rotated(noise=0.3)
    comparison = compare_translators(
        X, y, n_anchors=[10, 30, 1.0], n_draws=2, scoring=scoring, random_state=0
    )
    summary = comparison.summary()
    assert summary["better_than_constant"].all()
    assert summary["translator"].size == 5
    assert "No better" not in repr(comparison)


def test_rows_in_another_order_are_no_relation():
    X, y = rotated()
    with pytest.warns(UserWarning, match="the same items, in the same order"):
        compare_translators(X, np.random.default_rng(0).permutation(y), TWO, random_state=0)


# -- What the table holds --------------------------------------------------------------------------


def test_scores_are_those_of_a_loop_over_the_same_folds_and_all_training_rows():
    X, y = rotated(noise=0.5)
    comparison = compare_translators(
        X, y, TWO, n_anchors=1.0, scoring=["r2", "recall_at_1"], cv=KFold(5)
    )
    for row, translator in enumerate(TWO.values()):
        for fold, (train, test) in enumerate(KFold(5).split(X)):
            translated = clone(translator).fit(X[train], y[train]).transform(X[test])
            assert split_scores(comparison)[row, fold, 0] == pytest.approx(
                r2_score(y[test], translated)
            )
            assert split_scores(comparison, "recall_at_1")[row, fold, 0] == pytest.approx(
                recall_at_k(y[test], translated)
            )


def test_default_without_a_decoder_ranks_partners_from_the_mean():
    X, y = rotated(noise=0.5)
    comparison = compare_translators(X, y, TWO, n_anchors=[120], cv=KFold(5))
    assert comparison.metrics_ == [
        "centered_mrr",
        "latent_cosine_similarity",
        "r2_variance_weighted",
    ]
    train, test = next(iter(KFold(5).split(X)))
    translated = ProcrustesTranslator().fit(X[train], y[train]).transform(X[test])
    expected = mean_reciprocal_rank(y[test], translated, center=y[test].mean(axis=0))
    assert comparison.results_["split0_draw0_test_centered_mrr"][0] == pytest.approx(expected)


def relu_latents(n=200):
    """A target of ReLU units, one of which is active in a handful of items, and then hardly."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 8))
    y = np.maximum(X @ rng.normal(size=(8, 12)) + 2, 0)
    y[:, 0] = 0
    y[::40, 0] = 1e-3 * rng.random(n // 40)
    return X, y


def test_the_r2_reported_is_the_share_of_the_variance_explained():
    X, y = relu_latents()
    comparison = compare_translators(X, y, TWO, n_anchors=1.0, cv=KFold(5))
    for row, translator in enumerate(TWO.values()):
        for fold, (train, test) in enumerate(KFold(5).split(X)):
            error = y[test] - clone(translator).fit(X[train], y[train]).transform(X[test])
            explained = 1 - np.sum(error**2) / np.sum((y[test] - y[test].mean(axis=0)) ** 2)
            found = split_scores(comparison, "r2_variance_weighted")[row, fold, 0]
            assert found == pytest.approx(explained)


def test_a_unit_that_is_hardly_active_counts_for_little():
    X, y = relu_latents()
    scoring = ["latent_cosine_similarity", "r2_variance_weighted", "r2"]
    options = {"scoring": scoring, "n_anchors": 1.0, "cv": KFold(5)}
    with_it, without = (
        compare_translators(X, side, ["linear"], **options) for side in (y, y[:, 1:])
    )
    cosine, share, mean = (mean_of(with_it, "linear", 160, metric) for metric in scoring)
    assert cosine > 0.9
    assert share == pytest.approx(mean_of(without, "linear", 160, scoring[1]), abs=1e-6)
    assert mean < share - 0.02  # what one of 12 columns does to scikit-learn's


def test_r2_by_name_is_scikit_learns():
    X, y = relu_latents()
    options = {"scoring": "r2", "n_anchors": 1.0, "cv": KFold(5)}
    comparison = compare_translators(X, y, ["linear"], **options)
    expected = cross_val_score(LstsqTranslator(), X, y, cv=KFold(5), scoring="r2")
    assert_allclose(split_scores(comparison)[0, :, 0], expected)


def test_scores_of_few_anchors_are_those_of_the_rows_drawn():
    """All translators see the same rows in a cell, and fewer are a subset of more."""
    X, y = rotated(noise=0.5)
    X = np.column_stack([X, np.arange(len(X))])
    seen = {}

    class Recording(LinearRegression):
        def __init__(self, key=0):
            super().__init__()
            self.key = key

        def fit(self, X, y):
            seen.setdefault((self.key, len(X)), []).append(set(X[:, -1].astype(int)))
            return super().fit(X, y)

    comparison = compare_translators(
        X, y, [Recording(0), Recording(1)], n_anchors=[10, 30, 120],
        cv=KFold(5), n_draws=2, scoring="r2", random_state=0,
    )  # fmt: skip
    last = seen[0, 120].pop()  # the refit
    assert comparison.best_n_anchors_ == 120 or len(last) < len(X)
    for n, fits in ((10, 10), (30, 10)):
        assert len(seen[0, n]) == fits
        assert seen[0, n] == seen[1, n]
        assert all(len(rows) == n for rows in seen[0, n])
        assert len(set(map(frozenset, seen[0, n]))) == fits
    assert all(few < more for few, more in zip(seen[0, 10], seen[0, 30]))
    for i, (train, _) in enumerate(KFold(5).split(X)):
        for rows in seen[0, 30][2 * i : 2 * i + 2]:
            assert rows < set(train)
    assert len(seen[1, 120]) == 5  # all rows are one draw


def test_draws_are_nested_and_ascending():
    train = np.arange(100, 200)
    few, more = draw_anchors(train, 10, 3), draw_anchors(train, 40, 3)
    assert set(few) < set(more) < set(train)
    assert_array_equal(few, np.sort(few))
    assert set(draw_anchors(train, 10, 4)) != set(few)


def test_means_and_spreads_are_those_of_the_split_scores():
    X, y = rotated(noise=0.5)
    comparison = compare_translators(
        X, y, TWO, n_anchors=[10, 30], cv=4, n_draws=3, scoring=["r2", "recall_at_1"],
        random_state=0,
    )  # fmt: skip
    table = comparison.results_
    for metric in ("r2", "recall_at_1"):
        scores = split_scores(comparison, metric)
        folds = scores.mean(axis=2)
        assert_allclose(table[f"mean_test_{metric}"], scores.mean(axis=(1, 2)))
        assert_allclose(table[f"std_test_{metric}"], scores.reshape(6, 12).std(axis=1))
        assert_allclose(table[f"std_over_folds_{metric}"], folds.std(axis=1, ddof=1))
        pooled = np.sqrt([np.mean([np.var(f, ddof=1) for f in row]) for row in scores])
        assert_allclose(table[f"std_over_draws_{metric}"], pooled)
        # 150 rows in 4 folds: tests of 37.5 rows after training on 112.5
        corrected = np.sqrt((1 / 4 + 1 / 3) * folds.var(axis=1, ddof=1))
        assert_allclose(table[f"se_test_{metric}"], corrected)
    difference = split_scores(comparison).mean(axis=2)
    difference = difference - difference[comparison.best_index_]
    assert_allclose(table["difference_to_best"], difference.mean(axis=1), atol=1e-15)
    corrected = np.sqrt((1 / 4 + 1 / 3) * difference.var(axis=1, ddof=1))
    assert_allclose(table["se_difference_to_best"], corrected, atol=1e-15)
    order = np.argsort(-table["mean_test_r2"])
    assert_array_equal(table["rank_test_score"][order], np.arange(1, 7))
    assert comparison.best_score_ == table["mean_test_r2"][comparison.best_index_]
    assert_array_equal(table["translator"], ["ortho"] * 2 + ["linear"] * 2 + ["constant"] * 2)
    assert_array_equal(table["n_anchors"], [10, 30] * 3)


def test_the_constant_is_the_mean_of_the_target_anchors():
    X, y = rotated(noise=0.5)
    mse = "neg_mean_squared_error"
    comparison = compare_translators(X, y, TWO, n_anchors=1.0, scoring=mse, cv=KFold(3), n_draws=1)
    expected = [-np.mean((y[test] - y[train].mean(axis=0)) ** 2) for train, test in
                KFold(3).split(X)]  # fmt: skip
    assert_allclose(split_scores(comparison)[-1, :, 0], expected)


def test_one_fold_has_scores_and_no_error():
    X, y = rotated(noise=0.5)
    split = ShuffleSplit(1, random_state=0)
    comparison = compare_translators(X, y, TWO, n_anchors=20, n_draws=1, cv=split, random_state=0)
    table = comparison.results_
    assert np.isfinite(table["mean_test_centered_mrr"]).all()
    for column in ("se_test", "std_over_folds", "std_over_draws"):
        assert np.isnan(table[f"{column}_centered_mrr"]).all()
    assert "±" not in repr(comparison).splitlines()[3]
    comparison.plot()


def test_summary_is_the_best_row_of_each_translator():
    X, y = rotated(noise=0.5)
    comparison = compare_translators(X, y, TWO, n_anchors=[10, 30, 100], random_state=0)
    table, summary = comparison.results_, comparison.summary()
    means = table["mean_test_centered_mrr"]
    for row, name in zip(summary["index"], summary["translator"]):
        assert means[row] == means[table["translator"] == name].max()
    assert summary["index"][0] == comparison.best_index_
    assert_array_equal(summary["n_anchors"], table["n_anchors"][summary["index"]])
    summary["n_anchors"][:] = 0
    assert comparison.summary()["n_anchors"].all()


# -- The same whatever the order, the jobs and the form of the input -------------------------------


def scores_by_name(comparison):
    table = comparison.results_
    return {
        (name, n): split_scores(comparison)[i]
        for i, (name, n) in enumerate(zip(table["translator"], table["n_anchors"]))
    }


def assert_same_scores(one, other):
    one, other = scores_by_name(one), scores_by_name(other)
    assert one.keys() == other.keys()
    for key in one:
        assert_allclose(one[key], other[key], rtol=1e-9, atol=1e-12)


def test_the_order_of_translators_changes_nothing():
    X, y = rotated(noise=0.5)
    named = {**TWO, "affine": AffineTranslator(max_iter=50, learning_rate_init=0.05, device="cpu")}
    options = {"n_anchors": [10, 30], "random_state": 0}
    one = compare_translators(X, y, named, **options)
    other = compare_translators(X, y, dict(reversed(named.items())), **options)
    assert_same_scores(one, other)
    assert (one.best_name_, one.best_n_anchors_) == (other.best_name_, other.best_n_anchors_)
    assert_allclose(one.best_translator_.transform(X), other.best_translator_.transform(X))


def test_the_number_of_jobs_changes_nothing():
    X, y = rotated(noise=0.5)
    translators = {
        **TWO,
        "affine": AffineTranslator(max_iter=50, learning_rate_init=0.05, device="cpu"),
    }
    options = {"n_anchors": [10, 30], "random_state": 0, "cv": 3}
    alone = compare_translators(X, y, translators, **options)
    shared = compare_translators(X, y, translators, n_jobs=2, **options)
    assert_same_scores(alone, shared)


def test_random_state_settles_everything_and_the_global_state_is_left_alone():
    X, y = rotated(noise=0.5)
    translators = [AffineTranslator(max_iter=50, learning_rate_init=0.05, device="cpu")]
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    options = {"n_anchors": [10, 30], "cv": 3}
    one, other, third = (
        compare_translators(X, y, translators, random_state=seed, **options) for seed in (0, 0, 1)
    )
    assert_same_scores(one, other)
    assert split_scores(one)[0, 0, 0] != split_scores(third)[0, 0, 0]
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert_allclose(one.best_translator_.coef_, other.best_translator_.coef_)


def test_only_open_random_states_are_seeded():
    pipeline = make_pipeline(PCA(3), AffineTranslator(random_state=7))
    ours = seeded(pipeline, 5)
    assert ours.get_params()["pca__random_state"] == 5
    assert ours.get_params()["affinetranslator__random_state"] == 7
    assert pipeline.get_params()["pca__random_state"] is None


def test_inputs_are_not_changed():
    X, y = rotated(noise=0.5)
    labels = (y[:, 0] > 3).astype(int)
    decoder = LogisticRegression().fit(y, labels)
    weights, translators = decoder.coef_.copy(), [LstsqTranslator(), PLSRegression(6)]
    copies = X.copy(), y.copy(), labels.copy()
    for array in (X, y, labels):
        array.flags.writeable = False
    splitter = KFold(3, shuffle=True, random_state=np.random.RandomState(0))
    expected = [test for _, test in KFold(3, shuffle=True, random_state=0).split(X)]
    options = {"decoder": decoder, "labels": labels, "n_anchors": [20], "cv": splitter}
    options["random_state"] = 0
    compare_translators(X, y, translators, **options)
    for array, copy in zip((X, y, labels), copies):
        assert_array_equal(array, copy)
    assert_array_equal(decoder.coef_, weights)
    assert not hasattr(translators[0], "coef_")
    for (_, test), rows in zip(splitter.split(X), expected):
        assert_array_equal(test, rows)


def test_data_frames_are_as_good_as_arrays():
    X, y = rotated(noise=0.5)
    labels = np.where(y[:, 0] > 3, "high", "low")
    frames = (
        pd.DataFrame(X, columns=[f"x{i}" for i in range(6)], index=np.arange(300, 150, -1)),
        pd.DataFrame(y, columns=[f"y{i}" for i in range(8)]),
    )
    options = {"n_anchors": [20], "random_state": 0, "cv": 3}
    options["translators"] = {**TWO, "scaled": make_pipeline(StandardScaler(), LstsqTranslator())}
    plain = compare_translators(
        X, y, decoder=LogisticRegression().fit(y, labels), labels=labels, **options
    )
    framed = compare_translators(
        *frames,
        decoder=LogisticRegression().fit(frames[1], labels),
        labels=pd.Series(labels, index=np.arange(150)[::-1]),
        **options,
    )
    assert_same_scores(plain, framed)
    assert "feature names" not in str(framed.warnings_)
    assert_array_equal(framed.best_translator_.feature_names_in_, frames[0].columns)
    listed = compare_translators(
        X.tolist(), y.tolist(), decoder=plain and LogisticRegression().fit(y, labels),
        labels=labels.tolist(), **options,
    )  # fmt: skip
    assert_same_scores(plain, listed)


@pytest.mark.parametrize("dispatch", [False, True])
def test_torch_tensors_are_as_good_as_arrays(dispatch):
    torch = pytest.importorskip("torch")
    X, y = rotated(noise=0.5)
    options = {"n_anchors": [20, 60], "random_state": 0, "cv": 3}
    options["scoring"] = ["latent_cosine_similarity", "recall_at_1"]
    plain = compare_translators(X, y, TWO, **options)
    with sklearn.config_context(array_api_dispatch=dispatch):
        tensors = compare_translators(torch.asarray(X), torch.asarray(y), TWO, **options)
    assert_same_scores(plain, tensors)
    assert isinstance(tensors.best_translator_.coef_, torch.Tensor) == dispatch


def test_a_target_of_one_column():
    X, y = rotated(noise=0.5)
    translators = [LstsqTranslator(), Ridge(), PLSRegression(2), LinearRegression()]
    options = {"n_anchors": [30], "random_state": 0}
    flat = compare_translators(X, y[:, 0], translators, **options)
    column = compare_translators(X, y[:, :1], translators, **options)
    assert flat.metrics_ == ["r2"]
    assert_same_scores(flat, column)
    assert mean_of(flat, "linear", 30) > 0.5
    decoder = FirstColumn().fit(y[:, :1], None)
    agreed = compare_translators(X, y[:, :1], translators, decoder=decoder, **options)
    assert agreed.failures_ == {}
    assert_allclose(agreed.results_["mean_test_decoder_agreement"], column.results_["mean_test_r2"])


# -- Which estimators ------------------------------------------------------------------------------


def test_any_multi_output_regressor_and_pipeline_may_be_compared():
    X, y = rotated(noise=0.1)
    decoder = FirstColumn().fit(y, None)
    translators = [
        make_pipeline(StandardScaler(), LstsqTranslator()),
        LinearRegression(),
        PLSRegression(6),
        make_pipeline(PCA(6), LinearRegression()),
        make_pipeline(PCA(6), LinearRegression()),
    ]
    comparison = compare_translators(
        X, y, translators, n_anchors=[60], decoder=decoder, random_state=0
    )
    names = ["standardscaler+linear", "linearregression", "plsregression",
             "pca+linearregression-1", "pca+linearregression-2"]  # fmt: skip
    assert_array_equal(comparison.results_["translator"], [*names, "constant"])
    # All are least squares, after invertible maps of the source. PLS has a `transform` that is
    # none of the target's.
    scores = comparison.results_["mean_test_decoder_agreement"][:5]
    assert_allclose(scores, scores[0], rtol=1e-6)
    assert scores[0] > 0.9


def test_defaults_are_the_maps_in_closed_form():
    X, y = rotated(n=60, noise=0.1)
    comparison = compare_translators(X, y, n_anchors=[30], cv=2, n_draws=1, random_state=0)
    names = ["ortho", "rigid", "linear", "l-ortho", "ridge", "constant"]
    assert_array_equal(comparison.results_["translator"], names)


def test_names_of_a_list_are_numbered_where_they_recur():
    X, y = rotated(n=60, noise=0.1)
    translators = [ProcrustesTranslator(), LOrthoTranslator(), ProcrustesTranslator(scale=True)]
    comparison = compare_translators(X, y, translators, n_anchors=[30], cv=2, random_state=0)
    names = ["ortho-1", "l-ortho", "ortho-2", "constant"]
    assert_array_equal(comparison.results_["translator"], names)


def test_names_stand_for_translators_at_their_defaults():
    X, y = rotated(noise=0.5)
    options = {"n_anchors": [20, 60], "cv": 3, "n_draws": 1, "random_state": 0}
    estimators = {
        "ortho": ProcrustesTranslator(),
        "rigid": RigidTranslator(),
        "linear": LstsqTranslator(),
        "l-ortho": LOrthoTranslator(),
        "affine": AffineTranslator(),
        "ridge": RidgeTranslator(),
        "inverse-relative": InverseRelativeTranslator(),
        "absolute": AbsoluteTranslator(),
    }
    with warnings.catch_warnings():  # some are no better than a constant
        warnings.simplefilter("ignore", UserWarning)
        by_name = compare_translators(X, y, list(estimators), **options)
        by_estimator = compare_translators(X, y, list(estimators.values()), **options)
        by_dict = compare_translators(X, y, {name: name for name in estimators}, **options)
        named = compare_translators(X, y, estimators, **options)
    assert len({scores.tobytes() for scores in scores_by_name(by_name).values()}) > 12
    assert_same_scores(by_name, by_estimator)
    assert_same_scores(by_name, by_dict)
    assert_same_scores(by_name, named)
    mixed = compare_translators(X, y, ["ridge", LstsqTranslator(), "ridge"], **options)
    names = ["ridge-1", "linear", "ridge-2", "constant"]
    assert list(dict.fromkeys(mixed.results_["translator"])) == names


def test_every_translator_has_one_name():
    from sklearn_latent.inspection._names import TRANSLATORS, names_of

    public = {
        item
        for item in vars(sklearn_latent).values()
        if isinstance(item, type) and issubclass(item, BaseTranslator)
    }
    assert set(TRANSLATORS.values()) == public - {TransformedTargetTranslator}
    assert names_of([kind() for kind in TRANSLATORS.values()]) == list(TRANSLATORS)


def test_names_are_those_of_the_demo_and_of_the_documentation():
    from sklearn_latent.inspection._names import TRANSLATORS

    root = Path(__file__).parents[1]
    demo = runpy.run_path(str(root / "examples" / "stitch.py"))
    assert {label: TRANSLATORS[label].__name__ for label, *_ in demo["METHODS"]} == {
        label: name for label, name, _ in demo["METHODS"]
    }
    page = (root / "docs" / "user_guide" / "comparing.rst").read_text("utf-8")
    for name in TRANSLATORS:
        assert f"*{name}*" in page
        assert f'``"{name}"``' in " ".join(compare_translators.__doc__.split())


@pytest.mark.parametrize(
    ("n_train", "expected"),
    [(4, [4]), (16, [10, 16]), (44, [10, 44]), (45, [10, 30, 45]), (4000, [10, 30, 100, 300, 1000,
                                                                          4000])],
)  # fmt: skip
def test_default_numbers_of_anchors(n_train, expected):
    assert check_counts(None, n_train).tolist() == expected


def test_numbers_of_anchors_are_counts_or_shares():
    assert check_counts([100, 0.5, 1.0, 20, 100], 200).tolist() == [20, 100, 200]
    assert check_counts(7, 200).tolist() == [7]
    assert check_counts(np.array([5, 3]), 200).tolist() == [3, 5]


# -- The best one, refitted ------------------------------------------------------------------------


def test_the_best_is_refitted_on_all_rows_where_all_training_rows_were_best():
    X, y = rotated(noise=0.5)
    comparison = compare_translators(X, y, TWO, n_anchors=[5, 1.0], scoring="r2", random_state=0)
    assert comparison.best_n_anchors_ == 120
    expected = clone(TWO[comparison.best_name_]).fit(X, y)
    assert comparison.best_translator_.n_anchors_ == 150
    assert_allclose(comparison.best_translator_.coef_, expected.coef_, atol=1e-12)


def test_the_best_is_refitted_on_fewer_rows_where_fewer_were_best():
    X, y = rotated(noise=0.5)
    comparison = compare_translators(X, y, TWO, n_anchors=[5, 60], scoring="r2", random_state=0)
    assert comparison.best_n_anchors_ == 60
    assert comparison.best_translator_.n_anchors_ == 60


def test_the_best_is_refitted_on_all_rows_unless_fewer_were_better_beyond_chance():
    X, y = rotated(noise=0.5)
    comparison = compare_translators(
        X, y, ["ortho"], n_anchors=[60, 90, 1.0], scoring="r2", random_state=0
    )
    table = comparison.results_
    worse = -table["difference_to_best"][:3] > table["se_difference_to_best"][:3]
    assert not worse[2]
    assert comparison.best_translator_.n_anchors_ == 150
    # a peak of interpolation where all training rows are about as many as there are dimensions
    rng = np.random.default_rng(1)
    X = rng.normal(size=(150, 118))
    y = X[:, :4] + 3 + 0.1 * rng.normal(size=(150, 4))
    comparison = compare_translators(
        X, y, ["linear"], n_anchors=[60, 1.0], scoring="r2", cv=KFold(5), random_state=0
    )
    assert comparison.best_n_anchors_ == comparison.best_translator_.n_anchors_ == 60


def test_between_equals_the_other_metrics_decide_then_the_fewest_anchors_then_the_first():
    X, y = rotated(noise=0.5)
    scoring = {"same": silent, "r2": "r2"}
    with pytest.warns(UserWarning, match="no better than that of a constant"):
        comparison = compare_translators(
            X, y, TWO, n_anchors=[100, 20], scoring=scoring, random_state=0
        )
    by_r2 = max(itertools.product(TWO, [20, 100]), key=lambda c: mean_of(comparison, *c, "r2"))
    assert (comparison.best_name_, comparison.best_n_anchors_) == by_r2
    assert comparison.n_tied_ == 4
    assert "Ties: 4 candidates have this same, so r2 decided." in repr(comparison)
    with pytest.warns(UserWarning, match="no better than that of a constant"):
        comparison = compare_translators(X, y, TWO, n_anchors=[30, 20], scoring=silent)
    assert (comparison.best_name_, comparison.best_n_anchors_) == ("ortho", 20)
    assert comparison.best_translator_.n_anchors_ == 30
    assert comparison.results_["rank_test_score"].tolist() == [1] * 6


# -- Decoder, labels, scoring ----------------------------------------------------------------------


def classified(n=200, noise=0.5):
    """Source, target and three classes, for a decoder and for the comparison."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=n)
    X = 2 * rng.normal(size=(3, 6))[labels] + rng.normal(size=(n, 6))
    y = X @ np.linalg.qr(rng.normal(size=(6, 6)))[0] + 1 + noise * rng.normal(size=(n, 6))
    _, X, y_decoder, y, labels_decoder, labels = train_test_split(X, y, labels, random_state=0,
                                                                  test_size=0.5)  # fmt: skip
    return X, y, LogisticRegression().fit(y_decoder, labels_decoder), labels


def test_with_labels_the_decoders_accuracy_decides():
    X, y, decoder, labels = classified()
    folds = StratifiedKFold(4)
    comparison = compare_translators(
        X, y, TWO, n_anchors=1.0, decoder=decoder, labels=labels, cv=folds
    )
    assert comparison.metrics_[:2] == ["stitching_score", "decoder_agreement"]
    native, stitched = [], []
    for fold, (train, test) in enumerate(folds.split(X, labels)):
        translator = ProcrustesTranslator().fit(X[train], y[train])
        stitched.append(decoder.score(translator.transform(X[test]), labels[test]))
        native.append(decoder.score(y[test], labels[test]))
        assert split_scores(comparison)[0, fold, 0] == pytest.approx(stitched[-1])
    assert_allclose(comparison.native_scores_["stitching_score"], native)
    assert comparison.native_score_ == pytest.approx(np.mean(native))
    table = comparison.results_
    retained, lost = np.mean(stitched) / np.mean(native), np.subtract(native, stitched)
    assert table["retention_stitching_score"][0] == pytest.approx(retained)
    assert table["loss_stitching_score"][0] == pytest.approx(lost.mean())
    error = np.sqrt((1 / 4 + 1 / 3) * lost.var(ddof=1))
    assert table["se_loss_stitching_score"][0] == pytest.approx(error)


def test_folds_are_stratified_by_classes():
    X, y, decoder, labels = classified()
    labels = np.sort(labels)
    seen = []

    def keep(estimator, X_test, y_test):
        seen.append(frozenset(np.flatnonzero((y[:, None] == y_test).all(axis=2).any(axis=1))))
        return float(np.mean(estimator.predict(X_test)))

    compare_translators(
        X, y, [LstsqTranslator()], n_anchors=1.0, decoder=decoder, labels=labels,
        scoring={"agree": "decoder_agreement", "rows": keep}, cv=5, n_draws=1, random_state=0,
    )  # fmt: skip
    tests = [sorted(rows) for rows in dict.fromkeys(seen)]
    assert len(tests) == 5
    for rows in tests:
        counts = np.bincount(labels[rows], minlength=3)
        assert np.abs(counts - np.bincount(labels) / 5).max() < 1


def test_folds_of_an_integer_are_shuffled():
    """Rows that are sorted, by class or time, are in every fold all the same."""
    X, y = rotated(n=60)
    seen = []

    def keep(estimator, X_test, y_test):
        seen.append(sorted(np.flatnonzero(np.isin(X[:, 0], X_test[:, 0]))))
        return float(np.std(estimator.predict(X_test)))

    options = {"n_anchors": 1.0, "scoring": keep, "cv": 3, "n_draws": 1}
    compare_translators(X, y, [LstsqTranslator()], random_state=0, **options)
    folds = [rows for i, rows in enumerate(seen) if rows not in seen[:i]]
    assert sorted(np.concatenate(folds)) == list(range(60))
    assert [len(rows) for rows in folds] == [20, 20, 20]
    assert all(rows != list(range(rows[0], rows[0] + 20)) for rows in folds)


def test_without_labels_agreement_decides():
    X, y, decoder, _ = classified()
    comparison = compare_translators(X, y, TWO, n_anchors=1.0, decoder=decoder, cv=KFold(4))
    assert comparison.metrics_ == [
        "decoder_agreement",
        "latent_cosine_similarity",
        "r2_variance_weighted",
    ]
    train, test = next(iter(KFold(4).split(X)))
    fitted = ProcrustesTranslator().fit(X[train], y[train])
    expected = decoder_agreement(decoder)(fitted, X[test], y[test])
    assert split_scores(comparison)[0, 0, 0] == expected
    assert comparison.native_score_ is None
    assert "native" not in repr(comparison)


def test_a_regressors_own_score_is_r2():
    X, y = rotated(noise=0.5)
    labels = y @ np.arange(8.0) + np.random.default_rng(0).normal(size=150)
    decoder = Ridge().fit(y[:50], labels[:50])
    comparison = compare_translators(
        X[50:], y[50:], TWO, n_anchors=1.0, decoder=decoder, labels=labels[50:], cv=KFold(2)
    )
    expected = [
        decoder.score(y[50:][test], labels[50:][test]) for _, test in KFold(2).split(X[50:])
    ]
    assert_allclose(comparison.native_scores_["stitching_score"], expected)


def test_scorers_of_all_kinds():
    X, y, decoder, labels = classified()
    scoring = {
        "f1": stitching_score(decoder, "f1_macro"),
        "near": make_scorer(recall_at_k, k=3),
        "agree": "decoder_agreement",
        "mrr": "mean_reciprocal_rank",
    }
    options = {"n_anchors": [50], "decoder": decoder, "labels": labels, "random_state": 0}
    comparison = compare_translators(X, y, TWO, scoring=scoring, **options)
    assert comparison.metrics_ == ["f1", "near", "agree", "mrr"]
    assert comparison.native_scores_["near"].tolist() == [1] * 5
    # Labels without the decoder, for a scorer that has one of its own.
    del options["decoder"]
    options["cv"] = KFold(5)
    other = compare_translators(X, y, TWO, scoring=scoring["f1"], **options)
    assert other.metrics_ == ["score"]
    assert 0.3 < other.best_score_ < other.native_score_ + 0.1


# -- What fails, warns, and is told on the way -----------------------------------------------------


def test_what_fails_costs_no_other_translator():
    X, y = rotated(noise=0.5)
    options = {"n_anchors": [10, 80], "random_state": 0, "cv": 3}
    with pytest.warns(FitFailedWarning, match="'many': 9 of 18 fits failed.*too few rows for me"):
        comparison = compare_translators(X, y, {**TWO, "many": NeedsMany()}, **options)
    table = comparison.results_
    assert np.isnan(table["mean_test_centered_mrr"]).tolist() == [False] * 4 + [True] + [False] * 3
    assert comparison.failures_ == {"many": {"RuntimeError: too few rows for me": 9}}
    assert table["rank_test_score"][4] == 8
    assert "Failed: many in 9 fits: RuntimeError: too few rows for me" in repr(comparison)
    assert (
        scores_by_name(compare_translators(X, y, TWO, **options)).keys()
        < scores_by_name(comparison).keys()
    )


def test_nothing_but_failures_is_an_error():
    X, y = rotated(noise=0.5)
    with pytest.raises(ValueError, match=r"Every fit of every translator failed(.|\n)*too few"):
        compare_translators(X, y, [NeedsMany()], n_anchors=[10, 20])


def test_failures_in_every_number_of_anchors_are_an_error():
    X, y = rotated(noise=0.5)

    class OnlyEven(LinearRegression):
        def fit(self, X, y):
            if X[0, 0] == first:
                raise RuntimeError("not with this row")
            return super().fit(X, y)

    first = X[0, 0]
    with (
        pytest.warns(FitFailedWarning, match="not with this row"),
        pytest.raises(ValueError, match="No translator could be fitted and scored in every fold"),
    ):
        compare_translators(X, y, [OnlyEven()], n_anchors=1.0, cv=KFold(3))


def test_warnings_of_fits_are_kept_and_not_repeated():
    X, y = rotated(noise=0.5)

    class Talkative(LinearRegression):
        def fit(self, X, y):
            if len(X) < 80:
                warnings.warn(f"mind the {len(X)}", RuntimeWarning, stacklevel=2)
            return super().fit(X, y)

    comparison = compare_translators(
        X, y, {"w": Talkative(), **TWO}, n_anchors=[10, 20, 80], cv=3, random_state=0
    )
    told = {"RuntimeWarning: mind the 10": 9, "RuntimeWarning: mind the 20": 9}
    assert comparison.warnings_["w"] == told
    report = repr(comparison)
    assert "Warned: w in 18 fits, such as: RuntimeWarning: mind the 10" in report


def test_progress_is_told(capsys):
    X, y = rotated(n=60, noise=0.5)
    calls = []
    compare_translators(
        X, y, TWO, n_anchors=[10, 20], cv=2, n_draws=2, random_state=0,
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    assert capsys.readouterr().out == ""
    assert calls == [(i, 24) for i in range(1, 25)]
    comparison = compare_translators(
        X, y, TWO, n_anchors=[10, 20], cv=2, n_draws=2, random_state=0, verbose=1
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    score = comparison.results_["mean_test_centered_mrr"][0]
    pattern = rf"\[ 4/24\] ortho, 10 anchors: centered_mrr {score:.3f}; [\d.]+ s elapsed, about "
    assert re.match(pattern, lines[0])
    assert lines[-1].startswith("[24/24] constant, 20 anchors")
    assert lines[-1].endswith("about 0.0 s left")


# -- What is returned ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def comparison():
    X, y, decoder, labels = classified()
    return compare_translators(
        X, y, {**TWO, "<b>&": RigidTranslator()}, n_anchors=[10, 30, 80], decoder=decoder,
        labels=labels, random_state=0,
    )  # fmt: skip


def test_report_has_the_figures(comparison):
    report = repr(comparison)
    assert report.startswith("3 translators compared on 100 pairs, 6 -> 6 dimensions; 5 folds x 3")
    best = f"Best: {comparison.best_name_} with {comparison.best_n_anchors_} anchors"
    assert best in report
    assert f"of {comparison.native_score_:.3f} native." in report
    for (name, n), score in scores_by_name(comparison).items():
        line = next(
            line
            for line in report.split("\n\n")[2].splitlines()
            if line.startswith((name, f"({name})"))
        )
        assert f"{score.mean():.3f}" == line.split()[1 + [10, 30, 80].index(n)]
    assert max(map(len, report.splitlines())) <= 120
    share = comparison.summary()["retention_stitching_score"][0]
    assert f"{100 * share:.1f}%" in report.splitlines()[3]


def test_html_is_the_same_and_escaped(comparison):
    page = comparison._repr_html_()
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
    assert page.count("<table") == page.count("</table>") == 3
    for number in set(re.findall(r"\d\.\d{3}", repr(comparison))):
        assert number in page


def test_small_scores_keep_their_digits():
    X, y = rotated(noise=0.5)
    comparison = compare_translators(
        X, y * 1e-3, TWO, n_anchors=[30], scoring="neg_latent_mse", random_state=0
    )
    shown = float(repr(comparison).splitlines()[3].split()[2])
    assert shown == pytest.approx(comparison.best_score_, rel=0.1)


def test_result_pickles_and_becomes_a_frame(comparison):
    again = pickle.loads(pickle.dumps(comparison))
    assert repr(again) == repr(comparison)
    frame = comparison.to_frame()
    assert frame.shape == (12, len(comparison.results_))
    assert frame["translator"].tolist() == comparison.results_["translator"].tolist()
    assert all(len(column) == 12 for column in comparison.results_.values())
    assert isinstance(again, TranslatorComparison)


def test_plot_draws_the_scores(comparison):
    display = comparison.plot("r2_variance_weighted")
    assert isinstance(display, AnchorCurveDisplay)
    for i, line in enumerate(display.lines_):
        expected = comparison.results_["mean_test_r2_variance_weighted"][3 * i : 3 * i + 3]
        assert_array_equal(line.get_ydata(), expected)


# -- What is refused -------------------------------------------------------------------------------


def no_verdict(translator, X, y):
    raise RuntimeError("no verdict!")


X, Y = rotated(n=40)
LABELS = (Y[:, 0] > 3).astype(int)
DECODER = LogisticRegression().fit(Y, LABELS)
HOLED = np.where(np.arange(40)[:, None] == 3, np.nan, X)


@pytest.mark.parametrize(
    ("X", "y", "options", "error", "match"),
    [
        (X[:-1], Y, {}, ValueError, "X has 39 rows and y has 40: row i of both must be the same"),
        (HOLED, Y, {}, ValueError, "Input X contains NaN"),
        (X, HOLED, {}, ValueError, "Input y contains NaN"),
        (X[:, 0], Y, {}, ValueError, "Expected 2D array, got 1D array"),
        (X, Y, {"labels": LABELS}, ValueError, "labels are given, but nothing reads them"),
        (X, Y, {"labels": LABELS[1:], "decoder": DECODER}, ValueError, r"labels has shape \(39,\)"),
        (X, X, {"decoder": DECODER}, ValueError, "fitted to 8 columns, but y has 6"),
        (X, Y, {"decoder": LogisticRegression()}, NotFittedError, "not fitted yet"),
        (X, Y, {"decoder": StandardScaler().fit(Y)}, TypeError, "decoder must be a fitted"),
        (X, Y, {"scoring": "accurcy"}, ValueError, "scoring='accurcy' is unknown: use 'r2_var"),
        (X, Y, {"scoring": "accuracy"}, ValueError, "'accuracy' cannot judge translated latents"),
        (X, Y, {"scoring": "recall"}, ValueError, r"[^.]\. A scorer is.*mean 'recall_at_1'"),
        (X, Y, {"scoring": "recal_at_1"}, ValueError, "is unknown: .*you mean 'recall_at_1' or"),
        (X, Y, {"scoring": "stiching_score"}, ValueError, r"Did you mean 'stitching_score'\?$"),
        (X, Y, {"scoring": {"a": "recall"}}, ValueError, r"stitching_score\(decoder, metric\)"),
        (X, Y, {"scoring": no_verdict}, ValueError, r"latents: no verdict! A scorer is called as"),
        (X, Y, {"scoring": "stitching_score"}, ValueError, "needs decoder= and labels="),
        (X, Y, {"scoring": "decoder_agreement"}, ValueError, "needs decoder="),
        (X, Y, {"scoring": stitching_score(DECODER)}, ValueError, "'score' needs the true labels"),
        (X, Y, {"scoring": 3}, TypeError, "scoring must be the name of a scorer"),
        (X, Y, {"scoring": {"a": 3}}, TypeError, "A scorer is a name or a callable"),
        (X, Y, {"scoring": []}, ValueError, "scoring is empty"),
        (X, Y, {"scoring": lambda e, X, y: X}, ValueError, "which is not a number"),
        (X, Y, {"n_anchors": 33}, ValueError, "n_anchors=33 is not between 1 and 32, the training"),
        (X, Y, {"n_anchors": 0}, ValueError, "n_anchors=0 is not between 1 and 32"),
        (X, Y, {"n_anchors": 1.5}, ValueError, r"n_anchors=1.5 is no share.*float in \(0, 1\]"),
        (X, Y, {"n_anchors": []}, ValueError, "n_anchors must be a number or a list of numbers"),
        (X, Y, {"n_anchors": ["all"]}, TypeError, "n_anchors must hold integers.*got 'all'"),
        (X, Y, {"n_anchors": True}, TypeError, "n_anchors must hold integers"),
        (X, Y, {"n_draws": 0}, ValueError, "n_draws=0 must be finite and at least 1"),
        (X, Y, {"n_draws": 1.5}, TypeError, "n_draws must be an integer"),
        (X, Y, {"cv": 1}, ValueError, "n_splits=1"),
        (X, Y, {"cv": []}, ValueError, "cv gives no folds"),
        (X, Y, {"cv": [(np.arange(40), [])]}, ValueError, "no training or no test rows"),
        (X, Y, {"translators": []}, ValueError, "translators is empty"),
        (X, Y, {"translators": LstsqTranslator()}, TypeError, r"For a single one: \[translator\]"),
        (X, Y, {"translators": [LstsqTranslator]}, TypeError, "must be an instance of an estimat"),
        (X, Y, {"translators": [StandardScaler()]}, TypeError, "with fit and predict"),
        (X, Y, {"translators": ["ridge", 3]}, TypeError, r"^translators\[1\] must be.*got 3\.$"),
        (X, Y, {"translators": {"a": None}}, TypeError, r"^translators\['a'\] must.*got None\.$"),
        (X, Y, {"translators": "ortho"}, TypeError, "must be a list of.*got str. For a single one"),
        (X, Y, {"translators": ["orto"]}, ValueError, "'orto': use .*'l-ortho'.*mean 'ortho'"),
        (X, Y, {"translators": {"a": "lstsq"}}, ValueError, "called 'lstsq': use one of 'ortho', "),
        (X, Y, {"translators": {"constant": LstsqTranslator()}}, ValueError, "cannot name a trans"),
        (X, Y, {"translators": {1: LstsqTranslator()}}, ValueError, "1 cannot name a translator"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(X, y, options, error, match):
    with pytest.raises(error, match=match):
        compare_translators(X, y, **options)


def test_frame_without_pandas_says_what_to_install(comparison, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match="to_frame needs pandas: pip install pandas"):
        comparison.to_frame()


def test_the_baseline_is_a_regressor():
    from sklearn_latent.inspection._candidates import ConstantTranslator, Identity

    for estimator in (ConstantTranslator(), Identity()):
        assert get_tags(estimator).estimator_type == "regressor"


def test_threads_leave_warnings_as_they_were():
    X, y = rotated(60, noise=0.3)
    alone = compare_translators(X, y, n_anchors=[10, 30], random_state=0)
    for _ in range(3):
        with joblib.parallel_config(backend="threading", n_jobs=4):
            threaded = compare_translators(X, y, n_anchors=[10, 30], random_state=0)
        assert threaded.best_score_ == alone.best_score_
    heard = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *args, **kwargs: heard.append(str(message))
        warnings.warn("still heard", UserWarning, stacklevel=1)
    assert heard == ["still heard"]
    with pytest.raises(UserWarning, match="an error, as before"):
        warnings.warn("an error, as before", UserWarning, stacklevel=1)


def test_missing_labels_are_named():
    X, y = rotated(60)
    decoder = LogisticRegression().fit(y, y[:, 0] > np.median(y[:, 0]))
    for labels in (np.where(np.arange(60) == 3, np.nan, 1.0), [None] + ["a"] * 59):
        with pytest.raises(ValueError, match="labels has missing values: leave these items out"):
            compare_translators(X, y, TWO, decoder=decoder, labels=labels)


def test_folds_of_groups_are_asked_for_as_folds():
    X, y = rotated(60)
    groups = np.arange(60) % 6
    with pytest.raises(ValueError, match=r"cv=list\(GroupKFold\(\.\.\.\)\.split\(X, groups=groups"):
        compare_translators(X, y, TWO, cv=GroupKFold(3))
    folds = list(GroupKFold(3).split(X, groups=groups))
    assert compare_translators(X, y, TWO, cv=folds).best_score_ > 0.99


def test_one_that_diverges_does_not_make_all_others_alike():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 8))
    y = X @ rng.normal(size=(8, 5)) + 0.3 * rng.normal(size=(200, 5))
    X[:, 3] *= 1e3
    translators = {"ortho": ProcrustesTranslator(), "linear": LstsqTranslator()}
    kwargs = {"n_anchors": [20, 160], "scoring": "r2", "random_state": 0}
    alone = compare_translators(X, y, translators, **kwargs)
    diverging = Wild(rng.normal(size=(8, 5)) * 1e15)
    with pytest.warns(UserWarning, match="'wild': r2 is no better than that of a constant"):
        beside = compare_translators(X, y, {**translators, "wild": diverging}, **kwargs)
    assert (beside.best_name_, beside.best_n_anchors_) == ("linear", 160)
    assert beside.best_score_ == alone.best_score_
    ranks = beside.results_["rank_test_score"]
    assert np.unique(ranks).size == ranks.size - 1  # the wild one is the same for any anchors


class Wild(RegressorMixin, BaseEstimator):
    def __init__(self, coef=None):
        self.coef = coef

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return X @ self.coef


def test_folds_may_be_masks():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = X @ rng.normal(size=(4, 3)) + 0.1 * rng.normal(size=(60, 3))
    train = np.arange(60) % 3 > 0
    kwargs = {"n_anchors": 1.0, "random_state": 0}
    masks = compare_translators(X, y, ["linear"], cv=[(train, ~train)], **kwargs)
    numbers = [(np.flatnonzero(train), np.flatnonzero(~train))]
    assert (
        masks.best_score_ == compare_translators(X, y, ["linear"], cv=numbers, **kwargs).best_score_
    )


@pytest.mark.parametrize(
    ("cv", "problem"),
    [
        ([(np.arange(30), np.arange(30, 61))], "from 0 to 59, or masks of 60 values"),
        ([(np.arange(30), np.arange(-5, 0))], "from 0 to 59, or masks of 60 values"),
        ([(np.ones(30, bool), np.ones(30, bool))], "from 0 to 59, or masks of 60 values"),
        ([(np.zeros(60, bool), np.ones(60, bool))], "no training or no test rows"),
        (StratifiedKFold(3), "needs labels: pass labels="),
    ],
    ids=["beyond", "negative", "short mask", "empty mask", "stratified"],
)
def test_folds_that_are_none_of_these_pairs(cv, problem):
    X = np.random.default_rng(0).normal(size=(60, 4))
    with pytest.raises(ValueError, match=problem):
        compare_translators(X, X, ["linear"], cv=cv)


def test_rows_labelled_alike_in_another_order_are_refused_at_once():
    X, y = (pd.DataFrame(side) for side in rotated(40))
    with pytest.raises(ValueError, match="same row labels in another order"):
        compare_translators(X, y.sample(frac=1, random_state=0), ["ortho"], n_anchors=[10], cv=3)


def test_progress_is_a_function():
    with pytest.raises(TypeError, match=r"progress must be a function .* use verbose=1"):
        compare_translators(*rotated(40), ["ortho"], progress=True)


def test_a_store_makes_partners_harder_to_find():
    X, y = rotated(noise=0.5)
    store = np.random.default_rng(1).normal(size=(2000, 8)) * y.std(axis=0) + y.mean(axis=0)
    scoring = {
        "among_30": make_scorer(recall_at_k, k=1),
        "in_store": make_scorer(recall_at_k, k=1, distractors=store),
    }
    comparison = compare_translators(
        X, y, ["ortho"], n_anchors=[100], scoring=scoring, random_state=0
    )
    table = comparison.results_
    assert comparison.n_test_ == 30
    assert "each scored on 30 new pairs." in repr(comparison)
    assert table["mean_test_in_store"][0] < table["mean_test_among_30"][0] - 0.1
