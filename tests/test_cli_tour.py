"""`wengert tour` runs from the installed package, without an error, and shows what it promises."""

import io
import json
from importlib import resources
from pathlib import Path

import pytest

from command import read, shown, wengert
from wengert.cli.notebook.document import parse_notebook
from wengert.cli.notebook.execute import execute_notebook
from wengert.cli.terminal import TourReporter

NOTEBOOK = resources.files("wengert.tour").joinpath("autograd_tour.ipynb").read_text(encoding="utf-8")


def test_it_shows_text_code_and_results(tmp_path: Path) -> None:
    done = wengert("tour", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b[" not in done.stdout
    lines = done.stdout.splitlines()
    for expected in (
        "A tour of automatic differentiation",
        "Out[2]: 6",
        "tensor(9., grad_fn=<PowBackward0>)",
        "Out[4]: tensor(6.)",
        "tensor(3., requires_grad=True) tensor(9., grad_fn=<PowBackward0>) tensor(0.4121, grad_fn=<SinBackward0>)",
        "by autograd: tensor(-5.4668)",
        "d loss / d w by hand: 6.691762447357178",
        "d loss / d w by autograd: tensor(6.6918)",
        "Out[14]: tensor([0.6667, 1.3333, 2.0000])",
        "Out[15]: tensor([0., 0., 0.])",
    ):
        assert expected in lines
    assert list(tmp_path.iterdir()) == []


def test_it_can_be_saved(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    output = tmp_path / "tour.ipynb"
    assert wengert("tour", "--output", output).returncode == 0
    content = read(output)
    nbformat.validate(nbformat.from_dict(content))
    assert not [
        kind for cell in content["cells"] if cell["cell_type"] == "code" for kind, _ in shown(cell) if kind == "error"
    ]


def test_it_comes_without_outputs() -> None:
    cells = json.loads(NOTEBOOK)["cells"]
    assert all(
        cell["outputs"] == [] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code"
    )


def test_it_also_runs_as_a_torch_notebook(tmp_path: Path) -> None:
    path = tmp_path / "tour.ipynb"
    path.write_text(NOTEBOOK.replace("import wengert as torch", "import torch"), encoding="utf-8")
    done = wengert("run", path)
    assert done.returncode == 0, done.stderr
    assert "tensor(-5.4668)" in done.stdout


@pytest.mark.conformance
def test_torch_prints_the_same(tmp_path: Path) -> None:
    """The tour says that every cell runs on PyTorch too: only the text of the error in section 4 is our own."""
    pytest.importorskip("torch")
    ours = parse_notebook(NOTEBOOK, "ours")
    theirs = parse_notebook(NOTEBOOK.replace("import wengert as torch", "import torch"), "theirs")
    for document in (ours, theirs):
        assert execute_notebook(document, TourReporter(io.StringIO()), folder=tmp_path) == 0
    compared = 0
    for our_cell, their_cell in zip(ours.code_cells, theirs.code_cells, strict=True):
        if "except RuntimeError" not in our_cell.source:
            assert shown(our_cell.record) == shown(their_cell.record)
            compared += 1
    assert compared == len(ours.code_cells) - 1
