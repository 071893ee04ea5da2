"""A graph evaluated again: values and gradients, freed or not, and what is said when something has changed since."""

import numpy as np
import pytest

import wengert as torch
from wengert.see.graph import Graph, Value, read
from wengert.see.replay import Replay, replay


def named(graph: Graph, name: str) -> Value:
    return next(value for value in graph.values if value.name == name)


def gradient(found: Replay, name: str) -> object:
    g = found.gradient(named(found.graph, name))
    return None if g is None else np.asarray(g).tolist()


def value(found: Replay, name: str) -> object:
    raw = found.raw(named(found.graph, name))
    return None if raw is None else np.asarray(raw).tolist()


@pytest.mark.parametrize("freed", [False, True])
def test_all_values_and_gradients(freed: bool) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    k = torch.tensor([2.0, 0.5, 1.0])

    def inner() -> torch.Tensor:
        a = x * k
        b = a.exp()
        return (b + 1).log().sum()

    y = inner()
    y.backward(retain_graph=not freed)
    found = replay(read(y))
    assert found.changed == ()
    assert found.refused is None
    a = x.detach() * k
    assert value(found, "a") == a.tolist()
    assert value(found, "b") == a.exp().tolist()
    assert all(v.raw is not None for v in found.graph.values)
    assert gradient(found, "x") == x.grad.tolist()
    np.testing.assert_allclose(gradient(found, "a"), torch.sigmoid(a).tolist(), rtol=1e-6)
    assert gradient(found, "y") == 1.0


def test_the_graph_the_hooks_and_the_gradients_are_left_alone() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    z = x * x
    called = []
    z.register_hook(called.append)
    z.retain_grad()
    x.register_hook(called.append)
    y = z.exp()
    with torch.no_grad(), torch.autograd.graph.saved_tensors_hooks(called.append, lambda t: t):
        found = replay(read(y))
        assert not torch.is_grad_enabled()
    assert gradient(found, "x") == pytest.approx(4 * np.exp(4.0))
    assert called == []
    assert x.grad is None
    assert z.grad is None
    y.backward()
    assert gradient(found, "x") == x.grad.item()


def test_several_roots_and_cotangents() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, z = x * 3, x * x
    assert gradient(replay(read([y, z])), "x") == [5.0, 7.0]
    graph = read(z)
    assert gradient(replay(graph, [np.array([10.0, 1.0], np.float32)]), "x") == [20.0, 4.0]


def test_several_results_and_views_and_writes() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x.unbind(0)
    y = first * second
    y[0] = 7.0
    out = (y * y).sum()
    out.backward()
    found = replay(read(out))
    assert found.changed == ()
    assert gradient(found, "x") == x.grad.tolist()
    assert gradient(found, "first") == [0.0, 2 * 8.0 * 4.0]


@pytest.mark.parametrize("freed", [False, True])
def test_an_updated_leaf_is_named_and_no_wrong_number_given(freed: bool) -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    x = torch.tensor([3.0, 4.0])
    z = w * x
    s = z.sigmoid()
    loss = s.sum()
    loss.backward(retain_graph=not freed)
    with torch.no_grad():
        w -= w.grad
    found = replay(read(loss))
    # nothing vouches for x either where backward has freed what was kept
    assert [v.name for v in found.changed] == (["w", "x"] if freed else ["w"])
    assert value(found, "w") is None
    assert value(found, "s") == s.tolist()
    assert gradient(found, "s") == [1.0, 1.0]
    # the rule of sigmoid reads the result alone, that of the product by w only x
    assert gradient(found, "w") == (None if freed else w.grad.tolist())


def test_a_changed_number_is_found_by_its_consequences() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    k = torch.tensor([5.0, 5.0])
    y = (x + k).exp()
    z = y * 1.0
    k = torch.tensor([6.0, 6.0])
    found = replay(read(z))
    assert "k" in [v.name for v in found.changed]
    assert value(found, "k") is None
    assert value(found, "y") == y.tolist()
    assert gradient(found, "x") == y.tolist()


def test_0d_leaves_keep_what_the_graph_saw() -> None:
    w = torch.tensor(2.0, requires_grad=True)
    y = w * w
    with torch.no_grad():
        w += 1.0
    found = replay(read(y))
    assert value(found, "w") == 2.0
    assert [v.name for v in found.changed] == ["w"]
    assert gradient(found, "w") == 4.0


def test_gradients_pass_through_a_function_of_the_users() -> None:
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a = Twice.apply(x)
    y = (a * a).sum()
    found = replay(read(y))
    assert value(found, "a") == [2.0, 4.0]
    assert gradient(found, "a") == [4.0, 8.0]
    assert gradient(found, "x") == [8.0, 16.0]
    y = (Twice.apply(x).exp() + 1).sum()
    y.backward()
    found = replay(read(y))
    assert found.raw(found.graph.operations[0].results[0]) is None
    assert gradient(found, "y") == 1.0


def test_drawn_numbers_are_not_drawn_again() -> None:
    torch.manual_seed(0)
    p = torch.full((5,), 0.5, requires_grad=True)
    drawn = torch.bernoulli(p)
    y = (drawn * p).sum()
    y.backward()
    found = replay(read(y))
    assert value(found, "y") == y.item()
    assert found.raw(named(found.graph, "drawn")) is None or value(found, "drawn") == drawn.tolist()


def test_too_large_is_said() -> None:
    x = torch.ones(1000, requires_grad=True)
    y = x.exp().sum()
    found = replay(read(y), most_bytes=1000)
    assert found.refused == "its results have 4,004 bytes, and at most 1,000 are evaluated again"
    assert found.gradients == {}
    assert value(found, "y") == y.item()


def test_a_leaf_alone() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    found = replay(read(x))
    assert gradient(found, "x") == 1.0


def test_what_a_users_backward_makes_infinite_or_zero_is_found_there() -> None:
    class Root(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, times):
            ctx.save_for_backward(x)
            return x.sqrt(), x * times

        @staticmethod
        def backward(ctx, g, h):
            (x,) = ctx.saved_tensors
            return g * 0.5 / x.sqrt() + h * 3, None

    x = torch.tensor([0.0, 4.0], requires_grad=True)
    root, _ = Root.apply(x, 3)
    found = torch.explain_nan((root * root).sum(), x)
    assert "The rule of Root makes nan" in found[0].what
    assert found[0].index == (0,)
    assert "Root.apply(x, 3)" in str(found)
    again = torch.tensor([1.0, 4.0], requires_grad=True)
    root, thrice = Root.apply(again, 3)
    assert gradient(replay(read((root * 2 + thrice).sum())), "again") == [4.0, 3.5]
    zero = torch.explain_zero((Root.apply(again, 3)[0] * torch.zeros(2)).sum(), again)
    assert zero[0].kind == "times_zero"


def test_a_users_backward_that_raises_leaves_the_gradients_behind_it_unknown() -> None:
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            raise KeyError("no")

    x, w = torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)
    y = Broken.apply(x * 3) * w + x
    found = replay(read(y))
    assert gradient(found, "w") == 6.0
    assert gradient(found, "x") is None
    assert [operation.name for operation in found.stopped] == ["BrokenBackward"]


def test_an_input_without_a_rule_is_unknown_and_the_others_are_not() -> None:
    a, b = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    q = torch.special.gammainc(a, b) * 2
    found = replay(read(q))
    assert gradient(found, "a") is None
    assert abs(gradient(found, "b") - 0.29872) < 1e-5
    assert "dq/da: IgammaBackward0 has no rule for it." in torch.explain(q).text
    assert [finding.kind for finding in torch.diagnose(q, a).faults] == ["no_rule"]


def test_what_ran_inside_of_vmap_is_not_known_and_no_error() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.func.vmap(torch.func.grad(lambda a: torch.sin(a) * a))(w).sum()
    found = replay(read(y))
    assert found.gradient(found.graph.value_of(w)) is None
    for answer in (torch.explain(y), torch.draw(y), torch.explore(y).html(), torch.explain_zero(y, w)):
        assert str(answer)
    assert torch.diagnose(y, w).ok
