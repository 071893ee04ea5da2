"""NumPy's functions that put elements in other places: NumPy moves the elements' numbers, and these are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from wengert.engine.base import TensorBase, wrap
from wengert.functions.data import adopted
from wengert.functions.joining import cat, stack

__all__ = ["REARRANGED", "rearranged_pad"]


def _numbers(a: Any, start: int = 0) -> Any:
    """The numbers of the elements of ``a``, from ``start`` on, where the elements are."""
    size = int(a._data.size)
    return np.arange(start, start + size).reshape(a._data.shape)


def _taken(flat: Any, places: Any) -> Any:
    """The elements with these numbers; containers of numbers give containers of tensors."""
    if isinstance(places, (tuple, list)):
        return type(places)([_taken(flat, part) for part in places])
    return flat[wrap(np.array(places))]


def _plain(value: Any) -> Any:
    if isinstance(value, TensorBase):
        return np.asarray(value._data)
    return type(value)([_plain(part) for part in value]) if type(value) in (list, tuple) else value


def _rearranging(function: Callable[..., Any], position: int = 0) -> Callable[..., Any]:
    """``function`` of NumPy for a tensor as the argument at ``position``."""

    def rearranged(*args: Any, **options: Any) -> Any:
        a = args[position]
        given = [_numbers(a) if i == position else _plain(x) for i, x in enumerate(args)]
        return _taken(a.reshape(-1), function(*given, **{name: _plain(x) for name, x in options.items()}))

    return rearranged


def _pooled(parts: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The elements of several arrays in one flat tensor, and their numbers in it where they are."""
    tensors: list[Any] = [part if isinstance(part, TensorBase) else wrap(adopted(np.asarray(part))) for part in parts]
    starts = np.cumsum([0, *[int(t._data.size) for t in tensors]]).tolist()
    numbers = [_numbers(t, start) for t, start in zip(tensors, starts, strict=False)]
    return cat([t.reshape(-1) for t in tensors]), numbers


def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    if not isinstance(values, TensorBase):
        values = wrap(np.asarray(values, arr._data.dtype))
    flat, (numbers, new) = _pooled([arr, values.to(arr.dtype)])
    return _taken(flat, np.insert(numbers, _plain(obj), new, axis))


def _choose(a: Any, choices: Sequence[Any], *, mode: str = "raise") -> Any:
    flat, numbers = _pooled(list(choices))
    return _taken(flat, np.choose(_plain(a), numbers, mode=mode))  # type: ignore[call-overload]


def _block(arrays: Any) -> Any:
    found: list[Any] = []

    def collect(part: Any) -> Any:
        if isinstance(part, list):
            return [collect(item) for item in part]
        found.append(part)
        return len(found) - 1

    nested = collect(arrays)
    flat, numbers = _pooled(found)

    def numbered(part: Any) -> Any:
        return [numbered(item) for item in part] if isinstance(part, list) else numbers[part]

    return _taken(flat, np.block(numbered(nested)))


def _take(a: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    """``np.take``: elements, or slices along an axis, by number."""
    return _taken(a.reshape(-1), np.take(_numbers(a), _plain(indices), axis, mode=mode))  # type: ignore[call-overload]


def rearranged_pad(array: Any, pad_width: Any, mode: str, options: dict[str, Any]) -> Any:
    """``np.pad`` with elements of the array itself.

    Raises:
        TypeError: a mode that pads with other values.
    """
    if mode not in ("edge", "reflect", "symmetric", "wrap") or options.get("reflect_type", "even") != "even":
        raise TypeError("unexpected keyword argument: what pads a tracked tensor is a constant, or its own elements")
    return _taken(array.reshape(-1), np.pad(_numbers(array), _plain(pad_width), mode, **options))  # type: ignore[call-overload]


def _partition(a: Any, kth: Any, axis: int | None = -1) -> Any:
    if axis is None:
        a, axis = a.reshape(-1), 0
    return a.take_along_dim(wrap(np.argpartition(a._data, kth, axis)), axis)


def _unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
) -> Any:
    _, index, inverse, counts = np.unique(np.asarray(ar._data), True, True, True, axis, equal_nan=equal_nan)
    found = ar.reshape(-1)[wrap(index)] if axis is None else ar.index_select(axis, wrap(index))
    others = zip((index, inverse, counts), (return_index, return_inverse, return_counts), strict=True)
    asked = [part for part, wanted in others if wanted]
    return (found, *asked) if asked else found


def _sort_complex(a: Any) -> Any:
    order = np.lexsort((np.imag(a._data), np.real(a._data)))
    sorted_ = a.take_along_dim(wrap(order), -1)
    return sorted_ if a.is_complex() else sorted_ * wrap(np.complex128(1))


def _apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    rows = arr.movedim(axis, -1)
    results = [func1d(row, *args, **kwargs) for row in rows.reshape(-1, rows.shape[-1])]
    parts = stack([r if isinstance(r, TensorBase) else wrap(np.asarray(r)) for r in results])
    inner = parts.ndim - 1
    whole = parts.reshape((*rows.shape[:-1], *parts.shape[1:]))
    place = axis % arr.ndim
    for k in range(inner):
        whole = whole.movedim(rows.ndim - 1 + k, place + k)
    return whole


REARRANGED: Final[dict[Any, Callable[..., Any]]] = {
    **{
        f: _rearranging(f)
        for f in (
            np.rollaxis,
            np.atleast_3d,
            np.delete,
            np.resize,
            np.matrix_transpose,
            np.hsplit,
            np.vsplit,
            np.dsplit,
        )
    },
    np.unstack: _rearranging(np.unstack),
    np.linalg.matrix_transpose: _rearranging(np.matrix_transpose),
    np.compress: _rearranging(np.compress, 1),
    np.extract: lambda condition, arr: _rearranging(np.compress, 1)(_plain(condition).reshape(-1), arr.reshape(-1)),
    np.insert: _insert,
    np.choose: _choose,
    np.block: _block,
    np.take: _take,
    np.partition: _partition,
    np.unique: _unique,
    np.sort_complex: _sort_complex,
    np.apply_along_axis: _apply_along_axis,
}
