"""Branches and loops by values that are known only when a compiled function runs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.func import cond, fori_loop, grad, scan, while_loop
from wengert.program.parse import parse
from wengert.program.verify import verify

F64 = torch.float64
X = torch.tensor([0.4, 1.3, -0.2], dtype=F64)
W = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.3, 0.1]], dtype=F64)


def same(got: Any, want: Any) -> None:
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12, atol=1e-14)


def chosen(x: Any, w: Any) -> Any:
    y = cond(x.sum() > 0, lambda x: x.sin() * w[0], lambda x: x * x, (x,))
    return (y * x).sum()


def of_containers(x: Any, w: Any) -> Any:
    found = cond(x[0] > 1, lambda: {"a": x * 2, "n": [x.sum() * w[0, 0]]}, lambda: {"a": x, "n": [(w * x).sum()]})
    return found["a"].exp().sum() + found["n"][0]


def one_in_another(x: Any, w: Any) -> Any:
    inner = lambda y: cond(y[1] > 1, lambda: y * w[1], lambda: y.cos())
    return cond(x.sum() > 0, lambda: inner(x), lambda: inner(x * 3).tanh()).sum()


def newton(x: Any, w: Any) -> Any:
    """The root of y^3 = x^2 + 1, step by step."""
    a = (x * x).sum() * w[0, 0] + 1

    def better(n: Any, y: Any) -> Any:
        return n + 1, y - (y**3 - a) / (3 * y * y)

    n, y = while_loop(lambda n, y: ((y**3 - a).abs() > 1e-9) & (n < 50), better, (torch.tensor(0), a * 0 + 1))
    return y * w[1, 0] + n


def of_several(x: Any, w: Any) -> Any:
    def step(y: Any, z: Any) -> Any:
        return y * 0.7 + z.flip(0) * w[0], z * w[1].tanh()

    y, z = while_loop(lambda y, z: y.abs().max() > 0.05, step, (x, x * 2))
    return (y * y).sum() + z.sum()


def counted(x: Any, w: Any) -> Any:
    return fori_loop(3, 30, lambda i, y: (y * w[0]).sin() + y * i * 0.01, x).sum()


def choice_in_a_loop(x: Any, w: Any) -> Any:
    def step(c: Any, row: Any) -> Any:
        c = cond(c.sum() > row, lambda c: c * w[0], lambda c: c + row, (c,))
        return c, c.sum()

    c, ys = scan(step, x, torch.linspace(0, 1, 12, dtype=F64))
    return c.sum() + (ys * ys).sum()


FUNCTIONS = [chosen, of_containers, one_in_another, newton, of_several, counted, choice_in_a_loop]
POINTS = [X, -X, 3 * X]


@pytest.mark.parametrize("f", FUNCTIONS)
class TestCompiled:
    def test_values(self, f: Callable[..., Any]) -> None:
        compiled = torch.compile(f)
        for x in POINTS:
            same(compiled(x, W), f(x, W))
        assert "1 specialisation" in compiled.explain()

    def test_gradients(self, f: Callable[..., Any]) -> None:
        compiled = torch.compile(grad(f, (0, 1)))
        for x in POINTS:
            for got, want in zip(compiled(x, W), grad(f, (0, 1))(x, W), strict=True):
                same(got, want)
        program = compiled.program(X, W)
        verify(program)
        assert parse(str(program)) == program

    def test_backward(self, f: Callable[..., Any]) -> None:
        compiled = torch.compile(f)
        for x in POINTS:
            leaves = [[t.clone().requires_grad_() for t in (x, W)] for _ in range(2)]
            compiled(*leaves[0]).backward()
            f(*leaves[1]).backward()
            for got, want in zip(*leaves, strict=True):
                same(got.grad, want.grad if want.grad is not None else torch.zeros_like(want))


@pytest.mark.parametrize("f", [chosen, of_containers, one_in_another, counted])
def test_second_order(f: Callable[..., Any]) -> None:
    twice = lambda x: grad(lambda x: (grad(f)(x, W) ** 2).sum())(x)
    compiled = torch.compile(twice)
    for x in POINTS:
        same(compiled(x), twice(x))


def test_second_order_through_a_loop_without_a_length_says_what_to_do() -> None:
    with pytest.raises(NotImplementedError, match="fori_loop"):
        torch.compile(lambda x: grad(lambda x: (grad(newton)(x, W) ** 2).sum())(x))(X)


def test_only_the_branch_that_is_taken_runs() -> None:
    f = torch.compile(lambda x: cond(x > 0, torch.log, lambda x: x - 1, (x,)))
    x = torch.tensor(-1.0, requires_grad=True)
    f(x).backward()
    assert x.grad.item() == 1.0  # no NaN of the other one


def test_conditions_that_python_knows_are_none_of_the_program() -> None:
    f = torch.compile(lambda x: cond(True, torch.sin, torch.cos, (x,)))
    assert [e.op.name for e in f.program(X).equations] == ["sin"]
    g = torch.compile(lambda x: fori_loop(0, 3, lambda i, y: y + i, x))
    assert {e.op.name for e in g.program(X).equations} == {"add"}


class TestErrors:
    def test_branches_that_differ(self) -> None:
        with pytest.raises(RuntimeError, match="same shapes"):
            torch.compile(lambda x: cond(x.sum() > 0, lambda: x, lambda: x.sum()))(X)
        with pytest.raises(RuntimeError, match="same containers"):
            torch.compile(lambda x: cond(x.sum() > 0, lambda: x, lambda: (x, x)))(X)

    def test_a_branch_that_writes_outside(self) -> None:
        def f(x: Any) -> Any:
            y = x * 2
            return cond(x.sum() > 0, lambda: y.add_(1), lambda: y)

        with pytest.raises(RuntimeError, match="writes into a tensor from outside"):
            torch.compile(f)(X)

    def test_a_loop_that_carries_a_number(self) -> None:
        with pytest.raises(RuntimeError, match=r"torch.tensor\(0\)"):
            torch.compile(lambda x: while_loop(lambda n, y: y.sum() < 9, lambda n, y: (n + 1, y + 1), (0, x)))(X)


class TestCounts:
    """What Python's numbers and tensors would not do alike runs with Python's numbers."""

    @pytest.mark.parametrize(
        "step",
        [
            lambda i, y: y * (i / 3),
            lambda i, y: y * 2.0**-i,
            lambda i, y: y + (1 if i % 2 else 2),
            lambda i, y: torch.cat([y, y[:1]])[1:] + i,
        ],
    )
    def test_steps(self, step: Callable[[Any, Any], Any]) -> None:
        f = lambda x: fori_loop(0, 12, step, x)
        same(torch.compile(f)(X), f(X))


@pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs the extra [jit]")
def test_what_a_branch_runs_can_be_looked_at() -> None:
    f = torch.compile(lambda x: cond(x.sum() > 0, lambda: x.sin(), lambda: x.cos()))
    f(X)
    assert "from kernel to kernel, one step after the other: cond" in f.explain()
    text = f.loops(X)
    assert text.index("then:") < text.index("sin(") < text.index("other:") < text.index("cos(")
    assert f.llvm(X).count("define i32") == 3
