"""``autograd.backward`` and ``autograd.grad``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wengert.autograd.graph import GradientEdge, tensor_at
from wengert.engine.backward import run_backward
from wengert.engine.base import TensorBase, edge_of, zeros_like
from wengert.engine.batch_scope import batch_axis, leave_batch
from wengert.engine.dual_grad import gradients
from wengert.engine.node import Node
from wengert.functions.graph import as_inputs
from wengert.spaces.tensors import TENSOR


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Compute the sum of the gradients of ``tensors`` and add it to ``.grad`` of the leaves.

    Args:
        tensors: one tensor (or gradient edge) or a sequence of them.
        grad_tensors: the cotangents, one per tensor, of its shape; None where a tensor has one element.
        retain_graph: keep what the graph has saved (default: the value of ``create_graph``).
        create_graph: record the computation of the gradients.
        grad_variables: PyTorch's old name of ``grad_tensors``.
        inputs: add only to ``.grad`` of these tensors.

    Raises:
        RuntimeError: as :meth:`wengert.Tensor.backward`; no ``.grad`` has changed then.
        TypeError: ``tensors`` is None.

    >>> import wengert as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> torch.autograd.backward([x * x, 3 * x])
    >>> x.grad
    tensor(7.)
    """
    if tensors is None:
        raise TypeError("backward() needs a tensor or a sequence of tensors, and got None")
    outputs = _tensors(_listed(tensors), ())
    given = grad_tensors if grad_tensors is not None else grad_variables
    targets = None if inputs is None else as_inputs(_tensors(_listed(inputs), outputs))
    run_backward(
        outputs,
        _gradients(given, outputs),
        retain_graph=retain_graph,
        create_graph=create_graph,
        inputs=targets,
    )


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...] | dict[Any, Any]:
    """The gradients of the sum of ``outputs`` with respect to each of ``inputs``; no ``.grad`` changes.

    Args:
        outputs: one tensor (or gradient edge) or a sequence of them.
        inputs: one tracked tensor (or gradient edge) or a sequence of them: leaves or results. Of a dict, a dict of the
            gradients is returned.
        grad_outputs: the cotangents of ``outputs`` (the vector of the product v^T J).
        retain_graph: keep what the graph has saved (default: the value of ``create_graph``).
        create_graph: record the computation, so that the gradients can be differentiated again.
        only_inputs: must be True.
        allow_unused: give None for inputs that the outputs do not depend on, instead of an error.
        is_grads_batched: ``grad_outputs`` have a leading batch dimension; one result per batch element, stacked.
        materialize_grads: give zeros instead of None.

    Raises:
        RuntimeError: an input is not tracked, or not used and that is not allowed; else as ``backward``.
        TypeError: ``inputs`` is None.
        ValueError: ``materialize_grads`` together with ``allow_unused=False``.

    >>> import wengert as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> (dy,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> torch.autograd.grad(dy, x)
    (tensor(12.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if not only_inputs:
        raise ValueError("only_inputs=False is not supported: use backward() to add to .grad of other tensors")
    if inputs is None:
        raise TypeError("grad() needs the tensors to differentiate with respect to, and got inputs=None")
    outs = _tensors(_listed(outputs), ())
    ins = _tensors(_listed(inputs), outs)
    if not ins:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    keep = create_graph if retain_graph is None else retain_graph
    unused = bool(allow_unused) or materialize_grads
    if is_grads_batched:
        options = {"create_graph": create_graph, "allow_unused": unused}
        results = _batched(outs, ins, _listed(grad_outputs), keep, options)
    else:
        given = _gradients(grad_outputs, outs)
        results = gradients(outs, ins, given, retain_graph=keep, create_graph=create_graph, allow_unused=unused)
    if materialize_grads:
        results = [zeros_like(x) if r is None else r for r, x in zip(results, ins, strict=True)]
    if inputs.__class__ is not tuple and isinstance(inputs, Mapping):
        return dict(zip(inputs, results, strict=True))
    return tuple(results)


def _batched(
    outs: Sequence[Any], ins: Sequence[Any], batches: Sequence[Any], keep: bool, options: dict[str, Any]
) -> list[Any]:
    """One sweep with a whole batch of cotangents."""
    sizes = {b._data.shape[0] for b in batches if b is not None}
    if len(sizes) != 1:
        raise RuntimeError(f"is_grads_batched: grad_outputs need one batch size, and they have {sorted(sizes)}")
    with batch_axis(sizes.pop(), "error") as axis:
        entered = [None if b is None else TENSOR.enter_batch(b, axis=axis, dim=0) for b in batches]
        found = gradients(outs, ins, entered, retain_graph=keep, **options)
    return [None if g is None else leave_batch(g, axis, 0) for g in found]


def _listed(given: Any) -> tuple[Any, ...]:
    kind = given.__class__
    if kind is tuple or kind is list:
        return tuple(given)
    if isinstance(given, (TensorBase, GradientEdge)):
        return (given,)
    if given.__class__ is tuple:
        return given
    if given.__class__ is not list and isinstance(given, Mapping):
        return tuple(given.values())
    return tuple(given if given is not None else ())


def _tensors(given: tuple[Any, ...], outputs: Sequence[Any]) -> tuple[Any, ...]:
    """The tensors, and for gradient edges tensors that stand for them; ``outputs`` may lead to these."""
    edges = False
    for t in given:
        if not isinstance(t, TensorBase):
            if not isinstance(t, GradientEdge):
                raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(t).__name__}")
            edges = True
    if not edges:
        return given
    near = _nodes(outputs)
    return tuple([tensor_at(t, near) if isinstance(t, GradientEdge) else t for t in given])


def _nodes(outputs: Sequence[Any]) -> list[Node]:
    return [node for node in map(edge_of, outputs) if node is not None]


def _gradients(given: Any, outputs: Sequence[Any]) -> Sequence[Any]:
    if given is None:
        return (None,) * len(outputs)
    gradients = _listed(given)
    for g in gradients:
        if g is not None and not isinstance(g, TensorBase):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if len(gradients) != len(outputs):
        raise RuntimeError(
            f"got {len(outputs)} tensors and {len(gradients)} gradients: give one gradient, or None, for each tensor"
        )
    return gradients


__all__ = ["backward", "grad"]
