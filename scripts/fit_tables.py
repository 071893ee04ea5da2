"""Make src/wengert/compile/llvm/tables.py: what functions look up in tables of 16, worked out with mpmath.

Run it as ``python scripts/fit_tables.py`` (needs mpmath; takes a few seconds).
"""

from __future__ import annotations

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


def module_text() -> str:
    """The module as text."""
    lines = [
        '"""Tables of 16 entries for the elementary functions. Made by scripts/fit_tables.py; do not edit.',
        "",
        "Polynomials have their highest power first. ``_F`` is for float32, ``_D`` for float64.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
    ]
    for name, doc, values in [*roots_of_two("F"), *roots_of_two("D")]:
        lines += ["", f"# {doc}", f"{name}: Final = ("] + [f"    {v!r}," for v in values] + [")"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    with mp.workdps(60):
        TARGET.write_text(module_text())
