"""Norms, distances, and slices scaled down to a norm."""

from __future__ import annotations

import math
from typing import Any

from wengert._dtypes import as_numpy_dtype
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dims
from wengert.functions.extrema import amax, amin
from wengert.functions.linalg_spectra import svdvals
from wengert.functions.options import require_tensor, type_name
from wengert.functions.reduce import computed_in
from wengert.functions.reduced import Dims, one_axis, reduced_axes
from wengert.ops.norms import DIST, RENORM, VECTOR_NORM
from wengert.ops.reduce import count
from wengert.spaces.tensors import TENSOR

__all__ = ["NormMethods", "dist", "norm", "renorm"]


def vector_norm(
    x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Any:
    """The vector norm over all elements or over the axes ``dim``.

    ``(sum_i |x_i|^ord)^(1/ord)``; the number of nonzero elements for 0, the largest ``|x_i|`` for infinity, the
    smallest for minus infinity. The gradient where the norm is zero is zero.

    Raises:
        RuntimeError: the dtype is neither float nor complex, or a negative or infinite norm of nothing.
        TypeError, IndexError: as :func:`sum`.

    >>> import wengert as torch
    >>> x = torch.tensor([3.0, -4.0], requires_grad=True)
    >>> torch.linalg.vector_norm(x).backward()
    >>> x.grad
    tensor([ 0.6000, -0.8000])
    """
    axes, keep = reduced_axes("linalg_vector_norm", x, dim, None, keepdim, None)
    order = _order(ord)
    own = x._data.dtype
    if own.kind not in "fc":
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {type_name(own)}; "
            "convert it, for example with .to(torch.float32)"
        )
    if dtype is not None:
        x = computed_in(x, _norm_dtype(dtype, own))
    if order in (math.inf, -math.inf) or order < 0:
        _require_something(x, axes, order)
    return deliver(out, apply(VECTOR_NORM, x, ord=order, dim=axes, keepdim=keep), x)


def _order(ord: Any) -> float:
    if isinstance(ord, TensorBase) and not ord._data.ndim:
        ord = ord._data.item()
    if isinstance(ord, (int, float)):
        return float(ord)
    raise TypeError(f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}")


def _norm_dtype(dtype: Any, own: Any) -> Any:
    wanted = as_numpy_dtype(dtype, "linalg_vector_norm(): argument 'dtype'")
    if wanted.kind not in "fc":
        raise RuntimeError(
            f"linalg.vector_norm: dtype should be floating point or complex, but got {type_name(wanted)}"
        )
    if wanted.kind != own.kind:
        raise RuntimeError(
            f"linalg.vector_norm: dtype should be {'complex' if own.kind == 'c' else 'real'} for "
            f"{'complex' if own.kind == 'c' else 'real'} inputs, but got {type_name(wanted)}"
        )
    if wanted.itemsize < own.itemsize:
        raise RuntimeError(
            f"linalg.vector_norm: the dtype of the input ({type_name(own)}) should be convertible without "
            f"narrowing to the specified dtype ({type_name(wanted)})"
        )
    return wanted


def _require_something(x: Any, axes: Dims, order: float) -> None:
    shape = x._data.shape
    if count(shape, axes):
        return
    cannot = f"linalg.vector_norm cannot compute the {order:g} norm on"
    if axes is None:
        raise RuntimeError(f"{cannot} an empty tensor because the operation does not have an identity")
    empty = next(axis for axis in axes if not shape[axis])
    raise RuntimeError(
        f"{cannot} the dimension {empty} because this dimension is empty and the operation does not have an identity"
    )


def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None, dtype: Any = None) -> Any:
    """The norm of order ``p`` of all elements or over the axes ``dim``.

    ``p`` is a number, infinities included, or ``"fro"``, which means 2. As :func:`linalg.vector_norm`, whose errors it
    has. ``p="nuc"`` is the sum of the singular values of a matrix.

    >>> import wengert as torch
    >>> torch.norm(torch.tensor([[3.0, 1.0], [4.0, 2.0]]), p=1, dim=0)
    tensor([7., 3.])
    """
    require_tensor("norm", input)
    if p == "nuc":
        return deliver(out, _nuclear(input, dim, keepdim, dtype), input)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported. Pass a number, or 'fro'")
    return vector_norm(input, 2 if p == "fro" or p is None else p, dim, keepdim, dtype=dtype, out=out)


def _nuclear(input: Any, dim: Any, keepdim: bool, dtype: Any) -> Any:
    ndim = input._data.ndim
    dims = wrap_dims(tuple(range(ndim)) if dim is None else dim, ndim)
    if len(dims) != 2:
        raise RuntimeError(f'norm(p="nuc") is of matrices: it takes two dimensions, but got {len(dims)}')
    return of_singular_values(input, "nuc", *dims, keepdim, dtype)


def of_singular_values(A: Any, ord: Any, rows: int, columns: int, keepdim: bool, dtype: Any) -> Any:  # noqa: N803
    """The norm 2 (the largest), -2 (the smallest) or ``"nuc"`` (the sum) of the singular values of matrices."""
    last = A._data.ndim
    if dtype is not None:
        A = A.to(dtype)  # noqa: N806
    order = (*[dim for dim in range(last) if dim not in (rows, columns)], rows, columns)
    values = svdvals(TENSOR.permute(A, dims=order))
    found = values.sum(-1) if ord == "nuc" else (amax if ord == 2 else amin)(values, -1)
    if keepdim:
        for dim in sorted((rows, columns)):
            found = TENSOR.unsqueeze(found, dim=dim)
    return found


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The norm of order ``p`` of the difference of two tensors of one shape (or that broadcast).

    ``norm(input - other, p)``. Raises TypeError for what is no tensor.

    >>> import wengert as torch
    >>> torch.dist(torch.tensor([1.0, 2.0]), torch.tensor([4.0, 6.0]))
    tensor(5.)
    """
    require_tensor("dist", input)
    require_tensor("dist", other, "other", 2)
    for tensor in (input, other):
        if tensor._data.dtype.kind not in "fc":
            raise RuntimeError(
                "linalg.vector_norm: Expected a floating point or complex tensor as input. "
                f"Got {type_name(tensor._data.dtype)}; convert it, for example with .to(torch.float32)"
            )
    return apply(DIST, input, other, p=_order(p))


def _renorm_arguments(input: Any, p: Any, dim: Any, maxnorm: Any) -> dict[str, Any]:
    axis = one_axis("renorm", input, dim)
    order, limit = _order(p), float(maxnorm)
    if order <= 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported: got p={order:g}, expected a number above 0")
    if limit < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {limit:g}")
    if input._data.ndim < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input._data.ndim} dimensions: it scales the parts along "
            "one axis, each by its own norm"
        )
    return {"p": order, "dim": axis, "maxnorm": limit}


def renorm(input: Any, p: float, dim: int, maxnorm: float, *, out: Any = None) -> Any:
    """Each part of the tensor along the axis ``dim`` scaled down to the norm ``maxnorm`` where its norm is larger.

    Raises:
        RuntimeError: ``p`` is not positive, ``maxnorm`` is negative, or the tensor has fewer than two axes.
        TypeError, IndexError: as :func:`sum`.

    >>> import wengert as torch
    >>> torch.renorm(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), p=2, dim=0, maxnorm=1)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    return deliver(out, apply(RENORM, input, **_renorm_arguments(input, p, dim, maxnorm)), input)


def renorm_(self: Any, p: float, dim: int, maxnorm: float) -> Any:
    """:func:`renorm` in place."""
    return inplace(RENORM, self, **_renorm_arguments(self, p, dim, maxnorm))


class NormMethods:
    """Norms and distances as methods."""

    __slots__ = ()

    norm = norm
    dist = dist
    renorm = renorm
    renorm_ = renorm_
