"""The code that calls of elementwise kernels go through, in LLVM IR: any shape, one loop over all elements.

One function serves all such kernels. What a kernel takes stands in tables of int64 (see :mod:`.flat`). Arguments are
arrays of one shape in memory order; or else the same for all elements: arrays without axes or with strides 0, NumPy
scalars, Python numbers. Which of them are the same for all elements chooses among the kernel's variants. Whatever else
comes is handed to a Python function.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime import layout
from wengert.compile.runtime.entry_code import DECLARATIONS
from wengert.compile.runtime.entry_table import field, word
from wengert.compile.runtime.result_code import FRESH

MOST: Final = 16  # arguments and results together

# Words of the main table.
SLOW, ARGUMENTS, RESULTS, ARGUMENT_TABLE, RESULT_TABLE, VARIANTS, LEAST, MOST_ELEMENTS, HANDLER = range(9)
WORDS: Final = 9
# Words of an argument; without a dtype it may be anything, and nothing reads it. The kind of Python numbers that are
# taken for it: 0 none, 4 and 8 as a float of so many bytes.
A_DESCR, A_SCALAR, A_NUMBER = range(3)
A_WORDS: Final = 3
# Words of a result; the dtype only of one that is a number, a NumPy scalar.
R_TYPE, R_SIZE, R_NUMBER = range(3)
R_WORDS: Final = 3
# Words of a variant: the kernel (0: there is none), from how many elements other Python threads may run meanwhile, and
# the place of each argument's and result's pointer (-1: the kernel does not read it).
V_KERNEL, V_LONG, V_PLACES = range(3)
V_WORDS: Final = V_PLACES + MOST

IMPORTS: Final = ("PyLong_AsDouble", "PyErr_Occurred", "PyErr_Clear")
NAME: Final = "wengert_flat_call"

_DECLARATIONS: Final = """
@wengert_float_type = external global i8
@wengert_int_type = external global i8
declare double @PyLong_AsDouble(ptr)
declare ptr @PyErr_Occurred()
declare void @PyErr_Clear()
"""

_FUNCTION: Final = f"""
define ptr @wengert_flat_call(ptr %self, ptr %args, i64 %nargs) {{
entry:
  %found = alloca ptr, i64 {MOST}, align 16
  %numbers = alloca double, i64 {MOST}, align 16
  %pointers = alloca ptr, i64 {MOST}, align 16
  %objects = alloca ptr, i64 {MOST}, align 16
  %size = alloca i64, align 16
  %unread = alloca ptr, align 16
  %value.of.result = alloca double, align 16
{field("table", "self", layout.DATA, "ptr")}
{word("slow", "table", SLOW, "ptr")}
{word("wanted", "table", ARGUMENTS)}
{word("argtable", "table", ARGUMENT_TABLE, "ptr")}
  %right_count = icmp eq i64 %nargs, %wanted
  br i1 %right_count, label %args.head, label %slow_way

args.head:
  %i = phi i64 [ 0, %entry ], [ %i1, %args.next ]
  %mask = phi i64 [ 0, %entry ], [ %mask1, %args.next ]
  %rank = phi i32 [ 0, %entry ], [ %rank1, %args.next ]
  %dims = phi ptr [ null, %entry ], [ %dims1, %args.next ]
  %args.more = icmp slt i64 %i, %nargs
  br i1 %args.more, label %arg, label %args.done

arg:
  %arg.offset = mul i64 %i, {A_WORDS}
  %a = getelementptr i64, ptr %argtable, i64 %arg.offset
  %arg.at = getelementptr ptr, ptr %args, i64 %i
  %object = load ptr, ptr %arg.at
  %slot = getelementptr ptr, ptr %found, i64 %i
{word("a.descr", "a", A_DESCR, "ptr")}
  %is_unread = icmp eq ptr %a.descr, null
  br i1 %is_unread, label %args.next, label %arg.read
arg.read:
{field("type", "object", layout.TYPE, "ptr")}
  %is_array = icmp eq ptr %type, @wengert_array_type
  br i1 %is_array, label %array, label %other

other:
{word("a.scalar", "a", A_SCALAR, "ptr")}
  %is_scalar = icmp eq ptr %type, %a.scalar
  br i1 %is_scalar, label %scalar, label %not.scalar
scalar:
  %scalar.data = getelementptr i8, ptr %object, i64 {layout.SCALAR}
  store ptr %scalar.data, ptr %slot
  br label %uniform
not.scalar:
{word("a.number", "a", A_NUMBER)}
  %takes_none = icmp eq i64 %a.number, 0
  br i1 %takes_none, label %slow_way, label %number
number:
  %is_float = icmp eq ptr %type, @wengert_float_type
  br i1 %is_float, label %float, label %not.float
float:
{field("float.value", "object", layout.SCALAR, "double")}
  br label %number.known
not.float:
  %is_int = icmp eq ptr %type, @wengert_int_type
  br i1 %is_int, label %int, label %slow_way
int:
  %int.value = call double @PyLong_AsDouble(ptr %object)
  %int.doubtful = fcmp oeq double %int.value, -1.0
  br i1 %int.doubtful, label %int.check, label %number.known
int.check:
  %int.error = call ptr @PyErr_Occurred()
  %int.fine = icmp eq ptr %int.error, null
  br i1 %int.fine, label %number.known, label %int.large
int.large:
  call void @PyErr_Clear()
  br label %slow_way
number.known:
  %value = phi double [ %float.value, %float ], [ %int.value, %int ], [ %int.value, %int.check ]
  %number.at = getelementptr double, ptr %numbers, i64 %i
  store ptr %number.at, ptr %slot
  %is_double = icmp eq i64 %a.number, 8
  br i1 %is_double, label %number.double, label %number.single
number.double:
  store double %value, ptr %number.at
  br label %uniform
number.single:
  %value.single = fptrunc double %value to float
  store float %value.single, ptr %number.at
  br label %uniform

array:
{field("descr", "object", layout.DESCR, "ptr")}
{field("ndim", "object", layout.NDIM, "i32")}
{field("flags", "object", layout.FLAGS, "i32")}
{field("data", "object", layout.DATA, "ptr")}
{field("x.dims", "object", layout.DIMS, "ptr")}
  store ptr %data, ptr %slot
  %aligned.bit = and i32 %flags, {layout.ALIGNED}
  %aligned = icmp ne i32 %aligned.bit, 0
  %same.descr = icmp eq ptr %descr, %a.descr
  %readable = and i1 %aligned, %same.descr
  br i1 %readable, label %array.rank, label %slow_way
array.rank:
  %no_axes = icmp eq i32 %ndim, 0
  br i1 %no_axes, label %uniform, label %array.shaped
array.shaped:
  %is_first = icmp eq ptr %dims, null
  br i1 %is_first, label %array.order, label %array.compare
array.compare:
  %same.rank = icmp eq i32 %ndim, %rank
  br i1 %same.rank, label %dims.head, label %slow_way
dims.head:
  %d = phi i32 [ 0, %array.compare ], [ %d1, %dims.one ]
  %dims.more = icmp slt i32 %d, %ndim
  br i1 %dims.more, label %dims.one, label %array.order
dims.one:
  %mine.at = getelementptr i64, ptr %x.dims, i32 %d
  %theirs.at = getelementptr i64, ptr %dims, i32 %d
  %mine = load i64, ptr %mine.at
  %theirs = load i64, ptr %theirs.at
  %same.size = icmp eq i64 %mine, %theirs
  %d1 = add i32 %d, 1
  br i1 %same.size, label %dims.head, label %slow_way
array.order:
  %order.bit = and i32 %flags, {layout.C_CONTIGUOUS}
  %in_order = icmp ne i32 %order.bit, 0
  br i1 %in_order, label %args.next, label %steps
steps:
{field("strides", "object", layout.STRIDES, "ptr")}
  br label %steps.head
steps.head:
  %s = phi i32 [ 0, %steps ], [ %s1, %steps.one ]
  %steps.more = icmp slt i32 %s, %ndim
  br i1 %steps.more, label %steps.one, label %repeated
steps.one:
  %step.at = getelementptr i64, ptr %strides, i32 %s
  %step = load i64, ptr %step.at
  %stays = icmp eq i64 %step, 0
  %s1 = add i32 %s, 1
  br i1 %stays, label %steps.head, label %slow_way
repeated:
  %bit.repeated = shl i64 1, %i
  %mask.repeated = or i64 %mask, %bit.repeated
  br label %args.next

uniform:
  %bit = shl i64 1, %i
  %mask.uniform = or i64 %mask, %bit
  br label %args.next

args.next:
  %mask1 = phi i64 [ %mask, %arg ], [ %mask, %array.order ], [ %mask.repeated, %repeated ], [ %mask.uniform, %uniform ]
  %rank1 = phi i32 [ %rank, %arg ], [ %ndim, %array.order ], [ %ndim, %repeated ], [ %rank, %uniform ]
  %dims1 = phi ptr [ %dims, %arg ], [ %x.dims, %array.order ], [ %x.dims, %repeated ], [ %dims, %uniform ]
  %i1 = add i64 %i, 1
  br label %args.head

args.done:
  %shapeless = icmp eq ptr %dims, null
  br i1 %shapeless, label %slow_way, label %count.head
count.head:
  %c = phi i32 [ 0, %args.done ], [ %c1, %count.one ]
  %n = phi i64 [ 1, %args.done ], [ %n1, %count.one ]
  %count.more = icmp slt i32 %c, %rank
  br i1 %count.more, label %count.one, label %counted
count.one:
  %c.at = getelementptr i64, ptr %dims, i32 %c
  %c.size = load i64, ptr %c.at
  %n1 = mul i64 %n, %c.size
  %c1 = add i32 %c, 1
  br label %count.head
counted:
{word("least", "table", LEAST)}
{word("variants", "table", VARIANTS, "ptr")}
{word("most", "table", MOST_ELEMENTS)}
  %enough = icmp sge i64 %n, %least
  %not_too_many = icmp sle i64 %n, %most
  %right_size = and i1 %enough, %not_too_many
  br i1 %right_size, label %choose, label %slow_way
choose:
  %variant.offset = mul i64 %mask, {V_WORDS}
  %v = getelementptr i64, ptr %variants, i64 %variant.offset
{word("kernel", "v", V_KERNEL, "ptr")}
  %missing = icmp eq ptr %kernel, null
  br i1 %missing, label %slow_way, label %chosen
chosen:
{word("results", "table", RESULTS)}
{word("restable", "table", RESULT_TABLE, "ptr")}
{word("handler", "table", HANDLER, "ptr")}
{word("long", "v", V_LONG)}
  %places = getelementptr i64, ptr %v, i64 {V_PLACES}
  %rank.wide = sext i32 %rank to i64
  store i64 %n, ptr %size
  br label %place.head
place.head:
  %p = phi i64 [ 0, %chosen ], [ %p1, %place.one ]
  %place.more = icmp slt i64 %p, %nargs
  br i1 %place.more, label %place.one, label %make.head
place.one:
  %p.place.at = getelementptr i64, ptr %places, i64 %p
  %p.place = load i64, ptr %p.place.at
  %p.pointer.at = getelementptr ptr, ptr %pointers, i64 %p.place
  %p.found.at = getelementptr ptr, ptr %found, i64 %p
  %p.unread = icmp slt i64 %p.place, 0
  %p.kept.at = select i1 %p.unread, ptr %unread, ptr %p.pointer.at
  %p.found = load ptr, ptr %p.found.at
  store ptr %p.found, ptr %p.kept.at
  %p1 = add i64 %p, 1
  br label %place.head

make.head:
  %m = phi i64 [ 0, %place.head ], [ %m1, %make.fill ]
  %make.more = icmp slt i64 %m, %results
  br i1 %make.more, label %make, label %run
make:
  %r.offset = mul i64 %m, {R_WORDS}
  %r = getelementptr i64, ptr %restable, i64 %r.offset
{word("r.type", "r", R_TYPE)}
{word("r.size", "r", R_SIZE)}
{word("r.number", "r", R_NUMBER, "ptr")}
  %m.object = getelementptr ptr, ptr %objects, i64 %m
  %is_array.result = icmp eq ptr %r.number, null
  br i1 %is_array.result, label %make.array, label %make.number
make.number:
  store ptr null, ptr %m.object
  br label %make.fill
make.array:
  %made = call ptr @wengert_fresh(ptr %handler, i64 %rank.wide, ptr %dims, i64 %r.type, i64 %r.size)
  %made.failed = icmp eq ptr %made, null
  br i1 %made.failed, label %failed.head, label %make.made
make.made:
  store ptr %made, ptr %m.object
{field("made.data", "made", layout.DATA, "ptr")}
  br label %make.fill
make.fill:
  %m.data = phi ptr [ %value.of.result, %make.number ], [ %made.data, %make.made ]
  %r.index = add i64 %nargs, %m
  %r.place.at = getelementptr i64, ptr %places, i64 %r.index
  %r.place = load i64, ptr %r.place.at
  %r.pointer.at = getelementptr ptr, ptr %pointers, i64 %r.place
  store ptr %m.data, ptr %r.pointer.at
  %m1 = add i64 %m, 1
  br label %make.head

run:
  %is_long = icmp sge i64 %n, %long
  br i1 %is_long, label %run.long, label %run.short
run.short:
  %status.short = call i32 %kernel(ptr %pointers, ptr %size)
  br label %give
run.long:
  %thread = call ptr @PyEval_SaveThread()
  %status.long = call i32 %kernel(ptr %pointers, ptr %size)
  call void @PyEval_RestoreThread(ptr %thread)
  br label %give

give:
  %is_one = icmp eq i64 %results, 1
  br i1 %is_one, label %give.one, label %give.many
give.one:
  %only = load ptr, ptr %objects
  %is_number = icmp eq ptr %only, null
  br i1 %is_number, label %give.number, label %give.array
give.array:
  ret ptr %only
give.number:
{word("number.descr", "restable", R_NUMBER, "ptr")}
  %scalar.made = call ptr @wengert_array_scalar(ptr %value.of.result, ptr %number.descr, ptr null)
  ret ptr %scalar.made
give.many:
  %tuple = call ptr @PyTuple_New(i64 %results)
  %tuple.failed = icmp eq ptr %tuple, null
  br i1 %tuple.failed, label %failed.head, label %tuple.head
tuple.head:
  %u = phi i64 [ 0, %give.many ], [ %u1, %tuple.one ]
  %tuple.more = icmp slt i64 %u, %results
  br i1 %tuple.more, label %tuple.one, label %tuple.done
tuple.one:
  %u.object.at = getelementptr ptr, ptr %objects, i64 %u
  %u.object = load ptr, ptr %u.object.at
  %u.status = call i32 @PyTuple_SetItem(ptr %tuple, i64 %u, ptr %u.object)
  %u1 = add i64 %u, 1
  br label %tuple.head
tuple.done:
  ret ptr %tuple

failed.head:
  %left = phi i64 [ %m, %make.array ], [ %results, %give.many ], [ %left1, %failed.one ]
  %failed.more = icmp sgt i64 %left, 0
  br i1 %failed.more, label %failed.one, label %failed.done
failed.one:
  %left1 = sub i64 %left, 1
  %f.at = getelementptr ptr, ptr %objects, i64 %left1
  %f.object = load ptr, ptr %f.at
  call void @Py_DecRef(ptr %f.object)
  br label %failed.head
failed.done:
  ret ptr null

slow_way:
  %answer = call ptr @PyObject_Vectorcall(ptr %slow, ptr %args, i64 %nargs, ptr null)
  ret ptr %answer
}}
"""

TEXT: Final = DECLARATIONS + _DECLARATIONS + FRESH + _FUNCTION
