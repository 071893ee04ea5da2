"""The world of symbols: rules run here on expressions, so a derivative comes out as a formula.

A :class:`Symbol` is an expression together with the raw value that it has where the question was asked: that gives it
the shape and dtype that rules look at, and the formula its number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from wengert.ops.record import TABLE
from wengert.spaces.expression import Call, Expression, Name, Number
from wengert.spaces.raw import RAW


class Symbol:
    """An expression with its value; `known` says whether the value is the true one or only of the right shape."""

    __array_ufunc__ = None  # NumPy must not take it for an array of objects

    __slots__ = ("expression", "known", "raw")

    def __init__(self, expression: Expression, raw: Any, *, known: bool = True) -> None:
        self.expression = expression
        self.raw = raw
        self.known = known

    @property
    def shape(self) -> Any:
        """The shape of the value."""
        return self.raw.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions of the value."""
        return int(self.raw.ndim)

    @property
    def dtype(self) -> Any:
        """The NumPy dtype of the value."""
        return self.raw.dtype

    @property
    def size(self) -> int:
        """The number of elements of the value."""
        return int(self.raw.size)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a symbol is no array")

    def __bool__(self) -> bool:
        raise TypeError("a rule may not branch on a value")

    def __iter__(self) -> Any:
        raise TypeError("a symbol has no elements of its own")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Symbol({self.expression!r})"

    def __add__(self, other: Any) -> Any:
        return _apply("add", lambda a, b: a + b, self, other)

    def __radd__(self, other: Any) -> Any:
        return _apply("add", lambda a, b: a + b, other, self)

    def __sub__(self, other: Any) -> Any:
        return _apply("sub", lambda a, b: a - b, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _apply("sub", lambda a, b: a - b, other, self)

    def __mul__(self, other: Any) -> Any:
        return _apply("mul", lambda a, b: a * b, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _apply("mul", lambda a, b: a * b, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _apply("div", lambda a, b: a / b, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _apply("div", lambda a, b: a / b, other, self)

    def __pow__(self, other: Any) -> Any:
        return _apply("pow", lambda a, b: a**b, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _apply("pow", lambda a, b: a**b, other, self)

    def __neg__(self) -> Any:
        return _apply("neg", lambda a: -a, self)

    def __abs__(self) -> Any:
        return _apply("abs", abs, self)

    def __matmul__(self, other: Any) -> Any:
        return _apply("matmul", lambda a, b: a @ b, self, other)

    def __and__(self, other: Any) -> Any:
        return _apply("logical_and", lambda a, b: a & b, self, other)

    def __or__(self, other: Any) -> Any:
        return _apply("logical_or", lambda a, b: a | b, self, other)

    def __invert__(self) -> Any:
        return _apply("logical_not", lambda a: ~a, self)

    def __lt__(self, other: Any) -> Any:
        return _apply("lt", lambda a, b: a < b, self, other)

    def __le__(self, other: Any) -> Any:
        return _apply("le", lambda a, b: a <= b, self, other)

    def __gt__(self, other: Any) -> Any:
        return _apply("gt", lambda a, b: a > b, self, other)

    def __ge__(self, other: Any) -> Any:
        return _apply("ge", lambda a, b: a >= b, self, other)

    def __eq__(self, other: Any) -> Any:
        return _apply("eq", lambda a, b: a == b, self, other)

    def __ne__(self, other: Any) -> Any:
        return _apply("ne", lambda a, b: a != b, self, other)


def symbol(name: str, raw: Any, *, order: int = 0, known: bool = True) -> Symbol:
    """A name with its value."""
    return Symbol(Name(name, order, raw.shape), raw, known=known)


def expression_of(value: Any) -> Expression:
    """The expression of a symbol or of a number."""
    return value.expression if isinstance(value, Symbol) else Number(value)


def _apply(name: str, compute: Callable[..., Any], *args: Any, **meta: Any) -> Any:
    """An operation on symbols and numbers, as a call and as a value."""
    if not any([isinstance(x, Symbol) for x in args]):
        return compute(*args, **meta)
    raws = [x.raw if isinstance(x, Symbol) else x for x in args]
    known = all([x.known for x in args if isinstance(x, Symbol)])
    with np.errstate(all="ignore"):
        raw = compute(*raws, **meta)
    expressions = tuple([expression_of(x) for x in args])
    if not isinstance(raw, tuple):
        return Symbol(Call(name, expressions, meta), raw, known=known)
    parts = [Symbol(Call(name, expressions, meta, k), part, known=known) for k, part in enumerate(raw)]
    return tuple(parts)


class SymbolSpace:
    """The operations of the table as functions of symbols."""

    def __getattr__(self, name: str) -> Any:
        parts = TABLE.in_parts(name, self)
        if parts is not None:
            setattr(self, name, parts)
            return parts
        compute = getattr(RAW, name)

        def call(*args: Any, **meta: Any) -> Any:
            return _apply(name, compute, *args, **meta)

        setattr(self, name, call)
        return call

    def conj(self, x: Any) -> Any:
        """The conjugate; a real value is its own."""
        if isinstance(x, (int, float, complex)):
            return x.conjugate()
        return x if x.dtype.kind != "c" else _apply("conj", RAW.conj, x)

    def real(self, x: Any) -> Any:
        """The real part; a real value is its own."""
        if isinstance(x, (int, float, complex)):
            return x.real
        return x if x.dtype.kind != "c" else _apply("real", RAW.real, x)

    def tied(self, x: Any, _: Any) -> Any:
        """The first; what it depends on with derivative zero does not appear in a formula."""
        return x

    def __repr__(self) -> str:
        return "<symbols>"


SYMBOLS: Final = SymbolSpace()

__all__ = ["SYMBOLS", "Symbol", "SymbolSpace", "expression_of", "symbol"]
