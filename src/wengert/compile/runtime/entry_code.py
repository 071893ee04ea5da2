"""The code that every compiled call goes through, in LLVM IR: arguments checked, results made, the kernel run.

One function serves all kernels. What a kernel takes and gives stands in tables (:mod:`.entry_table`), whose address is
in the object that Python passes as `self`. Whatever is not exactly as the tables say is handed to a Python function.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime import entry_table as words
from wengert.compile.runtime import layout
from wengert.compile.runtime.argument_code import ARGUMENTS
from wengert.compile.runtime.entry_table import MOST, field, word
from wengert.compile.runtime.result_code import FAILED, FRESH, MADE, WRAPPED

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

_HEAD: Final = f"""
define ptr @wengert_call(ptr %self, ptr %args, i64 %nargs) {{
entry:
  %pointers = alloca ptr, i64 {2 * MOST}, align 16
  %sizes = alloca i64, i64 {2 * MOST}, align 16
  %shapes = alloca i64, i64 {MOST}, align 16
  %objects = alloca ptr, i64 {MOST}, align 16
  %numbers = alloca i64, i64 {MOST}, align 16
{field("table", "self", layout.DATA, "ptr")}
{word("slow", "table", words.SLOW, "ptr")}
{word("wanted", "table", words.ARGUMENTS)}
{word("box", "table", words.BOX, "ptr")}
{word("argtable", "table", words.ARGUMENT_TABLE, "ptr")}
  %right_count = icmp eq i64 %nargs, %wanted
  br i1 %right_count, label %args.head, label %slow_way

"""

_RUN: Final = f"""run:
{word("kernel", "table", words.ENTRY, "ptr")}
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

"""

_SLOW_WAY: Final = """slow_way:
  %answer = call ptr @PyObject_Vectorcall(ptr %slow, ptr %args, i64 %nargs, ptr null)
  ret ptr %answer
}
"""

TEXT: Final = DECLARATIONS + FRESH + _HEAD + ARGUMENTS + MADE + _RUN + WRAPPED + FAILED + _SLOW_WAY
