"""Making tensors of data, copied or shared; literal facts, and the same expressions answered by PyTorch."""

from __future__ import annotations

import array
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert
from expressions import error_as_in_torch, lines, values_as_in_torch

# --- tensor ----------------------------------------------------------------------------------------------------------

DATA = """
torch.tensor(3.0)
torch.tensor(3)
torch.tensor(True)
torch.tensor(1j)
torch.tensor(3.0, requires_grad=True)
torch.tensor(1, dtype=torch.float32, requires_grad=True)
torch.tensor(1j, requires_grad=True)
torch.tensor(-2**63)
torch.tensor(2**63, dtype=torch.uint64)
torch.tensor(2**64, dtype=torch.float32)
torch.tensor(2**53 + 1, dtype=torch.float64)
torch.tensor([2**63, 1.0])
torch.tensor(-1, dtype=torch.uint8)
torch.tensor(-255, dtype=torch.uint8)
torch.tensor([-1, 255, 0], dtype=torch.uint8)
torch.tensor(-1, dtype=torch.uint16)
torch.tensor(-128, dtype=torch.int8)
torch.tensor(3.7, dtype=torch.int64)
torch.tensor([-3.7, 2, 250.5], dtype=torch.int16)
torch.tensor([1, 2.5], dtype=torch.int32)
torch.tensor(1e300, dtype=torch.float32)
torch.tensor(1e300)
torch.tensor(-1e30, dtype=torch.float16)
torch.tensor([1e300], dtype=torch.float32)
torch.tensor(float('nan'))
torch.tensor(float('inf'), dtype=torch.float16)
torch.tensor(float('nan'), dtype=torch.bool)
torch.tensor([2, 0], dtype=torch.bool)
torch.tensor(0.5, dtype=torch.bool)
torch.tensor(complex('nan'), dtype=torch.bool)
torch.tensor([1, 2., True])
torch.tensor([True, False])
torch.tensor([True, 1])
torch.tensor([1, 1j])
torch.tensor([1.5, 1j], dtype=torch.complex128)
torch.tensor([])
torch.tensor([[]])
torch.tensor([[], []])
torch.tensor([[[]]]).shape
torch.tensor(())
torch.tensor([], dtype=torch.int32)
torch.tensor(range(3))
torch.tensor((1, 2))
torch.tensor([(1, 2), [3, 4]])
torch.tensor([[[1]], [[2]]]).shape
torch.tensor([range(2), [5, 6]])
torch.tensor(bytearray(b'ab'))
torch.tensor(memoryview(b'ab'))
torch.tensor(np.float64(3))
torch.tensor(np.float32(3))
torch.tensor(np.int32(3))
torch.tensor(np.uint16(5))
torch.tensor(np.bool_(True))
torch.tensor([np.float64(3)])
torch.tensor([np.float32(3)])
torch.tensor([np.int32(3)])
torch.tensor([np.int32(3), 2.5])
torch.tensor([np.float32(3), 2.5])
torch.tensor([np.float16(3), np.float64(2)])
torch.tensor([np.arange(3), np.arange(3)])
torch.tensor([np.arange(3.), np.arange(3)])
torch.tensor([np.arange(3.), [1, 2, 3]])
torch.tensor([[np.arange(2)], [np.arange(2)]])
torch.tensor(np.arange(3))
torch.tensor(np.arange(3.))
torch.tensor(np.arange(3), dtype=torch.float32)
torch.tensor(np.array([300., 2.7]), dtype=torch.uint8)
torch.tensor(np.float32([1, 2]), requires_grad=True)
torch.tensor(np.array(3.0))
torch.tensor(np.zeros((2, 0)))
torch.tensor(np.zeros((2, 3), order='F')).stride()
torch.tensor(np.zeros((2, 3, 4)).transpose(2, 0, 1)).stride()
torch.tensor(np.zeros((4, 6))[::2, ::2]).stride()
torch.tensor(counts)
torch.tensor(counts, dtype=torch.float64)
torch.tensor(counts.t()).stride()
torch.tensor(leaf)
torch.tensor(leaf, requires_grad=True)
torch.tensor([leaf[0], leaf[1]])
torch.tensor([leaf[0].detach(), 2])
torch.tensor([torch.tensor(1), torch.tensor(2.5)])
torch.tensor([torch.tensor([1.]), torch.tensor([2])])
torch.tensor([torch.tensor(1.0, dtype=torch.float64), 2])
torch.tensor([IndexOnly()], dtype=torch.int64)
torch.tensor([FloatOnly()], dtype=torch.float32)
torch.tensor(FloatOnly(), dtype=torch.float32)
torch.tensor(1, dtype=float)
torch.tensor([1.5], dtype=int)
torch.tensor(data=3)
torch.tensor(1., device='cpu')
torch.tensor(1., device=torch.device('cpu'))
torch.scalar_tensor(3)
torch.scalar_tensor(True)
torch.scalar_tensor(3, dtype=torch.int64)
torch.scalar_tensor(3., requires_grad=True)
leaf.new_tensor([1, 2])
counts.new_tensor([1., 2.])
leaf.new_tensor(1, dtype=torch.int32)
leaf.new_tensor(result)
leaf.new_tensor([1, 2], requires_grad=True)
"""

BAD_DATA = """
torch.tensor([[1, 2], [3]])
torch.tensor([[[1], [2]], [[3], [4, 5]]])
torch.tensor([[1, 2], 3])
torch.tensor([1.0, [2.0]])
torch.tensor('a')
torch.tensor(['a'])
torch.tensor([1., 'a'])
torch.tensor([[1, 2], [3, 'a']])
torch.tensor(b'ab')
torch.tensor(None)
torch.tensor([None])
torch.tensor([1, None])
torch.tensor([None], dtype=torch.float32)
torch.tensor(None, dtype=torch.float32)
torch.tensor({})
torch.tensor({1})
torch.tensor(object())
torch.tensor(IndexOnly())
torch.tensor([FloatOnly()])
torch.tensor(ArrayOnly())
torch.tensor(ArrayOnly(), dtype=torch.float32)
torch.tensor(x for x in [1])
torch.tensor(2**63)
torch.tensor(-2**63 - 1)
torch.tensor([2**64])
torch.tensor(2**63, dtype=torch.int64)
torch.tensor(300, dtype=torch.uint8)
torch.tensor(-256, dtype=torch.uint8)
torch.tensor([0, 300], dtype=torch.uint8)
torch.tensor(200, dtype=torch.int8)
torch.tensor(2**31, dtype=torch.int32)
torch.tensor(300.7, dtype=torch.uint8)
torch.tensor(float('nan'), dtype=torch.int64)
torch.tensor([float('inf')], dtype=torch.int64)
torch.tensor(1j, dtype=torch.float32)
torch.tensor([1j], dtype=torch.float32)
torch.tensor(1j, dtype=torch.int64)
torch.tensor(np.array(['a']))
torch.tensor(np.array([None]))
torch.tensor(np.datetime64('2020'))
torch.tensor(np.longdouble(5))
torch.tensor([leaf, leaf])
torch.tensor(1, requires_grad=True)
torch.tensor(True, requires_grad=True)
torch.tensor([1, 2], requires_grad=True)
torch.tensor(1, dtype='float32')
torch.scalar_tensor([1])
counts.new_tensor([1.5], requires_grad=True)
"""


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(DATA))
def test_data_as_in_torch(torch: ModuleType, expression: str) -> None:
    values_as_in_torch(torch, expression)


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(BAD_DATA))
def test_bad_data_as_in_torch(torch: ModuleType, expression: str) -> None:
    error_as_in_torch(torch, expression)


def test_a_leaf_of_a_number() -> None:
    x = wengert.tensor(3.0, requires_grad=True)
    assert repr(x) == "tensor(3., requires_grad=True)"
    assert x.is_leaf
    assert x.grad is None
    assert isinstance(x._data, np.float32)


@pytest.mark.parametrize("data", [3.0, [1.0, 2.0], [[1.0]], np.ones(2)])
def test_the_data_are_copied(data: Any) -> None:
    t = wengert.tensor(data)
    t.numpy()[...] = 7
    assert wengert.tensor(data).tolist() == np.asarray(data).tolist()


def test_the_default_dtype_is_followed() -> None:
    wengert.set_default_dtype(wengert.float64)
    try:
        assert wengert.tensor(1.0).dtype is wengert.tensor([1.0]).dtype is wengert.zeros(2).dtype is wengert.float64
        assert wengert.tensor(1j).dtype is wengert.tensor([1j, 1.0]).dtype is wengert.complex128
        assert wengert.arange(2.0).dtype is wengert.linspace(0, 1, 3).dtype is wengert.float64
        assert wengert.rand(1).dtype is wengert.full((1,), 2.0).dtype is wengert.float64
        assert wengert.tensor(1).dtype is wengert.int64
    finally:
        wengert.set_default_dtype(wengert.float32)


def test_each_dtype_is_the_one_object_of_numpy() -> None:
    # The engine compares NumPy dtypes by identity.
    for d in (wengert.float32, wengert.float64, wengert.int64, wengert.bool):
        for t in (wengert.tensor([1, 0], dtype=d), wengert.tensor(1, dtype=d), wengert.zeros(2, dtype=d)):
            assert t._data.dtype is d.np
    foreign = np.frombuffer(np.ones(2, np.float32).tobytes(), np.dtype("<f4", copy=True, metadata={"a": 1}))
    assert wengert.as_tensor(foreign.copy())._data.dtype is wengert.float32.np
    assert wengert.tensor(np.arange(3, dtype=np.longlong))._data.dtype is wengert.int64.np


def test_integers_get_a_hint_about_gradients() -> None:
    with pytest.raises(
        RuntimeError, match=r"is torch\.int64.*decimal point.*tensor\(\[1\., 2\.\]\).*dtype=torch\.float32"
    ):
        wengert.tensor([1, 2], requires_grad=True)


def test_a_copy_of_a_tracked_tensor_is_cut_and_says_so() -> None:
    weights = wengert.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="To copy construct from a tensor.*`weights` requires grad.*cuts") as caught:
        t = wengert.tensor(weights)
    assert not t.requires_grad
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"Converting a tensor with requires_grad=True.*torch\.stack"):
        wengert.tensor([weights[0], weights[1]])
    wengert.tensor(weights.detach())  # nothing is lost, so nothing is said
    wengert.tensor([weights.detach()[0], 2.0])


def test_a_list_that_holds_itself_is_no_tensor() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="too many dimensions 'list'"):
        wengert.tensor(loop)


def test_rows_of_unequal_length_are_named() -> None:
    with pytest.raises(
        ValueError, match=r"expected sequence of length 2 at dim 1 \(got 1\).*row 0.*has 2 and row 1 has 1"
    ):
        wengert.tensor([[1, 2], [3]])
    with pytest.raises(ValueError, match=r"expected sequence of length 0 at dim 1 \(got 1\)"):
        wengert.tensor([[], [1]])  # PyTorch drops the 1 in silence


# --- sharing memory --------------------------------------------------------------------------------------------------

SHARED = """
torch.from_numpy(np.array(3.))
torch.from_numpy(np.arange(4)[::2]).stride()
torch.from_numpy(np.arange(4)[2:]).storage_offset()
torch.from_numpy(np.zeros((2, 3), order='F')).stride()
torch.from_numpy(np.zeros((2, 0))).shape
torch.from_numpy(np.array([1 + 2j]))
torch.as_tensor([1, 2])
torch.as_tensor(3.5)
torch.as_tensor(leaf) is leaf
torch.as_tensor(leaf, dtype=torch.float32) is leaf
torch.as_tensor(leaf, dtype=torch.float64)
torch.as_tensor(np.float32(3))
torch.as_tensor(np.arange(2.), dtype=torch.float32)
torch.as_tensor([1, 2], dtype=torch.float64)
torch.asarray(leaf)
torch.asarray(leaf) is leaf
torch.asarray(leaf, requires_grad=True) is leaf
torch.asarray(leaf, requires_grad=False)
torch.asarray(floats, requires_grad=True)
torch.asarray(result)
torch.asarray(result, requires_grad=True)
torch.asarray(leaf, copy=True)
torch.asarray(leaf, dtype=torch.float64)
torch.asarray(np.arange(3.), requires_grad=True)
torch.asarray(np.arange(3.), dtype=torch.float32)
torch.asarray(b'abc', dtype=torch.uint8)
torch.asarray(bytearray(b'abcd'), dtype=torch.int16)
torch.asarray(3)
torch.asarray(np.float32(3))
torch.asarray([1, 2.], requires_grad=True)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int16)
torch.frombuffer(b'abcd', dtype=torch.int16)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int16, offset=2)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int16, count=1)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.float32, requires_grad=True).requires_grad
"""

NOT_SHARED = """
torch.from_numpy([1])
torch.from_numpy(np.float32(3))
torch.from_numpy(np.arange(3)[::-1])
torch.from_numpy(np.zeros(2, dtype='i4,i4'))
torch.from_numpy(np.array(['a']))
torch.as_tensor(np.arange(3)[::-1])
torch.as_tensor(ArrayOnly())
torch.asarray(leaf, dtype=torch.float64, copy=False)
torch.asarray([1, 2], copy=False)
torch.asarray(3, copy=False)
torch.asarray(np.arange(3.), dtype=torch.float32, copy=False)
torch.asarray(b'abc')
torch.frombuffer(bytearray(b'abcde'), dtype=torch.int16)
torch.frombuffer(bytearray(b''), dtype=torch.int16)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int16, offset=1)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int16, offset=4)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int16, count=0)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int16, count=3)
torch.frombuffer([1], dtype=torch.int16)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int32, requires_grad=True)
"""


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(SHARED))
def test_sharing_as_in_torch(torch: ModuleType, expression: str) -> None:
    values_as_in_torch(torch, expression)


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(NOT_SHARED))
def test_refusing_to_share_as_in_torch(torch: ModuleType, expression: str) -> None:
    error_as_in_torch(torch, expression)


@pytest.mark.parametrize("share", [wengert.from_numpy, wengert.as_tensor, wengert.asarray])
def test_memory_is_shared_both_ways(share: Any) -> None:
    a = np.zeros((2, 3))
    t = share(a.T)
    a[0, 1] = 5
    assert t[1, 0].item() == 5
    t.fill_(7)
    assert (a == 7).all()


def test_writing_to_a_read_only_array_is_an_error_and_announced() -> None:
    a = np.zeros(2)
    a.flags.writeable = False
    with pytest.warns(UserWarning, match="The given NumPy array is not writable"):
        t = wengert.from_numpy(a)
    with pytest.raises(RuntimeError, match="read-only"):
        t.fill_(1)
    assert a.tolist() == [0, 0]
    with pytest.warns(UserWarning, match="The given buffer is not writable"):
        wengert.frombuffer(b"ab", dtype=wengert.uint8)


def test_reshaping_the_array_does_not_reshape_the_tensor() -> None:
    a = np.zeros(4)
    t = wengert.from_numpy(a)
    a.shape = (2, 2)
    assert t.shape == (4,)
    t.numpy().shape = (2, 2)
    assert t.shape == (4,)


def test_buffers_of_other_kinds() -> None:
    a = array.array("d", [1.0, 2.0])
    t = wengert.frombuffer(a, dtype=wengert.float64)
    t.fill_(3)
    assert a.tolist() == [3.0, 3.0]
    assert wengert.asarray(a, dtype=wengert.float64).tolist() == [3.0, 3.0]


def test_asarray_without_gradient_is_detached_and_shares_memory() -> None:
    w = wengert.ones(2, requires_grad=True)
    t = wengert.asarray(w, requires_grad=False)
    assert not t.requires_grad
    assert t.data_ptr() == w.data_ptr()
