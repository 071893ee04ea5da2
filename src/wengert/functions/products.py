"""Products of vectors, matrices and stacks of matrices: ``matmul`` and its relatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wengert.engine.base import TensorBase
from wengert.engine.composites import composite
from wengert.engine.messages import first_mismatch
from wengert.engine.out import deliver
from wengert.engine.pointwise import binary
from wengert.functions.operands import (
    cannot_multiply,
    in_c,
    not_implemented_for,
    raw_of_tensor,
    same_dtype,
    shown,
)
from wengert.ops.products import BMM, DOT, MATMUL, MM, MV, OUTER, VDOT, VM

__all__ = ["ProductMethods", "bmm", "dot", "ger", "matmul", "mm", "mv", "outer", "vdot"]

Product = Callable[..., Any]

# The short path for two tensors of one float type serves any operation on two inputs, not only elementwise ones.
_MM: Final = binary(MM)
_MV: Final = binary(MV)
_VM: Final = binary(VM)
_DOT: Final = binary(DOT)
_VDOT: Final = binary(VDOT)
_BMM: Final = binary(BMM)
_MATMUL: Final = binary(MATMUL)
_OUTER: Final = binary(OUTER)

# --- checks ---


def check_mm(a: Any, b: Any, shape: tuple[int, ...] | None = None) -> None:
    """Raise unless two raw matrices can be multiplied, the first one taken as having ``shape``."""
    if a.shape[-1] != b.shape[0]:
        cannot_multiply(shape or a.shape, b.shape)
    if a.dtype is not b.dtype:
        same_dtype(f"expected m1 and m2 to have the same dtype, but got: {in_c(a.dtype)} != {in_c(b.dtype)}", a, b)
    if a.dtype.kind == "b":
        raise not_implemented_for("addmm_impl_cpu_", a.dtype)


def check_mv(a: Any, b: Any, rows: int | None = None) -> None:
    """Raise unless a raw matrix and a raw vector can be multiplied; ``rows`` is what its error says of their number."""
    if a.ndim != 2 or b.ndim != 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got 1, {a.ndim}, {b.ndim}: the first factor must have two dimensions "
            f"and the second one, and these have the shapes {list(a.shape)} and {list(b.shape)}. matmul (the operator "
            "@) takes any number of dimensions"
        )
    _check_rows(a, b, a.shape, rows)


def _check_rows(a: Any, b: Any, shape: tuple[int, ...], rows: int | None = None) -> None:
    """Raise unless each row of a raw value, as a matrix of ``shape``, can be multiplied by a raw vector."""
    if a.shape[-1] != b.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({shape[0] if rows is None else rows}), mat ({shown(shape)}), vec "
            f"({b.shape[0]}): the matrix's columns must be as many as the vector's elements"
        )
    if a.dtype is not b.dtype:
        same_dtype("addmv input tensors must have the same dtype, but got {1}, {0}, and {1}", a, b)
    if a.dtype.kind == "b":
        raise not_implemented_for("addmv_impl_cpu", a.dtype)


def check_dot(a: Any, b: Any) -> None:
    """Raise unless two raw vectors have a dot product."""
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(
            f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors: dot takes two vectors; for matrices there "
            "is matmul (the operator @), for a sum over all elements (a * b).sum()"
        )
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the same number of "
            f"elements, but got {a.size} and {b.size} elements respectively"
        )
    if a.dtype is not b.dtype:
        same_dtype("dot : expected both vectors to have same dtype, but found {} and {}", a, b)
    if a.dtype.kind == "b":
        raise not_implemented_for("dot", a.dtype)


def check_bmm(a: Any, b: Any) -> None:
    """Raise unless the matrices of two raw stacks can be multiplied pair by pair."""
    for position, raw in enumerate((a, b), 1):
        if raw.ndim != 3:
            raise RuntimeError(
                f"batch{position} must be a 3D tensor, and it has the shape {list(raw.shape)}; matmul (the operator @) "
                "broadcasts other numbers of dimensions"
            )
    _check_stacks(a, b, a.shape)


def _check_stacks(a: Any, b: Any, shape: tuple[int, ...]) -> None:
    """Raise unless the last two axes of two stacks fit, the first of ``shape``, and their leading axes broadcast."""
    leading = first_mismatch(shape[:-2], b.shape[:-2])
    both = len(shape) == b.ndim == 3
    if leading is not None and not both:
        dim, size_a, size_b = leading
        raise RuntimeError(
            f"The size of tensor a ({size_a}) must match the size of tensor b ({size_b}) at non-singleton dimension "
            f"{dim}: the leading dimensions of {list(shape)} and {list(b.shape)} must broadcast"
        )
    if leading is not None or shape[-1] != b.shape[-2]:
        batch = shape[0] if both else max(shape[:-2], b.shape[:-2], key=len)
        batch = batch if isinstance(batch, int) else (batch[0] if len(batch) == 1 else "...")
        got = b.shape[0] if b.ndim == 3 else batch
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {shape[-1]}] but got: "
            f"[{got}, {b.shape[-2]}]. The shapes are {list(shape)} and {list(b.shape)}"
        )
    if a.dtype is not b.dtype:
        same_dtype("expected scalar type {} but found {}", a, b)
    if a.dtype.kind == "b":
        raise not_implemented_for("bmm", a.dtype)


def _check_matmul(a: Any, b: Any) -> Product:
    """Check a product in which one factor at least is no vector and no matrix; give its function."""
    if not a.ndim or not b.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D; "
            "multiply by a single number with *"
        )
    if b.ndim <= 2:
        rows = a.size // a.shape[-1] if a.shape[-1] else 0
        (_check_rows if b.ndim == 1 else check_mm)(a, b, (rows, a.shape[-1]))
    else:
        _check_stacks(a, b, a.shape if a.ndim > 1 else (1, *a.shape))
    return _MATMUL


def _product_of(a: Any, b: Any) -> Product:
    if a.ndim == 2:
        if b.ndim == 2:
            check_mm(a, b)
            return _MM
        if b.ndim == 1:
            check_mv(a, b)
            return _MV
    elif a.ndim == 1:
        if b.ndim == 1:
            check_dot(a, b)
            return _DOT
        if b.ndim == 2:
            check_mm(a, b, (1, *a.shape))
            return _VM
    return _check_matmul(a, b)


# --- the functions ---


def matmul(input: Any, other: Any, *, out: Any = None) -> Any:
    """The matrix product ``input @ other`` over the last two dimensions; leading dimensions broadcast.

    ``y[..., i, j] = sum_k input[..., i, k] other[..., k, j]``. A vector counts as a row on the left, as a column on the
    right, and that dimension is left out of the result. Two vectors give their dot product.

    Raises:
        TypeError: an argument is not a tensor.
        RuntimeError: the shapes do not fit, the dtypes differ, or an argument has no dimension.
        NotImplementedError: the dtype is bool.

    >>> import wengert as torch
    >>> torch.matmul(torch.tensor([[1., 2.], [3., 4.]]), torch.tensor([1., 1.]))
    tensor([3., 7.])
    """
    a, b = raw_of_tensor("matmul", input), raw_of_tensor("matmul", other, "other", 2)
    result = _product_of(a, b)(input, other, depth=2)
    return result if out is None else deliver(out, result, input, other)


def mm(input: Any, mat2: Any, *, out: Any = None) -> Any:
    """The product of two matrices, ``y_ij = sum_k input_ik mat2_kj``; nothing broadcasts.

    Raises:
        RuntimeError: an argument is no matrix, the shapes do not fit, or the dtypes differ.
        NotImplementedError: the dtype is bool.

    >>> import wengert as torch
    >>> torch.mm(torch.ones(2, 3), torch.ones(3, 2))
    tensor([[3., 3.],
            [3., 3.]])
    """
    a, b = raw_of_tensor("mm", input), raw_of_tensor("mm", mat2, "mat2", 2)
    for name, raw in (("self", a), ("mat2", b)):
        if raw.ndim != 2:
            raise RuntimeError(
                f"{name} must be a matrix, and it has the shape {list(raw.shape)}; matmul (the operator @) takes any "
                "number of dimensions"
            )
    check_mm(a, b)
    return _MM(input, mat2, out=out, depth=2)


def mv(input: Any, vec: Any, *, out: Any = None) -> Any:
    """The product of a matrix and a vector, ``y_i = sum_k input_ik vec_k``.

    Raises:
        RuntimeError: wrong numbers of dimensions, sizes that do not fit, or dtypes that differ.
        NotImplementedError: the dtype is bool.

    >>> import wengert as torch
    >>> torch.mv(torch.tensor([[1., 2.], [3., 4.]]), torch.tensor([1., 0.]))
    tensor([1., 3.])
    """
    check_mv(raw_of_tensor("mv", input), raw_of_tensor("mv", vec, "vec", 2))
    return _MV(input, vec, out=out, depth=2)


def bmm(input: Any, mat2: Any, *, out: Any = None) -> Any:
    """The products of the matrices of two stacks, pair by pair, ``y_nij = sum_k input_nik mat2_nkj``.

    Raises:
        RuntimeError: an argument is not 3-d, the shapes do not fit, or the dtypes differ.
        NotImplementedError: the dtype is bool.

    >>> import wengert as torch
    >>> torch.bmm(torch.ones(5, 2, 3), torch.ones(5, 3, 4)).shape
    torch.Size([5, 2, 4])
    """
    check_bmm(raw_of_tensor("bmm", input), raw_of_tensor("bmm", mat2, "mat2", 2))
    return _BMM(input, mat2, out=out, depth=2)


def dot(input: Any, tensor: Any, *, out: Any = None) -> Any:
    """The sum of the products of the elements of two vectors; complex vectors are not conjugated.

    Raises:
        RuntimeError: an argument is no vector, the lengths differ, or the dtypes do.
        NotImplementedError: the dtype is bool.

    >>> import wengert as torch
    >>> torch.dot(torch.tensor([2., 3.]), torch.tensor([2., 1.]))
    tensor(7.)
    """
    check_dot(raw_of_tensor("dot", input), raw_of_tensor("dot", tensor, "tensor", 2))
    return _DOT(input, tensor, out=out, depth=2)


def vdot(input: Any, other: Any, *, out: Any = None) -> Any:
    """As :func:`dot`, with the first vector conjugated.

    Raises:
        RuntimeError: an argument is no vector, the lengths differ, or the dtypes do.

    >>> import wengert as torch
    >>> torch.vdot(torch.tensor([1j, 2.]), torch.tensor([1j, 1.]))
    tensor(3.+0.j)
    """
    check_dot(raw_of_tensor("vdot", input), raw_of_tensor("vdot", other, "other", 2))
    return _VDOT(input, other, out=out, depth=2)


def outer(input: Any, vec2: Any, *, out: Any = None) -> Any:
    """Each element of one vector times each of the other, ``y_ij = input_i vec2_j``; dtypes are promoted.

    Raises:
        RuntimeError: an argument is no vector.

    >>> import wengert as torch
    >>> torch.outer(torch.tensor([1., 2.]), torch.tensor([3., 4.]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    arguments = (("self", raw_of_tensor("outer", input)), ("vec2", raw_of_tensor("outer", vec2, "vec2", 2)))
    for name, raw in arguments:
        if raw.ndim != 1:
            raise RuntimeError(
                f"outer: Expected 1-D argument {name}, but got {raw.ndim}-D. For other shapes write the product with "
                "new dimensions: a[..., :, None] * b[..., None, :]"
            )
    return _OUTER(input, vec2, out=out, depth=2)


def ger(input: Any, vec2: Any, *, out: Any = None) -> Any:
    """An older name of :func:`outer`.

    >>> import wengert as torch
    >>> torch.ger(torch.tensor([1., 2.]), torch.tensor([3., 4.]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    return outer(input, vec2, out=out)


def _at(self: Any, other: Any) -> Any:
    if not isinstance(other, TensorBase):
        return NotImplemented
    return _product_of(self._data, other._data)(self, other, depth=2)


@composite
def _reflected_at(self: Any, other: Any) -> Any:
    return matmul(other, self) if isinstance(other, TensorBase) else NotImplemented


class ProductMethods:
    """Products as methods of tensors."""

    __slots__ = ()

    matmul = matmul
    mm = mm
    mv = mv
    bmm = bmm
    dot = dot
    vdot = vdot
    outer = outer
    ger = ger
    __matmul__ = _at
    __rmatmul__ = _reflected_at
