"""Losses of ``torch.nn.functional`` over several classes, and between distributions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from wengert._batched import Batched, whole
from wengert._source import users_stacklevel
from wengert._traced import Traced
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.composites import composite
from wengert.engine.state import STATE
from wengert.functions.activations import normalized
from wengert.functions.operands import not_implemented_for, raw_of_tensor
from wengert.functions.options import type_name
from wengert.nn._activations import logsigmoid
from wengert.nn._reduction import reduced, reduction_of, require_constant
from wengert.ops.likelihood import NLL_LOSS, NLL_LOSS2D, SHARE
from wengert.ops.losses import MULTI_MARGIN_LOSS, MULTILABEL_MARGIN_LOSS
from wengert.ops.softmax import LOG_SOFTMAX
from wengert.spaces.tensors import TENSOR

__all__ = [
    "cross_entropy",
    "kl_div",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
]

_CLASS_NUMBERS = np.dtype(np.int64).char + np.dtype(np.uint8).char

# --- class numbers ---


def _check_classes(x: Any, t: Any) -> int:
    """Check the shapes of log probabilities and class numbers; gives the number of classes."""
    if not x.ndim:
        raise ValueError(f"Expected 1 or more dimensions (got {x.ndim})")
    if x.ndim != 1 and (not t.ndim or x.shape[0] != t.shape[0]):
        raise ValueError(
            f"Expected input batch_size ({x.shape[0]}) to match target batch_size "
            f"({t.shape[0] if t.ndim else 'none: it has no dimension'})."
        )
    if x.ndim <= 2 and t.ndim > 1:
        raise RuntimeError(
            f"0D or 1D target tensor expected, multi-target not supported: the input has the shape {list(x.shape)}, "
            f"the target {list(t.shape)}. It holds one class number for each row"
        )
    want = (x.shape[0], *x.shape[2:])
    if x.ndim > 2 and t.shape != want:
        if x.ndim == 4 and t.ndim == 3:
            raise RuntimeError(
                f"size mismatch (got input: {list(x.shape)} , target: {list(t.shape)}): the target must have the shape "
                f"{list(want)}"
            )
        raise RuntimeError(f"Expected target size {list(want)}, got {list(t.shape)}")
    if t.dtype.char not in _CLASS_NUMBERS:
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {type_name(t.dtype)}: class numbers are integers, "
            "convert them with .long()"
        )
    return int(x.shape[0] if x.ndim == 1 else x.shape[1])


def _check_class_weight(weight: Any, classes: int, dtype: np.dtype[Any]) -> Any:
    """The raw weight of each class."""
    w = raw_of_tensor("nll_loss", weight, "weight", 3)
    if w.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(w.shape)}"
        )
    if w.dtype is not dtype:
        raise RuntimeError(f"expected scalar type {type_name(dtype)} but found {type_name(w.dtype)}")
    require_constant("nll_loss_forward", weight=weight)
    return w


def _places_and_shares(t: Any, classes: int, weight: Any, ignore_index: int, dtype: Any) -> tuple[Any, Any]:
    """For each row a valid class number, and what the row counts: its class's weight, 0 if it is ignored.

    Raises:
        IndexError: a class number outside the classes.
    """
    t = np.asarray(t)
    inside = (t >= 0) & (t < classes)
    if inside.all() and not 0 <= ignore_index < classes:
        return t, np.ones(t.shape, dtype) if weight is None else weight[t]
    counted = t != ignore_index
    wrong = counted & ~inside
    if wrong.any():
        raise IndexError(
            f"Target {t[wrong].flat[0]} is out of bounds. There are {classes} classes, numbered from 0, and the number "
            f"to ignore is {ignore_index}"
        )
    places = np.where(counted, t, 0)
    shares = counted.astype(dtype)
    return places, shares if weight is None else shares * weight[places]


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Minus the log probability of each row's class, ``-w[t] input[t]``; a mean is one with the weights ``w``.

    The input has the shape ``[C]``, ``[N, C]`` or ``[N, C, ...]`` and holds log probabilities; the target has that
    shape without ``C`` and holds class numbers. Rows with the target ``ignore_index`` count nothing.

    Raises:
        ValueError: batches of different sizes, or an unknown ``reduction``.
        RuntimeError: other shapes that do not fit, a target that is no integer.
        IndexError: a class number outside the classes.

    >>> import wengert as torch
    >>> torch.nn.functional.nll_loss(torch.tensor([[-1., -2.], [-3., -4.]]), torch.tensor([0, 1]))
    tensor(2.5000)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    x, t = raw_of_tensor("nll_loss", input), raw_of_tensor("nll_loss", target, "target", 2)
    classes = _check_classes(x, t)
    if x.dtype.kind != "f":
        raise not_implemented_for("nll_loss_out_frame", x.dtype)
    plain, weighted = NLL_LOSS if x.ndim <= 2 else NLL_LOSS2D
    one_row = x.ndim == 1 and t.ndim == 1  # a single row with a target of shape [1]
    if STATE.trace is None and weight is None and not one_row and _all_count(t, classes, ignore_index):
        return apply(plain, input, target, reduction=reduction)
    w = None if weight is None else _check_class_weight(weight, classes, x.dtype)
    if STATE.trace is not None:
        places, shares = _traced_places(target, weight, ignore_index, x.dtype)
        if one_row:
            places, shares = TENSOR.reshape(places, shape=()), TENSOR.reshape(shares, shape=())
        return apply(weighted, input, places, shares, reduction=reduction)
    places, shares = _places_and_shares(whole(t), classes, w, ignore_index, x.dtype)
    if t.__class__ is Batched:
        places, shares = Batched(places, t.axes), Batched(shares, t.axes)
    elif one_row:
        places, shares = places.reshape(()), shares.reshape(())
    return apply(weighted, input, wrap(places), wrap(shares), reduction=reduction)


def _traced_places(target: Any, weight: Any, ignore_index: int, dtype: Any) -> tuple[Any, Any]:
    """As :func:`_places_and_shares`, by operations, of targets that are right or, in ``compile``, not known yet."""
    counted = TENSOR.ne(target, ignore_index)
    places = TENSOR.where(counted, target, 0)
    shares = TENSOR.cast(counted, dtype=dtype)
    return places, shares if weight is None else TENSOR.mul(shares, weight[places])


def _all_count(t: Any, classes: int, ignore_index: int) -> bool:
    """Whether every target is the number of a class that counts; a negative number is a huge unsigned one."""
    if 0 <= ignore_index < classes:
        return False
    t = whole(t)
    numbers = t.view(np.uint64) if t.dtype.itemsize == 8 else t
    return not t.size or bool(np.maximum.reduce(numbers, axis=None) < classes)


# --- probabilities of classes ---


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Cross entropy of scores (logits) and a target: class numbers, or the probabilities of the classes.

    With class numbers it is ``nll_loss(log_softmax(input, 1), target)``; with probabilities of the input's shape
    ``-sum_c w_c t_c log_softmax(input)_c``. ``label_smoothing`` mixes the target with the uniform distribution.

    Raises:
        ValueError: batches of different sizes, or an unknown ``reduction``.
        RuntimeError: shapes or dtypes that do not fit, a smoothing outside [0, 1].
        IndexError: a class number outside the classes.

    >>> import wengert as torch
    >>> torch.nn.functional.cross_entropy(torch.tensor([[0., 0.], [1000., 0.]]), torch.tensor([0, 1]))
    tensor(500.3466)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    x, t = raw_of_tensor("cross_entropy_loss", input), raw_of_tensor("cross_entropy_loss", target, "target", 2)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    classes_at = 0 if x.ndim <= 1 else 1
    if x.shape == t.shape:
        if t.dtype.kind not in "fc":
            raise RuntimeError(
                f"Expected floating point type for target with class probabilities, got {type_name(t.dtype)}: a target "
                f"of the input's shape {list(x.shape)} holds probabilities. Class numbers have one dimension less"
            )
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        logs = normalized("log_softmax", LOG_SOFTMAX, input, classes_at, None)
        return _with_probabilities(logs, target, weight, classes_at, reduction, label_smoothing)
    logs = normalized("log_softmax", LOG_SOFTMAX, input, classes_at, None)
    if label_smoothing == 0.0:
        return nll_loss(logs, target, weight, ignore_index=ignore_index, reduction=reduction)
    return _smoothed(logs, target, weight, classes_at, ignore_index, reduction, label_smoothing)


def _along_classes(weight: Any, ndim: int, classes_at: int) -> Any:
    """A weight for each class, in a shape that broadcasts over the other dimensions."""
    return weight.reshape((-1,) + (1,) * (ndim - 1 - classes_at))


@composite
def _with_probabilities(
    logs: Any, target: Any, weight: Any, classes_at: int, reduction: str, label_smoothing: float
) -> Any:
    shape = logs._data.shape
    classes = shape[classes_at]
    if label_smoothing > 0.0:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    weighed = logs * target
    if weight is not None:
        _check_class_weight(weight, classes, logs._data.dtype)
        weighed = weighed * _along_classes(weight, len(shape), classes_at)
    if reduction == "none":
        return -weighed.sum(classes_at)
    total = -weighed.sum()
    if reduction == "sum":
        return total
    rows = int(np.prod([size for d, size in enumerate(shape) if d != classes_at], dtype=np.int64))
    return apply(SHARE, total, count=float(rows))


def _smoothed(
    logs: Any, target: Any, weight: Any, classes_at: int, ignore_index: int, reduction: str, label_smoothing: float
) -> Any:
    shape, dtype = logs._data.shape, logs._data.dtype
    classes = shape[classes_at]
    picked = nll_loss(logs, target, weight, ignore_index=ignore_index, reduction=reduction)
    _, shares = _traced_places(target, weight, ignore_index, dtype)
    counted = target.ne(ignore_index).reshape(shape[:classes_at] + shape[classes_at + 1 :])
    spread = -(logs if weight is None else logs * _along_classes(weight, len(shape), classes_at)).sum(classes_at)
    spread = spread.masked_fill(~counted, 0.0)
    if reduction == "mean":
        spread = spread.sum() / shares.sum()
    elif reduction == "sum":
        spread = spread.sum()
    return (1 - label_smoothing) * picked + spread * (label_smoothing / classes)


@composite
def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """The Kullback-Leibler divergence ``t (log t - x)`` of log probabilities ``x`` from probabilities ``t``.

    ``log_target`` says that the target holds logarithms too. The divergence of distributions over a batch is
    ``reduction="batchmean"``; ``"mean"`` also divides by the number of classes.

    Raises:
        ValueError: an unknown ``reduction``.

    >>> import wengert as torch
    >>> F = torch.nn.functional
    >>> F.kl_div(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[1., 0.]]), reduction="batchmean")
    tensor(0.6931)
    """
    raw_of_tensor("kl_div", input), raw_of_tensor("kl_div", target, "target", 2)
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release.",
            UserWarning,
            stacklevel=users_stacklevel(),
        )
    batchmean = reduction == "batchmean"
    reduction = reduction_of("sum" if batchmean else reduction, size_average, reduce)
    losses = target.exp() * (target - input) if log_target else target.xlogy(target) - target * input
    total = reduced(losses, reduction)
    return total / input._data.shape[0] if batchmean and input._data.ndim else total


# --- margins between classes ---


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """How far other classes come within ``margin`` of the right one: ``sum_j w max(0, margin - x_t + x_j)^p / C``.

    Raises:
        ValueError: ``p`` is neither 1 nor 2, or an unknown ``reduction``.
        RuntimeError: shapes that do not fit, or a class number outside the classes.

    >>> import wengert as torch
    >>> torch.nn.functional.multi_margin_loss(torch.tensor([[0.1, 0.2, 0.4]]), torch.tensor([2]))
    tensor(0.5000)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported, and this is {p}")
    x, t = raw_of_tensor("multi_margin_loss", input), raw_of_tensor("multi_margin_loss", target, "target", 2)
    if weight is not None and raw_of_tensor("multi_margin_loss", weight, "weight", 5).ndim != 1:
        raise ValueError(f"weight must be one-dimensional, but its shape is {list(weight._data.shape)}")
    classes = x.shape[-1] if x.ndim else 1
    if x.ndim > 2 or not classes or t.shape not in (x.shape[:-1], (1,) if x.ndim == 1 else x.shape[:-1]):
        raise RuntimeError(f"inconsistent target size, expected {list(x.shape[:-1])} but got {list(t.shape)}")
    if t.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {type_name(t.dtype)}: the target lists class numbers")
    t = (t if isinstance(t, Traced) else np.asarray(t)).reshape(x.shape[:-1])
    if t.size and not isinstance(t, Traced) and not 0 <= t.min() <= t.max() < classes:
        raise RuntimeError(f"target out of range. There are {classes} classes, numbered from 0")
    own = (np.arange(classes) == t[..., None]).astype(x.dtype)
    shares = np.ones((*t.shape, 1), x.dtype)
    if weight is not None:
        w = raw_of_tensor("multi_margin_loss", weight, "weight", 5)
        if w.shape != (classes,):
            raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(w.shape)}")
        require_constant("multi_margin_loss", weight=weight)
        shares = w[t][..., None]
    input = input if x.ndim else TENSOR.reshape(input, shape=(1,))
    return apply(MULTI_MARGIN_LOSS, input, wrap(own), wrap(shares), p=int(p), margin=float(margin), reduction=reduction)


def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """How far classes that are no labels come within one of those that are: ``sum_jk max(0, 1 - x_j + x_k) / C``.

    Each row of the target lists the labels; a -1 ends the list.

    Raises:
        RuntimeError: shapes that do not fit, or a class number outside the classes.
        ValueError: an unknown ``reduction``.

    >>> import wengert as torch
    >>> torch.nn.functional.multilabel_margin_loss(torch.tensor([[.1, .2, .4, .8]]), torch.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    name = "multilabel_margin_loss"
    x, t = raw_of_tensor(name, input), np.asarray(raw_of_tensor(name, target, "target", 2))
    if x.shape != t.shape or x.ndim > 2:
        raise RuntimeError(f"inconsistent target size: {list(t.shape)} for input of size: {list(x.shape)}")
    classes = x.shape[-1] if x.ndim else 1
    if not classes:
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(x.shape)}"
        )
    if t.size and not -1 <= t.min() <= t.max() < classes:
        raise RuntimeError(f"argument #2 'target' is out of range: there are {classes} classes, numbered from 0")
    rows = t.reshape(-1, classes)
    listed = np.logical_and.accumulate(rows >= 0, axis=1)
    counts = np.zeros(rows.shape, x.dtype)
    np.add.at(counts, (np.nonzero(listed)[0], rows[listed]), 1)
    counts = counts.reshape(t.shape or (1,))
    input = input if x.ndim else TENSOR.reshape(input, shape=(1,))
    others = (counts == 0).astype(x.dtype)
    return apply(MULTILABEL_MARGIN_LOSS, input, wrap(counts), wrap(others), reduction=reduction)


@composite
def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The mean over the classes of ``-(t log sigmoid(x) + (1 - t) log sigmoid(-x))``.

    Raises:
        ValueError: an unknown ``reduction``.

    >>> import wengert as torch
    >>> torch.nn.functional.multilabel_soft_margin_loss(torch.tensor([[0., 0.]]), torch.tensor([[1., 0.]]))
    tensor(0.6931)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    raw = raw_of_tensor("multilabel_soft_margin_loss", input)
    raw_of_tensor("multilabel_soft_margin_loss", target, "target", 2)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    return reduced(losses.sum(-1) / raw.shape[-1], reduction)
