"""Dropout."""

from __future__ import annotations

from typing import Any

from wengert.nn import functional as F
from wengert.nn.modules.module import Module

__all__ = ["AlphaDropout", "Dropout"]


class _Dropout(Module):
    """What all kinds of dropout have: a probability."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, each element set to zero with probability ``p`` and the others divided by ``1 - p``.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> sorted(set(torch.nn.Dropout(0.75)(torch.ones(100)).tolist()))
    [0.0, 4.0]
    """

    def forward(self, input: Any) -> Any:
        """The input, partly dropped in training."""
        return F.dropout(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance of what :class:`SELU` gives.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> torch.nn.AlphaDropout(0.5).eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input: Any) -> Any:
        """The input, partly dropped in training."""
        return F.alpha_dropout(input, self.p, self.training)
