"""The standard's functions that make arrays."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert._device import require_cpu
from wengert._dtypes import BY_NUMPY, DEFAULTS, as_numpy_dtype, default_complex, uint64
from wengert.array_api._types import in_dtype, promoted, require_arrays
from wengert.engine.base import TensorBase, wrap
from wengert.functions import creation, data, diagonals, dlpack, joining, likes, ranges

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor of an object: a tensor, a number, nested sequences of these, a NumPy array or another buffer.

    A tensor stays itself, on its graph, unless ``copy=True``; tensors in sequences stay on theirs.

    Raises:
        ValueError: ``copy=False`` where a copy is needed.
        RuntimeError: another device than the CPU.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> xp.asarray(x) is x, xp.asarray([x, 3.0])
    (True, tensor([2., 3.], grad_fn=<StackBackward0>))
    """
    if isinstance(obj, (list, tuple)) and _holds_tensor(obj) and copy is not False:
        parts = promoted("asarray", *[asarray(part, dtype=dtype, device=device) for part in obj])
        return joining.stack(list(parts))
    if copy is not False and (dtype is uint64 or (isinstance(obj, int) and obj >= 2**63)):
        return wrap(np.array(_values(obj), dtype=None if dtype is None else np.uint64, copy=True))
    if not isinstance(obj, (TensorBase, np.ndarray, bytes, str, list, tuple)) and _is_buffer(obj):
        obj = np.asarray(obj)
    return data.asarray(obj, dtype=dtype, device=device, copy=copy)


def _holds_tensor(obj: Any) -> bool:
    return builtins.any(
        [isinstance(part, TensorBase) or (isinstance(part, (list, tuple)) and _holds_tensor(part)) for part in obj]
    )


def _values(obj: Any) -> Any:
    return obj._data if isinstance(obj, TensorBase) else obj


def _is_buffer(obj: Any) -> bool:
    try:
        memoryview(obj)
    except TypeError:
        return False
    return True


def _shape_of(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if hasattr(shape, "__index__") else tuple(shape)


def _filled(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
    def function(shape: int | tuple[int, ...], *, dtype: Any = None, device: Any = None) -> Any:
        return make(_shape_of(shape), dtype=dtype, device=device)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (make.__doc__ or "").partition("\n")[0]
    return function


def _like(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
    def function(x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
        return make(x, dtype=dtype, device=device)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (make.__doc__ or "").partition("\n")[0]
    return function


empty = _filled("empty", creation.empty)
ones = _filled("ones", creation.ones)
zeros = _filled("zeros", creation.zeros)
empty_like = _like("empty_like", likes.empty_like)
ones_like = _like("ones_like", likes.ones_like)
zeros_like = _like("zeros_like", likes.zeros_like)


def full(shape: int | tuple[int, ...], fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of one number everywhere; a tensor without dimensions as the number stays on its graph.

    >>> from wengert import array_api as xp
    >>> xp.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    if isinstance(fill_value, TensorBase):
        return _spread(fill_value, _shape_of(shape), dtype)
    if dtype is uint64 or (dtype is None and isinstance(fill_value, int) and fill_value >= 2**63):
        return wrap(np.full(_shape_of(shape), fill_value, np.uint64))
    return creation.full(_shape_of(shape), fill_value, dtype=dtype, device=device)


def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of one number everywhere, with the shape and, unless given, the dtype of ``x``.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.full_like(torch.ones(3), 7)
    tensor([7., 7., 7.])
    """
    require_arrays("full_like", x)
    return full(tuple(x.shape), fill_value, dtype=x.dtype if dtype is None else dtype, device=device)


def _spread(number: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    x: Any = number if dtype is None else in_dtype(number, as_numpy_dtype(dtype))
    return x.expand(shape).clone()


def arange(start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None) -> Any:
    """The numbers from ``start`` (0 if only one bound is given) in steps, up to but not including ``stop``.

    >>> from wengert import array_api as xp
    >>> xp.arange(4), xp.arange(1.0, 0.0, -0.5)
    (tensor([0, 1, 2, 3]), tensor([1.0000, 0.5000]))
    """
    low, high = (0, start) if stop is None else (start, stop)
    if (high - low) * step <= 0:
        kind = _progression_dtype(dtype, low, high, step)
        return creation.zeros((0,), dtype=BY_NUMPY[kind], device=device)
    if dtype is uint64:
        require_cpu("cpu" if device is None else device)
        return wrap(np.arange(low, high, step, dtype=np.uint64))
    return ranges.arange(low, high, step, dtype=dtype, device=device)


def _progression_dtype(dtype: Any, *numbers: Any) -> np.dtype[Any]:
    if dtype is not None:
        return as_numpy_dtype(dtype)
    return np.dtype(np.int64) if builtins.all([isinstance(number, int) for number in numbers]) else DEFAULTS.float


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Any:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, without the last where ``endpoint`` is false.

    >>> from wengert import array_api as xp
    >>> xp.linspace(0, 1, 4, endpoint=False)
    tensor([0.0000, 0.2500, 0.5000, 0.7500])
    """
    if isinstance(start, TensorBase) or isinstance(stop, TensorBase):
        made = ranges.linspace(start, stop, num + (not endpoint), dtype=dtype, device=device)
        return made if endpoint else made[:-1]
    if device is not None:
        require_cpu(device)
    own = default_complex() if isinstance(start, complex) or isinstance(stop, complex) else DEFAULTS.float
    kind = own if dtype is None else as_numpy_dtype(dtype)
    return wrap(np.linspace(start, stop, num, dtype=kind, endpoint=endpoint))


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Any:
    """Ones on the diagonal number ``k``, zeros elsewhere.

    >>> from wengert import array_api as xp
    >>> xp.eye(2, 3, k=1)
    tensor([[0., 1., 0.],
            [0., 0., 1.]])
    """
    columns = n_rows if n_cols is None else n_cols
    made = creation.zeros((n_rows, columns), dtype=dtype, device=device)
    if -n_rows < k < columns:
        made.diagonal(k).fill_(1)
    return made


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor on the memory of an array of another library, through DLPack.

    Raises:
        BufferError: the array is not on the CPU, or is on a graph.

    >>> import numpy as np
    >>> from wengert import array_api as xp
    >>> xp.from_dlpack(np.ones(2))
    tensor([1., 1.], dtype=torch.float64)
    """
    return dlpack.from_dlpack(x, device=device, copy=copy)


def meshgrid(*arrays: Any, indexing: str = "xy") -> tuple[Any, ...]:
    """The coordinates of a grid from those of its axes.

    Raises:
        ValueError: ``indexing`` is neither ``"xy"`` nor ``"ij"``.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4]))[0]
    tensor([[1, 2],
            [1, 2]])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid(): indexing must be 'xy' or 'ij', got {indexing!r}")
    return tuple(joining.meshgrid(*arrays, indexing=indexing)) if arrays else ()


def tril(x: Any, /, *, k: int = 0) -> Any:
    """The lower triangles of matrices, up to the diagonal number ``k``; zeros above.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.tril(torch.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return diagonals.tril(x, k)


def triu(x: Any, /, *, k: int = 0) -> Any:
    """The upper triangles of matrices, from the diagonal number ``k``; zeros below.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.triu(torch.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return diagonals.triu(x, k)
