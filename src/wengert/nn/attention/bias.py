"""Masks that let a position look at those before it, where there are fewer queries than keys or more."""

from __future__ import annotations

from typing import Any

from wengert._dtypes import bool_
from wengert.functions.creation import ones

__all__ = ["causal_lower_right", "causal_upper_left"]


def causal_upper_left(*size: int) -> Any:
    """The first query looks at the first key: ``tril`` of ones, as a bool mask of ``(queries, keys)``.

    >>> from wengert.nn.attention.bias import causal_upper_left
    >>> causal_upper_left(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return ones(*size, dtype=bool_).tril()


def causal_lower_right(*size: int) -> Any:
    """The last query looks at all keys, the one before at all but the last.

    >>> from wengert.nn.attention.bias import causal_lower_right
    >>> causal_lower_right(2, 3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    queries, keys = size
    return ones(queries, keys, dtype=bool_).tril(keys - queries)
