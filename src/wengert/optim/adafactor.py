"""Adafactor: second moments of matrices kept as a row and a column."""

from __future__ import annotations

from typing import Any

from wengert._finfo import finfo
from wengert.autograd.grad_mode import no_grad
from wengert.optim._updates import advance, check_at_least, evaluated, new_count, number_of
from wengert.optim.optimizer import Optimizer

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adaptive steps with memory for rows and columns only (Shazeer and Stern, 2018).

    With ``b = t^beta2_decay``: the means of ``g^2`` over the last two dimensions follow it by ``b`` as a column ``r``
    and a row ``c``, and ``v = r c / mean(r)``; vectors keep ``v`` whole. ``u = g / max(sqrt(v), eps1)`` is divided by
    ``max(1, rms(u) / d)``, and ``p -= max(eps2, rms(p)) min(lr, 1 / sqrt(t)) u`` after ``p *= 1 - lr weight_decay``.
    ``eps1`` is the dtype's unless given.

    Raises:
        ValueError: settings out of range.
        RuntimeError: complex parameters.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([[1.0, 2.0]]))
    >>> optimizer = torch.optim.Adafactor([w], lr=0.1, weight_decay=0)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([[0.8419, 1.8419]])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        if not number_of(lr) >= 0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        check_at_least("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def step(self, closure: Any = None) -> Any:
        """Move all parameters that have a gradient; returns the loss if there is a ``closure``.

        Args:
            closure: computes the loss and its gradients anew, and returns the loss.
        """
        loss = evaluated(closure)
        with no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    if p.is_complex():
                        raise RuntimeError("Adafactor does not support complex parameters")
                    state = self.state[p]
                    if not state:
                        _begin(p.grad, state)
                    _move(p, -p.grad if group["maximize"] else p.grad, state, group)
        return loss


def _begin(g: Any, state: dict[str, Any]) -> None:
    state["step"] = new_count()
    if g.dim() > 1:
        state["row_var"] = g.new_zeros((*g.shape[:-1], 1))
        state["col_var"] = g.new_zeros((*g.shape[:-2], 1, g.shape[-1]))
    else:
        state["variance"] = g.new_zeros(g.shape)


def _move(p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
    t = advance(state)
    lr, (eps1, eps2) = number_of(group["lr"]), group["eps"]
    eps1 = finfo(p.dtype).eps if eps1 is None else eps1
    share = t ** group["beta2_decay"]
    step = max(eps2, p.norm(2).item() / p.numel() ** 0.5) * min(lr, 1 / t**0.5)
    if group["weight_decay"]:
        p.mul_(1 - lr * group["weight_decay"])
    if g.dim() > 1:
        row, col = state["row_var"], state["col_var"]
        row.lerp_(g.norm(dim=-1, keepdim=True).square() / g.shape[-1], share)
        col.lerp_(g.norm(dim=-2, keepdim=True).square() / g.shape[-2], share)
        v = row @ col / row.mean(dim=-2, keepdim=True).clamp(min=eps1)
    else:
        v = state["variance"].lerp_(g * g, share)
    u = v.clamp(min=eps1 * eps1).rsqrt() * g
    p.add_(u, alpha=-step / max(1.0, u.norm(2).item() / (u.numel() ** 0.5 * group["d"])))
