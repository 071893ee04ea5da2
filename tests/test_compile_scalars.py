"""Every elementwise operation that machine code has, against the eager one: values, special values, small integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

mpmath = pytest.importorskip("mpmath")
pytest.importorskip("llvmlite")
from kernels import errors, pointwise
from wengert.compile.llvm.registry import ALL, FLOATS
from wengert.compile.llvm.scalars import TABLE, supports
from wengert.compile.nest import Buffer, Compute, Kernel, Load, Loop, Role, Store, at
from wengert.compile.runtime.build import build
from wengert.ops.record import TABLE as OPERATIONS

# Names that are the emitter's own, or whose inputs are not all of one dtype (tested below).
APART = {"fma", "zero_where", "masked_fill", "pow_number"}
META: dict[str, list[dict[str, Any]]] = {
    "clamp": [{"min": -1, "max": 2}, {"min": None, "max": 0}, {"min": 0, "max": None}],
    "softplus": [{"beta": 1.0, "threshold": 20.0}, {"beta": 2.0, "threshold": 1.0}],
    "clamp_min": [{"min": -0.5}],
    "clamp_max": [{"max": 0.5}],
    "leaky_relu": [{"negative_slope": 0.01}],
    "threshold": [{"threshold": 0.1, "value": 20.0}],
    "hardtanh": [{"min_val": -1.0, "max_val": 1.0}],
    "softshrink": [{"lambd": 0.5}],
    "hardshrink": [{"lambd": 0.5}],
    "elu": [{"alpha": 1.0, "scale": 1.0, "input_scale": 1.0}, {"alpha": 1.67, "scale": 1.05, "input_scale": 0.5}],
    "celu": [{"alpha": 2.0, "scale": 1.0, "input_scale": 0.5}],
    "nan_to_num": [{"nan": 0.0, "posinf": None, "neginf": None}, {"nan": 1.0, "posinf": 2.0, "neginf": -3.0}],
    "isclose": [
        {"rtol": 1e-5, "atol": 1e-8, "equal_nan": False},
        {"rtol": 0.5, "atol": 0.1, "equal_nan": True},
    ],
    "add_alpha": [{"alpha": 3}],
    "sub_alpha": [{"alpha": 3}],
    "rsub_alpha": [{"alpha": 3, "number": False}],
    "addcmul": [{"value": 1}, {"value": 2}],
    "addcdiv": [{"value": 1}, {"value": 0.5}],
    "lerp_number": [{"weight": 0.25}, {"weight": 0.75}],
    "share": [{"count": 7.0}, {"count": 0.0}],
    "round_decimals": [{"decimals": 2}, {"decimals": -1}],
    "logit": [{"eps": None}, {"eps": 0.1}],
    "div_rounding": [{"rounding_mode": "floor"}, {"rounding_mode": "trunc"}],
}
# Units in the last place by which a result may differ from the eager one, whose own error counts too.
LOOSE = {
    "erfc": 40,
    "erfinv": 40,
    "lgamma": 200,
    "digamma": 200,
    "logaddexp": 16,
    "logaddexp2": 16,
    "normal_cdf": 64,
    "gelu": 64,
    "pow": 4,
    "number_pow": 4,
    "pow_number": 4,
    "softplus": 8,
    "mish": 16,
    "gelu_tanh": 16,
    "elu": 8,
    "celu": 8,
    "ndtr": 40,
    "sinc": 8,
}
# The larger of 0.0 and -0.0 is either: NumPy's own answer depends on the length of the array.
EITHER_ZERO = {
    *("maximum", "minimum", "fmax", "fmin", "clamp_tensor"),
    *("clamp_min_tensor", "clamp_max_tensor", "clamp_from", "clamp_to"),
}
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e-30, -1e-30, 1e30, -1e30, np.inf, -np.inf, np.nan, 7.25)


def inputs(dtype: str, count: int, seed: int) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    n = 300
    if dtype in FLOATS:
        grids = np.meshgrid(*[np.array(SPECIAL)] * count)
        return [np.concatenate([rng.normal(size=n) * 3, rng.random(n), g.ravel()]).astype(dtype) for g in grids]
    if dtype == "b1":
        return [rng.random(n) < 0.5 for _ in range(count)]
    low, high = (0, 256) if dtype == "u1" else (-128, 128)
    return [rng.integers(low, high, n).astype(dtype) for _ in range(count)]


CASES = [
    pytest.param(name, dtype, meta, id="-".join([name, dtype, *map(str, meta.values())]))
    for name, (_, dtypes) in TABLE.items()
    if name not in APART
    for dtype in dtypes
    for meta in META.get(name, [{}])
]


@pytest.mark.parametrize(("name", "dtype", "meta"), CASES)
def test_as_the_eager_operation(name: str, dtype: str, meta: dict[str, Any]) -> None:
    op = OPERATIONS[name]
    xs = inputs(dtype, len(op.args), seed=len(name))
    with np.errstate(all="ignore"):
        try:
            want = np.asarray(op.impl(*xs, **meta))
        except (TypeError, OverflowError):
            pytest.skip(f"the eager operation refuses {dtype}")
    got = pointwise(name, dtype, len(xs), want.dtype.str[1:], **meta)(*xs)
    assert got.dtype == want.dtype
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want)
        return
    tolerance = LOOSE.get(name, 5) * np.finfo(dtype).eps
    scale = (
        np.maximum(np.abs(want), 1)
        if name in ("lgamma", "digamma", "normal_cdf", "gelu", "gelu_tanh")
        else np.abs(want)
    )
    with np.errstate(all="ignore"):
        far = ~((got == want) | (np.isnan(got) & np.isnan(want)) | (np.abs(got - want) <= tolerance * scale + 1e-37))
    assert not far.any(), (name, [x[far][:3] for x in xs], got[far][:3], want[far][:3])
    zeros = (want == 0) & (got == 0) & (name not in EITHER_ZERO)
    np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(want[zeros]))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    ("name", "exact", "limit"),
    [("atan2", mpmath.atan2, 1.5), ("hypot", mpmath.hypot, 1.0)],
)
def test_functions_of_two_variables(name: str, exact: Any, limit: float, dtype: str) -> None:
    rng = np.random.default_rng(5)
    top = 35 if dtype == "f4" else 300
    scale = 10.0 ** rng.uniform(-top, top, 400)
    ratio = 10.0 ** rng.uniform(-4, 4, 400) * rng.choice([-1.0, 1.0], 400)
    a = np.concatenate([rng.normal(size=200), scale]).astype(dtype)
    b = np.concatenate([rng.normal(size=200), np.clip(scale * ratio, -(10.0**37), 10.0**37)]).astype(dtype)
    got = pointwise(name, dtype, 2)(a, b)
    with mpmath.workprec(200):
        want = [exact(mpmath.mpf(float(x)), mpmath.mpf(float(y))) for x, y in zip(a, b, strict=True)]
    found = errors(got, want, dtype)
    worst = int(np.argmax(found))
    assert found[worst] <= limit, (a[worst], b[worst], got[worst])


@pytest.mark.parametrize("name", ["atan2", "hypot"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_special_values_of_two_variables(name: str, dtype: str) -> None:
    tiny = float(np.finfo(dtype).smallest_subnormal)
    numbers = np.array([*SPECIAL, tiny, -tiny, np.finfo(dtype).max])
    a, b = (g.ravel().astype(dtype) for g in np.meshgrid(numbers, numbers))
    with np.errstate(all="ignore"):
        want = OPERATIONS[name].impl(a, b)
    got = pointwise(name, dtype, 2)(a, b)
    np.testing.assert_allclose(got, want, rtol=2 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(np.signbit(got)[~np.isnan(want)], np.signbit(want)[~np.isnan(want)])


@pytest.mark.parametrize("name", ["lgamma", "digamma"])
def test_gamma_functions(name: str) -> None:
    """In units of the larger of the result and 1, as they have zeros."""
    rng = np.random.default_rng(1)
    x = np.concatenate(
        [rng.uniform(0, 4, 200), rng.uniform(4, 200, 100), -rng.uniform(0, 20, 100), 10.0 ** rng.uniform(2, 15, 50)]
    )
    exact = {"lgamma": lambda v: mpmath.re(mpmath.loggamma(v)), "digamma": mpmath.digamma}[name]
    with mpmath.workprec(120):
        want = np.array([float(exact(mpmath.mpf(float(v)))) for v in x])
    got = pointwise(name, "f8")(x)
    # near a pole or a zero of the reflected function the argument's own rounding is magnified
    scale = np.maximum(np.abs(want), 1) + np.where(x < 0, 50, 0)
    assert np.max(np.abs(got - want) / scale) <= 6 * np.finfo("f8").eps


@pytest.mark.parametrize("source", ALL)
@pytest.mark.parametrize("target", ALL)
def test_casts(source: str, target: str) -> None:
    x = inputs(source, 1, 0)[0]
    if source in FLOATS and target not in FLOATS:
        x = np.clip(np.nan_to_num(x), 0 if target == "u1" else -100, 100)
    with np.errstate(all="ignore"):
        want = x.astype(target)
    np.testing.assert_array_equal(pointwise("cast", source, result=target)(x), want)


def test_choice_and_zero() -> None:
    body = (
        Load("m", "m", (at("i"),)),
        Load("a", "a", (at("i"),)),
        Compute("z", "zero_where", ("a", "m"), "f4"),
        Compute("f", "masked_fill", ("a", "m"), "f4", (("value", 7.5),)),
        Compute("w", "where", ("m", "a", -1.5), "f4"),
        Compute("v", "where", ("m", 2.0, 3.0), "f4"),
        *[Store(name, (at("i"),), name[0]) for name in ("z_", "w_", "v_", "f_")],
    )
    buffers = (
        Buffer("m", "b1", ("n",), Role.IN),
        Buffer("a", "f4", ("n",), Role.IN),
        *[Buffer(name, "f4", ("n",), Role.OUT) for name in ("z_", "w_", "v_", "f_")],
    )
    m, a = inputs("b1", 1, 0)[0], inputs("f4", 1, 0)[0][:300]
    zero, chosen, numbers, filled = build(Kernel("k", buffers, (Loop("i", "n", body),)))(m, a)
    np.testing.assert_array_equal(zero, np.where(m, np.float32(0), a))
    np.testing.assert_array_equal(filled, np.where(m, np.float32(7.5), a))
    np.testing.assert_array_equal(chosen, np.where(m, a, np.float32(-1.5)))
    np.testing.assert_array_equal(numbers, np.where(m, 2, 3).astype("f4"))


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 0.5, -0.5, -1, -2, 2.5, -7.0])
def test_powers_of_known_exponents(exponent: float) -> None:
    body = (Load("a", "x", (at("i"),)), Compute("b", "pow_number", ("a", exponent), "f8"), Store("y", (at("i"),), "b"))
    kernel = Kernel(
        "k", (Buffer("x", "f8", ("n",), Role.IN), Buffer("y", "f8", ("n",), Role.OUT)), (Loop("i", "n", body),)
    )
    x = inputs("f8", 1, 0)[0]
    with np.errstate(all="ignore"):
        want = OPERATIONS["pow_number"].impl(x, exponent)
    np.testing.assert_allclose(build(kernel)(x), want, rtol=4e-16)


def test_fast_math_is_asked_for() -> None:
    """By default products and sums are rounded one by one; with fast math they may be fused."""
    body = (
        Load("a", "x", (at("i"),)),
        Compute("b", "mul", ("a", "a"), "f8"),
        Compute("c", "sub", ("b", 1.0), "f8"),
        Store("y", (at("i"),), "c"),
    )
    kernel = Kernel(
        "k", (Buffer("x", "f8", ("n",), Role.IN), Buffer("y", "f8", ("n",), Role.OUT)), (Loop("i", "n", body),)
    )
    x = 1 + np.random.default_rng(0).random(100) * 1e-8
    np.testing.assert_array_equal(build(kernel)(x), x * x - 1)
    np.testing.assert_allclose(build(kernel, fast_math=True)(x), x * x - 1, atol=3e-16)
    # error-free transformations stay as they are written
    assert build(Kernel("s", *_sine()), fast_math=True)(np.array([1e300, 3.0, 1e8]))[0] == pytest.approx(np.sin(1e300))


def _sine() -> Any:
    body = (Load("a", "x", (at("i"),)), Compute("b", "sin", ("a",), "f8"), Store("y", (at("i"),), "b"))
    return (Buffer("x", "f8", ("n",), Role.IN), Buffer("y", "f8", ("n",), Role.OUT)), (Loop("i", "n", body),)


def test_what_is_supported_can_be_asked() -> None:
    assert supports("exp", "f4")
    assert supports("cast", "i2")
    assert supports("where", "b1")
    assert not supports("exp", "i4")
    assert not supports("exp", "f2")
    assert not supports("cumsum", "f4")
