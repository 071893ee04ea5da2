"""Loops and branches in a program: operations whose metadata hold programs of their own.

``scan`` carries values from step to step. Its body takes the carried values, one row of each of the ``xs``, and what
stays the same; it gives the new carried values and the rows of the stacked results::

    d: f64, e: f64[8] = scan(a, b, c, carries=1, xs=1, length=8, reverse=False)
      body = program(a: f64, b: f64, c: f64):
        d: f64 = mul(a, c)
        e: f64 = add(d, b)
        return d, e

``while_loop`` carries values as long as its ``test`` gives True. ``while_reverse`` is its derivative: it runs the loop
again, keeps what was carried, and goes back with ``pull``, which gives the cotangents of the carried values and what
each step adds to those of the other inputs. ``cond`` runs one of two programs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from wengert.ops.record import EachInput, Kind, Op, defop
from wengert.program.evaluate import Evaluator
from wengert.program.program import Program

ResultType = tuple[np.dtype[Any], tuple[int, ...]]


Runner = Callable[..., tuple[Any, ...]]
Maker = Callable[[Program], Runner]


def runner_of(op: Op, meta: Mapping[str, Any], make: Maker) -> Runner:
    """What runs an operation of this module, with its programs made ready by ``make``."""
    made: dict[str, Any] = {key: make(value) if isinstance(value, Program) else value for key, value in meta.items()}
    match op.name:
        case "scan":
            types = scan_types(meta["body"], meta["carries"], meta["length"])
            return partial(_run_scan, types=types[meta["carries"] :], **made)
        case "while_loop":
            return partial(_run_while, **made)
        case "while_reverse":
            return partial(_run_reverse, **made)
    return lambda pred, *inputs: made["then" if pred else "other"](*inputs)


def _impl(name: str) -> Callable[..., tuple[Any, ...]]:
    def run(*inputs: Any, **meta: Any) -> tuple[Any, ...]:
        return runner_of(LOOPS[name], meta, Evaluator)(*inputs)

    return run


def _run_scan(
    *inputs: Any, body: Runner, carries: int, xs: int, length: int, reverse: bool, types: Sequence[ResultType]
) -> tuple[Any, ...]:
    """The last carried values, and the stacked rows."""
    carried, rows, fixed = inputs[:carries], inputs[carries : carries + xs], inputs[carries + xs :]
    stacked = [np.empty(shape, dtype) for dtype, shape in types]
    for i in range(length)[:: -1 if reverse else 1]:
        found = body(*carried, *[np.asarray(x)[i] for x in rows], *fixed)
        carried = found[:carries]
        for y, row in zip(stacked, found[carries:], strict=True):
            y[i] = row
    return (*[np.array(x) for x in carried], *stacked)


def _run_while(*inputs: Any, test: Runner, body: Runner, carries: int) -> tuple[Any, ...]:
    carried, fixed = inputs[:carries], inputs[carries:]
    while test(*carried, *fixed)[0]:
        carried = body(*carried, *fixed)
    return tuple([np.array(x) for x in carried])


def _run_reverse(
    *inputs: Any, test: Runner, body: Runner, pull: Runner, carries: int, flowing: int, sums: int
) -> tuple[Any, ...]:
    end = len(inputs) - flowing - sums
    carried, fixed, g, totals = (
        inputs[:carries],
        inputs[carries:end],
        inputs[end : end + flowing],
        inputs[end + flowing :],
    )
    tape = []
    while test(*carried, *fixed)[0]:
        tape.append(carried)
        carried = body(*carried, *fixed)
    while tape:
        found = pull(*tape.pop(), *fixed, *g)
        g, totals = found[:flowing], tuple([t + d for t, d in zip(totals, found[flowing:], strict=True)])
    return tuple([np.array(x) for x in (*g, *totals)])


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


def _defined(name: str, doc: str) -> Op:
    rule = EachInput(_no_rule)
    return defop(name, _impl(name), Kind.OTHER, vjp=rule, outputs=0, doc=doc, table=None)


SCAN: Final = _defined("scan", "A loop over rows that carries values.")
WHILE: Final = _defined("while_loop", "A loop that carries values as long as a condition holds.")
WHILE_REVERSE: Final = _defined("while_reverse", "The derivative of a loop that runs as long as a condition holds.")
COND: Final = _defined("cond", "One of two programs.")

# Operations of programs alone: tensors never meet them.
LOOPS: Final[Mapping[str, Op]] = {op.name: op for op in (SCAN, WHILE, WHILE_REVERSE, COND)}


def loop_types(op: Op, inputs: Sequence[Any], meta: Mapping[str, Any]) -> tuple[ResultType, ...]:
    """Dtype and shape of each result, from the programs' types alone.

    Raises:
        ValueError: the inputs are not what the programs take.
    """
    given = [x.type for x in inputs]
    match op.name:
        case "scan":
            return _types_of_scan(inputs, **meta)
        case "while_loop":
            types = _checked(op, "body", meta, given)
            _same(op, "body", list(types), given[: meta["carries"]])
            _same(op, "test", list(_checked(op, "test", meta, given)), [(np.dtype(np.bool_), ())])
            return types
        case "while_reverse":
            end = len(given) - meta["sums"]
            _same(op, "pull", list(_checked(op, "pull", meta, given[:end])), given[end - meta["flowing"] :])
            return tuple(given[end - meta["flowing"] :])
    _same(op, "condition", given[:1], [(np.dtype(np.bool_), ())])
    types, other = _checked(op, "then", meta, given[1:]), _checked(op, "other", meta, given[1:])
    _same(op, "other", list(other), list(types))
    return types


def _checked(op: Op, name: str, meta: Mapping[str, Any], given: list[ResultType]) -> tuple[ResultType, ...]:
    """What a program of the metadata gives, if it takes what is given."""
    program = meta[name]
    _same(op, name, [x.type for x in program.inputs], given)
    return tuple([_type(x, program) for x in program.outputs])


def _same(op: Op, what: str, got: list[ResultType], wanted: list[ResultType]) -> None:
    if got != wanted:
        raise ValueError(f"{op.name}: {what} has the types {got} where {wanted} are needed")


def _types_of_scan(
    inputs: Sequence[Any], *, body: Program, carries: int, xs: int, length: int, reverse: bool
) -> tuple[ResultType, ...]:
    del reverse
    given = [x.type for x in inputs[:carries]]
    given += [(x.dtype, x.shape[1:]) for x in inputs[carries : carries + xs]]
    given += [x.type for x in inputs[carries + xs :]]
    _same(SCAN, "body", [x.type for x in body.inputs], given)
    if [x.shape[0] for x in inputs[carries : carries + xs]] != [length] * xs:
        raise ValueError(f"scan: not all of what it runs over has {length} rows")
    types = scan_types(body, carries, length)
    _same(SCAN, "body", list(types[:carries]), given[:carries])
    return types


__all__ = ["COND", "LOOPS", "SCAN", "WHILE", "WHILE_REVERSE", "loop_types", "runner_of", "scan_types"]
