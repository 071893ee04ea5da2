"""Sums of products written out for kernels: as products of matrices, or elementwise with a sum where those are thin.

Each operation is stated by the labels of its operands' axes, as ``einsum`` has them. Movement is index arithmetic in a
kernel, so that bringing axes into order costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Final

from wengert.ops.contraction import order_of_pairs
from wengert.program.values import Value

Labels = tuple[int, ...]
_I, _J, _K, _N = range(4)
_FIRST: Final = 4  # labels of the axes before the last ones
_SMALL: Final = 64  # elements of a matrix that stays in registers


def _contracted(xp: Any, a: Value, b: Value, of_a: Labels, of_b: Labels, of_y: Labels) -> Value | None:
    """The sum over all axes that the result does not have; None for what is not done here."""
    sizes = dict(zip((*of_a, *of_b), (*a.shape, *b.shape), strict=True))
    given = (*zip(of_a, a.shape, strict=True), *zip(of_b, b.shape, strict=True))
    if any([sizes[label] != n for label, n in given]) or not all(sizes.values()):
        return None
    if any([len(set(labels)) != len(labels) for labels in (of_a, of_b, of_y)]) or not set(of_y) <= set(sizes):
        return None
    a, of_a = _without(xp, a, of_a, {*of_b, *of_y})
    b, of_b = _without(xp, b, of_b, {*of_a, *of_y})
    both = [label for label in of_a if label in of_b]
    batch, inner = [x for x in both if x in of_y], [x for x in both if x not in of_y]
    left, right = [x for x in of_y if x in of_a and x not in batch], [x for x in of_y if x in of_b and x not in batch]
    m, n, k = (prod([sizes[x] for x in labels]) for labels in (left, right, inner))
    if not inner or m == 1 or n == 1 or min(m, n) * k <= _SMALL:
        return _elementwise(xp, a, b, of_a, of_b, of_y, tuple(inner))
    size = prod([sizes[x] for x in batch])
    stack = [size] if batch else []
    rows = _ordered(xp, a, of_a, (*batch, *left, *inner), (*stack, m, k))
    columns = _ordered(xp, b, of_b, (*batch, *inner, *right), (*stack, k, n))
    y = xp.bmm(rows, columns) if batch else xp.mm(rows, columns)
    labels = (*batch, *left, *right)
    y = _shaped(xp, y, tuple([sizes[x] for x in labels]))
    return _turned(xp, y, labels, of_y)


def _without(xp: Any, x: Value, labels: Labels, wanted: set[int]) -> tuple[Value, Labels]:
    """Summed over axes that nothing else has."""
    alone = tuple([axis for axis, label in enumerate(labels) if label not in wanted])
    if not alone:
        return x, labels
    return xp.sum(x, dim=alone, keepdim=False), tuple([label for label in labels if label in wanted])


def _elementwise(xp: Any, a: Value, b: Value, of_a: Labels, of_b: Labels, of_y: Labels, inner: Labels) -> Value:
    """Products with their sums; in the order in which the axes of an operand that has them all lie in memory."""
    labels = (*of_y, *inner)
    if inner:
        (a, of_a), (b, of_b) = xp.as_it_lies(a, of_a), xp.as_it_lies(b, of_b)
        whole = of_a if a.size >= b.size else of_b
        labels = whole if len(whole) == len(labels) else labels
    y: Value = xp.mul(_spread(xp, a, of_a, labels), _spread(xp, b, of_b, labels))
    if not inner:
        return y
    y = xp.sum(y, dim=tuple([axis for axis, label in enumerate(labels) if label in inner]), keepdim=False)
    return _turned(xp, y, tuple([label for label in labels if label not in inner]), of_y)


def _spread(xp: Any, x: Value, labels: Labels, wanted: Labels) -> Value:
    """The axes in the wanted order, with axes of length 1 for those that are missing."""
    x = _turned(xp, x, labels, tuple([label for label in wanted if label in labels]))
    for axis, label in enumerate(wanted):
        if label not in labels:
            x = xp.unsqueeze(x, dim=axis)
    return x


def _turned(xp: Any, x: Value, labels: Labels, wanted: Labels) -> Value:
    return x if labels == wanted else xp.permute(x, dims=tuple(map(labels.index, wanted)))


def _ordered(xp: Any, x: Value, labels: Labels, wanted: Labels, shape: tuple[int, ...]) -> Value:
    return _shaped(xp, _turned(xp, x, labels, wanted), shape)


def _shaped(xp: Any, x: Value, shape: tuple[int, ...]) -> Value:
    return x if x.shape == shape else xp.reshape(x, shape=shape)


# --- the operations --------------------------------------------------------------------------------------------------


def _fixed(of_a: Labels, of_b: Labels, of_y: Labels) -> Callable[..., Value | None]:
    return lambda xp, a, b: _contracted(xp, a, b, of_a, of_b, of_y)


def _matmul(xp: Any, a: Value, b: Value) -> Value | None:
    fronts = [tuple(range(_FIRST + x.ndim - 2, _FIRST, -1)) for x in (a, b)]
    of_a = (*fronts[0], _I, _K) if a.ndim > 1 else (_K,)
    of_b = (*fronts[1], _K, _J) if b.ndim > 1 else (_K,)
    longest = max(fronts, key=len)
    return _contracted(xp, a, b, of_a, of_b, (*longest, *of_a[-2:-1], *((_J,) if b.ndim > 1 else ())))


def _linear(xp: Any, x: Value, w: Value, *, rank: int) -> Value | None:
    del rank
    front = tuple(range(_FIRST, _FIRST + x.ndim - 1))
    return _contracted(xp, x, w, (*front, _K), (_J, _K), (*front, _J))


def _linear_bias(xp: Any, x: Value, w: Value, b: Value, *, rank: int) -> Value | None:
    y = _linear(xp, x, w, rank=rank)
    return y if y is None else xp.add(y, b)


def _vecdot(xp: Any, a: Value, b: Value) -> Value | None:
    if a.ndim != b.ndim:
        return None
    front = tuple(range(_FIRST, _FIRST + a.ndim - 1))
    return _contracted(xp, a, b, (*front, _K), (*front, _K), front)


def _einsum(xp: Any, *xs: Value, subs: Sequence[Labels], out: Labels) -> Value | None:
    if len(xs) == 1:
        return None
    operands = list(zip(xs, subs, strict=True))
    for i, j, kept in order_of_pairs(tuple(subs), out, tuple([x.shape for x in xs])):
        (b, of_b), (a, of_a) = operands.pop(j), operands.pop(i)
        y = _contracted(xp, a, b, of_a, of_b, kept)
        if y is None:
            return None
        operands.append((y, kept))
    return operands[0][0]


def _affine(rule: Callable[..., Value | None]) -> Callable[..., Value | None]:
    """``beta * x + alpha * product(a, b)``."""

    def affine(xp: Any, x: Value, a: Value, b: Value, *, beta: Any, alpha: Any) -> Value | None:
        y = rule(xp, a, b)
        if y is None:
            return None
        y = y if alpha == 1 else xp.mul(y, alpha)
        if beta == 0:  # even NaN is ignored then
            return y
        return xp.add(y, x if beta == 1 else xp.mul(x, beta))  # type: ignore[no-any-return]

    return affine


_MM: Final = _fixed((_I, _K), (_K, _J), (_I, _J))
_MV: Final = _fixed((_I, _K), (_K,), (_I,))
_OUTER: Final = _fixed((_I,), (_J,), (_I, _J))
_BMM: Final = _fixed((_N, _I, _K), (_N, _K, _J), (_N, _I, _J))

CONTRACTIONS: Final[dict[str, Callable[..., Value | None]]] = {
    "mm": _MM,
    "mv": _MV,
    "vm": _fixed((_K,), (_K, _J), (_J,)),
    "dot": _fixed((_K,), (_K,), ()),
    "vdot": _fixed((_K,), (_K,), ()),
    "outer": _OUTER,
    "bmm": _BMM,
    "matmul": _matmul,
    "linear": _linear,
    "linear_bias": _linear_bias,
    "einsum": _einsum,
    "tensordot": _einsum,
    "vecdot": _vecdot,
    "addmm": _affine(_MM),
    "addmv": _affine(_MV),
    "addr": _affine(_OUTER),
    "baddbmm": _affine(_BMM),
    "addbmm": _affine(_fixed((_N, _I, _K), (_N, _K, _J), (_I, _J))),
}

__all__ = ["CONTRACTIONS"]
