"""Operations of tensors and traced numbers as operations of tensors.

A number is weak in promotion: it takes the dtype in which the operation computes. Metadata that are numbers become
operands where an operation of tensors computes the same; everywhere else the value of the number is asked for, so that
it is a constant of the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from wengert.compile.numbers import TracedNumber
from wengert.compile.storage import Storage
from wengert.engine.apply import compute_dtype
from wengert.engine.base import TensorBase, wrap
from wengert.ops.record import TABLE, Op, Promote

Form = tuple[Op, tuple[Any, ...], dict[str, Any]]

# Powers with these exponents are computed in another way, and have other rules.
_SPECIAL_EXPONENTS: Final = (0, 1, 2, 3, 0.5, -0.5, -1, -2)


def with_tensors(trace: Any, op: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Form:
    """The same operation without traced numbers; a tensor that comes first stays where it is.

    Raises:
        NumberNeededError: only the value of a number will do.
    """
    if not _numbers((*inputs, *meta.values())):
        return op, inputs, meta
    if op.name in _FORMS:
        op, inputs, meta = _FORMS[op.name](trace, op, inputs, meta)
    if _numbers(meta.values()):
        _refuse(meta.values())
    return op, _as_tensors(trace, op, inputs), meta


def _numbers(values: Iterable[Any]) -> list[TracedNumber]:
    """The traced numbers among values, also those in tuples and lists."""
    found: list[TracedNumber] = []
    for x in values:
        if type(x) is TracedNumber:
            found.append(x)
        elif type(x) in (tuple, list):
            found += _numbers(x)
    return found


def _refuse(values: Iterable[Any]) -> None:
    first, *others = _numbers(values)
    first.numbers.refuse(first.origins.union(*[x.origins for x in others]))


def _raws(inputs: Iterable[Any]) -> list[Any]:
    return [x._data if isinstance(x, TensorBase) else x for x in inputs]


def _as_tensors(trace: Any, op: Op, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    if not any([type(x) is TracedNumber for x in inputs]):
        return inputs
    raws = _raws(inputs)
    # The index of a loop is a tensor that stands for a Python number: what is computed of it alone is not weak.
    is_alone = not any([isinstance(x, TensorBase) and x._data.dtype.kind in "fc" for x in inputs])
    if op.promote is Promote.KEEP or (trace.scope is not None and is_alone):
        _refuse(inputs)
    dtype = compute_dtype(op, raws)
    return tuple([tensor_of(trace, x, dtype) if type(x) is TracedNumber else x for x in inputs])


def tensor_of(trace: Any, number: TracedNumber, dtype: Any) -> Any:
    """A tensor without dimensions that has the value of a number in this dtype."""
    if dtype.kind not in "fc" and type(number.concrete) is float:
        _refuse((number,))  # what becomes of it, its value says
    value = number.numbers.input(trace, number)
    if value.dtype is not dtype:
        value = trace.emit(TABLE["cast"], (value,), {"dtype": dtype})
    return wrap(Storage(trace, value))


# --- metadata that can be operands -----------------------------------------------------------------------------------


def _apply(trace: Any, name: str, *inputs: Any, **meta: Any) -> Any:
    return trace.apply(TABLE[name], inputs, meta)


def _common(trace: Any, inputs: tuple[Any, ...]) -> list[Any]:
    """The inputs, those after the first in the dtype in which all of them are computed with."""
    dtype = compute_dtype(TABLE["add"], _raws(inputs))
    rest = [
        _apply(trace, "cast", x, dtype=dtype) if isinstance(x, TensorBase) and x._data.dtype is not dtype else x
        for x in inputs[1:]
    ]
    return [inputs[0], *rest]


def _scaled(name: str) -> Callable[..., Form]:
    """``a + alpha b`` as a sum with a product."""

    def form(trace: Any, _: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Form:
        a, b = _common(trace, inputs)
        product = _apply(trace, "mul", b, meta["alpha"]) if isinstance(b, TensorBase) else b * meta["alpha"]
        return TABLE[name], (a, product), {}

    return form


def _product(trace: Any, op: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Form:
    x, a, b = _common(trace, inputs)
    rest = _apply(trace, "mul" if op.name == "addcmul" else "div", _apply(trace, "mul", a, meta["value"]), b)
    return TABLE["add"], (x, rest), {}


def _line(_: Any, __: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Form:
    return TABLE["lerp"], (*inputs, meta["weight"]), {}


def _power(_: Any, op: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Form:
    base, exponent = inputs
    if op.name == "pow_number":
        for special in _SPECIAL_EXPONENTS:
            if exponent == special:
                return op, (base, special), meta
    if compute_dtype(op, _raws(inputs)).kind != "f":
        _refuse(inputs)
    return TABLE["pow"], inputs, meta


def _bounds(_: Any, __: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Form:
    (x,) = inputs
    low, high = meta.get("min"), meta.get("max")
    if x._data.dtype.kind != "f":
        _refuse((low, high))
    if high is None:
        return TABLE["clamp_from"], (x, low), {}
    return (TABLE["clamp_to"], (x, high), {}) if low is None else (TABLE["clamp_tensor"], (x, low, high), {})


_FORMS: Final[dict[str, Callable[..., Form]]] = {
    "add_alpha": _scaled("add"),
    "sub_alpha": _scaled("sub"),
    "addcmul": _product,
    "addcdiv": _product,
    "lerp_number": _line,
    "pow_number": _power,
    "number_pow": _power,
    "clamp": _bounds,
    "clamp_min": _bounds,
    "clamp_max": _bounds,
}


__all__ = ["tensor_of", "with_tensors"]
