"""What stands for an array while a program is traced: it has a shape and a dtype, and no values."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, ClassVar, NoReturn

import numpy as np

from wengert._source import locate, user_code

__all__ = ["EDITS", "NeedsValueError", "TraceError", "Traced", "layout_of", "tie"]


class TraceError(RuntimeError):
    """A function does something that no traced program can hold."""


class NeedsValueError(TraceError):
    """Python asked for a value that a traced function will only have when it runs."""


class Edits:
    """How often an attribute or hook of any module was set: programs that depend on such are guarded by them."""

    __slots__ = ("count",)  # a slot, which machine code can read

    def __init__(self) -> None:
        self.count = 0


EDITS = Edits()


class Traced:
    """Base of the stand-ins: what would need values raises :class:`NeedsValueError`, which names the user's line."""

    __slots__ = ("dtype", "shape")

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    flags: ClassVar[Any] = np.empty(0).flags  # in C order, to be written

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def itemsize(self) -> int:
        """The size of one element in bytes."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The size of the values in bytes."""
        return self.size * self.dtype.itemsize

    def layout(self) -> np.ndarray[Any, Any] | None:
        """An array that lies in memory as the values will, where they are a part of others; None for C order."""
        return None

    @property
    def strides(self) -> tuple[int, ...]:
        """The strides in bytes of an array in C order: what the values will lie in when the program runs."""
        steps = [self.dtype.itemsize]
        for size in reversed(self.shape[1:]):
            steps.append(steps[-1] * max(size, 1))
        return tuple(reversed(steps))[: len(self.shape)] if self.shape else ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NeedsValueError(_message(self))

    __bool__ = __int__ = __float__ = __complex__ = __index__ = __len__ = _refuse
    __array__ = __iter__ = __contains__ = __setitem__ = _refuse
    item = tolist = tobytes = view = ravel = squeeze = fill = _refuse
    sum = any = all = min = max = nonzero = argsort = sort = take = _refuse

    # --- what batching rules do to arrays: it becomes a part of the program ------------------------------------------

    emit: ClassVar[Callable[..., Any] | None] = None  # emit(operation or its name, inputs, meta); bound by the tracer

    def looks_at(self, other: Any) -> bool:
        """Whether this is memory, and what it holds is a part of what the other one holds."""
        del other
        return False

    def _emit(self, op: Any, *inputs: Any, **meta: Any) -> Any:
        if Traced.emit is None:
            self._refuse()
        return Traced.emit(op, inputs, meta)

    def reshape(self, *shape: Any) -> Any:
        """The values in another shape."""
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        return self._emit("reshape", self, shape=tuple(sizes))

    def transpose(self, *axes: Any) -> Any:
        """The values with their axes in another order, by default the reverse."""
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        chosen = order if order and order[0] is not None else range(self.ndim)[::-1]
        return self._emit("permute", self, dims=tuple([axis % self.ndim for axis in chosen]))

    def swapaxes(self, a: int, b: int) -> Any:
        """The values with two axes exchanged."""
        order = list(range(self.ndim))
        order[a], order[b] = order[b], order[a]
        return self.transpose(order)

    def astype(self, dtype: Any, **_: Any) -> Any:
        """The values in another dtype."""
        return self._emit("cast", self, dtype=np.dtype(dtype))

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if any([isinstance(part, Traced) for part in parts]):
            return self._at(parts)
        if key == (Ellipsis, None):
            return self._emit("unsqueeze", self, dim=self.ndim)
        if key == (Ellipsis, 0):
            return self._emit("select", self, dim=self.ndim - 1, index=0)
        return self if key in ((), Ellipsis) else self._refuse()

    def _at(self, parts: tuple[Any, ...]) -> Any:
        """The elements that index arrays choose; between them stand whole axes."""
        spec = tuple([isinstance(part, (Traced, np.ndarray)) for part in parts])
        both = list(zip(spec, parts, strict=True))
        if not all([here or (isinstance(part, slice) and part == slice(None)) for here, part in both]):
            self._refuse()
        return self._emit("index", self, *[part for here, part in both if here], spec=spec)

    def __neg__(self) -> Any:
        return self._emit("neg", self)

    def __invert__(self) -> Any:
        return self._emit("bitwise_not", self)

    def __pow__(self, other: Any) -> Any:
        return self._emit("pow" if isinstance(other, Traced) else "pow_number", self, other)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "reduce" and ufunc is np.add:
            axes = options.get("axis")
            given = (axes,) if isinstance(axes, int) else axes
            dim = given if given is None else tuple([axis % inputs[0].ndim for axis in given])
            return self._emit("sum", *inputs, dim=dim, keepdim=bool(options.get("keepdims")))
        (out,) = options.pop("out", (None,))
        chosen = options.pop("where", True)
        if method != "__call__" or options:
            self._refuse()
        y = self._emit(ufunc, *inputs)
        if chosen is not True:
            y = self._emit("where", chosen, y, out)
        return y if out is None else _written(out, y)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        del types
        if function is np.shape:
            return args[0].shape
        if function is np.may_share_memory:
            a, b = args
            return isinstance(a, Traced) and a.looks_at(b)
        if function is np.broadcast_to:
            return self._emit("expand", args[0], shape=tuple(args[1]))
        if function is np.moveaxis and not options:
            x, source, target = args
            order = [axis for axis in range(x.ndim) if axis != source % x.ndim]
            order.insert(target % x.ndim, source % x.ndim)
            return self._emit("permute", x, dims=tuple(order))
        if function is np.copyto and not options:
            return _written(*args)
        if function is np.where and not options:
            return self._emit("where", *args)
        if function is np.clip:
            x, low, high = args
            out = options.pop("out", None)
            y = self._emit("clamp", x, min=low, max=high)
            return y if out is None else _written(out, y)
        return self._refuse()

    def copy(self, *_: Any) -> Any:
        """The values in memory of their own."""
        return self._emit("clone", self)

    def clip(self, low: Any = None, high: Any = None) -> Any:
        """The values, no less than ``low`` and no more than ``high``."""
        return self._emit("clamp", self, min=low, max=high)


def _written(out: Any, value: Any) -> Any:
    """``out`` with a value written into its memory, if it stands for memory."""
    if not hasattr(out, "write"):
        value._refuse()
    if not isinstance(value, Traced):
        value = np.asarray(value, out.dtype)
    if value.shape != out.shape:
        value = out._emit("expand", value, shape=out.shape)
    elif not isinstance(value, Traced):
        value = out._emit("clone", value)
    out.write(value if value.dtype is out.dtype else value.astype(out.dtype))
    return out


def tie(part: Any, whole: Any) -> None:
    """Let a traced value be memory: the part of another one from which it was taken. Arrays are that anyway."""
    if isinstance(part, Traced) and not part.looks_at(whole):
        part._refuse()


def _operator(name: str) -> Any:
    def forward(a: Traced, b: Any) -> Any:
        return a._emit(name, a, b)

    def reflected(b: Traced, a: Any) -> Any:
        return b._emit(name, a, b)

    return forward, reflected


for _name, _op in {
    **{name: name for name in ("add", "sub", "mul", "lt", "le", "gt", "ge")},
    "truediv": "div",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}.items():
    _forward, _reflected = _operator(_op)
    setattr(Traced, f"__{_name}__", _forward)
    setattr(Traced, f"__r{_name}__", _reflected)


def _message(value: Traced) -> str:
    location = locate(*user_code())
    line = location.source_line() if location is not None else None
    where = "Python" if location is None else f"`{line}` at {location}" if line else f"the code at {location}"
    return (
        f"{where} needs the values of a tensor (shape {list(value.shape)}, {value.dtype}) while compile() traces the "
        "function. There are none yet: the traced program must hold for all values. To choose by value, write "
        "torch.where(condition, a, b), which takes each element from a or from b, or torch.cond(condition, f, g, "
        "operands), which runs one of two functions (torch.while_loop repeats one); what does not depend on the "
        "arguments, compute before the call and pass in; or compile(..., fallback=True) runs a function like this one "
        "eagerly."
    )


def layout_of(raw: Any) -> np.ndarray[Any, Any] | None:
    """An array that lies in memory as the raw value does, or will when a traced program runs; None for C order."""
    if isinstance(raw, Traced):
        return raw.layout()
    return raw if isinstance(raw, np.ndarray) else None
