"""A program as kernels and calls of NumPy, ready to run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from textwrap import indent
from typing import Any, Final, NamedTuple

from wengert._fpenv import SILENT, enter, leave
from wengert.compile.lower.nests import Lowered, lower
from wengert.compile.lower.places import is_movement
from wengert.compile.lower.scans import lower_scan
from wengert.compile.lower.steps import Calls, cut_into_steps
from wengert.compile.nest import Role
from wengert.compile.nest_text import kernel_text
from wengert.compile.report import call_text, kernel_heading
from wengert.compile.runtime.build import CompiledKernel, build
from wengert.compile.runtime.entry import Box
from wengert.engine.base import wrap_plain
from wengert.program.loops import LOOPS, SCAN, runner_of
from wengert.program.passes.cleaning import without_repetition
from wengert.program.passes.expansion import expanded
from wengert.program.program import Equation, Program
from wengert.program.text import bodies_of
from wengert.program.values import Value

# Kernels of this process by their structure: a program of the same form, for other lengths too, takes the same one.
# By their text, because as numbers 0.0 and -0.0, 1 and True are equal.
_kernels: Final[dict[str, Any]] = {}

# An untracked tensor that is no view: what the entry of a compiled function takes and gives.
_BOX: Final = Box(wrap_plain(0.0), "_data", plain=("_node", "_rg", "_view"), others=("_cell",))


def kernel_of(lowered: Lowered) -> Any:
    """The machine code of a kernel, made once."""
    key = repr(lowered.kernel)
    found = _kernels.get(key)
    if found is None:
        found = _kernels[key] = build(lowered.kernel, text=key)
    return found


class Entry(NamedTuple):
    """A builtin from tensors to tensors, and whether it takes tensors of the traced sizes only."""

    call: Callable[..., Any]
    checks_sizes: bool


class Machine:
    """A program whose fusible equations run as machine code.

    ``written`` are pairs of an input and the output that is to take its place. ``in_place`` are those of the outputs
    that the last kernel writes into their input: nothing can fail once that has begun.
    """

    def __init__(self, program: Program, written: Sequence[tuple[int, int]] = ()) -> None:
        self.original = program
        self.inner: dict[Equation, dict[str, Machine]] = {}  # of loops and branches: a machine for each program
        program = self.program = without_repetition(expanded(program))
        self.steps: list[tuple[Callable[..., Any], list[Any], Any]] = []  # function, places of arguments, of results
        self.parts: list[Lowered | Equation] = []
        self._built: list[CompiledKernel] = []
        self._place: dict[Value, int] = {}
        for value in (*program.inputs, *program.constants):
            self._place[value] = len(self._place)
        self._constants = list(program.constants.values())
        self._uses = Counter([x for equation in program.equations for x in equation.values])
        self._uses.update([x for x in program.outputs if isinstance(x, Value)])
        steps = cut_into_steps(program)
        for step in steps:
            if isinstance(step, Calls):
                self._add_calls(step.equations)
            else:
                targets = _targets(program, steps, written) if step is steps[-1] else {}
                self._add_kernel(lower(step, self.program.constants, self._place, targets))
        self._outputs = [self._address(x) for x in program.outputs]
        inputs = {self._place[x] for x in program.inputs}
        self.in_place = frozenset([place for _, place in written if self._outputs[place] in inputs])
        self._size = len(self._place)

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
        impl, meta = equation.op.impl, dict(equation.meta)
        function = (lambda *xs: impl(*xs, **meta)) if meta else impl
        if equation.op.name in LOOPS:  # its programs are kernels, and it goes from one to the next here
            inner = {name: Machine(program) for name, program in bodies_of(equation)}
            self.inner[equation] = inner
            function = runner_of(equation.op, meta, _finder(inner))
        self.steps.append((function, arguments, results if equation.op.outputs != 1 else results[0]))

    def _add_kernel(self, lowered: Lowered) -> None:
        self.parts.append(lowered)
        self._built.append(kernel_of(lowered))
        arguments = [self._address(x) for x in lowered.arguments]
        self._place.update({x: self._place[target] for x, target in lowered.in_place.items()})
        results = [self._new_place(x) for x in lowered.results]
        self.steps.append((self._built[-1].call, arguments, results if len(results) != 1 else results[0]))

    def _new_place(self, value: Value) -> int:
        return self._place.setdefault(value, len(self._place))

    def _address(self, x: Any) -> Any:
        return self._place[x] if isinstance(x, Value) else (x,)

    @property
    def kernels(self) -> list[Lowered]:
        """The kernels, in order."""
        return [part for part in self.parts if isinstance(part, Lowered)]

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
        own = [kernel_of(lowered).source for lowered in self.kernels]
        return own + [source for machine in machines for source in machine.sources()]

    def timed(self, raws: Sequence[Any], clock: Callable[[], float]) -> Iterator[tuple[str, float]]:
        """Run, and say how long each step took."""
        overwritten = [self._outputs[place] for place in self.in_place]
        raws = [x.copy() if place in overwritten else x for place, x in enumerate(raws)]
        values: list[Any] = [*raws, *self._constants]
        values += [None] * (self._size - len(values))
        for number, ((_, label), (function, arguments, results)) in enumerate(
            zip(self.described(), self.steps, strict=True)
        ):
            start = clock()
            y = function(*_picked(values, arguments))
            yield f"step {number}, {label}", clock() - start
            _put(values, results, y)

    def __call__(self, *raws: Any) -> tuple[Any, ...]:
        """The outputs for these raw inputs."""
        values: list[Any] = [*raws, *self._constants]
        values += [None] * (self._size - len(values))
        token = enter(SILENT)
        try:
            for function, arguments, results in self.steps:
                _put(values, results, function(*_picked(values, arguments)))
        finally:
            leave(token)
        return tuple(_picked(values, self._outputs))

    def only_kernel(self) -> CompiledKernel | None:
        """The kernel, if the program is one of all inputs and outputs in order."""
        if len(self.parts) != 1 or not isinstance(self.parts[0], Lowered):
            return None
        lowered = self.parts[0]
        if lowered.arguments != self.program.inputs or lowered.results != self.program.outputs:
            return None
        return self._built[0]

    def entry(self, slow: Callable[..., Any]) -> Entry:
        """An entry from tensors to tensors, which runs the only kernel.

        It calls ``slow`` for arguments that are not untracked tensors of exactly these types.
        """
        made = self._built[0]
        checks = all([isinstance(n, int) for b in made.kernel.of_role(Role.IN) for n in b.shape])
        boxed = CompiledKernel(made.kernel, made.interface, made.linked, slow=slow, box=_BOX)
        return Entry(boxed.call, checks)


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


def _finder(machines: dict[str, Machine]) -> Callable[[Program], Machine]:
    """The machine of a program."""
    found = {id(machine.original): machine for machine in machines.values()}
    return lambda program: found[id(program)]


def _put(values: list[Any], results: Any, y: Any) -> None:
    if results.__class__ is int:
        values[results] = y
    elif results:
        for place, part in zip(results, y, strict=True):
            values[place] = part


def _picked(values: Sequence[Any], addresses: Sequence[Any]) -> list[Any]:
    return [values[a] if a.__class__ is int else a[0] for a in addresses]
