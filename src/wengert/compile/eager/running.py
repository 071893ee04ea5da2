"""Running sums, products and recurrences of rows: a loop in order over each, which no fusion of operations makes."""

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

# The operations of a step with an input each, what it begins with, and whether it runs from the end (None: metadata).
RUNNING: Final[dict[str, tuple[tuple[str, ...], float, bool | None]]] = {
    "cumsum": (("add",), 0.0, False),
    "cumsum_reversed": (("add",), 0.0, True),
    "cumprod": (("mul",), 1.0, False),
    "linear_recurrence": (("mul", "add"), 0.0, None),
}
_WIDE: Final = "f8"  # in which PyTorch keeps the running value


def running_kernel(name: str, dtype: str, shape: tuple[Extent, ...], *, reverse: bool = False) -> Kernel:
    """The kernel of a running operation along the last axis of arrays of this shape."""
    ops, start, is_reversed = RUNNING[name]
    is_reversed = reverse if is_reversed is None else is_reversed
    *outer, last = [f"i{axis}" for axis in range(len(shape))]
    length = shape[-1]
    from_end = Affine(((last, -1),), length - 1 if isinstance(length, int) else Expr("-", (length, 1)))
    index = (*[at(axis) for axis in outer], from_end if is_reversed else at(last))
    step: list[Statement] = []
    state = "running"
    for number, op in enumerate(ops):
        step.append(Load(f"v{number}", f"x{number}", index))
        step.append(Compute(f"wide{number}", "cast", (f"v{number}",), _WIDE))
        step.append(Compute(f"next{number}", op, (state, f"wide{number}"), _WIDE))
        state = f"next{number}"
    step.append(Compute("y", "cast", (state,), dtype))
    step.append(Store("y0", index, "y"))
    body: Statement = Loop(last, length, tuple(step), carries=(Carry("running", start, state, "end", _WIDE),))
    for number, axis in reversed(list(enumerate(outer))):
        body = Loop(axis, shape[number], (body,), parallel=number == 0, vector=False)
    given = [Buffer(f"x{number}", dtype, shape, Role.IN) for number in range(len(ops))]
    return Kernel("kernel", (*given, Buffer("y0", dtype, shape, Role.OUT)), (body,))


__all__ = ["RUNNING", "running_kernel"]
