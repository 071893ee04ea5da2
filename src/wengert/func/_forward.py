"""Forward mode as functions of functions: ``jvp``, and the derivative at one point as a function (``linearize``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert import _tree
from wengert.autograd.forward_ad import fitted_tangent
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, zeros_like
from wengert.engine.dual_grad import gradients
from wengert.engine.leveled import Level, dual, split
from wengert.engine.state import STATE
from wengert.func._levels import ReverseLevel, fresh_tree, require_tensor, with_aux
from wengert.func._reverse import vjp
from wengert.ops.movement import ALIAS
from wengert.spaces.tensors import TENSOR


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """The value of ``func`` and its derivative along ``tangents``: ``(output, J t)``, or ``(output, J t, aux)``.

    Args:
        func: a function of tensors (or nested containers of them).
        primals: the arguments, as a tuple.
        tangents: the direction: a tuple like ``primals``, of the same shapes; cast to the primals' dtypes.
        strict: raise where an output does not depend on the inputs, instead of giving zeros.
        has_aux: ``func`` returns ``(output, aux)``.

    Raises:
        RuntimeError: tangents that do not fit the primals; an output that is no tensor.
        ValueError: a dtype that has no derivatives.

    >>> import wengert as torch
    >>> torch.func.jvp(torch.sin, (torch.tensor(0.0),), (torch.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to be tuples, and they are "
            f"{type(primals).__name__} and {type(tangents).__name__}"
        )
    ps, spec = _tree.flatten(primals)
    ts, form = _tree.flatten(tangents)
    if form != spec:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python structure: there are "
            f"{len(ps)} primals and {len(ts)} tangents, or their containers differ"
        )
    if not ps:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals to contain at least one Tensor.")
    with Level() as level:
        fitted = [fitted_tangent(p, t) for p, t in zip(ps, ts, strict=True)]
        duals = [dual(level, apply(ALIAS, p), t) for p, t in zip(ps, fitted, strict=True)]
        output, aux = with_aux(func, has_aux, "jvp")(*_tree.unflatten(spec, duals))
        outputs, out_spec = _tree.flatten(output)
        pairs = [split(y, level) for y in outputs]
        aux = _tree.map_leaves(lambda y: split(y, level)[0], aux)
    for y, t in pairs:
        if not isinstance(y, TensorBase):
            raise RuntimeError(f"jvp(f, ...): Expected f to return tensors, and it returned {type(y).__name__}")
        if t is None and strict:
            raise RuntimeError("jvp(f, primals, tangents, strict=True): an output is independent of the inputs")
    value = _tree.unflatten(out_spec, [y for y, _ in pairs])
    derivative = _tree.unflatten(out_spec, [zeros_like(y) if t is None else t for y, t in pairs])
    return (value, derivative, aux) if has_aux else (value, derivative)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of ``func`` and its derivative at ``primals`` as a function: ``(output, jvp_fn)``.

    ``jvp_fn(*tangents)`` is ``J t``. ``func`` runs once; each call costs only the linear part.

    >>> import wengert as torch
    >>> y, push = torch.func.linearize(torch.sin, torch.tensor(0.0))
    >>> push(torch.tensor(2.0)), push(torch.tensor(3.0))
    (tensor(2.), tensor(3.))
    """
    # The vjp is linear in the cotangent; its own vjp there, at any point, is the jvp.
    with ReverseLevel() as level:
        fresh = [fresh_tree(level, primal, "the primals of linearize") for primal in primals]
        xs = list(level.inputs)
        outputs, spec = _tree.flatten(func(*[tree for tree, _ in fresh]))
        live = [require_tensor(y, "the outputs of a linearized function") for y in outputs if y._rg]
        cotangents = [level.fresh(zeros_like(y)) for y in live]
        pulled = gradients(live, xs, cotangents, retain_graph=True, create_graph=True, allow_unused=True)
    in_spec = _tree.flatten(primals)[1]

    def jvp_fn(*tangents: Any) -> Any:
        ts, form = _tree.flatten(tangents)
        if form != in_spec:
            raise RuntimeError(
                f"linearize: expected {len(xs)} tangents like the primals, and got {len(ts)} or other containers"
            )
        for x, t in zip(xs, ts, strict=True):
            if x._data.shape != require_tensor(t, "tangents")._data.shape:
                raise RuntimeError(
                    f"linearize: a tangent has the shape {list(t._data.shape)}, its primal {list(x._data.shape)}"
                )
        pairs = [(g, t) for g, t in zip(pulled, ts, strict=True) if g is not None and g._rg]
        gs, vs = [g for g, _ in pairs], [t for _, t in pairs]
        record = STATE.grad_enabled and level.depends_outside([*gs, *vs])
        found: Any = iter(
            gradients(gs, cotangents, vs, retain_graph=True, create_graph=record, allow_unused=True) if pairs else ()
        )
        pushed = [next(found, None) if y._rg else None for y in outputs]
        return _tree.unflatten(spec, [zeros_like(y) if t is None else t for t, y in zip(pushed, outputs, strict=True)])

    return _tree.unflatten(spec, [level.leave(y) for y in outputs]), jvp_fn


def linear_transpose(func: Callable[..., Any], *primals: Any) -> Callable[..., tuple[Any, ...]]:
    """The transpose of a linear function: of ``x -> A x`` it is ``v -> (A^T v,)``, one result for each argument.

    Args:
        func: a function that is linear in all its arguments together.
        primals: examples of the arguments; only their shapes and dtypes matter.

    >>> import wengert as torch
    >>> a = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.func.linear_transpose(lambda x: a @ x, torch.zeros(2))(torch.tensor([1.0, 0.0]))
    (tensor([1., 2.]),)
    """
    zeros = _tree.map_leaves(zeros_like, primals)
    _, pull = vjp(func, *zeros)

    def transposed(*cotangents: Any) -> tuple[Any, ...]:
        pulled: tuple[Any, ...] = pull(*_tree.map_leaves(TENSOR.conj, cotangents))  # a vjp is the conjugate transpose
        return _tree.map_leaves(TENSOR.conj, pulled)  # type: ignore[no-any-return]

    return transposed
