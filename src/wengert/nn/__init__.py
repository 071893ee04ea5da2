"""Neural networks: for now the functions of :mod:`wengert.nn.functional`, and :class:`Parameter`."""

from wengert.nn import functional as functional
from wengert.nn import parameter as parameter
from wengert.nn.parameter import Parameter as Parameter

__all__ = ["Parameter", "functional", "parameter"]
