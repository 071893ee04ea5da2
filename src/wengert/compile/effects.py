"""What a compiled function does to tensors that it did not make: values written, gradients, ``requires_grad``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wengert.compile import messages
from wengert.compile.captures import Boundary
from wengert.compile.sources import Draw, HostInputs
from wengert.compile.trace import Trace
from wengert.engine.base import TensorBase, is_tracking
from wengert.engine.out import mark_written, writeable
from wengert.program.values import Value

State = tuple[bool, bool]


class Effects:
    """The effects of one specialisation, carried out after each run; none at first.

    Leaves are those of the arguments, inputs those of the program, outputs its results.
    """

    def __init__(self) -> None:
        self.writes: list[tuple[int, int]] = []  # (number of the input, number of the output)
        self._grads: list[tuple[Any, int | None]] = []  # (tensor or number of the leaf, number of the output)
        self._grads_read: list[tuple[Any, bool]] = []  # (tensor or number of the leaf, whether it had a gradient)
        self._switched: list[tuple[int, bool]] = []  # (number of the leaf, what its requires_grad becomes)

    def read(self, trace: Trace, arguments: Sequence[tuple[int, Any, State]], outputs: list[Value]) -> None:
        """Find out what a function has done.

        Args:
            trace: the trace, which is still set.
            arguments: number of the leaf, what stands for it, and the :func:`state` that this began with.
            outputs: the results of the program; what is written becomes one of them.
        """
        for number, (t, storage, value) in enumerate(_given(trace, [t for _, t, _ in arguments])):
            if storage.current() is not value:
                if is_tracking(t) and t._node is not None and not isinstance(t._node, Boundary):
                    raise RuntimeError(messages.written_argument(t))
                self.writes.append((number, len(outputs)))
                outputs.append(storage.current())
        self._switched = [(i, t._rg) for i, t, before in arguments if state(t) != before]
        leaf_of = {id(t): i for i, t, _ in arguments}
        for slot in trace.grads.values():
            owner, grad = leaf_of.get(id(slot.tensor), slot.tensor), slot.tensor._grad
            if slot.is_read:
                self._grads_read.append((owner, slot.value is not None))
                if slot.value is not None and isinstance(owner, int):
                    trace.capture(slot.value)  # who runs the function again has to give it a gradient
            if grad is not slot.value:
                self._grads.append((owner, None if grad is None else len(outputs)))
                if grad is not None:
                    outputs.append(trace.value_of(grad))

    def __bool__(self) -> bool:
        return bool(self.writes or self._grads or self._grads_read or self._switched)

    @property
    def writes_outside(self) -> bool:
        """Whether a call writes into tensors that the function did not make."""
        return bool(self.writes or self._grads)

    def can_be_undone(self, hosts: Sequence[HostInputs]) -> bool:
        """Whether running the function once more, eagerly, changes no more than what its caller can set right."""
        return not self._grads and all([isinstance(host.source, Draw) for host in hosts])

    def hold(self, leaves: Sequence[Any]) -> bool:
        """Whether those tensors have gradients that had them when this was traced, of those that were asked."""
        return all([(grad_of(owner, leaves) is not None) is there for owner, there in self._grads_read])

    def check(self, tensors: Sequence[Any]) -> None:
        """Raise if what will be written cannot be, for these inputs."""
        if self.writes:
            _check_apart(tensors, [tensors[number] for number, _ in self.writes])

    def switch(self, leaves: Sequence[Any]) -> None:
        """Change which arguments require grad: before results are recorded, which may lead to them."""
        for leaf, requires_grad in self._switched:
            leaves[leaf].detach_().requires_grad_(requires_grad)

    def carry_out(
        self, leaves: Sequence[Any], tensors: Sequence[Any], raws: Sequence[Any], made: Sequence[Any]
    ) -> None:
        """Write, now that the program has run: ``raws`` are its outputs, and ``made`` tensors of them."""
        for number, place in self.writes:
            _write(tensors[number], raws[place])
        for owner, grad in self._grads:
            (leaves[owner] if isinstance(owner, int) else owner)._grad = None if grad is None else made[grad]


def _given(trace: Trace, stand_ins: Sequence[Any]) -> Iterator[tuple[Any, Any, Value]]:
    """The tensors that the function did not make, their storages, and the values that these began with."""
    for t, value in zip(stand_ins, trace.arguments, strict=True):
        yield t, t._data, value
    for capture in list(trace.captures):
        yield capture.tensor, capture.storage, capture.value


def state(t: Any) -> State:
    """Whether a tensor requires grad, and whether it does so as a leaf."""
    return t._rg, t._rg and t._node is None


def grad_of(owner: Any, leaves: Sequence[Any]) -> Any:
    """The gradient that a tensor from outside, or the leaf of this number, has now."""
    return getattr(leaves[owner] if isinstance(owner, int) else owner, "_grad", None)


def _check_apart(tensors: Sequence[Any], written: Sequence[Any]) -> None:
    """Raise if what is written is read-only, or overlaps with another tensor, as it did not when it was traced."""
    arrays = [t._data for t in tensors if t._data.__class__ is np.ndarray]
    borrowed = [a for a in arrays if not a.flags.owndata]  # two that own their memory are apart
    for t in written:
        data = t._data
        if data.__class__ is not np.ndarray:
            continue
        flags = data.flags
        if not flags.writeable:
            writeable(data)
        others = borrowed if flags.owndata else arrays
        if others and any([np.may_share_memory(data, a) for a in others if a is not data]):
            raise RuntimeError(messages.overlapping_captures())


def _write(t: TensorBase, raw: Any) -> None:
    if t._data is raw:
        pass  # a kernel has written there
    elif t._data.__class__ is np.ndarray:
        np.copyto(t._data, raw)
    else:
        t._data = raw if raw.__class__ is not np.ndarray else raw[()]
    mark_written(t)


__all__ = ["Effects", "grad_of", "state"]
