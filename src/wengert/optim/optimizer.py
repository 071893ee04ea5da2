"""``Optimizer``: groups of parameters with their settings, and the state of each parameter."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from copy import deepcopy
from itertools import chain
from typing import Any, ClassVar

from wengert._tensor import Tensor
from wengert.engine.hooks import RemovableHandle

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "required",
]

Hooks = dict[int, Callable[..., Any]]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()  # the default of a setting that must be given

_BEFORE_EVERY_STEP: Hooks = {}
_AFTER_EVERY_STEP: Hooks = {}


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before each step of any optimizer."""
    return RemovableHandle(_BEFORE_EVERY_STEP, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after each step of any optimizer."""
    return RemovableHandle(_AFTER_EVERY_STEP, hook)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """A ``step`` that runs the hooks around it; once, when a step calls that of a parent class."""

    @functools.wraps(step)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        if not (
            self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks or _BEFORE_EVERY_STEP or _AFTER_EVERY_STEP
        ):
            return step(self, *args, **kwargs)
        if self._stepping:
            return step(self, *args, **kwargs)
        self._stepping = True
        args = (self, *args)
        try:
            for hook in (*_BEFORE_EVERY_STEP.values(), *self._optimizer_step_pre_hooks.values()):
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not isinstance(changed, tuple) or len(changed) != 2:
                        raise RuntimeError(
                            f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                        )
                    args, kwargs = changed
            result = step(*args, **kwargs)
            for hook in (*self._optimizer_step_post_hooks.values(), *_AFTER_EVERY_STEP.values()):
                hook(self, args, kwargs)
        finally:
            self._stepping = False
        return result

    return wrapper


class Optimizer:
    """Base class of optimizers: subclasses write ``step``.

    ``param_groups`` is a list of dicts, each with its ``params`` and its settings; ``state`` has a dict for each
    parameter.

    Args:
        params: the parameters; or dicts with ``params`` and settings of their own; or pairs of names and parameters.
        defaults: the settings of groups that do not say otherwise.

    Raises:
        TypeError: ``params`` is one tensor, or holds something that is none.
        ValueError: no parameters, one that is no leaf, or one twice.

    >>> import wengert as torch
    >>> class Descent(torch.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...     @torch.no_grad()
    ...     def step(self):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p -= group["lr"] * p.grad
    >>> w = torch.tensor(1.0, requires_grad=True)
    >>> (w**2).backward()
    >>> Descent([w], 0.25).step()
    >>> w
    tensor(0.5000, requires_grad=True)
    """

    _kept_dtype: ClassVar[frozenset[str]] = frozenset({"step"})  # state that loading does not convert

    param_groups: list[dict[str, Any]]
    state: defaultdict[Any, Any]

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._make_hook_tables()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{params.type()}"
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def _make_hook_tables(self) -> None:
        self._stepping = False
        self._opt_called = False  # schedulers ask whether there was a step before theirs
        self._optimizer_step_pre_hooks: Hooks = {}
        self._optimizer_step_post_hooks: Hooks = {}
        self._state_dict_pre_hooks: Hooks = {}
        self._state_dict_post_hooks: Hooks = {}
        self._load_state_dict_pre_hooks: Hooks = {}
        self._load_state_dict_post_hooks: Hooks = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._make_hook_tables()
        self.__dict__.update(state)

    def __repr__(self) -> str:
        texts = []
        for i, group in enumerate(self.param_groups):
            settings = [f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params"]
            texts.append("".join([f"Parameter Group {i}\n", *settings]))
        return f"{type(self).__name__} (\n" + "\n".join(texts) + ")"

    # --- the parameters ---

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize further parameters, with settings of their own.

        Raises:
            TypeError: no dict, or parameters that are no tensors.
            ValueError: a parameter that is no leaf, or one that is there already.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = dict(param_group)
        given = group["params"]
        if isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        params = [given] if isinstance(given, Tensor) else list(given)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names:
            if len(names) != len(params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            params = [p[1] for p in params]
            group["param_names"] = names
        group["params"] = params
        for p in params:
            _check_parameter(p)
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, default)
        self._check_not_there(params)
        self.param_groups.append(group)

    def _check_not_there(self, params: list[Any]) -> None:
        ids = {id(p) for p in params}
        if len(ids) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error. "
                "Each step would move such a parameter more than once.",
                UserWarning,
                stacklevel=4,
            )
        if any([id(p) in ids for group in self.param_groups for p in group["params"]]):
            raise ValueError("some parameters appear in more than one parameter group")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; or set them to zero in place."""
        for group in self.param_groups:
            for p in group["params"]:
                g = p.grad
                if g is None:
                    continue
                if set_to_none:
                    p.grad = None
                else:
                    if g.grad_fn is not None:
                        g.detach_()
                    else:
                        g.requires_grad_(False)
                    g.zero_()

    def step(self, closure: Any = None) -> Any:
        """Move the parameters once. ``closure`` computes the loss and its gradients anew, and returns the loss."""
        raise NotImplementedError(f"{type(self).__name__} has no step")

    # --- state dicts ---

    def state_dict(self) -> dict[str, Any]:
        """The state and the settings, with numbers in place of the parameters.

        >>> import wengert as torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> torch.optim.SGD([w], lr=0.1).state_dict()["param_groups"][0]["params"]
        [0]
        """
        for hook in self._state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers.setdefault(id(p), len(numbers)) for p in group["params"]]
            groups.append(packed)
        state = {(numbers[id(p)] if isinstance(p, Tensor) else p): value for p, value in self.state.items()}
        made: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._state_dict_post_hooks.values():
            changed = hook(self, made)
            if changed is not None:
                made = changed
        return made

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take state and settings from a state dict; what belongs to a parameter is converted to its dtype.

        Raises:
            ValueError: the groups or their sizes differ.
        """
        given = dict(state_dict)
        for hook in self._load_state_dict_pre_hooks.values():
            changed = hook(self, given)
            if changed is not None:
                given = changed
        own, saved = self.param_groups, deepcopy(given["param_groups"])
        if len(own) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any([len(a["params"]) != len(b["params"]) for a, b in zip(own, saved, strict=True)]):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        parameters = dict(
            zip(
                chain.from_iterable([group["params"] for group in saved]),
                chain.from_iterable([group["params"] for group in own]),
                strict=True,
            )
        )
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in given["state"].items():
            p = parameters.get(key)
            state[key if p is None else p] = value if p is None else self._converted(value, p)
        groups = [{**b, "params": a["params"]} for a, b in zip(own, saved, strict=True)]
        for a, b in zip(own, groups, strict=True):
            if "param_names" in a:
                b["param_names"] = a["param_names"]
        self.__setstate__({**self.__dict__, "state": state, "param_groups": groups})
        for hook in self._load_state_dict_post_hooks.values():
            hook(self)

    def _converted(self, value: Any, p: Any, key: str | None = None) -> Any:
        """A copy of a piece of state, floating-point tensors in the parameter's dtype."""
        if isinstance(value, Tensor):
            convert = p.is_floating_point() and key not in self._kept_dtype
            return value.detach().clone().to(p.dtype) if convert else value.detach().clone()
        if isinstance(value, dict):
            return {k: self._converted(v, p, k) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)([self._converted(v, p, key) for v in value])
        return deepcopy(value)

    # --- hooks ---

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new args and kwargs."""
        return RemovableHandle(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return RemovableHandle(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before the state dict is made."""
        return _registered(self._state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` once it is made; what it returns takes its place."""
        return _registered(self._state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before it is loaded; what it returns takes its place."""
        return _registered(self._load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return _registered(self._load_state_dict_post_hooks, hook, prepend)


def _registered(hooks: Hooks, hook: Callable[..., Any], first: bool) -> RemovableHandle:
    others = dict(hooks) if first else {}
    for key in others:
        del hooks[key]
    handle = RemovableHandle(hooks, hook)
    hooks.update(others)
    return handle


def _check_parameter(p: Any) -> None:
    if not isinstance(p, Tensor):
        raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
    if not (p.is_leaf or p.retains_grad):
        raise ValueError("can't optimize a non-leaf Tensor")
