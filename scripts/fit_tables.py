"""Make src/wengert/compile/llvm/tables.py: what functions look up in tables, worked out with mpmath.

Run it as ``python scripts/fit_tables.py`` (needs mpmath; takes a few seconds).
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import mpmath as mp
from fit_elementary import exp_rest, series, to_single

TARGET = Path(__file__).parent.parent / "src" / "wengert" / "compile" / "llvm" / "tables.py"
Table = tuple[str, str, list[float]]


def rounded(x: Any, suffix: str) -> float:
    """The nearest float32 or float64."""
    return to_single(x) if suffix == "F" else float(x)


def roots_of_two(suffix: str) -> list[Table]:
    """2^(j / 16), and what ln of its rounded value lacks; exp(r) for what is left."""
    exact = [mp.power(2, mp.mpf(j) / 16) for j in range(16)]
    near = [rounded(x, suffix) for x in exact]
    lost = [rounded(mp.log(x / y), suffix) for x, y in zip(exact, near, strict=True)]
    reach = mp.log(2) / 32 * mp.mpf("1.001")
    poly = mp.chebyfit(series(exp_rest, 0.5), [-reach, reach], 2 if suffix == "F" else 5)
    return [
        (f"ROOTS_OF_TWO_{suffix}", "2^(j / 16).", near),
        (f"ROOTS_LOST_{suffix}", "ln(2^(j / 16)) - ln(the rounded value above).", lost),
        (f"EXP_NEAR_{suffix}", "(exp(x) - 1 - x) / x^2 for |x| <= ln(2) / 32.", [rounded(c, suffix) for c in poly]),
    ]


def octaves(least: int) -> list[tuple[Any, Any]]:
    """The intervals of the table's entries: quarters of eight octaves, the first of them from 0."""
    edges = [mp.mpf(2) ** (least + k // 4) * (1 + mp.mpf(k % 4) / 4) for k in range(33)]
    return [(0, edges[1]), *pairwise(edges[1:])]


def start_of(f: Any, low: Any, high: Any) -> Any:
    """A float32 near the middle of an interval at which a function is nearly a float32."""
    near = [mp.mpf(to_single((low + high) / 2 * (1 + k * mp.mpf(2) ** -22))) for k in range(-500, 500)]
    return min(near, key=lambda x: abs(to_single(f(x)) - f(x)))


def slope(f: Any, x: Any) -> Any:
    """(f(x + r) - f(x)) / r as a function of r."""
    y, at_zero = f(x), mp.diff(f, x)
    return lambda r: (f(x + r) - y) / r if abs(r) > mp.mpf(10) ** -30 else at_zero


def pieces(f: Any, least: int, most: float, length: int) -> list[list[float]]:
    """A function of positive float32 by a polynomial around a place in each interval: the places, the coefficients."""
    entries = []
    for low, high in octaves(least):
        x = mp.mpf(0) if low == 0 else mp.mpf(most) if low < most <= high else start_of(f, low, high)
        top = min(high, mp.mpf(most))
        poly = mp.chebyfit(slope(f, x), [low - x, top - x], length) if low < top else [mp.mpf(0)] * length
        entries.append([float(x), *[to_single(c) for c in poly], to_single(f(x))])
    by_number = [entries[(k - 4 * (least + 127)) % 32] for k in range(32)]
    return [list(column) for column in zip(*by_number, strict=True)]


def tanh_text() -> list[str]:
    """The hyperbolic tangent by pieces."""
    least, most = -4, 9.125
    starts, *columns = [f"    ({', '.join(map(repr, column))})," for column in pieces(mp.tanh, least, most, 5)]
    doc = "# tanh(x) in float32, by the last three binary digits of the exponent and the first two of the fraction."
    return [
        "",
        doc,
        "TANH: Final = Pieces(",
        f"    {2.0**least},",
        f"    {most},",
        starts,
        "    (",
        *columns,
        "    ),",
        ")",
    ]


def module_text() -> str:
    """The module as text."""
    lines = [
        '"""Tables of 16 and 32 entries for the elementary functions. Made by scripts/fit_tables.py; do not edit.',
        "",
        "Polynomials have their highest power first. ``_F`` is for float32, ``_D`` for float64.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "from wengert.compile.llvm.wide import Pieces",
    ]
    for name, doc, values in [*roots_of_two("F"), *roots_of_two("D")]:
        lines += ["", f"# {doc}", f"{name}: Final = ("] + [f"    {v!r}," for v in values] + [")"]
    return "\n".join([*lines, *tanh_text(), ""])


if __name__ == "__main__":
    with mp.workdps(60):
        TARGET.write_text(module_text())
