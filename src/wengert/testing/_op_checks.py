"""What must hold for every operation, checked on given inputs. Each check gives the sentences of what does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from wengert.autograd.api import backward, grad
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.leveled import Level, dual, split
from wengert.engine.node import metadata_of, results_read, save_plan
from wengert.ops.reads import Read
from wengert.ops.record import MISSING, TABLE, EachInput
from wengert.spaces.raw import RAW
from wengert.testing._compare import against_differences, described
from wengert.testing._numeric import inner
from wengert.testing._trial import Trial, is_array, precision, random_like

Check = Callable[[Trial], Iterator[str]]


def same_bits(a: Any, b: Any) -> bool:
    """Whether two raw values are equal in every bit, dtype and shape included (nan equals nan)."""
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def _replaced(values: tuple[Any, ...], i: int, x: Any) -> list[Any]:
    return [*values[:i], x, *values[i + 1 :]]


def _accuracy(trial: Trial) -> tuple[float, float]:
    """The rounding error of the results, and the size of the loss's terms."""
    results = [y for y, g in zip(trial.results, trial.cotangents, strict=True) if g is not None]
    eps = max([float(np.finfo(y.dtype).eps) for y in results], default=0.0)
    finite = [np.abs(y[np.isfinite(y)]) for y in map(np.asarray, results)]
    return eps, float(sum([a.sum() for a in finite], 0.0)) * 1.5


# --- derivatives -----------------------------------------------------------------------------------------------------


def first_derivatives(trial: Trial) -> Iterator[str]:
    """The gradient of each input, by the engine, is what finite differences give."""
    if not trial.tracked or not trial.given:
        return
    tensors, outs = trial.recorded()
    leaves = [tensors[i] for i in trial.tracked]
    got = grad(outs, leaves, [wrap(np.array(g)) for g in trial.given], allow_unused=True)
    accuracy = _accuracy(trial)
    for i, t in zip(trial.tracked, got, strict=True):
        x = trial.inputs[i]
        gradient = np.zeros_like(x) if t is None else np.asarray(t._data)
        if gradient.shape != x.shape or gradient.dtype != x.dtype:
            got_kind, wanted_kind = f"{gradient.dtype}{list(gradient.shape)}", f"{x.dtype}{list(x.shape)}"
            yield f"the gradient of {trial.name(i)} is {got_kind} for {wanted_kind}"
            continue
        wrong = list(
            against_differences(lambda x, i=i: trial.loss(_replaced(trial.inputs, i, x)), x, gradient, *accuracy)  # type: ignore[misc]
        )
        if wrong:
            yield f"the gradient of {trial.name(i)} {described(wrong)}"


def second_derivatives(trial: Trial) -> Iterator[str]:
    """The gradient of the gradients, through ``create_graph``, is what finite differences of the rules give."""
    if not trial.tracked or not trial.given:
        return
    rng = np.random.default_rng(1)
    vs = {i: random_like(rng, trial.inputs[i]) for i in trial.tracked}
    got = _second_gradients(trial, vs)
    eps, scale = _accuracy(trial)
    gradients = [trial.gradient(i) for i in trial.tracked]
    scale += float(sum([np.abs(g[np.isfinite(g)]).sum() for g in map(np.asarray, gradients)], 0.0))

    def loss(gs: Any, inputs: Any) -> Any:
        return sum([inner(v, trial.gradient(i, gs, inputs)) for i, v in vs.items()], 0.0)

    for i, found in zip(trial.tracked, got, strict=False):
        wrong = list(
            against_differences(
                lambda x, i=i: loss(None, _replaced(trial.inputs, i, x)),  # type: ignore[misc]
                trial.inputs[i],
                found,
                eps,
                scale,
            )
        )
        if wrong:
            yield f"the gradient of order 2 of {trial.name(i)} {described(wrong)}"
    slots = [k for k, g in enumerate(trial.cotangents) if g is not None]
    for k, found in zip(slots, got[len(trial.tracked) :], strict=True):
        wrong = list(
            against_differences(
                lambda g, k=k: loss(_replaced(trial.cotangents, k, g), None),  # type: ignore[misc]
                trial.cotangents[k],
                found,
                eps,
                scale,
            )
        )
        if wrong:
            yield f"the gradient of order 2 of the cotangent of result {k} {described(wrong)}"


def _second_gradients(trial: Trial, vs: dict[int, Any]) -> list[Any]:
    """Gradients of ``sum <v_i, gradient of input i>`` with respect to the tracked inputs and the cotangents."""
    tensors, outs = trial.recorded()
    leaves = [tensors[i] for i in trial.tracked]
    gs = [wrap(np.array(g)).requires_grad_() for g in trial.given]
    firsts = grad(outs, leaves, gs, create_graph=True, allow_unused=True)
    tracked = [(t, wrap(v)) for t, v in zip(firsts, vs.values(), strict=True) if t is not None and t.requires_grad]
    zeros = [np.zeros_like(x._data) for x in [*leaves, *gs]]
    if not tracked:
        return zeros
    seconds = grad([t for t, _ in tracked], [*leaves, *gs], [v for _, v in tracked], allow_unused=True)
    return [zero if t is None else np.asarray(t._data) for t, zero in zip(seconds, zeros, strict=True)]


def worlds_agree(trial: Trial) -> Iterator[str]:
    """The sweeps give the same, bit for bit: ``backward`` and ``grad`` on raw values, ``create_graph`` on tensors.

    A fused combination that a rule uses may round otherwise than its parts, which are what tensors see.
    """
    if not trial.tracked or not trial.given:
        return
    found = [_by_backward(trial), _by_grad(trial, create_graph=False), _by_grad(trial, create_graph=True)]
    for i, (plain, raw, tensor) in zip(trial.tracked, zip(*found, strict=True), strict=True):
        for way, other in (("autograd.grad", raw), ("create_graph=True", tensor)):
            if (plain is None) != (other is None):
                yield f"{trial.name(i)} has the gradient {plain} by backward(), and {other} by {way}"
            elif plain is None or same_bits(plain._data, other._data):
                continue
            elif other is raw or not (names_used(trial, i) & TABLE.fused.keys() and _close(plain._data, other._data)):
                yield f"the gradient of {trial.name(i)} is {plain._data!r} by backward(), and {other._data!r} by {way}"


def _by_backward(trial: Trial) -> list[Any]:
    tensors, outs = trial.recorded()
    backward(outs, [wrap(np.array(g)) for g in trial.given])
    return [tensors[i].grad for i in trial.tracked]


def _by_grad(trial: Trial, create_graph: bool) -> tuple[Any, ...]:
    tensors, outs = trial.recorded()
    gs = [wrap(np.array(g)) for g in trial.given]
    return tuple(grad(outs, [tensors[i] for i in trial.tracked], gs, create_graph=create_graph, allow_unused=True))


def forward_rule(trial: Trial) -> Iterator[str]:
    """The tangents that the engine pushes forward, by whatever rule it finds, are the directional derivatives."""
    rng = np.random.default_rng(2)
    if not trial.given:
        return
    eps, scale = _accuracy(trial)
    for i in trial.tracked:
        t = random_like(rng, trial.inputs[i])
        said = _pushed(trial, i, t)
        for k, (g, got) in enumerate(zip(trial.cotangents, said, strict=True)):
            if g is None:
                continue
            # Any cotangent of the result will do: along it, the tangent is a number, and that is compared.
            wrong = list(
                against_differences(
                    lambda h, i=i, t=t, k=k, g=g: inner(
                        g, trial.value(_replaced(trial.inputs, i, trial.inputs[i] + h * t))[k]
                    ),  # type: ignore[misc]
                    np.float64(0.0),
                    np.asarray(inner(g, got)),
                    eps,
                    scale,
                )
            )
            if wrong:
                source = "by its forward rule" if trial.op.jvp is not None else "that follows from its backward rule"
                yield f"the tangent of result {k} {source} for {trial.name(i)} {described(wrong)}"


def _pushed(trial: Trial, i: int, t: Any) -> tuple[Any, ...]:
    """The raw tangents of the results along ``t`` of input ``i``; zeros where there is none."""
    tensors = [wrap(np.array(x)) if is_array(x) else x for x in trial.inputs]
    with Level() as level:
        tensors[i] = dual(level, tensors[i], wrap(np.array(t)))
        y = apply(trial.op, *tensors, **trial.meta)
        tangents = [split(part, level)[1] for part in (y if isinstance(y, tuple) else (y,))]
    return tuple(
        [np.zeros_like(y) if t is None else np.asarray(t._data) for t, y in zip(tangents, trial.results, strict=True)]
    )


def linearity(trial: Trial) -> Iterator[str]:
    """The operation is linear in the inputs that its record says."""
    rng = np.random.default_rng(3)
    for i in trial.op.linear:
        x: Any = trial.inputs[i] if i < len(trial.inputs) else None
        if not is_array(x) or x.dtype.kind not in "fc" or not trial.given:
            continue
        other = random_like(rng, x)
        parts = [trial.value(_replaced(trial.inputs, i, value)) for value in (x, other, x - 2.0 * other)]
        for y, z, both in zip(*parts, strict=True):
            eps = float(np.finfo(both.dtype).eps)
            if both.dtype.kind in "fc" and not np.allclose(
                both, y - 2.0 * z, rtol=0, atol=1e3 * eps * (1 + abs(y).max(initial=0))
            ):
                yield f"the record calls the operation linear in {trial.name(i)}, and it is not"


# --- what is kept, changed, widened ----------------------------------------------------------------------------------


class Poison:
    """Stands for a value that was not kept: any use of it is an error."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"the rule reads {name!r} of a value that the save plan does not keep")


def save_plan_suffices(trial: Trial) -> Iterator[str]:
    """Rules get by with what the save plan keeps."""
    n = len(trial.inputs)
    for i in trial.tracked:
        plan = save_plan(trial.op, 1 << i, n)
        read = set(results_read(trial.op, 1 << i, len(trial.results)))
        ys = [
            _kept(plan[0] if trial.op.outputs == 1 or k in read else Read.NOTHING, y)
            for k, y in enumerate(trial.results)
        ]
        xs = [_kept(read, x) if is_array(x) else x for read, x in zip(plan[1:], trial.inputs, strict=True)]
        try:
            got = trial.pull(i, ys=ys, inputs=xs)
        except Exception as error:  # noqa: BLE001 - a rule that lacks a value may fail in any way
            yield f"the rule of {trial.name(i)} needs more than the save plan {_words(plan)} keeps: {error}"
            continue
        if not same_bits(np.asarray(got), np.asarray(trial.pull(i))):
            yield f"the rule of {trial.name(i)} gives something else with what the save plan {_words(plan)} keeps"


def _kept(read: Read, value: Any) -> Any:
    return value if read is Read.VALUES else metadata_of(value) if read is Read.METADATA else Poison()


def _words(plan: tuple[Read, ...]) -> str:
    return f"({', '.join([read.name.lower() for read in plan])})"


def nothing_is_changed(trial: Trial) -> Iterator[str]:
    """Neither ``impl`` nor a rule writes to what it is given; only a view's result shares memory with its input."""
    before = [np.array(x) if is_array(x) else x for x in trial.inputs]
    results = trial.value()
    yield from _changes("impl", "input", trial.inputs, before)
    if not trial.op.view:
        for y in results:
            if any([is_array(x) and np.may_share_memory(x, y) for x in trial.inputs]):
                yield "impl returns memory of an input, and the record does not say that it is a view"
    kept, given = [np.array(y) for y in results], [None if g is None else np.array(g) for g in trial.cotangents]
    for i in trial.tracked if trial.given else ():
        trial.pull(i, ys=results)
        who = f"the rule of {trial.name(i)}"
        yield from _changes(who, "input", trial.inputs, before)
        yield from _changes(who, "result", results, kept)
        yield from _changes(who, "cotangent of result", trial.cotangents, given)


def _changes(who: str, what: str, now: Any, before: Any) -> Iterator[str]:
    for k, (x, old) in enumerate(zip(now, before, strict=True)):
        if is_array(x) and not same_bits(x, old):
            yield f"{who} changes {what} {k}"


def precision_is_kept(trial: Trial) -> Iterator[str]:
    """Results and what rules return have the precision of the inputs: float32 stays float32."""
    if "dtype" in trial.meta or not any([is_array(x) and x.dtype.kind in "fc" for x in trial.inputs]):
        return
    for bits in (32, 16):
        if bits == 16 and any([is_array(x) and x.dtype.kind == "c" for x in trial.inputs]):
            continue
        small = trial.as_precision(bits)
        try:
            results = small.results
        except (TypeError, ValueError):
            if bits == 16:  # LAPACK has no halves
                continue
            raise
        if bits == 16 and any([y.dtype.kind == "c" for y in results]):  # NumPy has no complex numbers of two halves
            continue
        for k, y in enumerate(results):
            yield from _precision(f"result {k}", y, bits)
        for i in small.tracked if small.given else ():
            yield from _precision(f"what the rule of {small.name(i)} returns", small.pull(i), bits)


def _precision(what: str, x: Any, bits: int) -> Iterator[str]:
    if not is_array(x):
        yield f"{what} is a {type(x).__name__}, and no array or NumPy scalar, for float{bits} inputs"
    elif x.dtype.kind in "fc" and precision(x) != bits:
        yield f"{what} has the dtype {x.dtype} for float{bits} inputs"


# --- what rules are made of ------------------------------------------------------------------------------------------


class RecordingSpace:
    """The world of raw values, which notes the names that a rule uses; of what is fused it computes the parts."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.names.add(name)
        return TABLE.in_parts(name, self) or getattr(RAW, name)


def names_used(trial: Trial, i: int) -> set[str]:
    """What the rule of one input uses."""
    xp = RecordingSpace()
    trial.pull(i, xp=xp)
    return xp.names


def _close(a: Any, b: Any) -> bool:
    """Whether two raw values are equal but for rounding."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    bound = 1e3 * float(np.finfo(a.dtype).eps) * float(abs(a[np.isfinite(a)]).max(initial=1.0))
    return bool(np.allclose(a, b, rtol=0, atol=bound, equal_nan=True))


def closure(trial: Trial) -> Iterator[str]:
    """Rules use operations of the table only, none of which lacks a rule."""
    for i in trial.tracked if trial.given else ():
        for name in sorted(names_used(trial, i) - TABLE.fused.keys()):
            vjp = TABLE[name].vjp
            if not isinstance(vjp, EachInput) and MISSING in vjp:
                yield f"the rule of {trial.name(i)} uses {name}, whose own rule is missing"


CHECKS: Final[dict[str, Check]] = {
    "first derivatives": first_derivatives,
    "second derivatives": second_derivatives,
    "raw values and tensors": worlds_agree,
    "forward rule": forward_rule,
    "linearity": linearity,
    "save plan": save_plan_suffices,
    "nothing is changed": nothing_is_changed,
    "precision": precision_is_kept,
    "closure": closure,
}
