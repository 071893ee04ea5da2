"""What a cell puts out, recorded in the notebook's form and shown to the reader at the same time."""

import io
from collections.abc import Callable
from typing import Any, Protocol

from wengert.cli.notebook.representations import representations

__all__ = ["OutputStream", "Recorder", "Viewer"]

Json = dict[str, Any]


class Viewer(Protocol):
    """Whoever shows outputs while they come."""

    def stream(self, name: str, text: str) -> None:
        """Show text written to `stdout` or `stderr`."""

    def output(self, output: Json) -> None:
        """Show a displayed value, a cell's result, or an error: a record in the notebook's form."""


class Recorder:
    """Collects the outputs of the cell that is running."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._outputs: list[Json] = []

    def take(self) -> list[Json]:
        """The outputs since the last call, in the notebook's form."""
        taken, self._outputs = self._outputs, []
        for output in taken:
            if output["output_type"] == "stream":
                output["text"] = "".join(output["text"]).splitlines(keepends=True)
        return taken

    def stream(self, name: str, text: str) -> None:
        """Record text written to `stdout` or `stderr`; what follows on the same stream is joined to it."""
        if not text:
            return
        last = self._outputs[-1] if self._outputs else None
        if last is not None and last["output_type"] == "stream" and last["name"] == name:
            last["text"].append(text)
        else:
            self._outputs.append({"output_type": "stream", "name": name, "text": [text]})
        self._viewer.stream(name, text)

    def display(self, *values: Any) -> None:
        """Show values in the richest forms they offer: what notebooks call `display`."""
        for value in values:
            self._add({"output_type": "display_data", "data": representations(value), "metadata": {}})

    def result(self, value: Any, count: int) -> None:
        """Record the value of a cell's last expression."""
        data = representations(value)
        self._add({"output_type": "execute_result", "execution_count": count, "data": data, "metadata": {}})

    def error(self, error: BaseException, lines: list[str]) -> None:
        """Record the error that ended a cell."""
        self._add({"output_type": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": lines})

    def _add(self, output: Json) -> None:
        self._outputs.append(output)
        self._viewer.output(output)


class OutputStream(io.TextIOBase):
    """Stands in for `sys.stdout` or `sys.stderr` while a notebook runs."""

    def __init__(self, name: str, write: Callable[[str, str], None]) -> None:
        super().__init__()
        self._name = name
        self._write = write

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Notebooks are UTF-8."""
        return "utf-8"

    def writable(self) -> bool:
        """Whether text can be written: always."""
        return True

    def write(self, text: str, /) -> int:
        """Record text."""
        if not isinstance(text, str):
            raise TypeError(f"write() takes a str, not {type(text).__name__}")
        self._write(self._name, text)
        return len(text)
