"""`wengert draw` and `wengert explore`: the graph of a program's result as a picture, or as a page to walk through."""

import argparse
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wengert.cli.asking import add_asking_command, run_and_ask
from wengert.cli.errors import CommandError
from wengert.cli.terminal import show
from wengert.see.drawing import draw
from wengert.see.explore import explore

__all__ = ["add_draw_command", "add_explore_command"]

_DRAW = """\
Run a program (.py) written for wengert or PyTorch, and then draw the graph of one of its
results. The suffix of --output decides the form: .svg .png .dot .gv .mmd .md .txt; without
it the graph is written to the terminal, a line for each node.
"""
_EXPLORE = """\
Run a program (.py) written for wengert or PyTorch, and then make a page on which one walks
through the graph of one of its results, forward and backward. The page is one file that
needs no network. Without --output it is saved as NAME.explore.html in the current folder
and, from a terminal, opened in the browser.
"""


def add_draw_command(commands: Any) -> None:
    """Add `draw` to the commands of the command line."""
    parser = _add(commands, "draw", "draw the graph of a result", _DRAW)
    parser.add_argument("--direction", choices=["down", "right"], default="down", help="where the evaluation goes")
    parser.set_defaults(command=_draw)


def add_explore_command(commands: Any) -> None:
    """Add `explore` to the commands of the command line."""
    parser = _add(commands, "explore", "walk through the graph of a result, in the browser", _EXPLORE)
    parser.set_defaults(command=_explore)


def _add(commands: Any, name: str, summary: str, description: str) -> Any:
    parser = add_asking_command(commands, name, summary, description, target="loss")
    parser.add_argument("-o", "--output", metavar="PATH", help="where to save it")
    parser.add_argument("--theme", choices=["auto", "light", "dark"], default="auto", help="the colours")
    parser.add_argument("--max-nodes", metavar="N", type=int, default=150, help="fold until so few are left (150)")
    parser.add_argument("--unfold", action="store_true", help="show every time of what is repeated")
    return parser


def _draw(options: argparse.Namespace) -> int:
    picture, code = _asked(options, draw, direction=options.direction)
    if options.output is None:
        show(f"{picture}\n", sys.stdout)
    else:
        _save(picture, Path(options.output))
    return code


def _explore(options: argparse.Namespace) -> int:
    page, code = _asked(options, explore)
    saved = _save(page, Path(options.output or f"{Path(options.file).stem}.explore.html"))
    if options.output is None and sys.stdout.isatty():
        webbrowser.open(saved.absolute().as_uri())
    return code


def _asked(options: argparse.Namespace, question: Callable[..., Any], **settings: Any) -> tuple[Any, int]:
    """The answer for the target at the end of the program, and the exit code that the program's own end asks for."""
    settings |= {"theme": options.theme, "max_nodes": options.max_nodes, "fold": not options.unfold}
    try:
        asked = run_and_ask(
            Path(options.file), options.arguments, [options.target], lambda target: question(target, **settings)
        )
    except (TypeError, ValueError) as error:
        raise CommandError(f"{options.file}: {options.target}: {error}") from error
    return asked.answer, 0 if asked.error is None else 1


def _save(made: Any, path: Path) -> Path:
    try:
        saved: Path = made.save(path)
    except (ValueError, ImportError, RuntimeError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{path}: cannot be written: {error.strerror}") from error
    print(f"saved {saved}", file=sys.stderr)
    return saved
