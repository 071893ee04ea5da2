"""A multiple of a tensor plus a multiple of a product: ``addmm`` and its relatives, and their in-place forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from wengert.engine.apply import apply
from wengert.engine.inplace import inplace
from wengert.engine.messages import first_mismatch
from wengert.engine.out import deliver
from wengert.functions.operands import cannot_multiply, not_implemented_for, raw_of_tensor, same_dtype
from wengert.functions.options import number
from wengert.functions.products import check_bmm, check_mv
from wengert.ops.products import ADDBMM, ADDMM, ADDMV, ADDR, BADDBMM
from wengert.ops.record import Op

__all__ = ["AddedProductMethods", "addbmm", "addmm", "addmv", "addr", "baddbmm"]

Shape = tuple[int, ...]

# --- checks ---


def _check_expands(raw: Any, shape: Shape) -> None:
    if len(raw.shape) <= len(shape) and all(
        n in (1, want) for n, want in zip(reversed(raw.shape), reversed(shape), strict=False)
    ):
        return
    _cannot_expand(raw.shape, shape)


def _cannot_expand(have: Shape, want: Shape) -> NoReturn:
    mismatch = first_mismatch(have, want) if len(have) <= len(want) else None
    if mismatch is None and len(have) <= len(want):  # a size that would have to shrink to one
        mismatch = next(
            (len(want) - back, have[-back], want[-back])
            for back in range(1, len(have) + 1)
            if have[-back] not in (1, want[-back])
        )
    if mismatch is None:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(want)}) must be greater or equal to the number of dimensions "
            f"in the tensor ({len(have)}): what is added has the shape {list(have)}, the product {list(want)}"
        )
    dim, size, wanted = mismatch
    raise RuntimeError(
        f"The expanded size of the tensor ({wanted}) must match the existing size ({size}) at non-singleton dimension "
        f"{dim}.  Target sizes: {list(want)}.  Tensor sizes: {list(have)}. What is added to the product must broadcast "
        "to its shape"
    )


def _check_addmm(x: Any, a: Any, b: Any) -> Shape:
    for position, raw in enumerate((a, b), 1):
        if raw.ndim != 2:
            raise RuntimeError(f"mat{position} must be a matrix, got {raw.ndim}-D tensor of shape {list(raw.shape)}")
    if a.shape[1] != b.shape[0]:
        cannot_multiply(a.shape, b.shape)
    same_dtype("self and mat2 must have the same dtype, but got {} and {}", x, b)
    same_dtype("mat1 and mat2 must have the same dtype, but got {} and {}", a, b)
    return (a.shape[0], b.shape[1])


def _check_addmv(x: Any, a: Any, b: Any) -> Shape:
    check_mv(a, b, x.size)
    if x.shape not in ((), (1,), a.shape[:1]):
        raise RuntimeError(
            f"size mismatch, got input ({x.size}), mat ({a.shape[0]}x{a.shape[1]}), vec ({b.size}): what is added must "
            "have as many elements as the matrix has rows"
        )
    same_dtype("addmv input tensors must have the same dtype, but got {}, {}, and {}", x, a, b)
    return a.shape[:1]  # type: ignore[no-any-return]


def _check_addr(_: Any, a: Any, b: Any) -> Shape:
    for position, raw in enumerate((a, b), 1):
        if raw.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument vec{position}, but got {raw.ndim}-D")
    return (a.size, b.size)


def _check_baddbmm(x: Any, a: Any, b: Any) -> Shape:
    check_bmm(a, b)
    same_dtype("Input dtypes must be the same, got: input {}, batch1: {}, batch2: {}", x, a, b)
    return (a.shape[0], a.shape[1], b.shape[2])


def _check_addbmm(x: Any, a: Any, b: Any) -> Shape:
    if a.ndim == b.ndim == 3 and a.shape[0] != b.shape[0]:
        raise RuntimeError(
            f"batch1 and batch2 must have same number of batches, got {a.shape[0]} and {b.shape[0]} "
            f"(the shapes are {list(a.shape)} and {list(b.shape)})"
        )
    return _check_baddbmm(x, a, b)[1:]


_CHECKS: dict[str, Callable[[Any, Any, Any], Shape]] = {
    "addmm": _check_addmm,
    "addmv": _check_addmv,
    "addr": _check_addr,
    "baddbmm": _check_baddbmm,
    "addbmm": _check_addbmm,
}


def _factor(function: str, name: str, value: Any, raw: Any) -> Any:
    """``alpha`` or ``beta`` as a number of the kind of the product."""
    value = number(function, name, 4, value)
    kind = raw.dtype.kind
    if kind == "c":
        return value
    if isinstance(value, complex):
        raise RuntimeError(
            f"value cannot be converted to type float without overflow: {name}={value} of a real product"
        )
    return int(value) if kind in "iu" else float(value) if value not in (0, 1) else int(value)


def _scales(op: Op, arguments: tuple[Any, Any, Any], beta: Any, alpha: Any) -> dict[str, Any]:
    """Check the tensors of one of these functions; give the two factors as metadata."""
    x, a, b = [
        raw_of_tensor(op.name, value, "input" if name == "self" else name, position)
        for position, (name, value) in enumerate(zip(op.args, arguments, strict=True), 1)
    ]
    _check_expands(x, _CHECKS[op.name](x, a, b))
    if a.dtype.kind == "b":
        raise not_implemented_for(f"{op.name}_impl_cpu_", a.dtype)
    return {"beta": _factor(op.name, "beta", beta, a), "alpha": _factor(op.name, "alpha", alpha, a)}


def _run(op: Op, x: Any, a: Any, b: Any, beta: Any, alpha: Any, out: Any) -> Any:
    return deliver(out, apply(op, x, a, b, **_scales(op, (x, a, b), beta, alpha)), x, a, b)


def _run_in_place(op: Op, x: Any, a: Any, b: Any, beta: Any, alpha: Any) -> Any:
    return inplace(op, x, a, b, **_scales(op, (x, a, b), beta, alpha))


# --- the functions ---


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)`` for matrices; ``input`` broadcasts, and counts nothing when beta is 0.

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.
        NotImplementedError: the dtype is bool.

    >>> import wengert as torch
    >>> torch.addmm(torch.tensor([1., 2.]), torch.ones(2, 3), torch.ones(3, 2), alpha=2)
    tensor([[7., 8.],
            [7., 8.]])
    """
    return _run(ADDMM, input, mat1, mat2, beta, alpha, out)


def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Any:
    """``beta * input + alpha * (mat @ vec)`` for a matrix and a vector; errors as :func:`addmm`.

    >>> import wengert as torch
    >>> torch.addmv(torch.tensor([1., 2.]), torch.ones(2, 3), torch.ones(3))
    tensor([4., 5.])
    """
    return _run(ADDMV, input, mat, vec, beta, alpha, out)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Any:
    """``beta * input + alpha * outer(vec1, vec2)``; errors as :func:`addmm`.

    >>> import wengert as torch
    >>> torch.addr(torch.zeros(2, 2), torch.tensor([1., 2.]), torch.tensor([1., 10.]))
    tensor([[ 1., 10.],
            [ 2., 20.]])
    """
    return _run(ADDR, input, vec1, vec2, beta, alpha, out)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Any:
    """``beta * input + alpha * bmm(batch1, batch2)``; errors as :func:`addmm`.

    >>> import wengert as torch
    >>> torch.baddbmm(torch.zeros(4), torch.ones(5, 2, 3), torch.ones(5, 3, 4)).shape
    torch.Size([5, 2, 4])
    """
    return _run(BADDBMM, input, batch1, batch2, beta, alpha, out)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Any:
    """``beta * input + alpha * sum_n batch1[n] @ batch2[n]``; errors as :func:`addmm`.

    >>> import wengert as torch
    >>> torch.addbmm(torch.zeros(1), torch.ones(5, 1, 3), torch.ones(5, 3, 1))
    tensor([[15.]])
    """
    return _run(ADDBMM, input, batch1, batch2, beta, alpha, out)


def addmm_(self: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """In-place :func:`addmm`."""
    return _run_in_place(ADDMM, self, mat1, mat2, beta, alpha)


def addmv_(self: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """In-place :func:`addmv`."""
    return _run_in_place(ADDMV, self, mat, vec, beta, alpha)


def addr_(self: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """In-place :func:`addr`."""
    return _run_in_place(ADDR, self, vec1, vec2, beta, alpha)


def baddbmm_(self: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """In-place :func:`baddbmm`."""
    return _run_in_place(BADDBMM, self, batch1, batch2, beta, alpha)


def addbmm_(self: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """In-place :func:`addbmm`."""
    return _run_in_place(ADDBMM, self, batch1, batch2, beta, alpha)


class AddedProductMethods:
    """Products with an added term as methods of tensors."""

    __slots__ = ()

    addmm = addmm
    addmv = addmv
    addr = addr
    baddbmm = baddbmm
    addbmm = addbmm
    addmm_ = addmm_
    addmv_ = addmv_
    addr_ = addr_
    baddbmm_ = baddbmm_
    addbmm_ = addbmm_
