"""Python numbers as arguments of compiled functions: other ones are no reason to trace again."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import wengert as torch
from wengert.compile.function import MANY, CompiledFunction

X = torch.tensor([0.3, 1.7, -2.5, 4.0])
RATES = (0.1, 0.25, -3.0, 1e-3, 7.0, 0.7)


def count(function: CompiledFunction) -> int:
    """How often it was traced."""
    return sum([len(plans) for plans in function._plans.values()])


def same(a: Any, b: Any) -> None:
    """Equal values (to a unit in the last place or so), dtypes and shapes; numbers are the same ones."""
    if isinstance(b, (tuple, list)):
        assert type(a) is type(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(b, torch.Tensor):
        assert (a.dtype, a.shape, a.requires_grad) == (b.dtype, b.shape, b.requires_grad)
        torch.testing.assert_close(a, b, rtol=2e-6 if b.dtype == torch.float32 else 1e-12, atol=0, equal_nan=True)
    else:
        assert type(a) is type(b)
        assert a == b


def check(function: Callable[..., Any], *tensors: Any, numbers: Any = RATES, traces: int = 2) -> CompiledFunction:
    """Compare with the eager function for all numbers: the first is a constant, the others are one program."""
    compiled: CompiledFunction = torch.compile(function)
    for number in numbers:
        same(compiled(*[t.clone() for t in tensors], number), function(*[t.clone() for t in tensors], number))
    assert count(compiled) == traces
    return compiled


def written(x: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    y = x.clone()
    getattr(y, name)(*args, **kwargs)
    return y


class TestOperations:
    @pytest.mark.parametrize(
        "function",
        [
            lambda x, n: x * n,
            lambda x, n: n * x,
            lambda x, n: x + n,
            lambda x, n: n + x,
            lambda x, n: x - n,
            lambda x, n: n - x,
            lambda x, n: x / n,
            lambda x, n: n / x,
            lambda x, n: (x * x) ** n,
            lambda x, n: abs(n) ** x,
            lambda x, n: torch.add(x, x.sin(), alpha=n),
            lambda x, n: torch.sub(x, 2, alpha=n),
            lambda x, n: torch.addcmul(x, x, x.cos(), value=n),
            lambda x, n: torch.addcdiv(x, x, x.cos(), value=n),
            lambda x, n: torch.lerp(x, x.sin(), n),
            lambda x, n: x.clamp(min=n),
            lambda x, n: x.clamp(n, 2.0),
            lambda x, n: x.clamp_max(n),
            lambda x, n: torch.where(x > 0, x, n),
            lambda x, n: torch.where(x > 0, n, x),
            lambda x, n: (x > n, x == n),
            lambda x, n: torch.maximum(x, x * n) % n,
            lambda x, n: written(x, "mul_", n),
            lambda x, n: written(x, "add_", x.sin(), alpha=-n),
            lambda x, n: written(x, "addcdiv_", x.sin(), x.exp(), value=n),
            lambda x, n: written(x, "lerp_", x.sin(), n),
            lambda x, n: written(x, "clamp_", max=n),
            lambda x, n: torch.atan2(x, x * n).sum() * n,
            lambda x, n: x * (-n) + x * (n * 2 + 1) - x / (1 / n) + n**2 * x + abs(n) * x * (n // 0.3) * (n % 0.3),
        ],
    )
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_floats(self, function: Any, dtype: Any) -> None:
        check(function, X.to(dtype))

    @pytest.mark.parametrize(
        "x",
        [
            torch.tensor([1, 2, -3]),
            torch.tensor([1, 2, 3], dtype=torch.int8),
            torch.tensor([True, False]),
            torch.tensor(3),
            torch.tensor(0.5),
            torch.tensor(0.5, dtype=torch.float64),
            torch.tensor([0.5, 2.0], dtype=torch.float16),
            torch.tensor([1 + 2j, 0.5j]),
        ],
    )
    @pytest.mark.parametrize("numbers", [(0.5, 1.25, -2.0), (2, 5, -3)])
    def test_promotion(self, x: Any, numbers: Any) -> None:
        def function(x: Any, n: Any) -> Any:
            return x * n, n + x, x / n, 1 - x * n

        compiled = torch.compile(function)
        for n in numbers:
            for got, want in zip(compiled(x, n), function(x, n), strict=True):
                assert (got.dtype, got.shape) == (want.dtype, want.shape)
                torch.testing.assert_close(got, want)
        assert count(compiled) == 2

    def test_the_dtype_of_a_mixed_sum_is_that_in_which_the_multiple_is_computed(self) -> None:
        a, b = X.double(), X
        check(lambda a, b, n: torch.add(a, b, alpha=n), a, b)
        check(lambda a, b, n: a + b * n, a, b)

    def test_default_dtype(self) -> None:
        function = torch.compile(lambda x, n: x * n)
        x = torch.tensor([1, 2])
        function(x, 0.5)
        assert function(x, 0.1).dtype == torch.float32
        torch.set_default_dtype(torch.float64)
        try:
            assert function(x, 0.2).dtype == torch.float64
            assert function(x, 0.3).tolist() == [0.3, 0.6]
        finally:
            torch.set_default_dtype(torch.float32)

    def test_special_floats(self) -> None:
        check(lambda x, n: x * n, X, numbers=(0.5, math.inf, math.nan, -0.0, 1e300))


class TestWhatPythonDoes:
    def test_arithmetic_is_pythons(self) -> None:
        check(lambda x, n: (x, n * 3 + 1, -n, 1 / n, n**3), X)
        check(lambda x, n: (x * 2, n**2 // 3, n & 6, ~n), X, numbers=(5, 7, 2**40, 10**12))

    def test_the_number_itself_comes_back(self) -> None:
        check(lambda x, n: {"y": x * n, "n": n}["n"], X)

    def test_division_by_zero_is_said_by_the_function(self) -> None:
        function = torch.compile(lambda x, n: x * (1 / n))
        function(X, 2.0)
        function(X, 3.0)
        with pytest.raises(ZeroDivisionError):
            function(X, 0.0)
        same(function(X, 4.0), X * 0.25)
        assert count(function) == 2

    def test_complex_powers_and_long_integers_go_another_way(self) -> None:
        check(lambda x, n: x * (n**0.5), X, numbers=(2.0, 3.0, 5.0))
        function = torch.compile(lambda x, n: x * n)
        for n in (2, 3, 2**70, 4):
            same(function(X, n), X * n)

    def test_a_comparison_is_a_guard(self) -> None:
        def function(x: Any, n: Any) -> Any:
            return x * n if n > 0 else x - n

        check(function, X, numbers=(0.5, 1.5, -1.0, 2.5, -3.0, 4.0, -5.0), traces=3)
        check(lambda x, n: x * max(n, 0.3), X, numbers=(0.5, 1.5, 0.1, 0.2, 0.7), traces=3)

    def test_special_exponents_are_traced_as_such(self) -> None:
        powers = (0.7, 1.3, 2.0, 3.0, 1.7, 2.0, 0.5, 2.9)
        check(lambda x, n: x.abs() ** n, X, numbers=powers, traces=5)

    def test_an_int_is_no_float(self) -> None:
        function = torch.compile(lambda x, n: x * n)
        x = torch.tensor([1, 2])
        for n in (0.5, 1.5, 2, 3, 2.5, 4):
            same(function(x, n), x * n)
        assert count(function) == 4


class TestWhoWantsTheValue:
    @pytest.mark.parametrize(
        "function",
        [
            lambda x, n: x * math.sqrt(n),
            lambda x, n: x * float(n),
            lambda x, n: x * int(n),
            lambda x, n: torch.nn.functional.leaky_relu(x, n),
            lambda x, n: x * len(f"{n:.3f}"),
            lambda x, n: x * len(str(n)),
            lambda x, n: x * {0.5: 1.0}.get(n, 2.0),
            lambda x, n: x * torch.tensor(n),
            lambda x, n: x * round(n, 1),
            lambda x, n: x * n.is_integer(),
            lambda x, n: x * n if not hasattr(n, "sqrt") and n.hex() else x,
            lambda x, n: x * (n + 1j),
            lambda x, n: x * (n if type(n) is float else 100),
        ],
    )
    def test_it_is_a_constant_then(self, function: Any) -> None:
        numbers = (0.5, 0.25, 3.0, 4.5, 4.5)
        check(function, X, numbers=numbers, traces=4)

    def test_also_where_the_function_catches_the_refusal(self) -> None:
        def function(x: Any, n: Any) -> Any:
            try:
                return x * math.exp(n)
            except RuntimeError:
                return x * 0

        check(function, X, numbers=(0.5, 0.25, 3.0), traces=3)

    def test_sizes_and_axes(self) -> None:
        check(lambda x, n: x[:n], X, numbers=(1, 2, 3), traces=3)
        check(lambda x, n: x[n], X, numbers=(1, 2, 3), traces=3)
        check(lambda x, n: torch.zeros(n) + x.sum(), X, numbers=(1, 2, 3), traces=3)
        check(lambda x, n: x.reshape(2, 2).sum(n), X, numbers=(0, 1, -1), traces=3)
        check(lambda x, n: sum([x * i for i in range(n)]), X, numbers=(1, 2, 3), traces=3)

    def test_only_the_one_that_is_asked_for(self) -> None:
        function = torch.compile(lambda x, n, rate: x.repeat(n) * rate)
        for n, rate in ((2, 0.5), (3, 0.25), (3, 0.75), (3, 0.125), (2, 0.3), (2, 0.4)):
            same(function(X, n, rate), X.repeat(n) * rate)
        assert count(function) == 3

    def test_one_that_is_kept_outside_is_the_one_of_each_call(self) -> None:
        seen: list[Any] = []

        def function(x: Any, n: Any) -> Any:
            seen.append(n)
            return x * n

        compiled = torch.compile(function)
        for n in (0.5, 0.25, 3.0):
            same(compiled(X, n), X * n)
        assert float(seen[-1]) == 3.0
        assert {float(n) for n in seen} == {0.5, 0.25, 3.0}

    def test_many_ways_through_comparisons(self) -> None:
        def function(x: Any, n: Any) -> Any:
            k = 0
            while k < n:
                k += 1
            return x * k

        check(function, X, numbers=tuple([float(k) for k in range(14)]), traces=14)

    def test_fallback(self) -> None:
        def function(x: Any, n: Any) -> Any:
            return x * n if x.sum() > 0 else x

        compiled = torch.compile(function, fallback=True)
        with pytest.warns(UserWarning, match="runs eagerly"):
            compiled(X, 0.5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for n in RATES:
                same(compiled(X, n), function(X, n))


class TestGradients:
    @pytest.mark.parametrize("name", ["mul", "pow", "clamp", "where", "div"])
    def test_by_tensors(self, name: str) -> None:
        def function(x: Any, n: Any) -> Any:
            by = {
                "mul": lambda: (x * n).sin() * n,
                "pow": lambda: (x * x) ** n,
                "clamp": lambda: x.clamp(min=n) ** 2,
                "where": lambda: torch.where(x > n, x * x, n),
                "div": lambda: n / x - x / n,
            }
            return by[name]().sum()

        compiled = torch.compile(function)
        for n in RATES:
            for second in (False, True):
                grads = []
                for run in (compiled, function):
                    x = X.double().requires_grad_()
                    (g,) = torch.autograd.grad(run(x, n), x, create_graph=second)
                    if second and g.requires_grad:
                        (g,) = torch.autograd.grad((g * g).sum(), x)
                    grads.append(g.detach())
                same(*grads)
        assert count(compiled) == 2

    def test_transforms(self) -> None:
        def function(x: Any, n: Any) -> Any:
            return ((x * n).sin() / n).sum()

        for inside in (
            torch.func.grad(function),
            torch.func.hessian(function),
            lambda x, n: torch.func.vmap(lambda row: row * n + (row * n).sum())(x.reshape(2, 2)),
            lambda x, n: torch.func.jvp(lambda x: function(x, n), (x,), (x.cos(),)),
            lambda x, n: torch.func.vmap(lambda v: v * n)(torch.arange(3)),
        ):
            check(inside, X.double())
        compiled = torch.compile(function)
        for n in RATES:
            same(torch.func.grad(compiled)(X, n), torch.func.grad(function)(X, n))
            same(torch.func.vmap(compiled, in_dims=(0, None))(X, n), torch.func.vmap(function, in_dims=(0, None))(X, n))

    def test_loops(self) -> None:
        def scanned(x: Any, n: Any) -> Any:
            return torch.func.scan(lambda c, row: (c * n + row, c.sin() * n), x[0] * 0, x.repeat(5))

        def repeated(x: Any, n: Any) -> Any:
            return torch.func.fori_loop(0, 20, lambda i, c: c * 0.5 + i * n, x)

        check(scanned, X.double())
        compiled = torch.compile(repeated)
        for n in RATES:
            same(compiled(X.double(), n), repeated(X.double(), n))

    def test_random_numbers_and_captured_tensors(self) -> None:
        w = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)

        def function(x: Any, n: Any) -> Any:
            return (x * w * n + torch.rand(4) * n).exp().sum()

        compiled = torch.compile(function)
        for n in (0.1, 0.2, 0.3):
            grads = []
            for run in (compiled, function):
                torch.manual_seed(3)
                (g,) = torch.autograd.grad(run(X, n), w, create_graph=True)
                grads += [g.detach(), *torch.autograd.grad(g.sum(), w)]
            same(grads[:2], grads[2:])
        assert count(compiled) == 2

    def test_descent(self) -> None:
        """A step that is written by hand, with another rate each time."""

        def step(w: Any, x: Any, rate: Any) -> Any:
            loss = ((w * x - 1) ** 2).sum()
            (g,) = torch.autograd.grad(loss, w)
            with torch.no_grad():
                w.add_(g, alpha=-rate)
            return loss.detach()

        compiled = torch.compile(step)
        ours, theirs = (torch.ones(4).requires_grad_() for _ in range(2))
        for k in range(10):
            same(compiled(ours, X, 0.01 / (k + 1)), step(theirs, X, 0.01 / (k + 1)))
        torch.testing.assert_close(ours, theirs)
        assert count(compiled) == 2


class TestManyTraces:
    @pytest.mark.parametrize("kind", ["SGD", "Adam"])
    def test_a_scheduler_does_not_make_new_ones(self, kind: str) -> None:
        w = torch.ones(4, requires_grad=True)
        optimizer = getattr(torch.optim, kind)([w], lr=0.1)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

        @torch.compile
        def step(x: Any) -> Any:
            optimizer.zero_grad()
            loss = ((w * x - 1) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(12):
            step(X)
            scheduler.step()
        assert count(step) <= 2  # the first finds no state

    def test_one_line_says_what_keeps_changing(self) -> None:
        function = torch.compile(lambda x, scale, *, size: x[0] * int(size) * scale)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            for n in range(MANY + 6):
                function(X, 2.0, size=n)
        (line,) = found
        assert f"{MANY} times" in str(line.message)
        assert f"argument size keeps changing (the last ones: {MANY - 3}, {MANY - 2}, {MANY - 1})" in str(line.message)
        assert line.filename == __file__

    def test_shapes_keep_the_way_short(self) -> None:
        function = torch.compile(lambda x: x * 2 + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for n in range(1, 300):
                x = torch.ones(n)
                assert function(x).shape == (n,)
        assert len(function._entries) <= 8
        assert function(torch.ones(299))[0].item() == 3.0


def test_explain_says_it() -> None:
    function = torch.compile(lambda x, n: x * n)
    for n in (0.5, 0.25, 0.125):
        function(X, n)
    assert "2. (float32[4], any float)" in function.explain()
    assert "0.5 became any float" in function.explain()


def test_what_cannot_be_traced_is_not_tried_with_all_numbers() -> None:
    """With ``fallback=True`` the keys of calls that run eagerly do not pile up."""
    ran: list[Any] = []

    def f(x: Any, n: Any) -> Any:
        ran.append(type(x._data).__name__)
        return x * n if x.sum() > 0 else x - n

    compiled = torch.compile(f, fallback=True)
    x = torch.ones(3)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert [compiled(x, n).tolist() for n in range(100)] == [[float(n)] * 3 for n in range(100)]
        assert [compiled(x, n / 8).tolist() for n in range(100)] == [[n / 8] * 3 for n in range(100)]
    assert len(said) == 16  # eight ints, eight floats
    assert ran.count("ndarray") == 200
    assert len(ran) <= 240
    assert len(compiled._eager) == 2
    assert compiled.explain().count("needs the values") == 2
