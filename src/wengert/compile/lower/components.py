"""Outer-axis fusion: one loop over a long first axis, in which all shorter axes are written out as numbers.

So what stands in an array of three beside each member of a batch is three values in registers, whatever moves them
about: sums over short axes, products of vectors, stacks and slices are arithmetic of the loop's body, and nothing lies
in memory but what the kernel reads and gives.
"""

from __future__ import annotations

from collections.abc import Set
from math import prod
from typing import Final

from wengert.compile.lower.gathers import is_gather, is_joining
from wengert.compile.lower.places import RESHAPES, only_ones_differ
from wengert.compile.lower.sizes import SHORT
from wengert.compile.lower.steps import PRODUCTS, REDUCTIONS, Fused
from wengert.program.program import Equation
from wengert.program.values import Value

_MOST_INNER: Final = 256  # elements beside each member
_MOST_WRITTEN: Final = 6000  # in all: machine code that is longer takes long to compile and does not fit the cache

# How the components of a sum and its like come together.
COMBINED: Final = {
    "sum": "add",
    "mean": "add",
    "prod": "mul",
    "amax": "maximum",
    "amin": "minimum",
    "max_all": "maximum",
    "min_all": "minimum",
    "any": "logical_or",
    "all": "logical_and",
    "count_nonzero": "add",
}


def outer_length(step: Fused) -> int | None:
    """The length of the axis that everything in a step runs over, if it is to become one loop over that."""
    lengths = {x.shape[0] if x.ndim else 0 for x in step.results}
    if len(lengths) != 1:
        return None
    (n,) = lengths
    if n <= SHORT or not any([_mixes(equation) for equation in step.equations]):
        return None
    written, made = 0, {x for equation in step.equations for x in equation.results}
    for equation in step.equations:
        (y,) = equation.results
        if (
            equation.op.name in PRODUCTS
            or not (_runs_over(y, n) or _is_small(y.shape))
            or not _keeps_members(equation, n)
            or (equation.op.name in RESHAPES and not _is_written_out(equation, n, made))
        ):
            return None
        inner = y.shape[1:] if _runs_over(y, n) else y.shape
        written += prod(inner) * (prod(reduced_lengths(equation)) if equation.op.name in REDUCTIONS else 1)
    return n if written <= _MOST_WRITTEN else None


def _runs_over(x: Value, n: int) -> bool:
    return x.ndim > 0 and x.shape[0] == n and _is_small(x.shape[1:])


def _is_small(shape: tuple[int, ...]) -> bool:
    return prod(shape) <= _MOST_INNER and max(shape, default=1) <= SHORT


def _mixes(equation: Equation) -> bool:
    """Whether an element of the result is made of several elements of a member, or of chosen ones."""
    name = equation.op.name
    if name in REDUCTIONS:
        return True
    return name in ("select_backward", "slice_backward") or is_joining(equation) or is_gather(equation)


def _keeps_members(equation: Equation, n: int) -> bool:
    """Whether nothing is summed over members, and no sum reads a long axis."""
    if equation.op.name in REDUCTIONS:
        return max(reduced_lengths(equation), default=1) <= SHORT
    if is_joining(equation) or equation.op.name == "slice_backward":
        return not (equation.meta["dim"] == 0 and equation.results[0].shape[0] == n)
    return True


def _is_written_out(equation: Equation, n: int, made: Set[Value]) -> bool:
    """Whether a reshape is of what lies in memory, or leaves each member its elements."""
    (x,), (y,) = equation.values, equation.results
    return x not in made or only_ones_differ(x.shape, y.shape) or _runs_over(x, n) == _runs_over(y, n)


def reduced_axes(equation: Equation) -> tuple[int, ...]:
    """The axes over which a reduction goes, in order."""
    (x,) = equation.values
    dim = equation.meta.get("dim")
    axes = tuple(range(x.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    return tuple(sorted({axis for axis in axes if axis < x.ndim}))


def reduced_lengths(equation: Equation) -> list[int]:
    """Their lengths."""
    (x,) = equation.values
    return [x.shape[axis] for axis in reduced_axes(equation)]


__all__ = ["COMBINED", "outer_length", "reduced_axes", "reduced_lengths"]
