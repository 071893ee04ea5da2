"""Attention with scores and masks of one's own, written as functions of single positions.

``score_mod(score, batch, head, query, key)`` gives the score that takes part in the softmax, and
``mask_mod(batch, head, query, key)`` whether it does. They are applied to all positions at once (by ``vmap``), and the
whole is differentiable. Blocks that a mask leaves out are computed as well: a block mask saves no time here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, NamedTuple

from wengert._dtypes import bool_, int32
from wengert.func import vmap
from wengert.functions.creation import zeros
from wengert.functions.ranges import arange
from wengert.nn.functional import pad, softmax

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

_Mod = Callable[..., Any]


class AuxRequest(NamedTuple):
    """What :func:`flex_attention` shall return besides its result.

    >>> from wengert.nn.attention.flex_attention import AuxRequest
    >>> AuxRequest(lse=True)
    AuxRequest(lse=True, max_scores=False)
    """

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What was asked for: the logarithms of the sums of exponentials of scores, and the largest scores.

    >>> from wengert.nn.attention.flex_attention import AuxOutput
    >>> AuxOutput()
    AuxOutput(lse=None, max_scores=None)
    """

    lse: Any = None
    max_scores: Any = None


def noop_mask(batch: Any, head: Any, token_q: Any, token_kv: Any) -> Any:
    """The mask that leaves everything in.

    >>> import wengert as torch
    >>> from wengert.nn.attention.flex_attention import noop_mask
    >>> noop_mask(*torch.arange(4))
    tensor(True)
    """
    del head, token_q, token_kv
    return batch.new_ones((), dtype=bool_)


def and_masks(*mask_mods: _Mod) -> _Mod:
    """The mask that leaves in what all of them do.

    Raises:
        RuntimeError: something that cannot be called.

    >>> import wengert as torch
    >>> from wengert.nn.attention.flex_attention import and_masks, create_mask
    >>> window = and_masks(lambda b, h, q, k: q >= k, lambda b, h, q, k: q - k < 2)
    >>> create_mask(window, None, None, 1, 3)
    tensor([[[[ True, False, False]]]])
    """
    _need_functions(mask_mods)

    def both(b: Any, h: Any, q: Any, k: Any) -> Any:
        result = noop_mask(b, h, q, k)
        for mod in mask_mods:
            result = result & mod(b, h, q, k)
        return result

    return both


def or_masks(*mask_mods: _Mod) -> _Mod:
    """The mask that leaves in what one of them does.

    Raises:
        RuntimeError: something that cannot be called.

    >>> import wengert as torch
    >>> from wengert.nn.attention.flex_attention import create_mask, or_masks
    >>> prefix = or_masks(lambda b, h, q, k: q >= k, lambda b, h, q, k: k < 2)
    >>> create_mask(prefix, None, None, 1, 3)
    tensor([[[[ True,  True, False]]]])
    """
    _need_functions(mask_mods)

    def either(b: Any, h: Any, q: Any, k: Any) -> Any:
        result = b.new_zeros((), dtype=bool_)
        for mod in mask_mods:
            result = result | mod(b, h, q, k)
        return result

    return either


def _need_functions(mods: tuple[Any, ...]) -> None:
    if not all([callable(mod) for mod in mods]):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mods}")


def create_mask(mod_fn: _Mod, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None) -> Any:
    """The bool tensor ``(B, H, Q_LEN, KV_LEN)`` of a mask, or of a score function: where it is not minus infinity.

    >>> import wengert as torch
    >>> torch.nn.attention.flex_attention.create_mask(lambda b, h, q, k: q >= k, None, None, 2, 2)
    tensor([[[[ True, False],
              [ True,  True]]]])
    """
    places = [arange(n, device=device) for n in (B or 1, H or 1, Q_LEN, KV_LEN)]
    if _takes_scores(mod_fn):
        return _at_all(mod_fn, zeros(*[place.numel() for place in places]), places) != -math.inf
    return _at_all(mod_fn, None, places)


def _takes_scores(mod: _Mod) -> bool:
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in signature(mod).parameters.values() if p.kind in positional and p.default is Parameter.empty]
    return len(needed) == 5


def _at_all(mod: _Mod, scores: Any, places: list[Any]) -> Any:
    """A function of one position at all of them: the last axis is mapped first."""
    for axis in reversed(range(4)):
        own = tuple([0 if axis == other else None for other in range(4)])
        mod = vmap(mod, in_dims=own if scores is None else (0, *own))
    return mod(*places) if scores is None else mod(scores, *places)


class BlockMask:
    """A mask, and which blocks of queries and keys have something in them: from :func:`create_block_mask`.

    >>> import wengert as torch
    >>> mask = torch.nn.attention.flex_attention.create_block_mask(lambda b, h, q, k: q >= k, None, None, 256, 256)
    >>> mask.to_dense().tolist(), mask.sparsity()
    ([[[[1, 0], [1, 1]]]], 25.0)
    """

    def __init__(self, mask_mod: _Mod, mask: Any, block_size: tuple[int, int]) -> None:
        self.mask_mod = mask_mod
        self.BLOCK_SIZE = block_size
        self.seq_lengths: tuple[int, int] = tuple(mask.shape[-2:])
        self.shape: tuple[int, ...] = tuple(mask.shape)
        counts = _counts(mask, block_size)
        area = block_size[0] * block_size[1]
        self.kv_num_blocks, self.kv_indices = _ordered((counts > 0) & (counts < area))
        self.full_kv_num_blocks, self.full_kv_indices = _ordered(counts == area)
        self._blocks = (counts > 0).to(int32)

    def to_dense(self) -> Any:
        """1 for each block in which something is left, 0 for the others; int32."""
        return self._blocks

    def numel(self) -> int:
        """The number of elements of the mask."""
        return math.prod(self.shape)

    def sparsity(self) -> float:
        """How much of the mask the blocks leave out, in percent (less than 0 where the last blocks stand out)."""
        computed = int(self._blocks.sum()) * math.prod(self.BLOCK_SIZE)
        return 100 * (1 - computed / self.numel())

    def to(self, device: Any) -> BlockMask:
        """Itself: there is one device."""
        self._blocks.to(device)
        return self

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"


def _counts(mask: Any, block_size: tuple[int, int]) -> Any:
    """How many elements of each block are left in."""
    rows, columns = [-(-n // size) for n, size in zip(mask.shape[-2:], block_size, strict=True)]
    q, k = block_size
    whole = pad(mask.to(int32), (0, columns * k - mask.shape[-1], 0, rows * q - mask.shape[-2]))
    return whole.reshape(*mask.shape[:-2], rows, q, columns, k).sum((-3, -1))


def _ordered(blocks: Any) -> tuple[Any, Any]:
    """For each row of blocks, how many there are, and the columns, those first."""
    some = blocks.to(int32)
    return some.sum(-1).to(int32), some.argsort(-1, descending=True, stable=True).to(int32)


def create_block_mask(
    mask_mod: _Mod,
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = 128,
    _compile: bool = False,
) -> BlockMask:
    """The :class:`BlockMask` of a mask; ``B`` and ``H`` are None where it is the same for all batches and heads.

    >>> import wengert as torch
    >>> torch.nn.attention.flex_attention.create_block_mask(lambda b, h, q, k: q >= k, None, None, 512, 512)
    BlockMask(shape=(1, 1, 512, 512), sparsity=37.50%)
    """
    sizes = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
    return BlockMask(mask_mod, create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device), sizes)


def flex_attention(
    query: Any,
    key: Any,
    value: Any,
    score_mod: _Mod | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: Any = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Any:
    """``softmax(score_mod(scale * query @ key.T)) @ value`` over ``(batch, heads, length, features)``.

    A query that may look nowhere gives zeros. ``return_aux`` adds an :class:`AuxOutput`; ``return_lse`` adds its
    first part. ``kernel_options`` are for PyTorch's kernels, and without effect.

    Raises:
        ValueError: tensors without four dimensions, other numbers of heads without ``enable_gqa``, a block mask for
            other lengths.

    >>> import wengert as torch
    >>> from wengert.nn.attention.flex_attention import flex_attention
    >>> q = torch.zeros(1, 1, 2, 4)
    >>> v = torch.tensor([[[[1.0], [3.0]]]])
    >>> flex_attention(q, q, v, score_mod=lambda score, b, h, i, j: torch.where(i >= j, score, -torch.inf))
    tensor([[[[1.],
              [2.]]]])
    """
    del kernel_options
    _check_shapes(query, key, value, block_mask, enable_gqa)
    if enable_gqa:
        heads = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(heads, 1), value.repeat_interleave(heads, 1)
    factor = 1.0 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    scores = (query * factor) @ key.transpose(-2, -1)
    places = [arange(n) for n in scores.shape]
    if score_mod is not None:
        scores = _at_all(score_mod, scores, places)
    if block_mask is not None:
        scores = scores.masked_fill(_at_all(block_mask.mask_mod, None, places).logical_not(), -math.inf)
    empty = (scores == -math.inf).all(-1, keepdim=True)
    weights = softmax(scores.masked_fill(empty, 0.0), -1).masked_fill(empty, 0.0)
    result = weights @ value
    if return_aux is not None:
        lse = _lse(scores, empty) if return_aux.lse else None
        return result, AuxOutput(lse, scores.amax(-1) if return_aux.max_scores else None)
    return (result, _lse(scores, empty)) if return_lse else result


def _lse(scores: Any, empty: Any) -> Any:
    """Of rows of minus infinities, minus infinity, with gradients of zero."""
    return scores.masked_fill(empty, 0.0).logsumexp(-1).masked_fill(empty.squeeze(-1), -math.inf)


def _check_shapes(query: Any, key: Any, value: Any, block_mask: BlockMask | None, enable_gqa: bool) -> None:
    if not query.dim() == key.dim() == value.dim() == 4:
        raise ValueError(
            f"Expected query, key, and value to be 4D tensors, but got query.dim(): {query.dim()}, key.dim(): "
            f"{key.dim()} and value.dim(): {value.dim()}."
        )
    heads, own = query.shape[1], key.shape[1]
    if heads != own and (not enable_gqa or heads % own):
        raise ValueError(
            f"Expect query and key/value to have the same number of heads but got Hq={heads} and Hkv={own}. "
            "Set enable_gqa=True where the second divides the first."
        )
    lengths = (query.shape[-2], key.shape[-2])
    if block_mask is not None and block_mask.seq_lengths != lengths:
        raise ValueError(
            f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={lengths[0]} and "
            f"kv_len={lengths[1]}. As the block mask was created for other lengths, create a new one"
        )
