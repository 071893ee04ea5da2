"""Rules on symbols: every formula that comes out is evaluated and compared with what the rule computes on numbers."""

from typing import Any

import numpy as np
import pytest

from op_cases import DIFFERENTIABLE, NAMES, trials
from wengert.ops.record import TABLE
from wengert.see.latex import LatexWriter
from wengert.see.notation import Writer
from wengert.spaces.expression import Call, Expression, Name, Number, evaluate
from wengert.spaces.simplify import simplified
from wengert.spaces.symbol import SYMBOLS, Symbol, symbol
from wengert.testing._op_checks import names_used
from wengert.testing._trial import Trial, is_array


def derivative(trial: Trial, i: int) -> tuple[Any, dict[Expression, Any]]:
    """The rule of input ``i`` run on symbols, and what its names stand for."""
    letters = "xabcdefh" if len(trial.inputs) == 1 else "abcdefhk"
    inputs = [symbol(letters[k % 8], x, order=k) if is_array(x) else x for k, x in enumerate(trial.inputs)]
    results = [symbol("y", y, order=20) for y in trial.results]
    cotangents = [None if g is None else symbol("g", g, order=30) for g in trial.cotangents]
    given = [s for s in (*inputs, *results, *cotangents) if isinstance(s, Symbol)]
    found = trial.pull(i, cotangents, results, inputs, SYMBOLS)
    return found, {s.expression: s.raw for s in given}


def agrees(got: Any, expected: Any, what: str) -> None:
    rtol = max(1e-9, 4 * np.finfo(expected.dtype).eps) if expected.dtype.kind in "fc" else 0  # casts round
    np.testing.assert_allclose(np.broadcast_to(got, expected.shape), expected, rtol=rtol, atol=1e-12, err_msg=what)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_formula_says_what_the_rule_computes(name: str) -> None:
    for trial in trials(name):
        for i in trial.tracked:
            found, values = derivative(trial, i)
            expected = np.asarray(trial.pull(i))
            if names_used(trial, i) & TABLE.fused.keys():  # NumPy computes these at once, the formula in parts
                agrees(np.asarray(found.raw), expected, f"{trial!r}: the numbers of the formula")
            else:
                np.testing.assert_array_equal(found.raw, expected)
            formula = simplified(found.expression)
            with np.errstate(all="ignore"):
                got = np.asarray(evaluate(formula, values))
            agrees(got, expected, f"{trial!r}: {Writer().write(formula)}")
            assert Writer().write(found.expression)
            assert LatexWriter().write(formula)


@pytest.mark.parametrize("name", NAMES)
def test_what_an_operation_means_is_what_it_computes(name: str) -> None:
    for trial in trials(name):
        names = [Name("abcdefhk"[k % 8], k, x.shape) for k, x in enumerate(trial.inputs) if is_array(x)]
        arrays = iter(names)
        args = tuple([next(arrays) if is_array(x) else Number(x) for x in trial.inputs])
        values = dict(zip(names, [x for x in trial.inputs if is_array(x)], strict=True))
        for part, expected in enumerate(trial.results):
            call = Call(name, args, trial.meta, part if len(trial.results) > 1 else None)
            formula = simplified(call)
            with np.errstate(all="ignore"):
                got = np.asarray(evaluate(formula, values))
            agrees(got, expected, f"{trial!r}: {Writer().write(formula)}")
            assert Writer().write(call)
            assert LatexWriter().write(call)


def test_every_operation_with_a_derivative_says_what_it_computes() -> None:
    assert [name for name in DIFFERENTIABLE if not TABLE[name].formula] == []


class TestTheAlgebra:
    """Normal forms, by what they print."""

    @pytest.mark.parametrize(
        ("formula", "text"),
        [
            (lambda p, y: -y / p + (1 - y) / (1 - p), "(p - y)/(p(1 - p))"),
            (lambda p, y: p * (1 - p), "p(1 - p)"),
            (lambda p, y: p - p, "0"),
            (lambda p, y: 2 * p * p / p, "2p"),
            (lambda p, y: (p + y) * (p + y) / (p + y), "p + y"),
            (lambda p, y: (p * p - y * y) / (p - y), "p + y"),
            (lambda p, y: p / 3 + y / 3, "(p + y)/3"),
            (lambda p, y: 0.1 * p + 0.3, "0.1*p + 0.3"),
            (lambda p, y: -(p - 1), "1 - p"),
            (lambda p, y: -6 * (1 - 3 * p), "6(3p - 1)"),
            (lambda p, y: 1 - (1 - p), "p"),
            (lambda p, y: SYMBOLS.sqrt(p) * SYMBOLS.sqrt(p), "p"),
            (lambda p, y: SYMBOLS.sqrt(p * p), "sqrt(p^2)"),
            (lambda p, y: SYMBOLS.where(p > y, p, 0.0), "p*[p > y]"),
            (lambda p, y: SYMBOLS.zero_where(p, p <= y), "p*[p > y]"),
            (lambda p, y: SYMBOLS.where(p > y, p * y, p), "p(y if p > y else 1)"),
            (lambda p, y: SYMBOLS.exp(p) / SYMBOLS.exp(p), "1"),
            (lambda p, y: p * 3.141592653589793, "pi*p"),
        ],
    )
    def test_it_is_written(self, formula: Any, text: str) -> None:
        p, y = (symbol(name, np.float64(value), order=k) for k, (name, value) in enumerate([("p", 0.25), ("y", 1.5)]))
        made = formula(p, y)
        simple = simplified(made.expression)
        assert Writer().write(simple) == text
        values = {p.expression: p.raw, y.expression: y.raw}
        np.testing.assert_allclose(evaluate(simple, values), made.raw, rtol=1e-12)

    def test_a_long_sum_is_not_multiplied_out(self) -> None:
        names = [symbol(letter, np.float64(k + 1.0), order=k) for k, letter in enumerate("abcdefgh")]
        total = names[0]
        for name in names[1:]:
            total = total + name
        power = total * total * total * total + names[0]
        simple = simplified(power.expression)
        assert Writer().write(simple) == "(a + b + c + d + e + f + g + h)^4 + a"
