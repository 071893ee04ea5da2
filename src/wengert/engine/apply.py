"""Run one operation on tensors: promote, compute, wrap, record.

Every tracked operation goes through :func:`apply` or through the faster paths of :mod:`wengert.engine.pointwise`,
which do the same for elementwise operations on tensors of one float type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert._batched import Batched
from wengert._dtypes import DEFAULTS
from wengert._fpenv import run_guarded
from wengert._promotion import result_type_of
from wengert._source import user_code
from wengert._traced import Traced
from wengert.engine import messages
from wengert.engine.base import LEVELED, TensorBase, accumulator_of, array_of, wrap
from wengert.engine.kernels import evaluated
from wengert.engine.node import UNWATCHED, Node, metadata_of, next_seq, results_read, save_plan
from wengert.engine.opnode import OpNode, batched_class, node_class
from wengert.engine.saved import pack, port_of
from wengert.engine.state import STATE
from wengert.engine.views import adopt_view
from wengert.ops.reads import Read
from wengert.ops.record import EachInput, Kind, Op, Promote
from wengert.spaces.tensors import TENSOR

# Members of an enumeration, named here: to look one up takes Python 50 to 90 ns, a twentieth of an operation.
_VALUES, _METADATA, _NOTHING = Read.VALUES, Read.METADATA, Read.NOTHING
_KEEP, _COMMON = Promote.KEEP, Promote.COMMON
_REAL = np.dtype(np.float64)
_NUMBERS = frozenset({bool, int, float, complex})
_ARRAYS = (np.ndarray, np.generic, Batched, Traced)


def apply(op: Op, *inputs: Any, **meta: Any) -> Any:  # noqa: C901 - each test is one way that operations go
    """The result of ``op`` as a tensor (a tuple of tensors for several results), recorded if an input is tracked.

    Raises:
        TypeError: an input is neither a tensor nor a number.
        RuntimeError: shapes do not fit (as PyTorch says it).
    """
    if STATE.trace is not None:
        return STATE.trace.apply(op, inputs, meta)
    for x in inputs:
        if x.__class__ in LEVELED.classes:
            return LEVELED.apply(op, inputs, meta)
    if op.outputs == 1 and len(inputs) == 1 and isinstance(inputs[0], TensorBase):
        return _apply_to_one(op, inputs[0], meta)
    out = _apply_to_several(op, inputs, meta) if not op.view else NotImplemented
    if out is not NotImplemented:
        return out
    taken = _Taken(op, inputs)
    raws = taken.raws
    if op.check is not None:
        op.check(op.name, raws)
    if taken.dtype is None and raws and op.promote is not _KEEP:  # numbers alone: as 0-d tensors
        dtype = compute_dtype(op, raws)
        raws = [_number(x, dtype) for x in raws]
    y = compute(op, raws if op.promote is _KEEP or taken.of_one_float(op) else promoted(op, raws), meta)
    if op.outputs == 1:
        out = wrap(y)
        if op.view:
            adopt_view(op, meta, inputs[0], out)
        if taken.mask and y.dtype.kind in "fc":
            out._node = _recorded(op, inputs, taken, y, (out,), meta)
            out._rg = True
        return out
    outs = tuple([wrap(part) for part in y])
    if op.view:
        for index, out in enumerate(outs):
            adopt_view(op, meta, inputs[0], out, index)
    if taken.mask:
        _connect_ports(op, _recorded(op, inputs, taken, y, outs, meta), outs)
    return outs


class _Taken:
    """What one look at an operation's inputs tells: raw values, edges, which are tracked, whether they are alike."""

    __slots__ = ("alike", "dtype", "following", "is_complex", "mask", "raws")

    def __init__(self, op: Op, inputs: tuple[Any, ...], *, track: bool | None = None) -> None:
        tracking = STATE.grad_enabled if track is None else track
        rules = None if isinstance(op.vjp, EachInput) else op.vjp
        as_arrays = op.view
        raws: list[Any] = []
        following: list[Node | None] = []
        dtype: Any = None
        mask, alike, is_complex = 0, True, False
        for position, x in enumerate(inputs):
            edge = None
            if isinstance(x, TensorBase):
                raw = array_of(x) if as_arrays else x._data
                own = raw.dtype
                if own is not dtype:
                    alike = alike and dtype is None
                    is_complex = is_complex or own.kind == "c"
                    dtype = own
                if tracking and (rules is None or rules[position] is not None):
                    if x._view is not None:
                        x._view.refresh(x)
                    if x._rg:
                        edge = x._node or accumulator_of(x)
                        mask |= 1 << position
            else:
                raw = _number_given(op, position, x)
                alike = alike and (raw.__class__ is float or raw.__class__ is int)
            raws.append(raw)
            following.append(edge)
        self.raws = raws
        self.following = following
        self.mask = mask  # bit i: input i is tracked and has a rule
        self.alike = alike  # tensors of one dtype and Python numbers that fit it
        self.is_complex = is_complex  # among the tensors
        self.dtype = dtype

    def of_one_float(self, op: Op) -> bool:
        """Whether nothing needs to be cast: one float dtype throughout."""
        return self.alike and self.dtype is not None and self.dtype.kind == "f"


def _number_given(op: Op, position: int, x: Any) -> Any:
    """A number given for a tensor, as a Python number."""
    if isinstance(x, np.generic):  # before the numbers: np.float64 is a float
        return x.item()
    if isinstance(x, (bool, int, float, complex)):
        return x
    raise TypeError(messages.not_a_tensor(op, position, x))


class _Recording:
    """What recording an operation with one result needs, worked out once for each set of tracked inputs."""

    __slots__ = ("classes", "each", "keep_y", "node", "places", "reads")

    def __init__(self, op: Op, mask: int, count: int) -> None:
        self.keep_y, *reads = save_plan(op, mask, count)
        self.reads = tuple(reads)
        self.places = tuple([i for i, read in enumerate(reads) if read is _VALUES])  # the inputs that are kept
        self.node = op.node
        self.classes: dict[str, type[OpNode]] = {}
        self.each = isinstance(op.vjp, EachInput)

    def node_class(self, op: Op, meta: dict[str, Any], is_complex: bool) -> type[OpNode]:
        """As :func:`node_class`, by name alone for the real case."""
        name = self.node if isinstance(self.node, str) else self.node(meta)
        if is_complex:
            return node_class(op, meta, is_complex=True)
        found = self.classes.get(name)
        if found is None:
            found = self.classes[name] = node_class(op, meta, is_complex=False)
        return found


_one_input: dict[Op, _Recording | None] = {}
_several_inputs: dict[tuple[Op, int, int], _Recording] = {}


def _apply_to_one(op: Op, x: TensorBase, meta: dict[str, Any]) -> Any:
    """:func:`apply` for one tensor and one result, which most operations with metadata have, in a third of the time."""
    a = array_of(x) if op.view else x._data
    if op.check is not None:
        op.check(op.name, (a,))
    y = evaluated(op, (a,) if op.promote is _KEEP else promoted(op, [a]), meta)
    out = wrap(y)
    if op.view:
        adopt_view(op, meta, x, out)
    if x._view is not None:
        x._view.refresh(x)
    if not x._rg or not STATE.grad_enabled:
        return out
    try:
        form = _one_input[op]
    except KeyError:
        has_rule = isinstance(op.vjp, EachInput) or op.vjp[0] is not None
        form = _one_input[op] = _Recording(op, 1, 1) if has_rule else None
    dtype = y.dtype
    if form is None or dtype.kind not in "fc":
        return out
    cls = form.node_class(op, meta, dtype.kind == "c" or a.dtype.kind == "c")
    node: Any = cls.first()
    following = x._node or accumulator_of(x)
    keep_a = form.reads[0]
    if cls.keeps_scalars and isinstance(y, np.generic):
        kept_y, kept_a = y, scalar_of(a)
    else:
        kept_y = y if form.keep_y is _VALUES else _described(form.keep_y, y)
        kept_a = a if keep_a is _VALUES else following if keep_a is _METADATA else None
    if keep_a is _VALUES or form.keep_y is _VALUES:
        watched = [out] if form.keep_y is _VALUES else []
        watched += [x] if keep_a is _VALUES else []
        node.links = (cls.form, following, kept_y, kept_a, *_watched(watched))
    else:
        node.links = (cls.form, following, kept_y, kept_a)
    if form.each:
        node.arity = 1
    node.seq = next_seq()
    node.code, node.lasti = user_code(3)
    node.meta = meta or None
    node.state = None
    node.shape, node.dtype, node.scalar = y.shape, dtype, y.__class__
    if STATE.saved_hooks:
        pack(node, (x,))
    out._node = node
    out._rg = True
    return out


def _apply_to_several(op: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Any:  # noqa: C901 - kept flat
    """:func:`apply` for real tensors that need no cast, in half the time.

    NotImplemented for anything else.
    """
    rules: Any = op.vjp
    each = isinstance(rules, EachInput)
    tracking = STATE.grad_enabled
    raws: list[Any] = []
    following: list[Node | None] = []
    dtype: Any = None
    mask = 0
    for position, x in enumerate(inputs):
        if not isinstance(x, TensorBase):
            return NotImplemented
        raw = x._data
        if raw.dtype is not dtype:
            if dtype is not None and op.promote is not _KEEP:
                return NotImplemented
            dtype = raw.dtype
            if dtype.kind != "f" and (dtype.kind == "c" or op.promote is not _KEEP):
                return NotImplemented
        edge = None
        if tracking and (each or rules[position] is not None):
            if x._view is not None:
                x._view.refresh(x)
            if x._rg:
                edge = x._node or accumulator_of(x)
                mask |= 1 << position
        raws.append(raw)
        following.append(edge)
    if op.check is not None:
        op.check(op.name, raws)
    y = compute(op, raws, meta)
    if op.outputs != 1:
        outs = tuple([wrap(part) for part in y])
        if mask:
            _connect_ports(op, _recorded_results(op, inputs, raws, following, mask, y, outs, meta), outs)
        return outs
    out = wrap(y)
    if not mask:
        return out
    dtype = y.dtype
    if dtype.kind != "f":
        if dtype.kind == "c":
            out._node = record(op, inputs, y, (out,), meta, raws)
            out._rg = True
        return out
    key = op, -1 if each else mask, len(raws)
    form = _several_inputs.get(key)
    if form is None:
        form = _several_inputs[key] = _Recording(op, mask, len(raws))
    cls = form.node_class(op, meta, False)
    node: Any = cls.first()
    if cls.keeps_scalars and isinstance(y, np.generic):
        kept = [y, *map(scalar_of, raws)]
    else:
        kept = [y if form.keep_y is _VALUES else _described(form.keep_y, y)]
        for read, raw in zip(form.reads, raws, strict=True):
            kept.append(raw if read is _VALUES else None if read is _NOTHING else metadata_of(raw))
    links = [cls.form, *following, *kept]
    if form.keep_y is _VALUES:
        links += _watched((out,))
    for position in form.places:
        x = inputs[position]
        cell = x._cell
        if not cell:
            if cell is not None:
                raise RuntimeError(messages.INFERENCE_SAVED)
            cell = x._cell = [0]
        links += cell, cell[0]
    node.links = tuple(links)
    if each:
        node.arity = len(raws)
    node.seq = next_seq()
    node.code, node.lasti = user_code(4)
    node.meta = meta or None
    node.state = None
    node.shape, node.dtype, node.scalar = y.shape, dtype, y.__class__
    if STATE.saved_hooks:
        pack(node, inputs)
    out._node = node
    out._rg = True
    return out


def _recorded_results(
    op: Op,
    inputs: tuple[Any, ...],
    raws: list[Any],
    following: list[Node | None],
    mask: int,
    y: tuple[Any, ...],
    outs: tuple[Any, ...],
    meta: dict[str, Any],
) -> OpNode:
    """As :func:`_recorded`, for an operation of real tensors with several results."""
    each = isinstance(op.vjp, EachInput)
    key = op, -1 if each else mask, len(raws)
    form = _several_inputs.get(key)
    if form is None:
        form = _several_inputs[key] = _Recording(op, mask, len(raws))
    cls = form.node_class(op, meta, any([part.dtype.kind == "c" for part in y]))
    node: Any = cls.first()
    read = results_read(op, mask, len(outs)) if form.keep_y is _VALUES else ()
    kept: list[Any] = [tuple([part if k in read else None for k, part in enumerate(y)]) if read else None]
    for how, raw in zip(form.reads, raws, strict=True):
        kept.append(raw if how is _VALUES else None if how is _NOTHING else metadata_of(raw))
    watched = [*[outs[k] for k in read], *[inputs[position] for position in form.places]]
    node.links = (cls.form, *following, *kept, *_watched(watched))
    if each:
        node.arity = len(raws)
    node.seq = next_seq()
    node.code, node.lasti = user_code(5)
    node.meta = meta or None
    node.state = node.scalar = None
    node.shape, node.dtype = tuple([part.shape for part in y]), tuple([part.dtype for part in y])
    if STATE.saved_hooks:
        pack(node, inputs)
    return node  # type: ignore[no-any-return]


def _described(read: Read, y: Any) -> Any:
    return metadata_of(y) if read is _METADATA else None


def scalar_of(raw: Any) -> Any:
    """An input of an elementwise operation with a scalar result, as what nobody can write to."""
    return raw[()] if raw.__class__ is np.ndarray else raw


def raw_inputs(op: Op, inputs: tuple[Any, ...]) -> list[Any]:
    """The raw values of the inputs; views need real arrays, so scalars are given memory there."""
    return _Taken(op, inputs, track=False).raws


def promoted(op: Op, raws: list[Any]) -> list[Any]:
    """The raw inputs in the dtype that ``op`` computes in; Python numbers stay, so NumPy keeps them weak too."""
    dtype = compute_dtype(op, raws)
    kind = dtype.kind
    cast = []
    for x in raws:
        if isinstance(x, _ARRAYS):
            cast.append(x if x.dtype is dtype else x.astype(dtype))
        else:
            cast.append(x if kind in "fc" and not isinstance(x, bool) else _number(x, dtype))
    return cast


def _with_floats(op: Op, raws: list[Any]) -> list[Any]:
    """The raw inputs in the kind of numbers that ``op`` computes with.

    ``-a`` of uint8 is no negative, and the logarithm of -1 is no real number.
    """
    dtype = compute_dtype(op, raws)
    less = {"f": "biu", "c": "biuf"}.get(dtype.kind, "")
    return [x.astype(dtype) if isinstance(x, _ARRAYS) and x.dtype.kind in less else x for x in raws]


def compute_dtype(op: Op, raws: list[Any]) -> np.dtype[Any]:
    """The dtype that the promotion rule of ``op`` gives for these raw inputs."""
    dtype = result_type_of(raws)
    if op.promote is not _COMMON and dtype.kind in "biu":
        return DEFAULTS.float
    return dtype


def _number(value: Any, dtype: np.dtype[Any]) -> Any:
    """A Python number as a NumPy scalar, wrapping around in integers as C does."""
    return np.asarray(value).astype(dtype)[()]


def compute(op: Op, raws: list[Any], meta: dict[str, Any]) -> Any:
    """``op.impl`` on raw values, without NumPy's floating-point warnings."""
    try:
        return evaluated(op, raws, meta)
    except ValueError as error:
        if op.kind is Kind.ELEMENTWISE or (op.kind is not Kind.INDEXING and "broadcast" in str(error)):
            raise messages.broadcast_error(op, raws, error) from None
        raise


def record(
    op: Op,
    inputs: tuple[Any, ...],
    y: Any,
    outs: tuple[Any, ...],
    meta: dict[str, Any],
    raws: Any = None,
    *,
    batched: bool = False,
) -> OpNode:
    """The graph node of an operation on tracked inputs whose result was computed elsewhere (of ``raws``, if given)."""
    taken = _Taken(op, inputs, track=True)
    if raws is not None:
        taken.raws = raws
        taken.is_complex = any([getattr(raw, "dtype", _REAL).kind == "c" for raw in raws])
    return _recorded(op, inputs, taken, y, outs, meta, batched=batched)


def _recorded(
    op: Op,
    inputs: tuple[Any, ...],
    taken: _Taken,
    y: Any,
    outs: tuple[Any, ...],
    meta: dict[str, Any],
    *,
    batched: bool = False,
) -> OpNode:
    """The graph node of one tracked operation, with what its rules read and nothing else."""
    node: Any
    if batched:
        cls = batched_class(op, meta)
        node = cls()
        first = y[0] if y.__class__ is tuple else y
        node.axes = first.axes if first.__class__ is Batched else ()
    else:
        is_complex = taken.is_complex or any([part.dtype.kind == "c" for part in (y if y.__class__ is tuple else (y,))])
        cls = node_class(op, meta, is_complex=is_complex)
        node = cls.first()
    plan = save_plan(op, taken.mask, len(inputs))
    if op.outputs == 1:
        kept, watched = [_keep(plan[0], y)], _watched([outs[0]]) if plan[0] is _VALUES else []
    else:
        results = results_read(op, taken.mask, len(outs)) if plan[0] is _VALUES else ()
        kept = [tuple([part if k in results else None for k, part in enumerate(y)]) if results else None]
        watched = _watched([outs[k] for k in results])
    has_number = False
    raws = taken.raws if op.promote is _KEEP or taken.of_one_float(op) else _with_floats(op, taken.raws)
    for read, raw, t in zip(plan[1:], raws, inputs, strict=True):
        if read is not _VALUES:
            kept.append(_keep(read, raw))
            continue
        kept.append(raw)
        if isinstance(t, TensorBase):
            watched += _watched((t,))
        else:
            has_number = True
    if has_number and not watched:
        watched += UNWATCHED
    if cls.each:
        node.arity = len(inputs)
    if cls.keeps_scalars and isinstance(y, np.generic):
        kept = [y, *map(scalar_of, raws)]
    node.links = (cls.form, *taken.following, *kept, *watched)
    node.seq = next_seq()
    node.code, node.lasti = user_code(4)
    node.meta = meta or None
    node.state = None
    if y.__class__ is tuple:
        node.scalar = None
        node.shape = tuple([part.shape for part in y])
        node.dtype = tuple([part.dtype for part in y])
    else:
        node.shape, node.dtype, node.scalar = y.shape, y.dtype, y.__class__
    if STATE.saved_hooks:
        pack(node, inputs)
    return node  # type: ignore[no-any-return]


def _watched(tensors: Sequence[TensorBase]) -> list[Any]:
    """The version cell of each saved tensor and the version it has now, one after the other."""
    watched: list[Any] = []
    for t in tensors:
        cell = t._cell
        if cell is None:
            cell = t._cell = [0]
        elif not cell:
            raise RuntimeError(messages.INFERENCE_SAVED)
        watched += (cell, cell[0])
    return watched


def _keep(read: Read, value: Any) -> Any:
    if read is _VALUES or value.__class__ in _NUMBERS:  # by class: np.float64 is a float
        return value
    return None if read is _NOTHING else metadata_of(value)


def _connect_ports(op: Op, node: Node, outs: tuple[Any, ...]) -> None:
    for index, out in enumerate(outs):
        raw = out._data
        if (op.outputs == 0 or index in op.differentiable_outputs) and raw.dtype.kind in "fc":
            out._node = port_of(node, index)
            out._rg = True


def apply_batched(op: Op, inputs: tuple[Any, ...], meta: dict[str, Any], evaluate: Callable[..., Any]) -> Any:
    """:func:`apply` for raw values that may be batched, which ``evaluate(op, raws, meta)`` computes with."""
    taken = _Taken(op, inputs)
    raws = taken.raws
    if op.check is not None:
        op.check(op.name, raws)
    if op.promote is not _KEEP and not taken.of_one_float(op):
        raws = promoted(op, raws)
    try:
        y = run_guarded(evaluate, op, raws, meta)
    except ValueError as error:
        if op.kind is Kind.ELEMENTWISE:
            raise messages.broadcast_error(op, raws, error) from None
        raise
    several = op.outputs != 1
    outs = tuple([wrap(part) for part in (y if several else (y,))])
    if op.view:
        for index, out in enumerate(outs):
            adopt_view(op, meta, inputs[0], out, index)
    if taken.mask:
        if several:
            _connect_ports(op, _recorded(op, inputs, taken, y, outs, meta, batched=True), outs)
        elif y.dtype.kind in "fc":
            outs[0]._node = _recorded(op, inputs, taken, y, outs, meta, batched=True)
            outs[0]._rg = True
    return outs if several else outs[0]


def broadcast_failure(op: Op, input: Any, other: Any) -> Any:
    """Run a failed elementwise operation again on the long path, which words the error."""
    return apply(op, input, other)


TENSOR.bind(apply)
