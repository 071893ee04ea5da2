"""What fails leaves nothing half done; threads do not disturb each other."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

import wengert

ERRORS = [ValueError, KeyboardInterrupt, SystemExit]


class Net:
    """A small graph with leaves that have a gradient already, and places to fail at."""

    def __init__(self) -> None:
        self.a = wengert.tensor([1.0, 2.0], requires_grad=True)
        self.b = wengert.tensor(3.0, requires_grad=True)
        self.a.grad = wengert.tensor([10.0, 20.0])
        self.grad = self.a.grad
        self.middle = self.a * self.b
        self.middle.retain_grad()
        self.late = self.middle.exp()
        self.loss = self.late.sum() + (self.b * 2)

    def is_untouched(self) -> bool:
        return (
            self.a.grad is self.grad
            and self.a.grad.tolist() == [10.0, 20.0]
            and self.b.grad is None
            and self.middle.grad is None
            and wengert.is_grad_enabled()
            and not wengert.is_anomaly_enabled()
        )


def fail(error: type[BaseException]) -> Callable[..., Any]:
    def hook(*_: Any) -> None:
        raise error

    return hook


PLACES: dict[str, Callable[[Net, Callable[..., Any]], Any]] = {
    "a leaf's hook": lambda net, hook: net.a.register_hook(hook),
    "the other leaf's hook": lambda net, hook: net.b.register_hook(hook),
    "a result's hook": lambda net, hook: net.middle.register_hook(hook),
    "a node's hook": lambda net, hook: net.middle.grad_fn.register_hook(hook),
    "a node's prehook": lambda net, hook: net.late.grad_fn.register_prehook(hook),
    "a post-accumulate hook": lambda net, hook: net.a.register_post_accumulate_grad_hook(hook),
    "a multi-grad hook": lambda net, hook: wengert.autograd.graph.register_multi_grad_hook((net.a, net.b), hook),
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_failing_hook_changes_nothing(place: str, error: type[BaseException], create_graph: bool) -> None:
    net = Net()
    PLACES[place](net, fail(error))
    with pytest.raises(error):
        net.loss.backward(create_graph=create_graph)
    assert net.is_untouched()


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_a_failing_function_changes_nothing(error: type[BaseException]) -> None:
    class Bad(wengert.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise error

    net = Net()
    with pytest.raises(error):
        (Bad.apply(net.late).sum() + net.loss).backward()
    assert net.is_untouched()


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_a_failing_unpack_hook_changes_nothing(error: type[BaseException]) -> None:
    net = Net()
    with wengert.autograd.graph.saved_tensors_hooks(lambda t: t, fail(error)):
        late = net.middle.sin().sum()
    with pytest.raises(error):
        (late + net.loss).backward()
    assert net.is_untouched()


def test_a_freed_graph_and_a_changed_value_change_nothing() -> None:
    net = Net()
    freed = net.b.exp()
    freed.backward()
    net.b.grad = None
    with pytest.raises(RuntimeError, match="second time"):
        (freed + net.loss).backward()
    assert net.is_untouched()
    net = Net()
    square = net.middle * net.middle
    net.middle.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        (square.sum() + net.b).backward()
    assert net.is_untouched()


def test_a_failing_rule_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net()
    node_class = type(net.middle.grad_fn)
    monkeypatch.setattr(node_class, "rules", (fail(MemoryError), fail(MemoryError)))
    with pytest.raises(MemoryError):
        net.loss.backward()
    assert net.is_untouched()


def test_modes_after_failures_inside_of_modes() -> None:
    net = Net()
    net.a.register_hook(fail(ValueError))
    with wengert.no_grad():
        with pytest.raises(ValueError):  # noqa: PT011
            net.loss.backward(create_graph=True)
        assert not wengert.is_grad_enabled()
    assert net.is_untouched()


def test_autograd_grad_changes_nothing_either() -> None:
    net = Net()
    net.middle.register_hook(fail(ValueError))
    with pytest.raises(ValueError):  # noqa: PT011
        wengert.autograd.grad(net.loss, [net.a, net.b])
    assert net.is_untouched()


def test_a_failing_write_changes_nothing() -> None:
    x = wengert.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    node, version, values = y.grad_fn, y._version, y.tolist()
    for bad in (wengert.ones(3), wengert.ones(2, 2), wengert.ones(2, dtype=wengert.complex64), "text"):
        with pytest.raises((RuntimeError, TypeError)):
            y.add_(bad)
    assert (y.grad_fn, y._version, y.tolist()) == (node, version, values)


def test_hooks_run_once_and_after_a_failure_again() -> None:
    net = Net()
    fails = [True]

    def hook(g: Any) -> None:
        if fails:
            fails.clear()
            raise ValueError

    net.a.register_hook(hook)
    with contextlib.suppress(ValueError):
        net.loss.backward(retain_graph=True)
    assert net.is_untouched()
    net.loss.backward()
    assert net.b.grad is not None


# --- threads -------------------------------------------------------------------------------------------------------


def in_threads(count: int, work: Callable[[int], None]) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_backward_in_threads_over_shared_leaves_gives_exact_sums() -> None:
    w = wengert.arange(1.0, 5.0, dtype=wengert.float64).requires_grad_()
    b = wengert.tensor(2.0, requires_grad=True)
    rounds, threads = 200, 8

    def work(number: int) -> None:
        for _ in range(rounds):
            ((w * (number + 1)).sum() * b).backward()

    in_threads(threads, work)
    total = rounds * sum(range(1, threads + 1))
    assert w.grad.tolist() == [2.0 * total] * 4
    assert b.grad.item() == 10.0 * total


def test_threads_share_one_graph() -> None:
    x = wengert.ones(3, requires_grad=True)
    y = (x * x).sum()

    def work(_: int) -> None:
        for _ in range(50):
            y.backward(retain_graph=True)

    in_threads(8, work)
    assert x.grad.tolist() == [800.0] * 3


def test_modes_and_hooks_of_threads_are_their_own() -> None:
    x = wengert.ones(3, requires_grad=True)
    packed: list[int] = []

    def work(number: int) -> None:
        for _ in range(50):
            if number % 2:
                with wengert.no_grad():
                    assert not (x * 2).requires_grad
            elif number % 4:
                with wengert.autograd.graph.saved_tensors_hooks(lambda t: packed.append(number) or t, lambda t: t):
                    (x * x).sum().backward()
            else:
                assert (x * 2).requires_grad
                wengert.autograd.grad((x * x).sum(), x)

    in_threads(8, work)
    assert set(packed) == {2, 6}
    assert x.grad.tolist() == [200.0] * 3


def test_a_backward_inside_of_a_backward() -> None:
    x = wengert.tensor(2.0, requires_grad=True)
    w = wengert.tensor(3.0, requires_grad=True)
    seen = []

    def hook(g: Any) -> Any:
        with wengert.enable_grad():
            (inner,) = wengert.autograd.grad(w**3, w)
        seen.append((inner.item(), wengert.is_grad_enabled()))
        return g * inner

    x.register_hook(hook)
    (x * x).backward()
    assert seen == [(27.0, False)]
    assert x.grad.item() == 108
    assert w.grad is None
