"""A scan as one kernel: a loop in order, whose body is the loop nests of one step.

Carried arrays lie in the results' memory and change in place; carried numbers are values of the loop. What the loop
stacks goes straight to its row of the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compile.lower.body import Body
from wengert.compile.lower.gathers import is_gather
from wengert.compile.lower.nests import Lowered, may_replace
from wengert.compile.lower.places import MAPPERS, Place
from wengert.compile.lower.roots import Group, Root, grouped, together
from wengert.compile.lower.sizes import Sizes
from wengert.compile.lower.steps import Fused, is_fusible, short
from wengert.compile.nest import Buffer, Carry, Compute, Expr, Kernel, Load, Loop, Operand, Role, Store, at
from wengert.ops.record import TABLE
from wengert.program.passes.cleaning import without_repetition
from wengert.program.passes.constants import first_of, is_uniform
from wengert.program.passes.expansion import expanded
from wengert.program.program import Equation, Program
from wengert.program.values import Value

Constants = Mapping[Value, np.ndarray[Any, Any]]


def lower_scan(
    equation: Equation, constants: Constants, order: Mapping[Value, int], views: Mapping[Value, Equation]
) -> Lowered | None:
    """The kernel of a scan; None if its step is not made of fusible equations alone.

    Args:
        equation: the scan.
        constants: those of the program.
        order: that of the kernel's arguments.
        views: the equations of movement by which inputs were made; the kernel reads what they look at.
    """
    body = without_repetition(expanded(equation.meta["body"], is_repeated=True))
    values = [x for e in body.equations for x in (*e.values, *e.results)] + [*equation.values, *equation.results]
    if not all([is_fusible(e) and not is_gather(e) for e in body.equations]) or not all([x.size for x in values]):
        return None
    if any([not isinstance(x, Value) or short(x.dtype) == "?" for x in (*equation.inputs, *equation.results)]):
        return None
    return _Scan(equation, body, constants, order, views).lowered()


@dataclass(slots=True)
class _Carried:
    """A value that goes from step to step: as the step gets it, as it gives it, and the result."""

    before: Value
    after: Value
    result: Value
    start: Value


class _Scan:
    """One scan being lowered."""

    def __init__(
        self,
        equation: Equation,
        body: Program,
        constants: Constants,
        order: Mapping[Value, int],
        views: Mapping[Value, Equation],
    ) -> None:
        self.equation = equation
        self.constants = constants
        self.views = {x: view for x, view in views.items() if view.op.name in MAPPERS}
        meta = equation.meta
        n, m = meta["carries"], meta["xs"]
        self.length: int = meta["length"]
        self.program = _with_outputs_of_its_own(body)
        given = self.program.inputs
        outputs: Any = self.program.outputs
        inputs: Any = equation.inputs
        self.carried = list(map(_Carried, given[:n], outputs[:n], equation.results[:n], inputs[:n]))
        self.rows = list(zip(given[n : n + m], inputs[n : n + m], strict=True))
        self.fixed = list(zip(given[n + m :], inputs[n + m :], strict=True))
        self.stacked = list(zip(outputs[n:], equation.results[n:], strict=True))
        read = [x for _, x in self.rows] + [self._base(x) for x in (*inputs[:n], *inputs[n + m :])]
        self.arguments = tuple(sorted({x for x in read if not self._is_number(x)}, key=order.__getitem__))
        self.sizes = Sizes([x.shape for x in self.arguments])
        self.outer = Body(Group(self.views, constants), self.sizes)

    def _base(self, x: Any) -> Value:
        """What a value is a view of."""
        while x in self.views:
            x = self.views[x].inputs[0]
        return x  # type: ignore[no-any-return]

    def _is_number(self, x: Value) -> bool:
        base = self._base(x)
        return base in self.constants and is_uniform(self.constants[base])

    def _number(self, x: Value) -> Any:
        return first_of(self.constants[self._base(x)])

    def lowered(self) -> Lowered:
        """The kernel."""
        outer = self.outer
        for i, x in enumerate(self.arguments):
            outer.add_buffer(x, Buffer(f"x{i}", short(x.dtype), self._shape(x), Role.IN))
        for i, x in enumerate(self.equation.results):
            outer.add_buffer(x, Buffer(f"y{i}", short(x.dtype), self._shape(x), Role.OUT))
        for each in self.carried:
            if each.before.ndim:
                self._copy(outer, each.start, each.result)
        inner = self._inner()
        nests = together(inner.group)
        self._add_temporaries(inner)
        in_place = self._placed(inner, nests)
        for roots in nests:
            inner.add_nest(roots, in_place)
        for each in self.carried:
            if each.before.ndim and each.after not in in_place:
                self._copy(inner, each.after, each.result)
        self._close(inner)
        kernel = Kernel("kernel", tuple(outer.buffers), tuple(outer.statements))
        return Lowered(kernel, self.arguments, self.equation.results, (self.equation,))

    def _shape(self, x: Value) -> Any:
        return tuple(map(self.sizes.extent, x.shape))

    def _copy(self, body: Body, source: Value, target: Value) -> None:
        """A nest that writes a value to the memory of another."""
        copied = Value(*target.type)
        body.set_buffer(copied, self.outer.buffer_of(target))
        clone = Equation(TABLE["clone"], (source,), {}, (copied,))
        group, body.group = (
            body.group,
            Group({**body.group.makers, copied: clone}, body.group.constants, body.group.roots),
        )
        body.add_nest([Root(copied, copied.shape, ())])
        body.group = group

    # --- one step ----------------------------------------------------------------------------------------------------

    def _inner(self) -> Body:
        """The body of the loop, knowing where everything is that the step reads and gives."""
        constants = dict(self.program.constants)
        for inner, x in (*self.rows, *self.fixed):
            if self._is_number(x):
                constants[inner] = np.broadcast_to(self._number(x).reshape(()), inner.shape)
        group = grouped(Fused(self.program.equations, self.program.outputs), constants)  # type: ignore[arg-type]
        looked_at = {f: x for f, x in self.fixed if x in self.views and f.ndim}
        aliases = {f: Equation(TABLE["alias"], (x,), {}, (f,)) for f, x in looked_at.items() if f is not x}
        group.makers = {**group.makers, **self.views, **aliases}
        body = Body(group, self.sizes, self.outer)
        row = self._row()
        for inner, x in self.rows:
            if not self._is_number(x):
                body.set_buffer(inner, self.outer.buffer_of(x), row)
        for inner, x in self.fixed:
            if self._is_number(x):
                continue
            if inner in looked_at:
                body.set_buffer(self._base(x), self.outer.buffer_of(self._base(x)))
            elif inner.ndim:
                body.set_buffer(inner, self.outer.buffer_of(x))
            else:
                body.set_scalar(inner, self._loaded(x))
        for inner, y in self.stacked:
            body.set_buffer(inner, self.outer.buffer_of(y), row)
        for each in self.carried:
            if each.before.ndim:
                body.set_buffer(each.before, self.outer.buffer_of(each.result))
            else:
                body.set_scalar(each.before, self.outer.name())
        return body

    def _row(self) -> Place:
        """The row of the step."""
        if not self.equation.meta["reverse"]:
            return (at("step"),)
        n = self.sizes.extent(self.length)
        return (at("step", -1, n - 1 if isinstance(n, int) else Expr("-", (n, 1))),)

    def _loaded(self, x: Value) -> str:
        """A 0-d value, loaded before the loop."""
        name = self.outer.name()
        place: Place = ()
        while x in self.views:
            view = self.views[x]
            (source,) = view.values
            place = MAPPERS[view.op.name](place, source.shape, view.meta, self.sizes)
            x = source
        self.outer.statements.append(Load(name, self.outer.buffer_of(x).name, place))
        return name

    def _add_temporaries(self, body: Body) -> None:
        """Memory for what a step stores and does not give, and for carried arrays before they replace the old ones."""
        kept = {x for x, _ in self.stacked}
        for i, x in enumerate([x for x in body.group.roots if x.ndim and x not in kept]):
            body.add_buffer(x, Buffer(f"t{i}", short(x.dtype), self._shape(x), Role.TEMP))

    def _placed(self, body: Body, nests: Sequence[Sequence[Root]]) -> frozenset[Value]:
        """The carried arrays that each step writes where it read them: nothing reads them there afterwards."""
        group: Group = body.group
        found = []
        for each in self.carried:
            if each.before.ndim and may_replace(group, nests, each.after, each.before):
                body.set_buffer(each.after, self.outer.buffer_of(each.result))
                found.append(each.after)
        return frozenset(found)

    def _close(self, inner: Body) -> None:
        """The loop around the step, and what is carried as numbers."""
        statements = self.outer.statements
        carries = []
        for each in self.carried:
            if each.before.ndim == 0:
                final, dtype = self.outer.name(), short(each.before.dtype)
                start = self._start(each.start, dtype)
                carries.append((each, Carry(inner.scalar(each.before), start, inner.scalar(each.after), final, dtype)))
        n = self.sizes.extent(self.length)
        loop = Loop("step", n, tuple(inner.statements), carries=tuple([c for _, c in carries]), vector=False)
        statements.append(loop)
        for each, carry in carries:
            statements.append(Store(self.outer.buffer_of(each.result).name, (), carry.final))

    def _start(self, x: Value, dtype: str) -> Operand:
        if self._is_number(x):
            name = self.outer.name()
            (number,) = self._number(x).tolist()
            self.outer.statements.append(Compute(name, "clone", (number,), dtype))
            return name
        return self._loaded(x)


def _with_outputs_of_its_own(body: Program) -> Program:
    """The body with each output made by an equation, once."""
    made = {x for equation in body.equations for x in equation.results}
    equations, outputs = list(body.equations), []
    for x in body.outputs:
        y = x
        if x not in made:
            y = Value(*x.type)  # type: ignore[union-attr]
            equations.append(Equation(TABLE["clone"], (x,), {}, (y,)))
        made.discard(y)
        outputs.append(y)
    return body.replaced(equations=equations, outputs=outputs)


__all__ = ["lower_scan"]
