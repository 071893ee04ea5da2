"""Inputs that are empty, not finite, overlapping or of other dtypes, where PyTorch has an answer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

NAN, INF = np.nan, np.inf
ODD = np.array([NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5, 3.0])
IMAGE = np.resize(ODD, (1, 2, 5, 6))
R = np.random.default_rng(3)
Call = Callable[[Any, Any], Any]

CALLS: list[tuple[str, Call, np.ndarray]] = [
    ("max_pool2d, NaN", lambda lib, x: lib.nn.functional.max_pool2d(x, 2, 1, 1, return_indices=True), IMAGE),
    ("max_pool2d, large", lambda lib, x: lib.nn.functional.max_pool2d(x, 3, 2), np.resize(ODD, (4, 3, 30, 30))),
    ("max_pool1d, empty", lambda lib, x: lib.nn.functional.max_pool1d(x, 2, return_indices=True), np.ones((0, 2, 4))),
    ("adaptive_max_pool2d, empty", lambda lib, x: lib.nn.functional.adaptive_max_pool2d(x, 2), np.ones((0, 2, 4, 4))),
    ("adaptive_avg_pool2d", lambda lib, x: lib.nn.functional.adaptive_avg_pool2d(x, (2, 4)), IMAGE),
    ("interpolate, area", lambda lib, x: lib.nn.functional.interpolate(x, (3, 4), mode="area"), IMAGE),
    ("group_norm, empty", lambda lib, x: lib.nn.functional.group_norm(x, 2), np.ones((0, 4, 3))),
    ("conv2d, empty", lambda lib, x: lib.nn.functional.conv2d(x, lib.ones(3, 2, 2, 2).double()), np.ones((0, 2, 4, 4))),
    ("prelu", lambda lib, x: lib.nn.functional.prelu(x, lib.tensor([NAN]).double()), ODD),
    ("take, out", lambda lib, x: lib.take(x, lib.tensor([2, 0]), out=lib.empty(2).double()), ODD),
    (
        "grid_sample",
        lambda lib, x: lib.nn.functional.grid_sample(lib.ones(1, 1, 2, 2).double(), x, align_corners=False),
        np.array([NAN, 0.0, INF, 0.5, -0.5, -INF, 0.0, 0.0]).reshape(1, 2, 2, 2),
    ),
    ("resize_", lambda lib, x: x.clone().resize_(2, 3), R.random((3, 4))),
    ("resize_, a view", lambda lib, x: x.clone().t()[:2].resize_(4), R.random((3, 4))),
    ("native_layer_norm", lambda lib, x: lib.native_layer_norm(x, (4,), None, None, 1e-5), R.random((3, 4))),
]


@pytest.mark.parametrize(("call", "x"), [pytest.param(call, x, id=name) for name, call, x in CALLS])
def test_values(call: Call, x: np.ndarray) -> None:
    found = [call(lib, lib.from_numpy(x.copy())) for lib in (wengert, torch)]
    ours, theirs = [part if isinstance(part, tuple) else (part,) for part in found]
    for a, b in zip(ours, theirs, strict=True):
        assert a.numpy().dtype == b.numpy().dtype
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


REFUSED: list[tuple[str, Call]] = [
    ("gather, out", lambda lib, x: lib.gather(x, 0, lib.tensor([0]), out=lib.empty(1).double())),
    ("aminmax, out", lambda lib, x: lib.aminmax(x, dim=0, out=(lib.empty(()).double(), lib.empty(())))),
    ("complex, out", lambda lib, x: lib.complex(x, x, out=lib.empty(3, dtype=lib.complex128))),
    ("masked_fill", lambda lib, x: x.masked_fill(x > 0, lib.tensor(1j))),
    ("cdist", lambda lib, x: lib.cdist(lib.ones(2, 3, 2), lib.ones(3, 3, 2))),
    ("take_along_dim", lambda lib, x: lib.take_along_dim(lib.ones(2, 3), lib.zeros(3, 2, dtype=lib.int64), 1)),
    ("dropout2d", lambda lib, x: lib.nn.functional.dropout2d(lib.ones(2, 3, 4, 4, dtype=lib.int64), 0.5)),
    ("resize_", lambda lib, x: x.requires_grad_().resize_(2)),
    ("inv", lambda lib, x: lib.linalg.inv(lib.zeros(2, 2))),
]


@pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in REFUSED])
def test_refused(call: Call) -> None:
    for lib in (wengert, torch):
        with pytest.raises(RuntimeError):
            call(lib, lib.tensor([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("steps", [1, 7])
def test_ctc_loss(steps: int, reduction: str, zero_infinity: bool) -> None:
    rng = np.random.default_rng(steps)
    for joined in (False, True):
        x = rng.standard_normal((steps, 4, 3))
        targets, seen, said = rng.integers(1, 3, (4, 3)), rng.integers(0, steps + 1, 4), rng.integers(0, 4, 4)
        listed = np.concatenate([row[:n] for row, n in zip(targets, said, strict=True)]) if joined else targets
        found = []
        for lib in (wengert, torch):
            t = lib.from_numpy(x.copy()).requires_grad_()
            lengths = [lib.from_numpy(n.copy()) for n in (listed, seen, said)]
            settings = {"reduction": reduction, "zero_infinity": zero_infinity}
            loss = lib.nn.functional.ctc_loss(lib.log_softmax(t, 2), *lengths, **settings)
            (grad,) = lib.autograd.grad(loss.sum(), t)
            found.append((loss.detach().numpy(), grad.numpy()))
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_ctc_loss_has_second_derivatives() -> None:
    def loss(x: Any) -> Any:
        return wengert.nn.functional.ctc_loss(x.log_softmax(2), wengert.tensor([[1, 1], [2, 1]]), (4, 3), (2, 1))

    x = wengert.tensor(np.random.default_rng(0).standard_normal((4, 2, 3)), requires_grad=True)
    assert wengert.autograd.gradcheck(loss, x)
    assert wengert.autograd.gradgradcheck(loss, x)


@pytest.mark.parametrize("shape", [(3, 4, 200, 190), (1, 40, 3, 5000), (700, 4, 20, 20)])
def test_large_convolutions_are_those_of_their_pieces(shape: tuple[int, ...]) -> None:
    x = R.standard_normal(shape).astype(np.float32)
    w = R.standard_normal((6, shape[1] // 2, 3, 2)).astype(np.float32)
    settings = {"padding": (1, 2), "stride": (1, 2), "dilation": (1, 2), "groups": 2}
    grads = []
    for lib in (wengert, torch):
        leaves = [lib.from_numpy(a.copy()).requires_grad_() for a in (x, w)]
        y = lib.nn.functional.conv2d(*leaves, **settings)
        grads.append([y.detach().numpy(), *[g.numpy() for g in lib.autograd.grad((y * y).mean(), leaves)]])
    for a, b in zip(*grads, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5 * abs(b).max())
