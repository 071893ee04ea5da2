"""Element types: the ``dtype`` singletons and the default float type.

Inside the library an element type is a NumPy dtype; the ``dtype`` objects here are what users see and pass in.
Names that would hide a builtin in this file are left to the package (``bool``, ``int``, ``float`` and the other
short names are aliases: see ``ALIASES``).
"""

import types
from typing import Any, Final, NoReturn, Self, TypeAlias, final

import numpy as np

from wengert._constants import Constant

__all__ = [
    "ALIASES",
    "ALL_DTYPES",
    "BY_NUMPY",
    "DEFAULTS",
    "TO_COMPLEX",
    "TO_REAL",
    "TYPE_NAMES",
    "NumpyDtype",
    "as_numpy_dtype",
    "bfloat16",
    "bool_",
    "complex64",
    "complex128",
    "default_complex",
    "dtype",
    "float16",
    "float32",
    "float64",
    "from_numpy_dtype",
    "get_default_dtype",
    "int8",
    "int16",
    "int32",
    "int64",
    "set_default_dtype",
    "type_name",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

NumpyDtype: TypeAlias = np.dtype[Any]

_new_object = object.__new__
_set_field = object.__setattr__


@final
class dtype(Constant):  # PyTorch's name
    """The element type of a tensor, one object per type.

    ``np.dtype(d)`` gives the NumPy dtype. ``d == np.float32`` and ``d == np.dtype("float32")`` hold for the type
    that NumPy calls so; the hash agrees with the one of the NumPy *dtype* (NumPy's own scalar classes hash
    differently from NumPy's dtypes although they compare equal, so no hash could agree with both).

    >>> import wengert as torch
    >>> torch.float32, torch.float32.itemsize, torch.float32.is_floating_point
    (torch.float32, 4, True)
    """

    __slots__ = (
        "_hash",
        "_repr",
        "abbr",
        "dtype",
        "is_complex",
        "is_floating_point",
        "is_signed",
        "itemsize",
        "kind",
        "name",
        "np",
    )

    name: str
    np: NumpyDtype
    dtype: NumpyDtype
    kind: str
    abbr: str
    itemsize: int
    is_floating_point: bool
    is_complex: bool
    is_signed: bool
    _hash: int
    _repr: str

    def __new__(cls) -> Self:
        raise TypeError(
            "cannot create 'torch.dtype' instances: the element types are fixed. Use one of them, such as torch.float32"
        )

    def __init_subclass__(cls, *, has_values: bool = True) -> None:
        if has_values:
            raise TypeError("type 'torch.dtype' is not an acceptable base type: the element types are fixed")

    def to_complex(self) -> Self:  # Self, because the attribute `dtype` hides the class's name in here
        """The complex type with this real type; the type itself if it is complex.

        float16 gives complex64, the smallest complex type NumPy has (PyTorch has an experimental complex32).
        Raises RuntimeError for bool and integer types.

        >>> import wengert as torch
        >>> torch.float64.to_complex()
        torch.complex128
        """
        found = TO_COMPLEX.get(self.np)
        if found is None:
            raise RuntimeError(
                f"{self} has no complex counterpart. to_complex() expects a floating-point or complex type; "
                "convert the tensor to one first, for example with .to(torch.float32)"
            )
        return BY_NUMPY[found]

    def to_real(self) -> Self:
        """The type of the real part: complex64 gives float32, complex128 float64, any other type itself.

        >>> import wengert as torch
        >>> torch.complex64.to_real()
        torch.float32
        """
        return BY_NUMPY[TO_REAL.get(self.np, self.np)]

    def __repr__(self) -> str:
        return self._repr

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, np.dtype):
            return self.np == other
        if isinstance(other, type) and issubclass(other, np.generic):
            return self.np.type is other
        return False

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return _dtype_named, (self.name,)


def _make(name: str) -> dtype:
    numpy_dtype = np.dtype(name)
    kind = numpy_dtype.kind
    itemsize = numpy_dtype.itemsize
    made = _new_object(dtype)
    _set_field(made, "name", name)
    _set_field(made, "np", numpy_dtype)
    _set_field(made, "dtype", numpy_dtype)
    _set_field(made, "kind", kind)
    _set_field(made, "abbr", f"{kind}{8 * itemsize}")
    _set_field(made, "itemsize", itemsize)
    _set_field(made, "is_floating_point", kind == "f")
    _set_field(made, "is_complex", kind == "c")
    _set_field(made, "is_signed", kind in "ifc")
    _set_field(made, "_hash", hash(numpy_dtype))
    _set_field(made, "_repr", f"torch.{name}")
    return made


def _no_values(d: dtype) -> NoReturn:
    raise TypeError(
        f"{d} is only a name here: NumPy has no such type, so no tensor can have it. Use torch.float32, or "
        "torch.float16 where memory counts"
    )


# Types that programs name, to ask whether they can be had, and that no tensor has: using one raises TypeError.
_NAMED_ONLY: Any = types.new_class(
    "dtype",
    (dtype,),
    {"has_values": False},
    lambda body: body.update(
        __slots__=(),
        __module__=__name__,
        __eq__=lambda self, other: self is other,
        __hash__=lambda self: self._hash,
        np=property(_no_values),
        dtype=property(_no_values),
    ),
)


def _name_only(name: str, abbr: str, itemsize: int) -> dtype:
    made: dtype = _new_object(_NAMED_ONLY)
    for field, value in (("name", name), ("kind", "f"), ("abbr", abbr), ("itemsize", itemsize)):
        _set_field(made, field, value)
    for field, value in (("is_floating_point", True), ("is_complex", False), ("is_signed", True)):
        _set_field(made, field, value)
    _set_field(made, "_hash", hash(name))
    _set_field(made, "_repr", f"torch.{name}")
    return made


bool_ = _make("bool")
uint8 = _make("uint8")
int8 = _make("int8")
int16 = _make("int16")
int32 = _make("int32")
int64 = _make("int64")
uint16 = _make("uint16")
uint32 = _make("uint32")
uint64 = _make("uint64")
float16 = _make("float16")
float32 = _make("float32")
float64 = _make("float64")
complex64 = _make("complex64")
complex128 = _make("complex128")

bfloat16 = _name_only("bfloat16", "bf16", 2)

ALL_DTYPES: tuple[dtype, ...] = (
    bool_,
    uint8,
    int8,
    int16,
    int32,
    int64,
    uint16,
    uint32,
    uint64,
    float16,
    float32,
    float64,
    complex64,
    complex128,
)
"""Every element type; of two integer types that promote, the later one is the wider."""

ALIASES: dict[str, dtype] = {
    "bool": bool_,
    "half": float16,
    "float": float32,
    "double": float64,
    "short": int16,
    "int": int32,
    "long": int64,
    "cfloat": complex64,
    "cdouble": complex128,
}
"""The other public names of the types, for the package and the tests."""

_BY_NAME = {d.name: d for d in ALL_DTYPES}
BY_NUMPY: dict[NumpyDtype, dtype] = {d.np: d for d in ALL_DTYPES}
TO_COMPLEX = {
    float16.np: complex64.np,
    float32.np: complex64.np,
    float64.np: complex128.np,
    complex64.np: complex64.np,
    complex128.np: complex128.np,
}
TO_REAL = {complex64.np: float32.np, complex128.np: float64.np}
_PYTHON_TYPES: dict[object, NumpyDtype] = {bool: bool_.np, int: int64.np, float: float64.np, complex: complex128.np}

_SUPPORTED = ", ".join(d.name for d in reversed(ALL_DTYPES[1:])) + ", and bool"


def _dtype_named(name: str) -> dtype:
    """The singleton called `name` (what a pickle holds)."""
    return bfloat16 if name == bfloat16.name else _BY_NAME[name]


def from_numpy_dtype(numpy_dtype: NumpyDtype) -> dtype:
    """The ``dtype`` of a NumPy dtype; TypeError for one that no tensor has, ValueError for a foreign byte order."""
    found = BY_NUMPY.get(numpy_dtype)
    if found is None:
        _reject_numpy_dtype(numpy_dtype)
    return found


def as_numpy_dtype(x: object, argument: str = "argument 'dtype'") -> NumpyDtype:
    """The NumPy dtype meant by `x`: a ``dtype``, a NumPy dtype or scalar class, or bool, int, float, complex.

    As in PyTorch the Python types mean bool, int64, float64 and complex128. `argument` names the place in the
    TypeError raised for anything else.
    """
    if isinstance(x, dtype):
        return x.np
    python_type = _PYTHON_TYPES.get(x) if isinstance(x, type) else None
    if python_type is not None:
        return python_type
    if isinstance(x, type) and issubclass(x, np.generic):
        x = _scalar_class_dtype(x)
    if isinstance(x, np.dtype):
        return from_numpy_dtype(x).np
    hint = f". Write torch.{x} in place of the string {x!r}" if isinstance(x, str) and _is_public_name(x) else ""
    raise TypeError(f"{argument} must be torch.dtype, not {type(x).__name__}{hint}")


def _is_public_name(name: str) -> bool:
    return name in _BY_NAME or name in ALIASES


def _scalar_class_dtype(scalar_class: type[np.generic]) -> NumpyDtype:
    try:
        return np.dtype(scalar_class)
    except TypeError:  # abstract, such as np.floating
        raise TypeError(
            f"{scalar_class.__name__} is an abstract NumPy type, not an element type. "
            f"The only supported types are: {_SUPPORTED}"
        ) from None


def _reject_numpy_dtype(numpy_dtype: NumpyDtype) -> NoReturn:
    if numpy_dtype.newbyteorder("=") in BY_NUMPY:
        raise ValueError(
            f"a NumPy array of dtype {numpy_dtype.str!r} has a byte order other than this machine's, which tensors "
            "cannot have. Convert it first: array.astype(array.dtype.newbyteorder('='))"
        )
    raise TypeError(
        f"can't convert np.ndarray of type {numpy_dtype.type.__module__}.{numpy_dtype.type.__name__}. "
        f"The only supported types are: {_SUPPORTED}."
    )


class _Defaults:
    """The one place that holds the default float type, as a NumPy dtype: hot paths read ``DEFAULTS.float``."""

    __slots__ = ("float",)

    def __init__(self) -> None:
        self.float: NumpyDtype = float32.np


DEFAULTS = _Defaults()


def get_default_dtype() -> dtype:
    """The float type that new tensors get from Python floats.

    >>> import wengert as torch
    >>> torch.get_default_dtype()
    torch.float32
    """
    return BY_NUMPY[DEFAULTS.float]


def set_default_dtype(d: dtype) -> None:
    """Sets the float type that new tensors get from Python floats: float16, float32 or float64.

    Holds for the whole process. Raises TypeError for any other type.

    >>> import wengert as torch
    >>> torch.set_default_dtype(torch.float64)
    >>> torch.get_default_dtype()
    torch.float64
    >>> torch.set_default_dtype(torch.float32)
    """
    if not isinstance(d, dtype):
        raise TypeError(
            "invalid dtype object: only floating-point types are supported as the default type. "
            f"Got {d!r}, expected torch.float16, torch.float32 or torch.float64"
        )
    if not d.is_floating_point:
        raise TypeError(
            "only floating-point types are supported as the default type. "
            f"Got {d}, expected torch.float16, torch.float32 or torch.float64"
        )
    DEFAULTS.float = d.np


def default_complex() -> NumpyDtype:
    """The complex type that goes with the default float type (complex64 for float16 too, see ``dtype.to_complex``)."""
    return TO_COMPLEX[DEFAULTS.float]


TYPE_NAMES: Final = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "uint16": "UInt16",
    "uint32": "UInt32",
    "uint64": "UInt64",
    "float16": "Half",
    "float32": "Float",
    "float64": "Double",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
}
"""PyTorch's older names of the element types: ``torch.FloatTensor``, ``'Long'`` in its messages."""


def type_name(dtype: NumpyDtype) -> str:
    """What PyTorch's messages call an element type: ``Float`` for float32."""
    return TYPE_NAMES.get(dtype.name, dtype.name)
