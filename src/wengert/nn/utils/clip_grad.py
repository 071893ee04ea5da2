"""Limits for gradients."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from math import inf
from typing import Any

from wengert._tensor import Tensor
from wengert.autograd.grad_mode import no_grad
from wengert.functions.data import tensor
from wengert.functions.joining import stack
from wengert.functions.norms import vector_norm

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _gradients(parameters: Any) -> list[Any]:
    return [p.grad for p in _listed(parameters) if p.grad is not None]


def _listed(parameters: Any) -> list[Any]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,  # noqa: ARG001 - how PyTorch loops over the tensors
) -> Any:
    """The p-norm of all elements of all tensors together.

    Raises:
        RuntimeError: it is not finite and ``error_if_nonfinite`` says so.

    >>> import wengert as torch
    >>> torch.nn.utils.get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])])
    tensor(5.)
    """
    several = _listed(tensors)
    norm_type = float(norm_type)
    if not several:
        return tensor(0.0)
    total = vector_norm(stack([vector_norm(t, norm_type) for t in several]), norm_type)
    if error_if_nonfinite and bool(total.isnan().logical_or(total.isinf())):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Any,
    foreach: bool | None = None,  # noqa: ARG001 - how PyTorch loops over the tensors
) -> None:
    """Multiply all gradients by ``max_norm / (total_norm + 1e-6)`` where that is less than 1, in place.

    >>> import wengert as torch
    >>> p = torch.nn.Parameter(torch.zeros(1))
    >>> p.grad = torch.tensor([4.0])
    >>> torch.nn.utils.clip_grads_with_norm_([p], 1.0, torch.tensor(4.0))
    >>> p.grad
    tensor([1.0000])
    """
    gradients = _gradients(parameters)
    if not gradients:
        return
    with no_grad():
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for g in gradients:
            g.mul_(factor)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:
    """Scale all gradients down, in place, so that their common norm is at most ``max_norm``; returns what it was.

    Raises:
        RuntimeError: the norm is not finite and ``error_if_nonfinite`` says so.

    >>> import wengert as torch
    >>> p = torch.nn.Parameter(torch.zeros(2))
    >>> p.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grad_norm_([p], 1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    several = _listed(parameters)
    with no_grad():
        total = get_total_norm(_gradients(several), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(several, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:
    """:func:`clip_grad_norm_` under its old name, with a FutureWarning.

    >>> import warnings
    >>> import wengert as torch
    >>> p = torch.nn.Parameter(torch.zeros(2))
    >>> p.grad = torch.tensor([3.0, 4.0])
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.nn.utils.clip_grad_norm([p], 1.0)
    tensor(5.)
    """
    message = "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`."
    warnings.warn(message, FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor],
    clip_value: float,
    foreach: bool | None = None,  # noqa: ARG001 - how PyTorch loops over the tensors
) -> None:
    """Cut all gradients' elements off at ``±clip_value``, in place.

    >>> import wengert as torch
    >>> p = torch.nn.Parameter(torch.zeros(2))
    >>> p.grad = torch.tensor([-3.0, 0.5])
    >>> torch.nn.utils.clip_grad_value_(p, 1.0)
    >>> p.grad
    tensor([-1.0000,  0.5000])
    """
    limit = float(clip_value)
    with no_grad():
        for g in _gradients(parameters):
            g.clamp_(min=-limit if limit != inf else None, max=limit)
