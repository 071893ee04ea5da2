"""Anomaly mode: backward stops at the first node whose gradients hold a NaN and names it with its source line."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from wengert.engine.state import STATE, set_anomaly


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
        set_anomaly(bool(mode), bool(check_nan))

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        set_anomaly(*self.before)


class detect_anomaly:
    """Within this block a backward pass that makes a NaN raises RuntimeError, naming the operation and its line.

    Source lines are always recorded, so this needs no second run of the forward pass. As in PyTorch it warns, so that
    nobody leaves it switched on unknowingly (``set_detect_anomaly`` does not).

    >>> import warnings
    >>> import wengert as torch
    >>> warnings.simplefilter("ignore")
    >>> x = torch.tensor(0.0, requires_grad=True)
    >>> with torch.autograd.detect_anomaly():
    ...     (x.sqrt() * 0).backward()
    Traceback (most recent call last):
    ...
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output. ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        warnings.warn(
            "Anomaly Detection has been enabled. Backward passes look through every gradient for NaN, which takes "
            "time: use it to find an error, not in ordinary runs.",
            UserWarning,
            stacklevel=2,
        )
        self._begin(check_nan)

    def _begin(self, check_nan: bool) -> None:
        self.check_nan = check_nan
        self.before: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self.before.append((STATE.anomaly, STATE.anomaly_check_nan))
        set_anomaly(True, self.check_nan)

    def __exit__(self, *exc: object) -> None:
        set_anomaly(*self.before.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function in this mode."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            block = detect_anomaly.__new__(detect_anomaly)  # the user has been warned
            block._begin(self.check_nan)
            with block:
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
    >>> with torch.autograd.set_detect_anomaly(True, check_nan=False):
    ...     torch.is_anomaly_check_nan_enabled()
    False
    """
    return STATE.anomaly_check_nan


__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]
