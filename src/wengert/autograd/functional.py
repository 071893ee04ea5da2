"""Derivatives of functions of tensors at a point, in the style of ``torch.autograd.functional``.

Every function takes ``func`` and its ``inputs`` (a tensor or a tuple of tensors). What comes out is tracked only with
``create_graph=True``, and then as a function of the inputs. ``strict=True`` makes it an error where ``func`` does not
depend on an input, which otherwise gives zeros. :mod:`wengert.func` has the same as functions of functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from wengert.engine.base import TensorBase, wrap, zeros_like
from wengert.engine.batch_scope import batch_axis, leave_batch
from wengert.engine.dual_grad import gradients
from wengert.engine.state import STATE
from wengert.func._jacobians import basis, jacfwd
from wengert.func._levels import ReverseLevel
from wengert.spaces.tensors import TENSOR

Function = Callable[..., Any]


class _Run:
    """One run of ``func`` on fresh inputs, of which derivatives are asked."""

    def __init__(self, name: str, func: Function, inputs: Any, *, create_graph: bool, strict: bool) -> None:
        self.name = name
        self.strict = strict
        self.create_graph = create_graph
        self.single = not isinstance(inputs, (tuple, list))
        self.given = _tensors(inputs, name, "inputs")
        self.before = STATE.grad_enabled
        STATE.grad_enabled = create_graph and self.before
        try:
            self.level = ReverseLevel()
            with self.level:
                self.inputs = [self.level.fresh(x) for x in self.given]
                output = func(*self.inputs)
            self.single_output = not isinstance(output, (tuple, list))
            self.outputs = _tensors(output, name, "outputs of the user-provided function")
        finally:
            STATE.grad_enabled = self.before
        if strict:
            for i, y in enumerate(self.outputs):
                if not y._rg:
                    raise RuntimeError(
                        f"Output {i} of the user-provided function does not require gradient. The outputs must be "
                        "computed in a differentiable manner from the input when running in strict mode."
                    )

    def pull(self, outputs: Sequence[Any], cotangents: Sequence[Any], *, record: bool | None = None) -> list[Any]:
        """The gradients by the inputs; zeros where there are none, which is an error when strict."""
        pairs = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if y._rg]
        found: list[Any] = [None] * len(self.inputs)
        if pairs:
            ys, vs = [y for y, _ in pairs], [v for _, v in pairs]
            record = self.create_graph if record is None else record
            found = gradients(ys, self.inputs, vs, retain_graph=True, create_graph=record, allow_unused=True)
        for i, g in enumerate(found):
            if g is None and self.strict:
                raise RuntimeError(
                    f"The output of the user-provided function is independent of input {i}. This is not allowed in "
                    "strict mode."
                )
        return [zeros_like(x) if g is None else g for g, x in zip(found, self.inputs, strict=True)]

    def leave(self, t: Any) -> Any:
        """A result as it is handed out."""
        return t if self.create_graph else t.detach()

    def like_inputs(self, tensors: Sequence[Any]) -> Any:
        """A tensor or a tuple of them, as the inputs were."""
        return tensors[0] if self.single else tuple(tensors)

    def like_outputs(self, parts: Sequence[Any]) -> Any:
        """One or a tuple, as the outputs were."""
        return parts[0] if self.single_output else tuple(parts)

    def scalar(self) -> Any:
        """The only output, which must be one number."""
        if not self.single_output or self.outputs[0]._data.size != 1:
            raise RuntimeError(
                f"{self.name}: The Tensor returned by the function given to {self.name} should contain a single "
                f"element, and it has the shape {list(self.outputs[0]._data.shape)}"
            )
        y = self.outputs[0]
        return y if not y._data.ndim else TENSOR.reshape(y, shape=())


def _tensors(given: Any, name: str, what: str) -> list[Any]:
    several = list(given) if isinstance(given, (tuple, list)) else [given]
    for i, t in enumerate(several):
        if not isinstance(t, TensorBase):
            kind = type(given).__name__ if several[0] is given else f"a container with {type(t).__name__} at index {i}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the given {what} has "
                f"type {kind}."
            )
    return several


def _vectors(v: Any, like: Sequence[Any], name: str, what: str) -> list[Any]:
    """The vector of a product: ones where it is left out and there is one number."""
    if v is None:
        if len(like) != 1 or like[0]._data.size != 1:
            raise RuntimeError(
                f"The vector v can only be None if the {what} of the user-provided function is a single Tensor with a "
                f"single element, when calling {name}."
            )
        return [wrap(np.ones(like[0]._data.shape, like[0]._data.dtype))]
    vectors = _tensors(v, name, "vectors v")
    if len(vectors) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}.")
    for i, (t, y) in enumerate(zip(vectors, like, strict=True)):
        if t._data.shape != y._data.shape:
            raise RuntimeError(
                f"Entry {i} in v has invalid size: should be {list(y._data.shape)} but got {list(t._data.shape)}."
            )
    return vectors


# --- whole Jacobians -------------------------------------------------------------------------------------------------


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of ``func`` at ``inputs``: of shape ``(*output.shape, *input.shape)``.

    Args:
        func: a function of tensors that returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of them.
        create_graph: let the result be differentiated.
        strict: raise where an output does not depend on an input.
        vectorize: has no effect: all rows (columns) are always computed as one batch.
        strategy: ``"reverse-mode"`` or ``"forward-mode"``.

    Returns:
        A tensor; for several inputs a tuple, for several outputs a tuple of those.

    >>> import wengert as torch
    >>> torch.autograd.functional.jacobian(lambda x: x**2, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    del vectorize
    _check_strategy(strategy, strict, "jacobian")
    if strategy == "forward-mode":
        return _forward_jacobian(func, inputs, create_graph)
    run = _Run("jacobian", func, inputs, create_graph=create_graph, strict=strict)
    blocks = []
    for y in run.outputs:
        shape = y._data.shape
        (rows,) = basis([y], 0, prod(shape))
        with batch_axis(prod(shape), "error") as axis:
            pulled = run.pull([y], [TENSOR.enter_batch(rows, axis=axis, dim=0)])
        whole = [leave_batch(g, axis, 0) for g in pulled]
        parts = [TENSOR.reshape(g, shape=(*shape, *x._data.shape)) for g, x in zip(whole, run.inputs, strict=True)]
        blocks.append(run.like_inputs([run.leave(part) for part in parts]))
    if strict and create_graph:
        for i, block in enumerate(blocks):
            for part in (block,) if run.single else block:
                if not part._rg:
                    raise RuntimeError(
                        f"The jacobian of the user-provided function (output {i}) is independent of the input. This is "
                        "not allowed in strict mode when create_graph=True."
                    )
    return run.like_outputs(blocks)


def _check_strategy(strategy: str, strict: bool, name: str) -> None:
    if strategy not in ("forward-mode", "reverse-mode"):
        raise ValueError(f'Expected strategy to be either "forward-mode" or "reverse-mode", got "{strategy}"')
    if strategy == "forward-mode" and strict:
        raise RuntimeError(
            f'torch.autograd.functional.{name}: `strict=True` and `strategy="forward-mode"` cannot be combined'
        )


def _forward_jacobian(func: Function, inputs: Any, create_graph: bool) -> Any:
    xs = _tensors(inputs, "jacobian", "inputs")
    before, STATE.grad_enabled = STATE.grad_enabled, create_graph and STATE.grad_enabled
    try:
        single = not isinstance(inputs, (tuple, list))
        return jacfwd(func, 0 if single else tuple(range(len(xs))))(*xs)
    finally:
        STATE.grad_enabled = before


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivative of ``func``, which returns one number, at ``inputs``.

    Arguments as in :func:`jacobian`; ``outer_jacobian_strategy`` is the mode of the second derivative.

    >>> import wengert as torch
    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    _check_strategy(outer_jacobian_strategy, strict, "hessian")
    single = not isinstance(inputs, (tuple, list))

    def first(*xs: Any) -> Any:
        run = _Run("hessian", func, xs, create_graph=True, strict=strict)
        return tuple(run.pull([run.scalar()], [None]))

    rows = jacobian(first, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return rows[0] if single else rows


# --- products with vectors -------------------------------------------------------------------------------------------


def vjp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The outputs, and the product ``v^T J`` of a vector with the Jacobian.

    >>> import wengert as torch
    >>> torch.autograd.functional.vjp(lambda x: x**2, torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.5]))
    (tensor([1., 4.]), tensor([2., 2.]))
    """
    run = _Run("vjp", func, inputs, create_graph=create_graph, strict=strict)
    pulled = run.pull(run.outputs, _vectors(v, run.outputs, "vjp", "output"))
    return run.like_outputs([run.leave(y) for y in run.outputs]), run.like_inputs([run.leave(g) for g in pulled])


def jvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The outputs, and the product ``J v`` of the Jacobian with a vector, by transposing a vjp (as PyTorch does).

    :func:`wengert.func.jvp` computes the same in forward mode, which costs less.

    >>> import wengert as torch
    >>> torch.autograd.functional.jvp(lambda x: x**2, torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.5]))
    (tensor([1., 4.]), tensor([2., 2.]))
    """
    run = _Run("jvp", func, inputs, create_graph=create_graph, strict=strict)
    vectors = _vectors(v, run.given, "jvp", "input")
    zeros = [_leaf(y) for y in run.outputs]
    pulled = run.pull(run.outputs, zeros, record=True)
    pushed = _transposed(pulled, zeros, vectors, create_graph)
    return run.like_outputs([run.leave(y) for y in run.outputs]), run.like_outputs([run.leave(t) for t in pushed])


def _leaf(like: Any) -> Any:
    t = zeros_like(like)
    t._rg = True
    return t


def _transposed(pulled: Sequence[Any], zeros: Sequence[Any], vectors: Sequence[Any], create_graph: bool) -> list[Any]:
    pairs = [(g, v) for g, v in zip(pulled, vectors, strict=True) if g._rg]
    if not pairs:
        return [zeros_like(z) for z in zeros]
    found = gradients(
        [g for g, _ in pairs],
        list(zeros),
        [v for _, v in pairs],
        retain_graph=True,
        create_graph=create_graph,
        allow_unused=True,
    )
    return [zeros_like(z) if t is None else t for t, z in zip(found, zeros, strict=True)]


def vhp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The value of ``func``, and the product ``v^T H`` of a vector with its Hessian.

    >>> import wengert as torch
    >>> torch.autograd.functional.vhp(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product("vhp", func, inputs, v, create_graph=create_graph, strict=strict)


def hvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The value of ``func``, and the product ``H v`` of its Hessian with a vector: the same as :func:`vhp`.

    >>> import wengert as torch
    >>> torch.autograd.functional.hvp(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product("hvp", func, inputs, v, create_graph=create_graph, strict=strict)


def _hessian_product(name: str, func: Function, inputs: Any, v: Any, *, create_graph: bool, strict: bool) -> Any:
    run = _Run(name, func, inputs, create_graph=create_graph, strict=strict)
    vectors = _vectors(v, run.given, name, "input")
    first = run.pull([run.scalar()], [None], record=True)
    second = run.pull(first, vectors)
    return run.like_outputs([run.leave(y) for y in run.outputs]), run.like_inputs([run.leave(g) for g in second])


__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]
