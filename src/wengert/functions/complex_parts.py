"""Magnitude, sign and the parts of complex numbers: functions and methods."""

from __future__ import annotations

from typing import Any

from wengert.engine.apply import apply
from wengert.engine.inplace import inplace
from wengert.engine.out import deliver
from wengert.engine.pointwise import inplace_method, unary
from wengert.functions.elementwise import call, shown
from wengert.functions.options import require_tensor
from wengert.ops.checks import type_name
from wengert.ops.complex_parts import (
    ABS,
    ANGLE,
    COMPLEX,
    CONJ,
    CONJ_PHYSICAL,
    IMAG,
    POLAR,
    REAL,
    SGN,
    SIGN,
    VIEW_AS_COMPLEX,
    VIEW_AS_REAL,
)
from wengert.ops.record import Op

__all__ = [
    "ComplexMethods",
    "abs",
    "absolute",
    "angle",
    "complex",
    "conj",
    "conj_physical",
    "imag",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_neg",
    "is_signed",
    "polar",
    "real",
    "resolve_conj",
    "resolve_neg",
    "sgn",
    "sign",
    "view_as_complex",
    "view_as_real",
]

abs = shown(unary(ABS), __name__, "abs(torch.tensor([1.0, -2.0]))", "tensor([1., 2.])")
sign = shown(unary(SIGN), __name__, "sign(torch.tensor([3.0, 0.0, -2.0]))", "tensor([ 1.,  0., -1.])")
sgn = shown(unary(SGN), __name__, "sgn(torch.tensor([3 + 4j, 0j]))", "tensor([0.6000+0.8000j, 0.0000+0.0000j])")
angle = shown(unary(ANGLE), __name__, "angle(torch.tensor([1j, -1 + 0j]))", "tensor([1.5708, 3.1416])")
absolute = abs


def conj(input: Any) -> Any:
    """The complex conjugate of each element; a real tensor itself.

    PyTorch's conjugate of a complex tensor is a lazy view of it; this one has memory of its own.

    >>> import wengert as torch
    >>> torch.conj(torch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return apply(CONJ, input) if require_tensor("conj", input)._data.dtype.kind == "c" else input


def conj_physical(input: Any, *, out: Any = None) -> Any:
    """The complex conjugate of each element, in memory of its own; a real tensor itself.

    >>> import wengert as torch
    >>> torch.conj_physical(torch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    if require_tensor("conj_physical", input)._data.dtype.kind != "c" and out is None:
        return input
    return call(CONJ_PHYSICAL, out, input)


def resolve_conj(input: Any) -> Any:
    """The tensor itself: its conjugates are never lazy here.

    >>> import wengert as torch
    >>> torch.resolve_conj(torch.tensor([1 + 2j]))
    tensor([1.+2.j])
    """
    return require_tensor("resolve_conj", input)


def resolve_neg(input: Any) -> Any:
    """The tensor itself: its negatives are never lazy here.

    >>> import wengert as torch
    >>> torch.resolve_neg(torch.tensor([1.0]))
    tensor([1.])
    """
    return require_tensor("resolve_neg", input)


def real(input: Any) -> Any:
    """The real part of each element, a view; a real tensor itself.

    >>> import wengert as torch
    >>> torch.real(torch.tensor([1 + 2j]))
    tensor([1.])
    """
    return apply(REAL, input) if require_tensor("real", input)._data.dtype.kind == "c" else input


class _RealError(RuntimeError, AttributeError):
    """PyTorch's error, which also says to ``hasattr`` that a real tensor has no ``imag``: libraries ask."""


def imag(input: Any) -> Any:
    """The imaginary part of each element, a view.

    Raises:
        RuntimeError: ``input`` is real.

    >>> import wengert as torch
    >>> torch.imag(torch.tensor([1 + 2j]))
    tensor([2.])
    """
    if require_tensor("imag", input)._data.dtype.kind != "c":
        raise _RealError(
            f"imag is not implemented for tensors with non-complex dtypes. This one is {input.dtype}, whose imaginary "
            "part is zero: write torch.zeros_like(x) for it"
        )
    return apply(IMAG, input)


def complex(real: Any, imag: Any, *, out: Any = None) -> Any:
    """Complex numbers of their real and imaginary parts: ``real + 1j * imag``. Shapes broadcast.

    Raises:
        RuntimeError: the parts are not both float32, or both float64.

    >>> import wengert as torch
    >>> torch.complex(torch.tensor([1.0]), torch.tensor([2.0]))
    tensor([1.+2.j])
    """
    _require_parts("complex", real, "real", imag, "imag")
    return _parts_joined(COMPLEX, out, real, imag)


def polar(abs: Any, angle: Any, *, out: Any = None) -> Any:
    """Complex numbers of their sizes and angles: ``abs * (cos(angle) + 1j * sin(angle))``. Shapes broadcast.

    Raises:
        RuntimeError: the two are not both float32, or both float64.

    >>> import wengert as torch
    >>> torch.polar(torch.tensor([2.0]), torch.tensor([0.0]))
    tensor([2.+0.j])
    """
    _require_parts("polar", abs, "abs", angle, "angle")
    return _parts_joined(POLAR, out, abs, angle)


def _parts_joined(op: Op, out: Any, first: Any, second: Any) -> Any:
    return deliver(out, apply(op, first, second), first, second, exact=True)


def _require_parts(function: str, first: Any, first_name: str, second: Any, second_name: str) -> None:
    a = require_tensor(function, first, first_name, 1)._data
    b = require_tensor(function, second, second_name, 2)._data
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {type_name(a)} and {type_name(b)}. "
            "Convert them first, for example with .to(torch.float32)"
        )
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {type_name(a)} but got scalar type {type_name(b)} for second argument. "
            f"{function} does not promote: convert one of the two"
        )


def view_as_real(input: Any) -> Any:
    """A complex tensor as real numbers with a last dimension of 2, real and imaginary part: a view.

    Raises:
        RuntimeError: ``input`` is not complex.

    >>> import wengert as torch
    >>> torch.view_as_real(torch.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    if require_tensor("view_as_real", input)._data.dtype.kind != "c":
        raise RuntimeError(f"view_as_real is only supported for complex tensors. This one is {input.dtype}")
    return apply(VIEW_AS_REAL, input)


def view_as_complex(input: Any) -> Any:
    """Real numbers with a last dimension of 2 as complex numbers: a view.

    Raises:
        RuntimeError: ``input`` is not float32 or float64, its last dimension is not 2, or its memory does not hold
            the pairs next to each other.

    >>> import wengert as torch
    >>> torch.view_as_complex(torch.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """
    raw = require_tensor("view_as_complex", input)._data
    if raw.dtype.kind != "f" or raw.dtype.itemsize < 4:
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            f"{type_name(raw)}"
        )
    if not raw.ndim or raw.shape[-1] != 2:
        raise RuntimeError(f"Tensor must have a last dimension of size 2. This one has the shape {list(raw.shape)}")
    if raw.strides[-1] != raw.itemsize:
        raise RuntimeError("Tensor must have a last dimension with stride 1. Call contiguous() first")
    if any([stride % (2 * raw.itemsize) for stride in raw.strides[:-1]]):
        raise RuntimeError(
            "Tensor must have a stride divisible by 2 for all but last dimension. Call contiguous() first"
        )
    return apply(VIEW_AS_COMPLEX, input)


# --- questions about the dtype ---------------------------------------------------------------------------------------


def is_complex(input: Any) -> bool:
    """Whether the dtype is complex.

    >>> import wengert as torch
    >>> torch.is_complex(torch.tensor([1j]))
    True
    """
    return bool(require_tensor("is_complex", input)._data.dtype.kind == "c")


def is_floating_point(input: Any) -> bool:
    """Whether the dtype is a real floating-point type.

    >>> import wengert as torch
    >>> torch.is_floating_point(torch.tensor([1]))
    False
    """
    return bool(require_tensor("is_floating_point", input)._data.dtype.kind == "f")


def is_signed(input: Any) -> bool:
    """Whether the dtype has negative numbers.

    >>> import wengert as torch
    >>> torch.is_signed(torch.tensor([1]))
    True
    """
    return require_tensor("is_signed", input)._data.dtype.kind in "ifc"


def is_conj(input: Any) -> bool:
    """Whether the tensor is a lazy conjugate: never, here.

    >>> import wengert as torch
    >>> torch.is_conj(torch.tensor([1j]).conj())
    False
    """
    require_tensor("is_conj", input)
    return False


def is_neg(input: Any) -> bool:
    """Whether the tensor is a lazy negative: never, here.

    >>> import wengert as torch
    >>> torch.is_neg(torch.tensor([1.0]))
    False
    """
    require_tensor("is_neg", input)
    return False


def _conj_physical_(self: Any) -> Any:
    """In-place version of :func:`conj_physical`."""
    return inplace(CONJ_PHYSICAL, self)


_abs_ = inplace_method(ABS)


class ComplexMethods:
    """Magnitude, sign and complex parts as methods."""

    __slots__ = ()

    @property
    def real(self: Any) -> Any:
        """The real part, a view; the tensor itself if it is real."""
        return real(self)

    @real.setter
    def real(self: Any, value: Any) -> None:
        real(self).copy_(value)

    @property
    def imag(self: Any) -> Any:
        """The imaginary part, a view; RuntimeError for a real tensor."""
        return imag(self)

    @imag.setter
    def imag(self: Any, value: Any) -> None:
        imag(self).copy_(value)

    absolute = absolute
    abs = absolute
    abs_ = _abs_
    absolute_ = _abs_
    angle = angle
    conj = conj
    conj_physical = conj_physical
    conj_physical_ = _conj_physical_
    is_complex = is_complex
    is_conj = is_conj
    is_floating_point = is_floating_point
    is_neg = is_neg
    is_signed = is_signed
    resolve_conj = resolve_conj
    resolve_neg = resolve_neg
    sgn = sgn
    sgn_ = inplace_method(SGN)
    sign = sign
    sign_ = inplace_method(SIGN)

    __abs__ = absolute
