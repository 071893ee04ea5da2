"""Losses of ``torch.nn.functional`` that compare a prediction with a target element by element."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from wengert._promotion import result_type_of
from wengert._traced import Traced
from wengert.autograd.grad_mode import no_grad
from wengert.engine.apply import apply
from wengert.engine.composites import composite
from wengert.functions.operands import must_broadcast, raw_of_tensor
from wengert.functions.options import type_name
from wengert.nn._reduction import reduced, reduction_of, require_constant, warn_of_sizes
from wengert.ops.losses import (
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_WITH_LOGITS,
    HUBER_LOSS,
    MSE_LOSS,
    SMOOTH_L1_LOSS,
    SOFT_MARGIN_LOSS,
)
from wengert.ops.movement import CAST

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "gaussian_nll_loss",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
]


def _check_pair(function: str, input: Any, target: Any) -> bool:
    """Check that prediction and target are tensors that broadcast; whether they have the same shape."""
    a, b = raw_of_tensor(function, input), raw_of_tensor(function, target, "target", 2)
    if a.shape == b.shape:
        return True
    must_broadcast(function, a.shape, b.shape)
    return False


def _in_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    return x if x._data.dtype is dtype else apply(CAST, x, dtype=dtype)


def _as_floats(input: Any, target: Any) -> tuple[Any, Any]:
    """Both with integers converted to the float type of the other, if that has one."""
    common = result_type_of((input._data, target._data))
    if common.kind != "f":
        return input, target
    input = _in_dtype(input, common) if input._data.dtype.kind in "biu" else input
    return input, _in_dtype(target, common) if target._data.dtype.kind in "biu" else target


def _weighted(losses: Any, weight: Any, input: Any, reduction: str, *, average: bool) -> Any:
    """Reduce weighted losses; ``average`` divides a mean by the sum of the weights, else by their number."""
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    losses = losses * weight
    if reduction == "mean" and average:
        return losses.sum() / weight.sum()
    return reduced(losses, reduction)


# --- regression ---


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """The squared difference ``(input - target)^2``: its mean, its sum, or each element's.

    Raises:
        RuntimeError: the shapes do not broadcast.
        ValueError: an unknown ``reduction``, or weights of another size.
        NotImplementedError: the dtypes are not floating point.

    >>> import wengert as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1., 2.]), torch.tensor([1., 4.]))
    tensor(2.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if not _check_pair("mse_loss", input, target):
        warn_of_sizes(input, target)
    input, target = _as_floats(input, target)
    if weight is None:
        return apply(MSE_LOSS, input, target, reduction=reduction)
    return _weighted(apply(MSE_LOSS, input, target, reduction="none"), weight, input, reduction, average=True)


@composite
def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """The absolute difference ``|input - target|``: its mean, its sum, or each element's.

    Raises:
        RuntimeError: the shapes do not broadcast.
        ValueError: an unknown ``reduction``, or weights of another size.

    >>> import wengert as torch
    >>> torch.nn.functional.l1_loss(torch.tensor([1., 2.]), torch.tensor([1., 4.]))
    tensor(1.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if not _check_pair("l1_loss", input, target):
        warn_of_sizes(input, target)
    losses = (input - target).abs()
    return reduced(losses, reduction) if weight is None else _weighted(losses, weight, input, reduction, average=True)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """``d^2 / (2 beta)`` where ``|d| < beta``, else ``|d| - beta / 2``, of the difference ``d``; reduced as asked.

    Raises:
        RuntimeError: a negative ``beta``, or shapes that do not broadcast.
        ValueError: an unknown ``reduction``.
        NotImplementedError: the dtypes are not floating point.

    >>> import wengert as torch
    >>> torch.nn.functional.smooth_l1_loss(torch.tensor([0., 0.]), torch.tensor([0.5, 3.]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if not _check_pair("smooth_l1_loss", input, target):
        warn_of_sizes(input, target)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return apply(SMOOTH_L1_LOSS, *_as_floats(input, target), reduction=reduction, beta=float(beta))


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """``d^2 / 2`` where ``|d| <= delta``, else ``delta (|d| - delta / 2)``, of the difference ``d``; reduced as asked.

    Raises:
        RuntimeError: ``delta`` is not positive, or shapes that do not broadcast.
        ValueError: an unknown ``reduction``, or weights of another size.
        NotImplementedError: the dtypes are not floating point.

    >>> import wengert as torch
    >>> torch.nn.functional.huber_loss(torch.tensor([0., 0.]), torch.tensor([0.5, 3.]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    reduction = reduction_of(reduction)
    if not _check_pair("huber_loss", input, target):
        warn_of_sizes(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    if input._data.dtype.kind == "f":
        target = _in_dtype(target, input._data.dtype)
    if weight is None:
        return apply(HUBER_LOSS, input, target, reduction=reduction, delta=float(delta))
    losses = apply(HUBER_LOSS, input, target, reduction="none", delta=float(delta))
    return _weighted(losses, weight, input, reduction, average=False)


# --- counts and densities ---


@composite
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Minus the log likelihood of counts: ``exp(x) - t x``, or ``x - t log(x + eps)`` where the input is no logarithm.

    ``full`` adds Stirling's approximation of ``log t!`` for ``t > 1``.

    Raises:
        ValueError: an unknown ``reduction``.

    >>> import wengert as torch
    >>> torch.nn.functional.poisson_nll_loss(torch.tensor([0.]), torch.tensor([2.]))
    tensor(1.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    _check_pair("poisson_nll_loss", input, target)
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * pi * target).log()
        losses = losses + stirling.masked_fill(target <= 1, 0)
    return reduced(losses, reduction)


@composite
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """Minus the log likelihood of normal variables: ``(log(v) + (x - t)^2 / v) / 2`` with ``v = max(var, eps)``.

    Raises:
        ValueError: variances of the wrong shape or below zero, or an unknown ``reduction``.

    >>> import wengert as torch
    >>> torch.nn.functional.gaussian_nll_loss(torch.tensor([1.]), torch.tensor([3.]), torch.tensor([4.]))
    tensor(1.1931)
    """
    shape = raw_of_tensor("gaussian_nll_loss", input).shape
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError(f"var has negative entry/entries: {var}")
        var = input.new_full(shape, var)
    elif raw_of_tensor("gaussian_nll_loss", var, "var", 3).shape != shape:
        if shape[:-1] == var._data.shape:
            var = var.unsqueeze(-1)
        elif not (shape[:-1] == var._data.shape[:-1] and var._data.shape[-1] == 1):
            raise ValueError(
                f"var is of incorrect size: it has the shape {list(var._data.shape)}, the input {list(shape)}"
            )
    reduction = reduction_of(reduction)
    if not isinstance(var._data, Traced) and np.any(var._data < 0):
        raise ValueError(f"var has negative entry/entries: the lowest is {np.min(var._data)}")
    kept = var.clone()
    with no_grad():  # its derivative stays that of the variance
        kept.clamp_(min=eps)
    losses = 0.5 * (kept.log() + (input - target) ** 2 / kept)
    if full:
        losses = losses + 0.5 * log(2 * pi)
    return reduced(losses, reduction)


# --- two classes ---


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``-(t log x + (1 - t) log(1 - x))`` of probabilities; each logarithm is at least -100, so the loss stays finite.

    Raises:
        RuntimeError: probabilities outside [0, 1], dtypes that differ, or weights that do not broadcast.
        ValueError: input and target have different shapes, or an unknown ``reduction``.
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.5, 0.]), torch.tensor([1., 1.]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    reduction = reduction_of(reduction, size_average, reduce)
    x, t = raw_of_tensor("binary_cross_entropy", input), raw_of_tensor("binary_cross_entropy", target, "target", 2)
    if x.shape != t.shape:
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is "
            "deprecated. Please ensure they have the same size."
        )
    inputs = [input, target]
    if weight is not None:
        _check_weight(raw_of_tensor("binary_cross_entropy", weight, "weight", 3), x)
        require_constant("binary_cross_entropy", weight=weight)
        inputs.append(weight)
    BINARY_CROSS_ENTROPY.check("binary_cross_entropy", [x])  # type: ignore[misc]
    for other in inputs[1:]:
        if other._data.dtype is not x.dtype:
            raise RuntimeError(
                f"Found dtype {type_name(other._data.dtype)} but expected {type_name(x.dtype)}: convert it with "
                ".to(input.dtype)"
            )
    if not isinstance(x, Traced) and not np.all((x >= 0) & (x <= 1)):
        raise RuntimeError(
            "all elements of input should be between 0 and 1: they are probabilities. For scores of any size use "
            "binary_cross_entropy_with_logits"
        )
    if not isinstance(t, Traced) and not np.all((t >= 0) & (t <= 1)):
        raise RuntimeError("all elements of target should be between 0 and 1: they are probabilities too")
    return apply(BINARY_CROSS_ENTROPY, *inputs, reduction=reduction)


def _check_weight(w: Any, x: Any) -> None:
    for back, (n, m) in enumerate(zip(reversed(w.shape), reversed(x.shape), strict=False), 1):
        if n not in (1, m):
            raise RuntimeError(
                f"Attempting to broadcast a dimension of length {n} at -{back}! Mismatching argument at index 1 had "
                f"torch.Size({list(w.shape)}); but expected shape should be broadcastable to {list(x.shape)}"
            )


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """Binary cross entropy of ``sigmoid(x)``, exact for scores of any size: ``(1 - t) x + log(1 + exp(-x))``.

    ``pos_weight`` weighs the positive class, ``weight`` each element.

    Raises:
        RuntimeError: weights that require grad or do not broadcast.
        ValueError: input and target have different shapes, or an unknown ``reduction``.
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> F = torch.nn.functional
    >>> F.binary_cross_entropy_with_logits(torch.tensor([0., 1000.]), torch.tensor([1., 0.]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    name = "binary_cross_entropy_with_logits"
    reduction = reduction_of(reduction, size_average, reduce)
    x, t = raw_of_tensor(name, input), raw_of_tensor(name, target, "target", 2)
    if x.shape != t.shape:
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    if t.dtype.kind not in "fc":
        raise RuntimeError(
            f"result type {type_name(x.dtype)} can't be cast to the desired output type {type_name(t.dtype)}: convert "
            "the target with .float()"
        )
    BINARY_CROSS_ENTROPY_WITH_LOGITS.check(name, [x])  # type: ignore[misc]
    require_constant(name, weight=weight, pos_weight=pos_weight)
    weights = [w for w in (weight, pos_weight) if w is not None]
    for w in weights:
        _check_pair(name, w, target)
    return apply(
        BINARY_CROSS_ENTROPY_WITH_LOGITS,
        input,
        target,
        *weights,
        reduction=reduction,
        weighted=weight is not None,
        pos_weighted=pos_weight is not None,
    )


def soft_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``log(1 + exp(-t x))`` of scores and labels -1 or 1, without overflow.

    Raises:
        RuntimeError: the shapes do not fit, or the target requires grad.
        ValueError: an unknown ``reduction``.

    >>> import wengert as torch
    >>> torch.nn.functional.soft_margin_loss(torch.tensor([0., -1000.]), torch.tensor([1., 1.]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if not _check_pair("soft_margin_loss", input, target):
        a, b = input._data.shape, target._data.shape
        raise RuntimeError(
            f"output with shape {list(a)} doesn't match the broadcast shape {list(np.broadcast_shapes(a, b))}"
        )
    require_constant("soft_margin_loss", target=target)
    SOFT_MARGIN_LOSS.check("soft_margin_loss", [input._data])  # type: ignore[misc]
    return apply(SOFT_MARGIN_LOSS, input, _in_dtype(target, input._data.dtype), reduction=reduction)
