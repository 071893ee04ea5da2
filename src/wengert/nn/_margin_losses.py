"""Losses of ``torch.nn.functional`` that rank, pull together and push apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.engine.composites import composite
from wengert.functions.operands import raw_of_tensor
from wengert.functions.select import where
from wengert.nn._layers import pairwise_distance
from wengert.nn._reduction import reduced, reduction_of

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

_EPS = 1e-12  # keeps the cosine of zero vectors, and its derivative, finite


@composite
def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``x`` where the target is 1, ``max(0, margin - x)`` where it is -1: for distances of alike and unlike pairs.

    Raises:
        ValueError: an unknown ``reduction``.

    >>> import wengert as torch
    >>> F = torch.nn.functional
    >>> F.hinge_embedding_loss(torch.tensor([0.3, 0.3]), torch.tensor([1, -1]), reduction="none")
    tensor([0.3000, 0.7000])
    """
    reduction = reduction_of(reduction, size_average, reduce)
    raw_of_tensor("hinge_embedding_loss", input), raw_of_tensor("hinge_embedding_loss", target, "target", 2)
    unlike = where(target != 1, (margin - input).clamp_min(0), 0.0)
    return reduced(unlike + where(target != -1, input, 0.0), reduction)


@composite
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``max(0, -t (x1 - x2) + margin)``: the first should rank higher where the target is 1, lower where it is -1.

    Raises:
        RuntimeError: the tensors have different numbers of dimensions.
        ValueError: an unknown ``reduction``.

    >>> import wengert as torch
    >>> F = torch.nn.functional
    >>> F.margin_ranking_loss(torch.tensor([1.]), torch.tensor([3.]), torch.tensor([1.]))
    tensor(2.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    raws = [raw_of_tensor("margin_ranking_loss", t, "tensors", i) for i, t in enumerate((input1, input2, target), 1)]
    if len({raw.ndim for raw in raws}) != 1:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    return reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


@composite
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``1 - cos(x1, x2)`` where the target is 1, ``max(0, cos(x1, x2) - margin)`` where it is -1.

    Raises:
        RuntimeError: the numbers of dimensions do not fit.
        ValueError: an unknown ``reduction``.

    >>> import wengert as torch
    >>> F = torch.nn.functional
    >>> F.cosine_embedding_loss(torch.tensor([1., 0.]), torch.tensor([0., 1.]), torch.tensor(1.))
    tensor(1.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    a, b, t = (raw_of_tensor("cosine_embedding_loss", x, "tensors") for x in (input1, input2, target))
    if t.ndim not in (0, 1):
        raise RuntimeError(f"0D or 1D target tensor expected, multi-target not supported: its shape is {list(t.shape)}")
    if not a.ndim == b.ndim == t.ndim + 1:
        raise RuntimeError(
            f"{t.ndim}D target tensor expects {t.ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(a.shape)}, {list(b.shape)}."
        )
    together = (input1 * input2).sum(t.ndim)
    squares = ((input1 * input1).sum(t.ndim) + _EPS) * ((input2 * input2).sum(t.ndim) + _EPS)
    cosine = together / squares.sqrt()
    alike = where(target == 1, 1 - cosine, 0.0)
    unlike = where(target == -1, (cosine - margin).clamp_min(0), 0.0)
    return reduced(alike + unlike, reduction)


@composite
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``max(0, |anchor - positive| - |anchor - negative| + margin)``, with distances in the p-norm.

    With ``swap`` the distance of positive and negative counts where it is the smaller.

    Raises:
        ValueError: a margin that is not positive, or an unknown ``reduction``.
        RuntimeError: the tensors have different numbers of dimensions.

    >>> import wengert as torch
    >>> a, p, n = torch.tensor([[0., 0.]]), torch.tensor([[0., 1.]]), torch.tensor([[0., 1.5]])
    >>> torch.nn.functional.triplet_margin_loss(a, p, n)
    tensor(0.5000)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    _check_triplet(anchor, positive, negative, margin)

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    to_positive, to_negative = _distances(distance, anchor, positive, negative, swap)
    return reduced((margin + to_positive - to_negative).clamp_min(0), reduction)


def _check_triplet(anchor: Any, positive: Any, negative: Any, margin: float) -> None:
    a, p, n = (raw_of_tensor("triplet_margin_loss", x, "tensors") for x in (anchor, positive, negative))
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not a.ndim == p.ndim == n.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {a.ndim}D, positive {p.ndim}D, and negative {n.ndim}D inputs"
        )


def _distances(
    distance: Callable[[Any, Any], Any], anchor: Any, positive: Any, negative: Any, swap: bool
) -> tuple[Any, Any]:
    to_positive, to_negative = distance(anchor, positive), distance(anchor, negative)
    if swap:
        to_negative = to_negative.minimum(distance(positive, negative))
    return to_positive, to_negative


@composite
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """As :func:`triplet_margin_loss`, with a distance function of the caller's.

    Raises:
        ValueError: a margin that is not positive, or an unknown ``reduction``.

    >>> import wengert as torch
    >>> a, p, n = torch.tensor([[0., 0.]]), torch.tensor([[0., 1.]]), torch.tensor([[0., 1.5]])
    >>> torch.nn.functional.triplet_margin_with_distance_loss(a, p, n)
    tensor(0.5000)
    """
    reduction = reduction_of(reduction)
    _check_triplet(anchor, positive, negative, margin)
    distance = distance_function if distance_function is not None else pairwise_distance
    to_positive, to_negative = _distances(distance, anchor, positive, negative, swap)
    return reduced((margin + to_positive - to_negative).clamp_min(0), reduction)
