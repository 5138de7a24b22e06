"""Metrics against scikit-learn, full sorts and dense formulas; their laws; the scorers."""

import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import sklearn.metrics
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression
from sklearn.metrics import get_scorer as sklearn_get_scorer
from sklearn.metrics import make_scorer, mean_squared_error
from sklearn.metrics.pairwise import (
    cosine_similarity,
    euclidean_distances,
    paired_cosine_distances,
)
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_latent import LstsqTranslator, ProcrustesTranslator
from sklearn_latent.metrics import (
    SCORERS,
    _inputs,
    get_scorer,
    latent_cosine_similarity,
    latent_mse,
    mean_reciprocal_rank,
    recall_at_k,
    reconstruction_mse,
    register_scorers,
)

PAIRED = [latent_cosine_similarity, latent_mse, reconstruction_mse]
RETRIEVAL = [recall_at_k, mean_reciprocal_rank]
SIMILARITIES = ["cosine", "euclidean", "csls"]

every_metric = pytest.mark.parametrize("metric", PAIRED + RETRIEVAL)
every_paired = pytest.mark.parametrize("metric", PAIRED)
every_retrieval = pytest.mark.parametrize("metric", RETRIEVAL)
every_similarity = pytest.mark.parametrize("similarity", SIMILARITIES)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def make_latents(n=60, d=5, noise=1.0, dtype="float64", seed=0):
    """Target latents off the origin, and noisy translations of them."""
    rng = np.random.default_rng(seed)
    y_true = rng.normal(size=(n, d)) + 0.5
    return y_true.astype(dtype), (y_true + noise * rng.normal(size=(n, d))).astype(dtype)


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def row_factors(n, decades=2, seed=0):
    return 10 ** np.random.default_rng(seed).uniform(-decades, decades, size=(n, 1))


def dense_scores(y_true, y_pred, similarity, n_neighbors=10):
    """Similarity of every translation (row) to every target (column), in float64."""
    y_true, y_pred = y_true.astype("float64"), y_pred.astype("float64")
    if similarity == "euclidean":
        return -euclidean_distances(y_pred, y_true)
    cosines = cosine_similarity(y_pred, y_true)
    if similarity == "cosine":
        return cosines
    r_target = np.sort(cosines, axis=1)[:, -n_neighbors:].mean(axis=1)
    r_source = np.sort(cosines, axis=0)[-n_neighbors:].mean(axis=0)
    return 2 * cosines - r_target[:, None] - r_source[None, :]


def true_ranks(scores):
    """Rank of each row's own column by a full sort."""
    order = np.argsort(-scores, axis=1)
    return 1 + np.argmax(order == np.arange(len(scores))[:, None], axis=1)


class TestPaired:
    def test_they_are_scikit_learns(self):
        y_true, y_pred = make_latents()
        expected = 1 - paired_cosine_distances(y_true, y_pred).mean()
        assert latent_cosine_similarity(y_true, y_pred) == pytest.approx(expected)
        assert latent_mse(y_true, y_pred) == pytest.approx(mean_squared_error(y_true, y_pred))

    def test_weights_are_scikit_learns(self):
        y_true, y_pred = make_latents()
        weight = np.random.default_rng(1).uniform(size=60)
        cosines = 1 - paired_cosine_distances(y_true, y_pred)
        cosine = latent_cosine_similarity(y_true, y_pred, sample_weight=weight)
        assert cosine == pytest.approx(np.average(cosines, weights=weight))
        expected = mean_squared_error(y_true, y_pred, sample_weight=weight)
        assert latent_mse(y_true, y_pred, sample_weight=weight) == pytest.approx(expected)
        assert reconstruction_mse(y_true, y_pred, sample_weight=weight) == pytest.approx(expected)

    @every_paired
    def test_weights_are_repetitions(self, metric):
        y_true, y_pred = make_latents()
        counts = np.tile([0, 1, 3], 20)
        expected = metric(np.repeat(y_true, counts, axis=0), np.repeat(y_pred, counts, axis=0))
        assert metric(y_true, y_pred, sample_weight=counts) == pytest.approx(expected)

    def test_a_zero_row_has_cosine_zero(self):
        assert latent_cosine_similarity([[1.0, 0.0], [0.0, 0.0]], [[2.0, 0.0], [1.0, 0.0]]) == 0.5

    @every_dtype
    def test_identity(self, dtype):
        y, _ = make_latents(dtype=dtype)
        assert latent_cosine_similarity(y, y) == pytest.approx(1, abs=1e-15)
        assert latent_cosine_similarity(y, y) <= 1
        assert latent_mse(y, y) == reconstruction_mse(y, y) == 0

    def test_cosine_knows_directions_alone(self):
        y_true, y_pred = make_latents()
        Q, expected = rotation(5), latent_cosine_similarity(y_true, y_pred)
        scaled = y_true * row_factors(60, decades=200), y_pred * row_factors(60, decades=200)
        assert latent_cosine_similarity(*scaled) == pytest.approx(expected)
        assert latent_cosine_similarity(y_true @ Q, y_pred @ Q) == pytest.approx(expected)
        assert latent_cosine_similarity(-y_true, y_pred) == pytest.approx(-expected)

    @pytest.mark.parametrize("shape", [(4, 3), (4, 3, 6), (4, 3, 6, 5), (4, 2, 3, 6, 5)])
    @every_dtype
    def test_reconstruction_of_any_shape_is_the_mean_over_everything(self, shape, dtype):
        y_true, y_pred = np.random.default_rng(0).normal(size=(2, *shape)).astype(dtype)
        expected = np.mean(np.square(y_true.astype("float64") - y_pred))
        assert reconstruction_mse(y_true, y_pred) == pytest.approx(expected)
        weight = np.array([1.0, 0.0, 2.0, 0.5])
        flat = y_true.reshape(4, -1), y_pred.reshape(4, -1)
        expected = mean_squared_error(*flat, sample_weight=weight)
        assert reconstruction_mse(y_true, y_pred, sample_weight=weight) == pytest.approx(expected)

    def test_reconstruction_has_no_root(self):
        assert reconstruction_mse(np.zeros((2, 3)), np.full((2, 3), 4.0)) == 16

    def test_a_column_may_be_a_vector(self):
        assert latent_mse([1.0, 2.0], [1.0, 4.0]) == 2
        assert latent_mse([1.0, 2.0], [[1.0], [4.0]]) == 2


class TestAgainstAFullSort:
    @pytest.mark.parametrize(("n", "d"), [(10, 2), (60, 5), (75, 40)])
    @every_similarity
    @every_dtype
    def test_ranks(self, n, d, similarity, dtype):
        y_true, y_pred = make_latents(n, d, dtype=dtype)
        ranks = true_ranks(dense_scores(y_true, y_pred, similarity))
        assert 1 < ranks.mean() < n / 2
        for k in (1, 2, 5, n):
            expected = np.mean(ranks <= k)
            assert recall_at_k(y_true, y_pred, k=k, similarity=similarity) == expected
        actual = mean_reciprocal_rank(y_true, y_pred, similarity=similarity)
        assert actual == pytest.approx(np.mean(1 / ranks), rel=1e-13)

    @pytest.mark.parametrize("n_neighbors", [1, 3, 60])
    def test_neighbours_of_csls(self, n_neighbors):
        y_true, y_pred = make_latents()
        ranks = true_ranks(dense_scores(y_true, y_pred, "csls", n_neighbors))
        params = {"similarity": "csls", "n_neighbors": n_neighbors}
        assert recall_at_k(y_true, y_pred, **params) == np.mean(ranks == 1)
        assert mean_reciprocal_rank(y_true, y_pred, **params) == pytest.approx(np.mean(1 / ranks))

    @pytest.mark.parametrize("similarity", ["cosine", "csls"])
    @every_retrieval
    def test_center(self, metric, similarity):
        y_true, y_pred = make_latents()
        y_true, y_pred = y_true + 3, y_pred + 3
        middle = y_true.mean(axis=0)
        expected = metric(y_true - middle, y_pred - middle, similarity=similarity)
        assert metric(y_true, y_pred, similarity=similarity, center="mean") == expected
        assert metric(y_true, y_pred, similarity=similarity, center=middle) == expected
        assert metric(y_true, y_pred, similarity=similarity) != expected

    def test_mixed_dtypes(self):
        y_true, y_pred = make_latents()
        narrow = y_pred.astype("float32")
        expected = recall_at_k(y_true, narrow.astype("float64"))
        assert recall_at_k(y_true, narrow) == expected

    def test_integers_and_lists(self):
        assert recall_at_k([[1, 0], [0, 1]], [[2, 1], [1, 3]]) == 1.0


class TestRetrievalLaws:
    @every_retrieval
    @every_similarity
    @every_dtype
    def test_identity_is_one(self, metric, similarity, dtype):
        y, _ = make_latents(200, 8, dtype=dtype)
        assert metric(y, y, similarity=similarity) == 1.0

    @every_retrieval
    @pytest.mark.parametrize("similarity", ["cosine", "csls"])
    def test_cosines_know_no_norms(self, metric, similarity):
        y_true, y_pred = make_latents()
        expected = metric(y_true, y_pred, similarity=similarity)
        for decades in (1, 100, 300):
            scaled = y_true * row_factors(60, decades), y_pred * row_factors(60, decades, seed=1)
            assert metric(*scaled, similarity=similarity) == expected

    @every_retrieval
    def test_distances_know_no_origin_and_no_scale(self, metric):
        y_true, y_pred = make_latents()
        expected = metric(y_true, y_pred, similarity="euclidean")
        for scale, shift in [(1, 100), (1e-300, 0), (1e300, 0), (-3, 1)]:
            moved = y_true * scale + shift, y_pred * scale + shift
            assert metric(*moved, similarity="euclidean") == expected
        assert metric(y_true, y_pred, similarity="euclidean", center="mean") == expected

    @every_retrieval
    @every_similarity
    @every_dtype
    def test_common_rotation_changes_nothing(self, metric, similarity, dtype):
        y_true, y_pred = make_latents()
        rotated = [(side @ rotation(5)).astype(dtype) for side in (y_true, y_pred)]
        expected = metric(y_true, y_pred, similarity=similarity)
        assert metric(*rotated, similarity=similarity) == expected

    @every_retrieval
    @every_similarity
    def test_order_of_items_changes_nothing(self, metric, similarity):
        y_true, y_pred = make_latents()
        order = np.random.default_rng(1).permutation(60)
        expected = metric(y_true, y_pred, similarity=similarity)
        assert metric(y_true[order], y_pred[order], similarity=similarity) == pytest.approx(
            expected, rel=1e-13
        )

    @every_similarity
    def test_wrong_pairs_score_by_chance(self, similarity):
        n, k = 300, 10
        y, _ = make_latents(n, 8)
        rng = np.random.default_rng(0)
        shuffled = [y[rng.permutation(n)] for _ in range(5)]
        recalls = [recall_at_k(y, y_pred, k=k, similarity=similarity) for y_pred in shuffled]
        assert np.mean(recalls) == pytest.approx(k / n, abs=0.02)
        mrrs = [mean_reciprocal_rank(y, y_pred, similarity=similarity) for y_pred in shuffled]
        assert np.mean(mrrs) == pytest.approx(np.sum(1 / np.arange(1, n + 1)) / n, abs=0.01)
        assert recall_at_k(y, np.roll(y, 1, axis=0), similarity=similarity) == 0

    @every_similarity
    def test_recall_grows_to_one(self, similarity):
        y_true, y_pred = make_latents()
        recalls = [recall_at_k(y_true, y_pred, k=k, similarity=similarity) for k in range(1, 61)]
        assert np.all(np.diff(recalls) >= 0)
        assert recalls[-1] == 1.0

    def test_csls_sees_through_a_hub(self):
        hub = np.full((1, 4), 0.5)
        y_true = np.vstack([np.eye(4), hub])
        y_pred = np.vstack([np.eye(4) + 0.6, hub])  # nearer to the hub than to their own
        assert recall_at_k(y_true, y_pred) == 1 / 5
        assert recall_at_k(y_true, y_pred, similarity="csls", n_neighbors=2) == 1.0

    def test_csls_reduces_hubness(self):
        y_true, y_pred = make_latents(500, 50)
        y_pred = y_pred + 2  # a gap between the two sets: targets on its side are hubs

        def most_often_nearest(similarity):
            nearest = np.argmax(dense_scores(y_true, y_pred, similarity), axis=1)
            return np.bincount(nearest).max()

        assert most_often_nearest("cosine") > 4 * most_often_nearest("csls")
        cosine = recall_at_k(y_true, y_pred)
        assert cosine < 0.6 < 0.9 < recall_at_k(y_true, y_pred, similarity="csls")


class TestTies:
    def test_mean_reciprocal_rank_by_hand(self):
        y_true = np.eye(3)
        y_pred = [[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]  # ranks 1, 2, 3
        assert mean_reciprocal_rank(y_true, y_pred) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)

    def test_two_that_tie_by_hand(self):
        y_true = np.eye(3)
        y_pred = [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
        # ranks: 1 or 2; 1; 2 or 3
        assert recall_at_k(y_true, y_pred, k=1) == pytest.approx((1 / 2 + 1 + 0) / 3)
        assert recall_at_k(y_true, y_pred, k=2) == pytest.approx((1 + 1 + 1 / 2) / 3)
        expected = ((1 + 1 / 2) / 2 + 1 + (1 / 2 + 1 / 3) / 2) / 3
        assert mean_reciprocal_rank(y_true, y_pred) == pytest.approx(expected)

    @pytest.mark.parametrize("k", [1, 7, 40])
    @every_similarity
    @every_dtype
    def test_a_constant_scores_by_chance(self, k, similarity, dtype):
        y_true, _ = make_latents(40, dtype=dtype)
        constant = np.ones_like(y_true)
        assert recall_at_k(y_true, constant, k=k, similarity=similarity) == k / 40

    @pytest.mark.parametrize("similarity", ["cosine", "csls"])
    @every_dtype
    def test_nothing_scores_by_chance(self, similarity, dtype):
        y_true, _ = make_latents(40, dtype=dtype)
        zero = np.zeros_like(y_true)
        assert recall_at_k(y_true, zero, k=7, similarity=similarity) == pytest.approx(7 / 40)
        expected = np.sum(1 / np.arange(1, 41)) / 40
        assert mean_reciprocal_rank(y_true, zero, similarity=similarity) == pytest.approx(expected)

    @every_similarity
    @every_dtype
    def test_one_point_scores_by_chance(self, similarity, dtype):
        y = np.ones((40, 3), dtype=dtype)
        assert recall_at_k(y, y, k=7, similarity=similarity) == pytest.approx(7 / 40)
        y = np.zeros((40, 3), dtype=dtype)
        assert recall_at_k(y, y, k=7, similarity=similarity) == pytest.approx(7 / 40)

    @pytest.mark.parametrize("copies", [2, 5])
    @every_similarity
    @every_dtype
    def test_each_of_m_duplicates_is_found_one_time_in_m(self, copies, similarity, dtype):
        y_true, y_pred = make_latents(301, 97, noise=0.1, dtype=dtype)
        y_true, y_pred = np.tile(y_true, (copies, 1)), np.tile(y_pred, (copies, 1))
        order = np.random.default_rng(0).permutation(len(y_true))
        pair = y_true[order], y_pred[order]
        recall = recall_at_k(*pair, similarity=similarity)
        assert recall == pytest.approx(1 / copies, rel=1e-14)
        assert recall_at_k(*pair, k=copies, similarity=similarity) == 1.0

    @every_dtype
    def test_directions_that_agree_tie_by_cosine(self, dtype):
        y, _ = make_latents(50, 20, dtype=dtype)
        pair = np.vstack([y, 2 * y]), np.vstack([y, y])
        assert recall_at_k(*pair) == 0.5

    @pytest.mark.parametrize("elements", [2000, _inputs.BLOCK_ELEMENTS])
    @pytest.mark.parametrize("offset", [0, 30, 3000])
    @every_similarity
    def test_float32_decides_as_float64_does(self, monkeypatch, similarity, offset, elements):
        monkeypatch.setattr(_inputs, "BLOCK_ELEMENTS", elements)
        y_true, y_pred = make_latents(200, 16, noise=0.5, dtype="float32")
        y_true, y_pred = y_true + np.float32(offset), y_pred + np.float32(offset)
        wide = y_true.astype("float64"), y_pred.astype("float64")
        for metric in RETRIEVAL:
            expected = metric(*wide, similarity=similarity)
            assert metric(y_true, y_pred, similarity=similarity) == expected

    @every_dtype
    def test_an_outlier_hides_no_distances(self, dtype):
        y_true, y_pred = make_latents(dtype=dtype)
        expected = recall_at_k(y_true[1:], y_pred[1:], similarity="euclidean")
        y_true[0], y_pred[0] = 1e6, 1e6
        recall = recall_at_k(y_true, y_pred, similarity="euclidean")
        assert recall == pytest.approx((59 * expected + 1) / 60)


class TestBlocks:
    @pytest.mark.parametrize("elements", [1, 100, 700])
    @every_similarity
    @every_dtype
    def test_they_do_not_show(self, monkeypatch, elements, similarity, dtype):
        y_true, y_pred = make_latents(40, 6, dtype=dtype)
        y_true[10:15], y_true[20:22], y_pred[30:34] = y_true[:5], 0, 0
        expected = [metric(y_true, y_pred, similarity=similarity) for metric in RETRIEVAL]
        monkeypatch.setattr(_inputs, "BLOCK_ELEMENTS", elements)
        actual = [metric(y_true, y_pred, similarity=similarity) for metric in RETRIEVAL]
        assert actual == expected

    @every_paired
    def test_they_do_not_show_in_means(self, monkeypatch, metric):
        y_true, y_pred = make_latents(70, 6)
        weight = np.linspace(0, 1, 70)
        expected = metric(y_true, y_pred), metric(y_true, y_pred, sample_weight=weight)
        monkeypatch.setattr(_inputs, "BLOCK_ELEMENTS", 100)
        actual = metric(y_true, y_pred), metric(y_true, y_pred, sample_weight=weight)
        assert actual == pytest.approx(expected, rel=1e-14)

    @pytest.mark.parametrize(("similarity", "n"), [("cosine", 20_000), ("csls", 10_000)])
    def test_memory_does_not_grow_with_the_pairs(self, similarity, n):
        y_true, y_pred = make_latents(n, 8, noise=0.1, dtype="float32")
        tracemalloc.start()
        try:
            recall_at_k(y_true, y_pred, similarity=similarity)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 160e6 < 4 * n**2  # all pairs at once: 1.6 GB and 400 MB

    def test_memory_of_ties(self):
        y_true, _ = make_latents(5000, 64, dtype="float32")
        tracemalloc.start()
        try:
            recall_at_k(y_true, np.zeros_like(y_true))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 160e6


@pytest.mark.parametrize("library", ["array_api_strict", "torch"])
class TestArrayLibraries:
    @pytest.fixture(autouse=True)
    def dispatch(self):
        with config_context(array_api_dispatch=True):
            yield

    @every_dtype
    @every_similarity
    @every_retrieval
    def test_retrieval_agrees(self, library, metric, similarity, dtype):
        xp = pytest.importorskip(library)
        y_true, y_pred = make_latents(dtype=dtype)
        y_true[20:30], y_pred[40:45] = y_true[:10], 0
        expected = metric(y_true, y_pred, similarity=similarity)
        foreign = xp.asarray(y_true), xp.asarray(y_pred)
        actual = metric(*foreign, similarity=similarity)
        assert type(actual) is float
        assert actual == pytest.approx(expected, rel=1e-13)
        for center in ("mean", np.ones(5)):
            expected = metric(y_true, y_pred, similarity=similarity, center=center)
            actual = metric(*foreign, similarity=similarity, center=center)
            assert actual == pytest.approx(expected, rel=1e-13)

    @every_dtype
    @every_paired
    def test_means_agree(self, library, metric, dtype):
        xp = pytest.importorskip(library)
        y_true, y_pred = make_latents(dtype=dtype)
        weight = np.linspace(0, 1, 60)
        expected = metric(y_true, y_pred, sample_weight=weight)
        actual = metric(xp.asarray(y_true), xp.asarray(y_pred), sample_weight=xp.asarray(weight))
        assert type(actual) is float
        assert actual == pytest.approx(expected)

    @every_metric
    def test_the_target_follows_the_translation(self, library, metric):
        xp = pytest.importorskip(library)
        y_true, y_pred = make_latents()
        expected = metric(y_true, y_pred)
        assert metric(y_true, xp.asarray(y_pred)) == pytest.approx(expected)
        assert metric(xp.asarray(y_true), y_pred) == pytest.approx(expected)

    def test_images(self, library):
        xp = pytest.importorskip(library)
        y_true, y_pred = np.random.default_rng(0).normal(size=(2, 4, 3, 5, 5))
        expected = reconstruction_mse(y_true, y_pred)
        actual = reconstruction_mse(xp.asarray(y_true), xp.asarray(y_pred))
        assert actual == pytest.approx(expected)

    def test_blocks_do_not_show(self, library, monkeypatch):
        xp = pytest.importorskip(library)
        y_true, y_pred = make_latents(dtype="float32")
        expected = recall_at_k(y_true, y_pred, similarity="csls")
        monkeypatch.setattr(_inputs, "BLOCK_ELEMENTS", 100)
        foreign = xp.asarray(y_true), xp.asarray(y_pred)
        assert recall_at_k(*foreign, similarity="csls") == expected

    def test_scorers(self, library):
        xp = pytest.importorskip(library)
        X, y = translated()
        expected = {
            name: scorer(LstsqTranslator().fit(X, y), X, y) for name, scorer in SCORERS.items()
        }
        X, y = xp.asarray(X), xp.asarray(y)
        fitted = LstsqTranslator().fit(X, y)
        for name, scorer in SCORERS.items():
            assert scorer(fitted, X, y) == pytest.approx(expected[name])


def translated(n=90):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 6))
    return X, X @ rng.normal(size=(6, 4)) + 0.8 * rng.normal(size=(n, 4)) + 1


class TestScorers:
    @pytest.mark.parametrize("name", sorted(SCORERS))
    def test_cross_validation(self, name):
        X, y = translated()
        pipeline = make_pipeline(StandardScaler(), LstsqTranslator())
        for estimator in (LstsqTranslator(), pipeline):
            scores = cross_val_score(estimator, X, y, scoring=SCORERS[name], cv=3)
            for score, (train, test) in zip(scores, KFold(3).split(X)):
                fitted = estimator.fit(X[train], y[train])
                assert score == SCORERS[name](fitted, X[test], y[test])

    def test_they_are_the_metrics_of_the_prediction(self):
        X, y = translated()
        fitted = LstsqTranslator().fit(X, y)
        y_pred = fitted.predict(X)
        scores = {name: scorer(fitted, X, y) for name, scorer in SCORERS.items()}
        assert scores == {
            "latent_cosine_similarity": latent_cosine_similarity(y, y_pred),
            "neg_latent_mse": -latent_mse(y, y_pred),
            "recall_at_1": recall_at_k(y, y_pred),
            "recall_at_5": recall_at_k(y, y_pred, k=5),
            "recall_at_10": recall_at_k(y, y_pred, k=10),
            "mean_reciprocal_rank": mean_reciprocal_rank(y, y_pred),
            "centered_mrr": mean_reciprocal_rank(y, y_pred, center="mean"),
            "csls_recall_at_1": recall_at_k(y, y_pred, similarity="csls"),
            "csls_mean_reciprocal_rank": mean_reciprocal_rank(y, y_pred, similarity="csls"),
        }

    def test_all_at_once(self):
        X, y = translated()
        results = cross_validate(LstsqTranslator(), X, y, scoring=SCORERS, cv=3)
        for name, scorer in SCORERS.items():
            expected = cross_val_score(LstsqTranslator(), X, y, scoring=scorer, cv=3)
            assert_allclose(results[f"test_{name}"], expected)

    def test_a_search_in_two_processes(self):
        X, y = translated()
        pipeline = make_pipeline(StandardScaler(), ProcrustesTranslator())
        grid = {"procrustestranslator__scaling": ["standard", "center"]}
        searches = [
            GridSearchCV(
                pipeline, grid, scoring=SCORERS, refit="mean_reciprocal_rank", n_jobs=n_jobs, cv=3
            ).fit(X, y)
            for n_jobs in (None, 2)
        ]
        for name in SCORERS:
            one, two = (search.cv_results_[f"mean_test_{name}"] for search in searches)
            assert_allclose(two, one)
        assert searches[0].best_params_ == searches[1].best_params_

    @pytest.mark.parametrize("name", sorted(SCORERS))
    def test_they_pickle(self, name):
        X, y = translated()
        fitted = LstsqTranslator().fit(X, y)
        copy = pickle.loads(pickle.dumps(SCORERS[name]))
        assert copy(fitted, X, y) == SCORERS[name](fitted, X, y)

    def test_better_is_higher(self):
        X, y = translated()

        class Mean(BaseEstimator):
            def fit(self, X, y):
                self.mean_ = y.mean(axis=0)
                return self

            def predict(self, X):
                return np.tile(self.mean_, (len(X), 1))

        for scorer in SCORERS.values():
            assert scorer(LinearRegression().fit(X, y), X, y) > scorer(Mean().fit(X, y), X, y)

    def test_weights_reach_the_metric(self):
        X, y = translated()
        fitted, weight = LstsqTranslator().fit(X, y), np.linspace(0, 1, 90)
        score = SCORERS["neg_latent_mse"](fitted, X, y, sample_weight=weight)
        assert score == -latent_mse(y, fitted.predict(X), sample_weight=weight)

    def test_by_name(self):
        X, y = translated()
        fitted = LstsqTranslator().fit(X, y)
        for name, scorer in SCORERS.items():
            assert get_scorer(name) is not scorer
            assert get_scorer(name)(fitted, X, y) == scorer(fitted, X, y)
        assert get_scorer("r2")(fitted, X, y) == sklearn_get_scorer("r2")(fitted, X, y)
        own = make_scorer(recall_at_k, k=20)
        assert get_scorer(own) is own

    def test_an_unknown_name_says_what_there_is(self):
        with pytest.raises(ValueError, match=r"'recall_at_3' is unknown: use .*'recall_at_1'"):
            get_scorer("recall_at_3")
        with pytest.raises(ValueError, match="'scoring' parameter of get_scorer must be"):
            get_scorer(3)


class TestErrors:
    @every_metric
    def test_they_compare_one_space(self, metric):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            metric(np.ones((4, 2)), np.ones((3, 2)))
        with pytest.raises(ValueError, match="y_pred contains NaN"):
            metric(np.ones((4, 2)), np.full((4, 2), np.nan))
        with pytest.raises(ValueError, match="y_true contains infinity"):
            metric(np.full((4, 2), np.inf), np.ones((4, 2)))
        with pytest.raises(ValueError, match="0 sample"):
            metric(np.ones((0, 2)), np.ones((0, 2)))

    @pytest.mark.parametrize("metric", [latent_cosine_similarity, latent_mse, *RETRIEVAL])
    def test_latents_are_rows(self, metric):
        with pytest.raises(ValueError, match="y_true has 2 columns and y_pred has 3"):
            metric(np.ones((4, 2)), np.ones((4, 3)))
        with pytest.raises(ValueError, match="y_pred has 3 dimensions, but latents are"):
            metric(np.ones((4, 2)), np.ones((4, 3, 2)))

    def test_reconstructions_have_one_shape(self):
        with pytest.raises(ValueError, match=r"shape \(4, 2, 3\) and y_pred has \(4, 3, 2\)"):
            reconstruction_mse(np.ones((4, 2, 3)), np.ones((4, 3, 2)))
        with pytest.raises(ValueError, match="with 2 dimensions or more"):
            reconstruction_mse(np.ones(4), np.ones(4))

    @every_paired
    def test_weights(self, metric):
        y = np.ones((4, 2))
        with pytest.raises(ValueError, match="expected one weight for each of the 4 rows"):
            metric(y, y, sample_weight=[1.0, 2.0])
        with pytest.raises(ValueError, match="Negative values in sample_weight"):
            metric(y, y, sample_weight=[1.0, 2.0, -1.0, 0.0])

    @pytest.mark.parametrize(
        ("k", "error", "message"),
        [
            (0, ValueError, "k=0 must be finite and at least 1"),
            (-3, ValueError, "k=-3 must be finite and at least 1"),
            (1.0, TypeError, "k must be an integer; got 1.0 of type float"),
            (True, TypeError, "k must be an integer; got True of type bool"),
            (5, ValueError, "k=5 is more than the 4 candidates: lower k, or give more rows"),
        ],
    )
    def test_k(self, k, error, message):
        with pytest.raises(error, match=message):
            recall_at_k(np.eye(4), np.eye(4), k=k)

    @every_retrieval
    def test_similarity_and_neighbours(self, metric):
        y = np.eye(4)
        with pytest.raises(ValueError, match="similarity='dot' is unknown: use one of 'cosine'"):
            metric(y, y, similarity="dot")
        with pytest.raises(ValueError, match="n_neighbors=10 is more than the 4 rows of y_pred"):
            metric(y, y, similarity="csls")
        with pytest.raises(ValueError, match="n_neighbors=0 must be finite and at least 1"):
            metric(y, y, similarity="csls", n_neighbors=0)

    @every_retrieval
    def test_the_center(self, metric):
        y = np.eye(4)
        with pytest.raises(ValueError, match="center='median' is unknown: use None, 'mean'"):
            metric(y, y, center="median")
        with pytest.raises(ValueError, match=r"center has shape \(3,\); expected one value"):
            metric(y, y, center=np.ones(3))
        with pytest.raises(ValueError, match="center contains NaN"):
            metric(y, y, center=np.full(4, np.nan))


class TestRegisteredNames:
    """In processes of their own: registering is for the whole process."""

    script = """
import numpy as np
from sklearn.model_selection import GridSearchCV, cross_val_score, validation_curve
from sklearn_latent import LstsqTranslator, ProcrustesTranslator
from sklearn_latent.metrics import SCORERS, get_scorer, register_scorers
register_scorers()
register_scorers()
X = np.random.default_rng(0).normal(size=(60, 4))
y = X[:, ::-1] + 1
for name, scorer in SCORERS.items():
    translator, grid = ProcrustesTranslator(random_state=0), {{"n_anchors": [10, 40]}}
    search = GridSearchCV(translator, grid, scoring=name, cv=3, n_jobs={n_jobs})
    by_name = search.fit(X, y).cv_results_["mean_test_score"]
    search.set_params(scoring=scorer)
    assert np.array_equal(search.fit(X, y).cv_results_["mean_test_score"], by_name), name
    assert np.isfinite(cross_val_score(LstsqTranslator(), X, y, scoring=name, cv=3)).all()
assert cross_val_score(LstsqTranslator(), X, y, scoring="r2", cv=3).min() > 0.99
try:
    cross_val_score(LstsqTranslator(), X, y, scoring="recall_at_2")
except ValueError as error:
    assert "recall_at_1" in str(error)
else:
    raise AssertionError("an unknown name passed")
"""

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_names_work_in_searches(self, n_jobs):
        script = self.script.format(n_jobs=n_jobs)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def test_another_scikit_learn_is_told(self, monkeypatch):
        monkeypatch.delattr(sklearn.metrics._scorer, "_SCORERS")
        with pytest.raises(RuntimeError, match="Use scoring=SCORERS or scoring=get_scorer"):
            register_scorers()


@pytest.mark.parametrize("far", [1e7, 1e9, 1e20, 1e22])
@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_far_away_leaves_the_others_apart(far, everywhere, dtype):
    y = np.random.default_rng(0).normal(size=(500, 50)).astype(dtype)
    y[0, : None if everywhere else 1] = far
    assert recall_at_k(y, y, similarity="euclidean") == 1.0
    assert mean_reciprocal_rank(y, y, similarity="euclidean") == 1.0


@every_paired
def test_a_row_of_no_weight_may_be_of_any_size(metric):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.normal(size=(2, 5, 3))
    expected = metric(y_true[1:], y_pred[1:])
    y_true[0] = 1e200
    for unit in (1.0, 1e308, 1e-300):
        found = metric(y_true, y_pred, sample_weight=np.array([0, 1, 1, 1, 1]) * unit)
        assert_allclose(found, expected)


@every_metric
def test_a_tensor_that_belongs_to_a_graph(metric):
    torch = pytest.importorskip("torch")
    y_true, y_pred = np.random.default_rng(0).normal(size=(2, 6, 3))
    given = [torch.asarray(side).requires_grad_() for side in (y_true, y_pred)]
    assert_allclose(metric(*given), metric(y_true, y_pred))


@pytest.mark.parametrize("far", [1e20, 1e21, 1e23])
def test_ranks_beside_a_row_far_away(far):
    # relative to it the others are next to nothing in float32
    rng = np.random.default_rng(0)
    y_true = rng.normal(size=(300, 8)).astype(np.float32)
    y_pred = (y_true + rng.normal(size=(300, 8))).astype(np.float32)
    y_true[0] = y_pred[0] = far
    distance = euclidean_distances(y_pred[1:].astype(float), y_true[1:].astype(float))
    ranks = 1 + np.sum(distance < np.diag(distance)[:, None], axis=1)
    expected = (1 + np.sum(1 / ranks)) / 300
    found = mean_reciprocal_rank(y_true, y_pred, similarity="euclidean")
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("offset", [0, 3, 100, 1e5])
@pytest.mark.parametrize("seed", range(10))
def test_euclidean_ties_are_ties_whatever_the_origin(offset, seed):
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, 4, size=(50, 3))
    y_pred = y_true + rng.integers(-1, 2, size=(50, 3))
    squares = np.sum((y_pred[:, None] - y_true[None]) ** 2, axis=-1)  # exact, of integers
    own = np.diag(squares)[:, None]
    nearer, tied = np.sum(squares < own, axis=1), np.sum(squares == own, axis=1)
    recall = np.mean(np.clip((1 - nearer) / tied, 0, 1))
    reciprocal = [np.mean(1 / np.arange(a + 1, a + b + 1)) for a, b in zip(nearer, tied)]
    sides = [(side + offset).astype(np.float32) for side in (y_true, y_pred)]
    assert_allclose(recall_at_k(*sides, similarity="euclidean"), recall, atol=1e-12)
    found = mean_reciprocal_rank(*sides, similarity="euclidean")
    assert_allclose(found, np.mean(reciprocal), atol=1e-12)


def test_euclidean_ties_with_a_target_at_the_median():
    y_true, y_pred = [[-1.0, -3], [-2, 2], [-2, 0]], [[3.0, 0], [3, -1], [-3, -3]]
    # the second query is at 25 from its own and from the third: squares 20 and 29 of the others
    assert_allclose(recall_at_k(y_true, y_pred, similarity="euclidean"), 1 / 6)


@pytest.mark.parametrize("similarity", ["cosine", "euclidean", "csls"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distractors_are_candidates_without_a_query(similarity, dtype, monkeypatch):
    monkeypatch.setattr(_inputs, "BLOCK_ELEMENTS", 200)  # several blocks of both sides
    rng = np.random.default_rng(0)
    store = rng.normal(size=(60, 5)).astype(dtype)
    queries = (store[:20] + 0.6 * rng.normal(size=(20, 5))).astype(dtype)
    if similarity == "euclidean":
        nearness = -cdist(queries, store)
    else:
        nearness = cosine_similarity(queries, store)
    if similarity == "csls":
        # of each candidate to its nearest queries; of a query it is the same for all candidates
        nearness = 2 * nearness - np.sort(nearness, axis=0)[-10:].mean(axis=0)
    rank = 1 + np.sum(nearness > np.diagonal(nearness)[:, None], axis=1)
    options = {"similarity": similarity, "distractors": store[20:]}
    assert recall_at_k(store[:20], queries, k=3, **options) == np.mean(rank <= 3)
    assert_allclose(mean_reciprocal_rank(store[:20], queries, **options), np.mean(1 / rank))
    assert recall_at_k(store[:20], queries, k=60, **options) == 1


def test_distractors_move_the_mean_that_cosines_are_taken_from():
    rng = np.random.default_rng(0)
    y, others = rng.normal(size=(20, 3)), rng.normal(size=(40, 3)) + 2
    center = np.vstack([y, others]).mean(axis=0)
    given = mean_reciprocal_rank(y, y + 0.3, center=center, distractors=others)
    assert mean_reciprocal_rank(y, y + 0.3, center="mean", distractors=others) == given


def test_distractors_of_another_space_are_refused():
    y = np.eye(4)
    with pytest.raises(ValueError, match=r"distractors has shape \(4, 3\); expected rows of the 4"):
        recall_at_k(y, y, distractors=y[:, :3])
    with pytest.raises(ValueError, match="distractors contains NaN"):
        recall_at_k(y, y, distractors=y * np.nan)
