"""The texts of errors about what a backward pass starts from and leads to: roots, inputs, ``.grad``, hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert import _cuts
from wengert._names import found_in_frames, result_name
from wengert.engine.base import TensorBase
from wengert.engine.messages import called, dtype_name, location_of, name_from_node, name_of, node_at
from wengert.engine.node import AccumulateGrad, Node
from wengert.engine.untracked import why_untracked

_MOST_NODES, _MOST_LEAVES = 1000, 3


def no_graph(position: int, t: TensorBase) -> str:
    """``backward()`` on a tensor that no graph leads to."""
    said = (
        f"element {position} of tensors does not require grad and does not have a grad_fn: {called(t)} has no gradient "
        "path. "
    )
    origin = why_untracked(t)
    why = origin.sentence if origin is not None else None
    if t._data.dtype.kind not in "fc":
        why = why or "Integers, bools and comparisons carry no gradient."
        dtype = dtype_name(t._data.dtype)
        return f"{said}Its dtype is {dtype}. {why} Compute the loss in a float dtype from tracked tensors."
    if why is None:
        why = (
            "Either no tensor it was computed from has requires_grad=True, or the path was cut: by detach(), by "
            "no_grad(), by going through item(), numpy() or tensor(...)."
        )
    name = name_of(t)
    late = f"`{name if name is not None and name.isidentifier() else 'loss'}.requires_grad = True`"
    return (
        f"{said}{why}{_tracked_here(t)} The parameters must have requires_grad=True before it is computed; {late} "
        "afterwards will not help: it silences this error and trains nothing."
    )


def _tracked_here(t: TensorBase) -> str:
    """The leaves among the user's variables that could have been meant."""
    found = found_in_frames(lambda value: issubclass(type(value), TensorBase))
    leaves = {id(leaf): name for name, leaf in found if leaf._rg and leaf._node is None and leaf is not t}
    names = [f"`{name}`" for name in list(leaves.values())[:_MOST_LEAVES]]
    more = f" and {len(leaves) - _MOST_LEAVES} more" if len(leaves) > _MOST_LEAVES else ""
    return f" Tensors here that do require grad, and do not lead to it: {', '.join(names)}{more}." if names else ""


def not_scalar(t: TensorBase) -> str:
    """``backward()`` on a tensor with more than one element and no gradient given."""
    shape, name = list(t._data.shape), name_of(t)
    subject = f"`{name}` has shape {shape}" if name is not None else f"this tensor has shape {shape}"
    y = name if name is not None and name.isidentifier() else "y"
    return (
        f"grad can be implicitly created only for scalar outputs: {subject}. Reduce it first, {y}.sum().backward() "
        f"(adds the gradients of all elements) or {y}.mean().backward() (their average), or give the vector v of the "
        f"product v^T J: {y}.backward(gradient=v) with v of shape {shape}."
    )


def not_real(t: TensorBase) -> str:
    """``backward()`` on a complex number and no gradient given."""
    return (
        f"grad can be implicitly created only for real scalar outputs but got {dtype_name(t._data.dtype)}: take the "
        "real part or the absolute value of it, or give the gradient."
    )


def wrong_root_gradient(position: int, t: TensorBase, g: TensorBase) -> str:
    """The gradient given for an output has another shape."""
    got, want = list(g._data.shape), list(t._data.shape)
    return (
        f"Mismatch in shape: grad_output[{position}] has a shape of torch.Size({got}) and output[{position}] has a "
        f"shape of torch.Size({want}): the gradient of {called(t)} has one number for each of its elements."
    )


def complex_mismatch(position: int, t: TensorBase, g: TensorBase) -> str:
    """One of output and gradient is complex, the other is not."""
    return (
        "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
        f"grad_output[{position}] has a dtype of {dtype_name(g._data.dtype)} and output[{position}] has a dtype of "
        f"{dtype_name(t._data.dtype)}."
    )


def not_required(t: TensorBase) -> str:
    """A gradient is asked for with respect to a tensor that is not tracked."""
    return (
        f"One of the differentiated Tensors does not require grad: {called(t)}. Make it with requires_grad=True, or "
        "call requires_grad_() on it before it is used."
    )


def unused(position: int, t: TensorBase, outputs: Sequence[TensorBase]) -> str:
    """An input that the outputs do not depend on."""
    names = ", ".join([called(o) for o in outputs]) or "the outputs (there are none)"
    return (
        f"The differentiated Tensor at index {position} appears to not have been used in the graph. Set "
        "allow_unused=True if this is the desired behavior (its gradient is then None; zeros with "
        f"materialize_grads=True): {called(t)} does not lead to {names}. It may have been replaced by a copy, cut off "
        "by detach(), or used under no_grad()."
    )


def grad_of_result(t: TensorBase) -> str:
    """``.grad`` of a tensor that is the result of an operation was read."""
    node: Any = t._node
    name = name_of(t)
    said = (
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
        f"populated during autograd.backward(): {called(t)} is "
    )
    if name is not None and replaces(node, name):
        return (
            f"{said}now a result, of {node_at(node)}, and not the parameter any more: that line made `{name}` another "
            f"tensor. To update a parameter, write into it: `with torch.no_grad(): {name} -= ...`."
        )
    leaves = ", ".join([f"`{leaf}`" for leaf in _leaf_names(node)])
    computed = f", computed from the leaf {leaves}" if leaves else ""
    return (
        f"{said}a result ({node_at(node)}){computed}. Gradients arrive at leaves; to keep the one of a result too, "
        f"call `{name or 'y'}.retain_grad()` before backward()."
    )


def replaces(node: Node, name: str) -> bool:
    """Whether the statement that made a node assigns to a variable that it reads: ``w = w - 0.1 * w.grad``."""
    location = location_of(node)
    if location is None or result_name(location) != name:
        return False
    made = _cuts.assignment(location.source(), name, location.lineno)
    return made is not None and name in made.names


def _leaf_names(node: Node) -> list[str]:
    found: list[str] = []
    seen: set[Node] = set()
    stack: list[Node] = [node]
    while stack and len(seen) < _MOST_NODES and len(found) < _MOST_LEAVES:
        here = stack.pop()
        if here in seen:
            continue
        seen.add(here)
        if isinstance(here, AccumulateGrad):
            leaf = name_from_node(here)
            if leaf is not None:
                found.append(leaf)
        stack.extend([n for n in here.next if n is not None])
    return sorted(set(found))


def no_hook(t: TensorBase) -> str:
    """A hook on a tensor that is not tracked."""
    return (
        f"cannot register a hook on a tensor that doesn't require gradient: {called(t)} is not tracked, so no gradient "
        "will ever be known for it."
    )
