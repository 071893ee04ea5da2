"""Rprop."""

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

__all__ = ["Rprop"]


class Rprop(ElementwiseOptimizer):
    """Steps whose length depends on the signs of the gradients alone (Riedmiller and Braun, 1993).

    Each element has a step size of its own: times ``etas[1]`` while its gradient keeps its sign, times ``etas[0]`` (and
    no step) when that changes; always within ``step_sizes``.

    Raises:
        ValueError: settings out of range.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Rprop([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_at_least("learning rate", lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        check_switches(defaults)
        super().__init__(params, defaults)

    def _begin(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr = number_of(group["lr"])
        state["step"] = new_count()
        state["prev"] = zeros_for(p)
        state["step_size"] = zeros_for(p)
        array_of(state["step_size"])[...] = complex(lr, lr) if p.is_complex() else lr

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        advance(state)
        return (
            _rprop,
            (state["prev"], state["step_size"]),
            (),
            (*group["etas"], *group["step_sizes"], group["maximize"]),
        )


def _rprop(
    p: Any, g: Any, before: Any, size: Any, less: float, more: float, least: float, most: float, up: bool
) -> None:
    if up:
        g = -g
    agreement = g * before
    turned = agreement < 0
    np.multiply(size, more, out=size, where=agreement > 0)
    np.multiply(size, less, out=size, where=turned)
    np.clip(size, least, most, out=size)
    np.copyto(before, np.where(turned, 0, g))
    np.subtract(p, np.sign(before) * size, p)
