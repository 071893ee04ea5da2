"""Magnitude, sign, and the parts of complex numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ops.checks import NOT_BOOL, category
from wengert.ops.record import Kind, Promote, defop

_REAL_SCALARS = frozenset(
    {bool, int, float, np.bool_, np.float16, np.float32, np.float64}
    | {np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64}
)


def conj(x: Any) -> Any:
    """The complex conjugate; a real value itself. Every rule calls it, so the real case must be quick."""
    if x.__class__ in _REAL_SCALARS:
        return x
    if x.__class__ is complex:
        return x.conjugate()
    return x.conjugate() if x.dtype.kind == "c" else x


CONJ = defop(
    "conj",
    conj,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: xp.conj(g),),
    jvp=lambda xp, ts, y, x: xp.conj(ts[0]),
    formula="conj(x)",
    doc="Complex conjugate of each element.",
)

CONJ_PHYSICAL = defop(
    "conj_physical",
    conj,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: xp.conj(g),),
    jvp=lambda xp, ts, y, x: xp.conj(ts[0]),
    formula="conj(x)",
    doc="Complex conjugate of each element, in memory of its own.",
)


def _sign(x: Any) -> Any:
    """-1, 0 or 1; PyTorch's sign of nan is 0."""
    kind = x.dtype.kind
    if kind == "b":
        return x.copy()
    y = np.sign(x)
    if kind == "f":
        if y.__class__ is not np.ndarray:
            return y if y == y else y.dtype.type(0)
        total = np.add.reduce(y, axis=None)  # nan if any element is: one quick pass in place of a mask
        if total != total:
            y[y != y] = 0
    return y


def _sgn(x: Any) -> Any:
    """The quotient x / |x|, and 0 at 0."""
    if x.dtype.kind != "c":
        return _sign(x)
    size = np.abs(x)
    return np.where(size == 0, 0.0, x / np.where(size == 0, 1.0, size)).astype(x.dtype, copy=False)[()]


def _not_complex_sign(_: str, raws: Sequence[Any]) -> None:
    if category(raws[0]) == 3:
        raise NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
        )


SIGN = defop(
    "sign",
    _sign,
    Kind.ELEMENTWISE,
    check=_not_complex_sign,
    vjp=(lambda xp, g, y, x: xp.zeros_like(g),),
    formula="sign(x)",
    doc="-1, 0 or 1 by the sign of each element.",
    points=(0.0,),
)


def _sgn_vjp(xp: Any, g: Any, y: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return xp.zeros_like(g)
    size = xp.abs(x)
    across = g - y * xp.real(xp.conj(y) * g)  # what turns the direction; what is along it changes nothing
    return xp.where(size == 0, 0.0, across / xp.where(size == 0, 1.0, size))


SGN = defop(
    "sgn",
    _sgn,
    Kind.ELEMENTWISE,
    vjp=(_sgn_vjp,),
    jvp=lambda xp, ts, y, x: _sgn_vjp(xp, ts[0], y, x),  # the map is its own transpose
    formula="x / |x|",
    doc="Direction of each element: its sign, or a complex number of size one; 0 at 0.",
    points=(0.0,),
)

ABS = defop(
    "abs",
    abs,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * xp.sgn(x),),
    jvp=lambda xp, ts, y, x: xp.real(xp.conj(xp.sgn(x)) * ts[0]),
    ufunc=np.absolute,
    check=NOT_BOOL,
    formula="|x|",
    doc="Absolute value of each element.",
    points=(0.0,),
)


def _angle(x: Any) -> Any:
    if x.dtype.kind == "c":
        return np.angle(x)
    return np.where(x != x, x, np.where(x < 0, np.pi, 0.0)).astype(x.dtype, copy=False)[()]


def _angle_vjp(xp: Any, g: Any, y: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return xp.zeros_like(g)
    real, imag = xp.real(x), xp.imag(x)
    square = real * real + imag * imag
    safe = xp.where(square == 0, 1.0, square)
    return xp.where(square == 0, 0.0, g * xp.complex(-imag / safe, real / safe))


def _angle_jvp(xp: Any, ts: Any, y: Any, x: Any) -> Any:
    t = ts[0]
    return xp.zeros_like(t) if x.dtype.kind != "c" else xp.real(xp.conj(_angle_vjp(xp, 1.0, y, x)) * t)


ANGLE = defop(
    "angle",
    _angle,
    Kind.ELEMENTWISE,
    vjp=(_angle_vjp,),
    jvp=_angle_jvp,
    promote=Promote.FLOAT,
    formula="arg(x)",
    doc="Angle of each complex number in the plane; 0 or pi for a real one.",
    points=(0.0,),
)


def _real(x: Any) -> Any:
    return x.real if x.dtype.kind == "c" else x


# PyTorch's real and imag are an element picked from a view as real numbers, and their node says so.
REAL = defop(
    "real",
    _real,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g,),
    jvp=lambda xp, ts, y, x: xp.real(ts[0]),
    node="SelectBackward0",
    view=True,
    formula="Re x",
    doc="Real part of each element, a view.",
)

IMAG = defop(
    "imag",
    lambda x: x.imag,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * 1j,),
    jvp=lambda xp, ts, y, x: xp.imag(ts[0]),
    node="SelectBackward0",
    view=True,
    formula="Im x",
    doc="Imaginary part of each element, a view.",
)


def _complex(a: Any, b: Any) -> Any:
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    y = np.empty(shape, np.complex128 if a.dtype.itemsize == 8 else np.complex64)
    y.real = a
    y.imag = b
    return y[()]


def _sum_given(xp: Any, a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


COMPLEX = defop(
    "complex",
    _complex,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: xp.real(g), lambda xp, g, y, a, b: xp.imag(g)),
    jvp=lambda xp, ts, y, a, b: _sum_given(xp, ts[0], None if ts[1] is None else ts[1] * 1j),
    args=("real", "imag"),
    formula="a + i b",
    doc="Complex numbers of their real and imaginary parts.",
)


def _polar(a: Any, b: Any) -> Any:
    return _complex(a * np.cos(b), a * np.sin(b))


def _polar_jvp(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    along = None if ts[0] is None else ts[0] * xp.complex(xp.cos(b), xp.sin(b))
    return _sum_given(xp, along, None if ts[1] is None else ts[1] * y * 1j)


POLAR = defop(
    "polar",
    _polar,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b: xp.real(xp.conj(g) * xp.sgn(y)),
        lambda xp, g, y, a, b: xp.real(xp.conj(g) * y * 1j),
    ),
    jvp=_polar_jvp,
    args=("abs", "angle"),
    formula="a (cos b + i sin b)",
    doc="Complex numbers of their sizes and angles.",
)


def _view_as_real(x: Any) -> Any:
    half = x.dtype.itemsize // 2
    if x.ndim and x.strides[-1] == x.itemsize:
        return x.view(x.real.dtype).reshape((*x.shape, 2))
    x = np.asarray(x)  # a NumPy scalar's real part is a number of its own, with nothing beside it
    real = x.real
    return np.lib.stride_tricks.as_strided(real, (*x.shape, 2), (*x.strides, half))


def _view_as_complex(x: Any) -> Any:
    if x.strides[-1] != x.itemsize or any([s % (2 * x.itemsize) for s in x.strides[:-1]]):
        x = np.ascontiguousarray(x)
    return x.view(np.complex128 if x.itemsize == 8 else np.complex64)[..., 0]


VIEW_AS_REAL = defop(
    "view_as_real",
    _view_as_real,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x: xp.view_as_complex(g),),
    jvp=lambda xp, ts, y, x: xp.view_as_real(ts[0]),
    view=True,
    formula="(Re x, Im x)",
    doc="Complex numbers as pairs of real numbers along a new last axis, a view.",
)

VIEW_AS_COMPLEX = defop(
    "view_as_complex",
    _view_as_complex,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x: xp.view_as_real(g),),
    jvp=lambda xp, ts, y, x: xp.view_as_complex(ts[0]),
    view=True,
    formula="x[..., 0] + i x[..., 1]",
    doc="Pairs of real numbers along the last axis as complex numbers, a view.",
)
