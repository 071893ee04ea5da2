"""Tracing: while a trace is set in the thread's state, every operation on tensors becomes an equation of a program.

Tensors in a trace are ordinary tensors, with nodes of the ordinary graph; only their raw value is a :class:`Storage`,
which stands for memory and knows the program's value that it holds at the moment. So hooks, views, custom functions,
grad modes and the backward sweep are those of the engine, and what the sweep computes becomes equations too. A write in
place gives the storage a new value; a view asks its base for its value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from wengert._batched import Batched
from wengert._opaque import plain
from wengert._source import user_code
from wengert._traced import Traced, TraceError
from wengert.compile import messages, reading
from wengert.compile.branches import traced_cond, traced_while
from wengert.compile.captures import Boundary, Capture, GradSlot
from wengert.compile.layouts import Layouts
from wengert.compile.lengths import Lengths
from wengert.compile.loops import NoLoopError, is_open, traced_fori, traced_scan
from wengert.compile.number_operands import tensor_of, with_tensors
from wengert.compile.numbers import Numbers, TracedNumber
from wengert.compile.plain import apply_plain, are_promoted, is_recorded
from wengert.compile.settings import Settings
from wengert.compile.sources import HostInputs, Source
from wengert.compile.storage import Storage
from wengert.engine import messages as engine_messages
from wengert.engine.apply import compute_dtype, record
from wengert.engine.base import (
    INFERENCE,
    LEVELED,
    TensorBase,
    cell_of,
    edge_of,
    is_leveled,
    is_tracking,
    set_trace,
    wrap,
)
from wengert.engine.inplace import move_on
from wengert.engine.inplace_messages import inplace_shape
from wengert.engine.leveled import innermost
from wengert.engine.out import check_castable, check_writable, mark_written
from wengert.engine.saved import as_tensor, port_of
from wengert.engine.state import STATE
from wengert.engine.views import View, origin_of
from wengert.ops.record import TABLE, EachInput, Kind, Op, Promote
from wengert.program.infer import ValueDependentError, check, result_types, stand_in
from wengert.program.program import Equation, Program
from wengert.program.values import Operand, Value

# Operations by the ufunc that does the same (for real numbers at least).
_UFUNCS: Final = {op.ufunc: op for op in TABLE.ops.values() if op.ufunc is not None} | {np.sign: TABLE["sign"]}
_ELEMENTWISE: Final = Kind.ELEMENTWISE  # to look a member of an enumeration up takes as long as a call


class Trace:
    """A program under construction."""

    def __init__(self, lengths: Lengths | None = None, numbers: Numbers | None = None) -> None:
        self.lengths = lengths  # of the arguments, where they may be others at the next call
        self.numbers = numbers  # those among the arguments that may be others at the next call
        self.arguments: list[Value] = []
        self.captures: list[Capture] = []
        self.constants: dict[Value, np.ndarray[Any, Any]] = {}
        self.equations: list[Equation] = []
        self._captured: dict[int, Capture] = {}
        self._held: list[Any] = []  # whatever an id above stands for
        self._made_by: dict[Value, Equation | None] = {}
        self.layouts = Layouts(self._made_by)
        self._is_writing = False
        self._made: dict[int, Any] = {}
        self.grads: dict[int, GradSlot] = {}
        self.hosts: list[HostInputs] = []
        self.settings = Settings()  # of the modules that run
        self.scope: Any = None  # the loop whose step is being traced
        self.bodies: list[list[Equation]] = []  # the equations of loops' steps
        self.unrolled: list[str] = []  # why loops became no loops of the program
        self._made_in: dict[int, Any] = {}
        self._is_settled = False  # lengths that were not known are numbers by now

    # --- values ----------------------------------------------------------------------------------------------------

    def argument(self, like: Any) -> Any:
        """A new untracked tensor that stands for an argument of the dtype and shape of ``like``."""
        value = self.new(like.dtype, like.shape if self.lengths is None else self.lengths.shape(like.shape))
        self.layouts.give(value, like)
        self.arguments.append(value)
        return wrap(Storage(self, value))

    def new(self, dtype: Any, shape: tuple[int, ...]) -> Value:
        """A new value of this program."""
        value = Value(dtype, shape)
        self._made_by[value] = None
        return value

    @property
    def values(self) -> Iterable[Value]:
        """All values of this program."""
        return self._made_by.keys()

    def owns(self, value: Value) -> bool:
        """Whether it is a value of this program."""
        return value in self._made_by

    def value_of(self, t: TensorBase) -> Value:
        """The value that a tensor has now; tensors from outside become inputs of the program."""
        data = t._data
        if isinstance(data, Storage):
            if data.trace is not self or not is_open(data.scope, self.scope):
                raise TraceError(messages.leaked(data))
            return data.current()
        if isinstance(data, Value):
            if not self.owns(data):
                raise TraceError(messages.leaked(data))
            return data
        return self.capture(t).storage.current()

    def capture(self, t: TensorBase) -> Capture:
        """What stands for a tensor from outside; tensors on the same array are one."""
        data = reading.raw_of(t)
        if isinstance(data, Batched):
            raise TraceError(messages.untraceable("a tensor"))
        key = id(data if data.__class__ is np.ndarray else t)
        found = self._captured.get(key)
        if found is None:
            value = self.new(data.dtype, data.shape)
            self.layouts.give(value, data)
            found = self._captured[key] = Capture(t, Storage(self, value), value, self._owner_of(t))
            found.storage.scope = self._made_in.get(id(t))
            if is_tracking(t) and t._node is not None:
                found.proxy = wrap(found.storage)
                found.proxy._node, found.proxy._rg = Boundary((), data.shape, data.dtype), True
            self._held.append(data)
            if id(t) in self._made and getattr(data, "base", None) is None:
                self.constants[value] = np.array(data).view()  # has a base: as an output it is copied
            else:
                self.captures.append(found)
        return found

    def begin(self, t: TensorBase, like: TensorBase) -> None:
        """Let a tensor from outside begin with the values of another one."""
        self.capture(t).storage = Storage(self, self.value_of(like))

    def is_untouched(self, capture: Capture) -> bool:
        """Whether it is a tensor from outside that the function has not written to."""
        return capture.storage.current() is capture.value and capture.value not in self.constants

    def raw_value(self, t: Any) -> Any:
        """What stands for the raw value of a tensor while this trace is set."""
        data = reading.raw_of(t)
        if data.__class__ is not np.ndarray and not isinstance(data, np.generic):
            return data
        return data if id(t) in self._made else self.capture(t).storage

    def check_replaced(self, t: Any, data: Any) -> None:
        """Raise where a tensor from outside, whose raw value is ``data``, would get other memory or another shape."""
        if (data.__class__ is np.ndarray or isinstance(data, np.generic)) and id(t) not in self._made:
            raise TraceError(messages.replaced(data.shape))

    def _owner_of(self, t: TensorBase) -> TensorBase | None:
        return next((slot.tensor for slot in self.grads.values() if slot.value is t), None)

    def inner(self, t: Any) -> Any:
        """The tensor that stands for ``t`` in the graph of this trace: ``t`` itself unless it is a result outside."""
        if not t._rg or isinstance(reading.raw_of(t), (Traced, Batched)):
            return t
        return self.capture(t).inside()

    def inside(self, x: Any) -> Any:
        """As :meth:`inner`, with a value of this trace as its raw value: batching rules compute with that."""
        if not isinstance(x, TensorBase) or is_leveled(x) or isinstance(reading.raw_of(x), (Traced, Batched)):
            return x
        capture = self.capture(x)
        return as_tensor(capture.storage, edge_of(capture.inside()))

    def emit_raw(self, op: Any, xs: Sequence[Any], meta: dict[str, Any]) -> Any:
        """An equation for what a batching rule does with raw values."""
        found = op if isinstance(op, Op) else TABLE[op] if isinstance(op, str) else _UFUNCS.get(op)
        if found is None:
            raise TraceError(messages.untraceable(op))
        operands = [x.current() if isinstance(x, Storage) else x for x in xs]
        # What comes from outside is read as a value of the program; arrays are what a rule or the function made.
        operands = [self.constant(x.copy()) if isinstance(x, np.ndarray) else x for x in operands]
        return self.emit(found, operands, meta)

    def reads_grad(self, t: TensorBase) -> None:
        """The function is about to read ``t.grad``."""
        self.check_scope(None)
        if id(t) not in self.grads:
            self.grads[id(t)] = GradSlot(t, is_read=True)

    def sets_grad(self, t: TensorBase) -> None:
        """The function is about to set ``t.grad``."""
        self.check_scope(None)
        if id(t) not in self.grads:
            self.grads[id(t)] = GradSlot(t, is_read=False)

    def constant(self, array: Any) -> Value:
        """A value known now."""
        array = np.asarray(array).view()  # has a base: as an output it is copied
        value = self.new(array.dtype, array.shape)
        self.constants[value] = array
        return value

    def read_each_call(self, source: Source) -> list[Storage]:
        """What stands for values that Python gets from ``source`` before each run of the program."""
        if self.scope is not None:
            raise NoLoopError("it draws random numbers, or reads what changes from call to call")
        before_write, STATE.before_write = STATE.before_write, None
        set_trace(None)  # a source computes with what is there, as it will before each run
        try:
            key, types = source.key(), source.types()
        finally:
            set_trace(self)
            STATE.before_write = before_write
        values = tuple([self.new(*each) for each in types])
        self.hosts.append(HostInputs(source, values, key))
        return [Storage(self, value) for value in values]

    # --- equations -------------------------------------------------------------------------------------------------

    def emit(self, op: Op, operands: Sequence[Any], meta: dict[str, Any]) -> Any:
        """A new equation; its result, or the tuple of its results."""
        inputs: tuple[Operand, ...] = tuple([self.constant(x) if isinstance(x, np.generic) else x for x in operands])
        if self._is_settled:
            inputs, meta = plain(inputs), plain(meta)
        try:
            types = result_types(op, inputs, meta)
        except ValueDependentError:
            known = [self.constants.get(x, x) if isinstance(x, Value) else x for x in inputs]
            if not any([isinstance(x, Value) for x in known]):
                y = op.impl(*known, **meta)
                return tuple(map(self.constant, y)) if isinstance(y, tuple) else self.constant(y)
            raise TraceError(messages.value_dependent(op)) from None
        except ValueError as error:
            if op.kind is Kind.ELEMENTWISE:
                raise engine_messages.broadcast_error(op, [stand_in(x) for x in inputs], error) from None
            raise
        results = tuple([self.new(*each) for each in types])
        self.add(Equation(op, inputs, meta, results, user_code(2)))
        return results[0] if op.outputs == 1 else results

    def add(self, equation: Equation) -> None:
        """Put an equation behind the others."""
        self.equations.append(equation)
        for value in equation.results:
            self._made_by[value] = equation

    def take_step(self, value: Value, step: Any) -> Value:
        """One movement step from a base to a view."""
        name, meta, index = step
        y = self.emit(TABLE[name], (value,), meta)
        return y[index] if isinstance(y, tuple) else y  # type: ignore[no-any-return]

    def _operands(self, op: Op, inputs: Sequence[Any]) -> list[Any]:
        """The values and numbers that an operation computes with, promoted."""
        operands = [self._operand(op, position, x) for position, x in enumerate(inputs)]
        check(op, operands)
        if op.promote is Promote.KEEP or not operands or are_promoted(operands):
            return operands
        dtype = compute_dtype(op, operands)
        numbers_alone = not any([isinstance(x, Value) for x in operands])
        return [self._promoted(x, dtype, weak=not numbers_alone) for x in operands]

    def _operand(self, op: Op, position: int, x: Any) -> Any:
        if isinstance(x, TensorBase):
            return self.value_of(x)
        if isinstance(x, np.generic):
            return x.item()
        if isinstance(x, (bool, int, float, complex)):
            return x
        raise TypeError(engine_messages.not_a_tensor(op, position, x))

    def _promoted(self, x: Any, dtype: np.dtype[Any], *, weak: bool) -> Any:
        if isinstance(x, Value):
            return x if x.dtype is dtype else self.emit(TABLE["cast"], (x,), {"dtype": dtype})
        if weak and dtype.kind in "fc":  # rules look at numbers, not at tensors of them
            return float(x) if isinstance(x, bool) else x
        return np.asarray(x).astype(dtype)[()]

    # --- what the engine calls -------------------------------------------------------------------------------------

    def apply(self, op: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Any:
        """:func:`wengert.engine.apply.apply` while this trace is set."""
        if self.numbers is not None:
            op, inputs, meta = with_tensors(self, op, inputs, meta)
        if op.kind is _ELEMENTWISE and op.outputs == 1 and op.check is None and not op.view:
            out = apply_plain(self, op, inputs, meta)
            if out is not None:
                return out
        if is_leveled(*inputs):
            for x in inputs:
                self._keep_batch(x)
            return LEVELED.apply(op, tuple([self.inside(x) for x in inputs]), meta)
        inputs = tuple([self.inner(x) if isinstance(x, TensorBase) else x for x in inputs])
        operands = self._operands(op, inputs)
        y = self.emit(op, operands, meta)
        values = y if op.outputs != 1 else (y,)
        outs = [self._result(op, inputs, meta, index, value) for index, value in enumerate(values)]
        carriers = [
            (index, out)
            for index, out in enumerate(outs)
            if out._data.dtype.kind in "fc" and (op.outputs < 2 or index in op.differentiable_outputs)
        ]
        if carriers and STATE.grad_enabled and is_recorded(op, inputs):
            node = record(op, inputs, y, tuple(outs), meta, operands)
            for index, out in carriers:
                out._node, out._rg = node if op.outputs == 1 else port_of(node, index), True
                if self.scope is not None:
                    self.scope.note(out._node, values[index])
        return outs[0] if op.outputs == 1 else tuple(outs)

    def _keep_batch(self, t: Any) -> None:
        """Let a batch whose values are known now be memory of the program, which may be written."""
        if not isinstance(t, TensorBase) or (is_leveled(t) and innermost((t,)) is not None):
            return
        data = reading.raw_of(t)
        if data.__class__ is Batched and data.array.__class__ is np.ndarray and data.array.base is None:
            t._data = Batched(Storage(self, self.constant(data.array)), data.axes)

    def _result(self, op: Op, inputs: tuple[Any, ...], meta: dict[str, Any], index: int, value: Value) -> Any:
        if not op.view:
            return wrap(Storage(self, value))
        source = inputs[0]
        step = (op.name, meta, index)
        data = source._data
        base = data if isinstance(data, Storage) else None if isinstance(data, Value) else self.capture(source).storage
        out = wrap(Storage(self, value, base, step))
        cell = out._cell = cell_of(source)
        parent = source._view
        start, steps = (source, (step,)) if parent is None else (parent.base, (*parent.steps, step))
        out._view = View(start, steps, cell[0] if cell else 0, origin_of(parent, several=op.outputs != 1))
        return out

    def inplace(self, op: Op, t: Any, others: tuple[Any, ...], meta: dict[str, Any]) -> Any:
        """:func:`wengert.engine.inplace.inplace` while this trace is set."""
        if self.numbers is not None:
            op, (_, *rest), meta = with_tensors(self, op, (t, *others), meta)
            others = tuple(rest)
        others = tuple([self.inner(x) if isinstance(x, TensorBase) else x for x in others])
        inputs = (t, *others)
        differentiable = isinstance(op.vjp, EachInput) or op.differentiable
        touched = STATE.grad_enabled and any([isinstance(x, TensorBase) and is_tracking(x) for x in inputs])
        self._is_writing = True
        try:
            check_writable(t, touched)
        finally:
            self._is_writing = False
        operands = self._operands(op, inputs)
        dtype = t._data.dtype
        if op.promote is not Promote.KEEP:
            check_castable(compute_dtype(op, operands), dtype)
        y = self.emit(op, operands, meta)
        if y.shape != t._data.shape:
            raise RuntimeError(inplace_shape(op, t, y))
        if y.dtype is not dtype:
            y = self.emit(TABLE["cast"], (y,), {"dtype": dtype})
        node = None
        if touched and differentiable and dtype.kind in "fc":
            before, edge = wrap(operands[0]), edge_of(t)
            before._node, before._rg = edge, edge is not None
            node = record(op, (before, *others), y, (wrap(y),), meta, operands)
        self.storage_of(t).write(y)
        mark_written(t)
        if node is not None:
            move_on(t, node)
        return t

    def check_write(self, t: Any) -> None:
        """Refuse a write that would go past the trace, into a tensor's memory at the time of tracing."""
        self._keep_batch(t)
        data = t._data
        is_batch = data.__class__ is Batched and isinstance(data.array, Storage)
        if not self._is_writing and not is_batch:
            raise TraceError(messages.written_past(t))

    def memory(self, value: Value) -> Storage:
        """New memory that holds a value."""
        return Storage(self, value)

    def overwrite(self, t: Any, value: Value) -> None:
        """Write to a tensor's memory what is not part of the graph: the tensor stays the leaf that it is."""
        self.storage_of(t).write(value)
        mark_written(t)

    def deliver(self, t: Any, result: Any) -> None:
        """:func:`wengert.engine.out.deliver` while this trace is set: the values of a result, in the tensor's dtype."""
        self._is_writing = True
        try:
            check_writable(t, tracked=False)
        finally:
            self._is_writing = False
        value, dtype = self.value_of(result), t._data.dtype
        self.overwrite(t, value if value.dtype is dtype else self.emit(TABLE["cast"], (value,), {"dtype": dtype}))

    def storage_of(self, t: Any) -> Storage:
        """The memory of a tensor that is to be written."""
        if isinstance(t._data, Value):
            self.check_scope(None)
            t._data = Storage(self, t._data)
        data = t._data
        return data if isinstance(data, Storage) else self.capture(t).storage

    # --- the end ---------------------------------------------------------------------------------------------------

    def program(self, outputs: Sequence[Operand]) -> Program:
        """The program from the arguments, the captured tensors, and what Python computes before each run."""
        captured = [capture.value for capture in self.captures]
        numbers = () if self.numbers is None else self.numbers.inputs
        inputs = (*self.arguments, *captured, *[value for host in self.hosts for value in host.values], *numbers)
        return Program(inputs, tuple(self.equations), tuple(outputs), self.constants)

    def number(self, x: Any, dtype: Any) -> Any:
        """A tensor without dimensions of a number, in this dtype."""
        return tensor_of(self, x, dtype) if type(x) is TracedNumber else wrap(np.asarray(x).astype(dtype)[()])

    def created(self, t: Any) -> None:
        """Remember a tensor that was made while tracing: nobody outside can hold it."""
        if STATE.inference:
            t._cell = INFERENCE
        self._made[id(t)] = t
        if self.scope is not None:
            self._made_in[id(t)] = self.scope

    # --- loops -----------------------------------------------------------------------------------------------------

    def settle_lengths(self) -> None:
        """Let all lengths be numbers from now on: programs within equations are not made for others."""
        if self.lengths is not None:
            self.lengths.settle()
            for value in self._made_by:
                value.shape = plain(value.shape)
            before, self.equations[:] = self.equations[:], []
            for each in before:
                self.add(replace(each, inputs=plain(each.inputs), meta=plain(each.meta)))
            self.lengths, self._is_settled = None, True

    def scan(self, body: Any) -> Any:
        """:func:`wengert.func.scan` while this trace is set."""
        self.settle_lengths()
        return traced_scan(self, body)

    def fori(self, lower: int, upper: int, body_fn: Any, init: Any) -> Any:
        """:func:`wengert.func.fori_loop` while this trace is set; None where its steps must run one by one."""
        self.settle_lengths()
        return traced_fori(self, lower, upper, body_fn, init)

    def while_loop(self, cond_fn: Any, body_fn: Any, carried: Sequence[Any]) -> Any:
        """:func:`wengert.func.while_loop` while this trace is set, for a condition that is a value of the program."""
        self.settle_lengths()
        return traced_while(self, cond_fn, body_fn, carried)

    def cond(self, pred: Any, branches: Sequence[Any]) -> Any:
        """:func:`wengert.func.cond` while this trace is set, for a condition that is a value of the program."""
        self.settle_lengths()
        return traced_cond(self, pred, branches)

    def check_scope(self, storage: Storage | None) -> None:
        """Refuse that the step of a loop writes what was there before it."""
        if self.scope is not None and (storage is None or storage.scope is not self.scope):
            raise NoLoopError("its step writes into a tensor from outside")
