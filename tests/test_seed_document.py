"""The notebook that the project began with runs as written, and prints what its author saw."""

import copy
from pathlib import Path
from typing import Any

import pytest

from command import code, notebook, read, shown, wengert, write

SEED = Path(__file__).parent / "data" / "seed_notebook.ipynb"

# Its version and its GPU are the author's own.
AUTHORS_MACHINE = "import torch\nprint(torch.__version__)"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    output = tmp_path_factory.mktemp("seed") / "executed.ipynb"
    done = wengert("run", SEED, "--output", output)
    assert done.returncode == 0, done.stderr
    assert "does not have yet" not in done.stderr
    return read(output)


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _code_cells(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


CELLS = [cell for cell in _code_cells(read(SEED)) if not _source(cell).startswith(AUTHORS_MACHINE)]


@pytest.mark.parametrize("number", range(len(CELLS)), ids=lambda n: f"In[{CELLS[n]['execution_count']}]")
def test_each_cell_prints_what_the_document_shows(executed: dict[str, Any], number: int) -> None:
    cells = [cell for cell in _code_cells(executed) if not _source(cell).startswith(AUTHORS_MACHINE)]
    assert _source(cells[number]) == _source(CELLS[number])
    assert shown(cells[number]) == shown(CELLS[number])


def test_the_whole_document_is_there() -> None:
    # Sixteen of the 26 cells print; the first prints the author's version and GPU.
    assert len(CELLS) == 25
    assert sum(bool(cell["outputs"]) for cell in CELLS) == 15


def test_the_first_cell_says_version_and_gpu(executed: dict[str, Any]) -> None:
    [(kind, text)] = shown(_code_cells(executed)[0])
    version, gpu = text.splitlines()
    assert kind == "stdout"
    assert version == read_version()
    assert gpu == "CUDA Available: False"


def read_version() -> str:
    return wengert("--version").stdout.split()[1]


def test_a_second_backward_is_refused(tmp_path: Path) -> None:
    """The document says of its cell 7: runs only once, the second time shows an error."""
    content = copy.deepcopy(read(SEED))
    before = [cell["source"] for cell in _code_cells(content)[:7]]
    again = code("z.backward()", tags=["raises-exception"])
    path = write(tmp_path / "twice.ipynb", *("".join(source) for source in before), again, "x.grad")
    assert wengert("run", path).returncode == 0
    *_, refused, gradient = read(tmp_path / "twice.executed.ipynb")["cells"]
    [(kind, message)] = shown(refused)
    assert kind == "error"
    assert message.startswith("RuntimeError: ")
    assert "retain_graph=True" in message
    assert shown(gradient) == [("execute_result", "tensor(-5.4668)")]


@pytest.mark.parametrize(
    ("option", "printed"),
    [
        ("x.requires_grad_(False)\ny = x ** 2", "tensor(3.) tensor(9.)"),
        ("z = x.detach()\ny = z ** 2", "tensor(3., requires_grad=True) tensor(9.)"),
        ("with torch.no_grad():\n    y = x ** 2", "tensor(3., requires_grad=True) tensor(9.)"),
    ],
    ids=["requires_grad_", "detach", "no_grad"],
)
def test_the_three_ways_to_disable_tracking(tmp_path: Path, option: str, printed: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"import torch\nx = torch.tensor(3.0, requires_grad=True)\n{option}\nprint(x, y)\n")
    done = wengert("run", program)
    assert (done.stdout, done.stderr, done.returncode) == (printed + "\n", "", 0)


def test_the_fixture_is_a_valid_notebook() -> None:
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.from_dict(read(SEED)))
    nbformat.validate(nbformat.from_dict(notebook("1 + 1")))
