"""Systems of equations and determinants, as ``torch.linalg`` has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import _return_types as return_types
from wengert._batched import whole
from wengert._traced import Traced
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.out import deliver
from wengert.functions.linalg_checks import LinAlgError, matrices, second_operand, square_matrices
from wengert.functions.matrices import inverse
from wengert.functions.operands import must_broadcast
from wengert.ops.factorizations import LU_FACTOR
from wengert.ops.solving import DET, SLOGDET, SOLVE
from wengert.ops.triangles import SOLVE_TRIANGULAR
from wengert.spaces.tensors import TENSOR

__all__ = [
    "det",
    "inv_ex",
    "logdet",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "tensorinv",
    "tensorsolve",
]

_SINGULAR = (
    "linalg.solve: The solver failed because the input matrix is singular: its rows are linearly dependent. "
    "linalg.lstsq gives the best approximation"
)


def turned(a: Any) -> Any:
    """Exchange the last two axes."""
    return TENSOR.transpose(a, dim0=a._data.ndim - 2, dim1=a._data.ndim - 1)


def solve(A: Any, B: Any, *, left: bool = True, out: Any = None) -> Any:  # noqa: N803  # PyTorch's names
    """The solution X of ``A X = B`` (of ``X A = B`` if not ``left``) for square matrices A that are invertible.

    ``B`` holds matrices ``[*, n, k]``, or vectors: a single one, or as many as ``A`` has matrices.

    Raises:
        RuntimeError: not square_matrices, not floating point, shapes or dtypes that do not fit.
        torch.linalg.LinAlgError: a singular matrix.

    >>> import wengert as torch
    >>> torch.linalg.solve(torch.tensor([[2., 0.], [0., 4.]]), torch.tensor([2., 2.]))
    tensor([1.0000, 0.5000])
    """
    a = square_matrices("solve", A)
    b = second_operand("solve", a, B)
    is_vector = _is_vector(a, b)
    rows = b.shape[-1] if is_vector or not left else b.shape[-2]
    if rows != a.shape[-1] or (is_vector and not left):
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({list(a.shape)} and {list(b.shape)})"
        )
    must_broadcast("linalg.solve", a.shape[:-2], b.shape[:-1] if is_vector else b.shape[:-2])
    if is_vector:
        x = TENSOR.squeeze(_solved(A, TENSOR.unsqueeze(B, dim=b.ndim)), dims=(max(a.ndim, b.ndim + 1) - 1,))
    elif left:
        x = _solved(A, B)
    else:
        x = turned(_solved(turned(A), turned(B)))
    return deliver(out, x, A, B)


def _solved(A: Any, B: Any) -> Any:  # noqa: N803
    x = apply(SOLVE, A, B)
    if isinstance(whole(x._data), Traced):
        return x
    if np.isnan(whole(x._data)).any() and all([np.isfinite(whole(t._data)).all() for t in (A, B)]):
        raise LinAlgError(_SINGULAR)
    return x


def _is_vector(a: Any, b: Any) -> bool:
    return bool(b.ndim == 1 or (a.ndim - 1 == b.ndim and b.shape == a.shape[:-1]))


def solve_ex(
    A: Any,  # noqa: N803
    B: Any,  # noqa: N803
    *,
    left: bool = True,
    check_errors: bool = False,
    out: Any = None,
) -> Any:
    """As :func:`solve`, with ``info``: 0, or for a singular matrix, whose solution is NaN, the place of a zero pivot.

    Raises:
        torch.linalg.LinAlgError: a singular matrix, if ``check_errors``.

    >>> import wengert as torch
    >>> torch.linalg.solve_ex(torch.eye(2), torch.ones(2)).result
    tensor([1., 1.])
    """
    found = _with_info(A, lambda a: solve(a, B, left=left), check_errors, vector=B._data.ndim < A._data.ndim)
    return _delivered(out, return_types.linalg_solve_ex(found), A, B)


def inv_ex(
    A: Any,  # noqa: N803
    *,
    check_errors: bool = False,
    out: Any = None,
) -> Any:
    """As :func:`inv`, with ``info``: 0, or for a singular matrix, whose inverse is NaN, the place of a zero pivot.

    Raises:
        torch.linalg.LinAlgError: a singular matrix, if ``check_errors``.

    >>> import wengert as torch
    >>> torch.linalg.inv_ex(torch.eye(1)).inverse
    tensor([[1.]])
    """
    return _delivered(out, return_types.linalg_inv_ex(_with_info(A, inverse, check_errors)), A)


def _with_info(A: Any, solved: Callable[[Any], Any], check_errors: bool, vector: bool = False) -> tuple[Any, Any]:  # noqa: N803
    raw = matrices("solve_ex", A)
    try:
        return solved(A), wrap(np.zeros(raw.shape[:-2], np.int32))
    except LinAlgError:
        if check_errors:
            raise
    zero = np.diagonal(LU_FACTOR.impl(raw)[0], axis1=-2, axis2=-1) == 0
    places = np.where(zero.any(axis=-1), zero.argmax(axis=-1) + 1, 0).astype(np.int32)
    return where_regular(A, places, solved, vector=vector), wrap(places)


def where_regular(A: Any, info: Any, solved: Callable[[Any], Any], *, vector: bool = False) -> Any:  # noqa: N803
    """What ``solved`` gives for the matrices whose ``info`` is 0; NaN for the others, which it is not given."""
    raw = A._data
    other = wrap(np.asarray(info > 0)[..., None, None])
    found = solved(TENSOR.where(other, wrap(np.eye(raw.shape[-1], dtype=raw.dtype)), A))
    shown = wrap(np.asarray(info > 0)[..., None]) if vector else other
    return TENSOR.where(shown, wrap(np.asarray(np.nan, raw.dtype)), found)


def _delivered(out: Any, result: Any, *inputs: Any) -> Any:
    return result if out is None else type(result)([deliver(o, r, *inputs) for o, r in zip(out, result, strict=True)])


def solve_triangular(
    A: Any,  # noqa: N803
    B: Any,  # noqa: N803
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
    out: Any = None,
) -> Any:
    """The solution X of ``A X = B`` (of ``X A = B`` if not ``left``) for triangular matrices A; one triangle is read.

    A zero on the diagonal gives infinities; with ``unitriangular`` the diagonal counts as ones.

    Raises:
        RuntimeError: not square_matrices, not floating point, shapes or dtypes that do not fit.

    >>> import wengert as torch
    >>> torch.linalg.solve_triangular(torch.tensor([[2., 2.], [0., 1.]]), torch.tensor([[4.], [1.]]), upper=True)
    tensor([[1.],
            [1.]])
    """
    a = square_matrices("solve_triangular", A)
    b = matrices("solve_triangular", B, "B")
    second_operand("solve_triangular", a, B)
    if b.shape[-2 if left else -1] != a.shape[-1]:
        raise RuntimeError(
            "linalg.solve_triangular: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({list(a.shape[-2:])} and {list(b.shape[-2:])})"
        )
    must_broadcast("linalg.solve_triangular", a.shape[:-2], b.shape[:-2])
    if left:
        x = apply(SOLVE_TRIANGULAR, A, B, upper=bool(upper), unitriangular=bool(unitriangular))
    else:
        x = turned(apply(SOLVE_TRIANGULAR, turned(A), turned(B), upper=not upper, unitriangular=bool(unitriangular)))
    return deliver(out, x, A, B)


# --- tensors as matrices ---


def tensorsolve(A: Any, B: Any, dims: Any = None, *, out: Any = None) -> Any:  # noqa: N803
    """The X of ``tensordot(A, X, X.ndim) = B``; ``dims`` of A are moved to its end first.

    Raises:
        RuntimeError: the dimensions of A do not multiply to a square.

    >>> import wengert as torch
    >>> torch.linalg.tensorsolve(2 * torch.eye(4).reshape(2, 2, 2, 2), torch.ones(2, 2))
    tensor([[0.5000, 0.5000],
            [0.5000, 0.5000]])
    """
    a, b = A._data, second_operand("tensorsolve", A._data, B)
    if dims is not None:
        moved = [dim % a.ndim for dim in dims]
        A = TENSOR.permute(A, dims=(*[dim for dim in range(a.ndim) if dim not in moved], *moved))  # noqa: N806
    result = A._data.shape[b.ndim :]
    count = int(np.prod(result))
    if count != b.size:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {count} != {b.size}"
        )
    x = _solved(TENSOR.reshape(A, shape=(count, count)), TENSOR.reshape(B, shape=(count, 1)))
    return deliver(out, TENSOR.reshape(x, shape=result), A, B)


def tensorinv(A: Any, ind: int = 2, *, out: Any = None) -> Any:  # noqa: N803
    """The inverse of A as a map from its last dimensions to its first ``ind``.

    Raises:
        RuntimeError: ``ind`` is not positive, or the dimensions do not multiply to a square.

    >>> import wengert as torch
    >>> torch.linalg.tensorinv(2 * torch.eye(4).reshape(2, 2, 4)).shape
    torch.Size([4, 2, 2])
    """
    shape = A._data.shape
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    rows, columns = int(np.prod(shape[:ind])), int(np.prod(shape[ind:]))
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}"
        )
    x = inverse(TENSOR.reshape(A, shape=(rows, columns)))
    return deliver(out, TENSOR.reshape(x, shape=(*shape[ind:], *shape[:ind])), A)


# --- determinants ---


def det(A: Any, *, out: Any = None) -> Any:  # noqa: N803
    """The determinant of square matrices.

    Raises:
        RuntimeError: not square or not floating point.

    >>> import wengert as torch
    >>> torch.linalg.det(torch.tensor([[2., 1.], [0., 3.]]))
    tensor(6.)
    """
    square_matrices("det", A)
    return deliver(out, apply(DET, A), A)


def slogdet(A: Any, *, out: Any = None) -> Any:  # noqa: N803
    """The sign of the determinant (a number of size one if complex, 0 if singular) and the logarithm of its size.

    Raises:
        RuntimeError: not square or not floating point.

    >>> import wengert as torch
    >>> torch.linalg.slogdet(torch.tensor([[1., 0.], [0., -1.]])).sign
    tensor(-1.)
    """
    square_matrices("slogdet", A)
    return _delivered(out, return_types.linalg_slogdet(apply(SLOGDET, A)), A)


def logdet(input: Any) -> Any:
    """The logarithm of the determinant; NaN where that is negative.

    Raises:
        RuntimeError: not square or not floating point.

    >>> import wengert as torch
    >>> torch.logdet(torch.eye(2))
    tensor(0.)
    """
    raw = square_matrices("logdet", input, said="")
    sign, log = apply(SLOGDET, input)
    if raw.dtype.kind == "c":
        return TENSOR.add(log, TENSOR.log(sign))
    return TENSOR.where(TENSOR.eq(sign, -1.0), float("nan"), log)
