"""Calling machine code: what is taken and given, what goes the slow way, references, threads, forks."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")
import wengert
from kernels import pointwise
from wengert.compile.nest import Acc, Buffer, Compute, Expr, Kernel, Load, Loop, Role, Store, at
from wengert.compile.runtime import layout
from wengert.compile.runtime.build import build
from wengert.compile.runtime.entry import Box
from wengert.compile.runtime.support import support


def scalar_sum(dtype: str = "f8", **options: Any) -> Any:
    """The kernel a + b of values without axes."""
    body = (Load("x", "a", ()), Load("y", "b", ()), Compute("z", "add", ("x", "y"), dtype), Store("r", (), "z"))
    buffers = (Buffer("a", dtype, (), Role.IN), Buffer("b", dtype, (), Role.IN), Buffer("r", dtype, (), Role.OUT))
    return build(Kernel("scalar_sum", buffers, body), **options)


def big_sum() -> Kernel:
    """sum(exp(x)) and exp(x), in a loop that threads share."""
    body = (Load("a", "x", (at("i"),)), Compute("e", "exp", ("a",), "f4"), Store("y", (at("i"),), "e"))
    loop = Loop("i", "n", body, accs=(Acc("s", "sum", "e"),), parallel=True)
    buffers = (Buffer("x", "f4", ("n",), Role.IN), Buffer("y", "f4", ("n",), Role.OUT), Buffer("t", "f4", (), Role.OUT))
    return Kernel("big_sum", buffers, (loop, Store("t", (), "s")))


fast = pytest.mark.skipif(layout.array_api() is None, reason="this Python calls kernels the slow way only")


@fast
class TestFastEntry:
    def test_it_is_a_builtin(self) -> None:
        assert type(pointwise("exp", "f4").call) is type(len)

    def test_the_slow_way_is_not_taken_for_what_fits(self) -> None:
        def slow(*args: Any) -> Any:
            raise AssertionError("the slow way")

        call = scalar_sum(slow=slow).call
        for a in (np.array(1.5), np.float64(1.5), 1.5):
            assert call(a, np.array(2.0)) == 3.5
        single = scalar_sum("f4", slow=slow).call
        assert single(np.float32(1.5), np.array(2.0, np.float32)) == np.float32(3.5)

    def test_everything_else_goes_the_slow_way_with_the_same_arguments(self) -> None:
        seen: list[Any] = []

        def slow(*args: Any) -> str:
            seen.append(args)
            return "slow"

        body = (Load("a", "x", (at("i"),)), Load("b", "w", (at("i"),)), Compute("c", "add", ("a", "b"), "f4"))
        buffers = (
            Buffer("x", "f4", ("n",), Role.IN),
            Buffer("w", "f4", ("n",), Role.IN),
            Buffer("y", "f4", ("n",), Role.OUT),
        )
        kernel = Kernel("k", buffers, (Loop("i", "n", (*body, Store("y", (at("i"),), "c"))),))
        call = build(kernel, slow=slow).call
        x = np.zeros(4, np.float32)
        unaligned = np.frombuffer(b"\0" * 17, np.float32, 4, offset=1)
        swapped = np.zeros(4, np.dtype(np.float32).newbyteorder())
        others = (
            (x,),
            (x, x, x),
            (),
            (x, np.zeros(4)),
            (x, np.zeros(5, np.float32)),
            (x, np.zeros((4, 1), np.float32)),
            (x, np.zeros(8, np.float32)[::2]),
            (x, unaligned),
            (x, swapped),
            (x, [0.0] * 4),
            (x, None),
            (x, 1.0),
            (x, np.float32(1)),
            (x, wengert.zeros(4)),
            (np.ma.array(x), x),
        )
        for args in others:
            assert call(*args) == "slow", args
            assert all(a is b for a, b in zip(seen.pop(), args, strict=True))
        assert call(x, x).shape == (4,)
        assert not seen

    def test_an_exception_of_the_slow_way_passes_through(self) -> None:
        def slow(*args: Any) -> Any:
            raise LookupError("no")

        with pytest.raises(LookupError, match="no"):
            scalar_sum(slow=slow).call("a", "b")

    def test_written_arguments_must_be_writeable(self) -> None:
        body = (Load("a", "x", (at("i"),)), Compute("b", "add", ("a", 1.0), "f8"), Store("x", (at("i"),), "b"))
        kernel = build(Kernel("k", (Buffer("x", "f8", ("n",), Role.INOUT),), (Loop("i", "n", body),)))
        x = np.zeros(5)
        assert kernel.call(x) is None
        assert x.sum() == 5
        strided = np.zeros(10)
        assert kernel.call(strided[::2]) is None
        assert strided.tolist() == [1, 0] * 5
        x.flags.writeable = False
        with pytest.raises(ValueError, match="written to, but it is read-only"):
            kernel.call(x[::-1])
        assert x.sum() == 5

    def test_sizes_of_results_are_worked_out(self) -> None:
        twice = Expr("*", ("n", 2))
        body = (Store("y", (at("i"), at()), 1.0), Store("y", (at("i"), at(None, offset=1)), 2.0))
        buffers = (Buffer("x", "f8", ("n",), Role.IN), Buffer("y", "f8", (twice, 2), Role.OUT))
        call = build(Kernel("k", buffers, (Loop("i", twice, body),))).call
        for n in (0, 1, 30):
            got = call(np.zeros(n))
            assert got.shape == (2 * n, 2)
            assert got.sum() == 6 * n

    def test_no_reference_is_lost_or_kept(self) -> None:
        kernel = build(big_sum())
        x = np.ones(10, np.float32)
        y, _ = kernel.call(x)
        assert sys.getrefcount(y) == 2
        before = sys.getrefcount(x), sys.getrefcount(np.dtype("f4")), sys.getrefcount(np.ndarray)
        for _ in range(1000):
            kernel.call(x)
        assert abs(sys.getrefcount(np.dtype("f4")) - before[1]) < 10
        assert abs(sys.getrefcount(np.ndarray) - before[2]) < 10
        assert sys.getrefcount(x) == before[0]

    def test_the_function_owns_all_it_needs(self) -> None:
        data = np.arange(5.0)
        body = (Load("a", "x", (at("i"),)), Load("b", "c", (at("i"),)), Compute("d", "add", ("a", "b"), "f8"))
        buffers = (
            Buffer("x", "f8", (5,), Role.IN),
            Buffer("c", "f8", (5,), Role.CONST, data=data),
            Buffer("y", "f8", (5,), Role.OUT),
        )
        call = build(Kernel("k", buffers, (Loop("i", 5, (*body, Store("y", (at("i"),), "d"))),))).call
        del data
        gc.collect()
        for _ in range(50):
            np.testing.assert_array_equal(call(np.ones(5)), np.arange(5.0) + 1)

    def test_a_kernel_goes_when_nobody_has_it(self) -> None:
        kernel = scalar_sum()
        gone = weakref.ref(kernel)
        del kernel
        gc.collect()
        assert gone() is None

    def test_probes_of_the_layout_notice_a_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert layout._fields_are_right()
        for name in ("DATA", "NDIM", "DIMS", "STRIDES", "DESCR", "FLAGS", "SCALAR"):
            with monkeypatch.context() as patch:
                patch.setattr(layout, name, getattr(layout, name) + 8 if name != "SCALAR" else layout.SCALAR - 8)
                assert not layout._fields_are_right(), name


@fast
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="large results have NumPy's own memory here")
class TestLargeResults:
    """Memory of large results is used again."""

    N = 1_000_000

    @staticmethod
    def kept() -> int:
        return ctypes.c_int64.from_address(support().addresses["wengert_kept"]).value

    def test_memory_is_kept_and_used_again(self) -> None:
        call = build(big_sum()).call
        support().release_memory()
        assert self.kept() == 0
        x = np.ones(self.N, np.float32)
        y, _ = call(x)
        place = y.ctypes.data
        assert y.flags.owndata
        assert place % 64 == 0
        before = self.kept()
        del y
        assert self.kept() == before + 4 * self.N
        y, _ = call(x)
        assert y.ctypes.data == place
        assert self.kept() == before

    def test_two_results_are_never_in_the_same_memory(self) -> None:
        call = build(big_sum()).call
        inputs = [np.full(self.N + k, k, np.float32) for k in range(12)]
        results = [call(x)[0] for x in inputs]
        for k, y in enumerate(results):
            assert (y == y[0]).all()
            assert y[0] == pytest.approx(np.exp(k))
        del results, y
        assert self.kept() <= 256 << 20

    def test_other_arrays_are_not_touched(self) -> None:
        build(big_sum()).call(np.ones(self.N, np.float32))
        assert np._core.multiarray.get_handler_name() == "default_allocator"

    def test_such_an_array_can_be_resized_and_freed_in_another_thread(self) -> None:
        call = build(big_sum()).call
        y, _ = call(np.zeros(self.N, np.float32))
        y.resize(2 * self.N, refcheck=False)
        assert y[: self.N].sum() == self.N
        assert y[self.N :].sum() == 0
        y.resize(10, refcheck=False)
        assert y.sum() == 10
        box = [call(np.zeros(self.N, np.float32))[0]]
        thread = threading.Thread(target=box.clear)
        thread.start()
        thread.join()
        assert call(np.zeros(self.N, np.float32))[1] == self.N


class Held:
    """A stand-in for a tensor."""

    __slots__ = ("mark", "note", "value")

    def __init__(self, value: Any, mark: Any = None) -> None:
        self.value, self.mark, self.note = value, mark, "fresh"


class TestBoxes:
    @pytest.fixture(params=["fast", "slow"])
    def call(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
        box = Box(Held(np.float64(0)), "value", plain=("mark",), others=("note",))
        kernel = scalar_sum(box=box)
        return kernel.call if request.param == "fast" else kernel.checked

    def test_they_are_taken_and_given(self, call: Any) -> None:
        for a, b in ((Held(np.float64(1)), Held(np.array(2.0))), (Held(np.float64(1)), np.float64(2)), (1.0, 2.0)):
            got = call(a, b)
            assert type(got) is Held
            assert (got.value, got.mark, got.note) == (3.0, None, "fresh")

    @fast
    def test_those_that_are_not_plain_go_the_slow_way(self) -> None:
        box = Box(Held(np.float64(0)), "value", plain=("mark",), others=("note",))
        call = scalar_sum(box=box, slow=lambda *args: "slow").call
        assert call(Held(np.float64(1)), Held(np.float64(1))).value == 2
        assert call(Held(np.float64(1)), Held(np.float64(1), mark="tracked")) == "slow"

        class Other(Held):
            __slots__ = ()

        assert call(Other(np.float64(1)), Held(np.float64(1))) == "slow"
        empty = Held(np.float64(1))
        del empty.value
        assert call(empty, Held(np.float64(1))) == "slow"

    @fast
    def test_tensors(self) -> None:
        template = wengert.tensor(0.0, dtype=wengert.float64).detach().clone()
        box = Box(template, "_data", plain=("_node", "_rg"), others=("_cell", "_view"))
        call = scalar_sum(box=box, slow=lambda *args: "slow").call
        a, b = wengert.tensor(1.0, dtype=wengert.float64), wengert.tensor(2.0, dtype=wengert.float64)
        for _ in range(1000):
            got = call(a, b)
        assert got.item() == 3
        got.requires_grad_()
        (got * got).backward()
        assert got.grad.item() == 6
        got.anything = 1
        assert call(got, b) == "slow"
        alive = weakref.ref(got)
        del got
        gc.collect()
        assert alive() is None


class TestThreads:
    @pytest.fixture(autouse=True)
    def _two_threads(self) -> Iterator[None]:
        before = wengert.get_num_threads()
        wengert.set_num_threads(2)
        yield
        wengert.set_num_threads(before)

    def test_results_do_not_depend_on_the_number_of_threads(self) -> None:
        call = build(big_sum()).call
        for n in (10, 10_000, 1_000_003):
            x = np.random.default_rng(n).normal(size=n).astype(np.float32)
            results = []
            for threads in (1, 2, 3, 5):
                wengert.set_num_threads(threads)
                results.append(call(x))
            for y, total in results[1:]:
                np.testing.assert_array_equal(y, results[0][0])
                assert total == results[0][1]

    def test_long_loops_are_posted(self) -> None:
        call = build(big_sum()).call
        pool = support()
        assert pool.words[1] == (2 if pool.can_sleep else 1)
        assert pool.started >= (1 if pool.can_sleep else 0)
        x = np.ones(1_000_000, np.float32)
        jobs = pool.jobs
        for _ in range(20):
            pool.expect_help()
            call(x)
        assert pool.jobs - jobs == (20 if pool.can_sleep else 0)
        assert pool.words[0] == 0

    def test_the_number_may_change_at_any_time(self) -> None:
        """A kernel built for one thread uses those that are allowed later."""
        script = """
import numpy as np, sys
sys.path.insert(0, sys.argv[1])
import wengert
from test_compile_calls import big_sum, build, support
wengert.set_num_threads(1)
call = build(big_sum()).call
x = np.ones(1_000_000, np.float32)
call(x)
assert support().jobs == support().started == 0
wengert.set_num_threads(3)
call(x)
assert support().jobs == (1 if support().can_sleep else 0)
assert support().started == (2 if support().can_sleep else 0)
wengert.set_num_threads(1)
call(x)
assert support().jobs <= 1
"""
        here = os.path.dirname(__file__)
        done = subprocess.run(
            [sys.executable, "-c", script, here], capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_calls_from_many_threads_at_once(self) -> None:
        call = build(big_sum()).call
        inputs = [np.random.default_rng(k).normal(size=1_000_000).astype(np.float32) for k in range(4)]
        want = [call(x) for x in inputs]
        wrong: list[int] = []

        def work(k: int) -> None:
            for _ in range(30):
                y, total = call(inputs[k])
                if total != want[k][1] or not np.array_equal(y, want[k][0]):
                    wrong.append(k)

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_after_a_fork(self) -> None:
        """Children of a process whose workers are busy compute the same, and can start workers of their own."""
        script = """
import os, sys, threading, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import numpy as np
import wengert
from test_compile_calls import big_sum, build
wengert.set_num_threads(3)
call = build(big_sum()).call
x = np.ones(1_000_000, np.float32)
want = call(x)
stop = threading.Event()
def busy():
    while not stop.is_set():
        call(x)
thread = threading.Thread(target=busy)
thread.start()
codes = []
for _ in range(15):
    pid = os.fork()
    if pid == 0:
        right = all(np.array_equal(call(x)[0], want[0]) and call(x)[1] == want[1] for _ in range(3))
        again = build(big_sum()).call
        os._exit(0 if right and again(x)[1] == want[1] else 1)
    codes.append(os.waitpid(pid, 0)[1])
stop.set()
thread.join()
print(codes)
"""
        here = os.path.dirname(__file__)
        done = subprocess.run(
            [sys.executable, "-c", script, here], capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stdout.strip()) == (0, str([0] * 15)), done.stderr

    def test_the_interpreter_ends_with_workers_waiting(self) -> None:
        script = (
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            "import numpy as np\n"
            "from test_compile_calls import big_sum, build\n"
            "print(build(big_sum()).call(np.zeros(1_000_000, np.float32))[1])\n"
        )
        here = os.path.dirname(__file__)
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", script, here], capture_output=True, text=True, timeout=120, check=False
            )
            assert (done.returncode, done.stdout, done.stderr) == (0, "1e+06\n", "")


def test_nothing_is_loaded_before_a_kernel_is_built() -> None:
    script = (
        "import sys, wengert\n"
        "from wengert.compile.runtime.build import available\n"
        "assert available()\n"
        "assert not [name for name in sys.modules if name.startswith('llvmlite')]\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
