"""The one backward sweep.

It takes nodes latest first, runs the rules of each with the cotangent that has gathered there, fits each result to the
input it belongs to (un-broadcast, cast, check) and passes it on. It runs in two worlds that differ only in ``xp`` and
in what a cotangent is: raw values (fast), or tensors (``create_graph=True``: what it computes is recorded).

Nothing outside the sweep changes while it runs: leaves' gradients come back in a dict and are added by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from heapq import heappop, heappush, heappushpop
from typing import Any

import numpy as np
from numpy import ndarray

from wengert._batched import Batched
from wengert._fpenv import run_guarded, run_silently
from wengert.engine import messages
from wengert.engine.base import wrap
from wengert.engine.fit import fit_raw, fit_tensor, suits
from wengert.engine.kernels import pulled, sum_of
from wengert.engine.node import FreedAt, Node, Port, zeros_of
from wengert.engine.opnode import ONE_INPUT, ONE_INPUT_AND_METADATA, OpNode, any_written, without_arrays
from wengert.engine.saved import check_versions, raw_saved, tensor_saved
from wengert.engine.state import STATE
from wengert.engine.tiles import LARGE, computes, tiled
from wengert.engine.totals import added, added_to_part, is_own
from wengert.ops.record import MISSING
from wengert.spaces.batching import BATCHED
from wengert.spaces.tensors import TENSOR

_F32 = np.dtype(np.float32)
Cotangents = dict[Node, Any]
# What a pass has in hand: a heap of the nodes that something arrived at, what arrived, and which of these cotangents
# have memory of their own, to which more can be added.
OnTheWay = tuple[list[tuple[int, Node]], Cotangents, set[Node]]


def drain_plain(on_the_way: OnTheWay, retain: bool | None, where: FreedAt) -> tuple[Node, Any] | None:  # noqa: C901
    """The plain case, on raw values with nothing asked but the leaves; returns where it meets anything else.

    In the end the leaves are what is left pending.

    No user code is called here: this runs in a context of its own (`silent_runner`).
    Kept flat, and written out for one and for two inputs, because it is the hot loop: it takes a third less time
    than the general form below it.
    """
    heap, pending, _ = on_the_way
    node: Any = None
    while True:
        if node is None:
            if not heap:
                return None
            node = heappop(heap)[1]
            g = pending.pop(node)
        links = node.links
        form = links[0]
        if form is None or node.state is not None:
            if node.state is not None or not _run_plainly(node, g, on_the_way, retain, where):
                return node, g
            node = None
            continue
        on_scalars, k, start, space, rules, keeps_scalars, has_meta, many, alike, _ = form
        kind = g.__class__
        size = len(links)
        if on_scalars and kind is not ndarray:
            if size > start:
                if links[start][0] != links[start + 1] or (
                    size > start + 2
                    and (
                        links[start + 2][0] != links[start + 3] or (size > start + 4 and any_written(links, start + 4))
                    )
                ):
                    check_versions(node)
                if not retain:
                    node.state = where
            if on_scalars == ONE_INPUT:
                following = links[1]
                x = rules[0](space, g, links[2], links[3])
            elif on_scalars == ONE_INPUT_AND_METADATA:
                following = links[1]
                x = rules[0](space, g, links[2], links[3], **(node.meta or {}))
            elif links[1] is None:
                following = links[2]
                x = rules[1](space, g, links[3], links[4], links[5])
            else:
                following = links[1]
                x = rules[0](space, g, links[3], links[4], links[5])
                second = links[2]
                if second is not None:
                    if not (alike and x.__class__ is kind) and (
                        x.shape != following.shape or x.dtype is not following.dtype
                    ):
                        x = fit_raw(x, following, node)
                    if following in pending:
                        pending[following] = pending[following] + x
                    else:
                        pending[following] = x
                        if following.seq:
                            heappush(heap, (following.seq, following))
                    x = rules[1](space, g, links[3], links[4], links[5])
                    following = second
            if not (alike and x.__class__ is kind) and (x.shape != following.shape or x.dtype is not following.dtype):
                x = fit_raw(x, following, node)
            seq = following.seq
            if seq < (heap[0][0] if heap else 0):  # later than all that is pending: nothing else can flow into it
                node, g = following, x
            elif following in pending:
                node = None
                had = pending[following]
                pending[following] = had + x if x.__class__ is not ndarray else sum_of(had, x)
            else:
                pending[following] = x
                if seq:
                    node = heappushpop(heap, (seq, following))[1]
                    g = pending.pop(node)
                else:
                    node = None
            continue
        if size > start:
            if links[start][0] != links[start + 1] or (size > start + 2 and any_written(links, start + 2)):
                check_versions(node)
            if not retain:
                node.state = where
                if kind is ndarray or not keeps_scalars:
                    if k == 2:
                        a, b = links[4], links[5]
                        a, b = None if a.__class__ is ndarray else a, None if b.__class__ is ndarray else b
                        node.links = (form, links[1], links[2], None, a, b)
                    else:
                        node.links = (form, links[1], None, None) if k == 1 else without_arrays(links, k)
        is_many = False
        if kind is ndarray:
            alike = False
            is_many = g.size >= (LARGE if many is None else many.least)
        if k > 2 or (has_meta and k == 2) or is_many:
            x = NotImplemented
            if k == 1 and many is not None and is_many:
                following = links[1]
                if node.meta:
                    x = many.with_metadata(1, (g, links[2], links[3]), node.meta)
                else:
                    x = (many.single if g.dtype is _F32 else many.double)[1](g, links[2], links[3])
            elif k == 2 and many is not None and is_many and not has_meta:
                second, following = links[1], links[2]
                needed = 3 if following is not None and second is not None else 1 if following is None else 2
                x = (many.single if g.dtype is _F32 else many.double)[needed](g, links[3], links[4], links[5])
                if following is None:
                    following = second
                elif needed == 3 and x is not NotImplemented:
                    other, x = x
                    if other.shape != second.shape or other.dtype is not second.dtype:
                        other = fit_raw(other, second, node)
                    if second in pending:
                        pending[second] = sum_of(pending[second], other)
                    else:
                        pending[second] = other
                        if second.seq:
                            heappush(heap, (second.seq, second))
            if x is NotImplemented:
                _pass_on(node, g, links, space, on_the_way, is_tried=k == 1 or (k == 2 and not has_meta))
                node = None
                continue
        elif k == 1:
            following = links[1]
            if has_meta:
                x = rules[0](space, g, links[2], links[3], **(node.meta or {}))
            else:
                x = rules[0](space, g, links[2], links[3])
        elif links[1] is None:
            following = links[2]
            x = rules[1](space, g, links[3], links[4], links[5])
        else:
            following = links[1]
            x = rules[0](space, g, links[3], links[4], links[5])
            second = links[2]
            if second is not None:
                if not (alike and x.__class__ is kind) and (
                    x.shape != following.shape or x.dtype is not following.dtype
                ):
                    x = fit_raw(x, following, node)
                if following in pending:
                    pending[following] = pending[following] + x
                else:
                    pending[following] = x
                    if following.seq:
                        heappush(heap, (following.seq, following))
                x = rules[1](space, g, links[3], links[4], links[5])
                following = second
        if not (alike and x.__class__ is kind) and (x.shape != following.shape or x.dtype is not following.dtype):
            x = fit_raw(x, following, node)
        node = None
        if not heap and following.seq:  # nothing else can flow into it: go on there at once
            node, g = following, x
        elif following in pending:
            had = pending[following]
            pending[following] = had + x if x.__class__ is not ndarray else sum_of(had, x)
        else:
            pending[following] = x
            if following.seq:
                node = heappushpop(heap, (following.seq, following))[1]
                g = pending.pop(node)


def _pass_on(
    node: Any, g: Any, links: tuple[Any, ...], space: Any, on_the_way: OnTheWay, *, is_tried: bool = False
) -> None:
    """Run the rules of a plain node of any form and let the results arrive; large elementwise ones tile by tile."""
    _, pending, totals = on_the_way
    k = node.arity
    saved = links[1 + k : 2 * k + 2]
    meta, is_view = node.meta or {}, node.op.view
    many = node.many if space is not BATCHED and not is_tried else None
    if many is not None and g.__class__ is ndarray and g.size >= many.least:
        found = pulled(many, g, [n is not None for n in links[1 : 1 + k]], saved, node.meta)
        if found is not NotImplemented:
            for x, following in zip(found, links[1 : 1 + k], strict=True):
                if following is not None:
                    _let_arrive(following, fit_raw(x, following, node), on_the_way)
            return
    for rule, following in zip(node.rules, links[1 : 1 + k], strict=True):
        if following is None or (
            is_view and following in totals and added_to_part(node.op, pending[following], g, meta)
        ):
            continue
        x = NotImplemented
        is_large = g.__class__ is ndarray and g.size >= LARGE and space is not BATCHED
        if is_large and node.elementwise and g.shape == following.shape and computes(rule):
            x = tiled(rule, (space, g, *saved), following.dtype, meta)
        if x is NotImplemented:
            x = rule(space, g, *saved, **meta)
            if x.__class__ is not Batched or not suits(x, following):
                x = fit_raw(x, following, node)
        _let_arrive(following, x, on_the_way)
        if is_view and is_own(x, g) and pending[following] is x:
            totals.add(following)


def _let_arrive(node: Node, x: Any, on_the_way: OnTheWay) -> None:
    heap, pending, totals = on_the_way
    if node in pending:
        if node not in totals or not added(pending[node], x):
            had = pending[node]
            pending[node] = sum_of(had, x) if x.__class__ is ndarray else had + x
            if x.__class__ is Batched:  # batches are large
                totals.add(node)
    else:
        pending[node] = x
        if node.seq:
            heappush(heap, (node.seq, node))


def _run_plainly(node: Any, g: Any, on_the_way: OnTheWay, retain: bool | None, where: FreedAt) -> bool:
    """Run a port, or an operation with several results or any number of inputs; False if it is neither."""
    if node.__class__ is Port:
        _deposit(node, g, on_the_way)
        return True
    if not isinstance(node, OpNode) or not (node.ports or node.each):
        return False
    rules: Any = node.rules
    space: Any = node.space
    if rules is None or space is BATCHED or MISSING in rules:
        return False
    links, k = node.links, node.arity
    if any_written(links, 2 * k + 2):
        check_versions(node)
    saved: Any = node.saved if node.keeps_scalars else links[1 + k : 2 * k + 2]
    y, *xs = saved
    meta, following = node.meta or {}, links[1 : 1 + k]
    if node.ports:
        g = _filled(node, g)
    needs = [n is not None for n in following]
    if node.joint is not None:
        found = node.joint(space, g, y, needs, *xs, **meta)
    elif node.each:
        xs = xs if node.reads_inputs else []
        found = [rules[0](space, g, y, i, *xs, **meta) if need else None for i, need in enumerate(needs)]
    else:
        pairs = zip(rules, needs, strict=True)
        found = [rule(space, g, *saved, **meta) if need else None for rule, need in pairs]
    for to, x in zip(following, found, strict=True):
        if to is not None and x is not None:
            fits = x.__class__ is ndarray and x.shape == to.shape and x.dtype is to.dtype and not to.axes
            _let_arrive(to, x if fits else fit_raw(x, to, node), on_the_way)
    if not retain:
        node.release(where)
    return True


def _deposit(port: Port, g: Any, on_the_way: OnTheWay) -> None:
    """Let a cotangent of one of several results wait for those of the others."""
    heap, pending, _ = on_the_way
    parent: Any = port.links[1]
    parts = pending.get(parent)
    if parts is None:
        parts = pending[parent] = {}
        heappush(heap, (parent.seq, parent))
    # a saved result comes back on a port of its own, so several ports may stand for one result
    parts[port.index] = parts[port.index] + g if port.index in parts else g


def _filled(node: Any, parts: dict[int, Any], *, on_tensors: bool = False) -> tuple[Any, ...]:
    """All cotangents of an operation with several results; zeros where nothing arrived, None where nothing can."""
    op = node.op
    filled = []
    for index, (shape, dtype) in enumerate(zip(node.shape, node.dtype, strict=True)):
        g = parts.get(index)
        if g is None and node.materialize:
            if op is None:  # a user's function gets zeros for every tensor that it returned
                carries = dtype.kind != "O"
            else:
                carries = dtype.kind in "fc" and (op.outputs == 0 or index in op.differentiable_outputs)
            if carries:
                g = zeros_of(shape, dtype) if op is not None else np.zeros(shape, dtype)
                g = wrap(g) if on_tensors else g
        filled.append(g)
    return tuple(filled)


class Sweep:
    """One backward pass from given roots.

    Args:
        create_graph: run the rules on tensors, recording what they do.
        retain_graph: keep saved values afterwards.
        where: where the user asked for the pass.
        is_traced: a program is being traced.
    """

    space: Any = None  # the world of raw values, where it is not for each node to say
    needed: set[Node] | None = None
    captures: frozenset[Node] = frozenset()
    ends: frozenset[Node] = frozenset()
    modes: tuple[bool, Any] | None = None  # the thread's state before user code was first called

    def __init__(self, create_graph: bool, retain_graph: bool, where: FreedAt, is_traced: bool) -> None:
        self.create_graph = create_graph
        self.on_tensors = create_graph or is_traced  # a traced program's rules run on its tensors
        self.retain_graph = retain_graph
        self.where = where
        self.exposed: set[int] = set()  # the ids of raw values that someone outside may hold
        self.on_the_way: OnTheWay = ([], {}, set())

    def ask_for(self, needed: set[Node], captures: Iterable[Node], ends: frozenset[Node] = frozenset()) -> None:
        """Visit only ``needed`` nodes, none beyond ``ends``; keep the cotangents of ``captures`` in ``captured``."""
        self.needed = needed
        self.captures = frozenset(captures)
        self.ends = ends

    @cached_property
    def captured(self) -> Cotangents:
        """The cotangents asked for."""
        return {}

    @cached_property
    def retained(self) -> list[tuple[Any, Any]]:
        """The tensors whose ``retain_grad`` was obeyed so far, with what their ``.grad`` was before."""
        return []

    def forget_retained(self) -> None:
        """Set ``.grad`` of those tensors back: the pass has failed."""
        for t, grad in reversed(self.retained):
            t._grad = grad

    @cached_property
    def at_end(self) -> list[Callable[[], None]]:
        """Hooks that wait for the end of the pass."""
        return []

    @cached_property
    def kept_alive(self) -> list[Any]:
        """What is exposed, so that its ids stay its own."""
        return []

    def start(self, node: Node, g: Any) -> None:
        """Let ``g`` arrive at a root."""
        self._arrive(node, g)

    def run(self, unusual: tuple[Node, Any] | None = None) -> dict[Any, Any]:
        """Sweep from the roots; returns what arrived at the leaves, by their accumulators.

        ``unusual`` is what the plain case has met, where it was tried already.
        """
        try:
            if STATE.axes:
                self.space = BATCHED  # cotangents may be batched anywhere
            if self.on_tensors or self.needed is not None or STATE.one_by_one or self.space is not None:
                run_guarded(self._drain)
            else:
                plain = self.on_the_way, self.retain_graph, self.where
                unusual = run_silently(drain_plain, *plain) if unusual is None else unusual
                while unusual is not None:
                    run_guarded(self._visit, *unusual)
                    unusual = run_silently(drain_plain, *plain)
            return self._leaves()
        except BaseException:
            self.forget_retained()
            raise
        finally:
            if self.modes is not None:
                STATE.grad_enabled, STATE.sweep = self.modes
                self.__dict__.pop("at_end", None)  # its hooks refer back to this pass

    def _enter_user_code(self) -> None:
        """Set the thread's state for hooks and custom functions; ``run`` restores it."""
        if self.modes is None:
            self.modes = STATE.grad_enabled, STATE.sweep
            STATE.grad_enabled, STATE.sweep = self.create_graph, self

    def _drain(self) -> None:
        self._enter_user_code()
        heap, pending, _ = self.on_the_way
        plain = not self.on_tensors and self.needed is None and not STATE.one_by_one
        while heap:
            node: Any = heappop(heap)[1]
            g = pending.pop(node)
            if plain and node.state is None and node.short:
                if node.is_written():
                    check_versions(node)
                _pass_on(node, g, node.links, self.space or node.space, self.on_the_way)
                if not self.retain_graph:
                    node.release(self.where)
            else:
                self._visit(node, g)

    # --- one node, any kind, any world -----------------------------------------------------------------------------

    def _visit(self, node: Node, g: Any) -> None:
        self._enter_user_code()
        is_end = self.needed is not None and (node in self.ends or not any([n in self.needed for n in node.next]))
        # PyTorch gives a result whose node runs as it was before the tensor's hooks, and any other as they made it.
        if node in self.captures and not is_end:
            self._capture(node, g)
        if node.hooks is not None and not node.ports:
            g = self._tensor_hooks(node, g)
        if is_end:
            if node in self.captures:
                self._capture(node, g)
            return
        if isinstance(node, Port):
            _deposit(node, g, self.on_the_way)
            return
        if node.ports:
            g = _filled(node, g, on_tensors=self.on_tensors)
        if node.hooks is not None and node.hooks.pre:
            g = self._prehooks(node, g)
        grads = self._pull(node, g)
        if node.hooks is not None and node.hooks.post:
            grads = self._posthooks(node, grads, g)
        if STATE.anomaly and STATE.anomaly_check_nan:
            messages.check_nan(node, grads)
        self._hand_on(node, grads)
        if not self.retain_graph:
            node.release(self.where)

    def _hand_on(self, node: Node, grads: Iterable[Any]) -> None:
        """Let a node's cotangents arrive where they are needed, in the form of the inputs they belong to."""
        fit = fit_tensor if self.on_tensors else fit_raw
        for following, x in zip(node.next, grads, strict=True):
            if following is not None and x is not None and (self.needed is None or following in self.needed):
                self._arrive(following, fit(x, following, node))

    def _arrive(self, node: Node, x: Any) -> None:
        _let_arrive(node, x, self.on_the_way)

    def _pull(self, node: Node, g: Any) -> Iterable[Any]:
        """The un-reduced cotangents of a node's inputs."""
        if not isinstance(node, OpNode):
            return self._custom(node, g)
        needs = [n is not None and (self.needed is None or n in self.needed) for n in node.next]
        xp: Any = TENSOR if self.on_tensors else self.space or node.space
        saved = tensor_saved(node) if self.on_tensors else raw_saved(node)
        meta = node.meta or {}
        if node.joint is not None:
            return node.joint(xp, g, saved[0], needs, *saved[1:], **meta)  # type: ignore[no-any-return]
        many = node.many if g.__class__ is ndarray and xp is node.space else None
        if many is not None and g.size >= many.least:
            found = pulled(many, g, needs, saved, meta)
            if found is not NotImplemented:
                return found  # type: ignore[no-any-return]
        if node.each:
            rule = node.rules[0]
            y, *xs = saved if node.reads_inputs else saved[:1]
            return [rule(xp, g, y, i, *xs, **meta) if need else None for i, need in enumerate(needs)]
        grads = []
        for rule, need in zip(node.rules, needs, strict=True):
            if need and rule is MISSING:
                raise NotImplementedError(messages.missing_rule(node))
            grads.append(rule(xp, g, *saved, **meta) if need else None)
        return grads

    def _custom(self, node: Any, g: Any) -> Iterable[Any]:
        """A node with a backward of its own (a user's Function): it works on tensors in both worlds."""
        given = g if node.ports else (g,)
        if self.on_tensors:
            return node.pull(given)  # type: ignore[no-any-return]
        results = node.pull(tuple([None if part is None else self._expose(part) for part in given]))
        return [None if r is None else self._shown(r) for r in results]

    # --- hooks -----------------------------------------------------------------------------------------------------

    def _expose(self, raw: Any) -> Any:
        """A raw cotangent as a tensor for someone outside the sweep."""
        self.exposed.add(id(raw))
        self.kept_alive.append(raw)
        return wrap(raw)

    def _shown(self, t: Any) -> Any:
        """The raw value of a tensor that came from outside the sweep."""
        self.exposed.add(id(t._data))
        self.kept_alive.append(t._data)
        return t._data

    def _outward(self, g: Any) -> Any:
        return g if self.on_tensors else self._expose(g)

    def _inward(self, t: Any) -> Any:
        return t if self.on_tensors else self._shown(t)

    def _tensor_hooks(self, node: Node, g: Any) -> Any:
        hooks = node.hooks
        if hooks is None or not (hooks.tensor_pre or hooks.retain):
            return g
        t = self._outward(g)
        for hook in list(hooks.tensor_pre.values()):
            new = hook(t)
            if new is not None:
                messages.check_hook_result(hook, new, t, node)
                t = new
        if hooks.retain is not None:
            hooks.retain(t)
        return self._inward(t)

    def _prehooks(self, node: Node, g: Any) -> Any:
        assert node.hooks is not None
        outs = tuple([None if p is None else self._outward(p) for p in (g if node.ports else (g,))])
        for hook in list(node.hooks.pre.values()):
            new = hook(outs)
            if new is not None:
                outs = messages.hook_results(hook, new, len(outs), node)
        back = tuple([None if p is None else self._inward(p) for p in outs])
        return back if node.ports else back[0]

    def _posthooks(self, node: Node, grads: Iterable[Any], g: Any) -> Iterable[Any]:
        assert node.hooks is not None
        outs = tuple([None if p is None else self._outward(p) for p in (g if node.ports else (g,))])
        fit = fit_tensor if self.on_tensors else fit_raw
        fitted = [
            None if x is None or n is None else self._outward(fit(x, n, node))
            for x, n in zip(grads, node.next, strict=True)
        ]
        ins = tuple(fitted)
        for hook in list(node.hooks.post.values()):
            new = hook(ins, outs)
            if new is not None:
                ins = messages.hook_results(hook, new, len(ins), node)
        return [None if p is None else self._inward(p) for p in ins]

    def _capture(self, node: Node, g: Any) -> None:
        if not self.on_tensors:
            self.exposed.add(id(g))
            self.kept_alive.append(g)
        self.captured[node] = g

    # --- the end ---------------------------------------------------------------------------------------------------

    def _leaves(self) -> dict[Any, Any]:
        """What arrived at the leaves, after their hooks; what is left pending is nothing else."""
        leaves = self.on_the_way[1]
        for node in leaves:
            if node.state is not None:
                leaves[node] = self._leaf_hooks(node, leaves[node])
        for node in self.captures:
            if node in leaves:
                self._capture(node, leaves[node])
        if self.modes is not None:
            for finish in self.at_end:
                finish()
        return leaves

    def _leaf_hooks(self, node: Node, g: Any) -> Any:
        self._enter_user_code()
        g = self._tensor_hooks(node, g)
        return self._prehooks(node, g) if node.hooks is not None and node.hooks.pre else g


def lead_to_these_only(roots: Iterable[Node], leaves: Iterable[Node]) -> bool:
    """Whether ``leaves`` are leaves, and no path from a root ends at another: then all nodes are needed."""
    seen: set[Node] = set(leaves)
    for leaf in seen:
        if leaf.seq:
            return False
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        if not node.seq:
            return False
        seen.add(node)
        stack += [n for n in node.next if n is not None and n not in seen]
    return True


def needed_nodes(roots: Iterable[Node], targets: Iterable[Node], ends: frozenset[Node] = frozenset()) -> set[Node]:
    """The nodes on a path from a root to a target, targets included; no path goes on beyond one of ``ends``."""
    wanted = set(targets)
    oldest = max([node.seq for node in wanted], default=0)  # numbers fall: what is above it leads to no target
    reachable: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in reachable:
            reachable.add(node)
            if node not in ends:
                stack.extend([n for n in node.next if n is not None and n.seq <= oldest and n not in reachable])
    needed = wanted & reachable
    for node in sorted(reachable, key=_age, reverse=True):  # oldest first: what a node leads to is decided before it
        if node not in needed and node not in ends and any([n in needed for n in node.next]):
            needed.add(node)
    return needed


def _age(node: Node) -> int:
    return node.seq
