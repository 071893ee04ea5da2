"""Which elements of a result depend on which of an input: found by following sets of indices through the graph.

For each node the local pattern says which elements of its result depend on which of each input: elementwise
operations broadcast indices, movements and indexing are applied to an array of indices, reductions group them. Where
an operation says nothing about it (a matrix product), every element is taken to depend on all that may meet it, so a
pattern is never too small.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from wengert._scipy import scipy_module
from wengert.autograd.function import Function
from wengert.engine.base import edge_of
from wengert.engine.custom import FunctionNode
from wengert.engine.node import AccumulateGrad, Node, Port
from wengert.engine.saved import raw_saved
from wengert.ops.record import Kind
from wengert.spaces.raw import RAW

Array = np.ndarray[Any, Any]


def scipy_sparse() -> Any:
    """SciPy's sparse matrices, which the extra ``[scipy]`` brings.

    Raises:
        ImportError: SciPy is not installed.
    """
    return scipy_module("sparse", "a sparse Jacobian")


def pattern_of(output: Any, source: Any) -> Any:
    """The pattern of the Jacobian of a recorded tensor by a leaf or alias: a boolean CSR matrix."""
    sparse = scipy_sparse()
    start, end = edge_of(source), edge_of(output)
    n = source._data.size
    empty = sparse.csr_matrix((output._data.size, n), dtype=np.bool_)
    if start is None or end is None:
        return empty
    known: dict[Node, Any] = {start: sparse.identity(n, np.bool_, "csr")}
    for node in sorted(_between(end, start), key=lambda node: node.seq, reverse=True):
        if node not in known:
            known[node] = _of_node(node, known, n, sparse)
    found = known.get(end)
    return empty if found is None else found.astype(np.bool_)


def has_forward_rules(output: Any, source: Any) -> bool:
    """Whether forward mode can go where the graph goes: each Function on the way has a ``jvp``."""
    start, end = edge_of(source), edge_of(output)
    if start is None or end is None:
        return True
    functions = [node.function for node in _between(end, start) if isinstance(node, FunctionNode)]
    return all([cls.jvp is not Function.jvp for cls in functions])


def _between(end: Node, start: Node) -> list[Node]:
    """The nodes that lead from ``end`` down to ``start``'s age."""
    seen: set[Node] = set()
    stack = [end]
    while stack:
        node = stack.pop()
        if node in seen or (isinstance(node, AccumulateGrad) and node is not start):
            continue
        seen.add(node)
        if node is not start:
            stack.extend([n for n in node.next if n is not None])
    return list(seen)


def _of_node(node: Node, known: dict[Node, Any], n: int, sparse: Any) -> Any:
    """The pattern of one node's result, or a tuple of them for several; None where nothing is depended on."""
    if isinstance(node, Port):
        whole = known.get(node.next[0])  # type: ignore[arg-type]
        return whole[node.index] if isinstance(whole, tuple) else whole
    edges: list[Any] = list(node.next)
    inputs = [(i, to, known[to]) for i, to in enumerate(edges) if to is not None and known.get(to) is not None]
    if not inputs:
        return None
    shapes = node.shape if node.ports else (node.shape,)
    total: list[Any] = [None] * len(shapes)
    for i, following, pattern in inputs:
        locals_ = _local(node, i, following, shapes)
        for k, (shape, local) in enumerate(zip(shapes, locals_, strict=True)):
            size = prod(shape or ())
            if local is None:  # everything depends on everything
                columns = np.unique(pattern.indices)
                part = sparse.csr_matrix(
                    (
                        np.ones(size * len(columns), np.bool_),
                        np.tile(columns, size),
                        np.arange(0, size * len(columns) + 1, max(len(columns), 1))[: size + 1]
                        if len(columns)
                        else np.zeros(size + 1, np.int64),
                    ),
                    (size, n),
                )
            else:
                # Booleans: of paths there may be a multiple of 256.
                one = (np.ones(len(local[0]), np.bool_), local)
                part = sparse.csr_matrix(one, (size, prod(following.shape))) @ pattern
            total[k] = part if total[k] is None else total[k] + part
    return tuple(total) if node.ports else total[0]


def _local(node: Any, i: int, following: Any, shapes: Any) -> list[tuple[Array, Array] | None]:
    """For each result, pairs of (element of the result, element of input ``i``); None for all pairs."""
    op = node.op
    every: list[tuple[Array, Array] | None] = [None] * len(shapes)
    if op is None:
        return every
    shape, size = following.shape, prod(following.shape)
    places = np.arange(size).reshape(shape)
    if op.kind is Kind.ELEMENTWISE or op.kind is Kind.CREATION:
        return [(np.arange(prod(out)), np.broadcast_to(places, out).reshape(-1)) for out in shapes]
    meta = dict(node.meta or {})
    if op.kind is Kind.REDUCTION and "dim" in meta and len(shapes) == 1:
        return [(_groups(shape, shapes[0], meta["dim"]).reshape(-1), places.reshape(-1))]
    if (op.kind is Kind.SCAN or op.name == "cross") and isinstance(meta.get("dim"), int) and shape:
        return [_along(np.broadcast_to(places, out), meta["dim"]) for out in shapes]
    if op.kind is Kind.MOVEMENT or (op.kind is Kind.INDEXING and i in op.linear):
        moved = _moved(op, node, i, places + 1, meta)
        if moved is not None and all([np.shape(m) == tuple(out) for m, out in zip(moved, shapes, strict=True)]):
            return [_nonzero(np.asarray(m)) for m in moved]
    return every


def _groups(shape: tuple[int, ...], out: tuple[int, ...], dim: Any) -> Array:
    """For each element of a reduction's input the number of its result."""
    dims = range(len(shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    kept = tuple([1 if axis in dims else n for axis, n in enumerate(shape)])
    return np.broadcast_to(np.arange(prod(out)).reshape(kept), shape)


def _along(places: Array, dim: int) -> tuple[Array, Array]:
    """Every element of a line along ``dim`` with every element of the same line."""
    rows = np.arange(places.size).reshape(places.shape)
    columns = [np.broadcast_to(places.take([k], dim), places.shape).reshape(-1) for k in range(places.shape[dim])]
    return np.tile(rows.reshape(-1), len(columns)), np.concatenate(columns)


def _moved(op: Any, node: Any, i: int, numbers: Array, meta: dict[str, Any]) -> list[Any] | None:
    """The operation on the numbers of one input's elements, zeros for the other inputs; None where it cannot be."""
    if meta.get("value") not in (None, 0) or "fill" in meta:
        meta = {key: 0 if key in ("value", "fill") else value for key, value in meta.items()}
    following = node.next
    saved = raw_saved(node)[1:] if node.saved is not None else (None,) * len(following)
    inputs: list[Any] = []
    for k, (to, value) in enumerate(zip(following, saved, strict=True)):
        if k == i:
            inputs.append(numbers)
        elif isinstance(value, np.ndarray) and value.dtype.kind in "iub":
            inputs.append(value)
        elif to is not None:
            inputs.append(np.zeros(to.shape, np.int64))
        elif hasattr(value, "shape"):
            inputs.append(np.zeros(value.shape, np.int64))
        elif op.name in ("cat", "stack"):
            inputs.append(_constant_part(op.name, k, node, meta))
        else:
            return None
    try:
        y = getattr(RAW, op.name)(*inputs, **meta)
    except (TypeError, ValueError, IndexError):
        return None
    return list(y) if isinstance(y, tuple) else [y]


def _constant_part(name: str, k: int, node: Any, meta: dict[str, Any]) -> Array:
    shape = list(node.shape)
    if name == "cat":
        shape[meta["dim"]] = meta["sizes"][k]
    else:
        del shape[meta["dim"]]
    return np.zeros(shape, np.int64)


def _nonzero(moved: Array) -> tuple[Array, Array]:
    flat = moved.reshape(-1)
    rows = np.flatnonzero(flat)
    return rows, flat[rows].astype(np.int64) - 1


__all__ = ["pattern_of", "scipy_sparse"]
