"""The windows at the top level, and methods that write in place as functions, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest

import wengert
from wengert import _method_functions

torch = pytest.importorskip("torch")

WINDOWS: dict[str, list[dict[str, Any]]] = {
    "bartlett_window": [{}],
    "blackman_window": [{}],
    "hann_window": [{}],
    "hamming_window": [{}, {"alpha": 0.6, "beta": 0.4}],
    "kaiser_window": [{}, {"beta": 5.0}],
}


@pytest.mark.parametrize("count", [0, 1, 2, 5, 16])
@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name: str, count: int) -> None:
    for settings in WINDOWS[name]:
        for periodic in (True, False):
            expected = getattr(torch, name)(count, periodic, **settings, dtype=torch.float64)
            got = getattr(wengert, name)(count, periodic, **settings, dtype=wengert.float64)
            assert got.tolist() == pytest.approx(expected.tolist(), abs=1e-12)


def test_a_window_has_a_length() -> None:
    with pytest.raises(RuntimeError, match="requires non-negative window_length, got window_length=-1"):
        wengert.hann_window(-1)
    with pytest.raises(TypeError):
        wengert.hann_window("long")  # type: ignore[arg-type]
    assert wengert.hann_window(3, requires_grad=True).requires_grad


def test_methods_in_place_are_functions_where_they_are_in_pytorch() -> None:
    names = _method_functions.__all__
    assert [name for name in names if not hasattr(torch, name)] == []
    x = wengert.tensor([0.25, 0.5])
    assert wengert.exp_(x) is x
    assert wengert.clamp_(x, max=1.5).tolist() == [pytest.approx(1.2840254), 1.5]


def test_network_functions_at_the_top_level() -> None:
    names = [name for name in wengert.__all__ if getattr(wengert.nn.functional, name, None) is getattr(wengert, name)]
    assert {"conv2d", "dropout", "layer_norm", "max_pool2d", "pixel_shuffle"} <= set(names)
    for name in names:
        assert hasattr(torch, name)
