"""Rows of a table, looked up in bags and combined, of ``torch.nn.functional``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.engine.base import array_of, wrap
from wengert.functions.likes import zeros_like
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
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of the table's rows in each bag; an empty bag gives zeros.

    ``input`` is a matrix with a bag in each row, or a vector with the place in ``offsets`` where each bag begins (and,
    with ``include_last_offset``, where the last one ends). ``per_sample_weights`` multiply the rows of a sum. Rows
    ``padding_idx`` do not count.

    Raises:
        ValueError: offsets for a matrix, none for a vector, or an unknown mode.
        NotImplementedError: weights with a mode other than sum.

    >>> import wengert as torch
    >>> table = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([0, 1, 2]), table, torch.tensor([0, 2]), mode="sum")
    tensor([[4., 6.],
            [5., 6.]])
    """
    index = array_of(input) if isinstance(raw_of_tensor("embedding_bag", input), np.ndarray) else np.asarray(input)
    starts, ends = _bags(index, offsets, include_last_offset)
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError(
                "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
                f"(got mode='{mode}'). Please open a feature request on GitHub."
            )
        if per_sample_weights.shape != input.shape:
            raise ValueError(
                f"embedding_bag: If per_sample_weights ({list(per_sample_weights.shape)}) is not None, it must have "
                f"the same shape as the input ({list(input.shape)})"
            )
    flat = index.reshape(-1)
    bag = np.repeat(np.arange(len(starts)), ends - starts)
    places = np.arange(starts[0], ends[-1]) if len(starts) else np.arange(0)
    if padding_idx is not None:
        kept = flat[places] != padding_idx % weight.shape[0]
        bag, places = bag[kept], places[kept]
    rows = embedding(wrap(flat[places]), weight, None, max_norm, norm_type, scale_grad_by_freq, sparse)
    if mode == "max":
        return _greatest(rows, bag, len(starts))
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1).index_select(0, wrap(places)).unsqueeze(1)
    empty = zeros_like(weight[:1]).detach().expand(len(starts), weight.shape[1])
    total = empty.index_add(0, wrap(bag.astype(np.int64)), rows)
    if mode == "mean":
        number = np.bincount(bag, minlength=len(starts)).clip(1).astype(array_of(weight).dtype)
        total = total / wrap(number[:, None])
    return total


def _bags(index: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, Any]:
    """Where each bag begins and ends in the flat input."""
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        starts = np.arange(index.shape[0]) * index.shape[1]
        return starts, starts + index.shape[1]
    if index.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {index.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts = np.asarray(array_of(offsets), np.int64)
    if len(starts) and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
            f"However, got {starts[0]}"
        )
    if (np.diff(starts) < 0).any() or (len(starts) and starts[-1] > index.size):
        raise RuntimeError(
            f"offsets must not decrease or exceed the {index.size} indices, and they are {starts.tolist()}"
        )
    if include_last_offset:
        return starts[:-1], starts[1:]
    return starts, np.append(starts[1:], index.size)


def _greatest(rows: Any, bag: Any, number: int) -> Any:
    """The greatest of each bag's rows, element by element."""
    lengths = np.bincount(bag, minlength=number)
    widest = int(lengths.max(initial=0))
    if not widest:
        return zeros_like(rows).sum(0).expand(number, rows.shape[1])
    column = np.arange(bag.size) - (np.cumsum(lengths) - lengths)[bag]
    table = np.zeros((number, widest), np.int64)
    filled = np.zeros((number, widest), bool)
    table[bag, column], filled[bag, column] = np.arange(bag.size), True
    spread = rows.index_select(0, wrap(table.reshape(-1))).reshape(number, widest, rows.shape[1])
    greatest = spread.masked_fill(wrap(~filled[:, :, None]), -math.inf).max(1).values
    return greatest.masked_fill(wrap((lengths == 0)[:, None]), 0.0)
