"""The standard's functions of element types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from wengert._device import require_cpu
from wengert._dtypes import BY_NUMPY, as_numpy_dtype, dtype, from_numpy_dtype
from wengert._finfo import finfo as torch_finfo
from wengert._finfo import iinfo as torch_iinfo
from wengert.array_api._types import common_dtype, in_dtype, require_arrays
from wengert.engine.base import TensorBase

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

_KINDS: Final = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}


def astype(x: Any, dtype: dtype, /, *, copy: bool = True, device: Any = None) -> Any:
    """``x`` in another dtype, on its graph; ``copy=False`` gives ``x`` itself where the dtype is its own.

    Raises:
        TypeError: complex to real, for which ``xp.real`` says what is meant.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.astype(torch.tensor([1, 2]), xp.float64)
    tensor([1., 2.], dtype=torch.float64)
    """
    require_arrays("astype", x)
    if device is not None:
        require_cpu(device)
    kind = _numpy_dtype(dtype)
    if x._data.dtype == kind:
        return x.clone() if copy else x
    if x._data.dtype.kind == "c" and kind.kind in "iuf":
        raise TypeError(
            f"astype() does not convert complex to real: {x.dtype} to {dtype} would drop the imaginary part. "
            "Use xp.real(x), xp.imag(x) or xp.abs(x)"
        )
    return in_dtype(x, kind)


def _numpy_dtype(x: Any) -> np.dtype[Any]:
    """The dtype of a tensor, or a dtype itself; its name too, which is what xarray gives for its defaults."""
    if isinstance(x, str):
        return from_numpy_dtype(np.dtype(x)).np
    return x._data.dtype if isinstance(x, TensorBase) else as_numpy_dtype(x)


def can_cast(from_: Any, to: dtype, /) -> bool:
    """Whether every value of one dtype (or tensor's dtype) converts to another by the promotion rules.

    >>> from wengert import array_api as xp
    >>> xp.can_cast(xp.int8, xp.int16), xp.can_cast(xp.float64, xp.float32)
    (True, False)
    """
    source, target = _numpy_dtype(from_), _numpy_dtype(to)
    try:
        return common_dtype(source, target) == target
    except RuntimeError:
        return False


def result_type(*arrays_and_dtypes: Any) -> dtype:
    """The dtype in which arrays, dtypes and Python numbers meet; shapes do not matter.

    Raises:
        TypeError: no array or dtype among them.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.result_type(torch.tensor(1.0, dtype=xp.float64), xp.float32, 1j)
    torch.complex128
    """
    numbers = (bool, int, float, complex)
    return BY_NUMPY[
        common_dtype(*[x if isinstance(x, (TensorBase, *numbers)) else _numpy_dtype(x) for x in arrays_and_dtypes])
    ]


def isdtype(dtype: dtype, kind: Any) -> bool:
    """Whether a dtype is of a kind: ``"bool"``, ``"real floating"``, ..., another dtype, or a tuple of these.

    Raises:
        ValueError: no such kind.

    >>> from wengert import array_api as xp
    >>> xp.isdtype(xp.float32, "real floating"), xp.isdtype(xp.int8, (xp.int16, "bool"))
    (True, False)
    """
    if isinstance(kind, tuple):
        return any([isdtype(dtype, one) for one in kind])
    own = as_numpy_dtype(dtype)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise ValueError(f"isdtype(): {kind!r} is no kind of dtype; the kinds are {', '.join(map(repr, _KINDS))}")
        return own.kind in _KINDS[kind]
    return own == as_numpy_dtype(kind)


@dataclass(frozen=True)
class _FloatLimits:
    """The limits of a floating-point type."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: dtype


@dataclass(frozen=True)
class _IntegerLimits:
    """The limits of an integer type."""

    bits: int
    max: int
    min: int
    dtype: dtype


def finfo(type: Any, /) -> _FloatLimits:
    """The limits of a floating-point dtype (or a tensor's); of a complex one, those of its real type.

    >>> from wengert import array_api as xp
    >>> xp.finfo(xp.float64).eps
    2.220446049250313e-16
    """
    known = BY_NUMPY[_numpy_dtype(type)]
    limits = torch_finfo(known)
    return _FloatLimits(limits.bits, limits.eps, limits.max, limits.min, limits.smallest_normal, known.to_real())


def iinfo(type: Any, /) -> _IntegerLimits:
    """The limits of an integer dtype (or a tensor's).

    >>> from wengert import array_api as xp
    >>> xp.iinfo(xp.int8).max
    127
    """
    known = BY_NUMPY[_numpy_dtype(type)]
    limits = torch_iinfo(known)
    return _IntegerLimits(limits.bits, limits.max, limits.min, known)
