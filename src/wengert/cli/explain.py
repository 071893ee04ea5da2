"""`wengert explain`: how a result of a program was computed, and how its gradients come about."""

import argparse
import sys
from pathlib import Path
from typing import Any

from wengert.cli.asking import add_asking_command, run_and_ask
from wengert.cli.errors import CommandError
from wengert.cli.terminal import show
from wengert.see.explain import Explanation, explain

__all__ = ["add_explain_command"]

_DESCRIPTION = """\
Run a program (.py) written for wengert or PyTorch, and then explain one of its results:
each value by the names of the program, with its formula and number, the local derivatives,
and their product along each path. If the program ends with an error, the result is looked
up where it was raised.

What the program prints comes before the explanation.
"""


def add_explain_command(commands: Any) -> None:
    """Add `explain` to the commands of the command line."""
    summary = "write out how a result and its gradients were computed"
    parser = add_asking_command(commands, "explain", summary, _DESCRIPTION)
    parser.add_argument(
        "--wrt",
        metavar="NAME",
        action="append",
        default=[],
        help="a tensor to differentiate by; may be given several times (default: all leaves)",
    )
    parser.add_argument("--format", choices=("text", "markdown", "latex"), default="text", help="default: text")
    parser.add_argument("--limit", metavar="STEPS", type=int, default=40, help="the most steps to show (default: 40)")
    parser.set_defaults(command=_explain)


def _explain(options: argparse.Namespace) -> int:
    def question(y: Any, *wrt: Any) -> Explanation:
        return explain(y, wrt or None, limit=options.limit)

    try:
        asked = run_and_ask(Path(options.file), options.arguments, [options.target, *options.wrt], question)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{options.file}: {error}") from error
    show(getattr(asked.answer, options.format) + "\n", sys.stdout)
    return 0 if asked.error is None else 1
