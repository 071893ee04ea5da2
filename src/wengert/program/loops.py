"""Loops in a program: an operation whose metadata hold a program of their own, which runs once for each step.

``scan`` carries values from step to step. Its body takes the carried values, one row of each of the ``xs``, and what
stays the same; it gives the new carried values and the rows of the stacked results::

    d: f64, e: f64[8] = scan(a, b, c, carries=1, xs=1, length=8, reverse=False)
      body = program(a: f64, b: f64, c: f64):
        d: f64 = mul(a, c)
        e: f64 = add(d, b)
        return d, e
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from wengert.ops.record import EachInput, Kind, Op, defop
from wengert.program.evaluate import Evaluator
from wengert.program.program import Program

ResultType = tuple[np.dtype[Any], tuple[int, ...]]


def _scan(*inputs: Any, body: Program, carries: int, xs: int, length: int, reverse: bool) -> tuple[Any, ...]:
    return run_scan(Evaluator(body), inputs, body=body, carries=carries, xs=xs, length=length, reverse=reverse)


def run_scan(
    step: Callable[..., tuple[Any, ...]],
    inputs: Sequence[Any],
    *,
    body: Program,
    carries: int,
    xs: int,
    length: int,
    reverse: bool,
) -> tuple[Any, ...]:
    """The results of a scan whose body is run by ``step``: the last carried values, and the stacked rows."""
    carried, rows, fixed = inputs[:carries], inputs[carries : carries + xs], inputs[carries + xs :]
    stacked = [np.empty(shape, dtype) for dtype, shape in scan_types(body, carries, length)[carries:]]
    for i in range(length)[:: -1 if reverse else 1]:
        found = step(*carried, *[np.asarray(x)[i] for x in rows], *fixed)
        carried = found[:carries]
        for y, row in zip(stacked, found[carries:], strict=True):
            y[i] = row
    return (*[np.array(x) for x in carried], *stacked)


def scan_types(body: Program, carries: int, length: int) -> tuple[ResultType, ...]:
    """Dtype and shape of each result of a scan."""
    types = [_type(x, body) for x in body.outputs]
    return (*types[:carries], *[(dtype, (length, *shape)) for dtype, shape in types[carries:]])


def _type(x: Any, body: Program) -> ResultType:
    if not hasattr(x, "shape"):
        raise ValueError(f"a body gives values, and this one gives the number {x!r}: {body}")
    return x.dtype, x.shape


def _no_rule(*args: Any, **meta: Any) -> Any:
    raise NotImplementedError("a loop is differentiated where it is traced, by the derivatives of its steps")


SCAN: Final = defop(
    "scan",
    _scan,
    Kind.OTHER,
    vjp=EachInput(_no_rule),
    outputs=0,
    doc="A loop that carries values; the derivative is that of its steps (wengert.compile.loops).",
    table=None,
)

# Operations of programs alone: tensors never meet them.
LOOPS: Final[Mapping[str, Op]] = {"scan": SCAN}


def loop_types(op: Op, inputs: Sequence[Any], meta: Mapping[str, Any]) -> tuple[ResultType, ...]:
    """Dtype and shape of each result, from the body's text alone.

    Raises:
        ValueError: the inputs are not what the body takes.
    """
    body, carries, xs, length = meta["body"], meta["carries"], meta["xs"], meta["length"]
    given = [x.type for x in inputs[:carries]]
    given += [(x.dtype, x.shape[1:]) for x in inputs[carries : carries + xs]]
    given += [x.type for x in inputs[carries + xs :]]
    taken = [x.type for x in body.inputs]
    if given != taken:
        raise ValueError(f"{op.name}: the body takes {taken} and gets {given}")
    if [x.shape[0] for x in inputs[carries : carries + xs]] != [length] * xs:
        raise ValueError(f"{op.name}: not all of what it runs over has {length} rows")
    types = scan_types(body, carries, length)
    if list(types[:carries]) != taken[:carries]:
        raise ValueError(f"{op.name}: the body takes {taken[:carries]} and gives {list(types[:carries])}")
    return types


__all__ = ["LOOPS", "SCAN", "loop_types", "run_scan", "scan_types"]
