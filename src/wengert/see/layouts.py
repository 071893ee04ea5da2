"""Signs of operations: which are written between their operands, and which under another name than the table's."""

from __future__ import annotations

from typing import Final

# operation -> (sign, how tightly it binds)
INFIX: Final = {
    "add": ("+", "SUM"),
    "sub": ("-", "SUM"),
    "mul": ("*", "PRODUCT"),
    "div": ("/", "PRODUCT"),
    **dict.fromkeys(("mm", "mv", "vm", "dot", "bmm", "matmul"), ("@", "PRODUCT")),
    "gt": (">", "COMPARISON"),
    "ge": (">=", "COMPARISON"),
    "lt": ("<", "COMPARISON"),
    "le": ("<=", "COMPARISON"),
    "eq": ("=", "COMPARISON"),
    "ne": ("!=", "COMPARISON"),
    "logical_and": ("and", "LOGIC"),
    "logical_or": ("or", "LOGIC"),
    "logical_xor": ("xor", "LOGIC"),
}

# Written as their first input: they change no value, only where or how it is stored or spread.
PLAIN: Final = frozenset(("alias", "clone", "contiguous", "cast", "expand", "tied"))

# Their metadata are numbers that stand behind the input: clamp(x, 0, 1).
METADATA_LAST: Final = frozenset(("clamp", "clamp_min", "clamp_max", "hardtanh", "threshold"))

# Metadata that follow from the inputs.
UNSAID: Final = frozenset(("sizes", "rank"))

# Written as the arithmetic that they do, with the numbers of their metadata.
EXPANDED: Final = frozenset(
    ("rsub", "rsub_number", "add_alpha", "sub_alpha", "rsub_alpha", "addcmul", "addcdiv", "lerp_number", "deg2rad")
)

# What needs no explanation.
FAMILIAR: Final = frozenset(
    (
        *(
            "exp",
            "log",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
            "sqrt",
            "abs",
            "sgn",
            "sign",
        ),
        *("sum", "mean", "prod", "max", "min", "maximum", "minimum", "floor", "ceil", "round", "isnan", "isfinite"),
        *("zeros_like", "ones_like", "clamp", "reshape", "view", "permute", "transpose", "unsqueeze", "squeeze"),
    )
)

RENAMED: Final = {"clamp_min": "max", "clamp_max": "min", "hardtanh": "clamp"}

PREFIXES: Final = ("linalg_", "number_")
SUFFIXES: Final = ("_number", "_all", "_dim", "_tensor", "_alpha", "_in_place", "_")


def display_name(op: str) -> str:
    """What an operation is called in formulas: the table's name without what tells its forms apart."""
    if op in RENAMED:
        return RENAMED[op]
    for prefix in PREFIXES:
        op = op.removeprefix(prefix)
    for suffix in SUFFIXES:
        op = op.removesuffix(suffix)
    return op


__all__ = ["EXPANDED", "FAMILIAR", "INFIX", "METADATA_LAST", "PLAIN", "UNSAID", "display_name"]
