"""What recurrent networks compute at each step, and going through sequences with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.engine.apply import apply
from wengert.functions.added_products import addmm
from wengert.functions.joining import cat, stack
from wengert.nn import functional as F
from wengert.ops.products import ADDMM
from wengert.ops.recurrence import LSTM_GATES, LSTM_MEMORY, LSTM_SHOWN

__all__ = ["GATES", "STEPS", "run_packed", "run_padded", "shared"]

# What a step is given: the input's share (already multiplied), the state (a tuple), the hidden state's weights.
State = tuple[Any, ...]
Step = Callable[[Any, State, tuple[Any, ...]], State]

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}  # how many rows of weights for each unit


def shared(mode: str, x: Any, into: tuple[Any, Any], own: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The input's share at all steps, and the hidden state's weights as a step takes them.

    ``into`` and ``own`` are weight and bias of the input and of the hidden state (then what projects it). Where a step
    only adds the two shares, the biases are added up once, and the state's weight is transposed once.
    """
    (weight, bias), (own_weight, own_bias, *rest) = into, own
    if mode == "GRU":
        return F.linear(x, weight, bias), own
    return F.linear(x, weight, None if bias is None else bias + own_bias), (own_weight.t(), *rest)


def _added(x: Any, h: Any, weight: Any) -> Any:
    """``x + h @ weight``, recorded without the checks of :func:`addmm` where these can find nothing."""
    if h.dtype == x.dtype and h.shape[0] == x.shape[0]:
        return apply(ADDMM, x, h, weight, beta=1, alpha=1)
    return addmm(x, h, weight)


def _tanh_step(x: Any, state: State, weights: tuple[Any, ...]) -> State:
    return (_added(x, state[0], weights[0]).tanh(),)


def _relu_step(x: Any, state: State, weights: tuple[Any, ...]) -> State:
    return (_added(x, state[0], weights[0]).relu(),)


def _lstm_step(x: Any, state: State, weights: tuple[Any, ...]) -> State:
    h, c = state
    gates = apply(LSTM_GATES, _added(x, h, weights[0]))
    c = apply(LSTM_MEMORY, gates, c)
    h = apply(LSTM_SHOWN, gates, c)
    return (h if len(weights) == 1 else F.linear(h, weights[1]), c)


def _gru_step(x: Any, state: State, weights: tuple[Any, ...]) -> State:
    (h,) = state
    x_reset, x_keep, x_new = x.chunk(3, -1)
    h_reset, h_keep, h_new = F.linear(h, weights[0], weights[1]).chunk(3, -1)
    new = (x_new + (x_reset + h_reset).sigmoid() * h_new).tanh()
    return ((h - new) * (x_keep + h_keep).sigmoid() + new,)


STEPS: dict[str, Step] = {"RNN_TANH": _tanh_step, "RNN_RELU": _relu_step, "LSTM": _lstm_step, "GRU": _gru_step}


def run_padded(step: Step, x: Any, state: State, weights: tuple[Any, ...], backwards: bool) -> tuple[Any, State]:
    """All outputs ``[steps, batch, size]`` and the last state. ``x`` is ``[steps, batch, gates * size]``."""
    steps = x.unbind(0)
    outputs = []
    for x_t in reversed(steps) if backwards else steps:
        state = step(x_t, state, weights)
        outputs.append(state[0])
    return stack(outputs[::-1] if backwards else outputs), state


def run_packed(
    step: Step, x: Any, sizes: list[int], state: State, weights: tuple[Any, ...], backwards: bool
) -> tuple[Any, State]:
    """As :func:`run_padded` for packed sequences, of which ``sizes`` go on at each step."""
    steps = x.split(sizes)
    return _backwards(step, steps, state, weights) if backwards else _forwards(step, steps, state, weights)


def _forwards(step: Step, steps: Any, state: State, weights: tuple[Any, ...]) -> tuple[Any, State]:
    outputs, ended = [], []
    for x_t in steps:
        n = x_t.shape[0]
        if n < state[0].shape[0]:
            ended.append(tuple([s[n:] for s in state]))
            state = tuple([s[:n] for s in state])
        state = step(x_t, state, weights)
        outputs.append(state[0])
    whole = tuple([cat(parts) for parts in zip(state, *reversed(ended), strict=True)]) if ended else state
    return cat(outputs), whole


def _backwards(step: Step, steps: Any, first: State, weights: tuple[Any, ...]) -> tuple[Any, State]:
    outputs = []
    state = tuple([s[: steps[-1].shape[0]] for s in first])
    for x_t in reversed(steps):
        n, have = x_t.shape[0], state[0].shape[0]
        if n > have:  # shorter sequences begin here
            state = tuple([cat([s, begin[have:n]]) for s, begin in zip(state, first, strict=True)])
        state = step(x_t, state, weights)
        outputs.append(state[0])
    return cat(outputs[::-1]), state
