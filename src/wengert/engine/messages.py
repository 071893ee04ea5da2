"""The texts of the engine's errors: what was got, what was expected, why, where, and what to do.

Everything here runs only when something has gone wrong, so it may look around: at the user's frames for names, at the
source for lines.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._dtypes import from_numpy_dtype
from wengert._names import names_in_frames, operand_texts, result_name
from wengert._source import Location, describe, locate, quoted, user_frame
from wengert.engine.base import TensorBase
from wengert.engine.node import AccumulateGrad, Node, Port
from wengert.ops.record import Op

_LONGEST = 60
INFERENCE_SAVED = (
    "Inference tensors cannot be saved for backward. This operation needs a tensor that was made under "
    "inference_mode(); make a normal tensor of it with clone() outside inference_mode(), or use no_grad() there."
)
SECOND_HOOKS = (
    "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of hooks is "
    "allowed at a time."
)
HOOKS_ON_NOTHING = (
    "Calling register_hooks on a saved tensor with value None is forbidden: the derivative does not need this value, "
    "or it is a number."
)
PACK_HOOK_WROTE = (
    "A saved tensor pack hook is modifying its input in place. The tensor that it is given is the one that the program "
    "goes on with: let the hook return a changed copy."
)


# --- names and places ------------------------------------------------------------------------------------------------


def name_of(t: Any) -> str | None:
    """The user's variable name of a tensor, if one can be found in the frames that are running."""
    names = names_in_frames(t)
    return names[0] if names else None


def called(t: Any) -> str:
    """A tensor by its name, or by its shape where it has none."""
    return quoted(name_of(t), f"a tensor of shape {list(t._data.shape)}")


def location_of(node: Node) -> Location | None:
    """Where the user called the operation that made a node."""
    return locate(node.code, node.lasti) if node.code is not None else None


def node_at(node: Node) -> str:
    """``MulBackward0 (train.py:12, `y = w * x`)``."""
    if isinstance(node, AccumulateGrad):
        return f"the leaf {called(node.variable)}" if node.variable is not None else "a leaf that is gone"
    made_by: Any = node.next[0] if isinstance(node, Port) else node
    return describe(type(made_by.settled()).__name__, location_of(node))


def written_here() -> str:
    """What the user has written where we were called: ```tensor([1, 2])```, or `this tensor` if that is too long."""
    frame = user_frame()
    location = locate(frame.f_code, frame.f_lasti)
    text = location.expression() if location is not None else None
    return f"`{text}`" if text is not None and "\n" not in text and len(text) <= _LONGEST else "this tensor"


def place(code: Any, lasti: int) -> str:
    """A code position in short, ``train.py:15``."""
    return str(locate(code, lasti) or "an unknown place")


def dtype_name(dtype: np.dtype[Any]) -> str:
    """The dtype as users see it."""
    return str(from_numpy_dtype(dtype))


def name_from_node(node: Node) -> str | None:
    """What the user calls the tensor that a node belongs to: a leaf's name, or what the result was assigned to."""
    if isinstance(node, AccumulateGrad):
        return name_of(node.variable) if node.variable is not None else None
    location = location_of(node)
    return result_name(location) if location is not None else None


# --- calling operations ----------------------------------------------------------------------------------------------


def not_a_tensor(op: Op, position: int, got: Any) -> str:
    """An operation got something that is neither tensor nor number."""
    name = op.args[position] if position < len(op.args) else "tensors"
    name = "input" if name == "self" else name
    function = op.name.removesuffix("_number").removesuffix("_from")
    kind, remedy = type(got).__name__, ""
    if isinstance(got, np.ndarray):
        kind, remedy = "numpy.ndarray", ". Make a tensor of the array: torch.from_numpy(a) shares its memory"
    return f"{function}(): argument '{name}' (position {position + 1}) must be Tensor, not {kind}{remedy}"


def broadcast_error(op: Op, raws: list[Any], error: ValueError) -> Exception:
    """Two shapes that do not broadcast, in PyTorch's words; any other error stays as it is."""
    shapes = [getattr(x, "shape", ()) for x in raws]
    for i, a in enumerate(shapes):
        for b in shapes[i + 1 :]:
            mismatch = first_mismatch(a, b)
            if mismatch is not None:
                dim, size_a, size_b = mismatch
                return RuntimeError(
                    f"The size of tensor a ({size_a}) must match the size of tensor b ({size_b}) at non-singleton "
                    f"dimension {dim}. {op.name} got the shapes {list(a)} and {list(b)}, which do not broadcast."
                )
    return error


def first_mismatch(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int, int] | None:
    """The last dimension in which two shapes do not broadcast, with both sizes."""
    ndim = max(len(a), len(b))
    for back in range(1, min(len(a), len(b)) + 1):
        if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
            return ndim - back, a[-back], b[-back]
    return None


# --- saved values ----------------------------------------------------------------------------------------------------


def freed(node: Any) -> str:
    """Backward reached a node whose saved values an earlier backward freed."""
    by = node.freed
    freed_by = f"the backward pass at {place(*by)}" if by and by[0] is not None else "an earlier backward pass"
    return (
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
        f"been freed). {node_at(node)} was freed by {freed_by}. If that operation is done once, outside the loop that "
        "calls backward(), move it into the loop; if it carries state from step to step, cut it with detach(); specify "
        "retain_graph=True on the first backward() only if you want two passes over the same graph."
    )


def hooks_on_freed(node: Any) -> str:
    """Hooks for a saved value that an earlier backward freed."""
    return (
        "Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values of the graph are "
        f"freed by backward(); {node_at(node)} was. Register before it, or specify retain_graph=True there."
    )


def changed_in_place(node: Node, position: int, cell: list[Any], saved: int) -> str:
    """Backward needs a value that was written to after it was saved."""
    what = _saved_name(node, position)
    writer = f" at {place(cell[1], cell[2])}" if len(cell) > 2 else ""
    location = location_of(node)
    before = f" before line {location.lineno}" if location is not None else " first"
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"{node_at(node)} needs {what}, which was changed in place{writer} (is at version {cell[0]}; expected "
        f"version {saved} instead). Use an out-of-place operation there, or clone it{before}."
    )


def _saved_name(node: Any, position: int) -> str:
    """The saved value number ``position`` (counting those that have a version) by the user's name."""
    slots = [
        i
        for i, value in enumerate(node.saved or ())
        for part in (value if isinstance(value, tuple) else (value,))  # several results
        if isinstance(part, (np.ndarray, np.generic))
    ]
    if node.op is None or position >= len(slots):
        return "a saved tensor"
    slot = slots[position]
    location = location_of(node)
    if slot == 0:
        name = result_name(location) if location is not None else None
        return f"its result {quoted(name, '')}".rstrip()
    edge = node.next[slot - 1]
    name = name_from_node(edge) if edge is not None else None
    if name is None and location is not None:
        operands = operand_texts(location)
        name = operands[slot - 1] if operands is not None and len(operands) >= slot else None
    return quoted(name, f"its input {node.op.args[min(slot, len(node.op.args)) - 1]!r}")


# --- during backward -------------------------------------------------------------------------------------------------


def missing_rule(node: Node) -> str:
    """An operation whose derivative nobody has written."""
    name = node.op.name if node.op is not None else type(node.settled()).__name__
    return f"the derivative for '{name}' is not implemented ({node_at(node)})."


def missing_forward(op: Any) -> str:
    """As :func:`missing_rule`, asked for in forward mode."""
    return f"the derivative for '{op.name}' is not implemented, so forward mode cannot pass through it."


def wrong_gradient_shape(node: Node, index: int, got: tuple[int, ...], want: tuple[int, ...]) -> str:
    """A derivative rule, or a user's backward, returned a gradient of a shape that cannot belong to its input."""
    name = type(node.settled()).__name__
    return (
        f"Function {name} returned an invalid gradient at index {index} - got {list(got)} but expected "
        f"shape compatible with {list(want)}: {node_at(node)}."
    )


def checked_gradients(node: Any, results: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a user's ``backward`` returned, one gradient per input, each of its input's exact shape."""
    expected = len(node.next)
    name = type(node).__name__
    extra = results[expected:]
    if len(results) < expected or any([r is not None for r in extra]):
        raise RuntimeError(
            f"function {name} returned an incorrect number of gradients (expected {expected}, got {len(results)}): "
            f"backward must return one for each argument of forward, None where there is none ({node_at(node)})."
        )
    for index, (g, following) in enumerate(zip(results, node.next, strict=False)):
        if g is None or following is None:
            continue
        if not isinstance(g, TensorBase):
            raise RuntimeError(
                f"expected Variable or None (got {type(g).__name__}): {name} returned it as gradient {index} of "
                f"{expected}, which must be a tensor, or None where there is none ({node_at(node)})."
            )
        if g._data.shape != following.shape:
            raise RuntimeError(
                f"Function {name} returned an invalid gradient at index {index} - got {list(g._data.shape)} but "
                f"expected shape compatible with {list(following.shape)}. The gradient of an argument must have "
                "exactly its shape: sum it over the dimensions that forward broadcast, e.g. with sum_to_size() "
                f"({node_at(node)})."
            )
    return tuple([g if following is not None else None for g, following in zip(results, node.next, strict=False)])


def _hook_name(hook: Any) -> str:
    return getattr(hook, "__name__", type(hook).__name__)


def check_hook_result(hook: Any, new: Any, old: Any, node: Node) -> None:
    """A tensor hook may replace a gradient by a tensor of the same shape and dtype only."""
    name, where = _hook_name(hook), node_at(node)
    if not isinstance(new, TensorBase):
        raise TypeError(
            f"expected Variable, but hook returned '{type(new).__name__}': the hook '{name}' on {where} must return a "
            "tensor, or None to leave the gradient as it is."
        )
    if new._data.shape != old._data.shape:
        raise RuntimeError(
            f"hook '{name}' has changed the size of value: on {where} it got {list(old._data.shape)} and returned "
            f"{list(new._data.shape)}."
        )
    if new._data.dtype != old._data.dtype:
        raise RuntimeError(
            f"hook '{name}' has changed the type of value (was {dtype_name(old._data.dtype)} got "
            f"{dtype_name(new._data.dtype)}) on {where}."
        )


def hook_results(hook: Any, new: Any, count: int, node: Node) -> tuple[Any, ...]:
    """What a node's hook returned instead of its gradients: as many."""
    results = new if isinstance(new, tuple) else (new,)
    if len(results) != count:
        raise RuntimeError(
            f"hook '{_hook_name(hook)}' has returned an incorrect number of values (got {len(results)}, but expected "
            f"{count}) on {node_at(node)}."
        )
    for r in results:
        if r is not None and not isinstance(r, TensorBase):
            raise TypeError(
                f"expected Variable, but hook returned '{type(r).__name__}': the hook '{_hook_name(hook)}' on "
                f"{node_at(node)} must return tensors and None."
            )
    return results


def check_nan(node: Node, grads: Any) -> None:
    """Anomaly mode: the first node whose gradients hold a NaN is named."""
    for index, g in enumerate(grads):
        raw = g._data if isinstance(g, TensorBase) else g
        if raw is not None and raw.dtype.kind in "fc" and np.isnan(raw).any():
            name = type(node.settled()).__name__
            raise RuntimeError(f"Function '{name}' returned nan values in its {index}th output. It is {node_at(node)}.")


def stray(owner: str, node: Node) -> str:
    """A second derivative reached a value that a custom function saved although it is neither input nor result."""
    return (
        f"{owner} saved a tensor for backward that is neither an input nor an output of its forward "
        f"({describe(owner, location_of(node))}). Its dependence on the inputs is unknown, so this second derivative "
        "leaves it out. Return such values as further outputs, or compute them again in backward."
    )


def once_only(name: str) -> str:
    """A second derivative through a backward that forbids it."""
    return f"trying to differentiate twice a function that was marked with @once_differentiable: {name}"
