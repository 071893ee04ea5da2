"""Functions that choose, write and add at index tensors and masks, against PyTorch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

from both import both
from cases import Function, r, table
from torch_pairs import compare, same_error


def long(lib: Any, *values: Any) -> Any:
    return lib.tensor(values, dtype=lib.int64)


def mask(lib: Any, shape: tuple[int, ...] = (2, 3)) -> Any:
    return lib.from_numpy(np.random.default_rng(3).random(shape) < 0.5)


# --- functions that choose; f(lib, x) for a 3 x 4 tensor ---

CHOOSE: dict[str, Function] = {
    "gather": lambda lib, x: x.gather(0, long(lib, [0, 2, 1], [2, 2, 0])),
    "gather last": lambda lib, x: lib.gather(x, -1, long(lib, [0, 3, 3], [1, 1, 1], [2, 0, 3])),
    "gather int32": lambda lib, x: x.gather(1, lib.tensor([[1], [0], [3]], dtype=lib.int32)),
    "gather nothing": lambda lib, x: x.gather(1, lib.zeros(0, dtype=lib.int64)).sum() + x.sum(),
    "index_select": lambda lib, x: x.index_select(1, long(lib, 3, 0, 3)),
    "index_select 0-d": lambda lib, x: lib.index_select(x, 0, lib.tensor(2)),
    "take": lambda lib, x: x.take(long(lib, [0, 11], [-1, 0])),
    "take_along_dim": lambda lib, x: x.take_along_dim(long(lib, [1], [0], [-1]), 1),
    "take_along_dim spread": lambda lib, x: lib.take_along_dim(x, long(lib, [1, 0]), 1),
    "take_along_dim flat": lambda lib, x: x.take_along_dim(long(lib, 5, 5)),
    "argsorted": lambda lib, x: x.take_along_dim(x.detach().argsort(1), 1),
    "masked_select": lambda lib, x: x.masked_select(mask(lib, (3, 4))),
    "masked_select spread": lambda lib, x: lib.masked_select(x, mask(lib, (2, 1, 4))),
    "unsqueezed": lambda lib, x: x[0, 0].gather(0, lib.tensor([0])),
    "scalar gather": lambda lib, x: x[0, 0].gather(0, lib.tensor(0)),
    "scalar index_select": lambda lib, x: x[0, 0].index_select(0, lib.tensor([0])),
    "scalar take": lambda lib, x: x[0, 0].take(lib.tensor([0, 0])),
}
# --- functions that write; f(lib, x, y) with a 3 x 4 and a 2 x 4 tensor ---
I2 = ([0, 2, 1, 1], [2, 2, 0, 1])
SCATTER: dict[str, Function] = {
    "scatter": lambda lib, x, y: x.scatter(0, long(lib, [0, 2, 1, 1], [2, 1, 0, 0]), y),
    "scatter dim 1": lambda lib, x, y: lib.scatter(x[:2], 1, long(lib, [3, 1, 0, 2], [1, 0, 2, 3]), y),
    "scatter number": lambda lib, x, y: x.scatter(0, long(lib, *I2), 2.5),
    "scatter value": lambda lib, x, y: lib.scatter(x, 0, long(lib, *I2), value=2.5),
    "scatter_add": lambda lib, x, y: x.scatter_add(0, long(lib, *I2), y),
    "index_add": lambda lib, x, y: x.index_add(0, long(lib, 2, 2), y),
    "index_add alpha": lambda lib, x, y: lib.index_add(x, 0, long(lib, 2, 0), y, alpha=-0.5),
    "index_add dim 1": lambda lib, x, y: y.index_add(1, long(lib, 3, 3, 0), x.T[:2, :3]),
    "index_copy": lambda lib, x, y: x.index_copy(0, long(lib, 2, 0), y),
    "index_copy dim 1": lambda lib, x, y: y.index_copy(1, long(lib, 3, 1, 0), x.T[:2, :3]),
    "index_fill": lambda lib, x, y: x.index_fill(1, long(lib, 2, -1), 1.5),
    "index_fill tensor": lambda lib, x, y: x.index_fill(0, long(lib, 2, 0), y[0, 0]),
    "index_put": lambda lib, x, y: x.index_put((long(lib, 2, 0),), y),
    "index_put add": lambda lib, x, y: x.index_put((long(lib, 2, 2),), y, accumulate=True),
    "index_put mask": lambda lib, x, y: lib.index_put(x, (mask(lib, (3, 4)),), y[0, 0]),
    "index_put mask add": lambda lib, x, y: lib.index_put(x, (mask(lib, (3, 4)),), y[0, 0], True),
    "index_put two": lambda lib, x, y: x.index_put((long(lib, 2, 0), long(lib, 1, 1)), y[:, 0]),
    "put": lambda lib, x, y: x.put(long(lib, [0, 11, 5, 1], [2, 3, 4, -3]), y),
    "put add": lambda lib, x, y: lib.put(x, long(lib, 0, 0, 5), y[0, :3], accumulate=True),
    "masked_fill": lambda lib, x, y: x.masked_fill(mask(lib, (3, 4)), 0.5),
    "masked_fill zero": lambda lib, x, y: lib.masked_fill(x, mask(lib, (3, 1)), 0),
    "masked_fill spread": lambda lib, x, y: x.masked_fill(mask(lib, (2, 3, 4)), -1.0),
    "masked_fill tensor": lambda lib, x, y: x.masked_fill(mask(lib, (3, 4)), y[0, 0]),
    "masked_scatter": lambda lib, x, y: x.masked_scatter(mask(lib, (3, 4)), y),
    "masked_scatter spread": lambda lib, x, y: lib.masked_scatter(x, mask(lib, (3, 1)), y),
}
INPLACE: dict[str, Function] = {
    "scatter_": lambda lib, x, y: x.scatter_(0, long(lib, [0, 2, 1, 1], [2, 1, 0, 0]), y),
    "scatter_ number": lambda lib, x, y: x.scatter_(0, long(lib, *I2), 2.5),
    "scatter_add_": lambda lib, x, y: x.scatter_add_(0, long(lib, *I2), y),
    "scatter_reduce_": lambda lib, x, y: x.scatter_reduce_(0, long(lib, *I2), y, "mean"),
    "index_add_": lambda lib, x, y: x.index_add_(0, long(lib, 2, 2), y),
    "index_copy_": lambda lib, x, y: x.index_copy_(0, long(lib, 2, 0), y),
    "index_fill_": lambda lib, x, y: x.index_fill_(1, long(lib, 2, -1), 1.5),
    "index_fill_ tensor": lambda lib, x, y: x.index_fill_(0, long(lib, 2, 0), y[0, 0]),
    "index_put_": lambda lib, x, y: x.index_put_((long(lib, 2, 0),), y),
    "put_": lambda lib, x, y: x.put_(long(lib, 0, 11, 5), y[0, :3]),
    "masked_fill_": lambda lib, x, y: x.masked_fill_(mask(lib, (3, 4)), 0.5),
    "masked_fill_ tensor": lambda lib, x, y: x.masked_fill_(mask(lib, (3, 1)), y[0, 0]),
    "masked_scatter_": lambda lib, x, y: x.masked_scatter_(mask(lib, (3, 4)), y),
}


@table(CHOOSE)
def test_choosing(f: Function) -> None:
    compare(f, r(3, 4))
    if f is not CHOOSE["take_along_dim flat"]:  # there PyTorch insists on a view
        compare(lambda lib, x: f(lib, x.T), r(4, 3), order=1)


@table(CHOOSE)
@pytest.mark.parametrize("dtype", ["float32", "complex64", "int32", "bool"])
def test_choosing_dtypes(f: Function, dtype: str) -> None:
    if dtype in ("complex64", "bool") and f is CHOOSE["argsorted"]:
        return
    a = r(3, 4, dtype=dtype) if dtype[0] in "fc" else (np.arange(12).reshape(3, 4) % 3).astype(dtype)
    compare(f, a, order=1)


@table(SCATTER)
def test_writing_functions(f: Function) -> None:
    compare(f, r(3, 4), r(2, 4))
    compare(f, r(3, 4), r(2, 4), frozen=(0,))
    compare(f, r(3, 4), r(2, 4), frozen=(1,))


@table(SCATTER)
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_writing_function_dtypes(f: Function, dtype: str) -> None:
    compare(f, r(3, 4, dtype=dtype), r(2, 4, dtype=dtype), order=1)


@table(INPLACE)
def test_writing_methods(f: Function) -> None:
    compare(lambda lib, x, y: f(lib, x * 1, y) * x, r(3, 4), r(2, 4))

    def of_view(lib: Any, x: Any, y: Any) -> Any:
        base = x * 1
        f(lib, base.T, y)
        return base

    compare(of_view, r(4, 3), r(2, 4), order=1)

    def plain(lib: Any, x: Any, y: Any) -> Any:
        version = x._version
        assert f(lib, x, y) is x
        assert x._version > version
        return x

    compare(plain, r(3, 4), r(2, 4), frozen=(0, 1))


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce(reduce: str, include_self: bool) -> None:
    def f(lib: Any, x: Any, y: Any) -> Any:
        return x.scatter_reduce(0, long(lib, *I2), y, reduce, include_self=include_self)

    compare(f, r(3, 4), r(2, 4))
    ties = np.array([[1.0, 2.0, 0.0, 2.0], [2.0, 0.0, 3.0, 1.0], [1.0, 1.0, 0.0, 0.0]])
    if include_self or reduce not in ("amax", "amin"):  # else PyTorch counts the input among the winners
        compare(f, ties, ties[:2].copy(), order=1)
    zeros = np.array([[0.0, 2.0, 1.0, 2.0], [2.0, 3.0, 0.0, 1.0]])
    compare(f, np.abs(r(3, 4)) + 1, zeros, order=1)
    compare(f, np.arange(12).reshape(3, 4), np.arange(8).reshape(2, 4))
    if reduce != "sum":

        def by_rows(lib: Any, x: Any, y: Any) -> Any:
            return x.index_reduce(0, long(lib, 1, 1), y, reduce, include_self=include_self)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch says once that it is in beta
            want = by_rows(torch, torch.from_numpy(r(3, 4)), torch.from_numpy(r(2, 4)))
        got = by_rows(wengert, wengert.from_numpy(r(3, 4)), wengert.from_numpy(r(2, 4)))
        np.testing.assert_allclose(got.numpy(), want.numpy())


def test_scatter_of_nothing() -> None:
    x, y = wengert.tensor(r(3, 4), requires_grad=True), wengert.zeros(2, 4, requires_grad=True).double()
    z = x.scatter(0, wengert.zeros(0, 4, dtype=wengert.int64), y)
    assert z.tolist() == x.tolist()
    z.sum().backward()
    assert x.grad.tolist() == [[1.0] * 4] * 3


def test_winners_of_a_tie_without_the_input() -> None:
    x = wengert.tensor([5.0, 1.0], requires_grad=True)
    y = wengert.tensor([5.0, 5.0, 3.0], requires_grad=True)
    x.scatter_reduce(0, wengert.tensor([0, 0, 0]), y, "amax", include_self=False).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]
    assert y.grad.tolist() == [0.5, 0.5, 0.0]


@both
def test_an_empty_index_tracks_the_source(torch):
    """
    scatter True [0.0, 0.0, 0.0]
    scatter_add True [0.0, 0.0, 0.0]
    scatter_reduce True [0.0, 0.0, 0.0]
    gather True [0.0, 0.0, 0.0]
    gather of rows True [0.0, 0.0, 0.0]
    """
    index = torch.zeros(0, dtype=torch.int64)
    calls = {
        "scatter": lambda t: torch.zeros(2).scatter(0, index, t[:0]),
        "scatter_add": lambda t: torch.zeros(2, 3).scatter_add(0, index, t[:0]),
        "scatter_reduce": lambda t: torch.zeros(2).scatter_reduce(0, index, t[:0], "sum"),
        "gather": lambda t: t.gather(0, index),
        "gather of rows": lambda t: t.reshape(1, 3).gather(0, index),
    }
    for name, call in calls.items():
        t = torch.ones(3, requires_grad=True)
        y = call(t)
        y.sum().backward()
        print(name, y.requires_grad, t.grad.tolist())


def test_scatter_with_larger_source() -> None:
    # PyTorch computes this and then fails in backward; here the rest of the source gets a zero gradient.
    x = wengert.zeros(3, requires_grad=True)
    y = wengert.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x.scatter(0, wengert.tensor([2]), y).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 0.0]
    assert y.grad.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.filterwarnings("ignore:The reduce argument of torch.scatter:UserWarning")
def test_scatter_with_reduce() -> None:
    for reduce in ("add", "multiply"):
        compare(lambda lib, x, y, k=reduce: x.scatter(0, long(lib, *I2), y, reduce=k), r(3, 4), r(2, 4), frozen=(0, 1))
        compare(lambda lib, x, k=reduce: x.scatter(0, long(lib, *I2), 2.0, reduce=k), r(3, 4), frozen=(0,))


def test_nonzero() -> None:
    for a in (np.array([[0, 1], [2, 0]]), np.array(3.0), np.array(0.0), np.zeros((0, 2)), np.array([True, False])):
        compare(lambda lib, x: x.nonzero(), a, frozen=(0,))
        compare(lambda lib, x: lib.argwhere(x), a, frozen=(0,))
        compare(lambda lib, x: lib.nonzero(x, as_tuple=True)[0], a, frozen=(0,))


def test_unravel_index() -> None:
    for i in range(2):
        compare(lambda lib, x, i=i: lib.unravel_index(x, (2, 3))[i], np.array([1, 5, 0]))


ERRORS: dict[str, Function] = {
    "gather bounds": lambda lib, x: x.gather(0, long(lib, [5, 0, 0, 0])),
    "gather negative": lambda lib, x: x.gather(0, long(lib, [-1, 0, 0, 0])),
    "gather dims": lambda lib, x: x.gather(0, long(lib, 0)),
    "gather size": lambda lib, x: x.gather(0, lib.zeros(1, 9, dtype=lib.int64)),
    "gather dtype": lambda lib, x: x.gather(0, lib.zeros(1, 4)),
    "gather dim": lambda lib, x: x.gather(5, long(lib, [0])),
    "index_select matrix": lambda lib, x: x.index_select(0, long(lib, [0])),
    "index_select bounds": lambda lib, x: x.index_select(0, long(lib, 5)),
    "index_select negative": lambda lib, x: x.index_select(0, long(lib, -1)),
    "take bounds": lambda lib, x: x.take(long(lib, 12)),
    "take negative": lambda lib, x: x.take(long(lib, -13)),
    "take dtype": lambda lib, x: x.take(lib.tensor([1.0])),
    "take_along_dim": lambda lib, x: x.take_along_dim(long(lib, 0), 0),
    "masked_select dtype": lambda lib, x: x.masked_select(mask(lib, (3, 4)).int()),
    "masked_select shape": lambda lib, x: x.masked_select(mask(lib, (3, 3))),
    "scatter dtype": lambda lib, x: x.scatter(0, long(lib, [0]), x.float()),
    "scatter bounds": lambda lib, x: x.scatter(0, long(lib, [7]), x),
    "scatter size": lambda lib, x: x.scatter(0, lib.zeros(4, 4, dtype=lib.int64), x),
    "scatter dims": lambda lib, x: x.scatter(0, long(lib, 0, 0), x),
    "scatter reduce": lambda lib, x: x.scatter(0, long(lib, [0]), 1.0, reduce="foo"),
    "scatter_reduce": lambda lib, x: x.scatter_reduce(0, long(lib, [0]), x, "foo"),
    "scatter_add dtype": lambda lib, x: x.scatter_add(0, long(lib, [0]), x.float()),
    "index_add number": lambda lib, x: x.index_add(0, long(lib, 0), x),
    "index_add dtype": lambda lib, x: x.index_add(0, long(lib, 0), x[:1].float()),
    "index_add bounds": lambda lib, x: x.index_add(0, long(lib, 5), x[:1]),
    "index_copy number": lambda lib, x: x.index_copy(0, long(lib, 0), x),
    "index_fill value": lambda lib, x: x.index_fill(0, long(lib, 0), lib.tensor([1.0])),
    "index_fill bounds": lambda lib, x: x.index_fill(0, long(lib, 7), 1),
    "index_put dtype": lambda lib, x: x.index_put((long(lib, 0),), x[0].float()),
    "index_put bounds": lambda lib, x: x.index_put((long(lib, 7),), x[0]),
    "index_put tensor": lambda lib, x: x.index_put(long(lib, 0), x[0]),
    "index_put number": lambda lib, x: x.index_put((long(lib, 0),), 1.0),
    "masked_fill dtype": lambda lib, x: x.masked_fill(mask(lib, (3, 4)).int(), 1.0),
    "masked_fill value": lambda lib, x: x.masked_fill(mask(lib, (3, 4)), lib.tensor([1.0])),
    "masked_fill_ shape": lambda lib, x: x[0].masked_fill_(mask(lib, (2, 4)), 1.0),
    "masked_scatter few": lambda lib, x: x.masked_scatter(mask(lib, (3, 4)), x[0, :1]),
    "put number": lambda lib, x: x.put(long(lib, 0, 1), x[0, :1]),
    "put dtype": lambda lib, x: x.put(long(lib, 0), x[0, :1].float()),
    "put bounds": lambda lib, x: x.put(long(lib, 99), x[0, :1]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    # 24 characters: what comes first in a message is PyTorch's, its numbers may stand in another order.
    same_error(ERRORS[name], r(3, 4), beginning=24, frozen=(0,))
