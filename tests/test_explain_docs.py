"""The page on explanations shows what its programs really print."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "explain.md"
EXAMPLE = re.compile(r"```python\n(?P<program>.*?)```\n\n```\n(?P<output>.*?)```", re.DOTALL)
EXAMPLES = list(EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_prints_what_the_page_shows(example: re.Match[str], tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(example["program"], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, path.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    assert done.stdout == example["output"]


def test_all_examples_are_found() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("```python") == 6
