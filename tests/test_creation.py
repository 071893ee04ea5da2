"""Making tensors: of sizes, of numbers, of data; literal facts, and the same expressions answered by PyTorch."""

from __future__ import annotations

import array
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert
from expressions import answer, lines


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


def values_as_in_torch(torch: ModuleType, expression: str) -> None:
    ours, theirs = answer(expression, wengert), answer(expression, torch)
    assert not theirs[0].startswith("raises"), f"PyTorch itself raises: {theirs}"
    assert ours == theirs


def error_as_in_torch(torch: ModuleType, expression: str) -> None:
    ours, theirs = answer(expression, wengert), answer(expression, torch)
    assert theirs[0].startswith("raises"), f"PyTorch itself answers: {theirs[0]}"
    assert ours[0] == theirs[0]
    start = theirs[1].split("(Triggered")[0].rstrip(". ")[:30]
    assert start in ours[1], f"PyTorch says {theirs[1]!r}, we say {ours[1]!r}"


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
        RuntimeError, match=r"this one would be torch\.int64.*tensor\(\[1\., 2\.\]\).*dtype=torch\.float32"
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
    if dtype == "int64" and abs(step) < 1:
        pytest.skip("PyTorch refuses a step that becomes zero in integers")
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
