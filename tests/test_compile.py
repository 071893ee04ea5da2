"""Compiled functions: what is traced, what is guarded, what is refused, and how they live with the rest of autograd."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np
import pytest

import wengert as torch
from wengert.compile import execute
from wengert.compile.function import CompiledFunction


def close(a: Any, b: Any) -> bool:
    return bool(np.allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-6, atol=1e-7))


class Counting:
    """A function that counts how often Python runs it."""

    def __init__(self, function: Any) -> None:
        self.function, self.runs = function, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.runs += 1
        return self.function(*args, **kwargs)


class TestCalls:
    def test_as_decorator_with_and_without_arguments(self) -> None:
        @torch.compile
        def f(x):
            return x + 1

        @torch.compile(fallback=True)
        def g(x):
            return x + 2

        assert isinstance(f, CompiledFunction)
        assert f.__name__ == "f"
        assert f(torch.zeros(2)).tolist() == [1, 1]
        assert g(torch.zeros(2)).tolist() == [2, 2]
        assert repr(f) == f"<compiled {f.__qualname__}>"

    def test_something_else_is_no_function(self) -> None:
        with pytest.raises(TypeError, match="expected a function, got int"):
            torch.compile(3)

    def test_containers_go_in_and_out(self) -> None:
        class Pair(NamedTuple):
            a: Any
            b: Any

        @torch.compile
        def f(pair, *, options):
            return {"sum": pair.a + pair.b, "rest": [options["k"], None, Pair(pair.a * 2, "text")]}

        x, y = torch.ones(2), torch.full((2,), 3.0)
        got = f(Pair(x, y), options={"k": 5})
        assert got["sum"].tolist() == [4, 4]
        assert got["rest"][:2] == [5, None]
        assert isinstance(got["rest"][2], Pair)
        assert got["rest"][2].a.tolist() == [2, 2]

    def test_arrays_are_taken_as_tensors(self) -> None:
        f = torch.compile(lambda a: torch.sin(a))
        assert close(f(np.array([1.0, 2.0])), torch.sin(torch.tensor([1.0, 2.0], dtype=torch.float64)))

    def test_an_argument_that_comes_back_is_the_same_object(self) -> None:
        w = torch.ones(2)
        f = torch.compile(lambda x: (x, w, x + w))
        x = torch.ones(2)
        got = f(x)
        assert got[0] is x
        assert got[1] is w

    def test_results_share_no_memory_with_arguments(self) -> None:
        x = torch.ones(2, 2)
        for f in (lambda x: x.t(), lambda x: x.detach(), lambda x: x.view(-1)):
            y = torch.compile(f)(x)
            y.fill_(7)
            assert x.tolist() == [[1, 1], [1, 1]]

    def test_inside_another_compiled_function_it_is_part_of_that(self) -> None:
        inner = torch.compile(lambda x: x * 2)
        outer = torch.compile(lambda x: inner(x) + 1)
        assert [e.op.name for e in outer.program(torch.ones(2)).equations] == ["mul", "add"]


class TestSignatures:
    def test_python_runs_once_for_a_signature(self) -> None:
        f = Counting(lambda x, k: x * k)
        c = torch.compile(f)
        for _ in range(3):
            c(torch.ones(3), 2)
        assert f.runs == 1
        c(torch.ones(3), 3)  # another number
        c(torch.ones(4), 3)  # another shape
        c(torch.ones(4, dtype=torch.float64), 3)
        c(torch.ones(4, requires_grad=True), 3)
        with torch.no_grad():
            c(torch.ones(4), 3)
        assert f.runs == 6
        c(torch.ones(4), 3)
        assert f.runs == 6

    @pytest.mark.parametrize("n", [3, 100])
    def test_sizes_that_the_function_reads(self, n: int) -> None:
        functions = [
            lambda x: x * x.shape[0],
            lambda x: x.sum() / x.shape[0],
            lambda x: x.sum() / float(x.numel()) + len(x),
            lambda x: x * 2 if x.shape[0] > n else x,
        ]
        for f in functions:
            c = torch.compile(f)
            for size in (n, 2 * n, n, n + 1, 2 * n):
                x = torch.ones(size)
                assert c(x).tolist() == f(x).tolist()

    def test_numbers_that_are_equal_but_not_alike(self) -> None:
        c = torch.compile(lambda x, k: x * k)
        x = torch.tensor([2])
        assert c(x, 1).dtype is torch.int64
        assert c(x, 1.0).dtype is torch.float32
        assert c(x, True).dtype is torch.int64

    def test_signed_zeros_are_different_numbers(self) -> None:
        c = torch.compile(lambda x, k: x * k)
        assert np.signbit(c(torch.ones(1), -0.0).numpy())[0]
        assert not np.signbit(c(torch.ones(1), 0.0).numpy())[0]

    def test_other_objects_count_by_identity(self) -> None:
        class Config:
            __hash__ = None  # type: ignore[assignment]

            def __init__(self, k: int) -> None:
                self.k = k

        f = Counting(lambda x, config: x * config.k)
        c = torch.compile(f)
        a, b = Config(2), Config(3)
        assert [c(torch.ones(1), k).item() for k in (a, b, a)] == [2, 3, 2]
        assert f.runs == 2


class TestSurroundings:
    def test_tensors_are_read_anew(self) -> None:
        w = torch.ones(2)
        f = Counting(lambda x: x + w)
        c = torch.compile(f)
        c(torch.zeros(2))
        w.mul_(5)
        assert c(torch.zeros(2)).tolist() == [5, 5]
        w.data = torch.full((2,), 7.0)
        assert c(torch.zeros(2)).tolist() == [7, 7]
        assert f.runs == 1

    def test_what_is_computed_from_them_is_computed_anew(self) -> None:
        w = torch.ones(2, requires_grad=True)
        c = torch.compile(lambda x: x + (w * 2).exp().t())
        c(torch.zeros(2))
        with torch.no_grad():
            w.zero_()
        y = c(torch.zeros(2))
        assert y.tolist() == [1, 1]
        y.sum().backward()
        assert w.grad.tolist() == [2, 2]

    def test_a_tensor_that_changes_its_type_is_traced_again(self) -> None:
        w = torch.ones(2)
        f = Counting(lambda x: x * w)
        c = torch.compile(f)
        assert not c(torch.ones(2)).requires_grad
        w.requires_grad_()
        assert c(torch.ones(2)).requires_grad
        assert f.runs == 2

    def test_gradients_flow_to_them(self) -> None:
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        hidden = w * 3  # a result from outside
        c = torch.compile(lambda x: (x * hidden * w).sum())
        c(torch.ones(2)).backward(retain_graph=True)
        assert w.grad.tolist() == [6, 12]

    def test_tensors_made_inside_are_new_at_each_call(self) -> None:
        def f(x):
            buffer = torch.zeros(2)
            buffer += x
            buffer[0] = 9
            return buffer

        c = torch.compile(f)
        for _ in range(3):
            assert c(torch.ones(2)).tolist() == [9, 1]


class TestGradients:
    def test_one_node_for_a_call(self) -> None:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = torch.compile(lambda x: (x.sin() * x).sum())(x)
        assert type(y.grad_fn).__name__ == "CompiledFunctionBackward"
        assert y.grad_fn.next_functions[0][0].name() == "torch::autograd::AccumulateGrad"

    def test_several_results_and_unused_ones(self) -> None:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        a, b = torch.compile(lambda x: (x * 2, x * x))(x)
        b.sum().backward()
        assert x.grad.tolist() == [2, 4]
        del a

    def test_orders(self) -> None:
        c = torch.compile(lambda x: (x**4).sum())
        x = torch.tensor([2.0], requires_grad=True)
        y = c(x)
        want = [32.0, 48.0, 48.0, 24.0]
        for order, value in enumerate(want):
            (y,) = torch.autograd.grad(y.sum(), x, create_graph=order < 3)
            assert y.tolist() == [value]

    def test_one_tensor_given_twice(self) -> None:
        x = torch.tensor([2.0], requires_grad=True)
        (g,) = torch.autograd.grad(torch.compile(lambda a, b: (a * b * a).sum())(x, x), x, create_graph=True)
        assert g.tolist() == [12]
        assert torch.autograd.grad(g.sum(), x)[0].tolist() == [12]

    def test_freed_after_one_pass(self) -> None:
        x = torch.tensor([2.0], requires_grad=True)
        y = torch.compile(lambda x: x.exp())(x)
        y.backward(retain_graph=True)
        y.backward()
        with pytest.raises(RuntimeError, match="second time"):
            y.backward()

    def test_an_argument_written_after_the_call_is_noticed(self) -> None:
        x = torch.tensor([2.0], requires_grad=True)
        h = x * 1
        y = torch.compile(lambda h: h * h)(h)
        with torch.no_grad():
            h.zero_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()

    def test_a_result_written_after_the_call_is_noticed(self) -> None:
        x = torch.tensor([2.0], requires_grad=True)
        y = torch.compile(lambda x: x.exp())(x)
        y.detach().zero_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()

    def test_detach_and_no_grad_inside(self) -> None:
        def f(x):
            with torch.no_grad():
                k = x * 3
            return (x * k + x.detach() ** 2 * x).sum()

        x = torch.tensor([2.0], requires_grad=True)
        for g in (f, torch.compile(f)):
            (first,) = torch.autograd.grad(g(x), x, create_graph=True)
            assert first.tolist() == [10]

    def test_custom_functions(self) -> None:
        class Straight(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return torch.round(x)

            @staticmethod
            def backward(ctx, g):
                return g * 5

        def f(x):
            return (Straight.apply(x * x) * 2).sum()

        x = torch.tensor([1.2, 2.0], requires_grad=True)
        found = []
        for g in (f, torch.compile(f)):
            (first,) = torch.autograd.grad(g(x), x, create_graph=True)
            (second,) = torch.autograd.grad(first.sum(), x)
            found.append((first.tolist(), second.tolist()))
        assert found[0] == found[1]

    def test_hooks_inside(self) -> None:
        def f(x):
            h = x * 2
            h.register_hook(lambda g: g * 10)
            return h.sum()

        x = torch.ones(2, requires_grad=True)
        torch.compile(f)(x).backward()
        assert x.grad.tolist() == [20, 20]

    def test_grad_inside(self) -> None:
        def f(x):
            x = x.detach().requires_grad_()
            (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
            (gg,) = torch.autograd.grad(g.sum(), x)
            return g.detach(), gg

        c = torch.compile(f)
        g, gg = c(torch.tensor([2.0]))
        assert (g.item(), gg.item()) == (12, 12)
        assert not gg.requires_grad

    def test_a_refused_derivative_counts_only_if_asked_for(self) -> None:
        w = torch.ones(2, requires_grad=True)

        def f(x):
            loss = (w * x).sum()
            loss.backward()
            return loss

        loss = torch.compile(f)(torch.ones(2))
        assert loss.item() == 2
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()


class TestEffects:
    def test_a_training_step(self) -> None:
        rng = np.random.default_rng(0)
        data = torch.tensor(rng.standard_normal((8, 3)), dtype=torch.float32)

        def make():
            w = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
            m = torch.zeros(3)

            def step(x):
                w.grad = None
                loss = ((x @ w) ** 2).mean()
                loss.backward()
                with torch.no_grad():
                    m.mul_(0.9).add_(w.grad)
                    w.sub_(0.1 * m)
                return loss.detach()

            return w, m, step

        (w, m, step), (v, n, plain) = make(), make()
        counted = Counting(step)
        compiled = torch.compile(counted)
        for _ in range(5):
            assert close(compiled(data), plain(data))
            assert close(w, v)
            assert close(m, n)
            assert close(w.grad, v.grad)
        assert counted.runs <= 2
        assert w.is_leaf

    def test_gradients_add_up(self) -> None:
        w = torch.ones(2, requires_grad=True)
        c = torch.compile(lambda x: (w * x).sum().backward())
        for k in (1, 2, 3):
            c(torch.ones(2))
            assert w.grad.tolist() == [k, k]

    def test_an_argument_is_written(self) -> None:
        c = torch.compile(lambda x: x.add_(1))
        x = torch.zeros(2)
        version = x._version
        assert c(x) is x
        assert c(x) is x
        assert x.tolist() == [2, 2]
        assert x._version == version + 2

    def test_writes_through_views_and_aliases(self) -> None:
        def f(x):
            v = x[1:].view(-1)
            v.mul_(10)
            x.detach()[0] = 5
            x.data.add_(1)
            return v * 1

        x, y = torch.ones(3, 2), torch.ones(3, 2)
        assert torch.compile(f)(x).tolist() == f(y).tolist()
        assert x.tolist() == y.tolist()

    def test_one_tensor_given_twice(self) -> None:
        def f(a, b):
            a.add_(1)
            return a * b

        c = torch.compile(f)
        for g in (f, c):
            x = torch.ones(2)
            assert g(x, x).tolist() == [4, 4]
            assert g(torch.ones(2), torch.ones(2)).tolist() == [2, 2]

    def test_overlapping_tensors_one_of_them_written(self) -> None:
        x = torch.ones(3)
        with pytest.raises(RuntimeError, match="overlaps"):
            torch.compile(lambda a, b: a.add_(b))(x[:2], x[1:])

    def test_a_tracked_write_to_the_outside_is_refused(self) -> None:
        w = torch.ones(2, requires_grad=True)
        x = torch.zeros(2)
        with pytest.raises(RuntimeError, match="Return the value instead"):
            torch.compile(lambda: x.add_(w))()
        assert x.tolist() == [0, 0]

    def test_no_effect_of_tracing_remains(self) -> None:
        w = torch.ones(2, requires_grad=True)
        w.grad = before = torch.full((2,), 4.0)

        def f(x):
            w.grad = None
            (w * x).sum().backward()
            raise KeyError

        with pytest.raises(KeyError):
            torch.compile(f)(torch.ones(2))
        assert w.grad is before or w.grad is None
        assert torch.ones(2).tolist() == [1, 1]


class TestRefusals:
    def test_a_branch_on_a_value_names_the_line(self) -> None:
        def f(x):
            if x.sum() > 0:
                return x
            return -x

        with pytest.raises(RuntimeError, match=r"`if x.sum\(\) > 0:` at test_compile.py:\d+ needs .* torch.where"):
            torch.compile(f)(torch.ones(2))

    @pytest.mark.parametrize(
        "read", [float, int, bool, lambda x: x.item(), lambda x: x.tolist(), lambda x: x.numpy(), lambda x: f"{x:.2f}"]
    )
    def test_values_have_no_way_out(self, read: Any) -> None:
        with pytest.raises(RuntimeError, match="while compile"):
            torch.compile(lambda x: x * bool(read(x.sum())))(torch.ones(2))

    def test_values_of_tensors_from_outside_have_no_way_out_either(self) -> None:
        w = torch.ones(2)
        for read in (lambda: w.sum().item(), lambda: w.numpy().sum(), lambda: float(w[0]), lambda: bool(w.all())):
            with pytest.raises(RuntimeError, match="while compile"):
                torch.compile(lambda x, read=read: x * read())(torch.ones(2))
        assert w.sum().item() == 2

    def test_fallback_says_why_once(self) -> None:
        def f(x):
            return x if x.sum() > 0 else -x

        c = torch.compile(f, fallback=True)
        with pytest.warns(UserWarning, match=r"runs eagerly: `return x if x.sum\(\) > 0 else -x` at"):
            assert c(torch.ones(2)).tolist() == [1, 1]
        assert c(-torch.ones(2)).tolist() == [1, 1]

    def test_shapes_that_depend_on_values(self) -> None:
        with pytest.raises(RuntimeError, match=r"depends on the values.*torch.where"):
            torch.compile(lambda x: x[x > 0])(torch.ones(2))

    def test_random_numbers(self) -> None:
        with pytest.raises(RuntimeError, match="random stream"):
            torch.compile(lambda x: x + torch.poisson(torch.ones(2)))(torch.ones(2))
        assert torch.rand(2).shape == (2,)

    def test_a_leaked_tensor(self) -> None:
        kept = []
        c = torch.compile(lambda x: kept.append(x * 2))
        c(torch.ones(2))
        with pytest.raises(RuntimeError):
            kept[0] + 1
        with pytest.raises(RuntimeError, match="inside a compiled function"):
            torch.compile(lambda x: x + kept[0])(torch.ones(2))

    def test_printing_a_traced_tensor(self) -> None:
        seen = []
        torch.compile(lambda x: seen.append(repr(x)))(torch.ones(2))
        assert seen == ["tensor(traced, size=(2,), dtype=torch.float32)"]

    def test_errors_of_the_function_are_its_own(self) -> None:
        with pytest.raises(RuntimeError, match="must match"):
            torch.compile(lambda x: x + torch.ones(3))(torch.ones(2))
        assert (torch.ones(2) + 1).tolist() == [2, 2]


class TestThreads:
    def test_other_threads_are_not_traced(self) -> None:
        found = []

        def f(x):
            def other():
                found.append((torch.ones(2) * 2).tolist())

            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            return x + 1

        torch.compile(f)(torch.ones(2))
        assert found == [[2, 2]]


class TestIntrospection:
    def test_the_program_names_arguments_then_what_is_captured(self) -> None:
        w = torch.ones(3)
        program = torch.compile(lambda x: x * w).program(torch.ones(2, 3))
        assert str(program).splitlines()[0] == "program(a: f32[2,3], b: f32[3]):"

    def test_explain_says_why_it_was_traced_again(self) -> None:
        f = torch.compile(lambda x, k: (x * k).sum())
        f(torch.ones(3), 2)
        f(torch.ones(4), 2)
        f(torch.ones(4), 3)
        text = f.explain()
        assert "3 specialisations" in text
        assert "this was the first call" in text
        assert "float32[3] became float32[4]" in text
        assert "2 became any int" in text

    def test_explain_with_arguments_times_the_steps(self) -> None:
        f = torch.compile(lambda x: x.sin() @ x)
        assert "gradients: " in (f(torch.ones(2, 2, requires_grad=True)) is not None and f.explain())
        pytest.importorskip("llvmlite")
        assert " us" in f.explain(torch.ones(2, 2))

    def test_loops_and_llvm(self) -> None:
        pytest.importorskip("llvmlite")
        f = torch.compile(lambda x: (x.sin() * x).sum() + torch.linalg.det(x))
        x = torch.ones(8, 8)
        assert "sin(" in f.loops(x)
        assert "call" in f.loops(x)
        assert "define" in f.llvm(x)

    def test_without_machine_code(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(execute, "has_machine_code", lambda: False)
        f = torch.compile(lambda x: x * 2)
        assert f(torch.ones(2)).tolist() == [2, 2]
        assert "NumPy runs the program" in f.loops(torch.ones(2))
        assert "runs on NumPy" in f.explain()
        with pytest.raises(RuntimeError, match="llvmlite is not installed"):
            f.llvm(torch.ones(2))

    def test_one_line_says_that_there_is_no_llvmlite(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        execute.has_machine_code.cache_clear()
        monkeypatch.setattr(execute, "find_spec", lambda name: None)
        for _ in range(2):
            torch.compile(lambda x: x * 2)(torch.ones(2))
        execute.has_machine_code.cache_clear()
        assert capsys.readouterr().err.count("llvmlite is not installed") == 1
