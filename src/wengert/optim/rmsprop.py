"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.optim._updates import (
    ElementwiseOptimizer,
    Plan,
    advance,
    check_at_least,
    check_switches,
    new_count,
    number_of,
    zeros_for,
)
from wengert.optim.adam import follow, follow_square

__all__ = ["RMSprop"]


class RMSprop(ElementwiseOptimizer):
    """Steps scaled by the root of the mean of the squared gradients (Hinton, 2012): ``p -= lr g / (sqrt(v) + eps)``.

    ``v = alpha v + (1 - alpha) g^2``; with ``centered``, the square of the mean gradient is taken off it. ``momentum``
    collects the steps.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.RMSprop([w], lr=0.01)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_at_least("learning rate", lr)
        check_at_least("epsilon value", eps)
        check_at_least("momentum value", momentum)
        check_at_least("weight_decay value", weight_decay)
        check_at_least("alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        check_switches(defaults)
        super().__init__(params, defaults)

    def _begin(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = new_count()
        state["square_avg"] = zeros_for(p)
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_for(p)
        if group["centered"]:
            state["grad_avg"] = zeros_for(p)

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        advance(state)
        keys = ["square_avg"]
        keys += ["momentum_buffer"] if group["momentum"] > 0 else []
        keys += ["grad_avg"] if group["centered"] else []
        settings = (group["alpha"], group["eps"], group["weight_decay"], group["momentum"])
        return (
            _rmsprop,
            tuple([state[key] for key in keys]),
            (number_of(group["lr"]),),
            (*settings, group["centered"], group["maximize"]),
        )


def _rmsprop(p: Any, g: Any, v: Any, *rest: Any) -> None:
    *arrays, lr, alpha, eps, decay, momentum, centered, up = rest
    if up:
        g = -g
    if decay:
        g = g + decay * p
    follow_square(v, g, alpha)
    if centered:
        mean = arrays[-1]
        follow(mean, g, alpha)
        d = np.sqrt(v - mean * mean)
    else:
        d = np.sqrt(v)
    np.add(d, eps, d)
    if momentum > 0:
        buffer = arrays[0]
        np.multiply(buffer, momentum, buffer)
        np.add(buffer, g / d, buffer)
        np.subtract(p, lr * buffer, p)
    else:
        np.divide(g, d, d)
        np.multiply(d, lr, d)
        np.subtract(p, d, p)
