"""The text forms of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._dtypes import DEFAULTS, from_numpy_dtype
from wengert._printing import format_tensor, tensor_text
from wengert._traced import Traced

__all__ = ["TextMethods"]


def _text(self: Any) -> str:
    name, grad_fn = type(self).__name__, self.grad_fn
    if isinstance(self._data, Traced):  # while compile() traces: someone debugs
        return f"tensor(traced, size={tuple(self._data.shape)}, dtype={from_numpy_dtype(self._data.dtype)})"
    return tensor_text(
        np.asarray(self._data),
        default_float=DEFAULTS.float,
        grad_fn_name=None if grad_fn is None else type(grad_fn).__name__,
        requires_grad=self._rg,
        class_name="tensor" if name == "Tensor" else name,
    )


def _format(self: Any, spec: str) -> str:
    return format_tensor(np.asarray(self._data), spec, text=lambda: _text(self), type_name=type(self).__name__)


class TextMethods:
    """The part of Tensor that makes text of it."""

    __slots__ = ()

    __repr__ = __str__ = _text
    __format__ = _format
