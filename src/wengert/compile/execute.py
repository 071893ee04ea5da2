"""How a program is run: kernels of machine code where they can be had, NumPy for the rest, one step after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from wengert._memory import without_collection
from wengert.program.evaluate import Evaluator
from wengert.program.passes.pipeline import simplified
from wengert.program.program import Program
from wengert.program.values import Value


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
    the input's memory already, and is the input itself. With ``simplify`` no pass has seen the program; what they make
    of it is only worked out if the cache on disk does not know what to run, or if someone asks. ``fast_math`` lets
    machine code reorder sums and fuse products with sums.
    """

    def __init__(
        self,
        program: Program,
        written: Sequence[tuple[int, int]] = (),
        *,
        simplify: bool = False,
        fast_math: bool = False,
    ) -> None:
        self._program = program
        self._written = written
        self._simplify = simplify
        self.fast_math = fast_math
        self.schedule: Any = None  # of machine code
        if has_machine_code() and all([x.size for x in program.inputs]):
            self.schedule = self._scheduled()
        # Outputs that are inputs written to:
        self.in_place: frozenset[int] = self.schedule.in_place if self.schedule is not None else frozenset()
        self._run: Callable[..., tuple[Any, ...]] = self.schedule or Evaluator(self.program)
        only = (
            self.schedule.kernel if self.schedule is not None and self._program.outputs and not self.in_place else None
        )
        self._only: Callable[..., Any] | None = only.call if only is not None else None  # the results of one are fresh
        self._is_fresh = self.schedule is not None and self.schedule.is_fresh
        self._is_one = only is not None and len(only.results) == 1

    def _scheduled(self) -> Any:
        recipes = import_module("wengert.compile.recipes")
        source = self._program
        name = recipes.name_of(source, self._written, simplify=self._simplify, fast_math=self.fast_math)
        found = None if name is None else recipes.find(name, source)
        if found is not None:
            return found
        machine = self.machine
        if name is not None:
            recipes.keep(name, source, machine.schedule, machine.kernels_built)
        return machine.schedule

    @property
    def inputs(self) -> Sequence[Value]:
        """What it reads, in order."""
        return self._program.inputs

    @property
    def program(self) -> Program:
        """The program after all passes."""
        if self._simplify:
            with without_collection():
                self._program, self._simplify = simplified(self._program), False
        return self._program

    @cached_property
    def machine(self) -> Any:
        """The kernels and calls that run, as they came about; None without machine code."""
        if not has_machine_code() or not all([x.size for x in self._program.inputs]):
            return None
        with without_collection():
            machine = import_module("wengert.compile.machine").Machine
            return machine(self.program, self._written, fast_math=self.fast_math)

    def __call__(self, *raws: Any) -> tuple[Any, ...]:
        """The outputs for these inputs."""
        if self._only is not None:
            y = self._only(*raws)
            return (y,) if self._is_one else y
        if self._is_fresh:
            return self._run(*raws)
        return owned(self._run(*raws), raws, self.in_place)


def owned(raws: tuple[Any, ...], inputs: tuple[Any, ...], in_place: frozenset[int] = frozenset()) -> tuple[Any, ...]:
    """The same values, each on memory that nothing else uses: an equation may give a view, an input, or a constant.

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
