"""The world of tensors: rules run here on tensors, so what they compute is recorded and can be differentiated again.

``TENSOR.name`` applies the operation ``name`` of the table to tensors. The engine binds its ``apply`` here, so that
layers below ``apply`` (views that replay themselves) can use it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from wengert.ops.record import TABLE


class TensorSpace:
    """The operations of the table as functions of tensors; looked up once, then plain attributes."""

    _apply: Callable[..., Any]

    def bind(self, apply: Callable[..., Any]) -> None:
        """Say how an operation is applied to tensors; called once."""
        self._apply = apply

    def __getattr__(self, name: str) -> Any:
        parts = TABLE.in_parts(name, self)
        if parts is not None:
            setattr(self, name, parts)
            return parts
        try:
            op = TABLE[name]
        except KeyError:
            raise AttributeError(f"no operation {name!r} is in the table; a rule may only use operations") from None
        function = partial(self._apply, op)
        setattr(self, name, function)
        return function

    def cast(self, x: Any, *, dtype: Any) -> Any:
        """The values in another dtype, which rules may take from a tensor."""
        return self._apply(TABLE["cast"], x, dtype=getattr(dtype, "np", dtype))

    def conj(self, x: Any) -> Any:
        """The conjugate; a real value is its own, which is no step of the graph."""
        if isinstance(x, (int, float, complex)):
            return x.conjugate()
        return x if x._data.dtype.kind != "c" else self._apply(TABLE["conj"], x)

    def real(self, x: Any) -> Any:
        """The real part; a real value is its own, which is no step of the graph."""
        if isinstance(x, (int, float, complex)):
            return x.real
        return x if x._data.dtype.kind != "c" else self._apply(TABLE["real"], x)

    def __repr__(self) -> str:
        return "<tensors>"


TENSOR: Final = TensorSpace()
