"""Adadelta."""

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
from wengert.optim.adam import follow_square

__all__ = ["Adadelta"]


class Adadelta(ElementwiseOptimizer):
    """Steps in the units of the parameters (Zeiler, 2012): ``d = g sqrt(u + eps) / sqrt(v + eps)``, ``p -= lr d``.

    ``v = rho v + (1 - rho) g^2`` follows the squared gradients, ``u = rho u + (1 - rho) d^2`` the squared steps.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adadelta([w], lr=1.0)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9968])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_at_least("learning rate", lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_at_least("epsilon value", eps)
        check_at_least("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        check_switches(defaults)
        super().__init__(params, defaults)

    def _begin(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = new_count()
        state["square_avg"] = zeros_for(p)
        state["acc_delta"] = zeros_for(p)

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        advance(state)
        settings = (group["rho"], group["eps"], group["weight_decay"], group["maximize"])
        return _adadelta, (state["square_avg"], state["acc_delta"]), (number_of(group["lr"]),), settings


def _adadelta(p: Any, g: Any, v: Any, u: Any, lr: float, rho: float, eps: float, decay: float, up: bool) -> None:
    if up:
        g = -g
    if decay:
        g = g + decay * p
    follow_square(v, g, rho)
    d = np.sqrt(u + eps)
    np.divide(d, np.sqrt(v + eps), d)
    np.multiply(d, g, d)
    follow_square(u, d, rho)
    np.multiply(d, lr, d)
    np.subtract(p, d, p)
