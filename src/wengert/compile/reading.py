"""While a thread traces, the raw value of a tensor from outside is its storage in the trace.

So nothing that is computed from such values at the time of tracing can become a constant of the program unnoticed,
and nothing that only stands for values is left in such a tensor (``w.t_()``, ``w.data = x``). The slot of the raw
value is hidden behind a property for that time; other threads only pay for the property.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from wengert.engine.base import TensorBase
from wengert.engine.state import STATE

_slot: Final[Any] = TensorBase.__dict__["_data"]
_lock = threading.Lock()
_hidden_by = 0

raw_of: Final = _slot.__get__


def _read(t: Any) -> Any:
    trace = STATE.trace
    return raw_of(t) if trace is None else trace.raw_value(t)


def _replace(t: Any, raw: Any) -> None:
    trace = STATE.trace
    if trace is not None:
        try:
            old = raw_of(t)
        except AttributeError:  # a new tensor
            pass
        else:
            trace.check_replaced(t, old)
    _slot.__set__(t, raw)


_property: Final = property(_read, _replace)


def hide() -> None:
    """Put the property before the slot, until :func:`show` is called as often."""
    _change(1)


def show() -> None:
    """Undo one :func:`hide`."""
    _change(-1)


def _change(by: int) -> None:
    global _hidden_by  # noqa: PLW0603 - the count belongs to the process, as the class does
    with _lock:
        _hidden_by += by
        TensorBase._data = _property if _hidden_by else _slot
