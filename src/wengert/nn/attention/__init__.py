"""Attention: which implementation may compute it, masks, and scores of one's own (:mod:`.flex_attention`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

from wengert._lazy import on_first_use

if TYPE_CHECKING:
    from wengert.nn.attention import bias as bias
    from wengert.nn.attention import flex_attention as flex_attention
else:
    __getattr__ = on_first_use(
        __name__,
        {"bias": "wengert.nn.attention.bias", "flex_attention": "wengert.nn.attention.flex_attention"},
    )

__all__ = ["SDPBackend", "bias", "flex_attention", "sdpa_kernel"]


class SDPBackend(IntEnum):
    """PyTorch's implementations of ``scaled_dot_product_attention``. Here there is one, ``MATH``.

    >>> import wengert as torch
    >>> torch.nn.attention.SDPBackend.MATH
    <SDPBackend.MATH: 0>
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: SDPBackend | Iterable[SDPBackend], set_priority: bool = False) -> Iterator[None]:
    """Say which implementations may be used in a block. All give the same values, and here there is one: no effect.

    Raises:
        TypeError: something that is no :class:`SDPBackend`.

    >>> import wengert as torch
    >>> from wengert.nn.attention import SDPBackend, sdpa_kernel
    >>> q = torch.ones(1, 2, 4)
    >>> with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]):
    ...     torch.nn.functional.scaled_dot_product_attention(q, q, q).shape
    torch.Size([1, 2, 4])
    """
    del set_priority
    given = [backends] if isinstance(backends, SDPBackend) else list(backends)
    for backend in given:
        if not isinstance(backend, SDPBackend):
            raise TypeError(f"sdpa_kernel() takes members of SDPBackend, got {backend!r}")
    yield
