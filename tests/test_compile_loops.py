"""Loops in compiled functions: one equation, one kernel, and the same values and gradients as step by step."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.func import grad, hessian, jvp, scan, vmap
from wengert.program.parse import parse
from wengert.program.program import Program
from wengert.program.verify import InvalidProgramError, verify

F64 = torch.float64
N = 20  # steps; few enough loops are unrolled that this is one


def _tensor(*shape: int, seed: int = 0) -> Any:
    return torch.tensor(np.random.default_rng(seed + 7 * len(shape)).standard_normal(shape))


W, B, X0, XS = _tensor(2, 3), _tensor(3, seed=1), _tensor(3, seed=2), _tensor(N, 3, seed=3)


def plain(w: Any, b: Any, x0: Any, xs: Any) -> Any:
    carry, ys = scan(lambda c, x: ((c * w[0] + x).sin(), (c * x).sum()), x0, xs)
    return (carry * b).sum() + (ys * ys).sum()


def in_reverse(w: Any, b: Any, x0: Any, xs: Any) -> Any:
    carry, ys = scan(lambda c, x: (torch.tanh(c * w[1]) + x * b, c * c), x0, xs, reverse=True)
    return carry.sum() + (ys[3] * ys[0]).sum()


def containers(w: Any, b: Any, x0: Any, xs: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        h, (s, n) = c["h"], c["rest"]
        h = torch.sigmoid(h * w[0] + x["x"] * w[1])
        return {"h": h, "rest": (s + (h * b).sum(), n + 1)}, [h.exp(), s * x["i"]]

    carry, (ys, zs) = scan(
        step, {"h": x0, "rest": (x0[0] * 0, torch.tensor(0))}, {"x": xs, "i": torch.arange(N, dtype=F64)}
    )
    return carry["h"].sum() + carry["rest"][0] * carry["rest"][1] + ys.mean() + zs.sum()


def only_the_carry(w: Any, b: Any, x0: Any, xs: Any) -> Any:
    carry, ys = scan(lambda c, _: (c + 0.01 * (b - c * w[0]), None), x0, length=N)
    assert ys is None
    return (carry * xs[0]).sum()


def only_the_rows(w: Any, b: Any, x0: Any, xs: Any) -> Any:
    return scan(lambda c, x: (c, x * w[0] + c), x0, xs)[1].prod(0).sum() + b.sum()


def swapped(w: Any, b: Any, x0: Any, xs: Any) -> Any:
    (a, c), _ = scan(lambda c, x: ((c[1] * 0.9, (c[0] + x).flip(0)), None), (x0, b), xs)
    return (a * w[0]).sum() + (c * w[1]).sum()


def written_inside(w: Any, b: Any, x0: Any, xs: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        y = c * x
        y[0] = c[1] * b[2]
        y += w[1]
        return torch.cos(y), y[1:]

    carry, ys = scan(step, x0, xs)
    return carry.sum() + (ys**2).sum()


def one_in_another(w: Any, b: Any, x0: Any, xs: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        inner, rows = scan(lambda d, r: ((d * w[0] + r * x).sin(), d.sum()), c, xs * 0.1)
        return inner * 0.9, rows.sum() + (inner * b).sum()

    carry, ys = scan(step, x0, xs)
    return carry.sum() + (ys * ys).sum()


def detached(w: Any, b: Any, x0: Any, xs: Any) -> Any:
    carry, ys = scan(lambda c, x: ((c.detach() * w[0] + c * b).tanh(), (c * x.detach()).sum()), x0, xs)
    return carry.sum() + ys.sum()


FUNCTIONS = [
    plain,
    in_reverse,
    containers,
    only_the_carry,
    only_the_rows,
    swapped,
    written_inside,
    one_in_another,
    detached,
]
ARGUMENTS = (W, B, X0, XS)


def same(got: Any, want: Any, rtol: float = 1e-11) -> None:
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=rtol, atol=1e-13)


@pytest.mark.parametrize("f", FUNCTIONS)
class TestEveryStep:
    def test_values(self, f: Callable[..., Any]) -> None:
        compiled = torch.compile(f)
        for _ in range(2):
            same(compiled(*ARGUMENTS), f(*ARGUMENTS))
        verify(compiled.program(*ARGUMENTS))

    def test_gradients(self, f: Callable[..., Any]) -> None:
        compiled = torch.compile(grad(f, (0, 1, 2, 3)))
        for got, want in zip(compiled(*ARGUMENTS), grad(f, (0, 1, 2, 3))(*ARGUMENTS), strict=True):
            same(got, want)
        program = compiled.program(*ARGUMENTS)
        verify(program)
        assert parse(str(program)) == program

    def test_backward_of_the_compiled_function(self, f: Callable[..., Any]) -> None:
        for compiled in (torch.compile(f), f):
            inputs = [t.clone().requires_grad_() for t in ARGUMENTS]
            compiled(*inputs).backward()
            if compiled is f:
                break
            first = inputs
        for got, want in zip(first, inputs, strict=True):
            assert (got.grad is None) == (want.grad is None)
            if want.grad is not None:
                same(got.grad, want.grad)

    def test_it_is_a_loop(self, f: Callable[..., Any]) -> None:
        compiled = torch.compile(f)
        assert len([e for e in compiled.program(*ARGUMENTS).equations if e.op.name == "scan"]) == 1
        compiled(*ARGUMENTS)
        assert "unrolled" not in compiled.explain()


@pytest.mark.parametrize("f", [plain, in_reverse, containers, written_inside, one_in_another])
def test_second_order(f: Callable[..., Any]) -> None:
    by_w = lambda w: f(w, B, X0, XS)
    same(torch.compile(grad(lambda w: (grad(by_w)(w) ** 2).sum()))(W), grad(lambda w: (grad(by_w)(w) ** 2).sum())(W))
    w = W.clone().requires_grad_()
    (g,) = torch.autograd.grad(torch.compile(by_w)(w), w, create_graph=True)
    (again,) = torch.autograd.grad((g * g).sum(), w)
    same(again, grad(lambda w: (grad(by_w)(w) ** 2).sum())(W))


def test_in_every_transform() -> None:
    f = lambda x: plain(W, B, x, XS)
    same(torch.compile(lambda x: jvp(f, (x,), (B,))[1])(X0), jvp(f, (X0,), (B,))[1])
    same(jvp(torch.compile(f), (X0,), (B,))[1], jvp(f, (X0,), (B,))[1])
    batch = _tensor(4, 3, seed=5)
    same(torch.compile(vmap(f))(batch), vmap(f)(batch))
    same(vmap(torch.compile(f))(batch), vmap(f)(batch))


@pytest.mark.slow
def test_hessian() -> None:
    f = lambda x: plain(W, B, x, XS)
    same(torch.compile(hessian(f))(X0), hessian(f)(X0))


def test_the_program_does_not_grow_with_the_number_of_steps() -> None:
    compiled = torch.compile(grad(lambda x0, xs: plain(W, B, x0, xs), (0, 1)))
    few, many = [compiled.program(X0, _tensor(n, 3)) for n in (30, 3000)]
    assert len(few.equations) == len(many.equations) < 40
    if find_spec("llvmlite") is not None:
        assert compiled.llvm(X0, _tensor(30, 3)) == compiled.llvm(X0, _tensor(3000, 3))


def test_values_of_every_dtype_are_carried() -> None:
    def f(x: Any) -> Any:
        def step(c: Any, row: Any) -> Any:
            best, at, number = c
            better = row > best
            return (torch.where(better, row, best), torch.where(better, number, at), number + 1), better

        start = (x[0] * 0 - 10, torch.zeros(3, dtype=torch.int32), torch.tensor(0, dtype=torch.int32))
        return scan(step, start, x)

    x = _tensor(N, 3, seed=9).float()
    (best, at, number), better = torch.compile(f)(x)
    same(best, x.amax(0))
    assert at.tolist() == x.argmax(0).tolist()
    assert (at.dtype, number.item(), better.dtype, better.shape) == (torch.int32, N, torch.bool, (N, 3))


@pytest.mark.parametrize("width", [1, 3, 40, 1000])
@pytest.mark.parametrize(
    "step",
    [
        lambda a, b: (b * 0.9, (a + 1).flip(0)),
        lambda a, b: (a.flip(0), b + a),
        lambda a, b: (a + b.sum(), b * 0.5 + a),
        lambda a, b: (a * 0.5 + a.flip(0), a * b),
        lambda a, b: (a / (1 + a.sum() ** 2), a.flip(0) - b),
        lambda a, b: (b, a),
        lambda a, b: (a.reshape(-1, 1).expand(-1, 2).sum(1) * 0.5, b.cumsum(0) * 0.01),
    ],
)
def test_what_is_carried_is_read_before_it_is_replaced(step: Callable[..., Any], width: int) -> None:
    def f(a: Any, b: Any) -> Any:
        return scan(lambda c, _: (step(*c), c[0].sum()), (a, b), length=N)

    a, b = _tensor(width, seed=3), _tensor(width, seed=4)
    for got, want in zip(_leaves(torch.compile(f)(a, b)), _leaves(f(a, b)), strict=True):
        same(got, want)
    g = grad(lambda a, b: sum([(y * y).sum() for y in _leaves(f(a, b))]), (0, 1))
    for got, want in zip(torch.compile(g)(a, b), g(a, b), strict=True):
        same(got, want, rtol=1e-9)


def _leaves(found: Any) -> list[Any]:
    (a, b), ys = found
    return [a, b, ys]


def test_special_values_pass() -> None:
    xs = torch.tensor([[np.nan, np.inf, -0.0, 5e-324]] * 10, dtype=F64)
    f = lambda c: scan(lambda c, x: (c * x, c + x), c, xs)
    start = torch.tensor([1.0, -0.0, -1.0, 1.0], dtype=F64)
    for got, want in zip(torch.compile(f)(start), f(start), strict=True):
        np.testing.assert_array_equal(got.numpy(), want.numpy())
        np.testing.assert_array_equal(np.signbit(got.numpy()), np.signbit(want.numpy()))


class TestStepByStep:
    """What no loop can do runs step by step, and the function says why."""

    def check(self, f: Callable[..., Any], reason: str, *arguments: Any) -> None:
        compiled = torch.compile(f)
        want = f(*[t.clone() for t in arguments])
        same(compiled(*[t.clone() for t in arguments]), want)
        assert "unrolled: scan of 20 steps" in compiled.explain()
        assert reason in compiled.explain()

    def test_writes_outside(self) -> None:
        def f(xs: Any) -> Any:
            total = torch.zeros(3, dtype=F64)

            def step(c: Any, x: Any) -> Any:
                total.add_(c * x)
                return c + 1, None

            return scan(step, torch.ones(3, dtype=F64), xs)[0] + total

        self.check(f, "writes into a tensor from outside", XS)

    def test_values_that_python_carries(self) -> None:
        self.check(lambda xs: scan(lambda c, x: (c + 1, x * c), 0, xs)[1], "no tensor", XS)

    def test_other_numbers_in_each_step(self) -> None:
        compiled = torch.compile(lambda xs: scan(lambda c, x: (c + torch.rand(()), c), XS[0, 0], xs)[1])
        torch.manual_seed(0)
        first = compiled(XS)
        torch.manual_seed(0)
        same(first, scan(lambda c, x: (c + torch.rand(()), c), XS[0, 0], XS)[1])
        assert len(set(first.diff().tolist())) == N - 1


def test_a_tensor_of_a_step_is_of_no_use_outside() -> None:
    kept: list[Any] = []
    f = torch.compile(lambda xs: scan(lambda c, x: (kept.append(c * x) or c, None), X0, xs)[0] + kept[0])
    with pytest.raises(RuntimeError, match="outside of that call"):
        f(XS)


def test_an_error_in_a_step_is_that_of_eager_code() -> None:
    with pytest.raises(RuntimeError, match="keep the shape and dtype"):
        torch.compile(lambda xs: scan(lambda c, x: (c[:2], None), X0, xs)[0])(XS)


def program_of(text: str) -> Program:
    return parse(text.strip())


TEXT = """
program(a: f64, b: f64[9], c: f64):
  d: f64, e: f64[9] = scan(a, b, c, carries=1, xs=1, length=9, reverse=False)
    body = program(a: f64, b: f64, c: f64):
      d: f64 = mul(a, c)
      e: f64 = add(d, b)
      return d, e
  f: f64 = sum(e, dim=None, keepdim=False)
  return d, f
"""


def test_the_text_reads_back() -> None:
    program = program_of(TEXT)
    assert str(program) == TEXT.strip()
    verify(program)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("d: f64, e: f64[9] = scan", "d: f64, e: f64[8] = scan"),
        ("length=9", "length=8"),
        ("return d, e", "return b, d"),
        ("c: f64):\n      d", "c: f64[2]):\n      d"),
        ("e: f64 = add(d, b)", "e: f32 = add(d, b)"),
    ],
)
def test_a_wrong_loop_is_no_program(old: str, new: str) -> None:
    if new == "return b, d":
        verify(program_of(TEXT.replace(old, new)))  # b and d have the type of the carry
        new = "return 1.0, d"
    assert old in TEXT
    with pytest.raises((InvalidProgramError, ValueError)):
        verify(program_of(TEXT.replace(old, new)))
