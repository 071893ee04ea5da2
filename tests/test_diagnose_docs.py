"""The page on diagnosis shows what its programs really print."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "diagnose.md"
EXAMPLE = re.compile(r"```python\n(?P<program>.*?)```\n\n```\n(?P<output>.*?)```", re.DOTALL)
EXAMPLES = list(EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")))
MEMORY = re.compile(r"[0-9.]+ (bytes|KiB)|bytes = [0-9]+")  # Python's own objects differ from version to version


def printed(program: str, folder: Path) -> str:
    path = folder / "train.py"
    path.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, path.name],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_prints_what_the_page_shows(example: re.Match[str], tmp_path: Path) -> None:
    assert MEMORY.sub("", printed(example["program"], tmp_path)) == MEMORY.sub("", example["output"])
    assert example["output"]


def test_all_examples_are_found() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("```python") == 6
