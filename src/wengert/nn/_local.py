"""Normalisation by neighbouring channels, and distances between all rows, of ``torch.nn.functional``."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.base import wrap
from wengert.functions.norms import vector_norm
from wengert.functions.operands import raw_of_tensor
from wengert.nn._pooling import avg_pool2d
from wengert.spaces.tensors import TENSOR

__all__ = ["local_response_norm", "pdist"]


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """``x / (k + alpha mean(x^2))^beta``, the mean over ``size`` neighbouring channels of ``[N, C, *]``.

    A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional networks" (2012).

    Raises:
        ValueError: fewer than three dimensions.

    >>> import wengert as torch
    >>> torch.nn.functional.local_response_norm(torch.ones(1, 1, 1), 1, alpha=3.0, beta=0.5)
    tensor([[[0.5000]]])
    """
    shape = raw_of_tensor("local_response_norm", input).shape
    if len(shape) < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {len(shape)} dimensions)")
    if not input._data.size:
        return input
    squares = TENSOR.reshape(TENSOR.mul(input, input), shape=(shape[0], 1, shape[1], int(np.prod(shape[2:]))))
    pads = ((0, 0), (0, 0), (size // 2, (size - 1) // 2), (0, 0))
    means = avg_pool2d(TENSOR.constant_pad(squares, pads=pads, value=0.0), (size, 1), stride=1)
    divisor = TENSOR.pow_number(TENSOR.add(TENSOR.mul(TENSOR.reshape(means, shape=shape), alpha), k), beta)
    return TENSOR.div(input, divisor)


def pdist(input: Any, p: float = 2.0) -> Any:
    """The distances in the ``p``-norm between all pairs of rows, in the order (0, 1), (0, 2), ..., (1, 2), ...

    Raises:
        RuntimeError: no matrix, or a negative ``p``.

    >>> import wengert as torch
    >>> torch.pdist(torch.tensor([[0., 0.], [3., 4.], [0., 1.]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    raw = raw_of_tensor("pdist", input)
    if raw.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {raw.ndim}D")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    first, second = np.triu_indices(raw.shape[0], 1)
    rows = [TENSOR.index_select(input, wrap(index.astype(np.int64)), dim=0) for index in (first, second)]
    return vector_norm(TENSOR.sub(*rows), p, 1)
