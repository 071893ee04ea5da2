"""Operations along an axis of tensors without elements, beside PyTorch, with their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import wengert

torch = pytest.importorskip("torch")

SHAPES = [(0,), (0, 2), (2, 0), (0, 0), (2, 0, 3), (3, 2, 0)]
ALONG: dict[str, Callable[[Any, Any, int], Any]] = {
    "amax": lambda _, x, d: x.amax(d),
    "cummax": lambda _, x, d: x.cummax(d)[0],
    "cumsum": lambda _, x, d: x.cumsum(d),
    "flip": lambda _, x, d: x.flip(d),
    "gather": lambda t, x, d: x.gather(d, t.zeros(x.shape, dtype=t.int64)),
    "index_add": lambda t, x, d: t.zeros(x.shape).index_add(d, t.arange(x.shape[d]), x),
    "index_select": lambda t, x, d: x.index_select(d, t.zeros(0, dtype=t.int64)),
    "kthvalue": lambda _, x, d: x.kthvalue(1, d)[0],
    "log_softmax": lambda _, x, d: x.log_softmax(d),
    "logsumexp": lambda _, x, d: x.logsumexp(d),
    "max": lambda _, x, d: x.max(d)[0],
    "mean": lambda _, x, d: x.mean(d).nan_to_num(7.0),
    "median": lambda _, x, d: x.median(d)[0].nan_to_num(7.0),
    "norm": lambda _, x, d: x.norm(dim=d),
    "prod": lambda _, x, d: x.prod(d),
    "scatter_add": lambda t, x, d: x.scatter_add(d, t.zeros(x.shape, dtype=t.int64), t.zeros(x.shape)),
    "softmax": lambda _, x, d: x.softmax(d),
    "sort": lambda _, x, d: x.sort(d)[0],
    "sum": lambda _, x, d: x.sum(d),
    "take_along_dim": lambda t, x, d: t.take_along_dim(x, t.zeros(x.shape, dtype=t.int64), d),
    "topk": lambda _, x, d: x.topk(0, d)[0],
}


def _found(library: Any, name: str, shape: tuple[int, ...], dim: int) -> Any:
    x = library.zeros(shape, requires_grad=True)
    try:
        y = ALONG[name](library, x, dim)
    except (IndexError, RuntimeError) as error:
        return IndexError if isinstance(error, IndexError) else RuntimeError
    y.sum().backward()
    return list(y.shape), y.tolist(), list(x.grad.shape)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ALONG)
def test_as_in_pytorch(name: str, shape: tuple[int, ...]) -> None:
    for dim in range(-len(shape), len(shape)):
        assert _found(wengert, name, shape, dim) == _found(torch, name, shape, dim)
