"""The fast way to call a kernel: a builtin function whose `self` holds the tables that the entry code reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from wengert import _threads
from wengert._records import record
from wengert.compile.llvm.interface import Interface
from wengert.compile.llvm.machine import Linked
from wengert.compile.llvm.places import stride_name
from wengert.compile.nest import Buffer, Kernel, Role
from wengert.compile.runtime import entry_code as code
from wengert.compile.runtime import entry_table as words
from wengert.compile.runtime import guard_code, layout
from wengert.compile.runtime.entry_point import LONG, SCALARS, EntryPoint, Table, table_of
from wengert.compile.runtime.form_code import NEXT, tuple_of
from wengert.compile.runtime.held import Held
from wengert.compile.runtime.seen import Seen
from wengert.compile.runtime.support import support


@record
class Box:
    """A class of objects that hold a raw value in a slot, to be taken and given in place of arrays.

    Taken as an argument is an instance of exactly the ``template``'s class whose slots in ``plain`` hold what the
    template's hold. A result is a new instance with all slots as the template has them, but the one of the value; in a
    thread with the ``mark`` all are as ``marked`` has them.
    """

    template: Any
    slot: str
    plain: tuple[str, ...]
    others: tuple[str, ...] = ()
    mark: int = 0
    marked: Any = None


NOTHING: Final = Held(())


@record
class Terms:
    """Under which conditions a call runs the kernel, and how its results are given.

    ``mark`` is the address of a key under which the thread has to have nothing (:mod:`wengert._marks`), or what the
    box knows as its mark. ``guards`` are addresses of words, and what these have to hold; ``owner`` is whose they
    are. ``seen``
    are the sizes that calls may have; None for any. ``form`` says how results are nested (:mod:`.form_code`); None for
    one as it is, several in a tuple. ``names`` are the words of further guards (:mod:`.guard_code`). ``held`` are the
    boxes that the kernel takes after those of the call: what is in them is looked up at each call. The
    arguments ``ordered`` must lie in C order, even where the kernel takes others.
    """

    mark: int = 0
    guards: Sequence[tuple[int, int]] = ()
    owner: Any = None
    seen: Seen | None = None
    form: Sequence[int] | None = None
    names: Any = None
    held: Held = NOTHING
    ordered: frozenset[int] = frozenset()


ALWAYS: Final = Terms()
Shape = tuple[int, ...]


@record
class Fixed:
    """Calls with arrays of known shapes, which the kernel sees under others with the same elements."""

    arguments: tuple[Shape | None, ...]  # the shapes of what is given; None for what is not read
    order: tuple[int, ...]  # which of these are the kernel's arguments
    results: tuple[Shape, ...]
    sizes: dict[str, int]  # the kernel's symbolic sizes


@_threads.once
def _entry() -> EntryPoint | None:
    api = layout.array_api()
    return (
        EntryPoint(api, code.TEXT, (code.NAME, guard_code.NAME), guard_code.IMPORTS, takes_keywords=True)
        if api is not None
        else None
    )


def fast_entry(
    kernel: Kernel,
    interface: Interface,
    linked: Linked,
    constants: dict[str, Any],
    slow: Callable[..., Any],
    box: Box | None,
    fixed: Fixed | None = None,
    terms: Terms = ALWAYS,
) -> Callable[..., Any] | None:
    """The builtin function for a kernel, or None where it cannot be had.

    ``slow`` is called with the same arguments whenever they are not exactly as expected.
    """
    arguments, results = kernel.of_role(Role.IN, Role.INOUT), kernel.of_role(Role.OUT)
    axes = sum([len(b.shape) for b in results])
    form = _flat_form(len(results)) if terms.form is None else terms.form
    given = 0 if fixed is None else len(fixed.arguments)
    most = max(given, len(arguments), len(results), len(interface.pointers), len(interface.sizes), axes, len(form) // 2)
    entry = _entry() if most <= words.MOST else None
    if entry is None:
        return None
    keep: list[Any] = [kernel, linked, slow, box, terms, *constants.values()]
    table = np.zeros(words.WORDS, np.int64).view(Table)
    table[words.ENTRY] = linked.address(interface.name)
    table[words.PREPARE] = linked.address(interface.prepare)
    table[words.SLOW] = id(slow)
    table[words.ARGUMENTS] = len(arguments) - len(terms.held) if fixed is None else len(fixed.arguments)
    table[words.RESULTS] = len(results)
    table[words.LONG] = LONG
    table[words.HANDLER] = 0 if (handler := support().handler) is None else id(handler)
    pointers = {name: i for i, name in enumerate(interface.pointers)}
    sizes = {name: i for i, name in enumerate(interface.sizes)}
    known: set[str] = set()
    rows = [_argument(b, pointers, sizes, known, keep) for b in arguments]
    for place in terms.ordered:
        rows[place][words.A_FLAGS] |= layout.C_CONTIGUOUS
    kinds = _results(results, pointers, keep)
    if fixed is not None:
        rows = _fixed_arguments(rows, arguments, fixed, keep)
        for row, shape in zip(kinds, fixed.results, strict=True):
            row[words.R_NDIM], row[words.R_SHAPE] = len(shape), table_of([shape], keep)
        table[words.PRESETS] = len(fixed.sizes)
        table[words.PRESET_TABLE] = table_of([(sizes[name], n) for name, n in fixed.sizes.items()], keep)
    table[words.RESULT_TABLE] = table_of(kinds, keep)
    table[words.CONSTANTS] = len(constants)
    table[words.CONSTANT_TABLE] = table_of([(pointers[n], a.ctypes.data) for n, a in constants.items()], keep)
    table[words.MARK] = terms.mark
    table[words.GUARDS], table[words.GUARD_TABLE] = len(terms.guards), table_of(terms.guards, keep)
    table[words.SEEN] = 0 if terms.seen is None else terms.seen.address
    table[words.FORM], table[words.FORM_TABLE] = len(form), table_of([form], keep)
    if box is not None and not _fill_box(table, rows, box, terms.held.objects, keep):
        return None
    table[words.ARGUMENT_TABLE] = table_of(rows, keep)
    table[words.HELD], table[words.HELD_TABLE] = len(terms.held), terms.held.words.ctypes.data
    if terms.names is not None:
        table[words.NAMES], table[words.NAMES_TABLE] = len(terms.names), terms.names.ctypes.data
    table.keep = keep
    table.flags.writeable = False
    return entry.function(table)


def all_hold(names: Any) -> Callable[[], bool] | None:
    """A builtin that says whether the guards hold whose words these are; None where it cannot be had."""
    entry = _entry()
    if entry is None:
        return None
    table = np.array([len(names), names.ctypes.data], np.int64).view(Table)
    table.keep = [names]
    return entry.function(table, 1)


def _argument(
    buffer: Buffer, pointers: dict[str, int], sizes: dict[str, int], known: set[str], keep: list[Any]
) -> list[int]:
    """The words of an argument. The first axis that has a symbolic size says what it is."""
    dtype = np.dtype(buffer.dtype)
    keep.append(dtype)
    axes = []
    for extent in buffer.shape:
        if isinstance(extent, int):
            axes.append((words.FIXED, extent))
        elif isinstance(extent, str):
            axes.append((words.SAME if extent in known else words.LEARN, sizes[extent]))
            known.add(extent)
        else:
            axes.append((words.ANY, 0))
    written = buffer.role is Role.INOUT
    flags = layout.ALIGNED | (0 if buffer.strided else layout.C_CONTIGUOUS) | (layout.WRITEABLE if written else 0)
    scalars = [] if buffer.shape or written else [id(kind) for kind in SCALARS.get(buffer.dtype, ())]
    one, two, *_ = *scalars, 0, 0
    row = [0] * words.A_WORDS
    row[words.A_DESCR], row[words.A_NDIM], row[words.A_FLAGS] = id(dtype), len(buffer.shape), flags
    row[words.A_AXES] = table_of(axes, keep)
    row[words.A_POINTER] = pointers[buffer.name]
    row[words.A_SCALAR], row[words.A_SCALAR2] = one, two or one
    row[words.A_STRIDES] = sizes[stride_name(buffer.name, 0)] if buffer.strided and buffer.shape else -1
    row[words.A_SHIFT] = dtype.itemsize.bit_length() - 1
    return row


def _fixed_arguments(
    rows: list[list[int]], arguments: Sequence[Buffer], fixed: Fixed, keep: list[Any]
) -> list[list[int]]:
    """The words of what is given, from those of the kernel's arguments."""
    given = [[0] * words.A_WORDS for _ in fixed.arguments]
    for row in given:
        row[words.A_POINTER] = words.NOT_READ
    for place, row, buffer in zip(fixed.order, rows, arguments, strict=True):
        shape = fixed.arguments[place] or ()
        row[words.A_NDIM] = len(shape)
        row[words.A_AXES] = table_of([(words.FIXED, n) for n in shape], keep)
        scalars = [] if shape else [id(kind) for kind in SCALARS.get(buffer.dtype, ())]
        one, two, *_ = *scalars, 0, 0
        row[words.A_SCALAR], row[words.A_SCALAR2] = one, two or one
        given[place] = row
    return given


def _results(results: Sequence[Buffer], pointers: dict[str, int], keep: list[Any]) -> list[list[int]]:
    rows, first = [], 0
    for buffer in results:
        dtype = np.dtype(buffer.dtype)
        keep.append(dtype)
        row = [0] * words.R_WORDS
        row[words.R_DESCR], row[words.R_NDIM], row[words.R_TYPE] = id(dtype), len(buffer.shape), dtype.num
        row[words.R_POINTER], row[words.R_DIMS], row[words.R_SIZE] = pointers[buffer.name], first, dtype.itemsize
        if dtype.kind != "b" and dtype.itemsize in (4, 8):  # there are two bools only, which NumPy hands out
            row[words.R_SCALAR], row[words.R_ALLOC] = id(dtype.type), layout.allocator(dtype.type)
        first += len(buffer.shape)
        rows.append(row)
    return rows


def _flat_form(count: int) -> list[int]:
    return [NEXT] * count + ([tuple_of(count)] if count > 1 else [])


@cache
def _offsets(box: Box) -> dict[str, int | None]:
    """Where the slots of a box are."""
    return {name: layout.slot_offset(box.template, name) for name in (box.slot, *box.plain, *box.others)}


def _fill_box(table: Table, rows: list[list[int]], box: Box, held: Sequence[Any], keep: list[Any]) -> bool:
    """Enter where a box keeps what; False if that cannot be found out."""
    template = box.template
    offsets = _offsets(box)
    if None in offsets.values():
        return False
    names = (*box.plain, *box.others)
    table[words.BOX] = id(type(template))
    table[words.BOX_DATA] = offsets[box.slot]
    table[words.BOX_PLAIN] = len(box.plain)
    for taken, one in zip(rows, [template] * (len(rows) - len(held)) + list(held), strict=True):
        if taken[words.A_FLAGS] & layout.WRITEABLE:
            continue
        contents = [getattr(one, n) for n in box.plain]
        keep.append(contents)
        pairs = [(offsets[n] or 0, id(x)) for n, x in zip(box.plain, contents, strict=True)]
        taken[words.A_TYPE], taken[words.A_PLAIN] = id(type(one)), table_of(pairs, keep)
    table[words.BOX_TEMPLATE] = len(names)
    table[words.BOX_MARK] = box.mark
    marked = template if box.marked is None else box.marked
    for word, made in ((words.BOX_TEMPLATE_TABLE, template), (words.BOX_MARKED, marked)):
        values = {name: getattr(made, name) for name in names}
        keep.append(values)
        slots = [(offsets[n] or 0, id(v), layout.is_counted(v)) for n, v in values.items()]
        table[word] = table_of(slots, keep)
    return True
