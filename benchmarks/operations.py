"""The commonest operations, each at three sizes: forward alone, and forward with backward.

An operation is a function of ``torch``, the library, and of a number of elements; it returns the call to time and the
tensors to differentiate by. Sizes count the elements of the largest input, roughly where shapes do not allow more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np

SIZES = (10**2, 10**4, 10**6)

Call = Callable[[], Any]
Prepare = Callable[[Any, int], tuple[Call, tuple[Any, ...]]]


@dataclass(frozen=True)
class Operation:
    """One operation; ``slow`` says why, where it may take more than five times as long as in PyTorch."""

    name: str
    prepare: Prepare
    slow: str = ""


def numbers(torch: Any, *shape: int, seed: int = 0) -> Any:
    """Normal random numbers, float32."""
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


def indices(torch: Any, below: int, *shape: int) -> Any:
    """Random indices."""
    return torch.tensor(np.random.default_rng(9).integers(0, below, shape))


def _of_one(function: Callable[[Any, Any], Any], *, positive: bool = False, rows: bool = False) -> Prepare:
    def prepare(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
        side = isqrt(size)
        x = numbers(torch, side, side) if rows else numbers(torch, size)
        x = x.abs() + 0.5 if positive else x
        return lambda: function(torch, x), (x,)

    return prepare


def _of_distinct(function: Callable[[Any, Any], Any]) -> Prepare:
    """Of rows without ties: which of equal numbers comes first is not the same in both libraries."""

    def prepare(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
        side = isqrt(size)
        x = torch.tensor(np.random.default_rng(0).permutation(side * side).astype(np.float32).reshape(side, side))
        return lambda: function(torch, x), (x,)

    return prepare


def _of_two(function: Callable[[Any, Any, Any], Any]) -> Prepare:
    def prepare(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
        a, b = numbers(torch, size), numbers(torch, size, seed=1)
        b = b.abs() + 0.5
        return lambda: function(torch, a, b), (a, b)

    return prepare


# --- products and linear algebra -------------------------------------------------------------------------------------


def _matmul(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    side = isqrt(size) // 2
    a, b = numbers(torch, side, side), numbers(torch, side, side, seed=1)
    return lambda: a @ b, (a, b)


def _bmm(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    batch, side = max(1, size // 1024), min(32, isqrt(size))
    a, b = numbers(torch, batch, side, side), numbers(torch, batch, side, side, seed=1)
    return lambda: torch.bmm(a, b), (a, b)


def _linear(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    rows, width = max(2, size // 128), min(128, size // 2)
    x, w, b = numbers(torch, rows, width), numbers(torch, width, width, seed=1), numbers(torch, width, seed=2)
    return lambda: torch.nn.functional.linear(x, w, b), (x, w, b)


def _einsum(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    batch, side = max(1, size // 4096), min(64, isqrt(size))
    a, b = numbers(torch, batch, side, side), numbers(torch, batch, side, side, seed=1)
    return lambda: torch.einsum("bij,bkj->bik", a, b), (a, b)


def _attention(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    length, width = max(4, isqrt(size // 16)), min(64, max(4, isqrt(size)))
    q, k, v = (numbers(torch, 2, 4, length, width, seed=seed) for seed in range(3))
    return lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v), (q, k, v)


def _solve(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    side = isqrt(size) // 2
    a, b = numbers(torch, side, side) + side * torch.eye(side), numbers(torch, side, seed=1)
    return lambda: torch.linalg.solve(a, b), (a, b)


def _rfft(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = numbers(torch, size)
    return lambda: torch.view_as_real(torch.fft.rfft(x)), (x,)


# --- movement, indices, order ----------------------------------------------------------------------------------------


def _cat(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    parts = tuple([numbers(torch, size // 4, seed=seed) for seed in range(4)])
    return lambda: torch.cat(parts), parts


def _stack(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    parts = tuple([numbers(torch, size // 4, seed=seed) for seed in range(4)])
    return lambda: torch.stack(parts, 1), parts


def _pad(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    side = isqrt(size)
    x = numbers(torch, side, side)
    return lambda: torch.nn.functional.pad(x, (1, 2, 3, 4)), (x,)


def _index(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x, index = numbers(torch, size), indices(torch, size, size)
    return lambda: x[index], (x,)


def _index_select(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    side = isqrt(size)
    x, index = numbers(torch, side, side), indices(torch, side, side)
    return lambda: torch.index_select(x, 1, index), (x,)


def _gather(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    side = isqrt(size)
    x, index = numbers(torch, side, side), indices(torch, side, side, side)
    return lambda: torch.gather(x, 1, index), (x,)


def _scatter_add(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    side = isqrt(size)
    x, source = numbers(torch, side, side), numbers(torch, side, side, seed=1)
    index = indices(torch, side, side, side)
    return lambda: torch.scatter_add(x, 1, index, source), (x, source)


def _index_add(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    side = isqrt(size)
    x, source = numbers(torch, side, side), numbers(torch, side, side, seed=1)
    index = indices(torch, side, side)
    return lambda: torch.index_add(x, 0, index, source), (x, source)


def _masked_fill(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = numbers(torch, size)
    mask = numbers(torch, size, seed=1) > 0
    return lambda: torch.masked_fill(x, mask, 0.0), (x,)


def _mask(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = numbers(torch, size)
    mask = numbers(torch, size, seed=1) > 0
    return lambda: x[mask], (x,)


def _embedding(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    rows, width = max(4, size // 64), min(64, size // 4)
    weight, index = numbers(torch, rows, width), indices(torch, rows, max(4, size // 128))
    return lambda: torch.nn.functional.embedding(index, weight), (weight,)


def _where(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    a, b = numbers(torch, size), numbers(torch, size, seed=1)
    mask = numbers(torch, size, seed=2) > 0
    return lambda: torch.where(mask, a, b), (a, b)


# --- networks --------------------------------------------------------------------------------------------------------


def _conv1d(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    channels, length = min(16, max(2, size // 50)), max(16, size // 128)
    x, w = numbers(torch, 8, channels, length), numbers(torch, channels, channels, 3, seed=1)
    return lambda: torch.nn.functional.conv1d(x, w, padding=1), (x, w)


def _images(torch: Any, size: int) -> Any:
    channels, side = min(16, max(2, size // 50)), max(4, isqrt(size // 64))
    return numbers(torch, 4, channels, side, side)


def _conv2d(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = _images(torch, size)
    w = numbers(torch, 2 * x.shape[1], x.shape[1], 3, 3, seed=1)
    return lambda: torch.nn.functional.conv2d(x, w, padding=1), (x, w)


def _conv_transpose2d(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = _images(torch, size // 4)
    w = numbers(torch, x.shape[1], x.shape[1], 3, 3, seed=1)
    return lambda: torch.nn.functional.conv_transpose2d(x, w, stride=2, padding=1), (x, w)


def _max_pool2d(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = _images(torch, size)
    return lambda: torch.nn.functional.max_pool2d(x, 2), (x,)


def _avg_pool2d(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = _images(torch, size)
    return lambda: torch.nn.functional.avg_pool2d(x, 2), (x,)


def _interpolate(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = _images(torch, size // 4)
    function = torch.nn.functional.interpolate
    return lambda: function(x, scale_factor=2, mode="bilinear", align_corners=False), (x,)


def _batch_norm(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = _images(torch, size)
    w, b = numbers(torch, x.shape[1], seed=1), numbers(torch, x.shape[1], seed=2)
    return lambda: torch.nn.functional.batch_norm(x, None, None, w, b, training=True), (x, w, b)


def _group_norm(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x = _images(torch, size)
    w, b = numbers(torch, x.shape[1], seed=1), numbers(torch, x.shape[1], seed=2)
    return lambda: torch.nn.functional.group_norm(x, 2, w, b), (x, w, b)


def _layer_norm(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    width = min(256, max(10, size // 20))
    x, w, b = numbers(torch, size // width, width), numbers(torch, width, seed=1), numbers(torch, width, seed=2)
    return lambda: torch.nn.functional.layer_norm(x, (width,), w, b), (x, w, b)


def _cross_entropy(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x, labels = numbers(torch, size // 10, 10), indices(torch, 10, size // 10)
    return lambda: torch.nn.functional.cross_entropy(x, labels), (x,)


def _binary_cross_entropy(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x, target = numbers(torch, size), (numbers(torch, size, seed=1) > 0).float()
    return lambda: torch.nn.functional.binary_cross_entropy_with_logits(x, target), (x,)


def _mse_loss(torch: Any, size: int) -> tuple[Call, tuple[Any, ...]]:
    x, target = numbers(torch, size), numbers(torch, size, seed=1)
    return lambda: torch.nn.functional.mse_loss(x, target), (x,)


OPERATIONS = (
    Operation("add", _of_two(lambda torch, a, b: a + b)),
    Operation("sub", _of_two(lambda torch, a, b: a - b)),
    Operation("mul", _of_two(lambda torch, a, b: a * b)),
    Operation("div", _of_two(lambda torch, a, b: a / b)),
    Operation("maximum", _of_two(lambda torch, a, b: torch.maximum(a, b))),
    Operation("where", _where),
    Operation("neg", _of_one(lambda torch, x: -x)),
    Operation("abs", _of_one(lambda torch, x: torch.abs(x))),
    Operation("pow 2", _of_one(lambda torch, x: x**2)),
    Operation("sqrt", _of_one(lambda torch, x: torch.sqrt(x), positive=True)),
    Operation("exp", _of_one(lambda torch, x: torch.exp(x))),
    Operation("log", _of_one(lambda torch, x: torch.log(x), positive=True)),
    Operation("sin", _of_one(lambda torch, x: torch.sin(x))),
    Operation("tanh", _of_one(lambda torch, x: torch.tanh(x))),
    Operation("sigmoid", _of_one(lambda torch, x: torch.sigmoid(x))),
    Operation("erf", _of_one(lambda torch, x: torch.erf(x))),
    Operation("relu", _of_one(lambda torch, x: torch.relu(x))),
    Operation("gelu", _of_one(lambda torch, x: torch.nn.functional.gelu(x))),
    Operation("silu", _of_one(lambda torch, x: torch.nn.functional.silu(x))),
    Operation("softplus", _of_one(lambda torch, x: torch.nn.functional.softplus(x))),
    Operation("clamp", _of_one(lambda torch, x: torch.clamp(x, -1.0, 1.0))),
    Operation("sum", _of_one(lambda torch, x: x.sum())),
    Operation("mean, one axis", _of_one(lambda torch, x: x.mean(1), rows=True)),
    Operation("amax, one axis", _of_one(lambda torch, x: x.amax(1), rows=True)),
    Operation("max with indices", _of_distinct(lambda torch, x: x.max(1)[0])),
    Operation("std, one axis", _of_one(lambda torch, x: x.std(1), rows=True)),
    Operation("norm", _of_one(lambda torch, x: torch.linalg.vector_norm(x))),
    Operation("logsumexp", _of_one(lambda torch, x: torch.logsumexp(x, 1), rows=True)),
    Operation("cumsum", _of_one(lambda torch, x: torch.cumsum(x, 1), rows=True)),
    Operation("softmax", _of_one(lambda torch, x: torch.softmax(x, 1), rows=True)),
    Operation("log_softmax", _of_one(lambda torch, x: torch.log_softmax(x, 1), rows=True)),
    Operation("sort", _of_distinct(lambda torch, x: torch.sort(x, 1)[0])),
    Operation(
        "topk",
        _of_distinct(lambda torch, x: torch.topk(x, 5, 1)[0]),
        "the selection is NumPy's partition and a sort of what it kept; for rows of a hundred the calls cost more",
    ),
    Operation("transposed copy", _of_one(lambda torch, x: x.t().contiguous(), rows=True)),
    Operation("slice", _of_one(lambda torch, x: x[1:-1, ::2], rows=True)),
    Operation("flip", _of_one(lambda torch, x: torch.flip(x, (0, 1)), rows=True)),
    Operation("cat", _cat),
    Operation("stack", _stack),
    Operation("pad", _pad),
    Operation("index with an array", _index),
    Operation("index with a mask", _mask),
    Operation(
        "index_select",
        _index_select,
        "arguments and bounds are checked in Python: 4 us for a hundred elements, where the copy takes 1",
    ),
    Operation(
        "gather",
        _gather,
        "arguments, bounds and, below 512 elements, flat indices are NumPy calls: 6 us for a hundred elements",
    ),
    Operation(
        "scatter_add",
        _scatter_add,
        "arguments, bounds and, below 512 elements, flat indices are NumPy calls: 8 us for a hundred elements",
    ),
    Operation(
        "index_add",
        _index_add,
        "arguments, bounds and, below 512 elements, flat indices are NumPy calls: 10 us for a hundred elements",
    ),
    Operation("masked_fill", _masked_fill),
    Operation("embedding", _embedding),
    Operation("matmul", _matmul),
    Operation("bmm", _bmm),
    Operation("linear", _linear),
    Operation("einsum", _einsum),
    Operation("solve", _solve, "backward factorises the matrix once more: NumPy gives no factors"),
    Operation(
        "rfft",
        _rfft,
        "NumPy's FFT in float32 is called through several layers of Python; a small one costs 11 us",
    ),
    Operation(
        "attention",
        _attention,
        "some ten operations composed in Python, where PyTorch has one kernel",
    ),
    Operation("conv1d", _conv1d),
    Operation("conv2d", _conv2d),
    Operation("conv_transpose2d", _conv_transpose2d),
    Operation(
        "max_pool2d",
        _max_pool2d,
        "arguments and node are made in Python, and backward adds by indices: 40 us, whatever the size",
    ),
    Operation(
        "avg_pool2d",
        _avg_pool2d,
        "arguments are looked at in Python, and backward is one NumPy call for each place of the kernel: 25 us",
    ),
    Operation(
        "interpolate",
        _interpolate,
        "two transpositions and products of matrices are recorded: 20 us, whatever the size",
    ),
    Operation(
        "batch_norm",
        _batch_norm,
        "a node of three results and five views of arrays are made in Python: 60 us of backward, whatever the size",
    ),
    Operation(
        "group_norm",
        _group_norm,
        "a node of three results and five views of arrays are made in Python: 60 us of backward, whatever the size",
    ),
    Operation(
        "layer_norm",
        _layer_norm,
        "a node of three results and five views of arrays are made in Python: 60 us of backward, whatever the size",
    ),
    Operation("cross_entropy", _cross_entropy),
    Operation("binary_cross_entropy", _binary_cross_entropy),
    Operation("mse_loss", _mse_loss),
)


def steps(torch: Any, operation: Operation, size: int) -> dict[str, Call]:
    """What is timed: ``forward`` of inputs that nothing tracks, and ``backward`` for both with one cotangent."""
    untracked, _ = operation.prepare(torch, size)
    like = untracked()
    cotangent = torch.tensor(np.random.default_rng(5).standard_normal(tuple(like.shape)).astype(np.float32))
    tracked, inputs = operation.prepare(torch, size)
    for x in inputs:
        x.requires_grad_()

    def backward() -> tuple[Any, ...]:
        y = tracked()
        return (y, *torch.autograd.grad(y, inputs, cotangent))

    return {"forward": lambda: (untracked(),), "backward": backward}
