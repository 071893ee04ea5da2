"""The statements of a kernel: what becomes of each value of a program at each place of a nest of loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

from wengert.compile.lower import parts, running
from wengert.compile.lower.flat import is_flat
from wengert.compile.lower.gathers import is_gather, is_joining
from wengert.compile.lower.inline import combined, embedded, fixed, gathered, joined, reshaped_place
from wengert.compile.lower.levels import Level, Nests
from wengert.compile.lower.matrices import product_statement
from wengert.compile.lower.places import EMBEDDINGS, MAPPERS, Place, broadcast, only_ones_differ, through_ones
from wengert.compile.lower.sizes import SHORT, Sizes
from wengert.compile.lower.steps import MASKED, REDUCTIONS, short
from wengert.compile.lower.updates import Update
from wengert.compile.nest import (
    Affine,
    Buffer,
    Check,
    Extent,
    Index,
    Operand,
    Store,
    at,
)
from wengert.program.passes.constants import first_of
from wengert.program.program import Equation
from wengert.program.values import Value


class Body(Nests):
    """The buffers and statements of a kernel under construction, or with ``around`` of a loop in it."""

    def __init__(self, group: Any, sizes: Sizes, around: Body | None = None) -> None:
        super().__init__(sizes, None if around is None else around._numbers)
        self.group = group
        self.buffers: list[Buffer] = [] if around is None else around.buffers
        self.may_be_flat = True
        self._buffer_of: dict[Value, Buffer] = {}
        self._row_of: dict[Value, Place] = {}  # where in its buffer a value begins, if that is in a loop around this
        self._aliases: dict[tuple[str, tuple[int, ...]], str] = {} if around is None else around._aliases
        self._scalars: dict[Value, str] = {}  # 0-d values, by the names of what is computed
        self.factors: dict[Value, str] = {}  # the buffers of the factors of exponentials of rows in parts
        self._overwriting: frozenset[Value] = frozenset()
        self._in_components = False  # whether short axes are written out as numbers
        self._late: list[Store] = []  # of the nest that is being written

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

    def located(self, x: Value, place: Place) -> tuple[str, Place]:
        """The buffer that a value is a view of, and where in it an element stands."""
        maker = self.group.inlined(x) if x not in self._buffer_of else None
        while maker is not None:
            (source,) = maker.values
            name = maker.op.name
            if name in MAPPERS:
                place = MAPPERS[name](place, source.shape, maker.meta, self.sizes)
            elif only_ones_differ(source.shape, x.shape):
                place = through_ones(place, x.shape, source.shape)
            else:
                return self._alias(source, x.shape), self._row_of.get(source, ()) + place
            x = source
            maker = self.group.inlined(x) if x not in self._buffer_of else None
        return self._buffer_of[x].name, self._row_of.get(x, ()) + place

    # --- nests -----------------------------------------------------------------------------------------------------

    def add_nest(self, roots: Sequence[Any], overwriting: frozenset[Value] = frozenset()) -> None:
        """The loops of roots over the same axes in the same order.

        What is ``overwriting`` lies where others read: it is stored after everything else of an iteration.
        """
        first = roots[0]
        if first.is_product:
            self.statements.append(product_statement(self, first.value))
            return
        if first.update is not None:
            self._add_update(first.value, first.update)
            return
        self._overwriting, self._late = overwriting, []
        if first.running is not None:
            if first.value is first.running.top:  # the others come with it
                running.add_running(self, first.running)
            return
        rescaled = running.read_by(roots, self.group)
        flat = (
            self.may_be_flat
            and not rescaled
            and len(first.shape) > 1
            and all([is_flat(root, self.group, self._buffer_of) for root in roots])
        )
        shape = (prod(first.shape),) if flat else first.shape
        order = (0,) if flat else first.order
        whole = self.sizes.total(first.shape)
        number = next(self._numbers)
        axes = {axis: f"i{number}_{axis}" for axis in range(len(shape))}
        self.open([])
        looped = [axis for axis in order if shape[axis] != 1 or flat]
        self.levels += [Level(axes[axis], whole if flat else self.sizes.extent(shape[axis])) for axis in looped]
        in_parts = [root for root in roots if root.in_parts]
        if in_parts:  # the rows' loop is in two
            rows = self.levels[-1 if first.alone else 1]
            rows.part = f"i{number}_part", parts.ROWS
            self.levels.insert(1, Level(rows.part[0], parts.number_of_parts(rows.extent)))
        if rescaled:
            running.split(self, rescaled[0])
        place = tuple([at(axes[axis]) if axis in looped else Affine() for axis in range(len(shape))])
        sums = []
        for root in roots:  # those that others read come first
            if root.in_parts:
                sums.append((root, parts.add_to_part(self, root, place)))
            else:
                self._add_root(root, place, flat=flat)
        self.levels[-1].before += self._late
        self.close()
        for root, buffer in sums:
            parts.add_sum(self, root, buffer)

    def _add_update(self, y: Value, update: Update) -> None:
        """A product that is added to what lies where its result goes."""
        scale: Operand = float(update.sign)
        self.open([])
        if isinstance(update.scale, Value):
            dtype = short(y.dtype)
            scale = self.named(self.operand(update.scale, (), flat=False), dtype)
            scale = scale if update.sign > 0 else self.compute("neg", (scale,), dtype)
        elif update.scale is not None:
            scale = update.sign * float(update.scale)
        self.close()
        self.statements.append(product_statement(self, update.product, y, scale))

    def add_components(self, roots: Sequence[Any]) -> None:
        """One loop over the first axis of these roots, their other axes written out."""
        number = next(self._numbers)
        axis = f"i{number}_0"
        self._overwriting, self._late, self._in_components = frozenset(), [], True
        self.open([(axis, self.sizes.extent(roots[0].shape[0]))])
        for root in roots:
            for inner in product(*map(range, root.shape[1:])):
                place = (at(axis), *[Affine((), k) for k in inner])
                found = self.operand(root.value, place, flat=False)
                self._store(root.value, place, self.named(found, short(root.value.dtype)), flat=False)
        self.close()
        self._in_components = False

    def add_check(self, index: Value, extent: Extent) -> None:
        """A loop over an index array that finds whether all of it lies in an axis of this length."""
        number = next(self._numbers)
        self.open([(f"i{number}_{axis}", self.sizes.extent(n)) for axis, n in enumerate(index.shape)])
        group = self.group
        self.group = replace(group, roots={})  # nothing is stored yet
        place = tuple([at(level.axis) for level in self.levels[1:]])
        value = self.named(self.operand(index, place, flat=False), short(index.dtype))
        if short(index.dtype) != "i8":
            value = self.compute("cast", (value,), "i8")
        length = self.iota(Affine((), extent))
        past = self.compute("ge", (value, length), "b1")
        before = self.compute("lt", (value, self.compute("neg", (length,), "i8")), "b1")
        wrong = self.accumulate("any", self.compute("logical_or", (past, before), "b1"), 0, "b1")
        self.levels[0].after.append(Check(wrong, extent))
        self.group = group
        self.close()

    def _add_root(self, root: Any, place: Place, *, flat: bool) -> None:
        equation = self.group.makers[root.value]
        if equation.op.name not in REDUCTIONS:
            stored = self.named(self._computed(equation, place, flat=flat), short(root.value.dtype))
            self._store(root.value, place, stored, flat=flat)
            self._known[root.value, None if flat else place] = stored
            return
        kept = 0 if flat else len([n for axis, n in enumerate(root.shape) if axis not in root.reduced and n != 1])
        if kept and self.levels[2:] and self.levels[2].part is not None:
            kept += 1  # rows are two loops
        accumulated = self._accumulation_dtype(equation)
        self.reduce(root, self.summand(equation, place, flat=flat), accumulated, place, kept, flat=flat)

    def summand(self, equation: Equation, place: Place, *, flat: bool) -> str:
        """What a reduction accumulates."""
        (x,) = equation.values
        value = self.operand(x, place, flat=flat)
        if equation.op.name in ("any", "all", "count_nonzero") and x.dtype.kind != "b":
            value = self.compute("ne", (value, 0), "b1")
        accumulated = self._accumulation_dtype(equation)
        is_truth = equation.op.name in ("any", "all")
        if not is_truth and (equation.op.name == "count_nonzero" or short(x.dtype) != accumulated):
            value = self.compute("cast", (value,), accumulated)
        return self.named(value, accumulated)

    def reduce(self, root: Any, value: str, accumulated: str, place: Place, kept: int, *, flat: bool = False) -> None:
        """Accumulate a value of that dtype over the loops inside of the first ``kept``, and store the result."""
        equation, result = self.group.makers[root.value], root.value
        name = self.accumulate(REDUCTIONS[equation.op.name], value, kept, accumulated)
        if equation.op.name == "mean":
            count = prod([root.shape[axis] for axis in root.reduced]) if root.reduced else 1
            name = self.compute_at(kept, "div", (name, self.number(float(count), accumulated)), accumulated)
        if short(result.dtype) != accumulated:
            name = self.compute_at(kept, "cast", (name,), short(result.dtype))
        if result.ndim == 0:
            self._scalars[result] = name
        if result in self._buffer_of:
            to = self._row_of.get(result, ()) + self._result_place(root, place, result, flat=flat)
            self.put(Store(self._buffer_of[result].name, to, name), kept)

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

    # --- values ----------------------------------------------------------------------------------------------------

    def operand(self, x: Any, place: Place, *, flat: bool) -> Operand:
        """The element of a value at a place, as a name or a number."""
        if not isinstance(x, Value):
            return x  # type: ignore[no-any-return]
        constant = self.group.constants.get(x)
        if constant is not None and x not in self._buffer_of:
            return first_of(constant).item()  # type: ignore[no-any-return]
        if x in self._scalars:
            return self._scalars[x]
        if flat and x.size == 1:  # the same at every place
            place, flat = (Affine(),) * x.ndim, False
        if constant is not None and all([fixed(p) is not None for p in place]):
            return constant[tuple([p.offset for p in place])].item()  # type: ignore[no-any-return]
        key = (x, None if flat else place)
        known = self._known.get(key)
        if known is None:
            maker = self.group.makers.get(x) if self._in_components else self.group.inlined(x)
            found = self._load(x, place, flat=flat) if maker is None else self._computed(maker, place, flat=flat)
            if not isinstance(found, str):
                return found
            known = self._known[key] = found
        return known

    def _load(self, x: Value, place: Place, *, flat: bool) -> str:
        flattened = flat and x.ndim != 1
        buffer = self._alias(x, (x.size,)) if flattened else self._buffer_of[x].name
        loaded = self.load_from(buffer, self._row_of.get(x, ()) + place)
        return running.scaled(self, x, loaded, place) if x in self.factors else loaded

    def is_in_memory(self, x: Value) -> bool:
        """Whether a value can be loaded."""
        return x in self._buffer_of

    def load_value(self, x: Value, place: tuple[Index, ...], outside: int | None = None) -> str:
        """The element of a value in memory at a place, parts of which may be computed."""
        key = (x, "at", place, outside)
        if key not in self._known:
            self._known[key] = self.load_from(self._buffer_of[x].name, (*self._row_of.get(x, ()), *place), outside)
        return self._known[key]

    def load_view(self, x: Value, place: Place, outside: int) -> Operand:
        """The element of a view of something in memory, or ``outside`` where there is none."""
        base = x
        while (maker := self.group.inlined(base)) is not None and base not in self._buffer_of:
            (base,) = maker.values
        if base not in self._buffer_of or base in self._scalars:  # a number throughout
            return self.operand(x, place, flat=False)
        return self.load_from(*self.located(x, place), outside)

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
        depth = len(self.levels) - 1
        if x.ndim == 0:
            self._scalars[x] = self.named(value, short(x.dtype))
            value = self._scalars[x]
        if x in self._buffer_of:
            buffer = self._buffer_of[x].name
            if flat:
                buffer = self._alias(x, (x.size,))
            store = Store(buffer, self._row_of.get(x, ()) + place, value)
            (self._late if x in self._overwriting else self.levels[depth].before).append(store)

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
            return self.operand(x, place, flat=flat)
        if name in REDUCTIONS:
            return combined(self, equation, place)
        if is_gather(equation):
            return gathered(self, equation, place)
        if is_joining(equation):
            return joined(self, equation, place)
        if name in EMBEDDINGS:
            return embedded(self, equation, place, flat=flat)
        if name not in _ELEMENTWISE_CASTS and equation.op.kind.value == "movement":
            return self._reshaped(equation, place, flat=flat)
        args: list[Operand] = []
        for operand in equation.inputs:
            if isinstance(operand, Value):
                args.append(self.operand(operand, place if flat else broadcast(place, operand.shape), flat=flat))
            else:
                args.append(self._literal(operand, y))
        if name in MASKED:  # a number beside the mask alone has the result's dtype
            mask = 0 if name == "where" else 1
            args = [self.named(x, "b1" if i == mask else short(y.dtype)) for i, x in enumerate(args)]
        meta = () if name == "cast" else tuple(equation.meta.items())
        return self.compute(name, tuple(args), short(y.dtype), meta)

    def _reshaped(self, equation: Equation, place: Place, *, flat: bool) -> Operand:
        (x,), (y,) = equation.values, equation.results
        if flat or (x in self.group.constants and x not in self._buffer_of):
            return self.operand(x, place, flat=flat)
        if only_ones_differ(x.shape, y.shape):
            return self.operand(x, through_ones(place, y.shape, x.shape), flat=flat)
        if self._in_components and (inner := reshaped_place(place, y.shape, x.shape)) is not None:
            return self.operand(x, inner, flat=False)
        return self.load_from(self._alias(x, y.shape), self._row_of.get(x, ()) + place)

    def _literal(self, x: Any, y: Value) -> Operand:
        """A number of an equation; one that is a size of the kernel is computed from that."""
        if isinstance(x, float) and x > SHORT and y.dtype.kind == "f" and self.sizes.product(x) is not None:
            return self.number(x, short(y.dtype))
        return x  # type: ignore[no-any-return]


_ELEMENTWISE_CASTS = frozenset({"cast", "clone", "contiguous"})


__all__ = ["Body"]
