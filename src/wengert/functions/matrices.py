"""Products made of several operations, and operations on whole matrices: traces, powers, chains, distances."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.composites import composite
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim
from wengert.functions.linalg_checks import LinAlgError
from wengert.functions.operands import in_c, must_broadcast, not_implemented_for, raw_of_tensor, same_dtype
from wengert.functions.options import integer, type_name
from wengert.functions.products import matmul
from wengert.ops.contraction import VECDOT
from wengert.ops.matrices import CDIST, CROSS, INV, KRON, TRACE
from wengert.ops.movement import CLONE, EXPAND, PERMUTE, UNSQUEEZE, VIEW
from wengert.ops.products import MM, VDOT

__all__ = [
    "MatrixMethods",
    "cdist",
    "chain_matmul",
    "cross",
    "inverse",
    "kron",
    "matrix_power",
    "trace",
    "vander",
]

# --- sums and products of elements ---


def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix; integers are added up as int64.

    Raises:
        RuntimeError: the tensor is no matrix.
        NotImplementedError: the dtype is bool.

    >>> import wengert as torch
    >>> torch.trace(torch.tensor([[1., 2.], [3., 4.]]))
    tensor(5.)
    """
    raw = raw_of_tensor("trace", input)
    if raw.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {raw.ndim}")
    if raw.dtype.kind == "b":
        raise not_implemented_for("trace", raw.dtype)
    return apply(TRACE, input)


def kron(input: Any, other: Any, *, out: Any = None) -> Any:
    """The Kronecker product: each element of ``input`` times the whole of ``other``, as one array.

    Tensors of different numbers of dimensions get leading dimensions of size one; dtypes are promoted.

    >>> import wengert as torch
    >>> torch.kron(torch.tensor([1., 10.]), torch.tensor([1., 2.]))
    tensor([ 1.,  2., 10., 20.])
    """
    raw_of_tensor("kron", input), raw_of_tensor("kron", other, "other", 2)
    return deliver(out, apply(KRON, input, other), input, other)


def linalg_cross(input: Any, other: Any, *, dim: Any = -1, out: Any = None) -> Any:
    """The cross product of vectors of three along one dimension; the other dimensions broadcast.

    Raises:
        RuntimeError: that dimension is not three long, or the shapes or dtypes do not fit.

    >>> import wengert as torch
    >>> torch.linalg.cross(torch.tensor([1., 0., 0.]), torch.tensor([0., 1., 0.]))
    tensor([0., 0., 1.])
    """
    a, b = raw_of_tensor("cross", input), raw_of_tensor("cross", other, "other", 2)
    if a.ndim != b.ndim:
        raise RuntimeError(
            "linalg.cross: inputs must have the same number of dimensions. Got the shapes "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    along = wrap_dim(dim, a.ndim)
    if a.shape[along] != 3 or b.shape[along] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.shape[along]} and {b.shape[along]}"
        )
    must_broadcast("linalg.cross", a.shape, b.shape)
    same_dtype("expected scalar type {} but found {}", a, b)
    return deliver(out, apply(CROSS, input, other, dim=along), input, other)


def cross(input: Any, other: Any, dim: Any = None, *, out: Any = None) -> Any:
    """As :func:`torch.linalg.cross`; without ``dim``, along the first dimension of size three.

    Raises:
        RuntimeError: as ``linalg.cross``, or no dimension of size three.

    >>> import wengert as torch
    >>> torch.cross(torch.tensor([0., 1., 0.]), torch.tensor([0., 0., 1.]), dim=0)
    tensor([1., 0., 0.])
    """
    if dim is not None:
        return linalg_cross(input, other, dim=dim, out=out)
    shape = raw_of_tensor("cross", input).shape
    if 3 not in shape:
        raise RuntimeError(f"no dimension of size 3 in input: its shape is {list(shape)}")
    warnings.warn(
        "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or "
        "simply use torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a "
        "future release.",
        UserWarning,
        stacklevel=2,
    )
    return linalg_cross(input, other, dim=shape.index(3), out=out)


def vecdot(x: Any, y: Any, *, dim: Any = -1, out: Any = None) -> Any:
    """Dot products along one dimension, ``sum_i conj(x_i) y_i``; the other dimensions broadcast.

    Raises:
        RuntimeError: dtypes that differ or are not floating point, or shapes that do not broadcast.

    >>> import wengert as torch
    >>> torch.linalg.vecdot(torch.ones(2, 3), torch.ones(2, 3))
    tensor([3., 3.])
    """
    a, b = raw_of_tensor("linalg_vecdot", x, "x"), raw_of_tensor("linalg_vecdot", y, "y", 2)
    _need_floats("vecdot", a)
    if a.dtype is not b.dtype:
        raise RuntimeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{type_name(a.dtype)} and y of type {type_name(b.dtype)} instead"
        )
    must_broadcast("linalg.vecdot", a.shape, b.shape)
    if a.ndim == b.ndim == 1 and a.shape == b.shape:
        wrap_dim(dim, 1)
        return deliver(out, apply(VDOT, x, y), x, y)
    ndim = max(a.ndim, b.ndim)
    back = wrap_dim(dim, ndim) - max(ndim, 1)  # counted from the end, where shapes that broadcast agree
    x, y = (_to_end(t, back) for t in (x, y))
    length = max(x._data.shape[-1:] + y._data.shape[-1:], default=0)
    x, y = (_repeated(t, length) for t in (x, y))
    return deliver(out, apply(VECDOT, x, y), x, y)


def _to_end(t: Any, back: int) -> Any:
    """Move a dimension to the end; it is made anew where the tensor does not have it."""
    while t._data.ndim < -back:
        t = apply(UNSQUEEZE, t, dim=0)
    ndim = t._data.ndim
    if back == -1:
        return t
    return apply(PERMUTE, t, dims=(*(d for d in range(ndim) if d != ndim + back), ndim + back))


def _repeated(t: Any, length: int) -> Any:
    """Repeat a last dimension of size one."""
    shape = t._data.shape
    return apply(EXPAND, t, shape=(*shape[:-1], length)) if shape and shape[-1] == 1 != length else t


# --- matrices as a whole ---


def _need_floats(function: str, raw: Any) -> None:
    if raw.dtype.kind not in "fc":
        raise RuntimeError(
            f"linalg.{function}: Expected a floating point or complex tensor as input. Got {type_name(raw.dtype)}"
        )


def _need_square(function: str, raw: Any) -> None:
    if raw.ndim < 2:
        raise RuntimeError(f"linalg.{function}: The input tensor A must have at least 2 dimensions.")
    if raw.shape[-1] != raw.shape[-2]:
        raise RuntimeError(
            f"linalg.{function}: A must be batches of square matrices, but they are {raw.shape[-2]} by {raw.shape[-1]} "
            "matrices"
        )


def inverse(input: Any, *, out: Any = None) -> Any:
    """The inverse of a square matrix, or of each matrix of a stack.

    Raises:
        RuntimeError: not square, not floating point, or singular.

    >>> import wengert as torch
    >>> torch.inverse(torch.tensor([[2., 0.], [0., 4.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    raw = raw_of_tensor("inv", input, "A")
    _need_square("inv", raw)
    _need_floats("inv", raw)
    if raw.dtype.char == "e":
        raise RuntimeError("linalg.inv: Low precision dtypes not supported. Got Half")
    try:
        result = apply(INV, input)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "linalg.inv: the inversion could not be completed because the input matrix is singular: its rows are "
            "linearly dependent. To solve a system of equations as well as can be, use least squares"
        ) from None
    return deliver(out, result, input)


def matrix_power(input: Any, n: Any, *, out: Any = None) -> Any:
    """The ``n``-th power of a square matrix by repeated squaring; a negative one is a power of the inverse.

    Raises:
        RuntimeError: the matrix is not square.
        TypeError: ``n`` is no integer.

    >>> import wengert as torch
    >>> torch.matrix_power(torch.tensor([[1., 1.], [0., 1.]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    raw = raw_of_tensor("matrix_power", input)
    _need_square("matrix_power", raw)
    return deliver(out, _power(input, integer("matrix_power", "n", 2, n)), input)


@composite
def _power(a: Any, n: int) -> Any:
    if n < 0:
        return inverse(a) if n == -1 else _power(inverse(a), -n)
    if n == 0:
        result = apply(CLONE, a)
        raw = a._data
        unit = result.new_tensor(np.broadcast_to(np.eye(raw.shape[-1], dtype=raw.dtype), raw.shape))
        return result.copy_(unit)
    if n == 1:
        return apply(CLONE, a)
    if n == 3:
        return matmul(matmul(a, a), a)
    square, result = a, None
    while n:
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        if n:
            square = matmul(square, square)
    return result


def multi_dot(tensors: Sequence[Any], *, out: Any = None) -> Any:
    """The product of several matrices in the order that takes the fewest multiplications.

    The first and the last may be vectors (a row and a column).

    Raises:
        RuntimeError: fewer than two tensors, shapes that do not fit, or dtypes that differ.

    >>> import wengert as torch
    >>> torch.linalg.multi_dot([torch.ones(10, 2), torch.ones(2, 10), torch.ones(10, 1)]).shape
    torch.Size([10, 1])
    """
    given = list(tensors)
    if len(given) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(given)}")
    raws = [raw_of_tensor("multi_dot", t, "tensors") for t in given]
    _check_chain(raws)
    shape = (*raws[0].shape[:-1], *raws[-1].shape[1:])
    if raws[0].ndim == 1:
        given[0] = apply(UNSQUEEZE, given[0], dim=0)
    if raws[-1].ndim == 1:
        given[-1] = apply(UNSQUEEZE, given[-1], dim=1)
    return deliver(out, apply(VIEW, _in_order(given), shape=shape), *tensors)


def _check_chain(raws: list[Any]) -> None:
    last = len(raws) - 1
    for i, raw in enumerate(raws):
        allowed = (1, 2) if i in (0, last) else (2,)
        if raw.ndim not in allowed:
            wanted = "1D or 2D" if len(allowed) == 2 else "2D"
            raise RuntimeError(f"multi_dot(): tensor {i} must be {wanted} but got {raw.ndim}D")
        if raw.dtype is not raws[0].dtype:
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {in_c(raws[0].dtype)} and "
                f"tensor {i} {in_c(raw.dtype)}"
            )
    for i in range(last):
        if raws[i].shape[-1] != raws[i + 1].shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(raws[i].shape)} and "
                f"{list(raws[i + 1].shape)} cannot be multiplied"
            )


def _in_order(matrices: list[Any]) -> Any:
    """Multiply a chain in the cheapest order, found by dynamic programming over its pieces."""
    sizes = [m._data.shape[0] for m in matrices] + [matrices[-1]._data.shape[1]]
    n = len(matrices)
    cost = [[0] * n for _ in range(n)]
    cut = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = [(cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)]
            cost[i][j], cut[i][j] = min(options)

    def product(i: int, j: int) -> Any:
        if i == j:
            return matrices[i]
        k = cut[i][j]
        return apply(MM, product(i, k), product(k + 1, j))

    return product(0, n - 1)


def chain_matmul(*matrices: Any, out: Any = None) -> Any:
    """An older form of ``linalg.multi_dot`` that takes the matrices one by one.

    Raises:
        RuntimeError: an argument is no matrix, or the shapes do not fit.

    >>> import warnings
    >>> import wengert as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.chain_matmul(torch.ones(1, 2), torch.ones(2, 3), torch.ones(3, 1))
    tensor([[6.]])
    """
    warnings.warn(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
        "instead, which accepts a list of two or more tensors rather than multiple parameters.",
        UserWarning,
        stacklevel=2,
    )
    for matrix in matrices:
        ndim = raw_of_tensor("chain_matmul", matrix, "matrices").ndim
        if ndim != 2:
            raise RuntimeError(f"Tensor dimension is {ndim}, expected 2 instead.")
    return deliver(out, matrices[0], *matrices) if len(matrices) == 1 else multi_dot(matrices, out=out)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:  # noqa: N803 - PyTorch's name
    """The matrix of the powers of a vector's elements, ``N`` columns (as many as elements), the highest power first.

    Raises:
        RuntimeError: ``x`` is no vector, or ``N`` is negative.

    >>> import wengert as torch
    >>> torch.vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    raw = raw_of_tensor("vander", x, "x")
    if raw.ndim != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got the shape {list(raw.shape)}")
    count = raw.shape[0] if N is None else integer("vander", "N", 2, N)
    if count < 0:
        raise RuntimeError(f"N must be non-negative, got {count}")
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    return apply(UNSQUEEZE, x, dim=1) ** wrap(powers.copy())


# --- distances ---

_MODES: Final = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)
_FEW_ROWS: Final = 25  # PyTorch's limit: up to it the differences themselves are formed


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """The distance between each row of one matrix and each row of another, in the p-norm; stacks broadcast.

    ``y_ij = (sum_k |x1_ik - x2_jk|^p)^(1/p)``. With more than 25 rows the Euclidean distance is formed from a matrix
    product, which is faster and loses digits for rows that are close together; ``compute_mode`` chooses.

    Raises:
        RuntimeError: fewer than two dimensions, different numbers of columns, a negative ``p``, or no floats.
        ValueError: an unknown ``compute_mode``.

    >>> import wengert as torch
    >>> torch.cdist(torch.tensor([[0., 0.]]), torch.tensor([[3., 4.], [0., 1.]]))
    tensor([[5., 1.]])
    """
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode: expected one of {', '.join(_MODES)}")
    a, b = raw_of_tensor("cdist", x1, "x1"), raw_of_tensor("cdist", x2, "x2", 2)
    for name, raw in (("X1", a), ("X2", b)):
        if raw.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {raw.ndim}D")
        if raw.dtype.kind != "f":
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {type_name(raw.dtype)}")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a.shape[-1]} X2: {b.shape[-1]}")
    if p < 0:
        raise RuntimeError(f"cdist only supports non-negative p values, and this is {p}")
    same_dtype("expected scalar type {} but found {}", a, b)
    many = a.shape[-2] > _FEW_ROWS or b.shape[-2] > _FEW_ROWS
    products = p == 2 and (compute_mode == _MODES[1] or (many and compute_mode == _MODES[0]))
    return apply(CDIST, x1, x2, p=float(p), products=products)


class MatrixMethods:
    """Operations on matrices as methods of tensors."""

    __slots__ = ()

    trace = trace
    kron = kron
    cross = cross
    inverse = inverse
    matrix_power = matrix_power
