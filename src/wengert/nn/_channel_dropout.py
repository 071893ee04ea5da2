"""Dropout of whole channels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from wengert._source import users_stacklevel
from wengert.engine.base import wrap
from wengert.engine.composites import composite
from wengert.engine.inplace import inplace as apply_in_place
from wengert.functions.generators import stream_of
from wengert.functions.operands import raw_of_tensor
from wengert.functions.options import type_name
from wengert.ops.arithmetic import MUL

__all__ = ["dropout1d", "dropout2d", "dropout3d"]


@composite
def _dropped(name: str, axes: int, input: Any, p: float, training: bool, inplace: bool) -> Any:
    """Set channels to zero with probability ``p`` and divide the others by ``1 - p``."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    raw = raw_of_tensor(name, input)
    if raw.ndim not in (axes + 1, axes + 2):
        warnings.warn(
            f"{name}: Received a {raw.ndim}-D input to {name}, which is deprecated and will result in an error in a "
            f"future release. It takes {axes + 2}-D inputs, or {axes + 1}-D ones without a batch",
            UserWarning,
            stacklevel=users_stacklevel(),
        )
    if not training or p == 0:
        return input
    if raw.dtype.kind not in "fc":
        raise RuntimeError(f"{name}: result type Float can't be cast to the desired output type {type_name(raw.dtype)}")
    batched = raw.ndim != axes + 1
    shape = raw.shape[: 2 if batched else 1] + (1,) * (raw.ndim - (2 if batched else 1))
    kept = stream_of(name, None).uniform(shape, np.dtype(np.float64)) < 1 - p
    noise = wrap(kept.astype(raw.dtype) * (1.0 / (1.0 - p) if p < 1 else 0.0))
    return apply_in_place(MUL, input, noise) if inplace else input * noise


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each channel of ``[N, C, L]`` set to zero with probability ``p``, the others divided by ``1 - p``.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> sorted(set(torch.nn.functional.dropout1d(torch.ones(2, 50, 3), 0.75).reshape(-1).tolist()))
    [0.0, 4.0]
    """
    return _dropped("dropout1d", 1, input, p, training, inplace)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each channel of ``[N, C, H, W]`` set to zero with probability ``p``, the others divided by ``1 - p``.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> sorted(set(torch.nn.functional.dropout2d(torch.ones(2, 50, 3, 3), 0.75).reshape(-1).tolist()))
    [0.0, 4.0]
    """
    return _dropped("dropout2d", 2, input, p, training, inplace)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each channel of ``[N, C, D, H, W]`` set to zero with probability ``p``, the others divided by ``1 - p``.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> sorted(set(torch.nn.functional.dropout3d(torch.ones(2, 50, 2, 2, 2), 0.75).reshape(-1).tolist()))
    [0.0, 4.0]
    """
    return _dropped("dropout3d", 3, input, p, training, inplace)
