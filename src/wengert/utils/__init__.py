"""Tools around training: checkpointing."""

from wengert.utils import checkpoint as checkpoint

__all__ = ["checkpoint"]
