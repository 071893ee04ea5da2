"""State dicts: a module's tensors by name, and putting such tensors back into a module."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, NamedTuple

from wengert._tensor import Tensor
from wengert.autograd.grad_mode import no_grad
from wengert.engine.hooks import RemovableHandle
from wengert.nn.modules._hooks import Hook, Hooks, added
from wengert.nn.parameter import Parameter

EXTRA = "_extra_state"


class _IncompatibleKeys(NamedTuple):
    """What did not fit when a state dict was loaded."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    def __str__(self) -> str:
        return repr(self)


class _Incoming(OrderedDict[str, Any]):
    """A state dict on its way into a module: ``writes`` are what is to be done once everything is known to fit."""

    def __init__(self, items: Any, writes: list[Callable[[], None]]) -> None:
        super().__init__(items)
        self.writes = writes


class StateDictMethods:
    """The part of Module that saves and loads its state."""

    _version: ClassVar[int] = 1
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _state_dict_hooks: Hooks
    _state_dict_pre_hooks: Hooks
    _load_state_dict_pre_hooks: Hooks
    _load_state_dict_post_hooks: Hooks

    def named_modules(self) -> Iterator[tuple[str, Any]]:
        """This module and all below it."""
        raise NotImplementedError

    def get_extra_state(self) -> Any:
        """What besides tensors belongs to the state dict; a module that has such overrides this and its opposite."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called: override it together with "
            "set_extra_state()"
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what :meth:`get_extra_state` gave."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called: override it together with "
            "get_extra_state()"
        )

    def _has_extra_state(self) -> bool:
        return type(self).get_extra_state is not StateDictMethods.get_extra_state

    # --- out ---

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own tensors (not those of modules below it) into ``destination``."""
        kept = [(n, b) for n, b in self._buffers.items() if n not in self._non_persistent_buffers_set]
        for name, tensor in (*self._parameters.items(), *kept):
            if tensor is not None:
                destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._has_extra_state():
            destination[prefix + EXTRA] = self.get_extra_state()

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """The parameters and persistent buffers by name, detached and on the same memory.

        ``keep_vars`` gives the parameters themselves.

        >>> import wengert as torch
        >>> list(torch.nn.Sequential(torch.nn.Linear(1, 1)).state_dict())
        ['0.weight', '0.bias']
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            changed = hook(self, destination, prefix, local)
            if changed is not None:
                if getattr(hook, "_from_public_api", False):
                    raise RuntimeError("state_dict post-hook must return None")
                destination = changed
        return destination

    # --- in ---

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copy the tensors of a state dict into this module; returns which names were missing or not expected.

        Everything is checked before anything is changed (a post-hook, which may change what counts as missing, runs
        after the copying). ``assign`` takes the tensors themselves in place of copying their values.

        Raises:
            TypeError: ``state_dict`` is no mapping.
            RuntimeError: shapes differ, or with ``strict`` names do.

        >>> import wengert as torch
        >>> net = torch.nn.Linear(2, 1)
        >>> net.load_state_dict({"weight": torch.ones(1, 2), "bias": torch.zeros(1)})
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        keys = _IncompatibleKeys([], [])
        errors: list[str] = []
        writes: list[Callable[[], None]] = []
        self._load_below(_Incoming(state_dict, writes), "", metadata, assign, keys, errors)
        has_post_hooks = any([module._load_state_dict_post_hooks for _, module in self.named_modules()])
        if not errors and (has_post_hooks or not strict or not any(keys)):
            for write in writes:
                write()
            self._run_post_hooks(keys)
        if strict:
            errors = _texts_of(keys) + errors
        if errors:
            lines = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{lines}")
        return keys

    def _load_below(
        self, state: _Incoming, prefix: str, metadata: Any, assign: bool, keys: Any, errors: list[str]
    ) -> None:
        local = {} if metadata is None else metadata.get(prefix[:-1], {})
        if assign:
            local["assign_to_params_buffers"] = assign
        self._load_from_state_dict(state, prefix, local, True, keys.missing_keys, keys.unexpected_keys, errors)
        for name, module in self._modules.items():
            if module is not None:
                inner = f"{prefix}{name}."
                below = _Incoming([(k, v) for k, v in state.items() if k.startswith(inner)], state.writes)
                module._load_below(below, inner, metadata, assign, keys, errors)

    def _run_post_hooks(self, keys: Any) -> None:
        for module in self._modules.values():
            if module is not None:
                module._run_post_hooks(keys)
        for hook in self._load_state_dict_post_hooks.values():
            if hook(self, keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                    "values, if incompatible_keys need to be modified, it should be done inplace."
                )

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take this module's own tensors (not those of modules below it) out of ``state_dict``."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        buffers = {n: b for n, b in self._buffers.items() if n not in self._non_persistent_buffers_set}
        own = {n: t for n, t in (*self._parameters.items(), *buffers.items()) if t is not None}
        writes = getattr(state_dict, "writes", None)
        for name, tensor in own.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            value = _fitting(key, tensor, state_dict[key], assign, error_msgs)
            if value is None:
                continue
            write = self._assignment(name, tensor, value) if assign else _copying(tensor, value)
            _now_or_later(writes, write)
        extra = prefix + EXTRA
        if self._has_extra_state():
            if extra in state_dict:
                _now_or_later(writes, partial(self.set_extra_state, state_dict[extra]))
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            unexpected_keys.extend(self._unexpected(state_dict, prefix, own, extra))

    def _unexpected(self, state_dict: Any, prefix: str, own: Any, extra: str) -> Iterator[str]:
        for key in state_dict:
            if key.startswith(prefix) and key != extra:
                first, point, _ = key[len(prefix) :].partition(".")
                if not (point and first in self._modules) and key[len(prefix) :] not in own:
                    yield key

    def _assignment(self, name: str, old: Any, new: Any) -> Callable[[], None]:
        if isinstance(old, Parameter) and not isinstance(new, Parameter):
            new = Parameter(new, requires_grad=old.requires_grad)
        elif isinstance(old, Parameter):
            new.requires_grad_(old.requires_grad)
        return lambda: setattr(self, name, new)

    # --- hooks ---

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before the state dict is made."""
        return added(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` once it is made; it may change it in place."""
        hook._from_public_api = True  # type: ignore[attr-defined]
        return added(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously registered via "
                "register_state_dict_post_hook"
            )
        return added(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)`` first."""
        return added(self._load_state_dict_pre_hooks, lambda *args: hook(self, *args))

    def _register_load_state_dict_pre_hook(self, hook: Hook, with_module: bool = False) -> RemovableHandle:
        return (
            self.register_load_state_dict_pre_hook(hook)
            if with_module
            else added(self._load_state_dict_pre_hooks, hook)
        )

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; it may change the lists of names in place."""
        return added(self._load_state_dict_post_hooks, hook)


def _fitting(key: str, tensor: Any, value: Any, assign: bool, errors: list[str]) -> Any:
    """The value to load into ``tensor``, or None (and an entry in ``errors``) where it does not fit."""
    if not isinstance(value, Tensor):
        errors.append(
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(value)}"
        )
        return None
    if tensor.dim() == 0 and value.dim() == 1 and len(value) == 1:  # how PyTorch saved numbers before version 0.4
        value = value[0]
    if value.shape != tensor.shape:
        errors.append(
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in current "
            f"model is {tensor.shape}."
        )
        return None
    if tensor.is_complex() < value.is_complex() and not assign:
        errors.append(
            f"the parameter named {key} is {tensor.dtype}, and the value is {value.dtype}: its imaginary part would be "
            "lost."
        )
        return None
    return value


def _copying(tensor: Any, value: Any) -> Callable[[], None]:
    def write() -> None:
        with no_grad():
            tensor.copy_(value)

    return write


def _now_or_later(writes: list[Callable[[], None]] | None, write: Callable[[], None]) -> None:
    """A user's own state dict, handed to ``_load_from_state_dict`` directly, is loaded at once."""
    if writes is None:
        write()
    else:
        writes.append(write)


def _texts_of(keys: _IncompatibleKeys) -> list[str]:
    texts = []
    for kind, names in (("Missing", keys.missing_keys), ("Unexpected", keys.unexpected_keys)):
        if names:
            listed = ", ".join([f'"{name}"' for name in names])
            texts.append(f"{kind} key(s) in state_dict: {listed}. ")
    return texts
