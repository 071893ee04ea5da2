"""``wengert.compile``: the front door. What stands behind it is imported when something is compiled."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any


@functools.singledispatch
def compiled(function: Callable[..., Any], *, fallback: bool, fast_math: bool) -> Any:
    """What :func:`compile` makes of an object of this kind; modules have another answer than functions."""
    if not callable(function):
        raise TypeError(f"compile() expected a function, got {type(function).__name__}")
    make = import_module("wengert.compile.function").CompiledFunction
    return make(function, fallback=fallback, fast_math=fast_math)


def compile(
    function: Callable[..., Any] | None = None,
    *,
    fallback: bool = False,
    fast_math: bool = False,
    fullgraph: bool | None = None,
    dynamic: bool | None = None,  # noqa: ARG001 - PyTorch's argument: see the docstring
    backend: Any = "inductor",  # noqa: ARG001 - the same
    mode: str | None = None,  # noqa: ARG001 - the same
    options: dict[str, Any] | None = None,  # noqa: ARG001 - the same
    disable: bool = False,
) -> Any:
    """Compile a function of tensors: traced once for each signature, the program runs from then on.

    Args:
        function: any function (or module) of tensors, arrays, numbers and nested containers of them; left out,
            ``compile`` gives a decorator.
        fast_math: let machine code reorder sums and fuse products with sums (``a * b + c`` rounded once), and treat
            zeros of both signs as one: faster by some percent, with other last bits. NaN and infinities are kept.
            Without it each operation is rounded as IEEE arithmetic says.
        fallback: run a function that cannot be traced eagerly, with a warning that says why, instead of raising.
        fullgraph: PyTorch's name for that: False is ``fallback=True``, True is ``fallback=False``.
        dynamic: PyTorch's argument, as the three that follow. There is one implementation: sizes are variables of the
            machine code where they can be.
        backend: see ``dynamic``.
        mode: see ``dynamic``.
        options: see ``dynamic``.
        disable: give the function back as it is.

    A module becomes a module, with the same parameters, whose calls are compiled, once for training and once for
    evaluation.

    A signature is the containers, the dtypes and shapes of the tensors, whether they require grad, and the values of
    everything else; numbers that change from call to call become inputs where the function only computes with them.
    Tensors that the function takes from its surroundings are read anew at each call, and gradients
    flow to them; numbers from there are constants. The results are tracked as those of the function itself.

    Raises:
        RuntimeError: when called, if the function needs values of tensors in Python (``if x > 0``) or gives shapes that
        depend on
            values.

    >>> import wengert as torch
    >>> @torch.compile
    ... def f(x):
    ...     return (x * x).sum()
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> y = f(x)
    >>> y
    tensor(5., grad_fn=<CompiledFunctionBackward>)
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """
    if fullgraph is not None:
        fallback = not fullgraph
    if function is None:
        return functools.partial(compile, fallback=fallback, fast_math=fast_math, disable=disable)
    return function if disable else compiled(function, fallback=fallback, fast_math=fast_math)


__all__ = ["compile", "compiled"]
