"""NumPy's functions called with tensors: ``np.sin(t)``, ``ndarray * t``, ``np.concatenate([t, u])``.

Where a tensor is tracked the operation is ours, recorded and differentiable. Where none is, NumPy computes from the
values, as it does for PyTorch's tensors, so that programs written for those see the same types.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, array_of, is_tracking, wrap
from wengert.engine.pointwise import refuse_masked
from wengert.engine.state import STATE
from wengert.functions.contraction import einsum
from wengert.functions.convert import from_ufunc, numpy
from wengert.functions.data import adopted
from wengert.functions.division import remainder
from wengert.functions.numpy_functions import FUNCTIONS, tensors_of
from wengert.functions.numpy_further import NUMBERS
from wengert.functions.powers import pow
from wengert.functions.products import matmul
from wengert.ops.record import TABLE, Op

__all__ = ["NumpyMethods"]

# Universal functions that are more than one operation, or need the dtypes looked at.
_FUNCTIONS: Final[dict[Any, Callable[..., Any]]] = {
    np.power: pow,
    np.float_power: pow,
    np.floor_divide: lambda x, y: x.floor_divide(y),
    np.remainder: remainder,
    np.matmul: matmul,
    np.square: lambda x: x * x,
    np.reciprocal: lambda x: x.reciprocal(),
    np.positive: lambda x: x,
    np.conjugate: lambda x: x.conj(),
    np.log10: lambda x: x.log10(),
    np.heaviside: lambda x, y: x.detach().heaviside(_beside(x, y)),
    np.fmod: lambda x, y: x.fmod(y),
    np.ldexp: lambda x, n: x * 2.0**n if isinstance(n, int) else x.ldexp(n),
    np.frexp: lambda x: tuple(x.frexp()),
    np.modf: lambda x: (x - x.trunc(), x.trunc()),
    np.signbit: lambda x: x.signbit(),
    np.spacing: lambda x: wrap(np.spacing(x._data)),
    np.divmod: lambda x, y: (x.floor_divide(y), remainder(x, y)),
    np.vecdot: lambda x, y: (x.conj() * y).sum(-1),
    np.matvec: lambda x, y: (x @ y.unsqueeze(-1)).squeeze(-1),
    np.logaddexp: lambda x, y: x.logaddexp(y),
    np.sign: lambda x: x.sign(),
    np.fabs: lambda x: x.abs(),
    np.deg2rad: lambda x: x.deg2rad(),
    np.radians: lambda x: x.deg2rad(),
    np.rad2deg: lambda x: x.rad2deg(),
    np.degrees: lambda x: x.rad2deg(),
    np.cbrt: lambda x: x.sign() * x.abs().pow(1 / 3),
}
_REDUCTIONS: Final = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
_SCANS: Final = {np.add: np.cumsum, np.multiply: np.cumprod}
_NAMES: Final = {"clamp_min_tensor", "clamp_max_tensor", "clamp_from", "clamp_to"}  # share another's function


def _beside(x: Any, y: Any) -> Any:
    """A number as a tensor of the dtype of ``x``."""
    return y if isinstance(y, TensorBase) else wrap(np.asarray(y, x._data.dtype))


@cache
def _operations() -> dict[Any, Op]:
    return {op.ufunc: op for op in TABLE.ops.values() if op.ufunc is not None and op.name not in _NAMES}


@cache
def _numpys_own() -> frozenset[Any]:
    return frozenset([value for value in vars(np).values() if isinstance(value, np.ufunc)])


def _special(name: str) -> Any:
    """Our own function for a universal function of ``scipy.special``."""
    return getattr(importlib.import_module("wengert.array_api.special"), name, None)


def _tensors_in(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, TensorBase):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors_in(value)


def _any_tracked(values: Iterable[Any]) -> bool:
    return STATE.grad_enabled and any([is_tracking(t) for t in _tensors_in(values)])


def _operand(x: Any) -> Any:
    if isinstance(x, TensorBase) or type(x) in (bool, int, float, complex):
        return x
    if isinstance(x, np.generic):
        return x.item()
    refuse_masked(x)
    return wrap(adopted(np.asarray(x)))


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """A universal function of NumPy on tensors: ``np.sin(t)``, ``ndarray * t``, ``np.add.reduce(t)``.

    >>> import numpy as np
    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> y = np.array([3.0, 4.0], dtype=np.float32) * x
    >>> np.add.reduce(y)
    tensor(11., grad_fn=<SumBackward1>)
    """
    del self
    if method == "__call__" and not options and (ufunc.nin == 2 or _any_tracked(inputs)):
        operands = [_operand(x) for x in inputs]
        if ufunc in _FUNCTIONS:
            return _FUNCTIONS[ufunc](*_first_a_tensor(operands))
        if ufunc in _operations():
            return apply(_operations()[ufunc], *operands)
        if ufunc not in _numpys_own():
            special = _special(ufunc.__name__)
            if special is not None:
                return special(*operands)
    if not _any_tracked([*inputs, *options.values()]):
        return _by_numpy(ufunc, method, inputs, options)
    tables: dict[str, dict[Any, Any]] = {"reduce": _REDUCTIONS, "accumulate": _SCANS}
    table = tables.get(method, {})
    if ufunc in table:
        axis = inputs[1] if len(inputs) > 1 else options.pop("axis", 0)
        return FUNCTIONS[table[ufunc]](tensors_of(inputs[0]), axis, **options)
    if method == "outer" and not options:
        a, b = (_operand(x) for x in inputs)
        return ufunc.__call__(a.reshape(a.shape + (1,) * b.ndim), b)
    return _refused(f"np.{ufunc.__name__}{'' if method == '__call__' else '.' + method}", options)


def _first_a_tensor(operands: list[Any]) -> list[Any]:
    """The functions want a tensor first."""
    if isinstance(operands[0], TensorBase) or len(operands) == 1:
        return operands
    return [wrap(np.asarray(operands[0], _kind_for(*operands))), operands[1]]


def _kind_for(number: Any, t: Any) -> Any:
    """A dtype for a number beside a tensor: the tensor's own where it can hold it."""
    dtype = t._data.dtype
    rank = "biufc"
    kind = np.asarray(number).dtype.kind
    return dtype if rank.index(kind) <= rank.index(dtype.kind) else None


def _by_numpy(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    out = options.get("out")
    if out is not None:
        options["out"] = tuple([numpy(o) if isinstance(o, TensorBase) else o for o in out])
    values = [numpy(x) if isinstance(x, TensorBase) else x for x in inputs]
    result = getattr(ufunc, method)(*values, **options)
    if out is not None:
        return out[0] if len(out) == 1 else out
    return tuple([_wrapped(r) for r in result]) if isinstance(result, tuple) else _wrapped(result)


def _values_of(value: Any) -> Any:
    """The arguments with the values of tensors in their places."""
    if isinstance(value, TensorBase):
        return array_of(value)
    if isinstance(value, dict):
        return {name: _values_of(part) for name, part in value.items()}
    return type(value)([_values_of(part) for part in value]) if type(value) in (list, tuple) else value


def _wrapped(result: Any) -> Any:
    return from_ufunc(None, np.asarray(result)) if isinstance(result, (np.ndarray, np.generic)) else result


def array_function(self: Any, func: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Another function of NumPy on tensors: ``np.concatenate([t, u])``, ``np.mean(t)``.

    >>> import numpy as np
    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> np.concatenate([x, np.zeros(1, np.float32)])
    tensor([1., 2., 0.], grad_fn=<CatBackward0>)
    """
    del self, types
    if not _any_tracked([*args, *kwargs.values()]):
        return func._implementation(*args, **kwargs)
    given = {k: v for k, v in kwargs.items() if v is not np._NoValue and not (v is None and k in ("out", "dtype"))}
    if func is np.einsum:
        return einsum(*[tensors_of(a) for a in args])
    if func in NUMBERS:
        return func._implementation(*_values_of(args), **_values_of(kwargs))
    if func not in FUNCTIONS:
        return _refused(f"np.{func.__name__}", given)
    try:
        return FUNCTIONS[func](*[tensors_of(a) for a in args], **{k: tensors_of(v) for k, v in given.items()})
    except TypeError as error:
        if "unexpected keyword argument" in str(error):
            return _refused(f"np.{func.__name__}", given)
        raise


def _refused(name: str, options: dict[str, Any]) -> Any:
    listed = f" with {', '.join(sorted(options))}" if options else ""
    raise RuntimeError(
        f"Can't call {name}{listed} on Tensor that requires grad: wengert has no such operation to record, and what "
        "NumPy computes from the values is not tracked. Use tensor.detach() if no gradient is wanted, or the torch "
        "function of that name"
    )


class NumpyMethods:
    """The part of Tensor that NumPy's functions look for."""

    __slots__ = ()

    __array_ufunc__ = array_ufunc

    @property
    def _mask(self: Any) -> Any:
        """Not there: what ``numpy.ma`` asks for, after it has taken the values of the operand.

        It computes by itself what a masked array and a tensor give, and the result knows no gradient.
        """
        if STATE.grad_enabled and is_tracking(self):
            raise RuntimeError(
                "Can't compute with a numpy.ma.MaskedArray and a Tensor that requires grad: NumPy would take the "
                "values alone. Use tensor.detach() if no gradient is wanted, or `tensor * a.filled(value)` if one is"
            )
        raise AttributeError("_mask")

    __array_function__ = array_function
