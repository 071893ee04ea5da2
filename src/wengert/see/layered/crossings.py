"""In which order the nodes of each layer stand, so that few lines cross.

Knows layers and the links between neighbouring ones. Knows no sizes.

The layers are swept down and up; each node goes to the mean place of its neighbours in the layer before, and the best
order met is kept (Sugiyama, Tagawa and Toda 1981; the mean is their barycentre). Then neighbours change places where
that removes crossings.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Sequence

Link = tuple[int, float]  # a neighbour, and where on it the line ends, from -0.5 to 0.5 of its width

_SWEEPS = 12
_MOST_EXCHANGED = 1_500  # nodes in a drawing up to which neighbours are exchanged


def order_layers(layers: list[list[int]], above: Sequence[Sequence[Link]], below: Sequence[Sequence[Link]]) -> None:
    """Sort each layer in place; `above[v]` are the neighbours of v in the layer before, `below[v]` in the next."""
    best = [list(layer) for layer in layers]
    fewest = _all_crossings(best, below)
    worse = 0
    for sweep in range(_SWEEPS):
        if not fewest or worse == 4:
            break
        down = sweep % 2 == 0
        links = above if down else below
        for index in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            _sort_by_neighbours(layers[index], layers[index - 1 if down else index + 1], links)
        if sum([len(layer) for layer in layers]) <= _MOST_EXCHANGED:
            _exchange(layers, above, below)
        crossings = _all_crossings(layers, below)
        worse = 0 if crossings < fewest else worse + 1
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    for layer, ordered in zip(layers, best, strict=True):
        layer[:] = ordered


def _sort_by_neighbours(layer: list[int], fixed: list[int], links: Sequence[Sequence[Link]]) -> None:
    """Nodes go to the mean place of their neighbours; those without any stay where they are."""
    places = {node: place for place, node in enumerate(fixed)}
    wanted = {
        node: sum([places[other] + end for other, end in links[node]]) / len(links[node])
        for node in layer
        if links[node]
    }
    moving = iter(sorted([node for node in layer if node in wanted], key=wanted.__getitem__))
    layer[:] = [next(moving) if node in wanted else node for node in layer]


def _all_crossings(layers: list[list[int]], below: Sequence[Sequence[Link]]) -> int:
    total = 0
    for upper, lower in itertools.pairwise(layers):
        places = {node: place for place, node in enumerate(lower)}
        seen: list[float] = []
        for node in upper:
            ends = [places[other] + end for other, end in below[node]]
            total += sum([len(seen) - bisect_left(seen, end + 1e-9) for end in ends])
            for end in ends:
                insort(seen, end)
    return total


def _exchange(layers: list[list[int]], above: Sequence[Sequence[Link]], below: Sequence[Sequence[Link]]) -> None:
    """Let neighbours in a layer change places where fewer lines cross then."""
    for index, layer in enumerate(layers):
        sides = []
        for other, links in ((index - 1, above), (index + 1, below)):
            if 0 <= other < len(layers):
                places = {node: place for place, node in enumerate(layers[other])}
                sides.append({node: sorted([places[n] + end for n, end in links[node]]) for node in layer})
        for place in range(len(layer) - 1):
            left, right = layer[place], layer[place + 1]
            now = sum([_pair_crossings(ends[left], ends[right]) for ends in sides])
            then = sum([_pair_crossings(ends[right], ends[left]) for ends in sides])
            if then < now:
                layer[place], layer[place + 1] = right, left


def _pair_crossings(left: list[float], right: list[float]) -> int:
    return sum([bisect_left(right, end - 1e-9) for end in left])
