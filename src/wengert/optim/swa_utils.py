"""Averages of weights along the way of training."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

from wengert._dtypes import int64
from wengert.autograd.grad_mode import no_grad
from wengert.functions.data import tensor
from wengert.nn.modules.batchnorm import _BatchNorm
from wengert.nn.modules.module import Module
from wengert.optim.lr_scheduler import LRScheduler

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Any, Any, Any], Any]
MultiAverage = Callable[[Any, Any, Any], None]


def get_swa_avg_fn() -> Average:
    """The plain mean of all that came, as a function ``(average, new, how many are in it)``.

    >>> import wengert as torch
    >>> torch.optim.swa_utils.get_swa_avg_fn()(torch.tensor(1.0), torch.tensor(4.0), 2)
    tensor(2.)
    """
    return lambda average, new, number: average + (new - average) / (number + 1)


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """A mean in which what came earlier weighs less: ``decay * average + (1 - decay) * new``.

    Raises:
        ValueError: a decay outside 0 to 1.

    >>> import wengert as torch
    >>> torch.optim.swa_utils.get_ema_avg_fn(0.5)(torch.tensor(1.0), torch.tensor(3.0), 7)
    tensor(2.)
    """
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")
    return lambda average, new, _number: decay * average + (1 - decay) * new


def get_swa_multi_avg_fn() -> MultiAverage:
    """As :func:`get_swa_avg_fn`, for lists of tensors, of which the first are written to.

    >>> import wengert as torch
    >>> average = [torch.tensor(1.0)]
    >>> torch.optim.swa_utils.get_swa_multi_avg_fn()(average, [torch.tensor(4.0)], 2)
    >>> average
    [tensor(2.)]
    """
    return _of_each(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """As :func:`get_ema_avg_fn`, for lists of tensors, of which the first are written to.

    Raises:
        ValueError: a decay outside 0 to 1.

    >>> import wengert as torch
    >>> average = [torch.tensor(1.0)]
    >>> torch.optim.swa_utils.get_ema_multi_avg_fn(0.5)(average, [torch.tensor(3.0)], 7)
    >>> average
    [tensor(2.)]
    """
    return _of_each(get_ema_avg_fn(decay))


def _of_each(mean: Average) -> MultiAverage:
    @no_grad()
    def write(averages: Any, new: Any, number: Any) -> None:
        for average, value in zip(averages, new, strict=True):
            average.copy_(mean(average, value, number))

    return write


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of those that ``update_parameters`` was called with.

    ``avg_fn`` says how (default: their mean, stochastic weight averaging: P. Izmailov et al., 2018); buffers are
    copied, unless ``use_buffers`` asks for averages of them too.

    >>> import wengert as torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> average = torch.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 3.0):
    ...     _ = torch.nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average.module.weight
    Parameter containing:
    tensor([[2.]], requires_grad=True)
    """

    n_averaged: Any

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model computes."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take a model's parameters into the averages."""
        mine, new = self._averaged(self.module), self._averaged(model)
        with no_grad():
            if int(self.n_averaged) == 0:
                for average, value in zip(mine, new, strict=True):
                    average.copy_(value)
            else:
                average_all = self.multi_avg_fn or _of_each(self.avg_fn or get_swa_avg_fn())
                average_all(mine, new, self.n_averaged)
            if not self.use_buffers:
                for own, other in zip(self.module.buffers(), model.buffers(), strict=True):
                    own.copy_(other)
            self.n_averaged += 1

    def _averaged(self, model: Module) -> list[Any]:
        return [p.detach() for p in (*model.parameters(), *(model.buffers() if self.use_buffers else ()))]


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of batch normalisation anew, from one pass over the data.

    >>> import wengert as torch
    >>> model = torch.nn.BatchNorm1d(1)
    >>> torch.optim.swa_utils.update_bn([torch.tensor([[1.0], [3.0]])], model)
    >>> model.running_mean
    tensor([2.])
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    was_training, momenta = model.training, [norm.momentum for norm in norms]
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with no_grad():
        for batch in loader:
            x = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(x if device is None else x.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Go from the present rate to ``swa_lr`` in ``anneal_epochs`` epochs, along a cosine or a line, and stay there.

    Raises:
        ValueError: an unknown strategy or a number of epochs that is negative.

    >>> import wengert as torch
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> schedule = torch.optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Any,
        swa_lr: Any,
        anneal_epochs: Any = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = list(swa_lr) if isinstance(swa_lr, (list, tuple)) else [swa_lr] * len(optimizer.param_groups)
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the way is done at a step."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[float]:
        """The rates of this epoch."""
        step = self.last_epoch if self.anneal_epochs else max(1, self.last_epoch)
        before, now = self._share(max(0, step - 1)), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            end, rate = group["swa_lr"], group["lr"]
            start = rate if before == 1 else (rate - before * end) / (1 - before)
            rates.append(now * end + (1 - now) * start)
        return rates
