"""Calls of compiled functions that run as machine code alone: what they look at, and that nothing is lost in them."""

from __future__ import annotations

import copy
import ctypes
import gc
import pickle
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("llvmlite")
import wengert as torch
from wengert import _tree
from wengert.compile.runtime import layout
from wengert.engine.state import IN_INFERENCE, IS_WATCHED, WATCHED

pytestmark = pytest.mark.skipif(layout.array_api() is None, reason="this Python calls kernels the slow way only")


def is_fast(function: Any, *args: Any) -> bool:
    """Whether a call of these arguments runs no Python code at all."""
    ran: list[Any] = []
    sys.setprofile(lambda frame, event, _: ran.append(frame.f_code.co_name) if event == "call" else None)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return not ran


def value_and_gradients(x: Any, w: Any, b: Any) -> Any:
    y = torch.func.grad_and_value(lambda x, w, b: torch.sigmoid(w * x + b).log(), (0, 1, 2))
    return y(x, w, b)


def scalars() -> list[Any]:
    return [torch.tensor(v) for v in (0.5, -2.0, 0.25)]


class TestWhatIsGiven:
    def test_nested_tuples_are_made_by_the_machine(self) -> None:
        f = torch.compile(lambda a, b: ((a + b, (a * b,)), a - b, ((), (b - a, a * 2))))
        a, b = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0])
        for _ in range(3):
            got = f(a, b)
            assert _tree.flatten(got)[1] == _tree.flatten(((1, (2,)), 3, ((), (4, 5))))[1]
            values = [t.tolist() for t in _tree.flatten(got)[0]]
            assert values == [[4.0, 7.0], [3.0, 10.0], [-2.0, -3.0], [2.0, 3.0], [2.0, 4.0]]

    def test_gradients_and_value(self) -> None:
        f = torch.compile(value_and_gradients)
        args = scalars()
        want = value_and_gradients(*args)
        for _ in range(3):
            gradients, value = f(*args)
            assert type(gradients) is tuple
            assert value.item() == pytest.approx(want[1].item())
            assert [g.item() for g in gradients] == pytest.approx([g.item() for g in want[0]])
            for t in (value, *gradients):
                assert type(t) is torch.Tensor
                assert (t.dtype, t.shape, t.requires_grad, t.grad_fn, t.is_leaf) == (
                    torch.float32,
                    (),
                    False,
                    None,
                    True,
                )
                assert t._version == 0
                assert t.grad is None
        assert is_fast(f, *args)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.int32, torch.bool])
    def test_numbers_are_numpys(self, dtype: Any) -> None:
        f = torch.compile(lambda a, b: (torch.maximum(a, b), a == b))
        a, b = torch.tensor(1, dtype=dtype), torch.tensor(0, dtype=dtype)
        for _ in range(3):
            larger, same = f(a, b)
            assert type(larger._data) is a.numpy().dtype.type
            assert (larger.item(), same.item()) == (1, False)
            assert same._data is np.False_

    def test_other_containers(self) -> None:
        class Pair(NamedTuple):
            first: Any
            second: Any

        f = torch.compile(lambda x: {"a": [x + 1, x * 2], "b": Pair(x, -x * 3)})
        x = torch.tensor([1.0])
        for _ in range(3):
            y = f(x)
            assert list(y) == ["a", "b"]
            assert type(y["b"]).__name__ == "Pair"
            assert [t.tolist() for t in (*y["a"], *y["b"])] == [[2.0], [2.0], [1.0], [-3.0]]


class TestWhatIsTaken:
    def test_lengths_that_were_traced(self) -> None:
        """What a function does may follow from a length: a new one is traced, one that was seen is not."""
        traced: list[int] = []

        def double_if_even(x: Any) -> Any:
            traced.append(len(x))
            return x * 2 if len(x) % 2 == 0 else x * 2 + 0

        f = torch.compile(double_if_even)
        lengths = [*range(65, 105), 1000, 999, 1 << 20]
        for n in lengths:
            assert f(torch.ones(n)).tolist() == [2.0] * n
        assert traced == lengths
        for n in lengths:
            assert is_fast(f, torch.ones(n))
            assert f(torch.ones(n)).shape == (n,)
        assert traced == lengths

    def test_lengths_from_many_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some threads trace new lengths while others run lengths that were seen."""
        monkeypatch.setattr(threading, "excepthook", lambda args: wrong.append(args.exc_value))
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        f = torch.compile(lambda x: x * 2)
        f(torch.ones(65))
        wrong: list[Any] = []

        def work(first: int) -> None:
            for n in range(first, first + 60):
                for m in (n, 65, first):
                    y = f(torch.ones(m))
                    if y.shape != (m,) or y.sum().item() != 2 * m:
                        wrong.append(m)

        threads = [threading.Thread(target=work, args=(first,)) for first in (100, 100, 130, 200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(before)
        assert wrong == []
        assert all(is_fast(f, torch.ones(n)) for n in (65, 100, 159, 189, 259))

    def test_pairs_of_lengths(self) -> None:
        f = torch.compile(lambda x, y: (x * 2, y + len(y) / len(y) + 0 * len(x)))
        seen = [(70, 80), (80, 70), (70, 70), (81, 80)]
        for m, n in seen:
            f(torch.ones(m), torch.ones(n))
        count = f.explain().count("\n   traced because")
        for m, n in seen:
            a, b = f(torch.ones(m), torch.ones(n))
            assert (a.shape, b.shape) == ((m,), (n,))
        assert f.explain().count("\n   traced because") == count == len(seen)
        assert [t.shape[0] for t in f(torch.ones(81), torch.ones(70))] == [81, 70]
        assert f.explain().count("\n   traced because") == count + 1

    def test_several_dtypes_and_ranks_are_all_fast(self) -> None:
        f = torch.compile(lambda x: (x * x).sum())
        made = [torch.ones(100, dtype=dtype) for dtype in (torch.float32, torch.float64)] + [torch.ones(3, 4)]
        for _ in range(2):
            for x in made:
                assert f(x).item() == x.numel()
                assert f(x).dtype is x.dtype
        assert all(is_fast(f, x) for x in made)

    def test_more_signatures_than_entries(self) -> None:
        f = torch.compile(lambda x: x + 1)
        made = [torch.zeros([2] * rank, dtype=d) for rank in range(6) for d in (torch.float32, torch.float64)]
        for _ in range(3):
            for x in made:
                y = f(x)
                assert (y.shape, y.dtype, y.sum().item()) == (x.shape, x.dtype, x.numel())

    def test_keywords(self) -> None:
        f = torch.compile(lambda x, y=None: x * 2 if y is None else x * y)
        x, y = torch.tensor(3.0), torch.tensor(5.0)
        f(x), f(x, y)
        assert [f(x).item(), f(x=x).item(), f(x, y=y).item(), f(y=y, x=x).item()] == [6.0, 6.0, 15.0, 15.0]
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            f(x, z=y)

    def test_tracked_tensors_are_recorded(self) -> None:
        f = torch.compile(lambda x: x * x)
        x = torch.tensor(3.0)
        for _ in range(2):
            assert f(x).grad_fn is None
        leaf = torch.tensor(3.0, requires_grad=True)
        f(leaf).backward()
        assert leaf.grad.item() == 6.0


class TestState:
    @pytest.fixture
    def f(self) -> Iterator[Any]:
        f = torch.compile(lambda x: x * 2)
        f(torch.tensor(1.0))
        assert is_fast(f, torch.tensor(1.0))
        yield f
        assert is_fast(f, torch.tensor(1.0))

    def test_inference_mode(self, f: Any) -> None:
        with torch.inference_mode():
            y = f(torch.tensor(1.0))
            assert y.is_inference()
            assert is_fast(f, y)
            with pytest.raises(RuntimeError, match="version"):
                y._version  # noqa: B018
            with torch.inference_mode(False):
                assert is_fast(f, y)
                assert not f(y).is_inference()
                assert not f(torch.tensor(1.0)).is_inference()
        assert not f(torch.tensor(1.0)).is_inference()

    def test_inference_mode_of_another_thread(self, f: Any) -> None:
        begun, go = threading.Event(), threading.Event()
        found: list[bool] = []

        def other() -> None:
            with torch.inference_mode():
                begun.set()
                go.wait()
                found.append(f(torch.tensor(1.0)).is_inference())

        thread = threading.Thread(target=other)
        thread.start()
        begun.wait()
        mine = f(torch.tensor(1.0))
        assert is_fast(f, torch.tensor(1.0))
        go.set()
        thread.join()
        assert found == [True]
        assert not mine.is_inference()

    def test_the_mark_goes_and_comes_with_the_mode(self) -> None:
        get = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(("PyThread_tss_get", ctypes.pythonapi))

        def mark() -> int:
            return get(WATCHED.address) or 0

        assert mark() == 0
        with torch.inference_mode():
            assert mark() == IN_INFERENCE
            with torch.inference_mode(False):
                assert mark() == 0
            torch.compile(lambda x: x + 1)(torch.tensor(1.0))
            assert mark() == IN_INFERENCE
        assert mark() == 0
        seen: list[int] = []
        torch.compile(lambda x: seen.append(mark()) or x)(torch.tensor(1.0))
        assert seen == [IS_WATCHED]
        with pytest.raises(ZeroDivisionError):
            torch.compile(lambda x: x + 1 / 0)(torch.tensor(1.0))
        assert mark() == 0

    def test_many_threads_change_it_at_once(self) -> None:
        function = torch.compile(lambda x: x * 2)
        wrong: list[Any] = []

        def work() -> None:
            for _ in range(300):
                with torch.inference_mode():
                    a = function(torch.tensor(2.0))
                b = function(torch.tensor(2.0))
                if not a.is_inference() or b.is_inference() or a.item() != 4 or b.item() != 4:
                    wrong.append((a, b))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_within_another_function(self, f: Any) -> None:
        """In another's trace it is a part of that."""
        constant = torch.tensor(4.0)
        outer = torch.compile(lambda x: f(x) + f(constant))
        assert outer(torch.tensor(1.0)).item() == 10.0
        assert "mul" in str(outer.program(torch.tensor(1.0)))
        assert torch.func.vmap(f)(torch.tensor([1.0, 2.0])).tolist() == [2.0, 4.0]
        assert torch.func.grad(f)(torch.tensor(3.0)).item() == 2.0

    def test_default_dtype(self) -> None:
        g = torch.compile(lambda x: x * torch.tensor(2.0))
        x = torch.tensor([1, 2])
        try:
            for _ in range(2):
                for dtype in (torch.float32, torch.float64, torch.float32):
                    torch.set_default_dtype(dtype)
                    for _ in range(2):
                        assert g(x).dtype is dtype
        finally:
            torch.set_default_dtype(torch.float32)


class TestReferences:
    def test_nothing_is_lost_or_kept(self) -> None:
        f = torch.compile(value_and_gradients)
        args = scalars()
        f(*args)
        watched = [*args, *[t._data for t in args], torch.Tensor, np.float32, np.dtype(np.float32)]
        gc.collect()
        before = [sys.getrefcount(x) for x in watched]
        none = sys.getrefcount(None), sys.getrefcount(False)
        for _ in range(100_000):
            f(*args)
        assert all([abs(sys.getrefcount(x) - n) < 10 for x, n in zip(watched, before, strict=True)])
        assert abs(sys.getrefcount(None) - none[0]) < 1000
        assert abs(sys.getrefcount(False) - none[1]) < 1000

    def test_nor_in_inference_mode(self) -> None:
        f = torch.compile(lambda x: x * 2)
        x = torch.tensor(1.0)
        f(x)
        nothing = sys.getrefcount(())
        with torch.inference_mode():
            kept = [f(x) for _ in range(1000)]
            assert is_fast(f, kept[0])
        assert abs(sys.getrefcount(()) - nothing - 1000) < 10 or sys.getrefcount(()) == nothing  # or they do not count
        del kept
        assert abs(sys.getrefcount(()) - nothing) < 10

    def test_no_memory_is_lost(self) -> None:
        f = torch.compile(value_and_gradients)
        args = scalars()
        g = torch.compile(lambda x: ((x * 2,), x + 1))
        x = torch.ones(50)
        for _ in range(100):
            f(*args), g(x)
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(20_000):
                f(*args)
                g(x)
            after = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert after - before < 10_000

    def test_results_are_ordinary_objects(self) -> None:
        """They can be kept, written to, given attributes, tracked, collected."""
        f = torch.compile(value_and_gradients)
        args = scalars()
        kept = [f(*args) for _ in range(100)]
        for gradients, value in kept:
            value.note = gradients
            gradients[0].cycle = gradients
            assert gc.is_tracked(value)
        gradients, value = kept[0]
        value.add_(1)
        assert kept[1][1].item() == pytest.approx(value.item() - 1)
        value.requires_grad_()
        (value * 3).backward()
        assert value.grad.item() == 3
        gone = [weakref.ref(gradients[0]) for gradients, _ in kept]
        del kept, gradients, value
        gc.collect()
        assert [r() for r in gone] == [None] * 100

    def test_a_dropped_function_goes_at_once(self) -> None:
        f = torch.compile(lambda x: x * 2)
        x = torch.ones(3)
        f(x), f(torch.ones(100)), f(torch.tensor(1.0))
        call, gone = f.__call__, weakref.ref(f)
        del f
        assert gone() is None
        assert call(x).tolist() == [2.0] * 3  # what it has made still runs
        with pytest.raises(ReferenceError, match="compiled function is gone"):
            call(torch.ones(2, 2, 2, 2))

    def test_copies_are_traced_anew(self) -> None:
        f = torch.compile(torch.nn.Linear(2, 2))
        x = torch.ones(2)
        want = f(x).tolist()
        for copied in (copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
            assert copied is not f
            assert copied(x).tolist() == want
        own = copy.deepcopy(f)
        own(x)
        del f
        assert own(x).tolist() == want
