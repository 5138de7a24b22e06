"""Latents that are awkward but legal must give the right answer, not an error or NaN."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from sklearn_latent import LOrthoTranslator, LstsqTranslator, ProcrustesTranslator, RigidTranslator

from .estimators import (
    LINEAR,
    MINIMAL,
    SCALINGS,
    TRANSLATORS,
    has_fixed_penalty,
    in_all_scalings,
    is_chosen_by_rows,
    make_pair,
    one_line,
    with_scaling,
)

every_translator = pytest.mark.parametrize("translator", TRANSLATORS, ids=one_line)
every_scaled = pytest.mark.parametrize("translator", in_all_scalings(TRANSLATORS), ids=one_line)
every_linear = pytest.mark.parametrize("translator", LINEAR, ids=one_line)
every_minimal = pytest.mark.parametrize("translator", MINIMAL, ids=one_line)
centring = pytest.mark.parametrize("scaling", ["standard", "center"])
constants = pytest.mark.parametrize("constant", [0.1, -3e7], ids="constant={}".format)

# Ways to give the same anchors and weights, of which rounding makes different means.
ROUTES = {
    "fit": lambda translator, X, y: translator.fit(X, y),
    "weights of sum 1": lambda translator, X, y: translator.fit(X, y, np.full(len(X), 1 / len(X))),
    "tiny weights": lambda translator, X, y: translator.fit(X, y, np.full(len(X), 1e-12)),
    "huge weights": lambda translator, X, y: translator.fit(X, y, np.full(len(X), 1e18)),
    "row by row": lambda translator, X, y: [
        translator.partial_fit(X[i : i + 1], y[i : i + 1]) for i in range(len(X))
    ][-1],
}


def leads_to_one_map(route, translator):
    if "weights" in route:
        return not has_fixed_penalty(translator)
    return route == "fit" or not is_chosen_by_rows(translator)


every_route = pytest.mark.parametrize(
    ("translator", "route"),
    [(t, route) for t in MINIMAL for route in ROUTES if leads_to_one_map(route, t)],
    ids=lambda value: value if isinstance(value, str) else one_line(value),
)


def with_column(a, index, value):
    return np.insert(a, index, value, axis=1)


@every_route
@constants
@centring
def test_constant_source_column_is_as_none(translator, scaling, constant, route):
    X, y = make_pair(n=100)
    X_new, _ = make_pair(seed=7)
    translator = with_scaling(translator, scaling)
    expected = clone(translator).fit(X, y)
    fitted = ROUTES[route](clone(translator), with_column(X, 2, constant), y)
    coef = np.delete(fitted.coef_, 2, axis=1)
    assert_allclose(coef, expected.coef_, rtol=1e-7, atol=1e-7)
    assert_allclose(fitted.coef_[:, 2], 0, atol=1e-6)
    out = fitted.transform(with_column(X_new, 2, constant))
    assert_allclose(out, expected.transform(X_new), rtol=1e-6, atol=1e-6)


@every_route
@constants
@centring
def test_constant_target_column_comes_back(translator, scaling, constant, route):
    X, y = make_pair(n=100)
    X_new, _ = make_pair(seed=7)
    translator = with_scaling(translator, scaling)
    expected = clone(translator).fit(X, y)
    fitted = ROUTES[route](clone(translator), X, with_column(y, 2, constant))
    out = fitted.transform(X_new)
    assert_allclose(out[:, 2], constant, rtol=1e-12, atol=1e-12)
    others = np.delete(out, 2, axis=1)
    assert_allclose(others, expected.transform(X_new), rtol=1e-6, atol=1e-6)


@centring
@every_linear
def test_value_of_a_constant_source_column_does_not_matter(translator, scaling):
    X, y = make_pair()
    translator = with_scaling(translator, scaling)
    outs = [
        clone(translator).fit(with_column(X, 2, constant), y).transform(with_column(X, 2, constant))
        for constant in (0, 0.1, -3e5)
    ]
    for out in outs[1:]:
        assert_allclose(out, outs[0], rtol=1e-7, atol=1e-7)


@every_linear
def test_constant_columns_leave_float32_finite(translator):
    X, y = make_pair(dtype="float32")
    X[:, 0], y[:, 0] = 0.1, -3e7
    out = clone(translator).set_params(scaling="standard").fit(X, y).transform(X + 1)
    assert np.all(np.isfinite(out))


@pytest.mark.parametrize("shift", [1e3, 1e6])
@centring
@every_linear
def test_shifted_spaces_give_shifted_output(translator, scaling, shift):
    X, y = make_pair()
    translator = with_scaling(translator, scaling)
    expected = clone(translator).fit(X, y).transform(X) - shift
    out = clone(translator).fit(X + shift, y - shift).transform(X + shift)
    assert_allclose(out, expected, rtol=1e-12, atol=shift * 1e-8)


@pytest.mark.parametrize("factor", [1e-100, 1e-3, 1e100])
@every_linear
def test_units_of_standardised_spaces_do_not_matter(translator, factor):
    X, y = make_pair()
    translator = with_scaling(translator, "standard")
    expected = clone(translator).fit(X, y).transform(X)
    assert_allclose(clone(translator).fit(X * factor, y).transform(X * factor), expected)
    assert_allclose(clone(translator).fit(X, y * factor).transform(X), expected * factor)


@pytest.mark.parametrize("n_distinct", [1, 2])
@every_scaled
def test_few_distinct_rows_give_a_finite_map(translator, n_distinct):
    X, y = (np.resize(side[:n_distinct], (8, side.shape[1])) for side in make_pair())
    translator = clone(translator).fit(X, y)
    assert np.all(np.isfinite(translator.transform(X + 1)))
    if hasattr(translator, "inverse_transform"):
        assert np.all(np.isfinite(translator.inverse_transform(y + 1)))


@centring
@every_minimal
def test_equal_source_rows_map_all_to_the_mean_of_the_target(translator, scaling):
    X, y = make_pair()
    translator = with_scaling(translator, scaling).fit(np.tile(X[:1], (len(X), 1)), y)
    assert translator.rank_ == 0
    assert_allclose(translator.transform(X), np.tile(y.mean(axis=0), (len(X), 1)))
    assert np.all(np.isfinite(translator.inverse_transform(y)))


def unit_rows(a):
    norms = np.sqrt(np.sum(a**2, axis=1, keepdims=True))
    return np.divide(a, norms, out=np.zeros_like(a), where=norms > 0)


def with_zero_rows(a):
    a = a.copy()
    a[[0, 3]] = 0
    return a


@pytest.mark.parametrize("target", ["standard", "center", None])
@every_linear
def test_source_normalisation_is_none_on_unit_rows(translator, target):
    X, y = make_pair()
    X = with_zero_rows(X)
    normalised = with_scaling(translator, ("l2", target)).fit(X, y)
    expected = with_scaling(translator, (None, target)).fit(unit_rows(X), y)
    assert_allclose(normalised.coef_, expected.coef_, rtol=1e-9, atol=1e-9)
    assert_allclose(normalised.transform(X), expected.transform(unit_rows(X)), atol=1e-9)
    assert_allclose(normalised.transform(X * 5), normalised.transform(X), atol=1e-9)


@pytest.mark.parametrize("source", ["standard", "center", None])
@every_linear
def test_target_normalisation_is_none_on_unit_rows_and_undone_by_the_mean_norm(translator, source):
    X, y = make_pair()
    y = with_zero_rows(y)
    out = with_scaling(translator, (source, "l2")).fit(X, y).transform(X)
    expected = with_scaling(translator, (source, None)).fit(X, unit_rows(y)).transform(X)
    mean_norm = np.mean(np.sqrt(np.sum(y**2, axis=1)))
    assert_allclose(out, mean_norm * expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scaling", ["l2", ("l2", "standard"), ("l2", None)], ids=str)
@every_linear
def test_zero_rows_translate_to_the_image_of_zero(translator, scaling, dtype):
    X, y = make_pair(dtype=dtype)
    translator = with_scaling(translator, scaling).fit(with_zero_rows(X), with_zero_rows(y))
    out = translator.transform(with_zero_rows(X))
    assert np.all(np.isfinite(out))
    assert_allclose(out[[0, 3]], np.tile(translator.intercept_, (2, 1)))


@every_linear
def test_latents_that_are_all_zero_give_finite_maps_under_normalisation(translator):
    X, y = make_pair()
    translator = with_scaling(translator, "l2")
    for given_X, given_y in ((X * 0, y), (X, y * 0), (X * 0, y * 0)):
        fitted = clone(translator).fit(given_X, given_y)
        assert np.all(np.isfinite(fitted.transform(X)))
        assert np.all(np.isfinite(fitted.transform(X * 0)))


FAR_BELOW = {"n": 5, "d_source": 60, "d_target": 40}


def standardised(a):
    mean, std = a.mean(axis=0), a.std(axis=0)
    return (a - mean) / std, mean, std


def polar(a):
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    kept = s > 1e-9 * s[0]
    return u[:, kept] @ vt[kept]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("translator", "solve"),
    [
        (ProcrustesTranslator(), lambda X, y: polar(X.T @ y)),
        (LstsqTranslator(), lambda X, y: np.linalg.pinv(X, rcond=1e-9) @ y),
        (LOrthoTranslator(), lambda X, y: polar(np.linalg.pinv(X, rcond=1e-9) @ y)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_far_fewer_anchors_than_dimensions(translator, solve, dtype):
    X, y = make_pair(**FAR_BELOW, dtype=dtype)
    X_new = make_pair(**FAR_BELOW, seed=3)[0].astype(dtype)
    out = clone(translator).fit(X, y).transform(X_new)
    X_scaled, X_mean, X_std = standardised(X.astype("float64"))
    y_scaled, y_mean, y_std = standardised(y.astype("float64"))
    expected = (X_new - X_mean) / X_std @ solve(X_scaled, y_scaled) * y_std + y_mean
    assert_allclose(out, expected, rtol=0, atol=1e-4 if dtype == "float32" else 1e-9)


@pytest.mark.parametrize("scaling", SCALINGS, ids=str)
def test_least_squares_on_few_anchors_hits_them(scaling):
    X, y = make_pair(**FAR_BELOW)
    if scaling == "l2" or scaling == ("center", "l2"):  # undone by one norm for all rows
        y = unit_rows(y) * 7
    translator = LstsqTranslator(scaling=scaling, fit_intercept=True).fit(X, y)
    assert translator.rank_ == 4
    assert_allclose(translator.transform(X), y, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("allow_reflection", [False, True])
@pytest.mark.parametrize("d_target", [40, 60, 70])
def test_rigid_map_of_few_anchors_is_rigid(allow_reflection, d_target):
    X, y = make_pair(n=5, d_source=60, d_target=d_target)
    coef = RigidTranslator(allow_reflection=allow_reflection).fit(X, y).coef_
    product = coef @ coef.T if d_target < 60 else coef.T @ coef
    assert_allclose(product, np.eye(min(60, d_target)), atol=1e-10)
    if d_target == 60 and not allow_reflection:
        assert np.linalg.det(coef) > 0


@every_scaled
def test_two_anchors_are_enough(translator):
    X, y = make_pair(**FAR_BELOW | {"n": 2})
    translator = clone(translator).fit(X, y)
    assert np.all(np.isfinite(translator.transform(X)))
    if hasattr(translator, "inverse_transform"):
        assert np.all(np.isfinite(translator.inverse_transform(y)))


@every_scaled
def test_one_dimension_on_both_sides(translator):
    X, y = make_pair(d_source=1, d_target=1)
    out = clone(translator).fit(X, y).transform(X)
    assert out.shape == (30, 1)
    assert np.all(np.isfinite(out))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_minimal
def test_repeated_source_columns_share_what_one_had(translator, dtype):
    X, y = make_pair(dtype=dtype)
    doubled = np.concatenate([X, X], axis=1)
    fitted = with_scaling(translator, "standard").fit(doubled, y)
    tolerance = 1e-4 if dtype == "float32" else 1e-9
    assert_allclose(fitted.coef_[:, :6], fitted.coef_[:, 6:], rtol=tolerance, atol=tolerance)
    assert fitted.rank_ <= 6
