"""Softmax and its relatives of ``torch.nn.functional``."""

from __future__ import annotations

import warnings
from typing import Any

from wengert._source import users_stacklevel
from wengert.engine.base import wrap
from wengert.engine.composites import composite
from wengert.functions import activations as plain
from wengert.functions.activations import normalized
from wengert.functions.extrema import argmax
from wengert.functions.generators import stream_of
from wengert.functions.likes import zeros_like
from wengert.functions.operands import raw_of_tensor
from wengert.functions.scatter import scatter
from wengert.ops.softmax import LOG_SOFTMAX, SOFTMAX

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def _dimension(name: str, input: Any, dim: int | None, stacklevel: int) -> int:
    """The dimension, or the old choice of one, with a warning."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        UserWarning,
        stacklevel=stacklevel + 1,
    )
    return 0 if raw_of_tensor(name, input).ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """As :func:`torch.softmax`; leaving ``dim`` out is deprecated.

    >>> import wengert as torch
    >>> torch.nn.functional.softmax(torch.tensor([0., 0.]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return normalized("softmax", SOFTMAX, input, _dimension("softmax", input, dim, _stacklevel - 1), dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """As :func:`torch.log_softmax`; leaving ``dim`` out is deprecated.

    >>> import wengert as torch
    >>> torch.nn.functional.log_softmax(torch.tensor([0., 0.]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return normalized("log_softmax", LOG_SOFTMAX, input, _dimension("log_softmax", input, dim, _stacklevel - 1), dtype)


@composite
def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """``softmax(-x)``.

    >>> import wengert as torch
    >>> torch.nn.functional.softmin(torch.tensor([0., 1000.]), dim=0)
    tensor([1., 0.])
    """
    return normalized("softmax", SOFTMAX, -input, _dimension("softmin", input, dim, _stacklevel), dtype)


@composite
def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A sample of the Gumbel-softmax distribution: ``softmax((x + noise) / tau)``.

    With ``hard`` the result is one-hot, and its gradient is that of the soft sample.

    >>> import wengert as torch
    >>> y = torch.nn.functional.gumbel_softmax(torch.zeros(2, 3), hard=True)
    >>> y.sum(-1)
    tensor([1., 1.])
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", UserWarning, stacklevel=users_stacklevel())
    raw = raw_of_tensor("gumbel_softmax", logits)
    noise = wrap(stream_of("gumbel_softmax", None).exponential(raw.shape, raw.dtype)).log()
    soft = plain.softmax((logits - noise) / tau, dim)
    if not hard:
        return soft
    values = soft.detach()
    one_hot = scatter(zeros_like(values), dim, argmax(values, dim, keepdim=True), 1.0)
    return one_hot - values + soft
