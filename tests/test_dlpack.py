"""DLPack both ways: the same memory, no copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert.interop.torch import from_torch, installed, to_torch


def test_numpy_and_back() -> None:
    t = wengert.arange(6.0).reshape(2, 3).t()
    array = np.from_dlpack(t)
    assert np.shares_memory(array, t.numpy())
    assert array.strides == t.numpy().strides
    back = wengert.from_dlpack(array)
    back[0, 0] = 7
    assert t[0, 0] == 7
    assert wengert.from_dlpack(t).data_ptr() == t.data_ptr()
    copied = wengert.from_dlpack(array, copy=True)
    copied.zero_()
    assert t[0, 0] == 7
    assert t.__dlpack_device__() == (1, 0)


@pytest.mark.parametrize("name", ["bool", "uint8", "int64", "float16", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("shape", [(), (0, 2), (3,)], ids=str)
def test_dtypes_and_shapes(name: str, shape: tuple[int, ...]) -> None:
    t = wengert.from_numpy(np.ones(shape, name))
    back = wengert.from_dlpack(wengert.utils.dlpack.to_dlpack(t))
    assert back.dtype is t.dtype
    assert back.shape == t.shape
    assert back.data_ptr() == t.data_ptr() or 0 in shape


def test_what_is_refused() -> None:
    with pytest.raises(BufferError, match="require gradient"):
        np.from_dlpack(wengert.ones(2, requires_grad=True))
    backwards = wengert.arange(3.0)[::-1]
    with pytest.raises(BufferError, match="backwards"):
        np.from_dlpack(backwards)
    with pytest.raises(TypeError, match="tensor of PyTorch"):
        from_torch([1])
    assert np.from_dlpack(backwards.clone()).tolist() == [2, 1, 0]
    with pytest.raises(BufferError, match="on the CPU"):
        wengert.ones(2).__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError, match="on the CPU"):
        wengert.from_dlpack(np.ones(2), device="cuda")
    with pytest.raises(TypeError, match="takes an object with __dlpack__"):
        wengert.from_dlpack([1, 2])


@pytest.mark.conformance
def test_pytorch_and_back(torch: Any) -> None:
    theirs = torch.arange(6.0).reshape(2, 3)
    mine = from_torch(theirs)
    mine[0, 0] = 9
    assert theirs[0, 0] == 9
    again = to_torch(mine)
    assert isinstance(again, torch.Tensor)
    assert again.data_ptr() == theirs.data_ptr()
    assert from_torch(torch.ones(2, requires_grad=True)).requires_grad is False
    assert to_torch(wengert.ones(2, requires_grad=True)).requires_grad is False
    assert torch.from_dlpack(wengert.ones(2)).tolist() == [1, 1]
    assert wengert.from_dlpack(torch.ones(2)).tolist() == [1, 1]
    conjugate = torch.tensor([1 + 2j]).conj()
    assert from_torch(conjugate).tolist() == [1 - 2j]
    with pytest.raises((TypeError, BufferError, RuntimeError)):
        from_torch(torch.ones(2, dtype=torch.bfloat16))
    assert not installed()


@pytest.mark.conformance
@pytest.mark.parametrize("name", [d.name for d in wengert._dtypes.ALL_DTYPES])
def test_every_dtype_and_stride_to_pytorch_and_back(torch: Any, name: str) -> None:
    for array in (np.ones((2, 3), name), np.ones((), name), np.ones((4, 6), name)[::2, ::3], np.ones((2, 3), name).T):
        t = wengert.from_numpy(array)
        theirs = to_torch(t)
        assert theirs.data_ptr() == t.data_ptr()
        assert str(theirs.dtype) == f"torch.{name}"
        assert (tuple(theirs.shape), theirs.stride()) == (array.shape, t.stride())
        back = from_torch(theirs)
        assert (back.dtype, back.data_ptr(), back.stride()) == (t.dtype, t.data_ptr(), t.stride())
