"""Convolutions, their transposes, and patches as columns, of ``torch.nn.functional``."""

from __future__ import annotations

from math import prod
from typing import Any

from wengert.engine.apply import apply
from wengert.functions.dims import int_tuple
from wengert.functions.operands import raw_of_tensor, same_dtype, shown
from wengert.ops.convolution import CONV, CONV_INPUT
from wengert.ops.patches import COL2IM, IM2COL, Places
from wengert.spaces.tensors import TENSOR

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "unfold",
]

Shape = tuple[int, ...]


def per_axis(function: str, name: str, value: Any, axes: int) -> Shape:
    """One number for each axis of space, from one for all or one for each.

    Raises:
        RuntimeError: another number of numbers.
        TypeError: what are no integers.
    """
    numbers = int_tuple(function, name, 0, value if isinstance(value, (tuple, list)) else (value,))
    if len(numbers) == 1:
        numbers *= axes
    if len(numbers) != axes:
        raise RuntimeError(
            f"{function}: expected {name} to be a single integer or {axes} of them, but got {list(numbers)}"
        )
    return numbers


# --- convolution ---


def _conv(axes: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    name = f"conv{axes}d"
    x, w = _checked(name, axes, input, weight)
    steps, spread = per_axis(name, "stride", stride, axes), per_axis(name, "dilation", dilation, axes)
    _check_steps(steps, spread)
    batched = x.ndim == axes + 2
    input = input if batched else TENSOR.unsqueeze(input, dim=0)
    if isinstance(padding, str):
        input, border = _padded_as_said(input, padding, w.shape[2:], steps, spread)
    else:
        border = per_axis(name, "padding", padding, axes)
    if min(border) < 0:
        raise RuntimeError("negative padding is not supported")
    _check_channels(input._data.shape if batched else x.shape, w.shape, axes, groups)
    _check_bias(bias, w, w.shape[0])
    places = Places(steps, border, spread)
    if min(places.counts(input._data.shape[2:], w.shape[2:])) < 1:
        _too_small(input._data.shape[2:], w.shape[2:], places)
    y = apply(CONV, input, weight, places=places, groups=int(groups))
    return _finished(y, bias, axes, batched)


def _checked(name: str, axes: int, input: Any, weight: Any) -> tuple[Any, Any]:
    x, w = raw_of_tensor(name, input), raw_of_tensor(name, weight, "weight", 2)
    if x.ndim not in (axes + 1, axes + 2):
        raise RuntimeError(
            f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {name}, but got input of size: "
            f"{list(x.shape)}"
        )
    if w.ndim != axes + 2:
        raise RuntimeError(
            f"Expected {axes + 2}-dimensional weight for {name}, of the shape [out channels, in channels / groups, "
            f"*kernel], but got weight of size {list(w.shape)}"
        )
    same_dtype("Input type ({}) and weight type ({}) should be the same", x, w)
    return x, w


def _check_steps(stride: Shape, dilation: Shape) -> None:
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError("dilation should be greater than zero")


def _check_channels(x: Shape, w: Shape, axes: int, groups: Any) -> None:
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if w[0] < groups or w[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0 and divisible by {groups}, "
            f"but got weight of size {list(w)} instead"
        )
    channels = x[-axes - 1]
    if channels != w[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(w)}, expected input{list(x)} to have {w[1] * groups} "
            f"channels, but got {channels} channels instead"
        )


def _check_bias(bias: Any, w: Any, channels: int) -> None:
    if bias is None:
        return
    b = raw_of_tensor("conv", bias, "bias", 3)
    if b.shape != (channels,):
        raise RuntimeError(
            f"Given weight of size {list(w.shape)}, expected bias to be 1-dimensional with {channels} elements, but "
            f"got bias of size {list(b.shape)} instead"
        )
    same_dtype("Input type ({}) and bias type ({}) should be the same", w, b)


def _too_small(space: Shape, kernel: Shape, places: Places) -> None:
    size = " x ".join([str(n + 2 * p) for n, p in zip(space, places.padding, strict=True)])
    reach = " x ".join([str(d * (k - 1) + 1) for d, k in zip(places.dilation, kernel, strict=True)])
    raise RuntimeError(
        f"Calculated padded input size per channel: ({size}). Kernel size: ({reach}). Kernel size can't be greater "
        "than actual input size"
    )


def _padded_as_said(input: Any, padding: str, kernel: Shape, stride: Shape, dilation: Shape) -> tuple[Any, Shape]:
    if padding == "valid":
        return input, (0,) * len(kernel)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'; 'valid' and 'same' are there")
    if max(stride) != 1:
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if any([t % 2 for t in total]):
        pads = ((0, 0), (0, 0), *[(0, t % 2) for t in total])
        input = TENSOR.constant_pad(input, pads=pads, value=0.0)
    return input, tuple([t // 2 for t in total])


def _finished(y: Any, bias: Any, axes: int, batched: bool) -> Any:
    if bias is not None:
        y = TENSOR.add(y, TENSOR.reshape(bias, shape=(bias._data.size, *(1,) * axes)))
    return y if batched else TENSOR.squeeze(y, dims=(0,))


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1
) -> Any:
    """Convolution of signals: ``y[o, p] = bias[o] + sum_{c, k} weight[o, c, k] x[c, p stride + k dilation - padding]``.

    ``input`` is ``[N, C, L]`` or ``[C, L]``, ``weight`` ``[O, C / groups, K]``. ``padding`` is a number of zeros on
    both sides, ``"valid"`` (none) or ``"same"`` (as many as keep the length; stride 1).

    Raises:
        RuntimeError: shapes, dtypes or settings that do not fit.

    >>> import wengert as torch
    >>> torch.nn.functional.conv1d(torch.tensor([[1., 2., 4.]]), torch.tensor([[[-1., 1.]]]))
    tensor([[1., 2.]])
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1
) -> Any:
    """As :func:`conv1d`, of images ``[N, C, H, W]`` or ``[C, H, W]`` with a weight ``[O, C / groups, KH, KW]``.

    >>> import wengert as torch
    >>> torch.nn.functional.conv2d(torch.ones(1, 3, 3), torch.ones(1, 1, 2, 2))
    tensor([[[4., 4.],
             [4., 4.]]])
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1
) -> Any:
    """As :func:`conv1d`, of volumes ``[N, C, D, H, W]`` or ``[C, D, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.functional.conv3d(torch.ones(1, 2, 2, 2), torch.ones(1, 1, 2, 2, 2)).item()
    8.0
    """
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


# --- transposed ---


def _conv_transpose(axes: int, input: Any, weight: Any, bias: Any, settings: tuple[Any, ...]) -> Any:
    name = f"conv_transpose{axes}d"
    x, w = _checked(name, axes, input, weight)
    stride, padding, extra, groups, dilation = settings
    steps, spread = per_axis(name, "stride", stride, axes), per_axis(name, "dilation", dilation, axes)
    border, more = per_axis(name, "padding", padding, axes), per_axis(name, "output_padding", extra, axes)
    _check_steps(steps, spread)
    if min(border) < 0:
        raise RuntimeError("negative padding is not supported")
    if any([m < 0 or m >= max(s, d) for m, s, d in zip(more, steps, spread, strict=True)]):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got output_padding: "
            f"{list(more)} stride: {list(steps)} dilation: {list(spread)}"
        )
    batched = x.ndim == axes + 2
    if x.shape[-axes - 1] != w.shape[0] or groups <= 0 or w.shape[0] % groups:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(w.shape)}, expected input{list(x.shape)} to have {w.shape[0]} "
            f"channels, but got {x.shape[-axes - 1]} channels instead"
        )
    _check_bias(bias, w, w.shape[1] * groups)
    zipped = zip(x.shape[-axes:], steps, border, spread, w.shape[2:], more, strict=True)
    space = tuple([(n - 1) * s - 2 * p + d * (k - 1) + m + 1 for n, s, p, d, k, m in zipped])
    if min(space) < 1:
        raise RuntimeError(
            f"the result of {name} would have the size {list(space)}: the padding is larger than the image"
        )
    input = input if batched else TENSOR.unsqueeze(input, dim=0)
    y = apply(CONV_INPUT, input, weight, space=space, places=Places(steps, border, spread), groups=int(groups))
    return _finished(y, bias, axes, batched)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of :func:`conv1d` in its input: each element of ``[N, C, L]`` spreads a kernel.

    ``weight`` is ``[C, O / groups, K]``; the length becomes ``(L - 1) stride - 2 padding + dilation (K - 1) +
    output_padding + 1``.

    Raises:
        RuntimeError: shapes, dtypes or settings that do not fit.

    >>> import wengert as torch
    >>> torch.nn.functional.conv_transpose1d(torch.tensor([[1., 2.]]), torch.tensor([[[1., 1.]]]), stride=2)
    tensor([[1., 1., 2., 2.]])
    """
    return _conv_transpose(1, input, weight, bias, (stride, padding, output_padding, groups, dilation))


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Any:
    """As :func:`conv_transpose1d`, of images.

    >>> import wengert as torch
    >>> torch.nn.functional.conv_transpose2d(torch.ones(1, 1, 1), torch.ones(1, 1, 2, 2)).sum()
    tensor(4.)
    """
    return _conv_transpose(2, input, weight, bias, (stride, padding, output_padding, groups, dilation))


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Any:
    """As :func:`conv_transpose1d`, of volumes.

    >>> import wengert as torch
    >>> torch.nn.functional.conv_transpose3d(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 2, 2, 2)).sum()
    tensor(8.)
    """
    return _conv_transpose(3, input, weight, bias, (stride, padding, output_padding, groups, dilation))


# --- patches as columns ---


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """All patches of images ``[N, C, H, W]`` as columns: ``[N, C * kernel, places]``.

    Raises:
        RuntimeError: no image, or one smaller than the kernel.

    >>> import wengert as torch
    >>> torch.nn.functional.unfold(torch.arange(4.).reshape(1, 1, 2, 2), (1, 2))
    tensor([[[0., 2.],
             [1., 3.]]])
    """
    x = raw_of_tensor("unfold", input)
    kernel, places = _kernel_and_places("unfold", kernel_size, dilation, padding, stride)
    if x.ndim not in (3, 4):
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {shown(x.shape)}"
        )
    input = input if x.ndim == 4 else TENSOR.unsqueeze(input, dim=0)
    counts = places.counts(x.shape[-2:], kernel)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size {shown(x.shape[-2:])}, kernel_size={kernel}, dilation={places.dilation}, "
            f"padding={places.padding}, stride={places.stride}, calculated shape of the array of sliding blocks as "
            f"{counts}, but its components must be at least one."
        )
    y = apply(IM2COL, input, kernel=kernel, places=places)
    return y if x.ndim == 4 else TENSOR.squeeze(y, dims=(0,))


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns of patches added up to images of the size ``output_size``: the transpose of :func:`unfold`.

    Raises:
        RuntimeError: columns that are no patches of such images.

    >>> import wengert as torch
    >>> torch.nn.functional.fold(torch.ones(1, 2, 2), (1, 3), (1, 2))
    tensor([[[[1., 2., 1.]]]])
    """
    x = raw_of_tensor("fold", input)
    space = per_axis("fold", "output_size", output_size, 2)
    kernel, places = _kernel_and_places("fold", kernel_size, dilation, padding, stride)
    if x.ndim not in (2, 3):
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {shown(x.shape)}"
        )
    if x.shape[-2] % prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={x.shape[-2]} and kernel_size={kernel}."
        )
    counts = places.counts(space, kernel)
    if min(counts) < 1 or x.shape[-1] != prod(counts):
        raise RuntimeError(
            f"Given output_size={space}, kernel_size={kernel}, dilation={places.dilation}, padding={places.padding}, "
            f"stride={places.stride}, expected size of input's dimension 2 to match the calculated number of sliding "
            f"blocks {' * '.join(map(str, counts))} = {prod(counts)}, but got input.size(2)={x.shape[-1]}."
        )
    input = input if x.ndim == 3 else TENSOR.unsqueeze(input, dim=0)
    y = apply(COL2IM, input, space=space, kernel=kernel, places=places)
    return y if x.ndim == 3 else TENSOR.squeeze(y, dims=(0,))


def _kernel_and_places(function: str, kernel: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Shape, Places]:
    sizes = per_axis(function, "kernel_size", kernel, 2)
    steps, spread = per_axis(function, "stride", stride, 2), per_axis(function, "dilation", dilation, 2)
    border = per_axis(function, "padding", padding, 2)
    for name, numbers, least in (("kernel size", sizes, 1), ("stride", steps, 1), ("dilation", spread, 1)):
        if min(numbers) < least:
            raise RuntimeError(f"{name} should be greater than zero, but got {' '.join(map(str, numbers))}")
    if min(border) < 0:
        raise RuntimeError(f"padding should be non-negative, but got {' '.join(map(str, border))}")
    return sizes, Places(steps, border, spread)
