"""Sparse Jacobians and Hessians: a few passes give all of them, once it is known which entries can be nonzero.

Columns that share no row can be computed by one forward pass together, rows that share no column by one reverse pass
(A. Curtis, M. Powell, J. Reid, "On the estimation of sparse Jacobian matrices", IMA Journal 13, 1974).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.engine.base import TensorBase, wrap
from wengert.func._forward import jvp
from wengert.func._levels import ReverseLevel
from wengert.func._pattern import has_forward_rules, pattern_of, scipy_sparse
from wengert.func._reverse import grad, vjp
from wengert.func._vmap import vmap

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Colouring:
    """Which entries of a Jacobian can be nonzero, and which columns (or rows) are computed together.

    It holds for a function at all points, unless the function chooses by value what it computes, and can be kept.

    Attributes:
        pattern: a boolean CSR matrix of the outputs' elements by the inputs' elements.
        colours: the colour of each column (or row), from 0; -1 for one that no pass is for.
        passes: how many colours there are.
        by_rows: whether rows are coloured, for reverse passes.
        parts: where both modes together need fewer passes: a colouring of the entries that forward passes give and one
            of those that reverse passes give.
    """

    pattern: Any
    colours: Array
    passes: int
    by_rows: bool
    parts: tuple[Colouring, ...] = ()


def jacobian_pattern(func: Callable[..., Any], x: Any) -> Any:
    """Which elements of ``func(x)`` may depend on which elements of ``x``: a boolean ``scipy.sparse`` matrix.

    Found from one run of the function, never too small, and larger than need be where an operation mixes elements in a
    way that its record does not state, as a matrix product.

    >>> import wengert as torch
    >>> torch.func.jacobian_pattern(lambda x: x[1:] * x[:-1], torch.ones(3)).toarray().astype(int)
    array([[1, 1, 0],
           [0, 1, 1]])
    """
    return _recorded(func, x, pattern_of)


def _recorded(func: Callable[..., Any], x: Any, read: Callable[[Any, Any], Any]) -> Any:
    """What ``read`` finds in the graph of the result by the input."""
    with ReverseLevel() as level:
        source = level.fresh(x)
        output = func(source)
        if not isinstance(output, TensorBase):
            raise RuntimeError(f"jacobian_pattern: the function returned {type(output).__name__}, expected a tensor")
        return read(output, source)


def colouring(pattern: Any, mode: str = "auto") -> Colouring:
    """Colours for a pattern: for forward passes, reverse passes, or whichever needs fewer, both mixed if that is best.

    Args:
        pattern: a ``scipy.sparse`` matrix, or an array.
        mode: ``"forward"``, ``"reverse"`` or ``"auto"``.

    >>> import wengert as torch
    >>> import numpy as np
    >>> torch.func.colouring(np.eye(100)).passes
    1
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"mode must be 'auto', 'forward' or 'reverse', and is {mode!r}")
    matrix = scipy_sparse().csr_matrix(pattern, dtype=np.bool_, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    candidates = []
    if mode != "reverse":
        candidates.append((_coloured(matrix.tocsc(), matrix), False))
    if mode != "forward":
        candidates.append((_coloured(matrix, matrix.tocsc()), True))
    colours, by_rows = min(candidates, key=lambda one: int(one[0].max(initial=-1)))
    found = Colouring(matrix, colours, int(colours.max(initial=-1)) + 1, by_rows)
    return _mixed(matrix, found) if mode == "auto" else found


def _mixed(matrix: Any, best: Colouring) -> Colouring:
    """Full rows by reverse passes and the rest by forward ones, or full columns the other way; if that is fewer."""
    for lines, by_rows in ((matrix, True), (matrix.tocsc(), False)):
        counts = np.diff(lines.indptr)
        limit = int(counts.max(initial=0)) // 2
        while limit >= 1 and limit >= 2 * np.median(counts):
            full = np.repeat(counts > limit, counts)  # for each entry, in the order of the lines
            parts = (_part(lines, full, by_rows), _part(lines, ~full, not by_rows))
            passes = sum([part.passes for part in parts])
            if passes < best.passes:
                best = Colouring(matrix, best.colours, passes, best.by_rows, parts)
            limit //= 2
    return best


def _part(lines: Any, chosen: Array, by_rows: bool) -> Colouring:
    """The colouring of some of the entries: what passes give of the others is not read."""
    entries = lines.tocoo()
    kept = (np.ones(int(chosen.sum()), np.bool_), (entries.row[chosen], entries.col[chosen]))
    pattern = scipy_sparse().csr_matrix(kept, lines.shape)
    own, across = (pattern, pattern.tocsc()) if by_rows else (pattern.tocsc(), pattern)
    colours = np.where(np.diff(own.indptr) > 0, _coloured(own, across), -1)  # other lines would add what they have
    return Colouring(pattern, colours, int(colours.max(initial=-1)) + 1, by_rows)


def _coloured(own: Any, across: Any) -> Array:
    """Greedy colours for the lines of ``own`` (each a run of its ``indices``), the fullest lines first.

    Two lines that meet in a line of ``across`` get different colours.
    """
    count = len(own.indptr) - 1
    colours = np.full(count, -1, np.int64)
    taken = [0] * (len(across.indptr) - 1)  # the colours that each crossing line has, one bit for each
    order = np.argsort(-np.diff(own.indptr), kind="stable").tolist()
    pointers, indices = own.indptr.tolist(), own.indices.tolist()
    for line in order:
        crossing = indices[pointers[line] : pointers[line + 1]]
        used = 0
        for k in crossing:
            used |= taken[k]
        first = ~used & (used + 1)  # the lowest bit that is not set
        for k in crossing:
            taken[k] |= first
        colours[line] = first.bit_length() - 1
    return colours


def sparse_jacobian(
    func: Callable[..., Any], colouring: Colouring | None = None, *, mode: str = "auto", chunk_size: int | None = None
) -> Callable[..., Any]:
    """A function that gives the Jacobian of ``func`` as a ``scipy.sparse`` CSR matrix.

    A Jacobian with a band of width w takes w passes, however large it is.

    Args:
        func: a function of one real tensor that returns one; both are taken as flat.
        colouring: from an earlier call (see :func:`colouring`); else it is found each time.
        mode: ``"forward"``, ``"reverse"`` or ``"auto"``: whichever needs fewer passes, or both mixed; reverse where the
            function uses an ``autograd.Function`` that has no ``jvp``.
        chunk_size: how many passes run as one batch, which bounds the memory.

    Raises:
        ImportError: SciPy is not installed.

    >>> import wengert as torch
    >>> torch.func.sparse_jacobian(lambda x: x[1:] * x[:-1])(torch.tensor([1.0, 2.0, 3.0])).toarray()
    array([[2., 1., 0.],
           [0., 3., 2.]], dtype=float32)
    """
    return _by_colours(func, colouring, mode, chunk_size, insists=mode != "auto")


def _by_colours(
    func: Callable[..., Any], colouring: Colouring | None, mode: str, chunk_size: int | None, *, insists: bool
) -> Callable[..., Any]:
    @functools.wraps(func)
    def transformed(x: Any) -> Any:
        plan = colouring
        if plan is None:
            pattern, is_pushable = _recorded(func, x, lambda y, x: (pattern_of(y, x), has_forward_rules(y, x)))
            plan = _colouring(pattern, mode if insists or is_pushable else "reverse")
        return sum(
            [_evaluated(func, x, part, chunk_size) for part in plan.parts[1:]],
            start=_evaluated(func, x, (*plan.parts, plan)[0], chunk_size),
        )

    return transformed


def _evaluated(func: Callable[..., Any], x: Any, plan: Colouring, chunk_size: int | None) -> Any:
    pattern = plan.pattern
    rows = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
    values = (_by_rows if plan.by_rows else _by_columns)(func, x, plan, rows, pattern.indices, chunk_size)
    return scipy_sparse().csr_matrix((values, pattern.indices.copy(), pattern.indptr.copy()), pattern.shape)


_colouring = colouring


def _seeds(plan: Colouring, shape: Any, dtype: Any) -> Any:
    seeds = np.zeros((plan.passes, len(plan.colours)), dtype)
    lines = np.flatnonzero(plan.colours >= 0)
    seeds[plan.colours[lines], lines] = 1
    return wrap(seeds.reshape(plan.passes, *shape))


def _by_columns(func: Any, x: Any, plan: Colouring, rows: Array, columns: Array, chunk_size: int | None) -> Array:
    if not plan.passes:
        return np.zeros(0, x._data.dtype)
    push = vmap(lambda t: jvp(func, (x,), (t,))[1], chunk_size=chunk_size)
    products = np.asarray(push(_seeds(plan, x._data.shape, x._data.dtype)).detach()._data)
    return products.reshape(plan.passes, -1)[plan.colours[columns], rows]


def _by_rows(func: Any, x: Any, plan: Colouring, rows: Array, columns: Array, chunk_size: int | None) -> Array:
    y, pull = vjp(func, x)
    if not plan.passes:
        return np.zeros(0, x._data.dtype)
    pulled = vmap(lambda v: pull(v)[0], chunk_size=chunk_size)(_seeds(plan, y._data.shape, y._data.dtype))
    return np.asarray(pulled.detach()._data).reshape(plan.passes, -1)[plan.colours[rows], columns]


def sparse_hessian(
    func: Callable[..., Any], colouring: Colouring | None = None, *, chunk_size: int | None = None
) -> Callable[..., Any]:
    """A function that gives the Hessian of ``func`` (one number) as a ``scipy.sparse`` CSR matrix.

    Arguments as in :func:`sparse_jacobian`; the colouring is that of ``grad(func)``.

    >>> import wengert as torch
    >>> torch.func.sparse_hessian(lambda x: (x[1:] * x[:-1]).sum())(torch.ones(3)).toarray()
    array([[0., 1., 0.],
           [1., 0., 1.],
           [0., 1., 0.]], dtype=float32)
    """
    return _by_colours(grad(func), colouring, "forward", chunk_size, insists=False)


__all__ = ["Colouring", "colouring", "jacobian_pattern", "sparse_hessian", "sparse_jacobian"]
