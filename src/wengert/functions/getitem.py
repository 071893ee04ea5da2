"""Reading and writing parts of a tensor with brackets."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, array_of, is_leveled, is_tracking, wrap
from wengert.engine.inplace import check_writable, inplace
from wengert.engine.moving import view_function
from wengert.engine.out import mark_written
from wengert.engine.state import STATE
from wengert.functions.dims import expanded_shape
from wengert.functions.keys import Plan, is_everything, outside, plan_of, slice_meta
from wengert.functions.nested import cast, filling_tensor
from wengert.functions.options import type_name
from wengert.ops.filling import FILL_WITH_IN_PLACE
from wengert.ops.indexing import INDEX, SELECT, SLICE, index_key
from wengert.ops.movement import ALIAS, COPY, UNSQUEEZE
from wengert.ops.writing import INDEX_PUT

__all__ = ["IndexingMethods"]

_views = {op: view_function(op) for op in (SELECT, SLICE, UNSQUEEZE)}
_select, _slice, _unsqueeze = _views[SELECT], _views[SLICE], _views[UNSQUEEZE]
_alias = view_function(ALIAS)
_simple = frozenset({int, slice})
_parts = frozenset({int, slice, type(None), type(Ellipsis)})
_HALF_MAX: Final = 65504  # numbers up to this fit every float type


def getitem(self: Any, key: Any) -> Any:
    """The part of the tensor that a key names: a view for integers, slices, None and ``...``, else a copy.

    Raises:
        IndexError: the key does not fit the tensor.

    >>> import wengert as torch
    >>> x = torch.tensor([[1, 2, 3], [4, 5, 6]])
    >>> x[1, 0], x[:, 1:], x[x > 4]
    (tensor(4), tensor([[2, 3],
            [5, 6]]), tensor([5, 6]))
    """
    cls = key.__class__
    if cls is int:
        shape = self._data.shape
        if shape and -shape[0] <= key < shape[0]:
            return _select(self, {"dim": 0, "index": key if key >= 0 else key + shape[0]})
    elif cls is slice:
        shape = self._data.shape
        if shape:
            return _slice(self, slice_meta(0, key, shape[0]))
    elif cls is self.__class__:
        if _indexes_rows(key._data, self._data.shape):
            return _by_index(self, (key,), (True,))
    elif key is None:
        return _unsqueeze(self, {"dim": 0})
    elif cls is tuple and _parts.issuperset(map(type, key)):
        free = self._data.ndim - len(key) + key.count(None) + key.count(...)
        if free >= 0 and key.count(...) < 2:
            return _simply(self, key, free)
    plan = plan_of(self._data.shape, key)
    x = _viewed(self, plan)
    if plan.indices:
        return _indexed(x, plan)
    return x if plan.steps else _alias(self, {})


def _indexes_rows(index: Any, shape: tuple[int, ...]) -> bool:
    """Whether an array is a mask for the first dimensions, or integers for the first."""
    if not index.ndim or not shape:
        return False
    return index.dtype.char in "lq" or (index.dtype.char == "?" and index.shape == shape[: index.ndim])


def _simply(x: Any, key: tuple[Any, ...], free: int) -> Any:
    """``x[key]`` for integers, slices, None and one ``...``, which stands for ``free`` dimensions."""
    start = x
    dim = 0
    for position, item in enumerate(key):
        if item is ...:
            dim += free
            continue
        if item is None:
            x = _unsqueeze(x, {"dim": dim})
            dim += 1
            continue
        size = x._data.shape[dim]
        if item.__class__ is int:
            if not -size <= item < size:
                raise outside(item, position, size)
            x = _select(x, {"dim": dim, "index": item if item >= 0 else item + size})
        else:
            if not is_everything(item, size):
                x = _slice(x, slice_meta(dim, item, size))
            dim += 1
    return _alias(x, {}) if x is start else x


def _viewed(x: Any, plan: Plan) -> Any:
    for op, meta in plan.steps:
        x = _views[op](x, meta)
    return x


def _indexed(x: Any, plan: Plan) -> Any:
    return _by_index(x, tuple([wrap(index) for index in plan.arrays]), plan.spec)


def _by_index(x: Any, indices: tuple[Any, ...], spec: tuple[bool, ...]) -> Any:
    try:
        return apply(INDEX, x, *indices, spec=spec)
    except (IndexError, ValueError) as error:
        raise explained(error, x, tuple([index._data for index in indices]), spec) from None


def explained(error: Exception, x: Any, arrays: tuple[Any, ...], spec: tuple[bool, ...]) -> Exception:
    """NumPy's complaint about index arrays in PyTorch's words."""
    shape = x._data.shape
    for dim, index in zip([dim for dim, here in enumerate(spec) if here], arrays, strict=True):
        outside = index.dtype.kind != "b" and (index < -shape[dim]) | (index >= shape[dim])
        if np.any(outside):
            return IndexError(f"index {index[outside][0]} is out of bounds for dimension {dim} with size {shape[dim]}")
    try:
        np.broadcast_shapes(*[index.shape for index in arrays])
    except ValueError:
        shapes = ", ".join([str(list(index.shape)) for index in arrays])
        return IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}")
    return error


# --- writing ---


def setitem(self: Any, key: Any, value: Any) -> None:
    """Write a number or a tensor, broadcast and cast, into the part of the tensor that a key names.

    Raises:
        IndexError: the key does not fit the tensor.
        TypeError: the value is neither a number nor a tensor.
        RuntimeError: the value's shape does not broadcast to the part's.

    >>> import wengert as torch
    >>> x = torch.zeros(2, 2)
    >>> x[0] = torch.tensor([1., 2.]); x[x == 0] = 7
    >>> x
    tensor([[1., 2.],
            [7., 7.]])
    """
    if STATE.trace is None and _written_simply(self, key, value):
        return
    values = _value_of(self, value)
    plan = plan_of(self._data.shape, key)
    tracked = STATE.grad_enabled and (is_tracking(self) or (isinstance(value, TensorBase) and is_tracking(value)))
    if tracked or STATE.trace is not None or _is_broadcast(self._data) or is_leveled(self, value):
        _write_tracked(self, plan, value if isinstance(value, TensorBase) else wrap(values))
    else:
        _write_raw(self, plan, values)


def _is_broadcast(data: Any) -> bool:
    """Whether several places may be one: then it depends on the part whether it may be written."""
    return data.__class__ is np.ndarray and not data.flags.writeable


def _written_simply(x: Any, key: Any, value: Any) -> bool:
    """Do the write by NumPy's own assignment if both mean the same by it and no gradient is involved."""
    data = x._data
    if (
        data.__class__ is not np.ndarray
        or _is_broadcast(data)
        or not _simple.issuperset(map(type, key if key.__class__ is tuple else (key,)))
    ):
        return False
    if isinstance(value, TensorBase):
        values = value._data
        if values.dtype is not data.dtype or (STATE.grad_enabled and is_tracking(value)) or is_leveled(x, value):
            return False
    elif value.__class__ in (int, float) and data.dtype.kind == "f" and -_HALF_MAX <= value <= _HALF_MAX:
        values = value
    else:
        return False
    if STATE.grad_enabled and is_tracking(x):
        return False
    check_writable(x, tracked=False)
    try:
        data[key] = values
    except (IndexError, ValueError):  # the long way says what is wrong
        return False
    mark_written(x)
    return True


def _value_of(x: Any, value: Any) -> Any:
    """The raw value to write."""
    if isinstance(value, TensorBase):
        return value._data
    if isinstance(value, (bool, int, float, complex)):
        return filling_tensor(value, x._data.dtype)._data
    given = type(value)
    name = f"numpy.{given.__name__}" if given.__module__ == "numpy" else given.__name__
    raise TypeError(
        f"can't assign a {name} to a torch.{type_name(x._data.dtype)}Tensor: expected a number or a tensor. Write "
        "torch.tensor(...) around it"
    )


def _write_raw(x: Any, plan: Plan, values: Any) -> None:
    """The write when no gradient is involved: straight into the memory."""
    check_writable(x, tracked=False)
    target = array_of(x)
    for op, meta in plan.steps:
        target = op.impl(target, **meta)
    if plan.indices:
        _check_same_dtype(target, values)
        arrays, spec = plan.arrays, plan.spec
        try:
            target[index_key(spec, arrays)] = values
        except (IndexError, ValueError) as error:
            raise _put_error(error, wrap(target), values, arrays, spec) from None
    else:
        np.copyto(target, _fitted(target, values))
    mark_written(x)


def _fitted(target: Any, values: Any) -> Any:
    """Values that broadcast to the target and have its dtype."""
    values = _squeezed(target, values)
    return values if values.dtype is target.dtype else cast(values, target.dtype)


def _squeezed(target: Any, values: Any) -> Any:
    """Values that broadcast to the target."""
    if values.shape != target.shape:
        while values.ndim > target.ndim and values.shape[0] == 1:
            values = values[0]
        expanded_shape(values, target.shape)
    return values


def _check_same_dtype(target: Any, values: Any) -> None:
    if target.dtype is not values.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{type_name(target.dtype)} for the destination and {type_name(values.dtype)} for the source. "
            "Convert the values with .to(x.dtype)"
        )


def _put_error(error: Exception, x: Any, values: Any, arrays: tuple[Any, ...], spec: tuple[bool, ...]) -> Exception:
    better = explained(error, x, arrays, spec)
    if better is not error:
        return better
    shape = x._data[index_key(spec, arrays)].shape
    return RuntimeError(
        f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of shape "
        f"{list(shape)}"
    )


def _write_tracked(self: Any, plan: Plan, value: Any) -> None:
    """The write as an operation of the graph, into a view of the tensor."""
    target = _viewed(self, plan)
    if not plan.indices:
        _squeezed(target._data, value._data)
        if not value._data.ndim:
            inplace(FILL_WITH_IN_PLACE, target, value)
            return
        while value._data.ndim > target._data.ndim:
            value = _select(value, {"dim": 0, "index": 0})
        inplace(COPY, target, value)
        return
    put(target, value, plan.arrays, plan.spec, accumulate=False)


def put(
    x: Any, value: Any, arrays: tuple[Any, ...], spec: tuple[bool, ...], *, accumulate: bool, into: bool = True
) -> Any:
    """``index_put``, in place when ``into`` says so."""
    _check_same_dtype(x._data, value._data)
    operate = inplace if into else apply
    try:
        return operate(INDEX_PUT, x, value, *[wrap(index) for index in arrays], spec=spec, accumulate=accumulate)
    except (IndexError, ValueError) as error:
        raise _put_error(error, x, value._data, arrays, spec) from None


def contains(self: Any, element: Any) -> bool:
    """Whether any element equals a number or a tensor.

    Raises:
        RuntimeError: neither a number nor a tensor.

    >>> import wengert as torch
    >>> 2 in torch.tensor([1, 2])
    True
    """
    if not isinstance(element, (TensorBase, bool, int, float, complex)):
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
    other = element._data if isinstance(element, TensorBase) else element
    return bool(np.any(self._data == other))


class IndexingMethods:
    """Brackets on a tensor."""

    __slots__ = ()

    __getitem__ = getitem
    __setitem__ = setitem
    __contains__ = contains
