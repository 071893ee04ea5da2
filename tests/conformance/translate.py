"""PyTorch's objects as wengert's and both as arrays; the function of wengert that an entry of the database means."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import wengert


class UntranslatableError(Exception):
    """A sample that has no counterpart: a sparse tensor, bfloat16."""


def to_wengert(x: Any) -> Any:
    """The same for wengert: tensors copied, names of dtypes, devices and layouts translated, containers kept."""
    if isinstance(x, torch.Tensor):
        return _tensor(x)
    if isinstance(x, torch.Size):
        return wengert.Size(x)
    if isinstance(x, (torch.dtype, torch.memory_format, torch.layout)):
        return _by_name(str(x).removeprefix("torch."))
    if isinstance(x, torch.device):
        return wengert.device(x.type)
    if isinstance(x, torch.Generator):
        return wengert.Generator().manual_seed(x.initial_seed() % 2**32)
    if isinstance(x, torch.nn.Module):
        return getattr(wengert.nn, type(x).__name__)()
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*[to_wengert(part) for part in x])
    if isinstance(x, (tuple, list)):
        return type(x)([to_wengert(part) for part in x])
    if isinstance(x, dict):
        return {key: to_wengert(part) for key, part in x.items()}
    return x


def _by_name(name: str) -> Any:
    if not hasattr(wengert, name) or name == "bfloat16":
        raise UntranslatableError(name)
    return getattr(wengert, name)


def _tensor(t: torch.Tensor) -> Any:
    if t.layout is not torch.strided or t.is_quantized:
        raise UntranslatableError(str(t.layout))
    try:
        array = t.numpy(force=True)
    except (TypeError, ValueError, NotImplementedError) as error:  # dtype, number of dimensions, no memory
        raise UntranslatableError(str(error)) from None
    if not t.requires_grad and any([n > 1 and not step for n, step in zip(t.shape, t.stride(), strict=True)]):
        once = tuple([slice(None) if step else slice(1) for step in t.stride()])
        return wengert.from_numpy(array[once].copy()).expand(t.shape)  # one number at several places stays one
    made = wengert.from_numpy(array.copy())
    return made.requires_grad_(True) if t.requires_grad else made


def leaves_of(*containers: Any) -> list[Any]:
    """The tensors of either library in nested containers, in order; numbers as they are."""
    found: list[Any] = []
    for x in containers:
        if isinstance(x, dict):
            found += leaves_of(*x.values())
        elif isinstance(x, (tuple, list)):
            found += leaves_of(*x)
        else:
            found.append(x)
    return found


def is_tensor(x: Any) -> bool:
    """Whether it is a tensor of either library."""
    return isinstance(x, (torch.Tensor, wengert.Tensor))


def tracked(*containers: Any) -> list[Any]:
    """The tensors that require grad, in order."""
    return [x for x in leaves_of(*containers) if is_tensor(x) and x.requires_grad]


def array_of(x: Any) -> np.ndarray[Any, Any]:
    """The values of a tensor of either library, or of a number."""
    if isinstance(x, torch.Tensor):
        return x.numpy(force=True)
    return x.detach().numpy() if isinstance(x, wengert.Tensor) else np.asarray(x)


def function_of(info: Any) -> Callable[..., Any] | None:
    """What an entry calls, in wengert; None where wengert has no such name."""
    op = info.op
    if isinstance(op, types.FunctionType) and _is_written_for_tests(op):
        return rebound(op)
    return find(info.name)


def find(name: str) -> Callable[..., Any] | None:
    """A function of wengert, or a method of its tensors, by its dotted name."""
    for root in (wengert, wengert.Tensor):
        found: Any = root
        for part in name.split("."):
            found = getattr(found, part, None)
            if found is None:
                break
        if callable(found):
            return found  # type: ignore[no-any-return]
    return None


def _is_written_for_tests(op: types.FunctionType) -> bool:
    return "testing" in op.__module__ or op.__name__ == "<lambda>"


def rebound(op: Any) -> Any:
    """The same Python function with `torch` meaning wengert."""
    if not isinstance(op, types.FunctionType):
        return op
    names = {**op.__globals__, "torch": wengert, "F": wengert.nn.functional}
    made = types.FunctionType(op.__code__, names, op.__name__, op.__defaults__, op.__closure__)
    made.__kwdefaults__ = op.__kwdefaults__
    return made
