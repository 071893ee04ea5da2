"""A part of the entry code, in LLVM IR: arguments compared with the table of what the kernel takes.

It begins at `args.begin` and goes on to `seen`, or to `slow_way` with what is not as expected. After the arguments of
the call come tensors that the table holds (HELD). On the way it writes the addresses of the arguments' data to
`%pointers`, the objects that own these to `%raws`, and lengths and strides to `%sizes`.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime import layout
from wengert.compile.runtime.entry_table import (
    A_AXES,
    A_DESCR,
    A_FLAGS,
    A_NDIM,
    A_PLAIN,
    A_POINTER,
    A_SCALAR,
    A_SCALAR2,
    A_SHIFT,
    A_STRIDES,
    A_TYPE,
    A_WORDS,
    BOX_DATA,
    BOX_PLAIN,
    FIXED,
    HELD,
    HELD_TABLE,
    LEARN,
    SAME,
    field,
    word,
)

ARGUMENTS: Final = f"""args.begin:
{word("held.count", "table", HELD)}
{word("held", "table", HELD_TABLE, "ptr")}
  %all = add i64 %nargs, %held.count
  %held.first = sub i64 0, %nargs
  %held.from = getelementptr ptr, ptr %held, i64 %held.first
  br label %args.head
args.head:
  %i = phi i64 [ 0, %args.begin ], [ %i1, %args.next ]
  %args.more = icmp slt i64 %i, %all
  br i1 %args.more, label %arg, label %seen

arg:
  %arg.offset = mul i64 %i, {A_WORDS}
  %a = getelementptr i64, ptr %argtable, i64 %arg.offset
  %is_given = icmp slt i64 %i, %nargs
  %arg.from = select i1 %is_given, ptr %args, ptr %held.from
  %arg.at = getelementptr ptr, ptr %arg.from, i64 %i
  %object = load ptr, ptr %arg.at
  %raw.slot = getelementptr ptr, ptr %raws, i64 %i
  store ptr null, ptr %raw.slot
{field("type", "object", layout.TYPE, "ptr")}
{word("a.pointer", "a", A_POINTER)}
  %a.is_read = icmp sge i64 %a.pointer, 0
  br i1 %a.is_read, label %read, label %args.next
read:
  %slot = getelementptr ptr, ptr %pointers, i64 %a.pointer
  %is_array = icmp eq ptr %type, @wengert_array_type
  br i1 %is_array, label %array, label %other

other:
{word("a.type", "a", A_TYPE, "ptr")}
  %is_box = icmp eq ptr %type, %a.type
  br i1 %is_box, label %unbox, label %scalar

unbox:
{word("plain.count", "table", BOX_PLAIN)}
{word("plain", "a", A_PLAIN, "ptr")}
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
  %pair.found.at = getelementptr i8, ptr %object, i64 %pair.offset
  %pair.found = load i64, ptr %pair.found.at
  %pair.right = icmp eq i64 %pair.found, %pair.value
  br i1 %pair.right, label %plain.next, label %slow_way
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
  store ptr %s, ptr %raw.slot
  %s.data = getelementptr i8, ptr %s, i64 {layout.SCALAR}
  store ptr %s.data, ptr %slot
  br label %args.next

array:
  %x = phi ptr [ %object, %read ], [ %raw, %raw.there ]
  store ptr %x, ptr %raw.slot
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

"""
