"""Rows reversed by machine code: neighbours are loaded at once and turned around, at the ends of rows too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as w

pytest.importorskip("llvmlite")

from wengert.compile.nest import Affine, Buffer, Compute, Expr, Kernel, Load, Loop, Role, Store, at
from wengert.compile.runtime.build import build

SHAPES = [
    ((1000,), (0,)),
    ((17, 300), (1,)),
    ((17, 300), (0, 1)),
    ((5, 260), (0,)),
    ((4, 6, 257), (0, 2)),
    ((3, 50, 7), (2,)),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "dims"), SHAPES)
def test_flip_is_that_of_numpy(shape: tuple[int, ...], dims: tuple[int, ...], dtype: type) -> None:
    x: Any = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for given in (x, np.asfortranarray(x), x[::-1]):
        y = w.flip(w.tensor(given.copy()), dims)
        np.testing.assert_array_equal(y.numpy(), np.flip(given, dims))
    t = w.tensor(x, requires_grad=True)
    w.flip(t, dims).backward(w.tensor(x))
    np.testing.assert_array_equal(t.grad.numpy(), np.flip(x, dims))


@pytest.mark.parametrize("kind", ["f4", "f8", "i8", "i4", "u1", "b1"])
@pytest.mark.parametrize("n", [1, 7, 16, 63, 64, 65, 200])
def test_loads_backwards(n: int, kind: str) -> None:
    """Each element plus the one that mirrors it, for arrays of a page of their own: nothing beside them is read."""
    mirrored = Affine((("i", -1),), Expr("-", ("n", 1)))
    buffers = (Buffer("x", kind, ("n",), Role.IN), Buffer("y", kind, ("n",), Role.OUT))
    body = (
        Load("a", "x", (at("i"),)),
        Load("b", "x", (mirrored,)),
        Compute("c", "logical_xor" if kind == "b1" else "maximum", ("a", "b"), kind),
        Store("y", (at("i"),), "c"),
    )
    call = build(Kernel("mirror", buffers, (Loop("i", "n", body),))).call
    x = np.random.default_rng(1).integers(0, 2 if kind == "b1" else 100, n).astype(kind)
    want = x ^ x[::-1] if kind == "b1" else np.maximum(x, x[::-1])
    np.testing.assert_array_equal(call(x), want)
