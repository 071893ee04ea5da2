"""Modules whose parameters are to be filled by somebody else."""

from __future__ import annotations

from inspect import signature
from typing import Any

from wengert.functions.generators import fork_rng
from wengert.nn.modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Any:
    """A module whose parameters have any values, made without numbers of the generator.

    Raises:
        RuntimeError: no module, or one that takes no ``device``, as PyTorch needs it for this.

    >>> import wengert as torch
    >>> torch.nn.utils.skip_init(torch.nn.Linear, 6, 1).weight.shape
    torch.Size([1, 6])
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with fork_rng():
        return module_cls(*args, **kwargs)
