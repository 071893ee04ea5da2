"""Functions by tables in registers, ends of short rows, and memory of results that is used before they are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")
import wengert as torch
from kernels import pointwise
from wengert.compile.llvm.emit import emit_kernel
from wengert.compile.llvm.plan import Target
from wengert.compile.nest import Buffer, Compute, Kernel, Load, Loop, Role, Store, at
from wengert.compile.runtime import linking
from wengert.compile.runtime.support import support
from wengert.func import grad, grad_and_value

INF, NAN = np.inf, np.nan
EPS = {"f4": 2.0**-23, "f8": 2.0**-52}


def normal(seed: int, *shape: int, dtype: str = "f8") -> Any:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("tables", [True, False])
def test_exp_of_arguments_far_outside_of_its_range(dtype: str, tables: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks are often -1e9: what is left of such an argument after reduction is far too large for the polynomial."""
    if tables and not linking.host_target().tables:
        pytest.skip("this processor has no AVX-512")
    monkeypatch.setattr(linking, "host_target", lambda: Target(64 if tables else 32, tables=tables))
    sizes = [1e4, 1e5, 3e5, 1e6, 1e9, 1e15, 1e20, 1e30, float(np.finfo(dtype).max), INF]
    x = np.array([*sizes, *[-size for size in sizes], NAN, -NAN, 0.0, -0.0], dtype)
    want = np.array([INF] * 10 + [0.0] * 10 + [NAN, NAN, 1.0, 1.0], dtype)
    np.testing.assert_array_equal(pointwise("exp", dtype)(x), want)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", ["exp", "tanh"])
def test_any_number_of_lanes(name: str, dtype: str) -> None:
    """A scalar, and vectors that are parts of a register, one, or several."""
    for n in (0, 1, 2, 3, 5, 8, 9, 14, 15, 16):
        x = normal(n, *((3, n) if n else ()), dtype=dtype)
        compiled = torch.compile(lambda x: getattr(torch, name)(x))
        np.testing.assert_allclose(compiled(x), getattr(np, name)(x.numpy()), rtol=4 * EPS[dtype], atol=0)


def test_other_processors_have_no_such_instructions() -> None:
    body = (Load("v", "x", (at("i"),)), Compute("r", "exp", ("v",), "f4"), Store("y", (at("i"),), "r"))
    buffers = (Buffer("x", "f4", ("n",), Role.IN), Buffer("y", "f4", ("n",), Role.OUT))
    kernel = Kernel("k", buffers, (Loop("i", "n", body),))
    for target in (Target(16, fma=False), Target(32), Target(64)):
        assert "x86" not in emit_kernel(kernel, target)[0]
    assert "llvm.x86.avx512" in emit_kernel(kernel, Target(64, tables=True))[0]


# --- the ends of short rows ------------------------------------------------------------------------------------------

ROWS: dict[str, Callable[[Any], Any]] = {
    "each": lambda x: x.tanh() * 2,
    "sum": lambda x: (x * x).sum(1),
    "mean": lambda x: x.exp().mean(1),
    "largest": lambda x: x.amax(1),
    "product": lambda x: (1 + x * 0.01).prod(1),
    "turned": lambda x: x.flip(1).exp() + x,
    "any": lambda x: (x > 2.5).any(1),
    "sums of both": lambda x: ((x * x).sum(0), x.sum(1), x.exp()),
    "gathered": lambda x: x[:, torch.arange(x.shape[1] - 1, -1, -1)] * x,
}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", ROWS)
def test_rows_of_any_length(name: str, dtype: str) -> None:
    function = ROWS[name]
    for length in (17, 18, 24, 31, 33, 63, 65, 67, 100, 127, 129):
        x = normal(length, 5, length, dtype=dtype)
        x[1, length - 1] = 50.0  # what stands last counts
        wanted, found = function(x), torch.compile(function)(x)
        for got, want in zip(found, wanted, strict=True) if name == "sums of both" else [(found, wanted)]:
            np.testing.assert_allclose(got, want, rtol=2e-5 if dtype == "f4" else 1e-12)


def test_nothing_beyond_a_row_is_written() -> None:
    compiled = torch.compile(lambda a: a.mul_(2.0))
    for length in (17, 19, 36, 100):
        whole = np.ones((4, length + 3), np.float32)
        compiled(torch.from_numpy(whole)[:, :length])
        assert (whole[:, :length] == 2).all()
        assert (whole[:, length:] == 1).all()


# --- memory of results -----------------------------------------------------------------------------------------------


def test_exponentials_wait_in_the_memory_of_the_gradient() -> None:
    f = torch.compile(grad_and_value(lambda x: torch.logsumexp(x, 0)))
    x = normal(0, 30_000)
    text = f.loops(x)
    assert text.count("exp(") == 1
    assert "temp t0: f64[1]" in text
    assert "f64[n0], temp" not in text
    gradient, value = f(x)
    np.testing.assert_allclose(gradient, x.softmax(0), rtol=1e-12)
    np.testing.assert_allclose(value, torch.logsumexp(x, 0), rtol=1e-14)


@pytest.mark.parametrize("size", [50_000, 3_000_000])
def test_a_value_that_two_results_need_is_not_overwritten_too_early(size: int) -> None:
    def f(x: Any) -> Any:
        e = x.exp()
        total = e.sum()
        half = e / total
        return half * e, half + e, (half * e).sum() + total

    x = normal(1, size)
    for got, want in zip(torch.compile(f)(x), f(x), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_what_is_read_elsewhere_does_not_lie_in_a_result() -> None:
    def f(x: Any) -> Any:
        e = x.exp()
        return e.flip(0) / e.sum(), e[0]

    x = normal(2, 50_000)
    for got, want in zip(torch.compile(f)(x), f(x), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("dim", [0, 1, (0, 1), (1, 2), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_gradients_of_logarithms_of_sums_reuse_the_exponentials(dim: Any, keepdim: bool) -> None:
    def f(x: Any) -> Any:
        y = torch.logsumexp(x, dim, keepdim=keepdim)
        return (y * y).sum()

    x = normal(3, 5, 7, 20)
    np.testing.assert_allclose(torch.compile(grad(f))(x), grad(f)(x), rtol=1e-11)
    second = lambda x: (grad(f)(x) ** 2).sum()
    np.testing.assert_allclose(torch.compile(grad(second))(x), grad(second)(x), rtol=1e-9, atol=1e-13)


def test_an_exponential_of_another_difference_is_its_own() -> None:
    x, z = normal(4, 6, 6), normal(5, 6, 6)

    def f(x: Any, z: Any) -> Any:
        y = torch.logsumexp(x, 1)  # along rows, but subtracted along columns, and from something else
        return (x - y).exp(), (z - y[:, None]).exp(), (x - y[:, None]).exp()

    for got, want in zip(torch.compile(f)(x, z), f(x, z), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-13)


# --- threads ---------------------------------------------------------------------------------------------------------


def test_short_loops_stay_on_one_thread() -> None:
    pool = support()
    f = torch.compile(grad_and_value(lambda x: torch.logsumexp(x, 0)))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for size, shared in ((100_000, False), (2_000_000, True)):
            x = normal(6, size)
            f(x)
            jobs = pool.jobs
            pool.expect_help()
            f(x)
            assert (pool.jobs > jobs) is (shared and pool.can_sleep)
    finally:
        torch.set_num_threads(before)
