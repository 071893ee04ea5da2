"""Matrix products in compiled programs: inside of kernels, operands read where they lie."""

import ctypes
import sys
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import wengert as torch

pytest.importorskip("llvmlite")
from wengert.compile.llvm import machine
from wengert.compile.llvm.gemm import gemm_text
from wengert.compile.llvm.interface import PRODUCTS
from wengert.compile.runtime.products import product_addresses
from wengert.compile.runtime.support import support


def random(seed: int, *shape: int, dtype: str = "f8") -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


class TestTheCode:
    """The product as a function of addresses and strides."""

    @staticmethod
    def multiply(a: Any, b: Any, c: Any, *, add: bool = False, scale: float = 1.0) -> None:
        name = PRODUCTS[a.dtype.str[1:]]
        number = ctypes.c_float if a.dtype == np.float32 else ctypes.c_double
        function = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 12, number)(product_addresses(a.dtype.str[1:])[name])
        operands = [x for each in (a, b) for x in (each.ctypes.data, *[s // each.itemsize for s in each.strides])]
        m, k, n = *a.shape, b.shape[1]
        function(m, n, k, *operands, c.ctypes.data, c.strides[0] // c.itemsize, int(add), scale)

    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    @pytest.mark.parametrize("sizes", [(1, 1, 1), (7, 9, 5), (8, 48, 3), (33, 70, 200), (150, 17, 401), (300, 300, 64)])
    def test_every_way_of_lying(self, dtype: str, sizes: tuple[int, int, int], threads: int) -> None:
        m, n, k = sizes
        ways: list[Callable[[Any], Any]] = [
            lambda x: x,
            np.asfortranarray,
            lambda x: np.repeat(x, 2, axis=1)[:, ::2],
            lambda x: x[::-1].copy()[::-1],
        ]
        for (i, way_a), (j, way_b) in product(enumerate(ways), enumerate(ways)):
            a, b = way_a(random(i, m, k, dtype=dtype)), way_b(random(j, k, n, dtype=dtype))
            room = np.full((m + 2, n + 3), 7.0, dtype)
            c = room[1:-1, 1:-2]
            adds = (i + j) % 2 == 1
            self.multiply(a, b, c, add=adds, scale=-0.5 if adds else 1.0)
            want = a.astype("f8") @ b.astype("f8") * (-0.5 if adds else 1) + (7 if adds else 0)
            scale = np.abs(a.astype("f8")) @ np.abs(b.astype("f8")) + 7
            assert np.all(np.abs(c - want) <= 8 * np.finfo(dtype).eps * scale)
            room[1:-1, 1:-2] = 7
            assert np.all(room == 7)  # nothing beside the result is written

    @pytest.mark.parametrize(("register", "registers", "fma"), [(32, 16, True), (16, 32, True), (16, 16, False)])
    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    def test_other_machines(
        self, register: int, registers: int, fma: bool, dtype: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = gemm_text(dtype, register=register, registers=registers, fma=fma)
        linked = machine.link(machine.emit_object(text), (PRODUCTS[dtype],), support().addresses)
        addresses = {PRODUCTS[dtype]: linked.address(PRODUCTS[dtype])}
        monkeypatch.setattr(sys.modules[__name__], "product_addresses", lambda dtype: addresses)
        for turn in (False, True):
            a, b = random(0, 21, 230, dtype=dtype), random(1, 230, 53, dtype=dtype)
            a, b = (np.asfortranarray(a), np.asfortranarray(b)) if turn else (a, b)
            c = np.empty((21, 53), dtype)
            self.multiply(a, b, c)
            scale = np.abs(a.astype("f8")) @ np.abs(b.astype("f8"))
            assert np.all(np.abs(c - a.astype("f8") @ b) <= 8 * np.finfo(dtype).eps * scale)

    def test_broadcast_operands(self) -> None:
        row, column = np.broadcast_to(random(0, 20), (30, 20)), np.broadcast_to(random(1, 20, 1), (20, 50))
        c = np.empty((30, 50))
        self.multiply(row, column, c)
        np.testing.assert_allclose(c, row @ column, rtol=1e-12)

    def test_the_same_bits_on_any_number_of_threads(self) -> None:
        a, b = random(0, 500, 300, dtype="f4"), random(1, 300, 200, dtype="f4")
        results = []
        before = torch.get_num_threads()
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            results.append(np.empty((500, 200), "f4"))
            self.multiply(a, b, results[-1])
        torch.set_num_threads(before)
        assert all(np.array_equal(results[0], other) for other in results[1:])

    def test_nan_and_infinity_stay_in_their_row_and_column(self) -> None:
        a, b = random(0, 20, 30), random(1, 30, 40)
        a[3, 5], b[7, 11] = np.nan, np.inf
        c = np.empty((20, 40))
        self.multiply(a, b, c)
        want = a @ b
        np.testing.assert_array_equal(np.isnan(c), np.isnan(want))
        np.testing.assert_array_equal(np.isinf(c), np.isinf(want))


def called(f: Any, *args: Any) -> list[str]:
    """The equations that NumPy runs."""
    return [line for line in f.loops(*args).splitlines() if line.startswith("call ")]


A, B = torch.tensor(random(0, 40, 30)), torch.tensor(random(1, 30, 50))
S, T = torch.tensor(random(2, 6, 40, 30)), torch.tensor(random(3, 6, 30, 50))
PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "plain": (lambda a, b: a @ b, (A, B)),
    "turned": (lambda a, b: b.t() @ a.t(), (A, B)),
    "a slice of rows and columns": (lambda a, b: a[3:20, ::2] @ b[5:20], (A, B)),
    "backwards": (lambda a, b: a.flip(0) @ b.flip(1), (A, B)),
    "computed operands": (lambda a, b: (a.sin() @ b.exp()).tanh().sum(1), (A, B)),
    "with itself": (lambda a, b: (a @ a.t()) @ (a @ b), (A, B)),
    "one after the other": (lambda a, b: ((a @ b).relu() @ b.t()) * a, (A, B)),
    "reshaped": (lambda a, b: (a.reshape(10, 4, 30) * 2.0).reshape(40, 30) @ b.reshape(30, 50), (A, B)),
    "another shape": (
        lambda a, b: (a * 3.0).reshape(60, 20) @ (b @ a[:50].sum(0).expand(50, 30)).reshape(20, 45),
        (A, B),
    ),
    "expanded": (lambda a, b: a[:1].expand(8, 30) @ b, (A, B)),
    "of a constant": (lambda a, b: torch.ones(7, 40, dtype=torch.float64) @ (a @ b), (A, B)),
    "stacks": (lambda s, t: torch.bmm(s, t).exp().mean(0), (S, T)),
    "stacks turned": (lambda s, t: torch.bmm(t.transpose(1, 2), s.transpose(1, 2)), (S, T)),
    "a layer": (lambda s, w, b: torch.nn.functional.linear(s, w, b), (S, A[:9], A[0, :9])),
    "matmul of stacks": (lambda s, t: s[:, None].expand(6, 2, 40, 30) @ t[:, None].expand(6, 2, 30, 50), (S, T)),
    "matmul of a stack": (lambda s, b: s @ b, (S, B)),
    "matrix times vector": (lambda a, b: a @ b[:, 3], (A, B)),
    "vector times matrix": (lambda a, b: a[3] @ b, (A, B)),
    "dot": (lambda a, b: a[3] @ b[:, 3], (A, B)),
    "outer": (lambda a, b: torch.outer(a[3], b[:, 3]), (A, B)),
    "addmm": (lambda a, b, c: torch.addmm(c, a, b, beta=0.5, alpha=2), (A, B, B[0])),
    "addbmm": (lambda s, t: torch.addbmm(s[0, :, :1], s, t, beta=0, alpha=3), (S, T)),
    "baddbmm": (lambda s, t: torch.baddbmm(t[:, :1, :], s, t), (S, T)),
    "einsum": (lambda s, t: torch.einsum("bik,bjk->jbi", s, t.transpose(1, 2)), (S, T)),
    "einsum without a product": (lambda a, b: torch.einsum("ij,kl->lj", a, b), (A, B)),
    "tensordot": (lambda s, t: torch.tensordot(s, t, ([0, 2], [0, 1])), (S, T)),
    "vecdot": (lambda s: torch.linalg.vecdot(s, s.exp()), (S,)),
    "each by itself": (lambda w, x: torch.vmap(lambda r: (w @ r).tanh())(x), (A, S[:, 0])),
    "small stacks": (lambda s: torch.bmm(s[:, :3, :3].exp(), s[:, 3:6, 3:6]).tanh(), (S,)),
    "small ones by vmap": (lambda s: torch.vmap(lambda x: (x[:3, :3] @ x[5, :3]).sin())(s), (S,)),
    "stacks of views": (lambda s, t: torch.bmm(s[1:4, 5:], t.flip(0)[2:5]), (S, T)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_products_are_part_of_one_kernel(name: str) -> None:
    function, arguments = PROGRAMS[name]
    compiled = torch.compile(function)
    np.testing.assert_allclose(compiled(*arguments), function(*arguments), rtol=1e-10, atol=1e-11)
    assert not called(compiled, *arguments)
    gradients = torch.func.grad(lambda *xs: function(*xs).square().mean(), tuple(range(len(arguments))))
    compiled = torch.compile(gradients)
    for got, want in zip(compiled(*arguments), gradients(*arguments), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-10)
    assert not [line for line in called(compiled, *arguments) if "mm(" in line]


def test_zeros_around_what_the_same_kernel_makes() -> None:
    """A whole axis as a slice: its cotangent is read at places of its own, not at those just computed."""

    def function(a: Any, b: Any) -> Any:
        return (b @ a[:50].sum(0).expand(50, 30)).square().mean()

    want, got = torch.func.grad(function)(A, B), torch.compile(torch.func.grad(function))(A, B)
    np.testing.assert_allclose(got, want, rtol=1e-10)


@pytest.mark.parametrize(("batch", "width"), [(8, 30), (1, 30), (4, 3)])
def test_products_in_the_steps_of_a_scan(batch: int, width: int) -> None:
    w, u = (torch.tensor(0.1 * random(seed, width, width)) for seed in (0, 1))
    h, rows = torch.tensor(random(2, batch, width)), torch.tensor(random(3, 20, batch, width))

    def function(w: Any, u: Any, h: Any, rows: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            h = (h @ w + x @ u).tanh()
            return h, h.sum()

        h, ys = torch.func.scan(step, h, rows)
        return ys.square().sum() + h.sum()

    gradients = torch.func.grad(function, (0, 1, 2))
    compiled = torch.compile(gradients)
    for got, want in zip(compiled(w, u, h, rows), gradients(w, u, h, rows), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-10)
    assert not called(compiled, w, u, h, rows)


SPREAD: dict[str, Callable[[Any, Any], Any]] = {
    "right": lambda s, x: x @ (s * 2).expand(4, 30),
    "left": lambda s, x: (s * 2).expand(4, 24) @ x,
    "a sum": lambda s, x: (x @ x.sum().expand(4, 30)) * s,
    "given too": lambda s, x: x @ (s * 2).expand(4, 30) + s * 2,
    "with axes of one": lambda s, x: x @ (s.exp()).reshape(1, 1).expand(4, 30),
    "stacks": lambda s, x: torch.bmm(x.reshape(2, 12, 4), (s * s).expand(2, 4, 24)),
    "an update": lambda s, x: x[:4] - (s * s) * (x.T @ (s + 1).expand(24, 4)),
    "in a loop": lambda s, x: torch.func.scan(
        lambda c, r: (c * 0.1, r.T @ (c * s).expand(24, 20)), s, x.expand(5, -1, -1)
    )[1],
}


@pytest.mark.parametrize("name", SPREAD)
def test_operands_that_repeat_one_computed_number(name: str) -> None:
    f = SPREAD[name]
    s, x = torch.tensor(0.7, dtype=torch.float64), torch.tensor(random(0, 24, 4))
    torch.testing.assert_close(torch.compile(f)(s, x), f(s, x))

    def loss(s: Any, x: Any) -> Any:
        return (f(s, x) ** 2).sum()

    gradient = torch.func.grad(loss, argnums=(0, 1))
    torch.testing.assert_close(torch.compile(gradient)(s, x), gradient(s, x))


def test_the_gradient_of_a_sum_of_a_product_with_a_matrix_from_outside() -> None:
    w = torch.tensor(random(1, 4, 4), requires_grad=True)
    x = torch.tensor(random(0, 24, 4))
    y = torch.compile(lambda x: (x @ w).sum() * 3)(x)
    torch.testing.assert_close(torch.autograd.grad(y, w)[0], 3 * x.sum(0)[:, None].expand(4, 4).contiguous())
