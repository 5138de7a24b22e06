"""Full-batch Adam on the mean squared error of an affine map, from moments alone."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator

from .._array import (
    Array,
    asarray_like,
    dot,
    fused_adam,
    is_numpy,
    namespace_of,
    product_minus,
    row_parts,
)
from .._moments import Factor, PairMoments, Products

_LITTLE = 1e-3  # of the power of y


@dataclasses.dataclass
class Adam:
    """The update of Kingma & Ba (2015) with bias correction, as in ``torch.optim.Adam``."""

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    step: int = 0

    def __post_init__(self):
        self._state: list[tuple[Array, ...]] = []  # running means of gradients and their squares
        self._counts: list[Array] = []

    def update(self, parameters: list[Array], gradients: list[Array]) -> None:
        """One step, in place; the gradients are used up."""
        self.step += 1
        if not self._state:
            self._state = [tuple(map(namespace_of(p).zeros_like, (p, p))) for p in parameters]
        adam = fused_adam(parameters[0])
        if adam is not None:
            self._update_at_once(adam, parameters, gradients)
            return
        for parameter, gradient, state in zip(parameters, gradients, self._state):
            arrays = (parameter, gradient, *state)
            for rows in _parts(parameter):
                self._update_part(*(array[rows, ...] for array in arrays))

    def _update_at_once(self, adam, parameters, gradients):
        if not self._counts:
            self._counts = [p.new_zeros((), dtype=namespace_of(p).float32) for p in parameters]
        means, squares = zip(*self._state)
        adam(
            parameters,
            gradients,
            list(means),
            list(squares),
            max_exp_avg_sqs=[],
            state_steps=self._counts,
            fused=True,
            grad_scale=None,
            found_inf=None,
            amsgrad=False,
            maximize=False,
            weight_decay=0.0,
            lr=float(self.learning_rate),
            beta1=self.beta_1,
            beta2=self.beta_2,
            eps=self.epsilon,
        )

    def _update_part(self, parameter, gradient, mean, square):
        # The running sums lack the factors 1 - beta, which are put in once, at the end.
        mean *= self.beta_1
        mean += gradient
        gradient *= gradient
        square *= self.beta_2
        square += gradient
        mean_weight = (1 - self.beta_1) / (1 - self.beta_1**self.step)
        root_weight = ((1 - self.beta_2) / (1 - self.beta_2**self.step)) ** 0.5
        scale = namespace_of(square).sqrt(square)
        scale += self.epsilon / root_weight
        update = mean / scale
        update *= self.learning_rate * mean_weight / root_weight
        parameter -= update


def _parts(parameter):
    """Rows that are worked on together."""
    n_rows = parameter.shape[0]
    if not is_numpy(parameter):
        return [slice(0, n_rows)]
    return row_parts(n_rows, parameter.size // n_rows)


def affine_descent(
    weight: Array,
    bias: Array,
    gradient: Callable[[Array], Array],
    cross: Array,
    mean_x: Array,
    mean_y: Array,
    power_y: Array,
    optimizer: Adam,
    exact_loss: Callable[[Array, Array], Array | None] | None = None,
) -> Iterator[Array]:
    r"""Descend ``L(W, b) = mean ‖W x + b - y‖² / d_target`` in place; yield a loss a step.

    With ``S = mean x xᵀ`` and ``C = mean y xᵀ`` the gradients are ``2/d (W S + b m_xᵀ - C)`` and
    ``2/d (W m_x + b - m_y)``: their cost does not depend on the number of anchors, and there is
    nothing for automatic differentiation to do. The loss yielded is that *before* the step.

    Parameters
    ----------
    weight, bias : arrays of shape (d_target, d_source) and (d_target,), changed in place
    gradient : the function ``W -> 2/d (W S - C)``
    cross : array of shape (d_target, d_source), 2/d C
    mean_x, mean_y : the means m_x, m_y
    power_y : 0-d array, mean ‖y‖²
    exact_loss : the function ``(W, b) -> L`` by sums of more digits, asked where little is left of
        the power of y, and so L is mostly the rounding of what was subtracted from it
    """
    d_target = bias.shape[0]
    centred = not bool(namespace_of(mean_x).any(mean_x != 0))
    little = 0.0 if exact_loss is None else _LITTLE * float(power_y) / d_target
    while True:
        grad_weight, grad_bias = gradient(weight), bias - mean_y
        if not centred:
            grad_weight += (2 / d_target * bias)[:, None] * mean_x[None, :]
            grad_bias += weight @ mean_x
        loss = (power_y + dot(bias, grad_bias) - dot(bias, mean_y)) / d_target
        loss = loss + (dot(weight, grad_weight) - dot(weight, cross)) / 2
        if exact_loss is not None and float(loss) < little:
            loss = exact_loss(weight, bias)
        grad_bias *= 2 / d_target
        optimizer.update([weight, bias], [grad_weight, grad_bias])
        yield loss


def loss_by_moments(moments: PairMoments) -> Callable[[Array, Array], Array]:
    """``(W, b) -> L`` of `affine_descent` by centred moments, in their dtype and where they are."""
    xp, second, home = namespace_of(moments.mean_x), moments.second, moments.mean_x

    @functools.cache  # most descents never ask
    def products() -> Products:
        return second.products(gram=True) if isinstance(second, Factor) else second

    def loss(weight: Array, bias: Array) -> Array:
        W, b = (asarray_like(parameter, home) for parameter in (weight, bias))
        yx = xp.matrix_transpose(products().xy)
        spread = xp.sum(W * (W @ products().xx - 2 * yx)) + xp.sum(moments.ss_y)
        off = W @ moments.mean_x + b - moments.mean_y
        spread = xp.maximum(spread, xp.zeros_like(spread))
        return (spread / moments.weight + xp.sum(off**2)) / b.shape[0]

    return loss


def gradient_without_means(
    second: Factor | Products, cross: Array, factor: float
) -> Callable[[Array], Array]:
    """``W -> factor W xᵀx - cross`` by whichever product is cheaper, where `cross` lies.

    The function may give the same memory again at its next call.
    """
    product = namespace_of(cross).empty_like(cross)
    if isinstance(second, Factor) and 2 * second.x.shape[0] < second.x.shape[1]:
        rows = asarray_like(second.x * factor**0.5, cross)
        columns = namespace_of(rows).matrix_transpose(rows)
        return lambda W: product_minus(W @ columns, rows, cross, product)
    xx = second.products(gram=True).xx if isinstance(second, Factor) else second.xx
    gram = asarray_like(xx * factor, cross)
    return lambda W: product_minus(W, gram, cross, product)
