"""How a program is run: kernels of machine code where they can be had, NumPy for the rest, one step after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from wengert.program.evaluate import Evaluator
from wengert.program.program import Program


@cache
def has_machine_code() -> bool:
    """Whether llvmlite is installed; where it is not, one line says so, once."""
    found = find_spec("llvmlite") is not None
    if not found:
        sys.stderr.write("wengert.compile: llvmlite is not installed (extra [jit]): compiled functions run on NumPy.\n")
    return found


class Executable:
    """A program as a function from raw inputs to raw outputs, each on memory of its own.

    ``written`` are pairs of an input and the output that is to take its place: where it can be, that output lies in
    the input's memory already, and is the input itself.
    """

    def __init__(self, program: Program, written: Sequence[tuple[int, int]] = ()) -> None:
        self.program = program
        self.machine: Any = None
        self.in_place: frozenset[int] = frozenset()  # outputs that are inputs written to
        if has_machine_code() and all([x.size for x in program.inputs]):
            self.machine = import_module("wengert.compile.machine").Machine(program, written)
            self.in_place = self.machine.in_place
        self._run: Callable[..., tuple[Any, ...]] = self.machine or Evaluator(program)

    def __call__(self, *raws: Any) -> tuple[Any, ...]:
        """The outputs for these inputs."""
        return owned(self._run(*raws), raws, self.in_place)


def owned(raws: tuple[Any, ...], inputs: tuple[Any, ...], in_place: frozenset[int] = frozenset()) -> tuple[Any, ...]:
    """The same values, each on memory that nothing else uses: an equation may give a view, or an input itself.

    Those ``in_place`` are as they should be.
    """
    seen = {id(x) for x in inputs}
    result = []
    for place, raw in enumerate(raws):
        if raw.__class__ is np.ndarray and place not in in_place and (raw.base is not None or id(raw) in seen):
            result.append(raw.copy())
        else:
            seen.add(id(raw))
            result.append(raw)
    return tuple(result)
