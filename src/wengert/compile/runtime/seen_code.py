"""A part of the entry code, in LLVM IR: whether a call of these sizes is one that the kernel may take.

A kernel with symbolic sizes can take any; but what a function does may follow from its arguments' shapes, so that each
has to be seen by whoever traces it. The hash table in which this looks is filled in by :mod:`.seen`.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime import entry_table as words
from wengert.compile.runtime.entry_table import word

FACTOR: Final = 0x9E3779B97F4A7C15  # the golden ratio
_SIGNED: Final = FACTOR - (1 << 64)
SHIFT: Final = 32

SEEN: Final = f"""seen:
{word("seen.where", "table", words.SEEN, "ptr")}
  %seen.all = icmp eq ptr %seen.where, null
  br i1 %seen.all, label %results, label %seen.look
seen.look:
  %seen.table = load ptr, ptr %seen.where
{word("seen.count", "seen.table", words.SEEN_COUNT)}
{word("seen.mask", "seen.table", words.SEEN_MASK)}
{word("seen.rows", "seen.table", words.SEEN_ROWS, "ptr")}
{word("seen.numbers", "seen.table", words.SEEN_NUMBERS, "ptr")}
{word("seen.ranges", "seen.table", words.SEEN_RANGES, "ptr")}
  %seen.width = add i64 %seen.count, 1
  %seen.none = icmp eq ptr %seen.ranges, null
  br i1 %seen.none, label %hash.begin, label %range.head
range.head:
  %span = phi i64 [ 0, %seen.look ], [ %span1, %range.one ]
  %range.more = icmp slt i64 %span, %seen.count
  br i1 %range.more, label %range.one, label %results
range.one:
  %span1 = add i64 %span, 1
  %span.number.at = getelementptr i64, ptr %seen.numbers, i64 %span
  %span.number = load i64, ptr %span.number.at
  %span.size.at = getelementptr i64, ptr %sizes, i64 %span.number
  %span.size = load i64, ptr %span.size.at
  %span.low.at = getelementptr [2 x i64], ptr %seen.ranges, i64 %span
  %span.low = load i64, ptr %span.low.at
  %span.high.at = getelementptr i64, ptr %span.low.at, i64 1
  %span.high = load i64, ptr %span.high.at
  %span.least = icmp sge i64 %span.size, %span.low
  %span.most = icmp sle i64 %span.size, %span.high
  %span.within = and i1 %span.least, %span.most
  br i1 %span.within, label %range.head, label %hash.begin
hash.begin:
  br label %hash.head
hash.head:
  %h = phi i64 [ 0, %hash.begin ], [ %h1, %hash.one ]
  %hash = phi i64 [ 0, %hash.begin ], [ %hash.next, %hash.one ]
  %hash.more = icmp slt i64 %h, %seen.count
  br i1 %hash.more, label %hash.one, label %probe.first
hash.one:
  %h.number.at = getelementptr i64, ptr %seen.numbers, i64 %h
  %h.number = load i64, ptr %h.number.at
  %h.size.at = getelementptr i64, ptr %sizes, i64 %h.number
  %h.size = load i64, ptr %h.size.at
  %hash.with = xor i64 %hash, %h.size
  %hash.times = mul i64 %hash.with, {_SIGNED}
  %hash.high = lshr i64 %hash.times, {SHIFT}
  %hash.next = xor i64 %hash.times, %hash.high
  %h1 = add i64 %h, 1
  br label %hash.head
probe.first:
  %place.first = and i64 %hash, %seen.mask
  br label %probe
probe:
  %place = phi i64 [ %place.first, %probe.first ], [ %place.next, %probe.on ]
  %row.offset = mul i64 %place, %seen.width
  %row = getelementptr i64, ptr %seen.rows, i64 %row.offset
  %row.used = load i64, ptr %row
  %row.free = icmp eq i64 %row.used, 0
  br i1 %row.free, label %slow_way, label %same.head
same.head:
  %e = phi i64 [ 0, %probe ], [ %e1, %same.one ]
  %same.more = icmp slt i64 %e, %seen.count
  br i1 %same.more, label %same.one, label %results
same.one:
  %e1 = add i64 %e, 1
  %e.wanted.at = getelementptr i64, ptr %row, i64 %e1
  %e.wanted = load i64, ptr %e.wanted.at
  %e.number.at = getelementptr i64, ptr %seen.numbers, i64 %e
  %e.number = load i64, ptr %e.number.at
  %e.size.at = getelementptr i64, ptr %sizes, i64 %e.number
  %e.size = load i64, ptr %e.size.at
  %e.same = icmp eq i64 %e.size, %e.wanted
  br i1 %e.same, label %same.head, label %probe.on
probe.on:
  %place.more = add i64 %place, 1
  %place.next = and i64 %place.more, %seen.mask
  br label %probe

"""
