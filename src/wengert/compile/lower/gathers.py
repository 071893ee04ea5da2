"""Elements chosen by index arrays, as loads at computed places; and the choice among values that stand side by side.

It knows how the places of a result and of its input belong together, and nothing of loops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from wengert.compile.lower.places import broadcast
from wengert.compile.lower.sizes import SHORT
from wengert.compile.nest import Affine, Index
from wengert.program.program import Equation
from wengert.program.values import Value

INTEGERS: Final = ("i8", "i4", "i2", "i1", "u1")


def is_gather(equation: Equation) -> bool:
    """Whether the equation's result is elements of its first input, at places that integers give."""
    name, xs = equation.op.name, equation.inputs
    if name not in ("index", "index_select", "gather") or not all([isinstance(x, Value) for x in xs]):
        return False
    x, *indices = equation.values
    if not x.ndim or not x.size or any([i.dtype.str[1:] not in INTEGERS or not i.dtype.isnative for i in indices]):
        return False
    if name == "index":
        dims = _indexed(equation)
        return dims == list(range(dims[0], dims[0] + len(dims)))
    return name == "gather" or indices[0].ndim == 1


def _indexed(equation: Equation) -> list[int]:
    return [dim for dim, here in enumerate(equation.meta["spec"]) if here]


def indices_of(equation: Equation) -> Iterator[tuple[Value, int]]:
    """The index arrays of a gather, and which axis of its first input each is for."""
    if equation.op.name == "class_spread":
        _, classes = equation.values
        yield classes, 1  # of the result
        return
    _, *indices = equation.values
    dims = _indexed(equation) if equation.op.name == "index" else [equation.meta["dim"]]
    yield from zip(indices, dims, strict=True)


def place_in_source(
    equation: Equation, place: tuple[Affine, ...], computed: Callable[[Value, tuple[Affine, ...]], Index]
) -> tuple[Index, ...]:
    """Where in the first input of a gather the result's element at a place stands.

    Args:
        equation: the gather.
        place: of the result's element.
        computed: gives the index that is the element of an index array at a place.
    """
    found = list(indices_of(equation))
    _, first = found[0]
    if equation.op.name == "gather":
        inner, after = place, place[first + 1 :]
    else:
        width = max([index.ndim for index, _ in found])
        inner, after = place[first : first + width], place[first + width :]
    return (*place[:first], *[computed(index, broadcast(inner, index.shape)) for index, _ in found], *after)


_FEW_PARTS: Final = 4  # each of which is looked for at every place


def is_joining(equation: Equation) -> bool:
    """Whether the equation puts values side by side: along a short axis, or a few along a long one."""
    if equation.op.name not in ("stack", "cat") or not equation.results[0].size:
        return False
    values = list(equation.values)
    same = len(values) == len(equation.inputs) and all([x.dtype == equation.results[0].dtype for x in values])
    return same and (not joins_long(equation) or len(values) <= _FEW_PARTS)


def joins_long(equation: Equation) -> bool:
    """Whether the axis along which values are put side by side is a long one: then they must be in memory."""
    return equation.op.name == "cat" and bool(equation.results[0].shape[equation.meta["dim"]] > SHORT)


def joined_at(equation: Equation, number: int, place: tuple[Any, ...]) -> tuple[Value, tuple[Any, ...]]:
    """Which input of a stack or cat has the elements at ``number`` along its axis, and where in it."""
    dim, values = equation.meta["dim"], list(equation.values)
    if equation.op.name == "stack":
        return values[number], place[:dim] + place[dim + 1 :]
    for x in values:
        if number < x.shape[dim]:
            return x, (*place[:dim], Affine((), number), *place[dim + 1 :])
        number -= x.shape[dim]
    raise IndexError(f"{number} is outside of what is joined")


__all__ = ["INTEGERS", "indices_of", "is_gather", "is_joining", "joined_at", "joins_long", "place_in_source"]
