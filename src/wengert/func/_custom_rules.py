"""Functions with derivative rules of their own: ``custom_vjp`` and ``custom_jvp``.

One rule serves both modes: it is linear in what it is given, so the other mode is its transpose. A rule's intermediate
values stay connected to the arguments, so that derivatives of the rule are right at every order.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import Any

from wengert import _tree
from wengert.autograd.function import Function
from wengert.engine.base import TensorBase, zeros_like
from wengert.engine.leveled import dual, innermost, split
from wengert.engine.node import next_seq
from wengert.engine.state import STATE
from wengert.func._captured import captured
from wengert.func._transposed import Leaves, floats, transposed


class _Inside(threading.local):
    """Whether this thread runs the fwd of a function."""

    fwd = False


_LATER = object()  # what a call keeps whose fwd runs when its derivative is asked for


class _Rule:
    """A function whose derivative is stated; called as the function itself."""

    _what: str

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.nondiff_argnums = frozenset(nondiff_argnums)
        self.name = getattr(fun, "__name__", "function")
        self._signature = inspect.signature(fun)
        self.node: Any = type(self.name, (_Recorded,), {"__module__": __name__})

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The value of the function; its derivative is that of the rule."""
        call = _Call(self, self._positional(args, kwargs))
        if not call.is_differentiated():
            return self.fun(*call.args)
        self.check_defined()
        return _tree.unflatten(*reversed(call.evaluated()))

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise TypeError(
                f"{self.name}: a function with a {self._what} cannot have keyword-only arguments, and it has "
                f"{sorted(bound.kwargs)}"
            )
        return bound.args

    def check_defined(self) -> None:
        """Raise unless there is a rule."""
        raise NotImplementedError

    def run(self, call: _Call, xs: Leaves) -> tuple[Any, Any]:
        """The output on recorded arguments, and what the derivative needs."""
        raise NotImplementedError

    def pulled(self, call: _Call, xs: Leaves, kept: Any, gs: Leaves) -> Leaves:
        """The cotangents of the differentiable leaves."""
        raise NotImplementedError

    def pushed(self, call: _Call, xs: Leaves, ts: Leaves) -> tuple[Leaves, Leaves]:
        """The outputs at the primals and their tangents."""
        raise NotImplementedError


class _Call:
    """One call: the arguments, taken apart into the float tensors among them and the rest."""

    def __init__(self, rule: _Rule, args: tuple[Any, ...]) -> None:
        self.rule = rule
        self.args = args
        skipped = {i % len(args) for i in rule.nondiff_argnums} if args else set()
        self.chosen = [i for i in range(len(args)) if i not in skipped]
        self.fixed = [args[i] for i in sorted(skipped)]
        self.leaves, self.form = _tree.flatten(tuple([args[i] for i in self.chosen]))
        self.places = [k for k, leaf in enumerate(self.leaves) if floats(leaf)]
        self.out_form: Any = _tree.LEAF
        for x in _tree.flatten(tuple(self.fixed))[0]:
            if floats(x) and (x._rg or x._dual is not None) and STATE.grad_enabled:
                raise RuntimeError(
                    f"{rule.name}: an argument that nondiff_argnums names requires grad, and its gradient would be "
                    "lost. Take it out of nondiff_argnums, or detach() it"
                )

    def is_differentiated(self) -> bool:
        """Whether any argument is tracked or dual."""
        xs = [self.leaves[k] for k in self.places]
        return any([x._dual is not None or (STATE.grad_enabled and x._rg) for x in xs])

    def with_leaves(self, xs: Leaves) -> tuple[Any, ...]:
        """All arguments, with other values for the differentiable leaves."""
        args = list(self.args)
        for i, tree in zip(self.chosen, self.primals(xs), strict=True):
            args[i] = tree
        return tuple(args)

    def primals(self, xs: Leaves, others: Callable[[Any], Any] = lambda leaf: leaf) -> tuple[Any, ...]:
        """The differentiable arguments with other values for their leaves."""
        leaves = [others(leaf) for leaf in self.leaves]
        for k, x in zip(self.places, xs, strict=True):
            leaves[k] = x
        return _tree.unflatten(self.form, leaves)  # type: ignore[no-any-return]

    def evaluated(self) -> tuple[Leaves, Any]:
        """The output's leaves, connected to the arguments, and its containers."""
        return self._leveled([self.leaves[k] for k in self.places]), self.out_form

    def _leveled(self, xs: Leaves) -> Leaves:
        level = innermost(xs)
        if level is None:
            got = self.rule.node.apply(self, *xs)
            return list(got) if isinstance(got, tuple) else [got]
        primals, tangents = zip(*[split(x, level) for x in xs], strict=True)
        ts = [zeros_like(x) if t is None else t for x, t in zip(primals, tangents, strict=True)]
        ys, pushed = self.rule.pushed(self, list(primals), ts)
        return [dual(level, y.detach() if y is x else y, t) if floats(y) else y for y, t, x in _with_own(ys, pushed)]

    def outputs(self, output: Any) -> Leaves:
        """The leaves of what the function returned."""
        ys, self.out_form = _tree.flatten(output)
        for y in ys:
            if not isinstance(y, TensorBase):
                raise TypeError(
                    f"{self.rule.name}: a function with a rule of its own must return tensors (or nested containers of "
                    f"them), and it returned {type(y).__name__}"
                )
        return ys

    def check_closed(self, ys: Leaves, xs: Leaves, start: int) -> None:
        """Raise if the output depends on something tracked that is no argument."""
        found = captured(ys, xs, start)
        if found:
            shapes = ", ".join([str(list(t._data.shape)) for t in found])
            raise RuntimeError(
                f"{self.rule.name}: it uses a tensor that requires grad and is none of its arguments (of shape "
                f"{shapes}), whose gradient would be lost, since the rule does not know of it. Make it an argument, or "
                "detach() it"
            )


def _with_own(ys: Leaves, ts: Leaves) -> list[tuple[Any, Any, Any]]:
    """Outputs with tangents; a tensor that stands twice is told from itself."""
    seen: set[int] = set()
    found = []
    for y, t in zip(ys, ts, strict=True):
        found.append((y, t, y if id(y) in seen else None))
        seen.add(id(y))
    return found


class _Recorded(Function):
    """One call as a node of the graph."""

    generate_vmap_rule = True

    @staticmethod
    def forward(ctx: Any, call: _Call, *xs: Any) -> Any:
        start = next_seq()
        STATE.grad_enabled = True  # what the rule keeps stays connected; the output itself is cut off below
        output, kept = call.rule.run(call, list(xs))
        ys = call.outputs(output)
        leaves, ctx.form = _tree.flatten(kept)
        call.check_closed([*ys, *leaves], list(xs), start)
        STATE.grad_enabled = False
        tracked = [isinstance(t, TensorBase) and t._rg for t in leaves]
        ctx.call = call
        ctx.kept = [None if is_tracked else (t, _version(t)) for t, is_tracked in zip(leaves, tracked, strict=True)]
        ctx.save_for_backward(*xs, *[t for t, is_tracked in zip(leaves, tracked, strict=True) if is_tracked])
        return tuple([y.detach() for y in ys])

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        call = ctx.call
        saved = list(ctx.saved_tensors)
        n = len(call.places)
        following = iter(saved[n:])
        kept = _tree.unflatten(ctx.form, [next(following) if one is None else _intact(call, *one) for one in ctx.kept])
        return (None, *call.rule.pulled(call, saved[:n], kept, list(gs)))


def _version(t: Any) -> int:
    return t._version if isinstance(t, TensorBase) else 0  # type: ignore[attr-defined]


def _intact(call: _Call, t: Any, version: int) -> Any:
    if _version(t) != version:
        raise RuntimeError(
            f"{call.rule.name}: a residual of its fwd was changed in place since (it is at version {_version(t)}, "
            f"expected {version}): write to a clone() of it"
        )
    return t


class custom_vjp(_Rule):
    """A function whose reverse rule you state: ``f.defvjp(fwd, bwd)``.

    Forward mode follows, as the transpose of ``bwd``, which must be linear in the cotangent for that. Both modes nest
    to any order, and the function may be batched.

    Args:
        fun: a function of tensors (nested containers, other values).
        nondiff_argnums: the arguments that are not differentiated; ``bwd`` gets them first.

    Raises:
        AttributeError: a derivative is wanted and there is no rule.
        RuntimeError: ``bwd`` returns the wrong number of gradients, other containers, or one of the wrong shape; the
            function uses a tensor that requires grad and is no argument; forward mode, and ``bwd`` is not linear.

    >>> import wengert as torch
    >>> @torch.func.custom_vjp
    ... def log1pexp(x):
    ...     return torch.log(1 + torch.exp(x))
    >>> log1pexp.defvjp(lambda x: (log1pexp(x), x), lambda x, g: (g * (1 - 1 / (1 + torch.exp(x))),))
    >>> torch.func.grad(log1pexp)(torch.tensor(100.0))
    tensor(1.)
    """

    _what = "custom_vjp"

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(fun, nondiff_argnums)
        self._inside = _Inside()

    fwd: Callable[..., Any] | None = None
    bwd: Callable[..., Any] | None = None

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Say how: ``fwd(*args)`` gives ``(output, residuals)``, ``bwd(residuals, g)`` a gradient for each."""
        self.fwd, self.bwd = fwd, bwd

    def check_defined(self) -> None:
        """See :class:`_Rule`."""
        if self.fwd is None:
            raise AttributeError(f"No VJP defined for custom_vjp function {self.name} using defvjp.")

    def run(self, call: _Call, xs: Leaves) -> tuple[Any, Any]:
        """See :class:`_Rule`."""
        if self._inside.fwd:  # fwd calls the function itself: it is asked for its rule when that is needed
            return self.fun(*call.with_leaves(xs)), _LATER
        return self._run_fwd(call, xs)

    def _run_fwd(self, call: _Call, xs: Leaves) -> tuple[Any, Any]:
        was = self._inside.fwd
        tracked, STATE.grad_enabled, self._inside.fwd = STATE.grad_enabled, True, True
        try:
            got = self.fwd(*call.with_leaves(xs))  # type: ignore[misc]
        finally:
            STATE.grad_enabled, self._inside.fwd = tracked, was
        if not (isinstance(got, tuple) and len(got) == 2):
            raise TypeError(f"{self.name}: fwd must return (output, residuals), and it returned {type(got).__name__}")
        return got

    def pulled(self, call: _Call, xs: Leaves, kept: Any, gs: Leaves) -> Leaves:
        if kept is _LATER:
            _, kept = self._run_fwd(call, xs)
        got = self.bwd(*call.fixed, kept, _tree.unflatten(call.out_form, gs))  # type: ignore[misc]
        if not isinstance(got, (tuple, list)) or len(got) != len(call.chosen):
            number = len(got) if isinstance(got, (tuple, list)) else type(got).__name__
            raise RuntimeError(
                f"{self.name}: bwd must return a tuple of {len(call.chosen)} gradients, one for each argument, and it "
                f"returned {number}"
            )
        flat: Leaves = []
        for tree, form in zip(got, call.form[2], strict=True):
            leaves, own = _tree.flatten(tree)
            if tree is None:
                leaves, own = [None] * _tree.count(form), form
            if own != form:
                raise RuntimeError(f"{self.name}: bwd returned a gradient in other containers than its argument's")
            flat += leaves
        found = [flat[k] for k in call.places]
        for i, (g, x) in enumerate(zip(found, xs, strict=True)):
            if g is not None and (not isinstance(g, TensorBase) or g._data.shape != x._data.shape):
                what = f"shape {list(g._data.shape)}" if isinstance(g, TensorBase) else type(g).__name__
                raise RuntimeError(
                    f"{self.name}: bwd returned a gradient of {what} for tensor {i} of the arguments, expected a "
                    f"tensor of shape {list(x._data.shape)}"
                )
        return found

    def pushed(self, call: _Call, xs: Leaves, ts: Leaves) -> tuple[Leaves, Leaves]:
        _, kept = self._run_fwd(call, xs)
        ys = call._leveled(xs)
        return ys, transposed(lambda gs: self.pulled(call, xs, kept, gs), ys, ts, self.name)


class custom_jvp(_Rule):
    """A function whose forward rule you state: ``f.defjvp(jvp)``, or one for each argument, ``f.defjvps(...)``.

    Reverse mode follows, as the transpose of the rule, which must be linear in the tangents. Both modes nest to any
    order, and the function may be batched.

    Args:
        fun: a function of tensors (nested containers, other values).
        nondiff_argnums: the arguments that are not differentiated; the rule gets them first.

    Raises:
        AttributeError: a derivative is wanted and there is no rule.
        RuntimeError: a tangent of the wrong shape; the function uses a tensor that requires grad and is no argument;
            the rule is not linear.

    >>> import wengert as torch
    >>> @torch.func.custom_jvp
    ... def f(x, y):
    ...     return torch.sin(x) * y
    >>> @f.defjvp
    ... def f_jvp(primals, tangents):
    ...     (x, y), (tx, ty) = primals, tangents
    ...     return f(x, y), torch.cos(x) * y * tx + torch.sin(x) * ty
    >>> torch.func.grad(f, (0, 1))(torch.tensor(0.0), torch.tensor(3.0))
    (tensor(3.), tensor(0.))
    """

    _what = "custom_jvp"
    jvp: Callable[..., Any] | None = None

    def defjvp(self, jvp: Callable[..., Any]) -> Callable[..., Any]:
        """Say how: ``jvp(primals, tangents)`` gives ``(output, tangent)``, both like the output."""
        self.jvp = jvp
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Say how for each argument: ``jvp(tangent, output, *primals)`` gives its part of the tangent, or None."""

        def total(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
            y = self(*primals)
            parts = [rule(t, y, *primals) for rule, t in zip(jvps, tangents, strict=True) if rule is not None]
            return y, functools.reduce(lambda a, b: a + b, parts) if parts else zeros_like(y)

        self.jvp = total

    def check_defined(self) -> None:
        """See :class:`_Rule`."""
        if self.jvp is None:
            raise AttributeError(f"No JVP defined for custom_jvp function {self.name} using defjvp.")

    def run(self, call: _Call, xs: Leaves) -> tuple[Any, Any]:
        """See :class:`_Rule`."""
        return self.fun(*call.with_leaves(xs)), ()

    def pulled(self, call: _Call, xs: Leaves, kept: Any, gs: Leaves) -> Leaves:
        return transposed(lambda ts: self.pushed(call, xs, ts)[1], xs, gs, self.name)

    def pushed(self, call: _Call, xs: Leaves, ts: Leaves) -> tuple[Leaves, Leaves]:
        tangents = call.primals(ts, lambda _: None)
        got = self.jvp(*call.fixed, call.primals(xs), tangents)  # type: ignore[misc]
        if not (isinstance(got, tuple) and len(got) == 2):
            raise TypeError(f"{self.name}: jvp must return (output, tangent), and it returned {type(got).__name__}")
        ys = call.outputs(got[0])
        pushed, form = _tree.flatten(got[1])
        if form != call.out_form:
            raise RuntimeError(f"{self.name}: jvp returned a tangent in other containers than its output's")
        for i, (y, t) in enumerate(zip(ys, pushed, strict=True)):
            if floats(y) and (not isinstance(t, TensorBase) or t._data.shape != y._data.shape):
                what = f"shape {list(t._data.shape)}" if isinstance(t, TensorBase) else type(t).__name__
                raise RuntimeError(
                    f"{self.name}: jvp returned a tangent of {what} for output {i}, expected a tensor of shape "
                    f"{list(y._data.shape)}"
                )
        return ys, pushed


__all__ = ["custom_jvp", "custom_vjp"]
