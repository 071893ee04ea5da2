"""Forward mode with dual tensors: a primal and a tangent that every operation carries along."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from wengert._dtypes import from_numpy_dtype
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.leveled import Level, dual, split
from wengert.ops.movement import ALIAS
from wengert.spaces.tensors import TENSOR


class UnpackedDualTensor(NamedTuple):
    """What :func:`unpack_dual` gives: the primal, and the tangent or None."""

    primal: Any
    tangent: Any


class _Open(threading.local):
    levels: tuple[Level, ...] = ()


_open = _Open()


def enter_dual_level() -> int:
    """Begin a level of forward mode and give its number; :class:`dual_level` does this for a block.

    >>> import wengert as torch
    >>> import wengert.autograd.forward_ad as fwAD
    >>> fwAD.exit_dual_level(level=fwAD.enter_dual_level())
    """
    _open.levels = (*_open.levels, Level())
    return len(_open.levels) - 1


def exit_dual_level(*, level: int | None = None) -> None:
    """End the innermost level: its dual tensors count as their primals from now on.

    Raises:
        RuntimeError: no level is open, or ``level`` is not the innermost one.
    """
    if not _open.levels:
        raise RuntimeError("Trying to exit a forward AD level but no level is open: enter_dual_level() opens one.")
    if level is not None and level != len(_open.levels) - 1:
        raise RuntimeError(
            f"Trying to exit forward AD level {level}, but the innermost one is {len(_open.levels) - 1}: levels end in "
            "the reverse order of their beginning."
        )
    _open.levels[-1].close()
    _open.levels = _open.levels[:-1]


class dual_level:
    """Within this block dual tensors can be made, and operations on them compute tangents. Blocks nest.

    >>> import wengert as torch
    >>> import wengert.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(torch.tensor(3.0), torch.tensor(1.0))
    ...     fwAD.unpack_dual(x * x).tangent
    tensor(6.)
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()


def _level(number: int | None, doing: str) -> Level | None:
    levels = _open.levels
    if number is None:
        return levels[-1] if levels else None
    if not 0 <= number < len(levels):
        raise RuntimeError(f"{doing}: there is no forward AD level {number}; {len(levels)} are open")
    return levels[number]


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """A dual tensor: a view of ``tensor`` that carries ``tangent``.

    Args:
        tensor: the primal, of floating point or complex dtype.
        tangent: of the same shape, cast to the same dtype; it may itself be tracked, or dual for an outer level.
        level: which level it is for; default: the innermost one.

    Raises:
        RuntimeError: no level is open, ``tensor`` is dual for this level already, or the tangent does not fit.
        ValueError: a dtype that has no derivatives.

    >>> import wengert as torch
    >>> import wengert.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(torch.tensor(0.5), torch.tensor(2.0))
    ...     y = x.exp()
    ...     fwAD.unpack_dual(y)
    UnpackedDualTensor(primal=tensor(1.6487), tangent=tensor(3.2974))
    """
    at = _level(level, "make_dual")
    if at is None:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first: "
            "with fwAD.dual_level(): ..."
        )
    tangent = fitted_tangent(tensor, tangent)
    if split(tensor, at)[1] is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level is not "
            "supported: use its primal, unpack_dual(tensor).primal, or another level."
        )
    return dual(at, apply(ALIAS, tensor), tangent)


def fitted_tangent(primal: Any, tangent: Any) -> Any:
    """The tangent in the dtype of its primal.

    Raises:
        TypeError: one of them is no tensor.
        ValueError: a dtype that has no derivatives.
        RuntimeError: another shape, or a complex tangent of a real primal.
    """
    for name, t in (("primal", primal), ("tangent", tangent)):
        if not isinstance(t, TensorBase):
            raise TypeError(f"Expected {name} to be a tensor, but got {type(t).__name__}")
        if t._data.dtype.kind not in "fc":
            raise ValueError(
                f"Expected {name} to be floating point or complex, but got: {from_numpy_dtype(t._data.dtype)}"
            )
    p, t = primal._data, tangent._data
    if p.shape != t.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {list(p.shape)} while the given forward gradient is of size {list(t.shape)}."
        )
    if p.dtype is t.dtype:
        return tangent
    if t.dtype.kind == "c" and p.dtype.kind != "c":
        raise RuntimeError(
            f"Trying to set a forward gradient of dtype {from_numpy_dtype(t.dtype)} for a Tensor of dtype "
            f"{from_numpy_dtype(p.dtype)}, whose tangents are real. Give its real part, or make the Tensor complex."
        )
    return TENSOR.cast(tangent, dtype=p.dtype)


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """The primal and the tangent of a dual tensor; the tangent is None for any other tensor, or once the level is over.

    >>> import wengert as torch
    >>> import wengert.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     fwAD.unpack_dual(torch.tensor(1.0))
    UnpackedDualTensor(primal=tensor(1.), tangent=None)
    """
    at = _level(level, "unpack_dual")
    if at is None:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(*split(tensor, at))


__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]
