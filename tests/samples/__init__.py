"""Sample inputs for operations whose inputs cannot be generated from their record alone; one module a family."""

from __future__ import annotations

from typing import Any


class Sample:
    """Inputs and metadata as an operation's ``impl`` receives them."""

    def __init__(self, *inputs: Any, **meta: Any) -> None:
        self.inputs = inputs
        self.meta = meta

    def __repr__(self) -> str:
        shapes = ", ".join(str(getattr(x, "shape", x)) for x in self.inputs)
        return f"Sample({shapes}; {self.meta})"
