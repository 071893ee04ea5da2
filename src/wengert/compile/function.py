"""Compiled functions: which specialisation a call takes, and tracing a new one where there is none."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any, Final

from wengert import _threads
from wengert._memory import without_collection
from wengert._source import users_stacklevel
from wengert._traced import TraceError
from wengert._tree import flatten
from wengert.compile.plan import Plan
from wengert.compile.report import explanation, llvm_text, loops_text, timings
from wengert.compile.signature import changing, described, erased, key_of, without_lengths
from wengert.compile.varying import MOST_PLANS, Family, NumbersAskedError, traced
from wengert.engine.base import TensorBase, is_leveled
from wengert.engine.state import STATE
from wengert.program.program import Program

MANY: Final = 256  # traces of one function: then a line says what keeps changing
_FEW: Final = 8  # times that something is tried anew: tracing with other numbers what could not be traced with some

_entering: Final = _threads.Lock()  # one thread puts an entry before the others at a time


class CompiledFunction:
    """What :func:`wengert.compile` returns."""

    # What is called stands in a slot: no Python code runs before machine code that does all of a call.
    __slots__ = ("__call__", "__dict__", "__weakref__")

    __call__: Callable[..., Any]

    def __init__(
        self, function: Callable[..., Any], *, fallback: bool = False, fast_math: bool = False, effects: bool = True
    ) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._fallback = fallback
        self._fast_math = fast_math
        self._effects = effects
        self._plans: dict[Any, list[Plan]] = {}
        self._eager: dict[Any, str] = {}
        self._failed: dict[Any, list[Any]] = {}  # those keys by what they are but for numbers
        self._entries: dict[Any, Any] = {}  # builtins that do all of a call for some tensors
        self._structures: dict[int, Any] = {}  # of so many tensors as arguments
        self._families: dict[Any, Family] = {}  # of calls that differ in numbers
        self._by_form: dict[Any, list[tuple[Plan, Any]]] = {}  # plans, and ranges of lengths for which they serve
        self._others: dict[Any, list[Plan]] = {}  # plans for calls of other lengths than were traced
        self._traced = 0
        self._changing: dict[Any, int] = {}  # what changed while the function was traced, the last so many times
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
        key = key_of(leaves, structure)
        if self._eager and self._is_eager(key, leaves):
            return self._function(*args, **kwargs)
        try:
            plan = self._plan(key, leaves, structure)
        except TraceError as error:
            if not self._fallback:
                raise
            reason = str(error).split(". ", 1)[0]
            self._run_eagerly(key, leaves, reason)
            warnings.warn(f"compile(): {_name(self._function)} runs eagerly: {reason}.", UserWarning, stacklevel=2)
            return self._function(*args, **kwargs)
        return plan(leaves)

    def _is_eager(self, key: Any, leaves: list[Any]) -> bool:
        return key in self._eager or erased(key, _numbers(leaves)) in self._eager or len(self._eager) >= MANY

    def _run_eagerly(self, key: Any, leaves: list[Any], reason: str) -> None:
        """Try no more to trace calls with this key, nor with other numbers if some of them were tried."""
        alike = erased(key, _numbers(leaves))
        self._failed.setdefault(alike, []).append(key)
        self._eager[key] = reason
        if len(self._failed[alike]) >= _FEW:
            for each in self._failed.pop(alike):
                self._eager.pop(each, None)
            self._eager[alike] = reason

    def _flattened(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
        """The leaves of the arguments and their structure, which is known where all are tensors."""
        if kwargs or not all([isinstance(x, TensorBase) for x in args]):
            return flatten((args, kwargs))
        structure = self._structures.get(len(args))
        if structure is None:
            structure = self._structures[len(args)] = flatten((args, kwargs))[1]
        return list(args), structure

    def _plan(self, key: Any, leaves: list[Any], structure: Any) -> Plan:
        for plan in self._plans.get(key) or self._others.get(key) or self._for_lengths(key):
            if plan.holds(leaves):
                return plan
        places = _numbers(leaves)
        if not places:
            return self._new(key, leaves, structure)
        every = erased(key, places)
        family = self._families.get(every)
        if family is None:  # the first numbers are constants
            new = self._new(key, leaves, structure)
            self._families[every] = Family(key, places)
            return new
        found = self._of_numbers(family, key, leaves, structure)
        if found is None:
            found = self._new(key, leaves, structure)
            family.refuse(family.doubtful)
        return found

    def _for_lengths(self, key: Any) -> list[Plan]:
        """Plans that were traced for other lengths, and serve for these."""
        if not self._by_form:
            return []
        form, lengths = without_lengths(key)
        found = []
        for plan, ranges in self._by_form.get(form, ()):
            if all([low <= n <= high for n, (low, high) in zip(lengths, ranges, strict=True)]):
                found.append(plan)
        if found:
            self._others[key] = found
        return found

    def _of_numbers(self, family: Family, key: Any, leaves: list[Any], structure: Any) -> Plan | None:
        """A plan that holds for other numbers too; None where they are constants of a plan."""
        if family.varying:
            for plan in self._plans.get(erased(key, family.varying), ()):
                if plan.holds(leaves):
                    return plan
        family.doubtful = ()
        while varying := family.candidates(key):
            general = erased(key, varying)
            if len(self._plans.get(general, ())) >= MOST_PLANS:
                family.refuse(varying)
                return None
            try:
                plan = self._new(general, leaves, structure, varying)
            except NumbersAskedError as error:
                if not error.asked:
                    family.doubtful = varying
                    return None
                family.refuse(error.asked)
            else:
                family.varying = varying
                return plan
        return None

    def _new(self, key: Any, leaves: list[Any], structure: Any, varying: Sequence[int] = ()) -> Plan:
        """A plan traced now."""
        last = next((other for other in reversed(list(self._plans)) if other != key and self._plans[other]), None)
        with without_collection():
            form, lengths = without_lengths(key)
            again = bool(lengths) and form in self._by_form
            plan = traced(
                self._function,
                leaves,
                structure,
                varying=varying,
                effects=self._effects,
                fast_math=self._fast_math,
                lengths_vary=again,
            )
        plans = self._plans.setdefault(key, [])
        plan.described = functools.partial(described, key, last, again=bool(plans))
        plan.compiled = functools.partial(CompiledFunction, fast_math=self._fast_math, effects=False)
        if self._is_doubtful(plan):
            return plan
        plans.append(plan)
        self._others.pop(key, None)
        if lengths:
            alike = self._by_form.setdefault(form, [])
            if plan.ranges:
                alike.append((plan, [plan.ranges.get(n, (n, n)) for n in lengths]))
        self._traced += 1
        if self._traced == MANY:
            self._warn_of_many()
        with _entering.held:
            known = len(self._entries)
            fast = plan.entry(self.__call__, self._entries)
            if fast is not None and len(self._entries) > known:
                self.__call__ = fast.call  # what it does not take goes to the entry before
        return plan

    def _is_doubtful(self, plan: Plan) -> bool:
        """Whether another thread may have changed something while the plan was traced: then it is for one call only.

        What changes each time the function changes itself, in a way that its code does not show.
        """
        self._changing = {about: self._changing.get(about, 0) + 1 for about in plan.changed_meanwhile}
        return bool(self._changing) and min(self._changing.values()) < _FEW

    def _warn_of_many(self) -> None:
        why = changing(self._function, list(self._plans))
        message = (
            f"compile(): {_name(self._function)} has been traced {MANY} times: {why}. Each time takes milliseconds."
        )
        warnings.warn(message, UserWarning, stacklevel=users_stacklevel())

    def _plan_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Plan, list[Any]]:
        leaves, structure = flatten((args, kwargs))
        return self._plan(key_of(leaves, structure), leaves, structure), leaves

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
        return _again, (self._function, self._fallback, self._fast_math, self._effects)  # machine code is not copied

    def __repr__(self) -> str:
        return f"<compiled {_name(self._function)}>"


def _numbers(leaves: list[Any]) -> list[int]:
    """Which leaves are numbers that another call may have others for."""
    return [i for i, leaf in enumerate(leaves) if leaf.__class__ is float or leaf.__class__ is int]


def _again(function: Callable[..., Any], fallback: bool, fast_math: bool, effects: bool) -> CompiledFunction:
    """A copy of a compiled function, which traces anew."""
    return CompiledFunction(function, fallback=fallback, fast_math=fast_math, effects=effects)


def _unbound(function: CompiledFunction) -> Callable[..., Any]:
    """``function._call``, not keeping ``function`` alive: the builtin that calls it belongs to that."""
    reference = weakref.ref(function)

    def slow(*args: Any, **kwargs: Any) -> Any:
        target = reference()
        if target is None:
            raise ReferenceError("the compiled function is gone")
        return target._call(*args, **kwargs)

    return slow


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", None) or type(function).__name__


__all__ = ["CompiledFunction"]
