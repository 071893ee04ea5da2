"""The types that an operation gives for inputs of given types, found by running it on stand-in arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

import numpy as np

from wengert._fpenv import SILENT, enter, leave
from wengert._opaque import OpaqueNumber, at, has_opaque, opaque_in, plain
from wengert._traced import Traced
from wengert.ops.record import Kind, Op
from wengert.program.loops import LOOPS, loop_types
from wengert.program.text import meta_text

ResultType = tuple[np.dtype[Any], tuple[int, ...]]

_known: dict[Any, tuple[ResultType, ...]] = {}
_dtypes: dict[Any, np.dtype[Any]] = {}  # of elementwise operations
_MOST = 4096


class ValueDependentError(RuntimeError):
    """The shape of a result depends on the values of the inputs, so that no program can hold it."""


# Their results are as long as the data says.
VALUE_DEPENDENT = frozenset(
    {"nonzero", "masked_select", "unique", "unique_consecutive", "bincount", "bincount_weighted"}
)


def result_types(op: Op, inputs: Sequence[Any], meta: Mapping[str, Any]) -> tuple[ResultType, ...]:
    """Dtype and shape of each result of ``op(*inputs, **meta)``.

    An elementwise operation is tried on arrays of one element, and the shapes are broadcast. Any other runs once on
    constant arrays of the full shape (which take no memory), or of shapes that stand for large ones.

    Raises:
        ValueDependentError: the shape depends on the values.
        Exception: what the operation itself says about inputs that do not fit.
    """
    if op.name in LOOPS:
        return loop_types(op, inputs, meta)
    if op.kind is Kind.ELEMENTWISE and op.outputs == 1 and not op.view:
        return (elementwise_type(op, inputs, meta),)
    if _has_lengths(inputs, meta):
        if op.name not in VALUE_DEPENDENT and not _has_mask(op, inputs):
            open_types = _for_all_lengths(op, inputs, meta)
            if open_types is not None:
                return open_types
        inputs, meta = [_known_length(x) for x in inputs], plain(meta)
    key = (op.name, tuple([_input_key(x) for x in inputs]), meta_text(dict(meta)))
    found = _known.get(key)
    if found is None:
        if op.name in VALUE_DEPENDENT or _has_mask(op, inputs):
            raise ValueDependentError(op.name)
        if len(_known) >= _MOST:
            _known.clear()
        found = _known[key] = _run(op, inputs, meta)
    return found


def elementwise_type(op: Op, inputs: Sequence[Any], meta: Mapping[str, Any]) -> ResultType:
    """The dtype, which does not depend on lengths nor on what number a float is, and the shapes broadcast."""
    shape = None
    parts: list[Any] = [op.name]
    for x in inputs:
        if isinstance(x, Traced):
            own = x.shape
            parts += (x.dtype, len(own))
            if shape is None or len(own) != len(shape) or own != shape:  # tuples are compared from the left
                shape = own if shape is None else _broadcast(shape, own)
        elif isinstance(x, OpaqueNumber):
            parts.append((x.__class__, "a length"))
        else:
            parts.append(float if x.__class__ is float else (x.__class__, x if x.__class__ is int else repr(x)))
    if meta:
        parts.append(meta_text(plain(dict(meta))))
    key = tuple(parts)
    dtype = _dtypes.get(key)
    if dtype is None:
        if len(_dtypes) >= _MOST:
            _dtypes.clear()
        token = enter(SILENT)
        try:
            dtype = _dtypes[key] = op.impl(*[_one(x) for x in inputs], **meta).dtype
        finally:
            leave(token)
    return dtype, () if shape is None else shape


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    if not has_opaque(a) and not has_opaque(b):
        return np.broadcast_shapes(a, b)
    sizes: list[Any] = []
    for n, m in zip_longest(reversed(a), reversed(b), fillvalue=1):
        if n is not m and n != m and n != 1 and m != 1:
            return np.broadcast_shapes(plain(a), plain(b))  # it says what is wrong
        sizes.append(m if type(n) is int and n == 1 else n)
    return tuple(reversed(sizes))


def _input_key(x: Any) -> Any:
    return (x.dtype, x.shape) if isinstance(x, Traced) else (type(x), repr(x))


# With a mask the trial run could not know how many elements it chooses; they give what the first input is.
_LIKE_FIRST = frozenset({"index_put", "masked_scatter"})


def _has_mask(op: Op, inputs: Sequence[Any]) -> bool:
    """Whether a boolean array chooses elements: how many, only its values say."""
    return op.name in ("index", "index_backward") and any(
        [isinstance(x, Traced) and x.dtype.kind == "b" for x in inputs[1:]]
    )


def _run(op: Op, inputs: Sequence[Any], meta: Mapping[str, Any]) -> tuple[ResultType, ...]:
    masked = any([isinstance(x, Traced) and x.dtype.kind == "b" for x in inputs])
    if op.name in _LIKE_FIRST and masked:
        return ((inputs[0].dtype, inputs[0].shape),)
    if op.name == "lu_solved":  # it takes no zeros for the rows that are exchanged
        return ((inputs[2].dtype, inputs[2].shape),)
    if op.name == "masked_select_backward":
        return ((inputs[0].dtype, meta["shape"]),)
    if not op.view and is_large(inputs) and _may_be_short(meta):
        found = _from_small(op, inputs, meta)
        if found is not None:
            return found
    return _tried(op, inputs, meta)


def _tried(op: Op, inputs: Sequence[Any], meta: Mapping[str, Any]) -> tuple[ResultType, ...]:
    """The types that the operation gives for stand-ins."""
    token = enter(SILENT)
    try:
        results = op.impl(*[stand_in(x, dense=op.view) for x in inputs], **meta)
    finally:
        leave(token)
    several = results if op.outputs != 1 else (results,)
    return tuple([(part.dtype, part.shape) for part in several])


# --- of large arrays: a product of matrices that are only looked at for their shape should not be computed ------------

_LARGE: Final = 4096  # elements up to which the operation itself is as fast
_KEPT: Final = 10  # lengths up to this stay
_LABELS: Final = ("subs", "out")  # metadata that only name axes
# What longer lengths become, in their order. They are prime, so that a product of two is none of them.
_TRIALS: Final = ((11, 13, 17, 19, 23, 29), (31, 37, 41, 43, 47, 53))


def is_large(inputs: Sequence[Any]) -> bool:
    """Whether an operation on these inputs takes a while."""
    return max([x.size for x in inputs if isinstance(x, Traced)], default=0) > _LARGE


def shortened(inputs: Sequence[Any], meta: Mapping[str, Any], trial: int = 0) -> dict[int, int] | None:
    """Short lengths that stand for the long ones of these inputs; None where that would tell nothing."""
    long = sorted({n for x in inputs if isinstance(x, Traced) for n in x.shape if n > _KEPT})
    if len(long) > len(_TRIALS[trial]) or not _may_be_short(meta):
        return None
    return dict(zip(long, _TRIALS[trial], strict=False))


def _may_be_short(meta: Mapping[str, Any]) -> bool:
    return _are_few([x for key, x in meta.items() if key not in _LABELS])


def _are_few(values: Iterable[Any]) -> bool:
    """Whether metadata hold no number that could be a length, or be compared with one."""
    for value in values:
        if isinstance(value, (tuple, list)):
            if not _are_few(value):
                return False
        elif isinstance(value, int):
            if abs(value) > _KEPT:
                return False
        elif value is not None and not isinstance(value, (float, str, np.dtype)):
            return False
    return True


def _from_small(op: Op, inputs: Sequence[Any], meta: Mapping[str, Any]) -> tuple[ResultType, ...] | None:
    """The types as two runs on small arrays tell them; None where these do not agree, or refuse the inputs.

    Long lengths become small ones of the same order. A length of a result must be that of an input in both runs, or the
    same number: what is worked out from lengths (half of one, a sum) comes out differently.
    """
    found = []
    for trial in range(len(_TRIALS)):
        small = shortened(inputs, meta, trial)
        if small is None:
            return None
        back = {short: n for n, short in small.items()}
        given = [
            _Stub(x.dtype, tuple([small.get(n, n) for n in x.shape])) if isinstance(x, Traced) else x for x in inputs
        ]
        try:
            results = _tried(op, given, meta)
        except Exception:  # noqa: BLE001 - what it says must be said of the real lengths
            return None
        found.append(tuple([(dtype, tuple([back.get(n, n) for n in shape])) for dtype, shape in results]))
    return found[0] if found[0] == found[1] else None


# --- of lengths that stand for others too: what comes out must hold for all of them ----------------------------------

_PRIMES: Final = tuple([n for n in range(11, 2000) if all([n % k for k in range(2, 45) if k < n])])
_TRIED_ELSEWHERE: Final = frozenset({"as_strided"})  # its metadata are products of lengths


def _has_lengths(inputs: Sequence[Any], meta: Mapping[str, Any]) -> bool:
    """Whether shapes, numbers or metadata hold some that are not known."""
    return has_opaque([x.shape if isinstance(x, Traced) else x for x in inputs]) or has_opaque(meta.values())


def _known_length(x: Any) -> Any:
    """The same with numbers for lengths."""
    if isinstance(x, Traced):
        return _Stub(x.dtype, plain(x.shape)) if has_opaque(x.shape) else x
    return plain(x)


def _for_all_lengths(op: Op, inputs: Sequence[Any], meta: Mapping[str, Any]) -> tuple[ResultType, ...] | None:
    """The types in terms of the lengths of the inputs, as two runs on arrays of other lengths tell them.

    None where these do not agree, or give a length that is none of the inputs' or of the metadata's.
    """
    if op.name in _TRIED_ELSEWHERE or has_opaque([x for x in inputs if not isinstance(x, Traced)]):
        return None
    shapes = [x.shape for x in inputs if isinstance(x, Traced)]
    lengths = list({id(n): n for n in opaque_in([shapes, *meta.values()])}.values())
    trials = _trials(lengths, _numbers([shapes, *meta.values()]))
    if trials is None:
        return None
    found = []
    for values in trials:
        named: dict[int, Any] = {at(n, values): n for n in lengths}
        given = [_Stub(x.dtype, at(x.shape, values)) if isinstance(x, Traced) else x for x in inputs]
        try:
            results = _tried(op, given, at(dict(meta), values))
        except Exception:  # noqa: BLE001 - what it says must be said of the real lengths
            return None
        found.append([(dtype, [named.get(n, n) for n in shape]) for dtype, shape in results])
    if len(found[0]) != len(found[1]):
        return None  # as many results as an axis is long
    for (_, one), (_, two) in zip(*found, strict=True):
        if len(one) != len(two) or not all([_is_same(n, m) for n, m in zip(one, two, strict=True)]):
            return None
    types: list[ResultType] = [(dtype, tuple(shape)) for dtype, shape in found[0]]
    return tuple(types)


def _is_same(n: Any, m: Any) -> bool:
    return n is m or (type(n) is int and type(m) is int and n == m)


def check(op: Op, operands: Sequence[Any]) -> None:
    """Let an operation say if its inputs do not fit."""
    refuse = op.check
    if refuse is None:
        return
    if _has_lengths(operands, {}):
        shapes = [x.shape for x in operands if isinstance(x, Traced)]
        trials = _trials(list({id(n): n for n in opaque_in(shapes)}.values()), _numbers(shapes))
        try:
            for values in trials or ():
                given = [_Stub(x.dtype, at(x.shape, values)) if isinstance(x, Traced) else x for x in operands]
                refuse(op.name, [stand_in(x) for x in given])
        except Exception:  # noqa: BLE001 - what it says must be said of the real lengths
            trials = None
        if trials is not None:
            return
    refuse(op.name, [stand_in(_known_length(x)) for x in operands])


def _trials(lengths: Sequence[Any], numbers: Iterable[int]) -> Iterable[dict[int, int]] | None:
    """Two choices of lengths that no number of the operation comes near by chance, in the same order as they and these.

    That order is settled for all lengths by comparing them.
    """
    bases = {id(base): base for n in lengths for base in n.origins}
    ordered = sorted(bases.values(), key=lambda base: base.concrete)
    numbers = sorted({n for n in numbers if n > _KEPT})
    for place, n in enumerate(lengths):
        own = set(map(id, n.origins))
        others = [other for other in lengths[:place] if not own.issuperset(map(id, other.origins))]
        if any([n == other for other in (*numbers, *others)]):
            return None
    trials: tuple[dict[int, int], dict[int, int]] = ({}, {})
    lowest = 0
    for base in ordered:
        lowest = max([lowest, *[n for n in numbers if n < base.concrete]])
        primes = [n for n in _PRIMES if n > lowest and n not in numbers][:2]
        highest = min([n for n in numbers if n > base.concrete], default=_PRIMES[-1] + 1)
        if len(primes) < 2 or primes[1] >= highest:
            return None
        for trial, prime in zip(trials, primes, strict=True):
            trial[id(base)] = prime
        lowest = primes[1]
    return trials


def _numbers(values: Iterable[Any]) -> Iterator[int]:
    """The known integers among values, also those in containers."""
    for x in values:
        if type(x) is int:
            yield x
        elif isinstance(x, (tuple, list)):
            yield from _numbers(x)
        elif isinstance(x, dict):
            yield from _numbers(x.values())
        elif isinstance(x, slice):
            yield from _numbers((x.start, x.stop, x.step))


class _Stub(Traced):
    """A dtype and a shape."""

    __slots__ = ()

    def __init__(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self.dtype = dtype
        self.shape = shape


def _one(x: Any) -> Any:
    if isinstance(x, OpaqueNumber):
        return x.concrete
    return np.ones((1,) * x.ndim, x.dtype) if isinstance(x, Traced) else x


def stand_in(x: Any, *, dense: bool = False) -> Any:
    """An array of the type of ``x`` for a trial run; integers are 0, which every index may be.

    A ``dense`` one lies in C order, as the values will; its memory is not touched, so that it takes none. Others have
    strides 0.
    """
    if not isinstance(x, Traced):
        return x
    if dense:
        return np.empty(x.shape, x.dtype)
    shape = x.shape
    if x.dtype.kind in "fc" and len(shape) >= 2 and shape[-1] == shape[-2]:  # something that has an inverse
        return np.broadcast_to(np.eye(shape[-1], dtype=x.dtype), shape)
    return np.broadcast_to(x.dtype.type(0 if x.dtype.kind in "iu" else 0.5), shape)
