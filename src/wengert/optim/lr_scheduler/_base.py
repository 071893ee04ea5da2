"""What schedules of the learning rate have in common."""

from __future__ import annotations

import types
import warnings
from typing import Any

from wengert._tensor import Tensor
from wengert._traced import TraceError
from wengert.engine.state import STATE
from wengert.optim.optimizer import Optimizer

__all__ = ["LRScheduler", "set_rate"]


_TRACED = (
    "a learning rate scheduler's step() cannot be part of a compiled function: it counts in Python, so that every call "
    "would repeat the first one. Call it after the compiled function, which reads the learning rates at each call."
)


def set_rate(group: dict[str, Any], key: str, value: Any) -> None:
    """Put a number into a setting; one that is a tensor is filled."""
    if isinstance(group.get(key), Tensor):
        group[key].fill_(value)
    else:
        group[key] = value


class LRScheduler:
    """Base class of schedules: subclasses write ``get_lr``, the rates of all groups at ``self.last_epoch``.

    Making one takes the optimizer's rates as those to begin with (``initial_lr``), and sets those of epoch 0.

    Raises:
        TypeError: no optimizer.
        KeyError: ``last_epoch`` says to go on, and the optimizer's groups have no ``initial_lr``.

    >>> import wengert as torch
    >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [base * 0.5**self.last_epoch for base in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> schedule = Halving(optimizer)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.125]
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                lr = group["lr"]
                group.setdefault("initial_lr", lr.clone() if isinstance(lr, Tensor) else lr)
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch "
                    ">= 0. Load the optimizer's state dict, or set it"
                )
        self.base_lrs: list[Any] = [_plain(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule knows but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The rates of all groups that were set last."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates of all groups at ``self.last_epoch``; subclasses write it."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr")

    def _rates(self) -> list[Any]:
        """The rates that the optimizer has now."""
        return [_plain(group["lr"]) for group in self.optimizer.param_groups]

    def _warn_unless_in_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def step(self, epoch: int | None = None) -> None:
        """Go on by one epoch, or to the one given, and set the optimizer's rates."""
        if STATE.trace is not None:
            raise TraceError(_TRACED)
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the opposite order: "
                "`optimizer.step()` before `lr_scheduler.step()`. Failure to do this will result in skipping the first "
                "value of the learning rate schedule.",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self._get_lr_called_within_step = True
        try:
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                rates = getattr(self, "_get_closed_form_lr", self.get_lr)()
        finally:
            self._get_lr_called_within_step = False
        self._set_rates(rates)

    def _set_rates(self, rates: list[Any]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=False):
            set_rate(group, "lr", rate)
        self._last_lr = self._rates()


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


class FunctionScheduler(LRScheduler):
    """A schedule by functions of the epoch, one for each group."""

    def __init__(self, optimizer: Any, lr_lambda: Any, last_epoch: int = -1) -> None:
        n = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * n
        if len(self.lr_lambdas) != n:
            raise ValueError(f"Expected {n} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """All but the optimizer; of the functions only those that are objects with attributes, as their attributes."""
        state = super().state_dict()
        state["lr_lambdas"] = [None if isinstance(f, types.FunctionType) else dict(f.__dict__) for f in self.lr_lambdas]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave; functions stay those given here."""
        self.__dict__.update({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for f, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                f.__dict__.update(saved)
