"""The pool of threads behind kernels: shares, who takes which, when a job is posted; products cut for threads."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert as torch

pytest.importorskip("llvmlite")

from wengert.compile.runtime import support_code
from wengert.compile.runtime.support import support

_SHARE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_SHARE_OUT = ctypes.CFUNCTYPE(None, _SHARE, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_LONG = 1 << 40  # work that is worth waking workers for, whatever happened before
_SHORT = 1 << 22  # ... only if somebody helped the last time

workers = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="this system has no workers")


@pytest.fixture(autouse=True)
def _number() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    support().expect_help()


def use(threads: int) -> None:
    torch.set_num_threads(threads)
    support().use_threads()


def share_out(piece: Callable[[int, int, int], None], n: int, size: int, work: int = _LONG) -> None:
    """Call ``piece(low, high, number)`` for each share of ``range(n)``."""
    call = _SHARE_OUT(support().addresses["wengert_share_out"])
    call(_SHARE(lambda _, low, high, number: piece(low, high, number)), None, n, size, work)


@pytest.mark.parametrize("threads", [1, 2, 3, 20])
def test_each_share_is_done_once(threads: int) -> None:
    use(threads)
    for n, size in ((0, 1), (1, 1), (2, 1), (3, 2), (7, 1), (64, 1), (100, 3), (1000, 17)):
        for _ in range(10):
            found: list[tuple[int, int, int]] = []
            share_out(lambda *share, found=found: found.append(share), n, size)
            want = [(low, min(low + size, n), i) for i, low in enumerate(range(0, n, size))]
            assert sorted(found) == want


def who_took(threads: int, shares: int) -> list[list[int]]:
    """The shares that each thread took, the caller first; none goes on before all threads have one."""
    took: dict[int, list[int]] = {threading.get_ident(): []}
    all_here = threading.Barrier(threads)

    def piece(_: int, __: int, number: int) -> None:
        own = took.setdefault(threading.get_ident(), [])
        own.append(number)
        if len(own) == 1:
            all_here.wait(timeout=60)

    share_out(piece, shares, 1)
    return list(took.values())


@workers
@pytest.mark.parametrize("threads", [2, 3])
def test_each_thread_begins_with_its_own_part(threads: int) -> None:
    """The same each time, so that what it wrote is in its cache."""
    use(threads)
    for _ in range(5):
        took = who_took(threads, 4 * threads)
        assert sorted([shares[0] for shares in took]) == [4 * i for i in range(threads)]
        assert took[0][0] == 0
        assert sorted([share for shares in took for share in shares]) == list(range(4 * threads))


@workers
def test_fewer_and_more_threads() -> None:
    """Those that may work are the ones that are woken."""
    for threads in (4, 2, 3, 1, 2, 4):
        use(threads)
        for _ in range(3):
            took = who_took(threads, 3 * threads)
            assert len(took) == threads
            assert sum(map(len, took)) == 3 * threads


@workers
def test_jobs_that_nobody_helps_with_become_rare() -> None:
    pool = support()
    use(2)
    calls = 0

    def one(_: int, __: int, ___: int) -> None:
        nonlocal calls
        calls += 1

    pool.words[support_code.FAILURES] = 6
    pool.words[support_code.SKIPPED] = 0
    jobs, posted = pool.jobs, []
    for _ in range(65):
        if pool.jobs == jobs:  # what comes of the first that is posted is another matter
            share_out(one, 2, 1, _SHORT)
            posted.append(pool.jobs > jobs)
    assert not posted[0]
    assert posted[-1]
    assert calls == 2 * len(posted)
    pool.expect_help()
    jobs = pool.jobs
    share_out(one, 2, 1, _SHORT)
    assert pool.jobs == jobs + 1


@workers
def test_short_work_wakes_nobody() -> None:
    pool = support()
    use(2)
    jobs, found = pool.jobs, []
    for _ in range(100):
        share_out(lambda _, __, number: found.append(number), 2, 1, 1000)
    assert pool.jobs == jobs
    assert found == [0, 1] * 100


@workers
def test_help_is_noticed() -> None:
    pool = support()
    use(2)
    pool.words[support_code.FAILURES] = 4
    who_took(2, 4)
    assert pool.words[support_code.FAILURES] == 2


@workers
def test_help_that_is_waited_for_is_none() -> None:
    """A worker that takes a share and then much longer than the caller for all of the work."""
    pool = support()
    use(2)
    pool.expect_help()
    caller, taken = threading.get_ident(), threading.Event()

    def piece(_: int, __: int, ___: int) -> None:
        if threading.get_ident() == caller:
            taken.wait(timeout=60)
        else:
            taken.set()
            time.sleep(0.3)

    share_out(piece, 2, 1, _SHORT)
    assert pool.words[support_code.FAILURES] == 1


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    "sizes",
    [(1, 1000, 2000), (32, 784, 256), (784, 32, 256), (784, 256, 10), (10, 5000, 31), (129, 97, 201), (300, 200, 100)],
)
def test_products_have_the_same_bits_with_any_number_of_threads(sizes: tuple[int, int, int], dtype: str) -> None:
    m, k, n = sizes
    random = np.random.default_rng(m + k + n)

    def normal(*shape: int) -> Any:
        return torch.tensor(random.standard_normal(shape).astype(dtype))

    plain, turned = (normal(m, k), normal(k, n)), (normal(k, m), normal(n, k))
    matrix = normal(m, n)

    def update(c: Any, a: Any, b: Any) -> None:
        c -= 0.5 * (a @ b)

    product, of_turned, updating = (
        torch.compile(lambda a, b: a @ b),
        torch.compile(lambda a, b: a.T @ b.T),
        torch.compile(update),
    )
    found = []
    for threads in (1, 2, 3, 5):
        use(threads)
        for _ in range(3):
            support().expect_help()
            c = matrix.clone()
            updating(c, *plain)
            found.append((product(*plain).numpy(), of_turned(*turned).numpy(), c.numpy()))
    a, b = (x.numpy().astype("f8") for x in plain)
    np.testing.assert_allclose(found[0][0], a @ b, rtol=0, atol=(1e-4 if dtype == "f4" else 1e-12) * k**0.5)
    for several in found[1:]:
        for got, want in zip(several, found[0], strict=True):
            np.testing.assert_array_equal(got, want)
