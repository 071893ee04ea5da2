"""Random programs on tensors of any dtype, layout and size: eager on NumPy, eager with kernels, and compiled agree."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import random_sources
import wengert
from random_sources import Source
from wengert.engine.kernels import KERNELS

pytest.importorskip("llvmlite")

REFUSED = ("compile", "inplace operation", "not implemented", "derivative", "single memory location", "other memory or")


def outcome(source: Source, function: Any, arrays: Any = None) -> list[Any]:
    """Results, arguments afterwards and gradients; raises what the program raises."""
    wengert.manual_seed(0)
    given = source.tensors(wengert, arrays)
    results = function(*given)
    found = [(y.dtype, y.requires_grad, y.detach().numpy().copy()) for y in (*results, *given)]
    outputs = [y for y in results if y.requires_grad]
    leaves = [x for x in given if x.requires_grad and x.grad_fn is None]
    if outputs and leaves:
        ones = [wengert.ones_like(y) for y in outputs]
        grads = wengert.autograd.grad(outputs, leaves, ones, allow_unused=True)
        filled = [wengert.zeros_like(x) if g is None else g for x, g in zip(leaves, grads, strict=True)]
        found += [(g.dtype, False, g.numpy()) for g in filled]
    return found


def compare(found: list[Any], wanted: list[Any], source: Source, what: str) -> None:
    """The same types; values to within what rounding in float32 may leave of them, or any where that is amplified."""
    __tracebackhide__ = True
    assert len(found) == len(wanted), (what, source.text)
    for (dtype, tracked, x), (dtype_wanted, tracked_wanted, y) in zip(found, wanted, strict=True):
        assert (dtype, tracked, x.shape) == (dtype_wanted, tracked_wanted, y.shape), (what, source.text)
        if y.dtype.kind not in "fc":
            continue
        with np.errstate(all="ignore"):
            scale = np.abs(y[np.isfinite(y)]).max(initial=1.0)
            near = (x == y) | (np.isnan(x) & np.isnan(y)) | (np.abs(x - y) <= 1e-4 * scale)
        assert near.all(), (what, source.text, x[~near][:3], y[~near][:3])


def check(seed: int, *, writes: bool) -> None:
    KERNELS.turn(on=False)
    source = random_sources.draw(seed, wengert, writes=writes)
    if source is None:
        return
    function = source.function(wengert)
    compiled = wengert.compile(function)
    for arrays in (None, source.others(seed, sizes=False), source.others(seed, sizes=True)):
        KERNELS.turn(on=False)
        try:
            wanted = outcome(source, function, arrays)
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
            continue  # these sizes do not fit, or nothing may be differentiated here
        KERNELS.turn(on=True)
        compare(outcome(source, function, arrays), wanted, source, "eager kernels")
        try:
            found = outcome(source, compiled, arrays)
        except (RuntimeError, NotImplementedError) as error:
            if any([text in str(error) for text in REFUSED]):
                continue
            raise
        compare(found, wanted, source, "compiled")


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("seed", range(15))
def test_programs(seed: int, writes: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(seed, writes=writes)


@pytest.mark.slow
@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("start", range(100, 600, 50))
def test_many_programs(start: int, writes: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(start, start + 50):
            check(seed, writes=writes)
