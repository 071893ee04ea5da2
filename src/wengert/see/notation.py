"""How expressions are written as text, and what other ways of writing build on.

Knows mathematical notation, and the signs of the operations that have one. Knows no graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from fractions import Fraction
from typing import Any, Final

from wengert.ops.record import TABLE
from wengert.see.layouts import FAMILIAR, INFIX, METADATA_LAST, PLAIN, UNSAID, display_name
from wengert.see.numerals import coefficient_parts, fraction_text, is_decimal, number_or_fraction, number_text
from wengert.spaces.algebra import term_order
from wengert.spaces.expression import Call, Derivative, Expression, Name, Number, Product, Sum, is_condition

_AXES: Final = "ijklmn"


class Level(IntEnum):
    """How tightly the outermost sign of a text binds."""

    CHOICE = 0
    LOGIC = 1
    COMPARISON = 2
    SUM = 3
    PRODUCT = 4
    POWER = 5
    ATOM = 6


Written = tuple[str, Level]

_MOST_ARGUMENTS: Final = 8  # of a function that are written out, such as stack of many
_FIRST_ARGUMENTS: Final = 4


class Writer:
    """Writes expressions as text.

    Args:
        element_of: the shape whose elements the formula is for: names of tensors get the letters of their axes then.
    """

    times: str = "*"
    spaced_times: str = " * "

    def __init__(self, element_of: tuple[int, ...] | None = None) -> None:
        self.element_of = element_of

    def write(self, expression: Expression) -> str:
        """The whole expression."""
        return self._written(expression)[0]

    def within(self, expression: Expression, level: Level) -> str:
        """The expression as a part of something that binds as tightly as `level`."""
        text, own = self._written(expression)
        return text if own >= level else self.parenthesised(text)

    # --- what LaTeX does in another way ----------------------------------------------------------------------------

    def parenthesised(self, text: str) -> str:
        """In parentheses."""
        return f"({text})"

    def name(self, text: str) -> str:
        """A name of the user's."""
        return text

    def indexed(self, name: str, letters: str) -> str:
        """An element of a tensor."""
        return f"{name}_{letters}" if letters else name

    def function(self, name: str, arguments: str) -> str:
        """A function of arguments."""
        return f"{name}({arguments})"

    def quotient(self, above: list[Written], below: list[Written]) -> Written:
        """A fraction."""
        top = self._joined(above) if above else ("1", Level.ATOM)
        bottom = self._joined(below)
        numerator = top[0] if top[1] >= Level.PRODUCT else self.parenthesised(top[0])
        denominator = bottom[0] if bottom[1] > Level.PRODUCT else self.parenthesised(bottom[0])
        return f"{numerator}/{denominator}", Level.PRODUCT

    def raised(self, base: Written, exponent: str) -> Written:
        """A power; the exponent is a text of its own."""
        bottom = base[0] if base[1] >= Level.ATOM else self.parenthesised(base[0])
        simple = exponent.replace(".", "").isalnum()
        return f"{bottom}^{exponent if simple else f'({exponent})'}", Level.POWER

    def root(self, text: str) -> Written:
        """A square root."""
        return f"sqrt({text})", Level.ATOM

    def bars(self, text: str) -> Written:
        """An absolute value."""
        return f"|{text}|", Level.ATOM

    def indicator(self, condition: str) -> Written:
        """1 where a condition holds, 0 elsewhere."""
        return f"[{condition}]", Level.ATOM

    def transposed(self, base: Written) -> Written:
        """A matrix with its axes swapped."""
        return self.raised(base, "T")

    def filled(self, x: Expression) -> Written | None:
        """A matrix whose elements are all the same number; None if it is anything else."""
        while isinstance(x, Call) and (x.name in PLAIN or x.name in _MOVING):
            x = x.args[0]
        if not isinstance(x, Number):
            return None
        number = self.constant(number_or_fraction(x.value))
        return (self.name("ones") if number == "1" else self.function("full", number)), Level.ATOM

    def sign(self, sign: str) -> str:
        """An infix sign, as :mod:`wengert.see.layouts` has it."""
        return sign

    def choice(self, condition: str, a: str, b: str) -> Written:
        """One of two by a condition."""
        return f"{a} if {condition} else {b}", Level.CHOICE

    def constant(self, text: str) -> str:
        """A constant with a name of its own, such as `2/sqrt(pi)`."""
        return text

    def derivative(self, above: str, below: str) -> Written:
        """The derivative of one thing by another."""
        return f"d{above}/d{below}", Level.PRODUCT

    def prose(self, text: str) -> str:
        """Words among formulas."""
        return text

    # --- dispatch --------------------------------------------------------------------------------------------------

    def _written(self, expression: Expression) -> Written:
        if isinstance(expression, Derivative):
            return self.derivative(self.name(expression.above), self.write(expression.below))
        if isinstance(expression, Name):
            return self.indexed(self.name(expression.text), self._letters(expression.shape)), Level.ATOM
        if isinstance(expression, Number):
            text = self.constant(number_text(expression.value))
            return text, Level.SUM if text.startswith("-") else Level.ATOM
        if isinstance(expression, Product):
            return self._product(expression)
        if isinstance(expression, Sum):
            return self._sum(expression, Fraction(1))
        assert isinstance(expression, Call)
        return self._call(expression)

    def _letters(self, shape: tuple[int, ...]) -> str:
        whole = self.element_of
        if whole is None or not shape or len(shape) > len(whole) or len(whole) > len(_AXES):
            return ""
        axes = _AXES[len(whole) - len(shape) : len(whole)]
        return "".join([letter for letter, size in zip(axes, shape, strict=True) if size != 1])

    # --- normal forms ----------------------------------------------------------------------------------------------

    def _product(self, product: Product) -> Written:
        coefficient, powers = product.coefficient, dict(product.powers)
        total, inside = _distributed(coefficient, powers)
        coefficient /= inside
        negative = coefficient < 0
        top, bottom = coefficient_parts(abs(coefficient))
        bare = not (powers or bottom)
        above = [(self.constant(top or "1"), Level.ATOM)] if top or bare else []
        below = [(self.constant(bottom), Level.ATOM)] if bottom else []
        if total is not None:
            del powers[total]
        sums = [self._sum(total, inside)] if total is not None else []
        names: list[Written] = []
        for base, exponent in sorted(powers.items(), key=_factor_order):
            (names if exponent > 0 else below).append(self._power(base, abs(exponent)))
        above = [*above, *names, *sums]
        written = self.quotient(above, below) if below else self._joined(above)
        return (f"-{written[0]}", Level.SUM) if negative else written

    def _joined(self, factors: list[Written]) -> Written:
        if len(factors) == 1:
            return factors[0]
        text = ""
        for position, (factor, level) in enumerate(factors):
            piece = factor if level > Level.PRODUCT else self.parenthesised(factor)
            text += self._between(text, piece) + piece if position else piece
        return text, Level.PRODUCT

    def _between(self, before: str, after: str) -> str:
        """Nothing where two factors can stand side by side: `2x`, `p(1 - p)`, `(1 - x)(1 + x)`."""
        last = before.rpartition("*")[2].lstrip("(")
        short = len(last.partition("_")[0]) == 1 and last.replace("_", "").isalnum()
        is_number = last.isdigit()
        if after.startswith("("):
            return "" if before.endswith(")") or short or is_number else self.times
        return "" if is_number and after[:1].isalpha() and len(_leading_word(after)) == 1 else self.times

    def _power(self, base: Expression, exponent: Fraction) -> Written:
        if is_condition(base):
            return self.indicator(self.write(base))
        written = self._written(base)
        if exponent == 1:
            return written
        if exponent == Fraction(1, 2):
            return self.root(written[0])
        return self.raised(written, fraction_text(exponent))

    def _sum(self, total: Sum, coefficient: Fraction) -> Written:
        terms = sorted([Product(t.coefficient * coefficient, t.powers) for t in total.terms], key=_printing_order)
        text = ""
        for position, term in enumerate(terms):
            positive = Product(abs(term.coefficient), term.powers)
            piece = self.within(positive, Level.PRODUCT)
            if position:
                text += f" - {piece}" if term.coefficient < 0 else f" + {piece}"
            else:
                text = f"-{piece}" if term.coefficient < 0 else piece
        return text, Level.SUM

    # --- operations ------------------------------------------------------------------------------------------------

    def _call(self, call: Call) -> Written:
        args, meta = call.args, call.meta
        layout = _LAYOUTS.get(call.name)
        if layout is not None:
            written = layout(self, *args, **meta)
            if written is not None:
                return written
        if call.name in INFIX and len(args) == 2:
            sign, level = INFIX[call.name]
            return self._infix(sign, Level[level], *args)
        if call.name in PLAIN and len(args) >= 1:
            return self._written(args[0])
        few = len(args) <= _MOST_ARGUMENTS
        texts = [self.write(arg) for arg in (args if few else (*args[:_FIRST_ARGUMENTS], args[-1]))]
        if not few:
            texts.insert(_FIRST_ARGUMENTS, "...")
        for key, value in meta.items():
            if call.name in METADATA_LAST:
                texts.append(self.constant(_meta_text(value)))
            elif value is not None and value is not False and key not in UNSAID:
                texts.append(f"{self.name(key)}={_meta_text(value)}")
        text = self.function(display_name(call.name), ", ".join(texts))
        op = TABLE.ops.get(call.name)  # a function of the user's has no record
        several = op is None or op.outputs == 0 or bool(call.part)
        return f"{text}[{call.part}]" if several and call.part is not None else text, Level.ATOM

    def _infix(self, sign: str, level: Level, a: Expression, b: Expression) -> Written:
        if level <= Level.COMPARISON and (chain := _chain(sign, a, b)) is not None:
            low, x, high = chain
            below, above = self.sign(INFIX[low.name][0]), self.sign(INFIX[high.name][0])
            left, middle, right = (self.within(part, Level.SUM) for part in (low.args[0], x, high.args[1]))
            return f"{left} {below} {middle} {above} {right}", Level.COMPARISON
        if sign == "*" and isinstance(b, Number) and not isinstance(a, Number):
            a, b = b, a
        tighter = Level(level + 1) if sign in ("-", "/", "@") or level == Level.COMPARISON else level
        left, after = self.within(a, level), self.within(b, tighter)
        if sign == "@":
            left, after = [(self.filled(x) or (text,))[0] for x, text in ((a, left), (b, after))]
        if sign == "/":
            return self.quotient([self._written(a)], [self._written(b)])
        if sign == "*":
            return f"{left}{self.times}{after}", level
        return f"{left} {self.sign(sign)} {after}", level


def _distributed(coefficient: Fraction, powers: Mapping[Expression, Fraction]) -> tuple[Sum | None, Fraction]:
    """The sum above the line that a part of the coefficient is better multiplied into, and that part.

    A sign is, where it leaves no sum of negative terms: `-(y - p)` is `p - y`. And so is what is no short number.
    """
    sums = [base for base, exponent in powers.items() if isinstance(base, Sum) and exponent == 1]
    if len(sums) != 1 or coefficient == 1:
        return None, Fraction(1)
    awkward = coefficient.denominator > 1000 or coefficient.numerator > 1000 or is_decimal(coefficient)
    if awkward:
        return sums[0], coefficient
    mixed = any([term.coefficient < 0 for term in sums[0].terms])
    return (sums[0], Fraction(-1)) if coefficient < 0 and mixed else (None, Fraction(1))


def _factor_order(item: tuple[Expression, Fraction]) -> Any:
    base, _ = item
    if isinstance(base, Name):
        return 0, base.order, base.text
    kind = 3 if is_condition(base) else 1 if isinstance(base, Call) else 2
    return kind, 0, ""


def _printing_order(term: Product) -> Any:
    """Positive terms first, higher powers before lower ones."""
    degree = sum(term.powers.values(), Fraction(0))
    return term.coefficient < 0, -degree, term_order(term)


def _leading_word(text: str) -> str:
    word = ""
    for letter in text.partition("_")[0]:
        if not letter.isalnum():
            break
        word += letter
    return word if not text[len(word) :].startswith("(") else word + "("


def _meta_text(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 1:
        return _meta_text(value[0])
    if isinstance(value, float):
        return number_text(value)
    return repr(value) if not hasattr(value, "name") else str(value.name)


# --- operations with a layout of their own ---------------------------------------------------------------------------


def _power_layout(writer: Writer, base: Expression, exponent: Expression) -> Written:
    return writer.raised(writer._written(base), writer.write(exponent))


def _negative(writer: Writer, x: Expression) -> Written:
    return f"-{writer.within(x, Level.PRODUCT)}", Level.SUM


def _reciprocal(writer: Writer, x: Expression) -> Written:
    return writer.quotient([], [writer._written(x)])


def _transpose(writer: Writer, x: Expression, dim0: int = 0, dim1: int = 1) -> Written | None:
    if {dim0, dim1} != {0, 1} or (isinstance(x, Name) and len(x.shape) != 2):
        return None
    return writer.filled(x) or writer.transposed(writer._written(x))


def _permute(writer: Writer, x: Expression, *, dims: tuple[int, ...]) -> Written | None:
    return writer.filled(x) or (writer.transposed(writer._written(x)) if dims == (1, 0) else None)


def _where(writer: Writer, condition: Expression, a: Expression, b: Expression) -> Written:
    parts = [writer.within(part, Level.LOGIC) for part in (a, b)]
    return writer.choice(writer.within(condition, Level.LOGIC), *parts)


def _linear(writer: Writer, x: Expression, w: Expression, b: Expression | None = None, **_: Any) -> Written:
    left = (writer.filled(x) or (writer.within(x, Level.PRODUCT),))[0]
    right = writer.filled(w) or writer.transposed(writer._written(w))
    product = f"{left} {writer.sign('@')} {right[0]}"
    return (product, Level.PRODUCT) if b is None else (f"{product} + {writer.within(b, Level.PRODUCT)}", Level.SUM)


def _select(writer: Writer, x: Expression, *, dim: int, index: int) -> Written:
    return f"{writer.within(x, Level.ATOM)}[{':, ' * dim}{index}]", Level.ATOM


def _slice(writer: Writer, x: Expression, *, dim: int, start: int, stop: int, step: int) -> Written:
    part = f"{start}:{stop}" + (f":{step}" if step != 1 else "")
    return f"{writer.within(x, Level.ATOM)}[{':, ' * dim}{part}]", Level.ATOM


def _not(writer: Writer, x: Expression) -> Written:
    return f"{writer.sign('not')} {writer.within(x, Level.ATOM)}", Level.LOGIC


_MOVING: Final = frozenset(("t", "transpose", "permute"))  # of a matrix of one number they make such a matrix

_LAYOUTS: Final[Mapping[str, Callable[..., Written | None]]] = {
    "pow": _power_layout,
    "pow_number": _power_layout,
    "number_pow": _power_layout,
    "neg": _negative,
    "reciprocal": _reciprocal,
    "sqrt": lambda writer, x: writer.root(writer.write(x)),
    "rsqrt": lambda writer, x: writer.quotient([], [writer.root(writer.write(x))]),
    "abs": lambda writer, x: writer.bars(writer.write(x)),
    "t": _transpose,
    "transpose": _transpose,
    "permute": _permute,
    "where": _where,
    "linear": _linear,
    "linear_bias": _linear,
    "select": _select,
    "slice": _slice,
    "logical_not": _not,
}


def _chain(sign: str, a: Expression, b: Expression) -> tuple[Call, Expression, Call] | None:
    """`a <= x <= b` from `x >= a and x <= b`: the two comparisons, both turned so that they ascend, and `x`."""
    if sign != "and" or not (isinstance(a, Call) and isinstance(b, Call)) or a.args[:1] != b.args[:1]:
        return None
    turned = {"ge": "le", "gt": "lt"}
    if a.name not in turned or b.name not in ("le", "lt"):
        return None
    return Call(turned[a.name], a.args[::-1], {}), a.args[0], b


def meaning_of(name: str) -> str | None:
    """What an operation computes, if its name in a formula does not say it to everybody."""
    op = TABLE.ops.get(name)
    if op is None or name in INFIX or name in PLAIN or name in _LAYOUTS or display_name(name) in FAMILIAR:
        return None
    return op.formula or op.doc.rstrip(".")


__all__ = ["Level", "Writer", "Written", "meaning_of"]
