"""Relative representations: latents as similarities to anchors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from ._affine_map import AffineMap
from ._array import (
    Array,
    accepted_dtypes,
    asarray_like,
    eps_of,
    fits_in,
    is_dask,
    is_numpy,
    namespace_of,
    normalize_rows,
    read_only,
    row_norms,
    to_numpy,
    vanishes,
    without_graph,
)
from ._host import to_host
from ._moments import PairMoments
from ._scaling import SideScaling, parse_scaling
from ._validation import all_or_nothing, check_number, check_option, check_place
from .anchors import AnchorSelection, check_selection, count_anchors, select_anchors
from .distributed import map_blocks
from .solvers.relative import METRICS, decoding_matrix, prune, random_anchors, unit_rows


def _is_invertible(projector):
    if projector.metric != "cosine":
        raise AttributeError(
            f"inverse_transform needs metric='cosine', which is linear in the direction of a row; "
            f"this projector has metric={projector.metric!r}."
        )
    return True


class RelativeProjector(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Represent latents by their similarity to anchors of the same space.

    .. math:: x \mapsto \bigl(\operatorname{sim}(x, a_1), \dots, \operatorname{sim}(x, a_k)\bigr)

    With the cosine (Equation 1 of [1]_; [2]_) the result is the same for all spaces that are
    related by rotation and positive rescaling; with the Euclidean distance (Equation 4 of [3]_) for
    all isometries. A decoder trained on one space's relative latents then serves the others: the
    *relative* baseline is ``make_pipeline(RelativeProjector(), classifier)``.

    One half of a translation through the relative space ([4]_): `transform` on the source's side
    and `inverse_transform` on the target's need no data of each other, only the same anchors in
    the same order (`subspaces` of `fit`).

    Parameters
    ----------
    metric : {"cosine", "angular", "euclidean", "manhattan"} or callable, default="cosine"
        The similarity: the cosine, ``1 - angle / π``, or a distance as it is; or a function
        ``(X, anchors) -> (n_samples, n_anchors)``.

    scaling : {"standard", "center", "l2", None}, default=None
        What is done to the latents first, with statistics of all rows seen at fit. [4]_ centres.

    pruning : float in [0, 1) or None, default=None
        Keep only anchors at a distance ``1 - |cos|`` of at least this from each other (δ), by
        greedy farthest-point sampling from a random start (a zero row only if there are no others).
        It bounds the condition number.

    n_subspaces : int, default=1
        Prune this often (ω), each time from a start drawn anew; `inverse_transform` averages.
        More than 1 has a meaning only with `pruning`.

    decode : {"pinv", "ridge"}, default="pinv"
        How `inverse_transform` inverts the anchors' matrix.

    alpha : float, default=1.0
        Strength of ``decode="ridge"``, against anchors of unit norm.

    n_anchors : int, float in (0, 1] or None, default=None
        How many rows of X, or which share of them, to use; None for all.

    anchor_selection : {"uniform", "kmeans", "farthest"} or callable, default="uniform"
        How anchors are chosen, among the scaled rows; see `ProcrustesTranslator`.

    random_state : int, RandomState instance or None, default=None
        Seed of the anchor selection and of the pruning. Which items pruning keeps depends neither
        on the order of the rows nor on a rotation of the space; ties apart, as of equal rows, of
        latents with few values and of directions that cancel out, and unless `n_anchors` has chosen
        rows by their place.

    Attributes
    ----------
    anchors_ : array of shape (n_anchors_, d)
        The anchors, scaled.

    anchor_indices_ : ndarray of shape (n_anchors_,)
        The rows of X that they are, ascending where there are several subspaces.

    n_anchors_ : int
        Number of anchors: the relative space's dimension.

    subspaces_ : list of ndarray
        For each pruning the rows of X that it kept.

    condition_number_ : float
        Of the anchors of unit norm; the largest of all subspaces.

    n_features_in_ : int
        Dimension of the latents.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X was a DataFrame with string names.

    Raises
    ------
    ValueError
        For unknown options, and values that are not finite or whose norms overflow.
    TypeError
        For sparse input, for a Dask array at fit, and for a numeric parameter that is not a number
        (`n_subspaces`: not an integer).
    AttributeError
        For `inverse_transform` with another metric than the cosine.

    Notes
    -----
    Euclidean distances are exact to about 1e-8 of the size of the rows, as scikit-learn's are:
    nearer than that, rows are as good as equal.

    Only the abstract of [4]_ was at hand. The order of centring, normalisation, similarity and
    pseudo-inverse, and δ and ω as such, are as two independent re-implementations have them; they
    could not be confirmed in the paper.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Equation 1.
    .. [2] L. Moschella, V. Maiorca, M. Fumero, A. Norelli, F. Locatello, E. Rodolà. "Relative
       representations enable zero-shot latent space communication". ICLR 2023.
    .. [3] Z. Lähner, M. Moeller. "On the Direct Alignment of Latent Spaces". UniReps 2023,
       Equation 4.
    .. [4] V. Maiorca, L. Moschella, M. Fumero, F. Locatello, E. Rodolà. "Latent Space Translation
       via Inverse Relative Projection". arXiv:2406.15057, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import RelativeProjector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    >>> ours = RelativeProjector().fit(X[:10]).transform(X)
    >>> theirs = RelativeProjector().fit(2 * X[:10] @ rotation).transform(2 * X @ rotation)
    >>> ours.shape
    (100, 10)
    >>> np.allclose(ours, theirs)
    True
    """

    def __init__(
        self,
        metric: str | Callable[[Array, Array], Array] = "cosine",
        *,
        scaling: str | None = None,
        pruning: float | None = None,
        n_subspaces: int = 1,
        decode: str = "pinv",
        alpha: float = 1.0,
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.metric = metric
        self.scaling = scaling
        self.pruning = pruning
        self.n_subspaces = n_subspaces
        self.decode = decode
        self.alpha = alpha
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, *, subspaces: Any = None) -> RelativeProjector:
        """Take the anchors.

        Parameters
        ----------
        X : array-like of shape (n_samples, d)
            Latents to choose anchors from; all of them, unless `n_anchors` or `pruning` say less.
        y : None
            Ignored.
        subspaces : list of array-like of int, default=None
            The anchors that another projector chose among the same items (its ``subspaces_``),
            instead of choosing here; `pruning`, `n_subspaces` and `n_anchors` are then not used.
            Give both projectors the same `scaling`.

        Returns
        -------
        self : object
            The fitted projector.
        """
        return self._fit(X, None, subspaces)

    def _fit(self, X, weight, subspaces, name="X"):
        """`fit` with weights (n,) above 0, or None, to latents that errors call by `name`."""
        check_projection_parameters(self)
        if not callable(self.metric):
            check_option("metric", self.metric, tuple(METRICS))
        if isinstance(self.scaling, (tuple, list)):
            raise ValueError("scaling of a RelativeProjector is one value: it has only one side.")
        kind = parse_scaling(self.scaling)[0]
        X = without_graph(X)
        X = validate_data(self, X, dtype=accepted_dtypes(X))
        rows = np.asarray(to_numpy(X), dtype=np.float64)
        heaviest = 1.0 if weight is None else float(weight.max())
        # ratios of weights, as products with weights of any size could overflow or vanish
        weight = np.ones(len(rows)) if weight is None else weight / heaviest
        rows = self._scale(rows, weight, kind, eps_of(X.dtype, X), name)
        if subspaces is None:
            subspaces = self._choose(rows, weight)
        elif not len(subspaces):
            raise ValueError("subspaces is empty: give one array of row numbers or more, or None.")
        self.subspaces_ = [_checked_rows(subspace, len(rows)) for subspace in subspaces]
        if len(self.subspaces_) == 1:
            self.anchor_indices_ = self.subspaces_[0]
        else:
            self.anchor_indices_ = np.unique(np.concatenate(self.subspaces_))
        self._keep(X, rows[self.anchor_indices_], weight[self.anchor_indices_], heaviest)
        return self

    def _scale(self, rows, weight, kind, eps, name):
        """The rows, scaled, by weighted statistics that are kept."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._scaling, self._is_scaled = _scaling_of(rows, weight, kind, name), kind is not None
            rows = self._scaling.apply(rows)
            lengths = row_norms(rows)
            mean = float(np.average(lengths, weights=weight))
        if not fits_in(np.float64, lengths, self._scaling.scale):
            raise ValueError(f"The norms of {name} overflow float64: rescale the latents.")
        # With rows of unit norm, the scale is the mean norm already, rows of zeros included.
        self._mean_norm = 1.0 if self._scaling.unit else mean
        self._rounding = None
        if kind in ("center", "standard"):
            # A row at the mean has no direction; its rounding has.
            spread = np.sqrt(np.average(rows**2, axis=0, weights=weight))
            offset = np.abs(self._scaling.shift) / self._scaling.divisor
            self._rounding = 4 * eps * (spread + offset)
        return _without_rounding(rows, self._rounding)

    def _keep(self, X, anchors, weight, heaviest):
        """Store the anchors (n_anchors_, d), as X is, and how to decode by them.

        Weights are shares of the heaviest of all.
        """
        self.n_anchors_ = self._n_features_out = len(anchors)
        position = np.empty(self.anchor_indices_.max() + 1, dtype=np.intp)
        position[self.anchor_indices_] = np.arange(self.n_anchors_)
        ridge = self.alpha if self.decode == "ridge" else None
        if self.pruning:  # of equal anchors it keeps one: no repetitions that weights stand for
            weight = None
        elif ridge is not None:
            ridge /= heaviest
        self._decoder, conditions = decoding_matrix(
            unit_rows(anchors),
            [position[subspace] for subspace in self.subspaces_],
            ridge,
            X.dtype if is_numpy(X) else str(X.dtype).rpartition(".")[2],
            weight,
        )
        self.condition_number_ = float(conditions.max())
        self.anchors_ = asarray_like(anchors, X)

    def transform(self, X: Any) -> Array:
        """Similarities of latents to the anchors.

        Parameters
        ----------
        X : array-like of shape (n_samples, d)
            Latents.

        Returns
        -------
        array of shape (n_samples, n_anchors_)
            The relative latents, in the dtype of X.
        """
        if is_dask(X):
            return map_blocks(self, "transform", X)
        check_is_fitted(self)
        X = without_graph(X)
        X = validate_data(self, X, dtype=accepted_dtypes(X), reset=False)
        check_place(self, self.anchors_, X, "transform")
        X = self._scaled(X)
        anchors = asarray_like(self.anchors_, X)
        if isinstance(self.metric, str):
            return METRICS[self.metric](X, anchors)
        relative, shape = self.metric(read_only(X), read_only(anchors)), (len(X), len(anchors))
        if tuple(np.shape(relative)) != shape:
            raise ValueError(
                f"metric returned an array of shape {tuple(np.shape(relative))}; expected one "
                f"similarity of each row of X to each anchor: {shape}."
            )
        return namespace_of(X).astype(relative, X.dtype, copy=False)

    @available_if(_is_invertible)
    def inverse_transform(self, X: Any) -> Array:
        """Latents of this space from relative ones, by the pseudo-inverse of its own anchors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_anchors_)
            Relative latents, of this space or of one that is semantically similar.

        Returns
        -------
        array of shape (n_samples, d)
            Latents of the mean norm of the rows seen at fit, with scaling undone: `transform` keeps
            no lengths.
        """
        if is_dask(X):
            return map_blocks(self, "inverse_transform", X)
        check_is_fitted(self)
        X = without_graph(X)
        X = check_array(X, dtype=accepted_dtypes(X), estimator=self)
        check_place(self, self.anchors_, X, "inverse_transform")
        if X.shape[1] != self.n_anchors_:
            raise ValueError(
                f"X has {X.shape[1]} columns, but RelativeProjector is expecting "
                f"{self.n_anchors_}, the number of its anchors, as input."
            )
        return self._decoding_map().apply(X)

    def _decoding_map(self) -> AffineMap:
        """The affine map from relative latents to this space that `inverse_transform` applies."""
        scale = self._mean_norm * self._scaling.scale
        return AffineMap((self._decoder * scale).T, self._scaling.shift)

    def _choose(self, rows, weight):
        random_state = check_random_state(self.random_state)
        n_anchors = count_anchors(self.n_anchors, len(rows))
        if self.n_anchors is None:
            pool = np.arange(n_anchors)
        else:
            pool = select_anchors(rows, n_anchors, self.anchor_selection, random_state)
        if self.pruning is None:
            return [pool]
        unit, lengths = normalize_rows(rows[pool])
        starts = random_anchors(unit, lengths, weight[pool], self.n_subspaces, random_state)
        return [pool[prune(unit, self.pruning, int(start))] for start in starts]

    def _scaled(self, X: Array) -> Array:
        """What `scaling` makes of validated latents."""
        if not self._is_scaled:
            return X
        rows = _without_rounding(self._scaling.apply(X), self._rounding)
        return namespace_of(X).astype(rows, X.dtype, copy=False)

    def __getstate__(self):
        return {key: to_host(value) for key, value in super().__getstate__().items()}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def check_projection_parameters(estimator: Any) -> None:
    """Check `pruning`, `n_subspaces`, `decode` and `alpha`."""
    if estimator.pruning is not None:
        check_number("pruning", estimator.pruning, minimum=0)
        if estimator.pruning >= 1:
            raise ValueError(f"pruning={estimator.pruning} must be below 1, or None.")
    check_number("n_subspaces", estimator.n_subspaces, minimum=1, integer=True)
    check_option("decode", estimator.decode, ("pinv", "ridge"))
    check_selection(estimator.anchor_selection)
    check_number("alpha", estimator.alpha, minimum=0, strict=True)


def _without_rounding(rows, rounding):
    """Rows with zeros for those of which no value is more than the `rounding` of its column."""
    if rounding is None:
        return rows
    xp, limit = namespace_of(rows), asarray_like(rounding, rows)
    # which takes less time than to look at all values
    if not bool(xp.any(row_norms(rows) <= float(np.linalg.norm(rounding)))):
        return rows
    at_mean = xp.all(xp.abs(rows) <= limit[None, :], axis=1)
    return xp.where(at_mean[:, None], xp.zeros_like(rows), rows)


def _scaling_of(rows, weight, kind, name):
    """What `scaling` does, by weighted statistics of rows in float64."""
    no_target = rows[:, :0]
    units = (kind == "l2", False)
    seen = PairMoments.from_arrays(rows, no_target, weight, kind="cross", unit_rows=units)
    if kind == "standard" and (
        not fits_in(np.float64, seen.ss_x) or vanishes(rows, seen.ss_x / seen.weight)
    ):
        raise ValueError(
            f"The squares of {name} overflow or vanish in float64: rescale the latents."
        )
    return SideScaling.of_kind(kind, seen.mean_x, seen.ss_x, seen.weight, seen.mean_norm_x)


def _checked_rows(subspace, n_rows):
    rows = np.asarray(to_numpy(subspace) if hasattr(subspace, "shape") else subspace)
    bad = rows.ndim != 1 or rows.size == 0 or not np.issubdtype(rows.dtype, np.integer)
    if bad or rows.min() < 0 or rows.max() >= n_rows or np.unique(rows).size != rows.size:
        raise ValueError(
            f"Each of subspaces must be distinct integers from 0 to {n_rows - 1}, the rows of X; "
            f"got {subspace!r}. Fit on the same items as the projector that chose them."
        )
    return rows.astype(np.intp)
