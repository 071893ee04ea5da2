"""Every operation of the table gives the same compiled as eager: values, gradients, and gradients of gradients."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import wengert
from op_cases import NAMES, cases
from samples import Sample
from wengert.compile import execute
from wengert.engine.apply import apply
from wengert.ops.record import TABLE

needs_llvmlite = pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs the extra [jit]")

# How many results they have, or how long, depends on values: no program can hold that.
VALUE_DEPENDENT = {"nonzero", "masked_select", "unique", "unique_consecutive", "bincount", "bincount_weighted"}


def _is_array(x: Any) -> bool:
    return isinstance(x, (np.ndarray, np.generic))


def _chooses(name: str, case: Sample) -> bool:
    """Whether a mask says which elements are written: the gradient of those is a selection, of unknown length."""
    given = any([_is_array(x) and x.dtype.kind == "b" for x in case.inputs])
    return given and name in ("masked_select_backward", "masked_scatter", "index_put")


def _has_mask(name: str, case: Sample) -> bool:
    return name in ("index", "masked_scatter_backward") and any(
        _is_array(x) and x.dtype.kind == "b" for x in case.inputs
    )


CASES = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name in NAMES
    if name not in VALUE_DEPENDENT
    for number, case in enumerate(cases(name))
    if not _has_mask(name, case)
]


DIFFERENTIABLE = [p for p in CASES if TABLE[p.values[0]].differentiable and not _chooses(*p.values)]


def _tensors(case: Sample, *, track: bool) -> list[Any]:
    """The inputs as tensors; arrays are copied in C order, as a program's values lie."""
    made = []
    for x in case.inputs:
        if not _is_array(x):
            made.append(x)
            continue
        t = (
            wengert.from_numpy(np.array(x))
            if x.ndim
            else wengert.tensor(x.item(), dtype=wengert.from_numpy(np.array([x])).dtype)
        )
        made.append(t.requires_grad_() if track and x.dtype.kind in "fc" else t)
    return made


class Counted:
    """An operation as a function that counts how often Python runs it."""

    def __init__(self, name: str, case: Sample) -> None:
        self.op, self.meta, self.runs = TABLE[name], case.meta, 0

    def __call__(self, *inputs: Any) -> Any:
        self.runs += 1
        return apply(self.op, *inputs, **self.meta)


def _results(y: Any) -> tuple[Any, ...]:
    return y if isinstance(y, tuple) else (y,)


def _weighted(outs: list[Any]) -> Any:
    """A real scalar in which each element of each tensor counts differently."""
    total = 0.0
    for k, y in enumerate(outs):
        rng = np.random.default_rng(k)
        w = rng.standard_normal(y.shape)
        if y.dtype.is_complex:
            w = w + 1j * rng.standard_normal(y.shape)
        part = (y * wengert.from_numpy(np.array(w)).to(y.dtype)).sum()
        total = total + (part.real if y.dtype.is_complex else part)
    return total


def _everything(f: Callable[..., Any], case: Sample) -> list[Any]:
    """Results, gradients, second gradients (of what is tracked)."""
    inputs = _tensors(case, track=True)
    leaves = [x for x in inputs if isinstance(x, wengert.Tensor) and x.requires_grad]
    outs = _results(f(*inputs))
    found = [y.detach().numpy().copy() for y in outs]
    tracked = [y for y in outs if y.requires_grad]
    if not tracked:
        return found
    first = wengert.autograd.grad(_weighted(tracked), leaves, create_graph=True, allow_unused=True)
    found += [None if g is None else g.detach().numpy().copy() for g in first]
    again = [g for g in first if g is not None and g.requires_grad]
    if again:
        second = wengert.autograd.grad(_weighted(again), leaves, allow_unused=True)
        found += [None if g is None else g.numpy().copy() for g in second]
    return found


def _equal(got: Any, want: Any, what: str) -> None:
    assert (got is None) == (want is None), what
    if want is not None:
        assert got.dtype == want.dtype, what
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13, err_msg=what)


@pytest.fixture
def on_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run programs as where llvmlite is not installed."""
    monkeypatch.setattr(execute, "has_machine_code", lambda: False)


def _first_of_each(params: list[Any]) -> list[Any]:
    """All of them; each operation's first one runs in the fast tests, too."""
    seen: set[str] = set()
    marked = []
    for p in params:
        marks = [pytest.mark.slow] if p.values[0] in seen else []
        seen.add(p.values[0])
        marked.append(pytest.param(*p.values, id=p.id, marks=marks))
    return marked


@pytest.mark.usefixtures("on_numpy")
@pytest.mark.parametrize(("name", "case"), CASES)
def test_values_on_numpy(name: str, case: Sample) -> None:
    _same_values(name, case, exact=True)


@pytest.mark.usefixtures("on_numpy")
@pytest.mark.parametrize(("name", "case"), DIFFERENTIABLE)
def test_gradients_on_numpy(name: str, case: Sample) -> None:
    _same_gradients(name, case)


@needs_llvmlite
@pytest.mark.parametrize(("name", "case"), _first_of_each(CASES))
def test_values(name: str, case: Sample) -> None:
    _same_values(name, case, exact=False)


@needs_llvmlite
@pytest.mark.parametrize(("name", "case"), _first_of_each(DIFFERENTIABLE))
def test_gradients(name: str, case: Sample) -> None:
    _same_gradients(name, case)


def _same_values(name: str, case: Sample, *, exact: bool) -> None:
    counted = Counted(name, case)
    f = wengert.compile(counted)
    want = [y.numpy() for y in _results(counted(*_tensors(case, track=False)))]
    for runs in (2, 2):
        got = [y.numpy() for y in _results(f(*_tensors(case, track=False)))]
        assert counted.runs == runs
        assert len(got) == len(want)
        for a, b in zip(got, want, strict=True):
            assert a.dtype == b.dtype
            if not exact and a.dtype.kind in "fc":
                eps = np.finfo(a.dtype).eps
                np.testing.assert_allclose(a, b, rtol=8 * eps, atol=eps * np.abs(b[np.isfinite(b)]).max(initial=0.0))
            else:
                np.testing.assert_array_equal(a, b)


def _same_gradients(name: str, case: Sample) -> None:
    counted = Counted(name, case)
    f = wengert.compile(counted)
    try:
        want = _everything(counted, case)
    except (RuntimeError, NotImplementedError) as error:
        with pytest.raises(type(error)):
            _everything(f, case)
        return
    got = _everything(f, case)
    runs = counted.runs
    again = _everything(f, case)
    assert counted.runs == runs
    for found in (got, again):
        assert len(found) == len(want)
        for k, (a, b) in enumerate(zip(found, want, strict=True)):
            _equal(a, b, f"item {k}")
