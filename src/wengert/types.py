"""Names for annotations: what programs written for PyTorch import from ``torch.types``."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import TypeAlias

from wengert._device import device as _device_class
from wengert._dtypes import dtype as _dtype_class
from wengert._size import Size
from wengert._tensor import Tensor

__all__ = ["Device", "FileLike", "Number"]

_int = builtins.int
_float = builtins.float
_bool = builtins.bool
_complex = builtins.complex
_size: TypeAlias = Size | list[int] | tuple[int, ...]
_symsize: TypeAlias = Size | Sequence[int]
_dispatchkey: TypeAlias = str
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]

_device = _device_class
_dtype = _dtype_class

Number: TypeAlias = int | float | bool
FileLike: TypeAlias = str | os.PathLike[str]
Device: TypeAlias = _device_class | str | int | None
