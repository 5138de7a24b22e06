"""Full-batch Adam on the mean squared error of an affine map, from moments alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from .._array import Array, asarray_like, dot, namespace_of
from .._moments import Factor, Products


@dataclasses.dataclass
class Adam:
    """The update of Kingma & Ba (2015) with bias correction, as in ``torch.optim.Adam``."""

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    step: int = 0

    def __post_init__(self):
        self._state: dict[int, tuple[Array, Array]] = {}

    def update(self, parameters: list[Array], gradients: list[Array]) -> None:
        """One step, in place."""
        self.step += 1
        correction_1 = 1 - self.beta_1**self.step
        correction_2 = 1 - self.beta_2**self.step
        for i, (parameter, gradient) in enumerate(zip(parameters, gradients)):
            xp = namespace_of(parameter)
            if i not in self._state:
                self._state[i] = (xp.zeros_like(parameter), xp.zeros_like(parameter))
            mean, square = self._state[i]
            mean *= self.beta_1
            mean += (1 - self.beta_1) * gradient
            gradient *= gradient
            square *= self.beta_2
            gradient *= 1 - self.beta_2
            square += gradient
            scale = xp.sqrt(square)
            scale /= correction_2**0.5
            scale += self.epsilon
            update = mean / scale
            update *= self.learning_rate / correction_1
            parameter -= update


def affine_descent(
    weight: Array,
    bias: Array,
    gram: Callable[[Array], Array],
    cross: Array,
    mean_x: Array,
    mean_y: Array,
    power_y: Array,
    optimizer: Adam,
) -> Iterator[Array]:
    r"""Descend ``L(W, b) = mean ‖W x + b - y‖² / d_target`` in place; yield a loss a step.

    With ``S = mean x xᵀ`` and ``C = mean y xᵀ`` the gradients are ``2/d (W S + b m_xᵀ - C)`` and
    ``2/d (W m_x + b - m_y)``: their cost does not depend on the number of anchors, and there is
    nothing for automatic differentiation to do. The loss yielded is that *before* the step.

    Parameters
    ----------
    weight, bias : arrays of shape (d_target, d_source) and (d_target,), changed in place
    gram : the function ``W -> W S``
    cross : array of shape (d_target, d_source), C
    mean_x, mean_y : the means m_x, m_y
    power_y : 0-d array, mean ‖y‖²
    """
    d_target = bias.shape[0]
    while True:
        grad_weight = gram(weight)
        grad_weight += bias[:, None] * mean_x[None, :]
        grad_weight -= cross
        grad_bias = weight @ mean_x + bias - mean_y
        loss = dot(weight, grad_weight) - dot(weight, cross)
        loss = loss + dot(bias, grad_bias) - dot(bias, mean_y) + power_y
        grad_weight *= 2 / d_target
        grad_bias *= 2 / d_target
        optimizer.update([weight, bias], [grad_weight, grad_bias])
        yield loss / d_target


def gram_operator(
    second: Factor | Products, weight: float, like: Array
) -> Callable[[Array], Array]:
    """``W -> W S`` for ``S = xᵀx / weight`` by whichever product is cheaper, where `like` lies."""
    if isinstance(second, Factor) and 2 * second.x.shape[0] < second.x.shape[1]:
        rows = asarray_like(second.x / weight**0.5, like)
        columns = namespace_of(rows).matrix_transpose(rows)
        return lambda W: (W @ columns) @ rows
    xx = second.products(gram=True).xx if isinstance(second, Factor) else second.xx
    mean_square = asarray_like(xx / weight, like)
    return lambda W: W @ mean_square
