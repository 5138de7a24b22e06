"""Which rows become anchors."""

import numpy as np
import pytest

from sklearn_latent import (
    AffineTranslator,
    KernelTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RelativeProjector,
)
from sklearn_latent.anchors import count_anchors, select_anchors

STRATEGIES = ["uniform", "kmeans", "farthest"]


@pytest.fixture
def latents():
    rng = np.random.default_rng(0)
    return rng.normal(size=(120, 5)), rng.normal(size=(120, 3))


@pytest.mark.parametrize(
    ("n_anchors", "expected"), [(None, 120), (1, 1), (120, 120), (0.5, 60), (1.0, 120), (1e-9, 1)]
)
def test_how_many(n_anchors, expected):
    assert count_anchors(n_anchors, 120) == expected


def test_the_limits_are_those_of_the_estimator(latents):
    X, y = latents
    message = r"n_anchors=1 is not between 2 and .* rows, 120: raise it, or use None"
    with pytest.raises(ValueError, match=message):
        LstsqTranslator(n_anchors=1).fit(X, y)
    assert RelativeProjector(n_anchors=1).fit(X).n_anchors_ == 1
    with pytest.raises(ValueError, match=r"n_anchors=0 is not between 1 and .*: raise it"):
        RelativeProjector(n_anchors=0).fit(X)
    with pytest.raises(ValueError, match=r"n_anchors=121 is not .*: lower it, give more rows"):
        RelativeProjector(n_anchors=121).fit(X)


@pytest.mark.parametrize("translator", [LstsqTranslator(), KernelTranslator()])
def test_too_few_rows_are_no_fault_of_a_number_not_given(latents, translator):
    X, y = latents
    with pytest.raises(ValueError, match=r"at least 2 anchors.*; got 1 sample\. Give more rows\.$"):
        translator.fit(X[:1], y[:1])


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("n_anchors", [1, 2, 17, 120])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distinct_rows_the_same_for_a_seed(latents, strategy, n_anchors, dtype):
    X = latents[0].astype(dtype)
    chosen = select_anchors(X, n_anchors, strategy, np.random.RandomState(0))
    assert chosen.shape == np.unique(chosen).shape == (n_anchors,)
    again = select_anchors(X, n_anchors, strategy, np.random.RandomState(0))
    assert np.array_equal(chosen, again)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_duplicated_rows_are_still_chosen_once(strategy):
    X = np.repeat(np.eye(3), 10, axis=0)
    chosen = select_anchors(X, 20, strategy, np.random.RandomState(0))
    assert np.unique(chosen).size == 20
    assert np.unique(X[chosen], axis=0).shape == (3, 3)


def test_seeds_differ(latents):
    a, b = (select_anchors(latents[0], 20, "uniform", np.random.RandomState(s)) for s in (0, 1))
    assert set(a) != set(b)


@pytest.mark.parametrize("strategy", ["uniform", "farthest"])
def test_fewer_anchors_are_the_first_of_more(latents, strategy):
    few = select_anchors(latents[0], 10, strategy, np.random.RandomState(0))
    many = select_anchors(latents[0], 40, strategy, np.random.RandomState(0))
    assert np.array_equal(few, many[:10])


def test_kmeans_takes_one_row_of_each_cluster():
    rng = np.random.default_rng(0)
    centres = 100 * np.eye(4)
    X = np.repeat(centres, 25, axis=0) + rng.normal(size=(100, 4))
    chosen = select_anchors(X, 4, "kmeans", np.random.RandomState(1))
    assert sorted(chosen // 25) == [0, 1, 2, 3]
    for row in chosen:
        members = X[row // 25 * 25 : row // 25 * 25 + 25]
        distances = np.linalg.norm(members - members.mean(axis=0), axis=1)
        assert np.linalg.norm(X[row] - members.mean(axis=0)) == pytest.approx(distances.min())


def test_farthest_is_greedy(latents):
    X = latents[0]
    chosen = select_anchors(X, 15, "farthest", np.random.RandomState(0))
    for i in range(1, 15):
        to_chosen = np.linalg.norm(X[:, None] - X[chosen[:i]], axis=2).min(axis=1)
        assert to_chosen[chosen[i]] == pytest.approx(to_chosen.max())


def test_a_callable_chooses(latents):
    X, y = latents
    seen = []

    def last_rows(X, n_anchors, random_state):
        seen.append((X.shape, n_anchors, type(random_state)))
        return np.arange(len(X) - n_anchors, len(X))

    translator = LstsqTranslator(n_anchors=20, anchor_selection=last_rows).fit(X, y)
    assert seen == [((120, 5), 20, np.random.RandomState)]
    assert translator.anchor_indices_.tolist() == list(range(100, 120))
    assert np.array_equal(translator.coef_, LstsqTranslator().fit(X[100:], y[100:]).coef_)


@pytest.mark.parametrize("make", [ProcrustesTranslator, LstsqTranslator])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_only_the_anchors_count(latents, make, strategy):
    X, y = latents
    translator = make(n_anchors=0.25, anchor_selection=strategy, random_state=0).fit(X, y)
    assert translator.n_anchors_ == 30
    rows = translator.anchor_indices_
    np.testing.assert_allclose(translator.coef_, make().fit(X[rows], y[rows]).coef_, atol=1e-10)


def test_without_a_number_all_rows_are_anchors(latents):
    X, y = latents
    translator = ProcrustesTranslator(anchor_selection="kmeans").fit(X, y)
    assert translator.n_anchors_ == 120
    assert np.array_equal(translator.anchor_indices_, np.arange(120))


def test_rows_of_zero_weight_are_never_anchors(latents):
    X, y = latents
    weight = np.ones(120)
    weight[::2] = 0
    for strategy in STRATEGIES:
        translator = LstsqTranslator(n_anchors=60, anchor_selection=strategy, random_state=0)
        translator.fit(X, y, sample_weight=weight)
        assert sorted(translator.anchor_indices_) == list(range(1, 120, 2))
    with pytest.raises(ValueError, match="not between 2 and the number of rows, 60"):
        LstsqTranslator(n_anchors=61).fit(X, y, sample_weight=weight)


def test_anchors_are_drawn_before_the_initial_weights(latents):
    X, y = latents
    affine = AffineTranslator(n_anchors=30, random_state=5, max_iter=2, device="cpu").fit(X, y)
    ortho = ProcrustesTranslator(n_anchors=30, random_state=5).fit(X, y)
    assert np.array_equal(affine.anchor_indices_, ortho.anchor_indices_)
