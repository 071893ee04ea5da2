"""Raw values from Python data (numbers, nested sequences, arrays), with PyTorch's inference of the element type."""

from __future__ import annotations

import operator
from itertools import chain
from typing import Any, NoReturn

import numpy as np

from wengert._dtypes import (
    ALL_DTYPES,
    DEFAULTS,
    NumpyDtype,
    bool_,
    default_complex,
    from_numpy_dtype,
    int64,
    uint64,
)
from wengert._fpenv import SILENT, enter, leave
from wengert._promotion import promote_numpy
from wengert.engine.base import TensorBase, wrap
from wengert.engine.state import STATE
from wengert.ops.movement import CAST

_MAX_DIMENSIONS = 64  # NumPy's
_NUMBERS = (bool, int, float, complex)
_PLAIN = frozenset(_NUMBERS)
_INTEGERS = frozenset((bool, int))
_USUAL_SEQUENCES = frozenset((list, tuple))
_INTEGER_LIMITS = {d.np: np.iinfo(d.np) for d in ALL_DTYPES if d.kind in "iu"}
_NO_INTEGER = "'complex' object cannot be interpreted as an integer"
_LARGE = 6.0e4  # below, a number overflows in no float type


def raw_of(data: Any, dtype: NumpyDtype | None = None) -> Any:
    """A new raw value that holds ``data`` in the given element type, or in the one that the data ask for.

    Raises:
        TypeError: something that is not a number, at some depth.
        ValueError: rows of different lengths; an integer beyond 64 bits.
        RuntimeError: an object without element type; a number that does not fit the dtype.
    """
    if isinstance(data, TensorBase):
        return converted(data._data, dtype)
    if isinstance(data, (np.ndarray, np.generic)):
        return converted(np.asarray(data)[()], dtype)
    items, shape, kinds = _flattened(data)
    if not kinds <= _PLAIN:
        if kinds == {np.ndarray}:
            return _stacked(items, shape, dtype)
        if any([issubclass(kind, TensorBase) for kind in kinds]):
            items = [_single_value(item) for item in items]
            kinds = set(map(type, items))
    values = _array(items, kinds, dtype or _inferred(kinds))
    return values if len(shape) == 1 else values.reshape(shape) if shape else values[0]


def converted(raw: Any, dtype: NumpyDtype | None) -> Any:
    """A copy of a raw value, in a dtype of ours."""
    own = from_numpy_dtype(raw.dtype).np
    return cast(raw, own if dtype is None else dtype)


def cast(raw: Any, dtype: NumpyDtype) -> Any:
    """A copy of a raw value in another dtype, silent like PyTorch where it does not fit."""
    token = enter(SILENT)
    try:
        return CAST.impl(raw, dtype=dtype)
    finally:
        leave(token)


def fill_scalar(value: Any, dtype: NumpyDtype) -> Any:
    """The scalar that fills an array: unlike in ``tensor(1e300)``, a finite number that overflows is an error."""
    kind = dtype.kind
    if kind == "f" and not isinstance(value, complex) and -_LARGE < value < _LARGE:
        return dtype.type(value)
    if isinstance(value, complex) and kind not in "cb":
        if value.imag:
            _overflow(dtype, value)
        value = value.real
    if isinstance(value, int) and kind in "iu":
        return _wrapped(value, dtype)
    filled = _array([value], {type(value)}, dtype)[0]
    if kind == "f" and np.isinf(filled) and not np.isinf(value):
        _overflow(dtype, value)
    return filled


def filling_tensor(value: Any, dtype: NumpyDtype) -> Any:
    """The tensor without dimensions of a number that fills an array."""
    traced = traced_filling(value, dtype)
    return wrap(fill_scalar(value, dtype)) if traced is None else traced


def traced_filling(value: Any, dtype: NumpyDtype) -> Any:
    """The same of a number that stands for others in a trace; None for any other number."""
    if STATE.trace is None or type(value) in _PLAIN:  # such a number says that its class is float
        return None
    if dtype.kind == "f":
        fits = -_LARGE < value < _LARGE
    else:
        fits = dtype.kind in "iu" and isinstance(value, int) and 0 <= value <= _INTEGER_LIMITS[dtype].max
    return STATE.trace.number(value, dtype) if fits else None  # for others, its value is asked for


def _wrapped(value: int, dtype: NumpyDtype) -> Any:
    limits = _INTEGER_LIMITS[dtype]
    if not (-limits.max if dtype.kind == "u" else limits.min) <= value <= limits.max:
        _overflow(dtype, value)
    return dtype.type(value % (limits.max + 1) if value < 0 and dtype.kind == "u" else value)


# --- shape ---------------------------------------------------------------------------------------------------------


def _flattened(data: Any) -> tuple[list[Any], tuple[int, ...], set[type]]:
    """The numbers of nested sequences in row-major order, the shape, and the numbers' classes.

    Whole levels are taken at a time, at C's speed.
    """
    items: list[Any] = [data]
    shape: list[int] = []
    kinds = {type(data)}
    while not kinds <= _PLAIN:
        if not kinds <= _USUAL_SEQUENCES and not _all_sequences(items, kinds, shape):
            break
        if len(shape) == _MAX_DIMENSIONS:
            raise ValueError(f"too many dimensions '{type(items[0]).__name__}': at most {_MAX_DIMENSIONS} are possible")
        lengths = set(map(len, items))
        if len(lengths) > 1:
            _ragged(items, len(shape))
        shape.append(lengths.pop())
        items = items[0] if len(items) == 1 and kinds == {list} else list(chain.from_iterable(items))
        kinds = set(map(type, items))
    return items, tuple(shape), kinds


def _all_sequences(items: list[Any], kinds: set[type], shape: list[int]) -> bool:
    """Whether another level of sequences follows; an error if only some items are sequences."""
    nested = [kind for kind in kinds if _is_sequence(kind)]
    if not nested or kinds == {np.ndarray}:
        return False
    if str in kinds or bytes in kinds:
        if shape and isinstance(items[0], (str, bytes)):
            raise ValueError(f"too many dimensions '{type(items[0]).__name__}': expected numbers, not text")
        return False
    if len(nested) != len(kinds):
        _mixed_levels(items, len(shape))
    return True


def _is_sequence(kind: type) -> bool:
    if kind is list or kind is tuple:
        return True
    if issubclass(kind, (dict, TensorBase, np.generic, *_NUMBERS)):
        return False
    return hasattr(kind, "__getitem__") and hasattr(kind, "__len__")


def _ragged(items: list[Any], depth: int) -> NoReturn:
    expected = len(items[0])
    number, got = next((i, len(item)) for i, item in enumerate(items) if len(item) != expected)
    raise ValueError(
        f"expected sequence of length {expected} at dim {depth} (got {got}): the rows of a tensor are equally long, "
        f"but row 0 of this level has {expected} and row {number} has {got}"
    )


def _mixed_levels(items: list[Any], depth: int) -> NoReturn:
    first_is_sequence = _is_sequence(type(items[0]))
    odd = next(item for item in items if _is_sequence(type(item)) is not first_is_sequence)
    if first_is_sequence:
        raise TypeError(f"not a sequence: {odd!r} stands next to sequences at dim {depth} of the data")
    place = f"it stands next to numbers at dim {depth - 1} of the data"
    raise TypeError(f"must be real number, not {type(odd).__name__}: {place}")


def _stacked(items: list[Any], shape: tuple[int, ...], dtype: NumpyDtype | None) -> Any:
    """Sequences of arrays."""
    if {item.shape for item in items} != {items[0].shape}:
        other = next(item for item in items if item.shape != items[0].shape)
        raise ValueError(
            f"expected sequence of length {len(items[0])} at dim {len(shape)} (got {len(other) if other.ndim else 0}): "
            f"the arrays have the shapes {items[0].shape} and {other.shape}"
        )
    if dtype is None:
        dtype = _common([from_numpy_dtype(item.dtype).np for item in items])
    return np.stack([cast(item, dtype) for item in items]).reshape(shape + items[0].shape)[()]


def _single_value(item: Any) -> Any:
    if not isinstance(item, TensorBase):
        return item
    if item._data.size != 1:
        raise ValueError(
            f"only one element tensors can be converted to Python scalars, and this one has shape "
            f"{list(item._data.shape)}. torch.stack makes one tensor of several"
        )
    return item._data.reshape(1)[0]


# --- element type --------------------------------------------------------------------------------------------------


def _inferred(kinds: set[type]) -> NumpyDtype:
    if kinds == {float}:
        return DEFAULTS.float
    return _common([_dtype_of_kind(kind) for kind in kinds]) if kinds else DEFAULTS.float


def _common(dtypes: list[NumpyDtype]) -> NumpyDtype:
    common = dtypes[0]
    for dtype in dtypes[1:]:
        common = promote_numpy(common, dtype)
    return common


def _dtype_of_kind(kind: type) -> NumpyDtype:
    if issubclass(kind, np.generic):
        return from_numpy_dtype(np.dtype(kind)).np
    if issubclass(kind, float):
        return DEFAULTS.float
    if issubclass(kind, bool):
        return bool_.np
    if issubclass(kind, int):
        return int64.np
    if issubclass(kind, complex):
        return default_complex()
    if issubclass(kind, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{kind.__name__}': expected numbers")
    raise RuntimeError(
        f"Could not infer dtype of {kind.__name__}: expected numbers, nested sequences of numbers, or a NumPy array"
    )


# --- values --------------------------------------------------------------------------------------------------------


def _array(items: list[Any], kinds: set[type], dtype: NumpyDtype) -> Any:
    """The items as a 1-d array of this dtype."""
    if not kinds <= _PLAIN:
        if str in kinds or bytes in kinds:
            _dtype_of_kind(str if str in kinds else bytes)
        if not all([issubclass(kind, (*_NUMBERS, np.generic)) for kind in kinds]):
            items = [_as_number(item, dtype) for item in items]
            kinds = set(map(type, items))
    if dtype.kind in "iuf" and _has_complex(kinds):
        problem = "must be real number, not complex" if dtype.kind == "f" else _NO_INTEGER
        raise TypeError(f"{problem}: pass a complex dtype, or the real parts")
    token = enter(SILENT)
    try:
        return _integers(items, kinds, dtype) if dtype.kind in "iu" else np.array(items, dtype)
    finally:
        leave(token)


def _as_number(item: Any, dtype: NumpyDtype) -> Any:
    """An object that converts itself, by the method that the dtype asks for."""
    if isinstance(item, (*_NUMBERS, np.generic)):
        return item
    if dtype.kind == "b":
        return bool(item)
    try:
        return operator.index(item) if dtype.kind in "iu" else complex(item) if dtype.kind == "c" else float(item)
    except TypeError:
        raise TypeError(f"must be real number, not {type(item).__name__}") from None


def _has_complex(kinds: set[type]) -> bool:
    if kinds <= _PLAIN:
        return complex in kinds
    return any([issubclass(kind, (complex, np.complexfloating)) for kind in kinds])


def _integers(items: list[Any], kinds: set[type], dtype: NumpyDtype) -> Any:
    """Integers that must fit; floats are cut towards zero first, and negative numbers wrap around in unsigned types."""
    if not kinds <= _INTEGERS and any([issubclass(kind, (float, np.floating)) for kind in kinds]):
        items = [_truncated(item, dtype) for item in items]
    try:
        if dtype is uint64.np:
            return np.array(items, dtype)
        wide = np.array(items, int64.np)
    except OverflowError:
        if dtype is uint64.np:
            raise OverflowError(f"a number is out of the range of {from_numpy_dtype(dtype)}") from None
        raise ValueError("Overflow when unpacking long long: an integer needs more than 64 bits") from None
    if dtype is wide.dtype or not wide.size:
        return wide.astype(dtype, copy=False)
    limits = _INTEGER_LIMITS[dtype]
    lowest = -limits.max if dtype.kind == "u" else limits.min
    outside = (wide < lowest) | (wide > limits.max)
    if outside.any():
        _overflow(dtype, int(wide[outside][0]))
    return wide.astype(dtype)


def _truncated(item: Any, dtype: NumpyDtype) -> Any:
    if not isinstance(item, (float, np.floating)):
        return item
    if not np.isfinite(item) or not -(2.0**63) <= item < 2.0**63:
        _overflow(dtype, item)
    return int(item)


def _overflow(dtype: NumpyDtype, value: Any) -> NoReturn:
    raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow: got {value!r}")
