"""From an operation, or from its derivative rules, to the machine code of one loop over all elements.

A rule runs here on values of a program, as it runs elsewhere on arrays, tensors or symbols; what it does becomes
equations. Its contributions to all inputs that need one are one kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from wengert._traced import Traced
from wengert.compile.llvm import machine
from wengert.compile.llvm.emit import emit_kernel
from wengert.compile.lower.nests import lower
from wengert.compile.lower.steps import Fused, cut_into_steps
from wengert.compile.nest import Kernel, Role
from wengert.compile.nest_check import check_kernel
from wengert.compile.runtime.flat import FlatCode
from wengert.compile.runtime.linking import host_target
from wengert.ops.record import TABLE, Kind, Op
from wengert.program.infer import result_types
from wengert.program.passes.pipeline import simplified
from wengert.program.program import Equation, Program
from wengert.program.values import Value
from wengert.spaces.raw import REAL

_TOTALS: Final = frozenset(["sum", "mean"])
_LENGTH: Final = 7919  # stands for any: no rule has it as a constant


class UnfitError(Exception):
    """An operation or rule that is no single loop over elements."""


class Request(NamedTuple):
    """What machine code is wanted for.

    Without ``needed`` the operation itself, of its inputs; with it the cotangents of those inputs, of the result's
    cotangent, the result and the inputs.
    """

    op: str
    arguments: tuple[
        str | int | float, ...
    ]  # dtypes ("" for what is not given), or numbers to be written into the code
    meta: tuple[tuple[str, Any], ...]
    needed: tuple[int, ...]
    same: int  # bit i: argument i is the same for all elements


def code_for(request: Request) -> FlatCode | None:
    """The machine code; None if the rule is not what one loop can do."""
    try:
        program = _program(request)
        kernel, names = _kernel(program, () if request.op in _TOTALS else (_LENGTH,))
    except UnfitError:
        return None
    text, interface = emit_kernel(kernel, host_target())
    places = _places(request, names, interface.pointers)
    return FlatCode(machine.emit_object(text), interface.name, interface.prepare, interface.shares > 0, places)


def _places(request: Request, names: Sequence[str | None], pointers: Sequence[str]) -> tuple[int, ...]:
    """For each argument and result the number of its buffer."""
    left = iter(names)
    of_arguments = [next(left) if given and isinstance(given, str) else None for given in request.arguments]
    return tuple([-1 if name is None else pointers.index(name) for name in (*of_arguments, *left)])


# --- programs ---------------------------------------------------------------------------------------------------------


class Recording(list[Equation]):
    """What a rule does: elementwise operations, or with ``by_rows`` those that combine or move elements too."""

    def __init__(self, *, by_rows: bool = False) -> None:
        super().__init__()
        self.by_rows = by_rows

    def takes(self, op: Op, meta: dict[str, Any]) -> bool:
        """Whether an operation can be part of it."""
        if op.outputs != 1:
            return False
        if self.by_rows and op.kind in (Kind.REDUCTION, Kind.MOVEMENT, Kind.OTHER):
            return True
        is_one = op.kind is Kind.ELEMENTWISE or op.name == "zeros_like" or (op.name in _TOTALS and meta["dim"] is None)
        return is_one and not op.view


class Term(Traced):
    """A value while a rule runs on it."""

    __slots__ = ("equations", "value")

    def __init__(self, value: Value, equations: Recording) -> None:
        self.value = value
        self.equations = equations
        self.dtype, self.shape = value.dtype, value.shape

    def _emit(self, op: Any, *inputs: Any, **meta: Any) -> Any:
        found = TABLE[op] if isinstance(op, str) else _BY_UFUNC.get(op)
        if found is None:
            raise UnfitError(op)
        return emitted(self.equations, found, inputs, meta)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise UnfitError("a rule that looks at values")

    __bool__ = __int__ = __float__ = __complex__ = __index__ = __len__ = _refuse
    __array__ = __iter__ = __contains__ = __setitem__ = _refuse

    def __eq__(self, other: object) -> Any:
        return self._emit("eq", self, other)

    def __ne__(self, other: object) -> Any:
        return self._emit("ne", self, other)

    __hash__ = None  # type: ignore[assignment]


_BY_UFUNC: Final = {op.ufunc: op for op in TABLE.ops.values() if op.ufunc is not None}


class RuleSpace:
    """The world of these rules: as the raw one for real values, with equations for computations."""

    def __init__(self, equations: Recording) -> None:
        self._equations = equations

    def __getattr__(self, name: str) -> Callable[..., Any]:
        parts = TABLE.in_parts(name, self)
        if parts is not None:
            return parts
        op, impl = TABLE[name], getattr(REAL, name)

        def function(*xs: Any, **meta: Any) -> Any:
            if not any([isinstance(x, Term) for x in xs]):
                return impl(*xs, **meta)
            return emitted(self._equations, op, xs, meta)

        return function

    @staticmethod
    def conj(x: Any) -> Any:
        """The value itself, which is real."""
        return x

    real = conj_physical = conj

    @staticmethod
    def tied(value: Any, _: Any) -> Any:
        """The value itself: a cotangent needs no memory of its own."""
        return value


def emitted(equations: Recording, op: Op, xs: Sequence[Any], meta: dict[str, Any]) -> Term:
    """A new equation, and its result."""
    if not equations.takes(op, meta):
        raise UnfitError(op.name)
    inputs = tuple([x.value if isinstance(x, Term) else x for x in xs])
    if any([isinstance(x, (np.generic, np.ndarray)) for x in inputs]):
        raise UnfitError(op.name)
    ((dtype, shape),) = result_types(op, inputs, meta)
    result = Value(dtype, shape)
    equations.append(Equation(op, inputs, meta, (result,)))
    return Term(result, equations)


def _program(request: Request) -> Program:
    """What is to be computed, for arguments of one length."""
    op, meta = TABLE[request.op], dict(request.meta)
    equations = Recording()
    values: list[Value] = []
    operands: list[Any] = []
    for i, given in enumerate(request.arguments):
        if given == "" or not isinstance(given, str):
            operands.append(None if given == "" else given)
            continue
        values.append(Value(np.dtype(given), () if request.same >> i & 1 else (_LENGTH,)))
        operands.append(Term(values[-1], equations))
    if not request.needed:
        results: list[Any] = [emitted(equations, op, operands, meta)]
    else:
        space = RuleSpace(equations)
        vjp: Any = op.vjp
        results = [vjp[i](space, *operands, **meta) for i in request.needed]
    outputs = [result.value for result in results if isinstance(result, Term)]
    if len(outputs) != len(results) or any([x in values for x in outputs]):
        raise UnfitError("a rule that hands something on")
    return simplified(Program(tuple(values), tuple(equations), tuple(outputs)))


# --- kernels ----------------------------------------------------------------------------------------------------------


def single_step(program: Program) -> Fused:
    """All of a program as one step of loops.

    Raises:
        UnfitError: it takes other steps, or hands on what it is given, or one result twice.
    """
    steps = cut_into_steps(program)
    if len(steps) != 1 or not isinstance(steps[0], Fused) or steps[0].results != program.outputs:
        raise UnfitError("no single loop")
    return steps[0]


def _kernel(program: Program, shape: tuple[int, ...]) -> tuple[Kernel, tuple[str | None, ...]]:
    """The loop, and the buffers' names for the program's inputs and outputs; these have the shape ``shape``."""
    dtypes = {x.dtype for x in program.inputs if x.dtype.kind == "f"}
    for x in program.outputs:
        if not isinstance(x, Value) or x.shape != shape or x.dtype not in dtypes or x in program.constants:
            raise UnfitError("a result of another form")
    step = single_step(program)
    order = {x: i for i, x in enumerate((*program.inputs, *program.constants))}
    lowered = lower(step, program.constants, order)
    kernel = lowered.kernel
    check_kernel(kernel)
    if lowered.nests != 1 or kernel.of_role(Role.TEMP, Role.CONST, Role.INOUT):
        raise UnfitError("no single loop")
    names = {x: buffer.name for x, buffer in zip(lowered.arguments, kernel.of_role(Role.IN), strict=True)}
    if not set(names) <= set(program.inputs):
        raise UnfitError("it reads arrays of its own")
    results = [buffer.name for buffer in kernel.of_role(Role.OUT)]
    return kernel, (*[names.get(x) for x in program.inputs], *results)
