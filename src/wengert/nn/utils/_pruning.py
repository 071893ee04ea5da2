"""What makes masks for pruning: methods, and several of them on one parameter.

A pruned parameter ``weight`` becomes ``weight_orig`` (still a parameter) and ``weight_mask`` (a buffer); before each
forward pass ``weight = weight_orig * weight_mask``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from wengert.functions.likes import ones_like, zeros_like
from wengert.functions.norms import vector_norm
from wengert.functions.random import rand, randperm
from wengert.nn.parameter import Parameter

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "methods_of",
]


class BasePruningMethod:
    """What makes masks: subclasses give ``compute_mask(t, default_mask)`` and say what kind they are.

    >>> import wengert as torch
    >>> class Negative(torch.nn.utils.prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...
    ...     def compute_mask(self, t, default_mask):
    ...         return default_mask * (t >= 0)
    >>> layer = torch.nn.Linear(2, 2)
    >>> method = Negative.apply(layer, "weight")
    >>> (layer.weight >= 0).all()
    tensor(True)
    """

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str

    def __call__(self, module: Any, inputs: Any) -> None:
        """Before a forward pass: the parameter anew from what is trained and the mask."""
        del inputs
        setattr(module, self._tensor_name, self.apply_mask(module))

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask for ``t``, zero where ``default_mask`` is and where this method prunes."""
        raise NotImplementedError

    def apply_mask(self, module: Any) -> Any:
        """The parameter times its mask.

        Raises:
            RuntimeError: the module has not been pruned by this method.
        """
        if getattr(self, "_tensor_name", None) is None:
            raise RuntimeError(f"Module {module} has to be pruned")
        mask, original = getattr(module, self._tensor_name + "_mask"), getattr(module, self._tensor_name + "_orig")
        return mask.to(original.dtype) * original

    @classmethod
    def apply(cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Prune a parameter of a module, on top of what was pruned before; returns the method.

        Raises:
            ValueError: scores of another shape than the parameter's.
        """
        method: Any = cls(*args, **kwargs)
        method._tensor_name = name
        known = methods_of(module, name)
        if known:
            earlier = known[0][1]
            method = PruningContainer([*(earlier if isinstance(earlier, PruningContainer) else [earlier]), method])
            original, default = getattr(module, name + "_orig"), getattr(module, name + "_mask")
            current = original * default
        else:
            original = current = getattr(module, name)
            default = ones_like(original.detach())
        scores = current if importance_scores is None else importance_scores
        if scores.shape != original.shape:
            raise ValueError(
                f"importance_scores should have the same shape as parameter {name} of {module}: got "
                f"{list(scores.shape)}, expected {list(original.shape)}"
            )
        mask = method.compute_mask(scores.detach(), default)  # raises before anything is changed
        for key, _ in known:
            del module._forward_pre_hooks[key]
        if not known:
            del module._parameters[name]
            module.register_parameter(name + "_orig", original)
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """A pruned tensor, without any module.

        Raises:
            ValueError: scores of another shape.
        """
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise ValueError("importance_scores should have the same shape as tensor t")
        return t * self.compute_mask(scores, ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Any) -> None:
        """Make the pruning final: the parameter is what the mask left of it."""
        name = self._tensor_name
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(name + "_orig")
        original.data = weight.detach()
        del module._buffers[name + "_mask"]
        setattr(module, name, original if isinstance(original, Parameter) else Parameter(original))


def methods_of(module: Any, name: str) -> list[tuple[Any, BasePruningMethod]]:
    """The methods that prune a parameter, and the keys of their hooks."""
    return [
        (key, hook)
        for key, hook in module._forward_pre_hooks.items()
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
    ]


class PruningContainer(BasePruningMethod):
    """Several methods one after the other on one parameter; each sees what the earlier ones left.

    >>> import wengert as torch
    >>> prune = torch.nn.utils.prune
    >>> len(prune.PruningContainer())
    0
    """

    def __init__(self, *args: Any) -> None:
        methods = args[0] if len(args) == 1 and isinstance(args[0], Iterable) else args
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        for method in methods:
            if not self._pruning_methods:
                self._tensor_name = getattr(method, "_tensor_name", None)  # type: ignore[assignment]
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add one.

        Raises:
            TypeError: not a method.
            ValueError: a method for another parameter.
        """
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._tensor_name != getattr(method, "_tensor_name", None):
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods = (*self._pruning_methods, method)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Any:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask of the newest method on what is left.

        Raises:
            ValueError: a kind of pruning that is not known.
        """
        method = self._pruning_methods[-1]
        left = default_mask == 1
        if method.PRUNING_TYPE == "unstructured":
            place: Any = left
        elif method.PRUNING_TYPE == "structured":
            dim: int = method.dim  # type: ignore[attr-defined]
            others = [axis for axis in range(t.dim()) if axis != dim % t.dim()]
            kept = left.any(dim=others) if others else left
            place = [slice(None)] * t.dim()
            place[dim % t.dim()] = kept
            place = tuple(place)
        elif method.PRUNING_TYPE == "global":
            place = tuple([slice(None)] * t.dim())
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = default_mask.clone()
        mask[place] = method.compute_mask(t[place], default_mask[place])
        return mask


# --- methods ----------------------------------------------------------------------------------------------------------


class Identity(BasePruningMethod):
    """Prunes nothing; the parameter gets a mask of ones.

    >>> import wengert as torch
    >>> prune = torch.nn.utils.prune
    >>> prune.Identity().prune(torch.tensor([1.0, -3.0]))
    tensor([ 1., -3.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask as it was."""
        return default_mask


class _Amount(BasePruningMethod):
    """Methods that prune a number of elements, or a share of them."""

    def __init__(self, amount: Any) -> None:
        if isinstance(amount, bool) or not isinstance(amount, (int, float)):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if amount < 0 or (isinstance(amount, float) and amount > 1.0):
            raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
        self.amount = amount

    def _number(self, size: int) -> int:
        if isinstance(self.amount, int):
            if self.amount > size:
                raise ValueError(
                    f"amount={self.amount} should be smaller than the number of parameters to prune={size}"
                )
            return self.amount
        return round(self.amount * size)


class RandomUnstructured(_Amount):
    """Prunes elements at random.

    >>> import wengert as torch
    >>> prune = torch.nn.utils.prune
    >>> prune.RandomUnstructured(amount=1).prune(torch.ones(3)).sum()
    tensor(2.)
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """A random choice of elements becomes zero."""
        return _without(default_mask, randperm(t.numel())[: self._number(t.numel())])


class L1Unstructured(_Amount):
    """Prunes the elements with the least absolute values.

    >>> import wengert as torch
    >>> prune = torch.nn.utils.prune
    >>> prune.L1Unstructured(amount=1).prune(torch.tensor([1.0, -3.0]))
    tensor([ 0., -3.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The least ones become zero."""
        return _without(default_mask, t.abs().reshape(-1).topk(self._number(t.numel()), largest=False).indices)


def _without(mask: Any, places: Any) -> Any:
    mask = mask.clone()
    if places.numel():
        mask.view(-1)[places] = 0
    return mask


class _Structured(_Amount):
    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _scores(self, t: Any) -> Any:
        """One number for each slice; the slices with the least are pruned."""
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Whole slices along ``dim`` become zero.

        Raises:
            ValueError: a tensor of one dimension.
            IndexError: no such dimension.
        """
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        size = t.shape[self.dim]
        pruned = self._scores(t).topk(self._number(size), largest=False).indices
        mask = zeros_like(t) + 1
        if pruned.numel():
            place: list[Any] = [slice(None)] * t.dim()
            place[self.dim] = pruned
            mask[tuple(place)] = 0
        return mask * default_mask


class RandomStructured(_Structured):
    """Prunes slices along a dimension at random.

    >>> import wengert as torch
    >>> prune = torch.nn.utils.prune
    >>> prune.RandomStructured(amount=1, dim=0).prune(torch.ones(2, 2)).sum()
    tensor(2.)
    """

    def _scores(self, t: Any) -> Any:
        return rand(t.shape[self.dim])


class LnStructured(_Structured):
    """Prunes the slices along a dimension that have the least ``n``-norms.

    >>> import wengert as torch
    >>> prune = torch.nn.utils.prune
    >>> prune.LnStructured(amount=1, n=2, dim=0).prune(torch.tensor([[1.0, 3.0], [2.0, 1.0]]))
    tensor([[1., 3.],
            [0., 0.]])
    """

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _scores(self, t: Any) -> Any:
        others = tuple([axis for axis in range(t.dim()) if axis != self.dim % t.dim()])
        if self.n == "fro":
            return vector_norm(t, 2, others)
        if self.n == "nuc":
            raise NotImplementedError("pruning by nuclear norms: take n=2 or a number")
        return vector_norm(t, float(self.n), others)


class CustomFromMask(BasePruningMethod):
    """Prunes what a given mask says.

    >>> import wengert as torch
    >>> prune = torch.nn.utils.prune
    >>> prune.CustomFromMask(torch.tensor([0, 1])).prune(torch.tensor([1.0, -3.0]))
    tensor([ 0., -3.])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The product of both masks."""
        return default_mask * self.mask.to(default_mask.dtype)
