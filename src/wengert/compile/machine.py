"""A program as kernels and calls of NumPy, ready to run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from textwrap import indent
from typing import Any, Final

from wengert.compile.lower.nests import Lowered, lower
from wengert.compile.lower.places import is_movement
from wengert.compile.lower.scans import lower_scan
from wengert.compile.lower.sizes import inner_lengths
from wengert.compile.lower.steps import Calls, Fused, cut_into_steps
from wengert.compile.nest_text import kernel_text
from wengert.compile.report import call_text, kernel_heading
from wengert.compile.runtime.build import CompiledKernel, build
from wengert.compile.schedule import Schedule, Step
from wengert.engine.kernels import evaluated, operation
from wengert.ops.record import Op
from wengert.program.loops import LOOPS, SCAN, runner_of
from wengert.program.passes.cleaning import without_repetition
from wengert.program.passes.complex_parts import without_complex
from wengert.program.passes.expansion import expanded
from wengert.program.passes.factors import with_shared_factors
from wengert.program.program import Equation, Program
from wengert.program.text import bodies_of, meta_text
from wengert.program.values import Value

# Kernels of this process by their structure: a program of the same form, for other lengths too, takes the same one.
# By their text, because as numbers 0.0 and -0.0, 1 and True are equal.
_kernels: Final[dict[tuple[str, bool], CompiledKernel]] = {}


def kernel_of(lowered: Lowered, *, fast_math: bool) -> CompiledKernel:
    """The machine code of a kernel, made once."""
    text = repr(lowered.kernel)
    key = text, fast_math
    found = _kernels.get(key)
    if found is None:
        found = _kernels[key] = build(lowered.kernel, fast_math=fast_math, text=text)
    return found


class UnknownKernelError(LookupError):
    """A kernel was not built before."""


def _known_kernel(lowered: Lowered, *, fast_math: bool) -> CompiledKernel:
    found = _kernels.get((repr(lowered.kernel), fast_math))
    if found is None:
        raise UnknownKernelError
    return found


# The lengths of inner axes, some tens, for which kernels of these operations were wanted.
_inner_lengths: Final[dict[Any, set[tuple[int, ...]]]] = {}
_FEW_LENGTHS: Final = 2


def _inner_lengths_vary(step: Fused) -> bool:
    """Whether kernels of such operations were wanted for other lengths of inner axes: then those get names."""
    lengths = inner_lengths([x.shape for equation in step.equations for x in equation.values])
    if not lengths:
        return False
    seen = _inner_lengths.setdefault(tuple([(e.op.name, e.results[0].ndim) for e in step.equations]), set())
    if len(seen) < _FEW_LENGTHS:
        seen.add(lengths)
    return lengths not in seen


class Machine:
    """A program whose fusible equations run as machine code, by its ``schedule``.

    ``written`` are pairs of an input and the output that is to take its place. Where the last kernel writes into that
    input, nothing can fail once it has begun. ``fast_math`` is that of the kernels. With ``like`` this is only to be
    compared with another machine for the same program of other lengths: nothing is built for it.

    Raises:
        UnknownKernelError: with ``like``, a kernel is needed that was not built before.
    """

    def __init__(
        self,
        program: Program,
        written: Sequence[tuple[int, int]] = (),
        *,
        fast_math: bool = False,
        like: Machine | None = None,
    ) -> None:
        self.original = program
        self.fast_math = fast_math
        self._kernel_of = kernel_of if like is None else _known_kernel
        self.fixes: list[bool] = []  # for each kernel: whether short inner axes are numbers in it
        self.inner: dict[Equation, dict[str, Machine]] = {}  # of loops and branches: a machine for each program
        program = self.program = without_repetition(expanded(with_shared_factors(without_complex(program))))
        self._steps: list[Step] = []
        self.parts: list[Lowered | Equation] = []
        self._built: list[CompiledKernel] = []
        self._place: dict[Value, int] = {}
        for value in (*program.inputs, *program.constants):
            self._place[value] = len(self._place)
        self._fresh: set[int] = set()  # places of what kernels have made
        self._uses = Counter([x for equation in program.equations for x in equation.values])
        self._uses.update([x for x in program.outputs if isinstance(x, Value)])
        steps = cut_into_steps(program)
        for step in steps:
            if isinstance(step, Calls):
                self._add_calls(step.equations)
            else:
                targets = _targets(program, steps, written) if step is steps[-1] else {}
                place = len(self.fixes)
                fixes = not _inner_lengths_vary(step) if like is None else like.fixes[place : place + 1] != [False]
                self.fixes.append(fixes)
                self._add_kernel(lower(step, self.program.constants, self._place, targets, fixes_inner=fixes))
        outputs = [self._address(x) for x in program.outputs]
        inputs = {self._place[x] for x in program.inputs}
        in_place = frozenset([place for _, place in written if outputs[place] in inputs])
        constants = list(program.constants.values())
        owned = [place for number, place in enumerate(outputs) if number not in in_place]
        is_fresh = self._fresh.issuperset(owned) and len(set(outputs)) == len(outputs)
        self.schedule = Schedule(
            self._steps, constants, len(self._place), outputs, in_place, self._only_kernel(), is_fresh
        )

    def _add_calls(self, equations: Sequence[Equation]) -> None:
        """Calls in order, loops as kernels where that can be; views that nothing but those looks at are left out."""
        views = {x: equation for equation in equations if is_movement(equation) for x in equation.results}
        constants = self.program.constants
        loops = [equation for equation in equations if equation.op is SCAN]
        for equation in equations:  # kernels order what they take by these
            for x in equation.results:
                self._new_place(x)
        lowered = {equation: lower_scan(equation, constants, self._place, views) for equation in loops}
        inside = Counter([x for equation in equations for x in equation.values])
        read = {x for x in views if self._uses[x] > inside[x]}  # elsewhere: by another step, or as a result
        kept: list[Equation] = []
        for equation in reversed(equations):
            if not any([x in views for x in equation.results]) or any([x in read for x in equation.results]):
                kernel = lowered.get(equation)
                read.update(equation.values if kernel is None else kernel.arguments)
                kept.append(equation)
        for equation in reversed(kept):
            kernel = lowered.get(equation)
            if kernel is None:
                self._add_call(equation)
            else:
                self._add_kernel(kernel)

    def _add_call(self, equation: Equation) -> None:
        self.parts.append(equation)
        arguments = [self._address(x) for x in equation.inputs]
        results = [self._new_place(x) for x in equation.results]
        op, meta = equation.op, dict(equation.meta)
        function = _called(op, meta)
        if op.name in LOOPS:  # its programs are kernels, and it goes from one to the next here
            inner = {name: Machine(program, fast_math=self.fast_math) for name, program in bodies_of(equation)}
            self.inner[equation] = inner
            function = runner_of(op, meta, _finder(inner))
        self._steps.append((function, arguments, results if op.outputs != 1 else results[0]))

    def _add_kernel(self, lowered: Lowered) -> None:
        self.parts.append(lowered)
        self._built.append(self._kernel_of(lowered, fast_math=self.fast_math))
        arguments = [self._address(x) for x in lowered.arguments]
        self._place.update({x: self._place[target] for x, target in lowered.in_place.items()})
        results = [self._new_place(x) for x in lowered.results]
        self._fresh.update(results)
        self._steps.append((self._built[-1].call, arguments, results if len(results) != 1 else results[0]))

    def _new_place(self, value: Value) -> int:
        return self._place.setdefault(value, len(self._place))

    def _address(self, x: Any) -> Any:
        return self._place[x] if isinstance(x, Value) else (x,)

    def does_the_same(self, other: Machine) -> bool:
        """Whether it runs the same kernels and calls on the same values, so that one can take the other's place."""
        a, b = self.schedule, other.schedule
        return (
            self._built == other._built
            and list(map(type, self.parts)) == list(map(type, other.parts))
            and [rest[1:] for rest in a.steps] == [rest[1:] for rest in b.steps]
            and list(map(_call_key, self.calls)) == list(map(_call_key, other.calls))
            and (a.size, a.outputs, a.in_place) == (b.size, b.outputs, b.in_place)
            and len(a.constants) == len(b.constants)
            and all([_same_array(a.constants[n], b.constants[n]) for n in self._constants_read()])
        )

    def _constants_read(self) -> set[int]:
        """The numbers of the constants that are more than a part of the code of kernels."""
        first, schedule = len(self.program.inputs), self.schedule
        read = {place for _, arguments, _ in schedule.steps for place in arguments} | {*schedule.outputs}
        return {place - first for place in read if place.__class__ is int} & {*range(len(schedule.constants))}

    @property
    def kernels(self) -> list[Lowered]:
        """The kernels, in order."""
        return [part for part in self.parts if isinstance(part, Lowered)]

    @property
    def kernels_built(self) -> Sequence[CompiledKernel]:
        """Their machine code."""
        return self._built

    @property
    def calls(self) -> list[Equation]:
        """The equations that NumPy runs, in order."""
        return [part for part in self.parts if isinstance(part, Equation)]

    def described(self) -> Iterator[tuple[str, str]]:
        """Each step as text, and a label for it."""
        number = 0
        for part in self.parts:
            if isinstance(part, Lowered):
                heading = kernel_heading(part, self.program)
                yield f"{heading}\n{kernel_text(part.kernel)}", f"kernel {number}"
                number += 1
            else:
                text = call_text(part, self.program)
                for name, machine in self.inner.get(part, {}).items():
                    text += "\n" + indent("\n".join([f"{name}:", *[text for text, _ in machine.described()]]), "    ")
                yield text, f"call {part.op.name}"

    def sources(self) -> list[str]:
        """The LLVM IR of each kernel."""
        machines = [machine for each in self.inner.values() for machine in each.values()]
        own = [kernel.source for kernel in self._built]
        return own + [source for machine in machines for source in machine.sources()]

    def timed(self, raws: Sequence[Any], clock: Callable[[], float]) -> Iterator[tuple[str, float]]:
        """Run, and say how long each step took."""
        for number, ((_, label), seconds) in enumerate(
            zip(self.described(), self.schedule.timed(raws, clock), strict=True)
        ):
            yield f"step {number}, {label}", seconds

    def _only_kernel(self) -> CompiledKernel | None:
        """The kernel, if the program is one of all inputs and outputs in order."""
        if len(self.parts) != 1 or not isinstance(self.parts[0], Lowered):
            return None
        lowered = self.parts[0]
        if lowered.arguments != self.program.inputs or lowered.results != self.program.outputs:
            return None
        return self._built[0]


def _call_key(equation: Equation) -> tuple[Any, ...]:
    return equation.op.name, meta_text(dict(equation.meta)), [x for x in equation.inputs if not isinstance(x, Value)]


def _same_array(a: Any, b: Any) -> bool:
    return a is b or (a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())


def _targets(program: Program, steps: Sequence[Any], written: Sequence[tuple[int, int]]) -> dict[Value, Value]:
    """Results of the last step, each with the input in whose memory it may lie as far as the steps before go."""
    called = {x for step in steps if isinstance(step, Calls) for equation in step.equations for x in equation.values}
    found: dict[Value, Value] = {}
    for number, place in written:
        x, y = program.inputs[number], program.outputs[place]
        if isinstance(y, Value) and y in steps[-1].results and y.ndim and y.type == x.type:
            alone = program.outputs.count(y) == 1 and x not in program.outputs
            if alone and x not in called and x not in found.values():
                found[y] = x
    return found


def _called(op: Op, meta: dict[str, Any]) -> Callable[..., Any]:
    """An operation on raw values as the engine computes it: running sums and pooling are machine code there."""
    if operation(op) is not None:
        return lambda *xs: evaluated(op, xs, meta)
    impl = op.impl
    return (lambda *xs: impl(*xs, **meta)) if meta else impl


def _finder(machines: dict[str, Machine]) -> Callable[[Program], Schedule]:
    """The schedule of a program."""
    found = {id(machine.original): machine.schedule for machine in machines.values()}
    return lambda program: found[id(program)]
