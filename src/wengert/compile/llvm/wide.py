"""What AVX-512 does in one instruction and other machines in many: tables in registers, scaling, parts of a float.

Functions ask :func:`has_tables` first. A value may have any number of lanes, or be a scalar: it is cut into whole
registers, and what is missing in the last one is left undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from wengert.compile.llvm.ir import FLOAT_BITS, Ir, Val, float32_bits, number_text, type_text

_BITS: Final = 512
ENTRIES: Final = 16  # of a table, for float32 and float64
_CURRENT_ROUNDING: Final = 4
_SMALLER_SIZE: Final = 2
_NAMES: Final = {"float": "ps", "double": "pd"}


def has_tables(ir: Ir) -> bool:
    """Whether the machine has these instructions."""
    return ir.tables


def lookup(ir: Ir, table: Sequence[float], number: Val) -> Val:
    """The entry of a table of 16 floats that the low four bits of an integer tell."""
    if number.elem == "i32":
        entries = _constant(ir, "float", table)

        def single(index: Val) -> Val:
            return ir.call("llvm.x86.avx512.permvar.sf.512", "float", 16, entries, index)

        return _by_register(ir, "float", single, number)
    first, second = [_constant(ir, "double", table[i : i + 8]) for i in (0, 8)]

    def double(index: Val) -> Val:
        return ir.call("llvm.x86.avx512.vpermi2var.pd.512", "double", 8, first, index, second)

    return _by_register(ir, "double", double, number)


def scaled(ir: Ir, x: Val, exponent: Val) -> Val:
    """X * 2^floor(exponent), rounded once."""
    name = f"llvm.x86.avx512.mask.scalef.{_NAMES[x.elem]}.512"

    def one(a: Val, b: Val) -> Val:
        return ir.call(name, a.elem, a.lanes, a, b, a, *_all_lanes(ir, a))

    return _by_register(ir, x.elem, one, x, exponent)


def within(ir: Ir, x: Val, bound: float) -> Val:
    """X where |x| is at most the bound, else the bound with the sign of x; NaN becomes the bound."""
    name = f"llvm.x86.avx512.mask.range.{_NAMES[x.elem]}.512"

    def one(a: Val) -> Val:
        lanes, rounding = _all_lanes(ir, a)
        return ir.call(name, a.elem, a.lanes, a, a.like(bound), ir.const("i32", 0, _SMALLER_SIZE), a, lanes, rounding)

    return _by_register(ir, x.elem, one, x)


class Pieces(NamedTuple):
    """A function of positive float32 by polynomials, one for each half of eight octaves.

    Attributes:
        least: the beginning of the first octave; what is smaller takes its first polynomial.
        most: from here on the function is what it is here.
        starts: what is subtracted from the argument.
        coefficients: tables of the polynomials' coefficients, the highest power first.
    """

    least: float
    most: float
    starts: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]


def piecewise(ir: Ir, pieces: Pieces, x: Val) -> Val:
    """Such a function; NaN stays."""
    bounded = (x > pieces.most).where(pieces.most, x)
    bits, least = bounded.bits(), float32_bits(pieces.least)
    number = (bits > least).where(bits, bits.like(least)).lshr(22)
    r = bounded - lookup(ir, pieces.starts, number)
    *slope, start = [lookup(ir, table, number) for table in pieces.coefficients]
    return ir.fma(ir.even_and_odd(slope, r, r * r), r, start)


# --- registers -------------------------------------------------------------------------------------------------------


def _all_lanes(ir: Ir, x: Val) -> tuple[Val, Val]:
    return ir.const(f"i{x.lanes}", 0, -1), ir.const("i32", 0, _CURRENT_ROUNDING)


def _constant(ir: Ir, elem: str, values: Sequence[float]) -> Val:
    texts = ", ".join([f"{elem} {number_text(elem, value)}" for value in values])
    return Val(ir, f"<{texts}>", elem, len(values))


def _by_register(ir: Ir, elem: str, call: Callable[..., Val], *args: Val) -> Val:
    """Call something that takes whole registers for as many as there are, and put the results together."""
    per, lanes = _BITS // FLOAT_BITS[elem], args[0].lanes
    if lanes == per:
        return call(*args)
    if not lanes:
        (y,) = [call(*[_alone(ir, arg, per) for arg in args])]
        return ir.line(y.elem, 0, f"extractelement {y.typed}, i64 0")
    parts = [call(*[_piece(ir, arg, start, per) for arg in args]) for start in range(0, lanes, per)]
    while len(parts) > 1:
        pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
        parts = [_joined(ir, *pair) if len(pair) == 2 else _piece(ir, pair[0], 0, 2 * pair[0].lanes) for pair in pairs]
    return parts[0] if parts[0].lanes == lanes else _piece(ir, parts[0], 0, lanes)


def _alone(ir: Ir, x: Val, per: int) -> Val:
    """A scalar in the first lane of a register."""
    return ir.line(x.elem, per, f"insertelement {type_text(x.elem, per)} poison, {x.typed}, i64 0")


def _piece(ir: Ir, x: Val, start: int, count: int) -> Val:
    """Some lanes of a vector; those beyond its end are undefined."""
    picks = [f"i32 {i}" if i < x.lanes else "i32 poison" for i in range(start, start + count)]
    return ir.line(x.elem, count, f"shufflevector {x.typed}, {x.type} poison, <{count} x i32> <{', '.join(picks)}>")


def _joined(ir: Ir, a: Val, b: Val) -> Val:
    picks = ", ".join([f"i32 {i}" for i in range(2 * a.lanes)])
    return ir.line(a.elem, 2 * a.lanes, f"shufflevector {a.typed}, {b.typed}, <{2 * a.lanes} x i32> <{picks}>")
