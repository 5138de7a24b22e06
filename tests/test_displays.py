"""Displays: the numbers that they hold, and that the artists show those."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_latent import (
    AbsoluteTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    Rescaler,
)
from sklearn_latent.inspection import (
    LatentProjectionDisplay,
    NormDistributionDisplay,
    RescalingCurveDisplay,
    SpectrumDisplay,
    StitchingMatrixDisplay,
)
from sklearn_latent.inspection._style import line_options, series_style

from .estimators import make_pair

iris, LABELS = load_iris(return_X_y=True)
MIX = np.random.default_rng(0).normal(size=(3, 4, 6))
LATENTS = {
    "a": iris,
    "b": np.tanh(iris @ MIX[0] / 4),
    "c": 5 * np.sin(iris @ MIX[1] / 4)[:, :5] + 2,
}
TRAIN, TEST = slice(0, None, 2), slice(1, None, 2)
ANCHORS = {name: rows[TRAIN] for name, rows in LATENTS.items()}
ITEMS = {name: rows[TEST] for name, rows in LATENTS.items()}
DECODERS = {
    name: LogisticRegression(max_iter=5000).fit(ANCHORS[name], LABELS[TRAIN]) for name in ("c", "a")
}
X, Y = make_pair(n=60)
SPECTRA = {"a": [1.0, 3.0, 2.0], "b": [1.0, 1.0, 1.0]}


def matrix(**options):
    return StitchingMatrixDisplay.from_encoders(ANCHORS, ITEMS, DECODERS, LABELS[TEST], **options)


def rescaling(**options):
    return RescalingCurveDisplay.from_estimators(
        DECODERS_OF_A, ITEMS["a"], LABELS[TEST], alphas=[9, 0.5, 3], **options
    )


DECODERS_OF_A = {"linear": DECODERS["a"], "svm": SVC().fit(ANCHORS["a"], LABELS[TRAIN])}
TRANSLATOR = LstsqTranslator().fit(X, Y)
DISPLAYS = {
    "matrix": matrix,
    "norms": lambda: NormDistributionDisplay.from_estimator(TRANSLATOR, X, Y),
    "rescaling": rescaling,
    "spectrum": lambda: SpectrumDisplay.from_estimator(TRANSLATOR),
    "projection": lambda: LatentProjectionDisplay.from_estimator(TRANSLATOR, X, Y),
}
every_display = pytest.mark.parametrize("make", DISPLAYS.values(), ids=DISPLAYS)


@pytest.fixture
def plt():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.close("all")  # what other tests of this process have left
    yield pyplot
    pyplot.close("all")


# All displays


@every_display
def test_without_matplotlib_the_error_names_the_extra(make, monkeypatch):
    display = make()
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    message = rf"{type(display).__name__}\.plot needs matplotlib: pip install .sklearn_latent\[plot"
    with pytest.raises(ImportError, match=message):
        display.plot()


@every_display
def test_plot_returns_the_display_and_makes_a_figure_a_call(make, plt):
    display = make()
    assert display.plot() is display
    first = display.figure_
    assert plt.get_fignums() == [first.number]
    assert display.plot().figure_ is not first
    display.figure_.canvas.draw()


@every_display
def test_global_settings_of_matplotlib_stay(make, plt):
    before = dict(plt.rcParams)
    make().plot()
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize("name", [name for name in DISPLAYS if name != "projection"])
def test_given_axes_are_used(name, plt):
    figure, axes = plt.subplots(1, 2)
    display = DISPLAYS[name]().plot(axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert not axes[0].has_data()
    assert axes[1].has_data()


def test_input_stays_as_it_was(plt):
    arrays = [X, Y, *LATENTS.values(), LABELS]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    try:
        for make in DISPLAYS.values():
            make().plot()
    finally:
        for array in arrays:
            array.flags.writeable = True
    assert all(np.array_equal(*pair) for pair in zip(arrays, before))


@pytest.mark.parametrize(
    "make",
    [
        NormDistributionDisplay,
        NormDistributionDisplay.from_latents,
        SpectrumDisplay,
        SpectrumDisplay.from_estimators,
        lambda named: RescalingCurveDisplay([1.0], named),
        lambda named: RescalingCurveDisplay.from_estimators(named, X, Y[:, 0]),
        lambda named: StitchingMatrixDisplay.from_encoders(named, ITEMS, DECODERS, LABELS[TEST]),
        lambda named: StitchingMatrixDisplay.from_encoders(ANCHORS, named, DECODERS, LABELS[TEST]),
        lambda named: StitchingMatrixDisplay.from_encoders(ANCHORS, ITEMS, named, LABELS[TEST]),
    ],
)
def test_names_are_wanted(make):
    with pytest.raises(TypeError, match=r"must be a dict from names to .*; got one list"):
        make([X])
    with pytest.raises(ValueError, match="is empty: give a dict from names to"):
        make({})
    with pytest.raises(TypeError, match=r"The keys of .* must be strings; got 3"):
        make({3: X})


def test_series_look_different():
    keys = [tuple(sorted(series_style(i).items())) for i in range(66)]
    assert len(set(keys)) == 66
    assert len({(style["color"], style["marker"]) for style in map(series_style, range(66))}) == 66


def test_style_given_by_the_user_comes_last():
    pytest.importorskip("matplotlib")
    options = line_options(1, {"c": "red", "lw": 3}, label="x")
    assert (options["color"], options["linewidth"], options["label"]) == ("red", 3, "x")
    assert options["marker"] == series_style(1)["marker"]
    assert "c" not in options


@pytest.mark.parametrize("n", [2, 6, 7, 20])
def test_legend_of_many_is_outside(n, plt):
    names = [f"sentence-transformers/encoder-{i}" for i in range(n)]
    display = SpectrumDisplay({name: [1, 2, 3] for name in names}).plot()
    display.figure_.canvas.draw()
    box, inner = (part.get_window_extent() for part in (display.legend_, display.ax_))
    assert (box.x0 >= inner.x1) == (n > 6)
    assert box.x1 <= display.figure_.bbox.x1
    assert box.y0 >= display.figure_.bbox.y0
    assert inner.width > 0.4 * display.figure_.bbox.width


# StitchingMatrixDisplay


def test_matrix_is_that_of_stitched_pipelines():
    # of 3 anchors, so that it would lose something between a space and itself
    translator = LstsqTranslator(n_anchors=3, random_state=0)
    display = matrix(translator=translator)
    assert display.encoder_names == ["a", "b", "c"]
    assert display.decoder_names == ["c", "a"]
    for row, encoder in enumerate("abc"):
        for column, space in enumerate("ca"):
            fitted = clone(translator).fit(ANCHORS[encoder], ANCHORS[space])
            stitched = make_pipeline(fitted, DECODERS[space])
            native = DECODERS[space]
            decoder = native if encoder == space else stitched
            assert display.scores[row, column] == decoder.score(ITEMS[encoder], LABELS[TEST])
    assert display.native.tolist() == [[False, True], [False, False], [True, False]]
    assert np.unique(display.scores).size > 4


def test_matrix_translates_by_procrustes_unless_told():
    expected = matrix(translator=ProcrustesTranslator()).scores
    assert np.array_equal(matrix().scores, expected)
    assert not np.array_equal(matrix(translator=AbsoluteTranslator()).scores, expected)


def test_matrix_in_parallel_is_the_same():
    assert np.array_equal(matrix(n_jobs=2).scores, matrix().scores)


def test_matrix_leaves_the_translator_unfitted():
    translator = ProcrustesTranslator()
    matrix(translator=translator)
    assert not hasattr(translator, "coef_")


def test_scoring_of_the_matrix():
    loss = matrix(scoring="neg_log_loss")
    translated = ProcrustesTranslator().fit(ANCHORS["b"], ANCHORS["a"]).transform(ITEMS["b"])
    expected = -log_loss(LABELS[TEST], DECODERS["a"].predict_proba(translated))
    assert loss.scores[1, 1] == pytest.approx(expected)
    assert (loss.score_name, matrix().score_name) == ("negative log loss", "accuracy")
    constant = matrix(scoring=lambda decoder, rows, labels: float(rows.shape[1]))
    assert constant.scores.tolist() == [[5, 4]] * 3
    assert constant.score_name == "score"


def test_margins_are_means_of_what_was_stitched():
    scores = np.arange(12.0).reshape(3, 4)
    scores[1, 3] = np.nan
    display = StitchingMatrixDisplay(scores, ["p", "q", "r"], ["q", "p", "s", "t"])
    assert display.encoder_means.tolist() == [(0 + 2 + 3) / 3, (5 + 6) / 2, (8 + 9 + 10 + 11) / 4]
    assert display.decoder_means.tolist() == [(0 + 8) / 2, (5 + 9) / 2, (2 + 6 + 10) / 3, 7]
    alone = StitchingMatrixDisplay([[0.5]], ["p"])
    assert np.isnan(alone.encoder_means).all()
    assert np.isnan(alone.decoder_means).all()


def test_matrix_is_drawn(plt):
    scores = np.array([[0.25, 0.5, np.nan], [0.75, 1.0, 0.125]])
    display = StitchingMatrixDisplay(scores, ["p", "q"], ["p", "q", "r"], score_name="F1").plot()
    drawn = np.ma.filled(display.image_.get_array(), np.nan)
    np.testing.assert_array_equal(drawn, scores)
    right, below = (np.ma.filled(margin.get_array(), np.nan) for margin in display.margins_)
    np.testing.assert_array_equal(right[:, 0], [0.5, (0.75 + 0.125) / 2])
    np.testing.assert_array_equal(below[0], [0.75, 0.5, 0.125])
    texts = [["" if text is None else text.get_text() for text in row] for row in display.texts_]
    assert texts == [
        ["0.25", "0.50", "–", "0.50"],
        ["0.75", "1.00", "0.12", "0.44"],
        ["0.75", "0.50", "0.12", ""],
    ]
    corners = {patch.get_xy() for patch in display.native_patches_}
    assert {(round(x), round(y)) for x, y in corners} == {(0, 0), (1, 1)}
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["p", "q", "r", "mean"]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["p", "q", "mean"]
    assert display.colorbar_.ax.get_ylabel() == "F1"
    limits = {image.get_clim() for image in (display.image_, *display.margins_)}
    assert limits == {(0.125, 1.0)}
    # a number lies in its cell of the picture
    for row, column in np.ndindex(scores.shape):
        assert display.texts_[row, column].get_position() == (column, row)
    assert list(display.image_.get_extent()) == [-0.5, 2.5, 1.5, -0.5]
    right, below = (margin.get_extent() for margin in display.margins_)
    assert right[0] > 2.5
    assert list(right[2:]) == [1.5, -0.5]
    assert below[3] > 1.5
    assert list(below[:2]) == [-0.5, 2.5]


def test_options_of_the_matrix(plt):
    display = StitchingMatrixDisplay([[0.1, 0.2]], ["p"], ["q", "r"])
    display.plot(include_values=False, colorbar=False, cmap="viridis", vmin=0, vmax=1)
    assert display.colorbar_ is None
    assert set(display.texts_.ravel()) == {None}
    assert {image.get_cmap().name for image in (display.image_, *display.margins_)} == {"viridis"}
    assert display.margins_[0].get_clim() == (0, 1)
    assert display.native_patches_ == []
    assert display.plot(values_format=".0%").texts_[0, 1].get_text() == "20%"


def numbers_of(display):
    return [[text.get_text() for text in row[:-1]] for row in display.texts_[:-1]]


@pytest.mark.parametrize("span", [30, 1, 0.3, 0.1, 0.09, 0.02, 0.01, 3e-3, 1e-3])
def test_cells_of_different_colours_have_different_numbers(span, plt):
    """Different: by more than a tenth of what the colours span."""
    spread = np.random.default_rng(0).permutation(np.linspace(0, 1, 9)).reshape(3, 3)
    display = StitchingMatrixDisplay(0.5 + span * spread, ["p", "q", "r"]).plot()
    numbers = np.array(numbers_of(display))
    assert np.unique(numbers).size == 9
    lengths = {len(number.partition(".")[2]) for number in numbers.flat}
    assert len(lengths) == 1
    decimals = lengths.pop()
    assert decimals in (2, 3, 4)
    # and no more of them than that takes: with one less, a tenth of the range would be lost
    assert decimals == 2 or span / 10 < 10.0 ** -(decimals - 1)
    np.testing.assert_allclose(numbers.astype(float), display.scores, atol=0.51 * 10.0**-decimals)


def test_numbers_have_two_to_four_decimals(plt):
    for scores, expected in (
        ([[0.5, 0.5]], [["0.50", "0.50"]]),
        ([[0.9 - 0.8, 0.2]], [["0.10", "0.20"]]),
        ([[np.nan, 0.97]], [["–", "0.97"]]),
        ([[np.nan, np.nan]], [["–", "–"]]),
        ([[0.5, 0.5 + 1e-9]], [["0.5000", "0.5000"]]),
    ):
        assert numbers_of(StitchingMatrixDisplay(scores, ["p"], ["q", "r"]).plot()) == expected


@pytest.mark.parametrize("given", [False, True])
def test_long_numbers_stay_in_their_cells(given, plt):
    scores = -0.9 - 1e-3 * np.random.default_rng(0).random((12, 12))
    names = [f"e{i}" for i in range(12)]
    ax = plt.subplots(figsize=(8, 8))[1] if given else None
    display = StitchingMatrixDisplay(scores, names).plot(ax)
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.texts_[3, :-1]]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert display.texts_[3, 4].get_text().startswith("-0.90")
    assert display.texts_[3, 4].get_visible()


def test_numbers_that_would_not_fit_are_left_out(plt):
    names = [f"encoder {i}" for i in range(20)]
    display = StitchingMatrixDisplay(np.eye(20), names)
    small, large = plt.subplots(figsize=(3, 3))[1], plt.subplots(figsize=(14, 14))[1]
    assert not display.plot(small).texts_[3, 4].get_visible()
    assert display.plot(large).texts_[3, 4].get_visible()
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.texts_[3, :-1]]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latents_test": {"a": ITEMS["a"]}}, "latents_train has the encoders .* give both"),
        ({"decoders": {"z": DECODERS["a"]}}, "decoders has 'z', which latents_train lacks"),
        ({"labels": LABELS}, r"labels has shape \(150,\); expected one for each of the 75 rows"),
        (
            {"latents_train": {**ANCHORS, "b": ANCHORS["b"][1:]}},
            "arrays of latents_train differ in their number of rows: .*'b': 74",
        ),
        (
            {"latents_test": {**ITEMS, "b": ITEMS["b"][1:]}},
            "arrays of latents_test differ in their number of rows: .*'b': 74",
        ),
        ({"scoring": "nonsense"}, "scoring='nonsense' is unknown"),
        ({"decoders": {"a": SVC()}}, "not fitted yet"),
    ],
)
def test_what_the_matrix_refuses(changes, message):
    arguments = {
        "latents_train": ANCHORS,
        "latents_test": ITEMS,
        "decoders": DECODERS,
        "labels": LABELS[TEST],
        **changes,
    }
    with pytest.raises(ValueError, match=message):
        StitchingMatrixDisplay.from_encoders(**arguments)


def test_names_of_the_matrix_are_checked():
    with pytest.raises(ValueError, match=r"scores has shape \(1, 2\); expected one row for each"):
        StitchingMatrixDisplay([[1, 2]], ["p"])
    with pytest.raises(ValueError, match="decoder_names has a name twice"):
        StitchingMatrixDisplay([[1, 2]], ["p"], ["q", "q"])


# NormDistributionDisplay


def test_norms():
    display = NormDistributionDisplay.from_estimator(TRANSLATOR, X, Y[:20])
    sides = {"source": X, "target": Y[:20], "translated": TRANSLATOR.transform(X)}
    assert list(display.norms) == list(sides)
    for name, rows in sides.items():
        np.testing.assert_allclose(display.norms[name], np.linalg.norm(rows, axis=1), rtol=1e-13)
    assert list(NormDistributionDisplay.from_estimator(TRANSLATOR, X).norms) == [
        "source",
        "translated",
    ]


def test_norms_of_float32_and_of_other_libraries():
    single = NormDistributionDisplay.from_latents({"x": X.astype("float32")}).norms["x"]
    assert single.dtype == np.float64
    np.testing.assert_allclose(single, np.linalg.norm(X, axis=1), rtol=1e-6)
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(X, requires_grad=True)
    found = NormDistributionDisplay.from_latents({"x": tensor}).norms["x"]
    np.testing.assert_allclose(found, np.linalg.norm(X, axis=1), rtol=1e-13)


def test_a_regressor_without_transform_translates_too():
    ridge = Ridge().fit(X, Y)
    found = NormDistributionDisplay.from_estimator(ridge, X).norms["translated"]
    np.testing.assert_allclose(found, np.linalg.norm(ridge.predict(X), axis=1), rtol=1e-13)


@pytest.mark.parametrize("bins", [None, 7, [0.0, 1.0, 5.0, 100.0]])
def test_histograms_are_densities(bins, plt):
    norms = {"x": np.linalg.norm(X, axis=1), "unit": np.ones(9), "zero": np.zeros(5)}
    display = NormDistributionDisplay(norms).plot(bins=bins, arrangement="overlay")
    for name, step in zip(norms, display.steps_):
        values, edges, _ = step.get_data()
        assert np.sum(values * np.diff(edges)) == pytest.approx(1)
        counts = np.histogram(norms[name], edges)[0]
        np.testing.assert_allclose(values, counts / counts.sum() / np.diff(edges))
        assert counts.sum() == norms[name].size
        if bins == 7 and name == "x":
            assert (edges[0], edges[-1]) == (norms[name].min(), norms[name].max())
            assert values.size == 7
    assert [text.get_text() for text in display.legend_.get_texts()] == list(norms)


def test_rows_have_the_shapes_of_histograms(plt):
    rng = np.random.default_rng(0)
    norms = {f"set {i}": rng.gamma(10 + i, size=200) for i in range(20)}
    display = NormDistributionDisplay(norms).plot()
    assert display.legend_ is None
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == list(norms)
    for row, (name, step) in enumerate(zip(norms, display.steps_)):
        values, edges, baseline = step.get_data()
        counts = np.histogram(norms[name], edges)[0]
        np.testing.assert_allclose((row - values) / 0.85, counts / counts.max(), atol=1e-12)
        assert baseline == row
        assert counts.sum() == 200
    low, high = display.ax_.get_ylim()
    assert low > high  # the first set on top


def test_arrangement_follows_the_sets(plt):
    few = {"x": np.arange(1.0, 9), "y": np.arange(2.0, 9)}
    assert NormDistributionDisplay(few).plot().legend_ is not None
    for factor, in_rows in ((15, False), (25, True)):
        spread = {"x": few["x"], "wide": factor * few["x"]}
        assert (NormDistributionDisplay(spread).plot().legend_ is None) == in_rows
    unit = {**few, "unit": np.ones(9)}
    assert NormDistributionDisplay(unit).plot().legend_ is None
    assert NormDistributionDisplay(unit).plot(arrangement="overlay").legend_ is not None
    assert NormDistributionDisplay(few).plot(arrangement="rows").ax_.get_xscale() == "linear"
    far = {**few, "z": 100 * few["x"]}
    assert NormDistributionDisplay(far).plot(arrangement="rows").ax_.get_xscale() == "log"


OVERLAYS = {
    "three": lambda rng: [rng.gamma(k, size=300) for k in (20, 25, 30)],
    "flat": lambda rng: [rng.random(300) for _ in range(6)],
    "one": lambda rng: [rng.random(2000)],
    "ramps": lambda rng: [rng.beta(5, 1, size=300), rng.beta(1, 5, size=300)],
    "nine": lambda rng: [rng.random(300) for _ in range(9)],
}


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("given", [None, (6, 4), (3.2, 2.6)])
@pytest.mark.parametrize("name", OVERLAYS)
def test_the_legend_hides_nothing(name, given, filled, plt):
    """Where it stands the picture without it is white."""
    sets = OVERLAYS[name](np.random.default_rng(0))
    norms = {f"encoder {i}": values for i, values in enumerate(sets)}
    ax = None if given is None else plt.subplots(figsize=given, layout="constrained")[1]
    display = NormDistributionDisplay(norms).plot(ax, arrangement="overlay", fill=filled)
    figure, legend = display.figure_, display.legend_
    figure.canvas.draw()
    figure.set_layout_engine("none")
    box = legend.get_window_extent().padded(-1)
    legend.set_visible(False)
    figure.canvas.draw()
    picture = np.asarray(figure.canvas.buffer_rgba())[::-1, :, :3]
    hidden = picture[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)]
    assert hidden.size > 1000
    assert hidden.min() == 255
    # and nothing of it is cut off
    assert box.x1 <= figure.bbox.x1
    assert box.y1 <= figure.bbox.y1
    tops = [step.get_data().values.max() for step in display.steps_]
    assert max(tops) < display.ax_.get_ylim()[1]


def test_a_legend_with_room_leaves_the_axis_as_it_is(plt):
    sets = {"near": np.random.default_rng(0).beta(1, 5, size=300)}
    display = NormDistributionDisplay(sets).plot()
    top = display.steps_[0].get_data().values.max()
    assert display.ax_.get_ylim() == pytest.approx((0, 1.05 * top))


def test_norms_pass_options_on(plt):
    display = NormDistributionDisplay({"x": [1, 2, 3]})
    step = display.plot(arrangement="overlay", lw=5, color="red").steps_[0]
    assert step.get_linewidth() == 5
    assert step.get_edgecolor() == (1, 0, 0, 1)


def test_what_norms_refuse():
    display = NormDistributionDisplay({"x": [1, 2, 3]})
    for bins in (0, "auto", [1.0], [2, 1], [[1, 2]], 2.5):
        with pytest.raises(ValueError, match="is neither a number of at least 1 nor ascending"):
            display.plot(bins=bins)
    with pytest.raises(ValueError, match="arrangement='stack' is unknown: use one of 'overlay'"):
        display.plot(arrangement="stack")
    with pytest.raises(ValueError, match=r"norms\['x'\] has negative values: .* at least 0"):
        NormDistributionDisplay({"x": [1, -1]})
    with pytest.raises(ValueError, match=r"norms\['x'\] has values that are not finite: leave"):
        NormDistributionDisplay({"x": [1, np.inf]})
    with pytest.raises(ValueError, match=r"norms\['x'\] has shape \(1, 2\)"):
        NormDistributionDisplay({"x": [[1, 1]]})
    with pytest.raises(ValueError, match=r"latents\['x'\] contains NaN"):
        NormDistributionDisplay.from_latents({"x": [[np.nan]]})


# RescalingCurveDisplay


def test_scores_are_those_of_rescaled_rows():
    display = rescaling()
    assert display.alphas.tolist() == [0.5, 3, 9]
    rows, labels = ITEMS["a"], LABELS[TEST]
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    assert display.mean_norm == pytest.approx(norms.mean())
    for name, decoder in DECODERS_OF_A.items():
        expected = [decoder.score(alpha * rows / norms, labels) for alpha in display.alphas]
        assert display.scores[name].tolist() == expected
        assert display.native_scores[name] == decoder.score(rows, labels)
        stitched = make_pipeline(Rescaler(3.0), decoder)
        assert display.scores[name][1] == stitched.score(rows, labels)
    assert len(set(display.scores["svm"])) > 1


def test_one_decoder_is_like_several():
    one = RescalingCurveDisplay.from_estimator(
        DECODERS["a"], ITEMS["a"], LABELS[TEST], alphas=[1, 5], scoring="balanced_accuracy"
    )
    assert list(one.scores) == ["LogisticRegression"]
    rows = ITEMS["a"] / np.linalg.norm(ITEMS["a"], axis=1, keepdims=True)
    expected = balanced_accuracy_score(LABELS[TEST], DECODERS["a"].predict(5 * rows))
    assert one.scores["LogisticRegression"][1] == pytest.approx(expected)
    assert one.score_name == "balanced accuracy"
    assert rescaling().score_name == "accuracy"
    ridge = Ridge().fit(X, Y)
    assert RescalingCurveDisplay.from_estimator(ridge, X, Y, name="r").score_name == "R²"


def test_default_alphas_are_around_the_mean_norm():
    display = RescalingCurveDisplay.from_estimator(DECODERS["a"], ITEMS["a"], LABELS[TEST])
    assert display.alphas.size == 25
    relative = display.alphas / np.linalg.norm(ITEMS["a"], axis=1).mean()
    np.testing.assert_allclose(relative, np.logspace(-2, 2, 25))


def test_curves_are_drawn(plt):
    display = rescaling().plot(markersize=2)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_ylabel() == "accuracy"
    assert {line.get_markersize() for line in display.lines_} == {2}
    for name, line, ring in zip(DECODERS_OF_A, display.lines_, display.native_lines_):
        np.testing.assert_array_equal(line.get_xdata(), display.alphas)
        np.testing.assert_array_equal(line.get_ydata(), display.scores[name])
        assert list(ring.get_xdata()) == [display.mean_norm]
        assert list(ring.get_ydata()) == [display.native_scores[name]]
        assert ring.get_markeredgecolor() == line.get_color()
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == ["linear", "svm", "mean norm (rings: not rescaled)"]
    assert rescaling().plot(plot_native=False).native_lines_ == []
    bare = RescalingCurveDisplay([1, 2], {"d": [0, 1]}).plot()
    assert (bare.native_lines_, bare.ax_.get_ylabel()) == ([], "score")


@pytest.mark.parametrize(
    ("alphas", "message"),
    [
        ([0, 1], r"alphas must be above 0; got 0\.0"),
        ([1, np.nan], "alphas has values that are not finite"),
        ([], r"alphas has shape \(0,\); expected \(n,\)"),
        ([[1]], r"alphas has shape \(1, 1\)"),
    ],
)
def test_alphas_are_checked(alphas, message):
    with pytest.raises(ValueError, match=message):
        RescalingCurveDisplay.from_estimator(DECODERS["a"], ITEMS["a"], LABELS[TEST], alphas=alphas)


def test_what_rescaling_refuses():
    with pytest.raises(ValueError, match="alphas must be ascending"):
        RescalingCurveDisplay([2, 1], {"d": [0, 1]})
    with pytest.raises(ValueError, match=r"scores\['d'\] has shape \(1,\); expected one score"):
        RescalingCurveDisplay([1, 2], {"d": [0]})
    with pytest.raises(ValueError, match=r"native_scores has the names \['e'\]; expected those"):
        RescalingCurveDisplay([1, 2], {"d": [0, 1]}, native_scores={"e": 1})
    with pytest.raises(ValueError, match=r"labels has shape \(150,\); expected one for each"):
        RescalingCurveDisplay.from_estimator(DECODERS["a"], ITEMS["a"], LABELS)
    with pytest.raises(ValueError, match="All rows of X are zero"):
        RescalingCurveDisplay.from_estimator(DECODERS["a"], 0 * ITEMS["a"], LABELS[TEST])
    with pytest.raises(ValueError, match="not fitted yet"):
        RescalingCurveDisplay.from_estimator(SVC(), ITEMS["a"], LABELS[TEST])


# SpectrumDisplay


@pytest.mark.parametrize("scaling", ["standard", "center", "l2", None])
def test_spectrum_of_the_raw_map(scaling):
    translator = LstsqTranslator(scaling=scaling).fit(X, Y)
    found = SpectrumDisplay.from_estimator(translator, name="m").singular_values["m"]
    np.testing.assert_allclose(found, np.linalg.svd(translator.coef_)[1], rtol=1e-12)
    assert found.shape == (4,)


def test_spectrum_between_scaled_spaces():
    translator = LstsqTranslator().fit(X, Y)
    display = SpectrumDisplay.from_estimator(translator, space="scaled")
    scaled = [StandardScaler().fit_transform(side) for side in (X, Y)]
    expected = np.linalg.svd(np.linalg.lstsq(*scaled, rcond=None)[0])[1]
    np.testing.assert_allclose(display.singular_values["LstsqTranslator"], expected, rtol=1e-10)


@pytest.mark.parametrize("scaling", ["standard", "center", "l2", ("l2", "standard"), None])
def test_procrustes_is_orthogonal_where_it_is_estimated(scaling):
    translator = ProcrustesTranslator(scaling=scaling, scale=True).fit(X, Y)
    display = SpectrumDisplay.from_estimator(translator, space="scaled", name="m")
    assert display.orthogonality["m"] == pytest.approx(1)
    values = display.singular_values["m"]
    np.testing.assert_allclose(values, values[0], rtol=1e-10)


def test_orthogonality_is_the_cosine_to_the_polar_factor():
    translator = LstsqTranslator().fit(X, Y)
    u, _, vt = np.linalg.svd(translator.coef_, full_matrices=False)
    cosine = np.vdot(u @ vt, translator.coef_)
    cosine /= np.linalg.norm(u @ vt) * np.linalg.norm(translator.coef_)
    display = SpectrumDisplay.from_estimators({"m": translator})
    assert display.orthogonality["m"] == pytest.approx(cosine)
    assert cosine < 0.99
    assert np.isnan(SpectrumDisplay({"m": [0, 0]}).orthogonality["m"])


def test_spectrum_of_a_stream_and_of_scikit_learn():
    stream = LstsqTranslator().partial_fit(X[:30], Y[:30]).partial_fit(X[30:], Y[30:])
    ridge = Ridge(alpha=1e-12).fit(X, Y)
    named = {"whole": TRANSLATOR, "stream": stream, "ridge": ridge}
    values = SpectrumDisplay.from_estimators(named).singular_values
    np.testing.assert_allclose(values["stream"], values["whole"], rtol=1e-8)
    np.testing.assert_allclose(values["ridge"], values["whole"], rtol=1e-6)
    scaled = SpectrumDisplay.from_estimator(clone(stream).partial_fit(X, Y), space="scaled")
    whole = SpectrumDisplay.from_estimator(TRANSLATOR, space="scaled")
    for found, expected in zip(scaled.singular_values.values(), whole.singular_values.values()):
        np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_spectrum_is_drawn(plt):
    display = SpectrumDisplay(SPECTRA).plot(lw=3)
    first, second = display.lines_
    assert first.get_xdata().tolist() == [1, 2, 3]
    expected = np.array([3, 2, 1]) / np.sqrt((9 + 4 + 1) / 3)
    np.testing.assert_allclose(first.get_ydata(), expected)
    np.testing.assert_allclose(second.get_ydata(), 1)
    assert first.get_linewidth() == 3
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == ["a (0.93)", "b (1.00)"]
    assert display.ax_.get_yscale() == "log"
    raw = display.plot(relative=False)
    assert raw.lines_[0].get_ydata().tolist() == [3, 2, 1]
    assert "root mean square" not in raw.ax_.get_ylabel()


def test_values_that_are_zero_are_drawn(plt):
    display = SpectrumDisplay({"m": [2, 1, 1e-17, 0], "zero": [0, 0]}).plot()
    assert display.lines_[0].get_ydata().shape == (4,)
    assert display.lines_[1].get_ydata().tolist() == [0, 0]
    low, high = display.ax_.get_ylim()
    assert 1e-5 < low < high < 10
    display.figure_.canvas.draw()
    nothing = SpectrumDisplay({"zero": [0, 0]}).plot()
    nothing.figure_.canvas.draw()
    assert nothing.ax_.get_yscale() == "linear"


def test_what_a_spectrum_refuses():
    with pytest.raises(ValueError, match=r"singular_values\['m'\] has negative values: .* 0\."):
        SpectrumDisplay({"m": [1, -1]})
    with pytest.raises(ValueError, match="space='wide' is unknown: use one of 'raw', 'scaled'"):
        SpectrumDisplay.from_estimator(TRANSLATOR, space="wide")
    pipeline = make_pipeline(StandardScaler(), ProcrustesTranslator()).fit(X, Y)
    with pytest.raises(TypeError, match="is a Pipeline, which has no coef_: only linear maps"):
        SpectrumDisplay.from_estimator(pipeline)
    with pytest.raises(TypeError, match=r"is a Ridge, which has no scaled space: use space='raw'"):
        SpectrumDisplay.from_estimator(Ridge().fit(X, Y), space="scaled")
    with pytest.raises(ValueError, match="not fitted yet"):
        SpectrumDisplay.from_estimator(LstsqTranslator())


# LatentProjectionDisplay


def test_projection_is_on_components_of_the_target():
    display = LatentProjectionDisplay.from_estimator(TRANSLATOR, X, Y)
    of_source, of_target = PCA(2).fit(X), PCA(2).fit(Y)
    np.testing.assert_allclose(display.source, of_source.transform(X), atol=1e-10)
    np.testing.assert_allclose(display.target, of_target.transform(Y), atol=1e-10)
    translated = of_target.transform(TRANSLATOR.transform(X))
    np.testing.assert_allclose(display.translated, translated, atol=1e-10)
    for found, pca in (
        (display.source_variance_ratio, of_source),
        (display.target_variance_ratio, of_target),
    ):
        np.testing.assert_allclose(found, pca.explained_variance_ratio_)


def test_projection_of_wide_latents_is_repeatable():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(600, 1100)).astype("float32")
    both = [LatentProjectionDisplay.from_latents(X_, wide, wide) for X_ in (wide, wide)]
    assert np.array_equal(both[0].target, both[1].target)


def test_projection_is_drawn_by_class(plt):
    labels = np.array(["x", "z", "y"])[np.arange(60) % 3]
    display = LatentProjectionDisplay.from_estimator(TRANSLATOR, X, Y, labels=labels).plot()
    places = (display.source, display.translated, display.target)
    assert [len(scatters) for scatters in display.scatters_] == [3, 3, 3]
    for scatters, rows in zip(display.scatters_, places):
        for name, scatter in zip("xyz", scatters):
            np.testing.assert_array_equal(scatter.get_offsets(), rows[labels == name])
            assert scatter.get_label() == name
    assert [text.get_text() for text in display.legend_.get_texts()] == ["x", "y", "z"]
    assert display.segments_ is None
    limits = [(ax.get_xlim(), ax.get_ylim()) for ax in display.axes_]
    assert limits[1] == limits[2] != limits[0]
    for (left, right), (bottom, top) in limits:
        assert right - left == pytest.approx(top - bottom)
    for rows, ((left, right), (bottom, top)) in zip(places, limits):
        assert left < rows[:, 0].min() < rows[:, 0].max() < right
        assert bottom < rows[:, 1].min() < rows[:, 1].max() < top


def in_lab(colours):
    """CIELAB of sRGB, (n, 3): distances in it are about as large as they look."""
    rgb = np.asarray(colours)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = linear @ np.transpose(to_xyz) / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def drawn_classes(n):
    labels = np.arange(2 * n) % n
    points = np.random.default_rng(0).normal(size=(2 * n, 2))
    display = LatentProjectionDisplay(points, points, points, labels=labels).plot()
    for panel in display.scatters_:
        colours = np.array([scatter.get_facecolor()[0, :3] for scatter in panel])
        yield colours, [scatter.get_paths()[0].vertices.tobytes() for scatter in panel]
    handles = display.legend_.legend_handles
    colours = np.array([handle.get_facecolor()[0, :3] for handle in handles])
    yield colours, [handle.get_paths()[0].vertices.tobytes() for handle in handles]


@pytest.mark.parametrize("n", [2, 6, 7, 8, 9, 10, 11, 19, 20])
def test_no_two_of_twenty_classes_share_a_colour(n, plt):
    for colours, _ in drawn_classes(n):
        assert len(colours) == n
        assert pdist(in_lab(colours)).min() > 15  # 2 is just seen side by side


@pytest.mark.parametrize("n", [10, 11, 21, 66])
def test_no_two_classes_look_the_same(n, plt):
    for colours, markers in drawn_classes(n):
        looks = set(zip(map(tuple, colours), markers))
        assert len(looks) == n
        assert len(set(markers)) == min(n, 11)


def test_the_colours_of_few_classes_suit_the_colour_blind(plt):
    okabe_ito = {
        "#0072b2",
        "#d55e00",
        "#009e73",
        "#cc79a7",
        "#e69f00",
        "#56b4e9",
        "#f0e442",
        "#000000",
    }
    from matplotlib.colors import to_hex

    assert {to_hex(colour) for colour in next(drawn_classes(8))[0]} == okabe_ito


def test_items_are_joined_to_their_targets(plt):
    display = LatentProjectionDisplay.from_estimator(TRANSLATOR, X, Y).plot(n_joined=60)
    for segment, start, end in zip(
        display.segments_.get_segments(), display.translated, display.target, strict=True
    ):
        np.testing.assert_array_equal(segment, [start, end])
    # without labels an item has the colour of its place in the target, in all panels
    for (scatter,) in display.scatters_:
        np.testing.assert_array_equal(scatter.get_array(), display.target[:, 0])
    assert display.legend_ is None
    assert len(display.plot().segments_.get_segments()) == 50
    assert display.plot(n_joined=0).segments_ is None
    assert len(display.plot(n_joined=10**6).segments_.get_segments()) == 60


def test_projection_passes_options_on(plt):
    display = LatentProjectionDisplay.from_estimator(TRANSLATOR, X, Y, labels=np.arange(60) % 2)
    scatter = display.plot(s=3, color="red").scatters_[2][1]
    assert scatter.get_sizes().tolist() == [3]
    assert scatter.get_facecolor()[0, :3].tolist() == [1, 0, 0]
    alone = LatentProjectionDisplay.from_estimator(TRANSLATOR, X, Y).plot(c="red")
    assert alone.scatters_[0][0].get_facecolor()[0, :3].tolist() == [1, 0, 0]


def test_projection_into_given_axes(plt):
    display = LatentProjectionDisplay.from_estimator(TRANSLATOR, X, Y)
    figure, axes = plt.subplots(1, 3)
    assert list(display.plot(axes).axes_) == list(axes)
    figure, axes = plt.subplots(2, 2)
    display.plot(axes[0, 1])
    assert display.figure_ is figure
    assert not axes[0, 1].axison
    assert len(set(display.axes_) - set(axes.ravel())) == 3
    outer = axes[0, 1].get_position()
    for panel in display.axes_:
        box = panel.get_position(original=True)
        assert outer.x0 - 1e-9 <= box.x0 < box.x1 <= outer.x1 + 1e-9
        assert outer.y0 - 1e-9 <= box.y0 < box.y1 <= outer.y1 + 1e-9
    with pytest.raises(ValueError, match="ax has 2 axes; expected 3"):
        display.plot(axes[0])
    with pytest.raises(ValueError, match="ax has no place in a grid to share out"):
        display.plot(plt.figure().add_axes((0, 0, 1, 1)))


def test_projection_of_one_point_and_of_twenty_classes(plt):
    same = LatentProjectionDisplay(*[np.ones((3, 2))] * 3).plot()
    same.figure_.canvas.draw()
    display = LatentProjectionDisplay.from_estimator(TRANSLATOR, X, Y, labels=np.arange(60) % 20)
    display.plot().figure_.canvas.draw()
    box = display.legend_.get_window_extent()
    assert box.x0 > display.axes_[2].get_window_extent().x1
    assert box.x1 <= display.figure_.bbox.x1
    assert box.y0 >= display.figure_.bbox.y0


def test_what_a_projection_refuses():
    make = LatentProjectionDisplay.from_latents
    with pytest.raises(ValueError, match="source has 60 rows, translated 59 and target 60"):
        make(X, Y[:59], Y)
    with pytest.raises(ValueError, match="translated has 3 columns and target has 4"):
        make(X, Y[:, :3], Y)
    with pytest.raises(ValueError, match=r"1 feature\(s\).* while a minimum of 2 is required"):
        make(X[:, :1], Y, Y)
    with pytest.raises(ValueError, match="One item has no principal components"):
        make(X[:1], Y[:1], Y[:1])
    with pytest.raises(ValueError, match=r"labels has shape \(59,\); expected one for each of"):
        make(X, Y, Y, labels=np.zeros(59))
    with pytest.raises(ValueError, match="labels has 70 distinct values, and at most 66"):
        make(*[np.tile(side, (2, 1)) for side in (X, Y, Y)], labels=np.arange(120) % 70)
    with pytest.raises(ValueError, match=r"source has 6 columns; expected 2\. Of latents"):
        LatentProjectionDisplay(X, Y[:, :2], Y[:, :2])
    with pytest.raises(ValueError, match=r"A variance ratio has shape \(3,\); expected \(2,\)"):
        LatentProjectionDisplay(*[Y[:, :2]] * 3, source_variance_ratio=[1, 0, 0])
    with pytest.raises(ValueError, match="n_joined=-1 must be finite and at least 0"):
        make(X, Y, Y).plot(n_joined=-1)


@pytest.mark.parametrize("missing", [np.nan, None])
def test_items_without_a_label_are_not_left_out(missing):
    labels = np.array([0.0, 1.0, missing] * 20, dtype=object if missing is None else float)
    with pytest.raises(ValueError, match="labels has missing values"):
        LatentProjectionDisplay.from_estimator(TRANSLATOR, X, Y, labels=labels)
