"""Compiled functions: which specialisation a call takes, and tracing a new one where there is none."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert._dtypes import DEFAULTS
from wengert._traced import TraceError
from wengert._tree import flatten
from wengert.compile.plan import Plan
from wengert.engine.base import TensorBase, is_tracking
from wengert.engine.state import STATE
from wengert.program.program import Program

_PLAIN = frozenset({bool, int, float, complex, str, type(None)})


class CompiledFunction:
    """What :func:`wengert.compile` returns."""

    __slots__ = ("__dict__", "__weakref__", "_fast", "_fast_float")

    def __init__(self, function: Callable[..., Any], *, fallback: bool = False, effects: bool = True) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._fallback = fallback
        self._effects = effects
        self._plans: dict[Any, list[Plan]] = {}
        self._adjoints: dict[Plan, CompiledFunction] = {}
        self._eager: set[Any] = set()
        # A builtin for the plain tensors of the signature that was traced last, and the default dtype of that time.
        self._fast: Callable[..., Any] | None = None
        self._fast_float: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function: traced and compiled the first time for arguments of these types."""
        if self._fast is not None and not kwargs and STATE.created is None and DEFAULTS.float is self._fast_float:
            return self._fast(*args)
        return self._call(*args, **kwargs)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """A call in general."""
        if STATE.trace is not None:
            return self._function(*args, **kwargs)
        leaves, structure = flatten((args, kwargs))
        key = self._key(leaves, structure)
        if key in self._eager:
            return self._function(*args, **kwargs)
        try:
            plan = self._plan(key, leaves, structure)
        except TraceError as error:
            if not self._fallback:
                raise
            self._eager.add(key)
            reason = str(error).split(". ", 1)[0]
            warnings.warn(f"compile(): {_name(self._function)} runs eagerly: {reason}.", UserWarning, stacklevel=2)
            return self._function(*args, **kwargs)
        return plan(leaves)

    def _key(self, leaves: list[Any], structure: Any) -> Any:
        return (structure, *[_leaf_key(leaf) for leaf in leaves], STATE.grad_enabled, DEFAULTS.float)

    def _plan(self, key: Any, leaves: list[Any], structure: Any) -> Plan:
        plans = self._plans.setdefault(key, [])
        for plan in plans:
            if plan.holds():
                return plan
        plan = Plan(self._function, leaves, structure, effects=self._effects)
        plan.adjoint_function = CompiledFunction(plan.adjoint_of, effects=False)
        plans.append(plan)
        fast = plan.entry(_unbound(self)) if len(plans) == 1 else None
        if fast is not None:
            self._fast, self._fast_float = fast, DEFAULTS.float
        return plan

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The program that runs for these arguments (its inputs: the arguments' tensors, then captured ones).

        >>> import wengert as torch
        >>> f = torch.compile(lambda x: (x * x).sum())
        >>> print(f.program(torch.ones(3)))
        program(a: f32[3]):
          b: f32[3] = mul(a, a)
          c: f32 = sum(b, dim=None, keepdim=False)
          return c
        """
        leaves, structure = flatten((args, kwargs))
        return self._plan(self._key(leaves, structure), leaves, structure).program

    def __repr__(self) -> str:
        return f"<compiled {_name(self._function)}>"


def _unbound(function: CompiledFunction) -> Callable[..., Any]:
    """``function._call``, not keeping ``function`` alive: the builtin that calls it belongs to that."""
    reference = weakref.ref(function)

    def slow(*args: Any) -> Any:
        target = reference()
        if target is None:
            raise ReferenceError("the compiled function is gone")
        return target._call(*args)

    return slow


def _leaf_key(leaf: Any) -> Any:
    cls = leaf.__class__
    if isinstance(leaf, TensorBase):
        data = leaf._data
        tracked = is_tracking(leaf)
        return cls, data.dtype, data.shape, tracked, tracked and leaf._node is None
    if cls in _PLAIN:
        return cls, repr(leaf) if cls is float else leaf
    if isinstance(leaf, (np.ndarray, np.generic)):
        return "array", leaf.dtype, leaf.shape
    try:
        hash(leaf)
    except TypeError:
        return _Same(leaf)
    return cls, leaf


class _Same:
    """A key that is equal for the same object only, and keeps it alive."""

    def __init__(self, it: Any) -> None:
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.it is self.it


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", None) or type(function).__name__


__all__ = ["CompiledFunction"]
