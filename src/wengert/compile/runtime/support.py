"""The machine code that kernels call: dealing out shares of a loop, and memory between loops."""

from __future__ import annotations

from functools import cache
from typing import Final

from wengert.compile.llvm import machine
from wengert.compile.runtime.linking import compiled_object

NAMES: Final = ("wengert_share_out", "wengert_arena_take", "wengert_arena_give")

_TEXT: Final = """
declare ptr @malloc(i64)
declare void @free(ptr)

define void @wengert_share_out(ptr %function, ptr %context, i64 %n, i64 %chunk) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %top, label %done
top:
  %low = phi i64 [ 0, %entry ], [ %next, %top ]
  %number = phi i64 [ 0, %entry ], [ %number1, %top ]
  %next = add i64 %low, %chunk
  %over = icmp sgt i64 %next, %n
  %high = select i1 %over, i64 %n, i64 %next
  call void %function(ptr %context, i64 %low, i64 %high, i64 %number)
  %number1 = add i64 %number, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %top, label %done
done:
  ret void
}

define ptr @wengert_arena_take(i64 %size) {
  %memory = call ptr @malloc(i64 %size)
  ret ptr %memory
}

define void @wengert_arena_give(ptr %memory) {
  call void @free(ptr %memory)
  ret void
}
"""


class Support:
    """The linked code and its addresses."""

    def __init__(self) -> None:
        self.linked = machine.link(compiled_object(_TEXT), NAMES, {})
        self.addresses = {name: self.linked.address(name) for name in NAMES}


@cache
def support() -> Support:
    """The support code of this process."""
    return Support()
