"""Tensors from data: Python numbers and nested sequences, NumPy arrays and their buffers, other tensors."""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np

from wengert._device import require_cpu
from wengert._dtypes import DEFAULTS, NumpyDtype, as_numpy_dtype, from_numpy_dtype
from wengert.engine import messages
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, alias, begin_leaf, is_tracking, scalar_leaf, wrap
from wengert.engine.past import note_cut
from wengert.functions.nested import cast, fill_scalar, raw_of
from wengert.functions.options import check_trackable, chosen_dtype, made, number
from wengert.ops.movement import CAST, CLONE

__all__ = [
    "DataMethods",
    "as_tensor",
    "asarray",
    "from_numpy",
    "frombuffer",
    "scalar_tensor",
    "tensor",
]

_F32: Final = np.dtype(np.float32)
_ONE: Final = np.float32(1)
_LARGE = 6.0e4  # no float type overflows below
_new_bool = np.bool_
_new_int = np.int64


def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """A new leaf that holds a copy of ``data``: a number, nested sequences of numbers, a NumPy array, a tensor.

    The dtype is that of the data: Python floats give the default float type, integers int64, bools bool, complex
    numbers the default complex type; NumPy arrays and scalars keep theirs; mixed data give the common type.

    Raises:
        TypeError: something that is not a number, at some depth.
        ValueError: rows of different lengths; an integer beyond 64 bits.
        RuntimeError: a number that does not fit ``dtype``; ``requires_grad`` with integers or bools.

    >>> import wengert as torch
    >>> torch.tensor(3.0, requires_grad=True), torch.tensor([[1, 2], [3, 4]]).dtype
    (tensor(3., requires_grad=True), torch.int64)
    """
    if dtype is None and device is None and not pin_memory:
        cls = data.__class__
        if cls is float and -_LARGE < data < _LARGE:
            # As a product, which rounds as a conversion does, in a third of its time.
            raw = _ONE * data if DEFAULTS.float is _F32 else DEFAULTS.float.type(data)
            return scalar_leaf(raw, requires_grad)
        if cls is int and -(2**63) <= data < 2**63:
            return made(_new_int(data), requires_grad)
        if cls is bool:
            return made(_new_bool(data), requires_grad)
    kind = None
    if dtype is not None or device is not None or pin_memory:
        checked = chosen_dtype("tensor", dtype, device=device, pin_memory=pin_memory)
        kind = None if dtype is None else checked
    return _copied(data, made(raw_of(data, kind), requires_grad), "torch.tensor")


def _copied(data: Any, copy: Any, function: str) -> Any:
    """The copy. Says that it has no connection to a tracked tensor; silent for an untracked one: nothing is lost."""
    if isinstance(data, TensorBase):
        if is_tracking(data):
            note_cut(f"{function}(...)", data, copy)
            name = messages.called(data)
            warnings.warn(
                "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone(): "
                f"{name} requires grad, and {function} cuts its result from the graph, so no gradient flows back. "
                "Write t.clone() to stay in the graph, t.detach().clone() to leave it.",
                UserWarning,
                stacklevel=3,
            )
    elif isinstance(data, (list, tuple)) and any([isinstance(x, TensorBase) and is_tracking(x) for x in data]):
        note_cut(f"{function}(...)", None, copy)
        warnings.warn(
            f"Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior: {function} cuts "
            "the numbers from the graph, so no gradient flows back. torch.stack([...]) makes one tensor of several and "
            "stays in the graph.",
            UserWarning,
            stacklevel=3,
        )
    return copy


def scalar_tensor(
    s: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """A tensor without dimensions, of the default float type whatever the number's.

    >>> import wengert as torch
    >>> torch.scalar_tensor(3)
    tensor(3.)
    """
    kind = chosen_dtype("scalar_tensor", dtype, layout=layout, device=device, pin_memory=pin_memory)
    return made(fill_scalar(number("scalar_tensor", "s", 1, s), kind), requires_grad)


# --- sharing memory --------------------------------------------------------------------------------------------------


def adopted(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A view of a foreign array on the same memory, in a dtype of ours (the identical object: the engine compares so).

    Raises:
        TypeError: a dtype that no tensor has.
        ValueError: a foreign byte order.
    """
    own = from_numpy_dtype(array.dtype).np
    view = array.view(np.ndarray)
    return view if view.dtype is own else view.view(own)


def from_numpy(ndarray: Any) -> Any:
    """A tensor on the memory of a NumPy array: writing to one writes to the other.

    Raises:
        TypeError: not an array, or of a dtype that no tensor has.
        ValueError: a negative stride or a foreign byte order.

    >>> import numpy as np
    >>> import wengert as torch
    >>> a = np.zeros(2)
    >>> t = torch.from_numpy(a)
    >>> a[0] = 7
    >>> t
    tensor([7., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        cls = type(ndarray)
        name = f"numpy.{cls.__name__}" if cls.__module__ == "numpy" else cls.__name__
        raise TypeError(f"expected np.ndarray (got {name}); torch.as_tensor takes other data too")
    return _shared(ndarray)


def _shared(array: np.ndarray[Any, Any]) -> Any:
    view = adopted(array)
    if any([stride < 0 for stride in view.strides]):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array with array.copy().)"
        )
    if not view.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable. The tensor shares its memory, so in-place operations on it will "
            "raise an error. Copy the array first, array.copy(), for a tensor that can be written to.",
            UserWarning,
            stacklevel=3,
        )
    return wrap(view)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """``data`` as a tensor, without a copy where there is none to make.

    A tensor of the right dtype is returned as it is (of another dtype: converted, in the graph); a NumPy array of the
    right dtype shares its memory; anything else is copied as by :func:`tensor`.

    >>> import wengert as torch
    >>> t = torch.ones(2)
    >>> torch.as_tensor(t) is t, torch.as_tensor([1, 2])
    (True, tensor([1, 2]))
    """
    require_cpu(device)
    kind = None if dtype is None else as_numpy_dtype(dtype, "as_tensor(): argument 'dtype'")
    if isinstance(data, TensorBase):
        return data if kind is None or kind is data._data.dtype else apply(CAST, data, dtype=kind)
    if isinstance(data, np.ndarray) and (kind is None or kind == data.dtype):
        return _shared(data)
    return _copied(data, made(raw_of(data, kind)), "torch.as_tensor")


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Any:
    """``obj`` as a tensor: a tensor, NumPy array or buffer shares its memory unless a copy is asked for or needed.

    ``copy=True`` always copies, ``copy=False`` raises where a copy is needed. The result of a tensor stays in the
    graph, unless ``requires_grad=False`` detaches it.

    Raises:
        ValueError: ``copy=False`` and the data cannot be shared, or a buffer whose length does not fit the dtype.

    >>> import wengert as torch
    >>> torch.asarray([1, 2]), torch.asarray(b"ab", dtype=torch.uint8, copy=True)
    (tensor([1, 2]), tensor([97, 98], dtype=torch.uint8))
    """
    require_cpu(device)
    kind = None if dtype is None else as_numpy_dtype(dtype, "asarray(): argument 'dtype'")
    if isinstance(obj, TensorBase):
        return _tensor_as(obj, kind, copy, requires_grad)
    if isinstance(obj, np.ndarray):
        shared: Any = adopted(obj) if copy else _shared(obj)._data
    elif isinstance(obj, (bytes, bytearray, memoryview)) or _is_foreign_buffer(obj):
        shared = _buffer_values(obj, kind or DEFAULTS.float, -1, 0)
    else:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor: copy=False needs memory to share")
        return made(raw_of(obj, kind), bool(requires_grad))
    if kind is not None and kind is not shared.dtype:
        _refuse_cast(shared.dtype, kind, copy)
        shared = cast(shared, kind)
    elif copy:
        shared = shared.copy()
    elif not isinstance(obj, np.ndarray):
        _warn_of_read_only(shared)
    t = wrap(shared)
    if requires_grad:
        check_trackable(shared.dtype)
        begin_leaf(t)
    return t


def _is_foreign_buffer(obj: Any) -> bool:
    """An object that is nothing but a buffer, such as ``array.array`` or ``mmap.mmap``."""
    if isinstance(obj, np.generic):
        return False
    try:
        memoryview(obj)
    except TypeError:
        return False
    return True


def _refuse_cast(have: NumpyDtype, want: NumpyDtype, copy: bool | None) -> None:
    if copy is False:
        raise ValueError(
            f"can't alias tensor with dtype {from_numpy_dtype(have)} into dtype {from_numpy_dtype(want)}: "
            "copy=False forbids the copy that another dtype needs"
        )


def _tensor_as(t: Any, dtype: NumpyDtype | None, copy: bool | None, requires_grad: bool | None) -> Any:
    if requires_grad is False and is_tracking(t):
        t = t.detach()
    if dtype is not None and dtype is not t._data.dtype:
        _refuse_cast(t._data.dtype, dtype, copy)
        t = apply(CAST, t, dtype=dtype)
    elif copy:
        t = apply(CLONE, t)
    if requires_grad and not is_tracking(t):
        check_trackable(t._data.dtype)
        t = alias(t)
        t._rg = True
    return t


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Any:
    """A one-dimensional tensor on the memory of a buffer, ``count`` elements (all by default) from byte ``offset`` on.

    Raises:
        ValueError: no buffer, an empty one, or one whose length does not fit.

    >>> import wengert as torch
    >>> torch.frombuffer(bytearray([1, 0, 2, 0]), dtype=torch.int16)
    tensor([1, 2], dtype=torch.int16)
    """
    kind = as_numpy_dtype(dtype, "frombuffer(): argument 'dtype'")
    values = _buffer_values(buffer, kind, count, offset)
    _warn_of_read_only(values)
    return made(values, requires_grad)


def _buffer_values(buffer: Any, dtype: NumpyDtype, count: int, offset: int) -> Any:
    try:
        length = memoryview(buffer).nbytes
    except TypeError:
        raise ValueError(
            f"object does not implement Python buffer protocol: got {type(buffer).__name__}, expected for example "
            "bytes, bytearray or array.array"
        ) from None
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    left = length - offset
    if count < 0 and left % dtype.itemsize:
        raise ValueError(
            f"buffer length ({left} bytes) after offset ({offset} bytes) must be a multiple of element size "
            f"({dtype.itemsize})"
        )
    if count * dtype.itemsize > left:
        raise ValueError(
            f"requested buffer length ({count} * {dtype.itemsize} bytes) after offset ({offset} bytes) must not be "
            f"greater than actual buffer length ({length} bytes)"
        )
    return np.frombuffer(buffer, dtype, count, offset)


def _warn_of_read_only(values: Any) -> None:
    if not values.flags.writeable:
        warnings.warn(
            "The given buffer is not writable. The tensor shares its memory, so in-place operations on it will raise "
            "an error. Copy it, for example with bytearray(buffer), for a tensor that can be written to.",
            UserWarning,
            stacklevel=3,
        )


def new_tensor(
    self: Any,
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """As :func:`tensor`, with this tensor's dtype unless told otherwise.

    >>> import wengert as torch
    >>> torch.zeros(2).new_tensor([1, 2])
    tensor([1., 2.])
    """
    kind = chosen_dtype("new_tensor", dtype, self._data.dtype, device=device, layout=layout, pin_memory=pin_memory)
    return _copied(data, made(raw_of(data, kind), requires_grad), "new_tensor")


class DataMethods:
    """The part of Tensor that makes tensors of data."""

    __slots__ = ()

    new_tensor = new_tensor
