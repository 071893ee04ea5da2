"""What a compiled function's names stood for guards its program: numbers, tensors, helpers' names, modules' methods."""

from __future__ import annotations

from functools import partial
from typing import Any

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
    assert [_values(f(x)), COUNT] == [[2.0] * 3, 2]
    monkeypatch.setattr(f"{__name__}.SCALE", -1.0)  # a name in a function that it calls
    assert [_values(f(x)), _values(f(x)), COUNT] == [[-1.0] * 3, [-1.0] * 3, 3]
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
