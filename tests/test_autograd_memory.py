"""Nothing of ours waits for the garbage collector: graphs, gradients and leaves are freed with the last reference."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import wengert
from wengert.engine.base import TensorBase
from wengert.engine.node import Metadata


def _ours(thing: Any) -> bool:
    return isinstance(thing, (TensorBase, Metadata)) or type(thing).__module__.partition(".")[0] == "wengert"


def garbage_of(program: Callable[[], Any]) -> list[Any]:
    """The objects of ours that only the garbage collector can free after ``program`` ran and its result was dropped."""
    program()  # caches are filled the first time
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        program()
        gc.collect()
        return [thing for thing in gc.garbage if _ours(thing)]
    finally:
        gc.set_debug(0)
        gc.enable()
        gc.garbage.clear()
        gc.collect()


def leaf(*shape: int) -> Any:
    return wengert.ones(shape, requires_grad=True)


class Cube(wengert.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x**3
        ctx.save_for_backward(x, y)
        ctx.note = "note"
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, _ = ctx.saved_tensors
        return 3 * g * x**2


class Two(wengert.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        a, b = x.sin(), x.cos()
        ctx.save_for_backward(a, b)
        return a, b

    @staticmethod
    def backward(ctx: Any, ga: Any, gb: Any) -> Any:
        a, b = ctx.saved_tensors
        return ga * b - gb * a


class AddOne(wengert.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x.add_(1)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


def forward_only() -> None:
    x = leaf(3)
    y = (x * x).exp().sum() / x.sum()
    y.softmax(0)


def forward_and_backward() -> None:
    x = leaf(3)
    ((x * x).exp().sum() / x.sum()).backward()


def scalars() -> None:
    x = leaf()
    (x.exp() * x.sigmoid() + x.tanh()).backward()


def failed_backward() -> None:
    x = leaf(3)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError):
        y.backward()


def create_graph() -> None:
    x = leaf(3)
    (g,) = wengert.autograd.grad((x**3).exp().sum(), x, create_graph=True)
    (h,) = wengert.autograd.grad(g.sum(), x, create_graph=True)
    h.sum().backward()


def create_graph_and_backward() -> None:
    x = leaf(3)
    (x**3).exp().sum().backward(create_graph=True)
    (x.grad**2).sum().backward()


def create_graph_dropped() -> None:
    x = leaf(3)
    wengert.autograd.grad((x**3).exp().sum(), x, create_graph=True)
    (x**3).sum().backward(create_graph=True)


def assigned_gradient() -> None:
    x = leaf(3)
    (x.grad,) = wengert.autograd.grad((x**3).sum(), x, create_graph=True)
    (x.grad**2).sum().backward()


def hooks() -> None:
    x = leaf(3)
    y = x * x
    y.register_hook(lambda g: g * 2)
    x.register_hook(lambda g: g * 2)
    x.register_post_accumulate_grad_hook(lambda t: None)
    y.grad_fn.register_hook(lambda i, o: None)
    y.grad_fn.register_prehook(lambda o: None)
    wengert.autograd.graph.register_multi_grad_hook((x, y), lambda grads: None)
    y.sum().backward()


def hooks_of_a_dropped_graph() -> None:
    x = leaf(3)
    y = x * x
    y.register_hook(lambda g: g * 2)
    x.register_hook(lambda g: g * 2)
    y.exp().retain_grad()


def retained() -> None:
    x = leaf(3)
    y = x * x
    y.retain_grad()
    z = y.exp()
    z.retain_grad()
    z.sum().backward()


def several_results() -> None:
    x = leaf(2, 3)
    a, b = x.unbind()
    values, _ = (x * 1).sort(dim=1)
    top, _ = (x * 1).max(dim=1)
    (a * b).sum().backward()
    (values.sum() + top.sum()).backward()


def functions() -> None:
    x = leaf(3)
    Cube.apply(x).sum().backward()
    a, _ = Two.apply(x)
    a.sum().backward()
    AddOne.apply(x * 1).sum().backward()


def functions_dropped() -> None:
    x = leaf(3)
    Cube.apply(x)
    Two.apply(x)
    AddOne.apply(x * 1)


def functions_with_create_graph() -> None:
    x = leaf(3)
    (g,) = wengert.autograd.grad(Cube.apply(x).sum() + Two.apply(x)[0].sum(), x, create_graph=True)
    g.sum().backward()


def views_and_writes() -> None:
    x = leaf(4)
    base = x * 1
    a, b = base[:2], base.view(2, 2)
    a.mul_(2)
    b[1].mul_(x[0])
    base.add_(x)
    base[0] = a[1].clone()
    (a.sum() + b.sum()).backward()


def views_and_writes_dropped() -> None:
    x = leaf(4)
    base = wengert.zeros(4)
    a = base[:2]
    a.copy_(x[:2])
    base.exp_()
    assert a.requires_grad


def saved_results() -> None:
    x = leaf(4)
    y = x.exp()
    assert y.grad_fn._saved_result is not None
    y.sum().backward()


def packed() -> None:
    x = leaf(4)
    with wengert.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        (x.exp() * x).sum().backward()
        x.exp().sin()


def mutation_allowed() -> None:
    x = leaf(4)
    with wengert.autograd.graph.allow_mutation_on_saved_tensors():
        y = x.exp()
        z = y * y
        y.zero_()
        z.sum().backward()


def modes() -> None:
    x = leaf(4)
    with wengert.no_grad():
        x -= x * 0.1
        x[0].mul_(2)
    with wengert.inference_mode():
        (x * 2)[0].add_(1)


def anomaly() -> None:
    x = leaf(4)
    with wengert.autograd.set_detect_anomaly(True):
        x.sqrt().sum().backward()


def training() -> None:
    w, b = leaf(3), leaf()
    data = wengert.ones(5, 3)
    for _ in range(3):
        loss = ((data @ w + b).sigmoid() - 0.5).pow(2).mean()
        loss.backward()
        with wengert.no_grad():
            for p in (w, b):
                p -= 0.1 * p.grad
                p.grad = None


def raising_hook() -> None:
    x = leaf(3)

    def fail(g: Any) -> None:
        raise ValueError

    x.register_hook(fail)
    with pytest.raises(ValueError):  # noqa: PT011
        (x * x).sum().backward()


PROGRAMS = [
    forward_only,
    forward_and_backward,
    scalars,
    failed_backward,
    create_graph,
    create_graph_and_backward,
    create_graph_dropped,
    assigned_gradient,
    hooks,
    hooks_of_a_dropped_graph,
    retained,
    several_results,
    functions,
    functions_dropped,
    functions_with_create_graph,
    views_and_writes,
    views_and_writes_dropped,
    saved_results,
    packed,
    mutation_allowed,
    modes,
    anomaly,
    training,
    raising_hook,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_no_cycles(program: Callable[[], None]) -> None:
    found = garbage_of(program)
    assert not found, [type(thing) for thing in found]


def test_the_check_finds_a_cycle() -> None:
    def program() -> None:
        x = leaf(3)
        y = x * x
        y.register_hook(lambda g: g * y)  # the user's own cycle: y, its node, the hook, y

    assert garbage_of(program)


def dies(make: Callable[[], Any]) -> bool:
    """Whether what ``make`` returns is freed at once when dropped."""
    gc.disable()
    try:
        reference = weakref.ref(make())
        return reference() is None
    finally:
        gc.enable()


def test_leaves_results_and_nodes_are_freed() -> None:
    def used_leaf() -> Any:
        x = leaf(3)
        (x * x).sum().backward()
        return x

    def used_result() -> Any:
        y = leaf(3) * 2
        y.sum().backward()
        return y

    def graph_of_a_leaf() -> Any:
        x = leaf(3)
        x.kept = (x * x).sum().detach()
        return x

    def node() -> Any:
        return (leaf(3) * 2).grad_fn

    def view() -> Any:
        base = leaf(3) * 1
        v = base[1:]
        v.mul_(2)
        return v

    def base() -> Any:
        made = leaf(3) * 1
        made[1:].mul_(2)
        made[:1].add_(2)
        return made

    def second_order() -> Any:
        x = leaf(3)
        (g,) = wengert.autograd.grad((x**3).sum(), x, create_graph=True)
        return g

    for make in (used_leaf, used_result, graph_of_a_leaf, node, view, base, second_order):
        assert dies(make), make.__name__


def test_gradients_with_a_graph_go_on_working() -> None:
    x = wengert.tensor(2.0, requires_grad=True)
    for _ in range(2):
        (x**3).backward(create_graph=True)
    assert x.grad.item() == 24
    first = x.grad
    x.grad = None
    first.backward()
    assert x.grad.item() == 24
    y = x * 3
    (x**2).backward(create_graph=True)
    x = None
    y.backward()  # the leaf is gone, with it its gradient


def test_a_graph_holds_no_tensor_that_no_rule_reads() -> None:
    x = leaf(1000)
    y = x * 2
    reference = weakref.ref(y)
    z = y + 1
    del y
    assert reference() is None
    z.sum().backward()


def test_saved_values_are_freed_by_backward() -> None:
    class Big(wengert.Tensor):
        pass

    x = leaf(3)
    w = wengert.ones(3)
    array = w.numpy()
    count = _references(array)
    y = (x * w).sum()
    y.backward()
    assert y is not None
    assert _references(array) == count


def _references(array: Any) -> int:
    import sys

    return sys.getrefcount(array.base if array.base is not None else array)


def test_a_hook_handle_does_not_keep_the_graph() -> None:
    x = leaf(3)
    y = x * x
    handle = y.register_hook(lambda g: None)
    reference = weakref.ref(y.grad_fn)
    del y
    gc.disable()
    try:
        assert reference() is None
    finally:
        gc.enable()
    handle.remove()


@pytest.mark.parametrize("length", [200_000])
def test_long_chains_need_no_recursion(length: int) -> None:
    x = wengert.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(length):
        y = y + x
    y.backward()
    assert x.grad.item() == length + 1
    z = x
    for _ in range(length):
        z = z * 1.0
    del z
    base = wengert.zeros(3)
    for _ in range(2000):
        base[1] = base[0] + x
    base.sum().backward()
