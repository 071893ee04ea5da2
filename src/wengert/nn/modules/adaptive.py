"""Softmax over very many classes, of which few are frequent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from wengert.functions.joining import cat
from wengert.nn import functional as F
from wengert.nn.modules.container import ModuleList, Sequential
from wengert.nn.modules.linear import Linear
from wengert.nn.modules.module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    """What the layer gives: the logarithm of each target's probability, and minus their mean."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Classes sorted by how frequent they are: the first ``cutoffs[0]`` by themselves, the others in clusters.

    A cluster is one class of the first softmax, and has a softmax of its own over a smaller projection. E. Grave et
    al., "Efficient softmax approximation for GPUs" (2017).

    Raises:
        ValueError: cutoffs that are not increasing numbers between 0 and ``n_classes``.

    >>> import wengert as torch
    >>> layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0)
    >>> torch.allclose(layer.log_prob(torch.ones(3, 8)).exp().sum(1), torch.ones(3))
    True
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if cutoffs != sorted(set(cutoffs)) or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1:
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                "value is between 1 and n_classes-1"
            )
        factory = {"device": device, "dtype": dtype}
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **factory)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            inner = int(in_features // (div_value ** (i + 1)))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, inner, bias=False, **factory), Linear(inner, size, bias=False, **factory)
                )
            )

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input_: Any, target_: Any) -> _ASMoutput:
        """``output``, the logarithm of the probability of each sample's target, and ``loss``, minus its mean.

        Raises:
            RuntimeError: shapes that do not fit, or targets that are no classes.
        """
        single = target_.dim() == 0
        if target_.dim() not in (0, 1) or input_.dim() != target_.dim() + 1:
            raise RuntimeError(
                "0D or 1D target tensor expected, with an input of one dimension more: got a target with "
                f"{target_.dim()} and an input with {input_.dim()} dimensions"
            )
        x, target = (input_.unsqueeze(0), target_.unsqueeze(0)) if single else (input_, target_)
        if x.shape[0] != target.shape[0]:
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{target.min().item()}, "
                f"{target.max().item()}] were found. "
            )
        head = F.log_softmax(self.head(x), 1)
        gathered = target.clamp(max=self.shortlist_size - 1)
        parts, rows = [], []
        for i in range(self.n_clusters):
            inside = ((target >= self.cutoffs[i]) & (target < self.cutoffs[i + 1])).nonzero().squeeze(1)
            if inside.numel():
                local = F.log_softmax(self.tail[i](x.index_select(0, inside)), 1)
                parts.append(
                    local.gather(1, (target.index_select(0, inside) - self.cutoffs[i]).unsqueeze(1)).squeeze(1)
                )
                rows.append(inside)
                gathered = gathered.index_fill(0, inside, self.shortlist_size + i)
        output = head.gather(1, gathered.unsqueeze(1)).squeeze(1)
        if parts:
            output = output.index_add(0, cat(rows), cat(parts))
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if single else output, loss)

    def log_prob(self, input: Any) -> Any:
        """The logarithms of the probabilities of all classes, ``[N, n_classes]``."""
        head = F.log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i in range(self.n_clusters):
            within = F.log_softmax(self.tail[i](input), 1)
            parts.append(within + head[:, self.shortlist_size + i].unsqueeze(1))
        return cat(parts, 1)

    def predict(self, input: Any) -> Any:
        """The most probable class of each sample."""
        return self.log_prob(input).argmax(1)
