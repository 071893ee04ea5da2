"""The code that kernels call, in LLVM IR: shares of a loop dealt out to threads, and memory between loops.

One job at a time is posted to the waiting workers: a function, its context, a range. Shares are claimed by advancing
a ticket, which has the job's number in its upper half: a claim succeeds only if the job is still the one whose
description was read. The caller claims too, and waits only for shares that others have claimed, so a worker that
wakes late or not at all (after a fork) costs nothing. A caller who finds the pool taken does all shares itself.

Workers sleep on a futex (Linux). Elsewhere there are none, and the caller does the work.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    "wengert_share_out",
    "wengert_arena_take",
    "wengert_arena_give",
    "wengert_worker",
    "wengert_pool",
    "wengert_pool_reset",
    "wengert_arena_drop",
)

_PAUSE: Final = {
    "x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "aarch64": ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"),
}
_FUTEX: Final = {"x86_64": 202, "aarch64": 98}
_WAIT, _WAKE = 128, 129  # private to the process
_SPINS: Final = 1500

# Words of the pool: 0 taken, 1 threads that may work, 2 workers asleep, 3 the futex's word (the number of jobs).
# Then the job: 4 function, 5 context, 6 range, 7 share, 8 number of shares. 16 ticket, 24 shares done, each on a line
# of its own, and 32 memory kept for the next kernel that wants some, and 33 its size.
TAKEN, THREADS, ASLEEP, JOBS, FUNCTION, CONTEXT, RANGE, SHARE, SHARES = range(9)
TICKET: Final = 16
DONE: Final = 24
ARENA: Final = 32
_KEPT: Final = 1 << 28  # bytes of memory that are kept at most


def support_text(architecture: str, linux: bool) -> str:
    """The module for a machine."""
    declare, pause = _PAUSE.get(architecture, ("", ""))
    number = _FUTEX.get(architecture) if linux else None
    wait, wake = _sleep(number)
    text = _TEXT
    for name, value in {
        "DECLARE_PAUSE": declare,
        "PAUSE": pause,
        "WAIT": wait,
        "WAKE": wake,
        "SPINS": str(_SPINS),
        "KEPT": str(_KEPT),
    }.items():
        text = text.replace(f"<{name}>", value)
    return text


def _sleep(number: int | None) -> tuple[str, str]:
    """Waiting on the number of jobs, and waking; nothing where there is no futex."""
    if number is None:
        return "", ""
    call = f"call i64 (i64, ...) @syscall(i64 {number}, ptr %jobs, i64"
    return (
        f"%waited = {call} {_WAIT}, i64 %seen.wide, ptr null, ptr null, i64 0)",
        f"%woken = {call} {_WAKE}, i64 %helpers, ptr null, ptr null, i64 0)",
    )


def _pool_word(name: str, number: int) -> str:
    return f"  %{name} = getelementptr i64, ptr @wengert_pool, i64 {number}\n"


_WORDS: Final = "".join(
    [
        _pool_word(name, number)
        for name, number in (
            ("threads", THREADS),
            ("asleep", ASLEEP),
            ("jobs", JOBS),
            ("function.at", FUNCTION),
            ("context.at", CONTEXT),
            ("range.at", RANGE),
            ("share.at", SHARE),
            ("shares.at", SHARES),
            ("ticket", TICKET),
            ("done", DONE),
        )
    ]
)

_TEXT: Final = (
    """
@wengert_pool = global [64 x i64] zeroinitializer, align 64

declare ptr @malloc(i64)
declare void @free(ptr)
declare i64 @syscall(i64, ...)
declare i32 @sched_yield()
<DECLARE_PAUSE>

; Claim shares of the posted job and do them until none is left; how many were done.
define internal i64 @wengert_work() {
entry:
"""
    + _WORDS
    + """
  br label %claim
claim:
  %count = phi i64 [ 0, %entry ], [ %count, %lost ], [ %count1, %did ]
  %t = load atomic i64, ptr %ticket acquire, align 8
  %number = and i64 %t, 4294967295
  %shares = load atomic i64, ptr %shares.at monotonic, align 8
  %function.word = load atomic i64, ptr %function.at monotonic, align 8
  %context.word = load atomic i64, ptr %context.at monotonic, align 8
  %range = load atomic i64, ptr %range.at monotonic, align 8
  %share = load atomic i64, ptr %share.at monotonic, align 8
  %none = icmp uge i64 %number, %shares
  br i1 %none, label %out, label %try
try:
  %t1 = add i64 %t, 1
  %pair = cmpxchg ptr %ticket, i64 %t, i64 %t1 acq_rel monotonic, align 8
  %won = extractvalue { i64, i1 } %pair, 1
  br i1 %won, label %do, label %lost
lost:
  br label %claim
do:
  %function = inttoptr i64 %function.word to ptr
  %context = inttoptr i64 %context.word to ptr
  %low = mul i64 %number, %share
  %end = add i64 %low, %share
  %over = icmp sgt i64 %end, %range
  %high = select i1 %over, i64 %range, i64 %end
  call void %function(ptr %context, i64 %low, i64 %high, i64 %number)
  %before = atomicrmw add ptr %done, i64 1 acq_rel, align 8
  br label %did
did:
  %count1 = add i64 %count, 1
  br label %claim
out:
  ret i64 %count
}

; A worker's life: look for a job, do shares, look for a while, sleep. It never returns.
define void @wengert_worker(i64 %index) {
entry:
"""
    + _WORDS
    + """
  br label %look
look:
  %seen.wide = load atomic i64, ptr %jobs acquire, align 8
  %allowed = load atomic i64, ptr %threads monotonic, align 8
  %mine = add i64 %index, 1
  %may = icmp slt i64 %mine, %allowed
  br i1 %may, label %work, label %sleep
work:
  %some = call i64 @wengert_work()
  br label %spin
spin:
  %i = phi i64 [ 0, %work ], [ %i1, %again ]
  <PAUSE>
  %now = load atomic i64, ptr %jobs monotonic, align 8
  %new = icmp ne i64 %now, %seen.wide
  br i1 %new, label %look, label %again
again:
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, <SPINS>
  br i1 %more, label %spin, label %sleep
sleep:
  %a = atomicrmw add ptr %asleep, i64 1 seq_cst, align 8
  <WAIT>
  %b = atomicrmw sub ptr %asleep, i64 1 seq_cst, align 8
  br label %look
}

; Do function(context, low, high, number) for each share of range(n).
define void @wengert_share_out(ptr %f, ptr %c, i64 %n, i64 %size) {
entry:
"""
    + _WORDS
    + """
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %several, label %finished
several:
  %n.more = add i64 %n, %size
  %n.top = sub i64 %n.more, 1
  %shares = sdiv i64 %n.top, %size
  %allowed = load atomic i64, ptr %threads monotonic, align 8
  %two.threads = icmp sgt i64 %allowed, 1
  %two.shares = icmp sgt i64 %shares, 1
  %two = and i1 %two.threads, %two.shares
  br i1 %two, label %take, label %alone
take:
  %pair = cmpxchg ptr @wengert_pool, i64 0, i64 1 acq_rel monotonic, align 8
  %took = extractvalue { i64, i1 } %pair, 1
  br i1 %took, label %post, label %alone

alone:
  br label %alone.next
alone.next:
  %low = phi i64 [ 0, %alone ], [ %low1, %alone.next ]
  %number = phi i64 [ 0, %alone ], [ %number1, %alone.next ]
  %low1 = add i64 %low, %size
  %over = icmp sgt i64 %low1, %n
  %high = select i1 %over, i64 %n, i64 %low1
  call void %f(ptr %c, i64 %low, i64 %high, i64 %number)
  %number1 = add i64 %number, 1
  %more = icmp slt i64 %low1, %n
  br i1 %more, label %alone.next, label %finished

post:
  ; The ticket of the last job is used up and stays so while this one is described.
  %old = load atomic i64, ptr %ticket acquire, align 8
  %job = lshr i64 %old, 32
  %job1 = add i64 %job, 1
  %closed.top = shl i64 %job1, 32
  %closed = or i64 %closed.top, 2147483648
  store atomic i64 %closed, ptr %ticket seq_cst, align 8
  %f.word = ptrtoint ptr %f to i64
  %c.word = ptrtoint ptr %c to i64
  store atomic i64 %f.word, ptr %function.at release, align 8
  store atomic i64 %c.word, ptr %context.at release, align 8
  store atomic i64 %n, ptr %range.at release, align 8
  store atomic i64 %size, ptr %share.at release, align 8
  store atomic i64 %shares, ptr %shares.at release, align 8
  store atomic i64 0, ptr %done release, align 8
  %job2 = add i64 %job1, 1
  %open = shl i64 %job2, 32
  store atomic i64 %open, ptr %ticket seq_cst, align 8
  %j = load atomic i64, ptr %jobs monotonic, align 8
  %j1 = add i64 %j, 1
  %j2 = and i64 %j1, 2147483647
  store atomic i64 %j2, ptr %jobs seq_cst, align 8
  %sleepers = load atomic i64, ptr %asleep seq_cst, align 8
  %any = icmp sgt i64 %sleepers, 0
  br i1 %any, label %wake, label %help
wake:
  %helpers = sub i64 %shares, 1
  <WAKE>
  br label %help
help:
  %mine = call i64 @wengert_work()
  br label %wait
wait:
  %w = phi i64 [ 0, %help ], [ %w1, %wait.more ]
  %have = load atomic i64, ptr %done acquire, align 8
  %all = icmp sge i64 %have, %shares
  br i1 %all, label %release, label %wait.on
wait.on:
  %long = icmp sgt i64 %w, <SPINS>
  br i1 %long, label %yield, label %pause
yield:
  %y = call i32 @sched_yield()
  br label %wait.more
pause:
  <PAUSE>
  br label %wait.more
wait.more:
  %w1 = add i64 %w, 1
  br label %wait
release:
  store atomic i64 0, ptr @wengert_pool release, align 8
  br label %finished
finished:
  ret void
}

; After a fork the child has no workers, and nobody is in the middle of anything.
define void @wengert_pool_reset() {
entry:
"""
    + _WORDS
    + _pool_word("arena", ARENA)
    + """
  %old = load i64, ptr %ticket, align 8
  %job = lshr i64 %old, 32
  %top = shl i64 %job, 32
  %closed = or i64 %top, 2147483648
  store i64 %closed, ptr %ticket, align 8
  store i64 0, ptr %asleep, align 8
  store i64 0, ptr @wengert_pool, align 8
  ret void
}

; Memory of at least this size: what the last kernel gave back if it is large enough. Its size stands before it.
define ptr @wengert_arena_take(i64 %size) {
entry:
"""
    + _pool_word("arena", ARENA)
    + """
  %kept.word = atomicrmw xchg ptr %arena, i64 0 acq_rel, align 8
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
}

define void @wengert_arena_give(ptr %user) {
entry:
"""
    + _pool_word("arena", ARENA)
    + """
  %back = getelementptr i64, ptr %user, i64 -1
  %word = load i64, ptr %back, align 8
  %memory = inttoptr i64 %word to ptr
  %size = load i64, ptr %memory, align 8
  %small = icmp ule i64 %size, <KEPT>
  br i1 %small, label %keep, label %drop
keep:
  %old.word = atomicrmw xchg ptr %arena, i64 %word acq_rel, align 8
  %old = inttoptr i64 %old.word to ptr
  call void @free(ptr %old)
  ret void
drop:
  call void @free(ptr %memory)
  ret void
}

define void @wengert_arena_drop() {
entry:
"""
    + _pool_word("arena", ARENA)
    + """
  %word = atomicrmw xchg ptr %arena, i64 0 acq_rel, align 8
  %memory = inttoptr i64 %word to ptr
  call void @free(ptr %memory)
  ret void
}
"""
)
