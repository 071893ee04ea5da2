"""Mixed precision under the names that came before :mod:`wengert.amp`: ``autocast`` and ``GradScaler`` of GPUs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert import amp

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(amp.autocast):
    """:class:`wengert.amp.autocast` on ``"cuda"``.

    >>> import wengert as torch
    >>> with torch.cuda.amp.autocast(enabled=False):
    ...     pass
    """

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """:class:`wengert.amp.GradScaler` on ``"cuda"``.

    >>> import wengert as torch
    >>> torch.cuda.amp.GradScaler(enabled=False).is_enabled()
    False
    """

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)


def custom_fwd(fwd: Callable[..., Any] | None = None, *, cast_inputs: Any = None) -> Any:
    """:func:`wengert.amp.custom_fwd` on ``"cuda"``.

    >>> import wengert as torch
    >>> torch.cuda.amp.custom_fwd(abs)(-1)
    1
    """
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Callable[..., Any]) -> Any:
    """:func:`wengert.amp.custom_bwd` on ``"cuda"``.

    >>> import wengert as torch
    >>> torch.cuda.amp.custom_bwd(abs)(-1)
    1
    """
    return amp.custom_bwd(bwd, device_type="cuda")
