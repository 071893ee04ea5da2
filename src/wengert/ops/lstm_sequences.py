"""Long short-term memory over whole sequences, and the two linear recurrences that its derivatives are.

With ``W`` the state's weights, ``z_t`` what goes into the gates, and the gates ``i f n o`` (enter, keep, new, show):

    lstm           z_t = x_t + h_(t-1) W^T    c_t = f c_(t-1) + i n    h_t = o tanh(c_t)

Its derivatives are linear recurrences with coefficients that are known once it has run: ``m_t`` (four parts, as the
gates) and ``a_t``; the tangents follow time, and the adjoint is the transpose of that map. Each is the other's
derivative, so that derivatives of any order are among these:

    lstm_tangent   z_t = u_t + h_(t-1) W^T
                   c_t = v_t + f c_(t-1) + sum_(k<3) m_tk z_tk
                   h_t = w_t + a c_t + m_t3 z_t3
    lstm_adjoint   h_t = w_t + z_(t+1) W
                   c_t = v_t + a h_t + f_(t+1) c_(t+1)
                   z_t = u_t + m_t (c, c, c, h)_t

``u v w`` (into ``z c h``) are drives, of which some may be missing.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wengert.ops.machine import MACHINE, Kernel
from wengert.ops.record import Kind, deffused, defop, together
from wengert.ops.sequences import (
    Flags,
    Recurrence,
    added,
    define_transposes,
    delayed,
    delayed_by_zero,
    first_of,
    flags_of,
    joined,
    members_together,
    only_first,
    parts,
    placed,
    products_over_steps,
    there,
    through,
)
from wengert.spaces.raw import RAW

_MANY: Final = 512  # elements from which machine code is asked for


def _kernel(name: str, x: Any) -> Kernel | None:
    """Machine code for a whole sequence, unless it has further axes (of members with weights of their own)."""
    return MACHINE.kernel(name, x.dtype.char) if x.ndim == 3 and x.size >= _MANY else None


# --- forward ---


def _lstm(x: Any, weight: Any, h: Any, c: Any) -> tuple[Any, Any, Any]:
    kernel = _kernel("lstm", x)
    if kernel is not None:
        return kernel(x, weight, h, c)  # type: ignore[no-any-return]
    steps, *batch, width = x.shape
    n = width // 4
    hs, cs, gates = (np.empty((steps, *batch, size), x.dtype) for size in (n, n, width))
    turned = weight.swapaxes(-1, -2)
    entering, shown = (np.empty((*batch, n), x.dtype) for _ in range(2))
    for t in range(steps):
        z = gates[t]
        np.matmul(h, turned, out=z)
        z += x[t]
        new = np.tanh(z[..., 2 * n : 3 * n])
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1.0
        np.reciprocal(z, out=z)
        z[..., 2 * n : 3 * n] = new
        c = np.multiply(z[..., n : 2 * n], c, out=cs[t])
        c += np.multiply(z[..., :n], new, out=entering)
        h = np.multiply(z[..., 3 * n :], np.tanh(c, out=shown), out=hs[t])
    return hs, cs, gates


# --- the linear recurrences ---


def _lstm_tangent(m: Any, a: Any, keep: Any, weight: Any, *drives: Any, given: Flags) -> tuple[Any, Any, Any]:
    into_z, into_c, into_h = placed(drives, given)
    steps, *batch, n = a.shape
    zs, cs, hs = (np.zeros((steps, *batch, size), a.dtype) for size in (4 * n, n, n))
    turned = weight.swapaxes(-1, -2)
    for t in range(steps):
        z, c, h = zs[t], cs[t], hs[t]
        if t:
            np.matmul(hs[t - 1], turned, out=z)
            np.multiply(keep[t], cs[t - 1], out=c)
        if into_z is not None:
            z += into_z[t]
        moved = m[t] * z
        c += moved[..., :n] + moved[..., n : 2 * n] + moved[..., 2 * n : 3 * n]
        if into_c is not None:
            c += into_c[t]
        np.multiply(a[t], c, out=h)
        h += moved[..., 3 * n :]
        if into_h is not None:
            h += into_h[t]
    return zs, cs, hs


def _lstm_adjoint(m: Any, a: Any, keep: Any, weight: Any, *drives: Any, given: Flags) -> tuple[Any, Any, Any]:
    into_z, into_c, into_h = placed(drives, given)
    steps, *batch, n = a.shape
    zs, cs, hs = (np.empty((steps, *batch, size), a.dtype) for size in (4 * n, n, n))
    cells, factors = zs.reshape(steps, *batch, 4, n), m.reshape(steps, *batch, 4, n)
    carried = np.zeros((*batch, n), a.dtype)
    for t in range(steps - 1, -1, -1):
        c, h, cell, factor = cs[t], hs[t], cells[t], factors[t]
        if t + 1 < steps:
            np.matmul(zs[t + 1], weight, out=h)
        else:
            h[...] = 0.0
        if into_h is not None:
            h += into_h[t]
        np.multiply(a[t], h, out=c)
        c += carried
        if into_c is not None:
            c += into_c[t]
        np.multiply(factor[..., :3, :], c[..., None, :], out=cell[..., :3, :])
        np.multiply(factor[..., 3, :], h, out=cell[..., 3, :])
        if into_z is not None:
            zs[t] += into_z[t]
        np.multiply(keep[t], c, out=carried)
    return zs, cs, hs


# --- rules ---


def _pulled_to_coefficients(xp: Any, adjoint: Any, tangent: Any, needs: list[bool]) -> list[Any]:
    """The cotangents of ``m a keep``, which multiply a part of ``adjoint`` by a part of ``tangent``."""
    (_, c, h), (tz, tc, _) = adjoint, tangent
    return [
        joined(xp, c, c, c, h) * tz if needs[0] else None,
        h * tc if needs[1] else None,
        c * delayed_by_zero(xp, tc) if needs[2] else None,
    ]


def _coefficients(xp: Any, gates: Any, memory: Any, c: Any) -> tuple[Any, Any, Any, Any]:
    """``m``, ``a``, the gate that keeps, and the slopes of the gates."""
    enter, keep, new, show = parts(xp, gates, 4)
    shown = xp.tanh(memory)
    slopes = xp.lstm_slopes(gates)
    m = joined(xp, new, delayed(xp, c, memory), enter, shown) * slopes
    return m, show * (1 - shown * shown), keep, slopes


def _pull_parts(xp: Any, gates: Any, memory: Any, c: Any, weight: Any, *drives: Any, given: Flags) -> tuple[Any, Any]:
    """The cotangents of the input and of the first memory; the drives are those of gates, memories and states."""
    m, a, keep, slopes = _coefficients(xp, gates, memory, c)
    into_gates, into_c, into_h = placed(drives, given)
    into_z = None if into_gates is None else into_gates * slopes
    z, dc, _ = xp.lstm_adjoint(m, a, keep, weight, *there(into_z, into_c, into_h), **flags_of(into_z, into_c, into_h))
    return z, first_of(xp, dc) * first_of(xp, keep)


def _pull(gates: Any, memory: Any, c: Any, weight: Any, *drives: Any, given: Flags) -> tuple[Any, Any]:
    kernel = _kernel("lstm_pull " + "".join(["01"[flag] for flag in given]), gates)
    if kernel is not None:
        return kernel(gates, memory, c, weight, *drives)  # type: ignore[no-any-return]
    return _pull_parts(RAW, gates, memory, c, weight, *drives, given=given)


def _lstm_rule(xp: Any, g: Any, y: Any, needs: Any, x: Any, weight: Any, h: Any, c: Any) -> list[Any]:
    hs, memory, gates = y
    drives = g[2], g[1], g[0]
    z, dc = xp.lstm_pull(gates, memory, c, weight, *there(*drives), **flags_of(*drives))
    return [
        z if needs[0] else None,
        products_over_steps(xp, z, delayed(xp, h, hs)) if needs[1] else None,
        xp.mm(first_of(xp, z), weight) if needs[2] else None,
        dc if needs[3] else None,
    ]


def _lstm_jvp(xp: Any, ts: Any, y: Any, x: Any, weight: Any, h: Any, c: Any) -> tuple[Any, Any, Any]:
    m, a, keep, slopes = _coefficients(xp, y[2], y[1], c)
    into_z = added(
        ts[0],
        None if ts[1] is None else through(xp, delayed(xp, h, y[0]), ts[1]),
        None if ts[2] is None else only_first(xp, through(xp, ts[2], weight), m),
    )
    into_c = None if ts[3] is None else only_first(xp, first_of(xp, keep) * ts[3], a)
    z, dc, dh = xp.lstm_tangent(m, a, keep, weight, *there(into_z, into_c), **flags_of(into_z, into_c, None))
    return dh, dc, z * slopes


define_transposes(
    "lstm",
    Recurrence(
        _lstm_tangent,
        formula="z = u + h_(t-1) W^T, c = v + f c_(t-1) + m z, h = w + a c + m z",
        doc="Tangents of long short-term memory: a linear recurrence forwards in time.",
    ),
    Recurrence(
        _lstm_adjoint,
        formula="h = w + z_(t+1) W, c = v + a h + f c_(t+1), z = u + m (c, c, c, h)",
        doc="Cotangents of long short-term memory: a linear recurrence backwards in time, "
        "the transpose of lstm_tangent.",
    ),
    coefficients=("m", "a", "keep", "weight"),
    drives=("into_z", "into_c", "into_h"),
    pulled=_pulled_to_coefficients,
)
deffused("lstm_pull", _pull_parts, _pull)
LSTM = defop(
    "lstm",
    _lstm,
    Kind.OTHER,
    batch=members_together(_lstm, 1),
    vjp=together(_lstm_rule, shape_only=lambda i: i == 0),
    args=("input", "weight_hh", "hx", "cx"),
    outputs=3,
    differentiable_outputs=(0, 1, 2),
    jvp=_lstm_jvp,
    formula="c = f c_(t-1) + i n, h = o tanh(c)",
    doc="Hidden states, memories and gates of long short-term memory; `input` is the sequence's share of the gates.",
)
