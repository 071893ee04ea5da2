"""Out of tensors and between types, copies, pickles, and what a tensor says of itself."""

from __future__ import annotations

import copy
import pickle
import warnings
from types import ModuleType

import numpy as np
import pytest

import wengert
from expressions import answer, lines

NUMBERS = """
torch.ones(1, 1).item()
torch.tensor(True).item()
torch.tensor(3).item()
torch.tensor(2.5, dtype=torch.float16).item()
torch.tensor(1 + 2j).item()
type(torch.tensor(3, dtype=torch.uint8).item())
torch.ones(2).item()
torch.zeros(0).item()
float(torch.ones(1, 1))
float(torch.tensor(3))
float(torch.tensor(True))
float(torch.tensor(1 + 0j))
float(torch.tensor(1j))
float(torch.ones(2))
float(torch.zeros(0))
float(leaf[0])
int(torch.tensor(2.7))
int(torch.tensor(-2.7))
int(torch.tensor(2**62))
int(torch.tensor(float('nan')))
int(torch.tensor(float('inf')))
int(torch.tensor(1j))
int(torch.ones(2))
complex(torch.tensor(1.))
complex(torch.tensor(1 + 2j))
complex(torch.ones(2))
bool(torch.zeros(1))
bool(torch.tensor(0.5))
bool(torch.tensor(float('nan')))
bool(torch.tensor(1j))
bool(torch.ones(2))
bool(torch.zeros(0))
range(torch.tensor(2))
range(torch.tensor([2]))
range(torch.tensor(True))
range(torch.tensor(2.))
range(torch.tensor([2, 3]))
[1, 2, 3][torch.tensor(1)]
leaf.tolist()
counts.tolist()
torch.tensor(3).tolist()
torch.tensor(2.5).tolist()
torch.zeros(0, 2).tolist()
z.tolist()
torch.is_nonzero(torch.tensor(2.))
torch.is_nonzero(torch.ones(1, 1))
torch.is_nonzero(torch.ones(2))
torch.is_nonzero(torch.zeros(0))
torch.tensor(2.).is_nonzero()
len(counts)
len(torch.tensor(3))
"""

ARRAYS = """
leaf.numpy()
result.numpy()
result.detach().numpy()
result.numpy(force=True)
torch.tensor(2.5).numpy()
torch.zeros(2, 0).numpy()
counts.t().numpy().strides
np.asarray(leaf)
np.array(leaf)
np.asarray(counts)
np.asarray(counts, dtype=np.float32)
np.array(counts, dtype=complex)
np.sin(torch.ones(2))
np.sin(torch.tensor(1.))
np.add(torch.ones(2), torch.ones(2))
np.stack([torch.ones(2), torch.ones(2)])
np.float64(3) * torch.ones(2)
np.float64(3) * leaf
torch.ones(2) * np.float64(3)
np.int64(3) + counts
torch.ones(2) + np.float32(1)
"""

TYPES = """
leaf.to(torch.float64)
leaf.to(torch.float32) is leaf
leaf.to('cpu') is leaf
leaf.to(torch.device('cpu')) is leaf
leaf.to('cpu', torch.float64)
leaf.to('cpu', torch.float64, True, True)
leaf.to('cpu', None) is leaf
leaf.to(counts)
leaf.to(counts, copy=True)
leaf.to(floats) is leaf
leaf.to(copy=True)
leaf.to(dtype=torch.float64)
leaf.to(device='cpu')
leaf.to(device='cpu', dtype=torch.float64)
leaf.to(torch.float32, copy=True)
leaf.to(torch.float64, True)
leaf.to(torch.float32, False, True)
leaf.to() is leaf
leaf.to(None) is leaf
leaf.to(float)
leaf.to(torch.float64, non_blocking=True)
leaf.to(torch.int32)
leaf.to(torch.float32, memory_format=torch.contiguous_format) is leaf
leaf.to(torch.float64).sum().backward() or leaf.grad
counts.t().to(torch.float32).stride()
leaf.to('foo')
leaf.to(1)
leaf.to(other=counts)
leaf.to(torch.float64, copy=3)
leaf.to([1])
leaf.to(torch.float64, False, False, False)
result.double()
result.float() is result
result.int()
result.long().dtype, result.short().dtype, result.char().dtype, result.byte().dtype
result.half()
result.bool()
result.cfloat()
counts.cdouble().dtype
z.float()
z.bool()
z.to(torch.complex128)
z.to(torch.int32)
torch.tensor([1.7, -1.7]).int()
torch.tensor([1e10, float('nan')]).double().float()
leaf.type()
counts.type()
z.type()
torch.tensor(True).type()
torch.tensor(1, dtype=torch.uint16).type()
leaf.type(torch.float64)
leaf.type('torch.DoubleTensor')
leaf.type(torch.DoubleTensor)
leaf.type('torch.FloatTensor') is leaf
leaf.type(torch.float32) is leaf
leaf.type('foo')
leaf.type_as(counts)
counts.type_as(leaf)
counts.type_as(3)
leaf.cpu() is leaf
torch.result_type(counts, 1.0)
torch.result_type(counts, leaf)
torch.result_type(1, 1.0)
torch.result_type(True, 1)
torch.result_type(torch.tensor(1., dtype=torch.float64), torch.ones(1))
torch.result_type(z, torch.tensor(1., dtype=torch.float64))
"""

SELF = """
leaf.device
leaf.is_cuda, leaf.is_cpu, leaf.is_mps, leaf.is_meta, leaf.is_sparse, leaf.is_quantized, leaf.is_mkldnn, leaf.is_xpu
leaf.layout, leaf.get_device(), leaf.is_sparse_csr, leaf.is_nested
leaf.is_shared(), leaf.is_pinned()
counts.size(), counts.size(0), counts.size(-1), counts.size(dim=1)
counts.size(2)
counts.size(-3)
torch.tensor(1).size()
torch.tensor(1).size(0)
counts.size('a')
counts.shape
counts.shape[1:]
counts.ndim, counts.dim(), counts.ndimension(), counts.numel(), counts.nelement()
counts.stride(), counts.stride(0), counts.stride(-1)
counts.stride(2)
counts.storage_offset(), counts[1].storage_offset(), counts[:, 1].storage_offset(), counts[1][2:].storage_offset()
counts.itemsize, counts.element_size(), counts.nbytes
torch.zeros(2, 0).stride(), torch.zeros(0, 2).stride(), torch.zeros(2, 0, 3).stride(), torch.tensor(1).stride()
torch.zeros(1, 2).stride(), torch.zeros(2, 1).stride(), torch.zeros(3, 4)[:, :0].stride()
torch.zeros(2, 0).is_contiguous(), counts.t().is_contiguous(), counts[:, 1].is_contiguous(), counts[1].is_contiguous()
counts.is_contiguous(memory_format=torch.contiguous_format)
torch.zeros(2, 3, 4, 5).is_contiguous(memory_format=torch.channels_last)
torch.zeros(2, 4, 5, 3).permute(0, 3, 1, 2).is_contiguous(memory_format=torch.channels_last)
torch.is_tensor(counts), torch.is_tensor(3)
counts.is_same_size(counts), counts.is_same_size(leaf), torch.is_same_size(counts, leaf)
torch.numel(counts)
torch.numel(3)
counts.data_ptr() == counts.untyped_storage().data_ptr()
counts[1].untyped_storage().nbytes()
counts[1].data_ptr() - counts.data_ptr()
counts.dtype, leaf.dtype, z.dtype, torch.tensor(True).dtype
torch.get_default_device()
torch.set_default_device('cpu')
"""

TEXT = """
f"{torch.tensor(3.14159):.2f}"
f"{torch.tensor(7):5d}"
f"{leaf}"
f"{leaf.sum()}"
str(leaf)
repr(result)
repr(result.sum())
repr(counts.t())
f"{leaf:.2f}"
f"{torch.ones(1):.2f}"
torch.ones(2, 2, dtype=torch.float64)
torch.ones(2, 3).unbind()
torch.ones(2, 3, requires_grad=True).unbind()
torch.ones(2, requires_grad=True).max(0)[0]
"""

COPIES = """
pickle.loads(pickle.dumps(leaf))
pickle.loads(pickle.dumps(result))
pickle.loads(pickle.dumps(torch.tensor(3.)))
pickle.loads(pickle.dumps(counts))
pickle.loads(pickle.dumps(counts[:, 1]))
pickle.loads(pickle.dumps(counts[:, 1])).stride()
pickle.loads(pickle.dumps(counts.t())).stride()
pickle.loads(pickle.dumps(torch.zeros(2, 0))).shape
pickle.loads(pickle.dumps(z))
(lambda a, b: (b.zero_(), a)[1])(*copy.deepcopy((counts, counts[0])))
(lambda a, b: (b.zero_(), a)[1])(*copy.deepcopy((counts, counts.t()[1])))
(lambda a, b: (b.zero_(), a)[1])(*copy.deepcopy((counts, counts.detach())))
(lambda pair: pair[0] is pair[1])(copy.deepcopy([leaf, leaf]))
copy.deepcopy(leaf)
copy.deepcopy(result)
copy.deepcopy(result.detach())
copy.deepcopy(counts.t()).stride()
copy.deepcopy(counts[:, 1])
copy.deepcopy(torch.tensor(3., requires_grad=True))
(leaf.sum().backward(), copy.deepcopy(leaf).grad)[1]
copy.copy(leaf)
copy.copy(leaf) is leaf
copy.copy(result).requires_grad, copy.copy(result).is_leaf
copy.copy(leaf).data_ptr() == leaf.data_ptr()
(copy.copy(counts).zero_(), counts)[1]
"""


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(NUMBERS + ARRAYS + TYPES + SELF + TEXT + COPIES))
def test_as_in_torch(torch: ModuleType, expression: str) -> None:
    ours, theirs = answer(expression, wengert), answer(expression, torch)
    assert ours[0] == theirs[0]
    assert theirs[1].split("(Triggered")[0].rstrip(". ")[:30] in ours[1]


# --- NumPy -----------------------------------------------------------------------------------------------------------


def test_numpy_shares_memory_both_ways() -> None:
    t = wengert.zeros(2, 3)
    a = t.t().numpy()
    a[0, 1] = 5
    assert t[1, 0].item() == 5
    t.fill_(7)
    assert (a == 7).all()
    scalar = wengert.tensor(1.0)
    b = scalar.numpy()
    scalar.fill_(2)
    assert b == 2


def test_numpy_on_a_tracked_tensor_names_it_and_says_what_to_do() -> None:
    weights = wengert.ones(2, requires_grad=True)
    with pytest.raises(
        RuntimeError, match=r"Use tensor\.detach\(\)\.numpy\(\) instead.*`weights`.*no gradient would flow"
    ):
        weights.numpy()
    with wengert.no_grad():
        assert weights.numpy().tolist() == [1.0, 1.0]
    assert np.asarray(weights.detach()).tolist() == weights.numpy(force=True).tolist() == [1.0, 1.0]


def test_array_protocol() -> None:
    t = wengert.arange(3)
    assert np.shares_memory(np.asarray(t), t.numpy())
    assert not np.shares_memory(np.array(t), t.numpy())
    assert np.shares_memory(np.array(t, copy=False), t.numpy())
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        np.array(t, dtype=np.float32, copy=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(np.sin(wengert.ones(2)), wengert.Tensor)
        assert np.isnan(wengert.ones(2)).dtype is wengert.bool


def test_integer_conversions_are_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wengert.tensor([float("nan"), 1e30]).int()
        wengert.tensor([1e300], dtype=wengert.float64).float()


def test_dropping_an_imaginary_part_warns_at_the_users_line() -> None:
    z = wengert.tensor([1 + 2j])
    for convert in (z.float, lambda: z.to(wengert.int32), lambda: z.type(wengert.float64)):
        with pytest.warns(UserWarning, match="discards the imaginary part") as caught:
            convert()
        assert caught[0].filename == __file__


def test_gradients_come_back_in_the_original_dtype() -> None:
    x = wengert.ones(2, requires_grad=True)
    (x.double() * wengert.tensor([1.0, 3.0], dtype=wengert.float64)).sum().backward()
    assert x.grad.dtype is wengert.float32
    assert x.grad.tolist() == [1.0, 3.0]


def test_a_gpu_is_refused_with_a_remedy() -> None:
    for attempt in (
        lambda: wengert.ones(1).cuda(),
        lambda: wengert.ones(1).to("cuda:0"),
        lambda: wengert.ones(1).cuda(0),
    ):
        with pytest.raises(RuntimeError, match=r"computes on the CPU only.*torch\.cuda\.is_available\(\)"):
            attempt()


def test_accelerator_questions_are_answered() -> None:
    assert wengert.cuda.is_available() is False
    assert wengert.cuda.device_count() == 0
    assert wengert.cuda.is_initialized() is False
    assert wengert.cuda.manual_seed_all(3) is None
    assert wengert.cuda.memory_allocated() == 0
    assert wengert.backends.mps.is_available() is False
    wengert.backends.cudnn.deterministic = True
    assert wengert.version.cuda is None
    for needs_one in (wengert.cuda.current_device, wengert.cuda.synchronize, wengert.cuda.get_device_name):
        with pytest.raises(RuntimeError, match=r"torch\.cuda\.\w+\(\) needs a GPU"):
            needs_one()


# --- copies ----------------------------------------------------------------------------------------------------------


def test_a_result_cannot_be_deep_copied_and_is_named() -> None:
    w = wengert.ones(2, requires_grad=True)
    doubled = w * 2
    with pytest.raises(
        RuntimeError, match=r"created explicitly by the user.*`doubled`.*MulBackward0.*detach\(\)\.clone\(\)"
    ):
        copy.deepcopy(doubled)
    with pytest.raises(RuntimeError, match="created explicitly by the user"):
        copy.deepcopy({"w": w, "views": [w[0]]})


def test_deep_copies_keep_gradients_and_attributes() -> None:
    w = wengert.ones(2, requires_grad=True)
    w.label = ["weights"]
    w.grad = wengert.tensor([1.0, 2.0])
    twin = copy.deepcopy(w)
    assert twin.requires_grad
    assert twin.is_leaf
    assert twin.label == ["weights"]
    assert twin.label is not w.label
    twin.grad.zero_()
    assert w.grad.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol: int) -> None:
    w = wengert.ones(2, 3, requires_grad=True)
    w.label = "weights"
    back = pickle.loads(pickle.dumps(w, protocol))
    assert repr(back) == repr(w)
    assert back.label == "weights"
    assert back._data.dtype is w._data.dtype
    back.sum().backward()
    assert back.grad.tolist() == [[1.0] * 3] * 2


def test_a_subclass_survives() -> None:
    t = copy.deepcopy(Special([1.0, 2.0]))
    assert type(t) is type(pickle.loads(pickle.dumps(t))) is type(copy.copy(t)) is Special
    assert repr(t) == "Special([1., 2.])"


class Special(wengert.Tensor):
    pass


def test_a_view_of_part_of_a_large_array_takes_only_that_part_along() -> None:
    t = wengert.from_numpy(np.zeros(100_000)[:3])
    assert len(pickle.dumps(t)) < 1000


def test_views_that_are_pickled_together_stay_views_of_one_memory() -> None:
    # PyTorch keeps this in torch.save only.
    t = wengert.zeros(2, 3)
    whole, row, detached = pickle.loads(pickle.dumps((t, t[0], t.detach())))
    row.fill_(1)
    assert whole.tolist() == detached.tolist() == [[1.0] * 3, [0.0] * 3]


def test_a_copy_shares_the_version() -> None:
    t = wengert.zeros(2)
    copy.copy(t).fill_(1)
    assert t._version == 1
    assert copy.deepcopy(t)._version == 0
