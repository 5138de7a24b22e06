"""`AnchorCurveDisplay`: what is drawn is what was computed."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression

from sklearn_latent import (
    LstsqTranslator,
    ProcrustesTranslator,
    compare_translators,
    stitching_score,
)
from sklearn_latent.inspection import AnchorCurveDisplay

plt = pytest.importorskip("matplotlib.pyplot")
COUNTS = [10, 20, 40]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def make_data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(90, 5))
    y = X @ rng.normal(size=(5, 4)) + 2 + 0.3 * rng.normal(size=(90, 4))
    return X, y, (y[:, 0] > 2).astype(int)


def options(seed=0):
    _, y, labels = make_data(seed)
    decoder = LogisticRegression().fit(y, labels)
    scoring = {name: name for name in ("stitching_score", "r2", "neg_latent_mse")}
    return {
        "n_anchors": COUNTS,
        "decoder": decoder,
        "labels": labels,
        "scoring": {**scoring, "neg_log_loss": stitching_score(decoder, "neg_log_loss")},
        "random_state": 0,
        "cv": 3,
    }


TRANSLATORS = {"ortho": ProcrustesTranslator(), "linear": LstsqTranslator()}


@pytest.fixture(scope="module")
def results():
    made = {}
    for seed in (0, 1):
        X, y, _ = make_data(seed)
        made[f"data {seed}"] = compare_translators(X, y, TRANSLATORS, **options(seed))
    return made


@pytest.fixture(scope="module")
def result(results):
    return results["data 0"]


def labels_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_lines_are_the_means_and_bands_the_errors(result):
    display = AnchorCurveDisplay.from_results(result)
    table = result.results_
    assert labels_of(display) == ["ortho", "linear", "constant", "native"]
    for i, (line, band) in enumerate(zip(display.lines_, display.ax_.collections)):
        rows = slice(3 * i, 3 * i + 3)
        mean = table["mean_test_stitching_score"][rows]
        error = table["se_test_stitching_score"][rows]
        assert_array_equal(line.get_xdata(), COUNTS)
        assert_array_equal(line.get_ydata(), mean)
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.min() == pytest.approx((mean - error).min())
        assert heights.max() == pytest.approx((mean + error).max())
    native = display.ax_.lines[-1]
    assert set(native.get_ydata()) == {result.native_score_}
    assert native.get_linestyle() == "--"


@pytest.mark.parametrize(
    ("spread", "column"),
    [("std", "std_test"), ("folds", "std_over_folds"), ("draws", "std_over_draws")],
)
def test_spreads(result, spread, column):
    display = AnchorCurveDisplay.from_results(result, metric="r2", spread=spread)
    assert_array_equal(display.spreads[0], result.results_[f"{column}_r2"][:3])


def test_without_a_spread_there_are_no_bands(result):
    display = AnchorCurveDisplay.from_results(result, spread=None)
    assert len(display.ax_.collections) == 0
    assert len(AnchorCurveDisplay.from_results(result, bands=False).ax_.collections) == 0


def test_a_negated_error_is_drawn_as_the_error(result):
    display = AnchorCurveDisplay.from_results(result, metric="neg_latent_mse")
    assert display.ax_.get_ylabel() == "latent mse"
    assert_array_equal(display.scores[0], -result.results_["mean_test_neg_latent_mse"][:3])
    assert min(display.scores[0]) > 0
    assert display.references == {"native": 0}
    loss = AnchorCurveDisplay.from_results(result, metric="neg_log_loss")
    assert 0 < loss.references["native"] < min(loss.scores[1])


def test_axis_is_logarithmic_with_plain_numbers(result):
    ax = AnchorCurveDisplay.from_results(result).ax_
    assert ax.get_xscale() == "log"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["10", "20", "40"]
    assert ax.get_xlabel() == "number of anchors"
    assert ax.get_ylabel() == "stitching score"


def test_ticks_are_thinned_where_they_would_overlap():
    counts = np.arange(1, 200) * 5
    display = AnchorCurveDisplay(n_anchors=[counts], scores=[np.zeros(199)]).plot()
    ticks = display.ax_.get_xticks()
    assert set(ticks) <= set(counts)
    assert counts[-1] in ticks
    assert 5 <= len(ticks) <= 11
    assert np.diff(np.log(ticks)).min() >= np.log(counts[-1] / counts[0]) / 10


def test_several_comparisons_share_colours_and_differ_in_line_style(results):
    display = AnchorCurveDisplay.from_results(results, metric="r2")
    names = ["data 0: ortho", "data 0: linear", "data 1: ortho", "data 1: linear"]
    assert labels_of(display) == [*names, "data 0: native", "data 1: native"]
    first, second = display.lines_[:2], display.lines_[2:]
    assert [a.get_color() for a in first] == [b.get_color() for b in second]
    assert {a.get_linestyle() for a in first}.isdisjoint(b.get_linestyle() for b in second)
    for line, key in ((first[1], "data 0"), (second[1], "data 1")):
        assert_array_equal(line.get_ydata(), results[key].results_["mean_test_r2"][3:6])
    with_constants = AnchorCurveDisplay.from_results(results, constant=True)
    assert len(with_constants.lines_) == 6


def test_from_estimators_is_the_same_without_a_refit(result):
    X, y, _ = make_data()
    display = AnchorCurveDisplay.from_estimators(TRANSLATORS, X, y, **options())
    expected = AnchorCurveDisplay.from_results(result)
    assert display.names == expected.names
    assert_array_equal(display.scores, expected.scores)
    assert_array_equal(display.spreads, expected.spreads)
    assert display.references == expected.references


def test_twenty_lines_look_different_and_have_no_bands():
    names = [f"translator {i}" for i in range(20)]
    flat = [np.zeros(3)] * 20
    display = AnchorCurveDisplay(
        n_anchors=[np.array(COUNTS)] * 20, scores=flat, spreads=flat, names=names
    ).plot()
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in display.lines_}
    assert len(looks) == 20
    assert len(display.ax_.collections) == 0
    assert labels_of(display) == names
    display.figure_.canvas.draw()
    inside = display.ax_.get_window_extent()
    legend = display.ax_.get_legend().get_window_extent()
    assert not inside.overlaps(legend)
    whole = display.figure_.bbox
    assert whole.x1 >= legend.x1
    assert whole.y0 <= legend.y0


def test_one_number_of_anchors_has_points_and_bars():
    X, y, _ = make_data()
    given = {**options(), "n_anchors": 20}
    display = AnchorCurveDisplay.from_estimators(TRANSLATORS, X, y, **given)
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["20"]
    assert len(display.ax_.containers) == 2
    constant = display.lines_[-1]
    assert constant.get_label() == "constant"
    assert len(constant.get_xdata()) == 2


def test_a_translator_that_always_failed_has_no_line(result):
    other = compare_translators(*make_data()[:2], TRANSLATORS, n_anchors=[10, 20], random_state=0)
    other.results_["mean_test_centered_mrr"][:2] = np.nan
    assert labels_of(AnchorCurveDisplay.from_results(other)) == ["linear", "constant"]


def test_axes_and_line_options_are_the_users(result):
    figure, ax = plt.subplots()
    display = AnchorCurveDisplay.from_results(result, ax=ax, line_kwargs={"lw": 5, "c": "red"})
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert {line.get_linewidth() for line in display.lines_} == {5}
    assert {line.get_color() for line in display.lines_} == {"red"}
    again = display.plot()
    assert again is display
    assert again.ax_ is not ax


def test_unknown_metric_and_spread_are_refused(result):
    with pytest.raises(ValueError, match="metric='rr' was not computed: use one of 'stitching_sc"):
        AnchorCurveDisplay.from_results(result, metric="rr")
    with pytest.raises(ValueError, match="spread='sem' is unknown: use one of 'se', 'std', 'folds"):
        AnchorCurveDisplay.from_results(result, spread="sem")


def test_no_global_state_of_matplotlib_is_changed(result):
    before = dict(plt.rcParams)
    AnchorCurveDisplay.from_results(result)
    assert dict(plt.rcParams) == before


def test_results_of_different_metrics_are_not_drawn_on_one_axis():
    X, y, _ = make_data()
    made = {
        scoring: compare_translators(X, y, TRANSLATORS, scoring=scoring, n_anchors=COUNTS, cv=3)
        for scoring in ("r2", "neg_latent_mse")
    }
    with pytest.raises(ValueError, match=r"of different metrics, .*which one axis cannot show"):
        AnchorCurveDisplay.from_results(made)


@pytest.mark.parametrize(("n_draws", "error"), [(0, ValueError), (1.5, TypeError)])
def test_the_number_of_draws_is_checked(n_draws, error):
    X = np.random.default_rng(0).normal(size=(60, 4))
    with pytest.raises(error, match="n_draws"):
        AnchorCurveDisplay.from_estimators([LstsqTranslator()], X, X, n_draws=n_draws)
