"""Operations of one's own by name: :func:`custom_op` makes one of a function, to which a derivative is added."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from wengert._tree import Structure, count, flatten, unflatten
from wengert.autograd.function import Function
from wengert.autograd.grad_mode import no_grad
from wengert.autograd.graph import increment_version
from wengert.engine.base import TensorBase, is_leveled, is_tracking
from wengert.engine.state import STATE

__all__ = [
    "CustomOpDef",
    "custom_op",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_vmap",
]

_OPERATIONS: Final[dict[str, CustomOpDef]] = {}


@dataclass(frozen=True)
class _Call:
    """How the arguments of a call stand around their leaves, and the keyword-only ones."""

    structure: Structure
    keywords: dict[str, Any]

    def inputs(self, leaves: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(unflatten(self.structure, leaves))


class CustomOpDef:
    """What :func:`custom_op` makes: called like the function, it is one node of the graph."""

    def __init__(self, name: str, function: Callable[..., Any], mutated: tuple[str, ...]) -> None:
        self.__doc__ = function.__doc__
        self._qualname, self._kernel, self._mutated = name, function, mutated
        self._signature = inspect.signature(function)
        self._has_keywords = any([p.kind is p.KEYWORD_ONLY for p in self._signature.parameters.values()])
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        self._fake: Callable[..., Any] | None = None
        self._batched: Callable[..., Any] | None = None
        self._function = _function_of(self)

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result; what it mutates counts as written.

        Raises:
            RuntimeError: a result shares memory with an argument.
        """
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        leaves, structure = flatten(bound.args)
        tracked = STATE.grad_enabled and any([isinstance(x, TensorBase) and is_tracking(x) for x in leaves])
        if self._mutated or not (tracked or is_leveled(*leaves)):
            with no_grad():
                result = self._checked(self._kernel(*bound.args, **bound.kwargs), leaves)
            for name in self._mutated:
                increment_version(bound.arguments[name])
            return result
        return self._function.apply(*leaves, _Call(structure, bound.kwargs))

    def _checked(self, result: Any, leaves: list[Any]) -> Any:
        """The result, if it has memory of its own."""
        given = [x._data for x in leaves if isinstance(x, TensorBase) and isinstance(x._data, np.ndarray)]
        for y in flatten(result)[0]:
            if isinstance(y, TensorBase) and _shares(y, leaves, given):
                raise RuntimeError(
                    f"{self._qualname}: The output of this custom operator (1) must not also be an input to this "
                    "custom operator and (2) may not alias any inputs to this custom operator: return a clone()"
                )
        return result

    def register_autograd(
        self, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None
    ) -> None:
        """Give the derivative: ``backward(ctx, *grads)`` returns a gradient, or None, for each positional argument.

        ``setup_context(ctx, inputs, output)`` (``keyword_only_inputs`` too, where there are such) saves what it needs.

        Raises:
            RuntimeError: the operation mutates an argument.
        """
        if self._mutated:
            raise RuntimeError(
                f"Cannot register autograd formula for non-functional operator {self._qualname}: it mutates "
                f"{', '.join(self._mutated)}. Give the derivative of an operation that returns a new tensor"
            )
        self._backward, self._setup = backward, setup_context

    def register_fake(self, fn: Callable[..., Any], /) -> Callable[..., Any]:
        """Say what shapes and dtypes results have. Nothing here needs it, so it is only kept."""
        self._fake = fn
        return fn

    def register_kernel(self, device_types: Any, fn: Callable[..., Any] | None = None, /) -> Any:
        """Compute by another function on the CPU; what other devices have is left alone."""
        if fn is None:
            return lambda function: self.register_kernel(device_types, function)
        named = (device_types,) if device_types is None or isinstance(device_types, str) else tuple(device_types)
        if None in named or "cpu" in named:
            self._kernel = fn
        return fn

    def register_vmap(self, func: Callable[..., Any] | None = None) -> Any:
        """Say what ``vmap`` does: ``func(info, in_dims, *inputs)`` returns the results and their batch dimensions."""
        if func is None:
            return self.register_vmap
        self._batched = func
        return func


def _shares(y: Any, leaves: list[Any], given: list[Any]) -> bool:
    if any([y is x for x in leaves]):
        return True
    return isinstance(y._data, np.ndarray) and any([np.may_share_memory(y._data, x) for x in given])


def _function_of(op: CustomOpDef) -> type[Function]:
    """The function whose nodes the operation's calls are."""

    def forward(ctx: Any, *args: Any) -> Any:
        *leaves, call = args
        inputs = call.inputs(leaves)
        output = op._checked(op._kernel(*inputs, **call.keywords), leaves)
        ctx._call, ctx._is_list = call, isinstance(output, list)
        if op._setup is not None:
            more = {"keyword_only_inputs": call.keywords} if op._has_keywords else {}
            op._setup(ctx=ctx, inputs=inputs, output=output, **more)
        return tuple(output) if isinstance(output, list) else output

    def backward(ctx: Any, *grads: Any) -> Any:
        if op._backward is None:
            raise RuntimeError(
                f"Trying to backward through {op._qualname.replace('::', '.')}.default but no autograd formula was "
                "registered. Please use register_autograd to add one."
            )
        found = op._backward(ctx, list(grads)) if ctx._is_list else op._backward(ctx, *grads)
        return (*_flat_gradients(op, ctx._call, found), None)

    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        if op._batched is None:
            raise RuntimeError(f"{op._qualname} has no rule for vmap: register_vmap gives it one")
        *leaves, call = args
        return op._batched(info, call.inputs(in_dims[:-1]), *call.inputs(leaves), **call.keywords)

    name = f"GeneratedBackwardFor_{op._qualname.replace('::', '_').replace('.', '_')}_default"
    body: dict[str, Any] = {
        "__module__": __name__,
        "forward": staticmethod(forward),
        "backward": staticmethod(backward),
        "vmap": staticmethod(vmap),
    }
    return types.new_class(name, (Function,), exec_body=lambda namespace: namespace.update(body))


def _flat_gradients(op: CustomOpDef, call: _Call, found: Any) -> list[Any]:
    """The gradients of the leaves of the arguments, from those of the arguments."""
    grads = found if isinstance(found, (tuple, list)) and not isinstance(found, TensorBase) else (found,)
    inputs = call.inputs(range(count(call.structure)))
    if len(grads) != len(inputs):
        raise RuntimeError(
            f"{op._qualname}: the registered backward gave {len(grads)} gradients for {len(inputs)} arguments; it must "
            "return one for each, None where there is none"
        )
    flat: list[Any] = []
    for grad, argument in zip(grads, inputs, strict=True):
        places = flatten(argument)[0]
        flat += [None] * len(places) if grad is None else flatten(grad)[0] if len(places) != 1 else [_single(grad)]
    return flat


def _single(grad: Any) -> Any:
    return grad[0] if isinstance(grad, (tuple, list)) else grad


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: Any = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Make an operation of a function that the engine is not to look into; a decorator if ``fn`` is left out.

    The function runs untracked, may use NumPy or anything else, and is one node of the graph. Its derivative is what
    :meth:`CustomOpDef.register_autograd` gives it.

    Args:
        name: ``"namespace::name"``.
        fn: the function; its parameters have type annotations.
        mutates_args: the names of the arguments that it writes into.
        device_types: PyTorch's, as are ``schema`` and ``tags``: no effect.
        schema: see ``device_types``.
        tags: see ``device_types``.

    Raises:
        ValueError: a name without a namespace, a parameter without annotation, or an argument to mutate that is not
            there.

    >>> import numpy as np
    >>> import wengert as torch
    >>> @torch.library.custom_op("example::sine", mutates_args=())
    ... def sine(x: torch.Tensor) -> torch.Tensor:
    ...     return torch.from_numpy(np.sin(x.numpy()))
    >>> sine.register_autograd(
    ...     lambda ctx, g: g * ctx.saved_tensors[0].cos(),
    ...     setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    ... )
    >>> x = torch.zeros(2, requires_grad=True)
    >>> sine(x).sum().backward()
    >>> x.grad
    tensor([1., 1.])
    """
    del device_types, tags
    if fn is None:
        return lambda function: custom_op(name, function, mutates_args=mutates_args, schema=schema)
    if len(name.split("::")) != 2:
        raise ValueError(f"the name of an operation is 'namespace::name', and {name!r} is not")
    parameters = inspect.signature(fn).parameters
    for parameter in parameters.values():
        if schema is None and parameter.annotation is parameter.empty:
            raise ValueError(
                f"infer_schema(func): Parameter {parameter.name} must have a type annotation. Got func with signature "
                f"{inspect.signature(fn)}"
            )
    mutated = () if isinstance(mutates_args, str) else tuple(mutates_args)
    for argument in mutated:
        if argument not in parameters:
            raise ValueError(f"mutates_args names {argument!r}, which is no parameter of {name}")
    made = _OPERATIONS[name] = CustomOpDef(name, fn, mutated)
    return made


def _found(op: Any) -> CustomOpDef:
    if isinstance(op, CustomOpDef):
        return op
    if op not in _OPERATIONS:
        known = ", ".join(sorted(_OPERATIONS)) or "none"
        raise ValueError(f"there is no operation {op!r}; those of custom_op are: {known}")
    return _OPERATIONS[op]


def register_autograd(
    op: str | CustomOpDef,
    backward: Callable[..., Any],
    /,
    *,
    setup_context: Callable[..., Any] | None = None,
    lib: Any = None,
) -> None:
    """As :meth:`CustomOpDef.register_autograd`, for an operation or its name."""
    del lib
    _found(op).register_autograd(backward, setup_context=setup_context)


def register_fake(op: str | CustomOpDef, func: Callable[..., Any] | None = None, /, *, lib: Any = None) -> Any:
    """As :meth:`CustomOpDef.register_fake`, for an operation or its name; a decorator if ``func`` is left out."""
    del lib
    return _found(op).register_fake if func is None else _found(op).register_fake(func)


def register_kernel(
    op: str | CustomOpDef, device_types: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None
) -> Any:
    """As :meth:`CustomOpDef.register_kernel`, for an operation or its name."""
    del lib
    return _found(op).register_kernel(device_types, func)


def register_vmap(op: str | CustomOpDef, func: Callable[..., Any] | None = None, /, *, lib: Any = None) -> Any:
    """As :meth:`CustomOpDef.register_vmap`, for an operation or its name."""
    del lib
    return _found(op).register_vmap(func)
