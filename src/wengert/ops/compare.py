"""Comparisons, logical operations and questions about each element; all give booleans and have no derivative."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ops.checks import NOT_COMPLEX, Check
from wengert.ops.record import Kind, Op, Promote, defop


def _comparison(
    name: str, impl: Callable[..., Any], ufunc: Any, formula: str, doc: str, check: Check | None = NOT_COMPLEX
) -> Op:
    return defop(
        name,
        impl,
        Kind.ELEMENTWISE,
        vjp=(None, None),
        args=("self", "other"),
        promote=Promote.COMMON,
        ufunc=ufunc,
        check=check,
        formula=formula,
        doc=doc,
    )


GT = _comparison("gt", operator.gt, np.greater, "a > b", "Where the first is greater.")
GE = _comparison("ge", operator.ge, np.greater_equal, "a >= b", "Where the first is greater or equal.")
LT = _comparison("lt", operator.lt, np.less, "a < b", "Where the first is less.")
LE = _comparison("le", operator.le, np.less_equal, "a <= b", "Where the first is less or equal.")
EQ = _comparison("eq", operator.eq, np.equal, "a = b", "Where the two are equal.", None)
NE = _comparison("ne", operator.ne, np.not_equal, "a != b", "Where the two differ.", None)


def _number_suffix(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda meta: f"{name}Backward{0 if meta['number'] else 1}"


def _zero(xp: Any, g: Any, y: Any, a: Any, b: Any, *, number: bool) -> Any:
    return xp.zeros_like(g)


def _written(op: Op) -> Op:
    """The in-place form: a tracked tensor stays tracked, with the derivative zero, since its old value is gone."""
    compare = op.impl
    return defop(
        f"{op.name}_",
        lambda a, b, *, number: compare(a, b).astype(getattr(a, "dtype", np.bool_)),
        Kind.ELEMENTWISE,
        vjp=(_zero, _zero),
        args=op.args,
        node=_number_suffix(op.name.capitalize()),
        check=op.check,
        formula=op.formula,
        doc=f"{op.doc} The booleans are written as numbers; `number` says that the second is a Python number.",
    )


GT_ = _written(GT)
GE_ = _written(GE)
LT_ = _written(LT)
LE_ = _written(LE)
EQ_ = _written(EQ)
NE_ = _written(NE)


def _logical(name: str, ufunc: Any, formula: str, doc: str) -> Op:
    return defop(
        name,
        ufunc,
        Kind.ELEMENTWISE,
        vjp=(None, None),
        args=("self", "other"),
        ufunc=ufunc,
        formula=formula,
        doc=doc,
    )


LOGICAL_AND = _logical("logical_and", np.logical_and, "a and b", "Where both are nonzero.")
LOGICAL_OR = _logical("logical_or", np.logical_or, "a or b", "Where at least one is nonzero.")
LOGICAL_XOR = _logical("logical_xor", np.logical_xor, "a xor b", "Where exactly one is nonzero.")


def _question(name: str, impl: Callable[..., Any], formula: str, doc: str, check: Check | None = None) -> Op:
    return defop(
        name,
        impl,
        Kind.ELEMENTWISE,
        vjp=(None,),
        ufunc=impl if isinstance(impl, np.ufunc) else None,
        check=check,
        formula=formula,
        doc=doc,
    )


def _isposinf(x: Any) -> Any:
    return x == np.inf if x.dtype.kind == "f" else np.zeros(x.shape, np.bool_)


def _isneginf(x: Any) -> Any:
    return x == -np.inf if x.dtype.kind == "f" else np.zeros(x.shape, np.bool_)


def _isreal(x: Any) -> Any:
    return x.imag == 0 if x.dtype.kind == "c" else np.ones(x.shape, np.bool_)


def _signbit(x: Any) -> Any:
    if x.dtype.kind == "f":
        return np.signbit(x)
    return x < 0 if x.dtype.kind == "i" else np.zeros(x.shape, np.bool_)


LOGICAL_NOT = _question("logical_not", np.logical_not, "not x", "Where an element is zero.")
ISNAN = _question("isnan", np.isnan, "x is nan", "Where an element is not a number.")
ISINF = _question("isinf", np.isinf, "|x| = inf", "Where an element is infinite.")
ISFINITE = _question("isfinite", np.isfinite, "|x| < inf", "Where an element is finite.")
ISPOSINF = _question("isposinf", _isposinf, "x = inf", "Where an element is plus infinity.", NOT_COMPLEX)
ISNEGINF = _question("isneginf", _isneginf, "x = -inf", "Where an element is minus infinity.", NOT_COMPLEX)
ISREAL = _question("isreal", _isreal, "Im x = 0", "Where the imaginary part of an element is zero.")
SIGNBIT = _question("signbit", _signbit, "sign bit of x", "Where the sign bit of an element is set.", NOT_COMPLEX)


def _isclose(a: Any, b: Any, *, rtol: float, atol: float, equal_nan: bool) -> Any:
    close = a == b
    if a.dtype.kind in "fc":
        near = np.abs(a - b) <= atol + np.abs(rtol * b)
        close = close | (np.isfinite(a) & np.isfinite(b) & near)
        return close | (np.isnan(a) & np.isnan(b)) if equal_nan else close
    wide_a, wide_b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return close | (np.abs(wide_a - wide_b) <= atol + np.abs(rtol * wide_b))


ISCLOSE = defop(
    "isclose",
    _isclose,
    Kind.ELEMENTWISE,
    vjp=(None, None),
    args=("self", "other"),
    formula="|a - b| <= atol + rtol |b|",
    doc="Where two tensors are nearly equal.",
)
