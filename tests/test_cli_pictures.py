"""`wengert draw` and `wengert explore`."""

from pathlib import Path

import pytest

from command import wengert

PROGRAM = """\
import torch

x = torch.tensor(3.0, requires_grad=True)
y = x ** 2
loss = torch.sin(y)
print("ran")
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_draw_writes_to_the_terminal(program: Path) -> None:
    run = wengert("draw", program)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        "ran",
        "x = 3, grad −5.4668",
        "y = ^ 2 (x) = 9, grad −0.9111",
        "loss = sin (y) = 0.4121, grad 1",
    ]


def test_draw_saves_in_the_form_of_the_suffix(program: Path) -> None:
    run = wengert("draw", program, "--target", "y", "-o", "y.svg", "--theme", "dark", cwd=program.parent)
    assert (run.returncode, run.stderr) == (0, "saved y.svg\n")
    picture = (program.parent / "y.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "program.py:4" in picture
    assert "#14181d" in picture
    wengert("draw", program, "-o", "loss.mmd", "--direction", "right", cwd=program.parent)
    assert (program.parent / "loss.mmd").read_text().startswith("flowchart LR")


def test_explore_saves_a_page(program: Path) -> None:
    run = wengert("explore", program, cwd=program.parent)
    assert (run.returncode, run.stderr) == (0, "saved program.explore.html\n")
    page = (program.parent / "program.explore.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "back through loss = sin(y)" in page


def test_repeats_can_be_unfolded_and_nodes_limited(program: Path) -> None:
    program.write_text(
        "import torch\nh = w = torch.tensor(0.5, requires_grad=True)\nfor _ in range(9):\n    h = torch.sin(h * w)\n"
    )
    folded = wengert("draw", program, "--target", "h").stdout.splitlines()
    unfolded = wengert("draw", program, "--target", "h", "--unfold").stdout.splitlines()
    assert folded[1].startswith("┌ × 9")
    assert len(unfolded) == 19


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "nothing"], "name 'nothing' is not defined"),
        (["--target", "torch"], "expected a tensor or a sequence of tensors"),
        (["-o", "picture.bmp"], "expected a file with one of the suffixes"),
        (["--max-nodes", "1"], "expected max_nodes of at least 2"),
        (["-o", "no/such/folder/y.svg"], "cannot be written"),
    ],
)
def test_what_cannot_be_drawn(program: Path, arguments: list[str], message: str) -> None:
    run = wengert("draw", program, *arguments)
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr


def test_a_program_that_fails_is_drawn_as_far_as_it_got(program: Path) -> None:
    program.write_text(PROGRAM + "1 / 0\n")
    run = wengert("draw", program)
    assert run.returncode == 1
    assert "ZeroDivisionError" in run.stderr
    assert "loss = sin (y)" in run.stdout
