"""Steps of training: the networks of ``examples/``, and layers that go through sequences."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Step = Callable[[], tuple[Any, ...]]
EXAMPLES = str(Path(__file__).parents[1] / "examples")


def _example(name: str) -> Any:
    if EXAMPLES not in sys.path:
        sys.path.insert(0, EXAMPLES)
    return importlib.import_module(name)


def _drawn(torch: Any, net: Any) -> None:
    """Give both libraries' networks the same weights."""
    random = np.random.default_rng(0)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.tensor(random.normal(0, 0.1, tuple(p.shape)).astype(np.float32)))


def example_step(torch: Any, name: str, batch: int = 50) -> Step:
    """One step of training of an example's network, with its own optimizer, in float32."""
    example = _example(name)
    example.torch = torch
    x, y = example.data()[:2]
    x, y = x[:batch], y[:batch]
    net = example.network()
    net.eval()  # dropout draws differently
    _drawn(torch, net)
    optimizer = example.optimizer(net)
    for group in optimizer.param_groups:
        group["lr"] = 1e-5  # the runs stay comparable, however many there are

    def step() -> tuple[Any, ...]:
        example.torch = torch
        optimizer.zero_grad()
        loss = example.loss_of(net, x, y)
        loss.backward()
        optimizer.step()
        return (loss,)

    return step


def _layer_step(torch: Any, net: Any, x: Any) -> Step:
    _drawn(torch, net)
    parameters = list(net.parameters())

    def step() -> tuple[Any, ...]:
        for p in parameters:
            p.grad = None
        y = net(x)
        y = y[0] if isinstance(y, tuple) else y
        loss = (y * y).mean()
        loss.backward()
        return loss, *[p.grad for p in parameters]

    return step


def _sequences(torch: Any, *shape: int) -> Any:
    return torch.tensor(np.random.default_rng(1).standard_normal(shape).astype(np.float32))


def recurrent(torch: Any, kind: str, steps: int, batch: int, inputs: int, hidden: int) -> Step:
    """Forward and backward through a recurrent layer."""
    return _layer_step(torch, getattr(torch.nn, kind)(inputs, hidden), _sequences(torch, steps, batch, inputs))


def transformer(torch: Any, steps: int, batch: int, features: int, heads: int, inner: int) -> Step:
    """Forward and backward through an encoder layer."""
    net = torch.nn.TransformerEncoderLayer(features, heads, inner, dropout=0.0, batch_first=True)
    return _layer_step(torch, net, _sequences(torch, batch, steps, features))
