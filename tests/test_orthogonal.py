"""Laws of the rigid and l-ortho translators, against SciPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import orthogonal_procrustes, polar
from scipy.spatial.transform import Rotation

from sklearn_latent import LOrthoTranslator, LstsqTranslator, ProcrustesTranslator, RigidTranslator


def pair(n=80, d_source=6, d_target=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d_source)) * rng.uniform(0.5, 2, d_source) + rng.normal(size=d_source)
    y = X @ rng.normal(size=(d_source, d_target)) + 3 + rng.normal(size=(n, d_target))
    return X, y


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def reflection(d, seed=0):
    Q = rotation(d, seed)
    return Q * np.where(np.arange(d) == 0, -np.sign(np.linalg.det(Q)), 1)


# ---- rigid


def test_rigid_is_scipys_procrustes_after_centring():
    X, y = pair()
    R, _ = orthogonal_procrustes(X - X.mean(axis=0), y - y.mean(axis=0))
    translator = RigidTranslator().fit(X, y)
    assert_allclose(translator.coef_, R.T, atol=1e-12)
    assert_allclose(translator.transform(X), (X - X.mean(axis=0)) @ R + y.mean(axis=0))


def test_rigid_without_reflection_is_kabsch():
    for seed in range(5):
        X, y = pair(d_source=3, d_target=3, seed=seed)
        kabsch, _ = Rotation.align_vectors(y - y.mean(axis=0), X - X.mean(axis=0))
        translator = RigidTranslator(allow_reflection=False).fit(X, y)
        assert_allclose(translator.coef_, kabsch.as_matrix(), atol=1e-9)


@pytest.mark.parametrize("scaling", ["center", None])
def test_rigid_keeps_distances_and_recovers_both_parts(scaling):
    X, _ = pair()
    y = X @ reflection(6) - 4
    translator = RigidTranslator(scaling=scaling).fit(X, y)
    assert_allclose(translator.transform(X), y)
    assert_allclose(translator.inverse_transform(y), X)
    assert np.linalg.det(translator.coef_) == pytest.approx(-1)
    _, noisy = pair()
    moved = RigidTranslator(scaling=scaling).fit(X, noisy).transform(X)
    assert_allclose(
        np.linalg.norm(moved[1:] - moved[0], axis=1), np.linalg.norm(X[1:] - X[0], axis=1)
    )


@pytest.mark.parametrize("n", [2, 4, 6, 7, 80])
@pytest.mark.parametrize("seed", range(4))
def test_a_rotation_where_no_reflection_is_allowed(n, seed):
    X, _ = pair(n=n, seed=seed)
    translator = RigidTranslator(allow_reflection=False).fit(X, X @ reflection(6, seed) + 1)
    assert_allclose(translator.coef_ @ translator.coef_.T, np.eye(6), atol=1e-10)
    assert np.linalg.det(translator.coef_) == pytest.approx(1)


def test_forbidding_reflections_costs_twice_the_smallest_singular_value():
    X, _ = pair()
    free = RigidTranslator().fit(X, X @ reflection(6))
    bound = RigidTranslator(allow_reflection=False).fit(X, X @ reflection(6))
    centred = X - X.mean(axis=0)
    gain = [np.trace(t.coef_ @ centred.T @ centred @ reflection(6)) for t in (free, bound)]
    assert gain[0] - gain[1] == pytest.approx(2 * free.singular_values_[-1])
    for seed in range(200):
        R = rotation(6, seed)
        R = R * np.where(np.arange(6) == 0, np.linalg.det(R), 1)
        assert np.trace(R.T @ centred.T @ centred @ reflection(6)) <= gain[1] + 1e-9


@pytest.mark.parametrize(("d_source", "d_target"), [(4, 7), (7, 4)])
@pytest.mark.parametrize("n", [80, 3])
@pytest.mark.parametrize("allow_reflection", [True, False])
def test_rigid_between_dimensions_is_that_of_padded_spaces(d_source, d_target, n, allow_reflection):
    X, y = pair(n, d_source, d_target)
    d = max(d_source, d_target)
    padded = RigidTranslator(allow_reflection=allow_reflection).fit(
        np.pad(X, [(0, 0), (0, d - d_source)]), np.pad(y, [(0, 0), (0, d - d_target)])
    )
    translator = RigidTranslator(allow_reflection=allow_reflection).fit(X, y)
    smaller = translator.coef_ if d_target < d_source else translator.coef_.T
    assert_allclose(smaller @ smaller.T, np.eye(min(d_source, d_target)), atol=1e-10)
    if not allow_reflection:
        assert np.linalg.det(padded.coef_) == pytest.approx(1)
    X_padded = np.pad(X, [(0, 0), (0, d - d_source)])
    assert_allclose(translator.transform(X), padded.transform(X_padded)[:, :d_target], atol=1e-9)


def test_what_anchors_leave_open_is_not_turned():
    X, _ = pair(n=30)
    X[:, 4:] = 1.0  # constant: these two columns say nothing
    y = X.copy()
    y[:, :4] = X[:, :4] @ rotation(4)
    translator = RigidTranslator().fit(X, y)
    assert translator.rank_ == 4
    assert_allclose(translator.coef_[4:, 4:], np.eye(2), atol=1e-10)
    assert_allclose(translator.coef_[:4, :4], rotation(4).T, atol=1e-10)


# ---- l-ortho


@pytest.mark.parametrize(("d_source", "d_target"), [(4, 7), (6, 6), (7, 4)])
def test_l_ortho_is_the_polar_factor_of_least_squares(d_source, d_target):
    X, y = pair(d_source=d_source, d_target=d_target)
    W = LstsqTranslator(scaling="center").fit(X, y).coef_.T
    side = "right" if d_source >= d_target else "left"
    expected, _ = polar(W, side=side)
    translator = LOrthoTranslator(scaling="center").fit(X, y)
    assert_allclose(translator.coef_.T, expected, atol=1e-10)
    assert_allclose(translator.singular_values_, np.linalg.svd(W, compute_uv=False))


@pytest.mark.parametrize("scaling", ["center", None])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_l_ortho_is_ortho_on_orthogonally_related_spaces(scaling, dtype):
    X, _ = pair()
    X, y = X.astype(dtype), (X @ rotation(6)).astype(dtype)
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    ortho = ProcrustesTranslator(scaling=scaling).fit(X, y)
    l_ortho = LOrthoTranslator(scaling=scaling).fit(X, y)
    assert_allclose(l_ortho.coef_, ortho.coef_, atol=tolerance)
    assert_allclose(l_ortho.transform(X), y, atol=20 * tolerance)
    assert_allclose(l_ortho.singular_values_, 1, atol=tolerance)


def test_l_ortho_does_not_depend_on_the_spread_of_directions():
    X, y = pair()
    X = X - X.mean(axis=0)
    X = np.linalg.qr(X)[0] * 5
    # white sources: least squares is XᵀY up to a factor, so both have one polar factor
    ortho = ProcrustesTranslator(scaling="center").fit(X, y)
    assert_allclose(LOrthoTranslator(scaling="center").fit(X, y).coef_, ortho.coef_, atol=1e-10)


def test_l_ortho_of_few_anchors_drops_what_they_do_not_span():
    X, y = pair(n=4, d_source=10, d_target=12)
    translator = LOrthoTranslator(scaling="center").fit(X, y)
    assert translator.rank_ == 3
    W = LstsqTranslator(scaling="center").fit(X, y).coef_.T
    u, _, vt = np.linalg.svd(W, full_matrices=False)
    assert_allclose(translator.coef_.T, u[:, :3] @ vt[:3], atol=1e-9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("allow_reflection", [True, False])
def test_what_is_left_open_does_not_depend_on_the_order_of_rows(seed, allow_reflection):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 6))
    y = X @ rng.normal(size=(6, 6))
    X[:, [0, 3]], y[:, [1, 2]] = 2.0, 5.0  # different axes, at right angles to each other
    rigid = RigidTranslator(allow_reflection=allow_reflection)
    expected = rigid.fit(X, y).coef_
    shuffled = rng.permutation(40)
    assert_allclose(rigid.fit(X[shuffled], y[shuffled]).coef_, expected, atol=1e-9)
    in_parts = RigidTranslator(allow_reflection=allow_reflection)
    in_parts.partial_fit(X[:11], y[:11]).partial_fit(X[11:], y[11:])
    assert_allclose(in_parts.coef_, expected, atol=1e-9)
    assert_allclose(expected @ expected.T, np.eye(6), atol=1e-9)


@pytest.mark.parametrize("allow_reflection", [True, False])
def test_rigid_of_few_anchors_is_decomposed_in_as_many_dimensions(allow_reflection):
    X, y = pair(n=4, d_source=10, d_target=12)
    rigid = RigidTranslator(allow_reflection=allow_reflection).fit(X, y)
    ortho = ProcrustesTranslator(scaling="center").fit(X, y)
    assert rigid.singular_values_.shape[0] <= 5
    assert_allclose(rigid.singular_values_, ortho.singular_values_, atol=1e-10)
    assert rigid.rank_ == ortho.rank_ == 3
    assert_allclose(rigid.coef_.T @ rigid.coef_, np.eye(10), atol=1e-10)
    assert_allclose(rigid.transform(X), ortho.transform(X))  # among the anchors it is the same map


def spread_pair(condition, dtype):
    """Anchors whose cross-product has singular values of this spread, in 30 dimensions."""
    rng = np.random.default_rng(0)
    left = np.linalg.qr(rng.normal(size=(90, 30)))[0]
    X = 9 * left * np.geomspace(1, 1 / condition, 30)
    y = left @ np.linalg.qr(rng.normal(size=(30, 30)))[0]
    return X.astype(dtype), y.astype(dtype)


@pytest.mark.parametrize("condition", [3, 1e3, 1e8])
@pytest.mark.parametrize("translator", [ProcrustesTranslator(), RigidTranslator()])
def test_float32_anchors_get_the_map_of_an_svd(translator, condition):
    X, y = spread_pair(condition, np.float32)
    # weighted anchors are summed in float64
    fitted = translator.set_params(scaling="l2").fit(X, y, sample_weight=np.ones(90))
    X, y = (side.astype(float) for side in (X, y))
    X, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (X, y))
    if isinstance(translator, RigidTranslator):
        X, y = X - X.mean(axis=0), y - y.mean(axis=0)
    expected = polar(X.T @ y)[0]
    found = fitted.coef_.T / fitted._scaling.target.scale
    assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_in_float64_every_map_is_by_an_svd(monkeypatch, dtype):
    def refuse(A):
        raise AssertionError("decomposed")

    X, y = spread_pair(100, dtype)
    translator = ProcrustesTranslator(scaling=None)
    monkeypatch.setattr("sklearn_latent.solvers.procrustes.svd", refuse)
    if dtype == np.float32:
        translator.fit(X, y, sample_weight=np.ones(90))
    else:
        with pytest.raises(AssertionError, match="decomposed"):
            translator.fit(X, y, sample_weight=np.ones(90))


@pytest.mark.parametrize("translator", [ProcrustesTranslator(), RigidTranslator()])
@pytest.mark.parametrize("size", [1e-300, 1e-150, 1e150, 1e300])
def test_weights_of_any_size_on_float32_anchors(translator, size):
    X, y = (side.astype(np.float32) for side in pair(n=300))
    expected = translator.fit(X, y, np.ones(300)).coef_
    assert_allclose(translator.fit(X, y, np.full(300, size)).coef_, expected, atol=1e-5)
