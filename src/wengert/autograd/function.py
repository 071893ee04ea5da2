"""Functions with a hand-written derivative."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from wengert._source import user_code
from wengert.autograd._leveled_function import apply_to_leveled
from wengert.engine import inplace_messages
from wengert.engine.base import INFERENCE, TensorBase, alias, cell_of, edge_of, is_leveled, is_tracking
from wengert.engine.custom import FunctionCtx, FunctionNode, only_once
from wengert.engine.inplace import check_writable, move_on
from wengert.engine.state import STATE
from wengert.engine.views import Origin, View


class _FunctionMeta(type):
    """Gives each Function the classes of its node and its ctx, named as PyTorch names them: ``MyFunctionBackward``."""

    _node_class: type[FunctionNode]
    _ctx_class: type[FunctionCtx]

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> None:
        super().__init__(name, bases, body)
        shared = {"__slots__": (), "__module__": cls.__module__}
        cls._node_class = type(f"{name}Backward", (FunctionNode,), {**shared, "function": cls})
        cls._ctx_class = type(f"{name}Backward", (FunctionCtx,), shared)


class Function(metaclass=_FunctionMeta):
    """Base class of functions that bring their own derivative.

    Write ``forward(ctx, *args)`` and ``backward(ctx, *grad_outputs)`` as static methods (or ``forward(*args)`` with
    ``setup_context(ctx, inputs, output)``), then call ``MyFunction.apply(*args)``. ``backward`` returns one gradient
    per argument of ``forward``, None where there is none, each with exactly the shape of its argument.

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
    _ctx_class: ClassVar[type[FunctionCtx]]
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
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Compute the results for a whole batch: ``(output, out_dims)``; the user's to write.

        ``args`` have the batch as dimension ``in_dims[i]`` (None: all members share the argument); ``info`` has
        ``batch_size`` and ``randomness``.
        """
        raise NotImplementedError("The vmap staticmethod of this autograd.Function is not implemented.")

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """Compute the results' tangents from the inputs'; the user's to write."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @classmethod
    def _backward(cls, ctx: FunctionCtx, *grads: Any) -> Any:
        own, vjp = cls.backward is not Function.backward, cls.vjp is not Function.vjp
        if own and vjp:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only "
                "implement one of them."
            )
        return (cls.vjp if vjp else cls.backward)(ctx, *grads)

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` untracked and record the function as one node of the graph."""
        takes_ctx = cls.setup_context is Function.setup_context
        if kwargs:
            args = _positional(cls.forward, int(takes_ctx), args, kwargs)
        if is_leveled(*args):
            return apply_to_leveled(cls, args)
        return cls._run(args)[1]

    @classmethod
    def _run(cls, args: tuple[Any, ...], *, push: bool = False) -> tuple[FunctionCtx, Any]:
        """The ctx and the output of one call; with ``push``, ``jvp`` is called next and may ask for what was saved."""
        takes_ctx = cls.setup_context is Function.setup_context
        of_tensors = tuple([isinstance(x, TensorBase) for x in args])
        ctx = cls._ctx_class(tuple([isinstance(x, TensorBase) and is_tracking(x) for x in args]))
        node = None
        if STATE.grad_enabled and any(ctx.needs_input_grad):
            following = tuple([edge_of(x) if isinstance(x, TensorBase) else None for x in args])
            node = cls._node_class(following, of_tensors, ctx)
            node.code, node.lasti = user_code(3)
        output = _forward(cls, ctx, args, takes_ctx)
        outputs = output if isinstance(output, tuple) else (output,)
        _check_dirty(ctx, args, outputs)
        if node is not None:
            node.describe_results([o._data if isinstance(o, TensorBase) else None for o in outputs])
        results = tuple([_finished(node, ctx, args, index, o) for index, o in enumerate(outputs)])
        if push:
            ctx._pushed = ctx._forward or ctx._to_save
        if node is not None:
            node.keep(args, outputs)
        return ctx, results if isinstance(output, tuple) else results[0]


def _positional(
    forward: Callable[..., Any], skip: int, args: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    """All arguments by position, since ``backward`` returns one gradient for each position."""
    merged = list(args)
    for name in list(inspect.signature(forward).parameters)[skip + len(args) :]:
        if name in named:
            merged.append(named.pop(name))
        elif named:
            raise TypeError(f"forward() missing required argument: '{name}' (position {len(merged)})")
    if named:
        raise TypeError(f"forward() got an unexpected keyword argument '{next(iter(named))}'")
    return tuple(merged)


def _forward(cls: type[Function], ctx: FunctionCtx, args: tuple[Any, ...], takes_ctx: bool) -> Any:
    tracked = STATE.grad_enabled
    STATE.grad_enabled = False
    try:
        if takes_ctx:
            return cls.forward(ctx, *args)
        output = cls.forward(*args)
        cls.setup_context(ctx, args, output)
        return output
    finally:
        STATE.grad_enabled = tracked


def _is_one_of(t: Any, several: tuple[Any, ...]) -> bool:
    return any([t is other for other in several])


def _check_dirty(ctx: FunctionCtx, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
    for t in ctx._dirty:
        if not _is_one_of(t, inputs):
            warnings.warn(
                "ctx.mark_dirty() received a tensor that was not an input. It is for inputs that forward wrote in "
                "place; leave other tensors out.",
                UserWarning,
                stacklevel=3,
            )
        if not _is_one_of(t, outputs):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that "
                "are modified inplace must all be outputs of the Function."
            )
        if cell_of(t) is not INFERENCE:
            cell_of(t)[0] += 1


def _finished(node: FunctionNode | None, ctx: FunctionCtx, inputs: tuple[Any, ...], index: int, output: Any) -> Any:
    """A result of ``forward`` as it is handed out."""
    if not isinstance(output, TensorBase):
        return output
    is_input, is_dirty = _is_one_of(output, inputs), _is_one_of(output, ctx._dirty)
    if node is None or output._data.dtype.kind not in "fc" or _is_one_of(output, ctx._constant):
        return alias(output) if output._rg or (is_input and not is_dirty) else output
    place = node.place(index)
    if is_dirty:
        if output._rg and output._node is None and output._view is None:
            raise RuntimeError(inplace_messages.dirty_leaf(output, type(node).__name__))
        check_writable(output, tracked=True)
        move_on(output, place)
        return output
    result: Any = alias(output) if is_input or output._rg else output
    if is_input:
        base = output if output._view is None else output._view.base
        result._view = View(base, (("alias", {}, 0),), result._cell[0], Origin.FUNCTION)
    elif result._view is not None:
        result._view.origin = Origin.FUNCTION if node.n_outputs == 1 else Origin.SEVERAL
    result._node, result._rg = place, True
    return result


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a ``backward`` as one that cannot be differentiated itself: that becomes an error instead of a wrong result.

    >>> import wengert as torch
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     @torch.autograd.function.once_differentiable
    ...     def backward(ctx, g):
    ...         return 2 * g * ctx.saved_tensors[0]
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.grad(Square.apply(x), x)
    (tensor(6.),)
    """

    @functools.wraps(fn)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        tracked = STATE.grad_enabled
        STATE.grad_enabled = False
        try:
            got = fn(ctx, *grads)
        finally:
            STATE.grad_enabled = tracked
        if not tracked or not any([isinstance(g, TensorBase) and is_tracking(g) for g in grads]):
            return got
        name = type(ctx).__name__
        results = tuple([only_once(r, name) for r in (got if isinstance(got, tuple) else (got,))])
        return results if isinstance(got, tuple) else results[0]

    return wrapper


__all__ = ["Function", "FunctionCtx", "once_differentiable"]
