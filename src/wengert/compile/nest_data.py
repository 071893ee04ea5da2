"""A kernel's arguments and results, with their sizes, as plain lists for a file."""

from __future__ import annotations

from typing import Any

from wengert.compile.nest import Buffer, Expr, Extent, Kernel, Role


def extent_data(extent: Extent) -> Any:
    """A size as a number, a name, or a list that begins with an operator."""
    return [extent.op, *map(extent_data, extent.args)] if isinstance(extent, Expr) else extent


def extent_of(data: Any) -> Extent:
    """From :func:`extent_data`."""
    return Expr(data[0], tuple(map(extent_of, data[1:]))) if isinstance(data, list) else data


def signature_data(kernel: Kernel) -> list[Any]:
    """The name of a kernel, its arguments and its results."""
    outside = kernel.of_role(Role.IN, Role.INOUT, Role.OUT)
    return [
        kernel.name,
        [[b.name, b.dtype, [extent_data(n) for n in b.shape], b.role.value, b.strided] for b in outside],
    ]


def signature_of(data: list[Any]) -> Kernel:
    """From :func:`signature_data`: a kernel that has arguments and results, and no statements."""
    name, buffers = data
    return Kernel(
        name,
        tuple(
            [
                Buffer(b, dtype, tuple(map(extent_of, shape)), Role(role), strided=strided)
                for b, dtype, shape, role, strided in buffers
            ]
        ),
        (),
    )


__all__ = ["extent_data", "extent_of", "signature_data", "signature_of"]
