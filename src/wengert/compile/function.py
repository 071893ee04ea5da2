"""Compiled functions: which specialisation a call takes, and tracing a new one where there is none."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np

from wengert._dtypes import DEFAULTS
from wengert._memory import without_collection
from wengert._traced import TraceError
from wengert._tree import flatten
from wengert.compile.plan import Plan
from wengert.compile.report import explanation, llvm_text, loops_text, timings
from wengert.engine.base import TensorBase, is_leveled, is_tracking
from wengert.engine.state import STATE
from wengert.program.program import Program

_PLAIN = frozenset({bool, int, float, complex, str, type(None)})


class CompiledFunction:
    """What :func:`wengert.compile` returns."""

    # What is called stands in a slot: no Python code runs before machine code that does all of a call.
    __slots__ = ("__call__", "__dict__", "__weakref__")

    __call__: Callable[..., Any]

    def __init__(self, function: Callable[..., Any], *, fallback: bool = False, effects: bool = True) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._fallback = fallback
        self._effects = effects
        self._plans: dict[Any, list[Plan]] = {}
        self._eager: dict[Any, str] = {}
        self._entries: dict[Any, Any] = {}  # builtins that do all of a call for some tensors
        self._structures: dict[int, Any] = {}  # of so many tensors as arguments
        self.__call__ = _unbound(self)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method, where a class has the compiled function for an attribute."""
        return self if instance is None else MethodType(self, instance)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """A call in general: traced and compiled the first time for arguments of these types."""
        leaves, structure = self._flattened(args, kwargs)
        # In another function's trace it is a part of that; batches and dual numbers go through the engine.
        if STATE.trace is not None or STATE.axes or is_leveled(*leaves):
            return self._function(*args, **kwargs)
        key = self._key(leaves, structure)
        if key in self._eager:
            return self._function(*args, **kwargs)
        try:
            plan = self._plan(key, leaves, structure)
        except TraceError as error:
            if not self._fallback:
                raise
            self._eager[key] = reason = str(error).split(". ", 1)[0]
            warnings.warn(f"compile(): {_name(self._function)} runs eagerly: {reason}.", UserWarning, stacklevel=2)
            return self._function(*args, **kwargs)
        return plan(leaves)

    def _flattened(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
        """The leaves of the arguments and their structure, which is known where all are tensors."""
        if kwargs or not all([isinstance(x, TensorBase) for x in args]):
            return flatten((args, kwargs))
        structure = self._structures.get(len(args))
        if structure is None:
            structure = self._structures[len(args)] = flatten((args, kwargs))[1]
        return list(args), structure

    def _key(self, leaves: list[Any], structure: Any) -> Any:
        same = _repeated(leaves) if len(leaves) > 1 else None
        return (structure, *[_leaf_key(leaf) for leaf in leaves], same, STATE.grad_enabled, DEFAULTS.float)

    def _plan(self, key: Any, leaves: list[Any], structure: Any) -> Plan:
        plans = self._plans.setdefault(key, [])
        for plan in plans:
            if plan.holds():
                return plan
        last = next((other for other in reversed(self._plans) if other != key and self._plans[other]), None)
        with without_collection():
            plan = Plan(self._function, leaves, structure, effects=self._effects)
        plan.described = functools.partial(_described, key, last, again=bool(plans))
        plan.compiled = _without_effects
        plans.append(plan)
        if len(plans) == 1:
            fast = plan.entry(self.__call__, self._entries)
            if fast is not None:
                self.__call__ = fast.call  # what it does not take goes to the entry before
        return plan

    def _plan_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Plan, list[Any]]:
        leaves, structure = flatten((args, kwargs))
        return self._plan(self._key(leaves, structure), leaves, structure), leaves

    def loops(self, *args: Any, **kwargs: Any) -> str:
        """The loop nests that run for these arguments, as pseudo-code.

        >>> import wengert as torch
        >>> f = torch.compile(lambda x: (x * x).sum())
        >>> text = f.loops(torch.ones(3))
        """
        return loops_text(self._plan_for(args, kwargs)[0].forward)

    def llvm(self, *args: Any, **kwargs: Any) -> str:
        """The LLVM IR that runs for these arguments.

        Raises:
            RuntimeError: llvmlite is not installed.
        """
        return llvm_text(self._plan_for(args, kwargs)[0].forward)

    def explain(self, *args: Any, **kwargs: Any) -> str:
        """What was traced, why, what was fused and what is kept for gradients; with arguments also how long steps take.

        >>> import wengert as torch
        >>> f = torch.compile(lambda x: (x * x).sum())
        >>> y = f(torch.ones(3))
        >>> y = f(torch.ones(4))
        >>> print(f.explain())  # doctest: +ELLIPSIS
        <lambda>: 2 specialisations
        ...
        2. (float32[4])
           traced because float32[3] became float32[4], in ... ms
        ...
        """
        plans = [plan for plans in self._plans.values() for plan in plans]
        text = explanation(_name(self._function), plans, list(self._eager.values()))
        if args or kwargs:
            plan, leaves = self._plan_for(args, kwargs)
            text += "\n\n" + "\n".join(timings(plan.forward, plan.raws(leaves)))
        return text

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
        return self._plan_for(args, kwargs)[0].program

    def __reduce__(self) -> Any:
        return _again, (self._function, self._fallback, self._effects)  # machine code is not copied

    def __repr__(self) -> str:
        return f"<compiled {_name(self._function)}>"


def _again(function: Callable[..., Any], fallback: bool, effects: bool) -> CompiledFunction:
    """A copy of a compiled function, which traces anew."""
    return CompiledFunction(function, fallback=fallback, effects=effects)


def _without_effects(function: Callable[..., Any]) -> CompiledFunction:
    return CompiledFunction(function, effects=False)


def _unbound(function: CompiledFunction) -> Callable[..., Any]:
    """``function._call``, not keeping ``function`` alive: the builtin that calls it belongs to that."""
    reference = weakref.ref(function)

    def slow(*args: Any, **kwargs: Any) -> Any:
        target = reference()
        if target is None:
            raise ReferenceError("the compiled function is gone")
        return target._call(*args, **kwargs)

    return slow


def _repeated(leaves: list[Any]) -> tuple[int, ...] | None:
    """Which tensors are one object; None if each is another one. What is written to one shows in the others."""
    ids = [id(leaf) for leaf in leaves if isinstance(leaf, TensorBase)]
    return tuple(map(ids.index, ids)) if len(set(ids)) != len(ids) else None


def _leaf_key(leaf: Any) -> Any:
    cls = leaf.__class__
    if isinstance(leaf, TensorBase):
        data = leaf._data
        tracked = is_tracking(leaf)
        return cls, data.dtype, data.shape, tracked, tracked and leaf._node is None
    if cls in _PLAIN:
        return cls, repr(leaf) if cls is float or cls is complex else leaf
    if isinstance(leaf, (np.ndarray, np.generic)):
        return "array", leaf.dtype, leaf.shape
    try:
        hash(leaf)
    except TypeError:
        return _Same(leaf)
    if hasattr(cls, "_traced_state"):
        return cls, leaf, leaf._traced_state()
    return cls, leaf


def _part_text(part: Any) -> str:
    """One part of a key, for people."""
    if part is None or (isinstance(part, tuple) and part and isinstance(part[0], int)):
        return "different tensors" if part is None else "the same tensor more than once"
    if isinstance(part, (_Same, bool, np.dtype)):
        return (
            f"grad mode {part}" if isinstance(part, bool) else repr(part.it) if isinstance(part, _Same) else str(part)
        )
    _, *rest = part
    if isinstance(rest[0], np.dtype):
        sizes = ",".join(map(str, rest[1]))
        return f"{rest[0]}{f'[{sizes}]' if rest[1] else ''}" + (" requiring grad" if len(rest) > 2 and rest[2] else "")
    return str(rest[0])


def _described(key: Any, last: Any, *, again: bool) -> tuple[str, str]:
    """A signature, and why a call was traced: ``last`` is the one before; ``again`` if this was traced before."""
    mode = "" if key[-2] else ", under no_grad"
    return f"({', '.join(map(_part_text, key[1:-3]))}){mode}", _why(key, last, again=again)


def _why(key: Any, last: Any, *, again: bool) -> str:
    if again:
        return (
            "a tensor from outside has another dtype, shape, requires_grad or .grad than when it was traced before, "
            "a module another attribute, or a name another number or tensor"
        )
    if last is None:
        return "this was the first call"
    if last[0] != key[0]:
        return "the arguments are nested in another way than before"
    return "; ".join(
        [f"{_part_text(a)} became {_part_text(b)}" for a, b in zip(last[1:], key[1:], strict=True) if a != b]
    )


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
