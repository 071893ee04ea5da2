"""Convolutions by machine code against NumPy's way, and against sums over all taps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import wengert
from samples.convolution import SAMPLES
from wengert.compile.llvm.correlate_tiles import Tile
from wengert.compile.runtime import correlations
from wengert.engine.kernels import KERNELS
from wengert.ops import correlation as asked
from wengert.ops.convolution import _conv, _conv_input, _conv_weight
from wengert.ops.correlation import CORRELATIONS, Correlation
from wengert.ops.patches import Places

TOLERANCE = {"f4": 3e-6, "f8": 3e-15}  # of the sum of absolute values, for some hundred terms


@pytest.fixture(autouse=True)
def asked_for_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Machine code is asked for however small the work, and left as it was found."""
    if KERNELS.find_maker() is None:
        pytest.skip("kernels cannot be kept here")
    monkeypatch.setattr(asked, "WORK", 0)
    find = CORRELATIONS.find
    CORRELATIONS.bind(find)
    yield
    CORRELATIONS.bind(find)


Settings = tuple[Any, Any, Any, Places, int, tuple[int, ...]]


def drawn(seed: int) -> Settings:
    """Images, weights, a cotangent, and how they meet."""
    rng = np.random.default_rng(seed)
    while True:
        axes, groups = int(rng.integers(1, 4)), int(rng.choice([1, 1, 2, 3]))
        dtype = rng.choice(["f4", "f8"])
        n, c, o = int(rng.integers(1, 5)), int(rng.choice([1, 2, 5])), int(rng.choice([1, 3, 8, 17]))
        space = tuple([int(x) for x in rng.integers(1, [0, 90, 25, 10][axes], axes)])
        kernel = tuple([int(x) for x in rng.integers(1, 6, axes)])
        stride, step, border = (tuple([int(x) for x in rng.integers(a, 4, axes)]) for a in (1, 1, 0))
        places = Places(stride, border, step)
        counts = places.counts(space, kernel)
        if min(counts) >= 1:
            break
    x, w, y = (
        rng.standard_normal(shape).astype(dtype)
        for shape in ((n, c * groups, *space), (o * groups, c, *kernel), (n, o * groups, *counts))
    )
    order = rng.integers(5)
    if order == 1:  # channels last
        x, y = (np.moveaxis(np.moveaxis(each, 1, -1).copy(), -1, 1) for each in (x, y))
    elif order == 2:
        x, y, w = x[..., ::-1], y[:, ::-1], w[::-1]
    elif order == 3:
        y = np.broadcast_to(y[:1, :1], y.shape)
    elif order == 4:
        x = np.repeat(x, 2, axis=-1)[..., ::2]
    return x, w, y, places, groups, kernel


def all_three(x: Any, w: Any, y: Any, places: Places, groups: int, kernel: tuple[int, ...]) -> list[Callable[[], Any]]:
    return [
        lambda: _conv(x, w, places=places, groups=groups),
        lambda: _conv_input(y, w, space=x.shape[2:], places=places, groups=groups),
        lambda: _conv_weight(y, x, kernel=kernel, places=places, groups=groups),
    ]


def by_numpy(function: Callable[[], Any]) -> Any:
    find = CORRELATIONS.find
    CORRELATIONS.bind(None)
    try:
        return function()
    finally:
        CORRELATIONS.bind(find)


def by_machine(function: Callable[[], Any]) -> Any:
    """What machine code gives; it must have been asked."""
    result = function()
    assert CORRELATIONS.known
    return result


def check(settings: Settings) -> None:
    """All three products by machine code are NumPy's to rounding: a few units of the sums of absolute values."""
    x, w, y, *rest = settings
    sizes = all_three(*[np.abs(each) for each in (x, w, y)], *rest)
    for function, of_size in zip(all_three(*settings), sizes, strict=True):
        got, expected, size = by_machine(function), by_numpy(function), by_numpy(of_size)
        assert got.shape == expected.shape
        assert got.dtype == expected.dtype
        assert np.all(np.abs(got - expected) <= TOLERANCE[got.dtype.str[1:]] * size)


@pytest.mark.parametrize("seed", range(30))
def test_as_numpy(seed: int) -> None:
    check(drawn(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_as_numpy_further(seed: int) -> None:
    for number in range(10):
        check(drawn(10 * seed + number))


@pytest.mark.parametrize("seed", range(40, 60))
def test_cut_into_many_pieces(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of channels and of taps, bands of places, blocks of images, splits of the sum; shared by threads."""
    for name, value in {"_TAPS": 7, "_REGION": 600, "_UNIT": 100, "_SHARED": 200}.items():
        monkeypatch.setattr(correlations, name, value)
    settings = drawn(seed)
    results = []
    threads = wengert.get_num_threads()
    for count in (1, 2):
        try:
            wengert.set_num_threads(count)
            check(settings)
            results.append([function().tobytes() for function in all_three(*settings)])
        finally:
            wengert.set_num_threads(threads)
    assert results[0] == results[1]


@pytest.mark.parametrize(("name", "number"), [(n, i) for n in ("conv", "conv_input", "conv_weight") for i in range(2)])
def test_samples(name: str, number: int) -> None:
    sample = SAMPLES[name][number]
    impl = {"conv": _conv, "conv_input": _conv_input, "conv_weight": _conv_weight}[name]
    np.testing.assert_allclose(
        by_machine(lambda: impl(*sample.inputs, **sample.meta)),
        by_numpy(lambda: impl(*sample.inputs, **sample.meta)),
        rtol=1e-13,
        atol=1e-13,
    )


def tiles() -> list[Tile]:
    """Of each kind and number of elements some."""
    shapes = [(1, 1, 1), (8, 1, 3), (2, 4, 1), (4, 2, 2)]
    straight = [Tile(e, n, q, i, u * n, False) for e, n in (("float", 16), ("double", 8)) for q, i, u in shapes]
    shapes = [(1, 1, 16), (2, 1, 14), (1, 4, 4), (2, 4, 3), (1, 16, 1), (1, 3, 5)]
    return straight + [Tile(e, n, v * n, i, j, True) for e, n in (("float", 16), ("double", 8)) for v, i, j in shapes]


@pytest.mark.parametrize("tile", tiles(), ids=str)
def test_each_tile(tile: Tile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of other machines' vectors, too; the last ones of a row and of a column are parts."""
    monkeypatch.setattr(correlations, "_best_tile", lambda *_: tile)
    monkeypatch.setattr(correlations, "_TAPS", 20)
    rng = np.random.default_rng(5)
    dtype = "f4" if tile.elem == "float" else "f8"
    x = rng.standard_normal((2, 5, 18, tile.columns + 3)).astype(dtype)
    w = rng.standard_normal((tile.channels + 1, 5, 3, 2)).astype(dtype)
    places = Places((1, 1), (1, 1), (1, 1))
    function, of_size = (all_three(*p, None, places, 1, (3, 2))[0] for p in ((x, w), (np.abs(x), np.abs(w))))
    assert np.all(np.abs(by_machine(function) - by_numpy(function)) <= TOLERANCE[dtype] * by_numpy(of_size))


@pytest.mark.parametrize(("dtype", "value"), list(product(["f4", "f8"], [np.nan, np.inf, -np.inf])))
def test_values_that_are_no_numbers(dtype: str, value: float) -> None:
    """They go where NumPy's products take them: zeros around an image count, too."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 3, 9, 20)).astype(dtype)
    w = rng.standard_normal((5, 3, 3, 3)).astype(dtype)
    y = rng.standard_normal((2, 5, 9, 20)).astype(dtype)
    for which in range(3):
        arrays = [each.copy() for each in (x, w, y)]
        arrays[which].flat[[0, 37, -1]] = value
        for function in all_three(*arrays, Places((1, 1), (1, 1), (1, 1)), 1, (3, 3)):
            with np.errstate(invalid="ignore"):
                got, expected = by_machine(function), by_numpy(function)
            np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-5)


def test_long_rows_are_left_to_numpy() -> None:
    x, w = np.ones((1, 1, 70_000), np.float32), np.ones((1, 1, 3), np.float32)
    y = by_machine(lambda: _conv(x, w, places=Places((1,), (1,), (1,)), groups=1))
    assert np.array_equal(y[0, 0, [0, 1, -1]], [2, 3, 2])
    assert all([call is None for call, _ in CORRELATIONS.known.values()])


def test_nothing_in_the_batch() -> None:
    places = Places((1,), (1,), (1,))
    x, w = np.zeros((0, 3, 40)), np.ones((4, 3, 3))
    assert _conv(x, w, places=places, groups=1).shape == (0, 4, 40)
    assert not _conv_weight(np.zeros((0, 4, 40)), x, kernel=(3,), places=places, groups=1).any()


def test_the_smallest_vectors() -> None:
    """Machines without wide vectors have other tiles, never none."""
    what = Correlation(
        *("f4", 1, 1, 1, 1),
        *((1, 1, 1), (1, 1, 1), (1, 1, 1), (0, 0, 0), (1, 1, 1), (1, 1, 1)),
        is_flipped=False,
        x=(1, 1, 1, 1, 1, 1),
        w=(1, 1, 1),
        y=(1, 1, 1),
    )
    assert correlations._best_tile(what, 1, 1).columns == 1


@pytest.mark.parametrize("groups", [1, 4])
def test_derivatives_of_networks_layers(groups: int) -> None:
    """First and second derivatives with machine code are those without."""
    rng = np.random.default_rng(3)
    values = rng.standard_normal((2, 4, 11, 10)), rng.standard_normal((8, 4 // groups, 3, 3)), rng.standard_normal(8)

    def derivatives() -> list[Any]:
        x, w, b = (wengert.tensor(v, requires_grad=True) for v in values)
        y = wengert.nn.functional.conv2d(x, w, b, stride=(2, 1), padding=1, groups=groups)
        first = wengert.autograd.grad((y * y).sum(), [x, w, b], create_graph=True)
        second = wengert.autograd.grad(sum([(g * g).sum() for g in first]), [x, w, b])
        return [each.detach().numpy() for each in (*first, *second)]

    for got, expected in zip(by_machine(derivatives), by_numpy(derivatives), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10)
