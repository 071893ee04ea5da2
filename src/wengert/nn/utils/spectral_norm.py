"""Weights divided by their largest singular value, by a hook: the form before parametrizations."""

from __future__ import annotations

from typing import Any

from wengert.autograd.grad_mode import no_grad
from wengert.functions.products import dot, mv
from wengert.nn import functional as F
from wengert.nn.modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook that makes ``name`` of ``name_orig`` and the vectors ``name_u`` and ``name_v`` before each forward.

    Raises:
        ValueError: no power iterations.

    >>> import wengert as torch
    >>> layer = torch.nn.utils.spectral_norm(torch.nn.Linear(2, 3))
    >>> [type(hook).__name__ for hook in layer._forward_pre_hooks.values()]
    ['SpectralNorm']
    """

    def __init__(self, name: str, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def matrix(self, weight: Any) -> Any:
        """The weight as a matrix, with ``dim`` for its rows."""
        return weight.movedim(self.dim, 0).flatten(1)

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Any:
        """The weight over the estimate of its largest singular value, which iterations improve in place."""
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = self.matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(mv(matrix.T, u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(mv(matrix, v), dim=0, eps=self.eps))
            u, v = u.clone(), v.clone()  # the graph keeps these; the next forward writes to the others
        return weight / dot(u, mv(matrix, v))

    def __call__(self, module: Any, inputs: Any) -> None:
        """Make the weight anew: a forward begins."""
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    def remove(self, module: Any) -> None:
        """Make a parameter of the weight again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))


def _hooks(module: Any, name: str) -> list[Any]:
    return [k for k, h in module._forward_pre_hooks.items() if isinstance(h, SpectralNorm) and h.name == name]


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Divide a weight by its largest singular value. The form before ``parametrizations.spectral_norm``.

    Raises:
        RuntimeError: it is so already.

    >>> import wengert as torch
    >>> layer = torch.nn.utils.spectral_norm(torch.nn.Linear(20, 40))
    >>> layer.weight_u.shape
    torch.Size([40])
    """
    if _hooks(module, name):
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    weight = module._parameters.get(name)
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    matrix = hook.matrix(weight.detach())
    delattr(module, name)
    module.register_parameter(name + "_orig", weight)
    setattr(module, name, weight.detach())
    for suffix, size in zip(("_u", "_v"), matrix.shape, strict=True):
        start = F.normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps)
        module.register_buffer(name + suffix, start)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Any:
    """Undo :func:`spectral_norm`; the weight stays what it is.

    Raises:
        ValueError: there is none.

    >>> import wengert as torch
    >>> layer = torch.nn.utils.remove_spectral_norm(torch.nn.utils.spectral_norm(torch.nn.Linear(20, 40)))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']
    """
    for key in _hooks(module, name):
        hook: Any = module._forward_pre_hooks.pop(key)
        hook.remove(module)
        return module
    raise ValueError(f"spectral_norm of '{name}' not found in {module}")
