"""Pseudoinverses and least squares, as ``torch.linalg`` has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import _return_types as return_types
from wengert._batched import Batched, whole
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.out import deliver
from wengert.functions.linalg_checks import floats, matrices, second_operand, square_matrices
from wengert.functions.operands import must_broadcast
from wengert.ops.solving import PINV
from wengert.spaces.tensors import TENSOR

__all__ = ["lstsq", "pinv", "pinverse", "tolerances"]


def pinv(
    A: Any,  # noqa: N803
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Any:
    """The pseudoinverse of Moore and Penrose.

    Singular values below ``max(atol, rtol * largest)`` count as zero; ``rtol`` is by default ``max(rows, columns)``
    times the precision of the dtype (0 where ``atol`` is given and positive). Both are numbers, or tensors with one
    for each matrix.

    Raises:
        RuntimeError: fewer than two dimensions, not floating point, or not square where ``hermitian``.

    >>> import wengert as torch
    >>> torch.linalg.pinv(torch.tensor([[1., 0.], [0., 0.]]))
    tensor([[1., 0.],
            [0., 0.]])
    """
    raw = square_matrices("pinv", A) if hermitian else matrices("pinv", A)
    floats("pinv", raw)
    absolute, relative = tolerances(raw, atol, rcond if rcond is not None else rtol)
    if np.ndim(absolute) or np.ndim(relative):
        return deliver(out, _pinv_of_each(A, absolute, relative, hermitian=bool(hermitian)), A)
    return deliver(out, apply(PINV, A, atol=absolute, rtol=relative, hermitian=bool(hermitian)), A)


def _pinv_of_each(A: Any, atol: Any, rtol: Any, *, hermitian: bool) -> Any:  # noqa: N803
    """The pseudoinverses of matrices with tolerances of their own: of matrices scaled so that each has 1."""
    raw = whole(A._data)
    largest = np.linalg.svd(raw, compute_uv=False).max(axis=-1, initial=0.0)
    rounding = np.finfo(raw.dtype).eps ** 2 * largest  # no singular value is known to be as small as this
    least = np.maximum(np.maximum(atol, rtol * largest), rounding)
    scale = np.where(least > 0, 1 / np.where(least > 0, least, 1), 1).astype(largest.dtype)[..., None, None]
    factor = wrap(scale)
    return apply(PINV, A * factor, atol=1.0, rtol=0.0, hermitian=hermitian) * factor


def tolerances(raw: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """The absolute and the relative size below which a singular value counts as zero: numbers, or arrays of them."""
    absolute = 0.0 if atol is None else _numbers(atol, "atol", raw)
    if rtol is not None:
        return absolute, _numbers(rtol, "rtol", raw)
    default = max(raw.shape[-2:]) * float(np.finfo(raw.dtype).eps)
    if np.ndim(absolute):
        return absolute, np.where(absolute > 0.0, 0.0, default)
    return absolute, 0.0 if absolute > 0.0 else default


def _numbers(value: Any, name: str, raw: Any) -> Any:
    """A number, or an array of one for each matrix."""
    data = np.asarray(getattr(value, "_data", value))
    must_broadcast(f"{name}, a tolerance for each matrix,", raw.shape[:-2], data.shape)
    return float(data) if data.ndim == 0 else data


def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """As :func:`torch.linalg.pinv` with the relative tolerance ``rcond``.

    >>> import wengert as torch
    >>> torch.pinverse(torch.tensor([[2.]]))
    tensor([[0.5000]])
    """
    return pinv(input, rcond)


_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")
_BY_SINGULAR_VALUES = ("gelsd", "gelss")


def lstsq(A: Any, B: Any, rcond: Any = None, *, driver: Any = None) -> Any:  # noqa: N803
    """The X of least ``||A X - B||`` (and of least norm among several), by the pseudoinverse of A.

    Gives ``solution``; ``residuals``, the squared norms of what is left, with the drivers ``"gels"``, ``"gelsd"`` and
    ``"gelss"`` where A is tall and of full rank, else empty; ``rank``; ``singular_values`` with the latter two drivers.

    Raises:
        RuntimeError: shapes, dtypes or drivers that do not fit.

    >>> import wengert as torch
    >>> torch.linalg.lstsq(torch.eye(3, 1), torch.ones(3, 1)).solution
    tensor([[1.]])
    """
    a = matrices("lstsq", A, "input")
    floats("lstsq", a)
    b = second_operand("lstsq", a, B, "other")
    if driver is not None and driver not in _DRIVERS:
        raise RuntimeError(f"torch.linalg.lstsq: parameter `driver` should be one of {_DRIVERS}, but got {driver!r}")
    is_vector = a.ndim - 1 == b.ndim and a.shape[:-1] == b.shape
    given = TENSOR.unsqueeze(B, dim=b.ndim) if is_vector else B
    if a.shape[-2] != given._data.shape[-2]:
        raise RuntimeError(
            f"torch.linalg.lstsq: input.size(-2) should match other.size({'-1' if is_vector else '-2'}): they are "
            f"{a.shape[-2]} and {given._data.shape[-2]}"
        )
    must_broadcast("torch.linalg.lstsq", a.shape[:-2], given._data.shape[:-2])
    absolute, relative = tolerances(a, None, None if rcond is None else float(rcond))
    solution = TENSOR.matmul(apply(PINV, A, atol=absolute, rtol=relative, hermitian=False), given)
    values = np.linalg.svd(whole(a), compute_uv=False)
    ranks = (values > relative * values.max(axis=-1, keepdims=True, initial=0.0)).sum(axis=-1)
    residuals = wrap(np.empty((0,), values.dtype))
    axes = a.axes if a.__class__ is Batched else ()
    fits_fully = driver == "gels" or (driver in _BY_SINGULAR_VALUES and bool((ranks == a.shape[-1]).all()))
    if a.shape[-2] > a.shape[-1] and fits_fully:
        left = TENSOR.abs(TENSOR.sub(TENSOR.matmul(A, solution), given))
        residuals = TENSOR.sum(TENSOR.mul(left, left), dim=(left._data.ndim - 2,), keepdim=False)
    known: Any = Batched(ranks, axes) if axes else np.asarray(ranks)
    rank = np.empty((0,), np.int64) if driver == "gels" else known
    sizes: Any = Batched(values, axes) if axes else values
    shown = sizes if driver in _BY_SINGULAR_VALUES else np.empty((0,), values.dtype)
    if is_vector:
        solution = TENSOR.squeeze(solution, dims=(solution._data.ndim - 1,))
    return return_types.linalg_lstsq((solution, residuals, wrap(rank), wrap(shown)))
