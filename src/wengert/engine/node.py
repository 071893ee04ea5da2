"""Nodes of the backward graph.

A node is made for each tracked operation. It holds edges to the nodes of its inputs, the values that its rules read,
the versions those had, and the user's code position. It holds no tensor: results point to nodes, never the reverse, so
a graph is freed with the last tensor that leads to it and no reference cycle is made.

A node has one result. An operation with several results has one node and, for each result, a :class:`Port` that leads
to it, so the sweep sees single results only. A leaf's end of the graph is an :class:`AccumulateGrad`.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable
from math import prod
from types import CodeType
from typing import Any, ClassVar, Final

import numpy as np

from wengert.engine.batch_scope import held
from wengert.engine.hooks import RemovableHandle
from wengert.ops.reads import Read, items_read, reads_of
from wengert.ops.record import MISSING, EachInput, Op

# Later nodes have smaller numbers: a heap of them pops the latest first, which is a topological order of the graph.
next_seq: Final[Callable[[], int]] = itertools.count(-1, -1).__next__

# The version cell of saved values that nobody can write to: it makes a node one that has something to free.
NEVER_WRITTEN: Final[list[int]] = [0]
UNWATCHED: Final = (NEVER_WRITTEN, 0)


# Nodes that PyTorch defines by hand carry their namespace in `name()`, but not in `grad_fn=<...>`.
_CPP_NAMES = frozenset({"AccumulateGrad", "CopyBackwards", "CopySlices", "NotImplemented"})


# Where the user asked for the backward pass that freed a node's saved values.
FreedAt = tuple[CodeType | None, int]


class Metadata:
    """The shape and dtype of a value: what is kept of an input of which a rule reads nothing else."""

    __slots__ = ("dtype", "shape")

    shape: Any
    dtype: Any

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    def __repr__(self) -> str:
        return f"<shape {self.shape}, {self.dtype}>"


def metadata_of(raw: Any) -> Metadata:
    """The shape and dtype of a raw value."""
    made = Metadata()
    made.shape, made.dtype = raw.shape, raw.dtype
    return made


class NodeHooks:
    """Everything a user hung on one node (most have none), and whether that is freed: this takes the place."""

    __slots__ = ("freed", "metadata", "post", "post_accumulate", "pre", "retain", "tensor_pre")

    def __init__(self) -> None:
        self.tensor_pre: dict[int, Callable[..., Any]] = {}
        self.retain: Callable[[Any], None] | None = None
        self.pre: dict[int, Callable[..., Any]] = {}
        self.post: dict[int, Callable[..., Any]] = {}
        self.post_accumulate: dict[int, Callable[[Any], Any]] = {}
        self.metadata: dict[Any, Any] = {}
        self.freed: FreedAt | None = None


class Node(Metadata):
    """One operation of the backward graph; ``tensor.grad_fn`` is one. It knows the shape and dtype of its result.

    >>> import wengert as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> isinstance((x * 2).grad_fn, torch.autograd.graph.Node)
    True
    """

    __slots__ = ("__weakref__", "scalar", "state")

    op: ClassVar[Op | None] = None
    rules: ClassVar[tuple[Any, ...] | None] = None
    each: ClassVar[bool] = False
    ports: ClassVar[bool] = False
    short: ClassVar[bool] = False  # one result, and a rule of the table for each input
    axes: tuple[Any, ...] = ()  # the batch axes of its result
    materialize: ClassVar[bool] = True  # fill in zeros for results that nothing flowed into

    # Slots of the subclasses that record an operation; a leaf's end has these values throughout.
    links: tuple[Any, ...] = (None,)
    seq: int = 0
    code: CodeType | None = None
    lasti: int = -1
    meta: dict[str, Any] | None = None

    scalar: Any  # the class of the raw result: a NumPy scalar class says shape () and the dtype in one comparison
    state: NodeHooks | FreedAt | None  # None for an ordinary node, which the sweep then knows by one look

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    @property
    def hooks(self) -> NodeHooks | None:
        """What the user hung on the node."""
        return self.state if self.state.__class__ is NodeHooks else None

    @property
    def freed(self) -> FreedAt | None:
        """Where the saved values were freed; None if they were not."""
        state = self.state
        return state.freed if isinstance(state, NodeHooks) else state

    def hang(self) -> NodeHooks:
        """The node's hooks, made on first use."""
        hooks = self.hooks
        if hooks is None:
            hooks = NodeHooks()
            hooks.freed = self.freed
            self.state = hooks
        return hooks

    def mark_freed(self, where: FreedAt) -> None:
        """Say that the saved values are gone: a second backward through the node is then an error."""
        if isinstance(self.state, NodeHooks):
            self.state.freed = where
        else:
            self.state = where

    def release(self, where: FreedAt) -> None:
        """Free the saved values, if there are any: a second backward through the node is then an error."""

    @property
    def next(self) -> tuple[Node | None, ...]:
        """The nodes that the inputs' cotangents go to; None for inputs that need none."""
        return self.links[1:]

    def settled(self) -> Node:
        """The node itself, of the class by which users know it: whatever hands it out calls this."""
        return self

    # --- what users call -------------------------------------------------------------------------------------------

    def name(self) -> str:
        """The node's name, as PyTorch has it.

        >>> import wengert as torch
        >>> y = torch.tensor(2.0, requires_grad=True) * 3
        >>> y.grad_fn.name(), y.grad_fn.next_functions[0][0].name()
        ('MulBackward0', 'torch::autograd::AccumulateGrad')
        """
        name = type(self).__name__
        return f"torch::autograd::{name}" if name in _CPP_NAMES else name

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each input the node its gradient goes to (None if it needs none) and which result of that node it is."""
        return tuple(
            [
                (None, 0) if n is None else (n.next[0], n.index) if isinstance(n, Port) else (n.settled(), 0)
                for n in self.next
            ]
        )

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dict of the user's own notes on this node."""
        return self.hang().metadata

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_inputs, grad_outputs)`` after the node ran in backward; it may return new grad_inputs."""
        return RemovableHandle(self.hang().post, held(fn))

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` before the node runs in backward; it may return new grad_outputs."""
        return RemovableHandle(self.hang().pre, held(fn))


class RecordedNode(Node):
    """A node that stands for something the user's code did."""

    __slots__ = ("code", "lasti", "links", "meta", "seq")

    # The node's form (`engine.opnode.Form`), or None; with k inputs k following nodes; then (y, *inputs) as far as they
    # are kept; then for each saved tensor its version's cell and the version it had. One tuple for all, because the
    # cost of many small containers is the garbage collector's (it halved the time of a long chain), and because the
    # sweep reads a tuple of any node faster than the slots of nodes of many classes.
    links: tuple[Any, ...]
    seq: int
    code: CodeType | None
    lasti: int
    meta: dict[str, Any] | None

    def __init__(self, following: tuple[Node | None, ...], shape: Any, dtype: Any) -> None:
        self.links = (None, *following)
        self.seq = next_seq()
        self.code = None
        self.lasti = -1
        self.meta = None
        self.shape = shape
        self.dtype = dtype
        self.scalar = None
        self.state = None


class Port(RecordedNode):
    """One result of an operation that has several."""

    __slots__ = ("index",)
    index: int

    @property
    def axes(self) -> tuple[Any, ...]:  # type: ignore[override]
        """The batch axes of the result."""
        return self.next[0].axes  # type: ignore[union-attr]

    def __init__(self, parent: Any, index: int, shape: Any, dtype: Any) -> None:
        super().__init__((parent,), shape, dtype)
        self.index = index
        self.code, self.lasti = parent.code, parent.lasti


class AccumulateGrad(Node):
    """The end of the graph at a leaf: adds what arrives to ``variable.grad``.

    Its ``seq`` is 0: leaves are never in the sweep's heap, they are dealt with after all operations.
    """

    __slots__ = ("variable",)
    variable: Any

    def hang(self) -> NodeHooks:
        """The leaf's hooks: they belong to the tensor, which outlives this node."""
        hooks = super().hang()
        if self.variable is not None:
            self.variable._hooks = hooks
        return hooks

    def weaken(self) -> None:
        """Refer to the leaf weakly from now on.

        For a leaf whose ``.grad`` has a graph of its own (``create_graph``): that leads back here, and would be a
        cycle.
        """
        if self.__class__ is AccumulateGrad:
            leaf = weakref.ref(self.variable)
            self.__class__ = _WeakAccumulateGrad
            _leaf_slot.__set__(self, leaf)


class BatchedAccumulateGrad(AccumulateGrad):
    """The end of the graph at a leaf that stands for a batch."""

    __slots__ = ("axes",)
    axes: tuple[Any, ...]

    def name(self) -> str:
        """That of any leaf."""
        return "torch::autograd::AccumulateGrad"


_leaf_slot: Final[Any] = AccumulateGrad.__dict__["variable"]
_WeakAccumulateGrad: Final = type(
    "AccumulateGrad",
    (AccumulateGrad,),
    {
        "__slots__": (),
        "__module__": AccumulateGrad.__module__,
        "__doc__": "An end of the graph that knows its leaf weakly: ``variable`` is None once nobody holds the leaf.",
        "variable": property(lambda node: _leaf_slot.__get__(node)()),
    },
)

# --- what an operation saves ---------------------------------------------------------------------------------------

_plans: dict[tuple[str, int, int], tuple[Read, ...]] = {}


def save_plan(op: Op, mask: int, n_inputs: int) -> tuple[Read, ...]:
    """How much of ``(y, *inputs)`` the rules of the inputs in ``mask`` (bit i for input i) read."""
    key = (op.name, -1 if isinstance(op.vjp, EachInput) else mask, n_inputs)
    try:
        return _plans[key]
    except KeyError:
        made = _each_plan(op, n_inputs) if isinstance(op.vjp, EachInput) else _plan(op, mask, n_inputs)
        return _plans.setdefault(key, made)


_results: dict[tuple[str, int], frozenset[int] | None] = {}


def results_read(op: Op, mask: int, n_results: int) -> Iterable[int]:
    """Which of several results the rules of the inputs in ``mask`` read the values of, if they read any, in order."""
    key = (op.name, mask)
    if key not in _results:
        rules = (
            [rule for i, rule in enumerate(op.vjp) if mask >> i & 1 and callable(rule)]
            if isinstance(op.vjp, tuple)
            else []
        )
        items = [items_read(rule, list(reads_of(rule))[2]) for rule in rules if rule is not MISSING]
        read = [item for item in items if item is not None]
        _results[key] = frozenset().union(*read) if items and len(read) == len(items) else None
    found = _results[key]
    return range(n_results) if found is None else sorted(found)


def _plan(op: Op, mask: int, n_inputs: int) -> tuple[Read, ...]:
    plan = [Read.NOTHING] * (1 + n_inputs)
    for i, rule in enumerate(op.vjp):  # type: ignore[arg-type]
        if mask >> i & 1 and callable(rule) and rule is not MISSING:
            reads = list(reads_of(rule).values())[2 : 3 + n_inputs]  # after xp and g come y and the inputs
            plan = [max(old, new) for old, new in zip(plan, reads, strict=True)]
    return tuple(plan)


def _each_plan(op: Op, n_inputs: int) -> tuple[Read, ...]:
    each: EachInput = op.vjp  # type: ignore[assignment]
    code = each.rule.__code__
    reads = reads_of(each.rule)
    y = reads[code.co_varnames[2]]
    inputs = reads[code.co_varnames[code.co_argcount + code.co_kwonlyargcount]]
    shapes = [each.shape_only is not None and each.shape_only(i) for i in range(n_inputs)]
    return (y, *[min(inputs, Read.METADATA) if shape else inputs for shape in shapes])


def zeros_of(shape: Any, dtype: Any) -> Any:
    """A zero cotangent; a large one takes no memory (np.broadcast_to takes 5 us, which matters for small ones)."""
    return np.zeros(shape, dtype) if prod(shape) <= 4096 else np.broadcast_to(dtype.type(0), shape)
