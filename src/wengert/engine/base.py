"""What a tensor is to the engine: its slots, and how it is made, shared and connected to the graph.

The class that users see is put together in :mod:`wengert._tensor`, which binds it here, so that the engine can make
instances of it without importing it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy import float32

from wengert._batched import Batched
from wengert._traced import Traced
from wengert.engine.node import AccumulateGrad, BatchedAccumulateGrad, Node
from wengert.engine.state import STATE, mark_watched


class TensorBase:
    """The slots of a tensor.

    ``_data``: the raw value: an ndarray, or a NumPy scalar for a 0-d value that shares its memory with nobody.
    ``_node``: the graph node whose result it is, or None. ``_rg``: whether it requires grad (a leaf when ``_node`` is
    None). ``_cell``: the version, a list shared by all tensors on the same memory: ``[version]``, and after an in-place
    write ``[version, code, offset]`` of the last writer. None until someone wants to know (see :func:`cell_of`); the
    empty tuple for inference tensors, which have no version.
    ``_view``: None, or how it was made from the base whose memory it shares (:class:`wengert.engine.views.View`).
    ``_past``: what is noted of a cut or of added gradients (:mod:`wengert.engine.past`).
    ``_grad``, ``_accumulator``, ``_hooks`` (a leaf's), ``_retains`` and ``_past`` are unset until used, since setting
    them for each result would cost time: read them with ``getattr``, or after :func:`accumulator_of`.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_accumulator",
        "_cell",
        "_data",
        "_grad",
        "_hooks",
        "_node",
        "_past",
        "_retains",
        "_rg",
        "_view",
    )

    _data: Any
    _node: Node | None
    _rg: bool
    _cell: Any
    _view: Any
    _dual: Any = None  # (level, primal, tangent, version seen) of a dual tensor
    _fresh: Any = None  # of an input that a transform made: the `func._levels.Run` of its function
    _tangents: tuple[Any, ...] = ()  # of the plain tensor behind duals: (level, tangent, the dual, weakly) of each
    _grad: Any
    _accumulator: Callable[[], AccumulateGrad | None] | None
    _hooks: Any
    _retains: bool
    _past: Any


class Leveled:
    """How operations apply to tensors that stand for more than one value: batches, dual numbers. Bound from above."""

    classes: frozenset[type] = frozenset()
    apply: Callable[..., Any]
    inplace: Callable[..., Any]
    gradients: Callable[..., Any]


LEVELED: Final = Leveled()
INFERENCE: Final = ()
_F32: Final = np.dtype(np.float32)
_reference = weakref.ref
_new = object.__new__
_tensor_class: type[TensorBase] = TensorBase
_batched_class: type[TensorBase] = TensorBase


def bind_tensor_class(cls: type[TensorBase], batched: type[TensorBase]) -> None:
    """Say which class results are made of, batched ones too; called once, where these classes are defined."""
    global _tensor_class, _batched_class
    _tensor_class, _batched_class = cls, batched


def tensor_class() -> type[TensorBase]:
    """The class of results."""
    return _tensor_class


def wrap(raw: Any, cls: type[TensorBase] | None = None) -> Any:
    """A new untracked tensor on a raw value (no copy)."""
    t = _new(cls or (_tensor_class if raw.__class__ is not Batched else _batched_class))
    t._data = raw
    t._node = t._view = None
    t._rg = False
    t._cell = None
    if STATE.created is not None:
        STATE.created(t)
    return t


def set_inference(on: bool) -> None:
    """Begin or end inference mode in this thread."""
    STATE.inference = on
    _choose_created()


def set_trace(trace: Any) -> None:
    """Let ``trace`` take every operation of this thread from now on; None ends that."""
    STATE.trace = trace
    _choose_created()


def _choose_created() -> None:
    """One test for each new tensor decides about both modes."""
    STATE.created = STATE.trace.created if STATE.trace is not None else _mark_inference if STATE.inference else None
    mark_watched()


def _mark_inference(t: TensorBase) -> None:
    t._cell = INFERENCE


def wrap_plain(raw: Any) -> Any:
    """As :func:`wrap`, an ordinary tensor even under ``inference_mode``: what a gradient is."""
    t = _new(_tensor_class if raw.__class__ is not Batched else _batched_class)
    t._data = raw
    t._node = t._cell = t._view = None
    t._rg = False
    return t


def array_of(t: TensorBase) -> np.ndarray[Any, Any]:
    """The tensor's values as an ndarray on the tensor's own memory."""
    data = t._data
    if data.__class__ is not np.ndarray and data.__class__ is not Batched and not isinstance(data, Traced):
        data = t._data = np.asarray(data)
    return data  # type: ignore[no-any-return]


def alias(t: TensorBase, *, share_version: bool = True) -> Any:
    """A new untracked tensor on the memory of ``t``, which also shares its version unless told otherwise."""
    new = wrap(array_of(t))
    if share_version:
        new._cell = cell_of(t)
    return new


def cell_of(t: TensorBase) -> Any:
    """The cell that counts the in-place writes to the tensor's memory, made when first asked for."""
    cell = t._cell
    if cell is None:
        cell = t._cell = [0]
    return cell


def is_tracking(t: TensorBase) -> bool:
    """Whether ``t`` requires grad now (a view follows what was written into its base)."""
    if t._view is not None:
        t._view.refresh(t)
    return t._rg


def edge_of(t: TensorBase) -> Node | None:
    """The node that a gradient of ``t`` goes to: its own, a leaf's accumulator, None if it is not tracked."""
    if STATE.trace is not None:
        t = STATE.trace.inner(t)
    if t._view is not None:
        t._view.refresh(t)
    if not t._rg:
        return None
    return t._node or accumulator_of(t)


def scalar_leaf(raw: Any, requires_grad: Any) -> Any:
    """A new leaf on a NumPy scalar: as :func:`wrap`, and its slots set, since finding them unset later takes longer."""
    t = _new(_tensor_class)
    t._data = raw
    t._node = t._view = t._cell = None
    if requires_grad:
        t._rg = True
        t._grad = t._hooks = t._accumulator = None
    else:
        t._rg = False
    if STATE.created is not None:
        STATE.created(t)
    return t


def begin_leaf(leaf: TensorBase) -> None:
    """Make a leaf that requires grad of a tensor that was just made; finding its slots unset later takes longer."""
    leaf._rg = True
    leaf._grad = leaf._hooks = leaf._accumulator = None


def accumulator_of(leaf: TensorBase) -> AccumulateGrad:
    """The leaf's accumulator. The leaf refers to it weakly and it to the leaf strongly, so there is no cycle."""
    try:
        reference = leaf._accumulator
    except AttributeError:
        leaf._grad = getattr(leaf, "_grad", None)
        leaf._hooks = reference = None
    if reference is not None:
        known = reference()
        if known is not None:
            return known
    raw = leaf._data
    kind = raw.__class__
    if kind is float32:
        node = AccumulateGrad()
        node.shape = ()
        node.dtype = _F32
    else:
        if kind is Batched:
            node = BatchedAccumulateGrad()
            node.axes = raw.axes
        else:
            node = AccumulateGrad()
        node.shape = raw.shape
        node.dtype = raw.dtype
    node.variable = leaf
    node.scalar = kind
    node.state = leaf._hooks
    leaf._accumulator = _reference(node)
    return node


def zeros_like(x: Any) -> Any:
    """Zeros in the shape and dtype of ``x``, untracked; the same for all members of a batch."""
    raw = x._data
    return wrap(np.zeros(raw.shape, raw.dtype))


def is_leveled(*values: Any) -> bool:
    """Whether any of them is a tensor that stands for more than one value."""
    return any([x.__class__ in LEVELED.classes for x in values])


def version_of(t: TensorBase) -> int:
    """The number of in-place writes to the tensor's memory so far."""
    if t._cell is INFERENCE:
        raise RuntimeError(
            "Inference tensors do not track version counter: this tensor was made under inference_mode(). "
            "Make a normal tensor of it with clone() outside inference_mode()."
        )
    return t._cell[0] if t._cell else 0
