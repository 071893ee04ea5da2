"""Sums over rows within tiles of rows: as eager for all lengths, in one pass, the same bits on all threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert._tree import flatten
from wengert.func import grad_and_value

pytest.importorskip("llvmlite")
F = torch.nn.functional


def normal(seed: int, *shape: int, dtype: str = "f8") -> Any:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


def layer_norm(x: Any, w: Any, b: Any) -> Any:
    return (F.layer_norm(x, x.shape[1:], w, b) ** 3).sum()


def rms_norm(x: Any, w: Any, b: Any) -> Any:
    return (F.rms_norm(x, x.shape[1:], w, 1e-3) * b).exp().mean()


def softmax(x: Any, w: Any, b: Any) -> Any:
    return (torch.softmax(x * w + b, 1) * torch.log_softmax(x * b, 1)).sum()


def batch_norm(x: Any, w: Any, b: Any) -> Any:
    return F.batch_norm(x, None, None, w, b, training=True).relu().square().sum()


def regression(x: Any, w: Any, b: Any) -> Any:
    """The gradient by weights alone: a sum over rows of what depends on a sum of the same row."""
    z = x.detach() @ w
    return F.softplus(z).mean() + (z - b.sum()).tanh().sum()


def of_stacks(x: Any, w: Any, b: Any) -> Any:
    y = x.reshape(-1, 4, x.shape[1]) * w
    return (y.softmax(2).sum(0) * b).sum() + y.logsumexp(2).sum()


FUNCTIONS = (layer_norm, rms_norm, softmax, batch_norm, regression, of_stacks)
LENGTHS = ((256, 64), (1064, 20), (640, 100), (321, 257), (4000, 33), (260, 700), (2052, 16), (8, 70))


def compare(f: Callable[..., Any], dtype: str, n: int, m: int) -> None:
    derivatives = grad_and_value(f, (0, 1, 2))
    x, w, b = normal(n, n // 4 * 4, m, dtype=dtype), normal(1, m, dtype=dtype), normal(2, m, dtype=dtype)
    got, want = flatten(torch.compile(derivatives)(x, w, b))[0], flatten(derivatives(x, w, b))[0]
    for a, e in zip(got, want, strict=True):
        assert a.dtype == e.dtype
        scale = max(1.0, np.abs(e.numpy()).max())
        np.testing.assert_allclose(a, e, rtol=0, atol=scale * (3e-4 if dtype == "f4" else 1e-11))


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("lengths", LENGTHS[:3])
def test_as_eager(f: Callable[..., Any], lengths: tuple[int, int]) -> None:
    compare(f, "f8", *lengths)


@pytest.mark.slow
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_as_eager_for_all_lengths(f: Callable[..., Any], dtype: str, lengths: tuple[int, int]) -> None:
    compare(f, dtype, *lengths)


def of_weights(f: Callable[..., Any]) -> str:
    x, w, b = normal(0, 2000, 100, dtype="f4"), normal(1, 100, dtype="f4"), normal(2, 100, dtype="f4")
    return torch.compile(grad_and_value(f, (1, 2))).loops(x, w, b)


@pytest.mark.parametrize("f", [layer_norm, rms_norm, softmax])
def test_one_pass_over_all_rows(f: Callable[..., Any]) -> None:
    x, w, b = normal(0, 2000, 300), normal(1, 300), normal(2, 300)
    loops = torch.compile(grad_and_value(f, (0, 1, 2))).loops(x, w, b)
    assert loops.count("tile by tile") == 1
    tiles = loops[loops.index("tile by tile") :]
    assert ", part i" in tiles
    assert "x0[" not in loops[: loops.index("tile by tile")]
    after = tiles[tiles.rindex(", part i") :]
    assert after.count("for ") >= 2  # the parts' sums are added up afterwards
    assert "rows t" in loops


def test_a_sum_over_rows_alone_goes_along_with_its_columns_outside() -> None:
    loops = of_weights(regression)
    tiles = loops[loops.index("tile by tile") :]
    assert loops.count("x0[") + loops.count("x1[") + loops.count("x2[") >= 2
    rows, columns = tiles.index(", part i"), tiles.index("for i")
    assert columns < rows
    assert "+= v" in tiles


def test_what_is_costly_is_kept_for_a_tile() -> None:
    """Even where an array of it would be large: it is never as large as the batch."""
    x, w, b = normal(0, 3000, 300), normal(1, 300), normal(2, 300)
    loops = torch.compile(grad_and_value(lambda x, w, b: (torch.softmax(x * w + b, 1) ** 2).sum(), (0, 1, 2))).loops(
        x, w, b
    )
    assert loops.count("exp(") == 1
    assert "temp t" not in loops.split("temp p")[0]


def test_what_depends_on_columns_alone_is_computed_once_a_column() -> None:
    x, w, b = normal(0, 2000, 100), normal(1, 100), normal(2, 100)
    loops = torch.compile(lambda x, w, b: (x - b) / (w.exp() + b.square()).sqrt()).loops(x, w, b)
    assert loops.count("sqrt(") == 1
    before, after = loops.split("sqrt(")
    assert before.count("for i") == 1
    assert after.count("for i") == 2


def test_a_sum_that_other_rows_wait_for_is_no_part_of_tiles() -> None:
    x = normal(0, 2000, 50)
    f = torch.compile(lambda x: (x - x.mean(0)).softmax(1).sum(0))
    np.testing.assert_allclose(f(x), (x - x.mean(0)).softmax(1).sum(0), rtol=1e-11)
    loops = f.loops(x)
    assert ", part i" not in loops[: loops.index("tile by tile")]


@pytest.mark.parametrize("f", [layer_norm, regression, softmax])
def test_the_number_of_threads_changes_nothing(f: Callable[..., Any]) -> None:
    x, w, b = normal(0, 20_011, 40, dtype="f4"), normal(1, 40, dtype="f4"), normal(2, 40, dtype="f4")
    compiled = torch.compile(grad_and_value(f, (0, 1, 2)))
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append([y.numpy().tobytes() for y in flatten(compiled(x, w, b))[0]])
    finally:
        torch.set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_sums_of_weights_are_accurate() -> None:
    """Each column's error is within one rounding of the sum of magnitudes."""
    x, g = normal(0, 20_011, 48, dtype="f4") + 1, normal(1, 48, dtype="f4")
    f = torch.compile(lambda x, g: ((x * (x @ g)[:, None]).sum(0), (x @ g).square().sum()))
    got = f(x, g)[0].numpy()
    scores = (x.numpy().astype("f8") @ g.numpy().astype("f8"))[:, None]
    terms = x.numpy() * scores
    assert (np.abs(got - terms.sum(0)) <= 4 * np.finfo("f4").eps * np.abs(terms).sum(0)).all()


def test_special_values_stay_in_their_columns() -> None:
    x = np.ones((600, 40))
    x[5, 1], x[599, 2], x[300, 3], x[301, 3] = np.nan, np.inf, np.inf, -np.inf
    f = lambda x: ((x * x.amax(1, keepdim=True).isfinite()).sum(0), x.exp().sum(1))
    got, want = torch.compile(f)(torch.tensor(x)), f(torch.tensor(x))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
