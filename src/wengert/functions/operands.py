"""Checks of the tensors that products, layers and losses take: one dtype, fitting shapes."""

from __future__ import annotations

from typing import Any, NoReturn

from wengert._dtypes import NumpyDtype, from_numpy_dtype
from wengert.engine.base import TensorBase
from wengert.engine.messages import first_mismatch
from wengert.functions.options import require_tensor, type_name

__all__ = [
    "cannot_multiply",
    "must_broadcast",
    "need_floats",
    "not_implemented_for",
    "raw_of_tensor",
    "same_dtype",
    "shown",
]

_IN_C = {
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
    "int64": "long",
    "int32": "int",
    "int16": "short",
    "int8": "signed char",
    "uint8": "unsigned char",
}


def in_c(dtype: NumpyDtype) -> str:
    """What PyTorch's older messages call an element type: ``double`` for float64."""
    return _IN_C.get(dtype.name, dtype.name)


def raw_of_tensor(function: str, value: Any, name: str = "input", position: int = 1) -> Any:
    """The raw value of an argument that must be a tensor."""
    if isinstance(value, TensorBase):
        return value._data
    require_tensor(function, value, name, position)
    raise AssertionError


def shown(shape: tuple[int, ...]) -> str:
    """A matrix's shape as in ``2x3``."""
    return "x".join(map(str, shape))


def must_broadcast(function: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Raise unless two shapes fit each other.

    Raises:
        RuntimeError: they do not; the message names the dimension.
    """
    mismatch = first_mismatch(a, b)
    if mismatch is not None:
        place, size_a, size_b = mismatch
        raise RuntimeError(
            f"The size of tensor a ({size_a}) must match the size of tensor b ({size_b}) at non-singleton dimension "
            f"{place}. {function} got the shapes {list(a)} and {list(b)}, which do not broadcast."
        )


def same_dtype(said: str, *raws: Any) -> None:
    """Raise ``said`` with advice unless all raw values have one dtype.

    Where ``said`` has ``{}`` or ``{0}``, ``{1}``, ... stand the names of their dtypes, as PyTorch writes them there.

    Raises:
        RuntimeError: they differ.
    """
    first = raws[0].dtype
    for other in raws[1:]:
        if other.dtype is not first:
            names = " and ".join(str(from_numpy_dtype(raw.dtype)) for raw in raws)
            said = said.format(*[type_name(raw.dtype) for raw in raws])
            wider = max([raw.dtype for raw in raws], key=lambda dtype: ("buifc".index(dtype.kind), dtype.itemsize))
            raise RuntimeError(
                f"{said}. Products do not mix dtypes, and these are {names}: convert one of them first, for example "
                f"with .to({from_numpy_dtype(wider)})"
            )


def cannot_multiply(a: tuple[int, ...], b: tuple[int, ...]) -> NoReturn:
    """Raise PyTorch's error for two matrices that do not fit."""
    hint = ""
    if len(a) == len(b) == 2:
        if a[1] == b[1]:
            hint = ", as with the second one transposed: b.T"
        elif a[0] == b[0]:
            hint = ", as with the first one transposed: a.T"
    raise RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied ({shown(a)} and {shown(b)}): the columns of the first ({a[-1]}) "
        f"must be as many as the rows of the second ({b[0]}){hint}"
    )


def not_implemented_for(kernel: str, dtype: NumpyDtype) -> NotImplementedError:
    """PyTorch's error for a dtype that an operation does not take, with what to do."""
    return NotImplementedError(
        f"\"{kernel}\" not implemented for '{type_name(dtype)}'. Convert the tensor first, for example with "
        f".{'to(torch.int64)' if dtype.kind == 'b' else 'float()'}"
    )


def need_floats(kernel: str, raw: Any, *, complex_too: bool = False) -> None:
    """Raise unless ``raw`` is floating point (or complex, where that is defined).

    Raises:
        NotImplementedError: another dtype.
    """
    kind = raw.dtype.kind
    if kind != "f" and not (complex_too and kind == "c"):
        raise not_implemented_for(kernel, raw.dtype)
