"""Sums of products over named axes: einsum, tensordot, vecdot.

An axis label is a small integer. `subs` holds the labels of each operand's axes, `out` those of the result. No operand
has a label twice: the function layer takes diagonals first.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from wengert.ops.products import dot, stacked
from wengert.ops.record import EachInput, Kind, Promote, defop

Shape = tuple[int, ...]
Labels = tuple[int, ...]

# --- the contraction on raw arrays ---


def _einsum(*xs: Any, subs: tuple[Labels, ...], out: Labels) -> Any:
    if len(xs) == 1:
        x, labels = _sum_out(xs[0], subs[0], set(out))
        return _arrange(x, labels, out)
    if len(xs) == 2:
        return _pair(xs[0], subs[0], xs[1], subs[1], out)
    operands = list(zip(xs, subs, strict=True))
    for i, j, kept in _order(subs, out, tuple(x.shape for x in xs)):
        b, a = operands.pop(j), operands.pop(i)
        operands.append((_pair(*a, *b, kept), kept))
    return operands[0][0]


def _pair(a: Any, la: Labels, b: Any, lb: Labels, out: Labels) -> Any:
    """Contract two operands, as one product of (stacks of) matrices where anything is summed."""
    a, la, b, lb = *_drop_ones(a, la, b, lb), *_drop_ones(b, lb, a, la)
    a, la = _sum_out(a, la, {*lb, *out})
    b, lb = _sum_out(b, lb, {*la, *out})
    in_a, in_b, in_out = set(la), set(lb), set(out)
    summed = tuple(s for s in (la if a.size >= b.size else lb) if s in in_a and s in in_b and s not in in_out)
    if not summed:
        return _spread_over(a, la, out) * _spread_over(b, lb, out)
    stack = tuple(s for s in out if s in in_a and s in in_b)
    rows = tuple(s for s in la if s not in in_b)
    columns = tuple(s for s in lb if s not in in_a)
    if stack and not rows and not columns:
        paired = _row_dots(_flat(a, la, stack, summed), _flat(b, lb, stack, summed))
    elif stack:
        paired = stacked(_flat(a, la, stack, rows, summed), _flat(b, lb, stack, summed, columns))
    else:
        paired = dot(_flat(a, la, *([rows] * bool(rows)), summed), _flat(b, lb, summed, *([columns] * bool(columns))))
    sizes = dict(zip(la, a.shape, strict=True)) | dict(zip(lb, b.shape, strict=True))
    labels = stack + rows + columns
    return _arrange(np.reshape(paired, tuple(sizes[s] for s in labels)), labels, out)


def _drop_ones(a: Any, la: Labels, b: Any, lb: Labels) -> tuple[Any, Labels]:
    """Take away axes of size one of ``a`` that are longer in ``b``: they broadcast."""
    longer = {s for s, size in zip(lb, b.shape, strict=True) if size != 1}
    ones = [axis for axis, s in enumerate(la) if s in longer and a.shape[axis] == 1]
    if not ones:
        return a, la
    return a.squeeze(tuple(ones)), tuple(s for axis, s in enumerate(la) if axis not in ones)


def _sum_out(x: Any, labels: Labels, kept: set[int]) -> tuple[Any, Labels]:
    """Sum over the axes that nobody else has."""
    lone = tuple(axis for axis, s in enumerate(labels) if s not in kept)
    if not lone:
        return x, labels
    summed = np.add.reduce(x, lone, np.float32 if x.dtype.char == "e" else x.dtype).astype(x.dtype, copy=False)
    return summed, tuple(s for s in labels if s in kept)


def _arrange(x: Any, labels: Labels, out: Labels) -> Any:
    return x if labels == out else x.transpose([labels.index(s) for s in out])


def _flat(x: Any, labels: Labels, *groups: Labels) -> Any:
    """Bring axes into groups, each as one axis (a view where the memory allows it)."""
    wanted = tuple(s for group in groups for s in group)
    x = _arrange(x, labels, wanted)
    if all(len(group) == 1 for group in groups):
        return x
    sizes = dict(zip(wanted, x.shape, strict=True))
    return x.reshape([prod([sizes[s] for s in group]) for group in groups])


def _spread_over(x: Any, labels: Labels, out: Labels) -> Any:
    """Bring the axes into the order of ``out``, with axes of size one where ``x`` has none."""
    x = _arrange(x, labels, tuple(s for s in out if s in labels))
    return x[tuple(slice(None) if s in labels else None for s in out)] if len(labels) != len(out) else x


def _row_dots(a: Any, b: Any) -> Any:
    if a.dtype.char == "e":
        return np.einsum("ij,ij->i", a, b, dtype=np.float32).astype(np.float16)
    return np.einsum("ij,ij->i", a, b)


@lru_cache(maxsize=512)
def _order(subs: tuple[Labels, ...], out: Labels, shapes: tuple[Shape, ...]) -> list[tuple[int, int, Labels]]:
    """Say which pairs to contract one after the other, and which labels each result keeps."""
    shaped = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
    arguments: list[Any] = [part for x, labels in zip(shaped, subs, strict=True) for part in (x, list(labels))]
    greedy = len(subs) > 6  # the best order of n operands takes a time that grows like n!
    path = np.einsum_path(*arguments, list(out), optimize="greedy" if greedy else "optimal")[0][1:]
    remaining = list(subs)
    steps = []
    for picked in path:
        chosen = sorted(picked)
        while len(chosen) > 1:  # a step of more than two operands is done pair by pair
            j, i = chosen.pop(), chosen.pop()
            second, first = remaining.pop(j), remaining.pop(i)
            needed = set(out).union(*remaining)
            kept = tuple(s for s in dict.fromkeys(first + second) if s in needed)
            kept = kept if remaining else out
            remaining.append(kept)
            steps.append((i, j, kept))
            chosen = [k - (k > i) - (k > j) for k in chosen]
            chosen.append(len(remaining) - 1)
    return steps


# --- einsum and tensordot ---


def _einsum_vjp(xp: Any, g: Any, y: Any, i: int, *xs: Any, subs: tuple[Labels, ...], out: Labels) -> Any:
    others = [j for j in range(len(xs)) if j != i]
    known = set(out).union(*(subs[j] for j in others))
    kept = tuple(s for s in subs[i] if s in known)
    part = xp.einsum(g, *[xp.conj(xs[j]) for j in others], subs=(out, *(subs[j] for j in others)), out=kept)
    return _refill(xp, part, kept, subs[i], xs[i].shape)


def _refill(xp: Any, part: Any, kept: Labels, labels: Labels, shape: Shape) -> Any:
    """Expand over axes that were summed alone, and over those where all other operands had size one."""
    sizes = dict(zip(kept, part.shape, strict=True))
    ones = tuple(sizes.get(s, 1) for s in labels)
    full = tuple(max(have, want) if have else 0 for have, want in zip(ones, shape, strict=True))
    if len(kept) != len(labels):
        part = xp.reshape(part, shape=ones)
    return part if full == ones else xp.expand(part, shape=full)


def _einsum_jvp(xp: Any, ts: Any, y: Any, *xs: Any, subs: tuple[Labels, ...], out: Labels) -> Any:
    parts = [xp.einsum(*xs[:i], t, *xs[i + 1 :], subs=subs, out=out) for i, t in enumerate(ts) if t is not None]
    return sum(parts[1:], parts[0])


def einsum_node(meta: dict[str, Any]) -> str:
    """Name the last step of PyTorch's way to the result, which is what its ``grad_fn`` is called."""
    subs, out = meta["subs"], set(meta["out"])
    if len(subs) == 1:
        return "PermuteBackward0" if out >= set(subs[0]) else "SumBackward1"
    summed = set().union(*subs) - out
    return "ViewBackward0" if summed else "MulBackward0"


EINSUM = defop(
    "einsum",
    _einsum,
    Kind.PRODUCT,
    vjp=EachInput(_einsum_vjp),
    args=("operands",),
    promote=Promote.COMMON,
    node=einsum_node,
    jvp=_einsum_jvp,
    formula="sum of products over the labels that the result lacks",
    doc="Product of operands whose axes are labelled, summed over the labels that are not in the result.",
)
TENSORDOT = defop(
    "tensordot",
    _einsum,
    Kind.PRODUCT,
    vjp=EachInput(_einsum_vjp),
    args=("self", "other"),
    node="ViewBackward0",
    jvp=_einsum_jvp,
    formula="sum_k a_ik b_kj",
    doc="Product of two operands summed over pairs of axes.",
)


def _vecdot(a: Any, b: Any) -> Any:
    dtype = a.dtype
    if dtype.char == "e":
        a, b = a.astype(np.float32), b.astype(np.float32)
    return np.einsum("...i,...i->...", a.conj() if dtype.kind == "c" else a, b).astype(dtype, copy=False)


VECDOT = defop(
    "vecdot",
    _vecdot,
    Kind.PRODUCT,
    vjp=(
        lambda xp, g, y, a, b: xp.conj(xp.unsqueeze(g, dim=g.ndim)) * b,
        lambda xp, g, y, a, b: xp.unsqueeze(g, dim=g.ndim) * a,
    ),
    args=("x", "y"),
    node="SumBackward1",
    linear=(0, 1),
    formula="sum_i conj(a_i) b_i",
    doc="Dot products along the last axis; the others broadcast.",
)
