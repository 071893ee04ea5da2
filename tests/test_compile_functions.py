"""Public functions of every family, compiled and eager, at two points, with indices from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert import nn

F = nn.functional
I = torch.tensor([0, 2, 1])  # noqa: E741
M = torch.tensor([[0, 1, 2], [2, 1, 0], [1, 1, 1]])


def written(x: Any, key: Any, value: Any) -> Any:
    y = x.clone()
    y[key(y) if callable(key) else key] = value
    return y


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "gather": lambda x: torch.gather(x, 1, M),
    "index_select": lambda x: torch.index_select(x, 0, I),
    "take": lambda x: torch.take(x, I),
    "x[I]": lambda x: x[I],
    "x[I,I]": lambda x: x[I, I],
    "embedding": lambda x: F.embedding(I, x),
    "one_hot": lambda x: F.one_hot(I, 3) * x,
    "scatter": lambda x: torch.zeros(3, 3).scatter(1, M, x),
    "scatter_add": lambda x: torch.zeros(3, 3).scatter_add(1, M, x),
    "index_add": lambda x: x.index_add(0, I, x),
    "take_along": lambda x: torch.take_along_dim(x, M, 1),
    "sort": lambda x: x.sort(1)[0],
    "topk": lambda x: x.topk(2)[0],
    "masked_fill": lambda x: x.masked_fill(x > 0, 0.0),
    "x[x>0]=0": lambda x: written(x, lambda y: y > 0, 0.0),
    "tril": lambda x: x.tril(),
    "where": lambda x: torch.where(x > 0, x, -x),
    "clamp": lambda x: x.clamp(0, 1),
    "std": lambda x: x.std(0),
    "var": lambda x: x.var(),
    "softmax": lambda x: x.softmax(1),
    "logsumexp": lambda x: x.logsumexp(1),
    "layer_norm": lambda x: F.layer_norm(x, (3,)),
    "einsum": lambda x: torch.einsum("ij,kj->ik", x, x),
    "cat": lambda x: torch.cat([x, x * 2], 1),
    "stack": lambda x: torch.stack([x, x]),
    "pad": lambda x: F.pad(x, (1, 1)),
    "cumsum": lambda x: x.cumsum(0),
    "norm": lambda x: x.norm(),
    "linear": lambda x: F.linear(x, x, x[0]),
    "mse": lambda x: F.mse_loss(x, x * 2),
    "bce": lambda x: F.binary_cross_entropy_with_logits(x, x.sigmoid().detach()),
    "gelu": lambda x: F.gelu(x),
    "argmax": lambda x: x.argmax(1),
    "median": lambda x: x.median(),
    "inverse": lambda x: torch.linalg.inv(x + 3 * torch.eye(3)),
    "arange": lambda x: x * torch.arange(3.0),
    "full": lambda x: x + torch.full((3, 3), 2.0),
    "flip": lambda x: x.flip(0),
    "roll": lambda x: x.roll(1, 0),
    "split": lambda x: x.split(2)[0],
    "chunk": lambda x: x.chunk(2, 1)[1],
    "iter": lambda x: sum(r.sum() for r in x),
    "len": lambda x: x * len(x),
    "max": lambda x: x.max(1).values,
    "prod": lambda x: x.prod(),
    "repeat": lambda x: x.repeat(2, 1),
    "heaviside": lambda x: torch.heaviside(x, x),
    "diff": lambda x: x.diff(),
    "outer": lambda x: torch.outer(x[0], x[1]),
    "cross": lambda x: torch.cross(x, x.flip(1), dim=1),
    "meshgrid": lambda x: torch.meshgrid(x[0], x[1], indexing="ij")[0],
    "conv1d": lambda x: F.conv1d(x[None], x[None][:, :, :2]),
    "max_pool": lambda x: F.max_pool2d(x[None, None], 2),
    "nll": lambda x: F.cross_entropy(x, I),
    "dot": lambda x: x[0] @ x[1],
    "interp": lambda x: F.interpolate(x[None], scale_factor=2),
    "fft": lambda x: torch.fft.fft(x).abs(),
    "bucketize": lambda x: torch.bucketize(x, torch.tensor([0.0, 1.0])),
    "isclose": lambda x: torch.isclose(x, x),
    "diag": lambda x: x.diag(),
    "trace": lambda x: x.trace(),
    "det": lambda x: torch.linalg.det(x),
    "svd": lambda x: torch.linalg.svdvals(x),
    "nan": lambda x: torch.nan_to_num(x),
    "inplace": lambda x: x.clone().mul_(2).add_(x).clamp_(min=0),
    "data": lambda x: x.data + 1,
    "numel": lambda x: x / x.numel(),
    "quantile": lambda x: x.quantile(torch.tensor([0.25, 0.7]), 1),
    "quantile at traced levels": lambda x: torch.quantile(x, x[0].sigmoid(), interpolation="nearest"),
    "nanquantile": lambda x: torch.where(x > 0.5, torch.nan, x).nanquantile(0.3, 0),
    "quantile with nan": lambda x: torch.where(x > 0.5, torch.nan, x).quantile(0.3, 0, keepdim=True),
    "isin": lambda x: torch.isin(x.round(), torch.tensor([0.0, 1.0])),
    "isin, inverted": lambda x: torch.isin(x.round(), x[0].round(), invert=True),
    "as_strided": lambda x: x.exp().as_strided((2, 2), (3, 2), 1),
    "max_unpool": lambda x: F.max_unpool1d(*F.max_pool1d(x[None], 1, return_indices=True), 1),
    "gaussian_nll": lambda x: F.gaussian_nll_loss(x, x[0], x.exp()),
    "binary_cross_entropy": lambda x: F.binary_cross_entropy(x.sigmoid(), (x > 0).float()),
    "solve": lambda x: torch.linalg.solve(x + 3 * torch.eye(3), x),
    "eigvals": lambda x: torch.linalg.eigvals(x @ x.mT + torch.eye(3)).real.sort()[0],
    "cov": lambda x: torch.cov(x, fweights=torch.tensor([1, 2, 1])),
    "index_put": lambda x: x.index_put((I,), x[0]),
    "masked_scatter": lambda x: x.masked_scatter(x > 0, -x),
    "attention": lambda x: F.scaled_dot_product_attention(x, x, x, attn_mask=x > -9),
    "setitem": lambda x: written(x, (0, slice(1)), 5.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_compiled_at_other_values(name: str) -> None:
    f = FUNCTIONS[name]
    compiled = torch.compile(f)
    for seed in range(2):
        x = torch.tensor(np.random.default_rng(seed).standard_normal((3, 3)), dtype=torch.float32)
        got, want = compiled(x), f(x)
        assert got.dtype is want.dtype
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=2e-5, atol=2e-6)


def test_indices_from_outside_are_read_anew() -> None:
    index = torch.tensor([0, 1])
    compiled = torch.compile(lambda x: torch.gather(x, 0, index))
    x = torch.arange(3.0)
    assert compiled(x).tolist() == [0, 1]
    index[0] = 2
    assert compiled(x).tolist() == [2, 1]
    index[0] = 7
    with pytest.raises(IndexError):
        compiled(x)
