"""``autocast``, which says that it is off and leaves every dtype as it is.

Lower precision is there to be faster. On a CPU with NumPy float16 is slower than float32, and there is no bfloat16, so
nothing is cast; results are more precise than those of a program that casts, and have the dtypes of its inputs.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from wengert._dtypes import bfloat16, dtype, float16

__all__ = [
    "autocast",
    "custom_bwd",
    "custom_fwd",
    "get_autocast_dtype",
    "is_autocast_available",
    "is_autocast_enabled",
]

# The types of devices that PyTorch has rules of casting for.
_AVAILABLE = frozenset(
    {"cpu", "cuda", "hip", "hpu", "ipu", "maia", "meta", "mps", "mtia", "privateuseone", "xla", "xpu"}
)


class autocast:
    """A region of mixed precision, for a block or a function. It warns that it is off, and changes nothing.

    PyTorch does the same where it finds no GPU (``"cuda"``) or does not know the dtype (``"cpu"``).

    Args:
        device_type: where operations would be cast.
        dtype: what they would be cast to.
        enabled: whether the program wants it; with False nothing is said.
        cache_enabled: without effect.

    Raises:
        ValueError: ``device_type`` is no string.
        RuntimeError: a type of device that has no mixed precision.

    >>> import wengert as torch
    >>> with torch.autocast("cpu", enabled=False):
    ...     y = torch.ones(2, 2) @ torch.ones(2, 2)
    >>> y.dtype
    torch.float32
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        _check_type(device_type)
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type {device_type!r}")
        self.device = device_type
        self.fast_dtype = dtype
        if enabled and device_type in ("cpu", "cuda"):
            warnings.warn(_off(device_type), UserWarning, stacklevel=2)

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function: it is given back."""
        if not callable(func):
            raise TypeError(
                f"autocast()(func) takes a function, but got {type(func).__name__}. For a block, write: "
                "with torch.autocast(device_type): ..."
            )
        return func


def _off(device_type: str) -> str:
    if device_type == "cuda":
        return (
            "CUDA is not available. Disabling autocast: wengert computes on the CPU, in the dtypes that tensors have."
        )
    return (
        "Disabling autocast: on the CPU wengert computes in the dtypes that tensors have. It has no bfloat16, and "
        "float16 would be slower than float32. Pass enabled=False to say nothing"
    )


def _check_type(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def is_autocast_available(device_type: str) -> bool:
    """Whether PyTorch has mixed precision on such devices: whether ``autocast`` takes the name.

    >>> import wengert as torch
    >>> torch.amp.is_autocast_available("cuda")
    True
    """
    return device_type in _AVAILABLE


def get_autocast_dtype(device_type: str) -> dtype:
    """The type that ``autocast`` would cast to if it cast: PyTorch's choice for such devices.

    >>> import wengert as torch
    >>> torch.get_autocast_dtype("cpu"), torch.get_autocast_dtype("cuda")
    (torch.bfloat16, torch.float16)
    """
    _check_type(device_type)
    return float16 if device_type == "cuda" else bfloat16


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """False: nothing is cast.

    >>> import wengert as torch
    >>> torch.is_autocast_enabled("cpu")
    False
    """
    del device_type
    return False


def custom_fwd(fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """Decorate the ``forward`` of an ``autograd.Function`` for mixed precision; outside of it, the function itself.

    >>> import wengert as torch
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     @torch.amp.custom_fwd(device_type="cpu")
    ...     def forward(ctx, x):
    ...         return 2 * x
    >>> Double.apply(torch.tensor(1.0))
    tensor(2.)
    """
    _check_type(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    return fwd


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Any:
    """Decorate the ``backward`` of an ``autograd.Function``; outside of mixed precision, the function itself.

    >>> import wengert as torch
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...
    ...     @staticmethod
    ...     @torch.amp.custom_bwd(device_type="cpu")
    ...     def backward(ctx, g):
    ...         return 2 * g
    >>> x = torch.tensor(1.0, requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor(2.)
    """
    _check_type(device_type)
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd
