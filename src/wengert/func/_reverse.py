"""Reverse mode as functions of functions: ``grad``, ``grad_and_value``, ``value_and_grad``, ``vjp``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from wengert import _tree
from wengert._dtypes import from_numpy_dtype
from wengert.engine.base import TensorBase, zeros_like
from wengert.func._levels import (
    ReverseLevel,
    checked_argnums,
    fresh_tree,
    require_tensor,
    with_aux,
    with_replaced,
)


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of ``func`` and its value: ``(grad, value)`` or ``(grad, (value, aux))``.

    Args:
        func: a function that returns a tensor of one element (with ``has_aux`` a tuple of it and something else).
        argnums: the arguments to differentiate by; for a tuple the gradients are a tuple. An argument may be a nested
            container of tensors, whose gradient is the same container.
        has_aux: ``func`` returns ``(value, aux)``.

    Raises:
        RuntimeError: the value is not one number, or ``argnums`` does not fit.

    >>> import wengert as torch
    >>> torch.func.grad_and_value(lambda x: x**3)(torch.tensor(2.0))
    (tensor(12.), tensor(8.))
    """

    @functools.wraps(func)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        positions = checked_argnums(argnums, len(args))
        with ReverseLevel() as level:
            fresh = [fresh_tree(level, args[i], "the arguments to differentiate by") for i in positions]
            inputs = with_replaced(args, positions, [tree for tree, _ in fresh])
            value, aux = with_aux(func, has_aux, "grad")(*inputs, **kwargs)
            _check_scalar(value)
        reach = level.reach_of((value,))
        pulled = level.pull([value], [None], retain_graph=False, reach=reach)
        found = iter([zeros_like(x) if g is None else g for g, x in zip(pulled, level.inputs, strict=True)])
        gradients = tuple([_tree.unflatten(structure, found) for _, structure in fresh])
        result = gradients[0] if isinstance(argnums, int) else gradients
        value = level.leave(value, reach=reach)
        return result, ((value, _tree.map_leaves(level.leave, aux)) if has_aux else value)

    return transformed


def grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of ``func``, or ``(gradient, aux)``; see :func:`grad_and_value`.

    It nests: the gradient of a gradient is the second derivative, and each level sees only its own inputs.

    >>> import wengert as torch
    >>> f = lambda x: torch.sin(x)
    >>> torch.func.grad(torch.func.grad(f))(torch.tensor(0.5))
    tensor(-0.4794)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return transformed


def value_and_grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As :func:`grad_and_value`, in JAX's order: ``(value, grad)`` or ``((value, aux), grad)``.

    >>> import wengert as torch
    >>> torch.func.value_and_grad(lambda x: x**3)(torch.tensor(2.0))
    (tensor(8.), tensor(12.))
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return value, gradient

    return transformed


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``func`` and the function that multiplies a cotangent with its Jacobian: ``(output, vjp_fn)``.

    ``vjp_fn(cotangent)`` is ``v^T J``: a tuple with one gradient per primal (the gradient itself for a single primal is
    its only element). It may be called more than once, and inside other transforms.

    Raises:
        RuntimeError: the output is not made of tensors; a cotangent does not fit it.

    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> y, pull = torch.func.vjp(torch.sin, x)
    >>> pull(torch.ones(2))
    (tensor([ 0.5403, -0.4161]),)
    """
    with ReverseLevel() as level:
        fresh = [fresh_tree(level, primal, "the primals of vjp") for primal in primals]
        output, aux = with_aux(func, has_aux, "vjp")(*[tree for tree, _ in fresh])
    outputs, spec = _tree.flatten(output)
    for y in outputs:
        if not isinstance(y, TensorBase):
            raise RuntimeError(
                f"vjp(f, *primals): Expected f to be a function that has non-empty output made of tensors, and it "
                f"returned {type(y).__name__}"
            )
    left = [level.leave(y) for y in outputs]

    def vjp_fn(*cotangents: Any, retain_graph: bool = True) -> tuple[Any, ...]:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        vs, form = _tree.flatten(given)
        if form != spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                "function: "
                f"the outputs are {len(outputs)} tensors in {_named(spec)}, the cotangents {len(vs)} in {_named(form)}"
            )
        live = [
            (y, require_tensor(v, "cotangents"))
            for y, v in zip(outputs, vs, strict=True)
            if y.is_floating_point() or y.is_complex()
        ]
        pulled = level.pull([y for y, _ in live], [v for _, v in live], retain_graph=retain_graph)
        found = iter([zeros_like(x) if g is None else g for g, x in zip(pulled, level.inputs, strict=True)])
        return tuple([_tree.unflatten(structure, found) for _, structure in fresh])

    result = _tree.unflatten(spec, left)
    return (result, vjp_fn, _tree.map_leaves(level.leave, aux)) if has_aux else (result, vjp_fn)


def _named(spec: _tree.Structure) -> str:
    return "no container" if spec is _tree.LEAF else f"a {spec[0].__name__}"


def _check_scalar(value: Any) -> None:
    if not isinstance(value, TensorBase):
        raise RuntimeError(
            f"Expected the function given to grad to return a Tensor, got {type(value).__name__}: return one number "
            "as a "
            "tensor (with has_aux=True a tuple of it and something else)"
        )
    if value._data.ndim or value._data.size != 1:
        raise RuntimeError(
            "Expected the function given to grad to return a scalar tensor, got tensor with "
            f"{value._data.ndim} dims (shape {list(value._data.shape)}). Maybe you wanted to use the vjp or jacrev "
            "APIs "
            "instead?"
        )
    if value._data.dtype.kind != "f":
        raise RuntimeError(
            "grad needs a real value to differentiate, and the function returned "
            f"{from_numpy_dtype(value._data.dtype)}. "
            "Take .real or .abs(), or use vjp"
        )
