"""The statements of a kernel: nests of loops in which values are computed at places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from math import prod
from typing import Any

from wengert.compile.llvm.places import total
from wengert.compile.lower.places import MAPPERS, Place, broadcast, only_ones_differ, through_ones
from wengert.compile.lower.sizes import SHORT, Sizes
from wengert.compile.lower.steps import MASKED, REDUCTIONS, short
from wengert.compile.nest import (
    Acc,
    Affine,
    Buffer,
    Compute,
    Extent,
    Iota,
    Load,
    Loop,
    Operand,
    Statement,
    Store,
    at,
)
from wengert.program.program import Equation
from wengert.program.values import Value


class Level:
    """What stands in one loop of a nest: before the next inner loop, and after it."""

    def __init__(self, axis: str | None, extent: Extent) -> None:
        self.axis = axis
        self.extent = extent
        self.before: list[Statement] = []
        self.after: list[Statement] = []
        self.accs: list[Acc] = []


class Body:
    """The buffers and statements of a kernel under construction, or with ``around`` of a loop in it."""

    def __init__(self, group: Any, sizes: Sizes, around: Body | None = None) -> None:
        self.group = group
        self.sizes = sizes
        self.buffers: list[Buffer] = [] if around is None else around.buffers
        self.statements: list[Statement] = []
        self._buffer_of: dict[Value, Buffer] = {}
        self._row_of: dict[Value, Place] = {}  # where in its buffer a value begins, if that is in a loop around this
        self._aliases: dict[tuple[str, tuple[int, ...]], str] = {} if around is None else around._aliases
        self._scalars: dict[Value, str] = {}  # 0-d values, by the names of what is computed
        self._numbers: Iterator[int] = count(1) if around is None else around._numbers
        self._overwriting: frozenset[Value] = frozenset()
        # Of the nest that is being written:
        self._levels: list[Level] = []
        self._late: list[Store] = []
        self._known: dict[Any, str] = {}
        self._depth: dict[str, int] = {}  # at which level a name was given

    def add_buffer(self, value: Value, buffer: Buffer, row: Place = ()) -> None:
        """Declare the memory of a value."""
        self.buffers.append(buffer)
        self.set_buffer(value, buffer, row)

    def set_buffer(self, value: Value, buffer: Buffer, row: Place = ()) -> None:
        """Let a value be in a buffer, or in one row of it."""
        self._buffer_of[value] = buffer
        if row:
            self._row_of[value] = row

    def buffer_of(self, value: Value) -> Buffer:
        """The memory of a value."""
        return self._buffer_of[value]

    def set_scalar(self, value: Value, name: str) -> None:
        """Let a 0-d value be what has this name."""
        self._scalars[value] = name

    def scalar(self, value: Value) -> str:
        """The name of a 0-d value that is known."""
        return self._scalars[value]

    def name(self) -> str:
        """A new name."""
        return f"v{next(self._numbers)}"

    # --- nests -----------------------------------------------------------------------------------------------------

    def add_nest(self, roots: Sequence[Any], overwriting: frozenset[Value] = frozenset()) -> None:
        """The loops of roots over the same axes in the same order.

        What is ``overwriting`` lies where others read: it is stored after everything else of an iteration.
        """
        first = roots[0]
        flat = len(first.shape) > 1 and all([self._is_flat(root) for root in roots])
        shape = (prod(first.shape),) if flat else first.shape
        order = (0,) if flat else first.order
        whole = self.sizes.total(first.shape)
        number = next(self._numbers)
        axes = {axis: f"i{number}_{axis}" for axis in range(len(shape))}
        self._overwriting, self._late = overwriting, []
        self._levels = [Level(None, 1)]
        looped = [axis for axis in order if shape[axis] != 1 or flat]
        self._levels += [Level(axes[axis], whole if flat else self.sizes.extent(shape[axis])) for axis in looped]
        self._known, self._depth = {}, {}
        place = tuple([at(axes[axis]) if axis in looped else Affine() for axis in range(len(shape))])
        for root in roots:
            self._add_root(root, place, flat=flat)
        self._levels[-1].before += self._late
        self.statements += self._closed()
        self._levels = []

    def _closed(self) -> list[Statement]:
        """The loops put together."""
        inner: list[Statement] = []
        for number, level in reversed(list(enumerate(self._levels))):
            inner = [*level.before, *inner, *level.after]
            if level.axis is not None:
                accs = tuple(level.accs)
                inner = [Loop(level.axis, level.extent, tuple(inner), accs=accs, parallel=number == 1)]
        return inner

    def _add_root(self, root: Any, place: Place, *, flat: bool) -> None:
        equation = self.group.makers[root.value]
        if equation.op.name not in REDUCTIONS:
            stored = self._named(self._computed(equation, place, flat=flat), short(root.value.dtype))
            self._store(root.value, place, stored, flat=flat)
            self._known[root.value, None if flat else place] = stored
            return
        (x,) = equation.inputs
        result = root.value
        value = self._operand(x, place, flat=flat)
        if equation.op.name in ("any", "all", "count_nonzero") and x.dtype.kind != "b":
            value = self._compute("ne", (value, 0), "b1")
        accumulated = self._accumulation_dtype(equation)
        is_truth = equation.op.name in ("any", "all")
        if not is_truth and (equation.op.name == "count_nonzero" or short(x.dtype) != accumulated):
            value = self._compute("cast", (value,), accumulated)
        kept = 0 if flat else len([n for axis, n in enumerate(root.shape) if axis not in root.reduced and n != 1])
        name = self._accumulate(REDUCTIONS[equation.op.name], self._named(value, accumulated), kept)
        if equation.op.name == "mean":
            count = prod([root.shape[axis] for axis in root.reduced]) if root.reduced else 1
            name = self._compute_at(kept, "div", (name, self._number(float(count), kept, accumulated)), accumulated)
        if short(result.dtype) != accumulated:
            name = self._compute_at(kept, "cast", (name,), short(result.dtype))
        if result.ndim == 0:
            self._scalars[result] = name
        if result in self._buffer_of:
            to = self._row_of.get(result, ()) + self._result_place(root, place, result, flat=flat)
            self._put(Store(self._buffer_of[result].name, to, name), kept)

    def _accumulation_dtype(self, equation: Equation) -> str:
        if equation.op.name in ("any", "all"):
            return "b1"
        return short(equation.results[0].dtype)

    def _result_place(self, root: Any, place: Place, result: Value, *, flat: bool) -> Place:
        if flat:
            return (Affine(),) * result.ndim
        if result.ndim == len(root.shape):
            return tuple([Affine() if axis in root.reduced else p for axis, p in enumerate(place)])
        return tuple([p for axis, p in enumerate(place) if axis not in root.reduced])

    def _accumulate(self, op: str, value: str, kept: int) -> str:
        """Accumulate a value over the loops inside of the first ``kept``; the name of the result, known there."""
        for level in reversed(self._levels[kept + 1 :]):
            name = self.name()
            level.accs.append(Acc(name, op, value))
            value = name
        self._depth[value] = kept
        return value

    def _put(self, statement: Statement, depth: int) -> None:
        """A statement after the inner loops of a level."""
        (self._levels[depth].after if depth < len(self._levels) - 1 else self._levels[depth].before).append(statement)

    def _compute_at(self, depth: int, op: str, args: tuple[Operand, ...], dtype: str) -> str:
        """A computation with the result of a reduction."""
        name = self.name()
        self._put(Compute(name, op, args, dtype), depth)
        self._depth[name] = depth
        return name

    # --- values ----------------------------------------------------------------------------------------------------

    def _operand(self, x: Any, place: Place, *, flat: bool) -> Operand:
        """The element of a value at a place, as a name or a number."""
        if not isinstance(x, Value):
            return x  # type: ignore[no-any-return]
        constant = self.group.constants.get(x)
        if constant is not None and x not in self._buffer_of:
            return constant.ravel()[:1].tolist()[0]  # type: ignore[no-any-return]
        if x in self._scalars:
            return self._scalars[x]
        if flat and x.size == 1:  # the same at every place
            place, flat = (Affine(),) * x.ndim, False
        key = (x, None if flat else place)
        known = self._known.get(key)
        if known is None:
            maker = self.group.inlined(x)
            found = self._load(x, place, flat=flat) if maker is None else self._computed(maker, place, flat=flat)
            if not isinstance(found, str):
                return found
            known = self._known[key] = found
        return known

    def _load(self, x: Value, place: Place, *, flat: bool) -> str:
        flattened = flat and x.ndim != 1
        buffer = self._alias(x, (x.size,)) if flattened else self._buffer_of[x].name
        return self._load_from(buffer, self._row_of.get(x, ()) + place)

    def _load_from(self, buffer: str, place: Place, outside: int | None = None) -> str:
        name = self.name()
        depth = self._depth_of_place(place)
        self._levels[depth].before.append(Load(name, buffer, place, outside))
        self._depth[name] = depth
        return name

    def _alias(self, x: Value, shape: tuple[int, ...]) -> str:
        """The buffer of ``x`` under another shape."""
        buffer = self._buffer_of[x]
        key = (buffer.name, shape)
        if key not in self._aliases:
            self._aliases[key] = name = f"{buffer.name}_{len(self._aliases)}"
            extents = (self.sizes.total(x.shape),) if len(shape) == 1 else tuple(map(self.sizes.extent, shape))
            extents = (*buffer.shape[: len(self._row_of.get(x, ()))], *extents)
            self.buffers.append(Buffer(name, buffer.dtype, extents, buffer.role, alias=buffer.name))
        return self._aliases[key]

    def _store(self, x: Value, place: Place, value: Operand, *, flat: bool) -> None:
        depth = len(self._levels) - 1
        if x.ndim == 0:
            self._scalars[x] = self._named(value, short(x.dtype))
            value = self._scalars[x]
        if x in self._buffer_of:
            buffer = self._buffer_of[x].name
            if flat:
                buffer = self._alias(x, (x.size,))
            store = Store(buffer, self._row_of.get(x, ()) + place, value)
            (self._late if x in self._overwriting else self._levels[depth].before).append(store)

    def _computed(self, equation: Equation, place: Place, *, flat: bool) -> Operand:
        """The element of an equation's result at a place."""
        name = equation.op.name
        (y,) = equation.results
        if name in ("zeros_like", "ones_like"):
            return {"zeros_like": 0, "ones_like": 1}[name]
        if name in MAPPERS:
            (x,) = equation.values
            if not flat:
                place = MAPPERS[name](place, x.shape, equation.meta, self.sizes)
            return self._operand(x, place, flat=flat)
        if name in _EMBEDDINGS:
            return self._embedded(equation, place, flat=flat)
        if name not in _ELEMENTWISE_CASTS and equation.op.kind.value == "movement":
            return self._reshaped(equation, place, flat=flat)
        args: list[Operand] = []
        for operand in equation.inputs:
            if isinstance(operand, Value):
                args.append(self._operand(operand, place if flat else broadcast(place, operand.shape), flat=flat))
            else:
                args.append(self._literal(operand, y))
        if name in MASKED:  # a number beside the mask alone has the result's dtype
            args = [x if isinstance(x, str) else self._named(x, short(y.dtype)) for x in args]
        meta = () if name == "cast" else tuple(equation.meta.items())
        return self._compute(name, tuple(args), short(y.dtype), meta)

    def _reshaped(self, equation: Equation, place: Place, *, flat: bool) -> Operand:
        (x,), (y,) = equation.values, equation.results
        if flat or (x in self.group.constants and x not in self._buffer_of):
            return self._operand(x, place, flat=flat)
        if only_ones_differ(x.shape, y.shape):
            return self._operand(x, through_ones(place, y.shape, x.shape), flat=flat)
        return self._load_from(self._alias(x, y.shape), self._row_of.get(x, ()) + place)

    def _embedded(self, equation: Equation, place: Place, *, flat: bool) -> Operand:
        """A part of an array with zeros around it: the cotangent of what one index or a slice took."""
        (x,), (y,) = equation.values, equation.results
        meta, dim = equation.meta, equation.meta["dim"]
        if flat:
            return self._operand(x, place, flat=True)
        is_slice = equation.op.name == "slice_backward"
        first = meta["start"] if is_slice else meta["index"]
        start, stop, _ = slice(first, meta["stop"] if is_slice else None, 1).indices(y.shape[dim])
        at_dim = place[dim]
        if is_slice and x in self._buffer_of:
            moved = Affine(at_dim.terms, total(at_dim.offset, -start))
            inner = (*place[:dim], moved, *place[dim + 1 :])
            return self._load_from(self._buffer_of[x].name, self._row_of.get(x, ()) + inner, outside=0)
        inner = place if is_slice else place[:dim] + place[dim + 1 :]
        value = self._operand(x, inner, flat=False)
        number = self._iota(at_dim)
        inside = self._compute("eq", (number, start), "b1")
        if is_slice:  # one number throughout
            inside = self._compute("ge", (number, start), "b1")
            inside = self._compute("logical_and", (inside, self._compute("lt", (number, stop), "b1")), "b1")
        dtype = short(y.dtype)
        return self._compute("where", (inside, self._named(value, dtype), self._named(0, dtype)), dtype)

    def _iota(self, index: Affine) -> str:
        """A place along an axis as a value."""
        key = ("iota", index)
        if key not in self._known:
            name, depth = self.name(), self._depth_of_place((index,))
            self._levels[depth].before.append(Iota(name, index))
            self._known[key], self._depth[name] = name, depth
        return self._known[key]

    def _literal(self, x: Any, y: Value) -> Operand:
        """A number of an equation; one that is a size of the kernel is computed from that."""
        if isinstance(x, float) and x > SHORT and y.dtype.kind == "f" and self.sizes.product(x) is not None:
            return self._number(x, 0, short(y.dtype))
        return x  # type: ignore[no-any-return]

    def _number(self, x: float, depth: int, dtype: str) -> Operand:
        extent = self.sizes.product(x) if x > SHORT else None
        if extent is None:
            return x
        key = ("size", x, dtype)
        if key not in self._known:
            whole, name = self.name(), self.name()
            outermost = self._levels[0].before
            outermost.append(Iota(whole, Affine((), extent)))
            outermost.append(Compute(name, "cast", (whole,), dtype))
            self._depth[whole] = self._depth[name] = 0
            self._known[key] = name
        del depth
        return self._known[key]

    def _compute(self, op: str, args: tuple[Operand, ...], dtype: str, meta: Any = ()) -> str:
        depth = max([self._depth.get(arg, 0) for arg in args if isinstance(arg, str)], default=0)
        key = (op, args, tuple(map(type, args)), dtype, repr(meta))
        if key not in self._known:
            name = self.name()
            self._levels[depth].before.append(Compute(name, op, args, dtype, meta))
            self._depth[name] = depth
            self._known[key] = name
        return self._known[key]

    def _named(self, value: Operand, dtype: str) -> str:
        """A value as a name: a number is computed."""
        return value if isinstance(value, str) else self._compute("clone", (value,), dtype)

    def _depth_of_place(self, place: Place) -> int:
        used = {axis for p in place for axis, _ in p.terms}
        return max([number for number, level in enumerate(self._levels) if level.axis in used], default=0)

    # --- flat loops ------------------------------------------------------------------------------------------------

    def _is_flat(self, root: Any) -> bool:
        """Whether a root can be computed in one loop over all elements in memory order."""
        if root.reduced and len(root.reduced) != len(root.shape):
            return False
        size = prod(root.shape)
        if size == 1:  # one element may be taken from anywhere of something larger
            return False
        stack: list[Value] = [root.value] if not root.reduced else list(self.group.makers[root.value].values)
        seen: set[Value] = set()
        while stack:
            x = stack.pop()
            if x in seen or x.size == 1:
                continue
            seen.add(x)
            maker = self.group.makers[x] if x is root.value else self.group.inlined(x)
            if maker is None:
                if x in self._buffer_of and x.size != size:
                    return False
                continue
            if x.size != size or not _keeps_order(maker):
                return False
            stack.extend(maker.values)
        return True


_EMBEDDINGS = frozenset({"select_backward", "slice_backward"})
_ELEMENTWISE_CASTS = frozenset({"cast", "clone", "contiguous"})


def _keeps_order(equation: Equation) -> bool:
    """Whether each element of the result stands where its inputs' elements do, in memory order."""
    name = equation.op.name
    (y,) = equation.results
    if name in ("expand", "unsqueeze", "alias"):
        return all([x.size in (1, y.size) for x in equation.values])
    if name in MAPPERS or name in _EMBEDDINGS:
        return False
    return all([x.size in (1, y.size) for x in equation.values])


__all__ = ["Body"]
