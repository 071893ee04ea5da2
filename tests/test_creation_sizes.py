"""Making tensors of sizes and of ranges; literal facts, and the same expressions answered by PyTorch."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert
from expressions import error_as_in_torch, lines, values_as_in_torch

# --- sizes -----------------------------------------------------------------------------------------------------------

SIZES = """
torch.zeros(())
torch.zeros(2)
torch.zeros(2, 3)
torch.zeros((2, 3))
torch.zeros([2])
torch.zeros(size=(2,))
torch.zeros(torch.Size([2]))
torch.zeros(torch.tensor(2))
torch.zeros(torch.tensor(2), torch.tensor(1))
torch.zeros(np.int64(2))
torch.zeros((np.int64(2), 1))
torch.zeros(0, 3)
torch.zeros(2, layout=torch.strided)
torch.zeros(2, dtype=int)
torch.zeros(2, dtype=torch.complex64)
torch.zeros(2, requires_grad=True)
torch.zeros(2, out=torch.ones(2, dtype=torch.int32))
torch.ones(2, 3)
torch.ones(())
torch.ones(2, dtype=torch.bool)
torch.empty(2, 3).shape
torch.empty((0,))
torch.empty(2, memory_format=torch.contiguous_format).shape
torch.full((2,), 3)
torch.full((2,), 3.)
torch.full((2,), True)
torch.full((2,), 1j)
torch.full((), 3)
torch.full([2], 3)
torch.full(size=(1,), fill_value=2)
torch.full((2,), torch.tensor(3))
torch.full((2,), -1, dtype=torch.uint8)
torch.full((2,), 2.7, dtype=torch.int64)
torch.full((2,), 7, dtype=torch.float16)
torch.full((2,), np.float64(3))
torch.full((2,), np.int32(3))
torch.full((2,), float('inf'))
torch.full((2,), 3., requires_grad=True)
torch.eye(2)
torch.eye(2, 3)
torch.eye(0)
torch.eye(2, dtype=torch.bool)
torch.eye(2, requires_grad=True)
torch.zeros_like(counts)
torch.zeros_like(counts, dtype=torch.float32, requires_grad=True)
torch.zeros_like(leaf)
torch.zeros_like(counts.t()).stride()
torch.zeros_like(counts.t(), memory_format=torch.contiguous_format).stride()
torch.zeros_like(torch.zeros(1, 3).expand(2, 3)).stride()
torch.zeros_like(torch.tensor(2))
torch.ones_like(counts)
torch.ones_like(counts.t()).stride()
torch.ones_like(z)
torch.empty_like(counts).shape
torch.empty_like(torch.zeros(2, 3, 4).permute(2, 0, 1)).stride()
torch.full_like(counts, 2.5)
torch.full_like(leaf, 2)
torch.full_like(counts, 3, dtype=torch.float64)
counts.new_zeros(2, 3)
counts.new_zeros((2,))
counts.new_ones(2, dtype=torch.float32)
counts.new_full((2,), 2.5)
counts.new_full((2,), 3)
leaf.new_full((2,), 3)
leaf.new_full((2,), 3, requires_grad=True)
counts.new_empty(2).shape
counts.new_empty((2, 3)).dtype
leaf.new_zeros(size=(2,))
leaf.new_zeros(())
"""

BAD_SIZES = """
torch.zeros('a')
torch.zeros(2.)
torch.zeros(2, 3.)
torch.zeros((2, 3.))
torch.zeros([2, 'a'])
torch.zeros(-1)
torch.zeros(2, -1)
torch.zeros((2, -1))
torch.zeros(True)
torch.zeros()
torch.zeros(None)
torch.zeros(2, (3,))
torch.zeros(torch.tensor([2, 3]))
torch.zeros(torch.tensor(2.))
torch.zeros(np.array([2, 1]))
torch.zeros(range(2))
torch.zeros(2, dtype=torch.int32, requires_grad=True)
torch.zeros(2, out=torch.ones(2, dtype=torch.int32), dtype=torch.float32)
torch.zeros(2, dtype='float')
torch.zeros(2, layout=3)
torch.zeros(2, unknown=1)
torch.full(2, 3)
torch.full((2,), torch.tensor([3, 3]))
torch.full((2,), leaf[0])
torch.full((2,), 300, dtype=torch.uint8)
torch.full((2,), -256, dtype=torch.uint8)
torch.full((2,), 1j, dtype=torch.float32)
torch.full((2,), 'a')
torch.full((2,), 2**63)
torch.full((2,), 1e300)
torch.full((2,), float('nan'), dtype=torch.int64)
torch.eye(-1)
torch.eye(2, -1)
torch.eye(2.)
torch.zeros_like([1])
torch.zeros_like(counts, requires_grad=True)
torch.full_like(counts, float('nan'))
torch.full_like(torch.zeros(2, dtype=torch.uint8), 300)
counts.new_full((2,), 3, requires_grad=True)
"""


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(SIZES))
def test_sizes_as_in_torch(torch: ModuleType, expression: str) -> None:
    values_as_in_torch(torch, expression)


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(BAD_SIZES))
def test_bad_sizes_as_in_torch(torch: ModuleType, expression: str) -> None:
    error_as_in_torch(torch, expression)


def test_negative_sizes_are_named() -> None:
    with pytest.raises(RuntimeError, match=r"Dimension size must be non-negative.*negative dimension -1: \[2, -1\]"):
        wengert.arange(2).new_zeros(2, -1)


def test_other_places_and_layouts_are_refused() -> None:
    with pytest.raises(RuntimeError, match="wengert computes on the CPU only"):
        wengert.zeros(2, device="cuda")
    with pytest.raises(RuntimeError, match="only dense tensors"):
        wengert.zeros(2, layout=wengert.sparse_coo)
    with pytest.raises(RuntimeError, match="pin_memory=True is for copies to an accelerator"):
        wengert.zeros(2, pin_memory=True)
    with pytest.raises(RuntimeError, match=r"memory_format=torch\.channels_last"):
        wengert.zeros_like(wengert.zeros(1, 1, 1, 1), memory_format=wengert.channels_last)


def test_out_is_filled_and_returned() -> None:
    out = wengert.empty(2, 3)
    assert wengert.ones(2, 3, out=out) is out
    assert out.tolist() == [[1.0] * 3] * 2


def test_out_must_not_be_tracked() -> None:
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        wengert.zeros(2, out=wengert.ones(2, requires_grad=True))


def test_layouts_and_memory_formats_are_constants() -> None:
    assert repr(wengert.strided) == "torch.strided"
    assert repr(wengert.contiguous_format) == "torch.contiguous_format"
    assert wengert.zeros(1).layout is wengert.strided
    with pytest.raises(TypeError, match=r"cannot create 'torch\.layout' instances"):
        wengert.layout()
    with pytest.raises(AttributeError, match="is a constant"):
        wengert.strided.name = "x"


# --- ranges ----------------------------------------------------------------------------------------------------------

RANGES = """
torch.arange(5)
torch.arange(0.7, 10, 1.6, dtype=torch.int32)
torch.arange(0.7, 10, 1.6, dtype=torch.int64)
torch.arange(0, 3, 0.5, dtype=torch.int32)
torch.arange(9, 0, -1.5, dtype=torch.int8)
torch.arange(5.)
torch.arange(1, 5)
torch.arange(1, 5, 2)
torch.arange(1, 2, 0.25)
torch.arange(0, 1, 0.1)
torch.arange(0, 1, 0.1, dtype=torch.float64)
torch.arange(5, 1, -1)
torch.arange(-5, 5, 3)
torch.arange(0)
torch.arange(True)
torch.arange(5, dtype=torch.float16)
torch.arange(5, dtype=torch.uint8)
torch.arange(0.5, 5, dtype=torch.int64)
torch.arange(torch.tensor(3))
torch.arange(torch.tensor(3.))
torch.arange(torch.tensor(3., dtype=torch.float64))
torch.arange(np.int64(3))
torch.arange(np.float64(3))
torch.arange(np.float32(3))
torch.arange(end=3)
torch.arange(start=1, end=3)
torch.arange(1, end=3)
torch.arange(1, 6, step=2)
torch.arange(5., requires_grad=True)
torch.arange(2**62, 2**62 + 3)
torch.arange(300, dtype=torch.uint8).shape
torch.arange(3, out=torch.zeros(3))
torch.arange(1., 1.)
torch.range(1, 4)
torch.range(1, 4, 0.5)
torch.range(4, 1, -1)
torch.linspace(0, 1, 5)
torch.linspace(0, 1, 1)
torch.linspace(0, 1, 0)
torch.linspace(3, -2, 7)
torch.linspace(-10, 10, 8, dtype=torch.float64)
torch.linspace(0, 10, 5, dtype=torch.int64)
torch.linspace(0, 10, 4, dtype=torch.int64)
torch.linspace(-10, 10, 4, dtype=torch.int64)
torch.linspace(0, 1j, 3)
torch.linspace(torch.tensor(0.), torch.tensor(1.), 3)
torch.linspace(start=0, end=1, steps=3)
torch.linspace(0, 1, 3, requires_grad=True)
torch.logspace(0, 2, 3)
torch.logspace(0, 2, 3, base=2)
torch.logspace(0, 2, 1)
torch.logspace(0, 2, 0)
torch.logspace(0, 3, 4, dtype=torch.int64)
torch.logspace(-1, 1, 5, dtype=torch.float64)
"""

BAD_RANGES = """
torch.arange(5, 1)
torch.arange(5, 1, 0)
torch.arange(0, 0, 0.5, dtype=torch.int64)
torch.arange(5, 0, 0.5, dtype=torch.int64)
torch.arange(-1)
torch.arange(0, float('inf'))
torch.arange(0, float('nan'))
torch.arange(2, dtype=torch.bool)
torch.arange(5, dtype=torch.complex64)
torch.arange(5, requires_grad=True)
torch.arange('a')
torch.arange(1j)
torch.range(4, 1)
torch.linspace(0, 1, -1)
torch.linspace(torch.tensor([0., 1.]), 1, 3)
torch.logspace(0, 1, -1)
"""


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(RANGES))
def test_ranges_as_in_torch(torch: ModuleType, expression: str) -> None:
    values_as_in_torch(torch, expression)


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(BAD_RANGES))
def test_bad_ranges_as_in_torch(torch: ModuleType, expression: str) -> None:
    error_as_in_torch(torch, expression)


@pytest.mark.conformance
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "float16"])
@pytest.mark.parametrize(("low", "high", "steps"), [(0, 1, 1000), (-3.5, 20, 777), (5, -5, 64), (1e-3, 1e3, 333)])
def test_linspace_to_the_last_bit_but_one(torch: Any, dtype: str, low: float, high: float, steps: int) -> None:
    ours = wengert.linspace(low, high, steps, dtype=getattr(wengert, dtype)).numpy()
    theirs = torch.linspace(low, high, steps, dtype=getattr(torch, dtype)).numpy()
    assert ours.dtype == theirs.dtype
    if dtype.startswith("float"):
        exact = low + (high - low) * np.arange(steps) / (steps - 1)
        unit = np.finfo(dtype).eps * max(abs(low), abs(high))
        assert abs(ours - exact).max() <= unit  # ours are no further off than PyTorch's
        assert abs(ours.astype(float) - theirs).max() <= 2 * unit
    else:
        assert (ours == theirs).all()
    assert ours[0] == theirs[0]
    assert ours[-1] == theirs[-1]


@pytest.mark.conformance
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize(("low", "high", "step"), [(0, 1000, 0.1), (3, -70, -0.7), (0.5, 1e4, 3), (-100, 100, 7)])
def test_arange_as_in_torch(torch: Any, dtype: str, low: float, high: float, step: float) -> None:
    if dtype == "int64" and abs(step) < 1:  # the step becomes zero
        for lib in (wengert, torch):
            with pytest.raises(ValueError, match="step must be nonzero"):
                lib.arange(low, high, step, dtype=lib.int64)
        return
    ours = wengert.arange(low, high, step, dtype=getattr(wengert, dtype)).numpy()
    theirs = torch.arange(low, high, step, dtype=getattr(torch, dtype)).numpy()
    if dtype == "int64":
        np.testing.assert_array_equal(ours, theirs, strict=True)
        return
    # Ours are the float64 values rounded once; PyTorch counts in blocks and is further off.
    np.testing.assert_array_equal(ours, (low + step * np.arange(len(theirs))).astype(dtype), strict=True)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=np.finfo(dtype).eps * max(abs(low), abs(high)))


def test_range_is_deprecated() -> None:
    with pytest.warns(UserWarning, match="torch.range is deprecated") as caught:
        wengert.range(1, 3)
    assert caught[0].filename == __file__


def test_new_is_the_older_constructor_of_the_same_dtype() -> None:
    t = wengert.ones(2, dtype=wengert.float64)
    assert t.new(2, 3).shape == (2, 3)
    assert t.new(2, 3).dtype == wengert.float64
    assert t.new([1, 2]).tolist() == [1.0, 2.0]
    assert t.new().shape == (0,)
    with pytest.raises(TypeError, match=r"expected a tensor of torch\.float64"):
        t.new(wengert.ones(1))
