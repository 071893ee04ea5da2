"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wengert.engine.base import wrap_plain
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

__all__ = ["ASGD"]


class ASGD(ElementwiseOptimizer):
    """Gradient descent that also keeps the mean of the parameters, ``state[p]["ax"]`` (Polyak and Juditsky, 1992).

    ``p = (1 - lambd eta) p - eta g`` with ``eta = lr / (1 + lambd lr t)^alpha``; the mean begins after ``t0`` steps.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.ASGD([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8000])
    """

    _kept_dtype: ClassVar[frozenset[str]] = frozenset({"step", "eta", "mu"})  # exact going on from a state dict

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_at_least("learning rate", lr)
        check_at_least("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
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
        state["eta"] = wrap_plain(np.float32(number_of(group["lr"])))
        state["mu"] = wrap_plain(np.float32(1.0))
        state["ax"] = zeros_for(p)

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        t = advance(state)
        lr, lambd = number_of(group["lr"]), group["lambd"]
        eta, mu = state["eta"].item(), state["mu"].item()
        state["eta"].fill_(lr / (1 + lambd * lr * t) ** group["alpha"])
        state["mu"].fill_(1 / max(1, t - group["t0"]))
        return _asgd, (state["ax"],), (eta, 1 - lambd * eta, mu), (mu == 1, group["weight_decay"], group["maximize"])


def _asgd(p: Any, g: Any, mean: Any, eta: float, kept: float, mu: float, first: bool, decay: float, up: bool) -> None:
    if up:
        g = -g
    if decay:
        g = g + decay * p
    np.multiply(p, kept, p)
    np.subtract(p, eta * g, p)
    if first:
        np.copyto(mean, p)
    else:
        np.add(mean, (p - mean) * mu, mean)
