"""The documentation: its examples run, it holds every public name, and the site builds without a warning."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.test_exports import PUBLIC

import wengert

ROOT = Path(__file__).parents[1]
TESTED = (
    "tutorial",
    "from-pytorch",
    "from-jax",
    "from-autograd",
    "add-an-operation",
    "tensor-methods",
    "array-api-functions",
)


@pytest.mark.parametrize("page", TESTED)
def test_the_examples_of_a_page(page: str) -> None:
    result = doctest.testfile(str(ROOT / "docs" / f"{page}.md"), module_relative=False, encoding="utf-8")
    assert result.attempted > 3
    assert result.failed == 0


RAISING = {"bfloat16", "cuda", "pin_memory"}  # methods that only raise


def test_every_method_of_tensors_has_an_example_as_a_method() -> None:
    page = (ROOT / "docs" / "tensor-methods.md").read_text(encoding="utf-8")
    examples = "\n".join([line for line in page.splitlines() if line.startswith(">>> ")])

    names = [name for name in dir(wengert.Tensor) if not name.startswith("_") and name not in RAISING]
    assert [name for name in names if not re.search(rf"\.{name}\b", examples)] == []


def test_every_function_of_the_array_api_has_an_example() -> None:
    page = (ROOT / "docs" / "array-api-functions.md").read_text(encoding="utf-8")
    without = [
        f"{prefix}{name}"
        for prefix in ("", "fft.", "linalg.", "special.")
        for name, value in _functions_of("wengert.array_api" + (f".{prefix[:-1]}" if prefix else ""))
        if ">>>" not in (inspect.getdoc(value) or "") and f"xp.{prefix}{name}(" not in page
    ]
    assert without == []


def _functions_of(module: str) -> list[tuple[str, Any]]:
    home = importlib.import_module(module)
    return [(name, getattr(home, name)) for name in home.__all__ if inspect.isfunction(getattr(home, name))]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(ROOT / "docs"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    reference = {path.stem for path in (tmp_path / "generated").glob("wengert*.html")}
    assert set(PUBLIC) <= reference
    assert "grad" in (tmp_path / "generated" / "derivatives.html").read_text(encoding="utf-8")
