"""Schedules in the cache on disk, by the programs that were traced, and for which lengths they serve.

What a long traced program becomes takes longer to find out than all the rest of its first call, and does not change:
which kernels run, in which order, on what. Where every step is a kernel, that is a list of their names in the cache and
of places. A recipe is found by a digest of the program as it was traced (all of it: operations, numbers, types, shapes,
constants), of the source that decides what becomes of programs, the processor, and the versions of what takes part.
"""

from __future__ import annotations

import json
import marshal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from wengert.compile.nest import Role
from wengert.compile.ranges import LONG, Ranges
from wengert.compile.runtime.build import CompiledKernel, stored
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest
from wengert.compile.runtime.linking import host_target
from wengert.compile.runtime.objects import source_version
from wengert.compile.runtime.processor import processor
from wengert.compile.schedule import Schedule, Step
from wengert.program.passes.constants import first_of, is_uniform
from wengert.program.program import Program
from wengert.program.text import bodies_of, meta_text
from wengert.program.values import Value

LEAST: Final = LONG  # equations: fewer become a schedule in less time than a file takes
_LARGEST: Final = 1 << 20  # bytes of a constant

_kernels: Final[dict[str, CompiledKernel]] = {}  # of this process, by their names in the cache


def name_of(
    program: Program, written: Sequence[tuple[int, int]], *, simplify: bool, fast_math: bool = False
) -> str | None:
    """The name of the recipe for a program: what it writes to, whether it is to be simplified, in which arithmetic.

    None for what has no recipe: short programs, loops, large constants.
    """
    if len(program.equations) < LEAST:
        return None
    return _name("recipe", program, f"{written!r} {simplify} {fast_math}")


def _name(kind: str, program: Program, rest: str) -> str | None:
    form = _form(program)
    if form is None:
        return None
    versions = f"{sys.version} {np.__version__} {source_version()} {processor().key} {host_target()!r}"
    return digest(kind, versions, rest, form)


def known_ranges(program: Program, rest: str, find_out: Callable[[], Ranges]) -> Ranges:
    """For which lengths what was made of a program serves, if that is in the cache, or else what ``find_out`` gives.

    ``rest`` is what else that depends on.
    """
    name = _name("ranges", program, rest)
    kept = None if name is None else disk_cache().get(name)
    if kept is not None:
        return {n: (low, high) for n, low, high in json.loads(kept)}
    found = find_out()
    if name is not None:
        disk_cache().put(name, json.dumps([(n, low, high) for n, (low, high) in found.items()]).encode())
    return found


def keep(name: str, program: Program, schedule: Schedule, kernels: Sequence[CompiledKernel]) -> None:
    """Keep the schedule of a program, if ``kernels`` are all its steps."""
    if len(kernels) != len(schedule.steps) or any([k.kernel.of_role(Role.CONST) for k in kernels]):
        return
    numbers = {id(array): number for number, array in enumerate(program.constants.values())}
    first, constants = len(program.inputs), [numbers.get(id(array)) for array in schedule.constants]
    read = {a for _, arguments, _ in schedule.steps for a in arguments} | {*schedule.outputs}
    if any([number is None and first + place in read for place, number in enumerate(constants)]):
        return  # one that a pass has made
    if any([a.__class__ is tuple and a[0].__class__ not in (bool, int, float) for a in read]):
        return
    steps = [[k.key, arguments, results] for k, (_, arguments, results) in zip(kernels, schedule.steps, strict=True)]
    found = [steps, constants, schedule.size, schedule.outputs, sorted(schedule.in_place), schedule.kernel is not None]
    _kernels.update({k.key: k for k in kernels})
    disk_cache().put(name, json.dumps(found).encode())


def find(name: str, program: Program) -> Schedule | None:
    """The schedule of a program that has this name; None if it, or one of its kernels, is not in the cache."""
    kept = disk_cache().get(name)
    if kept is None:
        return None
    rows, numbers, size, outputs, in_place, is_kernel = json.loads(kept)
    steps: list[Step] = []
    for key, arguments, results in rows:
        kernel = _kernels.get(key) or stored(key)
        if kernel is None:
            return None
        _kernels[key] = kernel
        steps.append((kernel.call, _addresses(arguments), results))
    arrays = list(program.constants.values())
    constants = [None if number is None else arrays[number] for number in numbers]
    only = _kernels[rows[0][0]] if is_kernel else None
    return Schedule(steps, constants, size, _addresses(outputs), frozenset(in_place), only)


def _addresses(data: Sequence[Any]) -> list[Any]:
    return [a if a.__class__ is int else tuple(a) for a in data]


def _form(program: Program) -> bytes | None:
    """All of a program as bytes: different ones for programs that differ; None for one that holds something else."""
    places: dict[Any, Any] = {}
    for x in (*program.inputs, *program.constants):
        places[x] = len(places)
    rows: list[Any] = [[(x.dtype.char, x.shape) for x in program.inputs]]
    for array in program.constants.values():
        same = is_uniform(array)
        if not same and array.nbytes > _LARGEST:
            return None
        rows.append((array.dtype.char, array.shape, same, (first_of(array) if same else array).tobytes()))
    for equation in program.equations:
        if equation.meta and any(bodies_of(equation)):
            return None
        meta = meta_text(dict(equation.meta)) if equation.meta else ""
        inputs = [places[x] if x.__class__ is Value else (x,) for x in equation.inputs]
        rows.append((equation.op.name, inputs, meta, [(x.dtype.char, x.shape) for x in equation.results]))
        for x in equation.results:
            places[x] = len(places)
    rows.append([places[x] if isinstance(x, Value) else (x,) for x in program.outputs])
    try:
        return marshal.dumps(rows, 2)  # from version 3 on, what is the same object is written once: by chance
    except ValueError:
        return None


__all__ = ["LEAST", "find", "keep", "known_ranges", "name_of"]
