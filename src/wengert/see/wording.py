"""Short texts for what a graph holds: numbers, arrays, shapes, sizes, operations.

Knows how things are written in a picture. Knows nothing of where.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.see.graph import Operation, Value
from wengert.see.numerals import short_number

_EXACT = 12  # of numbers that stand in the program
_MOST_ELEMENTS = 4

# What is written between two operands, or around a number and the other operand.
_INFIX = {
    "add": "+", "sub": "−", "rsub": "−", "mul": "×", "div": "÷", "true_divide": "÷", "pow": "^", "matmul": "@",
    "mm": "@", "mv": "@", "bmm": "@", "remainder": "%", "floor_divide": "//",
    "eq": "=", "ne": "≠", "lt": "<", "le": "≤", "gt": ">", "ge": "≥",
}  # fmt: skip
_PREFIX = {"neg": "−"}
_REVERSED = ("rsub", "rsub_number")  # recorded with the operands the other way round


def number_text(number: Any, digits: int | None = None) -> str:
    """A number as explanations have it, `6.7012`, `−1e−08`, `True`; or with more digits."""
    if number == 0:
        return "0" if not isinstance(number, (bool, np.bool_)) else "False"
    text = short_number(number) if digits is None or isinstance(number, complex) else f"{number:.{digits}g}"
    return text.replace("-", "−")


def value_text(raw: Any) -> str:
    """What a value is, in a line: a number, a few elements, or the least and the largest of many."""
    array = np.asarray(raw)
    if array.dtype.kind not in "biufc":
        return str(raw)
    if array.ndim == 0:
        return number_text(array[()])
    if array.size == 0:
        return "no elements"
    if array.ndim == 1 and array.size <= _MOST_ELEMENTS:
        return f"[{', '.join([number_text(element) for element in array])}]"
    if array.dtype.kind == "b":
        return f"{int(array.sum())} of {array.size} true"
    return _statistics(array)


def _statistics(array: np.ndarray) -> str:
    finite = np.isfinite(array)
    bad = array.size - int(finite.sum())
    if bad:
        unusable = "nan" if np.isnan(array).any() else "inf"
        return f"{bad} of {array.size} {unusable}"
    if array.dtype.kind == "c":
        return f"mean |·| {number_text(float(np.abs(array).mean()))}"
    low, high = array.min(), array.max()
    if low == high:
        return f"all {number_text(low)}"
    return f"{_short(low)} … {_short(high)}"


def _short(number: Any) -> str:
    return f"{float(number):.3g}".replace("-", "−")


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape: `64×32`, `[3]` for a vector; empty for a number."""
    if len(shape) == 1:
        return f"[{shape[0]}]"
    return "×".join([str(size) for size in shape])


def bytes_text(size: int) -> str:
    """A number of bytes: `12 B`, `1.5 KiB`."""
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.3g} {unit}"
        amount /= 1024
    raise AssertionError


def dtype_text(dtype: Any) -> str:
    """A dtype by its name; `number` for a Python number."""
    return "number" if dtype is None else str(getattr(dtype, "name", dtype))


def is_plain_number(value: Value) -> bool:
    """Whether a value is a Python number that stands in the formula itself, such as the 2 of `x ** 2`."""
    return value.is_constant and isinstance(value.raw, (bool, int, float, complex)) and value.dtype is None


def operation_text(operation: Operation) -> str:
    """What an operation does, in short: `×`, `sigmoid`, `^ 2`, `1 −`, `sum over 0`."""
    if operation.op is None:
        return operation.function_name
    name = operation.op.name
    base = operation.op_name.removeprefix("number_")
    texts = [number_text(v.raw, _EXACT) if is_plain_number(v) else "" for v in operation.inputs]
    if base == "pow" and len(texts) == 2 and texts[1]:
        return f"^ {texts[1]}"
    sign = _INFIX.get(base)
    if sign is not None and len(texts) == 2:
        left, right = reversed(texts) if name in _REVERSED else texts
        return " ".join([part for part in (left, sign, right) if part])
    return _PREFIX.get(base) or " ".join([_readable(base), *_details(operation)])


def _readable(name: str) -> str:
    for suffix in ("_dim", "_bias", "_plain"):  # other ways to call the same operation
        name = name.removesuffix(suffix)
    return name.replace("_", " ").strip()


def _details(operation: Operation) -> list[str]:
    """The metadata that changes what a reader thinks of: dims, bounds, shapes, dtypes."""
    meta = operation.meta
    if "dtype" in meta and operation.op is not None and operation.op.name == "cast":
        return [f"to {dtype_text(meta['dtype'])}"]
    details = []
    if meta.get("min") is not None or meta.get("max") is not None:
        ends = [
            number_text(meta[end], _EXACT) if isinstance(meta.get(end), (int, float)) else "" for end in ("min", "max")
        ]
        details.append(" … ".join(ends).strip())
    dim = meta.get("dim")
    if isinstance(dim, int):
        details.append(f"over {dim}")
    elif isinstance(dim, tuple) and dim and all([isinstance(d, int) for d in dim]):
        details.append(f"over {', '.join([str(d) for d in dim])}")
    return details
