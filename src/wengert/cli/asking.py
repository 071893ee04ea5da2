"""Running a program and then asking about its variables, as if the question stood behind its last line."""

from __future__ import annotations

import argparse
import ast
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from wengert.cli.errors import CommandError
from wengert.cli.script import main_module, users_part
from wengert.interop.torch import install

__all__ = ["Asked", "add_asking_command", "run_and_ask"]

Question = Callable[..., Any]

_QUESTION = "__wengert_question__"


def add_asking_command(commands: Any, name: str, summary: str, description: str, target: str | None = None) -> Any:
    """Add a command that asks about a result of a program; ``target`` is its name where the user gives none."""
    parser = commands.add_parser(
        name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", metavar="FILE", help="a .py program")
    said = "the result, such as loss" if target is None else f"the result (default: {target})"
    parser.add_argument("--target", metavar="NAME", default=target, required=target is None, help=said)
    parser.add_argument(
        "arguments",
        metavar="ARGUMENTS",
        nargs="*",
        help="passed on to the program; behind -- if they look like options",
    )
    return parser


class Asked:
    """What came of it: the answer, and the error that ended the program before, if one did."""

    def __init__(self, answer: Any, error: BaseException | None) -> None:
        self.answer = answer
        self.error = error


def run_and_ask(path: Path, arguments: list[str], targets: list[str], question: Question) -> Asked:
    """Run a program, output and all, and call ``question`` with what the expressions ``targets`` stand for at its end.

    If the program ends with an error, they are looked up where it was raised: in the innermost function of the program
    that knows the first of them.

    Raises:
        CommandError: the file cannot be read, or knows no such variable.
    """
    source, filename = _read(path), str(path.absolute())
    install()
    error: BaseException | None = None
    module = main_module(path, filename, arguments)
    try:
        exec(compile(source, filename, "exec", dont_inherit=True), module.__dict__)
    except SystemExit:
        pass
    except Exception as raised:  # noqa: BLE001 - whatever ends the program is shown, and then the question is asked
        error = raised.with_traceback(users_part(filename, raised.__traceback__))
        traceback.print_exception(error)
    names, line = _variables(module, filename, source, error, targets[0])
    return Asked(_asked(path, filename, names, line, targets, question), error)


def _asked(path: Path, filename: str, names: dict[str, Any], line: int, targets: list[str], question: Question) -> Any:
    """Call ``question`` in a frame of the program's file, behind what ran: there it finds names and assignments."""
    answers: list[Any] = []
    names[_QUESTION] = lambda *values: answers.append(question(*values))
    try:
        exec(compile("\n" * (line - 1) + f"{_QUESTION}({', '.join(targets)})", filename, "exec"), names)
    except (NameError, AttributeError, LookupError) as missing:
        raise CommandError(f"{path}: {missing}") from missing
    finally:
        del names[_QUESTION]
    return answers[0]


def _read(path: Path) -> bytes:
    if path.suffix != ".py":
        raise CommandError(f"{path}: not a program (.py)")
    if path.is_dir():
        raise CommandError(f"{path}: is a directory")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CommandError(f"{path}: no such file") from None
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}") from error


def _variables(
    module: ModuleType, filename: str, source: bytes, error: BaseException | None, target: str
) -> tuple[dict[str, Any], int]:
    """The variables in which the question is asked, and the line at which it stands."""
    names = _names_in(target)
    trace, found = (error.__traceback__ if error is not None else None), None
    while trace is not None:
        frame: FrameType = trace.tb_frame
        if frame.f_code.co_filename == filename and names <= {*frame.f_locals, *frame.f_globals}:
            found = ({**frame.f_globals, **frame.f_locals}, trace.tb_lineno)
        trace = trace.tb_next
    if found is not None:
        return found
    return module.__dict__, source.count(b"\n") + 2


def _names_in(target: str) -> set[str]:
    try:
        tree = ast.parse(target, mode="eval")
    except SyntaxError as error:
        raise CommandError(f"{target!r} is no Python expression") from error
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
