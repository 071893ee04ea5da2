"""Which layer of a drawing each node stands in.

Knows an acyclic graph of numbered nodes. Knows no sizes and no places.

A line costs as many layers as it spans, and lines of one node to several share their way, so a node's lines cost what
the longest does. The nodes start as early as their inputs let them, or as late as their users let them, and move to
where the lines get shorter; the cheaper of both ends is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_SWEEPS = 4


def assign_layers(
    count: int,
    edges: Sequence[tuple[int, int]],
    first: frozenset[int] = frozenset(),
    last: frozenset[int] = frozenset(),
) -> list[int]:
    """A layer for each node such that every edge leads to a later one, and lines are short.

    Nodes in `first` stand in the first layer and nodes in `last` in the one after all others.
    """
    graph = _Graph(count, [edge for edge in edges if edge[1] not in last], first | last)
    graph.feeds_last = {source for source, target in edges if target in last}
    early = graph.improved(graph.as_early_as_possible())
    late = graph.improved(graph.as_late_as_possible(max(early, default=0)))
    layers = min(early, late, key=graph.cost)
    end = max([layers[node] for node in range(count) if node not in last], default=-1) + 1
    for node in last:
        layers[node] = end
    return layers


class _Graph:
    def __init__(self, count: int, edges: Iterable[tuple[int, int]], pinned: frozenset[int]) -> None:
        self.pinned = pinned
        self.after: list[list[int]] = [[] for _ in range(count)]
        self.before: list[list[int]] = [[] for _ in range(count)]
        self.feeds_last: set[int] = set()
        for source, target in edges:
            if target not in self.after[source]:
                self.after[source].append(target)
                self.before[target].append(source)
        self.order = self._topological()

    def _topological(self) -> list[int]:
        """The nodes in an order in which every edge leads to a later one, as close to their numbers as may be."""
        waiting = [len(before) for before in self.before]
        ready = [node for node in reversed(range(len(waiting))) if not waiting[node]]
        order: list[int] = []
        while ready:
            node = ready.pop()
            order.append(node)
            for follower in reversed(self.after[node]):
                waiting[follower] -= 1
                if not waiting[follower]:
                    ready.append(follower)
        if len(order) < len(waiting):
            raise ValueError("a layered drawing needs an acyclic graph, but this one has a cycle")
        return order

    def as_early_as_possible(self) -> list[int]:
        layers = [0] * len(self.order)
        for node in self.order:
            layers[node] = max([layers[p] + 1 for p in self.before[node]], default=0)
        return layers

    def as_late_as_possible(self, end: int) -> list[int]:
        layers = [end] * len(self.order)
        for node in reversed(self.order):
            layers[node] = min([layers[s] - 1 for s in self.after[node]], default=end)
            if node in self.pinned:
                layers[node] = 0
        return layers

    def cost(self, layers: list[int]) -> int:
        """How many layers the lines span."""
        end = max(layers, default=0) + 1
        ends = [[layers[s] for s in after] for after in self.after]
        for node in self.feeds_last:
            ends[node].append(end)
        return sum([max(targets) - layers[node] for node, targets in enumerate(ends) if targets])

    def improved(self, layers: list[int]) -> list[int]:
        for sweep in range(_SWEEPS):
            moved = False
            for node in reversed(self.order) if sweep % 2 == 0 else self.order:
                if node not in self.pinned:
                    best = self._best_layer(node, layers)
                    moved = moved or best != layers[node]
                    layers[node] = best
            if not moved:
                break
        return layers

    def _best_layer(self, node: int, layers: list[int]) -> int:
        """Where the node's lines are shortest while the others stand still; if several are, where it stands now."""
        least = max([layers[p] + 1 for p in self.before[node]], default=0)
        most = min([layers[s] - 1 for s in self.after[node]], default=layers[node])
        if least >= most or node in self.feeds_last:
            return layers[node]
        # A line to the node costs nothing more as long as another of the same source goes as far.
        reached = [max([layers[s] for s in self.after[p] if s != node], default=0) for p in self.before[node]]
        own = 1 if self.after[node] else 0
        candidates = {least, most, layers[node], *[layer for layer in reached if least <= layer <= most]}
        costs = {c: sum([max(c, other) for other in reached]) - own * c for c in candidates}
        return min(candidates, key=lambda c: (costs[c], c != layers[node], c))
