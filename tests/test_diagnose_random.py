"""Random programs: no question raises, nothing is found without cause, and nothing that is there is overlooked."""

import random
from typing import Any

import pytest

import wengert
from random_programs import FAMILIES, SHAPES, Program

pytestmark = pytest.mark.slow

_TROUBLE = (0.0, 0.0, 1.0, -1.0, 50.0, 1e30, float("inf"), float("nan"))


def leaf(chance: random.Random, shape: tuple[int, ...]) -> Any:
    if shape:
        return [leaf(chance, shape[1:]) for _ in range(shape[0])]
    return chance.uniform(-2, 2) if chance.random() < 0.7 else chance.choice(_TROUBLE)


def program(seed: int) -> Program:
    chance = random.Random(seed)
    leaves = [leaf(chance, chance.choice(SHAPES)) for _ in range(chance.randint(1, 3))]
    numbers = (len(FAMILIES) - 1, 255, 5, 5, 255)
    steps = [[chance.randint(0, most) for most in numbers] for _ in range(chance.randint(1, 8))]
    return Program(tuple(leaves), tuple([(a, b, c, d, e) for a, b, c, d, e in steps]))


def check(y: Any, x: Any, g: Any) -> None:
    finite = bool(wengert.isfinite(y)) and (g is None or bool(wengert.isfinite(g).all()))
    report = wengert.explain_nan(y, x)
    assert report.ok is finite, report
    if finite and g is not None:
        report = wengert.explain_zero(y, x)
        whole = not bool((g != 0).any())
        assert bool(report.findings) or not whole
        assert whole or not report.faults or report[0].kind in ("vanishing", "exploding"), report
    report = wengert.diagnose(y, x)
    assert str(report)
    assert report._repr_markdown_()
    wengert.why_none(y, x)


@pytest.mark.parametrize("seed", range(24))
def test_random_programs(seed: int) -> None:
    made = program(seed)
    leaves = [wengert.tensor(values, requires_grad=True) for values in made.leaves]
    try:
        y = made.run(wengert, leaves)[-1]
        y = (y.real if y.is_complex() else y).sum()
        gradients = wengert.autograd.grad(y, leaves, retain_graph=True, allow_unused=True)
    except (RuntimeError, IndexError):
        return  # a write to what backward needs, a shape that does not fit: not what is asked here
    for x, g in zip(leaves, gradients, strict=True):
        check(y, x, g)
    y.backward()
    for x in leaves:
        check(y, x, x.grad)
