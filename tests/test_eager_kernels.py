"""Eager operations on many elements as machine code: equal to NumPy's way, chosen alike every time, and safe."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("mpmath")  # the module of tolerances needs it
import wengert
from op_cases import cases
from test_compile_scalars import EITHER_ZERO, LOOSE, META
from wengert._fpenv import run_silently
from wengert.compile.eager import choice
from wengert.compile.eager import kernels as eager
from wengert.compile.runtime.flat import has_flat_entry
from wengert.engine import kernels as engine
from wengert.engine.kernels import KERNELS, MANY, operation, rules_of
from wengert.engine.tiles import computes
from wengert.ops.record import MISSING, TABLE, Op
from wengert.spaces.raw import REAL

pytestmark = pytest.mark.skipif(not has_flat_entry(), reason="arrays lie in memory otherwise here")

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e-30, -1e-30, 1e30, -1e30, np.inf, -np.inf, np.nan, 7.25)
SUBNORMAL = (1e-40, -1e-40, 1e-310, -1e-310)
EXPONENTS = (2, 3, 0.5, -0.5, -1, -2)
F4, F8 = np.dtype("f4"), np.dtype("f8")
# Sums of parts that cancel: errors are relative to the parts.
CANCELS = {"silu": 16, "gelu": 200, "normal_cdf": 64, "ndtr": 64, "sinc": 64, "entr": 16, "mish": 64, "gelu_tanh": 64}


# Forward: functions with zeros, near which errors are not relative to the result.
HAS_ZEROS = {"lgamma", "digamma", "normal_cdf", "gelu", "gelu_tanh", "logaddexp", "logaddexp2"}
# NumPy's way gives 0.0 for -0.0 up to a length and -0.0 beyond.
ZERO_BY_LENGTH = {"prelu"}


@pytest.fixture(autouse=True)
def _as_they_were() -> Iterator[None]:
    threads = wengert.get_num_threads()
    yield
    wengert.set_num_threads(threads)
    KERNELS.turn(on=True)


def _metas(op: Op) -> list[dict[str, Any]]:
    """Metadata with usual numbers, for which there is machine code."""
    if op.name == "batch_norm_fixed":
        return []
    given = META.get(op.name) or [dict(case.meta) for case in cases(op.name)[:1]]
    return [meta for meta in given if choice.is_usual((), meta, backward=False)]


def _values(dtype: np.dtype[Any], count: int) -> list[Any]:
    """As many inputs, ordinary numbers and all combinations of special ones."""
    rng = np.random.default_rng(count)
    few = SPECIAL if count < 3 else (0.0, -0.0, 1.0, -2.0, 0.5, np.inf, np.nan)
    grids = np.meshgrid(*[np.array([*few, *(SUBNORMAL if count == 1 else ())])] * count)
    with np.errstate(all="ignore"):
        return [np.concatenate([rng.normal(size=700) * 3, rng.random(601), g.ravel()]).astype(dtype) for g in grids]


def _inputs(op: Op, dtype: np.dtype[Any]) -> list[Any]:
    xs = _values(dtype, len(op.args))
    mask = engine._MASK.get(op.name)
    if mask is not None:
        xs[mask] = np.random.default_rng(1).random(xs[0].size) < 0.5
    return xs


def _far(got: Any, want: Any, tolerance: float, scale: Any) -> Any:
    with np.errstate(all="ignore"):
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        return ~(same | (np.abs(got - want) <= tolerance * scale + 1e-37))


def _forward_kernel(op: Op, dtype: np.dtype[Any], meta: dict[str, Any], xs: list[Any]) -> Any:
    many = operation(op)
    assert many is not None
    if meta:
        many.with_metadata(xs, dtype, meta)
        return engine._remembered(many.with_meta, (dtype == F4,), meta, lambda: None)
    (many.single if dtype == F4 else many.double)(*xs)
    return many.single if dtype == F4 else many.double


def _is_machine_code(function: Any) -> bool:
    return type(function).__name__ == "builtin_function_or_method"


def _param(name: str, dtype: np.dtype[Any], *others: Any) -> Any:
    """One kernel to be compared; each takes 20 ms to make, so those for float64 are compared in the slow tests."""
    words = [str(v) for other in others for v in (other.values() if isinstance(other, dict) else (other,))]
    marks = [pytest.mark.slow] if dtype == F8 else []
    return pytest.param(name, dtype, *others, id="-".join([name, dtype.str[1:], *words]), marks=marks)


FORWARD = [
    _param(name, dtype, meta)
    for name in sorted(choice._FORWARD - choice._TOTALS - {"pow_number"})
    for dtype in (F4, F8)
    for meta in _metas(TABLE[name])
    if choice.most_forward(TABLE[name], (dtype.str[1:],), meta)
]


def _bits_differ(a: Any, b: Any) -> Any:
    return (a.view(f"i{a.itemsize}") != b.view(f"i{b.itemsize}")) & ~(np.isnan(a) & np.isnan(b))


@pytest.mark.parametrize(("name", "dtype", "meta"), FORWARD)
def test_operations_are_numpys(name: str, dtype: np.dtype[Any], meta: dict[str, Any]) -> None:
    op = TABLE[name]
    xs = _inputs(op, dtype)
    want = run_silently(op.impl, *xs, **meta)
    kernel = _forward_kernel(op, dtype, meta, xs)
    assert _is_machine_code(kernel)
    got = kernel(*xs)
    assert got.dtype is want.dtype
    assert got.shape == want.shape
    if name in choice._ARITHMETIC - EITHER_ZERO - {"lerp", "lerp_number", "addcmul", "addcdiv"}:
        differ = _bits_differ(got, want)
        assert not differ.any(), (name, [x[differ][:3] for x in xs], got[differ][:3], want[differ][:3])
        return
    scale = np.maximum(np.abs(want), 1) if name in HAS_ZEROS else want
    far = _far(got, want, LOOSE.get(name, 5) * np.finfo(dtype).eps, np.abs(scale))
    assert not far.any(), (name, [x[far][:3] for x in xs], got[far][:3], want[far][:3])
    zeros = (want == 0) & (got == 0) & (name not in EITHER_ZERO | ZERO_BY_LENGTH)
    np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(want[zeros]))


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_powers_are_numpys(exponent: float, dtype: np.dtype[Any]) -> None:
    (x,) = _values(dtype, 1)
    t = wengert.from_numpy(x)
    got = (t**exponent).numpy()
    differ = _bits_differ(got, run_silently(TABLE["pow_number"].impl, x, exponent))
    assert not differ.any()


def _needed(op: Op) -> list[int]:
    """Sets of inputs (bit i: input i) whose rules all compute something."""
    vjp: Any = op.vjp
    can = [i for i, rule in enumerate(vjp) if callable(rule) and rule is not MISSING and computes(rule)]
    sets = [{i} for i in can] + ([set(can)] if len(can) > 1 else [])
    return [sum([1 << i for i in chosen]) for chosen in sets]


BACKWARD = [
    _param(name, dtype, meta, needed)
    for name in sorted(choice._BACKWARD - choice._TOTALS - {"pow_number"})
    for dtype in (F4, F8)
    for meta in _metas(TABLE[name])
    for needed in _needed(TABLE[name])
    if choice.most_backward(TABLE[name], (dtype.str[1:],), meta)
]
# Rules that are no single loop of operations that machine code has.
NUMPYS = {"digamma", "frac"}


@pytest.mark.parametrize(("name", "dtype", "meta", "needed"), BACKWARD)
def test_rules_are_numpys(name: str, dtype: np.dtype[Any], meta: dict[str, Any], needed: int) -> None:
    op = TABLE[name]
    xs = _inputs(op, dtype)
    y = run_silently(op.impl, *xs, **meta)
    g = np.resize(np.array([1.0, -0.7, 3.1, 0.0, 1e-3]), y.size).astype(dtype)
    rules, vjp = rules_of(op), op.vjp
    want = [run_silently(rule, REAL, g, y, *xs, **meta) for i, rule in enumerate(vjp) if needed >> i & 1]
    if meta:
        got = rules.with_metadata(needed, (g, y, *xs), meta)
    else:
        got = (rules.single if dtype == F4 else rules.double)[needed](g, y, *xs)
    if name in NUMPYS:
        assert got is NotImplemented
        return
    assert got is not NotImplemented
    for part, wanted in zip(got if isinstance(got, tuple) else (got,), want, strict=True):
        assert part.dtype is wanted.dtype
        assert part.shape == wanted.shape
        tolerance = max(LOOSE.get(name, 5), CANCELS.get(name, 5)) * np.finfo(dtype).eps
        with np.errstate(all="ignore"):
            far = _far(part, wanted, tolerance, np.abs(wanted) + (np.abs(g) if name in CANCELS else 0))
        assert not far.any(), (name, g[far][:3], [x[far][:3] for x in xs], part[far][:3], wanted[far][:3])


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
@pytest.mark.parametrize("n", [MANY, 1031, 100_003, 1_000_001])
def test_totals_are_exact_but_for_rounding(n: int, dtype: np.dtype[Any]) -> None:
    rng = np.random.default_rng(n)
    x = (rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4, n)).astype(dtype)
    t = wengert.from_numpy(x)
    exact = math.fsum(x.tolist())
    bound = 2 * np.finfo(dtype).eps * np.sqrt(np.sum(np.square(x, dtype=np.float64)))
    for y, want in ((t.sum(), exact), (t.mean(), exact / n)):
        assert y._data.__class__ is dtype.type
        assert abs(y.item() - want) <= bound * (want / exact) * 4 + np.finfo(dtype).eps * abs(want)
    assert _is_machine_code(next(iter(operation(TABLE["sum"]).with_meta.values())))
    for special in (np.nan, np.inf, -np.inf):
        x[n // 3] = special
        np.testing.assert_equal(t.sum().item(), special)
    x[0] = np.inf
    assert np.isnan(t.sum().item())
    assert wengert.from_numpy(np.full(n, -0.0, dtype)).sum().item() == 0


# --- any layout, through the public functions -------------------------------------------------------------------------


def _program(torch: Any, x: Any, w: Any) -> Any:
    h = torch.tanh(x * w + 0.5) / (1.5 + torch.sin(x)) - torch.exp(-x * x) ** 2
    return torch.nn.functional.softplus(h) + torch.clamp(x, -1.0, 1.0) * torch.where(x > 0, x, w) + torch.sigmoid(-h)


def _run(x: Any, w: Any) -> list[Any]:
    a, b = (wengert.from_numpy(v).requires_grad_() for v in (x, w))
    y = _program(wengert, a, b)
    y.sum().backward()
    again = wengert.autograd.grad(_program(wengert, a, b).sum(), (a, b))
    return [y.detach().numpy(), a.grad.numpy(), b.grad.numpy(), *[g.numpy() for g in again]]


def _layouts(dtype: np.dtype[Any]) -> dict[str, tuple[Any, Any]]:
    rng = np.random.default_rng(0)

    def values(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(dtype)

    wide = values(40, 60)
    return {
        "one axis": (values(1000), values(1000)),
        "odd": (values(1031), values(1031)),
        "just few enough": (values(MANY - 1), values(MANY - 1)),
        "just many enough": (values(MANY), values(MANY)),
        "two axes": (values(33, 47), values(33, 47)),
        "five axes": (values(2, 3, 5, 7, 11), values(2, 3, 5, 7, 11)),
        "transposed": (values(33, 47).T, values(47, 33)),
        "both transposed": (values(33, 47).T, values(33, 47).T),
        "strided": (wide[:, ::2], values(40, 30)),
        "a slice": (wide[3:30], values(27, 60)),
        "broadcast row": (values(50, 30), values(30)),
        "broadcast column": (values(50, 30), values(50, 1)),
        "broadcast both": (values(50, 1), values(1, 30)),
        "one number": (values(50, 30), values(1)[0]),
        "no axes": (values(50, 30), np.array(0.25, dtype)),
        "repeated": (np.broadcast_to(values(1)[0], (700,)), values(700)),
        "empty": (values(0, 700), values(0, 700)),
        "unaligned": (np.frombuffer(b"x" + values(800).tobytes(), dtype, offset=1), values(800)),
        "large": (values(600_001), values(600_001)),
    }


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
@pytest.mark.parametrize("layout", _layouts(F4))
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_any_layout(layout: str, dtype: np.dtype[Any], threads: int) -> None:
    wengert.set_num_threads(threads)
    x, w = (np.asarray(v) for v in _layouts(dtype)[layout])
    KERNELS.turn(on=False)
    want = _run(x, w)
    KERNELS.turn(on=True)
    for _ in range(2):
        got = _run(x, w)
        for part, wanted in zip(got, want, strict=True):
            assert part.dtype is wanted.dtype
            assert part.shape == wanted.shape
            np.testing.assert_allclose(part, wanted, rtol=2e3 * np.finfo(dtype).eps, atol=2e3 * np.finfo(dtype).eps)
        for part, same in zip(got[1:3], got[3:], strict=True):
            np.testing.assert_array_equal(part, same)  # `backward` and `grad` run the same kernels


def test_other_dtypes_take_numpys_way() -> None:
    for dtype in (np.float16, np.complex64, np.complex128):
        x = wengert.from_numpy(np.linspace(0.1, 1, 1000).astype(dtype)).requires_grad_()
        y = x.sin() * x
        y.backward(wengert.ones_like(y))
        raw = x.detach().numpy()
        np.testing.assert_array_equal(y.detach().numpy(), np.sin(raw) * raw)
    mixed = wengert.ones(1000) * wengert.ones(1000, dtype=wengert.float64)
    assert mixed.dtype is wengert.float64
    assert (wengert.arange(1000) * 2.5).dtype is wengert.float32


def test_numbers_beside_arrays() -> None:
    x = wengert.linspace(-2, 2, 1000)
    for number in (2, 2.5, -1, 0.0, -0.0, float("inf"), float("nan"), 2**70, 1e300, True):
        got = (x * number).numpy()
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(got, x.numpy() * (float(number) if number is True else number))
    with pytest.raises((RuntimeError, OverflowError)):
        x * 10**400
    assert np.signbit((x * -0.0).numpy()[-1])


def test_zeros_of_either_sign_in_metadata() -> None:
    x = wengert.full((600,), -1.0)
    for _ in range(2):
        for bound, negative in ((0.0, False), (-0.0, True), (0, False)):
            for y in (wengert.clamp(x, min=bound), wengert.nn.functional.threshold(x, 0.5, float(bound))):
                assert np.signbit(y.numpy()).all() == negative


def test_shapes_that_do_not_fit_are_refused_as_ever() -> None:
    with pytest.raises(RuntimeError, match=r"1000.*999"):
        wengert.ones(1000) * wengert.ones(999)


def test_what_was_written_in_place_is_noticed() -> None:
    x = wengert.ones(1000).requires_grad_()
    y = x.exp()
    z = (y * 2).sum()
    y.mul_(3)
    with pytest.raises(RuntimeError, match="inplace"):
        y.sum().backward()
    del z


# --- the other worlds -------------------------------------------------------------------------------------------------


def test_second_derivatives_and_forward_mode() -> None:
    v = np.linspace(-2, 2, 800)
    found = {}
    for on in (False, True):
        KERNELS.turn(on=on)
        x = wengert.from_numpy(v.copy()).requires_grad_()
        (g,) = wengert.autograd.grad((x.sin() * x.tanh()).sum(), x, create_graph=True)
        (h,) = wengert.autograd.grad((g * g).sum(), x)
        _, t = wengert.func.jvp(lambda a: a.sin() * a.tanh(), (x.detach(),), (x.detach().cos(),))
        m = wengert.func.vmap(lambda a: a.sin() * a.sum())(x.detach().reshape(8, 100))
        found[on] = [g.detach().numpy(), h.numpy(), t.numpy(), m.numpy()]
    for off, on_ in zip(found[False], found[True], strict=True):
        np.testing.assert_allclose(on_, off, rtol=1e-13, atol=1e-14)


def test_gradients_by_rules_alone_are_the_same_bits() -> None:
    """With ``create_graph`` each operation of a rule runs by itself; a kernel reorders and contracts nothing."""
    x = wengert.linspace(-2, 2, 801).requires_grad_()
    y = (wengert.nn.functional.silu(x) * x.sigmoid()).sum()
    (fused,) = wengert.autograd.grad(y, x, retain_graph=True)
    (apart,) = wengert.autograd.grad(y, x, create_graph=True)
    np.testing.assert_array_equal(fused.numpy(), apart.detach().numpy())


def test_hooks_see_what_they_saw() -> None:
    seen = []
    x = wengert.linspace(-1, 1, 700).requires_grad_()
    y = x.tanh()
    y.register_hook(lambda g: seen.append(g) or g * 2)
    y.grad_fn.register_hook(lambda ins, outs: seen.append((ins, outs)))
    y.sum().backward()
    assert seen[0].shape == (700,)
    np.testing.assert_allclose(x.grad.numpy(), 2 * (1 - np.tanh(x.detach().numpy()) ** 2), rtol=1e-6)
    assert seen[1][0][0] is not None


# --- always the same --------------------------------------------------------------------------------------------------


def _bits(n: int) -> bytes:
    x = wengert.linspace(-3, 3, n).requires_grad_()
    y = _program(wengert, x, x.detach())
    y.sum().backward()
    return y.detach().numpy().tobytes() + x.grad.numpy().tobytes()


def test_first_and_later_calls_in_any_thread_give_the_same_bits() -> None:
    KERNELS.turn(on=True)  # forgets all kernels
    found: list[bytes] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        found.extend([_bits(n) for n in (1000, 700, 1000)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert set(found) == {_bits(1000), _bits(700)}
    wengert.set_num_threads(2)
    large = _bits(1_000_000)
    wengert.set_num_threads(1)
    assert _bits(1_000_000) == large


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_after_a_fork() -> None:
    wengert.set_num_threads(2)
    want = _bits(1_000_000)
    pid = os.fork()
    if pid == 0:
        try:
            KERNELS.turn(on=True)
            os._exit(0 if _bits(1_000_000) == want else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_warnings_are_as_they_were() -> None:
    x = wengert.full((1000,), 1e30)
    with np.errstate(all="raise"):
        assert np.isinf((x * x).exp().numpy()).all()
        y = np.ones(3) / 3
        with pytest.raises(FloatingPointError):
            np.float64(1) / np.zeros(1)
    assert y.sum() == 1


# --- when it is used --------------------------------------------------------------------------------------------------


def _said(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


_LOADED = "import sys, wengert; {}; print('llvmlite' in sys.modules)"


@pytest.mark.slow
def test_only_many_elements_load_it(tmp_path: Any) -> None:
    assert _said(_LOADED.format("pass")) == "False"
    few = "x = wengert.ones(63, requires_grad=True); (x.sin() * x).sum().backward(); wengert.arange(10**5) + 1"
    assert _said(_LOADED.format(few)) == "False"
    many = _LOADED.format("wengert.ones(512).sin()")
    assert _said(many) == "True"
    assert _said(many, WENGERT_EAGER_KERNELS="0") == "False"
    file = tmp_path / "no folder"
    file.touch()
    assert (
        _said(
            _LOADED.format("wengert.ones(512).sin(); assert not wengert.backends.kernels.is_available()"),
            WENGERT_CACHE_DIR=str(file),
        )
        == "False"
    )


_SEVERAL_AT_FIRST = """
import sys, threading, wengert
sys.setswitchinterval(1e-5)
x, barrier, ready = wengert.ones(1000), threading.Barrier(4), []
def work(first):
    barrier.wait()
    for i in range(4):
        (x * 2, x.exp(), x + x, x.sin())[(first + i) % 4]
    ready.append(first)
threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(ready))
"""


@pytest.mark.slow
def test_several_threads_may_be_the_first(tmp_path: Any) -> None:
    for _ in range(2):  # with nothing in the cache, and with everything
        assert _said(_SEVERAL_AT_FIRST, WENGERT_CACHE_DIR=str(tmp_path)) == "4"


def test_without_llvmlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    monkeypatch.setattr(KERNELS, "maker", None)
    KERNELS.turn(on=True)
    x = wengert.linspace(-1, 1, 1000).requires_grad_()
    x.sin().sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.cos(x.detach().numpy()))
    assert KERNELS.elements > 1000


def test_a_cache_that_cannot_be_written_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("WENGERT_CACHE_DIR", str(file))
    assert eager.maker(MANY) is None


def test_kernels_come_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    _bits(1000)
    KERNELS.turn(on=True)
    monkeypatch.setattr(eager, "_compiled", lambda *_: pytest.fail("it was made before"))
    _bits(1000)


def test_unusual_numbers_make_no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a bound that changes from step to step would compile at each of them."""
    x = wengert.linspace(-1, 1, 1000).requires_grad_()
    (wengert.clamp(x, -0.5, 0.5) ** 2).sum().backward()
    monkeypatch.setattr(eager, "_compiled", lambda *_: pytest.fail("a kernel for this number"))
    for k in range(3):
        (wengert.clamp(x, -0.1234 - k, 0.77) ** (2.25 + k)).sum().backward()
        wengert.nn.functional.leaky_relu(x, 0.031 + k).sum().backward()


def test_a_wrong_kernel_would_be_seen() -> None:
    """The comparison above tells a function from its neighbour."""
    (x,) = _values(F4, 1)
    want = np.sin(np.clip(x, -1, 1))
    assert _far(want * (1 + 1e-5), want, 5 * np.finfo(F4).eps, np.abs(want)).any()


def test_long_calls_let_other_threads_run() -> None:
    """The entry gives the interpreter up from a number of elements on that takes about 10 microseconds."""
    many = operation(TABLE["sin"])
    x = np.ones(1000, F4)
    KERNELS.turn(on=True)
    many.single(x)
    table = many.single.__self__
    keeper = next(k for k in table.keep if getattr(k, "__name__", "") == "_slow").__self__
    assert 1_000 < keeper._variants[0, 1] < 200_000


@pytest.mark.parametrize("name", ["relu", "elu", "celu", "selu"])
def test_the_sign_of_zero_does_not_depend_on_the_length(name: str) -> None:
    function = getattr(wengert.nn.functional, name)
    for on in (True, False):
        KERNELS.turn(on=on)
        for dtype in (wengert.float32, wengert.float64):
            for n in (1, 5, 100, MANY, 2000):
                zeros = function(wengert.tensor([-0.0, 0.0] * n, dtype=dtype)).numpy()
                np.testing.assert_array_equal(np.signbit(zeros), [True, False] * n)
            assert np.signbit(function(wengert.tensor(-0.0, dtype=dtype)).numpy())
