"""What is computed where it is read, of several elements of its inputs: chosen ones, parts side by side, short sums.

Each function gives the element of an equation's result at a place, as statements of the nest that ``body`` is writing.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from wengert.compile.llvm.places import total
from wengert.compile.lower.components import COMBINED, reduced_axes, reduced_lengths
from wengert.compile.lower.gathers import joined_at, joins_long, place_in_source
from wengert.compile.lower.places import DIAGONALS, FIRST, TRIANGLES, Place
from wengert.compile.lower.steps import short
from wengert.compile.nest import Affine, Index, Indirect, Operand
from wengert.program.program import Equation
from wengert.program.values import Value


def fixed(index: Any) -> int | None:
    """The number that an index is, if it depends on no loop."""
    return index.offset if isinstance(index, Affine) and not index.terms and isinstance(index.offset, int) else None


def gathered(body: Any, equation: Equation, place: Place) -> str:
    """The element that an index array chooses."""

    def computed(index: Value, where: tuple[Affine, ...]) -> Index:
        found = body.operand(index, where, flat=False)
        return Indirect(body.named(found, short(index.dtype)))

    return body.load_value(equation.values[0], place_in_source(equation, place, computed))  # type: ignore[no-any-return]


def joined(body: Any, equation: Equation, place: Place) -> Operand:
    """The element of what is put side by side: one input's, or a choice among them by the place."""
    dim, (y,) = equation.meta["dim"], equation.results
    number = fixed(place[dim])
    if number is not None:
        return body.operand(*joined_at(equation, number, place), flat=False)  # type: ignore[no-any-return]
    if joins_long(equation):
        return _one_of_few(body, equation, place)
    dtype = short(y.dtype)
    where = body.iota(place[dim])
    *others, result = [body.operand(*joined_at(equation, k, place), flat=False) for k in range(y.shape[dim])]
    result = body.named(result, dtype)
    for k, value in reversed(list(enumerate(others))):
        here = body.compute("eq", (where, k), "b1")
        result = body.compute("where", (here, body.named(value, dtype), result), dtype)
    return result  # type: ignore[no-any-return]


def _one_of_few(body: Any, equation: Equation, place: Place) -> Operand:
    """The element of values that follow one another along a long axis, each in memory or a view of what is."""
    dim, dtype = equation.meta["dim"], short(equation.results[0].dtype)
    where, start, result = place[dim], 0, None
    for x in equation.values:
        along = FIRST if x.shape[dim] == 1 else Affine(where.terms, total(where.offset, -start))
        value = body.load_view(x, (*place[:dim], along, *place[dim + 1 :]), outside=0)
        if result is None:
            result = value
        else:
            after = body.compute("ge", (body.iota(where), start), "b1")
            result = body.compute("where", (after, body.named(value, dtype), body.named(result, dtype)), dtype)
        start += x.shape[dim]
    assert result is not None
    return result  # type: ignore[no-any-return]


def combined(body: Any, equation: Equation, place: Place) -> Operand:
    """A reduction over short axes, element after element."""
    (x,), (y,) = equation.values, equation.results
    name, dtype, axes = equation.op.name, short(y.dtype), reduced_axes(equation)
    kept = place if y.ndim == x.ndim else _with_axes(place, axes, x.ndim)
    total: Operand | None = 0.0 if COMBINED[name] == "add" and y.dtype.kind == "f" else None  # -0 + -0 is 0 in NumPy
    for numbers in product(*map(range, reduced_lengths(equation))):
        at = list(kept)
        for axis, number in zip(axes, numbers, strict=True):
            at[axis] = Affine((), number)
        value = body.operand(x, tuple(at), flat=False)
        if name in ("any", "all", "count_nonzero") and x.dtype.kind != "b":
            value = body.compute("ne", (body.named(value, short(x.dtype)), 0), "b1")
        elif short(x.dtype) != dtype and isinstance(value, str):
            value = body.compute("cast", (value,), dtype)
        if name == "count_nonzero":
            value = body.compute("cast", (body.named(value, "b1"),), dtype)
        total = value if total is None else body.compute(COMBINED[name], (total, value), dtype)
    if name == "mean":
        total = body.compute("div", (total, float(prod(reduced_lengths(equation)))), dtype)
    assert total is not None
    return total


def embedded(body: Any, equation: Equation, place: Place, *, flat: bool) -> Operand:
    """A part of an array with zeros around it: the cotangent of what one index or a slice took."""
    if equation.op.name == "class_spread":
        return _at_class(body, equation, place)
    if equation.op.name in DIAGONALS or equation.op.name in TRIANGLES:
        return _beside_diagonal(body, equation, place)
    (x,), (y,) = equation.values, equation.results
    meta, dim = equation.meta, equation.meta["dim"]
    if flat:
        return body.operand(x, place, flat=True)  # type: ignore[no-any-return]
    is_slice = equation.op.name == "slice_backward"
    first = meta["start"] if is_slice else meta["index"]
    start, stop, _ = slice(first, meta["stop"] if is_slice else None, 1).indices(y.shape[dim])
    at_dim = place[dim]
    if (number := fixed(at_dim)) is not None:
        if not start <= number < (stop if is_slice else start + 1):
            return 0
        here = (Affine((), number - start),) if is_slice else ()
        return body.operand(x, (*place[:dim], *here, *place[dim + 1 :]), flat=False)  # type: ignore[no-any-return]
    if is_slice and body.is_in_memory(x):
        moved = Affine(at_dim.terms, total(at_dim.offset, -start))
        inner = (*place[:dim], moved, *place[dim + 1 :])
        return body.load_value(x, inner, outside=0)  # type: ignore[no-any-return]
    inner = place if is_slice else place[:dim] + place[dim + 1 :]
    value = body.operand(x, inner, flat=False)
    along = body.iota(at_dim)
    inside = body.compute("eq", (along, start), "b1")
    if is_slice:  # one number throughout
        inside = body.compute("ge", (along, start), "b1")
        inside = body.compute("logical_and", (inside, body.compute("lt", (along, stop), "b1")), "b1")
    dtype = short(y.dtype)
    return body.compute("where", (inside, body.named(value, dtype), body.named(0, dtype)), dtype)  # type: ignore[no-any-return]


def _beside_diagonal(body: Any, equation: Equation, place: Place) -> Operand:
    """What stands on a diagonal, or of a triangle; 0 elsewhere."""
    (x,), (y,) = equation.values, equation.results
    name, (row, column) = equation.op.name, place[-2:]
    inner = place[:-1] if name in DIAGONALS else place
    test, beyond = ("eq", 0) if name in DIAGONALS else (TRIANGLES[name], equation.meta["diagonal"])
    numbers = fixed(row), fixed(column)
    if numbers[0] is not None and numbers[1] is not None:
        distance = numbers[1] - numbers[0] - beyond
        is_here = {"eq": distance == 0, "le": distance <= 0, "ge": distance >= 0}[test]
        return body.operand(x, inner, flat=False) if is_here else 0
    shifted = Affine(row.terms, total(row.offset, beyond))
    here = body.compute(test, (body.iota(column), body.iota(shifted)), "b1")
    dtype = short(y.dtype)
    value = body.named(body.operand(x, inner, flat=False), dtype)
    return body.compute("where", (here, value, body.named(0, dtype)), dtype)  # type: ignore[no-any-return]


def _at_class(body: Any, equation: Equation, place: Place) -> Operand:
    """A row's number at the row's class, 0 elsewhere; classes below 0 count from the end."""
    (rows, classes), (y,) = equation.values, equation.results
    dtype, row = short(y.dtype), place[:1]
    index = body.named(body.operand(classes, row, flat=False), short(classes.dtype))
    if short(classes.dtype) != "i8":
        index = body.compute("cast", (index,), "i8")
    length = body.iota(Affine((), body.sizes.extent(y.shape[1])))
    from_end = body.compute("add", (index, length), "i8")
    index = body.compute("where", (body.compute("lt", (index, 0), "b1"), from_end, index), "i8")
    here = body.compute("eq", (body.iota(place[1]), index), "b1")
    value = body.named(body.operand(rows, row[: rows.ndim], flat=False), dtype)
    return body.compute("where", (here, value, body.named(0, dtype)), dtype)  # type: ignore[no-any-return]


def _with_axes(place: Place, axes: tuple[int, ...], ndim: int) -> Place:
    rest = iter(place)
    return tuple([FIRST if axis in axes else next(rest) for axis in range(ndim)])


def reshaped_place(place: Place, shape: tuple[int, ...], inner: tuple[int, ...]) -> Place | None:
    """The place in ``inner`` of an element of its reshape to ``shape``.

    All axes must be numbers, or all but a first one that both have.
    """
    numbers = [number for p in place if (number := fixed(p)) is not None]
    if len(numbers) == len(place):
        return tuple([Affine((), k) for k in _moved(numbers, shape, inner)])
    if len(numbers) < len(place) - 1 or fixed(place[0]) is not None or not inner or shape[0] != inner[0]:
        return None
    return (place[0], *[Affine((), k) for k in _moved(numbers, shape[1:], inner[1:])])


def _moved(numbers: list[int], shape: tuple[int, ...], inner: tuple[int, ...]) -> list[int]:
    """Where in ``inner`` the element at these numbers of ``shape`` is."""
    number = 0
    for k, n in zip(numbers, shape, strict=True):
        number = number * n + k
    found = []
    for n in reversed(inner):
        number, k = divmod(number, n)
        found.append(k)
    return found[::-1]


__all__ = ["combined", "embedded", "fixed", "gathered", "joined", "reshaped_place"]
