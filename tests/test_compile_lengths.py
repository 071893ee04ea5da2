"""Lengths that were not traced: what was made for others serves them where nothing depends on them, and only there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

pytest.importorskip("llvmlite")
from tests.random_programs import MOVEMENT, REDUCTION, UNARY
from tests.test_compile_entries import is_fast

import wengert as torch
from wengert._opaque import OpaqueNumber
from wengert.compile.function import CompiledFunction
from wengert.compile.lengths import Lengths
from wengert.compile.runtime import layout

F = torch.nn.functional
grad = torch.func.grad


def numbers(*shape: int, seed: int = 0, dtype: Any = torch.float64) -> Any:
    return torch.tensor(np.random.default_rng([seed, *shape]).uniform(-1, 1, shape), dtype=dtype)


def traces(function: CompiledFunction) -> int:
    return sum([len(plans) for plans in function._plans.values()])


def same(got: Any, want: Any) -> None:
    if isinstance(want, (tuple, list)):
        assert type(got) is type(want)
        assert len(got) == len(want)
        for one, other in zip(got, want, strict=True):
            same(one, other)
    elif isinstance(want, torch.Tensor):
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-11, equal_nan=True)
    else:
        assert (type(got), got) == (type(want), want)


Shapes = tuple[tuple[Any, ...], ...]

FREE: dict[str, tuple[Callable[..., Any], Shapes]] = {
    "elementwise": (lambda x, y: (x.sin() * y + 2).tanh(), (("n",), ("n",))),
    "two lengths": (lambda x, y: (x * 2, y + 1), (("n",), ("m",))),
    "broadcast": (lambda x, y: x * y + x, (("n", 4), (4,))),
    "outer product": (lambda x, y: x[:, None] * y, (("n",), ("m",))),
    "sum": (lambda x: (x * x).sum(), (("n",),)),
    "gradient of a sum": (grad(lambda x: (x.sin() * x).sum()), (("n",),)),
    "mean": (lambda x: (x * 3).mean(), (("n", 3),)),
    "gradient of a mean": (grad(lambda x: (x * x).mean()), (("n", 3),)),
    "means of both axes": (lambda x: x.mean(0).sum() + x.mean(1).sum(), (("n", 3),)),
    "squared error": (grad(lambda x, y: F.mse_loss(x, y), (0, 1)), (("n",), ("n",))),
    "sums of columns": (grad(lambda x, y: (x * y).tanh().sum(), (0, 1)), (("n", 5), (5,))),
    "variance": (lambda x: x.var(correction=0), (("n",),)),
    "logsumexp": (lambda x: x.logsumexp(0), (("n",),)),
    "softmax": (lambda x: x.softmax(-1), (("n", 6),)),
    "norm": (grad(lambda x: x.norm()), (("n",),)),
    "product": (lambda x, w: (x @ w).relu(), (("n", 8), (8, 3))),
    "gradient of a product": (grad(lambda w, x: (x @ w).tanh().sum()), ((8, 3), ("n", 8))),
    "reshape": (lambda x: x.reshape(-1) * 2, (("n", 3),)),
    "reshape to and fro": (lambda x: (x.flatten() * 2).reshape(-1, 3).sum(0), (("n", 3),)),
    "transposed": (lambda x: x.T * 2, (("n", 3),)),
    "added axis": (lambda x: x[:, None].expand(-1, 3).sum(1), (("n",),)),
    "stack": (lambda x: torch.stack([x, x * 2], -1).sum(0), (("n",),)),
    "batch": (torch.vmap(lambda x: (x * x).sum()), (("n", 4),)),
    "batch of gradients": (torch.vmap(grad(lambda x: (x * x).sum())), (("n", 4),)),
    "tangent": (lambda x, t: torch.func.jvp(torch.sin, (x,), (t,))[1], (("n",), ("n",))),
    "choice": (lambda x: torch.where(x > 0.5, x, 0.0).sum(), (("n",),)),
    "calls of NumPy": (lambda x: (x * 2).sort().values.cumsum(0) + 1, (("n",),)),
    "in place": (lambda x: (x * 2).add_(1).mul_(x).sum(), (("n",),)),
}
SIZES = ((300, 200), (301, 201), (1000, 150), (250, 400), (150, 151))


def arrays(shapes: Shapes, n: int, m: int) -> list[Any]:
    lengths = {"n": n, "m": m}
    return [numbers(*[lengths.get(k, k) for k in shape], seed=i) for i, shape in enumerate(shapes)]


class TestOneTrace:
    @pytest.mark.parametrize("name", FREE)
    def test_serves_other_lengths(self, name: str) -> None:
        function, shapes = FREE[name]
        f = torch.compile(function)
        for n, m in SIZES:
            leaves = arrays(shapes, n, m)
            same(f(*leaves), function(*leaves))
        assert traces(f) == 1

    @pytest.mark.skipif(layout.array_api() is None, reason="this Python calls kernels the slow way only")
    def test_the_first_call_of_another_length_runs_no_python_code(self) -> None:
        f = torch.compile(grad(lambda x: (x.sin() * x).sum()))
        f(torch.ones(1000))
        for n in (1001, 999, 200, 7000):
            assert is_fast(f, torch.ones(n))

    def test_code_of_the_user_runs_once(self) -> None:
        ran: list[int] = []

        def f(x: Any) -> Any:
            ran.append(1)
            return (x * 2).sum()

        compiled = torch.compile(f)
        for n in (100, 101, 500, 100):
            assert compiled(torch.ones(n)).item() == 2 * n
        assert ran == [1]

    def test_a_training_step_with_a_smaller_last_batch(self) -> None:
        def steps(compiling: Any) -> tuple[Any, int]:
            w, b = numbers(20, 3, seed=1), numbers(3, seed=2)

            def loss(w: Any, b: Any, x: Any, y: Any) -> Any:
                return ((torch.tanh(x @ w + b) - y) ** 2).mean()

            def step(x: Any, y: Any) -> Any:
                (of_w, of_b), value = torch.func.grad_and_value(loss, (0, 1))(w, b, x, y)
                w.sub_(0.1 * of_w)
                b.sub_(0.1 * of_b)
                return value

            function = compiling(step)
            values = [function(numbers(n, 20, seed=n), numbers(n, 3, seed=n)).item() for n in (64, 64, 37, 64, 50)]
            return (values, w, b), traces(function) if compiling is torch.compile else 0

        (got, w, b), count = steps(torch.compile)
        (want, expected_w, expected_b), _ = steps(lambda f: f)
        np.testing.assert_allclose(got, want, rtol=1e-12)
        same((w, b), (expected_w, expected_b))
        assert count == 1

    def test_long_programs_once_a_second_length_was_seen(self) -> None:
        def f(x: Any) -> Any:
            for _ in range(40):
                x = (x * 0.9).sin()
            return x.sum()

        compiled = torch.compile(f)
        for n in (100, 150, 120, 99, 300):
            same(compiled(numbers(n)), f(numbers(n)))
        assert traces(compiled) == 2


class TestWhatIsAskedFor:
    """A function that looks at a length is traced anew for another one."""

    @pytest.mark.parametrize(
        "function",
        [
            lambda x: x.sum() / x.shape[0],
            lambda x: x * len(x),
            lambda x: x.sum() * x.numel(),
            lambda x: x * 2 if x.size(0) > 150 else x + 1,
            lambda x: sum([x * i for i in range(x.shape[0] // 50)]),
            lambda x: x + torch.arange(len(x)),
            lambda x: x.reshape(2, x.shape[0] // 2).sum(0),
            lambda x: x[: len(x) // 2],
            lambda x: x[1:] - x[:-1],
            lambda x: torch.cat([x, x[:7]]),
            lambda x: x[:120].sum(),
            lambda x: x[-1] * x,
            lambda x: x[150] if x.shape != torch.Size([100]) else x[0],
            lambda x: (x * 2, x.shape, x.shape[0]),
            lambda x: x * {100: 2.0, 160: 3.0}.get(x.shape[0], 4.0),
            lambda x: torch.zeros_like(x) + x,
            lambda x: x.new_full((x.shape[0],), 2.0) * x,
            lambda x: torch.diff(x),
            lambda x: x.unbind()[0] + len(x.unbind()),
            lambda x: x.stride()[0] * x + x.nbytes,
            lambda x: f"{x.shape}" and x * hash(x.shape[0]),
            lambda x: torch.func.scan(lambda c, a: (c + a, c * a), torch.zeros((), dtype=x.dtype), x),
            lambda x: x.tile(2),
            lambda x: x.repeat(3),
            lambda x: x.unfold(0, 3, 2),
            lambda x: x.as_strided((3,), (7,)),
            lambda x: x[::2] * 2,
            lambda x: x.flip(0) * x,
            lambda x: torch.topk(x, 20).values,
            lambda x: x.kthvalue(99).values,
            lambda x: x.chunk(4)[0] * 1,
            lambda x: x.split(60)[-1] * 1,
            lambda x: x.narrow(0, 3, 90) * 1,
            lambda x: F.pad(x, (1, 2)),
            lambda x: x.roll(3),
            lambda x: x.std(),
            lambda x: grad(lambda v: v.std())(x),
            lambda x: x.quantile(0.3),
            lambda x: x.median(),
            lambda x: torch.fft.fft(x).real,
            lambda x: x.outer(x).triu(1).sum(0),
            lambda x: torch.diag(x).sum(1),
            lambda x: x * 100.0,
            lambda x: x * 50 + 200.0,
        ],
    )
    def test_results_are_those_of_each_length(self, function: Any) -> None:
        f = torch.compile(function)
        for n in (160, 100, 161, 200, 300, 160, 152):
            try:
                want = function(numbers(n))
            except (IndexError, RuntimeError) as error:
                with pytest.raises(type(error)):
                    f(numbers(n))
            else:
                same(f(numbers(n)), want)

    def test_errors_of_another_length(self) -> None:
        f = torch.compile(lambda x, y: x + y)
        same(f(numbers(40), numbers(40, seed=1)), numbers(40) + numbers(40, seed=1))
        with pytest.raises(RuntimeError, match="must match the size"):
            f(numbers(41), numbers(40))
        with pytest.raises(RuntimeError, match="must match the size"):
            torch.compile(lambda x, y: x + y)(numbers(41), numbers(40))

    def test_a_check_of_the_users_holds_at_each_length(self) -> None:
        def f(x: Any) -> Any:
            if x.shape[0] > 500:
                raise ValueError("too long")
            return x * 2

        compiled = torch.compile(f)
        compiled(numbers(100))
        with pytest.raises(ValueError, match="too long"):
            compiled(numbers(501))

    def test_random_numbers_are_as_many(self) -> None:
        f = torch.compile(lambda x: x + torch.rand_like(x))
        for n in (100, 101, 300):
            torch.manual_seed(3)
            got = f(numbers(n))
            torch.manual_seed(3)
            same(got, numbers(n) + torch.rand_like(numbers(n)))

    def test_names_from_outside_are_read_anew(self) -> None:
        w = numbers(100, seed=5)
        f = torch.compile(lambda x: x * w)
        same(f(numbers(100)), numbers(100) * w)
        with pytest.raises(RuntimeError):
            f(numbers(101))

    def test_kept_sizes_are_numbers(self) -> None:
        kept: list[Any] = []

        def f(x: Any) -> Any:
            kept.append((x.shape, x.size(), len(x), x.numel()))
            return x * 2

        torch.compile(f)(numbers(100))
        for x in (kept[0][0][0], kept[0][1][0], *kept[0][2:]):
            assert type(x) is int
            assert x == 100

    def test_sizes_of_members_of_a_batch(self) -> None:
        kept: list[Any] = []

        def f(x: Any) -> Any:
            kept.append((x.shape[0], x.numel()))
            return x.sum() / len(x)

        compiled = torch.compile(torch.vmap(f))
        for shape in ((200, 300), (200, 301), (201, 300)):
            same(compiled(numbers(*shape)), numbers(*shape).mean(1))
        assert all([type(n) is int for each in kept for n in each])
        assert [each[0] for each in kept] == [300, 301, 300]


class TestEqualByChance:
    def test_lengths_of_two_arguments(self) -> None:
        def f(x: Any, y: Any) -> Any:
            return x.sum() + y.mean(), x * 2, y + 1

        compiled = torch.compile(f)
        for n, m in ((40, 40), (40, 41), (300, 40), (40, 300), (77, 77), (1, 40), (40, 1), (2, 2)):
            same(compiled(numbers(n), numbers(m, seed=1)), f(numbers(n), numbers(m, seed=1)))

    def test_broadcasting_that_changes(self) -> None:
        def f(x: Any, y: Any) -> Any:
            return grad(lambda x, y: (x * y).tanh().sum(), (0, 1))(x, y)

        compiled = torch.compile(f)
        for first, second in (
            ((40, 30), (30,)),
            ((41, 30), (1,)),
            ((30, 30), (30,)),
            ((1, 30), (200, 1)),
            ((200, 1), (1, 30)),
            ((0, 30), (30,)),
            ((30,), (40, 30)),
            ((55, 30), (55, 30)),
            ((55, 1), (55, 30)),
        ):
            leaves = numbers(*first), numbers(*second, seed=1)
            same(compiled(*leaves), f(*leaves))

    def test_a_number_of_the_function(self) -> None:
        def f(x: Any) -> Any:
            return (x * 100.0).sum() / 100 + x.mean() + (x / 200.0).sum()

        compiled = torch.compile(f)
        for n in (100, 200, 50, 101, 400, 25, 1600):
            same(compiled(numbers(n)), f(numbers(n)))

    def test_an_error_that_the_function_catches(self) -> None:
        def f(x: Any, y: Any) -> Any:
            try:
                return x + y
            except RuntimeError:
                return x * 2

        compiled = torch.compile(f)
        for n, m in ((200, 300), (250, 250), (201, 300), (300, 200), (300, 300), (251, 249)):
            same(compiled(numbers(n), numbers(m, seed=1)), f(numbers(n), numbers(m, seed=1)))


class TestNumbersThatAreNotKnown:
    def lengths(self, *sizes: int) -> list[Any]:
        return list(Lengths([sizes]).shape(sizes))

    def between(self, length: Any) -> tuple[int, int]:
        return length.low, length.high

    def test_short_ones_are_known(self) -> None:
        a, b, c = Lengths([(300, 16, 100)]).shape((300, 16, 100))
        assert isinstance(a, OpaqueNumber)
        assert (type(b), type(c)) == (int, int)

    def test_comparisons_narrow(self) -> None:
        (n,) = self.lengths(300)
        assert n > 16
        assert n != 1
        assert n
        assert self.between(n) == (17, n.high)
        assert n > 100
        assert not n >= 1000
        assert self.between(n) == (101, 999)
        assert n != 400
        assert self.between(n) == (101, 399)
        assert n == 300
        assert self.between(n) == (300, 300)

    def test_two_lengths_stay_apart(self) -> None:
        n, m = Lengths([(300,), (200,)]).shape((300, 200))
        assert n > m
        assert (n.low, m.high) == (251, 250)
        assert n == n
        assert n.low < n.high

    @pytest.mark.parametrize(
        "read", [int, float, range, hash, repr, "{}".format, np.zeros, lambda n: [0] * n, np.asarray]
    )
    def test_who_reads_the_value_gets_it_and_it_is_known_then(self, read: Any) -> None:
        (n,) = self.lengths(300)
        got, want = read(n), read(300)
        assert type(got) is type(want)
        assert np.all(got == want)
        assert self.between(n) == (300, 300)

    def test_expressions_know_what_they_are_for_other_lengths(self) -> None:
        n, m = Lengths([(300,), (200,)]).shape((300, 200))
        values = {id(n): 50, id(m): 70}
        for x, now, then in (
            (n * 3, 900, 150),
            (2 + n * m, 60002, 3502),
            (1.0 / n, 1 / 300, 1 / 50),
            (n - 1, 299, 49),
            (-n // 7, -43, -8),
            (m**2 % 7, 2, 0),
        ):
            assert (x.concrete, x.at(values)) == (now, then)
        assert n * 8 // 8 is n
        assert 4 * n * m // (2 * m) is 2 * n
        assert n * m is m * n
        assert (n * 6) % 3 == 0
        assert self.between(n) == (17, n.high)
        assert n * 3 > 50
        assert self.between(n) == (17, n.high)
        assert n * 3 > 100
        assert self.between(n) == (300, 300)

    def test_errors_of_arithmetic_are_those_of_numbers(self) -> None:
        (n,) = self.lengths(300)
        with pytest.raises(ZeroDivisionError):
            n // 0
        with pytest.raises(TypeError):
            n + "a"

    def test_after_the_trace_they_are_numbers(self) -> None:
        lengths = Lengths([(300,)])
        (n,) = lengths.shape((300,))
        lengths.close()
        assert n == 300
        assert n + 1 == 301
        assert type(n + 1) is int
        assert self.between(n) == (17, n.high)


# --- programs drawn at random ----------------------------------------------------------------------------------------

LEAVES: tuple[tuple[Any, ...], ...] = (("n",), ("n", 3), (3,), ("m",), (), ("m", "n"), (1, "n"), ("n", 20))
BINARY: dict[str, Callable[..., Any]] = {
    "sum of two": lambda a, b: a + b,
    "product of two": lambda a, b: a * b,
    "greater of two": lambda a, b: torch.maximum(a, b),
    "choice of two": lambda a, b: torch.where(a > 0, a, b),
    "product of matrices": lambda a, b: a @ b,
    "one behind the other": lambda a, b: torch.cat([a, b]),
}
ALL = [
    *[lambda a, b, k, op=op: op(torch, a, k) for table in (UNARY, REDUCTION, MOVEMENT) for op in table.values()],
    *[lambda a, b, k, op=op: op(a, b) for op in BINARY.values() for _ in range(5)],
]
LENGTHS = (0, 1, 2, 16, 17, 20, 33, 40, 40, 41, 100, 128, 129, 300, 1000)
sizes = st.tuples(st.sampled_from(LENGTHS), st.sampled_from(LENGTHS))
steps = st.lists(st.tuples(*[st.integers(0, 10**6) for _ in range(4)]), min_size=1, max_size=7)


def run(drawn: Any, leaves: Any) -> Any:
    """The last values of a program; a step that some shapes do not fit is left out, as they say when they run."""
    values = list(leaves)
    for op, i, j, k in drawn:
        a, b = values[-1 - i % min(4, len(values))], values[-1 - j % len(values)]
        try:
            value = ALL[op % len(ALL)](a, b, k)
        except (RuntimeError, IndexError, ValueError, TypeError, ArithmeticError):
            continue
        values.append(value)
    return tuple(values[len(leaves) :][-3:])


def total(drawn: Any, leaves: Any) -> Any:
    results = run(drawn, leaves)
    return sum([(y * 0.1).sum() for y in results if y.dtype.is_floating_point], torch.zeros((), dtype=torch.float64))


def check(drawn: Any, pairs: Any, gradient: bool, shapes: Any = LEAVES) -> None:
    def values(*leaves: Any) -> Any:
        return run(drawn, leaves)

    def gradients(*leaves: Any) -> Any:
        return grad(lambda *leaves: total(drawn, leaves), tuple(range(len(shapes))))(*leaves)

    function = gradients if gradient else values
    compiled = torch.compile(function)
    for n, m in pairs:
        leaves = arrays(shapes, n, m)
        try:
            want = function(*leaves)
        except (RuntimeError, IndexError, ValueError, ArithmeticError) as error:
            with pytest.raises(type(error)):
                compiled(*leaves)
        else:
            same(compiled(*leaves), want)


RULES: Any = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


# Two leaves, and lengths that differ a little or much: here most programs serve several of them.
FEW_LEAVES: tuple[tuple[Any, ...], ...] = (("n", 3), ("n", 1))
LONG = (150, 151, 167, 200, 301, 1500)


class TestRandomPrograms:
    @settings(max_examples=12, **RULES)
    @given(drawn=steps, pairs=st.lists(sizes, min_size=2, max_size=5), gradient=st.booleans())
    def test_some(self, drawn: Any, pairs: Any, gradient: bool) -> None:
        check(drawn, pairs, gradient)

    @settings(max_examples=12, **RULES)
    @given(drawn=steps, lengths=st.permutations(LONG), gradient=st.booleans())
    def test_some_of_one_length(self, drawn: Any, lengths: Any, gradient: bool) -> None:
        check(drawn, [(n, 0) for n in lengths[:4]], gradient, FEW_LEAVES)

    @pytest.mark.slow
    @settings(max_examples=150, **RULES)
    @given(drawn=steps, lengths=st.permutations(LONG), gradient=st.booleans())
    def test_many_of_one_length(self, drawn: Any, lengths: Any, gradient: bool) -> None:
        check(drawn, [(n, 0) for n in lengths], gradient, FEW_LEAVES)

    @pytest.mark.slow
    @settings(max_examples=150, **RULES)
    @given(drawn=steps, pairs=st.lists(sizes, min_size=3, max_size=7), gradient=st.booleans())
    def test_many(self, drawn: Any, pairs: Any, gradient: bool) -> None:
        check(drawn, pairs, gradient)
