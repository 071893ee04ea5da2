"""What losses have in common: the reduction, and weights."""

from __future__ import annotations

from typing import Any

from wengert.nn._reduction import reduction_of
from wengert.nn.modules.module import Module

__all__ = ["_Loss", "_WeightedLoss"]


class _Loss(Module):
    """A loss that is the mean of its elements, their sum, or all of them.

    ``size_average`` and ``reduce`` are PyTorch's older arguments for the same.
    """

    reduction: str

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = reduction_of(reduction, size_average, reduce)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss whose elements or classes may have weights."""

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
