"""Containers of parameters: ``ParameterList``, ``ParameterDict``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

from wengert._tensor import Tensor
from wengert.functions.legacy import typename
from wengert.nn.modules.container import pairs_of, position
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Buffer, Parameter

__all__ = ["ParameterDict", "ParameterList"]


def _as_parameter(value: Any) -> Any:
    """A tensor becomes a parameter, other things stay what they are."""
    if isinstance(value, Tensor) and not isinstance(value, (Parameter, Buffer)):
        return Parameter(value)
    return value


def _text(value: Any, dtype: str) -> str:
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"{kind} containing: [{dtype} of size {'x'.join(map(str, value.shape))}]"


class ParameterList(Module):
    """A list of parameters, which a module that it is assigned to knows. Tensors become parameters.

    >>> import wengert as torch
    >>> torch.nn.ParameterList([torch.ones(2), torch.zeros(2, 3)])
    ParameterList(
        (0): Parameter containing: [torch.float32 of size 2]
        (1): Parameter containing: [torch.float32 of size 2x3]
    )
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)([self[i] for i in range(*idx.indices(len(self)))])
        return getattr(self, str(position(idx, len(self))))

    def __setitem__(self, idx: Any, param: Any) -> None:
        setattr(self, str(position(idx, len(self))), _as_parameter(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self))])

    def __iadd__(self, parameters: Iterable[Any]) -> Self:
        return self.extend(parameters)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, value: Any) -> Self:
        """Add a value at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several values at the end.

        Raises:
            TypeError: no container.
        """
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in values:
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """One line for each value."""
        return "\n".join(
            [f"  ({i}): {_text(value, str(getattr(value, 'dtype', None)))}" for i, value in enumerate(self)]
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise: a list cannot be called."""
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dict of parameters, which a module that it is assigned to knows. Tensors become parameters.

    >>> import wengert as torch
    >>> weights = torch.nn.ParameterDict({"left": torch.ones(2)})
    >>> weights["left"]
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string (type is "
                f"{type(key).__name__!r})."
            )
        self._keys[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """A dict of its own with the same parameters."""
        return ParameterDict({key: self[key] for key in self})

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value under a key, after putting ``default`` there if it was not taken."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Take everything out."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take a value out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last key and value out."""
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value under a key, or ``default``."""
        return self[key] if key in self._keys else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict with one value for all keys."""
        return ParameterDict(dict.fromkeys(keys, default))

    def keys(self) -> Any:
        """The keys."""
        return self._keys.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        """The keys with their values."""
        return iter([(key, self[key]) for key in self._keys])

    def values(self) -> Iterator[Any]:
        """The values."""
        return iter([self[key] for key in self._keys])

    def update(self, parameters: Any) -> None:
        """Add the values of a mapping, or of pairs.

        Raises:
            TypeError: neither.
            ValueError: an element that is no pair.
        """
        for key, value in pairs_of("ParameterDict", parameters):
            self[key] = value

    def __or__(self, other: ParameterDict) -> ParameterDict:
        merged = self.copy()
        merged.update(other.items())
        return merged

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other.items())
        return self

    def extra_repr(self) -> str:
        """One line for each value."""
        return "\n".join([f"  ({key}): {_text(value, typename(value))}" for key, value in self.items()])

    def __call__(self, input: Any) -> Any:
        """Raise: a dict cannot be called."""
        raise RuntimeError("ParameterDict should not be called.")
