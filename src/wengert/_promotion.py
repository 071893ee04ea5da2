"""PyTorch's promotion rules: in which element type an operation on mixed operands computes."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from wengert._batched import Batched
from wengert._traced import Traced

from ._dtypes import (
    ALL_DTYPES,
    BY_NUMPY,
    DEFAULTS,
    TO_COMPLEX,
    TO_REAL,
    NumpyDtype,
    as_numpy_dtype,
    bool_,
    default_complex,
    dtype,
    from_numpy_dtype,
    int8,
    int16,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)

__all__ = [
    "can_cast",
    "combine_categories",
    "promote_numpy",
    "promote_types",
    "result_type_of",
    "weak_type_of",
]

_WIDE_UNSIGNED = frozenset((uint16.np, uint32.np, uint64.np))


def _common_type(a: NumpyDtype, b: NumpyDtype) -> NumpyDtype | None:
    """The promoted type of two tensors of equal rank, or None where PyTorch defines none."""
    if a is b:
        return a
    floats = [t for t in (TO_REAL.get(a, a), TO_REAL.get(b, b)) if t.kind == "f"]
    widest = max(floats, key=_itemsize, default=None)
    is_complex = a.kind == "c" or b.kind == "c"
    if (is_complex or widest is None) and (a in _WIDE_UNSIGNED or b in _WIDE_UNSIGNED):
        return None
    if widest is not None:
        return TO_COMPLEX[widest] if is_complex else widest
    if {a, b} == {uint8.np, int8.np}:
        return int16.np
    return max(a, b, key=_INTEGER_ORDER.__getitem__)


def _itemsize(t: NumpyDtype) -> int:
    return t.itemsize


_INTEGER_ORDER = {d.np: i for i, d in enumerate(ALL_DTYPES)}
_PROMOTED = {
    (a.np, b.np): common for a in ALL_DTYPES for b in ALL_DTYPES if (common := _common_type(a.np, b.np)) is not None
}


def promote_numpy(a: NumpyDtype, b: NumpyDtype) -> NumpyDtype:
    """``promote_types`` on the NumPy dtypes of tensors; RuntimeError where PyTorch defines no common type."""
    found = _PROMOTED.get((a, b))
    if found is None:
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{from_numpy_dtype(a)} and {from_numpy_dtype(b)}. PyTorch defines no common type for them: convert "
            "one operand first, for example with .to(torch.int64)"
        )
    return found


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest type that both types convert to by PyTorch's rules (bool < integer < float < complex).

    Raises RuntimeError for uint16, uint32 or uint64 with another bool, integer or complex type, as PyTorch does.

    >>> import wengert as torch
    >>> torch.promote_types(torch.int64, torch.float32)
    torch.float32
    >>> torch.promote_types(torch.uint8, torch.int8)
    torch.int16
    """
    a = as_numpy_dtype(type1, "promote_types(): argument 'type1' (position 1)")
    b = as_numpy_dtype(type2, "promote_types(): argument 'type2' (position 2)")
    return BY_NUMPY[promote_numpy(a, b)]


_CATEGORY = {d.np: "biufc".index(d.kind) if d.kind != "u" else 1 for d in ALL_DTYPES}


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether PyTorch lets a result of one type be stored in another: not when its category would fall.

    The categories are bool < integer < float < complex; the size does not matter.

    >>> import wengert as torch
    >>> torch.can_cast(torch.float64, torch.float16), torch.can_cast(torch.float32, torch.int64)
    (True, False)
    """
    source = as_numpy_dtype(from_, "can_cast(): argument 'from_' (position 1)")
    target = as_numpy_dtype(to, "can_cast(): argument 'to' (position 2)")
    return _CATEGORY[source] <= _CATEGORY[target]


def combine_categories(
    dimensioned: NumpyDtype | None, zero_dim: NumpyDtype | None, weak: NumpyDtype | None
) -> NumpyDtype | None:
    """The result type from the promoted types of the dimensioned tensors, the 0-d tensors and the Python scalars.

    A lower group counts only when its category (bool < integer < float < complex) is above the higher group's.
    """
    lower = weak if zero_dim is None else zero_dim if weak is None else _over(zero_dim, weak)
    return lower if dimensioned is None else dimensioned if lower is None else _over(dimensioned, lower)


def _over(higher: NumpyDtype, lower: NumpyDtype) -> NumpyDtype:
    if _CATEGORY[lower] <= _CATEGORY[higher]:
        return higher
    if lower.kind == "c" and higher.kind == "f":
        return TO_COMPLEX[higher]  # the higher group keeps its precision
    if higher.kind == "b":
        return promote_numpy(higher, lower)  # bool with uint16, uint32, uint64 is an error across groups, too
    return lower


def weak_type_of(x: object) -> NumpyDtype | None:
    """The type a Python number stands for in promotion (int64, the default float or complex type), else None."""
    if isinstance(x, float):
        return DEFAULTS.float
    if isinstance(x, bool):
        return bool_.np
    if isinstance(x, int):
        return int64.np
    if isinstance(x, complex):
        return default_complex()
    return None


_ARRAYS = (np.ndarray, np.generic, Traced, Batched)


def result_type_of(operands: Iterable[Any], *, weak: Sequence[bool] | None = None) -> NumpyDtype:
    """The type in which an operation on `operands` computes, by PyTorch's rules.

    Operands are arrays (0-d ones and NumPy scalars count as 0-d tensors) and Python numbers. ``weak[i]`` true makes
    operand `i` count as a Python number of its kind, whatever it is.
    """
    dimensioned: NumpyDtype | None = None
    zero_dim: NumpyDtype | None = None
    number: NumpyDtype | None = None
    for position, x in enumerate(operands):
        if not isinstance(x, _ARRAYS):
            number = _joined(number, _number_type(x, position))
        elif weak is not None and weak[position]:
            number = _joined(number, _as_weak(x.dtype))
        elif x.ndim:
            dimensioned = x.dtype if dimensioned is None else _joined(dimensioned, x.dtype)
        else:
            zero_dim = x.dtype if zero_dim is None else _joined(zero_dim, x.dtype)
    if number is None and zero_dim is None and dimensioned is not None:
        return dimensioned
    result = combine_categories(dimensioned, zero_dim, number)
    if result is None:
        raise RuntimeError("there is no result type without operands: pass at least one tensor or number")
    return result


def _joined(before: NumpyDtype | None, current: NumpyDtype) -> NumpyDtype:
    return current if before is None or before is current else promote_numpy(before, current)


def _number_type(x: object, position: int) -> NumpyDtype:
    found = weak_type_of(x)
    if found is None:
        raise TypeError(
            f"operand {position} is {type(x).__name__}, which has no element type. "
            "Expected a tensor or a Python number (bool, int, float, complex)"
        )
    return found


def _as_weak(t: NumpyDtype) -> NumpyDtype:
    if t.kind == "f":
        return DEFAULTS.float
    if t.kind == "c":
        return default_complex()
    return t if t.kind == "b" else int64.np
