"""`wengert diagnose`: what is wrong with a result of a program, and with its gradients."""

import argparse
from pathlib import Path
from typing import Any

from wengert.cli.asking import add_asking_command, run_and_ask
from wengert.cli.errors import CommandError
from wengert.see.diagnose import diagnose

__all__ = ["add_diagnose_command"]

_DESCRIPTION = """\
Run a program (.py) written for wengert or PyTorch, and then say what is wrong with one of
its results: why a gradient is missing, NaN, infinite, zero, vanishing or added up, and
what keeps graphs alive. If the program ends with an error, the question is asked there.

Exits with 0 if nothing wrong was found, else with 1. An exit code that the program itself
asks for (sys.exit(3)) does not count; an error that ends it does.
"""


def add_diagnose_command(commands: Any) -> None:
    """Add `diagnose` to the commands of the command line."""
    summary = "say why a gradient is missing, NaN, zero or too small"
    parser = add_asking_command(commands, "diagnose", summary, _DESCRIPTION)
    parser.add_argument("--wrt", metavar="NAME", help="the tensor whose gradient is in question (default: all leaves)")
    parser.set_defaults(command=_diagnose)


def _diagnose(options: argparse.Namespace) -> int:
    targets = [options.target] if options.wrt is None else [options.target, options.wrt]
    try:
        asked = run_and_ask(Path(options.file), options.arguments, targets, diagnose)
    except TypeError as error:
        raise CommandError(f"{options.file}: {error}") from error
    print(asked.answer)
    return 0 if asked.answer.ok and asked.error is None else 1
