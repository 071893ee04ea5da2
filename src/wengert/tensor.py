"""The Tensor class: the engine's slots and the methods of each family, put together."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import wengert.functions
from wengert.engine.base import TensorBase, bind_tensor_class
from wengert.engine.pointwise import bind_fast_class
from wengert.functions.graph import GraphMethods

# TEMPORARY while the families are being written: take whatever mixins there are.
_mixins: list[Any] = []
for _m in pkgutil.iter_modules(wengert.functions.__path__):
    try:
        _mod = importlib.import_module(f"wengert.functions.{_m.name}")
    except Exception as _e:  # noqa: BLE001
        print(f"(wengert.functions.{_m.name} not importable yet: {_e!r})")
        continue
    _mixins += [v for k, v in vars(_mod).items() if k.endswith("Methods") and isinstance(v, type) and v.__module__ == _mod.__name__ and v is not GraphMethods]


class Tensor(*_mixins, GraphMethods, TensorBase):  # type: ignore[misc]
    """A multi-dimensional array that can track the operations on it."""

    __slots__ = ()


bind_tensor_class(Tensor)
bind_fast_class(Tensor)
