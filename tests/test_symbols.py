"""Rules on symbols: every formula that comes out is evaluated and compared with what the rule computes on numbers."""

from typing import Any

import numpy as np
import pytest

from op_cases import DIFFERENTIABLE, NAMES, trials
from wengert.see.latex import LatexWriter
from wengert.see.notation import Writer
from wengert.spaces.expression import Call, Expression, Name, Number, evaluate
from wengert.spaces.simplify import simplified
from wengert.spaces.symbol import SYMBOLS, Symbol, symbol
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
