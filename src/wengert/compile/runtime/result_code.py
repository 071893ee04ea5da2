"""Parts of the entry code, in LLVM IR: fresh arrays before the kernel runs, Python objects of them afterwards."""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime import layout
from wengert.compile.runtime.entry_table import (
    BOX_DATA,
    BOX_TEMPLATE,
    CONSTANT_TABLE,
    CONSTANTS,
    HANDLER,
    LONG,
    PREPARE,
    PRESET_TABLE,
    PRESETS,
    R_ALLOC,
    R_DESCR,
    R_DIMS,
    R_NDIM,
    R_POINTER,
    R_SCALAR,
    R_SHAPE,
    R_SIZE,
    R_TYPE,
    R_WORDS,
    RESULT_TABLE,
    RESULTS,
    T_COUNTED,
    T_OFFSET,
    T_VALUE,
    T_WORDS,
    field,
    word,
)
from wengert.compile.runtime.keeper_code import LARGE

# A fresh array in memory order; a large one in memory that was used before, if there is a handler for that.
FRESH: Final = f"""
define internal ptr @wengert_fresh(ptr %handler, i64 %ndim, ptr %shape, i64 %type, i64 %itemsize) {{
entry:
  %ndim.short = trunc i64 %ndim to i32
  %type.short = trunc i64 %type to i32
  br label %bytes.head
bytes.head:
  %b = phi i64 [ 0, %entry ], [ %b1, %bytes.one ]
  %bytes = phi i64 [ %itemsize, %entry ], [ %bytes1, %bytes.one ]
  %bytes.more = icmp slt i64 %b, %ndim
  br i1 %bytes.more, label %bytes.one, label %bytes.done
bytes.one:
  %b.at = getelementptr i64, ptr %shape, i64 %b
  %b.n = load i64, ptr %b.at
  %bytes1 = mul i64 %bytes, %b.n
  %b1 = add i64 %b, 1
  br label %bytes.head
bytes.done:
  %is_large = icmp sge i64 %bytes, {LARGE}
  %has_handler = icmp ne ptr %handler, null
  %keeps = and i1 %is_large, %has_handler
  br i1 %keeps, label %large, label %small
small:
  %made.small = call ptr @wengert_array_new(ptr @wengert_array_type, i32 %ndim.short, ptr %shape,
    i32 %type.short, ptr null, ptr null, i32 0, i32 0, ptr null)
  ret ptr %made.small
large:
  %before = call ptr @wengert_set_handler(ptr %handler)
  %failed = icmp eq ptr %before, null
  br i1 %failed, label %none, label %kept
kept:
  %made.large = call ptr @wengert_array_new(ptr @wengert_array_type, i32 %ndim.short, ptr %shape,
    i32 %type.short, ptr null, ptr null, i32 0, i32 0, ptr null)
  %ours = call ptr @wengert_set_handler(ptr %before)
  call void @Py_DecRef(ptr %before)
  call void @Py_DecRef(ptr %ours)
  ret ptr %made.large
none:
  ret ptr null
}}
"""

# From `results` on to `run`: the kernel says how long its results are, and how much there is to do. The arrays are in
# `%objects`, the addresses of their data, and of constants, in `%pointers`. Where other threads may run meanwhile, what
# is read is kept alive: they may give a tensor other memory.
MADE: Final = f"""results:
{word("prepare", "table", PREPARE, "ptr")}
{word("count", "table", RESULTS)}
{word("restable", "table", RESULT_TABLE, "ptr")}
{word("constants", "table", CONSTANTS)}
{word("consttable", "table", CONSTANT_TABLE, "ptr")}
{word("long", "table", LONG)}
{word("presets", "table", PRESETS)}
{word("presettable", "table", PRESET_TABLE, "ptr")}
  br label %preset.head
preset.head:
  %z = phi i64 [ 0, %results ], [ %z1, %preset ]
  %preset.more = icmp slt i64 %z, %presets
  br i1 %preset.more, label %preset, label %sizes.known
preset:
  %z.twice = mul i64 %z, 2
  %z.number.at = getelementptr i64, ptr %presettable, i64 %z.twice
  %z.number = load i64, ptr %z.number.at
  %z.value.at = getelementptr i64, ptr %z.number.at, i64 1
  %z.value = load i64, ptr %z.value.at
  %z.slot = getelementptr i64, ptr %sizes, i64 %z.number
  store i64 %z.value, ptr %z.slot
  %z1 = add i64 %z, 1
  br label %preset.head
sizes.known:
  %work = call i64 %prepare(ptr %sizes, ptr %shapes)
  %is_long = icmp sgt i64 %work, %long
  br i1 %is_long, label %keep.head, label %const.head
keep.head:
  %keep = phi i64 [ 0, %sizes.known ], [ %keep1, %keep.one ]
  %keep.more = icmp slt i64 %keep, %all
  br i1 %keep.more, label %keep.one, label %const.head
keep.one:
  %keep.at = getelementptr ptr, ptr %raws, i64 %keep
  %kept.raw = load ptr, ptr %keep.at
  call void @Py_IncRef(ptr %kept.raw)
  %keep1 = add i64 %keep, 1
  br label %keep.head
const.head:
  %c = phi i64 [ 0, %sizes.known ], [ 0, %keep.head ], [ %c1, %const ]
  %const.more = icmp slt i64 %c, %constants
  br i1 %const.more, label %const, label %made.head
const:
  %c.twice = mul i64 %c, 2
  %c.number.at = getelementptr i64, ptr %consttable, i64 %c.twice
  %c.number = load i64, ptr %c.number.at
  %c.data.at = getelementptr i64, ptr %c.number.at, i64 1
  %c.data = load ptr, ptr %c.data.at
  %c.slot = getelementptr ptr, ptr %pointers, i64 %c.number
  store ptr %c.data, ptr %c.slot
  %c1 = add i64 %c, 1
  br label %const.head

made.head:
  %m = phi i64 [ 0, %const.head ], [ %m1, %made.next ]
  %made.more = icmp slt i64 %m, %count
  br i1 %made.more, label %make, label %run
make:
  %make.offset = mul i64 %m, {R_WORDS}
  %r = getelementptr i64, ptr %restable, i64 %make.offset
{word("r.ndim", "r", R_NDIM)}
{word("r.pointer", "r", R_POINTER)}
  %r.slot = getelementptr ptr, ptr %pointers, i64 %r.pointer
  %m.object = getelementptr ptr, ptr %objects, i64 %m
  %r.is_number = icmp eq i64 %r.ndim, 0
  br i1 %r.is_number, label %make.number, label %make.array
make.number:
  %number.at = getelementptr i64, ptr %numbers, i64 %m
  store ptr %number.at, ptr %r.slot
  store ptr null, ptr %m.object
  br label %made.next
make.array:
{word("r.type", "r", R_TYPE)}
{word("r.dims", "r", R_DIMS)}
{word("r.own", "r", R_SHAPE, "ptr")}
  %r.worked_out = getelementptr i64, ptr %shapes, i64 %r.dims
  %r.has_own = icmp ne ptr %r.own, null
  %r.shape = select i1 %r.has_own, ptr %r.own, ptr %r.worked_out
{word("r.size", "r", R_SIZE)}
{word("handler", "table", HANDLER, "ptr")}
  %made = call ptr @wengert_fresh(ptr %handler, i64 %r.ndim, ptr %r.shape, i64 %r.type, i64 %r.size)
  store ptr %made, ptr %m.object
  %made.failed = icmp eq ptr %made, null
  br i1 %made.failed, label %make.failed, label %make.fill
make.failed:
  %kept.count = select i1 %is_long, i64 %all, i64 0
  call void @wengert_drop(ptr %raws, i64 0, i64 %kept.count)
  br label %failed
make.fill:
{field("made.data", "made", layout.DATA, "ptr")}
  store ptr %made.data, ptr %r.slot
  br label %made.next
made.next:
  %m1 = add i64 %m, 1
  br label %made.head

"""

# From `wrap.head`, after the kernel has run: numbers become NumPy's scalars, and everything is put in its box.
WRAPPED: Final = f"""wrap.head:
  %w = phi i64 [ 0, %ran ], [ %w1, %wrap.next ]
  %wrap.more = icmp slt i64 %w, %count
  br i1 %wrap.more, label %wrap, label %give
wrap:
  %wrap.offset = mul i64 %w, {R_WORDS}
  %v = getelementptr i64, ptr %restable, i64 %wrap.offset
{word("v.ndim", "v", R_NDIM)}
  %w.object = getelementptr ptr, ptr %objects, i64 %w
  %v.is_number = icmp eq i64 %v.ndim, 0
  br i1 %v.is_number, label %wrap.number, label %wrap.box
wrap.number:
  %v.number = getelementptr i64, ptr %numbers, i64 %w
{word("v.alloc", "v", R_ALLOC, "ptr")}
  %v.is_simple = icmp ne ptr %v.alloc, null
  br i1 %v.is_simple, label %number.make, label %number.ask
number.ask:
{word("v.descr", "v", R_DESCR, "ptr")}
  %v.asked = call ptr @wengert_array_scalar(ptr %v.number, ptr %v.descr, ptr null)
  br label %number.made
number.make:
{word("v.scalar", "v", R_SCALAR, "ptr")}
{word("v.size", "v", R_SIZE)}
  %v.own = call ptr %v.alloc(ptr %v.scalar, i64 0)
  %v.own.failed = icmp eq ptr %v.own, null
  br i1 %v.own.failed, label %number.made, label %number.fill
number.fill:
  %v.value.at = getelementptr i8, ptr %v.own, i64 {layout.SCALAR}
  %v.value = load i64, ptr %v.number
  %v.is_wide = icmp eq i64 %v.size, 8
  br i1 %v.is_wide, label %number.wide, label %number.short
number.wide:
  store i64 %v.value, ptr %v.value.at
  br label %number.made
number.short:
  %v.half = trunc i64 %v.value to i32
  store i32 %v.half, ptr %v.value.at
  br label %number.made
number.made:
  %v.made = phi ptr [ %v.asked, %number.ask ], [ null, %number.make ], [ %v.own, %number.wide ],
    [ %v.own, %number.short ]
  store ptr %v.made, ptr %w.object
  %v.failed = icmp eq ptr %v.made, null
  br i1 %v.failed, label %failed, label %wrap.box
wrap.box:
  %no_box = icmp eq ptr %box, null
  br i1 %no_box, label %wrap.next, label %box.make
box.make:
  %boxed = call ptr @PyType_GenericAlloc(ptr %box, i64 0)
  %box.failed = icmp eq ptr %boxed, null
  br i1 %box.failed, label %failed, label %box.fill
box.fill:
{word("template.count", "table", BOX_TEMPLATE)}
  %template = load ptr, ptr %template.at
{word("box.slot", "table", BOX_DATA)}
  %content = load ptr, ptr %w.object
  %box.content = getelementptr i8, ptr %boxed, i64 %box.slot
  store ptr %content, ptr %box.content
  store ptr %boxed, ptr %w.object
  br label %template.head
template.head:
  %t = phi i64 [ 0, %box.fill ], [ %t1, %template.one ]
  %template.more = icmp slt i64 %t, %template.count
  br i1 %template.more, label %template.one, label %wrap.next
template.one:
  %t.offset.words = mul i64 %t, {T_WORDS}
  %t.row = getelementptr i64, ptr %template, i64 %t.offset.words
{word("t.offset", "t.row", T_OFFSET)}
{word("t.value", "t.row", T_VALUE, "ptr")}
{word("t.counted", "t.row", T_COUNTED)}
  %t.references = load i64, ptr %t.value
  %t.references.now = add i64 %t.references, %t.counted
  store i64 %t.references.now, ptr %t.value
  %t.slot = getelementptr i8, ptr %boxed, i64 %t.offset
  store ptr %t.value, ptr %t.slot
  %t1 = add i64 %t, 1
  br label %template.head
wrap.next:
  %w1 = add i64 %w, 1
  br label %wrap.head

"""

# Where a result cannot be made there is an exception; where the kernel refuses to run, `slow_way` says why.
FAILED: Final = """failed:
  %failed.count = phi i64 [ %m, %make.failed ], [ %count, %number.made ], [ %count, %box.make ]
  call void @wengert_drop(ptr %objects, i64 0, i64 %failed.count)
  ret ptr null

refused:
  call void @wengert_drop(ptr %objects, i64 0, i64 %count)
  br label %slow_way

"""
