"""`TranslatorComparison`: what `compare_translators` returns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._curve import AnchorCurveDisplay
from ._evaluation import Evaluation
from ._rendering import as_html, as_text
from ._statistics import Table, n_tied


class TranslatorComparison:
    """Translators compared out of sample, as `compare_translators` returns it.

    Printed, it is a report; in a notebook, a table.

    Parameters
    ----------
    n_pairs : int
        Rows of X and y.
    dimensions : tuple of int
        Columns of X and of y.
    evaluation : Evaluation
        Scores of all fits.
    results : dict of str to ndarray
        The table of all translators and numbers of anchors.
    summary : dict of str to ndarray
        The table of all translators at their best number of anchors.
    best_translator : estimator
        The best one, fitted.

    Attributes
    ----------
    n_pairs_ : int
        Rows of X and y.

    dimensions_ : tuple of int
        Columns of X and of y.

    n_folds_ : int
        Number of folds.

    n_draws_ : int
        Draws of anchors in each fold.

    n_test_ : int
        Test rows of a fold, in the mean: among as many are partners looked for.

    n_tied_ : int
        How many translators and numbers of anchors share the best mean of `metric_`, which then
        says too little.

    results_ : dict of str to ndarray
        One row for each translator and number of anchors, those of the constant last; for each
        metric as in ``cv_results_``. ``translator``, ``n_anchors``, ``rank_test_score``;
        ``mean_test_<metric>``, its corrected standard error ``se_test_<metric>``, its standard
        deviation ``std_test_<metric>`` over all fits, ``std_over_folds_<metric>`` of the means
        over draws, ``std_over_draws_<metric>`` within a fold; ``split<f>_draw<d>_test_<metric>``;
        ``difference_to_best`` and ``se_difference_to_best``, paired, in the first metric;
        ``better_than_constant``; ``mean_fit_time`` and ``mean_score_time`` in seconds. With
        decoder and labels also ``retention_<metric>``, the share of the native score, and
        ``loss_<metric>``, native less stitched, with ``se_loss_<metric>``.

    metric_ : str
        The metric that decides: the first of `metrics_`.

    metrics_ : list of str
        All metrics.

    best_index_ : int
        Row of `results_` with the best mean of `metric_`. Between equals the other metrics decide,
        then fewer anchors.

    best_name_ : str
        Name of that translator.

    best_n_anchors_ : int
        Its number of anchors.

    best_score_ : float
        Its mean score, out of sample. It is the best of several, and so a little too good.

    best_translator_ : estimator
        That translator refitted: on all pairs, unless fewer anchors were better than all training
        rows by more than one standard error (of the paired difference, and of their own score).
        Then on the largest number for which that does not hold, drawn at random.

    enough_anchors_ : int
        Fewest anchors with which that translator is within one standard error of `best_score_`.

    native_score_ : float or None
        `metric_` of the target's own latents; None without decoder and labels.

    native_scores_ : dict of str to ndarray of shape (n_folds,), or None
        The same in each fold, for all metrics.

    failures_ : dict of str to dict of str to int
        For translators that failed: what was raised, and in how many fits.

    warnings_ : dict of str to dict of str to int
        For translators that warned: what of, and in how many fits. They are not issued again.

    See Also
    --------
    compare_translators : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import compare_translators
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 4))
    >>> y = X @ rng.normal(size=(4, 3)) + 0.1 * rng.normal(size=(60, 3))
    >>> comparison = compare_translators(
    ...     X, y, ["ortho", "linear"], n_anchors=[10, 40], random_state=0)
    >>> comparison.n_pairs_, comparison.dimensions_, comparison.n_folds_, comparison.n_draws_
    (60, (4, 3), 5, 3)
    >>> comparison.summary()["translator"].tolist()
    ['linear', 'ortho']
    """

    def __init__(
        self,
        n_pairs: int,
        dimensions: tuple[int, int],
        evaluation: Evaluation,
        results: Table,
        summary: Table,
        best_translator: Any,
    ):
        self.n_pairs_, self.dimensions_ = n_pairs, dimensions
        self.n_folds_, self.n_draws_ = next(iter(evaluation.scores.values())).shape[2:]
        self.n_test_, self.n_tied_ = round(float(evaluation.n_test.mean())), n_tied(evaluation)
        self.metrics_, self.metric_ = list(evaluation.scores), evaluation.metric
        self.results_, self._summary = results, summary
        self.best_translator_ = best_translator
        self.best_index_ = int(summary["index"][0])
        self.best_name_ = str(summary["translator"][0])
        self.best_n_anchors_ = int(summary["n_anchors"][0])
        self.best_score_ = float(summary[f"mean_test_{self.metric_}"][0])
        self.enough_anchors_ = int(summary["enough_anchors"][0])
        self.native_scores_ = evaluation.native
        native = None if evaluation.native is None else evaluation.native[self.metric_]
        self.native_score_ = None if native is None else float(np.mean(native))
        self.failures_, self.warnings_ = evaluation.failures, evaluation.warnings

    def summary(self) -> Table:
        """One row for each translator, at its best number of anchors; the best translator first.

        Returns
        -------
        dict of str to ndarray
            The columns of `results_` without those of single fits; ``enough_anchors``, the fewest
            with which a translator is within one standard error of its own best; and ``index``,
            the row of `results_`. A translator that failed everywhere has no row.
        """
        return {name: column.copy() for name, column in self._summary.items()}

    def to_frame(self) -> Any:
        """`results_` as a DataFrame.

        Returns
        -------
        pandas.DataFrame
            One row for each translator and number of anchors.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "to_frame needs pandas: pip install pandas. results_ is the same as a dict."
            ) from error
        return pd.DataFrame(self.results_)

    def plot(self, metric: str | None = None, *, ax: Any = None, **options: Any) -> Any:
        """Draw the scores against the number of anchors.

        Parameters
        ----------
        metric : str or None, default=None
            One of `metrics_`; None: the first.
        ax : matplotlib axes or None, default=None
            Where to draw; None: a new figure.
        **options
            Further parameters of `AnchorCurveDisplay.from_results`.

        Returns
        -------
        AnchorCurveDisplay
            The display, drawn.
        """
        return AnchorCurveDisplay.from_results(self, metric=metric, ax=ax, **options)

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)
