"""What `gradcheck` says of a wrong Jacobian: where, by how much, and what the differences are for other steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.autograd._jacobians import Array, Function
from wengert.engine.base import array_of, edge_of, wrap
from wengert.engine.messages import node_at

_STEPS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


class GradcheckError(RuntimeError):
    """A gradient is not what finite differences say; `gradcheck` and `gradgradcheck` raise it."""

    __module__ = "wengert.autograd.gradcheck"


def close(a: Array, n: Array, atol: float, rtol: float) -> Array:
    """Where two Jacobians agree, real and imaginary parts each."""
    with np.errstate(all="ignore"):
        real = np.abs(a.real - n.real) <= atol + rtol * np.abs(n.real)
        imaginary = np.abs(a.imag - n.imag) <= atol + rtol * np.abs(n.imag)
    return np.asarray(real & imaginary)


def mismatch(
    function: Function, i: int, k: int, a: Array, n: Array, wrong: Array, mode: str = "backward"
) -> GradcheckError:
    """The error for the Jacobians ``a`` (by ``mode``) and ``n`` (by differences) of result ``k`` and input ``i``."""
    output = function.chosen[k]
    with np.errstate(all="ignore"):
        distance = np.where(wrong, np.nan_to_num(np.abs(a - n), nan=np.inf), -1.0)
    row, column = np.unravel_index(int(np.argmax(distance)), a.shape)
    x, y = array_of(function.inputs[i]), array_of(function.outputs[k])
    rows = _table(function, i, k, int(row), int(column))
    by = "computed with forward mode " if mode == "forward" else ""
    lines = [
        f"Jacobian {by}mismatch for output {output} with respect to input {i},",
        f"numerical:{_shown(n)}",
        f"analytical:{_shown(a)}",
        (
            f"{np.count_nonzero(wrong)} of {wrong.size} elements differ, most {_place(x, int(row), f'input {i}')} and "
            f"{_place(y, int(column), f'output {output}')}: analytical {_number(a[row, column])}, "
            f"numerical {_number(n[row, column])}, relative error {_relative(a[row, column], n[row, column])}."
        ),
        *_made_by(output, function.outputs[k]),
        "There, by step of the differences:",
        f"  {'step':<8}{'numerical':<28}relative error of the analytical value",
        *[f"  {step:<8.0e}{_number(value):<28}{_relative(a[row, column], value)}" for step, value in rows],
        _verdict([value for _, value in rows]),
    ]
    return GradcheckError("\n".join(lines))


def _made_by(output: int, y: Any) -> list[str]:
    node = edge_of(y)
    return [f"Output {output} is the result of {node_at(node)}."] if node is not None else []


def _table(function: Function, i: int, k: int, row: int, column: int) -> list[tuple[float, Any]]:
    change = list(function.directions(i))[row]
    return [(step, function.difference(i, change, step)[k].reshape(-1)[column]) for step in _STEPS]


def _verdict(quotients: list[Any]) -> str:
    """Whether the differences settle as the step falls, which says who is wrong."""
    middle = np.asarray(quotients[2:6])
    spread, size = np.ptp(middle.real) + np.ptp(middle.imag), np.max(np.abs(middle))
    if spread <= 1e-3 * size or size == 0:
        return "The differences settle, so it is the gradient that is wrong."
    return (
        "The differences do not settle: the function has a kink or a jump there, depends on chance, or computes in too "
        "low a precision (use float64)."
    )


def _shown(jacobian: Array) -> str:
    return repr(wrap(jacobian))


def _number(value: Any) -> str:
    return f"{complex(value):.10g}" if np.iscomplexobj(value) else f"{float(value):.10g}"


def _relative(a: Any, n: Any) -> str:
    with np.errstate(all="ignore"):
        return f"{float(abs(a - n) / max(abs(n), abs(a))):.2g}" if a != n else "0"


def _place(x: Array, number: int, what: str) -> str:
    if not x.ndim:
        return f"{'at' if number == 0 else 'in the imaginary part of'} {what}"
    part = "in the imaginary part " if number >= x.size else ""
    index = [int(j) for j in np.unravel_index(number % x.size, x.shape)]
    return f"{part}at {what}{index}"
