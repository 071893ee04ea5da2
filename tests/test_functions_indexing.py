"""Brackets on tensors against PyTorch: values, layout, node names, gradients, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

from cases import Function, r, table
from torch_pairs import compare, same_error

Key = Callable[[Any], Any]


def long(lib: Any, *values: Any) -> Any:
    return lib.tensor(values, dtype=lib.int64)


def mask(lib: Any, shape: tuple[int, ...] = (2, 3)) -> Any:
    return lib.from_numpy(np.random.default_rng(3).random(shape) < 0.5)


# --- keys, for a 2 x 3 x 4 tensor ---

BASIC: dict[str, Key] = {
    "int": lambda lib: 1,
    "negative": lambda lib: -2,
    "numpy int": lambda lib: np.int64(1),
    "0-d tensor": lambda lib: lib.tensor(1),
    "0-d array": lambda lib: np.array(0),
    "ints": lambda lib: (1, -1, 2),
    "int and slice": lambda lib: (0, slice(1, None)),
    "slice": lambda lib: slice(0, 1),
    "slice all": lambda lib: slice(None),
    "slice step": lambda lib: (slice(None), slice(0, 3, 2)),
    "slice out of range": lambda lib: slice(1, 99),
    "slice empty": lambda lib: slice(2, 1),
    "slice tensor": lambda lib: slice(lib.tensor(0), lib.tensor(1)),
    "slices": lambda lib: (slice(-1, None), slice(None, -1), slice(1, 3)),
    "all slices": lambda lib: (slice(None), slice(None)),
    "none": lambda lib: None,
    "nones": lambda lib: (None, 0, None, slice(1, 2)),
    "ellipsis": lambda lib: ...,
    "ellipsis int": lambda lib: (..., 0),
    "ellipsis middle": lambda lib: (0, ..., 1),
    "ellipsis of nothing": lambda lib: (0, 1, 2, ...),
    "ellipsis none": lambda lib: (..., None),
    "empty": lambda lib: (),
    "list of slices": lambda lib: [slice(0, 1), 0],
}
ADVANCED: dict[str, Key] = {
    "tensor": lambda lib: long(lib, 1, 0, 1),
    "int32": lambda lib: lib.tensor([1, 0], dtype=lib.int32),
    "negative tensor": lambda lib: long(lib, -1, -2),
    "matrix": lambda lib: long(lib, [1, 0], [0, 0]),
    "no element": long,
    "list": lambda lib: [0, 1, 1],
    "empty list": lambda lib: [],
    "array": lambda lib: np.array([1, 0]),
    "range": lambda lib: range(2),
    "nested list": lambda lib: ([[0, 1], [1, 1]],),
    "two": lambda lib: (long(lib, 1, 0), long(lib, 2, 2)),
    "two lists": lambda lib: ([0, 1], [1, 2]),
    "broadcast": lambda lib: (long(lib, [1], [0]), long(lib, 0, 2)),
    "three": lambda lib: ([1, 0], [2, 0], [3, 3]),
    "second": lambda lib: (slice(None), [0, 2]),
    "last": lambda lib: (..., [3, 0]),
    "apart": lambda lib: ([0, 1], slice(None), [1, 2]),
    "apart by ellipsis": lambda lib: ([0, 1], ..., [1, 2]),
    "last two": lambda lib: (slice(None), [0, 1], [1, 2]),
    "int first": lambda lib: (0, slice(None), [1, 2]),
    "int between": lambda lib: ([0, 1], 0, [1, 2]),
    "with slice": lambda lib: (slice(0, 1), [0, 0, 2]),
    "with none": lambda lib: (None, [0, 1]),
    "none between": lambda lib: ([0], None, [1]),
    "mask": mask,
    "mask of all": lambda lib: mask(lib, (2, 3, 4)),
    "mask of one": lambda lib: lib.tensor([True, False]),
    "mask list": lambda lib: [True, False],
    "mask array": lambda lib: np.array([False, True]),
    "mask inside": lambda lib: (slice(None), mask(lib, (3,))),
    "mask at the end": lambda lib: (slice(None), mask(lib, (3, 4))),
    "mask then int": lambda lib: (mask(lib), 0),
    "int then mask": lambda lib: (1, mask(lib, (3,))),
    "mask and tensor": lambda lib: (lib.tensor([True, True]), [2, 0]),
    "nothing true": lambda lib: lib.zeros(2, 3, dtype=lib.bool),
    "True": lambda lib: True,
    "False": lambda lib: False,
    "True and int": lambda lib: (True, 0),
    "0-d mask": lambda lib: lib.tensor(True),
    "tuple in tuple": lambda lib: ((0, 1),),
}


lists = pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")


@lists
@table(BASIC | ADVANCED)
def test_reading(f: Key) -> None:
    compare(lambda lib, x: x[f(lib)], r(2, 3, 4))


@lists
@table(BASIC | ADVANCED)
def test_layout(f: Key) -> None:
    found = []
    for lib in (wengert, torch):
        x = lib.from_numpy(r(2, 3, 4))
        y = x[f(lib)]
        shared = y.numel() > 0 and np.shares_memory(x.numpy(), y.numpy())
        strides = [s for n, s in zip(y.shape, y.stride(), strict=True) if n > 1 and y.numel()]
        found.append((tuple(y.shape), y.is_contiguous(), shared, strides))
    assert found[0] == found[1]


@lists
@table(BASIC | ADVANCED)
def test_reading_permuted_memory(f: Key) -> None:
    compare(lambda lib, x: x.permute(2, 0, 1)[f(lib)], r(3, 4, 2), order=1)


@lists
@table(BASIC | ADVANCED)
def test_writing_a_number(f: Key) -> None:
    def write(lib: Any, x: Any) -> Any:
        y = x * 1
        y[f(lib)] = 2.5
        return y * x

    compare(write, r(2, 3, 4))
    compare(write, r(2, 3, 4), frozen=(0,))


@lists
@table(BASIC | ADVANCED)
def test_writing_a_tensor(f: Key) -> None:
    shape = torch.from_numpy(r(2, 3, 4))[f(torch)].shape
    shapes = {tuple(shape), tuple(shape[1:]), (1,) * len(shape), ()}
    if f in BASIC.values():
        shapes.add((1, 1, *shape))

    def write(lib: Any, x: Any, value: Any) -> Any:
        y = x * 1
        y[f(lib)] = value * 2
        return y * x

    repeats = _names_an_element_twice(shape, f)
    for own in shapes:
        if repeats and own == tuple(shape):
            continue  # which of several values wins is not defined
        compare(write, r(2, 3, 4), np.asarray(r(*own, 5)[..., 0]))
        compare(write, r(2, 3, 4), np.asarray(r(*own, 5)[..., 0]), frozen=(0, 1))


def _names_an_element_twice(shape: Any, f: Key) -> bool:
    places = torch.arange(24).reshape(2, 3, 4)[f(torch)]
    return places.unique().numel() != places.numel()


@lists
@table(BASIC | ADVANCED)
@pytest.mark.parametrize("dtype", ["float32", "complex64", "int64", "bool"])
def test_dtypes(f: Key, dtype: str) -> None:
    a = r(2, 3, 4, dtype=dtype) if dtype[0] in "fc" else (np.arange(24).reshape(2, 3, 4) % 3).astype(dtype)
    compare(lambda lib, x: x[f(lib)], a, order=1)


def _random_part(rng: np.random.Generator, size: int) -> Any:
    kind = rng.integers(0, 8)
    if kind == 0:
        return int(rng.integers(-size, size))
    if kind < 4:
        ends = [None if rng.random() < 0.3 else int(rng.integers(-size - 1, size + 2)) for _ in range(2)]
        return slice(*ends, int(rng.integers(1, 3)))
    if kind == 4:
        return rng.integers(-size, size, 3)
    if kind == 5:
        return rng.integers(0, size, (2, 1))
    return rng.random(size) < 0.7 if kind == 6 else None


def _random_key(rng: np.random.Generator, shape: tuple[int, ...]) -> list[Any]:
    key = [_random_part(rng, n) for n in shape[: rng.integers(0, len(shape) + 1)]]
    if rng.random() < 0.3:
        key.insert(int(rng.integers(0, len(key) + 1)), ...)
    return key


def test_random_keys() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        shape = tuple(int(n) for n in rng.integers(1, 5, rng.integers(1, 5)))
        key, a = _random_key(rng, shape), r(*shape)

        def take(lib: Any, x: Any, key: list[Any] = key) -> Any:
            return x[tuple([lib.from_numpy(k.copy()) if isinstance(k, np.ndarray) else k for k in key])]

        try:
            want = take(torch, torch.from_numpy(a))
        except (IndexError, RuntimeError):
            with pytest.raises((IndexError, RuntimeError)):
                take(wengert, wengert.from_numpy(a))
        else:
            if want.numel():  # else PyTorch does not look at the indices
                compare(take, a, order=1)


@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8:UserWarning")
def test_uint8_masks() -> None:
    compare(lambda lib, x: x[lib.tensor([1, 0], dtype=lib.uint8)], r(2, 3))


def test_list_in_place_of_a_tuple() -> None:
    for lib in (wengert, torch):
        with pytest.warns(UserWarning, match="Using a non-tuple sequence for multidimensional indexing is deprecated"):
            assert lib.arange(6).reshape(2, 3)[[slice(None), 0]].tolist() == [0, 3]


def test_negative_steps() -> None:
    # NumPy's form, which PyTorch refuses.
    a = r(4, 5)
    x = wengert.tensor(a, requires_grad=True)
    for key in (
        slice(None, None, -1),
        (slice(3, 0, -2), slice(None, None, -1)),
        (..., slice(-2, None, -1)),
        slice(0, 3, -1),
    ):
        y = x[key]
        np.testing.assert_array_equal(y.detach().numpy(), a[key])
        (g,) = wengert.autograd.grad((y * y).sum(), x)
        want = np.zeros_like(a)
        want[key] = 2 * a[key]
        np.testing.assert_allclose(g.numpy(), want)
        z = wengert.tensor(a)
        z[key] = 7
        b = a.copy()
        b[key] = 7
        np.testing.assert_array_equal(z.numpy(), b)


def test_long_rows_and_repeats() -> None:
    # Sums over repeated indices take other ways for long rows and many repeats.
    rng = np.random.default_rng(6)
    for rows, columns, count in ((7, 100, 20), (7, 100, 300), (50, 3, 200), (5, 70, 1), (6, 64, 0)):
        index = rng.integers(-rows, rows, count)
        compare(lambda lib, x, i=index: x[lib.from_numpy(i.copy())] ** 2, r(rows, columns))
        up = np.abs(index)
        up[up == rows] = 0
        compare(lambda lib, x, i=up: x.index_select(0, lib.from_numpy(i.copy())) ** 2, r(rows, columns))
        compare(lambda lib, x, i=up: x.T.index_select(1, lib.from_numpy(i.copy())) ** 2, r(rows, columns))
        compare(
            lambda lib, x, y, i=up: x.index_add(0, lib.from_numpy(i.copy()), y) ** 2,
            r(rows, columns),
            r(count, columns),
        )


def test_float16_sums_in_float32() -> None:
    x = wengert.zeros(1, dtype=wengert.float16, requires_grad=True)
    x[wengert.zeros(5000, dtype=wengert.int64)].sum().backward()
    assert x.grad.item() == 5000  # adding ones in float16 stops at 2048


def test_what_stays_in_memory() -> None:
    # Only the index is needed for the derivative, so the source may change before backward.
    for lib in (wengert, torch):
        x = lib.ones(3, requires_grad=True)
        y = x * 1
        z = y[lib.tensor([0, 0])]
        y.mul_(2)
        z.sum().backward()
        assert x.grad.tolist() == [2.0, 0.0, 0.0]


READ_ERRORS: dict[str, Function] = {
    "too large": lambda lib, x: x[5],
    "too small": lambda lib, x: x[-3],
    "second dim": lambda lib, x: x[0, 5],
    "after ellipsis": lambda lib, x: x[..., 9],
    "too many": lambda lib, x: x[0, 0, 0, 0],
    "scalar": lambda lib, x: lib.tensor(1.0)[0],
    "float": lambda lib, x: x[1.5],
    "complex": lambda lib, x: x[1j],
    "text": lambda lib, x: x["a"],
    "dict": lambda lib, x: x[{}],
    "float tensor": lambda lib, x: x[lib.tensor([1.0])],
    "int16 tensor": lambda lib, x: x[lib.tensor([1], dtype=lib.int16)],
    "tensor too large": lambda lib, x: x[lib.tensor([0, 5])],
    "tensor too small": lambda lib, x: x[lib.tensor([-3])],
    "second tensor": lambda lib, x: x[[0, 1], [0, 7]],
    "no broadcast": lambda lib, x: x[lib.tensor([0, 1]), lib.tensor([0, 1, 2])],
    "mask shape": lambda lib, x: x[lib.tensor([True, False, True])],
    "mask second": lambda lib, x: x[:, mask(lib)],
    "slice step": lambda lib, x: x[::0],
    "slice float": lambda lib, x: x[1.0:2],
    "huge": lambda lib, x: x[2**70],
    "len of scalar": lambda lib, x: len(lib.tensor(1.0)),
    "contains": lambda lib, x: "a" in x,
}
WRITE_ERRORS: dict[str, tuple[Key, Key]] = {
    "shape": (lambda lib: 0, lambda lib: lib.zeros(2).double()),
    "too many dims": (lambda lib: 0, lambda lib: lib.zeros(2, 3, 4).double()),
    "element": (lambda lib: (0, 0, 0), lambda lib: lib.zeros(2).double()),
    "array": (lambda lib: 0, lambda lib: np.zeros(4)),
    "list": (lambda lib: 0, lambda lib: [1, 2, 3, 4]),
    "text": (lambda lib: 0, lambda lib: "a"),
    "none": (lambda lib: 0, lambda lib: None),
    "index": (lambda lib: 5, lambda lib: 1.0),
    "index tensor": (lambda lib: lib.tensor([5]), lambda lib: 1.0),
    "mask values": (mask, lambda lib: lib.zeros(7, 4).double()),
    "values": (lambda lib: [0, 1], lambda lib: lib.zeros(3, 3, 4).double()),
    "values dtype": (lambda lib: [0, 1], lambda lib: lib.zeros(4)),
}


@table(READ_ERRORS)
def test_reading_errors(f: Function) -> None:
    same_error(f, r(2, 3, 4), frozen=(0,))


@table(WRITE_ERRORS)
@pytest.mark.parametrize("tracked", [False, True])
def test_writing_errors(f: tuple[Key, Key], tracked: bool) -> None:
    key, value = f

    def write(lib: Any, x: Any) -> None:
        y = x * 1 if tracked else x
        before = y.tolist()
        try:
            y[key(lib)] = value(lib)
        finally:
            assert y.tolist() == before

    same_error(write, r(2, 3, 4), beginning=40, frozen=() if tracked else (0,))


def test_writing_to_a_leaf_or_an_expanded_tensor() -> None:
    def leaf(lib: Any, x: Any) -> None:
        x[0] = 1.0

    same_error(leaf, r(2), beginning=20)

    def expanded(lib: Any, x: Any) -> None:
        x.expand(3, 2)[:] = 1.0

    same_error(expanded, r(2), beginning=60, frozen=(0,))
    x = wengert.zeros(2, requires_grad=True)
    with wengert.no_grad():
        x[0] = 3.0
    assert x.tolist() == [3.0, 0.0]


def test_writing_casts_and_counts() -> None:
    for lib in (wengert, torch):
        i = lib.arange(4)
        i[0] = 2.7
        i[i > 2] = 9.9
        i[1:2] = lib.tensor([5.5])
        i[2] = True
        assert i.tolist() == [2, 5, 1, 9]
        x = lib.zeros(3)
        version = x._version
        x[0] = 1
        x[1:] = lib.ones(2)
        x[x > 5] = 2
        x[[0, 1]] = 4
        assert x._version == version + 4
        assert x.tolist() == [4.0, 4.0, 1.0]


def test_overlapping_write() -> None:
    x = wengert.arange(5)
    x[1:] = x[:-1].clone()
    assert x.tolist() == [0, 0, 1, 2, 3]


def test_iteration_and_membership() -> None:
    for lib in (wengert, torch):
        x = lib.tensor([[1.0, 2.0], [3.0, 4.0]])
        assert [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
        a, _ = x
        a[0] = 9
        assert x[0, 0].item() == 9
        assert 3 in x
        assert 7.0 not in x
        assert lib.tensor(4.0) in x
        assert len(x) == 2
