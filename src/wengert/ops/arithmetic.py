"""Sums, products, quotients and what is made of them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.ops.checks import FLOAT_OR_COMPLEX, NOT_BOOL, not_bool_difference
from wengert.ops.masks import choose
from wengert.ops.record import Kind, Promote, defop

ADD = defop(
    "add",
    operator.add,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: g, lambda xp, g, y, a, b: g),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.add,
    formula="a + b",
    doc="Sum of two tensors, element by element.",
)

SUB = defop(
    "sub",
    operator.sub,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: g, lambda xp, g, y, a, b: -g),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.subtract,
    check=not_bool_difference,
    formula="a - b",
    doc="Difference of two tensors, element by element.",
)


def _rsub(a: Any, b: Any) -> Any:
    return b - a


RSUB = defop(
    "rsub",
    _rsub,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: -g, lambda xp, g, y, a, b: g),
    args=("self", "other"),
    promote=Promote.COMMON,
    check=not_bool_difference,
    formula="b - a",
    doc="Difference of two tensors, the second minus the first.",
)

RSUB_NUMBER = defop(
    "rsub_number",
    _rsub,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: -g, lambda xp, g, y, a, b: g),
    args=("self", "other"),
    promote=Promote.COMMON,
    node="RsubBackward1",
    check=not_bool_difference,
    formula="b - a",
    doc="A number minus a tensor.",
)

# `alpha` has its own records so that the plain sum carries no metadata.
ADD_ALPHA = defop(
    "add_alpha",
    lambda a, b, *, alpha: a + alpha * b,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b, alpha: g, lambda xp, g, y, a, b, alpha: g * xp.conj(alpha)),
    args=("self", "other"),
    promote=Promote.COMMON,
    node="AddBackward0",
    formula="a + alpha b",
    doc="Sum of a tensor and a multiple of another.",
)

SUB_ALPHA = defop(
    "sub_alpha",
    lambda a, b, *, alpha: a - alpha * b,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b, alpha: g, lambda xp, g, y, a, b, alpha: -g * xp.conj(alpha)),
    args=("self", "other"),
    promote=Promote.COMMON,
    node="SubBackward0",
    check=not_bool_difference,
    formula="a - alpha b",
    doc="Difference of a tensor and a multiple of another.",
)


def _rsub_alpha_self(xp: Any, g: Any, y: Any, a: Any, b: Any, *, alpha: Any, number: bool) -> Any:
    return -g * xp.conj(alpha)


def _rsub_alpha_other(xp: Any, g: Any, y: Any, a: Any, b: Any, *, alpha: Any, number: bool) -> Any:
    return g


RSUB_ALPHA = defop(
    "rsub_alpha",
    lambda a, b, *, alpha, number: b - alpha * a,
    Kind.ELEMENTWISE,
    vjp=(_rsub_alpha_self, _rsub_alpha_other),
    args=("self", "other"),
    promote=Promote.COMMON,
    node=lambda meta: "RsubBackward1" if meta["number"] else "RsubBackward0",
    check=not_bool_difference,
    formula="b - alpha a",
    doc="The second minus a multiple of the first; `number` says that the second is a Python number.",
)

MUL = defop(
    "mul",
    operator.mul,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: g * xp.conj(b), lambda xp, g, y, a, b: g * xp.conj(a)),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.multiply,
    linear=(0, 1),
    formula="a b",
    doc="Product of two tensors, element by element.",
)

DIV = defop(
    "div",
    operator.truediv,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: g / xp.conj(b), lambda xp, g, y, a, b: -g * xp.conj(a / b / b)),
    args=("self", "other"),
    promote=Promote.DIVIDE,
    ufunc=np.true_divide,
    linear=(0,),
    formula="a / b",
    doc="Quotient of two tensors, element by element; integers give floats.",
    domain="nonzero",
)

NEG = defop(
    "neg",
    operator.neg,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: -g,),
    ufunc=np.negative,
    linear=(0,),
    check=not_bool_difference,
    formula="-x",
    doc="Negative of each element.",
)

RECIPROCAL = defop(
    "reciprocal",
    lambda x: 1.0 / x,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: -g * xp.conj(y * y),),
    promote=Promote.FLOAT,
    formula="1 / x",
    doc="Reciprocal of each element.",
    domain="nonzero",
)

# --- three inputs --------------------------------------------------------------------------------------------------


def _onto(x: Any, product: Any) -> Any:
    """``x + product``, in the memory of the product where that has the shape of the sum."""
    if product.__class__ is np.ndarray and product.shape == np.shape(x) and product.dtype is x.dtype:
        return np.add(x, product, out=product)
    return x + product


def _addcmul(x: Any, a: Any, b: Any, *, value: Any) -> Any:
    return _onto(x, a * b if value == 1 else value * a * b)


def _addcdiv(x: Any, a: Any, b: Any, *, value: Any) -> Any:
    return _onto(x, a / b if value == 1 else value * a / b)


ADDCMUL = defop(
    "addcmul",
    _addcmul,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, x, a, b, value: g,
        lambda xp, g, y, x, a, b, value: g * xp.conj(b * value),
        lambda xp, g, y, x, a, b, value: g * xp.conj(a * value),
    ),
    args=("self", "tensor1", "tensor2"),
    promote=Promote.COMMON,
    check=NOT_BOOL,
    formula="x + value a b",
    doc="A tensor plus a multiple of a product.",
)

ADDCDIV = defop(
    "addcdiv",
    _addcdiv,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, x, a, b, value: g,
        lambda xp, g, y, x, a, b, value: g * xp.conj(value / b),
        lambda xp, g, y, x, a, b, value: -g * xp.conj(value * a / (b * b)),
    ),
    args=("self", "tensor1", "tensor2"),
    promote=Promote.COMMON,
    formula="x + value a / b",
    doc="A tensor plus a multiple of a quotient.",
    domain="nonzero",
)


def _lerp_number(a: Any, b: Any, *, weight: Any) -> Any:
    # The nearer end is the one the correction is added to, so that weight 0 and 1 give the ends exactly.
    if abs(weight) < 0.5:
        return _onto(a, weight * (b - a))
    return b - (b - a) * (1 - weight)


LERP_NUMBER = defop(
    "lerp_number",
    _lerp_number,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b, weight: g * xp.conj(1 - weight),
        lambda xp, g, y, a, b, weight: g * xp.conj(weight),
    ),
    args=("self", "end"),
    promote=Promote.COMMON,
    node="LerpBackward0",
    check=FLOAT_OR_COMPLEX,
    formula="a + weight (b - a)",
    doc="Straight line from one tensor to another, at the position `weight`.",
)


def _lerp(a: Any, b: Any, weight: Any) -> Any:
    return choose(abs(weight) < 0.5, a + weight * (b - a), b - (b - a) * (1 - weight))


LERP = defop(
    "lerp",
    _lerp,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b, weight: g * xp.conj(1 - weight),
        lambda xp, g, y, a, b, weight: g * xp.conj(weight),
        lambda xp, g, y, a, b, weight: g * xp.conj(b - a),
    ),
    args=("self", "end", "weight"),
    promote=Promote.COMMON,
    node="LerpBackward1",
    check=FLOAT_OR_COMPLEX,
    formula="a + w (b - a)",
    doc="Straight line from one tensor to another, at the position that a third tensor gives for each element.",
)
