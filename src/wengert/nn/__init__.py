"""Neural networks: for now the functions of :mod:`wengert.nn.functional`."""

from wengert.nn import functional

__all__ = ["functional"]
