"""Largest and smallest elements, over all elements, over axes with ties sharing, and along an axis with the place."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from wengert._batched import physical
from wengert.ops.accumulate import taken_along
from wengert.ops.record import TABLE, Kind, Op, defop
from wengert.ops.reduce import keep, largest, pushed_along, smallest
from wengert.ops.sums import Dims
from wengert.spaces.raw import computed

# --- rules -----------------------------------------------------------------------------------------------------------


def shared_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, keepdim: bool) -> Any:
    """Share the cotangent evenly among the elements equal to the result."""
    mask = xp.cast(xp.eq(x, keep(xp, y, x.shape, dim, keepdim)), dtype=np.dtype(g.dtype))
    return keep(xp, g, x.shape, dim, keepdim) * mask / xp.sum(mask, dim=dim, keepdim=True)


def shared_vjp_all(xp: Any, g: Any, y: Any, x: Any) -> Any:
    """Share the cotangent evenly among the elements equal to the result; NaN equals NaN here."""
    hit = xp.where(xp.isnan(y), xp.isnan(x), xp.eq(x, y))
    hits = xp.sum(xp.cast(hit, dtype=np.dtype(g.dtype)), dim=None, keepdim=False)
    return xp.where(hit, g / hits, 0.0)


def shared_jvp_all(xp: Any, ts: Any, y: Any, x: Any) -> Any:
    """Average the tangents of the elements equal to the result."""
    return xp.sum(shared_vjp_all(xp, xp.ones_like(y), y, x) * ts[0], dim=None, keepdim=False)


def chosen_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int, keepdim: bool, **meta: Any) -> Any:
    """Put the cotangent where the result was taken from; ``y`` is (values, indices)."""
    if not x.ndim:
        return g[0]
    values, indices = g[0], y[1]
    if not keepdim:
        values, indices = xp.unsqueeze(values, dim=dim), xp.unsqueeze(indices, dim=dim)
    return xp.gather_backward(values, indices, shape=x.shape, dim=dim)


def chosen_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: int, keepdim: bool, **meta: Any) -> Any:
    """Take the tangents from where the result was taken from."""
    if not x.ndim:
        return ts[0], None
    if keepdim:
        return xp.gather(ts[0], y[1], dim=dim), None
    return xp.squeeze(xp.gather(ts[0], xp.unsqueeze(y[1], dim=dim), dim=dim), dims=(dim,)), None


# --- implementations -------------------------------------------------------------------------------------------------


def take_chosen(x: Any, indices: Any, dim: int, keepdim: bool) -> tuple[Any, Any]:
    """Take the elements at ``indices``, whose axis ``dim`` is kept with size one, and drop that axis if asked to."""
    values = taken_along(x, indices, dim)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def _extreme_at(find: Callable[..., Any], x: Any, dim: int, keepdim: bool) -> tuple[Any, Any]:
    if not x.ndim:
        return x.copy(), np.int64(0)
    return take_chosen(x, find(x, dim, None, keepdims=True), dim, keepdim)


def _argument(find: Callable[..., Any]) -> Callable[..., Any]:
    def impl(x: Any, *, dim: int | None, keepdim: bool) -> Any:
        if not x.ndim:
            return np.int64(0)
        return find(x, dim, keepdims=keepdim)

    return impl


def _aminmax(x: Any, *, dim: Dims, keepdim: bool) -> tuple[Any, Any]:
    return smallest(x, dim, None, None, keepdim), largest(x, dim, None, None, keepdim)


def _aminmax_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, keepdim: bool) -> Any:
    low = shared_vjp(xp, g[0], y[0], x, dim=dim, keepdim=keepdim)
    return low + shared_vjp(xp, g[1], y[1], x, dim=dim, keepdim=keepdim)


# --- records ---------------------------------------------------------------------------------------------------------

_shared_jvp = pushed_along(shared_vjp)


def _aminmax_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: Dims, keepdim: bool) -> Any:
    return tuple([_shared_jvp(xp, ts, part, x, dim=dim, keepdim=keepdim) for part in y])


def _over_axes(name: str, reduce: Any, word: str) -> Op:
    return defop(
        name,
        lambda x, *, dim, keepdim: reduce(x, dim, None, None, keepdim),
        Kind.REDUCTION,
        vjp=(shared_vjp,),
        jvp=_shared_jvp,
        formula=f"{word} x_i",
        doc=f"The {word} element over the given axes; elements that tie share the gradient evenly.",
    )


def _over_all(name: str, reduce: Any, node: str, word: str, over_axes: str) -> Op:
    return defop(
        name,
        lambda x: reduce(x, None),
        Kind.REDUCTION,
        batch=lambda xp, x: getattr(xp, over_axes)(x, dim=None, keepdim=False),
        vjp=(shared_vjp_all,),
        jvp=shared_jvp_all,
        node=node,
        formula=f"{word} x_i",
        doc=f"The {word} of all elements; elements that tie share the gradient evenly.",
    )


def _along(name: str, find: Callable[..., Any], node: str, word: str) -> Op:
    return defop(
        name,
        lambda x, *, dim, keepdim: _extreme_at(find, x, dim, keepdim),
        Kind.REDUCTION,
        vjp=(chosen_vjp,),
        jvp=chosen_jvp,
        node=node,
        outputs=2,
        formula=f"{word} x_i",
        doc=f"The {word} element along one axis and its index, the first of those that tie.",
    )


def _where(name: str, find: Callable[..., Any], word: str) -> Op:
    doc = f"Index of the {word} element, in the flat input or along one axis; the first of those that tie."

    def batch(k: int, x: Any, *, dim: int | None, keepdim: bool) -> Any:
        if dim is not None and x.ndim > k:
            return computed(TABLE[name], (x,), {"dim": k + dim, "keepdim": keepdim})
        flat = computed(TABLE[name], (x.reshape((*x.shape[:k], prod(x.shape[k:]))),), {"dim": k, "keepdim": False})
        return flat.reshape((*flat.shape, *(1,) * (x.ndim - k))) if keepdim else flat

    return defop(name, _argument(find), Kind.REDUCTION, vjp=(None,), doc=doc, batch=physical(batch))


AMAX = _over_axes("amax", largest, "largest")
AMIN = _over_axes("amin", smallest, "smallest")
MAX_ALL = _over_all("max_all", largest, "MaxBackward1", "largest", "amax")
MIN_ALL = _over_all("min_all", smallest, "MinBackward1", "smallest", "amin")
MAX_DIM = _along("max_dim", np.argmax, "MaxBackward0", "largest")
MIN_DIM = _along("min_dim", np.argmin, "MinBackward0", "smallest")
ARGMAX = _where("argmax", np.argmax, "largest")
ARGMIN = _where("argmin", np.argmin, "smallest")
AMINMAX = defop(
    "aminmax",
    _aminmax,
    Kind.REDUCTION,
    vjp=(_aminmax_vjp,),
    jvp=_aminmax_jvp,
    outputs=2,
    differentiable_outputs=(0, 1),
    formula="(min_i x_i, max_i x_i)",
    doc="The smallest and the largest element; elements that tie share the gradient evenly.",
)
