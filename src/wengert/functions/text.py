"""The text forms of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import Batched
from wengert._dtypes import DEFAULTS, from_numpy_dtype
from wengert._printing import format_tensor, tensor_text
from wengert._traced import Traced

__all__ = ["TextMethods"]


def tensor_to_text(self: Any, tangent: str | None = None) -> str:
    """The text of a tensor, and of a dual tensor with the text of its tangent."""
    name, grad_fn, raw, batch = type(self).__name__, self.grad_fn, self._data, ""
    if raw.__class__ is Batched:  # inside vmap someone debugs: all members
        batch = f"batch of {' x '.join([str(axis.size) for axis in raw.axes])}:"
        raw = raw.array
    if isinstance(raw, Traced):  # while compile() traces
        return f"{batch}tensor(traced, size={tuple(raw.shape)}, dtype={from_numpy_dtype(raw.dtype)})"
    text = tensor_text(
        np.asarray(raw),
        default_float=DEFAULTS.float,
        grad_fn_name=None if grad_fn is None else type(grad_fn).__name__,
        requires_grad=self._rg,
        class_name="tensor" if name == "Tensor" else name,
        tangent_text=tangent,
    )
    return f"{batch}{chr(10) if chr(10) in text else ' '}{text}" if batch else text


def _format(self: Any, spec: str) -> str:
    if not spec and self._data.__class__ is Batched:
        return repr(self)
    return format_tensor(np.asarray(self._data), spec, text=lambda: repr(self), type_name=type(self).__name__)


class TextMethods:
    """The part of Tensor that makes text of it; ``str`` is ``repr``, also that of a class of the user's."""

    __slots__ = ()

    def __repr__(self) -> str:
        return tensor_to_text(self)

    __format__ = _format
