"""Dropout."""

from __future__ import annotations

from typing import Any

from wengert.nn import functional as F
from wengert.nn.modules.module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


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


class Dropout1d(_Dropout):
    """In training, each channel of ``[N, C, L]`` zeroed with probability ``p``, the others divided by ``1 - p``.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> sorted(set(torch.nn.Dropout1d(0.75)(torch.ones(2, 50, 3)).reshape(-1).tolist()))
    [0.0, 4.0]
    """

    def forward(self, input: Any) -> Any:
        """The input, partly dropped in training."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """In training, each channel of ``[N, C, H, W]`` zeroed with probability ``p``, the others divided by ``1 - p``.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> sorted(set(torch.nn.Dropout2d(0.75)(torch.ones(2, 50, 3, 3)).reshape(-1).tolist()))
    [0.0, 4.0]
    """

    def forward(self, input: Any) -> Any:
        """The input, partly dropped in training."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """In training, each channel of ``[N, C, D, H, W]`` zeroed with probability ``p``, the others divided by ``1 - p``.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> sorted(set(torch.nn.Dropout3d(0.75)(torch.ones(2, 50, 3, 3, 3)).reshape(-1).tolist()))
    [0.0, 4.0]
    """

    def forward(self, input: Any) -> Any:
        """The input, partly dropped in training."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """:class:`AlphaDropout` of whole channels.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> torch.nn.FeatureAlphaDropout(0.0)(torch.ones(1, 1, 2))
    tensor([[[1., 1.]]])
    """

    def forward(self, input: Any) -> Any:
        """The input, in training with channels replaced."""
        return F.feature_alpha_dropout(input, self.p, self.training)
