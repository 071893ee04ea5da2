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
        following = tuple([edge_of(tensors[i]) for i in plan.tracked_inputs])
        several = len(results) != 1
        shapes, dtypes = tuple([y.shape for y in results]), tuple([y.dtype for y in results])
        super().__init__(following, shapes if several else shapes[0], dtypes if several else dtypes[0])
        self.plan = plan
        self.several = several
        self.code, self.lasti = user_code(3)
        self.port_references: dict[int, Any] = {}
        outputs, residuals = kept
        inputs = [_Kept(t) for t in tensors]
        for number in plan.written_and_needed:
            inputs[number].raw = inputs[number].raw.copy()
        self.saved = (inputs, [_Kept(t) for t in outputs], residuals, leaves)

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
                if number not in plan.written_and_needed or number >= len(plan.positions):  # captured: read anew
                    self._check(inputs[number], f"input {number}")
            tensors = [as_tensor(kept.raw, kept.edge, kept.cell) for kept in inputs]
            return plan.adjoint(leaves, tensors, grads)  # type: ignore[no-any-return]
        read = []
        for numbers, values, what in (
            (plan.cut.kept_inputs, inputs, "input"),
            (range(len(outputs)), outputs, "result"),
        ):
            for number in numbers:
                if what == "result" or number not in plan.written_and_needed:
                    self._check(values[number], f"{what} {number}")
                read.append(values[number].raw)
        found = plan.backward(*read, *residuals, *[g._data for g in grads])
        return tuple([None if g is None else wrap(g) for g in found])

    def _check(self, kept: _Kept, what: str) -> None:
        if kept.cell and kept.cell[0] != kept.version:
            raise RuntimeError(_changed(self, what, kept.cell))


class _Kept:
    """A tensor that a backward program reads: its raw value, version, and place in the graph."""

    __slots__ = ("cell", "edge", "raw", "version")

    def __init__(self, t: Any) -> None:
        self.raw = t._data
        self.edge = edge_of(t)
        self.cell = cell_of(t)
        self.version = self.cell[0] if self.cell else 0


def _changed(node: Node, what: str, cell: Any) -> str:
    writer = f" at {messages.place(cell[1], cell[2])}" if len(cell) > 2 else ""
    return (
        f"one of the variables needed for gradient computation has been modified by an inplace operation: {what} of "
        f"{messages.node_at(node)} was written in place{writer} after the call. Write to a clone(), or later."
    )
