"""Translation through the relative space."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._affine_map import AffineMap
from ._array import (
    Array,
    asarray_like,
    fits_in,
    is_dask,
    namespace_of,
    to_numpy,
    widest_float,
)
from ._base import BaseTranslator
from ._scaling import Scaling, parse_scaling
from ._validation import all_or_nothing
from .anchors import AnchorSelection
from .relative import RelativeProjector, check_projection_parameters
from .solvers.relative import unit_rows


class InverseRelativeTranslator(BaseTranslator):
    r"""Translate through the relative space (*inverse relative projection*).

    Both sides are centred on the (weighted) mean of their anchors and normalised to unit rows,
    and with :math:`A_X, A_Y` the parallel anchors the map is

    .. math:: x \mapsto \frac{x - \bar x}{\|x - \bar x\|}\, A_X^\top (A_Y^\top)^+ \;
              \operatorname{mean}\|a_Y\| + \bar y

    ([1]_): encode by the cosine to the source's anchors, decode by the pseudo-inverse of the
    target's. The mean and the mean norm are those of all anchors, pruned ones included. Each half
    needs its own space alone: see `source_projector_` and `target_projector_`, which can be pickled
    apart and used on two machines.

    With about as many anchors as target dimensions :math:`A_Y` is badly conditioned; `pruning` (δ)
    and `n_subspaces` (ω) or ``decode="ridge"`` are the remedies. Unpruned, the map is the transpose
    of the (weighted) least-squares map from target to source between the unit rows.

    Parameters
    ----------
    pruning : float in [0, 1) or None, default=0.7
        Keep only anchors at a distance ``1 - |cos|`` of at least this from each other (δ), chosen
        on the source side by greedy farthest-point sampling from a start drawn in proportion to
        the weights.

    n_subspaces : int, default=8
        Prune this often (ω), each time from a start drawn anew, and average the decodings. Where
        one row has nearly all the weight, the subspaces are alike.

    decode : {"pinv", "ridge"}, default="pinv"
        How the target's anchors are inverted.

    alpha : float, default=1.0
        Strength of ``decode="ridge"``, against anchors of unit norm, which count by their weights
        where there is no pruning.

    scaling : {"standard", "center", "l2", None} or a pair of them, default="center"
        What is done to both sides before rows are normalised, undone on the target side. The
        default is the paper's.

    n_anchors : int, float in (0, 1] or None, default=None
        How many rows of (X, y), or which share of them, to use; None for all.

    anchor_selection : {"uniform", "kmeans", "farthest"} or callable, default="uniform"
        How anchors are chosen, on the source side, before pruning.

    random_state : int, RandomState instance or None, default=None
        Seed of the anchor selection and of the pruning; see `RelativeProjector` for what the kept
        items do not depend on.

    Attributes
    ----------
    source_projector_ : RelativeProjector
        The half that encodes: ``transform`` gives relative latents.

    target_projector_ : RelativeProjector
        The half that decodes: ``inverse_transform`` of relative latents.

    coef_ : array of shape (d_target, d_source)
        Both halves in one: ``transform(X)`` is ``U @ coef_.T + intercept_``, U being X scaled and
        normalised to unit rows.

    intercept_ : array of shape (d_target,)
        The offset, in the target's units.

    anchor_indices_ : ndarray of shape (n_kept,)
        The rows of (X, y) that pruning kept, in any subspace.

    n_anchors_ : int
        Number of anchors before pruning.

    condition_number_ : float
        Of the target's anchors, weighted where there is no pruning; the largest of all subspaces.

    n_features_in_ : int
        The source's dimension.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the source's columns, where X was a DataFrame with string names.

    Raises
    ------
    ValueError
        At fit: for different numbers of rows, fewer than two anchors, values that are not finite,
        and unknown options. At transform: for another number of columns than at fit.
    TypeError
        For sparse input, for a Dask array at fit, and for a numeric parameter that is not a number
        (`n_subspaces`: not an integer).

    See Also
    --------
    RelativeProjector : One half.
    ProcrustesTranslator : Estimates the map from both sides at once.

    Notes
    -----
    Only the abstract of [1]_ was at hand. That rows are centred on the anchors, the scale and mean
    restored as above, and δ = 0.7 and ω = 8, are as independent re-implementations have them; they
    could not be confirmed in the paper. The length of a source row is not translated: the authors
    assume decoders that are invariant to scale.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, M. Fumero, F. Locatello, E. Rodolà. "Latent Space Translation
       via Inverse Relative Projection". arXiv:2406.15057, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import InverseRelativeTranslator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> X = X / np.linalg.norm(X - X.mean(axis=0), axis=1, keepdims=True)
    >>> rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    >>> translator = InverseRelativeTranslator(pruning=None).fit(X, X @ rotation)
    >>> translator.coef_.shape
    (3, 3)
    """

    def __init__(
        self,
        *,
        pruning: float | None = 0.7,
        n_subspaces: int = 8,
        decode: str = "pinv",
        alpha: float = 1.0,
        scaling: Scaling = "center",
        n_anchors: int | float | None = None,
        anchor_selection: AnchorSelection = "uniform",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.pruning = pruning
        self.n_subspaces = n_subspaces
        self.decode = decode
        self.alpha = alpha
        self.scaling = scaling
        self.n_anchors = n_anchors
        self.anchor_selection = anchor_selection
        self.random_state = random_state

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> InverseRelativeTranslator:
        """Choose anchors on the source side and take both sides' halves.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_source)
            Source latents.
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents; row i of X and y is the same item.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. Unless `n_anchors` chooses rows, a weight of k counts as k
            repetitions of the row: in means and norms, in the draw of the first anchor that pruning
            keeps and, without pruning, in the decoding.

        Returns
        -------
        self : object
            The fitted translator.
        """
        source_scaling, target_scaling = parse_scaling(self.scaling)
        check_projection_parameters(self)
        X, y, weight = self._validate_pairs(X, y, sample_weight, reset=True)
        random_state = check_random_state(self.random_state)
        chosen = self._choose_anchors(X, weight, random_state)
        pool = np.arange(X.shape[0]) if chosen is None else to_numpy(chosen)
        self.n_anchors_ = pool.size
        self._check_number_of_anchors(self.n_anchors_)
        if chosen is not None:
            X, y = (namespace_of(X).take(side, chosen, axis=0) for side in (X, y))
        weight = None if weight is None else to_numpy(weight)[pool]
        either = RelativeProjector(
            pruning=self.pruning,
            n_subspaces=self.n_subspaces,
            decode=self.decode,
            alpha=self.alpha,
        )
        # The source's half draws from the state itself, not from a copy, and does not keep it.
        source = clone(either).set_params(scaling=source_scaling)
        self.source_projector_ = source.set_params(random_state=random_state)._fit(X, weight, None)
        source.set_params(random_state=None)
        target = clone(either).set_params(scaling=target_scaling)
        self.target_projector_ = target._fit(y, weight, source.subspaces_, name="y")
        for half in (source, target):  # their rows are those of X and y too
            half.anchor_indices_ = pool[half.anchor_indices_]
            half.subspaces_ = [pool[rows] for rows in half.subspaces_]
        self.anchor_indices_ = source.anchor_indices_
        self.condition_number_ = target.condition_number_
        encode = unit_rows(np.asarray(to_numpy(source.anchors_), dtype=np.float64))
        decode = target._decoding_map()
        with np.errstate(over="ignore", invalid="ignore"):
            coef = decode.coef @ encode
        wide = (asarray_like(part, X, dtype=widest_float(X)) for part in (coef, decode.intercept))
        if not fits_in(X.dtype, *wide):
            raise ValueError(
                f"The map of InverseRelativeTranslator overflows {X.dtype}: rescale the latents, "
                "or give float64."
            )
        self.coef_ = asarray_like(coef, X)
        self.intercept_ = asarray_like(decode.intercept, X)
        return self

    def inverse_transform(self, y: Any) -> Array:
        """Translate back through the relative space, with the halves exchanged.

        Parameters
        ----------
        y : array-like of shape (n_samples, d_target) or (n_samples,)
            Target latents.

        Returns
        -------
        array of shape (n_samples, d_source)
            Source latents of the anchors' mean norm.
        """
        if is_dask(y):
            return self._map_blocks("inverse_transform", y)
        check_is_fitted(self)
        y = self._validate_target(y)
        return self.source_projector_.inverse_transform(self.target_projector_.transform(y))

    def _translate(self, X):
        directions = unit_rows(self.source_projector_._scaled(X))
        return AffineMap(self.coef_, self.intercept_).apply(directions)

    def _fitted_array(self):
        return self.coef_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # the length of rows is not translated
        return tags
