"""Whole derivatives: ``jacrev``, ``jacfwd``, ``hessian``, and the Hessian times a vector."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from wengert import _tree
from wengert.engine.base import wrap
from wengert.func._forward import jvp
from wengert.func._levels import checked_argnums, require_tensor, with_aux, with_replaced
from wengert.func._reverse import grad, vjp
from wengert.func._vmap import vmap
from wengert.spaces.tensors import TENSOR


def basis(like: list[Any], start: int, stop: int) -> list[Any]:
    """Rows ``start`` to ``stop`` of the identity on all elements of the tensors, one batch for each tensor."""
    parts, offset = [], 0
    for t in like:
        raw = t._data
        n = prod(raw.shape)
        rows = np.zeros((stop - start, n), raw.dtype)
        first, last = max(start, offset), min(stop, offset + n)
        if first < last:
            places = np.arange(first, last)
            rows[places - start, places - offset] = 1
        parts.append(wrap(rows.reshape(stop - start, *raw.shape)))
        offset += n
    return parts


def _chunks(total: int, chunk_size: int | None) -> list[tuple[int, int]]:
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1, got {chunk_size}")
    step = chunk_size or max(total, 1)
    return [(start, min(start + step, total)) for start in range(0, total, step)]


def _joined(chunks: list[list[Any]]) -> list[Any]:
    """Batches of rows, one after the other."""
    if len(chunks) == 1:
        return chunks[0]
    return [
        TENSOR.cat(*pieces, dim=0, sizes=tuple([piece._data.shape[0] for piece in pieces]))
        for pieces in zip(*chunks, strict=True)
    ]


def jacrev(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of ``func`` by reverse mode: one pass for each element of the output, batched.

    The Jacobian of an output of shape ``S`` by an argument of shape ``T`` has the shape ``(*S, *T)``; of nested outputs
    and arguments it is nested likewise, outputs outside. For complex tensors it is the conjugate of the derivative, as
    in PyTorch.

    Args:
        func: the function.
        argnums: the arguments to differentiate by; for a tuple there is a tuple of Jacobians.
        has_aux: ``func`` returns ``(output, aux)``, and the result is ``(jacobian, aux)``.
        chunk_size: compute so many rows at a time, which bounds the memory.

    >>> import wengert as torch
    >>> torch.func.jacrev(torch.sin)(torch.tensor([0.0, 1.0]))
    tensor([[1.0000, 0.0000],
            [0.0000, 0.5403]])
    """

    @functools.wraps(func)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        positions = checked_argnums(argnums, len(args))
        inner = with_aux(func, has_aux, "jacrev")
        value, pull, aux = vjp(
            lambda *xs: inner(*with_replaced(args, positions, xs), **kwargs),
            *[args[i] for i in positions],
            has_aux=True,
        )
        outputs, spec = _tree.flatten(value)
        total = sum([prod(y._data.shape) for y in outputs])
        rows = [
            _tree.flatten(vmap(lambda *vs: pull(_tree.unflatten(spec, vs)))(*basis(outputs, start, stop)))[0]
            for start, stop in _chunks(total, chunk_size)
        ]
        xs, in_spec = _tree.flatten(tuple([args[i] for i in positions]))
        blocks = _joined(rows) if rows else [wrap(np.zeros((0, *x._data.shape), x._data.dtype)) for x in xs]
        jacobian = _by_output(blocks, outputs, spec, in_spec, isinstance(argnums, int))
        return (jacobian, aux) if has_aux else jacobian

    return transformed


def _by_output(
    blocks: list[Any], outputs: list[Any], spec: _tree.Structure, in_spec: _tree.Structure, single: bool
) -> Any:
    """From one batch of rows for each input, the blocks for each output."""
    found, offset = [], 0
    for y in outputs:
        n, shape = prod(y._data.shape), y._data.shape
        parts = []
        for block in blocks:
            part = TENSOR.slice(block, dim=0, start=offset, stop=offset + n, step=1) if len(outputs) > 1 else block
            parts.append(TENSOR.reshape(part, shape=(*shape, *block._data.shape[1:])))
        tree = _tree.unflatten(in_spec, parts)
        found.append(tree[0] if single else tree)
        offset += n
    return _tree.unflatten(spec, found)


def jacfwd(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of ``func`` by forward mode: one pass for each element of the input, batched.

    Shapes and arguments as in :func:`jacrev`; ``randomness`` as in :func:`vmap`.

    >>> import wengert as torch
    >>> torch.func.jacfwd(torch.sin)(torch.tensor([0.0, 1.0]))
    tensor([[1.0000, 0.0000],
            [0.0000, 0.5403]])
    """

    @functools.wraps(func)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        positions = checked_argnums(argnums, len(args))
        chosen = tuple([args[i] for i in positions])
        xs, in_spec = _tree.flatten(chosen)
        for x in xs:
            require_tensor(x, "the arguments to differentiate by")
        inner = with_aux(func, has_aux, "jacfwd")
        seen: list[Any] = []

        def push(*ts: Any) -> Any:
            def run(*leaves: Any) -> Any:
                output, aux = inner(*with_replaced(args, positions, _tree.unflatten(in_spec, leaves)), **kwargs)
                return output, aux

            output, t, aux = jvp(run, tuple(xs), ts, has_aux=True)
            seen[:] = [_tree.flatten(output), aux]
            return _tree.flatten(t)[0]

        total = sum([prod(x._data.shape) for x in xs])
        columns = [
            vmap(push, randomness=randomness)(*basis(xs, start, stop)) for start, stop in _chunks(total, chunk_size)
        ]
        if columns:
            (outputs, spec), aux = seen
            batches = _joined(columns)
        else:  # the arguments have no elements
            output, aux = inner(*args, **kwargs)
            outputs, spec = _tree.flatten(output)
            batches = [wrap(np.zeros((0, *y._data.shape), y._data.dtype)) for y in outputs]
        jacobian = _by_input(batches, outputs, spec, xs, in_spec, isinstance(argnums, int))
        return (jacobian, aux) if has_aux else jacobian

    return transformed


def _by_input(
    batches: list[Any], outputs: list[Any], spec: _tree.Structure, xs: list[Any], in_spec: _tree.Structure, single: bool
) -> Any:
    """From one batch of columns for each output, the blocks for each input."""
    found = []
    for y, batch in zip(outputs, batches, strict=True):
        shape, parts, offset = y._data.shape, [], 0
        for x in xs:
            n = prod(x._data.shape)
            part = TENSOR.slice(batch, dim=0, start=offset, stop=offset + n, step=1) if len(xs) > 1 else batch
            moved = TENSOR.permute(part, dims=(*range(1, len(shape) + 1), 0))
            parts.append(TENSOR.reshape(moved, shape=(*shape, *x._data.shape)))
            offset += n
        tree = _tree.unflatten(in_spec, parts)
        found.append(tree[0] if single else tree)
    return _tree.unflatten(spec, found)


def hessian(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, chunk_size: int | None = None
) -> Callable[..., Any]:
    """A function that gives the second derivative of ``func``: forward mode over reverse mode.

    >>> import wengert as torch
    >>> torch.func.hessian(lambda x: (x**3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums, chunk_size=chunk_size)


def hvp(func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    """The Hessian of ``func`` times a vector, without the Hessian: forward mode over ``grad``.

    Args:
        func: a function that returns one number.
        primals: the arguments, as a tuple.
        tangents: the vector, a tuple like ``primals``.

    Returns:
        For one argument its part of the product; for several a tuple.

    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.func.hvp(lambda x: (x**3).sum(), (x,), (torch.ones(2),))
    tensor([ 6., 12.])
    """
    argnums = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(func, argnums), primals, tangents)[1]
