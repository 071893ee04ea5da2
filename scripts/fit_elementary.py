"""Make src/wengert/compile/llvm/coefficients.py: polynomials for the elementary functions, worked out with mpmath.

Run it as ``python scripts/fit_elementary.py`` (needs mpmath; takes a few seconds). Each fit is the Chebyshev
interpolation of a smooth part of a function at 60 digits, as coefficients of the powers, highest first. The degree is
the smallest whose error, relative to the largest value, is below the precision asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

TARGET = Path(__file__).parent.parent / "src" / "wengert" / "compile" / "llvm" / "coefficients.py"
SINGLE, DOUBLE = 2.0**-27, 2.0**-57
Function = Callable[[Any], Any]


def series(f: Function, at_zero: Any) -> Function:
    """``f``, and its limit at 0."""
    return lambda x: mp.mpf(at_zero) if x == 0 else f(x)


def exp_rest(x: Any) -> Any:
    """(exp(x) - 1 - x) / x^2."""
    return (mp.expm1(x) - x) / x**2


def log_rest(x: Any) -> Any:
    """(ln(1 + x) - x + x^2 / 2) / x^3."""
    return (mp.log1p(x) - x + x**2 / 2) / x**3


def log_of_s(z: Any) -> Any:
    """(2 artanh(s) - 2 s) / s^3 as a function of z = s^2."""
    s = mp.sqrt(z)
    return 2 * (mp.atanh(s) - s) / s**3


def log_of_s_rest(z: Any) -> Any:
    """(2 artanh(s) - 2 s - 2 s^3 / 3) / s^5 as a function of z = s^2."""
    s = mp.sqrt(z)
    return 2 * (mp.atanh(s) - s - s**3 / 3) / s**5


def sin_rest(z: Any) -> Any:
    """(sin(x) - x) / x^3 as a function of z = x^2."""
    x = mp.sqrt(z)
    return (mp.sin(x) - x) / x**3


def cos_rest(z: Any) -> Any:
    """(cos(x) - 1 + x^2 / 2) / x^4 as a function of z = x^2."""
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2


def tan_rest(z: Any) -> Any:
    """(tan(x) - x) / x^3 as a function of z = x^2."""
    x = mp.sqrt(z)
    return (mp.tan(x) - x) / x**3


def tanh_rest(z: Any) -> Any:
    """(tanh(x) - x) / x^3 as a function of z = x^2."""
    x = mp.sqrt(z)
    return (mp.tanh(x) - x) / x**3


def sinh_rest(z: Any) -> Any:
    """(sinh(x) - x) / x^3 as a function of z = x^2."""
    x = mp.sqrt(z)
    return (mp.sinh(x) - x) / x**3


def asin_rest(z: Any) -> Any:
    """(arcsin(x) - x) / x^3 as a function of z = x^2."""
    x = mp.sqrt(z)
    return (mp.asin(x) - x) / x**3


def atan_rest(z: Any) -> Any:
    """(arctan(x) - x) / x^3 as a function of z = x^2."""
    x = mp.sqrt(z)
    return (mp.atan(x) - x) / x**3


def erf_rest(z: Any) -> Any:
    """erf(x) / x - 2 / sqrt(pi) (to float64) as a function of z = x^2."""
    x = mp.sqrt(z)
    return mp.erf(x) / x - mp.mpf(float(2 / mp.sqrt(mp.pi)))


LN2_HALF = mp.log(2) / 2 * mp.mpf("1.001")
QUARTER_PI = mp.pi / 4 * mp.mpf("1.01")
LOG_LOW, LOG_HIGH = 1 / mp.sqrt(2) - 1 - mp.mpf("1e-6"), mp.sqrt(2) - 1 + mp.mpf("1e-6")
S_MAX = (LOG_HIGH / (2 + LOG_HIGH)) ** 2
# name, function, its limit at zero (None where zero is outside), interval, the factor by which the error matters less
FITS: tuple[tuple[str, Function, Any, Any, Any, float], ...] = (
    ("EXP", exp_rest, 0.5, -LN2_HALF, LN2_HALF, 0.06),
    ("LOG", log_rest, mp.mpf(1) / 3, LOG_LOW, LOG_HIGH, 0.2),
    ("LOG_S", log_of_s, mp.mpf(2) / 3, 0, S_MAX, 0.02),
    ("LOG_S_REST", log_of_s_rest, mp.mpf(2) / 5, 0, S_MAX, 0.05),
    ("SIN", sin_rest, -mp.mpf(1) / 6, 0, QUARTER_PI**2, 0.1),
    ("COS", cos_rest, mp.mpf(1) / 24, 0, QUARTER_PI**2, 0.02),
    ("TAN", tan_rest, mp.mpf(1) / 3, 0, QUARTER_PI**2, 0.2),
    ("TANH", tanh_rest, -mp.mpf(1) / 3, 0, 1, 0.3),
    ("SINH", sinh_rest, mp.mpf(1) / 6, 0, 1, 0.2),
    ("ASIN", asin_rest, mp.mpf(1) / 6, 0, mp.mpf("0.2501"), 0.05),
    ("ATAN", atan_rest, -mp.mpf(1) / 3, 0, (mp.sqrt(2) - 1 + mp.mpf("1e-6")) ** 2, 0.06),
    ("ERF", erf_rest, 2 / mp.sqrt(mp.pi) - mp.mpf(float(2 / mp.sqrt(mp.pi))), 0, 1, 0.4),
)
ONLY_DOUBLE = {"LOG_S", "LOG_S_REST"}
ONLY_SINGLE = {"LOG"}


def to_single(x: Any) -> float:
    """The nearest float32."""
    return float(struct.unpack("<f", struct.pack("<f", float(x)))[0])


def fit(f: Function, low: Any, high: Any, precision: float) -> list[Any]:
    """Coefficients of the shortest polynomial that is precise enough."""
    for n in range(2, 30):
        poly, error = mp.chebyfit(f, [low, high], n, error=True)
        if error < precision:
            return list(poly)
    raise ValueError("no polynomial of degree below 30 will do")


def parts(value: Any, bits: int, count: int, drop: int = 0) -> list[float]:
    """A number as a sum of floats of ``bits - drop`` bits each; the last has all its bits."""
    result = []
    for i in range(count):
        size = bits if i == count - 1 else bits - drop
        mantissa, exponent = mp.frexp(value)
        piece = mp.ldexp(mp.nint(mp.ldexp(mantissa, size)), int(exponent) - size)
        result.append(float(piece))
        value -= piece
    return result


def constants() -> list[tuple[str, str, list[float]]]:
    """Numbers in parts: name, what they are, values."""
    ln2, half_pi = mp.log(2), mp.pi / 2
    return [
        ("LN2_F", "ln 2 in two floats; the first times any exponent is exact.", parts(ln2, 24, 2, 9)),
        ("LN2_D", "ln 2 in two floats; the first times any exponent is exact.", parts(ln2, 53, 2, 12)),
        ("HALF_PI_F", "pi / 2 in three float32.", parts(half_pi, 24, 3)),
        ("HALF_PI_D", "pi / 2 in four float64.", parts(half_pi, 53, 4)),
        ("LOG2E_D", "log2(e) in two floats.", parts(1 / ln2, 53, 2)),
        ("LOG10E_D", "log10(e) in two floats.", parts(1 / mp.log(10), 53, 2)),
        ("LOG10_2_D", "log10(2) in two floats; the first times any exponent is exact.", parts(mp.log10(2), 53, 2, 12)),
    ]


def two_over_pi(words: int = 40) -> list[int]:
    """The binary digits of 2 / pi, in words of 32 bits."""
    with mp.workprec(32 * words + 100):
        digits = int(mp.floor(mp.ldexp(2 / mp.pi, 32 * words)))
    return [(digits >> (32 * (words - 1 - i))) & 0xFFFFFFFF for i in range(words)]


def module_text() -> str:
    """The module as text."""
    lines = [
        '"""Polynomials of the elementary functions. Made by scripts/fit_elementary.py; do not edit.',
        "",
        "Highest power first. ``_F`` is for float32, ``_D`` for float64.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
    ]
    for name, f, limit, low, high, weight in FITS:
        for suffix, precision, skip in (("F", SINGLE, ONLY_DOUBLE), ("D", DOUBLE, ONLY_SINGLE)):
            if name in skip:
                continue
            poly = fit(series(f, limit), low, high, precision / weight)
            values = [to_single(c) if suffix == "F" else float(c) for c in poly]
            lines += ["", f"# {f.__doc__}", f"{name}_{suffix}: Final = ("]
            lines += [f"    {c!r}," for c in values] + [")"]
    for name, doc, values in constants():
        lines += ["", f"# {doc}", f"{name}: Final = ({', '.join([repr(v) for v in values])})"]
    lines += ["", "# The binary digits of 2 / pi, in words of 32 bits.", "TWO_OVER_PI: Final = ("]
    lines += [f"    0x{word:08X}," for word in two_over_pi()] + [")", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    with mp.workdps(100):
        TARGET.write_text(module_text())
