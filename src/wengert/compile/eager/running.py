"""Running sums and products of rows: one loop in order over each, which no fusion of elementwise operations makes."""

from __future__ import annotations

from typing import Final

from wengert.compile.nest import (
    Affine,
    Buffer,
    Carry,
    Compute,
    Expr,
    Extent,
    Kernel,
    Load,
    Loop,
    Role,
    Statement,
    Store,
    at,
)

# The operation of a step, what it begins with, and whether it runs from the end.
RUNNING: Final = {
    "cumsum": ("add", 0.0, False),
    "cumsum_reversed": ("add", 0.0, True),
    "cumprod": ("mul", 1.0, False),
}
_WIDE: Final = "f8"  # in which PyTorch keeps the running value


def running_kernel(name: str, dtype: str, shape: tuple[Extent, ...]) -> Kernel:
    """The kernel of a running operation along the last axis of arrays of this shape."""
    op, start, is_reversed = RUNNING[name]
    *outer, last = [f"i{axis}" for axis in range(len(shape))]
    length = shape[-1]
    from_end = Affine(((last, -1),), length - 1 if isinstance(length, int) else Expr("-", (length, 1)))
    index = (*[at(axis) for axis in outer], from_end if is_reversed else at(last))
    step: list[Statement] = [Load("x", "x0", index)]
    step.append(Compute("wide", "cast", ("x",), _WIDE))
    step.append(Compute("next", op, ("running", "wide"), _WIDE))
    step.append(Compute("y", "cast", ("next",), dtype))
    step.append(Store("y0", index, "y"))
    body: Statement = Loop(last, length, tuple(step), carries=(Carry("running", start, "next", "end", _WIDE),))
    for number, axis in reversed(list(enumerate(outer))):
        body = Loop(axis, shape[number], (body,), parallel=number == 0, vector=False)
    buffers = (Buffer("x0", dtype, shape, Role.IN), Buffer("y0", dtype, shape, Role.OUT))
    return Kernel("kernel", buffers, (body,))


__all__ = ["RUNNING", "running_kernel"]
