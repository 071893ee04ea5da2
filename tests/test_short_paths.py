"""The engine's short paths while other threads close and open them."""

from __future__ import annotations

import sys
import threading

import pytest

import wengert
from wengert.engine import short_paths


def test_another_thread_may_close_them_at_any_time() -> None:
    """As it does when it begins to trace, or to use saved-tensor hooks."""
    stop = threading.Event()

    def toggle() -> None:
        while not stop.is_set():
            short_paths.close()
            short_paths.reopen()

    scalar = wengert.tensor(0.5, requires_grad=True)
    vector = wengert.nn.Parameter(wengert.tensor([0.5, 2.0]))
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=toggle)
    thread.start()
    found: set[tuple[float, ...]] = set()
    try:
        for _ in range(1500):
            for x in (scalar, vector):
                x.grad = None
                ((x * x).exp() * 2.0 - x * scalar.detach()).sum().backward()
                found.add(tuple(x.grad.reshape(-1).tolist()))
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(before)
    first, second = sorted(found, key=len)
    assert first == pytest.approx([2 * 1.2840254 - 0.5])
    assert second == pytest.approx([first[0], 8 * 54.598150 - 0.5])
