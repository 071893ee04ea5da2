"""What the modules of elementwise functions share: documented examples, and two-tensor functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert._promotion import result_type_of
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.engine.out import deliver
from wengert.engine.pointwise import binary, named
from wengert.functions.options import require_tensor
from wengert.ops.record import Op

__all__ = ["call", "category_of", "inplace_of_tensors", "is_number", "of_tensors", "shown"]

Function = Callable[..., Any]
_NUMBERS = (bool, int, float, complex)


def shown(function: Function, module: str, call: str, result: str) -> Function:
    """The function with an example at the end of its documentation, which the tests of ``module`` run."""
    function.__module__ = module
    function.__doc__ = f"{function.__doc__}\n\n>>> import wengert as torch\n>>> torch.{call}\n{result}\n"
    return function


def is_number(x: Any) -> bool:
    """Whether ``x`` is a Python number (NumPy's float64 is one too)."""
    return isinstance(x, _NUMBERS)


def of_tensors(op: Op) -> Function:
    """The public function of an operation that, in PyTorch, takes two tensors and no numbers."""
    # The short path trusts that the operation takes floats, which only those with derivatives all do.
    core = binary(op) if op.differentiable else None
    name, second = op.name, op.args[1]

    def function(input: Any, other: Any, *, out: Any = None) -> Any:
        if not isinstance(input, TensorBase) or not isinstance(other, TensorBase):
            require_tensor(name, input)
            require_tensor(name, other, second, 2)
        return call(op, out, input, other) if core is None else core(input, other, out=out, depth=2)

    return named(function, op)


def inplace_of_tensors(op: Op) -> Function:
    """The in-place method of an operation that, in PyTorch, takes two tensors and no numbers."""

    def method(self: Any, other: Any) -> Any:
        return inplace(op, self, require_tensor(f"{op.name}_", other, op.args[1]))

    named(method, op)
    method.__name__ = method.__qualname__ = f"{op.name}_"
    return method


def category_of(*operands: Any) -> str:
    """The kind letter (``b i u f c``) of the type in which an operation on these tensors and numbers computes."""
    return result_type_of([x._data if isinstance(x, TensorBase) else x for x in operands]).kind


def call(op: Op, out: Any, *inputs: Any, **meta: Any) -> Any:
    """Apply an operation and deliver its result."""
    return deliver(out, apply(op, *inputs, **meta), *inputs)
