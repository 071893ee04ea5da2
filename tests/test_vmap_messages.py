"""What someone sees who debugs a function inside vmap: its values, where it cannot go on, and what is slow."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.spaces import batching

X = wengert.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def _text_inside(function: Callable[[Any], str], depth: int = 1) -> str:
    seen: list[str] = []

    def f(x: Any) -> Any:
        seen.append(function(x))
        return x

    for _ in range(depth):
        f = wengert.vmap(f)
    f(X)
    return seen[0]


@pytest.mark.parametrize("text", [repr, str, "{}".format])
def test_a_batched_tensor_shows_all_members(text: Callable[[Any], str]) -> None:
    assert _text_inside(text) == f"batch of 2:\n{X}"
    assert _text_inside(lambda x: text(x * 2), depth=2) == f"batch of 2 x 3:\n{X * 2}"
    assert _text_inside(lambda x: text(x.sum())) == "batch of 2: tensor([ 6., 15.])"


def test_a_dual_tensor_shows_its_tangent() -> None:
    with wengert.autograd.forward_ad.dual_level():
        x = wengert.autograd.forward_ad.make_dual(wengert.ones(2), wengert.zeros(2))
        assert str(x) == repr(x) == f"{x}"
        assert str(x) == "tensor([1., 1.], tangent=tensor([0., 0.]))"
        assert str(x.sum()) == "tensor(2., tangent=0.0)"


def _branch(x: Any) -> Any:
    if x.sum() > 1:
        return x
    return -x


@pytest.mark.parametrize(
    "function",
    [
        _branch,
        lambda x: x.numpy(),
        lambda x: np.sin(x),
        lambda x: np.asarray(x),
        lambda x: float(x.sum()),
        lambda x: x.tolist(),
        lambda x: f"{x.sum():.2f}",
        lambda x: range(x.sum().long()),
    ],
)
def test_what_needs_one_value_names_the_line(function: Callable[[Any], Any]) -> None:
    code = function.__code__
    line = code.co_firstlineno + (function is _branch)
    with pytest.raises(RuntimeError, match=rf"test_vmap_messages\.py:{line}\. .* a whole batch \(2 members\)"):
        wengert.vmap(function)(X)


def test_a_loop_over_members_is_said_once_at_the_users_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "_rules", {})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            wengert.vmap(lambda x: x[x > x.mean()])(X)
    assert [str(each.message).split(",")[0] for each in said] == ["vmap: index has no batching rule"]
    assert said[0].filename == __file__
