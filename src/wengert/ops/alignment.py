"""The probability of a sequence of labels, summed over all ways of aligning it with what was seen: the CTC loss.

A. Graves et al., "Connectionist temporal classification" (2006). Before, between and behind the labels there may be
blanks; a path through these ``2 S + 1`` states stays at each time in its state, steps to the next, or leaps over a
blank. Inputs are the log-probabilities of the states, ``(time, batch, states)``; where a path may start, leap to and
end, ``(batch, states)``; and how long each sequence is. Sums over paths are kept as logarithms.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wengert.ops.kernels import takes
from wengert.ops.record import Kind, deffused, defop

_LOWEST: Final = -1e30  # stands for log 0 where it must be possible to take differences


def _moved(a: Any, by: int, fill: Any) -> Any:
    """Each state's value replaced by that of the state ``by`` before it."""
    out = np.full_like(a, fill)
    if by > 0:
        out[:, by:] = a[:, :-by]
    else:
        out[:, :by] = a[:, -by:]
    return out


def _log_sum(*parts: Any) -> Any:
    top = parts[0]
    for part in parts[1:]:
        top = np.maximum(top, part)
    base = np.where(np.isneginf(top), top.dtype.type(0), top)
    total = np.exp(parts[0] - base)
    for part in parts[1:]:
        total += np.exp(part - base)
    return np.log(total) + base


def _steps(last: Any, leaps: Any, by: int) -> Any:
    """Sums over the paths one step further on (``by`` is 1) or back (-1)."""
    none = last.dtype.type(-np.inf)
    return _log_sum(last, _moved(last, by, none), np.where(leaps, _moved(last, 2 * by, none), none))


def _forward_sums(seen: Any, starts: Any, leaps: Any) -> Any:
    sums = np.empty_like(seen)
    for t, emitted in enumerate(seen):
        sums[t] = _steps(sums[t - 1], leaps, 1) if t else np.where(starts, 0.0, -np.inf)
        sums[t] += emitted
    return sums


def _total(sums: Any, ends: Any, lengths: Any) -> Any:
    """The logarithm of the sum over all whole paths; of nothing seen, the empty one, if it may be."""
    none = sums.dtype.type(-np.inf)
    empty = np.where(ends[:, 0], sums.dtype.type(0), none)
    if not len(sums):
        return empty
    last = sums[np.maximum(lengths - 1, 0), np.arange(sums.shape[1])]
    closed = np.where(ends, last, none)
    return np.where(lengths == 0, empty, _log_sum(*closed.T))


def _ctc_paths(seen: Any, starts: Any, leaps: Any, ends: Any, lengths: Any) -> Any:
    return -_total(_forward_sums(seen, starts, leaps), ends, lengths)


def _ctc_shares(seen: Any, starts: Any, leaps: Any, ends: Any, lengths: Any) -> Any:
    """How much of the probability of all paths goes through each state at each time."""
    sums = _forward_sums(seen, starts, leaps)
    total = _total(sums, ends, lengths)[:, None]
    none = seen.dtype.type(-np.inf)
    at_end = np.where(ends, seen.dtype.type(0), none)
    leaps_back = _moved(leaps, -2, False)
    behind = np.full(seen.shape[1:], none)
    for t in range(len(seen) - 1, -1, -1):
        if t + 1 < len(seen):
            behind = _steps(behind + seen[t + 1], leaps_back, -1)
        behind = np.where((lengths == t + 1)[:, None], at_end, behind)
        sums[t] = np.where((lengths > t)[:, None], np.exp(sums[t] + behind - total), 0.0)
    return sums


def _ctc_shares_parts(xp: Any, seen: Any, starts: Any, leaps: Any, ends: Any, lengths: Any) -> Any:
    if not seen.shape[0]:
        return xp.zeros_like(seen)

    def stepped(last: Any, leaps: Any, by: int) -> Any:
        leaped = xp.where(leaps, xp.shift(last, dim=1, by=2 * by, fill=_LOWEST), _LOWEST)
        return xp.logaddexp(xp.logaddexp(last, xp.shift(last, dim=1, by=by, fill=_LOWEST)), leaped)

    seen = xp.maximum(seen, _LOWEST)
    emitted = [xp.select(seen, dim=0, index=t) for t in range(seen.shape[0])]
    is_last = [xp.unsqueeze(xp.eq(lengths, t + 1), dim=1) for t in range(len(emitted))]
    sums = [xp.where(starts, emitted[0], _LOWEST)]
    for now in emitted[1:]:
        sums.append(stepped(sums[-1], leaps, 1) + now)
    closed = sums[0]
    for last, here in zip(is_last[1:], sums[1:], strict=True):
        closed = xp.where(last, here, closed)
    total = xp.logsumexp(xp.where(ends, closed, _LOWEST), dim=(1,), keepdim=True)
    at_end = xp.where(ends, xp.zeros_like(closed), _LOWEST)
    leaps_back = xp.shift(leaps, dim=1, by=-2, fill=False)
    behind = xp.where(is_last[-1], at_end, _LOWEST)
    shares = []
    for t in range(len(emitted) - 1, -1, -1):
        if t + 1 < len(emitted):
            behind = xp.where(is_last[t], at_end, stepped(behind + emitted[t + 1], leaps_back, -1))
        shares.append(xp.where(xp.unsqueeze(xp.gt(lengths, t), dim=1), xp.exp(sums[t] + behind - total), 0.0))
    return xp.stack(*shares[::-1], dim=0)


deffused("ctc_shares", _ctc_shares_parts, _ctc_shares)


def _ctc_vjp(xp: Any, g: Any, y: Any, seen: Any, starts: Any, leaps: Any, ends: Any, lengths: Any) -> Any:
    return -xp.unsqueeze(g, dim=1) * xp.ctc_shares(seen, starts, leaps, ends, lengths)


CTC_PATHS = defop(
    "ctc_paths",
    _ctc_paths,
    Kind.OTHER,
    vjp=(_ctc_vjp, None, None, None, None),
    args=("log_probs", "starts", "leaps", "ends", "input_lengths"),
    node="CtcLossBackward0",
    check=takes("ctc_loss_cpu"),
    formula="-log sum_paths prod_t p_(t, path_t)",
    doc="The negative logarithm of the probability of all paths through the states of each sequence.",
)
