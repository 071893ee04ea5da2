"""What keeps recorded graphs alive, and how much memory that is.

Knows live nodes, the user's variables that lead to them, and the counts of the last report. Knows no values.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from wengert._names import found_in_frames
from wengert._source import Location, is_passed_over, locate, user_frame
from wengert.engine.base import TensorBase
from wengert.engine.node import AccumulateGrad, Node, Port, RecordedNode
from wengert.engine.past import passes_of
from wengert.see.findings import Finding, Report

_MOST_HOLDERS = 8
_REPEATED = 3
_MOST_VISITS = 3_000_000  # nodes looked at in one report: some seconds
_last: dict[str, int] = {}  # nodes kept by each variable at the last report; under "" of all


@dataclass(frozen=True, slots=True)
class Holder:
    """One variable of the user that keeps a graph alive; the tensors of a list or a dict count together."""

    name: str
    tensors: int
    nodes: int
    nbytes: int  # of these nodes and of what they saved
    passes: int  # how many different backward passes have gone through what it keeps
    repeats: int  # how often the operation that made it stands in what it keeps
    location: Location | None
    growth: int | None  # nodes more than at the last report; None at the first


@dataclass(frozen=True, slots=True, repr=False)
class GraphReport(Report):
    """What is alive: counts, holders and findings."""

    nodes: int = 0
    nbytes: int = 0
    holders: tuple[Holder, ...] = ()
    unnamed: int = 0  # nodes that no variable of the user's frames leads to
    growth: int | None = None

    def __str__(self) -> str:
        more = f", {self.growth:+,} since the last report" if self.growth is not None else ""
        lines = [f"{self.nodes:,} nodes of graphs are alive{more}; with what they keep they take {_size(self.nbytes)}."]
        for holder in self.holders[:_MOST_HOLDERS]:
            since = f" ({holder.growth:+,})" if holder.growth is not None else ""
            where = f", made at {holder.location}" if holder.location is not None else ""
            many = f" ({holder.tensors:,} tensors)" if holder.tensors > 1 else ""
            lines.append(f"  `{holder.name}`{many}: {holder.nodes:,} nodes{since}, {_size(holder.nbytes)}{where}")
        if len(self.holders) > _MOST_HOLDERS:
            lines.append(f"  and {len(self.holders) - _MOST_HOLDERS} more variables")
        if self.unnamed:
            lines.append(f"  no variable of the running functions: {self.unnamed:,} nodes")
        for finding in self.findings:
            lines += ["", str(finding)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        rows = [
            f"| `{holder.name}` | {holder.nodes:,} | {_size(holder.nbytes)} | {holder.location or ''} |"
            for holder in self.holders[:_MOST_HOLDERS]
        ]
        head = f"**{self.nodes:,} nodes of graphs are alive; with what they keep they take {_size(self.nbytes)}.**"
        table = ["", "| variable | nodes | memory | made at |", "|---|---|---|---|", *rows] if self.holders else []
        return "\n".join([head, *table, *[f"\n- {finding._repr_markdown_()}" for finding in self.findings]])


def graph_report() -> GraphReport:
    """What keeps graphs alive: live nodes, the bytes they saved, and the variables that hold them.

    A variable that keeps graphs of several backward passes (`total += loss` in a training loop) is a finding; so are a
    gradient to which several passes were added while its parameter was updated (a forgotten `zero_grad()`), and a
    gradient that has a graph of its own (``create_graph=True``). Called again, it says what has grown.

    Returns:
        The counts, the holders and the findings.

    >>> import wengert as torch
    >>> w = torch.ones(2, requires_grad=True)
    >>> total = 0.0
    >>> for _ in range(3):
    ...     loss = (w * w).sum()
    ...     loss.backward()
    ...     total = total + loss
    >>> report = graph_report()
    >>> report.findings[0].kind, report.findings[0].variable
    ('kept_alive', 'total')
    """
    frame = user_frame(2)
    live = [o for o in gc.get_objects() if issubclass(type(o), RecordedNode) and not issubclass(type(o), Port)]
    tensors = _tensors(frame)
    holders, reached = _holders(tensors, _last or None)
    growth = len(live) - _last[""] if "" in _last else None
    _last.clear()
    _last.update({_key(holder.name, holder.location): holder.nodes for holder in holders})
    _last[""] = len(live)
    findings = [*_kept_alive(holders), *_gradients(tensors)]
    return GraphReport(
        "What keeps graphs alive?",
        tuple(findings),
        nodes=len(live),
        nbytes=_bytes_of(live),
        holders=tuple(holders),
        unnamed=sum([node not in reached for node in live]),
        growth=growth,
    )


def _size(nbytes: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if nbytes >= size:
            return f"{nbytes / size:.1f} {unit}"
    return f"{nbytes} bytes"


def _tensors(frame: FrameType) -> list[tuple[str, Any]]:
    """The user's tensors with their names, and their gradients as `w.grad`; with several names several times."""
    found = list(found_in_frames(lambda value: issubclass(type(value), TensorBase), frame))
    first = {id(t): (name, t) for name, t in reversed(found)}
    grads = [(f"{name}.grad", getattr(t, "_grad", None)) for name, t in first.values()]
    return found + [(name, grad) for name, grad in grads if grad is not None]


def _cone(roots: Iterable[Node]) -> set[Node]:
    """The recorded operations that some nodes lead to."""
    seen: set[Node] = set()
    pending = list(roots)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending.extend([n for n in node.next if n is not None and n not in seen])
    return {node for node in seen if not isinstance(node, (Port, AccumulateGrad))}


def _bytes_of(nodes: Iterable[Any]) -> int:
    """The bytes of nodes and of what they saved, memory that several of them saved counted once."""
    sizes: dict[int, int] = {}
    for node in nodes:
        sizes[id(node)] = sys.getsizeof(node) + sys.getsizeof(node.links)
        saved = getattr(node, "saved", None) if node.op is not None else None
        for value in saved or ():
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, np.ndarray):
                    whole = part if part.base is None or not isinstance(part.base, np.ndarray) else part.base
                    sizes[id(whole)] = whole.nbytes
                elif isinstance(part, np.generic):
                    sizes[id(part)] = part.nbytes
    return sum(sizes.values())


def _root_name(name: str) -> str:
    """The variable behind a name: `losses` of `losses[3]`, but `model.w` as it is."""
    return name.partition("[")[0]


def _holders(
    tensors: list[tuple[str, Any]], last: dict[str, int] | None, least_passes: int = 0
) -> tuple[list[Holder], set[Node]]:
    """The variables that keep graphs alive (of so many passes at least), and all nodes that they lead to."""
    groups: dict[str, list[Any]] = {}
    for name, t in tensors:
        if t._node is not None:
            groups.setdefault(_root_name(name), []).append(t)
    reached: set[Node] = set()
    holders = []
    visits = 0
    for name, members in groups.items():
        if visits > _MOST_VISITS:
            break
        nodes: set[Any] = set(_cone([t._node for t in members]))
        visits += len(nodes)
        reached |= nodes
        passes = {id(node.freed) for node in nodes if node.freed is not None}
        if len(passes) < least_passes:
            continue
        own: Any = members[-1]._node
        own = own.next[0] if isinstance(own, Port) else own
        repeats = sum([node.code is own.code and node.lasti == own.lasti for node in nodes])
        where = _place(own)
        grown = None if last is None else len(nodes) - last.get(_key(name, where), 0)
        holders.append(
            Holder(
                name, len({id(t) for t in members}), len(nodes), _bytes_of(nodes), len(passes), repeats, where, grown
            )
        )
    return sorted(holders, key=lambda holder: -holder.nodes), reached


def _key(name: str, where: Location | None) -> str:
    return f"{name} {where}"


def _place(node: Any) -> Location | None:
    """Where the user called what made a node; None for one that a derivative rule made."""
    if node.code is None or is_passed_over(node.code.co_filename):
        return None
    return locate(node.code, node.lasti)


def _is_freed(node: Any) -> bool:
    """Whether a backward pass has freed a node: it noted where it was asked for, in a tuple of its own."""
    return node.freed is not None


def kept_alive(frame: FrameType) -> list[Finding]:
    """The findings on variables that keep the graphs of passes that are done."""
    holders, _ = _holders(_tensors(frame), None, least_passes=_REPEATED - 1)
    return _kept_alive(holders)


def _kept_alive(holders: list[Holder]) -> list[Finding]:
    findings = []
    for holder in holders:
        numbers = {"nodes": holder.nodes, "bytes": holder.nbytes}
        many = f" (a container of {holder.tensors:,} tensors)" if holder.tensors > 1 else ""
        if holder.passes >= _REPEATED - 1:
            what = (
                f"`{holder.name}`{many} keeps {holder.passes:,} graphs alive whose backward passes are done: "
                f"{holder.nodes:,} nodes, {_size(holder.nbytes)}."
            )
            remedy = f"add numbers, not tensors: `{holder.name} += loss.item()`, or loss.detach()"
            if holder.tensors > 1:
                remedy = f"store numbers, not tensors: `{holder.name}.append(loss.item())`, or loss.detach()"
            findings.append(Finding("kept_alive", what, holder.name, holder.location, None, numbers, remedy))
        elif (
            holder.growth is not None
            and holder.growth > 0
            and holder.repeats >= _REPEATED
            and holder.nodes > holder.growth
        ):
            what = (
                f"`{holder.name}`{many} has grown by {holder.growth:,} nodes since the last report, to "
                f"{holder.nodes:,}: "
                f"the operation that made it stands {holder.repeats:,} times in what it keeps alive."
            )
            remedy = "cut what is carried from step to step with detach(), or take item() of what is only summed up"
            findings.append(Finding("growing", what, holder.name, holder.location, None, numbers, remedy, fault=False))
    return findings


def _gradients(tensors: list[tuple[str, Any]]) -> list[Finding]:
    findings = []
    seen: set[int] = set()
    for name, t in tensors:
        if id(t) in seen:
            continue
        seen.add(id(t))
        grad = getattr(t, "_grad", None)
        if grad is None:
            continue
        if grad._node is not None:
            nodes = len(_cone([grad._node]))
            what = f"`{name}.grad` has a graph of its own ({nodes:,} nodes), since backward ran with create_graph=True."
            remedy = f"set `{name}.grad = None` when it is no longer needed, or use autograd.grad"
            findings.append(
                Finding("grad_graph", what, name, _place(grad._node), None, {"nodes": nodes}, remedy, fault=False)
            )
        finding = accumulated(name, t)
        if finding is not None:
            findings.append(finding)
    return findings


def accumulated(name: str, t: Any) -> Finding | None:
    """Whether several backward passes were added up in `.grad`, and the parameter was updated in between."""
    grad = getattr(t, "_grad", None)
    passes = passes_of(grad) if grad is not None else None
    if passes is None:
        return None
    last = locate(passes.code, passes.lasti) if passes.code is not None else None
    numbers: dict[str, Any] = {"passes": passes.number, "updates in between": passes.updates}
    where = last or "an unknown place"
    what = f"`{name}.grad` is the sum of {passes.number:,} backward passes, the last of them at {where}"
    if not passes.updates:
        what += "; nothing was written into it or into its tensor in between."
        return Finding("accumulated", what, name, last, None, numbers, fault=False)
    cell: Any = t._cell or ()
    update = f" (the last time at {locate(cell[1], cell[2])})" if len(cell) > 2 else ""
    what += f", and `{name}` was written to in between{update}: each update uses the gradients of all passes before it."
    remedy = f"set `{name}.grad = None`, or call optimizer.zero_grad(), before each backward()"
    return Finding("not_zeroed", what, name, last, None, numbers, remedy)


__all__ = ["GraphReport", "Holder", "accumulated", "graph_report", "kept_alive"]
