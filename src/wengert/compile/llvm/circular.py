"""Circular functions in IR: sine, cosine, tangent and the inverses.

An argument is reduced by multiples of pi / 2 that are subtracted in several parts. Where a lane of a vector is too
large for that, a branch that is hardly ever taken works those lanes out one by one with as many digits of 2 / pi as
they need (Payne and Hanek's method, in 256-bit integers).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wengert.compile.llvm import coefficients as fits
from wengert.compile.llvm.elementary import absolute, ir_narrow, is_single, round_to_int, strict, widen
from wengert.compile.llvm.ir import Ir, Val, type_text

_LARGEST: Final = {"float": 1e5, "double": 1e8}
_TWO_OVER_PI: Final = 0.6366197723675814
_DIGITS: Final = "wengert_two_over_pi"


def _reduced(ir: Ir, x: Val) -> tuple[Val, Val, Val | None]:
    """X = n pi / 2 + high + low: n as an integer; float32 needs no low part."""
    if is_single(x) and not ir.fma_available:
        n, whole = round_to_int(widen(x) * _TWO_OVER_PI)
        wide = widen(x) - n * fits.HALF_PI_D[0]
        return whole.convert("trunc", "i32"), ir_narrow(wide), None
    n, whole = round_to_int(x * _TWO_OVER_PI)
    if is_single(x):
        a, b, c = fits.HALF_PI_F
        return whole, ir.fma(n, -c, ir.fma(n, -b, ir.fma(n, -a, x))), None
    a, b, c, _ = fits.HALF_PI_D
    p = n * a
    p_low = ir.product_rest(n, a, p)
    q = n * b
    q_low = ir.product_rest(n, b, q)
    r = x - p  # exact: the two are close, or n is 0
    d, d_low = two_sum(p_low, q)
    high, low = two_sum(r, -d)
    low = low - (d_low + ir.fma(n, c, q_low))
    total = high + low
    return whole, total, (high - total) + low


def two_sum(a: Val, b: Val) -> tuple[Val, Val]:
    """A + b rounded, and exactly what the rounding lost."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _sine(ir: Ir, r: Val, low: Val | None) -> Val:
    """sin(r + low) for |r| <= pi / 4."""
    z = r * r
    rest = r * z * ir.polynomial(fits.SIN_F if is_single(r) else fits.SIN_D, z)
    if low is None:
        return r + rest
    return r + ir.fma(low, 1.0 - z * 0.5, rest)


def _cosine(ir: Ir, r: Val, low: Val | None) -> Val:
    """cos(r + low) for |r| <= pi / 4."""
    z = r * r
    half = z * 0.5
    top = 1.0 - half
    rest = ((1.0 - top) - half) + z * z * ir.polynomial(fits.COS_F if is_single(r) else fits.COS_D, z)
    if low is not None:
        rest = ir.fma(-r, low, rest)
    return top + rest


def _with_sign_of_bit(value: Val, quadrant: Val) -> Val:
    """-value where bit 1 of the quadrant is set."""
    width = 31 if is_single(value) else 63
    sign = (quadrant & 2) << (width - 1)
    return (value.bits() ^ sign).bits()


def _from_quadrant(ir: Ir, n: Val, r: Val, low: Val | None, shift: int) -> Val:
    quadrant = n + shift  # cos(x) = sin(x + pi / 2)
    y = (quadrant & 1).ne(0).where(_cosine(ir, r, low), _sine(ir, r, low))
    return _with_sign_of_bit(y, quadrant)


def sin(ir: Ir, x: Val) -> Val:
    """Sine: at most 2 ulp, for arguments of any size."""
    with strict(ir):
        y = _from_quadrant(ir, *_reduced(ir, x), shift=0)
        y = _tiny(ir, x).where(x, y)
        return _huge_lanes(ir, x, y, "sin", lambda n, r, low: _from_quadrant(ir, n, r, low, 0))


def cos(ir: Ir, x: Val) -> Val:
    """Cosine: at most 2 ulp, for arguments of any size."""
    with strict(ir):
        y = _from_quadrant(ir, *_reduced(ir, x), shift=1)
        return _huge_lanes(ir, x, y, "cos", lambda n, r, low: _from_quadrant(ir, n, r, low, 1))


def _tangent(ir: Ir, n: Val, r: Val, low: Val | None) -> Val:
    s, c = _sine(ir, r, low), _cosine(ir, r, low)
    odd = (n & 1).ne(0)
    return odd.where(-c, s) / odd.where(s, c)


def tan(ir: Ir, x: Val) -> Val:
    """Tangent: at most 2.5 ulp, for arguments of any size."""
    if is_single(x):
        return ir_narrow(tan(ir, widen(x)))
    with strict(ir):
        y = _tiny(ir, x).where(x, _tangent(ir, *_reduced(ir, x)))
        return _huge_lanes(ir, x, y, "tan", lambda n, r, low: _tangent(ir, n, r, low))


def _tiny(ir: Ir, x: Val) -> Val:
    """Where the function is its argument, the sign of zero included."""
    return absolute(ir, x) < (1e-6 if is_single(x) else 1e-10)


# --- huge arguments ------------------------------------------------------------------------------------------------

Finish = Callable[[Val, Val, Val], Val]


def _huge_lanes(ir: Ir, x: Val, y: Val, name: str, finish: Finish) -> Val:
    """Y, but worked out anew in lanes where |x| is too large for the short reduction."""
    huge = absolute(ir, x) >= _LARGEST[x.elem]
    anywhere = huge if not x.lanes else ir.call(f"llvm.vector.reduce.or.v{x.lanes}i1", "i1", 0, huge)
    rare, after, before = ir.label(), ir.label(), ir.block
    ir.do(f"br i1 {anywhere.text}, label %{rare}, label %{after}, !prof !0")
    ir.start(rare)
    function = _huge_function(ir, name, finish)
    slow = _lane_by_lane(ir, x, y, function)
    came_from = ir.block
    ir.jump(after)
    ir.start(after)
    merged, incoming = ir.phi(x.elem, x.lanes)
    incoming += [(y, before), (slow, came_from)]
    return merged


def _lane_by_lane(ir: Ir, x: Val, y: Val, function: str) -> Val:
    """The function of each lane that is huge, in a loop."""
    if not x.lanes:
        return _call_scalar(ir, x, function)
    memory = type_text(x.elem, x.lanes)
    source, target = ir.allocate(memory), ir.allocate(memory)
    ir.do(f"store {x.typed}, ptr {source}")
    ir.do(f"store {y.typed}, ptr {target}")
    before, head, work, following, done = ir.block, ir.label(), ir.label(), ir.label(), ir.label()
    ir.jump(head)
    ir.start(head)
    lane, incoming = ir.phi("i64", 0)
    place = ir.line("ptr", 0, f"getelementptr {x.elem}, ptr {source}, i64 {lane.text}")
    one = ir.line(x.elem, 0, f"load {x.elem}, ptr {place.text}")
    ir.branch(absolute(ir, one) >= _LARGEST[x.elem], work, following)
    ir.start(work)
    result = _call_scalar(ir, one, function)
    place = ir.line("ptr", 0, f"getelementptr {x.elem}, ptr {target}, i64 {lane.text}")
    ir.do(f"store {result.typed}, ptr {place.text}")
    ir.jump(following)
    ir.start(following)
    after = lane + 1
    incoming += [(lane.like(0), before), (after, following)]
    ir.branch(after < x.lanes, head, done)
    ir.start(done)
    return ir.line(x.elem, x.lanes, f"load {memory}, ptr {target}")


def _call_scalar(ir: Ir, x: Val, function: str) -> Val:
    wide = widen(x) if is_single(x) else x
    y = ir.line("double", 0, f"call double @{function}({wide.typed})")
    return ir_narrow(y) if is_single(x) else y


def _huge_function(ir: Ir, name: str, finish: Finish) -> str:
    """The private function of one float64 with a huge or infinite argument."""
    function = f"wengert_{name}_huge"
    if function not in ir.helpers:
        with ir.function(f"define private double @{function}(double %x) noinline cold", function):
            x = Val(ir, "%x", "double", 0)
            y = finish(*_payne_hanek(ir, x))
            ir.do(f"ret {(x - x).eq(0.0).where(y, x - x).typed}")
    return function


def _payne_hanek(ir: Ir, x: Val) -> tuple[Val, Val, Val]:
    """A float64 of at least 2^26 by multiples of pi / 2: the quadrant, and the rest in two parts."""
    if _DIGITS not in ir.helpers:
        number = 0
        for word in fits.TWO_OVER_PI:
            number = number << 32 | word
        data = "".join([f"\\{byte:02X}" for byte in number.to_bytes(192, "little")])
        ir.helpers[_DIGITS] = f'@{_DIGITS} = private constant [192 x i8] c"{data}"'
    bits = x.bits()
    mantissa = (bits & ((1 << 52) - 1)) | (1 << 52)
    exponent = (bits.lshr(52) & 0x7FF) - 1075
    # The first binary place that matters: from there on 192 digits; those before it make multiples of 4.
    start = 32 * len(fits.TWO_OVER_PI) - 190 - exponent
    start = (start > 0).where(start, start.like(0))
    place = ir.line("ptr", 0, f"getelementptr i8, ptr @{_DIGITS}, i64 {start.lshr(3).text}")
    window = ir.line("i256", 0, f"load i256, ptr {place.text}, align 1")
    window = window.lshr((start & 7).convert("zext", "i256")) & ((1 << 192) - 1)
    product = mantissa.convert("zext", "i256") * window << 64  # 190 binary places, times 4 modulo 1
    rounded = product + (1 << (64 + 189))
    quadrant = rounded.lshr(64 + 190).convert("trunc", "i64")
    fraction = (product - ((rounded.lshr(64 + 190)) << (64 + 190))).ashr(64)
    parts: list[Val] = []
    for place_shift, weight in ((148, 2.0**-42), (106, 2.0**-84), (64, 2.0**-126)):
        piece = fraction.ashr(place_shift)
        if parts:
            piece = piece & ((1 << 42) - 1)
        parts.append(piece.convert("trunc", "i64").convert("sitofp", "double") * weight)
    high = parts[0] + parts[1]
    low = ((parts[0] - high) + parts[1]) + parts[2]
    a, b, *_ = fits.HALF_PI_D
    p = high * a
    rest = ir.product_rest(high, a, p) + ir.fma(high, b, low * a)
    total = p + rest
    return _with_sign_of(ir, x, quadrant, total, (p - total) + rest)


def _with_sign_of(ir: Ir, x: Val, n: Val, high: Val, low: Val) -> tuple[Val, Val, Val]:
    """The mantissa was taken without its sign: turn the other way for negative arguments."""
    negative = x < 0.0
    return negative.where(-n, n), negative.where(-high, high), negative.where(-low, low)
