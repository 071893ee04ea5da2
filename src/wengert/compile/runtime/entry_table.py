"""What the tables of int64 hold that the entry code reads, and the IR that reads them.

A kernel's main table says how many arguments and results there are and where their tables are; see :mod:`.entry`, which
fills them in.
"""

from __future__ import annotations

from typing import Final

MOST: Final = 512  # arguments, results, pointers, sizes, axes of all results

# Words of the main table.
ENTRY, SLOW, ARGUMENTS, RESULTS, PREPARE, ARGUMENT_TABLE, RESULT_TABLE = range(7)
CONSTANTS, CONSTANT_TABLE, BOX, BOX_DATA, BOX_PLAIN, BOX_TEMPLATE, BOX_TEMPLATE_TABLE = range(7, 14)
LONG, HANDLER, PRESETS, PRESET_TABLE, GUARDS, GUARD_TABLE, SEEN, FORM, FORM_TABLE = range(14, 23)
MARK, BOX_MARK, BOX_MARKED, NAMES, NAMES_TABLE, HELD, HELD_TABLE = range(23, 30)
WORDS: Final = 30
# Words of an argument: A_TYPE is the class of tensors that are taken, A_PLAIN what their slots have to hold.
A_DESCR, A_NDIM, A_FLAGS, A_AXES, A_POINTER, A_SCALAR, A_SCALAR2, A_STRIDES, A_SHIFT, A_TYPE, A_PLAIN = range(11)
A_WORDS: Final = 11
NOT_READ: Final = -1  # in place of a pointer's number: this argument may be anything
# Words of a result. Its shape stands at R_DIMS among those that the kernel works out, or at the address R_SHAPE.
R_DESCR, R_NDIM, R_TYPE, R_POINTER, R_DIMS, R_SIZE, R_SHAPE, R_SCALAR, R_ALLOC = range(9)
R_WORDS: Final = 9
# Words of a row of a box's template: where, what, and by how much that raises the number of references to it.
T_OFFSET, T_VALUE, T_COUNTED = range(3)
T_WORDS: Final = 3
# Words of what says which sizes calls may have (:mod:`.seen`).
SEEN_COUNT, SEEN_MASK, SEEN_ROWS, SEEN_NUMBERS, SEEN_RANGES = range(5)
SEEN_WORDS: Final = 5
# What to do with the size of an argument's axis: kind and value.
FIXED, LEARN, SAME, ANY = range(4)


def word(name: str, table: str, number: int, kind: str = "i64") -> str:
    """Load a word of a table."""
    return f"""  %{name}.at = getelementptr i64, ptr %{table}, i64 {number}
  %{name} = load {kind}, ptr %{name}.at
"""


def field(name: str, base: str, offset: int, kind: str) -> str:
    """Load a field of an object."""
    return f"""  %{name}.at = getelementptr i8, ptr %{base}, i64 {offset}
  %{name} = load {kind}, ptr %{name}.at
"""
