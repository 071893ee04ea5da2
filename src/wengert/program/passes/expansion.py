"""Operations written out as elementwise ones and reductions, of which a kernel can be made.

Only for machine code: NumPy runs the operation's own implementation, which takes fewer passes over memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any, Final

from wengert.ops.record import TABLE
from wengert.program.infer import result_types
from wengert.program.program import Equation, Program
from wengert.program.values import Value

Labels = tuple[int, ...]

_SHORT: Final = 16  # axes of the vectors and matrices whose products are written out
_FEW: Final = 64  # products for each member


class Emitter:
    """The namespace of a program under construction: ``emitter.exp(x)`` is the result of a new equation."""

    def __init__(self, where: Any) -> None:
        self.equations: list[Equation] = []
        self._where = where

    def __getattr__(self, name: str) -> Callable[..., Any]:
        op = TABLE[name]

        def emit(*inputs: Any, **meta: Any) -> Any:
            results = tuple([Value(*each) for each in result_types(op, inputs, meta)])
            self.equations.append(Equation(op, inputs, meta, results, self._where))
            return results[0]

        return emit


def _without_overflow(xp: Any, x: Value, dim: Any) -> tuple[Value, Value]:
    """The largest element of each row, 0 where that is infinite, and what is left of the elements."""
    top = xp.amax(x, dim=dim, keepdim=True)
    top = xp.where(xp.isinf(top), 0.0, top)
    return top, xp.sub(x, top)


def _logsumexp(xp: Any, x: Value, *, dim: Any, keepdim: bool) -> Value:
    top, rest = _without_overflow(xp, x, dim)
    total = xp.log(xp.sum(xp.exp(rest), dim=dim, keepdim=keepdim))
    return xp.add(total, top if keepdim else xp.reshape(top, shape=total.shape))  # type: ignore[no-any-return]


def _softmax(xp: Any, x: Value, *, dim: int) -> Value:
    e = xp.exp(xp.sub(x, xp.amax(x, dim=(dim,), keepdim=True)))
    return xp.mul(e, xp.reciprocal(xp.sum(e, dim=(dim,), keepdim=True)))  # type: ignore[no-any-return]


def _log_softmax(xp: Any, x: Value, *, dim: int) -> Value:
    z = xp.sub(x, xp.amax(x, dim=(dim,), keepdim=True))
    return xp.sub(z, xp.log(xp.sum(xp.exp(z), dim=(dim,), keepdim=True)))  # type: ignore[no-any-return]


def _cross(xp: Any, a: Value, b: Value, *, dim: int) -> Value:
    ax, ay, az = [xp.select(a, dim=dim, index=k) for k in range(3)]
    bx, by, bz = [xp.select(b, dim=dim, index=k) for k in range(3)]

    def minus(p: Any, q: Any, r: Any, s: Any) -> Value:
        return xp.sub(xp.mul(p, q), xp.mul(r, s))  # type: ignore[no-any-return]

    return xp.stack(minus(ay, bz, az, by), minus(az, bx, ax, bz), minus(ax, by, ay, bx), dim=dim)  # type: ignore[no-any-return]


def _einsum(xp: Any, a: Any, b: Any = None, *, subs: Sequence[Labels], out: Labels) -> Value | None:
    """Products of small vectors and matrices, one for each member of a batch: sums of products, written out."""
    if b is None or len(subs) != 2 or any([len(set(labels)) != len(labels) for labels in subs]):
        return None
    lengths = dict([pair for x, labels in zip((a, b), subs, strict=True) for pair in zip(labels, x.shape, strict=True)])
    summed = tuple([label for label in lengths if label not in out])
    inner = [lengths[label] for label in (*out[1:], *summed)]
    are_members = bool(out) and lengths[out[0]] > _SHORT and any([out[0] in labels for labels in subs])
    if not are_members or max(inner, default=1) > _SHORT or prod(inner) > _FEW:
        return None
    order = (*out, *summed)
    parts = []
    for x, labels in zip((a, b), subs, strict=True):
        if any([n == 1 != lengths[label] for label, n in zip(labels, x.shape, strict=True)]):
            return None
        present = [label for label in order if label in labels]
        x = xp.permute(x, dims=tuple([labels.index(label) for label in present]))  # noqa: PLW2901
        parts.append(xp.reshape(x, shape=tuple([lengths[label] if label in labels else 1 for label in order])))
    y = xp.mul(*parts)
    return xp.sum(y, dim=tuple(range(len(out), len(order))), keepdim=False) if summed else y  # type: ignore[no-any-return]


def _matmul(xp: Any, a: Any, b: Any) -> Value | None:
    """As :func:`_einsum`, for matrices and vectors with batch axes that are the same in both."""
    if not isinstance(b, Value) or min(a.ndim, b.ndim) < 1 or max(a.ndim, b.ndim) < 3:
        return None
    lead = tuple(range(3, 1 + max(a.ndim, b.ndim)))
    if (a.ndim > 2 and b.ndim > 2 and a.shape[:-2] != b.shape[:-2]) or not lead:
        return None
    left = (*lead, 0, 1)[-a.ndim :] if a.ndim > 1 else (1,)
    right = (*lead, 1, 2)[-b.ndim :] if b.ndim > 1 else (1,)
    out = (*lead, *([0] if a.ndim > 1 else []), *([2] if b.ndim > 1 else []))
    return _einsum(xp, a, b, subs=(left, right), out=out)


def _vector_norm(xp: Any, x: Value, *, ord: float, dim: Any, keepdim: bool) -> Any:
    if ord != 2.0:
        return None
    return xp.sqrt(xp.sum(xp.mul(x, x), dim=dim, keepdim=keepdim))


def _reduced(xp: Any, v: Value, reduction: str) -> Value:
    if reduction == "none":
        return v
    return getattr(xp, reduction)(v, dim=None, keepdim=False)  # type: ignore[no-any-return]


def _mse_loss(xp: Any, a: Value, b: Value, *, reduction: str) -> Value:
    rest = xp.sub(a, b)
    return _reduced(xp, xp.mul(rest, rest), reduction)


def _cross_entropy_of_logits(
    xp: Any, x: Value, t: Value, *weights: Value, reduction: str, weighted: bool, pos_weighted: bool
) -> Any:
    if weights:
        return None
    del weighted, pos_weighted
    v = xp.sub(xp.log1p(xp.exp(xp.neg(xp.abs(x)))), xp.minimum(x, 0.0))
    return _reduced(xp, xp.add(v, xp.mul(xp.sub(1.0, t), x)), reduction)


def _normalized(xp: Any, x: Value, *affine: Value, dims: tuple[int, ...], eps: float) -> tuple[Value, ...]:
    mean = xp.mean(x, dim=dims, keepdim=True)
    rest = xp.sub(x, mean)
    variance = xp.mean(xp.mul(rest, rest), dim=dims, keepdim=True)
    scale = xp.reciprocal(xp.sqrt(xp.add(variance, eps)))
    y = xp.mul(rest, scale)
    if affine:
        y = xp.mul(y, affine[0])
    return xp.add(y, affine[1]) if len(affine) > 1 else y, mean, scale


_NORMALIZATIONS: Final = [
    f"{of}_norm{suffix}" for of in ("layer", "group", "batch") for suffix in ("", "_weight", "_affine")
]
EXPANSIONS: Final[dict[str, Callable[..., Any]]] = {
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cross": _cross,
    "einsum": _einsum,
    "matmul": _matmul,
    "linalg_vector_norm": _vector_norm,
    "mse_loss": _mse_loss,
    "binary_cross_entropy_with_logits": _cross_entropy_of_logits,
    **dict.fromkeys(_NORMALIZATIONS, _normalized),
}


def expanded(program: Program) -> Program:
    """With these operations, of float32 and float64, written out where that makes kernels of them."""
    if not any([equation.op.name in EXPANSIONS for equation in program.equations]):
        return program
    equations: list[Equation] = []
    for equation in program.equations:
        rule = EXPANSIONS.get(equation.op.name)
        x = equation.inputs[0] if equation.inputs else None
        if rule is None or not isinstance(x, Value) or x.dtype.char not in "fd" or not (x.size and x.ndim):
            equations.append(equation)
            continue
        xp = Emitter(equation.where)
        made = rule(xp, *equation.inputs, **equation.meta)
        if made is None:
            equations.append(equation)
            continue
        made = made if isinstance(made, tuple) else (made,)
        equations += _giving(xp.equations, dict(zip(made, equation.results, strict=True)))
    return program.replaced(equations=equations)


def _giving(equations: Sequence[Equation], results: Mapping[Value, Value]) -> Iterator[Equation]:
    """The equations, with the values that take the place of some of those that they make."""
    for each in equations:
        inputs = [results.get(x, x) if isinstance(x, Value) else x for x in each.inputs]
        yield Equation(each.op, tuple(inputs), each.meta, tuple([results.get(x, x) for x in each.results]), each.where)


__all__ = ["EXPANSIONS", "expanded"]
