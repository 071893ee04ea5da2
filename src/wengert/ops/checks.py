"""Which dtypes an operation takes: checks for the ``check`` facet, raising what PyTorch raises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from wengert import _dtypes

Check = Callable[[str, Sequence[Any]], None]

_RANK: Final = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
FLOATS: Final = 2
_CATEGORIES: Final = ("b", "i", "f", "c")
_WORDS: Final = {"b": "bool", "i": "integer", "f": "floating-point", "c": "complex"}


def type_name(x: Any) -> str:
    """PyTorch's name of a value's type in messages: ``Float``, ``Long``; a Python number's is its class's."""
    dtype = getattr(x, "dtype", None)
    return type(x).__name__ if dtype is None else _dtypes.type_name(dtype)


def category(x: Any) -> int:
    """0 for bool, 1 for integers, 2 for floats, 3 for complex numbers."""
    dtype = getattr(x, "dtype", None)
    return _RANK[dtype.kind if dtype is not None else np.dtype(type(x)).kind]


def only(kinds: str) -> Check:
    """A check that the highest category among the inputs is one of ``kinds`` (of ``b i f c``)."""
    taken = [_CATEGORIES.index(kind) for kind in kinds]
    takes_floats = FLOATS in taken
    words = ", ".join(_WORDS[kind] for kind in kinds)

    def check(name: str, raws: Sequence[Any]) -> None:
        if takes_floats and len(raws) == 1 and category(raws[0]) == FLOATS:
            return
        highest = max(raws, key=category)
        if category(highest) not in taken:
            raise NotImplementedError(
                f'"{name}" not implemented for {type_name(highest)!r}. It takes {words} tensors; convert the input '
                "first, for example with .to(torch.float32)"
            )

    return check


NOT_COMPLEX: Final = only("bif")
NOT_BOOL: Final = only("ifc")
INTEGER_OR_FLOAT: Final = only("if")
FLOAT: Final = only("f")
FLOAT_OR_COMPLEX: Final = only("fc")
INTEGER: Final = only("i")
INTEGER_OR_BOOL: Final = only("bi")


def not_bool_difference(name: str, raws: Sequence[Any]) -> None:
    """Subtraction and negation refuse booleans, and say what was probably meant."""
    if all(category(x) > 0 for x in raws):
        return
    if name == "neg":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    if all(category(x) == 0 for x in raws):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    raise RuntimeError(
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
        "the `~` or `logical_not()` operator instead."
    )
