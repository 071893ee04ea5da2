"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert._source import user_code
from wengert.autograd.grad_mode import enable_grad
from wengert.engine.base import INFERENCE, array_of, cell_of, wrap_plain
from wengert.optim._line_search import Point, strong_wolfe
from wengert.optim._updates import check_at_least, number_of
from wengert.optim.optimizer import Optimizer

__all__ = ["LBFGS"]

_KEPT = ("d", "old_dirs", "old_stps", "prev_flat_grad")  # what the state holds as tensors, and the search as arrays


class LBFGS(Optimizer):
    """The quasi-Newton method with limited memory (Liu and Nocedal, 1989).

    A step runs up to ``max_iter`` iterations, so it needs a closure that computes the loss and its gradients anew.
    Each iteration goes along ``-H g``, with ``H`` the inverse Hessian that the last ``history_size`` differences of
    points and gradients suggest; ``line_search_fn="strong_wolfe"`` searches along it.

    Raises:
        ValueError: several groups of parameters, or settings out of range.
        RuntimeError: another line search.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - torch.tensor([1.0, 2.0])) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    20.0
    >>> torch.round(w.data, decimals=4)
    tensor([1., 2.])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_at_least("learning rate", lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # --- all parameters as one vector ---

    def _params(self) -> list[Any]:
        return self.param_groups[0]["params"]  # type: ignore[no-any-return]

    def _gradient(self) -> Any:
        parts = [
            _reals(np.zeros_like(array_of(p)) if p.grad is None else np.asarray(p.grad._data)) for p in self._params()
        ]
        return np.concatenate(parts)

    def _point(self) -> Any:
        return np.concatenate([_reals(array_of(p)) for p in self._params()])

    def _go_to(self, x: Any) -> None:
        """Put a vector into the parameters, and count the writes."""
        place = user_code(4)
        start = 0
        for p in self._params():
            target = array_of(p)
            if not target.flags.writeable:
                target = p._data = target.copy()
            n = target.size * (2 if target.dtype.kind == "c" else 1)
            part = np.ascontiguousarray(x[start : start + n])
            np.copyto(target, part.view(target.dtype).reshape(target.shape))
            start += n
            cell = cell_of(p)
            if cell is not INFERENCE:
                cell[:] = (cell[0] + 1, *place)

    # --- the iterations ---

    def step(self, closure: Any = None) -> Any:
        """Run the iterations of one step; returns the first loss.

        Raises:
            TypeError: no closure.
        """
        if closure is None:
            raise TypeError("LBFGS.step() needs a closure, which computes the loss and its gradients anew")
        group = self.param_groups[0]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        state = self.state[self._params()[0]]
        with enable_grad():
            first = closure()
        run = _Run(group, _arrays(state), float(first), self._gradient())
        if run.is_flat():
            run.count()
        else:
            self._iterate(run, closure)
        state.update(_tensors(run.state))
        return first

    def _evaluate(self, closure: Callable[[], Any], x: Any) -> tuple[float, Any]:
        self._go_to(x)
        with enable_grad():
            loss = float(closure())
        return loss, self._gradient()

    def _along(self, closure: Callable[[], Any], start: Any, d: Any) -> Callable[[Any], tuple[float, Any]]:
        return lambda t: self._evaluate(closure, start + t * d)

    def _iterate(self, run: _Run, closure: Callable[[], Any]) -> None:
        group = run.group
        run.count()
        for iteration in range(1, group["max_iter"] + 1):
            run.choose_direction()
            slope = run.g @ run.state["d"]
            if slope > -group["tolerance_change"]:
                return
            start, d = self._point(), run.state["d"]
            t = run.state["t"]
            before = run.loss
            if group["line_search_fn"] is not None:
                found, evaluations = strong_wolfe(
                    self._along(closure, start, d),
                    Point(0.0, run.loss, run.g, slope),
                    t,
                    d,
                    group["max_eval"] - run.evaluations,
                )
                self._go_to(start + found.t * d)
                run.arrive(found.t, found.f, found.g, evaluations)
            elif iteration < group["max_iter"]:
                run.arrive(t, *self._evaluate(closure, start + t * d), 1)
            else:
                self._go_to(start + t * d)
            if iteration == group["max_iter"] or run.evaluations >= group["max_eval"] or run.is_flat():
                return
            if np.abs(d * run.state["t"]).max() <= group["tolerance_change"]:
                return
            if abs(run.loss - before) < group["tolerance_change"]:
                return


class _Run:
    """One step: the loss and gradient where it is, and the state that the next step goes on from."""

    def __init__(self, group: dict[str, Any], state: dict[str, Any], loss: float, g: Any) -> None:
        self.group, self.state, self.loss, self.g = group, state, loss, g
        self.evaluations = 1
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

    def count(self) -> None:
        """Count the first evaluation."""
        self.state["func_evals"] += 1

    def is_flat(self) -> bool:
        """Whether the gradient is as good as zero."""
        return bool(np.abs(self.g).max() <= self.group["tolerance_grad"])

    def arrive(self, t: Any, loss: float, g: Any, evaluations: int) -> None:
        """Be at a new point."""
        self.state["t"], self.loss, self.g = t, loss, g
        self.evaluations += evaluations
        self.state["func_evals"] += evaluations

    def choose_direction(self) -> None:
        """Set the direction and the first length to try."""
        state, g = self.state, self.g
        state["n_iter"] += 1
        if state["n_iter"] == 1:
            state.update(d=-g, old_dirs=[], old_stps=[], ro=[], H_diag=1)
        else:
            self._remember(g - state["prev_flat_grad"], state["d"] * state["t"])
            state["d"] = self._newton_direction()
        state["prev_flat_grad"], state["prev_loss"] = g, self.loss
        lr = number_of(self.group["lr"])
        state["t"] = min(1.0, 1.0 / np.abs(g).sum()) * lr if state["n_iter"] == 1 else lr

    def _remember(self, y: Any, s: Any) -> None:
        """Keep a difference of gradients and one of points, unless the loss curves downwards between them."""
        state = self.state
        curvature = y @ s
        if curvature <= 1e-10:
            return
        for key, value in (("old_dirs", y), ("old_stps", s), ("ro", 1.0 / curvature)):
            if len(state[key]) == self.group["history_size"]:
                del state[key][0]
            state[key].append(value)
        state["H_diag"] = curvature / (y @ y)

    def _newton_direction(self) -> Any:
        """``-H g`` by the two-loop recursion."""
        memory = list(zip(self.state["old_dirs"], self.state["old_stps"], self.state["ro"], strict=True))
        q = -self.g
        shares = []
        for y, s, rho in reversed(memory):
            share = (s @ q) * rho
            shares.append(share)
            q -= share * y
        q *= self.state["H_diag"]
        for (y, s, rho), share in zip(memory, reversed(shares), strict=True):
            q += (share - (y @ q) * rho) * s
        return q


def _reals(a: Any) -> Any:
    """An array as a vector of real numbers."""
    line = np.ascontiguousarray(a).reshape(-1)
    return line.view(line.real.dtype) if line.dtype.kind == "c" else line


def _arrays(state: dict[str, Any]) -> dict[str, Any]:
    def of(value: Any) -> Any:
        return [of(v) for v in value] if isinstance(value, list) else array_of(value)

    return {key: of(value) if key in _KEPT else value for key, value in state.items()}


def _tensors(state: dict[str, Any]) -> dict[str, Any]:
    def of(value: Any) -> Any:
        return [of(v) for v in value] if isinstance(value, list) else wrap_plain(value)

    return {key: of(value) if key in _KEPT else value for key, value in state.items()}
