"""Attention: weighted means of values, with weights by how well keys fit queries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert._traced import Traced
from wengert.engine.base import wrap
from wengert.engine.composites import composite
from wengert.functions.operands import raw_of_tensor
from wengert.nn._layers import dropout
from wengert.nn._softmax import softmax

__all__ = ["scaled_dot_product_attention"]


@composite
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """``softmax(scale * query @ key.T + mask) @ value``; ``scale`` is ``1 / sqrt(features)`` unless given.

    A boolean mask says where to look; a float mask is added. ``is_causal`` lets position i look at 0 to i. A query that
    may look nowhere gives zeros. ``enable_gqa`` repeats the heads of keys and values for those of the queries.

    Raises:
        RuntimeError: both a mask and ``is_causal``; shapes that do not fit.

    >>> import wengert as torch
    >>> q = torch.zeros(1, 2, 4)
    >>> v = torch.tensor([[[1.0], [3.0]]])
    >>> torch.nn.functional.scaled_dot_product_attention(q, q, v, is_causal=True)
    tensor([[[1.],
             [2.]]])
    """
    q = raw_of_tensor("scaled_dot_product_attention", query, "query")
    if is_causal and attn_mask is not None:
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True. Pass one of them"
        )
    if enable_gqa:
        heads = query.shape[-3]
        key = key.repeat_interleave(heads // key.shape[-3], -3)
        value = value.repeat_interleave(heads // value.shape[-3], -3)
    factor = 1.0 / math.sqrt(max(q.shape[-1], 1)) if scale is None else scale
    scores = (query * factor) @ key.transpose(-2, -1)
    if is_causal:
        attn_mask = wrap(np.tri(q.shape[-2], key.shape[-2], dtype=bool))
    weights = masked_softmax(scores, attn_mask)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p)
    return weights @ value


def masked_softmax(scores: Any, mask: Any) -> Any:
    """Softmax over the last dimension; where a boolean mask leaves nothing, zeros."""
    if mask is None:
        return softmax(scores, -1)
    if mask._data.dtype.kind != "b":
        return softmax(scores + mask, -1)
    weights = softmax(scores.masked_fill(mask.logical_not(), -math.inf), -1)
    nothing = mask.any(-1, keepdim=True).logical_not()
    if isinstance(nothing._data, Traced) or bool(nothing.any()):
        return weights.masked_fill(nothing, 0.0)
    return weights
