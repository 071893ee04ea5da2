"""Results of operations that are no views have memory of their own, which may be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from op_cases import NAMES, cases
from wengert.engine.apply import apply
from wengert.ops.record import TABLE

F = wengert.nn.functional

# Fresh memory is handed on as it is, real numbers are their own conjugate, and what is no view here is one of `einsum`.
SHARING = {"unsafe_view", "unsafe_split", "unsafe_split_with_sizes", "conj", "conj_physical", "einsum"}


@pytest.mark.parametrize("name", [name for name in NAMES if not TABLE[name].view and name not in SHARING])
@pytest.mark.parametrize("order", ["C", "F"])
def test_operations(name: str, order: Any) -> None:
    for case in cases(name):
        inputs: list[Any] = []
        for x in case.inputs:
            if isinstance(x, np.ndarray) and x.ndim:
                inputs.append(wengert.from_numpy(np.array(x, order=order)))
            else:
                inputs.append(wengert.tensor(x) if isinstance(x, (np.ndarray, np.generic)) else x)
        try:
            y = apply(TABLE[name], *inputs, **case.meta)
        except RuntimeError:
            continue
        given = [x._data for x in inputs if isinstance(x, wengert.Tensor) and x.ndim]
        for number, t in enumerate(y if isinstance(y, tuple) else (y,)):
            if not t.ndim or not t.numel():
                continue
            assert t._data.flags.writeable
            assert not any([np.shares_memory(t._data, x) for x in given])
            assert not any([np.shares_memory(t._data, u._data) for u in y[:number] if u.ndim] if number else ())


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.pixel_shuffle(x, 1),
        lambda x: F.pixel_unshuffle(x, 1),
        lambda x: F.channel_shuffle(x, 1),
        lambda x: F.channel_shuffle(x, 4),
        lambda x: F.unfold(x, 1),
        lambda x: F.pixel_shuffle(x[:, :, :1, :1], 2),
    ],
)
def test_functions_that_copy(function: Callable[[Any], Any]) -> None:
    for f in (function, wengert.compile(lambda x: function(x).add_(1))):
        x = wengert.arange(16.0).reshape(1, 4, 2, 2)
        y = f(x)
        y.add_(1)
        assert x.tolist() == wengert.arange(16.0).reshape(1, 4, 2, 2).tolist()
        assert y.data_ptr() != x.data_ptr()
