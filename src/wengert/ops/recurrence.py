"""One step of a gated recurrent network: what follows its matrix products, as few operations over whole arrays.

The gates of long short-term memory stand side by side in one array, in PyTorch's order: enter, keep, new, show.
They are made first (``lstm_gates``) and then applied to the memory (``lstm_memory``, ``lstm_shown``): so the rules find
the gates among what is kept anyway, and compute no sigmoid again. Memory and hidden state are operations of their own
because a sweep is faster through operations with one result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import elementwise
from wengert.ops.elementary import sigmoid_of
from wengert.ops.kernels import in_float32
from wengert.ops.record import Kind, Promote, defop


def _quarters(xp: Any, x: Any) -> list[Any]:
    dim = x.ndim - 1
    n = x.shape[dim] // 4
    return [xp.slice(x, dim=dim, start=k * n, stop=(k + 1) * n, step=1) for k in range(4)]


def _joined(xp: Any, *parts: Any) -> Any:
    dim = parts[0].ndim - 1
    return xp.cat(*parts, dim=dim, sizes=tuple([part.shape[dim] for part in parts]))


# --- long short-term memory: the gates ---


@in_float32
def _lstm_gates(x: Any) -> Any:
    n = x.shape[-1] // 4
    y = sigmoid_of(x)
    np.tanh(x[..., 2 * n : 3 * n], out=y[..., 2 * n : 3 * n])
    return y


def _lstm_slopes(y: Any) -> Any:
    n = y.shape[-1] // 4
    slopes = 1.0 - y
    new = slopes[..., 2 * n : 3 * n] * (y[..., 2 * n : 3 * n] + 1.0)
    slopes *= y
    slopes[..., 2 * n : 3 * n] = new
    return slopes


def _lstm_bends(xp: Any, y: Any) -> Any:
    """The derivatives of the slopes ``y (1 - y)`` and, for the new content, ``1 - y^2``."""
    enter, keep, new, show = _quarters(xp, y)
    return _joined(xp, 1 - 2 * enter, 1 - 2 * keep, -2 * new, 1 - 2 * show)


LSTM_SLOPES = defop(
    "lstm_slopes",
    _lstm_slopes,
    Kind.OTHER,
    batch="...",
    vjp=(lambda xp, g, y, x: g * _lstm_bends(xp, x),),
    args=("gates",),
    jvp=lambda xp, ts, y, x: ts[0] * _lstm_bends(xp, x),
    formula="x (1 - x); 1 - x^2 in the third quarter",
    doc="The derivative of lstm_gates, from its result.",
)
LSTM_GATES = defop(
    "lstm_gates",
    _lstm_gates,
    Kind.OTHER,
    batch="...",
    vjp=(lambda xp, g, y, x: g * xp.lstm_slopes(y),),
    jvp=lambda xp, ts, y, x: ts[0] * xp.lstm_slopes(y),
    formula="sigmoid(x); tanh(x) in the third quarter",
    doc="The gates of long short-term memory, side by side along the last axis: enter, keep, new, show.",
)

# --- long short-term memory: the state, from the gates ---


def _lstm_memory(gates: Any, c: Any) -> Any:
    n = gates.shape[-1] // 4
    return gates[..., n : 2 * n] * c + gates[..., :n] * gates[..., 2 * n : 3 * n]


def _lstm_memory_vjp_gates(xp: Any, g: Any, y: Any, gates: Any, c: Any) -> Any:
    enter, _, new, show = _quarters(xp, gates)
    return _joined(xp, g * new, g * c, g * enter, xp.zeros_like(show))


def _lstm_memory_jvp(xp: Any, ts: Any, y: Any, gates: Any, c: Any) -> Any:
    enter, keep, new, _ = _quarters(xp, gates)
    parts = [] if ts[1] is None else [keep * ts[1]]
    if ts[0] is not None:
        t_enter, t_keep, t_new, _ = _quarters(xp, ts[0])
        parts.append(t_enter * new + t_new * enter + t_keep * c)
    return sum(parts[1:], parts[0])


LSTM_MEMORY = defop(
    "lstm_memory",
    _lstm_memory,
    Kind.OTHER,
    batch=lambda xp, gates, c: elementwise(_lstm_memory, (gates, c), {}),
    vjp=(_lstm_memory_vjp_gates, lambda xp, g, y, gates, c: g * _quarters(xp, gates)[1]),
    args=("gates", "cx"),
    promote=Promote.COMMON,
    jvp=_lstm_memory_jvp,
    formula="keep c + enter new",
    doc="The memory after one step of long short-term memory.",
)


def _lstm_shown(gates: Any, c: Any) -> Any:
    return gates[..., gates.shape[-1] // 4 * 3 :] * np.tanh(c)


def _lstm_shown_vjp_gates(xp: Any, g: Any, y: Any, gates: Any, c: Any) -> Any:
    shape = gates.shape
    dim, size = len(shape) - 1, shape[-1]
    return xp.slice_backward(g * xp.tanh(c), shape=shape, dim=dim, start=size // 4 * 3, stop=size, step=1)


def _lstm_shown_vjp_c(xp: Any, g: Any, y: Any, gates: Any, c: Any) -> Any:
    t = xp.tanh(c)
    return g * _quarters(xp, gates)[3] * (1 - t * t)


def _lstm_shown_jvp(xp: Any, ts: Any, y: Any, gates: Any, c: Any) -> Any:
    t = xp.tanh(c)
    parts = [] if ts[0] is None else [_quarters(xp, ts[0])[3] * t]
    if ts[1] is not None:
        parts.append(_quarters(xp, gates)[3] * (1 - t * t) * ts[1])
    return sum(parts[1:], parts[0])


LSTM_SHOWN = defop(
    "lstm_shown",
    _lstm_shown,
    Kind.OTHER,
    batch=lambda xp, gates, c: elementwise(_lstm_shown, (gates, c), {}),
    vjp=(_lstm_shown_vjp_gates, _lstm_shown_vjp_c),
    args=("gates", "cx"),
    promote=Promote.COMMON,
    jvp=_lstm_shown_jvp,
    formula="show tanh(c)",
    doc="The hidden state after one step of long short-term memory, from its gates and its new memory.",
)
