"""Loops in IR: step by step, unrolled, as lanes, in rounds, with accumulators and values carried along."""

from __future__ import annotations

from dataclasses import dataclass

from wengert.compile.llvm import accumulate, memory
from wengert.compile.llvm.accumulate import Best
from wengert.compile.llvm.frame import Frame, Lanes
from wengert.compile.llvm.ir import Val
from wengert.compile.llvm.places import Place
from wengert.compile.llvm.products import emit_product
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.llvm.rounds import Rounds, dtype_of
from wengert.compile.llvm.rows_together import ROWS
from wengert.compile.llvm.scalars import cast, emit
from wengert.compile.nest import Acc, Compute, If, Iota, Load, Loop, MatMul, Statement, Store


def emit_body(frame: Frame, body: tuple[Statement, ...]) -> None:
    """Emit statements in order."""
    for statement in body:
        match statement:
            case Compute():
                compute(frame, statement)
            case Load():
                memory.load(frame, statement)
            case Store():
                memory.store(frame, statement)
            case Loop():
                emit_loop(frame, statement)
            case Iota():
                iota(frame, statement)
            case If():
                emit_if(frame, statement)
            case MatMul():
                emit_product(frame, statement)


def compute(frame: Frame, statement: Compute) -> None:
    """Emit one elementwise operation, on scalars if nothing in it differs between lanes."""
    named = [frame.values[arg] for arg in statement.args if isinstance(arg, str)]
    ir, op = frame.ir, statement.op
    if op == "where":
        condition, *choices = statement.args
        values = [frame.value(condition, "b1"), *[frame.value(arg, statement.dtype) for arg in choices]]
        lanes = max([v.lanes for v in values])
        mask, a, b = [v.splat(lanes) for v in values]
        frame.values[statement.name] = mask.where(a, b), statement.dtype
        return
    dtype = next((kind for _, kind in named), statement.dtype)
    args = [frame.value(arg, dtype) for arg in statement.args]
    lanes = max([arg.lanes for arg in args])
    args = [arg.splat(lanes) for arg in args]
    if op == "cast":
        result = cast(args[0], dtype, statement.dtype)
    else:
        result = emit(ir, op, dtype, tuple(args), dict(statement.meta))
    frame.values[statement.name] = result, statement.dtype


def iota(frame: Frame, statement: Iota) -> None:
    """The value of an index."""
    place = Place(statement.index.offset, statement.index.terms, ())
    value = frame.linear(place)
    lanes = frame.lanes
    if lanes is not None and place.along(lanes.axis) != 0:
        step = frame.size(place.along(lanes.axis)).splat(lanes.count)
        value = value.splat(lanes.count) + memory.lane_numbers(frame) * step
    frame.values[statement.name] = value, "i8"


def emit_loop(frame: Frame, loop: Loop) -> None:
    """Emit a loop as the plan has it."""
    if id(loop) in frame.plan.unrolled:
        _unroll(frame, loop)
        return
    lanes = frame.plan.lanes.get(id(loop), 0)
    if loop.extent == lanes and lanes and loop.part is None:
        _whole(frame, loop, lanes)
        return
    low, high = frame.size(0), frame.size(loop.extent)
    if loop.part is not None:
        low, high = _part(frame, *loop.part, high)
    run_loop(frame, loop, low, high)


def _part(frame: Frame, axis: str, size: int, end: Val) -> tuple[Val, Val]:
    """The iterations of one part, or as many of them as are to be run now."""
    if axis in frame.ranges:
        return frame.ranges[axis]
    low = frame.axes[axis] * size
    high = low + size
    return low, (high < end).where(high, end)


# --- without a loop --------------------------------------------------------------------------------------------------


def _unroll(frame: Frame, loop: Loop) -> None:
    states = [_Sum("") for _ in loop.accs]
    carried = {c.name: (frame.value(c.init, c.dtype), c.dtype) for c in loop.carries}
    assert isinstance(loop.extent, int)
    for i in range(loop.extent):
        with frame.scope():
            frame.values.update(carried)
            frame.axes[loop.axis] = frame.size(i)
            emit_body(frame, loop.body)
            states = [_step(frame, acc, state, frame.size(i)) for acc, state in zip(loop.accs, states, strict=True)]
            carried = {c.name: (frame.value(c.next, c.dtype), c.dtype) for c in loop.carries}
    for acc, state in zip(loop.accs, states, strict=True):
        _name_result(frame, acc, state)
    for c in loop.carries:
        frame.values[c.final] = carried[c.name]


@dataclass(slots=True)
class _Sum:
    """A running accumulator outside of a loop in IR: nothing yet, or a value, or for a place the best."""

    dtype: str
    total: Val | None = None
    best: Best | None = None


def _step(frame: Frame, acc: Acc, state: _Sum, place: Val) -> _Sum:
    value, dtype = frame.values[acc.value]
    if acc.op.startswith("arg"):
        place = place.splat(value.lanes)
        best = Best(value, place) if state.best is None else _better(frame, acc, state.best, value, place)
        return _Sum(dtype, best=best)
    if state.total is None:
        return _Sum(dtype, value)
    lanes = max(value.lanes, state.total.lanes)
    both = accumulate.combine(frame.ir, acc.op, dtype, state.total.splat(lanes), value.splat(lanes))
    return _Sum(dtype, both)


def _better(frame: Frame, acc: Acc, best: Best, value: Val, place: Val) -> Best:
    lanes = max(value.lanes, best.value.lanes)
    old = Best(best.value.splat(lanes), best.place.splat(lanes))
    return accumulate.better(acc.op, old, value.splat(lanes), place.splat(lanes))


def _name_result(frame: Frame, acc: Acc, state: _Sum) -> None:
    if state.best is not None:
        frame.values[acc.name] = state.best.place, "i8"
    elif state.total is not None:
        frame.values[acc.name] = accumulate.started(frame.ir, acc.op, state.dtype, state.total), state.dtype
    else:
        dtype = dtype_of(frame, acc)
        frame.values[acc.name] = frame.ir.const(ELEMENTS[dtype], 0, accumulate.identity(acc.op, dtype)), dtype


def _whole(frame: Frame, loop: Loop, lanes: int) -> None:
    """A short loop of known length: its iterations are the lanes of one vector."""
    frame.axes[loop.axis] = frame.size(0)
    frame.lanes = Lanes(loop.axis, lanes, frame.size(0))
    with frame.scope():
        emit_body(frame, loop.body)
        found = [frame.spread(frame.values[acc.value][0]) for acc in loop.accs]
        dtypes = [frame.values[acc.value][1] for acc in loop.accs]
    frame.lanes = None
    for acc, value, dtype in zip(loop.accs, found, dtypes, strict=True):
        result = accumulate.across(frame.ir, acc.op, dtype, value)
        frame.values[acc.name] = accumulate.started(frame.ir, acc.op, dtype, result), dtype


# --- loops in IR -----------------------------------------------------------------------------------------------------


def run_loop(frame: Frame, loop: Loop, low: Val, high: Val) -> list[Val]:
    """Emit a loop from ``low`` up to ``high``; returns the accumulators' results unrounded."""
    if loop.carries or any([acc.op.startswith("arg") for acc in loop.accs]):
        _sequence(frame, loop, low, high)
        return []
    width, panel = frame.plan.lanes.get(id(loop), 0), frame.plan.panels.get(id(loop), 0)

    def body() -> None:
        emit_body(frame, loop.body)

    if (several := frame.plan.together.get(id(loop))) is not None:  # some rounds at a time, then what is left
        middle = low + ((high - low) & -ROWS)
        Rounds(frame, loop, low, middle, 0, lambda: emit_body(frame, several), step=ROWS).run()
        low = middle
    if panel:  # as many wide panels as fit, then the rest
        span = high - low
        middle = low + (span - frame.ir.line("i64", 0, f"srem i64 {span.text}, {panel}"))
        Rounds(frame, loop, low, middle, panel, body).run()
        low = middle
    return Rounds(frame, loop, low, high, width, body).run()


# --- loops with an order ---------------------------------------------------------------------------------------------


def _sequence(frame: Frame, loop: Loop, low: Val, high: Val) -> None:
    """A loop whose iterations hand values on."""
    ir = frame.ir
    lanes = frame.lanes.count if frame.lanes else 0
    first: list[Val] = [frame.value(c.init, c.dtype).splat(lanes) for c in loop.carries]
    for acc in loop.accs:
        dtype = dtype_of(frame, acc)
        first.append(ir.const(ELEMENTS[dtype], lanes, accumulate.identity(acc.op, dtype)))
        if acc.op.startswith("arg"):
            first.append(ir.const("i64", lanes, 0))
    before, top, done = ir.block, ir.label(), ir.label()
    ir.branch(low < high, top, done)
    ir.start(top)
    i, i_in = ir.phi("i64", 0)
    i_in.append((low, before))
    phis = [ir.phi(x.elem, x.lanes) for x in first]
    for (_, incoming), x in zip(phis, first, strict=True):
        incoming.append((x, before))
    frame.axes[loop.axis] = i
    with frame.scope():
        for c, (value, _) in zip(loop.carries, phis, strict=False):
            frame.values[c.name] = value, c.dtype
        emit_body(frame, loop.body)
        following = [frame.value(c.next, c.dtype).splat(lanes) for c in loop.carries]
        following += _stepped(frame, loop, [value for value, _ in phis[len(loop.carries) :]], i, lanes)
    after = i + 1
    i_in.append((after, ir.block))
    for (_, incoming), x in zip(phis, following, strict=True):
        incoming.append((x, ir.block))
    last = ir.block
    ir.branch(after < high, top, done)
    ir.start(done)
    results = []
    for x, start in zip(following, first, strict=True):
        merged, incoming = ir.phi(x.elem, x.lanes)
        incoming += [(start, before), (x, last)]
        results.append(merged)
    _name_sequence(frame, loop, results)


def _stepped(frame: Frame, loop: Loop, states: list[Val], i: Val, lanes: int) -> list[Val]:
    """The accumulators after one more iteration."""
    result: list[Val] = []
    rest = iter(states)
    for acc in loop.accs:
        value, dtype = frame.values[acc.value]
        value = value.splat(lanes)
        state = next(rest)
        if acc.op.startswith("arg"):
            best = accumulate.better(acc.op, Best(state, next(rest)), value, i.splat(lanes))
            result += [best.value, best.place]
        else:
            result.append(accumulate.combine(frame.ir, acc.op, dtype, state, value))
    return result


def _name_sequence(frame: Frame, loop: Loop, results: list[Val]) -> None:
    rest = iter(results)
    for c in loop.carries:
        frame.values[c.final] = next(rest), c.dtype
    for acc in loop.accs:
        value = next(rest)
        if acc.op.startswith("arg"):
            frame.values[acc.name] = next(rest), "i8"
        else:
            frame.values[acc.name] = value, dtype_of(frame, acc)


def emit_if(frame: Frame, statement: If) -> None:
    """Emit a branch."""
    ir = frame.ir
    then, other, done = ir.label(), ir.label(), ir.label()
    ir.branch(frame.values[statement.condition][0], then, other)
    ends: list[tuple[list[Val], str]] = []
    for label, body, which in ((then, statement.then, "then"), (other, statement.other, "other")):
        ir.start(label)
        with frame.scope():
            emit_body(frame, body)
            values = [frame.value(getattr(phi, which), phi.dtype) for phi in statement.phis]
        ends.append((values, ir.block))
        ir.jump(done)
    ir.start(done)
    for k, phi in enumerate(statement.phis):
        result, incoming = ir.phi(ELEMENTS[phi.dtype], 0)
        incoming += [(values[k], block) for values, block in ends]
        frame.values[phi.name] = result, phi.dtype
