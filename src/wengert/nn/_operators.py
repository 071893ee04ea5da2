"""Functions of networks as PyTorch's top level has them: a number for ``reduction``, arguments in another order.

What they compute is told at the functions of the same name in ``nn.functional``.
"""

from __future__ import annotations

from typing import Any, Final

from wengert.nn import _class_losses, _ctc, _layers, _losses, _margin_losses

__all__ = [
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "ctc_loss",
    "embedding",
    "hinge_embedding_loss",
    "kl_div",
    "margin_ranking_loss",
    "poisson_nll_loss",
    "triplet_margin_loss",
]

_REDUCTIONS: Final = {0: "none", 1: "mean", 2: "sum"}


def _named(function: str, reduction: Any) -> str:
    if isinstance(reduction, str) or reduction not in _REDUCTIONS:
        raise TypeError(
            f"{function}(): argument 'reduction' must be int: 0 (none), 1 (mean) or 2 (sum), not {reduction!r}. "
            f"torch.nn.functional.{function} takes their names"
        )
    return _REDUCTIONS[reduction]


def embedding(
    weight: Any, indices: Any, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Any:
    """``weight[indices]``: :func:`torch.nn.functional.embedding` with the table first; -1 is no padding index.

    >>> import wengert as torch
    >>> torch.embedding(torch.tensor([[1.0], [2.0]]), torch.tensor([1, 0, 1]))
    tensor([[2.],
            [1.],
            [2.]])
    """
    padding = None if padding_idx == -1 else padding_idx
    return _layers.embedding(indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: Any = 1,
    zero_infinity: bool = False,
) -> Any:
    """:func:`torch.nn.functional.ctc_loss` with a number for ``reduction``.

    >>> import wengert as torch
    >>> torch.ctc_loss(torch.zeros(2, 1, 3).log_softmax(2), torch.tensor([[1]]), (2,), (1,), 0, 2)
    tensor(1.0986)
    """
    how = _named("ctc_loss", reduction)
    return _ctc.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, how, zero_infinity)


def kl_div(input: Any, target: Any, reduction: Any = 1, *, log_target: bool = False) -> Any:
    """:func:`torch.nn.functional.kl_div` with a number for ``reduction``.

    >>> import wengert as torch
    >>> torch.kl_div(torch.tensor([0.5, 0.5]).log(), torch.tensor([0.25, 0.75]), 2)
    tensor(0.1308)
    """
    return _class_losses.kl_div(input, target, reduction=_named("kl_div", reduction), log_target=log_target)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, pos_weight: Any = None, reduction: Any = 1
) -> Any:
    """:func:`torch.nn.functional.binary_cross_entropy_with_logits` with a number for ``reduction``.

    >>> import wengert as torch
    >>> torch.binary_cross_entropy_with_logits(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 1.0]))
    tensor(0.4100)
    """
    how = _named("binary_cross_entropy_with_logits", reduction)
    return _losses.binary_cross_entropy_with_logits(input, target, weight, reduction=how, pos_weight=pos_weight)


def poisson_nll_loss(input: Any, target: Any, log_input: bool, full: bool, eps: float, reduction: Any) -> Any:
    """:func:`torch.nn.functional.poisson_nll_loss` with a number for ``reduction``.

    >>> import wengert as torch
    >>> torch.poisson_nll_loss(torch.zeros(2), torch.ones(2), True, False, 1e-8, 1)
    tensor(1.)
    """
    how = _named("poisson_nll_loss", reduction)
    return _losses.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=how)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: Any = 1) -> Any:
    """:func:`torch.nn.functional.hinge_embedding_loss` with a number for ``reduction``.

    >>> import wengert as torch
    >>> torch.hinge_embedding_loss(torch.tensor([2.0, 0.5]), torch.tensor([1, -1]), 1.0, 0)
    tensor([2.0000, 0.5000])
    """
    how = _named("hinge_embedding_loss", reduction)
    return _margin_losses.hinge_embedding_loss(input, target, margin, reduction=how)


def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: Any = 1) -> Any:
    """:func:`torch.nn.functional.cosine_embedding_loss` with a number for ``reduction``.

    >>> import wengert as torch
    >>> torch.cosine_embedding_loss(torch.eye(2), torch.ones(2, 2), torch.tensor([1, 1]))
    tensor(0.2929)
    """
    how = _named("cosine_embedding_loss", reduction)
    return _margin_losses.cosine_embedding_loss(input1, input2, target, margin, reduction=how)


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: Any = 1) -> Any:
    """:func:`torch.nn.functional.margin_ranking_loss` with a number for ``reduction``.

    >>> import wengert as torch
    >>> torch.margin_ranking_loss(torch.tensor([1.0, 3.0]), torch.tensor([2.0, 1.0]), torch.tensor([1.0, 1.0]), 0.0, 2)
    tensor(1.)
    """
    how = _named("margin_ranking_loss", reduction)
    return _margin_losses.margin_ranking_loss(input1, input2, target, margin, reduction=how)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: Any = 1,
) -> Any:
    """:func:`torch.nn.functional.triplet_margin_loss` with a number for ``reduction``.

    >>> import wengert as torch
    >>> torch.triplet_margin_loss(torch.zeros(1, 1), torch.ones(1, 1), torch.zeros(1, 1) + 3)
    tensor(0.)
    """
    how = _named("triplet_margin_loss", reduction)
    return _margin_losses.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=how)
