"""Hooks that make a weight anew before each forward. Knows where they hang, not what they compute."""

from __future__ import annotations

from typing import Any

from wengert.nn.modules.module import Module

__all__ = ["check_alone", "removed"]


def _keys(module: Module, kind: type, name: str) -> list[int]:
    hooks: dict[int, Any] = module._forward_pre_hooks
    return [key for key, hook in hooks.items() if isinstance(hook, kind) and getattr(hook, "name", None) == name]


def check_alone(module: Module, kind: type, name: str, what: str) -> None:
    """Raise if a hook of this kind makes the parameter ``name`` already.

    Raises:
        RuntimeError: one does.
    """
    if _keys(module, kind, name):
        raise RuntimeError(f"Cannot register two {what} hooks on the same parameter {name}")


def removed(module: Module, kind: type, name: str, what: str) -> Module:
    """The module without the hook of this kind that makes ``name``, which is a parameter again.

    Raises:
        ValueError: there is none.
    """
    for key in _keys(module, kind, name):
        hook: Any = module._forward_pre_hooks.pop(key)
        hook.remove(module)
        return module
    raise ValueError(f"{what} of '{name}' not found in {module}")
