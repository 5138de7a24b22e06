"""What must be refused, and what the error says."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from sklearn_latent import (
    AbsoluteTranslator,
    AffineTranslator,
    KernelTranslator,
    LOrthoTranslator,
    LstsqTranslator,
    Rescaler,
    RidgeTranslator,
    ZeroPadder,
)

from .estimators import (
    ANCHORED,
    CLASSES,
    FIRST,
    INVERTIBLE,
    LINEAR,
    PAIRED,
    SCALED,
    WEIGHTED,
    make_pair,
    one_line,
)


def classes_of(instances):
    classes = list(dict.fromkeys(map(type, instances)))
    return pytest.mark.parametrize("cls", classes, ids=lambda cls: cls.__name__)


every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
every_paired = classes_of(PAIRED)
every_weighted = classes_of(WEIGHTED)
every_scaled = classes_of(SCALED)
every_anchored = classes_of(ANCHORED)
every_invertible = classes_of(INVERTIBLE)
every_linear = classes_of(LINEAR)

X, y = make_pair(n=8)
for side in (X, y):
    side.flags.writeable = False


def having(array, value):
    array = array.copy()
    array[1, 2] = value
    return array


def words(array):
    return np.full(array.shape, "word")


def table(cases):
    """Parametrise by the columns of a table whose keys are the ids."""
    return [pytest.param(*case, id=name) for name, case in cases.items()]


BAD_PAIRS = {
    "fewer rows in y": (X, y[:-1], ValueError, "X has 8 rows and y has 7: row i of both must be"),
    "fewer rows in X": (X[:-1], y, ValueError, "X has 7 rows and y has 8: row i of both must be"),
    "no rows": (X[:0], y[:0], ValueError, r"0 sample\(s\)"),
    "no rows in X": (X[:0], y, ValueError, r"0 sample\(s\)"),
    "no rows in y": (X, y[:0], ValueError, r"0 sample\(s\)"),
    "no columns in X": (X[:, :0], y, ValueError, r"0 feature\(s\)"),
    "no columns in y": (X, y[:, :0], ValueError, r"0 feature\(s\)"),
    "no X": (None, y, ValueError, "Expected 2D array, got scalar"),
    "no y": (X, None, ValueError, "requires y to be passed, but the target y is None"),
    "NaN in X": (having(X, np.nan), y, ValueError, "Input X contains NaN"),
    "NaN in y": (X, having(y, np.nan), ValueError, "Input y contains NaN"),
    "inf in X": (having(X, np.inf), y, ValueError, "Input X contains infinity"),
    "inf in y": (X, having(y, -np.inf), ValueError, "Input y contains infinity"),
    "NaN in a frame": (pd.DataFrame(having(X, np.nan)), y, ValueError, "Input X contains NaN"),
    "None in y": (X, [[None] * 4] * 8, ValueError, "Input y contains NaN"),
    "NaN in a 1-D y": (X, having(y, np.nan)[:, 2], ValueError, "Input y contains NaN"),
    "a number for X": (np.float64(3), y, ValueError, "Expected 2D array, got scalar"),
    "a number for y": (X, np.float64(3), TypeError, "at least 1 dimension|Singleton array"),
    "1-D X": (X[:, 0], y, ValueError, "Expected 2D array, got 1D array"),
    "3-D X": (X[None], y, ValueError, "Found array with dim 3"),
    "3-D y": (X, y[:, :, None], ValueError, "Found array with dim 3"),
    "strings in X": (words(X), y, ValueError, "could not convert string to float: .*word"),
    "strings in y": (X, words(y), ValueError, "y are strings, as class labels may be"),
    "numbers as strings": (X, np.arange(8).astype(str), ValueError, "y are strings"),
    "labels for y": (X, ["cat"] * 8, ValueError, "y are strings, as class labels may be"),
    "complex X": (X + 1j, y, ValueError, "Complex data not supported"),
    "complex y": (X, y * 1j, ValueError, "Complex data not supported"),
    "sparse array X": (scipy.sparse.csr_array(X), y, TypeError, "Sparse data was passed for X"),
    "sparse array y": (X, scipy.sparse.csr_array(y), TypeError, "Sparse data was passed for y"),
    "sparse matrix X": (scipy.sparse.csr_matrix(X), y, TypeError, "Sparse data was passed for X"),
    "sparse matrix y": (X, scipy.sparse.csr_matrix(y), TypeError, "Sparse data was passed for y"),
    "ragged X": ([[1, 2], [3]] * 4, y, ValueError, "inhomogeneous shape"),
    "ragged y": (X, [[1, 2], [3]] * 4, ValueError, "inhomogeneous shape"),
    "text for X": ("latents", y, ValueError, "could not convert string to float: 'latents'"),
    "dict for y": (X, {"a": 1}, TypeError, "must be a string or a real number, not 'dict'"),
}


@pytest.mark.parametrize(("given_X", "given_y", "error", "message"), table(BAD_PAIRS))
@every_paired
def test_bad_pairs_are_refused(cls, given_X, given_y, error, message):
    with pytest.raises(error, match=message):
        cls().fit(given_X, given_y)
    if hasattr(cls, "partial_fit"):
        with pytest.raises(error, match=message):
            cls().partial_fit(given_X, given_y)


@every_linear
def test_one_row_is_no_map(cls):
    message = r"needs at least 2 anchors of positive weight; got 1 sample\. Give more rows"
    with pytest.raises(ValueError, match=message):
        cls().fit(X[:1], y[:1])
    with pytest.raises(ValueError, match=message):
        cls().fit(X, y, sample_weight=np.arange(8) == 3)


BAD_WEIGHTS = {
    "too few": (np.ones(7), "Found input|sample_weight has shape .7,.; expected one weight"),
    "too many": (np.ones(9), "sample_weight has shape .9,.; expected one weight for each of the 8"),
    "two-dimensional": (np.ones((8, 1)), "sample_weight has shape .8, 1.; expected one weight"),
    "a matrix": (np.ones((8, 8)), "sample_weight has shape .8, 8.; expected one weight"),
    "negative": (np.arange(8) - 1.0, "Negative values in sample_weight"),
    "NaN": (np.where(np.arange(8) == 3, np.nan, 1), "Input sample_weight contains NaN"),
    "inf": (np.where(np.arange(8) == 3, np.inf, 1), "Input sample_weight contains infinity"),
    "all zero": (np.zeros(8), "sample_weight is zero for every row"),
    "strings": (["heavy"] * 8, "could not convert string to float: 'heavy'"),
    "NaN for all": (float("nan"), "Input sample_weight contains NaN"),
    "negative for all": (-1, "Negative values in sample_weight"),
}


@pytest.mark.parametrize(("weight", "message"), table(BAD_WEIGHTS))
@every_weighted
def test_bad_weights_are_refused(cls, weight, message):
    with pytest.raises(ValueError, match=message):
        cls().fit(X, y, sample_weight=weight)
    # A batch may weigh nothing, so long as others do.
    if hasattr(cls, "partial_fit") and "zero for every row" not in message:
        with pytest.raises(ValueError, match=message):
            cls().partial_fit(X, y, sample_weight=weight)


UNKNOWN_SCALING = "is unknown: use one of 'standard', 'center', 'l2', None, or a pair"
BAD_SCALINGS = ["minmax", "Standard", "", 1, True, (), ("l2",), ["l2"] * 3, ("l2", "x"), (("l2",),)]


@pytest.mark.parametrize("scaling", BAD_SCALINGS, ids=repr)
@every_scaled
def test_unknown_scaling_is_refused(cls, scaling):
    with pytest.raises(ValueError, match=UNKNOWN_SCALING):
        cls(scaling=scaling).fit(X, y)
    if hasattr(cls, "partial_fit"):
        with pytest.raises(ValueError, match=UNKNOWN_SCALING):
            cls(scaling=scaling).partial_fit(X, y)


NOT_A_COUNT = "n_anchors must be None, an int, or a float in .0, 1.; got"
BAD_COUNTS = {
    "zero": (0, ValueError, "n_anchors=0 is not between 2 and the number of rows, 8"),
    "more than rows": (9, ValueError, "n_anchors=9 is not between 2 and the number of rows, 8"),
    "negative": (-1, ValueError, "n_anchors=-1 is not between 2 and the number of rows, 8"),
    "share of zero": (0.0, ValueError, "n_anchors=0.0 as a fraction of the rows must be in"),
    "share above one": (1.5, ValueError, "n_anchors=1.5 as a fraction of the rows must be in"),
    "negative share": (-0.1, ValueError, "n_anchors=-0.1 as a fraction of the rows must be in"),
    "NaN": (float("nan"), ValueError, "n_anchors=nan as a fraction of the rows must be in"),
    "one anchor": (1, ValueError, "n_anchors=1 is not between 2 and the number of rows, 8"),
    "share of one anchor": (0.1, ValueError, "needs at least 2 anchors.* or a larger n_anchors"),
    "True": (True, TypeError, NOT_A_COUNT + " True of type bool"),
    "text": ("10", TypeError, NOT_A_COUNT + " '10' of type str"),
    "list": ([3], TypeError, NOT_A_COUNT + r" \[3\] of type list"),
    "complex": (2j, TypeError, NOT_A_COUNT + " 2j of type complex"),
}


@pytest.mark.parametrize(("n_anchors", "error", "message"), table(BAD_COUNTS))
@every_anchored
def test_bad_numbers_of_anchors_are_refused(cls, n_anchors, error, message):
    with pytest.raises(error, match=message):
        cls(n_anchors=n_anchors, random_state=0).fit(X, y)


@every_linear
def test_rows_of_weight_zero_do_not_count_for_n_anchors(cls):
    weight = [0, 0, 1, 1, 1, 1, 1, 1]
    with pytest.raises(ValueError, match=r"n_anchors=7 is not between 2 and .* rows, 6"):
        cls(n_anchors=7).fit(X, y, sample_weight=weight)


UNKNOWN_SELECTION = "is unknown: use one of 'uniform', 'kmeans', 'farthest', or a callable"
BAD_SELECTIONS = {
    "unknown": ("random", f"anchor_selection='random' {UNKNOWN_SELECTION}"),
    "None": (None, f"anchor_selection=None {UNKNOWN_SELECTION}"),
    "number": (3, f"anchor_selection=3 {UNKNOWN_SELECTION}"),
    "too few": (lambda X, n, rng: [0, 1], "returned 2 indices; expected 3 distinct integers"),
    "too many": (lambda X, n, rng: range(8), "returned 8 indices; expected 3 distinct integers"),
    "none": (lambda X, n, rng: [], "returned .*; expected 3 distinct integers from 0 to 7"),
    "repeated": (lambda X, n, rng: [0, 1, 1], "returned indices with repetitions"),
    "too large": (lambda X, n, rng: [0, 1, 8], "returned indices from 0 to 8; .* from 0 to 7"),
    "negative": (lambda X, n, rng: [-1, 0, 1], "returned indices from -1 to 1"),
    "floats": (lambda X, n, rng: [0.0, 1.0, 2.0], "returned .* dtype float64"),
    "a mask": (lambda X, n, rng: np.arange(8) < n, "returned .* dtype bool"),
    "two-dimensional": (lambda X, n, rng: [[0, 1, 2]], r"returned an array of shape \(1, 3\)"),
    "nothing": (lambda X, n, rng: None, "returned .* dtype object"),
}


@pytest.mark.parametrize(("selection", "message"), table(BAD_SELECTIONS))
@every_anchored
def test_bad_anchor_selections_are_refused(cls, selection, message):
    with pytest.raises(ValueError, match=message):
        cls(n_anchors=3, anchor_selection=selection).fit(X, y)


@every_anchored
def test_bad_random_state_is_refused(cls):
    with pytest.raises(ValueError, match="'seed' cannot be used to seed"):
        cls(n_anchors=3, random_state="seed").fit(X, y)


BAD_ROWS = {
    "fewer columns": (X[:, :5], ValueError, "X has 5 features, but .* is expecting 6 features"),
    "more columns": (np.ones((2, 7)), ValueError, "X has 7 features, but .* is expecting 6"),
    "one row alone": (X[0], ValueError, "Expected 2D array, got 1D array"),
    "no rows": (X[:0], ValueError, r"0 sample\(s\)"),
    "3-D": (X[None], ValueError, "Found array with dim 3"),
    "NaN": (having(X, np.nan), ValueError, "Input X contains NaN"),
    "inf": (having(X, np.inf), ValueError, "Input X contains infinity"),
    "strings": (words(X), ValueError, "could not convert string to float"),
    "complex": (X * 1j, ValueError, "Complex data not supported"),
    "sparse array": (scipy.sparse.csr_array(X), TypeError, "Sparse data was passed for X"),
    "sparse matrix": (scipy.sparse.csc_matrix(X), TypeError, "Sparse data was passed for X"),
    "nothing": (None, ValueError, "Expected 2D array, got scalar"),
}


@pytest.mark.parametrize(("given", "error", "message"), table(BAD_ROWS))
@pytest.mark.parametrize("estimator", FIRST, ids=lambda instance: type(instance).__name__)
def test_bad_latents_are_not_translated(estimator, given, error, message):
    fitted = clone(estimator).fit(X, y)
    for method in ("transform", "predict"):
        if hasattr(fitted, method):
            with pytest.raises(error, match=message):
                getattr(fitted, method)(given)


BAD_TARGETS = {
    "fewer columns": (y[:, :3], ValueError, "y has 3 columns, but .* is expecting 4"),
    "the source": (X, ValueError, "y has 6 columns, but .* is expecting 4, the target's dim"),
    "one row alone": (y[0], ValueError, "Expected 2D array, got 1D array"),
    "no rows": (y[:0], ValueError, r"0 sample\(s\)"),
    "NaN": (having(y, np.nan), ValueError, "Input y contains NaN"),
    "inf": (having(y, np.inf), ValueError, "Input y contains infinity"),
    "strings": (words(y), ValueError, "could not convert string to float"),
    "sparse array": (scipy.sparse.csr_array(y), TypeError, "Sparse data was passed for y"),
}


@pytest.mark.parametrize(("given", "error", "message"), table(BAD_TARGETS))
@every_invertible
def test_bad_targets_are_not_mapped_back(cls, given, error, message):
    with pytest.raises(error, match=message):
        cls().fit(X, y).inverse_transform(given)


@every_invertible
def test_a_row_of_several_columns_is_not_mapped_back_as_a_column(cls):
    fitted = cls().fit(X, y[:, 0])
    with pytest.raises(ValueError, match=r"y has 4 columns, but .* is expecting 1"):
        fitted.inverse_transform(y)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("transform", [X]),
        ("predict", [X]),
        ("score", [X, y]),
        ("inverse_transform", [y]),
        ("get_feature_names_out", []),
    ],
)
@every_class
def test_not_fitted(cls, method, arguments):
    if hasattr(cls, method) and get_tags(cls()).requires_fit:
        with pytest.raises(NotFittedError, match=f"{cls.__name__}.* is not fitted yet"):
            getattr(cls(), method)(*arguments)


@every_linear
def test_fitted_attributes_are_absent_before_fit(cls):
    translator = cls()
    for name in ("coef_", "intercept_", "n_anchors_", "anchor_indices_"):
        with pytest.raises(AttributeError, match=f"'{cls.__name__}' object has no attribute"):
            getattr(translator, name)


@every_linear
def test_batches_keep_their_dimensions(cls):
    translator = cls().partial_fit(X, y)
    with pytest.raises(ValueError, match=r"X has 5 features, but .* is expecting 6 features"):
        translator.partial_fit(X[:, :5], y)
    with pytest.raises(ValueError, match=r"y has 3 columns, but .* has seen 4 so far"):
        translator.partial_fit(X, y[:, :3])
    with pytest.raises(ValueError, match=r"y has 1 columns, but .* has seen 4 so far"):
        translator.partial_fit(X, y[:, 0])


RATE, STEPS, TOL = "learning_rate_init", "max_iter", "tol"
BAD_DESCENTS = {
    "rate of zero": ({RATE: 0}, ValueError, f"{RATE}=0 must be finite and above 0"),
    "negative rate": ({RATE: -1e-3}, ValueError, f"{RATE}=-0.001 must be finite and above 0"),
    "NaN for rate": ({RATE: np.nan}, ValueError, f"{RATE}=.*nan.* must be finite and above 0"),
    "infinite rate": ({RATE: np.inf}, ValueError, f"{RATE}=.*inf.* must be finite and above 0"),
    "text for rate": ({RATE: "1e-3"}, TypeError, f"{RATE} must be a number; got '1e-3'"),
    "True for rate": ({RATE: True}, TypeError, f"{RATE} must be a number; got True"),
    "no rate": ({RATE: None}, TypeError, f"{RATE} must be a number; got None"),
    "no steps": ({STEPS: 0}, ValueError, f"{STEPS}=0 must be finite and at least 1"),
    "negative steps": ({STEPS: -5}, ValueError, f"{STEPS}=-5 must be finite and at least 1"),
    "half a step": ({STEPS: 1.5}, TypeError, f"{STEPS} must be an integer; got 1.5"),
    "True for steps": ({STEPS: True}, TypeError, f"{STEPS} must be an integer; got True"),
    "negative tol": ({TOL: -1e-9}, ValueError, f"{TOL}=-1e-09 must be finite and at least 0"),
    "NaN for tol": ({TOL: np.nan}, ValueError, f"{TOL}=.*nan.* must be finite and at least 0"),
    "text for tol": ({TOL: "small"}, TypeError, f"{TOL} must be a number; got 'small'"),
    "unknown device": ({"device": "tpu"}, ValueError, "device='tpu' is unknown: use 'auto'"),
    "no device": ({"device": None}, ValueError, "device=None is unknown: use 'auto'"),
    "device by number": ({"device": 0}, ValueError, "device=0 is unknown: use 'auto'"),
    "no number": ({"device": "cuda:"}, ValueError, "device='cuda:' is unknown: use 'auto'"),
}


@pytest.mark.parametrize(("options", "error", "message"), table(BAD_DESCENTS))
def test_bad_options_of_the_descent_are_refused(options, error, message):
    for method in ("fit", "partial_fit"):
        with pytest.raises(error, match=message):
            getattr(AffineTranslator(**options), method)(X, y)


def test_absent_gpu_is_refused():
    try:
        import torch
    except ImportError:
        device, error = "cuda", ImportError
        message = r"device='cuda' needs PyTorch: pip install 'sklearn_latent\[torch\]'"
    else:
        device, error = ("cuda:99" if torch.cuda.is_available() else "cuda"), ValueError
        message = f"torch sees {torch.cuda.device_count()} such device.* Use device='auto' or 'cpu'"
    with pytest.raises(error, match=message):
        AffineTranslator(device=device).fit(X, y)


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (cls, name)
        for cls in dict.fromkeys(map(type, LINEAR))
        for name, value in cls().get_params().items()
        if isinstance(value, bool)
    ],
)
@pytest.mark.parametrize("value", ["yes", 1, 0, None], ids=repr)
def test_switches_are_true_or_false(cls, name, value):
    with pytest.raises(ValueError, match=f"{name}={value!r} is unknown: use one of True, False"):
        cls(**{name: value}).fit(X, y)


BAD_WIDTHS = {
    "too few": (5, ValueError, "X has 6 columns, more than n_features=5: padding only adds"),
    "zero": (0, ValueError, "n_features=0 must be finite and at least 1"),
    "negative": (-6, ValueError, "n_features=-6 must be finite and at least 1"),
    "half": (7.5, TypeError, "n_features must be an integer; got 7.5"),
    "True": (True, TypeError, "n_features must be an integer; got True"),
    "text": ("8", TypeError, "n_features must be an integer; got '8'"),
}


@pytest.mark.parametrize(("n_features", "error", "message"), table(BAD_WIDTHS))
def test_bad_widths_of_padding_are_refused(n_features, error, message):
    with pytest.raises(error, match=message):
        ZeroPadder(n_features).fit(X)


def test_cropping_wants_the_padded_width():
    padder = ZeroPadder(9).fit(X)
    with pytest.raises(ValueError, match="X has 6 columns, but ZeroPadder is expecting 9"):
        padder.inverse_transform(X)
    with pytest.raises(ValueError, match="contains NaN"):
        padder.inverse_transform(np.full((2, 9), np.nan))


def test_maps_beyond_the_range_of_the_dtype_are_refused():
    dtype = "float32"  # in float64 squares go out of range first: see below
    small_X, large_y = (X * 1e-25).astype(dtype), (y * 1e20).astype(dtype)
    translator = LstsqTranslator(scaling=None)
    message = f"map of LstsqTranslator overflows {dtype}.* Rescale them"
    with pytest.raises(ValueError, match=message):
        translator.fit(small_X, large_y)
    streamed = LstsqTranslator(scaling=None).partial_fit(small_X, large_y)
    for _ in range(2):  # and stays an error
        with pytest.raises(ValueError, match=message):
            streamed.transform(small_X)


@every_linear
def test_squares_beyond_the_range_of_float64_are_refused(cls):
    with pytest.raises(ValueError, match="squares of X or y overflow float64: rescale"):
        cls().fit(X * 1e200, y)
    with pytest.raises(ValueError, match="squares of X vanish in float64: rescale"):
        cls().fit(X * 1e-160, y)
    with pytest.raises(ValueError, match="squares of y vanish in float64: rescale"):
        cls().fit(X, y * 1e-160)


@pytest.mark.parametrize("translator", LINEAR, ids=one_line)
def test_rows_of_weight_zero_must_be_finite_too(translator):
    X, y = make_pair()
    X[0] = np.nan
    weight = np.arange(len(X)) > 0
    with pytest.raises(ValueError, match="Input X contains NaN"):
        clone(translator).fit(X, y, sample_weight=weight)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        clone(translator).partial_fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=repr)
@pytest.mark.parametrize("n_columns", [1, 2, 40])
@pytest.mark.parametrize("order", ["C", "F"])
def test_no_value_is_overlooked_in_a_column_that_the_map_ignores(value, n_columns, order):
    rng = np.random.default_rng(0)
    anchors = rng.normal(size=(100, 5)).astype(np.float32)
    anchors[:, 3] = 1  # constant, so its coefficients are 0, but for rounding in some libraries
    translator = LstsqTranslator().fit(anchors, np.tile(anchors[:, :1], n_columns))
    assert np.all(np.abs(translator.coef_[:, 3]) < 1e-12)
    translator.coef_[:, 3] = 0
    rows = np.array(rng.normal(size=(3000, 5)), dtype=np.float32, order=order)
    translator.transform(rows)
    for row in (0, 1717, 2999):
        bad = rows.copy(order="K")
        bad[row, 3] = value
        with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
            translator.transform(bad)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(np.nan, "NaN"), (-np.inf, r"infinity or a value too large for dtype\(.*\)")],
)
@every_paired
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_first_row_that_is_not_finite_is_named(cls, value, kind):
    bad_X, bad_y = X.copy(), y.copy()
    bad_X[[3, 6], 2] = bad_y[5, 1] = value
    fitted = cls().fit(X, y)
    place, both = rf"contains {kind} in row 3 \(column 2\); 2 rows in all\.", ", on both sides"
    with pytest.raises(ValueError, match=f"^Input X {place} Leave these rows out{both}\\.$"):
        cls().fit(bad_X, y)
    with pytest.raises(ValueError, match=f"^Input X {place} Leave these rows out\\.$"):
        fitted.transform(bad_X)
    place = rf"contains {kind} in row 5 \(column 1\); 1 row in all\. Leave it out"
    with pytest.raises(ValueError, match=f"^Input y {place}{both}\\.$"):
        cls().fit(X, bad_y)
    if hasattr(cls, "inverse_transform"):
        with pytest.raises(ValueError, match=f"^Input y {place}\\.$"):
            fitted.inverse_transform(bad_y)
    with pytest.raises(ValueError, match=rf"^Input y contains {kind} in row 5; 1 row in all"):
        cls().fit(X, bad_y[:, 1])


def test_rows_are_named_in_whichever_part_of_the_latents_they_are():
    anchors, target = make_pair(100, 600, 600)  # of which 3495 rows are mapped together
    fitted = LstsqTranslator(scaling=None).fit(anchors, target)
    rows = np.zeros((8000, 600))
    rows[[4000, 7999], 7] = np.nan
    with pytest.raises(ValueError, match=r"NaN in row 4000 \(column 7\); 2 rows in all"):
        fitted.transform(rows)


@every_paired
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_values_are_not_looked_at_where_scikit_learn_is_told_so(cls):
    fitted = cls().fit(X, y)
    with config_context(assume_finite=True):
        assert np.isnan(fitted.transform(having(X, np.nan))).any()


@every_paired
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_sides_that_were_swapped_at_fit_are_recognised(cls):
    fitted = cls().fit(y, X)
    message = r"^X has 6 features, but \w+ is expecting 4 features as input; 6 is the target's dim"
    with pytest.raises(ValueError, match=message + ".*: were X and y swapped at fit"):
        fitted.transform(X)
    with pytest.raises(ValueError, match=r"is expecting 4 features as input\.$"):
        fitted.transform(X[:, :5])


PAIRED_CLASSES = tuple(map(type, PAIRED))


@pytest.mark.parametrize(
    "estimator",
    [instance for instance in FIRST if isinstance(instance, PAIRED_CLASSES)],
    ids=lambda instance: type(instance).__name__,
)
def test_what_was_fitted_stays_where_new_data_are_refused(estimator):
    estimator = clone(estimator).fit(X, y)
    expected = estimator.transform(X)
    with pytest.raises(ValueError, match="contains NaN"):
        estimator.fit(X[:, :2], having(y, np.nan))
    np.testing.assert_array_equal(estimator.transform(X), expected)


def test_what_was_fitted_stays_where_a_kernel_is_refused():
    translator = KernelTranslator().fit(X, y)
    expected = translator.transform(X)
    translator.set_params(alpha=0.1, kernel=lambda a, b: -(a @ b.T))
    with pytest.raises(ValueError, match="not positive semi-definite"):
        translator.fit(X * 5 + 2, y)
    np.testing.assert_array_equal(translator.transform(X), expected)


@pytest.mark.parametrize(
    ("estimator", "good", "bad", "message"),
    [
        (AbsoluteTranslator(), (X, y), (X[:1, :2], y[:1]), "n_anchors=1000 is not between"),
        (ZeroPadder(X.shape[1] + 1), (X,), (np.ones((3, X.shape[1] + 2)),), "more than n_features"),
        (Rescaler("mean"), (X,), (np.full((3, X.shape[1] + 1), 1e308),), "norms of X overflow"),
    ],
    ids=["AbsoluteTranslator", "ZeroPadder", "Rescaler"],
)
def test_a_refused_fit_leaves_the_first(estimator, good, bad, message):
    fitted = clone(estimator).fit(*good)
    expected = fitted.transform(X)
    if isinstance(estimator, AbsoluteTranslator):
        fitted.set_params(n_anchors=1000)
    with pytest.raises(ValueError, match=message):
        fitted.fit(*bad)
    np.testing.assert_array_equal(fitted.transform(X), expected)


@pytest.mark.parametrize("translator", [LstsqTranslator(), LOrthoTranslator(), RidgeTranslator()])
def test_squares_about_zero_that_overflow_are_refused(translator):
    # about their means they do not
    with pytest.raises(ValueError, match=r"squares of X or y overflow float64: .* or centre them"):
        clone(translator).set_params(scaling=None).fit(X + 1e155, y)
    clone(translator).set_params(scaling="center").fit(X * 1e140 + 1e155, y)
