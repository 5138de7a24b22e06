"""`SpectrumDisplay`: the singular values of a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._array import svd, to_numpy
from .._linear_base import LinearTranslator
from .._validation import check_option
from ._display_inputs import check_named, check_vector
from ._style import REFERENCE, add_legend, axes_for, line_options

SPACES = ("raw", "scaled")
MOST_MARKERS = 12


class SpectrumDisplay:
    r"""Singular values of linear maps: how orthogonal are they?

    A map is orthogonal up to a scale where all its singular values :math:`s_1, ..., s_k` are
    equal, k being the smaller of the two dimensions. They are drawn divided by their root mean
    square, so that such a map lies on the line at 1, and a map that stretches some directions and
    drops others falls off to the right. In one number it is

    .. math:: \frac{\langle W, P\rangle}{\|W\|_F \|P\|_F}
              = \frac{\sum_i s_i}{\sqrt{k \sum_i s_i^2}},

    the cosine between the map W and the nearest semi-orthogonal matrix P, its polar factor.

    Make one by `from_estimator` or `from_estimators`, which compute; `plot` draws.

    Parameters
    ----------
    singular_values : dict from str to array-like of shape (n_values,)
        Singular values of each map, not negative, in any order, zeros included.

    space : {"raw", "scaled"}, default="raw"
        Which spaces the maps are between; says so in the picture and nothing else.

    Attributes
    ----------
    singular_values : dict from str to ndarray of shape (n_values,)
        Of each map, descending.

    space : str
        As given.

    orthogonality : dict from str to float
        The cosine above, from 0 to 1; 1 for an orthogonal map times any scale. NaN for a map to 0.

    ax_ : matplotlib Axes
        Where the curves are, after `plot`.

    figure_ : matplotlib Figure
        Its figure.

    lines_ : list of matplotlib Line2D
        One curve for each map.

    legend_ : matplotlib Legend or None
        Of the names, or None where one line has no name.

    Raises
    ------
    ValueError
        If the values are no vectors of finite numbers of at least 0.
    TypeError
        If they are not in a dict of names.

    See Also
    --------
    sklearn_latent.ProcrustesTranslator : Its map is orthogonal between the scaled spaces.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_latent import LstsqTranslator, ProcrustesTranslator
    >>> from sklearn_latent.inspection import SpectrumDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = X * [4, 2, 1] + 5
    >>> translators = {
    ...     "ortho": ProcrustesTranslator(scaling="center").fit(X, y),
    ...     "linear": LstsqTranslator(scaling="center").fit(X, y),
    ... }
    >>> display = SpectrumDisplay.from_estimators(translators)
    >>> display.singular_values["linear"].round(6).tolist()
    [4.0, 2.0, 1.0]
    >>> {name: round(value, 2) for name, value in display.orthogonality.items()}
    {'ortho': 1.0, 'linear': 0.88}
    """

    def __init__(self, singular_values: Mapping[str, Any], *, space: str = "raw"):
        named = check_named(singular_values, "singular_values", "arrays of singular values")
        check_option("space", space, SPACES)
        self.singular_values = {name: _descending(values, name) for name, values in named.items()}
        self.space = space

    @property
    def orthogonality(self) -> dict[str, float]:
        """Cosine between each map and the nearest semi-orthogonal one."""
        return {
            name: float(values.mean() / _root_mean_square(values)) if values.any() else np.nan
            for name, values in self.singular_values.items()
        }

    @classmethod
    def from_estimator(
        cls, translator: Any, *, space: str = "raw", name: str | None = None
    ) -> SpectrumDisplay:
        """Of one fitted translator.

        Parameters
        ----------
        translator : fitted estimator with ``coef_``
            A linear translator of this package, or any linear regressor.
        space : {"raw", "scaled"}, default="raw"
            ``"raw"``: of ``coef_``, the map between the spaces as they are, so that maps of
            different `scaling` compare. ``"scaled"``: of the map between the spaces after the
            translator's own `scaling`, where it was estimated.
        name : str, default=None
            In the legend; None for the name of the class.

        Returns
        -------
        SpectrumDisplay
            Nothing is drawn yet.
        """
        name = type(translator).__name__ if name is None else name
        return cls.from_estimators({name: translator}, space=space)

    @classmethod
    def from_estimators(
        cls, translators: Mapping[str, Any], *, space: str = "raw"
    ) -> SpectrumDisplay:
        """Of several fitted translators.

        Parameters
        ----------
        translators : dict from str to fitted estimator with ``coef_``
            By the names that the legend has.
        space : {"raw", "scaled"}, default="raw"
            As in `from_estimator`.

        Returns
        -------
        SpectrumDisplay
            Nothing is drawn yet.
        """
        check_option("space", space, SPACES)
        named = check_named(translators, "translators", "fitted translators")
        values = {
            name: svd(_matrix(translator, name, space))[1] for name, translator in named.items()
        }
        return cls(values, space=space)

    def plot(self, ax: Any = None, *, relative: bool = True, **kwargs: Any) -> SpectrumDisplay:
        """Draw the values in descending order.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        relative : bool, default=True
            Divide each map's values by their root mean square; a map to 0 is left as it is.
        **kwargs : dict
            Passed to every ``ax.plot``.

        Returns
        -------
        self : object
            With `ax_`, `figure_`, `lines_` and `legend_`.
        """
        orthogonality = self.orthogonality
        labels = {name: f"{name} ({value:.2f})" for name, value in orthogonality.items()}
        ax = axes_for(ax, "SpectrumDisplay.plot", names=list(labels.values()))
        self.lines_ = []
        for i, (name, values) in enumerate(self.singular_values.items()):
            heights = values / _root_mean_square(values) if relative and values.any() else values
            spacing = max(1, round(values.size / MOST_MARKERS))
            # markers of neighbouring curves at different places
            options = line_options(
                i, kwargs, label=labels[name], markersize=5, markevery=(i % spacing, spacing)
            )
            self.lines_ += ax.plot(np.arange(1, values.size + 1), heights, **options)
        if relative:
            ax.axhline(1, zorder=1, **REFERENCE)
        _set_scales(ax, np.concatenate([line.get_ydata() for line in self.lines_]))
        between = "raw spaces" if self.space == "raw" else "scaled spaces"
        unit = " / root mean square" if relative else ""
        ax.set(xlabel="rank of the singular value", ylabel=f"singular value{unit}")
        ax.set_title(f"Map between the {between}", fontsize="medium")
        ax.grid(alpha=0.3)
        self.legend_ = add_legend(ax, title="map (cosine to orthogonal)")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _set_scales(ax: Any, drawn: np.ndarray) -> None:
    """Whole numbers below; at the left a logarithmic axis with plain ones, if not all is zero."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if not drawn.any():
        return
    ax.set_yscale("log", nonpositive="clip")
    # values that are 0 to rounding leave the picture at its lower edge
    floor = max(drawn[drawn > 0].min(), 1e-4 * drawn.max())
    ax.set_ylim(floor / 1.5, drawn.max() * 1.5)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())


def _matrix(translator: Any, name: str, space: str) -> np.ndarray:
    """The map (d_target, d_source) in float64."""
    check_is_fitted(translator)
    if not hasattr(translator, "coef_"):
        raise TypeError(
            f"translators[{name!r}] is a {type(translator).__name__}, which has no coef_: only "
            "linear maps have singular values. Of a pipeline, give the step that is linear."
        )
    coef = np.atleast_2d(np.asarray(to_numpy(translator.coef_), dtype=np.float64))
    if space == "raw":
        return coef
    if not isinstance(translator, LinearTranslator):
        raise TypeError(
            f"translators[{name!r}] is a {type(translator).__name__}, which has no scaled space: "
            "use space='raw'."
        )
    return np.asarray(to_numpy(translator._scaling.unfold(translator.coef_)), dtype=np.float64).T


def _descending(values: Any, name: str) -> np.ndarray:
    values = check_vector(values, f"singular_values[{name!r}]")
    if np.any(values < 0):
        raise ValueError(
            f"singular_values[{name!r}] has negative values: singular values are at least 0."
        )
    return np.sort(values)[::-1]


def _root_mean_square(values: np.ndarray) -> float:
    largest = values.max()  # squares of what is left neither overflow nor vanish
    return float(largest * np.sqrt(np.mean((values / largest) ** 2)))
