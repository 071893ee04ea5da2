"""Control flow as functions: branches and loops that every transform passes through.

Eager code may branch and loop in Python. These functions are for what Python cannot do: a choice by a value that
differs between the members of a batch, and loops whose reverse pass must not keep every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from wengert import _tree
from wengert._batched import Batched
from wengert._traced import Traced
from wengert.engine.base import TensorBase
from wengert.engine.state import STATE
from wengert.func._scan import LoopBody, run_checkpointed, run_plain
from wengert.spaces.tensors import TENSOR

_BOOL: Final = np.dtype(np.bool_)


def _is_batched(x: Any) -> bool:
    return isinstance(x, TensorBase) and x._data.__class__ is Batched


def _is_traced(x: Any) -> bool:
    """Whether a condition is a value of a program that is being traced: it is known only when that runs."""
    return STATE.trace is not None and isinstance(x, TensorBase) and isinstance(x._data, Traced) and x._data.size == 1


def _truth(pred: Any, function: str) -> Any:
    """A condition as a tensor that is batched, or as a bool."""
    if isinstance(pred, TensorBase):
        if pred._data.size != 1:
            raise RuntimeError(
                f"{function}: the condition must be one bool, and has the shape {list(pred._data.shape)}"
            )
        if _is_batched(pred):
            return TENSOR.cast(TENSOR.reshape(pred, shape=()), dtype=_BOOL)
    return bool(pred)


def _given(operands: Any, function: str) -> tuple[Any, ...]:
    """The operands, which come as a tuple or list."""
    if isinstance(operands, (tuple, list)):
        return tuple(operands)
    raise RuntimeError(
        f"{function}: the operands must be a tuple of what is given to the functions, and are of type "
        f"{type(operands).__name__}: for a single operand write (x,)"
    )


def _chosen(pred: Any, a: Any, b: Any, function: str) -> Any:
    """``a`` where ``pred`` holds, else ``b``, leaf by leaf."""
    first, form = _tree.flatten(a)
    second, other = _tree.flatten(b)
    if form != other:
        raise RuntimeError(f"{function}: the branches must return the same containers, and they return {a!r} and {b!r}")
    return _tree.unflatten(form, [_where(pred, x, y, function) for x, y in zip(first, second, strict=True)])


def _where(pred: Any, x: Any, y: Any, function: str) -> Any:
    if x is y:
        return x
    if not (isinstance(x, TensorBase) and isinstance(y, TensorBase)):
        raise RuntimeError(f"{function}: inside vmap, what the branches return must be tensors")
    if x._data.shape != y._data.shape or x._data.dtype is not y._data.dtype:
        raise RuntimeError(
            f"{function}: the branches must return tensors of one shape and dtype, and they return "
            f"{list(x._data.shape)} ({x._data.dtype}) and {list(y._data.shape)} ({y._data.dtype})"
        )
    return TENSOR.where(pred, x, y)


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Sequence[Any] = ()) -> Any:
    """``true_fn(*operands)`` if ``pred`` holds, else ``false_fn(*operands)``.

    Inside ``vmap``, where ``pred`` may differ between members, both are computed and each member takes its own.

    Raises:
        RuntimeError: ``operands`` is not a tuple; ``pred`` is not one value; inside ``vmap``, branches that return
            different shapes.

    >>> import wengert as torch
    >>> torch.cond(torch.tensor(True), torch.sin, torch.cos, (torch.tensor(0.0),))
    tensor(0.)
    >>> torch.vmap(lambda x: torch.cond(x > 0, lambda x: x, lambda x: -x, (x,)))(torch.tensor([-2.0, 3.0]))
    tensor([2., 3.])
    """
    operands = _given(operands, "cond")
    if _is_traced(pred):
        return STATE.trace.cond(pred, [partial(true_fn, *operands), partial(false_fn, *operands)])
    truth = _truth(pred, "cond")
    if truth is True or truth is False:
        return (true_fn if truth else false_fn)(*operands)
    return _chosen(truth, true_fn(*operands), false_fn(*operands), "cond")


def switch(index: Any, branches: Sequence[Callable[..., Any]], operands: Sequence[Any] = ()) -> Any:
    """``branches[index](*operands)``; an index outside is taken as the nearest that there is.

    Inside ``vmap``, where the index may differ between members, all are computed.

    >>> import wengert as torch
    >>> torch.func.switch(1, [torch.sin, torch.cos], (torch.tensor(0.0),))
    tensor(1.)
    """
    if not branches:
        raise ValueError("switch: there is no branch")
    operands = _given(operands, "switch")
    if not _is_batched(index):
        at = int(index)
        return branches[min(max(at, 0), len(branches) - 1)](*operands)
    result = branches[-1](*operands)
    for number in range(len(branches) - 2, -1, -1):
        result = _chosen(TENSOR.le(index, number), branches[number](*operands), result, "switch")
    return result


def while_loop(cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Any) -> Any:
    """Apply ``body_fn`` as long as ``cond_fn`` holds; both get the carried values as arguments.

    Reverse mode keeps every step (:func:`scan` can do without). Inside ``vmap``, the loop runs until no member goes on,
    and members that are done keep their values.

    Args:
        cond_fn: gives one bool.
        body_fn: gives the new carried values, like the old ones.
        carried_inputs: a tuple of them.

    >>> import wengert as torch
    >>> torch.func.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, 2 * x), (torch.tensor(0), torch.tensor(1.0)))
    (tensor(3), tensor(8.))
    """
    carried = _given(carried_inputs, "while_loop")
    while True:
        asked = cond_fn(*carried)
        if _is_traced(asked):
            return STATE.trace.while_loop(cond_fn, body_fn, carried)
        going = _truth(asked, "while_loop")
        if going is False:
            return carried
        if going is not True and not going._data.array.any():
            return carried
        new = body_fn(*carried)
        new = new if isinstance(new, tuple) else (new,)
        if len(new) != len(carried):
            raise RuntimeError(f"while_loop: body_fn must return {len(carried)} values, and it returned {len(new)}")
        carried = new if going is True else _chosen(going, new, carried, "while_loop")


def fori_loop(lower: Any, upper: Any, body_fn: Callable[[int, Any], Any], init: Any) -> Any:
    """``for i in range(lower, upper): value = body_fn(i, value)``.

    >>> import wengert as torch
    >>> torch.func.fori_loop(0, 5, lambda i, x: x + i, torch.tensor(0))
    tensor(10)
    """
    if _is_batched(lower) or _is_batched(upper):
        start = lower if isinstance(lower, TensorBase) else upper * 0 + lower
        return while_loop(lambda i, _: i < upper, lambda i, value: (i + 1, body_fn(i, value)), (start, init))[1]
    if STATE.trace is not None:
        found = STATE.trace.fori(int(lower), int(upper), body_fn, init)
        if found is not None:
            return found
    value = init
    for i in range(int(lower), int(upper)):
        value = body_fn(i, value)
    return value


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    *,
    reverse: bool = False,
    checkpoint: bool = False,
) -> tuple[Any, Any]:
    """A loop that carries a value: ``carry, y = f(carry, x)`` for each ``x`` along the first dimension of ``xs``.

    Args:
        f: the step; carry, x and y may be nested containers of tensors, y may be None.
        init: the first carry.
        xs: what is looped over; None with ``length``.
        length: how many steps, where ``xs`` is None.
        reverse: begin with the last ``x``.
        checkpoint: keep only a few carries for the reverse pass, as many as grow like the logarithm of the number of
            steps, and compute the others again (each step some four times instead of once).

    Returns:
        The last carry, and all y stacked along a new first dimension (None where y is None). Of no step at all there
        are none, of the shape that a step on zeros tells.

    Raises:
        RuntimeError: a step changes the containers, the shape or the dtype of the carry.

    >>> import wengert as torch
    >>> torch.func.scan(lambda c, x: (c + x, c * x), torch.tensor(0.0), torch.tensor([1.0, 2.0, 3.0]))
    (tensor(6.), tensor([0., 2., 9.]))
    """
    body = LoopBody(f, init, xs, length, reverse=reverse)
    if STATE.trace is not None:
        return STATE.trace.scan(body)  # type: ignore[no-any-return]
    return run_checkpointed(body) if checkpoint and body.length else run_plain(body)


def associative_scan(combine_fn: Callable[[Any, Any], Any], xs: Any, dim: int = 0, reverse: bool = False) -> Any:
    """All running combinations ``x_0, x_0 o x_1, ...`` along a dimension, in about ``2 log2 n`` batched steps.

    Args:
        combine_fn: an associative function of two values (or nested containers), elementwise along ``dim``.
        xs: a tensor or nested containers of them.
        dim: the dimension.
        reverse: run from the end.

    >>> import wengert as torch
    >>> torch.func.associative_scan(lambda a, b: a * b, torch.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([ 1.,  2.,  6., 24.])
    """
    leaves, form = _tree.flatten(xs)
    if not leaves:
        return xs
    dim %= leaves[0]._data.ndim
    if reverse:
        leaves = [TENSOR.flip(x, dims=(dim,)) for x in leaves]

    def combine(a: list[Any], b: list[Any]) -> list[Any]:
        return _tree.flatten(combine_fn(_tree.unflatten(form, a), _tree.unflatten(form, b)))[0]

    scanned = _scanned(combine, leaves, dim)
    if reverse:
        scanned = [TENSOR.flip(x, dims=(dim,)) for x in scanned]
    return _tree.unflatten(form, scanned)


def _scanned(combine: Callable[[list[Any], list[Any]], list[Any]], xs: list[Any], dim: int) -> list[Any]:
    """Pairs are combined, the half as many results scanned, and the places between filled in."""
    n = xs[0]._data.shape[dim]
    if n < 2:
        return xs

    def part(ts: list[Any], start: int, stop: int, step: int = 1) -> list[Any]:
        return [TENSOR.slice(t, dim=dim, start=start, stop=stop, step=step) for t in ts]

    even = n - n % 2
    odd = _scanned(combine, combine(part(xs, 0, even, 2), part(xs, 1, even, 2)), dim)  # at 1, 3, 5, ...
    first = part(xs, 0, 1)
    if n > 2:
        known = part(odd, 0, (n - 1) // 2)
        rest = combine(known, part(xs, 2, n, 2))
        between = [_joined([a, b], dim) for a, b in zip(first, rest, strict=True)]  # at 0, 2, 4, ...
    else:
        between = first
    return [_interleaved(a, b, n, dim) for a, b in zip(between, odd, strict=True)]


def _joined(parts: list[Any], dim: int) -> Any:
    return TENSOR.cat(*parts, dim=dim, sizes=tuple([part._data.shape[dim] for part in parts]))


def _interleaved(a: Any, b: Any, n: int, dim: int) -> Any:
    """``a_0, b_0, a_1, b_1, ...``; ``a`` may have one more."""
    pairs = b._data.shape[dim]
    shape = b._data.shape
    whole = TENSOR.stack(TENSOR.slice(a, dim=dim, start=0, stop=pairs, step=1), b, dim=dim + 1)
    whole = TENSOR.reshape(whole, shape=(*shape[:dim], 2 * pairs, *shape[dim + 1 :]))
    if n % 2:
        whole = _joined([whole, TENSOR.slice(a, dim=dim, start=pairs, stop=pairs + 1, step=1)], dim)
    return whole


__all__ = ["associative_scan", "cond", "fori_loop", "scan", "switch", "while_loop"]
