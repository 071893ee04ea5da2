"""Products of vectors, matrices and stacks of matrices, by machine code where it is made, or by NumPy's BLAS.

Rules hand transposed views to the products: BLAS reads them in place. A stack of matrices times one matrix is done as
one product of matrices, forward and backward, because one large call is faster than many small ones.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from wengert.ops.machine import MACHINE, Kernel
from wengert.ops.record import Kind, Promote, Rule, defop
from wengert.spaces.batching import contract

Shape = tuple[int, ...]

# --- on raw arrays ---

_MANY: Final = 512  # multiplications from which machine code is asked for
_BLOCK: Final = 1 << 12  # ... up to which it is quicker for products of few columns, too
_NAMES: Final = {2: "product 2", 3: "product 3", 4: "product 4"}


def _kernel(a: Any, b: Any) -> Kernel | None:
    """Machine code for two matrices or stacks of them; NumPy's own is quicker for vectors and for tall, narrow results.

    It leaves to NumPy whatever does not fit, other shapes and dtypes too.
    """
    (m, k), n = a.shape[-2:], b.shape[-1]
    if a.size * n < _MANY or m < 2 or (n < 8 and m * k * n > _BLOCK):
        return None
    name = _NAMES.get(a.ndim)
    return None if name is None else MACHINE.kernel(name, a.dtype.char)


def dot(a: Any, b: Any) -> Any:
    """Multiply what has one or two axes; float16 is added up in float32, as everywhere."""
    if a.ndim == b.ndim == 2:
        kernel = _kernel(a, b)
        if kernel is not None:
            return kernel(a, b)
    if a.dtype.char == "e":
        return np.dot(a.astype(np.float32), b.astype(np.float32)).astype(np.float16)
    y = np.dot(a, b)
    if a.size == 1 == b.size:
        return y + y.dtype.type(0)  # a sum starts from plus zero: of -0.0 alone NumPy makes -0.0
    return y


def stacked(a: Any, b: Any) -> Any:
    """Multiply stacks of matrices, whose leading axes broadcast."""
    if a.ndim == b.ndim:
        kernel = _kernel(a, b)
        if kernel is not None:
            return kernel(a, b)
    if a.dtype.char == "e":
        return np.matmul(a.astype(np.float32), b.astype(np.float32), order="C").astype(np.float16)
    return np.matmul(a, b, order="C")  # NumPy would follow the order of the operands' memory


def many_rows(a: Any, b: Any) -> Any:
    """Multiply all matrices of a stack by one: as one product, because one large call is faster than many."""
    return dot(a.reshape(prod(a.shape[:-1]), a.shape[-1]), b).reshape((*a.shape[:-1], b.shape[1]))


def _matmul(a: Any, b: Any) -> Any:
    if b.ndim <= 2:
        rows = dot(a.reshape(prod(a.shape[:-1]), a.shape[-1]) if a.ndim > 2 else a, b)
        return rows.reshape((*a.shape[:-1], *b.shape[1:])) if a.ndim > 2 else rows
    return stacked(a, b)


# --- helpers of rules ---


def adjoint(xp: Any, a: Any) -> Any:
    """Exchange the last two axes and conjugate."""
    return xp.conj(xp.transpose(a, dim0=a.ndim - 2, dim1=a.ndim - 1))


def as_matrix(xp: Any, a: Any) -> Any:
    """Put all axes but the last into one."""
    return xp.reshape(a, shape=(prod(a.shape[:-1]), a.shape[-1])) if a.ndim != 2 else a


def _column(xp: Any, a: Any) -> Any:
    return xp.unsqueeze(a, dim=a.ndim)


def _row(xp: Any, a: Any) -> Any:
    return xp.unsqueeze(a, dim=a.ndim - 1)


# --- one node each in PyTorch too ---


MM = defop(
    "mm",
    dot,
    Kind.PRODUCT,
    batch="ij,jk->ik",
    vjp=(
        lambda xp, g, y, a, b: xp.mm(g, adjoint(xp, b)),
        lambda xp, g, y, a, b: xp.mm(adjoint(xp, a), g),
    ),
    args=("self", "mat2"),
    linear=(0, 1),
    formula="sum_k a_ik b_kj",
    doc="Product of two matrices.",
)
MV = defop(
    "mv",
    dot,
    Kind.PRODUCT,
    batch="ij,j->i",
    vjp=(
        lambda xp, g, y, a, b: xp.outer(g, xp.conj(b)),
        lambda xp, g, y, a, b: xp.mv(adjoint(xp, a), g),
    ),
    args=("self", "vec"),
    linear=(0, 1),
    formula="sum_k a_ik b_k",
    doc="Product of a matrix and a vector.",
)
VM = defop(
    "vm",
    dot,
    Kind.PRODUCT,
    batch="i,ij->j",
    vjp=(
        lambda xp, g, y, a, b: xp.mv(xp.conj(b), g),
        lambda xp, g, y, a, b: xp.outer(xp.conj(a), g),
    ),
    args=("self", "mat2"),
    node="SqueezeBackward4",
    linear=(0, 1),
    formula="sum_k a_k b_kj",
    doc="Product of a row vector and a matrix.",
)
DOT = defop(
    "dot",
    dot,
    Kind.PRODUCT,
    batch="i,i->",
    vjp=(
        lambda xp, g, y, a, b: g * xp.conj(b),
        lambda xp, g, y, a, b: g * xp.conj(a),
    ),
    args=("self", "tensor"),
    linear=(0, 1),
    formula="sum_i a_i b_i",
    doc="Sum of the products of the elements of two vectors.",
)
VDOT = defop(
    "vdot",
    lambda a, b: dot(a.conj(), b) if a.dtype.kind == "c" else dot(a, b),
    Kind.PRODUCT,
    batch=lambda xp, a, b: xp.dot(xp.conj(a), b),
    vjp=(
        lambda xp, g, y, a, b: xp.conj(g) * b,
        lambda xp, g, y, a, b: g * a,
    ),
    args=("self", "other"),
    linear=(0, 1),
    formula="sum_i conj(a_i) b_i",
    doc="As dot, with the first vector conjugated.",
)
BMM = defop(
    "bmm",
    stacked,
    Kind.PRODUCT,
    batch="nij,njk->nik",
    vjp=(
        lambda xp, g, y, a, b: xp.bmm(g, adjoint(xp, b)),
        lambda xp, g, y, a, b: xp.bmm(adjoint(xp, a), g),
    ),
    args=("self", "mat2"),
    linear=(0, 1),
    formula="sum_k a_nik b_nkj",
    doc="Products of the matrices of two stacks, pair by pair.",
)
OUTER = defop(
    "outer",
    lambda a, b: a[:, None] * b,
    Kind.PRODUCT,
    batch="i,j->ij",
    vjp=(
        lambda xp, g, y, a, b: xp.mv(g, xp.conj(b)),
        lambda xp, g, y, a, b: xp.vm(xp.conj(a), g),
    ),
    args=("self", "other"),
    promote=Promote.COMMON,
    node="MulBackward0",
    linear=(0, 1),
    formula="a_i b_j",
    doc="Each element of one vector times each of the other.",
)

# --- stacks of matrices ---


def _matmul_vjp_a(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return _column(xp, g) * xp.conj(b)
    if a.ndim == 1:
        return xp.squeeze(xp.matmul(xp.conj(b), _column(xp, g)), dims=(b.ndim - 1,))
    return xp.matmul(g, adjoint(xp, b))


def _matmul_vjp_b(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return _column(xp, xp.conj(a)) * _row(xp, g)
    if b.ndim == 1:
        return xp.mv(adjoint(xp, as_matrix(xp, a)), xp.reshape(g, shape=(prod(g.shape),)))
    if b.ndim == 2:
        return xp.mm(adjoint(xp, as_matrix(xp, a)), as_matrix(xp, g))
    return xp.matmul(adjoint(xp, a), g)


def _matmul_batch(xp: Any, a: Any, b: Any) -> Any:
    left, right = ("i" if a.ndim > 1 else ""), ("j" if b.ndim > 1 else "")
    return contract(f"...{left}k,...k{right}->...{left}{right}", a, b)


MATMUL = defop(
    "matmul",
    _matmul,
    Kind.PRODUCT,
    batch=_matmul_batch,
    vjp=(_matmul_vjp_a, _matmul_vjp_b),
    args=("self", "other"),
    node="UnsafeViewBackward0",
    linear=(0, 1),
    formula="sum_k a_ik b_kj",
    doc="Matrix product over the last two axes; leading axes broadcast.",
)

# --- a layer: x W^T + b ---


def _linear(x: Any, w: Any, *, rank: int) -> Any:
    return dot(x, w.T) if rank <= 2 else many_rows(x, w.T)


def _linear_bias(x: Any, w: Any, b: Any, *, rank: int) -> Any:
    y = _linear(x, w, rank=rank)
    y += b
    return y


def _linear_vjp_x(xp: Any, g: Any, w: Any) -> Any:
    return xp.matmul(g, xp.conj(w))


def _linear_vjp_w(xp: Any, g: Any, x: Any) -> Any:
    if x.ndim == 1:
        return xp.outer(g, xp.conj(x))
    return xp.mm(xp.transpose(as_matrix(xp, g), dim0=0, dim1=1), xp.conj(as_matrix(xp, x)))


def _linear_bias_jvp(xp: Any, ts: Any, y: Any, x: Any, w: Any, b: Any, *, rank: int) -> Any:
    parts = [] if ts[2] is None else [xp.expand(ts[2], shape=y.shape)]
    if ts[0] is not None:
        parts.append(xp.linear(ts[0], w, rank=rank))
    if ts[1] is not None:
        parts.append(xp.linear(x, ts[1], rank=rank))
    return sum(parts[1:], parts[0])


LINEAR = defop(
    "linear",
    _linear,
    Kind.PRODUCT,
    batch="...i,oi->...o",
    vjp=(
        lambda xp, g, y, x, w, *, rank: _linear_vjp_x(xp, g, w),
        lambda xp, g, y, x, w, *, rank: _linear_vjp_w(xp, g, x),
    ),
    args=("input", "weight"),
    node=lambda meta: ("SqueezeBackward4", "MmBackward0", "UnsafeViewBackward0")[min(meta["rank"], 3) - 1],
    linear=(0, 1),
    formula="x W^T",
    doc="Rows of the input times a transposed weight matrix; `rank` is the input's number of axes.",
)
LINEAR_BIAS = defop(
    "linear_bias",
    _linear_bias,
    Kind.PRODUCT,
    batch=lambda xp, x, w, b, *, rank: xp.linear(x, w, rank=rank) + b,
    vjp=(
        lambda xp, g, y, x, w, b, *, rank: _linear_vjp_x(xp, g, w),
        lambda xp, g, y, x, w, b, *, rank: _linear_vjp_w(xp, g, x),
        lambda xp, g, y, x, w, b, *, rank: g,
    ),
    args=("input", "weight", "bias"),
    node=lambda meta: "AddmmBackward0" if meta["rank"] == 2 else "ViewBackward0",
    jvp=_linear_bias_jvp,
    formula="x W^T + b",
    doc="As linear, plus a bias.",
)

# --- beta * input + alpha * product ---


def _combine(product: Any, x: Any, beta: complex, alpha: complex) -> Any:
    if alpha != 1:
        product *= alpha
    if beta != 0:  # a zero beta ignores even NaN
        product += x if beta == 1 else x * beta
    return product


def scaled(g: Any, factor: complex) -> Any:
    """Multiply a cotangent by the conjugate of a Python number."""
    return g if factor == 1 else g * factor.conjugate()


def _affine(
    name: str,
    product: Rule,
    pull_a: Rule,
    pull_b: Rule,
    args: tuple[str, str, str],
    formula: str,
    subscripts: str,
    promote: Promote = Promote.KEEP,
) -> Any:
    """Define ``beta * x + alpha * product(a, b)`` from the product and the rules of its two factors."""

    def impl(x: Any, a: Any, b: Any, *, beta: complex, alpha: complex) -> Any:
        return _combine(product(a, b), x, beta, alpha)

    def vjp_x(xp: Any, g: Any, y: Any, x: Any, a: Any, b: Any, *, beta: complex, alpha: complex) -> Any:
        return scaled(g, beta)

    def vjp_a(xp: Any, g: Any, y: Any, x: Any, a: Any, b: Any, *, beta: complex, alpha: complex) -> Any:
        return pull_a(xp, scaled(g, alpha), b)

    def vjp_b(xp: Any, g: Any, y: Any, x: Any, a: Any, b: Any, *, beta: complex, alpha: complex) -> Any:
        return pull_b(xp, scaled(g, alpha), a)

    def jvp(xp: Any, ts: Any, y: Any, x: Any, a: Any, b: Any, *, beta: complex, alpha: complex) -> Any:
        op = getattr(xp, name)
        parts = [] if ts[0] is None else [xp.expand(ts[0] * beta, shape=y.shape)]
        parts += [] if ts[1] is None else [op(x, ts[1], b, beta=0, alpha=alpha)]
        parts += [] if ts[2] is None else [op(x, a, ts[2], beta=0, alpha=alpha)]
        return sum(parts[1:], parts[0])

    def batch(xp: Any, x: Any, a: Any, b: Any, *, beta: complex, alpha: complex) -> Any:
        y = contract(subscripts, a, b)
        y = y if alpha == 1 else y * alpha
        if beta == 0:
            return xp.expand(y, shape=np.broadcast_shapes(x.shape, y.shape))
        return y + (x if beta == 1 else x * beta)

    return defop(
        name,
        impl,
        Kind.PRODUCT,
        batch=batch,
        vjp=(vjp_x, vjp_a, vjp_b),
        args=args,
        promote=promote,
        jvp=jvp,
        formula=f"beta x + alpha {formula}",
        doc=f"A multiple of a tensor plus a multiple of a product: {formula}.",
    )


def _sum_of_products(a: Any, b: Any) -> Any:
    n, i, k = a.shape
    return dot(a.transpose(1, 0, 2).reshape(i, n * k), b.reshape(n * k, b.shape[2]))


ADDMM = _affine(
    "addmm",
    dot,
    lambda xp, g, b: xp.mm(g, adjoint(xp, b)),
    lambda xp, g, a: xp.mm(adjoint(xp, a), g),
    ("self", "mat1", "mat2"),
    "a b",
    "ij,jk->ik",
)
ADDMV = _affine(
    "addmv",
    dot,
    lambda xp, g, b: xp.outer(g, xp.conj(b)),
    lambda xp, g, a: xp.mv(adjoint(xp, a), g),
    ("self", "mat", "vec"),
    "a b",
    "ij,j->i",
)
ADDR = _affine(
    "addr",
    lambda a, b: a[:, None] * b,
    lambda xp, g, b: xp.mv(g, xp.conj(b)),
    lambda xp, g, a: xp.vm(xp.conj(a), g),
    ("self", "vec1", "vec2"),
    "a_i b_j",
    "i,j->ij",
    Promote.COMMON,
)
BADDBMM = _affine(
    "baddbmm",
    stacked,
    lambda xp, g, b: xp.bmm(g, adjoint(xp, b)),
    lambda xp, g, a: xp.bmm(adjoint(xp, a), g),
    ("self", "batch1", "batch2"),
    "a_n b_n",
    "nij,njk->nik",
)
ADDBMM = _affine(
    "addbmm",
    _sum_of_products,
    lambda xp, g, b: xp.matmul(g, adjoint(xp, b)),
    lambda xp, g, a: xp.matmul(adjoint(xp, a), g),
    ("self", "batch1", "batch2"),
    "sum_n a_n b_n",
    "nij,njk->ik",
)
