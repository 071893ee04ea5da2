"""Checkpointing: what a part of the forward pass saves is dropped, and computed again when backward needs it.

The part runs as always and is recorded as always, so everything that it uses gets its gradient; only the saved values
are places to put a value in later. The first of them that backward asks for runs the part once more.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from typing import Any, NamedTuple

from wengert._tree import flatten
from wengert.autograd.graph import saved_tensors_hooks
from wengert.engine import messages
from wengert.engine.base import TensorBase, cell_of, edge_of
from wengert.engine.leveled import transforms_again, transforms_now
from wengert.engine.node import Node
from wengert.engine.saved import Packed
from wengert.engine.state import STATE
from wengert.functions.generators import default_generator

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function did not do what the first did."""


class CheckpointPolicy(Enum):
    """What happens to the result of an operation in a checkpointed function; without GPUs, offloading is saving."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_SAVES = frozenset(
    (
        CheckpointPolicy.MUST_SAVE,
        CheckpointPolicy.PREFER_SAVE,
        CheckpointPolicy.MUST_CPU_OFFLOAD,
        CheckpointPolicy.PREFER_CPU_OFFLOAD,
    )
)

# A policy: which results of operations are kept. ``policy(name, value)`` gets the operation's name in the table.
Policy = Callable[[str, Any], "CheckpointPolicy | bool"]


class _EarlyStop(Exception):  # noqa: N818 - it is no error
    """Everything that backward can ask for has been computed."""


class _Place:
    """Stands for one saved value of a checkpointed function."""

    __slots__ = ("__weakref__", "frame", "index", "kept")

    def __init__(self, frame: _Frame, index: int, kept: Any) -> None:
        self.frame = frame
        self.index = index
        self.kept = kept


class _Frame:
    """One call of a checkpointed function: how to run it again, and what that gave."""

    def __init__(self, run: Callable[[], Any], again: Callable[[], AbstractContextManager[Any]], policy: Any) -> None:
        self.run = run
        self.again = again
        self.policy = policy
        self.places: list[weakref.ref[_Place]] = []
        self.found: dict[int, Any] = {}
        self.shapes: list[tuple[Any, Any]] = []
        self.random: Any = None
        self.modes: tuple[Any, ...] = ()
        self.transforms: tuple[tuple[Any, ...], tuple[Any, ...]] = ((), ())
        self.early_stop = True
        self.check = True
        self.arguments: list[tuple[Any, int]] = []  # tensors, and at which version they were after the first run

    def pack(self, t: Any) -> _Place:
        """The place of a saved value."""
        place = _Place(self, len(self.places), t.detach() if self._keeps(t) else None)
        self.places.append(weakref.ref(place))
        self.shapes.append((t._data.shape, t._data.dtype))
        return place

    def _keeps(self, t: Any) -> bool:
        if self.policy is None:
            return False
        node = t._node
        op = node.op if node is not None else None
        if op is None:
            return False
        answer = self.policy(op.name, t)
        return answer in _SAVES if isinstance(answer, CheckpointPolicy) else bool(answer)

    def unpack(self, place: _Place) -> Any:
        """The value for a place: as it was kept, or computed again."""
        if place.kept is not None:
            return place.kept
        if place.index not in self.found:
            self._again()
        try:
            return self.found.pop(place.index)
        except KeyError:
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation: number {place.index} was not saved again. The function must do the same each time it "
                "is called with the same arguments."
            ) from None

    def _again(self) -> None:
        """Run the function once more and gather what it saves."""
        for t, version in self.arguments:
            if _version(t) != version:
                raise CheckpointError(_changed(t, version))
        wanted = {i for i, place in enumerate(self.places) if place() is not None}
        last = max(wanted, default=-1)
        count = 0

        def gather(t: Any) -> Any:
            nonlocal count
            index, count = count, count + 1
            if index < len(self.shapes) and self.check:
                shape, dtype = self.shapes[index]
                if (t._data.shape, t._data.dtype) != (shape, dtype):
                    raise CheckpointError(
                        "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata "
                        f"than during the forward pass: tensor {index} was {dtype}{list(shape)} and is "
                        f"{t._data.dtype}{list(t._data.shape)} now."
                    )
            if index in wanted:
                self.found[index] = t.detach()
            if index == last and self.early_stop:
                raise _EarlyStop
            return t

        with _as_then(self), self.again(), saved_tensors_hooks(gather, lambda t: t):
            try:
                self.run()
            except _EarlyStop:
                return


def _version(t: Any) -> int:
    return int(cell_of(t)[0])


def _changed(t: Any, version: int) -> str:
    cell = cell_of(t)
    writer = f" at {messages.place(cell[1], cell[2])}" if len(cell) > 2 else ""
    return (
        "torch.utils.checkpoint: backward runs the function again, and one of its arguments, a tensor of shape "
        f"{list(t._data.shape)}, was changed in place{writer} since (it is at version {cell[0]}; expected version "
        f"{version}). Give the function a copy (x.clone()), or use an out-of-place operation."
    )


@contextmanager
def _as_then(frame: _Frame) -> Any:
    """The thread's modes, the transforms and the state of the random numbers, as they were in the first run."""
    before = STATE.grad_enabled, STATE.axes, STATE.randomness, STATE.saved_hooks
    random = default_generator.state() if frame.random is not None else None
    STATE.grad_enabled, STATE.axes, STATE.randomness = frame.modes
    STATE.saved_hooks = ()
    if frame.random is not None:
        default_generator.restore(frame.random)
    try:
        with transforms_again(frame.transforms):
            yield
    finally:
        STATE.grad_enabled, STATE.axes, STATE.randomness, STATE.saved_hooks = before
        if random is not None:
            default_generator.restore(random)


def noop_context_fn() -> Contexts:
    """Two contexts that do nothing: what ``context_fn`` is by default."""
    return nullcontext(), nullcontext()


_early_stop = True


class set_checkpoint_early_stop:
    """Within this block, whether the second run stops as soon as all values are there (it does by default)."""

    def __init__(self, enable: bool) -> None:
        self.enable = enable

    def __enter__(self) -> None:
        global _early_stop
        self.before, _early_stop = _early_stop, self.enable

    def __exit__(self, *exc: object) -> None:
        global _early_stop  # noqa: PLW0603 - a switch
        _early_stop = self.before


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    policy: Policy | Iterable[str] | None = None,
    **kwargs: Any,
) -> Any:
    """Call ``function`` without keeping what it saves for backward; backward runs it again.

    It may use tensors from outside, be nested, and be differentiated to any order and in forward mode.

    Args:
        function: it must do the same each time.
        args: its arguments.
        use_reentrant: has no effect: there is one way of checkpointing here.
        context_fn: gives two context managers, for the first run and for the second.
        determinism_check: ``"default"`` compares shapes and dtypes of the two runs, ``"none"`` nothing.
        debug: has no effect: source lines are always recorded.
        early_stop: stop the second run as soon as all values are there.
        preserve_rng_state: draw the same random numbers in both runs.
        policy: which results of operations are kept after all: names of operations, or a function
            ``policy(name, value)`` that gives a :class:`CheckpointPolicy` or a bool.
        kwargs: its keyword arguments.

    Raises:
        CheckpointError: (in backward) the second run saved other values than the first, or a tensor among the arguments
            was changed in place since: PyTorch computes with the changed values.

    >>> import wengert as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = torch.utils.checkpoint.checkpoint(lambda x: (x**2).sin(), x, use_reentrant=False)
    >>> y.backward()
    >>> x.grad
    tensor(-2.6146)
    """
    del use_reentrant, debug
    if STATE.trace is not None:  # a compiled function decides by itself what it keeps and what it computes again
        return function(*args, **kwargs)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    forward, again = context_fn()
    frame = _Frame(
        lambda: function(*args, **kwargs), lambda: again, _as_policy(policy or getattr(forward, "policy", None))
    )
    frame.early_stop = early_stop and _early_stop
    frame.check = determinism_check == "default"
    frame.random = default_generator.state() if preserve_rng_state else None
    frame.modes = STATE.grad_enabled, STATE.axes, STATE.randomness
    frame.transforms = transforms_now()
    with forward, saved_tensors_hooks(frame.pack, frame.unpack):
        result = function(*args, **kwargs)
    frame.arguments = [(t, _version(t)) for t in flatten((args, kwargs))[0] if isinstance(t, TensorBase)]
    return result


def _as_policy(policy: Any) -> Policy | None:
    if policy is None or callable(policy):
        return policy  # type: ignore[no-any-return]
    names = frozenset(policy)
    return lambda name, _: name in names


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Policy | Sequence[str], allow_cache_entry_mutation: bool = False
) -> Contexts:
    """Contexts for ``context_fn`` that carry a policy: names of operations whose results are kept, or a function.

    >>> import wengert as torch
    >>> from functools import partial
    >>> keep = partial(torch.utils.checkpoint.create_selective_checkpoint_contexts, ["mm"])
    >>> w = torch.ones(2, 2, requires_grad=True)
    >>> torch.utils.checkpoint.checkpoint(lambda w: (w @ w).exp().sum(), w, context_fn=keep).backward()
    >>> w.grad[0, 0]
    tensor(29.5562)
    """
    del allow_cache_entry_mutation
    return _Selective(policy_fn_or_list), nullcontext()


class _Selective(nullcontext[None]):
    def __init__(self, policy: Any) -> None:
        super().__init__()
        self.policy = policy


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Call functions one after the other, in ``segments`` parts of which all but the last are checkpointed.

    >>> import wengert as torch
    >>> x = torch.tensor(0.5, requires_grad=True)
    >>> torch.utils.checkpoint.checkpoint_sequential([torch.sin, torch.exp, torch.cos], 2, x).backward()
    >>> x.grad
    tensor(-1.4160)
    """
    listed = list(functions.children()) if hasattr(functions, "children") else list(functions)
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
    if not 1 <= segments <= len(listed):
        raise ValueError(f"segments must lie between 1 and the number of functions ({len(listed)}), and is {segments}")

    def part(start: int, end: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for function in listed[start:end]:
                x = function(x)
            return x

        return run

    size = len(listed) // segments
    for start in range(0, size * (segments - 1), size):
        input = checkpoint(part(start, start + size), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return part(size * (segments - 1), len(listed))(input)


# --- what a graph keeps ----------------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """One value that a graph holds for backward."""

    node: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    recomputed: bool


class SavedReport(NamedTuple):
    """What a graph holds for backward, and how much memory that is; see :func:`saved_report`."""

    values: tuple[Kept, ...]
    bytes: int

    def __str__(self) -> str:
        lines = [
            f"{kept.node:28} {list(kept.shape)!s:20} {kept.dtype:10} "
            f"{'computed again' if kept.recomputed else f'{kept.bytes} bytes'}"
            for kept in self.values
        ]
        return "\n".join([*lines, f"{self.bytes} bytes are kept"])


def saved_report(*outputs: Any) -> SavedReport:
    """What the graph behind ``outputs`` keeps for backward, and how many bytes; memory that is shared counts once.

    >>> import wengert as torch
    >>> x = torch.ones(1000, requires_grad=True)
    >>> torch.utils.checkpoint.saved_report(x.sin().exp().sum()).bytes
    8000
    >>> y = torch.utils.checkpoint.checkpoint(lambda x: x.sin().exp(), x).sum()
    >>> torch.utils.checkpoint.saved_report(y).bytes
    0
    """
    found: list[Kept] = []
    memory: set[int] = set()
    total = 0
    for node in _nodes(outputs):
        saved = getattr(node, "saved", None) or ()
        for value in [part for entry in saved for part in (entry if entry.__class__ is tuple else (entry,))]:
            kept = _described(node, value)
            if kept is not None:
                raw, entry = kept
                found.append(entry)
                if id(raw) not in memory:
                    memory.add(id(raw))
                    total += entry.bytes
    return SavedReport(tuple(found), total)


def _described(node: Node, value: Any) -> tuple[Any, Kept] | None:
    value = getattr(value, "raw", value)  # a user's Function
    if value.__class__ is Packed:
        place = value.packed
        if isinstance(place, _Place):
            if place.kept is None:
                shape, dtype = place.frame.shapes[place.index]
                return place, Kept(node.name(), shape, dtype.name, 0, recomputed=True)
            value = place.kept._data
        elif isinstance(place, TensorBase):
            value = place._data
        else:
            return None
    if not hasattr(value, "nbytes"):
        return None
    return value, Kept(node.name(), value.shape, value.dtype.name, value.nbytes, recomputed=False)


def _nodes(outputs: Sequence[Any]) -> list[Node]:
    seen: dict[Node, None] = {}
    stack = [node for t in outputs if (node := edge_of(t)) is not None]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            stack.extend([n for n in node.next if n is not None])
    return list(seen)


__all__ = [
    "CheckpointError",
    "CheckpointPolicy",
    "SavedReport",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "noop_context_fn",
    "saved_report",
    "set_checkpoint_early_stop",
]
