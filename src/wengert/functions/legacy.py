"""PyTorch's older constructors: ``torch.Tensor(2, 3)``, ``torch.FloatTensor([1, 2])``."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import _dtypes as dtypes
from wengert._device import require_cpu
from wengert._dtypes import DEFAULTS, NumpyDtype, set_default_dtype
from wengert._size import Size
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, cell_of, tensor_class, wrap
from wengert.functions.nested import raw_of
from wengert.functions.options import made, sizes, type_name
from wengert.ops.movement import ALIAS

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LegacyMethods",
    "LongTensor",
    "ShortTensor",
    "set_default_tensor_type",
    "typename",
]


def legacy_tensor(*args: Any, dtype: NumpyDtype | None = None, device: Any = None) -> Any:
    """What ``torch.Tensor(...)`` makes: sizes give unset memory, a sequence or an array gives its values.

    Unlike ``torch.tensor`` it does not look at the data for the dtype: it is the default float type.

    Raises:
        TypeError: neither sizes nor data.
    """
    require_cpu(device)
    kind = DEFAULTS.float if dtype is None else dtype
    if len(args) == 1 and not isinstance(args[0], int) and not _is_size(args[0]):
        return _of_data(args[0], kind, checked=dtype is not None)
    shape = sizes("new", args) if args else (0,)
    return made(np.empty(shape, kind)[()])


def _is_size(x: Any) -> bool:
    return isinstance(x, (np.integer, Size))


def _of_data(data: Any, dtype: NumpyDtype, *, checked: bool) -> Any:
    if isinstance(data, TensorBase):
        if checked and data._data.dtype is not dtype:
            raise TypeError(
                f"expected a tensor of {dtypes.from_numpy_dtype(dtype)} (got "
                f"{dtypes.from_numpy_dtype(data._data.dtype)}). Convert it with t.to({dtypes.from_numpy_dtype(dtype)})"
            )
        return apply(ALIAS, data)
    if isinstance(data, (float, complex, np.generic)):
        raise TypeError(
            f"new(): data must be a sequence (got {type(data).__name__}). torch.tensor takes single numbers"
        )
    return made(raw_of(data, dtype))


def new(self: Any, *args: Any, device: Any = None) -> Any:
    """What ``torch.Tensor(...)`` makes, with this tensor's dtype: the older form of ``new_empty`` and ``new_tensor``.

    Raises:
        TypeError: neither sizes nor data.

    >>> import wengert as torch
    >>> torch.ones(2, dtype=torch.float64).new(2, 3).zero_()
    tensor([[0., 0., 0.],
            [0., 0., 0.]], dtype=torch.float64)
    """
    return legacy_tensor(*args, dtype=self._data.dtype, device=device)


class LegacyMethods:
    """The part of Tensor that answers ``torch.Tensor(...)``."""

    __slots__ = ()

    def __new__(cls: type[Any], *args: Any, device: Any = None) -> Any:
        """Make what :func:`legacy_tensor` makes."""
        made = legacy_tensor(*args, device=device)
        if cls is tensor_class():
            return made
        of_subclass = wrap(made._data, cls)
        of_subclass._rg, of_subclass._node = made._rg, made._node
        of_subclass._cell, of_subclass._view = cell_of(made), made._view
        return of_subclass

    new = new


class _TypeOfTensors(type):
    """The class of ``torch.FloatTensor`` and the like: they have no instances, they say which tensors are theirs."""

    _element_type: dtypes.dtype

    def __call__(cls, *args: Any, device: Any = None) -> Any:
        return legacy_tensor(*args, dtype=cls._element_type.np, device=device)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TensorBase) and instance._data.dtype is cls._element_type.np

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"

    @property
    def dtype(cls) -> dtypes.dtype:
        """The element type of these tensors."""
        return cls._element_type


def set_default_tensor_type(t: Any) -> None:
    """Set the default float type by the older name of its tensors; ``torch.set_default_dtype`` is the newer way.

    Raises:
        TypeError: not one of ``torch.HalfTensor``, ``torch.FloatTensor``, ``torch.DoubleTensor`` or their names.

    >>> import wengert as torch
    >>> torch.set_default_tensor_type("torch.FloatTensor")
    """
    wanted = {f"torch.{cls.__name__}": cls for cls in (HalfTensor, FloatTensor, DoubleTensor)}.get(t, t)
    if not isinstance(wanted, _TypeOfTensors):
        raise TypeError(f"invalid type object: expected for example torch.DoubleTensor, got {t!r}")
    set_default_dtype(wanted.dtype)


def typename(obj: Any, /) -> str:
    """The name of a thing's type with its module; for a tensor the older name of its type, for a class its own name.

    >>> import wengert as torch
    >>> torch.typename(torch.ones(1)), torch.typename(3), torch.typename(torch.nn.Linear(1, 1))
    ('torch.FloatTensor', 'int', 'wengert.nn.modules.linear.Linear')
    """
    if isinstance(obj, TensorBase):
        return f"torch.{type_name(obj._data.dtype)}Tensor"
    named = obj if hasattr(obj, "__qualname__") or hasattr(obj, "__name__") else type(obj)
    module = getattr(named, "__module__", None)
    name = getattr(named, "__qualname__", None) or named.__name__
    return name if module in ("builtins", None) else f"{module}.{name}"


def _make(element_type: dtypes.dtype) -> Any:
    name = f"{type_name(element_type.np)}Tensor"
    text = (
        f"Tensors of {element_type}: ``{name}(2, 3)`` has unset values; ``torch.tensor`` is the newer way.\n\n"
        f">>> import wengert as torch\n>>> torch.{name}([0, 1]).dtype\n{element_type}\n"
    )
    return _TypeOfTensors(name, (), {"_element_type": element_type, "__doc__": text, "__slots__": ()})


BoolTensor = _make(dtypes.bool_)
ByteTensor = _make(dtypes.uint8)
CharTensor = _make(dtypes.int8)
ShortTensor = _make(dtypes.int16)
IntTensor = _make(dtypes.int32)
LongTensor = _make(dtypes.int64)
HalfTensor = _make(dtypes.float16)
FloatTensor = _make(dtypes.float32)
DoubleTensor = _make(dtypes.float64)
