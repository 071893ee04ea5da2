"""Pruning: masks that set parts of a parameter to zero, by size or at random, while it is trained on.

A pruned parameter ``weight`` becomes ``weight_orig`` (still a parameter) and ``weight_mask`` (a buffer); before each
forward pass ``weight = weight_orig * weight_mask``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wengert.functions.joining import cat
from wengert.functions.likes import ones_like
from wengert.nn.utils._pruning import (
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
    methods_of,
)

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


def identity(module: Any, name: str) -> Any:
    """Give a parameter a mask of ones; returns the module.

    >>> import wengert as torch
    >>> torch.nn.utils.prune.identity(torch.nn.Linear(2, 1), "bias").bias_mask
    tensor([1.])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: Any) -> Any:
    """Prune a number or a share of the elements of a parameter at random; returns the module.

    >>> import wengert as torch
    >>> torch.nn.utils.prune.random_unstructured(torch.nn.Linear(2, 2), "weight", 3).weight_mask.sum()
    tensor(1.)
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Any, name: str, amount: Any, importance_scores: Any = None) -> Any:
    """Prune a number or a share of the elements of a parameter, the least ones; returns the module.

    >>> import wengert as torch
    >>> torch.nn.utils.prune.l1_unstructured(torch.nn.Linear(2, 2), "weight", 0.5).weight_mask.sum()
    tensor(2.)
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: Any, dim: int) -> Any:
    """Prune slices of a parameter along ``dim`` at random; returns the module.

    >>> import wengert as torch
    >>> torch.nn.utils.prune.random_structured(torch.nn.Linear(2, 3), "weight", 1, dim=0).weight_mask.sum()
    tensor(4.)
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None) -> Any:
    """Prune the slices of a parameter along ``dim`` that have the least ``n``-norms; returns the module.

    >>> import wengert as torch
    >>> torch.nn.utils.prune.ln_structured(torch.nn.Linear(2, 3), "weight", 1, n=2, dim=0).weight_mask.sum()
    tensor(4.)
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Any) -> Any:
    """Prune what ``mask`` says; returns the module.

    >>> import wengert as torch
    >>> layer = torch.nn.utils.prune.custom_from_mask(torch.nn.Linear(2, 1), "bias", torch.tensor([0]))
    >>> layer.bias == 0
    tensor([True])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Sequence[tuple[Any, str]], pruning_method: Any, importance_scores: Any = None, **kwargs: Any
) -> None:
    """Prune several parameters together, as if they were one: ``parameters`` are pairs of a module and a name.

    Raises:
        TypeError: not pairs, or a method that is not unstructured.

    >>> import wengert as torch
    >>> prune = torch.nn.utils.prune
    >>> a, b = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    >>> prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=5)
    >>> a.weight_mask.sum() + b.weight_mask.sum()
    tensor(3.)
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = importance_scores if importance_scores is not None else {}
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs = list(parameters)
    tensors = [getattr(module, name) for module, name in pairs]
    ranked = cat([scores.get(pair, t).detach().reshape(-1) for pair, t in zip(pairs, tensors, strict=True)])
    masks = [getattr(m, n + "_mask", None) for m, n in pairs]
    default = cat(
        [(ones_like(t) if k is None else k).detach().reshape(-1) for t, k in zip(tensors, masks, strict=True)]
    )
    container = PruningContainer()
    container._tensor_name = "temp"
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    container.add_pruning_method(method)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    mask = container.compute_mask(ranked, default)
    start = 0
    for (module, name), t in zip(pairs, tensors, strict=True):
        custom_from_mask(module, name, mask[start : start + t.numel()].reshape(t.shape))
        start += t.numel()


def remove(module: Any, name: str) -> Any:
    """Make the pruning of a parameter final; returns the module.

    Raises:
        ValueError: the parameter was not pruned.

    >>> import wengert as torch
    >>> prune = torch.nn.utils.prune
    >>> layer = prune.remove(prune.l1_unstructured(torch.nn.Linear(2, 2), "weight", 1), "weight")
    >>> sorted(dict(layer.named_parameters()))
    ['bias', 'weight']
    """
    for key, method in methods_of(module, name):
        method.remove(module)
        del module._forward_pre_hooks[key]
        return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Any) -> bool:
    """Whether a parameter of the module or of a module in it is pruned.

    >>> import wengert as torch
    >>> torch.nn.utils.prune.is_pruned(torch.nn.Linear(2, 2))
    False
    """
    return any(
        [isinstance(hook, BasePruningMethod) for each in module.modules() for hook in each._forward_pre_hooks.values()]
    )
