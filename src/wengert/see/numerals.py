"""How numbers are written in formulas: whole, as constants that have a name, as short fractions, as decimals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

import numpy as np

_CONSTANTS: Final[Mapping[str, float]] = {
    "pi": math.pi,
    "ln(2)": math.log(2),
    "ln(10)": math.log(10),
    "2/sqrt(pi)": 2 / math.sqrt(math.pi),
    "sqrt(pi)/2": math.sqrt(math.pi) / 2,
    "sqrt(2/pi)": math.sqrt(2 / math.pi),
    "1/sqrt(2 pi)": 1 / math.sqrt(2 * math.pi),
    "pi/180": math.pi / 180,
    "180/pi": 180 / math.pi,
    "1/ln(2)": 1 / math.log(2),
    "1/ln(10)": 1 / math.log(10),
}


def number_text(value: Any) -> str:
    """A number as it would be typed."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def number_or_fraction(value: Any) -> str:
    """A number, as a short fraction if it is one to the last digits: 1/3."""
    fraction = Fraction(value).limit_denominator(1000) if isinstance(value, float) and math.isfinite(value) else None
    if fraction and math.isclose(float(fraction), value, rel_tol=1e-14) and not is_decimal(fraction):
        return fraction_text(fraction)
    return number_text(value)


def fraction_text(value: Fraction) -> str:
    """An exact number: whole, as a constant that has a name, a short fraction, or decimal."""
    if value.denominator == 1 and abs(value.numerator) < 10**15:
        return str(value.numerator)
    for text, constant in _CONSTANTS.items():
        if math.isclose(abs(float(value)), constant, rel_tol=1e-14):
            return text if value > 0 else f"-{text}"
    if value.denominator <= 1000 and abs(value.numerator) <= 1000 and not is_decimal(value):
        return f"{value.numerator}/{value.denominator}"
    return f"{float(value):.6g}"


def is_decimal(value: Fraction) -> bool:
    """Whether a person would write it with a point: 0.1, 2.5, 0.75, but 1/3, 1/4 and 1/8 as they are."""
    if value.denominator == 1:
        return False
    ends = any([10**k % value.denominator == 0 for k in range(1, 5)])
    return value.denominator % 10 == 0 or (value.numerator != 1 and ends)


def coefficient_parts(value: Fraction) -> tuple[str, str]:
    """What a positive coefficient puts above and below the line; nothing for 1."""
    text = fraction_text(value)
    above, below = text, ""
    if "/" in text.partition("(")[0] or text.endswith(")/2"):
        above, _, below = text.rpartition("/") if text.endswith("/2") else text.partition("/")
    return ("" if above == "1" else above), below


def short_number(value: Any) -> str:
    """A value of the graph for a person to read: about five digits."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (complex, np.complexfloating)):
        return f"{short_number(value.real)}{'-' if value.imag < 0 else '+'}{short_number(abs(value.imag))}i"
    number = float(value)
    if not math.isfinite(number) or (number == int(number) and abs(number) < 1e6):
        return str(number) if not math.isfinite(number) else str(int(number))
    if 0.1 <= abs(number) < 1e5:
        return f"{number:.4f}".rstrip("0").rstrip(".")
    return f"{number:.5g}"


__all__ = ["coefficient_parts", "fraction_text", "is_decimal", "number_or_fraction", "number_text", "short_number"]
