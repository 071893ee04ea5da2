"""Loop nests in machine code against NumPy: loops, lanes, reductions, indices, local memory."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")
from hypothesis import given, settings
from hypothesis import strategies as st

from wengert.compile.llvm.layout import layout_of
from wengert.compile.llvm.plan import Planner
from wengert.compile.llvm.target import Target
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
    MatMul,
    Phi,
    Ref,
    Role,
    Store,
    at,
)
from wengert.compile.runtime.build import build, evaluate

LENGTHS = (0, 1, 2, 15, 16, 17, 63, 64, 65, 130, 1000, 100_003)


def random(dtype: str, *shape: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if dtype == "b1":
        return rng.random(shape) < 0.5
    return (
        rng.integers(0 if dtype == "u1" else -50, 100, shape).astype(dtype)
        if dtype[0] in "iu"
        else rng.normal(size=shape).astype(dtype)
    )


def reduction(op: str, dtype: str, n: Any = "n", *, parallel: bool = False) -> Kernel:
    loop = Loop("i", n, (Load("a", "x", (at("i"),)),), accs=(Acc("s", op, "a"),), parallel=parallel)
    result = "i8" if op.startswith("arg") else dtype
    return Kernel(
        "reduction", (Buffer("x", dtype, (n,), Role.IN), Buffer("y", result, (), Role.OUT)), (loop, Store("y", (), "s"))
    )


def two_axes(dtype: str, body: tuple[Any, ...], result: tuple[Any, ...] = ("n", "m")) -> Kernel:
    return Kernel("two", (Buffer("x", dtype, ("n", "m"), Role.IN), Buffer("y", dtype, result, Role.OUT)), body)


class TestElementwise:
    @pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1"])
    def test_every_length_and_dtype(self, dtype: str) -> None:
        body = (Load("a", "x", (at("i"),)), Compute("b", "maximum", ("a", 3), dtype), Store("y", (at("i"),), "b"))
        kernel = Kernel(
            "k", (Buffer("x", dtype, ("n",), Role.IN), Buffer("y", dtype, ("n",), Role.OUT)), (Loop("i", "n", body),)
        )
        call = build(kernel)
        for n in LENGTHS:
            x = random(dtype, n)
            np.testing.assert_array_equal(call(x), np.maximum(x, np.dtype(dtype).type(3)))

    @pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 16, 20, 33, 64, 100, 128])
    def test_lengths_known_beforehand(self, n: int) -> None:
        body = (Load("a", "x", (at("i"),)), Compute("b", "mul", ("a", "a"), "f4"), Store("y", (at("i"),), "b"))
        buffers = (Buffer("x", "f4", (n,), Role.IN), Buffer("y", "f4", (n,), Role.OUT))
        x = random("f4", n)
        np.testing.assert_array_equal(build(Kernel("k", buffers, (Loop("i", n, body),)))(x), x * x)

    def test_nothing_is_written_beyond_the_end(self) -> None:
        body = (Load("a", "x", (at("i"),)), Compute("b", "add", ("a", 1.0), "f4"), Store("x", (at("i"),), "b"))
        call = build(Kernel("k", (Buffer("x", "f4", ("n",), Role.INOUT),), (Loop("i", "n", body),)))
        for n in range(70):
            whole = np.zeros(100, np.float32)
            assert call(whole[:n]) is None
            assert whole.sum() == n
            assert whole[n:].sum() == 0

    def test_scalars_without_a_loop(self) -> None:
        body = (
            Load("a", "x", ()),
            Load("b", "w", ()),
            Compute("c", "mul", ("a", "b"), "f8"),
            Compute("d", "tanh", ("c",), "f8"),
            Store("y", (), "d"),
        )
        buffers = (Buffer("x", "f8", (), Role.IN), Buffer("w", "f8", (), Role.IN), Buffer("y", "f8", (), Role.OUT))
        got = build(Kernel("k", buffers, body))(np.array(0.3), np.array(2.0))
        assert got.shape == ()
        assert got == pytest.approx(math.tanh(0.6), rel=1e-15)

    def test_several_results_of_several_dtypes(self) -> None:
        body = (
            Load("a", "x", (at("i"),)),
            Compute("p", "gt", ("a", 0.0), "b1"),
            Compute("h", "cast", ("a",), "f8"),
            Compute("k", "cast", ("a",), "i4"),
            Compute("r", "where", ("p", "a", 0.0), "f4"),
            *[Store(name, (at("i"),), value) for name, value in (("y0", "p"), ("y1", "h"), ("y2", "k"), ("y3", "r"))],
        )
        outs = tuple(Buffer(f"y{i}", dtype, ("n",), Role.OUT) for i, dtype in enumerate(("b1", "f8", "i4", "f4")))
        call = build(Kernel("k", (Buffer("x", "f4", ("n",), Role.IN), *outs), (Loop("i", "n", body),)))
        x = random("f4", 77) * 10
        for got, want in zip(call(x), (x > 0, x.astype("f8"), x.astype("i4"), np.maximum(x, 0)), strict=True):
            np.testing.assert_array_equal(got, want)
            assert got.dtype == want.dtype


class TestReductions:
    @pytest.mark.parametrize("parallel", [False, True])
    @pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8"])
    @pytest.mark.parametrize("op", ["sum", "prod", "max", "min"])
    def test_of_all_elements(self, op: str, dtype: str, parallel: bool) -> None:
        call = build(reduction(op, dtype, parallel=parallel))
        for n in LENGTHS[1:]:
            x = random(dtype, n)
            if op == "prod":
                x = x * x.dtype.type(0.01) + 1 if dtype[0] == "f" else x | 1
            if op == "sum" and dtype[0] == "f":
                exact = math.fsum(x.astype("f8"))
                assert abs(float(call(x)) - exact) <= np.abs(x).sum(dtype="f8") * np.finfo(dtype).eps
            elif op == "prod" and dtype[0] == "f":
                np.testing.assert_allclose(call(x), np.prod(x.astype("f8")), rtol=1e-4 if dtype == "f4" else 1e-12)
            else:
                want = getattr(np, op)(x) if op in ("max", "min") else getattr(np, op)(x, dtype=dtype)
                np.testing.assert_array_equal(call(x), want)

    @pytest.mark.parametrize("n", [1, 5, 16, 40, 64, 100, 5000])
    def test_of_known_length(self, n: int) -> None:
        x = random("f4", n)
        assert build(reduction("sum", "f4", n))(x) == pytest.approx(math.fsum(x), rel=1e-6, abs=1e-6)
        assert build(reduction("max", "f4", n))(x) == x.max()

    @pytest.mark.parametrize("op", ["any", "all"])
    def test_truth(self, op: str) -> None:
        call = build(reduction(op, "b1"))
        for n in (0, 1, 20, 100):
            for x in (np.zeros(n, bool), np.ones(n, bool), random("b1", n)):
                assert call(x) == getattr(np, op)(x)

    @pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
    @pytest.mark.parametrize("op", ["argmax", "argmin"])
    def test_place_of_the_best(self, op: str, dtype: str) -> None:
        call = build(reduction(op, dtype))
        for n in (1, 2, 17, 1000):
            x = random(dtype, n, seed=n)
            assert call(x) == getattr(np, op)(x)
        if dtype[0] == "f":
            x = np.array([1.0, np.nan, 5.0, np.nan], dtype)
            assert call(x) == 1
            assert call(np.full(5, -np.inf, dtype)) == 0

    def test_empty_and_signed_zeros(self) -> None:
        total, product = build(reduction("sum", "f8")), build(reduction("prod", "f8"))
        empty = np.empty(0)
        assert total(empty) == 0
        assert not np.signbit(total(empty))
        assert product(empty) == 1
        for n in (1, 3, 20, 5000):
            assert not np.signbit(total(np.full(n, -0.0)))  # as NumPy's and PyTorch's
            assert not np.signbit(total(np.array([-0.0] * n + [0.0])))

    @pytest.mark.parametrize("n", [3, 200, 50_000])
    def test_nan_and_infinity_pass_through(self, n: int) -> None:
        for dtype in ("f4", "f8"):
            for position in (0, n // 2, n - 1):
                x = random(dtype, n)
                x[position] = np.inf
                assert build(reduction("sum", dtype))(x) == np.inf
                x[(position + 1) % n] = np.nan
                for op in ("sum", "max", "min", "prod"):
                    assert np.isnan(build(reduction(op, dtype))(x)), op

    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    def test_error_of_a_long_sum(self, dtype: str) -> None:
        """At least as accurate as NumPy's pairwise sum."""
        x = random(dtype, 1_000_000) + np.dtype(dtype).type(1)
        exact = math.fsum(x.astype("f8"))
        got, numpy = float(build(reduction("sum", dtype))(x)), float(x.sum())
        assert abs(got - exact) <= max(abs(numpy - exact), abs(exact) * np.finfo(dtype).eps / 2)

    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    @pytest.mark.parametrize("shape", [(3, 4), (0, 5), (5, 0), (1, 1), (100, 70), (700, 333), (300, 1), (2, 1000)])
    def test_over_rows_and_columns(self, shape: tuple[int, int], dtype: str) -> None:
        x = random(dtype, *shape)
        load = Load("a", "x", (at("i"), at("j")))
        over_j = Loop("j", "m", (load,), accs=(Acc("s", "sum", "a"),))
        over_i = Loop("i", "n", (load,), accs=(Acc("s", "sum", "a"),))
        rows = two_axes(dtype, (Loop("i", "n", (over_j, Store("y", (at("i"),), "s")), parallel=True),), ("n",))
        columns = two_axes(dtype, (Loop("j", "m", (over_i, Store("y", (at("j"),), "s")), parallel=True),), ("m",))
        for kernel, axis in ((rows, 1), (columns, 0)):
            want = x.astype("f8").sum(axis)
            scale = np.abs(x.astype("f8")).sum(axis) + 1e-30
            assert np.all(np.abs(build(kernel)(x) - want) <= 2 * np.finfo(dtype).eps * scale)

    def test_softmax_in_one_loop_over_rows(self) -> None:
        load = Load("a", "x", (at("i"), at("j")))
        body = (
            Loop("j", "m", (load,), accs=(Acc("top", "max", "a"),)),
            Loop(
                "k",
                "m",
                (
                    Load("b", "x", (at("i"), at("k"))),
                    Compute("c", "sub", ("b", "top"), "f8"),
                    Compute("e", "exp", ("c",), "f8"),
                    Store("y", (at("i"), at("k")), "e"),
                ),
                accs=(Acc("s", "sum", "e"),),
            ),
            Loop(
                "l",
                "m",
                (
                    Load("f", "y", (at("i"), at("l"))),
                    Compute("g", "div", ("f", "s"), "f8"),
                    Store("y", (at("i"), at("l")), "g"),
                ),
            ),
        )
        call = build(two_axes("f8", (Loop("i", "n", body, parallel=True),)))
        for shape in ((0, 3), (1, 1), (5, 10), (300, 77)):
            x = random("f8", *shape)
            e = np.exp(x - x.max(1, keepdims=True))
            np.testing.assert_allclose(call(x), e / e.sum(1, keepdims=True), rtol=1e-14)


class TestPlaces:
    def test_movement_is_index_arithmetic(self) -> None:
        n, m = 37, 21
        x = random("f4", n, m)
        last = Expr("-", ("m", 1))
        cases = {
            "transpose": ((at("i"), at("j")), ("m", "n"), (at("j"), at("i")), x.T),
            "flip": ((at("i"), at("j", -1, last)), ("n", "m"), (at("i"), at("j")), x[:, ::-1]),
            "broadcast": ((at("i"), at(None, offset=2)), ("n", "m"), (at("i"), at("j")), np.repeat(x[:, 2:3], m, 1)),
        }
        for name, (source, shape, target, want) in cases.items():
            body = Loop("i", "n", (Loop("j", "m", (Load("a", "x", source), Store("y", target, "a"))),), parallel=True)
            np.testing.assert_array_equal(build(two_axes("f4", (body,), shape))(x), want, err_msg=name)

    def test_slices_with_a_step(self) -> None:
        half = Expr("//", (Expr("-", ("n", 1)), 3))
        body = (Load("a", "x", (at("i", 3, 1),)), Store("y", (at("i"),), "a"))
        buffers = (Buffer("x", "f4", ("n",), Role.IN), Buffer("y", "f4", (half,), Role.OUT))
        call = build(Kernel("k", buffers, (Loop("i", half, body),)))
        x = random("f4", 100)
        np.testing.assert_array_equal(call(x), x[1::3][:33])

    def test_padding(self) -> None:
        wide = Expr("+", ("n", 5))
        body = (Load("a", "x", (at("i", 1, -2),), outside=7.0), Store("y", (at("i"),), "a"))
        buffers = (Buffer("x", "f8", ("n",), Role.IN), Buffer("y", "f8", (wide,), Role.OUT))
        call = build(Kernel("k", buffers, (Loop("i", wide, body),)))
        for n in (0, 1, 40, 203):
            x = random("f8", n)
            np.testing.assert_array_equal(call(x), np.pad(x, (2, 3), constant_values=7.0))

    def test_a_reshape_is_another_name(self) -> None:
        flat = Expr("*", ("n", "m"))
        buffers = (
            Buffer("x", "f4", ("n", "m"), Role.IN),
            Buffer("flat", "f4", (flat,), Role.IN, alias="x"),
            Buffer("y", "f4", (flat,), Role.OUT),
        )
        body = (Load("a", "flat", (at("i"),)), Compute("b", "neg", ("a",), "f4"), Store("y", (at("i"),), "b"))
        x = random("f4", 7, 9)
        np.testing.assert_array_equal(build(Kernel("k", buffers, (Loop("i", flat, body),)))(x), -x.ravel())

    def test_gather_and_scatter_add(self) -> None:
        gather = (Load("p", "k", (at("i"),)), Load("a", "x", (Indirect("p"),)), Store("y", (at("i"),), "a"))
        buffers = (
            Buffer("x", "f8", ("n",), Role.IN),
            Buffer("k", "i8", ("m",), Role.IN),
            Buffer("y", "f8", ("m",), Role.OUT),
        )
        x, places = random("f8", 50), np.random.default_rng(0).integers(-50, 50, 203)
        np.testing.assert_array_equal(build(Kernel("g", buffers, (Loop("i", "m", gather),)))(x, places), x[places])
        scatter = (Load("p", "k", (at("i"),)), Load("a", "v", (at("i"),)), Store("x", (Indirect("p"),), "a", add=True))
        buffers = (
            Buffer("k", "i8", ("m",), Role.IN),
            Buffer("v", "f8", ("m",), Role.IN),
            Buffer("x", "f8", ("n",), Role.INOUT),
        )
        values, want = random("f8", 203, seed=1), x.copy()
        np.add.at(want, places, values)
        build(Kernel("s", buffers, (Loop("i", "m", scatter),)))(places, values, x)
        np.testing.assert_allclose(x, want, rtol=1e-13)

    def test_index_as_a_value(self) -> None:
        body = (
            Iota("p", Affine((("i", 2),), 1)),
            Compute("q", "cast", ("p",), "f4"),
            Load("a", "x", (at("i"),)),
            Compute("b", "mul", ("a", "q"), "f4"),
            Store("y", (at("i"),), "b"),
        )
        buffers = (Buffer("x", "f4", ("n",), Role.IN), Buffer("y", "f4", ("n",), Role.OUT))
        x = random("f4", 45)
        want = x * (2 * np.arange(45) + 1).astype("f4")
        np.testing.assert_array_equal(build(Kernel("k", buffers, (Loop("i", "n", body),)))(x), want)

    def test_arguments_with_strides_of_their_own(self) -> None:
        body = (
            Loop(
                "i", "n", (Loop("j", "m", (Load("a", "x", (at("i"), at("j"))), Store("y", (at("i"), at("j")), "a"))),)
            ),
        )
        buffers = (Buffer("x", "f8", ("n", "m"), Role.IN, strided=True), Buffer("y", "f8", ("n", "m"), Role.OUT))
        call = build(Kernel("k", buffers, body))
        x = random("f8", 30, 40)
        for view in (x, x.T, x[::2, ::-3], np.broadcast_to(x[:1], (5, 40)), x[3:3]):
            np.testing.assert_array_equal(call(view), view)

    def test_arguments_out_of_order_are_copied(self) -> None:
        body = (
            Loop(
                "i", "n", (Loop("j", "m", (Load("a", "x", (at("i"), at("j"))), Store("y", (at("i"), at("j")), "a"))),)
            ),
        )
        call = build(two_axes("f8", body))
        x = random("f8", 30, 40)
        for view in (x.T, x[::2], x[:, 1:]):
            np.testing.assert_array_equal(call(view), view)


class TestStructure:
    def test_local_memory_of_each_iteration(self) -> None:
        """A small matrix-vector product for each item of a batch: the batch becomes lanes."""
        n = 3
        body = (
            Loop("r", n, (Store("t", (at("r"),), 0.0),)),
            Loop(
                "r2",
                n,
                (
                    Loop(
                        "c",
                        n,
                        (
                            Load("m", "a", (at("i"), at("r2"), at("c"))),
                            Load("v", "x", (at("i"), at("c"))),
                            Compute("p", "mul", ("m", "v"), "f8"),
                            Store("t", (at("r2"),), "p", add=True),
                        ),
                    ),
                ),
            ),
            Loop("r3", n, (Load("s", "t", (at("r3"),)), Store("y", (at("i"), at("r3")), "s"))),
        )
        buffers = (
            Buffer("a", "f8", ("b", n, n), Role.IN),
            Buffer("x", "f8", ("b", n), Role.IN),
            Buffer("y", "f8", ("b", n), Role.OUT),
            Buffer("t", "f8", (n,), Role.LOCAL),
        )
        call = build(Kernel("k", buffers, (Loop("i", "b", body, parallel=True),)))
        for batch in (0, 1, 7, 100):
            a, x = random("f8", batch, n, n), random("f8", batch, n, seed=1)
            np.testing.assert_allclose(call(a, x), np.einsum("bij,bj->bi", a, x), rtol=1e-13, atol=1e-14)

    @pytest.mark.parametrize("steps", ["m", 40])
    def test_local_memory_across_a_loop_that_stays(self, steps: Any) -> None:
        """Sums kept in local memory while a loop runs that is not unrolled."""
        body = (
            Loop("r", 2, (Store("t", (at("r"),), 0.0),)),
            Loop("j", steps, (
                Load("a", "x", (at("i"), at("j"))),
                Compute("b", "mul", ("a", "a"), "f8"),
                Store("t", (at(),), "a", add=True),
                Store("t", (at(None, offset=1),), "b", add=True),
            )),
            Loop("r2", 2, (Load("s", "t", (at("r2"),)), Store("y", (at("i"), at("r2")), "s"))),
        )  # fmt: skip
        buffers = (
            Buffer("x", "f8", ("n", steps), Role.IN),
            Buffer("y", "f8", ("n", 2), Role.OUT),
            Buffer("t", "f8", (2,), Role.LOCAL),
        )
        for lanes in (None, True, False):
            call = build(Kernel("k", buffers, (Loop("i", "n", body, vector=lanes),)))
            x = random("f8", 33, 40)
            np.testing.assert_allclose(call(x), np.stack([x.sum(1), (x * x).sum(1)], 1), rtol=1e-12, atol=1e-13)

    @pytest.mark.parametrize("n", ["n", 12])
    def test_values_carried_along(self, n: Any) -> None:
        """A linear recurrence: y[t] = a[t] * y[t - 1] + x[t]."""
        body = (
            Load("a", "a", (at("t"),)),
            Load("x", "x", (at("t"),)),
            Compute("p", "mul", ("a", "h"), "f8"),
            Compute("q", "add", ("p", "x"), "f8"),
            Store("y", (at("t"),), "q"),
        )
        loop = Loop("t", n, body, carries=(Carry("h", 0.5, "q", "end", "f8"),), accs=(Acc("top", "max", "q"),))
        outs = (Buffer("y", "f8", (n,), Role.OUT), Buffer("e", "f8", (), Role.OUT), Buffer("m", "f8", (), Role.OUT))
        kernel = Kernel(
            "k",
            (Buffer("a", "f8", (n,), Role.IN), Buffer("x", "f8", (n,), Role.IN), *outs),
            (loop, Store("e", (), "end"), Store("m", (), "top")),
        )
        a, x = random("f8", 12), random("f8", 12, seed=1)
        h, want = 0.5, []
        for i in range(12):
            h = a[i] * h + x[i]
            want.append(h)
        y, end, top = build(kernel)(a, x)
        np.testing.assert_allclose(y, want, rtol=1e-14)
        assert (end, top) == (y[-1], y.max())

    def test_branches(self) -> None:
        load = Load("a", "x", (at("i"),))
        branch = If(
            "big",
            (Compute("d", "sqrt", ("a",), "f8"),),
            (Compute("e", "neg", ("a",), "f8"),),
            (Phi("r", "d", "e", "f8"),),
        )
        body = (load, Compute("big", "gt", ("a", 1.0), "b1"), branch, Store("y", (at("i"),), "r"))
        buffers = (Buffer("x", "f8", ("n",), Role.IN), Buffer("y", "f8", ("n",), Role.OUT))
        x = random("f8", 50) * 3
        with np.errstate(invalid="ignore"):
            want = np.where(x > 1, np.sqrt(x), -x)
        np.testing.assert_array_equal(build(Kernel("k", buffers, (Loop("i", "n", body),)))(x), want)

    @pytest.mark.parametrize("n", [10, 1000, 200_000])
    def test_loops_in_sequence_with_memory_between(self, n: int) -> None:
        """Mean and deviation: a sum, a loop that uses it and keeps what it finds, another sum."""
        first = Loop("i", "n", (Load("a", "x", (at("i"),)),), accs=(Acc("s", "sum", "a"),), parallel=True)
        second = Loop(
            "j",
            "n",
            (
                Load("b", "x", (at("j"),)),
                Compute("c", "sub", ("b", "mean"), "f8"),
                Store("t", (at("j"),), "c"),
                Compute("d", "mul", ("c", "c"), "f8"),
            ),
            accs=(Acc("v", "sum", "d"),),
            parallel=True,
        )
        third = Loop(
            "k",
            "n",
            (Load("e", "t", (at("k"),)), Compute("f", "div", ("e", "root"), "f8"), Store("y", (at("k"),), "f")),
            parallel=True,
        )
        body = (
            first,
            Load("n", "count", ()),
            Compute("mean", "div", ("s", "n"), "f8"),
            second,
            Compute("root", "sqrt", ("v",), "f8"),
            third,
        )
        buffers = (
            Buffer("x", "f8", ("n",), Role.IN),
            Buffer("count", "f8", (), Role.IN),
            Buffer("t", "f8", ("n",), Role.TEMP),
            Buffer("y", "f8", ("n",), Role.OUT),
        )
        x = random("f8", n)
        centred = x - x.mean()
        got = build(Kernel("k", buffers, body))(x, np.array(float(n)))
        np.testing.assert_allclose(got, centred / np.sqrt((centred**2).sum()), rtol=1e-9, atol=1e-12)


def test_memory_between_loops_is_used_again() -> None:
    """A chain of loops, each reading what the last has written, needs two buffers."""
    names = ["x", *[f"t{k}" for k in range(6)], "y"]
    body = []
    for k, (source, target) in enumerate(pairwise(names)):
        axis, value, result = f"i{k}", f"a{k}", f"b{k}"
        load, store = Load(value, source, (at(axis),)), Store(target, (at(axis),), result)
        body.append(Loop(axis, "n", (load, Compute(result, "add", (value, 1.0), "f8"), store)))
    roles = [Role.IN, *[Role.TEMP] * 6, Role.OUT]
    buffers = tuple(Buffer(name, "f8", ("n",), role) for name, role in zip(names, roles, strict=True))
    kernel = Kernel("chain", buffers, tuple(body))
    layout = layout_of(kernel, Planner(kernel, Target()).plan)
    offsets, end = layout.offsets, layout.arena
    assert len({repr(offset) for offset in offsets.values()}) == 2
    assert evaluate(end, {"n": 8}) == 128
    for n in (1, 50_000):
        np.testing.assert_array_equal(build(kernel)(np.arange(float(n))), np.arange(float(n)) + 7)


class TestMatrixProducts:
    """Products inside of kernels, by calls and by loops."""

    @staticmethod
    def kernel(dtype: str, sizes: tuple[Any, Any, Any], *, turn_a: bool, turn_b: bool, add: bool) -> Kernel:
        m, n, k = sizes
        shape_a, shape_b = ((k, m) if turn_a else (m, k)), ((n, k) if turn_b else (k, n))
        buffers = (
            Buffer("a", dtype, shape_a, Role.IN),
            Buffer("b", dtype, shape_b, Role.IN),
            Buffer("y", dtype, (m, n), Role.INOUT if add else Role.OUT),
            Buffer("s", dtype, (k, m, n), Role.IN),
        )
        start = (at(), at())
        steps_a, steps_b = ((1, m) if turn_a else (k, 1)), ((1, k) if turn_b else (n, 1))
        refs = (Ref("y", start, n), Ref("a", start, *steps_a), Ref("b", start, *steps_b))
        return Kernel("product", buffers, (MatMul(*refs, m, n, k, dtype, add, 0.25 if add else 1.0),))

    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    @pytest.mark.parametrize("add", [False, True])
    @pytest.mark.parametrize(("turn_a", "turn_b"), [(False, False), (True, False), (False, True), (True, True)])
    def test_against_numpy(self, turn_a: bool, turn_b: bool, add: bool, dtype: str) -> None:
        for known, sizes in (
            (False, (40, 33, 70)),
            (True, (3, 5, 4)),
            (False, (0, 3, 2)),
            (False, (3, 2, 0)),
            (True, (30, 40, 20)),
        ):
            m, n, k = sizes
            call = build(self.kernel(dtype, sizes if known else ("m", "n", "k"), turn_a=turn_a, turn_b=turn_b, add=add))
            a, b = random(dtype, m, k), random(dtype, k, n, seed=1)
            given = [x.T.copy() if turn else x for x, turn in ((a, turn_a), (b, turn_b))]
            held = random(dtype, m, n, seed=2)
            want = a.astype("f8") @ b.astype("f8") * (0.25 if add else 1) + (held if add else 0)
            extra = np.empty((k, m, n), dtype)
            got = held.copy()
            if add:
                assert call(*given, got, extra) is None
            else:
                got = call(*given, extra)
            scale = np.abs(a.astype("f8")) @ np.abs(b.astype("f8")) + np.abs(held)
            assert np.all(np.abs(got - want) <= 8 * np.finfo(dtype).eps * scale)

    @pytest.mark.parametrize("size", [6, "h"])
    def test_in_a_recurrence(self, size: Any) -> None:
        """h = tanh(W h + x[t]), with all h on a tape."""
        body = (
            Loop("i", size, (Load("x", "x", (at("t"), at("i"))), Store("z", (at("i"), at()), "x"))),
            MatMul(
                Ref("z", (at(), at()), 1),
                Ref("w", (at(), at()), size),
                Ref("h", (at(), at()), 1),
                size,
                1,
                size,
                "f8",
                add=True,
            ),
            Loop(
                "j",
                size,
                (
                    Load("u", "z", (at("j"), at())),
                    Compute("v", "tanh", ("u",), "f8"),
                    Store("h", (at("j"), at()), "v"),
                    Store("y", (at("t"), at("j")), "v"),
                ),
            ),
        )
        start = Loop("k", size, (Store("h", (at("k"), at()), 0.0),))
        buffers = (
            Buffer("w", "f8", (size, size), Role.IN),
            Buffer("x", "f8", ("n", size), Role.IN),
            Buffer("h", "f8", (size, 1), Role.TEMP),
            Buffer("z", "f8", (size, 1), Role.TEMP),
            Buffer("y", "f8", ("n", size), Role.OUT),
        )
        call = build(Kernel("rnn", buffers, (start, Loop("t", "n", body, vector=False))))
        w, x = random("f8", 6, 6) * 0.3, random("f8", 50, 6, seed=1)
        h, want = np.zeros(6), []
        for row in x:
            h = np.tanh(w @ h + row)
            want.append(h)
        np.testing.assert_allclose(call(w, x), want, rtol=1e-12)


class TestArguments:
    def test_what_does_not_fit_is_refused(self) -> None:
        call = build(two_axes("f4", (Loop("i", "n", (Store("y", (at("i"), at()), 1.0),)),)))
        with pytest.raises(TypeError, match="takes 1 arrays, got 2"):
            call(np.zeros((2, 2), "f4"), np.zeros((2, 2), "f4"))
        with pytest.raises(TypeError, match="should be a float32 array with 2 axes, got float64 with 2"):
            call(np.zeros((2, 2)))
        with pytest.raises(TypeError, match="with 2 axes, got float32 with 1"):
            call(np.zeros(2, "f4"))

    def test_sizes_that_differ_are_refused(self) -> None:
        buffers = (
            Buffer("a", "f8", ("n",), Role.IN),
            Buffer("b", "f8", ("n",), Role.IN),
            Buffer("y", "f8", ("n",), Role.OUT),
        )
        call = build(Kernel("k", buffers, (Loop("i", "n", (Store("y", (at("i"),), 0.0),)),)))
        with pytest.raises(ValueError, match="axis 0 of the argument b should have size 3, got 4"):
            call(np.zeros(3), np.zeros(4))


UNARY = ["neg", "abs", "exp", "tanh", "sin", "floor", "sign"]
BINARY = ["add", "sub", "mul", "maximum", "minimum"]


@st.composite
def nests(draw: st.DrawFn) -> tuple[Kernel, list[tuple[str, tuple[str, ...]]]]:
    """A random elementwise body over two axes of a matrix and a row, and the sums of its values over a random axis."""
    dtype = draw(st.sampled_from(["f4", "f8"]))
    sizes = [draw(st.sampled_from(["n", "m", 1, 3, 16, 20])) for _ in range(2)]
    body: list[Any] = [Load("v0", "x", (at("i"), at("j"))), Load("v1", "w", (at("j"),))]
    steps: list[tuple[str, tuple[str, ...]]] = []
    for _ in range(draw(st.integers(1, 6))):
        names = [f"v{k}" for k in range(len(steps) + 2)]
        op = draw(st.sampled_from(UNARY + BINARY))
        args = tuple(draw(st.sampled_from(names)) for _ in range(1 if op in UNARY else 2))
        body.append(Compute(f"v{len(steps) + 2}", op, args, dtype))
        steps.append((op, args))
    last = f"v{len(steps) + 1}"
    body.append(Store("y", (at("i"), at("j")), last))
    inner, outer = draw(st.permutations(["i", "j"]))
    extent = dict(zip("ij", sizes, strict=True))
    loop = Loop(
        inner,
        extent[inner],
        tuple(body),
        accs=(Acc("s", "sum", last),),
        vector=draw(st.sampled_from([None, True, False])),
    )
    nest = Loop(outer, extent[outer], (loop, Store("r", (at(outer),), "s")), parallel=draw(st.booleans()))
    buffers = (
        Buffer("x", dtype, tuple(sizes), Role.IN),
        Buffer("w", dtype, (sizes[1],), Role.IN),
        Buffer("y", dtype, tuple(sizes), Role.OUT),
        Buffer("r", dtype, (extent[outer],), Role.OUT),
    )
    return Kernel("nest", buffers, (nest,)), steps


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    made=nests(),
    n=st.sampled_from([0, 1, 5, 17, 64, 90]),
    m=st.sampled_from([0, 1, 5, 17, 64, 90]),
    seed=st.integers(0, 9),
)
def test_random_nests(made: tuple[Kernel, list[tuple[str, tuple[str, ...]]]], n: int, m: int, seed: int) -> None:
    kernel, steps = made
    x_buffer, _, _, r_buffer = kernel.buffers
    sizes = {"n": n, "m": m}
    shape = [sizes.get(e, e) for e in x_buffer.shape]  # type: ignore[call-overload]
    x, w = random(x_buffer.dtype, *shape, seed=seed), random(x_buffer.dtype, shape[1], seed=seed + 100)
    y, r = build(kernel)(x, w)
    values: dict[str, Any] = {"v0": x.astype("f8"), "v1": np.broadcast_to(w.astype("f8"), shape)}
    names = {"neg": "negative", "abs": "absolute", "sub": "subtract", "mul": "multiply"}
    with np.errstate(all="ignore"):
        for k, (op, args) in enumerate(steps):
            values[f"v{k + 2}"] = getattr(np, names.get(op, op))(*[values[a] for a in args])
        want = values[f"v{len(steps) + 1}"]
    regular = np.isfinite(want) & (np.abs(want) < 1e6)
    if any(op in ("floor", "sign", "sin") for op, _ in steps):
        return  # a rounding before these may change everything after: the exact comparison is made in one precision
    tolerance = 2e-4 if x_buffer.dtype == "f4" else 1e-11
    np.testing.assert_allclose(y[regular], want[regular], rtol=tolerance, atol=tolerance * 10)
    axis = 1 if r_buffer.shape[0] == x_buffer.shape[0] and kernel.body[0].axis == "i" else 0  # type: ignore[union-attr]
    total, scale = y.astype("f8").sum(axis), np.abs(y.astype("f8")).sum(axis)
    fine = np.isfinite(total) & (scale < 1e30)
    assert np.all(np.abs(r[fine] - total[fine]) <= 4 * np.finfo(x_buffer.dtype).eps * scale[fine] + 1e-300)


def test_rows_at_computed_places_are_loaded_and_added_as_vectors() -> None:
    """The place is the same in all lanes, so neighbours stay neighbours; in a branch as elsewhere."""
    rows = Loop("j", "m", (Load("v", "g", (at("i"), at("j"))), Store("y", (Indirect("p"), at("j")), "v", add=True)))
    good = (Compute("good", "ge", ("p", 0), "b1"), If("good", (rows,), ()))
    buffers = (
        Buffer("index", "i8", ("n",), Role.IN),
        Buffer("g", "f4", ("n", "m"), Role.IN),
        Buffer("y", "f4", ("k", "m"), Role.INOUT),
    )
    loop = Loop("i", "n", (Load("p", "index", (at("i"),)), *good), vector=False)
    kernel = build(Kernel("add_rows", buffers, (loop,)))
    assert "masked.scatter" not in kernel.source
    for m in LENGTHS[1:10]:
        index, g, y = np.array([3, 0, -1, 3, 2]), random("f4", 5, m), random("f4", 4, m, seed=1)
        expected = y.copy()
        for i, place in enumerate(index):
            if place >= 0:
                expected[place] += g[i]
        kernel.call(index, g, y)
        np.testing.assert_array_equal(y, expected)
