"""Inputs for every operation of the table: from the families' samples, or made from the operation's record."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

import wengert  # noqa: F401 - fills the table
from samples import Sample
from wengert.ops.record import MISSING, TABLE, EachInput, Kind, Op
from wengert.testing._trial import Trial

NAMES = list(TABLE.ops)
DIFFERENTIABLE = [
    name
    for name, op in TABLE.ops.items()
    if isinstance(op.vjp, EachInput) or any(callable(rule) and rule is not MISSING for rule in op.vjp)
]
ELEMENTWISE = [name for name in NAMES if TABLE[name].kind is Kind.ELEMENTWISE]

# Where the values of each domain lie, and at least how far from the kinks and jumps that functions like to have.
_RANGES: dict[str, tuple[float, float]] = {
    "real": (-2.4, 2.4),
    "positive": (0.25, 2.4),
    "unit": (0.06, 0.94),
    "open_unit": (-0.94, 0.94),
    "above_one": (1.06, 3.4),
    "nonzero": (-2.4, 2.4),
}
_GAP = 0.02
# They jump where the quotient is whole; they take real numbers only, or sizes, which are not negative.
_NOT_GENERATED = ("floor_divide", "remainder", "fmod", "complex", "polar", "imag")


@cache
def samples() -> dict[str, list[Sample]]:
    """What the families' modules give."""
    found: dict[str, list[Sample]] = {}
    for path in sorted(Path(__file__).with_name("samples").glob("[a-z]*.py")):
        for name, rows in importlib.import_module(f"samples.{path.stem}").SAMPLES.items():
            found.setdefault(name, []).extend(rows)
    return found


@cache
def cases(name: str) -> tuple[Sample, ...]:
    """Inputs of one operation: what its family gives, and real and complex ones by its domain, broadcast each way."""
    op = TABLE[name]
    given = tuple(samples().get(name, ()))
    if not _is_generated(op, given):
        return given
    assert not isinstance(op.vjp, EachInput)
    made = [Sample(*_values(op.domain, shapes, name)) for shapes in broadcast_shapes(len(op.vjp))]
    if takes_complex(op) and (not given or any([x.dtype.kind == "c" for case in given for x in case.inputs])):
        for shapes in broadcast_shapes(len(op.vjp))[:3]:
            parts = [_values(op.domain, shapes, f"{name} {part}") for part in ("real", "imaginary")]
            made.append(Sample(*[(a + 1j * b)[()] for a, b in zip(*parts, strict=True)]))
        if len(op.vjp) == 2:
            x, y = made[-1].inputs
            made += [Sample(x.real, y), Sample(x, y.real)]
    return (*given, *made)


def _is_generated(op: Op, given: tuple[Sample, ...]) -> bool:
    """Whether inputs can be made by the domain alone: no metadata, no numbers, integers or masks."""
    plain = all(
        [
            not case.meta
            and all([isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fc" for x in case.inputs])
            for case in given
        ]
    )
    return op.kind is Kind.ELEMENTWISE and isinstance(op.vjp, tuple) and plain and op.name not in _NOT_GENERATED


def trials(name: str) -> Iterator[Trial]:
    """The operation on each of its cases."""
    for case in cases(name):
        yield Trial(TABLE[name], case.inputs, case.meta)


def broadcast_shapes(n: int) -> list[tuple[tuple[int, ...], ...]]:
    """Shapes of ``n`` inputs that broadcast: the same, a row, a column, 0-d values, both ways."""
    if n == 1:
        return [((2, 3),), ((4,),), ((),)]
    rows: list[tuple[tuple[int, ...], ...]] = [
        ((2, 3),) * n,
        ((2, 3), (3,)),
        ((2, 1), (2, 3)),
        ((), (3,)),
        ((2, 1), (1, 3)),
        ((), ()),
    ]
    rows += [((3,), ())]
    return [row + ((2, 1),) * (n - 2) if len(row) < n else row for row in rows]


def takes_complex(op: Op) -> bool:
    """Whether the operation computes with complex numbers."""
    z = np.array([0.5 + 0.25j, 1.5 - 0.5j])
    try:
        if op.check is not None:
            op.check(op.name, [z] * len(op.vjp))  # type: ignore[arg-type]
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            op.impl(*[z] * len(op.vjp))  # type: ignore[arg-type]
    except (TypeError, NotImplementedError, RuntimeError, np.exceptions.ComplexWarning):
        return False
    return True


def _values(domain: str, shapes: tuple[tuple[int, ...], ...], seed: str) -> list[Any]:
    """Random values without ties, away from the multiples of 1/2."""
    low, high = _RANGES[domain]
    sizes = [int(np.prod(shape)) for shape in shapes]
    for number in count():
        rng = np.random.default_rng([number, *seed.encode()])
        flat = rng.uniform(low, high, sum(sizes))
        distances = np.abs(np.subtract.outer(flat, flat)) + np.eye(len(flat))
        if distances.min() > _GAP and np.abs(flat * 2 - np.rint(flat * 2)).min() > _GAP:
            parts = np.split(flat, np.cumsum(sizes)[:-1])
            return [part.reshape(shape)[()] for part, shape in zip(parts, shapes, strict=True)]
    raise AssertionError


def by_name(lib: Any, name: str) -> Callable[..., Any] | None:
    """The public function of this name, wherever the library has it."""
    for place in (
        lib,
        getattr(lib.nn, "functional", None),
        getattr(lib, "special", None),
        getattr(lib, "linalg", None),
    ):
        if callable(getattr(place, name, None)):
            return getattr(place, name)  # type: ignore[no-any-return]
    return None
