"""A recorded graph read as plain data: values, operations, names, places, what is known of each."""

import pytest

import wengert as torch
from wengert.see.graph import Graph, read


def names(graph: Graph) -> list[str | None]:
    return [value.name for value in graph.values]


def test_values_and_operations_come_in_the_order_in_which_they_were_made() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    k = torch.tensor([3.0, 4.0])
    a = x * k
    y = (1 - a).sum()
    graph = read(y)
    assert [operation.name for operation in graph.operations] == ["MulBackward0", "RsubBackward1", "SumBackward0"]
    assert names(graph) == ["x", "k", "a", None, None, "y"]
    assert [value.index for value in graph.values] == list(range(6))
    assert [value.is_leaf for value in graph.values] == [True, False, False, False, False, False]
    assert [value.is_constant for value in graph.values] == [False, True, False, True, False, False]
    assert graph.roots == (graph.values[5],)
    product, difference, total = graph.operations
    assert product.inputs == (graph.values[0], graph.values[1])
    assert difference.inputs == (graph.values[2], graph.values[3])
    assert total.results == graph.roots
    assert graph.values[2].users == [difference]


def test_a_value_used_twice_is_one_value_with_two_uses() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    y = x * x
    graph = read(y)
    assert names(graph) == ["x", "y"]
    assert graph.operations[0].inputs == (graph.values[0], graph.values[0])
    assert graph.values[0].users == [graph.operations[0]] * 2


def test_known_values_and_gradients() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a = x.exp()
    y = (a * a).sum()
    before = read(y)
    assert [value.raw is not None for value in before.values] == [True, True, False, True]
    assert before.values[1].raw.tolist() == a.tolist()
    assert before.values[0].gradient is None
    y.backward()
    after = read(y)
    assert after.values[0].gradient.tolist() == x.grad.tolist()
    assert [operation.freed for operation in after.operations] == [True, True, False]
    assert not after.operations[0].saved


def test_saved_values_have_names_and_sizes() -> None:
    x = torch.ones(3, requires_grad=True)
    saved = read(x.exp() * x).operations
    assert [(s.name, s.shape, s.nbytes) for s in saved[0].saved] == [("result", (3,), 12)]
    assert [s.name for s in saved[1].saved] == ["self", "other"]


def test_names_of_results_in_functions_that_have_returned() -> None:
    def inner(t: torch.Tensor) -> torch.Tensor:
        scaled = t * 2
        return scaled.exp()

    x = torch.tensor(1.0, requires_grad=True)
    y = inner(x)
    assert names(read(y)) == ["x", None, "scaled", "y"]


def test_several_results() -> None:
    x = torch.ones(3, 2, requires_grad=True)
    first, second = x.unbind(1)
    graph = read(first * second)
    assert names(graph)[:3] == ["x", "first", "second"]
    assert graph.operations[0].results == (graph.values[1], graph.values[2])
    values, indices = x.max(0)
    assert names(read(values)) == ["x", "values", "indices"]
    assert indices.shape == (2,)


def test_a_leaf_alone_is_a_graph() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    graph = read(x)
    assert names(graph) == ["x"]
    assert graph.operations == []


def test_an_unkept_operand_is_found_by_its_text() -> None:
    x = torch.tensor([1.0], requires_grad=True)
    shift = torch.tensor([5.0])
    y = x + shift
    graph = read(y)
    assert names(graph) == ["x", "shift", "y"]
    assert graph.values[1].raw.tolist() == [5.0]


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="does not require grad"):
        read(torch.ones(2))
    with pytest.raises(TypeError, match="got int"):
        read([3])


@pytest.mark.parametrize("kind", [torch.nn.RNN, torch.nn.GRU, torch.nn.LSTM])
def test_every_operation_of_a_recurrent_layer_stands_at_the_line_that_called_it(kind: type[torch.nn.Module]) -> None:
    layer = kind(2, 3)
    hidden = layer(torch.ones(4, 1, 2))[0]
    graph = read(hidden.sum())
    assert {operation.location.filename for operation in graph.operations} == {__file__}
    *inside, total = graph.operations
    assert len({operation.location.lineno for operation in inside}) == 1
    assert total.location.lineno == inside[0].location.lineno + 1
