"""The argument ``reduction`` of losses, and the two older arguments that it replaced."""

from __future__ import annotations

import warnings
from typing import Any

from wengert._source import users_stacklevel
from wengert.engine.base import TensorBase, is_tracking
from wengert.engine.state import STATE

_WORDS = ("none", "mean", "sum")


def reduction_of(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """How to reduce the losses of all elements: ``none``, ``mean`` or ``sum``.

    Raises:
        ValueError: another word.
    """
    if size_average is not None or reduce is not None:
        average = size_average is None or bool(size_average)
        reduction = "none" if reduce is not None and not reduce else ("mean" if average else "sum")
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            UserWarning,
            stacklevel=users_stacklevel(),
        )
    if reduction not in _WORDS:
        raise ValueError(f"{reduction} is not a valid value for reduction: expected 'none', 'mean' or 'sum'")
    return reduction


def reduced(losses: Any, reduction: str) -> Any:
    """The losses of all elements, their mean or their sum."""
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def require_constant(function: str, **tensors: Any) -> None:
    """Raise if an input that a loss does not differentiate requires grad.

    Raises:
        RuntimeError: one does.
    """
    for name, tensor in tensors.items():
        if isinstance(tensor, TensorBase) and STATE.grad_enabled and is_tracking(tensor):
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument '{name}'. This input cannot "
                f"have requires_grad True. Pass {name}.detach() if no gradient is wanted there"
            )


def warn_of_sizes(input: Any, target: Any) -> None:
    """Warn that a loss will broadcast a prediction against a target."""
    warnings.warn(
        f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). This will likely "
        "lead to incorrect results due to broadcasting. Please ensure they have the same size.",
        UserWarning,
        stacklevel=users_stacklevel(),
    )
