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
    "Event",
    "OutOfMemoryError",
    "Stream",
    "amp",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "init",
    "initial_seed",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_cached",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_cached",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_accumulated_memory_stats",
    "reset_max_memory_allocated",
    "reset_max_memory_cached",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_rng_state_all",
    "set_stream",
    "stream",
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


def default_stream(device: Any = None) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("default_stream()")


def get_rng_state(device: Any = "cuda") -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("get_rng_state()")


def initial_seed() -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("initial_seed()")


def ipc_collect() -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("ipc_collect()")


def mem_get_info(device: Any = None) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("mem_get_info()")


def memory_summary(device: Any = None, abbreviated: bool = False) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("memory_summary()")


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("set_per_process_memory_fraction()")


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


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Do nothing: there is no GPU whose generator could be set."""


def get_rng_state_all() -> list[Any]:
    """No states: an empty list."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Do nothing: there is no GPU whose generator could be set."""


def memory_stats(device: Any = None) -> dict[str, Any]:
    """No GPU memory, no figures about it: an empty dict."""
    return {}


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


reset_accumulated_memory_stats = reset_max_memory_allocated = reset_max_memory_cached = reset_peak_memory_stats
memory_cached, max_memory_cached = memory_reserved, max_memory_reserved


# --- objects ----------------------------------------------------------------------------------------------------------


class OutOfMemoryError(RuntimeError):
    """What PyTorch raises where the memory of a GPU is full. Here nothing raises it."""


class Stream:
    """A queue of work on a GPU: raises a RuntimeError, there is none."""

    def __init__(self, device: Any = None, priority: int = 0, **kwargs: Any) -> None:
        _no_gpu("Stream()")


class Event:
    """A mark in such a queue: raises a RuntimeError, there is no GPU."""

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        _no_gpu("Event()")


class stream:
    """A block whose work goes to a queue; None, which stands for none, changes nothing."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            _no_gpu("stream()")

    def __exit__(self, *exc: object) -> None:
        pass


def set_stream(stream: Any) -> None:
    """Do nothing with None; a queue cannot exist."""
    if stream is not None:
        _no_gpu("set_stream()")


class device:
    """A block that works on a GPU: raises a RuntimeError when it is entered, unless the number is negative (none)."""

    def __init__(self, device: Any) -> None:
        self.idx = device if isinstance(device, int) else 0

    def __enter__(self) -> None:
        if self.idx >= 0:
            _no_gpu("device()")

    def __exit__(self, *exc: object) -> None:
        pass
