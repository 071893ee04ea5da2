"""The texts of errors about compiled functions."""

from __future__ import annotations

from typing import Any

from wengert._source import Location, describe, locate, user_code
from wengert.ops.record import Op

OVERLAPPING = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
    "Please clone() the tensor before performing the operation."
)

RANDOM = (
    "compile() cannot trace this use of a random stream: it is seeded or read while the function is traced, or how its "
    "numbers are distributed depends on values. Inside a compiled function are rand, randn, randint, randperm, normal, "
    "bernoulli, the methods that fill a tensor, and dropout; seed generators and draw other numbers before the call."
)


RUN_AGAIN = (
    "a batch of gradients, or forward mode over gradients, runs a compiled function again eagerly, and this one calls "
    "backward() or steps an optimizer, which would happen twice. Take such derivatives of the part that computes the "
    "loss."
)

TWICE_THROUGH_WHILE = (
    "a compiled while_loop has first derivatives only: how many steps there are is known only when it runs. For higher "
    "ones use scan or fori_loop, which have a number of steps, or call the function without compile()."
)


def not_carried(what: str) -> str:
    """A loop carries what is no tensor."""
    return (
        f"{what}() in a compiled function carries tensors only, and one of its values is none: write torch.tensor(0) "
        "for a count that begins at 0."
    )


def no_program(what: str, error: Exception) -> str:
    """A branch or a step does what only Python can do."""
    return (
        f"{what}() in a compiled function became no part of the program: {error}. What is written and what is drawn "
        "must be handed in and returned; or compile(..., fallback=True) runs the function eagerly."
    )


def different_branches(a: Any, b: Any) -> str:
    """The branches of a condition do not fit together."""
    return (
        f"cond: the branches must return the same containers of the same shapes and dtypes, and they return {a} and {b}"
    )


def here() -> Location | None:
    """The user's line that runs now."""
    return locate(*user_code())


def leaked(value: Any) -> str:
    """A tensor of one trace is used in another, or after it."""
    return (
        f"a tensor of shape {list(value.shape)} ({value.dtype}) that stands for a value inside a compiled function "
        f"is used "
        "outside of that call, where it has no value. A compiled function must return what others need, not store "
        "it in a "
        "list, attribute or global variable."
    )


def value_dependent(op: Op) -> str:
    """The shape of a result is known only when the program runs."""
    return (
        f"{describe(op.name, here())} gives a result whose shape depends on the values of its input, which a "
        f"compiled program "
        "cannot hold. Use a form with a fixed shape: torch.where(mask, x, 0.) instead of x[mask], a sum over mask "
        "* x instead "
        "of x[mask].sum(); or compile(..., fallback=True) runs this function eagerly."
    )


def untraceable(op: Any) -> str:
    """A batching rule does to arrays what has no operation."""
    name = op if isinstance(op, str) else str(getattr(op, "name", None) or getattr(op, "__name__", op))
    return (
        f"{describe(name, here())} inside vmap cannot be traced by compile(): its batching rule works on the arrays "
        "themselves, or a tensor from outside is batched. Compile the function and vmap the result, or pass the tensor "
        "as an argument."
    )


def written_past(t: Any) -> str:
    """Something writes to memory directly while a function is traced."""
    return (
        f"{describe('a write', here())} into a tensor of shape {list(t._data.shape)} cannot be part of a compiled "
        f"program: it "
        "is neither an in-place operation nor an assignment to an index. Write y = f(x) instead of f(x, out=y), "
        "and fill "
        "tensors before the call."
    )


def written_argument(t: Any) -> str:
    """A compiled function wrote a tracked value into a tensor from outside."""
    return (
        f"a compiled function writes a value that requires grad into a tensor of shape {list(t._data.shape)} which "
        f"it got from "
        "outside. Return the value instead; or do the write under no_grad(), as optimisers do."
    )


def replaced(shape: Any) -> str:
    """A compiled function gave a tensor from outside other memory or axes."""
    return (
        f"a compiled function gives a tensor of shape {list(shape)} which it got from outside other memory or another "
        "shape (`x.data = y`, `t_`, `squeeze_` and the like). Only values can be written there: use `x.t()` and the "
        "like, which give a new tensor, or do this before or after the call."
    )


def backward_outside(shape: Any) -> str:
    """A backward pass would leave the compiled function."""
    return (
        f"{describe('a backward pass', here())} inside a compiled function reaches a tensor of shape {list(shape)} "
        "which is a result of something outside, where the program ends. Return the loss and call backward() outside, "
        "or pass x.detach()."
    )


def runs_later(x: Any) -> str:
    """What a function returns has not run yet."""
    return (
        f"a compiled function returns a {type(x).__name__} ({x.__qualname__}), which runs only after the call, when "
        "nothing is traced any more. Return list(...) of it, or compile the function that it calls for each element."
    )


def overlapping_captures() -> str:
    """Two tensors on overlapping memory, one of them written."""
    return (
        "a compiled function writes to a tensor whose memory overlaps with that of another tensor that it uses. "
        "Pass the base "
        "and take the parts inside the function."
    )
