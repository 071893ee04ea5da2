"""What a run of a program does: functions one after the other, on values that are known by their places in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from wengert._dtypes import DEFAULTS
from wengert._fpenv import SILENT, enter, leave
from wengert.compile.runtime.build import CompiledKernel
from wengert.compile.runtime.entry import NOTHING, Box, Terms, all_hold
from wengert.compile.runtime.held import Held
from wengert.compile.runtime.layout import slot_offset
from wengert.compile.runtime.seen import Seen
from wengert.engine.base import INFERENCE, wrap_plain
from wengert.engine.state import IN_INFERENCE, WATCHED


def _of_inference() -> Any:
    t = wrap_plain(0.0)
    t._cell = INFERENCE
    return t


# An untracked tensor that is no view: what the entry of a compiled function takes and gives.
_BOX: Final = Box(
    wrap_plain(0.0),
    "_data",
    plain=("_node", "_rg", "_view"),
    others=("_cell",),
    mark=IN_INFERENCE,
    marked=_of_inference(),
)

Address = int | tuple[Any]  # a place, or a number
Step = tuple[Callable[..., Any], Sequence[Address], Any]  # a function, of what, the place of its result or the places


class Entry(NamedTuple):
    """A builtin from tensors to tensors.

    It takes those of sizes that were traced: ``accept`` names their shapes, and how far sizes may be others.
    """

    call: Callable[..., Any]
    accept: Callable[[Sequence[tuple[int, ...]], Mapping[int, tuple[int, int]]], None]


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The steps of a program. Its inputs have the first places, then come the constants.

    ``in_place`` are the outputs that the last step writes into their input. ``kernel`` is that of a program which is
    one kernel of all inputs, in order, that gives all outputs, in order. ``is_fresh`` if each output is known to lie in
    memory of its own.
    """

    steps: Sequence[Step]
    constants: Sequence[Any]
    size: int
    outputs: Sequence[Address]
    in_place: frozenset[int]
    kernel: CompiledKernel | None
    is_fresh: bool = False

    def __call__(self, *raws: Any) -> tuple[Any, ...]:
        """The outputs for these raw inputs."""
        values = self._values(raws)
        token = enter(SILENT)
        try:
            for function, arguments, results in self.steps:
                _put(values, results, function(*_picked(values, arguments)))
        finally:
            leave(token)
        return tuple(_picked(values, self.outputs))

    def timed(self, raws: Sequence[Any], clock: Callable[[], float]) -> Iterator[float]:
        """Run on copies of what is overwritten, and say how long each step took."""
        overwritten = [self.outputs[place] for place in self.in_place]
        values = self._values([x.copy() if place in overwritten else x for place, x in enumerate(raws)])
        for function, arguments, results in self.steps:
            start = clock()
            y = function(*_picked(values, arguments))
            yield clock() - start
            _put(values, results, y)

    def _values(self, raws: Sequence[Any]) -> list[Any]:
        values: list[Any] = [*raws, *self.constants]
        return values + [None] * (self.size - len(values))

    def entry(
        self,
        slow: Callable[..., Any],
        form: Sequence[int] | None,
        ordered: frozenset[int] = frozenset(),
        guarded: Any = None,
        held: Held = NOTHING,
    ) -> Entry | None:
        """An entry from tensors to tensors, which runs the only kernel and gives results in this ``form``.

        It calls ``slow`` for arguments that are not untracked tensors of exactly these types, and in a trace; also
        where one of those ``ordered`` does not lie in C order, or one of the guards does not hold that are written in
        ``guarded``. ``held`` are the tensors that the kernel takes after the arguments.
        """
        made = self.kernel
        assert made is not None
        extents = [extent for buffer in made.arguments for extent in buffer.shape]
        default_float = _default_float()
        if not all([isinstance(extent, (int, str)) for extent in extents]) or not WATCHED.address or not default_float:
            return None
        names = list(dict.fromkeys([extent for extent in extents if isinstance(extent, str)]))
        places = [extents.index(name) for name in names]
        seen = Seen([made.interface.sizes.index(name) for name in names]) if names else None

        def accept(shapes: Sequence[tuple[int, ...]], ranges: Mapping[int, tuple[int, int]]) -> None:
            if seen is not None:
                sizes = [size for shape in shapes for size in shape]
                named = tuple([sizes[place] for place in places])
                seen.add(named)
                if ranges:
                    seen.add_between([ranges.get(size, (size, size)) for size in named])

        guards = ((id(DEFAULTS) + default_float, id(DEFAULTS.float)),)
        terms = Terms(WATCHED.address, guards, DEFAULTS, seen, form, guarded, held, ordered)
        boxed = CompiledKernel(made.kernel, made.interface, made.linked, slow=slow, box=_BOX, terms=terms)
        return Entry(boxed.call, accept)

    @staticmethod
    def all_hold(names: Any) -> Callable[[], bool] | None:
        """Whether guards hold, as machine code says that looks at their words."""
        return all_hold(names)


@cache
def _default_float() -> int | None:
    """Where the default float type stands in what holds it."""
    return slot_offset(type(DEFAULTS)(), "float")


def _put(values: list[Any], results: Any, y: Any) -> None:
    if results.__class__ is int:
        values[results] = y
    elif results:
        for place, part in zip(results, y, strict=True):
            values[place] = part


def _picked(values: Sequence[Any], addresses: Sequence[Any]) -> list[Any]:
    return [values[a] if a.__class__ is int else a[0] for a in addresses]


__all__ = ["Address", "Entry", "Schedule", "Step"]
