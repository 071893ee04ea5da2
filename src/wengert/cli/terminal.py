"""What a person sees in the terminal while a notebook runs."""

import os
import sys
import textwrap
from typing import Any, TextIO

from wengert.cli.notebook.document import Cell
from wengert.cli.notebook.magics import readable_seconds

__all__ = ["ProgressReporter", "TourReporter"]

Json = dict[str, Any]


class ProgressReporter:
    """Shows the outputs as the program's own, and one line of progress for each cell on standard error."""

    def __init__(self) -> None:
        # Kept: while a notebook runs, sys.stdout and sys.stderr are the notebook's.
        self._streams = {"stdout": sys.stdout, "stderr": sys.stderr}
        self._at_line_start = True

    def text(self, cell: Cell) -> None:
        """Say nothing: text is for readers of the notebook."""

    def started(self, cell: Cell, count: int) -> None:
        """Say nothing: a cell's line comes when its time is known."""

    def finished(self, count: int, total: int, *, ok: bool, seconds: float) -> None:
        """Print `[3/24] ok 12 ms`."""
        self.note(f"[{count}/{total}] {'ok' if ok else 'error'} {readable_seconds(seconds)}")

    def note(self, line: str) -> None:
        """Print a line that is not the program's on standard error."""
        if not self._at_line_start:
            self.stream("stdout", "\n")
        self.stream("stderr", line + "\n")

    def stream(self, name: str, text: str) -> None:
        """Print text where the program would have printed it."""
        show(text, self._streams[name])
        self._at_line_start = text.endswith("\n")

    def output(self, output: Json) -> None:
        """Print a value as plain text, and an error on standard error."""
        if output["output_type"] == "error":
            self.stream("stderr", "\n".join(output["traceback"]) + "\n")
        else:
            self.stream("stdout", plain_text(output) + "\n")


class TourReporter:
    """Shows a notebook as a text to read: headings, explanations, cells and what they give."""

    _WIDTH = 100

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._paint = Paint(out)
        self._at_line_start = True
        self._count = 0

    def text(self, cell: Cell) -> None:
        """Print a text cell: headings stand out, paragraphs are wrapped."""
        for block in cell.source.strip().split("\n\n"):
            self._line(self._block(block))
            self._line("")

    def started(self, cell: Cell, count: int) -> None:
        """Print the code of a cell behind its number."""
        self._count = count
        first, following = f"In [{count}]: ", " " * (len(f"In [{count}]: ") - 5) + "...: "
        for number, line in enumerate(cell.source.rstrip().splitlines()):
            prompt = first if number == 0 else following
            self._line(self._paint.prompt(prompt) + self._paint.code(line))

    def finished(self, count: int, total: int, *, ok: bool, seconds: float) -> None:
        """Leave a blank line after the outputs."""
        self._line("")

    def stream(self, name: str, text: str) -> None:
        """Print what the cell printed."""
        show(text, self._out)
        self._at_line_start = text.endswith("\n")

    def output(self, output: Json) -> None:
        """Print a result behind its number, and an error as Python would."""
        if output["output_type"] == "error":
            self._line(self._paint.error("\n".join(output["traceback"])))
        elif output["output_type"] == "execute_result":
            self._line(self._paint.result(f"Out[{self._count}]: ") + plain_text(output))
        else:
            self._line(plain_text(output))

    def _line(self, line: str) -> None:
        if not self._at_line_start:
            self.stream("stdout", "\n")
        self.stream("stdout", line + "\n")

    def _block(self, block: str) -> str:
        if block.startswith("#"):
            title = block.lstrip("#").strip()
            return self._paint.heading(f"{title}\n{'=' * len(title)}" if block.startswith("# ") else title)
        if block.startswith(("    ", "- ", "|", "1. ")):
            return block
        return textwrap.fill(block.replace("**", "").replace("`", ""), self._WIDTH)


class Paint:
    """Colours, where the output is a terminal that wants them."""

    def __init__(self, out: TextIO) -> None:
        self._on = out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def heading(self, text: str) -> str:
        """Bold."""
        return self._in("1", text)

    def prompt(self, text: str) -> str:
        """Green."""
        return self._in("32", text)

    def code(self, text: str) -> str:
        """Cyan."""
        return self._in("36", text)

    def result(self, text: str) -> str:
        """Red, as notebooks have it."""
        return self._in("31", text)

    def error(self, text: str) -> str:
        """Bright red."""
        return self._in("91", text)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._on else text


def plain_text(output: Json) -> str:
    """What a terminal can show of a value, and a mention of images."""
    data = output["data"]
    text = str(data["text/plain"])
    images = [media for media in data if media.startswith("image/")]
    return f"{text}  [{', '.join(images)}: in the saved notebook]" if images else text


def show(text: str, out: TextIO) -> None:
    """Print at once; what the terminal's encoding lacks is shown as an escape, not an error in the user's cell."""
    encoding = out.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), end="", file=out, flush=True)
