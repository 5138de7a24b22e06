"""`StitchingMatrixDisplay`: every encoder before every decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from .._base import translate
from ..orthogonal import ProcrustesTranslator
from ._display_inputs import (
    check_labels,
    check_latents_named,
    check_named,
    score_name,
    scorer_of,
)
from ._style import axes_for

GAP = 0.3
"""Between the matrix and its margins, in cells."""
CELL = 0.5
"""Width of a cell in a new figure, in inches, where its number has four characters or fewer."""
CHARACTER = 0.07
"""Width of a character of a number, in inches."""
FEWEST_DECIMALS, MOST_DECIMALS = 2, 4
SMALLEST_FONT = 4
"""Of numbers in cells, in points; smaller ones are left out."""


class StitchingMatrixDisplay:
    r"""Scores of every encoder before every frozen decoder, with margins.

    .. math:: S_{ij} = \text{score}\bigl(f_j,\; T_{ij}(x_i)\bigr)

    for the translator :math:`T_{ij}` from encoder i to the space of decoder j; the decoder of an
    encoder's own space reads its latents untranslated. The mean of a row says how good an encoder
    is to translate from, that of a column how good a space is to translate to. These *native* cells
    are framed, and count in no mean. Figure 5 of [1]_.

    Make one by `from_encoders`, which computes; `plot` draws.

    Parameters
    ----------
    scores : array-like of shape (n_encoders, n_decoders)
        NaN where there is none.

    encoder_names : sequence of str of length n_encoders
        Names of the rows, each once.

    decoder_names : sequence of str of length n_decoders, default=None
        Names of the columns, each once; None for those of the rows. Cells whose row and column have
        one name are native.

    score_name : str, default="score"
        What the colours are.

    Attributes
    ----------
    scores : ndarray of shape (n_encoders, n_decoders)
        As given, in float64.

    encoder_names, decoder_names : list of str
        As given.

    score_name : str
        As given.

    native : ndarray of bool of shape (n_encoders, n_decoders)
        Whether the decoder reads its own encoder, untranslated.

    encoder_means : ndarray of shape (n_encoders,)
        Means of rows, over cells that are not native and not NaN; NaN where there is none.

    decoder_means : ndarray of shape (n_decoders,)
        The same of columns.

    ax_ : matplotlib Axes
        Where the matrix is, after `plot`.

    figure_ : matplotlib Figure
        Its figure.

    image_ : matplotlib AxesImage
        The matrix.

    margins_ : tuple of 2 matplotlib AxesImage
        Means of rows and of columns.

    texts_ : ndarray of shape (n_encoders + 1, n_decoders + 1) of matplotlib Text or None
        Numbers in the cells and, last, in the margins; None where they were not asked for.

    native_patches_ : list of matplotlib Rectangle
        Frames of the native cells.

    colorbar_ : matplotlib Colorbar or None
        If asked for.

    Raises
    ------
    ValueError
        If the names are not as many as rows and columns, or one occurs twice.

    References
    ----------
    .. [1] V. Maiorca, L. Moschella, A. Norelli, M. Fumero, F. Locatello, E. Rodolà. "Latent Space
       Translation via Semantic Alignment". NeurIPS 2023, Figure 5.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_latent import LstsqTranslator
    >>> from sklearn_latent.inspection import StitchingMatrixDisplay
    >>> X, labels = load_iris(return_X_y=True)
    >>> latents = {"first": X, "second": X[:, ::-1] * 2 + 1}
    >>> decoders = {name: SVC().fit(rows, labels) for name, rows in latents.items()}
    >>> display = StitchingMatrixDisplay.from_encoders(
    ...     latents, latents, decoders, labels, translator=LstsqTranslator()
    ... )
    >>> display.scores.shape
    (2, 2)
    >>> bool(display.scores[0, 1] == decoders["second"].score(latents["second"], labels))
    True
    """

    def __init__(
        self,
        scores: Any,
        encoder_names: Sequence[str],
        decoder_names: Sequence[str] | None = None,
        *,
        score_name: str = "score",
    ):
        self.scores = np.array(scores, dtype=np.float64)
        self.encoder_names = [str(name) for name in encoder_names]
        columns = encoder_names if decoder_names is None else decoder_names
        self.decoder_names = [str(name) for name in columns]
        self.score_name = score_name
        expected = (len(self.encoder_names), len(self.decoder_names))
        if self.scores.shape != expected or 0 in expected:
            raise ValueError(
                f"scores has shape {self.scores.shape}; expected one row for each of the "
                f"{expected[0]} encoders and one column for each of the {expected[1]} decoders."
            )
        for what, names in (("encoder", self.encoder_names), ("decoder", self.decoder_names)):
            if len(set(names)) < len(names):
                raise ValueError(f"{what}_names has a name twice: {names}.")

    @property
    def native(self) -> np.ndarray:
        """Whether a cell is a decoder before its own encoder, (n_encoders, n_decoders)."""
        rows, columns = np.asarray(self.encoder_names), np.asarray(self.decoder_names)
        return rows[:, None] == columns[None, :]

    @property
    def encoder_means(self) -> np.ndarray:
        """Means of rows over stitched cells, (n_encoders,)."""
        return self._means(axis=1)

    @property
    def decoder_means(self) -> np.ndarray:
        """Means of columns over stitched cells, (n_decoders,)."""
        return self._means(axis=0)

    def _means(self, axis):
        counts = ~self.native & ~np.isnan(self.scores)
        total, number = np.where(counts, self.scores, 0).sum(axis=axis), counts.sum(axis=axis)
        return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)

    @classmethod
    def from_encoders(
        cls,
        latents_train: Mapping[str, Any],
        latents_test: Mapping[str, Any],
        decoders: Mapping[str, Any],
        labels: Any,
        *,
        translator: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
    ) -> StitchingMatrixDisplay:
        """Fit a translator for each encoder and decoder, and score.

        Parameters
        ----------
        latents_train : dict from str to array-like of shape (n_anchors, d_encoder)
            Latents of the anchors by each encoder: row i is the same item in all.
        latents_test : dict from str to array-like of shape (n_samples, d_encoder)
            Latents of the items to score, by the same names.
        decoders : dict from str to fitted estimator
            Each trained on the latents of the encoder of its name; encoders may lack one. Never
            refitted.
        labels : array-like of shape (n_samples,)
            What the decoders should say of the test items, or whatever `scoring` takes.
        translator : translator, default=None
            Fitted as a clone for each pair of different names; None for
            ``ProcrustesTranslator()``.
        scoring : str or callable ``(decoder, X, labels) -> float``, default=None
            Name of a scorer of scikit-learn's or of `sklearn_latent.metrics.SCORERS`; None for
            the decoders' own ``score``.
        n_jobs : int, default=None
            Number of pairs at a time, as in scikit-learn.

        Returns
        -------
        StitchingMatrixDisplay
            Nothing is drawn yet.
        """
        anchors = check_named(latents_train, "latents_train", "arrays of latents")
        items = check_named(latents_test, "latents_test", "arrays of latents")
        decoders = check_named(decoders, "decoders", "fitted decoders")
        n_items = check_latents_named(anchors, items, decoders)
        if np.ndim(labels) == 1:
            labels = check_labels(labels, n_items, "latents_test")
        for decoder in decoders.values():
            check_is_fitted(decoder)
        translator = ProcrustesTranslator() if translator is None else translator
        scorer = scorer_of(scoring)
        scores = Parallel(n_jobs=n_jobs)(
            delayed(_stitch)(
                None if encoder == space else clone(translator),
                anchors[encoder],
                anchors[space],
                items[encoder],
                decoder,
                labels,
                scorer,
            )
            for encoder in anchors
            for space, decoder in decoders.items()
        )
        return cls(
            np.reshape(scores, (len(anchors), len(decoders))),
            list(anchors),
            list(decoders),
            score_name=score_name(scoring, decoders.values()),
        )

    def plot(
        self,
        ax: Any = None,
        *,
        include_values: bool = True,
        values_format: str | None = None,
        colorbar: bool = True,
        **kwargs: Any,
    ) -> StitchingMatrixDisplay:
        """Draw the matrix and its margins.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        include_values : bool, default=True
            Write the numbers into the cells, unless those of the `ax` given are too small.
        values_format : str or None, default=None
            How, such as ``".1%"``. None for two decimals, or three or four where the scores differ
            by so little that cells of different colours would have one number.
        colorbar : bool, default=True
            Draw the scale of the colours.
        **kwargs : dict
            Passed to ``ax.imshow``, such as ``cmap``, ``vmin`` and ``vmax``.

        Returns
        -------
        self : object
            With `ax_`, `figure_`, `image_`, `margins_`, `texts_`, `native_patches_` and
            `colorbar_`.
        """
        n_rows, n_columns = self.scores.shape
        new_figure = ax is None
        numbers = self._numbers(values_format)
        longest = max(map(len, numbers.flat)) if include_values else 0
        ax = axes_for(ax, "StitchingMatrixDisplay.plot", figsize=self._figsize(longest))
        self.ax_, self.figure_ = ax, ax.figure
        row_end, column_end = n_rows - 0.5, n_columns - 0.5
        options = {"cmap": "cividis", **kwargs}
        if "norm" not in options:
            finite = self.scores[np.isfinite(self.scores)]
            limits = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
            options = {"vmin": limits[0], "vmax": limits[1], **options}
        self.image_ = ax.imshow(
            self.scores, **{**options, "extent": (-0.5, column_end, row_end, -0.5)}
        )
        shared = {"cmap": self.image_.cmap, "norm": self.image_.norm}
        right = (column_end + GAP, column_end + GAP + 1, row_end, -0.5)
        below = (-0.5, column_end, row_end + GAP + 1, row_end + GAP)
        self.margins_ = (
            ax.imshow(self.encoder_means[:, None], extent=right, **shared),
            ax.imshow(self.decoder_means[None, :], extent=below, **shared),
        )
        ax.set(xlim=(-0.6, right[1] + 0.1), ylim=(below[2] + 0.1, -0.6), aspect="equal")
        self._name_axes(ax)
        self._frame_native(ax)
        self.texts_ = np.full((n_rows + 1, n_columns + 1), None)
        if include_values:
            self._write(ax, numbers)
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = ax.figure.colorbar(self.image_, ax=ax, fraction=0.046, pad=0.03)
            self.colorbar_.set_label(self.score_name)
        if not new_figure:
            self._fit_fonts(ax, longest)
        return self

    def _figsize(self, longest_number):
        longest = max(map(len, [*self.encoder_names, *self.decoder_names]))
        n_rows, n_columns = self.scores.shape
        cell = max(CELL, CHARACTER * (longest_number + 2))
        return (
            max(4.5, cell * (n_columns + 1.5) + 0.085 * longest + 2.6),
            max(3.2, cell * (n_rows + 1.5) + 0.06 * longest + 0.8),
        )

    def _name_axes(self, ax):
        n_rows, n_columns = self.scores.shape
        ax.set_xticks([*range(n_columns), n_columns + GAP], [*self.decoder_names, "mean"])
        ax.set_yticks([*range(n_rows), n_rows + GAP], [*self.encoder_names, "mean"])
        if max(map(len, self.decoder_names)) > 5:
            for label in ax.get_xticklabels():
                label.set(rotation=45, ha="right", rotation_mode="anchor")
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        framed = "\n(framed: untranslated)" if self.native.any() else ""
        ax.set(xlabel=f"decoder{framed}", ylabel="encoder")

    def _frame_native(self, ax):
        from matplotlib.patches import Rectangle
        from matplotlib.patheffects import withStroke

        both = [withStroke(linewidth=4, foreground="white")]  # seen on dark and on light cells

        self.native_patches_ = [
            ax.add_patch(
                Rectangle(
                    (column - 0.46, row - 0.46),
                    0.92,
                    0.92,
                    fill=False,
                    edgecolor="black",
                    linewidth=2,
                    path_effects=both,
                )
            )
            for row, column in zip(*np.nonzero(self.native))
        ]

    def _fit_fonts(self, ax, longest_number):
        """Fonts no larger than cells allow, once the layout has said how large those are."""
        figure = ax.figure.canvas.figure
        figure.draw_without_rendering()
        points = 72 / figure.dpi * ax.get_window_extent().height / np.ptp(ax.get_ylim())
        for label in [*ax.get_xticklabels(), *ax.get_yticklabels()]:
            label.set_fontsize(min(label.get_fontsize(), 0.8 * points))
        for text in filter(None, self.texts_.flat):
            text.set_fontsize(
                min(text.get_fontsize(), points / max(3.2, 0.6 * longest_number + 0.8))
            )
            text.set_visible(text.get_fontsize() >= SMALLEST_FONT)
        for patch in self.native_patches_:
            patch.set_linewidth(min(patch.get_linewidth(), points / 10))
            patch.set_path_effects(None if points < 20 else patch.get_path_effects())

    def _values(self):
        """Scores, and last their means in the margins, (n_encoders + 1, n_decoders + 1)."""
        values = np.full(np.add(self.scores.shape, 1), np.nan)
        values[:-1, :-1] = self.scores
        values[:-1, -1], values[-1, :-1] = self.encoder_means, self.decoder_means
        return values

    def _numbers(self, values_format):
        """What is written into the cells, as `_values`; the corner is empty."""
        values_format = self._enough_decimals() if values_format is None else values_format
        numbers = [
            ["–" if np.isnan(value) else format(value, values_format) for value in row]
            for row in self._values()
        ]
        numbers[-1][-1] = ""
        return np.array(numbers)

    def _enough_decimals(self):
        """A tenth of the range, if it is not too little, changes the last decimal."""
        finite = self.scores[np.isfinite(self.scores)]
        span = np.ptp(finite) if finite.size else 0
        needed = np.ceil(1 - np.log10(span) - 1e-9) if span > 0 else 0
        return f".{int(np.clip(needed, FEWEST_DECIMALS, MOST_DECIMALS))}f"

    def _write(self, ax, numbers):
        n_rows, n_columns = self.scores.shape
        for (row, column), value in np.ndenumerate(self._values()):
            if (row, column) == (n_rows, n_columns):
                continue
            missing = bool(np.isnan(value))
            red, green, blue, _ = self.image_.cmap(self.image_.norm(0 if missing else value))
            dark = not missing and 0.299 * red + 0.587 * green + 0.114 * blue < 0.46
            self.texts_[row, column] = ax.text(
                column + GAP * (column == n_columns),
                row + GAP * (row == n_rows),
                numbers[row, column],
                color="white" if dark else "black",
                fontsize=9,
                ha="center",
                va="center",
            )


def _stitch(translator, X_anchors, y_anchors, X, decoder, labels, scorer):
    """Score of a decoder behind a translator, or of the untranslated latents if that is None."""
    if translator is not None:
        X = translate(translator.fit(X_anchors, y_anchors), X)
    return float(scorer(decoder, X, labels))
