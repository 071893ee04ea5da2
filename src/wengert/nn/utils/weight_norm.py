"""Weights of given length and direction, by a hook: the form before parametrizations."""

from __future__ import annotations

from typing import Any

from wengert.functions.norms import vector_norm
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter
from wengert.nn.utils._weight_hooks import check_alone, removed

__all__ = ["WeightNorm", "norm_except", "remove_weight_norm", "weight_norm"]


def norm_except(x: Any, dim: int) -> Any:
    """The norm of each slice along a dimension; of the whole for -1.

    >>> import wengert as torch
    >>> norm_except(torch.tensor([[3., 4.], [0., 2.]]), 0)
    tensor([[5.],
            [2.]])
    """
    if dim == -1:
        return vector_norm(x)
    return vector_norm(x, 2, [d for d in range(x.dim()) if d != dim], keepdim=True)


class WeightNorm:
    """The hook that makes ``name`` of ``name_g`` and ``name_v`` before each forward.

    >>> import wengert as torch
    >>> layer = torch.nn.utils.weight_norm(torch.nn.Linear(2, 3))
    >>> [type(hook).__name__ for hook in layer._forward_pre_hooks.values()]
    ['WeightNorm']
    """

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Any:
        """``g v / |v|``."""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return v * (g / norm_except(v, self.dim))

    def __call__(self, module: Any, inputs: Any) -> None:
        """Make the weight anew: a forward begins."""
        setattr(module, self.name, self.compute_weight(module))

    def remove(self, module: Any) -> None:
        """Make a parameter of the weight again."""
        weight = self.compute_weight(module)
        for name in (self.name, self.name + "_g", self.name + "_v"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight.detach()))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Any:
    """Learn length ``name_g`` and direction ``name_v`` of a weight apart: as the parametrization, by a hook.

    Raises:
        RuntimeError: it is so already.

    >>> import wengert as torch
    >>> layer = torch.nn.utils.weight_norm(torch.nn.Linear(20, 40))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (torch.Size([40, 1]), torch.Size([40, 20]))
    """
    check_alone(module, WeightNorm, name, "weight_norm")
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    delattr(module, name)
    module.register_parameter(name + "_g", Parameter(norm_except(weight, hook.dim).detach()))
    module.register_parameter(name + "_v", Parameter(weight.detach()))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Any:
    """Undo :func:`weight_norm`; the weight stays what it is.

    Raises:
        ValueError: there is none.

    >>> import wengert as torch
    >>> layer = torch.nn.utils.remove_weight_norm(torch.nn.utils.weight_norm(torch.nn.Linear(20, 40)))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']
    """
    return removed(module, WeightNorm, name, "weight_norm")
