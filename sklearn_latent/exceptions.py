"""Warnings of their own class, so that they can be filtered."""

from __future__ import annotations


class AnchorWarning(UserWarning):
    """The anchors do not suffice for the map that was asked for.

    Given by `LstsqTranslator` where the anchors are about as many as source dimensions, or leave
    the map undetermined. Given by `ProcrustesTranslator` and `RigidTranslator` where a stream of
    float32 anchors turns out to have directions that vary too little for sums in float32.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_latent.exceptions import AnchorWarning
    >>> warnings.simplefilter("ignore", AnchorWarning)
    """
