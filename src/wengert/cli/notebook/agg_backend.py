"""matplotlib's Agg backend with a `show` that puts figures into the notebook.

Nothing of wengert imports this module: matplotlib does, by its name, when it draws.
"""

from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

from wengert.cli.notebook.figures import show_figures

__all__ = ["FigureCanvas", "show"]


def show(*_arguments: Any, **_options: Any) -> None:
    """What `pyplot.show()` calls: the options are about windows, and there are none."""
    show_figures()
