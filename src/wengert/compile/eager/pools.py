"""Means and maxima of patches as loop nests: the pixels of a patch are loaded one by one and stay in registers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any, Final

from wengert.compile.nest import (
    Affine,
    Buffer,
    Compute,
    Expr,
    Extent,
    Iota,
    Kernel,
    Load,
    Loop,
    Role,
    Statement,
    Store,
    at,
)

POOLS: Final = frozenset(["avg_pool", "max_pool"])
MOST_PIXELS: Final = 16  # of a patch: the loads of more fill the code


# Means of patches that lie apart: from so many pixels on NumPy's rows are quicker than loads one by one.
_MANY_MEANS: Final = 1 << 16


def fits(name: str, shape: Sequence[int], meta: dict[str, Any]) -> bool:
    """Whether there is a kernel: patches whose number is rounded down, means over all of a patch."""
    kernel, places, space = meta["kernel"], meta["places"], shape[2:]
    if name == "avg_pool" and max(places.stride) > 1 and prod(shape) >= _MANY_MEANS:
        return False
    if prod(kernel) > MOST_PIXELS or tuple(meta["counts"]) != tuple(map(_count, space, kernel, *places)):
        return False
    if name == "max_pool":
        return not any(places.padding) or all([d == 1 for d in places.dilation])
    return meta["divisor"] is None and (meta["with_border"] or not any(places.padding))


def _count(n: int, k: int, stride: int, padding: int, dilation: int) -> int:
    return (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1


def pool_kernel(name: str, dtype: str, meta: dict[str, Any]) -> Kernel:
    """The kernel for images of any size; their first axis is that of all images and channels."""
    kernel, (strides, paddings, dilations) = meta["kernel"], meta["places"]
    space = [f"n{axis}" for axis in range(len(kernel))]
    counts: list[Extent] = [
        Expr("//", (Expr("+", (n, 2 * p - d * (k - 1) - 1 + s)), s))
        for n, k, s, p, d in zip(space, kernel, strides, paddings, dilations, strict=True)
    ]
    axes = [f"i{axis}" for axis in range(len(kernel))]
    here = (at("row"), *map(at, axes))
    outside = None if not any(paddings) else 0.0 if name == "avg_pool" else float("-inf")
    body: list[Statement] = []
    pixels = []
    for number, place in enumerate(product(*map(range, kernel))):
        offsets = [d * k - p for k, d, p in zip(place, dilations, paddings, strict=True)]
        index = [Affine(((axis, s),), o) for axis, s, o in zip(axes, strides, offsets, strict=True)]
        body.append(Load(f"x{number}", "x0", (at("row"), *index), outside))
        pixels.append((f"x{number}", offsets))
    if name == "avg_pool":
        body += _mean([x for x, _ in pixels], dtype)
    else:
        body += _maximum(pixels, axes, space, strides, paddings, dtype)
    body.append(Store("y0", here, "result"))
    results = [Buffer("y0", dtype, ("rows", *counts), Role.OUT)]
    if name == "max_pool":
        body.append(Store("y1", here, "place"))
        results.append(Buffer("y1", "i8", ("rows", *counts), Role.OUT))
    statements = tuple(body)
    for axis, n in reversed(list(zip(axes, counts, strict=True))):
        statements = (Loop(axis, n, statements),)
    whole = Loop("row", "rows", statements, parallel=True)
    return Kernel("kernel", (Buffer("x0", dtype, ("rows", *space), Role.IN), *results), (whole,))


def _mean(pixels: Sequence[str], dtype: str) -> list[Statement]:
    body: list[Statement] = []
    total = pixels[0]
    for number, x in enumerate(pixels[1:]):
        body.append(Compute(f"s{number}", "add", (total, x), dtype))
        total = f"s{number}"
    body.append(Compute("result", "div", (total, float(len(pixels))), dtype))
    return body


def _maximum(
    pixels: Sequence[tuple[str, Sequence[int]]],
    axes: Sequence[str],
    space: Sequence[str],
    strides: Sequence[int],
    paddings: Sequence[int],
    dtype: str,
) -> list[Statement]:
    """The first of the largest pixels, NaN before all, of those the last; and its place in the flat image."""
    steps: list[Extent] = [1]
    for n in reversed(space[1:]):
        steps.insert(0, n if steps[0] == 1 else Expr("*", (n, steps[0])))
    body: list[Statement] = []
    if any(paddings):  # the first pixel that is not border
        best = "lowest"
        body.append(Compute(best, "clone", (float("-inf"),), dtype))
        where = _first_inside(body, axes, steps, strides, paddings)
    else:
        best, where = pixels[0][0], "p0"
        body.append(Iota(where, _flat(axes, steps, strides, pixels[0][1])))
        pixels = pixels[1:]
    for number, (x, offsets) in enumerate(pixels, 1):
        body += [
            Iota(f"p{number}", _flat(axes, steps, strides, offsets)),
            Compute(f"g{number}", "gt", (x, best), "b1"),
            Compute(f"u{number}", "ne", (x, x), "b1"),
            Compute(f"t{number}", "logical_or", (f"g{number}", f"u{number}"), "b1"),
            Compute(f"b{number}", "where", (f"t{number}", x, best), dtype),
            Compute(f"w{number}", "where", (f"t{number}", f"p{number}", where), "i8"),
        ]
        best, where = f"b{number}", f"w{number}"
    return [*body, Compute("result", "clone", (best,), dtype), Compute("place", "clone", (where,), "i8")]


def _flat(axes: Sequence[str], steps: Sequence[Extent], strides: Sequence[int], offsets: Sequence[int]) -> Affine:
    """The place in the flat image of one pixel of each patch."""
    terms = tuple([(axis, _times(step, s)) for axis, step, s in zip(axes, steps, strides, strict=True)])
    parts = [_times(step, o) for step, o in zip(steps, offsets, strict=True) if o]
    return Affine(terms, parts[0] if len(parts) == 1 else Expr("+", tuple(parts)) if parts else 0)


def _times(step: Extent, by: int) -> Extent:
    return step * by if isinstance(step, int) else step if by == 1 else Expr("*", (step, by))


def _first_inside(
    body: list[Statement],
    axes: Sequence[str],
    steps: Sequence[Extent],
    strides: Sequence[int],
    paddings: Sequence[int],
) -> str:
    total = ""
    for number, (axis, step, s, p) in enumerate(zip(axes, steps, strides, paddings, strict=True)):
        body.append(Iota(f"o{number}", Affine(((axis, s),), -p)))
        body.append(Compute(f"c{number}", "maximum", (f"o{number}", 0), "i8"))
        body.append(Iota(f"k{number}", Affine((), step)))
        body.append(Compute(f"m{number}", "mul", (f"c{number}", f"k{number}"), "i8"))
        if total:
            body.append(Compute(f"f{number}", "add", (total, f"m{number}"), "i8"))
            total = f"f{number}"
        else:
            total = f"m{number}"
    return total


__all__ = ["POOLS", "fits", "pool_kernel"]
