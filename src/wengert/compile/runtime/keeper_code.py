"""Large arrays' memory kept for the next large array, in LLVM IR: a memory handler for NumPy.

A fresh array of some MB is memory that the system hands out page by page, and taking it takes longer than filling it.
Blocks that are given back are kept in a few slots, up to a limit, and used again for arrays of about their size. A
block has its size in front of it. Slots are exchanged atomically, so any thread may free.
"""

from __future__ import annotations

from typing import Final

LARGE: Final = 1 << 20  # bytes from which results have memory from here
_SLOTS: Final = 8
_KEPT: Final = 256 << 20
_FRONT: Final = 64
_HUGE: Final = 4 << 20  # bytes from which large pages are asked for
_PAGE: Final = 2 << 20
_MADV_HUGEPAGE: Final = 14

NAMES: Final = ("wengert_keep_malloc", "wengert_keep_calloc", "wengert_keep_realloc", "wengert_keep_free")
DROP_NAME: Final = "wengert_keep_drop"
KEPT_NAME: Final = "wengert_kept"

KEEPER_TEXT: Final = f"""
@wengert_slots = internal global [{_SLOTS} x i64] zeroinitializer, align 64
@wengert_kept = global i64 0, align 64

declare ptr @aligned_alloc(i64, i64)
declare i32 @madvise(ptr, i64, i32)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

define ptr @wengert_keep_malloc(ptr %context, i64 %size) {{
entry:
  br label %look
look:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %more = icmp slt i64 %i, {_SLOTS}
  br i1 %more, label %slot, label %make
slot:
  %at = getelementptr i64, ptr @wengert_slots, i64 %i
  %seen = load atomic i64, ptr %at monotonic, align 8
  %maybe = icmp ne i64 %seen, 0
  br i1 %maybe, label %take, label %next
take:
  %word = atomicrmw xchg ptr %at, i64 0 acq_rel, align 8
  %there = icmp ne i64 %word, 0
  br i1 %there, label %weigh, label %next
weigh:
  %block = inttoptr i64 %word to ptr
  %have = load i64, ptr %block, align 8
  %enough = icmp uge i64 %have, %size
  %half = lshr i64 %have, 1
  %close = icmp ule i64 %half, %size
  %fits = and i1 %enough, %close
  br i1 %fits, label %found, label %back
back:
  %other.word = atomicrmw xchg ptr %at, i64 %word acq_rel, align 8
  %crowded = icmp ne i64 %other.word, 0
  br i1 %crowded, label %drop, label %next
drop:
  %other = inttoptr i64 %other.word to ptr
  %other.size = load i64, ptr %other, align 8
  %d = atomicrmw sub ptr @wengert_kept, i64 %other.size monotonic, align 8
  call void @free(ptr %other)
  br label %next
next:
  %i1 = add i64 %i, 1
  br label %look
found:
  %f = atomicrmw sub ptr @wengert_kept, i64 %have monotonic, align 8
  br label %give
make:
  %huge = icmp uge i64 %size, {_HUGE}
  %align = select i1 %huge, i64 {_PAGE}, i64 64
  %room.front = add i64 %size, {_FRONT - 1}
  %room.more = add i64 %room.front, %align
  %mask = sub i64 0, %align
  %room = and i64 %room.more, %mask
  %made = call ptr @aligned_alloc(i64 %align, i64 %room)
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %none, label %note
none:
  ret ptr null
note:
  store i64 %size, ptr %made, align 8
  br i1 %huge, label %advise, label %give
advise:
  %advised = call i32 @madvise(ptr %made, i64 %room, i32 {_MADV_HUGEPAGE})
  br label %give
give:
  %memory = phi ptr [ %block, %found ], [ %made, %note ], [ %made, %advise ]
  %user = getelementptr i8, ptr %memory, i64 {_FRONT}
  ret ptr %user
}}

define void @wengert_keep_free(ptr %context, ptr %user, i64 %claimed) {{
entry:
  %null = icmp eq ptr %user, null
  br i1 %null, label %out, label %some
some:
  %block = getelementptr i8, ptr %user, i64 -{_FRONT}
  %size = load i64, ptr %block, align 8
  %kept = load atomic i64, ptr @wengert_kept monotonic, align 8
  %after = add i64 %kept, %size
  %small = icmp ule i64 %after, {_KEPT}
  %word = ptrtoint ptr %block to i64
  br i1 %small, label %look, label %drop
look:
  %i = phi i64 [ 0, %some ], [ %i1, %next ]
  %more = icmp slt i64 %i, {_SLOTS}
  br i1 %more, label %slot, label %drop
slot:
  %at = getelementptr i64, ptr @wengert_slots, i64 %i
  %pair = cmpxchg ptr %at, i64 0, i64 %word acq_rel monotonic, align 8
  %put = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %put, label %noted, label %next
next:
  %i1 = add i64 %i, 1
  br label %look
noted:
  %n = atomicrmw add ptr @wengert_kept, i64 %size monotonic, align 8
  ret void
drop:
  call void @free(ptr %block)
  ret void
out:
  ret void
}}

; Give all kept blocks back to the system.
define void @wengert_keep_drop() {{
entry:
  br label %look
look:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %more = icmp slt i64 %i, {_SLOTS}
  br i1 %more, label %slot, label %out
slot:
  %at = getelementptr i64, ptr @wengert_slots, i64 %i
  %word = atomicrmw xchg ptr %at, i64 0 acq_rel, align 8
  %there = icmp ne i64 %word, 0
  br i1 %there, label %drop, label %next
drop:
  %block = inttoptr i64 %word to ptr
  %size = load i64, ptr %block, align 8
  %d = atomicrmw sub ptr @wengert_kept, i64 %size monotonic, align 8
  call void @free(ptr %block)
  br label %next
next:
  %i1 = add i64 %i, 1
  br label %look
out:
  ret void
}}

define ptr @wengert_keep_calloc(ptr %context, i64 %count, i64 %each) {{
  %size = mul i64 %count, %each
  %user = call ptr @wengert_keep_malloc(ptr %context, i64 %size)
  %failed = icmp eq ptr %user, null
  br i1 %failed, label %out, label %clear
clear:
  call void @llvm.memset.p0.i64(ptr %user, i8 0, i64 %size, i1 false)
  ret ptr %user
out:
  ret ptr null
}}

define ptr @wengert_keep_realloc(ptr %context, ptr %user, i64 %size) {{
  %fresh = call ptr @wengert_keep_malloc(ptr %context, i64 %size)
  %failed = icmp eq ptr %fresh, null
  br i1 %failed, label %out, label %copy
copy:
  %block = getelementptr i8, ptr %user, i64 -{_FRONT}
  %had = load i64, ptr %block, align 8
  %less = icmp ult i64 %had, %size
  %moved = select i1 %less, i64 %had, i64 %size
  call void @llvm.memcpy.p0.p0.i64(ptr %fresh, ptr %user, i64 %moved, i1 false)
  call void @wengert_keep_free(ptr %context, ptr %user, i64 %had)
  ret ptr %fresh
out:
  ret ptr null
}}
"""
