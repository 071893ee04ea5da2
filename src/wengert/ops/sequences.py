"""What the operations on whole sequences share: parts along the last axis, time steps, products over all steps.

Sequences are arrays ``[steps, batch, features]``. An operation that goes through one takes a long loop for the
cotangents of all its inputs together, so these have joint rules; what the loop need not do step by step is done for all
steps at once, before or after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from wengert._batched import Axes, Batched, merged, packed, spread
from wengert.ops.products import as_matrix
from wengert.ops.record import Kind, Rule, defop, together

Flags = tuple[bool, ...]


def parts(xp: Any, x: Any, count: int) -> list[Any]:
    """Equal parts of the last axis."""
    dim = x.ndim - 1
    n = x.shape[dim] // count
    return [xp.slice(x, dim=dim, start=k * n, stop=(k + 1) * n, step=1) for k in range(count)]


def joined(xp: Any, *pieces: Any) -> Any:
    """The pieces one after the other along the last axis."""
    dim = pieces[0].ndim - 1
    return xp.cat(*pieces, dim=dim, sizes=tuple([piece.shape[dim] for piece in pieces]))


def steps_of(xp: Any, x: Any, start: int, stop: int) -> Any:
    """Some steps of a sequence."""
    return xp.slice(x, dim=0, start=start, stop=stop, step=1)


def first_of(xp: Any, x: Any) -> Any:
    """The first step of a sequence."""
    return xp.select(x, dim=0, index=0)


def delayed(xp: Any, first: Any, x: Any) -> Any:
    """What was before each step: ``first`` before the first."""
    count = x.shape[0]
    return xp.cat(xp.unsqueeze(first, dim=0), steps_of(xp, x, 0, count - 1), dim=0, sizes=(1, count - 1))


def delayed_by_zero(xp: Any, x: Any) -> Any:
    """As :func:`delayed`, with zeros before the first step."""
    return delayed(xp, xp.zeros_like(first_of(xp, x)), x)


def only_first(xp: Any, first: Any, like: Any) -> Any:
    """A sequence of zeros but for its first step."""
    rest = xp.zeros_like(steps_of(xp, like, 1, like.shape[0]))
    return xp.cat(xp.unsqueeze(first, dim=0), rest, dim=0, sizes=(1, like.shape[0] - 1))


def products_over_steps(xp: Any, a: Any, b: Any) -> Any:
    """The sum over steps and batch of ``a_i b_j``: one matrix product for all steps."""
    return xp.mm(xp.transpose(as_matrix(xp, a), dim0=0, dim1=1), as_matrix(xp, b))


def through(xp: Any, x: Any, weight: Any) -> Any:
    """``x weight^T`` at each step."""
    return xp.linear(x, weight, rank=x.ndim)


def added(*terms: Any) -> Any:
    """The sum of the terms that there are; None if there are none."""
    there = [term for term in terms if term is not None]
    return sum(there[1:], there[0]) if there else None


def flags_of(*drives: Any) -> dict[str, Any]:
    """The metadata that tells which drives of a recurrence are there."""
    return {"given": tuple([drive is not None for drive in drives])}


def there(*drives: Any) -> list[Any]:
    """The drives that are there: the inputs that follow a recurrence's own."""
    return [drive for drive in drives if drive is not None]


def placed(drives: Sequence[Any], flags: tuple[bool, ...]) -> list[Any]:
    """The inverse of :func:`there`: None in place of what was not given."""
    rest = iter(drives)
    return [next(rest) if flag else None for flag in flags]


def members_together(impl: Callable[..., Any], *shared: int) -> Callable[..., Any]:
    """The batching rule: all members side by side in the axis of the batch, one call for each step.

    Where one of the ``shared`` inputs (weights) differs between members, they have an axis of their own before that of
    the batch, which ``impl`` lets through. States ``[batch, features]`` have no axis of steps before it.
    """

    def rule(xp: Any, *xs: Any, **meta: Any) -> Any:
        axes = merged([x.axes for x in xs if x.__class__ is Batched])
        if not prod([axis.size for axis in axes]):
            return NotImplemented
        apart = any([xs[i].__class__ is Batched for i in shared])
        laid = [_weights(x, axes, apart) if i in shared else _side_by_side(x, axes, apart) for i, x in enumerate(xs)]
        return packed(tuple([_members(y, axes, apart) for y in impl(*laid, **meta)]), axes)

    return rule


def _of_each(x: Any, axes: Axes) -> Any:
    """The values of all members, along one first axis."""
    x = spread(x, axes)
    x = np.broadcast_to(x, (*[axis.size for axis in axes], *x.shape[len(axes) :]))
    return x.reshape(-1, *x.shape[len(axes) :])


def _weights(x: Any, axes: Axes, apart: bool) -> Any:
    return _of_each(x, axes) if apart else x


def _side_by_side(x: Any, axes: Axes, apart: bool) -> Any:
    """Members before the axis of the batch, or in it."""
    x = np.moveaxis(_of_each(x, axes), 0, -3)
    return x if apart else x.reshape(*x.shape[:-3], -1, x.shape[-1])


def _members(y: Any, axes: Axes, apart: bool) -> Any:
    """The inverse of :func:`_side_by_side`, with the axes of the batch in front."""
    lead = tuple([axis.size for axis in axes])
    y = y if apart else y.reshape(y.shape[0], prod(lead), y.shape[1] // prod(lead), y.shape[2])
    y = np.moveaxis(y, 1, 0)
    return y.reshape(*lead, *y.shape[1:])


# --- linear recurrences that are each other's transpose ---


class Recurrence(NamedTuple):
    """One of the two: its NumPy implementation, ``impl(*coefficients, *drives, given)``, and its text."""

    impl: Callable[..., Any]
    formula: str
    doc: str


def define_transposes(
    name: str,
    tangent: Recurrence,
    adjoint: Recurrence,
    *,
    coefficients: tuple[str, ...],
    drives: tuple[str, ...],
    pulled: Callable[[Any, Any, Any, list[bool]], list[Any]],
) -> None:
    """Define ``<name>_tangent`` and ``<name>_adjoint``: linear in their drives, of which some may be missing.

    The cotangents of the drives of the one are the results of the other. The last coefficient is the weight, by which
    the last result goes into the first at the next step; ``pulled(xp, adjoint, tangent, needs)`` gives the cotangents
    of the coefficients before it.
    """
    count = len(coefficients)

    def rule_by(other: str, *, is_adjoint: bool) -> Rule:
        def rule(xp: Any, g: Any, y: Any, needs: Any, *xs: Any, given: Flags) -> list[Any]:
            turned = getattr(xp, other)(*xs[:count], *there(*g), **flags_of(*g))
            own = [part for part, flag in zip(turned, given, strict=True) if flag]
            pulling, pushed = (y, turned) if is_adjoint else (turned, y)
            weight = _pulled_to_weight(xp, pulling[0], pushed[-1]) if needs[count - 1] else None
            return [*pulled(xp, pulling, pushed, needs), weight, *own]

        return rule

    forwards, backwards = f"{name}_tangent", f"{name}_adjoint"
    for own, other, recurrence in ((forwards, backwards, tangent), (backwards, forwards, adjoint)):
        defop(
            own,
            recurrence.impl,
            Kind.OTHER,
            batch=members_together(recurrence.impl, count - 1),
            vjp=together(rule_by(other, is_adjoint=own is backwards), shape_only=lambda i: i >= count),
            args=(*coefficients, *drives),
            outputs=len(drives),
            differentiable_outputs=tuple(range(len(drives))),
            formula=recurrence.formula,
            doc=recurrence.doc,
        )


def _pulled_to_weight(xp: Any, cotangent: Any, tangent: Any) -> Any:
    steps = tangent.shape[0]
    return products_over_steps(xp, steps_of(xp, cotangent, 1, steps), steps_of(xp, tangent, 0, steps - 1))
