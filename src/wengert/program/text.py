"""A program as text that people read and :mod:`wengert.program.parse` reads back.

program(a: f32[3,4], b: f32[4]):
  c: f32[3,4] = mul(a, b)
  d: f32[4] = sum(c, dim=(0,), keepdim=False)
  return d
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np

from wengert.program.values import Value, dtype_text, type_text

# Words that a value must not be called, because they mean something in an equation.
RESERVED = frozenset({"inf", "nan", "return", *keyword.kwlist})


def program_text(program: Any) -> str:
    """The whole program."""
    names = value_names(program)
    arguments = ", ".join([f"{names[x]}: {type_text(x)}" for x in program.inputs])
    lines = [f"program({arguments}):"]
    for value, array in program.constants.items():
        lines.append(f"  {names[value]}: {type_text(value)} = constant({constant_text(array)})")
    for equation in program.equations:
        lines.append("  " + equation_text(equation, names))
        for key, body in bodies_of(equation):
            lines += _indented(f"{key} = {program_text(body)}")
    results = ", ".join([operand_text(x, names) for x in program.outputs])
    lines.append(f"  return {results}" if results else "  return")
    return "\n".join(lines)


def bodies_of(equation: Any) -> Iterator[tuple[str, Any]]:
    """The programs among an equation's metadata, by their names."""
    return ((key, value) for key, value in equation.meta.items() if hasattr(value, "equations"))


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.splitlines()]


def value_names(program: Any) -> dict[Value, str]:
    """A name for each value, in the order in which they are made: a, b, ..., z, aa, ab, ..."""
    fresh = _letters()
    names = {x: next(fresh) for x in program.inputs}
    names |= {x: next(fresh) for x in program.constants}
    names |= {x: next(fresh) for equation in program.equations for x in equation.results}
    return names


def _letters() -> Iterator[str]:
    for number in count():
        name, rest = "", number
        while rest >= 0:
            rest, digit = divmod(rest, 26)
            name = chr(ord("a") + digit) + name
            rest -= 1
        if name not in RESERVED:
            yield name


def equation_text(equation: Any, names: Mapping[Value, str]) -> str:
    """One equation: ``c: f32[3] = add(a, b)``."""
    results = ", ".join([f"{names[x]}: {type_text(x)}" for x in equation.results])
    arguments = [operand_text(x, names) for x in equation.inputs]
    inner = dict(bodies_of(equation))  # they stand below
    arguments += [f"{key}={meta_text(value)}" for key, value in equation.meta.items() if key not in inner]
    return f"{results} = {equation.op.name}({', '.join(arguments)})"


def operand_text(x: Any, names: Mapping[Value, str]) -> str:
    """A value's name, or a number."""
    return names.get(x, "?") if isinstance(x, Value) else meta_text(x)


def constant_text(array: np.ndarray[Any, Any]) -> str:
    """The elements of an array in C order, ``1.0, 2.0``; one for all if they are the same."""
    if array.size > 1 and _is_uniform(array):
        array = _first(array)
    return ", ".join([meta_text(x) for x in array.ravel().tolist()])


def _first(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array[(slice(0, 1),) * array.ndim].reshape(-1)


def _is_uniform(array: np.ndarray[Any, Any]) -> bool:
    first = _first(array)
    return not any(array.strides) or bool(
        np.all(array == first) and np.all(np.signbit(array.real) == np.signbit(first.real))
    )


def meta_text(value: Any) -> str:
    """Metadata, and numbers, as Python writes them, with dtypes by their short names.

    >>> meta_text({"dim": (0,), "dtype": np.dtype("f4"), "value": -float("inf")})
    "{'dim': (0,), 'dtype': f32, 'value': -inf}"
    """
    if isinstance(value, np.dtype):
        return dtype_text(value)
    if isinstance(value, dict):
        return "{" + ", ".join([f"{k!r}: {meta_text(v)}" for k, v in value.items()]) + "}"
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(meta_text, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, complex):
        return f"complex({value.real!r}, {value.imag!r})"
    if isinstance(value, slice):
        return f"slice({value.start!r}, {value.stop!r}, {value.step!r})"
    return repr(value)
