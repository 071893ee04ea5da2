"""The arguments that all reductions have in common: ``dim`` and ``keepdim``, and NumPy's names for them."""

from __future__ import annotations

from typing import Any, NoReturn

from wengert.engine.base import TensorBase
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim, wrap_dims
from wengert.functions.options import require_tensor, type_name

Dims = tuple[int, ...] | None


def reduced_axes(function: str, input: Any, dim: Any, axis: Any, keepdim: Any, keepdims: Any) -> tuple[Dims, bool]:
    """The axes that a reduction goes over, sorted and non-negative, and whether they are kept.

    None says all axes: ``dim`` was left out.

    Raises:
        TypeError: ``input`` is no tensor, ``dim`` holds no integers, ``keepdim`` is no bool, or both names were used.
        IndexError: no such axis.
        RuntimeError: an axis is named twice.
    """
    ndim = require_tensor(function, input)._data.ndim
    dim = one_name(function, "dim", dim, "axis", axis)
    keep = checked_flag(function, keepdim, keepdims)
    if dim is None:
        return (tuple(range(ndim)) if keep else None), keep
    if not isinstance(dim, (tuple, list)):
        dim = (dim,)
    axes = wrap_dims(dim, ndim)
    if not ndim:
        return (), keep
    return (tuple(sorted(axes)) if axes else tuple(range(ndim))), keep


def reduced_axis(
    function: str, input: Any, dim: Any, axis: Any, keepdim: Any, keepdims: Any
) -> tuple[int | None, bool]:
    """As :func:`reduced_axes`, for a reduction along one axis or over everything (None)."""
    ndim = require_tensor(function, input)._data.ndim
    dim = one_name(function, "dim", dim, "axis", axis)
    return (None if dim is None else wrap_dim(dim, ndim)), checked_flag(function, keepdim, keepdims)


def one_axis(function: str, input: Any, dim: Any, axis: Any = None, default: int | None = None) -> int:
    """The axis that a function works along, non-negative (0 for a 0-d tensor)."""
    ndim = require_tensor(function, input)._data.ndim
    dim = one_name(function, "dim", dim, "axis", axis)
    if dim is None:
        if default is None:
            raise TypeError(f'{function}() missing 1 required positional arguments: "dim"')
        dim = default
    return wrap_dim(dim, ndim)


def one_name(function: str, name: str, value: Any, alias: str, other: Any) -> Any:
    """The value of an argument that has two names; TypeError if both were used."""
    if other is None:
        return value
    if value is not None:
        raise TypeError(f"{function}() got both '{name}' and '{alias}', which mean the same: pass one of them")
    return other


def checked_flag(function: str, keepdim: Any, keepdims: Any) -> bool:
    """The value of ``keepdim`` by either name; TypeError unless it is a bool."""
    flag = keepdim if keepdims is None else keepdims
    if flag is not True and flag is not False:
        raise TypeError(f"{function}(): argument 'keepdim' must be bool, not {type(flag).__name__}")
    return flag


# --- dtypes and results ----------------------------------------------------------------------------------------------


def not_implemented(name: str, dtype: Any) -> NoReturn:
    """Say that a function does not take this dtype, in PyTorch's words."""
    raise NotImplementedError(
        f"\"{name}\" not implemented for '{type_name(dtype)}': convert the tensor to a dtype that has an order or a "
        "mean, for example with .to(torch.float32)"
    )


def require_nonempty(function: str, input: Any, axes: Dims) -> None:
    """Raise IndexError if a reduction without an identity would go over an axis of size zero."""
    shape = input._data.shape
    for axis in range(len(shape)) if axes is None else axes:
        if shape[axis] == 0:
            raise IndexError(f"{function}(): Expected reduction dim {axis} to have non-zero size.")


def require_elements(function: str, input: Any, error: type[Exception] = RuntimeError) -> None:
    """Raise if a reduction over everything, which has no identity, would go over nothing."""
    if input._data.size == 0:
        raise error(
            f"{function}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
            "with the 'dim' argument."
        )


def delivered(function: str, out: Any, results: tuple[Any, ...], *inputs: Any, exact: bool = False) -> tuple[Any, ...]:
    """Results that may have to go into a tuple of ``out`` tensors."""
    if out is None:
        return results
    if not isinstance(out, (tuple, list)) or not all([isinstance(part, TensorBase) for part in out]):
        raise TypeError(f"{function}(): argument 'out' must be tuple of Tensors, not {type(out).__name__}")
    if len(out) != len(results):
        raise TypeError(f"{function}(): argument 'out' must have {len(results)} tensors, got {len(out)}")
    return tuple([deliver(part, result, *inputs, exact=exact) for part, result in zip(out, results, strict=True)])
