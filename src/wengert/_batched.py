"""Raw values with batch axes: what stands in a tensor's place for a raw value inside ``vmap``.

A :class:`Batched` value is one array for a whole batch. It shows the shape, the dtype and the operators of a single
member; the batch axes have names of their own (:class:`BatchAxis`), stand in front of the array, and broadcast against
values that lack them. So code that asks for shapes and applies operations does not notice them. Nested batches have
several batch axes, the outermost first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from itertools import count
from math import prod
from typing import Any, NamedTuple, NoReturn

import numpy as np

from wengert._fpenv import has_wide_rows, run_by_rows
from wengert._source import at, locate, user_code
from wengert._traced import Traced


class BatchAxis(NamedTuple):
    """The name of a batch axis (larger for inner ones) and how many members the batch has."""

    name: int
    size: int


Axes = tuple[BatchAxis, ...]
_names = count(1)


def new_axis(size: int) -> BatchAxis:
    """A batch axis that no value has yet, inside all that were made before."""
    return BatchAxis(next(_names), size)


class Batched:
    """One raw value for each member of a batch: an array whose first axes are ``axes``, in this order."""

    __slots__ = ("array", "axes")
    __array_ufunc__ = None  # NumPy's operators leave the work to those below
    array: Any
    axes: Axes

    def __init__(self, array: Any, axes: Axes) -> None:
        self.array = array
        self.axes = axes

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one member."""
        return self.array.shape[len(self.axes) :]  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of dimensions of one member."""
        return self.array.ndim - len(self.axes)  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements of one member."""
        return prod(self.shape)

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self.array.dtype

    @property
    def itemsize(self) -> int:
        """The number of bytes of an element."""
        return self.array.itemsize  # type: ignore[no-any-return]

    @property
    def strides(self) -> tuple[int, ...]:
        """The steps through memory of one member, in bytes."""
        return self.array.strides[len(self.axes) :]  # type: ignore[no-any-return]

    @property
    def flags(self) -> Any:
        """NumPy's description of one member's memory."""
        return self.array[(0,) * len(self.axes)].flags if all(self.array.shape) else self.array.flags

    @property
    def real(self) -> Batched:
        """The real parts."""
        return Batched(self.array.real, self.axes)

    def copy(self, order: Any = "C") -> Batched:
        """The same values in memory of their own."""
        return Batched(self.array.copy(order), self.axes)

    def astype(self, dtype: Any, **options: Any) -> Batched:
        """The same values in another dtype."""
        return Batched(self.array.astype(dtype, **options), self.axes)

    def fill(self, value: Any) -> None:
        """Write one number everywhere."""
        self.array.fill(value)

    def __getitem__(self, key: tuple[()]) -> Batched:
        if key != ():
            raise TypeError("a batched value is indexed by operations, not by NumPy's brackets")
        return self

    def __repr__(self) -> str:
        return f"<batch of {[axis.size for axis in self.axes]} values {list(self.shape)}>"

    # --- what needs one value and has many ---------------------------------------------------------------------------

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise RuntimeError(
            f"vmap: {what}{at(locate(*user_code(2)))}. Inside vmap the tensor stands for a whole batch "
            f"({', '.join(str(axis.size) for axis in self.axes)} members), whose values differ, so there is no one "
            f"answer. {instead}"
        )

    def __bool__(self) -> bool:  # noqa: PLE0304 - it never returns
        self._refuse(
            "Python asked whether a batched tensor is true (data-dependent control flow: if, while, and, or, assert)",
            "Compute both ways and choose with torch.where(condition, a, b), or use torch.cond(condition, f, g, args)",
        )

    def item(self, *args: Any) -> Any:
        """Refused: there is one value for each member."""
        self._refuse(
            "It looks like you're calling .item() on a Tensor: a batched tensor was to become a Python number",
            "Keep it a tensor; torch.where chooses by it, and x[index] takes a tensor as index",
        )

    def tolist(self) -> Any:
        """Refused: there is one value for each member."""
        self._refuse(
            "a batched tensor was to become Python numbers (tolist, iteration over values)", "Keep it a tensor"
        )

    def __array__(self, *args: Any, **options: Any) -> Any:
        self._refuse("a batched tensor was to become a NumPy array", "Use the torch function of the same name")

    __int__ = __float__ = __index__ = __complex__ = item


def merged(several: Iterable[Axes]) -> Axes:
    """All batch axes that occur, outermost first."""
    found = list(several)
    first = found[0]
    if all([axes == first for axes in found]):
        return first
    return tuple(sorted(set().union(*found)))


def aligned(x: Any, axes: Axes, ndim: int) -> Any:
    """The array behind ``x`` with all of ``axes`` in front of ``ndim`` others; of size one where ``x`` lacks them."""
    if x.__class__ is not Batched:
        return x
    array, own = x.array, x.axes
    missing = ndim - (array.ndim - len(own))
    if own == axes and not missing:
        return array
    lead = tuple([axis.size if axis in own else 1 for axis in axes])
    return array.reshape((*lead, *(1,) * missing, *x.shape))


def spread(x: Any, axes: Axes) -> Any:
    """The array behind ``x`` with all of ``axes`` in front, repeated (without a copy) where ``x`` lacks them."""
    lead = tuple([axis.size for axis in axes])
    if x.__class__ is not Batched:
        return np.broadcast_to(x, (*lead, *np.shape(x)))
    if x.axes == axes:
        return x.array
    return np.broadcast_to(aligned(x, axes, x.ndim), (*lead, *x.shape))


def whole(x: Any) -> Any:
    """The array of all members, where only whether any of them is wrong matters."""
    return x.array if x.__class__ is Batched else x


def filled(memory: Any, values: Any) -> Any:
    """``memory`` with ``values`` written into it; the values themselves where they are of a larger batch."""
    if values.__class__ is Batched or isinstance(values, Traced):
        return values
    whole(memory)[...] = values
    return memory


def without(x: Batched, summed: Axes) -> Any:
    """The sum over some of the batch axes."""
    places = tuple([place for place, axis in enumerate(x.axes) if axis in summed])
    rest = tuple([axis for axis in x.axes if axis not in summed])
    array = np.add.reduce(x.array, places, x.dtype)
    return Batched(array, rest) if rest else array


def enter(x: Any, axis: BatchAxis, dim: int) -> Batched:
    """The value whose batch along ``axis`` is the dimension ``dim`` of ``x``."""
    if x.__class__ is not Batched:
        array: Any = x if isinstance(x, Traced) else np.asarray(x)
        return Batched(_moved(array, dim, 0), (axis,))
    axes = merged((x.axes, (axis,)))
    return Batched(_moved(x.array, len(x.axes) + dim, axes.index(axis)), axes)


def leave(x: Any, axis: BatchAxis, dim: int) -> Any:
    """The value whose dimension ``dim`` is the batch of ``x`` along ``axis``."""
    if x.__class__ is not Batched or axis not in x.axes:
        own = x.axes if x.__class__ is Batched else ()
        x = Batched(spread(x, axes := merged((own, (axis,)))), axes)
    rest = tuple([other for other in x.axes if other != axis])
    array = _moved(x.array, x.axes.index(axis), len(rest) + dim)
    return Batched(array, rest) if rest else array


def _moved(array: Any, source: int, to: int) -> Any:
    """A view with one axis at another place; `np.moveaxis` takes ten times as long."""
    if array.__class__ is not np.ndarray:
        return np.moveaxis(array, source, to)
    order = list(range(array.ndim))
    order.insert(to, order.pop(source))
    return array.transpose(order)


def elementwise(function: Callable[..., Any], xs: tuple[Any, ...], meta: dict[str, Any]) -> Any:
    """A function that broadcasts, applied to values of which at least one is batched."""
    if len(xs) == 1:
        return packed(function(xs[0].array, **meta), xs[0].axes)
    if len(xs) == 2:
        a, b = xs
        if a.__class__ is Batched:
            if b.__class__ is not Batched:
                if getattr(b, "ndim", 0) <= a.ndim:
                    return packed(_by_rows(function, a.array, b, **meta), a.axes)
            elif a.axes == b.axes and a.array.ndim == b.array.ndim:
                return packed(_by_rows(function, a.array, b.array, **meta), a.axes)
    batched = [x for x in xs if x.__class__ is Batched]
    axes = merged([x.axes for x in batched])
    ndim = max([getattr(x, "ndim", 0) for x in xs])
    return packed(_by_rows(function, *[aligned(x, axes, ndim) for x in xs], **meta), axes)


def _by_rows(function: Callable[..., Any], /, *arrays: Any, **meta: Any) -> Any:
    """An elementwise function, in the way that is quickest for the width of its arrays."""
    return run_by_rows(function, *arrays, **meta) if has_wide_rows(arrays) else function(*arrays, **meta)


def packed(y: Any, axes: Axes) -> Any:
    """A result, or each of several, as a batched value."""
    return tuple([Batched(part, axes) for part in y]) if y.__class__ is tuple else Batched(y, axes)


def _binary(function: Callable[..., Any]) -> tuple[Any, Any]:
    def forward(a: Batched, b: Any) -> Any:
        return elementwise(function, (a, b), {})

    def reflected(b: Batched, a: Any) -> Any:
        return elementwise(function, (a, b), {})

    return forward, reflected


def _unary(function: Callable[..., Any]) -> Any:
    return lambda a: Batched(function(a.array), a.axes)


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"):
    _function = getattr(operator, f"{_name}_" if _name in ("and", "or") else _name)
    _forward, _reflected = _binary(_function)
    setattr(Batched, f"__{_name}__", _forward)
    setattr(Batched, f"__r{_name}__", _reflected)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Batched, f"__{_name}__", _binary(getattr(operator, _name))[0])
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Batched, f"__{_name}__", _unary(getattr(operator, _name)))
Batched.__hash__ = object.__hash__  # type: ignore[method-assign]


# --- batching rules: rule(xp, *inputs, **meta) on values of which at least one is batched ---------------------------


def physical(function: Callable[..., Any]) -> Callable[..., Any]:
    """A batching rule from ``function(k, *arrays, **meta)``: arrays with all ``k`` batch axes in front, in and out.

    Numbers among the inputs come as they are.
    """

    def rule(xp: Any, *xs: Any, **meta: Any) -> Any:
        axes = merged([x.axes for x in xs if x.__class__ is Batched])
        arrays = [spread(x, axes) if hasattr(x, "dtype") else x for x in xs]
        return packed(function(len(axes), *arrays, **meta), axes)

    return rule


def folded(impl: Callable[..., Any]) -> Callable[..., Any]:
    """The batching rule of an operation on one value whose first axis is a batch already: members are put into it."""

    def rows(k: int, x: Any, **meta: Any) -> Any:
        lead = x.shape[: k + 1]
        y = impl(x.reshape(prod(lead), *x.shape[k + 1 :]), **meta)
        parts = tuple([part.reshape(*lead, *part.shape[1:]) for part in (y if y.__class__ is tuple else (y,))])
        return parts if y.__class__ is tuple else parts[0]

    return physical(rows)


def leading(impl: Callable[..., Any]) -> Callable[..., Any]:
    """The batching rule of an operation that takes further leading axes as they come."""

    def whole(_: int, /, *arrays: Any, **meta: Any) -> Any:
        return impl(*arrays, **meta)

    return physical(whole)
