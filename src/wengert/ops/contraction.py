"""Sums of products over named axes: einsum, tensordot, vecdot.

An axis label is a small integer. `subs` holds the labels of each operand's axes, `out` those of the result. No operand
has a label twice: the function layer takes diagonals first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from wengert.ops.products import dot, stacked
from wengert.ops.record import EachInput, Kind, Promote, defop
from wengert.spaces.batching import contract, contract_labels

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
    for i, j, kept in order_of_pairs(subs, out, tuple(x.shape for x in xs)):
        b, a = operands.pop(j), operands.pop(i)
        operands.append((_pair(*a, *b, kept), kept))
    return operands[0][0]


class _Layout(NamedTuple):
    """How to bring one operand of a pair into the form in which it is multiplied; None says that nothing is to do."""

    ones: Labels | None  # axes of size one to take away, because they broadcast
    lone: Labels | None  # axes to sum, because nobody else has them
    order: Labels | None  # the rest in another order
    shape: Shape | None  # several axes as one

    def of(self, x: Any) -> Any:
        ones, lone, order, shape = self
        if ones is not None:
            x = x.squeeze(ones)
        if lone is not None:
            wide = np.float32 if x.dtype.char == "e" else x.dtype
            x = np.add.reduce(x, lone, wide).astype(x.dtype, copy=False)
        if order is not None:
            x = x.transpose(order)
        return x if shape is None else x.reshape(shape)


class _PairPlan(NamedTuple):
    """How to contract two operands."""

    first: _Layout
    second: _Layout
    multiply: Callable[[Any, Any], Any]
    shape: Shape | None  # the result's axes, apart again
    order: Labels | None


def _pair(a: Any, la: Labels, b: Any, lb: Labels, out: Labels) -> Any:
    """Contract two operands, as one product of (stacks of) matrices where anything is summed."""
    first, second, multiply, shape, order = _pair_plan(la, a.shape, lb, b.shape, out)
    y = multiply(first.of(a), second.of(b))
    if shape is not None:
        y = np.reshape(y, shape)
    return y if order is None else y.transpose(order)


@lru_cache(maxsize=1024)
def _pair_plan(la: Labels, shape_a: Shape, lb: Labels, shape_b: Shape, out: Labels) -> _PairPlan:
    a, b = dict(zip(la, shape_a, strict=True)), dict(zip(lb, shape_b, strict=True))
    ones_a = [s for s in la if a[s] == 1 != b.get(s, 1)]
    ones_b = [s for s in lb if b[s] == 1 != a.get(s, 1)]
    in_a, in_b, in_out = set(la) - set(ones_a), set(lb) - set(ones_b), set(out)
    lone_a, lone_b = in_a - in_b - in_out, in_b - in_a - in_out
    shared = [s for s in (la if len(shape_a) >= len(shape_b) else lb) if s in in_a and s in in_b]
    summed = tuple([s for s in shared if s not in in_out])
    if not summed:
        spread = tuple([(s,) if s in in_a else () for s in out]), tuple([(s,) if s in in_b else () for s in out])
        return _PairPlan(
            _layout(la, a, ones_a, lone_a, spread[0]),
            _layout(lb, b, ones_b, lone_b, spread[1]),
            operator.mul,
            None,
            None,
        )
    stack = tuple([s for s in out if s in in_a and s in in_b])
    rows = tuple([s for s in la if s in in_a and s in in_out and s not in in_b])
    columns = tuple([s for s in lb if s in in_b and s in in_out and s not in in_a])
    multiply: Callable[[Any, Any], Any]
    if stack and not rows and not columns:
        multiply, groups_a, groups_b = _row_dots, [stack, summed], [stack, summed]
    elif stack:
        multiply, groups_a, groups_b = stacked, [stack, rows, summed], [stack, summed, columns]
    else:
        multiply = dot
        groups_a, groups_b = [*([rows] * bool(rows)), summed], [summed, *([columns] * bool(columns))]
    labels = stack + rows + columns
    sizes = a | {s: n for s, n in b.items() if n != 1 or s not in a}
    grouped = not all(len(group) == 1 for group in (stack, rows, columns) if group or multiply is stacked)
    return _PairPlan(
        _layout(la, a, ones_a, lone_a, tuple(groups_a)),
        _layout(lb, b, ones_b, lone_b, tuple(groups_b)),
        multiply,
        tuple([sizes[s] for s in labels]) if grouped else None,
        None if labels == out else tuple([labels.index(s) for s in out]),
    )


def _layout(
    labels: Labels, sizes: dict[int, int], ones: list[int], lone: set[int], groups: tuple[Labels, ...]
) -> _Layout:
    """Say how an operand comes into groups of axes, each as one axis; an empty group is an axis of size one."""
    held = tuple([s for s in labels if s not in ones])
    rest = tuple([s for s in held if s not in lone])
    wanted = tuple([s for group in groups for s in group])
    return _Layout(
        tuple([labels.index(s) for s in ones]) or None,
        tuple([held.index(s) for s in held if s in lone]) or None,
        None if rest == wanted else tuple([rest.index(s) for s in wanted]),
        None if all(len(g) == 1 for g in groups) else tuple([prod([sizes[s] for s in g]) for g in groups]),
    )


def _sum_out(x: Any, labels: Labels, kept: set[int]) -> tuple[Any, Labels]:
    """Sum over the axes that are not kept."""
    lone = tuple([axis for axis, s in enumerate(labels) if s not in kept])
    return _Layout(None, lone or None, None, None).of(x), tuple([s for s in labels if s in kept])


def _arrange(x: Any, labels: Labels, out: Labels) -> Any:
    return x if labels == out else x.transpose([labels.index(s) for s in out])


def _row_dots(a: Any, b: Any) -> Any:
    if a.dtype.char == "e":
        return np.einsum("ij,ij->i", a, b, dtype=np.float32).astype(np.float16)
    return np.einsum("ij,ij->i", a, b)


@lru_cache(maxsize=512)
def order_of_pairs(subs: tuple[Labels, ...], out: Labels, shapes: tuple[Shape, ...]) -> list[tuple[int, int, Labels]]:
    """Say which pairs to contract one after the other, and which labels each result keeps."""
    shaped = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
    number = {s: k for k, s in enumerate(dict.fromkeys([s for labels in subs for s in labels]))}  # NumPy has 52
    arguments: list[Any] = []
    for x, labels in zip(shaped, subs, strict=True):
        arguments += (x, [number[s] for s in labels])
    greedy = len(subs) > 6  # the best order of n operands takes a time that grows like n!
    path = np.einsum_path(*arguments, [number[s] for s in out], optimize="greedy" if greedy else "optimal")[0][1:]
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
    kept, others, pulled = _pull_plan(i, subs, out)
    part = xp.einsum(g, *[xp.conj(xs[j]) for j in others], subs=pulled, out=kept)
    shape = xs[i].shape
    return part if part.shape == shape else _refill(xp, part, kept, subs[i], shape)


@lru_cache(maxsize=1024)
def _pull_plan(i: int, subs: tuple[Labels, ...], out: Labels) -> tuple[Labels, Labels, tuple[Labels, ...]]:
    """Say which labels the cotangent of input ``i`` gets from a contraction, and of what."""
    others = tuple([j for j in range(len(subs)) if j != i])
    known = set(out).union(*[subs[j] for j in others])
    return tuple([s for s in subs[i] if s in known]), others, (out, *[subs[j] for j in others])


def _refill(xp: Any, part: Any, kept: Labels, labels: Labels, shape: Shape) -> Any:
    """Expand over axes that were summed alone, and over those where all other operands had size one."""
    sizes = dict(zip(kept, part.shape, strict=True))
    ones = tuple([sizes.get(s, 1) for s in labels])
    full = tuple([max(have, want) if have else 0 for have, want in zip(ones, shape, strict=True)])
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


def _einsum_batch(xp: Any, *xs: Any, subs: tuple[Labels, ...], out: Labels) -> Any:
    return contract_labels(xs, subs, out)


EINSUM = defop(
    "einsum",
    _einsum,
    Kind.PRODUCT,
    batch=_einsum_batch,
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
    batch=_einsum_batch,
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
    batch=lambda xp, a, b: contract("...i,...i->...", xp.conj(a), b),
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
