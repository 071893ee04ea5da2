"""Operations that machine code writes out, and calls that give containers: the same as eager ones."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert import _tree
from wengert.func import grad, grad_and_value
from wengert.program.evaluate import evaluate
from wengert.program.passes.expansion import EXPANSIONS, expanded
from wengert.program.verify import verify

ROWS = [
    [1.0, -2.0, 0.5, 3.0],
    [np.inf, 1.0, -np.inf, 0.0],
    [-np.inf] * 4,
    [np.nan, 1.0, 2.0, 3.0],
    [1000.0, 999.0, -1000.0, 0.0],
    [5e-324, -0.0, 0.0, -5e-324],
]
FUNCTIONS = {
    "logsumexp": lambda x, dim: torch.logsumexp(x, dim),
    "logsumexp, kept": lambda x, dim: torch.logsumexp(x, dim, keepdim=True),
    "softmax": lambda x, dim: torch.softmax(x, dim),
    "log_softmax": lambda x, dim: torch.log_softmax(x, dim),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values(name: str, dim: int, dtype: Any) -> None:
    x = torch.tensor(ROWS, dtype=dtype)
    x = x if dim == 1 else x.T
    f = lambda x: FUNCTIONS[name](x, dim)
    g = grad(lambda x: (f(x) * torch.arange(1.0, f(x).numel() + 1, dtype=dtype).reshape(f(x).shape)).sum())
    tolerance = 1e-6 if dtype == torch.float32 else 1e-13
    # In float64: the eager gradient of logsumexp has the rounding error of a logarithm of some thousand in it.
    wide = x.double()
    for got, want in ((torch.compile(f)(x), f(wide)), (torch.compile(g)(x), g(wide))):
        assert got.dtype == dtype
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (2, 3, 5)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    x = torch.tensor(np.random.default_rng(0).standard_normal(shape))
    f = lambda x: FUNCTIONS[name](x, 0)
    np.testing.assert_allclose(torch.compile(f)(x).numpy(), f(x).numpy(), rtol=1e-13)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_program_is_valid_and_computes_the_same(name: str) -> None:
    x = torch.tensor(np.random.default_rng(0).standard_normal((4, 5)))
    program = torch.compile(lambda x: FUNCTIONS[name](x, 1)).program(x)
    written = verify(expanded(program))
    assert not EXPANSIONS.keys() & {equation.op.name for equation in written.equations}
    for got, want in zip(evaluate(written, [x.numpy()]), evaluate(program, [x.numpy()]), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)


@pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs the extra [jit]")
def test_a_row_is_one_kernel() -> None:
    f = torch.compile(grad_and_value(lambda x: torch.logsumexp(x, 0)))
    x = torch.ones(30, dtype=torch.float64)
    f(x)
    assert "calls of NumPy" not in f.explain()


@pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs the extra [jit]")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_root_mean_square_is_one_kernel(dtype: Any) -> None:
    def f(x: Any, w: Any) -> Any:
        return (torch.nn.functional.rms_norm(x, x.shape[1:], w, 1e-3) ** 3).sum()

    arrays = [torch.tensor(np.random.default_rng(0).standard_normal(s), dtype=dtype) for s in ((30, 20), (20,))]
    derivatives = grad_and_value(f, (0, 1))
    compiled = torch.compile(derivatives)
    tolerance = 1e-4 if dtype == torch.float32 else 1e-12
    for got, want in zip(_tree.flatten(compiled(*arrays))[0], _tree.flatten(derivatives(*arrays))[0], strict=True):
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    assert "calls of NumPy" not in compiled.explain()


@pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs the extra [jit]")
@pytest.mark.parametrize("subs", ["ni,nij,nj->n", "ij,jk,kl,l->i", "i,i,i->", "ij,kj,k->ik"])
def test_sums_of_several_factors_are_kernels(subs: str) -> None:
    random, sizes = np.random.default_rng(0), {"n": 50, "i": 3, "j": 4, "k": 5, "l": 30}
    shapes = [[sizes[c] for c in part] for part in subs.split("->", maxsplit=1)[0].split(",")]
    arrays = [torch.tensor(random.standard_normal(shape)) for shape in shapes]
    derivatives = grad_and_value(lambda *xs: torch.einsum(subs, *xs).sin().sum(), tuple(range(len(arrays))))
    compiled = torch.compile(derivatives)
    for got, want in zip(_tree.flatten(compiled(*arrays))[0], _tree.flatten(derivatives(*arrays))[0], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)
    assert "calls of NumPy" not in compiled.explain()


class TestContainers:
    """What a direct call gives is put into the containers that the function returned."""

    RESULTS = (
        lambda x: [x + 1, x * 2],
        lambda x: (x + 1, (x * 2, x * 3)),
        lambda x: ((x + 1, x * 2), x * 3),
        lambda x: {"a": x + 1, "b": [x * 2, (x * 3,)]},
        lambda x: (x + 1,),
        lambda x: [[x + 1]],
        lambda x: ((), x + 1),
        lambda x: (x + 1, None, x * 2),
        lambda x: (x * 2, x),
    )

    @pytest.mark.parametrize("f", RESULTS)
    def test_calls(self, f: Any) -> None:
        compiled = torch.compile(f)
        for x in (
            torch.ones(3),
            torch.ones(3),
            torch.ones(4),
            torch.ones(4),
            torch.ones(3, dtype=torch.float64),
            torch.ones(3, requires_grad=True),
            torch.ones(3).numpy(),
            torch.ones(3),
        ):
            given = torch.tensor(x) if isinstance(x, np.ndarray) else x
            got, form = _tree.flatten(compiled(x))
            want, wanted = _tree.flatten(f(given))
            assert form == wanted
            for a, b in zip(got, want, strict=True):
                assert type(a) is type(b) or isinstance(x, np.ndarray)
                if b is not None:
                    assert np.array_equal(torch.as_tensor(a).detach().numpy(), b.detach().numpy())
                    assert isinstance(x, np.ndarray) or a.requires_grad == b.requires_grad


@pytest.mark.parametrize("shape", [(5, 4), (40, 30), (4, 100)])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x[1] * x[2:4].sum(0)).sum() + x[-1, ::2].sum(),
        lambda x: (x[0, 0] * x[:, 1:3]).exp().sum(),
        lambda x: x[0, 0] * x[1, 1] ** 2 + x[2, 3],
        lambda x: (x[:2] * x[1:3] * x[2:4]).sum() + (x[:, -1] * x[:, 0].sin()).sum(),
        lambda x: x[1:2].sum() * x[0].prod(),
        lambda x: (x.T[1:3].T * x[:, 1:2]).sum() * x[:, None, 1:3].cos().sum(),
        lambda x: (x[:1] * x[-1:]).sum() + x[:, :1].sum() * x[2, 1],
        lambda x: torch.func.scan(lambda c, r: (c * x[1:3].sum(0) * 0.1 + x[0] * r[0], c[1:3] * r[:2]), x[1], x)[
            1
        ].sum(),
    ],
)
def test_gradients_of_parts(f: Any, shape: tuple[int, int]) -> None:
    x = torch.tensor(np.random.default_rng(0).standard_normal(shape))
    want = grad(f)(x).numpy()
    got = torch.compile(grad(f))(x).numpy()
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-13 * np.abs(want).max())


@pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs the extra [jit]")
def test_gradients_of_parts_are_one_kernel() -> None:
    f = torch.compile(grad(lambda w: w[0] * w[1].sin() + (w[2:5] * w[3:6]).sum()))
    f(torch.ones(6))
    assert "calls of NumPy" not in f.explain()


def test_several_sums_over_a_loop_that_threads_share() -> None:
    x = torch.tensor(np.random.default_rng(0).standard_normal((70, 30)))
    f = lambda x: (x.sum(), (x * x).sum(), x.exp().sum(), x.amax())
    for got, want in zip(torch.compile(f)(x), f(x), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-13)


SUMS = {
    "sum": lambda x: (x.sum(1), x.sum(1, keepdim=True), x[:1].sum(0), x[:1, :1].sum()),
    "mean": lambda x: (x.mean(1), x[:1].mean(0)),
    "of a product": lambda x: ((x * 2).sum(1), x.double().sum(1), torch.einsum("ij->i", x), x.nansum(1)),
    "of matrices": lambda x: (x @ x[:1], x @ x[0]),
    "long": lambda x: (x.expand(2, 3000).sum(1), x[:1].expand(3000, 2).sum(0), x.expand(2, 3000).sum()),
}


@pytest.mark.parametrize("name", SUMS)
def test_a_sum_starts_from_plus_zero(name: str) -> None:
    x = torch.tensor([[-0.0], [-0.0]])
    for got in torch.compile(SUMS[name])(x):
        np.testing.assert_array_equal(np.signbit(got.numpy()), np.zeros(got.shape, bool))


LOSSES = {
    "mean": lambda x, t: torch.nn.functional.cross_entropy(x, t),
    "sum": lambda x, t: torch.nn.functional.cross_entropy(x.sin(), t, reduction="sum"),
    "each": lambda x, t: torch.nn.functional.cross_entropy(x, t, reduction="none").square().sum(),
    "weighted": lambda x, t: torch.nn.functional.cross_entropy(x, t, weight=torch.arange(1.0, 6.0)),
    "smoothed": lambda x, t: torch.nn.functional.cross_entropy(x, t, label_smoothing=0.1),
    "smoothed, each": lambda x, t: torch.nn.functional.cross_entropy(
        x, t, reduction="none", label_smoothing=0.2, weight=torch.arange(1.0, 6.0)
    ).sum(),
    "smoothed and weighted": lambda x, t: torch.nn.functional.cross_entropy(
        x, t, label_smoothing=0.3, weight=torch.arange(1.0, 6.0)
    ),
    "of logarithms": lambda x, t: torch.nn.functional.nll_loss(x.exp(), t),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_classes(name: str) -> None:
    x = torch.tensor(np.random.default_rng(0).standard_normal((12, 5)).astype("f4"))
    loss_and_gradient = grad_and_value(LOSSES[name])
    compiled = torch.compile(loss_and_gradient)
    for classes in (np.arange(12) % 5, np.where(np.arange(12) == 3, -100, 1), np.full(12, 4)):
        t = torch.tensor(classes)
        for got, want in zip(compiled(x, t), loss_and_gradient(x, t), strict=True):
            np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)
    assert "call" not in compiled.loops(x, t)
    with pytest.raises(IndexError, match="out of bounds"):
        compiled(x, torch.tensor(np.arange(12) % 6))


def test_an_entry_that_does_not_count_may_be_anything() -> None:
    x = torch.zeros(3, 4)
    x[:, 1] = torch.tensor([float("nan"), float("inf"), -float("inf")])
    t = torch.tensor([0, 2, 3])
    for f in (torch.nn.functional.nll_loss, torch.func.grad(torch.nn.functional.nll_loss)):
        np.testing.assert_array_equal(torch.compile(f)(x, t), f(x, t))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [1, 50, 200])
def test_places_in_sorted_arrays(count: int, dtype: Any) -> None:
    random = np.random.default_rng(0)
    edges = torch.tensor(np.sort(random.standard_normal(count)), dtype=dtype)
    x = torch.tensor(random.standard_normal((20, 30)), dtype=dtype)
    x[0, :4] = torch.tensor([np.nan, np.inf, -np.inf, float(edges[count // 2])], dtype=dtype)
    ends = edges.clone()
    ends[-2:] = np.nan
    for given in (edges, ends):
        for right in (False, True):
            for small in (False, True):
                f = lambda e, x: torch.searchsorted(e, x, right=right, out_int32=small)  # noqa: B023
                got, want = torch.compile(f)(given, x), f(given, x)
                assert got.dtype == want.dtype
                np.testing.assert_array_equal(got.numpy(), want.numpy())


@pytest.mark.parametrize("shape", [(200, 40), (3, 2), (1, 1)])
def test_one_element_of_each_row(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    x, which = torch.tensor(random.standard_normal(shape)), torch.tensor(random.integers(0, shape[1], (shape[0], 1)))
    f = lambda x: torch.gather(torch.log_softmax(x, 1), 1, which).sum() + (x.gather(1, which) ** 2).sum()
    first, second = grad(f), grad(lambda x: (grad(f)(x) ** 2).sum())
    for g in (first, second):
        np.testing.assert_allclose(torch.compile(g)(x).numpy(), g(x).numpy(), rtol=1e-11, atol=1e-13)
