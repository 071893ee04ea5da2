"""What compiled functions take from objects, lists and dictionaries, which may be other at the next call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import wengert


@dataclasses.dataclass
class Settings:
    k: float = 2.0
    weight: Any = None


class Model:
    """An ordinary class with a compiled method."""

    scale = 1.0

    def __init__(self) -> None:
        self.rate, self.steps, self.weight = 2.0, 0, wengert.ones(2)
        self.inner = Settings()
        self.table = {"w": wengert.ones(2), "n": [1.0]}

    def helper(self, x: Any) -> Any:
        return x * self.inner.k * self.scale

    @wengert.compile
    def run(self, x: Any) -> Any:
        traces.append(1)
        return self.helper(x) * self.rate * self.weight * self.table["w"] * self.table["n"][0]


traces: list[int] = []


def _set(name: str, value: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        *path, last = name.split(".")
        for part in path:
            model = getattr(model, part)
        setattr(model, last, value)

    return change


CHANGES: list[Callable[[Any], Any]] = [
    _set("rate", 3.0),
    _set("scale", 5.0),
    _set("weight", wengert.full((2,), 7.0)),
    _set("inner.k", 4.0),
    _set("inner", Settings(6.0)),
    lambda model: model.table.update(w=wengert.full((2,), 3.0)),
    lambda model: model.table["n"].__setitem__(0, 9.0),
    lambda model: model.weight.mul_(2),
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_attributes_of_self(number: int) -> None:
    model, x = Model(), wengert.tensor([1.0, 2.0])
    run = Model.run._function
    assert model.run(x).tolist() == run(model, x).tolist()
    CHANGES[number](model)
    for _ in range(2):
        assert model.run(x).tolist() == run(model, x).tolist()


def test_attributes_that_the_function_does_not_name_are_not_watched() -> None:
    model, x = Model(), wengert.ones(2)
    model.run(x)
    traces.clear()
    for _ in range(5):
        model.steps += 1
        model.run(x)
    assert not traces


@pytest.mark.parametrize("make", [Settings, lambda: SimpleNamespace(k=2.0), type("Plain", (), {"k": 2.0})])
def test_objects_as_arguments(make: Callable[[], Any]) -> None:
    f = wengert.compile(lambda x, c: x * c.k)
    c, x = make(), wengert.ones(2)
    assert f(x, c).tolist() == [2.0, 2.0]
    c.k = 5.0
    assert f(x, c).tolist() == [5.0, 5.0]
    other = make()
    assert f(x, other).tolist() == [2.0, 2.0]
    c.k = 2.0
    assert f(x, c).tolist() == [2.0, 2.0]


def test_a_bound_method_and_a_closure() -> None:
    model, x = Model(), wengert.ones(2)
    bound = wengert.compile(model.helper)
    around = wengert.compile(lambda x: x * model.rate)
    bound(x), around(x)
    model.inner.k = model.rate = 10.0
    assert bound(x).tolist() == around(x).tolist() == [10.0, 10.0]


def test_containers_in_closures() -> None:
    numbers, tensors, x = [1.0, 2.0], {"w": wengert.ones(2)}, wengert.ones(2)
    f = wengert.compile(lambda x: x * sum(numbers) * sum(tensors.values()))
    assert f(x).tolist() == [3.0, 3.0]
    numbers.append(3.0)
    assert f(x).tolist() == [6.0, 6.0]
    tensors["w"] = tensors["w"] * 2
    assert f(x).tolist() == [12.0, 12.0]
    tensors["v"] = wengert.ones(2)
    assert f(x).tolist() == [18.0, 18.0]
    numbers.append(numbers)  # type: ignore[arg-type]
    numbers.pop()
    assert f(x).tolist() == [18.0, 18.0]


def test_sets_as_arguments() -> None:
    f = wengert.compile(lambda x, s: x * len(s))
    s = {1}
    assert f(wengert.ones(1), s).tolist() == [1.0]
    s.add(2)
    assert f(wengert.ones(1), s).tolist() == [2.0]


def test_other_methods_of_modules() -> None:
    class Net(wengert.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = 2.0
            self.weight = wengert.nn.Parameter(wengert.ones(2))

        @wengert.compile
        def other(self, x: Any) -> Any:
            return x * self.weight * self.factor

    net, x = Net(), wengert.ones(2)
    around = wengert.compile(lambda x: x * net.factor)
    assert net.other(x).tolist() == around(x).tolist() == [2.0, 2.0]
    net.factor = 3.0
    assert net.other(x).tolist() == around(x).tolist() == [3.0, 3.0]
    net.weight = wengert.nn.Parameter(wengert.zeros(2))
    assert net.other(x).tolist() == [0.0, 0.0]
    net = Net()
    assert net.other(x).tolist() == around(x).tolist() == [2.0, 2.0]


def test_what_runs_after_the_call_is_refused() -> None:
    def generator(x: Any) -> Any:
        yield x * 2

    async def coroutine(x: Any) -> Any:
        return x * 2

    for function in (generator, coroutine):
        with pytest.raises(RuntimeError, match="runs only after the call"):
            wengert.compile(function)(wengert.ones(2))
    with pytest.warns(UserWarning, match="runs eagerly"):
        (y,) = wengert.compile(generator, fallback=True)(wengert.ones(2))
    assert y.tolist() == [2.0, 2.0]


def test_inference_mode_is_another_mode_than_no_grad() -> None:
    def function(x: Any) -> Any:
        with wengert.enable_grad():
            y = x * 2
        return y, wengert.is_inference_mode_enabled()

    compiled = wengert.compile(function)
    for mode in (wengert.no_grad, wengert.inference_mode, wengert.enable_grad, wengert.no_grad):
        x = wengert.ones(2, requires_grad=True)
        with mode():
            (a, is_inference), (b, expected) = compiled(x), function(x)
        assert (a.requires_grad, a.is_inference(), is_inference) == (b.requires_grad, b.is_inference(), expected)
    assert "in inference mode" in compiled.explain()
