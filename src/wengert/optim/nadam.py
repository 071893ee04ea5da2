"""NAdam."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wengert.engine.base import wrap_plain
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

__all__ = ["NAdam"]


class NAdam(ElementwiseOptimizer):
    """:class:`Adam` with Nesterov's momentum (Dozat, 2016).

    The momentum of step t is ``b1 (1 - 0.96^(t momentum_decay) / 2)``.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.NAdam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8944])
    """

    _kept_dtype: ClassVar[frozenset[str]] = frozenset({"step", "mu_product"})  # exact going on from a state dict

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_at_least("momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        check_switches(defaults)
        super().__init__(params, defaults)

    def _begin(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = new_count()
        state["mu_product"] = wrap_plain(np.float32(1.0))
        state["exp_avg"] = zeros_for(p)
        state["exp_avg_sq"] = zeros_for(p)

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        t = advance(state)
        beta1, beta2 = group["betas"]
        lr, decay = number_of(group["lr"]), group["weight_decay"]
        mu, following = [beta1 * (1.0 - 0.5 * 0.96 ** (n * group["momentum_decay"])) for n in (t, t + 1)]
        state["mu_product"].mul_(mu)
        product = state["mu_product"].item()
        along_g = -lr * (1.0 - mu) / (1.0 - product)
        along_m = -lr * following / (1.0 - product * following)
        apart = group["decoupled_weight_decay"]
        numbers = (along_g, along_m, 1 - beta2**t, 1 - lr * decay)
        settings = (beta1, beta2, group["eps"], 0 if apart else decay, apart and decay != 0, group["maximize"])
        return _nadam, (state["exp_avg"], state["exp_avg_sq"]), numbers, settings


def _nadam(
    p: Any,
    g: Any,
    m: Any,
    v: Any,
    along_g: float,
    along_m: float,
    share: float,
    shrink: float,
    beta1: float,
    beta2: float,
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
    d = np.sqrt(v / share)
    np.add(d, eps, d)
    np.add(p, along_g * (g / d), p)
    np.add(p, along_m * (m / d), p)
