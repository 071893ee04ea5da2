"""What a compiled function does to its arguments besides writing: their ``.grad`` and ``requires_grad``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import wengert


def _accumulates(w: Any, x: Any) -> Any:
    ((w * x) ** 2).sum().backward()
    return w.grad * 1


def _clears(w: Any, x: Any) -> Any:
    w.grad = None
    ((w * x) ** 2).sum().backward()
    return w.grad * 1


def _branches(w: Any, x: Any) -> Any:
    return x * 2 if w.grad is None else x * 3


def _scales(w: Any, x: Any) -> Any:
    if w.grad is not None:
        w.grad.mul_(2)
    return x * 1


@pytest.mark.parametrize("function", [_accumulates, _clears, _branches, _scales])
@pytest.mark.parametrize("first", [False, True])
def test_the_gradient_of_an_argument(function: Callable[..., Any], first: bool) -> None:
    outcomes = []
    for f in (function, wengert.compile(function)):
        found = []
        for has_gradient in (first, not first, first):
            w = wengert.tensor([1.0, 2.0], requires_grad=True)
            if has_gradient:
                w.grad = wengert.tensor([3.0, 5.0])
            for _ in range(2):
                y = f(w, wengert.tensor([3.0, 1.0]))
                found.append((y.tolist(), None if w.grad is None else w.grad.tolist()))
        outcomes.append(found)
    assert outcomes[0] == outcomes[1]


def test_whether_a_tensor_from_outside_has_a_gradient_is_a_guard() -> None:
    class Holder:
        w = wengert.ones(3, requires_grad=True)

    f = wengert.compile(lambda x: x * 2 if Holder.w.grad is None else x * 3)
    for gradient, expected in ((None, 2.0), (None, 2.0), (wengert.ones(3), 3.0), (wengert.ones(3), 3.0), (None, 2.0)):
        Holder.w.grad = gradient
        assert f(wengert.ones(1)).tolist() == [expected]
    g = wengert.compile(lambda x: x * 2 if Holder.w.grad is None else x * 3)
    for gradient, expected in ((wengert.ones(3), 3.0), (None, 2.0), (wengert.ones(3), 3.0)):
        Holder.w.grad = gradient
        assert g(wengert.ones(1)).tolist() == [expected]


def _switch_on(x: Any) -> Any:
    y = x * 2
    x.requires_grad_()
    return (y * x).sum()


def _switch_on_and_back(x: Any) -> Any:
    x.requires_grad_()
    loss = (x * x).sum()
    loss.backward()
    return loss.detach()


def _switch_off(x: Any) -> Any:
    x.requires_grad = False
    return x * 2


def _detach(x: Any) -> Any:
    x.detach_()
    return x * 2


def _detach_and_switch_on(x: Any) -> Any:
    return (x.detach_().requires_grad_() * 2).sum()


@pytest.mark.parametrize(
    "function", [_switch_on, _switch_on_and_back, _switch_off, _detach, _detach_and_switch_on, lambda x: x * 1]
)
@pytest.mark.parametrize("kind", ["untracked", "leaf", "result"])
def test_requires_grad_of_an_argument(function: Callable[..., Any], kind: str) -> None:
    if function is _switch_on_and_back and kind == "result":
        return
    outcomes = []
    for f in (function, wengert.compile(function)):
        base = wengert.tensor([1.0, 2.0], requires_grad=kind != "untracked")
        x = base * 3 if kind == "result" else base
        found: list[Any] = []
        for _ in range(2):
            try:
                y = f(x)
            except RuntimeError as error:
                found.append(str(error)[:60])
                continue
            found += [y.tolist(), y.requires_grad, x.requires_grad, x.is_leaf]
            if y.requires_grad and not y.ndim:
                y.backward(retain_graph=True)
            found += [None if t.grad is None else t.grad.tolist() for t in (base, x) if t.is_leaf]
        outcomes.append(found)
    assert outcomes[0] == outcomes[1]


def test_a_backward_pass_that_leaves_the_function_is_refused() -> None:
    x = wengert.ones(2, requires_grad=True) * 2

    @wengert.compile
    def f(x: Any) -> Any:
        (x * x).sum().backward()
        return x * 1

    with pytest.raises(RuntimeError, match=r"a result of something outside"):
        f(x)


def _writes_what_only_higher_derivatives_need(w: Any, x: Any) -> Any:
    h = w * w
    x.copy_(h.detach())
    return (h * x).sum()


def _writes_a_parameter_after_use(w: Any, x: Any) -> Any:
    y = (w * x).sum()
    with wengert.no_grad():
        w.mul_(2)
    return y + (x * x).sum()


@pytest.mark.parametrize("function", [_writes_what_only_higher_derivatives_need, _writes_a_parameter_after_use])
def test_higher_derivatives_beside_writes(function: Callable[..., Any]) -> None:
    outcomes = []
    for f in (function, wengert.compile(function)):
        for _ in range(2):
            w = wengert.tensor([1.0, 2.0], requires_grad=True)
            x = wengert.tensor([0.5, 0.25])
            (g,) = wengert.autograd.grad(f(w, x), w, create_graph=True)
            found = [g.tolist(), g.requires_grad, w.tolist(), x.tolist()]
            if g.requires_grad:
                found.append(wengert.autograd.grad((g**2).sum(), w)[0].tolist())
            outcomes.append(found)
    assert all([each == outcomes[0] for each in outcomes])
