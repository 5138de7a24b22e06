"""Give predictions back the spread that shrinking took from them."""

from __future__ import annotations

import dataclasses

from .._array import Array, eigh, namespace_of, svd
from .._moments import Factor, PairMoments

# Along directions that leave-one-out could not predict, a larger stretch would only amplify noise.
_MOST_STRETCHED = 10.0


@dataclasses.dataclass(frozen=True)
class Restoration:
    """The map ``p -> (p + p Q D Qᵀ) * ratio`` of predictions' deviations from their mean."""

    axes: Array  # Q (d_target, r)
    gain: Array  # the diagonal of D (r,)
    ratio: Array  # (d_target,)
    growth: Array  # (d_target,), of the standard deviation of each feature

    def apply(self, W: Array) -> Array:
        """The restored map (d_source, d_target)."""
        xp = namespace_of(W)
        stretched = W + ((W @ self.axes) * self.gain[None, :]) @ xp.matrix_transpose(self.axes)
        return stretched * self.ratio[None, :]


def restoration(target: PairMoments, predicted: Array, *, power: float) -> Restoration:
    """Match the spread of predictions of new rows to the target's.

    First along the target's principal axes: ``std(y q) / std(ŷ q)``, within [1, 10], to
    `power`; then feature by feature, likewise and in full. Axes along which almost nothing is
    predicted are stretched tenfold at most, and so keep little spread: what is there is mostly
    noise.

    Parameters
    ----------
    target : PairMoments
        Of the target, as their source.
    predicted : array of shape (d_target, d_target)
        Covariance of the predictions of rows that were left out.
    """
    xp = namespace_of(predicted)
    axes, deviation = principal_axes(target)
    turned = predicted @ axes
    along = xp.sum(axes * turned, axis=0)
    gain = _ratio(deviation**2, along) ** power - 1
    half = predicted + (turned * gain[None, :]) @ xp.matrix_transpose(axes)
    variance = xp.linalg.diagonal(half) + xp.sum(
        axes * gain[None, :] * (xp.matrix_transpose(half) @ axes), axis=1
    )
    ratio = _ratio(target.ss_x / target.weight, variance)
    before = xp.linalg.diagonal(predicted)
    positive = (before > 0) & (variance > 0)
    growth = xp.sqrt(xp.where(positive, variance, 1 + 0 * variance))
    growth = growth / xp.sqrt(xp.where(positive, before, 1 + 0 * before))
    return Restoration(axes, gain, ratio, growth * ratio)


def principal_axes(moments: PairMoments) -> tuple[Array, Array]:
    """Directions (d, r) and standard deviations (r,) of the source of `moments`, but null ones."""
    second = moments.second
    if isinstance(second, Factor):
        _, s, vt = svd(second.x)
        variance, axes = s**2, namespace_of(s).matrix_transpose(vt)
    else:
        variance, axes = eigh(second.xx)
    xp = namespace_of(variance)
    index = xp.nonzero(variance > 1e-10 * xp.max(variance))[0]
    deviation = xp.sqrt(xp.take(variance, index) / moments.weight)
    return xp.take(axes, index, axis=1), deviation


def _ratio(wanted: Array, found: Array) -> Array:
    """Square root of a ratio of variances, within [1, 10]."""
    xp = namespace_of(found)
    positive = found > 0
    ratio = xp.sqrt(wanted / xp.where(positive, found, xp.ones_like(found)))
    ratio = xp.where(positive, ratio, xp.ones_like(ratio))
    return xp.clip(ratio, 1.0, _MOST_STRETCHED)
