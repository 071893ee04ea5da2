"""What the transforms share: fresh inputs of a reverse level, and results that leave it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any

from wengert import _tree
from wengert.engine.apply import apply
from wengert.engine.backward import run_to_leaves
from wengert.engine.base import TensorBase, edge_of
from wengert.engine.batch_scope import parts_of
from wengert.engine.dual_grad import gradients
from wengert.engine.node import next_seq
from wengert.engine.state import STATE
from wengert.ops.movement import ALIAS


class Run:
    """The run of a function whose derivative is wanted: from when to when, and which runs before it took part in it.

    Times are sequence numbers of nodes, of which later ones are smaller.
    """

    __slots__ = ("earlier", "end", "start")

    def __init__(self) -> None:
        self.start = next_seq()
        self.end: int | None = None  # while it runs
        self.earlier: set[Run] = set()

    def note(self, other: Run) -> None:
        """Note that a graph of ``other``, which is over, takes part in this run."""
        if other.start > self.start:
            self.earlier |= {other, *other.earlier}

    def is_known(self, seq: int) -> bool:
        """Whether a node was recorded in one of the earlier runs that take part."""
        return any([run.start >= seq >= run.end for run in self.earlier if run.end is not None])


class Reach(Enum):
    """Where the graph of a level's results ends."""

    INPUTS = 1  # at the level's inputs alone
    OVER = 2  # at those of functions that are over, too
    OUTSIDE = 3  # at something that is tracked outside


class ReverseLevel:
    """One run of a function whose derivative is wanted: its inputs are new places in the graph.

    The inputs are connected aliases of the primals, so levels need no wrappers: a gradient by an alias is one by this
    level's input alone, and what it is a function of beyond that (the primal, a variable from outside) stays connected.
    """

    def __init__(self) -> None:
        self.grad_enabled = STATE.grad_enabled
        self.run = Run()
        self.inputs: list[Any] = []

    @property
    def start(self) -> int:
        """When the run began."""
        return self.run.start

    def __enter__(self) -> ReverseLevel:
        STATE.grad_enabled = True
        STATE.levels = (*STATE.levels, self.run)
        return self

    def __exit__(self, *exc: object) -> None:
        STATE.grad_enabled = self.grad_enabled
        STATE.levels = STATE.levels[:-1]
        self.run.end = next_seq()

    def fresh(self, x: Any) -> Any:
        """A new tracked tensor with the values of ``x``, connected to it where it is tracked outside."""
        was, STATE.grad_enabled = STATE.grad_enabled, self.grad_enabled
        try:
            new = apply(ALIAS, x)
        finally:
            STATE.grad_enabled = was
        if not new._rg and new._data.dtype.kind in "fc":
            if new._view is not None:
                new._view.own = True
            new._rg = True
        parts_of(new)[0]._fresh = self.run  # of a dual its primal, which is what the graph ends at
        self.inputs.append(new)
        return new

    def depends_outside(self, tensors: Iterable[Any]) -> bool:
        """Whether any of ``tensors`` depends on something tracked outside of this level, whose function has run."""
        return self.reach_of(tensors) is Reach.OUTSIDE

    def reach_of(self, tensors: Iterable[Any]) -> Reach:
        """How far the graph of ``tensors`` reaches.

        Outside is what was recorded before this level, leaves of the user's, and the inputs of functions that still
        run: those around this one, or one that its ``vjp_fn`` is called in. What was recorded before may also be the
        graph of an earlier function whose ``vjp_fn`` this one called; that is looked through.
        """
        run = self.run
        for around in STATE.levels:
            around.note(run)
        own = {edge_of(part) for x in self.inputs for part in parts_of(x)}
        reach = Reach.INPUTS
        seen: set[Any] = {None}
        stack: list[Any] = [edge_of(part) for t in tensors for part in parts_of(t)]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            seq = node.seq
            if not seq:
                made = None if node.variable is None else node.variable._fresh
                if node not in own:
                    if made is None or made.end is None:
                        return Reach.OUTSIDE
                    reach = Reach.OVER
            elif seq > run.start and not run.is_known(seq):  # later nodes have smaller numbers
                return Reach.OUTSIDE
            else:
                stack += node.next
        return reach

    def leave(self, t: Any, *, reach: Reach | None = None) -> Any:
        """A result as it is seen from outside: untracked unless it depends on something tracked there."""
        if not isinstance(t, TensorBase) or not t._rg:
            return t
        if not self.grad_enabled:
            return t.detach()  # type: ignore[attr-defined]
        if reach is None:
            reach = self.reach_of((t,))
        return t if reach is Reach.OUTSIDE else t.detach()  # type: ignore[attr-defined]

    def pull(
        self, outputs: Sequence[Any], cotangents: Sequence[Any], *, retain_graph: bool, reach: Reach | None = None
    ) -> list[Any]:
        """The gradients of the outputs by the inputs, recorded where something outside needs that; None if unused.

        ``reach`` is that of the outputs and cotangents, where it is known.
        """
        tracked = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if y._rg]
        if not tracked:
            return [None] * len(self.inputs)
        ys, vs = [y for y, _ in tracked], [v for _, v in tracked]
        given = [v for v in vs if v is not None]
        if reach is None:
            reach = self.reach_of([*ys, *given])
        if (
            reach is Reach.INPUTS
            and STATE.trace is None
            and not any([t._dual is not None for t in (*ys, *given, *self.inputs)])
        ):
            return run_to_leaves(ys, self.inputs, vs, retain_graph=retain_graph)
        record = reach is Reach.OUTSIDE and STATE.grad_enabled
        keep = retain_graph or reach is not Reach.INPUTS
        return gradients(ys, self.inputs, vs, retain_graph=keep, create_graph=record, allow_unused=True)


def checked_argnums(argnums: Any, count: int) -> tuple[int, ...]:
    """``argnums`` as non-negative positions among ``count`` arguments.

    Raises:
        RuntimeError: not an int or tuple of ints, or out of range, or one twice.
    """
    given = (argnums,) if isinstance(argnums, int) else argnums
    if not isinstance(given, tuple) or not all([isinstance(i, int) for i in given]):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums).__name__}")
    if not given:
        raise RuntimeError("argnums must be non-empty")
    for i in given:
        if not -count <= i < count:
            raise RuntimeError(f"Got argnum={i}, but only {count} positional inputs")
    wrapped = tuple([i % count for i in given])
    if len(set(wrapped)) != len(wrapped):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return wrapped


def with_replaced(args: tuple[Any, ...], positions: tuple[int, ...], new: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments with those at some positions replaced."""
    replaced = list(args)
    for position, value in zip(positions, new, strict=True):
        replaced[position] = value
    return tuple(replaced)


def fresh_tree(level: ReverseLevel, tree: Any, what: str) -> tuple[Any, _tree.Structure]:
    """A tree of tensors with fresh inputs of a level for leaves, and its structure.

    Raises:
        RuntimeError: a leaf is no tensor, or has no derivatives.
    """
    leaves, structure = _tree.flatten(tree)
    return _tree.unflatten(structure, [level.fresh(require_tensor(leaf, what)) for leaf in leaves]), structure


def require_tensor(leaf: Any, what: str) -> Any:
    """``leaf``, which must be a tensor of float or complex numbers."""
    if not isinstance(leaf, TensorBase):
        raise ValueError(f"{what} must be tensors (or nested containers of them), and one is {type(leaf).__name__}")
    if leaf._data.dtype.kind not in "fc":
        raise RuntimeError(f"{what} must be tensors of floating point or complex dtype, and one is {leaf.dtype}")  # type: ignore[attr-defined]
    return leaf


def with_aux(function: Callable[..., Any], has_aux: bool, name: str) -> Callable[..., tuple[Any, Any]]:
    """``function`` as one that returns ``(output, aux)``."""

    def run(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        output = function(*args, **kwargs)
        if not has_aux:
            return output, None
        if not (isinstance(output, tuple) and len(output) == 2):
            raise RuntimeError(
                f"{name}(f, ..., has_aux=True): f must return a tuple (output, aux), and it returned "
                f"{type(output).__name__}"
            )
        return output

    return run
