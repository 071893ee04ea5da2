"""Filling tensors, and PyTorch's older constructors; literal facts, and the same expressions answered by PyTorch."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np
import pytest

import wengert
from expressions import answer, lines, values_as_in_torch

# --- filling ---------------------------------------------------------------------------------------------------------

FILLS = """
(leaf*2).fill_(3)
(leaf*2).fill_(leaf[0])
(leaf*2).fill_(torch.tensor(3.))
(leaf*2).zero_()
torch.fill(leaf, 3)
torch.fill(leaf, leaf[0])
torch.fill(leaf, torch.tensor(3))
torch.autograd.grad((leaf*2).fill_(leaf[0]).sum(), (leaf, ))
torch.autograd.grad((leaf*2).zero_().sum(), (leaf, ))
torch.zeros(2, dtype=torch.int64).fill_(2.7)
torch.zeros(2, dtype=torch.uint8).fill_(-1)
torch.zeros(2, dtype=torch.bool).fill_(3)
torch.zeros(2).fill_(True)
torch.zeros(2, dtype=torch.int64).fill_(torch.tensor(2.7))
torch.zeros(2).fill_(value=2)
torch.zero_(torch.ones(2))
torch.fill_(torch.ones(2), 3)
torch.fill(torch.ones(2, dtype=torch.int64), 2.5)
torch.zeros(2).fill_(torch.tensor(1j))
torch.tensor(2.).fill_(3)
torch.tensor(2.).zero_()
counts[0].zero_()
counts[:, 1].fill_(7)
(counts[:, 1].fill_(7), counts)[1]
"""

BAD_FILLS = """
torch.zeros(2).fill_(torch.tensor([1.]))
torch.zeros(2, dtype=torch.int64).fill_(float('nan'))
torch.zeros(2, dtype=torch.uint8).fill_(300)
torch.zeros(2).fill_(1e300)
torch.zeros(2).fill_(1j)
leaf.zero_()
leaf.fill_(2)
torch.zeros(2).fill_('a')
"""


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(FILLS))
def test_fills_as_in_torch(torch: ModuleType, expression: str) -> None:
    values_as_in_torch(torch, expression)


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(BAD_FILLS))
def test_bad_fills_as_in_torch(torch: ModuleType, expression: str) -> None:
    ours, theirs = answer(expression, wengert), answer(expression, torch)
    assert ours[0] == theirs[0]


def test_zero_counts_as_a_write() -> None:
    w = wengert.ones(2, requires_grad=True)
    y = w.exp()
    y.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


# --- older constructors ----------------------------------------------------------------------------------------------

OLDER = """
torch.Tensor(2, 3).shape
torch.Tensor([1, 2])
torch.Tensor()
torch.Tensor(3).shape
torch.Tensor(leaf)
torch.Tensor(counts)
torch.Tensor(np.arange(3))
torch.Tensor((2, 3))
torch.Tensor(torch.Size([2, 3])).shape
torch.FloatTensor([1, 2])
torch.FloatTensor(2, 3).shape
torch.FloatTensor()
torch.FloatTensor(torch.Size([2, 3])).shape
torch.FloatTensor((2, 3))
torch.FloatTensor(np.arange(3))
torch.FloatTensor(floats)
torch.FloatTensor([1., 2.], device='cpu')
torch.LongTensor([1.5, 2])
torch.LongTensor(2).shape
torch.LongTensor([[1, 2], [3, 4]])
[t([1]).dtype for t in (torch.BoolTensor, torch.ByteTensor, torch.CharTensor, torch.ShortTensor, torch.IntTensor)]
[t([1]).dtype for t in (torch.LongTensor, torch.HalfTensor, torch.FloatTensor, torch.DoubleTensor)]
isinstance(leaf, torch.FloatTensor), isinstance(counts, torch.FloatTensor), isinstance(counts, torch.LongTensor)
isinstance(3, torch.FloatTensor)
torch.FloatTensor
torch.FloatTensor.dtype
"""


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(OLDER))
def test_older_constructors_as_in_torch(torch: ModuleType, expression: str) -> None:
    values_as_in_torch(torch, expression)


def test_older_constructors_refuse_other_dtypes() -> None:
    with pytest.raises(TypeError, match=r"expected a tensor of torch\.float32 \(got torch\.int64\)"):
        wengert.FloatTensor(wengert.arange(2))
    with pytest.raises(TypeError, match=r"data must be a sequence \(got float\)"):
        wengert.FloatTensor(3.0)


def test_the_default_type_by_its_older_name() -> None:
    try:
        wengert.set_default_tensor_type(wengert.DoubleTensor)
        assert wengert.get_default_dtype() is wengert.float64
    finally:
        wengert.set_default_tensor_type("torch.FloatTensor")
    with pytest.raises(TypeError, match="only floating-point types"):
        wengert.set_default_tensor_type(wengert.LongTensor)
    with pytest.raises(TypeError, match="invalid type object"):
        wengert.set_default_tensor_type("float")


def test_creation_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wengert.tensor([1e300, -1e300], dtype=wengert.float16)
        wengert.tensor(np.array([1e300, np.nan]), dtype=wengert.int32)
        wengert.logspace(0, 400, 3)
        wengert.full((2,), 1e-300)
