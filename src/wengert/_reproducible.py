"""Switches for reproducible and for faster but coarser results: kept and read back, and without effect.

The same inputs give the same numbers here in any case, in the precision of their dtype.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "is_deterministic_algorithms_warn_only_enabled",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "use_deterministic_algorithms",
]


@dataclass(slots=True)
class _Switches:
    deterministic: bool = False
    warn_only: bool = False
    precision: str = "highest"


_SWITCHES: Final = _Switches()
_DEBUG_MODES: Final = ("default", "warn", "error")
_PRECISIONS: Final = ("highest", "high", "medium")


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for operations that give the same numbers each time, as all do here.

    >>> import wengert as torch
    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.use_deterministic_algorithms(False)
    """
    _SWITCHES.deterministic, _SWITCHES.warn_only = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether :func:`use_deterministic_algorithms` asked for them.

    >>> import wengert as torch
    >>> torch.are_deterministic_algorithms_enabled()
    False
    """
    return _SWITCHES.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether :func:`use_deterministic_algorithms` asked for warnings in place of errors.

    >>> import wengert as torch
    >>> torch.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return _SWITCHES.warn_only


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """As :func:`use_deterministic_algorithms`: 0 ``"default"``, 1 ``"warn"``, 2 ``"error"``.

    Raises:
        RuntimeError: another mode.
        TypeError: neither a number nor a string.

    >>> import wengert as torch
    >>> torch.set_deterministic_debug_mode("default")
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    number: Any = debug_mode
    if isinstance(debug_mode, str):
        number = _DEBUG_MODES.index(debug_mode) if debug_mode in _DEBUG_MODES else -1
    if number not in (0, 1, 2):
        raise RuntimeError(
            f"invalid value of debug_mode, expected 0 'default', 1 'warn' or 2 'error', but got {debug_mode}"
        )
    use_deterministic_algorithms(number > 0, warn_only=number == 1)


def get_deterministic_debug_mode() -> int:
    """The mode that :func:`set_deterministic_debug_mode` set.

    >>> import wengert as torch
    >>> torch.get_deterministic_debug_mode()
    0
    """
    return 0 if not _SWITCHES.deterministic else 1 if _SWITCHES.warn_only else 2


def set_float32_matmul_precision(precision: str) -> None:
    """Allow products of float32 matrices to be coarser (``"high"``, ``"medium"``): they never are here.

    Raises:
        RuntimeError: another word.

    >>> import wengert as torch
    >>> torch.set_float32_matmul_precision("highest")
    """
    if precision not in _PRECISIONS:
        raise RuntimeError(f"{precision} is not one of 'highest', 'high', or 'medium'")
    _SWITCHES.precision = precision


def get_float32_matmul_precision() -> str:
    """The word that :func:`set_float32_matmul_precision` set.

    >>> import wengert as torch
    >>> torch.get_float32_matmul_precision()
    'highest'
    """
    return _SWITCHES.precision


def set_flush_denormal(mode: bool) -> bool:
    """Ask that denormal numbers count as zero: never here, which the result, False, says.

    >>> import wengert as torch
    >>> torch.set_flush_denormal(True)
    False
    """
    del mode
    return False
