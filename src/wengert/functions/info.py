"""What a tensor is: shape, dtype, memory; nothing here computes."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from wengert._device import CPU, DeviceLike, device, require_cpu
from wengert._dtypes import BY_NUMPY, dtype
from wengert._layout import channels_last, check_memory_format, contiguous_format, layout, strided
from wengert._promotion import result_type_of
from wengert._size import Size, size_of
from wengert._traced import layout_of
from wengert.engine.base import TensorBase, array_of
from wengert.functions.convert import to_bool
from wengert.functions.options import integer, number, require_tensor

_new_tuple = tuple.__new__

__all__ = [
    "InfoMethods",
    "get_default_device",
    "is_nonzero",
    "is_same_size",
    "is_tensor",
    "numel",
    "result_type",
    "set_default_device",
]


def is_tensor(obj: Any) -> bool:
    """Whether an object is a tensor.

    >>> import wengert as torch
    >>> torch.is_tensor(torch.ones(1)), torch.is_tensor([1])
    (True, False)
    """
    return isinstance(obj, TensorBase)


def numel(input: Any) -> int:
    """The number of elements of ``input``.

    >>> import wengert as torch
    >>> torch.numel(torch.ones(2, 3))
    6
    """
    return int(require_tensor("numel", input)._data.size)


def is_nonzero(input: Any) -> bool:
    """Whether the only element of ``input`` is not zero.

    Raises:
        RuntimeError: not exactly one element.

    >>> import wengert as torch
    >>> torch.is_nonzero(torch.tensor([2.0]))
    True
    """
    return to_bool(require_tensor("is_nonzero", input))


def is_same_size(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape.

    >>> import wengert as torch
    >>> torch.is_same_size(torch.ones(2), torch.ones(2, 1))
    False
    """
    a, b = require_tensor("is_same_size", input), require_tensor("is_same_size", other, "other", 2)
    return bool(a._data.shape == b._data.shape)


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype of the result of arithmetic on two tensors or numbers, by PyTorch's promotion rules.

    >>> import wengert as torch
    >>> torch.result_type(torch.tensor([1, 2]), 1.0), torch.result_type(torch.ones(1), torch.tensor(1j))
    (torch.float32, torch.complex64)
    """
    operands = []
    for position, (name, x) in enumerate((("tensor1", tensor1), ("tensor2", tensor2)), 1):
        operands.append(x._data if isinstance(x, TensorBase) else number("result_type", name, position, x))
    return BY_NUMPY[result_type_of(operands)]


def get_default_device() -> device:
    """Where new tensors are made: on the CPU.

    >>> import wengert as torch
    >>> torch.get_default_device()
    device(type='cpu')
    """
    return CPU


def set_default_device(device: DeviceLike) -> None:
    """Accept the CPU as the place where new tensors are made.

    Raises:
        RuntimeError: any other device.

    >>> import wengert as torch
    >>> torch.set_default_device("cpu")
    """
    require_cpu(device)


# --- shape -----------------------------------------------------------------------------------------------------------


def _dimension(function: str, ndim: int, dim: Any) -> int:
    """A dimension counted from the front."""
    index = integer(function, "dim", 1, dim)
    if not ndim:
        raise IndexError(f"Dimension specified as {index} but tensor has no dimensions")
    if not -ndim <= index < ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {index})")
    return index % ndim


def size_of_tensor(self: Any, dim: int | None = None) -> Any:
    """The shape, or the length of one dimension.

    Raises:
        IndexError: no such dimension.

    >>> import wengert as torch
    >>> t = torch.ones(2, 3)
    >>> t.size(), t.size(-1)
    (torch.Size([2, 3]), 3)
    """
    shape = self._data.shape
    return size_of(shape) if dim is None else shape[_dimension("size", len(shape), dim)]


def _dim(self: Any) -> int:
    """The number of dimensions.

    >>> import wengert as torch
    >>> torch.ones(2, 3).dim()
    2
    """
    return self._data.ndim  # type: ignore[no-any-return]


def _numel(self: Any) -> int:
    """The number of elements.

    >>> import wengert as torch
    >>> torch.ones(2, 3).numel()
    6
    """
    return int(self._data.size)


def _is_same_size(self: Any, other: Any) -> bool:
    """Whether another tensor has the same shape.

    >>> import wengert as torch
    >>> torch.ones(2).is_same_size(torch.zeros(2))
    True
    """
    return is_same_size(self, other)


# --- memory ----------------------------------------------------------------------------------------------------------


def _strides(raw: Any) -> tuple[int, ...]:
    """Steps in elements. NumPy gives zeros to arrays without elements, PyTorch what a full one would have."""
    if 0 in raw.shape and not any(raw.strides):
        steps, step = [], 1
        for length in reversed(raw.shape):
            steps.append(step)
            step *= max(length, 1)
        return tuple(reversed(steps))
    return tuple([step // raw.itemsize for step in raw.strides])


def _stride(self: Any, dim: int | None = None) -> Any:
    """How many elements of memory one step along each dimension is, or along ``dim``.

    Raises:
        IndexError: no such dimension.

    >>> import wengert as torch
    >>> torch.ones(2, 3).stride(), torch.ones(2, 3).stride(0)
    ((3, 1), 3)
    """
    steps = _strides(self._data)
    return steps if dim is None else steps[_dimension("stride", len(steps), dim)]


def _dim_order(self: Any) -> tuple[int, ...]:
    """The dimensions in the order in which memory has them, from the slowest to the fastest.

    >>> import wengert as torch
    >>> torch.ones(2, 3, 5).transpose(0, 2).dim_order()
    (2, 1, 0)
    """
    steps = _strides(self._data)
    return tuple(sorted(range(len(steps)), key=lambda dim: -steps[dim]))


def _address(raw: Any) -> int:
    return int(raw.__array_interface__["data"][0])


def _memory(self: Any) -> np.ndarray[Any, Any]:
    """The array whose memory this tensor is a part of."""
    return array_of(self if self._view is None else self._view.base)


def _data_ptr(self: Any) -> int:
    """The address of the first element.

    >>> import wengert as torch
    >>> t = torch.ones(3)
    >>> t[1].data_ptr() - t.data_ptr()
    4
    """
    return _address(array_of(self))


def _storage_offset(self: Any) -> int:
    """How many elements after the start of its memory the tensor begins.

    >>> import wengert as torch
    >>> torch.ones(3)[1].storage_offset()
    1
    """
    return 0 if self._view is None else (_data_ptr(self) - _address(_memory(self))) // self._data.itemsize


def _element_size(self: Any) -> int:
    """Bytes per element.

    >>> import wengert as torch
    >>> torch.ones(3).element_size()
    4
    """
    return self._data.itemsize  # type: ignore[no-any-return]


def _is_contiguous(self: Any, memory_format: Any = contiguous_format) -> bool:
    """Whether the elements lie in row-major order without gaps.

    >>> import wengert as torch
    >>> torch.ones(2, 3).is_contiguous(), torch.ones(2, 3).t().is_contiguous()
    (True, False)
    """
    raw = layout_of(self._data)
    if memory_format is channels_last:
        raw = self._data if raw is None else raw
        return bool(raw.ndim == 4 and raw.transpose(0, 2, 3, 1).flags.c_contiguous)
    check_memory_format("is_contiguous", memory_format)
    return raw is None or bool(raw.flags.c_contiguous)


class UntypedStorage:
    """The memory under a tensor, which its views share: where it is and how large."""

    __slots__ = ("_array",)

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._array = array

    def data_ptr(self) -> int:
        """The address of its first byte."""
        return _address(self._array)

    def nbytes(self) -> int:
        """Its length in bytes."""
        return self._array.nbytes

    def size(self) -> int:
        """Its length in bytes."""
        return self._array.nbytes

    def __len__(self) -> int:
        return self._array.nbytes

    @property
    def device(self) -> device:
        """The CPU."""
        return CPU

    def __repr__(self) -> str:
        return f"<UntypedStorage of {self._array.nbytes} bytes at {self.data_ptr():#x}>"


def _untyped_storage(self: Any) -> UntypedStorage:
    """The memory under the tensor.

    >>> import wengert as torch
    >>> t = torch.ones(3)
    >>> t[1:].untyped_storage().nbytes(), t[1:].untyped_storage().data_ptr() == t.data_ptr()
    (12, True)
    """
    return UntypedStorage(_memory(self))


def _length(self: Any) -> int:
    shape = self._data.shape
    if not shape:
        raise TypeError("len() of a 0-d tensor")
    return shape[0]  # type: ignore[no-any-return]


def _never(what: str) -> Any:
    """A property that is False for every tensor here."""
    return property(lambda _: False, doc=f"False: tensors here are not {what}.")


class InfoMethods:
    """The part of Tensor that says what it is."""

    __slots__ = ()

    @property
    def shape(self: Any) -> Size:
        """The lengths of the dimensions.

        >>> import wengert as torch
        >>> torch.ones(2, 3).shape
        torch.Size([2, 3])
        """
        return _new_tuple(Size, self._data.shape)

    @property
    def dtype(self: Any) -> dtype:
        """The element type.

        >>> import wengert as torch
        >>> torch.ones(2).dtype
        torch.float32
        """
        return BY_NUMPY[self._data.dtype]

    @property
    def ndim(self: Any) -> int:
        """The number of dimensions."""
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def device(self) -> device:
        """Where the tensor is: the CPU.

        >>> import wengert as torch
        >>> torch.ones(2).device
        device(type='cpu')
        """
        return CPU

    @property
    def layout(self) -> layout:
        """How it is stored: ``torch.strided``."""
        return strided

    @property
    def itemsize(self: Any) -> int:
        """Bytes per element."""
        return self._data.itemsize  # type: ignore[no-any-return]

    @property
    def nbytes(self: Any) -> int:
        """Bytes of all elements together."""
        return self._data.nbytes  # type: ignore[no-any-return]

    dim = ndimension = _dim
    numel = nelement = _numel
    is_same_size = _is_same_size
    is_nonzero = is_nonzero
    stride = _stride
    dim_order = _dim_order
    data_ptr = _data_ptr
    storage_offset = _storage_offset
    untyped_storage = _untyped_storage
    element_size = _element_size
    is_contiguous = _is_contiguous
    __len__ = _length

    is_cpu = property(lambda _: True, doc="True: every tensor is on the CPU.")
    is_cuda = _never("on a GPU")
    is_mps = _never("on a GPU")
    is_xpu = _never("on a GPU")
    is_meta = _never("without data")
    is_sparse = _never("sparse")
    is_sparse_csr = _never("sparse")
    is_quantized = _never("quantized")
    is_nested = _never("nested")
    is_mkldnn = _never("in another library's layout")

    def get_device(self) -> int:
        """-1: the number of the CPU in PyTorch.

        >>> import wengert as torch
        >>> torch.ones(2).get_device()
        -1
        """
        return -1

    def is_pinned(self) -> bool:
        """False: there is no accelerator to pin memory for."""
        return False

    def pin_memory(self, device: Any = None) -> NoReturn:
        """Raise a RuntimeError, as PyTorch without an accelerator does."""
        del device
        raise RuntimeError("Cannot access accelerator device when none is available: pin_memory(), on the CPU only")

    def to_dense(self: Any, dtype: Any = None, *, masked_grad: bool | None = None) -> Any:
        """The tensor itself, in another dtype if one is given: none is sparse.

        >>> import wengert as torch
        >>> torch.ones(2).to_dense()
        tensor([1., 1.])
        """
        del masked_grad
        return self if dtype is None else self.to(dtype)

    def share_memory_(self: Any) -> Any:
        """The tensor itself: a process that is started gets what it is given as a copy."""
        return self

    def is_shared(self) -> bool:
        """False: the memory belongs to this process."""
        return False
