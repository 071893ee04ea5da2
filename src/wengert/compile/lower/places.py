"""Movement as index arithmetic: where in its input an element of the result stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from wengert.compile.lower.sizes import Sizes
from wengert.compile.nest import Affine, Expr, Extent
from wengert.program.program import Equation
from wengert.program.values import Value

Place = tuple[Affine, ...]
FIRST: Final = Affine()

Mapper = Callable[[Place, tuple[int, ...], Mapping[str, Any], Sizes], Place]


def _expand(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    del meta, sizes
    return broadcast(place, shape)


def broadcast(place: Place, shape: tuple[int, ...]) -> Place:
    """The place in an array of ``shape`` that is broadcast to the shape that ``place`` belongs to."""
    last = place[len(place) - len(shape) :]
    return tuple([FIRST if n == 1 else p for n, p in zip(shape, last, strict=True)])


def _unsqueeze(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    del shape, sizes
    return place[: meta["dim"]] + place[meta["dim"] + 1 :]


def _permute(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    del shape, sizes
    dims = meta["dims"]
    return tuple([place[dims.index(axis)] for axis in range(len(dims))])


def _transpose(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    del sizes
    if not shape:
        return place
    swapped = list(place)
    a, b = meta["dim0"], meta["dim1"]
    swapped[a], swapped[b] = swapped[b], swapped[a]
    return tuple(swapped)


def _t(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    del shape, meta, sizes
    return place[::-1]


def _same(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    del shape, meta, sizes
    return place


def _select(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    del sizes
    dim, index = meta["dim"], meta["index"]
    return (*place[:dim], Affine((), index if index >= 0 else index + shape[dim]), *place[dim:])


def _slice(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    del sizes
    dim = meta["dim"]
    start, _, step = slice(meta["start"], meta["stop"], meta["step"]).indices(shape[dim])
    return (*place[:dim], _moved(place[dim], step, start), *place[dim + 1 :])


def _moved(p: Affine, step: int, start: Extent) -> Affine:
    """``start + step * p``."""
    if step == 1 and start == 0:
        return p
    terms = tuple([(axis, k * step if isinstance(k, int) else Expr("*", (k, step))) for axis, k in p.terms])
    offset = p.offset
    scaled = offset * step if isinstance(offset, int) else Expr("*", (offset, step))
    if isinstance(scaled, int) and isinstance(start, int):
        return Affine(terms, scaled + start)
    return Affine(terms, Expr("+", (scaled, start)))


def _flip(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    dims = meta["dims"]
    flipped = list(place)
    for dim in dims:
        n = sizes.extent(shape[dim])
        flipped[dim] = _moved(place[dim], -1, n - 1 if isinstance(n, int) else Expr("-", (n, 1)))
    return tuple(flipped)


def _diagonal(place: Place, shape: tuple[int, ...], meta: Mapping[str, Any], sizes: Sizes) -> Place:
    del sizes
    rows, columns, offset = meta["dim1"] % len(shape), meta["dim2"] % len(shape), meta["offset"]
    *others, along = place
    inner = {rows: _moved(along, 1, max(0, -offset)), columns: _moved(along, 1, max(0, offset))}
    rest = iter(others)
    return tuple([inner[axis] if axis in inner else next(rest) for axis in range(len(shape))])


MAPPERS: Final[dict[str, Mapper]] = {
    "expand": _expand,
    "unsqueeze": _unsqueeze,
    "permute": _permute,
    "transpose": _transpose,
    "t": _t,
    "alias": _same,
    "select": _select,
    "slice": _slice,
    "flip": _flip,
    "diagonal": _diagonal,
    "diagonal_copy": _diagonal,
}

# Reshapes: the same elements in the same order.
RESHAPES: Final = frozenset(
    {"reshape", "view", "unsafe_view", "reshape_alias", "squeeze_all", "squeeze_dim", "squeeze"}
)

# What stands on the diagonal of matrices, and what is left of matrices beside it.
DIAGONALS: Final = frozenset({"diagonal_backward", "diag_embed"})
TRIANGLES: Final = {"tril": "le", "triu": "ge"}  # how a column less its row is to the number of the diagonal
# Parts of an array with zeros around them: the cotangents of what one index, a slice or each row's class took, too.
EMBEDDINGS: Final = frozenset({"select_backward", "slice_backward", "class_spread", *DIAGONALS, *TRIANGLES})


def is_movement(equation: Equation) -> bool:
    """Whether the equation is index arithmetic here."""
    if equation.op.name == "expand":
        (x,) = equation.inputs
        return isinstance(x, Value)
    return equation.op.name in MAPPERS or equation.op.name in RESHAPES


def only_ones_differ(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two shapes are the same but for axes of length 1."""
    return [n for n in a if n != 1] == [n for n in b if n != 1]


def through_ones(place: Place, shape: tuple[int, ...], inner: tuple[int, ...]) -> Place:
    """The place in an array of shape ``inner``, which is ``shape`` but for axes of length 1."""
    rest = iter([p for p, n in zip(place, shape, strict=True) if n != 1])
    return tuple([FIRST if n == 1 else next(rest) for n in inner])
