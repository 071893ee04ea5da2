"""Multi-head attention."""

from __future__ import annotations

import math
from typing import Any

from wengert.functions.creation import empty, zeros
from wengert.functions.joining import cat
from wengert.functions.likes import zeros_like
from wengert.nn import functional as F
from wengert.nn import init
from wengert.nn.modules.linear import Linear
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter

__all__ = ["MultiheadAttention"]


class NonDynamicallyQuantizableLinear(Linear):
    """A linear layer; PyTorch gives the one after attention a name of its own, which texts show."""


class MultiheadAttention(Module):
    """Attention in several parts of the features at once (Vaswani et al., 2017).

    Queries, keys and values go through linear maps and are divided into ``num_heads`` parts; in each the values' means
    are taken with weights ``softmax(q k / sqrt(size))``; the results side by side go through a linear map. Input
    ``[steps, batch, features]`` (``batch_first``: batch, steps), or without a batch.

    Raises:
        ValueError: ``embed_dim`` or ``num_heads`` is not positive.
        AssertionError: ``num_heads`` does not divide ``embed_dim``, as in PyTorch.

    >>> import wengert as torch
    >>> attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = torch.ones(3, 5, 8)
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 5]))
    """

    in_proj_bias: Any
    bias_k: Any
    bias_v: Any

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        separate = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        for name, size in separate.items():
            weight = None if self._qkv_same_embed_dim else Parameter(empty((embed_dim, size), **factory))
            self.register_parameter(name, weight)
        joint = Parameter(empty((3 * embed_dim, embed_dim), **factory)) if self._qkv_same_embed_dim else None
        self.register_parameter("in_proj_weight", joint)
        self.register_parameter("in_proj_bias", Parameter(empty(3 * embed_dim, **factory)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **factory)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(empty((1, 1, embed_dim), **factory)) if add_bias_kv else None)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            if getattr(self, name) is not None:
                init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """The result, and the weights (their mean over the heads, unless told otherwise) or None.

        Masks are True (or added ``-inf``) where not to look: ``key_padding_mask`` ``[batch, keys]``, ``attn_mask``
        ``[queries, keys]`` or ``[batch * heads, queries, keys]``. ``is_causal`` is only a hint that ``attn_mask`` is
        the causal one.

        Raises:
            RuntimeError: shapes that do not fit; ``is_causal`` without ``attn_mask``.
        """
        if is_causal and attn_mask is None:
            raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
        single = query.dim() == 2
        if single:
            query, key, value = (t.unsqueeze(1) for t in (query, key, value))
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif self.batch_first:
            query, key, value = (t.transpose(0, 1) for t in (query, key, value))
        self._check(query, key, value)
        q, k, v = self._project(query, key, value)
        mask = self._merged_mask(attn_mask, key_padding_mask, q, k.shape[0])
        k, v, mask = self._lengthened(k, v, mask)
        output, weights = self._attend(q, k, v, mask, need_weights)
        output = self.out_proj(output)
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        if single:
            return output.squeeze(1), None if weights is None else weights.squeeze(0)
        return output.transpose(0, 1) if self.batch_first else output, weights

    def _check(self, query: Any, key: Any, value: Any) -> None:
        if query.dim() != 3:
            raise AssertionError(
                f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query"
            )
        if query.shape[-1] != self.embed_dim:
            raise AssertionError(f"was expecting embedding dimension of {self.embed_dim}, but got {query.shape[-1]}")
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )

    def _project(self, query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
        if self._qkv_same_embed_dim:
            weights = self.in_proj_weight.chunk(3)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        if query is key and key is value and self._qkv_same_embed_dim:
            q, k, v = F.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        else:
            inputs = (query, key, value)
            q, k, v = (F.linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True))
        return q, k, v

    def _merged_mask(self, attn_mask: Any, key_padding_mask: Any, q: Any, keys: int) -> Any:
        """What is added to the scores ``[batch, heads, queries, keys]``, or None."""
        steps, batch = q.shape[:2]
        mask = None
        if attn_mask is not None:
            mask = _added(attn_mask, q)
            if mask.dim() == 3:
                mask = mask.reshape(batch, self.num_heads, steps, keys)
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

    def _lengthened(self, k: Any, v: Any, mask: Any) -> tuple[Any, Any, Any]:
        """Keys and values with the learned ones and the zero ones at the end, where there are such."""
        batch = k.shape[1]
        more = []
        if self.bias_k is not None:
            more.append((self.bias_k.repeat(1, batch, 1), self.bias_v.repeat(1, batch, 1)))
        if self.add_zero_attn:
            more.append((zeros_like(k[:1]), zeros_like(v[:1])))
        for k_more, v_more in more:
            k, v = cat([k, k_more]), cat([v, v_more])
            if mask is not None:
                mask = F.pad(mask, (0, 1))
        return k, v, mask

    def _attend(self, q: Any, k: Any, v: Any, mask: Any, need_weights: bool) -> tuple[Any, Any]:
        steps, batch, _ = q.shape
        q, k, v = (t.reshape(t.shape[0], batch, self.num_heads, self.head_dim).permute(1, 2, 0, 3) for t in (q, k, v))
        scores = (q * math.sqrt(1.0 / self.head_dim)) @ k.transpose(-2, -1)
        weights = F.softmax(scores if mask is None else scores + mask, -1)
        if self.dropout > 0 and self.training:
            weights = F.dropout(weights, self.dropout)
        output = (weights @ v).permute(2, 0, 1, 3).reshape(steps, batch, self.embed_dim)
        return output, weights if need_weights else None


def _added(mask: Any, q: Any) -> Any:
    """A mask as what is added to scores."""
    if mask.is_floating_point():
        return mask
    return zeros(mask.shape, dtype=q.dtype).masked_fill(mask, -math.inf)
