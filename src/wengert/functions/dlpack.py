"""DLPack: handing memory to other libraries and taking theirs, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.base import TensorBase, array_of, is_tracking, wrap
from wengert.functions.data import adopted

__all__ = ["DlpackMethods", "from_dlpack"]

_CPU = 1


def dlpack(self: Any, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: Any = None) -> Any:
    """A capsule that another library makes an array of on the same memory.

    Raises:
        BufferError: the tensor requires grad, is read backwards (``t[::-1]``), or another device is asked for.
    """
    del stream
    if is_tracking(self):
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if dl_device is not None and next(iter(dl_device)) != _CPU:
        raise BufferError(f"the tensor is on the CPU, and is asked for on the device {dl_device}")
    array = array_of(self)
    if copy:
        array = array.copy()
    if any([stride < 0 for stride in array.strides]):
        # PyTorch does not raise for such memory: it ends the process.
        raise BufferError(
            f"cannot export memory that is read backwards (strides {[s // array.itemsize for s in array.strides]}): "
            "libraries without negative strides, PyTorch among them, cannot take it. Export t.clone() or pass copy=True"
        )
    return array.__dlpack__(max_version=max_version)


def dlpack_device(self: Any) -> tuple[int, int]:
    """The device by DLPack's numbers: the CPU."""
    del self
    return (_CPU, 0)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor on the memory of an object of another library that speaks DLPack.

    ``copy=True`` copies, ``copy=False`` raises where that is needed, None copies where it is.

    Raises:
        BufferError: the object is not on the CPU, or cannot be shared.
        TypeError: a dtype that no tensor has.

    >>> import numpy as np
    >>> import wengert as torch
    >>> a = np.zeros(2)
    >>> t = torch.from_dlpack(a)
    >>> a[0] = 7
    >>> t
    tensor([7., 0.], dtype=torch.float64)
    """
    if device is not None and str(device) != "cpu":
        raise BufferError(f"tensors are on the CPU, and {device} is asked for")
    if isinstance(ext_tensor, TensorBase):
        array = array_of(ext_tensor)
        return wrap(adopted(array.copy() if copy else array))
    source = ext_tensor if hasattr(ext_tensor, "__dlpack__") else _Capsule(ext_tensor)
    return wrap(adopted(np.from_dlpack(source, copy=copy)))


class _Capsule:
    """What holds a bare capsule, so that NumPy takes it."""

    def __init__(self, capsule: Any) -> None:
        if type(capsule).__name__ != "PyCapsule":
            raise TypeError(
                f"from_dlpack() takes an object with __dlpack__, or its capsule, and was given a "
                f"{type(capsule).__name__}"
            )
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (_CPU, 0)


class DlpackMethods:
    """The part of Tensor that hands its memory out."""

    __slots__ = ()

    __dlpack__ = dlpack
    __dlpack_device__ = dlpack_device
