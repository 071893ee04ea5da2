"""``vmap``: a function of single values applied to whole batches at once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from wengert import _tree
from wengert._batched import BatchAxis, Batched
from wengert.engine.base import TensorBase
from wengert.engine.batch_scope import batch_axis, leave_batch
from wengert.spaces.tensors import TENSOR


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that applies ``func`` to each member of a batch, all at once.

    Keyword arguments are the same for all members, as in PyTorch (in JAX they are batched). ``print`` inside of
    ``func`` shows all members.

    Operations run on the whole batch. A few go from member to member, which is slower, and a warning says so once for
    each: ``x[mask]``, ``x[mask] = y`` and ``masked_select`` with masks that differ between members, ``nonzero``,
    ``unique``, ``unique_consecutive``, ``bincount``, ``ctc_loss``, ``as_strided`` and ``view`` as another dtype of what
    lies in memory in several ways. Their results must have one size for all members: ``torch.where`` has always.

    Args:
        func: a function of tensors (and other things), which returns tensors.
        in_dims: which dimension of each argument is the batch, None for those that all members share; nested like the
            arguments, or one number for all.
        out_dims: where the batch dimension is put in the results, likewise.
        randomness: what random functions do: ``"error"``, ``"same"`` numbers for all members, or ``"different"`` ones.
        chunk_size: take so many members at a time, which bounds the memory.

    Raises:
        ValueError: ``in_dims`` or ``out_dims`` do not fit; batches of different sizes; no batch at all.
        RuntimeError: Python was to branch on a batched value, or use it as a number; results of different sizes.

    >>> import wengert as torch
    >>> dot = lambda a, b: (a * b).sum()
    >>> torch.vmap(dot)(torch.ones(3, 2), torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    tensor([ 3.,  7., 11.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and not (chunk_size.__class__ is int and chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, spec, dims = _inputs(in_dims, args, _name(func))
        size = _batch_size(leaves, dims, _name(func))

        def call(parts: list[Any]) -> Any:
            return func(*_tree.unflatten(spec, parts), **kwargs)

        if chunk_size is None or chunk_size >= size:
            return _run(call, leaves, dims, size, out_dims, randomness, _name(func))
        return _in_chunks(call, leaves, dims, size, out_dims, randomness, _name(func), chunk_size)

    return mapped


def _name(func: Callable[..., Any]) -> str:
    return getattr(func, "__name__", None) or repr(func)


# --- the batch -------------------------------------------------------------------------------------------------------


def _is_dim(x: Any) -> bool:
    return x is None or isinstance(x, int)


def _inputs(in_dims: Any, args: tuple[Any, ...], name: str) -> tuple[list[Any], _tree.Structure, list[Any]]:
    if not (isinstance(in_dims, (int, tuple, list))):
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...): expected `in_dims` to be int or a (potentially nested) tuple "
            "matching "
            f"the structure of inputs, got: {type(in_dims).__name__}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
            "function with no inputs. The latter is unsupported."
        )
    leaves, spec = _tree.flatten(args)
    dims = _tree.prefix_leaves(tuple(in_dims) if isinstance(in_dims, list) else in_dims, spec, _is_dim)
    if dims is None:
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible with the structure of "
            "`inputs`: it "
            "must be one number for all, or have a number or None for each argument (or for each part of one)"
        )
    return leaves, spec, [_checked_dim(x, dim, name, in_dims) for x, dim in zip(leaves, dims, strict=True)]


def _checked_dim(x: Any, dim: Any, name: str, in_dims: Any) -> Any:
    if dim is None:
        return None
    if not isinstance(x, TensorBase):
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={dim} for an input but the input is of type "
            f"{type(x).__name__}. We cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
        )
    ndim = x._data.ndim
    if not -ndim <= dim < ndim:
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={dim} for some input, but that input is a "
            "Tensor "
            f"of dimensionality {ndim} so expected in_dim to satisfy -{ndim} <= in_dim < {ndim}."
        )
    return dim % ndim


def _batch_size(leaves: list[Any], dims: list[Any], name: str) -> int:
    sizes = [x._data.shape[dim] for x, dim in zip(leaves, dims, strict=True) if dim is not None]
    if not sizes:
        raise ValueError(f"vmap({name}, in_dims, ...)(<inputs>): at least one input must have a batch dimension")
    if any([size != sizes[0] for size in sizes]):
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped "
            "dimension"
        )
    return sizes[0]  # type: ignore[no-any-return]


# --- one run, or several --------------------------------------------------------------------------------------------


def _run(
    call: Callable[[list[Any]], Any],
    leaves: list[Any],
    dims: list[Any],
    size: int,
    out_dims: Any,
    randomness: str,
    name: str,
) -> Any:
    with batch_axis(size, randomness) as axis:
        entered = [
            x if dim is None else TENSOR.enter_batch(x, axis=axis, dim=dim) for x, dim in zip(leaves, dims, strict=True)
        ]
        output = call(entered)
    outputs, spec, placed = _outputs(output, out_dims, name)
    return _tree.unflatten(spec, [_leave(y, axis, dim, name) for y, dim in zip(outputs, placed, strict=True)])


def _outputs(output: Any, out_dims: Any, name: str) -> tuple[list[Any], _tree.Structure, list[Any]]:
    outputs, spec = _tree.flatten(output)
    placed = _tree.prefix_leaves(tuple(out_dims) if isinstance(out_dims, list) else out_dims, spec, _is_dim)
    if placed is None and len(outputs) == 1 and isinstance(out_dims, (tuple, list)) and len(out_dims) == 1:
        placed = list(out_dims)
    if placed is None:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims}): out_dims is not compatible with the structure of `outputs`: it "
            "must "
            f"be one number for all, or have a number for each of the {len(outputs)} results"
        )
    for y in outputs:
        if not isinstance(y, TensorBase):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(y).__name__}. Return it as "
                "a tensor, or leave it out: what is the same for all members can be had without vmap"
            )
    return outputs, spec, placed


def _leave(y: Any, axis: BatchAxis, dim: Any, name: str) -> Any:
    raw = y._data
    if dim is None:
        if raw.__class__ is Batched and axis in raw.axes:
            raise ValueError(
                f"vmap({name}, ..., out_dims=None): a result for which out_dims is None depends on the batch, so its "
                "members differ: say in which dimension they are wanted"
            )
        return y
    ndim = raw.ndim + 1
    if not -ndim <= dim < ndim:
        raise IndexError(
            f"vmap({name}, ..., out_dims={dim}): out of range for a result with {ndim} dimensions (the batch included)"
        )
    return leave_batch(y, axis, dim % ndim)


def _in_chunks(
    call: Callable[[list[Any]], Any],
    leaves: list[Any],
    dims: list[Any],
    size: int,
    out_dims: Any,
    randomness: str,
    name: str,
    chunk_size: int,
) -> Any:
    parts, spec, places = [], None, []
    for start in range(0, size, chunk_size):
        count = min(chunk_size, size - start)
        chunk = [
            x if dim is None else TENSOR.slice(x, dim=dim, start=start, stop=start + count, step=1)
            for x, dim in zip(leaves, dims, strict=True)
        ]
        outputs, spec = _tree.flatten(_run(call, chunk, dims, count, out_dims, randomness, name))
        parts.append(outputs)
    assert spec is not None
    found = _tree.prefix_leaves(tuple(out_dims) if isinstance(out_dims, list) else out_dims, spec, _is_dim)
    places = found if found is not None else list(out_dims)
    joined = []
    for pieces, dim in zip(zip(*parts, strict=True), places, strict=True):
        if dim is None:
            joined.append(pieces[0])
            continue
        at = dim % pieces[0]._data.ndim
        joined.append(TENSOR.cat(*pieces, dim=at, sizes=tuple([piece._data.shape[at] for piece in pieces])))
    return _tree.unflatten(spec, joined)


__all__ = ["vmap"]
