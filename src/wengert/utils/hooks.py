"""The handles that registering a hook gives, under PyTorch's name for their module."""

from wengert.engine.hooks import RemovableHandle

__all__ = ["RemovableHandle"]
