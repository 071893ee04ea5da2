"""One operation on given inputs, with everything that its rules get to see."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from wengert.engine.apply import apply, compute, promoted
from wengert.engine.base import wrap
from wengert.ops.record import MISSING, EachInput, Op, Promote
from wengert.spaces.raw import RAW
from wengert.testing._numeric import inner, unbroadcast


def is_array(x: Any) -> bool:
    """Whether ``x`` is a raw value, and no Python number."""
    return isinstance(x, (np.ndarray, np.generic))


class Trial:
    """``op`` on raw inputs and metadata as its ``impl`` gets them, with random cotangents of its results.

    ``tracked`` are the positions of the inputs that have a derivative rule and real or complex values.
    """

    def __init__(self, op: Op, inputs: Sequence[Any], meta: dict[str, Any]) -> None:
        self.op = op
        self.inputs = tuple(inputs)
        self.meta = meta
        self.tracked = tuple(
            [i for i, x in enumerate(inputs) if self._has_rule(i) and is_array(x) and x.dtype.kind in "fc"]
        )

    def __repr__(self) -> str:
        given = [f"{x.dtype}{list(x.shape)}" if is_array(x) else repr(x) for x in self.inputs]
        return f"{self.op.name}({', '.join([*given, *[f'{k}={v!r}' for k, v in self.meta.items()]])})"

    def _has_rule(self, i: int) -> bool:
        vjp = self.op.vjp
        if isinstance(vjp, EachInput):
            return vjp.differentiable is None or vjp.differentiable(i)
        return callable(vjp[i]) and vjp[i] is not MISSING

    def name(self, i: int) -> str:
        """How messages call an input."""
        args = self.op.args
        return f"input {i} ({args[i]})" if i < len(args) and not isinstance(self.op.vjp, EachInput) else f"input {i}"

    def with_inputs(self, inputs: Sequence[Any]) -> Trial:
        """The same operation and metadata on other inputs."""
        return Trial(self.op, inputs, self.meta)

    def as_precision(self, bits: int) -> Trial:
        """The same with all float and complex inputs in another precision (``bits`` of a real number)."""
        return self.with_inputs([in_precision(x, bits) for x in self.inputs])

    # --- values ------------------------------------------------------------------------------------------------------

    def value(self, inputs: Sequence[Any] | None = None) -> tuple[Any, ...]:
        """The results, always as a tuple."""
        raws = list(self.inputs if inputs is None else inputs)
        y = compute(self.op, raws if self.op.promote is Promote.KEEP else promoted(self.op, raws), self.meta)
        return (y,) if self.op.outputs == 1 else tuple(y)

    @cached_property
    def results(self) -> tuple[Any, ...]:
        """The results on the trial's own inputs."""
        return self.value()

    @cached_property
    def cotangents(self) -> tuple[Any, ...]:
        """A random cotangent of each result that carries derivatives; None for the others."""
        rng = np.random.default_rng(len(self.inputs) + sum([y.size for y in self.results]))
        return tuple([random_like(rng, y) if self._carries(k, y) else None for k, y in enumerate(self.results)])

    def _carries(self, k: int, y: Any) -> bool:
        return y.dtype.kind in "fc" and (self.op.outputs == 0 or k in self.op.differentiable_outputs)

    def loss(self, inputs: Sequence[Any]) -> Any:
        """A number whose gradient with respect to the results is ``cotangents``."""
        parts = zip(self.cotangents, self.value(inputs), strict=True)
        return sum([inner(g, y) for g, y in parts if g is not None], 0.0)

    # --- rules -------------------------------------------------------------------------------------------------------

    def pull(
        self,
        i: int,
        gs: Sequence[Any] | None = None,
        ys: Sequence[Any] | None = None,
        inputs: Sequence[Any] | None = None,
        xp: Any = RAW,
    ) -> Any:
        """What the rule of input ``i`` returns, in the world of raw values unless told otherwise."""
        inputs = self.inputs if inputs is None else inputs
        gs = self.cotangents if gs is None else gs
        ys = self.results if ys is None else ys
        g, y = (gs[0], ys[0]) if self.op.outputs == 1 else (tuple(gs), tuple(ys))
        with np.errstate(all="ignore"):
            if isinstance(self.op.vjp, EachInput):
                return self.op.vjp.rule(xp, g, y, i, *inputs, **self.meta)
            rule: Any = self.op.vjp[i]
            return rule(xp, g, y, *inputs, **self.meta)

    def gradient(self, i: int, gs: Sequence[Any] | None = None, inputs: Sequence[Any] | None = None) -> Any:
        """The gradient with respect to input ``i`` by its rule on raw values."""
        ys = None if inputs is None else self.value(inputs)
        like = self.inputs[i] if inputs is None else inputs[i]
        return unbroadcast(self.pull(i, gs, ys, inputs), like)

    # --- tensors -----------------------------------------------------------------------------------------------------

    def recorded(self) -> tuple[list[Any], list[Any]]:
        """The inputs as tensors (tracked ones require grad) and the results that carry derivatives."""
        tensors = [wrap(np.array(x)) if is_array(x) else x for x in self.inputs]
        for i in self.tracked:
            tensors[i].requires_grad_()
        y = apply(self.op, *tensors, **self.meta)
        ys = (y,) if self.op.outputs == 1 else y
        return tensors, [t for t, g in zip(ys, self.cotangents, strict=True) if g is not None]

    @cached_property
    def given(self) -> list[Any]:
        """The cotangents that are there."""
        return [g for g in self.cotangents if g is not None]


def random_like(rng: np.random.Generator, y: Any) -> Any:
    """Random values of the shape and dtype of ``y``, none of them small."""

    def part() -> Any:
        return rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1.0, 1.0], y.shape)

    return np.asarray(part() + 1j * part() if y.dtype.kind == "c" else part()).astype(y.dtype)[()]


def in_precision(x: Any, bits: int) -> Any:
    """A float or complex value in another precision; anything else as it is."""
    if not is_array(x) or x.dtype.kind not in "fc":
        return x
    size = bits // 8
    return x.astype(np.dtype(f"c{2 * size}" if x.dtype.kind == "c" else f"f{size}"))


def precision(x: Any) -> int:
    """The bits of a float value, or of the real part of a complex one."""
    return int(x.dtype.itemsize * 8 // (2 if x.dtype.kind == "c" else 1))
