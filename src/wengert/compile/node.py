"""The graph node that a call of a compiled function records: its backward is a compiled program, too."""

from __future__ import annotations

from typing import Any

from wengert._source import user_code
from wengert.engine import messages
from wengert.engine.base import cell_of, edge_of, is_leveled, wrap
from wengert.engine.node import FreedAt, Node, RecordedNode
from wengert.engine.saved import as_tensor, port_of
from wengert.engine.state import STATE


class CompiledFunctionBackward(RecordedNode):
    """One node for a whole call.

    ``links`` are the nodes of the call's tracked inputs. It keeps the inputs and residuals that the backward program
    reads, and all inputs for a backward pass that is to be differentiated again (``create_graph``): those run the
    function's adjoint, traced as a function of the same inputs.
    """

    __slots__ = ("plan", "port_references", "saved", "several")

    saved: tuple[Any, ...] | None

    def __init__(
        self, plan: Any, leaves: list[Any], tensors: list[Any], results: list[Any], kept: tuple[Any, ...]
    ) -> None:
        edges = [edge_of(t) for t in tensors]
        following = tuple([edges[i] for i in plan.tracked_inputs])
        several = len(results) != 1
        shapes, dtypes = tuple([y.shape for y in results]), tuple([y.dtype for y in results])
        super().__init__(following, shapes if several else shapes[0], dtypes if several else dtypes[0])
        self.plan = plan
        self.several = several
        self.code, self.lasti = user_code(3)
        self.port_references: dict[int, Any] = {}
        outputs, residuals = kept
        inputs = [_kept(t, edge) for t, edge in zip(tensors, edges, strict=True)]
        for number in plan.written_and_needed:
            raw, *rest = inputs[number]
            inputs[number] = (raw.copy(), *rest)
        self.saved = (inputs, [_kept(t, None) for t in outputs], residuals, leaves)

    @property
    def ports(self) -> bool:  # type: ignore[override]
        """Whether the call has several tracked results."""
        return self.several

    def place(self, index: int) -> Node:
        """Where a cotangent of tracked result number ``index`` goes."""
        return port_of(self, index) if self.several else self

    def release(self, where: FreedAt) -> None:
        """Free what is kept."""
        self.saved = None
        self.mark_freed(where)

    def pull(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients of the tracked inputs."""
        if self.saved is None:
            raise RuntimeError(messages.freed(self))
        inputs, outputs, residuals, leaves = self.saved
        plan = self.plan
        if plan.refusal is not None:
            raise plan.refusal.with_traceback(None)
        if STATE.grad_enabled or is_leveled(*grads):  # recorded again, or for a batch of cotangents
            for number in plan.reaching:
                if number not in plan.written_and_needed:
                    self._check(inputs[number], f"input {number}")
            first = len(plan.positions)
            if not plan.reads([cell for _, _, cell, _ in inputs[first : first + plan.captured]]):
                raise RuntimeError(_exchanged(self))
            tensors = [as_tensor(raw, edge, cell) for raw, edge, cell, _ in inputs]
            return plan.adjoint(leaves, tensors, grads)  # type: ignore[no-any-return]
        read = []
        for numbers, values, what in (
            (plan.cut.kept_inputs, inputs, "input"),
            (range(len(outputs)), outputs, "result"),
        ):
            for number in numbers:
                if what == "result" or number not in plan.written_and_needed:
                    self._check(values[number], f"{what} {number}")
                read.append(values[number][0])
        found = plan.backward(*read, *residuals, *[g._data for g in grads])
        return tuple([None if g is None else wrap(g) for g in found])

    def _check(self, kept: Kept, what: str) -> None:
        _, _, cell, version = kept
        if cell and cell[0] != version:
            raise RuntimeError(_changed(self, what, cell))


# A tensor that a backward program reads: its raw value, its place in the graph, and its version: the cell that counts
# and what it said.
Kept = tuple[Any, Any, Any, int]


def _kept(t: Any, edge: Any) -> Kept:
    cell = cell_of(t)
    return t._data, edge, cell, cell[0] if cell else 0


def _exchanged(node: Node) -> str:
    return (
        f"{messages.node_at(node)} cannot be differentiated again: a tensor that the compiled function takes from "
        "outside was replaced by another one after the call. Pass it as an argument, or differentiate before that."
    )


def _changed(node: Node, what: str, cell: Any) -> str:
    writer = f" at {messages.place(cell[1], cell[2])}" if len(cell) > 2 else ""
    return (
        f"one of the variables needed for gradient computation has been modified by an inplace operation: {what} of "
        f"{messages.node_at(node)} was written in place{writer} after the call. Write to a clone(), or later."
    )
