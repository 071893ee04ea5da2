"""The code that every compiled call goes through, in LLVM IR: arguments checked, results made, the kernel run.

One function serves all kernels. What a kernel takes and gives stands in tables of int64 (see :mod:`.entry`), whose
address is in the object that Python passes as `self`. Whatever is not exactly as the tables say is handed to a Python
function.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime import layout
from wengert.compile.runtime.keeper_code import LARGE

MOST: Final = 512  # arguments, results, pointers, sizes, axes of all results

# Words of the main table.
ENTRY, SLOW, ARGUMENTS, RESULTS, PREPARE, ARGUMENT_TABLE, RESULT_TABLE = range(7)
CONSTANTS, CONSTANT_TABLE, BOX, BOX_DATA, BOX_PLAIN, BOX_PLAIN_TABLE, BOX_TEMPLATE, BOX_TEMPLATE_TABLE = range(7, 15)
LONG, HANDLER = 15, 16
WORDS: Final = 17
# Words of an argument.
A_DESCR, A_NDIM, A_FLAGS, A_AXES, A_POINTER, A_SCALAR, A_SCALAR2, A_STRIDES, A_SHIFT, A_BOXED = range(10)
A_WORDS: Final = 10
# Words of a result.
R_DESCR, R_NDIM, R_TYPE, R_POINTER, R_DIMS, R_SIZE = range(6)
R_WORDS: Final = 6
# What to do with the size of an argument's axis: kind and value.
FIXED, LEARN, SAME, ANY = range(4)

IMPORTS: Final = (
    "PyObject_Vectorcall",
    "PyEval_SaveThread",
    "PyEval_RestoreThread",
    "Py_IncRef",
    "Py_DecRef",
    "PyTuple_New",
    "PyTuple_SetItem",
    "PyType_GenericAlloc",
)
NAME: Final = "wengert_call"


def word(name: str, table: str, number: int, kind: str = "i64") -> str:
    """Load a word of a table."""
    return f"""  %{name}.at = getelementptr i64, ptr %{table}, i64 {number}
  %{name} = load {kind}, ptr %{name}.at
"""


def field(name: str, base: str, offset: int, kind: str) -> str:
    """Load a field of an object."""
    return f"""  %{name}.at = getelementptr i8, ptr %{base}, i64 {offset}
  %{name} = load {kind}, ptr %{name}.at
"""


DECLARATIONS: Final = """
@wengert_array_type = external global i8
@wengert_none = external global i8
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyType_GenericAlloc(ptr, i64)
declare ptr @wengert_array_new(ptr, i32, ptr, i32, ptr, ptr, i32, i32, ptr)
declare ptr @wengert_array_scalar(ptr, ptr, ptr)
declare ptr @wengert_set_handler(ptr)
"""

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

_FUNCTION: Final = f"""
define ptr @wengert_call(ptr %self, ptr %args, i64 %nargs) {{
entry:
  %pointers = alloca ptr, i64 {2 * MOST}, align 16
  %sizes = alloca i64, i64 {2 * MOST}, align 16
  %shapes = alloca i64, i64 {MOST}, align 16
  %objects = alloca ptr, i64 {MOST}, align 16
  %numbers = alloca i64, i64 {MOST}, align 16
{field("table", "self", layout.DATA, "ptr")}
{word("slow", "table", SLOW, "ptr")}
{word("wanted", "table", ARGUMENTS)}
{word("box", "table", BOX, "ptr")}
{word("argtable", "table", ARGUMENT_TABLE, "ptr")}
  %right_count = icmp eq i64 %nargs, %wanted
  br i1 %right_count, label %args.head, label %slow_way

args.head:
  %i = phi i64 [ 0, %entry ], [ %i1, %args.next ]
  %args.more = icmp slt i64 %i, %nargs
  br i1 %args.more, label %arg, label %results

arg:
  %arg.offset = mul i64 %i, {A_WORDS}
  %a = getelementptr i64, ptr %argtable, i64 %arg.offset
  %arg.at = getelementptr ptr, ptr %args, i64 %i
  %object = load ptr, ptr %arg.at
{field("type", "object", layout.TYPE, "ptr")}
{word("a.pointer", "a", A_POINTER)}
  %slot = getelementptr ptr, ptr %pointers, i64 %a.pointer
  %is_array = icmp eq ptr %type, @wengert_array_type
  br i1 %is_array, label %array, label %other

other:
{word("a.boxed", "a", A_BOXED)}
  %is_box.type = icmp eq ptr %type, %box
  %may_box = icmp ne i64 %a.boxed, 0
  %is_box = and i1 %is_box.type, %may_box
  br i1 %is_box, label %unbox, label %scalar

unbox:
{word("plain.count", "table", BOX_PLAIN)}
{word("plain", "table", BOX_PLAIN_TABLE, "ptr")}
{word("box.data", "table", BOX_DATA)}
  br label %plain.head
plain.head:
  %p = phi i64 [ 0, %unbox ], [ %p1, %plain.next ]
  %plain.more = icmp slt i64 %p, %plain.count
  br i1 %plain.more, label %plain.one, label %unboxed
plain.one:
  %p.twice = mul i64 %p, 2
  %pair = getelementptr i64, ptr %plain, i64 %p.twice
  %pair.offset = load i64, ptr %pair
  %pair.value.at = getelementptr i64, ptr %pair, i64 1
  %pair.value = load i64, ptr %pair.value.at
  %held.at = getelementptr i8, ptr %object, i64 %pair.offset
  %held = load i64, ptr %held.at
  %held.right = icmp eq i64 %held, %pair.value
  br i1 %held.right, label %plain.next, label %slow_way
plain.next:
  %p1 = add i64 %p, 1
  br label %plain.head
unboxed:
  %raw.at = getelementptr i8, ptr %object, i64 %box.data
  %raw = load ptr, ptr %raw.at
  %raw.missing = icmp eq ptr %raw, null
  br i1 %raw.missing, label %slow_way, label %raw.there
raw.there:
{field("raw.type", "raw", layout.TYPE, "ptr")}
  %raw.is_array = icmp eq ptr %raw.type, @wengert_array_type
  br i1 %raw.is_array, label %array, label %scalar

scalar:
  %s = phi ptr [ %object, %other ], [ %raw, %raw.there ]
  %s.type = phi ptr [ %type, %other ], [ %raw.type, %raw.there ]
{word("a.scalar", "a", A_SCALAR, "ptr")}
{word("a.scalar2", "a", A_SCALAR2, "ptr")}
  %is_scalar.one = icmp eq ptr %s.type, %a.scalar
  %is_scalar.two = icmp eq ptr %s.type, %a.scalar2
  %is_scalar = or i1 %is_scalar.one, %is_scalar.two
  br i1 %is_scalar, label %scalar.yes, label %slow_way
scalar.yes:
  %s.data = getelementptr i8, ptr %s, i64 {layout.SCALAR}
  store ptr %s.data, ptr %slot
  br label %args.next

array:
  %x = phi ptr [ %object, %arg ], [ %raw, %raw.there ]
{field("descr", "x", layout.DESCR, "ptr")}
{field("ndim", "x", layout.NDIM, "i32")}
{field("flags", "x", layout.FLAGS, "i32")}
{field("dims", "x", layout.DIMS, "ptr")}
{field("data", "x", layout.DATA, "ptr")}
{word("a.descr", "a", A_DESCR, "ptr")}
{word("a.ndim", "a", A_NDIM)}
{word("a.flags", "a", A_FLAGS)}
{word("a.axes", "a", A_AXES, "ptr")}
{word("a.strides", "a", A_STRIDES)}
  %ndim.wide = sext i32 %ndim to i64
  %flags.wide = sext i32 %flags to i64
  %flags.have = and i64 %flags.wide, %a.flags
  %same.descr = icmp eq ptr %descr, %a.descr
  %same.ndim = icmp eq i64 %ndim.wide, %a.ndim
  %same.flags = icmp eq i64 %flags.have, %a.flags
  %same.both = and i1 %same.descr, %same.ndim
  %same = and i1 %same.both, %same.flags
  br i1 %same, label %axes.head, label %slow_way

axes.head:
  %k = phi i64 [ 0, %array ], [ %k1, %axes.next ]
  %axes.more = icmp slt i64 %k, %ndim.wide
  br i1 %axes.more, label %axis, label %axes.done
axis:
  %k.twice = mul i64 %k, 2
  %kind.at = getelementptr i64, ptr %a.axes, i64 %k.twice
  %kind = load i64, ptr %kind.at
  %value.at = getelementptr i64, ptr %kind.at, i64 1
  %value = load i64, ptr %value.at
  %n.at = getelementptr i64, ptr %dims, i64 %k
  %n = load i64, ptr %n.at
  switch i64 %kind, label %axes.next [ i64 {FIXED}, label %axis.fixed i64 {LEARN}, label %axis.learn i64 {SAME}, label
  %axis.same ]
axis.fixed:
  %fixed.right = icmp eq i64 %n, %value
  br i1 %fixed.right, label %axes.next, label %slow_way
axis.learn:
  %learn.at = getelementptr i64, ptr %sizes, i64 %value
  store i64 %n, ptr %learn.at
  br label %axes.next
axis.same:
  %known.at = getelementptr i64, ptr %sizes, i64 %value
  %known = load i64, ptr %known.at
  %known.right = icmp eq i64 %n, %known
  br i1 %known.right, label %axes.next, label %slow_way
axes.next:
  %k1 = add i64 %k, 1
  br label %axes.head

axes.done:
  store ptr %data, ptr %slot
  %strided = icmp sge i64 %a.strides, 0
  br i1 %strided, label %strides, label %args.next
strides:
{field("steps", "x", layout.STRIDES, "ptr")}
{word("a.shift", "a", A_SHIFT)}
  %unit = shl i64 1, %a.shift
  %low.bits = sub i64 %unit, 1
  br label %strides.head
strides.head:
  %q = phi i64 [ 0, %strides ], [ %q1, %stride.right ]
  %strides.more = icmp slt i64 %q, %ndim.wide
  br i1 %strides.more, label %stride, label %args.next
stride:
  %step.at = getelementptr i64, ptr %steps, i64 %q
  %step = load i64, ptr %step.at
  %step.rest = and i64 %step, %low.bits
  %step.whole = icmp eq i64 %step.rest, 0
  br i1 %step.whole, label %stride.right, label %slow_way
stride.right:
  %step.count = ashr i64 %step, %a.shift
  %step.number = add i64 %a.strides, %q
  %step.slot = getelementptr i64, ptr %sizes, i64 %step.number
  store i64 %step.count, ptr %step.slot
  %q1 = add i64 %q, 1
  br label %strides.head

args.next:
  %i1 = add i64 %i, 1
  br label %args.head

results:
{word("prepare", "table", PREPARE, "ptr")}
{word("count", "table", RESULTS)}
{word("restable", "table", RESULT_TABLE, "ptr")}
{word("constants", "table", CONSTANTS)}
{word("consttable", "table", CONSTANT_TABLE, "ptr")}
{word("long", "table", LONG)}
  %work = call i64 %prepare(ptr %sizes, ptr %shapes)
  br label %const.head
const.head:
  %c = phi i64 [ 0, %results ], [ %c1, %const ]
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
  %r.shape = getelementptr i64, ptr %shapes, i64 %r.dims
{word("r.size", "r", R_SIZE)}
{word("handler", "table", HANDLER, "ptr")}
  %made = call ptr @wengert_fresh(ptr %handler, i64 %r.ndim, ptr %r.shape, i64 %r.type, i64 %r.size)
  store ptr %made, ptr %m.object
  %made.failed = icmp eq ptr %made, null
  br i1 %made.failed, label %failed, label %make.fill
make.fill:
{field("made.data", "made", layout.DATA, "ptr")}
  store ptr %made.data, ptr %r.slot
  br label %made.next
made.next:
  %m1 = add i64 %m, 1
  br label %made.head

run:
{word("kernel", "table", ENTRY, "ptr")}
  %is_long = icmp sgt i64 %work, %long
  br i1 %is_long, label %run.long, label %run.short
run.short:
  %status.short = call i32 %kernel(ptr %pointers, ptr %sizes)
  br label %ran
run.long:
  %thread = call ptr @PyEval_SaveThread()
  %status.long = call i32 %kernel(ptr %pointers, ptr %sizes)
  call void @PyEval_RestoreThread(ptr %thread)
  br label %ran
ran:
  %status = phi i32 [ %status.short, %run.short ], [ %status.long, %run.long ]
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %wrap.head, label %refused.head

wrap.head:
  %w = phi i64 [ 0, %ran ], [ %w1, %wrap.next ]
  %wrap.more = icmp slt i64 %w, %count
  br i1 %wrap.more, label %wrap, label %give
wrap:
  %wrap.offset = mul i64 %w, {R_WORDS}
  %v = getelementptr i64, ptr %restable, i64 %wrap.offset
{word("v.ndim", "v", R_NDIM)}
{word("v.descr", "v", R_DESCR, "ptr")}
  %w.object = getelementptr ptr, ptr %objects, i64 %w
  %v.is_number = icmp eq i64 %v.ndim, 0
  br i1 %v.is_number, label %wrap.number, label %wrap.box
wrap.number:
  %v.number = getelementptr i64, ptr %numbers, i64 %w
  %v.scalar = call ptr @wengert_array_scalar(ptr %v.number, ptr %v.descr, ptr null)
  store ptr %v.scalar, ptr %w.object
  %v.failed = icmp eq ptr %v.scalar, null
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
{word("template", "table", BOX_TEMPLATE_TABLE, "ptr")}
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
  %t.twice = mul i64 %t, 2
  %t.pair = getelementptr i64, ptr %template, i64 %t.twice
  %t.offset = load i64, ptr %t.pair
  %t.value.at = getelementptr i64, ptr %t.pair, i64 1
  %t.value = load ptr, ptr %t.value.at
  call void @Py_IncRef(ptr %t.value)
  %t.slot = getelementptr i8, ptr %boxed, i64 %t.offset
  store ptr %t.value, ptr %t.slot
  %t1 = add i64 %t, 1
  br label %template.head
wrap.next:
  %w1 = add i64 %w, 1
  br label %wrap.head

give:
  switch i64 %count, label %give.many [ i64 0, label %give.none i64 1, label %give.one ]
give.none:
  call void @Py_IncRef(ptr @wengert_none)
  ret ptr @wengert_none
give.one:
  %only = load ptr, ptr %objects
  ret ptr %only
give.many:
  %tuple = call ptr @PyTuple_New(i64 %count)
  %tuple.failed = icmp eq ptr %tuple, null
  br i1 %tuple.failed, label %failed, label %tuple.head
tuple.head:
  %u = phi i64 [ 0, %give.many ], [ %u1, %tuple.one ]
  %tuple.more = icmp slt i64 %u, %count
  br i1 %tuple.more, label %tuple.one, label %tuple.done
tuple.one:
  %u.object.at = getelementptr ptr, ptr %objects, i64 %u
  %u.object = load ptr, ptr %u.object.at
  %u.status = call i32 @PyTuple_SetItem(ptr %tuple, i64 %u, ptr %u.object)
  %u1 = add i64 %u, 1
  br label %tuple.head
tuple.done:
  ret ptr %tuple

failed:
  %failed.count = phi i64 [ %m, %make.array ],
    [ %count, %wrap.number ], [ %count, %box.make ], [ %count, %give.many ]
  br label %failed.head
failed.head:
  %f = phi i64 [ 0, %failed ], [ %f1, %failed.one ]
  %failed.more = icmp slt i64 %f, %failed.count
  br i1 %failed.more, label %failed.one, label %failed.done
failed.one:
  %f.at = getelementptr ptr, ptr %objects, i64 %f
  %f.object = load ptr, ptr %f.at
  call void @Py_DecRef(ptr %f.object)
  %f1 = add i64 %f, 1
  br label %failed.head
failed.done:
  ret ptr null

refused.head:
  %e = phi i64 [ 0, %ran ], [ %e1, %refused.one ]
  %refused.more = icmp slt i64 %e, %count
  br i1 %refused.more, label %refused.one, label %slow_way
refused.one:
  %e.at = getelementptr ptr, ptr %objects, i64 %e
  %e.object = load ptr, ptr %e.at
  call void @Py_DecRef(ptr %e.object)
  %e1 = add i64 %e, 1
  br label %refused.head

slow_way:
  %answer = call ptr @PyObject_Vectorcall(ptr %slow, ptr %args, i64 %nargs, ptr null)
  ret ptr %answer
}}
"""

TEXT: Final = DECLARATIONS + FRESH + _FUNCTION
