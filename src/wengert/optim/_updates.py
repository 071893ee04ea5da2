"""Elementwise updates of parameters on their own memory: tiles of large ones, threads, and the count of writes.

An optimizer here is a class that says which numbers and which arrays an update takes, and a function on NumPy arrays
that changes them in place. The function sees arrays of one shape; large ones come in tiles, so that what it computes in
between stays in the cache, and complex ones come as their real and imaginary parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from wengert._fpenv import SILENT, enter, leave
from wengert._source import user_code
from wengert._tensor import Tensor
from wengert.autograd.grad_mode import enable_grad
from wengert.engine.base import INFERENCE, array_of, cell_of, wrap_plain
from wengert.engine.kernels import KERNELS
from wengert.engine.state import STATE
from wengert.engine.workers import get_num_threads, share_out
from wengert.optim._machine_updates import run_machine_update
from wengert.optim._traced_step import trace_step
from wengert.optim.optimizer import Optimizer

__all__ = [
    "ElementwiseOptimizer",
    "Plan",
    "advance",
    "check_at_least",
    "check_betas",
    "check_switches",
    "evaluated",
    "new_count",
    "number_of",
    "zeros_for",
]

_LARGE: Final = 1 << 15  # elements from which tiles pay
_WORKING_SET: Final = 1 << 20  # bytes of a tile: all arrays, and what is computed in between; it stays in the cache
_SHARED: Final = 1 << 17  # elements from which a second thread pays

Update = Callable[..., None]
Plan = tuple[Update, tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]


class ElementwiseOptimizer(Optimizer):
    """An optimizer whose step treats every element of every parameter alike."""

    def _begin(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Make the state of a parameter before its first step."""

    def _plan(self, p: Any, state: dict[str, Any], group: dict[str, Any]) -> Plan:
        """The update of a parameter: function, tensors of the state, numbers, settings. Counts the step.

        The function is called with the arrays, the numbers and the settings. Numbers may differ from step to step, so
        that it only computes with them; settings, which it may ask about, rarely do.
        """
        raise NotImplementedError

    def step(self, closure: Any = None) -> Any:
        """Move all parameters that have a gradient; returns the loss if there is a ``closure``.

        Args:
            closure: computes the loss and its gradients anew, and returns the loss.
        """
        loss = evaluated(closure)
        if STATE.trace is not None:
            trace_step(self)
            return loss
        place = user_code(3)
        token = enter(SILENT)
        try:
            for group in self.param_groups:
                for p in group["params"]:
                    g = getattr(p, "_grad", None)
                    if g is None:
                        continue
                    state = self.state.get(p)
                    if not state:
                        state = {}
                        self._begin(p, state, group)
                    update, tensors, numbers, settings = self._plan(p, state, group)
                    if state:
                        self.state[p] = state
                    _write(p, g, update, tensors, numbers, settings, place)
        finally:
            leave(token)
        return loss


def evaluated(closure: Any) -> Any:
    """The loss that ``closure`` computes, with gradients enabled."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


def _write(
    p: Any,
    g: Any,
    update: Update,
    tensors: tuple[Any, ...],
    numbers: tuple[Any, ...],
    settings: tuple[Any, ...],
    place: Any,
) -> None:
    """Run an update on the memory of a parameter, and count the write."""
    value = p._data
    is_scalar = value.__class__ is not np.ndarray
    target = np.asarray(value) if is_scalar else value
    if is_scalar and not target.flags.writeable:
        target = target.copy()
    arrays = (target, np.asarray(g._data), *[array_of(t) for t in tensors])
    _run(update, arrays, numbers, settings)
    if is_scalar:
        p._data = target[()]
    cell = cell_of(p)
    if cell is not INFERENCE:
        cell[:] = (cell[0] + 1, *place)
    for t in tensors:
        if t._cell:
            t._cell[0] += 1


def _run(update: Update, arrays: tuple[Any, ...], numbers: tuple[Any, ...], settings: tuple[Any, ...]) -> None:
    target = arrays[0]
    if not target.ndim:  # computing with arrays without dimensions gives NumPy scalars, which cannot be written to
        arrays = tuple([a.reshape(1) for a in arrays])
        target = arrays[0]
    if target.dtype.kind == "c":
        for part in ("real", "imag"):
            _run(update, tuple([getattr(a, part) for a in arrays]), numbers, settings)
        return
    n = target.size
    lines = _lines(arrays) if n >= KERNELS.elements else None
    if lines is None:
        update(*arrays, *numbers, *settings)
    elif not run_machine_update(update, lines, numbers, settings):
        _run_in_tiles(update, lines, (*numbers, *settings))


def _run_in_tiles(update: Update, lines: list[Any], numbers: tuple[Any, ...]) -> None:
    n, itemsize = lines[0].size, lines[0].itemsize
    size = _WORKING_SET // ((len(lines) + 2) * itemsize) if n >= _LARGE else n

    def piece(number: int) -> None:
        start = number * size
        update(*[line[start : start + size] for line in lines], *numbers)

    count = -(-n // size)
    if n >= _SHARED and get_num_threads() > 1:
        share_out(piece, 0, count)
    else:
        for number in range(count):
            piece(number)


def _lines(arrays: tuple[Any, ...]) -> list[Any] | None:
    """The arrays as lines in one common order of memory, or None if they have none."""
    if all([a.flags.c_contiguous for a in arrays]):
        return [a.reshape(-1) for a in arrays]
    if all([a.flags.f_contiguous for a in arrays]):
        return [a.T.reshape(-1) for a in arrays]
    return None


# --- what the optimizers' settings are made of ---


def zeros_for(p: Any) -> Any:
    """A tensor of zeros like a parameter, with memory of its own: part of the parameter's state."""
    return wrap_plain(np.zeros_like(array_of(p) if p._data.__class__ is np.ndarray else np.asarray(p._data)))


def number_of(value: Any) -> Any:
    """A setting as a Python number: a learning rate may be a tensor."""
    return value.item() if isinstance(value, Tensor) else value


def check_at_least(name: str, value: Any, least: float = 0.0) -> None:
    """Raise unless a setting is at least so large.

    Raises:
        ValueError: it is less, or NaN.
    """
    if not number_of(value) >= least:
        raise ValueError(f"Invalid {name}: {value}")


def check_betas(betas: tuple[Any, Any]) -> None:
    """Raise unless both are in [0, 1).

    Raises:
        ValueError: one is not.
    """
    for i, beta in enumerate(betas):
        if not 0.0 <= number_of(beta) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def check_switches(settings: dict[str, Any]) -> None:
    """Raise for the settings that ask for something that is not there.

    Raises:
        NotImplementedError: ``differentiable``.
    """
    if settings.get("differentiable"):
        raise NotImplementedError(
            "differentiable=True: the step writes into the parameters' memory and is not recorded. Write the update "
            "with tensor operations, w = w - lr * g, to differentiate through it"
        )


def new_count() -> Any:
    """The number of steps so far: a tensor, so that state dicts are PyTorch's."""
    return wrap_plain(np.float32(0.0))


def advance(state: dict[str, Any]) -> int:
    """Count a step of a parameter; returns how many there are."""
    count = state["step"]
    if not isinstance(count, Tensor):  # of an old state dict
        count = state["step"] = wrap_plain(np.float32(count))
    t = int(count._data) + 1
    count._data = np.float32(t)
    return t
