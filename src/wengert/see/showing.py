"""Tensors shown as pictures of their graphs in notebooks, on request. Knows that there are pictures."""

from __future__ import annotations

import sys
from inspect import signature
from typing import Any

from wengert.engine.base import TensorBase
from wengert.see.drawing import Drawing, draw

__all__ = ["show_graphs"]

_FORM = "_repr_svg_"  # what Jupyter asks an object for
_ASK = "__wengert_picture__"


def show_graphs(on: bool = True, **settings: Any) -> None:
    """Have Jupyter show a tensor that an operation made as the picture of its graph; others are printed as ever.

    Args:
        on: False brings the printed form back.
        settings: as for :func:`draw`, such as `direction` or `max_nodes`.

    Raises:
        TypeError: `draw` has no such setting.

    Example:
        >>> import wengert
        >>> wengert.show_graphs(direction="right")
        >>> x = wengert.tensor(3.0, requires_grad=True)
        >>> (x**2)._repr_svg_().startswith("<svg")
        True
        >>> wengert.show_graphs(False)
    """
    if not on:
        if _FORM in vars(TensorBase):
            delattr(TensorBase, _FORM)
        return
    signature(draw).bind(None, **settings)  # an unknown setting is an error here, not in each cell
    setattr(TensorBase, _FORM, lambda t: _picture(t, settings) if t._node is not None else None)


def _picture(t: TensorBase, settings: dict[str, Any]) -> str:
    """Drawn in a frame that has the notebook's variables: when Jupyter asks, no cell runs whose names could be read."""
    names = {**vars(sys.modules["__main__"]), _ASK: lambda: draw(t, **settings)}
    picture: Drawing = eval(f"{_ASK}()", names)
    return picture.svg()
