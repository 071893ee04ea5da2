"""The code that kernels call, in LLVM IR: shares of a loop dealt out to threads.

One job at a time is posted to the workers: a function, its context, a range. Its shares lie in as many queues as
threads may work. Each thread empties its own queue and then helps with the others', so a thread gets the same part of
the same loop every time, and finds in its cache what it wrote there, unless it was late. Shares are claimed by
advancing the queue's ticket, which has the job's number in its upper half: a claim succeeds only if the job is still
the one whose description was read. The caller claims too, and waits only for shares that others have claimed, so a
worker that wakes late or not at all (after a fork) costs nothing. A caller who finds the pool taken does all shares.

A job is posted only if it is worth that: more if workers sleep than if they still look for one. Where nobody came to
help with a job, or came so late that the caller had to wait, as on a machine whose cores are busy, the next must be
twice as long, until somebody comes.

Workers sleep on a futex (Linux). Elsewhere there are none, and the caller does the work.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.runtime.arena_code import ARENA_TEXT
from wengert.compile.runtime.arena_code import NAMES as ARENA_NAMES

NAMES: Final = (
    "wengert_share_out",
    "wengert_share_among",
    "wengert_threads_for",
    *ARENA_NAMES,
    "wengert_worker",
    "wengert_pool",
    "wengert_pool_resize",
    "wengert_pool_reset",
)

_PAUSE: Final = {
    "x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "aarch64": ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"),
}
_FUTEX: Final = {"x86_64": 202, "aarch64": 98}
_WAIT, _WAKE = 128, 129  # private to the process
_SPINS: Final = 1500

# Sixteenths of an instruction that are worth posting, if a worker is looking for a job, and if all sleep; the latter
# is some 40 microseconds of work, half of which a worker that has to be woken takes to come.
_WORTH_POSTING: Final = 1 << 20
_WORTH_WAKING: Final = 4 << 20
_MOST_FAILURES: Final = 6  # that are counted
_SPIN_WORK: Final = 1 << 12  # twice the work that is done in the time of a spin
_YIELD: Final = 40  # spins in the time of letting another thread run

# Words of the pool: 0 taken, 1 threads that may work, 2 workers asleep, 3 the futex's word (the number of jobs).
# Then the job: 4 function, 5 context, 6 range, 7 share, 8 number of shares, 9 of queues. 16 shares done, on a line of
# its own. 24 jobs that nobody helped with (half as many once somebody did), 25 work that was not posted since the last
# that was. From 32 on the tickets of the queues, each on a line of its own.
TAKEN, THREADS, ASLEEP, JOBS, FUNCTION, CONTEXT, RANGE, SHARE, SHARES, QUEUES = range(10)
DONE: Final = 16
FAILURES, SKIPPED = 24, 25
TICKETS: Final = 32
MOST_QUEUES: Final = 16
WORDS: Final = TICKETS + 8 * MOST_QUEUES


def support_text(architecture: str, linux: bool) -> str:
    """The module for a machine."""
    declare, pause = _PAUSE.get(architecture, ("", ""))
    number = _FUTEX.get(architecture) if linux else None
    text = _TEXT
    for name, value in {
        "DECLARE_PAUSE": declare,
        "PAUSE": pause,
        "WAIT": _futex(number, "waited", "jobs", _WAIT, "%seen.wide"),
        "PARK": _futex(number, "parked", "threads", _WAIT, "%allowed"),
        "WAKE": _futex(number, "woken", "jobs", _WAKE, "%helpers"),
        "WAKE_ALL": _futex(number, "woken", "jobs", _WAKE, "65536"),
        "UNPARK": _futex(number, "unparked", "threads", _WAKE, "65536"),
        "SPINS": str(_SPINS),
        "SPIN_WORK": str(_SPIN_WORK),
        "YIELD": str(_YIELD),
        "POSTING": str(_WORTH_POSTING),
        "WAKING": str(_WORTH_WAKING),
        "MOST_FAILURES": str(_MOST_FAILURES),
        "MOST_QUEUES": str(MOST_QUEUES),
        "WORDS": str(WORDS),
    }.items():
        text = text.replace(f"<{name}>", value)
    return text + ARENA_TEXT


def _futex(number: int | None, name: str, word: str, what: int, value: str) -> str:
    """Waiting while a word has this value, or waking so many; nothing where there is no futex."""
    if number is None:
        return ""
    return f"%{name} = call i64 (i64, ...) @syscall(i64 {number}, ptr %{word}, i64 {what}, i64 {value}, ptr null)"


_WORDS: Final = "".join(
    [
        f"  %{name} = getelementptr i64, ptr @wengert_pool, i64 {number}\n"
        for name, number in (
            ("threads", THREADS),
            ("asleep", ASLEEP),
            ("jobs", JOBS),
            ("function.at", FUNCTION),
            ("context.at", CONTEXT),
            ("range.at", RANGE),
            ("share.at", SHARE),
            ("shares.at", SHARES),
            ("queues.at", QUEUES),
            ("done", DONE),
            ("failures.at", FAILURES),
            ("skipped.at", SKIPPED),
        )
    ]
)

_TEXT: Final = (
    f"""
@wengert_pool = global [<WORDS> x i64] zeroinitializer, align 64

declare i64 @syscall(i64, ...)
declare i32 @sched_yield()
<DECLARE_PAUSE>

define internal ptr @ticket(i64 %queue) alwaysinline {{
  %lines = mul i64 %queue, 8
  %word = add i64 %lines, {TICKETS}
  %at = getelementptr i64, ptr @wengert_pool, i64 %word
  ret ptr %at
}}

; The first share of a queue: the shares are spread evenly, the earlier queues have more.
define internal i64 @first(i64 %queue, i64 %shares, i64 %queues) alwaysinline {{
  %all = mul i64 %queue, %shares
  %more = add i64 %all, %queues
  %top = sub i64 %more, 1
  %share = udiv i64 %top, %queues
  ret i64 %share
}}

; Claim shares of the posted job and do them until none is left; how many were done.
define internal i64 @wengert_work(i64 %home) {{
entry:
"""
    + _WORDS
    + """
  br label %go
go:
  %count = phi i64 [ 0, %entry ], [ %count.same, %next ]
  %step = phi i64 [ 0, %entry ], [ %step1, %next ]
  %several = load atomic i64, ptr %queues.at acquire, align 8
  %left = icmp slt i64 %step, %several
  br i1 %left, label %choose, label %out
choose:
  %forward = add i64 %home, %step
  %queue = urem i64 %forward, %several
  %ticket = call ptr @ticket(i64 %queue)
  br label %claim
claim:
  %count.same = phi i64 [ %count, %choose ], [ %count.same, %try ], [ %count1, %do ]
  %t = load atomic i64, ptr %ticket acquire, align 8
  %number = and i64 %t, 4294967295
  %shares = load atomic i64, ptr %shares.at monotonic, align 8
  %queues = load atomic i64, ptr %queues.at monotonic, align 8
  %function.word = load atomic i64, ptr %function.at monotonic, align 8
  %context.word = load atomic i64, ptr %context.at monotonic, align 8
  %range = load atomic i64, ptr %range.at monotonic, align 8
  %share = load atomic i64, ptr %share.at monotonic, align 8
  %queue1 = add i64 %queue, 1
  %queue.end = call i64 @first(i64 %queue1, i64 %shares, i64 %queues)
  %none = icmp uge i64 %number, %queue.end
  %gone = icmp sgt i64 %queue1, %queues
  %empty = or i1 %none, %gone
  br i1 %empty, label %next, label %try
try:
  %t1 = add i64 %t, 1
  %pair = cmpxchg ptr %ticket, i64 %t, i64 %t1 acq_rel monotonic, align 8
  %won = extractvalue { i64, i1 } %pair, 1
  br i1 %won, label %do, label %claim
do:
  %function = inttoptr i64 %function.word to ptr
  %context = inttoptr i64 %context.word to ptr
  %low = mul i64 %number, %share
  %end = add i64 %low, %share
  %over = icmp sgt i64 %end, %range
  %high = select i1 %over, i64 %range, i64 %end
  call void %function(ptr %context, i64 %low, i64 %high, i64 %number)
  %before = atomicrmw add ptr %done, i64 1 acq_rel, align 8
  %count1 = add i64 %count.same, 1
  br label %claim
next:
  %step1 = add i64 %step, 1
  br label %go
out:
  ret i64 %count
}

; A worker's life: look for a job, do shares, look for a while, sleep. It never returns.
define void @wengert_worker(i64 %index) {
entry:
"""
    + _WORDS
    + """
  %mine = add i64 %index, 1
  br label %look
look:
  %seen.wide = load atomic i64, ptr %jobs acquire, align 8
  %allowed = load atomic i64, ptr %threads acquire, align 8
  %may = icmp slt i64 %mine, %allowed
  br i1 %may, label %work, label %park
park:
  <PARK>
  br label %look
work:
  %some = call i64 @wengert_work(i64 %mine)
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

; Let this many threads work. Workers that may not any more, or may now, look again where they wait.
define void @wengert_pool_resize(i64 %count) {
entry:
"""
    + _WORDS
    + """
  store atomic i64 %count, ptr %threads seq_cst, align 8
  store atomic i64 0, ptr %failures.at monotonic, align 8
  %j = load atomic i64, ptr %jobs monotonic, align 8
  %j1 = add i64 %j, 1
  %j2 = and i64 %j1, 2147483647
  store atomic i64 %j2, ptr %jobs seq_cst, align 8
  <WAKE_ALL>
  <UNPARK>
  ret void
}

; How many threads this much work is for. What is not posted adds up while nobody helps, so that something is now and
; then.
define i64 @wengert_threads_for(i64 %work) {
entry:
"""
    + _WORDS
    + """
  %allowed = load atomic i64, ptr %threads monotonic, align 8
  %several = icmp sgt i64 %allowed, 1
  br i1 %several, label %weigh, label %one
weigh:
  %sleepers = load atomic i64, ptr %asleep seq_cst, align 8
  %workers = sub i64 %allowed, 1
  %all.sleep = icmp sge i64 %sleepers, %workers
  %least = select i1 %all.sleep, i64 <WAKING>, i64 <POSTING>
  %failures = load atomic i64, ptr %failures.at monotonic, align 8
  %least.now = shl i64 %least, %failures
  %skipped = load atomic i64, ptr %skipped.at monotonic, align 8
  %skipped1 = add i64 %skipped, %work
  %is.worth = icmp sge i64 %skipped1, %least.now
  br i1 %is.worth, label %all, label %skip
all:
  ret i64 %allowed
skip:
  %unhelped = icmp sgt i64 %failures, 0
  %kept = select i1 %unhelped, i64 %skipped1, i64 0
  store atomic i64 %kept, ptr %skipped.at monotonic, align 8
  br label %one
one:
  ret i64 1
}

; Do function(context, low, high, number) for each share of range(n), which take so much work together: shared if that
; is worth it.
define void @wengert_share_out(ptr %f, ptr %c, i64 %n, i64 %size, i64 %work) {
  %several = icmp sgt i64 %n, %size
  br i1 %several, label %weigh, label %alone
weigh:
  %count = call i64 @wengert_threads_for(i64 %work)
  br label %alone
alone:
  %threads = phi i64 [ 1, %0 ], [ %count, %weigh ]
  call void @wengert_share_among(i64 %threads, ptr %f, ptr %c, i64 %n, i64 %size, i64 %work)
  ret void
}

; ... among so many threads.
define void @wengert_share_among(i64 %allowed, ptr %f, ptr %c, i64 %n, i64 %size, i64 %work) {
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
  ; The tickets of the last job are used up; they are closed while this one is described.
  %before = load atomic i64, ptr %queues.at monotonic, align 8
  %fewer = icmp slt i64 %shares, %allowed
  %queues.some = select i1 %fewer, i64 %shares, i64 %allowed
  %many = icmp sgt i64 %queues.some, <MOST_QUEUES>
  %queues = select i1 %many, i64 <MOST_QUEUES>, i64 %queues.some
  %was.more = icmp sgt i64 %before, %queues
  %to.close = select i1 %was.more, i64 %before, i64 %queues
  %first.ticket = call ptr @ticket(i64 0)
  %old = load atomic i64, ptr %first.ticket acquire, align 8
  %job = lshr i64 %old, 32
  %job1 = add i64 %job, 1
  %closed.top = shl i64 %job1, 32
  %closed = or i64 %closed.top, 2147483648
  br label %close
close:
  %q = phi i64 [ 0, %post ], [ %q1, %close ]
  %closing = call ptr @ticket(i64 %q)
  store atomic i64 %closed, ptr %closing seq_cst, align 8
  %q1 = add i64 %q, 1
  %close.more = icmp slt i64 %q1, %to.close
  br i1 %close.more, label %close, label %describe
describe:
  %f.word = ptrtoint ptr %f to i64
  %c.word = ptrtoint ptr %c to i64
  store atomic i64 %f.word, ptr %function.at release, align 8
  store atomic i64 %c.word, ptr %context.at release, align 8
  store atomic i64 %n, ptr %range.at release, align 8
  store atomic i64 %size, ptr %share.at release, align 8
  store atomic i64 %shares, ptr %shares.at release, align 8
  store atomic i64 %queues, ptr %queues.at release, align 8
  store atomic i64 0, ptr %done release, align 8
  %job2 = add i64 %job1, 1
  %open.top = shl i64 %job2, 32
  br label %open
open:
  %o = phi i64 [ 0, %describe ], [ %o1, %open ]
  %first.share = call i64 @first(i64 %o, i64 %shares, i64 %queues)
  %opened = or i64 %open.top, %first.share
  %opening = call ptr @ticket(i64 %o)
  store atomic i64 %opened, ptr %opening seq_cst, align 8
  %o1 = add i64 %o, 1
  %open.more = icmp slt i64 %o1, %queues
  br i1 %open.more, label %open, label %announce
announce:
  %j = load atomic i64, ptr %jobs monotonic, align 8
  %j1 = add i64 %j, 1
  %j2 = and i64 %j1, 2147483647
  store atomic i64 %j2, ptr %jobs seq_cst, align 8
  store atomic i64 0, ptr %skipped.at monotonic, align 8
  %sleepers.now = load atomic i64, ptr %asleep seq_cst, align 8
  %any = icmp sgt i64 %sleepers.now, 0
  br i1 %any, label %wake, label %help
wake:
  %helpers = sub i64 %queues, 1
  <WAKE>
  br label %help
help:
  %mine = call i64 @wengert_work(i64 0)
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
  %spent = phi i64 [ 1, %pause ], [ <YIELD>, %yield ]
  %w1 = add i64 %w, %spent
  br label %wait
release:
  ; Nobody helped, or who did took so long that the caller would have been quicker alone.
  %nobody = icmp eq i64 %mine, %shares
  %wait.work = mul i64 %w, <SPIN_WORK>
  %late = icmp sgt i64 %wait.work, %work
  %in.vain = or i1 %nobody, %late
  %failures = load atomic i64, ptr %failures.at monotonic, align 8
  %failures1 = add i64 %failures, 1
  %too.many = icmp sgt i64 %failures1, <MOST_FAILURES>
  %failures2 = select i1 %too.many, i64 <MOST_FAILURES>, i64 %failures1
  %fewer.failures = lshr i64 %failures, 1
  %failures.now = select i1 %in.vain, i64 %failures2, i64 %fewer.failures
  store atomic i64 %failures.now, ptr %failures.at monotonic, align 8
  store atomic i64 0, ptr @wengert_pool release, align 8
  br label %finished
finished:
  ret void
}

"""
    + f"""
; After a fork the child has no workers, and nobody is in the middle of anything.
define void @wengert_pool_reset() {{
entry:
{_WORDS}
  %first.ticket = call ptr @ticket(i64 0)
  %old = load i64, ptr %first.ticket, align 8
  %job = lshr i64 %old, 32
  %top = shl i64 %job, 32
  %closed = or i64 %top, 2147483648
  br label %close
close:
  %q = phi i64 [ 0, %entry ], [ %q1, %close ]
  %closing = call ptr @ticket(i64 %q)
  store i64 %closed, ptr %closing, align 8
  %q1 = add i64 %q, 1
  %more = icmp slt i64 %q1, {MOST_QUEUES}
  br i1 %more, label %close, label %rest
rest:
  store i64 1, ptr %threads, align 8
  store i64 0, ptr %asleep, align 8
  store i64 0, ptr %failures.at, align 8
  store i64 0, ptr @wengert_pool, align 8
  ret void
}}
"""
)
