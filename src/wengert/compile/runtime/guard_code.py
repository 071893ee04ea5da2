"""A part of the entry code, in LLVM IR: whether what a function reads from outside is what it was, by identity.

Reading goes by Python's C interface, so it may run Python code (an attribute that a class computes), and may raise:
then the answer is no, unless it is no ordinary exception (someone interrupts the program).
"""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime import entry_table as words
from wengert.compile.runtime import layout
from wengert.compile.runtime.entry_table import field, word

# What a guard reads: a word of memory, an item, an attribute, the function of a method, a number of members.
FIELD, ITEM, ATTRIBUTE, METHOD, SIZE = range(5)
# Words of a guard.
KIND, PLACE, KEY, WANTED, OWNER = range(5)
WORDS: Final = 5
NAME: Final = "wengert_guards_hold"

IMPORTS: Final = (
    "PyObject_GetItem",
    "PyObject_GetAttr",
    "PyObject_Size",
    "PyMethod_Function",
    "PyMethod_Self",
    "PyErr_ExceptionMatches",
    "PyErr_Clear",
)
DECLARATIONS: Final = """
@wengert_method_type = external global i8
@wengert_exception = external global i8
@wengert_true = external global i8
@wengert_false = external global i8
declare ptr @PyObject_GetItem(ptr, ptr)
declare ptr @PyObject_GetAttr(ptr, ptr)
declare i64 @PyObject_Size(ptr)
declare ptr @PyMethod_Function(ptr)
declare ptr @PyMethod_Self(ptr)
declare i32 @PyErr_ExceptionMatches(ptr)
declare void @PyErr_Clear()
"""

# 1: all guards hold. 0: one does not. -1: there is an exception that is not for us.
_HOLD: Final = f"""
define internal i32 @wengert_hold(ptr %rows, i64 %count) {{
entry:
  br label %head
head:
  %g = phi i64 [ 0, %entry ], [ %g1, %next ]
  %more = icmp slt i64 %g, %count
  br i1 %more, label %guard, label %yes
guard:
  %offset = mul i64 %g, {WORDS}
  %row = getelementptr i64, ptr %rows, i64 %offset
{word("kind", "row", KIND)}
{word("place", "row", PLACE, "ptr")}
{word("key", "row", KEY, "ptr")}
{word("wanted", "row", WANTED, "ptr")}
  switch i64 %kind, label %item [ i64 {FIELD}, label %field i64 {ATTRIBUTE}, label %attribute i64 {METHOD}, label
  %attribute i64 {SIZE}, label %size ]
field:
  %content = load ptr, ptr %place
  %field.right = icmp eq ptr %content, %wanted
  br i1 %field.right, label %next, label %no
size:
  %members = call i64 @PyObject_Size(ptr %place)
  %size.failed = icmp slt i64 %members, 0
  br i1 %size.failed, label %error, label %size.known
size.known:
  %size.wanted = ptrtoint ptr %wanted to i64
  %size.right = icmp eq i64 %members, %size.wanted
  br i1 %size.right, label %next, label %no
item:
  %item.value = call ptr @PyObject_GetItem(ptr %place, ptr %key)
  br label %read
attribute:
  %attribute.value = call ptr @PyObject_GetAttr(ptr %place, ptr %key)
  br label %read
read:
  %value = phi ptr [ %item.value, %item ], [ %attribute.value, %attribute ]
  %failed = icmp eq ptr %value, null
  br i1 %failed, label %error, label %found
found:
  %is_method = icmp eq i64 %kind, {METHOD}
  br i1 %is_method, label %method, label %compare
compare:
  %right = icmp eq ptr %value, %wanted
  br label %compared
method:
{field("type", "value", layout.TYPE, "ptr")}
  %type.right = icmp eq ptr %type, @wengert_method_type
  br i1 %type.right, label %method.parts, label %compared
method.parts:
{word("owner.wanted", "row", OWNER, "ptr")}
  %function = call ptr @PyMethod_Function(ptr %value)
  %owner = call ptr @PyMethod_Self(ptr %value)
  %function.right = icmp eq ptr %function, %wanted
  %owner.right = icmp eq ptr %owner, %owner.wanted
  %both.right = and i1 %function.right, %owner.right
  br label %compared
compared:
  %is_right = phi i1 [ %right, %compare ], [ false, %method ], [ %both.right, %method.parts ]
  call void @Py_DecRef(ptr %value)
  br i1 %is_right, label %next, label %no
next:
  %g1 = add i64 %g, 1
  br label %head
error:
  %is_ordinary.answer = call i32 @PyErr_ExceptionMatches(ptr @wengert_exception)
  %is_ordinary = icmp ne i32 %is_ordinary.answer, 0
  br i1 %is_ordinary, label %error.clear, label %error.stays
error.clear:
  call void @PyErr_Clear()
  br label %no
error.stays:
  ret i32 -1
yes:
  ret i32 1
no:
  ret i32 0
}}
"""

# The same as a function for Python, whose `self` is an array: how many guards, and where they are.
_FUNCTION: Final = f"""
define ptr @{NAME}(ptr %self, ptr %args, i64 %nargs) {{
{field("table", "self", layout.DATA, "ptr")}
{word("count", "table", 0)}
{word("rows", "table", 1, "ptr")}
  %answer = call i32 @wengert_hold(ptr %rows, i64 %count)
  %failed = icmp slt i32 %answer, 0
  br i1 %failed, label %error, label %fine
error:
  ret ptr null
fine:
  %holds = icmp ne i32 %answer, 0
  %result = select i1 %holds, ptr @wengert_true, ptr @wengert_false
  call void @Py_IncRef(ptr %result)
  ret ptr %result
}}
"""

HOLD: Final = _HOLD + _FUNCTION

# Before the arguments, from `guards.head` on to `args.begin` or to `slow_way`.
NAMES: Final = f"""names:
{word("names.count", "table", words.NAMES)}
{word("names.rows", "table", words.NAMES_TABLE, "ptr")}
  %names.none = icmp eq i64 %names.count, 0
  br i1 %names.none, label %args.begin, label %names.look
names.look:
  %names.answer = call i32 @wengert_hold(ptr %names.rows, i64 %names.count)
  switch i32 %names.answer, label %names.error [ i32 1, label %args.begin i32 0, label %slow_way ]
names.error:
  ret ptr null

"""
