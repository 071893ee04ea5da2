"""RAdam."""

from __future__ import annotations

import math
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
from wengert.optim.adam import follow, follow_square

__all__ = ["RAdam"]


class RAdam(ElementwiseOptimizer):
    """:class:`Adam` whose first steps are not scaled while the mean square is uncertain (Liu et al., 2019).

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.RAdam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        check_switches(defaults)
        super().__init__(params, defaults)

    def _begin(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = new_count()
        state["exp_avg"] = zeros_for(p)
        state["exp_avg_sq"] = zeros_for(p)

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        t = advance(state)
        beta1, beta2 = group["betas"]
        lr, decay = number_of(group["lr"]), group["weight_decay"]
        share = 1 - beta2**t
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * t * beta2**t / share  # of the average that v amounts to
        root = 0.0
        if length > 5.0:
            variance = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            root = math.sqrt(variance) * math.sqrt(share)
        step = lr / (1 - beta1**t)
        apart = group["decoupled_weight_decay"]
        settings = (beta1, beta2, bool(root), group["eps"], 0 if apart else decay, apart and decay != 0)
        numbers = (step * root if root else step, 1 - lr * decay)
        return _radam, (state["exp_avg"], state["exp_avg_sq"]), numbers, (*settings, group["maximize"])


def _radam(
    p: Any,
    g: Any,
    m: Any,
    v: Any,
    step: float,
    shrink: float,
    beta1: float,
    beta2: float,
    is_scaled: bool,
    eps: float,
    decay: float,
    apart: bool,
    up: bool,
) -> None:
    if up:
        g = -g
    if apart:
        np.multiply(p, shrink, p)
    if decay:
        g = g + decay * p
    follow(m, g, beta1)
    follow_square(v, g, beta2)
    if not is_scaled:
        np.subtract(p, step * m, p)
        return
    d = np.sqrt(v)
    np.add(d, eps, d)
    np.divide(m, d, d)
    np.multiply(d, step, d)
    np.subtract(p, d, p)
