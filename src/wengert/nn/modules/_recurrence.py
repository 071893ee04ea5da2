"""What recurrent networks compute at each step, and going through sequences with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.engine.apply import apply
from wengert.engine.composites import composite
from wengert.engine.state import STATE
from wengert.functions.added_products import addmm
from wengert.functions.creation import zeros
from wengert.functions.joining import cat, stack
from wengert.nn import functional as F
from wengert.ops.gru_sequences import GRU
from wengert.ops.lstm_sequences import LSTM
from wengert.ops.products import ADDMM
from wengert.ops.recurrence import LSTM_GATES, LSTM_MEMORY, LSTM_SHOWN

__all__ = ["GATES", "STEPS", "run_packed", "run_padded", "shared", "turned"]

# What a step is given: the input's share (already multiplied), the state (a tuple), the hidden state's weights.
State = tuple[Any, ...]
Step = Callable[[Any, State, tuple[Any, ...]], State]

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}  # how many rows of weights for each unit


@composite
def shared(mode: str, x: Any, into: tuple[Any, Any], own: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The input's share at all steps, and the hidden state's weights.

    ``into`` and ``own`` are weight and bias of the input and of the hidden state (then what projects it). Where a step
    only adds the two shares, the biases are added up once.
    """
    (weight, bias), (own_weight, own_bias, *rest) = into, own
    if mode == "GRU":
        return F.linear(x, weight, bias), own
    return F.linear(x, weight, None if bias is None else bias + own_bias), (own_weight, *rest)


def turned(mode: str, own: tuple[Any, ...]) -> tuple[Any, ...]:
    """The hidden state's weights as a step takes them: where it only adds, the weight is transposed once."""
    return own if mode == "GRU" else (own[0].t(), *own[1:])


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


def run_padded(mode: str, x: Any, state: State, own: tuple[Any, ...], backwards: bool) -> tuple[Any, State]:
    """All outputs ``[steps, batch, size]`` and the last state. ``x`` is ``[steps, batch, gates * size]``."""
    if _is_one_operation(mode, x, state, own):
        return _at_once(mode, x, state, own, backwards)
    step, weights = STEPS[mode], turned(mode, own)
    steps = x.unbind(0)
    outputs = []
    for x_t in reversed(steps) if backwards else steps:
        state = step(x_t, state, weights)
        outputs.append(state[0])
    return stack(outputs[::-1] if backwards else outputs), state


def _is_one_operation(mode: str, x: Any, state: State, own: tuple[Any, ...]) -> bool:
    """Whether an operation on the whole sequence does the same: for float32 and float64, and not for what is compiled.

    A compiled program has the steps one by one, of which it fuses what belongs together.
    """
    if STATE.trace is not None or not x.shape[0] or mode not in ("LSTM", "GRU") or (mode == "LSTM" and len(own) > 1):
        return False
    dtypes = {t.dtype.name for t in (x, *state, *own) if t is not None}
    return dtypes == {"float32"} or dtypes == {"float64"}


def _at_once(mode: str, x: Any, state: State, own: tuple[Any, ...], backwards: bool) -> tuple[Any, State]:
    x = x.flip(0) if backwards else x
    if mode == "LSTM":
        y, memory, _ = apply(LSTM, x, own[0], *state)
        last: State = (y[-1], memory[-1])
    else:
        bias = zeros(own[0].shape[:1], dtype=x.dtype) if own[1] is None else own[1]
        y, _ = apply(GRU, x, own[0], bias, *state)
        last = (y[-1],)
    return y.flip(0) if backwards else y, last


def run_packed(
    mode: str, x: Any, sizes: list[int], state: State, own: tuple[Any, ...], backwards: bool
) -> tuple[Any, State]:
    """As :func:`run_padded` for packed sequences, of which ``sizes`` go on at each step."""
    step, weights = STEPS[mode], turned(mode, own)
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
