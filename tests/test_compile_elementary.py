"""The elementary functions in machine code against mpmath over their whole range, and C's special values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

mpmath = pytest.importorskip("mpmath")
pytest.importorskip("llvmlite")
from kernels import errors, exact_values, pointwise
from wengert.compile.llvm.target import Target
from wengert.compile.runtime import linking

INF, NAN = np.inf, np.nan
Exact = Callable[[Any], Any]


def power_of_two(x: Any) -> Any:
    return mpmath.power(2, x)


# Name: the exact function, the largest error in units in the last place for float32 and for float64.
FUNCTIONS: dict[str, tuple[Exact, float, float]] = {
    "exp": (mpmath.exp, 1.0, 1.0),
    "exp2": (power_of_two, 0.501, 1.0),
    "expm1": (mpmath.expm1, 2.0, 2.0),
    "log": (mpmath.log, 1.0, 1.0),
    "log2": (lambda x: mpmath.log(x, 2), 0.501, 1.0),
    "log10": (mpmath.log10, 0.501, 1.0),
    "log1p": (mpmath.log1p, 1.5, 1.5),
    "sin": (mpmath.sin, 1.5, 1.0),
    "cos": (mpmath.cos, 1.5, 1.0),
    "tan": (mpmath.tan, 0.501, 2.5),
    "sinh": (mpmath.sinh, 2.0, 2.0),
    "cosh": (mpmath.cosh, 2.0, 2.0),
    "tanh": (mpmath.tanh, 1.5, 1.5),
    "asin": (mpmath.asin, 1.5, 1.5),
    "acos": (mpmath.acos, 1.5, 1.5),
    "atan": (mpmath.atan, 1.5, 1.5),
    "asinh": (mpmath.asinh, 0.501, 2.5),
    "acosh": (mpmath.acosh, 0.501, 2.5),
    "atanh": (mpmath.atanh, 0.501, 2.5),
    "erf": (mpmath.erf, 2.0, 2.0),
    "erfc": (lambda x: mpmath.erfc(min(x, 1000)), 0.501, 4.0),
    "erfinv": (mpmath.erfinv, 0.501, 3.0),
}
DOMAINS = {
    "log": (0, INF),
    "log2": (0, INF),
    "log10": (0, INF),
    "log1p": (-1, INF),
    "asin": (-1, 1),
    "acos": (-1, 1),
    "acosh": (1, INF),
    "atanh": (-1, 1),
    "erfinv": (-1, 1),
}

# Where the result is not a rounded number: (argument, result).
SPECIAL: dict[str, list[tuple[float, float]]] = {
    "exp": [(INF, INF), (-INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e4, INF), (-1e4, 0.0)],
    "exp2": [(INF, INF), (-INF, 0.0), (0.0, 1.0), (10.0, 1024.0), (-3.0, 0.125), (1e5, INF), (-1e5, 0.0)],
    "expm1": [(INF, INF), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e4, INF), (-1e4, -1.0)],
    "log": [(INF, INF), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-INF, NAN), (1.0, 0.0)],
    "log2": [
        (INF, INF),
        (0.0, -INF),
        (-0.0, -INF),
        (-1.0, NAN),
        (-INF, NAN),
        (1.0, 0.0),
        (1024.0, 10.0),
        (0.125, -3.0),
    ],
    "log10": [(INF, INF), (0.0, -INF), (-1.0, NAN), (-INF, NAN), (1.0, 0.0), (1e10, 10.0), (1000.0, 3.0)],
    "log1p": [(INF, INF), (-1.0, -INF), (-2.0, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0)],
    "sin": [(INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0)],
    "cos": [(INF, NAN), (-INF, NAN), (0.0, 1.0), (-0.0, 1.0)],
    "tan": [(INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0)],
    "sinh": [(INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0), (1e4, INF)],
    "cosh": [(INF, INF), (-INF, INF), (0.0, 1.0), (1e4, INF)],
    "tanh": [(INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e4, 1.0)],
    "sigmoid": [(INF, 1.0), (-INF, 0.0), (0.0, 0.5)],
    "asin": [(0.0, 0.0), (-0.0, -0.0), (1.0, np.pi / 2), (-1.0, -np.pi / 2), (1.5, NAN), (-INF, NAN)],
    "acos": [(0.0, np.pi / 2), (1.0, 0.0), (-1.0, np.pi), (1.5, NAN), (INF, NAN)],
    "atan": [(0.0, 0.0), (-0.0, -0.0), (INF, np.pi / 2), (-INF, -np.pi / 2), (1.0, np.pi / 4)],
    "asinh": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF)],
    "acosh": [(1.0, 0.0), (INF, INF), (0.5, NAN), (-INF, NAN)],
    "atanh": [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN), (INF, NAN)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e4, 1.0)],
    "erfc": [(0.0, 1.0), (INF, 0.0), (-INF, 2.0), (1e4, 0.0)],
    "erfinv": [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN), (INF, NAN)],
    "lgamma": [(1.0, 0.0), (2.0, 0.0), (0.0, INF), (-1.0, INF), (-50.0, INF), (INF, INF), (-INF, INF)],
    "digamma": [(0.0, -INF), (-0.0, INF), (-1.0, NAN), (INF, INF), (-INF, NAN)],
}


def whole_range(dtype: str, name: str, n: int = 150) -> np.ndarray[Any, Any]:
    """Numbers of every size, near 0, near 1, near multiples of pi / 2, and at the ends of the range."""
    rng = np.random.default_rng(sum(map(ord, name + dtype)))
    kind = np.dtype(dtype).type
    info = np.finfo(kind)
    bits = rng.integers(0, 1 << 62, n).astype(np.uint64)
    parts = [bits.astype(np.uint32).view(np.float32) if dtype == "f4" else (bits << np.uint64(2)).view(np.float64)]
    parts += [rng.uniform(-scale, scale, n) for scale in (1e-3, 0.5, 1.0, 3.0, 30.0, 110.0, 750.0, 1e4, 1e7, 1e12)]
    parts += [rng.integers(-k, k, n) * np.pi / 2 for k in (100, 10**5, 10**8, 10**15)]
    parts += [1 + rng.normal(size=n) * scale for scale in (0.3, 1e-3, 1e-7)]
    parts += [rng.normal(size=n) * scale for scale in (1e-8, 1e-20, 1e-38, 1e-44)]
    tiny = float(info.smallest_normal)
    parts.append(
        np.array([tiny, -tiny, float(info.smallest_subnormal), float(info.max), -float(info.max), 1.0, -1.0, 0.5])
    )
    with np.errstate(all="ignore"):
        x = np.concatenate(parts).astype(kind)
    low, high = DOMAINS.get(name, (-INF, INF))
    return x[np.isfinite(x) & (x > low) & (x < high) & (x != 0)]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_error_over_the_whole_range(name: str, dtype: str) -> None:
    exact, single, double = FUNCTIONS[name]
    x = whole_range(dtype, name)
    y = pointwise(name, dtype)(x)
    found = errors(y, exact_values(exact, x), dtype)
    worst = int(np.argmax(found))
    assert found[worst] <= (single if dtype == "f4" else double), f"{name}({x[worst]!r}) = {y[worst]!r}"


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_error_without_fused_products(name: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that rounds products before it adds, at most one unit more (three for erfc)."""
    monkeypatch.setattr(linking, "host_target", lambda: Target(16, fma=False))
    exact, single, double = FUNCTIONS[name]
    x = whole_range(dtype, name, 40)
    kernel = pointwise(name, dtype)
    assert "llvm.fma" not in kernel.source
    y = kernel(x)
    found = errors(y, exact_values(exact, x), dtype)
    worst = int(np.argmax(found))
    assert found[worst] <= (single if dtype == "f4" else double) + (3 if name == "erfc" else 1), (
        f"{name}({x[worst]!r}) = {y[worst]!r}"
    )


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", SPECIAL)
def test_special_values(name: str, dtype: str) -> None:
    pairs = [*SPECIAL[name], (NAN, NAN)]
    x = np.array([a for a, _ in pairs], dtype)
    want = np.array([b for _, b in pairs], dtype)
    got = pointwise(name, dtype)(x)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got)[~np.isnan(want)], np.signbit(want)[~np.isnan(want)])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_sigmoid_is_the_eager_formula(dtype: str) -> None:
    x = whole_range(dtype, "sigmoid")
    with np.errstate(all="ignore"):
        want = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(pointwise("sigmoid", dtype)(x), want, rtol=4 * np.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_power_over_its_range(dtype: str) -> None:
    rng = np.random.default_rng(3)
    a = np.concatenate([rng.uniform(0, 2, 300), np.exp(rng.uniform(-80, 80, 300)), 1 + rng.normal(size=300) * 1e-5])
    b = np.concatenate([rng.uniform(-100, 100, 300), rng.uniform(-1, 1, 300), rng.normal(size=300) * 1e6])
    a, b = a.astype(dtype), b.astype(dtype)
    got = pointwise("pow", dtype, 2)(a, b)
    with mpmath.workprec(160):
        exact = [mpmath.power(mpmath.mpf(float(x)), mpmath.mpf(float(y))) for x, y in zip(a, b, strict=True)]
    found = errors(got, exact, dtype)
    worst = int(np.argmax(found))
    assert found[worst] <= (0.501 if dtype == "f4" else 1.0), (a[worst], b[worst], got[worst])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_power_of_special_values(dtype: str) -> None:
    """The whole grid of special bases and exponents, as C's pow (which NumPy calls on scalars of the platform)."""
    largest, tiny = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    numbers = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        -2.0,
        3.0,
        -3.0,
        0.5,
        -0.5,
        1.5,
        INF,
        -INF,
        NAN,
        largest,
        -largest,
        tiny,
        1e10,
    ]
    a, b = (grid.ravel().astype(dtype) for grid in np.meshgrid(numbers, numbers))
    with np.errstate(all="ignore"):
        want = np.power(a, b)
    got = pointwise("pow", dtype, 2)(a, b)
    np.testing.assert_allclose(got, want, rtol=2 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(np.signbit(got)[~np.isnan(want)], np.signbit(want)[~np.isnan(want)])


def test_results_do_not_depend_on_the_position() -> None:
    """The same bits in a full vector, in the last one, and alone."""
    x = np.linspace(-5, 5, 211).astype(np.float32)
    for name in ("exp", "sin", "tanh"):
        kernel = pointwise(name, "f4")
        together = kernel(x)
        for n in (1, 7, 16, 65):
            np.testing.assert_array_equal(kernel(x[-n:].copy()), together[-n:])
