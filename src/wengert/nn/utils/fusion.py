"""A normalisation in evaluation as part of the layer before it."""

from __future__ import annotations

import copy
from typing import Any

from wengert.functions.likes import zeros_like
from wengert.nn.parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _factor(weight: Any, var: Any, eps: float) -> Any:
    return (1 if weight is None else weight) * (var + eps).rsqrt()


def _fused(w: Any, b: Any, factor: Any, shape: Any, mean: Any, shift: Any) -> tuple[Any, Any]:
    before = zeros_like(mean) if b is None else b
    bias = (before - mean) * factor + (0 if shift is None else shift)
    return (
        Parameter((w * factor.reshape(shape)).detach(), w.requires_grad),
        Parameter(bias.detach(), True if b is None else b.requires_grad),
    )


def fuse_conv_bn_weights(
    conv_w: Any, conv_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any, transpose: bool = False
) -> tuple[Any, Any]:
    """Weight and bias of a convolution with the normalisation that follows it.

    >>> import wengert as torch
    >>> one = torch.ones(1)
    >>> w, b = torch.nn.utils.fuse_conv_bn_weights(torch.ones(1, 1, 1), None, one, 4 * one, 0.0, one, one)
    >>> w.item(), b.item()
    (0.5, 0.5)
    """
    shape = [1, -1, *[1] * (conv_w.dim() - 2)] if transpose else [-1, 1, *[1] * (conv_w.dim() - 2)]
    return _fused(conv_w, conv_b, _factor(bn_w, bn_rv, bn_eps), shape, bn_rm, bn_b)


def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Any, Any]:
    """Weight and bias of a linear layer with the normalisation that follows it.

    >>> import wengert as torch
    >>> one = torch.ones(1)
    >>> w, b = torch.nn.utils.fuse_linear_bn_weights(torch.ones(1, 1), None, one, 4 * one, 0.0, one, one)
    >>> w.item(), b.item()
    (0.5, 0.5)
    """
    return _fused(linear_w, linear_b, _factor(bn_w, bn_rv, bn_eps), [-1, 1], bn_rm, bn_b)


def _joined(layer: Any, bn: Any, fuse: Any, *settings: Any) -> Any:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval! The normalisation uses the batch's statistics in training")
    fused = copy.deepcopy(layer)
    fused.weight, fused.bias = fuse(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, *settings
    )
    return fused


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what ``conv`` and then ``bn`` do in evaluation.

    Raises:
        AssertionError: one of them is in training.

    >>> import wengert as torch
    >>> net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)).eval()
    >>> x = torch.rand(1, 1, 4, 4)
    >>> torch.allclose(torch.nn.utils.fuse_conv_bn_eval(*net)(x), net(x), atol=1e-6)
    True
    """
    return _joined(conv, bn, fuse_conv_bn_weights, transpose)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear layer that does what ``linear`` and then ``bn`` do in evaluation.

    Raises:
        AssertionError: one of them is in training.

    >>> import wengert as torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).eval()
    >>> x = torch.rand(4, 2)
    >>> torch.allclose(torch.nn.utils.fuse_linear_bn_eval(*net)(x), net(x), atol=1e-6)
    True
    """
    return _joined(linear, bn, fuse_linear_bn_weights)
