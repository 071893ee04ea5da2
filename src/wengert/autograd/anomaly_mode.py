"""Anomaly mode: backward stops at the first node whose gradients hold a NaN and names it with its source line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.engine.state import STATE


class set_detect_anomaly:
    """Switch anomaly mode on or off, for a block or from now on.

    Args:
        mode: on or off.
        check_nan: whether a NaN gradient is an error.

    >>> import wengert as torch
    >>> with torch.autograd.set_detect_anomaly(True):
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = STATE.anomaly, STATE.anomaly_check_nan
        STATE.anomaly, STATE.anomaly_check_nan = bool(mode), bool(check_nan)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        STATE.anomaly, STATE.anomaly_check_nan = self.before


class detect_anomaly:
    """Within this block a backward pass that makes a NaN raises RuntimeError, naming the operation and its line.

    Source lines are always recorded, so this needs no second run of the forward pass.

    >>> import wengert as torch
    >>> x = torch.tensor(0.0, requires_grad=True)
    >>> with torch.autograd.detect_anomaly():
    ...     (x.sqrt() * 0).backward()
    Traceback (most recent call last):
    ...
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output. ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self.before: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self.before.append((STATE.anomaly, STATE.anomaly_check_nan))
        STATE.anomaly, STATE.anomaly_check_nan = True, self.check_nan

    def __exit__(self, *exc: object) -> None:
        STATE.anomaly, STATE.anomaly_check_nan = self.before.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function in this mode."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with detect_anomaly(self.check_nan):
                return function(*args, **kwargs)

        return wrapper


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on in this thread.

    >>> import wengert as torch
    >>> torch.is_anomaly_enabled()
    False
    """
    return STATE.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode checks for NaN.

    >>> import wengert as torch
    >>> with torch.autograd.detect_anomaly(check_nan=False):
    ...     torch.is_anomaly_check_nan_enabled()
    False
    """
    return STATE.anomaly_check_nan


__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]
