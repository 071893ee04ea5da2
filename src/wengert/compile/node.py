"""The graph node that a call of a compiled function records: its backward is a compiled program, too."""

from __future__ import annotations

from typing import Any

from wengert._source import user_code
from wengert.engine import messages
from wengert.engine.base import cell_of, edge_of, wrap
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
        cells = [cell_of(t) for t in tensors]
        self.saved = (
            kept,
            leaves,
            [(t._data, edge_of(t), c, c[0] if c else 0) for t, c in zip(tensors, cells, strict=True)],
        )

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
        kept, leaves, inputs = self.saved
        plan = self.plan
        if plan.refusal is not None:
            raise plan.refusal.with_traceback(None)
        for number in range(len(inputs)) if STATE.grad_enabled else plan.kept_inputs:
            _, _, cell, version = inputs[number]
            if cell and cell[0] != version:
                raise RuntimeError(_changed(self, number, cell))
        if STATE.grad_enabled:
            tensors = [as_tensor(raw, edge, cell) for raw, edge, cell, _ in inputs]
            return plan.adjoint(leaves, tensors, grads)  # type: ignore[no-any-return]
        raws = [inputs[number][0] for number in plan.kept_inputs]
        found = plan.backward(*raws, *kept, *[g._data for g in grads])
        return tuple([None if g is None else wrap(g) for g in found])


def _changed(node: Node, number: int, cell: Any) -> str:
    writer = f" at {messages.place(cell[1], cell[2])}" if len(cell) > 2 else ""
    return (
        f"one of the variables needed for gradient computation has been modified by an inplace operation: input "
        f"{number} of "
        f"{messages.node_at(node)} was written in place{writer} after the call. Write to a clone(), or after "
        f"backward()."
    )
