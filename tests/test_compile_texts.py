"""Programs of gradients print back: the text of each, second derivatives included, reads as the same program."""

from __future__ import annotations

from typing import Any

import pytest

import wengert
from test_compile_ops import DIFFERENTIABLE, _tensors
from wengert.compile import execute
from wengert.engine.apply import apply
from wengert.ops.record import TABLE
from wengert.program.parse import parse

NAMES = list(dict.fromkeys([p.values[0] for p in DIFFERENTIABLE]))


def _total(tensors: Any) -> Any:
    return sum([(t * t.conj()).real.sum() for t in tensors])


def _derivatives(name: str, meta: Any, given: Any) -> Any:
    y = apply(TABLE[name], *given, **meta)
    ys = [t for t in (y if isinstance(y, tuple) else (y,)) if t.requires_grad]
    inputs = [t for t in given if isinstance(t, wengert.Tensor) and t.requires_grad]
    if not ys or not inputs:
        return ()
    first = wengert.autograd.grad(_total(ys), inputs, create_graph=True, allow_unused=True)
    tracked = [g for g in first if g is not None and g.requires_grad]
    second = wengert.autograd.grad(_total(tracked), inputs, allow_unused=True) if tracked else ()
    return first, second


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_programs_of_derivatives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "has_machine_code", lambda: False)  # which takes longer than everything else here
    for case in [p.values[1] for p in DIFFERENTIABLE if p.values[0] == name]:
        given = _tensors(case, track=True)
        try:
            program = wengert.compile(lambda *a, case=case: _derivatives(name, case.meta, a)).program(*given)
        except NotImplementedError:  # there is no such derivative
            continue
        text = str(program)
        again = parse(text)
        assert again == program
        assert str(again) == text


def test_dtypes_that_rules_take_from_tensors() -> None:
    f = wengert.compile(lambda x, i: wengert.zeros(4, 2).scatter_reduce(0, i, x, "amax", include_self=False))
    text = str(f.program(wengert.ones(5, 2, requires_grad=True), wengert.zeros(5, 2, dtype=wengert.int64)))
    assert "dtype=f32" in text
    assert str(parse(text)) == text


def test_texts_where_there_is_nothing_to_say() -> None:
    pytest.importorskip("llvmlite")
    f = wengert.compile(lambda x: x)
    assert "no loops" in f.loops(wengert.ones(2))
    assert "no loops" in f.llvm(wengert.ones(2))
    with pytest.raises(RuntimeError, match="no elements"):
        wengert.compile(lambda x: x * 2).llvm(wengert.ones(0))
