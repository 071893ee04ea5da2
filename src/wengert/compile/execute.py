"""How a program is run: by machine code where it can be had, else equation by equation on NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.program.evaluate import Evaluator
from wengert.program.program import Program


def executable(program: Program) -> Callable[..., tuple[Any, ...]]:
    """A function from raw inputs to raw outputs, each on memory of its own."""
    run = Evaluator(program)

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
