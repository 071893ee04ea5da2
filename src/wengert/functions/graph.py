"""Tensor methods that deal with the graph: tracking, gradients, hooks, cutting."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert._dtypes import from_numpy_dtype, type_name
from wengert.engine import messages, start_messages
from wengert.engine.backward import backward_from_scalar, retain_grad, run_backward
from wengert.engine.base import INFERENCE, TensorBase, accumulator_of, alias, array_of, is_tracking, version_of
from wengert.engine.batch_scope import held
from wengert.engine.hooks import RemovableHandle
from wengert.engine.node import Node, Port
from wengert.engine.past import note_cut
from wengert.engine.state import STATE
from wengert.functions.options import require_tensor


class GraphMethods:
    """The part of Tensor that deals with the graph."""

    __slots__ = ()

    @property
    def requires_grad(self: Any) -> bool:
        """Whether gradients flow to this tensor.

        >>> import wengert as torch
        >>> w = torch.ones(2, requires_grad=True)
        >>> w.requires_grad, (w * 2).requires_grad, w.detach().requires_grad
        (True, True, False)
        """
        view = self._view
        if view is None or self._rg:
            return self._rg  # type: ignore[no-any-return]
        # as `view.refresh`, without its errors: the question is allowed even for a view that cannot follow its base
        return view.base._rg and not view.is_switched() and self._data.dtype.kind in "fc"

    @requires_grad.setter
    def requires_grad(self: Any, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError(f"requires_grad must be a bool, and this is of type {type(value).__name__}")
        self.requires_grad_(value)

    def requires_grad_(self: Any, requires_grad: bool = True) -> Any:
        """Start or stop tracking a leaf; returns the tensor.

        Raises:
            RuntimeError: the dtype is neither float nor complex, or tracking of a non-leaf would be stopped.
            TypeError: ``requires_grad`` is not a bool.

        >>> import wengert as torch
        >>> torch.ones(2).requires_grad_()
        tensor([1., 1.], requires_grad=True)
        """
        if not isinstance(requires_grad, bool):
            raise TypeError(
                "requires_grad_(): argument 'requires_grad' (position 1) must be bool, not "
                f"{type(requires_grad).__name__}"
            )
        tracked = self.requires_grad
        if self._node is not None:
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                    "in a subgraph that doesn't require differentiation use var_no_grad = var.detach(). "
                    f"{messages.called(self)} is a result ({messages.node_at(self._node)})."
                )
            return self
        if requires_grad:
            check_can_require(self)
            if self._cell is INFERENCE and not STATE.inference and not tracked:
                raise RuntimeError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed. Make a "
                    "normal tensor of it with clone()."
                )
        self._rg = requires_grad
        if tracked and not requires_grad:
            note_cut("requires_grad_(False)", None, self)
        if self._view is not None:
            self._view.own = True
        return self

    @property
    def is_leaf(self: Any) -> bool:
        """Whether the tensor was made by the user (or is untracked) rather than by a tracked operation."""
        return not is_tracking(self) or self._node is None

    @property
    def grad_fn(self: Any) -> Node | None:
        """The graph node whose result this tensor is; None for leaves and untracked tensors."""
        if not is_tracking(self):
            return None
        node = self._node
        return node.next[0] if isinstance(node, Port) else node if node is None else node.settled()

    @property
    def output_nr(self: Any) -> int:
        """Which result of its ``grad_fn`` this tensor is."""
        is_tracking(self)
        return self._node.index if isinstance(self._node, Port) else 0

    @property
    def grad(self: Any) -> Any:
        """The gradient that backward passes have added up here, or None. Same shape and dtype as the tensor.

        Reading it on a tensor that is not a leaf and has not called ``retain_grad()`` warns: it is None there.
        """
        if STATE.trace is not None:
            STATE.trace.reads_grad(self)
        try:
            grad = self._grad
        except AttributeError:  # no gradient was ever there
            grad = None
        if grad is None and self._node is not None and self._rg and not getattr(self, "_retains", False):
            warnings.warn(start_messages.grad_of_result(self), UserWarning, stacklevel=2)
        return grad

    @grad.setter
    def grad(self: Any, value: Any) -> None:
        if value is not None:
            _check_grad(self, value)
            if value._rg and self._rg and self._node is None:
                accumulator_of(self).weaken()  # the graph of the gradient leads back to this leaf
        if STATE.trace is not None:
            STATE.trace.sets_grad(self)
        self._grad = value

    @grad.deleter
    def grad(self: Any) -> None:
        if STATE.trace is not None:
            STATE.trace.sets_grad(self)
        self._grad = None

    def backward(
        self: Any,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Compute the gradient of this tensor with respect to the graph's leaves and add it to their ``.grad``.

        Args:
            gradient: the cotangent, of this tensor's shape; not needed for one element (1 is taken).
            retain_graph: keep what the graph has saved, for another pass. Default: the value of ``create_graph``.
            create_graph: record the computation of the gradients, so that they can be differentiated again.
            inputs: the tensors into whose ``.grad`` to add; default: all leaves.

        Raises:
            RuntimeError: no graph leads here; several elements and no ``gradient``; the graph was freed by an earlier
                pass; a saved value was changed in place. No ``.grad`` has changed then.

        >>> import wengert as torch
        >>> x = torch.tensor(3.0, requires_grad=True)
        >>> (x**2).backward()
        >>> x.grad
        tensor(6.)
        """
        if gradient is None and inputs is None and not create_graph and self._node is not None:
            raw = self._data
            if raw.__class__ is np.float32 or (raw.ndim == 0 and raw.dtype.kind == "f" and is_tracking(self)):
                backward_from_scalar(self, retain_graph)
                return
        if gradient is not None and not isinstance(gradient, TensorBase):
            raise TypeError(
                f"gradients can be either Tensors or None, but got {type(gradient).__name__}: give "
                f"backward(gradient=...) a tensor of shape {list(self._data.shape)}"
            )
        run_backward(
            (self,),
            (gradient,),
            retain_graph=retain_graph,
            create_graph=create_graph,
            inputs=as_inputs(inputs),
        )

    def retain_grad(self: Any) -> None:
        """Keep ``.grad`` of this tensor although it is not a leaf."""
        if not is_tracking(self):
            raise RuntimeError(
                f"can't retain_grad on Tensor that has requires_grad=False: {messages.called(self)} is not tracked."
            )
        if self._node is not None:
            retain_grad(self)

    @property
    def retains_grad(self: Any) -> bool:
        """Whether ``retain_grad()`` is in force here."""
        return self._node is not None and bool(getattr(self, "_retains", False))

    def register_hook(self: Any, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Call ``hook(grad)`` when the gradient of this tensor is known; what it returns replaces the gradient.

        Raises:
            RuntimeError: the tensor is not tracked.

        >>> import wengert as torch
        >>> x = torch.tensor(2.0, requires_grad=True)
        >>> handle = x.register_hook(lambda g: 10 * g)
        >>> (x * x).backward()
        >>> x.grad
        tensor(40.)
        """
        if not is_tracking(self):
            raise RuntimeError(start_messages.no_hook(self))
        if not callable(hook):
            raise TypeError(f"register_hook expects a function, got {type(hook).__name__}")
        if self._node is None:
            return RemovableHandle(accumulator_of(self).hang().tensor_pre, held(hook))
        return RemovableHandle(self._node.hang().tensor_pre, held(hook))

    def register_post_accumulate_grad_hook(self: Any, hook: Callable[[Any], None]) -> RemovableHandle:
        """Call ``hook(tensor)`` after a backward pass has added to ``.grad`` of this leaf."""
        if not is_tracking(self):
            raise RuntimeError(start_messages.no_hook(self))
        if self._node is not None:
            raise RuntimeError(
                f"post accumulate grad hooks cannot be registered on non-leaf tensors: {messages.called(self)} is a "
                f"result ({messages.node_at(self._node)}). register_hook() works there."
            )
        return RemovableHandle(accumulator_of(self).hang().post_accumulate, hook)

    def detach(self: Any) -> Any:
        """A new tensor on the same memory that no gradient flows through.

        >>> import wengert as torch
        >>> w = torch.ones(2, requires_grad=True)
        >>> (w * 2).detach()
        tensor([2., 2.])
        """
        new = alias(self)
        if self._rg:  # without asking a view whose place in the graph was lost: its values can still be had
            note_cut("detach()", self, new)
        return new

    def detach_(self: Any) -> Any:
        """Cut this tensor from the graph, in place; returns it.

        Raises:
            RuntimeError: the tensor is a view (its base would stay in the graph).
        """
        if self._view is not None:
            raise RuntimeError(
                f"Can't detach views in-place. Use detach() instead: {messages.called(self)} is a view, and its base "
                "would stay in the graph."
            )
        t = self  # not `self`, whose attributes would be taken for this class's own
        if t._rg:
            note_cut("detach_()", None, t)
        t._node, t._rg = None, False
        t._retains = False
        return t

    @property
    def data(self: Any) -> Any:
        """The same memory outside of the graph, with a version of its own: writes through it are not noticed."""
        new = alias(self, share_version=False)
        if is_tracking(self):
            note_cut(".data", self, new)
        return new

    @data.setter
    def data(self: Any, value: Any) -> None:
        if not isinstance(value, TensorBase):
            raise TypeError(
                f"Variable data has to be a tensor, but got {type(value).__name__}: make one with torch.tensor(...)"
            )
        raw = array_of(value)
        if self._rg and raw.dtype.kind not in "fc":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point or complex dtype: "
                f"{messages.called(self)} requires grad and was given {from_numpy_dtype(raw.dtype)}."
            )
        self._data = raw
        if self._rg and self._node is None:
            node = accumulator_of(self)
            node.shape, node.dtype, node.scalar = raw.shape, raw.dtype, raw.__class__

    @property
    def _version(self: Any) -> int:
        return version_of(self)

    @property
    def _base(self: Any) -> Any:
        return None if self._view is None else self._view.base

    def _is_view(self: Any) -> bool:
        return self._view is not None

    def is_inference(self: Any) -> bool:
        """Whether the tensor was made under ``inference_mode()``."""
        return self._cell is INFERENCE


def is_inference(input: Any) -> bool:
    """Whether a tensor was made under ``inference_mode()``.

    >>> import wengert as torch
    >>> torch.is_inference(torch.ones(2))
    False
    """
    return bool(require_tensor("is_inference", input)._cell is INFERENCE)


def check_can_require(t: Any) -> None:
    """Raise if a tensor cannot be tracked because of its dtype."""
    dtype = t._data.dtype
    if dtype.kind not in "fc":
        name = messages.called(t)
        raise RuntimeError(
            f"only Tensors of floating point dtype can require gradients (and complex ones), and {name} is "
            f"{from_numpy_dtype(dtype)}: write the numbers with a decimal point (`tensor([1., 2.])`) or pass "
            "dtype=torch.float32."
        )


def _check_grad(t: Any, value: Any) -> None:
    if not isinstance(value, TensorBase):
        raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
    if value is t:
        raise RuntimeError("can't assign Variable as its own grad")
    own, given = t._data, value._data
    if given.dtype != own.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{_CPP_NAMES.get(given.dtype.name, given.dtype.name)}' to a "
            f"tensor with grad_dtype '{type_name(own.dtype)}': the gradient of a {from_numpy_dtype(own.dtype)} tensor "
            f"is a {from_numpy_dtype(own.dtype)} tensor. Convert it with .to({from_numpy_dtype(own.dtype)})."
        )
    if given.shape != own.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(given.shape)}' to a tensor of size '{list(own.shape)}'. "
            "Please ensure that the gradient and the tensor are the same size: a gradient has one number for each of "
            "the tensor's."
        )


# What PyTorch calls them in that message.
_CPP_NAMES = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int", "int16": "short int"}


def as_inputs(inputs: Any) -> Sequence[Any] | None:
    """The ``inputs`` argument of backward as a sequence of tensors."""
    if inputs is None:
        return None
    sequence = (inputs,) if isinstance(inputs, TensorBase) else tuple(inputs)
    if not sequence:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    return sequence


__all__ = ["GraphMethods", "as_inputs", "check_can_require", "is_inference"]
