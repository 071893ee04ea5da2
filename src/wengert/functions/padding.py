"""Values around a tensor, windows along it, and other views of its memory."""

from __future__ import annotations

from typing import Any, NoReturn

from wengert._batched import Batched
from wengert.engine.apply import apply
from wengert.engine.base import array_of
from wengert.engine.moving import view_function
from wengert.functions.dims import Shape, int_tuple, wrap_dim
from wengert.functions.nested import fill_scalar
from wengert.functions.options import number, require_tensor
from wengert.ops.windows import AS_STRIDED, CONSTANT_PAD, UNFOLD, WRAPPING_PAD, storage_of

__all__ = ["PaddingMethods", "as_strided", "constant_pad_nd", "pad"]

_as_strided = view_function(AS_STRIDED)
_unfold = view_function(UNFOLD)

Pads = tuple[tuple[int, int], ...]


def pad(input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    """The tensor with values around it.

    ``pad`` is (before, after) for the last dimension, then for the one before it, and so on; negative numbers cut away.
    ``mode`` is ``"constant"`` (``value``, by default 0), ``"reflect"`` (mirrored at the edge element), ``"replicate"``
    (the edge element) or ``"circular"`` (wrapped around).

    Raises:
        RuntimeError: ``pad`` does not fit the tensor.
        NotImplementedError: an unknown mode, or one that does not pad that many dimensions.

    >>> import wengert as torch
    >>> import wengert.nn.functional as F
    >>> F.pad(torch.tensor([1, 2]), (1, 2))
    tensor([0, 1, 2, 0, 0])
    >>> F.pad(torch.tensor([[1, 2, 3]]), (1, 1), mode="reflect")
    tensor([[2, 1, 2, 3, 2]])
    """
    require_tensor("pad", input)
    amounts = int_tuple("pad", "pad", 2, pad)
    shape = input._data.shape
    if len(amounts) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, got {len(amounts)} numbers")
    if len(amounts) // 2 > len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(amounts)} and input of dimension {len(shape)}"
        )
    pads = tuple(zip(amounts[::2], amounts[1::2], strict=True))[::-1]
    if mode == "constant":
        return _constant(input, ((0, 0),) * (len(shape) - len(pads)) + pads, 0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(
            f"Unrecognised padding mode {mode}: expected 'constant', 'reflect', 'replicate' or 'circular'"
        )
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if len(pads) > 3 or len(shape) not in (len(pads) + 1, len(pads) + 2):
        raise NotImplementedError(
            f"Padding size {len(amounts)} is not supported for {len(shape)}D input tensor. Mode {mode!r} pads the "
            "last n of "
            "n + 1 or n + 2 dimensions, for n = 1, 2, 3. Add leading dimensions with unsqueeze(0)"
        )
    _check_wrapping(shape, pads, mode)
    if mode == "circular" and min(amounts, default=0) < 0:  # cut first: what is left is wrapped around
        cuts = ((0, 0),) * (len(shape) - len(pads)) + tuple([(min(b, 0), min(a, 0)) for b, a in pads])
        input, pads = _constant(input, cuts, 0), tuple([(max(b, 0), max(a, 0)) for b, a in pads])
    return apply(WRAPPING_PAD, input, pads=pads, mode=mode)


def constant_pad_nd(input: Any, pad: Any, value: Any = 0) -> Any:
    """A border of one value around a tensor; see :func:`torch.nn.functional.pad`.

    >>> import wengert as torch
    >>> torch.constant_pad_nd(torch.tensor([1]), (1, 0), 7)
    tensor([7, 1])
    """
    return _pad(input, pad, "constant", value)


def _constant(x: Any, pads: Pads, value: Any) -> Any:
    for size, (before, after) in zip(x._data.shape, pads, strict=True):
        if min(before, 0) + min(after, 0) < -size:
            raise RuntimeError(
                f"narrow(): length must be non-negative. The pads ({before}, {after}) cut more than the {size} "
                "elements of "
                "a dimension away"
            )
        if size + before + after < 0:
            raise RuntimeError(f"The input size {size}, plus negative padding {before} and {after}, is a negative size")
    filling = fill_scalar(number("pad", "value", 4, value), x._data.dtype).item() if value else 0
    return apply(CONSTANT_PAD, x, pads=pads, value=filling)


def _check_wrapping(shape: Shape, pads: Pads, mode: str) -> None:
    first = len(shape) - len(pads)
    for dim, (before, after) in enumerate(pads, start=first):
        size = shape[dim]
        if mode == "reflect" and max(before, after) >= size:
            raise RuntimeError(
                f"Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({before}, {after}) at dimension {dim} of input {list(shape)}"
            )
        if mode == "circular" and max(before, after) > size:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if size == 0 or size + before + after < 1:
            raise RuntimeError(
                f"input (size {size}) at dimension {dim} is too small: padding ({before}, {after}) leaves no element"
            )


def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A view of the memory behind the tensor with the given sizes and steps (in elements).

    ``storage_offset`` counts from the start of that memory; by default the view starts where the tensor does.

    Raises:
        RuntimeError: the view would leave the memory, or a step is negative.

    >>> import wengert as torch
    >>> torch.as_strided(torch.arange(6), (2, 3), (1, 2))
    tensor([[0, 2, 4],
            [1, 3, 5]])
    """
    require_tensor("as_strided", input)
    sizes, steps = int_tuple("as_strided", "size", 2, size), int_tuple("as_strided", "stride", 3, stride)
    if len(sizes) != len(steps):
        raise RuntimeError("mismatch in length of strides and shape")
    if min(steps, default=0) < 0:
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(steps)}")
    raw: Any = array_of(input)
    if raw.__class__ is Batched:
        raise RuntimeError(
            "vmap: as_strided() of a batched tensor: its members have no memory of their own in which steps could be "
            "counted. Use indexing, unfold(), diagonal() or expand(), which name elements by their place"
        )
    memory, first = storage_of(raw)
    start = first if storage_offset is None else storage_offset
    last = start + sum([(n - 1) * step for n, step in zip(sizes, steps, strict=True)])
    if 0 not in sizes and (last >= memory.size or start < 0):
        _outside(raw, sizes, steps, start, last, memory.size)
    own = tuple([step // raw.itemsize for step in raw.strides])
    return _as_strided(input, {"size": sizes, "stride": steps, "offset": start - first, "strides": own})


def _outside(raw: Any, sizes: Shape, steps: Shape, start: int, last: int, available: int) -> NoReturn:
    raise RuntimeError(
        f"setStorage: sizes {list(sizes)}, strides {list(steps)}, storage offset {start}, and itemsize {raw.itemsize} "
        f"requiring a storage size of {(last + 1) * raw.itemsize} are out of bounds for storage of size "
        f"{available * raw.itemsize}"
    )


_pad = pad  # which `pad` the argument hides


class PaddingMethods:
    """Tensor methods on memory layout."""

    __slots__ = ()

    as_strided = as_strided

    def unfold(self: Any, dimension: int, size: int, step: int) -> Any:
        """A view of all windows of ``size`` elements along a dimension, ``step`` apart; they are the last dimension.

        Raises:
            RuntimeError: the window is larger than the dimension, or ``step`` is not positive.

        >>> import wengert as torch
        >>> torch.arange(5).unfold(0, 3, 2)
        tensor([[0, 1, 2],
                [2, 3, 4]])
        """
        shape = self._data.shape
        dim = wrap_dim(dimension, len(shape))
        length = shape[dim] if shape else 1
        if size < 0:
            raise RuntimeError(f"size is {size} but must be >= 0")
        if size > length:
            raise RuntimeError(f"maximum size for tensor at dimension {dim} is {length} but size is {size}")
        if step <= 0:
            raise RuntimeError(f"step is {step} but must be > 0")
        return _unfold(self, {"dim": dim, "size": size, "step": step})
