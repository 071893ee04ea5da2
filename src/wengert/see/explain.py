"""`explain`: the derivation that a teacher writes by hand, from the graph alone."""

from __future__ import annotations

from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from wengert._memory import without_collection
from wengert._source import user_frame
from wengert.engine.base import TensorBase
from wengert.see.document import Document
from wengert.see.graph import Graph, Value, read
from wengert.see.replay import replay
from wengert.see.sections import Account
from wengert.see.steps import Steps

_LIMIT: Final = 40


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """A derivation; printed it is text, in Jupyter it shows as Markdown with formulas.

    `gradients` are the derivatives of the result by what was asked for, as raw values, by name.
    """

    document: Document
    gradients: dict[str, Any]

    @property
    def text(self) -> str:
        """As plain text."""
        return self.document.text()

    @property
    def markdown(self) -> str:
        """As Markdown with LaTeX formulas."""
        return self.document.markdown()

    @property
    def latex(self) -> str:
        """As LaTeX, for `amsmath`."""
        return self.document.latex()

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.markdown

    def _repr_latex_(self) -> str:
        return self.latex


def explain(y: Any, wrt: Any = None, *, limit: int = _LIMIT, frame: FrameType | None = None) -> Explanation:
    """Explain how a result was computed and how its derivatives come about: formulas, numbers, the chain rule.

    Each value that has a name in the program is a step: its formula in terms of other names, and its value. The local
    derivatives are those that `backward()` uses, simplified. It works before and after `backward()`, which it neither
    runs nor repeats on the user's tensors, and says so where values have changed since.

    Args:
        y: a tracked tensor. If it has several elements, their sum is differentiated.
        wrt: what to differentiate by: tensors of the graph of `y`, or their names; by default all leaves.
        limit: how many steps are shown at most; loops are folded.
        frame: where names are looked up first; by default where `explain` is called.

    Returns:
        An :class:`Explanation`: `print` it, or take its `text`, `markdown` or `latex`.

    Raises:
        TypeError: `y` is no tensor.
        ValueError: `y` has no graph, or something in `wrt` is not in it.

    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = (x**2).mean()
    >>> print(torch.explain(y))
    y = 4.6667
    <BLANKLINE>
    Values
      x = [1, 2, 3]
      y = mean(x^2) = 4.6667
    <BLANKLINE>
    Local derivatives
      dy/dx_i = 2x_i/3 = [0.6667, 1.3333, 2]
    <BLANKLINE>
    Gradients
      dy/dx = [0.6667, 1.3333, 2]
      x.grad is None: backward() has not been called.
    """
    if not isinstance(y, TensorBase):
        raise TypeError(f"explain() takes a tensor, and got {type(y).__name__}")
    near = frame if frame is not None else user_frame()
    with without_collection():
        graph = read(y, near)
        wanted = _wanted(graph, wrt)
        replayed = replay(graph)
        steps = Steps(graph, replayed, wanted)
        document = Account(steps, wanted, limit).document()
    gradients = {steps.labels[value]: replayed.gradient(value) for value in wanted if value in steps.labels}
    return Explanation(document, gradients)


def _wanted(graph: Graph, wrt: Any) -> list[Value]:
    if wrt is None:
        return graph.leaves()
    given = [wrt] if isinstance(wrt, (TensorBase, str)) else list(wrt)
    return [_found(graph, item) for item in given]


def _found(graph: Graph, item: Any) -> Value:
    """The value of the graph that a tensor, or a name, stands for; the last of several of one name."""
    if isinstance(item, str):
        named = [value for value in graph.values if value.name == item and value.node is not None]
        if named:
            return named[-1]
        names = sorted({value.name for value in graph.values if value.name is not None and value.node is not None})
        raise ValueError(f"no value of this graph that requires grad is called {item!r}; there are {', '.join(names)}")
    value = graph.value_of(item)
    if value is None:
        raise ValueError(
            "wrt is not in the graph of y: y was not computed from it, or the name stands for another tensor now. "
            "`wengert.diagnose(y, x)` says where the path was cut"
        )
    return value


__all__ = ["Explanation", "explain"]
