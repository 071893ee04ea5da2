"""The one backward sweep.

It takes nodes latest first, runs the rules of each with the cotangent that has gathered there, fits each result to the
input it belongs to (un-broadcast, cast, check) and passes it on. It runs in two worlds that differ only in ``xp`` and in
what a cotangent is: raw values (fast), or tensors (``create_graph=True``: what it computes is recorded).

Nothing outside the sweep changes while it runs: leaves' gradients come back in a dict and are added by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any

import numpy as np

from wengert._fpenv import SILENT, enter, leave
from wengert.engine import messages
from wengert.engine.base import wrap
from wengert.engine.fit import fit_raw, fit_tensor
from wengert.engine.node import AccumulateGrad, Node, Port, zeros_of
from wengert.engine.opnode import OpNode
from wengert.engine.saved import check_versions, raw_saved, tensor_saved
from wengert.engine.state import STATE
from wengert.ops.record import MISSING
from wengert.spaces.raw import RAW
from wengert.spaces.tensors import TENSOR

Cotangents = dict[Node, Any]


class Sweep:
    """One backward pass from given roots.

    Args:
        create_graph: run the rules on tensors, recording what they do.
        retain_graph: keep saved values afterwards.
        needed: if given, the only nodes worth visiting (those that lead to what is asked for).
        captures: nodes whose cotangent is asked for; it is stored in ``captured``.
    """

    def __init__(
        self,
        *,
        create_graph: bool,
        retain_graph: bool,
        needed: set[Node] | None = None,
        captures: Iterable[Node] = (),
    ) -> None:
        self.create_graph = create_graph
        self.retain_graph = retain_graph
        self.needed = needed
        self.captures = frozenset(captures)
        self.captured: Cotangents = {}
        self.pending: Cotangents = {}
        self.heap: list[tuple[int, Node]] = []
        self.at_end: list[Callable[[], None]] = []  # hooks that wait for the whole pass
        self.exposed: set[int] = set()  # ids of raw values that someone outside may hold
        self.kept_alive: list[Any] = []  # so that those ids stay theirs

    def run(self, roots: Iterable[tuple[Node, Any]]) -> dict[AccumulateGrad, Any]:
        """Sweep from the roots; returns what arrived at the leaves."""
        for node, g in roots:
            self._arrive(node, g)
        modes = STATE.grad_enabled, STATE.sweep
        STATE.grad_enabled, STATE.sweep = self.create_graph, self
        token = enter(SILENT)
        try:
            if self.create_graph or self.needed is not None or STATE.anomaly:
                self._drain()
            else:
                self._drain_raw()
            leaves = self._leaves()
            for finish in self.at_end:
                finish()
            return leaves
        finally:
            leave(token)
            STATE.grad_enabled, STATE.sweep = modes

    def _drain_raw(self) -> None:
        """The plain case, on raw values with nothing asked but the leaves; kept flat because it is the hot loop."""
        heap, pending, retain = self.heap, self.pending, self.retain_graph
        while heap:
            node = heappop(heap)[1]
            g = pending.pop(node)
            rules = node.rules
            if rules is None or node.hooks is not None or node.each or node.ports:
                self._visit(node, g)
                continue
            links = node.links
            k = len(rules)
            if len(links) > 2 * k + 1:
                if node.versions is not None:
                    check_versions(node)
                else:
                    for cell in links[2 * k + 1 :]:
                        if cell[0]:
                            check_versions(node)
                if not retain:
                    node.links = links[:k]
            elif len(links) == k:
                raise RuntimeError(messages.freed(node))
            saved = links[k : 2 * k + 1]
            meta = node.meta
            for rule, following in zip(rules, links):  # noqa: B905 - the rules are the shorter
                if following is None:
                    continue
                try:
                    x = rule(RAW, g, *saved) if meta is None else rule(RAW, g, *saved, **meta)
                except TypeError:
                    if rule is MISSING:
                        raise NotImplementedError(messages.missing_rule(node)) from None
                    raise
                if x.shape != following.shape or x.dtype is not following.dtype:
                    x = fit_raw(x, following, node)
                if following in pending:
                    pending[following] = pending[following] + x
                else:
                    pending[following] = x
                    if following.seq:
                        heappush(heap, (following.seq, following))

    def _drain(self) -> None:
        while self.heap:
            node = heappop(self.heap)[1]
            self._visit(node, self.pending.pop(node))

    # --- one node, any kind, any world -----------------------------------------------------------------------------

    def _visit(self, node: Node, g: Any) -> None:
        if node.hooks is not None and not node.ports:
            g = self._tensor_hooks(node, g)
        if node in self.captures:
            self._capture(node, g)
        if self.needed is not None and not any([n in self.needed for n in node.next]):
            return
        if isinstance(node, Port):
            self._deposit(node, g)
            return
        if node.ports:
            g = self._fill(node, g)
        if node.hooks is not None and node.hooks.pre:
            g = self._prehooks(node, g)
        grads = self._pull(node, g)
        if node.hooks is not None and node.hooks.post:
            grads = self._posthooks(node, grads, g)
        if STATE.anomaly and STATE.anomaly_check_nan:
            messages.check_nan(node, grads)
        fit = fit_tensor if self.create_graph else fit_raw
        for following, x in zip(node.next, grads, strict=True):
            if following is not None and x is not None and (self.needed is None or following in self.needed):
                self._arrive(following, fit(x, following, node))
        if not self.retain_graph:
            node.release()

    def _arrive(self, node: Node, x: Any) -> None:
        pending = self.pending
        if node in pending:
            pending[node] = pending[node] + x
        else:
            pending[node] = x
            if node.seq:
                heappush(self.heap, (node.seq, node))

    def _deposit(self, port: Port, g: Any) -> None:
        parent = port.next[0]
        if parent not in self.pending:
            self.pending[parent] = {}  # type: ignore[index]
            heappush(self.heap, (parent.seq, parent))  # type: ignore[union-attr,arg-type]
        self.pending[parent][port.index] = g  # type: ignore[index]

    def _fill(self, node: Node, parts: dict[int, Any]) -> tuple[Any, ...]:
        """All cotangents of an operation with several results; zeros where nothing arrived, None where nothing can."""
        op = node.op
        filled = []
        for index, (shape, dtype) in enumerate(zip(node.shape, node.dtype, strict=True)):
            g = parts.get(index)
            carries = dtype.kind in "fc" and (op is None or op.outputs == 0 or index in op.differentiable_outputs)
            if g is None and carries and node.materialize:
                g = zeros_of(shape, dtype) if op is not None else np.zeros(shape, dtype)
                g = wrap(g) if self.create_graph else g
            filled.append(g)
        return tuple(filled)

    def _pull(self, node: Node, g: Any) -> Iterable[Any]:
        """The un-reduced cotangents of a node's inputs."""
        if not isinstance(node, OpNode):
            return self._custom(node, g)
        needs = [n is not None and (self.needed is None or n in self.needed) for n in node.next]
        if self.create_graph:
            xp, saved = TENSOR, tensor_saved(node)
        else:
            xp, saved = RAW, raw_saved(node)
        meta = node.meta or {}
        if node.each:
            rule = node.rules[0]  # type: ignore[index]
            y, *xs = saved
            return [rule(xp, g, y, i, *xs, **meta) if need else None for i, need in enumerate(needs)]
        grads = []
        for rule, need in zip(node.rules, needs, strict=True):  # type: ignore[arg-type]
            if need and rule is MISSING:
                raise NotImplementedError(messages.missing_rule(node))
            grads.append(rule(xp, g, *saved, **meta) if need else None)
        return grads

    def _custom(self, node: Any, g: Any) -> Iterable[Any]:
        """A node with a backward of its own (a user's Function): it works on tensors in both worlds."""
        given = g if node.ports else (g,)
        if self.create_graph:
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
        return g if self.create_graph else self._expose(g)

    def _inward(self, t: Any) -> Any:
        return t if self.create_graph else self._shown(t)

    def _tensor_hooks(self, node: Node, g: Any) -> Any:
        hooks = node.hooks
        if hooks is None or not (hooks.tensor_pre or hooks.retain):
            return g
        t = self._outward(g)
        for hook in list(hooks.tensor_pre.values()):
            t = self._call_hook(hook, t, node)
        if hooks.retain is not None:
            hooks.retain(t)
        return self._inward(t)

    def _call_hook(self, hook: Callable[[Any], Any], t: Any, node: Node) -> Any:
        new = hook(t)
        if new is None:
            return t
        messages.check_hook_result(new, t, node)
        return new

    def _prehooks(self, node: Node, g: Any) -> Any:
        assert node.hooks is not None
        outs = tuple([None if p is None else self._outward(p) for p in (g if node.ports else (g,))])
        for hook in list(node.hooks.pre.values()):
            new = hook(outs)
            if new is not None:
                outs = new if isinstance(new, tuple) else (new,)
        back = tuple([None if p is None else self._inward(p) for p in outs])
        return back if node.ports else back[0]

    def _posthooks(self, node: Node, grads: Iterable[Any], g: Any) -> Iterable[Any]:
        assert node.hooks is not None
        outs = tuple([None if p is None else self._outward(p) for p in (g if node.ports else (g,))])
        fit = fit_tensor if self.create_graph else fit_raw
        fitted = [
            None if x is None or n is None else self._outward(fit(x, n, node))
            for x, n in zip(grads, node.next, strict=True)
        ]
        ins = tuple(fitted)
        for hook in list(node.hooks.post.values()):
            new = hook(ins, outs)
            if new is not None:
                ins = new if isinstance(new, tuple) else (new,)
        return [None if p is None else self._inward(p) for p in ins]

    def _capture(self, node: Node, g: Any) -> None:
        if not self.create_graph:
            self.exposed.add(id(g))
            self.kept_alive.append(g)
        self.captured[node] = g

    # --- the end ---------------------------------------------------------------------------------------------------

    def _leaves(self) -> dict[AccumulateGrad, Any]:
        """What arrived at the leaves, after their hooks."""
        leaves: dict[AccumulateGrad, Any] = {}
        for node, g in self.pending.items():
            if node.seq == 0:
                assert isinstance(node, AccumulateGrad)
                if getattr(node.variable, "_hooks", None) or node.hooks is not None:
                    g = self._leaf_hooks(node, g)
                if node in self.captures:
                    self._capture(node, g)
                leaves[node] = g
        return leaves

    def _leaf_hooks(self, node: AccumulateGrad, g: Any) -> Any:
        t = self._outward(g)
        for hook in list((getattr(node.variable, "_hooks", None) or {}).values()):
            t = self._call_hook(hook, t, node)
        if node.hooks is not None:
            for hook in list(node.hooks.pre.values()):
                new = hook((t,))
                if new is not None:
                    t = new[0] if isinstance(new, tuple) else new
        return self._inward(t)


def needed_nodes(roots: Iterable[Node], targets: Iterable[Node]) -> set[Node]:
    """The nodes on a path from a root to a target, targets included."""
    reachable: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in reachable:
            reachable.add(node)
            stack.extend([n for n in node.next if n is not None and n not in reachable])
    needed = set(targets) & reachable
    for node in sorted(reachable, key=_age, reverse=True):  # oldest first: what a node leads to is decided before it
        if node not in needed and any([n in needed for n in node.next]):
            needed.add(node)
    return needed


def _age(node: Node) -> int:
    return node.seq

