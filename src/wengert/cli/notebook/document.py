"""Jupyter's file format (nbformat 4): reading with clear refusals, and writing without ever leaving half a file."""

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wengert.cli.errors import CommandError

__all__ = ["Cell", "Document", "check_writable", "parse_notebook", "read_notebook", "write_notebook"]

Json = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One cell: a view of its record in the document."""

    record: Json

    @property
    def is_code(self) -> bool:
        """Whether the cell is to be executed."""
        return bool(self.record["cell_type"] == "code")

    @property
    def source(self) -> str:
        """The cell's text."""
        source = self.record["source"]
        return source if isinstance(source, str) else "".join(source)

    @property
    def may_fail(self) -> bool:
        """Whether the author expects an error here: Jupyter's tag `raises-exception`."""
        return "raises-exception" in self.record["metadata"].get("tags", ())

    def set_result(self, count: int | None, outputs: list[Json]) -> None:
        """Record what executing the cell gave."""
        self.record["execution_count"] = count
        self.record["outputs"] = outputs


@dataclass(frozen=True)
class Document:
    """A notebook: the whole file's content, and its cells in order."""

    content: Json
    cells: tuple[Cell, ...]

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The cells to be executed."""
        return tuple(cell for cell in self.cells if cell.is_code)


def read_notebook(path: Path) -> Document:
    """Read a notebook.

    Raises:
        CommandError: the file cannot be read, or is no notebook of format 4.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: is not UTF-8 text, so no notebook (byte {error.start})") from error
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_notebook(text, str(path))


def parse_notebook(text: str, name: str) -> Document:
    """The notebook that `text` holds; `name` is for the errors.

    Raises:
        CommandError: the text is no notebook of format 4.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{name}: is not JSON, so no notebook: {error}") from error
    problem = _problem_with(content)
    if problem is not None:
        raise CommandError(f"{name}: {problem}")
    _complete(content)
    return Document(content, tuple(Cell(record) for record in content["cells"]))


def _problem_with(content: Any) -> str | None:
    """What keeps the content from being a notebook of format 4, in a few words."""
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        return "is JSON, but no notebook: it has no nbformat number"
    if content["nbformat"] < 4:
        return (
            f"is a notebook of format {content['nbformat']}; wengert reads format 4. "
            "Convert it with: jupyter nbconvert --to notebook --nbformat 4"
        )
    if content["nbformat"] > 4:
        return f"is a notebook of format {content['nbformat']}, newer than format 4, which wengert reads"
    cells = content.get("cells")
    if not isinstance(cells, list):
        return "is no valid notebook: it has no list of cells"
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
            return f"is no valid notebook: cell {number} has no cell_type"
        source = cell.get("source")
        if not isinstance(source, str) and not (isinstance(source, list) and all(isinstance(x, str) for x in source)):
            return f"is no valid notebook: the source of cell {number} is neither text nor a list of lines"
        if not isinstance(cell.get("metadata", {}), dict):
            return f"is no valid notebook: the metadata of cell {number} is no object"
    return None


def _complete(content: Json) -> None:
    """Add what the format asks for and writers forget, and clear outputs of earlier runs, which would mislead."""
    content.setdefault("nbformat_minor", 5)
    metadata = content.setdefault("metadata", {})
    metadata.setdefault("language_info", {"name": "python"})
    for cell in content["cells"]:
        cell.setdefault("metadata", {})
        if content["nbformat_minor"] >= 5:
            cell.setdefault("id", uuid.uuid4().hex[:8])
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None


def check_writable(path: Path) -> None:
    """Refuse, before anything runs, a place where the result cannot be saved.

    Raises:
        CommandError: the folder is missing or closed, or `path` is a folder.
    """
    if path.is_dir():
        raise CommandError(f"{path}: is a directory; --output takes the name of a file")
    if not path.parent.is_dir():
        raise CommandError(f"{path}: there is no folder {path.parent} to save in")
    if not os.access(path.parent, os.W_OK):
        raise CommandError(f"{path}: no permission to save in {path.parent}; name another place with --output")


def write_notebook(document: Document, path: Path) -> None:
    """Save a notebook so that at `path` there is, at any moment, either the old file or the whole new one.

    Raises:
        CommandError: the file cannot be written.
    """
    text = json.dumps(document.content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CommandError(f"{path}: cannot be written: {error.strerror}") from error
