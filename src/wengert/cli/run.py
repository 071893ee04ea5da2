"""`wengert run`: a program or notebook written for PyTorch, with `import torch` answered by wengert."""

import argparse
from pathlib import Path
from typing import Any

from wengert.cli.errors import CommandError
from wengert.cli.missing import warn_of_missing_names
from wengert.cli.notebook.document import Document, check_writable, read_notebook, write_notebook
from wengert.cli.notebook.execute import execute_notebook
from wengert.cli.script import run_script
from wengert.cli.terminal import ProgressReporter
from wengert.interop.torch import answering_torch, install

__all__ = ["add_run_command"]

_DESCRIPTION = """\
Run a program (.py) or a notebook (.ipynb) written for PyTorch, with `import torch`
answered by wengert. Names of PyTorch that wengert does not have yet are listed at the
start; the run goes on until it reaches one.

A program runs as `python FILE ARGUMENTS` would run it. A notebook runs cell by cell in
its own folder, without Jupyter, stops at the first error, and is saved with its outputs.
"""


def add_run_command(commands: Any) -> None:
    """Add `run` to the commands of the command line."""
    parser = commands.add_parser(
        "run",
        help="run a program or notebook written for PyTorch",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_notebook_options(parser)
    parser.add_argument("file", metavar="FILE", help="a .py program or an .ipynb notebook")
    parser.add_argument("arguments", metavar="ARGUMENTS", nargs=argparse.REMAINDER, help="passed on to a program")
    parser.set_defaults(command=_run)


def _add_notebook_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", metavar="PATH", help="where to save the executed notebook (default: NAME.executed.ipynb beside it)"
    )
    parser.add_argument(
        "--allow-errors",
        action="store_true",
        help="go on with the next cell of a notebook after an error, and exit with 0",
    )


def _run(options: argparse.Namespace) -> int:
    path = Path(options.file)
    if path.suffix not in (".py", ".ipynb"):
        raise CommandError(f"{path}: neither a program (.py) nor a notebook (.ipynb)")
    if path.is_dir():
        raise CommandError(f"{path}: is a directory")
    if not path.exists():
        raise CommandError(f"{path}: no such file")
    if path.suffix == ".py":
        if options.output is not None or options.allow_errors:
            raise CommandError(
                "--output and --allow-errors are for notebooks; the arguments of a program stand after it"
            )
        return _run_program(path, options.arguments)
    _parse_options_after_file(options)
    return _run_notebook(path, options)


def _parse_options_after_file(options: argparse.Namespace) -> None:
    """Accept a notebook's options behind its name as well: only a program has arguments of its own."""
    parser = argparse.ArgumentParser(prog="wengert run NOTEBOOK", add_help=False)
    _add_notebook_options(parser)
    later = parser.parse_args(options.arguments)
    options.output = later.output if later.output is not None else options.output
    options.allow_errors = later.allow_errors or options.allow_errors


def _run_program(path: Path, arguments: list[str]) -> int:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}") from error
    install()
    warn_of_missing_names([(None, source)])
    return run_script(path, source, arguments)


def _run_notebook(path: Path, options: argparse.Namespace) -> int:
    document = read_notebook(path)
    output = Path(options.output) if options.output is not None else path.with_name(f"{path.stem}.executed.ipynb")
    output = output.absolute()
    check_writable(output)
    with answering_torch():
        warn_of_missing_names([(number, cell.source) for number, cell in enumerate(document.code_cells, start=1)])
        return _execute_and_save(document, path, output, allow_errors=options.allow_errors)


def _execute_and_save(document: Document, path: Path, output: Path, *, allow_errors: bool) -> int:
    reporter = ProgressReporter()
    try:
        code = execute_notebook(document, reporter, folder=path.absolute().parent, allow_errors=allow_errors)
    finally:
        write_notebook(document, output)
        reporter.note(f"saved {output}")
    return code
