"""Derivatives of what is defined by an equation: roots, fixed points, minima, solutions of linear systems."""

from wengert.implicit._custom import custom_fixed_point as custom_fixed_point
from wengert.implicit._custom import custom_linear_solve as custom_linear_solve
from wengert.implicit._custom import custom_root as custom_root
from wengert.implicit._scipy import minimize as minimize
from wengert.implicit._scipy import root as root
from wengert.implicit._scipy import solve as solve
from wengert.implicit._solvers import conjugate_gradient as conjugate_gradient
from wengert.implicit._solvers import dense_solve as dense_solve
from wengert.implicit._solvers import iterate as iterate
from wengert.implicit._solvers import newton as newton

__all__ = [
    "conjugate_gradient",
    "custom_fixed_point",
    "custom_linear_solve",
    "custom_root",
    "dense_solve",
    "iterate",
    "minimize",
    "newton",
    "root",
    "solve",
]
