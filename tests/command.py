"""Running the command `wengert` in a process of its own, as a person does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def wengert(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wengert", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def code(source: str, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source}


def notebook(*cells: dict[str, Any] | str) -> dict[str, Any]:
    records = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    for number, record in enumerate(records):
        record.setdefault("id", f"cell-{number}")
    return {"cells": records, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, *cells: dict[str, Any] | str) -> Path:
    path.write_text(json.dumps(notebook(*cells)), encoding="utf-8")
    return path


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def shown(cell: dict[str, Any]) -> list[tuple[str, str]]:
    """What a cell put out, as (kind, text)."""
    return [_shown(output) for output in cell["outputs"]]


def _shown(output: dict[str, Any]) -> tuple[str, str]:
    if output["output_type"] == "stream":
        return output["name"], _joined(output["text"])
    if output["output_type"] == "error":
        return "error", f"{output['ename']}: {output['evalue']}"
    return output["output_type"], _joined(output["data"]["text/plain"])


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
