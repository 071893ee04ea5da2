"""The passes in the order in which they are run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wengert.program.passes.algebra import simplified_algebra
from wengert.program.passes.cleaning import without_dead_code, without_repetition
from wengert.program.passes.constants import with_constants_folded
from wengert.program.program import Program

PASSES: Final[tuple[Callable[[Program], Program], ...]] = (
    without_dead_code,
    with_constants_folded,
    simplified_algebra,
    without_repetition,
    without_dead_code,
)


def simplified(program: Program) -> Program:
    """The program after all passes."""
    for each in PASSES:
        program = each(program)
    return program
