"""Object files as LLVM writes them for x86-64 Linux, loaded into memory: sections laid out, addresses filled in.

LLVM's own linker takes 20 milliseconds to load, which a process that finds all its kernels on disk need not spend. What
is not known here (another processor, another kind of section or reference) is refused, and is left to LLVM.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from platform import machine as processor
from typing import Any, Final, NamedTuple

import numpy as np
from numpy import ndarray

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8")]
)
_RELOCATION: Final = np.dtype([("place", "<u8"), ("kind", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])
_BEGIN: Final = b"\x7fELF\x02\x01\x01"  # 64 bits, little-endian
_RELOCATABLE, _X86_64 = 1, 62
_UNDEFINED, _RESERVED = 0, 0xFF00  # numbers of sections; from the second on they mean something else

_PROGRAM, _SYMBOLS, _STRINGS, _ADDENDS, _NO_BITS, _UNWINDING = 1, 2, 3, 4, 8, 0x70000001
_IGNORED: Final = frozenset({0, _SYMBOLS, _STRINGS, _ADDENDS, 7, _UNWINDING})  # 7: notes
_WRITE, _ALLOCATE = 1, 2
_FUNCTION_OR_DATA: Final = (0, 1, 2, 3, 4)  # kinds of symbols: without a kind, objects, functions, sections, files

# References: to a distance, to one that a call may reach by way of a jump, to the distance of a word with an address.
_DISTANCE: Final = 2
_CALL: Final = 4
_BY_WORD: Final = (9, 41, 42)
_KINDS: Final = (_DISTANCE, _CALL, *_BY_WORD)

# For a symbol that may be far away: a jump, and then the address that it reads, which other code reads too.
_JUMP: Final = bytes([0xFF, 0x25, 2, 0, 0, 0, 0, 0])
_JUMP_SIZE: Final = 16
_PAGE: Final = mmap.PAGESIZE
_FAR: Final = 1 << 31  # bytes, further than which code does not reach


class UnknownFormError(Exception):
    """An object file that holds something that this loader does not know."""


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry: int


class Loaded:
    """Machine code in memory; it lives as long as this."""

    __slots__ = ("_addresses", "_memory")

    def __init__(self, memory: Any, addresses: dict[str, int]) -> None:
        self._memory = memory
        self._addresses = addresses

    def __getitem__(self, name: str) -> int:
        """The address of a global symbol."""
        return self._addresses[name]


@cache
def is_supported() -> bool:
    """Whether objects for this system are loaded here."""
    return sys.platform == "linux" and processor() == "x86_64" and struct.calcsize("P") == 8


def load(code: bytes, imports: Mapping[str, int]) -> Loaded:
    """Load an object file; ``imports`` are addresses of what it refers to, besides what the process offers.

    Raises:
        UnknownFormError: the file holds something else than expected, or the system does not let code be loaded so.
    """
    try:
        return _loaded(code, imports)
    except (OSError, ValueError, IndexError, OverflowError, struct.error) as error:
        raise UnknownFormError(f"something is out of place: {error}") from error


def _loaded(code: bytes, imports: Mapping[str, int]) -> Loaded:
    sections = _sections(code)
    table = next((s for s in sections if s.kind == _SYMBOLS), None)
    if table is None:
        raise UnknownFormError("no symbols")
    symbols = np.frombuffer(code, _SYMBOL, table.size // _SYMBOL.itemsize, table.offset)
    if not np.isin(symbols["info"] & 15, _FUNCTION_OR_DATA).all():
        raise UnknownFormError("a symbol of another kind")
    strings = sections[table.link].offset
    relocations = _relocations(code, sections)
    far = _far_symbols(symbols, relocations)
    wanted = [i for i, s in enumerate(sections) if s.flags & _ALLOCATE and s.kind in (_PROGRAM, _NO_BITS)]
    places: dict[int, int] = {}
    end = _rounded(_lay_out(sections, [i for i in wanted if not sections[i].flags & _WRITE], places, 0), _JUMP_SIZE)
    jumps = {symbol: end + _JUMP_SIZE * number for number, symbol in enumerate(far)}
    end = _rounded(end + _JUMP_SIZE * len(far), _PAGE)
    memory = _Memory(_lay_out(sections, [i for i in wanted if sections[i].flags & _WRITE], places, end) or _PAGE)
    for index, place in places.items():
        section = sections[index]
        if section.kind == _PROGRAM:
            memory.write(place, code[section.offset : section.offset + section.size])
    base = memory.address
    addresses = np.zeros(len(symbols), np.int64)
    for number, symbol in enumerate(symbols.tolist()):
        within = symbol[3]
        if within == _UNDEFINED:
            addresses[number] = _outside(_text(code, strings + symbol[0]), imports) if symbol[0] else 0
        elif within in places:
            addresses[number] = base + places[within] + symbol[4]
    for number, place in jumps.items():
        memory.write(place, _JUMP + struct.pack("<q", addresses[number]))
    for target, rows in relocations:
        if target in places:
            _fill_in(memory, places[target], rows, addresses, jumps)
    memory.protect(end)
    is_global = (symbols["info"] >> 4 == 1) & (symbols["section"] != _UNDEFINED)
    found = {_text(code, strings + int(symbols["name"][i])): int(addresses[i]) for i in np.flatnonzero(is_global)}
    return Loaded(memory, found)


# --- reading ---------------------------------------------------------------------------------------------------------


def _sections(code: bytes) -> list[_Section]:
    if code[: len(_BEGIN)] != _BEGIN or len(code) < _HEADER.size:
        raise UnknownFormError("another kind of file")
    _, kind, machine, _, _, _, offset, _, _, _, _, each, count, _ = _HEADER.unpack_from(code)
    if (kind, machine, each) != (_RELOCATABLE, _X86_64, _SECTION.size) or offset + each * count > len(code):
        raise UnknownFormError("another kind of object file")
    found = [_Section(*_SECTION.unpack_from(code, offset + each * i)) for i in range(count)]
    for section in found:
        if section.kind not in (_PROGRAM, _NO_BITS) and section.kind not in _IGNORED:
            raise UnknownFormError(f"a section of kind {section.kind}")
        if section.kind != _NO_BITS and section.offset + section.size > len(code):
            raise UnknownFormError("a section beyond the end")
        if section.alignment > _PAGE:
            raise UnknownFormError("a section with a large alignment")
    return found


def _relocations(code: bytes, sections: Sequence[_Section]) -> list[tuple[int, ndarray[Any, Any]]]:
    """What is to be filled in, by section."""
    found = []
    for section in sections:
        if section.kind != _ADDENDS or sections[section.info].kind == _UNWINDING:
            continue
        rows = np.frombuffer(code, _RELOCATION, section.size // _RELOCATION.itemsize, section.offset)
        if not np.isin(rows["kind"], _KINDS).all():
            raise UnknownFormError("a reference of another kind")
        found.append((section.info, rows))
    return found


def _text(code: bytes, offset: int) -> str:
    return code[offset : code.index(b"\0", offset)].decode()


# --- placing ---------------------------------------------------------------------------------------------------------


def _rounded(number: int, to: int) -> int:
    return -(-number // to) * to


def _lay_out(sections: Sequence[_Section], some: Sequence[int], places: dict[int, int], place: int) -> int:
    """Give sections places, from ``place`` on; returns where they end."""
    for index in some:
        section = sections[index]
        place = places[index] = _rounded(place, max(section.alignment, 1))
        place += section.size
    return place


def _far_symbols(symbols: ndarray[Any, Any], relocations: Sequence[tuple[int, ndarray[Any, Any]]]) -> list[int]:
    """The symbols that need a jump and a word: those from outside, and those whose address is read as a word."""
    far: set[int] = set()
    for _, rows in relocations:
        named = rows["symbol"]
        is_far = (symbols["section"][named] == _UNDEFINED) | np.isin(rows["kind"], _BY_WORD)
        far.update(named[is_far].tolist())
        if (symbols["section"][named] >= _RESERVED).any():
            raise UnknownFormError("a reference to what is in no section")
    return sorted(far)


@cache
def _process() -> Any:
    return ctypes.CDLL(None)


def _outside(name: str, imports: Mapping[str, int]) -> int:
    """The address of what the object does not have itself."""
    if name in imports:
        return imports[name]
    function = getattr(_process(), name, None)
    if function is None:
        raise UnknownFormError(f"nothing is called {name}")
    return ctypes.cast(function, ctypes.c_void_p).value or 0


class _Memory:
    """Pages of this process alone, which are written first and run afterwards."""

    __slots__ = ("_array", "_pages", "address")

    def __init__(self, size: int) -> None:
        if size > _FAR:
            raise UnknownFormError("it is too large")
        size = _rounded(size, _PAGE)
        self._pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._array = np.frombuffer(self._pages, np.uint8)
        self.address = int(self._array.ctypes.data)

    def write(self, place: int, data: bytes) -> None:
        """Copy bytes to a place."""
        self._array[place : place + len(data)] = np.frombuffer(data, np.uint8)

    def write_words(self, places: ndarray[Any, Any], words: ndarray[Any, Any]) -> None:
        """Write words of 32 bits to places, aligned or not."""
        self._array[places[:, None] + np.arange(4)] = words.astype("<i4").view(np.uint8).reshape(-1, 4)

    def protect(self, end: int) -> None:
        """Let what stands before ``end``, a whole number of pages, be run and no longer be written.

        Raises:
            UnknownFormError: the system does not allow it.
        """
        change = _process().mprotect
        change.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        if end and change(self.address, end, mmap.PROT_READ | mmap.PROT_EXEC) != 0:
            raise UnknownFormError("memory may not be made executable")


def _fill_in(
    memory: _Memory, start: int, rows: ndarray[Any, Any], addresses: ndarray[Any, Any], jumps: Mapping[int, int]
) -> None:
    """Write the distances from the references in a section to what they refer to."""
    places = rows["place"].astype(np.int64) + start
    named, kinds = rows["symbol"], rows["kind"]
    targets = addresses[named]
    for number, jump in jumps.items():
        mine = named == number
        targets[mine & (kinds == _CALL)] = memory.address + jump
        targets[mine & np.isin(kinds, _BY_WORD)] = memory.address + jump + len(_JUMP)
    distances = targets + rows["addend"] - (places + memory.address)
    if (np.abs(distances) >= _FAR).any():
        raise UnknownFormError("something is too far away")
    memory.write_words(places, distances)


__all__ = ["Loaded", "UnknownFormError", "is_supported", "load"]
