"""Errors of functions on shapes and axes, and what a table of cases does not show."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.engine.apply import apply
from wengert.engine.moving import view_function, views_function
from wengert.ops.joining import SPLIT, UNBIND
from wengert.ops.movement import CAST, PERMUTE, VIEW

torch = pytest.importorskip("torch")

from cases import Function, r
from torch_pairs import compare, same_error


def nn(lib: Any) -> Any:
    return lib.nn.functional


ERRORS: dict[str, Function] = {
    "reshape size": lambda lib, x: x.reshape(5, 5),
    "reshape two": lambda lib, x: x.reshape(-1, -1),
    "reshape not divisible": lambda lib, x: x.reshape(-1, 7),
    "reshape negative": lambda lib, x: x.reshape(-2, 3),
    "reshape nothing": lambda lib, x: x.reshape(),
    "reshape float": lambda lib, x: x.reshape(2.5),
    "reshape text": lambda lib, x: x.reshape("a"),
    "reshape function": lambda lib, x: lib.reshape(x, 24),
    "view layout": lambda lib, x: x.mT.view(24),
    "view dtype": lambda lib, x: x[..., :3].contiguous().view(lib.complex128),
    "flatten order": lambda lib, x: x.flatten(2, 1),
    "flatten range": lambda lib, x: x.flatten(5),
    "unflatten": lambda lib, x: x.unflatten(1, (2, 2)),
    "permute number": lambda lib, x: x.permute(0, 1),
    "permute twice": lambda lib, x: x.permute(0, 0, 1),
    "permute range": lambda lib, x: x.permute(0, 1, 5),
    "transpose range": lambda lib, x: x.transpose(0, 5),
    "t of cube": lambda lib, x: x.t(),
    "H of cube": lambda lib, x: x.H,
    "mT of vector": lambda lib, x: x[0, 0].mT,
    "movedim twice": lambda lib, x: x.movedim((0, 0), (1, 2)),
    "squeeze range": lambda lib, x: x.squeeze(5),
    "squeeze twice": lambda lib, x: x.squeeze((0, 0)),
    "unsqueeze range": lambda lib, x: x.unsqueeze(5),
    "expand size": lambda lib, x: x.expand(3, 3, 4),
    "expand number": lambda lib, x: x.float().expand(3, 4),
    "expand new -1": lambda lib, x: x.expand(-1, 2, 3, 4),
    "broadcast tensors": lambda lib, x: lib.broadcast_tensors(x, lib.zeros(5)),
    "broadcast shapes": lambda lib, x: lib.broadcast_shapes((2,), (3,)),
    "repeat number": lambda lib, x: x.repeat(2),
    "repeat negative": lambda lib, x: x.repeat(2, -1, 1),
    "tile": lambda lib, x: lib.tile(x, 2),
    "interleave": lambda lib, x: x.repeat_interleave(lib.tensor([1, 2, 3]), 0),
    "interleave negative": lambda lib, x: x.repeat_interleave(lib.tensor([1, -2]), 0),
    "interleave float": lambda lib, x: x.repeat_interleave(lib.tensor([1.0, 2.0]), 0),
    "flip twice": lambda lib, x: x.flip(0, 0),
    "fliplr": lambda lib, x: lib.fliplr(x[0, 0]),
    "roll align": lambda lib, x: x.roll((1, 2), 0),
    "rot90 same": lambda lib, x: x.rot90(1, (0, 0)),
    "rot90 one": lambda lib, x: x.rot90(1, (0,)),
    "narrow end": lambda lib, x: x.narrow(0, 1, 2),
    "narrow start": lambda lib, x: x.narrow(0, 3, 0),
    "narrow negative": lambda lib, x: x.narrow(0, 0, -1),
    "select index": lambda lib, x: x.select(0, 5),
    "select scalar": lambda lib, x: lib.tensor(1.0).select(0, 0),
    "diagonal same": lambda lib, x: x.diagonal(0, 1, 1),
    "diag cube": lambda lib, x: x.diag(),
    "tril vector": lambda lib, x: x[0, 0].tril(),
    "unfold size": lambda lib, x: x.unfold(0, 3, 1),
    "unfold step": lambda lib, x: x.unfold(0, 1, 0),
    "cat none": lambda lib, x: lib.cat([]),
    "cat tensor": lambda lib, x: lib.cat(x),
    "cat number": lambda lib, x: lib.cat([x, 1]),
    "cat dims": lambda lib, x: lib.cat([x, x[0]]),
    "cat sizes": lambda lib, x: lib.cat([x, x[:, :2]]),
    "cat scalars": lambda lib, x: lib.cat([lib.tensor(1.0)]),
    "cat range": lambda lib, x: lib.cat([x, x], 3),
    "stack none": lambda lib, x: lib.stack([]),
    "stack shapes": lambda lib, x: lib.stack([x, x[0]]),
    "split size": lambda lib, x: x.split(0),
    "split sum": lambda lib, x: x.split([1, 2]),
    "split negative": lambda lib, x: x.split([3, -1]),
    "chunk": lambda lib, x: x.chunk(0),
    "tensor split": lambda lib, x: x.tensor_split(0),
    "hsplit": lambda lib, x: lib.hsplit(x, 2),
    "unbind scalar": lambda lib, x: lib.tensor(1.0).unbind(),
    "iterate scalar": lambda lib, x: list(lib.tensor(1.0)),
    "meshgrid dtype": lambda lib, x: lib.meshgrid(x[0, 0], x[0, 0].int(), indexing="ij"),
    "meshgrid indexing": lambda lib, x: lib.meshgrid(x[0, 0], indexing="zz"),
    "cartesian": lambda lib, x: lib.cartesian_prod(x),
    "block diag": lambda lib, x: lib.block_diag(x),
    "pad odd": lambda lib, x: nn(lib).pad(x, (1,)),
    "pad many": lambda lib, x: nn(lib).pad(x, (1,) * 8),
    "pad reflect": lambda lib, x: nn(lib).pad(x, (4, 1), "reflect"),
    "pad mode": lambda lib, x: nn(lib).pad(x, (1, 1), "foo"),
    "pad value": lambda lib, x: nn(lib).pad(x, (1, 1), "reflect", value=1.0),
    "pad vector": lambda lib, x: nn(lib).pad(x[0, 0], (1, 1), "reflect"),
    "pad cut": lambda lib, x: nn(lib).pad(x, (1, -5)),
    "as strided": lambda lib, x: x.as_strided((10,), (10,)),
    "as strided number": lambda lib, x: x.as_strided((2,), (1, 2)),
    "as strided negative": lambda lib, x: x.as_strided((2,), (-1,)),
    "select scatter": lambda lib, x: x.select_scatter(lib.zeros(3, 5), 0, 0),
    "slice scatter": lambda lib, x: x.slice_scatter(lib.zeros(1, 3, 5), 0, 0, 1),
    "diagonal scatter": lambda lib, x: x.diagonal_scatter(lib.zeros(9)),
    "tril_ of leaf": lambda lib, x: x[0].detach().requires_grad_().tril_(),
    "t_ of leaf": lambda lib, x: x[0].detach().requires_grad_().t_(),
    "write expanded": lambda lib, x: lib.zeros(1).expand(3).copy_(lib.ones(3)),
    "copy": lambda lib, x: lib.zeros(3).copy_(lib.ones(2)),
}
# Where our own wording is better, it is enough that the class of the error is the same.
OWN_WORDS = {
    "pad vector": 50,
    "movedim twice": 8,
    "meshgrid dtype": 0,
    "select scalar": 10,
    "t_ of leaf": 20,
    "tril_ of leaf": 20,
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name], r(2, 3, 4), beginning=OWN_WORDS.get(name, 60), frozen=(0,))


# --- what a table does not show ---


def test_circular_padding() -> None:
    # PyTorch builds it of four writes; here it is one operation.
    compare(lambda lib, x: nn(lib).pad(x, (2, 1, 1, 3), mode="circular"), r(2, 3, 4), name=False)


def test_combinations() -> None:
    for kwargs in ({}, {"r": 3}, {"r": 2, "with_replacement": True}, {"r": 5}):
        compare(lambda lib, x, k=kwargs: lib.combinations(x, **k), r(4), name=False)


def test_indices_of_triangles() -> None:
    for args in ((3, 2, -1), (2, 3, 1), (0, 2), (3, 3)):
        for name in ("tril_indices", "triu_indices"):
            compare(lambda lib, n=name, a=args: getattr(lib, n)(*a))


@pytest.mark.parametrize("shape", [(3, 4), (100, 130), (130, 70), (2, 200, 65), (64, 128), (65, 65)])
def test_large_triangles(shape: tuple[int, ...]) -> None:
    x = r(*shape)
    for diagonal in (0, 1, -1, 70, -70, 500, -500):
        np.testing.assert_array_equal(wengert.from_numpy(x).tril(diagonal).numpy(), np.tril(x, diagonal))
        np.testing.assert_array_equal(wengert.from_numpy(x).triu(diagonal).numpy(), np.triu(x, diagonal))


def test_large_transposed_copy() -> None:
    x = r(300, 600)
    y = wengert.from_numpy(x).T.contiguous()
    assert y.stride() == (300, 1)
    np.testing.assert_array_equal(y.numpy(), x.T)


def test_view_as_another_dtype() -> None:
    for f in (
        lambda lib, x: x.view(lib.int32),
        lambda lib, x: x.view(lib.float64),
        lambda lib, x: x.view(dtype=lib.int8),
    ):
        compare(f, r(2, 4, dtype="float32"), order=0, name=False, frozen=(0,))
    x = wengert.zeros(2)
    x.view(wengert.int32)[0] = 0x3F800000
    assert x.tolist() == [1.0, 0.0]


def test_cat_promotes() -> None:
    for pair in (("int32", "float32"), ("float32", "float64"), ("bool", "int64"), ("float16", "float32")):
        a, b = (np.ones(2, dtype) for dtype in pair)
        compare(lambda lib, x, y: lib.cat([x, y]), a, b, order=1)
        compare(lambda lib, x, y: lib.stack([x, y]), a, b, order=1)


def test_out() -> None:
    out = wengert.zeros(4)
    assert wengert.cat([wengert.ones(2), wengert.ones(2)], out=out) is out
    assert out.tolist() == [1.0] * 4
    out = wengert.zeros(2, 2)
    assert wengert.tril(wengert.ones(2, 2), out=out) is out
    assert out.tolist() == [[1.0, 0.0], [1.0, 1.0]]


def test_same_object_where_pytorch_gives_it() -> None:
    for lib in (wengert, torch):
        x = lib.zeros(2, 3)
        assert x.contiguous() is x
        assert x.flatten(1, 1) is x
        assert lib.atleast_1d(x) is x
        assert x.view(2, 3) is not x
        assert x.reshape(2, 3) is not x


def test_warnings() -> None:
    for lib in (wengert, torch):
        with pytest.warns(UserWarning, match=r"The use of `x\.T`"):
            assert lib.zeros(2, 3, 4).T.shape == (4, 3, 2)
    with pytest.warns(UserWarning, match="it will be required to pass the indexing argument"):
        wengert.meshgrid(wengert.zeros(2), wengert.zeros(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert wengert.zeros(2, 3).T.shape == (3, 2)


def test_changing_a_tensor_itself() -> None:
    for f in (
        lambda lib, x: x.mul(2).transpose_(0, 2),
        lambda lib, x: x.mul(2).swapaxes_(0, 1),
        lambda lib, x: x[0].mul(2).t_(),
        lambda lib, x: x[:1].mul(2).squeeze_(),
        lambda lib, x: x[:1].mul(2).squeeze_(0),
        lambda lib, x: x.mul(2).unsqueeze_(1),
        lambda lib, x: x.mul(2)[1].t_().mul_(3),
    ):
        compare(f, r(2, 3, 4), name=False)
    x = wengert.zeros(2, 3)
    assert x.t_() is x
    assert x.shape == (3, 2)


def test_copy_into() -> None:
    compare(lambda lib, x, y: x.mul(1).copy_(y), r(2, 3), r(3))
    compare(lambda lib, x, y: (x * 1)[0].copy_(y), r(2, 3), r(3), name=False)
    compare(lambda lib, x, y: x.mul(1).copy_(y), r(2, 3), r(2, 3, dtype="float32"))
    compare(lambda lib, x: x.copy_(2), np.arange(3))


def test_triangles_in_place() -> None:
    compare(lambda lib, x: x.mul(2).tril_(), r(3, 4))
    compare(lambda lib, x: x.mul(2).triu_(1), r(3, 4))
    compare(lambda lib, x: x.mul(2).fill_diagonal_(5), r(3, 4), name=False)
    compare(lambda lib, x: x.fill_diagonal_(1, True), np.zeros((5, 2)), frozen=(0,))


# --- the short path of views ---


def test_short_path_equals_apply() -> None:
    x = wengert.tensor(r(2, 3, 4), requires_grad=True)
    for op, meta in ((VIEW, {"shape": (6, 4)}), (PERMUTE, {"dims": (2, 0, 1)})):
        for source in (x, x.detach(), x * 2, (x * 2)[:]):
            a, b = view_function(op)(source, meta), apply(op, source, **meta)
            _assert_same_tensor(a, b)
    for op, meta in ((SPLIT, {"dim": 2, "sizes": (1, 3)}), (UNBIND, {"dim": 0})):
        for source in (x, x.detach(), x * 2):
            for a, b in zip(views_function(op)(source, meta), apply(op, source, **meta), strict=True):
                _assert_same_tensor(a, b)


def _assert_same_tensor(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(a.numpy(force=True), b.numpy(force=True))
    assert a.requires_grad == b.requires_grad
    assert a._cell is b._cell
    for name in ("base", "steps", "origin", "seen"):
        ours, theirs = getattr(a._view, name), getattr(b._view, name)
        assert ours is theirs or (name != "base" and ours == theirs), name
    node, other = a.grad_fn, b.grad_fn
    assert type(node) is type(other)
    if node is not None:
        for name in ("shape", "dtype", "scalar", "meta"):
            assert getattr(node, name, None) == getattr(other, name, None), name
        assert [type(n) for n, _ in node.next_functions] == [type(n) for n, _ in other.next_functions]


def test_short_path_refuses_what_is_no_view() -> None:
    with pytest.raises(ValueError, match="cast is no view operation"):
        view_function(CAST)


def test_view_under_no_grad_and_inference() -> None:
    for lib in (wengert, torch):
        x = lib.tensor([1.0, 2.0], requires_grad=True)
        with lib.no_grad():
            y = x[0]
        assert y.requires_grad
        assert y.grad_fn is None
    with wengert.inference_mode():
        assert wengert.zeros(2)[0].is_inference()
