"""Tensors from outside that a compiled function writes to: by a kernel in their own memory where that is right."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch

pytest.importorskip("llvmlite")


def random(seed: int, *shape: int) -> Any:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def keeps_the_old(p: Any, x: Any) -> Any:
    old = p.clone()
    p.sub_(x)
    return old


def reads_it_turned(p: Any, x: Any) -> Any:
    y = p.t() * 2
    p.add_(y)
    return y


def multiplies_by_the_old(p: Any, x: Any) -> Any:
    y = p @ x
    p.mul_(y.sigmoid())  # the exponential would grow beyond all digits
    return y.sum()


def gives_a_view_of_the_old(p: Any, x: Any) -> Any:
    z = (x + 1) @ p
    p.copy_(z)
    return z


def twice(p: Any, x: Any) -> Any:
    p.mul_(2)
    p.add_(p.sum(0))
    p.clamp_(min=-1)
    return p * x


def becomes_a_product(p: Any, x: Any) -> Any:
    p.copy_(x @ x)
    return p.sum(1)


def shifts_itself(p: Any, x: Any) -> Any:
    p[1:].copy_(p[:-1] * x[1:])
    return p[0]


FUNCTIONS = (
    keeps_the_old,
    reads_it_turned,
    multiplies_by_the_old,
    gives_a_view_of_the_old,
    twice,
    becomes_a_product,
    shifts_itself,
)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("captured", [True, False])
def test_as_eager(function: Callable[..., Any], captured: bool) -> None:
    p, q, x = random(0, 20, 20), random(0, 20, 20), random(1, 20, 20)
    memory = p.numpy()
    compiled = torch.compile(lambda x: function(p, x)) if captured else torch.compile(function)
    for _ in range(3):
        got = compiled(x) if captured else compiled(p, x)
        want = function(q, x)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(p, q, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(memory, p)  # what shares its memory sees it


def sgd(p: Any, x: Any) -> None:
    p.sub_(x * 0.1)


def test_a_plain_update_is_written_by_the_kernel() -> None:
    p, x = random(0, 30, 40), random(1, 30, 40)
    compiled = torch.compile(sgd)
    assert "inout" in compiled.loops(p, x)
    compiled(p, x)
    before, version = p.clone(), p._version
    assert "inout" in compiled.loops(p, x)  # and looking at it changes nothing
    compiled.explain(p, x)
    assert torch.equal(p, before)
    compiled(p, x)
    assert torch.equal(p, before - x * 0.1)
    assert p._version == version + 1


def test_memory_in_another_order() -> None:
    p, x = random(0, 30, 40).t(), random(1, 40, 30)
    want = p - x * 0.1
    torch.compile(sgd)(p, x)
    assert torch.equal(p, want)


def test_memory_that_may_not_be_written_to() -> None:
    array = np.zeros((20, 20))
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="writ"):
        p = torch.from_numpy(array)
    with pytest.raises(RuntimeError, match="read-only"):
        torch.compile(sgd)(p, torch.ones(20, 20, dtype=torch.float64))
    assert not array.any()


def test_an_index_out_of_bounds_leaves_everything_as_it_was() -> None:
    p = random(0, 20, 5)

    def step(p: Any, t: Any) -> Any:
        loss, g = torch.func.grad_and_value(torch.nn.functional.cross_entropy)(p, t)[::-1]
        p.sub_(g)
        return loss

    compiled = torch.compile(step)
    compiled(p, torch.tensor(np.arange(20) % 5))
    before = p.clone()
    with pytest.raises(IndexError):
        compiled(p, torch.tensor(np.arange(20) % 6))
    assert torch.equal(p, before)


def test_memory_that_two_arguments_share_is_refused() -> None:
    p = random(0, 20, 20)
    with pytest.raises(RuntimeError):
        torch.compile(sgd)(p, p.view(20, 20))


def test_out() -> None:
    """What is computed goes into the tensor, which may be a view, made inside, or of a wider dtype."""

    def f(p: Any, x: Any) -> Any:
        torch.add(p, x, out=p)
        torch.exp(p[0] * 0.01, out=p[1])
        wide = torch.empty(3, 4, dtype=torch.float64)
        torch.mul(x.float(), 2, out=wide)
        values, places = torch.empty(3, dtype=p.dtype), torch.empty(3, dtype=torch.int64)
        torch.max(p, 1, out=(values, places))
        return wide, torch.sum(wide, 0, out=torch.empty(4, dtype=torch.float64)), values, places

    compiled = torch.compile(f)
    p, q = random(0, 3, 4), random(0, 3, 4)
    for seed in range(3):
        for got, want in zip(compiled(p, random(seed, 3, 4)), f(q, random(seed, 3, 4)), strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=1e-12)
        np.testing.assert_allclose(p, q, rtol=1e-12)


@pytest.mark.parametrize(
    "aside",
    [
        lambda x: x.t().reshape(-1),
        lambda x: x.t().contiguous(),
        lambda x: x.expand(2, *x.shape).reshape(-1),
        lambda x: x.t().flatten(),
        lambda x: x.t()[1:].reshape(-1),
        lambda x: x[:, 1:].contiguous() if not x[:, 1:].is_contiguous() else x,
    ],
)
def test_what_is_a_copy_of_moved_elements_is_written_alone(aside: Any) -> None:
    def f(x: Any) -> tuple[Any, Any]:
        base = x.sin()
        copy = aside(base)
        copy.mul_(2)
        return base, copy

    x = torch.arange(6.0).reshape(2, 3)
    for ours, eager in zip(torch.compile(f)(x), f(x), strict=True):
        np.testing.assert_allclose(ours.numpy(), eager.numpy())


def test_a_view_that_cannot_be_is_none_in_a_trace_either() -> None:
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        torch.compile(lambda x: x.t().view(-1))(torch.zeros(2, 3))
