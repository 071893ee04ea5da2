"""No false alarm: programs in which nothing is wrong, however much of their gradients is zero, masked or detached."""

import gc
import linecache
from pathlib import Path
from typing import Any

import pytest

import wengert

HEALTHY = sorted((Path(__file__).parent / "healthy").glob("*.py"))


def header(source: str, key: str) -> list[str]:
    line = next(line for line in source.split('"""')[1].splitlines() if line.startswith(f"{key}: "))
    return [part.strip() for part in line.partition(": ")[2].split(",")]


@pytest.mark.parametrize("path", HEALTHY, ids=lambda path: path.stem)
def test_no_false_alarm(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__", "wengert": wengert}
    gc.collect()
    linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
    try:
        exec(compile(source, str(path), "exec"), names)
        (result,) = header(source, "result")
        after = "\n" * (source.count("\n") + 1)
        questions = [f"diagnose({result})", "graph_report()"]
        for name in header(source, "inputs"):
            questions += [f"diagnose({result}, {name})", f"explain_nan({result}, {name})"]
        for question in questions:
            report = eval(compile(f"{after}wengert.{question}", str(path), "eval"), names)
            assert report.ok, f"{question}\n{report}"
            assert str(report)
            assert report._repr_markdown_()
    finally:
        linecache.cache.pop(str(path), None)


def test_there_are_at_least_twenty() -> None:
    assert len(HEALTHY) >= 20
