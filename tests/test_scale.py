"""Long chains: forward, backward and freeing without recursion or reference cycles, in memory that grows linearly."""

import gc
import sys
import time
import tracemalloc
import weakref

import numpy as np
import pytest

import wengert

SIZES = (10_000, 100_000)


def _chain(n: int):
    """A leaf and the result of ``n`` operations on it, half of which keep a value."""
    x = wengert.tensor(1.0, dtype=wengert.float64, requires_grad=True)
    y = x
    for _ in range(n // 2):
        y = y * 1.0000001 + 1e-9
    return x, y


def _slope(n: int) -> float:
    return 1.0000001 ** (n // 2)


def _check_chain(n: int) -> None:
    x, y = _chain(n)
    node = weakref.ref(y.grad_fn)
    y.backward()
    assert x.grad.item() == pytest.approx(_slope(n), rel=1e-6)
    del y
    assert node() is None


@pytest.mark.parametrize("n", SIZES)
def test_chain(n: int) -> None:
    _check_chain(n)


@pytest.mark.slow
def test_chain_of_a_million() -> None:
    _check_chain(1_000_000)


def test_recursion_is_not_needed() -> None:
    """Far fewer frames than operations are left, for all that is done with a graph."""
    x, y = _chain(20_000)
    limit = sys.getrecursionlimit()
    depth = len(_frames())
    sys.setrecursionlimit(depth + 60)
    try:
        y.backward(retain_graph=True)
        (g,) = wengert.autograd.grad(y, x, create_graph=True)
        del y
        (g * x).backward()
        del g
    finally:
        sys.setrecursionlimit(limit)


def _frames() -> list:
    frame, found = sys._getframe(), []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found


def test_second_order_chain() -> None:
    """The graph of the gradient is as long, and as easily freed."""
    x = wengert.tensor(0.5, dtype=wengert.float64, requires_grad=True)
    y = x
    for _ in range(2_000):
        y = y * y.detach().clamp(1.0, 1.0) + 1e-9 * y * y
    (g,) = wengert.autograd.grad(y, x, create_graph=True)
    g.backward()
    assert np.isfinite(x.grad.item())


@pytest.mark.parametrize(
    "way",
    [
        "never run",
        "run",
        "retained",
        "create_graph",
        "many consumers",
        "views",
        "in place",
        "several results",
        "custom",
    ],
)
def test_freeing_does_not_recurse(way: str) -> None:
    n = 30_000
    x = wengert.tensor([1.0, 1.0], dtype=wengert.float64, requires_grad=True)
    y = x * 1.0
    for _ in range(n):
        if way == "many consumers":
            y = y * 0.5 + y * 0.5
        elif way == "views":
            y = y.view(2).unsqueeze(0)[0] * 1.0
        elif way == "in place":
            y.mul_(1.0)
        elif way == "several results":
            y = wengert.stack(y.unbind()[::-1])
        elif way == "custom":
            y = _Twice.apply(y)
        else:
            y = y * 1.0
    node = weakref.ref(y.grad_fn)
    if way == "run":
        y.sum().backward()
    elif way == "retained":
        y.sum().backward(retain_graph=True)
    elif way == "create_graph":
        (g,) = wengert.autograd.grad(y.sum(), x, create_graph=True)
        del g
    del y
    assert node() is None


def test_views_of_views() -> None:
    """All of one base, which each of them leads back to."""
    x = wengert.tensor([1.0, 2.0], dtype=wengert.float64, requires_grad=True)
    base = x * 1.0
    y = base
    for _ in range(1_000):
        y = y.view(1, 2)[0].flip(0).flip(0).t()
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


class _Twice(wengert.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 1.0

    @staticmethod
    def backward(ctx, g):
        return g


def test_a_graph_that_nothing_but_a_node_holds() -> None:
    _, y = _chain(20_000)
    node = y.grad_fn
    del y
    ends = node.next_functions[0][0]
    del node
    reference = weakref.ref(ends)
    del ends
    assert reference() is None


def test_a_wide_graph() -> None:
    """Many results of one value, added up."""
    x = wengert.tensor(1.0, dtype=wengert.float64, requires_grad=True)
    sum([x * float(k) for k in range(20_000)]).backward()
    assert x.grad.item() == pytest.approx(sum(range(20_000)))


# --- memory ----------------------------------------------------------------------------------------------------------


# Python keeps some thousand freed tuples and floats for later use; they are all that may be left of a graph.
FREE_LISTS = 1_000_000


def _sizes(n: int) -> tuple[int, int, int]:
    """Bytes that a chain takes, that backward takes on top of it, and that are left of it when it is gone."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        x, y = _chain(n)
        built, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        y.backward()
        _, peak = tracemalloc.get_traced_memory()
        del x, y
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return built - before, peak - built, left - before


def test_memory_is_linear_and_returns() -> None:
    _chain(100)  # what is made once
    small, large = _sizes(2_000), _sizes(20_000)
    print(f"bytes per operation: {small[0] / 2_000:.0f} for 2,000 operations, {large[0] / 20_000:.0f} for 20,000")
    assert large[0] < 20_000 * 400
    assert large[0] / 20_000 < 1.1 * small[0] / 2_000
    assert large[1] < FREE_LISTS  # the sweep frees what it has passed
    assert large[2] < FREE_LISTS


@pytest.mark.slow
def test_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Time and memory for 10^4 to 10^6 operations, printed; nothing is asserted of times."""
    lines = ["operations  forward us  backward us  freeing us  bytes (each per operation)"]
    for n in (10_000, 100_000, 1_000_000):
        gc.collect()
        start = time.perf_counter()
        x, y = _chain(n)
        built = time.perf_counter()
        y.backward(retain_graph=True)
        swept = time.perf_counter()
        del y
        freed = time.perf_counter()
        size, extra, left = _sizes(n)
        assert size < n * 400
        assert extra < FREE_LISTS
        assert left < FREE_LISTS
        times = [1e6 * t / n for t in (built - start, swept - built, freed - swept)]
        lines.append(f"{n:>10,}  {times[0]:>10.3f}  {times[1]:>11.3f}  {times[2]:>10.3f}  {size / n:>5.0f}")
        assert x.grad is not None
    with capsys.disabled():
        print("\n" + "\n".join(lines))


# --- cycles ----------------------------------------------------------------------------------------------------------


def _of_ours(thing) -> bool:
    module = type(thing).__module__ or ""
    return module.split(".")[0] == "wengert" or isinstance(thing, np.ndarray)


class _Cycles:
    """Collects what only the garbage collector could free."""

    def __enter__(self):
        gc.collect()
        self.flags = gc.get_debug()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        self.found = []
        return self.found

    def __exit__(self, *exc) -> None:
        gc.collect()
        self.found += [repr(type(thing)) for thing in gc.garbage if _of_ours(thing)]
        gc.set_debug(self.flags)
        gc.garbage.clear()
        gc.enable()


def _leaves():
    x = wengert.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], dtype=wengert.float64, requires_grad=True)
    w = wengert.tensor([1.0, -2.0, 0.5], dtype=wengert.float64, requires_grad=True)
    return x, w


def _forward_only():
    x, w = _leaves()
    ((x @ w).tanh() + x.exp().sum(1)).max()


def _backward():
    x, w = _leaves()
    (x @ w).tanh().sum().backward()


def _backward_twice():
    x, w = _leaves()
    loss = (x * w).softmax(1).log().mean()
    loss.backward(retain_graph=True)
    loss.backward()


def _retained_and_dropped():
    x, w = _leaves()
    (x * w).sigmoid().prod().backward(retain_graph=True)


def _second_order():
    x, w = _leaves()
    (g,) = wengert.autograd.grad((x * w).sin().sum(), x, create_graph=True)
    (g * g).sum().backward()


def _gradients_with_graphs():
    x, w = _leaves()
    (x * w).exp().sum().backward(create_graph=True)


def _views_written():
    x, w = _leaves()
    y = x * w
    y[0].mul_(2)
    y.t()[1].add_(w[:2])
    y.sum().backward()


def _several_results():
    x, w = _leaves()
    values, indices = (x * w).sort(1)
    a, b = values.unbind()
    (a * b).sum().backward()
    del indices


def _hooks():
    x, w = _leaves()
    y = x * w
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    x.register_hook(lambda g: None)
    y.sum().backward()


def _saved_hooks():
    x, w = _leaves()
    with wengert.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: t):
        y = (x * w).exp().tanh()
    y.sum().backward()


def _custom():
    x, w = _leaves()
    y = _Twice.apply(x * w)
    y.sum().backward()
    _Twice.apply(x * w)


def _failing():
    x, w = _leaves()
    y = (x * w).exp()
    y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()


def _written_after_saving():
    x, w = _leaves()
    y = (x * w).exp()
    z = y.sum()
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


def _anomaly():
    x, w = _leaves()
    with wengert.autograd.set_detect_anomaly(True):
        (x * w).exp().sum().backward()


def _gradcheck():
    x, _ = _leaves()
    wengert.autograd.gradgradcheck(lambda x: x.tanh(), x)


PROGRAMS = [
    _forward_only,
    _backward,
    _backward_twice,
    _retained_and_dropped,
    _second_order,
    _gradients_with_graphs,
    _views_written,
    _several_results,
    _hooks,
    _saved_hooks,
    _custom,
    _failing,
    _written_after_saving,
    _anomaly,
    _gradcheck,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.__name__.strip("_") for program in PROGRAMS])
def test_no_cycles(program) -> None:
    program()  # what is made once, at the first use
    with _Cycles() as found:
        program()
    assert found == []


def test_the_search_for_cycles_finds_one() -> None:
    with _Cycles() as found:
        x, _ = _leaves()
        x.itself = x
        del x
    assert "<class 'wengert.Tensor'>" in found
