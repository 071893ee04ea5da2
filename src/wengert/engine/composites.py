"""Functions that are made of other operations, recorded in the name of the user's line that called them.

Operators on tensors take the calling frame without a look (``engine.pointwise``): it nearly always is the user's. In a
function of ours it is not, so what such a function recorded is given the user's place when it is done.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CodeType
from typing import Any, ParamSpec, TypeVar

from wengert._source import is_passed_over, user_code
from wengert.engine.node import next_seq

_P = ParamSpec("_P")
_R = TypeVar("_R")


def composite(fn: Callable[_P, _R]) -> Callable[_P, _R]:
    """A function that may apply operators to tensors: the nodes that it makes name the line of the user who called it.

    It costs about a microsecond for each call.
    """

    @functools.wraps(fn)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        start = next_seq()
        result = fn(*args, **kwargs)
        _name_user(result, start)
        return result

    return called


def placed(result: _R) -> _R:
    """The result of one operation that a function of ours called for the user: its node names the user's line."""
    node: Any = getattr(result, "_node", None)
    if node is not None and node.code is not None and is_passed_over(node.code.co_filename):
        node.code, node.lasti = user_code(3)
    return result


def _name_user(result: Any, start: int) -> None:
    """Give the nodes behind a result that are younger than ``start`` the user's place, unless they have one."""
    place: tuple[CodeType, int] | None = None
    pending = [getattr(t, "_node", None) for t in (result if isinstance(result, tuple) else (result,))]
    seen: set[Any] = set()
    while pending:
        node: Any = pending.pop()
        if node in seen or node is None or node.seq >= start:  # later nodes have smaller numbers
            continue
        seen.add(node)
        code = node.code
        if code is not None and is_passed_over(code.co_filename):
            place = place or user_code()
            node.code, node.lasti = place
        pending += node.next


__all__ = ["composite", "placed"]
