"""What a trace knows of tensors that it did not make: captured ones, and what became of their ``.grad``."""

from __future__ import annotations

from typing import Any

from wengert._traced import TraceError
from wengert.compile import messages
from wengert.compile.storage import Storage
from wengert.engine.base import TensorBase
from wengert.engine.node import RecordedNode
from wengert.program.values import Value


class Capture:
    """A tensor that the function did not get as an argument.

    One from outside is an input of the program, whose values are read anew at each call; one that was made while
    tracing is a constant.
    """

    __slots__ = ("owner", "proxy", "storage", "tensor", "value")

    def __init__(self, tensor: TensorBase, storage: Storage, value: Value, owner: TensorBase | None) -> None:
        self.tensor = tensor
        self.storage = storage
        self.value = value
        self.owner = owner  # the tensor whose `.grad` it is
        self.proxy: Any = None  # what stands for it in the graph of the trace, if it is a result outside

    def inside(self) -> Any:
        """The tensor that the graph of the trace knows."""
        return self.tensor if self.proxy is None else self.proxy


class Boundary(RecordedNode):
    """Where the graph of a trace ends: at a tensor that is a result outside."""

    __slots__ = ()

    def pull(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """The graph outside is not part of the program."""
        raise TraceError(messages.backward_outside(self.shape))


class GradSlot:
    """What is known of the ``.grad`` of a tensor: what it was, and whether the function read it before it set it."""

    __slots__ = ("is_read", "tensor", "value")

    def __init__(self, tensor: TensorBase, *, is_read: bool) -> None:
        self.tensor = tensor
        self.value = getattr(tensor, "_grad", None)
        self.is_read = is_read
