"""Objects of which there is one each, as ``torch.float32`` or ``torch.strided``: fixed, and their own copies."""

from __future__ import annotations

from typing import Any, NoReturn, Self

__all__ = ["Constant"]


class Constant:
    """One of a fixed set of objects; it is made with ``object.__new__`` and filled with ``object.__setattr__``."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{self} is a constant: its attribute {name!r} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{self} is a constant: its attribute {name!r} cannot be deleted")
