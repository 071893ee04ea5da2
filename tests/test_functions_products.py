"""Products against PyTorch: values, node names, gradients of both orders, errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import wengert
import wengert.linalg

torch = pytest.importorskip("torch")

from torch_pairs import compare, same_error

DTYPES = ["float32", "float64", "complex64", "complex128"]


def r(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    x = rng.standard_normal(shape)
    return np.asarray(x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (1, 3, 4)),
    ((6, 5, 2, 3), (3, 4)),
    ((6, 5, 2, 3), (5, 3, 4)),
    ((3,), (5, 3, 4)),
    ((3,), (6, 5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (1, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((0, 2, 3), (3, 4)),
    ((0, 2, 3), (0, 3, 4)),
    ((2, 2, 0), (0, 4)),
    ((0,), (0,)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_matmul(a: tuple[int, ...], b: tuple[int, ...], dtype: str) -> None:
    compare(lambda lib, x, y: lib.matmul(x, y), r(*a, dtype=dtype), r(*b, dtype=dtype, seed=1))


def test_matmul_of_a_matrix_and_a_stack() -> None:
    # PyTorch folds this case into one product and copies back, so its last node is a copy.
    compare(lambda lib, x, y: x @ y, r(2, 3), r(5, 3, 4), name=False)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("step", [1, 2, -1])
def test_matmul_reads_any_memory_order(order: str, step: int) -> None:
    a, b = np.asarray(r(4, 6), order=order)[:, ::step], np.asarray(r(6 // abs(step), 5), order=order)
    x, y = wengert.tensor(a.tolist(), dtype=wengert.float64), wengert.tensor(b.tolist(), dtype=wengert.float64)
    strided = wengert.from_numpy(np.asarray(r(4, 6), order=order).copy("K"))[:, :: abs(step)]
    strided = strided.flip(1) if step < 0 else strided
    np.testing.assert_allclose((strided @ y).numpy(), (x @ y).numpy())


def test_gradients_reach_transposed_and_strided_leaves() -> None:
    compare(lambda lib, x, y: x.transpose(0, 1) @ y[:, ::2], r(3, 2), r(3, 4))
    compare(lambda lib, x, y: (x.transpose(1, 2) @ y.transpose(1, 2)).sum(0), r(5, 3, 2), r(5, 4, 3), name=False)


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8"])
def test_integer_products(dtype: str) -> None:
    rng = np.random.default_rng(3)
    a, b = (rng.integers(0, 9, s).astype(dtype) for s in ((2, 3), (3, 4)))
    for f in (
        lambda lib, x, y: x @ y,
        lambda lib, x, y: x[0] @ y[:, 0],
        lambda lib, x, y: x @ y[:, 0],
        lambda lib, x, y: lib.einsum("ij,jk", x, y),
        lambda lib, x, y: lib.outer(x[0], y[0]),
        lambda lib, x, y: lib.addmm(x[:, :1], x, y, alpha=2, beta=3),
    ):
        compare(f, a, b)


def test_half_precision_adds_up_in_single() -> None:
    a = np.full((1, 4096), 1.0, np.float16)
    assert (wengert.from_numpy(a) @ wengert.from_numpy(a).T).item() == 4096.0
    compare(lambda lib, x, y: x @ y, r(3, 5, dtype="float16"), r(5, 2, dtype="float16"))


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_named_products(dtype: str) -> None:
    m, v, w = r(3, 3, dtype=dtype), r(3, dtype=dtype), r(3, dtype=dtype, seed=5)
    compare(lambda lib, x, y: lib.mm(x, y), m, r(3, 4, dtype=dtype))
    compare(lambda lib, x, y: lib.mv(x, y), m, v)
    compare(lambda lib, x, y: lib.dot(x, y), v, w)
    compare(lambda lib, x, y: lib.vdot(x, y), v, w)
    compare(lambda lib, x, y: lib.bmm(x, y), r(2, 3, 4, dtype=dtype), r(2, 4, 5, dtype=dtype))
    compare(lambda lib, x, y: lib.outer(x, y), v, r(4, dtype=dtype))
    compare(lambda lib, x, y: lib.ger(x, y), v, w)
    compare(lambda lib, x, y: lib.inner(x, y), v, w)
    compare(lambda lib, x, y: lib.inner(x, y), r(2, 5, 3, dtype=dtype), r(4, 3, dtype=dtype))
    compare(lambda lib, x, y: lib.inner(x, y), np.asarray(r(dtype=dtype)), m)
    compare(lambda lib, x: lib.trace(x), r(3, 5, dtype=dtype))
    compare(lambda lib, x, y: lib.kron(x, y), m, r(2, dtype=dtype))
    compare(lambda lib, x, y: lib.linalg.cross(x, y), m, r(1, 3, dtype=dtype))
    compare(lambda lib, x, y: lib.cross(x, y, dim=0), m, w.reshape(3, 1))
    compare(lambda lib, x, y: lib.linalg.vecdot(x, y), v, w)
    compare(lambda lib, x, y: lib.linalg.vecdot(x, y), m, v)
    compare(lambda lib, x, y: lib.linalg.vecdot(x, y, dim=0), m, m + 1)
    compare(lambda lib, x, y: lib.linalg.vecdot(x, y, dim=0), r(3, 1, 2, dtype=dtype), m[:, :2])


def test_promotion_in_outer_and_kron() -> None:
    v = r(3, dtype="float32")
    compare(lambda lib, x, y: lib.outer(x, y), v, np.arange(2))
    compare(lambda lib, x, y: lib.outer(x, y), v, r(2))
    compare(lambda lib, x, y: lib.kron(x, y), v, np.arange(2))


@pytest.mark.parametrize("scales", [(1, 1), (0.5, -2.0), (0, 1), (2, 0)])
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_added_products(dtype: str, scales: tuple[float, float]) -> None:
    beta, alpha = scales
    d = {"dtype": dtype}
    k = {"beta": beta, "alpha": alpha}
    compare(lambda lib, x, a, b: lib.addmm(x, a, b, **k), r(2, 4, **d), r(2, 3, **d), r(3, 4, **d))
    compare(lambda lib, x, a, b: lib.addmm(x, a, b, **k), r(4, **d), r(2, 3, **d), r(3, 4, **d))
    compare(lambda lib, x, a, b: x.addmv(a, b, **k), r(2, **d), r(2, 3, **d), r(3, **d))
    compare(lambda lib, x, a, b: lib.addr(x, a, b, **k), r(2, 3, **d), r(2, **d), r(3, **d))
    compare(lambda lib, x, a, b: lib.baddbmm(x, a, b, **k), r(4, **d), r(5, 2, 3, **d), r(5, 3, 4, **d))
    compare(lambda lib, x, a, b: lib.addbmm(x, a, b, **k), r(2, 1, **d), r(5, 2, 3, **d), r(5, 3, 4, **d))


def test_complex_scales() -> None:
    c = {"dtype": "complex128"}
    compare(lambda lib, x, a, b: lib.addmm(x, a, b, beta=1j, alpha=2 - 1j), r(4, **c), r(2, 3, **c), r(3, 4, **c))


def test_a_zero_beta_ignores_even_nan() -> None:
    nan = wengert.full((2, 2), float("nan"))
    assert wengert.addmm(nan, wengert.ones(2, 3), wengert.ones(3, 2), beta=0).tolist() == [[3.0, 3.0], [3.0, 3.0]]


def test_added_products_in_place() -> None:
    def f(lib: Any, x: Any, a: Any, b: Any) -> Any:
        y = x * 1
        y.addmm_(a, b, beta=0.5)
        return y.addr_(a[:, 0], b[0], alpha=2)

    compare(f, r(2, 4), r(2, 3), r(3, 4))


def test_out() -> None:
    a, b, out = wengert.ones(2, 3), wengert.ones(3, 2), wengert.zeros(2, 2)
    assert wengert.matmul(a, b, out=out) is out
    assert out.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        wengert.mm(a.requires_grad_(), b, out=out)


# --- einsum ---

EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("ij->ji", (2, 3)),
    ("ba", (2, 3)),
    ("ij->i", (2, 3)),
    ("ij->j", (2, 3)),
    ("ij->", (2, 3)),
    ("->", ()),
    (",->", (), ()),
    ("i,->i", (3,), ()),
    ("i,j->ij", (2,), (3,)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij,ij->i", (2, 3), (2, 3)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,kl", (2, 3), (4, 5)),
    ("ij,kl->", (2, 3), (4, 5)),
    ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)),
    ("bij,bjk->kbi", (5, 2, 3), (5, 3, 4)),
    ("ij,j->i", (2, 3), (3,)),
    ("i,i->", (3,), (3,)),
    ("i,i", (3,), (1,)),
    ("ij,ij->j", (2, 1), (1, 3)),
    ("...ij,...jk->...ik", (5, 2, 3), (5, 3, 4)),
    ("...ij,...jk->...ik", (6, 1, 2, 3), (5, 3, 4)),
    ("...i->...", (2, 3)),
    ("i...->i", (2, 3)),
    ("i...j->j", (2, 3, 4)),
    ("ij->...", (2, 3)),
    ("...", (2, 3)),
    ("...i,...j", (2, 3), (3, 1, 4)),
    ("bhqd,bhkd->bhqk", (5, 2, 3, 4), (5, 2, 6, 4)),
    ("bqhd,bkhd->bhqk", (2, 3, 5, 4), (2, 6, 5, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("bn,anm,bm->ba", (2, 5), (3, 5, 4), (2, 4)),
    ("i,j,k->ijk", (2,), (3,), (4,)),
    ("ab,bc,cd,de->ae", (2, 3), (3, 4), (4, 2), (2, 3)),
    ("iij->j", (3, 3, 2)),
    ("iij,jk->ik", (3, 3, 2), (2, 4)),
    ("iii", (3, 3, 3)),
    ("ijij->ij", (2, 3, 2, 3)),
    (" i j , j k -> i k ", (2, 3), (3, 4)),
    ("iI->Ii", (2, 3)),
    ("aB,bA", (2, 3), (4, 5)),
    ("ij,jk->ik", (0, 3), (3, 4)),
    ("ij,jk->ik", (2, 0), (0, 4)),
    ("i,j->ij", (0,), (3,)),
]


@pytest.mark.parametrize("row", EINSUMS, ids=lambda row: f"{row[0]} {row[1:]}")
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_einsum(row: tuple[Any, ...], dtype: str) -> None:
    equation, *shapes = row
    arrays = [np.asarray(r(*shape, dtype=dtype, seed=i)) for i, shape in enumerate(shapes)]
    # PyTorch multiplies out a summed dimension of size one with MulBackward0 where all of them have it.
    compare(lambda lib, *xs: lib.einsum(equation, *xs), *arrays, name=len(shapes) < 3)


def test_einsum_with_lists_of_subscripts() -> None:
    a, b = r(2, 3), r(3, 4)
    compare(lambda lib, x, y: lib.einsum(x, [0, 1], y, [1, 2], [2, 0]), a, b, name=False)
    compare(lambda lib, x, y: lib.einsum(x, [0, 1], y, [1, 2]), a, b)
    compare(lambda lib, x, y: lib.einsum(x, [..., 1], y, [1, 2]), a, b)
    compare(lambda lib, x, y: lib.einsum("ij,jk", [x, y]), a, b)


def test_einsum_of_one_operand_is_a_view() -> None:
    x = wengert.zeros(2, 3)
    y = wengert.einsum("ij->ji", x)
    y[0, 0] = 5.0
    assert x[0, 0].item() == 5.0


def test_einsum_multiplies_pairs_in_the_cheapest_order() -> None:
    rng = np.random.default_rng(0)
    v, m, n = rng.standard_normal(400), rng.standard_normal((400, 400)), rng.standard_normal((400, 400))
    got = wengert.einsum("ij,jk,k->i", *[wengert.from_numpy(a) for a in (m, n, v)])
    np.testing.assert_allclose(got.numpy(), m @ (n @ v))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk", [(2, 3)]),
        ("ij", [(2, 3), (2, 3)]),
        ("ij,jk->il", [(2, 3), (3, 4)]),
        ("ij,jk->ik", [(2, 3), (4, 5)]),
        ("ij->ijj", [(2, 3)]),
        ("i1", [(2, 3)]),
        ("ijk", [(2, 3)]),
        ("i.j", [(2, 3)]),
        ("....", [(2, 3)]),
        ("ii", [(2, 3)]),
        ("ij...->ij", [(3,)]),
        ("i->i->i", [(3,)]),
    ],
)
def test_einsum_errors(equation: str, shapes: list[tuple[int, ...]]) -> None:
    same_error(lambda lib, *xs: lib.einsum(equation, *xs), *[r(*s) for s in shapes])


def test_more_einsum_errors() -> None:
    a = r(2, 3)
    same_error(lambda lib, x: lib.einsum(x, [0, 60]), a)
    same_error(lambda lib: lib.einsum("ij"))
    same_error(lambda lib, x: lib.einsum(3, x), a)
    same_error(lambda lib, x, y: lib.einsum("ij,jk", x, y), r(2, 3, dtype="float32"), r(3, 4))
    same_error(lambda lib, x: lib.einsum("ij,ij->i", x, x), np.ones((2, 2), bool))
    same_error(lambda lib, x, y: lib.einsum("i...,i...", x, y), a, r(2, 4), beginning=53)


# --- tensordot, chains, powers, distances ---


def test_tensordot() -> None:
    a, b = r(2, 3, 4), r(3, 4, 5)
    compare(lambda lib, x, y: lib.tensordot(x, y, 2), a, b)
    compare(lambda lib, x, y: lib.tensordot(x, y, dims=([1, 2], [0, 1])), a, b)
    compare(lambda lib, x, y: lib.tensordot(x, y, dims=([-1], [1])), a, b)
    compare(lambda lib, x, y: lib.tensordot(x, y, dims=0), r(2), r(3))
    compare(lambda lib, x, y: lib.tensordot(x, y, dims=1), r(2, 1), r(3, 5))
    compare(lambda lib, x: lib.tensordot(x, x, dims=([0, 1], [0, 1])), r(2, 3))
    same_error(lambda lib, x, y: lib.tensordot(x, y, 1), r(2, 3), r(4, 5), beginning=50)
    same_error(lambda lib, x, y: lib.tensordot(x, y, dims=([1, 0], [0])), r(2, 3), r(3, 5))
    same_error(lambda lib, x, y: lib.tensordot(x, y, dims=([2], [0])), r(2, 3), r(3, 5))
    same_error(lambda lib, x, y: lib.tensordot(x, y, -1), r(2, 3), r(3, 5))
    same_error(lambda lib, x, y: lib.tensordot(x, y, 5), r(2, 3), r(3, 5))
    same_error(lambda lib, x, y: lib.tensordot(x, y, (1, 0)), r(2, 3), r(3, 5))


def test_multi_dot() -> None:
    chain = [r(2, 3), r(3, 7), r(7, 4), r(4, 5)]
    compare(lambda lib, *xs: lib.linalg.multi_dot(list(xs)), *chain)
    compare(lambda lib, *xs: lib.linalg.multi_dot(list(xs)), r(3), *chain[1:])
    compare(lambda lib, *xs: lib.linalg.multi_dot(list(xs)), *chain, r(5))
    compare(lambda lib, *xs: lib.linalg.multi_dot(list(xs)), r(3), r(3, seed=1))
    for shapes in [((3, 3),), ((3, 3), (3, 3, 3), (3, 3)), ((3, 3), (2, 3)), ((3, 3), (3, 4), (2, 3))]:
        same_error(lambda lib, *xs: lib.linalg.multi_dot(list(xs)), *[r(*s) for s in shapes])
    with pytest.warns(UserWarning, match="chain_matmul is deprecated"):
        y = wengert.chain_matmul(wengert.ones(2, 3), wengert.ones(3, 4))
    assert y.tolist() == [[3.0] * 4] * 2


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_matrix_power(n: int) -> None:
    compare(lambda lib, x: lib.matrix_power(x, n), r(3, 3))
    compare(lambda lib, x: lib.matrix_power(x, n), r(2, 2, 2), name=False)


def test_powers_below_one() -> None:
    compare(lambda lib, x: lib.matrix_power(x, 0), r(3, 3), name=False)
    compare(lambda lib, x: lib.matrix_power(x, -1), r(3, 3))
    compare(lambda lib, x: lib.matrix_power(x, -3), r(2, 3, 3), name=False, scale=100.0)
    compare(lambda lib, x: lib.inverse(x), r(2, 3, 3), scale=100.0)
    same_error(lambda lib, x: lib.matrix_power(x, 2), r(2, 3))
    same_error(lambda lib, x: lib.matrix_power(x, 2), r(3))
    same_error(lambda lib, x: lib.inverse(x), np.ones((2, 2), np.int32))
    same_error(lambda lib, x: lib.inverse(x), np.zeros((2, 2)), beginning=11)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf")])
def test_cdist(p: float) -> None:
    compare(lambda lib, x, y: lib.cdist(x, y, p=p), r(4, 3), r(5, 3), order=1)
    compare(lambda lib, x, y: lib.cdist(x, y, p=p), r(2, 1, 4, 3), r(5, 3), order=1)


def test_cdist_from_products() -> None:
    compare(lambda lib, x, y: lib.cdist(x, y), r(30, 3), r(40, 3), order=1, scale=100.0)
    x = wengert.tensor([[1.0, 2.0], [1.0, 2.0]], requires_grad=True)
    wengert.cdist(x, x.detach()).sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_cdist_has_a_second_derivative() -> None:
    a, b = (wengert.from_numpy(r(n, 2)).requires_grad_() for n in (3, 2))
    g = wengert.autograd.grad(wengert.cdist(a, b).sum(), a, create_graph=True)[0]
    h = wengert.autograd.grad((g * g).sum(), a)[0]
    x, y = (torch.from_numpy(r(n, 2)).requires_grad_() for n in (3, 2))
    d = ((x[:, None] - y[None]) ** 2).sum(-1).sqrt().sum()
    k = torch.autograd.grad(d, x, create_graph=True)[0]
    np.testing.assert_allclose(h.numpy(), torch.autograd.grad((k * k).sum(), x)[0].numpy())


def test_cross_without_a_dimension_warns() -> None:
    with pytest.warns(UserWarning, match="without specifying the dim"):
        y = wengert.cross(wengert.ones(3, 2), wengert.zeros(3, 2))
    assert y.shape == (3, 2)


# --- errors ---


def test_errors_of_shape() -> None:
    cases: list[tuple[Any, tuple[tuple[int, ...], ...]]] = [
        (lambda lib, a, b: lib.mm(a, b), ((3,), (3, 4))),
        (lambda lib, a, b: lib.mm(a, b), ((2, 3), (4, 5))),
        (lambda lib, a, b: lib.mv(a, b), ((2, 3), (4,))),
        (lambda lib, a, b: lib.mv(a, b), ((3,), (3,))),
        (lambda lib, a, b: lib.dot(a, b), ((2,), (3,))),
        (lambda lib, a, b: lib.dot(a, b), ((2, 2), (2, 2))),
        (lambda lib, a, b: lib.vdot(a, b), ((2,), (3,))),
        (lambda lib, a, b: lib.bmm(a, b), ((2, 3), (2, 3, 4))),
        (lambda lib, a, b: lib.bmm(a, b), ((2, 3, 4), (4, 5))),
        (lambda lib, a, b: lib.outer(a, b), ((2, 2), (2,))),
        (lambda lib, a, b: lib.inner(a, b), ((2, 3), (2, 4))),
        (lambda lib, a, b: a @ b, ((2,), (3,))),
        (lambda lib, a, b: a @ b, ((2, 3), (4,))),
        (lambda lib, a, b: a @ b, ((2,), (3, 4))),
        (lambda lib, a, b: a @ b, ((2, 3), (4, 5))),
        (lambda lib, a, b: a @ b, ((2, 2, 3), (4, 5))),
        (lambda lib, a, b: a @ b, ((2, 2, 3), (4,))),
        (lambda lib, a, b: a @ b, ((2, 3, 2, 2), (4, 3, 2, 2))),
        (lambda lib, a, b: a @ b, ((), (3,))),
        (lambda lib, x, a, b: lib.addmm(x, a, b), ((5,), (2, 3), (3, 4))),
        (lambda lib, x, a, b: lib.addmm(x, a, b), ((4,), (2, 3), (4, 4))),
        (lambda lib, x, a, b: lib.addmv(x, a, b), ((4,), (2, 3), (3,))),
        (lambda lib, x, a, b: lib.addr(x, a, b), ((3, 3), (2,), (3,))),
        (lambda lib, x, a, b: lib.addr(x, a, b), ((2, 3), (2, 1), (3,))),
        (lambda lib, x, a, b: lib.baddbmm(x, a, b), ((4, 3), (2, 3, 4), (2, 4, 5))),
        (lambda lib, x, a, b: lib.addbmm(x, a, b), ((3, 5), (2, 3, 4), (3, 4, 5))),
        (lambda lib, a, b: lib.linalg.cross(a, b), ((3, 2), (3, 2))),
        (lambda lib, a, b: lib.linalg.vecdot(a, b), ((2, 3), (2, 4))),
        (lambda lib, a, b: lib.cdist(a, b), ((3, 4), (3, 5))),
        (lambda lib, a, b: lib.cdist(a, b), ((3,), (3,))),
        (lambda lib, a, b: lib.cdist(a, b, p=-1), ((3, 2), (3, 2))),
        (lambda lib, a, b: lib.cdist(a, b, compute_mode="x"), ((3, 2), (3, 2))),
        (lambda lib, a: lib.trace(a), ((3,),)),
    ]
    for f, shapes in cases:
        text = same_error(f, *[np.asarray(r(*s)) for s in shapes])
        assert text


def test_a_product_that_does_not_fit_says_what_would() -> None:
    with pytest.raises(RuntimeError, match=r"transposed: b\.T"):
        wengert.ones(2, 3) @ wengert.ones(4, 3)


def test_stacks_that_do_not_fit() -> None:
    with pytest.raises(RuntimeError, match=r"first two dimensions of batch2 tensor to be: \[2, 4\] but got: \[3, 4\]"):
        wengert.bmm(wengert.ones(2, 3, 4), wengert.ones(3, 4, 5))
    with pytest.raises(RuntimeError, match=r"to be: \[2, 3\] but got: \[2, 4\]"):
        wengert.ones(2, 2, 3) @ wengert.ones(2, 4, 5)


def test_errors_of_dtype() -> None:
    f, d, t = r(2, 2, dtype="float32"), r(2, 2), np.ones((2, 2), bool)
    for a, b in ((f, d), (f, f.astype(np.complex64)), (t, t)):
        same_error(lambda lib, x, y: x @ y, a, b)
        same_error(lambda lib, x, y: x[0] @ y[0], a, b)
        same_error(lambda lib, x, y: x @ y[0], a, b)
        same_error(lambda lib, x, y: x[None] @ y[None], a, b)
    same_error(lambda lib, x, y: lib.addmm(x, y, y), d, f)
    same_error(lambda lib, x, y: lib.cdist(x, y), f, d)
    same_error(lambda lib, x, y: lib.linalg.vecdot(x, y), f, d)
    same_error(lambda lib, x: lib.linalg.vecdot(x, x), np.ones(3, np.int32))
    same_error(lambda lib, x: lib.addmm(x, x, x, alpha=1j), f, beginning=57)
    same_error(lambda lib, x: lib.trace(x), t)


def test_operands_that_are_no_tensors() -> None:
    same_error(lambda lib, x: lib.matmul(x, 2), r(2, 2))
    same_error(lambda lib, x: lib.mm(x, 3), r(2, 2))
    same_error(lambda lib, x: x @ 2, r(2, 2))
    same_error(lambda lib, x: 2 @ x, r(2, 2))
    same_error(lambda lib, x: x @ [[1, 2]], r(2, 2))


def test_no_warnings_from_numpy() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        big = wengert.full((2, 2), 1e38)
        assert wengert.isinf(big @ big).all()


def test_vander_and_names_of_types() -> None:
    for count in (None, 0, 2, 5):
        for increasing in (False, True):
            a = wengert.vander(wengert.tensor([1.0, 2, 3]), count, increasing)
            b = torch.vander(torch.tensor([1.0, 2, 3]), count, increasing)
            assert a.tolist() == b.tolist()
    with pytest.raises(RuntimeError, match="one-dimensional"):
        wengert.vander(wengert.ones(2, 2))
    with pytest.raises(RuntimeError, match="non-negative"):
        wengert.vander(wengert.ones(2), -1)


def test_a_sum_of_one_product_starts_from_plus_zero() -> None:
    for dtype in ("float32", "float64", "int64", "complex64"):
        for lib in (wengert, torch):
            minus, one = (lib.tensor([x]).to(getattr(lib, dtype)) for x in (-0.0, 1.0))
            for y in (lib.dot(minus, one), minus @ one, lib.vdot(one, minus)):
                assert str(y.dtype) == f"torch.{dtype}"
                assert not np.signbit(np.asarray(y).real)
