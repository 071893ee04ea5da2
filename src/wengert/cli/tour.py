"""`wengert tour`: automatic differentiation from the first derivative on, as a notebook that runs in the terminal."""

import argparse
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from wengert.cli.notebook.document import check_writable, parse_notebook, write_notebook
from wengert.cli.notebook.execute import execute_notebook
from wengert.cli.terminal import TourReporter

__all__ = ["add_tour_command"]

_NOTEBOOK = "autograd_tour.ipynb"


def add_tour_command(commands: Any) -> None:
    """Add `tour` to the commands of the command line."""
    parser = commands.add_parser(
        "tour",
        help="see automatic differentiation at work, from the first derivative on",
        description="Run the notebook that comes with wengert and show its text, code and outputs in the terminal.",
    )
    parser.add_argument("--output", metavar="PATH", help="also save the executed notebook there, to open in Jupyter")
    parser.set_defaults(command=_tour)


def _tour(options: argparse.Namespace) -> int:
    text = resources.files("wengert.tour").joinpath(_NOTEBOOK).read_text(encoding="utf-8")
    document = parse_notebook(text, _NOTEBOOK)
    output = Path(options.output).absolute() if options.output is not None else None
    if output is not None:
        check_writable(output)
    code = execute_notebook(document, TourReporter(sys.stdout), folder=Path.cwd())
    if output is not None:
        write_notebook(document, output)
        print(f"saved {output}", file=sys.stderr)
    return code
