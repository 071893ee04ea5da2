"""Memory between the loops of a kernel, in LLVM IR: one block is kept for the next kernel that wants some."""

from __future__ import annotations

from typing import Final

_KEPT: Final = 1 << 28  # bytes that are kept at most

NAMES: Final = ("wengert_arena_take", "wengert_arena_give", "wengert_arena_drop")

ARENA_TEXT: Final = f"""
@wengert_arena = internal global i64 0, align 64

declare ptr @malloc(i64)
declare void @free(ptr)

; Memory of at least this size: what the last kernel gave back if it is large enough. Its size stands before it.
define ptr @wengert_arena_take(i64 %size) {{
entry:
  %kept.word = atomicrmw xchg ptr @wengert_arena, i64 0 acq_rel, align 8
  %there = icmp ne i64 %kept.word, 0
  br i1 %there, label %look, label %make
look:
  %kept = inttoptr i64 %kept.word to ptr
  %have = load i64, ptr %kept, align 8
  %enough = icmp uge i64 %have, %size
  br i1 %enough, label %give, label %drop
drop:
  call void @free(ptr %kept)
  br label %make
make:
  %room = add i64 %size, 128
  %made = call ptr @malloc(i64 %room)
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %none, label %note
none:
  ret ptr null
note:
  store i64 %size, ptr %made, align 8
  br label %give
give:
  %memory = phi ptr [ %kept, %look ], [ %made, %note ]
  %word = ptrtoint ptr %memory to i64
  %past = add i64 %word, 71
  %aligned = and i64 %past, -64
  %user = inttoptr i64 %aligned to ptr
  %back = getelementptr i64, ptr %user, i64 -1
  ; malloc aligns to 16, so there are at least 16 bytes between: the size, then where the block begins
  store i64 %word, ptr %back, align 8
  ret ptr %user
}}

define void @wengert_arena_give(ptr %user) {{
entry:
  %back = getelementptr i64, ptr %user, i64 -1
  %word = load i64, ptr %back, align 8
  %memory = inttoptr i64 %word to ptr
  %size = load i64, ptr %memory, align 8
  %small = icmp ule i64 %size, {_KEPT}
  br i1 %small, label %keep, label %drop
keep:
  %old.word = atomicrmw xchg ptr @wengert_arena, i64 %word acq_rel, align 8
  %old = inttoptr i64 %old.word to ptr
  call void @free(ptr %old)
  ret void
drop:
  call void @free(ptr %memory)
  ret void
}}

define void @wengert_arena_drop() {{
entry:
  %word = atomicrmw xchg ptr @wengert_arena, i64 0 acq_rel, align 8
  %memory = inttoptr i64 %word to ptr
  call void @free(ptr %memory)
  ret void
}}
"""
