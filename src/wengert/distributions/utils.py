"""What distributions share: broadcasting of parameters, values worked out on first use, odds and probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert._batched import whole
from wengert._dtypes import get_default_dtype
from wengert._finfo import finfo
from wengert._traced import Traced
from wengert.autograd.grad_mode import enable_grad
from wengert.engine.base import TensorBase
from wengert.functions.activations import softmax
from wengert.functions.creation import zeros
from wengert.functions.data import tensor
from wengert.functions.diagonals import tril_indices
from wengert.functions.movement import broadcast_tensors
from wengert.functions.random import rand

EULER = 0.57721566490153286  # Euler's constant (DLMF 5.2.3)

__all__ = [
    "EULER",
    "all_true",
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "sum_rightmost",
    "tril_matrix_to_vec",
    "uniform_inside",
    "vec_to_tril_matrix",
]


def broadcast_all(*values: Any) -> list[Any]:
    """Numbers and tensors as tensors of one shape; numbers take the dtype of the tensors.

    Raises:
        ValueError: something that is neither a number nor a tensor.

    >>> from wengert.distributions.utils import broadcast_all
    >>> import wengert as torch
    >>> broadcast_all(torch.zeros(2), 1.0)
    [tensor([0., 0.]), tensor([1., 1.])]
    """
    if not all([isinstance(v, (TensorBase, int, float)) for v in values]):
        raise ValueError("Input arguments must all be instances of Number, torch.Tensor or objects implementing it")
    given = [v for v in values if isinstance(v, TensorBase)]
    dtype: Any = given[0].dtype if given else get_default_dtype()  # type: ignore[attr-defined]
    return list(broadcast_tensors(*[v if isinstance(v, TensorBase) else tensor(v, dtype=dtype) for v in values]))


def all_true(t: Any) -> bool:
    """Whether all elements are true; a program that is traced has no values yet, and counts as fine."""
    raw = t._data
    return isinstance(raw, Traced) or bool(whole(raw).all())


def sum_rightmost(value: Any, dim: int) -> Any:
    """The sum over the last ``dim`` dimensions."""
    return value if not dim else value.reshape((*value.shape[: value.dim() - dim], -1)).sum(-1)


class lazy_property:
    """A property that is worked out, with gradients, when it is first read, and is an attribute from then on."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


# --- probabilities ----------------------------------------------------------------------------------------------------


def clamp_probs(probs: Any) -> Any:
    """Probabilities at least ``eps`` away from 0 and 1, so that logarithms stay finite."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def uniform_inside(shape: Any, like: Any) -> Any:
    """Uniform numbers that are neither 0 nor 1."""
    info = finfo(like.dtype)
    return rand(shape, dtype=like.dtype).clamp(min=info.tiny, max=1 - info.eps)


def logits_to_probs(logits: Any, is_binary: bool = False) -> Any:
    """Probabilities: ``sigmoid`` of log odds, or ``softmax`` over the last dimension."""
    return logits.sigmoid() if is_binary else softmax(logits, -1)


def probs_to_logits(probs: Any, is_binary: bool = False) -> Any:
    """Log odds, or logarithms of the probabilities of several classes."""
    inside = clamp_probs(probs)
    return inside.log() - (-inside).log1p() if is_binary else inside.log()


# --- triangles --------------------------------------------------------------------------------------------------------


def vec_to_tril_matrix(vec: Any, diag: int = 0) -> Any:
    """The lower triangle of a square matrix, filled row by row; the inverse of :func:`tril_matrix_to_vec`."""
    count = vec.shape[-1]
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    size = round(n)
    if abs(n - size) > 1e-6:
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as the lower triangular part of a "
            "square matrix."
        )
    rows, columns = tril_indices(size, size, diag)
    matrix = zeros((*vec.shape[:-1], size * size), dtype=vec.dtype)
    places = (rows * size + columns).expand(vec.shape)
    return matrix.scatter(-1, places, vec).reshape(*vec.shape[:-1], size, size)


def tril_matrix_to_vec(mat: Any, diag: int = 0) -> Any:
    """The elements of the lower triangle, row by row."""
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = tril_indices(n, n, diag)
    return mat[..., rows, columns]
