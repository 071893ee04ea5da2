"""NumPy's floating-point warnings: none from our computations, and the user's setting is never touched."""

import asyncio
import contextvars
import threading

import numpy as np
import pytest

import wengert
from wengert import _fpenv


def _overflow() -> float:
    x = wengert.tensor([1e38, 1.0], requires_grad=True)
    y = wengert.tensor(1e38, requires_grad=True)
    loss = (x * y).sum() + (y * 1e38).exp() + wengert.where(x > 0, x, y).max(0).values / 0
    loss.backward()
    return loss.item()


def test_silent_under_any_setting_of_the_user() -> None:
    for setting in ("warn", "raise", "print"):
        with np.errstate(all=setting):
            before = np.geterr()
            assert _overflow() == np.inf
            assert np.geterr() == before
            with pytest.raises(FloatingPointError) if setting == "raise" else np.errstate(all="ignore"):
                np.float32(1) / np.float32(0)


def test_code_of_the_user_keeps_its_setting_during_backward() -> None:
    seen = []
    x = wengert.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: seen.append(np.geterr()["over"]) or None)
    y.sum().backward()
    assert len(seen) == 1


def test_the_context_of_the_caller_is_left_alone() -> None:
    name = contextvars.ContextVar("name")
    name.set("before")
    x = wengert.tensor(2.0, requires_grad=True)
    seen = []

    class Square(wengert.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            seen.append(name.get(None))
            name.set("forward")
            return x * x

        @staticmethod
        def backward(ctx, g):
            seen.append(name.get(None))
            name.set("backward")
            return g

    y = Square.apply(x * 1) * 1
    y.register_hook(lambda g: seen.append(name.get(None)))
    y.backward()
    assert seen == ["before", "forward", "forward"]
    assert name.get() == "backward"


def test_threads_that_share_a_context() -> None:
    """`asyncio.to_thread` gives each thread a copy of the caller's context, and with it our runner."""
    wengert.ones(2) * 2
    barrier = threading.Barrier(4)

    def work(seed: int) -> float:
        x = wengert.full((300_000,), 1.0 + seed, requires_grad=True)
        barrier.wait()
        for _ in range(5):
            loss = ((x * 2).exp() * 1e30 * 1e30).sum() + (x * x).sum()
        loss.backward()
        return loss.item() == np.inf and x.grad is not None

    async def main() -> list[bool]:
        return await asyncio.gather(*[asyncio.to_thread(work, k) for k in range(4)])

    with np.errstate(all="raise"):
        assert asyncio.run(main()) == [True] * 4


def test_a_call_inside_of_a_call() -> None:
    """As a finaliser makes one that runs in the middle of an operation."""
    x = wengert.tensor(3.0, requires_grad=True)

    def inner(a: float) -> float:
        y = (x * a).exp() + x.sum()
        y.backward()
        return y.item()

    assert _fpenv.run_silently(inner, 0.0) == 4.0
    assert _fpenv.silent_runner()(inner, 0.0) == 4.0
    assert x.grad.item() == 2.0


def test_errors_of_the_function_come_through() -> None:
    def fail() -> None:
        raise RuntimeError("of its own")

    with pytest.raises(RuntimeError, match="of its own"):
        _fpenv.run_silently(fail)


def test_wide_rows_are_not_copied() -> None:
    """What is broadcast or a part of an array gives the same by rows, and NumPy's settings are as they were."""
    before = np.getbufsize(), np.geterr()
    rows = np.arange(3 * 300.0).reshape(3, 300)
    assert _fpenv.has_wide_rows([2.0, rows])
    assert not _fpenv.has_wide_rows([rows[:, :200], rows[0], 2.0])
    within = _fpenv.run_by_rows(np.getbufsize)
    assert within < before[0]
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(_fpenv.run_by_rows(np.divide, rows, np.zeros((3, 1)))[1:], np.inf)
    with pytest.raises(ValueError, match="broadcast"):
        _fpenv.run_by_rows(np.add, rows, rows[:, 1:])
    assert (np.getbufsize(), np.geterr()) == before


@pytest.mark.parametrize("dtype", [wengert.float32, wengert.float64])
def test_broadcast_and_partial_operands_of_wide_rows(dtype: wengert.dtype) -> None:
    random = np.random.default_rng(0)
    x, wide = (wengert.tensor(random.standard_normal((5, n)), dtype=dtype) for n in (700, 703))
    row, column = x[0], x[:, :1]
    for y in (row, column, wide[:, 2:702], wide[:, 3:]):
        for result, numpys in ((x + y, np.add), (x * y, np.multiply), (wengert.atan2(x, y), np.arctan2)):
            ours, theirs = result.numpy(), numpys(x.numpy(), y.numpy())
            np.testing.assert_array_max_ulp(ours, theirs, 2)
