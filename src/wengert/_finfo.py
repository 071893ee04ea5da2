"""``finfo`` and ``iinfo``: the limits of the floating-point and the integer types."""

import math
from typing import Any, NoReturn

from ._dtypes import DEFAULTS, NumpyDtype, as_numpy_dtype, from_numpy_dtype
from ._dtypes import dtype as ElementType

__all__ = ["finfo", "iinfo"]

# Of IEEE 754's binary formats: significant bits (the hidden one included) and largest exponent.
_FORMATS = {"float16": (11, 15), "float32": (24, 127), "float64": (53, 1023)}


class _Limits:
    """What both classes share: they are constants, equal when they describe the same type, and not hashable."""

    __slots__ = ("_type", "bits", "dtype", "max", "min")

    _type: ElementType
    bits: int
    dtype: str

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.dtype == self.dtype

    __hash__ = None  # type: ignore[assignment]  # as in PyTorch

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._type,)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"attribute {name!r} of {type(self).__name__} objects is not writable")


class finfo(_Limits):  # PyTorch's name
    """The limits of a floating-point type (of the default type when none is given).

    ``bits``, ``max``, ``min``; ``eps`` is the gap between 1 and the next number; ``tiny`` (``smallest_normal``) the
    smallest positive normal number; ``resolution`` the decimal resolution; ``dtype`` the name. A complex type gives
    its real type's limits. Raises TypeError for bool and integer types.

    >>> import wengert as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    __slots__ = ("eps", "resolution", "smallest_normal", "tiny")

    eps: float
    max: float
    min: float
    resolution: float
    smallest_normal: float
    tiny: float

    def __init__(self, type: ElementType | None = None) -> None:
        of = DEFAULTS.float if type is None else as_numpy_dtype(type, "finfo(): argument 'type' (position 1)")
        if of.kind not in "fc":
            raise TypeError(
                f"torch.finfo() requires a floating point input type, got {_shown(of)}. "
                "Use torch.iinfo for the integer types"
            )
        real = from_numpy_dtype(of).to_real()
        digits, exponent = _FORMATS[real.name]
        eps = 2.0 ** (1 - digits)
        largest = (2.0 - eps) * 2.0**exponent
        tiny = 2.0 ** (1 - exponent)
        self._set(_type=real, bits=8 * real.itemsize, dtype=real.name, eps=eps, max=largest, min=-largest)
        decimals = math.floor((digits - 1) * math.log10(2.0))
        self._set(resolution=float(f"1e-{decimals}"), smallest_normal=tiny, tiny=tiny)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo(_Limits):  # PyTorch's name
    """The limits of an integer type: ``bits``, ``max``, ``min``, and the name as ``dtype``.

    Raises TypeError for bool, floating-point and complex types.

    >>> import wengert as torch
    >>> torch.iinfo(torch.int16).max
    32767
    """

    __slots__ = ()

    max: int
    min: int

    def __init__(self, type: ElementType) -> None:
        of = as_numpy_dtype(type, "iinfo(): argument 'type' (position 1)")
        if of.kind in "fc":
            raise TypeError(
                f"torch.iinfo() requires an integer input type, got {_shown(of)}. "
                "Use torch.finfo for the floating point types"
            )
        if of.kind == "b":
            raise TypeError("torch.bool is not supported by torch.iinfo: it is not an integer type")
        bits = 8 * of.itemsize
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if of.kind == "i" else (0, 2**bits - 1)
        self._set(_type=from_numpy_dtype(of), bits=bits, dtype=of.name, max=high, min=low)

    def __repr__(self) -> str:
        return f"iinfo(min={float(self.min):g}, max={float(self.max):g}, dtype={self.dtype})"


def _shown(numpy_dtype: NumpyDtype) -> str:
    return str(from_numpy_dtype(numpy_dtype))
