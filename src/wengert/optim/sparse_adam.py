"""SparseAdam, of which there is what PyTorch says to dense gradients."""

from __future__ import annotations

from typing import Any

from wengert.optim._updates import check_betas, evaluated, number_of
from wengert.optim.optimizer import Optimizer

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that moves only the rows that a sparse gradient has. All gradients are dense here, and it refuses these.

    Code that makes one for the layers with ``sparse=True`` runs up to its first step; take :class:`Adam` instead.

    Raises:
        ValueError: settings out of range, or complex parameters.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.ones(2))
    >>> optimizer = torch.optim.SparseAdam([w])
    >>> w.sum().backward()
    >>> optimizer.step()
    Traceback (most recent call last):
    RuntimeError: SparseAdam does not support dense gradients, please consider Adam instead
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        if not number_of(lr) > 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps > 0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        places = [
            [i, k] for i, group in enumerate(self.param_groups) for k, p in enumerate(group["params"]) if p.is_complex()
        ]
        if places:
            raise ValueError(f"Complex params at indices {places}: SparseAdam does not support complex parameters")

    def step(self, closure: Any = None) -> Any:
        """Refuse dense gradients.

        Raises:
            RuntimeError: a parameter has a gradient.
        """
        loss = evaluated(closure)
        if any([p.grad is not None for group in self.param_groups for p in group["params"]]):
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        return loss
