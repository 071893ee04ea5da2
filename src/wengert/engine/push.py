"""The forward rule of an operation: the tangent of its result from those of its inputs, as operations on tensors.

It follows from what the record says, in this order: its own ``jvp``; where it is linear, the operation itself on the
tangent; where it is elementwise, the factor by which the derivative rule multiplies a cotangent (a rule multiplies by
the conjugate, so both are conjugated); and in general by transposing the derivative rule, which is linear in ``g``.
"""

from __future__ import annotations

from typing import Any

from wengert.engine import messages
from wengert.engine.base import LEVELED, TensorBase, wrap
from wengert.engine.node import zeros_of
from wengert.engine.state import STATE
from wengert.ops.record import MISSING, EachInput, Kind, Op
from wengert.spaces.tensors import TENSOR

Tangents = tuple[Any, ...]


def push(op: Op, ts: Tangents, y: Any, xs: tuple[Any, ...], meta: dict[str, Any]) -> Tangents:
    """The tangents of the results of ``op``; None for those that carry none.

    Args:
        op: the operation.
        ts: the tangents of the inputs, None where an input has none.
        y: the result, or a tuple of several.
        xs: the inputs.
        meta: the metadata.

    Raises:
        NotImplementedError: the operation's derivative is not written.
    """
    several = op.outputs != 1
    results = y if several else (y,)
    moving = [i for i, t in enumerate(ts) if t is not None and _has_rule(op, i)]
    if not moving or not any([part._data.dtype.kind in "fc" for part in results]):
        return (None,) * len(results)
    if op.jvp is not None:
        kept = tuple([t if i in moving else None for i, t in enumerate(ts)])
        pushed = op.jvp(TENSOR, kept, y, *xs, **meta)
    elif all([i in op.linear for i in moving]):
        pushed = _through_itself(op, moving, ts, xs, meta)
    elif op.kind is Kind.ELEMENTWISE and not several and isinstance(op.vjp, tuple):
        pushed = _by_factor(op, moving, ts, y, xs, meta)
    else:
        pushed = _by_transposition(op, moving, ts, y, xs, meta)
    tangents = pushed if several else (pushed,)
    return tuple([_fitted(t, part) for t, part in zip(tangents, results, strict=True)])


def _has_rule(op: Op, i: int) -> bool:
    if isinstance(op.vjp, EachInput):
        return op.vjp.differentiable is None or op.vjp.differentiable(i)
    return op.vjp[i] is not None


def _rule(op: Op, i: int) -> Any:
    rule = op.vjp[i]  # type: ignore[index]
    if rule is MISSING:
        raise NotImplementedError(messages.missing_forward(op))
    return rule


def _through_itself(op: Op, moving: list[int], ts: Tangents, xs: tuple[Any, ...], meta: dict[str, Any]) -> Any:
    parts = [getattr(TENSOR, op.name)(*xs[:i], ts[i], *xs[i + 1 :], **meta) for i in moving]
    if op.outputs == 1:
        return _total(parts)
    return tuple([_total(list(column)) for column in zip(*parts, strict=True)])


def _by_factor(op: Op, moving: list[int], ts: Tangents, y: Any, xs: tuple[Any, ...], meta: dict[str, Any]) -> Any:
    shape = y._data.shape
    parts = []
    for i in moving:
        t = ts[i]
        if t._data.shape != shape:
            t = TENSOR.expand(t, shape=shape)
        parts.append(TENSOR.conj(_rule(op, i)(TENSOR, TENSOR.conj(t), y, *xs, **meta)))
    return _total(parts)


def _by_transposition(
    op: Op, moving: list[int], ts: Tangents, y: Any, xs: tuple[Any, ...], meta: dict[str, Any]
) -> Any:
    """The rule is a linear function of the cotangent; its transpose, applied to the tangents, is what is wanted.

    For a complex result the inner product is the real one on both sides, so the transpose is the derivative itself.
    """
    results = y if op.outputs != 1 else (y,)
    live = [k for k, part in enumerate(results) if _carries(op, k, part)]
    tracked, STATE.grad_enabled = STATE.grad_enabled, True
    try:
        gs: list[Any] = [None] * len(results)
        for k in live:
            gs[k] = wrap(zeros_of(results[k]._data.shape, results[k]._data.dtype))
            gs[k]._rg = True
        g = tuple(gs) if op.outputs != 1 else gs[0]
        pulled = [
            op.vjp.rule(TENSOR, g, y, i, *xs, **meta)
            if isinstance(op.vjp, EachInput)
            else _rule(op, i)(TENSOR, g, y, *xs, **meta)
            for i in moving
        ]
    finally:
        STATE.grad_enabled = tracked
    pairs = [(p, ts[i]) for p, i in zip(pulled, moving, strict=True) if isinstance(p, TensorBase) and p._rg]
    if not pairs:
        return (None,) * len(results) if op.outputs != 1 else None
    outputs = [_reduced(p, t) for p, t in pairs]
    found = LEVELED.gradients(
        outputs,
        [gs[k] for k in live],
        [t for _, t in pairs],
        retain_graph=False,
        create_graph=tracked,
        allow_unused=True,
    )
    by_result = dict(zip(live, found, strict=True))
    pushed = tuple([by_result.get(k) for k in range(len(results))])
    return pushed if op.outputs != 1 else pushed[0]


def _reduced(pulled: Any, t: Any) -> Any:
    """The cotangent in the shape of its input: a rule leaves the sum over broadcast axes to the sweep."""
    got, want = pulled._data.shape, t._data.shape
    if got == want:
        return pulled
    extra = len(got) - len(want)
    dims = (*range(extra), *[extra + i for i, n in enumerate(want) if n == 1 != got[extra + i]])
    return TENSOR.reshape(TENSOR.sum(pulled, dim=dims, keepdim=False), shape=want)


def _carries(op: Op, k: int, part: Any) -> bool:
    return part._data.dtype.kind in "fc" and (op.outputs in (0, 1) or k in op.differentiable_outputs)


def _total(parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = TENSOR.add(total, part)
    return total


def _fitted(t: Any, y: Any) -> Any:
    """A tangent with the shape and dtype of its result."""
    if t is None or y._data.dtype.kind not in "fc":
        return None
    if not isinstance(t, TensorBase):  # a rule may give a number
        return wrap(y._data.dtype.type(t)) if y._data.ndim == 0 else TENSOR.zeros_like(y) + t
    if t._data.shape != y._data.shape:
        t = TENSOR.expand(t, shape=y._data.shape)
    if t._data.dtype is not y._data.dtype:
        if t._data.dtype.kind == "c" and y._data.dtype.kind != "c":
            t = TENSOR.real(t)
        t = TENSOR.cast(t, dtype=y._data.dtype) if t._data.dtype is not y._data.dtype else t
    return t
