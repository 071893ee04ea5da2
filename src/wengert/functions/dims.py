"""Arguments that name dimensions or shapes, checked and brought to the form that operations take."""

from __future__ import annotations

import operator
from math import prod
from typing import Any, NoReturn

from wengert.engine.base import TensorBase
from wengert.functions.options import type_name

Shape = tuple[int, ...]


def wrap_dim(dim: Any, ndim: int) -> int:
    """A dimension as a number from 0; a 0-d tensor is treated as if it had one.

    Raises:
        IndexError: there is no such dimension.

    >>> wrap_dim(-1, 3)
    2
    """
    if dim.__class__ is not int:
        dim = _as_int("dim", dim)
    least = ndim or 1
    if 0 <= dim < least:
        return dim  # type: ignore[no-any-return]
    if -least <= dim < 0:
        return dim + least  # type: ignore[no-any-return]
    raise IndexError(f"Dimension out of range (expected to be in range of [{-least}, {least - 1}], but got {dim})")


def wrap_dims(dims: Any, ndim: int) -> Shape:
    """Several different dimensions as numbers from 0, in the order given.

    Raises:
        RuntimeError: one appears twice.
    """
    wrapped = tuple([wrap_dim(dim, ndim) for dim in dims])
    if len(set(wrapped)) != len(wrapped):
        repeated = next(dim for position, dim in enumerate(wrapped) if dim in wrapped[:position])
        raise RuntimeError(f"dim {repeated} appears multiple times in the list of dims")
    return wrapped


def _as_int(name: str, value: Any) -> int:
    if isinstance(value, (bool, float, str)) or not hasattr(value, "__index__"):
        raise TypeError(f"argument '{name}' must be int, not {type(value).__name__}")
    return operator.index(value)


def int_tuple(function: str, name: str, position: int, value: Any) -> Shape:
    """An argument that must be a sequence of integers.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, (tuple, list)):
        _not_ints(function, name, position, value)
    for item in value:
        if item.__class__ is not int:
            return tuple([_member(function, name, position, index, item) for index, item in enumerate(value)])
    return tuple(value)


def int_or_tuple(function: str, name: str, position: int, value: Any) -> Shape:
    """As :func:`int_tuple`; one integer will do as well."""
    return (value,) if value.__class__ is int else int_tuple(function, name, position, _in_tuple(value))


def _in_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, TensorBase) or hasattr(value, "__index__") else value


def _member(function: str, name: str, position: int, index: int, item: Any) -> int:
    if isinstance(item, bool) or not hasattr(item, "__index__"):
        raise TypeError(
            f"{function}(): argument '{name}' (position {position}) must be tuple of ints, but found element of type "
            f"{type(item).__name__} at pos {index}"
        )
    return operator.index(item)


def _not_ints(function: str, name: str, position: int, value: Any) -> NoReturn:
    raise TypeError(
        f"{function}(): argument '{name}' (position {position}) must be tuple of ints, not {type(value).__name__}"
    )


def int_args(function: str, name: str, args: tuple[Any, ...], keyword: Any) -> Shape:
    """The integers of a method that takes ``f(2, 3)``, ``f((2, 3))`` or ``f(name=(2, 3))``."""
    if keyword is not None:
        if args:
            raise TypeError(f"{function}() got multiple values for argument '{name}'")
        return int_tuple(function, name, 1, keyword)
    if len(args) == 1:
        only = args[0]
        if only.__class__ is int:
            return args
        return int_tuple(function, name, 1, only if isinstance(only, (tuple, list)) else _in_tuple(only))
    if not args:
        raise TypeError(f'{function}() missing 1 required positional arguments: "{name}"')
    return int_tuple(function, name, 1, args)


def inferred_shape(shape: Shape, count: int) -> Shape:
    """A shape for ``count`` elements, with a size of -1 worked out from the others.

    Raises:
        RuntimeError: no such shape holds ``count`` elements.

    >>> inferred_shape((2, -1), 6)
    (2, 3)
    """
    if -1 in shape:
        at = shape.index(-1)
        if -1 in shape[at + 1 :]:
            raise RuntimeError("only one dimension can be inferred")
        known = -prod(shape)
        if known == 0 and count == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size "
                "-1 can be any value and is ambiguous"
            )
        if known > 0 and count % known == 0 and min(shape) == -1:
            return (*shape[:at], count // known, *shape[at + 1 :])
    elif prod(shape) == count and (not shape or min(shape) >= 0):
        return shape
    for index, size in enumerate(shape):
        if size < -1:
            raise RuntimeError(f"invalid shape dimension {size} at index {index} of shape {list(shape)}")
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")


def expanded_shape(x: Any, sizes: Shape) -> Shape:
    """The shape that ``expand(sizes)`` gives, with -1 for the sizes that stay.

    Raises:
        RuntimeError: the shape does not broadcast to it.
    """
    own = x.shape
    lead = len(sizes) - len(own)
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.{type_name(x.dtype)}Tensor{{{list(own)}}}, size={list(sizes)}): the number of sizes "
            "provided "
            f"({len(sizes)}) must be greater or equal to the number of dimensions in the tensor ({len(own)})"
        )
    shape = list(sizes)
    for dim, size in enumerate(sizes):
        if dim < lead:
            if size < 0:
                raise RuntimeError(
                    f"The expanded size of the tensor ({size}) isn't allowed in a leading, non-existing dimension {dim}"
                )
        elif size == -1:
            shape[dim] = own[dim - lead]
        elif size != own[dim - lead] and own[dim - lead] != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({size}) must match the existing size ({own[dim - lead]}) at "
                f"non-singleton dimension {dim}.  Target sizes: {list(sizes)}.  Tensor sizes: {list(own)}"
            )
    return tuple(shape)
