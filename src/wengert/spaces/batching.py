"""The world of batched values: how each operation of the table applies to a whole batch at once.

The rule follows from what the record says: from its ``kind`` (elementwise operations broadcast; movements, reductions
and scans are told other axes), or from its ``batch`` facet. Where neither helps, the operation is applied to one member
after the other, and a warning says so once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import product
from typing import Any, Final

import numpy as np

from wengert._batched import Axes, Batched, aligned, elementwise, merged, packed, spread
from wengert._source import users_stacklevel
from wengert.ops.record import TABLE, Kind, Op
from wengert.spaces.raw import computed

Rule = Callable[..., Any]
Labels = tuple[int, ...]

# What metadata means, by its name: numbers of axes, which move up, and shapes, which the batch comes before.
_AXES: Final = frozenset({"dim", "dims", "dim0", "dim1", "dim2"})
_SHAPES: Final = frozenset({"shape"})
_NEW_AXIS: Final = frozenset({"unsqueeze", "stack"})  # their axis is one of the result
_LETTERS: Final = 52


class BatchedSpace:
    """The operations of the table as functions of raw values that may be batched."""

    def __getattr__(self, name: str) -> Any:
        parts = TABLE.in_parts(name, self)
        if parts is not None:
            setattr(self, name, parts)
            return parts
        try:
            op = TABLE[name]
        except KeyError:
            raise AttributeError(f"no operation {name!r} is in the table; a rule may only use operations") from None

        def function(*xs: Any, **meta: Any) -> Any:
            return evaluate(op, xs, meta)

        setattr(self, name, function)
        return function

    def __repr__(self) -> str:
        return "<batched values>"


BATCHED: Final = BatchedSpace()
BATCHED.tied = lambda value, _: value  # type: ignore[attr-defined]

_rules: dict[Op, tuple[Rule, Rule]] = {}


def evaluate(op: Op, xs: Any, meta: dict[str, Any]) -> Any:
    """``op`` of raw values, for the whole batch where any of them is batched."""
    for x in xs:
        if x.__class__ is Batched:
            rules = _rules.get(op)
            if rules is None:
                rules = _rules[op] = (_rule_of(op), _one_by_one(op))
            y = rules[0](BATCHED, *xs, **meta)
            return y if y is not NotImplemented else rules[1](BATCHED, *xs, **meta)
    return computed(op, xs, meta)


def _rule_of(op: Op) -> Rule:
    batch = op.batch
    if callable(batch):
        return batch
    if batch == "...":
        return _leading(op)
    if isinstance(batch, str):
        return _contraction(batch)
    kind = batch or op.kind
    if kind is Kind.ELEMENTWISE or kind is Kind.CREATION:

        def whole(*arrays: Any, **meta: Any) -> Any:
            return computed(op, arrays, meta)

        return lambda xp, *xs, **meta: elementwise(whole, xs, meta)
    if kind in (Kind.REDUCTION, Kind.SCAN, Kind.MOVEMENT):
        return _along_axes(op)
    return lambda xp, *xs, **meta: NotImplemented


def _leading(op: Op) -> Rule:
    """The operation itself, which takes any further leading axes as they come."""

    def rule(xp: Any, *xs: Any, **meta: Any) -> Any:
        axes = merged([x.axes for x in xs if x.__class__ is Batched])
        ndim = max([x.ndim for x in xs])
        arrays = [aligned(Batched(spread(x, axes), axes), axes, ndim) for x in xs]
        return packed(computed(op, arrays, meta), axes)

    return rule


# --- axes and shapes in the metadata ---------------------------------------------------------------------------------


def _along_axes(op: Op) -> Rule:
    """The operation on the whole array, told that its axes stand further back."""

    def rule(xp: Any, *xs: Any, **meta: Any) -> Any:
        if len(xs) == 1:
            axes, arrays = xs[0].axes, [xs[0].array]
        else:
            axes = merged([x.axes for x in xs if x.__class__ is Batched])
            arrays = [spread(x, axes) if hasattr(x, "dtype") else x for x in xs]
        if (
            xs[0].ndim
            or op.name in _NEW_AXIS
            or meta.get("shape")
            or not any([meta.get(key, ()) != () for key in _AXES])
        ):
            moved = _moved(op, meta, axes, xs[0].ndim)
            return NotImplemented if moved is None else packed(computed(op, arrays, moved), axes)
        # A 0-d value is treated as if it had one axis.
        moved = _moved(op, meta | {"shape": (1,)} if "shape" in meta else meta, axes, 1)
        k = len(axes)
        lined = [x[..., None] if getattr(x, "ndim", -1) == k else x for x in arrays]
        y = NotImplemented if moved is None else computed(op, lined, moved)
        if y is NotImplemented or any([getattr(x, "ndim", 0) for x in xs]):
            return y if y is NotImplemented else packed(y, axes)
        parts = [part[..., 0] if part.shape[k:] == (1,) else part for part in (y if y.__class__ is tuple else (y,))]
        return packed(tuple(parts) if y.__class__ is tuple else parts[0], axes)

    return rule


def _moved(op: Op, meta: dict[str, Any], axes: Axes, ndim: int) -> dict[str, Any] | None:
    """The metadata for arrays with batch axes in front; None where it cannot be said so."""
    k = len(axes)
    lead = tuple([axis.size for axis in axes])
    reduces = op.kind is Kind.REDUCTION
    moved: dict[str, Any] = {}
    for key, value in meta.items():
        if key in _SHAPES:
            moved[key] = (*lead, *value)
        elif key not in _AXES:
            moved[key] = value
        elif value is not None:
            moved[key] = tuple([k + d for d in value]) if isinstance(value, tuple) else k + value
        elif reduces:
            moved[key] = tuple(range(k, k + ndim))
        else:
            return None
    return moved


# --- sums of products ------------------------------------------------------------------------------------------------


def _contraction(subscripts: str) -> Rule:
    """The rule of a product that is stated as ``"ij,jk->ik"``; ``...`` in front stands for axes that broadcast."""
    return lambda xp, *xs, **meta: contract(subscripts, *xs)


def contract(subscripts: str, *xs: Any) -> Any:
    """The sum of products of values that subscripts state; ``...`` in front stands for axes that broadcast."""
    return contract_labels(xs, *_labelled(subscripts, tuple([x.ndim for x in xs])))


@cache
def _labelled(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of the axes of each operand and of the result."""
    left, _, right = subscripts.partition("->")
    parts = left.split(",")
    subs = tuple([_labels(part, ndim) for part, ndim in zip(parts, ndims, strict=True)])
    width = max([len(labels) - len(part.lstrip(".")) for labels, part in zip(subs, parts, strict=True)])
    return subs, _labels(right, len(right.lstrip(".")) + width)


def _labels(part: str, ndim: int) -> tuple[int, ...]:
    letters = [ord(letter) - ord("a") for letter in part.lstrip(".")]
    hidden = ndim - len(letters)
    return (*range(_LETTERS - hidden, _LETTERS), *letters)


def contract_labels(xs: Any, subs: tuple[Labels, ...], out: Labels) -> Any:
    """The sum of products of values whose axes are labelled; a batch axis is one more label."""
    axes = merged([x.axes for x in xs if x.__class__ is Batched] or [()])
    places = tuple([tuple(map(axes.index, x.axes)) if x.__class__ is Batched else () for x in xs])
    arrays = [x.array if x.__class__ is Batched else x for x in xs]
    y = computed(TABLE["einsum"], arrays, _with_batch(subs, out, places, len(axes)))
    return Batched(y, axes) if axes else y


@lru_cache(maxsize=1024)
def _with_batch(subs: tuple[Labels, ...], out: Labels, places: tuple[Labels, ...], k: int) -> dict[str, Any]:
    """The labels where some of ``k`` batch axes (``places``) stand in front of each operand and all in the result."""
    used = set(out).union(*subs)
    names = [label for label in range(k + len(used)) if label not in used]
    fronts = [tuple([names[place] for place in of_one]) for of_one in places]
    labelled = [(*front, *labels) for front, labels in zip(fronts, subs, strict=True)]
    return {"subs": tuple(labelled), "out": (*names[:k], *out)}


# --- one member after the other --------------------------------------------------------------------------------------


def _one_by_one(op: Op) -> Rule:
    """The operation applied to each member by itself."""
    told = False

    def rule(xp: Any, *xs: Any, **meta: Any) -> Any:
        nonlocal told
        if not told:
            told = True
            warnings.warn(
                f"vmap: {op.name} has no batching rule, so it is applied to one member of the batch after the other, "
                "which is slower. This is said once for each operation.",
                UserWarning,
                stacklevel=users_stacklevel(),
            )
        axes = merged([x.axes for x in xs if x.__class__ is Batched])
        arrays = [spread(x, axes) if x.__class__ is Batched else x for x in xs]
        batched = [x.__class__ is Batched for x in xs]
        sizes = [axis.size for axis in axes]
        members = [
            op.impl(*[x[(*place, ...)] if many else x for x, many in zip(arrays, batched, strict=True)], **meta)
            for place in product(*[range(size) for size in sizes])
        ]
        if not members:
            raise RuntimeError(f"vmap: {op.name} has no batching rule, and the batch has no member to apply it to")
        if members[0].__class__ is tuple:
            parts = [_stacked(op, part, sizes) for part in zip(*members, strict=True)]
            return packed(tuple(parts), axes)
        return packed(_stacked(op, members, sizes), axes)

    return rule


def _stacked(op: Op, members: Any, sizes: list[int]) -> Any:
    shapes = {np.shape(member) for member in members}
    if len(shapes) != 1:
        raise RuntimeError(
            f"vmap: {op.name} gives results of different shapes for the members of the batch ({sorted(shapes)[:3]}), "
            "so they are no batch. Its result's size depends on values: use torch.where or a mask of fixed size"
        )
    return np.stack([np.asarray(member) for member in members]).reshape((*sizes, *shapes.pop()))


__all__ = ["BATCHED", "BatchedSpace", "contract", "contract_labels", "evaluate"]
