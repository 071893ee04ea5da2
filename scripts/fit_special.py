"""Make src/wengert/ops/special_fits.py: polynomials for the special functions, worked out with mpmath.

Run it as ``python scripts/fit_special.py`` (needs mpmath; takes a few seconds). Each smooth part of a function is
interpolated at Chebyshev nodes with 50 digits, cut off where the coefficients fall below the precision asked for, and
written as a polynomial in the variable scaled to -1..1, highest power first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import mpmath as mp

TARGET = Path(__file__).parent.parent / "src" / "wengert" / "ops" / "special_fits.py"
DOUBLE, SINGLE = "3e-17", "1e-8"
NODES = 80


def chebyshev(f: Callable[[Any], Any], low: Any, high: Any) -> list[Any]:
    """The Chebyshev coefficients of ``f`` on an interval."""
    middle, half = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
    angles = [mp.pi * (k + mp.mpf(1) / 2) / NODES for k in range(NODES)]
    values = [f(middle + half * mp.cos(angle)) for angle in angles]
    return [
        (2 if j else 1) * mp.fsum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True)) / NODES
        for j in range(NODES)
    ]


def polynomial(f: Callable[[Any], Any], low: Any, high: Any, precision: str) -> list[float]:
    """Coefficients in the scaled variable, highest power first, of the shortest series that is precise enough."""
    series = chebyshev(f, low, high)
    limit = mp.mpf(precision) * abs(series[0])
    length = next(j for j in range(NODES) if all(abs(c) < limit for c in series[j:]))
    if length > NODES // 2:
        raise ValueError(f"{f.__name__} needs {length} terms on {low}..{high}: choose a smaller interval")
    powers = [mp.mpf(0)] * length
    before, current = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]  # T0 and T1 as powers
    for j in range(length):
        shape = before if j == 0 else current
        for i, c in enumerate(shape):
            powers[i] += series[j] * c
        if j:
            following = [mp.mpf(0), *[2 * c for c in current]]
            for i, c in enumerate(before):
                following[i] -= c
            before, current = current, following
    return [float(c) for c in reversed(powers)]


def erf_core(square: Any) -> Any:
    """erf(x) / x as a function of x^2."""
    x = mp.sqrt(square)
    return mp.erf(x) / x


TAIL_POLE = 3


def erfc_tail(t: Any) -> Any:
    """(1 + 2x) exp(x^2) erfc(x) as a function of t = (x - 3) / (x + 3)."""
    x = TAIL_POLE * (1 + t) / (1 - t)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def erfinv_centre(w: Any) -> Any:
    """erfinv(y) / y as a function of w = -log(1 - y^2)."""
    y = mp.sqrt(-mp.expm1(-w))
    return mp.erfinv(y) / y


def erfinv_tail(s: Any) -> Any:
    """The same as a function of sqrt(w)."""
    return erfinv_centre(s * s)


def lgamma_near(x: Any) -> Any:
    """Log-gamma without its zeros at 1 and 2."""
    return mp.loggamma(x) / ((x - 1) * (x - 2))


def lgamma_far(square: Any) -> Any:
    """What Stirling's formula lacks, times x, as a function of 1 / x^2."""
    x = 1 / mp.sqrt(square)
    return x * (mp.loggamma(x) - ((x - mp.mpf(1) / 2) * mp.log(x) - x + mp.log(2 * mp.pi) / 2))


@cache
def digamma_zero() -> Any:
    """Where digamma changes its sign."""
    return mp.findroot(mp.digamma, mp.mpf("1.4616"))


def digamma_near(x: Any) -> Any:
    """Digamma without its zero."""
    return mp.digamma(x) / (x - digamma_zero())


def digamma_far(square: Any) -> Any:
    """x^2 (log x - 1 / (2x) - digamma x) as a function of 1 / x^2."""
    x = 1 / mp.sqrt(square)
    return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) * x * x


def tail_end(x: int) -> Any:
    """The scaled variable of the tail of erfc at x."""
    return mp.mpf(x - TAIL_POLE) / (x + TAIL_POLE)


def fits() -> list[tuple[str, str, str, list[float], Any, Any]]:
    """Name, documentation, coefficients and interval of each fit."""
    wanted: list[tuple[str, Callable[[Any], Any], Any, Any, str]] = [
        ("ERF_CORE", erf_core, 0, 1, DOUBLE),
        ("ERF_CORE_SINGLE", erf_core, 0, 1, SINGLE),
        ("ERFC_TAIL", erfc_tail, tail_end(1), tail_end(28), DOUBLE),
        ("ERFC_TAIL_SINGLE", erfc_tail, tail_end(1), tail_end(28), SINGLE),
        ("ERFINV_CENTRE", erfinv_centre, 0, mp.mpf("6.25"), DOUBLE),
        ("ERFINV_TAIL", erfinv_tail, mp.mpf("2.5"), mp.mpf("6.1"), DOUBLE),
        ("LGAMMA_NEAR", lgamma_near, 1, 3, DOUBLE),
        ("LGAMMA_FAR", lgamma_far, 0, mp.mpf(1) / 9, DOUBLE),
        ("DIGAMMA_NEAR", digamma_near, 1, 2, DOUBLE),
        ("DIGAMMA_FAR", digamma_far, 0, mp.mpf(1) / 4, DOUBLE),
    ]
    return [(n, f.__doc__ or "", p, polynomial(f, a, b, p), a, b) for n, f, a, b, p in wanted]


def write(target: Path) -> None:
    """Write the module."""
    with mp.workdps(50):
        target.write_text(module_text())


def module_text() -> str:
    """The module as text."""
    lines = [
        '"""Polynomials for the special functions. Made by scripts/fit_special.py; do not edit.',
        "",
        "Each fit is ``(middle, scale, coefficients)``: the polynomial in ``(x - middle) * scale``, highest power",
        "first.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "Fit = tuple[float, float, tuple[float, ...]]",
    ]
    for name, doc, precision, coefficients, start, end in fits():
        low, high = mp.mpf(start), mp.mpf(end)
        middle, scale = float((low + high) / 2), float(2 / (high - low))
        lines += ["", f"# {doc} To {precision}."]
        lines += [f"{name}: Final[Fit] = (", f"    {middle!r},", f"    {scale!r},", "    ("]
        lines += [f"        {c!r}," for c in coefficients] + ["    ),", ")"]
    head = float(digamma_zero())
    lines += ["", "# The zero of digamma, as a float and what the float lacks."]
    lines += [f"DIGAMMA_ZERO: Final = ({head!r}, {float(digamma_zero() - head)!r})", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    write(TARGET)
