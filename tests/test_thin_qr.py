"""QR by products is as good as LAPACK's, and leaves to LAPACK what it cannot do."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_latent import ProcrustesTranslator
from sklearn_latent._array import to_numpy
from sklearn_latent._second_moments import Factor
from sklearn_latent.solvers import thin_qr as thin_qr_module
from sklearn_latent.solvers.procrustes import procrustes
from sklearn_latent.solvers.thin_qr import thin_qr


def few_rows(condition=10.0, m=30, d=120, seed=0):
    """Rows (m, d) whose singular values fall evenly from 1e3 to 1e3 / condition."""
    rng = np.random.default_rng(seed)
    u = np.linalg.qr(rng.normal(size=(m, m)))[0]
    v = np.linalg.qr(rng.normal(size=(d, m)))[0]
    return (u * np.geomspace(1e3, 1e3 / condition, m)) @ v.T


@pytest.fixture
def lapack(monkeypatch):
    """The shapes that were left to LAPACK."""
    shapes, qr = [], thin_qr_module.qr

    def recorded(a):
        shapes.append(a.shape)
        return qr(a)

    monkeypatch.setattr(thin_qr_module, "qr", recorded)
    return shapes


def assert_is_qr_of(rows, Q, R, orthogonal_to=1e-13):
    assert_allclose(Q.T @ Q, np.eye(Q.shape[1]), rtol=0, atol=orthogonal_to)
    assert_allclose(Q @ R, rows.T, rtol=0, atol=1e-14 * np.linalg.norm(rows))


@pytest.mark.parametrize("condition", [1, 30, 300, 5e3])
def test_it_is_a_factorisation_without_lapack(lapack, condition):
    rows = few_rows(condition)
    Q, R = thin_qr(rows)
    assert (Q.shape, R.shape, lapack) == ((120, 30), (30, 30), [])
    assert_is_qr_of(rows, Q, R, orthogonal_to=1e-12 if condition < 100 else 1e-13)


@pytest.mark.parametrize("condition", [1e5, 1e9])
def test_an_ill_conditioned_one_is_left_to_lapack(lapack, condition):
    rows = few_rows(condition)
    assert_is_qr_of(rows, *thin_qr(rows))
    assert lapack == [(120, 30)]


@pytest.mark.parametrize("condition", [3, 100])
def test_rows_that_depend_on_others_leave_the_rank(lapack, condition):
    rows = few_rows(condition)
    for dependent, rank in [
        (rows - rows.mean(axis=0), 29),
        (np.vstack([rows, rows[:5], np.zeros((2, 120))]), 30),
    ]:
        Q, R = thin_qr(dependent)
        assert (Q.shape, R.shape) == ((120, rank), (rank, len(dependent)))
        assert_is_qr_of(dependent, Q, R, orthogonal_to=1e-12)
    assert lapack == []


@pytest.mark.parametrize("size", [1e-7, 1e-10, 1e-12])
def test_a_small_direction_is_not_taken_for_rounding(lapack, size):
    rows = few_rows(3.0, seed=1)
    rows = np.vstack([rows, rows[0] + size * np.linalg.norm(rows[0]) * np.eye(120)[0]])
    Q, R = thin_qr(rows)
    assert R.shape == (31, 31)
    assert len(lapack) == 1
    assert_is_qr_of(rows, Q, R)


def test_small_rows_count_as_much_as_large_ones(lapack):
    # What is next to nothing in x alone is not so in the product of x and y.
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(20, 100)), rng.normal(size=(20, 90))
    expected, s, _ = procrustes(Factor(x, y))
    size = np.geomspace(1e-150, 1e150, 20)[:, None]
    W, found, rank = procrustes(Factor(x * size, y / size))
    assert_allclose(found, s, rtol=1e-12)
    assert_allclose(W, expected, atol=1e-12)
    assert (rank, lapack) == (20, [])


def test_float32_where_there_is_nothing_wider():
    rows = few_rows(30.0).astype(np.float32)
    Q, R = thin_qr(rows)
    assert Q.dtype == R.dtype == np.float32
    assert_allclose(Q.T @ Q, np.eye(30), atol=2e-6)
    assert_allclose(Q @ R, rows.T, atol=1e-6 * np.linalg.norm(rows))


@pytest.mark.parametrize("m", [1, 2, 40, 41, 120])
def test_any_number_of_rows(m, lapack):
    rows = few_rows(2.0, m=m)
    assert_is_qr_of(rows, *thin_qr(rows))
    assert bool(lapack) == (m > 40)  # more than a third of their length


def test_rows_of_zeros(lapack):
    Q, R = thin_qr(np.zeros((3, 9)))
    assert_is_qr_of(np.zeros((3, 9)), Q, R)
    some = np.vstack([few_rows(2.0, m=3), np.zeros((2, 120))])
    Q, R = thin_qr(some)
    assert (R.shape, lapack) == ((3, 5), [(9, 3)])
    assert_is_qr_of(some, Q, R)


def test_squares_of_rows_that_overflow_together():
    # every column's sum of squares is finite, not so that of a row
    rng = np.random.default_rng(5)
    X, y = rng.choice([-1.5e153, 1.5e153], (4, 2000)), rng.normal(size=(4, 3))
    translator = ProcrustesTranslator(scaling="center").fit(X, y)
    expected = ProcrustesTranslator(scaling="center").fit(X / 1e153, y)
    assert_allclose(translator.coef_, expected.coef_, atol=1e-12)


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
@pytest.mark.parametrize("condition", [10, 1e3, 1e6])
def test_other_libraries_agree(library, condition):
    xp = pytest.importorskip(library)
    rows = few_rows(condition)
    Q, R = (to_numpy(factor) for factor in thin_qr(xp.asarray(rows)))
    assert_is_qr_of(rows, Q, R, orthogonal_to=1e-12)


@pytest.mark.parametrize("condition", [10, 1e2, 1e3, 5e3])
def test_a_rotation_is_recovered_in_its_weak_directions_too(lapack, condition):
    # The error of the map relative to it grows with the condition number, not with its square.
    rows = few_rows(condition)
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(120, 120)))[0]
    W = procrustes(Factor(rows, rows @ rotation))[0]
    expected = np.linalg.pinv(rows) @ rows @ rotation
    assert np.linalg.norm(W - expected) < 1e-15 * max(condition, 30) * np.linalg.norm(expected)
    assert lapack == []


def test_a_translator_fits_few_anchors_without_lapack(lapack):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 130))
    y = X @ np.linalg.qr(rng.normal(size=(130, 130)))[0] + 0.1 * rng.normal(size=(40, 130))
    translator = ProcrustesTranslator(scaling="center").fit(X, y)
    assert (translator.rank_, len(translator.singular_values_), lapack) == (39, 39, [])
    u, s, vt = np.linalg.svd((X - X.mean(axis=0)).T @ (y - y.mean(axis=0)))
    assert_allclose(translator.singular_values_, s[:39], rtol=1e-12)
    assert_allclose(translator.coef_, (u[:, :39] @ vt[:39]).T, atol=1e-12)
