"""Loads and stores: scalars, neighbours as one vector, gathers, padding, and local buffers in registers."""

from __future__ import annotations

from wengert.compile.llvm.frame import Frame, memory_elem
from wengert.compile.llvm.ir import Val, type_text
from wengert.compile.llvm.places import LINE, Place, count_of
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.nest import Affine, Index, Load, Store

_SHORT = {"float": "f32", "double": "f64"}


def suffix(elem: str, lanes: int) -> str:
    """How intrinsics name a vector type."""
    return f"v{lanes}{_SHORT.get(elem, elem)}"


# --- local buffers ---------------------------------------------------------------------------------------------------


def _fixed(frame: Frame, index: tuple[Index, ...]) -> tuple[int, ...]:
    """The places that an index names when all axes in it are unrolled."""
    places = []
    for one in index:
        assert isinstance(one, Affine)
        place = int(frame.size(one.offset).number or 0)
        for axis, coefficient in one.terms:
            place += int(frame.axes[axis].number or 0) * int(frame.size(coefficient).number or 0)
        places.append(place)
    return tuple(places)


def _local(frame: Frame, statement: Load | Store) -> tuple[Val, int]:
    """The address of an element of a local buffer that has a vector for each element, and its lanes."""
    buffer = frame.buffers[statement.buffer]
    elem = memory_elem(ELEMENTS[buffer.dtype])
    if buffer.name not in frame.memory:
        n = count_of(buffer.shape)
        assert isinstance(n, int)
        lanes = frame.lanes.count if frame.lanes else 0
        frame.memory[buffer.name] = frame.ir.allocate(type_text(elem, lanes), max(n, 1)), lanes
    pointer, lanes = frame.memory[buffer.name]
    place = frame.place(statement)
    index = _with_computed(frame, place, frame.linear(place))
    return frame.ir.line("ptr", 0, f"getelementptr {type_text(elem, lanes)}, ptr {pointer}, i64 {index.text}"), lanes


def _with_computed(frame: Frame, place: Place, index: Val) -> Val:
    """The index with its computed parts (in as many lanes as those have)."""
    for name, stride, extent in place.computed:
        value, dtype = frame.values[name]
        if dtype != "i8":
            value = value.convert("sext", "i64")
        n = frame.size(extent).splat(value.lanes)
        value = (value < 0).where(value + n, value)
        part = value * frame.size(stride).splat(value.lanes)
        lanes = max(part.lanes, index.lanes)
        index = index.splat(lanes) + part.splat(lanes)
    return index


def _is_apart(frame: Frame, buffer: str) -> bool:
    """Whether a buffer does not lie in memory element after element."""
    return buffer in frame.plan.registers or buffer in frame.plan.per_lane


# --- loads -----------------------------------------------------------------------------------------------------------


def load(frame: Frame, statement: Load) -> None:
    """Emit a load."""
    buffer = frame.buffers[statement.buffer]
    elem = ELEMENTS[buffer.dtype]
    if _is_apart(frame, statement.buffer):
        value = _load_local(frame, statement, elem)
    elif statement.outside is not None:
        value = _load_padded(frame, statement, elem)
    else:
        value = _load_memory(frame, statement, elem)
    frame.values[statement.name] = value, buffer.dtype


def _load_local(frame: Frame, statement: Load, elem: str) -> Val:
    if statement.buffer in frame.plan.registers:
        return frame.registers[statement.buffer, _fixed(frame, statement.index)][0]
    address, lanes = _local(frame, statement)
    return _from_memory(frame, elem, lanes, f"load {type_text(memory_elem(elem), lanes)}, ptr {address.text}")


def _from_memory(frame: Frame, elem: str, lanes: int, text: str) -> Val:
    value = frame.ir.line(memory_elem(elem), lanes, text)
    return value.ne(0) if elem == "i1" else value


def _load_memory(frame: Frame, statement: Load, elem: str) -> Val:
    place = frame.place(statement)
    lanes = frame.lanes
    stored = memory_elem(elem)
    size = int(frame.buffers[statement.buffer].dtype[1])
    along = place.along(lanes.axis) if lanes else 0
    varying = _is_varying(frame, place)
    if lanes is None or (along == 0 and not varying):
        index = _with_computed(frame, place, frame.linear(place))
        address = frame.address(frame.pointer(statement.buffer), elem, index)
        return _from_memory(frame, elem, 0, f"load {stored}, ptr {address.text}, align {size}")
    kind = type_text(stored, lanes.count)
    if along == 1 and not varying:
        stream = None if place.computed else lanes.streams.get((statement.buffer, place))
        if stream is not None:
            address = frame.address(stream, elem, lanes.start)
            _fetch(frame, statement, address)
            return _from_memory(frame, elem, lanes.count, f"load {kind}, ptr {address.text}, align {size}")
        index = _with_computed(frame, place, frame.linear(place))
        address = frame.address(frame.pointer(statement.buffer), elem, index)
        if lanes.mask is None:
            return _from_memory(frame, elem, lanes.count, f"load {kind}, ptr {address.text}, align {size}")
        return _masked_load(frame, elem, address, lanes.mask, size)
    if along == -1 and not varying:
        return _load_backwards(frame, statement, elem, place)
    return _gather(frame, statement, elem, _lane_indices(frame, place), lanes.mask)


def _fetch(frame: Frame, statement: Load, address: Val) -> None:
    """Bring what lies ahead of a vector into the cache, line by line; an address without memory is no fault."""
    if not statement.ahead or frame.lanes is None:
        return
    ir, size = frame.ir, int(frame.buffers[statement.buffer].dtype[1])
    ir.declared["llvm.prefetch.p0"] = "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
    for start in range(0, frame.lanes.count * size, LINE):
        line = ir.line("ptr", 0, f"getelementptr i8, ptr {address.text}, i64 {statement.ahead * size + start}")
        ir.do(f"call void @llvm.prefetch.p0(ptr {line.text}, i32 0, i32 3, i32 1)")


def _load_backwards(frame: Frame, statement: Load, elem: str, place: Place) -> Val:
    """Neighbours in memory, the last one first."""
    lanes = frame.lanes
    assert lanes is not None
    n, size = lanes.count, int(frame.buffers[statement.buffer].dtype[1])
    last = _with_computed(frame, place, frame.linear(place))
    address = frame.address(frame.pointer(statement.buffer), elem, last - (n - 1))
    if lanes.mask is None:
        kind = type_text(memory_elem(elem), n)
        return _turned(_from_memory(frame, elem, n, f"load {kind}, ptr {address.text}, align {size}"))
    return _turned(_masked_load(frame, elem, address, _turned(lanes.mask), size))


def _turned(value: Val) -> Val:
    """The lanes in reverse order."""
    n = value.lanes
    order = ", ".join([f"i32 {n - 1 - i}" for i in range(n)])
    text = f"shufflevector {value.type} {value.text}, {value.type} poison, <{n} x i32> <{order}>"
    return value.ir.line(value.elem, n, text)


def _is_varying(frame: Frame, place: Place) -> bool:
    """Whether a computed part of a place differs between lanes."""
    return any([frame.values[name][0].lanes for name, _, _ in place.computed])


def _masked_load(frame: Frame, elem: str, address: Val, mask: Val, size: int) -> Val:
    stored, lanes = memory_elem(elem), mask.lanes
    zero = frame.ir.const(stored, lanes, 0)
    function = f"llvm.masked.load.{suffix(stored, lanes)}.p0"
    align = frame.ir.const("i32", 0, size)
    value = frame.ir.call(function, stored, lanes, address, align, mask, zero)
    return value.ne(0) if elem == "i1" else value


def _lane_indices(frame: Frame, place: Place) -> Val:
    """The numbers of the elements in the lanes."""
    lanes = frame.lanes
    assert lanes is not None
    index = frame.linear(place).splat(lanes.count)
    along = place.along(lanes.axis)
    if along != 0:
        index = index + lane_numbers(frame) * frame.size(along).splat(lanes.count)
    return _with_computed(frame, place, index)


def lane_numbers(frame: Frame) -> Val:
    """0, 1, 2, ... in the lanes."""
    assert frame.lanes is not None
    n = frame.lanes.count
    return Val(frame.ir, f"<{', '.join([f'i64 {i}' for i in range(n)])}>", "i64", n)


def _addresses(frame: Frame, buffer: str, elem: str, index: Val) -> Val:
    base = frame.pointer(buffer)
    return frame.ir.line(
        "ptr", index.lanes, f"getelementptr {memory_elem(elem)}, ptr {base.text}, <{index.lanes} x i64> {index.text}"
    )


def _gather(frame: Frame, statement: Load, elem: str, index: Val, mask: Val | None) -> Val:
    lanes, stored = index.lanes, memory_elem(elem)
    where = mask if mask is not None else frame.ir.const("i1", lanes, True)
    addresses = _addresses(frame, statement.buffer, elem, index)
    align = frame.ir.const("i32", 0, int(frame.buffers[statement.buffer].dtype[1]))
    function = f"llvm.masked.gather.{suffix(stored, lanes)}.v{lanes}p0"
    value = frame.ir.call(function, stored, lanes, addresses, align, where, frame.ir.const(stored, lanes, 0))
    return value.ne(0) if elem == "i1" else value


def _load_padded(frame: Frame, statement: Load, elem: str) -> Val:
    """A load that has a given value where an index lies outside of the buffer."""
    ir, buffer = frame.ir, frame.buffers[statement.buffer]
    inside: Val | None = None
    lanes = frame.lanes.count if frame.lanes else 0
    for one, extent in zip(statement.index, buffer.shape, strict=True):
        if isinstance(one, Affine):
            place = Place(one.offset, one.terms, ())
            index = _lane_indices(frame, place) if frame.lanes else frame.linear(place)
        else:
            index = frame.spread(frame.values[one.value][0])
        bound = frame.size(extent).splat(lanes)
        ok = ir.line("i1", lanes, f"icmp ult {index.typed}, {bound.text}")
        inside = ok if inside is None else inside & ok
    if inside is None:
        return _load_memory(frame, statement, elem)
    place = frame.place(statement)
    value = frame.spread(ir.const(elem, 0, statement.outside or 0))
    if frame.lanes is None:
        index = _with_computed(frame, place, frame.linear(place))
        return _load_if(frame, statement, elem, index, inside, value)
    mask = inside if frame.lanes.mask is None else inside & frame.lanes.mask
    if place.along(frame.lanes.axis) == 1 and not place.computed:
        size = int(buffer.dtype[1])
        address = frame.address(frame.pointer(statement.buffer), elem, frame.linear(place))
        loaded = _masked_load(frame, elem, address, mask, size)
    else:
        loaded = _gather(frame, statement, elem, _lane_indices(frame, place), mask)
    return inside.where(loaded, value)


def _load_if(frame: Frame, statement: Load, elem: str, index: Val, inside: Val, other: Val) -> Val:
    """A scalar load where the condition holds: another place (the first) is never read, as it may not exist."""
    ir = frame.ir
    read, after, before = ir.label(), ir.label(), ir.block
    ir.branch(inside, read, after)
    ir.start(read)
    size = int(frame.buffers[statement.buffer].dtype[1])
    address = frame.address(frame.pointer(statement.buffer), elem, index)
    value = _from_memory(frame, elem, 0, f"load {memory_elem(elem)}, ptr {address.text}, align {size}")
    ir.jump(after)
    ir.start(after)
    result, incoming = ir.phi(elem, 0)
    incoming += [(other, before), (value, read)]
    return result


# --- stores ----------------------------------------------------------------------------------------------------------


def store(frame: Frame, statement: Store) -> None:
    """Emit a store."""
    buffer = frame.buffers[statement.buffer]
    value = frame.value(statement.value, buffer.dtype)
    if statement.add:
        held = Load("", statement.buffer, statement.index)
        load(frame, held)
        before, _ = frame.values.pop("")
        lanes = max(before.lanes, value.lanes)
        value = before.splat(lanes) + value.splat(lanes)
    if _is_apart(frame, statement.buffer):
        _store_local(frame, statement, value, buffer.dtype)
    else:
        _store_memory(frame, statement, value)


def _store_local(frame: Frame, statement: Store, value: Val, dtype: str) -> None:
    if statement.buffer in frame.plan.registers:
        frame.registers[statement.buffer, _fixed(frame, statement.index)] = value, dtype
        return
    address, lanes = _local(frame, statement)
    frame.ir.do(f"store {as_stored(value.splat(lanes)).typed}, ptr {address.text}")


def as_stored(value: Val) -> Val:
    """A value as it lies in memory."""
    return value.convert("zext", "i8") if value.elem == "i1" else value


def _store_memory(frame: Frame, statement: Store, value: Val) -> None:
    ir, lanes, place = frame.ir, frame.lanes, frame.place(statement)
    elem, size = value.elem, int(frame.buffers[statement.buffer].dtype[1])
    if lanes is None:
        index = _with_computed(frame, place, frame.linear(place))
        address = frame.address(frame.pointer(statement.buffer), elem, index)
        ir.do(f"store {as_stored(value).typed}, ptr {address.text}, align {size}")
        return
    stored = as_stored(value.splat(lanes.count))
    align = ir.const("i32", 0, size)
    mask = lanes.mask if lanes.mask is not None else ir.const("i1", lanes.count, True)
    if place.along(lanes.axis) == 1 and not _is_varying(frame, place):
        stream = None if place.computed else lanes.streams.get((statement.buffer, place))
        start = lanes.start if stream is not None else _with_computed(frame, place, frame.linear(place))
        if stream is not None or lanes.mask is None:
            base = stream if stream is not None else frame.pointer(statement.buffer)
            address = frame.address(base, elem, start)
            ir.do(f"store {stored.typed}, ptr {address.text}, align {size}")
            return
        address = frame.address(frame.pointer(statement.buffer), elem, start)
        masked_store(frame, stored, address, mask, size)
        return
    addresses = _addresses(frame, statement.buffer, elem, _lane_indices(frame, place))
    function = f"llvm.masked.scatter.{suffix(stored.elem, lanes.count)}.v{lanes.count}p0"
    call_void(frame, function, stored, addresses, align, mask)


def masked_store(frame: Frame, value: Val, address: Val, mask: Val, size: int) -> None:
    """Store the lanes of a vector that the mask has."""
    function = f"llvm.masked.store.{suffix(value.elem, value.lanes)}.p0"
    call_void(frame, function, value, address, frame.ir.const("i32", 0, size), mask)


def call_void(frame: Frame, function: str, *args: Val) -> None:
    """Call a function without a result."""
    ir = frame.ir
    ir.declared[function] = f"declare void @{function}({', '.join([arg.type for arg in args])})"
    ir.do(f"call void @{function}({', '.join([arg.typed for arg in args])})")


def masked_load(frame: Frame, elem: str, address: Val, mask: Val, size: int) -> Val:
    """Load the lanes of a vector that the mask has, zeros elsewhere; booleans as bytes."""
    return _masked_load(frame, memory_elem(elem), address, mask, size)
