"""What random programs found in compiled functions: lowering at its edges, results, memory, modules, random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch

F = torch.nn.functional


def same(function: Callable[..., Any], *args: Any) -> None:
    """Compiled equals eager, twice."""
    compiled = torch.compile(function)
    for _ in range(2):
        wanted, found = function(*args), compiled(*args)
        several = isinstance(wanted, tuple)
        for x, y in zip(found if several else (found,), wanted if several else (wanted,), strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-5, atol=1e-6)


def random(*shape: int) -> Any:
    return torch.tensor(np.random.default_rng(sum(shape)).standard_normal(shape))


# --- lowering ---------------------------------------------------------------------------------------------------------


def test_a_single_joined_value_is_read_after_it_is_stored() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        few = c.sum(0)
        factor = few[0] + few[1]
        part = b * c.sum(1, keepdim=True).squeeze(1) + factor * a
        return factor * a.flip(0) + torch.cat([part], 0)

    same(f, random(4), random(4), random(1, 2))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: torch.cartesian_prod(x[:, 0], x[:, 0]),
        lambda x: torch.stack([(x[:, :1] * x[:, 0]).T.reshape(-1), (x[:, :1] + x[:, 0]).reshape(-1)], 1),
        lambda x: x.sin().reshape(2, 10, 6).sum(2).reshape(20)[:, None] + torch.stack([x[:, 1], x[:, 2]], 1),
        lambda x: torch.stack([x[:2, :3].sin().T.reshape(6)[4] + x[:, 0], x[:, 1]], 1),
        lambda x: (x.sin().transpose(0, 1).reshape(20, 6).sum(1), x.reshape(20, 2, 3)[:, 1, 0]),
    ],
)
def test_reshapes_beside_members(f: Any) -> None:
    same(f, random(20, 6)[:16] if "cartesian" in f.__code__.co_names else random(20, 6))
    same(f, random(20, 6))


@pytest.mark.parametrize("n", [1, 3, 40])
def test_constants_where_memory_or_a_mask_is_wanted(n: int) -> None:
    x = random(n, 3)
    same(lambda x: torch.full((n, 3), 7.0)[torch.tensor([0, 0])] * x[:1], x)
    same(lambda x: torch.block_diag(torch.full_like(x, 0.5), torch.full((1,), 0.5)[torch.tensor([0, 0])]), x)
    same(lambda x: torch.where(torch.ones(n, 3, dtype=torch.bool), x, x * 2), x)
    same(lambda x: torch.where(torch.full((n, 3), False), 1.0, x), x)
    same(lambda x: x.masked_fill(torch.tensor(True), 2.0), x)
    same(lambda x: F.scaled_dot_product_attention(x[:1], x[:1], x[:1], is_causal=True), x)


@pytest.mark.parametrize("shapes", [((3, 4), (3, 4)), ((2, 3, 4), (3, 4)), ((5, 1, 4), (3, 4)), ((1, 1, 4), (1, 1, 4))])
def test_sums_of_products_with_an_ellipsis(shapes: Any) -> None:
    same(lambda x, y: torch.einsum("...i,...i->...", x, y), *[random(*shape) for shape in shapes])


def test_powers_that_are_bools_have_gradients() -> None:
    x = random(3).requires_grad_()
    (g,) = torch.autograd.grad(torch.compile(lambda x: x**True)(x).sum(), x)
    assert torch.equal(g, torch.ones_like(x))


# --- what comes back --------------------------------------------------------------------------------------------------


def test_constants_that_are_returned_are_new_each_time() -> None:
    for tracked in (False, True):
        x = random(2).requires_grad_(tracked)
        f = torch.compile(lambda x: (x * 2, torch.ones(2), torch.arange(6).reshape(2, 3).t(), torch.tensor(3.0)))
        for _ in range(3):
            _, ones, moved, number = f(x)
            assert ones.tolist() == [1, 1]
            assert moved.tolist() == [[0, 3], [1, 4], [2, 5]]
            assert number.item() == 3
            for t in (ones, moved, number):
                t.mul_(5)


def test_a_tensor_that_is_returned_twice_is_one() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        return y, [y, x]

    x = random(3)
    a, (b, c) = torch.compile(f)(x)
    assert a is b
    assert c is x


def test_methods() -> None:
    class Scaled:
        def __init__(self, by: float) -> None:
            self.by = torch.tensor(by)

        @torch.compile
        def times(self, x: Any) -> Any:
            return x * self.by

    assert [Scaled(by).times(torch.ones(2)).tolist() for by in (2.0, 3.0)] == [[2, 2], [3, 3]]


def test_gradients_are_on_where_the_function_says_so() -> None:
    def f(x: Any) -> Any:
        with torch.enable_grad():
            return x * 3

    x = random(3).requires_grad_()
    with torch.no_grad():
        assert torch.compile(f)(x).requires_grad
    assert torch.compile(f)(x).requires_grad


def test_numbers_that_differ_in_the_sign_of_a_zero() -> None:
    f = torch.compile(lambda x, z: torch.angle(torch.full((2,), z)) + x)
    for z in (complex(-1, 0.0), complex(-1, -0.0), complex(-1, 0.0)):
        assert np.signbit(f(torch.zeros(2), z).numpy()).all() == np.signbit(z.imag)


# --- memory -----------------------------------------------------------------------------------------------------------


def test_tensors_from_outside_keep_their_memory_and_axes() -> None:
    w = random(2, 3)
    values = w.clone()

    def turned(x: Any) -> Any:
        w.t_()
        return x + w.sum()

    def replaced(x: Any) -> Any:
        w.data = x
        return x + 1

    for f in (turned, replaced, lambda x: x.squeeze_() + 1, lambda x: x.resize_(2)):
        x = random(1, 3)
        with pytest.raises(RuntimeError, match="other memory or another shape"):
            torch.compile(f)(x)
        assert x.shape == (1, 3)
        assert torch.equal(w, values)
    with pytest.warns(UserWarning, match="runs eagerly"):
        assert torch.compile(lambda x: x.squeeze_() + 1, fallback=True)(random(1, 3)).shape == (3,)


@pytest.mark.filterwarnings("ignore:Casting complex values")
def test_complex_numbers_written_into_real_memory() -> None:
    def f(x: Any, z: Any) -> Any:
        x = x * 1
        x[1:] = z[0].real
        x[:1] = z
        return x

    same(f, random(3), torch.tensor([1 + 2j], dtype=torch.complex128))


def test_windows_that_do_not_overlap_are_written() -> None:
    def f(x: Any) -> Any:
        y = x * 1
        y.unfold(0, 2, 2).mul_(3)
        y.unfold(0, 5, 1)[:, 1:] = 7
        return y

    same(f, random(5))
    with pytest.raises(RuntimeError, match="single memory location"):
        torch.compile(lambda x: (x * 1).unfold(0, 2, 1).mul_(3))(random(5))


def chosen(x: Any, s: Any) -> Any:
    y = torch.where(s > 0, x, x * x)
    s.mul_(-1)
    return (y * y).sum()


def cubed(x: Any, s: Any) -> Any:
    s.add_(1)
    return (x * x * x).sum()


@pytest.mark.parametrize("f", [chosen, cubed])
def test_gradients_beside_writes_to_arguments(f: Any) -> None:
    found = []
    for function in (f, torch.compile(f)):
        x, s = torch.tensor([1.5, 2.5], requires_grad=True), torch.tensor([1.0, -1.0])
        y = function(x, s)
        (g,) = torch.autograd.grad(y, x, retain_graph=True)
        (again,) = torch.autograd.grad(y, x, create_graph=True)
        (h,) = torch.autograd.grad(again.sum(), x)
        found.append([g.tolist(), again.tolist(), h.tolist(), s.tolist()])
    assert found[0] == found[1]


# --- modules ----------------------------------------------------------------------------------------------------------


def network() -> Any:
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.ReLU(), nn.Linear(4, 2))


@pytest.mark.parametrize("wrapped", [True, False])
def test_modes_and_members_of_modules(wrapped: bool) -> None:
    a, b = network(), network()
    f = torch.compile(a) if wrapped else torch.compile(lambda x: a(x))

    def halve(m: Any) -> None:
        m[2].p = 0.25

    def replace(m: Any) -> None:
        torch.manual_seed(9)
        m[4] = torch.nn.Linear(4, 3)

    changes: list[Callable[[Any], Any]] = [lambda m: m, lambda m: m.eval(), lambda m: m.train(), halve, replace]
    changes += [lambda m: m.double(), lambda m: m.float(), lambda m: m.eval()]
    for seed, change in enumerate(changes):
        change(a), change(b)
        x = random(5, 3).to(a[0].weight.dtype)
        for _ in range(2):
            torch.manual_seed(seed)
            found = f(x)
            torch.manual_seed(seed)
            wanted = b(x)
            np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-4, atol=1e-5)
        for p, q in zip(a.buffers(), b.buffers(), strict=True):
            np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-4)
    if not wrapped:
        assert len([plan for plans in f._plans.values() for plan in plans]) <= len(changes)


def test_what_a_module_counts_itself_makes_no_new_traces() -> None:
    class Counting(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return x * 2

    module = Counting()
    f = torch.compile(module)
    for _ in range(3):
        f(torch.ones(2))
        module(torch.ones(2))
    assert module.calls == 4  # traced once


# --- random numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: torch.rand_like(x.t()),
        lambda x: torch.randn_like(x.t()),
        lambda x: F.dropout(x.t(), 0.5),
        lambda x: torch.bernoulli((x * 0 + 0.5).t()),
        lambda x: torch.randint_like(x.permute(1, 0), 0, 100),
        lambda x: (x * 1).t().normal_(),
        lambda x: torch.rand_like(x[:, ::2]),
    ],
)
def test_random_numbers_follow_memory(f: Any) -> None:
    x = random(30, 40)
    torch.manual_seed(1)
    wanted = f(x)
    torch.manual_seed(1)
    assert torch.equal(torch.compile(f)(x), wanted)
