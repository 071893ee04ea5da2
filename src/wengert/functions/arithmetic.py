"""Sums, products, quotients: functions, methods and operators."""

from __future__ import annotations

from typing import Any

from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.engine.pointwise import binary, inplace_method, operator, unary
from wengert.functions.elementwise import Function, call, category_of, is_number, shown
from wengert.functions.options import number, require_tensor
from wengert.ops.arithmetic import (
    ADD,
    ADD_ALPHA,
    ADDCDIV,
    ADDCMUL,
    DIV,
    LERP,
    LERP_NUMBER,
    MUL,
    NEG,
    RECIPROCAL,
    RSUB,
    RSUB_ALPHA,
    RSUB_NUMBER,
    SUB,
    SUB_ALPHA,
)
from wengert.ops.checks import type_name

__all__ = [
    "ArithmeticMethods",
    "add",
    "addcdiv",
    "addcmul",
    "lerp",
    "mul",
    "multiply",
    "neg",
    "negative",
    "positive",
    "reciprocal",
    "rsub",
    "sub",
    "subtract",
]

_add = binary(ADD)
_sub = binary(SUB)
_by_number = operator(MUL)


def add(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """Adds ``other``, or a multiple of it, to ``input``, element by element: ``input + alpha * other``.

    Shapes broadcast, dtypes promote.

    Raises:
        RuntimeError: the shapes do not broadcast, or ``alpha`` has another category than the result (a float for
            integers, say).

    >>> import wengert as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), 10, alpha=2)
    tensor([21., 22.])
    """
    if alpha == 1 and alpha is not True:
        return _add(input, other, out=out, depth=2)
    return call(ADD_ALPHA, out, input, other, alpha=_alpha("add", alpha, input, other))


def sub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """Subtracts ``other``, or a multiple of it, from ``input``, element by element: ``input - alpha * other``.

    Shapes broadcast, dtypes promote.

    Raises:
        RuntimeError: the shapes do not broadcast, a tensor is boolean, or ``alpha`` has another category than the
            result.

    >>> import wengert as torch
    >>> torch.sub(torch.tensor([1.0, 2.0]), 10, alpha=2)
    tensor([-19., -18.])
    """
    if alpha == 1 and alpha is not True:
        return _sub(input, other, out=out, depth=2)
    return call(SUB_ALPHA, out, input, other, alpha=_alpha("sub", alpha, input, other))


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """Subtracts ``input``, or a multiple of it, from ``other``, element by element: ``other - alpha * input``.

    Shapes broadcast, dtypes promote.

    Raises:
        RuntimeError: the shapes do not broadcast, a tensor is boolean, or ``alpha`` has another category than the
            result.

    >>> import wengert as torch
    >>> torch.rsub(torch.tensor([1.0, 2.0]), 10)
    tensor([9., 8.])
    """
    require_tensor("rsub", input)
    is_plain = is_number(other)
    if alpha == 1 and alpha is not True:
        return call(RSUB_NUMBER if is_plain else RSUB, None, input, other)
    alpha = _alpha("rsub", alpha, input, other)
    return call(RSUB_ALPHA, None, input, other, alpha=alpha, number=is_plain)


def _alpha(function: str, alpha: Any, input: Any, other: Any) -> Any:
    """The factor as a Python number that the result's dtype can take."""
    if not is_number(alpha) and not isinstance(alpha, TensorBase):
        raise TypeError(f"{function}(): argument 'alpha' must be Number, not {type(alpha).__name__}")
    alpha = number(function, "alpha", 3, alpha)
    kind = category_of(input, other)
    if isinstance(alpha, bool) and kind != "b":
        raise RuntimeError(f"Boolean alpha only supported for Boolean results. Write alpha={int(alpha)}")
    if isinstance(alpha, float) and kind in "biu":
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number. "
            f"Got alpha={alpha}: convert an input to a float type, for example with .to(torch.float32)"
        )
    if isinstance(alpha, complex) and kind != "c":
        raise RuntimeError(
            f"For non-complex input tensors, argument alpha must not be a complex number. Got alpha={alpha}"
        )
    return bool(alpha) if kind == "b" else alpha


mul = shown(binary(MUL), __name__, "mul(torch.tensor([1.0, 2.0]), 3)", "tensor([3., 6.])")
neg = shown(unary(NEG), __name__, "neg(torch.tensor([1.0, -2.0]))", "tensor([-1.,  2.])")
reciprocal = shown(unary(RECIPROCAL), __name__, "reciprocal(torch.tensor([2.0, 4.0]))", "tensor([0.5000, 0.2500])")
subtract = sub
multiply = mul
negative = neg


def positive(input: Any) -> Any:
    """The tensor itself: what ``+input`` gives.

    Raises:
        RuntimeError: ``input`` is boolean.

    >>> import wengert as torch
    >>> torch.positive(torch.tensor([1, -2]))
    tensor([ 1, -2])
    """
    if require_tensor("positive", input)._data.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported. Convert it to an integer type first.")
    return input


# --- three tensors ---------------------------------------------------------------------------------------------------


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1, out: Any = None) -> Any:
    """Adds a multiple of a product: ``input + value * tensor1 * tensor2``, element by element.

    Shapes broadcast, dtypes promote.

    Raises:
        RuntimeError: the shapes do not broadcast, or ``value`` is complex and the result is not.

    >>> import wengert as torch
    >>> torch.addcmul(torch.ones(2), torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), value=0.5)
    tensor([2.5000, 5.0000])
    """
    _require_three("addcmul", input, tensor1, tensor2)
    return call(ADDCMUL, out, input, tensor1, tensor2, value=_value("addcmul", value, input, tensor1, tensor2))


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1, out: Any = None) -> Any:
    """Adds a multiple of a quotient: ``input + value * tensor1 / tensor2``, element by element.

    Shapes broadcast, dtypes promote.

    Raises:
        RuntimeError: the shapes do not broadcast, or ``tensor1`` and ``tensor2`` are both integers.

    >>> import wengert as torch
    >>> torch.addcdiv(torch.ones(2), torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0]))
    tensor([1.5000, 1.5000])
    """
    _require_quotient(input, tensor1, tensor2)
    return call(ADDCDIV, out, input, tensor1, tensor2, value=_value("addcdiv", value, input, tensor1, tensor2))


def _require_three(function: str, input: Any, tensor1: Any, tensor2: Any) -> None:
    require_tensor(function, input)
    require_tensor(function, tensor1, "tensor1", 2)
    require_tensor(function, tensor2, "tensor2", 3)


def _require_quotient(input: Any, tensor1: Any, tensor2: Any) -> None:
    _require_three("addcdiv", input, tensor1, tensor2)
    if category_of(tensor1, tensor2) in "biu":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported. Got two integer tensors to divide: convert one to a "
            "float type for true division, or write input + value * torch.div(tensor1, tensor2, rounding_mode='trunc')"
        )


def _value(function: str, value: Any, *tensors: Any) -> Any:
    value = number(function, "value", 4, value)
    kind = category_of(*tensors)
    if isinstance(value, complex) and kind != "c":
        raise RuntimeError(f"value cannot be converted to type float without overflow. Got value={value}")
    return int(value) if kind in "iu" else value


def lerp(input: Any, end: Any, weight: Any, *, out: Any = None) -> Any:
    """The point at ``weight`` on the straight line from ``input`` to ``end``: ``input + weight * (end - input)``.

    ``weight`` is a number or a tensor; shapes broadcast.

    Raises:
        RuntimeError: the tensors have different dtypes, or a complex weight is given for real tensors.
        NotImplementedError: the tensors are integers.

    >>> import wengert as torch
    >>> torch.lerp(torch.tensor([0.0, 10.0]), torch.tensor([1.0, 20.0]), 0.25)
    tensor([ 0.2500, 12.5000])
    """
    require_tensor("lerp", input)
    weight = _lerp_weight(input, end, weight)
    if isinstance(weight, TensorBase):
        return call(LERP, out, input, end, weight)
    return call(LERP_NUMBER, out, input, end, weight=weight)


def _lerp_weight(input: Any, end: Any, weight: Any) -> Any:
    _require_same_dtype(input, require_tensor("lerp", end, "end", 2), "end")
    if isinstance(weight, TensorBase):
        _require_same_dtype(input, weight, "weight")
        return weight
    weight = number("lerp", "weight", 3, weight)
    if isinstance(weight, complex) and input._data.dtype.kind != "c":
        raise RuntimeError(f"value cannot be converted to type float without overflow. Got the weight {weight}")
    return weight


def _require_same_dtype(input: Any, other: Any, name: str) -> None:
    want, got = input._data.dtype, other._data.dtype
    if want is not got:
        raise RuntimeError(
            f"expected dtype {type_name(input._data).lower()} for `{name}` but got dtype "
            f"{type_name(other._data).lower()}. lerp does not promote: convert one, for example with .to({name}.dtype)"
        )


# --- methods ---------------------------------------------------------------------------------------------------------


def _add_(self: Any, other: Any, *, alpha: Any = 1) -> Any:
    """In-place version of :func:`add`."""
    if alpha == 1 and alpha is not True:
        return inplace(ADD, self, other)
    return inplace(ADD_ALPHA, self, other, alpha=_alpha("add_", alpha, self, other))


def _sub_(self: Any, other: Any, *, alpha: Any = 1) -> Any:
    """In-place version of :func:`sub`."""
    if alpha == 1 and alpha is not True:
        return inplace(SUB, self, other)
    return inplace(SUB_ALPHA, self, other, alpha=_alpha("sub_", alpha, self, other))


def _addcmul_(self: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """In-place version of :func:`addcmul`."""
    _require_three("addcmul_", self, tensor1, tensor2)
    return inplace(ADDCMUL, self, tensor1, tensor2, value=_value("addcmul_", value, self, tensor1, tensor2))


def _addcdiv_(self: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """In-place version of :func:`addcdiv`."""
    _require_quotient(self, tensor1, tensor2)
    return inplace(ADDCDIV, self, tensor1, tensor2, value=_value("addcdiv_", value, self, tensor1, tensor2))


def _lerp_(self: Any, end: Any, weight: Any) -> Any:
    """In-place version of :func:`lerp`."""
    weight = _lerp_weight(self, end, weight)
    if isinstance(weight, TensorBase):
        return inplace(LERP, self, end, weight)
    return inplace(LERP_NUMBER, self, end, weight=weight)


def _rtruediv(self: Any, other: Any) -> Any:
    """``other / self``: as PyTorch computes it, the reciprocal times the number."""
    return _by_number(reciprocal(self, depth=2), other, 2) if is_number(other) else NotImplemented


_mul_: Function = inplace_method(MUL)
_neg_: Function = inplace_method(NEG)
_iadd: Function = inplace_method(ADD)
_isub: Function = inplace_method(SUB)


def _rdiv(self: Any, other: Any) -> Any:
    """``other / self``, under the name that Python 2 had for it and PyTorch keeps."""
    return self.reciprocal() * other


class ArithmeticMethods:
    """Sums, products and their relatives as methods and operators."""

    __slots__ = ()

    # NumPy's own scalars and arrays leave `np_value * tensor` to the tensor.
    __array_priority__ = 1000

    add = add
    add_ = _add_
    addcdiv = addcdiv
    addcdiv_ = _addcdiv_
    addcmul = addcmul
    addcmul_ = _addcmul_
    lerp = lerp
    lerp_ = _lerp_
    mul = mul
    mul_ = _mul_
    multiply = mul
    multiply_ = _mul_
    neg = neg
    neg_ = _neg_
    negative = neg
    negative_ = _neg_
    positive = positive
    reciprocal = reciprocal
    reciprocal_ = inplace_method(RECIPROCAL)
    sub = sub
    sub_ = _sub_
    subtract = sub
    subtract_ = _sub_

    __add__ = operator(ADD)
    __radd__ = operator(ADD)
    __iadd__ = _iadd
    __sub__ = operator(SUB)
    __rsub__ = operator(RSUB_NUMBER)
    __isub__ = _isub
    __mul__ = operator(MUL)
    __rmul__ = operator(MUL)
    __imul__ = _mul_
    __truediv__ = operator(DIV)
    __rtruediv__ = _rtruediv
    __rdiv__ = _rdiv
    __itruediv__ = inplace_method(DIV)
    __neg__ = neg
    __pos__ = positive
