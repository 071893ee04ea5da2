"""Adam and AdamW."""

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

__all__ = ["Adam", "AdamW"]


class Adam(ElementwiseOptimizer):
    """Steps along the mean of the gradients, scaled by the root of the mean of their squares (Kingma and Ba, 2014).

    ``m = b1 m + (1 - b1) g``, ``v = b2 v + (1 - b2) g^2``, and ``p -= lr m' / (sqrt(v') + eps)`` with
    ``m' = m / (1 - b1^t)``, ``v' = v / (1 - b2^t)``. ``weight_decay`` adds ``weight_decay * p`` to the gradient; with
    ``decoupled_weight_decay`` it shrinks the parameter instead, by ``lr * weight_decay``. ``amsgrad`` takes the
    largest ``v`` so far (Reddi et al., 2018).

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
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
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        check_switches(defaults)
        super().__init__(params, defaults)

    def _begin(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = new_count()
        state["exp_avg"] = zeros_for(p)
        state["exp_avg_sq"] = zeros_for(p)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_for(p)

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        t = advance(state)
        beta1, beta2 = map(number_of, group["betas"])
        lr, decay = number_of(group["lr"]), number_of(group["weight_decay"])
        apart = group["decoupled_weight_decay"]
        root = math.sqrt(1 - beta2**t)
        # sqrt(v) / root + eps, times root, is a pass less: so eps is multiplied by it, and the step
        numbers = (-lr / (1 - beta1**t) * root, group["eps"] * root, 1 - lr * decay)
        settings = (beta1, beta2, 0 if apart else decay, apart and decay != 0, group["maximize"])
        if group["amsgrad"]:
            return _amsgrad, (state["exp_avg"], state["exp_avg_sq"], state["max_exp_avg_sq"]), numbers, settings
        return _adam, (state["exp_avg"], state["exp_avg_sq"]), numbers, settings


class AdamW(Adam):
    """:class:`Adam` with decoupled weight decay (Loshchilov and Hutter, 2017): ``p *= 1 - lr * weight_decay`` first.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.AdamW([w], lr=0.1, weight_decay=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8900])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )


def follow(m: Any, g: Any, beta1: float) -> None:
    """``m = beta1 m + (1 - beta1) g``, in place, by way of ``m + (1 - beta1) (g - m)``."""
    if beta1 > 0.5:
        d = g - m
        np.multiply(d, 1 - beta1, d)
        np.add(m, d, m)
    else:  # the form that is exact at the other end
        d = g - m
        np.multiply(d, beta1, d)
        np.subtract(g, d, m)


def follow_square(v: Any, g: Any, beta2: float) -> None:
    """``v = beta2 v + (1 - beta2) g^2``, in place."""
    np.multiply(v, beta2, v)
    square = g * g
    np.multiply(square, 1 - beta2, square)
    np.add(v, square, v)


def _moments(
    p: Any, g: Any, m: Any, v: Any, shrink: float, beta1: float, beta2: float, decay: float, apart: bool, up: bool
) -> None:
    if up:
        g = -g
    if decay:
        g = g + decay * p
    if apart:
        np.multiply(p, shrink, p)
    follow(m, g, beta1)
    follow_square(v, g, beta2)


def _move(p: Any, m: Any, v: Any, step: float, eps: float) -> None:
    d = np.sqrt(v)
    np.add(d, eps, d)
    np.divide(m, d, d)
    np.multiply(d, step, d)
    np.add(p, d, p)


def _adam(p: Any, g: Any, m: Any, v: Any, step: float, eps: float, shrink: float, *settings: Any) -> None:
    _moments(p, g, m, v, shrink, *settings)
    _move(p, m, v, step, eps)


def _amsgrad(
    p: Any, g: Any, m: Any, v: Any, largest: Any, step: float, eps: float, shrink: float, *settings: Any
) -> None:
    _moments(p, g, m, v, shrink, *settings)
    np.maximum(largest, v, out=largest)
    _move(p, m, largest, step, eps)
