"""Kernels as data: their text, and that what is malformed is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert
from wengert._records import replace
from wengert.compile.llvm.places import product, total
from wengert.compile.nest import (
    Acc,
    Affine,
    Buffer,
    Carry,
    Compute,
    Expr,
    If,
    Indirect,
    Iota,
    Kernel,
    Load,
    Loop,
    Phi,
    Role,
    Store,
    at,
)
from wengert.compile.nest_check import MalformedKernel, check_kernel
from wengert.compile.nest_text import kernel_text
from wengert.compile.runtime.build import evaluate

X = Buffer("x", "f4", ("n", "m"), Role.IN)
Y = Buffer("y", "f4", ("n",), Role.OUT)
LOAD = Load("a", "x", (at("i"), at("j")))
INNER = Loop("j", "m", (LOAD, Compute("b", "exp", ("a",), "f4")), accs=(Acc("s", "sum", "b"),))
OUTER = Loop("i", "n", (INNER, Store("y", (at("i"),), "s")), parallel=True)
SOUND = Kernel("rows", (X, Y), (OUTER,))


def test_text() -> None:
    assert kernel_text(SOUND).splitlines() == [
        "rows(in x: f32[n, m], out y: f32[n])",
        "    parallel for i in 0..n:",
        "        for j in 0..m:",
        "            a = x[i, j]",
        "            b = exp(a)",
        "            s = sum(b)",
        "        y[i] = s",
    ]


def test_text_of_everything_else() -> None:
    half = Expr("//", (Expr("+", ("n", 1)), 2))
    body = (
        Iota("k", Affine((("i", 2),), 1)),
        Load("p", "q", (at("i"),)),
        Load("a", "x", (Indirect("p"), at("i", -1, Expr("-", ("m", 1)))), outside=0.5),
        Compute("g", "gt", ("a", "h"), "b1"),
        If("g", (Compute("u", "neg", ("a",), "f4"),), (), (Phi("v", "u", 1.0, "f4"),)),
        Compute("w", "clamp", ("v",), "f4", (("min", 0.0), ("max", None))),
        Compute("d", "cast", ("w",), "f8"),
        Store("y", (at("i"),), "w", add=True),
    )
    loop = Loop("i", half, body, carries=(Carry("h", 0.0, "w", "end", "f4"),))
    q = Buffer("q", "i8", (half,), Role.IN)
    flat = Buffer("f", "f4", (half,), Role.IN, alias="q")
    kernel = Kernel("all", (replace(X, strided=True), q, flat, Y), (loop,))
    check_kernel(kernel)
    assert kernel_text(kernel).splitlines() == [
        "all(in x: f32[n, m] strided, in q: i64[(n + 1) // 2], in f: f32[(n + 1) // 2] = q, out y: f32[n])",
        "    h = 0.0",
        "    for i in 0..((n + 1) // 2):",
        "        k = 2*i + 1",
        "        p = q[i]",
        "        a = x[p, -i + m - 1], or 0.5 outside",
        "        g = a > h",
        "        if g:",
        "            u = neg(a)",
        "            v = u",
        "        else:",
        "            v = 1.0",
        "        w = clamp(v, min=0.0, max=None)",
        "        d = f64(w)",
        "        y[i] += w",
        "        h = w",
        "    end = h",
    ]


def body(*statements: Any, **options: Any) -> Kernel:
    return Kernel("k", (X, Y), (Loop("i", "n", statements, **options),))


WRONG = {
    "the value z is not known here": body(Store("y", (at("i"),), "z")),
    "the value s is not known here": body(Store("y", (at("i"),), "s"), INNER),
    "the value b is not known here": body(INNER, Store("y", (at("i"),), "b")),
    "the name b is given twice": body(INNER, Compute("b", "neg", ("s",), "f4")),
    "there is no buffer q": body(Load("a", "q", ())),
    "1 indices for a buffer with 2 axes": body(Load("a", "x", (at("i"),))),
    "no loop around it runs over j": body(LOAD),
    "the axis i is that of a loop around it": body(Loop("i", "m", ())),
    "the size k is no axis of an argument": body(Loop("j", "k", ())),
    "read only is written to": body(Store("x", (at("i"), at()), 1.0)),
    "there is no accumulator 'mean'": body(INNER, accs=(Acc("t", "mean", "s"),)),
    "any of f4": body(INNER, accs=(Acc("t", "any", "s"),)),
    "the arguments have the dtypes f4, i8": body(
        INNER, Iota("k", at("i")), Compute("z", "add", ("s", "k"), "f4"), Store("y", (at("i"),), "z")
    ),
    "the arguments have the dtype i8": body(Iota("k", at("i")), Compute("z", "add", ("k", 1), "f4")),
    "the value k has the dtype i8, not f4": body(Iota("k", at("i")), Store("y", (at("i"),), "k")),
    "the condition is not a bool": body(INNER, Compute("z", "where", ("s", 1.0, 2.0), "f4")),
    "the index s is no integer": body(INNER, Load("q", "x", (Indirect("s"), at()))),
    "has the dtype 'c8'": Kernel("k", (replace(X, dtype="c8"),), ()),
    "two buffers have the same name": Kernel("k", (X, X), ()),
    "is an alias of z, which does not exist": Kernel("k", (replace(X, alias="z"),), ()),
    "is an alias of x, which has strides of its own": Kernel(
        "k", (replace(X, strided=True), Buffer("f", "f4", (Expr("*", ("n", "m")),), Role.IN, alias="x")), ()
    ),
    "the constant c has no data": Kernel("k", (Buffer("c", "f4", (2,), Role.CONST),), ()),
    "a shape that is not known": Kernel("k", (X, Buffer("t", "f4", ("n",), Role.LOCAL)), ()),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_malformed_is_refused(message: str) -> None:
    with pytest.raises(MalformedKernel, match=r"the kernel k: ") as caught:
        check_kernel(WRONG[message])
    assert message in str(caught.value)


def test_what_is_sound_passes() -> None:
    check_kernel(SOUND)
    constant = Buffer("c", "f4", (2,), Role.CONST, data=np.zeros(2, np.float32))
    check_kernel(Kernel("k", (X, constant), (Load("a", "c", (at(),)),)))


def test_kernels_are_values() -> None:
    """Equal kernels are equal and hash alike: they are keys of caches."""
    again = Kernel("rows", (X, Y), (replace(OUTER),))
    assert again == SOUND
    assert hash(again) == hash(SOUND)
    assert repr(again) == repr(SOUND)
    assert replace(SOUND, name="other") != SOUND


class TestSums:
    """Of sizes, as :func:`total` writes them."""

    @given(st.lists(st.tuples(st.sampled_from(["n", "m", Expr("//", ("n", 3)), 1]), st.integers(-4, 9)), max_size=30))
    def test_are_what_they_say(self, terms: list[Any]) -> None:
        sizes = {"n": 1000, "m": 37}
        whole: Any = 0
        for base, count in terms:
            whole = total(whole, product(base, count))
        assert evaluate(whole, sizes) == sum([count * evaluate(base, sizes) for base, count in terms])
        assert not isinstance(whole, Expr) or len(whole.args) <= 4

    def test_of_sums(self) -> None:
        a, b = total("n", product("m", 3)), total(product("m", -3), 5)
        assert total(a, b) == total("n", 5)
        assert total("n", product("n", -1)) == 0


def test_a_kernel_of_more_than_a_hundred_loops() -> None:
    """Each with memory of its own, and its own work: both are sums over all loops."""
    pytest.importorskip("llvmlite")

    def chain(x: Any) -> Any:
        for _ in range(110):
            x = x - x.mean() * 0.01
        return x

    x = wengert.linspace(0, 1, 200, dtype=wengert.float64)
    assert wengert.allclose(wengert.compile(chain)(x), chain(x), rtol=1e-12)
