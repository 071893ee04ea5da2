"""Numbers that tell nobody their value unasked: whatever Python or C code does with one goes through its methods.

``isinstance`` takes such an object for the number that it stands for, since a function must go the way that it goes
with that; ``type`` does not. Knows Python's protocol of numbers, and the containers that may hold some, not what
becomes of what is asked.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

_CONTAINERS: Final = (tuple, list, dict, slice)


class OpaqueNumber:
    """A number whose readers have to ask (:meth:`ask`) and whose arithmetic is done by :meth:`computed`."""

    __class__: Any = property(lambda number: type(number.concrete))
    __slots__ = ("__weakref__", "concrete")

    concrete: Any  # its value, for those who may know it

    def ask(self, read: Callable[[Any], Any]) -> Any:
        """What ``read`` gives for the value."""
        raise NotImplementedError

    def computed(self, function: Callable[..., Any], *operands: Any) -> Any:
        """Arithmetic or a comparison with this number among the operands; NotImplemented with what is no number."""
        raise NotImplementedError

    def at(self, values: Mapping[int, int]) -> Any:
        """The number that it would be if those it was computed from (by their identities) were others."""
        raise NotImplementedError

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.ask(np.asarray)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [x.ask(_itself) if isinstance(x, OpaqueNumber) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **options)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, _: Any) -> Any:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.ask(lambda value: value.__reduce_ex__(protocol))

    def __round__(self, *digits: Any) -> Any:
        return self.ask(lambda value: round(value, *digits))

    def __divmod__(self, other: Any) -> Any:
        return self.ask(lambda value: divmod(value, other))

    def __rdivmod__(self, other: Any) -> Any:
        return self.ask(lambda value: divmod(other, value))

    def __format__(self, spec: str) -> str:
        return self.ask(lambda value: format(value, spec))  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self.concrete), name):  # a method of numbers: is_integer, hex, real, ...
            return self.ask(lambda value: getattr(value, name))
        raise AttributeError(name)


def _itself(value: Any) -> Any:
    return value


def _asking(read: Callable[[Any], Any]) -> Callable[[OpaqueNumber], Any]:
    return lambda number: number.ask(read)


_READS: Final[dict[str, Callable[[Any], Any]]] = {
    "__float__": float,
    "__int__": int,
    "__index__": operator.index,
    "__complex__": complex,
    "__hash__": hash,
    "__repr__": repr,
    "__str__": str,
    "__trunc__": math.trunc,
    "__floor__": math.floor,
    "__ceil__": math.ceil,
}
for _name, _read in _READS.items():
    setattr(OpaqueNumber, _name, _asking(_read))


def _binary(function: Callable[..., Any]) -> tuple[Any, Any]:
    return (lambda a, b: a.computed(function, a, b)), (lambda b, a: b.computed(function, a, b))


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift", "rshift"):
    _forward, _reflected = _binary(getattr(operator, _name))
    setattr(OpaqueNumber, f"__{_name.rstrip('_')}__", _forward)
    setattr(OpaqueNumber, f"__r{_name.rstrip('_')}__", _reflected)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(OpaqueNumber, f"__{_name}__", _binary(getattr(operator, _name))[0])
for _name, _unary in {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "invert": operator.invert,
    "bool": bool,
}.items():
    setattr(OpaqueNumber, f"__{_name}__", lambda a, _unary=_unary: a.computed(_unary, a))


# --- containers ------------------------------------------------------------------------------------------------------


def opaque_in(values: Iterable[Any]) -> Iterator[OpaqueNumber]:
    """The opaque numbers among values, also those in tuples, lists, dictionaries and slices."""
    for x in values:
        cls = type(x)
        if cls is int:
            continue
        if issubclass(cls, OpaqueNumber):
            yield x
        elif issubclass(cls, _CONTAINERS):
            yield from opaque_in(_parts(x))


def has_opaque(values: Iterable[Any]) -> bool:
    """Whether there are any."""
    return any([True for _ in opaque_in(values)])


def _parts(x: Any) -> Iterable[Any]:
    if isinstance(x, slice):
        return x.start, x.stop, x.step
    return x.values() if isinstance(x, dict) else x


def plain(x: Any) -> Any:
    """The same with numbers in place of opaque ones, which are asked for their values."""
    return _replaced(x, lambda number: number.ask(_itself))


def at(x: Any, values: Mapping[int, int]) -> Any:
    """The same with the numbers that opaque ones would be (:meth:`OpaqueNumber.at`)."""
    return _replaced(x, lambda number: number.at(values))


def _replaced(x: Any, number: Callable[[Any], Any]) -> Any:
    if isinstance(x, OpaqueNumber):
        return number(x)
    if not isinstance(x, _CONTAINERS) or not has_opaque(_parts(x)):
        return x
    if isinstance(x, slice):
        return slice(*[_replaced(part, number) for part in _parts(x)])
    if isinstance(x, dict):
        return {key: _replaced(part, number) for key, part in x.items()}
    parts = [_replaced(part, number) for part in x]
    return type(x)(parts) if not hasattr(x, "_fields") else type(x)(*parts)


__all__ = ["OpaqueNumber", "at", "has_opaque", "opaque_in", "plain"]
