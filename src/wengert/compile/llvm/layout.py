"""Where a kernel's functions find what: pointers and sizes among their arguments, memory between loops in the arena."""

from __future__ import annotations

from typing import Final

from wengert.compile.llvm.frame import Layout
from wengert.compile.llvm.passes import slot_layout, slots_size
from wengert.compile.llvm.places import aligned, count_of, product, sizes_in, stride_name, total, walk
from wengert.compile.llvm.plan import Plan
from wengert.compile.nest import (
    Affine,
    Extent,
    Index,
    Iota,
    Kernel,
    Load,
    Loop,
    MatMul,
    Role,
    Statement,
    Store,
    Tiles,
)

_OUTSIDE: Final = (Role.IN, Role.INOUT, Role.OUT, Role.CONST)


def layout_of(kernel: Kernel, plan: Plan) -> Layout:
    """Where the kernel's function finds its buffers and sizes."""
    outside = [b for b in kernel.buffers if b.role in _OUTSIDE and b.alias is None]
    sizes: dict[str, int] = {}
    for name in [n for b in kernel.buffers for extent in b.shape for n in sizes_in(extent)]:
        sizes.setdefault(name, len(sizes))
    for b in outside:
        if b.strided:  # those of one argument side by side, as its caller writes them
            for axis in range(len(b.shape)):
                sizes.setdefault(stride_name(b.name, axis), len(sizes))
    for statement in walk(kernel.body):
        for name in _sizes_of(statement):
            sizes.setdefault(name, len(sizes))
    offsets, end = _arena_of(kernel, plan)
    return Layout({b.name: i for i, b in enumerate(outside)}, sizes, offsets, end)


def _arena_of(kernel: Kernel, plan: Plan) -> tuple[dict[str, Extent], Extent]:
    """Where the buffers between loops lie in the arena, and its size.

    A buffer may lie where one of its size lay that is not needed any more.
    """
    roots: dict[str, str] = {}
    for b in kernel.buffers:
        root = b
        while root.alias is not None:
            root = kernel.buffer(root.alias)
        roots[b.name] = root.name
    last: dict[str, int] = {}
    first: dict[str, int] = {}
    for number, statement in enumerate(kernel.body):
        for name in {roots[n] for inner in walk((statement,)) for n in _buffers_of(inner)}:
            first.setdefault(name, number)
            last[name] = number
    offsets: dict[str, Extent] = {}
    places: list[tuple[Extent, Extent, int]] = []  # offset, size, the last statement that needs it
    end: Extent = 0
    for b in sorted(kernel.of_role(Role.TEMP), key=lambda b: first.get(b.name, 0)):
        size = aligned(product(count_of(b.shape), int(b.dtype[1])))
        free = [p for p in places if p[1] == size and p[2] < first.get(b.name, 0)]
        if free:
            places.remove(free[0])
            offsets[b.name] = free[0][0]
        else:
            offsets[b.name] = end
            end = total(end, size)
        places.append((offsets[b.name], size, last.get(b.name, 0)))
    for statement in kernel.body:
        if isinstance(statement, Tiles) and statement.buffers:
            offsets[slots_of(statement)] = end
            _, size = slot_layout(kernel, statement, plan)
            end = total(end, slots_size(size, statement))
    return offsets, end


def slots_of(tiles: Tiles) -> str:
    """The name under which the layout has the memory for rows."""
    return f"{tiles.loops[0].axis}.slots"


def _buffers_of(statement: Statement) -> tuple[str, ...]:
    match statement:
        case Load() | Store():
            return (statement.buffer,)
        case MatMul():
            return (statement.out.buffer, statement.a.buffer, statement.b.buffer)
        case _:
            return ()


def _sizes_of(statement: Statement) -> list[str]:
    indices: tuple[Index, ...]
    if isinstance(statement, Loop):
        return list(sizes_in(statement.extent))
    if isinstance(statement, Tiles):
        extents = [statement.extent, statement.rows, *statement.per_row, *[row for _, row in statement.buffers]]
        return [n for e in extents for n in sizes_in(e)]
    if isinstance(statement, MatMul):
        refs = (statement.out, statement.a, statement.b)
        extents = [statement.m, statement.n, statement.k, *[step for ref in refs for step in (ref.row, ref.column)]]
        indices = tuple([index for ref in refs for index in ref.index])
        return [n for e in (*extents, *_extents_of(indices)) for n in sizes_in(e)]
    indices = statement.index if isinstance(statement, (Load, Store)) else ()
    if isinstance(statement, Iota):
        indices = (statement.index,)
    return [name for extent in _extents_of(indices) for name in sizes_in(extent)]


def _extents_of(indices: tuple[Index, ...]) -> list[Extent]:
    return [e for i in indices if isinstance(i, Affine) for e in (i.offset, *[c for _, c in i.terms])]


__all__ = ["layout_of", "slots_of"]
