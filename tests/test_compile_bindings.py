"""What a compiled function's names stood for guards its program: numbers, tensors, helpers' names, modules' methods."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

import wengert as torch
from wengert.compile.bindings import Surroundings

SCALE = 2.0
SHIFT = torch.ones(3)
COUNT = 0


def _scaled(x: Any) -> Any:
    return x * SCALE


class _Scaling(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return x * SCALE


def _counted(x: Any) -> Any:
    global COUNT  # noqa: PLW0603  # what a program does
    COUNT += 1
    return _scaled(x) + SHIFT


def _values(t: Any) -> Any:
    return t.tolist()


def test_a_number_and_a_tensor_of_the_module(monkeypatch: Any) -> None:
    monkeypatch.setattr(f"{__name__}.COUNT", 0)
    f, x = torch.compile(_counted), torch.ones(3)
    assert [_values(f(x)), _values(f(x)), COUNT] == [[3.0] * 3, [3.0] * 3, 1]  # its own count is no guard
    monkeypatch.setattr(f"{__name__}.SHIFT", torch.zeros(3))
    assert [_values(f(x)), COUNT] == [[2.0] * 3, 1]  # the program reads another tensor of the same kind
    monkeypatch.setattr(f"{__name__}.SCALE", -1.0)  # a name in a function that it calls
    assert [_values(f(x)), _values(f(x)), COUNT] == [[-1.0] * 3, [-1.0] * 3, 2]
    assert "a name another number or tensor" in f.explain()


def test_a_number_of_the_same_value_is_the_same(monkeypatch: Any) -> None:
    monkeypatch.setattr(f"{__name__}.COUNT", 0)
    f, x = torch.compile(_counted), torch.ones(3)
    f(x)
    monkeypatch.setattr(f"{__name__}.SCALE", float("2"))
    f(x)
    assert COUNT == 1
    monkeypatch.setattr(f"{__name__}.SCALE", 2)  # of another kind, which may promote in another way
    f(x)
    assert COUNT == 2


def test_variables_of_the_function_around() -> None:
    scale, offset = 1.0, torch.ones(2)

    def inner(x: Any) -> Any:
        return x * scale + offset

    f, g = torch.compile(inner), torch.compile(torch.func.grad(lambda x: inner(x).sum()))
    x = torch.ones(2)
    assert (_values(f(x)), _values(g(x))) == ([2.0, 2.0], [1.0, 1.0])
    scale, offset = 3.0, torch.zeros(2)
    assert (_values(f(x)), _values(g(x))) == ([3.0, 3.0], [3.0, 3.0])


def test_methods_partial_functions_and_modules(monkeypatch: Any) -> None:
    x, net = torch.ones(2), _Scaling()
    functions = [
        torch.compile(net),
        torch.compile(lambda x: net(x)),
        torch.compile(partial(lambda y, x: y * _scaled(x), 1.0)),
        torch.compile(torch.nn.Sequential(torch.nn.ReLU(), net)),
        torch.compile(torch.func.vmap(_scaled)),
    ]
    assert [_values(f(x)) for f in functions] == [[2.0, 2.0]] * 5
    monkeypatch.setattr(f"{__name__}.SCALE", 5.0)
    assert [_values(f(x)) for f in functions] == [[5.0, 5.0]] * 5


def test_functions_without_such_names_have_no_guards() -> None:
    assert not Surroundings(torch.func.grad_and_value(lambda x, w: (x * w).sum(), (0, 1))).guards
    assert Surroundings(torch.func.grad_and_value(_scaled)).guards


def test_a_name_that_is_bound_later() -> None:
    def f(x: Any) -> Any:
        return x + late if x.ndim else x

    compiled = torch.compile(f)
    assert _values(compiled(torch.tensor(1.0))) == 1.0
    late = 2.0
    assert _values(compiled(torch.ones(1))) == [3.0]


def test_what_a_function_changes_unseen_is_no_guard_after_a_while() -> None:
    """Its code does not say that it sets the attribute: at first another thread may have done so."""
    seen = SimpleNamespace(count=0, scale=2.0)
    traced: list[int] = []

    def f(x: Any) -> Any:
        vars(seen).__ior__({"count": seen.count + 1})
        traced.append(seen.count)
        return x * seen.scale

    compiled, x = torch.compile(f), torch.ones(2)
    assert [_values(compiled(x)) for _ in range(20)] == [[2.0, 2.0]] * 20
    assert len(traced) == 8
    seen.scale = 3.0
    assert _values(compiled(x)) == [3.0, 3.0]


def test_what_a_function_says_that_it_changes_is_no_guard() -> None:
    seen = SimpleNamespace(count=0, scale=2.0)

    def f(x: Any) -> Any:
        seen.count += 1
        return x * seen.scale

    compiled, x = torch.compile(f), torch.ones(2)
    assert [_values(compiled(x)) for _ in range(3)] == [[2.0, 2.0]] * 3
    assert seen.count == 1


def test_methods_of_modules_that_are_replaced() -> None:
    net = _Scaling()
    compiled, x = torch.compile(lambda x: net(x) + net.training), torch.ones(2)
    assert _values(compiled(x)) == [3.0, 3.0]
    net.eval()
    assert _values(compiled(x)) == [2.0, 2.0]
    net.forward = lambda x: x - 1
    assert _values(compiled(x)) == [0.0, 0.0]
    handle = net.register_forward_hook(lambda module, args, y: y + 5)
    assert _values(compiled(x)) == [5.0, 5.0]
    handle.remove()
    assert _values(compiled(x)) == [0.0, 0.0]


def test_functional_call_of_a_compiled_module() -> None:
    net = torch.nn.Linear(2, 1)
    compiled, x = torch.compile(net), torch.ones(2)
    want = _values(compiled(x))
    given = {"_orig_mod.weight": torch.ones(1, 2), "_orig_mod.bias": torch.ones(1)}
    assert _values(torch.func.functional_call(compiled, given, (x,))) == [3.0]
    assert _values(compiled(x)) == want


def test_an_exception_in_an_attribute_goes_to_the_function() -> None:
    class Source:
        fails: Any = None

        def __getattr__(self, name: str) -> Any:
            if self.fails is not None:
                raise self.fails
            return 2.0

    source = Source()
    compiled, x = torch.compile(lambda x: x * source.rate), torch.ones(1)
    assert _values(compiled(x)) == [2.0]
    for error in (ValueError("no rate"), KeyboardInterrupt(), RuntimeError("none")):
        source.fails = error
        with pytest.raises(type(error)):
            compiled(x)
    source.fails = None
    assert _values(compiled(x)) == [2.0]


def test_references_of_what_is_compared() -> None:
    """Looking at names, attributes, items and methods neither loses nor keeps references."""
    table, scale, rows = {"rate": 123456}, 654321.5, [object(), 2.5]
    holder = SimpleNamespace(value=1.25)

    class Stepper:
        def step(self, x: Any) -> Any:
            return x * holder.value

    stepper = Stepper()
    compiled = torch.compile(lambda x: stepper.step(x) * table["rate"] * scale * rows[1] + SHIFT)
    x = torch.ones(3)
    compiled(x)
    gc.collect()  # what the trace has left behind
    watched = [table, table["rate"], scale, rows, *rows, holder, holder.value, stepper, Stepper.step, SHIFT, x]
    before = [sys.getrefcount(each) for each in watched]
    for _ in range(10_000):
        compiled(x)
    assert [sys.getrefcount(each) for each in watched] == before


def test_what_is_compared_goes_with_the_function() -> None:
    def made() -> Any:
        holder = type("Holder", (), {})()
        holder.value = torch.ones(2)
        compiled = torch.compile(lambda x: x * holder.value)
        compiled(torch.ones(2))
        return weakref.ref(holder)

    gone = made()
    gc.collect()
    assert gone() is None


def test_another_tensor_of_the_same_kind_needs_no_trace() -> None:
    """What it is bound to anew is read, and what it was bound to before is let go."""
    traced: list[int] = []
    weights = [torch.ones(3), torch.ones(3)]

    def f(x: Any) -> Any:
        traced.append(1)
        a, b = weights
        return (x * a).sum() - (x * b).sum()

    compiled, x = torch.compile(f), torch.ones(3)
    assert compiled(x).item() == 0.0
    gone = []
    for step in range(1, 30):
        gone.append(weakref.ref(weights[step % 2]))
        weights[step % 2] = torch.full((3,), float(step))
        assert [compiled(x).item(), compiled(x).item()] == [f(x).item()] * 2
    gc.collect()
    assert len(traced) == 1 + 29
    assert [each() for each in gone[2:-1]] == [None] * 26
    for new in (torch.ones(3, dtype=torch.float64), torch.ones(3, requires_grad=True), torch.tensor(2.0)):
        weights[0] = new
        assert [compiled(x).item(), compiled(x).dtype] == [f(x).item(), f(x).dtype]
    weights[0] = weights[1]
    assert compiled(x).item() == 0.0


def test_gradients_to_a_tensor_that_was_exchanged() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    traced: list[int] = []

    def loss(x: Any) -> Any:
        traced.append(1)
        return (x * w * w).sum()

    compiled, x = torch.compile(loss), torch.ones(2)
    for _ in range(5):
        compiled(x).backward()
        assert _values(w.grad) == _values(2 * w.detach())
        w = (w - 0.25 * w.grad).detach().requires_grad_()
    assert len(traced) == 1
    first, old = compiled(x), w
    (once,) = torch.autograd.grad(first, old, create_graph=True)
    assert _values(torch.autograd.grad(once.sum(), old)[0]) == [2.0, 2.0]
    first = compiled(x)
    w = torch.tensor([5.0, 5.0], requires_grad=True)
    compiled(x)
    assert _values(torch.autograd.grad(first, old, retain_graph=True)[0]) == _values(2 * old.detach())
    with pytest.raises(RuntimeError, match="replaced by another one after the call"):
        torch.autograd.grad(first, old, create_graph=True)


def test_two_names_of_one_tensor() -> None:
    pair = {"a": torch.ones(2), "b": None}
    pair["b"] = pair["a"]
    compiled, x = torch.compile(lambda x: x * pair["a"] - x * pair["b"]), torch.ones(2)
    assert _values(compiled(x)) == [0.0, 0.0]
    pair["a"] = torch.full((2,), 3.0)
    assert _values(compiled(x)) == [2.0, 2.0]
    pair["b"] = torch.full((2,), 2.0)
    assert _values(compiled(x)) == [1.0, 1.0]
    pair["a"] = pair["b"]
    assert _values(compiled(x)) == [0.0, 0.0]


def test_tensors_that_are_exchanged_while_others_call() -> None:
    tables = [SimpleNamespace(w=torch.full((50_000,), 1.0)) for _ in range(2)]
    compiled = torch.compile(lambda x: (x * tables[0].w).sum() + (x * tables[1].w).sum())
    x = torch.ones(50_000)
    compiled(x)
    wrong: list[Any] = []
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            y = compiled(x).item() / 50_000
            if y not in (2.0, 3.0, 4.0):
                wrong.append(y)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for step in range(200):
        table = tables[step % 2]
        table.w = torch.full((50_000,), 3.0 - table.w[0].item())
        want = tables[0].w[0].item() + tables[1].w[0].item()
        if compiled(x).item() != want * 50_000:
            wrong.append((step, want))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_memory_that_is_given_away_while_a_kernel_reads_it() -> None:
    n = 300_000
    w, x = torch.ones(n), torch.ones(n)
    compiled = torch.compile(lambda x: torch.exp(torch.sin(x * w)).sum())
    want = compiled(x).item()
    before = sys.getrefcount(w._data), sys.getrefcount(x._data)
    for _ in range(50):
        compiled(x)
    assert (sys.getrefcount(w._data), sys.getrefcount(x._data)) == before
    done = threading.Event()

    def exchange() -> None:
        while not done.is_set():
            w.data, x.data = torch.ones(n), torch.ones(n)
            torch.full((n,), 7.0)

    thread = threading.Thread(target=exchange)
    thread.start()
    assert [compiled(x).item() for _ in range(100)] == [want] * 100
    done.set()
    thread.join()


class _Trainer:
    def __init__(self) -> None:
        self.rate = 2.0
        self.settings = SimpleNamespace(shift=1.0)
        self.losses: list[float] = []

    @torch.compile
    def step(self, x: Any) -> Any:
        return x * self.rate + self.settings.shift

    @torch.compile
    def summed(self, x: Any, settings: Any = None) -> Any:
        return torch.func.grad(lambda x: (x * x * self.rate).sum())(x) + (settings or self.settings).shift


class _Compiled(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rate = 2.0

    @torch.compile
    def forward(self, x: Any) -> Any:
        return x * self.rate


def test_attributes_of_what_is_passed_as_an_argument() -> None:
    """The object whose method is compiled, and settings."""
    a, b, x = _Trainer(), _Trainer(), torch.ones(2)
    b.rate = 5.0
    for _ in range(2):
        assert [_values(a.step(x)), _values(b.step(x))] == [[3.0] * 2, [6.0] * 2]
        a.losses.append(1.0)
    a.rate, b.settings.shift = 3.0, -5.0
    assert [_values(a.step(x)), _values(b.step(x))] == [[4.0] * 2, [0.0] * 2]
    a.settings = SimpleNamespace(shift=0.0)
    assert _values(a.step(x)) == [3.0] * 2
    assert _values(a.summed(x)) == [6.0] * 2
    own = SimpleNamespace(shift=10.0)
    assert _values(a.summed(x, own)) == _values(a.summed(x, settings=own)) == [16.0] * 2
    own.shift = 20.0
    assert _values(a.summed(x, own)) == _values(a.summed(x, settings=own)) == [26.0] * 2


def test_attributes_of_what_lies_in_an_argument() -> None:
    own, x = SimpleNamespace(shift=10.0), torch.ones(2)
    functions = [
        torch.compile(lambda x, table: x + table["own"].shift),
        torch.compile(torch.func.vmap(lambda x, table: x + table["own"].shift, in_dims=(0, None))),
    ]
    assert [_values(f(x, {"own": own})) for f in functions] == [[11.0] * 2] * 2
    own.shift = 20.0
    assert [_values(f(x, {"own": own})) for f in functions] == [[21.0] * 2] * 2


def test_attributes_of_a_module_whose_method_is_compiled() -> None:
    net, x = _Compiled(), torch.ones(2)
    assert _values(net(x)) == [2.0] * 2
    net.rate = 3.0
    assert _values(net(x)) == [3.0] * 2
