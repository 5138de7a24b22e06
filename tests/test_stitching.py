"""Frozen decoders behind translators: pipelines, searches, scorers."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import adjusted_rand_score, balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import SVC

from sklearn_latent import (
    AffineTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    Rescaler,
    TransformedTargetTranslator,
    ZeroPadder,
    decoder_agreement,
    stitching_score,
)
from sklearn_latent._base import translates
from sklearn_latent.metrics import latent_mse, recall_at_k


@pytest.fixture(scope="module")
def spaces():
    """Digits seen by two linear "encoders": 24 and 20 dimensions, other units and origins."""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    target = PCA(20, random_state=0).fit_transform(images) + 7
    source = (target - 7) @ np.linalg.qr(rng.normal(size=(24, 20)))[0].T * 0.1 - 2
    source += 0.05 * rng.normal(size=source.shape)
    return train_test_split(source, target, labels, random_state=0)


@pytest.fixture(scope="module")
def decoder(spaces):
    _, _, Y, _, labels, _ = spaces
    return SVC().fit(Y, labels)


@pytest.fixture
def metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_a_fitted_translator_and_a_fitted_decoder_are_a_pipeline(spaces, decoder):
    X, X_test, Y, Y_test, _, labels_test = spaces
    translator = make_pipeline(StandardScaler(), ProcrustesTranslator()).fit(X[:300], Y[:300])
    support_vectors = decoder.support_vectors_.copy()
    stitched = make_pipeline(translator, decoder)
    native = decoder.score(Y_test, labels_test)
    assert native > 0.95
    assert stitched.score(X_test, labels_test) > 0.9
    assert np.array_equal(decoder.support_vectors_, support_vectors)
    # the same decoder finds nothing in latents that are only padded to its dimension
    assert decoder.score(X_test[:, :20], labels_test) < 0.3


@pytest.mark.parametrize(
    "steps",
    [
        (StandardScaler(), ProcrustesTranslator()),
        (StandardScaler(), ZeroPadder(32), ProcrustesTranslator(scaling=(None, "standard"))),
        (Normalizer(), LstsqTranslator()),
        (PCA(16, random_state=0), LstsqTranslator()),
        (TransformedTargetTranslator(LstsqTranslator(), StandardScaler()),),
        (AffineTranslator(learning_rate_init=0.02, random_state=0, device="cpu"),),
    ],
)
def test_preprocessing_steps_go_before_the_translator(spaces, decoder, steps):
    X, X_test, Y, _, _, labels_test = spaces
    translator = make_pipeline(*steps).fit(X, Y)
    assert make_pipeline(translator, decoder).score(X_test, labels_test) > 0.9


def test_a_frozen_decoder_survives_the_fit_of_its_pipeline(spaces, decoder):
    X, X_test, Y, _, labels, _ = spaces
    translator = ProcrustesTranslator().fit(X, Y)
    whole = make_pipeline(FrozenEstimator(translator), FrozenEstimator(decoder))
    expected = make_pipeline(translator, decoder).predict(X_test)
    assert np.array_equal(whole.fit(X, labels).predict(X_test), expected)
    assert np.array_equal(clone(whole).fit(X, labels).predict(X_test), expected)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        clone(decoder).predict(Y)


def test_agreement_is_accuracy_against_the_decoders_own_answers(spaces, decoder):
    X, X_test, Y, Y_test, _, _ = spaces
    translator = LstsqTranslator().fit(X, Y)
    expected = np.mean(decoder.predict(Y_test) == decoder.predict(translator.transform(X_test)))
    assert decoder_agreement(decoder)(translator, X_test, Y_test) == pytest.approx(expected)
    perfect = LstsqTranslator().fit(Y, Y)
    assert decoder_agreement(decoder)(perfect, Y_test, Y_test) == 1.0
    score = decoder_agreement(decoder, balanced_accuracy_score)(translator, X_test, Y_test)
    assert score == balanced_accuracy_score(
        decoder.predict(Y_test), decoder.predict(translator.transform(X_test))
    )


def test_agreement_with_a_regressor_is_r2(spaces):
    X, X_test, Y, Y_test, labels, _ = spaces
    regressor = Ridge().fit(Y, labels)
    translator = LstsqTranslator().fit(X, Y)
    answers, expected = regressor.predict(translator.transform(X_test)), regressor.predict(Y_test)
    residual = np.sum((expected - answers) ** 2) / np.sum((expected - expected.mean()) ** 2)
    assert decoder_agreement(regressor)(translator, X_test, Y_test) == pytest.approx(1 - residual)


def test_stitching_score_is_the_decoders_score(spaces, decoder):
    X, X_test, Y, Y_test, _, labels_test = spaces
    translator = make_pipeline(StandardScaler(), LstsqTranslator()).fit(X, Y)
    expected = decoder.score(translator.transform(X_test), labels_test)
    scorer = stitching_score(decoder)
    assert scorer(translator, X_test, Y_test, labels=labels_test) == expected
    balanced = stitching_score(decoder, balanced_accuracy_score)
    assert balanced(translator, X_test, Y_test, labels=labels_test) == pytest.approx(
        balanced_accuracy_score(labels_test, decoder.predict(translator.transform(X_test)))
    )


def test_a_named_scorer_sees_the_decoders_probabilities(spaces):
    X, X_test, Y, Y_test, labels, labels_test = spaces
    decoder = make_pipeline(StandardScaler(), LogisticRegression()).fit(Y, labels)
    translator = LstsqTranslator().fit(X, Y)
    expected = roc_auc_score(
        labels_test, decoder.predict_proba(translator.transform(X_test)), multi_class="ovr"
    )
    scorer = stitching_score(decoder, "roc_auc_ovr")
    assert scorer(translator, X_test, Y_test, labels=labels_test) == pytest.approx(expected)


def grid(scoring, **options):
    methods = [
        ProcrustesTranslator(random_state=0),
        LstsqTranslator(random_state=0),
        AffineTranslator(random_state=0, device="cpu", max_iter=50, learning_rate_init=0.02),
    ]
    parameters = {
        "translate": methods,
        "translate__n_anchors": [20, 200],
        "translate__scaling": ["standard", "l2", ("center", "standard")],
    }
    pipeline = Pipeline([("translate", ProcrustesTranslator())])
    return GridSearchCV(pipeline, parameters, scoring=scoring, cv=3, **options)


def test_search_over_methods_anchors_and_scalings_without_labels(spaces, decoder):
    X, X_test, Y, Y_test, _, labels_test = spaces
    search = grid(decoder_agreement(decoder), n_jobs=2).fit(X, Y)
    scores = search.cv_results_["mean_test_score"]
    assert scores.shape == (18,)
    assert np.all((scores > 0) & (scores <= 1))
    assert search.best_params_["translate__n_anchors"] == 200
    assert search.score(X_test, Y_test) > 0.9
    stitched = make_pipeline(search.best_estimator_, decoder)
    assert stitched.score(X_test, labels_test) > 0.9


def test_search_with_labels_through_metadata_routing(spaces, decoder, metadata_routing):
    X, _, Y, _, labels, _ = spaces
    search = grid(stitching_score(decoder), n_jobs=2).fit(X, Y, labels=labels)
    alone = grid(stitching_score(decoder)).fit(X, Y, labels=labels)
    assert_allclose(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"], atol=0.01
    )
    assert search.best_score_ > 0.9
    # labels reach the scorer row by row: shuffled ones are worth no more than chance
    shuffled = np.random.default_rng(0).permutation(labels)
    assert grid(stitching_score(decoder)).fit(X, Y, labels=shuffled).best_score_ < 0.25


def test_several_scorers_at_once(spaces, decoder, metadata_routing):
    X, _, Y, _, labels, _ = spaces
    scoring = {"agree": decoder_agreement(decoder), "stitch": stitching_score(decoder), "r2": "r2"}
    scores = cross_validate(
        LstsqTranslator(), X, Y, scoring=scoring, cv=3, params={"labels": labels}
    )
    assert scores["test_agree"].min() > 0.9
    assert scores["test_stitch"].min() > 0.9
    assert scores["test_r2"].min() > 0.9


@pytest.mark.parametrize("name", ["r2", "neg_mean_squared_error", "explained_variance"])
def test_scoring_strings_work(spaces, name):
    X, _, Y, _, _, _ = spaces
    scores = cross_val_score(LstsqTranslator(), X, Y, scoring=name, cv=3)
    assert scores.shape == (3,)
    assert np.all(np.isfinite(scores))


def test_scorers_without_what_they_need_say_so(spaces, decoder):
    X, _, Y, _, _, _ = spaces
    translator = LstsqTranslator().fit(X, Y)
    with pytest.raises(ValueError, match=r"enable_metadata_routing=True.*fit\(X, Y, labels=labels"):
        stitching_score(decoder)(translator, X, Y)
    for make in (decoder_agreement, stitching_score):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            make(SVC())
        with pytest.raises(TypeError, match="decoder must be a fitted estimator with a predict"):
            make(StandardScaler().fit(X))
        with pytest.raises(TypeError, match="decoder must be a fitted estimator with a predict"):
            make(SVC)
        with pytest.raises(TypeError, match="metric must be a function"):
            make(decoder, 3)
    message = (
        r"'f1_macro' names a scorer.* stitching_score\. Here a function of two answers.*partial"
    )
    with pytest.raises(TypeError, match=message):
        decoder_agreement(decoder, "f1_macro")
    with pytest.raises(ValueError, match="'acuracy' is not a valid scoring value"):
        stitching_score(decoder, "acuracy")


def test_scorers_show_what_they_are(decoder):
    assert repr(decoder_agreement(decoder)) == "decoder_agreement(SVC())"
    assert repr(stitching_score(decoder, "f1")) == "stitching_score(SVC(), 'f1')"


def test_a_translator_may_end_in_a_step_without_predict():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    labels = (X[:, 0] > 0).astype(int)
    decoder = LogisticRegression().fit(X, labels)
    chain = make_pipeline(LstsqTranslator(), Rescaler(2.0)).fit(X, X)
    assert decoder_agreement(decoder)(chain, X, X) > 0.9
    assert stitching_score(decoder)(chain, X, X, labels=labels) > 0.9


def test_a_regressor_is_judged_by_what_it_predicts():
    # its `transform` gives latent components
    X, y, labels = blobs()
    decoder = LogisticRegression(max_iter=1000).fit(y, labels)
    regressor = PLSRegression(4).fit(X, y)
    said = decoder.predict(regressor.predict(X))
    assert decoder_agreement(decoder)(regressor, X, y) == np.mean(said == decoder.predict(y))
    assert stitching_score(decoder)(regressor, X, labels=labels) == np.mean(said == labels) > 0.9
    piped = make_pipeline(StandardScaler(), PLSRegression(4)).fit(X, y)
    assert decoder_agreement(decoder)(piped, X, y) > 0.9


@pytest.mark.parametrize("estimator", [LstsqTranslator(), Ridge()])
def test_decoders_of_one_column_take_a_target_of_one_dimension(estimator):
    X, y, labels = blobs()
    decoder = LogisticRegression().fit(y[:, :1], labels)
    expected = decoder_agreement(decoder)(clone(estimator).fit(X, y[:, :1]), X, y[:, :1])
    fitted = clone(estimator).fit(X, y[:, 0])
    assert decoder_agreement(decoder)(fitted, X, y[:, 0]) == pytest.approx(expected)
    assert decoder_agreement(decoder)(fitted, X, y[:, :1]) == pytest.approx(expected)


def test_answers_that_are_neither_classes_nor_numbers_need_a_metric():
    X, y, _ = blobs()
    clusters = KMeans(3, n_init=1, random_state=0).fit(y)
    with pytest.raises(ValueError, match="neither a classifier nor a regressor: say by metric="):
        decoder_agreement(clusters)
    scorer = decoder_agreement(clusters, adjusted_rand_score)
    assert scorer(LstsqTranslator().fit(X, y), X, y) == pytest.approx(1)


def blobs():
    rng = np.random.default_rng(0)
    labels = np.arange(150) % 3
    y = 4 * np.eye(3, 4)[labels] + rng.normal(size=(150, 4))
    return y @ rng.normal(size=(4, 4)) + 1, y, labels


def test_a_selector_of_columns_is_judged_by_what_it_predicts():
    # `RFE` has a `transform`: some columns of the source, as many as the target has
    X, y, labels = blobs()
    decoder = LogisticRegression(max_iter=1000).fit(y, labels)
    n_columns = y.shape[1]
    selector = RFE(LstsqTranslator(), n_features_to_select=n_columns).fit(X, y)
    said = decoder.predict(selector.predict(X))
    assert decoder_agreement(decoder)(selector, X, y) == np.mean(said == decoder.predict(y))
    assert not translates(selector)


def test_a_score_needs_a_metric(decoder):
    with pytest.raises(TypeError, match="metric must be a function"):
        stitching_score(decoder, None)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_decoders_and_scores_read_tensors(dtype):
    torch = pytest.importorskip("torch")
    X, y, labels = blobs()
    decoder = LogisticRegression(max_iter=1000).fit(y, labels)
    X, y = (torch.tensor(side, dtype=getattr(torch, dtype)) for side in (X, y))
    y.requires_grad_()
    weight = torch.ones(len(X), dtype=y.dtype, requires_grad=True)
    translator = LstsqTranslator().fit(X, y, weight)
    assert decoder_agreement(decoder)(translator, X, y) > 0.9
    assert translator.score(X, y, weight) > 0.5
    center = y.mean(0)
    assert recall_at_k(y, y, k=1, center=center) == 1
    assert latent_mse(y, y, sample_weight=weight) == 0
