"""The arguments that all functions which make tensors have in common: sizes, dtype, device, layout, requires_grad."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert import _dtypes
from wengert._device import require_cpu
from wengert._dtypes import DEFAULTS, NumpyDtype, as_numpy_dtype, from_numpy_dtype
from wengert._layout import check_layout
from wengert.engine import messages
from wengert.engine.base import TensorBase, begin_leaf, wrap
from wengert.engine.out import deliver

type_name = _dtypes.type_name


def chosen_dtype(
    function: str,
    dtype: Any,
    default: NumpyDtype | None = None,
    *,
    out: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
) -> NumpyDtype:
    """Check the options that change nothing here; give the element type: asked for, of ``out``, or the default.

    Raises:
        TypeError: an option is of the wrong type.
        RuntimeError: a device, layout or memory that does not exist here, or a dtype other than that of ``out``.
    """
    if dtype is None and out is None and device is None and layout is None and not pin_memory:
        return default or DEFAULTS.float
    if device is not None:
        require_cpu(device)
    if layout is not None:
        check_layout(function, layout)
    if pin_memory:
        raise RuntimeError(
            f"{function}(): pin_memory=True is for copies to an accelerator, and tensors live on the CPU only here; "
            "leave the argument out"
        )
    wanted = None if dtype is None else as_numpy_dtype(dtype, f"{function}(): argument 'dtype'")
    if isinstance(out, TensorBase):
        stored: NumpyDtype = out._data.dtype
        if wanted is not None and wanted is not stored:
            raise RuntimeError(
                f"dtype {type_name(wanted)} does not match dtype of out parameter ({type_name(stored)}): {function}() "
                f"got dtype={from_numpy_dtype(wanted)} and an out= of {from_numpy_dtype(stored)}. Leave one of them out"
            )
        return stored
    return wanted or default or DEFAULTS.float


def sizes(function: str, size: tuple[Any, ...], *, position: int = 1, least: int = 0) -> tuple[int, ...]:
    """The shape that ``f(2, 3)`` or ``f((2, 3))`` asks for. ``least`` is the number of sizes that must be given.

    Raises:
        TypeError: not integers.
        RuntimeError: a negative size.
    """
    given: Any = size
    if len(size) == 1 and size[0].__class__ is int and size[0] >= 0:
        return size
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        given = size[0]
    elif len(size) == 1 and not _is_integer(size[0]):
        raise TypeError(
            f"{function}(): argument 'size' (position {position}) must be tuple of ints, not {_shown_type(size[0])}"
        )
    elif len(size) < least:
        raise TypeError(f'{function}() missing 1 required positional arguments: "size"')
    shape = tuple([n if n.__class__ is int else _integer(function, i, n) for i, n in enumerate(given)])
    if shape and min(shape) < 0:
        raise RuntimeError(
            f"{function}: Dimension size must be non-negative. Trying to create tensor with negative dimension "
            f"{min(shape)}: {list(shape)}"
        )
    return shape


def one_size(function: str, size: Any, position: int = 1) -> tuple[int, ...]:
    """The shape that a ``size`` argument means which must be a sequence."""
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"{function}(): argument 'size' (position {position}) must be tuple of ints, not {_shown_type(size)}"
        )
    return sizes(function, (size,), position=position)


def size_argument(function: str, size: tuple[Any, ...], keyword: Any) -> tuple[int, ...]:
    """The shape from ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))``."""
    if keyword is None:
        return sizes(function, size, least=1)
    if size:
        raise TypeError(f"{function}() got multiple values for argument 'size'")
    return one_size(function, keyword)


def integer(function: str, name: str, position: int, value: Any) -> int:
    """An integer argument, also given as a NumPy integer or as a tensor of one integer."""
    if not _is_integer(value):
        raise TypeError(f"{function}(): argument '{name}' (position {position}) must be int, not {_shown_type(value)}")
    return operator.index(value)


def _is_integer(value: Any) -> bool:
    if isinstance(value, TensorBase):
        return value._data.size == 1 and value._data.dtype.kind in "iu"
    return hasattr(value, "__index__") and not isinstance(value, (bool, np.bool_, np.ndarray))


def _integer(function: str, index: int, value: Any) -> int:
    if not _is_integer(value):
        raise TypeError(
            f"{function}(): argument 'size' failed to unpack the object at pos {index + 1} with error "
            f'"type must be tuple of ints,but got {_shown_type(value)}"'
        )
    return operator.index(value)


def _shown_type(value: Any) -> str:
    cls = type(value)
    return f"numpy.{cls.__name__}" if cls.__module__ == "numpy" else cls.__name__


def require_tensor(function: str, value: Any, name: str = "input", position: int = 1) -> TensorBase:
    """The argument itself if it is a tensor; else PyTorch's TypeError."""
    if not isinstance(value, TensorBase):
        raise TypeError(
            f"{function}(): argument '{name}' (position {position}) must be Tensor, not {_shown_type(value)}"
        )
    return value


def number(function: str, name: str, position: int, value: Any) -> Any:
    """A Python number from a number, a NumPy number or a 0-d tensor that does not require grad."""
    if isinstance(value, (bool, int, float, complex)):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return value.item()
    if isinstance(value, TensorBase) and not value._data.ndim and not value._rg:
        return value._data.item()
    hint = ""
    if isinstance(value, TensorBase):
        hint = ". A number is needed here: a 0-d tensor that requires no grad will do, or write t.item()"
    raise TypeError(
        f"{function}(): argument '{name}' (position {position}) must be Number, not {_shown_type(value)}{hint}"
    )


def made(raw: Any, requires_grad: bool = False) -> Any:
    """A new leaf on a raw value that nobody else holds.

    Raises:
        RuntimeError: gradients are asked for, and the dtype is neither float nor complex.
    """
    t = wrap(raw if raw.ndim else raw[()])
    if requires_grad:
        check_trackable(raw.dtype)
        begin_leaf(t)
    return t


def made_into(out: Any, raw: Any, requires_grad: bool) -> Any:
    """As :func:`made`, delivered into ``out`` if that is given."""
    t = made(raw, requires_grad and out is None)
    return t if out is None else deliver(out, t)


def check_trackable(dtype: NumpyDtype) -> None:
    """Raise if tensors of this dtype cannot require grad."""
    if dtype.kind not in "fc":
        raise RuntimeError(
            f"Only Tensors of floating point and complex dtype can require gradients, and {messages.written_here()} is "
            f"{from_numpy_dtype(dtype)}. Write the numbers with a decimal point, such as tensor([1., 2.]), or pass "
            "dtype=torch.float32"
        )
