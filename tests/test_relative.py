"""The relative space: its invariances, its inverse, and translation through it."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances, manhattan_distances
from sklearn.pipeline import make_pipeline

from sklearn_latent import InverseRelativeTranslator, RelativeProjector
from sklearn_latent.metrics import latent_cosine_similarity
from sklearn_latent.solvers.relative import euclidean, random_anchors


def latents(n=60, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) * 2 + 1


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def centred_unit(X):
    X = X - X.mean(axis=0)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("metric", "oracle"),
    [
        ("cosine", cosine_similarity),
        ("euclidean", euclidean_distances),
        ("manhattan", manhattan_distances),
        ("angular", lambda X, A: 1 - np.arccos(np.clip(cosine_similarity(X, A), -1, 1)) / np.pi),
        (lambda X, A: X @ A.T, lambda X, A: X @ A.T),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_similarities_are_scikit_learns(metric, oracle, dtype):
    X = latents().astype(dtype)
    relative = RelativeProjector(metric).fit(X[:7]).transform(X)
    assert relative.dtype == dtype
    # an angle of zero is known to the root of the rounding of its cosine
    tolerance = 2e-3 if dtype == np.float32 else 1e-7
    assert_allclose(relative, oracle(X, X[:7]), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("metric", ["cosine", "angular"])
def test_angles_are_invariant_to_rotation_and_rescaling(metric):
    X = latents()
    lengths = np.random.default_rng(1).uniform(0.1, 9, size=(60, 1))
    moved = lengths * X @ rotation(5)
    ours = RelativeProjector(metric).fit(X[:9]).transform(X)
    assert_allclose(RelativeProjector(metric).fit(moved[:9]).transform(moved), ours, atol=1e-7)
    shifted = RelativeProjector(metric).fit(X[:9] + 1).transform(X + 1)
    assert np.abs(shifted - ours).max() > 0.1


def test_distances_are_invariant_to_isometries():
    X = latents()
    mirror = rotation(5) * np.array([-1, 1, 1, 1, 1])
    moved = X @ mirror - 7
    ours = RelativeProjector("euclidean").fit(X[:9]).transform(X)
    theirs = RelativeProjector("euclidean").fit(moved[:9]).transform(moved)
    doubled = RelativeProjector("euclidean").fit(2 * X[:9]).transform(2 * X)
    # the square of an anchor's distance to itself cancels: 0 to the root of the rounding
    itself = np.arange(9)
    for relative in (ours, theirs, doubled):
        assert_allclose(relative[itself, itself], 0, atol=1e-6)
        relative[itself, itself] = 0
    assert_allclose(theirs, ours, atol=1e-12)
    assert_allclose(doubled, 2 * ours, atol=1e-12)


def test_euclidean_distances_survive_a_large_offset():
    X = latents().astype(np.float32)
    far = X + np.float32(1000)
    ours = RelativeProjector("euclidean").fit(X[:9]).transform(X)
    moved = RelativeProjector("euclidean").fit(far[:9]).transform(far)
    assert_allclose(moved, ours, atol=2e-2)


@pytest.mark.parametrize("scaling", ["standard", "center", None])
def test_scaling_comes_first(scaling):
    X = latents()
    mean = 0 if scaling is None else X.mean(axis=0)
    std = X.std(axis=0) if scaling == "standard" else 1
    scaled = (X - mean) / std
    projector = RelativeProjector(scaling=scaling).fit(X)
    assert_allclose(projector.transform(X), cosine_similarity(scaled))


def test_the_inverse_restores_directions_the_mean_and_the_mean_length():
    X = latents()
    projector = RelativeProjector(scaling="center").fit(X)
    back = projector.inverse_transform(projector.transform(X))
    centred = X - X.mean(axis=0)
    expected = centred_unit(X) * np.linalg.norm(centred, axis=1).mean() + X.mean(axis=0)
    assert_allclose(back, expected)


def test_rows_of_equal_length_come_back_as_they_were():
    X = latents()
    X = 3 * X / np.linalg.norm(X, axis=1, keepdims=True)
    for scaling in (None, "l2"):
        projector = RelativeProjector(scaling=scaling).fit(X[:20])
        assert_allclose(projector.inverse_transform(projector.transform(X)), X)


def test_fewer_anchors_than_dimensions_give_the_projection():
    X = latents(d=10)
    projector = RelativeProjector().fit(X[:4])
    span = np.linalg.svd(X[:4], full_matrices=False)[2]
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    back = projector.inverse_transform(projector.transform(X))
    assert_allclose(back, unit @ span.T @ span * np.linalg.norm(X[:4], axis=1).mean())


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "angular", cosine_similarity])
def test_only_the_cosine_has_an_inverse(metric):
    projector = RelativeProjector(metric).fit(latents())
    assert not hasattr(projector, "inverse_transform")
    with pytest.raises(AttributeError, match="has no attribute 'inverse_transform'"):
        projector.inverse_transform(np.ones((1, 60)))


def test_the_relative_baseline_is_a_pipeline():
    images, labels = load_digits(return_X_y=True)
    other = 3 * images @ rotation(64)
    baseline = make_pipeline(
        RelativeProjector(n_anchors=64, random_state=0), LogisticRegression(max_iter=2000)
    ).fit(images[:1000], labels[:1000])
    native = baseline.score(images[1000:], labels[1000:])
    assert native > 0.85
    # the other space, with the same anchors, goes to the decoder that never saw it
    rows = baseline[0].anchor_indices_
    theirs = RelativeProjector().fit(other[rows])
    stitched = make_pipeline(theirs, baseline[1])
    assert stitched.score(other[1000:], labels[1000:]) == native


def test_pruned_anchors_are_apart_and_cover_the_rest():
    X = latents(200)
    projector = RelativeProjector(pruning=0.4, random_state=0).fit(X)
    distance = 1 - np.abs(cosine_similarity(X, X[projector.anchor_indices_]))
    among = distance[projector.anchor_indices_]
    np.fill_diagonal(among, np.inf)
    assert among.min() >= 0.4
    assert distance.min(axis=1).max() < 0.4
    assert projector.n_anchors_ == projector.transform(X).shape[1] < 200


def test_pruning_keeps_the_same_items_of_turned_and_shuffled_rows():
    X = latents(200)
    order = np.random.default_rng(1).permutation(200)
    for scaling in (None, "center", "l2"):
        projector = RelativeProjector(pruning=0.4, n_subspaces=3, scaling=scaling, random_state=0)
        kept = [sorted(rows) for rows in projector.fit(X).subspaces_]
        turned = projector.fit(3 * X @ rotation(5)).subspaces_
        assert [sorted(rows) for rows in turned] == kept
        shuffled = projector.fit(X[order]).subspaces_
        assert [sorted(order[rows]) for rows in shuffled] == kept


def test_the_first_anchor_is_drawn_in_proportion_to_its_weight():
    rows = rotation(4)
    weight = np.array([1.0, 2.0, 0.0, 7.0])
    draws = random_anchors(rows, np.ones(4), weight, 2000, np.random.RandomState(0))
    share = np.bincount(draws, minlength=4) / 2000
    assert_allclose(share, weight / 10, atol=0.04)  # four standard deviations
    assert share[2] == 0


@pytest.mark.parametrize("pruning", [None, 0.0, 0.5])
@pytest.mark.parametrize("decode", ["pinv", "ridge"])
def test_weights_are_repetitions_of_anchors(pruning, decode):
    X, y = spaces(noise=1.0)
    weight = np.random.default_rng(2).integers(0, 4, size=len(X))
    translator = InverseRelativeTranslator(pruning=pruning, decode=decode, random_state=0)
    expected = translator.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0)).coef_
    assert_allclose(translator.fit(X, y, sample_weight=weight).coef_, expected, atol=1e-10)
    assert np.abs(translator.fit(X, y).coef_ - expected).max() > 1e-3


def test_more_pruning_is_better_conditioned():
    X = latents(31, d=30)  # about as many anchors as dimensions: the worst case
    conditions = [
        RelativeProjector(pruning=delta, scaling="center", random_state=0).fit(X).condition_number_
        for delta in (0.0, 0.6, 0.8)
    ]
    assert conditions[0] > conditions[1] > conditions[2] >= 1


def test_condition_number_is_numpys():
    X = latents(40)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert RelativeProjector().fit(X).condition_number_ == pytest.approx(np.linalg.cond(unit))


def test_subspaces_average_their_decodings():
    X, Z = latents(200, seed=0), latents(30, seed=1)
    projector = RelativeProjector(pruning=0.5, n_subspaces=4, scaling="center", random_state=0)
    back = projector.fit(X).inverse_transform(projector.transform(Z))
    assert len(projector.subspaces_) == 4
    single = []
    for rows in projector.subspaces_:
        one = RelativeProjector(scaling="center").fit(X, subspaces=[rows])
        assert np.array_equal(np.sort(one.anchor_indices_), np.sort(rows))
        single.append(one.inverse_transform(one.transform(Z)))
    assert_allclose(back, np.mean(single, axis=0))


# ---- translation


def spaces(n=120, d_source=6, d_target=8, noise=0.0):
    """Two spaces of rows of one length about their mean, related by a semi-rotation."""
    rng = np.random.default_rng(0)
    X = centred_unit(rng.normal(size=(n, d_source)))
    X = np.vstack([X, -X]) * 2 + 5  # symmetric: the mean of any half is not, that of all is
    y = (X - 5) @ rotation(max(d_source, d_target))[:d_source, :d_target] * 3 - 1
    return X, y + noise * rng.normal(size=y.shape)


@pytest.mark.parametrize(("d_source", "d_target"), [(6, 8), (6, 6)])
@pytest.mark.parametrize("decode", ["pinv", "ridge"])
def test_orthogonally_related_spaces_are_translated_exactly(d_source, d_target, decode):
    X, y = spaces(d_source=d_source, d_target=d_target)
    translator = InverseRelativeTranslator(pruning=None, decode=decode, alpha=1e-9).fit(X, y)
    assert_allclose(translator.transform(X), y, atol=1e-6)
    assert_allclose(translator.inverse_transform(y), X, atol=1e-6)


def test_unpruned_it_is_the_transposed_least_squares_map_back():
    X, y = spaces(noise=1.0)
    unit_x, unit_y = centred_unit(X), centred_unit(y)
    backward = np.linalg.lstsq(unit_y, unit_x, rcond=None)[0]
    mean_norm = np.linalg.norm(y - y.mean(axis=0), axis=1).mean()
    translator = InverseRelativeTranslator(pruning=None).fit(X, y)
    assert_allclose(translator.coef_, mean_norm * backward)
    assert_allclose(translator.transform(X), unit_x @ backward.T * mean_norm + y.mean(axis=0))


@pytest.mark.parametrize("options", [{}, {"pruning": None}, {"decode": "ridge"}, {"n_anchors": 50}])
@pytest.mark.parametrize("scaling", ["center", "standard", None, "l2", ("standard", "center")])
def test_the_folded_map_is_the_two_halves(options, scaling):
    X, y = spaces(noise=0.5)
    translator = InverseRelativeTranslator(scaling=scaling, random_state=0, **options).fit(X, y)
    relative = translator.source_projector_.transform(X)
    assert_allclose(
        translator.transform(X), translator.target_projector_.inverse_transform(relative)
    )


def test_anchors_are_chosen_on_the_source_and_reported():
    X, y = spaces(noise=0.5)
    options = {"n_anchors": 100, "random_state": 3, "pruning": 0.5}
    a = InverseRelativeTranslator(**options).fit(X, y)
    b = InverseRelativeTranslator(**options).fit(X, y[::-1])
    assert np.array_equal(a.anchor_indices_, b.anchor_indices_)
    assert a.n_anchors_ == 100 > a.anchor_indices_.size
    assert a.condition_number_ == a.target_projector_.condition_number_
    kept = a.source_projector_.anchors_
    pool = np.random.RandomState(3).permutation(len(X))[:100]
    assert_allclose(kept, X[a.anchor_indices_] - X[pool].mean(axis=0))


@pytest.mark.parametrize("options", [{"pruning": 0.1}, {"pruning": None, "n_anchors": 40}])
@pytest.mark.parametrize("pruning", [0.5, None])
def test_one_subspace_decodes_in_the_order_in_which_it_was_chosen(options, pruning):
    X, y = spaces(noise=0.1)
    ours = RelativeProjector(scaling="center", random_state=0, **options).fit(X)
    theirs = RelativeProjector(scaling="center", pruning=pruning).fit(y, subspaces=ours.subspaces_)
    assert np.array_equal(theirs.anchor_indices_, ours.anchor_indices_)
    decoded = theirs.inverse_transform(ours.transform(X))
    assert latent_cosine_similarity(y - y.mean(axis=0), decoded - y.mean(axis=0)) > 0.9


@pytest.mark.parametrize("options", [{}, {"n_anchors": 60}, {"n_anchors": 60, "pruning": None}])
def test_row_numbers_of_the_halves_are_those_of_the_pairs(options):
    X, y = spaces()
    weight = np.r_[np.zeros(50), np.ones(len(X) - 50)]
    translator = InverseRelativeTranslator(random_state=0, **options)
    translator.fit(X, y, sample_weight=weight)
    for half, rows in ((translator.source_projector_, X), (translator.target_projector_, y)):
        assert half.anchor_indices_.min() >= 50
        numbers = np.unique(np.concatenate(half.subspaces_))
        assert np.array_equal(numbers, np.sort(half.anchor_indices_))
        shifted = rows[half.anchor_indices_] - half.anchors_
        assert_allclose(shifted, np.broadcast_to(shifted[0], shifted.shape))  # the mean


def test_pruning_helps_noisy_spaces():
    X, y = spaces(n=60, d_source=40, d_target=40, noise=1.0)
    scores = []
    for delta in (None, 0.7):
        translator = InverseRelativeTranslator(pruning=delta, n_subspaces=8, random_state=0)
        translated = translator.fit(X[:50], y[:50]).transform(X)
        scores.append(latent_cosine_similarity(y, translated))
    assert scores[1] > scores[0]


def test_halves_meet_on_machines_that_never_see_each_others_data(tmp_path):
    X, y = spaces(noise=0.3)
    whole = InverseRelativeTranslator(random_state=0).fit(X, y)

    # Machine A has X. It sends relative latents and which anchors it kept: row numbers.
    ours = RelativeProjector(scaling="center", pruning=0.7, n_subspaces=8, random_state=0).fit(X)
    np.save(tmp_path / "relative.npy", ours.transform(X))
    (tmp_path / "anchors.json").write_text(json.dumps([rows.tolist() for rows in ours.subspaces_]))
    np.save(tmp_path / "y.npy", y)
    # Machine B has y.
    script = """
import json, sys, numpy as np
from pathlib import Path
from sklearn_latent import RelativeProjector
folder = sys.argv[1]
anchors = json.loads(Path(folder, "anchors.json").read_text())
theirs = RelativeProjector(scaling="center").fit(np.load(folder + "/y.npy"), subspaces=anchors)
np.save(folder + "/out.npy", theirs.inverse_transform(np.load(folder + "/relative.npy")))
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script, str(tmp_path)], check=True)
    assert_allclose(np.load(tmp_path / "out.npy"), whole.transform(X))


def test_one_half_saved_holds_nothing_of_the_other(tmp_path):
    X, y = spaces(noise=0.3)
    translator = InverseRelativeTranslator(random_state=0).fit(X, y)
    halves = [translator.source_projector_, translator.target_projector_]
    for half, own in zip(halves, (X, y)):
        stored = pickle.dumps(half)
        loaded = pickle.loads(stored)
        assert loaded.n_features_in_ == own.shape[1]
    relative = pickle.loads(pickle.dumps(halves[0])).transform(X)
    decoded = pickle.loads(pickle.dumps(halves[1])).inverse_transform(relative)
    assert_allclose(decoded, translator.transform(X))
    arrays = [v for v in vars(halves[1]).values() if isinstance(v, np.ndarray)]
    assert all(6 not in array.shape for array in arrays)  # nothing has the source's dimension


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pruning": 1.0}, ValueError, "must be below 1"),
        ({"pruning": -0.1}, ValueError, "pruning=-0.1 must be finite and at least 0"),
        ({"pruning": "0.5"}, TypeError, "pruning must be a number"),
        ({"n_subspaces": 0}, ValueError, "n_subspaces=0 must be finite and at least 1"),
        ({"decode": "inv"}, ValueError, "decode='inv' is unknown: use one of 'pinv', 'ridge'"),
        ({"alpha": 0}, ValueError, "alpha=0 must be finite and above 0"),
        ({"scaling": "minmax"}, ValueError, "scaling='minmax' is unknown"),
    ],
)
def test_bad_options(options, error, message):
    X, y = spaces()
    with pytest.raises(error, match=message):
        InverseRelativeTranslator(**options).fit(X, y)
    with pytest.raises(error, match=message):
        RelativeProjector(**options).fit(X)


def test_bad_input():
    X, y = spaces()
    with pytest.raises(ValueError, match="metric='dot' is unknown"):
        RelativeProjector("dot").fit(X)
    with pytest.raises(ValueError, match="has only one side"):
        RelativeProjector(scaling=("center", None)).fit(X)
    for bad in ([[0, 0]], [[999]], [[0.5]], [[]]):
        with pytest.raises(ValueError, match="distinct integers from 0 to 239"):
            RelativeProjector().fit(X, subspaces=bad)
    with pytest.raises(ValueError, match="X has 3 columns, but RelativeProjector is expecting 240"):
        RelativeProjector().fit(X).inverse_transform(np.ones((2, 3)))
    with pytest.raises(ValueError, match="at least 2 anchors of positive weight; got 1 sample"):
        InverseRelativeTranslator(n_anchors=1e-9).fit(X, y)


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e307])
@pytest.mark.parametrize("pruning", [None, 0.5])
@pytest.mark.parametrize("scaling", ["center", "standard", "l2", None])
def test_weights_of_any_size(size, pruning, scaling):
    X, y = spaces(noise=0.5)
    weight = np.random.default_rng(3).uniform(1, 2, size=len(X)) / 2
    translator = InverseRelativeTranslator(pruning=pruning, scaling=scaling, random_state=0)
    for unit in (1, 1e-30):  # of the latents
        expected = translator.fit(X, y * unit, weight).transform(X)
        found = translator.fit(X, y * unit, weight * size).transform(X)
        assert_allclose(found / unit, expected / unit, atol=1e-9)


def test_a_ridge_against_weights_of_any_size():
    X, y = spaces(noise=0.5)
    options = {"pruning": None, "decode": "ridge"}
    for size in (1e-200, 1e200):  # as if the strength were the inverse
        ridge = InverseRelativeTranslator(alpha=3 * size, **options)
        found = ridge.fit(X, y, np.full(len(X), size)).coef_
        assert_allclose(found, ridge.set_params(alpha=3).fit(X, y).coef_)


def test_light_rows_span_what_they_span():
    X = latents(40, 4).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y = (X @ rotation(4)).astype(np.float32)
    weight = np.full(40, 1e-14)
    weight[:2] = 1
    translator = InverseRelativeTranslator(pruning=None, scaling=None).fit(X, y, weight)
    assert_allclose(translator.transform(X), y, atol=1e-3)


@pytest.mark.parametrize("scaling", ["center", "standard"])
def test_a_column_of_rounding_alone_does_not_make_rows_so(scaling):
    X = latents(200, 8).astype(np.float32)
    if scaling == "standard":
        X[:, 0] = 1 + np.float32(2**-23) * (np.arange(200) % 2)
    else:  # much rounding beside little spread
        X[:, 1:] *= np.float32(1e-3)
        X[:, 0] = 1e4 + np.float32(2**-10) * (np.arange(200) % 2)
    relative = RelativeProjector(scaling=scaling).fit(X[:50]).transform(X)
    assert np.all(relative.any(axis=1))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_subspaces_of_small_integers(dtype):
    X, rows = latents(300), [1, 5, 255]
    projector = RelativeProjector().fit(X, subspaces=[np.array(rows, dtype=dtype)])
    assert_allclose(projector.transform(X), cosine_similarity(X, X[rows]))


def test_the_row_that_is_subtracted_first_counts():
    X, y = spaces(noise=0.5)
    weight = np.ones(len(X))
    X[0], weight[0] = 1e12, 1e-30
    translator = InverseRelativeTranslator(pruning=None)
    expected = translator.fit(X[::-1], y[::-1], weight[::-1]).coef_
    assert_allclose(translator.fit(X, y, weight).coef_, expected, atol=1e-10)


@pytest.mark.parametrize("offset", [0.0, 0.1, 0.7, 100.3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_at_the_mean_has_no_direction(offset, dtype):
    grid = 0.7 * np.stack(np.meshgrid(*3 * [[-1, 0, 1]]), axis=-1).reshape(-1, 3)
    X, y = (grid + offset).astype(dtype), grid @ rotation(3)
    order = np.random.default_rng(0).permutation(27)
    translator = InverseRelativeTranslator(pruning=None)
    expected = translator.fit(grid, y).transform(grid)
    tolerance = 1e-6 * max(1, offset)
    assert_allclose(translator.fit(X, y).transform(X), expected, atol=tolerance)
    assert_allclose(translator.fit(X[order], y[order]).transform(X), expected, atol=tolerance)


def test_equal_anchors_are_pruned_at_any_distance():
    X, y = latents(30, 4), latents(30, 5, seed=1)
    weight = np.random.default_rng(2).integers(1, 4, size=len(X))
    translator = InverseRelativeTranslator(pruning=1e-17, random_state=0)
    expected = translator.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0)).coef_
    assert_allclose(translator.fit(X, y, weight).coef_, expected, atol=1e-10)


def test_what_overflows_is_refused():
    X, y = spaces()
    with pytest.raises(ValueError, match="The norms of X overflow float64: rescale the latents"):
        InverseRelativeTranslator().fit(X * 1e307, y)
    with pytest.raises(ValueError, match="The norms of y overflow float64: rescale the latents"):
        InverseRelativeTranslator(scaling=None).fit(X, np.abs(y) / np.abs(y).max() * 1.7e308)
    near = X[:7].astype(np.float32)
    far = near + np.float32(0.001) * latents(7, 6, seed=1).astype(np.float32)
    far[5] = far[4] * np.float32(1.0001)
    with pytest.raises(ValueError, match="overflows float32: rescale the latents, or give float64"):
        InverseRelativeTranslator(pruning=None).fit(near, far * np.float32(1e37))


@pytest.mark.parametrize("value", [0.1, 5.3, 1 / 3, 7.7e-9, 1e30 / 3])
def test_a_constant_column_says_nothing(value):
    X = latents(300)
    X[:, 0] = value
    found = RelativeProjector(scaling="standard").fit(X).transform(X)
    rest = ((X - X.mean(axis=0)) / X.std(axis=0))[:, 1:]
    assert_allclose(found, RelativeProjector().fit(rest).transform(rest), atol=1e-12)


def test_scaling_is_that_of_the_fit():
    X = latents() + 3
    projector = RelativeProjector(scaling="center").fit(X)
    expected = projector.transform(X)
    assert_allclose(projector.set_params(scaling=None).transform(X), expected)


def test_small_angles_keep_their_digits_in_float32():
    X = latents(40, 6).astype(np.float32)
    near = (X + np.float32(1e-3) * latents(40, 6, seed=1)).astype(np.float32)
    projector = RelativeProjector("angular", scaling=None)
    found = projector.fit(X).transform(near)
    expected = projector.fit(X.astype(float)).transform(near.astype(float))
    assert found.dtype == np.float32
    assert_allclose(found, expected, atol=2e-7)


@pytest.mark.parametrize("far", [1e9, 1e20, 1e200])
def test_distances_beside_one_that_is_far_away(far):
    rng = np.random.default_rng(0)
    X, anchors = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    expected = cdist(X, anchors)
    for rows, others in (
        (np.vstack([X, [[far, 0, 0]]]), anchors),
        (X, np.vstack([anchors, [[far, 0, 0]]])),
    ):
        found = euclidean(rows, others)
        assert_allclose(found[:6, :5], expected, rtol=1e-12)
        assert_allclose(np.delete(found, np.s_[:6], 0)[:, :5], far, rtol=1e-8)
        assert_allclose(np.delete(found, np.s_[:5], 1)[:6], far, rtol=1e-8)


@pytest.mark.parametrize("size", [1e-200, 1e-170, 1.0, 1e200])
def test_distances_of_any_size(size):
    rng = np.random.default_rng(0)
    X, anchors = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    X[0] = anchors[0] = 0
    assert_allclose(euclidean(X * size, anchors * size) / size, cdist(X, anchors), rtol=1e-12)


@pytest.mark.parametrize("size", [1e200, 1e-170])
def test_squares_that_do_not_fit_are_refused(size):
    X = np.random.default_rng(0).normal(size=(20, 4)) * size
    with pytest.raises(ValueError, match="squares of X overflow or vanish in float64: rescale"):
        RelativeProjector(scaling="standard").fit(X)
    RelativeProjector(scaling=None).fit(X)


def test_a_function_cannot_write_to_its_arguments():
    def greedy(X, anchors):
        X *= 2
        return X @ anchors.T

    X = latents()
    before, projector = X.copy(), RelativeProjector(greedy).fit(X)
    with pytest.raises(ValueError, match="read-only"):
        projector.transform(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    "metric", [lambda X, A: X.sum(axis=1), lambda X, A: A @ X.T, lambda X, A: (X @ A.T)[:, :3]]
)
def test_a_function_has_to_give_one_similarity_of_each_row_to_each_anchor(metric):
    X = latents()
    projector = RelativeProjector(metric, n_anchors=20, random_state=0).fit(X)
    with pytest.raises(ValueError, match=r"of each row of X to each anchor: \(60, 20\)"):
        projector.transform(X)


def test_centring_in_float32_costs_no_digits_far_from_the_origin():
    X = (latents() + 1e4).astype(np.float32)
    expected = RelativeProjector("euclidean").fit(X).transform(X)
    found = RelativeProjector("euclidean", scaling="center").fit(X).transform(X)
    assert found.dtype == np.float32
    assert_allclose(found, expected, atol=1e-5)


def test_no_subspaces_are_refused():
    with pytest.raises(ValueError, match="subspaces is empty"):
        RelativeProjector().fit(latents(), subspaces=[])


@pytest.mark.parametrize("n_zero", [0, 30])
def test_rows_of_zeros_count_once_in_the_mean_length(n_zero):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(30, 3)), np.zeros((n_zero, 3))])
    mean = np.linalg.norm(X, axis=1).mean()
    out = InverseRelativeTranslator(pruning=None, scaling="l2").fit(X, X).transform(X[:30])
    assert_allclose(np.linalg.norm(out, axis=1), mean)
    projector = RelativeProjector(scaling="l2").fit(X)
    back = projector.inverse_transform(projector.transform(X[:30]))
    assert_allclose(np.linalg.norm(back, axis=1), mean)


def test_a_function_that_widens_is_cast_back():
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    wide = RelativeProjector(metric=lambda a, b: a.astype(float) @ b.T)
    assert wide.fit(X).transform(X).dtype == np.float32


@pytest.mark.parametrize("estimator", [RelativeProjector, InverseRelativeTranslator])
def test_an_unknown_selection_is_refused_even_if_unused(estimator):
    X = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(ValueError, match="anchor_selection='nonsense' is unknown"):
        estimator(anchor_selection="nonsense").fit(X, X)
