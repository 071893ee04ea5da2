"""What each operation of a graph does to gradients: its local derivatives as formulas and numbers, and what they give.

Knows the chain rule at one operation. Knows no form in which it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.engine.fit import summed_axes
from wengert.see.derivatives import Derivatives, Local
from wengert.see.graph import Graph, Operation, Value
from wengert.see.notation import Writer
from wengert.see.replay import Replay
from wengert.see.steps import Steps
from wengert.spaces.expression import Expression


class _PageWriter(Writer):
    """Formulas with the signs of mathematics, as the numbers beside them have them."""

    times = "·"
    spaced_times = " · "

    def write(self, expression: Expression) -> str:
        return super().write(expression).replace("-", "−")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one operation adds to the gradient by one of its inputs."""

    value: Value
    symbol: str  # of the local derivative: `dz/dw`
    local: str | None  # its formula; None where there is no rule to tell it
    is_factor: bool  # the gradient is multiplied by it; else `local` is what becomes of the gradient
    local_raw: Any  # its value; None if it is not known
    added: Any  # the product; None if it is not known


class ChainRule:
    """The operations of a graph with formulas in the user's names; values without a name get one (`v1`)."""

    def __init__(self, graph: Graph, replayed: Replay) -> None:
        self._replayed = replayed
        self._steps = Steps(graph, replayed, [value for value in graph.values if value.node is not None])
        self._derivatives = Derivatives(self._steps)
        self._writer = _PageWriter()
        self.labels = self._steps.labels
        self.root = self.labels.get(graph.roots[0], "y")

    def gradient_symbol(self, value: Value) -> str:
        """`dloss/dw`."""
        return f"d{self.root}/d{self._label(value)}"

    def formula(self, value: Value) -> str | None:
        """What a value is computed as: `w*x + b`; None for what leads to no result that was asked for."""
        step = self._steps.of.get(value)
        return self._writer.write(self._steps.formula(step)) if step is not None else None

    def pulled(self, operation: Operation) -> list[Pulled]:
        """What the operation adds to the gradients by its inputs."""
        found = []
        for result in operation.results:
            step = self._steps.of.get(result)
            if step is not None:
                found += [self._pulled(local) for local in self._derivatives.of(step)]
        return found

    def _pulled(self, local: Local) -> Pulled:
        above, below = self._label(local.step.value), self._label(local.input)
        formula = self._writer.write(local.formula) if local.formula is not None else None
        gradient = self._replayed.gradient(local.step.value)
        added = None
        if local.is_factor and local.raw is not None and gradient is not None:
            added = _product(np.asarray(gradient), np.asarray(local.raw), local.input.shape or ())
        return Pulled(local.input, f"d{above}/d{below}", formula, local.is_factor, local.raw, added)

    def _label(self, value: Value) -> str:
        return self.labels.get(value) or value.name or f"v{value.index}"


def _product(gradient: np.ndarray, local: np.ndarray, shape: tuple[int, ...]) -> Any:
    """The gradient times the local derivative in the shape of the input; None if that is no product of elements."""
    if not local.any():
        return np.zeros(shape, local.dtype)
    try:
        with np.errstate(all="ignore"):
            product = gradient * local
    except ValueError:  # the derivative of a reduction by something of another shape
        return None
    return _reduced(product, shape)


def _reduced(array: np.ndarray, shape: tuple[int, ...]) -> Any:
    """Summed over the axes along which an input was repeated; None if that does not give its shape."""
    axes = summed_axes(array.shape, shape)
    if axes is None:
        return None
    return array.sum(axis=axes).reshape(shape) if axes else array


__all__ = ["ChainRule", "Pulled"]
