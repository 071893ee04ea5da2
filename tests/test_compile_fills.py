"""Numbers that fill: ``fill_``, ``x[i] = n``, ``full`` and the like in compiled functions, also of arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import wengert

FIRST = wengert.tensor([0])
FILLS: dict[str, Callable[[Any, Any], Any]] = {
    "fill_": lambda x, n: x.fill_(n),
    "fill": lambda x, n: x.fill(n) if hasattr(x, "fill") else wengert.fill(x, n),
    "copy_": lambda x, n: x.copy_(x * n),
    "copy_ of a number": lambda x, n: x.copy_(n),
    "clamp_": lambda x, n: x.clamp_(n),
    "everywhere": lambda x, n: x.__setitem__(..., n),
    "at an index": lambda x, n: x.__setitem__(0, n),
    "in a slice": lambda x, n: x.__setitem__(slice(1, None), n * 2),
    "under a mask": lambda x, n: x.__setitem__(x > 1, n),
    "masked_fill_": lambda x, n: x.masked_fill_(x > 1, n),
    "index_fill_": lambda x, n: x.index_fill_(0, FIRST, n),
    "scatter_": lambda x, n: x.scatter_(0, FIRST, n),
    "fill_diagonal_": lambda x, n: x[None].fill_diagonal_(n),
    "full": lambda x, n: x + wengert.full((4,), n),
    "full_like": lambda x, n: x + wengert.full_like(x, n),
    "new_full": lambda x, n: x.new_full((2, 2), n),
    "fill_ of a new tensor": lambda x, n: wengert.empty(3).fill_(n),
}


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("numbers", [(2.0, 1.5, -3.0, 0.25), (2, 1, 3, 7)])
def test_numbers_that_fill_are_traced_twice(name: str, numbers: Any) -> None:
    traces = []

    def function(x: Any, n: Any) -> Any:
        traces.append(name)
        return FILLS[name](x, n)

    compiled = wengert.compile(function)
    for n in numbers:
        x, y = (wengert.tensor([0.5, 1.5, 2.5, 3.5]) for _ in range(2))
        got, expected = compiled(x, n), FILLS[name](y, n)
        assert (got is x) == (expected is y)
        assert (None if got is None else got.tolist()) == (None if expected is None else expected.tolist())
        assert x.tolist() == y.tolist()
    assert len(traces) == 2


@pytest.mark.parametrize("numbers", [(1.0, 2.0, 1e300), (1.0, 2.0, float("inf")), (1, 2, -5), (1.0, 2.0, 7e4)])
@pytest.mark.parametrize("dtype", [wengert.float32, wengert.float16, wengert.int32, wengert.uint8])
def test_numbers_that_do_not_fit(numbers: Any, dtype: Any) -> None:
    outcomes = []
    for f in (FILLS["fill_"], wengert.compile(FILLS["fill_"])):
        found: list[Any] = []
        for n in numbers:
            x = wengert.ones(3, dtype=dtype)
            try:
                found.append((f(x, n).tolist(), x.tolist()))
            except RuntimeError as error:
                found.append(str(error))
        outcomes.append(found)
    assert outcomes[0] == outcomes[1]


def test_zero_of_an_argument() -> None:
    def function(x: Any) -> Any:
        y = x * 2
        x.zero_()
        y[0].fill_(3)
        return y + x

    compiled = wengert.compile(function)
    for _ in range(2):
        x = wengert.ones(3)
        assert compiled(x).tolist() == [3.0, 2.0, 2.0]
        assert x.tolist() == [0.0, 0.0, 0.0]


def test_gradients_around_what_is_filled() -> None:
    def function(x: Any, n: Any) -> Any:
        y = x * n
        y[0] = n
        return (y.masked_fill(x > 2, n) ** 2).sum()

    compiled = wengert.compile(function)
    for n in (2.0, 3.0, 0.5):
        grads = []
        for f in (function, compiled):
            x = wengert.tensor([1.0, 1.5, 3.0], requires_grad=True)
            (g,) = wengert.autograd.grad(f(x, n), x, create_graph=True)
            grads.append((g.tolist(), wengert.autograd.grad(g.sum(), x)[0].tolist()))
        assert grads[0] == grads[1]
