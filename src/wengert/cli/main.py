"""The command line: which commands there are, and what they take."""

import argparse
import os
import sys
from collections.abc import Sequence

from wengert._version import __version__
from wengert.cli.cache import add_cache_command
from wengert.cli.diagnose import add_diagnose_command
from wengert.cli.errors import CommandError
from wengert.cli.explain import add_explain_command
from wengert.cli.pictures import add_draw_command, add_explore_command
from wengert.cli.run import add_run_command
from wengert.cli.tour import add_tour_command

__all__ = ["main"]

BAD_INPUT = 2
_ASKING = ("diagnose", "explain", "draw", "explore")  # commands that run a program


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 done, 1 the program failed, 2 it could not be started."""
    parser = _parser()
    given, passed_on = _parted(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given)
    if passed_on:
        options.arguments = [*options.arguments, *passed_on]
    try:
        code: int = options.command(options)
        sys.stdout.flush()
    except CommandError as error:
        print(f"wengert: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # The reader went away (`wengert tour | head`). Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parted(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What a command takes itself, in any order, and what stands behind ``--`` for the program that it runs."""
    given = list(arguments)
    if given[:1] not in [[name] for name in _ASKING] or "--" not in given:
        return given, []
    end = given.index("--")
    return given[:end], given[end + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wengert",
        description="PyTorch's tensors and autograd on NumPy.",
        epilog="Each command has its own help: wengert run --help",
    )
    parser.add_argument("--version", action="version", version=f"wengert {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_run_command(commands)
    add_tour_command(commands)
    add_cache_command(commands)
    add_diagnose_command(commands)
    add_explain_command(commands)
    add_draw_command(commands)
    add_explore_command(commands)
    return parser
