"""Short rows that are added to sums in memory, some at a time: the same sums and results for any number of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert._tree import flatten

pytest.importorskip("llvmlite")
from wengert.compile.llvm.frame import dtypes_of
from wengert.compile.llvm.plan import Planner
from wengert.compile.llvm.rows_together import ROWS, put_together
from wengert.compile.llvm.target import Target
from wengert.compile.nest import Acc, Affine, Buffer, Compute, Iota, Kernel, Load, Loop, Role, Statement, Store, at
from wengert.compile.runtime import linking
from wengert.compile.runtime.build import build


def kernel(columns: int, dtype: str = "f4", *, more: tuple[Statement, ...] = (), vector: bool | None = None) -> Kernel:
    """Rows' sums, a result of their shape, and two sums over rows: of the rows, and of what each adds as often."""
    row = (
        Load("a", "x", (at("i"), at("j"))),
        Load("w", "row", (at("j"),)),
        Compute("b", "mul", ("a", "w"), dtype),
        Compute("c", "add", ("b", "k"), dtype),
        Store("y", (at("i"), at("j")), "c"),
        Store("sums", (at("j"),), "c", add=True),
        Store("weights", (at("j"),), "w", add=True),
        Store("count", (at("j"),), 1.0, add=True),
        *more,
    )
    rows = Loop(
        "i",
        "n",
        (
            Iota("place", at("i")),
            Compute("number", "cast", ("place",), dtype),
            Load("v", "column", (at("i"),)),
            Compute("k", "mul", ("v", "number"), dtype),
            Loop("j", columns, row, accs=(Acc("s", "sum", "c"), Acc("m", "max", "b"), Acc("t", "sum", "w"))),
            Compute("r", "add", ("s", "m"), dtype),
            Compute("q", "add", ("r", "t"), dtype),
            Store("z", (at("i"),), "q"),
        ),
        vector=vector,
    )
    zeros = [Store(name, (at("c"),), 0.0) for name in ("sums", "weights", "count")]
    buffers = (
        Buffer("x", dtype, ("n", columns), Role.IN),
        Buffer("row", dtype, (columns,), Role.IN),
        Buffer("column", dtype, ("n",), Role.IN),
        Buffer("y", dtype, ("n", columns), Role.OUT),
        Buffer("z", dtype, ("n",), Role.OUT),
        *[Buffer(name, dtype, (columns,), Role.OUT) for name in ("sums", "weights", "count")],
    )
    return Kernel("rows", buffers, (Loop("c", columns, tuple(zeros)), rows))


def together(made: Kernel) -> int:
    """How many loops go some rows at a time."""
    plan = Planner(made, Target(64)).plan
    put_together(made, plan, dtypes_of(made))
    return len(plan.together)


@pytest.mark.parametrize("target", [None, Target(16, fma=False), Target(32), Target(64)], ids=str)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("columns", [17, 32, 33, 100])
def test_any_number_of_rows(columns: int, dtype: str, target: Target | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if target is not None:
        monkeypatch.setattr(linking, "host_target", lambda: target)
    made = kernel(columns, dtype)
    assert together(made) == 1
    run = build(made)
    for n in (*range(2 * ROWS + 2), 64):
        rng = np.random.default_rng(n)
        # whole numbers, so that every sum is exact
        x, row, column = [rng.integers(-9, 9, shape).astype(dtype) for shape in ((n, columns), (columns,), (n,))]
        y, z, sums, weights, count = run(x, row, column)
        want = x * row + (column * np.arange(n, dtype=dtype))[:, None]
        np.testing.assert_array_equal(y, want)
        largest = (x * row).max(1) if n else np.zeros(0)
        np.testing.assert_array_equal(z, want.sum(1) + largest + row.sum())
        np.testing.assert_array_equal(sums, want.sum(0))
        np.testing.assert_array_equal(weights, row * n)
        np.testing.assert_array_equal(count, np.full(columns, n))


def test_not_where_rows_wait_for_each_other() -> None:
    before = Load("l", "y", (at("i", 1, -1), at("j")), outside=0.0)
    assert together(kernel(100, more=(before,))) == 0  # what the row before has stored
    assert together(kernel(100, more=(Load("l", "sums", (at("j"),)),))) == 0  # a sum as it stands
    assert together(kernel(100, more=(Store("z", (Affine(),), "c"),))) == 0  # where others store
    assert together(kernel(100, vector=False)) == 0
    assert together(kernel(100)) == 1


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("rows", [1024, 1025, 1026, 1027, 1091])
def test_gradients_of_what_is_summed_both_ways(rows: int, dtype: str) -> None:
    rng = np.random.default_rng(rows)
    x, row, column = [
        torch.tensor(rng.standard_normal(shape).astype(dtype)) for shape in ((rows, 100), (100,), (rows, 1))
    ]

    def f(x: Any, row: Any, column: Any) -> Any:
        y = torch.tanh(x * row + column)
        return (y * x).sum(0).square().sum() + y.sum(1).square().sum()

    derivatives = torch.func.grad_and_value(f, (0, 1, 2))
    exact = derivatives(*[v.double() for v in (x, row, column)])
    compiled = torch.compile(derivatives)(x, row, column)
    for got, want in zip(flatten(compiled)[0], flatten(exact)[0], strict=True):
        scale = float(want.abs().max())
        np.testing.assert_allclose(got, want, rtol=0, atol=scale * (2e-6 if dtype == "f4" else 1e-13))


def test_the_same_bits_on_any_number_of_threads() -> None:
    x = torch.tensor(np.random.default_rng(0).standard_normal((20_003, 100)).astype("f4"))
    f, before, found = torch.compile(lambda x: ((x * 1.5).sum(0), x.exp().sum(1), x * 2)), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append([y.numpy().tobytes() for y in f(x)])
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]
