"""The connectionist temporal classification loss of ``torch.nn.functional``."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, wrap
from wengert.functions.operands import raw_of_tensor, shown
from wengert.nn._reduction import reduction_of
from wengert.ops.alignment import CTC_PATHS
from wengert.spaces.tensors import TENSOR

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """``-log p(targets)``, summed over all ways of aligning labels with a longer sequence of predictions.

    ``log_probs`` is ``[T, N, C]`` or ``[T, C]``, as of ``log_softmax``; ``targets`` is ``[N, S]``, padded, or all labels
    in one row. The lengths say how much of each counts. ``mean`` divides each loss by the length of its target first.
    With ``zero_infinity`` a target that does not fit has loss and gradient zero. As in PyTorch the gradient is that of
    normalised log-probabilities. Source: A. Graves et al. (2006).

    Raises:
        RuntimeError: sizes, lengths or a blank that do not fit.
        ValueError: an unknown ``reduction``.

    >>> import wengert as torch
    >>> even = torch.zeros(2, 1, 2).log_softmax(2)
    >>> torch.nn.functional.ctc_loss(even, torch.tensor([[1]]), [2], [1])  # three of four paths: -log(3/4)
    tensor(0.2877)
    """
    reduction = reduction_of(reduction)
    x = raw_of_tensor("ctc_loss", log_probs, "log_probs")
    if x.ndim not in (2, 3):
        raise RuntimeError(
            f"ctc_loss: expected log_probs of 2 or 3 dimensions, [T, N, C] or [T, C]; got {shown(x.shape)}"
        )
    batched = log_probs if x.ndim == 3 else TENSOR.unsqueeze(log_probs, dim=1)
    steps, batch, classes = batched._data.shape
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range: expected 0 to {classes - 1}, got {blank}")
    if not batch:
        raise RuntimeError("log_probs tensor must not be empty: there is no sequence in the batch")
    seen_lengths = _lengths("input_lengths", input_lengths, batch)
    said_lengths = _lengths("target_lengths", target_lengths, batch)
    if seen_lengths.max() > steps:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {steps}, but got value {seen_lengths.max()} (while checking "
            "arguments for ctc_loss)"
        )
    labels = _padded(raw_of_tensor("ctc_loss", targets, "targets", 2), said_lengths, blank)
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise RuntimeError(f"ctc_loss: a target is out of range. There are {classes} classes, numbered from 0")
    losses = _losses(batched, _states(labels, said_lengths, blank), seen_lengths, zero_infinity)
    if reduction == "mean":
        return TENSOR.div(losses, wrap(np.maximum(said_lengths, 1).astype(x.dtype))).mean()
    if reduction == "sum":
        return losses.sum()
    return losses if x.ndim == 3 else TENSOR.squeeze(losses, dims=(0,))


def _lengths(name: str, given: Any, batch: int) -> Any:
    raw = np.asarray(given._data if isinstance(given, TensorBase) else given)
    if raw.size and raw.dtype.kind not in "iu":
        raise RuntimeError(f"{name} must be integral, but its numbers are {raw.dtype}")
    lengths = raw.reshape(-1).astype(np.int64)
    if lengths.size != batch:
        raise RuntimeError(f"{name} must be of size batch_size: expected {batch} numbers, got {lengths.size}")
    if lengths.min() < 0:
        raise RuntimeError(f"Expected {name} to have value at least 0, but got value {lengths.min()}")
    return lengths


def _padded(targets: Any, lengths: Any, blank: int) -> Any:
    """The labels ``[N, S]`` with blanks where a target is over, from the same or from all targets in one row."""
    if targets.dtype.kind not in "iu":
        raise RuntimeError(f"ctc_loss: targets must be integers, but they are {targets.dtype}")
    longest = int(lengths.max())
    counts = np.arange(longest) < lengths[:, None]
    labels = np.full(counts.shape, blank, np.int64)
    if targets.ndim == 2 and len(targets) == len(lengths):
        if targets.shape[1] < longest:
            raise RuntimeError(
                f"Expected tensor to have size at least {longest} at dimension 1, but got size {targets.shape[1]} for "
                "argument #2 'targets' (while checking arguments for ctc_loss)"
            )
        labels[counts] = targets[:, :longest][counts]
    elif targets.ndim == 1:
        if targets.size != lengths.sum():
            raise RuntimeError(
                f"Expected tensor to have size {lengths.sum()} at dimension 0, but got size {targets.size} for argument "
                "#2 'targets': its labels are all targets, one after the other"
            )
        labels[counts] = targets
    else:
        raise RuntimeError(
            f"ctc_loss: expected targets [N, S] for N={len(lengths)} or all in one row, got {shown(targets.shape)}"
        )
    return labels


def _states(labels: Any, lengths: Any, blank: int) -> tuple[Any, Any, Any, Any]:
    """The label of each state of each sequence; and where its paths may start, leap to, and end."""
    states = np.full((len(labels), 2 * labels.shape[1] + 1), blank, np.int64)
    states[:, 1::2] = labels
    starts = np.broadcast_to(np.arange(states.shape[1]) < 2, states.shape).copy()
    leaps = np.zeros(states.shape, bool)
    leaps[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    behind = np.arange(states.shape[1]) - 2 * lengths[:, None]
    return states, starts, leaps, (behind == 0) | (behind == -1)


def _losses(log_probs: Any, about: tuple[Any, Any, Any, Any], lengths: Any, zero_infinity: bool) -> Any:
    states, *allowed = about
    index = np.broadcast_to(states, (log_probs._data.shape[0], *states.shape))
    # Adds nothing to what is normalised, but takes from its gradient what normalisation takes.
    total = TENSOR.logsumexp(log_probs, dim=(2,), keepdim=True)
    log_probs = TENSOR.sub(log_probs, TENSOR.sub(total, total.detach()))
    seen = TENSOR.gather(log_probs, wrap(index.copy()), dim=2)
    constants = [*map(wrap, allowed), wrap(lengths)]
    if not zero_infinity:
        return apply(CTC_PATHS, seen, *constants)
    impossible = TENSOR.isinf(apply(CTC_PATHS, seen.detach(), *constants))
    # Its gradient is not a number: it is cut off on both sides.
    seen = TENSOR.where(TENSOR.unsqueeze(impossible, dim=1), 0.0, seen)
    return TENSOR.where(impossible, 0.0, apply(CTC_PATHS, seen, *constants))
