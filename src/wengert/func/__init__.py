"""Transforms of functions: derivatives in every mode and order, and batches; they nest in any order."""

from typing import TYPE_CHECKING

from wengert._lazy import on_first_use
from wengert.func._control import associative_scan, cond, fori_loop, scan, switch, while_loop
from wengert.func._custom_rules import custom_jvp, custom_vjp
from wengert.func._forward import jvp, linear_transpose, linearize
from wengert.func._jacobians import hessian, hvp, jacfwd, jacrev
from wengert.func._modules import debug_unwrap, functional_call, functionalize, stack_module_state
from wengert.func._reverse import grad, grad_and_value, value_and_grad, vjp
from wengert.func._sparse import Colouring, colouring, jacobian_pattern, sparse_hessian, sparse_jacobian
from wengert.func._vmap import vmap

if TYPE_CHECKING:
    from wengert.func._batch_norm import replace_all_batch_norm_modules_ as replace_all_batch_norm_modules_
else:
    __getattr__ = on_first_use(__name__, {"replace_all_batch_norm_modules_": "wengert.func._batch_norm"})

__all__ = [
    "Colouring",
    "associative_scan",
    "colouring",
    "cond",
    "custom_jvp",
    "custom_vjp",
    "debug_unwrap",
    "fori_loop",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian_pattern",
    "jacrev",
    "jvp",
    "linear_transpose",
    "linearize",
    "replace_all_batch_norm_modules_",
    "scan",
    "sparse_hessian",
    "sparse_jacobian",
    "stack_module_state",
    "switch",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
]
