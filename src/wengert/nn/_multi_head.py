"""Attention in several parts of the features at once, of ``torch.nn.functional``."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from wengert.engine.composites import placed
from wengert.functions.creation import zeros
from wengert.functions.joining import cat
from wengert.functions.likes import zeros_like
from wengert.nn._layers import dropout, linear
from wengert.nn._softmax import softmax
from wengert.spaces.tensors import TENSOR

__all__ = ["multi_head_attention_forward"]

Pair = tuple[Any, Any]


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Pair:
    """What :class:`torch.nn.MultiheadAttention` computes, with its parameters given: the result, and weights or None.

    Queries, keys and values are ``[steps, batch, features]`` or ``[steps, features]``. Masks are True (or added
    ``-inf``) where not to look: ``key_padding_mask`` ``[batch, keys]``, ``attn_mask`` ``[queries, keys]`` or ``[batch *
    heads, queries, keys]``. ``static_k`` and ``static_v``, ``[batch * heads, keys, size]``, take the place of projected
    keys and values. Source: A. Vaswani et al., "Attention is all you need" (2017).

    Raises:
        AssertionError: shapes that do not fit, as in PyTorch.
        RuntimeError: a mask that does not; ``is_causal`` without ``attn_mask``.

    >>> import wengert as torch
    >>> x, w = torch.ones(2, 1, 4), torch.ones(12, 4)
    >>> out = torch.eye(4)
    >>> attention = torch.nn.functional.multi_head_attention_forward
    >>> attention(x, x, x, 4, 2, w, None, None, None, False, 0.0, out, None)[1]
    tensor([[[0.5000, 0.5000],
             [0.5000, 0.5000]]])
    """
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    single = query.dim() == 2
    if single:
        same = query is key and key is value
        query = query.unsqueeze(1)
        key, value = (query, query) if same else (key.unsqueeze(1), value.unsqueeze(1))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    _check(query, key, value, embed_dim_to_check, num_heads)
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else in_proj_weight
    q, k, v = _project(query, key, value, weights, in_proj_bias)
    mask = _merged_mask(attn_mask, key_padding_mask, q, num_heads, k.shape[0])
    if bias_k is not None:
        k, v, mask = _lengthened((k, bias_k.repeat(1, k.shape[1], 1)), (v, bias_v.repeat(1, k.shape[1], 1)), mask)
    q, k, v = (_heads(t, num_heads) for t in (q, k, v))
    k, v = _given(k, static_k), _given(v, static_v)
    if add_zero_attn:
        k, v, mask = _lengthened((k, zeros_like(k[:, :, :1])), (v, zeros_like(v[:, :, :1])), mask, dim=2)
    output, looked = _attend(q, k, v, mask, dropout_p if training else 0.0)
    output = linear(output, out_proj_weight, out_proj_bias)
    looked = None if not need_weights else looked.mean(1) if average_attn_weights else looked
    if single:
        return output.squeeze(1), None if looked is None else looked.squeeze(0)
    return output, looked


def _check(query: Any, key: Any, value: Any, features: int, heads: int) -> None:
    if query.dim() != 3:
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query")
    if query.shape[-1] != features:
        raise AssertionError(f"was expecting embedding dimension of {features}, but got {query.shape[-1]}")
    if features % heads:
        raise AssertionError(f"embed_dim {features} not divisible by num_heads {heads}")
    if key.shape[:2] != value.shape[:2]:
        raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")


def _project(query: Any, key: Any, value: Any, weights: Any, bias: Any) -> Any:
    """Queries, keys and values, by one joint weight or three."""
    if not isinstance(weights, tuple):
        if query is key and key is value:
            return linear(query, weights, bias).chunk(3, -1)
        weights = weights.chunk(3)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return [linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]


def _merged_mask(attn_mask: Any, key_padding_mask: Any, q: Any, heads: int, keys: int) -> Any:
    """What is added to the scores ``[batch, heads, queries, keys]``, or None."""
    steps, batch = q.shape[:2]
    mask = None
    if attn_mask is not None:
        mask = _added(attn_mask, q)
        if mask.dim() == 3:
            if tuple(mask.shape) != (batch * heads, steps, keys):
                wanted = (batch * heads, steps, keys)
                raise RuntimeError(f"The shape of the 3D attn_mask is {mask.shape}, but should be {wanted}.")
            mask = mask.reshape(batch, heads, steps, keys)
        elif tuple(mask.shape) != (steps, keys):
            raise RuntimeError(f"The shape of the 2D attn_mask is {mask.shape}, but should be {(steps, keys)}.")
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (batch, keys):
            raise AssertionError(
                f"expecting key_padding_mask shape of {(batch, keys)}, but got {key_padding_mask.shape}"
            )
        padding = _added(key_padding_mask, q).reshape(batch, 1, 1, keys)
        mask = padding if mask is None else mask + padding
    return mask


def _added(mask: Any, q: Any) -> Any:
    """A mask as what is added to scores."""
    return mask if mask.is_floating_point() else zeros(mask.shape, dtype=q.dtype).masked_fill(mask, -inf)


def _lengthened(keys: Pair, values: Pair, mask: Any, dim: int = 0) -> tuple[Any, Any, Any]:
    """Keys and values with one more at the end, and a mask that lets it be seen."""
    if mask is not None:
        pads = (*((0, 0),) * (mask.dim() - 1), (0, 1))
        mask = TENSOR.constant_pad(mask, pads=pads, value=0.0)
    return cat(keys, dim), cat(values, dim), mask


def _heads(t: Any, heads: int) -> Any:
    """``[batch, heads, steps, size]``."""
    steps, batch, features = t.shape
    return t.reshape(steps, batch, heads, features // heads).permute(1, 2, 0, 3)


def _given(projected: Any, static: Any) -> Any:
    if static is None:
        return projected
    batch, heads, _, size = projected.shape
    if static.shape[0] != batch * heads or static.shape[2] != size:
        raise AssertionError(f"expecting static keys and values [{batch * heads}, keys, {size}], got {static.shape}")
    return static.reshape(batch, heads, static.shape[1], size)


def _attend(q: Any, k: Any, v: Any, mask: Any, dropout_p: float) -> Pair:
    batch, heads, steps, size = q.shape
    scores = placed(q * sqrt(1.0 / max(size, 1))) @ k.transpose(-2, -1)
    weights = softmax(scores if mask is None else placed(scores + mask), -1)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p)
    return (weights @ v).permute(2, 0, 1, 3).reshape(steps, batch, heads * size), weights
