"""Derivatives of a function held against finite differences, to any order, in every nesting of modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import _tree
from wengert.autograd._jacobians import random_like
from wengert.autograd.gradcheck import GradcheckError, gradcheck
from wengert.engine.base import TensorBase, array_of, wrap
from wengert.func import jvp, vjp

_MODES = {"fwd": "forward", "rev": "reverse"}


def check_grads(
    f: Callable[..., Any],
    args: Any,
    order: int = 1,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> None:
    """Check the derivatives of ``f`` up to an order, in every nesting of ``modes``, against central differences.

    Arguments of lower precision are taken as float64 or complex128, so that rounding does not hide errors. For a
    derivative of order k the function that computes the one of order k - 1 (along random directions) is checked.

    Args:
        f: a function of tensors (nested containers, other values) that returns tensors.
        args: its arguments, as a tuple; a single one may stand alone. All float and complex tensors are checked.
        order: the highest order.
        modes: ``"fwd"``, ``"rev"`` or both.
        eps: the step of the differences.
        atol: absolute tolerance.
        rtol: relative tolerance.

    Raises:
        GradcheckError: a derivative is wrong; the message names function, order and nesting, result, input and element,
            the operation, both values, and the difference quotients for a table of steps.
        ValueError: no tensor to check by; an unknown mode; an order below one.

    >>> import wengert as torch
    >>> torch.testing.check_grads(lambda x, y: torch.sin(x) * y, (torch.tensor(0.5), torch.tensor(2.0)), order=3)
    """
    if order < 1:
        raise ValueError(f"check_grads: order must be at least 1, got {order}")
    unknown = [mode for mode in modes if mode not in _MODES]
    if unknown or not modes:
        raise ValueError(f"check_grads: modes must be some of {list(_MODES)}, got {list(modes)}")
    leaves, form = _tree.flatten(tuple(args) if isinstance(args, (tuple, list)) else (args,))
    places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, TensorBase) and leaf._data.dtype.kind in "fc"]
    if not places:
        raise ValueError("check_grads: args has no float or complex tensor to differentiate by")
    xs = [_upcast(leaves[k]) for k in places]

    def flat(*values: Any) -> tuple[Any, ...]:
        given = list(leaves)
        for k, value in zip(places, values, strict=True):
            given[k] = value
        return tuple([y for y in _tree.flatten(f(*_tree.unflatten(form, given)))[0] if _has_derivative(y)])

    name = getattr(f, "__name__", None) or repr(f)
    settings: dict[str, Any] = {"eps": eps, "atol": atol, "rtol": rtol}
    _check(flat, xs, order, tuple(modes), f"check_grads({name})", (), settings)


def _upcast(x: Any) -> Any:
    raw = array_of(x)
    return wrap(raw.astype(np.complex128 if raw.dtype.kind == "c" else np.float64))


def _has_derivative(y: Any) -> bool:
    return isinstance(y, TensorBase) and y._data.dtype.kind in "fc"


def _check(
    f: Callable[..., tuple[Any, ...]],
    xs: list[Any],
    order: int,
    modes: tuple[str, ...],
    name: str,
    taken: tuple[str, ...],
    settings: dict[str, Any],
) -> None:
    inputs = [wrap(array_of(x).copy()).requires_grad_() for x in xs]
    try:
        gradcheck(
            f, inputs, check_forward_ad="fwd" in modes, check_backward_ad="rev" in modes, nondet_tol=1e-12, **settings
        )
    except GradcheckError as error:
        before = f" of its derivative by {' over '.join([_MODES[mode] for mode in taken])} mode" if taken else ""
        raise GradcheckError(f"{name}: derivative of order {len(taken) + 1}{before}: {error}") from None
    if order == 1:
        return
    for mode in modes:
        _check(_derived(f, xs, mode), xs, order - 1, modes, name, (mode, *taken), settings)


def _derived(f: Callable[..., tuple[Any, ...]], xs: list[Any], mode: str) -> Callable[..., tuple[Any, ...]]:
    """The derivative of ``f`` along fixed random directions, as a function of its arguments."""
    if mode == "fwd":
        ts = tuple([wrap(random_like(array_of(x), seed=k)) for k, x in enumerate(xs)])
        return lambda *values: jvp(f, values, ts)[1]
    gs = tuple([wrap(random_like(array_of(y), seed=50 + k)) for k, y in enumerate(f(*xs))])
    return lambda *values: vjp(f, *values)[1](gs)


__all__ = ["check_grads"]
