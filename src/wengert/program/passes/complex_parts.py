"""Complex arithmetic as arithmetic of real and imaginary parts, of which kernels can be made.

Only for machine code. Parts are by NumPy's formulas, so that results are the same but for rounding. What a call takes
or gives (a Fourier transform, an argument) stays an array of complex numbers, which kernels see as pairs.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import hypot, inf, nan
from typing import Any, Final

import numpy as np

from wengert.program.passes.cleaning import substitute, without_dead_code
from wengert.program.passes.expansion import Emitter
from wengert.program.program import Equation, Program
from wengert.program.values import Value

Part = Any  # a value or a number
Parts = tuple[Part, Part]
Rule = Callable[..., Any]  # (xp, equation, *inputs) -> the parts of the result, or a value that is real

_REAL: Final = {"F": np.dtype(np.float32), "D": np.dtype(np.float64)}
_FOLDED: Final[dict[str, Callable[..., float]]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
    "hypot": hypot,
}


def _do(xp: Any, name: str, *xs: Part) -> Part:
    """An operation on parts, which may be numbers."""
    if any([isinstance(x, Value) for x in xs]):
        return getattr(xp, name)(*xs)
    return _FOLDED[name](*xs)


def _each(xp: Any, equation: Equation, *xs: Parts) -> Parts | None:
    """What is done to each part for itself."""
    name, meta = equation.op.name, equation.meta
    if name in _FOLDED and meta:
        return None
    parts = []
    for ps in zip(*xs, strict=True):
        if name in _FOLDED:
            parts.append(_do(xp, name, *ps))
        elif all([repr(p) == "0.0" for p in ps]):  # zeros moved, or added up
            parts.append(0.0)
        else:
            parts.append(getattr(xp, name)(*map(xp.full, ps, equation.inputs), **meta))
    return parts[0], parts[1]


def _where(xp: Any, equation: Equation, mask: Value, x: Parts, y: Parts) -> Parts:
    a, b = [xp.where(mask, *map(xp.full, parts, equation.inputs[1:])) for parts in zip(x, y, strict=True)]
    return a, b


def _mul(xp: Any, equation: Equation, x: Parts, y: Parts) -> Parts:
    del equation
    return _product(xp, x, y, lambda a, b: _do(xp, "mul", a, b))


def _product(xp: Any, x: Parts, y: Parts, times: Callable[[Part, Part], Part]) -> Parts:
    (a, b), (c, d) = x, y
    return _do(xp, "sub", times(a, c), times(b, d)), _do(xp, "add", times(a, d), times(b, c))


def _matrices(xp: Any, equation: Equation, x: Parts, y: Parts) -> Parts | None:
    if not all([isinstance(part, Value) for part in (*x, *y)]):
        return None
    return _product(xp, x, y, lambda a, b: getattr(xp, equation.op.name)(a, b, **equation.meta))


def _conj(xp: Any, equation: Equation, x: Parts) -> Parts:
    del equation
    return x[0], _do(xp, "neg", x[1])


def _abs(xp: Any, equation: Equation, x: Parts) -> Part:
    del equation
    return _do(xp, "hypot", *x)


def _norm(xp: Any, equation: Equation, x: Parts) -> Value:
    """By sizes that are those of `_abs` to the last bit, as gradients look for where the largest is."""
    return getattr(xp, equation.op.name)(xp.full(_abs(xp, equation, x), equation.inputs[0]), **equation.meta)  # type: ignore[no-any-return]


def _sgn(xp: Any, equation: Equation, x: Parts) -> Parts:
    size = _abs(xp, equation, x)
    is_zero = xp.eq(size, 0.0)
    divisor = xp.where(is_zero, 1.0, xp.where(xp.isinf(size), nan, size))  # no direction, in both parts
    a, b = [xp.where(is_zero, 0.0, xp.div(xp.full(part, equation.inputs[0]), divisor)) for part in x]
    return a, b


def _exp(xp: Any, equation: Equation, x: Parts) -> Parts:
    """As C99's Annex G has it at infinity: ``exp(-inf)`` is 0 in every direction, ``exp(inf)`` infinite in none."""
    a, b = [xp.full(part, equation.inputs[0]) for part in x]
    size, cosine, sine = xp.exp(a), xp.cos(b), xp.sin(b)
    no_direction = xp.isnan(cosine)
    real = xp.where(xp.bitwise_and(no_direction, xp.isinf(a)), size, xp.mul(size, cosine))
    imaginary = xp.where(xp.bitwise_and(no_direction, xp.eq(a, -inf)), 0.0, xp.mul(size, sine))
    return real, xp.where(xp.eq(b, 0.0), b, imaginary)


def _polar(xp: Any, equation: Equation, size: Value, angle: Value) -> Parts:
    del equation
    return xp.mul(size, xp.cos(angle)), xp.mul(size, xp.sin(angle))


def _cast(xp: Any, equation: Equation, x: Any) -> Any:
    dtype = equation.results[0].dtype
    if isinstance(x, tuple):
        part = _REAL.get(dtype.char, dtype)
        cast = [xp.full(each, equation.inputs[0]) for each in x]
        cast = [each if each.dtype == part else xp.cast(each, dtype=part) for each in cast]
        return (cast[0], cast[1]) if dtype.kind == "c" else cast[0]
    part = _REAL[dtype.char]
    return (x if x.dtype == part else xp.cast(x, dtype=part)), 0.0


def _inner_scaled(xp: Any, equation: Equation, x: Parts) -> Parts:
    """The frequencies that stand for two, times a number: all but the first, and the last of an even length."""
    meta, (y,) = equation.meta, equation.results
    count = y.shape[meta["dim"]]
    dtype: Any = _REAL[y.dtype.char]
    factors = np.full(count, meta["factor"], dtype)
    factors[0] = 1
    if meta["n"] % 2 == 0 and meta["n"] // 2 < count:
        factors[meta["n"] // 2] = 1
    scale = xp.constant(factors.reshape((count,) + (1,) * (y.ndim - 1 - meta["dim"])))
    return xp.mul(x[0], scale), xp.mul(x[1], scale)


_EACH: Final = (
    *("add", "sub", "neg", "sum", "mean", "zeros_like", "clone", "contiguous", "tril", "triu", "stack", "cat"),
    *("alias", "expand", "reshape", "view", "unsqueeze", "squeeze", "squeeze_all", "squeeze_dim"),
    *("permute", "transpose", "t", "slice", "select", "flip", "roll", "diagonal"),
    *("select_backward", "slice_backward", "diagonal_backward", "diag_embed"),
)
_RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(_EACH, _each),
    **dict.fromkeys(("mm", "mv", "bmm", "matmul", "dot", "outer"), _matrices),
    "mul": _mul,
    "conj": _conj,
    "conj_physical": _conj,
    "abs": _abs,
    "linalg_vector_norm": _norm,
    "row_norm": _norm,
    "sgn": _sgn,
    "exp": _exp,
    "cast": _cast,
    "where": _where,
    "polar": _polar,
    "complex": lambda _xp, _equation, a, b: (a, b),
    "real": lambda _xp, _equation, x: x[0],
    "imag": lambda _xp, _equation, x: x[1],
    "fft_inner_scaled": _inner_scaled,
}

_TAKES_REAL: Final = frozenset({"cast", "complex", "polar", "where"})


def without_complex(program: Program) -> Program:
    """With complex numbers as pairs of real ones wherever no call needs them."""
    if not any([equation.op.name in _RULES and _is_complex(equation) for equation in program.equations]):
        return program
    return _Split(program).result()


def _is_complex(equation: Equation) -> bool:
    """Whether complex numbers, of two sizes at most, go in or come out, and there is something of each."""
    values = [*equation.values, *equation.results]
    kinds = {x.dtype.char for x in values}
    return bool(kinds & set("FD")) and kinds <= set("FDfd?bhilqB") and all([x.size for x in values])


class _Writer(Emitter):
    """The namespace of a program under construction, with constants of its own."""

    def __init__(self, where: Any, constants: dict[Value, Any]) -> None:
        super().__init__(where)
        self._constants = constants

    def constant(self, array: Any) -> Value:
        """A value that is this array."""
        value = Value(array.dtype, array.shape)
        self._constants[value] = array
        return value

    def full(self, part: Part, of: Any) -> Any:
        """A part as a value, if it is part of one."""
        if isinstance(part, Value) or not isinstance(of, Value):
            return part
        dtype: Any = _REAL.get(of.dtype.char, of.dtype)
        return self.constant(np.broadcast_to(np.asarray(part, dtype), of.shape))


class _Split:
    """A program being written anew."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._constants = dict(program.constants)
        self._parts: dict[Value, Parts] = {}
        self._arrays: dict[Value, Value] = {}  # what is known by its parts, put together
        self._split: set[Value] = set()  # what is known by its parts alone
        self._same: dict[Any, Any] = {}  # real results, and what stands for them
        self._equations: list[Equation] = []

    def result(self) -> Program:
        """The program."""
        for equation in self._program.equations:
            rule = _RULES.get(equation.op.name) if _is_complex(equation) else None
            if rule is None or not self._written(rule, equation):
                inputs = tuple([self._array(x, equation.where) for x in equation.inputs])
                self._equations.append(equation.with_inputs(inputs))
        outputs = [self._array(x, None) for x in self._program.outputs]
        program = Program(self._program.inputs, tuple(self._equations), tuple(outputs), self._constants)
        return without_dead_code(program.replaced())

    def _written(self, rule: Rule, equation: Equation) -> bool:
        """Write an equation by parts; False where that is not possible."""
        name, (y,) = equation.op.name, equation.results
        if name not in _TAKES_REAL and any([x.dtype.kind != "c" for x in equation.values]):
            return False
        xp = _Writer(equation.where, self._constants)
        made = rule(xp, equation, *[self._given(xp, x, equation, i) for i, x in enumerate(equation.inputs)])
        if made is None:
            return False
        parts = [_shaped(xp, part, y) for part in (made if isinstance(made, tuple) else (made,))]
        if y.dtype.kind == "c":
            self._parts[y] = parts[0], parts[1]
            self._split.add(y)
        else:
            self._same[y] = xp.full(parts[0], y)
        self._equations += xp.equations
        return True

    def _given(self, xp: _Writer, x: Any, equation: Equation, place: int) -> Any:
        """What a rule takes: parts of what is complex, and of numbers beside it."""
        name = equation.op.name
        if isinstance(x, Value):
            if x.dtype.kind == "c":
                return self._parts_of(xp, x)
            x = substitute(x, self._same)
            return (x, 0.0) if name == "where" and place else x
        return x if name in ("cast", "complex", "polar") else (complex(x).real, complex(x).imag)

    def _parts_of(self, xp: _Writer, x: Value) -> Parts:
        if x not in self._parts:
            array = self._constants.get(x)
            if array is not None:
                self._parts[x] = xp.constant(array.real), xp.constant(array.imag)
            else:
                pairs = xp.view_as_real(x)
                self._parts[x] = xp.select(pairs, dim=x.ndim, index=0), xp.select(pairs, dim=x.ndim, index=1)
        return self._parts[x]

    def _array(self, x: Any, where: Any) -> Any:
        """An operand as a call takes it."""
        if not isinstance(x, Value) or x not in self._split:
            return substitute(x, self._same)
        if x not in self._arrays:
            xp = _Writer(where, self._constants)
            pairs = xp.stack(*[xp.full(part, x) for part in self._parts[x]], dim=x.ndim)
            self._arrays[x] = xp.view_as_complex(pairs)
            self._equations += xp.equations
        return self._arrays[x]


def _shaped(xp: _Writer, part: Part, y: Value) -> Part:
    """A part with the shape of the result: of what is broadcast, only the other part may have it."""
    return part if not isinstance(part, Value) or part.shape == y.shape else xp.expand(part, shape=y.shape)


__all__ = ["without_complex"]
