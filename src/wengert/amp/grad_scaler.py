"""Scaling of losses, so that small gradients do not become zero in float16."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from wengert._dtypes import float16, float32
from wengert.autograd.grad_mode import no_grad
from wengert.engine.base import TensorBase
from wengert.functions.data import tensor

__all__ = ["GradScaler"]

_FORGOTTEN = "; was scaler.scale(loss) forgotten in this iteration?"


class GradScaler:
    """Multiplies losses by a scale, divides gradients by it, and leaves out steps whose gradients are not finite.

    After such a step the scale becomes smaller (``backoff_factor``); after ``growth_interval`` steps without one it
    becomes larger (``growth_factor``).

    Args:
        device: what the program runs on. ``"cuda"``, as the default is, switches the scaler off with a warning: losses
            and gradients pass as they are, and ``step`` is the optimizer's.
        init_scale: the first scale.
        growth_factor: more than 1.
        backoff_factor: less than 1.
        growth_interval: a number of steps.
        enabled: False switches the scaler off.

    Raises:
        AssertionError: factors that do not let the scale grow and shrink.

    >>> import wengert as torch
    >>> w = torch.tensor(1.0, requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.1)
    >>> scaler = torch.amp.GradScaler("cpu")
    >>> scaler.scale(w * 3).backward()
    >>> w.grad
    tensor(196608.)
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> w
    tensor(0.7000, requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda":
            warnings.warn("GradScaler is enabled, but CUDA is not available.  Disabling.", UserWarning, stacklevel=2)
            self._enabled = False
        if self._enabled and growth_factor <= 1.0:
            raise AssertionError(f"The growth factor must be > 1.0, got {growth_factor}")
        if self._enabled and backoff_factor >= 1.0:
            raise AssertionError(f"The backoff factor must be < 1.0, got {backoff_factor}")
        self._value = float(init_scale)
        self._is_in_use = False  # something was scaled
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0  # steps since the scale changed
        # Of each optimizer since the last update: whether all its gradients were finite, and whether it has stepped.
        self._finite: dict[int, bool] = {}
        self._stepped: set[int] = set()

    def scale(self, outputs: Any) -> Any:
        """A tensor, or each of an iterable of tensors, times the scale.

        Raises:
            ValueError: something else.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, TensorBase):
            self._is_in_use = True
            return outputs * tensor(self._value, dtype=float32)
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled
        raise ValueError(f"outputs must be a Tensor or an iterable of Tensors, got {type(outputs).__name__}")

    def unscale_(self, optimizer: Any) -> None:
        """Divide an optimizer's gradients by the scale now, to look at them or to limit them before the step.

        Raises:
            AssertionError: nothing was scaled.
            RuntimeError: it was done, or the optimizer has stepped, since the last update.
            ValueError: gradients in float16: keep parameters in float32.
        """
        if not self._enabled:
            return
        self._need_use("unscale_")
        if id(optimizer) in self._stepped:
            raise RuntimeError("unscale_() is being called after step().")
        if id(optimizer) in self._finite:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if any([grad.dtype is float16 for grad in grads]):
            raise ValueError("Attempting to unscale FP16 gradients. Keep the parameters in float32")
        factor = 1.0 / self._value
        with no_grad():
            finite = [bool(np.isfinite(grad._data).all()) for grad in grads]
            for grad in grads:
                grad.mul_(factor)
        self._finite[id(optimizer)] = all(finite)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Divide the gradients, unless that was done, and let the optimizer step if all are finite.

        Returns what the optimizer's ``step`` returns, None if it was left out.

        Raises:
            AssertionError: nothing was scaled.
            RuntimeError: a closure, or a second step since the last update.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._need_use("step")
        if id(optimizer) in self._stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if id(optimizer) not in self._finite:
            self.unscale_(optimizer)
        self._stepped.add(id(optimizer))
        return optimizer.step(*args, **kwargs) if self._finite[id(optimizer)] else None

    def update(self, new_scale: Any = None) -> None:
        """Make the scale larger or smaller by what the steps have met, or set it.

        Raises:
            AssertionError: nothing was scaled, or no step was made.
        """
        if not self._enabled:
            return
        self._need_use("update")
        if new_scale is not None:
            self._value = float(new_scale)
        elif not self._finite:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif all(self._finite.values()):
            self._grow()
        else:
            self._value *= self._backoff_factor
            self._growth_tracker = 0
        self._finite, self._stepped = {}, set()

    def _grow(self) -> None:
        self._growth_tracker += 1
        if self._growth_tracker == self._growth_interval:
            self._growth_tracker = 0
            grown = self._value * self._growth_factor
            if math.isfinite(grown) and grown <= np.finfo(np.float32).max:
                self._value = grown

    def _need_use(self, method: str) -> None:
        if not self._is_in_use:
            raise AssertionError(f"Attempted {method} but _scale is None: nothing was scaled{_FORGOTTEN}")

    def get_scale(self) -> float:
        """The scale; 1.0 if the scaler is off."""
        return self._value if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the scale is multiplied by to grow."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set that factor."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied by after a step that was left out."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set that factor."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many steps without one left out let the scale grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set that number."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether the scaler does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The scale and the settings, as PyTorch names them; empty if the scaler is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self._value,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave.

        Raises:
            RuntimeError: an empty one, of a scaler that was off.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._value = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]
