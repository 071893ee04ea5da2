"""Loops over the same outer axis as one: each row goes through all of them while the cache has it.

A kernel's loops follow one another, so an operation with several stages (largest element, sum of exponentials, their
shares) reads large arrays several times from memory. Where a stage reads of the earlier ones only what they made in
the same round of the outer loop, the rounds can be done one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from wengert._records import replace
from wengert.compile.llvm.places import walk
from wengert.compile.nest import Affine, Buffer, Compute, Iota, Kernel, Load, Loop, Role, Statement, Store


def joined(kernel: Kernel) -> Kernel:
    """The kernel with its outer loops joined as far as that changes nothing."""
    heads = [s for s in kernel.body if not isinstance(s, Loop)]
    if not all([isinstance(s, (Iota, Compute)) for s in heads]):
        return kernel
    alias = {buffer.name: buffer.alias or buffer.name for buffer in kernel.buffers}
    loops: list[Loop] = []
    for loop in kernel.body:
        if not isinstance(loop, Loop):
            continue
        if loops and _can_follow(loops[-1], loop, alias):
            loops[-1] = _followed(loops[-1], loop)
        else:
            loops.append(loop)
    outside = {name for s in heads for name in _read(s)} & {acc.name for loop in loops for acc in loop.accs}
    if outside:  # a number that a loop has found
        return kernel
    return _without_temporaries(Kernel(kernel.name, kernel.buffers, (*heads, *loops)))


# --- whether ----------------------------------------------------------------------------------------------------------


def _can_follow(first: Loop, second: Loop, alias: dict[str, str]) -> bool:
    """Whether each round of the second loop reads only what the same round of the first has made."""
    if first.extent != second.extent or not (first.parallel and second.parallel) or first.carries or second.carries:
        return False
    if {name for s in second.body for each in walk((s,)) for name in _read(each)} & {acc.name for acc in first.accs}:
        return False
    before, after = list(_accesses(first)), list(_accesses(second))
    written = {alias[s.buffer] for s in before if isinstance(s, Store)}
    written_after = {alias[s.buffer] for s in after if isinstance(s, Store)}
    shared = (written & {alias[s.buffer] for s in after}) | (written_after & {alias[s.buffer] for s in before})
    for buffer in shared:
        ways = {_row_of(s, first.axis) for s in before if alias[s.buffer] == buffer}
        ways |= {_row_of(s, second.axis) for s in after if alias[s.buffer] == buffer}
        if len(ways) != 1 or None in ways:
            return False
    return True


def _accesses(loop: Loop) -> Iterator[Load | Store]:
    return (s for s in walk(loop.body) if isinstance(s, (Load, Store)))


def _row_of(access: Load | Store, axis: str) -> tuple[str, int] | None:
    """The buffer and the one place of its index that is the loop's axis; None if it is not that simple."""
    found = [i for i, index in enumerate(access.index) if index == Affine(((axis, 1),))]
    others = [i for i in access.index if i != Affine(((axis, 1),))]
    if len(found) != 1 or any([not isinstance(i, Affine) or axis in dict(i.terms) for i in others]):
        return None
    return access.buffer, found[0]


def _read(statement: Statement) -> Iterator[str]:
    """The names that a statement reads itself."""
    if isinstance(statement, Compute):
        yield from [arg for arg in statement.args if isinstance(arg, str)]
    elif isinstance(statement, Store) and isinstance(statement.value, str):
        yield statement.value
    elif isinstance(statement, Loop):
        yield from [acc.value for acc in statement.accs]


# --- one loop ---------------------------------------------------------------------------------------------------------


def _followed(first: Loop, second: Loop) -> Loop:
    body = tuple([_renamed(s, second.axis, first.axis) for s in second.body])
    return replace(first, body=(*first.body, *body), accs=(*first.accs, *second.accs))


def _renamed(x: Any, old: str, new: str) -> Any:
    """A statement with an axis under another name in all indices."""
    if isinstance(x, Affine):
        return Affine(tuple([(new if axis == old else axis, k) for axis, k in x.terms]), x.offset)
    if isinstance(x, tuple):
        return tuple([_renamed(each, old, new) for each in x])
    if isinstance(x, (Load, Store, Iota, Loop)):
        name = "body" if isinstance(x, Loop) else "index"
        return replace(x, **{name: _renamed(getattr(x, name), old, new)})
    return x


# --- memory between loops ---------------------------------------------------------------------------------------------


def _without_temporaries(kernel: Kernel) -> Kernel:
    """Let what lies between loops be in a result that is written only when it has been read."""
    for buffer in kernel.of_role(Role.TEMP):
        for result in kernel.of_role(Role.OUT):
            if (result.dtype, result.shape) == (buffer.dtype, buffer.shape) and _can_share(kernel, buffer, result):
                return _without_temporaries(_sharing(kernel, buffer.name, result.name))
    return kernel


def _can_share(kernel: Kernel, temporary: Buffer, result: Buffer) -> bool:
    """Whether the result is written in one loop, the last that reads the temporary, and at the place read."""
    if any([buffer.alias in (temporary.name, result.name) for buffer in kernel.buffers]):
        return False
    innermost = [loop for loop in walk(kernel.body) if isinstance(loop, Loop) and not _has_loops(loop)]
    uses = [[s for s in _accesses(loop) if s.buffer in (temporary.name, result.name)] for loop in innermost]
    if sum(map(len, uses)) != len([s for s in _of(kernel.body) if s.buffer in (temporary.name, result.name)]):
        return False
    uses = [each for each in uses if each]
    last = uses[-1]
    writes = [s for s in last if s.buffer == result.name]
    reads = [s for s in last if s.buffer == temporary.name]
    earlier = [s for each in uses[:-1] for s in each]
    return (
        not any([s.buffer == result.name for s in earlier])
        and len(writes) == 1
        and isinstance(writes[0], Store)
        and all([isinstance(s, Load) and s.index == writes[0].index for s in reads])
    )


def _of(body: Iterable[Statement]) -> list[Load | Store]:
    return [s for s in walk(tuple(body)) if isinstance(s, (Load, Store))]


def _has_loops(loop: Loop) -> bool:
    return any([isinstance(s, Loop) for s in loop.body])


def _sharing(kernel: Kernel, old: str, new: str) -> Kernel:
    body = tuple([_moved(s, old, new) for s in kernel.body])
    return Kernel(kernel.name, tuple([b for b in kernel.buffers if b.name != old]), body)


def _moved(x: Any, old: str, new: str) -> Any:
    if isinstance(x, (Load, Store)) and x.buffer == old:
        return replace(x, buffer=new)
    if isinstance(x, Loop):
        return replace(x, body=tuple([_moved(s, old, new) for s in x.body]))
    return x


__all__ = ["joined"]
