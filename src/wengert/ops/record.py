"""The record that states everything about one operation, and the table of all records.

An :class:`Op` holds the NumPy implementation of an operation, its derivative rules, its names and its text. It knows
no tensor and no engine; engines read it.

Rules have fixed letters. A rule for one input is called ``rule(xp, g, y, *inputs, **meta)``:

==========  ==========================================================================================
``xp``      the namespace of the world in which the rule runs: every operation of the table by its name
``g``       the cotangent of the result
``y``       the result (a tuple for operations with several results)
``x a b``   the inputs
``t``       a tangent
==========  ==========================================================================================

It returns the un-reduced cotangent of that input: no rule un-broadcasts, casts or accumulates; the sweep does.
An input's rule is a function, ``None`` (the operation is not differentiable there: its derivative is zero or it has
none) or :data:`MISSING` (nobody has written it yet: a clear error when it is needed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, Final

Rule = Callable[..., Any]


class Kind(Enum):
    """What an operation does to the axes of its inputs, which other interpretations build on."""

    ELEMENTWISE = "elementwise"  # broadcasts its inputs; each result element sees one element of each input
    REDUCTION = "reduction"  # combines elements along axes
    SCAN = "scan"  # running combination along an axis
    MOVEMENT = "movement"  # each result element is one element of one input, chosen by metadata alone
    INDEXING = "indexing"  # as movement, but chosen by an index array
    PRODUCT = "product"  # sums of products: matmul and its relatives
    CREATION = "creation"
    OTHER = "other"


class Promote(Enum):
    """How input dtypes become the dtype that an operation computes in."""

    KEEP = "keep"  # inputs are taken as they are
    COMMON = "common"  # all inputs are cast to their common dtype (torch's promotion rules)
    FLOAT = "float"  # as COMMON; bool and integers then become the default float
    DIVIDE = "divide"  # as FLOAT, the name of true division


class _Missing(Enum):
    MISSING = "missing"

    def __call__(self, *args: Any, **meta: Any) -> Any:
        raise NotImplementedError("the derivative of this operation is not implemented")


MISSING: Final = _Missing.MISSING


@dataclass(frozen=True, slots=True)
class EachInput:
    """One rule for an operation with any number of inputs: ``rule(xp, g, y, i, *xs, **meta)`` for input ``i``.

    ``shape_only`` says of which inputs the rule reads the shape or dtype and not the values.
    """

    rule: Rule
    differentiable: Callable[[int], bool] | None = None
    shape_only: Callable[[int], bool] | None = None


@dataclass(frozen=True, slots=True)
class Together(EachInput):
    """One rule for all inputs at once, where their cotangents share a long computation. Make one with :func:`together`.

    ``joint(xp, g, y, needs, *xs, **meta)`` returns a cotangent for each input, or None for one that ``needs`` does not
    ask for. ``g`` has None for results where nothing arrived.
    """

    joint: Rule = field(kw_only=True)


def together(joint: Rule, *, shape_only: Callable[[int], bool] | None = None) -> Together:
    """The :class:`Together` of a rule, which can also be asked for one input at a time."""

    def rule(xp: Any, g: Any, y: Any, i: int, *xs: Any, **meta: Any) -> Any:
        return joint(xp, g, y, [k == i for k in range(len(xs))], *xs, **meta)[i]

    return Together(rule, shape_only=shape_only, joint=joint)


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """All facets of one operation. Make one with :func:`defop`."""

    name: str
    impl: Callable[..., Any]
    kind: Kind
    vjp: tuple[Rule | _Missing | None, ...] | EachInput
    args: tuple[str, ...]
    promote: Promote
    node: str | Callable[[dict[str, Any]], str]
    outputs: int
    differentiable_outputs: tuple[int, ...]
    view: bool
    ufunc: Callable[..., Any] | None
    linear: tuple[int, ...]
    jvp: Rule | None
    formula: str
    doc: str
    domain: str
    points: tuple[float, ...]
    check: Callable[[str, Sequence[Any]], None] | None
    batch: Rule | str | Kind | None

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    @property
    def differentiable(self) -> bool:
        """Whether any input has (or should have) a derivative rule."""
        return isinstance(self.vjp, EachInput) or any(rule is not None for rule in self.vjp)


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """Several operations that rules apply as one: what they are, and the same at once on raw values."""

    name: str
    parts: Rule
    impl: Callable[..., Any]


@dataclass(slots=True)
class OpTable:
    """Every operation by name; iteration is in order of definition.

    ``followers`` are namespaces that have each implementation under its name, unless they have that name already.
    """

    ops: dict[str, Op] = field(default_factory=dict)
    fused: dict[str, Fused] = field(default_factory=dict)
    followers: list[dict[str, Any]] = field(default_factory=list)

    def add(self, op: Op) -> None:
        """Enter an operation; its name must be new."""
        if op.name in self.ops:
            raise ValueError(f"the operation {op.name!r} is defined twice")
        self.ops[op.name] = op
        self._tell(op)

    def add_fused(self, fused: Fused) -> None:
        """Enter a combination of operations; its name must be new."""
        if fused.name in self.ops or fused.name in self.fused:
            raise ValueError(f"{fused.name!r} is defined twice")
        self.fused[fused.name] = fused
        self._tell(fused)

    def _tell(self, found: Op | Fused) -> None:
        for names in self.followers:
            names.setdefault(found.name, found.impl)

    def follow(self, names: dict[str, Any]) -> None:
        """Give a namespace every implementation that there is and will be."""
        self.followers.append(names)
        known: list[Op | Fused] = [*self.ops.values(), *self.fused.values()]
        for found in known:
            names.setdefault(found.name, found.impl)

    def __getitem__(self, name: str) -> Op:
        return self.ops[name]

    def in_parts(self, name: str, xp: Any) -> Callable[..., Any] | None:
        """What a rule means by ``xp.name`` in a world that is not raw, if the name is of a :class:`Fused`."""
        found = self.fused.get(name)
        return None if found is None else partial(found.parts, xp)


TABLE: Final = OpTable()


def deffused(name: str, parts: Rule, impl: Callable[..., Any]) -> Fused:
    """Let rules write ``xp.name`` for a combination of operations that NumPy computes faster at once.

    It is no operation: it has no rule and is never recorded. On raw values ``impl`` runs; every other world sees the
    parts, so derivatives, programs, batches and formulas follow from them. A generated test compares the two.

    Args:
        name: the name under which rules call it.
        parts: the combination, ``parts(xp, *arrays, **meta)``.
        impl: the same on raw values, ``impl(*arrays, **meta)``.
    """
    fused = Fused(name, parts, impl)
    TABLE.add_fused(fused)
    return fused


def defop(
    name: str,
    impl: Callable[..., Any],
    kind: Kind,
    *,
    vjp: tuple[Rule | _Missing | None, ...] | EachInput,
    args: tuple[str, ...] = ("self",),
    promote: Promote = Promote.KEEP,
    node: str | Callable[[dict[str, Any]], str] | None = None,
    outputs: int = 1,
    differentiable_outputs: tuple[int, ...] = (0,),
    view: bool = False,
    ufunc: Callable[..., Any] | None = None,
    linear: tuple[int, ...] = (),
    jvp: Rule | None = None,
    formula: str = "",
    doc: str = "",
    domain: str = "real",
    points: tuple[float, ...] = (),
    check: Callable[[str, Sequence[Any]], None] | None = None,
    batch: Rule | str | Kind | None = None,
    table: OpTable | None = TABLE,
) -> Op:
    """Define one operation and enter it in :data:`TABLE`.

    Args:
        name: the name under which rules call it as ``xp.name``.
        impl: the NumPy implementation, ``impl(*arrays, **meta)``. It gets ndarrays or NumPy scalars (a 0-d value may
            be either) that already have the compute dtype, and Python numbers where the user gave them; it returns
            an ndarray or a NumPy scalar of the right dtype (or a tuple of them when ``outputs`` is not 1).
        kind: what it does to the axes.
        vjp: one rule per array input (see the module's text), an :class:`EachInput` or a :class:`Together`.
        args: PyTorch's names of the array inputs, used for ``_saved_self`` and in messages.
        promote: how input dtypes are combined before ``impl`` runs.
        node: the name of the graph node; by default the operation's name in camel case with ``Backward0``. A function
            of the metadata where the name depends on it.
        outputs: number of results; 0 says that ``impl`` returns a tuple of any length.
        differentiable_outputs: which results carry derivatives (ignored when ``outputs`` is 0: all do).
        view: ``impl`` returns a NumPy view of its first input wherever it can, and the tensor shares memory.
        ufunc: a NumPy ufunc equal to ``impl``, which can write to ``out=`` (in-place forms and large arrays use it).
        linear: the inputs in which the operation is linear (alone, the others fixed).
        jvp: the forward rule ``jvp(xp, ts, y, *inputs, **meta)``, where it does not follow from ``vjp``.
        formula: the operation as mathematics, e.g. ``"sin(x)"``.
        doc: text for its documentation page.
        domain: where its inputs may lie: ``real``, ``positive``, ``unit`` (0..1), ``open_unit`` (-1..1), ``above_one``,
            ``nonzero``.
        points: singular points or ties that tests visit and where PyTorch's convention holds.
        check: ``check(name, raws)`` raises if PyTorch refuses inputs of these dtypes (it sees them before promotion).
            It is not called for tensors of one type, float32 or float64, so an operation that refuses those must not
            get the short path of ``engine.pointwise``.
        batch: how it applies to a whole batch, where that does not follow from ``kind``: the kind that it behaves like;
            the subscripts of a sum of products, ``"ij,jk->ik"``, with ``...`` in front for axes that broadcast;
            ``"..."`` for an operation that takes further leading axes as they come; or a rule
            ``batch(xp, *inputs, **meta)`` on values of which at least one is batched, made of other operations or with
            ``wengert._batched.physical``.
        table: where to enter it; None for an operation that only the engine applies.
    """
    camel = "".join(part.capitalize() for part in name.split("_"))
    op = Op(
        name=name,
        impl=impl,
        kind=kind,
        vjp=vjp,
        args=args,
        promote=promote,
        node=node or f"{camel}Backward0",
        outputs=outputs,
        differentiable_outputs=differentiable_outputs,
        view=view,
        ufunc=ufunc,
        linear=linear,
        jvp=jvp,
        formula=formula,
        doc=doc,
        domain=domain,
        points=points,
        check=check,
        batch=batch,
    )
    if table is not None:
        table.add(op)
    return op
