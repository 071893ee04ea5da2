"""The texts of errors about in-place writes: to leaves, to views, into tensors that cannot hold the result."""

from __future__ import annotations

import re
from typing import Any

from wengert.engine.base import TensorBase
from wengert.engine.messages import called, name_of, node_at
from wengert.engine.node import Node, Port
from wengert.ops.record import Op

_ONE_SIDE = (
    "Do both, the view and the write, inside {block} (then the write is not tracked) or both outside (then it is)."
)
_WHY = {
    "no_grad": "What the write does to the gradient would depend on which of the two counts. "
    + _ONE_SIDE.format(block="no_grad()"),
    "inference": "What the write does to the gradient would depend on which of the two counts. "
    + _ONE_SIDE.format(block="inference_mode()"),
    "several": "This view is the output of a function that returns multiple views, and the others could not follow a "
    "write to one of them. Use an out-of-place operation, or take single views (x[i], x[a:b]), which may be written.",
    "function": "This view was created inside a custom Function, whose backward knows nothing of the write. Write to a "
    "clone() of the result.",
}


def inplace_shape(op: Op, self: TensorBase, y: Any) -> str:
    """The result of an in-place operation is larger than the tensor it is written to."""
    own, got = list(self._data.shape), list(y.shape)
    return (
        f"output with shape {own} doesn't match the broadcast shape {got}: {op.name}_ writes into {called(self)}, "
        f"which cannot grow. Use the out-of-place {op.name}."
    )


def leaf_in_place(t: TensorBase) -> str:
    """An in-place write to a leaf that requires grad."""
    name = name_of(t) or "w"
    return (
        f"a leaf Variable that requires grad is being used in an in-place operation: {called(t)}. If this is a "
        f"parameter update, put it under no_grad(): `with torch.no_grad(): {name} -= ...`. If it is part of the "
        f"computation, work on a copy: `{name}.clone()`."
    )


def dirty_leaf(t: TensorBase, function: str) -> str:
    """A user's Function wrote into a leaf that requires grad and marked it dirty."""
    return (
        f"a leaf Variable that requires grad has been used in an in-place operation: {function} wrote into {called(t)} "
        "and marked it dirty. Apply it to a clone(), or under no_grad() if it is an update."
    )


def leaf_view_in_place(t: TensorBase) -> str:
    """An in-place write to a view of a leaf that requires grad."""
    base = t._view.base
    name = name_of(base) or "w"
    return (
        f"a view of a leaf Variable that requires grad is being used in an in-place operation: {called(t)} is a view "
        f"of {called(base)}. If this is a parameter update, put it under no_grad(); if it is part of the computation, "
        f"take the view of a copy: `{name}.clone()`."
    )


def written_view(t: TensorBase) -> str:
    """An in-place write to a view that cannot be followed."""
    return _about_view(t, "is being")


def stale_view(t: TensorBase) -> str:
    """A view is used after a write to its memory that it cannot follow."""
    return _about_view(t, "its base or another view of its base has been")


def _about_view(t: TensorBase, what: str) -> str:
    view, node = t._view, t._node
    origin = view.origin
    if origin in ("no_grad", "inference"):
        before = "A view was" if node is None else f"{_output_of(view, node)} is a view of a view which was"
        mode, now = ("inference", "in normal mode") if origin == "inference" else ("no_grad", "with grad mode enabled")
        said = f"{before} created in {mode} mode and {what} modified inplace {now}."
    else:
        said = f"{_output_of(view, node)} is a view and {what} modified inplace."
    where = f" (the view is {called(t)}{'' if node is None else ', made by ' + node_at(node)}.)"
    return f"{said} {_WHY[origin]}{where}"


def _output_of(view: Any, node: Node | None) -> str:
    """``Output 0 of Unbind``, as PyTorch counts and calls it."""
    if node is None:
        operation, _, index = view.steps[-1]
        return f"Output {index} of {operation.capitalize()}"
    made_by: Any = node.next[0] if isinstance(node, Port) else node
    return f"Output {getattr(node, 'index', 0)} of {re.sub(r'Backward[0-9]*$', '', type(made_by.settled()).__name__)}"
