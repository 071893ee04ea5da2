"""Nodes of table operations: one class per operation and name, with PyTorch's ``_saved_*`` attributes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from itertools import chain
from types import CodeType
from typing import Any, ClassVar

import numpy as np

from wengert.engine.kernels import Rules, rules_of
from wengert.engine.node import UNWATCHED, FreedAt, Metadata, Node, RecordedNode, metadata_of, save_plan
from wengert.engine.saved import ARRAYS, SavedTensor, tensor_saved
from wengert.ops.reads import Read, reads_of
from wengert.ops.record import MISSING, EachInput, Kind, Op, Together
from wengert.spaces.batching import BATCHED
from wengert.spaces.raw import RAW, REAL, RawSpace

_classes: dict[tuple[str, str, bool], type[OpNode]] = {}
_batched: dict[type[OpNode], type[OpNode]] = {}
_real_classes: dict[Op, type[OpNode]] = {}  # of operations whose name does not depend on their metadata


# How the sweep runs the rules of a node whose values are scalars.
GENERAL, ONE_INPUT, TWO_INPUTS, ONE_INPUT_AND_METADATA = range(4)

# What the sweep's short way has to know of an operation with one rule for each input and one result: one of the ways
# above, the number of inputs, where the version cells begin in `links`, the space, the rules, `keeps_scalars`, whether
# rules take metadata, the rules on many elements, whether the inputs are known to be scalars of the result's dtype
# wherever that is a scalar, and the class of its nodes. A plain tuple, which Python unpacks fastest.
Form = tuple[int, int, int, RawSpace, tuple[Any, ...], bool, bool, Rules | None, bool, type["OpNode"]]


class OpNode(RecordedNode):
    """A node whose rules come from the operation table. Who makes one sets its slots."""

    __slots__ = ()

    __init__ = object.__init__  # `cls()` then takes two thirds of the time of `object.__new__(cls)`

    arity: int
    elementwise: ClassVar[bool]
    space: ClassVar[RawSpace]  # the world of raw values in which the rules run
    joint: ClassVar[Any]  # the rule for all inputs at once, where there is one
    reads_inputs: ClassVar[bool]  # whether any rule does
    # Whether a node with a scalar result keeps it and every input, and keeps them when it is freed.
    keeps_scalars: ClassVar[bool]
    many: ClassVar[Rules | None]  # the rules on many elements, if these may be machine code
    form: ClassVar[Form | None]
    like_form: ClassVar[Form | None]  # of a node whose inputs have the dtype of the result
    first: ClassVar[type[OpNode]]  # the class that a node is made of

    @property
    def next(self) -> tuple[Node | None, ...]:
        """The nodes that the inputs' cotangents go to; None for inputs that need none."""
        return self.links[1 : 1 + self.arity]

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each input the node its gradient goes to (None if it needs none) and which result of that node it is.

        As in PyTorch, inputs that can never have a gradient (masks, indices, the number of ``x**2``) do not count.
        """
        following = zip(super().next_functions, self.counted, strict=False)
        return tuple([pair for pair, counts in following if counts or pair[0] is not None])

    @property
    def counted(self) -> tuple[bool, ...]:
        """Which inputs can have a gradient."""
        op = self.op
        if op is None:
            return ()
        if isinstance(op.vjp, EachInput):
            may = op.vjp.differentiable
            return tuple([may is None or may(i) for i in range(self.arity)])
        number = 0 if op.name.startswith("number_") else len(op.vjp) - 1 if op.name.endswith("_number") else -1
        return tuple([rule is not None and i != number for i, rule in enumerate(op.vjp)])

    @property
    def saved(self) -> tuple[Any, ...] | None:
        """``(y, *inputs)`` as far as a rule reads them; None once freed."""
        if self.freed is not None:
            return None
        return self._read_of(self.kept) if self.keeps_scalars else self.kept

    @property
    def kept(self) -> tuple[Any, ...]:
        """``(y, *inputs)`` as far as the node holds them: what a rule reads, numbers, and all that is a scalar."""
        k = self.arity
        return self.links[1 + k : 2 * k + 2]

    def _read_of(self, kept: tuple[Any, ...]) -> tuple[Any, ...]:
        """Of the values that an elementwise node keeps those that its rules read."""
        mask = sum([1 << i for i, following in enumerate(self.next) if following is not None])
        plan = save_plan(self.op, mask, self.arity)  # type: ignore[arg-type]
        return tuple(
            [
                value if read is Read.VALUES else _shape_of(value) if read is Read.METADATA else None
                for read, value in zip(plan, kept, strict=True)
            ]
        )

    def known(self) -> tuple[Any, ...]:
        """``(y, *inputs)`` as raw values, as far as the node knows them now; None for the others.

        Python numbers and what an elementwise operation made a scalar of are always known; saved arrays are until they
        are freed or written in place. A result of several parts is a tuple.
        """
        stale = self._stale()
        return tuple([_known(value, stale) for value in self.kept])

    def is_written(self) -> bool:
        """Whether a saved tensor was written in place since."""
        return any_written(self.links, 2 * self.arity + 2)

    def _stale(self) -> frozenset[int]:
        """The ids of the saved arrays that were written in place since."""
        if not self.is_written():
            return frozenset()
        watched = self.watched
        arrays = [
            part
            for value in self.saved or ()
            for part in (value if value.__class__ is tuple else (value,))
            if isinstance(part, (np.ndarray, np.generic))
        ]
        pairs = zip(arrays, watched, strict=False)
        return frozenset([id(raw) for raw, (cell, version) in pairs if cell[0] != version])

    @property
    def watched(self) -> tuple[tuple[list[Any], int], ...]:
        """The version cells of the saved tensors, each with the version that the tensor had."""
        start = 2 * self.arity + 2
        return tuple(zip(self.links[start::2], self.links[start + 1 :: 2], strict=True))

    def relink(self, kept: Iterable[Any], watched: Iterable[tuple[list[Any], int]]) -> None:
        """Replace what is kept."""
        self.links = (self.links[0], *self.next, *kept, *chain.from_iterable(watched))

    def release(self, where: FreedAt) -> None:
        """Free the saved values, if there are any: a second backward through the node is then an error."""
        k = self.arity
        if len(self.links) > 2 * k + 2:
            self.links = without_arrays(self.links, k)
            self.mark_freed(where)

    def saved_value(self, slot: int) -> tuple[Any, Any, Node | None]:
        """One of :attr:`saved`, the cell of its version, and where its gradient goes (None for the result)."""
        saved: Any = self.saved
        watched, position = self.watched, self._position(slot)
        cell = watched[position][0] if position < len(watched) else [0]
        return saved[slot], cell, None if slot == 0 else self.next[slot - 1]

    def keep_packed(self, slot: int, packed: Any) -> None:
        """Keep what a hook has made of a saved value instead."""
        position = self._position(slot)
        kept = list(self.kept)
        kept[slot] = packed
        watched = [pair for i, pair in enumerate(self.watched) if i != position]
        self.hang()  # the sweep's short path takes only nodes without anything special
        self.relink(kept, watched or (UNWATCHED,))

    def _position(self, slot: int) -> int:
        """Where a saved value stands in :attr:`watched`."""
        saved: Any = self.saved
        return sum([isinstance(value, ARRAYS) for value in saved[:slot]])

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors kept for backward, the result first if it is kept."""
        return tuple([value for value in tensor_saved(self) if hasattr(value, "_data")])


_NUMBERS = (np.generic, int, float, complex)


def any_written(links: tuple[Any, ...], start: int) -> bool:
    """Whether a saved tensor whose cell and version stand at ``start`` or later was written since it was saved."""
    if len(links) == start + 2:  # the most frequent case
        return bool(links[start][0] != links[start + 1])
    return any([links[i][0] != links[i + 1] for i in range(start, len(links), 2)])


def without_arrays(links: tuple[Any, ...], k: int) -> tuple[Any, ...]:
    """The links of a node that is freed: where they lead, and the numbers among what they kept."""
    kept = [value if isinstance(value, _NUMBERS) else None for value in links[1 + k : 2 * k + 2]]
    return (*links[: 1 + k], *kept)


def _shape_of(value: Any) -> Metadata:
    return value if isinstance(value, Metadata) else metadata_of(value)


def _known(value: Any, stale: frozenset[int]) -> Any:
    if value.__class__ is tuple:
        return tuple([_known(part, stale) for part in value])
    if isinstance(value, np.ndarray):
        return None if id(value) in stale else value
    return value if isinstance(value, _NUMBERS) else None


def _reads_inputs(vjp: Any) -> bool:
    """Whether rules look at the inputs: else a rule for each of very many inputs need not be given all of them."""
    if not isinstance(vjp, EachInput):
        return True
    return list(reads_of(vjp.rule).values())[-1] is not Read.NOTHING


def _takes_metadata(rule: Any, arity: int) -> bool:
    code = rule.__code__
    return code.co_argcount + code.co_kwonlyargcount > 3 + arity or bool(code.co_flags & inspect.CO_VARKEYWORDS)


def node_class(op: Op, meta: dict[str, Any] | None, *, is_complex: bool) -> type[OpNode]:
    """The class of the nodes that ``op`` makes: its name is what PyTorch calls it."""
    if not is_complex and op in _real_classes:
        return _real_classes[op]
    name = op.node if isinstance(op.node, str) else op.node(meta or {})
    key = (op.name, name, is_complex)
    found = _classes.get(key)
    if found is None:
        found = _classes.setdefault(key, _make_class(op, name, is_complex, meta or {}))
    if not is_complex and isinstance(op.node, str):
        _real_classes[op] = found
    return found


def _metadata_names(op: Op, meta: dict[str, Any]) -> set[str]:
    """The names of an operation's metadata: those it has now, and where it is a view those of its implementation.

    The classes of views are made before any metadata are known.
    """
    code: CodeType | None = getattr(op.impl, "__code__", None)
    if code is None:
        return set(meta)
    return {*meta, *code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]}


def _saved_properties(op: Op, metadata: Iterable[str]) -> dict[str, property]:
    """``_saved_self`` and the like: the result, the inputs and the metadata, as PyTorch's nodes have them.

    A property for each, and not one ``__getattr__``, which would make every attribute of a node slow to read.
    """

    def of_metadata(name: str) -> property:
        return property(lambda node: node.meta[name])

    def of_tensor(slot: int) -> property:
        return property(lambda node: tensor_saved(node, slot)[slot])

    def of_handle(slot: int) -> property:
        return property(lambda node: SavedTensor(node, slot))

    return {
        **{f"_raw_saved_{name}": of_handle(slot) for slot, name in enumerate(("result", *op.args))},
        **{f"_saved_{name}": of_metadata(name) for name in metadata},
        **{f"_saved_{name}": of_tensor(slot) for slot, name in enumerate(("result", *op.args))},
    }


def _make_class(op: Op, name: str, is_complex: bool, meta: dict[str, Any]) -> type[OpNode]:
    vjp = op.vjp
    body: dict[str, Any] = {
        **_saved_properties(op, _metadata_names(op, meta)),
        "__slots__": (),
        "__module__": "wengert",
        "op": op,
        "rules": (vjp.rule,) if isinstance(vjp, EachInput) else vjp,
        "each": isinstance(vjp, EachInput),
        "joint": staticmethod(vjp.joint) if isinstance(vjp, Together) else None,
        "materialize": not isinstance(vjp, Together),
        "reads_inputs": _reads_inputs(vjp),
        "ports": op.outputs != 1,
        "many": None,
        "form": None,
        "like_form": None,
        "space": RAW if is_complex else REAL,
        "elementwise": op.kind is Kind.ELEMENTWISE and not op.view and not is_complex,
        "keeps_scalars": op.kind is Kind.ELEMENTWISE and op.outputs == 1,
    }
    if isinstance(vjp, EachInput):
        body["__slots__"] = ("arity",)
    else:
        body["arity"] = len(vjp)
        body["short"] = op.outputs == 1 and MISSING not in vjp
    if op.outputs != 1:
        body["__slots__"] += ("port_references",)
    made: Any = type(name, (OpNode,), body)
    made.first = made
    if made.short:
        made.many = rules_of(op) if made.elementwise else None
        made.form, made.like_form = _forms(made)
        made.first = Unseen
    return made  # type: ignore[no-any-return]


def _forms(cls: type[OpNode]) -> tuple[Form, Form]:
    """The form of a node of this class, and of one whose inputs have the dtype of the result."""
    rules: Any = cls.rules
    k, keeps_scalars = len(rules), cls.keeps_scalars
    takes_meta = any([_takes_metadata(rule, k) for rule in rules if rule is not None])
    way = _way_on_scalars(k, takes_meta) if keeps_scalars else GENERAL
    facts = (way, k, 2 * k + 2, cls.space, rules, keeps_scalars, takes_meta, cls.many)
    return (*facts, False, cls), (*facts, keeps_scalars, cls)


def _way_on_scalars(k: int, takes_meta: bool) -> int:
    if takes_meta:
        return ONE_INPUT_AND_METADATA if k == 1 else GENERAL
    return k if k in (ONE_INPUT, TWO_INPUTS) else GENERAL


class Unseen(OpNode):
    """A node that nobody has looked at: it takes the class of its operation, by which users know it, when someone does.

    So the nodes that the short paths make and the sweep meets are of one class. Python reads a slot of the class that
    it expects in 3 ns and of any other in 20, and whoever is about to read slots of nodes meets a different operation
    each time.
    """

    __slots__ = ()

    short = True
    ports = each = False
    materialize = True
    axes = ()

    def settled(self) -> OpNode:
        """The node itself, of its operation's class from now on."""
        self.__class__ = self.links[0][-1]
        return self

    def name(self) -> str:
        """The node's name, as PyTorch has it."""
        return self.settled().name()

    def __repr__(self) -> str:
        return repr(self.settled())


def _of_its_class(name: str) -> property:
    return property(lambda node: getattr(node.settled(), name))


for _name in ("op", "rules", "arity", "elementwise", "space", "joint", "reads_inputs", "keeps_scalars", "many", "form"):
    setattr(Unseen, _name, _of_its_class(_name))


def batched_class(op: Op, meta: dict[str, Any] | None) -> type[OpNode]:
    """The class of the nodes of ``op`` on batched values: the sweep's general way, in their world."""
    plain = node_class(op, meta, is_complex=True)
    found = _batched.get(plain)
    if found is None:
        body = {
            "__slots__": ("axes",),
            "__module__": "wengert",
            "many": None,
            "form": None,
            "like_form": None,
            "space": BATCHED,
            "elementwise": False,
            "keeps_scalars": False,
        }
        found = _batched[plain] = type(plain.__name__, (plain,), body)
    return found
