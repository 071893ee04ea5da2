"""Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.base import array_of
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

__all__ = ["Adagrad"]


class Adagrad(ElementwiseOptimizer):
    """Steps scaled by the root of the sum of all squared gradients (Duchi et al., 2011).

    ``s += g^2`` and ``p -= lr' g / (sqrt(s) + eps)``.

    ``s`` begins at ``initial_accumulator_value``; ``lr' = lr / (1 + (t - 1) lr_decay)``.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adagrad([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_at_least("learning rate", lr)
        check_at_least("lr_decay value", lr_decay)
        check_at_least("weight_decay value", weight_decay)
        check_at_least("initial_accumulator_value value", initial_accumulator_value)
        check_at_least("epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        check_switches(defaults)
        super().__init__(params, defaults)

        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = {}
                self._begin(p, self.state[p], group)

    def _begin(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        first = group["initial_accumulator_value"]
        state["step"] = new_count()
        state["sum"] = zeros_for(p)
        array_of(state["sum"])[...] = complex(first, first) if p.is_complex() else first

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        t = advance(state)
        lr = number_of(group["lr"]) / (1 + (t - 1) * group["lr_decay"])
        return _adagrad, (state["sum"],), (lr,), (group["eps"], group["weight_decay"], group["maximize"])


def _adagrad(p: Any, g: Any, total: Any, lr: float, eps: float, decay: float, up: bool) -> None:
    if up:
        g = -g
    if decay:
        g = g + decay * p
    np.add(total, g * g, total)
    d = np.sqrt(total)
    np.add(d, eps, d)
    np.divide(g, d, d)
    np.multiply(d, lr, d)
    np.subtract(p, d, p)
