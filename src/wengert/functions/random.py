"""Tensors of random numbers: ``rand``, ``randn``, ``randint``, ``randperm`` and their relatives."""

from __future__ import annotations

from functools import cache
from typing import Any

from wengert._batched import filled
from wengert._dtypes import NumpyDtype, from_numpy_dtype, int64
from wengert._finfo import finfo, iinfo
from wengert._random import Stream
from wengert.functions.generators import stream_of
from wengert.functions.likes import like
from wengert.functions.memory_order import laid_out, normals_like
from wengert.functions.nested import cast
from wengert.functions.options import (
    chosen_dtype,
    integer,
    made,
    made_into,
    one_size,
    size_argument,
    type_name,
)

__all__ = ["rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm"]


def require_float(kernel: str, dtype: NumpyDtype, *, allow_complex: bool = False) -> None:
    """Raise unless numbers of a continuous distribution can be stored in this dtype."""
    if dtype.kind != "f" and not (allow_complex and dtype.kind == "c"):
        raise NotImplementedError(
            f"\"{kernel}\" not implemented for '{type_name(dtype)}': the numbers are real, so the dtype must be a "
            f"floating-point one, not {from_numpy_dtype(dtype)}"
        )


# --- tensors of random numbers ---------------------------------------------------------------------------------------


def rand(
    *sizes: Any,
    size: Any = None,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """Numbers of the uniform distribution on [0, 1), in a tensor of the given size.

    Raises:
        TypeError: sizes that are not integers.
        NotImplementedError: a bool or integer dtype.

    >>> import wengert as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    kind = chosen_dtype("rand", dtype, out=out, layout=layout, device=device, pin_memory=pin_memory)
    require_float("check_uniform_bounds", kind, allow_complex=True)
    raw = stream_of("rand", generator).uniform(size_argument("rand", sizes, size), kind)
    return made_into(out, raw, requires_grad)


def randn(
    *sizes: Any,
    size: Any = None,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """Numbers of the standard normal distribution, in a tensor of the given size. Complex ones have variance 1 too.

    Raises:
        TypeError: sizes that are not integers.
        NotImplementedError: a bool or integer dtype.

    >>> import wengert as torch
    >>> torch.randn(2, 3).shape
    torch.Size([2, 3])
    """
    kind = chosen_dtype("randn", dtype, out=out, layout=layout, device=device, pin_memory=pin_memory)
    require_float("normal_kernel_cpu", kind, allow_complex=True)
    raw = stream_of("randn", generator).normal(size_argument("randn", sizes, size), kind)
    return made_into(out, raw, requires_grad)


def randint(
    *bounds_and_size: Any,
    low: int | None = None,
    high: int | None = None,
    size: Any = None,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """Integers in [low, high), all equally likely: ``randint([low=0,] high, size)``. The dtype is int64 unless given.

    Raises:
        TypeError: bounds that are not integers or a size that is no sequence of them.
        RuntimeError: an empty range, or one that the dtype cannot hold.

    >>> import wengert as torch
    >>> sorted(set(torch.randint(1, 4, (100,)).tolist()))
    [1, 2, 3]
    """
    given = list(bounds_and_size)
    if size is None and given and isinstance(given[-1], (tuple, list)):
        size = given.pop()
    elif size is None and len(given) > 1:
        size = given.pop()  # not a sequence: one_size says so
    below, above = _integer_bounds("randint", given, low, high)
    shape = one_size("randint", size, len(bounds_and_size))
    kind = chosen_dtype("randint", dtype, int64.np, out=out, layout=layout, device=device, pin_memory=pin_memory)
    raw = integers_of(stream_of("randint", generator), below, above, shape, kind)
    return made_into(out, raw, requires_grad)


def _integer_bounds(function: str, given: list[Any], low: Any, high: Any) -> tuple[int, int]:
    names = ["low", "high"] if len(given) > 1 else ["high"]
    bounds: dict[str, Any] = {"low": low, "high": high}
    if high is not None:
        names = ["low"]  # randint(low, high=..., size=...)
    bounds |= dict(zip(names, given, strict=False))
    if bounds["high"] is None:
        raise TypeError(f'{function}() missing 1 required positional arguments: "high"')
    below = 0 if bounds["low"] is None else integer(function, "low", 1, bounds["low"])
    return below, integer(function, "high", len(names), bounds["high"])


def integers_of(
    stream: Stream, low: int, high: int, shape: tuple[int, ...], dtype: NumpyDtype, wide: bool | None = None
) -> Any:
    """Integers in [low, high) in a dtype that can hold them."""
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if dtype.kind == "c":
        raise NotImplementedError(f"\"random_from_to_kernel_cpu\" not implemented for '{type_name(dtype)}'")
    lowest, highest = _range_of(dtype)
    for name, bound in (("from", low), ("to - 1", high - 1)):
        if not lowest <= bound <= highest:
            raise RuntimeError(
                f"{name} is out of bounds for {from_numpy_dtype(dtype).name}: got {bound}, and the dtype holds the "
                f"integers from {lowest} to {highest}"
            )
    return cast(stream.integers(low, high, shape, wide), dtype)


@cache
def _range_of(dtype: NumpyDtype) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    limits = iinfo(from_numpy_dtype(dtype)) if dtype.kind in "iu" else finfo(from_numpy_dtype(dtype))
    return max(-(2**63), int(limits.min)), min(2**63 - 1 if dtype.kind == "f" else 2**64, int(limits.max))


def randperm(
    n: int,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """The integers from 0 to ``n - 1`` in random order, all orders equally likely. The dtype is int64 unless given.

    Raises:
        RuntimeError: a negative ``n``, or one too large for the dtype.

    >>> import wengert as torch
    >>> sorted(torch.randperm(5).tolist())
    [0, 1, 2, 3, 4]
    """
    count = integer("randperm", "n", 1, n)
    if count < 0:
        raise RuntimeError(f"n must be non-negative, got {count}")
    kind = chosen_dtype("randperm", dtype, int64.np, out=out, layout=layout, device=device, pin_memory=pin_memory)
    if kind.kind != "c" and count - 1 > _range_of(kind)[1]:
        raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow: randperm got n={count}")
    raw = stream_of("randperm", generator).permutation(count)
    return made_into(out, cast(raw, kind), requires_grad)


# --- of the kind of a given tensor -----------------------------------------------------------------------------------


def rand_like(
    input: Any,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """As :func:`rand`, in the shape and, unless told otherwise, the dtype of ``input``.

    >>> import wengert as torch
    >>> torch.rand_like(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    raw, kind = like("rand_like", input, dtype, layout, device, pin_memory, memory_format)
    require_float("check_uniform_bounds", kind, allow_complex=True)
    stream = stream_of("rand_like", generator)
    return made(filled(raw, laid_out(raw, lambda shape: stream.uniform(shape, kind))), requires_grad)


def randn_like(
    input: Any,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """As :func:`randn`, in the shape and, unless told otherwise, the dtype of ``input``.

    >>> import wengert as torch
    >>> torch.randn_like(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    raw, kind = like("randn_like", input, dtype, layout, device, pin_memory, memory_format)
    require_float("normal_kernel_cpu", kind, allow_complex=True)
    return made(filled(raw, normals_like(raw, stream_of("randn_like", generator), kind)), requires_grad)


def randint_like(
    input: Any,
    *bounds: Any,
    low: int | None = None,
    high: int | None = None,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """As :func:`randint`, in the shape and, unless told otherwise, the dtype of ``input``.

    >>> import wengert as torch
    >>> torch.randint_like(torch.zeros(2, 3), 10).dtype
    torch.float32
    """
    raw, kind = like("randint_like", input, dtype, layout, device, pin_memory, memory_format)
    below, above = _integer_bounds("randint_like", list(bounds), low, high)
    stream = stream_of("randint_like", generator)
    drawn = laid_out(raw, lambda shape: integers_of(stream, below, above, shape, kind))
    return made(filled(raw, drawn), requires_grad)
