"""The code that every compiled call goes through, in LLVM IR: arguments checked, results made, the kernel run.

One function serves all kernels. What a kernel takes and gives stands in tables (:mod:`.entry_table`), whose address is
in the object that Python passes as `self`. Whatever is not exactly as the tables say is handed to a Python function.
Before anything else it looks at the mark of the thread, and compares words in memory with what they were
(guards): the state of thread and process that decides whether a call may run the kernel at all; then at what the
function reads from outside (:mod:`.guard_code`).
"""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime import entry_table as words
from wengert.compile.runtime import layout
from wengert.compile.runtime.argument_code import ARGUMENTS
from wengert.compile.runtime.entry_table import MOST, field, word
from wengert.compile.runtime.form_code import DROP, GIVEN, STACK
from wengert.compile.runtime.guard_code import DECLARATIONS as GUARDS
from wengert.compile.runtime.guard_code import HOLD, NAMES
from wengert.compile.runtime.result_code import FAILED, FRESH, MADE, WRAPPED
from wengert.compile.runtime.seen_code import SEEN

IMPORTS: Final = (
    "PyObject_Vectorcall",
    "PyEval_SaveThread",
    "PyEval_RestoreThread",
    "Py_IncRef",
    "Py_DecRef",
    "PyTuple_New",
    "PyTuple_SetItem",
    "PyType_GenericAlloc",
    "PyThread_tss_get",
)
NAME: Final = "wengert_call"

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
declare ptr @PyThread_tss_get(ptr)
declare ptr @wengert_array_new(ptr, i32, ptr, i32, ptr, ptr, i32, i32, ptr)
declare ptr @wengert_array_scalar(ptr, ptr, ptr)
declare ptr @wengert_set_handler(ptr)
"""

_HEAD: Final = f"""
define ptr @wengert_call(ptr %self, ptr %args, i64 %nargs, ptr %keywords) {{
entry:
  %pointers = alloca ptr, i64 {2 * MOST}, align 16
  %sizes = alloca i64, i64 {2 * MOST}, align 16
  %shapes = alloca i64, i64 {MOST}, align 16
  %objects = alloca ptr, i64 {MOST}, align 16
  %raws = alloca ptr, i64 {MOST}, align 16
  %numbers = alloca i64, i64 {MOST}, align 16
{STACK}
{field("table", "self", layout.DATA, "ptr")}
{word("slow", "table", words.SLOW, "ptr")}
{word("wanted", "table", words.ARGUMENTS)}
{word("box", "table", words.BOX, "ptr")}
{word("argtable", "table", words.ARGUMENT_TABLE, "ptr")}
{word("guard.count", "table", words.GUARDS)}
{word("guardtable", "table", words.GUARD_TABLE, "ptr")}
  %right_count = icmp eq i64 %nargs, %wanted
  %no_keywords = icmp eq ptr %keywords, null
  %right_call = and i1 %right_count, %no_keywords
  br i1 %right_call, label %mark.look, label %slow_way
mark.look:
{word("mark", "table", words.MARK, "ptr")}
  %no_mark = icmp eq ptr %mark, null
  br i1 %no_mark, label %guards.begin, label %mark.ask
mark.ask:
  %marked = call ptr @PyThread_tss_get(ptr %mark)
  %is_unmarked = icmp eq ptr %marked, null
  br i1 %is_unmarked, label %guards.begin, label %mark.other
mark.other:
{word("box.mark", "table", words.BOX_MARK, "ptr")}
  %is_marked = icmp eq ptr %marked, %box.mark
  br i1 %is_marked, label %guards.begin, label %slow_way
guards.begin:
  %template.word = phi i64 [ {words.BOX_TEMPLATE_TABLE}, %mark.look ], [ {words.BOX_TEMPLATE_TABLE}, %mark.ask ],
    [ {words.BOX_MARKED}, %mark.other ]
  %template.at = getelementptr i64, ptr %table, i64 %template.word
  br label %guards.head
guards.head:
  %g = phi i64 [ 0, %guards.begin ], [ %g1, %guard ]
  %guards.more = icmp slt i64 %g, %guard.count
  br i1 %guards.more, label %guard, label %names
guard:
  %g.twice = mul i64 %g, 2
  %g.row = getelementptr i64, ptr %guardtable, i64 %g.twice
  %g.place = load ptr, ptr %g.row
  %g.wanted.at = getelementptr i64, ptr %g.row, i64 1
  %g.wanted = load i64, ptr %g.wanted.at
  %g.found = load i64, ptr %g.place
  %g.right = icmp eq i64 %g.found, %g.wanted
  %g1 = add i64 %g, 1
  br i1 %g.right, label %guards.head, label %slow_way

"""

_RUN: Final = f"""run:
{word("kernel", "table", words.ENTRY, "ptr")}
  br i1 %is_long, label %run.long, label %run.short
run.short:
  %status.short = call i32 %kernel(ptr %pointers, ptr %sizes)
  br label %ran
run.long:
  %thread = call ptr @PyEval_SaveThread()
  %status.long = call i32 %kernel(ptr %pointers, ptr %sizes)
  call void @PyEval_RestoreThread(ptr %thread)
  call void @wengert_drop(ptr %raws, i64 0, i64 %all)
  br label %ran
ran:
  %status = phi i32 [ %status.short, %run.short ], [ %status.long, %run.long ]
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %wrap.head, label %refused

"""

_SLOW_WAY: Final = """slow_way:
  %answer = call ptr @PyObject_Vectorcall(ptr %slow, ptr %args, i64 %nargs, ptr %keywords)
  ret ptr %answer
}
"""

TEXT: Final = (
    DECLARATIONS
    + GUARDS
    + HOLD
    + FRESH
    + DROP
    + _HEAD
    + NAMES
    + ARGUMENTS
    + SEEN
    + MADE
    + _RUN
    + WRAPPED
    + GIVEN
    + FAILED
    + _SLOW_WAY
)
