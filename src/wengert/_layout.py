"""``layout`` and ``memory_format``: how a tensor's elements lie in memory, as far as PyTorch's programs name it."""

from __future__ import annotations

from typing import Any, Final, Self, final

from wengert._constants import Constant

__all__ = [
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "layout",
    "memory_format",
    "preserve_format",
    "sparse_coo",
    "strided",
]

_new_object = object.__new__


class _Constant(Constant):
    """One of a fixed set of named objects."""

    __slots__ = ("_name",)
    _name: str

    def __new__(cls) -> Self:
        raise TypeError(
            f"cannot create 'torch.{cls.__name__}' instances: they are fixed. Use one of them, such as torch.strided "
            "or torch.contiguous_format"
        )

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _constant, (self._name,)


@final
class layout(_Constant):  # PyTorch's name
    """How a tensor is stored. Every tensor here is ``strided``: a block of memory with a step per dimension.

    >>> import wengert as torch
    >>> torch.zeros(2).layout
    torch.strided
    """

    __slots__ = ()


@final
class memory_format(_Constant):  # PyTorch's name
    """In which order the elements lie: ``contiguous_format`` is row-major, ``preserve_format`` the order of the input.

    >>> import wengert as torch
    >>> torch.zeros(2, 3).t().clone(memory_format=torch.contiguous_format).stride()
    (2, 1)
    """

    __slots__ = ()


_made: dict[str, _Constant] = {}


def _make(cls: type[Any], name: str) -> Any:
    made = _new_object(cls)
    object.__setattr__(made, "_name", name)
    _made[name] = made
    return made


def _constant(name: str) -> _Constant:
    """The constant called `name` (what a pickle holds)."""
    return _made[name]


strided: Final[layout] = _make(layout, "strided")
sparse_coo: Final[layout] = _make(layout, "sparse_coo")
contiguous_format: Final[memory_format] = _make(memory_format, "contiguous_format")
preserve_format: Final[memory_format] = _make(memory_format, "preserve_format")
channels_last: Final[memory_format] = _make(memory_format, "channels_last")
channels_last_3d: Final[memory_format] = _make(memory_format, "channels_last_3d")


def check_layout(function: str, given: object) -> None:
    """Raise unless a ``layout=`` argument is ``torch.strided`` (or None)."""
    if given is None or given is strided:
        return
    if isinstance(given, layout):
        raise RuntimeError(f"{function}(): got layout={given}, but only dense tensors (torch.strided) exist here")
    raise TypeError(f"{function}(): argument 'layout' must be torch.layout, not {type(given).__name__}")


_RANKS: Final = {channels_last: 4, channels_last_3d: 5}


def channels_go_last(function: str, given: object, ndim: int) -> bool:
    """Whether a ``memory_format=`` argument asks for channels-last order.

    Raises:
        RuntimeError: for a tensor of another number of dimensions than that order has.
    """
    if given not in _RANKS:
        return False
    if _RANKS[given] != ndim:
        raise RuntimeError(
            f"{function}(): required rank {_RANKS[given]} tensor to use {given} format, but it has {ndim} dimensions"
        )
    return True


def check_memory_format(function: str, given: object) -> bool:
    """Whether a ``memory_format=`` argument keeps the order of the input (None does); raises for channels-last."""
    if given is None or given is preserve_format:
        return True
    if given is contiguous_format:
        return False
    if isinstance(given, memory_format):
        raise RuntimeError(
            f"{function}(): got memory_format={given}, but only torch.contiguous_format and torch.preserve_format "
            "exist here; leave the argument out"
        )
    raise TypeError(f"{function}(): argument 'memory_format' must be torch.memory_format, not {type(given).__name__}")
