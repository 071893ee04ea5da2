"""The order in memory: what a function does by it, it does compiled: views or copies, random numbers, strides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

import wengert
from op_cases import NAMES, cases
from wengert.compile import execute
from wengert.compile.layouts import IN_ORDER, REORDERING
from wengert.engine.apply import apply
from wengert.ops.record import TABLE

MADE: dict[str, Callable[[], Any]] = {
    "in order": lambda: wengert.arange(6.0).reshape(3, 2),
    "transposed": lambda: wengert.arange(6.0).reshape(2, 3).t(),
    "with gaps": lambda: wengert.arange(12.0).reshape(3, 4)[:, ::2],
    "repeated": lambda: wengert.arange(3.0)[:, None].expand(3, 2),
}


def _written_reshape(x: Any) -> Any:
    x.reshape(-1).add_(1)
    return x * 1


def _written_reshape_of_result(x: Any) -> Any:
    y = x * 2
    y.reshape(-1).add_(1)
    return y


def _written_contiguous(x: Any) -> Any:
    y = x.contiguous()
    y += 1
    return x * y


def _flattened_before_write(x: Any) -> Any:
    y, z = x.clone(), x * 3
    flat, other = y.flatten(), z.ravel()
    y += 1
    z += 1
    return flat * other


def _by_order(x: Any) -> Any:
    return x * 1 if x.is_contiguous() else x * 2


def _orders(x: Any) -> Any:
    t = x.t()
    results = (x * 2, x + t.t(), t.exp(), x.clone(), (x > 1).float(), x.sum(0), x.cumsum(0), x @ t, x.softmax(1), x[1:])
    return [y.stride() for y in (*results, wengert.zeros_like(x), wengert.einsum("ij->ji", x), x.where(x > 1, t.t()))]


def _random(x: Any) -> Any:
    y = wengert.nn.functional.dropout(x * 2, 0.5) + wengert.rand_like(x)
    return y, wengert.empty_like(x).normal_(), wengert.bernoulli(x.clamp(0, 1)), wengert.randint_like(x.t().exp(), 9)


FUNCTIONS = [
    _written_reshape,
    _written_reshape_of_result,
    _written_contiguous,
    _flattened_before_write,
    _by_order,
    _orders,
    _random,
    lambda x: (x * 2).view(-1),
    lambda x: x.view(3, 2, 1) * x.stride(0),
    lambda x: x.reshape(2, 3) * 2,
]


def _outcome(function: Callable[..., Any], x: Any) -> Any:
    wengert.manual_seed(5)
    try:
        y = function(x)
    except RuntimeError as error:
        return str(error)
    parts = y if isinstance(y, (tuple, list)) else (y,)
    return [part.tolist() if isinstance(part, wengert.Tensor) else part for part in parts], x.tolist()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_arguments_in_any_order(function: Callable[..., Any]) -> None:
    compiled = wengert.compile(function)
    for _ in range(2):
        for name, make in MADE.items():
            assert _outcome(compiled, make()) == _outcome(function, make()), name


def test_captured_tensors_in_any_order() -> None:
    at = wengert.ones(3, 2)

    def function(x: Any) -> Any:
        flat = at.reshape(-1)
        if at.is_contiguous():
            at.add_(1)
        return flat * x

    compiled = wengert.compile(function)
    for make in (*MADE.values(), *MADE.values()):
        at = make().clone()
        expected = function(wengert.ones(6))
        at = make().clone()
        assert compiled(wengert.ones(6)).tolist() == expected.tolist()


def test_a_machine_code_entry_asks_for_the_order_it_depends_on() -> None:
    runs = []

    def function(x: Any) -> Any:
        runs.append(x.shape)
        return x * (1.0 if x.is_contiguous() else 2.0)

    compiled = wengert.compile(function)
    for _ in range(3):
        assert compiled(wengert.ones(3, 2)).tolist() == [[1.0, 1.0]] * 3
        assert compiled(wengert.ones(2, 3).t()).tolist() == [[2.0, 2.0]] * 3
        assert compiled(wengert.ones(5, 2)).tolist() == [[1.0, 1.0]] * 5
    assert len(runs) == 3


def test_what_does_not_ask_is_traced_once() -> None:
    runs = []

    def function(x: Any) -> Any:
        runs.append(x.shape)
        return (x * 2).sum(1) + x[:, 0]

    compiled = wengert.compile(function)
    for make in MADE.values():
        assert compiled(make()).tolist() == function(make()).tolist()
    assert len(runs) == 1 + len(MADE)


def test_gradients_of_what_is_drawn_in_another_order() -> None:
    def function(x: Any) -> Any:
        return (wengert.nn.functional.dropout(x, 0.5) ** 3).sum()

    grads = []
    for f in (function, wengert.compile(function)):
        base = wengert.arange(6.0).reshape(2, 3).requires_grad_()
        wengert.manual_seed(1)
        (g,) = wengert.autograd.grad(f(base.t()), base, create_graph=True)
        grads.append((g.tolist(), wengert.autograd.grad(g.sum(), base)[0].tolist()))
    assert grads[0] == grads[1]


# --- the rules by which results lie, over the table of operations ----------------------------------------------------


def _calls(name: str, *, ordered: bool) -> Iterator[Any]:
    """What an operation gives for its samples, with inputs in C order, or in Fortran's, each and together."""
    for call, inputs in _applied(name, ordered=ordered):
        try:
            y = call(*inputs)
        except RuntimeError:
            continue
        yield from y if isinstance(y, tuple) else (y,)


def _applied(name: str, *, ordered: bool) -> Iterator[tuple[Callable[..., Any], list[Any]]]:
    """An operation with its metadata, and inputs for it."""
    for case in cases(name):
        turned = [i for i, x in enumerate(case.inputs) if isinstance(x, np.ndarray) and x.ndim > 1][:3]
        for choice in product((False,) if ordered else (False, True), repeat=len(turned)):
            inputs: list[Any] = []
            for i, x in enumerate(case.inputs):
                if isinstance(x, np.ndarray) and x.ndim:
                    is_turned = i in turned and choice[turned.index(i)]
                    inputs.append(wengert.from_numpy(np.asfortranarray(x) if is_turned else np.ascontiguousarray(x)))
                else:
                    inputs.append(wengert.tensor(x) if isinstance(x, (np.ndarray, np.generic)) else x)
            yield partial(apply, TABLE[name], **case.meta), inputs


@pytest.mark.parametrize("name", [n for n in NAMES if not TABLE[n].view and n not in REORDERING and n != "nonzero"])
def test_inputs_in_order_give_results_in_order(name: str) -> None:
    assert all([y.is_contiguous() for y in _calls(name, ordered=True)])


@pytest.mark.parametrize("name", sorted(IN_ORDER))
def test_results_in_order_for_all_inputs(name: str) -> None:
    assert all([y.is_contiguous() for y in _calls(name, ordered=False)])


# Parts of larger arrays, a copy of what is no copy outside of a program, or an order that follows from the values.
_APART = {
    *("avg_pool_backward", "cofactors", "conj", "conj_physical", "einsum"),
    *("linalg_lu_factor", "linalg_solve_triangular", "lu_solved", "unsafe_view"),
}


@pytest.mark.parametrize("name", [n for n in NAMES if not TABLE[n].view and n not in _APART])
def test_strides_of_results(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "has_machine_code", lambda: False)  # nothing of it is asked for

    def strides(call: Callable[..., Any], inputs: list[Any]) -> Any:
        y = call(*inputs)
        parts = y if isinstance(y, tuple) else (y,)
        return [[step for step, n in zip(t.stride(), t.shape, strict=True) if n > 1] for t in parts if t.numel()]

    for call, inputs in _applied(name, ordered=False):
        try:
            expected = strides(call, inputs)
            got = wengert.compile(strides)(call, inputs)
        except (RuntimeError, ValueError):  # what the operation refuses, or no program can hold
            continue
        assert got == expected
