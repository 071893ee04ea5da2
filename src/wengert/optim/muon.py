"""Muon: steps along the nearest matrix with orthonormal rows or columns."""

from __future__ import annotations

import math
from typing import Any

from wengert.autograd.grad_mode import no_grad
from wengert.functions.added_products import addmm
from wengert.optim._updates import evaluated, number_of
from wengert.optim.optimizer import Optimizer

__all__ = ["Muon"]

_MOST_STEPS = 100


class Muon(Optimizer):
    """Momentum, made orthogonal by Newton and Schulz's iteration, for matrices (Jordan et al., 2024).

    ``b += (1 - momentum) (g - b)``; ``g`` itself then goes on towards ``b`` by ``momentum`` (``nesterov``), or ``b`` is
    taken. From ``x = g / |g|``, ``ns_steps`` times ``x = a x + (b x x^T + c (x x^T)^2) x``; then
    ``p *= 1 - lr weight_decay`` and ``p -= lr' x``, with ``lr' = lr sqrt(max(1, rows / columns))`` or, for
    ``adjust_lr_fn="match_rms_adamw"``, ``0.2 lr sqrt(max(rows, columns))``.

    The iteration is computed in the parameter's dtype. PyTorch rounds it to bfloat16, so its steps differ by up to a
    hundredth of their size.

    Raises:
        ValueError: settings out of range, or a parameter that is no matrix.
        RuntimeError: complex parameters.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.eye(2))
    >>> optimizer = torch.optim.Muon([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> bool(w[0, 0] < 1)
    True
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if not number_of(lr) >= 0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not momentum >= 0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}"
                    )

    def step(self, closure: Any = None) -> Any:
        """Move all parameters that have a gradient; returns the loss if there is a ``closure``.

        Args:
            closure: computes the loss and its gradients anew, and returns the loss.
        """
        loss = evaluated(closure)
        with no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._move(p, p.grad, group)
        return loss

    def _move(self, p: Any, g: Any, group: dict[str, Any]) -> None:
        if p.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        state = self.state[p]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = g.new_zeros(g.shape)
        buffer, lr = state["momentum_buffer"], number_of(group["lr"])
        buffer.lerp_(g, 1 - group["momentum"])
        along = g.lerp(buffer, group["momentum"]) if group["nesterov"] else buffer
        x = _orthogonal(along, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = p.shape
        ratio = math.sqrt(max(1, rows / columns))
        if group["adjust_lr_fn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        p.mul_(1 - lr * group["weight_decay"])
        p.add_(x, alpha=-lr * ratio)


def _orthogonal(g: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    if steps >= _MOST_STEPS:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    upright = g.shape[0] > g.shape[1]
    x = g.T if upright else g
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = addmm(x, addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if upright else x
