"""Every operation of the table can be asked about, with regular inputs and with zeros, infinities and NaN."""

import warnings
from typing import Any

import numpy as np
import pytest

import wengert
from op_cases import DIFFERENTIABLE, cases
from samples import Sample
from wengert.engine.apply import apply
from wengert.ops.record import MISSING, TABLE, EachInput
from wengert.see.explain_nan import explain_nan
from wengert.see.explain_zero import explain_zero

pytestmark = pytest.mark.slow

# Of a graph with a derivative that nobody has written no gradient can be evaluated again.
NAMES = [n for n in DIFFERENTIABLE if isinstance(TABLE[n].vjp, EachInput) or MISSING not in TABLE[n].vjp]
SPECIAL = (0.0, -1.0, 1.0, np.inf, -np.inf, np.nan, 1e38, -200.0)


def tracked(raw: Any) -> Any:
    if not isinstance(raw, (np.ndarray, np.generic)):
        return raw
    t = wengert.from_numpy(np.array(raw))
    return t.requires_grad_() if raw.dtype.kind in "fc" else t


def spoilt(raw: Any, shift: int) -> Any:
    if not isinstance(raw, (np.ndarray, np.generic)) or raw.dtype.kind != "f" or not raw.size:
        return raw
    return np.resize(np.roll(SPECIAL, shift), raw.shape).astype(raw.dtype)


def result_of(name: str, inputs: list[Any], meta: dict[str, Any]) -> Any:
    """The sum of all float results of one operation, without a graph if nothing flows to it."""
    results = apply(TABLE[name], *inputs, **meta)
    floats = [y for y in (results if isinstance(results, tuple) else (results,)) if y.requires_grad]
    total = sum([y.sum() for y in floats], start=wengert.tensor(0.0))
    return total.real if total.is_complex() else total


def check(name: str, inputs: list[Any], case: Sample) -> None:
    y = result_of(name, inputs, case.meta)
    if not y.requires_grad:
        return
    for x in [x for x in inputs if isinstance(x, wengert.Tensor) and x.requires_grad]:
        try:
            (g,) = wengert.autograd.grad(y, x, retain_graph=True, allow_unused=True)
        except NotImplementedError:  # a derivative that nobody has written
            continue
        if g is None:
            continue
        finite = bool(wengert.isfinite(y)) and bool(wengert.isfinite(g).all())
        report = explain_nan(y, x)
        assert report.ok is finite, (name, case.inputs, report)
        assert all(f.what and f.kind for f in report)
        if finite and g.numel():
            report = explain_zero(y, x)
            assert bool(report.findings) or bool((g != 0).any()), (name, case.inputs, report)
            assert not report.faults or not bool((g != 0).any()) or report[0].kind in ("vanishing", "exploding")


@pytest.mark.parametrize("name", NAMES)
def test_regular_values(name: str) -> None:
    for case in cases(name)[:2]:
        check(name, [tracked(raw) for raw in case.inputs], case)


@pytest.mark.parametrize("name", NAMES)
def test_special_values(name: str) -> None:
    for number, case in enumerate(cases(name)[:2]):
        inputs = [tracked(spoilt(raw, number + slot)) for slot, raw in enumerate(case.inputs)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                y = result_of(name, inputs, case.meta)
                if y.requires_grad:
                    y.backward()
            except (ValueError, RuntimeError, np.linalg.LinAlgError):
                continue  # refused: a probability that is none, a matrix that is not finite
            for x in inputs:
                if isinstance(x, wengert.Tensor):
                    x.grad = None
            check(name, inputs, case)
