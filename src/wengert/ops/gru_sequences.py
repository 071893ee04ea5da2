"""Gated recurrent units over whole sequences, and the two linear recurrences that their derivatives are.

With ``W`` and ``b`` the state's weights and bias, ``k_t = h_(t-1) W^T + b`` in three parts, the gates ``r z`` (reset,
keep) and the new content ``n``:

    gru            r = sigmoid(x_r + k_r)   z = sigmoid(x_z + k_z)   n = tanh(x_n + r k_n)   h_t = (1 - z) n + z h_(t-1)

The derivatives are linear recurrences with coefficients ``m_t`` (three parts) that are known once it has run, and each
other's transpose:

    gated_tangent  k_t = u_t + h_(t-1) W^T                h_t = v_t + z_t h_(t-1) + sum_j m_tj k_tj
    gated_adjoint  h_t = v_t + z_(t+1) h_(t+1) + k_(t+1) W    k_t = u_t + m_t (h, h, h)_t

``u v`` (into ``k h``) are drives, of which one may be missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.elementary import sigmoid_of
from wengert.ops.record import Kind, defop, together
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

# --- forward ---


def _gru(x: Any, weight: Any, bias: Any, h: Any) -> tuple[Any, Any]:
    steps, *batch, width = x.shape
    n = width // 3
    hs, gates = np.empty((steps, *batch, n), x.dtype), np.empty((steps, *batch, 4 * n), x.dtype)
    turned = weight.swapaxes(-1, -2)
    bias = bias[..., None, :]
    k = np.empty((*batch, width), x.dtype)
    for t in range(steps):
        row, own, gate = hs[t], x[t], gates[t]
        np.matmul(h, turned, out=k)
        k += bias
        gate[..., 3 * n :] = k[..., 2 * n :]
        gate[..., : 2 * n] = sigmoid_of(np.add(k[..., : 2 * n], own[..., : 2 * n]))
        new = np.multiply(gate[..., :n], k[..., 2 * n :], out=gate[..., 2 * n : 3 * n])
        new += own[..., 2 * n :]
        np.tanh(new, out=new)
        np.subtract(h, new, out=row)
        row *= gate[..., n : 2 * n]
        row += new
        h = row
    return hs, gates


# --- the linear recurrences ---


def _gated_tangent(m: Any, keep: Any, weight: Any, *drives: Any, given: Flags) -> tuple[Any, Any]:
    into_k, into_h = placed(drives, given)
    steps, *batch, n = keep.shape
    count = m.shape[-1] // n
    ks, hs = np.zeros((steps, *batch, count * n), m.dtype), np.zeros((steps, *batch, n), m.dtype)
    turned = weight.swapaxes(-1, -2)
    for t in range(steps):
        k, h = ks[t], hs[t]
        if t:
            np.matmul(hs[t - 1], turned, out=k)
            np.multiply(keep[t], hs[t - 1], out=h)
        if into_k is not None:
            k += into_k[t]
        moved = m[t] * k
        for j in range(count):
            h += moved[..., j * n : (j + 1) * n]
        if into_h is not None:
            h += into_h[t]
    return ks, hs


def _gated_adjoint(m: Any, keep: Any, weight: Any, *drives: Any, given: Flags) -> tuple[Any, Any]:
    into_k, into_h = placed(drives, given)
    steps, *batch, n = keep.shape
    count = m.shape[-1] // n
    ks, hs = np.empty((steps, *batch, count * n), m.dtype), np.empty((steps, *batch, n), m.dtype)
    cells, factors = ks.reshape(steps, *batch, count, n), m.reshape(steps, *batch, count, n)
    carried = np.zeros((*batch, n), m.dtype)
    for t in range(steps - 1, -1, -1):
        h = hs[t]
        if t + 1 < steps:
            np.matmul(ks[t + 1], weight, out=h)
            h += carried
        else:
            h[...] = 0.0
        if into_h is not None:
            h += into_h[t]
        np.multiply(factors[t], h[..., None, :], out=cells[t])
        if into_k is not None:
            ks[t] += into_k[t]
        np.multiply(keep[t], h, out=carried)
    return ks, hs


# --- rules ---


def _pulled_to_coefficients(xp: Any, adjoint: Any, tangent: Any, needs: list[bool]) -> list[Any]:
    """The cotangents of ``m keep``, which multiply a part of ``adjoint`` by a part of ``tangent``."""
    (k, h), (tk, th) = adjoint, tangent
    count = k.shape[2] // h.shape[2]
    return [
        joined(xp, *[h] * count) * tk if needs[0] else None,
        h * delayed_by_zero(xp, th) if needs[1] else None,
    ]


def _slopes(xp: Any, y: Any, h: Any) -> tuple[Any, ...]:
    """The slopes of reset, keep and new; the share of the new content in ``h``; what was before."""
    reset, keep, new, _ = parts(xp, y[1], 4)
    return reset * (1 - reset), keep * (1 - keep), 1 - new * new, 1 - keep, delayed(xp, h, y[0])


def _coefficients(xp: Any, y: Any, h: Any) -> tuple[Any, Any]:
    """``m``, and the factor by which the input's share of the new content moves ``h``."""
    reset, _, new, own = parts(xp, y[1], 4)
    of_reset, of_keep, of_new, share, before = _slopes(xp, y, h)
    moves = share * of_new
    return joined(xp, own * of_reset * moves, (before - new) * of_keep, reset * moves), moves


def _gru_rule(xp: Any, g: Any, y: Any, needs: Any, x: Any, weight: Any, bias: Any, h: Any) -> list[Any]:
    reset, keep, _, own = parts(xp, y[1], 4)
    m, moves = _coefficients(xp, y, h)
    into_k = into_new = None
    if g[1] is not None:
        of_reset, of_keep, of_new, _, _ = _slopes(xp, y, h)
        g_reset, g_keep, g_new, g_own = parts(xp, g[1], 4)
        into_new = g_new * of_new
        into_k = joined(xp, (g_reset + into_new * own) * of_reset, g_keep * of_keep, g_own + into_new * reset)
    k, dh = xp.gated_adjoint(m, keep, weight, *there(into_k, g[0]), **flags_of(into_k, g[0]))
    sums = (0, 1)
    pulled_x = None
    if needs[0]:
        n = dh.shape[2]
        pulled_x = joined(xp, xp.slice(k, dim=2, start=0, stop=2 * n, step=1), added(dh * moves, into_new))
    pulled_h = None
    if needs[3]:
        pulled_h = xp.mm(first_of(xp, k), weight) + first_of(xp, dh) * first_of(xp, keep)
    return [
        pulled_x,
        products_over_steps(xp, k, delayed(xp, h, y[0])) if needs[1] else None,
        xp.sum(k, dim=sums, keepdim=False) if needs[2] else None,
        pulled_h,
    ]


def _gru_jvp(xp: Any, ts: Any, y: Any, x: Any, weight: Any, bias: Any, h: Any) -> tuple[Any, Any]:
    reset, keep, _, own = parts(xp, y[1], 4)
    m, moves = _coefficients(xp, y, h)
    of_reset, of_keep, of_new, _, before = _slopes(xp, y, h)
    t_new = None if ts[0] is None else parts(xp, ts[0], 3)[2]
    into_k = added(
        None if ts[0] is None else joined(xp, *parts(xp, ts[0], 3)[:2], xp.zeros_like(t_new)),
        None if ts[1] is None else through(xp, before, ts[1]),
        None if ts[2] is None else xp.expand(ts[2], shape=m.shape),
        None if ts[3] is None else only_first(xp, through(xp, ts[3], weight), m),
    )
    into_h = added(
        None if t_new is None else t_new * moves,
        None if ts[3] is None else only_first(xp, first_of(xp, keep) * ts[3], keep),
    )
    k, dh = xp.gated_tangent(m, keep, weight, *there(into_k, into_h), **flags_of(into_k, into_h))
    k_reset, k_keep, k_own = parts(xp, k, 3)
    d_reset = k_reset * of_reset
    d_new = added(d_reset * own + reset * k_own, t_new) * of_new
    return dh, joined(xp, d_reset, k_keep * of_keep, d_new, k_own)


define_transposes(
    "gated",
    Recurrence(
        _gated_tangent,
        formula="k = u + h_(t-1) W^T, h = v + z h_(t-1) + m k",
        doc="Tangents of gated recurrent units: a linear recurrence forwards in time.",
    ),
    Recurrence(
        _gated_adjoint,
        formula="h = v + z h_(t+1) + k_(t+1) W, k = u + m (h, h, h)",
        doc="Cotangents of gated recurrent units: a linear recurrence backwards in time, "
        "the transpose of gated_tangent.",
    ),
    coefficients=("m", "keep", "weight"),
    drives=("into_k", "into_h"),
    pulled=_pulled_to_coefficients,
)
GRU = defop(
    "gru",
    _gru,
    Kind.OTHER,
    batch=members_together(_gru, 1, 2),
    vjp=together(_gru_rule, shape_only=lambda i: i in (0, 2)),
    args=("input", "weight_hh", "bias_hh", "hx"),
    outputs=2,
    differentiable_outputs=(0, 1),
    jvp=_gru_jvp,
    formula="h = (1 - z) n + z h_(t-1)",
    doc="Hidden states and gates (reset, keep, new, the state's share of new) of gated recurrent units.",
)
