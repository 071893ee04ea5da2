"""Elementwise functions against PyTorch: values, dtypes, graph nodes, gradients of the first and second order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from elementwise_calls import BINARY, CALLS, DOMAINS, UNARY

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.conformance

DTYPES = ("float32", "float64", "int64", "bool", "complex128")
TOLERANCE = {"float32": 3e-6, "float64": 1e-11, "complex64": 3e-6, "complex128": 1e-11, "float16": 2e-3}

SHAPES = {
    "same": ((2, 3), (2, 3), (2, 3)),
    "broadcast": ((2, 1), (3,), (1, 1)),
    "0-d": ((), (), ()),
    "0-d first": ((), (3,), (2, 1)),
    "0-d last": ((2, 3), (), ()),
    "empty": ((0, 3), (3,), (1, 1)),
}


def sample(shape: tuple[int, ...], domain: str, dtype: str, seed: int) -> np.ndarray:
    """Numbers of a domain in a dtype: whole ones for integers, off the axes for complex."""
    rng = np.random.default_rng(seed)
    low, high = DOMAINS[domain]
    x = rng.uniform(low, high, shape)
    if dtype == "bool":
        return np.asarray(x > 0.5) if domain != "positive" else np.ones(shape, bool)
    if dtype == "int64":
        return np.asarray(rng.integers(1 if low > 0 else -3, 4, shape))
    if dtype.startswith("complex"):
        x = x + 1j * rng.uniform(0.2, 0.7, shape)
    return np.asarray(x).astype(dtype)


def outcome(lib: Any, call: Callable[..., Any], arrays: tuple[np.ndarray, ...], *, order: int = 2) -> Any:
    """What a call gives: an exception's type, or the facts and numbers to compare."""
    xs = [lib.tensor(a.tolist(), dtype=getattr(lib, a.dtype.name)).reshape(a.shape) for a in arrays]
    for x in xs:
        if x.is_floating_point() or x.is_complex():
            x.requires_grad_(True)
    try:
        y = call(lib, *xs)
    except Exception as error:  # noqa: BLE001 - what it is is compared
        return type(error)
    if not lib.is_tensor(y):
        return y
    facts = {"dtype": str(y.dtype).split(".")[-1], "shape": tuple(y.shape), "tracked": y.requires_grad}
    facts["node"] = None if y.grad_fn is None else type(y.grad_fn).__name__
    numbers = [y.detach().resolve_conj().numpy()]
    leaves = [x for x in xs if x.requires_grad]
    if y.requires_grad and y.grad_fn is not None:
        try:
            numbers += derivatives(lib, y, leaves, order)
        except (RuntimeError, AttributeError) as error:
            numbers.append(type(error))
    return facts, numbers


def weights_like(lib: Any, y: Any, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.5, 1.5, tuple(y.shape))
    if y.is_complex():
        w = w + 1j * rng.uniform(-1, 1, tuple(y.shape))
    return lib.tensor(w.tolist(), dtype=y.dtype).reshape(tuple(y.shape))


def derivatives(lib: Any, y: Any, leaves: list[Any], order: int) -> list[Any]:
    """The gradients for a fixed cotangent, and those of their weighted sum."""
    first = lib.autograd.grad(y, leaves, weights_like(lib, y, 7), create_graph=order > 1, allow_unused=True)
    numbers = [None if g is None else values(g) for g in first]
    if order > 1:
        pairs = [(g, weights_like(lib, g, 11)) for g in first if g is not None and g.requires_grad]
        if pairs:
            second = lib.autograd.grad([g for g, _ in pairs], leaves, [w for _, w in pairs], allow_unused=True)
            numbers += [None if g is None else values(g) for g in second]
        else:
            numbers += [None] * len(leaves)
    return numbers


def values(t: Any) -> np.ndarray:
    return (t.detach().resolve_conj() + 0).numpy()  # the sum gives torch's lazy zeros memory


def assert_same(ours: Any, theirs: Any, scale: float) -> None:
    if isinstance(theirs, type):
        assert isinstance(ours, type), f"torch raises {theirs.__name__}, we give {ours}"
        assert issubclass(ours, theirs), f"torch raises {theirs.__name__}, we raise {ours.__name__}"
        return
    if not isinstance(theirs, tuple):
        assert ours == theirs
        return
    assert not isinstance(ours, type), f"we raise {ours}, torch gives {theirs[0]}"
    assert ours[0] == theirs[0]
    if isinstance(theirs[1][-1], type) and not isinstance(ours[1][-1], type):
        ours, theirs = (ours[0], ours[1][:1]), (theirs[0], theirs[1][:1])  # torch has no derivative where we have one
    tolerance = max([TOLERANCE.get(x.dtype.name, 0.0) for x in theirs[1] if isinstance(x, np.ndarray)]) * scale
    for i, (a, b) in enumerate(zip(ours[1], theirs[1], strict=True)):
        assert_numbers(a, b, tolerance, f"number {i} (0 is the value, then the gradients, then the second order)")


def assert_numbers(a: Any, b: Any, tolerance: float, what: str) -> None:
    if isinstance(b, type):
        assert isinstance(a, type), what
        return
    # a gradient that cannot be anything but zero may be None on one side and zeros on the other
    if a is None or b is None:
        assert a is None or not np.any(a), what
        assert b is None or not np.any(b), what
        return
    assert a.dtype == b.dtype, what
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=what)


def check(call: Callable[..., Any], arrays: tuple[np.ndarray, ...], scale: float = 1.0, order: int = 2) -> None:
    ours, theirs = (outcome(lib, call, arrays, order=order) for lib in (wengert, torch))
    assert_same(ours, theirs, scale)


def all_calls() -> dict[str, tuple[Callable[..., Any], tuple[str, ...]]]:
    calls: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}
    for name, domain in UNARY.items():
        calls[name] = (lambda lib, a, name=name: getattr(lib, name)(a), (domain,))
    for name, (first, second, _) in BINARY.items():
        calls[name] = (lambda lib, a, b, name=name: getattr(lib, name)(a, b), (first, second))
    return calls | CALLS


ALL = all_calls()

# PyTorch's polygamma is right to 9 digits only; test_special_functions compares ours with mpmath to 14.
INEXACT_IN_TORCH = dict.fromkeys(("lgamma", "digamma", "polygamma 0", "polygamma 1", "polygamma 2"), 1e3)


# PyTorch refuses to differentiate these; we do not.
REFUSED_BY_TORCH = {("nan_to_num", "complex128"), ("nan_to_num all", "complex128")}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ALL)
def test_function(name: str, dtype: str) -> None:
    if (name, dtype) in REFUSED_BY_TORCH:
        return
    call, domains = ALL[name]
    for shapes in SHAPES.values():
        arrays = tuple(sample(shape, d, dtype, i) for i, (shape, d) in enumerate(zip(shapes, domains, strict=False)))
        check(call, arrays, INEXACT_IN_TORCH.get(name, 1.0))


MIXED = [("float32", "float64"), ("int64", "float32"), ("float32", "int64"), ("bool", "float32"), ("bool", "int64")]
MIXED += [("int64", "bool"), ("float64", "complex128"), ("float32", "complex128"), ("int64", "complex64")]
MIXED += [("uint8", "int64"), ("int32", "float16"), ("float16", "float32")]


@pytest.mark.parametrize("dtypes", MIXED, ids="-".join)
@pytest.mark.parametrize("name", BINARY)
def test_promotion(name: str, dtypes: tuple[str, str]) -> None:
    if name == "ldexp" and dtypes[1] == "int64":
        return  # PyTorch's derivative takes 2^-1 among the integers, where it is 0; see "ldexp integer"
    call, domains = ALL[name]
    for shapes in (((3,), (3,)), ((), (3,)), ((3,), ())):
        arrays = []
        for i, (shape, domain, dtype) in enumerate(zip(shapes, domains, dtypes, strict=True)):
            kind = "int64" if dtype in ("uint8", "int32") else dtype
            low = "positive" if dtype == "uint8" else domain
            arrays.append(sample(shape, low, kind, i).astype(dtype))
        # the second order of a half-precision function is mostly rounding
        check(call, tuple(arrays), order=1 if "float16" in dtypes else 2)


@pytest.mark.parametrize("number", [2, 2.5, True, 1.5j], ids=str)
@pytest.mark.parametrize("dtype", [*DTYPES, "uint8"])
@pytest.mark.parametrize("name", [name for name, (_, _, takes) in BINARY.items() if takes])
def test_number(name: str, dtype: str, number: Any) -> None:
    domain = BINARY[name][0] if dtype != "uint8" else "positive"
    array = sample((3,), domain, "int64" if dtype == "uint8" else dtype, 0).astype(dtype)
    check(lambda lib, a: getattr(lib, name)(a, number), (array,))


INF, NAN = float("inf"), float("nan")
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, INF, -INF, NAN, 1e30, -1e30, 1e-30, -1e-30, 88.0, -89.0, 1e5]


# Points where PyTorch itself is off: acosh is nan below 1, whatever its derivative there; digamma's derivative is
# garbage at and far below its poles; logit(-0) has another sign in float32 than in float64.
OFF_IN_TORCH: dict[str, Callable[[Any], Any]] = {
    "acosh": lambda x: x <= -1,
    "arccosh": lambda x: x <= -1,
    "digamma": lambda x: (x < 0) & (np.floor(x) == x) | (x < -1e3),
    "logit": lambda x: x == 0,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_special_values(name: str, dtype: str) -> None:
    x = np.array(SPECIAL, dtype)
    if name in OFF_IN_TORCH:
        x = x[~OFF_IN_TORCH[name](x)]
    check(ALL[name][0], (x,), INEXACT_IN_TORCH.get(name, 1.0), order=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_special_pairs(name: str, dtype: str) -> None:
    points = np.array(SPECIAL, dtype)
    if name in ("fmod", "remainder"):
        points = points[(abs(points) > 1e-20) | (points == 0)]  # PyTorch gives nan where a / b overflows in float32
    a, b = np.meshgrid(points, points)
    check(ALL[name][0], (a, b), order=1)


ONE_INPUT = [
    name
    for name, (_, domains) in CALLS.items()
    if len(domains) == 1 and name[:3] in ("cla", "cli", "a *", "0.5", "2 *")
]
POINTS = np.array([-1.0, -0.0, 0.0, 0.5, 1.0, 1.5, 2.0, INF, -INF, NAN])


@pytest.mark.parametrize("name", ONE_INPUT)
def test_bounds_and_powers_at_special_values(name: str) -> None:
    check(ALL[name][0], (POINTS,), order=1)


@pytest.mark.parametrize("base", [0, 1, 2, -2.0, 0.0])
def test_number_to_a_power_at_special_values(base: float) -> None:
    check(lambda lib, a: base**a, (POINTS,), order=1)


@pytest.mark.parametrize("name", ["clamp from", "clamp to", "clamp_min tensor", "clamp_max tensor"])
def test_one_tensor_bound_at_special_values(name: str) -> None:
    check(ALL[name][0], tuple(np.meshgrid(POINTS, POINTS)), order=1)


def test_two_tensor_bounds_at_special_values() -> None:
    check(ALL["clamp tensors"][0], tuple(np.meshgrid(POINTS, POINTS, POINTS)), order=1)


@pytest.mark.parametrize("name", UNARY)
def test_complex_plane(name: str) -> None:
    real, imag = np.meshgrid([-2.1, -0.7, 0.4, 1.8], [-1.9, -0.3, 0.6, 2.2])
    if (name, "complex128") not in REFUSED_BY_TORCH:
        check(ALL[name][0], (real + 1j * imag,))


@pytest.mark.parametrize("name", ["abs", "sgn", "angle", "square", "exp", "sin", "sinc", "real", "conj"])
def test_complex_zero(name: str) -> None:
    check(ALL[name][0], (np.array([0j, 1j, -1 + 0j, -0j]),), order=1)
