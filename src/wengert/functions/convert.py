"""Out of tensors and between element types: ``item``, ``numpy``, ``to``, ``float``, Python's conversions."""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

import numpy as np

from wengert import _dtypes as dtypes
from wengert._batched import Batched
from wengert._device import DeviceLike, device, require_cpu
from wengert._dtypes import TYPE_NAMES, NumpyDtype, as_numpy_dtype
from wengert._layout import channels_go_last, check_memory_format
from wengert.engine import messages
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, array_of, is_tracking, wrap
from wengert.engine.past import note_cut
from wengert.engine.state import STATE
from wengert.functions.data import adopted
from wengert.functions.movement import in_format
from wengert.ops.movement import CAST

__all__ = ["ConvertMethods"]

_BY_TYPE_NAME = {f"torch.{name}Tensor": np.dtype(numpy_name) for numpy_name, name in TYPE_NAMES.items()}


def cast_to(t: Any, dtype: NumpyDtype, *, copy: bool = False) -> Any:
    """The tensor in another dtype, in the graph; the tensor itself where there is nothing to do."""
    have = t._data.dtype
    if have is dtype and not copy:
        return t
    if have.kind == "c" and dtype.kind not in "cb":
        warnings.warn(
            "Casting complex values to real discards the imaginary part. Take it with .real or .abs() to say which "
            "real number is meant.",
            UserWarning,
            stacklevel=3,
        )
    return apply(CAST, t, dtype=dtype)


# --- one element as a Python number ----------------------------------------------------------------------------------


def item(self: Any) -> Any:
    """The only element as a Python number: bool, int, float or complex. What is computed with it is not tracked.

    Raises:
        RuntimeError: not exactly one element.

    >>> import wengert as torch
    >>> torch.tensor([2.5]).item()
    2.5
    """
    if self._rg:
        note_cut("item()", self)
    data = self._data
    try:
        return data.item()
    except ValueError:
        raise RuntimeError(
            f"a Tensor with {data.size} elements cannot be converted to Scalar: item() needs exactly one, and the "
            f"shape is {list(data.shape)}. tolist() gives all of them"
        ) from None


def tolist(self: Any) -> Any:
    """All elements as nested lists of Python numbers; a plain number for a tensor without dimensions.

    >>> import wengert as torch
    >>> torch.tensor([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    if self._rg:
        note_cut("tolist()", self)
    return self._data.tolist()


def _only_element(self: Any) -> Any:
    data = self._data
    try:
        return data.item()
    except ValueError:
        raise ValueError(
            f"only one element tensors can be converted to Python scalars, and this one has {data.size} elements "
            f"(shape {list(data.shape)}). Reduce it first, for example with .sum(), or pick an element"
        ) from None


def _real_element(self: Any, kind: str) -> Any:
    value = _only_element(self)
    if isinstance(value, complex):
        if value.imag:
            raise RuntimeError(
                f"value cannot be converted to type {kind} without overflow: {value} has an imaginary part. Take .real "
                "or .abs() first"
            )
        return value.real
    return value


def to_float(self: Any) -> float:
    if self._rg:
        note_cut("float()", self)
    return float(_real_element(self, "double"))


def to_int(self: Any) -> int:
    if self._rg:
        note_cut("int()", self)
    return int(_real_element(self, "int64"))


def to_complex(self: Any) -> complex:
    if self._rg:
        note_cut("complex()", self)
    return complex(_only_element(self))


def to_bool(self: Any) -> bool:
    data = self._data
    if data.size == 1:
        return bool(data)
    if data.size:
        raise RuntimeError(
            "Boolean value of Tensor with more than one value is ambiguous: the shape is "
            f"{list(data.shape)}. Say which is meant: t.any() or t.all()"
        )
    raise RuntimeError(
        "Boolean value of Tensor with no values is ambiguous: t.numel() > 0 asks whether there are any elements"
    )


def to_index(self: Any) -> int:
    data = self._data
    if data.size != 1 or data.dtype.kind not in "biu":
        raise TypeError(
            "only integer tensors of a single element can be converted to an index, got "
            f"{messages.dtype_name(data.dtype)} of shape {list(data.shape)}"
        )
    return int(data.item())


# --- NumPy -----------------------------------------------------------------------------------------------------------


def numpy(self: Any, *, force: bool = False) -> np.ndarray[Any, Any]:
    """The values as a NumPy array on the same memory: writing to one writes to the other.

    ``force=True`` is ``t.detach().numpy()``.

    Raises:
        RuntimeError: the tensor requires grad (outside ``no_grad()``): what NumPy computes would not be tracked.

    >>> import wengert as torch
    >>> t = torch.zeros(2)
    >>> t.numpy()[0] = 5
    >>> t
    tensor([5., 0.])
    """
    if not force and STATE.grad_enabled and is_tracking(self):
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead. Here it is "
            f"{messages.called(self)}, and what NumPy computes from its values is not tracked, so no gradient would "
            "flow back. If that is meant, detach() says so (or numpy(force=True)); if not, use the torch function of "
            "that name."
        )
    if self._rg:
        note_cut("numpy()", self)
    if self._data.__class__ is Batched:
        np.asarray(self._data)  # it raises
    return array_of(self).view()


def from_ufunc(self: Any, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
    """What a NumPy function makes of its result when it was given tensors (which are untracked then): a tensor."""
    del self, context, return_scalar
    return wrap(adopted(array)) if array.dtype in dtypes.BY_NUMPY else array


def array(self: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    values = numpy(self)
    if dtype is not None and values.dtype != dtype:
        if copy is False:
            raise ValueError(
                f"Unable to avoid copy while creating an array as requested: the tensor is {values.dtype}, not "
                f"{np.dtype(dtype)}"
            )
        return values.astype(dtype)
    return values.copy() if copy else values


# --- dtype and device ------------------------------------------------------------------------------------------------


def to(self: Any, *args: Any, **options: Any) -> Any:
    """The tensor in another dtype: ``t.to(dtype)``, ``t.to(device)``, ``t.to(device, dtype)`` or ``t.to(other)``.

    Further arguments, by position or keyword: ``non_blocking`` (has no effect), ``copy`` (a new tensor even where
    nothing changes), ``memory_format``. Returns the tensor itself where nothing changes. The conversion is
    differentiable: gradients come back in the original dtype. A leaf that is converted is no leaf any more.

    Raises:
        TypeError: arguments of the wrong kind.
        RuntimeError: a device other than the CPU.

    >>> import wengert as torch
    >>> w = torch.ones(2, requires_grad=True)
    >>> w.to(torch.float64)
    tensor([1., 1.], dtype=torch.float64, grad_fn=<ToCopyBackward0>)
    >>> w.to("cpu") is w
    True
    """
    if len(args) == 1 and not options and args[0].__class__ is dtypes.dtype:
        return cast_to(self, args[0].np)
    wanted = options.get("memory_format")
    last = wanted is not None and channels_go_last("to", wanted, self._data.ndim)
    rest = {name: value for name, value in options.items() if not (last and name == "memory_format")}
    place, kind, copy = _destination(args, rest)
    if place is not None:
        require_cpu(place)
    found = cast_to(self, kind or self._data.dtype, copy=copy)
    return in_format("to", found, wanted) if last else found


def _destination(args: tuple[Any, ...], options: dict[str, Any]) -> tuple[DeviceLike, NumpyDtype | None, bool]:
    """Device, dtype and copy from the arguments of ``to``."""
    check_memory_format("to", options.pop("memory_format", None))
    rest = list(args)
    place: Any = None
    kind: Any = None
    if rest and isinstance(rest[0], TensorBase):
        kind = rest.pop(0)._data.dtype
    elif rest and _is_dtype(rest[0]):
        kind = as_numpy_dtype(rest.pop(0))
    else:
        if rest:
            place = rest.pop(0)
        if rest and (rest[0] is None or _is_dtype(rest[0])):
            kind = rest.pop(0)
    if isinstance(options.get("tensor"), TensorBase) and not args:
        kind = options.pop("tensor")._data.dtype
    place = options.pop("device", place) if place is None else place
    kind = options.pop("dtype", kind) if kind is None else kind
    flags = {"non_blocking": False, "copy": False}
    flags |= dict(zip(flags, rest, strict=False))
    flags = {name: options.pop(name, flag) for name, flag in flags.items()}
    if options or len(rest) > len(flags) or not all([isinstance(flag, bool) for flag in flags.values()]):
        _reject_to(args, options)
    if place is not None and not isinstance(place, (str, int, device)):
        _reject_to(args, options)
    wanted = None if kind is None else as_numpy_dtype(kind, "to(): argument 'dtype'")
    return place, wanted, flags["copy"]


def _is_dtype(x: Any) -> bool:
    return isinstance(x, dtypes.dtype) or x in (bool, int, float, complex) or isinstance(x, (type, np.dtype))


def _reject_to(args: tuple[Any, ...], unknown: dict[str, Any]) -> NoReturn:
    got = ", ".join(
        [type(arg).__name__ for arg in args] + [f"{name}={type(v).__name__}" for name, v in unknown.items()]
    )
    raise TypeError(
        f"to() received an invalid combination of arguments - got ({got}), but expected to(dtype), to(device), "
        "to(device, dtype) or to(other), each with non_blocking=False, copy=False, memory_format=None"
    )


def type_(self: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The old name of the tensor's type, ``'torch.FloatTensor'``; with an argument, the tensor in that type.

    Raises:
        ValueError: a string that names no type.

    >>> import wengert as torch
    >>> torch.ones(2).type(), torch.ones(2).type(torch.int64), torch.ones(2).type("torch.DoubleTensor")
    ('torch.FloatTensor', tensor([1, 1]), tensor([1., 1.], dtype=torch.float64))
    """
    del non_blocking
    if dtype is None:
        return f"torch.{TYPE_NAMES[self._data.dtype.name]}Tensor"
    legacy = getattr(dtype, "_element_type", None)
    if legacy is not None:
        return cast_to(self, legacy.np)
    if isinstance(dtype, str):
        if dtype not in _BY_TYPE_NAME:
            raise ValueError(f"invalid type: {dtype!r}, expected for example 'torch.FloatTensor' or torch.float32")
        return cast_to(self, _BY_TYPE_NAME[dtype])
    return cast_to(self, as_numpy_dtype(dtype, "type(): argument 'dtype'"))


def type_as(self: Any, other: Any) -> Any:
    """The tensor in the dtype of ``other``.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).type_as(torch.ones(1))
    tensor([1., 2.])
    """
    if not isinstance(other, TensorBase):
        raise TypeError(f"type_as(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}")
    return cast_to(self, other._data.dtype)


def _conversion(name: str, target: dtypes.dtype) -> Any:
    """The method ``t.double()`` and its like."""

    def method(self: Any, memory_format: Any = None) -> Any:
        if memory_format is not None and channels_go_last(name, memory_format, self._data.ndim):
            return in_format(name, cast_to(self, target.np), memory_format)
        check_memory_format(name, memory_format)
        return cast_to(self, target.np)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The tensor as {target}: ``t.to({target})``, itself if it is already."
    return method


def bfloat16(self: Any, memory_format: Any = None) -> Any:
    """Raise: no tensor has that type.

    Raises:
        TypeError: always.
    """
    check_memory_format("bfloat16", memory_format)
    return to(self, dtypes.bfloat16)


def cpu(self: Any, memory_format: Any = None) -> Any:
    """The tensor itself: it is on the CPU.

    >>> import wengert as torch
    >>> t = torch.ones(2)
    >>> t.cpu() is t
    True
    """
    check_memory_format("cpu", memory_format)
    return self


def cuda(self: Any, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Any:
    """Raise a RuntimeError that says how to write portable code: tensors live on the CPU.

    >>> import wengert as torch
    >>> device = "cuda" if torch.cuda.is_available() else "cpu"
    >>> torch.ones(2).to(device)
    tensor([1., 1.])
    """
    del self, non_blocking, memory_format
    require_cpu("cuda" if device is None or isinstance(device, int) else device)


class ConvertMethods:
    """The part of Tensor that leads out of it and between element types."""

    __slots__ = ()
    __array_priority__ = 1000

    item = item
    tolist = tolist
    numpy = numpy
    to = to
    type = type_
    type_as = type_as
    cpu = cpu
    cuda = cuda

    float = _conversion("float", dtypes.float32)
    double = _conversion("double", dtypes.float64)
    half = _conversion("half", dtypes.float16)
    bfloat16 = bfloat16
    int = _conversion("int", dtypes.int32)
    long = _conversion("long", dtypes.int64)
    short = _conversion("short", dtypes.int16)
    char = _conversion("char", dtypes.int8)
    byte = _conversion("byte", dtypes.uint8)
    bool = _conversion("bool", dtypes.bool_)
    cfloat = _conversion("cfloat", dtypes.complex64)
    cdouble = _conversion("cdouble", dtypes.complex128)

    __array__ = array
    __array_wrap__ = from_ufunc
    __float__ = to_float
    __int__ = to_int
    __complex__ = to_complex
    __bool__ = to_bool
    __index__ = to_index
