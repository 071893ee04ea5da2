"""Layers without state of ``torch.nn.functional``: linear maps, dropout, lookups, distances."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from wengert._batched import Batched, whole
from wengert._promotion import result_type_of
from wengert._traced import Traced
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, array_of, wrap
from wengert.engine.composites import composite
from wengert.engine.inplace import inplace as apply_in_place
from wengert.engine.inplace import write
from wengert.engine.out import deliver
from wengert.engine.state import STATE
from wengert.functions.dims import wrap_dim
from wengert.functions.generators import stream_of
from wengert.functions.memory_order import fractions_like
from wengert.functions.norms import vector_norm
from wengert.functions.operands import cannot_multiply, must_broadcast, raw_of_tensor, same_dtype
from wengert.functions.options import integer, type_name
from wengert.functions.products import check_mm, matmul
from wengert.ops.arithmetic import MUL
from wengert.ops.contraction import EINSUM
from wengert.ops.matrices import ROW_NORM
from wengert.ops.movement import CAST, EXPAND
from wengert.ops.normalization import EMBEDDING
from wengert.ops.products import LINEAR, LINEAR_BIAS
from wengert.spaces.tensors import TENSOR

__all__ = [
    "alpha_dropout",
    "bilinear",
    "cosine_similarity",
    "dropout",
    "embedding",
    "feature_alpha_dropout",
    "linear",
    "normalize",
    "one_hot",
    "pairwise_distance",
]

# --- linear maps ---


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """``input @ weight.T + bias`` over the last dimension: ``y[..., i] = sum_k input[..., k] weight[i, k] + bias[i]``.

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    >>> import wengert as torch
    >>> torch.nn.functional.linear(torch.tensor([1., 2.]), torch.tensor([[1., 1.], [0., 1.]]), torch.tensor([0.5, 0.]))
    tensor([3.5000, 2.0000])
    """
    x, w = raw_of_tensor("linear", input), raw_of_tensor("linear", weight, "weight", 2)
    if w.ndim == 1 and bias is None:
        return matmul(input, weight)
    if bias is not None and _surely_fit(x, w, raw_of_tensor("linear", bias, "bias", 3)):
        return apply(LINEAR_BIAS, input, weight, bias, rank=x.ndim)
    _check_linear(x, w)
    if bias is None:
        return apply(LINEAR, input, weight, rank=x.ndim)
    _check_bias(raw_of_tensor("linear", bias, "bias", 3), x, w)
    return apply(LINEAR_BIAS, input, weight, bias, rank=x.ndim)


def _surely_fit(x: Any, w: Any, b: Any) -> bool:
    """Whether these are what nearly every call gives, so that the checks one by one can be left out."""
    shape, dtype = x.shape, x.dtype
    if not shape or dtype.kind != "f" or w.dtype is not dtype or b.dtype is not dtype:
        return False
    rows = b.shape
    return len(rows) == 1 and w.shape == (rows[0], shape[-1])


def _check_linear(x: Any, w: Any) -> None:
    if not x.ndim or not w.ndim:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are {x.ndim}D and {w.ndim}D")
    if w.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D: linear's weight must have the shape "
            "[out features, in features]"
        )
    if w.ndim == 1:
        raise RuntimeError("mat2 must be a matrix, got 1-D tensor: linear's weight must be 2-D when a bias is given")
    if x.shape[-1] != w.shape[1]:
        rows = x.size // x.shape[-1] if x.shape[-1] else 0
        _linear_mismatch((rows, x.shape[-1]), w.shape)
    if x.dtype is not w.dtype or x.dtype.kind == "b":
        check_mm(x, w.swapaxes(0, 1))


def _linear_mismatch(x: tuple[int, ...], w: tuple[int, ...]) -> NoReturn:
    try:
        cannot_multiply(x, w[::-1])
    except RuntimeError as error:
        raise RuntimeError(
            f"{error}. linear multiplies by weight.T: an input with {x[-1]} features needs a weight of the shape "
            f"[out, {x[-1]}], and this is {list(w)}"
        ) from None


def _check_bias(b: Any, x: Any, w: Any) -> None:
    want = (*x.shape[:-1], w.shape[0])
    fits = b.shape == want[-1:] or (
        b.ndim <= len(want) and all(n in (1, m) for n, m in zip(reversed(b.shape), reversed(want), strict=False))
    )
    if not fits:
        raise RuntimeError(
            f"The expanded size of the tensor ({want[-1]}) must match the existing size ({b.shape[-1]}) at "
            f"non-singleton dimension {len(want) - 1}.  Target sizes: {list(want)}.  Tensor sizes: {list(b.shape)}. "
            "linear's bias needs one element for each row of the weight"
        )
    if b.dtype is not w.dtype:
        same_dtype("self and mat2 must have the same dtype, but got {} and {}", b, w)


@composite
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """``y[..., o] = sum_ij input1[..., i] weight[o, i, j] input2[..., j] + bias[o]``.

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    >>> import wengert as torch
    >>> torch.nn.functional.bilinear(torch.tensor([1., 2.]), torch.tensor([3., 4.]), torch.ones(1, 2, 2))
    tensor([21.])
    """
    a, b = raw_of_tensor("bilinear", input1, "input1"), raw_of_tensor("bilinear", input2, "input2", 2)
    w = raw_of_tensor("bilinear", weight, "weight", 3)
    if a.ndim != b.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {a.ndim} and {b.ndim}")
    for dim, (n, m) in enumerate(zip(a.shape[:-1], b.shape[:-1], strict=True)):
        if n != m:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {dim}: got {n} and {m}")
    for number, (raw, size) in enumerate(((a, w.shape[1]), (b, w.shape[2])), 1):
        if raw.shape[-1] != size:
            raise RuntimeError(
                f"bilinear(): input{number} size does not match weight size: got {raw.shape[-1]} but expected {size}"
            )
    if bias is not None and raw_of_tensor("bilinear", bias, "bias", 4).shape != w.shape[:1]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias._data.shape[0]} but expected {w.shape[0]}"
        )
    same_dtype("bilinear(): the inputs and the weight must have the same dtype", a, b, w)
    batch = tuple(range(3, 2 + a.ndim))
    subs = ((*batch, 0), (2, 0, 1), (*batch, 1))
    y = apply(EINSUM, input1, weight, input2, subs=subs, out=(*batch, 2))
    return y if bias is None else y + bias


# --- dropout ---


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


@composite
def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each element set to zero with probability ``p``, the others divided by ``1 - p``; outside training, the input.

    The random numbers come from the default generator (``torch.manual_seed``).

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> y = torch.nn.functional.dropout(torch.ones(1000), 0.25)
    >>> sorted(set(y.tolist()))
    [0.0, 1.3333333730697632]
    """
    _check_probability(p)
    raw = raw_of_tensor("dropout", input)
    if not training or p == 0:
        return input
    if raw.dtype.kind not in "fc":
        raise RuntimeError(f"result type Float can't be cast to the desired output type {type_name(raw.dtype)}")
    noise = wrap(_kept(raw, p).astype(raw.dtype) * (1.0 / (1.0 - p) if p < 1 else 0.0))
    return apply_in_place(MUL, input, noise) if inplace else input * noise


def _kept(raw: Any, p: float) -> Any:
    """Draw which elements stay, for an array of the shape of ``raw``."""
    return fractions_like(raw, stream_of("dropout", None)) < 1 - p


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout that keeps mean and variance of what :func:`selu` gives: dropped elements take its lowest value.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> torch.nn.functional.alpha_dropout(torch.tensor([1., 2.]), 0.5)
    tensor([1., 2.])
    """
    raw = raw_of_tensor("alpha_dropout", input)
    return _alpha_dropped(input, raw, p, training, inplace)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """As :func:`alpha_dropout`, of whole channels: dimension 1 of each sample.

    Raises:
        ValueError: ``p`` is no probability.

    >>> import wengert as torch
    >>> torch.nn.functional.feature_alpha_dropout(torch.tensor([[1., 2.]]), 0.5)
    tensor([[1., 2.]])
    """
    raw = raw_of_tensor("feature_alpha_dropout", input)
    if training and p and raw.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = raw.shape[:2] + (1,) * (raw.ndim - 2)
    return _alpha_dropped(input, np.broadcast_to(raw.dtype.type(0), shape), p, training, inplace)


@composite
def _alpha_dropped(input: Any, like: Any, p: float, training: bool, inplace: bool) -> Any:
    _check_probability(p)
    if not training or p == 0:
        return input
    lowest = -1.7580993408473766  # -scale * alpha of selu
    a = (1.0 / np.sqrt((lowest * lowest * p + 1.0) * (1.0 - p))).item() if p < 1 else 0.0
    kept = _kept(like, p).astype(like.dtype)
    noise, shift = wrap(kept * a), wrap((1 - kept) * (a * lowest) - a * lowest * p)
    if inplace:
        return apply_in_place(MUL, input, noise).add_(shift)
    return input * noise + shift


# --- lookups ---


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,  # noqa: ARG001 - there are no sparse tensors here, so gradients are dense
) -> Any:
    """Rows of a table: ``y[..., :] = weight[input[...], :]``.

    The row ``padding_idx`` gets no gradient. ``max_norm`` first scales the rows that are looked up down to that norm,
    in place. ``scale_grad_by_freq`` divides each row's gradient by how often it was looked up. Gradients are dense,
    also with ``sparse=True``.

    Raises:
        RuntimeError: indices that are no int32 or int64, or a table that is not 2-d.
        IndexError: an index outside the table.

    >>> import wengert as torch
    >>> torch.nn.functional.embedding(torch.tensor([1, 0, 1]), torch.tensor([[1., 2.], [3., 4.]]))
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    index, w = raw_of_tensor("embedding", input), raw_of_tensor("embedding", weight, "weight", 2)
    if w.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, and it has the shape {list(w.shape)}")
    if index.dtype.char not in "lqi":
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{type_name(index.dtype)}Tensor instead (while checking arguments for embedding)"
        )
    places = whole(index)
    if not isinstance(places, Traced) and places.size and not 0 <= places.min() <= places.max() < w.shape[0]:
        raise IndexError(
            f"index out of range in self: the table has {w.shape[0]} rows, and the indices go from {index.min()} to "
            f"{index.max()}"
        )
    padding = _padding(padding_idx, w.shape[0])
    if max_norm is not None:
        _renormalize(weight, index, max_norm, norm_type)
    return apply(EMBEDDING, weight, input, padding_idx=padding, scale_grad_by_freq=bool(scale_grad_by_freq))


def _padding(padding_idx: int | None, rows: int) -> int:
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise AssertionError(f"Padding_idx must be within num_embeddings: {padding_idx} of {rows}")
    return padding_idx % rows


def _renormalize(weight: Any, index: Any, max_norm: float, norm_type: float) -> None:
    rows = np.unique(index)
    values = array_of(weight).copy()
    norms = np.linalg.norm(values[rows], norm_type, axis=1)
    factors = np.where(norms > max_norm, max_norm / (norms + 1e-7), 1.0).astype(values.dtype)
    values[rows] *= factors[:, None]
    write(weight, values)


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """For each class number a row of zeros with a one at that place; as many classes as the largest needs, or as given.

    Raises:
        RuntimeError: numbers that are no int64, are negative or are too large.

    >>> import wengert as torch
    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if STATE.trace is not None and num_classes > 0:
        last = TENSOR.unsqueeze(tensor, dim=tensor._data.ndim)
        return TENSOR.cast(TENSOR.eq(last, wrap(np.arange(num_classes))), dtype=np.dtype(np.int64))
    given = raw_of_tensor("one_hot", tensor, "tensor")
    raw = np.asarray(whole(given))
    count = integer("one_hot", "num_classes", 2, num_classes)
    if raw.dtype != np.int64:
        raise RuntimeError(
            "one_hot is only applicable to index tensor of type LongTensor. Convert it with .to(torch.int64)"
        )
    if not raw.size:
        if count <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor. Pass num_classes")
        return wrap(np.zeros((*given.shape, count), np.int64))
    if raw.min() < 0:
        raise RuntimeError(f"Class values must be non-negative. The lowest is {raw.min()}")
    if count == -1:
        count = int(raw.max()) + 1
    elif raw.max() >= count:
        raise RuntimeError(f"Class values must be smaller than num_classes. The largest is {raw.max()} of {count}")
    out = np.zeros((raw.size, count), np.int64)
    out[np.arange(raw.size), raw.reshape(-1)] = 1
    rows = out.reshape((*raw.shape, count))
    return wrap(Batched(rows, given.axes) if given.__class__ is Batched else rows)


# --- lengths and distances ---


@composite
def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """``x / max(norm(x), eps)`` along one dimension, in the p-norm.

    Raises:
        IndexError: no such dimension.
        RuntimeError: the dtype is not floating point or complex.

    >>> import wengert as torch
    >>> torch.nn.functional.normalize(torch.tensor([[3., 4.]]))
    tensor([[0.6000, 0.8000]])
    """
    raw_of_tensor("normalize", input)
    length = vector_norm(input, p, dim, True).clamp_min(eps)
    return deliver(out, input / length.expand_as(input), input)


@composite
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """``x1 . x2 / (max(|x1|, eps) max(|x2|, eps))`` along one dimension; the others broadcast.

    Raises:
        RuntimeError: the shapes do not broadcast, or the dtypes are not floating point.
        IndexError: no such dimension.

    >>> import wengert as torch
    >>> torch.nn.functional.cosine_similarity(torch.tensor([[1., 0.]]), torch.tensor([[1., 1.]]))
    tensor([0.7071])
    """
    a, b = raw_of_tensor("cosine_similarity", x1, "x1"), raw_of_tensor("cosine_similarity", x2, "x2", 2)
    common = result_type_of((a, b))
    if common.kind not in "fc":
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {type_name(common)}. Convert the tensors "
            "with .float()"
        )
    must_broadcast("cosine_similarity", a.shape, b.shape)
    shape = np.broadcast_shapes(a.shape, b.shape)
    along = wrap_dim(dim, len(shape))
    units = []
    for given in (x1, x2):
        x = given if given._data.dtype is common else apply(CAST, given, dtype=common)
        if x._data.shape != shape:
            x = apply(EXPAND, x, shape=shape)
        units.append(x / _at_least(vector_norm(x, 2, along, True).clone(), eps))
    return (units[0] * units[1]).sum(along)


def _at_least(length: TensorBase, eps: float) -> TensorBase:
    """Raise small lengths to ``eps``, but leave the derivative that of the length."""
    enabled, STATE.grad_enabled = STATE.grad_enabled, False
    try:
        return length.clamp_min_(eps)  # type: ignore[attr-defined,no-any-return]
    finally:
        STATE.grad_enabled = enabled


@composite
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """``norm(x1 - x2 + eps)`` along the last dimension, in the p-norm; ``eps`` keeps it differentiable.

    >>> import wengert as torch
    >>> torch.nn.functional.pairwise_distance(torch.tensor([[0., 0.]]), torch.tensor([[3., 4.]]))
    tensor([5.0000])
    """
    raw_of_tensor("pairwise_distance", x1, "x1"), raw_of_tensor("pairwise_distance", x2, "x2", 2)
    d = x1 - x2 + eps
    along = max(d._data.ndim, 1) - 1
    return apply(ROW_NORM, d, ord=float(p), dim=(along,), keepdim=bool(keepdim))
