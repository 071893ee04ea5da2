"""Cutting a program into kernels and calls of NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Final

from wengert._records import record
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.llvm.scalars import supports
from wengert.compile.lower.gathers import INTEGERS, is_gather, is_joining
from wengert.compile.lower.places import DIAGONALS, TRIANGLES, is_movement
from wengert.ops.record import Kind
from wengert.program.program import Equation, Program
from wengert.program.values import Value


@record
class Calls:
    """Equations that run on NumPy, in order."""

    equations: tuple[Equation, ...]


@record
class Fused:
    """Equations that become one kernel, and the values that it gives to the rest of the program."""

    equations: tuple[Equation, ...]
    results: tuple[Value, ...]


Step = Calls | Fused

REDUCTIONS: Final[Mapping[str, str]] = {
    "sum": "sum",
    "mean": "sum",
    "prod": "prod",
    "amax": "max",
    "amin": "min",
    "max_all": "max",
    "min_all": "min",
    "any": "any",
    "all": "all",
    "count_nonzero": "sum",
}
# Products of two matrices, or of stacks of as many matrices.
PRODUCTS: Final = frozenset({"mm", "bmm"})
# Operations whose first or second input is a mask beside inputs of another dtype: which input says the dtype.
MASKED: Final = {"where": 1, "zero_where": 0, "masked_fill": 0}


def short(dtype: Any) -> str:
    """NumPy's short name of a dtype: f4, i8, b1."""
    return str(dtype.str[1:]) if dtype.isnative else "?"


def is_fusible(equation: Equation) -> bool:
    """Whether an equation can be part of a kernel."""
    values = [*equation.values, *equation.results]
    if any([short(x.dtype) not in ELEMENTS or x.size == 0 for x in values]) or len(equation.results) != 1:
        return False
    op = equation.op
    if is_movement(equation) or is_gather(equation) or is_joining(equation):
        return True
    if op.name in PRODUCTS:
        return all([short(x.dtype) in ("f4", "f8") for x in values]) and len(values) == 3
    if op.name in REDUCTIONS:
        return _is_fusible_reduction(equation)
    if op.name == "class_spread":
        rows, classes, y = values
        return y.ndim == 2 and classes.ndim == 1 and rows.ndim <= 1 and short(classes.dtype) in INTEGERS
    if op.name in ("zeros_like", "ones_like", "select_backward"):
        return True
    if op.name in DIAGONALS:  # of the last two axes: all of the diagonal, or that of a square
        (y,) = equation.results
        axes = equation.meta["dim1"] % y.ndim, equation.meta["dim2"] % y.ndim
        return bool(axes == (y.ndim - 2, y.ndim - 1) and equation.meta["offset"] == 0 and y.shape[-1] == y.shape[-2])
    if op.name in TRIANGLES:
        return True
    if op.name == "slice_backward":
        return bool(equation.meta["step"] == 1)
    if op.kind is not Kind.ELEMENTWISE or op.name == "share":
        return False
    return _is_fusible_elementwise(equation)


def _is_fusible_reduction(equation: Equation) -> bool:
    (x,) = equation.inputs
    dim = equation.meta.get("dim")
    named = dim is None or isinstance(dim, (int, tuple))
    return isinstance(x, Value) and named and equation.results[0].dtype.kind in "fib"


def _is_fusible_elementwise(equation: Equation) -> bool:
    name = equation.op.name
    inputs = equation.inputs
    values = list(equation.values)
    if not values:
        return False
    if name == "cast":
        return True
    masks = 0
    if name in MASKED:
        leading = inputs[MASKED[name]]
        mask = inputs[0 if name == "where" else 1]
        if not isinstance(mask, Value) or mask.dtype.kind != "b":
            return False
        masks = 1
        others = [x for x in inputs if x is not mask and isinstance(x, Value)]
    else:
        leading, others = values[0], values
    dtypes = {short(x.dtype) for x in others}
    if len(dtypes) > 1 or (masks and not others):
        return False
    dtype = short(leading.dtype) if isinstance(leading, Value) else dtypes.pop()
    meta = tuple(equation.meta.items())
    return supports(name, dtype, meta)


def cut_into_steps(program: Program) -> list[Step]:
    """The steps of a program, in an order in which they can run.

    Every equation has a level: kernels have even ones, calls odd ones. Fusible equations of one level make one kernel.
    Every step takes the views that it reads, as index arithmetic or as NumPy's.
    """
    makers = {x: equation for equation in program.equations for x in equation.results}
    level: dict[Value, int] = {}
    at: dict[Equation, int] = {}
    for equation in program.equations:
        base = max([level.get(x, 0) for x in equation.values], default=0)
        if is_gather(equation):  # what is gathered from, and by what, lies in memory already
            made = [level[x] for x in equation.values if x in level and not _is_looked_at(x, equation, makers)]
            base = max([base, *[n + 1 for n in made]])
        if equation.op.name == "class_spread" and not _is_known_first(equation.inputs[1], base, level, makers):
            base += 2 - base % 2
        here = base + base % 2 if is_fusible(equation) else base + 1 - base % 2
        at[equation] = here
        level.update(dict.fromkeys(equation.results, here))
    groups: dict[int, set[Equation]] = {}
    sources: dict[int, set[Value]] = {}  # what gathers of a level choose from: that lies in memory, views of it too
    for equation, here in at.items():
        if is_gather(equation):
            sources.setdefault(here, set()).add(next(iter(equation.values)))
    for equation, here in at.items():
        group = groups.setdefault(here, set())
        group.add(equation)
        _take_views(equation, here, makers, at, group, sources.get(here, set()))
    number = {equation: i for i, equation in enumerate(program.equations)}
    ordered = {here: sorted(groups[here], key=number.__getitem__) for here in sorted(groups)}
    return _steps(ordered, at, {x: place for place, x in enumerate(program.outputs) if isinstance(x, Value)})


def _is_looked_at(x: Value, gather: Equation, makers: Mapping[Value, Equation]) -> bool:
    """Whether an index array is found by index arithmetic in memory that a kernel takes."""
    while x in makers and x is not gather.inputs[0] and makers[x].op.view and is_movement(makers[x]):
        (x,) = makers[x].values
    return x not in makers


def _is_known_first(x: Any, base: int, level: Mapping[Value, int], makers: Mapping[Value, Equation]) -> bool:
    """Whether the elements of a value are computed one by one from what a kernel of this level takes."""
    stack, here = [x], base + base % 2
    while stack:
        x = stack.pop()
        if x not in makers or level[x] < here:
            continue
        if not (is_movement(makers[x]) or makers[x].op.kind is Kind.ELEMENTWISE):
            return False
        stack.extend(makers[x].values)
    return True


def _take_views(
    equation: Equation,
    here: int,
    makers: Mapping[Value, Equation],
    at: Mapping[Equation, int],
    group: set[Equation],
    kept: Set[Value],
) -> None:
    """Let the group of an equation have the views of other levels that it reads."""
    stack = list(equation.values)[is_gather(equation) :]
    while stack:
        x = stack.pop()
        maker = makers.get(x)
        if (
            maker is not None
            and x not in kept
            and maker not in group
            and maker.op.view
            and at[maker] % 2 == 0
            and at[maker] < here
        ):
            group.add(maker)
            stack.extend(maker.values)


def _steps(
    groups: Mapping[int, list[Equation]], at: Mapping[Equation, int], outputs: Mapping[Value, int]
) -> list[Step]:
    steps: list[Step] = []
    readers = _readers(groups)
    for here, group in groups.items():
        if here % 2:
            steps.append(Calls(tuple(group)))
            continue
        own = [x for equation in group if at[equation] == here for x in equation.results]
        results = [x for x in own if x in outputs or readers.get(x, set()) - {here}]
        if results:
            results.sort(key=lambda x: outputs.get(x, len(outputs)))  # as the program returns them, where it does
            steps.append(Fused(tuple(group), tuple(results)))
    return steps


def _readers(groups: Mapping[int, list[Equation]]) -> dict[Value, set[int]]:
    """The levels that read each value, but for that which makes it there itself."""
    readers: dict[Value, set[int]] = {}
    for here, group in groups.items():
        made = {x for equation in group for x in equation.results}
        for equation in group:
            for x in equation.values:
                if x not in made:
                    readers.setdefault(x, set()).add(here)
    return readers
