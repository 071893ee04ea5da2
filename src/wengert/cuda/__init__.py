"""What programs ask about GPUs, answered for a library that computes on the CPU: there are none.

Questions are answered, seeds are accepted; what would need a GPU raises a RuntimeError that says how portable code is
written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from wengert._lazy import on_first_use

if TYPE_CHECKING:
    from wengert.cuda import amp as amp
else:
    __getattr__ = on_first_use(__name__, {"amp": "wengert.cuda.amp"})

__all__ = [
    "amp",
    "current_device",
    "current_stream",
    "device_count",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "init",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "synchronize",
]


def is_available() -> bool:
    """False: wengert computes on the CPU.

    >>> import wengert as torch
    >>> "cuda" if torch.cuda.is_available() else "cpu"
    'cpu'
    """
    return False


def device_count() -> int:
    """0: the number of GPUs that can be used.

    >>> import wengert as torch
    >>> torch.cuda.device_count()
    0
    """
    return 0


def is_initialized() -> bool:
    """False: there is nothing to initialise."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False: there is no GPU."""
    return False


def get_arch_list() -> list[str]:
    """No GPU architecture is supported: an empty list."""
    return []


def _no_gpu(function: str) -> NoReturn:
    raise RuntimeError(
        f"torch.cuda.{function} needs a GPU, but wengert computes on the CPU only. Portable code asks first: "
        "if torch.cuda.is_available(): ..."
    )


def init() -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("init()")


def current_device() -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("current_device()")


def current_stream(device: Any = None) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("current_stream()")


def set_device(device: Any) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("set_device()")


def synchronize(device: Any = None) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("synchronize()")


def get_device_name(device: Any = None) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("get_device_name()")


def get_device_capability(device: Any = None) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("get_device_capability()")


def get_device_properties(device: Any = None) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("get_device_properties()")


def manual_seed(seed: int) -> None:
    """Do nothing: there is no GPU whose generator could be seeded.

    >>> import wengert as torch
    >>> torch.cuda.manual_seed(0)
    """


def manual_seed_all(seed: int) -> None:
    """Do nothing: there is no GPU whose generator could be seeded.

    >>> import wengert as torch
    >>> torch.cuda.manual_seed_all(0)
    """


def seed() -> None:
    """Do nothing: there is no GPU whose generator could be seeded."""


def seed_all() -> None:
    """Do nothing: there is no GPU whose generator could be seeded."""


def empty_cache() -> None:
    """Do nothing: there is no GPU memory."""


def memory_allocated(device: Any = None) -> int:
    """0: the bytes of GPU memory in use."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """0: the most bytes of GPU memory that were in use."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """0: the bytes of GPU memory held."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """0: the most bytes of GPU memory that were held."""
    return 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Do nothing: there is no GPU memory."""
