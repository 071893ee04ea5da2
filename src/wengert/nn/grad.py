"""The gradients of convolutions by their input and by their weight, as functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.autograd.api import grad
from wengert.autograd.grad_mode import enable_grad
from wengert.functions.creation import empty
from wengert.nn.functional import conv1d, conv2d, conv3d

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def conv1d_input(
    input_size: Sequence[int],
    weight: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of ``conv1d`` by its input, whose shape is ``input_size``.

    >>> import wengert as torch
    >>> torch.nn.grad.conv1d_input((1, 1, 3), torch.tensor([[[1.0, 2.0]]]), torch.ones(1, 1, 2))
    tensor([[[1., 3., 2.]]])
    """
    return _by_input(conv1d, input_size, weight, grad_output, (stride, padding, dilation, groups))


def conv1d_weight(
    input: Any,
    weight_size: Sequence[int],
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of ``conv1d`` by its weight, whose shape is ``weight_size``.

    >>> import wengert as torch
    >>> torch.nn.grad.conv1d_weight(torch.tensor([[[1.0, 2.0, 3.0]]]), (1, 1, 2), torch.ones(1, 1, 2))
    tensor([[[3., 5.]]])
    """
    return _by_weight(conv1d, input, weight_size, grad_output, (stride, padding, dilation, groups))


def conv2d_input(
    input_size: Sequence[int],
    weight: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """As :func:`conv1d_input`, of ``conv2d``.

    >>> import wengert as torch
    >>> torch.nn.grad.conv2d_input((1, 1, 1, 2), torch.ones(1, 1, 1, 1), torch.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1., 2.]]]])
    """
    return _by_input(conv2d, input_size, weight, grad_output, (stride, padding, dilation, groups))


def conv2d_weight(
    input: Any,
    weight_size: Sequence[int],
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """As :func:`conv1d_weight`, of ``conv2d``.

    >>> import wengert as torch
    >>> torch.nn.grad.conv2d_weight(torch.ones(1, 1, 2, 2), (1, 1, 1, 1), torch.ones(1, 1, 2, 2))
    tensor([[[[4.]]]])
    """
    return _by_weight(conv2d, input, weight_size, grad_output, (stride, padding, dilation, groups))


def conv3d_input(
    input_size: Sequence[int],
    weight: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """As :func:`conv1d_input`, of ``conv3d``.

    >>> import wengert as torch
    >>> torch.nn.grad.conv3d_input((1, 1, 1, 1, 2), torch.ones(1, 1, 1, 1, 1), torch.tensor([[[[[1.0, 2.0]]]]]))
    tensor([[[[[1., 2.]]]]])
    """
    return _by_input(conv3d, input_size, weight, grad_output, (stride, padding, dilation, groups))


def conv3d_weight(
    input: Any,
    weight_size: Sequence[int],
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """As :func:`conv1d_weight`, of ``conv3d``.

    >>> import wengert as torch
    >>> torch.nn.grad.conv3d_weight(torch.ones(1, 1, 2, 2, 2), (1, 1, 1, 1, 1), torch.ones(1, 1, 2, 2, 2))
    tensor([[[[[8.]]]]])
    """
    return _by_weight(conv3d, input, weight_size, grad_output, (stride, padding, dilation, groups))


# A convolution is linear in each: where its derivative is taken does not matter.


def _by_input(conv: Callable[..., Any], size: Sequence[int], weight: Any, g: Any, settings: tuple[Any, ...]) -> Any:
    with enable_grad():
        x = empty(tuple(size), dtype=weight.dtype, requires_grad=True)
        (found,) = grad(conv(x, weight, None, *settings), x, g, create_graph=weight.requires_grad or g.requires_grad)
    return found


def _by_weight(conv: Callable[..., Any], x: Any, size: Sequence[int], g: Any, settings: tuple[Any, ...]) -> Any:
    with enable_grad():
        weight = empty(tuple(size), dtype=x.dtype, requires_grad=True)
        (found,) = grad(conv(x, weight, None, *settings), weight, g, create_graph=x.requires_grad or g.requires_grad)
    return found
