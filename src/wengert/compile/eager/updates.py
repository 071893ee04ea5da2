"""From a function that changes arrays in place, element by element, to the machine code of one loop over them.

The function runs on what stands for arrays of one shape, and for numbers that may differ from call to call; settings
are written into the code. What it writes is written where it lies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from wengert._traced import NeedsValueError
from wengert.compile.eager.rows import RowCode
from wengert.compile.eager.rules import Recording, Term, UnfitError, single_step
from wengert.compile.llvm import machine
from wengert.compile.llvm.emit import emit_kernel
from wengert.compile.lower.nests import lower
from wengert.compile.nest import Kernel, Role
from wengert.compile.nest_check import check_kernel
from wengert.compile.runtime.linking import host_target
from wengert.program.passes.pipeline import simplified
from wengert.program.program import Program
from wengert.program.values import Value

_LENGTH: Final = 7919  # stands for any


class _Memory(Term):
    """An array: what it holds changes as it is written to."""

    __slots__ = ()

    def write(self, value: Term) -> None:
        self.value = value.value

    def _emit(self, op: Any, *inputs: Any, **meta: Any) -> Any:
        made = super()._emit(op, *inputs, **meta)
        return _Memory(made.value, made.equations)


def update_code(
    update: Callable[..., None], arrays: int, numbers: int, settings: tuple[Any, ...], dtype: str
) -> RowCode | None:
    """The machine code of ``update(*arrays, *numbers, *settings)``; None if it is no single loop in place."""
    try:
        kernel, read = _kernel(update, arrays, numbers, settings, np.dtype(dtype))
    except (UnfitError, NeedsValueError, TypeError):
        return None
    text, interface = emit_kernel(kernel, host_target())
    return RowCode(kernel, interface, read, (), machine.emit_object(text))


def _kernel(
    update: Callable[..., None], arrays: int, numbers: int, settings: tuple[Any, ...], dtype: np.dtype[Any]
) -> tuple[Kernel, tuple[int, ...]]:
    equations = Recording()
    values = [Value(dtype, (_LENGTH,)) for _ in range(arrays)] + [Value(dtype, ()) for _ in range(numbers)]
    memory = [_Memory(x, equations) for x in values]
    update(*memory, *settings)
    written = {x: m.value for x, m in zip(values, memory, strict=True) if m.value is not x}
    results = tuple(written.values())
    if not results or len(set(results)) != len(results) or any([y in values for y in results]):
        raise UnfitError("an array that is handed on")
    if any([y.shape != x.shape or y.dtype is not dtype for x, y in written.items()]):
        raise UnfitError("a number that is written to")
    program = simplified(Program(tuple(values), tuple(equations), results))
    step = single_step(program)
    if program.constants:
        raise UnfitError("it reads arrays of its own")
    order = {x: i for i, x in enumerate(program.inputs)}
    targets = dict(zip(step.results, written, strict=True))
    lowered = lower(step, {}, order, targets)
    kernel = lowered.kernel
    check_kernel(kernel)
    if lowered.results or lowered.nests != 1 or kernel.of_role(Role.TEMP, Role.CONST, Role.OUT):
        raise UnfitError("no single loop in place")
    return kernel, tuple([order[x] for x in lowered.arguments])


__all__ = ["update_code"]
