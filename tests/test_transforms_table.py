"""Every differentiable operation of the table under transforms, and that the checks notice rules that are wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import transform_checks as checks
from op_cases import DIFFERENTIABLE, ELEMENTWISE
from transform_checks import small_trials
from wengert._batched import Batched
from wengert.ops.record import TABLE, Op, Rule
from wengert.spaces.batching import evaluate
from wengert.testing._trial import Trial

# One node of the engine stands for a write through a view; it is never applied.
NAMES = [name for name in DIFFERENTIABLE if name != "view_write"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "vmap: .* has no batching rule")
        yield


@pytest.mark.parametrize("name", NAMES)
def test_there_is_something_to_check(name: str) -> None:
    assert small_trials(name)


@pytest.mark.parametrize("name", NAMES)
def test_forward_mode_is_the_transpose_of_reverse_mode(name: str) -> None:
    for trial in small_trials(name):
        checks.forward_is_the_transpose_of_reverse(trial)


@pytest.mark.parametrize("name", NAMES)
def test_forward_mode_is_the_limit_of_differences(name: str) -> None:
    for trial in small_trials(name):
        checks.forward_is_the_limit_of_differences(trial)


@pytest.mark.parametrize("name", NAMES)
def test_second_derivatives_agree_in_every_mode(name: str) -> None:
    for trial in small_trials(name):
        checks.second_derivatives_agree(trial)


@pytest.mark.parametrize("name", NAMES)
def test_hessians_are_symmetric(name: str) -> None:
    for trial in small_trials(name)[:3]:
        checks.hessians_are_symmetric(trial)


@pytest.mark.parametrize("name", NAMES)
def test_jacobians_agree_in_both_modes(name: str) -> None:
    for trial in small_trials(name)[:3]:
        checks.jacobians_agree(trial)


@pytest.mark.parametrize("name", NAMES)
def test_batches(name: str) -> None:
    for trial in small_trials(name):
        checks.batches_are_loops(trial)


@pytest.mark.parametrize("name", NAMES)
def test_batches_of_gradients(name: str) -> None:
    for trial in small_trials(name)[:3]:
        checks.batches_of_gradients_are_loops(trial)


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if name in NAMES])
def test_third_derivatives_of_elementwise_operations(name: str) -> None:
    for trial in small_trials(name)[:3]:
        checks.third_derivatives_agree(trial)


# --- wrong rules -----------------------------------------------------------------------------------------------------


def _wrong(rule: Rule) -> Rule:
    def wrong(*given: Any, **meta: Any) -> Any:
        y = rule(*given, **meta)
        return tuple([None if part is None else part * 2 + 1 for part in y]) if isinstance(y, tuple) else y * 2 + 1

    return wrong


def _members_exchanged(op: Op) -> Rule:
    """A batching rule that is right but for the order of the members."""
    right = replace(op)

    def wrong(xp: Any, *xs: Any, **meta: Any) -> Any:
        y = evaluate(right, xs, meta)
        turned = [Batched(part.array[::-1], part.axes) for part in (y if isinstance(y, tuple) else (y,))]
        return tuple(turned) if isinstance(y, tuple) else turned[0]

    return wrong


def _is_noticed(check: Callable[[Trial], None], name: str, wrong: Op) -> bool:
    for trial in small_trials(name):
        try:
            check(Trial(wrong, trial.inputs, trial.meta))
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("name", [name for name in NAMES if TABLE[name].jvp is not None])
def test_a_wrong_forward_rule_is_noticed(name: str) -> None:
    wrong = replace(TABLE[name], jvp=_wrong(TABLE[name].jvp))
    assert _is_noticed(checks.forward_is_the_transpose_of_reverse, name, wrong)
    assert _is_noticed(checks.forward_is_the_limit_of_differences, name, wrong)


# What they write is not read off the input, so all members are alike.
ALIKE = {"zero", "eq_", "ne_", *[name for name in NAMES if name.startswith("fill")]}
ALIKE |= {"bernoulli", "binomial", "poisson", "normal_around", "normal_spread", "normal_both"}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ALIKE])
def test_a_wrong_batching_rule_is_noticed(name: str) -> None:
    op = TABLE[name]
    assert _is_noticed(checks.batches_are_loops, name, replace(op, batch=_members_exchanged(op)))
