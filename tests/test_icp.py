"""Alignment without pairs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from sklearn_latent import (
    AffineTranslator,
    ICPTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RigidTranslator,
    class_means,
)


def plane_rotation(d, angle):
    R = np.eye(d)
    R[:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    return R


def clouds(n=300, d=3, angle=0.25, seed=0):
    """A cloud with unequal axes, and the same turned, moved and in another order."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.linspace(3, 1, d)
    y = X @ plane_rotation(d, angle) + 0.2
    order = rng.permutation(n)
    return X, y, order


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits(return_X_y=True)
    X = PCA(8, random_state=0).fit_transform(images)
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
    return X[:700], labels[:700], X[700:] @ Q + 3, labels[700:], Q


def test_means_are_numpys():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=(50, 4))
    labels_X = np.array(list("cab" * 13 + "a"))
    labels_y = np.array(list("bacba" * 10))
    X_means, y_means, classes = class_means(X, labels_X, y, labels_y)
    assert classes.tolist() == ["a", "b", "c"]
    for i, label in enumerate(classes):
        assert_allclose(X_means[i], X[labels_X == label].mean(axis=0))
        assert_allclose(y_means[i], y[labels_y == label].mean(axis=0))
    assert class_means(X.astype("f"), labels_X, y, labels_y)[0].dtype == np.float32


def test_means_of_unpaired_items_align_spaces(digits):
    X, labels_X, y, labels_y, Q = digits
    X_means, y_means, _ = class_means(X, labels_X, y, labels_y)
    translator = RigidTranslator().fit(X_means, y_means)
    assert np.linalg.norm(translator.coef_.T - Q) < 0.5 * np.linalg.norm(np.eye(8) - Q)


def test_classes_on_one_side_alone_are_errors():
    X = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"Classes \['c'\] are in labels_X and not in labels_y"):
        class_means(X, ["a", "b", "c"], X, ["a", "b", "b"])
    with pytest.raises(ValueError, match=r"Classes \['c'\] are in labels_y and not in labels_X"):
        class_means(X, ["a", "b", "b"], X, ["a", "b", "c"])
    with pytest.raises(ValueError, match="labels_y has 2 entries for 3 rows"):
        class_means(X, ["a", "b", "b"], X, ["a", "b"])


def test_a_small_turn_is_undone_without_pairs():
    X, y, order = clouds()
    translator = ICPTranslator().fit(X, y[order])
    assert_allclose(translator.transform(X), y, atol=1e-9)
    assert_allclose(translator.inverse_transform(y), X, atol=1e-9)
    assert np.array_equal(order[translator.matches_], np.arange(300))
    assert translator.energy_curve_[-1] == pytest.approx(0, abs=1e-18)


def test_other_numbers_of_rows():
    X, y, order = clouds()
    translator = ICPTranslator().fit(X[:200], y[order])
    assert_allclose(translator.transform(X), y, atol=1e-9)


@pytest.mark.parametrize(
    "translator",
    [
        RigidTranslator(),
        RigidTranslator(allow_reflection=False),
        LstsqTranslator(),
        ProcrustesTranslator(),  # standard scaling: does not minimise the energy
        ProcrustesTranslator(scaling="l2"),
        AffineTranslator(max_iter=30, random_state=0, device="cpu"),
    ],
    ids=str,
)
@pytest.mark.parametrize("labelled", [False, True])
def test_the_energy_never_rises(digits, translator, labelled):
    X, labels_X, y, labels_y, _ = digits
    labels = (labels_X, labels_y) if labelled else ()
    fitted = ICPTranslator(translator, max_iter=15, tol=0).fit(X, y, *labels)
    curve = np.array(fitted.energy_curve_)
    assert np.all(np.diff(curve) <= 0)
    energy = np.square(fitted.transform(X) - y[fitted.matches_]).sum(axis=1).mean()
    assert curve[-1] == pytest.approx(energy)
    assert fitted.n_iter_ <= 15


def test_some_energy_is_gained(digits):
    X, labels_X, y, labels_y, _ = digits
    curve = ICPTranslator().fit(X, y, labels_X, labels_y).energy_curve_
    assert len(curve) > 2
    assert curve[-1] < 0.95 * curve[0]


def test_matches_are_nearest_rows_of_the_same_class(digits):
    X, labels_X, y, labels_y, _ = digits
    fitted = ICPTranslator(max_iter=4).fit(X, y, labels_X, labels_y)
    assert np.array_equal(labels_y[fitted.matches_], labels_X)
    translated = fitted.transform(X)
    for i in range(0, 700, 50):
        same = np.flatnonzero(labels_y == labels_X[i])
        nearest = np.linalg.norm(y[same] - translated[i], axis=1).min()
        assert np.linalg.norm(y[fitted.matches_[i]] - translated[i]) == pytest.approx(nearest)


@pytest.mark.parametrize("max_iter", [1, 2, 5, 50])
def test_no_reflection_from_the_first_iteration_to_the_last(digits, max_iter):
    X, labels_X, y, labels_y, _ = digits
    mirrored = y * np.array([-1, 1, 1, 1, 1, 1, 1, 1])
    for target in (y, mirrored):
        translator = ICPTranslator(RigidTranslator(allow_reflection=False), max_iter=max_iter)
        fitted = translator.fit(X, target, labels_X, labels_y)
        assert np.linalg.det(fitted.translator_.coef_) == pytest.approx(1)


def test_a_start_that_is_a_reflection_is_refused():
    X, y, _ = clouds()
    mirrored = y * np.array([-1, 1, 1])
    start = RigidTranslator().fit(X, mirrored)
    with pytest.raises(ValueError, match="init is a reflection"):
        ICPTranslator(RigidTranslator(allow_reflection=False), init=start).fit(X, mirrored)
    ICPTranslator(RigidTranslator(), init=start).fit(X, mirrored)


def test_a_fitted_translator_may_be_the_start():
    X, y, order = clouds(angle=2.5)
    few = RigidTranslator().fit(X[:4] + 0.01, y[:4])
    translator = ICPTranslator(init=few).fit(X, y[order])
    assert_allclose(translator.transform(X), y, atol=1e-9)
    lost = ICPTranslator().fit(X, y[order])
    assert lost.energy_curve_[-1] > 0.1


def test_the_start_is_in_the_curve(digits):
    X, labels_X, y, labels_y, _ = digits
    X_means, y_means, _ = class_means(X, labels_X, y, labels_y)
    start = RigidTranslator().fit(X_means, y_means).transform(X)
    distances = np.full((len(X), len(y)), np.inf)
    for label in range(10):
        inside = np.ix_(labels_X == label, labels_y == label)
        distances[inside] = np.square(start[labels_X == label][:, None] - y[labels_y == label]).sum(
            -1
        )
    curve = ICPTranslator(max_iter=1).fit(X, y, labels_X, labels_y).energy_curve_
    assert curve[0] == pytest.approx(distances.min(axis=1).mean())


def test_classes_of_the_target_alone_are_left_out(digits):
    X, labels_X, y, labels_y, _ = digits
    known = labels_X < 5
    fitted = ICPTranslator(max_iter=2).fit(X[known], y, labels_X[known], labels_y)
    assert labels_y[fitted.matches_].max() < 5


def test_bad_input(digits):
    X, labels_X, y, labels_y, _ = digits
    with pytest.raises(ValueError, match="Give both source_labels and target_labels, or neither"):
        ICPTranslator().fit(X, y, labels_X)
    with pytest.raises(ValueError, match=r"Classes \[9\] are in source_labels and not in target"):
        ICPTranslator().fit(X, y[labels_y < 9], labels_X, labels_y[labels_y < 9])
    with pytest.raises(ValueError, match="source_labels has 3 entries for 700 rows"):
        ICPTranslator().fit(X, y, labels_X[:3], labels_y)
    with pytest.raises(ValueError, match="init='class_means' needs source_labels"):
        ICPTranslator(init="class_means").fit(X, y)
    with pytest.raises(ValueError, match="init='random' is unknown"):
        ICPTranslator(init="random").fit(X, y)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        ICPTranslator(init=RigidTranslator()).fit(X, y)
    with pytest.raises(ValueError, match="X contains NaN"):
        ICPTranslator().fit(X * np.nan, y)
    with pytest.raises(ValueError, match="max_iter=0 must be finite and at least 1"):
        ICPTranslator(max_iter=0).fit(X, y)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9])
def test_rows_far_from_the_origin_find_their_nearest(offset):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2)) + offset
    order = rng.permutation(50)
    y = X[order]
    found = ICPTranslator().fit(X, y)
    assert_array_equal(order[found.matches_], np.arange(50))
    assert_allclose(found.transform(X), X, rtol=1e-12)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_configured_output_does_not_reach_the_inside(library):
    pytest.importorskip(library)
    X, y = clouds()[:2]
    expected = ICPTranslator().fit(X, y).transform(X)
    init = RigidTranslator().fit(X, y)
    with config_context(transform_output=library):
        for found in (ICPTranslator(), ICPTranslator(init=init)):
            assert_allclose(found.fit(X, y).transform(X).to_numpy(), expected, atol=0.5)
    inner = RigidTranslator().set_output(transform=library)
    assert_allclose(ICPTranslator(inner).fit(X, y).transform(X), expected)
    assert isinstance(init.transform(X), np.ndarray)


def test_a_small_reflection_is_one_too():
    d = 330  # whose determinant is 0 in float64
    X = np.random.default_rng(0).normal(size=(400, d))
    mirror = 0.1 * np.diag([-1.0] + [1.0] * (d - 1))
    init = LstsqTranslator().fit(X, X @ mirror)
    assert np.linalg.det(mirror) == 0
    with pytest.raises(ValueError, match="init is a reflection"):
        ICPTranslator(RigidTranslator(allow_reflection=False), init=init).fit(X, X)


def test_labels_may_be_a_column():
    X, y = clouds()[:2]
    labels = (np.arange(len(X)) % 2)[:, None]
    found = ICPTranslator().fit(X, y, labels, labels)
    expected = ICPTranslator().fit(X, y, labels.ravel(), labels.ravel())
    assert_array_equal(found.matches_, expected.matches_)


def test_means_of_large_rows_do_not_overflow():
    X = np.full((3, 1), 1e308)
    means = class_means(X, [0, 0, 0], X, [0, 0, 0])
    assert_allclose(means[0], [[1e308]])


def test_class_means_of_tensors():
    torch = pytest.importorskip("torch")
    X, y = clouds()[:2]
    labels = np.arange(len(X)) % 3
    expected = class_means(X, labels, y, labels)
    with config_context(array_api_dispatch=True):
        found = class_means(torch.asarray(X), labels, torch.asarray(y), labels)
    for ours, theirs in zip(found, expected):
        assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_mean_of_equal_rows_is_their_value(dtype):
    labels = np.repeat(["a", "b", "c"], [49, 3, 98])
    X = np.full((150, 1), 0.7, dtype=dtype)
    assert_array_equal(class_means(X, labels, X, labels)[0], X[:3])


class Plain(BaseEstimator):
    """A transformer without a choice of output."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X

    def __sklearn_is_fitted__(self):
        return True


def test_a_step_without_a_choice_of_output():
    X, y = clouds()[:2]
    chain = make_pipeline(Plain(), RigidTranslator())
    expected = ICPTranslator(init=RigidTranslator().fit(X, X)).fit(X, y)
    for found in (
        ICPTranslator(init=clone(chain).fit(X, X)).fit(X, y),
        ICPTranslator(chain, init=RigidTranslator().fit(X, X)).fit(X, y),
    ):
        assert_allclose(found.transform(X), expected.transform(X))


def test_large_float32_rows():
    X = np.random.default_rng(0).uniform(1.8e38, 2.4e38, size=(60, 3)).astype(np.float32)
    assert_array_equal(ICPTranslator(max_iter=1).fit(X, X).matches_, np.arange(60))


def test_a_regressor_translates_by_its_predictions():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) * [1, 2, 3]
    y = rng.permutation(1.05 * X + 0.1)
    found = ICPTranslator(PLSRegression(3)).fit(X, y)
    assert isinstance(found.translator_, PLSRegression)
    assert_allclose(found.transform(X), found.translator_.predict(X))
    assert found.energy_curve_[-1] < 0.1 * found.energy_curve_[0]
    assert not hasattr(found, "inverse_transform")


def test_float32_stays_behind_a_translator_that_widens():
    X, y, order = clouds()
    X, y = X.astype(np.float32), y[order].astype(np.float32)
    translator = ICPTranslator(PLSRegression(1)).fit(X, y)
    assert translator.transform(X).dtype == np.float32


def test_a_start_that_knows_columns_by_name_does_not_warn():
    pd = pytest.importorskip("pandas")
    X, y, order = clouds()
    X, y = pd.DataFrame(X, columns=list("abc")), pd.DataFrame(y, columns=list("def"))
    for start in (RigidTranslator(), make_pipeline(PCA(), RigidTranslator())):
        start.fit(X, y)
        translator = ICPTranslator(init=start, max_iter=1).fit(X, y.iloc[order])
        assert_allclose(translator.transform(X), start.transform(X), atol=1e-6)
        assert list(start.feature_names_in_) == list("abc")


def test_a_regressor_may_be_the_start():
    X, y, order = clouds()
    start = LinearRegression().fit(X, y)
    assert_allclose(ICPTranslator(init=start).fit(X, y[order]).transform(X), y, atol=1e-6)


@pytest.mark.parametrize("missing", [np.nan, None])
def test_missing_labels_are_refused(missing):
    X, y, _ = clouds(n=6)
    labels = np.array([0, 0, 1, 1, 2, missing], dtype=object if missing is None else float)
    with pytest.raises(ValueError, match="labels_X has missing values"):
        class_means(X, labels, y, labels)
    with pytest.raises(ValueError, match="source_labels has missing values"):
        ICPTranslator().fit(X, y, labels, labels)
