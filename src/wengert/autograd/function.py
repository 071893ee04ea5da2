"""Functions with a hand-written derivative."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from wengert._source import user_code
from wengert.engine import messages
from wengert.engine.base import TensorBase, alias, edge_of, wrap
from wengert.engine.custom import FunctionNode
from wengert.engine.inplace import move_on
from wengert.engine.node import Node, Port, RecordedNode
from wengert.engine.state import STATE

FunctionCtx = FunctionNode


class _FunctionMeta(type):
    """Gives each Function its node class, named as PyTorch names it: ``MyFunctionBackward``."""

    _node_class: type[FunctionNode]

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> None:
        super().__init__(name, bases, body)
        node_body = {"__slots__": (), "__module__": cls.__module__, "function": cls}
        cls._node_class = type(f"{name}Backward", (FunctionNode,), node_body)


class Function(metaclass=_FunctionMeta):
    """Base class of functions that bring their own derivative.

    Write ``forward(ctx, *args)`` and ``backward(ctx, *grad_outputs)`` as static methods (or ``forward(*args)`` with
    ``setup_context(ctx, inputs, output)``), then call ``MyFunction.apply(*args)``. ``backward`` returns one gradient per argument of
    ``forward``, None where there is none, each with exactly the shape of its argument.

    Raises:
        RuntimeError: ``backward`` returns the wrong number of gradients or one of the wrong shape.
        NotImplementedError: ``forward`` or ``backward`` is not written.

    >>> import wengert as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y
    tensor(8., grad_fn=<CubeBackward>)
    >>> y.backward()
    >>> x.grad
    tensor(12.)
    """

    _node_class: ClassVar[type[FunctionNode]]
    generate_vmap_rule: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            f"{type(self).__name__} should not be instantiated. Methods on autograd functions are all static, so call "
            f"{type(self).__name__}.apply(...) on the class itself."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result; the user's to write."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what ``backward`` needs, when ``forward`` takes no ``ctx``; the user's to write."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute the inputs' gradients from the results'; the user's to write."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """Compute the results' tangents from the inputs'; the user's to write."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @classmethod
    def _backward(cls, ctx: FunctionNode, *grads: Any) -> Any:
        own, vjp = cls.backward is not Function.backward, cls.vjp is not Function.vjp
        if own and vjp:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one of them."
            )
        return (cls.vjp if vjp else cls.backward)(ctx, *grads)

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run ``forward`` untracked and record the function as one node of the graph."""
        ctx = cls._node_class(args)
        ctx.code, ctx.lasti = user_code()
        tracked = STATE.grad_enabled and any(ctx.needs_input_grad)
        modes = STATE.grad_enabled
        STATE.grad_enabled = False
        try:
            if cls.setup_context is Function.setup_context:
                output = cls.forward(ctx, *args)
            else:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
        finally:
            STATE.grad_enabled = modes
        outputs = output if isinstance(output, tuple) else (output,)
        results = tuple([_fresh(ctx, args, o) for o in outputs])
        if tracked:
            _connect(ctx, args, outputs, results)
        return results if isinstance(output, tuple) else results[0]


def _fresh(ctx: FunctionNode, inputs: tuple[Any, ...], output: Any) -> Any:
    """The result as handed out: an input returned as it is becomes an alias, unless it was written in place."""
    if not isinstance(output, TensorBase):
        return output
    if any([output is t for t in ctx._dirty]):
        return output
    if any([output is x for x in inputs]):
        return alias(output)
    output._view = None
    return output


def _connect(ctx: FunctionNode, inputs: tuple[Any, ...], outputs: tuple[Any, ...], results: tuple[Any, ...]) -> None:
    for dirty in ctx._dirty:
        if not any([dirty is o for o in outputs]):
            raise RuntimeError("Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be outputs of the Function.")
    ctx.n_outputs = len(outputs)
    raws = [r._data if isinstance(r, TensorBase) else None for r in results]
    shapes = tuple([None if raw is None else raw.shape for raw in raws])
    dtypes = tuple([_NOTHING if raw is None else raw.dtype for raw in raws])
    ctx.shape, ctx.dtype = (shapes[0], dtypes[0]) if ctx.n_outputs == 1 else (shapes, dtypes)
    constant = ctx._non_differentiable
    for index, (given, result) in enumerate(zip(outputs, results, strict=True)):
        if raws[index] is None or raws[index].dtype.kind not in "fc" or any([given is c for c in constant]):
            continue
        node: Node = ctx if ctx.n_outputs == 1 else Port(ctx, index, shapes[index], dtypes[index])
        if any([given is t for t in ctx._dirty]) and edge_of(given) is None and given._view is not None:
            move_on(result, node)
        else:
            result._node, result._rg = node, True
    ctx.keep(inputs, outputs)
    ctx._dirty = ctx._non_differentiable = ()


class _Nothing:
    """Stands for the dtype of a result that is not a tensor: nothing flows into it."""

    kind = "O"


_NOTHING = _Nothing()


class _TwiceNode(RecordedNode):
    """The graph ends here: what lies behind may be differentiated only once."""

    __slots__ = ("function_name",)
    function_name: str

    def pull(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Refuse."""
        raise RuntimeError(messages.once_only(self.function_name))


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a ``backward`` as one that cannot be differentiated itself: doing so becomes an error instead of a wrong result."""

    @functools.wraps(fn)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        tracked = STATE.grad_enabled
        STATE.grad_enabled = False
        try:
            got = fn(ctx, *grads)
        finally:
            STATE.grad_enabled = tracked
        if not tracked:
            return got
        name = type(ctx).__name__
        results = got if isinstance(got, tuple) else (got,)
        guarded = tuple([_guarded(r, name, grads) for r in results])
        return guarded if isinstance(got, tuple) else guarded[0]

    return wrapper


def _guarded(result: Any, name: str, grads: tuple[Any, ...]) -> Any:
    if not isinstance(result, TensorBase):
        return result
    t = wrap(result._data)
    node = _TwiceNode(tuple([edge_of(g) for g in grads if isinstance(g, TensorBase)]), t._data.shape, t._data.dtype)
    node.function_name = name
    t._node, t._rg = node, True
    return t


__all__ = ["Function", "FunctionCtx", "once_differentiable"]
