"""Sums, means and maxima of rows of a table, bag by bag: ``embedding_bag`` of ``torch.nn.functional``."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.base import wrap
from wengert.functions.operands import raw_of_tensor
from wengert.nn._layers import embedding

__all__ = ["embedding_bag"]


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,  # noqa: ARG001  # gradients are dense
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Rows ``weight[i]`` put together by bags: the rows of a matrix of indices, or what starts at ``offsets``.

    ``mode`` is ``"sum"`` (with ``per_sample_weights``, each row times its weight), ``"mean"`` or ``"max"``. Indices
    equal to ``padding_idx`` do not count; an empty bag gives zeros. ``sparse`` changes nothing: gradients are dense.

    Raises:
        ValueError: ``offsets`` that do not go with the indices, or an unknown mode.
        NotImplementedError: ``per_sample_weights`` without ``mode="sum"``.

    >>> import wengert as torch
    >>> w = torch.tensor([[1., 2.], [3., 4.]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([[0, 1]]), w, mode="sum")
    tensor([[4., 6.]])
    """
    index, rows = raw_of_tensor("embedding_bag", input), raw_of_tensor("embedding_bag", weight, "weight")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError(
                "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
                f"(got mode='{mode}'). Please open a feature request on GitHub."
            )
        if per_sample_weights._data.shape != index.shape:
            raise ValueError(
                f"embedding_bag: If per_sample_weights ({list(per_sample_weights._data.shape)}) is not None, then it "
                f"must have the same shape as the input ({list(index.shape)})"
            )
        per_sample_weights = per_sample_weights.reshape(-1)
    starts = _starts(index, offsets, include_last_offset)
    flat = input.reshape(-1)
    ends = np.append(starts[1:], index.size)
    bags = np.repeat(np.arange(len(starts)), ends - starts)
    counted = np.ones(index.size, np.bool_)
    if padding_idx is not None:
        counted = index.reshape(-1) != (padding_idx + rows.shape[0] if padding_idx < 0 else padding_idx)
    parts = embedding(flat, weight, None, max_norm, norm_type, scale_grad_by_freq)
    kept = wrap(counted.nonzero()[0])
    parts, bags = parts.index_select(0, kept), bags[counted]
    if per_sample_weights is not None:
        parts = parts * per_sample_weights.index_select(0, kept).unsqueeze(1)
    zeros = weight.new_zeros((len(starts), rows.shape[1]))
    if mode == "max":
        return zeros.index_reduce(0, wrap(bags), parts, "amax", include_self=False)
    total = zeros.index_add(0, wrap(bags), parts)
    if mode == "sum":
        return total
    sizes = np.maximum(np.bincount(bags, minlength=len(starts)), 1).astype(rows.dtype)
    return total / wrap(sizes[:, None])


def _starts(index: Any, offsets: Any, include_last_offset: bool) -> Any:
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                "sequences"
            )
        return np.arange(index.shape[0]) * index.shape[1]
    if index.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {index.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    starts = raw_of_tensor("embedding_bag", offsets, "offsets")
    if starts.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    return starts[:-1] if include_last_offset else starts
