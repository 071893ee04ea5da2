"""How a program is run: kernels of machine code where they can be had, NumPy for the rest, one step after the other."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from wengert.program.evaluate import Evaluator
from wengert.program.program import Program

Run = Callable[..., tuple[Any, ...]]


def executable(program: Program) -> Run:
    """A function from raw inputs to raw outputs, each on memory of its own."""
    run: Run = Evaluator(program)
    if find_spec("llvmlite") is not None and all([x.size for x in program.inputs]):
        run = import_module("wengert.compile.machine").Machine(program)

    def call(*raws: Any) -> tuple[Any, ...]:
        return owned(run(*raws), raws)

    return call


def owned(raws: tuple[Any, ...], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same values, each on memory that nothing else uses: an equation may give a view, or an input itself."""
    seen = {id(x) for x in inputs}
    result = []
    for raw in raws:
        if raw.__class__ is np.ndarray and (raw.base is not None or id(raw) in seen):
            result.append(raw.copy())
        else:
            seen.add(id(raw))
            result.append(raw)
    return tuple(result)
