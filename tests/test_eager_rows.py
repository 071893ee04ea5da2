"""Operations along axes as machine code: equal to NumPy's way in all shapes and layouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")
import wengert
from wengert._fpenv import run_silently
from wengert.compile.eager.row_shapes import ANY, seen
from wengert.compile.eager.rows import Request, code_for
from wengert.compile.runtime.flat import has_flat_entry
from wengert.engine import kernels as engine
from wengert.engine.kernels import KERNELS, Rows
from wengert.ops.patches import Places
from wengert.ops.record import TABLE
from wengert.spaces.raw import REAL

pytestmark = pytest.mark.skipif(not has_flat_entry(), reason="arrays lie in memory otherwise here")

F4, F8 = np.dtype("f4"), np.dtype("f8")
SHAPES = [(40, 50), (100, 10), (9, 3, 41), (700,), (5, 200), (2, 5, 6, 20), (30, 1, 40)]
NORMS = sorted([name for name in engine._BY_ROWS if "_norm" in name and name != "linalg_vector_norm"])
ALONG_ONE = ["softmax", "log_softmax"]
RUNNING = ["cumsum", "cumprod", "cumsum_reversed"]
RECURRENCE = "linear_recurrence"
POOLS = ["avg_pool", "max_pool"]
LOSSES = ["mse_loss", "binary_cross_entropy_with_logits"]
REDUCTIONS = sorted(engine._BY_ROWS - {"flip", RECURRENCE, *NORMS, *ALONG_ONE, *RUNNING, *LOSSES, *POOLS})
TOLERANCE = {F4: 2e-6, F8: 1e-14}


@pytest.fixture(autouse=True)
def _as_they_were() -> Iterator[None]:
    threads = wengert.get_num_threads()
    yield
    wengert.set_num_threads(threads)
    KERNELS.turn(on=True)


def _array(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def _dims(rank: int, *, several: bool) -> list[tuple[int, ...]]:
    single = [(axis,) for axis in range(rank)]
    return single + ([(0, 1), (rank - 2, rank - 1), (0, rank - 1)] if several and rank > 2 else [])


def _agree(rows: Rows, xs: list[Any], meta: dict[str, Any], *, tolerance: float = 0.0) -> None:
    """By machine code, and as NumPy does it."""
    got = rows(*xs, **meta)
    assert any(kernel is not None for kernel in rows.kernels.values()), (rows.name, [x.shape for x in xs], meta)
    want = run_silently(rows.otherwise, *xs, **meta)
    several = isinstance(want, tuple)
    for a, b in zip(got if several else (got,), want if several else (want,), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert type(a) is type(b)
        scale = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0.0)))
        np.testing.assert_allclose(a, b, rtol=0, atol=(tolerance or TOLERANCE[xs[0].dtype]) * scale)


def _fresh(name: str) -> Rows:
    found = TABLE.ops.get(name) or TABLE.fused[name]
    return Rows(name, found.impl)


def _reduction_meta(name: str, dim: tuple[int, ...] | None, keepdim: bool) -> dict[str, Any]:
    return {**({"ord": 2.0} if "norm" in name else {}), "dim": dim, "keepdim": keepdim}


@pytest.mark.parametrize("dtype", [F4, pytest.param(F8, marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name: str, dtype: Any) -> None:
    for shape in SHAPES:
        for dim in _dims(len(shape), several=True):
            if all(shape[axis] == 1 for axis in dim):
                continue
            for keepdim in (False, True):
                _agree(_fresh(name), [_array(shape, dtype)], _reduction_meta(name, dim, keepdim))


@pytest.mark.parametrize("dtype", [F4, pytest.param(F8, marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("name", [*ALONG_ONE, "softmax_pull", "log_softmax_pull"])
def test_shares_of_rows(name: str, dtype: Any) -> None:
    for shape in SHAPES:
        for (dim,) in _dims(len(shape), several=False):
            if shape[dim] == 1:
                continue
            xs = [_array(shape, dtype, seed) for seed in range(2 if name.endswith("pull") else 1)]
            _agree(_fresh(name), xs, {"dim": dim})


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
@pytest.mark.parametrize("name", RUNNING)
def test_running_values_have_numpys_bits(name: str, dtype: Any) -> None:
    for shape in [(700,), (40, 50), (100, 10), (9, 3, 41)]:
        rows, x = _fresh(name), _array(shape, dtype)
        got, dim = rows(x, dim=len(shape) - 1), len(shape) - 1
        assert None not in rows.kernels.values()
        np.testing.assert_array_equal(got, rows.otherwise(x, dim=dim))
        _fresh(name)(x, dim=0)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
def test_linear_recurrences(dtype: Any, reverse: bool) -> None:
    for shape in [(700,), (40, 50), (100, 10), (9, 3, 41)]:
        a, b = _array(shape, dtype), _array(shape, dtype, 1)
        rows, meta = _fresh(RECURRENCE), {"dim": len(shape) - 1, "reverse": reverse}
        _agree(rows, [a, b], meta)
        state, order = np.zeros(shape[:-1]), range(shape[-1])
        for k in reversed(order) if reverse else order:
            state = a[..., k].astype("f8") * state + b[..., k]
            np.testing.assert_array_equal(rows(a, b, **meta)[..., k], state.astype(dtype))
        row = a[..., :1, :] if len(shape) > 1 else a[:1]
        want = rows.otherwise(np.broadcast_to(row, shape), b, **meta)
        np.testing.assert_allclose(_fresh(RECURRENCE)(row, b, **meta), want, rtol=1e-5, atol=1e-5)
        _fresh(RECURRENCE)(a, b, dim=0, reverse=reverse)


def _norm_cases() -> list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    """Shapes, axes and shapes of the parameters: over features, groups and channels."""
    return [
        ((40, 50), (1,), (50,)),
        ((8, 9, 10), (2,), (10,)),
        ((8, 9, 10), (1, 2), (9, 10)),
        ((4, 2, 3, 35), (2, 3), (2, 3, 1)),
        ((64, 20), (0,), (20,)),
        ((6, 7, 5, 5), (0, 2, 3), (7, 1, 1)),
        ((600, 2, 1), (0, 2), (2, 1)),
    ]


@pytest.mark.parametrize("dtype", [F4, pytest.param(F8, marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("name", NORMS)
def test_normalizations(name: str, dtype: Any) -> None:
    count = 2 if name.endswith("_affine") else 1 if name.endswith("_weight") else 0
    for shape, dims, own in _norm_cases():
        xs = [_array(shape, dtype) * 3 + 1, *[_array(own, dtype, seed) for seed in range(1, 1 + count)]]
        _agree(_fresh(name), xs, {"dims": dims, "eps": 1e-5}, tolerance=2e-6 if dtype == F4 else 1e-14)


@pytest.mark.parametrize("dtype", [F4, pytest.param(F8, marks=pytest.mark.slow)], ids=str)
def test_cotangents_of_normalizations(dtype: Any) -> None:
    for shape, dims, own in _norm_cases():
        kept = tuple([1 if axis in dims else n for axis, n in enumerate(shape)])
        x, g = _array(shape, dtype), _array(shape, dtype, 1)
        mean = x.mean(dims, keepdims=True)
        scale = 1 / x.std(dims, keepdims=True)
        zero, w = np.zeros(kept, dtype), _array(own, dtype, 2)
        for of_mean, of_scale in ((zero, zero), (_array(kept, dtype, 3), _array(kept, dtype, 4))):
            for weight in ((), (w,)):
                arguments = [g, of_mean, of_scale, x, mean, scale, *weight]
                _agree(
                    _fresh("normalization_pull"), arguments, {"dims": dims}, tolerance=2e-5 if dtype == F4 else 1e-13
                )
        _agree(_fresh("normalization_pull_weight"), [g, x, mean, scale], {"shape": own})


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "amax", "amin", "sum"])
def test_special_values(name: str) -> None:
    rows = [
        [np.inf, 1.0, -np.inf, 0.0],
        [-np.inf] * 4,
        [np.nan, 1.0, 2.0, 3.0],
        [1000.0, 999.0, -1000.0, 0.0],
        [np.inf, np.inf, 1.0, 1.0],
    ]
    x = np.tile(np.array(rows, F4), (1, 30))
    meta = {"dim": 1} if name in ALONG_ONE else {"dim": (1,), "keepdim": False}
    _agree(_fresh(name), [x], meta, tolerance=1e-5)
    short = np.array(rows * 50, F4)
    _agree(_fresh(name), [short], meta, tolerance=1e-5)


def test_arrays_in_any_order() -> None:
    base = _array((60, 40, 2), F4)
    for x in (base[..., 0], base[..., 0].T, base[::-1, :, 1], np.broadcast_to(base[0, :, 0], (30, 40))):
        _agree(_fresh("softmax"), [x], {"dim": 1})
        _agree(_fresh("softmax_pull"), [np.broadcast_to(F4.type(0.5), x.shape), np.abs(x)], {"dim": 1})


def test_what_is_not_for_machine_code() -> None:
    x = _array((40, 50), F4)
    for xs in ([x[:2, :2]], [x.astype("f2")], [x[:0]]):
        rows = _fresh("softmax")
        np.testing.assert_array_equal(rows(*xs, dim=1), rows.otherwise(*xs, dim=1))
        assert set(rows.kernels.values()) <= {None}
    rows = _fresh("softmax_pull")
    mixed = rows(x, x.astype(F8), dim=1)
    assert mixed.dtype == F8
    KERNELS.turn(on=False)
    off = _fresh("softmax")
    np.testing.assert_array_equal(off(x, dim=1), off.otherwise(x, dim=1))


def test_one_kernel_serves_all_shapes_alike() -> None:
    table = seen([(5, 7, 30), (30,)], (2,))
    assert table is not None
    assert (table.shapes, table.kinds, table.dims) == (((35, 30), (1, 30)), ((ANY, ANY), (1, ANY)), (1,))
    assert table.result((0, 1), None) == (5, 7, 1)
    assert table.result((0, 1), (2,)) == (5, 7)
    short = seen([(1, 64, 3, 1, 4)], (0, 3, 4))
    assert short is not None
    assert (short.kinds, short.dims) == (((ANY, 4),), (1,)) or short.kinds == (((ANY, 4)),)
    assert seen([(2, 3), (4, 3)], None) is None


def test_what_depends_on_lengths_in_its_own_way_has_no_kernel() -> None:
    meta = (("dim", (1,)), ("correction", 1.0), ("keepdim", False))
    assert code_for(Request("var", "f4", ((ANY, ANY),), meta)) is None


def test_results_do_not_depend_on_threads() -> None:
    x = _array((3000, 300), F4)
    results = []
    for threads in (1, 2):
        wengert.set_num_threads(threads)
        results.append(_fresh("softmax")(x, dim=1))
    np.testing.assert_array_equal(*results)


def test_rules_use_them() -> None:
    x = _array((40, 50), F4)
    REAL.softmax_pull(x, x, dim=1)
    assert engine._combinations["softmax_pull"].kernels


def test_gradients_of_any_order_go_through_them() -> None:
    x = wengert.tensor(_array((40, 50), F8), requires_grad=True)
    y = wengert.nn.functional.layer_norm(wengert.softmax(x, 1), (50,))
    (first,) = wengert.autograd.grad(y.square().sum() + y[0].sin().sum(), x, create_graph=True)
    (second,) = wengert.autograd.grad(first.square().sum(), x)
    KERNELS.turn(on=False)
    y = wengert.nn.functional.layer_norm(wengert.softmax(x, 1), (50,))
    (plain,) = wengert.autograd.grad(y.square().sum() + y[0].sin().sum(), x, create_graph=True)
    (wanted,) = wengert.autograd.grad(plain.square().sum(), x)
    np.testing.assert_allclose(first.detach().numpy(), plain.detach().numpy(), atol=1e-9)
    np.testing.assert_allclose(second.numpy(), wanted.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str, reduction: str, dtype: Any) -> None:
    flags = {"weighted": False, "pos_weighted": False} if name != "mse_loss" else {}
    for shape in [(600,), (40, 50), (3, 5, 70)]:
        xs = [_array(shape, dtype) * 5, _array(shape, dtype, 1)]
        _agree(_fresh(name), xs, {"reduction": reduction, **flags})
        pull = "scaled_difference" if name == "mse_loss" else "logits_pull"
        for g in (_array(shape, dtype, 2), dtype.type(0.25), np.broadcast_to(dtype.type(2), shape)):
            _agree(_fresh(pull), [g, *xs], {})


POOLINGS = [  # kernel, stride, padding, dilation
    ((2,), (2,), (0,), (1,)),
    ((3,), (1,), (1,), (1,)),
    ((2, 2), (2, 2), (0, 0), (1, 1)),
    ((3, 2), (2, 1), (1, 0), (1, 1)),
    ((3, 3), (2, 2), (1, 1), (1, 1)),
    ((2, 2), (1, 2), (0, 0), (2, 3)),
    ((2, 1, 2), (2, 1, 1), (1, 0, 1), (1, 1, 1)),
]


@pytest.mark.parametrize("dtype", [F4, pytest.param(F8, marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("places", POOLINGS, ids=str)
@pytest.mark.parametrize("name", POOLS)
def test_pooling_has_numpys_bits(name: str, places: Any, dtype: Any) -> None:
    kernel, *where = places
    for space in [(9,) * len(kernel), (16, 11, 8)[: len(kernel)]]:
        x = np.round(_array((3, 4, *space), dtype), 1)  # ties, too
        x[0, 0] = -np.inf
        x[1, 2, ..., ::3] = np.nan
        lies = Places(*where)
        meta: dict[str, Any] = {"kernel": kernel, "counts": lies.counts(space, kernel), "places": lies}
        if name == "avg_pool":
            if max(where[2]) > 1:
                return
            meta |= {"divisor": None, "with_border": True}
        rows = _fresh(name)
        got, want = rows(x, **meta), run_silently(rows.otherwise, x, **meta)
        assert None not in rows.kernels.values()
        for a, b in zip(got if name == "max_pool" else (got,), want if name == "max_pool" else (want,), strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_array_equal(a, b)


def test_pooling_that_numpy_does() -> None:
    x = _array((2, 3, 9, 9), F4)
    up = {"kernel": (2, 2), "counts": (5, 5), "places": Places((2, 2), (0, 0), (1, 1))}
    border = {"kernel": (3, 3), "counts": (9, 9), "places": Places((1, 1), (1, 1), (1, 1)), "divisor": None}
    for name, meta in (("max_pool", up), ("avg_pool", border | {"with_border": False})):
        rows = _fresh(name)
        rows(x, **meta)
        assert set(rows.kernels.values()) == {None}
