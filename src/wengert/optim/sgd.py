"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.optim._updates import ElementwiseOptimizer, Plan, check_at_least, check_switches, number_of, zeros_for

__all__ = ["SGD"]


class SGD(ElementwiseOptimizer):
    """Gradient descent, with momentum if asked for: ``b = momentum b + (1 - dampening) g``, ``p -= lr b``.

    ``weight_decay`` adds ``weight_decay * p`` to the gradient first. With ``nesterov`` the step is along
    ``g + momentum b``. ``maximize`` climbs. The first ``b`` is the first gradient.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.SGD([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_at_least("learning rate", lr)
        check_at_least("momentum value", momentum)
        check_at_least("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        check_switches(defaults)
        super().__init__(params, defaults)

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        sign = -1.0 if group["maximize"] else 1.0
        lr, decay = number_of(group["lr"]), number_of(group["weight_decay"])
        momentum = group["momentum"]
        if not momentum:
            return _descend, (), (lr,), (decay, sign)
        share = 1 - group["dampening"]
        buffer = state.get("momentum_buffer")
        if buffer is None:
            buffer = state["momentum_buffer"] = zeros_for(p)
            share = 1  # the first gradient goes in whole
        return _descend_with_momentum, (buffer,), (lr,), (decay, sign, momentum, share, group["nesterov"])


def _gradient(p: Any, g: Any, decay: float, sign: float) -> Any:
    """The gradient to descend along, with the part that pulls the parameter to zero."""
    if sign < 0:
        g = -g
    return g if not decay else g + decay * p


def _descend(p: Any, g: Any, lr: float, decay: float, sign: float) -> None:
    step = np.multiply(_gradient(p, g, decay, sign), lr)
    np.subtract(p, step, p)


def _descend_with_momentum(
    p: Any, g: Any, buffer: Any, lr: float, decay: float, sign: float, momentum: float, share: float, nesterov: bool
) -> None:
    g = _gradient(p, g, decay, sign)
    np.multiply(buffer, momentum, buffer)
    np.add(buffer, g if share == 1 else g * share, buffer)
    step = g + momentum * buffer if nesterov else buffer
    np.subtract(p, step * lr, p)
