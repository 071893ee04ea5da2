"""Compiled functions of batches: one loop over the members, with gathers in it and small arrays in registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch

pytest.importorskip("llvmlite")

RANDOM = np.random.default_rng(0)


def numbers(*shape: int) -> Any:
    return torch.tensor(RANDOM.standard_normal(shape))


def integers(high: int, *shape: int) -> Any:
    return torch.tensor(RANDOM.integers(0, high, shape))


def steps(f: Any, *args: Any) -> tuple[int, bool]:
    """The number of kernels that run, and whether NumPy is called."""
    text = f.explain(*args)
    return text.count("   kernel "), "calls of NumPy" in text


def agree(got: Any, want: Any) -> None:
    pairs = zip(got, want, strict=True) if isinstance(want, tuple) else [(got, want)]
    for a, b in pairs:
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-13)


def turned(r: Any, x: Any) -> Any:
    square = (r * r).sum()
    angle = torch.sqrt(square)
    w = r / angle
    return x * angle.cos() + torch.linalg.cross(w, x) * angle.sin() + w * ((w * x).sum() * (1 - angle.cos()))


OF_A_MEMBER: dict[str, Callable[[Any, Any], Any]] = {
    "a rotation": turned,
    "softmax": lambda r, x: torch.softmax(r * x, 0) * x,
    "reductions": lambda r, x: torch.stack([(r * x).sum(), r.prod(), x.mean(), (r + x).amax(), (r * x).amin()]),
    "truth": lambda r, x: torch.where((r > x).all(), r, torch.where((r > 0).any(), x * 2, r + x)),
    "counts": lambda r, x: torch.count_nonzero(r > x) * x,
    "parts": lambda r, x: torch.cat([r[1:], x[:1] * 2, r[:2] * x[1:]]),
    "a matrix": lambda r, x: (torch.outer(r, x) + torch.outer(x, x).T).sum(1).reshape(3, 1),
    "a reshape": lambda r, x: torch.outer(r, x).exp().reshape(9)[2:7].flip(0),
}


class TestMembers:
    @pytest.mark.parametrize("n", [17, 64, 1003])
    @pytest.mark.parametrize("name", OF_A_MEMBER)
    def test_one_loop(self, name: str, n: int) -> None:
        f = torch.vmap(OF_A_MEMBER[name])
        r, x = numbers(n, 3), numbers(n, 3)
        compiled = torch.compile(f)
        agree(compiled(r, x), f(r, x))
        agree(compiled(r, x), f(r, x))
        assert steps(compiled, r, x) == (1, False)

    @pytest.mark.parametrize("n", [17, 300])
    @pytest.mark.parametrize("transform", [torch.func.jacrev, torch.func.jacfwd])
    @pytest.mark.parametrize("name", ["a rotation", "softmax", "parts", "a matrix"])
    def test_jacobians(self, name: str, transform: Any, n: int) -> None:
        f = torch.vmap(transform(OF_A_MEMBER[name], (0, 1)))
        r, x = numbers(n, 3), numbers(n, 3)
        compiled = torch.compile(f)
        agree(compiled(r, x), f(r, x))

    def test_second_derivatives(self) -> None:
        f = torch.vmap(torch.func.hessian(lambda r, x: turned(r, x).sum()))
        r, x = numbers(40, 3), numbers(40, 3)
        agree(torch.compile(f)(r, x), f(r, x))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_infinities_and_nan_stay_with_their_member(self, dtype: Any) -> None:
        f = torch.vmap(lambda x: torch.stack([x.amax(), x.sum(), (x * 0).sum()]))
        x = numbers(50, 4).to(dtype)
        x[3, 1], x[7, 2], x[9, 0] = float("nan"), float("inf"), -0.0
        np.testing.assert_allclose(torch.compile(f)(x).numpy(), f(x).numpy(), rtol=1e-6)

    @pytest.mark.parametrize("shape", [(2, 3), (40, 3), (40, 30), (3, 400), (7, 9, 3)])
    def test_a_sum_of_negative_zeros(self, shape: tuple[int, ...]) -> None:
        x = torch.full(shape, -0.0)
        for f in (lambda x: x.sum(-1) * 1, lambda x: x.sum(0) * 1, lambda x: x.sum() * 1):
            assert not np.signbit(f(x).numpy()).any()
            assert not np.signbit(torch.compile(f)(x).numpy()).any()

    def test_what_is_read_by_other_members_is_right(self) -> None:
        """Slices and flips along the members read what other rounds of the loop compute."""
        x = numbers(60, 3)
        for f in (
            lambda x: ((x * x).sum(1, keepdim=True) * x, (x * x).sum(1).flip(0)),
            lambda x: torch.stack([x[:, 0], x.flip(0)[:, 1]], 1).sum(1),
            torch.func.grad(lambda x: (x[1:] * x[:-1]).sum(1).exp().sum()),
            torch.func.grad(lambda x: (x[:1] * x[-1:]).sum() + x[:, :1].sum()),
        ):
            agree(torch.compile(f)(x), f(x))


X, WIDE = numbers(70, 5), numbers(9, 70, 5)
ROWS, PAIRS = integers(70, 200), integers(5, 70, 3)

GATHERS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "rows": (lambda x, i: x[i] * 2, (X, ROWS)),
    "negative": (lambda x, i: x[i - 70].sin(), (X, ROWS)),
    "a matrix of rows": (lambda x, i: x[i.reshape(20, 10)].sum(2), (X, ROWS)),
    "columns": (lambda x, i: x[:, i] + 1, (X, integers(5, 3))),
    "elements": (lambda x, i, j: x[i, j].exp(), (X, ROWS, integers(5, 200))),
    "broadcast": (lambda x, i, j: x[i[:, None], j].exp(), (X, ROWS, integers(5, 2))),
    "in the middle": (lambda x, i, j: x[:, i, j] * 3, (WIDE, ROWS, integers(5, 200))),
    "of what is computed": (lambda x, i: x.exp()[i].sum(1), (X, ROWS)),
    "by what is computed": (lambda x, i: x[(i + 7) % 70].sum(1), (X, ROWS)),
    "by a column": (lambda x, i: x[i[:, 1]] * x[i[:, 0]], (X, integers(70, 200, 2))),
    "twice": (lambda x, i, j: x[i][j].cos(), (X, ROWS, integers(200, 90))),
    "index_select": (lambda x, i: torch.index_select(x, 0, i).tanh(), (X, ROWS)),
    "gather": (lambda x, i: torch.gather(x, 1, i) * 2, (X, PAIRS)),
    "int32": (lambda x, i: x[i.to(torch.int32)] * 2, (X, ROWS)),
    "embedding": (lambda x, i: torch.nn.functional.embedding(i, x).exp(), (X, ROWS)),
}


class TestGathers:
    @pytest.mark.parametrize("name", GATHERS)
    def test_are_part_of_kernels(self, name: str) -> None:
        f, args = GATHERS[name]
        compiled = torch.compile(f)
        agree(compiled(*args), f(*args))
        agree(compiled(*args), f(*args))
        assert "index" not in str([line for line in compiled.explain(*args).splitlines() if "calls of NumPy" in line])

    @pytest.mark.parametrize("name", GATHERS)
    def test_gradients(self, name: str) -> None:
        f, (x, *indices) = GATHERS[name]
        g = torch.func.grad(lambda x: (f(x, *indices) ** 2).sum())
        agree(torch.compile(g)(x), g(x))

    @pytest.mark.parametrize("wrong", [70, -71, 2**40])
    @pytest.mark.parametrize("f", [lambda x, i: x[i] * 2, lambda x, i: torch.vmap(lambda k: x[k].sum())(i)])
    def test_out_of_bounds(self, f: Any, wrong: int) -> None:
        compiled = torch.compile(f)
        good = ROWS.clone()
        agree(compiled(X, good), f(X, good))
        bad = ROWS.clone()
        bad[100] = wrong
        with pytest.raises(IndexError, match="out of bounds"):
            compiled(X, bad)
        agree(compiled(X, good), f(X, good))

    def test_members_choose_rows(self) -> None:
        """Bundle adjustment in small: each member has a camera and a point by number."""

        def jacobian(cameras: Any, points: Any, i: Any, j: Any) -> Any:
            each = torch.vmap(torch.func.jacrev(lambda c, p: (turned(c, p) * c[0])[:2] / p[2], (0, 1)))
            return each(cameras[i], points[j])

        args = numbers(20, 3), numbers(33, 3), integers(20, 500), integers(33, 500)
        compiled = torch.compile(jacobian)
        agree(compiled(*args), jacobian(*args))
        assert steps(compiled, *args) == (1, False)


TABLE, TABLES = numbers(7, 5), numbers(6, 7, 5)
PLACES, OTHERS, WITHIN = integers(5, 6, 4), integers(5, 6, 4), integers(5, 6, 7, 3)
NEW = numbers(6, 4, 5)

CHOICES: dict[str, Callable[..., Any]] = {
    "index": lambda x, i, j, k, v: x[i],
    "columns": lambda x, i, j, k, v: x[:, i],
    "elements": lambda x, i, j, k, v: x[i, j],
    "one": lambda x, i, j, k, v: x[i[0]],
    "index_select": lambda x, i, j, k, v: torch.index_select(x, 0, i),
    "take": lambda x, i, j, k, v: torch.take(x, i),
    "gather": lambda x, i, j, k, v: torch.gather(x, 1, k),
    "take_along_dim": lambda x, i, j, k, v: torch.take_along_dim(x, k, 1),
    "embedding": lambda x, i, j, k, v: torch.nn.functional.embedding(i, x, padding_idx=1),
    "index_put": lambda x, i, j, k, v: x.index_put((i,), v, accumulate=True),
    "index_put of elements": lambda x, i, j, k, v: x.index_put((i, j), v[:, 0], accumulate=True),
    "index_add": lambda x, i, j, k, v: x.index_add(0, i, v),
    "index_copy": lambda x, i, j, k, v: x.index_copy(0, torch.arange(4), v),
    "index_fill": lambda x, i, j, k, v: x.index_fill(0, i, 2.0),
    "scatter_add": lambda x, i, j, k, v: x.scatter_add(1, k, x[:, :3]),
}


class TestBatchesOfChoices:
    """Members choose by indices of their own: the gradient adds to places that differ from member to member."""

    @pytest.mark.parametrize("shared", [False, True])
    @pytest.mark.parametrize("name", CHOICES)
    def test_gradients(self, name: str, shared: bool) -> None:
        g = torch.func.grad(lambda *args: (CHOICES[name](*args) ** 2).sum(), (0, 4))
        f = torch.vmap(g, (None if shared else 0, 0, 0, 0, 0))
        args = TABLE if shared else TABLES, PLACES, OTHERS, WITHIN, NEW
        agree(torch.compile(f)(*args), f(*args))
