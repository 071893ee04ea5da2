"""Transforms of functions: derivatives in every mode and order, and batches; they nest in any order."""

from wengert.func._forward import jvp, linear_transpose, linearize
from wengert.func._jacobians import hessian, hvp, jacfwd, jacrev
from wengert.func._modules import debug_unwrap, functional_call, functionalize, stack_module_state
from wengert.func._reverse import grad, grad_and_value, value_and_grad, vjp
from wengert.func._vmap import vmap

__all__ = [
    "debug_unwrap",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "hvp",
    "jacfwd",
    "jacrev",
    "jvp",
    "linear_transpose",
    "linearize",
    "stack_module_state",
    "value_and_grad",
    "vjp",
    "vmap",
]
