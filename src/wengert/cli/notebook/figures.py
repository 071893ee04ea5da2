"""matplotlib's figures as images in the notebook.

matplotlib is never imported here: only what the notebook itself imported is used.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["drawing_into", "figure_png", "is_figure", "show_figures"]

_BACKEND = "module://wengert.cli.notebook.agg_backend"
_VARIABLE = "MPLBACKEND"

# Where the notebook that is running wants its figures. matplotlib calls `show` with no argument of ours.
_destinations: list[Callable[[Any], None]] = []


@contextmanager
def drawing_into(destination: Callable[[Any], None]) -> Iterator[None]:
    """Send the figures that `pyplot.show()` shows, and those open at the end of a cell, to `destination`.

    A matplotlib that is already imported keeps its backend.
    """
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = _BACKEND
    _destinations.append(destination)
    try:
        yield
    finally:
        _destinations.pop()
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def show_figures() -> None:
    """Send all open figures to the running notebook and close them; nothing happens where no notebook runs or draws."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or not _destinations:
        return
    for number in pyplot.get_fignums():
        _destinations[-1](pyplot.figure(number))
    pyplot.close("all")


def figure_png(figure: Any) -> bytes:
    """A figure as a PNG image."""
    image = io.BytesIO()
    figure.savefig(image, format="png", bbox_inches="tight")
    return image.getvalue()


def is_figure(value: Any) -> bool:
    """Whether a value is a figure of the matplotlib that the notebook imported."""
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(value, module.Figure)
