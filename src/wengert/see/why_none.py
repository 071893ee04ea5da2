"""Why a tensor has no gradient.

Knows the ways in which `.grad` stays None, and how each shows in the graph, in what was noted, and in the source.
"""

from __future__ import annotations

import re
from types import FrameType
from typing import Any

from wengert._names import names_in_frames
from wengert._source import Location, locate, user_frame
from wengert.engine.base import TensorBase, edge_of, is_tracking
from wengert.engine.messages import dtype_name
from wengert.engine.node import AccumulateGrad, Node, Port
from wengert.engine.past import cut_of, recent_cuts
from wengert.engine.start_messages import replaces
from wengert.engine.state import STATE
from wengert.engine.untracked import Origin, assigned, cut_between, latest_cut, why_untracked
from wengert.see.findings import Finding, Report, listed
from wengert.see.graph import Graph, Value, read

# What changes the form of a tensor and not what it means: `.to()` of a parameter makes a result that looks like it.
_SAME_TENSOR = frozenset(
    {"cast", "clone", "reshape", "view", "transpose", "permute", "expand", "squeeze", "unsqueeze", "contiguous"}
)
_TRACK_FIRST = "give the parameters requires_grad=True before the computation; setting it on the result trains nothing"
_REMEDIES = {
    "detach()": "leave out detach() where the gradient should pass; keep it where only the value is wanted",
    "detach_()": "leave out detach_() where the gradient should pass",
    ".data": "use the tensor itself instead of `.data`, and no_grad() around an update of parameters",
    "item()": "compute with the tensor itself; take item() only for what is printed or stored",
    "tolist()": "compute with the tensor itself instead of tolist()",
    "numpy()": "use the function of this package in place of NumPy's, so that it is recorded",
    "requires_grad_(False)": "call requires_grad_() on it before it is used again",
}


def why_none(y: Any, x: Any) -> Report:
    """Why ``x.grad`` is None, or would be, after ``y.backward()``.

    Every cause is read off the graph, off what the engine noted of the tensors, or off the source; where only the
    source speaks, the finding says what stands there.

    Args:
        y: the tensor that backward starts (or started) from, such as the loss.
        x: the tensor whose gradient is missing.

    Returns:
        A report with the cause, its line and the remedy; no finding where the gradient is there.

    Raises:
        TypeError: one of the two is no tensor.

    >>> import wengert as torch
    >>> w = torch.ones(2, requires_grad=True)
    >>> h = w * 3
    >>> loss = h.sum()
    >>> why_none(loss, h)[0].kind
    'not_retained'
    """
    frame = user_frame(2)
    check_tensors(y, x)
    names = Names(frame, y, x)
    question = f"Why does {names.x} get no gradient from {names.y}?"
    well = f"{names.x} has a gradient."
    graph = read(y, frame) if is_tracking(y) else None
    return Report(question, tuple(none_findings(y, x, names, graph)), well)


def check_tensors(*tensors: Any) -> None:
    """Raise a TypeError for what is no tensor."""
    for t in tensors:
        if not isinstance(t, TensorBase):
            raise TypeError(f"expected a tensor, but got {type(t).__name__}")


class Names:
    """What the user calls the two tensors, and where the question is asked."""

    def __init__(self, frame: FrameType, y: TensorBase, x: TensorBase) -> None:
        self.frame = frame
        self.y_name, self.x_name = _name(y, frame), _name(x, frame)
        self.y = f"`{self.y_name}`" if self.y_name is not None else f"the result of shape {list(y._data.shape)}"
        self.x = f"`{self.x_name}`" if self.x_name is not None else f"the tensor of shape {list(x._data.shape)}"

    def assigned(self, name: str | None) -> Location | None:
        """The statement that gave a variable its value last."""
        here = locate(self.frame.f_code, self.frame.f_lasti)
        if here is None or name is None:
            return None
        step = assigned(here, name, here.lineno)
        if step is None:
            return None
        return Location(
            step.filename or self.frame.f_code.co_filename, step.lineno, step.lineno, None, None, here.function
        )


def _name(t: TensorBase, frame: FrameType) -> str | None:
    """A name of the tensor; of several that which the question uses."""
    names = names_in_frames(t, frame)
    here = locate(frame.f_code, frame.f_lasti) if len(names) > 1 else None
    asked = here.expression() if here is not None else None
    used = [
        name for name in names if asked is not None and re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.\[])", asked)
    ]
    return next(iter(used or names), None)


def none_findings(y: TensorBase, x: TensorBase, names: Names, graph: Graph | None) -> list[Finding]:
    """Why there is no gradient by ``x``; nothing where there is one."""
    if not is_tracking(x):
        return [_x_untracked(x, names, graph)]
    if graph is None:
        return [untracked_finding(y, names)]
    value = graph.value_of(x)
    if value is None:
        return [_unreachable(y, x, names, graph)]
    if getattr(x, "_grad", None) is not None:
        return []
    if not value.is_leaf and not getattr(x, "_retains", False):
        return [_result(x, names, value)]
    return [_no_pass(y, names, graph)]


# --- one of the two is not tracked -----------------------------------------------------------------------------------


def _x_untracked(x: TensorBase, names: Names, graph: Graph | None) -> Finding:
    made = names.assigned(names.x_name)
    if x._data.dtype.kind not in "fc":
        what = f"{names.x} has dtype {dtype_name(x._data.dtype)}: integers and bools carry no gradient."
        origin = why_untracked(x, names.frame)
        cut = f" {origin.sentence}" if origin is not None and origin.kind == "cut" else ""
        remedy = "compute with floating point numbers: write `1.` instead of `1`, or convert with .float()"
        return Finding("integer", what + cut, names.x_name, made, remedy=remedy)
    cut_there = cut_of(x)
    if cut_there is not None and cut_there.how == "requires_grad_(False)":
        location = locate(cut_there.code, cut_there.lasti)
        led = graph is not None and any([_accumulates_into(value.node, x) for value in graph.leaves()])
        after = f", after {names.y} was computed from it: nothing is added to its gradient any more" if led else ""
        what = f"{names.x} does not require grad: that was switched off at {location}{after}."
        return Finding("frozen", what, names.x_name, location, remedy=_REMEDIES["requires_grad_(False)"])
    origin = why_untracked(x, names.frame)
    if origin is not None and origin.kind != "untracked":
        return _from_origin(origin, origin.sentence, names.x_name)
    what = f"{names.x} does not require grad, so nothing that is computed from it is recorded for it."
    remedy = (
        f"make it with requires_grad=True, or call `{names.x_name or 'x'}.requires_grad_()`, before {names.y} is "
        "computed from it"
    )
    return Finding("never_tracked", what, names.x_name, made, remedy=remedy)


def _accumulates_into(node: Node | None, x: TensorBase) -> bool:
    return isinstance(node, AccumulateGrad) and node.variable is x


def untracked_finding(y: TensorBase, names: Names) -> Finding:
    """Why ``y`` has no graph."""
    origin = why_untracked(y, names.frame)
    start = f"{names.y} has no graph, so backward() cannot start there."
    if y._data.dtype.kind not in "fc":
        start += f" Its dtype is {dtype_name(y._data.dtype)}: integers, bools and comparisons carry no gradient."
    if origin is not None:
        return _from_origin(origin, f"{start} {origin.sentence}", origin.variable or names.y_name)
    if not STATE.grad_enabled:
        what = f"{start} Tracking is switched off where this is asked."
        return Finding("switched_off", what, names.y_name, _switched_off_at(), remedy=_TRACK_FIRST)
    latest = latest_cut(names.frame)
    here = locate(names.frame.f_code, names.frame.f_lasti)
    if latest is not None and (here is None or not here.source()):
        what = f"{start} Its source is not at hand, so nothing tells how it came about. {latest.sentence}"
        return _from_origin(latest, what, names.y_name)
    what = f"{start} Neither the source nor what was noted tells where it was cut."
    if latest is not None:
        what += f" {latest.sentence}"
    return Finding("no_graph", what, names.y_name, names.assigned(names.y_name), remedy=_TRACK_FIRST)


def _switched_off_at() -> Location | None:
    for cut in reversed(recent_cuts()):
        if cut.how == "set_grad_enabled(False)":
            return locate(cut.code, cut.lasti)
    return None


def _from_origin(origin: Origin, what: str, variable: str | None) -> Finding:
    kind = {"inside": "cut", "untracked": "never_tracked"}.get(origin.kind, origin.kind)
    return Finding(kind, what, variable, origin.location, remedy=_remedy_of(origin))


def _remedy_of(origin: Origin) -> str:
    if origin.kind == "switched_off":
        if origin.how == "set_grad_enabled(False)":
            return "call set_grad_enabled(True) before it, or use it as a block: `with set_grad_enabled(False): ...`"
        return f"compute it outside of {origin.how}"
    if origin.kind == "cut" and origin.how is not None:
        how = origin.how
        known = next((remedy for cut, remedy in _REMEDIES.items() if how.startswith(cut)), None)
        if known is not None:
            return known
        if "index" in how or "indices" in how or "comparison" in how or "integers" in how or "True" in how:
            return (
                "a choice has no derivative. Use a smooth form where the gradient should pass (sigmoid for a "
                "comparison, "
                "softmax for argmax), or a sum that the choice only weights"
            )
        if "knows no gradients" in how or "numpy" in how:
            return _REMEDIES["numpy()"]
        if "tensor" in how or "copies" in how:
            return "use the tensor itself, or .clone() for a copy in the graph, torch.stack([...]) for several"
        return "compute with the tensor itself; a Python number carries no gradient"
    return _TRACK_FIRST


# --- the graph of y does not lead to x -------------------------------------------------------------------------------


def _unreachable(y: TensorBase, x: TensorBase, names: Names, graph: Graph) -> Finding:
    node = x._node
    if node is not None and names.x_name is not None and replaces(node, names.x_name):
        return _rebound(names, node)
    namesake = next((v for v in graph.values if v.name == names.x_name and v.node is not None), None)
    if names.x_name is not None and namesake is not None:
        return _namesake(names, namesake)
    origin = cut_between(y, x, names.frame)
    leaves = [value.name or f"a leaf of shape {list(value.shape or ())}" for value in graph.leaves()]
    leads = f"{names.y} depends on {listed(leaves)}, and not on {names.x}."
    if origin is not None:
        return _from_origin(origin, f"{leads} {origin.sentence}", origin.variable)
    if node is not None:
        shared = [leaf for leaf in read(x, names.frame).leaves() if graph_has(graph, leaf)]
        if shared:
            what = (
                f"{leads} {names.x} is itself a result, of {_operation_name(node)}, and {names.y} was computed from "
                f"{listed([leaf.name or 'its leaf' for leaf in shared])} without it."
            )
            remedy = f"compute {names.y} from {names.x}, or ask for the gradient of the leaf"
            return Finding("copy", what, names.x_name, _location(node), remedy=remedy)
    for cut in reversed(recent_cuts()):
        if cut.source is not None and cut.source() is x:
            location = locate(cut.code, cut.lasti)
            what = (
                f"{leads} {names.x} was cut by {cut.how} at {location}: what is computed from that does not lead back."
            )
            found = Origin("cut", what, cut.how, location)
            return _from_origin(found, what, names.x_name)
    remedy = f"compute {names.y} from {names.x}; if it need not depend on it, its gradient is None by right"
    return Finding("not_used", leads, names.x_name, names.assigned(names.y_name), remedy=remedy)


def graph_has(graph: Graph, leaf: Value) -> bool:
    """Whether a leaf of another reading of a graph is one of this graph too."""
    return any([value.node is leaf.node for value in graph.leaves()])


def _namesake(names: Names, earlier: Value) -> Finding:
    made = names.assigned(names.x_name)
    place = f" at {made}" if made is not None else ""
    used = earlier.users[0].location if earlier.users else None
    what = (
        f"{names.y} was computed from another tensor that was called {names.x} then"
        f"{f', at {used}' if used is not None else ''}; since, the name was given to a new tensor{place}."
    )
    remedy = (
        f"write new values into the same tensor, `with torch.no_grad(): {names.x_name}.copy_(...)`, or compute "
        f"{names.y} again"
    )
    return Finding("rebound", what, names.x_name, made, remedy=remedy)


def _rebound(names: Names, node: Node) -> Finding:
    location = _location(node)
    what = (
        f"{names.x} is now the result of {_operation_name(node)} at {location}, and not the parameter any more: that "
        "line "
        "made a new tensor and gave it the name. Gradients arrive at the parameter, which the name no longer means."
    )
    remedy = f"write into the parameter: `with torch.no_grad(): {names.x_name} -= ...`"
    return Finding("rebound", what, names.x_name, location, remedy=remedy)


def _operation_name(node: Node) -> str:
    parent: Any = node.next[0] if isinstance(node, Port) else node
    return type(parent.settled()).__name__


def _location(node: Node) -> Location | None:
    return locate(node.code, node.lasti) if node.code is not None else None


# --- the graph leads to x --------------------------------------------------------------------------------------------


def _result(x: TensorBase, names: Names, value: Value) -> Finding:
    node: Any = x._node
    if names.x_name is not None and replaces(node, names.x_name):
        return _rebound(names, node)
    location = _location(node)
    root = value
    while root.source is not None and root.source.op is not None and root.source.op.name in _SAME_TENSOR:
        root = root.source.inputs[0]
    if root.is_leaf and root is not value and (root.name is None or root.name == names.x_name):
        what = (
            f"{names.x} is the result of {_operation_name(node)} at {location}, not the leaf that was made with "
            "requires_grad=True: the gradient arrives at that leaf, which no variable holds."
        )
        remedy = (
            f"convert first and then start tracking: `{names.x_name or 'x'} = ... .requires_grad_()`, or pass dtype "
            "and "
            "shape where the leaf is made"
        )
        return Finding("not_leaf", what, names.x_name, location, remedy=remedy)
    leaves = [leaf.name for leaf in _leaves_behind(value) if leaf.name is not None]
    came = f", computed from {listed(leaves)}" if leaves else ""
    what = (
        f"{names.x} is a result, of {_operation_name(node)} at {location}{came}. The gradient flows through it and is "
        "kept at leaves only."
    )
    remedy = f"call `{names.x_name or 'x'}.retain_grad()` before backward()"
    return Finding("not_retained", what, names.x_name, location, remedy=remedy)


def _leaves_behind(value: Value) -> list[Value]:
    found, seen, pending = [], {value}, [value]
    while pending:
        here = pending.pop()
        if here.is_leaf:
            found.append(here)
        for given in here.source.inputs if here.source is not None else ():
            if given not in seen:
                seen.add(given)
                pending.append(given)
    return sorted(found, key=lambda leaf: leaf.index)


def _no_pass(y: TensorBase, names: Names, graph: Graph) -> Finding:
    """The gradient can flow, and none is there: no pass was run, or what it brought went elsewhere or was removed."""
    node: Any = edge_of(y)
    freed = [operation for operation in graph.operations if operation.freed and operation.node.code is not None]
    name = names.x_name or "x"
    if not freed:
        frees = any([getattr(operation.node, "watched", ()) for operation in graph.operations])
        told = "no backward pass has freed its graph" if frees else "its graph keeps nothing that a backward pass frees"
        what = (
            f"{names.y} leads to {names.x}, and {told}: none was run, or "
            f"{'it was run with retain_graph=True and ' * frees}"
            "its gradient was removed since."
        )
        return Finding(
            "no_backward", what, names.y_name, _location(node), remedy=f"call `{names.y_name or 'y'}.backward()`"
        )
    where = [at for operation in freed if (at := operation.node.freed) is not None and at[0] is not None]
    location = locate(*where[-1]) if where else None  # type: ignore[arg-type]
    text = location.expression() if location is not None else None
    if text is not None and ".backward" not in text and "grad(" in text:
        what = f"The pass at {location} was autograd.grad, which returns gradients and leaves `.grad` as it is."
        remedy = f"use what it returns, or call `{names.y_name or 'y'}.backward()`"
        return Finding("returned", what, names.x_name, location, remedy=remedy)
    if text is not None and "inputs=" in text:
        what = f"The pass at {location} added gradients to its `inputs` only, and {names.x} was not among them."
        remedy = f"add `{name}` to inputs, or leave inputs out"
        return Finding("not_asked", what, names.x_name, location, remedy=remedy)
    what = (
        f"The backward pass at {location or 'an unknown place'} went through this graph, so {names.x} had a gradient, "
        "and "
        "it was set to None since (zero_grad() does that, so does `.grad = None`)."
    )
    remedy = "read the gradient after backward() and before it is removed"
    return Finding("removed", what, names.x_name, location, remedy=remedy)


__all__ = ["Names", "check_tensors", "none_findings", "untracked_finding", "why_none"]
