"""Programs that run on wengert and on PyTorch and must print the same.

A test written with :func:`both` is a function of ``torch`` whose docstring is what it prints. It runs with ``torch``
bound to wengert, and, where PyTorch is installed, to PyTorch too, so the docstring is the expectation for the one and
is itself checked by the other. ``...`` in the docstring stands for any text: wengert's messages go on where PyTorch's
end.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib.util
import inspect
import io
import warnings
from collections.abc import Callable
from typing import Any

import wengert

_SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_KINDS = (
    NotImplementedError,
    FloatingPointError,
    KeyboardInterrupt,
    ZeroDivisionError,
    AttributeError,
    IndexError,
    ValueError,
    TypeError,
    RuntimeError,
)


def both(program: Callable[[Any], None]) -> Callable[[], None]:
    """The test that ``program(torch)`` prints its docstring on both libraries."""
    expected = inspect.cleandoc(program.__doc__ or "") + "\n"

    def test() -> None:
        _check("wengert", wengert, program, expected)
        if importlib.util.find_spec("torch") is not None:
            import torch

            _check("PyTorch", torch, program, expected)

    test.__name__, test.__module__, test.__doc__ = program.__name__, program.__module__, None
    test.program = program  # type: ignore[attr-defined]
    return test


def printed(program: Callable[[Any], None], lib: Any) -> str:
    """What ``program(lib)`` prints."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), warnings.catch_warnings():
        warnings.simplefilter("error")
        program(lib)
    return "\n".join([line.rstrip() for line in stream.getvalue().splitlines()]) + "\n"


def _check(name: str, lib: Any, program: Callable[[Any], None], expected: str) -> None:
    got = printed(program, lib)
    if not doctest.OutputChecker().check_output(expected, got, _SAME):
        raise AssertionError(f"on {name} the program printed\n\n{got}\ninstead of\n\n{expected}")


def attempt(f: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Print what ``f(*args)`` raises, type and message on one line, or what it returns."""
    try:
        result = f(*args, **kwargs)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - what it is is printed
        kind = next((k for k in _KINDS if isinstance(error, k)), type(error))
        print(f"{kind.__name__}: {' '.join(str(error).split())}")
    else:
        print(result)


def warned(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Print the warnings that ``f(*args)`` gives, and return its result."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = f(*args, **kwargs)
    for warning in caught:
        print(f"{warning.category.__name__}: {' '.join(str(warning.message).split())}")
    return result


def names(node: Any) -> str:
    """A node as text, with all that it leads to: ``MulBackward0(AccumulateGrad, None)``."""
    if node is None:
        return "None"
    following = [names(n) + (f".{i}" if i else "") for n, i in node.next_functions]
    name = node.name().removeprefix("torch::autograd::")
    return f"{name}({', '.join(following)})" if following else name
