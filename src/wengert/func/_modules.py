"""Modules as functions: called with other parameters, and several of one kind stacked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from wengert._traced import EDITS
from wengert.engine.base import TensorBase, wrap
from wengert.spaces.tensors import TENSOR

Named = Mapping[str, Any]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Named | Sequence[Named],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in the place of its parameters and buffers.

    Args:
        module: anything with ``named_parameters()``, ``named_buffers()`` and submodules as attributes.
        parameter_and_buffer_dicts: tensors by their dotted names; or several such dicts without common names.
        args: the arguments, a tuple (or the only one).
        kwargs: the keyword arguments.
        tie_weights: a tensor given for one name of a tied parameter stands for all its names.
        strict: raise if a name is missing or unknown.

    Raises:
        RuntimeError: with ``strict``, names that are missing or unknown.
        ValueError: one name in several dicts, or different tensors for tied names.

    >>> import wengert as torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> new = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}
    >>> torch.func.functional_call(layer, new, (torch.tensor([1.0, 2.0]),))
    tensor([3.])
    """
    new = _merged(parameter_and_buffer_dicts)
    own = {**_named(module.named_parameters), **_named(module.named_buffers)}
    if strict:
        unknown, missing = sorted(set(new) - set(own)), sorted(set(own) - set(new))
        if unknown or missing:
            raise RuntimeError(
                f"functional_call(strict=True): unexpected names {unknown} and missing names {missing}: the module has "
                f"{sorted(own)}"
            )
    if tie_weights:
        new = _tied(own, new)
    given = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, new):
        return module(*given, **(kwargs or {}))


def _named(items: Any) -> dict[str, Any]:
    return dict(items(remove_duplicate=False))


def _merged(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    if not (isinstance(given, Sequence) and all([isinstance(part, Mapping) for part in given])):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(given).__name__}"
        )
    merged: dict[str, Any] = {}
    for part in given:
        repeated = sorted(set(merged) & set(part))
        if repeated:
            raise ValueError(f"{repeated} appear in multiple dictionaries; behavior of functional call is ambiguous")
        merged.update(part)
    return merged


def _tied(own: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """``new`` with an entry for each name of a tensor that is given under one of its names."""
    names: dict[int, list[str]] = {}
    for name, t in own.items():
        names.setdefault(id(t), []).append(name)
    full = dict(new)
    for group in names.values():
        given = [new[name] for name in group if name in new]
        if len(group) > 1 and given:
            if any([t is not given[0] for t in given]):
                raise ValueError(f"functional_call got multiple values for keys {group}, which are tied: give one")
            full.update(dict.fromkeys(group, given[0]))
    return full


@contextmanager
def _replaced(module: Any, new: dict[str, Any]) -> Iterator[None]:
    """The module with other tensors, for the time of a block; buffers that it assigns go to ``new``'s place, too."""
    changed: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, t in new.items():
            path, _, last = name.rpartition(".")
            holder = module
            for part in path.split(".") if path else ():
                holder = getattr(holder, part)
            table = next((table for table in (holder._parameters, holder._buffers) if last in table), None)
            if table is not None:
                changed.append((table, last, table[last]))
                table[last] = t
        EDITS.count += 1
        yield
    finally:
        for table, last, t in reversed(changed):
            table[last] = t
        EDITS.count += 1


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several modules of one kind, stacked along a new first dimension.

    With :func:`functional_call` and :func:`vmap` they are an ensemble that runs at once.

    Raises:
        RuntimeError: no modules, modules of different classes, or in different modes.

    >>> import wengert as torch
    >>> models = [torch.nn.Linear(2, 1) for _ in range(3)]
    >>> params, buffers = torch.func.stack_module_state(models)
    >>> base = torch.nn.Linear(2, 1)
    >>> run = lambda p, b, x: torch.func.functional_call(base, (p, b), (x,))
    >>> torch.vmap(run, in_dims=(0, 0, None))(params, buffers, torch.ones(5, 2)).shape
    torch.Size([3, 5, 1])
    """
    listed = list(models)
    if not listed:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if any([type(m) is not type(listed[0]) for m in listed]):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    if any([m.training is not listed[0].training for m in listed]):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    return _stacked([dict(m.named_parameters()) for m in listed], leaf=True), _stacked(
        [dict(m.named_buffers()) for m in listed], leaf=False
    )


def _stacked(tables: list[dict[str, Any]], *, leaf: bool) -> dict[str, Any]:
    made = {}
    for name, first in tables[0].items():
        shapes = {tuple(table[name].shape) if name in table else None for table in tables}
        if len(shapes) > 1:
            got = sorted(["none" if shape is None else str(list(shape)) for shape in shapes])
            raise RuntimeError(
                f"stack_module_state: Expected each model to have {name!r} of the same size, got {', '.join(got)}: "
                "only modules of the same sizes can be stacked."
            )
        t = TENSOR.stack(*[table[name].detach() for table in tables], dim=0)
        made[name] = t.requires_grad_(first.requires_grad) if leaf else t
    return made


def functionalize(func: Any, *, remove: str = "mutations") -> Any:
    """``func`` itself: the graph of wengert is functional already, whatever ``func`` writes in place.

    In PyTorch this removes in-place writes (and with ``"mutations_and_views"`` views) from what a tracer sees.

    Raises:
        RuntimeError: another value of ``remove``.

    >>> import wengert as torch
    >>> torch.func.functionalize(lambda x: x.clone().add_(1))(torch.ones(2))
    tensor([2., 2.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            f"functionalize(f, remove='mutations'): received invalid argument for remove={remove}. Valid options are: "
            "remove='mutations', remove='mutations_and_views'"
        )
    return func


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """What stands behind a tensor inside a transform: of a dual its primal, of a batched tensor the whole batch.

    >>> import wengert as torch
    >>> seen = []
    >>> _ = torch.vmap(lambda x: seen.append(torch.func.debug_unwrap(x).shape) or x)(torch.ones(3, 2))
    >>> seen
    [torch.Size([3, 2])]
    """
    if not isinstance(tensor, TensorBase):
        raise TypeError(f"debug_unwrap(): expected a tensor, but got {type(tensor).__name__}")
    while tensor._dual is not None:
        tensor = tensor._dual[1]
        if not recurse:
            return tensor
    raw = tensor._data
    array = getattr(raw, "array", None)
    return tensor if array is None else wrap(array)
