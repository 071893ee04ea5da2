"""Long short-term memory by machine code has the values and gradients of its implementation in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as w

pytest.importorskip("llvmlite")

from wengert.compile.eager.sequences import backward_kernel, forward_kernel, function
from wengert.compile.nest_check import check_kernel
from wengert.ops.machine import MACHINE
from wengert.ops.record import TABLE

GIVEN = [(a, b, c) for a in (False, True) for b in (False, True) for c in (False, True)][1:]
SIZES = [(9, 4, 24), (5, 3, 37), (1, 16, 8), (2, 1, 65)]  # steps, batch, units

has_kernels = pytest.mark.skipif(function("lstm", "f4") is None, reason="NumPy goes through sequences on this machine")


def drawn(dtype: Any, *shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(4)
    return [(rng.standard_normal(shape) * 0.5).astype(dtype) for shape in shapes]


def both_ways(call: Any) -> tuple[Any, Any]:
    find, asked = MACHINE.find, list[str]()
    assert find is not None

    def noted(name: str, dtype: str) -> Any:
        asked.append(name)
        return find(name, dtype)

    try:
        MACHINE.bind(noted)
        by_machine = call()
        MACHINE.bind(None)
        by_numpy = call()
    finally:
        MACHINE.bind(find)
    assert any(name.startswith("lstm") for name in asked)
    return by_machine, by_numpy


def agree(mine: Any, numpys: Any, dtype: Any) -> None:
    assert mine.shape == numpys.shape
    assert mine.dtype == dtype
    np.testing.assert_allclose(mine, numpys, rtol=0, atol=200 * np.finfo(dtype).eps * abs(numpys).max())


@has_kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_values(size: tuple[int, int, int], dtype: Any) -> None:
    steps, batch, n = size
    x, weight, h, c = drawn(dtype, (steps, batch, 4 * n), (4 * n, n), (batch, n), (batch, n))
    for mine, numpys in zip(*both_ways(lambda: TABLE["lstm"].impl(x, weight, h, c)), strict=True):
        agree(mine, numpys, dtype)


@has_kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("given", GIVEN)
def test_cotangents(given: tuple[bool, bool, bool], size: tuple[int, int, int], dtype: Any) -> None:
    steps, batch, n = size
    x, weight, h, c = drawn(dtype, (steps, batch, 4 * n), (4 * n, n), (batch, n), (batch, n))
    _, memory, gates = TABLE["lstm"].impl(x, weight, h, c)
    drives = drawn(dtype, (steps, batch, 4 * n), (steps, batch, n), (steps, batch, n))
    drives = [drive for drive, there in zip(drives, given, strict=True) if there]
    pull = TABLE.fused["lstm_pull"].impl
    for mine, numpys in zip(*both_ways(lambda: pull(gates, memory, c, weight, *drives, given=given)), strict=True):
        agree(mine, numpys, dtype)


@has_kernels
def test_arguments_in_another_order_of_memory() -> None:
    x, weight, h, c = drawn(np.float32, (7, 3, 96), (24, 96), (24, 3), (24, 3))
    for mine, numpys in zip(*both_ways(lambda: TABLE["lstm"].impl(x[::-1], weight.T, h.T, c.T)), strict=True):
        agree(mine, numpys, np.float32)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_gradients_of_a_layer_agree_with_finite_differences(bidirectional: bool) -> None:
    w.manual_seed(0)
    layer = w.nn.LSTM(6, 12, num_layers=2, bidirectional=bidirectional, dtype=w.float64)
    x = w.randn(11, 4, 6, dtype=w.float64, requires_grad=True)

    def loss() -> Any:
        y, (h, c) = layer(x)
        return (y**3).sum() + (h * 2).cos().sum() + (c**2).sum()

    loss().backward()
    for p in [x, *layer.parameters()]:
        along = w.randn(*p.shape, dtype=w.float64)
        slope = (p.grad * along).sum().item()
        values = []
        with w.no_grad():
            for step in (1e-5, -2e-5, 1e-5):
                p += step * along
                values.append(loss().item())
        assert slope == pytest.approx((values[0] - values[1]) / 2e-5, rel=2e-6, abs=1e-7)


def test_kernels_are_well_formed() -> None:
    for dtype in ("f4", "f8"):
        check_kernel(forward_kernel(dtype))
        for given in GIVEN:
            check_kernel(backward_kernel(given, dtype))
