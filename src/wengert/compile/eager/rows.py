"""From an operation along axes, or from a combination that rules name, to the machine code of its loops over rows.

What NumPy does in several passes over arrays is made of equations, by the operation's expansion or by the parts of the
combination. Their loops are joined, so that each row goes through all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from wengert.compile.eager.pools import POOLS, pool_kernel
from wengert.compile.eager.row_shapes import ANY
from wengert.compile.eager.rules import Recording, RuleSpace, Term, UnfitError, emitted, single_step
from wengert.compile.eager.running import RUNNING, running_kernel
from wengert.compile.llvm import machine
from wengert.compile.llvm.emit import SHARE, emit_kernel
from wengert.compile.llvm.interface import Interface
from wengert.compile.lower.joining import joined
from wengert.compile.lower.nests import lower
from wengert.compile.nest import Kernel, Role
from wengert.compile.nest_check import check_kernel
from wengert.compile.runtime.linking import host_target
from wengert.ops.record import TABLE
from wengert.program.passes.expansion import EXPANSIONS, Emitter, expanded
from wengert.program.passes.pipeline import simplified
from wengert.program.program import Program
from wengert.program.values import Value

# Stand for any lengths of axes. Two sets: what is the same for both depends on no length.
_LENGTHS: Final = ((127, 131, 137, 139), (149, 151, 157, 163))


class Request(NamedTuple):
    """What machine code is wanted for."""

    name: str  # of an operation, or of a fused combination
    dtype: str
    kinds: tuple[tuple[int, ...], ...]  # the shapes of the arguments, `ANY` for lengths that vary
    meta: tuple[tuple[str, Any], ...]  # as for arrays of these axes; a `shape` is a kind


class RowCode(NamedTuple):
    """Machine code, and what its caller must know."""

    kernel: Kernel
    interface: Interface
    read: tuple[int, ...]  # which of the arguments it takes
    results: tuple[tuple[int, ...], ...]  # the results' kinds
    object_code: bytes


def code_for(request: Request) -> RowCode | None:
    """The machine code; None if it cannot be one loop over rows, or depends on their lengths in other ways."""
    if request.name in RUNNING:
        return _of_running(request)
    if request.name in POOLS:
        kernel = pool_kernel(request.name, request.dtype, dict(request.meta))
        check_kernel(kernel)
        return _emitted(kernel, (0,), ())
    try:
        found = [_kernel(request, lengths) for lengths in _LENGTHS]
    except UnfitError:
        return None
    if repr(found[0]) != repr(found[1]):
        return None
    return _emitted(*found[0])


def _of_running(request: Request) -> RowCode | None:
    """The code of a running sum; None along other axes than the last, where NumPy goes over whole rows."""
    kind, meta = request.kinds[0], dict(request.meta)
    if meta["dim"] != len(kind) - 1 or any([other != kind for other in request.kinds]):
        return None
    shape = tuple([n if n != ANY else f"n{axis}" for axis, n in enumerate(kind)])
    kernel = running_kernel(request.name, request.dtype, shape, reverse=meta.get("reverse", False))
    check_kernel(kernel)
    return _emitted(kernel, tuple(range(len(request.kinds))), (kind,))


def _emitted(kernel: Kernel, read: tuple[int, ...], results: tuple[tuple[int, ...], ...]) -> RowCode:
    text, interface = emit_kernel(kernel, host_target(), share=2 * SHARE)
    return RowCode(kernel, interface, read, results, machine.emit_object(text))


def _sized(kind: Sequence[int], lengths: Sequence[int]) -> tuple[int, ...]:
    return tuple([n if n != ANY else length for n, length in zip(kind, lengths, strict=False)])


def _program(request: Request, lengths: Sequence[int]) -> Program:
    meta = {name: _sized(value, lengths) if name == "shape" else value for name, value in request.meta}
    equations = Recording(by_rows=True)
    values = [Value(np.dtype(request.dtype), _sized(kind, lengths)) for kind in request.kinds]
    fused = TABLE.fused.get(request.name)
    if fused is not None:
        made = fused.parts(RuleSpace(equations), *[Term(x, equations) for x in values], **meta)
    elif request.name in EXPANSIONS:
        emitter = Emitter(None)
        made = EXPANSIONS[request.name](emitter, *values, **meta)
        if made is None:
            raise UnfitError(request.name)
        equations += emitter.equations
    else:
        made = emitted(equations, TABLE[request.name], [Term(x, equations) for x in values], meta)
    outputs = [x.value if isinstance(x, Term) else x for x in (made if isinstance(made, tuple) else (made,))]
    if any([not isinstance(x, Value) or x in values for x in outputs]) or len(set(outputs)) != len(outputs):
        raise UnfitError("a result that is handed on")
    return simplified(expanded(Program(tuple(values), tuple(equations), tuple(outputs))))


def _kernel(request: Request, lengths: Sequence[int]) -> tuple[Kernel, tuple[int, ...], tuple[tuple[int, ...], ...]]:
    program = _program(request, lengths)
    step = single_step(program)
    if program.constants:
        raise UnfitError("it reads arrays of its own")
    order = {x: i for i, x in enumerate(program.inputs)}
    lowered = lower(step, {}, order, by_rows=True)
    kernel = joined(lowered.kernel)
    check_kernel(kernel)
    if kernel.of_role(Role.CONST, Role.INOUT):
        raise UnfitError("arrays of its own")
    results = tuple([tuple([1 if n == 1 else ANY for n in x.shape]) for x in lowered.results])
    return kernel, tuple([order[x] for x in lowered.arguments]), results


__all__ = ["Request", "RowCode", "code_for"]
