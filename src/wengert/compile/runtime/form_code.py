"""A part of the entry code, in LLVM IR: results put into the tuples in which the function gives them.

It begins at `give`, after all results are in `%objects`. How they are nested stands in the table FORM: 0 takes the
next result, -1 - n makes a tuple of the last n things that were taken or made. Nothing at all gives None.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime import layout
from wengert.compile.runtime.entry_table import FORM, FORM_TABLE, MOST, word

NEXT: Final = 0


def tuple_of(count: int) -> int:
    """What makes a tuple of the last so many things."""
    return -1 - count


# Things that are not in a tuple yet lie in `%stack`; an exception drops them, and the results that were not taken.
GIVEN: Final = f"""give:
{word("form.length", "table", FORM)}
{word("form", "table", FORM_TABLE, "ptr")}
  %form.empty = icmp eq i64 %form.length, 0
  br i1 %form.empty, label %give.none, label %form.begin
give.none:
  call void @Py_IncRef(ptr @wengert_none)
  ret ptr @wengert_none
form.begin:
  br label %form.head
form.head:
  %form.step = phi i64 [ 0, %form.begin ], [ %form.taken, %form.take ], [ %form.packed, %form.pack ]
  %depth = phi i64 [ 0, %form.begin ], [ %depth.taken, %form.take ], [ %depth.packed, %form.pack ]
  %taken = phi i64 [ 0, %form.begin ], [ %taken1, %form.take ], [ %taken, %form.pack ]
  %form.more = icmp slt i64 %form.step, %form.length
  br i1 %form.more, label %form.one, label %form.done
form.one:
  %form.code.at = getelementptr i64, ptr %form, i64 %form.step
  %form.code = load i64, ptr %form.code.at
  %form.takes = icmp sge i64 %form.code, 0
  br i1 %form.takes, label %form.take, label %form.tuple
form.take:
  %take.at = getelementptr ptr, ptr %objects, i64 %taken
  %take.object = load ptr, ptr %take.at
  %take.top = getelementptr ptr, ptr %stack, i64 %depth
  store ptr %take.object, ptr %take.top
  %form.taken = add i64 %form.step, 1
  %depth.taken = add i64 %depth, 1
  %taken1 = add i64 %taken, 1
  br label %form.head
form.tuple:
  %members = sub i64 -1, %form.code
  %tuple = call ptr @PyTuple_New(i64 %members)
  %tuple.failed = icmp eq ptr %tuple, null
  br i1 %tuple.failed, label %form.failed, label %form.fill
form.fill:
  %bottom = sub i64 %depth, %members
  %bottom.at = getelementptr ptr, ptr %stack, i64 %bottom
  %items = getelementptr i8, ptr %tuple, i64 {layout.ITEMS}
  br label %item.head
item.head:
  %u = phi i64 [ 0, %form.fill ], [ %u1, %item.one ]
  %item.more = icmp slt i64 %u, %members
  br i1 %item.more, label %item.one, label %form.pack
item.one:
  %item.from = getelementptr ptr, ptr %bottom.at, i64 %u
  %item = load ptr, ptr %item.from
  %item.to = getelementptr ptr, ptr %items, i64 %u
  store ptr %item, ptr %item.to
  %u1 = add i64 %u, 1
  br label %item.head
form.pack:
  store ptr %tuple, ptr %bottom.at
  %form.packed = add i64 %form.step, 1
  %depth.packed = add i64 %bottom, 1
  br label %form.head
form.done:
  %whole = load ptr, ptr %stack
  ret ptr %whole

form.failed:
  call void @wengert_drop(ptr %stack, i64 0, i64 %depth)
  call void @wengert_drop(ptr %objects, i64 %taken, i64 %count)
  ret ptr null

"""

# Give back what lies in an array of objects, from one place to another; a null is none.
DROP: Final = """
define internal void @wengert_drop(ptr %objects, i64 %first, i64 %end) {
entry:
  br label %head
head:
  %i = phi i64 [ %first, %entry ], [ %i1, %one ]
  %more = icmp slt i64 %i, %end
  br i1 %more, label %one, label %done
one:
  %at = getelementptr ptr, ptr %objects, i64 %i
  %object = load ptr, ptr %at
  call void @Py_DecRef(ptr %object)
  %i1 = add i64 %i, 1
  br label %head
done:
  ret void
}
"""

STACK: Final = f"  %stack = alloca ptr, i64 {2 * MOST}, align 16"
