"""Adamax."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.optim._updates import (
    ElementwiseOptimizer,
    Plan,
    advance,
    check_at_least,
    check_betas,
    check_switches,
    new_count,
    number_of,
    zeros_for,
)
from wengert.optim.adam import follow

__all__ = ["Adamax"]


class Adamax(ElementwiseOptimizer):
    """:class:`Adam` with the largest gradient in place of the mean square (Kingma and Ba, 2014).

    ``u = max(b2 u, |g| + eps)`` and ``p -= lr / (1 - b1^t) m / u``.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adamax([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_at_least("learning rate", lr)
        check_at_least("epsilon value", eps)
        check_betas(betas)
        check_at_least("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        check_switches(defaults)
        super().__init__(params, defaults)

    def _begin(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = new_count()
        state["exp_avg"] = zeros_for(p)
        state["exp_inf"] = zeros_for(p)

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        t = advance(state)
        beta1, beta2 = group["betas"]
        step = number_of(group["lr"]) / (1 - beta1**t)
        settings = (beta1, beta2, group["eps"], group["weight_decay"], group["maximize"])
        return _adamax, (state["exp_avg"], state["exp_inf"]), (step,), settings


def _adamax(
    p: Any, g: Any, m: Any, u: Any, step: float, beta1: float, beta2: float, eps: float, decay: float, up: bool
) -> None:
    if up:
        g = -g
    if decay:
        g = g + decay * p
    follow(m, g, beta1)
    np.multiply(u, beta2, u)
    np.maximum(u, np.abs(g) + eps, out=u)
    np.subtract(p, step * (m / u), p)
