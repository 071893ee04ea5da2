"""The layout of layered drawings: nothing overlaps, lines run round what they have no business in, always the same."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wengert.see.layered.crossings import order_layers
from wengert.see.layered.layers import assign_layers
from wengert.see.layered.level import Net, Rectangle, arrange
from wengert.see.layered.nested import Cell, Nested


def test_every_edge_leads_to_a_later_layer_and_sources_stand_by_their_users() -> None:
    edges = [(0, 1), (1, 2), (2, 3), (4, 3)]
    layers = assign_layers(5, edges)
    assert layers == [0, 1, 2, 3, 2]


def test_what_is_pinned_stands_first_and_last() -> None:
    layers = assign_layers(4, [(0, 3), (1, 2), (2, 3), (1, 3)], first=frozenset([0]), last=frozenset([3]))
    assert layers == [0, 0, 1, 2]


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        assign_layers(2, [(0, 1), (1, 0)])


def test_lines_are_uncrossed_where_that_is_possible() -> None:
    layers = [[0, 1, 2], [3, 4, 5]]
    pairs = [(0, 5), (1, 4), (2, 3)]
    above = [[(a, 0.0) for a, b in pairs if b == node] for node in range(6)]
    below = [[(b, 0.0) for a, b in pairs if a == node] for node in range(6)]
    order_layers(layers, above, below)
    assert [(layers[0].index(a), layers[1].index(b)) for a, b in pairs] in (
        [(0, 0), (1, 1), (2, 2)],
        [(2, 2), (1, 1), (0, 0)],
    )


def test_a_chain_is_straight() -> None:
    rectangles = [Rectangle(width, 20.0) for width in (40.0, 100.0, 60.0)]
    arrange(rectangles, [Net(0, targets=[(1, None)]), Net(1, targets=[(2, None)])])
    assert [r.x for r in rectangles] == [50.0, 50.0, 50.0]


def test_a_line_past_several_layers_is_straight_where_there_is_room() -> None:
    rectangles = [Rectangle(40.0, 20.0, inlet=20.0) for _ in range(6)]
    chain = [Net(i, targets=[(i + 1, None)]) for i in range(5)]
    chain[0].targets.append((5, None))
    arrange(rectangles, chain)
    line = chain[0].lines[1]
    xs = [x for x, _ in line[2:-2]]
    assert len(set(xs)) == 1
    assert abs(xs[0] - rectangles[2].x) > 20.0  # beside the chain, not through it


@st.composite
def nested_graphs(draw: st.DrawFn) -> tuple[Cell, list[tuple[int, int]]]:
    """Cells in boxes in boxes, and edges from earlier to later cells."""
    count = draw(st.integers(1, 14))
    numbers = iter(range(100, 200))

    def cells(low: int, high: int, depth: int) -> list[Cell]:
        made: list[Cell] = []
        while low < high:
            if depth < 3 and high - low > 1 and draw(st.booleans()):
                cut = draw(st.integers(low + 1, high))
                inside = cells(low, cut, depth + 1)
                title = draw(st.sampled_from([0.0, 60.0, 300.0]))
                made.append(Cell(next(numbers), title, children=inside, inset=(26.0, 16.0, 16.0, 16.0), title=title))
                low = cut
            else:
                width = draw(st.sampled_from([20.0, 60.0, 200.0]))
                made.append(Cell(low, width, draw(st.sampled_from([20.0, 90.0])), inlet=width / 2))
                low += 1
        return made

    root = Cell("root", children=cells(0, count, 0))
    pairs = st.integers(0, count - 1)
    edges = (
        draw(st.lists(st.tuples(pairs, pairs).filter(lambda pair: pair[0] < pair[1]), max_size=24)) if count > 1 else []
    )
    return root, edges


@settings(max_examples=150, deadline=None)
@given(nested_graphs())
def test_boxes_hold_their_cells_and_nothing_else(graph: tuple[Cell, list[tuple[int, int]]]) -> None:
    root, edges = graph
    lines = Nested(root, edges).layout()
    cells = {cell.key: cell for cell in root.walk()}
    for cell in root.walk():
        for child in cell.children:
            assert cell.x - 0.01 <= child.x
            assert child.x + child.width <= cell.x + cell.width + 0.01
            assert cell.y - 0.01 <= child.y
            assert child.y + child.height <= cell.y + cell.height + 0.01
        for number, a in enumerate(cell.children):
            for b in cell.children[:number]:
                apart_across = a.x >= b.x + b.width or b.x >= a.x + a.width
                apart_along = a.y >= b.y + b.height or b.y >= a.y + a.height
                assert apart_across or apart_along
    for (source, target), line in zip(edges, lines, strict=True):
        a, b = cells[source], cells[target]
        assert line[0] == pytest.approx((a.x + a.width / 2, a.y + a.height))
        assert line[-1][1] == pytest.approx(b.y)
        assert abs(line[-1][0] - b.x - b.width / 2) <= b.inlet / 2 + 0.01
        assert all(y0 <= y1 + 1e-6 for (_, y0), (_, y1) in pairwise(line))
        straight = [(p, q) for p, q in pairwise(line) if p[0] == q[0]]
        for (x, y0), (_, y1) in straight:  # curves only run in the gaps between layers, where nothing stands
            for cell in root.walk():
                if not cell.children and cell not in (a, b):
                    inside = (
                        cell.x < x < cell.x + cell.width and y0 < cell.y + cell.height - 0.01 and y1 > cell.y + 0.01
                    )
                    assert not inside, (source, target, cell.key)


def test_the_same_graph_is_always_drawn_the_same() -> None:
    def places() -> list[tuple[float, float]]:
        r = random.Random(3)
        root = Cell("root", children=[Cell(i, 40.0, 20.0, inlet=20.0) for i in range(60)])
        edges = [(a, b) for b in range(1, 60) for a in {r.randrange(b), r.randrange(b)}]
        Nested(root, edges).layout()
        return [(cell.x, cell.y) for cell in root.children]

    assert places() == places()
