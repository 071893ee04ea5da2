"""What the namespace can do, as the standard's inspection functions ask it."""

from __future__ import annotations

from typing import Any

from wengert._device import CPU, device, require_cpu
from wengert._dtypes import ALL_DTYPES, BY_NUMPY, DEFAULTS, default_complex, dtype, float16, int64
from wengert.array_api._dtypes import isdtype

__all__ = ["namespace_info"]


class _NamespaceInfo:
    """Capabilities, devices and dtypes of ``wengert.array_api``."""

    __module__ = "wengert.array_api"

    def capabilities(self) -> dict[str, Any]:
        """Masks as indices and shapes that depend on data are there; arrays have at most 64 dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> device:
        """The CPU."""
        return CPU

    def devices(self) -> tuple[device, ...]:
        """The CPU alone."""
        return (CPU,)

    def default_dtypes(self, *, device: Any = None) -> dict[str, dtype]:
        """The dtypes of arrays made from Python numbers; the floating ones follow ``set_default_dtype``."""
        if device is not None:
            require_cpu(device)
        return {
            "real floating": BY_NUMPY[DEFAULTS.float],
            "complex floating": BY_NUMPY[default_complex()],
            "integral": int64,
            "indexing": int64,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, dtype]:
        """The standard's dtypes by name, all or those of a kind."""
        if device is not None:
            require_cpu(device)
        return {d.name: d for d in ALL_DTYPES if d is not float16 and (kind is None or isdtype(d, kind))}

    def __repr__(self) -> str:
        return "<what wengert.array_api can do: .capabilities(), .dtypes(), .default_dtypes(), .devices()>"


_INFO = _NamespaceInfo()


def namespace_info() -> _NamespaceInfo:
    """What the namespace can do: capabilities, devices, dtypes.

    >>> from wengert import array_api as xp
    >>> xp.__array_namespace_info__().default_dtypes()["integral"]
    torch.int64
    """
    return _INFO
