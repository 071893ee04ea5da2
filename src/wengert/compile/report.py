"""What a compiled function tells of itself: its loops, its machine code, and why it was traced."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from wengert.program.loops import LOOPS
from wengert.program.program import Program
from wengert.program.text import equation_text, value_names
from wengert.program.values import type_text

_RUNS = 5


def loops_text(executable: Any) -> str:
    """The kernels as pseudo-code, and the calls of NumPy between them."""
    if executable.machine is None:
        return f"no machine code: NumPy runs the program\n{executable.program}"
    texts = [text for text, _ in executable.machine.described()]
    return "\n\n".join(texts) or "no loops: every result is an argument, a constant or a part of one"


def llvm_text(executable: Any) -> str:
    """The LLVM IR of the kernels.

    Raises:
        RuntimeError: llvmlite is not installed.
    """
    if executable.machine is None:
        if not all([x.size for x in executable.inputs]):
            raise RuntimeError("there is no LLVM IR: an argument has no elements, so NumPy runs the program")
        raise RuntimeError(
            "there is no LLVM IR: llvmlite is not installed (pip install 'wengert[jit]'), so NumPy runs it"
        )
    return "\n".join(executable.machine.sources()) or "; no loops: nothing is computed"


def explanation(name: str, plans: Sequence[Any], eager: Sequence[str]) -> str:
    """Everything about the specialisations of a function, for people."""
    lines = [f"{name}: {len(plans)} specialisation{'s' if len(plans) != 1 else ''}"]
    for number, plan in enumerate(plans, start=1):
        signature, reason = plan.described()
        lines += ["", f"{number}. {signature}", *[f"   {line}" for line in _plan_lines(plan, reason)]]
    lines += ["", *[f"runs eagerly: {reason}" for reason in eager]] if eager else []
    return "\n".join(lines)


def _plan_lines(plan: Any, reason: str) -> Iterator[str]:
    yield f"traced because {reason}, in {1e3 * plan.seconds:.1f} ms"
    yield f"reads {len(plan.positions)} argument(s) and {plan.captured} tensor(s) from outside"
    for n, (low, high) in plan.ranges.items():
        yield f"serves lengths from {low:,} to {high:,} in place of {n:,}"
    if plan.effects.writes_outside:
        yield "writes into tensors from outside"
    yield f"program: {plan.traced_equations} equations traced, {len(plan.program.equations)} after all passes"
    for reason in plan.unrolled:
        yield f"unrolled: {reason}"
    yield from _runs_as(plan.forward)
    if plan.refusal is not None:
        yield f"no gradients: {plan.refusal}"
    elif plan.cut is not None:
        kept = f"{len(plan.cut.kept_inputs)} input(s), {plan.cut.residuals} value(s)"
        yield f"gradients: {len(plan.cut.backward.equations)} equations; kept for them: {kept}"


def _runs_as(executable: Any) -> Iterator[str]:
    if executable.machine is None:
        yield "runs on NumPy, equation by equation"
        return
    for number, lowered in enumerate(executable.machine.kernels):
        count = len(lowered.equations)
        moved = sum([x.nbytes for x in (*lowered.arguments, *lowered.results)])
        yield f"kernel {number}: {count} equations in {lowered.nests} loop nest(s), {moved:,} bytes in and out"
    names = dict.fromkeys([equation.op.name for equation in executable.machine.calls])
    if loops := [name for name in names if name in LOOPS]:
        yield f"from kernel to kernel, one step after the other: {', '.join(loops)}"
    if calls := [name for name in names if name not in LOOPS]:
        yield f"calls of NumPy: {', '.join(calls)}"


def timings(executable: Any, raws: Sequence[Any]) -> list[str]:
    """How long each step takes on these inputs, the best of a few runs."""
    if executable.machine is None:
        return []
    seconds: dict[str, float] = {}
    for _ in range(_RUNS):
        for label, step in executable.machine.timed(raws, time.perf_counter):
            seconds[label] = min(seconds.get(label, step), step)
    return [f"{label}: {1e6 * value:.1f} us" for label, value in seconds.items()]


def call_text(equation: Any, program: Program) -> str:
    """An equation that NumPy runs, as it stands in the program."""
    return f"call {equation_text(equation, value_names(program))}"


def kernel_heading(lowered: Any, program: Program) -> str:
    """Which values of the program a kernel takes and gives."""
    names = value_names(program)
    taken = ", ".join([f"{names[x]}: {type_text(x)}" for x in lowered.arguments])
    given = ", ".join([f"{names[x]}: {type_text(x)}" for x in lowered.results])
    return f"# ({taken}) -> ({given})"
