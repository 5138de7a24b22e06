"""Translation without pairs: class means, and iterative closest points."""

from __future__ import annotations

import contextlib
import copy
import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import pairwise_distances_argmin
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from ._array import (
    Array,
    accepted_dtypes,
    is_dask,
    namespace_of,
    to_numpy,
    without_graph,
)
from ._base import BaseTranslator, can_translate, translate, translates
from ._host import to_host
from ._validation import (
    all_or_nothing,
    check_no_missing,
    check_no_strings,
    check_number,
    column_names,
    with_plain_output,
)
from .baselines import AbsoluteTranslator
from .exceptions import AnchorWarning
from .orthogonal import RigidTranslator


def class_means(
    X: Any, labels_X: Any, y: Any, labels_y: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Anchors from labels alone: the mean of each class on either side.

    .. math:: \bar x_c = \frac{1}{n_c} \sum_{i:\, l_i = c} x_i

    (Section 4.2.3 of [1]_). No item needs to be on both sides.

    Parameters
    ----------
    X : array-like of shape (n_source, d_source)
        Source latents.
    labels_X : array-like of shape (n_source,)
        Their classes.
    y : array-like of shape (n_target, d_target) or (n_target,)
        Target latents, of other items perhaps.
    labels_y : array-like of shape (n_target,)
        Their classes.

    Returns
    -------
    X_means : ndarray of shape (n_classes, d_source)
        Means of the source's classes.
    y_means : ndarray of shape (n_classes, d_target)
        Means of the target's, in the same order.
    classes : ndarray of shape (n_classes,)
        The classes, sorted.

    Raises
    ------
    ValueError
        For a class that one side has and the other has not, and labels of the wrong length.

    References
    ----------
    .. [1] Z. Lähner, M. Moeller. "On the Direct Alignment of Latent Spaces". UniReps 2023,
       Section 4.2.3.

    Examples
    --------
    >>> from sklearn_latent import class_means
    >>> X_means, y_means, classes = class_means(
    ...     [[0.0], [2.0], [5.0]], ["a", "a", "b"], [[7.0, 0.0], [1.0, 1.0]], ["b", "a"]
    ... )
    >>> X_means.tolist(), y_means.tolist(), classes.tolist()
    ([[1.0], [5.0]], [[1.0, 1.0], [7.0, 0.0]], ['a', 'b'])
    """
    X, y = to_host(without_graph(X)), to_host(without_graph(y))
    X = check_array(X, dtype=accepted_dtypes(X), input_name="X")
    y = check_array(y, dtype=accepted_dtypes(y), ensure_2d=False, input_name="y")
    y = y[:, None] if y.ndim == 1 else y
    labels_X, labels_y = _checked_labels(X, labels_X, y, labels_y, ("labels_X", "labels_y"))
    classes = np.unique(labels_X)
    unmatched = np.setdiff1d(labels_y, classes)
    if unmatched.size:
        raise ValueError(
            f"Classes {unmatched.tolist()} are in labels_y and not in labels_X: leave their rows "
            "out, or add rows of them to X."
        )
    return _means(X, labels_X), _means(y, labels_y), classes


def _means(rows, labels):
    """Those of the classes in sorted order."""
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.unique(labels, return_counts=True)[1])
    means = np.empty((ends.size, rows.shape[1]), dtype=rows.dtype)
    for i, of_class in enumerate(np.split(order, ends[:-1])):
        # from one of its rows: a constant keeps exactly its value, and large ones do not overflow
        first = rows[of_class[0]]
        means[i] = first + np.subtract(rows[of_class], first, dtype=np.float64).mean(axis=0)
    return means


def _checked_labels(X, labels_X, y, labels_y, names):
    """Two vectors of labels, one a row; every class of X is a class of y."""
    checked = []
    for name, rows, labels in zip(names, (X, y), (labels_X, labels_y)):
        labels = column_or_1d(to_numpy(labels))
        if labels.shape[0] != rows.shape[0]:
            raise ValueError(
                f"{name} has {labels.shape[0]} entries for {rows.shape[0]} rows: give one a row."
            )
        check_no_missing(name, labels)
        checked.append(labels)
    missing = np.setdiff1d(checked[0], checked[1])
    if missing.size:
        raise ValueError(
            f"Classes {missing.tolist()} are in {names[0]} and not in {names[1]}: their rows have "
            "nothing to match. Leave them out, or add rows of them to y."
        )
    return checked


def _can_go_back(aligned):
    inner = RigidTranslator() if aligned.translator is None else aligned.translator
    return translates(inner) and hasattr(inner, "inverse_transform")


class ICPTranslator(BaseTranslator):
    r"""Translate without pairs, by iterative closest points around another translator.

    Alternates, from a first map T, between the two steps that lower

    .. math:: E(T, m) = \frac{1}{n} \sum_i \|T(x_i) - y_{m(i)}\|_2^2

    : the match m(i) is the target row nearest to :math:`T(x_i)`, of the same class where labels
    are given; T is fitted to the matched pairs (Section 4.2.3 of [1]_, with [2]_). X and y need not
    be the same items, nor equal in number.

    The energy never rises: a fit that would raise it, as those of translators that minimise
    another loss can, is discarded and ends the iteration. ICP finds a local minimum: it needs a
    start that is roughly right. [1]_ reports that it made class means worse; measure before use.

    Parameters
    ----------
    translator : translator or None, default=None
        Fitted as a clone in each iteration; None for ``RigidTranslator()``.

    init : {"auto", "class_means", "identity"} or fitted translator, default="auto"
        The first map: the translator fitted to `class_means`; source latents as they are, padded or
        cropped; or a map that is known already (in a ``FrozenEstimator`` where the ICP translator
        is to be cloned, as by a grid search). ``"auto"`` is class means where labels are given,
        else the identity.

    max_iter : int, default=50
        Largest number of iterations.

    tol : float, default=1e-6
        Stop when an iteration lowers the energy by less than this share.

    Attributes
    ----------
    translator_ : translator
        The last map.

    matches_ : ndarray of shape (n_source,)
        For each row of X the row of y nearest to its translation.

    energy_curve_ : list of float
        E of the first map and after each iteration whose map was kept, in squared units of the
        target.

    n_iter_ : int
        Number of iterations whose map was kept; 1 where the first was discarded already.

    n_features_in_ : int
        The source's dimension.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the source's columns, where X was a DataFrame with string names.

    Raises
    ------
    ValueError
        For labels on one side alone, a class of the source that the target has not, a start from
        class means without labels, a start that is a reflection where the translator allows none,
        and values that are not finite.
    TypeError
        For sparse input, for a Dask array at fit, for a `max_iter` that is no integer or a `tol`
        that is no number, and for a `translator` that is no estimator.

    See Also
    --------
    class_means : The start from labels.
    RigidTranslator : What is fitted by default.

    References
    ----------
    .. [1] Z. Lähner, M. Moeller. "On the Direct Alignment of Latent Spaces". UniReps 2023,
       Section 4.2.3.
    .. [2] P. J. Besl, N. D. McKay. "A method for registration of 3-D shapes". IEEE Transactions on
       Pattern Analysis and Machine Intelligence 14, 239-256, 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import ICPTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2)) * [3, 1]
    >>> angle = 0.3
    >>> rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    >>> y = X @ rotation + 0.1
    >>> shuffled = rng.permutation(200)
    >>> translator = ICPTranslator().fit(X, y[shuffled])
    >>> np.allclose(translator.transform(X), y)
    True
    """

    def __init__(
        self,
        translator: Any = None,
        *,
        init: Any = "auto",
        max_iter: int = 50,
        tol: float = 1e-6,
    ):
        self.translator = translator
        self.init = init
        self.max_iter = max_iter
        self.tol = tol

    @all_or_nothing
    def fit(
        self, X: Any, y: Any, source_labels: Any = None, target_labels: Any = None
    ) -> ICPTranslator:
        """Align X with y.

        Parameters
        ----------
        X : array-like of shape (n_source, d_source)
            Source latents.
        y : array-like of shape (n_target, d_target) or (n_target,)
            Target latents, in any order and number.
        source_labels : array-like of shape (n_source,), default=None
            Classes of the rows of X.
        target_labels : array-like of shape (n_target,), default=None
            Classes of the rows of y.

        Returns
        -------
        self : object
            The fitted translator.
        """
        check_number("max_iter", self.max_iter, minimum=1, integer=True)
        check_number("tol", self.tol, minimum=0)
        X, y = self._validate_unpaired(X, y)
        groups = self._match_groups(X, source_labels, y, target_labels)
        translator = RigidTranslator() if self.translator is None else self.translator
        translator = with_plain_output(clone(translator))
        best = self._start(translator, X, source_labels, y, target_labels)
        middle = (len(y) - 1) // 2
        origin = np.partition(y, middle, axis=0)[middle]  # a mean would follow one row far away
        matches, energy = _match(translate(best, X), y, origin, groups, None)
        self.energy_curve_ = [energy]
        for _ in range(self.max_iter):
            candidate = clone(translator).fit(X, y[matches])
            new_matches, energy = _match(translate(candidate, X), y, origin, groups, matches)
            before = self.energy_curve_[-1]
            if energy > before:
                break
            settled = np.array_equal(new_matches, matches)
            best, matches = candidate, new_matches
            self.energy_curve_.append(energy)
            if settled or before - energy <= self.tol * before:
                break
        self.translator_, self.matches_ = best, matches
        self.n_iter_ = max(1, len(self.energy_curve_) - 1)
        return self

    @available_if(_can_go_back)
    def inverse_transform(self, y: Any) -> Array:
        """Map target latents back to the source by the last map.

        Parameters
        ----------
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents.

        Returns
        -------
        array of shape (n_samples, d_source)
            In the source's raw coordinates.
        """
        if is_dask(y):
            return self._map_blocks("inverse_transform", y)
        check_is_fitted(self)
        y = self._validate_target(y)
        return namespace_of(y).astype(self.translator_.inverse_transform(y), y.dtype, copy=False)

    def _translate(self, X):
        return namespace_of(X).astype(translate(self.translator_, X), X.dtype, copy=False)

    def _validate_unpaired(self, X, y):
        check_no_strings(y)
        names = column_names(y)
        X, y = without_graph(X), without_graph(y)
        y_params = {"dtype": accepted_dtypes(y), "ensure_2d": False, "ensure_min_samples": 2}
        X, y = validate_data(
            self,
            X,
            y,
            validate_separately=({"dtype": accepted_dtypes(X), "ensure_min_samples": 2}, y_params),
        )
        X, y = to_numpy(X), to_numpy(y)
        self._y_is_1d, self._target_names = y.ndim == 1, names
        y = y[:, None] if y.ndim == 1 else y
        self._n_features_out = y.shape[1]
        return X, y

    def _match_groups(self, X, source_labels, y, target_labels):
        """Pairs of row sets (of X, of y) within which rows may be matched."""
        if source_labels is None and target_labels is None:
            return [(np.arange(X.shape[0]), np.arange(y.shape[0]))]
        if source_labels is None or target_labels is None:
            raise ValueError(
                "Give both source_labels and target_labels, or neither: a match is restricted to "
                "rows of one class."
            )
        names = ("source_labels", "target_labels")
        source_labels, target_labels = _checked_labels(X, source_labels, y, target_labels, names)
        return [
            (np.flatnonzero(source_labels == label), np.flatnonzero(target_labels == label))
            for label in np.unique(source_labels)
        ]

    def _start(self, translator, X, source_labels, y, target_labels):
        """The first map, fitted."""
        init = self.init
        if isinstance(init, str) and init == "auto":
            init = "identity" if source_labels is None else "class_means"
        if isinstance(init, str) and init == "class_means":
            if source_labels is None:
                raise ValueError("init='class_means' needs source_labels and target_labels.")
            # Classes of the target alone have no mean to pair with.
            source, target = (column_or_1d(to_numpy(a)) for a in (source_labels, target_labels))
            known = np.isin(target, source)
            means = class_means(X, source, y[known], target[known])
            with warnings.catch_warnings():
                # One mean a class is all there is to start from.
                warnings.simplefilter("ignore", AnchorWarning)
                return clone(translator).fit(*means[:2])
        if isinstance(init, str) and init == "identity":
            like_y = np.zeros((X.shape[0], y.shape[1]), dtype=X.dtype)
            return with_plain_output(AbsoluteTranslator()).fit(X, like_y)
        if isinstance(init, str) or not can_translate(init):
            raise ValueError(
                f"init={init!r} is unknown: use 'auto', 'class_means', 'identity', or a fitted "
                "translator."
            )
        check_is_fitted(init)
        with contextlib.suppress(TypeError):  # of what cannot be copied
            init = with_plain_output(copy.deepcopy(init))  # the caller's own stays as it is
            _forget_names(init)
        _refuse_reflection(translator, init, X, y)
        return init

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Not a regressor: one takes X and y with equal numbers of rows alone.
        tags.estimator_type = None
        tags.regressor_tags = None
        return tags


def _match(translated, y, origin, groups, previous):
    """Nearest target rows within each group, and the mean squared distance to them."""
    matches = np.empty(translated.shape[0], dtype=np.intp)
    for source_rows, target_rows in groups:
        # The search expands the square, which far from the origin would leave no digits.
        near = [
            (side - origin).astype(side.dtype, copy=False)
            for side in (translated[source_rows], y[target_rows])
        ]
        matches[source_rows] = target_rows[pairwise_distances_argmin(*near)]
    distance = _squared_distance(translated, y[matches])
    if previous is not None:
        # Rounding may still prefer a row that is not the nearest: then the match of the last
        # iteration stays, so that the energy does not rise by it.
        before = _squared_distance(translated, y[previous])
        matches = np.where(before <= distance, previous, matches)
        distance = np.minimum(before, distance)
    return matches, float(distance.mean())


def _squared_distance(a, b):
    return np.square(a - b, dtype=np.float64).sum(axis=1)


def _forget_names(estimator):
    """Of the columns of X: ICP passes rows without them on, and the estimator would warn."""
    while estimator is not None:
        vars(estimator).pop("feature_names_in_", None)
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[0][1]
        else:
            inner = getattr(estimator, "estimator", None)
            estimator = getattr(estimator, "best_estimator_", inner)
        estimator = estimator if hasattr(estimator, "__dict__") else None


def _refuse_reflection(translator, init, X, y):
    """Raise where `init` mirrors the space and `translator` must not."""
    parameters = translator.get_params(deep=True)
    forbidden = any(
        name.rpartition("__")[2] == "allow_reflection" and not value
        for name, value in parameters.items()
    )
    if not forbidden or X.shape[1] != y.shape[1]:
        return
    origin = np.zeros((1, X.shape[1]))
    linear = translate(init, np.vstack([np.eye(X.shape[1]), origin]))
    if np.linalg.slogdet(linear[:-1] - linear[-1])[0] < 0:  # a determinant may vanish
        raise ValueError(
            "init is a reflection (its determinant is negative), which the translator's "
            "allow_reflection=False excludes. Fit the start with allow_reflection=False too."
        )
